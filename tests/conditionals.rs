//! Densities of single variables given others, against closed forms and quadrature.

use pushforward::base::{Conditioned, StudentT};
use pushforward::prelude::*;
use pushforward::program::{Output, Program};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

fn random(seed: u64) -> ChaCha8Rng {
    ChaCha8Rng::seed_from_u64(seed)
}

/// An autoregressive spline flow of 3 variables with random parameters, in the order (2, 0, 1).
fn spline_flow() -> FittedFlow {
    let spline = || {
        let network = MaskedNetwork::new(3, [8]);
        Box::new(Autoregressive::spline(network, SplineTransformer::new(5, 3.0))) as Box<dyn Bijection>
    };
    let layers =
        vec![spline(), Box::new(Triangular::lower(3)), spline(), Box::new(Permutation::new([1, 2, 0]))];
    let flow = Flow::new(StandardNormal::new(3), layers).unwrap();
    let mut parameters = flow.initial(3);
    for (k, (_, tensor)) in parameters.iter_mut().enumerate() {
        for (i, value) in tensor.values.iter_mut().enumerate() {
            *value += 0.4 * ((7 * k + 3 * i) as f64).sin();
        }
    }
    flow.with(parameters).unwrap()
}

/// ln of the mean of weights, and its standard error.
fn log_mean(logs: &[f64]) -> (f64, f64) {
    let largest = logs.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    let weights: Vec<f64> = logs.iter().map(|log| (log - largest).exp()).collect();
    let (n, mean) = (logs.len() as f64, weights.iter().sum::<f64>() / logs.len() as f64);
    let variance = weights.iter().map(|w| (w - mean).powi(2)).sum::<f64>() / n;
    (largest + mean.ln(), (variance / n).sqrt() / mean)
}

#[test]
fn terms_sum_to_the_density_and_the_first_ones_are_marginals() {
    let fitted = spline_flow();
    let conditionals = fitted.conditionals().unwrap();
    assert_eq!(conditionals.order(), [2, 0, 1]);
    let rows = [0.3, -0.7, 1.1, 4.0, 0.0, -2.0];
    let terms = conditionals.log_probs(&rows, &[]).unwrap();
    let logs = fitted.log_prob(&rows).unwrap();
    for row in 0..2 {
        let sum: f64 = terms[row * 3..row * 3 + 3].iter().sum();
        assert!((sum - logs[row]).abs() < 1e-10 * logs[row].abs().max(1.0), "{sum} {}", logs[row]);
    }
    // ln p(x₂, x₀) is the density with x₁ integrated out, by the trapezoidal rule.
    let step = 0.005;
    let line: Vec<f64> = (-4000..=4000).flat_map(|k| [rows[0], f64::from(k) * step, rows[2]]).collect();
    let integral: f64 = fitted.log_prob(&line).unwrap().iter().map(|log| log.exp() * step).sum();
    // The rule is of first order at the knots of the splines.
    assert!((integral.ln() - terms[2] - terms[0]).abs() < 1e-4, "{} {}", integral.ln(), terms[2] + terms[0]);
}

#[test]
fn the_mean_weight_of_completions_is_the_density_of_what_is_known() {
    let fitted = spline_flow();
    let conditionals = fitted.conditionals().unwrap();
    let (point, step) = ([0.3, -0.7, 1.1], 0.02);
    for known in [[true, true, false], [false, true, true], [true, false, true], [false, true, false]] {
        // Quadrature over what is unknown.
        let axis = |i: usize| -> Vec<f64> {
            if known[i] { vec![point[i]] } else { (-600..=600).map(|k| f64::from(k) * step).collect() }
        };
        let mut grid = Vec::new();
        for a in axis(0) {
            for b in axis(1) {
                axis(2).iter().for_each(|c| grid.extend([a, b, *c]));
            }
        }
        let unknown = known.iter().filter(|known| !**known).count();
        let sum: f64 = fitted.log_prob(&grid).unwrap().iter().map(|log| log.exp()).sum();
        let exact = sum.ln() + unknown as f64 * step.ln();
        let mut rows = point.repeat(4000);
        let weights = conditionals.complete(&mut rows, &known, &[], &mut random(5)).unwrap();
        let (estimate, error) = log_mean(&weights);
        assert!(
            (estimate - exact).abs() < 4.0 * error + 1e-4,
            "{known:?}: {estimate} ± {error}, not {exact}"
        );
        // The order is (2, 0, 1): exact where x₁ alone is unknown.
        assert_eq!(known == [true, false, true], error < 1e-9, "{known:?}: {error}");
        assert!(rows.chunks(3).all(|row| (0..3).all(|i| !known[i] || row[i] == point[i])));
    }
}

#[test]
fn completions_have_the_conditional_distribution() {
    // A normal distribution with correlation 0.8: x₀ given x₁ = 1 has mean 0.8 and deviation 0.6.
    let layers: Vec<Box<dyn Bijection>> = vec![Box::new(Triangular::lower(2))];
    let flow = Flow::new(StandardNormal::new(2), layers).unwrap();
    let mut parameters = flow.initial(0);
    parameters.set("layers.0.weight", Shape::Matrix(2, 2), vec![0.0, 0.0, 0.8, 0.0]).unwrap();
    parameters.set("layers.0.log_diagonal", Shape::Vector(2), vec![0.0, 0.6_f64.ln()]).unwrap();
    let fitted = flow.with(parameters).unwrap();
    let mut rows = [f64::NAN, 1.0].repeat(20_000);
    rows.iter_mut().filter(|value| value.is_nan()).for_each(|value| *value = 0.0);
    let conditionals = fitted.conditionals().unwrap();
    let weights = conditionals.complete(&mut rows, &[false, true], &[], &mut random(2)).unwrap();
    let weights: Vec<f64> = weights.iter().map(|log| log.exp()).collect();
    let total: f64 = weights.iter().sum();
    let moment = |power: i32| -> f64 {
        rows.chunks(2).zip(&weights).map(|(row, weight)| row[0].powi(power) * weight).sum::<f64>() / total
    };
    let (mean, variance) = (moment(1), moment(2) - moment(1).powi(2));
    assert!((mean - 0.8).abs() < 0.03 && (variance - 0.36).abs() < 0.03, "{mean} {variance}");
}

