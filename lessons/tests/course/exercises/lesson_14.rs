//! Exercise 14.

use pushforward::prelude::*;

use pushforward_course::lessons::one_pass_sampling::judge;

use super::{Layered, Told};

#[path = "../../../solutions/14_one_pass_sampling.rs"]
mod solution;
#[allow(clippy::all, unused, reason = "it is not finished")]
#[path = "../../../starts/14_one_pass_sampling.rs"]
mod start;

/// The walk from its last step to its first.
struct Reversed;

impl Bijection for Reversed {
    fn dim(&self) -> usize {
        8
    }
    fn structure(&self) -> Structure {
        Structure::UpperTriangular
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let weight = |i: usize, j: usize| if i <= j { 0.5f64.powi((j - i) as i32) } else { 0.0 };
        let weights: Vec<f64> = (0..64).map(|k| weight(k / 8, k % 8)).collect();
        z.tape().matrix(8, 8, &weights).matvec(z)
    }
}

/// Half of the noise before, and nothing of what was before that.
struct OneBack;

impl Bijection for OneBack {
    fn dim(&self) -> usize {
        8
    }
    fn structure(&self) -> Structure {
        Structure::LowerTriangular
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        stack((0..8).map(|i| if i == 0 { z.at(0) } else { z.at(i) + 0.5 * z.at(i - 1) }))
    }
}

/// Every sum written out, term by term.
struct WrittenOut;

impl Bijection for WrittenOut {
    fn dim(&self) -> usize {
        8
    }
    fn structure(&self) -> Structure {
        Structure::LowerTriangular
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let sum = |i: usize| (0..i).rev().fold(z.at(i), |sum, j| sum + 0.5f64.powi((i - j) as i32) * z.at(j));
        stack((0..8).map(sum))
    }
}

/// Sums by doubling: three times a step, and each reaches twice as far.
struct Doubling;

impl Bijection for Doubling {
    fn dim(&self) -> usize {
        8
    }
    fn structure(&self) -> Structure {
        Structure::LowerTriangular
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        [1, 2, 4].into_iter().fold(z, |x, reach| {
            let weight = 0.5f64.powi(reach as i32);
            stack((0..8).map(|i| if i < reach { x.at(i) } else { x.at(i) + weight * x.at(i - reach) }))
        })
    }
}

bijections! {
    Blocks 8 LowerTriangular "Four at once, and then four at once from x₄ on." |z| {
        let weight = |i: usize, j: usize| if j <= i { 0.5f64.powi((i - j) as i32) } else { 0.0 };
        let weights: Vec<f64> = (0..16).map(|k| weight(k / 4, k % 4)).collect();
        let block = |part: Var<'_>| z.tape().matrix(4, 4, &weights).matvec(z.tape().var(part.id())).id();
        let (a, b) = (z.tape().var(block(z.slice(0..4))), z.tape().var(block(z.slice(4..8))));
        concat([a, b + z.tape().vector(&[0.5, 0.25, 0.125, 0.0625]) * a.at(3)])
    };
    Scaled 8 LowerTriangular "y = 2x waits for y; x is y/2." |z| {
        let mut y = vec![2.0 * z.at(0)];
        for i in 1..8 {
            y.push(0.5 * y[i - 1] + 2.0 * z.at(i));
        }
        stack(y.into_iter().map(|y| y / 2.0))
    };
    Before 8 LowerTriangular "w = x - z waits for w; x is w + z." |z| {
        let mut w = vec![0.0 * z.at(0)];
        for i in 1..8 {
            w.push(0.5 * w[i - 1] + 0.5 * z.at(i - 1));
        }
        stack((0..8).map(|i| w[i] + z.at(i)))
    };
    FarOut 8 LowerTriangular "The first step is another one far out." |z| {
        solution::Walk.forward(z + stack((0..8).map(|i| if i == 0 { (z.at(0) - 29.0).max(0.0) } else { 0.0 * z.at(0) })))
    };
    Mirrored 8 LowerTriangular "All signs turned, sums from the other end." |z| {
        stack((0..8).map(|i| {
            let terms = (0..=i).map(|j| -(0.5f64.powi((i - j) as i32)) * z.at(j));
            terms.reduce(|sum, term| sum + term).expect("a term at least")
        }))
    };
}

#[test]
fn exercise_14() {
    Told::of(judge::EXERCISE)
        .wrong("the starting file", || judge::judge(&start::Walk))
        .wrong("one step back only", || judge::judge(&OneBack))
        .wrong("from the other end", || judge::judge(&Reversed))
        .wrong("sums by doubling, where x waits for x", || judge::judge(&Doubling))
        .wrong("two blocks, of which one looks at the other's last", || judge::judge(&Blocks))
        .wrong("the walk of 2x", || judge::judge(&Scaled))
        .wrong("the walk of what comes before each noise", || judge::judge(&Before))
        .wrong("another walk from 29 on", || judge::judge(&FarOut))
        .wrong("layers that are another map", || {
            judge::judge(&Layered { forward: start::Walk, layers: vec![Box::new(solution::Walk)] })
        })
        .right("every sum written out", || judge::judge(&WrittenOut))
        .right("mirrored, from the noise that is farthest on", || judge::judge(&Mirrored))
        .solved(|| judge::judge(&solution::Walk));
}
