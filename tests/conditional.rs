//! Conditional flows: p(x | c) with a context for each row.

use pushforward::audit::Topic;
use pushforward::flow::{FlowError, Trainer};
use pushforward::prelude::*;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

type Layers = Vec<Box<dyn Bijection>>;

/// x = 2c + e^(c/2)·ε, with c standard normal: p(x | c) is known.
fn pairs(rows: usize, seed: u64) -> (Table, Table) {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let (mut data, mut contexts) = (Vec::new(), Vec::new());
    for _ in 0..rows {
        let mut noise = [0.0; 2];
        StandardNormal::new(2).sample(&mut random, &mut noise);
        contexts.push(noise[0]);
        data.push(2.0 * noise[0] + (0.5 * noise[0]).exp() * noise[1]);
    }
    (Table::new(&["x"], data).unwrap(), Table::new(&["c"], contexts).unwrap())
}

fn exact(x: f64, c: f64) -> f64 {
    -0.5 * ((x - 2.0 * c) * (-0.5 * c).exp()).powi(2) - 0.5 * c - 0.5 * std::f64::consts::TAU.ln()
}

fn one_variable() -> Layers {
    vec![Box::new(Autoregressive::maf(MaskedNetwork::new(1, [16]).with_context(1)))]
}

/// A coupling layer and a masked one, of two variables and three numbers of context.
fn two_variables() -> Layers {
    vec![
        Box::new(AffineCoupling::new(CouplingMask::first_half(2), Network::new([6]).with_context(3))),
        Box::new(Autoregressive::iaf(MaskedNetwork::new(2, [6]).with_context(3))),
        Box::new(SplineCoupling::new(
            CouplingMask::second_half(2),
            Network::new([]).with_context(3),
            SplineTransformer::new(4, 3.0),
        )),
    ]
}

/// A flow of two variables away from the identity that it starts as.
fn moved() -> FittedFlow {
    let flow = Flow::new(StandardNormal::new(2), two_variables()).unwrap();
    let mut parameters = flow.initial(1);
    for (k, (_, tensor)) in parameters.iter_mut().enumerate() {
        let values = tensor.values.iter_mut().enumerate();
        values.for_each(|(e, value)| *value += 0.3 * ((7 * k + 3 * e) as f64).sin());
    }
    flow.with(parameters).unwrap()
}

#[test]
fn a_conditional_fit_recovers_a_known_density() {
    let (data, contexts) = pairs(4000, 1);
    let flow = Flow::new(StandardNormal::new(1), one_variable()).unwrap();
    assert_eq!(flow.context(), 1);
    let settings = FitOptions { seed: 2, epochs: 40, learning_rate: 1e-2, ..FitOptions::default() };
    let fitted = flow.fit(&data, FitOptions { contexts: Some(&contexts), ..settings }).unwrap();
    let (data, contexts) = pairs(2000, 3);
    let found = fitted.log_prob_given(data.values(), contexts.values()).unwrap();
    let gap =
        (0..2000).map(|k| exact(data.values()[k], contexts.values()[k]) - found[k]).sum::<f64>() / 2000.0;
    assert!(gap.abs() < 0.02, "a mean gap of {gap} nats");
    // One context for all rows is that context in every row.
    let one = fitted.log_prob_given(&[0.1, 0.2], &[0.7]).unwrap();
    assert_eq!(one, fitted.log_prob_given(&[0.1, 0.2], &[0.7, 0.7]).unwrap());
    // Samples follow their context.
    let at = |fitted: &FittedFlow, c: f64| {
        let x = fitted.sample_given(20_000, &[c], 4).unwrap();
        x.iter().sum::<f64>() / 20_000.0
    };
    for c in [1.0, -1.0] {
        let found = at(&fitted, c);
        assert!((found - 2.0 * c).abs() < 0.2 * (0.5 * c).exp(), "mean {found} given {c}");
    }
}

