//! Base distributions are densities, and their samples have these densities.

use pushforward::flow::FittedFlow;
use pushforward::prelude::*;
use pushforward::program::{Output, Program};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;
use statrs::distribution::{ContinuousCDF, StudentsT};

fn identity(base: impl Base + 'static) -> FittedFlow {
    let layer: Box<dyn Bijection> = Box::new(Affine::identity(base.dim()));
    let flow = Flow::new(base, [layer]).unwrap();
    let start = flow.initial(0);
    flow.with(start).unwrap()
}

fn bimodal() -> GaussianMixture {
    GaussianMixture::new(&[1.0, 3.0], &[vec![-2.0], vec![1.0]], &[vec![0.25], vec![1.0]])
}

fn samples(base: &dyn Base, count: usize, seed: u64) -> Vec<f64> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut z = vec![0.0; count * base.dim()];
    z.chunks_mut(base.dim()).for_each(|row| base.sample(&mut random, row));
    z
}

fn boxed(base: impl Base + 'static) -> Box<dyn Base> {
    Box::new(base)
}

/// Two normals and heavy tails.
fn of_any() -> Mixture {
    Mixture::new(&[1.0, 2.0, 0.5], [boxed(bimodal()), boxed(Laplace::new(1)), boxed(StudentT::new(1, 2.5))])
}

/// z of u in (0, 1), and dz/du. On ℝ it reaches far into the tails: z = sinh(s·logit(u)).
fn place(support: &Domain, u: f64) -> (f64, f64) {
    match (support, support.ends()) {
        (Domain::Reals, _) => {
            let steep = 0.7 * (u / (1.0 - u)).ln();
            (steep.sinh(), 0.7 * steep.cosh() / (u * (1.0 - u)))
        }
        (_, (lower, upper)) => (lower + (upper - lower) * u, upper - lower),
    }
}

/// u of z.
fn unplace(support: &Domain, z: f64) -> f64 {
    match (support, support.ends()) {
        (Domain::Reals, _) => 1.0 / (1.0 + (-z.asinh() / 0.7).exp()),
        (_, (lower, upper)) => (z - lower) / (upper - lower),
    }
}

/// ln p of rows, with initial parameters.
fn log_prob(base: &dyn Base, rows: &[f64]) -> Vec<f64> {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(base.dim()));
    let log_prob = base.log_prob(z);
    tape.check().unwrap();
    pushforward::program::values(&tape, z, &[log_prob], rows).swap_remove(0)
}

#[test]
fn every_base_is_a_density() {
    // By quadrature, and against samples.
    let bases: [Box<dyn Base>; 15] = [
        boxed(StandardNormal::new(1)),
        boxed(Uniform::new(1)),
        boxed(Logistic::new(1)),
        boxed(StudentT::new(1, 3.0)),
        boxed(bimodal()),
        boxed(bimodal().learned()),
        boxed(Laplace::new(1)),
        boxed(Gumbel::new(1)),
        boxed(MultivariateStudentT::new(1, 3.0)),
        boxed(Beta::new([2.0], [3.5])),
        boxed(Dirichlet::new([1.5, 4.0])),
        boxed(VonMises::new([2.5], [4.0])),
        boxed(VonMises::new([0.0], [0.0])),
        boxed(of_any()),
        boxed(of_any().learned()),
    ];
    for (number, base) in bases.into_iter().enumerate() {
        let n = 40_000;
        let (grid, slopes): (Vec<f64>, Vec<f64>) =
            (0..n).map(|k| place(&base.support(), (f64::from(k) + 0.5) / f64::from(n))).unzip();
        let values = log_prob(&*base, &grid);
        let cells: Vec<f64> =
            values.iter().zip(slopes).map(|(value, slope)| value.exp() * slope / f64::from(n)).collect();
        let mass: f64 = cells.iter().sum();
        assert!((mass - 1.0).abs() < 1e-5, "base {number}: mass {mass}");
        let mut drawn = samples(&*base, 20_000, 1);
        assert!(drawn.iter().all(|z| base.supports(&[*z])));
        // Kolmogorov and Smirnov: the largest gap to the distribution function, by quadrature of p.
        drawn.sort_by(f64::total_cmp);
        let (mut below, mut cell, mut gap) = (0.0, 0, 0.0f64);
        for (k, sample) in drawn.iter().enumerate() {
            while cell < grid.len() && grid[cell] <= *sample {
                below += cells[cell];
                cell += 1;
            }
            gap = gap.max((below - k as f64 / drawn.len() as f64).abs());
        }
        assert!(gap < 1.95 / (drawn.len() as f64).sqrt(), "base {number}: gap {gap}");
    }
}

