//! Two estimators of the slope of the bound: through the draw, and through the density of the draw.

use std::error::Error;

use pushforward::bijection::inverse_with_log_det;
use pushforward::prelude::*;
use pushforward::program::{Output, Program};
use pushforward::sweep::adjoint;
use pushforward::tape::{NodeId, Subgraph};
use pushforward_course::statistics::mean;

use super::elbo::{Encoder, Terms, straight};
use super::{SEED, normals};

/// What two estimators say of the slope of the ELBO by the first b and the first s, draw by draw.
pub struct Slopes {
    pub pathwise: [Vec<f64>; 2],
    pub score: [Vec<f64>; 2],
    /// With the mean of the sum subtracted from it: a baseline.
    pub centred: [Vec<f64>; 2],
}

/// Both are of the same draws of ε.
pub fn slopes(d: usize, parameters: &Parameters, x: f64, draws: usize) -> Result<Slopes, Box<dyn Error>> {
    let (layer, normal) = (Encoder { d }, StandardNormal::new(d));
    let tape = Tape::new();
    tape.context_by_row();
    let [noise, fixed] = [(); 2].map(|()| tape.input(Shape::Vector(d)));
    let terms = Terms::record(&layer, straight, noise)?;
    let context = tape.context(d);
    let parameter = |name| tape.parameter(name, Shape::Vector(d), Init::Constant(0.0)).id();
    let by = [parameter("b"), parameter("s")];
    let first = |node: Option<Var<'_>>| node.map(|node| node.at(0).id()).ok_or("it depends on b and s");
    let slopes_of = |output: Var<'_>| -> Result<Vec<NodeId>, Box<dyn Error>> {
        let subgraph = Subgraph::new(&tape, &[noise.id(), fixed.id(), context.id()], &[output.id()]);
        let slopes = adjoint(&tape, &subgraph, &[(output.id(), tape.constant(1.0))], &by);
        Ok(slopes.into_iter().map(first).collect::<Result<_, _>>()?)
    };
    let sum = terms.sum();
    let pathwise = slopes_of(sum)?;
    // ln q(z | x) of a z that stays where it is.
    let pulled = inverse_with_log_det(&layer, fixed)?;
    let score = slopes_of(normal.log_prob(pulled.z) - pulled.log_det)?;
    let run = |outputs: &[NodeId], fixed_at: &[f64]| -> Result<Vec<Vec<f64>>, Box<dyn Error>> {
        let outputs: Vec<Output> = outputs.iter().map(|node| Output::Each(*node)).collect();
        let inputs = [noise.id(), fixed.id(), context.id()];
        let mut program = Program::<f64>::compile(&tape, &inputs, &outputs);
        program.load(parameters)?;
        Ok(program.run(&[&normals(draws * d, SEED + 2), fixed_at, &vec![x; draws * d]], draws)?)
    };
    let z = run(&[terms.z.id()], &vec![0.0; draws * d])?.swap_remove(0);
    let outputs = [sum.id()].into_iter().chain(pathwise).chain(score).collect::<Vec<_>>();
    let found = run(&outputs, &z)?;
    let [bound, b, s, score_b, score_s] = <[Vec<f64>; 5]>::try_from(found).map_err(|_| "five outputs")?;
    let centre = mean(&bound);
    let weighted = |score: &[f64], off: f64| -> Vec<f64> {
        score.iter().zip(&bound).map(|(score, bound)| score * (bound - off)).collect()
    };
    Ok(Slopes {
        pathwise: [b, s],
        score: [weighted(&score_b, 0.0), weighted(&score_s, 0.0)],
        centred: [weighted(&score_b, centre), weighted(&score_s, centre)],
    })
}
