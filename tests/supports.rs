//! Domains and supports: where a density is 0, and compositions that are refused because they would lose
//! mass.

use std::f64::consts::{PI, TAU};

use pushforward::flow::{FittedFlow, FlowError, Stop, Trainer};
use pushforward::prelude::*;

fn boxed(layer: impl Bijection + 'static) -> Box<dyn Bijection> {
    Box::new(layer)
}

fn each(transform: Transform, d: usize) -> Box<dyn Bijection> {
    boxed(Elementwise::new(transform, d))
}

const SIGMOID: Transform = Transform::Sigmoid { lower: 0.0, upper: 1.0 };

fn started(base: impl Base + 'static, layers: Vec<Box<dyn Bijection>>) -> FittedFlow {
    let flow = Flow::new(base, layers).unwrap();
    let start = flow.initial(0);
    flow.with(start).unwrap()
}

/// ln p of a standard normal variable.
fn normal(z: f64) -> f64 {
    -0.5 * z * z - 0.5 * TAU.ln()
}

#[test]
fn a_domain_may_differ_from_variable_to_variable() {
    let domain =
        Domain::each([Domain::Positive, Domain::Reals, Domain::Interval { lower: -1.0, upper: 2.0 }]);
    assert!(domain.contains(&[1.0, -1.0, 0.0]));
    for outside in [[0.0, -1.0, 0.0], [1.0, f64::INFINITY, 0.0], [1.0, 0.0, 2.0], [f64::NAN, 0.0, 0.0]] {
        assert!(!domain.contains(&outside), "{outside:?}");
    }
    assert!(!domain.contains(&[1.0, -1.0]), "a point of two variables is none of three");
    assert!(domain.contains_at(1, -7.0) && !domain.contains_at(0, -7.0));
    assert_eq!(domain.of(2), Domain::Interval { lower: -1.0, upper: 2.0 });
    assert_eq!(domain.to_string(), "(0, ∞) × ℝ × (-1, 2)");
    assert_eq!(Domain::each([Domain::Reals, Domain::Reals, Domain::Circle]).to_string(), "ℝ² × [-π, π)");
}

#[test]
fn two_domains_are_equal_if_they_are_the_same_set() {
    let whole = Domain::Interval { lower: f64::NEG_INFINITY, upper: f64::INFINITY };
    let half = Domain::Interval { lower: 0.0, upper: f64::INFINITY };
    assert_eq!(whole, Domain::Reals);
    assert_eq!(half, Domain::Positive);
    assert_eq!(whole.to_string(), "ℝ");
    assert_eq!(half.to_string(), "(0, ∞)");
    assert_eq!(Domain::each([Domain::Reals, whole]), Domain::Reals);
    assert_eq!(
        Domain::each([half, Domain::Reals]),
        Domain::each([Domain::Positive, Domain::each([Domain::Reals])])
    );
    assert_ne!(Domain::each([Domain::Positive, Domain::Reals]), Domain::Reals);
    // -π is an angle, and the end of an open interval is not in it.
    let open = Domain::Interval { lower: -PI, upper: PI };
    assert_ne!(Domain::Circle, open);
}

#[test]
fn a_domain_lies_within_another_if_each_variable_does() {
    let unit = Domain::Interval { lower: 0.0, upper: 1.0 };
    let mixed = Domain::each([unit.clone(), Domain::Reals]);
    assert!(unit.is_within(&Domain::Positive, 3) && Domain::Positive.is_within(&Domain::Reals, 3));
    assert!(!Domain::Positive.is_within(&unit, 1) && !Domain::Reals.is_within(&Domain::Positive, 1));
    assert!(mixed.is_within(&Domain::each([Domain::Positive, Domain::Reals]), 2));
    assert!(!mixed.is_within(&Domain::Positive, 2));
    assert!(unit.is_within(&mixed, 2));
    assert!(!mixed.is_within(&Domain::Reals, 3), "a product of two is no part of three variables");
    // The circle holds -π, and no open interval that ends there does.
    let open = Domain::Interval { lower: -PI, upper: PI };
    assert!(open.is_within(&Domain::Circle, 1) && !Domain::Circle.is_within(&open, 1));
    assert!(Domain::Circle.is_within(&Domain::Reals, 1) && Domain::Circle.is_within(&Domain::Circle, 1));
}