#[test]
fn every_base_of_two_variables_is_a_density() {
    let pair = || [boxed(StandardNormal::new(2)), boxed(MultivariateStudentT::new(2, 2.5))];
    let bases: [Box<dyn Base>; 8] = [
        boxed(MultivariateStudentT::new(2, 3.0)),
        boxed(Beta::new([1.5, 6.0], [4.0, 2.0])),
        boxed(Dirichlet::new([2.0, 1.5, 3.0])),
        boxed(VonMises::new([-3.0, 1.0], [0.7, 30.0])),
        boxed(VonMisesFisher::new([1.0, -2.0, 0.5], 3.0)),
        boxed(VonMisesFisher::new([0.0, 0.0, -1.0], 8.0)),
        boxed(VonMisesFisher::new([0.0, 1.0, 0.0], 0.0)),
        boxed(Mixture::new(&[0.4, 0.6], pair())),
    ];
    for (number, base) in bases.into_iter().enumerate() {
        let (support, n, parts) = (base.support(), 600, 6);
        let middles: Vec<f64> = (0..n).map(|k| (k as f64 + 0.5) / n as f64).collect();
        let (mut grid, mut weights) = (Vec::new(), Vec::new());
        for u in &middles {
            for v in &middles {
                let (first, second) = (place(&support.of(0), *u), place(&support.of(1), *v));
                grid.extend([first.0, second.0]);
                weights.push(first.1 * second.1 / (n * n) as f64);
            }
        }
        let density = log_prob(&*base, &grid);
        // By quadrature and by samples, the mass of 36 rectangles.
        let mut expected = vec![0.0; parts * parts];
        for (k, (value, weight)) in density.iter().zip(weights).enumerate() {
            if base.supports(&grid[2 * k..2 * k + 2]) {
                expected[k / n / (n / parts) * parts + k % n / (n / parts)] += value.exp() * weight;
            }
        }
        let mass: f64 = expected.iter().sum();
        assert!((mass - 1.0).abs() < 1e-4, "base {number}: mass {mass}");
        let (count, mut found) = (20_000, vec![0.0; parts * parts]);
        for z in samples(&*base, count, 8).chunks(2) {
            assert!(base.supports(z), "base {number}: {z:?}");
            let part = |i: usize| ((unplace(&support.of(i), z[i]) * parts as f64) as usize).min(parts - 1);
            found[part(0) * parts + part(1)] += 1.0;
        }
        // Pearson's χ², rectangles of few samples taken together; beyond 80 for 35 degrees once in 40 000 times.
        let (mut square, mut few) = (0.0, (0.0, 0.0));
        for (expected, found) in expected.iter().map(|p| p * count as f64).zip(found) {
            if expected < 10.0 {
                few = (few.0 + expected, few.1 + found);
            } else {
                square += (found - expected) * (found - expected) / expected;
            }
        }
        square += (few.1 - few.0) * (few.1 - few.0) / few.0.max(1.0);
        assert!(square < 80.0, "base {number}: χ² = {square}");
    }
}

