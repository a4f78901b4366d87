//! Bottlenecks: few elements of f that, held fixed, leave it diagonal, or through which all of z goes.
//!
//! The certificate names the elements C by node and place. Written out, each is a scalar; what depends on the inputs only
//! through these scalars does not depend on the inputs while they are held fixed. Equal elements are one scalar, so that no
//! more than the named functions of z are held fixed.
//!
//! *Determinant.* With T = ∂x/∂z, U = ∂x/∂C, A = ∂C/∂z, each at fixed (other) C, and L = ∂C/∂C, strictly triangular because
//! operands come before what uses them, det J = det T·det(1 - L + A·T⁻¹·U), up to the sign of the order. If all of T is one
//! scalar t, det J = t^(d-k)·det(t·(1 - L) + A·U). The small determinant is written out, and each factor is shown to have one
//! sign.
//!
//! *One-to-one and onto*, for one element c = G(z). Let x = F(z, c), each xₒ a function of its own variable and of c. For
//! every c between the ends of the range of G, which are numbers: F is smooth, and its slope T has one sign and is bounded
//! away from 0 or does not depend on the variable, so that xₒ = Fₒ(zᵢ, c) has one solution z(c), which is smooth. f(z) = x
//! if and only if z = z(c) and H(c) = c - G(z(c)) = 0. As G lies between the ends, H is not positive at the lower end and
//! not negative at the upper one, so that it has a zero. Its slope is 1 + A·T⁻¹·U, which at a zero, where c = G(z), is det J /
//! det T: positive at every zero, so that there is one zero only.

use std::collections::HashMap;

use rustc_hash::{FxHashMap, FxHashSet};

use super::cases::{sign_by_cases, split};
use super::determinant::written_out;
use super::interval::Interval;
use super::map::{Labels, Map, NONE, forward};
use super::rejection::{Checked, Rejection, reject};
use super::scalar::{Function, Id, Scalar};
use super::slope::slope;
use super::text::{Certificate, Side};
use super::triangular::parity;

/// Checks that with at most `rank` elements held fixed, each output depends at most on the input of its label: J is then a
/// diagonal matrix, in this order, and one of that rank.
pub(super) fn structure(certificate: &Certificate, rank: &str) -> Checked<()> {
    let most: usize = rank.parse().map_err(|_| Rejection::new("the rank is not a number"))?;
    let Bottleneck { fixed, .. } = Bottleneck::read(certificate)?;
    if fixed.len() > most {
        return reject(format!("{} elements are held fixed, and the rank is {most}", fixed.len()));
    }
    Ok(())
}

/// A map with elements that, held fixed, leave it diagonal.
struct Bottleneck {
    map: Map,
    /// The elements, operands before what uses them.
    fixed: Vec<Id>,
    /// The input and the output of each place.
    pairs: Vec<(usize, usize)>,
}

impl Bottleneck {
    fn read(certificate: &Certificate) -> Checked<Bottleneck> {
        let labels = Labels::read(certificate, certificate.domain.len())?;
        let pairs = labels.pairs()?;
        let mut map = forward(certificate)?;
        let fixed = named(certificate, &mut map)?;
        diagonal(&map, &labels, &fixed)?;
        let mut fixed: Vec<Id> = fixed.into_iter().collect();
        fixed.sort_unstable();
        Ok(Bottleneck { map, fixed, pairs })
    }

    /// The slopes T of the outputs in their own variables at fixed C, by place.
    ///
    /// An output that is held fixed has the slope 0, and an input that is held fixed is no variable: neither is expected.
    fn slopes(&mut self) -> Checked<Vec<Id>> {
        let mut slopes = Vec::new();
        let ends = self.map.inputs.iter().chain(&self.map.outputs);
        if ends.into_iter().any(|id| self.fixed.binary_search(id).is_ok()) {
            return reject("an input or an output is held fixed");
        }
        for (i, o) in self.pairs.clone() {
            let (output, input) = (self.map.outputs[o], self.map.inputs[i]);
            match self.partial(output, input)? {
                Some(slope) => slopes.push(slope),
                None => {
                    return reject(format!("output {o} does not depend on its own input at fixed elements"));
                }
            }
        }
        Ok(slopes)
    }

