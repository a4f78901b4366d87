//! Continuous flows: points and ln|det J| against closed forms and against the discretised map, and the
//! estimated trace against the exact one.

use std::f64::consts::{E, PI};

use pushforward::audit::{AuditOptions, Topic, audit, audit_with};
use pushforward::bijection::{Inverse, InverseWithLogDet, forward_with_log_det, inverse_with_log_det};
use pushforward::flow::Trainer;
use pushforward::jacobian::{Structure, jacobian, log_det, map, trace};
use pushforward::layers::{Continuous, Divergence, Field, NetworkField, Solver};
use pushforward::prelude::*;
use pushforward::program::{Output, Program};
use pushforward::sweep::adjoint;
use pushforward::tape::{Gradient, NodeId, Op, Subgraph};
use pushforward::train::{Loss, Minimiser, TrainingOptions};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// dz/dt = A·z with a matrix of numbers, row by row.
#[derive(Clone)]
struct LinearField {
    d: usize,
    a: Vec<f64>,
}

impl Field for LinearField {
    fn dim(&self) -> usize {
        self.d
    }
    fn velocity<'t>(&self, z: Var<'t>, _: Var<'t>) -> Var<'t> {
        z.tape().matrix(self.d, self.d, &self.a).matvec(z)
    }
}

/// Turns by b and grows as eᵃ.
fn spiral(a: f64, b: f64) -> LinearField {
    LinearField { d: 2, a: vec![a, -b, b, a] }
}

fn spiral_end(a: f64, b: f64, z: [f64; 2]) -> [f64; 2] {
    let (sin, cos) = b.sin_cos();
    [a.exp() * (cos * z[0] - sin * z[1]), a.exp() * (sin * z[0] + cos * z[1])]
}

/// x and ln|det J| of one z, on the way forwards.
fn pushed(layer: &dyn Bijection, z: &[f64], parameters: Option<&Parameters>) -> (Vec<f64>, f64) {
    let tape = Tape::new();
    let input = tape.input(Shape::Vector(z.len()));
    let pushed = forward_with_log_det(layer, input).unwrap();
    let outputs = [pushed.x, pushed.log_det].map(|node| Output::Each(node.id()));
    let mut program = Program::<f64>::compile(&tape, &[input.id()], &outputs);
    let start = Parameters::initialise(&tape, 3);
    program.load(parameters.unwrap_or(&start)).unwrap();
    let found = program.run(&[z], 1).unwrap();
    (found[0].clone(), found[1][0])
}

/// z and ln|det J| of one x, on the way back.
fn pulled(layer: &dyn Bijection, x: &[f64], parameters: Option<&Parameters>) -> (Vec<f64>, f64) {
    let tape = Tape::new();
    let input = tape.input(Shape::Vector(x.len()));
    let InverseWithLogDet { z, log_det } = inverse_with_log_det(layer, input).unwrap();
    let outputs = [z, log_det].map(|node| Output::Each(node.id()));
    let mut program = Program::<f64>::compile(&tape, &[input.id()], &outputs);
    let start = Parameters::initialise(&tape, 3);
    program.load(parameters.unwrap_or(&start)).unwrap();
    let found = program.run(&[x], 1).unwrap();
    (found[0].clone(), found[1][0])
}

/// Parameters of a layer, away from the identity that it starts as.
fn scattered(layer: &dyn Bijection, seed: u64) -> Parameters {
    let tape = Tape::new();
    forward_with_log_det(layer, tape.input(Shape::Vector(layer.dim()))).unwrap();
    let mut parameters = Parameters::initialise(&tape, seed);
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    for (_, tensor) in parameters.iter_mut() {
        tensor.values.iter_mut().for_each(|value| *value += random.random_range(-0.7..0.7));
    }
    parameters
}

#[test]
fn errors_fall_with_the_order_of_the_solver() {
    let z = [0.7, -1.1];
    let exact = spiral_end(-0.4, 1.3, z);
    let off = |solver: Solver, steps: usize| {
        let (x, _) = pushed(&Continuous::new(spiral(-0.4, 1.3), solver, steps), &z, None);
        (x[0] - exact[0]).hypot(x[1] - exact[1])
    };
    for (solver, order) in [(Solver::Euler, 1.0), (Solver::RungeKutta4, 4.0)] {
        let [coarse, fine] = [32, 64].map(|steps| off(solver, steps));
        let found = (coarse / fine).log2();
        assert!((found - order).abs() < 0.05, "{solver}: order {found}, errors {coarse:e} and {fine:e}");
    }
}

#[test]
fn the_integral_of_a_constant_trace_is_exact() {
    // tr A = -0.8 everywhere: even one step of Euler's method sums it without an error.
    for (solver, steps) in [(Solver::Euler, 1), (Solver::Euler, 7), (Solver::RungeKutta4, 3)] {
        let layer = Continuous::new(spiral(-0.4, 1.3), solver, steps);
        let (x, log_det) = pushed(&layer, &[0.7, -1.1], None);
        assert!((log_det + 0.8).abs() < 1e-15, "{log_det}");
        let (_, back) = pulled(&layer, &x, None);
        assert!((back + 0.8).abs() < 1e-15, "{back}");
    }
}

fn solved_to(tolerance: f64) -> Solver {
    Solver::DormandPrince { relative: tolerance, absolute: tolerance }
}

