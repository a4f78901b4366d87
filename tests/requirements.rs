//! Bugs and requests of users of other systems, each with the thread it comes from.

use std::thread;

use pushforward::jacobian::{
    Compression, StructureError, diagonal, discover, jacobian_with, log_det, map, prove,
};
use pushforward::prelude::*;
use pushforward::program::{Output, Program, ProgramError};
use pushforward::sweep::reach::{Reach, Relation};
use pushforward::sweep::{Names, adjoint, render, tangent};
use pushforward::tape::Subgraph;

fn numbers(tape: &Tape, input: Var<'_>, outputs: &[Var<'_>], point: &[f64]) -> Vec<Vec<f64>> {
    let outputs: Vec<Output> = outputs.iter().map(|output| Output::Each(output.id())).collect();
    let mut program = Program::compile(tape, &[input.id()], &outputs);
    program.load(&Parameters::initialise(tape, 0)).unwrap();
    program.run(&[point], 1).unwrap()
}

/// Tangent along ones, and gradient, of Σ x.
fn both_ways<'t>(tape: &'t Tape, z: Var<'t>, x: Var<'t>) -> (Var<'t>, Var<'t>) {
    let y = x.sum();
    let subgraph = Subgraph::new(tape, &[z.id()], &[y.id()]);
    let ones = tape.constant(1.0).broadcast(z.shape());
    let along = tangent(tape, &subgraph, &[(z.id(), ones)])[0].unwrap();
    let back = adjoint(tape, &subgraph, &[(y.id(), tape.constant(1.0))], &[z.id()])[0].unwrap();
    (along, back)
}

#[test]
fn pytorch_87559_the_diagonal_without_the_jacobian() {
    // J is dense, and one sweep is enough: no conditioner sees its own variable.
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(3));
    let other = |i: usize| (z.at((i + 1) % 3) + z.at((i + 2) % 3)).tanh();
    let x = stack((0..3).map(|i| z.at(i) * other(i).exp()));
    let found = diagonal(&tape, &map(&tape, z.id(), x.id()));
    assert_eq!(found.sweeps, 1);
    let at = [0.3, -0.5, 0.9];
    let values = numbers(&tape, z, &[found.entries], &at).swap_remove(0);
    for i in 0..3 {
        let expected = (at[(i + 1) % 3] + at[(i + 2) % 3]).tanh().exp();
        assert!((values[i] - expected).abs() < 1e-15);
    }
}

#[test]
fn autograd_369_the_sum_trick_is_not_taken_where_it_is_wrong() {
    // Summing outputs and taking the gradient gives column sums; the diagonal is something else here.
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(2));
    let x = stack([z.at(0) * z.at(1), z.at(0) + z.at(1)]);
    let entries = diagonal(&tape, &map(&tape, z.id(), x.id())).entries;
    assert_eq!(numbers(&tape, z, &[entries], &[2.0, 5.0])[0], [5.0, 1.0]);
}

#[test]
fn jax_1032_a_sparse_jacobian_takes_few_sweeps() {
    let tape = Tape::new();
    let d = 40;
    let z = tape.input(Shape::Vector(d));
    let banded = stack((0..d).map(|i| z.at(i) * z.at((i + 1).min(d - 1)).sin()));
    let (_, used) = jacobian_with(&tape, &map(&tape, z.id(), banded.id()));
    assert!(matches!(used, Compression::Columns(n) | Compression::Rows(n) if n <= 3), "{used:?}");
    // One dense row ruins columns; rows, by adjoints, stay cheap.
    let arrow = stack((0..d).map(|i| if i == 0 { z.sum().sin() } else { z.at(i).exp() }));
    let (_, used) = jacobian_with(&tape, &map(&tape, z.id(), arrow.id()));
    assert!(matches!(used, Compression::Rows(2)), "{used:?}");
}