    /// ∂root/∂by with all elements of C held fixed but these two.
    fn partial(&mut self, root: Id, by: Id) -> Checked<Option<Id>> {
        let fixed = &self.fixed;
        slope(&mut self.map.scalars, root, by, |id| id != root && fixed.binary_search(&id).is_ok())
    }

    /// The small determinant: det(1 - L + A·T⁻¹·U), or with t for a T that is one scalar, det(t·(1 - L) + A·U).
    fn small(&mut self, slopes: &[Id], single: bool) -> Checked<Id> {
        let k = self.fixed.len();
        if k > MOST_WRITTEN_OUT {
            return reject(format!("a determinant of {k} rows is not written out"));
        }
        let (fixed, pairs) = (self.fixed.clone(), self.pairs.clone());
        let mut elements = Vec::new();
        for (l, row) in fixed.iter().enumerate() {
            for (m, column) in fixed.iter().enumerate() {
                let mut terms = Vec::new();
                let own = if l == m { Some(self.map.scalars.number(1.0)) } else { None };
                let within = if l == m { None } else { self.partial(*row, *column)? };
                let minus = within.map(|slope| self.map.scalars.apply(Function::Neg, &[slope]));
                for term in own.into_iter().chain(minus) {
                    terms.push(match single {
                        true => self.map.scalars.apply(Function::Mul, &[slopes[0], term]),
                        false => term,
                    });
                }
                for (place, (i, o)) in pairs.iter().enumerate() {
                    let (input, output) = (self.map.inputs[*i], self.map.outputs[*o]);
                    let (Some(a), Some(u)) = (self.partial(*row, input)?, self.partial(output, *column)?)
                    else {
                        continue;
                    };
                    let scalars = &mut self.map.scalars;
                    let product = scalars.apply(Function::Mul, &[a, u]);
                    terms.push(match single {
                        true => product,
                        false => scalars.apply(Function::Div, &[product, slopes[place]]),
                    });
                }
                elements.push(match terms.as_slice() {
                    [] => self.map.scalars.number(0.0),
                    [one] => *one,
                    _ => self.map.scalars.push(Scalar::Sum(terms)),
                });
            }
        }
        Ok(written_out(&mut self.map.scalars, &elements, k))
    }

    /// The sign of det J, for all inputs and parameters; also that of the small determinant.
    fn sign(&mut self, certificate: &Certificate) -> Checked<(i32, i32)> {
        let slopes = self.slopes()?;
        let single = slopes.iter().all(|slope| *slope == slopes[0]) && slopes.len() >= self.fixed.len();
        let small = self.small(&slopes, single)?;
        let mut hints = Vec::new();
        for name in ["slopes", "powers"] {
            if let Some(program) = certificate.programs.get(name) {
                hints.push(self.map.scalars.results(program, std::slice::from_ref(&self.map.inputs))?);
            }
        }
        let hint = |place: usize| -> Vec<Id> {
            hints.iter().filter_map(|hints| hints.get(place).copied()).collect()
        };
        let of_small = sign_by_cases(&mut self.map, small, &hint(slopes.len()))?;
        let (mut product, mut signs) = (of_small, Vec::new());
        for (place, slope) in slopes.iter().enumerate() {
            let sign = match single && place > 0 {
                true => signs[0],
                false => sign_by_cases(&mut self.map, *slope, &hint(place))?,
            };
            signs.push(sign);
            // Of t only d - k factors are outside of the small determinant.
            if !single || place >= self.fixed.len() {
                product *= sign;
            }
        }
        // det(t·(1 - L) + A·U) = t^k·det(1 - L + A·T⁻¹·U)
        let of_zero = match single && self.fixed.len() % 2 == 1 {
            true => of_small * signs[0],
            false => of_small,
        };
        Ok((product * parity(self.pairs.iter().copied()), of_zero))
    }
}

/// A small determinant of so many rows is written out.
const MOST_WRITTEN_OUT: usize = 4;

/// Checks the sign of det J.
pub(super) fn determinant(certificate: &Certificate, expected: &str) -> Checked<()> {
    let mut bottleneck = Bottleneck::read(certificate)?;
    let (sign, _) = bottleneck.sign(certificate)?;
    match (sign, expected) {
        (1, "positive") | (-1, "negative") => Ok(()),
        _ => reject("the determinant has another sign"),
    }
}

