//! The derivative of a scalar with respect to an input or a letter, as scalars.
//!
//! Applies the chain rule with one partial derivative for each operation. Functions that jump (signs,
//! comparisons) have the derivative 0 between their jumps; the derivative of a select is that of the branch
//! taken. Where a derivative is used to prove monotonicity, `claim.rs` ensures that nothing jumps.

use std::collections::HashMap;

use super::rejection::Rejection;
use super::scalar::{Function as F, Id, Scalar, Scalars};

/// Returns ∂root/∂by; `None` where root does not depend on it.
pub(super) fn slope(
    scalars: &mut Scalars,
    root: Id,
    by: Id,
    independent: impl Fn(Id) -> bool,
) -> Result<Option<Id>, Rejection> {
    let mut known: HashMap<Id, Option<Id>> = HashMap::new();
    let one = scalars.number(1.0);
    // A scalar with a smaller number is older than `by` and cannot contain it.
    for id in scalars.order(&[root], |id| id < by || (id != by && independent(id))) {
        let found = if id == by { Some(one) } else { scalar_slope(scalars, id, &known)? };
        known.insert(id, found);
    }
    Ok(known.get(&root).copied().flatten())
}

fn scalar_slope(
    scalars: &mut Scalars,
    id: Id,
    known: &HashMap<Id, Option<Id>>,
) -> Result<Option<Id>, Rejection> {
    let of = |id: &Id| known.get(id).copied().flatten();
    match scalars.get(id).clone() {
        Scalar::Input(_) | Scalar::Letter(..) | Scalar::Parameter(..) => Ok(None),
        Scalar::Number(_) | Scalar::TwoOverRootPi => Ok(None),
        Scalar::Sum(terms) => {
            let moving: Vec<Id> = terms.iter().filter_map(of).collect();
            Ok(match moving.as_slice() {
                [] => None,
                [one] => Some(*one),
                _ => Some(scalars.push(Scalar::Sum(moving))),
            })
        }
        // The derivative of a select is a select, not a product.
        Scalar::Apply(function @ (F::Select | F::Min | F::Max), operands) => {
            let [a, b] = [operands[operands.len() - 2], operands[operands.len() - 1]];
            let slopes = [of(&a), of(&b)];
            if slopes == [None, None] {
                return Ok(None);
            }
            let condition = match function {
                F::Select => operands[0],
                F::Min => scalars.apply(F::LessEq, &[a, b]),
                _ => scalars.apply(F::LessEq, &[b, a]),
            };
            let zero = scalars.number(0.0);
            let [a, b] = slopes.map(|slope| slope.unwrap_or(zero));
            Ok(Some(scalars.apply(F::Select, &[condition, a, b])))
        }
        Scalar::Apply(function, operands) => {
            let mut sum: Option<Id> = None;
            for (k, operand) in operands.iter().enumerate() {
                let Some(inner) = of(operand) else { continue };
                if let Some(term) = term(scalars, function, &operands, id, k, inner)? {
                    sum = Some(match sum {
                        None => term,
                        Some(sum) => scalars.apply(F::Add, &[sum, term]),
                    });
                }
            }
            Ok(sum)
        }
        Scalar::Solve(..)
        | Scalar::Inverse(..)
        | Scalar::MatrixExp(..)
        | Scalar::LogAbsDet(_)
        | Scalar::Root { .. } => {
            if scalars.get(id).operands().iter().any(|operand| of(operand).is_some()) {
                return Err(Rejection::new(
                    "the derivative of an equation or a matrix function is not formed",
                ));
            }
            Ok(None)
        }
    }
}