#[test]
fn symbolics_1483_shared_nodes_do_not_multiply() {
    // x ← x + x·x, a hundred thousand times over: 2^100000 paths, 2·10⁵ nodes.
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(1));
    let mut x = z;
    for _ in 0..100_000 {
        x = 0.5 * x + (x * x).tanh() * 1e-6;
    }
    let reach = map(&tape, z.id(), x.id());
    let reach = Reach::new(&tape, &reach, Relation::Value);
    assert_eq!(reach.pattern(), vec![vec![0]]);
    let (along, back) = both_ways(&tape, z, x);
    let values = numbers(&tape, z, &[along, back], &[0.5]);
    assert_eq!(values[0], values[1]);
}

#[test]
fn jax_347_nan_from_the_branch_not_taken() {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(2));
    for dead in [-1.0, 0.0] {
        let x = select(z.gt(0.0), z.sqrt(), 0.0) + select(z.gt(0.5), z.ln(), z);
        let (along, back) = both_ways(&tape, z, x);
        let values = numbers(&tape, z, &[along, back], &[dead, 4.0]);
        assert_eq!(values[0], [1.0 + 0.25 + 0.25]);
        assert_eq!(values[1], [1.0, 0.5]);
    }
}

#[test]
fn tinygrad_12409_second_derivatives_through_a_dead_branch() {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(2));
    let x = select(z.gt(0.0), z.sqrt(), z * z);
    let (_, gradient) = both_ways(&tape, z, x);
    let (along, back) = both_ways(&tape, z, gradient);
    let values = numbers(&tape, z, &[along, back], &[-3.0, 4.0]);
    assert_eq!(values[1], [2.0, -0.03125]);
    assert_eq!(values[0], [2.0 - 0.03125]);
}

#[test]
fn jax_1052_one_element_of_a_root_whose_other_element_is_at_zero() {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(2));
    let y = z.sqrt().at(1);
    let subgraph = Subgraph::new(&tape, &[z.id()], &[y.id()]);
    let back = adjoint(&tape, &subgraph, &[(y.id(), tape.constant(1.0))], &[z.id()])[0].unwrap();
    assert_eq!(numbers(&tape, z, &[back], &[0.0, 4.0])[0], [0.0, 0.25]);
    // And where a condition drops the element at 0 after a gather.
    let picked = z.sqrt().gather(&[0, 1]);
    let y = select(z.gt(0.0), picked, 7.0).sum();
    let subgraph = Subgraph::new(&tape, &[z.id()], &[y.id()]);
    let back = adjoint(&tape, &subgraph, &[(y.id(), tape.constant(1.0))], &[z.id()])[0].unwrap();
    assert_eq!(numbers(&tape, z, &[back], &[0.0, 4.0])[0], [0.0, 0.25]);
}

#[test]
fn forwarddiff_774_a_masked_infinity_does_not_leak() {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(2));
    let masked = z.recip() * tape.vector(&[0.0, 1.0]);
    let product = tape.matrix(2, 2, &[0.0, 1.0, 0.0, 2.0]).matvec(z.recip());
    let (along, back) = both_ways(&tape, z, masked + product);
    let values = numbers(&tape, z, &[masked, product, along, back], &[0.0, 2.0]);
    assert_eq!(values[0], [0.0, 0.5]);
    assert_eq!(values[1], [0.5, 1.0]);
    assert_eq!(values[2], [-1.0]);
    assert_eq!(values[3], [0.0, -1.0]);
}

#[test]
fn sct_244_a_constant_zero_times_x_is_no_dependence_and_a_weight_at_zero_is() {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(2));
    let weight = tape.parameter("w", Shape::Scalar, Init::Constant(0.0));
    let seen_through = stack([z.at(0) + 0.0 * z.at(1), z.at(1)]);
    let by_chance = stack([z.at(0) + weight * z.at(1), z.at(1)]);
    let proves = |x: Var<'_>| prove(&tape, &map(&tape, z.id(), x.id()), &Structure::LowerTriangular).is_ok();
    assert!(proves(seen_through));
    assert!(!proves(by_chance));
}

