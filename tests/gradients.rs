//! Derivatives of every operation and of random programs: tangents against central differences, adjoints
//! against tangents, batch sums against sums of rows, f32 against f64.

use crate::catalogue::catalogue;
use crate::random_programs;

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;

use pushforward::flow::Trainer;
use pushforward::prelude::*;
use pushforward::program::{Output, Program};
use pushforward::sweep::{adjoint, tangent};
use pushforward::tape::{Binary, Choice, Subgraph, Unary};
use random_programs::{BINARY, Chooser, Pool, UNARY, binary, for_seeds, numbers, off, unary};

const D: usize = 4;

/// A random program of D inputs with one vector of outputs.
fn random<'t>(tape: &'t Tape, choose: &mut Chooser) -> (Var<'t>, Var<'t>) {
    let z = tape.input(Shape::Vector(D));
    let mut pool = Pool::new(tape, &[z, z.at(0), z.at(3), z.reshape(Shape::Matrix(2, 2))]).with_solutions();
    for _ in 0..6 + choose.below(20) {
        pool.grow(choose);
    }
    let count = pool.nodes.len();
    let outputs: Vec<Var<'t>> = pool.nodes[count.saturating_sub(5)..]
        .iter()
        .map(|node| node.reshape(Shape::Vector(node.len())))
        .collect();
    tape.check().unwrap_or_else(|errors| panic!("the generator recorded an error: {errors}"));
    (z, concat(outputs))
}

/// ∂x/∂v at a point by two central differences; `None` where they disagree: a kink is near.
fn difference(tape: &Tape, z: Var<'_>, x: Var<'_>, point: &[f64], v: &[f64]) -> Option<Vec<f64>> {
    let at = |step: f64| {
        let moved: Vec<f64> = point.iter().zip(v).map(|(z, v)| z + step * v).collect();
        numbers(tape, z, &[x], &moved).swap_remove(0)
    };
    let quotient =
        |h: f64| -> Vec<f64> { at(h).iter().zip(at(-h)).map(|(a, b)| (a - b) / (2.0 * h)).collect() };
    let (coarse, fine) = (quotient(2e-4), quotient(1e-4));
    // A kink between the two steps moves what follows by a third of their disagreement.
    let smooth = coarse.iter().zip(&fine).all(|(a, b)| off(*a, *b) < 1e-5);
    // Richardson: the error of second order cancels.
    smooth.then(|| coarse.iter().zip(fine).map(|(a, b)| (4.0 * b - a) / 3.0).collect())
}

#[test]
fn the_tangent_of_every_function_is_its_difference_quotient() {
    for which in 0..UNARY + BINARY {
        for point in [[0.3, -0.7, 1.1, 0.9], [-0.4, 0.8, -1.3, 0.2], [2.1, 1.7, -0.2, -1.9]] {
            let tape = Tape::new();
            let z = tape.input(Shape::Vector(D));
            let (a, b) = (z.slice(0..2), z.slice(2..4));
            let x = if which < UNARY { unary(a, which) } else { binary(a, b, which - UNARY) };
            let v = [0.6, -1.0, 0.8, 0.3];
            let subgraph = Subgraph::new(&tape, &[z.id()], &[x.id()]);
            let derivative = tangent(&tape, &subgraph, &[(z.id(), tape.vector(&v))])[0].expect("it moves");
            let found = numbers(&tape, z, &[derivative], &point).swap_remove(0);
            let expected = difference(&tape, z, x, &point, &v).expect("no kink at these points");
            for (found, expected) in found.iter().zip(expected) {
                assert!(off(*found, expected) < 1e-8, "function {which}: {found} against {expected}");
            }
        }
    }
}

