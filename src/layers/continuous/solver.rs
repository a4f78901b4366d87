//! Fixed-step solvers of dz/dt = v(z, t), recorded step by step.
//!
//! The state of a density is the point and ∫ tr ∂v/∂z dt: both are integrated by one method with the same
//! stages.

use std::fmt;

use crate::tape::Var;

/// Numerical method for a differential equation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Solver {
    /// Explicit Euler method, z + h·v(z, t): global error O(h).
    Euler,
    /// Classical fourth-order Runge-Kutta method, four evaluations of v a step: global error O(h⁴).
    RungeKutta4,
}

impl fmt::Display for Solver {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Solver::Euler => "Euler",
            Solver::RungeKutta4 => "Runge-Kutta",
        })
    }
}

/// Time derivative of a state.
#[derive(Clone, Copy)]
pub(super) struct Rate<'t> {
    /// dz/dt.
    pub v: Var<'t>,
    /// tr ∂v/∂z, if it was requested.
    pub divergence: Option<Var<'t>>,
}

impl Solver {
    /// Returns the final state and the integral of the divergence.
    pub(super) fn integrate<'t>(
        self,
        start: Var<'t>,
        (from, to): (f64, f64),
        steps: usize,
        mut rate: impl FnMut(Var<'t>, f64) -> Rate<'t>,
    ) -> (Var<'t>, Option<Var<'t>>) {
        let h = (to - from) / steps as f64;
        let time = |k: f64| from + h * k;
        let (mut z, mut integral) = (start, None);
        for k in 0..steps {
            let k = k as f64;
            let mean = match self {
                Solver::Euler => rate(z, time(k)),
                Solver::RungeKutta4 => {
                    let first = rate(z, time(k));
                    let second = rate(z + (h / 2.0) * first.v, time(k + 0.5));
                    let third = rate(z + (h / 2.0) * second.v, time(k + 0.5));
                    let fourth = rate(z + h * third.v, time(k + 1.0));
                    weighted([first, second, third, fourth])
                }
            };
            z = z + h * mean.v;
            integral = match (integral, mean.divergence) {
                (Some(sum), Some(divergence)) => Some(sum + h * divergence),
                (_, divergence) => divergence.map(|divergence| h * divergence),
            };
        }
        (z, integral)
    }
}

/// Records (a + 2b + 2c + d)/6.
fn weighted(rates: [Rate<'_>; 4]) -> Rate<'_> {
    let divergence = match rates.map(|rate| rate.divergence) {
        [Some(a), Some(b), Some(c), Some(d)] => Some(simpson([a, b, c, d])),
        _ => None,
    };
    Rate { v: simpson(rates.map(|rate| rate.v)), divergence }
}

fn simpson<'t>([a, b, c, d]: [Var<'t>; 4]) -> Var<'t> {
    ((a + d) + 2.0 * (b + c)) / 6.0
}
