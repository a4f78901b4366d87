//! The functions of elementwise layers: formula, domain, codomain, and the conditions on their constants.

use crate::bijection::Domain;
use crate::tape::{Var, select};

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
    /// Φ(z), the distribution function of the standard normal: ℝ to (0, 1).
    NormalCdf,
    /// Φ⁻¹(z): (0, 1) to ℝ.
    NormalQuantile,
    /// z/(1 + |z|): ℝ to (-1, 1).
    Softsign,
    /// sinh z: ℝ to itself.
    Sinh,
    /// asinh z: ℝ to itself, like the logarithm of |z| with its sign far from 0.
    Asinh,
    /// 2/π·arctan z: ℝ to (-1, 1).
    Arctangent,
    /// z + coefficient·z³: ℝ to itself. Its inverse is solved.
    Cubic {
        /// coefficient ≥ 0.
        coefficient: f64,
    },
    /// sign(z)·|z|ᵖ: ℝ to itself. Its derivative at 0 is 0 for p > 1 and infinite for p < 1: ln|det J| is -∞ or ∞ there.
    SignedPower {
        /// p > 0.
        exponent: f64,
    },
    /// (zᵖ - 1)/p, and ln z for p = 0 (Box and Cox 1964, eq. 1): (0, ∞) to (-1/p, ∞), ℝ, or (-∞, -1/p), by the sign of p.
    BoxCox {
        /// p, any number.
        power: f64,
    },
    /// Box-Cox of z + 1 with the power p where z ≥ 0, and minus Box-Cox of 1 - z with 2 - p elsewhere: ℝ to itself (Yeo
    /// and Johnson, "A new family of power transformations", 2000, eq. 2.1).
    YeoJohnson {
        /// p, between 0 and 2: outside of it the map is not onto ℝ.
        power: f64,
    },
    /// 1 - exp(-(z/scale)ᵏ): (0, ∞) to (0, 1), the distribution function of Weibull.
    WeibullCdf {
        /// scale > 0.
        scale: f64,
        /// k > 0.
        shape: f64,
    },
}