#[test]
fn every_context_gives_a_density_of_mass_one_and_its_samples() {
    let fitted = moved();
    let (steps, reach) = (300, 12.0);
    let at = |k: usize| reach * (2.0 * (k as f64 + 0.5) / steps as f64 - 1.0);
    let grid: Vec<f64> = (0..steps * steps).flat_map(|k| [at(k / steps), at(k % steps)]).collect();
    let area = (2.0 * reach / steps as f64).powi(2);
    let mut means = Vec::new();
    for context in [[0.0, 0.0, 0.0], [1.0, -0.5, 0.3]] {
        let p: Vec<f64> =
            fitted.log_prob_given(&grid, &context).unwrap().iter().map(|log_p| log_p.exp() * area).collect();
        let mass: f64 = p.iter().sum();
        assert!((mass - 1.0).abs() < 2e-3, "mass {mass}");
        let x = fitted.sample_given(20_000, &context, 5).unwrap();
        for i in 0..2 {
            let sampled = x.iter().skip(i).step_by(2).sum::<f64>() / 20_000.0;
            let expected: f64 = p.iter().zip(grid.chunks(2)).map(|(p, x)| p * x[i]).sum();
            assert!((sampled - expected).abs() < 0.05, "variable {i}: {sampled} against {expected}");
            means.push(expected);
        }
    }
    assert!((means[0] - means[2]).abs() + (means[1] - means[3]).abs() > 0.05, "the context does nothing");
}

#[test]
fn rows_with_their_own_contexts_are_scored_and_sampled_each_by_its_own() {
    let fitted = moved();
    let contexts: Vec<f64> = (0..30).map(|k| (f64::from(k) * 0.7).sin()).collect();
    let x = fitted.sample_given(10, &contexts, 3).unwrap();
    let all = fitted.log_prob_given(&x, &contexts).unwrap();
    for row in 0..10 {
        let alone =
            fitted.log_prob_given(&x[2 * row..2 * row + 2], &contexts[3 * row..3 * row + 3]).unwrap()[0];
        assert!((all[row] - alone).abs() < 1e-12, "row {row}");
    }
}

#[test]
fn what_is_proven_of_a_layer_holds_for_every_context() {
    for layer in two_variables() {
        let report = audit(&layer).unwrap();
        assert!(report.has_no_refutation(), "{report}");
        assert_eq!(report.claim(Topic::Structure).unwrap().evidence.label(), "proven");
    }
}

#[test]
fn the_first_variable_of_a_masked_network_sees_the_context_through_units_of_degree_zero() {
    let flow = Flow::new(StandardNormal::new(1), one_variable()).unwrap();
    let mut parameters = flow.initial(0);
    parameters.iter_mut().for_each(|(_, tensor)| tensor.values.fill(0.5));
    let fitted = flow.with(parameters).unwrap();
    let found = fitted.log_prob_given(&[0.3, 0.3], &[1.0, 2.0]).unwrap();
    assert_ne!(found[0], found[1]);
}