#[test]
fn a_mixture_gives_every_conditional_distribution_exactly() {
    let covariances = [
        vec![1.0, 0.5, 0.2, 0.5, 2.0, -0.3, 0.2, -0.3, 0.7],
        vec![0.3, 0.0, 0.1, 0.0, 0.4, 0.2, 0.1, 0.2, 0.9],
    ];
    let mixture =
        GaussianMixture::new(&[0.3, 0.7], &[vec![0.0, 1.0, 2.0], vec![-1.0, 0.0, 0.5]], &covariances);
    let scale: Box<dyn Bijection> = Box::new(Affine::fixed([2.0, 1.0, 0.5], [1.0, 0.0, -1.0]));
    let fitted = Flow::new(mixture, [scale]).unwrap().with(Parameters::default()).unwrap();
    let conditionals = fitted.conditionals().unwrap();
    assert!(conditionals.any_order());
    let (point, step) = ([0.2, 0.4, -0.9], 0.02);
    // x₀ and x₂ known.
    let line: Vec<f64> = (-500..500).flat_map(|k| [point[0], f64::from(k) * step, point[2]]).collect();
    let exact = fitted.log_prob(&line).unwrap().iter().map(|log| log.exp() * step).sum::<f64>().ln();
    let mut rows = point.repeat(10);
    let weights = conditionals.complete(&mut rows, &[true, false, true], &[], &mut random(1)).unwrap();
    assert!(weights.iter().all(|weight| (weight - exact).abs() < 1e-9), "{weights:?} {exact}");
    // In another order the terms differ, and their sum does not.
    let whole = fitted.log_prob(&point).unwrap()[0];
    let terms = conditionals.log_probs_in(&[2, 0, 1], &point, &[]).unwrap();
    assert!((terms.iter().sum::<f64>() - whole).abs() < 1e-10);
    assert!((terms[2] + terms[0] - exact).abs() < 1e-9);
}

#[test]
fn a_base_of_which_all_or_nothing_is_known_is_itself() {
    let pair: [Box<dyn Base>; 2] = [Box::new(Laplace::new(2)), Box::new(MultivariateStudentT::new(2, 3.0))];
    let bases: [Box<dyn Base>; 11] = [
        Box::new(StandardNormal::new(2)),
        Box::new(Logistic::new(2)),
        Box::new(Uniform::new(2)),
        Box::new(Uniform::circle(2)),
        Box::new(StudentT::new(2, 3.0)),
        Box::new(Laplace::new(2)),
        Box::new(Gumbel::new(2)),
        Box::new(MultivariateStudentT::new(2, 3.0)),
        Box::new(Beta::new([2.0, 0.5], [1.5, 3.0])),
        Box::new(VonMises::new([1.0, -2.0], [0.5, 7.0])),
        Box::new(Mixture::new(&[0.3, 0.7], pair)),
    ];
    for base in bases {
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(2));
        let log_prob = base.log_prob(z);
        let mut program = Program::<f64>::compile(&tape, &[z.id()], &[Output::Each(log_prob.id())]);
        program.load(&Parameters::default()).unwrap();
        let point = [0.25, 0.5];
        let expected = program.run(&[&point], 1).unwrap()[0][0];
        let all = base.conditioned(&[true, true]).unwrap().log_marginal(&point);
        assert!((all - expected).abs() < 1e-14, "{}: {all} {expected}", base.name());
        assert_eq!(base.conditioned(&[false, false]).unwrap().log_marginal(&point), 0.0);
        let one: &dyn Conditioned = &*base.conditioned(&[false, true]).unwrap();
        let mut drawn = point;
        one.complete(&mut random(1), &mut drawn);
        assert!(drawn[1] == 0.5 && drawn[0] != 0.25, "{}: {drawn:?}", base.name());
    }
    assert_eq!(Uniform::new(1).conditioned(&[true]).unwrap().log_marginal(&[1.5]), f64::NEG_INFINITY);
}

#[test]
fn flows_in_no_single_order_are_refused_with_the_reason() {
    let couplings: Vec<Box<dyn Bijection>> = [true, false]
        .map(|first| {
            let mask = CouplingMask::alternating(4, first);
            Box::new(AffineCoupling::new(mask, Network::new([4]))) as Box<dyn Bijection>
        })
        .into();
    let flow = Flow::new(StandardNormal::new(4), couplings).unwrap();
    let parameters = flow.initial(0);
    let fitted = flow.with(parameters).unwrap();
    let error = fitted.conditionals().err().unwrap().to_string();
    assert!(error.contains("depend on each other") || error.contains("every other"), "{error}");
    let fitted = spline_flow();
    let error =
        fitted.conditionals().unwrap().log_probs_in(&[0, 1, 2], &[0.0; 3], &[]).err().unwrap().to_string();
    assert!(error.contains("[2, 0, 1]"), "{error}");
}