/// A layer of d variables that leaves them as they are, with any domain.
struct Same {
    d: usize,
    domain: Domain,
}

impl Bijection for Same {
    fn dim(&self) -> usize {
        self.d
    }
    fn structure(&self) -> Structure {
        Structure::Diagonal
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z
    }
    fn domain(&self) -> Domain {
        self.domain.clone()
    }
    fn codomain(&self) -> Domain {
        self.domain.clone()
    }
}

#[test]
fn no_variables_and_no_interval_are_refused() {
    let message = |d, domain| record(&Same { d, domain }).unwrap_err().to_string();
    assert_eq!(message(0, Domain::Reals), "Same maps 0 variables; give it at least one");
    let refused = audit(&Same { d: 0, domain: Domain::Reals }).unwrap_err();
    assert_eq!(refused.to_string(), "Same maps 0 variables; give it at least one");
    let empty = message(2, Domain::Interval { lower: 1.0, upper: 1.0 });
    assert!(empty.contains("the interval (1, 1) is empty"), "{empty}");
    let nan = message(1, Domain::Interval { lower: f64::NAN, upper: 1.0 });
    assert!(nan.contains("is empty"), "{nan}");
    let three = message(3, Domain::each([Domain::Reals, Domain::Positive]));
    assert!(three.contains("ℝ × (0, ∞) is for 2 variables, but there are 3"), "{three}");
}

fn close(found: &[f64], expected: &[f64]) {
    assert_eq!(found.len(), expected.len());
    for (found, expected) in found.iter().zip(expected) {
        assert!(found == expected || (found - expected).abs() < 1e-12, "{found} is not {expected}");
    }
}

#[test]
fn the_density_is_zero_in_each_row_outside_of_the_composed_support() {
    // The support of exp(z) + 5 is (5, ∞); 5 itself is its end, and 3 is ln of a negative number on the way back.
    let flow =
        started(StandardNormal::new(1), vec![each(Transform::Exp, 1), boxed(Affine::new([1.0], [5.0]))]);
    let found = flow.log_prob(&[6.0, 7.0, 3.0, 5.0, f64::INFINITY, f64::NEG_INFINITY]).unwrap();
    let zero = f64::NEG_INFINITY;
    close(&found, &[normal(0.0), normal(2f64.ln()) - 2f64.ln(), zero, zero, zero, zero]);
    // The support of σ(σ(z)) is (0.5, 0.731…).
    let flow = started(StandardNormal::new(1), vec![each(SIGMOID, 1), each(SIGMOID, 1)]);
    let u = (0.6f64 / 0.4).ln();
    let expected = normal((u / (1.0 - u)).ln()) - (u * (1.0 - u)).ln() - (0.6f64 * 0.4).ln();
    assert!((expected - 1.858).abs() < 1e-3);
    let found = flow.log_prob(&[0.6, 0.1, 0.5, 0.74, 1.5, 0.0]).unwrap();
    close(&found, &[expected, zero, zero, zero, zero, zero]);
}

#[test]
fn a_support_may_differ_from_variable_to_variable() {
    /// x₁ = e^z₁, x₂ = z₂.
    struct Half;
    impl Bijection for Half {
        fn dim(&self) -> usize {
            2
        }
        fn structure(&self) -> Structure {
            Structure::Diagonal
        }
        fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
            stack([z.at(0).exp(), z.at(1)])
        }
        fn codomain(&self) -> Domain {
            Domain::each([Domain::Positive, Domain::Reals])
        }
    }
    let zero = f64::NEG_INFINITY;
    let at = |x1: f64, x2: f64| normal(x1.ln()) + normal(x2) - x1.ln();
    let flow = started(StandardNormal::new(2), vec![boxed(Half)]);
    close(&flow.log_prob(&[2.0, -3.0, -2.0, 3.0]).unwrap(), &[at(2.0, -3.0), zero]);
    // The turned variables keep their sets, and a shift moves them.
    let swapped = || boxed(Permutation::new([1, 0]));
    assert_eq!(Chain::new([boxed(Half), swapped()]).codomain().to_string(), "ℝ × (0, ∞)");
    let flow = started(StandardNormal::new(2), vec![boxed(Half), swapped()]);
    close(&flow.log_prob(&[-3.0, 2.0, 3.0, -2.0]).unwrap(), &[at(2.0, -3.0), zero]);
    let moved = boxed(Affine::new([1.0, 1.0], [0.0, 1.0]));
    let flow = started(StandardNormal::new(2), vec![boxed(Half), swapped(), moved]);
    close(&flow.log_prob(&[-3.0, 3.0, 3.0, 0.5]).unwrap(), &[at(2.0, -3.0), zero]);
}