/// z = e^(-A)·x, and ln p of x = e^A·z with z ~ N(0, 1): by the tape's own exponential.
fn linear_density(field: &LinearField, x: &[f64]) -> (Vec<f64>, f64) {
    let (tape, d) = (Tape::new(), field.d);
    let given = tape.input(Shape::Vector(d));
    let back =
        tape.matrix(d, d, &field.a.iter().map(|a| -a).collect::<Vec<f64>>()).matrix_exp().matvec(given);
    let log_p = StandardNormal::new(d).log_prob(back);
    let outputs = [back, log_p].map(|node| Output::Each(node.id()));
    let mut program = Program::<f64>::compile(&tape, &[given.id()], &outputs);
    program.load(&Parameters::default()).unwrap();
    let found = program.run(&[x], 1).unwrap();
    let trace: f64 = (0..d).map(|i| field.a[i * d + i]).sum();
    (found[0].clone(), found[1][0] - trace)
}

#[test]
fn densities_of_linear_fields_are_gaussians_to_the_tolerance_of_the_solver() {
    let a = vec![0.3, -1.2, 0.4, 0.9, -0.5, 0.8, -0.7, 0.1, 0.6];
    let field = LinearField { d: 3, a };
    let x = [0.8, -1.3, 0.4];
    let (z, log_p) = linear_density(&field, &x);
    println!("{:>10} {:>10} {:>10} {:>12}", "tolerance", "in z", "in ln p", "evaluations");
    let mut errors = Vec::new();
    for tolerance in [1e-3, 1e-5, 1e-7, 1e-9, 1e-11] {
        let layer = Continuous::new(field.clone(), solved_to(tolerance), 10_000);
        let tape = Tape::new();
        let given = tape.input(Shape::Vector(3));
        let pulled = inverse_with_log_det(&layer, given).unwrap();
        let found = StandardNormal::new(3).log_prob(pulled.z) - pulled.log_det;
        let outputs = [pulled.z, found].map(|node| Output::Each(node.id()));
        let mut program = Program::<f64>::compile(&tape, &[given.id()], &outputs);
        program.load(&Parameters::default()).unwrap();
        let values = program.run(&[&x], 1).unwrap();
        let off = values[0].iter().zip(&z).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
        let of_density = (values[1][0] - log_p).abs();
        println!("{tolerance:>10.0e} {off:>10.1e} {of_density:>10.1e} {:>12}", program.steps().evaluations);
        assert!(off < 20.0 * tolerance && of_density < 60.0 * tolerance, "{tolerance}: {off} {of_density}");
        errors.push(off);
    }
    assert!(errors.is_sorted_by(|a, b| a > b), "{errors:?}");
}

/// scipy 1.x, `solve_ivp(f, (1, 0), (0.3, -0.8, 0), method="DOP853", rtol=1e-13, atol=1e-14)` of the same network, its trace
/// by the product of its matrices.
#[test]
fn solutions_are_those_of_another_solver() {
    let layer = Continuous::new(NetworkField::new(2, Network::new([4])), solved_to(1e-11), 5000);
    let tape = Tape::new();
    inverse_with_log_det(&layer, tape.input(Shape::Vector(2))).unwrap();
    let mut parameters = Parameters::initialise(&tape, 0);
    for (name, shift) in
        [("net.0.weight", 0.3), ("net.0.bias", 0.5), ("net.1.weight", 0.9), ("net.1.bias", 1.1)]
    {
        let tensor = parameters.get(name).unwrap().clone();
        let values = (0..tensor.values.len()).map(|k| (1.7 * k as f64 + shift).sin()).collect();
        parameters.set(name, tensor.shape, values).unwrap();
    }
    let (z, log_det) = pulled(&layer, &[0.3, -0.8], Some(&parameters));
    let found = [z[0], z[1], log_det];
    let expected = [-0.4437430735475969, -0.7122748132285419, 1.5548864640577014];
    for (found, expected) in found.iter().zip(expected) {
        assert!((found - expected).abs() < 1e-9, "{found} instead of {expected}");
    }
}

#[test]
fn estimated_and_exact_densities_agree_on_average() {
    let field = || NetworkField::new(4, Network::new([6]));
    let exact = Continuous::new(field(), solved_to(1e-7), 1000);
    let parameters = scattered(&exact, 8);
    let x = [0.4, -0.9, 1.3, 0.2];
    let (z, log_det) = pulled(&exact, &x, Some(&parameters));
    let draws: Vec<f64> = (0..400)
        .map(|seed| {
            let layer = Continuous::new(field(), solved_to(1e-7), 1000)
                .with_divergence(Divergence::Hutchinson { probes: 1, seed });
            let (again, estimate) = pulled(&layer, &x, Some(&parameters));
            assert!(again.iter().zip(&z).all(|(a, b)| (a - b).abs() < 1e-5), "{again:?} {z:?}");
            estimate
        })
        .collect();
    let n = draws.len() as f64;
    let mean = draws.iter().sum::<f64>() / n;
    let error = (draws.iter().map(|draw| (draw - mean).powi(2)).sum::<f64>() / (n - 1.0) / n).sqrt();
    assert!(
        (mean - log_det).abs() < 4.0 * error && error < 0.2 && error > 1e-3,
        "{mean} ± {error}, {log_det}"
    );
}