#[test]
fn a_condition_is_a_dependence_for_order_and_none_for_the_derivative() {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(2));
    let (a, b) = (z.at(0), z.at(1));
    let x = stack([select(b.gt(0.0), a, 2.0 * a), b]);
    let map = map(&tape, z.id(), x.id());
    assert!(matches!(prove(&tape, &map, &Structure::LowerTriangular), Err(StructureError::Unproven(_))));
    assert!(prove(&tape, &map, &Structure::UpperTriangular).is_ok());
    let found = diagonal(&tape, &map);
    assert_eq!(found.sweeps, 1);
    assert_eq!(numbers(&tape, z, &[found.entries], &[1.0, 3.0])[0], [1.0, 1.0]);
    assert_eq!(numbers(&tape, z, &[found.entries], &[1.0, -3.0])[0], [2.0, 1.0]);
}

#[test]
fn two_outputs_that_are_one_node_are_proven_singular() {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(2));
    let x = stack([z.at(0).exp(), z.at(0).exp()]);
    let map = map(&tape, z.id(), x.id());
    for structure in [Structure::LowerTriangular, Structure::Dense] {
        assert!(matches!(log_det(&tape, &map, &structure), Err(StructureError::Singular { .. })));
    }
    assert!(matches!(discover(&tape, &map), Err(StructureError::Singular { .. })));
}

#[test]
fn the_conditioner_of_a_coupling_layer_is_never_touched() {
    // Nodes that the log-determinant adds to the tape: the same for any width and depth of the network.
    let added = |hidden: &[usize]| {
        let layer = AffineCoupling::new(CouplingMask::first_half(8), Network::new(hidden));
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(8));
        let x = layer.forward(z);
        let before = tape.len();
        log_det(&tape, &map(&tape, z.id(), x.id()), &layer.structure()).unwrap();
        tape.len() - before
    };
    assert_eq!(added(&[4]), added(&[64, 64, 64, 64]));
    assert!(added(&[4]) < 16, "{} nodes", added(&[4]));
}

#[test]
fn burn_2333_a_training_step_does_not_grow_the_tape() {
    // Recorded once: a fit runs the same program every time. Ten thousand runs, one buffer.
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(2));
    let y = (z * z).sum().sin();
    let mut program = Program::<f64>::compile(&tape, &[z.id()], &[Output::Sum(y.id())]);
    program.load(&Parameters::default()).unwrap();
    let before = tape.len();
    for step in 0..10_000 {
        let found = program.run(&[&[0.1, f64::from(step)]], 1).unwrap();
        assert!(found[0][0].is_finite());
    }
    assert_eq!(tape.len(), before);
}

#[test]
fn micrograd_90_a_million_nodes_on_a_small_stack() {
    let work = || {
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(1));
        let mut x = z;
        for k in 0..500_000 {
            x = if k % 2 == 0 { x.sin() } else { x + 0.25 };
        }
        assert!(tape.len() > 500_000);
        let map = map(&tape, z.id(), x.id());
        assert!(prove(&tape, &map, &Structure::Diagonal).is_ok());
        let derived = log_det(&tape, &map, &Structure::Diagonal).unwrap();
        let (along, back) = both_ways(&tape, z, x);
        let values = numbers(&tape, z, &[along, back, derived.value], &[0.3]);
        assert_eq!(values[0], values[1]);
        let text = render(&tape, x.id(), &Names::new().with(z.id(), "z"));
        assert!(text.len() > 1_000_000);
    };
    thread::Builder::new().stack_size(1 << 20).spawn(work).unwrap().join().unwrap();
}

#[test]
fn tfp_1388_shape_errors_name_both_shapes_and_the_line() {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(3));
    let _ = z + tape.vector(&[1.0, 2.0]);
    let line = line!() - 1;
    let _ = tape.matrix(2, 2, &[1.0; 4]).matvec(z);
    let _ = z.at(3);
    let _ = z * f64::NAN;
    let error = tape.check().unwrap_err();
    assert_eq!(error.0.len(), 4, "all of them at once: {error}");
    let first = error.0[0].to_string();
    assert!(
        first.contains("[3] and [2]") && first.contains(&format!("tests/requirements.rs:{line}")),
        "{first}"
    );
    assert!(error.0[3].to_string().contains("NaN cannot be a constant"));
}

