//! A diffusion whose density is known at every time: of three normal densities, with noise added by dx = -½·x dt + dw.

use std::error::Error;
use std::f64::consts::TAU;

use pushforward::prelude::*;
use pushforward::program::{Output, Program};
use pushforward::sweep::adjoint;
use pushforward::tape::Subgraph;
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

use super::{SEED, drawn};

/// Three normal densities: what the diffusion begins with.
pub const WEIGHTS: [f64; 3] = [0.5, 0.3, 0.2];
pub const MEANS: [[f64; 2]; 3] = [[1.6, 0.0], [-1.2, 1.2], [-0.6, -1.6]];
pub const DEVIATION: f64 = 0.5;
/// How long noise is added.
pub const END: f64 = 8.0;

/// The density after noise was added for a time t: each peak has moved to e^(-t/2)·mean, its variance grown towards 1.
pub fn mixture(t: f64) -> GaussianMixture {
    let shrink = (-0.5 * t).exp();
    let variance = 1.0 - shrink * shrink * (1.0 - DEVIATION * DEVIATION);
    let means: Vec<Vec<f64>> = MEANS.iter().map(|mean| mean.map(|m| shrink * m).to_vec()).collect();
    GaussianMixture::new(&WEIGHTS, &means, &vec![vec![variance, 0.0, 0.0, variance]; 3])
}

/// The same as a formula of t.
pub fn log_density<'t>(x: Var<'t>, t: Var<'t>) -> Var<'t> {
    let tape = x.tape();
    let shrink = (-0.5 * t).exp();
    let variance = 1.0 - shrink.powi(2) * (1.0 - DEVIATION * DEVIATION);
    let term = |(weight, mean): (&f64, &[f64; 2])| {
        let off = x - shrink * tape.vector(mean);
        weight.ln() - off.dot(off) / (2.0 * variance)
    };
    let terms: Vec<Var<'t>> = WEIGHTS.iter().zip(&MEANS).map(term).collect();
    let largest = terms.iter().copied().reduce(|a, b| a.max(b)).expect("three of them");
    let sum = terms.into_iter().map(|term| (term - largest).exp()).reduce(|a, b| a + b);
    largest + sum.expect("three of them").ln() - (TAU * variance).ln()
}

/// ∇ ln p, by the tape.
pub fn score<'t>(x: Var<'t>, t: Var<'t>) -> Var<'t> {
    let tape = x.tape();
    let log_p = log_density(x, t);
    let subgraph = Subgraph::new(tape, &[x.id()], &[log_p.id()]);
    adjoint(tape, &subgraph, &[(log_p.id(), tape.constant(1.0))], &[x.id()])[0].expect("ln p depends on x")
}

/// The velocity of the probability flow of dx = -½·x dt + dw, where the score is known.
pub fn without_noise<'t>(x: Var<'t>, score: Var<'t>) -> Var<'t> {
    -0.5 * x - 0.5 * score
}

/// The same with t = 8·u² for a time u between 0 and 1: dx/du = 16·u·dx/dt.
pub struct ProbabilityFlow;

impl Field for ProbabilityFlow {
    fn dim(&self) -> usize {
        2
    }
    fn velocity<'t>(&self, x: Var<'t>, u: Var<'t>) -> Var<'t> {
        let t = END * u.powi(2);
        2.0 * END * u * without_noise(x, score(x, t))
    }
}

/// Samples of the noisy equation, from t = `END` back to 0: dx = (½·x + ∇ ln p) ds + dw with s = `END` - t (Anderson, 1982).
pub fn backwards(count: usize, steps: usize) -> Result<Vec<f64>, Box<dyn Error>> {
    let tape = Tape::new();
    let (x, t) = (tape.input(Shape::Vector(2)), tape.input(Shape::Vector(1)));
    let drift = 0.5 * x + score(x, t.at(0));
    let mut program = Program::<f64>::compile(&tape, &[x.id(), t.id()], &[Output::Each(drift.id())]);
    program.load(&Parameters::default())?;
    let mut points = drawn(&mixture(END), count, SEED + 6);
    let mut random = ChaCha8Rng::seed_from_u64(SEED + 7);
    let (h, mut noise) = (END / steps as f64, vec![0.0; 2 * count]);
    for k in 0..steps {
        let now = vec![END - h * k as f64; count];
        let drift = program.run(&[&points, &now], count)?.swap_remove(0);
        StandardNormal::new(2 * count).sample(&mut random, &mut noise);
        points.iter_mut().zip(drift).zip(&noise).for_each(|((x, v), e)| *x += h * v + h.sqrt() * e);
    }
    Ok(points)
}
