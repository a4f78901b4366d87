//! Maps of ℝᵈ that stay near the identity: f = ±z + g(z) with a g that is bounded for each value of the parameters.
//!
//! *Hadamard's theorem.* A continuously differentiable f: ℝᵈ → ℝᵈ with det J ≠ 0 everywhere and |f(z)| → ∞ as |z| → ∞ is one-to-one
//! and onto (Gordon, "On the Diffeomorphisms of Euclidean Space", 1972). As g is bounded, |f(z)| ≥ |z| - |g(z)| → ∞.
//!
//! *Norms.* f may be made of one norm r = |u(z)|, which has a kink where u = 0. Let f(z) = F(z, r(z)) with smooth F and u. r is
//! continuous, its slope is bounded near each point, and where u ≠ 0 it is smooth. If ∂F/∂r = 0 wherever u = 0 and r = 0, the
//! term ∂F/∂r·∇r of J tends to 0 there, and f(z + h) = F(z, 0) + ∂F/∂z·h + o(|h|), as r(z + h) = O(|h|): f is continuously
//! differentiable, with the J that the formula gives with 0 for the slope of r.

use std::collections::HashMap;

use rustc_hash::{FxHashMap, FxHashSet};

use super::bottleneck::{nonsingular, smooth};
use super::cases::squares;
use super::interval::Interval;
use super::map::Map;
use super::normal::Forms;
use super::rejection::{Checked, reject};
use super::scalar::{Function as F, Id, Scalar, Scalars};
use super::slope::slope;
use super::text::{Certificate, Side};

/// Checks that f maps all of ℝᵈ one-to-one onto ℝᵈ.
pub(super) fn bijection(certificate: &Certificate) -> Checked<()> {
    let whole = |side: &Side| side.low.0 == f64::NEG_INFINITY && side.high.0 == f64::INFINITY;
    if !certificate.domain.iter().chain(&certificate.codomain).all(whole) {
        return reject("a map near the identity is onto only from all numbers to all numbers");
    }
    let (mut map, pairs) = nonsingular(certificate)?;
    let norm = norm(&map)?;
    differentiable(&mut map, norm.as_ref())?;
    for (i, o) in pairs {
        let (input, output) = (map.inputs[i], map.outputs[o]);
        let mut found = 0;
        for term in terms(&map.scalars, output) {
            if term == input {
                found += 1;
            } else if growth(&mut map, term, norm.as_ref()).is_none_or(|power| power > 0) {
                return reject(format!("output {o} cannot be shown to stay near an input"));
            }
        }
        if found != 1 {
            return reject(format!("output {o} is no sum of an input and of something else"));
        }
    }
    Ok(())
}

/// A norm r = √s, 0 where s ≤ 0, of a sum s of squares of u.
struct Norm {
    r: Id,
    u: Vec<Id>,
}

/// The norm of which the outputs are made, if there is one.
fn norm(map: &Map) -> Checked<Option<Norm>> {
    let inputs: FxHashSet<Id> = map.inputs.iter().copied().collect();
    let mut found: Option<Norm> = None;
    for id in map.scalars.order(&map.outputs, |_| false) {
        let Some(u) = bases(&map.scalars, id) else { continue };
        if !map.scalars.order(&u, |_| false).iter().any(|id| inputs.contains(id)) {
            continue;
        }
        if found.is_some() {
            return reject("more than one norm");
        }
        found = Some(Norm { r: id, u });
    }
    Ok(found)
}

/// u, if a scalar is √s and 0 where s ≤ 0, for a sum s of squares of u.
fn bases(scalars: &Scalars, id: Id) -> Option<Vec<Id>> {
    let Scalar::Apply(F::Select, operands) = scalars.get(id) else { return None };
    let (Scalar::Apply(F::LessEq, sides), Scalar::Apply(F::Sqrt, under)) =
        (scalars.get(operands[0]), scalars.get(operands[2]))
    else {
        return None;
    };
    let zero = |id: Id| scalars.value(id) == Some(0.0);
    let is_norm = zero(operands[1]) && zero(sides[1]) && sides[0] == under[0];
    squares(scalars, under[0]).filter(|_| is_norm)
}

