//! Probability flows of diffusions whose score is known: densities against closed forms.

use std::f64::consts::TAU;

use pushforward::audit::{Topic, audit};
use pushforward::bijection::{forward_with_log_det, inverse_with_log_det};
use pushforward::layers::{Diffusion, Field, ProbabilityFlow, Solver};
use pushforward::prelude::*;
use pushforward::program::{Output, Program};

const PRESERVING: Diffusion = Diffusion::VariancePreserving { least: 0.1, most: 20.0 };
const EXPLODING: Diffusion = Diffusion::VarianceExploding { least: 0.01, most: 10.0 };

fn solved_to(tolerance: f64) -> Solver {
    Solver::DormandPrince { relative: tolerance, absolute: tolerance }
}

/// α(t) and v(t) of a diffusion, as numbers, written anew.
fn given_data(diffusion: Diffusion, t: f64) -> (f64, f64) {
    match diffusion {
        Diffusion::VariancePreserving { least, most } => {
            let integral = least * t + 0.5 * (most - least) * t * t;
            ((-0.5 * integral).exp(), 1.0 - (-integral).exp())
        }
        Diffusion::VarianceExploding { least, most } => {
            let sigma = least * (most / least).powf(t);
            (1.0, sigma * sigma - least * least)
        }
        _ => panic!("{diffusion:?} has no test"),
    }
}

/// Two components of two variables: means, standard deviations (of both variables), and the weight of the first.
const MEANS: [[f64; 2]; 2] = [[1.5, -0.5], [-1.0, 2.0]];
const WIDTHS: [f64; 2] = [0.6, 0.3];
const WEIGHT: f64 = 0.7;

/// The score of data that are a mixture of two Gaussians: x_t is the mixture of N(α·m, α²·s² + v).
#[derive(Clone)]
struct MixtureScore(Diffusion);

impl Field for MixtureScore {
    fn dim(&self) -> usize {
        2
    }

    fn velocity<'t>(&self, x: Var<'t>, t: Var<'t>) -> Var<'t> {
        let (alpha, variance) = self.0.given_data(t);
        let parts = [0, 1].map(|k| {
            let mean = alpha * x.tape().vector(&MEANS[k]);
            let square = WIDTHS[k] * WIDTHS[k] * alpha * alpha + variance;
            let off = mean - x;
            (off, square, -0.5 * off.dot(off) / square - square.ln())
        });
        let [(first, first_square, first_log), (second, second_square, second_log)] = parts;
        let odds = (WEIGHT / (1.0 - WEIGHT)).ln();
        let share = (odds + first_log - second_log).sigmoid();
        share * first / first_square + (1.0 - share) * second / second_square
    }
}

/// ln p_t(x) of the mixture after the diffusion has gone on until t.
fn log_density(diffusion: Diffusion, t: f64, x: &[f64]) -> f64 {
    let (alpha, variance) = given_data(diffusion, t);
    let part = |k: usize, weight: f64| {
        let square = (alpha * WIDTHS[k]).powi(2) + variance;
        let off: f64 = x.iter().zip(MEANS[k]).map(|(x, m)| (x - alpha * m).powi(2)).sum();
        weight.ln() - 0.5 * off / square - (TAU * square).ln()
    };
    let (a, b) = (part(0, WEIGHT), part(1, 1.0 - WEIGHT));
    a.max(b) + (-(a - b).abs()).exp().ln_1p()
}

/// z and ln|det J| of some x, row after row.
fn pulled(layer: &dyn Bijection, x: &[f64], rows: usize) -> (Vec<f64>, Vec<f64>) {
    let tape = Tape::new();
    let input = tape.input(Shape::Vector(layer.dim()));
    let found = inverse_with_log_det(layer, input).unwrap();
    let outputs = [found.z, found.log_det].map(|node| Output::Each(node.id()));
    let mut program = Program::<f64>::compile(&tape, &[input.id()], &outputs);
    program.load(&Parameters::default()).unwrap();
    let mut found = program.run(&[x], rows).unwrap().into_iter();
    (found.next().unwrap(), found.next().unwrap())
}

