//! The chain rule of probability, for flows whose layers are together triangular.
//!
//! If x = f(z) is triangular in an order o, then x_{o(1)} … x_{o(k)} and the base variables that they are computed from
//! determine each other, so
//!
//! ln p(x) = Σₖ ln p(x_{o(k)} | x_{o(1)}, …, x_{o(k-1)})
//!
//! with ln p(x_{o(k)} | …) = ln p_Z(z_{s(k)} | z_{s(1)}, …, z_{s(k-1)}) + ln|∂z_{s(k)}/∂x_{o(k)}|: densities of single variables,
//! exact, from one pass (Papamakarios et al. 2021, section 3.1). Variables that come last in the order are integrated out
//! by leaving out their terms. Others are integrated over by importance sampling with the flow's own conditional
//! densities as proposals, so that the weight of a draw is the product of the terms of the known variables (likelihood
//! weighting: Fung and Chang 1990).

use rand::Rng;

use super::context::Contexts;
use super::error::FlowError;
use super::fitted::FittedFlow;
use super::order::ConditionalPrograms;
use super::rows::whole_rows;
use crate::base::Conditioned;
use crate::bijection::Bijection;

/// The densities of single variables, given those before them, whose product is the density of a flow.
///
/// ```
/// use pushforward::prelude::*;
///
/// let network = || MaskedNetwork::new(2, [8]);
/// let layers: Vec<Box<dyn Bijection>> =
///     vec![Box::new(Autoregressive::iaf(network())), Box::new(Autoregressive::iaf(network()))];
/// let flow = Flow::new(StandardNormal::new(2), layers)?;
/// let parameters = flow.initial(1);
/// let fitted = flow.with(parameters)?;
///
/// let conditionals = fitted.conditionals()?;
/// assert_eq!(conditionals.order(), [0, 1]);
/// let terms = conditionals.log_probs(&[0.3, -0.2], &[])?;              // ln p(x₀), ln p(x₁ | x₀)
/// assert!((terms[0] + terms[1] - fitted.log_prob(&[0.3, -0.2])?[0]).abs() < 1e-12);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Conditionals<'f> {
    flow: &'f FittedFlow,
    programs: &'f ConditionalPrograms,
}

impl FittedFlow {
    /// Returns the conditional densities of single variables.
    ///
    /// # Errors
    /// [`FlowError::NoOrder`] when the layers are not together triangular in an order of the variables, or when the base
    /// has no formula for the distribution of some variables given others.
    pub fn conditionals(&self) -> Result<Conditionals<'_>, FlowError> {
        let compiled = self
            .conditionals
            .get_or_init(|| ConditionalPrograms::new(self.flow(), self.base(), self.parameters()));
        Ok(Conditionals { flow: self, programs: compiled.as_ref().map_err(FlowError::clone)? })
    }
}

