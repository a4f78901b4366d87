//! Flows: densities, samples, fits, and messages for bad input.

use pushforward::flow::{FlowError, Progress, Stop, Trainer};
use pushforward::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;
use statrs::distribution::{Continuous, ContinuousCDF, Normal};

fn boxed(layer: impl Bijection + 'static) -> Box<dyn Bijection> {
    Box::new(layer)
}

fn coupling(d: usize, k: usize, width: usize) -> Box<dyn Bijection> {
    boxed(AffineCoupling::new(CouplingMask::alternating(d, k.is_multiple_of(2)), Network::new([width])))
}

/// A flow with its starting parameters.
fn started(base: impl Base + 'static, layers: Vec<Box<dyn Bijection>>) -> pushforward::flow::FittedFlow {
    let flow = Flow::new(base, layers).unwrap();
    let start = flow.initial(0);
    flow.with(start).unwrap()
}

#[test]
fn an_affine_flow_is_a_normal_distribution() {
    let flow = started(StandardNormal::new(1), vec![boxed(Affine::new([-2.0], [0.5]))]);
    let expected = Normal::new(0.5, 2.0).unwrap();
    let x = [-7.0, -1.0, 0.5, 0.6, 40.0];
    for (x, found) in x.iter().zip(flow.log_prob(&x).unwrap()) {
        assert!((found - expected.ln_pdf(*x)).abs() < 1e-12 * found.abs().max(1.0));
    }
    let samples = flow.sample(4000, 3).unwrap();
    let mut uniform: Vec<f64> = samples.iter().map(|x| expected.cdf(*x)).collect();
    uniform.sort_by(f64::total_cmp);
    let gap = uniform.iter().enumerate().map(|(k, u)| (u - k as f64 / 4000.0).abs()).fold(0.0, f64::max);
    assert!(gap < 1.95 / 4000f64.sqrt(), "{gap}");
}

#[test]
fn a_linear_flow_is_a_multivariate_normal() {
    let (a, b) = ([2.0, 0.5, -1.0, 1.5], [0.3, -0.2]);
    let flow = started(StandardNormal::new(2), vec![boxed(Linear::new(a, b))]);
    let determinant = a[0] * a[3] - a[1] * a[2];
    let x = [1.3, 0.4];
    let centred = [x[0] - b[0], x[1] - b[1]];
    let z = [
        (a[3] * centred[0] - a[1] * centred[1]) / determinant,
        (a[0] * centred[1] - a[2] * centred[0]) / determinant,
    ];
    let expected = -0.5 * (z[0] * z[0] + z[1] * z[1]) - (std::f64::consts::TAU).ln() - determinant.abs().ln();
    assert!((flow.log_prob(&x).unwrap()[0] - expected).abs() < 1e-12);
}

#[test]
fn a_sample_and_its_density_belong_together() {
    let layers = (0..4).map(|k| coupling(3, k, 8)).chain([boxed(Permutation::new([1, 2, 0]))]).collect();
    let flow = started(StandardNormal::new(3), layers);
    // E[1/p over samples in a box] is the box's volume; here: samples have finite, sensible densities.
    let samples = flow.sample(500, 5).unwrap();
    assert_eq!(samples, flow.sample(500, 5).unwrap(), "one seed, one sample");
    assert!(flow.log_prob(&samples).unwrap().iter().all(|value| value.is_finite()));
}

