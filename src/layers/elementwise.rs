//! Elementwise bijections without learnable parameters: the usual maps between ℝ, (0, ∞) and an interval.
//!
//! xᵢ = g(zᵢ)
//!
//! They map data from a subset of the line to the domain of the layers, or the output of a flow back. Each g
//! is one formula; its log-derivative is derived, in a form that neither overflows nor cancels.

#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::bijection::{Bijection, Checked, Domain, bounded_image, record_inverse};
use crate::jacobian::Structure;
use crate::tape::{Var, select, stack};

/// A strictly monotone function of one variable.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[non_exhaustive]
pub enum Transform {
    /// z: ℝ to itself.
    Identity,
    /// eᶻ: ℝ to (0, ∞).
    Exp,
    /// ln z: (0, ∞) to ℝ.
    Ln,
    /// softplus(βz)/β: ℝ to (0, ∞), close to the identity where βz is large.
    Softplus {
        /// β > 0.
        sharpness: f64,
    },
    /// lower + (upper - lower)·σ(z): ℝ to (lower, upper).
    Sigmoid {
        /// The lower end.
        lower: f64,
        /// The upper end.
        upper: f64,
    },
    /// ln z - ln(1 - z): (0, 1) to ℝ.
    Logit,
    /// tanh z: ℝ to (-1, 1).
    Tanh,
    /// z where z ≥ 0 and slope·z where z < 0.
    LeakyRelu {
        /// slope > 0.
        slope: f64,
    },
    /// zᵖ: (0, ∞) to itself.
    Power {
        /// p, other than 0.
        exponent: f64,
    },
    /// exp(-exp(-(z - location)/scale)): ℝ to (0, 1), the distribution function of Gumbel.
    GumbelCdf {
        /// The location.
        location: f64,
        /// scale > 0.
        scale: f64,
    },
    /// m·sinh((asinh z + skew)·tail): ℝ to ℝ, skewed, with heavier tails where tail > 1 (Jones and Pewsey,
    /// "Sinh-arcsinh distributions", 2009). With `normalise`, m = 2/sinh(tail·asinh 2), which keeps the point
    /// 2 fixed if skew = 0; otherwise m = 1.
    SinhArcsinh {
        /// The skewness.
        skew: f64,
        /// Tail weight, above 0.
        tail: f64,
        /// Whether to normalise the scale.
        normalise: bool,
    },
    /// logit(α + (1 - 2α)z): an interval slightly wider than [0, 1] to ℝ, so that data at 0 and at 1 stay
    /// finite (Dinh, Sohl-Dickstein, Bengio, "Density estimation using Real NVP", 2017, section 4.1).
    SqueezedLogit {
        /// α, between 0 and ½.
        alpha: f64,
    },
    /// 1 - (1 - zᵃ)ᵇ: (0, 1) to itself (Kumaraswamy 1980).
    KumaraswamyCdf {
        /// a > 0.
        a: f64,
        /// b > 0.
        b: f64,
    },
}

