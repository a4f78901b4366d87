//! Regression cases: the wrong verdicts of the commit 8a98834, each with the right one.

use pushforward::audit::{Topic, audit_with};
use pushforward::bijection::{derived_inverse, solve_in_order};
use pushforward::prelude::*;
use pushforward::program::{Output, Program};
use std::sync::atomic::{AtomicU32, Ordering};

use super::truth::{Question, verdicts};

type Formula = for<'t> fn(Var<'t>) -> Var<'t>;

/// A layer given by a formula.
#[derive(Clone)]
struct Layer {
    d: usize,
    structure: Structure,
    domain: Domain,
    codomain: Domain,
    forward: Formula,
    log_det: Option<Formula>,
}

fn layer(d: usize, structure: Structure, forward: Formula) -> Layer {
    Layer { d, structure, domain: Domain::Reals, codomain: Domain::Reals, forward, log_det: None }
}

fn line(forward: Formula) -> Layer {
    layer(1, Structure::Diagonal, forward)
}

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
    fn codomain(&self) -> Domain {
        self.codomain.clone()
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        (self.forward)(z)
    }
    fn log_det<'t>(&self, z: Var<'t>) -> Option<Var<'t>> {
        self.log_det.map(|formula| formula(z))
    }
}

/// What no audit may prove.
fn not_proven(layer: &dyn Bijection, questions: &[Question]) {
    let found = verdicts(layer);
    for question in questions {
        let claim = found.claims.iter().find(|claim| claim.question == *question && claim.word == "proven");
        if let Some(claim) = claim {
            panic!("{question:?} is false, but «{}» is proven: {}", claim.statement, claim.detail);
        }
    }
}

/// A right layer: nothing is refuted, whatever is looked at.
fn nothing_refuted(layer: &dyn Bijection) {
    let report = audit_with(layer, &Default::default()).unwrap_or_else(|error| panic!("{error}"));
    assert!(report.has_no_refutation(), "{report}");
}

/// What is proven of the sign of det J is not this.
fn sign_is_not(layer: &dyn Bijection, sign: &str) {
    let found = verdicts(layer);
    let proven =
        found.claims.iter().find(|claim| claim.question == Question::Determinant && claim.word == "proven");
    if let Some(claim) = proven {
        assert!(!claim.statement.contains(sign), "{}: {}", claim.statement, claim.detail);
    }
}

/// ln|det J| as derived, in doubles.
fn log_det(layer: &dyn Bijection, at: f64) -> f64 {
    let recording = record(layer).unwrap_or_else(|error| panic!("{error}"));
    let outputs = [Output::Each(recording.log_det().id())];
    let mut program = Program::<f64>::compile(recording.tape(), &[recording.input().id()], &outputs);
    program.load(&Parameters::initialise(recording.tape(), 0)).unwrap();
    program.run(&[&[at]], 1).unwrap()[0][0]
}

#[test]
fn a_comparison_inside_of_an_equation_is_a_jump_all_the_same() {
    // (-1.5, 0.3) and (-1.5, 3.3) both go to (-1.5, 3.3).
    let hidden = layer(2, Structure::LowerTriangular, |z| {
        let solved = solve_in_order(z.tape(), &[0, 1], |u| {
            let b = z.at(1);
            Some(stack([z.at(0), b + select((b + u.at(0)).lt(0.0), 3.0, 0.0)]))
        });
        stack([z.at(0), solved.unwrap().at(1)])
    });
    not_proven(&hidden, &[Question::OneToOne, Question::Onto, Question::Inverse]);
}

#[test]
fn a_slope_of_a_thousand_factors_is_not_positive_by_rounding() {
    // At sin a = 1 the slope d - c^1000 is -9.2e-14: c^1000 is its double plus 712.7 ulp.
    let steep = line(|z| {
        let d = 1.7032091198957617f64 * (1.0 + 300.0 * 1.3e-16);
        let a = z.tape().parameter("a", Shape::Scalar, Init::Constant(0.5));
        z * (d - (1.000532656 * a.sin()).powi(1000))
    });
    not_proven(&steep, &[Question::Determinant, Question::OneToOne, Question::Onto]);
}

#[test]
fn the_lowest_power_is_even() {
    let even = line(|z| {
        let a = z.tape().parameter("a", Shape::Scalar, Init::Constant(0.5));
        z * (-a.exp()).powi(i32::MIN)
    });
    sign_is_not(&even, "negative");
}

