//! The functions of one number: one row each, with everything that the sweeps need of it.
//!
//! | file | functions |
//! |---|---|
//! | `algebraic.rs` | -a, 1/a, √a, \|a\|, sign, aᵏ |
//! | `exponential.rs` | eᵃ, ln, and those near 0, σ, softplus |
//! | `hyperbolic.rs` | tanh, sinh, cosh, asinh, and derivatives of them |
//! | `trigonometric.rs` | sin, cos, and arctan and tan in half turns |
//! | `gaussian.rs` | erf, Φ, Φ⁻¹, ln Φ, φ/Φ and its derivatives (numbers: `numeric/mills.rs`, `numeric/quantile.rs`) |
//! | `gamma.rs` | ln Γ and its derivatives |
//!
//! A part of a row that was forgotten does not compile: `row!` asks for all of them, as [`Row`] does, which has no
//! defaults. `ask!` takes each [`Unary`] to its row, so that a row that was forgotten does not compile either. Nothing
//! is called through a pointer: a loop over numbers is compiled once for each function.

pub(super) use self::exponential::{EXP, LN};

use super::bound::{Bound, Bounds};
use super::limit::Limit;
use super::partial::Partial;
use crate::numeric::Number;
use crate::tape::{Unary, Var};
use crate::typeset::{Function, Term, Written};

/// Everything that the sweeps need of a function f of one number.
trait Row: Copy {
    /// f(a), as accurately as this number type allows.
    fn value<F: Number>(self, a: F) -> F;
    /// f′(a), by a and y = f(a).
    fn derivative<'t>(self, a: Var<'t>, y: Var<'t>) -> Partial<'t>;
    /// Whether f is continuous, and its derivative.
    fn smoothness(self) -> Smoothness;
    /// f(0), where that is known exactly.
    fn at_zero(self) -> Option<f64>;
    /// The image of an interval of a, and whether f is defined there.
    fn bound(self, a: Bound) -> Bound;
    /// The limit of f(a) for a limit of a; not used for a constant a.
    fn limit(self, a: Limit) -> Limit;
    /// The a with f(a) = y; `bounds` are those of y.
    fn inverse<'t>(self, y: Var<'t>, bounds: &Bounds<'t>) -> Result<Var<'t>, NoInverse>;
    /// The formula of f(a).
    fn notation(self, a: &Written) -> Written;
}

/// Writes the `impl` of a row; each part occurs once and in this order. Arguments have names of the row's choice, or
/// `_`.
macro_rules! row {
    ($(#[$meaning:meta])* $name:ident $(($index:ident: $number:ty))? {
        value($value_a:tt): $value:expr,
        derivative($slope_a:tt, $slope_y:tt): $slope:expr,
        smoothness: $smoothness:expr,
        at_zero: $at_zero:expr,
        bound($bound_a:tt): $bound:expr,
        limit($limit_a:tt): $limit:expr,
        inverse($inverse_y:tt, $bounds:tt): $inverse:expr,
        notation($notation_a:tt): $notation:expr,
    }) => {
        $(#[$meaning])*
        #[derive(Clone, Copy)]
        pub(in crate::sweep) struct $name $((pub $number))?;

        impl $crate::sweep::function::Row for $name {
            #[inline(always)]
            fn value<F: $crate::numeric::Number>(self, $value_a: F) -> F {
                $(let $name($index) = self;)?
                $value
            }
            fn derivative<'t>(self, $slope_a: Var<'t>, $slope_y: Var<'t>) -> Partial<'t> {
                $(let $name($index) = self;)?
                $slope
            }
            fn smoothness(self) -> Smoothness {
                $(let $name($index) = self; let _ = $index;)?
                $smoothness
            }
            fn at_zero(self) -> Option<f64> {
                $(let $name($index) = self; let _ = $index;)?
                $at_zero
            }
            fn bound(self, $bound_a: Bound) -> Bound {
                $(let $name($index) = self;)?
                $bound
            }
            fn limit(self, $limit_a: Limit) -> Limit {
                $(let $name($index) = self; let _ = $index;)?
                $limit
            }
            fn inverse<'t>(self, $inverse_y: Var<'t>, $bounds: &Bounds<'t>) -> Result<Var<'t>, NoInverse> {
                $(let $name($index) = self; let _ = $index;)?
                $inverse
            }
            fn notation(self, $notation_a: &Written) -> Written {
                $(let $name($index) = self;)?
                $notation
            }
        }
    };
}

/// How smooth a function is where it is defined.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Smoothness {
    /// It has a derivative.
    Smooth,
    /// It is continuous, with a kink at 0.
    Kink,
    /// It jumps, and is constant between jumps: its derivative is 0 where it has one.
    Steps,
    /// It is constant.
    Constant,
}

/// Why a function cannot be inverted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum NoInverse {
    /// It maps two numbers to one: its kind.
    TwoToOne(&'static str),
    /// It has no known formula.
    Unknown,
}

