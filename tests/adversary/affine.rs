//! Affine maps x = W_k … W₁ z + b whose matrices are formulas of parameters.

use pushforward::prelude::*;

use super::line::scale;
use crate::random_programs::Chooser;

/// Matrices, one after another, that act on a matrix of so many rows whose elements are the variables.
#[derive(Clone, Debug)]
pub struct Affine {
    n: usize,
    rows: usize,
    factors: Vec<Factor>,
}

#[derive(Clone, Copy, Debug)]
struct Factor {
    kind: Kind,
    /// A position of a vector, or of the diagonal.
    at: usize,
    scale: f64,
    transposed: bool,
    inverted: bool,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Kind {
    // Nonsingular for all parameters.
    UnitLower,
    UpperWithPositiveDiagonal,
    /// 1 - 2vvᵀ/vᵀv where an entry of v is 1.
    Reflection,
    /// s + A - Aᵀ
    SkewAndNumber,
    /// s² + V·Vᵀ, V with fewer columns than rows.
    GramAndSquare,
    Permutation,
    // Singular, or undefined, for some.
    Free,
    /// An element of the diagonal is a parameter.
    RawDiagonal,
    /// v is free, and may be 0.
    FreeReflection,
    /// 1 - 2vvᵀ/(vᵀv + s²) is singular where vᵀv = s².
    DampedReflection,
    /// 1 - vvᵀ/vᵀv, of rank n - 1.
    Projection,
    /// s + A + Aᵀ, at A = -s/2.
    SymmetricAndNumber,
    /// A - Aᵀ, at A = 0.
    Skew,
    /// diag(1, … -1 …, 1) + A - Aᵀ, of two variables -1 + a².
    SkewAndSigns,
    /// 1 + u·vᵀ, where uᵀv = -1.
    FreeOuter,
    /// A factor tanh p before the identity.
    ScaleThroughZero,
    /// One variable in the place of another.
    Repeated,
}

const RIGHT: [Kind; 6] = [
    Kind::UnitLower,
    Kind::UpperWithPositiveDiagonal,
    Kind::Reflection,
    Kind::SkewAndNumber,
    Kind::GramAndSquare,
    Kind::Permutation,
];
const WRONG: [Kind; 11] = [
    Kind::Free,
    Kind::RawDiagonal,
    Kind::FreeReflection,
    Kind::DampedReflection,
    Kind::Projection,
    Kind::SymmetricAndNumber,
    Kind::Skew,
    Kind::SkewAndSigns,
    Kind::FreeOuter,
    Kind::ScaleThroughZero,
    Kind::Repeated,
];

impl Affine {
    pub fn any(is_right: bool, choose: &mut Chooser) -> Affine {
        let (n, rows) = (2 + choose.below(4), 1 + choose.below(2));
        let mut kinds: Vec<Kind> = (0..choose.below(3)).map(|_| choose.pick(&RIGHT)).collect();
        let place = choose.below(kinds.len() + 1);
        kinds.insert(place, if is_right { choose.pick(&RIGHT) } else { choose.pick(&WRONG) });
        let factor = |kind: Kind, choose: &mut Chooser| Factor {
            kind,
            at: choose.below(n),
            scale: scale(choose).clamp(0.01, 100.0),
            transposed: choose.chance(0.3),
            // What is singular has no inverse that could be told from a mistake of this generator.
            inverted: RIGHT.contains(&kind) && choose.chance(0.2),
        };
        let factors = kinds.into_iter().map(|kind| factor(kind, choose)).collect();
        Affine { n, rows, factors }
    }

    pub fn is_right(&self) -> bool {
        self.factors.iter().all(|factor| RIGHT.contains(&factor.kind))
    }