#[test]
fn every_base_has_the_gradient_of_its_density() {
    let bases: [Box<dyn Base>; 9] = [
        boxed(Laplace::new(2)),
        boxed(Gumbel::new(2)),
        boxed(MultivariateStudentT::new(2, 3.0)),
        boxed(Beta::new([1.5, 0.4], [4.0, 0.8])),
        boxed(Dirichlet::new([2.0, 1.5, 0.6])),
        boxed(VonMises::new([-3.0, 1.0], [0.7, 30.0])),
        boxed(VonMisesFisher::new([1.0, -2.0, 0.5], 3.0)),
        boxed(Mixture::new(&[0.4, 0.6], [boxed(Laplace::new(2)), boxed(StudentT::new(2, 2.5))])),
        boxed(Mixture::new(&[1.0], [boxed(Gumbel::new(2))]).learned()),
    ];
    for base in bases {
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(2));
        let recorded = base.log_prob(z);
        let subgraph = pushforward::tape::Subgraph::new(&tape, &[z.id()], &[recorded.id()]);
        let one = tape.constant(1.0);
        let slope =
            pushforward::sweep::adjoint(&tape, &subgraph, &[(recorded.id(), one)], &[z.id()])[0].unwrap();
        let points = samples(&*base, 20, 9);
        let slopes = pushforward::program::values(&tape, z, &[slope], &points).swap_remove(0);
        for (k, slope) in slopes.into_iter().enumerate() {
            let at = |by: f64| {
                let mut point = points[k / 2 * 2..k / 2 * 2 + 2].to_vec();
                point[k % 2] += by;
                point
            };
            let shifted = |by: f64| log_prob(&*base, &at(by))[0];
            // Of the fourth order, with a step that is small beside the distance to the end of the support.
            let mut step = 1e-4;
            while !base.supports(&at(100.0 * step)) || !base.supports(&at(-100.0 * step)) {
                step *= 0.5;
            }
            let difference = (8.0 * (shifted(step) - shifted(-step)) - shifted(2.0 * step)
                + shifted(-2.0 * step))
                / (12.0 * step);
            let off = (slope - difference).abs() / slope.abs().max(1.0);
            assert!(off < 1e-7, "{} at {}: {slope} and {difference}", base.name(), points[k]);
        }
    }
}

#[test]
fn a_logistic_sample_has_its_variance_and_independent_variables() {
    let drawn = samples(&Logistic::new(2), 40_000, 2);
    let mean = |f: &dyn Fn(&[f64]) -> f64| drawn.chunks(2).map(f).sum::<f64>() / 40_000.0;
    let variance = std::f64::consts::PI.powi(2) / 3.0;
    assert!(mean(&|z| z[0]).abs() < 0.04);
    assert!((mean(&|z| z[1] * z[1]) - variance).abs() < 0.12);
    assert!(mean(&|z| z[0] * z[1]).abs() < 0.07);
}

#[test]
fn students_t_is_drawn_as_its_distribution_function_says() {
    for degrees in [0.7, 1.0, 2.5, 30.0] {
        let exact = StudentsT::new(0.0, 1.0, degrees).unwrap();
        let mut u: Vec<f64> =
            samples(&StudentT::new(1, degrees), 20_000, 3).iter().map(|z| exact.cdf(*z)).collect();
        u.sort_by(f64::total_cmp);
        let gap = u.iter().enumerate().map(|(k, u)| (u - k as f64 / 20_000.0).abs()).fold(0.0, f64::max);
        assert!(gap < 1.95 / 20_000f64.sqrt(), "{degrees} degrees: {gap}");
    }
}

#[test]
fn a_mixture_has_its_mean_and_covariance() {
    let (weights, means) = ([0.3, 0.7], [vec![1.0, 0.0], vec![-1.0, 2.0]]);
    let covariances = [vec![1.0, 0.6, 0.6, 2.0], vec![0.5, -0.2, -0.2, 0.3]];
    let drawn = samples(&GaussianMixture::new(&weights, &means, &covariances), 100_000, 4);
    let mean = |f: &dyn Fn(&[f64]) -> f64| drawn.chunks(2).map(f).sum::<f64>() / 100_000.0;
    // E z = Σ w m, E zzᵀ = Σ w (C + m mᵀ).
    for i in 0..2 {
        let expected: f64 = (0..2).map(|k| weights[k] * means[k][i]).sum();
        assert!((mean(&|z| z[i]) - expected).abs() < 0.02);
        for j in 0..2 {
            let expected: f64 =
                (0..2).map(|k| weights[k] * (covariances[k][2 * i + j] + means[k][i] * means[k][j])).sum();
            assert!((mean(&|z| z[i] * z[j]) - expected).abs() < 0.05, "{i}, {j}");
        }
    }
}

#[test]
fn a_learned_mixture_is_fitted_and_sampled_as_it_was_learned() {
    let drawn = samples(&bimodal(), 4000, 5);
    let table = Table::new(&["z"], drawn).unwrap();
    let start = GaussianMixture::new(&[1.0, 1.0], &[vec![-1.0], vec![0.5]], &[vec![1.0], vec![1.0]]);
    let layer: Box<dyn Bijection> = Box::new(Affine::identity(1));
    let flow = Flow::new(start.learned(), [layer]).unwrap();
    let settings = FitOptions { seed: 1, epochs: 80, learning_rate: 2e-2, ..FitOptions::default() };
    let fitted = flow.fit(&table, settings).unwrap();
    let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
    let exact = mean(identity(bimodal()).log_prob(table.values()).unwrap());
    let found = mean(fitted.log_prob(table.values()).unwrap());
    assert!((found - exact).abs() < 0.01, "{found} against {exact}");
    let left = |z: &[f64]| z.iter().filter(|z| **z < -1.0).count() as f64 / z.len() as f64;
    let (sampled, expected) =
        (left(&fitted.sample(20_000, 6).unwrap()), left(&samples(&bimodal(), 20_000, 7)));
    assert!((sampled - expected).abs() < 0.02, "{sampled} against {expected}");
}

