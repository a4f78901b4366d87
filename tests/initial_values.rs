//! Initial-value problems as nodes: values against closed forms, and derivatives of every kind against central
//! differences, against recordings that are written out step by step, and against one another.

use pushforward::bijection::initial_value;
use pushforward::prelude::*;
use pushforward::program::{Output, Program, Threads};
use pushforward::sweep::{adjoint, tangent};
use pushforward::tape::{Gradient, Integration, Method, NodeId, Subgraph};

const RUNGE_KUTTA: Method = Method::RungeKutta4 { steps: 5 };
const FINE: Method = Method::DormandPrince { relative: 1e-8, absolute: 1e-8, most_steps: 500 };

/// dz/dt = A·tanh(W z + t·u) + c∘z: parameters, a captured row, and time.
fn velocity<'t>(z: Var<'t>, t: Var<'t>, c: Var<'t>) -> Var<'t> {
    let (tape, d) = (z.tape(), z.len());
    let hidden = 4;
    let w = tape.parameter("w", Shape::Matrix(hidden, d), Init::Uniform(1.2));
    let u = tape.parameter("u", Shape::Vector(hidden), Init::Uniform(1.2));
    let a = tape.parameter("a", Shape::Matrix(d, hidden), Init::Uniform(1.2));
    let inner = w.matvec(z) + t.broadcast(u.shape()) * u;
    a.matvec(inner.tanh()) + c.tanh() * z
}

/// A tape with z(1) as a function of the input `start` and the captured row `c`.
struct Case<'t> {
    start: Var<'t>,
    c: Var<'t>,
    end: Var<'t>,
}

fn case(tape: &Tape, d: usize, method: Method, gradient: Gradient) -> Case<'_> {
    let (start, c) = (tape.input(Shape::Vector(d)), tape.input(Shape::Vector(d)));
    let integration = Integration { gradient, ..Integration::new(0.0, 1.0, method) };
    let end = initial_value(start, integration, |z, t| velocity(z, t, c));
    Case { start, c, end }
}

/// The same Runge-Kutta steps written out one after another.
fn unrolled<'t>(tape: &'t Tape, d: usize, steps: usize) -> Case<'t> {
    let (start, c) = (tape.input(Shape::Vector(d)), tape.input(Shape::Vector(d)));
    let h = 1.0 / steps as f64;
    let mut z = start;
    for k in 0..steps {
        let at = |z, part: f64| velocity(z, tape.constant(h * (k as f64 + part)), c);
        let first = at(z, 0.0);
        let second = at(z + (h / 2.0) * first, 0.5);
        let third = at(z + (h / 2.0) * second, 0.5);
        let fourth = at(z + h * third, 1.0);
        z = z + h * ((first + fourth) / 6.0 + (second + third) / 3.0);
    }
    Case { start, c, end: z }
}

fn loaded(tape: &Tape, inputs: &[NodeId], outputs: &[Output], seed: u64) -> Program<f64> {
    let mut program = Program::compile(tape, inputs, outputs);
    program.load(&Parameters::initialise(tape, seed)).unwrap();
    program
}

fn points(count: usize, shift: f64) -> Vec<f64> {
    (0..count).map(|k| (1.7 * k as f64 + shift).sin()).collect()
}

/// All derivatives of one scalar of the solution: by start, by the captured row, by each parameter; and batch sums of those
/// by parameters.
fn gradients(case: &Case<'_>) -> Vec<Output> {
    let tape = case.end.tape();
    let weights: Vec<f64> = (0..case.end.len()).map(|k| 1.0 + 0.3 * k as f64).collect();
    let loss = (case.end.powi(2) * tape.vector(&weights)).sum();
    let wrt: Vec<NodeId> = [case.start.id(), case.c.id()].into_iter().chain(tape.parameters()).collect();
    let inputs = [case.start.id(), case.c.id()];
    let subgraph = Subgraph::new(tape, &inputs, &[loss.id()]);
    let found = adjoint(tape, &subgraph, &[(loss.id(), tape.constant(1.0))], &wrt);
    let found: Vec<NodeId> =
        found.into_iter().map(|share| share.expect("all of them move it").id()).collect();
    let each = found.iter().map(|id| Output::Each(*id));
    let sums = found[2..].iter().map(|id| Output::Sum(*id));
    [Output::Each(case.end.id())].into_iter().chain(each).chain(sums).collect()
}

