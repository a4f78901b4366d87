//! Options of the optimiser: warm-up, schedules, weight decay, averaging, clipping.
//!
//! Under a constant gradient a step of Adam is as long as its learning rate: parameters are sums of learning rates.

use pushforward::flow::{FlowError, Stop};
use pushforward::prelude::*;
use pushforward::train::{Loss, Minimiser, TrainError, TrainingOptions};

/// The loss g·a, for data g.
fn slope() -> Loss {
    let recorded = Loss::record(|sources| {
        let g = sources.data(1).at(0);
        g * sources.tape().parameter("a", Shape::Scalar, Init::Constant(1.0))
    });
    recorded.unwrap()
}

fn minimiser(options: TrainingOptions) -> Minimiser<f64> {
    let loss = slope();
    Minimiser::new(&loss, loss.initial(0), options).unwrap()
}

fn at(minimiser: &mut Minimiser<f64>) -> f64 {
    minimiser.parameters().get("a").unwrap().values[0]
}

fn close(found: f64, expected: f64) {
    assert!((found - expected).abs() < 1e-6 * (1.0 + expected.abs()), "{found} is not {expected}");
}

/// Schedules as PyTorch writes them (CosineAnnealingLR, ExponentialLR with γ = last^(1/T), StepLR), of k steps of T.
fn by_hand(schedule: Schedule, k: usize, total: usize) -> f64 {
    let (k, total) = (k as f64, total as f64);
    match schedule {
        Schedule::Cosine { last } => {
            last + (1.0 - last) * (1.0 + (std::f64::consts::PI * k / total).cos()) / 2.0
        }
        Schedule::Exponential { last } => last.powf(1.0 / total).powf(k),
        Schedule::Step { every, factor } => factor.powi((k as usize / every) as i32),
        _ => 1.0,
    }
}

const SCHEDULES: [Schedule; 5] = [
    Schedule::Constant,
    Schedule::Cosine { last: 0.0 },
    Schedule::Cosine { last: 0.2 },
    Schedule::Exponential { last: 1e-3 },
    Schedule::Step { every: 7, factor: 0.5 },
];

#[test]
fn every_step_has_the_factor_of_the_closed_form() {
    let (warm_up, steps) = (5, 40);
    for schedule in SCHEDULES {
        for step in 0..steps {
            let expected = match step {
                step if step < warm_up => (step + 1) as f64 / warm_up as f64,
                step => by_hand(schedule, step - warm_up, steps - warm_up),
            };
            let found = schedule.factor(step, warm_up, steps);
            assert!((found - expected).abs() < 1e-12, "{schedule:?} at {step}: {found}, not {expected}");
        }
        // The warm-up begins at 1/W and ends at the whole learning rate, where the schedule begins.
        assert_eq!(schedule.factor(0, warm_up, steps), 0.2);
        assert_eq!(schedule.factor(warm_up - 1, warm_up, steps), 1.0);
        assert_eq!(schedule.factor(warm_up, warm_up, steps), 1.0);
        assert_eq!(schedule.factor(0, 0, steps), 1.0);
    }
    // After the end they stay what they are.
    assert_eq!(Schedule::Cosine { last: 0.2 }.factor(1000, 5, 40), 0.2);
    assert_eq!(Schedule::Exponential { last: 1e-3 }.factor(1000, 5, 40), 1e-3);
}

#[test]
fn a_minimiser_takes_steps_of_these_lengths() {
    for schedule in SCHEDULES {
        let options =
            TrainingOptions { learning_rate: 0.1, warm_up: 4, schedule, steps: 30, ..Default::default() };
        let mut minimiser = minimiser(options);
        let mut expected = 1.0;
        for step in 0..30 {
            close(minimiser.learning_rate(), 0.1 * schedule.factor(step, 4, 30));
            minimiser.step(&[&[3.0]], 1).unwrap();
            expected -= 0.1 * schedule.factor(step, 4, 30);
            close(at(&mut minimiser), expected);
        }
    }
    // A step that fails is not counted.
    let mut failing =
        minimiser(TrainingOptions { warm_up: 4, learning_rate: 0.1, ..TrainingOptions::default() });
    assert!(failing.step(&[&[f64::NAN]], 1).is_err());
    close(failing.learning_rate(), 0.025);
}

/// x = z + b, with b to learn.
struct Shift;

impl Bijection for Shift {
    fn dim(&self) -> usize {
        1
    }
    fn structure(&self) -> Structure {
        Structure::Diagonal
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z + z.tape().parameter("b", Shape::Vector(1), Init::Constant(0.0))
    }
}

fn shifted(fitted: &FittedFlow) -> f64 {
    fitted.parameters().get("layers.0.b").unwrap().values[0]
}

#[test]
fn a_fit_takes_steps_of_these_lengths() {
    // Of a Laplace base, -ln p(x) = |x - b|, whose slope is -1 as long as b is below all rows.
    let table = Table::new(&["x"], (0..100).map(|k| 1000.0 + f64::from(k)).collect()).unwrap();
    for schedule in SCHEDULES {
        let flow = Flow::new(Laplace::new(1), [Box::new(Shift) as Box<dyn Bijection>]).unwrap();
        // 90 training rows in 9 minibatches, 6 epochs.
        let options = FitOptions {
            epochs: 6,
            batch: 10,
            learning_rate: 0.5,
            warm_up: 10,
            schedule,
            ..FitOptions::default()
        };
        let fitted = flow.fit(&table, options).unwrap();
        let expected: f64 = (0..54).map(|step| 0.5 * schedule.factor(step, 10, 54)).sum();
        close(shifted(&fitted), expected);
    }
}