#[test]
fn gradients_of_adaptive_layers_are_those_of_either_adjoint() {
    let layer = |gradient| -> Vec<Box<dyn Bijection>> {
        let field = NetworkField::new(2, Network::new([5, 4]));
        vec![Box::new(Continuous::new(field, solved_to(1e-8), 1000).with_gradient(gradient))]
    };
    let flow = |gradient| Flow::new(StandardNormal::new(2), layer(gradient)).unwrap();
    let rows: Vec<f64> = (0..40).map(|k| (1.3 * k as f64).sin()).collect();
    let mut start = flow(Gradient::Discrete).initial(1);
    for (k, (_, tensor)) in start.iter_mut().enumerate() {
        tensor
            .values
            .iter_mut()
            .enumerate()
            .for_each(|(e, value)| *value += 0.3 * ((3 * k + e) as f64).sin());
    }
    let gradients = [Gradient::Discrete, Gradient::Continuous].map(|gradient| {
        let layer = layer(gradient).swap_remove(0);
        let tape = Tape::new();
        let x = tape.input(Shape::Vector(2));
        let pulled = tape.scope("layers.0", || inverse_with_log_det(&layer, x)).unwrap();
        let loss = pulled.log_det - StandardNormal::new(2).log_prob(pulled.z);
        let subgraph = Subgraph::new(&tape, &[x.id()], &[loss.id()]);
        let slopes = adjoint(&tape, &subgraph, &[(loss.id(), tape.constant(1.0))], &tape.parameters());
        let outputs: Vec<Output> = slopes.into_iter().map(|slope| Output::Sum(slope.unwrap().id())).collect();
        let mut program = Program::<f64>::compile(&tape, &[x.id()], &outputs);
        program.load(&start).unwrap();
        program.run(&[&rows], 20).unwrap()
    });
    for (discrete, continuous) in gradients[0].iter().flatten().zip(gradients[1].iter().flatten()) {
        assert!((discrete - continuous).abs() < 1e-5 * discrete.abs().max(1.0), "{discrete} {continuous}");
    }
}

/// dz/dt = -z³: z(t) = z/√(1 + 2tz²), so that ln dx/dz = -3/2·ln(1 + 2z²) at t = 1.
struct Cubic;

impl Field for Cubic {
    fn dim(&self) -> usize {
        1
    }
    fn velocity<'t>(&self, z: Var<'t>, _: Var<'t>) -> Var<'t> {
        -z.powi(3)
    }
}

/// dz/dt = t·z from time s to time t: x = z·exp((t² - s²)/2).
struct Growing;

impl Field for Growing {
    fn dim(&self) -> usize {
        1
    }
    fn velocity<'t>(&self, z: Var<'t>, t: Var<'t>) -> Var<'t> {
        t * z
    }
}

#[test]
fn closed_forms() {
    for z in [0.0f64, 0.3, -0.8, 1.5] {
        let layer = Continuous::new(Cubic, Solver::RungeKutta4, 400);
        let (x, log_det) = pushed(&layer, &[z], None);
        assert!((x[0] - z / (1.0 + 2.0 * z * z).sqrt()).abs() < 1e-10);
        assert!((log_det + 1.5 * (1.0 + 2.0 * z * z).ln()).abs() < 1e-9, "{z}: {log_det}");
        let (back, again) = pulled(&layer, &x, None);
        assert!((back[0] - z).abs() < 1e-8 && (again - log_det).abs() < 1e-8, "{z}: {back:?} {again}");
    }
    for (from, to) in [(0.0f64, 1.0f64), (1.0, -0.5), (-2.0, 1.0)] {
        let layer = Continuous::new(Growing, Solver::RungeKutta4, 200).between(from, to);
        let expected = (to * to - from * from) / 2.0;
        let (x, log_det) = pushed(&layer, &[1.7], None);
        assert!((x[0] / (1.7 * expected.exp()) - 1.0).abs() < 1e-8, "{x:?}");
        assert!((log_det - expected).abs() < 1e-12, "{log_det}");
    }
    // Turned round it is the same motion with time backwards.
    let (x, log_det) = pushed(&Inverse::new(Continuous::new(Growing, Solver::RungeKutta4, 100)), &[E], None);
    assert!((x[0] - E / 0.5f64.exp()).abs() < 1e-8 && (log_det + 0.5).abs() < 1e-12, "{x:?} {log_det}");
}

#[test]
fn the_integral_is_the_determinant_of_the_steps_to_their_order() {
    let field = || NetworkField::new(3, Network::new([7]));
    let layer = |solver, steps| Continuous::new(field(), solver, steps);
    let parameters = scattered(&layer(Solver::Euler, 1), 5);
    let gap = |solver: Solver, steps: usize| {
        let layer = layer(solver, steps);
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(3));
        let pushed = forward_with_log_det(&layer, z).unwrap();
        let dense = log_det(&tape, &map(&tape, z.id(), pushed.x.id()), &Structure::Dense).unwrap();
        let outputs = [pushed.log_det, dense.value].map(|node| Output::Each(node.id()));
        let mut program = Program::<f64>::compile(&tape, &[z.id()], &outputs);
        program.load(&parameters).unwrap();
        let found = program.run(&[&[0.4, -0.9, 1.3]], 1).unwrap();
        (found[0][0] - found[1][0]).abs()
    };
    let euler = (gap(Solver::Euler, 64) / gap(Solver::Euler, 128)).log2();
    assert!((euler - 1.0).abs() < 0.1, "{euler}");
    let kutta = (gap(Solver::RungeKutta4, 4) / gap(Solver::RungeKutta4, 8)).log2();
    assert!(kutta > 3.0, "{kutta}");
    assert!(gap(Solver::RungeKutta4, 64) < 1e-9);
}

