//! Flow: x = f(z) with z standard normal and f a bijection, so that ln p(x) = ln p(z) - ln|det J|.
//!
//! Four coupling layers, each a monotone spline of one variable with knots that a network chooses from the other one.
//! The density itself is trained. It is one pass backwards, a sample one pass forwards.

use pushforward::flow::Trainer;
use pushforward::prelude::*;

use super::training::{Batches, Schedule};
use super::{Learned, Paradigm, Result, compiled, normals};

pub const PARADIGM: Paradigm = Paradigm { name: "flow", train, sample };
const SCHEDULE: Schedule = Schedule { steps: 900, rate: 1e-2 };

pub fn layers() -> Vec<Box<dyn Bijection>> {
    let layer = |k: usize| {
        let mask =
            if k.is_multiple_of(2) { CouplingMask::first_half(2) } else { CouplingMask::second_half(2) };
        Box::new(SplineCoupling::new(mask, Network::new([18]), SplineTransformer::new(8, 3.5)))
            as Box<dyn Bijection>
    };
    (0..4).map(layer).collect()
}

pub fn flow() -> Result<Flow> {
    Ok(Flow::new(StandardNormal::new(2), layers())?)
}

/// x = f(z).
pub fn forward<'t>(z: Var<'t>) -> Var<'t> {
    Chain::new(layers()).forward(z)
}

fn train(data: &[f64], seed: u64) -> Result<Learned> {
    let flow = flow()?;
    let mut trainer = Trainer::<f32>::new(&flow, flow.initial(seed), SCHEDULE.rate)?;
    trainer.set_clip(10.0);
    let (mut batches, mut losses) = (Batches::new(data, seed), Vec::new());
    for step in 0..SCHEDULE.steps {
        trainer.set_learning_rate(SCHEDULE.rate(step));
        losses.push(trainer.step(&batches.next())?);
    }
    let parameters = trainer.parameters().clone();
    let network = compiled(2, &parameters, forward)?;
    Ok(Learned { parameters, network, losses: vec![losses] })
}

fn sample(model: &mut Learned, rows: usize, seed: u64) -> Result<Vec<f64>> {
    Ok(model.network.run(&[&normals(2 * rows, seed)], rows)?.swap_remove(0))
}
