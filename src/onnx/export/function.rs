//! The functions of one number in ONNX: one row each.
//!
//! Where the specification has no operator, or runtimes have none for doubles or not one that is right in the tails
//! (`Sigmoid` of onnxruntime is 0 below -40), the function is composed of operators that they have, and written once as a
//! function of the file's own: `pushforward.ln_1p`. All formulas hold over the whole line, for NaN and infinities too.

use std::f64::consts::{FRAC_1_PI, LN_2, PI, TAU};

use super::elementary::{exp_m1, ln_1p, polynomial};
use super::gaussian;
use super::value::Value;
use crate::onnx::schema::DataType;
use crate::tape::Unary;

/// f(a); `None` where the function has no graph.
pub(super) fn unary<'g>(function: Unary, a: Value<'g>) -> Option<Value<'g>> {
    let own = |body: fn(Value<'g>) -> Value<'g>| a.graph.call(function.name(), [a], |[a]| body(a));
    Some(match function {
        Unary::Neg => -a,
        Unary::Recip => a.recip(),
        Unary::Exp => a.exp(),
        Unary::Ln => a.ln(),
        Unary::ExpM1 => exp_m1(a),
        Unary::Ln1p => ln_1p(a),
        Unary::Tanh => a.tanh(),
        Unary::SechSquared => own(sech_squared),
        Unary::Sigmoid => own(sigmoid),
        Unary::Softplus => softplus(a),
        Unary::Sin => a.sin(),
        Unary::Cos => a.cos(),
        Unary::Sqrt => a.sqrt(),
        Unary::Abs => a.abs(),
        Unary::Sign => a.sign(),
        Unary::Erf => own(gaussian::erf),
        Unary::Sinh => own(sinh),
        Unary::Cosh => own(cosh),
        Unary::Asinh => own(asinh),
        Unary::AsinhSlope => own(asinh_slope),
        Unary::AtanPi => own(atan_pi),
        Unary::TanPi => own(tan_pi),
        Unary::NormalCdf => own(gaussian::normal_cdf),
        Unary::NormalQuantile => own(gaussian::normal_quantile),
        Unary::LnNormalCdf => own(gaussian::ln_normal_cdf),
        Unary::InverseMills(0) => own(gaussian::inverse_mills),
        // Derivatives of a derivative: no density has them.
        Unary::InverseMills(_) | Unary::Polygamma(_) => return None,
        Unary::LnGamma => own(ln_gamma),
        Unary::Powi(power) => powi(a, power),
    })
}

/// ln(eᵃ + eᵇ)
pub(super) fn log_add_exp<'g>(a: Value<'g>, b: Value<'g>) -> Value<'g> {
    a.graph.call("log_add_exp", [a, b], |[a, b]| {
        let apart = a.eq(b).select(a.graph.number_of(a.kind, 0.0), (a - b).abs());
        a.max(b) + ln_1p((-apart).exp())
    })
}