impl Conditionals<'_> {
    /// The variables in their order.
    pub fn order(&self) -> &[usize] {
        &self.programs.order
    }

    /// Returns whether they may stand in any order: each variable is a function of a base variable of its own, and the
    /// base knows its conditional distributions.
    pub fn any_order(&self) -> bool {
        self.programs.diagonal
    }

    /// Returns ln p(xᵢ | those before it) of each variable of each row, by variable; they sum to ln p of the row.
    ///
    /// # Errors
    /// As [`FittedFlow::log_prob_given`]; where a term cannot be computed the result is not finite.
    pub fn log_probs(&self, rows: &[f64], contexts: &[f64]) -> Result<Vec<f64>, FlowError> {
        self.log_probs_in(self.order(), rows, contexts)
    }

    /// As [`Conditionals::log_probs`], with the variables in this order.
    ///
    /// # Errors
    /// Also [`FlowError::NoOrder`] for an order that is no permutation, and for another than its own unless
    /// [`Conditionals::any_order`].
    pub fn log_probs_in(
        &self,
        order: &[usize],
        rows: &[f64],
        contexts: &[f64],
    ) -> Result<Vec<f64>, FlowError> {
        let d = self.programs.order.len();
        let places = self.places(order)?;
        let count = whole_rows(rows, d)?;
        let contexts = Contexts::new(self.flow.flow().context(), contexts, count)?;
        let sources: Vec<usize> = places.iter().map(|k| self.programs.sources[*k]).collect();
        let steps: Vec<_> = (1..=d).map(|k| self.base_given(&sources[..k])).collect();
        let (z, slopes) = self.programs.pulled(rows, &contexts, count)?;
        let mut terms = vec![0.0; count * d];
        for row in 0..count {
            let z = &z[row * d..(row + 1) * d];
            let mut before = 0.0;
            for (k, base) in places.iter().zip(&steps) {
                let now = base.log_marginal(z);
                terms[row * d + self.programs.order[*k]] =
                    now - before + slopes[row * d + self.programs.place(*k)];
                before = now;
            }
        }
        Ok(terms)
    }

    /// Where the variables of an order stand in its own.
    fn places(&self, order: &[usize]) -> Result<Vec<usize>, FlowError> {
        let own = &self.programs.order;
        let places: Vec<usize> =
            order.iter().filter_map(|variable| own.iter().position(|other| other == variable)).collect();
        let mut sorted = order.to_vec();
        sorted.sort_unstable();
        let permutation = sorted.iter().copied().eq(0..own.len());
        if !permutation || (order != own && !self.programs.diagonal) {
            let reason = format!("its variables have the order {own:?}, not {order:?}");
            return Err(FlowError::NoOrder { reason });
        }
        Ok(places)
    }

    /// Draws the unknown variables of rows that have the same known ones, into `rows`, whose unknown entries are not read.
    ///
    /// Returns the logarithm of a weight for each row. The mean weight of many draws of one row is p(known variables),
    /// and the draws with these weights are from p(unknown | known). The weights of a row are equal, and exact, where the
    /// known variables come first in the order; for [`Conditionals::any_order`] they do.
    ///
    /// # Errors
    /// [`FlowError::Rows`], [`FlowError::Nan`], [`FlowError::Context`], [`FlowError::ContextRows`],
    /// [`FlowError::NotFinite`] where a draw cannot be computed.
    pub fn complete(
        &self,
        rows: &mut [f64],
        known: &[bool],
        contexts: &[f64],
        random: &mut dyn Rng,
    ) -> Result<Vec<f64>, FlowError> {
        let d = self.programs.order.len();
        assert_eq!(known.len(), d, "one flag a variable");
        for (place, value) in rows.iter_mut().enumerate() {
            if !known[place % d] {
                *value = 0.0;
            }
        }
        let count = whole_rows(rows, d)?;
        let contexts = Contexts::new(self.flow.flow().context(), contexts, count)?;
        // Known variables first where any order will do.
        let side = |wanted: bool| (0..d).filter(move |k| known[self.programs.order[*k]] == wanted);
        let places: Vec<usize> =
            if self.programs.diagonal { side(true).chain(side(false)).collect() } else { (0..d).collect() };
        let stages = self.stages(&places, known);
        let codomain = self.flow.flow().bijection().codomain();
        let outside = |row: &[f64]| (0..d).any(|i| known[i] && !codomain.contains_at(i, row[i]));
        let mut log_weights: Vec<f64> =
            rows.chunks(d).map(|row| if outside(row) { f64::NEG_INFINITY } else { 0.0 }).collect();

        // A point of the codomain where nothing is known yet.
        let mut z = vec![0.0; count * d];
        let anything = self.base_given(&[]);
        z.chunks_mut(d).for_each(|z| anything.complete(random, z));
        let mut pushed = self.flow.pushed(&z, &contexts, count)?;
        for (row, log_weight) in log_weights.iter().enumerate() {
            for i in (0..d).filter(|i| known[*i] && log_weight.is_finite()) {
                pushed[row * d + i] = rows[row * d + i];
            }
        }
        let mut before: Vec<usize> = Vec::new();
        for stage in stages {
            let base = self.base_given(&before);
            let own: Vec<usize> = stage.places.iter().map(|k| self.programs.sources[*k]).collect();
            before.extend(&own);
            if stage.known {
                let (pulled, slopes) = self.programs.pulled(&pushed, &contexts, count)?;
                let after = self.base_given(&before);
                for (row, log_weight) in log_weights.iter_mut().enumerate() {
                    let z = &mut z[row * d..(row + 1) * d];
                    let earlier = base.log_marginal(z);
                    own.iter().for_each(|s| z[*s] = pulled[row * d + s]);
                    let slopes =
                        stage.places.iter().map(|k| slopes[row * d + self.programs.place(*k)]).sum::<f64>();
                    let term = after.log_marginal(z) - earlier + slopes;
                    *log_weight += if term.is_nan() { f64::NEG_INFINITY } else { term };
                }
                continue;
            }
            z.chunks_mut(d).for_each(|z| base.complete(random, z));
            let drawn = self.flow.pushed(&z, &contexts, count)?;
            for row in 0..count {
                for k in 0..d {
                    let i = self.programs.order[k];
                    // Unknown variables further on follow, so that the row stays in the codomain.
                    if !known[i] && (self.programs.diagonal || k >= stage.places[0]) {
                        pushed[row * d + i] = drawn[row * d + i];
                    }
                }
            }
        }
        for (place, value) in rows.iter_mut().enumerate() {
            if !known[place % d] {
                *value = pushed[place];
            }
        }
        Ok(log_weights)
    }

    /// Places of the order one after another, in runs of known and of unknown variables.
    fn stages(&self, places: &[usize], known: &[bool]) -> Vec<Stage> {
        let mut stages: Vec<Stage> = Vec::new();
        for k in places {
            let known = known[self.programs.order[*k]];
            match stages.last_mut() {
                Some(stage) if stage.known == known => stage.places.push(*k),
                _ => stages.push(Stage { known, places: vec![*k] }),
            }
        }
        stages
    }

    /// The base with these variables known.
    fn base_given(&self, sources: &[usize]) -> Box<dyn Conditioned> {
        let mut known = vec![false; self.programs.order.len()];
        sources.iter().for_each(|s| known[*s] = true);
        self.flow.base().conditioned(&known).expect("asked when the order was found")
    }
}

/// A run of known or of unknown variables.
struct Stage {
    known: bool,
    places: Vec<usize>,
}
