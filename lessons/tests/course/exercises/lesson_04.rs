//! Exercise 4.

use pushforward::prelude::*;

use pushforward_course::lessons::absolute_value::judge;

use super::{Restricted, Told};

#[path = "../../../solutions/04_absolute_value.rs"]
mod solution;
#[allow(clippy::all, unused, reason = "it is not finished")]
#[path = "../../../starts/04_absolute_value.rs"]
mod start;

struct Turned;

impl Bijection for Turned {
    fn dim(&self) -> usize {
        2
    }
    fn structure(&self) -> Structure {
        Structure::LowerTriangular
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        stack([-2.0 * z.at(0), z.at(1) * z.at(0).exp()])
    }
    fn log_det<'t>(&self, z: Var<'t>) -> Option<Var<'t>> {
        Some(-2f64.ln() - z.at(0))
    }
}

struct Short;

impl Bijection for Short {
    fn dim(&self) -> usize {
        2
    }
    fn structure(&self) -> Structure {
        Structure::LowerTriangular
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        stack([-2.0 * z.at(0), z.at(1) * z.at(0).exp()])
    }
    fn log_det<'t>(&self, z: Var<'t>) -> Option<Var<'t>> {
        Some(z.at(0) + 0.0)
    }
}

struct Changed;

impl Bijection for Changed {
    fn dim(&self) -> usize {
        2
    }
    fn structure(&self) -> Structure {
        Structure::LowerTriangular
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        stack([2.0 * z.at(0), z.at(1) * z.at(0).exp()])
    }
    fn log_det<'t>(&self, z: Var<'t>) -> Option<Var<'t>> {
        Some(2f64.ln() + z.at(0))
    }
}

/// The map that was given, with this log-determinant.
struct ByHand(for<'t> fn(Var<'t>) -> Var<'t>);

impl Bijection for ByHand {
    fn dim(&self) -> usize {
        2
    }
    fn structure(&self) -> Structure {
        Structure::LowerTriangular
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        stack([-2.0 * z.at(0), z.at(1) * z.at(0).exp()])
    }
    fn log_det<'t>(&self, z: Var<'t>) -> Option<Var<'t>> {
        Some((self.0)(z))
    }
}

#[test]
fn exercise_04() {
    Told::of(judge::EXERCISE)
        .wrong("the starting file", || judge::judge(&start::Mirrored))
        .wrong("the sign is turned round", || judge::judge(&Turned))
        .wrong("a term is missing", || judge::judge(&Short))
        .wrong("the map is changed instead", || judge::judge(&Changed))
        .wrong("a bound far out", || judge::judge(&ByHand(|z| 2f64.ln() + z.at(0).min(29.0))))
        .wrong("the bars around the logarithm", || judge::judge(&ByHand(|z| (2f64.ln() + z.at(0)).abs())))
        .wrong("right for what the parameter starts with", || {
            judge::judge(&ByHand(|z| {
                z.tape().parameter("c", Shape::Scalar, Init::Constant(2f64.ln())) + z.at(0)
            }))
        })
        .wrong("a restricted domain", || judge::judge(&Restricted(solution::Mirrored)))
        .wrong("two numbers", || judge::judge(&ByHand(|z| 2f64.ln() + z)))
        .right("the logarithm of the whole determinant", || {
            judge::judge(&ByHand(|z| (2.0 * z.at(0).exp()).ln()))
        })
        .right("half of the logarithm of its square", || {
            judge::judge(&ByHand(|z| 0.5 * (4.0 * (2.0 * z.at(0)).exp()).ln()))
        })
        .solved(|| judge::judge(&solution::Mirrored));
}
