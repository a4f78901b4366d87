//! Triangular maps: their order, the signs of their slopes, and where they go at the ends of their domain.

use std::collections::HashMap;

use dashu_ratio::RBig;

use super::analytic::sign_but_at_points;
use super::interval::Interval;
use super::limit::{From, Limit, limit};
use super::map::{Labels, Map, NONE, forward, jumps};
use super::normal::{Forms, Tends};
use super::range::Ranges;
use super::rejection::{Checked, Rejection, reject};
use super::scalar::{Function, Id, Scalars};
use super::sign::sign;
use super::slope::slope;
use super::text::{Certificate, Side};

/// Input, output, and the sign of the slope, by place in the order.
pub(super) type Signs = Vec<(usize, usize, i32)>;

/// The slopes of a triangular map, with the hints of the certificate, by place in the order.
pub(super) type Slopes = Vec<(Id, Option<Id>)>;

/// Checks that no output depends on an input of a larger label, and for a diagonal structure, nor on one of a
/// smaller label. Only in blocks variables may share a label: if all had one, there would be nothing to check.
pub(super) fn structure(certificate: &Certificate, kind: &str) -> Checked<(Map, Labels)> {
    // Checked first: without an order, the program need not be written out.
    let labels = Labels::read(certificate, certificate.domain.len())?;
    let map = forward(certificate)?;
    let last = map.inputs.len().saturating_sub(1) as u32;
    let flipped = |labels: &[u32]| labels.iter().map(|label| last - label).collect::<Vec<u32>>();
    let mut ways = vec![(labels.inputs.clone(), labels.outputs.clone())];
    match kind {
        "blocks" => {}
        "lower" => drop(labels.pairs()?),
        "diagonal" => {
            labels.pairs()?;
            ways.push((flipped(&labels.inputs), flipped(&labels.outputs)));
        }
        _ => return reject(format!("no such structure: {kind}")),
    }
    for (inputs, outputs) in ways {
        let highest = map.highest(&inputs);
        for (o, (id, own)) in map.outputs.iter().zip(&outputs).enumerate() {
            if highest[id] != NONE && highest[id] > *own {
                return reject(format!("output {o} depends on an input that it must not depend on"));
            }
        }
    }
    Ok((map, labels))
}

/// What is asked of the slope of each output in its own variable.
#[derive(Clone, Copy, PartialEq)]
pub(super) enum Asked {
    /// It has one sign and is nowhere 0.
    Nonzero,
    /// It has one sign, and is 0 on a set of measure 0 at most.
    NonzeroAlmostEverywhere,
    /// The output is continuous and strictly monotone: it is defined, nothing in it jumps, and its derivative exists
    /// except at kinks (of |·|, min, max), which are isolated, as are the points where it is 0. Then f is one-to-one: z₀
    /// follows from x₀, z₁ from x₁ and z₀, and so on.
    Monotone,
}

/// Checks what is asked of the slope of each output in its own variable, and returns its sign.
///
/// The sign comes from the range of the slope, or of a formula in `slopes` that is equal to the slope, or
/// from the terms of the slope's normal form if all of them have that sign.
pub(super) fn slopes(certificate: &Certificate, asked: Asked) -> Checked<(Map, Signs, Slopes)> {
    let (mut map, labels) = structure(certificate, "lower")?;
    let pairs = labels.pairs()?;
    let highest = map.highest(&labels.inputs);
    let hints = match certificate.programs.get("slopes") {
        Some(program) => map.scalars.results(program, &[map.inputs.clone()])?,
        None => Vec::new(),
    };
    let (mut signs, mut slopes) = (Vec::new(), Vec::new());
    for (place, (i, o)) in pairs.into_iter().enumerate() {
        let earlier =
            |id: Id| highest.get(&id).is_some_and(|label| *label == NONE || (*label as usize) < place);
        let one = Output {
            name: format!("output {o}"),
            value: map.outputs[o],
            input: map.inputs[i],
            side: &certificate.domain[i],
            hint: hints.get(place).copied(),
        };
        let (sign, slope) = one.slope(&mut map, asked, earlier)?;
        signs.push((i, o, sign));
        slopes.push((slope, one.hint));
    }
    Ok((map, signs, slopes))
}

/// A scalar as a function of one input, of which a slope is asked.
pub(super) struct Output<'a> {
    /// As messages have it.
    pub name: String,
    pub value: Id,
    pub input: Id,
    /// Where the input lies.
    pub side: &'a Side,
    /// A formula that may be equal to the slope and simpler.
    pub hint: Option<Id>,
}

