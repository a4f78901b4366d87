//! Faults that the audit finds, each with a message that says what to do.

use crate::catalogue;

use catalogue::{Entry, catalogue};
use pushforward::audit::{AuditOptions, Topic, audit_with};
use pushforward::prelude::*;

/// A bijection out of closures, so that each test shows its map in a line.
type Map = for<'t> fn(Var<'t>) -> Var<'t>;

struct Custom {
    d: usize,
    structure: Structure,
    forward: Map,
    inverse: Option<Map>,
    log_det: Option<Map>,
    domain: Domain,
}

fn custom(d: usize, forward: Map) -> Custom {
    Custom { d, structure: Structure::Dense, forward, inverse: None, log_det: None, domain: Domain::Reals }
}

impl Bijection for Custom {
    fn dim(&self) -> usize {
        self.d
    }
    fn structure(&self) -> Structure {
        self.structure.clone()
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        (self.forward)(z)
    }
    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        self.inverse.map(|inverse| inverse(x))
    }
    fn log_det<'t>(&self, z: Var<'t>) -> Option<Var<'t>> {
        self.log_det.map(|log_det| log_det(z))
    }
    fn domain(&self) -> Domain {
        self.domain.clone()
    }
}

fn refuted(report: &Report, topic: Topic) -> String {
    let claim =
        report.claims.iter().find(|claim| claim.topic == topic && claim.evidence.label() == "refuted");
    claim.unwrap_or_else(|| panic!("{topic:?} is not refuted:\n{report}")).evidence.detail()
}

fn bend<'t>(z: Var<'t>) -> Var<'t> {
    let (a, b) = (z.at(0), z.at(1));
    stack([a, b * a.tanh().exp() + a.powi(2)])
}

fn unbend<'t>(x: Var<'t>) -> Var<'t> {
    let (a, b) = (x.at(0), x.at(1));
    stack([a, (b - a.powi(2)) * (-a.tanh()).exp()])
}

#[test]
fn a_right_layer_stands_with_everything_proven_or_checked() {
    let layer = Custom {
        structure: Structure::LowerTriangular,
        inverse: Some(unbend),
        log_det: Some(|z| z.at(0).tanh()),
        ..custom(2, bend)
    };
    let report = audit(&layer).unwrap();
    assert!(report.has_no_refutation(), "{report}");
    assert_eq!(report.claim(Topic::Structure).unwrap().evidence.label(), "proven");
    for topic in [Topic::Inverse, Topic::GivenInverse] {
        assert_eq!(report.claim(topic).unwrap().evidence.label(), "proven", "{topic:?}\n{report}");
    }
    for topic in [Topic::LogDet, Topic::GivenLogDet, Topic::InverseLogDet, Topic::Mass] {
        assert_eq!(report.claim(topic).unwrap().evidence.label(), "checked", "{topic:?}\n{report}");
    }
}

#[test]
fn normflows_27_a_log_det_with_the_wrong_sign() {
    let layer = Custom { log_det: Some(|z| -z.at(0).tanh()), ..custom(2, bend) };
    let message = refuted(&audit(&layer).unwrap(), Topic::GivenLogDet);
    assert!(message.contains("the negative of the derived one"), "{message}");
}

#[test]
fn aeppl_111_a_missing_absolute_value() {
    let layer = Custom { log_det: Some(|z| z.tape().constant(-2.0).ln()), ..custom(1, |z| -2.0 * z) };
    let message = refuted(&audit(&layer).unwrap(), Topic::GivenLogDet);
    assert!(message.contains("absolute value is missing"), "{message}");
}

#[test]
fn flowtorch_100_a_sign_hidden_by_cached_values() {
    // The inverse is right and its log-determinant is used for the forward one.
    let layer = Custom { inverse: Some(|x| x.ln()), log_det: Some(|z| -z.sum()), ..custom(1, |z| z.exp()) };
    let message = refuted(&audit(&layer).unwrap(), Topic::GivenLogDet);
    assert!(message.contains("f⁻¹"), "{message}");
}

#[test]
fn flowjax_40_the_log_det_of_a_triangular_affine_map_without_its_diagonal() {
    let layer = Custom {
        log_det: Some(|z| z.tape().constant(0.0)),
        ..custom(2, |z| z.tape().matrix(2, 2, &[2.0, 0.0, 0.7, 3.0]).matvec(z))
    };
    let message = refuted(&audit(&layer).unwrap(), Topic::GivenLogDet);
    assert!(message.contains("same amount everywhere"), "{message}");
}

