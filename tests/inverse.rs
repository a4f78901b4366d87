//! Derived inverses of random layers: for any chain of operations on each variable, with parameters computed
//! from earlier variables, the inverse recovers z from x.

use crate::random_programs;

use crate::exact;

use std::cell::Cell;
use std::sync::Mutex;

use exact::enclosed;

use pushforward::bijection::{derived_inverse, forward_with_log_det, record_inverse};
use pushforward::jacobian::Order;
use pushforward::prelude::*;
use pushforward::program::{Output, Program};
use pushforward::sweep::{adjoint, tangent};
use pushforward::tape::{NodeId, Subgraph};
use random_programs::seeded::for_seeds_on_two_threads;
use random_programs::{Chooser, for_seeds, numbers};

/// A random triangular layer, in a random order, in scalars or with several variables in one vector.
struct Random {
    seed: u64,
    order: Vec<usize>,
    vectors: bool,
}

/// Something of the variables that are known.
fn known<'t>(z: &[Var<'t>], choose: &mut Chooser) -> Var<'t> {
    let (a, b) = (choose.pick(z), choose.pick(z));
    match choose.below(4) {
        0 => a.sin() + b,
        1 => (a * b).tanh(),
        2 => a.softplus() - 0.5 * b,
        _ => a.max(b),
    }
}

/// A chain of operations on v that can be undone.
fn chain<'t>(
    mut v: Var<'t>,
    known: &mut dyn FnMut(&mut Chooser) -> Var<'t>,
    choose: &mut Chooser,
) -> Var<'t> {
    for _ in 0..1 + choose.below(4) {
        v = match choose.below(19) {
            0 => v + known(choose),
            1 => v - known(choose),
            2 => known(choose) - v,
            3 => v * (0.5 * known(choose).tanh()).exp(),
            4 => v * (-known(choose).tanh()).exp(),
            5 => v * (known(choose).tanh() + 1.5),
            6 => v / (known(choose).tanh() + 1.5),
            7 => -v,
            8 => (0.3 * v).tanh(),
            9 => (0.3 * v).exp(),
            10 => v.sigmoid(),
            11 => v.softplus(),
            12 => (0.3 * v).exp_m1(),
            // Strictly monotone, but no chain of operations to undo.
            13 => v + 0.5 * v.tanh(),
            14 => v + (0.5 * v).exp() * (0.2 * known(choose)).exp(),
            15 => 0.3 * v.powi(3) + v,
            16 => -v - v.softplus(),
            17 => (0.3 * v).erf(),
            _ => v.powi(3) * 0.1 + known(choose),
        };
    }
    v
}

const D: usize = 4;

impl Bijection for Random {
    fn dim(&self) -> usize {
        D
    }

    fn structure(&self) -> Structure {
        Structure::Triangular { order: Order::of(self.order.clone()) }
    }

    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let mut choose = Chooser::new(self.seed);
        let tape = z.tape();
        let mut back = vec![0; D];
        self.order.iter().enumerate().for_each(|(k, i)| back[*i] = k);
        if self.vectors {
            // The first half passes through a chain, the second is moved by what the first says.
            let (first, second) = (z.gather(&self.order[..2]), z.gather(&self.order[2..]));
            let constant = tape.vector(&[0.3, -0.8]);
            let moved_first = chain(first, &mut |_| constant, &mut choose);
            let moved = chain(second, &mut |choose| known(&[first], choose), &mut choose);
            return concat([moved_first, moved]).gather(&back);
        }
        let mut x = Vec::new();
        let mut before = vec![tape.constant(0.4)];
        for i in &self.order {
            let own = z.at(*i);
            x.push(chain(own, &mut |choose| known(&before, choose), &mut choose));
            before.push(own);
        }
        stack(back.iter().map(|k| x[*k]))
    }
}

#[test]
fn every_image_comes_home() {
    let (worst, checked) = (Cell::new(0.0f64), Cell::new(0u64));
    for_seeds(1000, |seed| {
        let mut choose = Chooser::new(seed);
        let mut order: Vec<usize> = (0..D).collect();
        for k in (1..D).rev() {
            order.swap(k, choose.below(k + 1));
        }
        let layer = Random { seed, order, vectors: choose.chance(0.5) };
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(D));
        let pushed = forward_with_log_det(&layer, z).map_err(|error| error.to_string())?;
        let home = derived_inverse(&layer, pushed.x).map_err(|error| error.to_string())?;
        for _ in 0..4 {
            let point = choose.numbers(D);
            let found = numbers(&tape, z, &[home, pushed.log_det], &point);
            // Where f is nearly flat, one bit of x is many bits of z.
            if found[1][0] < -12.0 || !found[1][0].is_finite() {
                continue;
            }
            for (back, z) in found[0].iter().zip(&point) {
                let off = (back - z).abs();
                if off.is_nan() || off > 1e-6 {
                    return Err(format!("{point:?} came back as {:?}", found[0]));
                }
                worst.set(worst.get().max(off));
                checked.set(checked.get() + 1);
            }
        }
        Ok(())
    });
    println!("{} round trips, worst error {:.1e}", checked.get(), worst.get());
}