#[test]
#[should_panic(expected = "the covariance of component 0 is not positive definite")]
fn a_covariance_that_is_none_is_refused() {
    GaussianMixture::new(&[1.0], &[vec![0.0, 0.0]], &[vec![1.0, 2.0, 2.0, 1.0]]);
}

#[test]
#[should_panic(expected = "degrees of freedom above 0, not 0")]
fn students_t_without_degrees_of_freedom_is_refused() {
    StudentT::new(1, 0.0);
}

/// ln p of two components with equal weights and these variances in each of d variables, and its slope, at (z, …, z);
/// in one number type.
fn of_two<F: pushforward::program::Precision>(variances: [f64; 2], d: usize, z: f64) -> (f64, f64) {
    use pushforward::program::{Output, Program};
    let diagonal = |variance: f64| {
        (0..d * d).map(|e| if e % (d + 1) == 0 { variance } else { 0.0 }).collect::<Vec<f64>>()
    };
    let mixture = GaussianMixture::new(&[0.5, 0.5], &[vec![0.0; d], vec![0.0; d]], &variances.map(diagonal));
    let tape = Tape::new();
    let input = tape.input(Shape::Vector(d));
    let log_prob = mixture.log_prob(input);
    let subgraph = pushforward::tape::Subgraph::new(&tape, &[input.id()], &[log_prob.id()]);
    let one = tape.constant(1.0);
    let slope =
        pushforward::sweep::adjoint(&tape, &subgraph, &[(log_prob.id(), one)], &[input.id()])[0].unwrap();
    let outputs = [Output::Each(log_prob.id()), Output::Each(slope.at(0).id())];
    let mut program = Program::<F>::compile(&tape, &[input.id()], &outputs);
    program.load(&Parameters::default()).unwrap();
    let found = program.run(&[&vec![F::of(z); d]], 1).unwrap();
    (found[0][0].to_double(), found[1][0].to_double())
}

#[test]
fn the_order_of_the_components_of_a_mixture_does_not_matter() {
    // With mpmath 1.3 at 50 digits: ln p and ∂ ln p/∂z₁. The first three are those of the faults' use/04.
    let right = [
        ([1e-6, 1e6], 1, 3000.0, -13.019_840_992_746_754, -0.003),
        ([1.0, 1e16], 1, 1e8, -20.532_766_457_716_984, -1e-8),
        ([9e-6, 1.0], 8, 3.0, -44.044_655_446_197_327, -3.0),
    ];
    for (variances, d, z, log_prob, slope) in right {
        for variances in [variances, [variances[1], variances[0]]] {
            let close = |found: f64, right: f64, units: f64, what: &str| {
                let off = (found / right - 1.0).abs();
                assert!(off <= units, "{what}, {variances:?} at {z}: {found} for {right}");
            };
            let (found, moves) = of_two::<f64>(variances, d, z);
            close(found, log_prob, 1e-14, "f64");
            close(moves, slope, 1e-14, "slope in f64");
            let (found, moves) = of_two::<f32>(variances, d, z);
            close(found, log_prob, 1e-6, "f32");
            close(moves, slope, 1e-6, "slope in f32");
        }
    }
}

#[test]
fn a_mixture_has_its_limits_where_no_component_is_near() {
    for z in [f64::INFINITY, -1e200] {
        assert_eq!(of_two::<f64>([1.0, 4.0], 1, z).0, f64::NEG_INFINITY);
    }
    assert_eq!(of_two::<f32>([1.0, 4.0], 2, 1e30).0, f64::NEG_INFINITY);
    // Equal components share the slope: what is learned of both must not go to one.
    let (log_prob, slope) = of_two::<f64>([1.0, 1.0], 1, 2.0);
    assert!((log_prob + 2.0 + 0.5 * std::f64::consts::TAU.ln()).abs() < 2e-15 && (slope + 2.0).abs() < 2e-15);
    assert!(of_two::<f64>([1.0, 4.0], 1, f64::NAN).0.is_nan());
}

