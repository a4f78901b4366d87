//! ln Σ eᵃ on a tape.

use crate::tape::{Var, select};

/// Records ln Σ eᵃ of at least one scalar, two terms at a time.
pub(super) fn log_sum_exp<'t>(terms: impl Iterator<Item = Var<'t>>) -> Var<'t> {
    terms.reduce(log_add_exp).expect("a mixture has a component")
}

/// Records ln(eᵃ + eᵇ) = a + ln(1 + eᵇ⁻ᵃ) for a ≥ b; with the smaller one first, a + (b - a) would lose
/// digits of a. If both are -∞ the result is -∞; b - a would be NaN there, hence the select.
fn log_add_exp<'t>(a: Var<'t>, b: Var<'t>) -> Var<'t> {
    let first = select(a.gt(-f64::MAX), a + (b - a).softplus(), a);
    select(a.lt(b), b + (a - b).softplus(), first)
}