#[test]
fn a_context_that_does_not_fit_is_refused_in_plain_words() {
    let fitted = moved();
    let message = |result: Result<Vec<f64>, FlowError>| result.unwrap_err().to_string();
    assert!(
        message(fitted.log_prob(&[0.0, 0.0])).contains("take a context of 3 numbers for each row"),
        "without a context"
    );
    assert!(message(fitted.sample(5, 0)).contains("sample_given"));
    let three = [0.0; 9];
    assert_eq!(
        message(fitted.log_prob_given(&[0.0, 0.0, 1.0, 1.0], &three)),
        "3 contexts do not fit 2 rows; give one for each row, or a single one for all"
    );
    assert!(message(fitted.log_prob_given(&[0.0, 0.0], &[0.0, 1.0])).contains("rows of 3"));
    assert!(message(fitted.log_prob_given(&[0.0, 0.0], &[0.0, 1.0, f64::NAN])).contains("column 2 is NaN"));
    let plain: Layers = vec![Box::new(Affine::identity(2))];
    let flow = Flow::new(StandardNormal::new(2), plain).unwrap();
    let start = flow.initial(0);
    let plain = flow.with(start).unwrap();
    assert!(
        message(plain.log_prob_given(&[0.0, 0.0], &[1.0])).contains("no layer of this flow uses a context")
    );

    let table = |columns: &[&str], rows: usize| Table::new(columns, vec![0.5; columns.len() * rows]).unwrap();
    let flow = || Flow::new(StandardNormal::new(1), one_variable()).unwrap();
    let refused = |result: Result<FittedFlow, FlowError>| result.err().unwrap();
    let given = |rows: &Table, contexts: &Table| {
        flow().fit(rows, FitOptions { contexts: Some(contexts), ..FitOptions::default() })
    };
    assert_eq!(
        refused(flow().fit(&table(&["x"], 20), FitOptions::default())),
        FlowError::Context { expected: 1, given: 0 }
    );
    let wide = refused(given(&table(&["x"], 20), &table(&["a", "b"], 20)));
    assert!(wide.to_string().contains("a context of 1 numbers, but the table has 2 columns"), "{wide}");
    assert_eq!(
        refused(given(&table(&["x"], 20), &table(&["c"], 19))),
        FlowError::ContextRows { rows: 20, contexts: 19 }
    );
    let start = flow().initial(0);
    let mut trainer = Trainer::<f64>::new(&flow(), start, 0.1).unwrap();
    assert_eq!(trainer.step(&[1.0, 2.0]), Err(FlowError::Context { expected: 1, given: 0 }));
    assert_eq!(trainer.step_given(&[1.0, 2.0], &[1.0]), Err(FlowError::ContextRows { rows: 2, contexts: 1 }));
    assert!(trainer.step_given(&[1.0, 2.0], &[1.0, 0.5]).unwrap().is_finite());
}

#[test]
fn layers_that_disagree_about_the_context_are_refused() {
    let layers: Layers = vec![
        Box::new(AffineCoupling::new(CouplingMask::first_half(2), Network::new([4]).with_context(3))),
        Box::new(AffineCoupling::new(CouplingMask::second_half(2), Network::new([4]).with_context(2))),
    ];
    let error = Flow::new(StandardNormal::new(2), layers).err().unwrap().to_string();
    assert!(error.contains("give them the same width"), "{error}");
}

#[test]
fn the_first_variable_sees_the_context_with_given_degrees_or_that_is_an_error() {
    let given = |hidden: Vec<usize>| {
        let network = MaskedNetwork::with_degrees(vec![1, 2, 3], vec![hidden]).with_context(1);
        Flow::new(StandardNormal::new(3), [Box::new(Autoregressive::maf(network)) as Box<dyn Bijection>])
    };
    let text = given(vec![1, 1, 1, 1, 2, 2, 2, 2]).err().unwrap().to_string();
    assert!(
        text.contains(
            "the first variable cannot depend on the context: hidden layer 0 has no unit of degree 0"
        ),
        "{text}"
    );
    assert!(text.contains("MaskedNetwork::new(3, [8])"), "{text}");
    // With units of degree 0, p(a | k) depends on k: a is 3k and a little.
    let noise = |k: u32, p: f64| (f64::from(k) * p).sin() * 1.7;
    let (mut x, mut c) = (vec![], vec![]);
    for k in 0..2000 {
        let u = noise(k, 0.77);
        c.push(u);
        x.extend([3.0 * u + 0.1 * noise(k, 1.31), noise(k, 2.17), noise(k, 2.91)]);
    }
    let (x, c) = (Table::new(&["a", "b", "c"], x).unwrap(), Table::new(&["k"], c).unwrap());
    let settings = FitOptions { epochs: 100, learning_rate: 1e-2, ..FitOptions::default() };
    let flow = given(vec![0, 0, 1, 1, 1, 2, 2, 2]).unwrap();
    let fitted = flow.fit(&x, FitOptions { contexts: Some(&c), ..settings }).unwrap();
    let history = fitted.history();
    // Blind to the context it stays at -5.9: a has the spread of 3k then, and not that of the noise.
    let found = history.epochs[history.best_epoch].held_out;
    assert!(found > -4.0, "{found}");
}