#[test]
fn a_beta_variable_is_drawn_as_its_distribution_function_says() {
    for (a, b) in [(0.05, 0.2), (0.5, 0.5), (1.0, 7.0), (300.0, 40.0)] {
        let exact = statrs::distribution::Beta::new(a, b).unwrap();
        let drawn = samples(&Beta::new([a], [b]), 20_000, 10);
        assert!(drawn.iter().all(|z| *z > 0.0 && *z < 1.0));
        let mut u: Vec<f64> = drawn.iter().map(|z| exact.cdf(*z)).collect();
        u.sort_by(f64::total_cmp);
        // Draws that round to 1 share a place.
        let gap = u.iter().enumerate().filter(|(_, u)| **u < 0.99);
        let gap = gap.map(|(k, u)| (u - k as f64 / 20_000.0).abs()).fold(0.0, f64::max);
        assert!(gap < 1.95 / 20_000f64.sqrt(), "Beta({a}, {b}): {gap}");
    }
    for (shape, d) in [(1e-5, 3), (1e-3, 50), (1e9, 4)] {
        let base = Dirichlet::new(vec![shape; d]);
        assert!(samples(&base, 2000, 11).chunks(d - 1).all(|z| base.supports(z)), "{shape}");
    }
}

#[test]
fn bases_have_their_limits_and_special_cases() {
    let same = |found: Vec<f64>, expected: f64, units: f64| {
        let off = (found[0] - expected).abs() / expected.abs().max(1.0);
        assert!(off < units, "{} for {expected}", found[0]);
    };
    let normal = |z: &[f64]| log_prob(&StandardNormal::new(z.len()), z)[0];
    for z in [vec![0.3], vec![1.0, -2.0], vec![0.5, 4.0, -1.0]] {
        same(log_prob(&MultivariateStudentT::new(z.len(), 1e300), &z), normal(&z), 1e-13);
        same(log_prob(&MultivariateStudentT::new(z.len(), 1e9), &z), normal(&z), 1e-7);
    }
    for degrees in [0.3, 1.0, 7.5, 1e6] {
        let expected = log_prob(&StudentT::new(1, degrees), &[1.7])[0];
        same(log_prob(&MultivariateStudentT::new(1, degrees), &[1.7]), expected, 1e-15);
    }
    same(log_prob(&Beta::new([1.0, 1.0], [1.0, 1.0]), &[0.2, 0.9]), 0.0, 1e-15);
    same(log_prob(&Dirichlet::new([1.0; 4]), &[0.2, 0.1, 0.4]), 6f64.ln(), 1e-15);
    let two = log_prob(&Beta::new([0.7], [5.0]), &[0.3])[0];
    same(log_prob(&Dirichlet::new([0.7, 5.0]), &[0.3]), two, 1e-15);
    // With mpmath 1.3 at 50 digits.
    let angles = [
        (1.0, 1e6, 1.0, 5.988816620777402),
        (1.0, 1e6, 1.001, 5.488816662444178),
        (1.0, 1e6, -2.0, -1989986.5077838246),
        (0.5, 1e6, 0.5000001, 5.988816615777401),
    ];
    for (mean, kappa, z, expected) in angles {
        same(log_prob(&VonMises::new([mean], [kappa]), &[z]), expected, 1e-12);
    }
    let directions = [
        ([1.0, 2.0, 2.0], 1e5, [0.6667, 1.107], 9.674334058518431),
        ([1.0, 2.0, 2.0], 1e5, [-0.9, -3.0], -178475.43480371506),
        ([0.0, 0.0, 1.0], 1e5, [0.999995, 0.3], 9.175048398557607),
        ([3.0, -1.0, 0.5], 1e-12, [0.2, 1.0], -2.531024246969021),
        ([3.0, -1.0, 0.5], 0.01, [0.2, 1.0], -2.528343205096261),
        ([3.0, -1.0, 0.5], 40.0, [0.2, -0.4], 1.692876129994658),
    ];
    for (mean, kappa, z, expected) in directions {
        same(log_prob(&VonMisesFisher::new(mean, kappa), &z), expected, 1e-12);
    }
    let circle = std::f64::consts::TAU;
    same(log_prob(&VonMises::new([1.0], [0.0]), &[-2.0]), -circle.ln(), 1e-15);
    same(log_prob(&VonMisesFisher::new([0.0, 1.0, 1.0], 0.0), &[0.3, 2.0]), -(2.0 * circle).ln(), 1e-15);
    same(log_prob(&VonMisesFisher::new([0.0, 1.0, 1.0], 1e-300), &[0.3, 2.0]), -(2.0 * circle).ln(), 1e-15);
}

