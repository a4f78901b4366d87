//! Averages of parameters over steps.

use crate::tape::Parameters;

/// The exponentially weighted mean of parameters over steps, corrected for its start at 0 as Adam's moments are.
pub(crate) struct Average {
    weight: f64,
    steps: i32,
    sum: Parameters,
    mean: Parameters,
}

impl Average {
    pub fn new(weight: f64, parameters: &Parameters) -> Average {
        let mut sum = parameters.clone();
        sum.iter_mut().for_each(|(_, tensor)| tensor.values.fill(0.0));
        Average { weight, steps: 0, mean: sum.clone(), sum }
    }

    pub fn add<'p>(&mut self, now: impl FnOnce() -> &'p Parameters) {
        if self.weight == 0.0 {
            return;
        }
        self.steps += 1;
        for ((_, sum), (_, now)) in self.sum.iter_mut().zip(now().iter()) {
            for (sum, now) in sum.values.iter_mut().zip(&now.values) {
                *sum = self.weight * *sum + (1.0 - self.weight) * now;
            }
        }
    }

    /// The mean so far; the present parameters where there is none.
    pub fn or<'p>(&'p mut self, now: &'p Parameters) -> &'p Parameters {
        if self.steps == 0 {
            return now;
        }
        let correction = 1.0 - self.weight.powi(self.steps);
        for ((_, mean), (_, sum)) in self.mean.iter_mut().zip(self.sum.iter()) {
            mean.values.iter_mut().zip(&sum.values).for_each(|(mean, sum)| *mean = sum / correction);
        }
        &self.mean
    }
}