#[test]
fn random_programs_use_every_operation_of_elements() {
    let used: RefCell<BTreeSet<&str>> = RefCell::default();
    for_seeds(40, |seed| {
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(2));
        let mut pool = Pool::new(&tape, &[z, z.at(0)]);
        pool.nodes.extend((0..UNARY).map(|which| unary(z, which)));
        pool.nodes.extend((0..BINARY).map(|which| binary(z, z.exp(), which)));
        let mut choose = Chooser::new(seed);
        (0..24).for_each(|_| pool.grow(&mut choose));
        let outputs: Vec<_> = pool.nodes.iter().map(|node| node.id()).collect();
        let subgraph = Subgraph::new(&tape, &[z.id()], &outputs);
        used.borrow_mut().extend(subgraph.nodes().iter().map(|id| tape.node(*id).op.name()));
        Ok(())
    });
    let names = Unary::ALL.iter().map(|op| op.name()).chain(Binary::ALL.iter().map(|op| op.name()));
    let all: BTreeSet<&str> = names.chain(Choice::ALL.iter().map(|op| op.name())).collect();
    assert_eq!(all.len(), Unary::ALL.len() + Binary::ALL.len() + Choice::ALL.len(), "two have one name");
    let used = used.into_inner();
    let missing: Vec<&&str> = all.difference(&used).collect();
    assert!(missing.is_empty(), "no line of tests/random_programs/mod.rs has {missing:?}");
}

#[test]
fn tangents_of_random_programs_are_difference_quotients() {
    let (cases, skipped, worst) = (Cell::new(0), Cell::new(0), Cell::new(0.0f64));
    for_seeds(400, |seed| {
        let mut choose = Chooser::new(seed);
        let tape = Tape::new();
        let (z, x) = random(&tape, &mut choose);
        let (point, v) = (choose.numbers(D), choose.numbers(D));
        cases.set(cases.get() + 1);
        let subgraph = Subgraph::new(&tape, &[z.id()], &[x.id()]);
        let Some(derivative) = tangent(&tape, &subgraph, &[(z.id(), tape.vector(&v))])[0] else {
            return Ok(());
        };
        let found = numbers(&tape, z, &[derivative], &point).swap_remove(0);
        let Some(expected) = difference(&tape, z, x, &point, &v) else {
            skipped.set(skipped.get() + 1);
            return Ok(());
        };
        for (found, expected) in found.iter().zip(expected) {
            let error = off(*found, expected);
            worst.set(worst.get().max(error));
            if error.is_nan() || error > 1e-5 {
                return Err(format!("{found} against {expected}"));
            }
        }
        Ok(())
    });
    println!(
        "{} programs, {} with a kink near, worst difference {:.1e}",
        cases.get(),
        skipped.get(),
        worst.get()
    );
    assert!(skipped.get() * 5 < cases.get(), "too many programs were skipped for kinks");
}

#[test]
fn adjoints_and_tangents_of_random_programs_agree() {
    let (cases, worst) = (Cell::new(0), Cell::new(0.0f64));
    for_seeds(600, |seed| {
        let mut choose = Chooser::new(seed);
        let tape = Tape::new();
        let (z, x) = random(&tape, &mut choose);
        let (point, v, w) = (choose.numbers(D), choose.numbers(D), choose.numbers(x.len()));
        let subgraph = Subgraph::new(&tape, &[z.id()], &[x.id()]);
        let along = tangent(&tape, &subgraph, &[(z.id(), tape.vector(&v))])[0];
        let back = adjoint(&tape, &subgraph, &[(x.id(), tape.vector(&w))], &[z.id()])[0];
        let inner = |node: Option<Var<'_>>, with: &[f64]| match node {
            Some(node) => {
                let values = numbers(&tape, z, &[node], &point).swap_remove(0);
                values.iter().zip(with).map(|(a, b)| a * b).sum::<f64>()
            }
            None => 0.0,
        };
        let (forwards, backwards) = (inner(along, &w), inner(back, &v));
        let error = off(forwards, backwards);
        cases.set(cases.get() + 1);
        worst.set(worst.get().max(error));
        if error < 1e-9 { Ok(()) } else { Err(format!("w·Jv = {forwards}, but Jᵀw·v = {backwards}")) }
    });
    println!("{} programs, worst difference {:.1e}", cases.get(), worst.get());
}

