//! Arithmetic operators, also with numbers on either side.

use std::ops::{Add, Div, Mul, Neg, Sub};

use super::elementwise::elementwise;
use super::{Binary, Op, Var};

macro_rules! operators {
    ($($operator:ident $method:ident $op:ident;)*) => {$(
        impl<'t> $operator for Var<'t> {
            type Output = Var<'t>;
            #[track_caller]
            fn $method(self, other: Var<'t>) -> Var<'t> {
                elementwise(Op::Binary(Binary::$op), &[self, other])
            }
        }

        impl<'t> $operator<f64> for Var<'t> {
            type Output = Var<'t>;
            #[track_caller]
            fn $method(self, other: f64) -> Var<'t> {
                elementwise(Op::Binary(Binary::$op), &[self, self.tape().constant(other)])
            }
        }

        impl<'t> $operator<Var<'t>> for f64 {
            type Output = Var<'t>;
            #[track_caller]
            fn $method(self, other: Var<'t>) -> Var<'t> {
                elementwise(Op::Binary(Binary::$op), &[other.tape().constant(self), other])
            }
        }
    )*};
}

operators! {
    Add add Add;
    Sub sub Sub;
    Mul mul Mul;
    Div div Div;
}

impl<'t> Neg for Var<'t> {
    type Output = Var<'t>;
    #[track_caller]
    fn neg(self) -> Var<'t> {
        Var::neg(self)
    }
}
