//! Exercise 21.

use pushforward::layers::MonotoneSpline;
use pushforward::prelude::*;

use pushforward_course::lessons::splines::judge;

use super::Told;

#[path = "../../../solutions/21_splines.rs"]
mod solution;
#[allow(clippy::all, unused, reason = "it is not finished")]
#[path = "../../../starts/21_splines.rs"]
mod start;

/// A line on each side, and this between.
fn around<'t>(z: Var<'t>, d0: Var<'t>, d1: Var<'t>, curve: Var<'t>) -> Var<'t> {
    select(z.lt(-1.0), -1.0 + d0 * (z + 1.0), select(z.lt(1.0), curve, 1.0 + d1 * (z - 1.0)))
}

fn cubic<'t>(z: Var<'t>, d0: Var<'t>, d1: Var<'t>) -> Var<'t> {
    let (u, v) = (0.5 * (z + 1.0), 0.5 * (1.0 - z));
    let curve = -1.0 + 2.0 * (u * u * (3.0 - 2.0 * u) + d0 * u * v * v - d1 * u * u * v);
    around(z, d0, d1, curve)
}

/// As in Durkan et al., with θ from 0 to 1 and s = 1.
fn durkan<'t>(z: Var<'t>, d0: Var<'t>, d1: Var<'t>) -> Var<'t> {
    let theta = 0.5 * (z + 1.0);
    let rest = theta * (1.0 - theta);
    let curve = -1.0 + 2.0 * (theta.powi(2) + d0 * rest) / (1.0 + (d0 + d1 - 2.0) * rest);
    around(z, d0, d1, curve)
}

/// Two bins that meet at (0, 0) with the slope 1.
fn two_bins<'t>(z: Var<'t>, d0: Var<'t>, d1: Var<'t>) -> Var<'t> {
    let bin = |u: Var<'t>, v: Var<'t>, left: Var<'t>, right: Var<'t>| {
        let (n, m) = (u * (u + left * v), v * (v + right * u));
        n / (n + m)
    };
    let one = z.tape().constant(1.0);
    let curve = select(z.lt(0.0), -1.0 + bin(z + 1.0, -z, d0, one), bin(z, 1.0 - z, one, d1));
    around(z, d0, d1, curve)
}

/// The library's own.
fn library<'t>(z: Var<'t>, d0: Var<'t>, d1: Var<'t>) -> Var<'t> {
    let number = |value: f64| z.tape().constant(value);
    let knots =
        MonotoneSpline::sums((number(-1.0), number(-1.0)), &[number(2.0)], vec![number(2.0)], vec![d0, d1]);
    knots.forward(z)
}

#[test]
fn exercise_21() {
    Told::of(judge::EXERCISE)
        .wrong("the starting file", || judge::judge(start::spline))
        .wrong("the identity", || judge::judge(|z, _, _| z))
        .wrong("a cubic, which overshoots", || judge::judge(cubic))
        .wrong("the lines are exchanged", || judge::judge(|z, d0, d1| solution::spline(z, d1, d0)))
        .wrong("a straight piece between the lines: two corners", || {
            judge::judge(|z, d0, d1| around(z, d0, d1, z))
        })
        .wrong("the slopes of the bin are exchanged", || {
            judge::judge(|z, d0, d1| {
                let (u, v) = (z + 1.0, 1.0 - z);
                let (n, m) = (u * (u + d1 * v), v * (v + d0 * u));
                around(z, d0, d1, -1.0 + 2.0 * n / (n + m))
            })
        })
        .wrong("it jumps", || {
            judge::judge(|z, d0, d1| {
                let (u, v) = (z + 1.0, 1.0 - z);
                let (n, m) = (u * (u + d0 * v), v * (v + d1 * u));
                around(z, d0, d1, n / (n + m))
            })
        })
        .wrong("the bin is that of another height", || {
            judge::judge(|z, d0, d1| {
                let (u, v) = (z + 1.0, 1.0 - z);
                let (n, m) = (u * (2.0 * u + d0 * v), v * (2.0 * v + d1 * u));
                around(z, d0, d1, -1.0 + 2.0 * n / (n + m))
            })
        })
        .wrong("right near, another slope from 30 on", || {
            judge::judge(|z, d0, d1| solution::spline(z, d0, d1) + (z - 30.0).max(0.0))
        })
        .wrong("right for slopes up to 9", || {
            judge::judge(|z, d0, d1| solution::spline(z, d0.min(9.0), d1.min(9.0)))
        })
        .wrong("a narrow bump in the middle", || {
            judge::judge(|z, d0, d1| solution::spline(z, d0, d1) + 4.0 * (1e-3 - z.abs()).max(0.0))
        })
        .wrong("it is learned", || {
            judge::judge(|z, d0, d1| {
                let w = z.tape().parameter("w", Shape::Scalar, Init::Constant(1.0));
                solution::spline(z, d0, w * d1)
            })
        })
        .wrong("two numbers", || judge::judge(|z, d0, _| stack([z, d0])))
        .right("with θ, as in the paper", || judge::judge(durkan))
        .right("the library's", || judge::judge(library))
        .right("two bins", || judge::judge(two_bins))
        .solved(|| judge::judge(solution::spline));
}
