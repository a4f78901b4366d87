//! Planar, radial and Sylvester flows.
//!
//! x = z + û·tanh(wᵀz + b), x = z + β·(z - c)/(α + |z - c|), and x = z + Q·R·tanh(R̃·Qᵀz + b). Their Jacobians are dense:
//! the identity and a few directions.
//!
//! Sources: Rezende and Mohamed, "Variational Inference with Normalizing Flows" (2015), eqs. 10 and 14, and appendix A.1
//! and A.2 for the constraints that make them one-to-one for all parameters; van den Berg, Hasenclever, Tomczak, Welling,
//! "Sylvester Normalizing Flows for Variational Inference" (2018), eqs. 5 and 13.

use std::panic::Location;

#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::bijection::{Bijection, Checked, solve_increasing};
use crate::tape::{Init, Shape, Tape, Var, select, stack};

/// Planar flow x = z + û·tanh(wᵀz + b), with û = u + (softplus(wᵀu) - 1 - wᵀu)·w/wᵀw, so that wᵀû > -1.
///
/// Parameters: `w`, `u` and `b`; for w = 0, û = u, and the layer is a shift.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Planar {
    d: usize,
    constrained: bool,
}

impl Planar {
    /// Builds the layer of d variables, a bijection for all parameters.
    ///
    /// # Panics
    /// When there is no variable.
    pub fn new(d: usize) -> Planar {
        Planar { d, constrained: true }.checked()
    }

    /// Takes û = u: a bijection only where wᵀu > -1.
    pub fn unconstrained(self) -> Planar {
        Planar { constrained: false, ..self }
    }

    /// w, û and b.
    fn parameters<'t>(&self, tape: &'t Tape) -> (Var<'t>, Var<'t>, Var<'t>) {
        let shape = Shape::Vector(self.d);
        let w = tape.parameter("w", shape, Init::Values(vec![(self.d as f64).sqrt().recip(); self.d]));
        let u = tape.parameter("u", shape, Init::Constant(0.0));
        let b = tape.parameter("b", Shape::Scalar, Init::Constant(0.0));
        if !self.constrained {
            return (w, u, b);
        }
        let (along, square) = (w.dot(u), w.dot(w));
        // For w = 0 any u does.
        let more = select(square.le(0.0), 0.0, (along.softplus() - 1.0 - along) / square);
        (w, u + more * w, b)
    }
}

impl Checked for Planar {
    fn fault(&self) -> Option<String> {
        (self.d == 0).then(|| "a planar flow has at least one variable".to_string())
    }
}

impl Bijection for Planar {
    fn dim(&self) -> usize {
        self.d
    }

    #[track_caller]
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z.tape().called_from(Location::caller(), || {
            let (w, u, b) = self.parameters(z.tape());
            z + (w.dot(z) + b).tanh() * u
        })
    }

    /// Along w the flow is a function of one number, t = wᵀz: t + wᵀû·tanh(t + b) = wᵀx. The rest follows.
    #[track_caller]
    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        x.tape().called_from(Location::caller(), || {
            let (w, u, b) = self.parameters(x.tape());
            let (along, wanted) = (w.dot(u), w.dot(x));
            let everywhere = (f64::NEG_INFINITY, f64::INFINITY);
            let t = solve_increasing(x.tape(), Shape::Scalar, everywhere, |t| {
                t + along * (t + b).tanh() - wanted
            })?;
            Some(x - (t + b).tanh() * u)
        })
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("planar", self)
    }
}

/// Radial flow x = z + β·(z - c)/(α + |z - c|), with α = softplus(`alpha`) and β = softplus(`beta`) - α, so that β > -α.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Radial {
    d: usize,
    constrained: bool,
}

impl Radial {
    /// Builds the layer of d variables, a bijection for all parameters.
    ///
    /// # Panics
    /// When there is no variable.
    pub fn new(d: usize) -> Radial {
        Radial { d, constrained: true }.checked()
    }

    /// Takes α and β as they are: a bijection only where α > 0 and β > -α.
    pub fn unconstrained(self) -> Radial {
        Radial { constrained: false, ..self }
    }

    /// c, α and β.
    fn parameters<'t>(&self, tape: &'t Tape) -> (Var<'t>, Var<'t>, Var<'t>) {
        let centre = tape.parameter("centre", Shape::Vector(self.d), Init::Constant(0.0));
        let alpha = tape.parameter("alpha", Shape::Scalar, Init::Constant(1.0));
        let beta = tape.parameter("beta", Shape::Scalar, Init::Constant(1.0));
        match self.constrained {
            true => (centre, alpha.softplus(), beta.softplus() - alpha.softplus()),
            false => (centre, alpha, beta),
        }
    }
}

impl Checked for Radial {
    fn fault(&self) -> Option<String> {
        (self.d == 0).then(|| "a radial flow has at least one variable".to_string())
    }
}

impl Bijection for Radial {
    fn dim(&self) -> usize {
        self.d
    }

    #[track_caller]
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z.tape().called_from(Location::caller(), || {
            let (centre, alpha, beta) = self.parameters(z.tape());
            let off = z - centre;
            z + (beta / (alpha + off.norm())) * off
        })
    }

    /// The flow keeps directions from c: the radius solves r·(1 + β/(α + r)) = |x - c|.
    #[track_caller]
    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        x.tape().called_from(Location::caller(), || {
            let (centre, alpha, beta) = self.parameters(x.tape());
            let off = x - centre;
            // r² + (α + β - s)·r - α·s = 0 with s = |x - c|: the positive root, without cancellation.
            let s = off.norm();
            let half = 0.5 * (s - alpha - beta);
            let root = (half * half + alpha * s).sqrt();
            let radius = select(half.lt(0.0), alpha * s / (root - half), half + root);
            Some(centre + ((alpha + radius) / (alpha + radius + beta)) * off)
        })
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("radial", self)
    }
}