/// A layer given by a function.
struct Layer {
    d: usize,
    structure: Structure,
    domain: Domain,
    forward: Formula,
}

type Formula = for<'t> fn(Var<'t>) -> Var<'t>;

impl Bijection for Layer {
    fn dim(&self) -> usize {
        self.d
    }
    fn structure(&self) -> Structure {
        self.structure.clone()
    }
    fn domain(&self) -> Domain {
        self.domain.clone()
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        (self.forward)(z)
    }
}

fn lower(d: usize, forward: Formula) -> Layer {
    Layer { d, structure: Structure::LowerTriangular, domain: Domain::Reals, forward }
}

#[test]
fn newton_arrives_from_every_image_in_the_tails_too() {
    let strictly_monotone: [(&str, Domain, Formula); 9] = [
        ("z + tanh(z)/2", Domain::Reals, |z| z + 0.5 * z.tanh()),
        ("z + sin(z)/2", Domain::Reals, |z| z + 0.5 * z.sin()),
        ("z + e^z", Domain::Reals, |z| z + z.exp()),
        ("z³ + z", Domain::Reals, |z| z.powi(3) + z),
        ("sinh(z) + z", Domain::Reals, |z| z.sinh() + z),
        ("-z - softplus(z)", Domain::Reals, |z| -z - z.softplus()),
        ("e^(e^(z/8)) + z", Domain::Reals, |z| (z / 8.0).exp().exp() + z),
        ("z + ln z on (0, ∞)", Domain::Positive, |z| z + z.ln()),
        ("z² on (0, ∞)", Domain::Positive, |z| z.powi(2)),
    ];
    for (name, domain, forward) in strictly_monotone {
        let layer = Layer { domain, ..lower(1, forward) };
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(1));
        let pushed = forward_with_log_det(&layer, z).unwrap();
        let home = derived_inverse(&layer, pushed.x).unwrap_or_else(|error| panic!("{name}: {error}"));
        let outputs = [home, pushed.log_det, pushed.x].map(|var| Output::Each(var.id()));
        let mut program = Program::<f64>::compile(&tape, &[z.id()], &outputs);
        program.load(&Parameters::default()).unwrap();
        let points: Vec<f64> = (-3000..=3000).map(|k| f64::from(k) / 100.0 + 1e-3).collect();
        let points: Vec<f64> = points.into_iter().filter(|z| layer.domain.contains(&[*z])).collect();
        let found = program.run(&[&points], points.len()).unwrap();
        for (k, z) in points.iter().enumerate() {
            let (back, slope, x) = (found[0][k], found[1][k].exp(), found[2][k]);
            // One bit of x is 1/slope bits of z.
            let allowed = 1e-12 * z.abs().max(1.0) + 4.0 * f64::EPSILON * x.abs() / slope;
            assert!((back - z).abs() <= allowed, "{name}: {z} came back as {back}");
        }
    }
}

#[test]
fn an_image_that_no_point_has_is_not_a_number() {
    let layer = lower(1, |z| z.erf() + z.tanh());
    let tape = Tape::new();
    let x = tape.input(Shape::Vector(1));
    let z = derived_inverse(&layer, x).unwrap();
    for outside in [2.5, -2.1, f64::INFINITY, f64::NAN] {
        assert!(numbers(&tape, x, &[z], &[outside])[0][0].is_nan(), "{outside} has no preimage");
    }
    assert_eq!(numbers(&tape, x, &[z], &[0.0])[0][0], 0.0);
}

#[test]
fn what_is_not_proven_monotone_is_refused_with_both_reasons() {
    let tape = Tape::new();
    let x = tape.input(Shape::Vector(1));
    let error = derived_inverse(&lower(1, |z| z + 1.5 * z.sin()), x).unwrap_err().to_string();
    for part in ["both operands of add", "strictly monotone", "tests/inverse.rs:", "write an `inverse`"] {
        assert!(error.contains(part), "{error}");
    }
}

/// A masked network's layer, of which each variable occurs several times in its own output.
fn autoregressive<'t>(z: Var<'t>) -> Var<'t> {
    let parts = MaskedNetwork::new(z.len(), [7]).apply(z, 2);
    let (scale, shift) = (parts[0], parts[1]);
    z + 0.7 * z.tanh() * scale.sigmoid() + (0.5 * z + shift).softplus()
}