/// Checks that det J is not 0, whatever its sign; returns the map, and its inputs and outputs by place.
pub(super) fn nonsingular(certificate: &Certificate) -> Checked<(Map, Vec<(usize, usize)>)> {
    let mut bottleneck = Bottleneck::read(certificate)?;
    bottleneck.sign(certificate)?;
    Ok((bottleneck.map, bottleneck.pairs))
}

/// Checks that f maps all of ℝᵈ one-to-one onto ℝᵈ, by one element.
pub(super) fn bijection(certificate: &Certificate) -> Checked<()> {
    let whole = |side: &Side| side.low.0 == f64::NEG_INFINITY && side.high.0 == f64::INFINITY;
    if !certificate.domain.iter().chain(&certificate.codomain).all(whole) {
        return reject("by a bottleneck a map is onto only from all numbers to all numbers");
    }
    let mut bottleneck = Bottleneck::read(certificate)?;
    let &[c] = bottleneck.fixed.as_slice() else {
        return reject("more than one element is held fixed");
    };
    let (_, small) = bottleneck.sign(certificate)?;
    if small <= 0 {
        return reject("the equation for the element that is held fixed does not increase");
    }
    let Bottleneck { mut map, pairs, .. } = bottleneck;
    // Whether something is divided by may be a choice, by the parameters: then each case is looked at.
    let roots: Vec<Id> = [c].into_iter().chain(map.outputs.iter().copied()).collect();
    let mut parts = split(&mut map, &roots, |scalars, s| {
        !scalars.order(&[s], |_| false).iter().any(|id| matches!(scalars.get(*id), Scalar::Input(_)))
    })?;
    parts.iter_mut().try_for_each(|case| in_case(&mut case.map, &case.roots, &pairs))
}

/// Checks one case, in which the roots are c and the outputs.
fn in_case(map: &mut Map, roots: &[Id], pairs: &[(usize, usize)]) -> Checked<()> {
    let (c, outputs) = (roots[0], roots[1..].to_vec());
    let range = map.ranges.of(&map.scalars, c);
    let Some(between) = range.interval.closure().filter(|_| range.defined) else {
        return reject("the element that is held fixed cannot be shown to be bounded by numbers");
    };
    let inputs: FxHashSet<Id> = map.inputs.iter().copied().collect();
    smooth(map, c, |id| inputs.contains(&id))?;
    // c as a number of its own, between the ends.
    let letter = map.scalars.letter();
    map.ranges.give(letter, between);
    let by = HashMap::from([(c, letter)]);
    for (i, o) in pairs {
        let output = map.scalars.replaced(outputs[*o], &by);
        if !map.ranges.of(&map.scalars, output).defined {
            return reject(format!("output {o} cannot be shown to be defined everywhere"));
        }
        let input = map.inputs[*i];
        smooth(map, output, |id| id == input || id == letter)?;
        let Some(found) = slope(&mut map.scalars, output, input, |_| false)? else {
            return reject(format!("output {o} does not depend on its own input"));
        };
        sign_by_cases(map, found, &[])?;
        let moves = map.scalars.order(&[found], |_| false).contains(&input);
        let range = map.ranges.of(&map.scalars, found).interval;
        let wider = Interval::closed(-f64::MIN_POSITIVE, f64::MIN_POSITIVE);
        if moves && !range.is_apart_from(&wider) {
            return reject(format!("the slope of output {o} may come near 0 far out"));
        }
    }
    Ok(())
}