#[test]
fn a_fit_recovers_a_known_density() {
    // x = 3z - 1 in the first variable, 0.5z + 2 + x₁ in the second: a linear layer can say it exactly.
    let mut random = ChaCha8Rng::seed_from_u64(11);
    let mut values = Vec::new();
    for _ in 0..2000 {
        let mut z = [0.0; 2];
        StandardNormal::new(2).sample(&mut random, &mut z);
        let x1 = 3.0 * z[0] - 1.0;
        values.extend([x1, 0.5 * z[1] + 2.0 + x1]);
    }
    let table = Table::new(&["a", "b"], values).unwrap();
    let best = Gaussian::fit(&table).log_prob(&table).iter().sum::<f64>() / 2000.0;
    let flow = Flow::new(StandardNormal::new(2), [boxed(Linear::identity(2))]).unwrap();
    let settings =
        FitOptions { seed: 1, epochs: 200, patience: 200, learning_rate: 3e-2, ..FitOptions::default() };
    let mut seen = Vec::new();
    let progress: Option<&mut dyn FnMut(Progress)> = Some(&mut |told| seen.push(told));
    let fitted = flow.fit(&table, FitOptions { progress, ..settings }).unwrap();
    let found = fitted.log_prob(table.values()).unwrap().iter().sum::<f64>() / 2000.0;
    assert!((found - best).abs() < 0.02, "{found} against {best}");
    assert_eq!(seen[0].epoch, 0);
    assert!(matches!(fitted.history().stop, Stop::Epochs | Stop::Early));
    assert_eq!(fitted.history().epochs.len(), seen.len());
}

/// Two half circles of radius 1 that reach into one another, with noise.
fn half_moons(rows: usize, seed: u64) -> Table {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut values = Vec::new();
    for row in 0..rows {
        let mut noise = [0.0; 3];
        StandardNormal::new(3).sample(&mut random, &mut noise);
        let angle = std::f64::consts::PI * Normal::standard().cdf(noise[2]);
        let (x, y) = (angle.cos(), angle.sin());
        let moon = if row % 2 == 0 { [x, y] } else { [1.0 - x, 0.5 - y] };
        values.extend([moon[0] + 0.1 * noise[0], moon[1] + 0.1 * noise[1]]);
    }
    Table::new(&["a", "b"], values).unwrap()
}

#[test]
fn a_spline_flow_learns_what_a_gaussian_cannot_say() {
    let (train, test) = (half_moons(2000, 1), half_moons(1000, 2));
    let moments = train.moments();
    let mean = |log_p: Vec<f64>| log_p.iter().sum::<f64>() / log_p.len() as f64;
    let gaussian = mean(Gaussian::fit(&train).log_prob(&test));
    let fit = |mut layers: Vec<Box<dyn Bijection>>| {
        layers.push(boxed(Affine::standardising(&moments)));
        let flow = Flow::new(StandardNormal::new(2), layers).unwrap();
        let settings = FitOptions { seed: 3, epochs: 12, learning_rate: 1e-2, ..FitOptions::default() };
        mean(flow.fit(&train, settings).unwrap().log_prob(test.values()).unwrap())
    };
    let mask = |k: usize| CouplingMask::alternating(2, k.is_multiple_of(2));
    let network = || Network::new([16]);
    let spline = |k| boxed(SplineCoupling::new(mask(k), network(), SplineTransformer::new(8, 4.0)));
    let splines = fit((0..4).map(spline).collect());
    let affine = fit((0..4).map(|k| boxed(AffineCoupling::new(mask(k), network()))).collect());
    println!("mean ln p of held-out rows: splines {splines:.3}, affine {affine:.3}, Gaussian {gaussian:.3}");
    assert!(splines > gaussian + 0.5, "{splines} against {gaussian}");
    assert!(splines > affine, "{splines} against {affine}");
    let autoregressive =
        || boxed(Autoregressive::spline(MaskedNetwork::new(2, [16]), SplineTransformer::new(8, 4.0)));
    let maf = fit(vec![autoregressive(), boxed(Permutation::reverse(2)), autoregressive()]);
    assert!(maf > gaussian + 0.5, "{maf} against {gaussian}");
}