/// Moves every parameter away from its start.
fn moved(tape: &Tape) -> Parameters {
    let mut parameters = Parameters::initialise(tape, 1);
    for (k, (_, tensor)) in parameters.iter_mut().enumerate() {
        tensor.values.iter_mut().enumerate().for_each(|(e, v)| *v += 0.5 * ((5 * k + 3 * e) as f64).sin());
    }
    parameters
}

#[test]
fn autoregressive_slices_without_a_formula_are_solved_one_inside_the_other() {
    let d = 6;
    let layer = lower(d, autoregressive);
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(d));
    let pushed = forward_with_log_det(&layer, z).unwrap();
    let home = derived_inverse(&layer, pushed.x).unwrap();
    let mut program =
        Program::<f64>::compile(&tape, &[z.id()], &[Output::Each(home.id()), Output::Each(pushed.x.id())]);
    program.load(&moved(&tape)).unwrap();
    let mut choose = Chooser::new(4);
    let points: Vec<f64> = choose.numbers(300 * d).into_iter().map(|z| 5.0 * z).collect();
    let found = program.run(&[&points], 300).unwrap();
    let worst = found[0].iter().zip(&points).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    assert!(worst < 1e-12, "worst {worst:e}");
    assert!(found[1].iter().zip(&points).any(|(x, z)| (x - z).abs() > 0.1), "it moves");
    // The audit agrees, and knows that it is onto.
    let report = audit(&layer).unwrap();
    assert!(report.has_no_refutation(), "{report}");
    assert!(report.to_string().contains("one-to-one onto"), "{report}");
}

/// Runs a program with these parameters at a point.
type At<'a> = dyn FnMut(&Parameters, &[f64]) -> Vec<Vec<f64>> + 'a;

#[test]
fn derivatives_of_solved_equations_are_difference_quotients() {
    let d = 4;
    let coupled: Formula = |z| {
        let (a, b) = (z.slice(0..2), z.slice(2..4));
        let scale = z.tape().parameter("scale", Shape::Vector(2), Init::Constant(0.3));
        concat([a + 0.5 * a.tanh(), b.powi(3) + b * (scale * a).exp() + a.sin()])
    };
    let layers: [Box<dyn Bijection>; 4] = [
        Box::new(Autoregressive::maf(MaskedNetwork::new(d, [5]))),
        Box::new(Inverse::new(lower(d, autoregressive))),
        Box::new(Inverse::new(Layer { structure: Structure::LowerTriangular, ..lower(d, coupled) })),
        Box::new(Inverse::new(Autoregressive::maf(MaskedNetwork::with_degrees(
            vec![2, 4, 1, 3],
            vec![vec![1, 2, 3]],
        )))),
    ];
    for layer in layers {
        let tape = Tape::new();
        let x = tape.input(Shape::Vector(d));
        let y = forward_with_log_det(&layer, x).unwrap_or_else(|error| panic!("{error}")).x;
        let v = [0.6, -1.0, 0.8, 0.3];
        let weight = tape.vector(&[1.0, -0.5, 0.7, 0.2]);
        let subgraph = Subgraph::new(&tape, &[x.id()], &[y.id()]);
        let along = tangent(&tape, &subgraph, &[(x.id(), tape.vector(&v))])[0].unwrap();
        let parameters = tape.parameters();
        let wrt: Vec<NodeId> = [x.id()].into_iter().chain(parameters.iter().copied()).collect();
        let back: Vec<Option<Var<'_>>> = adjoint(&tape, &subgraph, &[(y.id(), weight)], &wrt);
        // And the derivative of the derivative.
        let subgraph = Subgraph::new(&tape, &[x.id()], &[along.id()]);
        let twice = tangent(&tape, &subgraph, &[(x.id(), tape.vector(&v))])[0].unwrap();
        let mut outputs = vec![y, along, twice, back[0].unwrap()];
        outputs.extend(back[1..].iter().flatten());
        let outputs: Vec<Output> = outputs.iter().map(|var| Output::Each(var.id())).collect();
        let mut program = Program::<f64>::compile(&tape, &[x.id()], &outputs);
        let start = moved(&tape);
        let mut at = |parameters: &Parameters, x: &[f64]| {
            program.load(parameters).unwrap();
            program.run(&[x], 1).unwrap()
        };
        let point = [0.4, -0.8, 0.3, 0.9];
        let step = 1e-4;
        let shifted =
            |sign: f64| -> Vec<f64> { point.iter().zip(&v).map(|(x, v)| x + sign * step * v).collect() };
        let (here, up, down) = (at(&start, &point), at(&start, &shifted(1.0)), at(&start, &shifted(-1.0)));
        for i in 0..d {
            for (what, derivative) in [(0, 1), (1, 2)] {
                let quotient = (up[what][i] - down[what][i]) / (2.0 * step);
                let found = here[derivative][i];
                assert!(
                    (quotient - found).abs() < 1e-6 * found.abs().max(1.0),
                    "{}: {found} {quotient}",
                    layer.name()
                );
            }
        }
        // ⟨weight, J v⟩ both ways.
        let weights = [1.0, -0.5, 0.7, 0.2];
        let forwards: f64 = here[1].iter().zip(weights).map(|(a, b)| a * b).sum();
        let backwards: f64 = here[3].iter().zip(v).map(|(a, b)| a * b).sum();
        assert!((forwards - backwards).abs() < 1e-12, "{}: {forwards} {backwards}", layer.name());
        // Parameters, one by one.
        let names: Vec<String> = start.iter().map(|(name, _)| name.to_string()).collect();
        let mut output = 4;
        for (k, name) in names.iter().enumerate() {
            if back[k + 1].is_none() {
                continue;
            }
            let tensor = start.get(name).unwrap().clone();
            for e in 0..tensor.values.len() {
                let value = |sign: f64, at: &mut At<'_>| -> f64 {
                    let (mut changed, mut values) = (start.clone(), tensor.values.clone());
                    values[e] += sign * step;
                    changed.set(name, tensor.shape, values).unwrap();
                    at(&changed, &point)[0].iter().zip(weights).map(|(a, b)| a * b).sum()
                };
                let quotient = (value(1.0, &mut at) - value(-1.0, &mut at)) / (2.0 * step);
                let found = here[output][e];
                assert!(
                    (quotient - found).abs() < 1e-6 * found.abs().max(1.0),
                    "{} {name}[{e}]: {found} against {quotient}",
                    layer.name()
                );
            }
            output += 1;
        }
    }
}

