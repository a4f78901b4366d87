//! Limits of a scalar as an input tends to an end of its interval, with everything else fixed.
//!
//! A limit is ±∞, a number (with the side of approach, if known), a scalar that does not depend on the input, or only that
//! the value stays bounded. Sums and products of limits follow the theorems of calculus; cases that these do not cover
//! (∞ - ∞, 0·∞) are unknown. A continuous function of what tends to scalars tends to its value there, if it is defined
//! there; if the normal form of that value is a number, the limit is this number.

use std::collections::HashMap;

use dashu_ratio::RBig;

use super::interval::Interval;
use super::normal::Forms;
use super::range::Ranges;
use super::scalar::{Function as F, Id, Scalar, Scalars};

/// The side from which a limit is approached.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) enum From {
    Above,
    Below,
    Anywhere,
    /// The value is constant and equal to the limit.
    Exact,
}

#[derive(Clone, Debug, PartialEq)]
pub(super) enum Limit {
    /// It does not depend on the input.
    Fixed,
    Up,
    Down,
    To(RBig, From),
    /// It tends to the value of a scalar that does not depend on the input.
    Tends(Id),
    /// It stays between two numbers.
    Bounded,
    Unknown,
}

use Limit::{Bounded, Down, Fixed, Tends, To, Unknown, Up};

/// Returns the limit of `root` as `input` has the limit `start`.
pub(super) fn limit(
    scalars: &mut Scalars,
    ranges: &mut Ranges,
    root: Id,
    input: Id,
    start: Limit,
    independent: impl Fn(Id) -> bool,
) -> Limit {
    let mut known: HashMap<Id, Limit> = HashMap::new();
    for id in scalars.order(&[root], |id| id != input && independent(id)) {
        let found = match id == input {
            true => start.clone(),
            false => scalar_limit(scalars, ranges, id, &known),
        };
        known.insert(id, found);
    }
    known.remove(&root).unwrap_or(Fixed)
}

fn scalar_limit(scalars: &mut Scalars, ranges: &mut Ranges, id: Id, known: &HashMap<Id, Limit>) -> Limit {
    let scalar = scalars.get(id).clone();
    let operands = scalar.operands();
    // A constant is its own limit; for other fixed scalars only the range is known.
    let of = |id: &Id| match scalars.value(*id) {
        Some(value) => RBig::try_from(value).map_or(Unknown, |value| To(value, From::Exact)),
        None => known.get(id).cloned().unwrap_or(Fixed),
    };
    let limits: Vec<Limit> = operands.iter().map(of).collect();
    let fixed = |limit: &Limit, id: &Id| *limit == Fixed || scalars.value(*id).is_some();
    if limits.iter().zip(operands.iter()).all(|(limit, id)| fixed(limit, id)) {
        return Fixed;
    }
    let found = match &scalar {
        Scalar::Sum(_) => limits.iter().cloned().reduce(|a, b| sum(&a, &b)).unwrap_or(Fixed),
        Scalar::Apply(function, operands) => apply(scalars, ranges, *function, operands, &limits),
        _ => Unknown,
    };
    match found {
        Bounded | Unknown => settled(scalars, ranges, id, &limits).unwrap_or(found),
        found => found,
    }
}

/// The limit of a continuous function whose operands all tend to scalars that do not depend on the input.
fn settled(scalars: &mut Scalars, ranges: &mut Ranges, id: Id, limits: &[Limit]) -> Option<Limit> {
    let scalar = scalars.get(id).clone();
    let mut ends = Vec::new();
    for (limit, operand) in limits.iter().zip(scalar.operands().iter()) {
        ends.push(match limit {
            Fixed => *operand,
            Tends(id) => *id,
            To(value, _) => {
                let number = value.to_f64().value();
                if RBig::try_from(number).ok().as_ref() != Some(value) {
                    return None;
                }
                scalars.number(number)
            }
            _ => return None,
        });
    }
    let value = match &scalar {
        Scalar::Sum(_) => scalars.push(Scalar::Sum(ends)),
        Scalar::Apply(F::Sign | F::Less | F::LessEq | F::Select, _) => return None,
        Scalar::Apply(function, _) => scalars.apply(*function, &ends),
        _ => return None,
    };
    if !ranges.of(scalars, value).defined {
        return None;
    }
    let form = Forms::new(ranges.clone(), Vec::new()).of(scalars, value).ok();
    let Some(number) = form.and_then(|form| form.as_number()) else { return Some(Tends(value)) };
    // The side from which it comes is that on which it lies.
    let end = number.to_f64().value();
    let exact = RBig::try_from(end).ok().as_ref() == Some(&number);
    let beside = ranges.of(scalars, id).interval.sub(&Interval::of(if exact { end } else { 0.0 }));
    let side = match (exact, beside.is_positive(), beside.is_negative()) {
        (true, true, _) => From::Above,
        (true, _, true) => From::Below,
        _ => From::Anywhere,
    };
    Some(To(number, side))
}