#[test]
fn a_base_with_mass_where_the_first_layer_is_undefined_is_refused() {
    let message = |base: Box<dyn Base>, layers: Vec<Box<dyn Bijection>>| {
        Flow::new(base, layers).err().expect("it is refused").to_string()
    };
    for transform in [Transform::Ln, Transform::Logit, Transform::Power { exponent: 2.0 }] {
        let text = message(Box::new(StandardNormal::new(1)), vec![each(transform, 1)]);
        assert!(text.contains("the base StandardNormal is ℝ, but the domain of the first layer ("), "{text}");
        assert!(text.contains("Transform::Exp"), "{text}");
    }
    let text = message(Box::new(Uniform::circle(2)), vec![each(Transform::Logit, 2)]);
    assert!(
        text.contains("Uniform is [-π, π)², but the domain of the first layer (Logit) is (0, 1)²"),
        "{text}"
    );
    // A uniform base is inside of (0, 1), and of (0, ∞).
    for transform in [Transform::Logit, Transform::Ln] {
        assert!(Flow::new(Uniform::new(1), [each(transform, 1)]).is_ok());
    }
}

#[test]
fn layers_that_do_not_fit_one_another_are_refused() {
    let chain = |layers: Vec<Box<dyn Bijection>>| record(&Chain::new(layers)).map(|_| ());
    let text = chain(vec![boxed(Affine::identity(2)), each(Transform::Ln, 2)]).unwrap_err().to_string();
    assert!(
        text.contains("image of layer 0 (Affine) is ℝ², but the domain of layer 1 (Ln) is (0, ∞)²"),
        "{text}"
    );
    // σ goes to (0, 1), which is a part of (0, ∞); a permutation of positive numbers is one.
    let positive = |last| vec![each(Transform::Exp, 2), boxed(Permutation::reverse(2)), each(last, 2)];
    assert_eq!(chain(vec![each(SIGMOID, 2), each(Transform::Ln, 2)]), Ok(()));
    assert_eq!(chain(positive(Transform::Ln)), Ok(()));
    let text = chain(positive(Transform::Logit)).unwrap_err().to_string();
    assert!(
        text.contains(
            "image of layer 1 (Permutation) is (0, ∞)², but the domain of layer 2 (Logit) is (0, 1)²"
        ),
        "{text}"
    );
    // A layer of a nested chain is named with its path.
    let inner = boxed(Chain::new(vec![each(Transform::Exp, 1)]));
    let text = chain(vec![inner, each(Transform::Logit, 1)]).unwrap_err().to_string();
    assert!(text.contains("image of layers.0.layers.0 (Exp) is (0, ∞)"), "{text}");
}

/// Numbers even on (low, high), from a Weyl sequence.
fn even(rows: u32, low: f64, high: f64) -> Vec<f64> {
    (0..rows).map(|k| low + (high - low) * (f64::from(k) * 0.618034).fract()).collect()
}