#[test]
fn densities_are_those_of_the_data_to_the_tolerance_of_the_solver() {
    for diffusion in [PRESERVING, EXPLODING] {
        let layer = ProbabilityFlow::new(MixtureScore(diffusion), diffusion).layer(solved_to(1e-10), 20_000);
        let x: Vec<f64> = (0..40).map(|k| 2.5 * (1.7 * f64::from(k)).sin()).collect();
        let (z, log_det) = pulled(&layer, &x, 20);
        let mut worst = 0.0f64;
        for row in 0..20 {
            let noise = log_density(diffusion, 1.0, &z[2 * row..2 * row + 2]);
            let (found, expected) =
                (noise - log_det[row], log_density(diffusion, 0.0, &x[2 * row..2 * row + 2]));
            worst = worst.max((found - expected).abs() / expected.abs().max(1.0));
        }
        println!("{diffusion:?}: worst difference of ln p {worst:.1e}");
        assert!(worst < 1e-6, "{diffusion:?}: {worst:e}");
    }
}

/// The score of N(m, s²) for each variable.
#[derive(Clone)]
struct GaussianScore {
    diffusion: Diffusion,
    mean: [f64; 3],
    width: f64,
}

impl Field for GaussianScore {
    fn dim(&self) -> usize {
        3
    }

    fn velocity<'t>(&self, x: Var<'t>, t: Var<'t>) -> Var<'t> {
        let (alpha, variance) = self.diffusion.given_data(t);
        (alpha * x.tape().vector(&self.mean) - x) / (self.width * self.width * alpha * alpha + variance)
    }
}

#[test]
fn a_gaussian_is_moved_and_scaled() {
    let (mean, width) = ([0.5, -2.0, 1.0], 0.4);
    for diffusion in [PRESERVING, EXPLODING] {
        let score = GaussianScore { diffusion, mean, width };
        let layer = ProbabilityFlow::new(score, diffusion).layer(solved_to(1e-11), 20_000);
        let (alpha, variance) = given_data(diffusion, 1.0);
        let spread = ((alpha * width).powi(2) + variance).sqrt();
        // x = m + s·(z - α·m)/√(α²s² + v)
        let z: Vec<f64> = (0..3).map(|i| alpha * mean[i] + spread * [1.3, -0.2, 0.0][i]).collect();
        let tape = Tape::new();
        let input = tape.input(Shape::Vector(3));
        let pushed = forward_with_log_det(&layer, input).unwrap();
        let outputs = [pushed.x, pushed.log_det].map(|node| Output::Each(node.id()));
        let mut program = Program::<f64>::compile(&tape, &[input.id()], &outputs);
        program.load(&Parameters::default()).unwrap();
        let found = program.run(&[&z], 1).unwrap();
        for i in 0..3 {
            let expected = mean[i] + width * [1.3, -0.2, 0.0][i];
            assert!((found[0][i] - expected).abs() < 1e-7, "{diffusion:?}: {} {expected}", found[0][i]);
        }
        let expected = 3.0 * (width / spread).ln();
        assert!((found[1][0] - expected).abs() < 1e-7, "{diffusion:?}: {} {expected}", found[1][0]);
        // A row that is no number, or not finite, stays one of these.
        assert!(program.run(&[&[f64::NAN, 0.0, 0.0]], 1).unwrap()[0][0].is_nan());
        assert!(!program.run(&[&[f64::INFINITY, 0.0, 0.0]], 1).unwrap()[0][0].is_finite());
        assert!(program.run(&[&[]], 0).unwrap()[0].is_empty());
    }
}