impl Transform {
    /// Records g(z).
    pub(super) fn apply<'t>(self, z: Var<'t>) -> Var<'t> {
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
            // The factor 1 - 2α of y and of 1 - y cancels. Where z is next to 1 the difference 1 - y would cancel, too, so it
            // is written by the distance from 1.
            Transform::SqueezedLogit { alpha } => {
                let beyond = alpha / (1.0 - 2.0 * alpha);
                (z + beyond).ln() - ((1.0 - z) + beyond).ln()
            }
            // With expm1 and log1p, to avoid cancellation where zᵃ is small.
            Transform::KumaraswamyCdf { a, b } => -(b * (-z.pow(a)).ln_1p()).exp_m1(),
            Transform::NormalCdf => z.normal_cdf(),
            Transform::NormalQuantile => z.normal_quantile(),
            Transform::Softsign => z / (1.0 + z.abs()),
            Transform::Sinh => z.sinh(),
            Transform::Asinh => z.asinh(),
            Transform::Arctangent => 2.0 * z.atan_pi(),
            Transform::Cubic { coefficient } => z + coefficient * z.powi(3),
            Transform::SignedPower { exponent } => select(z.lt(0.0), -(-z).pow(exponent), z.pow(exponent)),
            Transform::BoxCox { power } => box_cox(z.ln(), power),
            Transform::YeoJohnson { power } => {
                select(z.lt(0.0), -box_cox((-z).ln_1p(), 2.0 - power), box_cox(z.ln_1p(), power))
            }
            Transform::WeibullCdf { scale, shape } => -(-(z / scale).pow(shape)).exp_m1(),
        }
    }

    /// Records g⁻¹(x) for formulas in which z occurs several times; the other inverses are derived.
    pub(super) fn inverse<'t>(self, x: Var<'t>) -> Option<Var<'t>> {
        match self {
            Transform::Logit => Some(x.sigmoid()),
            Transform::SqueezedLogit { alpha } => {
                let beyond = alpha / (1.0 - 2.0 * alpha);
                Some(x.sigmoid() + beyond * (x.sigmoid() - (-x).sigmoid()))
            }
            Transform::LeakyRelu { slope } => Some(select(x.lt(0.0), x / slope, x)),
            Transform::Softsign => Some(x / (1.0 - x.abs())),
            Transform::SignedPower { exponent } => {
                let root = |x: Var<'t>| x.pow(exponent.recip());
                Some(select(x.lt(0.0), -root(-x), root(x)))
            }
            Transform::YeoJohnson { power } => {
                let (below, above) = (box_cox_inverse(-x, 2.0 - power), box_cox_inverse(x, power));
                Some(select(x.lt(0.0), -below.exp_m1(), above.exp_m1()))
            }
            _ => None,
        }
    }

    pub(super) fn domain(self) -> Domain {
        match self {
            Transform::Exp | Transform::Softplus { .. } | Transform::Sigmoid { .. } | Transform::Tanh => {
                Domain::Reals
            }
            Transform::LeakyRelu { .. } | Transform::GumbelCdf { .. } => Domain::Reals,
            Transform::Identity | Transform::SinhArcsinh { .. } => Domain::Reals,
            Transform::SqueezedLogit { alpha } => {
                let beyond = alpha / (1.0 - 2.0 * alpha);
                // The double that 1 + α/(1 - 2α) is, or the next one beyond it.
                let sum = 1.0 + beyond;
                let upper = if sum - 1.0 < beyond { sum.next_up() } else { sum };
                Domain::Interval { lower: -beyond, upper }
            }
            Transform::NormalCdf | Transform::Softsign | Transform::Sinh | Transform::Asinh => Domain::Reals,
            Transform::Arctangent | Transform::Cubic { .. } => Domain::Reals,
            Transform::SignedPower { .. } | Transform::YeoJohnson { .. } => Domain::Reals,
            Transform::Ln | Transform::Power { .. } => Domain::Positive,
            Transform::BoxCox { .. } | Transform::WeibullCdf { .. } => Domain::Positive,
            Transform::Logit | Transform::KumaraswamyCdf { .. } | Transform::NormalQuantile => {
                Domain::Interval { lower: 0.0, upper: 1.0 }
            }
        }
    }

    pub(super) fn codomain(self) -> Domain {
        match self {
            Transform::Exp | Transform::Softplus { .. } | Transform::Power { .. } => Domain::Positive,
            Transform::Ln | Transform::Logit | Transform::LeakyRelu { .. } => Domain::Reals,
            Transform::Identity | Transform::SinhArcsinh { .. } | Transform::SqueezedLogit { .. } => {
                Domain::Reals
            }
            Transform::Sigmoid { lower, upper } => Domain::Interval { lower, upper },
            Transform::Tanh | Transform::Softsign | Transform::Arctangent => {
                Domain::Interval { lower: -1.0, upper: 1.0 }
            }
            Transform::GumbelCdf { .. } | Transform::KumaraswamyCdf { .. } => {
                Domain::Interval { lower: 0.0, upper: 1.0 }
            }
            Transform::NormalCdf | Transform::WeibullCdf { .. } => {
                Domain::Interval { lower: 0.0, upper: 1.0 }
            }
            Transform::NormalQuantile | Transform::Sinh | Transform::Asinh => Domain::Reals,
            Transform::Cubic { .. } | Transform::SignedPower { .. } => Domain::Reals,
            Transform::YeoJohnson { .. } => Domain::Reals,
            // -1/p as a double, or the next one outside of it.
            Transform::BoxCox { power } if power > 0.0 => {
                let end = -power.recip();
                let exact = end.mul_add(power, 1.0) == 0.0;
                Domain::Interval { lower: if exact { end } else { end.next_down() }, upper: f64::INFINITY }
            }
            Transform::BoxCox { power } if power < 0.0 => {
                let end = -power.recip();
                let exact = end.mul_add(power, 1.0) == 0.0;
                Domain::Interval { lower: f64::NEG_INFINITY, upper: if exact { end } else { end.next_up() } }
            }
            Transform::BoxCox { .. } => Domain::Reals,
        }
    }

    /// Returns whether the constants make it strictly monotone.
    pub(super) fn is_sound(self) -> bool {
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
            Transform::NormalCdf | Transform::NormalQuantile | Transform::Softsign => true,
            Transform::Sinh | Transform::Asinh | Transform::Arctangent => true,
            Transform::Cubic { coefficient } => coefficient >= 0.0 && coefficient.is_finite(),
            Transform::SignedPower { exponent } => positive(exponent),
            Transform::BoxCox { power } => power.is_finite(),
            Transform::YeoJohnson { power } => (0.0..=2.0).contains(&power),
            Transform::WeibullCdf { scale, shape } => positive(scale) && positive(shape),
        }
    }
}

/// (uᵖ - 1)/p of u = eˡ, which is l for p = 0; by expm1, so that it is continuous in p.
fn box_cox(log: Var<'_>, power: f64) -> Var<'_> {
    if power == 0.0 { log } else { (power * log).exp_m1() / power }
}

/// The l with (e^(p·l) - 1)/p = x.
fn box_cox_inverse(x: Var<'_>, power: f64) -> Var<'_> {
    if power == 0.0 { x } else { (power * x).ln_1p() / power }
}