#[test]
fn traces_of_random_networks() {
    for seed in 0..20 {
        let d = 1 + seed as usize % 5;
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(d));
        // Of up to two hidden layers products of weights have the trace, of more it takes d sweeps.
        let hidden: &[usize] = [&[][..], &[6], &[6, 4], &[5, 3, 4]][seed as usize / 5];
        let field = NetworkField::new(d, Network::new(hidden));
        let time = tape.input(Shape::Scalar);
        let v = field.velocity(z, time);
        let v = if seed % 2 == 0 { v } else { 0.7 - v.sin() * 2.0 };
        let map = map(&tape, z.id(), v.id());
        let found = trace(&tape, &map);
        let layers = hidden.len() + usize::from(seed % 2 == 1);
        assert_eq!(found.sweeps, if layers <= 2 { 0 } else { d }, "{hidden:?}");
        let whole = jacobian(&tape, &map);
        let outputs = [found.value, whole].map(|node| Output::Each(node.id()));
        let inputs: Vec<_> = [z.id()].into_iter().chain([time.id()]).collect();
        let mut program = Program::<f64>::compile(&tape, &inputs, &outputs);
        let mut parameters = Parameters::initialise(&tape, seed);
        for (k, (_, tensor)) in parameters.iter_mut().enumerate() {
            tensor.values.iter_mut().enumerate().for_each(|(e, value)| *value += ((3 * k + e) as f64).sin());
        }
        program.load(&parameters).unwrap();
        let point: Vec<f64> = (0..d).map(|k| (k as f64 + seed as f64).cos()).collect();
        let values = program.run(&[&point, &[0.3]], 1).unwrap();
        let sum: f64 = (0..d).map(|i| values[1][i * d + i]).sum();
        assert!((values[0][0] - sum).abs() < 1e-12 * sum.abs().max(1.0), "{} {sum}", values[0][0]);
    }
}

#[test]
fn a_trace_takes_the_sweeps_that_dependences_ask_for() {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(50));
    // Each velocity sees its own variable only.
    let own = trace(&tape, &map(&tape, z.id(), z.tanh().id()));
    assert_eq!(own.sweeps, 1);
    // And here none at all: the trace is 0 without a sweep, as a number.
    let turned: Vec<usize> = (1..50).chain([0]).collect();
    let none = trace(&tape, &map(&tape, z.id(), z.gather(&turned).tanh().id()));
    let mut program = Program::<f64>::compile(&tape, &[z.id()], &[Output::Each(none.value.id())]);
    program.load(&Parameters::default()).unwrap();
    assert_eq!(program.run(&[&[0.5; 50]], 1).unwrap()[0], vec![0.0]);
}

#[test]
fn estimates_have_the_right_mean_and_variance() {
    let field = LinearField { d: 3, a: vec![0.5, 1.0, -2.0, 0.3, -0.7, 0.1, 0.9, 0.4, 0.2] };
    let variance: f64 = [(1.0 + 0.3f64), (-2.0 + 0.9), (0.1 + 0.4)].iter().map(|sum| sum * sum).sum();
    let draws: Vec<f64> = (0..4000)
        .map(|seed| {
            let layer = Continuous::new(field.clone(), Solver::Euler, 1)
                .with_divergence(Divergence::Hutchinson { probes: 1, seed });
            pushed(&layer, &[0.1, 0.2, 0.3], None).1
        })
        .collect();
    let n = draws.len() as f64;
    let mean = draws.iter().sum::<f64>() / n;
    let spread = draws.iter().map(|draw| (draw - mean).powi(2)).sum::<f64>() / (n - 1.0);
    assert!((mean - 0.0).abs() < 4.0 * (variance / n).sqrt(), "{mean}: tr A is 0");
    assert!((spread / variance - 1.0).abs() < 0.1, "{spread} {variance}");
    let many = Continuous::new(field, Solver::Euler, 1)
        .with_divergence(Divergence::Hutchinson { probes: 400, seed: 1 });
    let averaged = pushed(&many, &[0.1, 0.2, 0.3], None).1;
    assert!(averaged.abs() < 4.0 * (variance / 400.0).sqrt(), "{averaged}");
}

#[test]
fn probes_can_be_noise_of_a_loss() {
    let layer = Continuous::new(spiral(-0.4, 1.3), Solver::RungeKutta4, 2);
    let loss = Loss::record(|sources| {
        let x = sources.data(2);
        let probe = sources.noise(StandardNormal::new(2)).at(0);
        let signs = stack([select(probe.gt(0.0), 1.0, -1.0), select(probe.lt(0.3), 1.0, -1.0)]);
        let parameter = sources.tape().parameter("unused", Shape::Scalar, Init::Constant(1.0));
        parameter * layer.inverse_with_probes(x, &[signs]).log_det
    })
    .unwrap();
    let mut minimiser = Minimiser::<f64>::new(&loss, loss.initial(0), TrainingOptions::default()).unwrap();
    // tr A is -0.8, and A's off-diagonal part is antisymmetric: each estimate is exact.
    assert!((minimiser.mean(&[&[0.3; 200]], 100).unwrap() + 0.8).abs() < 1e-12);
}

#[test]
fn gradients_are_those_of_the_steps() {
    let layers: Vec<Box<dyn Bijection>> =
        vec![Box::new(Continuous::new(NetworkField::new(2, Network::new([4])), Solver::RungeKutta4, 2))];
    let start = scattered(&layers[0], 9);
    let named = |parameters: &Parameters| {
        let mut renamed = Parameters::default();
        for (name, tensor) in parameters.iter() {
            renamed.set(&format!("layers.0.{name}"), tensor.shape, tensor.values.clone()).unwrap();
        }
        renamed
    };
    let flow = Flow::new(StandardNormal::new(2), layers).unwrap();
    let rows = [0.3, -0.2, 1.1, 0.6];
    let start = named(&start);
    let loss = |parameters: &Parameters| {
        let layers: Vec<Box<dyn Bijection>> =
            vec![Box::new(Continuous::new(NetworkField::new(2, Network::new([4])), Solver::RungeKutta4, 2))];
        let fitted = Flow::new(StandardNormal::new(2), layers).unwrap().with(parameters.clone()).unwrap();
        -fitted.log_prob(&rows).unwrap().iter().sum::<f64>() / 2.0
    };
    // A step of Adam from rest moves each parameter by its gradient's sign.
    let mut trainer = Trainer::<f64>::new(&flow, start.clone(), 1e-6).unwrap();
    trainer.step(&rows).unwrap();
    let after = trainer.parameters().clone();
    let mut compared = 0;
    for (name, tensor) in start.iter() {
        for e in 0..tensor.values.len() {
            let moved = |by: f64| {
                let mut other = start.clone();
                let mut values = tensor.values.clone();
                values[e] += by;
                other.set(name, tensor.shape, values).unwrap();
                loss(&other)
            };
            let slope = (moved(1e-5) - moved(-1e-5)) / 2e-5;
            if slope.abs() > 1e-4 {
                let step = after.get(name).unwrap().values[e] - tensor.values[e];
                assert!(step * slope < 0.0, "{name}[{e}]: slope {slope}, step {step}");
                compared += 1;
            }
        }
    }
    assert!(compared > 15, "{compared}");
}

