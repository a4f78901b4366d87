//! Maps that are given piece by piece, such as splines.
//!
//! If every condition on a variable z compares it with thresholds that do not depend on it, an output is a
//! single formula between neighbouring thresholds. If its slope has one sign on each piece, the same on all,
//! and if both formulas have the same value where pieces meet, the output is continuous and strictly
//! monotone.
//!
//! Subexpressions that do not depend on z are replaced by *letters*, down to the factors of terms of sums.
//! Only the range of a letter is used, not its definition, so what holds for all letters in their ranges
//! holds for the subexpressions. Between thresholds s < t the distances u = z - s and v = t - z are positive
//! letters too, and one letter of t - s is eliminated by t - s = u + v; where s and t are numbers,
//! u = (t - s)·a/(a + b) and v = (t - s)·b/(a + b) with positive letters a, b. Slopes are then quotients of
//! sums of positive terms.
//!
//! |z - t| and sign(z - t) are written as choices by z < t. Away from t they are the same; what is claimed at t is shown of the
//! formula as it was given.

use std::collections::HashMap;

use super::interval::Interval;
use super::map::{Map, jumps, sharpen};
use super::normal::Forms;
use super::range::Ranges;
use super::rejection::{Rejection, reject};
use super::scalar::{Function as F, Id, Scalar, Scalars};
use super::slope::slope;
use super::text::Certificate;
use super::triangular::{Asked, Signs, agrees, reaches_ends, structure};

type Checked<T> = Result<T, Rejection>;

/// Maximum number of pieces.
const MOST: usize = 130;

/// Checks that each output is strictly monotone in its own variable.
pub(super) fn check(certificate: &Certificate) -> Checked<()> {
    each(certificate, Asked::Monotone, false).map(|_| ())
}

/// As [`check`], and that each output tends to the ends of its codomain.
pub(super) fn onto(certificate: &Certificate) -> Checked<()> {
    each(certificate, Asked::Monotone, true).map(|_| ())
}

/// Checks that the slopes have one sign on every piece, and where pieces meet if the slopes are to be nonzero there, too.
pub(super) fn determinant(certificate: &Certificate, asked: Asked, sign: &str) -> Checked<()> {
    agrees(&each(certificate, asked, false)?, sign)
}

fn each(certificate: &Certificate, asked: Asked, onto: bool) -> Checked<Signs> {
    let (mut map, labels) = structure(certificate, "lower")?;
    let highest = map.highest(&labels.inputs);
    let mut signs = Vec::new();
    for (place, (i, o)) in labels.pairs()?.into_iter().enumerate() {
        let moves = |id: Id| highest.get(&id).is_none_or(|label| *label == place as u32);
        let mut pieces = Pieces::new(&mut map, (i, o), moves)?;
        let sign = pieces.sign(asked)?;
        if onto {
            pieces.end_inside(certificate, i)?;
            let (first, last) = (pieces.formulas[0], *pieces.formulas.last().expect("there is a piece"));
            let z = pieces.z;
            let ends = (&certificate.domain[i], certificate.codomain.get(o));
            let mut ranges = pieces.ranges.clone();
            reaches_ends(pieces.scalars, &mut ranges, [first, last], z, ends, sign, |_| false)?;
        }
        signs.push((i, o, sign));
    }
    Ok(signs)
}

/// A threshold of a variable, and the comparisons with it, each with whether it holds below.
struct Threshold {
    at: Id,
    conditions: Vec<(Id, bool)>,
}

/// An output with |z - t| and sign(z - t) written as choices, and the numbers in them.
struct Chosen {
    x: Id,
    numbers: [Id; 3],
}

/// One output as a function of its own variable, in letters.
struct Pieces<'a> {
    scalars: &'a mut Scalars,
    /// The ranges of letters, and of the variable.
    ranges: Ranges,
    z: Id,
    /// In ascending order.
    thresholds: Vec<Id>,
    /// One more than the thresholds.
    formulas: Vec<Id>,
    /// For each threshold, the formula that holds at it, as it was given.
    at_thresholds: Vec<Id>,
}

