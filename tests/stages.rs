//! Maps that are one map after another in one `forward`: the sum of their log-determinants, inverses one after another, and
//! proofs that rest on those of the parts.

use pushforward::audit::{Topic, audit};
use pushforward::bijection::{derived_inverse, forward_with_log_det, inverse_with_log_det, record_inverse};
use pushforward::jacobian::{Route, jacobian, map};
use pushforward::numeric::Lu;
use pushforward::prelude::*;

use crate::random_programs::{Chooser, numbers, off};
use crate::written::{Formula, Written, dense};

fn layer(d: usize, forward: Formula) -> Written {
    dense("maps one after another", d, forward)
}

fn weight<'t>(z: Var<'t>, name: &str, rows: usize, columns: usize) -> Var<'t> {
    let seed = name.bytes().map(f64::from).sum::<f64>();
    let values =
        (0..rows * columns).map(|k| 0.7 * (7.3 * k as f64 + 0.37 * (k * k) as f64 + seed).sin()).collect();
    z.tape().parameter(name, Shape::Matrix(rows, columns), Init::Values(values))
}

/// A planar map with the constraint of Rezende and Mohamed.
fn planar<'t>(z: Var<'t>, k: usize) -> Var<'t> {
    let (tape, shape) = (z.tape(), Shape::Vector(z.len()));
    let start = |shift: f64| Init::Values((0..z.len()).map(|i| (1.9 * i as f64 + shift).sin()).collect());
    let w = tape.parameter(&format!("w{k}"), shape, start(k as f64));
    let u = tape.parameter(&format!("u{k}"), shape, start(0.4 + k as f64));
    let (along, square) = (w.dot(u), w.dot(w));
    let more = select(square.le(0.0), 0.0, (along.softplus() - 1.0 - along) / square);
    z + (w.dot(z) + 0.3).tanh() * (u + more * w)
}

/// The recorded route; ln|det J| is held against an LU of the whole Jacobian.
fn route(bijection: &dyn Bijection) -> Route {
    let recording = record(&bijection).unwrap();
    let (tape, z, x) = (recording.tape(), recording.input(), recording.output());
    let whole = jacobian(tape, &map(tape, z.id(), x.id()));
    let d = bijection.dim();
    let mut choose = Chooser::new(d as u64);
    for _ in 0..5 {
        let values = numbers(tape, z, &[recording.log_det(), whole], &choose.numbers(d));
        let expected = Lu::new(d, values[1].clone()).log_abs_det();
        assert!(off(values[0][0], expected) < 1e-10, "{} against {expected}", values[0][0]);
    }
    recording.layers()[0].route.clone()
}

/// The evidence of det J ≠ 0, of one-to-one, and of the inverse.
fn evidence(bijection: &dyn Bijection) -> [&'static str; 3] {
    let report = audit(&bijection).unwrap();
    assert!(report.has_no_refutation(), "{report}");
    [Topic::Determinant, Topic::Injective, Topic::Inverse]
        .map(|topic| report.claim(topic).map_or("none", |claim| claim.evidence.label()))
}

#[test]
fn log_determinants_are_added_up() {
    let low = |rank| Route::LowRank { rank };
    let both = layer(9, |z| planar(planar(z, 1), 2));
    assert_eq!(route(&both), Route::Product { parts: vec![low(1), low(1)] });
    // A triangular map between two products with matrices.
    let mixed = layer(6, |z| {
        let y = weight(z, "first", 6, 6).matvec(z);
        let bent = concat([y.slice(0..3), y.slice(3..6) * y.slice(0..3).tanh().exp() + y.slice(0..3)]);
        weight(z, "second", 6, 6).matvec(bent.sinh())
    });
    let linear = || Route::Linear { matrices: 1 };
    assert_eq!(route(&mixed), Route::Product { parts: vec![linear(), Route::Diagonal, linear()] });
    // One part that needs its whole Jacobian is as much work as the whole.
    let whole = layer(6, |z| {
        let y = z + weight(z, "out", 6, 6).matvec(weight(z, "in", 6, 6).matvec(z).tanh());
        y.sinh()
    });
    assert!(matches!(route(&whole), Route::Dense { .. }), "{}", route(&whole));
    // An edge past y: J is no product, and nothing is added up.
    let past = layer(6, |z| planar(planar(z, 1), 2) + z.tanh());
    assert!(!matches!(route(&past), Route::Product { .. }), "{}", route(&past));
}

