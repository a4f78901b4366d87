//! The bound of a VAE as a recording: posteriors, likelihoods, and the terms that are averaged over draws of ε.

use std::error::Error;

use pushforward::bijection::{BijectionError, forward_with_log_det};
use pushforward::prelude::*;
use pushforward::program::{Output, Program};
use pushforward::train::Loss;

/// The standard deviation of the bent model's noise.
pub const NOISE: f64 = 0.6;

pub type Layers = Vec<Box<dyn Bijection>>;

/// z = w·x + b + exp(s)·ε for each of d variables, with x as the context.
pub struct Encoder {
    pub d: usize,
}

impl Bijection for Encoder {
    fn dim(&self) -> usize {
        self.d
    }
    fn structure(&self) -> Structure {
        Structure::Diagonal
    }
    fn forward<'t>(&self, noise: Var<'t>) -> Var<'t> {
        let number = |name| noise.tape().parameter(name, Shape::Vector(self.d), Init::Constant(0.0));
        number("w") * noise.tape().context(self.d) + number("b") + number("s").exp() * noise
    }
}

/// A normal density in the plane, of any mean and covariance: a network chooses them by x.
pub struct Ellipse;

impl Bijection for Ellipse {
    fn dim(&self) -> usize {
        2
    }
    fn structure(&self) -> Structure {
        Structure::LowerTriangular
    }
    fn forward<'t>(&self, noise: Var<'t>) -> Var<'t> {
        let chosen = Network::new([32]).apply(noise.tape().context(1), 5);
        let scale = |k: usize| chosen.at(k).exp() * noise.at(k);
        stack([chosen.at(2) + scale(0), chosen.at(3) + chosen.at(4) * noise.at(0) + scale(1)])
    }
}

pub fn ellipse() -> Layers {
    vec![Box::new(Ellipse)]
}

/// Four coupling layers of splines with x as context. A spline is the identity beyond ±6, where ε comes once in 10⁸ draws.
pub fn splines() -> Layers {
    let layer = |k: usize| {
        let mask =
            if k.is_multiple_of(2) { CouplingMask::second_half(2) } else { CouplingMask::first_half(2) };
        let network = Network::new([32]).with_context(1);
        Box::new(SplineCoupling::new(mask, network, SplineTransformer::new(8, 6.0))) as Box<dyn Bijection>
    };
    (0..4).map(layer).collect()
}

/// ln p(x | z), with x as the context.
pub type Likelihood = for<'t> fn(Var<'t>) -> Var<'t>;

/// x = z + noise of variance 1.
pub fn straight(z: Var<'_>) -> Var<'_> {
    StandardNormal::new(z.len()).log_prob(z.tape().context(z.len()) - z)
}

/// x = z₂ + z₁² + noise.
pub fn bent(z: Var<'_>) -> Var<'_> {
    let off = z.tape().context(1) - (z.at(1) + z.at(0).powi(2));
    StandardNormal::new(1).log_prob(off / NOISE) - NOISE.ln()
}

/// What is averaged over draws of ε: its three terms, at z = f(ε; x).
pub struct Terms<'t> {
    pub z: Var<'t>,
    pub log_prior: Var<'t>,
    pub log_likelihood: Var<'t>,
    pub log_q: Var<'t>,
}

impl<'t> Terms<'t> {
    pub fn record(
        posterior: &dyn Bijection,
        likelihood: Likelihood,
        noise: Var<'t>,
    ) -> Result<Terms<'t>, BijectionError> {
        let normal = StandardNormal::new(noise.len());
        let pushed = forward_with_log_det(posterior, noise)?;
        Ok(Terms {
            z: pushed.x,
            log_prior: normal.log_prob(pushed.x),
            log_likelihood: likelihood(pushed.x),
            // The change of variables, from ε to z.
            log_q: normal.log_prob(noise) - pushed.log_det,
        })
    }

    /// ln p(z) + ln p(x | z) - ln q(z | x).
    pub fn sum(&self) -> Var<'t> {
        self.log_prior + self.log_likelihood - self.log_q
    }
}

/// -ELBO of one row.
pub fn loss(posterior: &dyn Bijection, likelihood: Likelihood) -> Result<Loss, Box<dyn Error>> {
    Loss::try_record(|sources| {
        let noise = sources.noise(StandardNormal::new(posterior.dim()));
        Ok(-Terms::record(posterior, likelihood, noise)?.sum())
    })
}

/// ln p(z) + ln p(x | z) - ln q(z | x) for each draw of ε, with its x.
pub fn bounds(
    posterior: &dyn Bijection,
    likelihood: Likelihood,
    parameters: &Parameters,
    (noise, x): (&[f64], &[f64]),
) -> Result<Vec<f64>, Box<dyn Error>> {
    let tape = Tape::new();
    tape.context_by_row();
    let input = tape.input(Shape::Vector(posterior.dim()));
    let sum = Terms::record(posterior, likelihood, input)?.sum();
    let context = tape.declared_context().ok_or("the likelihood depends on x")?;
    let mut program = Program::<f64>::compile(&tape, &[input.id(), context.id()], &[Output::Each(sum.id())]);
    program.load(parameters)?;
    Ok(program.run(&[noise, x], noise.len() / posterior.dim())?.swap_remove(0))
}

/// w, b and s of an [`Encoder`], the same for each variable.
pub fn encoder(d: usize, w: f64, b: f64, s: f64) -> Result<Parameters, Box<dyn Error>> {
    let mut parameters = Parameters::default();
    for (name, value) in [("w", w), ("b", b), ("s", s)] {
        parameters.set(name, Shape::Vector(d), vec![value; d])?;
    }
    Ok(parameters)
}