#[test]
fn pymc_800_a_sum_over_the_wrong_axis() {
    // Three variables, each with ln 2: the sum is 3·ln 2, the mean ln 2.
    let layer = Custom { log_det: Some(|z| z.sum() / 3.0), ..custom(3, |z| z.exp()) };
    let message = refuted(&audit(&layer).unwrap(), Topic::GivenLogDet);
    assert!(message.contains("constant factor"), "{message}");
}

#[test]
fn bijectors_375_cancellation_in_an_inverse() {
    // z = ln(x + 1e9 - 1e9) is ln x to the reals: it is not wrong, and the digits of small x are gone.
    let layer = Custom { inverse: Some(|x| (x + 1e9 - 1e9).ln()), ..custom(1, |z| z.exp()) };
    let report = audit(&layer).unwrap();
    let claims: Vec<_> = report.claims.iter().filter(|claim| claim.topic == Topic::Inverse).collect();
    assert!(claims.iter().all(|claim| claim.evidence.label() != "refuted"), "{report}");
    let lossy = claims.iter().find(|claim| claim.evidence.label() == "not proven").expect("the loss is told");
    assert!(lossy.evidence.detail().contains("comes back as"), "{report}");
}

#[test]
fn a_dropped_absolute_value_with_a_negative_determinant_in_two_dimensions() {
    let layer = Custom {
        log_det: Some(|z| z.tape().constant(-1.0).ln()),
        ..custom(2, |z| stack([z.at(1), z.at(0)]))
    };
    assert!(refuted(&audit(&layer).unwrap(), Topic::GivenLogDet).contains("absolute value"));
}

#[test]
fn a_wrong_inverse_is_refuted_with_a_point() {
    let layer = Custom { inverse: Some(|x| (x - 1.0) / 2.0), ..custom(1, |z| 2.0 * z - 1.0) };
    let message = refuted(&audit(&layer).unwrap(), Topic::Inverse);
    assert!(message.contains("instead of"), "{message}");
}

#[test]
fn a_false_structure_is_refuted_with_a_path_and_a_point() {
    let layer = Custom {
        structure: Structure::LowerTriangular,
        ..custom(3, |z| {
            let s = z.at(2).tanh();
            stack([z.at(0) * s.exp(), z.at(1), s + z.at(2)])
        })
    };
    let message = refuted(&audit(&layer).unwrap(), Topic::Structure);
    assert!(message.contains("z[2] → tanh → exp → mul → x[0]"), "{message}");
    assert!(message.contains("tests/audit.rs:") && message.contains("∂x[0]/∂z[2]"), "{message}");
    let error = record(&layer).unwrap_err().to_string();
    assert!(error.contains("z[2] → tanh"), "record refuses it too: {error}");
}

#[test]
fn a_path_that_cancels_is_unproven_and_not_refuted() {
    let layer = Custom {
        structure: Structure::Diagonal,
        ..custom(2, |z| stack([z.at(0) + z.at(1) - z.at(1), z.at(1)]))
    };
    let report = audit(&layer).unwrap();
    assert_eq!(report.claim(Topic::Structure).unwrap().evidence.label(), "not proven", "{report}");
}

#[test]
fn maps_that_are_not_injective_are_refuted_with_two_points() {
    let square = Custom { structure: Structure::Diagonal, ..custom(1, |z| z.powi(2)) };
    let wave = Custom { structure: Structure::Diagonal, ..custom(1, |z| z + 2.0 * z.sin()) };
    // e^z of complex numbers: det J > 0 everywhere, and 2πi apart is the same point.
    let around = custom(2, |z| {
        let (r, angle) = (z.at(0).exp(), 3.0 * z.at(1));
        stack([r * angle.cos(), r * angle.sin()])
    });
    for layer in [square, wave, around] {
        let report = audit(&layer).unwrap();
        let message = refuted(&report, Topic::Injective);
        assert!(message.contains("both go to"), "{message}");
        assert_eq!(
            report.claim(Topic::Mass).map_or("not proven", |claim| claim.evidence.label()),
            "not proven"
        );
    }
}

#[test]
fn an_injective_map_with_a_flat_spot_is_not_refuted() {
    let cubic = Custom { structure: Structure::Diagonal, ..custom(1, |z| z.powi(3) + 1e-3 * z) };
    assert!(audit(&cubic).unwrap().has_no_refutation());
}