    /// Without one of its factors, those that are right first.
    pub fn smaller(&self) -> Vec<Affine> {
        let without = |k: usize| {
            let mut less = self.clone();
            less.factors.remove(k);
            less
        };
        let all = (0..self.factors.len()).map(without);
        all.filter(|less| !less.factors.is_empty() && less.is_right() == self.is_right()).collect()
    }
}

impl Factor {
    fn matrix<'t>(&self, n: usize, tape: &'t Tape) -> Var<'t> {
        let start = |length: usize| (0..length).map(|k| 0.4 - 0.3 * (k % 3) as f64).collect::<Vec<f64>>();
        let matrix = |name: &str, columns: usize| {
            tape.parameter(name, Shape::Matrix(n, columns), Init::Values(start(n * columns)))
        };
        let vector = |name: &str| tape.parameter(name, Shape::Vector(n), Init::Values(start(n)));
        let skew = || matrix("a", n) - matrix("a", n).transpose();
        let one = || tape.identity(n);
        // e_at with the rest of v.
        let with_one = |v: Var<'t>| {
            let entry = |k: usize| if k == self.at { tape.constant(1.0) } else { v.at(k) };
            stack((0..n).map(entry))
        };
        let reflection =
            |v: Var<'t>, strength: f64, more: f64| one() - (strength / (v.dot(v) + more)) * v.outer(v);
        let result = match self.kind {
            Kind::UnitLower => one() + tape.mask(n, n, |i, j| i > j) * matrix("w", n),
            Kind::UpperWithPositiveDiagonal => {
                tape.mask(n, n, |i, j| i < j) * matrix("w", n) + vector("l").exp().diagonal_matrix()
            }
            Kind::Reflection => reflection(with_one(vector("v")), 2.0, 0.0),
            Kind::SkewAndNumber => self.scale * one() + skew(),
            Kind::GramAndSquare => {
                let v = matrix("v", 1 + self.at % (n - 1));
                self.scale * one() + v.matmul(v.transpose())
            }
            Kind::Permutation => {
                let to = |i: usize| (i + self.at) % n;
                tape.mask(n, n, |i, j| to(i) == j) * 1.0
            }
            Kind::Free => matrix("w", n),
            Kind::RawDiagonal => {
                let l = vector("l");
                let entry = |k: usize| if k == self.at { l.at(k) } else { l.at(k).exp() };
                tape.mask(n, n, |i, j| i > j) * matrix("w", n) + stack((0..n).map(entry)).diagonal_matrix()
            }
            Kind::FreeReflection => reflection(vector("v"), 2.0, 0.0),
            Kind::DampedReflection => reflection(vector("v"), 2.0, self.scale),
            Kind::Projection => reflection(with_one(vector("v")), 1.0, 0.0),
            Kind::SymmetricAndNumber => self.scale * one() + matrix("a", n) + matrix("a", n).transpose(),
            Kind::Skew => skew(),
            Kind::SkewAndSigns => {
                let sign = |k: usize| if k == self.at { -1.0 } else { 1.0 };
                let signs: Vec<f64> =
                    (0..n * n).map(|e| if e / n == e % n { sign(e / n) } else { 0.0 }).collect();
                tape.matrix(n, n, &signs) + skew()
            }
            Kind::FreeOuter => one() + vector("u").outer(vector("v")),
            Kind::ScaleThroughZero => tape.parameter("p", Shape::Scalar, Init::Constant(0.7)).tanh() * one(),
            // A gather, in `forward`.
            Kind::Repeated => one(),
        };
        let result = if self.transposed { result.transpose() } else { result };
        if self.inverted { result.inverse() } else { result }
    }
}

impl Bijection for Affine {
    fn dim(&self) -> usize {
        self.rows * self.n
    }

    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let (n, rows, tape) = (self.n, self.rows, z.tape());
        let mut at = if rows == 1 { z } else { z.reshape(Shape::Matrix(rows, n)) };
        for (k, factor) in self.factors.iter().enumerate() {
            if factor.kind == Kind::Repeated {
                let positions: Vec<usize> =
                    (0..rows * n).map(|i| if i == factor.at { (i + 1) % (rows * n) } else { i }).collect();
                let flat =
                    if rows == 1 { at } else { at.reshape(Shape::Vector(rows * n)) }.gather(&positions);
                at = if rows == 1 { flat } else { flat.reshape(Shape::Matrix(rows, n)) };
                continue;
            }
            let matrix = tape.scope(&format!("w{k}"), || factor.matrix(n, tape));
            at = if rows == 1 { matrix.matvec(at) } else { at.matmul(matrix.transpose()) };
        }
        let offset = tape.parameter("offset", Shape::Vector(rows * n), Init::Constant(0.1));
        (if rows == 1 { at } else { at.reshape(Shape::Vector(rows * n)) }) + offset
    }
}