#[test]
fn concentrated_directions_are_drawn_near_their_mean() {
    for kappa in [1e6, 1e12] {
        let drawn = samples(&VonMises::new([0.5], [kappa]), 20_000, 12);
        let square = drawn.iter().map(|z| kappa * (z - 0.5) * (z - 0.5)).sum::<f64>() / 20_000.0;
        assert!((square - 1.0).abs() < 0.05, "{kappa}: {square}");
    }
    // 2κ(1 - μ·x) is χ² of 2 degrees for large κ.
    for mean in [[0.0, 0.0, 1.0], [3.0, -1.0, 0.2]] {
        let base = VonMisesFisher::new(mean, 1e5);
        let distance = |z: &[f64]| {
            let x = VonMisesFisher::point([z[0], z[1]]);
            x.iter().zip(base.mean()).map(|(x, mean)| 1e5 * (x - mean) * (x - mean)).sum::<f64>()
        };
        let square = samples(&base, 20_000, 13).chunks(2).map(distance).sum::<f64>() / 20_000.0;
        assert!((square - 2.0).abs() < 0.06, "{mean:?}: {square}");
    }
}

#[test]
fn a_multivariate_t_is_completed_as_its_conditional_distribution_says() {
    // Given z₁, z₂·√((ν + 1)/(ν + z₁²)) is Student's t of ν + 1 degrees.
    let (degrees, known) = (2.5, 3.0);
    let base = MultivariateStudentT::new(2, degrees).conditioned(&[true, false]).unwrap();
    let marginal = log_prob(&StudentT::new(1, degrees), &[known])[0];
    assert!((base.log_marginal(&[known, f64::NAN]) - marginal).abs() < 1e-14);
    let exact = StudentsT::new(0.0, 1.0, degrees + 1.0).unwrap();
    let scale = ((degrees + 1.0) / (degrees + known * known)).sqrt();
    let mut random = ChaCha8Rng::seed_from_u64(14);
    let mut u: Vec<f64> = (0..20_000)
        .map(|_| {
            let mut z = [known, 0.0];
            base.complete(&mut random, &mut z);
            exact.cdf(z[1] * scale)
        })
        .collect();
    u.sort_by(f64::total_cmp);
    let gap = u.iter().enumerate().map(|(k, u)| (u - k as f64 / 20_000.0).abs()).fold(0.0, f64::max);
    assert!(gap < 1.95 / 20_000f64.sqrt(), "{gap}");
}

/// Two normals in two variables, as one mixture of them and as a mixture of bases.
fn twice() -> (GaussianMixture, Mixture) {
    let (weights, means) = ([0.3, 0.7], [vec![1.0, 0.0], vec![-1.0, 2.0]]);
    let covariances = [vec![1.0, 0.6, 0.6, 2.0], vec![0.5, -0.2, -0.2, 0.3]];
    let one = |k: usize| boxed(GaussianMixture::new(&[1.0], &means[k..=k], &covariances[k..=k]));
    (GaussianMixture::new(&weights, &means, &covariances), Mixture::new(&weights, [one(0), one(1)]))
}

#[test]
fn a_mixture_of_normal_bases_is_a_gaussian_mixture() {
    let (gaussian, mixture) = twice();
    for z in [[0.0, 0.0], [1.0, -3.0], [-40.0, 55.0]] {
        let (expected, found) = (log_prob(&gaussian, &z)[0], log_prob(&mixture, &z)[0]);
        assert!((found / expected - 1.0).abs() < 1e-14, "{z:?}: {found} for {expected}");
        let [expected, found] = [&gaussian as &dyn Base, &mixture]
            .map(|base| base.conditioned(&[false, true]).unwrap().log_marginal(&z));
        assert!((found / expected - 1.0).abs() < 1e-14, "{z:?}: {found} for {expected}");
    }
    let mean = |base: &dyn Base| {
        let (conditioned, mut random) =
            (base.conditioned(&[false, true]).unwrap(), ChaCha8Rng::seed_from_u64(15));
        let mut draw = || {
            let mut z = [0.0, 0.7];
            conditioned.complete(&mut random, &mut z);
            z[0]
        };
        (0..20_000).map(|_| draw()).sum::<f64>() / 20_000.0
    };
    let (expected, found) = (mean(&gaussian), mean(&mixture));
    assert!((found - expected).abs() < 0.03, "{found} for {expected}");
}