#[test]
fn a_jacobian_that_is_singular_everywhere_is_proven_so() {
    let forgotten =
        Custom { structure: Structure::LowerTriangular, ..custom(2, |z| stack([z.at(0).exp(), z.at(0)])) };
    assert!(
        refuted(&audit(&forgotten).unwrap(), Topic::Determinant).contains("for all inputs and parameters")
    );
    let error = record(&forgotten).unwrap_err().to_string();
    assert!(error.contains("∂x[1]/∂z[1] is 0"), "{error}");
    let undeclared = custom(3, |z| stack([z.at(0) + z.at(1), z.at(0) * z.at(1), z.at(0) - z.at(1)]));
    let message = refuted(&audit(&undeclared).unwrap(), Topic::Determinant);
    assert!(message.contains("x[0], x[1], x[2] depend on z[0], z[1] alone"), "{message}");
}

#[test]
fn a_jacobian_that_is_singular_by_its_numbers_is_refuted_at_a_point() {
    let layer = custom(2, |z| stack([z.at(0) + z.at(1), 2.0 * z.at(0) + 2.0 * z.at(1)]));
    assert!(refuted(&audit(&layer).unwrap(), Topic::Determinant).contains("det J = 0"));
}

#[test]
fn a_map_through_fewer_numbers_than_variables_is_proven_singular() {
    let shared = custom(2, |z| {
        let s = z.at(0) + z.at(1);
        stack([s, 2.0 * s])
    });
    let narrow = custom(6, |z| {
        let of = |name: &str, rows: usize, columns: usize| {
            z.tape().parameter(name, Shape::Matrix(rows, columns), Init::Constant(0.5))
        };
        // Three variables pass through a waist of two.
        let waist = of("in", 2, 6).matvec(z).tanh();
        concat([z.slice(0..3), of("out", 3, 2).matvec(waist).softplus()])
    });
    for (layer, numbers) in [(shared, "1 number alone"), (narrow, "5 numbers alone")] {
        let message = refuted(&audit(&layer).unwrap(), Topic::Determinant);
        assert!(message.contains("for all inputs and parameters") && message.contains(numbers), "{message}");
    }
}

#[test]
fn genjax_227_a_wrong_dimension_is_an_error_that_names_both() {
    let error = audit(&custom(2, |z| concat([z, z.slice(0..1)]))).unwrap_err().to_string();
    assert!(error.contains("must map 2 variables to 2") && error.contains("[3]"), "{error}");
}

#[test]
fn nan_out_of_a_domain_names_the_operation_and_its_line() {
    let layer = Custom { structure: Structure::Diagonal, ..custom(1, |z| z.ln()) };
    let message = refuted(&audit(&layer).unwrap(), Topic::Finite);
    assert!(message.contains("ln gives NaN") && message.contains("tests/audit.rs:"), "{message}");
    assert!(message.contains("declare the `domain` of the layer"), "{message}");
    let stated = Custom { domain: Domain::Positive, ..layer };
    assert!(audit(&stated).unwrap().has_no_refutation());
}

#[test]
fn an_impure_recording_is_an_error() {
    struct Impure(std::sync::atomic::AtomicU32);
    impl Bijection for Impure {
        fn dim(&self) -> usize {
            1
        }
        fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
            let calls = self.0.fetch_add(1, std::sync::atomic::Ordering::Relaxed) + 1;
            z * f64::from(calls)
        }
    }
    let error = audit(&Impure(Default::default())).unwrap_err().to_string();
    assert!(error.contains("not a pure recording"), "{error}");
}

#[test]
fn every_layer_of_the_catalogue_stands() {
    // Those of all of ℝ can be put one after another.
    let of_reals =
        |entry: &Entry| [entry.layer.domain(), entry.layer.codomain()] == [Domain::Reals, Domain::Reals];
    let layers: Vec<Box<dyn Bijection>> = catalogue()
        .into_iter()
        .filter(of_reals)
        .map(|entry| entry.layer)
        .filter(|layer| layer.dim() == 3)
        .collect();
    assert!(layers.len() >= 19, "{} layers", layers.len());
    for layer in &layers {
        let report = audit(layer).unwrap();
        assert!(report.has_no_refutation(), "{report}");
        assert!(report.claim(Topic::Inverse).unwrap().evidence.holds(), "{report}");
    }
    let report = audit(&Chain::new(layers)).unwrap();
    assert!(report.has_no_refutation(), "{report}");
    assert_eq!(report.claim(Topic::ChainRule).unwrap().evidence.label(), "checked");
}