#[test]
fn standardising_learns_nothing_and_keeps_the_units_of_the_data() {
    // The second column is constant: it is only shifted.
    let table = Table::new(&["a", "b"], vec![1e3, 5.0, 3e3, 5.0, 8e3, 5.0]).unwrap();
    let (means, deviations) = table.moments();
    let flow = Flow::new(StandardNormal::new(2), [boxed(Affine::standardising(&table.moments()))]).unwrap();
    let start = flow.initial(0);
    assert_eq!(start.count(), 0, "scale and shift are constants");
    let fitted = flow.with(start).unwrap();
    let (a, b) = (Normal::new(means[0], deviations[0]).unwrap(), Normal::new(means[1], 1.0).unwrap());
    for (row, found) in fitted.log_prob(table.values()).unwrap().into_iter().enumerate() {
        let x = table.row(row);
        let expected = a.ln_pdf(x[0]) + b.ln_pdf(x[1]);
        assert!((found - expected).abs() < 1e-12, "row {row}: {found} against {expected}");
    }
    let refused = |scale: f64| std::panic::catch_unwind(|| Affine::fixed([scale], [0.0])).is_err();
    assert!(refused(0.0) && refused(f64::NAN) && !refused(-2.0));
}

#[test]
fn a_fit_is_the_same_for_the_same_seed() {
    let values: Vec<f64> = (0..400).map(|k| (f64::from(k) * 0.37).sin()).collect();
    let table = Table::new(&["a", "b"], values).unwrap();
    let fit = |seed| {
        let flow = Flow::new(StandardNormal::new(2), [coupling(2, 0, 4), coupling(2, 1, 4)]).unwrap();
        flow.fit(&table, FitOptions { seed, epochs: 3, ..FitOptions::default() })
            .unwrap()
            .parameters()
            .clone()
    };
    assert_eq!(fit(1), fit(1));
    assert_ne!(fit(1), fit(2));
}

#[test]
fn a_loss_that_is_not_finite_stops_with_the_best_parameters() {
    let values: Vec<f64> = (0..200).map(|k| (f64::from(k) * 0.37).sin()).collect();
    let table = Table::new(&["a", "b"], values).unwrap();
    let flow = Flow::new(StandardNormal::new(2), [coupling(2, 0, 4)]).unwrap();
    // Adam moves the shifts by about a step size, and the square of that is no double.
    let settings = FitOptions { seed: 3, epochs: 5, learning_rate: 1e200, ..FitOptions::default() };
    let fitted = flow.fit(&table, settings).unwrap();
    let Stop::NonFinite { epoch, row: Some(row), origin } = &fitted.history().stop else {
        panic!("it went on: {:?}", fitted.history().stop)
    };
    assert_eq!((*epoch, fitted.history().best_epoch), (2, 0));
    assert!(*row < 100);
    assert!(origin.as_ref().unwrap().to_string().contains("mul gives inf"), "{origin:?}");
    assert!(
        fitted.parameters().iter().all(|(_, tensor)| tensor.values.iter().all(|value| value.is_finite()))
    );
}

#[test]
fn a_density_is_zero_outside_of_its_support_and_an_error_for_nan() {
    let flow = started(Uniform::new(2), vec![boxed(Affine::new([2.0, 1.0], [0.0, 0.0]))]);
    let found = flow.log_prob(&[1.0, 0.5, 2.5, 0.5, f64::INFINITY, 0.5]).unwrap();
    assert_eq!(found, [-(2f64.ln()), f64::NEG_INFINITY, f64::NEG_INFINITY]);
    assert_eq!(flow.log_prob(&[0.1, 0.2, 0.3, f64::NAN]), Err(FlowError::Nan { row: 1, column: 1 }));
    assert_eq!(flow.log_prob(&[0.1, 0.2, 0.3]), Err(FlowError::Rows { width: 2, given: 3 }));
    assert_eq!(flow.log_prob(&[]), Ok(vec![]));
}

#[test]
fn a_density_that_breaks_down_is_an_error_with_its_origin() {
    // exp(-s) of an affine layer with a tiny scale: (x - b)/a overflows, its square is ∞, ln p is -∞: true.
    let flow = started(StandardNormal::new(1), vec![boxed(Affine::new([1e-200], [0.0]))]);
    assert_eq!(flow.log_prob(&[1e200]).unwrap(), [f64::NEG_INFINITY]);
    // ∞ - ∞ is no density.
    let layers = vec![
        boxed(Affine::new([1e-200, 1.0], [0.0, 0.0])),
        boxed(Linear::new([1.0, 1.0, 1.0, -1.0], [0.0, 0.0])),
    ];
    let flow = started(StandardNormal::new(2), layers);
    let error = flow.log_prob(&[1.0, 0.0, 1e308, -1e308]);
    match error {
        Ok(values) => assert!(values.iter().all(|value| !value.is_nan())),
        Err(error) => assert!(error.to_string().contains("log p is not a number in row"), "{error}"),
    }
}