fn apply(scalars: &Scalars, ranges: &mut Ranges, function: F, operands: &[Id], limits: &[Limit]) -> Limit {
    let a = &limits[0];
    let zero = || RBig::ZERO;
    let one = || RBig::ONE;
    let half = || RBig::from_parts(1.into(), 2u8.into());
    match function {
        F::Neg => negated(a),
        F::Add => sum(a, &limits[1]),
        F::Sub => sum(a, &negated(&limits[1])),
        F::Mul => product(scalars, ranges, (a, operands[0]), (&limits[1], operands[1])),
        F::Recip => reciprocal(a),
        F::Div => match &limits[1] {
            Fixed => product(scalars, ranges, (a, operands[0]), (&Fixed, operands[1])),
            under => {
                let inverse = reciprocal(under);
                match (&inverse, a) {
                    (_, To(value, _)) if value.is_zero() && matches!(inverse, To(..)) => {
                        To(zero(), From::Anywhere)
                    }
                    (To(value, _), Fixed | Bounded | Tends(_)) if value.is_zero() => {
                        To(zero(), From::Anywhere)
                    }
                    _ => product(scalars, ranges, (a, operands[0]), (&inverse, operands[0])),
                }
            }
        },
        F::Exp => match a {
            Up => Up,
            Down => To(zero(), From::Above),
            To(value, side) if value.is_zero() => To(one(), *side),
            To(..) | Tends(_) | Bounded => Bounded,
            _ => Unknown,
        },
        F::ExpM1 => match a {
            Up => Up,
            Down => To(-one(), From::Above),
            To(value, side) if value.is_zero() => To(zero(), *side),
            To(..) | Tends(_) | Bounded => Bounded,
            _ => Unknown,
        },
        F::Ln => match a {
            Up => Up,
            // A logarithm is defined above 0 only.
            To(value, _) if value.is_zero() => Down,
            To(value, side) if value.is_one() => To(zero(), *side),
            To(value, _) if *value > zero() => Bounded,
            _ => Unknown,
        },
        F::Ln1p => match a {
            Up => Up,
            To(value, _) if *value == -one() => Down,
            To(value, side) if value.is_zero() => To(zero(), *side),
            To(value, _) if *value > -one() => Bounded,
            _ => Unknown,
        },
        F::Tanh | F::Erf => match a {
            Up => To(one(), From::Below),
            Down => To(-one(), From::Above),
            To(value, side) if value.is_zero() => To(zero(), *side),
            _ => Bounded,
        },
        F::Sigmoid => match a {
            Up => To(one(), From::Below),
            Down => To(zero(), From::Above),
            _ => Bounded,
        },
        F::Softplus => match a {
            Up => Up,
            Down => To(zero(), From::Above),
            To(..) | Tends(_) | Bounded => Bounded,
            _ => Unknown,
        },
        F::Sech2 | F::AsinhSlope => match a {
            Up | Down => To(zero(), From::Above),
            _ => Bounded,
        },
        F::Sin | F::Cos | F::Sign | F::Less | F::LessEq => Bounded,
        F::Sinh | F::Asinh => match a {
            To(value, side) if value.is_zero() => To(zero(), *side),
            To(..) | Tends(_) => Bounded,
            other => other.clone(),
        },
        F::Cosh | F::Abs => match a {
            Up | Down => Up,
            To(..) | Tends(_) | Bounded => Bounded,
            _ => Unknown,
        },
        F::Sqrt => match a {
            Up => Up,
            To(value, _) if value.is_zero() => To(zero(), From::Above),
            To(value, side) if value.is_one() => To(one(), *side),
            To(..) | Tends(_) | Bounded => Bounded,
            _ => Unknown,
        },
        F::AtanPi => match a {
            Up => To(half(), From::Below),
            Down => To(-half(), From::Above),
            To(value, side) if value.is_zero() => To(zero(), *side),
            _ => Bounded,
        },
        F::TanPi => match a {
            To(value, _) if *value == half() => Up,
            To(value, _) if *value == -half() => Down,
            To(value, side) if value.is_zero() => To(zero(), *side),
            To(..) | Tends(_) => Bounded,
            _ => Unknown,
        },
        F::NormalCdf => match a {
            Up => To(one(), From::Below),
            Down => To(zero(), From::Above),
            _ => Bounded,
        },
        // It is defined between 0 and 1 only.
        F::NormalQuantile => match a {
            To(value, _) if value.is_zero() => Down,
            To(value, _) if value.is_one() => Up,
            To(value, side) if *value == half() => To(zero(), *side),
            To(..) | Tends(_) => Bounded,
            _ => Unknown,
        },
        F::LnNormalCdf => match a {
            Up => To(zero(), From::Below),
            Down => Down,
            To(..) | Tends(_) | Bounded => Bounded,
            _ => Unknown,
        },
        F::LnGamma if *a == Up => Up,
        F::Powi(n) if n > 0 => match a {
            Up => Up,
            Down if n % 2 == 0 => Up,
            Down => Down,
            To(value, side) if value.is_zero() || value.is_one() => {
                let side = match (n % 2, value.is_zero()) {
                    (0, true) => From::Above,
                    _ => *side,
                };
                To(value.clone(), side)
            }
            To(..) | Tends(_) | Bounded => Bounded,
            _ => Unknown,
        },
        F::Powi(n) if n < 0 => match a {
            Up => To(zero(), From::Above),
            To(value, From::Above) if value.is_zero() => Up,
            To(value, side) if value.is_one() => To(one(), opposite(*side)),
            _ => Unknown,
        },
        F::Pow => power(scalars, ranges, a, (&limits[1], operands[1])),
        // Between the larger one and that plus ln 2.
        F::LogAddExp => match (a, &limits[1]) {
            (Up, _) | (_, Up) => Up,
            (Down, Down) => Down,
            (To(value, side), Down) | (Down, To(value, side)) => To(
                value.clone(),
                together(if *side == From::Exact { From::Above } else { *side }, From::Above),
            ),
            (Unknown, _) | (_, Unknown) => Unknown,
            _ => Bounded,
        },
        F::Min | F::Max => match (a, &limits[1]) {
            (a, b) if a == b => a.clone(),
            (Fixed | Bounded | Tends(_) | To(..), Fixed | Bounded | Tends(_) | To(..)) => Bounded,
            (Up, _) | (_, Up) if function == F::Max => Up,
            (Down, _) | (_, Down) if function == F::Min => Down,
            _ => Unknown,
        },
        // If both branches have the same limit, it does not matter which is taken.
        F::Select => match (&limits[1], &limits[2]) {
            (a, b) if a == b && *a != Fixed => a.clone(),
            (Fixed | Bounded | Tends(_) | To(..), Fixed | Bounded | Tends(_) | To(..)) => Bounded,
            _ => Unknown,
        },
        F::LnGamma | F::Powi(_) | F::InverseMills(_) | F::Polygamma(_) => Unknown,
    }
}