fn assert_near(found: &[f64], expected: &[f64], tolerance: f64, what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (k, (a, b)) in found.iter().zip(expected).enumerate() {
        assert!((a - b).abs() <= tolerance * b.abs().max(1.0), "{what} {k}: {a} instead of {b}");
    }
}

#[test]
fn values_and_gradients_are_those_of_the_steps_written_out() {
    for (d, rows) in [(1, 1), (3, 1), (3, 5), (2, 300)] {
        let (tape, plain) = (Tape::new(), Tape::new());
        let (own, written) = (case(&tape, d, RUNGE_KUTTA, Gradient::Discrete), unrolled(&plain, d, 5));
        let inputs = [own.start.id(), own.c.id()];
        let (a, b) = (gradients(&own), gradients(&written));
        let (z, c) = (points(rows * d, 0.1), points(rows * d, 0.7));
        let expected =
            loaded(&plain, &[written.start.id(), written.c.id()], &b, 1).run(&[&z, &c], rows).unwrap();
        let found = loaded(&tape, &inputs, &a, 1).run(&[&z, &c], rows).unwrap();
        for (k, (found, expected)) in found.iter().zip(&expected).enumerate() {
            assert_near(found, expected, 1e-12 * rows as f64, &format!("d = {d}, {rows} rows, output {k}"));
        }
        // Sums alone are added up over steps, without a value for each row.
        let sums = &a[a.len() - 3..];
        let alone = loaded(&tape, &inputs, sums, 1).run(&[&z, &c], rows).unwrap();
        for (alone, expected) in alone.iter().zip(&expected[expected.len() - 3..]) {
            assert_near(alone, expected, 1e-12 * rows as f64, "sums alone");
        }
    }
}

/// The last stage is evaluated short of the end: what the velocity computes of z there is not that function of the solution.
#[test]
fn a_function_of_the_solution_may_be_one_that_the_velocity_computes_of_z() {
    for method in [Method::Euler { steps: 3 }, RUNGE_KUTTA, FINE] {
        let tape = Tape::new();
        let start = tape.input(Shape::Vector(2));
        let end = initial_value(start, Integration::new(0.0, 2.0, method), |z, _| z.tanh() - 0.3 * z * z);
        // Of the solution alone, of it and of the problem's own velocity, and of a problem that begins there.
        let of_end = [end.tanh(), end * end, end.tanh() - 0.3 * end * end];
        let again = initial_value(end, Integration::new(0.0, 1.0, method), |z, _| z.tanh() * end.tanh());
        let outputs: Vec<Output> = [end]
            .iter()
            .chain(&of_end)
            .chain([&again, &again.tanh()])
            .map(|x| Output::Each(x.id()))
            .collect();
        let z = [0.4, -0.9, 1.3, 0.2];
        let found = loaded(&tape, &[start.id()], &outputs, 0).run(&[&z], 2).unwrap();
        for (k, end) in found[0].iter().enumerate() {
            let expected = [end.tanh(), end * end, end.tanh() - 0.3 * end * end];
            for (found, expected) in found[1..4].iter().zip(expected) {
                assert!((found[k] - expected).abs() < 1e-14, "{method:?}: {} {expected}", found[k]);
            }
            assert!((found[5][k] - found[4][k].tanh()).abs() < 1e-14, "{method:?}");
        }
        // d tanh(z(t₁))/dz₀ by differences.
        let subgraph = Subgraph::new(&tape, &[start.id()], &[of_end[0].id()]);
        let slope = tangent(&tape, &subgraph, &[(start.id(), tape.vector(&[1.0, 0.0]))])[0].unwrap();
        let program = loaded(&tape, &[start.id()], &[of_end[0], slope].map(|x| Output::Each(x.id())), 0);
        let at = |z: f64| program.run(&[&[z, -0.9]], 1).unwrap();
        let expected = (at(0.4 + 1e-5)[0][0] - at(0.4 - 1e-5)[0][0]) / 2e-5;
        assert!((at(0.4)[1][0] - expected).abs() < 1e-4, "{method:?}: {} {expected}", at(0.4)[1][0]);
    }
}

/// f at z and at c, for a flat list of both.
fn at(program: &Program<f64>, both: &[f64]) -> Vec<Vec<f64>> {
    let (z, c) = both.split_at(both.len() / 2);
    program.run(&[z, c], 1).unwrap()
}

