//! Exercise 23.

use pushforward::prelude::*;

use pushforward_course::lessons::residual_flows::judge;

use super::{Changing, Restricted, Told, Undone};

#[path = "../../../solutions/23_residual_flows.rs"]
mod solution;
#[allow(clippy::all, unused, reason = "it is not finished")]
#[path = "../../../starts/23_residual_flows.rs"]
mod start;

fn w<'t>(z: Var<'t>) -> Var<'t> {
    z.tape().parameter("W", Shape::Matrix(2, 2), Init::Values(vec![0.5, 0.2, -0.3, 0.4]))
}

fn b<'t>(z: Var<'t>) -> Var<'t> {
    z.tape().parameter("b", Shape::Vector(2), Init::Constant(0.1))
}

bijections! {
    Shrunk 2 Dense "A small factor, and any W." |z| z + 0.1 * (w(z).matvec(z) + b(z)).tanh();
    Entries 2 Dense "Each entry is bounded, and the matrix stretches by up to 1.8." |z| z + ((0.9 * w(z).tanh()).matvec(z) + b(z)).tanh();
    Largest 2 Dense "Divided by a norm that is smaller than that of the matrix." |z| {
        let w = w(z);
        let norm = w.abs().max_element();
        z + ((w * (0.9 / (1.0 + norm))).matvec(z) + b(z)).tanh()
    };
    Triangle 2 LowerTriangular "Triangular." |z| {
        let a = z.tape().parameter("a", Shape::Scalar, Init::Constant(0.3));
        stack([z.at(0), z.at(1) + (a * z.at(0)).tanh()])
    };
    Straight 2 Dense "Linear." |z| {
        let w = w(z);
        z + (w * (0.9 / (1.0 + (w * w).sum()).sqrt())).matvec(z) + b(z)
    };
    Still 2 Dense "Nothing is learned." |z| z + 0.3 * z.tape().matrix(2, 2, &[1.0, 1.0, -1.0, 1.0]).matvec(z).tanh();
    Path 2 Dense "A path, and no dependence." |z| {
        let a = z.tape().parameter("a", Shape::Scalar, Init::Constant(0.3));
        stack([z.at(0) + 0.4 * (a.tanh() * z.at(0)).tanh() + (z.at(1) - z.at(1)), z.at(1) + 0.3 * z.at(0).tanh()])
    };
    Edge 2 Dense "Exactly 1: some weights come as near to it as one likes, and g is minus z near 0." |z| {
        let w = w(z);
        z - 1.5 * ((w * (1.0 / (0.5 + (w * w).sum()).sqrt())).matvec(z) + b(z)).tanh()
    };
    Near 2 Dense "Bounded for weights up to 20." |z| {
        let w = w(z);
        let size = (w * w).sum();
        let bound = (1.0 + size.min(800.0)).sqrt();
        z + ((w * (0.9 / bound)).matvec(z) + b(z)).tanh()
    };
    Far 2 Dense "Bounded for weights up to 10⁵." |z| {
        let w = w(z);
        let bound = (1.0 + (w * w).sum().min(1e10)).sqrt();
        z + ((w * (0.9 / bound)).matvec(z) + b(z)).tanh()
    };
    Sums 2 Dense "By row and column sums." |z| {
        let w = w(z);
        let ones = z.tape().constant(1.0).broadcast(Shape::Vector(2));
        let rows = w.abs().matvec(ones).max_element();
        let columns = w.abs().transpose().matvec(ones).max_element();
        z + ((w * (0.8 / (1.0 + rows * columns).sqrt())).matvec(z) + b(z)).tanh()
    };
    Half 2 Dense "sin, and half of a bounded matrix." |z| {
        let w = w(z);
        z + 0.5 * ((w / (1.0 + (w * w).sum().sqrt())).matvec(z) + b(z)).sin()
    };
}

/// The library's, which is one, too.
struct Library(Residual);

impl Bijection for Library {
    fn dim(&self) -> usize {
        2
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        self.0.forward(z)
    }
}

#[test]
fn exercise_23() {
    Told::of(judge::EXERCISE)
        .wrong("the starting file", || judge::judge(&start::Step))
        .wrong("a small factor in front", || judge::judge(&Shrunk))
        .wrong("each entry is bounded", || judge::judge(&Entries))
        .wrong("divided by the largest entry", || judge::judge(&Largest))
        .wrong("triangular", || judge::judge(&Triangle))
        .wrong("linear", || judge::judge(&Straight))
        .wrong("nothing is learned", || judge::judge(&Still))
        .wrong("a path taken for a dependence", || judge::judge(&Path))
        .wrong("a constant above 1", || judge::judge(&Edge))
        .wrong("bounded for small weights only", || judge::judge(&Near))
        .wrong("bounded for weights up to 10⁵ only", || judge::judge(&Far))
        .wrong("z lies in (-1, 1)²", || judge::judge(&Restricted(solution::Step)))
        .wrong("an inverse that is none", || judge::judge(&Undone(solution::Step)))
        .wrong("another map from the fifth call on", || {
            judge::judge(&Changing::new(solution::Step, start::Step))
        })
        .right("by row and column sums", || judge::judge(&Sums))
        .right("half of a sine", || judge::judge(&Half))
        .right("the library's residual layer", || judge::judge(&Library(Residual::new(2, [3]))))
        .solved(|| judge::judge(&solution::Step));
}
