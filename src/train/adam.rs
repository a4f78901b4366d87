//! Adam (Kingma and Ba, "Adam: a method for stochastic optimization", 2015, algorithm 1).

use crate::kernel::{Arch, Simd, WithSimd};
use crate::numeric::Number;
use crate::tape::Parameters;

/// State of the optimiser: first and second moments of the gradient of each parameter.
#[derive(Clone, Debug)]
pub struct Adam<F> {
    learning_rate: f64,
    weight_decay: f64,
    step: i32,
    moments: Vec<Moments<F>>,
}

/// Moments of one parameter: running means of its gradients and of their squares.
#[derive(Clone, Debug)]
pub struct Moments<F> {
    first: Vec<F>,
    second: Vec<F>,
}

/// Constants of one step.
#[derive(Clone, Copy, Debug)]
pub struct AdamStep<F> {
    /// The factor of parameters before the step.
    keep: F,
    rate: F,
    root: F,
    scale: F,
}

const BETA_1: f64 = 0.9;
const BETA_2: f64 = 0.999;
const EPSILON: f64 = 1e-8;

impl<F: Number> Adam<F> {
    /// Builds an optimiser with zero moments, for parameters of these lengths.
    pub fn new(learning_rate: f64, lengths: &[usize]) -> Adam<F> {
        let zeros = |n: &usize| Moments { first: vec![F::zero(); *n], second: vec![F::zero(); *n] };
        let moments = lengths.iter().map(zeros).collect();
        Adam { learning_rate, weight_decay: 0.0, step: 0, moments }
    }

    /// Changes the learning rate from now on.
    pub fn set_learning_rate(&mut self, learning_rate: f64) {
        self.learning_rate = learning_rate;
    }

    /// Changes the decoupled weight decay from now on (Loshchilov and Hutter 2019, algorithm 2).
    pub fn set_weight_decay(&mut self, weight_decay: f64) {
        self.weight_decay = weight_decay;
    }

    /// Learning rate.
    pub fn learning_rate(&self) -> f64 {
        self.learning_rate
    }

    /// Begins the next step: returns its constants, and the moments of each parameter. Gradients are
    /// multiplied by `scale`.
    pub fn next(&mut self, scale: F) -> (AdamStep<F>, &mut [Moments<F>]) {
        self.step += 1;
        let (correction_1, correction_2) = (1.0 - BETA_1.powi(self.step), 1.0 - BETA_2.powi(self.step));
        let rate = F::of(self.learning_rate / correction_1);
        let keep = F::of(1.0 - self.learning_rate * self.weight_decay);
        (AdamStep { keep, rate, root: F::of(1.0 / correction_2), scale }, &mut self.moments)
    }
}

impl Adam<f64> {
    /// Takes one step against the gradients, which are in the order of the parameters; for losses outside of
    /// a flow.
    pub fn step(&mut self, parameters: &mut Parameters, gradients: &[Vec<f64>]) {
        let (step, moments) = self.next(1.0);
        for (((_, tensor), moments), gradient) in parameters.iter_mut().zip(moments).zip(gradients) {
            step.change(moments, &mut tensor.values, gradient);
        }
    }
}

impl<F: Number> AdamStep<F> {
    /// Updates a parameter and its moments from its gradient, in one pass.
    pub fn change(self, moments: &mut Moments<F>, values: &mut [F], gradient: &[F]) {
        Arch::new().dispatch(Change { step: self, moments, values, gradient });
    }
}

/// An update to run with the machine's vector instructions.
struct Change<'a, F> {
    step: AdamStep<F>,
    moments: &'a mut Moments<F>,
    values: &'a mut [F],
    gradient: &'a [F],
}

impl<F: Number> WithSimd for Change<'_, F> {
    type Output = ();

    /// A plain loop, which the compiler vectorises for each instruction set.
    #[inline(always)]
    fn with_simd<S: Simd>(self, _: S) {
        let Change { step: AdamStep { keep, rate, root, scale }, moments, values, gradient } = self;
        let (keep_1, take_1) = (F::of(BETA_1), F::of(1.0 - BETA_1));
        let (keep_2, take_2) = (F::of(BETA_2), F::of(1.0 - BETA_2));
        let epsilon = F::of(EPSILON);
        let moments = moments.first.iter_mut().zip(&mut moments.second);
        for ((value, gradient), (first, second)) in values.iter_mut().zip(gradient).zip(moments) {
            let g = *gradient * scale;
            *first = keep_1 * *first + take_1 * g;
            *second = keep_2 * *second + take_2 * g * g;
            *value = keep * *value - rate * *first / ((*second * root).sqrt() + epsilon);
        }
    }
}