impl<'a> Pieces<'a> {
    fn new(map: &'a mut Map, (i, o): (usize, usize), moves: impl Fn(Id) -> bool) -> Checked<Pieces<'a>> {
        let (z, given_x) = (map.inputs[i], map.outputs[o]);
        let Chosen { x, numbers } = with_choices(&mut map.scalars, given_x, z, &moves);
        let moves = |id: Id| moves(id) && !numbers.contains(&id);
        let thresholds = thresholds(&map.scalars, x, z, &moves)?;
        let names = letters(&mut map.scalars, x, &moves);
        let domain = map.ranges.of(&map.scalars, z).interval;
        let mut given: HashMap<Id, Interval> = HashMap::from([(z, domain)]);
        for (known, letter) in &names {
            let range = map.ranges.of(&map.scalars, *known);
            if !range.defined {
                return reject("the operands of a piece cannot all be shown to be defined everywhere");
            }
            given.insert(*letter, range.interval);
        }
        let scalars = &mut map.scalars;
        let x = scalars.replaced(x, &names);
        let given_x = scalars.replaced(given_x, &names);
        let mut ranges = Ranges::new(given);
        let mut renamed: Vec<Threshold> = Vec::new();
        for Threshold { at, conditions } in thresholds {
            let conditions =
                conditions.into_iter().map(|(id, below)| (scalars.replaced(id, &names), below)).collect();
            renamed.push(Threshold { at: scalars.replaced(at, &names), conditions });
        }
        let ordered = ascending(scalars, &mut ranges, renamed)?;
        let mut formulas = Vec::new();
        for piece in 0..=ordered.len() {
            let mut holds = HashMap::new();
            for (k, threshold) in ordered.iter().enumerate() {
                for (condition, below) in &threshold.conditions {
                    let value = if *below != (k < piece) { 1.0 } else { 0.0 };
                    holds.insert(*condition, scalars.number(value));
                }
            }
            formulas.push(scalars.replaced(x, &holds));
        }
        let mut at_thresholds = Vec::new();
        for k in 0..ordered.len() {
            let mut holds = HashMap::new();
            for (j, threshold) in ordered.iter().enumerate() {
                for (condition, below) in &threshold.conditions {
                    // At its own threshold z < t fails and z ≤ t holds, whichever branch lies beside it.
                    let at_itself = matches!(scalars.get(*condition), Scalar::Apply(F::LessEq, _));
                    let value = if j == k { at_itself } else { *below != (j < k) };
                    holds.insert(*condition, scalars.number(if value { 1.0 } else { 0.0 }));
                }
            }
            at_thresholds.push(scalars.replaced(given_x, &holds));
        }
        let thresholds = ordered.into_iter().map(|threshold| threshold.at).collect();
        Ok(Pieces { scalars, ranges, z, thresholds, formulas, at_thresholds })
    }

    /// Checks that the first and the last piece contain the ends of the domain: the thresholds lie inside of
    /// it.
    fn end_inside(&mut self, certificate: &Certificate, i: usize) -> Checked<()> {
        let (low, high) = (certificate.domain[i].low.0, certificate.domain[i].high.0);
        let (first, last) = (self.thresholds.first().copied(), self.thresholds.last().copied());
        for (threshold, end, sign) in [(first, low, 1.0), (last, high, -1.0)] {
            let Some(threshold) = threshold.filter(|_| end.is_finite()) else { continue };
            let (sign, end) = (self.scalars.number(sign), self.scalars.number(end));
            let beyond = self.apply(F::Sub, &[threshold, end]);
            let beyond = self.apply(F::Mul, &[sign, beyond]);
            if !self.ranges.of(self.scalars, beyond).interval.is_positive() {
                return reject("a threshold cannot be shown to lie inside of the domain");
            }
        }
        Ok(())
    }

    fn apply(&mut self, function: F, operands: &[Id]) -> Id {
        self.scalars.apply(function, operands)
    }

    /// Returns the sign of the slope, the same on all pieces. Where they meet, a monotone function has to be continuous, and
    /// a slope that is nowhere 0 has to have that sign; of what holds almost everywhere nothing is asked there.
    fn sign(&mut self, asked: Asked) -> Checked<i32> {
        let mut common = None;
        for piece in 0..self.formulas.len() {
            let formula = self.formulas[piece];
            if jumps(self.scalars, &mut self.ranges, formula, |_| true) {
                return reject("a piece may jump");
            }
            let Some(slope) = slope(self.scalars, formula, self.z, |_| false)? else {
                return reject("a piece does not depend on its variable");
            };
            let sign = self.sign_inside(piece, formula, slope)?;
            if *common.get_or_insert(sign) != sign {
                return reject("slopes of two pieces have two signs");
            }
        }
        let thresholds_if = |asked_there: bool| if asked_there { self.thresholds.len() } else { 0 };
        let (values, slopes) =
            (thresholds_if(asked == Asked::Monotone), thresholds_if(asked == Asked::Nonzero));
        for k in 0..values {
            let at = self.thresholds[k];
            let [left, right] = [self.formulas[k], self.formulas[k + 1]]
                .map(|formula| self.scalars.replaced(formula, &HashMap::from([(self.z, at)])));
            let mut forms = Forms::new(self.ranges.clone(), Vec::new());
            if !forms.equal(self.scalars, left, right)? {
                return reject("two pieces cannot be shown to have one value where they meet");
            }
            self.defined_at_ends(left)?;
            self.defined_at_ends(right)?;
            // At the threshold itself a sign is 0, and of z < t and z ≤ t one holds: neither branch need be the value there.
            let value = self.at(at, self.at_thresholds[k]);
            if !forms.equal(self.scalars, left, value)? {
                return reject("an output cannot be shown to be continuous at a threshold");
            }
        }
        for k in 0..slopes {
            let Some(slope) = slope(self.scalars, self.at_thresholds[k], self.z, |_| false)? else {
                return reject("an output does not depend on its variable at a threshold");
            };
            if Some(self.sign_at(self.thresholds[k], slope)?) != common {
                return reject("the slope at a threshold has another sign");
            }
        }
        common.ok_or_else(|| Rejection::new("there is no piece"))
    }

    /// Returns the sign of the slope between the thresholds of a piece.
    fn sign_inside(&mut self, piece: usize, formula: Id, slope: Id) -> Checked<i32> {
        let low = piece.checked_sub(1).map(|k| self.thresholds[k]);
        let high = self.thresholds.get(piece).copied();
        let (u, v) = (self.scalars.letter(), self.scalars.letter());
        let mut ranges = self.ranges.clone();
        ranges.give(u, Interval::between(0.0, f64::INFINITY));
        ranges.give(v, Interval::between(0.0, f64::INFINITY));
        let numbers = [low, high].map(|end| end.filter(|end| self.scalars.value(*end).is_some()));
        let [u, v] = match numbers {
            [Some(low), Some(high)] => {
                let (whole, sum) = (self.apply(F::Sub, &[high, low]), self.apply(F::Add, &[u, v]));
                [u, v].map(|letter| {
                    let share = self.apply(F::Div, &[letter, sum]);
                    self.apply(F::Mul, &[whole, share])
                })
            }
            _ => [u, v],
        };
        let mut by = HashMap::new();
        if let Some(low) = low {
            by.insert(self.apply(F::Sub, &[self.z, low]), u);
        }
        if let Some(high) = high {
            by.insert(self.apply(F::Sub, &[high, self.z]), v);
        }
        if let (Some(low), Some(high)) = (low, high) {
            let whole = self.apply(F::Add, &[u, v]);
            by.insert(self.apply(F::Sub, &[high, low]), whole);
        }
        let mut rewritten = [formula, slope].map(|id| self.scalars.replaced(id, &by));
        let place = match (low, high) {
            (Some(low), _) => Some(self.apply(F::Add, &[low, u])),
            (None, Some(high)) => Some(self.apply(F::Sub, &[high, v])),
            (None, None) => None,
        };
        if let Some(place) = place {
            let by = HashMap::from([(self.z, place)]);
            rewritten = rewritten.map(|id| self.scalars.replaced(id, &by));
        }
        if let ([None, _] | [_, None], Some(low), Some(high)) = (numbers, low, high)
            && let Some((letter, value)) = self.eliminated(low, high, [u, v])?
        {
            let by = HashMap::from([(letter, value)]);
            rewritten = rewritten.map(|id| self.scalars.replaced(id, &by));
        }
        let [formula, slope] = rewritten;
        // What holds between these thresholds stays in the ranges of this piece.
        sharpen(self.scalars, &mut ranges, &[formula, slope]);
        if !ranges.of(self.scalars, formula).defined {
            return reject("a piece cannot be shown to be defined");
        }
        one_sign(self.scalars, ranges, slope)
    }

    /// Returns a letter of t - s and its value from t - s = u + v; t - s must be linear in it, with a
    /// positive factor.
    fn eliminated(&mut self, low: Id, high: Id, [u, v]: [Id; 2]) -> Checked<Option<(Id, Id)>> {
        let difference = self.apply(F::Sub, &[high, low]);
        let [zero, one] = [0.0, 1.0].map(|value| self.scalars.number(value));
        let all = self.scalars.order(&[difference], |_| false);
        let letters: Vec<Id> =
            all.into_iter().filter(|id| matches!(self.scalars.get(*id), Scalar::Letter(..))).collect();
        let mut forms = Forms::new(self.ranges.clone(), Vec::new());
        // Newest letters first: they belong to the last step from one threshold to the next.
        for letter in letters.into_iter().rev() {
            let rest = self.scalars.replaced(difference, &HashMap::from([(letter, zero)]));
            let unit = self.scalars.replaced(difference, &HashMap::from([(letter, one)]));
            let factor = self.apply(F::Sub, &[unit, rest]);
            let product = self.apply(F::Mul, &[factor, letter]);
            let sum = self.apply(F::Add, &[product, rest]);
            let form = forms.of(self.scalars, factor)?;
            if forms.sign(&form) == Some(1) && forms.equal(self.scalars, sum, difference)? {
                let whole = self.apply(F::Add, &[u, v]);
                let over = self.apply(F::Sub, &[whole, rest]);
                return Ok(Some((letter, self.apply(F::Div, &[over, factor]))));
            }
        }
        Ok(None)
    }

    /// Returns the sign of the slope at a threshold.
    fn sign_at(&mut self, at: Id, slope: Id) -> Checked<i32> {
        let value = self.scalars.replaced(slope, &HashMap::from([(self.z, at)]));
        let (by, mut ranges) = self.steps();
        let value = self.scalars.replaced(value, &by);
        sharpen(self.scalars, &mut ranges, &[value]);
        one_sign(self.scalars, ranges, value)
    }

    /// A formula with a threshold in the place of the variable, in which the distance of the threshold from itself is 0.
    fn at(&mut self, at: Id, formula: Id) -> Id {
        let value = self.scalars.replaced(formula, &HashMap::from([(self.z, at)]));
        let zero = self.scalars.number(0.0);
        let distance = self.apply(F::Sub, &[at, at]);
        self.scalars.replaced(value, &HashMap::from([(distance, zero)]))
    }

    /// Checks that a formula is defined with a threshold in place of the variable.
    fn defined_at_ends(&mut self, value: Id) -> Checked<()> {
        let (by, mut ranges) = self.steps();
        let value = self.scalars.replaced(value, &by);
        sharpen(self.scalars, &mut ranges, &[value]);
        match ranges.of(self.scalars, value).defined {
            true => Ok(()),
            false => reject("a piece cannot be shown to be defined where it ends"),
        }
    }

    /// Returns a positive letter for each difference of neighbouring thresholds, and 0 for the difference of
    /// a threshold with itself.
    fn steps(&mut self) -> (HashMap<Id, Id>, Ranges) {
        let mut by = HashMap::new();
        let mut ranges = self.ranges.clone();
        let zero = self.scalars.number(0.0);
        for k in 0..self.thresholds.len() {
            let at = self.thresholds[k];
            by.insert(self.apply(F::Sub, &[at, at]), zero);
            let Some(next) = self.thresholds.get(k + 1).copied() else { continue };
            let step = self.scalars.letter();
            ranges.give(step, Interval::between(0.0, f64::INFINITY));
            by.insert(self.apply(F::Sub, &[next, at]), step);
        }
        (by, ranges)
    }
}

/// Returns the sign from the range of a scalar, or the sign that all terms of its normal form have.
fn one_sign(scalars: &mut Scalars, mut ranges: Ranges, id: Id) -> Checked<i32> {
    let range = ranges.of(scalars, id);
    if !range.defined {
        return reject("the slope of a piece cannot be shown to be defined");
    }
    if range.interval.excludes_zero() {
        return Ok(if range.interval.is_positive() { 1 } else { -1 });
    }
    let mut forms = Forms::new(ranges, Vec::new());
    let form = forms.of(scalars, id)?;
    forms.sign(&form).ok_or_else(|| Rejection::new("the slope of a piece cannot be shown to have one sign"))
}

/// Writes |z - t| and sign(z - t) as choices by z < t. At t itself, 0 is then ±1 of a sign.
fn with_choices(scalars: &mut Scalars, x: Id, z: Id, moves: &impl Fn(Id) -> bool) -> Chosen {
    let numbers = [0.0, 1.0, -1.0].map(|value| scalars.number(value));
    let [zero, one, minus] = numbers;
    let mut by = HashMap::new();
    for id in scalars.order(&[x], |id| !moves(id)) {
        let Scalar::Apply(function @ (F::Abs | F::Sign), operands) = scalars.get(id).clone() else {
            continue;
        };
        let of = operands[0];
        // The threshold, and whether the operand is negative above it.
        let (at, falls) = match scalars.get(of).clone() {
            _ if of == z => (zero, false),
            Scalar::Apply(F::Neg, a) if a[0] == z => (zero, true),
            Scalar::Apply(F::Sub, a) if a[0] == z && !moves(a[1]) => (a[1], false),
            Scalar::Apply(F::Sub, a) if a[1] == z && !moves(a[0]) => (a[0], true),
            _ => continue,
        };
        let below = scalars.apply(F::Less, &[z, at]);
        let (first, second) = match function {
            F::Sign => (minus, one),
            _ => (scalars.apply(F::Sub, &[at, z]), scalars.apply(F::Sub, &[z, at])),
        };
        let turned = falls && function == F::Sign;
        let branches = if turned { [second, first] } else { [first, second] };
        by.insert(id, scalars.apply(F::Select, &[below, branches[0], branches[1]]));
    }
    Chosen { x: scalars.replaced(x, &by), numbers }
}

/// Returns the scalars that z is compared with, in any order; anything else that jumps is rejected.
fn thresholds(scalars: &Scalars, x: Id, z: Id, moves: &impl Fn(Id) -> bool) -> Checked<Vec<Threshold>> {
    let mut found: Vec<Threshold> = Vec::new();
    for id in scalars.order(&[x], |id| !moves(id)) {
        let Scalar::Apply(function @ (F::Less | F::LessEq | F::Sign), operands) = scalars.get(id) else {
            continue;
        };
        // z < t and z ≤ t hold below the threshold, t < z and t ≤ z above.
        let (at, below) = match operands.as_slice() {
            [a, b] if *a == z && !moves(*b) => (*b, true),
            [a, b] if *b == z && !moves(*a) => (*a, false),
            _ => return reject(format!("{function:?} of something else than the variable and a threshold")),
        };
        match found.iter_mut().find(|threshold| threshold.at == at) {
            Some(known) => known.conditions.push((id, below)),
            None => found.push(Threshold { at, conditions: vec![(id, below)] }),
        }
    }
    if found.len() >= MOST { reject("too many pieces") } else { Ok(found) }
}

/// Returns letters for subexpressions that do not depend on the variable, down to the factors of terms of
/// sums.
fn letters(scalars: &mut Scalars, x: Id, moves: &impl Fn(Id) -> bool) -> HashMap<Id, Id> {
    let moving = scalars.order(&[x], |id| !moves(id));
    let mut stack: Vec<Id> = moving.iter().flat_map(|id| scalars.get(*id).operands().into_owned()).collect();
    stack.push(x);
    stack.retain(|id| !moves(*id));
    let mut names = HashMap::new();
    while let Some(id) = stack.pop() {
        if names.contains_key(&id) {
            continue;
        }
        if is_number(scalars, id) {
            continue;
        }
        match scalars.get(id).clone() {
            Scalar::Apply(F::Add | F::Sub | F::Neg | F::Mul, operands) | Scalar::Sum(operands) => {
                stack.extend(operands)
            }
            _ => {
                let letter = scalars.letter();
                names.insert(id, letter);
            }
        }
    }
    names
}

/// Returns whether a scalar consists of numbers and arithmetic only: forms represent it exactly.
fn is_number(scalars: &Scalars, id: Id) -> bool {
    scalars.order(&[id], |_| false).into_iter().all(|id| {
        let arithmetic = matches!(
            scalars.get(id),
            Scalar::Apply(F::Add | F::Sub | F::Neg | F::Mul | F::Div, _) | Scalar::Sum(_)
        );
        arithmetic || matches!(scalars.get(id), Scalar::Number(_))
    })
}

/// Returns the thresholds in ascending order, if each difference is proven to be positive.
fn ascending(
    scalars: &mut Scalars,
    ranges: &mut Ranges,
    thresholds: Vec<Threshold>,
) -> Checked<Vec<Threshold>> {
    let mut ordered: Vec<Threshold> = Vec::new();
    let mut forms = Forms::new(ranges.clone(), Vec::new());
    let mut less = |scalars: &mut Scalars, low: Id, high: Id| -> Checked<bool> {
        let difference = scalars.apply(F::Sub, &[high, low]);
        if ranges.of(scalars, difference).interval.is_positive() {
            return Ok(true);
        }
        let form = forms.of(scalars, difference)?;
        Ok(forms.sign(&form) == Some(1))
    };
    for new in thresholds {
        let mut place = ordered.len();
        while place > 0 && !less(scalars, ordered[place - 1].at, new.at)? {
            place -= 1;
        }
        if let Some(next) = ordered.get(place)
            && !less(scalars, new.at, next.at)?
        {
            return reject("two thresholds have no order");
        }
        ordered.insert(place, new);
    }
    Ok(ordered)
}
