//! Inverses through bottlenecks of several elements: round trips, solutions of the whole system by dense Newton steps,
//! derivatives, and messages where there is no solution.

use std::cell::Cell;

use pushforward::audit::{Topic, audit};
use pushforward::bijection::{derived_inverse, inverse_with_log_det};
use pushforward::numeric::Lu;
use pushforward::prelude::*;
use pushforward::program::{Output, Program};
use pushforward::sweep::adjoint;
use pushforward::tape::{Equation, NodeId, Op, Subgraph};

use crate::random_programs::bottleneck::planted;
use crate::random_programs::{Chooser, for_seeds, numbers, off};

/// A layer from a closure.
struct Layer<F> {
    d: usize,
    forward: F,
}

impl<F: for<'t> Fn(Var<'t>) -> Var<'t> + Send + Sync> Bijection for Layer<F> {
    fn dim(&self) -> usize {
        self.d
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        (self.forward)(z)
    }
}

fn layer<F: for<'t> Fn(Var<'t>) -> Var<'t> + Send + Sync>(d: usize, forward: F) -> Layer<F> {
    Layer { d, forward }
}

fn weight<'t>(z: Var<'t>, name: &str, rows: usize, columns: usize, size: f64) -> Var<'t> {
    let seed = name.bytes().map(f64::from).sum::<f64>();
    let values =
        (0..rows * columns).map(|k| size * (7.3 * k as f64 + 0.37 * (k * k) as f64 + seed).sin()).collect();
    z.tape().parameter(name, Shape::Matrix(rows, columns), Init::Values(values))
}

/// x = z + W₂·tanh(W₁z + b) with three hidden units; W₂ = 0.7·W₁ᵀ, so that it is one-to-one.
fn hidden<'t>(z: Var<'t>) -> Var<'t> {
    let inner = weight(z, "in", 3, z.len(), 0.6);
    let b = z.tape().parameter("b", Shape::Vector(3), Init::Values(vec![0.3, -0.5, 0.1]));
    z + 0.7 * inner.transpose().matvec((inner.matvec(z) + b).tanh())
}

/// The programs of f and of the derived inverse.
struct Both {
    forward: Program<f64>,
    inverse: Program<f64>,
    d: usize,
    /// The sizes of the systems that the inverse solves.
    systems: Vec<usize>,
}

impl Both {
    fn new(bijection: &dyn Bijection) -> Both {
        let d = bijection.dim();
        let compiled = |inverse: bool| {
            let tape = Tape::new();
            let input = tape.input(Shape::Vector(d));
            let output = match inverse {
                true => derived_inverse(bijection, input).unwrap(),
                false => bijection.forward(input),
            };
            tape.check().unwrap();
            let subgraph = Subgraph::new(&tape, &[input.id()], &[output.id()]);
            let size = |id: &NodeId| match tape.node(*id).op {
                Op::Equation(Equation::System(_)) => Some(tape.shape(*id).len()),
                _ => None,
            };
            let systems = subgraph.nodes().iter().filter_map(size).collect();
            let mut program = Program::compile(&tape, &[input.id()], &[Output::Each(output.id())]);
            program.load(&Parameters::initialise(&tape, 0)).unwrap();
            (program, systems)
        };
        let ((forward, _), (inverse, systems)) = (compiled(false), compiled(true));
        Both { forward, inverse, d, systems }
    }

    fn image(&self, z: &[f64]) -> Vec<f64> {
        self.forward.run(&[z], z.len() / self.d).unwrap().swap_remove(0)
    }

    fn preimage(&self, x: &[f64]) -> Vec<f64> {
        self.inverse.run(&[x], x.len() / self.d).unwrap().swap_remove(0)
    }

    /// The worst |f⁻¹(f(z)) - z| over rows that reach out to `reach`.
    fn worst(&self, rows: usize, reach: f64) -> f64 {
        let mut choose = Chooser::new(rows as u64);
        let z: Vec<f64> = choose.numbers(rows * self.d).into_iter().map(|z| reach * z).collect();
        let again = self.preimage(&self.image(&z));
        let error = again.iter().zip(&z).map(|(a, b)| off(*a, *b));
        error.fold(0.0, |worst: f64, error| if error.is_nan() { f64::NAN } else { worst.max(error) })
    }
}

#[test]
fn maps_of_few_hidden_units_are_inverted() {
    for d in [8, 12, 64] {
        let both = Both::new(&layer(d, hidden));
        assert_eq!(both.systems, [3]);
        for (rows, reach) in [(1, 1.0), (7, 1.0), (300, 1.0), (300, 30.0), (100, 1e4)] {
            let worst = both.worst(rows, reach);
            assert!(worst < 1e-11, "d = {d}, {rows} rows to {reach}: {worst:e}");
        }
        assert!(both.preimage(&[]).is_empty());
    }
}

