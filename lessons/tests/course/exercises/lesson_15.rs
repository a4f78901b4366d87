//! Exercise 15.

use pushforward::prelude::*;

use pushforward_course::lessons::simple_bases::judge;

use super::{Restricted, Told};

#[path = "../../../solutions/15_simple_bases.rs"]
mod solution;
#[allow(clippy::all, unused, reason = "it is not finished")]
#[path = "../../../starts/15_simple_bases.rs"]
mod start;

macro_rules! maps {
    ($($name:ident $meaning:literal $map:expr;)*) => {
        $(
            #[doc = $meaning]
            struct $name;

            impl Bijection for $name {
                fn dim(&self) -> usize {
                    1
                }
                fn structure(&self) -> Structure {
                    Structure::Diagonal
                }
                fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
                    let map: fn(Var<'t>) -> Var<'t> = $map;
                    map(z)
                }
            }
        )*
    };
}

maps! {
    Cubed "A power of z stretches, and not enough." |z| z + z.powi(3);
    Sinh "Twice as steep in the exponent." |z| z.sinh();
    Scaled "The scale is forgotten." |z| (0.5 * z).sinh();
    Folded "Both halves of the line on one." |z| 2.0f64.sqrt() * (0.5 * z.abs()).sinh();
    Clamped "As far as 12." |z| 2.0f64.sqrt() * (0.5 * z.max(-12.0).min(12.0)).sinh();
    Cut "On the right as far as 8." |z| 2.0f64.sqrt() * (0.5 * z).sinh() - (z - 8.0).max(0.0);
    Light "A straight line from 40 on." |z| {
        select(z.abs().lt(40.0), 2.0f64.sqrt() * (0.5 * z).sinh(), 2.0f64.sqrt() * 20f64.sinh() / 40.0 * z)
    };
    Bumped "A step aside about 0.1." |z| {
        2.0f64.sqrt() * (0.5 * z).sinh() + 0.3 * (1e-7 - (z - 0.1).abs()).max(0.0)
    };
    Learned "The scale need not stay √2." |z| {
        z.tape().parameter("s", Shape::Scalar, Init::Constant(2.0f64.sqrt())) * (0.5 * z).sinh()
    };
    Falling "The same density: it is symmetric." |z| -(2.0f64.sqrt()) * (0.5 * z).sinh();
    Quantile "The quantile function as it is solved for, z in it twice." |z| {
        let u = z.sigmoid();
        (2.0 * u - 1.0) / (2.0 * u * (1.0 - u)).sqrt()
    };
}

#[test]
fn exercise_15() {
    Told::of(judge::EXERCISE)
        .wrong("the starting file", || judge::judge(&start::Heavy))
        .wrong("a power is too little", || judge::judge(&Cubed))
        .wrong("too steep", || judge::judge(&Sinh))
        .wrong("the scale is off", || judge::judge(&Scaled))
        .wrong("both halves on one", || judge::judge(&Folded))
        .wrong("clamped at ±12", || judge::judge(&Clamped))
        .wrong("cut on one side at 8", || judge::judge(&Cut))
        .wrong("light tails from 40 on", || judge::judge(&Light))
        .wrong("a bump about 0.1", || judge::judge(&Bumped))
        .wrong("right for what the parameter starts with", || judge::judge(&Learned))
        .wrong("a restricted domain", || judge::judge(&Restricted(Clamped)))
        .right("falling", || judge::judge(&Falling))
        .right("the quantile function", || judge::judge(&Quantile))
        .solved(|| judge::judge(&solution::Heavy));
}