#[test]
fn a_spline_of_the_circle_stands_although_its_numbers_jump() {
    let pi = std::f64::consts::PI;
    let knots = ([-pi, -1.0, 0.5, pi], [-pi, -2.0, 1.5, pi], [0.8, 1.5, 0.3, 0.8]);
    for d in [1, 2] {
        let fixed = CircularSpline::fixed(d, knots.0, knots.1, knots.2);
        for layer in [fixed.clone(), fixed.turned(1.3), CircularSpline::learned(d, 5)] {
            let report = audit(&layer).unwrap();
            assert!(report.has_no_refutation(), "{report}");
            for topic in [Topic::Jacobian, Topic::LogDet, Topic::Inverse, Topic::InverseLogDet, Topic::Mass] {
                // In two dimensions the grids of the quadrature are too coarse for the steep bins.
                let word = report.claim(topic).unwrap().evidence.label();
                assert!(word == "checked" || (topic == Topic::Mass && d == 2), "{topic:?}\n{report}");
            }
        }
    }
}

#[test]
fn a_mass_is_refuted_only_beyond_what_kinks_do_to_a_quadrature() {
    let spline = RationalQuadraticSpline::fixed(2, [-1.0, 0.0, 1.0], [-1.0, 0.9, 1.0], [1.0, 0.05, 1.0]);
    let report = audit(&spline).unwrap();
    assert_ne!(report.claim(Topic::Mass).unwrap().evidence.label(), "refuted", "{report}");
}

#[test]
fn every_elementwise_map_is_proven_one_to_one_and_onto() {
    let maps = [
        Transform::Exp,
        Transform::Ln,
        Transform::Softplus { sharpness: 2.5 },
        Transform::Sigmoid { lower: -1.0, upper: 3.0 },
        Transform::Logit,
        Transform::Tanh,
        Transform::LeakyRelu { slope: 0.1 },
        Transform::Power { exponent: 1.7 },
        Transform::Power { exponent: -2.0 },
        Transform::GumbelCdf { location: 0.3, scale: 2.0 },
        Transform::KumaraswamyCdf { a: 2.0, b: 3.0 },
        Transform::SinhArcsinh { skew: 0.4, tail: 1.3, normalise: true },
        Transform::SqueezedLogit { alpha: 0.05 },
        Transform::SqueezedLogit { alpha: 0.25 },
        Transform::NormalCdf,
        Transform::NormalQuantile,
        Transform::Softsign,
        Transform::Sinh,
        Transform::Asinh,
        Transform::Arctangent,
        Transform::Cubic { coefficient: 0.3 },
        Transform::SignedPower { exponent: 0.4 },
        Transform::SignedPower { exponent: 1.5 },
        Transform::BoxCox { power: 0.5 },
        Transform::BoxCox { power: 0.0 },
        Transform::BoxCox { power: -2.0 },
        Transform::YeoJohnson { power: 0.0 },
        Transform::YeoJohnson { power: 0.7 },
        Transform::YeoJohnson { power: 2.0 },
        Transform::WeibullCdf { scale: 2.0, shape: 1.5 },
    ];
    for map in maps {
        let report = audit(&Elementwise::new(map, 2)).unwrap();
        assert!(report.has_no_refutation(), "{report}");
        assert!(report.claim(Topic::Inverse).unwrap().evidence.holds(), "{report}");
        // A domain that ends at a rounded number does not end where the map does.
        let unproven = map == Transform::SqueezedLogit { alpha: 0.05 };
        let word = if unproven { "not proven" } else { "proven" };
        assert_eq!(report.claim(Topic::Injective).unwrap().evidence.label(), word, "{report}");
        assert_eq!(report.claim(Topic::Codomain).is_some(), unproven, "{report}");
    }
}

#[test]
fn what_folds_is_never_proven_one_to_one() {
    // Slopes that are never 0 and yet change sign; a slope of one sign with a jump back; a slope that touches 0.
    let folded: [Map; 5] =
        [|z| z.max(-z), |z| z.abs(), |z| select(z.lt(0.0), z, z - 5.0), |z| z.powi(2), |z| z + 2.0 * z.sin()];
    for (k, forward) in folded.into_iter().enumerate() {
        let layer = Custom { structure: Structure::Diagonal, ..custom(1, forward) };
        let report = audit(&layer).unwrap();
        let word = report.claim(Topic::Injective).unwrap().evidence.label();
        assert_ne!(word, "proven", "map {k}\n{report}");
    }
    let bent = Custom { structure: Structure::Diagonal, ..custom(1, |z| z.max(2.0 * z)) };
    let report = audit(&bent).unwrap();
    assert_eq!(report.claim(Topic::Injective).unwrap().evidence.label(), "proven", "{report}");
}