#[test]
fn inverting_an_autoregressive_layer_costs_one_pass_whatever_d() {
    println!("{:>5} {:>12} {:>12} {:>6}", "d", "forward", "inverse", "ratio");
    for d in [1, 8, 64, 512] {
        let layer = Autoregressive::maf(MaskedNetwork::new(d, [2 * d, 2 * d]));
        let count = |inverse: bool| {
            let tape = Tape::new();
            let from = tape.input(Shape::Vector(d));
            let to = if inverse {
                forward_with_log_det(&layer, from).unwrap().x
            } else {
                record_inverse(&layer, from).unwrap()
            };
            Program::<f64>::compile(&tape, &[from.id()], &[Output::Each(to.id())]).operations()
        };
        let (direct, inverse) = (count(false), count(true));
        let ratio = inverse as f64 / direct as f64;
        println!("{d:>5} {direct:>12} {inverse:>12} {ratio:>6.3}");
        assert!(ratio <= 1.25, "d = {d}: {inverse} operations against {direct}");
    }
}

/// A random function of one variable: sums and products of what grows, what is bounded, what falls and what folds.
fn random_function<'t>(z: Var<'t>, choose: &mut Chooser) -> Var<'t> {
    let tape = z.tape();
    let p = tape.parameter("p", Shape::Vector(1), Init::Constant(0.4));
    let mut pool = vec![z, p, tape.vector(&[0.7]), p.exp(), tape.vector(&[-0.3])];
    for _ in 0..2 + choose.below(6) {
        let (a, b) = (choose.pick(&pool), choose.pick(&pool));
        pool.push(match choose.below(19) {
            0..=2 => a + b,
            3 => a - b,
            4 => a * b,
            5 => a.tanh(),
            6 => a.sinh(),
            7 => a.asinh(),
            8 => (0.3 * a).exp(),
            9 => a.softplus(),
            10 => a.powi(3),
            11 => -a,
            12 => a / (1.0 + b.sigmoid()),
            13 => a * (1.5 + b.sin()),
            14 => a.max(b),
            15 => select(a.lt(b), a, 2.0 * b),
            16 => a.abs(),
            17 => a.ln_normal_cdf(),
            _ => 2.0 * a + 0.5 * a.sin(),
        });
    }
    pool[pool.len() - 1]
}

struct RandomFunction(u64);

impl Bijection for RandomFunction {
    fn dim(&self) -> usize {
        1
    }
    fn structure(&self) -> Structure {
        Structure::Diagonal
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        random_function(z, &mut Chooser::new(self.0))
    }
}

/// What is proven of a random function, and seen to be so.
#[derive(Default)]
struct Seen {
    proven: usize,
    onto: usize,
}