#[test]
fn rows_that_are_not_finite_leave_the_others_alone() {
    let both = Both::new(&layer(8, hidden));
    let mut z = Chooser::new(1).numbers(5 * 8);
    let mut x = both.image(&z);
    (x[8 + 3], x[16], x[24 + 7]) = (f64::NAN, f64::INFINITY, f64::NEG_INFINITY);
    let found = both.preimage(&x);
    for row in [1, 2, 3] {
        assert!(found[8 * row..8 * row + 8].iter().any(|value| !value.is_finite()), "row {row}");
        z[8 * row..8 * row + 8].fill(f64::NAN);
    }
    for row in [0, 4] {
        for (a, b) in found[8 * row..8 * row + 8].iter().zip(&z[8 * row..8 * row + 8]) {
            assert!(off(*a, *b) < 1e-12, "row {row}: {a} {b}");
        }
    }
}

#[test]
fn the_diagonal_may_be_any_increasing_function_and_places_may_be_exchanged() {
    // T is solved as well: by asinh, and by a root of its own.
    let curved = layer(9, |z| {
        let inner = weight(z, "in", 2, 9, 0.5);
        let spread = 0.4 * inner.transpose().matvec(inner.matvec(z).tanh());
        let (first, last) = (z.slice(0..5), z.slice(5..9));
        let bent = last + 0.5 * last.tanh() + spread.slice(5..9);
        concat([first.sinh() + spread.slice(0..5), bent]).gather(&[3, 1, 4, 0, 5, 8, 2, 6, 7])
    });
    let both = Both::new(&curved);
    assert_eq!(both.systems, [2]);
    assert!(both.worst(100, 2.0) < 1e-10, "{}", both.worst(100, 2.0));
}

#[test]
fn elements_may_be_made_of_others_and_be_parts_of_vectors() {
    let uneven = layer(10, |z| {
        let first = weight(z, "in", 2, 10, 0.4).matvec(z).tanh();
        // One that sees the first two, and one beside it that sees z₀ alone and is not needed.
        let seen = weight(z, "next", 1, 10, 0.3).row(0).dot(z.sin()) + 0.3 * first.sum();
        let two = concat([seen.broadcast(Shape::Vector(1)), z.slice(0..1)]).sigmoid();
        let shift = 0.3 * two.at(0);
        let rest = shift + 0.2 * weight(z, "out", 10, 2, 0.4).matvec(first);
        let beside = z.slice(0..1) + 0.1 * two.slice(1..2) + rest.slice(0..1);
        concat([beside, z.slice(1..10) + rest.slice(1..10)])
    });
    let both = Both::new(&uneven);
    assert_eq!(both.systems, [3]);
    assert!(both.worst(100, 2.0) < 1e-10, "{}", both.worst(100, 2.0));
}

/// Solves f(z) = x by Newton's method for all variables, with differences of f as its Jacobian.
fn by_dense_steps(both: &Both, x: &[f64]) -> Vec<f64> {
    let d = x.len();
    let mut z = x.to_vec();
    for _ in 0..60 {
        let image = both.image(&z);
        let mut step: Vec<f64> = x.iter().zip(&image).map(|(x, image)| x - image).collect();
        let mut matrix = vec![0.0; d * d];
        for j in 0..d {
            let mut ends = [z.clone(), z.clone()];
            (ends[0][j], ends[1][j]) = (z[j] + 1e-6, z[j] - 1e-6);
            let [up, down] = ends.map(|z| both.image(&z));
            (0..d).for_each(|i| matrix[i * d + j] = (up[i] - down[i]) / 2e-6);
        }
        Lu::new(d, matrix).solve(&mut step);
        z.iter_mut().zip(step).for_each(|(z, step)| *z += step);
    }
    z
}

#[test]
fn solutions_are_those_of_newtons_method_for_all_variables() {
    let both = Both::new(&layer(12, hidden));
    let mut choose = Chooser::new(4);
    for _ in 0..5 {
        let x: Vec<f64> = choose.numbers(12).into_iter().map(|x| 2.0 * x).collect();
        for (own, dense) in both.preimage(&x).iter().zip(by_dense_steps(&both, &x)) {
            assert!(off(*own, dense) < 1e-9, "{own} {dense}");
        }
    }
}

