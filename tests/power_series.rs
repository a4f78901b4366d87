//! ln|det J| of residual flows by its power series: what is left out, and that estimates have the right mean.

use pushforward::audit::Topic;
use pushforward::bijection::inverse_with_log_det;
use pushforward::jacobian::{RussianRoulette, log_det, map, power_series, series_remainder};
use pushforward::layers::{LipschitzConstraint, ResidualActivation};
use pushforward::prelude::*;
use pushforward::program::{Output, Program};
use pushforward::sweep::adjoint;
use pushforward::tape::Subgraph;
use pushforward::train::{Loss, Minimiser, TrainError, TrainingOptions};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const D: usize = 3;

fn layer() -> Residual {
    Residual::new(D, [5]).with_coefficient(0.7)
}

/// Parameters that are not those of a start, so that g is not 0.
fn moved(tape: &Tape) -> Parameters {
    let mut random = ChaCha8Rng::seed_from_u64(11);
    let mut parameters = Parameters::default();
    for declaration in tape.declarations() {
        let values = (0..declaration.shape.len()).map(|_| random.random::<f64>() - 0.4).collect();
        parameters.set(&declaration.name, declaration.shape, values).unwrap();
    }
    parameters
}

fn sign(random: &mut ChaCha8Rng) -> f64 {
    if random.random::<bool>() { 1.0 } else { -1.0 }
}

#[test]
fn what_a_truncated_series_leaves_out_is_below_its_bound() {
    // √d·eᵢ for each i: the mean of εᵀJᵏε over them is tr Jᵏ.
    let mut before = f64::INFINITY;
    for terms in [1, 2, 4, 8, 16, 32, 64] {
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(D));
        let x = layer().forward(z);
        let probes: Vec<Var<'_>> = (0..D)
            .map(|i| {
                tape.vector(&(0..D).map(|j| if i == j { 3f64.sqrt() } else { 0.0 }).collect::<Vec<f64>>())
            })
            .collect();
        let g = map(&tape, z.id(), (x - z).id());
        let series = power_series(&tape, &g, &vec![1.0; terms], &probes);
        assert_eq!(series.sweeps, D * terms);
        let exact = log_det(&tape, &map(&tape, z.id(), x.id()), &Structure::Dense).unwrap().value;
        let mut program = Program::<f64>::compile(
            &tape,
            &[z.id()],
            &[Output::Each(series.value.id()), Output::Each(exact.id())],
        );
        program.load(&moved(&tape)).unwrap();
        let found = program.run(&[&[0.3, -0.8, 0.5]], 1).unwrap();
        let error = (found[0][0] - found[1][0]).abs();
        let bound = series_remainder(D, 0.7, terms);
        println!("{terms:>3} terms: off by {error:.1e}, at most {bound:.1e}");
        assert!(error <= bound + 1e-14, "{terms} terms: {error:e} {bound:e}");
        assert!(error < before || error < 1e-14);
        before = error;
    }
    assert!(before < 1e-14);
}

#[test]
fn the_bound_of_what_is_left_out_is_near_the_truth() {
    // x = z - 0.7·z: ln|det J| = d·ln 0.3, and every term has one sign.
    for terms in [1, 3, 10, 40] {
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(D));
        let g = map(&tape, z.id(), (-0.7 * z).id());
        let probe = tape.vector(&[1.0, -1.0, 1.0]);
        let series = power_series(&tape, &g, &vec![1.0; terms], &[probe]);
        let mut program = Program::<f64>::compile(&tape, &[z.id()], &[Output::Each(series.value.id())]);
        program.load(&Parameters::default()).unwrap();
        let error = program.run(&[&[0.1; D]], 1).unwrap()[0][0] - 3.0 * 0.3f64.ln();
        let bound = series_remainder(D, 0.7, terms);
        assert!(error <= bound && error > bound / 3.0, "{terms} terms: {error:e} {bound:e}");
    }
    assert_eq!(series_remainder(D, 1.0, 10), f64::INFINITY);
}

