//! GAN: x = g(z) with z standard normal and g any network, the generator. No density is trained, and none is known.
//!
//! A second network, the discriminator d, learns to tell rows of the data from rows of the generator, and the generator
//! learns to be taken for data. Each loss depends on the other network: a game (Goodfellow et al., 2014).

use pushforward::prelude::*;
use pushforward::train::{Loss, Minimiser};

use super::training::{BATCH, Batches, Schedule, settings};
use super::{Learned, Paradigm, Result, compiled, normals};

pub const PARADIGM: Paradigm = Paradigm { name: "GAN", train, sample };
const SCHEDULE: Schedule = Schedule { steps: 1000, rate: 3e-3 };
/// The step size of the generator, as a share of that of the discriminator.
const SLOWER: f64 = 0.2;
/// Units that start steep see detail sooner.
const STEEP: f64 = 3.0;
/// The discriminator sees everything with noise of this deviation, which calms the game and moves no optimum.
const NOISE: f64 = 0.3;

pub fn generator<'t>(z: Var<'t>) -> Var<'t> {
    z.tape().scope("generator", || z + Network::new([18, 18]).apply(STEEP * z, 2))
}

/// The log-odds that x is a row of the data.
fn discriminator<'t>(x: Var<'t>) -> Var<'t> {
    x.tape().scope("discriminator", || Network::new([36, 36]).apply(STEEP * x, 1).at(0))
}

fn train(data: &[f64], seed: u64) -> Result<Learned> {
    let normal = StandardNormal::new(2);
    // -ln P(a row of the data is taken for one) - ln P(a row of the generator is not), and -ln P(that it is).
    let tell_apart = Loss::record(|s| {
        let row = s.data(2) + NOISE * s.noise(normal);
        let generated = generator(s.noise(normal)) + NOISE * s.noise(normal);
        (-discriminator(row)).softplus() + discriminator(generated).softplus()
    })?;
    let deceive =
        Loss::record(|s| (-discriminator(generator(s.noise(normal)) + NOISE * s.noise(normal))).softplus())?;
    let start = tell_apart.initial(seed);
    let mut d = Minimiser::<f32>::with_trainable_scopes(
        &tell_apart,
        start.clone(),
        &["discriminator"],
        settings(seed),
    )?;
    let mut g = Minimiser::<f32>::with_trainable_scopes(&deceive, start, &["generator"], settings(seed + 1))?;
    let (mut batches, mut losses) = (Batches::new(data, seed), vec![Vec::new(); 2]);
    for step in 0..SCHEDULE.steps {
        d.set_learning_rate(SCHEDULE.rate(step))?;
        g.set_learning_rate(SLOWER * SCHEDULE.rate(step))?;
        losses[0].push(d.step(&[&batches.next()], BATCH)?);
        g.follow(&mut d)?;
        losses[1].push(g.step(&[], BATCH)?);
        d.follow(&mut g)?;
    }
    let parameters = d.parameters().clone();
    Ok(Learned { network: compiled(2, &parameters, generator)?, parameters, losses })
}

fn sample(model: &mut Learned, rows: usize, seed: u64) -> Result<Vec<f64>> {
    Ok(model.network.run(&[&normals(2 * rows, seed)], rows)?.swap_remove(0))
}