/// Central differences of one output by all inputs, extrapolated.
fn differences(program: &Program<f64>, output: usize, both: &[f64], step: f64) -> Vec<Vec<f64>> {
    let of = |k: usize, h: f64| {
        let moved = |h: f64| {
            let mut both = both.to_vec();
            both[k] += h;
            at(program, &both).swap_remove(output)
        };
        let (up, down) = (moved(h), moved(-h));
        up.iter().zip(&down).map(|(a, b)| (a - b) / (2.0 * h)).collect::<Vec<f64>>()
    };
    (0..both.len())
        .map(|k| {
            let (wide, narrow) = (of(k, 2.0 * step), of(k, step));
            wide.iter().zip(narrow).map(|(wide, narrow)| (4.0 * narrow - wide) / 3.0).collect()
        })
        .collect()
}

#[test]
fn gradients_are_central_differences() {
    // Of steps of equal size to rounding, of others as far as the sizes of steps do not follow the differences.
    for (method, gradient, tolerance) in [
        (RUNGE_KUTTA, Gradient::Discrete, 1e-8),
        (Method::Euler { steps: 7 }, Gradient::Discrete, 1e-8),
        (FINE, Gradient::Discrete, 1e-5),
        (FINE, Gradient::Continuous, 1e-5),
        (Method::RungeKutta4 { steps: 40 }, Gradient::Continuous, 1e-6),
    ] {
        let d = 3;
        let tape = Tape::new();
        let own = case(&tape, d, method, gradient);
        let program = loaded(&tape, &[own.start.id(), own.c.id()], &gradients(&own), 4);
        let both = points(2 * d, 0.3);
        let found = at(&program, &both);
        let slopes = differences(&program, 0, &both, 1e-3);
        let by_end: Vec<f64> = (0..d).map(|k| 2.0 * (1.0 + 0.3 * k as f64) * found[0][k]).collect();
        let chained = |slope: &Vec<f64>| slope.iter().zip(&by_end).map(|(s, w)| s * w).sum::<f64>();
        let expected: Vec<f64> = slopes.iter().map(chained).collect();
        assert_near(&found[1], &expected[..d], tolerance, &format!("{method:?} {gradient:?} by z"));
        assert_near(&found[2], &expected[d..], tolerance, &format!("{method:?} {gradient:?} by c"));
        // By parameters, through the sums.
        let start = Parameters::initialise(&tape, 4);
        for (number, name) in ["w", "u", "a"].into_iter().enumerate() {
            let tensor = start.get(name).unwrap();
            let loss = |e: usize, h: f64| {
                let (mut moved, mut values) = (start.clone(), tensor.values.clone());
                values[e] += h;
                moved.set(name, tensor.shape, values).unwrap();
                let mut program = program.clone();
                program.load(&moved).unwrap();
                let end = at(&program, &both).swap_remove(0);
                end.iter().enumerate().map(|(k, x)| (1.0 + 0.3 * k as f64) * x * x).sum::<f64>()
            };
            for e in 0..tensor.values.len() {
                let slope = |h: f64| (loss(e, h) - loss(e, -h)) / (2.0 * h);
                let expected = (4.0 * slope(1e-3) - slope(2e-3)) / 3.0;
                for output in [3 + number, 6 + number] {
                    let found = found[output][e];
                    let off = (found - expected).abs();
                    assert!(off <= tolerance * expected.abs().max(1.0), "{name}[{e}]: {found} {expected}");
                }
            }
        }
    }
}

/// The tangent of z(1), the gradient of a loss, its own tangent and its own gradient.
fn second_derivatives<'t>(case: &Case<'t>, tangents: [Var<'t>; 2]) -> Vec<Output> {
    let tape = case.end.tape();
    let w = tape.parameters()[0];
    let inputs = [case.start.id(), case.c.id()];
    let moved = [(inputs[0], tangents[0]), (inputs[1], tangents[1])];
    let map = |output: Var<'_>| Subgraph::new(tape, &inputs, &[output.id()]);
    let first = tangent(tape, &map(case.end), &moved)[0].unwrap();
    let loss = case.end.sin().sum();
    let one = tape.constant(1.0);
    let slopes = adjoint(tape, &map(loss), &[(loss.id(), one)], &[inputs[0], inputs[1], w]);
    let mut outputs = vec![Output::Each(first.id())];
    for slope in slopes {
        let slope = slope.unwrap();
        let along = tangent(tape, &map(slope), &moved)[0].unwrap();
        let size = (slope * slope).sum();
        let second = adjoint(tape, &map(size), &[(size.id(), one)], &[inputs[0], inputs[1], w]);
        outputs.push(Output::Each(along.id()));
        outputs.extend(second.into_iter().map(|share| Output::Each(share.unwrap().id())));
    }
    outputs
}

