//! Whether two formulas are recognised as equal for all values of their variables.

use pushforward::prelude::*;
use pushforward_course::exercise::{Comparison, Space, compared};

type Formula = for<'t> fn(Var<'t>) -> Var<'t>;

/// How two formulas of one variable in a domain compare.
fn same(domain: Domain, given: Formula, asked: Formula) -> Comparison {
    let tape = Tape::new();
    let x = tape.input(Shape::Vector(1));
    let (given, asked) = (given(x.at(0)), asked(x.at(0)));
    compared(&Space::of(x, domain), given, asked)
}

#[test]
fn polynomials_and_quotients_are_proven() {
    let pairs: [(Domain, Formula, Formula); 6] = [
        (Domain::Reals, |x| (x + 1.0).powi(3), |x| x.powi(3) + 3.0 * x.powi(2) + 3.0 * x + 1.0),
        (Domain::Reals, |x| (x - 1.0) * (x + 1.0), |x| x * x - 1.0),
        (Domain::Positive, |x| x / x, |x| 0.0 * x + 1.0),
        (Domain::Positive, |x| 1.0 / (1.0 + x) + x / (1.0 + x), |x| 0.0 * x + 1.0),
        (Domain::Positive, |x| (1.0 - x.powi(2)) / (1.0 + x), |x| 1.0 - x),
        (Domain::Reals, |x| x / (1.0 + x * x) + x.powi(3) / (1.0 + x * x), |x| x),
    ];
    for (k, (domain, given, asked)) in pairs.into_iter().enumerate() {
        let found = same(domain, given, asked);
        assert!(found.is_proven(), "pair {k}: {found:?}");
    }
}

#[test]
fn what_is_not_defined_everywhere_or_not_equal_is_not_proven() {
    let pairs: [(Domain, Formula, Formula); 8] = [
        // Not defined at 0.
        (Domain::Reals, |x| x / x, |x| 0.0 * x + 1.0),
        (Domain::Reals, |x| x * x / x, |x| x),
        // Not defined at -1.
        (Domain::Reals, |x| (1.0 - x.powi(2)) / (1.0 + x), |x| 1.0 - x),
        // Not defined below 0.
        (Domain::Reals, |x| x.sqrt().powi(2), |x| x),
        (Domain::Reals, |x| (2.0 * x.ln()).exp(), |x| x * x),
        // Equal for x above 0 only.
        (Domain::Reals, |x| (x * x).sqrt(), |x| x),
        // Equal but for a little, or far out.
        (Domain::Reals, |x| (x + 1.0).powi(2), |x| x * x + 2.0 * x + 1.0 + 1e-13),
        (Domain::Reals, |x| x + (x - 40.0).max(0.0), |x| x),
    ];
    for (k, (domain, given, asked)) in pairs.into_iter().enumerate() {
        let found = same(domain, given, asked);
        assert!(!found.is_proven(), "pair {k}: {found:?}");
    }
}
