//! Monotone splines from the unconstrained element parameters of a conditioner.

use super::MonotoneSpline;
use crate::bijection::Checked;
#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::layers::transformer::{Transformer, rows};
use crate::tape::{Shape, Var};

/// Monotone spline transformer: builds a spline from K widths, K heights and K - 1 slopes, all unconstrained.
///
/// The spline maps [-bound, bound] onto itself in K bins and is the identity outside: both end slopes are 1.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SplineTransformer {
    bins: usize,
    bound: f64,
    rule: SplineConstraint,
}

/// The map from element parameters to bin sizes and slopes.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum SplineConstraint {
    /// Parameters are first clipped softly, to a/(1 + |2a/ln slope|) for widths and heights and a/(1 + |a/ln
    /// slope|) for slopes. Bin shares are softmax(a), slopes exp(a). Parameters of 0 give the identity.
    /// (Rozet et al., zuko.)
    SoftClipped {
        /// The smallest slope, above 0 and other than 1.
        slope: f64,
    },
    /// Bin shares are minimum + (1 - K·minimum)·softmax(a), slopes minimum + softplus(a). (Durkan et al.
    /// 2019, section 3.1.)
    Minimum {
        /// The smallest relative bin width.
        width: f64,
        /// The smallest relative bin height.
        height: f64,
        /// The smallest slope.
        slope: f64,
    },
}

impl SplineTransformer {
    /// Builds a spline transformer with K bins on [-bound, bound] and [`SplineConstraint::SoftClipped`] with slopes
    /// above 1e-3. A network whose last layer starts at 0 makes the flow start as the identity.
    ///
    /// # Panics
    /// When there are fewer than two bins (a single one is the identity) or more than 65536, or the bound is
    /// not above 0.
    pub fn new(bins: usize, bound: f64) -> SplineTransformer {
        SplineTransformer { bins, bound, rule: SplineConstraint::SoftClipped { slope: 1e-3 } }.checked()
    }

    /// Sets the map from element parameters to bin sizes and slopes.
    ///
    /// # Panics
    /// When the rule is infeasible: slopes or minima that are not above 0, or minimum shares that fill the
    /// interval.
    pub fn with_constraint(self, rule: SplineConstraint) -> SplineTransformer {
        SplineTransformer { rule, ..self }.checked()
    }

    /// Number of bins, K.
    pub(super) fn bins(&self) -> usize {
        self.bins
    }

    /// Builds the knots of m variables from this vector: K widths for each, then K heights, then K - 1
    /// slopes. Within each group the order is: the first value of every variable, then the second value of
    /// every variable, and so on.
    pub fn knots<'t>(&self, numbers: Var<'t>) -> MonotoneSpline<'t> {
        let m = numbers.len() / self.parameters_per_dimension();
        let part = |from: usize, to: usize| numbers.slice(from * m..to * m);
        let (bins, all) = (self.bins, self.parameters_per_dimension());
        self.knots_of(part(0, bins), part(bins, 2 * bins), part(2 * bins, all), m)
    }

    /// As [`SplineTransformer::knots`], with widths, heights and slopes as separate vectors.
    pub(super) fn knots_of<'t>(
        &self,
        widths: Var<'t>,
        heights: Var<'t>,
        slopes: Var<'t>,
        m: usize,
    ) -> MonotoneSpline<'t> {
        let constant = |value: f64| widths.tape().constant(value).broadcast(Shape::Vector(m));
        let (start, one) = (constant(-self.bound), constant(1.0));
        let slopes = [one].into_iter().chain(self.slopes(slopes, m)).chain([one]).collect();
        MonotoneSpline::sums((start, start), &self.widths(widths, m), self.heights(heights, m), slopes)
    }

    /// Records K widths that sum to the length of the interval.
    pub(super) fn widths<'t>(&self, numbers: Var<'t>, m: usize) -> Vec<Var<'t>> {
        match self.rule {
            SplineConstraint::Minimum { width, .. } => self.shares(numbers, m, width),
            SplineConstraint::SoftClipped { slope } => self.clipped_shares(numbers, m, slope),
        }
    }

    /// Records K heights that sum to the length of the interval.
    pub(super) fn heights<'t>(&self, numbers: Var<'t>, m: usize) -> Vec<Var<'t>> {
        match self.rule {
            SplineConstraint::Minimum { height, .. } => self.shares(numbers, m, height),
            SplineConstraint::SoftClipped { slope } => self.clipped_shares(numbers, m, slope),
        }
    }

    /// Records a slope for each element parameter.
    pub(super) fn slopes<'t>(&self, numbers: Var<'t>, m: usize) -> Vec<Var<'t>> {
        let slopes = match self.rule {
            SplineConstraint::Minimum { slope, .. } => slope + numbers.softplus(),
            SplineConstraint::SoftClipped { slope } => clipped(numbers, slope.ln().recip()).exp(),
        };
        rows(slopes, m)
    }

    fn shares<'t>(&self, numbers: Var<'t>, m: usize, least: f64) -> Vec<Var<'t>> {
        shares(rows(numbers, m), 2.0 * self.bound, least)
    }

    fn clipped_shares<'t>(&self, numbers: Var<'t>, m: usize, slope: f64) -> Vec<Var<'t>> {
        let limit = (slope.ln() / 2.0).abs();
        let numbers = rows(clipped(numbers, limit.recip()), m);
        // e^limit is far from the largest number of f32.
        match limit < 40.0 {
            true => proportional(numbers.into_iter().map(Var::exp).collect(), 2.0 * self.bound, 0.0),
            false => shares(numbers, 2.0 * self.bound, 0.0),
        }
    }
}

