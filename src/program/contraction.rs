//! Fixed points z = G(z) of contractions, for many samples at once.
//!
//! If |G(z) - G(z′)| ≤ L·|z - z′| with L < 1, then |z - z*| ≤ |G(z) - z|/(1 - L) for the solution z* (Banach), and
//! iterating divides the residual |G(z) - z| by 1/L at least: the number of steps for a wanted error is known beforehand
//! ([`steps`]). Anderson acceleration often needs far fewer. It is safeguarded by the same bound: a point that it proposes
//! is kept only if its residual is at most L times the last one, as that of a plain step is; else the plain step is made. So
//! two evaluations of G are as good as one plain step at least.
//!
//! Source: Walker and Ni, "Anderson acceleration for fixed-point iterations" (2011).

use crate::numeric::Number;
use crate::sweep::lipschitz::steps;

/// Points whose differences Anderson acceleration combines.
const MEMORY: usize = 4;

/// The search for the fixed points of a chunk: `count` elements of `stride` samples each.
#[derive(Clone, Debug, Default)]
pub(super) struct FixedPoint<F> {
    count: usize,
    stride: usize,
    lipschitz: f64,
    most: usize,
    at: Vec<F>,
    images: Vec<F>,
    /// The last point that was kept, and its image.
    kept: Vec<F>,
    kept_images: Vec<F>,
    /// Differences of kept points and of their residuals, by place, element and sample.
    moves: Vec<F>,
    changes: Vec<F>,
    samples: Vec<Sample>,
    open: usize,
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    /// The residual of the last point that was kept; ∞ before the first.
    residual: f64,
    /// The first one, from 0: |G(0)| ≤ (1 + L)·|z*|.
    first: Option<f64>,
    /// Whether the point to be looked at is a plain step.
    plain: bool,
    /// How many differences there are.
    known: usize,
    evaluations: usize,
    done: bool,
}

impl<F: Number> FixedPoint<F> {
    pub(super) fn start(&mut self, count: usize, stride: usize, lipschitz: f64) {
        (self.count, self.stride, self.lipschitz) = (count, stride, lipschitz);
        // Rounding does not let an error fall below ε; a plain step may follow each proposal.
        self.most = 2 * steps(lipschitz, F::epsilon().to_double()) + 2;
        for values in [&mut self.at, &mut self.images, &mut self.kept, &mut self.kept_images] {
            values.clear();
            values.resize(count * stride, F::zero());
        }
        for values in [&mut self.moves, &mut self.changes] {
            values.clear();
            values.resize(MEMORY * count * stride, F::zero());
        }
        let sample = Sample {
            residual: f64::INFINITY,
            first: None,
            plain: true,
            known: 0,
            evaluations: 0,
            done: false,
        };
        self.samples.clear();
        self.samples.resize(stride, sample);
        self.open = stride;
    }

    pub(super) fn at(&self) -> &[F] {
        &self.at
    }

    /// Where the values of G at these points are to be put.
    pub(super) fn images(&mut self) -> &mut [F] {
        &mut self.images
    }

    pub(super) fn is_done(&self) -> bool {
        self.open == 0
    }

    /// Moves every sample on.
    pub(super) fn step(&mut self) {
        for lane in 0..self.stride {
            if !self.samples[lane].done {
                self.step_of(lane);
            }
        }
    }

    fn step_of(&mut self, lane: usize) {
        let (stride, count) = (self.stride, self.count);
        let places = move || (0..count).map(move |k| k * stride + lane);
        let residual = length(places().map(|p| (self.images[p] - self.at[p]).to_double()));
        let size = length(places().map(|p| self.images[p].to_double()));
        let mut sample = self.samples[lane];
        sample.evaluations += 1;
        let falls = residual.is_finite() && residual <= self.lipschitz * sample.residual;
        if !sample.plain && !falls {
            // Back to the point that was kept, and a plain step from there.
            (sample.plain, sample.known) = (true, 0);
            places().for_each(|p| self.at[p] = self.kept_images[p]);
            self.samples[lane] = sample;
            return;
        }
        if sample.first.is_none() {
            sample.first = Some(residual);
        }
        let scale = size.max(sample.first.unwrap_or(0.0));
        let resolution = F::epsilon().to_double() * scale;
        let below = residual <= resolution * (1.0 - self.lipschitz);
        // A plain step that does not bring the residual down has met rounding.
        let stalled = !(falls || residual < sample.residual) || sample.evaluations >= self.most;
        if below || stalled {
            // An L that is wrong shows here: nothing near a solution was found.
            let found = below || residual <= 1e3 * F::epsilon().to_double() * scale.max(1.0);
            places().for_each(|p| self.at[p] = if found { self.images[p] } else { F::nan() });
            sample.done = true;
            self.samples[lane] = sample;
            self.open -= 1;
            return;
        }
        if sample.residual.is_finite() {
            let slot = (sample.known % MEMORY) * count * stride;
            for p in places() {
                self.moves[slot + p] = self.at[p] - self.kept[p];
                self.changes[slot + p] = self.images[p] - self.at[p] - (self.kept_images[p] - self.kept[p]);
            }
            sample.known += 1;
        }
        for p in places() {
            (self.kept[p], self.kept_images[p]) = (self.at[p], self.images[p]);
        }
        sample.residual = residual;
        let weights = self.weights(lane, sample.known.min(MEMORY));
        sample.plain = weights.is_none();
        for p in places() {
            self.at[p] = self.images[p];
            for (slot, weight) in weights.iter().flatten().enumerate().take(sample.known) {
                let place = slot * count * stride + p;
                self.at[p] = self.at[p] - F::of(*weight) * (self.moves[place] + self.changes[place]);
            }
        }
        self.samples[lane] = sample;
    }

