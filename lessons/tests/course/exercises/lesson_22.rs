//! Exercise 22.

use pushforward::prelude::*;

use pushforward_course::lessons::linear_layers::judge;

use super::{Changing, Restricted, Told};

#[path = "../../../solutions/22_linear_layers.rs"]
mod solution;
#[allow(clippy::all, unused, reason = "it is not finished")]
#[path = "../../../starts/22_linear_layers.rs"]
mod start;

fn matrix<'t>(z: Var<'t>, name: &str) -> Var<'t> {
    z.tape().parameter(name, Shape::Matrix(3, 3), Init::Constant(0.1))
}

fn number<'t>(z: Var<'t>, name: &str) -> Var<'t> {
    z.tape().parameter(name, Shape::Scalar, Init::Constant(0.3))
}

/// A rotation in the plane of two variables.
fn turned<'t>(z: Var<'t>, i: usize, j: usize, angle: Var<'t>) -> Var<'t> {
    let mut parts = [z.at(0), z.at(1), z.at(2)];
    let (a, b) = (parts[i], parts[j]);
    parts[i] = a * angle.cos() - b * angle.sin();
    parts[j] = a * angle.sin() + b * angle.cos();
    stack(parts)
}

bijections! {
    Fixed 3 Dense "Full, and nothing is learned." |z| z.tape().matrix(3, 3, &[0.0, 0.0, 1.0, 1.0, 0.0, 2.0, 0.0, 1.0, 3.0]).matvec(z);
    Triangle 3 LowerTriangular "One triangle." |z| (matrix(z, "a") * z.tape().mask(3, 3, |i, j| j < i) + z.tape().identity(3)).matvec(z);
    Scaled 3 Dense "Two triangles, one of which has a learned diagonal." |z| {
        let lower = matrix(z, "a") * z.tape().mask(3, 3, |i, j| j <= i) + z.tape().identity(3);
        let upper = matrix(z, "b") * z.tape().mask(3, 3, |i, j| j > i) + z.tape().identity(3);
        lower.matvec(upper.matvec(z))
    };
    Bent 3 Dense "Volume is kept, and it is not linear." |z| {
        let bent = z + stack([z.at(0) * 0.0, z.at(0).tanh(), z.at(0).sin()]);
        solution::Mix.forward(bent)
    };
    Moved 3 Dense "It has a shift." |z| solution::Mix.forward(z) + z.tape().parameter("c", Shape::Vector(3), Init::Constant(0.2));
    Spread 3 Dense "At the initial parameters only." |z| number(z, "s") / 0.3 * solution::Mix.forward(z);
    Idle 3 Dense "The parameter does nothing." |z| {
        let w = z.tape().matrix(3, 3, &[1.0, 1.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 1.0]);
        let full = w.transpose().matvec(w.matvec(z));
        full + 0.0 * matrix(z, "a").matvec(z)
    };
    Path 3 Dense "A path, and no dependence." |z| {
        let a = matrix(z, "a") * z.tape().mask(3, 3, |i, j| j < i) + z.tape().identity(3);
        let x = a.matvec(z);
        x + (z.at(2) - z.at(2)) * x + (z.at(1) - z.at(1)) * x
    };
    Two 2 Dense "Two variables." |z| z;
    Mirrors 3 Dense "Three reflections, of vectors that are never 0." |z| {
        ["u", "v", "w"].into_iter().enumerate().fold(z, |z, (k, name)| {
            let free = z.tape().parameter(name, Shape::Vector(2), Init::Values(vec![0.4, -0.7]));
            let (a, b, one) = (free.at(0), free.at(1), z.tape().constant(1.0));
            let v = stack(match k { 0 => [one, a, b], 1 => [a, one, b], _ => [a, b, one] });
            z - (2.0 * v.dot(z) / v.dot(v)) * v
        })
    };
    Angles 3 Dense "Rotations in three planes." |z| {
        let z = turned(z, 0, 1, number(z, "alpha"));
        let z = turned(z, 1, 2, number(z, "beta"));
        turned(z, 0, 1, number(z, "gamma"))
    };
    Rational 3 Dense "A Cayley transform." |z| {
        let b = matrix(z, "skew") * z.tape().mask(3, 3, |i, j| j > i);
        let (one, skew) = (z.tape().identity(3), b - b.transpose());
        (one + skew).inverse().matvec((one - skew).matvec(z))
    };
    Expanded 3 Dense "The exponential of a matrix with the trace 0." |z| {
        let a = matrix(z, "a") * z.tape().mask(3, 3, |i, j| i != j);
        a.matrix_exp().matvec(z)
    };
}

#[test]
fn exercise_22() {
    Told::of(judge::EXERCISE)
        .wrong("the starting file", || judge::judge(&start::Mix))
        .wrong("nothing is learned", || judge::judge(&Fixed))
        .wrong("one triangle", || judge::judge(&Triangle))
        .wrong("a diagonal that is learned", || judge::judge(&Scaled))
        .wrong("bent", || judge::judge(&Bent))
        .wrong("a shift", || judge::judge(&Moved))
        .wrong("right at the initial parameters only", || judge::judge(&Spread))
        .wrong("what is learned does nothing", || judge::judge(&Idle))
        .wrong("a path taken for a dependence", || judge::judge(&Path))
        .wrong("two variables", || judge::judge(&Two))
        .wrong("z lies in (-1, 1)³", || judge::judge(&Restricted(solution::Mix)))
        .wrong("another map from the fifth call on", || {
            judge::judge(&Changing::new(solution::Mix, start::Mix))
        })
        .right("three reflections", || judge::judge(&Mirrors))
        .right("rotations by angles", || judge::judge(&Angles))
        .right("a Cayley transform", || judge::judge(&Rational))
        .right("an exponential", || judge::judge(&Expanded))
        .solved(|| judge::judge(&solution::Mix));
}