#[test]
fn a_learned_mixture_of_bases_learns_its_components_too() {
    let table = Table::new(&["z"], samples(&bimodal(), 4000, 5)).unwrap();
    let one = |mean: f64| boxed(GaussianMixture::new(&[1.0], &[vec![mean]], &[vec![1.0]]).learned());
    let start = Mixture::new(&[1.0, 1.0], [one(-1.0), one(0.5)]).learned();
    let layer: Box<dyn Bijection> = Box::new(Affine::fixed([1.0], [0.0]));
    let flow = Flow::new(start, [layer]).unwrap();
    let settings = FitOptions { seed: 1, epochs: 80, learning_rate: 2e-2, ..FitOptions::default() };
    let fitted = flow.fit(&table, settings).unwrap();
    let names: Vec<&str> = fitted.parameters().iter().map(|(name, _)| name).collect();
    assert!(names.contains(&"base.log_weights") && names.contains(&"base.components.1.means"), "{names:?}");
    let mean = |values: Vec<f64>| values.iter().sum::<f64>() / values.len() as f64;
    let exact = mean(identity(bimodal()).log_prob(table.values()).unwrap());
    let found = mean(fitted.log_prob(table.values()).unwrap());
    assert!((found - exact).abs() < 0.01, "{found} against {exact}");
    let left = |z: &[f64]| z.iter().filter(|z| **z < -1.0).count() as f64 / z.len() as f64;
    let (sampled, expected) =
        (left(&fitted.sample(20_000, 6).unwrap()), left(&samples(&bimodal(), 20_000, 7)));
    assert!((sampled - expected).abs() < 0.02, "{sampled} against {expected}");
}

#[test]
fn a_point_of_the_sphere_is_its_height_and_angle() {
    for x in [[0.6, -0.8, 0.0], [-0.48, 0.64, -0.6], [-1.0, 0.0, 0.0], [0.0, 0.0, 1.0]] {
        let coordinates = VonMisesFisher::coordinates(x);
        let back = VonMisesFisher::point(coordinates);
        assert!(back.iter().zip(x).all(|(back, x)| (back - x).abs() < 1e-15), "{x:?}: {back:?}");
        assert!(Domain::Circle.contains_at(0, coordinates[1]), "{coordinates:?}");
    }
}

#[test]
fn settings_that_are_no_distribution_are_refused() {
    let refused = |build: fn() -> Box<dyn Base>, message: &str| {
        let panic = std::panic::catch_unwind(build).err().expect(message);
        let found = panic.downcast_ref::<String>().unwrap();
        assert!(found.contains(message), "{found}");
    };
    refused(|| boxed(MultivariateStudentT::new(2, -1.0)), "degrees of freedom above 0, not -1");
    refused(|| boxed(Beta::new([1.0], [1.0, 2.0])), "an a and a b; there are 1 and 2");
    refused(|| boxed(Beta::new([0.0], [1.0])), "a and b above 0, not [0.0] and [1.0]");
    refused(|| boxed(Dirichlet::new([1.0])), "two concentrations or more, all above 0, not [1.0]");
    refused(|| boxed(Dirichlet::new([1.0, f64::NAN])), "all above 0, not [1.0, NaN]");
    refused(|| boxed(VonMises::new([0.0], [-1.0])), "a finite concentration of 0 or more, not -1");
    refused(|| boxed(VonMises::new([f64::NAN], [1.0])), "a finite number, not NaN");
    refused(|| boxed(VonMises::new([0.0, 1.0], [1.0])), "there are 2 and 1");
    refused(
        || boxed(VonMisesFisher::new([0.0; 3], 1.0)),
        "finite and not 0, but this one is [0.0, 0.0, 0.0]",
    );
    refused(|| boxed(VonMisesFisher::new([1.0; 3], f64::INFINITY)), "0 or more, not inf");
    refused(|| boxed(Mixture::new(&[], [])), "one at least; there are 0 and 0");
    refused(|| boxed(Mixture::new(&[1.0, 0.0], [])), "weights must be positive");
    refused(
        || boxed(Mixture::new(&[1.0, 1.0], [boxed(Logistic::new(2)), boxed(Uniform::new(2))])),
        "component 1 (Uniform) (0, 1)² is not component 0 (Logistic) ℝ²",
    );
    refused(
        || boxed(Mixture::new(&[1.0, 1.0], [boxed(Logistic::new(2)), boxed(Laplace::new(1))])),
        "component 1 (Laplace) ℝ is not component 0 (Logistic) ℝ²",
    );
}

