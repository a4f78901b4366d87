//! Adam (Kingma and Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1).

use crate::sweep::value::Number;

/// The state of the optimiser: running means of gradients and of their squares, for each parameter.
#[derive(Clone, Debug)]
pub struct Adam<F> {
    learning_rate: f64,
    step: i32,
    moments: Vec<(Vec<F>, Vec<F>)>,
}

const BETA_1: f64 = 0.9;
const BETA_2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

impl<F: Number> Adam<F> {
    /// Starts at rest, for parameters of these lengths.
    pub fn new(learning_rate: f64, lengths: &[usize]) -> Adam<F> {
        let moments = lengths.iter().map(|n| (vec![F::zero(); *n], vec![F::zero(); *n])).collect();
        Adam { learning_rate, step: 0, moments }
    }

    /// Changes the step size from now on.
    pub fn set_learning_rate(&mut self, learning_rate: f64) {
        self.learning_rate = learning_rate;
    }

    /// Begins the next step, of which [`Adam::change`] is the share of one parameter.
    pub fn next(&mut self) {
        self.step += 1;
    }

    /// Moves parameter `number` against its gradient, which is `scale` times the numbers given; one pass over them.
    pub fn change(&mut self, number: usize, values: &mut [F], gradient: &[F], scale: F) {
        let (correction_1, correction_2) = (1.0 - BETA_1.powi(self.step), 1.0 - BETA_2.powi(self.step));
        let (first, second) = &mut self.moments[number];
        let rate = F::of(self.learning_rate / correction_1);
        let root = F::of(1.0 / correction_2);
        let (keep_1, take_1) = (F::of(BETA_1), F::of(1.0 - BETA_1));
        let (keep_2, take_2) = (F::of(BETA_2), F::of(1.0 - BETA_2));
        let epsilon = F::of(EPSILON);
        let moments = first.iter_mut().zip(second.iter_mut());
        for ((value, gradient), (first, second)) in values.iter_mut().zip(gradient).zip(moments) {
            let g = *gradient * scale;
            *first = keep_1 * *first + take_1 * g;
            *second = keep_2 * *second + take_2 * g * g;
            *value = *value - rate * *first / ((*second * root).sqrt() + epsilon);
        }
    }
}