#[test]
fn the_exact_flow_of_a_gaussian_is_proven_one_to_one_and_onto() {
    for diffusion in [PRESERVING, EXPLODING] {
        let score = GaussianScore { diffusion, mean: [0.5, -2.0, 1.0], width: 0.4 };
        let layer = ProbabilityFlow::new(score, diffusion).layer(solved_to(1e-9), 20_000);
        let report = audit(&layer).unwrap();
        assert!(report.has_no_refutation(), "{report}");
        let claim = report.claims.iter().find(|claim| claim.topic == Topic::ExactFlow).unwrap();
        assert_eq!(claim.evidence.label(), "proven", "{report}");
    }
}

#[test]
fn the_base_has_the_scale_of_the_noise() {
    for diffusion in [PRESERVING, EXPLODING] {
        let (_, variance) = given_data(diffusion, 1.0);
        assert!((diffusion.noise() - variance.sqrt()).abs() < 1e-12, "{diffusion:?}");
    }
    // Over it, draws and densities are those of the data, up to what is left of these at t = 1.
    let wide = Diffusion::VarianceExploding { least: 0.01, most: 100.0 };
    let layers: Vec<Box<dyn Bijection>> = vec![
        Box::new(Affine::fixed([wide.noise(), wide.noise()], [0.0, 0.0])),
        Box::new(ProbabilityFlow::new(MixtureScore(wide), wide).layer(solved_to(1e-7), 5000)),
    ];
    let flow = Flow::new(StandardNormal::new(2), layers).unwrap();
    let start = flow.initial(0);
    let fitted = flow.with(start).unwrap();
    for x in [[1.5, -0.5], [-1.0, 2.0], [0.3, 0.3]] {
        let (found, expected) = (fitted.log_prob(&x).unwrap()[0], log_density(wide, 0.0, &x));
        assert!((found - expected).abs() < 0.03, "{found} {expected}");
    }
    let draws = fitted.sample(4000, 3).unwrap();
    let mean = draws.chunks(2).map(|x| x[0]).sum::<f64>() / 4000.0;
    let expected = WEIGHT * MEANS[0][0] + (1.0 - WEIGHT) * MEANS[1][0];
    assert!((mean - expected).abs() < 0.12, "{mean} {expected}");
}

#[test]
fn a_score_that_is_a_network_is_kept_in_a_file() {
    let score = NetworkField::new(2, Network::new([5]));
    let layer = ProbabilityFlow::new(score, PRESERVING).layer(Solver::RungeKutta4, 20);
    let described = layer.describe().unwrap();
    let again = Registry::catalogue().layer(&described).unwrap();
    assert_eq!(again.describe().unwrap(), described);
    let x = [0.3, -1.1];
    // A network of zeros: x shrinks as e^(-½∫β).
    let tape = Tape::new();
    let input = tape.input(Shape::Vector(2));
    let pushed = forward_with_log_det(&again, input).unwrap();
    let mut program = Program::<f64>::compile(&tape, &[input.id()], &[Output::Each(pushed.log_det.id())]);
    program.load(&Parameters::initialise(&tape, 0)).unwrap();
    let integral = 0.5 * (0.1 + 20.0);
    let found = program.run(&[&x], 1).unwrap()[0][0];
    assert!((found - integral).abs() < 1e-12, "{found}");
}

#[test]
fn settings_that_are_no_diffusion_are_refused() {
    let refused = |diffusion: Diffusion| {
        let score = NetworkField::new(1, Network::new([3]));
        let made = std::panic::catch_unwind(|| ProbabilityFlow::new(score, diffusion));
        *made.expect_err("settings are refused").downcast::<String>().unwrap()
    };
    let message = refused(Diffusion::VariancePreserving { least: -1.0, most: 2.0 });
    assert!(message.contains("β must not be negative") && message.contains("from -1 to 2"), "{message}");
    for (least, most) in [(0.0, 1.0), (1.0, 1.0), (0.1, f64::INFINITY), (f64::NAN, 1.0)] {
        let message = refused(Diffusion::VarianceExploding { least, most });
        assert!(message.contains("σ must be positive, and grow"), "{message}");
    }
    refused(Diffusion::VariancePreserving { least: 0.0, most: 0.0 });
    refused(Diffusion::VariancePreserving { least: 0.1, most: f64::NAN });
}