/// The largest |rᵢᵢ| of a Sylvester flow whose diagonals are bounded.
const SHORTER: f64 = 1.0 - 1e-5;

/// Sylvester flow x = z + Q·R·tanh(R̃·Qᵀz + b) with a fixed Q of orthonormal columns, and upper triangular R (`r`) and R̃
/// (`r_tilde`) of m hidden units.
///
/// The diagonals are bounded so that rᵢᵢ·r̃ᵢᵢ > -1, which makes it one-to-one for all parameters; unless it is `unconstrained`. That
/// is proven where the columns of Q are orthogonal in exact arithmetic, as axes are, and checked where they are rounded.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Sylvester {
    d: usize,
    units: usize,
    /// By rows, d×m.
    q: Vec<f64>,
    constrained: bool,
}

impl Sylvester {
    /// Builds the layer with this Q, by rows, of d rows and orthonormal columns.
    ///
    /// # Panics
    /// When the numbers do not fill d rows, there are more columns than rows, or they are not orthonormal to 10⁻⁶.
    pub fn new(d: usize, q: impl Into<Vec<f64>>) -> Sylvester {
        let q = q.into();
        let units = q.len().checked_div(d).unwrap_or(0);
        Sylvester { d, units, q, constrained: true }.checked()
    }

    /// Takes R and R̃ as they are: a bijection only where rᵢᵢ·r̃ᵢᵢ > -1.
    pub fn unconstrained(self) -> Sylvester {
        Sylvester { constrained: false, ..self }
    }

    /// R and R̃.
    fn factors<'t>(&self, tape: &'t Tape) -> (Var<'t>, Var<'t>) {
        let m = self.units;
        let shape = Shape::Matrix(m, m);
        let [r, other] = ["r", "r_tilde"].map(|name| tape.parameter(name, shape, Init::Constant(0.0)));
        if !self.constrained {
            let upper = tape.mask(m, m, |i, j| j >= i);
            return (r * upper, other * upper);
        }
        // |rᵢᵢ·r̃ᵢᵢ| < 1 (section 3.2), by more than the columns of a Q in floating point may be longer than 1.
        let above = tape.mask(m, m, |i, j| j > i);
        let triangular = |matrix: Var<'t>, diagonal: Var<'t>| matrix * above + diagonal.diagonal_matrix();
        let own = triangular(r, SHORTER * r.diagonal().tanh());
        let turned = triangular(other, other.diagonal().tanh());
        (own, turned)
    }
}

impl Checked for Sylvester {
    fn fault(&self) -> Option<String> {
        let Sylvester { d, units, q, .. } = self;
        if *d == 0 || *units == 0 || units > d || q.len() != d * units {
            return Some(format!(
                "a Sylvester flow needs d×m numbers with m from 1 to d, not {} for d = {d}",
                q.len()
            ));
        }
        let product = |i: usize, j: usize| (0..*d).map(|k| q[k * units + i] * q[k * units + j]).sum::<f64>();
        let off = |(i, j): (usize, usize)| (product(i, j) - f64::from(u8::from(i == j))).abs();
        let worst = (0..*units).flat_map(|i| (0..*units).map(move |j| (i, j))).map(off).fold(0.0, f64::max);
        (worst.is_nan() || worst > 1e-6)
            .then(|| format!("the columns of Q are not orthonormal: off by {worst:e}"))
    }
}

impl Bijection for Sylvester {
    fn dim(&self) -> usize {
        self.d
    }

    #[track_caller]
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z.tape().called_from(Location::caller(), || {
            let tape = z.tape();
            let q = tape.matrix(self.d, self.units, &self.q);
            let b = tape.parameter("b", Shape::Vector(self.units), Init::Constant(0.0));
            let (r, other) = self.factors(tape);
            let hidden = (other.matvec(q.transpose().matvec(z)) + b).tanh();
            z + q.matvec(r.matvec(hidden))
        })
    }

    /// In the m directions y = Qᵀz the flow is upper triangular: one monotone equation after another, from the last.
    #[track_caller]
    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        x.tape().called_from(Location::caller(), || {
            let (tape, m) = (x.tape(), self.units);
            let q = tape.matrix(self.d, m, &self.q);
            let b = tape.parameter("b", Shape::Vector(m), Init::Constant(0.0));
            let (r, other) = self.factors(tape);
            let wanted = q.transpose().matvec(x);
            let entry = |matrix: Var<'t>, i: usize, j: usize| matrix.row(i).at(j);
            let mut y: Vec<Option<Var<'t>>> = vec![None; m];
            let mut hidden: Vec<Option<Var<'t>>> = vec![None; m];
            for i in (0..m).rev() {
                let beyond = |of: &[Option<Var<'t>>], matrix: Var<'t>, start: Var<'t>| {
                    let known = (i + 1..m).filter_map(|j| Some(entry(matrix, i, j) * of[j]?));
                    known.fold(start, |sum, next| sum + next)
                };
                let inside = beyond(&y, other, b.at(i));
                let rest = beyond(&hidden, r, -wanted.at(i));
                let unit = |t: Var<'t>| (entry(other, i, i) * t + inside).tanh();
                let everywhere = (f64::NEG_INFINITY, f64::INFINITY);
                let t = solve_increasing(tape, Shape::Scalar, everywhere, |t| {
                    t + entry(r, i, i) * unit(t) + rest
                })?;
                (y[i], hidden[i]) = (Some(t), Some(unit(t)));
            }
            let hidden: Option<Vec<Var<'t>>> = hidden.into_iter().collect();
            Some(x - q.matvec(r.matvec(stack(hidden?))))
        })
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("sylvester", self)
    }
}
