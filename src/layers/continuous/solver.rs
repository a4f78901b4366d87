//! Solvers of dz/dt = v(z, t) by steps of equal length, recorded step after step.
//!
//! The state of a density is the point and its ∫ tr ∂v/∂z dt: both are moved by one method with the same stages.

use std::fmt;

use crate::tape::Var;

/// How a differential equation is solved.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Solver {
    /// z + h·v(z, t): the error of a whole way is of order h.
    Euler,
    /// The classical method of Runge and Kutta, four velocities a step: of order h⁴.
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

/// How fast a state changes.
#[derive(Clone, Copy)]
pub(super) struct Rate<'t> {
    /// dz/dt.
    pub v: Var<'t>,
    /// tr ∂v/∂z, if it is asked for.
    pub divergence: Option<Var<'t>>,
}

impl Solver {
    /// Where the state is at the end, and the integral of the divergence.
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

/// (a + 2b + 2c + d)/6.
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