#[test]
fn second_derivatives_are_those_of_the_steps_written_out() {
    let d = 2;
    let (tape, plain) = (Tape::new(), Tape::new());
    let method = Method::RungeKutta4 { steps: 3 };
    let (own, written) = (case(&tape, d, method, Gradient::Discrete), unrolled(&plain, d, 3));
    let mut results = Vec::new();
    for (tape, case) in [(&tape, &own), (&plain, &written)] {
        let moved = [tape.input(Shape::Vector(d)), tape.input(Shape::Vector(d))];
        let outputs = second_derivatives(case, moved);
        let inputs = [case.start.id(), case.c.id(), moved[0].id(), moved[1].id()];
        let program = loaded(tape, &inputs, &outputs, 2);
        let rows = 3;
        let given: Vec<Vec<f64>> = (0..4).map(|k| points(rows * d, k as f64)).collect();
        let given: Vec<&[f64]> = given.iter().map(Vec::as_slice).collect();
        results.push(program.run(&given, rows).unwrap());
    }
    let expected = results.pop().unwrap();
    assert_eq!(expected.len(), 13);
    for (k, (found, expected)) in results[0].iter().zip(&expected).enumerate() {
        assert_near(found, expected, 1e-11, &format!("output {k}"));
    }
}

#[test]
fn second_derivatives_of_adaptive_steps_are_central_differences_of_gradients() {
    let d = 2;
    let tape = Tape::new();
    let own = case(&tape, d, FINE, Gradient::Discrete);
    let moved = [tape.input(Shape::Vector(d)), tape.input(Shape::Vector(d))];
    let outputs = second_derivatives(&own, moved);
    let inputs = [own.start.id(), own.c.id(), moved[0].id(), moved[1].id()];
    let second = loaded(&tape, &inputs, &outputs, 2);
    let loss = own.end.sin().sum();
    let subgraph = Subgraph::new(&tape, &inputs[..2], &[loss.id()]);
    let slopes = adjoint(&tape, &subgraph, &[(loss.id(), tape.constant(1.0))], &inputs[..2]);
    let slopes: Vec<Output> = slopes.into_iter().map(|slope| Output::Each(slope.unwrap().id())).collect();
    let first = loaded(&tape, &inputs[..2], &slopes, 2);
    let (both, direction) = (points(2 * d, 0.3), points(2 * d, 1.3));
    let (z, c) = both.split_at(d);
    let found = second.run(&[z, c, &direction[..d], &direction[d..]], 1).unwrap();
    for (output, place) in [(0, 1), (1, 5)] {
        let rows = differences(&first, output, &both, 1e-2);
        let expected: Vec<f64> =
            (0..d).map(|e| rows.iter().zip(&direction).map(|(row, t)| row[e] * t).sum()).collect();
        assert_near(&found[place], &expected, 1e-4, &format!("gradient {output} along a direction"));
    }
}

#[test]
fn a_solution_may_use_its_own_operands_twice() {
    // The start is captured, too, and the direction is the captured row itself.
    let d = 2;
    let (tape, plain) = (Tape::new(), Tape::new());
    let start = tape.input(Shape::Vector(d));
    let integration = Integration::new(0.0, 0.5, Method::RungeKutta4 { steps: 2 });
    let end = initial_value(start, integration, |z, _| start * z.sin());
    let z0 = plain.input(Shape::Vector(d));
    let mut z = z0;
    for _ in 0..2 {
        let h = 0.25;
        let rate = |z| z0 * Var::sin(z);
        let first = rate(z);
        let second = rate(z + (h / 2.0) * first);
        let third = rate(z + (h / 2.0) * second);
        let fourth = rate(z + h * third);
        z = z + h * ((first + fourth) / 6.0 + (second + third) / 3.0);
    }
    let mut results = Vec::new();
    for (tape, start, end) in [(&tape, start, end), (&plain, z0, z)] {
        let one = tape.constant(1.0);
        let map = |output: Var<'_>| Subgraph::new(tape, &[start.id()], &[output.id()]);
        let loss = end.powi(2).sum();
        let slope = adjoint(tape, &map(loss), &[(loss.id(), one)], &[start.id()])[0].unwrap();
        let along = tangent(tape, &map(slope), &[(start.id(), start)])[0].unwrap();
        let size = (slope * start).sum();
        let again = adjoint(tape, &map(size), &[(size.id(), one)], &[start.id()])[0].unwrap();
        let outputs = [slope, along, again].map(|node| Output::Each(node.id()));
        results.push(loaded(tape, &[start.id()], &outputs, 0).run(&[&[0.4, -1.1]], 1).unwrap());
    }
    for (k, (found, expected)) in results[0].iter().zip(&results[1]).enumerate() {
        assert_near(found, expected, 1e-13, &format!("output {k}"));
    }
}