fn opposite(side: From) -> From {
    match side {
        From::Above => From::Below,
        From::Below => From::Above,
        same => same,
    }
}

/// Returns the side from which a sum is approached.
fn together(a: From, b: From) -> From {
    match (a, b) {
        (From::Exact, side) | (side, From::Exact) => side,
        (a, b) if a == b => a,
        _ => From::Anywhere,
    }
}

fn negated(limit: &Limit) -> Limit {
    match limit {
        Up => Down,
        Down => Up,
        To(value, side) => To(-value.clone(), opposite(*side)),
        other => other.clone(),
    }
}

fn sum(a: &Limit, b: &Limit) -> Limit {
    match (a, b) {
        (To(x, side), To(y, other)) => To(x + y, together(*side, *other)),
        (Fixed | Bounded | Tends(_) | To(..), Fixed | Bounded | Tends(_) | To(..)) => Bounded,
        (Up, Up | Fixed | Bounded | Tends(_) | To(..)) | (Fixed | Bounded | Tends(_) | To(..), Up) => Up,
        (Down, Down | Fixed | Bounded | Tends(_) | To(..)) | (Fixed | Bounded | Tends(_) | To(..), Down) => {
            Down
        }
        _ => Unknown,
    }
}

fn reciprocal(a: &Limit) -> Limit {
    match a {
        Up => To(RBig::ZERO, From::Above),
        Down => To(RBig::ZERO, From::Below),
        To(value, From::Above) if value.is_zero() => Up,
        To(value, From::Below) if value.is_zero() => Down,
        To(value, _) if value.is_zero() => Unknown,
        To(value, side) => To(RBig::ONE / value.clone(), opposite(*side)),
        _ => Unknown,
    }
}