impl Output<'_> {
    /// Checks what is asked of the slope; returns its sign and the slope. `fixed` are scalars that do not depend on the
    /// input.
    pub fn slope(&self, map: &mut Map, asked: Asked, fixed: impl Fn(Id) -> bool) -> Checked<(i32, Id)> {
        let (name, value, input) = (&self.name, self.value, self.input);
        let moves = |id: Id| !fixed(id);
        if !map.ranges.of(&map.scalars, value).defined {
            return reject(format!("{name} cannot be shown to be defined everywhere"));
        }
        if asked == Asked::Monotone && jumps(&map.scalars, &mut map.ranges, value, moves) {
            return reject(format!("{name} may jump as its own variable moves"));
        }
        let found = slope(&mut map.scalars, value, input, &fixed)?;
        let Some(found) = found else { return reject(format!("{name} does not depend on its own variable")) };
        let sign = sign(map, found, self.hint).or_else(|rejection| {
            sign_between(map, found, (input, self.side))
                .or_else(|| match asked {
                    Asked::Nonzero => None,
                    _ => sign_but_at_points(map, (value, input), (found, self.hint), self.side, moves),
                })
                .ok_or(rejection)
        });
        Ok((sign?, found))
    }
}

/// Whether a slope is bounded away from 0: a continuous function with such a slope maps all numbers onto all numbers.
fn is_steep(map: &mut Map, id: Id, hint: Option<Id>) -> bool {
    let away = |interval: &Interval| {
        interval.is_apart_from(&Interval::of(0.0)) && {
            // Not only open at 0.
            let wider = Interval::closed(-f64::MIN_POSITIVE, f64::MIN_POSITIVE);
            interval.is_apart_from(&wider)
        }
    };
    if away(&map.ranges.of(&map.scalars, id).interval) {
        return true;
    }
    let mut forms = Forms::new(map.ranges.clone(), Vec::new());
    let simpler = hint.map(|hint| (hint, map.ranges.of(&map.scalars, hint)));
    if let Some((hint, range)) = simpler
        && range.defined
        && away(&range.interval)
        && forms.equal(&mut map.scalars, id, hint).unwrap_or(false)
    {
        return true;
    }
    forms.of(&mut map.scalars, id).is_ok_and(|form| forms.is_above_a_number(&form))
}

/// Returns the sign of a scalar with a variable that lies between two numbers s < t written as s + (t - s)·a/(a + b) with
/// positive a and b: of a polynomial, the terms are then those of its Bernstein basis.
fn sign_between(map: &mut Map, id: Id, (input, side): (Id, &Side)) -> Option<i32> {
    let (low, high) = (side.low.0, side.high.0);
    if !(low.is_finite() && high.is_finite() && side.low.1 && side.high.1) {
        return None;
    }
    // A normal form tells a sign only where the scalar is defined.
    if !map.ranges.of(&map.scalars, id).defined {
        return None;
    }
    let scalars = &mut map.scalars;
    let (a, b) = (scalars.letter(), scalars.letter());
    let mut ranges = map.ranges.clone();
    [a, b].into_iter().for_each(|letter| ranges.give(letter, Interval::between(0.0, f64::INFINITY)));
    let sum = scalars.apply(Function::Add, &[a, b]);
    let share = scalars.apply(Function::Div, &[a, sum]);
    let [from, to] = [low, high].map(|end| scalars.number(end));
    let whole = scalars.apply(Function::Sub, &[to, from]);
    let along = scalars.apply(Function::Mul, &[whole, share]);
    let place = scalars.apply(Function::Add, &[from, along]);
    let written = scalars.replaced(id, &HashMap::from([(input, place)]));
    let mut forms = Forms::new(ranges, Vec::new());
    let form = forms.of(scalars, written).ok()?;
    forms.sign(&form).filter(|sign| *sign != 0)
}

/// Returns the sign of the permutation that maps each input to the output of the same place.
pub(super) fn parity(pairs: impl Iterator<Item = (usize, usize)>) -> i32 {
    let to: HashMap<usize, usize> = pairs.collect();
    let inversions = (0..to.len())
        .flat_map(|j| (0..j).map(move |i| (i, j)))
        .filter(|(i, j)| to.get(i) > to.get(j))
        .count();
    if inversions % 2 == 0 { 1 } else { -1 }
}

pub(super) fn agrees(signs: &[(usize, usize, i32)], expected: &str) -> Checked<()> {
    let product: i32 = signs.iter().map(|(_, _, sign)| *sign).product();
    let found = product * parity(signs.iter().map(|(i, o, _)| (*i, *o)));
    match (found, expected) {
        (1, "positive") | (-1, "negative") => Ok(()),
        _ => reject("the determinant has another sign"),
    }
}