#[test]
fn a_dense_layer_is_told_what_it_could_declare() {
    let report = audit(&custom(3, |z| stack([z.at(2), z.at(0) + z.at(2).sin(), z.at(1) * 2.0]))).unwrap();
    assert!(
        report.advice.iter().any(|advice| advice.contains("could declare itself triangular")),
        "{report}"
    );
}

#[test]
fn seeds_choose_the_points_and_reports_are_json() {
    let layer = Custom { inverse: Some(unbend), ..custom(2, bend) };
    let report = |seed| {
        let settings = pushforward::audit::AuditOptions { seed, points: 8, ..Default::default() };
        audit_with(&layer, &settings).unwrap()
    };
    assert_eq!(report(3), report(3));
    let json: serde_json::Value = serde_json::from_str(&report(3).to_json()).unwrap();
    assert_eq!(json["seed"], 3);
    assert_eq!(json["claims"][0]["evidence"]["kind"], "proven");
}

#[test]
fn parameters_at_which_a_map_is_no_bijection_are_named() {
    let said = |layer: &dyn Bijection| {
        let report = audit(layer).unwrap();
        report.claim(Topic::Injective).unwrap().evidence.detail()
    };
    let scale = said(&Affine::new([2.0, -0.5], [0.1, 0.0]));
    assert!(scale.contains("Not for all parameters: det J is 0 where scale = 0."), "{scale}");
    let large = said(&Affine::new([2.0; 20], [0.1; 20]));
    assert!(large.contains("Not for all parameters: det J is 0 where scale = 0."), "{large}");
    let weight = said(&PointwiseConvolution::unconstrained(2, 2));
    assert!(weight.contains("det J is 0 where weight = 0."), "{weight}");
    let reflection = said(&custom(2, |z| {
        let v = z.tape().parameter("v", Shape::Vector(2), Init::Constant(1.0));
        z - (2.0 * v.dot(z) / v.dot(v)) * v
    }));
    assert!(reflection.contains("f is not defined where v = 0."), "{reflection}");
    // Nothing is said of parameters that may be 0.
    let fine = said(&custom(1, |z| {
        let c = z.tape().parameter("c", Shape::Scalar, Init::Constant(0.1));
        z + c * z.powi(3)
    }));
    assert!(!fine.contains("Not for all parameters"), "{fine}");
}

#[test]
fn a_report_fits_the_terminal() {
    let layer = Custom {
        structure: Structure::LowerTriangular,
        ..custom(3, |z| stack([z.at(0) * z.at(2).tanh().exp(), z.at(1), z.at(2)]))
    };
    let text = audit(&layer).unwrap().to_string();
    let widest = text.lines().map(|line| line.chars().count()).max().unwrap();
    assert!(widest <= 80, "{widest} columns:\n{text}");
}

#[test]
fn the_layers_of_the_literature_are_proven_bijections() {
    let network = || Network::new([4]);
    let layers: Vec<Box<dyn Bijection>> = vec![
        Box::new(AdditiveCoupling::new(CouplingMask::first_half(3), network())),
        Box::new(AffineCoupling::new(CouplingMask::first_half(3), network())),
        Box::new(
            AffineCoupling::new(CouplingMask::alternating(3, true), network())
                .with_log_scale(ScaleMap::Identity),
        ),
        Box::new(Autoregressive::iaf(MaskedNetwork::new(3, [5]))),
        Box::new(Autoregressive::maf(MaskedNetwork::new(3, [5]))),
        Box::new(Triangular::unit_lower(3)),
        Box::new(Permutation::new([1, 2, 0])),
        Box::new(Elementwise::new(Transform::Exp, 2)),
        Box::new(Elementwise::new(Transform::Tanh, 2)),
        Box::new(Elementwise::new(Transform::Softplus { sharpness: 1.0 }, 2)),
        Box::new(Elementwise::new(Transform::Sigmoid { lower: 0.0, upper: 1.0 }, 2)),
        Box::new(Elementwise::new(Transform::Logit, 2)),
    ];
    for layer in layers {
        let report = audit(&layer).unwrap();
        let claim = report.claim(Topic::Injective).unwrap();
        assert_eq!(claim.evidence.label(), "proven", "{report}");
        assert_eq!(report.claim(Topic::Inverse).unwrap().evidence.label(), "proven", "{report}");
    }
}