#[test]
fn second_derivatives_are_symmetric_and_difference_quotients_of_first() {
    for_seeds(100, |seed| {
        let mut choose = Chooser::new(seed);
        let tape = Tape::new();
        let (z, x) = random(&tape, &mut choose);
        let y = (x * x).sum().tanh();
        let subgraph = Subgraph::new(&tape, &[z.id()], &[y.id()]);
        let Some(gradient) = adjoint(&tape, &subgraph, &[(y.id(), tape.constant(1.0))], &[z.id()])[0] else {
            return Ok(());
        };
        let subgraph = Subgraph::new(&tape, &[z.id()], &[gradient.id()]);
        let (point, v, w) = (choose.numbers(D), choose.numbers(D), choose.numbers(D));
        let hessian_times = |v: &[f64]| tangent(&tape, &subgraph, &[(z.id(), tape.vector(v))])[0];
        let (Some(along_v), Some(along_w)) = (hessian_times(&v), hessian_times(&w)) else { return Ok(()) };
        let found = numbers(&tape, z, &[along_v, along_w], &point);
        let inner = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a * b).sum::<f64>();
        let error = off(inner(&found[0], &w), inner(&found[1], &v));
        if error.is_nan() || error > 1e-8 {
            return Err(format!("w·Hv and v·Hw differ by {error}"));
        }
        let Some(expected) = difference(&tape, z, gradient, &point, &v) else { return Ok(()) };
        match found[0].iter().zip(expected).all(|(found, expected)| off(*found, expected) < 1e-4) {
            true => Ok(()),
            false => Err("Hv is not the difference quotient of the gradient".into()),
        }
    });
}

#[test]
fn the_third_derivative_of_a_sine_is_minus_a_cosine() {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(1));
    let mut y = z.sin();
    for _ in 0..3 {
        let subgraph = Subgraph::new(&tape, &[z.id()], &[y.id()]);
        y = tangent(&tape, &subgraph, &[(z.id(), tape.vector(&[1.0]))])[0].unwrap();
    }
    assert_eq!(numbers(&tape, z, &[y], &[0.7])[0][0], -(0.7f64.cos()));
}

#[test]
fn batch_sums_of_parameter_gradients_are_sums_over_rows() {
    for_seeds(150, |seed| {
        let mut choose = Chooser::new(seed);
        let tape = Tape::new();
        let (z, x) = random(&tape, &mut choose);
        let loss = (x * x).sum();
        let parameters = tape.parameters();
        let subgraph = Subgraph::new(&tape, &[z.id()], &[loss.id()]);
        let gradients = adjoint(&tape, &subgraph, &[(loss.id(), tape.constant(1.0))], &parameters);
        let wanted: Vec<_> = gradients.iter().flatten().map(|gradient| gradient.id()).collect();
        let rows = 1 + choose.below(700);
        let batch = choose.numbers(rows * D);
        let run = |outputs: Vec<Output>| {
            let mut program = Program::<f64>::compile(&tape, &[z.id()], &outputs);
            program.load(&Parameters::initialise(&tape, 0)).unwrap();
            program.run(&[&batch], rows).unwrap()
        };
        let summed = run(wanted.iter().map(|id| Output::Sum(*id)).collect());
        let each = run(wanted.iter().map(|id| Output::Each(*id)).collect());
        for (summed, each) in summed.iter().zip(&each) {
            for (k, sum) in summed.iter().enumerate() {
                let expected: f64 = each.iter().skip(k).step_by(summed.len()).sum();
                let size: f64 = each.iter().skip(k).step_by(summed.len()).map(|value| value.abs()).sum();
                if (sum - expected).abs() > 1e-11 * size.max(1.0) {
                    return Err(format!("{sum} against {expected} over {rows} rows"));
                }
            }
        }
        Ok(())
    });
}

#[test]
fn a_batch_gives_what_each_row_gives_and_f32_gives_nearly_that() {
    for_seeds(100, |seed| {
        let mut choose = Chooser::new(seed);
        let tape = Tape::new();
        let (z, x) = random(&tape, &mut choose);
        let rows = 300;
        let batch = choose.numbers(rows * D);
        let outputs = [Output::Each(x.id())];
        let mut program = Program::<f64>::compile(&tape, &[z.id()], &outputs);
        program.load(&Parameters::initialise(&tape, 0)).unwrap();
        let all = program.run(&[&batch], rows).unwrap().swap_remove(0);
        for row in [0, 17, 299] {
            let one = program.run(&[&batch[row * D..(row + 1) * D]], 1).unwrap().swap_remove(0);
            if one.iter().zip(&all[row * x.len()..]).any(|(a, b)| off(*a, *b) > 1e-12) {
                return Err(format!("row {row} differs from the batch"));
            }
        }
        let mut single = Program::<f32>::compile(&tape, &[z.id()], &outputs);
        single.load(&Parameters::initialise(&tape, 0)).unwrap();
        let narrow: Vec<f32> = batch.iter().map(|value| *value as f32).collect();
        let all_single = single.run(&[&narrow], rows).unwrap().swap_remove(0);
        // Jumps and kinks may fall on the other side in f32; nearly all rows must agree.
        let wrong = all.iter().zip(&all_single).filter(|(a, b)| off(f64::from(**b), **a) > 1e-3).count();
        if wrong * 50 <= all.len() { Ok(()) } else { Err(format!("{wrong} of {} differ in f32", all.len())) }
    });
}