#[test]
fn a_flow_with_a_motion_in_it_is_a_density() {
    let layers: Vec<Box<dyn Bijection>> = vec![
        Box::new(Affine::new([1.2, 0.8], [0.3, -0.1])),
        Box::new(Continuous::new(NetworkField::new(2, Network::new([8])), Solver::RungeKutta4, 8)),
    ];
    let flow = Flow::new(StandardNormal::new(2), layers).unwrap();
    // Points on a ring.
    let mut random = ChaCha8Rng::seed_from_u64(4);
    let mut rows = Vec::new();
    for _ in 0..400 {
        let angle = random.random_range(0.0..2.0 * PI);
        let radius = 2.0 + random.random_range(-0.2..0.2);
        rows.extend([radius * angle.cos(), radius * angle.sin()]);
    }
    let table = Table::new(&["a", "b"], rows.clone()).unwrap();
    let start = flow.initial(1);
    let mut trainer = Trainer::<f64>::new(&flow, start, 2e-2).unwrap();
    let losses: Vec<f64> = (0..60).map(|_| trainer.step(table.values()).unwrap()).collect();
    assert!(losses[59] < losses[0] - 0.3, "{losses:?}");
    let fitted = flow.with(trainer.parameters().clone()).unwrap();
    let (side, reach) = (160, 8.0);
    let at = |k: usize| -reach + 2.0 * reach * (k as f64 + 0.5) / side as f64;
    let cells: Vec<f64> = (0..side * side).flat_map(|k| [at(k % side), at(k / side)]).collect();
    let mass: f64 = fitted.log_prob(&cells).unwrap().iter().map(|value| value.exp()).sum();
    let mass = mass * (2.0 * reach / side as f64).powi(2);
    assert!((mass - 1.0).abs() < 1e-3, "{mass}");
    assert_eq!(fitted.sample(10, 0).unwrap().len(), 20);
}

#[test]
fn an_audit_says_how_far_steps_are_off() {
    let field = || NetworkField::new(2, Network::new([8]));
    let fine = audit(&Continuous::new(field(), Solver::RungeKutta4, 8)).unwrap();
    assert!(fine.has_no_refutation());
    for topic in [Topic::LogDet, Topic::Inverse, Topic::InverseLogDet, Topic::Mass] {
        assert_eq!(fine.claim(topic).unwrap().evidence.label(), "checked", "{fine}");
    }
    // Coarse steps are no crime, but nothing is claimed of them.
    let coarse = audit(&Continuous::new(field(), Solver::Euler, 1)).unwrap();
    assert!(coarse.has_no_refutation(), "{coarse}");
    for topic in [Topic::LogDet, Topic::Inverse] {
        let evidence = &coarse.claim(topic).unwrap().evidence;
        assert_eq!(evidence.label(), "not proven");
        assert!(evidence.to_string().contains("more steps"), "{evidence}");
    }
    let turned = audit(&Inverse::new(Continuous::new(field(), Solver::RungeKutta4, 8))).unwrap();
    assert_eq!(turned.claim(Topic::LogDet).unwrap().evidence.label(), "checked", "{turned}");
    let layers: Vec<Box<dyn Bijection>> = vec![
        Box::new(Affine::new([1.2, 0.8], [0.3, -0.1])),
        Box::new(Continuous::new(field(), Solver::RungeKutta4, 8)),
    ];
    let chain = audit(&Chain::new(layers)).unwrap();
    assert_eq!(chain.claim(Topic::ChainRule).unwrap().evidence.label(), "checked", "{chain}");
}

struct TooShort;

impl Field for TooShort {
    fn dim(&self) -> usize {
        3
    }
    fn velocity<'t>(&self, z: Var<'t>, _: Var<'t>) -> Var<'t> {
        z.slice(0..2)
    }
}

/// Two networks under one name.
struct OneName;

impl Field for OneName {
    fn dim(&self) -> usize {
        2
    }
    fn velocity<'t>(&self, z: Var<'t>, _: Var<'t>) -> Var<'t> {
        let network = Network::new([3]);
        network.apply(z, 2) + network.apply(z.tanh(), 2)
    }
}

#[test]
fn mistakes_are_named() {
    let error = record(&Continuous::new(TooShort, Solver::Euler, 2)).unwrap_err().to_string();
    assert!(error.contains("v(z, t) of TooShort must be a vector of 3 numbers"), "{error}");
    let error = record(&Continuous::new(OneName, Solver::RungeKutta4, 2)).unwrap_err().to_string();
    assert!(error.contains("`net.0.weight` is declared twice in one call"), "{error}");
    let message = |wrong: fn()| {
        let error = std::panic::catch_unwind(wrong).unwrap_err();
        error
            .downcast_ref::<String>()
            .cloned()
            .or_else(|| error.downcast_ref::<&str>().map(|s| s.to_string()))
    };
    assert_eq!(
        message(|| _ = Continuous::new(Cubic, Solver::Euler, 0)).unwrap(),
        "a continuous flow takes at least one step"
    );
    assert!(message(|| _ = Continuous::new(Cubic, Solver::Euler, 1).with_tolerance(f64::NAN)).is_some());
    assert!(
        message(|| _ = Continuous::new(Cubic, Solver::Euler, 1).between(0.0, f64::NAN))
            .unwrap()
            .contains("the time span from")
    );
}