/// Looks at a random function that is proven one-to-one, or onto, with values of the parameter that nobody has seen.
///
/// Doubles say where to look; what they show is held against 320 bits before it counts, for they cannot tell a slope of
/// 10⁻³⁴ beside a value of 1 from none.
fn is_as_proven(seed: u64, seen: &mut Seen) -> Result<(), String> {
    let layer = RandomFunction(seed);
    let Ok(report) = audit(&layer) else { return Ok(()) };
    let Some(claim) = report.claim(pushforward::audit::Topic::Injective) else { return Ok(()) };
    if claim.evidence.label() != "proven" {
        return Ok(());
    }
    seen.proven += 1;
    for value in [-3.0, -0.2, 0.0, 2.5] {
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(1));
        let x = layer.forward(z);
        let mut program = Program::<f64>::compile(&tape, &[z.id()], &[Output::Each(x.id())]);
        let mut parameters = Parameters::initialise(&tape, 0);
        if parameters.get("p").is_some() {
            parameters.set("p", Shape::Vector(1), vec![value]).unwrap();
        }
        program.load(&parameters).unwrap();
        let at = |z0: f64| enclosed(&tape, z, x, &parameters, z0);
        let points: Vec<f64> = (-400..=400).map(|k| f64::from(k) / 40.0).collect();
        let images = program.run(&[&points], points.len()).unwrap().swap_remove(0);
        // Its direction over the whole range, and steps that go the other way.
        let way = at(points[800]).minus(&at(points[0])).sign();
        for k in 0..800 {
            let step = images[k + 1] - images[k];
            if step * f64::from(way) < 0.0 && at(points[k + 1]).minus(&at(points[k])).sign() == -way {
                return Err(format!(
                    "proven one-to-one at p = {value}, but it turns at {}: {report}",
                    points[k]
                ));
            }
        }
        if claim.statement.contains("onto") {
            seen.onto += 1;
            for sign in [-1.0, 1.0] {
                let [near, far, farther] = [1e3, 1e6, 1e9].map(|z0| at(sign * z0));
                if !(near.is_finite() && far.is_finite() && farther.is_finite()) {
                    continue;
                }
                // However slowly (an asinh of an asinh), it still goes on when z is a thousand times as far: by a good
                // part of what the thousand before brought. What converges like 1/z brings a thousandth.
                if farther.minus(&far).is_below(0.01, &far.minus(&near)) {
                    return Err(format!(
                        "proven onto ℝ at p = {value}, but it stops at {sign}·10⁹: {report}"
                    ));
                }
            }
        }
    }
    Ok(())
}

#[test]
fn what_is_proven_one_to_one_and_onto_is_so_to_whoever_looks() {
    let seen = Mutex::new(Seen::default());
    for_seeds_on_two_threads(1500, |seed| {
        let mut own = Seen::default();
        is_as_proven(seed, &mut own)?;
        let mut seen = seen.lock().unwrap();
        (seen.proven, seen.onto) = (seen.proven + own.proven, seen.onto + own.onto);
        Ok(())
    });
    let Seen { proven, onto } = seen.into_inner().unwrap();
    println!("{proven} proven one-to-one, {onto} looks at maps proven onto");
    assert!(proven > 20 && onto > 20, "the generator makes hardly anything that can be proven");
}

#[test]
fn a_slope_of_1e_34_beside_a_value_of_1_is_no_end() {
    for seed in [7542902734330062509, 13810333164877614978] {
        is_as_proven(seed, &mut Seen::default()).unwrap();
    }
}

#[test]
fn whoever_looks_sees_what_turns_and_what_stops() {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(1));
    let none = Parameters::initialise(&tape, 0);
    let at = |x: Var<'_>, z0: f64| enclosed(&tape, z, x, &none, z0);
    let stops = |x: Var<'_>| {
        let [near, far, farther] = [1e3, 1e6, 1e9].map(|z0| at(x, z0));
        farther.minus(&far).is_below(0.01, &far.minus(&near))
    };
    assert!(!stops(z * 1e-34 + 1.0) && !stops(z.asinh().asinh()) && !stops(z * 1e-34 + z.tanh()));
    assert!(stops(z / (1.0 + z.abs())) && stops(z.tanh() - 1.0 / (2.0 + z.powi(2))));
    // 1 + 10⁻³⁰·(z - 2·tanh z) turns between 0 and ½.
    let turns = 1.0 + 1e-30 * (z - 2.0 * z.tanh());
    assert_eq!(at(turns, 0.5).minus(&at(turns, 0.0)).sign(), -1);
    assert_eq!(at(turns, 3.0).minus(&at(turns, 2.0)).sign(), 1);
    // ln Φ against 30 digits of the closed form ln(erfc(-z/√2)/2).
    for (z0, expected) in
        [(-20.0, -203.91715537109724), (-1.0, -1.8410216450092634), (1.0, -0.17275377902344988)]
    {
        let off = at(z.ln_normal_cdf() - tape.vector(&[expected]), z0);
        assert!(off.is_below(1e-15, &at(z * 0.0 + expected, z0)), "ln Φ({z0})");
    }
}

