//! Slopes that are 0 at isolated points, such as that of z³.
//!
//! With everything else fixed, let x be an analytic function of z on an interval. Its slope is analytic, too. If the slope
//! is nowhere below 0, and some derivative of it is not 0 at some point, then it is not 0 everywhere, and by the identity
//! theorem its zeros are isolated: x increases strictly.
//!
//! Analytic are compositions of functions that are analytic where they are defined. What has a kink, a jump or a root at 0
//! is so only where intervals keep it away from there: of max(z, 0)³, which is constant on one side, the slope
//! is nowhere below 0 either.

use std::collections::HashMap;

use super::map::Map;
use super::range::Ranges;
use super::scalar::{Function as F, Id, Scalar, Scalars};
use super::sign::{sign, sign_or_zero};
use super::slope::slope;
use super::text::Side;

/// The largest order of a derivative of the slope that is looked at: enough for z⁹.
const ORDERS: usize = 8;
/// No further derivative is formed of a slope of more scalars.
const MOST: usize = 4096;

/// Returns the sign that the slope of an output in a variable has but at isolated points of it, everything else fixed.
///
/// The output is shown to be defined before; `moves` are the scalars that are not fixed.
pub(super) fn sign_but_at_points(
    map: &mut Map,
    (output, input): (Id, Id),
    (found, hint): (Id, Option<Id>),
    side: &Side,
    moves: impl Fn(Id) -> bool,
) -> Option<i32> {
    if !is_analytic(&map.scalars, &mut map.ranges, output, &moves) {
        return None;
    }
    let sign = sign_or_zero(map, found, hint)?;
    is_somewhere_nonzero(map, found, input, side, moves).then_some(sign)
}

/// Returns whether a scalar is an analytic function of what moves, where it is defined.
fn is_analytic(scalars: &Scalars, ranges: &mut Ranges, root: Id, moves: impl Fn(Id) -> bool) -> bool {
    scalars.order(&[root], |id| !moves(id)).into_iter().all(|id| {
        let (function, operands) = match scalars.get(id) {
            Scalar::Apply(function, operands) => (function, operands),
            Scalar::Input(_) | Scalar::Letter(..) | Scalar::Parameter(..) => return true,
            Scalar::Number(_) | Scalar::TwoOverRootPi | Scalar::Sum(_) => return true,
            // Matrix functions and equations are not analysed.
            Scalar::Solve(..) | Scalar::Inverse(..) | Scalar::MatrixExp(..) => return false,
            Scalar::LogAbsDet(_) | Scalar::Root { .. } => return false,
        };
        let mut of = |k: usize| ranges.of(scalars, operands[k]).interval;
        match function {
            F::Neg | F::Add | F::Sub | F::Mul => true,
            F::Exp | F::ExpM1 | F::Tanh | F::Sech2 | F::Sigmoid | F::Softplus | F::Sin | F::Cos => true,
            F::Erf | F::Sinh | F::Cosh | F::Asinh | F::AsinhSlope | F::AtanPi => true,
            F::NormalCdf | F::LnNormalCdf | F::InverseMills(_) | F::LogAddExp => true,
            // Defined on open sets, and analytic there.
            F::Recip | F::Div | F::Powi(_) | F::Ln | F::Ln1p | F::TanPi => true,
            F::NormalQuantile | F::LnGamma | F::Polygamma(_) => true,
            // Defined at 0, too, and not analytic there.
            F::Sqrt | F::Pow => of(0).is_positive(),
            F::Abs | F::Sign => of(0).excludes_zero(),
            F::Min | F::Max | F::Less | F::LessEq => of(0).is_apart_from(&of(1)),
            // For fixed values of what does not move, or by what ranges decide, it is one branch.
            F::Select => !moves(operands[0]) || of(0).excludes_zero() || of(0).abs().neg().is_nonnegative(),
        }
    })
}

/// Returns whether, for all values of what is fixed, a derivative of a slope is not 0 at some point of the interval.
fn is_somewhere_nonzero(
    map: &mut Map,
    mut derivative: Id,
    input: Id,
    side: &Side,
    moves: impl Fn(Id) -> bool,
) -> bool {
    let points = inside(side);
    for _ in 0..=ORDERS {
        for point in &points {
            let number = map.scalars.number(*point);
            let value = map.scalars.replaced(derivative, &HashMap::from([(input, number)]));
            if sign(map, value, None).is_ok() {
                return true;
            }
        }
        if map.scalars.order(&[derivative], |_| false).len() > MOST {
            return false;
        }
        match slope(&mut map.scalars, derivative, input, |id| !moves(id)) {
            Ok(Some(next)) => derivative = next,
            _ => return false,
        }
    }
    false
}

/// Points inside of an interval.
fn inside(side: &Side) -> Vec<f64> {
    let (low, high) = (side.low.0, side.high.0);
    let middle = match (low.is_finite(), high.is_finite()) {
        (true, true) => 0.5 * low + 0.5 * high,
        (true, false) => low + 1.0,
        (false, true) => high - 1.0,
        (false, false) => 0.0,
    };
    let mut points = vec![middle, 0.0, 1.0];
    points.retain(|point| low < *point && *point < high);
    points.dedup();
    points
}