fn product(
    scalars: &Scalars,
    ranges: &mut Ranges,
    (a, a_id): (&Limit, Id),
    (b, b_id): (&Limit, Id),
) -> Limit {
    // The sign that a factor keeps near the end, away from 0.
    let mut sign = |limit: &Limit, id: Id| match limit {
        Up => 1,
        Down => -1,
        To(value, _) => i32::from(*value > RBig::ZERO) - i32::from(*value < RBig::ZERO),
        Fixed => {
            let interval = ranges.of(scalars, id).interval;
            i32::from(interval.is_positive()) - i32::from(interval.is_negative())
        }
        Tends(end) => {
            let interval = ranges.of(scalars, *end).interval;
            i32::from(interval.is_positive()) - i32::from(interval.is_negative())
        }
        Bounded | Unknown => 0,
    };
    match (a, b) {
        (To(x, side), To(y, other)) if !(x.is_zero() || y.is_zero()) => {
            let flip = |side: From, by: &RBig| if *by > RBig::ZERO { side } else { opposite(side) };
            let side = match (side, other) {
                (_, From::Exact) => flip(*side, y),
                (From::Exact, _) => flip(*other, x),
                _ => From::Anywhere,
            };
            To(x * y, side)
        }
        (To(x, side), other) | (other, To(x, side)) if x.is_zero() => match other {
            To(y, _) if *y > RBig::ZERO => To(RBig::ZERO, *side),
            To(y, _) if *y < RBig::ZERO => To(RBig::ZERO, opposite(*side)),
            Fixed => match sign(other, if matches!(a, Fixed) { a_id } else { b_id }) {
                1 => To(RBig::ZERO, *side),
                -1 => To(RBig::ZERO, opposite(*side)),
                _ => To(RBig::ZERO, From::Anywhere),
            },
            To(..) | Tends(_) | Bounded => To(RBig::ZERO, From::Anywhere),
            _ => Unknown,
        },
        (Fixed | Bounded | Tends(_) | To(..), Fixed | Bounded | Tends(_) | To(..)) => Bounded,
        _ => match sign(a, a_id) * sign(b, b_id) {
            1 => Up,
            -1 => Down,
            _ => Unknown,
        },
    }
}

/// aᵇ = e^(b ln a) for a fixed b.
fn power(scalars: &Scalars, ranges: &mut Ranges, a: &Limit, (b, b_id): (&Limit, Id)) -> Limit {
    if !(matches!(b, Fixed) || scalars.value(b_id).is_some()) {
        return Unknown;
    }
    let interval = ranges.of(scalars, b_id).interval;
    let (positive, negative) = (interval.is_positive(), interval.is_negative());
    match a {
        Up if positive => Up,
        Up if negative => To(RBig::ZERO, From::Above),
        To(value, _) if value.is_zero() && positive => To(RBig::ZERO, From::Above),
        To(value, _) if value.is_zero() && negative => Up,
        To(value, side) if value.is_one() && positive => To(RBig::ONE, *side),
        To(value, side) if value.is_one() && negative => To(RBig::ONE, opposite(*side)),
        To(value, _) if *value > RBig::ZERO => Bounded,
        _ => Unknown,
    }
}
