//! Exercise 17.

use pushforward::prelude::*;

use pushforward_course::lessons::inverse_problems::judge;

use super::{Restricted, Told};

#[path = "../../../solutions/17_inverse_problems.rs"]
mod solution;
#[allow(clippy::all, unused, reason = "it is not finished")]
#[path = "../../../starts/17_inverse_problems.rs"]
mod start;

macro_rules! posteriors {
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
                    let x = z.tape().context(2);
                    let map: fn(Var<'t>, Var<'t>, Var<'t>) -> Var<'t> = $map;
                    map(z, x.at(0), x.at(1))
                }
            }
        )*
    };
}

posteriors! {
    Likeliest "The θ that explains x best, without the prior." |z, x1, x2| (x1 + x2) / 3.0 + z / 7.0f64.sqrt();
    Variance "z times the variance." |z, x1, x2| 2.0 * (x1 + x2) / 7.0 + z / 7.0;
    OnlyOne "The second measurement is left out." |z, x1, _| 2.0 * x1 / 3.0 + z / 3.0f64.sqrt();
    Bent "Right at z = 0 and 1, and bent between." |z, x1, x2| {
        2.0 * (x1 + x2) / 7.0 + z.powi(3) / 7.0f64.sqrt()
    };
    FarMeasurement "Right for x₁ below 3." |z, x1, x2| {
        2.0 * (x1 + x2) / 7.0 + z / 7.0f64.sqrt() + (x1 - 3.0).max(0.0)
    };
    FarNoise "Right for z below 2.5." |z, x1, x2| {
        2.0 * (x1 + x2) / 7.0 + z / 7.0f64.sqrt() + (z - 2.5).max(0.0)
    };
    Rounded "What a calculator shows." |z, x1, x2| 0.2857 * (x1 + x2) + 0.3780 * z;
    Step "The posterior of x₁ is the prior of x₂." |z, x1, x2| {
        let (mean, precision) = (2.0 * x1 / 3.0, 3.0);
        (precision * mean + 2.0 * x2) / (precision + 4.0) + z * (1.0 / 7.0f64).sqrt()
    };
    Falling "The same density: a normal one is symmetric." |z, x1, x2| 2.0 * (x1 + x2) / 7.0 - z / 7.0f64.sqrt();
}

struct Blind;

impl Bijection for Blind {
    fn dim(&self) -> usize {
        1
    }
    fn structure(&self) -> Structure {
        Structure::Diagonal
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z / 7.0f64.sqrt()
    }
}

bijections! {
    Three 1 Diagonal "A context of three numbers." |z| {
        let x = z.tape().context(3);
        2.0 * (x.at(0) + x.at(1)) / 7.0 + z / 7.0f64.sqrt()
    };
}

#[test]
fn exercise_17() {
    Told::of(judge::EXERCISE)
        .wrong("the starting file", || judge::judge(&start::Posterior))
        .wrong("no context", || judge::judge(&Blind))
        .wrong("without the prior", || judge::judge(&Likeliest))
        .wrong("the variance for the deviation", || judge::judge(&Variance))
        .wrong("one measurement only", || judge::judge(&OnlyOne))
        .wrong("no straight line in z", || judge::judge(&Bent))
        .wrong("another mean from x₁ = 3 on", || judge::judge(&FarMeasurement))
        .wrong("another deviation from z = 2.5 on", || judge::judge(&FarNoise))
        .wrong("four digits", || judge::judge(&Rounded))
        .wrong("three measurements", || judge::judge(&Three))
        .wrong("a restricted domain", || judge::judge(&Restricted(solution::Posterior)))
        .right("falling", || judge::judge(&Falling))
        .right("one measurement after the other", || judge::judge(&Step))
        .solved(|| judge::judge(&solution::Posterior));
}
