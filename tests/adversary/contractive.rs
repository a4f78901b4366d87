//! Residual maps x = z - V·φ(W z + b) whose matrices are divided by a norm, rightly or not.

use pushforward::prelude::*;

use crate::random_programs::Chooser;

#[derive(Clone, Debug)]
pub struct Contractive {
    d: usize,
    width: usize,
    first: Norm,
    second: Norm,
    /// Whether the factor stands after the product W·z.
    behind: bool,
    turned: bool,
    fault: Option<Fault>,
}

/// What a matrix is multiplied by, so that its norm is 0.95 at most.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Norm {
    Frobenius,
    FrobeniusOfSquares,
    RowsAndColumns,
    OneMore,
}

const NORMS: [Norm; 4] = [Norm::Frobenius, Norm::FrobeniusOfSquares, Norm::RowsAndColumns, Norm::OneMore];

/// With each, some parameters make the slope along a line negative.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Fault {
    /// The first matrix may have the norm 1.3.
    TooMuch,
    /// The norm of another matrix.
    Other,
    /// A norm that leaves an element out.
    WithoutAnElement,
    /// The largest element.
    LargestElement,
    /// The largest row sum, without the columns.
    RowsAlone,
    /// The smaller of the norm and a number.
    Smaller,
    /// The norm less a number.
    Less,
    /// The square of the norm, far below it for small matrices.
    Square,
    /// tanh of 1.3 times its argument.
    Steep,
    /// Half of z.
    HalfOfTheIdentity,
    /// Times a parameter.
    Factor,
    /// The sum of all units to every variable.
    Summed,
    /// One unit for all variables.
    ReadTwice,
}

const FAULTS: [Fault; 13] = [
    Fault::TooMuch,
    Fault::Other,
    Fault::WithoutAnElement,
    Fault::LargestElement,
    Fault::RowsAlone,
    Fault::Smaller,
    Fault::Less,
    Fault::Square,
    Fault::Steep,
    Fault::HalfOfTheIdentity,
    Fault::Factor,
    Fault::Summed,
    Fault::ReadTwice,
];

impl Contractive {
    pub fn any(is_right: bool, choose: &mut Chooser) -> Contractive {
        let d = 2 + choose.below(3);
        Contractive {
            d,
            width: 2 + choose.below(3),
            first: choose.pick(&NORMS),
            second: choose.pick(&NORMS),
            behind: choose.chance(0.3),
            turned: choose.chance(0.3),
            fault: (!is_right).then(|| choose.pick(&FAULTS)),
        }
    }

    pub fn is_right(&self) -> bool {
        self.fault.is_none()
    }

    /// The largest constant that the parameters allow, or more.
    fn most(&self) -> f64 {
        0.95
    }

    fn factor<'t>(&self, w: Var<'t>, norm: Norm, fault: Option<Fault>) -> Var<'t> {
        let tape = w.tape();
        let most = self.most();
        let Shape::Matrix(rows, columns) = w.shape() else { panic!("a matrix") };
        let largest = |w: Var<'t>| {
            let Shape::Matrix(_, columns) = w.shape() else { panic!("a matrix") };
            w.abs().matvec(tape.constant(1.0).broadcast(Shape::Vector(columns))).max_element()
        };
        let own = match fault {
            Some(Fault::Other) => tape.parameter("other", w.shape(), Init::Constant(0.1)).norm().max(most),
            Some(Fault::WithoutAnElement) => {
                w.reshape(Shape::Vector(rows * columns)).slice(1..rows * columns).norm().max(most)
            }
            Some(Fault::LargestElement) => w.abs().max_element().max(most),
            Some(Fault::RowsAlone) => largest(w).max(most),
            Some(Fault::Smaller) => w.norm().min(50.0).max(most),
            Some(Fault::Less) => (w.norm() - 0.5).max(most / 2.0),
            Some(Fault::Square) => 0.01 + (w * w).sum(),
            _ => match norm {
                Norm::Frobenius => w.norm().max(most),
                Norm::FrobeniusOfSquares => w.powi(2).sum().sqrt().max(most),
                Norm::RowsAndColumns => (largest(w) * largest(w.transpose())).sqrt().max(most),
                Norm::OneMore => most * (1.0 + w.norm()),
            },
        };
        let most = if fault == Some(Fault::TooMuch) { 1.3 } else { most };
        if self.turned { most * own.recip() } else { most / own }
    }
}

impl Bijection for Contractive {
    fn dim(&self) -> usize {
        self.d
    }

    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let (d, width, tape) = (self.d, self.width, z.tape());
        let start = |count: usize| Init::Values((0..count).map(|k| 0.4 - 0.3 * (k % 3) as f64).collect());
        let w = tape.parameter("w", Shape::Matrix(width, d), start(width * d));
        let v = tape.parameter("v", Shape::Matrix(d, width), start(width * d));
        let b = tape.parameter("b", Shape::Vector(width), Init::Constant(0.1));
        let (one, two) = (self.factor(w, self.first, self.fault), self.factor(v, self.second, None));
        let inside = if self.behind { one * w.matvec(z) } else { (one * w).matvec(z) } + b;
        let inside = if self.fault == Some(Fault::Steep) { 1.3 * inside } else { inside };
        let units = (v * two).matvec(inside.tanh());
        let units = match self.fault {
            Some(Fault::Factor) => units * tape.parameter("c", Shape::Vector(d), Init::Constant(0.3)),
            Some(Fault::Summed) => 0.8 * z.tanh().sum().broadcast(Shape::Vector(d)),
            Some(Fault::ReadTwice) => 1.2 * z.sin().gather(&vec![0; d]),
            _ => units,
        };
        match self.fault {
            Some(Fault::HalfOfTheIdentity) => 0.5 * z - units,
            _ => z - units,
        }
    }
}
