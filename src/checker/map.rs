//! A program over the sets of its inputs: dependence of its outputs, and whether they lie in a set, jump, or
//! have kinks.

use rustc_hash::FxHashMap;

use super::interval::{End, Interval};
use super::normal::Forms;
use super::range::Ranges;
use super::rejection::{Checked, Rejection, reject};
use super::scalar::{Function, Id, Scalar, Scalars};
use super::slope::slope;
use super::text::{Certificate, Program, Side};

/// No label: a scalar that depends on no input.
pub(super) const NONE: u32 = u32::MAX;

/// How many operands of a program are brought to their normal forms for a sign.
const MOST_ASKED: usize = 64;

/// A program written out as scalars, over inputs in their sets.
pub(super) struct Map {
    pub scalars: Scalars,
    pub inputs: Vec<Id>,
    pub outputs: Vec<Id>,
    pub ranges: Ranges,
}

impl Map {
    pub fn new(program: &Program, sets: &[Side]) -> Checked<Map> {
        let mut scalars = Scalars::default();
        let inputs: Vec<Id> = (0..sets.len()).map(|i| scalars.push(Scalar::Input(i))).collect();
        let outputs = scalars.results(program, std::slice::from_ref(&inputs))?;
        let given = inputs.iter().zip(sets).map(|(id, side)| (*id, interval(side))).collect();
        let mut map = Map { scalars, inputs, outputs, ranges: Ranges::new(given) };
        map.sharpen(&map.outputs.clone());
        Ok(map)
    }

    /// Narrows the ranges of what has to have a sign (operands of logarithms, roots and powers, and denominators), where
    /// intervals do not show it, by the signs of the terms of normal forms.
    ///
    /// A normal form is the value wherever everything in a formula is defined, so only operands that ranges show to be
    /// defined are asked.
    pub fn sharpen(&mut self, roots: &[Id]) {
        sharpen(&mut self.scalars, &mut self.ranges, roots);
    }

    /// The largest slope of a function of one number on an interval, if it is finite and the function is defined there.
    pub fn steepest(&mut self, function: Function, within: Interval) -> Option<End> {
        let letter = self.scalars.letter();
        self.ranges.give(letter, within);
        let value = self.scalars.apply(function, &[letter]);
        if !self.ranges.of(&self.scalars, value).defined {
            return None;
        }
        let Some(found) = slope(&mut self.scalars, value, letter, |_| false).ok()? else {
            return Some(Interval::of(0.0).high);
        };
        let range = self.ranges.of(&self.scalars, found);
        let mut steepest = range.interval.abs();
        if function == Function::Sigmoid {
            // σ(1 - σ) = ¼ - (σ - ½)²
            steepest = steepest.common(&Interval::closed(0.0, 0.25));
        }
        let bound = steepest.high;
        (range.defined && !bound.at.is_infinite()).then(|| End::closed(bound.at))
    }

    /// Returns the result of another program applied to the outputs of this one.
    pub fn then(&mut self, program: &Program) -> Checked<Vec<Id>> {
        let outputs = self.outputs.clone();
        let results = self.scalars.results(program, &[outputs])?;
        self.sharpen(&results);
        Ok(results)
    }

    /// Checks that every output is defined and lies in its set.
    pub fn lands_in(&mut self, sets: &[Side]) -> Checked<()> {
        if self.outputs.len() != sets.len() {
            return reject(format!("{} outputs, but {} sets for them", self.outputs.len(), sets.len()));
        }
        for (o, (id, side)) in self.outputs.clone().into_iter().zip(sets).enumerate() {
            let range = self.ranges.of(&self.scalars, id);
            if !range.defined {
                return reject(format!("output {o} cannot be shown to be defined everywhere"));
            }
            if !range.interval.is_within(&interval(side)) {
                return reject(format!("output {o} cannot be shown to lie in its set"));
            }
        }
        Ok(())
    }