#[test]
fn a_fit_never_reports_a_likelihood_of_rows_that_have_none() {
    let x = even(2000, 0.5, 1.5);
    let table = Table::new(&["x"], x.clone()).unwrap();
    // The interval of an affine map over (0, 1) closes in on the data; ln p of the even density is 0.
    let flow = Flow::new(Uniform::new(1), [boxed(Affine::new([2.0], [0.0]))]).unwrap();
    let settings = || FitOptions { learning_rate: 1e-2, ..FitOptions::default() };
    let fitted = flow.fit(&table, settings()).unwrap();
    let history = fitted.history().clone();
    let Stop::Outside { outside, .. } = &history.stop else { panic!("{:?}", history.stop) };
    let text = outside.to_string();
    assert!(text.contains(&format!("row {} has density 0", outside.row)), "{text}");
    assert!(text.contains("outside of (0, 1), the support of the base Uniform"), "{text}");
    let best = history.epochs[history.best_epoch].held_out;
    assert!(history.best_epoch > 0 && best > -(2f64.ln()) && best <= 0.0, "{best}");
    for told in &history.epochs[1..] {
        assert!(told.training.is_finite() && told.training <= 1e-12, "{told:?}");
    }
    assert!(fitted.log_prob(&x).unwrap().iter().all(|log_p| log_p.is_finite() && *log_p <= 0.0));
    // A row outside from the start is named before anything is learned.
    let flow = Flow::new(Uniform::new(1), [boxed(Affine::identity(1))]).unwrap();
    let first = x.iter().position(|x| *x > 1.0).unwrap();
    match flow.fit(&table, settings()).err().unwrap() {
        FlowError::Outside(outside) => assert_eq!((outside.row, outside.value), (first, x[first])),
        other => panic!("{other}"),
    }
}

#[test]
fn angles_are_fitted_over_an_even_circle_with_every_row_inside() {
    let x = even(2000, 0.5, 1.5);
    let table = Table::new(&["angle"], x.clone()).unwrap();
    let spline = || boxed(CircularSpline::learned(1, 8));
    // Over (0, 1) by way of an affine map it could not be: that map may leave the circle for some parameters.
    let over = Flow::new(Uniform::new(1), [boxed(Affine::new([TAU], [-PI])), spline()]);
    let text = over.err().unwrap().to_string();
    assert!(
        text.contains(
            "image of layer 0 (Affine) is ℝ, but the domain of layer 1 (CircularSpline) is [-π, π)"
        ),
        "{text}"
    );
    let flow = Flow::new(Uniform::circle(1), [spline()]).unwrap();
    let fitted =
        flow.fit(&table, FitOptions { epochs: 40, learning_rate: 1e-2, ..FitOptions::default() }).unwrap();
    let history = fitted.history();
    let best = history.epochs[history.best_epoch].held_out;
    assert!(best > -TAU.ln() && best < 0.05, "{best}");
    let found = fitted.log_prob(&x).unwrap();
    assert!(found.iter().all(|log_p| log_p.is_finite()));
    // It is a density: the mean of p over the circle is 1/2π.
    let grid: Vec<f64> = (0..4000).map(|k| -PI + TAU * (f64::from(k) + 0.5) / 4000.0).collect();
    let mass: f64 = fitted.log_prob(&grid).unwrap().iter().map(|l| l.exp() * TAU / 4000.0).sum();
    assert!((mass - 1.0).abs() < 1e-3, "{mass}");
}

#[test]
fn a_step_on_a_row_without_a_density_changes_nothing_in_either_precision() {
    fn check<F: pushforward::program::Precision>() {
        let layers = || vec![each(Transform::Exp, 2), boxed(Affine::new([1.0, 1.0], [5.0, 5.0]))];
        let flow = Flow::new(StandardNormal::new(2), layers()).unwrap();
        let start = flow.initial(0);
        let mut trainer = Trainer::<F>::new(&flow, start.clone(), 0.1).unwrap();
        let of = |values: &[f64]| values.iter().map(|value| F::of(*value)).collect::<Vec<F>>();
        match trainer.step(&of(&[6.0, 7.0, 8.0, 3.0])) {
            Err(FlowError::Outside(outside)) => {
                assert_eq!((outside.row, outside.variable, outside.value), (1, 1, -2.0));
                assert_eq!((outside.of.as_str(), &outside.set), ("layers.0 Exp", &Domain::Positive));
            }
            other => panic!("{other:?}"),
        }
        assert_eq!(trainer.parameters(), &start);
        let infinite = trainer.step(&of(&[6.0, 7.0, f64::INFINITY, 7.0]));
        assert_eq!(infinite, Err(FlowError::Infinite { row: 1, column: 0, value: f64::INFINITY }));
        // Two rows at (6, 7): ln p = -½·ln² 2 - ln 2 - ln 2π, and the row beside them is as it would be alone.
        let loss = trainer.step(&of(&[6.0, 7.0, 6.0, 7.0])).unwrap();
        let expected = -(normal(0.0) + normal(2f64.ln()) - 2f64.ln());
        assert!((loss - expected).abs() < 1e-6, "{loss} is not {expected}");
    }
    check::<f64>();
    check::<f32>();
}

