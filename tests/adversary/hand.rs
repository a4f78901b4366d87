//! Elementwise maps with a hand-written log-determinant or inverse, right or wrong by one term.
//!
//! x = a·g(b·z + c) + e

use pushforward::prelude::*;

use super::line::{place, scale};
use crate::random_programs::Chooser;

#[derive(Clone, Debug)]
pub struct Hand {
    pub g: usize,
    pub a: Vec<f64>,
    pub b: Vec<f64>,
    pub c: Vec<f64>,
    pub e: Vec<f64>,
    pub declared: bool,
    pub log_det: Option<Given>,
    pub inverse: Option<Given>,
}

/// A formula by hand.
#[derive(Clone, Debug)]
pub enum Given {
    Right,
    /// The term of the last variable is forgotten.
    Forgotten,
    Sign,
    /// Times 1 + δ.
    Factor(f64),
    Plus(f64),
    /// A bump of this size, place and width.
    Bump(f64, f64, f64),
    /// Beyond a place.
    Beyond(f64, f64),
    /// For some values of a parameter.
    Parameter,
}

impl Given {
    fn any(right: bool, choose: &mut Chooser) -> Given {
        let delta = 10f64.powf(-15.0 * choose.number().abs());
        match choose.below(if right { 1 } else { 8 }) {
            0 if right => Given::Right,
            0 => Given::Forgotten,
            1 => Given::Sign,
            2 => Given::Factor(delta),
            3 => Given::Plus(scale(choose).min(1e100)),
            4 => Given::Bump(scale(choose).min(1e100), place(choose), scale(choose)),
            5 => Given::Beyond(scale(choose).min(1e100), place(choose)),
            6 => Given::Parameter,
            _ => Given::Plus(-delta),
        }
    }

    fn is_right(&self) -> bool {
        matches!(self, Given::Right)
    }

    /// What is given instead of `right`, at z.
    fn record<'t>(&self, right: Var<'t>, z: Var<'t>) -> Var<'t> {
        match self {
            Given::Right | Given::Forgotten => right,
            Given::Sign => -right,
            Given::Factor(delta) => right * (1.0 + delta.max(3e-16)),
            Given::Plus(delta) => right + *delta,
            Given::Bump(size, at, width) => right + *size * (-((z - *at) / *width).powi(2)).exp(),
            Given::Beyond(size, at) => right + select(z.gt(*at), *size, 0.0),
            Given::Parameter => {
                right + z.tape().parameter("wrong", Shape::Scalar, Init::Constant(0.0)).powi(2)
            }
        }
    }
}

const KINDS: usize = 7;

impl Hand {
    pub fn any(right: bool, choose: &mut Chooser) -> Hand {
        let (d, g) = (1 + choose.below(3), choose.below(KINDS));
        let mut numbers = |scale: f64| -> Vec<f64> { (0..d).map(|_| scale * choose.number()).collect() };
        let (c, shift) = (numbers(2.0), numbers(5.0));
        let away = |value: f64| (0.05 + value.abs()) * value.signum();
        let (a, b): (Vec<f64>, Vec<f64>) =
            (numbers(3.0).into_iter().map(away).collect(), numbers(4.0).into_iter().map(away).collect());
        // Where the image ends, it ends at 0 and 1.
        let (a, e) = if matches!(g, 0..=2) { (a, shift) } else { (vec![1.0; d], vec![0.0; d]) };
        let by_log_det = choose.chance(0.5);
        let given = |choose: &mut Chooser| Some(Given::any(right, choose));
        let log_det = if by_log_det { given(choose) } else { None };
        let inverse = if by_log_det { None } else { given(choose) };
        Hand { g, a, b, c, e, declared: choose.chance(0.7), log_det, inverse }
    }

    pub fn kind(&self) -> &'static str {
        if self.log_det.is_some() { "log_det by hand" } else { "inverse by hand" }
    }

    pub fn given_is_right(&self) -> (Option<bool>, Option<bool>) {
        let right = |given: &Option<Given>| given.as_ref().map(Given::is_right);
        (right(&self.log_det), right(&self.inverse).or(Some(true)))
    }

    fn inner<'t>(&self, z: Var<'t>) -> Var<'t> {
        z * z.tape().vector(&self.b) + z.tape().vector(&self.c)
    }
}

impl Bijection for Hand {
    fn dim(&self) -> usize {
        self.a.len()
    }

    fn structure(&self) -> Structure {
        if self.declared { Structure::Diagonal } else { Structure::Dense }
    }

    fn codomain(&self) -> Domain {
        match self.g {
            0..=2 => Domain::Reals,
            3 | 4 => Domain::Positive,
            5 => Domain::Interval { lower: -1.0, upper: 1.0 },
            _ => Domain::Interval { lower: 0.0, upper: 1.0 },
        }
    }

    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let (u, tape) = (self.inner(z), z.tape());
        let y = match self.g {
            0 => u,
            1 => u.sinh(),
            2 => u.asinh(),
            3 => u.exp(),
            4 => u.softplus(),
            5 => u.tanh(),
            _ => u.sigmoid(),
        };
        if self.g <= 2 { y * tape.vector(&self.a) + tape.vector(&self.e) } else { y }
    }

    fn log_det<'t>(&self, z: Var<'t>) -> Option<Var<'t>> {
        let given = self.log_det.as_ref()?;
        let (u, tape, d) = (self.inner(z), z.tape(), self.dim());
        let slope = match self.g {
            0 => 0.0 * u,
            1 => u.abs() + (-2.0 * u.abs()).exp().ln_1p() - 2f64.ln(),
            2 => -0.5 * u.powi(2).ln_1p(),
            3 => u,
            4 => -(-u).softplus(),
            5 => 2.0 * (2f64.ln() - u - (-2.0 * u).softplus()),
            _ => -u.softplus() - (-u).softplus(),
        };
        let constant = tape.vector(&self.a).abs().ln() + tape.vector(&self.b).abs().ln();
        let terms = slope + constant;
        let kept = if matches!(given, Given::Forgotten) { d - 1 } else { d };
        let right = if kept == 0 { tape.constant(0.0) } else { terms.slice(0..kept).sum() };
        Some(given.record(right, z.at(0)))
    }

    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        let given = self.inverse.as_ref()?;
        let tape = x.tape();
        let y = if self.g <= 2 { (x - tape.vector(&self.e)) / tape.vector(&self.a) } else { x };
        let u = match self.g {
            0 => y,
            1 => y.asinh(),
            2 => y.sinh(),
            3 => y.ln(),
            4 => y + (-(-y).exp_m1()).ln(),
            5 => 0.5 * (y.ln_1p() - (-y).ln_1p()),
            _ => y.ln() - (-y).ln_1p(),
        };
        // Forgotten: the shift.
        let u = if matches!(given, Given::Forgotten) { u } else { u - tape.vector(&self.c) };
        let z = u / tape.vector(&self.b);
        Some(given.record(z, z))
    }
}
