//! Training of any recorded loss: its steps, its noise, partial parameter sets, and errors.

use pushforward::bijection::{InverseWithLogDet, inverse_with_log_det};
use pushforward::flow::{FlowError, Trainer};
use pushforward::prelude::*;
use pushforward::program::Threads;
use pushforward::train::{Loss, Minimiser, Sources, TrainError, TrainingOptions};

fn number<'t>(sources: &Sources<'t>, name: &str, start: f64) -> Var<'t> {
    sources.tape().parameter(name, Shape::Scalar, Init::Constant(start))
}

fn value<F: pushforward::program::Precision>(minimiser: &mut Minimiser<F>, name: &str) -> f64 {
    minimiser.parameters().get(name).unwrap().values[0]
}

fn settings(learning_rate: f64, seed: u64) -> TrainingOptions {
    TrainingOptions { learning_rate, seed, ..TrainingOptions::default() }
}

fn layers(context: usize) -> Vec<Box<dyn Bijection>> {
    let network = MaskedNetwork::new(2, [8]).with_context(context);
    vec![Box::new(Affine::identity(2)), Box::new(Autoregressive::maf(network))]
}

/// -ln p(x) of layers over a standard normal base.
fn negative_log_prob(context: usize) -> Loss {
    Loss::try_record::<FlowError>(|sources| {
        let x = sources.data(2);
        let InverseWithLogDet { z, log_det } = inverse_with_log_det(&Chain::new(layers(context)), x)?;
        Ok(-(StandardNormal::new(2).log_prob(z) - log_det))
    })
    .unwrap()
}

#[test]
fn a_likelihood_is_one_loss_among_others() {
    let flow = Flow::new(StandardNormal::new(2), layers(0)).unwrap();
    let loss = negative_log_prob(0);
    let start = flow.initial(3);
    assert_eq!(loss.initial(3), start);
    let mut trainer = Trainer::<f64>::new(&flow, start.clone(), 1e-2).unwrap();
    let mut minimiser = Minimiser::<f64>::new(&loss, start, settings(1e-2, 0)).unwrap();
    let rows: Vec<f64> = (0..60).map(|k| (f64::from(k) * 0.7).sin() + 0.3).collect();
    for _ in 0..20 {
        assert_eq!(trainer.step(&rows).unwrap(), minimiser.step(&[&rows], 30).unwrap());
    }
    assert_eq!(trainer.parameters(), minimiser.parameters());
}

#[test]
fn a_context_is_data_like_any_other() {
    let flow = Flow::new(StandardNormal::new(2), layers(1)).unwrap();
    let loss = negative_log_prob(1);
    let start = flow.initial(0);
    let mut trainer = Trainer::<f64>::new(&flow, start.clone(), 1e-2).unwrap();
    let mut minimiser = Minimiser::<f64>::new(&loss, start, settings(1e-2, 0)).unwrap();
    let (rows, contexts) = ([0.3, 0.1, -0.8, 0.4], [1.0, -1.0]);
    for _ in 0..5 {
        assert_eq!(
            trainer.step_given(&rows, &contexts).unwrap(),
            minimiser.step(&[&rows, &contexts], 2).unwrap()
        );
    }
    // Asked for by name it comes where it was asked for.
    let first = Loss::record(|sources| {
        let c = sources.context(1).at(0);
        let x = sources.data(1).at(0);
        (x - 2.0 * c + number(sources, "a", 0.0)).powi(2)
    });
    let first = first.unwrap();
    let mut minimiser = Minimiser::<f64>::new(&first, first.initial(0), settings(0.1, 0)).unwrap();
    assert_eq!(minimiser.mean(&[&[1.0], &[5.0]], 1).unwrap(), 9.0);
}

/// KL(N(m, s²) ‖ N(3, 2²)) by one draw, but for a constant.
fn divergence() -> Loss {
    let recorded = Loss::record(|sources| {
        let noise = sources.noise(StandardNormal::new(1)).at(0);
        let (mean, log_sd) = (number(sources, "mean", 0.0), number(sources, "log_sd", 0.0));
        let z = mean + log_sd.exp() * noise;
        0.5 * ((z - 3.0) / 2.0).powi(2) - log_sd
    });
    recorded.unwrap()
}