#[test]
fn an_infinite_or_impossible_row_is_named_whether_it_is_held_out_or_not() {
    for value in [f64::NEG_INFINITY, f64::INFINITY, 1e200] {
        for seed in 0..30 {
            let mut x: Vec<f64> = (0..300).map(|k| 5.0 + 3.0 * (f64::from(k) * 2.4).sin()).collect();
            x[17] = value;
            let flow = Flow::new(StandardNormal::new(1), [boxed(Affine::identity(1))]).unwrap();
            let table = Table::new(&["x"], x).unwrap();
            let error = flow
                .fit(&table, FitOptions { seed, epochs: 1, ..FitOptions::default() })
                .err()
                .expect("refused");
            let text = error.to_string();
            assert!(text.starts_with("row 17") && text.contains("column 0"), "{value}, seed {seed}: {text}");
        }
    }
}

#[test]
fn a_reference_to_a_layer_reaches_what_the_layer_reaches() {
    // A permutation of positive numbers gives positive numbers: by itself, borrowed and boxed.
    let layer = Permutation::reverse(2);
    let expected = layer.image(&Domain::Positive);
    assert_eq!(expected, Domain::Positive);
    assert_eq!(Bijection::image(&&layer, &Domain::Positive), expected);
    let boxed: Box<dyn Bijection> = Box::new(layer);
    assert_eq!(Bijection::image(&boxed, &Domain::Positive), expected);
}

#[test]
fn variables_that_restrict_one_another_are_a_support() {
    let boxed = |layer: Box<dyn Bijection>| vec![layer];
    type Case = (Result<Flow, FlowError>, [f64; 2], [f64; 2]);
    let cases: [Case; 4] = [
        (Flow::new(StandardNormal::new(2), boxed(Box::new(Ordered::new(2)))), [0.0, 1.0], [1.0, 0.0]),
        (Flow::new(StandardNormal::new(2), boxed(Box::new(StickBreaking::new(2)))), [0.3, 0.6], [0.7, 0.6]),
        (Flow::new(StandardNormal::new(2), boxed(Box::new(CentredSoftmax::new(2)))), [0.3, 0.6], [0.7, 0.6]),
        (
            Flow::new(Dirichlet::new([1.5, 2.0, 3.0]), boxed(Box::new(Permutation::reverse(2)))),
            [0.3, 0.6],
            [0.7, 0.6],
        ),
    ];
    for (flow, inside, outside) in cases {
        let flow = flow.unwrap();
        let start = flow.initial(0);
        let fitted = flow.with(start).unwrap();
        let found = fitted.log_prob(&[inside, outside].concat()).unwrap();
        assert!(found[0].is_finite(), "{found:?}");
        assert_eq!(found[1], f64::NEG_INFINITY);
    }
    // Not every point of the plane is ordered.
    let layers = boxed(Box::new(Inverse::new(Ordered::new(2))));
    let error = Flow::new(StandardNormal::new(2), layers).err().expect("it does not fit").to_string();
    assert!(error.contains("ordered vectors"), "{error}");
    let chain = Chain::new([
        Box::new(Affine::identity(2)) as Box<dyn Bijection>,
        Box::new(Inverse::new(StickBreaking::new(2))),
    ]);
    let Err(error) = record(&chain) else { panic!("ℝ² is no simplex") };
    assert!(error.to_string().contains("simplex"), "{error}");
    // An ordered vector comes back.
    let there_and_back = Chain::new([
        Box::new(Ordered::new(3)) as Box<dyn Bijection>,
        Box::new(Inverse::new(Ordered::new(3))),
    ]);
    assert!(record(&there_and_back).is_ok());
}