#[test]
fn recording_does_not_grow_with_steps() {
    let size = |steps: usize| {
        let tape = Tape::new();
        let own = case(&tape, 4, Method::RungeKutta4 { steps }, Gradient::Discrete);
        let outputs = gradients(&own);
        let program = Program::<f64>::compile(&tape, &[own.start.id(), own.c.id()], &outputs);
        (tape.len(), program.instructions(), program.operations(), program.lanes())
    };
    assert_eq!(size(8), size(64));
}

#[test]
fn a_row_does_not_depend_on_the_rows_beside_it() {
    let d = 3;
    let tape = Tape::new();
    let own = case(&tape, d, FINE, Gradient::Discrete);
    let outputs = gradients(&own);
    let each = &outputs[..6];
    let mut program = loaded(&tape, &[own.start.id(), own.c.id()], each, 1);
    let rows = 700;
    let (mut z, c) = (points(rows * d, 0.1), points(rows * d, 0.7));
    // Some rows need many more steps than others.
    z.iter_mut().enumerate().for_each(|(k, z)| *z *= if k % 7 == 0 { 40.0 } else { 1.0 });
    let together = program.run(&[&z, &c], rows).unwrap();
    program.set_threads(Threads::One);
    assert_eq!(together, program.run(&[&z, &c], rows).unwrap());
    for row in [0, 1, 6, 333, 699] {
        let own = row * d..(row + 1) * d;
        let single = program.run(&[&z[own.clone()], &c[own.clone()]], 1).unwrap();
        assert_near(&single[0], &together[0][own], 1e-13, "alone");
        for (single, together) in single.iter().zip(&together) {
            let width = together.len() / rows;
            assert_near(single, &together[row * width..(row + 1) * width], 1e-9, "alone");
        }
    }
    let padded = program.run(&[&z[..9], &c[..9]], 3).unwrap();
    assert_near(&padded[0], &together[0][..9], 1e-13, "three rows");
}

#[test]
fn adaptive_steps_keep_to_their_tolerance_and_are_counted() {
    // dz/dt = -z³, and dz/dt = cos(t)·z.
    for z0 in [0.3, -2.0, 8.0] {
        let mut last = f64::INFINITY;
        let mut evaluations = Vec::new();
        for tolerance in [1e-4, 1e-6, 1e-8, 1e-10] {
            let tape = Tape::new();
            let start = tape.input(Shape::Vector(2));
            let method =
                Method::DormandPrince { relative: tolerance, absolute: tolerance, most_steps: 10_000 };
            let integration = Integration::new(0.0, 3.0, method);
            let end = initial_value(start, integration, |z, t| stack([-z.at(0).powi(3), z.at(1) * t.cos()]));
            let program = loaded(&tape, &[start.id()], &[Output::Each(end.id())], 0);
            let found = program.run(&[&[z0, z0]], 1).unwrap().swap_remove(0);
            let exact = [z0 / (1.0 + 6.0 * z0 * z0).sqrt(), z0 * 3f64.sin().exp()];
            let off = (found[0] - exact[0]).abs().max((found[1] - exact[1]).abs());
            assert!(off <= 60.0 * tolerance * z0.abs().max(1.0), "{z0} {tolerance}: {off}");
            assert!(off < last, "{z0} {tolerance}: {off} after {last}");
            last = off;
            let steps = program.steps();
            assert_eq!((steps.solutions, steps.failed), (1, 0));
            assert_eq!(steps.evaluations, 2 + 6 * (steps.accepted + steps.rejected));
            evaluations.push(steps.evaluations);
        }
        assert!(evaluations.is_sorted() && evaluations[3] > 3 * evaluations[0], "{evaluations:?}");
    }
}