#[test]
fn a_motion_that_breaks_down_is_told() {
    /// dz/dt = z³ reaches infinity in finite time.
    struct Escaping;
    impl Field for Escaping {
        fn dim(&self) -> usize {
            1
        }
        fn velocity<'t>(&self, z: Var<'t>, _: Var<'t>) -> Var<'t> {
            z.powi(3)
        }
    }
    let layers: Vec<Box<dyn Bijection>> = vec![Box::new(Continuous::new(Escaping, Solver::RungeKutta4, 40))];
    let flow = Flow::new(StandardNormal::new(1), layers).unwrap();
    let start = flow.initial(0);
    let fitted = flow.with(start).unwrap();
    let error = fitted.sample(2000, 1).unwrap_err().to_string();
    let told =
        ["initial value problem gives inf", "src/layers/continuous/mod.rs", "its velocity was not finite"];
    told.iter().for_each(|told| assert!(error.contains(told), "{error}"));
}

/// Turns, and draws every point towards the circle of radius 1.
struct Ring;

impl Field for Ring {
    fn dim(&self) -> usize {
        2
    }
    fn velocity<'t>(&self, z: Var<'t>, _: Var<'t>) -> Var<'t> {
        let (z1, z2) = (z.at(0), z.at(1));
        let pull = 1.0 - z1.powi(2) - z2.powi(2);
        stack([z1 * pull - 2.0 * z2, z2 * pull + 2.0 * z1])
    }
}

/// Steps of a cubic field are polynomials of degree 3¹²⁸, and far out they fold: two points that a computer takes for a
/// collision have images with more digits than there is memory for. The audit ends, and claims nothing good of them.
#[test]
fn an_audit_of_nested_polynomials_ends() {
    let report = audit(&Continuous::new(Ring, Solver::RungeKutta4, 32)).unwrap();
    let evidence = &report.claim(Topic::Injective).unwrap().evidence;
    assert!(!evidence.holds(), "{report}");
}

#[test]
fn a_derivation_is_of_the_equation() {
    let text = derive(&Continuous::new(Ring, Solver::RungeKutta4, 16)).unwrap().to_string();
    let lines = [
        "The solution of dz/dt = v(z, t) is z at t = 0 and x at t = 1,",
        "v₁ = z₁·(1 - z₁² - z₂²) - 2·z₂",
        "tr ∂v/∂z = 2·(1 - z₁² - z₂²) - 2·z₁² - 2·z₂²",
        "ln|det J| = ∫ tr ∂v/∂z dt",
        "Computed by 16 Runge-Kutta steps, exact trace",
        "ln p_X(x) = ln p_Z(z) - ∫ tr ∂v/∂z dt",
    ];
    lines.iter().for_each(|line| assert!(text.contains(line), "{line} is missing in\n{text}"));
    // A network's trace is a sum over its hidden units.
    let network =
        derive(&Continuous::new(NetworkField::new(1, Network::new([3])), Solver::Euler, 2)).unwrap();
    assert!(!network.to_string().contains("scatter"), "{network}");
    // Within a composition, and turned round.
    let layers: Vec<Box<dyn Bijection>> = vec![
        Box::new(Affine::new([1.2, 0.8], [0.3, -0.1])),
        Box::new(Continuous::new(Ring, Solver::Euler, 2)),
    ];
    let text = derive(&Chain::new(layers)).unwrap().to_string();
    let words: Vec<&str> = text.split_whitespace().collect();
    assert!(words.join(" ").contains("is y₁ at t = 0 and x at t = 1"), "{text}");
    let text = derive(&Inverse::new(Continuous::new(Growing, Solver::Euler, 2))).unwrap().to_string();
    assert!(text.contains("ln|det J"), "{text}");
}

/// p(x | c) by a field that sees a context: a density for every c.
#[test]
fn a_field_can_see_a_context() {
    let layers: Vec<Box<dyn Bijection>> = vec![Box::new(Continuous::new(
        NetworkField::new(1, Network::new([6]).with_context(1)),
        Solver::RungeKutta4,
        8,
    ))];
    let flow = Flow::new(StandardNormal::new(1), layers).unwrap();
    let mut start = flow.initial(3);
    for (k, (_, tensor)) in start.iter_mut().enumerate() {
        tensor.values.iter_mut().enumerate().for_each(|(e, value)| *value += ((5 * k + e) as f64).cos());
    }
    let fitted = flow.with(start).unwrap();
    let line: Vec<f64> = (0..4000).map(|k| -20.0 + (f64::from(k) + 0.5) / 100.0).collect();
    let mut means = Vec::new();
    for c in [-1.0, 2.0] {
        let p: Vec<f64> =
            fitted.log_prob_given(&line, &[c]).unwrap().iter().map(|value| value.exp()).collect();
        let mass = p.iter().sum::<f64>() / 100.0;
        assert!((mass - 1.0).abs() < 1e-4, "c = {c}: {mass}");
        means.push(p.iter().zip(&line).map(|(p, x)| p * x).sum::<f64>() / 100.0);
    }
    assert!((means[0] - means[1]).abs() > 0.1, "{means:?}");
    let drawn = fitted.sample_given(4000, &[2.0], 5).unwrap();
    let mean = drawn.iter().sum::<f64>() / 4000.0;
    assert!((mean - means[1]).abs() < 0.2, "{mean} {means:?}");
}

