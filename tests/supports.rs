//! Domains, and the supports that they make: where a density is 0, and what is refused because it would lose mass.

use pushforward::prelude::*;

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
    let open = Domain::Interval { lower: -std::f64::consts::PI, upper: std::f64::consts::PI };
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
    let pi = std::f64::consts::PI;
    let open = Domain::Interval { lower: -pi, upper: pi };
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
    assert!(!audit(&Same { d: 0, domain: Domain::Reals }).unwrap().stands());
    let empty = message(2, Domain::Interval { lower: 1.0, upper: 1.0 });
    assert!(empty.contains("the interval (1, 1) holds no number"), "{empty}");
    let nan = message(1, Domain::Interval { lower: f64::NAN, upper: 1.0 });
    assert!(nan.contains("holds no number"), "{nan}");
    let three = message(3, Domain::each([Domain::Reals, Domain::Positive]));
    assert!(three.contains("ℝ × (0, ∞) is for 2 variables, but there are 3"), "{three}");
}