#[test]
fn in_single_precision_it_is_as_near_as_that_allows() {
    let bijection = layer(8, hidden);
    let tape = Tape::new();
    let x = tape.input(Shape::Vector(8));
    let z = derived_inverse(&bijection, x).unwrap();
    let again = bijection.forward(z);
    let mut program = Program::<f32>::compile(&tape, &[x.id()], &[Output::Each(again.id())]);
    program.load(&Parameters::initialise(&tape, 0)).unwrap();
    let rows: Vec<f32> = Chooser::new(9).numbers(40 * 8).into_iter().map(|x| 3.0 * x as f32).collect();
    let found = program.run(&[&rows], 40).unwrap().swap_remove(0);
    for (found, expected) in found.iter().zip(&rows) {
        assert!((found - expected).abs() < 2e-5, "{found} {expected}");
    }
}

#[test]
fn densities_have_the_gradient_of_their_solutions() {
    let bijection = layer(8, hidden);
    let tape = Tape::new();
    let x = tape.input(Shape::Vector(8));
    let pulled = inverse_with_log_det(&bijection, x).unwrap();
    let log_p = StandardNormal::new(8).log_prob(pulled.z) - pulled.log_det;
    let wrt: Vec<NodeId> = [x.id()].into_iter().chain(tape.parameters()).collect();
    let subgraph = Subgraph::new(&tape, &[x.id()], &[log_p.id()]);
    let slopes = adjoint(&tape, &subgraph, &[(log_p.id(), tape.constant(1.0))], &wrt);
    let outputs: Vec<Output> = [log_p.id()]
        .into_iter()
        .chain(slopes.into_iter().map(|slope| slope.unwrap().id()))
        .map(Output::Each)
        .collect();
    let mut program = Program::<f64>::compile(&tape, &[x.id()], &outputs);
    let start = Parameters::initialise(&tape, 0);
    program.load(&start).unwrap();
    let point = Chooser::new(5).numbers(8);
    let found = program.run(&[&point], 1).unwrap();
    let mut at = |point: &[f64], parameters: &Parameters| {
        program.load(parameters).unwrap();
        program.run(&[point], 1).unwrap()[0][0]
    };
    let step = 1e-5;
    for k in 0..8 {
        let mut ends = [point.clone(), point.clone()];
        (ends[0][k], ends[1][k]) = (point[k] + step, point[k] - step);
        let [up, down] = ends.map(|point| at(&point, &start));
        let expected = (up - down) / (2.0 * step);
        assert!(off(found[1][k], expected) < 1e-7, "x[{k}]: {} {expected}", found[1][k]);
    }
    let names: Vec<String> = tape.declarations().iter().map(|one| one.name.clone()).collect();
    for (number, name) in names.iter().enumerate() {
        let tensor = start.get(name).unwrap().clone();
        for k in 0..tensor.values.len() {
            let moved = |by: f64| {
                let mut parameters = start.clone();
                let mut values = tensor.values.clone();
                values[k] += by;
                parameters.set(name, tensor.shape, values).unwrap();
                parameters
            };
            let expected = (at(&point, &moved(step)) - at(&point, &moved(-step))) / (2.0 * step);
            let found = found[2 + number][k];
            assert!(off(found, expected) < 1e-7, "{name}[{k}]: {found} {expected}");
        }
    }
}

#[test]
fn a_point_that_is_not_reached_is_an_error_with_the_residual() {
    // Along u the map is t + 2t²: nothing is mapped below -1/8.
    let folded = layer(8, |z| {
        let u = z.tape().vector(&[0.5, 0.5, 0.5, 0.5, 0.0, 0.0, 0.0, 0.0]);
        let w = z.tape().vector(&[0.0, 0.0, 0.0, 0.0, 0.5, 0.5, 0.5, 0.5]);
        z + (2.0 * u.dot(z).powi(2)) * u + (0.3 * w.dot(z).tanh()) * w
    });
    let flow = Flow::new(StandardNormal::new(8), vec![Box::new(folded) as Box<dyn Bijection>]).unwrap();
    let start = flow.initial(0);
    let fitted = flow.with(start).unwrap();
    let reached = [0.4, 0.3, 0.2, 0.6, -0.3, 0.1, 0.9, 0.2];
    assert!(fitted.log_prob(&reached).unwrap()[0].is_finite());
    let mut beyond = reached;
    beyond[..4].fill(-1.0);
    let error = fitted.log_prob(&[reached, beyond].concat()).unwrap_err().to_string();
    assert!(error.contains("row 1") && error.contains("found no solution"), "{error}");
    // The least |h| there is: at t = -1/4, where t + 2t² = -1/8, and uᵀx = -2.
    let residual: f64 =
        error.split("its residual is ").nth(1).unwrap().split(';').next().unwrap().parse().unwrap();
    assert!(residual > 1e-3 && residual < 10.0, "{error}");
    let report = audit(fitted.flow().bijection()).unwrap();
    for topic in [Topic::Injective, Topic::Inverse] {
        let claim = report.claim(topic).unwrap();
        assert_ne!(claim.evidence.label(), "proven", "{report}");
    }
}

