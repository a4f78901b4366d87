//! What the composed functions are made of: eᵃ - 1 and ln(1 + a) near 0, and polynomials.

use super::value::Value;

/// eᵃ - 1 = (u - 1)·a/ln u with u the rounded eᵃ, whose error both factors share (Kahan; Higham, "Accuracy and Stability of
/// Numerical Algorithms", 2002, section 1.14.1).
pub(super) fn exp_m1(a: Value<'_>) -> Value<'_> {
    a.graph.call("exp_m1", [a], |[a]| {
        let u = a.exp();
        let plain = u - 1.0;
        let near = u.eq(1.0).select(a, plain * a / u.ln());
        // Far from 0 nothing cancels, and eᵃ may be 0 or ∞.
        a.abs().gt(1.0).select(plain, near)
    })
}

/// ln(1 + a) = a·ln(u)/(u - 1) with u the rounded 1 + a (as [`exp_m1`]).
pub(super) fn ln_1p(a: Value<'_>) -> Value<'_> {
    a.graph.call("ln_1p", [a], |[a]| {
        let u = a + 1.0;
        let near = u.eq(1.0).select(a, a * u.ln() / (u - 1.0));
        a.abs().ge(1.0).select(u.ln(), near)
    })
}

/// Σ cₖaᵏ
pub(super) fn polynomial<'g>(a: Value<'g>, coefficients: &[f64]) -> Value<'g> {
    let (last, rest) = coefficients.split_last().expect("a coefficient");
    let Some((next, rest)) = rest.split_last() else { return a.graph.number_of(a.kind, *last) };
    rest.iter().rev().fold(a * *last + *next, |sum, c| sum * a + *c)
}