#[test]
fn a_variable_that_no_output_tells_is_not_recovered() {
    // (z₀, z₀) is no bijection, whatever it declares: both outputs tell z₀, and nothing tells z₁.
    let twice: Formula = |z| stack([z.at(0), z.at(0)]);
    let blocks = Structure::BlockTriangular { order: Order::natural(2), blocks: vec![2] };
    for structure in [Structure::LowerTriangular, blocks] {
        let layer = Layer { structure, ..lower(2, twice) };
        let tape = Tape::new();
        let error = derived_inverse(&layer, tape.input(Shape::Vector(2))).unwrap_err().to_string();
        assert!(error.contains("determines z[0]"), "{error}");
        let report = audit(&layer).unwrap().to_string();
        assert!(!report.contains("one-to-one onto"), "{report}");
    }
}

#[test]
fn what_a_block_still_lacks_is_not_taken_for_known() {
    // x₂ = z₂·exp(z₁): z₁ is in a block with z₀, and not known once z₀ is.
    let layer = Layer {
        structure: Structure::BlockTriangular { order: Order::natural(3), blocks: vec![2, 1] },
        ..lower(3, |z| {
            let moved = z.gather(&[0, 2]) * stack([z.tape().constant(1.0), z.at(1)]).exp();
            stack([moved.at(0), z.at(1).tanh(), moved.at(1)])
        })
    };
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(3));
    let x = forward_with_log_det(&layer, z).unwrap().x;
    let point = [0.3, -0.8, 1.1];
    match derived_inverse(&layer, x) {
        Ok(home) => {
            let found = numbers(&tape, z, &[home], &point).swap_remove(0);
            found.iter().zip(point).for_each(|(a, b)| assert!((a - b).abs() < 1e-12, "{found:?}"));
        }
        Err(error) => assert!(error.to_string().contains("x["), "{error}"),
    }
}

#[test]
fn a_product_with_a_triangular_matrix_is_solved_row_by_row() {
    // Variables that are not known yet are multiplied by structural zeros.
    let layer = lower(6, |z| {
        let mask = [0.0, 0.0, 0.0, 1.0, 0.0, 0.0, 1.0, 1.0, 0.0];
        let below = z.tape().parameter("below", Shape::Matrix(3, 3), Init::Constant(0.7));
        let matrix =
            below * z.tape().matrix(3, 3, &mask) + z.tape().vector(&[1.0, 2.0, 0.5]).diagonal_matrix();
        let rows = z.reshape(Shape::Matrix(2, 3)).matmul(matrix.transpose());
        rows.reshape(Shape::Vector(6)) + 0.1 * z.tanh()
    });
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(6));
    let x = forward_with_log_det(&layer, z).unwrap().x;
    let home = derived_inverse(&layer, x).unwrap();
    let point = [0.3, -0.8, 1.1, -2.0, 0.1, 0.6];
    let found = numbers(&tape, z, &[home], &point).swap_remove(0);
    found.iter().zip(point).for_each(|(a, b)| assert!((a - b).abs() < 1e-12, "{found:?}"));
}

#[test]
fn a_layer_of_no_variables_is_refused_without_a_panic() {
    let layer = Layer { structure: Structure::Diagonal, ..lower(0, |z| z) };
    let tape = Tape::new();
    let x = tape.input(Shape::Vector(0));
    let error = derived_inverse(&layer, x).unwrap_err();
    assert!(error.to_string().contains("variable"), "{error}");
}

#[test]
fn a_jump_inside_of_an_equation_is_seen() {
    use pushforward::bijection::solve_in_order;
    use pushforward::sweep::may_be_discontinuous;
    for choice in [true, false] {
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(2));
        let solved = solve_in_order(&tape, &[0, 1], |u| {
            let b = z.at(1);
            let moved = if choice { select((b + u.at(0)).lt(0.0), 3.0, 0.0) } else { u.at(0).tanh() };
            Some(stack([z.at(0), b + moved]))
        });
        let x = stack([z.at(0), solved.unwrap().at(1)]);
        let subgraph = Subgraph::new(&tape, &[z.id()], &[x.id()]);
        assert_eq!(may_be_discontinuous(&tape, &subgraph), choice);
    }
}