impl Transform {
    /// Records g(z).
    fn apply<'t>(self, z: Var<'t>) -> Var<'t> {
        match self {
            Transform::Identity => z,
            Transform::Exp => z.exp(),
            Transform::Ln => z.ln(),
            Transform::Softplus { sharpness: 1.0 } => z.softplus(),
            Transform::Softplus { sharpness } => (sharpness * z).softplus() / sharpness,
            Transform::Sigmoid { lower: 0.0, upper: 1.0 } => z.sigmoid(),
            Transform::Sigmoid { lower, upper } => lower + (upper - lower) * z.sigmoid(),
            Transform::Logit => z.ln() - (-z).ln_1p(),
            Transform::Tanh => z.tanh(),
            Transform::LeakyRelu { slope } => select(z.lt(0.0), slope * z, z),
            Transform::Power { exponent } => z.pow(exponent),
            Transform::GumbelCdf { location, scale } => (-(-((z - location) / scale)).exp()).exp(),
            Transform::SinhArcsinh { skew, tail, normalise: false } => ((z.asinh() + skew) * tail).sinh(),
            Transform::SinhArcsinh { skew, tail, normalise: true } => {
                2.0 / (tail * 2f64.asinh()).sinh() * ((z.asinh() + skew) * tail).sinh()
            }
            Transform::SqueezedLogit { alpha } => {
                let y = alpha + (1.0 - 2.0 * alpha) * z;
                y.ln() - (-y).ln_1p()
            }
            // With expm1 and log1p, to avoid cancellation where zᵃ is small.
            Transform::KumaraswamyCdf { a, b } => -(b * (-z.pow(a)).ln_1p()).exp_m1(),
        }
    }

    /// Records g⁻¹(x) for formulas in which z occurs several times; the other inverses are derived.
    fn inverse<'t>(self, x: Var<'t>) -> Option<Var<'t>> {
        match self {
            Transform::Logit => Some(x.sigmoid()),
            Transform::SqueezedLogit { alpha } => Some((x.sigmoid() - alpha) / (1.0 - 2.0 * alpha)),
            Transform::LeakyRelu { slope } => Some(select(x.lt(0.0), x / slope, x)),
            _ => None,
        }
    }

    fn domain(self) -> Domain {
        match self {
            Transform::Exp | Transform::Softplus { .. } | Transform::Sigmoid { .. } | Transform::Tanh => {
                Domain::Reals
            }
            Transform::LeakyRelu { .. } | Transform::GumbelCdf { .. } => Domain::Reals,
            Transform::Identity | Transform::SinhArcsinh { .. } => Domain::Reals,
            Transform::SqueezedLogit { alpha } => {
                let beyond = alpha / (1.0 - 2.0 * alpha);
                Domain::Interval { lower: -beyond, upper: 1.0 + beyond }
            }
            Transform::Ln | Transform::Power { .. } => Domain::Positive,
            Transform::Logit | Transform::KumaraswamyCdf { .. } => {
                Domain::Interval { lower: 0.0, upper: 1.0 }
            }
        }
    }

    fn codomain(self) -> Domain {
        match self {
            Transform::Exp | Transform::Softplus { .. } | Transform::Power { .. } => Domain::Positive,
            Transform::Ln | Transform::Logit | Transform::LeakyRelu { .. } => Domain::Reals,
            Transform::Identity | Transform::SinhArcsinh { .. } | Transform::SqueezedLogit { .. } => {
                Domain::Reals
            }
            Transform::Sigmoid { lower, upper } => Domain::Interval { lower, upper },
            Transform::Tanh => Domain::Interval { lower: -1.0, upper: 1.0 },
            Transform::GumbelCdf { .. } | Transform::KumaraswamyCdf { .. } => {
                Domain::Interval { lower: 0.0, upper: 1.0 }
            }
        }
    }

    /// Returns whether the constants make it strictly monotone.
    fn is_sound(self) -> bool {
        let positive = |value: f64| value > 0.0 && value.is_finite();
        match self {
            Transform::Identity | Transform::Exp | Transform::Ln | Transform::Logit | Transform::Tanh => true,
            Transform::Softplus { sharpness } => positive(sharpness),
            Transform::Sigmoid { lower, upper } => lower.is_finite() && positive(upper - lower),
            Transform::LeakyRelu { slope } => positive(slope),
            Transform::Power { exponent } => positive(exponent.abs()),
            Transform::SinhArcsinh { skew, tail, .. } => skew.is_finite() && positive(tail),
            Transform::SqueezedLogit { alpha } => positive(alpha) && alpha < 0.5,
            Transform::GumbelCdf { location, scale } => location.is_finite() && positive(scale),
            Transform::KumaraswamyCdf { a, b } => positive(a) && positive(b),
        }
    }
}

