//! Adam (Kingma and Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1).

use crate::tape::Parameters;

/// The state of the optimiser: running means of gradients and of their squares.
#[derive(Clone, Debug)]
pub struct Adam {
    learning_rate: f64,
    step: i32,
    first: Vec<Vec<f64>>,
    second: Vec<Vec<f64>>,
}

const BETA_1: f64 = 0.9;
const BETA_2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

impl Adam {
    /// Starts at rest, for these parameters.
    pub fn new(learning_rate: f64, parameters: &Parameters) -> Adam {
        let zeros: Vec<Vec<f64>> =
            parameters.iter().map(|(_, tensor)| vec![0.0; tensor.values.len()]).collect();
        Adam { learning_rate, step: 0, first: zeros.clone(), second: zeros }
    }

    /// Changes the step size from now on.
    pub fn set_learning_rate(&mut self, learning_rate: f64) {
        self.learning_rate = learning_rate;
    }

    /// One step against the gradients, which come in the order of the parameters.
    pub fn step(&mut self, parameters: &mut Parameters, gradients: &[Vec<f64>]) {
        self.step += 1;
        let (correction_1, correction_2) = (1.0 - BETA_1.powi(self.step), 1.0 - BETA_2.powi(self.step));
        let moments = self.first.iter_mut().zip(&mut self.second);
        for (((_, tensor), gradient), (first, second)) in parameters.iter_mut().zip(gradients).zip(moments) {
            for (k, value) in tensor.values.iter_mut().enumerate() {
                let g = gradient[k];
                first[k] = BETA_1 * first[k] + (1.0 - BETA_1) * g;
                second[k] = BETA_2 * second[k] + (1.0 - BETA_2) * g * g;
                let (mean, square) = (first[k] / correction_1, second[k] / correction_2);
                *value -= self.learning_rate * mean / (square.sqrt() + EPSILON);
            }
        }
    }
}