/// aᵏ by products where they are few.
fn powi(a: Value<'_>, power: i32) -> Value<'_> {
    match power {
        1 => a,
        2 => a * a,
        3 => a * a * a,
        4 => {
            let square = a * a;
            square * square
        }
        -1 => a.recip(),
        -2 => (a * a).recip(),
        power => a.pow(f64::from(power)),
    }
}

/// max(a, 0) + ln(1 + e^(-|a|))
fn softplus(a: Value<'_>) -> Value<'_> {
    a.graph.call("softplus", [a], |[a]| a.max(0.0) + ln_1p((-a.abs()).exp()))
}

/// e^(-|a|)/(1 + e^(-|a|)), from 1 where a ≥ 0.
fn sigmoid(a: Value<'_>) -> Value<'_> {
    let e = (-a.abs()).exp();
    a.lt(0.0).select(e, 1.0) / (e + 1.0)
}

/// q·(2 - q) with q = 1 - tanh |a|; far out 4e^(-2|a|), as a square.
fn sech_squared(a: Value<'_>) -> Value<'_> {
    let m = a.abs();
    let e = (-2.0 * m).exp();
    let q = 2.0 * e / (e + 1.0);
    let half = 2.0 * (-m).exp();
    m.lt(20.0).select(q * (2.0 - q), half * half)
}

/// ½(e + e/(e + 1)) with e = e^|a| - 1; far out ½·e^(|a|/2)·e^(|a|/2).
fn sinh(a: Value<'_>) -> Value<'_> {
    let m = a.abs();
    let e = exp_m1(m);
    let half = (0.5 * m).exp();
    let size = m.lt(20.0).select(0.5 * (e + e / (e + 1.0)), (0.5 * half) * half);
    size * a.sign()
}

fn cosh(a: Value<'_>) -> Value<'_> {
    let m = a.abs();
    let (e, half) = (m.exp(), (0.5 * m).exp());
    m.lt(20.0).select(0.5 * (e + e.recip()), (0.5 * half) * half)
}

/// ln(1 + |a| + a²/(1 + √(1 + a²))); far out ln|a| + ln 2.
fn asinh(a: Value<'_>) -> Value<'_> {
    let m = a.abs();
    let square = m * m;
    let near = ln_1p(m + square / ((square + 1.0).sqrt() + 1.0));
    // 2¹³ in f32 and 2²⁷ in f64 would do; from here on a² does not overflow in either.
    m.lt(1e9).select(near, m.ln() + LN_2) * a.sign()
}

/// 1/√(1 + a²), where a² overflows as well.
fn asinh_slope(a: Value<'_>) -> Value<'_> {
    let m = a.abs();
    let inverse = m.recip();
    let far = inverse / (inverse * inverse + 1.0).sqrt();
    m.gt(1.0).select(far, (m * m + 1.0).sqrt().recip())
}

/// arctan(a)/π: of t = min(|a|, 1/|a|), halved twice by tan(θ/2) = t/(1 + √(1 + t²)), and the series of what is left,
/// which is below tan(π/16) = 0.199.
fn atan_pi(a: Value<'_>) -> Value<'_> {
    let m = a.abs();
    let far = m.gt(1.0);
    let mut t = far.select(m.recip(), m);
    for _ in 0..2 {
        t = t / ((t * t + 1.0).sqrt() + 1.0);
    }
    let square = t * t;
    let series: Vec<f64> =
        (0..13).map(|k| if k % 2 == 0 { 1.0 } else { -1.0 } / f64::from(2 * k + 1)).collect();
    let turns = 4.0 * FRAC_1_PI * (t * polynomial(square, &series));
    far.select(0.5 - turns, turns) * a.sign()
}

/// tan πa, from the nearer end where |a| is above ¼; NaN beyond ½.
fn tan_pi(a: Value<'_>) -> Value<'_> {
    let m = a.abs();
    let far = m.gt(0.25);
    let angle = PI * far.select(0.5 - m, m);
    let (sin, cos) = (angle.sin(), angle.cos());
    let size = far.select(cos, sin) / far.select(sin, cos);
    let nan = a.graph.number_of(a.kind, f64::NAN);
    m.gt(0.5).select(nan, size * a.sign())
}

/// ln Γ(a) by Stirling's series at a + 10, less ln of a·(a + 1)⋯(a + 9); from 10 on at a itself.
///
/// Source: Abramowitz and Stegun (1964), 6.1.41.
///
/// In doubles, whatever the type is: near 1 and 2 the two are large and their difference is 0.
fn ln_gamma(a: Value<'_>) -> Value<'_> {
    let single = a.kind;
    let a = a.cast(DataType::Double);
    const STIRLING: [f64; 7] = [
        1.0 / 12.0,
        -1.0 / 360.0,
        1.0 / 1260.0,
        -1.0 / 1680.0,
        1.0 / 1188.0,
        -691.0 / 360_360.0,
        1.0 / 156.0,
    ];
    let small = a.lt(10.0);
    // In two halves, so that nothing overflows.
    let product =
        |from: u32| (from..from + 5).skip(1).fold(a + f64::from(from), |p, k| p * (a + f64::from(k)));
    let below = product(0).ln() + product(5).ln();
    let at = small.select(a + 10.0, a);
    let inverse = at.recip();
    let series = inverse * polynomial(inverse * inverse, &STIRLING);
    // a·(ln a - 1) and not a·ln a - a: both would overflow before their difference does.
    let stirling = (at - 0.5) * (at.ln() - 1.0) - 0.5 + 0.5 * TAU.ln() + series;
    let zero = a.graph.number_of(a.kind, 0.0);
    let value = stirling - small.select(below, zero);
    let (nan, infinite) = (a.graph.number_of(a.kind, f64::NAN), a.graph.number_of(a.kind, f64::INFINITY));
    a.lt(0.0).select(nan, a.eq(f64::INFINITY).select(infinite, value)).cast(single)
}