#[test]
fn what_is_solved_by_newtons_method_is_checked_and_never_proven() {
    // Proven to be one-to-one and onto by another argument: the inverse is still no more than checked.
    let units = layer(5, |z| {
        let [v, w] =
            ["v", "w"].map(|name| z.tape().parameter(name, Shape::Scalar, Init::Constant(0.3)).exp());
        let (a, b) = ((v * z.at(0) + z.at(1)).tanh(), (w * z.at(1)).atan_pi());
        stack([z.at(0) + a, z.at(1) + b, z.at(2) + a * b, z.at(3) - b, z.at(4) + a.sin()])
    });
    assert_eq!(Both::new(&units).systems, [2]);
    let report = audit(&units).unwrap();
    assert_eq!(report.claim(Topic::Injective).unwrap().evidence.label(), "proven", "{report}");
    assert_eq!(report.claim(Topic::Inverse).unwrap().evidence.label(), "checked", "{report}");
    // A fold in two directions: nothing may say that it is one-to-one.
    let folded = layer(8, |z| {
        let inner = z.tape().matrix(
            2,
            8,
            &[1.0, 0.5, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 0.0, 1.0, 0.5, 0.0, 0.0, 0.0, 0.0],
        );
        z - 3.0 * inner.transpose().matvec(inner.matvec(z).tanh())
    });
    let report = audit(&folded).unwrap();
    for topic in [Topic::Injective, Topic::Inverse, Topic::Determinant] {
        if let Some(claim) = report.claim(topic) {
            assert_ne!(claim.evidence.label(), "proven", "{report}");
        }
    }
}

#[test]
fn random_inverses_satisfy_their_equations() {
    let (derived, systems, solved, rows) = (Cell::new(0), Cell::new(0), Cell::new(0), Cell::new(0));
    for_seeds(400, |seed| {
        let d = 4 + (seed % 9) as usize;
        let bijection = layer(d, move |z| planted(z, &mut Chooser::new(seed)).0);
        let tape = Tape::new();
        let x = tape.input(Shape::Vector(d));
        let Ok(z) = derived_inverse(&bijection, x) else { return Ok(()) };
        derived.set(derived.get() + 1);
        let again = bijection.forward(z);
        let subgraph = Subgraph::new(&tape, &[x.id()], &[z.id()]);
        let is_system = |id: &NodeId| matches!(tape.node(*id).op, Op::Equation(Equation::System(_)));
        if !subgraph.nodes().iter().any(is_system) {
            return Ok(());
        }
        systems.set(systems.get() + 1);
        let mut choose = Chooser::new(seed + 1);
        for _ in 0..4 {
            let from = choose.numbers(d);
            let tape = Tape::new();
            let input = tape.input(Shape::Vector(d));
            let image = numbers(&tape, input, &[bijection.forward(input)], &from).swap_remove(0);
            drop(tape);
            rows.set(rows.get() + 1);
            let found = numbers(z.tape(), x, &[z, again], &image);
            if found[0].iter().any(|value| !value.is_finite()) {
                continue;
            }
            solved.set(solved.get() + 1);
            let size = found[0].iter().fold(1.0f64, |most, z| most.max(z.abs()));
            for (again, wanted) in found[1].iter().zip(&image) {
                if off(*again, *wanted) > 1e-8 * size {
                    return Err(format!("{again} instead of {wanted}"));
                }
            }
        }
        Ok(())
    });
    println!(
        "{} inverses derived, {} by systems; {} of {} rows solved",
        derived.get(),
        systems.get(),
        solved.get(),
        rows.get()
    );
    assert!(systems.get() == 0 || rows.get() < 50 || 4 * solved.get() > rows.get());
}

#[test]
fn several_systems_are_solved_one_after_another() {
    let deep = Both::new(&layer(12, |z| {
        let first = z.tape().scope("first", || hidden(z));
        z.tape().scope("second", || hidden((0.5 * first).sinh()))
    }));
    assert_eq!(deep.systems, [3, 3]);
    assert!(deep.worst(200, 2.0) < 1e-10, "{}", deep.worst(200, 2.0));
}