/// Evaluates an expression with the row of a function under this name.
macro_rules! ask {
    ($function:expr, $row:ident => $answer:expr) => {
        match $function {
            Unary::Neg => {
                let $row = $crate::sweep::function::algebraic::Neg;
                $answer
            }
            Unary::Recip => {
                let $row = $crate::sweep::function::algebraic::Recip;
                $answer
            }
            Unary::Exp => {
                let $row = $crate::sweep::function::exponential::Exp;
                $answer
            }
            Unary::Ln => {
                let $row = $crate::sweep::function::exponential::Ln;
                $answer
            }
            Unary::ExpM1 => {
                let $row = $crate::sweep::function::exponential::ExpM1;
                $answer
            }
            Unary::Ln1p => {
                let $row = $crate::sweep::function::exponential::Ln1p;
                $answer
            }
            Unary::Tanh => {
                let $row = $crate::sweep::function::hyperbolic::Tanh;
                $answer
            }
            Unary::SechSquared => {
                let $row = $crate::sweep::function::hyperbolic::SechSquared;
                $answer
            }
            Unary::Sigmoid => {
                let $row = $crate::sweep::function::exponential::Sigmoid;
                $answer
            }
            Unary::Softplus => {
                let $row = $crate::sweep::function::exponential::Softplus;
                $answer
            }
            Unary::Sin => {
                let $row = $crate::sweep::function::trigonometric::Sin;
                $answer
            }
            Unary::Cos => {
                let $row = $crate::sweep::function::trigonometric::Cos;
                $answer
            }
            Unary::Sqrt => {
                let $row = $crate::sweep::function::algebraic::Sqrt;
                $answer
            }
            Unary::Abs => {
                let $row = $crate::sweep::function::algebraic::Abs;
                $answer
            }
            Unary::Sign => {
                let $row = $crate::sweep::function::algebraic::Sign;
                $answer
            }
            Unary::Erf => {
                let $row = $crate::sweep::function::gaussian::Erf;
                $answer
            }
            Unary::Sinh => {
                let $row = $crate::sweep::function::hyperbolic::Sinh;
                $answer
            }
            Unary::Cosh => {
                let $row = $crate::sweep::function::hyperbolic::Cosh;
                $answer
            }
            Unary::Asinh => {
                let $row = $crate::sweep::function::hyperbolic::Asinh;
                $answer
            }
            Unary::AsinhSlope => {
                let $row = $crate::sweep::function::hyperbolic::AsinhSlope;
                $answer
            }
            Unary::AtanPi => {
                let $row = $crate::sweep::function::trigonometric::AtanPi;
                $answer
            }
            Unary::TanPi => {
                let $row = $crate::sweep::function::trigonometric::TanPi;
                $answer
            }
            Unary::NormalCdf => {
                let $row = $crate::sweep::function::gaussian::NormalCdf;
                $answer
            }
            Unary::NormalQuantile => {
                let $row = $crate::sweep::function::gaussian::NormalQuantile;
                $answer
            }
            Unary::LnNormalCdf => {
                let $row = $crate::sweep::function::gaussian::LnNormalCdf;
                $answer
            }
            Unary::InverseMills(n) => {
                let $row = $crate::sweep::function::gaussian::InverseMills(n);
                $answer
            }
            Unary::LnGamma => {
                let $row = $crate::sweep::function::gamma::LnGamma;
                $answer
            }
            Unary::Polygamma(n) => {
                let $row = $crate::sweep::function::gamma::Polygamma(n);
                $answer
            }
            Unary::Powi(n) => {
                let $row = $crate::sweep::function::algebraic::Powi(n);
                $answer
            }
        }
    };
}

// Declared after the macro that defines their rows.
mod algebraic;
mod exponential;
mod gamma;
mod gaussian;
mod hyperbolic;
mod trigonometric;

/// Calls `each` with f as something that can be inlined.
pub(super) fn with_value<F: Number>(function: Unary, each: impl WithValue<F>) {
    ask!(function, row => each.run(|a| row.value(a)))
}

/// An action on a numeric function, generic over the function.
pub(super) trait WithValue<F> {
    fn run(self, f: impl Fn(F) -> F);
}

/// f′(a), by a and y = f(a).
pub(super) fn derivative<'t>(function: Unary, a: Var<'t>, y: Var<'t>) -> Partial<'t> {
    ask!(function, row => row.derivative(a, y))
}

/// Whether a function is continuous, and its derivative too.
pub fn smoothness(function: Unary) -> Smoothness {
    ask!(function, row => row.smoothness())
}

/// Whether the derivative is 0 wherever it exists.
pub(crate) fn is_flat(function: Unary) -> bool {
    matches!(smoothness(function), Smoothness::Steps | Smoothness::Constant)
}

/// f(0), where that is known exactly.
pub(crate) fn at_zero(function: Unary) -> Option<f64> {
    ask!(function, row => row.at_zero())
}

/// The image of an interval of a, and whether f is defined there.
pub(super) fn bound(function: Unary, a: Bound) -> Bound {
    ask!(function, row => row.bound(a))
}

/// Whether f is defined for all numbers.
pub fn is_total(function: Unary) -> bool {
    bound(function, Bound::REALS).defined
}

/// The limit of f(a) for a limit of a; not used for a constant a.
pub(super) fn limit(function: Unary, a: Limit) -> Limit {
    ask!(function, row => row.limit(a))
}

/// The a with f(a) = y.
pub(super) fn inverse<'t>(function: Unary, y: Var<'t>, bounds: &Bounds<'t>) -> Result<Var<'t>, NoInverse> {
    ask!(function, row => row.inverse(y, bounds))
}

/// The formula of f(a).
pub(super) fn notation(function: Unary, a: &Written) -> Written {
    ask!(function, row => row.notation(a))
}

/// A function written by its name.
fn called(name: &str, a: &Written) -> Written {
    Written::of(&Term::Call(&Function::named(name), vec![a]))
}

/// A function written by a letter, with an optional prefix.
fn lettered(before: &str, letter: char, command: &str, a: &Written) -> Written {
    Written::of(&Term::Call(&Function::lettered(before, letter, command), vec![a]))
}