#[test]
fn a_random_number_of_terms_has_the_mean_of_the_whole_series() {
    let roulette = RussianRoulette::new(2, 0.4, 80);
    assert!(series_remainder(D, 0.7, roulette.most()) < 1e-12);
    let (mut random, rows) = (ChaCha8Rng::seed_from_u64(5), 20_000);
    let mut counts = vec![0; roulette.most() + 1];
    (0..rows).for_each(|_| counts[roulette.draw(&mut random)] += 1);
    let x = [0.3, -0.8, 0.5];

    // ln|det J|, and its derivative by one of the parameters.
    let record = |weights: Option<&[f64]>| {
        let tape = Tape::new();
        let (point, probe) = (tape.input(Shape::Vector(D)), tape.input(Shape::Vector(D)));
        let value = match weights {
            Some(weights) => layer().inverse_with_series(point, weights, &[probe]).unwrap().log_det,
            None => inverse_with_log_det(&layer(), point).unwrap().log_det,
        };
        let (inputs, bias) = ([point.id(), probe.id()], tape.parameters()[1]);
        assert_eq!(tape.declarations()[1].name, "net.0.bias");
        let program = Subgraph::new(&tape, &inputs, &[value.id()]);
        let gradient = adjoint(&tape, &program, &[(value.id(), tape.constant(1.0))], &[bias])[0].unwrap();
        let outputs = [Output::Each(value.id()), Output::Each(gradient.at(0).id())];
        let mut program = Program::<f64>::compile(&tape, &inputs, &outputs);
        program.load(&moved(&tape)).unwrap();
        program
    };
    let exact = record(None).run(&[&x, &[1.0; D]], 1).unwrap();
    let mut draws = [Vec::new(), Vec::new()];
    for (number, count) in counts.into_iter().enumerate().filter(|(_, count)| *count > 0) {
        let probes: Vec<f64> = (0..count * D).map(|_| sign(&mut random)).collect();
        let found = record(Some(&roulette.weights(number))).run(&[&x.repeat(count), &probes], count).unwrap();
        draws.iter_mut().zip(found).for_each(|(all, new)| all.extend(new));
    }
    for (name, draws, exact) in
        [("ln|det J|", &draws[0], exact[0][0]), ("its derivative", &draws[1], exact[1][0])]
    {
        let n = draws.len() as f64;
        let mean = draws.iter().sum::<f64>() / n;
        let error = (draws.iter().map(|draw| (draw - mean).powi(2)).sum::<f64>() / (n * (n - 1.0))).sqrt();
        println!("{name}: {mean:.5} ± {error:.5}, exactly {exact:.5}");
        assert!((mean - exact).abs() < 4.0 * error, "{name}: {mean} ± {error}, exactly {exact}");
        // It would be seen if terms were not weighted, or the first ones were all.
        assert!(error < 0.02 * exact.abs().max(0.1), "{name}: {error}");
    }
}

#[test]
fn weights_undo_the_probability_of_a_term() {
    let roulette = RussianRoulette::new(1, 0.5, 6);
    let (mut random, rows) = (ChaCha8Rng::seed_from_u64(2), 40_000);
    let mut sums = [0.0; 6];
    for _ in 0..rows {
        let weights = roulette.weights(roulette.draw(&mut random));
        weights.iter().enumerate().for_each(|(k, weight)| sums[k] += weight / f64::from(rows));
    }
    for (k, mean) in sums.iter().enumerate() {
        let error = ((2f64.powi(k as i32) - 1.0) / f64::from(rows)).sqrt();
        assert!((mean - 1.0).abs() <= 4.0 * error + 1e-9, "term {}: {mean} ± {error}", k + 1);
    }
    assert_eq!(RussianRoulette::new(3, 0.1, 3).draw(&mut random), 3);
}

