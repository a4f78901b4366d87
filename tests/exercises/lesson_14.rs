//! Exercise 14.

use pushforward::prelude::*;

use super::Told;

#[path = "../../lessons/judges/14_one_pass_sampling.rs"]
mod judge;
#[path = "../../lessons/solutions/14_one_pass_sampling.rs"]
mod solution;
#[allow(clippy::all, unused, reason = "it is not finished")]
#[path = "../../lessons/starts/14_one_pass_sampling.rs"]
mod start;

pub use judge::EXERCISE;

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

#[test]
fn exercise_14() {
    Told::of(EXERCISE)
        .wrong("the starting file", || judge::judge(&start::Walk))
        .wrong("one step back only", || judge::judge(&OneBack))
        .wrong("from the other end", || judge::judge(&Reversed))
        .wrong("sums of one term after another", || judge::judge(&WrittenOut))
        .solved(|| judge::judge(&solution::Walk));
    assert!(judge::judge(&Doubling).is_ok());
}
