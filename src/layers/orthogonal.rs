//! Orthogonal linear layers: products of Householder reflections, and Cayley transforms.
//!
//! x = Q z with Qᵀ Q = 1, for all parameters: ln|det Q| = 0, and the inverse is Qᵀ.
//!
//! Sources: Tomczak and Welling, "Improving Variational Auto-Encoders using Householder Flow" (2016), eq. 9; Cayley, "Sur
//! quelques propriétés des déterminants gauches" (1846).

use std::panic::Location;

#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::bijection::{Bijection, Checked};
use crate::tape::{Init, Shape, Tape, Var, concat, stack};

/// A product of reflections x = H_k … H₁ z with H = 1 - 2·v·vᵀ/vᵀv; the first is applied first.
///
/// A reflection does not depend on the length of its v, so that one entry can be 1: in the k-th, entry k (modulo d). Then no
/// v is 0, whatever the parameter `vectors` is, which holds the d - 1 other entries of each.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Householder {
    d: usize,
    reflections: usize,
}

impl Householder {
    /// Builds the layer of d variables with this many reflections; d of them come near to every orthogonal matrix with
    /// their determinant.
    ///
    /// # Panics
    /// When there is no variable or no reflection.
    pub fn new(d: usize, reflections: usize) -> Householder {
        Householder { d, reflections }.checked()
    }

    /// Records the reflections, the first first.
    fn matrices<'t>(&self, tape: &'t Tape) -> Vec<Var<'t>> {
        reflections(tape, self.d, self.reflections)
    }
}

/// Records so many reflections of d variables, the first first.
pub(super) fn reflections<'t>(tape: &'t Tape, d: usize, count: usize) -> Vec<Var<'t>> {
    let others = match d {
        1 => None,
        _ => Some(tape.parameter("vectors", Shape::Matrix(count, d - 1), Init::Constant(0.0))),
    };
    (0..count)
        .map(|k| {
            let one = tape.constant(1.0);
            let v = match others.map(|others| others.row(k)) {
                None => stack([one]),
                Some(row) => {
                    let own = k % d;
                    let before = (own > 0).then(|| row.slice(0..own));
                    let after = (own + 1 < d).then(|| row.slice(own..d - 1));
                    concat([before, Some(stack([one])), after].into_iter().flatten())
                }
            };
            tape.identity(d) - (2.0 / v.dot(v)) * v.outer(v)
        })
        .collect()
}

impl Checked for Householder {
    fn fault(&self) -> Option<String> {
        let Householder { d, reflections } = *self;
        let sound = d > 0 && reflections > 0;
        (!sound).then(|| format!("reflections need a variable and a vector, not {d} and {reflections}"))
    }
}

impl Bijection for Householder {
    fn dim(&self) -> usize {
        self.d
    }

    #[track_caller]
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z.tape().called_from(Location::caller(), || {
            self.matrices(z.tape()).into_iter().fold(z, |z, reflection| reflection.matvec(z))
        })
    }

    /// A reflection is its own inverse: nothing has to be solved.
    #[track_caller]
    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        x.tape().called_from(Location::caller(), || {
            Some(self.matrices(x.tape()).into_iter().rev().fold(x, |x, reflection| reflection.matvec(x)))
        })
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("householder", self)
    }
}

/// The Cayley transform x = (1 + A)⁻¹·(1 - A)·z of a skew-symmetric matrix A = B - Bᵀ: any rotation without the eigenvalue
/// -1, with 1 + A invertible for all parameters. B is the parameter `skew`.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Cayley {
    d: usize,
}

impl Cayley {
    /// Builds the layer of d variables, initialised to the identity.
    ///
    /// # Panics
    /// When there is no variable.
    pub fn new(d: usize) -> Cayley {
        Cayley { d }.checked()
    }

    /// 1 + A and 1 - A.
    fn matrices<'t>(&self, tape: &'t Tape) -> (Var<'t>, Var<'t>) {
        let b = tape.parameter("skew", Shape::Matrix(self.d, self.d), Init::Constant(0.0));
        let (one, skew) = (tape.identity(self.d), b - b.transpose());
        (one + skew, one - skew)
    }
}

impl Checked for Cayley {
    fn fault(&self) -> Option<String> {
        (self.d == 0).then(|| "a rotation needs at least one variable".to_string())
    }
}

impl Bijection for Cayley {
    fn dim(&self) -> usize {
        self.d
    }

    #[track_caller]
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z.tape().called_from(Location::caller(), || {
            let (plus, minus) = self.matrices(z.tape());
            plus.inverse().matvec(minus.matvec(z))
        })
    }

    #[track_caller]
    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        x.tape().called_from(Location::caller(), || {
            let (plus, minus) = self.matrices(x.tape());
            Some(minus.inverse().matvec(plus.matvec(x)))
        })
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("cayley", self)
    }
}