/// Applies a function to each variable: the same one, or one of its own.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Elementwise {
    transforms: Vec<Transform>,
}

impl Elementwise {
    /// Builds the layer that applies `transform` to each of d variables.
    ///
    /// # Panics
    /// When the constants do not make it strictly monotone, for example a slope or a scale that is not above
    /// 0, or an empty interval.
    pub fn new(transform: Transform, d: usize) -> Elementwise {
        Elementwise::each(vec![transform; d])
    }

    /// Builds the layer that applies to each variable a function of its own: columns of a table that are positive,
    /// bounded, or neither.
    ///
    /// ```
    /// use pushforward::prelude::*;
    ///
    /// let units = Elementwise::each([Transform::Identity, Transform::Exp]);
    /// assert_eq!(units.codomain().written(2), "ℝ × (0, ∞)");
    /// assert!(audit(&units)?.has_no_refutation());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    /// As [`Elementwise::new`].
    pub fn each(transforms: impl Into<Vec<Transform>>) -> Elementwise {
        Elementwise { transforms: transforms.into() }.checked()
    }

    /// The function of all variables, if they have the same.
    fn shared(&self) -> Option<Transform> {
        let first = *self.transforms.first()?;
        self.transforms.iter().all(|transform| *transform == first).then_some(first)
    }

    /// Records a function of each variable, one by one where they differ.
    fn by_variable<'t>(
        &self,
        whole: Var<'t>,
        record: impl Fn(Transform, Var<'t>) -> Option<Var<'t>>,
    ) -> Option<Var<'t>> {
        if let Some(shared) = self.shared() {
            return record(shared, whole);
        }
        let each = self.transforms.iter().enumerate();
        let each: Option<Vec<Var<'t>>> = each.map(|(i, transform)| record(*transform, whole.at(i))).collect();
        Some(stack(each?))
    }
}

impl Checked for Elementwise {
    fn fault(&self) -> Option<String> {
        let unsound = self.transforms.iter().find(|transform| !transform.is_sound())?;
        Some(format!("{unsound:?} is not strictly monotone: its numbers must be positive and finite"))
    }
}

impl Bijection for Elementwise {
    fn dim(&self) -> usize {
        self.transforms.len()
    }

    fn structure(&self) -> Structure {
        Structure::Diagonal
    }

    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        self.by_variable(z, |transform, variable| Some(transform.apply(variable))).unwrap_or(z)
    }

    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        if self.shared().is_none() && !self.transforms.iter().any(|transform| transform.inverse(x).is_some())
        {
            return None;
        }
        self.by_variable(x, |transform, variable| match (transform.inverse(variable), self.shared()) {
            (None, None) => {
                // One variable of its own, derived.
                let own = record_inverse(&Elementwise::new(transform, 1), stack([variable]));
                own.ok().map(|own| own.at(0))
            }
            (inverse, _) => inverse,
        })
    }

    fn domain(&self) -> Domain {
        Domain::each(self.transforms.iter().map(|transform| transform.domain()))
    }

    fn codomain(&self) -> Domain {
        Domain::each(self.transforms.iter().map(|transform| transform.codomain()))
    }

    fn image(&self, part: &Domain) -> Domain {
        let one = |transform: Transform, part: Domain| match part == transform.domain() {
            true => transform.codomain(),
            false => bounded_image(&part, &transform.codomain(), |z| transform.apply(z)),
        };
        match (part.dim(), self.shared()) {
            (None, Some(transform)) => one(transform, part.clone()),
            _ => Domain::each(
                self.transforms.iter().enumerate().map(|(i, transform)| one(*transform, part.of(i))),
            ),
        }
    }

    fn name(&self) -> String {
        match self.shared() {
            Some(transform) => {
                format!("{transform:?}").split(' ').next().unwrap_or("Elementwise").to_string()
            }
            None => "Elementwise".to_string(),
        }
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("elementwise", self)
    }
}
