//! What a fit evaluates outside of training steps.

use super::density::Density;
use super::error::FlowError;
use super::history::Stop;
use super::minibatch::{Minibatch, gather};
use super::outside::Outside;
use super::support::Watch;
use crate::program::{NonFinite, Output, Program, Threads};
use crate::table::Table;
use crate::tape::Parameters;

/// Evaluations outside of training steps: likelihoods, and rows with density 0.
pub(super) struct Scores<'a> {
    data: &'a Table,
    contexts: Option<&'a Table>,
    density: &'a Density,
    pub inputs: usize,
    held_out: Minibatch,
    held_out_count: usize,
    /// The weights of the held-out rows; none if they count the same.
    weights: Option<Vec<f64>>,
    /// Σ ln p, or ln p of each row where they have weights.
    log_prob: Program<f64>,
    /// Where rows may leave the support.
    watch: Option<Watch<f64>>,
}

impl<'a> Scores<'a> {
    pub fn new(
        density: &'a Density,
        data: &'a Table,
        contexts: Option<&'a Table>,
        (held_out, weights): (&[usize], Option<&[f64]>),
    ) -> Scores<'a> {
        let inputs = density.inputs();
        let weights: Option<Vec<f64>> =
            weights.map(|weights| held_out.iter().map(|row| weights[*row]).collect());
        let output = match weights {
            Some(_) => Output::Each(density.log_prob),
            None => Output::Sum(density.log_prob),
        };
        let log_prob = Program::compile(&density.tape, &inputs, &[output]);
        let watch = density.support.as_ref().map(|support| support.watch(&density.tape, &inputs));
        let mut scores = Scores {
            data,
            contexts,
            density,
            inputs: inputs.len(),
            held_out: Minibatch::default(),
            held_out_count: held_out.len(),
            weights,
            log_prob,
            watch,
        };
        scores.held_out = scores.rows(held_out);
        scores
    }

    pub fn set_threads(&mut self, threads: Threads) {
        self.log_prob.set_threads(threads);
    }

    fn rows(&self, rows: &[usize]) -> Minibatch {
        let mut gathered = Minibatch::default();
        gather(self.data, self.contexts, rows, &mut gathered);
        gathered
    }

    /// Returns the (weighted) mean of ln p over the held-out rows, if all of them have a positive density.
    pub fn held_out(&mut self, parameters: &Parameters) -> Result<f64, FlowError> {
        self.log_prob.load(parameters)?;
        let inputs = self.held_out.inputs(self.inputs);
        let logs = self.log_prob.run(&inputs, self.held_out_count)?.pop().expect("one output");
        let Some(weights) = &self.weights else { return Ok(logs[0] / self.held_out_count as f64) };
        // A row of weight 0 counts for nothing, whatever its density is.
        let counted = logs.iter().zip(weights).filter(|(_, weight)| **weight > 0.0);
        Ok(counted.map(|(log, weight)| log * weight).sum::<f64>() / weights.iter().sum::<f64>())
    }

    /// Returns the first row in the order of the table that has density 0.
    pub fn first_outside(
        &mut self,
        parameters: &Parameters,
        lists: &[&[usize]],
    ) -> Result<Option<Outside>, FlowError> {
        if self.watch.is_none() {
            return Ok(None);
        }
        let mut order: Vec<usize> = lists.concat();
        order.sort_unstable();
        let rows = self.rows(&order);
        let Some(watch) = &mut self.watch else { return Ok(None) };
        watch.load(parameters)?;
        let found = watch.first_outside(&rows.inputs(self.inputs), order.len())?;
        Ok(found.map(|outside| Outside { row: order[outside.row], ..outside }))
    }

    /// Returns the first row in the order of the table whose ln p is not finite, with that value.
    fn first_not_finite(
        &self,
        parameters: &Parameters,
        list: &[usize],
    ) -> Result<Option<(usize, f64)>, FlowError> {
        let mut order = list.to_vec();
        order.sort_unstable();
        let outputs = [Output::Each(self.density.log_prob)];
        let mut each = Program::compile(&self.density.tape, &self.density.inputs(), &outputs);
        each.load(parameters)?;
        let found = each.run(&self.rows(&order).inputs(self.inputs), order.len())?.swap_remove(0);
        Ok(order.into_iter().zip(found).find(|(_, log_p)| !log_p.is_finite()))
    }

    /// Returns an error if one of these rows has no finite likelihood.
    pub fn refuse_impossible(&mut self, parameters: &Parameters, rows: &[usize]) -> Result<(), FlowError> {
        if let Some(outside) = self.first_outside(parameters, &[rows])? {
            return Err(FlowError::Outside(outside));
        }
        let Some((row, log_p)) = self.first_not_finite(parameters, rows)? else { return Ok(()) };
        let numbers = self.data.row(row).iter().copied().enumerate();
        let (column, value) =
            numbers.max_by(|a, b| a.1.abs().total_cmp(&b.1.abs())).expect("a row has a number");
        Err(FlowError::Impossible { row, log_p, column, value })
    }

    /// Explains why a step on these rows failed.
    pub fn why(
        &mut self,
        parameters: &Parameters,
        rows: &[usize],
        epoch: usize,
        origin: Option<NonFinite>,
    ) -> Result<Stop, FlowError> {
        if let Some(outside) = self.first_outside(parameters, &[rows])? {
            return Ok(Stop::Outside { epoch, outside });
        }
        let row = self.first_not_finite(parameters, rows)?.map(|(row, _)| row);
        Ok(Stop::NonFinite { epoch, row, origin })
    }
}