    /// The weights of the differences that make the residual as small as it can be, by normal equations and Gaussian
    /// elimination; `None` where these are singular.
    fn weights(&self, lane: usize, known: usize) -> Option<[f64; MEMORY]> {
        if known == 0 {
            return None;
        }
        let (stride, count) = (self.stride, self.count);
        let change = |slot: usize, k: usize| self.changes[(slot * count + k) * stride + lane].to_double();
        let residual = |k: usize| {
            let p = k * stride + lane;
            (self.images[p] - self.at[p]).to_double()
        };
        // Each difference is divided by its own length, so that small ones count as large ones do.
        let mut lengths = [0.0; MEMORY];
        for (slot, own) in lengths.iter_mut().enumerate().take(known) {
            *own = length((0..count).map(|k| change(slot, k)));
            if *own == 0.0 || !own.is_finite() {
                return None;
            }
        }
        let mut rows = [[0.0; MEMORY + 1]; MEMORY];
        let unit = |slot: usize, k: usize| change(slot, k) / lengths[slot];
        for (i, row) in rows.iter_mut().enumerate().take(known) {
            for (j, entry) in row.iter_mut().enumerate().take(known) {
                *entry = (0..count).map(|k| unit(i, k) * unit(j, k)).sum();
            }
            row[i] += 1e-12;
            row[MEMORY] = (0..count).map(|k| unit(i, k) * residual(k)).sum();
        }
        for i in 0..known {
            let pivot = rows[i];
            for row in rows.iter_mut().take(known).skip(i + 1) {
                let factor = row[i] / pivot[i];
                row.iter_mut().zip(pivot).for_each(|(own, other)| *own -= factor * other);
            }
        }
        let mut weights = [0.0; MEMORY];
        for i in (0..known).rev() {
            let rest: f64 = (i + 1..known).map(|j| rows[i][j] * weights[j]).sum();
            weights[i] = (rows[i][MEMORY] - rest) / rows[i][i];
        }
        for (weight, length) in weights.iter_mut().zip(lengths).take(known) {
            *weight /= length;
        }
        weights.iter().all(|weight| weight.is_finite()).then_some(weights)
    }
}

/// The Euclidean norm, without overflow of the squares.
fn length(values: impl Iterator<Item = f64> + Clone) -> f64 {
    let largest =
        values.clone().fold(0.0, |most: f64, v| if v.is_nan() { f64::NAN } else { most.max(v.abs()) });
    match largest == 0.0 || !largest.is_finite() {
        true => largest,
        false => largest * values.map(|v| (v / largest) * (v / largest)).sum::<f64>().sqrt(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// z = A z + b with a rotation by a right angle times L: the residual falls by L in each plain step.
    fn evaluations(lipschitz: f64) -> usize {
        let mut search = FixedPoint::<f64>::default();
        search.start(2, 1, lipschitz);
        while !search.is_done() {
            let at = search.at().to_vec();
            search.images().copy_from_slice(&[1.0 - lipschitz * at[1], 2.0 + lipschitz * at[0]]);
            search.step();
        }
        let scale = 1.0 + lipschitz * lipschitz;
        let wanted = [(1.0 - 2.0 * lipschitz) / scale, (2.0 + lipschitz) / scale];
        for (found, wanted) in search.at().iter().zip(wanted) {
            assert!((found - wanted).abs() < 1e-14, "{found} instead of {wanted} at L = {lipschitz}");
        }
        search.samples[0].evaluations
    }

    #[test]
    fn linear_equations_of_two_numbers_are_solved_in_a_few_steps() {
        for lipschitz in [0.1, 0.5, 0.9, 0.99] {
            // Plain steps to rounding are 16, 54, 365 and 4046.
            assert!(evaluations(lipschitz) <= 12, "L = {lipschitz}: {} steps", evaluations(lipschitz));
        }
    }

    #[test]
    fn a_map_that_is_no_contraction_has_no_solution_by_it() {
        let mut search = FixedPoint::<f64>::default();
        search.start(1, 1, 0.9);
        while !search.is_done() {
            let at = search.at()[0];
            search.images()[0] = at + 1.0 + at.abs();
            search.step();
        }
        assert!(search.at()[0].is_nan());
    }
}