/// Checks that f is strictly monotone in each variable and tends to the ends of the codomain at the ends of
/// the domain: by the intermediate value theorem every x of the codomain then has one z.
///
/// From all numbers to all numbers it does so, too, where its slope is bounded away from 0 (mean value theorem).
pub(super) fn bijection_by_limits(certificate: &Certificate) -> Checked<()> {
    let (mut map, signs, slopes) = slopes(certificate, Asked::Monotone)?;
    let labels = Labels::read(certificate, map.inputs.len())?;
    let highest = map.highest(&labels.inputs);
    let whole = |side: &Side| side.low.0 == f64::NEG_INFINITY && side.high.0 == f64::INFINITY;
    for ((i, o, sign), (slope, hint)) in signs.into_iter().zip(slopes) {
        let place = labels.inputs[i];
        let earlier = |id: Id| highest.get(&id).is_some_and(|label| *label == NONE || *label < place);
        let ends = (&certificate.domain[i], certificate.codomain.get(o));
        let both = [map.outputs[o]; 2];
        let reached =
            reaches_ends(&mut map.scalars, &mut map.ranges, both, map.inputs[i], ends, sign, earlier);
        let everywhere = whole(ends.0) && ends.1.is_some_and(whole);
        if reached.is_err() && !(everywhere && is_steep(&mut map, slope, hint)) {
            return reached;
        }
    }
    Ok(())
}

/// Checks that a strictly monotone output tends to the two ends of its codomain as its variable tends to
/// those of its domain. The output is the first of two formulas near the lower end, and the second near the
/// upper end.
pub(super) fn reaches_ends(
    scalars: &mut Scalars,
    ranges: &mut Ranges,
    [first, last]: [Id; 2],
    input: Id,
    (from, to): (&Side, Option<&Side>),
    sign: i32,
    independent: impl Fn(Id) -> bool,
) -> Checked<()> {
    let Some(to) = to else { return reject("not as many codomains as outputs") };
    if [from.low, from.high, to.low, to.high].iter().any(|(_, open)| !open) {
        return reject("an interval that holds an end of its own");
    }
    for (output, end, side) in [(first, from.low.0, From::Above), (last, from.high.0, From::Below)] {
        let start = match end.is_infinite() {
            true => {
                if end > 0.0 {
                    Limit::Up
                } else {
                    Limit::Down
                }
            }
            false => Limit::To(exact(end)?, side),
        };
        let rises = (sign > 0) == (side == From::Below);
        let wanted = if rises { to.high.0 } else { to.low.0 };
        let reached = match limit(scalars, ranges, output, input, start, &independent) {
            Limit::Up => wanted == f64::INFINITY,
            Limit::Down => wanted == f64::NEG_INFINITY,
            Limit::To(value, _) => wanted.is_finite() && value == exact(wanted)?,
            _ => match by_leading_terms(scalars, ranges, output, (input, from), side) {
                Some(Tends::Up) => wanted == f64::INFINITY,
                Some(Tends::Down) => wanted == f64::NEG_INFINITY,
                Some(Tends::To(value)) => wanted.is_finite() && value == exact(wanted)?,
                None => false,
            },
        };
        if !reached {
            return reject(format!(
                "an output cannot be shown to tend to {wanted} as its variable tends to {end}"
            ));
        }
    }
    Ok(())
}

/// The limit of an output by the leading terms of its normal form, with the variable written as low + t or high - t near a
/// finite end, and as low + 1/t, high - 1/t or ±1/t near an infinite one, as t tends to 0.
fn by_leading_terms(
    scalars: &mut Scalars,
    ranges: &Ranges,
    output: Id,
    (input, from): (Id, &Side),
    side: From,
) -> Option<Tends> {
    let (near, far) = if side == From::Above { (from.low.0, from.high.0) } else { (from.high.0, from.low.0) };
    let t = scalars.letter();
    let (start, step, most) = match (near.is_finite(), far.is_finite()) {
        (true, true) => (near, t, (from.high.0 - from.low.0).next_down()),
        (true, false) => (near, t, 1.0),
        (false, finite) => (if finite { far } else { 0.0 }, scalars.apply(Function::Recip, &[t]), 1.0),
    };
    let start = scalars.number(start);
    // Towards the inside of the domain from a finite end, towards an infinite one.
    let inwards = (side == From::Above) == near.is_finite();
    let place = scalars.apply(if inwards { Function::Add } else { Function::Sub }, &[start, step]);
    let mut ranges = ranges.clone();
    ranges.give(t, Interval::between(0.0, most));
    let near_the_end = scalars.replaced(output, &HashMap::from([(input, place)]));
    let mut forms = Forms::new(ranges, Vec::new());
    let form = forms.of(scalars, near_the_end).ok()?;
    forms.tends(scalars, &form, t)
}

pub(super) fn exact(value: f64) -> Checked<RBig> {
    RBig::try_from(value).map_err(|_| Rejection::new(format!("{value} is not a finite number")))
}
