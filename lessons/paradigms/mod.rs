//! Five paradigms of generative models, each in a file that can be read on its own, and what they are measured by.
//!
//! All learn from rows of two numbers, in f32, 256 rows a step. What is measured is computed in f64.

pub mod autoregressive;
pub mod conditionals;
pub mod data;
pub mod denoising;
pub mod diffusion;
pub mod flow;
pub mod gan;
pub mod measures;
pub mod probability_flow;
pub mod training;
pub mod vae;

use std::error::Error;

use pushforward::prelude::*;
use pushforward::program::{Output, Program};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

pub type Result<T> = std::result::Result<T, Box<dyn Error>>;

/// A paradigm: how it learns from rows of two numbers, and how it draws such rows.
#[derive(Clone, Copy)]
pub struct Paradigm {
    pub name: &'static str,
    pub train: fn(&[f64], u64) -> Result<Learned>,
    pub sample: fn(&mut Learned, usize, u64) -> Result<Vec<f64>>,
}

pub const PARADIGMS: [Paradigm; 5] =
    [autoregressive::PARADIGM, flow::PARADIGM, vae::PARADIGM, gan::PARADIGM, diffusion::PARADIGM];

/// What a paradigm has learned.
pub struct Learned {
    pub parameters: Parameters,
    /// The network that samples are drawn with; it counts its passes.
    pub network: Program<f64>,
    /// The losses along training, one curve for each network that is trained on its own.
    pub losses: Vec<Vec<f64>>,
}

/// Compiles a formula of one vector with these parameters.
pub fn compiled(
    width: usize,
    parameters: &Parameters,
    write: impl for<'t> FnOnce(Var<'t>) -> Var<'t>,
) -> Result<Program<f64>> {
    let tape = Tape::new();
    let input = tape.input(Shape::Vector(width));
    let output = write(input);
    tape.check()?;
    let mut program = Program::compile(&tape, &[input.id()], &[Output::Each(output.id())]);
    program.load(parameters)?;
    Ok(program)
}

/// So many standard normal numbers.
pub fn normals(count: usize, seed: u64) -> Vec<f64> {
    let mut numbers = vec![0.0; count];
    StandardNormal::new(count).sample(&mut ChaCha8Rng::seed_from_u64(seed), &mut numbers);
    numbers
}