#[test]
fn what_has_no_preimage_under_a_root_or_a_power_is_not_a_number() {
    // √z on (0, ∞), its codomain left at ℝ: no z goes to -1.3, and 1.69 does not either.
    let layers: [Formula; 2] = [|z| z.sqrt(), |z| z.pow(0.5)];
    for forward in layers {
        let layer = Layer { domain: Domain::Positive, ..lower(1, forward) };
        let tape = Tape::new();
        let x = tape.input(Shape::Vector(1));
        let z = derived_inverse(&layer, x).unwrap();
        assert!(numbers(&tape, x, &[z], &[-1.3])[0][0].is_nan());
        let back = numbers(&tape, x, &[z], &[1.3])[0][0];
        assert!((back - 1.69).abs() < 1e-14, "{back}");
    }
}

/// What comes home of a point, or why there is no way.
fn home(layer: &Layer, points: &[Vec<f64>]) -> Result<Vec<Vec<f64>>, String> {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(layer.d));
    let x = layer.forward(z);
    let home = derived_inverse(layer, x).map_err(|error| error.to_string())?;
    Ok(points.iter().map(|point| numbers(&tape, z, &[home], point).swap_remove(0)).collect())
}

/// That what comes home is what went, or that there is said to be no way.
fn comes_home_or_is_refused(name: &str, layer: &Layer, points: &[Vec<f64>]) -> bool {
    let Ok(found) = home(layer, points) else { return false };
    for (found, point) in found.iter().zip(points) {
        let near = found.iter().zip(point).all(|(a, b)| (a - b).abs() < 1e-9);
        assert!(near && found.len() == point.len(), "{name}: {point:?} came back as {found:?}");
    }
    true
}

#[test]
fn each_operation_is_undone() {
    let reals: [(&str, Formula); 24] = [
        ("-z", |z| -z),
        ("e^z", |z| z.exp()),
        ("e^z - 1", |z| z.exp_m1()),
        ("sinh", |z| z.sinh()),
        ("asinh", |z| z.asinh()),
        ("tanh", |z| z.tanh()),
        ("σ", |z| z.sigmoid()),
        ("softplus", |z| z.softplus()),
        ("z¹", |z| z.powi(1)),
        ("z³", |z| z.powi(3)),
        ("z + 3", |z| z + 3.0),
        ("3 + z", |z| 3.0 + z),
        ("z - 3", |z| z - 3.0),
        ("3 - z", |z| 3.0 - z),
        ("3z", |z| 3.0 * z),
        ("z·3", |z| z * 3.0),
        ("z/3", |z| z / 3.0),
        ("z·e^p", |z| z * z.tape().parameter("p", Shape::Scalar, Init::Constant(0.3)).exp()),
        ("z·e^-p", |z| z * (-z.tape().parameter("p", Shape::Scalar, Init::Constant(0.3))).exp()),
        ("2^z", |z| z.tape().constant(2.0).pow(z)),
        ("erf", |z| z.erf()),
        ("Φ", |z| z.normal_cdf()),
        ("arctan/π", |z| z.atan_pi()),
        ("z + sin(z)/2", |z| z + 0.5 * z.sin()),
    ];
    for (name, forward) in reals {
        let points = [vec![-1.7], vec![-0.4], vec![0.3], vec![1.9]];
        assert!(comes_home_or_is_refused(name, &lower(1, forward), &points), "{name} has an inverse");
    }
    let positive: [(&str, Formula); 11] = [
        ("1/z", |z| z.recip()),
        ("ln", |z| z.ln()),
        ("ln(1 + z)", |z| z.ln_1p()),
        ("√z", |z| z.sqrt()),
        ("z²", |z| z.powi(2)),
        ("1/z, a power", |z| z.powi(-1)),
        ("z⁻²", |z| z.powi(-2)),
        ("z⁻³", |z| z.powi(-3)),
        ("3/z", |z| 3.0 / z),
        ("z^1.7", |z| z.pow(1.7)),
        ("|z|", |z| z.abs()),
    ];
    for (name, forward) in positive {
        let layer = Layer { domain: Domain::Positive, ..lower(1, forward) };
        assert!(
            comes_home_or_is_refused(name, &layer, &[vec![0.2], vec![0.9], vec![3.1]]),
            "{name} has an inverse"
        );
    }
}

#[test]
fn what_is_not_one_to_one_has_no_inverse() {
    let folded: [(&str, Formula); 10] = [
        ("z²", |z| z.powi(2)),
        ("z⁴", |z| z.powi(4)),
        ("|z|", |z| z.abs()),
        ("cosh", |z| z.cosh()),
        ("sech²", |z| z.sech_squared()),
        ("sin", |z| z.sin()),
        // It jumps over a gap, stands still, or turns.
        ("z + sign z", |z| z + z.sign()),
        ("max(z, 0)", |z| z.max(0.0) + 0.0 * z),
        ("z + |z|", |z| z + z.abs()),
        ("z - 2·tanh z", |z| z - 2.0 * z.tanh()),
    ];
    for (name, forward) in folded {
        assert!(home(&lower(1, forward), &[]).is_err(), "{name} has no inverse");
    }
    // Its slope 1 + 1/z is positive below -1, where it has no value.
    let nowhere = Layer { domain: Domain::Interval { lower: -3.0, upper: -1.0 }, ..lower(1, |z| z + z.ln()) };
    assert!(home(&nowhere, &[]).is_err());
}

