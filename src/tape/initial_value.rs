//! Initial-value problems held by nodes: dz/dt = v(z, t) from a time to another, and the adjoints of their solutions.
//!
//! The velocity v is a [`Function`] of z, t and captured nodes, as that of an equation is. A node does not depend on how
//! many steps are taken: they are a loop of the program that runs it.

use std::hash::{Hash, Hasher};
use std::sync::Arc;

use super::{Function, Shape};

/// Numerical method for an initial-value problem.
#[derive(Clone, Copy, Debug)]
#[non_exhaustive]
pub enum Method {
    /// Explicit Euler method with steps of equal size: global error O(h).
    Euler {
        /// Number of steps.
        steps: usize,
    },
    /// Classical Runge-Kutta method with steps of equal size, four evaluations of v each: global error O(h⁴).
    RungeKutta4 {
        /// Number of steps.
        steps: usize,
    },
    /// Dormand and Prince's method of orders 5 and 4, with step sizes that each row chooses by its own error estimate: so
    /// a row's result does not depend on the rows beside it. A step is accepted if the root mean square of
    /// eᵢ/(absolute + relative·max(|zᵢ|, |zᵢ′|)) over the controlled elements is at most 1.
    ///
    /// Source: Dormand and Prince, "A family of embedded Runge-Kutta formulae" (1980); step sizes as in Hairer, Nørsett,
    /// Wanner, "Solving Ordinary Differential Equations I" (1993), section II.4.
    DormandPrince {
        /// Tolerated error of a step relative to |z|.
        relative: f64,
        /// Tolerated error of a step where z is near 0.
        absolute: f64,
        /// Most steps, rejected ones included; a row that needs more is NaN.
        most_steps: usize,
    },
}

impl Method {
    fn key(&self) -> [u64; 4] {
        match *self {
            Method::Euler { steps } => [0, steps as u64, 0, 0],
            Method::RungeKutta4 { steps } => [1, steps as u64, 0, 0],
            Method::DormandPrince { relative, absolute, most_steps } => {
                [2, most_steps as u64, relative.to_bits(), absolute.to_bits()]
            }
        }
    }

    /// Whether step sizes depend on z.
    pub fn is_adaptive(&self) -> bool {
        matches!(self, Method::DormandPrince { .. })
    }
}

impl PartialEq for Method {
    fn eq(&self, other: &Method) -> bool {
        self.key() == other.key()
    }
}

impl Eq for Method {}

impl Hash for Method {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.key().hash(state);
    }
}

/// How derivatives backwards through a solution are computed.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Gradient {
    /// The discrete adjoint of the steps that were taken: exact for what was computed, with step sizes as constants. The
    /// points of all steps are kept in memory meanwhile.
    #[default]
    Discrete,
    /// The adjoint equation dλ/dt = -(∂v/∂z)ᵀλ, solved backwards in time together with z: right to the accuracy of the
    /// solver. Nothing is kept, but each row integrates the gradients of all parameters (Chen et al., "Neural Ordinary
    /// Differential Equations", 2018, algorithm 1).
    Continuous,
}

/// An initial-value problem without its velocity: times, method, and what the steps are controlled by.
#[derive(Clone, Copy, Debug)]
pub struct Integration {
    /// The time of the initial value.
    pub from: f64,
    /// The time of the solution; it may be earlier.
    pub to: f64,
    /// The method.
    pub method: Method,
    /// How derivatives backwards are computed.
    pub gradient: Gradient,
    /// The error of this many elements, from the first on, controls the sizes of steps. Derivatives of a solution are
    /// integrated beside it and take its steps.
    pub controlled: usize,
}

impl Integration {
    /// From a time to another by a method, with the discrete adjoint, and all elements of z in control.
    pub fn new(from: f64, to: f64, method: Method) -> Integration {
        Integration { from, to, method, gradient: Gradient::Discrete, controlled: usize::MAX }
    }
}

impl PartialEq for Integration {
    fn eq(&self, other: &Integration) -> bool {
        let key = |own: &Integration| {
            (own.from.to_bits(), own.to.to_bits(), own.method, own.gradient, own.controlled)
        };
        key(self) == key(other)
    }
}

impl Eq for Integration {}

impl Hash for Integration {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.from.to_bits(), self.to.to_bits()).hash(state);
        (self.method, self.gradient, self.controlled).hash(state);
    }
}

/// dz/dt = v(z, t) between two times.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub struct InitialValue {
    /// v: its inputs are z, t, and the captured nodes.
    pub function: Arc<Function>,
    /// How it is solved.
    pub integration: Integration,
}

impl InitialValue {
    /// The shapes of the captured nodes.
    pub fn captured(&self) -> impl Iterator<Item = Shape> + '_ {
        let inputs = self.function.inputs();
        self.function.nodes().iter().take(inputs).skip(2).map(|node| node.shape)
    }
}

/// What a node computes of an initial-value problem.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum Solution {
    /// z at the end. The operands are z at the beginning, and the captured nodes.
    End(Arc<InitialValue>),
    /// The derivative of wᵀz(end) with respect to z at the beginning (0), or to a captured node (from 1 on), by the
    /// discrete adjoint. The operands are w, z at the beginning, and the captured nodes.
    Adjoint(Arc<InitialValue>, u32),
}

impl Solution {
    /// The name in messages and printed programs.
    pub fn name(&self) -> &'static str {
        match self {
            Solution::End(_) => "initial value problem",
            Solution::Adjoint(..) => "adjoint of an initial value problem",
        }
    }

    /// The problem.
    pub fn problem(&self) -> &Arc<InitialValue> {
        match self {
            Solution::End(problem) | Solution::Adjoint(problem, _) => problem,
        }
    }

    /// Whether operands of these shapes give a result of this shape.
    pub(super) fn gives(&self, operands: &[Shape], shape: Shape) -> bool {
        let problem = self.problem();
        let (state, own) = (
            problem.function.variable(),
            match self {
                Solution::End(_) => operands,
                Solution::Adjoint(..) => match operands.split_first() {
                    Some((weight, rest)) if *weight == problem.function.variable() => rest,
                    _ => return false,
                },
            },
        );
        let [start, captured @ ..] = own else { return false };
        let result = match self {
            Solution::End(_) => Some(state),
            Solution::Adjoint(_, of) => own.get(*of as usize).copied(),
        };
        *start == state && problem.captured().eq(captured.iter().copied()) && result == Some(shape)
    }
}