#[test]
fn the_slope_of_the_lowest_power_does_not_wrap_round() {
    let falling = Layer {
        codomain: Domain::Interval { lower: 0.0, upper: 1.0 },
        ..line(|z| (1.0 + z.exp()).powi(i32::MIN))
    };
    for z in [-25.0, -22.0, -20.0f64] {
        // ln(2³¹·e^z·(1 + e^z)^(-2³¹ - 1))
        let expected = 31.0 * 2f64.ln() + z - 2147483649.0 * z.exp().ln_1p();
        let found = log_det(&falling, z);
        // 1 + e^z is rounded before the power is taken.
        assert!((found - expected).abs() < 1e-5, "{found} for {expected} at {z}");
    }
}

#[test]
fn products_that_underflow_are_not_exact() {
    // 1e-200·1e-123·1e162·1e161 is 1 over the reals: the slope is 0.01.
    let product = line(|z| z * (z.tape().constant(1e-200) * 1e-123 * 1e162 * 1e161 - 0.99));
    sign_is_not(&product, "negative");
}

#[test]
fn one_variable_twice_is_no_bijection() {
    let order = Order::of(vec![0, 1]);
    for structure in [Structure::LowerTriangular, Structure::BlockTriangular { order, blocks: vec![2] }] {
        let twice = layer(2, structure, |z| stack([z.at(0), z.at(0)]));
        not_proven(&twice, &[Question::OneToOne, Question::Onto, Question::Inverse, Question::Determinant]);
        let tape = Tape::new();
        let x = tape.input(Shape::Vector(2));
        assert!(derived_inverse(&twice, x).is_err(), "z₂ cannot be recovered");
    }
}

#[test]
fn box_cox_is_not_defined_for_all_parameters() {
    let box_cox = Layer {
        domain: Domain::Positive,
        ..line(|z| {
            let lambda = z.tape().parameter("lambda", Shape::Scalar, Init::Constant(0.5));
            (z.pow(lambda) - 1.0) / lambda
        })
    };
    not_proven(&box_cox, &[Question::Defined, Question::Determinant, Question::OneToOne, Question::Onto]);
}

#[test]
fn two_calls_do_not_prove_a_recording_pure() {
    struct Changing(AtomicU32);
    impl Bijection for Changing {
        fn dim(&self) -> usize {
            1
        }
        fn structure(&self) -> Structure {
            Structure::Diagonal
        }
        fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
            if (self.0.fetch_add(1, Ordering::Relaxed) / 2).is_multiple_of(2) { z * 2.0 } else { z * 3.0 }
        }
    }
    not_proven(&Changing(AtomicU32::new(0)), &[Question::Pure]);
}

#[test]
fn a_codomain_is_a_claim() {
    let too_small = Layer { codomain: Domain::Positive, ..line(|z| z * 1.0) };
    let too_large = Layer { domain: Domain::Positive, ..line(|z| z.sqrt()) };
    for layer in [&too_small, &too_large] {
        not_proven(layer, &[Question::Onto, Question::Mass]);
        let report = audit(layer).unwrap();
        let mass = report.claim(Topic::Mass).map_or("nothing", |claim| claim.evidence.label());
        assert_ne!(mass, "checked", "p does not integrate to 1 over the codomain\n{report}");
    }
}

#[test]
fn constants_do_not_hide_the_slope_of_tanh() {
    let ball = Domain::Interval { lower: -1.0, upper: 1.0 };
    let scaled = Layer {
        codomain: ball.clone(),
        log_det: Some(|z| {
            let a = 3.0 * z;
            (3f64.ln() + 2.0 * (2f64.ln() - a - (-2.0 * a).softplus())).sum()
        }),
        ..line(|z| (3.0 * z).tanh())
    };
    nothing_refuted(&scaled);
    let stacked = Layer { codomain: ball, ..line(|z| stack([z.at(0).tanh()])) };
    let twice = Layer { codomain: Domain::Interval { lower: -2.0, upper: 2.0 }, ..line(|z| 2.0 * z.tanh()) };
    let slope = |a: f64| 2.0 * (2f64.ln() - a - (-2.0 * a).exp().ln_1p());
    for z in [0.3, 3.0, 6.0, 9.0, 18.0, 25.0, 300.0] {
        for (layer, expected) in
            [(&scaled, 3f64.ln() + slope(3.0 * z)), (&stacked, slope(z)), (&twice, 2f64.ln() + slope(z))]
        {
            let found = log_det(layer, z);
            assert!(
                (found - expected).abs() <= 1e-14 * expected.abs().max(1.0),
                "{found} for {expected} at {z}"
            );
        }
    }
}

