//! Flows: the solutions of dz/dt = v(z, t) from one time to another map ℝᵈ one-to-one onto ℝᵈ (Picard and Lindelöf).
//!
//! That is so if, for each value of the parameters, v is defined and continuous for all z in ℝᵈ and all t between the times,
//! and |v(z, t) - v(z′, t)| ≤ L·|z - z′| with an L that is the same for all of these. The scalars of v are read one by one;
//! it is asked of each whether it is *Lipschitz* in z in this sense, and whether it is *bounded*. L itself is not
//! computed: it may be any number that depends on the parameters.

use rustc_hash::FxHashMap;

use super::interval::Interval;
use super::map::{Map, jumps};
use super::rejection::{Checked, reject};
use super::scalar::{Function as F, Id, Scalar};
use super::text::{Certificate, Side};

/// What is known of a scalar, for each value of the parameters.
#[derive(Clone, Copy)]
struct Growth {
    /// Whether it depends on z.
    moves: bool,
    /// Whether one constant bounds its difference quotients in z, for all z and t.
    lipschitz: bool,
    /// Whether one number bounds it, for all z and t.
    bounded: bool,
}

/// Checks that the flow of the program `velocity` of z and t exists between two times for all of ℝᵈ and is a bijection of it.
pub(super) fn check(certificate: &Certificate) -> Checked<()> {
    let whole = |side: &Side| side.low.0 == f64::NEG_INFINITY && side.high.0 == f64::INFINITY;
    if !certificate.domain.iter().chain(&certificate.codomain).all(whole) {
        return reject("a flow is of all of ℝᵈ");
    }
    let d = certificate.domain.len();
    let &[from, to] = certificate.point("times")? else { return reject("a flow has two times") };
    if !(from.is_finite() && to.is_finite()) {
        return reject("the times are not finite");
    }
    let times = Side { low: (from.min(to), false), high: (from.max(to), false) };
    let sets: Vec<Side> = certificate.domain.iter().cloned().chain([times]).collect();
    let mut map = Map::new(certificate.program("velocity")?, &sets)?;
    if map.outputs.len() != d || certificate.codomain.len() != d {
        return reject(format!("{d} variables, but {} velocities", map.outputs.len()));
    }
    let outputs = map.outputs.clone();
    let order = map.scalars.order(&outputs, |_| false);
    let mut varies: FxHashMap<Id, bool> = FxHashMap::default();
    for id in &order {
        let scalar = map.scalars.get(*id);
        let own = matches!(scalar, Scalar::Input(_)) || scalar.operands().iter().any(|o| varies[o]);
        varies.insert(*id, own);
    }
    for (i, output) in outputs.iter().enumerate() {
        if !map.ranges.of(&map.scalars, *output).defined {
            return reject(format!("velocity {i} cannot be shown to be defined for all z and t"));
        }
        if jumps(&map.scalars, &mut map.ranges, *output, |id| varies[&id]) {
            return reject(format!("velocity {i} may jump"));
        }
    }
    let mut known: FxHashMap<Id, Growth> = FxHashMap::default();
    for id in order {
        let growth = growth(&mut map, id, &known, d);
        known.insert(id, growth);
    }
    match outputs.iter().position(|output| !known[output].lipschitz) {
        None => Ok(()),
        Some(i) => reject(format!("velocity {i} cannot be shown to be Lipschitz in z")),
    }
}

/// What is known of a scalar, from its operands. Everything is defined, and nothing jumps.
fn growth(map: &mut Map, id: Id, known: &FxHashMap<Id, Growth>, d: usize) -> Growth {
    let scalar = map.scalars.get(id).clone();
    let moves = matches!(scalar, Scalar::Input(i) if i < d)
        || scalar.operands().iter().any(|operand| known[operand].moves);
    if !moves {
        // Continuous in t between two times, which are a compact interval.
        return Growth { moves, lipschitz: true, bounded: true };
    }
    let within = |map: &mut Map, id: Id| map.ranges.of(&map.scalars, id).interval;
    let in_interval = is_bounded(&within(map, id));
    let all = |operands: &[Id], ask: fn(&Growth) -> bool| operands.iter().all(|operand| ask(&known[operand]));
    let (lipschitz, bounded) = match scalar {
        Scalar::Input(_) => (true, false),
        Scalar::Sum(terms) => (all(&terms, |own| own.lipschitz), all(&terms, |own| own.bounded)),
        Scalar::Apply(function, operands) => {
            let lipschitz = all(&operands, |own| own.lipschitz);
            let bounded = all(&operands, |own| own.bounded);
            match (function, operands.as_slice()) {
                (F::Neg | F::Add | F::Sub | F::Abs | F::Min | F::Max | F::LogAddExp, _) => {
                    (lipschitz, bounded)
                }
                (F::Mul, [a, b]) => (lipschitz && product(&known[a], &known[b]), bounded),
                (F::Div, [a, b]) => {
                    let inverse = Growth { bounded: away_from_zero(map, *b, known), ..known[b] };
                    let sound = lipschitz && inverse.bounded && product(&known[a], &inverse);
                    (sound, known[a].bounded && inverse.bounded)
                }
                (F::Recip, [a]) => {
                    let away = away_from_zero(map, *a, known);
                    (lipschitz && away, away)
                }
                // Decided by intervals, or it would be a jump: a constant.
                (F::Sign | F::Less | F::LessEq, _) => (true, true),
                // The condition is the same for all z and t, or decided by intervals.
                (F::Select, [_, a, b]) => {
                    let branches = [known[a], known[b]];
                    (branches.iter().all(|own| own.lipschitz), branches.iter().all(|own| own.bounded))
                }
                (_, [a]) => {
                    let around = within(map, *a);
                    let gentle = map.steepest(function, around).is_some();
                    let tame = known[a].bounded && is_smooth(function);
                    (known[a].lipschitz && (gentle || tame), tame)
                }
                _ => (false, false),
            }
        }
        _ => (false, false),
    };
    Growth { moves, lipschitz, bounded: bounded || in_interval }
}

/// Whether a·b is Lipschitz if a and b are: |ab - a′b′| ≤ |a|·|b - b′| + |b′|·|a - a′|, and a difference is 0 where nothing moves.
fn product(a: &Growth, b: &Growth) -> bool {
    (a.bounded || !b.moves) && (b.bounded || !a.moves)
}

/// Whether one number bounds 1/a for all z and t: also where a, which is never 0, does not depend on z.
fn away_from_zero(map: &mut Map, a: Id, known: &FxHashMap<Id, Growth>) -> bool {
    let around = map.ranges.of(&map.scalars, a).interval;
    !known[&a].moves || around.recip().is_some_and(|inverse| is_bounded(&inverse))
}

fn is_bounded(interval: &Interval) -> bool {
    !interval.abs().high.at.is_infinite()
}

/// Whether a function of one number is defined for all numbers and has a continuous derivative: then it is bounded and has
/// bounded slopes wherever its operand is bounded.
fn is_smooth(function: F) -> bool {
    match function {
        F::Exp | F::ExpM1 | F::Tanh | F::Sech2 | F::Sigmoid | F::Softplus | F::Sin | F::Cos => true,
        F::Erf | F::Sinh | F::Cosh | F::Asinh | F::AsinhSlope | F::AtanPi | F::NormalCdf => true,
        F::LnNormalCdf => true,
        F::Powi(n) => n >= 0,
        _ => false,
    }
}
