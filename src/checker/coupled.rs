//! Maps onto sets in which variables restrict one another: ordered vectors, and the open simplex.
//!
//! f is defined on its domain and lands in the set, g(f(z)) = z, and f(g(x)) = x for every x of the set, where g is defined and
//! lands in the domain. The points of a set are written with positive numbers w: x₁ any number and xᵢ = xᵢ₋₁ + wᵢ for ordered
//! vectors, and xᵢ = wᵢ/(1 + Σ w) for the simplex. Each is a point of it, and each point is one of these.

use super::interval::Interval;
use super::map::{forward, interval, sharpen};
use super::normal::Forms;
use super::range::Ranges;
use super::rejection::{Checked, reject};
use super::scalar::{Function as F, Id, Scalar, Scalars};
use super::sign::sign;
use super::text::Certificate;

/// The sets that have a name in certificates.
#[derive(Clone, Copy)]
enum Set {
    Ordered,
    Simplex,
}

/// Checks that f maps its domain one-to-one onto the set of this name.
pub(super) fn onto(certificate: &Certificate, name: &str) -> Checked<()> {
    let set = match name {
        "ordered" => Set::Ordered,
        "simplex" => Set::Simplex,
        _ => return reject(format!("no such set: {name}")),
    };
    let mut map = forward(certificate)?;
    let outputs = map.outputs.clone();
    for positive in positive_in(&mut map.scalars, set, &outputs) {
        if sign(&mut map, positive, None)? != 1 {
            return reject("f cannot be shown to land in the set");
        }
    }
    if !outputs.iter().all(|id| map.ranges.of(&map.scalars, *id).defined) {
        return reject("f cannot be shown to be defined everywhere");
    }
    let results = map.then(certificate.program("inverse")?)?;
    map.defined(&results)?;
    map.identity(&results)?;
    back_and_there(certificate, set)
}

/// Scalars that are positive exactly where x is in the set.
fn positive_in(scalars: &mut Scalars, set: Set, x: &[Id]) -> Vec<Id> {
    match set {
        Set::Ordered => x.windows(2).map(|pair| scalars.apply(F::Sub, &[pair[1], pair[0]])).collect(),
        Set::Simplex => {
            let (one, sum) = (scalars.number(1.0), scalars.push(Scalar::Sum(x.to_vec())));
            let left = scalars.apply(F::Sub, &[one, sum]);
            x.iter().copied().chain([left]).collect()
        }
    }
}

/// Checks that g is defined on the set, lands in the domain, and that f(g(x)) = x.
fn back_and_there(certificate: &Certificate, set: Set) -> Checked<()> {
    let mut scalars = Scalars::default();
    let mut ranges = Ranges::default();
    let mut letters: Vec<Id> = (0..certificate.domain.len()).map(|_| scalars.letter()).collect();
    letters.iter().for_each(|letter| ranges.give(*letter, Interval::between(0.0, f64::INFINITY)));
    let x: Vec<Id> = match set {
        Set::Ordered => {
            if let Some(first) = letters.first_mut() {
                *first = scalars.letter();
            }
            let mut last: Option<Id> = None;
            let next = letters.iter().map(|step| {
                let x = last.map_or(*step, |before| scalars.apply(F::Add, &[before, *step]));
                last = Some(x);
                x
            });
            next.collect()
        }
        Set::Simplex => {
            let (one, sum) = (scalars.number(1.0), scalars.push(Scalar::Sum(letters.clone())));
            let whole = scalars.apply(F::Add, &[one, sum]);
            letters.iter().map(|w| scalars.apply(F::Div, &[*w, whole])).collect()
        }
    };
    let mut z = scalars.results(certificate.program("inverse")?, std::slice::from_ref(&x))?;
    // xᵢ - xᵢ₋₁ is wᵢ, of which a range knows the sign.
    if let Set::Ordered = set {
        let steps = x.windows(2).zip(letters.iter().skip(1));
        let by = steps.map(|(pair, step)| (scalars.apply(F::Sub, &[pair[1], pair[0]]), *step)).collect();
        z.iter_mut().for_each(|id| *id = scalars.replaced(*id, &by));
    }
    sharpen(&mut scalars, &mut ranges, &z);
    if z.len() != certificate.domain.len() {
        return reject("not as many results as variables");
    }
    for (id, side) in z.iter().zip(&certificate.domain) {
        let range = ranges.of(&scalars, *id);
        if !range.defined || !range.interval.is_within(&interval(side)) {
            return reject("the inverse cannot be shown to be defined on the set and to land in the domain");
        }
    }
    let again = scalars.results(certificate.program("forward")?, &[z])?;
    sharpen(&mut scalars, &mut ranges, &again);
    if !again.iter().all(|id| ranges.of(&scalars, *id).defined) {
        return reject("f(f⁻¹(x)) cannot be shown to be defined on the set");
    }
    let mut forms = Forms::new(ranges, Vec::new());
    for (a, b) in again.into_iter().zip(x) {
        if !forms.equal(&mut scalars, a, b)? {
            return reject("f(f⁻¹(x)) cannot be shown to be x");
        }
    }
    Ok(())
}