#[test]
fn a_fit_to_a_target_takes_steps_of_these_lengths() {
    // ln p̃(x) = x has the slope 1 everywhere, and the loss is -x but for what does not depend on b.
    for schedule in SCHEDULES {
        for (steps, asked) in [(40, None), (40, Some(11))] {
            let flow = Flow::new(StandardNormal::new(1), [Box::new(Shift) as Box<dyn Bijection>]).unwrap();
            let (mut told, made) = (Vec::new(), std::cell::Cell::new(0));
            let stop = || {
                made.set(made.get() + 1);
                Some(made.get()) == asked
            };
            let options = TargetOptions {
                steps,
                draws: 3,
                learning_rate: 0.1,
                warm_up: 7,
                schedule,
                stop: Some(&stop),
                progress: Some(&mut |now| told.push(now.step)),
                ..TargetOptions::default()
            };
            let fitted = flow.fit_to_target(|x| x.at(0), options).unwrap();
            let taken = asked.unwrap_or(steps);
            let expected: f64 = (0..taken).map(|step| 0.1 * schedule.factor(step, 7, steps)).sum();
            close(shifted(&fitted), expected);
            assert_eq!(told, (1..=taken).collect::<Vec<usize>>());
            let stop = &fitted.history().stop;
            assert_eq!(*stop, asked.map_or(Stop::Steps, |epoch| Stop::Asked { epoch }));
        }
    }
}

#[test]
fn weight_decay_multiplies_parameters_whatever_the_gradient_is() {
    let (rate, decay) = (0.1, 0.3);
    let options = TrainingOptions { learning_rate: rate, weight_decay: decay, ..TrainingOptions::default() };
    let mut resting = minimiser(options);
    let mut moving = minimiser(options);
    let mut expected = 1.0;
    for step in 1..=20 {
        resting.step(&[&[0.0]], 1).unwrap();
        close(at(&mut resting), (1.0f64 - rate * decay).powi(step));
        moving.step(&[&[2.0]], 1).unwrap();
        expected = (1.0 - rate * decay) * expected - rate;
        close(at(&mut moving), expected);
    }
}

#[test]
fn the_average_of_the_parameters_is_that_of_their_course() {
    let weight = 0.9;
    let options = TrainingOptions { learning_rate: 0.1, averaging: weight, ..TrainingOptions::default() };
    let mut minimiser = minimiser(options);
    assert_eq!(minimiser.averaged().get("a").unwrap().values, [1.0]);
    let mut course: Vec<f64> = Vec::new();
    for _ in 0..15 {
        minimiser.step(&[&[1.0]], 1).unwrap();
        course.push(at(&mut minimiser));
        let n = course.len();
        let weights: Vec<f64> = (0..n).map(|k| weight.powi((n - 1 - k) as i32)).collect();
        let mean = course.iter().zip(&weights).map(|(a, w)| a * w).sum::<f64>() / weights.iter().sum::<f64>();
        let averaged = minimiser.averaged().get("a").unwrap().values[0];
        assert!((averaged - mean).abs() < 1e-12, "{averaged} is not {mean}");
    }
}

#[test]
fn a_gradient_that_is_too_long_is_shortened_to_the_clip() {
    let options = TrainingOptions { learning_rate: 0.1, clip: 2.0, ..TrainingOptions::default() };
    let (mut clipped, mut short) = (minimiser(options), minimiser(options));
    for g in [1.0, 500.0, -2e6, 0.5] {
        clipped.step(&[&[g]], 1).unwrap();
        short.step(&[&[f64::clamp(g, -2.0, 2.0)]], 1).unwrap();
        close(at(&mut clipped), at(&mut short));
    }
}

#[test]
fn options_that_make_no_sense_are_refused_with_their_name() {
    let refused = |options: TrainingOptions| {
        let loss = slope();
        match Minimiser::<f64>::new(&loss, loss.initial(0), options).err() {
            Some(TrainError::Setting { name, .. }) => name,
            other => panic!("{other:?} of {options:?}"),
        }
    };
    let options = TrainingOptions { steps: 10, ..TrainingOptions::default() };
    let of = |schedule: Schedule| refused(TrainingOptions { schedule, ..options });
    assert_eq!(of(Schedule::Cosine { last: -0.1 }), "schedule");
    assert_eq!(of(Schedule::Cosine { last: f64::NAN }), "schedule");
    assert_eq!(of(Schedule::Exponential { last: 0.0 }), "schedule");
    assert_eq!(of(Schedule::Exponential { last: 1.5 }), "schedule");
    assert_eq!(of(Schedule::Step { every: 0, factor: 0.5 }), "schedule");
    assert_eq!(of(Schedule::Step { every: 3, factor: 0.0 }), "schedule");
    let late = TrainingOptions { schedule: Schedule::Cosine { last: 0.1 }, warm_up: 10, ..options };
    assert_eq!(refused(late), "steps");
    assert_eq!(refused(TrainingOptions { weight_decay: -1.0, ..options }), "weight_decay");
    assert_eq!(refused(TrainingOptions { averaging: 1.0, ..options }), "averaging");

    let table = Table::new(&["x"], (0..20).map(f64::from).collect()).unwrap();
    let flow = || Flow::new(StandardNormal::new(1), [Box::new(Shift) as Box<dyn Bijection>]).unwrap();
    let options = FitOptions { epochs: 2, warm_up: 2, ..FitOptions::default() };
    let error = flow().fit(&table, options).err().unwrap();
    assert_eq!(
        error.to_string(),
        "steps is 2; it must be more than `warm_up`, as the schedule ends with them"
    );
    let options = TargetOptions { schedule: Schedule::Step { every: 0, factor: 1.0 }, ..Default::default() };
    let error = flow().fit_to_target(|x| x.at(0), options).err().unwrap();
    assert!(matches!(error, FlowError::Setting { name: "schedule", .. }), "{error}");
}