#[test]
fn flat_is_no_collision() {
    let maps: [Formula; 3] = [|z| z.powi(9), |z| 1e-12 * z.powi(3), |z| z.powi(3) + 1e9];
    let turned =
        layer(2, Structure::Dense, |z| 1e-14 * z.tape().matrix(2, 2, &[0.8, -0.6, 0.6, 0.8]).matvec(z));
    for layer in maps.into_iter().map(line).chain([turned]) {
        let found = verdicts(&layer);
        for question in [Question::OneToOne, Question::Onto] {
            assert_ne!(found.word(question), "refuted", "{:?}", found.claims[found.claims.len() - 1].detail);
        }
        let collision = audit(&layer).unwrap();
        assert_ne!(collision.claim(Topic::Injective).unwrap().evidence.label(), "refuted", "{collision}");
    }
}

#[test]
fn saturation_is_no_counterexample() {
    let steep =
        Layer { codomain: Domain::Interval { lower: 0.0, upper: 1.0 }, ..line(|z| (10.0 * z).sigmoid()) };
    nothing_refuted(&steep);
    let ball = Domain::Interval { lower: -1.0, upper: 1.0 };
    nothing_refuted(&Layer { codomain: ball, ..line(|z| (5.0 * z).tanh()) });
}

#[test]
fn nan_is_no_change_of_sign() {
    nothing_refuted(&line(|z| z + z.max(0.0).sqrt()));
}

#[test]
fn a_rounding_error_is_no_entry_of_the_jacobian() {
    let noisy = layer(2, Structure::LowerTriangular, |z| {
        let b = z.at(1);
        stack([z.at(0) + b.asinh() - (b + (1.0 + b * b).sqrt()).ln(), b])
    });
    let report = audit(&noisy).unwrap();
    assert_ne!(report.claim(Topic::Structure).unwrap().evidence.label(), "refuted", "{report}");
}

#[test]
fn a_gap_takes_no_mass() {
    let gap = line(|z| z + z.sign());
    let found = verdicts(&gap);
    for question in [Question::OneToOne, Question::LogDet, Question::Inverse] {
        assert_ne!(found.word(question), "refuted", "{question:?}");
    }
    not_proven(&gap, &[Question::Onto]);
    // The density integrates to 1 over the image; that it does over the codomain may not be said to be proven.
    let report = audit(&gap).unwrap();
    let mass = report.claim(Topic::Mass).map_or("nothing", |claim| claim.evidence.label());
    assert_ne!(mass, "refuted", "{report}");
}

#[test]
fn what_stands_alone_stands_in_a_chain() {
    let alone = layer(3, Structure::Dense, |z| {
        let s = z.reshape(Shape::Matrix(3, 1)).tanh().sum();
        stack([2.0 * z.at(0) + s, z.at(1).sinh(), z.at(2).sinh()])
    });
    let recording = record(&alone).unwrap();
    assert!(recording.tape().check().is_ok(), "{:?}", recording.tape().check());
    let next: Box<dyn Bijection> = Box::new(Elementwise::new(Transform::Tanh, 3));
    let chain = Chain::new([Box::new(alone) as Box<dyn Bijection>, next]);
    if let Err(error) = record(&chain) {
        panic!("{error}");
    }
}

#[test]
fn no_variables_are_no_panic() {
    let empty = layer(0, Structure::Diagonal, |z| z);
    assert!(audit(&empty).unwrap_err().to_string().contains("maps 0 variables"));
    let tape = Tape::new();
    let _ = derived_inverse(&empty, tape.input(Shape::Vector(0)));
    let _ = derive(&empty);
}

#[test]
fn two_networks_of_one_name_are_not_shared_in_silence() {
    let sharing = layer(4, Structure::Dense, |z| {
        let coupling = |mask| AffineCoupling::new(mask, Network::new([4]));
        coupling(CouplingMask::second_half(4)).forward(coupling(CouplingMask::first_half(4)).forward(z))
    });
    let error = record(&sharing)
        .map(|_| ())
        .expect_err("both couplings name their weights `net.0.weight`")
        .to_string();
    assert!(error.contains("net.0"), "{error}");
}