#[test]
fn rust_autograd_32_operands_of_two_tapes_are_an_error_that_names_both() {
    let (one, two) = (Tape::new(), Tape::new());
    let _ = one.input(Shape::Vector(2)) + two.input(Shape::Vector(2));
    for tape in [&one, &two] {
        let message = tape.check().unwrap_err().to_string();
        assert_eq!(message.matches("tests/requirements.rs:").count(), 3, "{message}");
    }
}

#[test]
fn a_parameter_declared_twice_differently_is_an_error() {
    let tape = Tape::new();
    let first = tape.parameter("w", Shape::Vector(2), Init::Constant(1.0));
    assert_eq!(first.id(), tape.parameter("w", Shape::Vector(2), Init::Constant(1.0)).id());
    tape.check().unwrap();
    let _ = tape.parameter("w", Shape::Vector(3), Init::Constant(1.0));
    assert!(tape.check().unwrap_err().to_string().contains("declared twice"));
    assert_eq!(
        tape.scope("a", || tape.parameter("w", Shape::Scalar, Init::Constant(0.0))).shape(),
        Shape::Scalar
    );
    assert_eq!(tape.declarations()[1].name, "a.w");
}

#[test]
fn programs_refuse_rows_that_are_not_whole_and_take_none() {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(2));
    let y = z.sum();
    let outputs = [Output::Each(y.id()), Output::Sum(y.id())];
    let mut program = Program::<f64>::compile(&tape, &[z.id()], &outputs);
    assert_eq!(program.run(&[&[1.0, 2.0]], 1), Err(ProgramError::NotLoaded));
    program.load(&Parameters::default()).unwrap();
    assert_eq!(program.run(&[&[]], 0).unwrap(), vec![vec![], vec![0.0]]);
    assert_eq!(
        program.run(&[&[1.0, 2.0, 3.0]], 2).unwrap_err().to_string(),
        "input 0 holds 3 numbers, but 2 rows of 2 are 4"
    );
    assert!(matches!(program.run(&[], 1), Err(ProgramError::Inputs { expected: 1, given: 0 })));
}

#[test]
fn forwarddiff_547_the_first_nan_is_traced_to_its_operation() {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(2));
    let y = (z.sqrt() + 1.0).sum();
    let line = line!() - 1;
    let mut program = Program::<f64>::compile(&tape, &[z.id()], &[Output::Each(y.id())]);
    program.load(&Parameters::default()).unwrap();
    let found = program.trace_nonfinite(&[&[1.0, 2.0, 4.0, -1.0]], 2).unwrap().unwrap();
    let place = found.place.location().map(|place| place.line());
    assert_eq!((found.operation, found.row, found.element, place), ("sqrt", 1, 1, Some(line)));
    assert_eq!(program.trace_nonfinite(&[&[1.0, 2.0]], 1).unwrap(), None);
}

#[test]
fn a_million_variables_in_one_diagonal_layer() {
    let d = 1_000_000;
    let layer = Affine::new(vec![1e-3; d], vec![0.5; d]);
    let recording = record(&layer).unwrap();
    let point = vec![0.1; d];
    let found = numbers(recording.tape(), recording.input(), &[recording.log_det()], &point)[0][0];
    // The determinant is 10^-3000000; its logarithm is a number.
    assert!((found / (d as f64 * 1e-3f64.ln()) - 1.0).abs() < 1e-10);
}

#[test]
fn one_variable_is_enough() {
    struct Exp;
    impl Bijection for Exp {
        fn dim(&self) -> usize {
            1
        }
        fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
            z.exp()
        }
    }
    let recording = record(&Exp).unwrap();
    let found = numbers(recording.tape(), recording.input(), &[recording.log_det()], &[0.7]);
    assert!((found[0][0] - 0.7).abs() < 1e-15);
}