#[test]
fn inverses_go_from_the_last_map_to_the_first() {
    // wᵀû ≥ 0 as it is written: each is solved for one number.
    let both = layer(9, |z| {
        [1, 2].into_iter().fold(z, |z, k| {
            let w = weight(z, &format!("w{k}"), 1, 9).row(0);
            0.5 * z + (w.dot(z) + 0.2).tanh() * w
        })
    });
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(9));
    let pushed = forward_with_log_det(&both, z).unwrap();
    let pulled = inverse_with_log_det(&both, pushed.x).unwrap();
    let mut choose = Chooser::new(3);
    for reach in [0.5, 1.0] {
        let point: Vec<f64> = choose.numbers(9).into_iter().map(|z| reach * z).collect();
        let values = numbers(&tape, z, &[pushed.log_det, pulled.log_det, pulled.z], &point);
        assert!((values[0][0] - values[1][0]).abs() < 1e-11, "{values:?}");
        for (found, expected) in values[2].iter().zip(&point) {
            assert!(off(*found, *expected) < 1e-12, "{found} {expected}");
        }
    }
    // A part without an inverse: none of the whole.
    let folded = layer(9, |z| planar(z, 1).powi(2));
    assert!(derived_inverse(&folded, Tape::new().input(Shape::Vector(9))).is_err());
}

#[test]
fn two_planar_maps_are_proven_by_their_parts() {
    let both = layer(3, |z| planar(planar(z, 1), 2));
    assert_eq!(evidence(&both)[..2], ["proven", "proven"]);
    // Without the constraint nothing is proven of one of them, nor of both together.
    let folded = layer(3, |z| {
        let (w, u) = (weight(z, "w", 1, 3).row(0), weight(z, "u", 1, 3).row(0));
        let y = z + w.dot(z).tanh() * u;
        planar(y, 2)
    });
    let [determinant, injective, _] = evidence(&folded);
    assert!(determinant != "proven" && injective != "proven");
}

#[test]
fn a_sylvester_flow_with_a_learned_q_is_proven() {
    for (d, units, reflections) in [(3, 2, 2), (4, 4, 1), (2, 1, 3)] {
        let flow = Sylvester::householder(d, units, reflections);
        let parts = match route(&flow) {
            Route::Product { parts } => parts,
            other => panic!("{other}"),
        };
        assert!(parts.contains(&Route::Diagonal), "{parts:?}");
        let found = evidence(&flow);
        assert_eq!(found[..2], ["proven", "proven"], "{d} {units} {reflections}");
        // Far from where it starts, which is the identity.
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(d));
        let x = flow.forward(z);
        let again = record_inverse(&flow, x).unwrap();
        let mut parameters = Parameters::initialise(&tape, 0);
        let mut choose = Chooser::new(d as u64);
        for (_, tensor) in parameters.iter_mut() {
            tensor.values.iter_mut().for_each(|value| *value = 2.0 * choose.number());
        }
        let outputs = [x, again].map(|node| pushforward::program::Output::Each(node.id()));
        let mut program = pushforward::program::Program::<f64>::compile(&tape, &[z.id()], &outputs);
        program.load(&parameters).unwrap();
        let points: Vec<f64> = choose.numbers(20 * d).into_iter().map(|z| 5.0 * z).collect();
        let values = program.run(&[&points], 20).unwrap();
        assert!(values[0].iter().zip(&points).any(|(x, z)| (x - z).abs() > 0.1));
        for (found, expected) in values[1].iter().zip(&points) {
            assert!(off(*found, *expected) < 1e-12, "{found} {expected}");
        }
        let described = flow.describe().unwrap();
        assert_eq!(Registry::catalogue().layer(&described).unwrap().describe().unwrap(), described);
    }
    let [determinant, injective, _] = evidence(&Sylvester::householder(3, 2, 2).unconstrained());
    assert!(determinant != "proven" && injective != "proven");
}