    /// Checks that all of these are defined. A root that is proven equal to an input is defined, whatever its
    /// equation is.
    pub fn defined(&mut self, results: &[Id]) -> Checked<()> {
        let all =
            |map: &mut Map, results: &[Id]| results.iter().all(|id| map.ranges.of(&map.scalars, *id).defined);
        if all(self, results) {
            return Ok(());
        }
        let is_root = |id: Id| matches!(self.scalars.get(id), Scalar::Root { .. });
        if self.scalars.order(results, |_| false).into_iter().any(is_root) {
            let mut forms = Forms::new(self.ranges.clone(), self.inputs.clone());
            let mut found = Vec::new();
            for result in results {
                let roots = forms.roots(&mut self.scalars, *result)?.clone();
                found.push(self.scalars.replaced(*result, &roots));
            }
            if all(self, &found) {
                return Ok(());
            }
        }
        reject("the inverse cannot be shown to be defined everywhere")
    }

    /// Checks that every select has two branches that are defined everywhere.
    ///
    /// A normal form is the value where *everything* in a formula is defined. A select has a value where the
    /// branch taken is defined, so a claim about all points where results are defined says more than equal
    /// forms do.
    pub fn chooses_among_the_defined(&mut self, results: &[Id]) -> Checked<()> {
        for id in self.scalars.order(results, |_| false) {
            if let Scalar::Apply(Function::Select, _) = self.scalars.get(id)
                && !self.ranges.of(&self.scalars, id).defined
            {
                return reject("a branch of a choice cannot be shown to be defined everywhere");
            }
        }
        Ok(())
    }

    /// Checks that each result equals the input of the same place, wherever it is defined.
    pub fn identity(&mut self, results: &[Id]) -> Checked<()> {
        let mut forms = Forms::new(self.ranges.clone(), self.inputs.clone());
        if results.len() != self.inputs.len() {
            return reject("not as many results as inputs");
        }
        for (i, (result, input)) in results.iter().zip(self.inputs.clone()).enumerate() {
            if !forms.equal(&mut self.scalars, *result, input)? {
                return reject(format!("the normal form of result {i} is not input {i}"));
            }
        }
        Ok(())
    }

    /// Returns the largest label of the inputs that each scalar of the outputs depends on.
    pub fn highest(&self, labels: &[u32]) -> FxHashMap<Id, u32> {
        self.highest_of(&self.outputs, labels)
    }

    /// Returns the largest label of the inputs that each scalar of these depends on.
    pub fn highest_of(&self, roots: &[Id], labels: &[u32]) -> FxHashMap<Id, u32> {
        let mut highest = FxHashMap::default();
        for id in self.scalars.order(roots, |_| false) {
            let own = match self.scalars.get(id) {
                Scalar::Input(i) => labels.get(*i).copied().unwrap_or(NONE),
                scalar => {
                    let operands = scalar.operands();
                    let labels = operands.iter().map(|operand| highest[operand]);
                    labels.filter(|label| *label != NONE).max().unwrap_or(NONE)
                }
            };
            highest.insert(id, own);
        }
        highest
    }
}

/// Labels of inputs and outputs: the place of each in the order of a triangular structure.
pub(super) struct Labels {
    pub inputs: Vec<u32>,
    pub outputs: Vec<u32>,
}

impl Labels {
    pub fn read(certificate: &Certificate, d: usize) -> Checked<Labels> {
        let read = |name: &str| -> Checked<Vec<u32>> {
            let numbers = certificate.point(name)?;
            let labels: Vec<u32> = numbers.iter().map(|label| *label as u32).collect();
            let whole = labels.iter().zip(numbers).all(|(label, number)| f64::from(*label) == *number);
            let fits = whole && labels.len() == d && labels.iter().all(|label| (*label as usize) < d);
            if fits { Ok(labels) } else { reject(format!("`{name}` does not label {d} variables")) }
        };
        Ok(Labels { inputs: read("inputs")?, outputs: read("outputs")? })
    }

    /// Returns the input and the output of each place, if the labels are places: each occurs once on either
    /// side.
    pub fn pairs(&self) -> Checked<Vec<(usize, usize)>> {
        let place = |labels: &[u32], k: usize| {
            let mut found = labels.iter().enumerate().filter(|(_, label)| **label as usize == k);
            found.next().map(|(i, _)| i).filter(|_| found.next().is_none())
        };
        let pair = |k: usize| Some((place(&self.inputs, k)?, place(&self.outputs, k)?));
        let pairs = (0..self.inputs.len()).map(pair).collect::<Option<Vec<_>>>();
        pairs.ok_or_else(|| Rejection::new("the labels are not a permutation: one occurs twice"))
    }
}