#[test]
fn a_closed_end_comes_home() {
    use std::f64::consts::PI;
    // [-π, π) and, turned over, (-π, π].
    let bent: [Formula; 2] = [|z| z + 0.3 * z.sin(), |z| -z + 0.3 * (-z).sin()];
    for forward in bent {
        let layer = Layer { domain: Domain::Circle, ..lower(1, forward) };
        assert!(comes_home_or_is_refused("circle", &layer, &[vec![-PI], vec![0.4], vec![3.1]]));
    }
}

#[test]
fn what_is_mixed_comes_home_or_is_refused() {
    let blocks = |sizes: &[usize], forward: Formula| {
        let d = sizes.iter().sum();
        let structure = Structure::BlockTriangular { order: Order::natural(d), blocks: sizes.to_vec() };
        Layer { structure, ..lower(d, forward) }
    };
    let points = [vec![0.3, -0.8, 1.1], vec![-1.2, 0.5, 0.7]];
    let fixed: Formula = |z| z.tape().matrix(3, 3, &[1.0, 2.0, 0.0, 0.5, -1.0, 3.0, 0.2, 0.0, 1.0]).matvec(z);
    assert!(comes_home_or_is_refused("a matrix", &blocks(&[3], fixed), &points));
    let mixed: [(&str, Layer); 7] = [
        (
            "elements of a product in another order",
            blocks(&[3], |z| {
                z.tape()
                    .matrix(3, 3, &[1.0, 2.0, 0.0, 0.5, -1.0, 3.0, 0.2, 0.0, 1.0])
                    .matvec(z)
                    .gather(&[2, 0, 1])
            }),
        ),
        (
            "a matrix of the variables before",
            blocks(&[1, 2], |z| {
                let (one, two) = (z.tape().constant(1.0), z.tape().constant(2.0));
                let matrix = stack([one, z.at(0), z.at(0) - z.at(0), two]).reshape(Shape::Matrix(2, 2));
                concat([z.slice(0..1), matrix.matvec(z.slice(1..3))])
            }),
        ),
        (
            "neighbours with their unknowns in other operands",
            Layer {
                structure: Structure::Diagonal,
                ..lower(3, |z| {
                    let c = z.tape().vector(&[0.5]);
                    concat([z.slice(0..1), c, z.slice(2..3)]) - concat([c, z.slice(1..2), c])
                })
            },
        ),
        (
            "two ways to one node, in two orders",
            blocks(&[3], |z| {
                let v = z.sinh();
                v + 0.1 * v.gather(&[1, 2, 0]).tanh()
            }),
        ),
        (
            "two of one vector, with one between them that is not known yet",
            lower(3, |z| {
                let (u, v) = (z.gather(&[0, 2]), stack([z.tape().constant(0.0), z.at(1)]));
                let x = u + 0.5 * (z.tape().matrix(2, 2, &[1.0, 0.0, 0.0, 1.0]).matvec(u) + v).tanh();
                stack([x.at(0), 2.0 * z.at(1), x.at(1)])
            }),
        ),
        (
            "a chain in another order",
            Layer {
                structure: Structure::Triangular { order: Order::of(vec![2, 0, 1]) },
                ..lower(3, |z| {
                    let (a, b, c) = (z.at(2), z.at(0), z.at(1));
                    stack([b + 0.5 * b.tanh() + a, c * (0.3 * b).exp(), a.sinh() + a])
                })
            },
        ),
        (
            "one variable of another",
            lower(3, |z| z + 0.5 * concat([z.slice(0..1) * 0.0, z.slice(0..2)]).tanh()),
        ),
    ];
    for (name, layer) in &mixed {
        println!("{name}: {}", comes_home_or_is_refused(name, layer, &points));
    }
}

#[test]
fn ten_thousand_layers_are_recorded_in_proportion() {
    // Told apart by nodes, not by time: each layer adds as many as the one before.
    let count = |n: usize| {
        let layers = (0..n).map(|_| Box::new(Affine::identity(2)) as Box<dyn Bijection>);
        record(&Chain::new(layers)).unwrap().tape().len()
    };
    let (one, two, many) = (count(100), count(200), count(10_000));
    assert_eq!(many - two, 98 * (two - one));
}
