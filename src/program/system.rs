//! Newton's method for several unknowns together, for many samples at once.
//!
//! h(c) = 0 for k unknowns is solved from c = 0 by steps δ = -(∂h/∂c)⁻¹·h, each of which is halved until |h| falls by a part of
//! what the step promises (Armijo's rule). Where the determinant of ∂h/∂c is 0 nowhere and |h| → ∞ with |c|, as for a map
//! that stays near the identity, that leads to the solution from anywhere; otherwise it may end at a c where |h| cannot be
//! lowered in this direction. Nothing is returned that does not satisfy the equation: a residual |h| above what rounding
//! explains is a solution not found, NaN, and the residual is kept for the message.
//!
//! Where ∂h/∂c is singular, the step is that of Levenberg and Marquardt: -(JᵀJ + μ·1)⁻¹Jᵀh.
//!
//! Source: Dennis and Schnabel, "Numerical Methods for Unconstrained Optimization and Nonlinear Equations" (1983), algorithm
//! A6.3.1 and section 6.5.

use crate::numeric::{Lu, Number};

/// Evaluations of h in all; a few are enough near a solution.
const MOST_EVALUATIONS: u32 = 400;
/// The part of the promised decrease of |h| that a step has to reach.
const ENOUGH: f64 = 1e-4;
/// A step that was shortened to this part of its length is not shortened again.
const SHORTEST: f64 = 1e-9;

/// The search for the solutions of a chunk: `count` unknowns of `stride` samples each.
#[derive(Clone, Debug, Default)]
pub(super) struct System<F> {
    count: usize,
    stride: usize,
    at: Vec<F>,
    /// The last point that was kept, and the whole step from there.
    kept: Vec<F>,
    steps: Vec<f64>,
    samples: Vec<Sample>,
    open: usize,
}

#[derive(Clone, Copy, Debug)]
struct Sample {
    /// |h| at the point that was kept; ∞ before the first.
    residual: f64,
    /// How much of the step is tried.
    part: f64,
    evaluations: u32,
    done: bool,
}

impl<F: Number> System<F> {
    pub(super) fn start(&mut self, count: usize, stride: usize) {
        (self.count, self.stride) = (count, stride);
        for values in [&mut self.at, &mut self.kept] {
            values.clear();
            values.resize(count * stride, F::zero());
        }
        self.steps.clear();
        self.steps.resize(count * stride, 0.0);
        let sample = Sample { residual: f64::INFINITY, part: 1.0, evaluations: 0, done: false };
        self.samples.clear();
        self.samples.resize(stride, sample);
        self.open = stride;
    }

    pub(super) fn at(&self) -> &[F] {
        &self.at
    }

    pub(super) fn is_done(&self) -> bool {
        self.open == 0
    }

    /// The last residual |h| of a sample.
    pub(super) fn residual(&self, lane: usize) -> f64 {
        self.samples[lane].residual
    }

    /// Moves every sample on; `of` returns h and its Jacobian, by rows, at the point of a sample.
    pub(super) fn step<V, J>(&mut self, of: impl Fn(usize) -> (V, J))
    where
        V: Iterator<Item = F>,
        J: Iterator<Item = F>,
    {
        for lane in 0..self.stride {
            if !self.samples[lane].done {
                let (values, jacobian) = of(lane);
                self.step_of(lane, values.map(F::to_double).collect(), jacobian.map(F::to_double));
            }
        }
    }

    fn step_of(&mut self, lane: usize, values: Vec<f64>, jacobian: impl Iterator<Item = f64>) {
        let (stride, count) = (self.stride, self.count);
        let places = move || (0..count).map(move |k| k * stride + lane);
        let residual = length(&values);
        let mut sample = self.samples[lane];
        sample.evaluations += 1;
        let first = sample.residual == f64::INFINITY;
        let falls = residual <= (1.0 - ENOUGH * sample.part) * sample.residual;
        let accepted = residual.is_finite() && (first || falls);
        if !accepted {
            if first || self.is_solved(lane, sample.residual) {
                // Rounding is met, or there is no point to begin at.
                sample.residual = if first { f64::NAN } else { sample.residual };
                return self.end(lane, sample);
            }
            sample.part *= 0.5;
            if sample.part < SHORTEST || sample.evaluations >= MOST_EVALUATIONS {
                return self.end(lane, sample);
            }
            self.samples[lane] = sample;
            places().for_each(|p| self.at[p] = self.kept[p] + F::of(sample.part * self.steps[p]));
            return;
        }
        (sample.residual, sample.part) = (residual, 1.0);
        places().for_each(|p| self.kept[p] = self.at[p]);
        if residual == 0.0 || sample.evaluations >= MOST_EVALUATIONS {
            return self.end(lane, sample);
        }
        let Some(step) = direction(&values, jacobian.collect()) else { return self.end(lane, sample) };
        let size = length(&self.kept_of(lane));
        for (p, step) in places().zip(&step) {
            self.steps[p] = *step;
            self.at[p] = self.kept[p] + F::of(*step);
        }
        // A step of a few units in the last place is rounding.
        if length(&step) <= 2.0 * F::epsilon().to_double() * size && self.is_solved(lane, residual) {
            return self.end(lane, sample);
        }
        self.samples[lane] = sample;
    }

    fn kept_of(&self, lane: usize) -> Vec<f64> {
        (0..self.count).map(|k| self.kept[k * self.stride + lane].to_double()).collect()
    }

    /// Whether rounding explains a residual at the point that was kept.
    fn is_solved(&self, lane: usize, residual: f64) -> bool {
        residual <= 1e3 * F::epsilon().to_double() * length(&self.kept_of(lane)).max(1.0)
    }