#[test]
fn what_cannot_be_a_flow_is_refused_with_a_reason() {
    let message = |result: Result<Flow, FlowError>| result.err().unwrap().to_string();
    assert!(message(Flow::new(StandardNormal::new(2), [])).contains("at least one layer"));
    assert!(
        message(Flow::new(StandardNormal::new(3), [boxed(Affine::identity(2))]))
            .contains("base has 3 variables, but the layers map 2")
    );
    struct ForwardOnly;
    impl Bijection for ForwardOnly {
        fn dim(&self) -> usize {
            2
        }
        fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
            z.sin() + 2.0 * z
        }
    }
    assert!(
        message(Flow::new(StandardNormal::new(2), [boxed(ForwardOnly)]))
            .contains("ForwardOnly: no inverse can be derived")
    );
}

#[test]
fn what_cannot_be_fitted_is_refused_with_a_reason() {
    let flow = || Flow::new(StandardNormal::new(2), [boxed(Affine::identity(2))]).unwrap();
    let table = |rows: usize| Table::new(&["a", "b"], vec![0.5; 2 * rows]).unwrap();
    let message = |flow: Flow, table: &Table, settings: FitOptions| {
        flow.fit(table, settings).err().unwrap().to_string()
    };
    assert!(message(flow(), &table(3), FitOptions::default()).contains("3 rows are too few"));
    let settings = FitOptions { learning_rate: -1.0, ..FitOptions::default() };
    assert!(
        message(flow(), &table(30), settings).contains("learning_rate is -1; it must be a positive number")
    );
    let wide = Table::new(&["a"], vec![0.5; 30]).unwrap();
    assert!(message(flow(), &wide, FitOptions::default()).contains("1 columns, but the flow has 2"));
    let mut values = vec![0.5; 40];
    values[7] = f64::NAN;
    let holed = Table::new(&["a", "b"], values).unwrap();
    assert!(message(flow(), &holed, FitOptions::default()).contains("row 3, column 1 is NaN"));
}

#[test]
fn the_gaussian_to_beat_has_its_closed_form() {
    let values: Vec<f64> = (0..300).map(|k| (f64::from(k) * 0.7).sin() + 0.1 * f64::from(k % 7)).collect();
    let table = Table::new(&["a", "b"], values).unwrap();
    let (mean, _) = table.moments();
    let mut covariance = [0.0; 4];
    for row in 0..table.rows() {
        let x = table.row(row);
        for e in 0..4 {
            covariance[e] += (x[e / 2] - mean[e / 2]) * (x[e % 2] - mean[e % 2]) / table.rows() as f64;
        }
    }
    let found = Gaussian::fit(&table).log_prob(&table);
    let det = covariance[0] * covariance[3] - covariance[1] * covariance[2];
    let x = table.row(5);
    let (u, v) = (x[0] - mean[0], x[1] - mean[1]);
    let square = (covariance[3] * u * u - 2.0 * covariance[1] * u * v + covariance[0] * v * v) / det;
    let expected = -0.5 * (square + det.ln()) - std::f64::consts::TAU.ln();
    assert!((found[5] - expected).abs() < 1e-12);
}

