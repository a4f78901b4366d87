//! The range of a variable between two steps.

use pushforward::prelude::*;

use crate::random_programs::Chooser;

#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Line {
    /// ℝ
    Reals,
    /// (0, ∞)
    Positive,
    /// (0, 1)
    Unit,
    /// (-1, 1)
    Ball,
}

impl Line {
    pub fn domain(self) -> Domain {
        match self {
            Line::Reals => Domain::Reals,
            Line::Positive => Domain::Positive,
            Line::Unit => Domain::Interval { lower: 0.0, upper: 1.0 },
            Line::Ball => Domain::Interval { lower: -1.0, upper: 1.0 },
        }
    }

    /// Mostly all of ℝ.
    pub fn any(choose: &mut Chooser) -> Line {
        choose.pick(&[
            Line::Reals,
            Line::Reals,
            Line::Reals,
            Line::Reals,
            Line::Positive,
            Line::Unit,
            Line::Ball,
        ])
    }

    /// From ℝ, strictly increasing: the places at which ranges are tried.
    pub fn carried(self, u: f64) -> f64 {
        match self {
            Line::Reals => u,
            Line::Positive => u.exp(),
            Line::Unit => 1.0 / (1.0 + (-u).exp()),
            Line::Ball => (0.5 * u).tanh(),
        }
    }

    pub fn contains(self, value: f64) -> bool {
        self.domain().contains(&[value])
    }
}

/// ±10ᵘ for |u| ≤ 300: half of the time near 1.
pub fn scale(choose: &mut Chooser) -> f64 {
    let reach = choose.pick(&[1.5, 1.5, 4.0, 12.0, 40.0, 300.0]);
    10f64.powf(reach * choose.number())
}

/// A place: 0, near 1, or anywhere, of either sign.
pub fn place(choose: &mut Chooser) -> f64 {
    match choose.below(6) {
        0 => 0.0,
        1 => -0.0,
        2 | 3 => 3.0 * choose.number(),
        _ => scale(choose) * choose.number().signum(),
    }
}
