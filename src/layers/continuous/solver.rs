//! How dz/dt = v(z, t) is solved.

use std::fmt;

use crate::tape::Method;

/// Numerical method for a differential equation.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Solver {
    /// Explicit Euler method, z + h·v(z, t): global error O(h).
    Euler,
    /// Classical fourth-order Runge-Kutta method, four evaluations of v a step: global error O(h⁴).
    RungeKutta4,
    /// Dormand and Prince's method of orders 5 and 4: each row chooses the sizes of its steps by an estimate of their error
    /// ([`Method::DormandPrince`]).
    DormandPrince {
        /// Tolerated error of a step relative to the size of z.
        relative: f64,
        /// Tolerated error of a step where z is near 0.
        absolute: f64,
    },
}

impl Solver {
    /// The method with this number of steps; of adaptive steps it is the most that are tried.
    pub(super) fn method(self, steps: usize) -> Method {
        match self {
            Solver::Euler => Method::Euler { steps },
            Solver::RungeKutta4 => Method::RungeKutta4 { steps },
            Solver::DormandPrince { relative, absolute } => {
                Method::DormandPrince { relative, absolute, most_steps: steps }
            }
        }
    }

    /// What is wrong with its settings, if anything is.
    pub(super) fn fault(self) -> Option<String> {
        let Solver::DormandPrince { relative, absolute } = self else { return None };
        let sound = relative >= 0.0 && relative.is_finite() && absolute > 0.0 && absolute.is_finite();
        (!sound).then(|| {
            format!(
                "tolerances must be finite, the absolute one positive and the relative one not negative, but are \
                 {absolute} and {relative}"
            )
        })
    }

    /// The method with its steps, in a few words.
    pub(super) fn described(self, steps: usize) -> String {
        let count = if steps == 1 { "step" } else { "steps" };
        match self {
            Solver::DormandPrince { .. } => format!("{self}"),
            _ => format!("{steps} {self} {count}"),
        }
    }
}

impl fmt::Display for Solver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Solver::Euler => f.write_str("Euler"),
            Solver::RungeKutta4 => f.write_str("Runge-Kutta"),
            Solver::DormandPrince { relative, absolute } if relative == absolute => {
                write!(f, "Dormand-Prince steps to {relative:e}")
            }
            Solver::DormandPrince { relative, absolute } => {
                write!(f, "Dormand-Prince steps to {relative:e} relative and {absolute:e} absolute")
            }
        }
    }
}
