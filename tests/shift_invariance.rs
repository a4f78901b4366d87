//! The largest number of a softmax gets no adjoint from it; of whatever is computed of powers, gradients are right.

#[allow(dead_code)] // of which only the seeds and choices are wanted here
use crate::random_programs;

use std::cell::Cell;

use pushforward::prelude::*;
use pushforward::program::{Output, Program};
use pushforward::sweep::{adjoint, tangent};
use pushforward::tape::Subgraph;
use random_programs::{Chooser, for_seeds, numbers, off};

const D: usize = 4;

/// The gradient of a scalar by z, and the program that computes it.
fn gradient(tape: &Tape, z: Var<'_>, y: Var<'_>, point: &[f64]) -> (Vec<f64>, String) {
    let subgraph = Subgraph::new(tape, &[z.id()], &[y.id()]);
    let node =
        adjoint(tape, &subgraph, &[(y.id(), tape.constant(1.0))], &[z.id()])[0].expect("y depends on z");
    let mut program = Program::<f64>::compile(tape, &[z.id()], &[Output::Each(node.id())]);
    program.load(&Parameters::default()).expect("there are no parameters");
    (program.run(&[point], 1).expect("a row").swap_remove(0), program.to_string())
}

/// The gradient by tangents, which know of no shifts.
fn by_tangents(tape: &Tape, z: Var<'_>, y: Var<'_>, point: &[f64]) -> Vec<f64> {
    let subgraph = Subgraph::new(tape, &[z.id()], &[y.id()]);
    let along = |k: usize| {
        let direction: Vec<f64> = (0..D).map(|i| if i == k { 1.0 } else { 0.0 }).collect();
        let along = tangent(tape, &subgraph, &[(z.id(), tape.vector(&direction))])[0];
        along.map_or(0.0, |along| numbers(tape, z, &[along], point).swap_remove(0)[0])
    };
    (0..D).map(along).collect()
}

/// e^{z_k - m} with the largest z_k, and m.
fn powers<'t>(z: Var<'t>) -> (Vec<Var<'t>>, Var<'t>) {
    let numbers: Vec<Var<'t>> = (0..D).map(|k| z.at(k)).collect();
    let largest = numbers.iter().copied().reduce(Var::max).expect("there are numbers");
    (numbers.iter().map(|number| (*number - largest).exp()).collect(), largest)
}

fn total<'t>(terms: &[Var<'t>]) -> Var<'t> {
    terms.iter().copied().reduce(|sum, term| sum + term).expect("there are terms")
}

#[test]
fn the_gradient_of_a_softmax_compares_nothing() {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(D));
    let (powers, _) = powers(z);
    let total = total(&powers);
    let y = (powers[0] / total).ln() + 0.3 * (powers[2] * (2.0 / total)) - (powers[1] / powers[3]).tanh();
    let point = [0.4, -1.2, 2.1, 2.0];
    let (found, text) = gradient(&tape, z, y, &point);
    assert!(!text.contains("less"), "{text}");
    for (found, expected) in found.iter().zip(by_tangents(&tape, z, y, &point)) {
        assert!(off(*found, expected) < 1e-14, "{found}, not {expected}");
    }
}

#[test]
fn what_depends_on_the_shift_has_its_derivative() {
    // Each of these depends on the largest number: a power alone, a sum of degrees, a product, a comparison, the
    // logarithm of a power, a difference that is used by itself.
    type Of = for<'t> fn(Vec<Var<'t>>, Var<'t>) -> Var<'t>;
    let cases: [Of; 8] = [
        |powers, _| powers[0],
        |powers, _| (powers[0] + 1.0) / total(&powers),
        |powers, _| powers[0] * powers[1] / total(&powers),
        |powers, _| select(powers[1].lt(0.5), powers[1], 2.0),
        |powers, _| powers[0].ln() / total(&powers),
        |powers, m| powers[0] / total(&powers) + m,
        |powers, _| powers[1].powi(2) / total(&powers),
        |powers, _| select(powers[0].lt(powers[1]), powers[0] / total(&powers), powers[1]),
    ];
    for (k, of) in cases.into_iter().enumerate() {
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(D));
        let (powers, largest) = powers(z);
        let y = of(powers, largest);
        let point = [0.4, -0.2, 1.1, 0.9];
        let step = |i: usize, h: f64| {
            let mut moved = point;
            moved[i] += h;
            numbers(&tape, z, &[y], &moved).swap_remove(0)[0]
        };
        let (found, _) = gradient(&tape, z, y, &point);
        assert!(found[2].abs() > 1e-3, "{k}: it depends on the largest");
        for (i, found) in found.into_iter().enumerate() {
            let expected = (step(i, 1e-6) - step(i, -1e-6)) / 2e-6;
            assert!(off(found, expected) < 1e-8, "{k}, {i}: {found}, not {expected}");
        }
    }
}

#[test]
fn gradients_of_whatever_is_computed_of_powers_are_those_of_tangents() {
    let (cases, without) = (Cell::new(0), Cell::new(0));
    for_seeds(1500, |seed| {
        let mut choose = Chooser::new(seed);
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(D));
        let (powers, largest) = powers(z);
        let mut nodes = powers.clone();
        nodes.push(total(&powers));
        nodes.push(2.0 / nodes[D]);
        nodes.push(z.at(1));
        if choose.chance(0.1) {
            nodes.push(largest);
        }
        for _ in 0..2 + choose.below(8) {
            let mut any = || nodes[choose.below(nodes.len())];
            let (a, b, c, d) = (any(), any(), any(), any());
            nodes.push(match choose.below(12) {
                0 | 1 => a * b,
                2 | 3 => a / b,
                4 => a + b,
                5 => a - b,
                6 => -a,
                7 => a.recip(),
                8 => a.abs(),
                9 => a.max(b),
                10 => a.min(b),
                _ => select(a.lt(b), c, d),
            });
        }
        // Mostly what does not depend on the shift.
        let (a, b) = (nodes[nodes.len() - 1], nodes[nodes.len() - 2]);
        let y = if choose.chance(0.6) {
            a / (a.abs() + a.abs()) + b / nodes[choose.below(nodes.len())]
        } else {
            a
        };
        let point = choose.numbers(D);
        let expected = by_tangents(&tape, z, y, &point);
        if expected.iter().any(|value| value.is_nan() || value.abs() > 1e4) {
            return Ok(());
        }
        let subgraph = Subgraph::new(&tape, &[z.id()], &[y.id()]);
        let Some(node) = adjoint(&tape, &subgraph, &[(y.id(), tape.constant(1.0))], &[z.id()])[0] else {
            return Ok(());
        };
        let found = numbers(&tape, z, &[node], &point).swap_remove(0);
        cases.set(cases.get() + 1);
        let depends = |of: Var<'_>| Subgraph::new(&tape, &[z.id()], &[node.id()]).position(of.id()).is_some();
        without.set(without.get() + usize::from(!depends((z.at(0).max(z.at(1)).le(z.at(0))).var())));
        let agree = found.iter().zip(&expected).all(|(a, b)| off(*a, *b) < 1e-9);
        if agree { Ok(()) } else { Err(format!("{found:?}, not {expected:?} at {point:?}")) }
    });
    println!("{} programs, {} of them without an adjoint of the largest number", cases.get(), without.get());
    assert!(cases.get() > 500, "too few programs have a gradient");
}
