//! Maps of two variables onto a curve, by one identity: none is a bijection, and det J is 0 everywhere.

use pushforward::prelude::*;

use super::line::scale;
use crate::random_programs::Chooser;

#[derive(Clone, Debug)]
pub struct Singular {
    pub kind: usize,
    /// A factor of the second row.
    pub factor: f64,
    pub lower: bool,
    pub swapped: bool,
}

const KINDS: usize = 18;

impl Singular {
    pub fn any(choose: &mut Chooser) -> Singular {
        let kind = choose.below(KINDS);
        Singular { kind, factor: scale(choose), lower: choose.chance(0.5), swapped: choose.chance(0.5) }
    }

    /// The first row sees z₁ alone.
    fn is_lower(&self) -> bool {
        self.lower && self.kind < 11
    }
}

impl Bijection for Singular {
    fn dim(&self) -> usize {
        2
    }

    fn structure(&self) -> Structure {
        if self.is_lower() { Structure::LowerTriangular } else { Structure::Dense }
    }

    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let (a, b, tape) = (z.at(0), z.at(1), z.tape());
        let c = self.factor;
        let [x, y] = match self.kind {
            // One function, written twice.
            0 => [a, a],
            1 => [a, c * a],
            2 => [a.tanh(), (1.0 - (-2.0 * a).exp()) / (1.0 + (-2.0 * a).exp())],
            3 => [a.sinh(), 0.5 * (a.exp() - (-a).exp())],
            4 => [a.sigmoid(), 1.0 - (-a).sigmoid()],
            5 => [a.softplus(), a + (-a).softplus()],
            6 => [a.asinh(), (a + (1.0 + a * a).sqrt()).ln()],
            7 => [a.exp(), (-a).exp().recip()],
            // The second variable cancels.
            8 => [a, a + b - b],
            9 => [a, c * a.sinh() + b.sin().powi(2) + b.cos().powi(2)],
            10 => [a, (a + b).exp() * (-b).exp()],
            11 => [a + b, c * (a + b)],
            12 => [a + b, (a + b).powi(3) + (b + a)],
            13 => [a * b.exp(), a.abs().ln() + b],
            // Matrices: rows in proportion, and a mask of zeros of either sign.
            14 => return tape.matrix(2, 2, &[1.5, -0.25, 3.0, -0.5]).matvec(z) * c,
            15 | 16 => {
                let weight =
                    tape.parameter("weight", Shape::Matrix(2, 2), Init::Values(vec![1.0, 0.5, -0.3, 2.0]));
                let zero = if self.kind == 15 { -0.0 } else { 0.0 };
                let mask = if self.swapped { [1.0, zero, -0.0, 0.0] } else { [zero, 1.0, -0.0, 1.0] };
                return (weight * tape.matrix(2, 2, &mask)).matvec(z);
            }
            _ => {
                let row = tape.parameter("row", Shape::Vector(2), Init::Values(vec![0.7, -0.4]));
                return row.outer(row).matvec(z);
            }
        };
        if self.swapped && !self.is_lower() { stack([y, x]) } else { stack([x, y]) }
    }
}
