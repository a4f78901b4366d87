//! Compositions: chains, nested chains, inverses of chains, and inverses of inverses are one walk over layers.

use pushforward::audit::Topic;
use pushforward::bijection::{
    Composition, ForwardWithLogDet, InverseWithLogDet, forward_with_log_det, inverse_with_log_det, leaves,
};
use pushforward::prelude::*;
use pushforward::program::values;

/// A triangular layer, then a chain of a coupling and an inverse autoregressive layer, then a scale.
fn nested() -> Chain {
    let coupling = AffineCoupling::new(CouplingMask::alternating(3, true), Network::new([4]));
    let inner: Vec<Box<dyn Bijection>> =
        vec![Box::new(coupling), Box::new(Autoregressive::iaf(MaskedNetwork::new(3, [5])))];
    Chain::new([
        Box::new(Triangular::lower(3)) as Box<dyn Bijection>,
        Box::new(Chain::new(inner)),
        Box::new(Affine::new([2.0, 0.5, -1.5], [0.1, 0.0, 3.0])),
    ])
}

const POINTS: [f64; 6] = [0.3, -1.2, 0.7, 2.1, 0.4, -0.9];

/// x and ln|det J| at the points, with the parameters that a layer starts from.
fn pushed(bijection: &dyn Bijection) -> (Vec<f64>, Vec<f64>) {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(3));
    let ForwardWithLogDet { x, log_det, .. } = forward_with_log_det(&bijection, z).unwrap();
    let mut found = values(&tape, z, &[x, log_det], &POINTS);
    (found.remove(0), found.remove(0))
}

#[test]
fn leaves_come_in_the_order_in_which_they_are_applied() {
    let paths = |bijection: &dyn Bijection| -> Vec<String> {
        leaves(bijection).iter().map(|leaf| leaf.name()).collect()
    };
    assert_eq!(
        paths(&nested()),
        [
            "layers.0 Triangular",
            "layers.1.layers.0 AffineCoupling",
            "layers.1.layers.1 Autoregressive",
            "layers.2 Affine"
        ]
    );
    assert_eq!(
        paths(&Inverse::new(nested())),
        [
            "layers.2 Inverse of Affine",
            "layers.1.layers.1 Inverse of Autoregressive",
            "layers.1.layers.0 Inverse of AffineCoupling",
            "layers.0 Inverse of Triangular"
        ]
    );
    assert_eq!(paths(&Inverse::new(Inverse::new(nested()))), paths(&nested()));
    assert_eq!(paths(&Triangular::lower(3)), ["Triangular"]);
}

#[test]
fn the_inverse_of_a_chain_undoes_the_chain() {
    let (chain, inverse) = (nested(), Inverse::new(nested()));
    let (x, log_det) = pushed(&inverse);
    let tape = Tape::new();
    let back = tape.input(Shape::Vector(3));
    let there = forward_with_log_det(&chain, back).unwrap();
    let found = values(&tape, back, &[there.x, there.log_det], &x);
    for (found, expected) in found[0].iter().zip(POINTS) {
        assert!((found - expected).abs() < 1e-12, "{found} and {expected}");
    }
    for (found, log_det) in found[1].iter().zip(log_det) {
        assert!((found + log_det).abs() < 1e-12, "{found} and {log_det}");
    }
}

#[test]
fn the_inverse_of_a_chain_has_the_parameters_of_the_chain() {
    let names = |bijection: &dyn Bijection| -> Vec<String> {
        let mut names: Vec<String> =
            record(&bijection).unwrap().parameters().into_iter().map(|declared| declared.name).collect();
        names.sort();
        names
    };
    assert_eq!(names(&Inverse::new(nested())), names(&nested()));
}

#[test]
fn the_inverse_of_an_inverse_is_the_bijection_itself() {
    let (twice, once) = (pushed(&Inverse::new(Inverse::new(nested()))), pushed(&nested()));
    assert_eq!(twice, once);
}

#[test]
fn the_way_back_of_an_inverse_is_one_pass_of_the_chain() {
    let tape = Tape::new();
    let x = tape.input(Shape::Vector(3));
    let inverse = Inverse::new(nested());
    let InverseWithLogDet { z, log_det } = inverse_with_log_det(&inverse, x).unwrap();
    let found = values(&tape, x, &[z, log_det], &POINTS);
    let (expected, expected_log_det) = pushed(&nested());
    assert_eq!(found[0], expected);
    found[1].iter().zip(expected_log_det).for_each(|(found, expected)| assert_eq!(*found, -expected));
}

#[test]
fn what_is_proven_of_a_chain_is_proven_of_its_inverse() {
    let chain = || {
        let coupling = AffineCoupling::new(CouplingMask::alternating(3, true), Network::new([4]));
        let layers: Vec<Box<dyn Bijection>> = vec![
            Box::new(coupling),
            Box::new(Autoregressive::iaf(MaskedNetwork::new(3, [5]))),
            Box::new(Affine::fixed([2.0, 0.5, -1.5], [0.1, 0.0, 3.0])),
        ];
        Chain::new(layers)
    };
    for report in [audit(&chain()).unwrap(), audit(&Inverse::new(chain())).unwrap()] {
        assert_eq!(report.claim(Topic::Injective).unwrap().evidence.label(), "proven", "{report}");
        assert!(report.has_no_refutation(), "{report}");
    }
}

#[test]
fn the_inverse_of_a_chain_is_audited_and_derived_layer_by_layer() {
    let inverse = Inverse::new(nested());
    let report = audit(&inverse).unwrap();
    assert!(report.has_no_refutation(), "{report}");
    let text = derive(&inverse).unwrap().to_string();
    assert!(text.contains("Layer 1 of 4: Inverse of Affine"), "{text}");
    assert!(text.contains("layers.1.layers.0"), "{text}");
}

#[test]
fn a_density_of_the_inverse_of_a_chain_is_that_of_the_chain_read_backwards() {
    // ln p(x) = ln p_Z(g(x)) + ln|det J_g(x)| where f = g⁻¹.
    let flow = Flow::new(StandardNormal::new(3), [Box::new(Inverse::new(nested())) as Box<dyn Bijection>]);
    let flow = flow.unwrap();
    let parameters = flow.initial(0);
    let fitted = flow.with(parameters).unwrap();
    let log_prob = fitted.log_prob(&POINTS).unwrap();
    // Parameters start from numbers that depend on their order and not on their names.
    let chain = Chain::new([Box::new(nested()) as Box<dyn Bijection>]);
    let (z, log_det) = pushed(&chain);
    for (row, log_p) in log_prob.iter().enumerate() {
        let square: f64 = z[row * 3..row * 3 + 3].iter().map(|z| z * z).sum();
        let expected = -0.5 * square - 1.5 * std::f64::consts::TAU.ln() + log_det[row];
        assert!((log_p - expected).abs() < 1e-12, "{log_p} and {expected}");
    }
}

/// A bijection that says that it is its own inverse, by way of itself.
struct Endless;

impl Bijection for Endless {
    fn dim(&self) -> usize {
        1
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        -z
    }
    fn composition(&self) -> Composition<'_> {
        Composition::InverseOf(self)
    }
}

#[test]
#[should_panic(expected = "Endless: a composition that is made of itself has no layers")]
fn a_composition_that_is_made_of_itself_is_told() {
    let _ = record(&Endless);
}