#[test]
fn autoregressive_flows_both_ways_have_mass_one_and_sample_what_they_claim() {
    let network = || MaskedNetwork::new(2, [8]);
    let layers: [fn(MaskedNetwork) -> Box<dyn Bijection>; 2] =
        [|net| Box::new(Autoregressive::maf(net)), |net| Box::new(Autoregressive::iaf(net))];
    for layer in layers {
        let make = || {
            let list = [layer(network()), Box::new(Permutation::reverse(2)), layer(network())];
            Flow::new(StandardNormal::new(2), list).unwrap()
        };
        let mut parameters = make().initial(3);
        // Away from the identity that it starts as.
        for (k, (_, tensor)) in parameters.iter_mut().enumerate() {
            tensor
                .values
                .iter_mut()
                .enumerate()
                .for_each(|(e, v)| *v += 0.3 * ((7 * k + 3 * e) as f64).sin());
        }
        let fitted = make().with(parameters).unwrap();
        let (steps, reach) = (400, 12.0);
        let at = |k: usize| reach * (2.0 * (k as f64 + 0.5) / steps as f64 - 1.0);
        let grid: Vec<f64> = (0..steps * steps).flat_map(|k| [at(k / steps), at(k % steps)]).collect();
        let area = (2.0 * reach / steps as f64).powi(2);
        let p: Vec<f64> = fitted.log_prob(&grid).unwrap().iter().map(|log_p| log_p.exp() * area).collect();
        let mass: f64 = p.iter().sum();
        assert!((mass - 1.0).abs() < 1e-3, "mass {mass}");
        // The mean of what is sampled is the mean of the density.
        let count = 20_000;
        let samples = fitted.sample(count, 5).unwrap();
        for i in 0..2 {
            let sampled = samples.iter().skip(i).step_by(2).sum::<f64>() / count as f64;
            let expected: f64 = p.iter().zip(grid.chunks(2)).map(|(p, x)| p * x[i]).sum();
            assert!((sampled - expected).abs() < 0.05, "variable {i}: {sampled} against {expected}");
        }
    }
}

#[test]
fn a_long_autoregressive_flow_scores_and_samples() {
    let d = 70;
    let flow =
        Flow::new(StandardNormal::new(d), [boxed(Autoregressive::maf(MaskedNetwork::new(d, [80])))]).unwrap();
    let start = flow.initial(0);
    let fitted = flow.with(start).unwrap();
    // It starts as the identity.
    let log_p = fitted.log_prob(&vec![0.5; d]).unwrap()[0];
    let expected = d as f64 * (-0.125 - 0.5 * (2.0 * std::f64::consts::PI).ln());
    assert!((log_p - expected).abs() < 1e-9, "{log_p} against {expected}");
    let x = fitted.sample(50, 3).unwrap();
    let gaussian =
        |x: &[f64]| -> f64 { x.iter().map(|x| -0.5 * x * x - 0.5 * std::f64::consts::TAU.ln()).sum() };
    for (score, x) in fitted.log_prob(&x).unwrap().into_iter().zip(x.chunks(d)) {
        assert!((score - gaussian(x)).abs() < 1e-9, "{score} against {}", gaussian(x));
    }
}

/// x = z·e^s where z lies above a threshold that is a parameter, and z below: the threshold has no gradient anywhere.
struct Threshold;

impl Bijection for Threshold {
    fn dim(&self) -> usize {
        1
    }
    fn structure(&self) -> Structure {
        Structure::Diagonal
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let tape = z.tape();
        let at = tape.parameter("threshold", Shape::Vector(1), Init::Constant(0.0));
        let s = tape.parameter("s", Shape::Vector(1), Init::Constant(0.1));
        select(z.gt(at), z * s.exp(), z)
    }
    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        let tape = x.tape();
        let at = tape.parameter("threshold", Shape::Vector(1), Init::Constant(0.0));
        let s = tape.parameter("s", Shape::Vector(1), Init::Constant(0.1));
        Some(select(x.gt(at), x * (-s).exp(), x))
    }
}

#[test]
fn a_parameter_that_only_steers_a_choice_is_left_where_it_is() {
    let flow = Flow::new(StandardNormal::new(1), [boxed(Threshold)]).unwrap();
    let start = flow.initial(0);
    let mut trainer = Trainer::<f64>::new(&flow, start.clone(), 0.1).unwrap();
    trainer.step(&[0.5, 1.5, -1.0, 2.0]).unwrap();
    let name = "layers.0.threshold";
    assert_eq!(trainer.parameters().get(name), start.get(name));
    assert_ne!(trainer.parameters().get("layers.0.s"), start.get("layers.0.s"));
}

