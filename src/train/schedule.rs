//! Learning rates over the steps of a training: a linear warm-up, then a decay.
//!
//! Of T steps, counted from 0, the first W are the warm-up: the learning rate of step k < W has the factor (k + 1)/W
//! (Goyal et al., "Accurate, large minibatch SGD", 2017, section 2.2). Then the factor is a function of the k - W
//! steps made since, for a cosine and an exponential by way of the progress u = (k - W)/(T - W). Adam's moments are
//! estimates of few gradients at first, and its first steps are as long as later ones: a warm-up makes them shorter.

use super::error::TrainError;

/// How the learning rate falls from step to step, once the warm-up is over.
///
/// ```
/// use pushforward::train::Schedule;
///
/// let schedule = Schedule::Cosine { last: 0.1 };
/// let factor = |step| schedule.factor(step, 10, 110);          // 10 of 110 steps are the warm-up
/// assert_eq!([factor(0), factor(4), factor(9), factor(10)], [0.1, 0.5, 1.0, 1.0]);
/// assert!((factor(60) - 0.55).abs() < 1e-12 && (factor(110) - 0.1).abs() < 1e-12);
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq)]
#[non_exhaustive]
pub enum Schedule {
    /// The learning rate itself.
    #[default]
    Constant,
    /// last + (1 - last)·(1 + cos πu)/2: slowly at both ends (Loshchilov and Hutter, "SGDR", 2017, eq. 5, without
    /// restarts).
    Cosine {
        /// The factor at the end, from 0 to 1.
        last: f64,
    },
    /// lastᵘ: by the same factor in each step.
    Exponential {
        /// The factor at the end, above 0 and at most 1.
        last: f64,
    },
    /// factorⁿ after n·`every` steps: constant in between.
    Step {
        /// Number of steps between two changes.
        every: usize,
        /// What the learning rate is multiplied by, above 0 and at most 1.
        factor: f64,
    },
}

impl Schedule {
    /// Returns what the learning rate of a step, counted from 0, is multiplied by, when the first `warm_up` of
    /// `steps` steps are the warm-up. After the last step it stays what it is at the end.
    pub fn factor(self, step: usize, warm_up: usize, steps: usize) -> f64 {
        if step < warm_up {
            return (step + 1) as f64 / warm_up as f64;
        }
        let since = step - warm_up;
        let progress = || (since as f64 / steps.saturating_sub(warm_up).max(1) as f64).min(1.0);
        match self {
            Schedule::Constant => 1.0,
            Schedule::Cosine { last } => {
                last + (1.0 - last) * 0.5 * (1.0 + (std::f64::consts::PI * progress()).cos())
            }
            Schedule::Exponential { last } => last.powf(progress()),
            Schedule::Step { every, factor } => factor.powf((since / every.max(1)) as f64),
        }
    }

    /// Checks its numbers, and that there are steps after the warm-up where it is told how many there are.
    pub(crate) fn check(self, warm_up: usize, steps: usize) -> Result<(), TrainError> {
        let setting = |name, value: String, allowed| Err(TrainError::Setting { name, value, allowed });
        match self {
            Schedule::Cosine { last } if !(0.0..=1.0).contains(&last) => {
                setting("schedule", format!("{self:?}"), "a cosine whose last factor is from 0 to 1")
            }
            Schedule::Exponential { last } if !(last > 0.0 && last <= 1.0) => setting(
                "schedule",
                format!("{self:?}"),
                "exponential with a last factor above 0 and at most 1",
            ),
            Schedule::Step { every, factor } if every == 0 || !(factor > 0.0 && factor <= 1.0) => setting(
                "schedule",
                format!("{self:?}"),
                "steps with `every` of at least 1 and a factor above 0 and at most 1",
            ),
            Schedule::Cosine { .. } | Schedule::Exponential { .. } if steps <= warm_up => {
                setting("steps", steps.to_string(), "more than `warm_up`, as the schedule ends with them")
            }
            _ => Ok(()),
        }
    }
}
