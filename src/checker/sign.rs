//! The sign of a scalar: from its range, from that of an equal formula, or from the terms of its normal form.

use super::interval::Interval;
use super::map::Map;
use super::normal::Forms;
use super::rejection::{Checked, reject};
use super::scalar::Id;

/// Returns the sign of a scalar, if it is the same everywhere.
pub(super) fn sign(map: &mut Map, id: Id, hint: Option<Id>) -> Checked<i32> {
    map.sharpen(&[id]);
    let range = map.ranges.of(&map.scalars, id);
    if !range.defined {
        return reject("a slope cannot be shown to be defined everywhere");
    }
    let of = |interval: &Interval| i32::from(interval.is_positive()) - i32::from(interval.is_negative());
    if range.interval.excludes_zero() {
        return Ok(of(&range.interval));
    }
    let mut forms = Forms::new(map.ranges.clone(), Vec::new());
    if let Some(hint) = hint {
        let other = map.ranges.of(&map.scalars, hint);
        if other.defined && other.interval.excludes_zero() && forms.equal(&mut map.scalars, id, hint)? {
            return Ok(of(&other.interval));
        }
    }
    let form = forms.of(&mut map.scalars, id)?;
    match forms.sign_opened(&form) {
        Some(sign) if sign != 0 => Ok(sign),
        _ => reject("a slope cannot be shown to have one sign"),
    }
}

/// Returns 1 if a scalar is nowhere below 0, and -1 if it is nowhere above.
pub(super) fn sign_or_zero(map: &mut Map, id: Id, hint: Option<Id>) -> Option<i32> {
    map.sharpen(&[id]);
    let range = map.ranges.of(&map.scalars, id);
    if !range.defined {
        return None;
    }
    let by_range = |range: &Interval| match (range.is_nonnegative(), range.neg().is_nonnegative()) {
        (true, _) => Some(1),
        (_, true) => Some(-1),
        _ => None,
    };
    if let Some(sign) = by_range(&range.interval) {
        return Some(sign);
    }
    let mut forms = Forms::new(map.ranges.clone(), Vec::new());
    if let Some(hint) = hint {
        let other = map.ranges.of(&map.scalars, hint);
        if other.defined
            && let Some(sign) = by_range(&other.interval)
            && forms.equal(&mut map.scalars, id, hint).ok()?
        {
            return Some(sign);
        }
    }
    let form = forms.of(&mut map.scalars, id).ok()?;
    forms.sign_or_zero(&form)
}