#[test]
fn an_impure_field_is_refused() {
    struct Counting(std::sync::atomic::AtomicU32);
    impl Field for Counting {
        fn dim(&self) -> usize {
            1
        }
        fn velocity<'t>(&self, z: Var<'t>, _: Var<'t>) -> Var<'t> {
            let calls = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
            f64::from(calls) * z
        }
    }
    let error = record(&Continuous::new(Counting(Default::default()), Solver::Euler, 2)).unwrap_err();
    assert!(error.to_string().contains("velocity is not a pure recording"), "{error}");
}

/// dz/dt = v(z, t) by a function.
struct By<V>(&'static str, V);

impl<V: for<'t> Fn(Var<'t>, Var<'t>) -> Var<'t> + Send + Sync> Field for By<V> {
    fn dim(&self) -> usize {
        2
    }
    fn velocity<'t>(&self, z: Var<'t>, t: Var<'t>) -> Var<'t> {
        (self.1)(z, t)
    }
    fn name(&self) -> String {
        self.0.to_string()
    }
}

fn by<V>(name: &'static str, v: V) -> Box<dyn Field>
where
    V: for<'t> Fn(Var<'t>, Var<'t>) -> Var<'t> + Send + Sync + 'static,
{
    Box::new(By(name, v))
}

#[test]
fn exact_flows_of_lipschitz_fields_are_proven_and_of_others_are_not() {
    fn weight(z: Var<'_>) -> Var<'_> {
        z.tape().parameter("w", Shape::Matrix(2, 2), Init::Uniform(1.0))
    }
    let proven = vec![
        Box::new(NetworkField::new(2, Network::new([8, 8]))) as Box<dyn Field>,
        Box::new(NetworkField::new(2, Network::new([4]).with_context(3))),
        by("linear", |z, t| weight(z).matvec(z) * t.sin().broadcast(z.shape())),
        by("damped", |z, _| -z + weight(z).matvec(z.abs()).tanh()),
    ];
    let refused = vec![
        by("square", |z, _| z.powi(2)),
        by("z·|z|", |z, _| z * z.abs()),
        by("sign", |z, _| select(z.gt(0.0), 1.0, -1.0)),
        by("jump in time", |z, t| select(t.gt(0.5), 1.0, -1.0) * z),
        by("root", |z, _| z.abs().sqrt()),
        by("product", |z, _| weight(z).matvec(z) * z),
    ];
    for (fields, label) in [(proven, "proven"), (refused, "not proven")] {
        for field in fields {
            let name = field.name();
            let settings = AuditOptions { decide_only: true, ..AuditOptions::default() };
            let report = audit_with(&Continuous::new(field, Solver::RungeKutta4, 4), &settings).unwrap();
            let claim = report.claim(Topic::ExactFlow).unwrap();
            assert_eq!(claim.evidence.label(), label, "{name}: {report}");
            assert!(
                claim.statement.contains("exact flow of dz/dt = v(z, t), not its steps"),
                "{}",
                claim.statement
            );
            // Of the steps nothing of the kind is claimed.
            let steps = report.claim(Topic::Injective).unwrap();
            assert_ne!(steps.evidence.label(), "proven", "{name}: {report}");
            for certificate in &claim.certificates {
                assert!(pushforward::checker::verify(certificate).is_ok(), "{name}");
            }
        }
    }
    // Each continuous layer of a composition has its claim, turned round or not.
    let field = || NetworkField::new(2, Network::new([4]));
    let layers: Vec<Box<dyn Bijection>> = vec![
        Box::new(Affine::new([1.2, 0.8], [0.3, -0.1])),
        Box::new(Inverse::new(Continuous::new(field(), solved_to(1e-6), 500))),
    ];
    let report = audit(&Chain::new(layers)).unwrap();
    let claim = report.claim(Topic::ExactFlow).unwrap();
    assert!(claim.statement.starts_with("layers.1") && claim.evidence.label() == "proven", "{report}");
}

#[test]
fn an_audit_of_adaptive_steps_measures_round_trips_at_their_tolerances() {
    let field = NetworkField::new(2, Network::new([8]));
    let report = audit(&Continuous::new(field, solved_to(1e-7), 500)).unwrap();
    assert!(report.has_no_refutation(), "{report}");
    for topic in [Topic::LogDet, Topic::Inverse, Topic::InverseLogDet, Topic::Mass] {
        assert_eq!(report.claim(topic).unwrap().evidence.label(), "checked", "{report}");
    }
    let statement = &report.claim(Topic::Inverse).unwrap().statement;
    let by = "f⁻¹(f(z)) = z, both by Dormand-Prince steps to 1e-7, exact trace from products of weights";
    assert_eq!(statement, by);
}

#[test]
fn flow_matching_finds_the_mean_velocity() {
    // Rows of N(m, s²): along z + u(x - z) the mean velocity is m + (s²u - (1 - u))/(s²u² + (1 - u)²)·(y - u·m).
    let (m, s) = (1.5f64, 0.5f64);
    let layer = || -> Vec<Box<dyn Bijection>> {
        vec![Box::new(Continuous::new(NetworkField::new(1, Network::new([32, 32])), solved_to(1e-6), 500))]
    };
    let flow = Flow::new(StandardNormal::new(1), layer()).unwrap();
    let loss = flow.flow_matching(0.0).unwrap();
    let options = TrainingOptions { learning_rate: 5e-3, seed: 3, ..TrainingOptions::default() };
    let mut minimiser = Minimiser::<f64>::new(&loss, flow.initial(2), options).unwrap();
    let mut rows = vec![0.0; 1024];
    let mut random = ChaCha8Rng::seed_from_u64(5);
    for step in 0..2000 {
        StandardNormal::new(1024).sample(&mut random, &mut rows);
        rows.iter_mut().for_each(|x| *x = m + s * *x);
        minimiser.set_learning_rate(5e-3 * (1.0 - 0.98 * f64::from(step) / 2000.0)).unwrap();
        minimiser.step(&[&rows], 1024).unwrap();
    }
    let tape = Tape::new();
    let (z, t) = (tape.input(Shape::Vector(1)), tape.input(Shape::Vector(1)));
    let v = tape.scope("layers.0", || NetworkField::new(1, Network::new([32, 32])).velocity(z, t.at(0)));
    let mut program = Program::<f64>::compile(&tape, &[z.id(), t.id()], &[Output::Each(v.id())]);
    program.load(minimiser.parameters()).unwrap();
    for (y, u) in [(0.0, 0.1), (1.0, 0.3), (-0.5, 0.3), (0.5, 0.6), (1.6, 0.9), (1.2, 0.9)] {
        let variance = s * s * u * u + (1.0 - u) * (1.0 - u);
        let exact = m + (s * s * u - (1.0 - u)) / variance * (y - u * m);
        let found = program.run(&[&[y], &[u]], 1).unwrap()[0][0];
        assert!((found - exact).abs() < 0.15, "v({y}, {u}) = {found}, not {exact}");
    }
    let fitted = flow.with(minimiser.parameters().clone()).unwrap();
    for x in [1.0, 1.5, 2.2] {
        let exact = -0.5 * ((x - m) / s).powi(2) - s.ln() - 0.5 * (2.0 * PI).ln();
        let found = fitted.log_prob(&[x]).unwrap()[0];
        assert!((found - exact).abs() < 0.1, "ln p({x}) = {found}, not {exact}");
    }
}

#[test]
fn the_loss_of_flow_matching_is_that_of_the_lines() {
    // v = A·y from t = 2 to t = 5: per unit of t a line moves (x - (1 - σ)z)/3.
    let field = spiral(-0.4, 1.3);
    let layers: Vec<Box<dyn Bijection>> =
        vec![Box::new(Continuous::new(field, Solver::Euler, 1).between(2.0, 5.0))];
    let flow = Flow::new(StandardNormal::new(2), layers).unwrap();
    let loss = flow.flow_matching(0.25).unwrap();
    let (tape, value) = loss.recording();
    let number = |id: &NodeId| match tape.node(*id).op {
        Op::Input(number) => Some((number, *id)),
        _ => None,
    };
    let subgraph = Subgraph::new(tape, &[], &[value]);
    let mut inputs: Vec<(u32, NodeId)> = subgraph.nodes().iter().filter_map(number).collect();
    inputs.sort_unstable();
    let inputs: Vec<NodeId> = inputs.into_iter().map(|(_, id)| id).collect();
    let mut program = Program::<f64>::compile(tape, &inputs, &[Output::Each(value)]);
    program.load(&Parameters::default()).unwrap();
    let (x, z, u) = ([0.7, -1.1], [0.2, 0.5], 0.3);
    let found = program.run(&[&x, &z, &[u]], 1).unwrap()[0][0];
    let w = [x[0] - 0.75 * z[0], x[1] - 0.75 * z[1]];
    let y = [z[0] + u * w[0], z[1] + u * w[1]];
    let v = [-0.4 * y[0] - 1.3 * y[1], 1.3 * y[0] - 0.4 * y[1]];
    let expected = (v[0] - w[0] / 3.0).powi(2) + (v[1] - w[1] / 3.0).powi(2);
    assert!((found - expected).abs() < 1e-14, "{found} {expected}");
}

#[test]
fn flow_matching_refuses_what_it_cannot_learn() {
    let field = || NetworkField::new(2, Network::new([3]));
    let motion = || Box::new(Continuous::new(field(), Solver::Euler, 1)) as Box<dyn Bijection>;
    let message = |layers: Vec<Box<dyn Bijection>>, sigma: f64| {
        let flow = Flow::new(StandardNormal::new(2), layers).unwrap();
        flow.flow_matching(sigma).err().unwrap().to_string()
    };
    let two = message(vec![motion(), Box::new(Affine::identity(2))], 0.0);
    assert!(two.contains("one continuous layer, but this flow is layers.0 Continuous"), "{two}");
    let turned = message(vec![Box::new(Inverse::new(Continuous::new(field(), Solver::Euler, 1)))], 0.0);
    assert!(turned.contains("one continuous layer"), "{turned}");
    for sigma in [-0.1, 1.0, f64::NAN] {
        assert!(message(vec![motion()], sigma).contains("sigma"));
    }
    let still: Vec<Box<dyn Bijection>> =
        vec![Box::new(Continuous::new(field(), Solver::Euler, 1).between(1.0, 1.0))];
    assert!(message(still, 0.0).contains("time span"));
}

#[test]
fn adaptive_layers_are_kept_in_model_files() {
    let field = NetworkField::new(2, Network::new([5]).with_context(1));
    let layer = Continuous::new(field, Solver::DormandPrince { relative: 1e-7, absolute: 1e-9 }, 700)
        .with_gradient(Gradient::Continuous)
        .with_divergence(Divergence::Hutchinson { probes: 2, seed: 5 });
    let layers: Vec<Box<dyn Bijection>> = vec![Box::new(layer)];
    let flow = Flow::new(StandardNormal::new(2), layers).unwrap();
    let start = flow.initial(1);
    let fitted = flow.with(start).unwrap();
    let loaded = FittedFlow::from_bytes(&fitted.to_bytes().unwrap(), &Registry::catalogue()).unwrap();
    let rows = [0.3, -0.4, 1.0, 2.0];
    let own = fitted.log_prob_given(&rows, &[0.5, -1.0]).unwrap();
    assert_eq!(own, loaded.log_prob_given(&rows, &[0.5, -1.0]).unwrap());
    let (a, b) = (fitted.flow().bijection().describe(), loaded.flow().bijection().describe());
    assert_eq!(format!("{a:?}"), format!("{b:?}"));
}