/// Returns ∂function/∂operand k, times the operand's own derivative.
fn term(
    scalars: &mut Scalars,
    function: F,
    operands: &[Id],
    y: Id,
    k: usize,
    inner: Id,
) -> Result<Option<Id>, Rejection> {
    let (a, b) = (operands[0], *operands.last().expect("a function has an operand"));
    let one = scalars.number(1.0);
    let two = scalars.number(2.0);
    let mut make = |function: F, operands: &[Id]| scalars.apply(function, operands);
    let partial = match function {
        F::Sign | F::Less | F::LessEq => return Ok(None),
        F::Neg => return Ok(Some(make(F::Neg, &[inner]))),
        F::Add => return Ok(Some(inner)),
        F::Sub => return Ok(Some(if k == 0 { inner } else { make(F::Neg, &[inner]) })),
        F::Recip => {
            let square = make(F::Mul, &[y, y]);
            make(F::Neg, &[square])
        }
        F::Exp => y,
        F::Ln => make(F::Recip, &[a]),
        F::ExpM1 => make(F::Exp, &[a]),
        F::Ln1p => {
            let sum = make(F::Add, &[one, a]);
            make(F::Recip, &[sum])
        }
        F::Tanh => make(F::Sech2, &[a]),
        F::Sech2 => {
            let tanh = make(F::Tanh, &[a]);
            let product = make(F::Mul, &[tanh, y]);
            let twice = make(F::Mul, &[two, product]);
            make(F::Neg, &[twice])
        }
        F::Sigmoid => {
            let minus = make(F::Neg, &[a]);
            let other = make(F::Sigmoid, &[minus]);
            make(F::Mul, &[y, other])
        }
        F::Softplus => make(F::Sigmoid, &[a]),
        F::Sin => make(F::Cos, &[a]),
        F::Cos => {
            let sine = make(F::Sin, &[a]);
            make(F::Neg, &[sine])
        }
        F::Sqrt => {
            let twice = make(F::Mul, &[two, y]);
            make(F::Recip, &[twice])
        }
        F::Abs => make(F::Sign, &[a]),
        F::Sinh => make(F::Cosh, &[a]),
        F::Cosh => make(F::Sinh, &[a]),
        F::Asinh => make(F::AsinhSlope, &[a]),
        // -a·(1 + a²)^(-3/2)
        F::AsinhSlope => {
            let cube = make(F::Powi(3), &[y]);
            let product = make(F::Mul, &[a, cube]);
            make(F::Neg, &[product])
        }
        // 2/√π · e⁻ᵃ²
        F::Erf => {
            let square = make(F::Mul, &[a, a]);
            let minus = make(F::Neg, &[square]);
            let bell = make(F::Exp, &[minus]);
            let constant = scalars.push(Scalar::TwoOverRootPi);
            scalars.apply(F::Mul, &[constant, bell])
        }
        // 1/(π(1 + a²)), where 1/π is (2/√π)²/4.
        F::AtanPi => {
            let (square, quarter) = (make(F::Mul, &[a, a]), scalars.number(0.25));
            let sum = scalars.apply(F::Add, &[one, square]);
            let root = scalars.push(Scalar::TwoOverRootPi);
            let inverse = scalars.apply(F::Mul, &[root, root]);
            let inverse = scalars.apply(F::Mul, &[quarter, inverse]);
            scalars.apply(F::Div, &[inverse, sum])
        }
        // π(1 + y²)
        F::TanPi => {
            let (square, four) = (make(F::Mul, &[y, y]), scalars.number(4.0));
            let sum = scalars.apply(F::Add, &[one, square]);
            let root = scalars.push(Scalar::TwoOverRootPi);
            let inverse = scalars.apply(F::Mul, &[root, root]);
            let pi = scalars.apply(F::Div, &[four, inverse]);
            scalars.apply(F::Mul, &[pi, sum])
        }
        // φ(a), where 1/√(2π) is 2/√π·√⅛.
        F::NormalCdf => normal_density(scalars, a),
        F::NormalQuantile => {
            let density = normal_density(scalars, y);
            scalars.apply(F::Recip, &[density])
        }
        F::LnNormalCdf => make(F::InverseMills(0), &[a]),
        F::InverseMills(n) => make(F::InverseMills(next(n)?), &[a]),
        F::LnGamma => make(F::Polygamma(0), &[a]),
        F::Polygamma(n) => make(F::Polygamma(next(n)?), &[a]),
        F::Powi(0) => return Ok(None),
        F::Powi(n) => {
            let lower = match n.checked_sub(1) {
                Some(lower) => make(F::Powi(lower), &[a]),
                None => make(F::Div, &[y, a]),
            };
            let factor = scalars.number(f64::from(n));
            scalars.apply(F::Mul, &[factor, lower])
        }
        F::Mul if k == 0 => b,
        F::Mul => a,
        F::Div if k == 0 => make(F::Recip, &[b]),
        F::Div => {
            let quotient = make(F::Div, &[y, b]);
            make(F::Neg, &[quotient])
        }
        F::Pow if k == 0 => {
            let less = make(F::Sub, &[b, one]);
            let power = make(F::Pow, &[a, less]);
            make(F::Mul, &[b, power])
        }
        F::Pow => {
            let log = make(F::Ln, &[a]);
            make(F::Mul, &[y, log])
        }
        // eᵃ/(eᵃ + eᵇ)
        F::LogAddExp => {
            let (own, other) = if k == 0 { (a, b) } else { (b, a) };
            let difference = make(F::Sub, &[own, other]);
            make(F::Sigmoid, &[difference])
        }
        F::Select | F::Min | F::Max => return Err(Rejection::new("a choice is not multiplied")),
    };
    Ok(Some(if inner == one { partial } else { scalars.apply(F::Mul, &[partial, inner]) }))
}

/// The next order of a derivative.
fn next(order: u32) -> Result<u32, Rejection> {
    order.checked_add(1).ok_or_else(|| Rejection::new("a derivative of too high an order"))
}

/// φ(a) = 2/√π·√⅛·exp(-½a²)
fn normal_density(scalars: &mut Scalars, a: Id) -> Id {
    let (eighth, half) = (scalars.number(0.125), scalars.number(-0.5));
    let square = scalars.apply(F::Mul, &[a, a]);
    let exponent = scalars.apply(F::Mul, &[half, square]);
    let bell = scalars.apply(F::Exp, &[exponent]);
    let factor = scalars.apply(F::Sqrt, &[eighth]);
    let root = scalars.push(Scalar::TwoOverRootPi);
    let factor = scalars.apply(F::Mul, &[root, factor]);
    scalars.apply(F::Mul, &[factor, bell])
}