#[test]
fn an_inverse_by_hand_is_held_against_the_derived_one() {
    /// x = z·e^tanh(z₁) in its second variable, with an inverse of one's own.
    struct Own(bool);
    impl Bijection for Own {
        fn dim(&self) -> usize {
            2
        }
        fn structure(&self) -> Structure {
            Structure::LowerTriangular
        }
        fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
            stack([z.at(0), z.at(1) * z.at(0).tanh().exp()])
        }
        fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
            let s = x.at(0).tanh();
            let right = x.at(1) / s.exp();
            // Where s is forgotten in the first place it is wrong only away from x₁ = 0.
            Some(stack([x.at(0), if self.0 { right } else { x.at(1) * (1.0 - s) }]))
        }
    }
    let right = audit(&Own(true)).unwrap();
    assert_eq!(right.claim(Topic::GivenInverse).unwrap().evidence.label(), "proven", "{right}");
    let wrong = audit(&Own(false)).unwrap();
    assert_eq!(wrong.claim(Topic::GivenInverse).unwrap().evidence.label(), "refuted", "{wrong}");
    assert!(!wrong.has_no_refutation());
}

#[test]
fn of_the_inverse_of_a_layer_that_layer_is_proven() {
    let spline = || SplineTransformer::new(4, 3.0);
    let layers: Vec<Box<dyn Bijection>> = vec![
        Box::new(Inverse::new(SplineCoupling::new(CouplingMask::first_half(2), Network::new([4]), spline()))),
        Box::new(Autoregressive::spline(MaskedNetwork::new(2, [6]), spline())),
    ];
    for layer in &layers {
        let report = audit(layer).unwrap();
        // The formulas with roots of pieces are beyond the checker,
        assert_eq!(report.claim(Topic::Injective).unwrap().evidence.label(), "not proven", "{report}");
        assert_eq!(report.claim(Topic::Inverse).unwrap().evidence.label(), "checked", "{report}");
        // the layer itself is not, and its certificate is accepted.
        let claim = report.claim(Topic::Turned).unwrap_or_else(|| panic!("{report}"));
        assert_eq!(claim.evidence.label(), "proven");
        assert!(
            claim.statement.ends_with(", by which z is computed from x, maps ℝ² one-to-one onto ℝ²"),
            "{}",
            claim.statement
        );
        assert_eq!(claim.certificates.len(), 1);
        assert!(pushforward::checker::verify(&claim.certificates[0]).is_ok());
    }
    // In a chain the claim is of the layer that is turned round.
    let chain = Chain::new(layers);
    let report = audit_with(&chain, &AuditOptions { decide_only: true, ..AuditOptions::default() }).unwrap();
    let turned: Vec<_> = report.claims.iter().filter(|claim| claim.topic == Topic::Turned).collect();
    assert_eq!(turned.len(), 2, "{report}");
    assert!(turned[1].statement.starts_with("layers.1"), "{}", turned[1].statement);
}

#[test]
fn nothing_is_proven_of_the_inverse_of_what_is_no_bijection() {
    // What is proven of f itself is not told twice.
    let triangular = Custom { structure: Structure::LowerTriangular, ..custom(2, bend) };
    let plain = audit(&Inverse::new(triangular)).unwrap();
    assert!(plain.claim(Topic::Turned).is_none(), "{plain}");
    assert_eq!(plain.claim(Topic::Injective).unwrap().evidence.label(), "proven", "{plain}");
    // A fold and a map into (-1, 1), with inverses on one side by hand.
    let maps: [(Map, Map); 3] = [
        (|z| z.powi(2), |x| x.abs().sqrt()),
        (|z| z.tanh(), |x| 0.5 * ((1.0 + x).abs().ln() - (1.0 - x).abs().ln())),
        (|z| select(z.gt(0.0), z, 0.5 * z + 1.0), |x| x),
    ];
    for (forward, inverse) in maps {
        let map = Custom { structure: Structure::Diagonal, inverse: Some(inverse), ..custom(1, forward) };
        let report = audit(&Inverse::new(map)).unwrap();
        assert!(report.claim(Topic::Turned).is_none(), "{report}");
    }
}
