//! The functions of one and of two numbers in JAX.

use super::expression::{Binding, Expression};
use crate::tape::{Binary, Choice, Unary};

/// A function of one number.
pub(super) fn unary(function: Unary, a: &Expression) -> Expression {
    let call = |name: &str| Expression::call(name, &[a]);
    match function {
        Unary::Neg => Expression::new(format!("-{}", a.within(Binding::Power)), Binding::Sign),
        Unary::Recip => Expression::new(format!("1.0 / {}", a.within(Binding::Sign)), Binding::Product),
        Unary::Exp => call("jnp.exp"),
        Unary::Ln => call("jnp.log"),
        Unary::ExpM1 => call("jnp.expm1"),
        Unary::Ln1p => call("jnp.log1p"),
        Unary::Tanh => call("jnp.tanh"),
        Unary::SechSquared => call("_sech_squared"),
        Unary::Sigmoid => call("jax.nn.sigmoid"),
        Unary::Softplus => call("jax.nn.softplus"),
        Unary::Sin => call("jnp.sin"),
        Unary::Cos => call("jnp.cos"),
        Unary::Sqrt => call("jnp.sqrt"),
        Unary::Abs => call("jnp.abs"),
        Unary::Sign => call("jnp.sign"),
        Unary::Erf => call("jax.scipy.special.erf"),
        Unary::Sinh => call("jnp.sinh"),
        Unary::Cosh => call("jnp.cosh"),
        Unary::Asinh => call("_asinh"),
        Unary::AsinhSlope => call("_asinh_slope"),
        Unary::AtanPi => Expression::new(format!("{} / jnp.pi", call("jnp.arctan").text), Binding::Product),
        Unary::TanPi => call("_tan_pi"),
        Unary::NormalCdf => call("jax.scipy.special.ndtr"),
        Unary::NormalQuantile => call("jax.scipy.special.ndtri"),
        Unary::LnNormalCdf => call("jax.scipy.special.log_ndtr"),
        Unary::InverseMills(0) => call("_inverse_mills"),
        Unary::InverseMills(order) => {
            Expression::atom(format!("_derivative(_inverse_mills, {order})({})", a.text))
        }
        Unary::LnGamma => call("jax.scipy.special.gammaln"),
        Unary::Polygamma(0) => call("jax.scipy.special.digamma"),
        Unary::Polygamma(order) => {
            Expression::atom(format!("jax.scipy.special.polygamma({order}, {})", a.text))
        }
        Unary::Powi(exponent) => {
            let exponent = if exponent < 0 { format!("({exponent})") } else { exponent.to_string() };
            Expression::new(format!("{}**{exponent}", a.within(Binding::Atom)), Binding::Power)
        }
    }
}

/// A function of two numbers.
pub(super) fn binary(function: Binary, a: &Expression, b: &Expression) -> Expression {
    let infix = |sign: &str, binding: Binding, right: Binding| {
        Expression::new(format!("{} {sign} {}", a.within(binding), b.within(right)), binding)
    };
    let truth = |expression: Expression| Expression { truth: true, ..expression };
    match function {
        Binary::Add => infix("+", Binding::Sum, Binding::Product),
        Binary::Sub => infix("-", Binding::Sum, Binding::Product),
        Binary::Mul => infix("*", Binding::Product, Binding::Sign),
        Binary::Div => infix("/", Binding::Product, Binding::Sign),
        Binary::Pow => Expression::call("jnp.power", &[a, b]),
        Binary::LogAddExp => Expression::call("jnp.logaddexp", &[a, b]),
        Binary::Less => truth(infix("<", Binding::Comparison, Binding::Sum)),
        Binary::LessEq => truth(infix("<=", Binding::Comparison, Binding::Sum)),
    }
}

/// A choice; a condition that is no comparison holds where it is not 0.
pub(super) fn choice(choice: Choice, operands: &[&Expression]) -> Expression {
    match choice {
        Choice::Min => Expression::call("jnp.minimum", operands),
        Choice::Max => Expression::call("jnp.maximum", operands),
        Choice::Select => Expression::call("jnp.where", &[&truth(operands[0]), operands[1], operands[2]]),
    }
}

/// A condition: a number holds where it is not 0.
pub(super) fn truth(condition: &Expression) -> Expression {
    if condition.truth {
        return condition.clone();
    }
    let text = format!("{} != 0.0", condition.within(Binding::Sum));
    Expression { truth: true, ..Expression::new(text, Binding::Comparison) }
}