#[test]
fn what_cannot_be_solved_is_not_a_number() {
    let solve = |method: Method, z: f64, to: f64| {
        let tape = Tape::new();
        let start = tape.input(Shape::Vector(1));
        // z/(1 - zt): at t = 1/z there is no solution any more.
        let end = initial_value(start, Integration::new(0.0, to, method), |z, _| z.powi(2));
        let program = loaded(&tape, &[start.id()], &[Output::Each(end.id())], 0);
        // Beside a row that is solved.
        let found = program.run(&[&[z, 0.1, z]], 3).unwrap().swap_remove(0);
        let trace = program.trace_nonfinite(&[&[z, 0.1, z]], 3).unwrap();
        (found, program.steps(), trace)
    };
    let (found, steps, trace) = solve(FINE, 2.0, 1.0);
    assert!(found[0].is_nan() && found[2].is_nan() && (found[1] - 0.1 / 0.9).abs() < 1e-7, "{found:?}");
    assert_eq!((steps.failed, steps.solutions), (2, 3));
    let message = trace.unwrap().to_string();
    assert!(message.contains("initial value problem gives NaN"), "{message}");
    assert!(message.contains("initial_values.rs"), "{message}");
    let few = Method::DormandPrince { relative: 1e-10, absolute: 1e-10, most_steps: 3 };
    assert!(solve(few, 0.9, 1.0).0[0].is_nan());
    for z in [f64::NAN, f64::INFINITY] {
        let (found, ..) = solve(FINE, z, 1.0);
        assert!(found[0].is_nan() && found[1].is_finite(), "{found:?}");
        assert!(!solve(RUNGE_KUTTA, z, 1.0).0[0].is_finite());
    }
    // No time passes: nothing is evaluated, and nothing moves.
    let (found, steps, _) = solve(FINE, 2.0, 0.0);
    assert_eq!((found[0], steps.evaluations), (2.0, 0));
    let program = {
        let tape = Tape::new();
        let start = tape.input(Shape::Vector(1));
        let end = initial_value(start, Integration::new(0.0, 1.0, FINE), |z, _| z.powi(2));
        loaded(&tape, &[start.id()], &[Output::Each(end.id()), Output::Sum(end.id())], 0)
    };
    assert_eq!(program.run(&[&[]], 0).unwrap(), vec![vec![], vec![0.0]]);
}

#[test]
fn mistakes_of_a_recording_are_named() {
    let message = |integration: Integration, wrong: bool| {
        let tape = Tape::new();
        let start = tape.input(Shape::Vector(2));
        let _ = initial_value(start, integration, |z, _| if wrong { z.sum() } else { z });
        tape.check().unwrap_err().to_string()
    };
    let plain = Integration::new(0.0, 1.0, RUNGE_KUTTA);
    let shape = message(plain, true);
    assert!(
        shape.contains("dz/dt must be a vector of 2 numbers") && shape.contains("initial_values.rs"),
        "{shape}"
    );
    assert!(message(Integration { to: f64::NAN, ..plain }, false).contains("must be finite"));
    let none = Integration::new(0.0, 1.0, Method::RungeKutta4 { steps: 0 });
    assert!(message(none, false).contains("at least one step"));
    let loose = Method::DormandPrince { relative: 0.0, absolute: 0.0, most_steps: 10 };
    assert!(message(Integration::new(0.0, 1.0, loose), false).contains("tolerances"));
    let tape = Tape::new();
    let _ = initial_value(tape.input(Shape::Scalar), plain, |z, _| z);
    assert!(tape.check().unwrap_err().to_string().contains("begins at a vector"));
}

#[test]
fn single_precision_follows_double() {
    let d = 3;
    let tape = Tape::new();
    let method = Method::DormandPrince { relative: 1e-4, absolute: 1e-4, most_steps: 500 };
    let own = case(&tape, d, method, Gradient::Discrete);
    let outputs = gradients(&own);
    let inputs = [own.start.id(), own.c.id()];
    let double = loaded(&tape, &inputs, &outputs, 1);
    let mut single = Program::<f32>::compile(&tape, &inputs, &outputs);
    single.load(&Parameters::initialise(&tape, 1)).unwrap();
    let rows = 40;
    let (z, c) = (points(rows * d, 0.1), points(rows * d, 0.7));
    let narrow = |values: &[f64]| values.iter().map(|v| *v as f32).collect::<Vec<f32>>();
    let expected = double.run(&[&z, &c], rows).unwrap();
    let found = single.run(&[&narrow(&z), &narrow(&c)], rows).unwrap();
    for (found, expected) in found.iter().zip(&expected) {
        let found: Vec<f64> = found.iter().map(|v| f64::from(*v)).collect();
        assert_near(&found, expected, 2e-3, "single precision");
    }
}