#[test]
fn what_is_drawn_anew_is_averaged_over() {
    let loss = divergence();
    let mut minimiser = Minimiser::<f64>::new(&loss, loss.initial(0), settings(0.02, 1)).unwrap();
    for step in 0..3000 {
        if step == 2000 {
            minimiser.set_learning_rate(2e-3).unwrap();
        }
        minimiser.step(&[], 256).unwrap();
    }
    assert!((value(&mut minimiser, "mean") - 3.0).abs() < 0.03);
    assert!((value(&mut minimiser, "log_sd") - 2f64.ln()).abs() < 0.02);
    // At the optimum it is E[½e²] - ln 2.
    let mean = (0..40).map(|_| minimiser.mean(&[], 4096).unwrap()).sum::<f64>() / 40.0;
    assert!((mean - (0.5 - 2f64.ln())).abs() < 0.01, "{mean}");
}

#[test]
fn a_seed_is_a_run_on_any_number_of_threads() {
    let loss = divergence();
    let run = |seed: u64, threads: Threads| {
        let mut minimiser = Minimiser::<f32>::new(&loss, loss.initial(0), settings(0.05, seed)).unwrap();
        minimiser.set_threads(threads);
        (0..10).map(|_| minimiser.step(&[], 1000).unwrap()).collect::<Vec<f64>>()
    };
    assert_eq!(run(1, Threads::One), run(1, Threads::All));
    assert_ne!(run(1, Threads::One), run(2, Threads::One));
    // What is drawn for one step is not drawn for the next.
    let mut minimiser = Minimiser::<f64>::new(&loss, loss.initial(0), settings(0.05, 1)).unwrap();
    assert_ne!(minimiser.mean(&[], 8).unwrap(), minimiser.mean(&[], 8).unwrap());
}

#[test]
fn noise_of_any_base_has_its_moments() {
    let recorded = Loss::record(|sources| {
        let (u, z) = (sources.noise(Uniform::new(1)).at(0), sources.noise(StandardNormal::new(2)));
        u * 100.0 + z.at(0) * z.at(1) + z.at(1).powi(2) + 0.0 * number(sources, "a", 1.0)
    });
    let loss = recorded.unwrap();
    let mut minimiser = Minimiser::<f64>::new(&loss, loss.initial(0), settings(0.05, 5)).unwrap();
    // 100·½ + 0 + 1, with a deviation of about 29.
    let rows = 100_000;
    let mean = minimiser.mean(&[], rows).unwrap();
    assert!((mean - 51.0).abs() < 5.0 * 29.0 / f64::from(rows as u32).sqrt(), "{mean}");
}

#[test]
fn parts_are_learned_and_the_rest_stays() {
    let record = || {
        Loss::record(|sources| {
            let x = sources.data(1).at(0);
            let inner = |scope: &str| sources.tape().scope(scope, || number(sources, "a", 0.5));
            let (encoder, decoder) = (inner("encoder"), inner("decoder"));
            // A name that only begins alike is another name.
            let other = inner("encoder2");
            (x - encoder * decoder - other).powi(2)
        })
    };
    let loss = record().unwrap();
    let mut minimiser =
        Minimiser::<f64>::with_trainable_scopes(&loss, loss.initial(0), &["encoder"], settings(0.05, 0))
            .unwrap();
    let first = minimiser.step(&[&[1.0]], 1).unwrap();
    for _ in 0..500 {
        minimiser.step(&[&[1.0]], 1).unwrap();
    }
    assert!(minimiser.step(&[&[1.0]], 1).unwrap() < 1e-4 * first);
    assert_eq!([value(&mut minimiser, "decoder.a"), value(&mut minimiser, "encoder2.a")], [0.5, 0.5]);
    assert!((value(&mut minimiser, "encoder.a") - 1.0).abs() < 1e-2);
    let unknown =
        Minimiser::<f64>::with_trainable_scopes(&loss, loss.initial(0), &["enc"], settings(0.05, 0))
            .err()
            .unwrap();
    assert_eq!(
        unknown.to_string(),
        "there is no parameter or scope named enc; the parameters are encoder.a, decoder.a, encoder2.a"
    );
}