#[test]
fn settings_are_refused_before_anything_is_allocated() {
    let table = Table::new(&["x"], (0..100).map(|k| (f64::from(k) * 0.7).sin()).collect()).unwrap();
    let flow = || Flow::new(StandardNormal::new(1), [boxed(Affine::identity(1))]).unwrap();
    // A batch of more rows than there are is all of them.
    let fit = |batch| {
        let settings = FitOptions { batch, epochs: 2, ..FitOptions::default() };
        flow().fit(&table, settings).unwrap().parameters().clone()
    };
    assert_eq!(fit(usize::MAX), fit(90));
    assert_eq!(fit(1 << 40), fit(90));
    let refused = |settings: FitOptions| flow().fit(&table, settings).err().unwrap().to_string();
    for (settings, expected) in [
        (FitOptions { batch: 0, ..FitOptions::default() }, "batch is 0; it must be at least 1"),
        (FitOptions { epochs: 0, ..FitOptions::default() }, "epochs is 0; it must be at least 1"),
        (FitOptions { patience: 0, ..FitOptions::default() }, "patience is 0; it must be at least 1"),
        (
            FitOptions { learning_rate: f64::NAN, ..FitOptions::default() },
            "learning_rate is NaN; it must be a positive number",
        ),
        (FitOptions { learning_rate: f64::INFINITY, ..FitOptions::default() }, "learning_rate is inf"),
        (
            FitOptions { held_out: f64::NAN, ..FitOptions::default() },
            "held_out is NaN; it must be between 0 and 1",
        ),
        (FitOptions { held_out: 1.0, ..FitOptions::default() }, "held_out is 1"),
        (FitOptions { clip: f64::NAN, ..FitOptions::default() }, "clip is NaN; it must be positive"),
    ] {
        let text = refused(settings);
        assert!(text.starts_with(expected), "{text}");
    }
    let start = flow().initial(0);
    let new = |rate| Trainer::<f64>::new(&flow(), start.clone(), rate).err();
    let nan = FlowError::Setting { name: "learning_rate", value: "NaN".into(), allowed: "a positive number" };
    assert_eq!(new(f64::NAN), Some(nan.clone()));
    let mut trainer = Trainer::<f64>::new(&flow(), start.clone(), 0.1).unwrap();
    trainer.set_learning_rate(f64::NAN);
    assert_eq!(trainer.step(&[1.0, 2.0]), Err(nan));
}

#[test]
fn networks_without_units_or_beyond_memory_are_refused() {
    let layer =
        |hidden: &[usize]| boxed(AffineCoupling::new(CouplingMask::first_half(2), Network::new(hidden)));
    let masked = |hidden: &[usize]| boxed(Autoregressive::maf(MaskedNetwork::new(2, hidden)));
    let message = |layer| Flow::new(StandardNormal::new(2), [layer]).err().unwrap().to_string();
    for make in [&layer as &dyn Fn(&[usize]) -> Box<dyn Bijection>, &masked] {
        let text = message(make(&[8, 0]));
        assert!(text.contains("hidden layer 1 has no units"), "{text}");
        for huge in [usize::MAX, 1 << 40, 1 << 32] {
            let text = message(make(&[huge]));
            assert!(text.contains("would have more than 2³¹ weights in a layer"), "{text}");
        }
    }
    let seeing =
        boxed(AffineCoupling::new(CouplingMask::first_half(2), Network::new([4]).with_context(usize::MAX)));
    assert!(Flow::new(StandardNormal::new(2), [seeing]).is_err());
    let nothing = Flow::new(StandardNormal::new(0), [boxed(Affine::identity(0))]).err().unwrap();
    assert!(nothing.to_string().contains("maps 0 variables; give it at least one"), "{nothing}");
    assert!(Flow::new(Uniform::new(0), [boxed(Permutation::reverse(0))]).is_err());
}