/// A draw of a base by its formula, for each row of normal numbers and each uniform one.
fn drawn(base: &dyn Base, normals: &[f64], uniforms: &[f64]) -> Vec<f64> {
    let tape = Tape::new();
    let (normal, uniform) = (tape.input(Shape::Vector(base.dim())), tape.input(Shape::Scalar));
    let z = base.draw(normal, uniform).expect("a formula");
    let mut program = Program::<f64>::compile(&tape, &[normal.id(), uniform.id()], &[Output::Each(z.id())]);
    program.load(&Parameters::default()).unwrap();
    program.run(&[normals, uniforms], uniforms.len()).unwrap().swap_remove(0)
}

#[test]
fn a_draw_of_one_gaussian_has_the_density_of_its_normal_numbers() {
    let covariance = vec![2.0, 0.7, -0.3, 0.7, 1.5, 0.2, -0.3, 0.2, 0.4];
    let mean = vec![1.0, -2.0, 0.5];
    let base = GaussianMixture::new(&[2.0], std::slice::from_ref(&mean), &[covariance]);
    let normals = [0.3, -1.2, 2.0, 0.0, 0.0, 0.0, -5.0, 4.0, 1.0];
    let z = drawn(&base, &normals, &[0.1, 0.5, 0.9]);
    assert_eq!(z[3..6], mean);
    let tape = Tape::new();
    let at = tape.input(Shape::Vector(3));
    let mut program = Program::<f64>::compile(&tape, &[at.id()], &[Output::Each(base.log_prob(at).id())]);
    program.load(&Parameters::default()).unwrap();
    let log_prob = program.run(&[&z], 3).unwrap().swap_remove(0);
    for (normal, log_prob_of) in normals.chunks(3).zip(&log_prob) {
        let square: f64 = normal.iter().map(|n| n * n).sum();
        // The second row is the mean.
        assert!((log_prob_of - (log_prob[1] - 0.5 * square)).abs() < 1e-12);
    }
}

#[test]
fn draws_of_a_mixture_by_its_formula_are_distributed_as_its_samples() {
    let covariances = [vec![1.0, 0.3, 0.3, 0.5], vec![0.2, 0.0, 0.0, 2.0], vec![0.1, 0.05, 0.05, 0.1]];
    let means = [vec![0.0, 1.0], vec![-2.0, 0.5], vec![4.0, -3.0]];
    let base = GaussianMixture::new(&[0.3, 0.6, 0.1], &means, &covariances);
    let count = 20_000;
    let mut random = ChaCha8Rng::seed_from_u64(11);
    let mut sampled = vec![0.0; 2 * count];
    sampled.chunks_mut(2).for_each(|z| base.sample(&mut random, z));
    let mut normals = vec![0.0; 2 * count];
    normals.chunks_mut(2).for_each(|z| StandardNormal::new(2).sample(&mut random, z));
    let uniforms: Vec<f64> = (0..count).map(|_| random.random()).collect();
    let drawn = drawn(&base, &normals, &uniforms);
    // Kolmogorov and Smirnov, of each variable and of their sum; 2.23 is the quantile of 1 - 1e-4 of their statistic.
    let views: [fn(&[f64]) -> f64; 3] = [|z| z[0], |z| z[1], |z| z[0] + z[1]];
    for view in views {
        let sorted = |rows: &[f64]| {
            let mut values: Vec<f64> = rows.chunks(2).map(view).collect();
            values.sort_by(f64::total_cmp);
            values
        };
        let (a, b) = (sorted(&sampled), sorted(&drawn));
        let share = |of: &[f64], at: f64| of.partition_point(|value| *value <= at) as f64 / count as f64;
        let far = a.iter().map(|at| (share(&a, *at) - share(&b, *at)).abs()).fold(0.0, f64::max);
        assert!(far < 2.23 * (2.0 / count as f64).sqrt(), "{far}");
    }
}