/// Checks that a scalar is a smooth function of what `moves`: made of functions that are, where they are defined.
pub(super) fn smooth(map: &mut Map, root: Id, moves: impl Fn(Id) -> bool) -> Checked<()> {
    use Function as F;
    let mut moving: FxHashSet<Id> = FxHashSet::default();
    for id in map.scalars.order(&[root], |_| false) {
        let scalar = map.scalars.get(id).clone();
        let operands = scalar.operands();
        if moves(id) {
            moving.insert(id);
            continue;
        }
        if !operands.iter().any(|operand| moving.contains(operand)) {
            continue;
        }
        moving.insert(id);
        let is_smooth = match &scalar {
            Scalar::Sum(_) => true,
            Scalar::Apply(function, operands) => match function {
                F::Neg | F::Add | F::Sub | F::Mul | F::Div | F::Recip => true,
                F::Exp | F::ExpM1 | F::Tanh | F::Sech2 | F::Sigmoid | F::Softplus => true,
                F::Sin | F::Cos | F::Sinh | F::Cosh | F::Asinh | F::Erf | F::AtanPi | F::NormalCdf => true,
                F::Powi(_) | F::LogAddExp => true,
                F::Ln | F::Sqrt => map.ranges.of(&map.scalars, operands[0]).interval.is_positive(),
                _ => false,
            },
            _ => false,
        };
        if !is_smooth {
            return reject("a function that is not smooth, or is not known to be");
        }
    }
    Ok(())
}

/// Checks that each output depends on the input of its label alone while some scalars are held fixed.
fn diagonal(map: &Map, labels: &Labels, fixed: &FxHashSet<Id>) -> Checked<()> {
    // For each scalar, the label of the inputs it depends on, or too many of them.
    const SEVERAL: u32 = NONE - 1;
    let mut label: FxHashMap<Id, u32> = FxHashMap::default();
    for id in map.scalars.order(&map.outputs, |id| fixed.contains(&id)) {
        let own = match map.scalars.get(id) {
            Scalar::Input(i) => labels.inputs.get(*i).copied().unwrap_or(SEVERAL),
            scalar => scalar.operands().iter().fold(NONE, |known, operand| {
                match (known, label.get(operand).copied().unwrap_or(NONE)) {
                    (NONE, other) | (other, NONE) => other,
                    (a, b) if a == b => a,
                    _ => SEVERAL,
                }
            }),
        };
        label.insert(id, own);
    }
    for (o, (id, own)) in map.outputs.iter().zip(&labels.outputs).enumerate() {
        let found = label.get(id).copied().unwrap_or(NONE);
        if found != NONE && found != *own {
            return reject(format!(
                "output {o} depends on an input other than its own while the named elements are held fixed"
            ));
        }
    }
    Ok(())
}

/// Checks that the outputs depend on the inputs only through the named elements, which are fewer than the variables: J is a
/// product of two matrices with fewer columns and rows than variables, so that det J is 0 everywhere.
pub(super) fn waist(certificate: &Certificate) -> Checked<()> {
    let mut map = forward(certificate)?;
    let waist = named(certificate, &mut map)?;
    if waist.len() >= map.outputs.len() {
        return reject(format!("{} elements, and {} variables", waist.len(), map.outputs.len()));
    }
    let (mut stack, mut seen) = (map.outputs.clone(), FxHashSet::default());
    while let Some(id) = stack.pop() {
        if waist.contains(&id) || !seen.insert(id) {
            continue;
        }
        match map.scalars.get(id) {
            Scalar::Input(_) => return reject("an output depends on an input beside the named elements"),
            // Conditions and functions that jump do not contribute to a derivative.
            Scalar::Apply(Function::Sign | Function::Less | Function::LessEq, _) => {}
            Scalar::Apply(Function::Select, operands) => stack.extend(&operands[1..]),
            scalar => stack.extend_from_slice(&scalar.operands()),
        }
    }
    Ok(())
}

/// The scalars of the elements that the certificate names, each as a node and a place in it.
fn named(certificate: &Certificate, map: &mut Map) -> Checked<FxHashSet<Id>> {
    let program = certificate.program("forward")?.clone();
    let elements = map.scalars.elements(&program, std::slice::from_ref(&map.inputs))?;
    let numbers = certificate.point("elements")?;
    let index = |number: &f64| {
        let index = *number as usize;
        (index as f64 == *number).then_some(index)
    };
    let mut found = FxHashSet::default();
    for pair in numbers.chunks(2) {
        let [node, place] = pair else { return reject("an element is a node and a place in it") };
        let element = index(node).zip(index(place)).and_then(|(node, place)| elements.get(node)?.get(place));
        match element {
            Some(id) => found.insert(*id),
            None => return reject("there is no such element"),
        };
    }
    Ok(found)
}