/// Returns whether a scalar can jump when the scalars selected by `moves` change: by an undecided sign or
/// comparison, or by a select with such a condition.
pub(super) fn jumps(scalars: &Scalars, ranges: &mut Ranges, root: Id, moves: impl Fn(Id) -> bool) -> bool {
    scalars.order(&[root], |id| !moves(id)).into_iter().any(|id| match scalars.get(id) {
        Scalar::Apply(Function::Sign, operands) => !ranges.of(scalars, operands[0]).interval.excludes_zero(),
        Scalar::Apply(Function::Less | Function::LessEq, operands) => {
            let (a, b) = (ranges.of(scalars, operands[0]), ranges.of(scalars, operands[1]));
            !a.interval.is_apart_from(&b.interval)
        }
        Scalar::Apply(Function::Select, operands) => {
            let condition = operands[0];
            let comparison =
                matches!(scalars.get(condition), Scalar::Apply(Function::Less | Function::LessEq, _));
            moves(condition) && !comparison
        }
        // Matrix functions and equations are not analysed.
        Scalar::Solve(..)
        | Scalar::Inverse(..)
        | Scalar::MatrixExp(..)
        | Scalar::LogAbsDet(_)
        | Scalar::Root { .. } => true,
        _ => false,
    })
}

/// Returns whether the derivative of a scalar may not exist: where it jumps, or has a kink.
pub(super) fn kinks(scalars: &Scalars, ranges: &mut Ranges, root: Id) -> bool {
    let mut apart = |a: Id, b: Id| {
        let (a, b) = (ranges.of(scalars, a), ranges.of(scalars, b));
        a.interval.is_apart_from(&b.interval)
    };
    let kink = scalars.order(&[root], |_| false).into_iter().any(|id| match scalars.get(id) {
        Scalar::Apply(Function::Min | Function::Max, operands) => !apart(operands[0], operands[1]),
        _ => false,
    });
    let edge = scalars.order(&[root], |_| false).into_iter().any(|id| match scalars.get(id) {
        Scalar::Apply(Function::Abs, operands) => !ranges.of(scalars, operands[0]).interval.excludes_zero(),
        _ => false,
    });
    kink || edge || jumps(scalars, ranges, root, |_| true)
}

/// Returns f over its domain, with as many outputs as inputs.
pub(super) fn forward(certificate: &Certificate) -> Checked<Map> {
    let map = Map::new(certificate.program("forward")?, &certificate.domain)?;
    match map.outputs.len() == map.inputs.len() {
        true => Ok(map),
        false => reject(format!("{} inputs, but {} outputs", map.inputs.len(), map.outputs.len())),
    }
}

pub(super) fn interval(side: &Side) -> Interval {
    Interval::new(side.low, side.high)
}

/// Narrows the ranges of what has to have a sign (operands of logarithms, roots and powers, and denominators), where
/// intervals do not show it, by the signs of the terms of normal forms.
///
/// A normal form is the value wherever everything in a formula is defined, so only operands that ranges show to be
/// defined are asked.
pub(super) fn sharpen(scalars: &mut Scalars, ranges: &mut Ranges, roots: &[Id]) {
    let mut forms: Option<Forms> = None;
    let mut asked = 0;
    for id in scalars.order(roots, |_| false) {
        let Scalar::Apply(function, operands) = scalars.get(id) else { continue };
        let (operand, from) = match function {
            Function::Ln | Function::Sqrt | Function::Pow | Function::Recip => (operands[0], 0.0),
            Function::Div => (operands[1], 0.0),
            Function::Ln1p => (operands[0], -1.0),
            _ => continue,
        };
        let range = ranges.of(scalars, operand);
        let shown = range.interval.sub(&Interval::of(from)).excludes_zero();
        if !range.defined || shown || asked == MOST_ASKED {
            continue;
        }
        asked += 1;
        let target = match from == 0.0 {
            true => operand,
            false => {
                let one = scalars.number(1.0);
                scalars.apply(Function::Add, &[one, operand])
            }
        };
        let forms_now = forms.get_or_insert_with(|| Forms::new(ranges.clone(), Vec::new()));
        let sign = forms_now.of(scalars, target).ok().and_then(|form| forms_now.sign_opened(&form));
        let beside = match sign {
            Some(1) => Interval::between(from, f64::INFINITY),
            Some(-1) => Interval::between(f64::NEG_INFINITY, from),
            _ => continue,
        };
        ranges.narrow(operand, beside);
        forms = None;
    }
}
