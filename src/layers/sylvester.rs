//! Sylvester flows: x = z + Q·R·tanh(R̃·Qᵀz + b).
//!
//! Of a fixed Q the Jacobian is the identity and as many directions as there are hidden units. A Q that is learned is a product
//! of reflections, and the flow a triangular map between two orthogonal ones.
//!
//! Source: van den Berg, Hasenclever, Tomczak, Welling, "Sylvester Normalizing Flows for Variational Inference" (2018), eqs. 5
//! and 13, and section 3.3 for Householder reflections.

use std::panic::Location;

use super::orthogonal::reflections;
#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::bijection::{Bijection, Checked, solve_increasing};
use crate::tape::{Init, Shape, Tape, Var, concat, stack};

/// The largest |rᵢᵢ| of a Sylvester flow whose diagonals are bounded.
const SHORTER: f64 = 1.0 - 1e-5;

/// Sylvester flow x = z + Q·R·tanh(R̃·Qᵀz + b) with a Q of orthonormal columns, and upper triangular R (`r`) and R̃
/// (`r_tilde`) of m hidden units.
///
/// The diagonals are bounded so that rᵢᵢ·r̃ᵢᵢ > -1, which makes it one-to-one for all parameters; unless it is `unconstrained`. With
/// a fixed Q that is proven where its columns are orthogonal in exact arithmetic, as axes are, and checked where they are rounded.
/// [`Sylvester::householder`] has a Q that is learned and orthogonal for all parameters, and is proven.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Sylvester {
    d: usize,
    units: usize,
    /// By rows, d×m; empty where Q is a product of reflections.
    #[cfg_attr(feature = "serde", serde(default))]
    q: Vec<f64>,
    /// How many reflections Q is a product of; 0 where it is fixed.
    #[cfg_attr(feature = "serde", serde(default, skip_serializing_if = "is_zero"))]
    reflections: usize,
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
        Sylvester { d, units, q, reflections: 0, constrained: true }.checked()
    }

    /// Builds the layer with the first m columns of a product of Householder reflections as Q, whose vectors are the parameter
    /// `vectors`, as those of a [`Householder`](super::Householder) layer (section 3.3, *H-SNF*).
    ///
    /// It is recorded as x = Q(y + R·tanh(R̃·y + b)) with y = Qᵀz for a square Q, the sum over the first m elements of y: a
    /// triangular map between two orthogonal ones.
    ///
    /// # Panics
    /// When there is no unit, there are more of them than variables, or there is no reflection.
    pub fn householder(d: usize, units: usize, reflections: usize) -> Sylvester {
        let fixed = Sylvester { d, units, q: Vec::new(), reflections, constrained: true };
        if reflections == 0 {
            panic!("a Q of reflections needs at least one");
        }
        fixed.checked()
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

/// Qᵀz for Q = H₁ ⋯ H_k, of all d directions.
fn into_directions<'t>(q: &[Var<'t>], z: Var<'t>) -> Var<'t> {
    q.iter().fold(z, |z, reflection| reflection.matvec(z))
}

/// Q·y.
fn out_of_directions<'t>(q: &[Var<'t>], y: Var<'t>) -> Var<'t> {
    q.iter().rev().fold(y, |y, reflection| reflection.matvec(y))
}

impl Sylvester {
    /// The first m elements, and the others of y.
    fn with_rest<'t>(&self, first: Var<'t>, y: Var<'t>) -> Var<'t> {
        if self.units == self.d { first } else { concat([first, y.slice(self.units..self.d)]) }
    }
}

/// Whether a number need not be written.
#[cfg(feature = "serde")]
fn is_zero(number: &usize) -> bool {
    *number == 0
}

impl Checked for Sylvester {
    fn fault(&self) -> Option<String> {
        let Sylvester { d, units, q, reflections, .. } = self;
        if *reflections > 0 {
            let sound = *d > 0 && *units > 0 && units <= d && q.is_empty();
            return (!sound).then(|| {
                format!("a Sylvester flow of reflections has 1 to d hidden units and no fixed Q, not {units} units for d = {d}")
            });
        }
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
            let b = tape.parameter("b", Shape::Vector(self.units), Init::Constant(0.0));
            let (r, other) = self.factors(tape);
            let added = |y: Var<'t>| r.matvec((other.matvec(y) + b).tanh());
            if self.reflections > 0 {
                let q = reflections(tape, self.d, self.reflections);
                let y = into_directions(&q, z);
                let first = y.slice(0..self.units);
                return out_of_directions(&q, self.with_rest(first + added(first), y));
            }
            let q = tape.matrix(self.d, self.units, &self.q);
            z + q.matvec(added(q.transpose().matvec(z)))
        })
    }

    /// In the m directions y = Qᵀz the flow is upper triangular: one monotone equation after another, from the last.
    #[track_caller]
    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        x.tape().called_from(Location::caller(), || {
            let (tape, m) = (x.tape(), self.units);
            let fixed = (self.reflections == 0).then(|| tape.matrix(self.d, m, &self.q));
            let learned = match fixed {
                Some(_) => Vec::new(),
                None => reflections(tape, self.d, self.reflections),
            };
            let b = tape.parameter("b", Shape::Vector(m), Init::Constant(0.0));
            let (r, other) = self.factors(tape);
            let wanted = match fixed {
                Some(q) => q.transpose().matvec(x),
                None => into_directions(&learned, x),
            };
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
            let Some(q) = fixed else {
                let y: Option<Vec<Var<'t>>> = y.into_iter().collect();
                return Some(out_of_directions(&learned, self.with_rest(stack(y?), wanted)));
            };
            let hidden: Option<Vec<Var<'t>>> = hidden.into_iter().collect();
            Some(x - q.matvec(r.matvec(stack(hidden?))))
        })
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("sylvester", self)
    }
}