    /// Ends at the point that was kept, if it is a solution.
    fn end(&mut self, lane: usize, sample: Sample) {
        let found = self.is_solved(lane, sample.residual);
        for p in (0..self.count).map(|k| k * self.stride + lane) {
            self.at[p] = if found { self.kept[p] } else { F::nan() };
        }
        self.samples[lane] = Sample { done: true, ..sample };
        self.open -= 1;
    }
}

/// The step -J⁻¹h; where J is singular, that of Levenberg and Marquardt. `None` if none is finite.
fn direction(values: &[f64], jacobian: Vec<f64>) -> Option<Vec<f64>> {
    let count = values.len();
    let finite = |step: Vec<f64>| step.iter().all(|value| value.is_finite()).then_some(step);
    let solved = |matrix: Vec<f64>, right: Vec<f64>| {
        let mut step = right;
        Lu::new(count, matrix).solve(&mut step);
        finite(step)
    };
    let newton = solved(jacobian.clone(), values.iter().map(|value| -value).collect());
    newton.or_else(|| {
        let entry = |i: usize, j: usize| jacobian[i * count + j];
        let mut square = vec![0.0; count * count];
        for i in 0..count {
            for j in 0..count {
                square[i * count + j] = (0..count).map(|k| entry(k, i) * entry(k, j)).sum();
            }
        }
        let trace: f64 = (0..count).map(|i| square[i * count + i]).sum();
        (0..count).for_each(|i| square[i * count + i] += 1e-6 * trace);
        let right = (0..count).map(|j| -(0..count).map(|i| entry(i, j) * values[i]).sum::<f64>()).collect();
        solved(square, right)
    })
}

/// The Euclidean norm, without overflow of the squares; NaN of a NaN.
fn length(values: &[f64]) -> f64 {
    let largest = values.iter().fold(0.0, |most: f64, value| match value.is_nan() || most.is_nan() {
        true => f64::NAN,
        false => most.max(value.abs()),
    });
    match largest == 0.0 || !largest.is_finite() {
        true => largest,
        false => largest * values.iter().map(|value| (value / largest).powi(2)).sum::<f64>().sqrt(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Solves for one sample; returns the solution and the number of evaluations.
    fn solve<const K: usize>(h: impl Fn([f64; K]) -> ([f64; K], [[f64; K]; K])) -> ([f64; K], u32, f64) {
        let mut search = System::<f64>::default();
        search.start(K, 1);
        while !search.is_done() {
            let at: [f64; K] = search.at().try_into().unwrap();
            let (values, jacobian) = h(at);
            search.step(|_| {
                (values.into_iter(), jacobian.into_iter().flatten().collect::<Vec<_>>().into_iter())
            });
        }
        (search.at().try_into().unwrap(), search.samples[0].evaluations, search.residual(0))
    }

    #[test]
    fn a_linear_system_takes_one_step() {
        let (found, evaluations, _) =
            solve(|[a, b]| ([2.0 * a + b - 3.0, a - b - 6.0], [[2.0, 1.0], [1.0, -1.0]]));
        assert!((found[0] - 3.0).abs() < 1e-14 && (found[1] + 3.0).abs() < 1e-14, "{found:?}");
        assert!(evaluations <= 3, "{evaluations}");
    }

    #[test]
    fn steps_that_go_too_far_are_shortened() {
        // Newton's method for arctan diverges from |a| > 1.39 on; here it begins at 0 - 8.
        let (found, ..) = solve(|[a, b]| {
            let slope = |t: f64| 1.0 / (1.0 + t * t);
            ([(a - 8.0).atan(), (b + 5.0).atan()], [[slope(a - 8.0), 0.0], [0.0, slope(b + 5.0)]])
        });
        assert!((found[0] - 8.0).abs() < 1e-12 && (found[1] + 5.0).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn a_system_without_a_solution_is_nan_and_keeps_its_residual() {
        let (found, _, residual) = solve(|[a, b]| ([a * a + 1.0, b], [[2.0 * a, 0.0], [0.0, 1.0]]));
        assert!(found.iter().all(|value| value.is_nan()), "{found:?}");
        assert!((residual - 1.0).abs() < 1e-6, "{residual}");
        let (found, ..) = solve(|[_, b]| ([f64::NAN, b], [[1.0, 0.0], [0.0, 1.0]]));
        assert!(found[0].is_nan());
    }

    #[test]
    fn a_singular_jacobian_at_the_start_is_left() {
        // At 0 both rows of the Jacobian are (1, 2).
        let ([a, b], ..) = solve(|[a, b]| {
            ([a + 2.0 * b - 5.0, a + 2.0 * b + a * b - 7.0], [[1.0, 2.0], [1.0 + b, 2.0 + a]])
        });
        assert!((a + 2.0 * b - 5.0).abs() < 1e-12 && (a * b - 2.0).abs() < 1e-12, "{a}, {b}");
    }

    #[test]
    fn samples_beside_one_another_do_not_matter_to_each_other() {
        let h = |c: f64, wanted: f64| (c + (2.0 * c).tanh() - wanted, 1.0 + 2.0 / (2.0 * c).cosh().powi(2));
        let wanted = [0.3, f64::NAN, 1e8, -2.0];
        let mut search = System::<f64>::default();
        search.start(1, 4);
        while !search.is_done() {
            let at = search.at().to_vec();
            search.step(|lane| {
                let (value, slope) = h(at[lane], wanted[lane]);
                (std::iter::once(value), std::iter::once(slope))
            });
        }
        for (found, wanted) in search.at().iter().zip(wanted) {
            let left = found + (2.0 * found).tanh() - wanted;
            assert!(
                wanted.is_nan() && found.is_nan() || left.abs() <= 1e-15 * wanted.abs().max(1.0),
                "{found}"
            );
        }
    }
}