/// Checks that the outputs are continuously differentiable.
fn differentiable(map: &mut Map, norm: Option<&Norm>) -> Checked<()> {
    let inputs: FxHashSet<Id> = map.inputs.iter().copied().collect();
    let r = map.scalars.letter();
    map.ranges.give(r, Interval::closed(0.0, f64::INFINITY));
    let (mut by, mut at_zero) = (HashMap::new(), HashMap::new());
    if let Some(norm) = norm {
        for u in &norm.u {
            smooth(map, *u, |id| inputs.contains(&id))?;
        }
        let zero = map.scalars.number(0.0);
        by.insert(norm.r, r);
        at_zero.insert(r, zero);
        at_zero.extend(norm.u.iter().filter(|u| map.scalars.value(**u).is_none()).map(|u| (*u, zero)));
    }
    for o in 0..map.outputs.len() {
        let output = map.scalars.replaced(map.outputs[o], &by);
        if !map.ranges.of(&map.scalars, output).defined {
            return reject(format!("output {o} cannot be shown to be defined everywhere"));
        }
        smooth(map, output, |id| id == r || inputs.contains(&id))?;
        if norm.is_none() {
            continue;
        }
        let Some(found) = slope(&mut map.scalars, output, r, |_| false)? else { continue };
        let found = map.scalars.replaced(found, &at_zero);
        let defined = map.ranges.of(&map.scalars, found).defined;
        let mut forms = Forms::new(map.ranges.clone(), Vec::new());
        let zero = map.scalars.number(0.0);
        if !defined || !forms.equal(&mut map.scalars, found, zero)? {
            return reject(format!("output {o} may have a kink where a norm is 0"));
        }
    }
    Ok(())
}

/// The terms of a sum, without their signs.
fn terms(scalars: &Scalars, sum: Id) -> Vec<Id> {
    let (mut waiting, mut found) = (vec![sum], Vec::new());
    while let Some(id) = waiting.pop() {
        match scalars.get(id) {
            Scalar::Apply(F::Add | F::Sub | F::Neg, operands) => waiting.extend(operands),
            Scalar::Sum(operands) => waiting.extend(operands),
            _ => found.push(id),
        }
    }
    found
}

/// A power p such that |v(z)| ≤ C·(1 + r)ᵖ for all z, with a C that depends on the parameters alone; 0 for what is bounded. Without
/// a norm r is 0.
fn growth(map: &mut Map, root: Id, norm: Option<&Norm>) -> Option<i32> {
    let mut known: FxHashMap<Id, Option<i32>> = FxHashMap::default();
    let inputs: FxHashSet<Id> = map.inputs.iter().copied().collect();
    let mut moving: FxHashSet<Id> = FxHashSet::default();
    for id in map.scalars.order(&[root], |_| false) {
        let scalar = map.scalars.get(id).clone();
        let operands = scalar.operands();
        let moves = inputs.contains(&id) || operands.iter().any(|operand| moving.contains(operand));
        if moves {
            moving.insert(id);
        }
        // |uⱼ| ≤ r
        let is_along = norm.is_some_and(|norm| norm.r == id || norm.u.contains(&id));
        let of = |k: usize| known[&operands[k]];
        let power = match &scalar {
            _ if !moves => Some(0),
            _ if is_along => Some(1),
            Scalar::Sum(operands) => {
                operands.iter().map(|id| known[id]).try_fold(i32::MIN, |most, next| Some(most.max(next?)))
            }
            Scalar::Apply(function, _) => match function {
                F::Neg | F::Abs => of(0),
                F::Add | F::Sub | F::Min | F::Max => of(0).zip(of(1)).map(|(a, b)| a.max(b)),
                F::Select => of(1).zip(of(2)).map(|(a, b)| a.max(b)),
                F::Mul => of(0).zip(of(1)).and_then(|(a, b): (i32, i32)| a.checked_add(b)),
                F::Div => of(0)
                    .zip(inverse(map, operands[1], norm, &moving))
                    .and_then(|(a, b): (i32, i32)| a.checked_add(b)),
                F::Recip => inverse(map, operands[0], norm, &moving),
                F::Powi(n) if *n > 0 => of(0).and_then(|power| power.checked_mul(*n)),
                // ln(1 + eᵗ) ≤ |t| + ln 2
                F::Softplus => of(0).map(|power| power.max(0)),
                F::Tanh | F::Sigmoid | F::Sin | F::Cos | F::Sech2 | F::Erf | F::AtanPi | F::NormalCdf => {
                    Some(0)
                }
                _ => None,
            },
            _ => None,
        };
        let power = power.or_else(|| map.ranges.of(&map.scalars, id).interval.closure().map(|_| 0));
        known.insert(id, power);
    }
    known[&root]
}

/// The growth of 1/b: -1 for b = c + r with a positive c that does not depend on z, 0 for what does not depend on z or stays away
/// from 0.
fn inverse(map: &mut Map, b: Id, norm: Option<&Norm>, moving: &FxHashSet<Id>) -> Option<i32> {
    if !moving.contains(&b) {
        return Some(0);
    }
    let interval = map.ranges.of(&map.scalars, b).interval;
    let near_zero = Interval::closed(-f64::MIN_POSITIVE, f64::MIN_POSITIVE);
    if let (Scalar::Apply(F::Add, pair), Some(norm)) = (map.scalars.get(b).clone(), norm)
        && let Some(k) = pair.iter().position(|id| *id == norm.r)
    {
        let rest = pair[1 - k];
        let positive = map.ranges.of(&map.scalars, rest).interval.is_positive();
        return (positive && !moving.contains(&rest)).then_some(-1);
    }
    interval.is_apart_from(&near_zero).then_some(0)
}