#[test]
fn two_that_follow_each_other_meet_at_the_saddle() {
    // min over a, max over b of a·b + ½a² - ½b² - a: where b = 1 - a and a = b, at ½ each.
    fn game<'t>(sources: &Sources<'t>) -> Var<'t> {
        let (a, b) = (number(sources, "a", 2.0), number(sources, "b", -1.0));
        a * b + 0.5 * a * a - 0.5 * b * b - a + 0.0 * sources.noise(StandardNormal::new(1)).at(0)
    }
    let low = Loss::record(game).unwrap();
    let high = Loss::record(|sources| -game(sources)).unwrap();
    let mut a =
        Minimiser::<f64>::with_trainable_scopes(&low, low.initial(0), &["a"], settings(0.02, 0)).unwrap();
    let mut b =
        Minimiser::<f64>::with_trainable_scopes(&high, high.initial(0), &["b"], settings(0.02, 0)).unwrap();
    for _ in 0..3000 {
        a.step(&[], 4).unwrap();
        b.follow(&mut a).unwrap();
        b.step(&[], 4).unwrap();
        a.follow(&mut b).unwrap();
    }
    assert!((value(&mut a, "a") - 0.5).abs() < 1e-2 && (value(&mut b, "b") - 0.5).abs() < 1e-2);
    assert_eq!(value(&mut a, "b"), value(&mut b, "b"));
}

#[test]
fn what_cannot_be_minimised_is_refused_in_words() {
    let vector = Loss::record(|sources| sources.data(2)).err().unwrap();
    assert_eq!(
        vector.to_string(),
        "the loss must be a scalar for each row, but a [2] was recorded; reduce it with `.sum()` or `.at(0)`"
    );
    let mistake = Loss::record(|sources| sources.data(2).at(5)).err().unwrap();
    assert!(matches!(mistake, TrainError::Recording(_)));
    let nothing = Loss::record(|sources| sources.data(1).at(0)).unwrap();
    let error = Minimiser::<f64>::new(&nothing, nothing.initial(0), settings(0.1, 0)).err().unwrap();
    assert_eq!(error, TrainError::NothingToLearn);

    let recorded = Loss::record(|sources| (sources.data(2).sum() * number(sources, "a", -1.0)).ln());
    let loss = recorded.unwrap();
    for (rate, clip) in [(0.0, 1.0), (f64::NAN, 1.0), (f64::INFINITY, 1.0), (0.1, 0.0), (0.1, f64::NAN)] {
        let settings = TrainingOptions { learning_rate: rate, clip, ..TrainingOptions::default() };
        let error = Minimiser::<f64>::new(&loss, loss.initial(0), settings).err().unwrap();
        assert!(matches!(error, TrainError::Setting { .. }), "{error}");
    }
    let missing = Minimiser::<f64>::new(&loss, Parameters::default(), settings(0.1, 0)).err().unwrap();
    assert!(missing.to_string().contains('a'), "{missing}");
    let mut minimiser = Minimiser::<f64>::new(&loss, loss.initial(0), settings(0.1, 0)).unwrap();
    assert!(minimiser.set_learning_rate(-1.0).is_err());
    assert_eq!(minimiser.step(&[], 1), Err(TrainError::Inputs { expected: 1, given: 0 }));
    assert_eq!(minimiser.step(&[&[]], 0), Err(TrainError::NoRows));
    assert!(matches!(minimiser.step(&[&[1.0, 2.0, 3.0]], 2), Err(TrainError::Program(_))));
    let before = minimiser.parameters().clone();
    let error = minimiser.step(&[&[1.0, 2.0]], 1).unwrap_err();
    assert!(error.to_string().starts_with("the loss or its gradient is not finite: ln gives NaN"), "{error}");
    for (value, shown) in [(f64::NAN, "NaN"), (f64::INFINITY, "inf")] {
        let error = minimiser.step(&[&[-1.0, -2.0, -1.0, value]], 2).unwrap_err();
        let told = format!("input 0 of the data is {shown} in row 1, column 1 (all count from 0), and so");
        assert!(error.to_string().starts_with(&told), "{error}");
    }
    assert_eq!(minimiser.parameters(), &before);
    minimiser.step(&[&[-1.0, -2.0]], 1).unwrap();
}