impl Checked for SplineTransformer {
    fn fault(&self) -> Option<String> {
        let SplineTransformer { bins, bound, rule } = *self;
        let positive = |value: f64| value > 0.0 && value.is_finite();
        if !(2..=1 << 16).contains(&bins) || !positive(bound) {
            return Some(format!("a spline has 2 to 65536 bins and a bound above 0, not {bins} and {bound}"));
        }
        let sound = match rule {
            SplineConstraint::SoftClipped { slope } => positive(slope) && slope != 1.0,
            SplineConstraint::Minimum { width, height, slope } => {
                let share = |minimum: f64| positive(minimum) && bins as f64 * minimum < 1.0;
                share(width) && share(height) && positive(slope)
            }
        };
        (!sound).then(|| {
            format!(
                "{rule:?} is infeasible for {bins} bins: slopes and minimum sizes must be positive, and the minimum \
                 sizes must not fill the interval"
            )
        })
    }
}

impl Transformer for SplineTransformer {
    /// 3K - 1: widths, heights, slopes.
    fn parameters_per_dimension(&self) -> usize {
        3 * self.bins - 1
    }

    fn forward<'t>(&self, z: Var<'t>, numbers: Var<'t>) -> Var<'t> {
        self.knots(numbers).forward(z)
    }

    fn inverse<'t>(&self, x: Var<'t>, numbers: Var<'t>) -> Option<Var<'t>> {
        Some(self.knots(numbers).inverse(x))
    }

    fn name(&self) -> String {
        "Spline".to_string()
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("spline", self)
    }
}

/// Soft clipping a/(1 + |c·a|).
fn clipped(a: Var<'_>, c: f64) -> Var<'_> {
    a / (1.0 + (c * a).abs())
}

/// Records positive numbers that sum to `whole`: softmax with a minimum share for each.
pub(super) fn shares<'t>(numbers: Vec<Var<'t>>, whole: f64, least: f64) -> Vec<Var<'t>> {
    // Subtract the maximum, so that nothing overflows.
    let largest = numbers.iter().copied().reduce(Var::max).expect("a spline has a bin at least");
    proportional(numbers.iter().map(|number| (*number - largest).exp()).collect(), whole, least)
}

/// Records shares of `whole` that are proportional to positive numbers, beyond a minimum share for each.
fn proportional<'t>(powers: Vec<Var<'t>>, whole: f64, least: f64) -> Vec<Var<'t>> {
    let total = powers.iter().copied().reduce(|sum, power| sum + power).expect("a spline has a bin at least");
    let each = whole * (1.0 - powers.len() as f64 * least) / total;
    let share = |power: Var<'t>| if least > 0.0 { whole * least + power * each } else { power * each };
    powers.into_iter().map(share).collect()
}