#[test]
fn training_with_a_random_number_of_terms_finds_the_density_of_training_without() {
    // Rows of a correlated normal distribution, whose entropy is known.
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let rows = 512;
    let draws: Vec<f64> = (0..rows)
        .flat_map(|_| {
            let mut row = [0.0; 2];
            StandardNormal::new(2).sample(&mut random, &mut row);
            [0.8 * row[0], 0.5 * row[0] + 0.7 * row[1]]
        })
        .collect();
    let layer = Residual::new(2, [16]);
    let roulette = RussianRoulette::new(2, 0.5, 60);
    let loss = |weights: Option<Vec<f64>>| {
        Loss::record(|sources| {
            let x = sources.data(2);
            let noise = sources.noise(StandardNormal::new(2));
            let probe = noise.sign();
            let back = match &weights {
                Some(weights) => layer.inverse_with_series(x, weights, &[probe]).unwrap(),
                None => inverse_with_log_det(&layer, x).unwrap(),
            };
            0.5 * back.z.dot(back.z) + back.log_det + 0.0 * noise.sum()
        })
        .unwrap()
    };
    let settings = TrainingOptions { learning_rate: 0.02, averaging: 0.98, ..TrainingOptions::default() };
    let exact = loss(None);
    let mut reference = Minimiser::<f64>::new(&exact, exact.initial(4), settings).unwrap();
    let losses: Vec<Loss> = (0..=12).map(|n| loss(Some(roulette.weights(n.max(1))))).collect();
    let mut estimated = Minimiser::<f64>::any_of(&losses, exact.initial(4), settings).unwrap();
    for _ in 0..400 {
        reference.step(&[&draws], rows).unwrap();
        estimated.step_of(roulette.draw(&mut random).min(12), &[&draws], rows).unwrap();
    }
    let mean = |parameters: &Parameters| {
        Minimiser::<f64>::new(&exact, parameters.clone(), settings).unwrap().mean(&[&draws], rows).unwrap()
    };
    let (start, ours, best) =
        (mean(&exact.initial(4)), mean(estimated.averaged()), mean(reference.averaged()));
    println!("{start:.4} at the start, {best:.4} by exact steps, {ours:.4} by estimates");
    assert!(start - best > 0.1, "{start} {best}");
    assert!(ours - best < 0.05 * (start - best), "{start} {best} {ours}");
}

#[test]
fn losses_that_do_not_fit_together_are_refused() {
    let loss = |width: usize, name: &'static str| {
        Loss::record(move |sources| {
            let x = sources.data(1).at(0);
            let noise = sources.noise(StandardNormal::new(width)).sum();
            (sources.tape().parameter(name, Shape::Scalar, Init::Constant(1.0)) * x + noise).powi(2)
        })
        .unwrap()
    };
    let message = |error: TrainError| error.to_string();
    let start = || loss(1, "a").initial(0);
    let settings = TrainingOptions::default();
    let none = Minimiser::<f64>::any_of(&[], start(), settings);
    assert!(message(none.err().unwrap()).contains("losses"));
    let other = Minimiser::<f64>::any_of(&[loss(1, "a"), loss(2, "a")], start(), settings);
    assert!(message(other.err().unwrap()).contains("loss 1, which has other inputs"));
    let mut renamed = start();
    renamed.set("b", Shape::Scalar, vec![2.0]).unwrap();
    let other = Minimiser::<f64>::any_of(&[loss(1, "a"), loss(1, "b")], renamed, settings);
    assert!(message(other.err().unwrap()).contains("learns other parameters"));
    let mut both = Minimiser::<f64>::any_of(&[loss(1, "a"), loss(1, "a")], start(), settings).unwrap();
    let before = both.parameters().clone();
    assert!(message(both.step_of(2, &[&[1.0]], 1).err().unwrap()).contains("loss 2 of 2"));
    assert_eq!(*both.parameters(), before);
    assert!(both.step_of(1, &[&[1.0]], 1).is_ok() && both.step_of(0, &[&[1.0]], 1).is_ok());
    let mut single = Minimiser::<f64>::new(&loss(1, "a"), start(), settings).unwrap();
    assert!(message(single.step_of(1, &[&[1.0]], 1).err().unwrap()).contains("loss 1 of 1"));
}

#[test]
fn residual_flows_of_every_activation_are_bijections() {
    for activation in [ResidualActivation::Tanh, ResidualActivation::Softplus, ResidualActivation::Sine] {
        for constraint in [LipschitzConstraint::Frobenius, LipschitzConstraint::OneInfinity] {
            let layer = Residual::new(2, [3]).with_activation(activation).with_constraint(constraint);
            let report = audit(&layer).unwrap();
            let is_proven =
                |topic| report.claim(topic).is_some_and(|claim| claim.evidence.label() == "proven");
            assert!(is_proven(Topic::Injective) && is_proven(Topic::Determinant), "{report}");
            assert!(report.claim(Topic::Codomain).is_none(), "{report}");
        }
    }
}