// ---- A base that depends on the context: an elementwise layer whose parameters are functions of the context.

fn conditional_normal(hidden: impl Into<Vec<usize>>) -> Layers {
    vec![Box::new(ConditionalAffine::new(1, Network::new(hidden).with_context(1)))]
}

#[test]
fn a_conditional_normal_recovers_the_mean_and_the_deviation_of_each_context() {
    let (data, contexts) = pairs(4000, 1);
    let flow = Flow::new(StandardNormal::new(1), conditional_normal([])).unwrap();
    assert_eq!(flow.context(), 1);
    let options = FitOptions {
        seed: 2,
        epochs: 60,
        learning_rate: 5e-2,
        schedule: Schedule::Cosine { last: 0.0 },
        averaging: 0.98,
        patience: 60,
        ..FitOptions::default()
    };
    let fitted = flow.fit(&data, FitOptions { contexts: Some(&contexts), ..options }).unwrap();
    // Both are affine functions of c here: ln σ = c/2, μ = 2c.
    let weights = &fitted.parameters().get("layers.0.net.0.weight").unwrap().values;
    let biases = &fitted.parameters().get("layers.0.net.0.bias").unwrap().values;
    for (found, exact) in weights.iter().chain(biases).zip([0.5, 2.0, 0.0, 0.0]) {
        assert!((found - exact).abs() < 0.05, "{weights:?} {biases:?}");
    }
    for c in [-1.0, 0.0, 1.2] {
        for x in [-2.0, 0.5, 3.0] {
            let found = fitted.log_prob_given(&[x], &[c]).unwrap()[0];
            assert!((found - exact(x, c)).abs() < 0.05 * (1.0 + exact(x, c).abs()), "{x} given {c}: {found}");
        }
        let x = fitted.sample_given(20_000, &[c], 4).unwrap();
        let mean = x.iter().sum::<f64>() / 20_000.0;
        let sd = (x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 20_000.0).sqrt();
        let scale = (0.5 * c).exp();
        assert!(
            (mean - 2.0 * c).abs() < 0.1 * scale && (sd / scale - 1.0).abs() < 0.1,
            "{mean} {sd} given {c}"
        );
    }
}

#[test]
fn a_network_of_the_context_learns_a_mean_that_is_no_line() {
    // x = c² + e^(-c/2)·ε/4.
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let (mut x, mut c) = (Vec::new(), Vec::new());
    for _ in 0..3000 {
        let mut noise = [0.0; 2];
        StandardNormal::new(2).sample(&mut random, &mut noise);
        c.push(noise[0]);
        x.push(noise[0].powi(2) + 0.25 * (-0.5 * noise[0]).exp() * noise[1]);
    }
    let (data, contexts) = (Table::new(&["x"], x).unwrap(), Table::new(&["c"], c).unwrap());
    let flow = Flow::new(StandardNormal::new(1), conditional_normal([16])).unwrap();
    let options =
        FitOptions { seed: 1, epochs: 120, batch: 128, learning_rate: 2e-2, ..FitOptions::default() };
    let fitted = flow.fit(&data, FitOptions { contexts: Some(&contexts), ..options }).unwrap();
    for c in [-1.0, 0.0, 1.0f64] {
        let x = fitted.sample_given(10_000, &[c], 4).unwrap();
        let mean = x.iter().sum::<f64>() / 10_000.0;
        let sd = (x.iter().map(|x| (x - mean).powi(2)).sum::<f64>() / 10_000.0).sqrt();
        let exact = 0.25 * (-0.5 * c).exp();
        assert!(
            (mean - c * c).abs() < 0.3 * exact && (sd / exact - 1.0).abs() < 0.2,
            "{mean} {sd} given {c}"
        );
    }
}