#[test]
fn a_weight_behind_a_choice_gets_no_nan_from_the_branch_not_taken() {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(2));
    let weight = tape.parameter("weight", Shape::Matrix(2, 2), Init::Values(vec![1.0, 2.0, 3.0, 4.0]));
    // At z₁ = -1 the product is NaN, and so is what it is multiplied with.
    let product = weight.matvec(z.ln());
    let y = select(z.at(0).broadcast(Shape::Vector(2)).gt(0.0), product, 1.0).sum();
    let subgraph = Subgraph::new(&tape, &[z.id()], &[y.id()]);
    let seeds = [(y.id(), tape.constant(1.0))];
    let gradient = adjoint(&tape, &subgraph, &seeds, &[weight.id()])[0].expect("it depends on the weight");
    let mut program = Program::<f64>::compile(&tape, &[z.id()], &[Output::Sum(gradient.id())]);
    program.load(&Parameters::initialise(&tape, 0)).expect("its own parameters");
    let rows = [-1.0, 2.0, 1.0, 1f64.exp(), -3.0, -3.0];
    let found = program.run(&[&rows], 3).expect("three rows").swap_remove(0);
    assert!(found.iter().zip([0.0, 1.0, 0.0, 1.0]).all(|(a, b)| off(*a, b) < 1e-14), "{found:?}");
}

#[test]
fn a_step_is_finite_where_some_variables_lie_outside_of_what_bends_them() {
    for entry in catalogue() {
        let (name, d) = (entry.name, entry.layer.dim());
        let flow = match entry.layer.domain() {
            Domain::Reals => Flow::new(StandardNormal::new(d), [entry.layer]),
            Domain::Circle => Flow::new(Uniform::circle(d), [entry.layer]),
            _ => Flow::new(Uniform::new(d), [entry.layer]),
        };
        let flow = flow.unwrap();
        let start = flow.initial(3);
        if start.count() == 0 {
            continue;
        }
        let mut trainer = Trainer::<f64>::new(&flow, start.clone(), 1e-4).unwrap();
        // One context for all rows, of a width that is 0 without one.
        let context = vec![0.3; flow.context()];
        let rows = flow.with(start).unwrap().sample_given(100, &context, 5).unwrap();
        for row in rows.chunks(d) {
            trainer.step_given(row, &context).unwrap_or_else(|error| panic!("{name} at {row:?}: {error}"));
        }
    }
}

#[test]
fn a_weight_behind_a_choice_is_not_formed_for_each_sample() {
    const WIDTH: usize = 64;
    let operations = |chosen: bool| {
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(WIDTH));
        let init = Init::glorot(WIDTH, WIDTH);
        let weight = tape.parameter("weight", Shape::Matrix(WIDTH, WIDTH), init);
        let x = weight.matvec(z);
        let y = if chosen { select(z.gt(0.0), x, 0.5) } else { x }.tanh().sum();
        let subgraph = Subgraph::new(&tape, &[z.id()], &[y.id()]);
        let seeds = [(y.id(), tape.constant(1.0))];
        let gradient =
            adjoint(&tape, &subgraph, &seeds, &[weight.id()])[0].expect("it depends on the weight");
        Program::<f64>::compile(&tape, &[z.id()], &[Output::Sum(gradient.id())]).operations()
    };
    // A few operations more an element, and not one an entry of the matrix.
    assert!(operations(true) < operations(false) + 20 * WIDTH as u64);
}