/// A base of two variables that depends on three numbers, by an affine map and a spline, under a coupling layer.
fn conditional_base() -> FittedFlow {
    let network = || Network::new([6]).with_context(3);
    let layers: Layers = vec![
        Box::new(Conditional::with(2, network(), SplineTransformer::new(4, 3.0))),
        Box::new(ConditionalAffine::new(2, network()).with_log_scale(ScaleMap::Bounded)),
        Box::new(AffineCoupling::new(CouplingMask::first_half(2), Network::new([6]).with_context(3))),
    ];
    let flow = Flow::new(Laplace::new(2), layers).unwrap();
    let mut parameters = flow.initial(1);
    for (k, (_, tensor)) in parameters.iter_mut().enumerate() {
        let values = tensor.values.iter_mut().enumerate();
        values.for_each(|(e, value)| *value += 0.3 * ((7 * k + 3 * e) as f64).sin());
    }
    flow.with(parameters).unwrap()
}

#[test]
fn any_base_can_depend_on_a_context_and_is_kept_in_a_model_file() {
    let fitted = conditional_base();
    let (steps, reach) = (300, 14.0);
    let at = |k: usize| reach * (2.0 * (k as f64 + 0.5) / steps as f64 - 1.0);
    let grid: Vec<f64> = (0..steps * steps).flat_map(|k| [at(k / steps), at(k % steps)]).collect();
    let area = (2.0 * reach / steps as f64).powi(2);
    for context in [[0.0, 0.0, 0.0], [1.0, -0.5, 0.3]] {
        let mass: f64 =
            fitted.log_prob_given(&grid, &context).unwrap().iter().map(|log_p| log_p.exp() * area).sum();
        assert!((mass - 1.0).abs() < 5e-3, "mass {mass}");
    }
    let bytes = fitted.to_bytes().unwrap();
    let loaded = FittedFlow::from_bytes(&bytes, &Registry::catalogue()).unwrap();
    let context = [0.5, -1.0, 2.0];
    let x = fitted.sample_given(20, &context, 1).unwrap();
    assert_eq!(x, loaded.sample_given(20, &context, 1).unwrap());
    assert_eq!(fitted.log_prob_given(&x, &context).unwrap(), loaded.log_prob_given(&x, &context).unwrap());
}

#[test]
fn a_conditional_layer_is_proven_and_derived_for_every_context() {
    let layer = ConditionalAffine::new(2, Network::new([4]).with_context(3));
    let report = audit(&layer).unwrap();
    assert!(report.has_no_refutation());
    for topic in [Topic::Structure, Topic::Injective] {
        assert_eq!(report.claim(topic).unwrap().evidence.label(), "proven", "{report}");
    }
    // ln|det J| is the sum of the log-scales, whatever the network makes of the context.
    let recording = record(&layer).unwrap();
    let tape = recording.tape();
    let by_hand = {
        let c = tape.context(3);
        let of = |name: &str, shape: Shape, init: Init| tape.parameter(name, shape, init);
        let hidden = (of("net.0.weight", Shape::Matrix(4, 3), Init::glorot(3, 4)).matvec(c)
            + of("net.0.bias", Shape::Vector(4), Init::Constant(0.0)))
        .tanh();
        let raw = of("net.1.weight", Shape::Matrix(4, 4), Init::Constant(0.0)).matvec(hidden)
            + of("net.1.bias", Shape::Vector(4), Init::Constant(0.0));
        raw.slice(0..2).sum()
    };
    tape.check().unwrap();
    assert_eq!(recording.log_det().id(), by_hand.id());
    let without = std::panic::catch_unwind(|| ConditionalAffine::new(2, Network::new([4])));
    let message = *without.err().unwrap().downcast::<String>().unwrap();
    assert!(message.contains("Network::new([16]).with_context(n)"), "{message}");
}
