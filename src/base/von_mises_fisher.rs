//! Von Mises-Fisher base distribution on the sphere.

use std::f64::consts::TAU;

use rand::{Rng, RngExt};

use super::Base;
use super::von_mises::on_the_circle;
#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::bijection::{Checked, Domain};
use crate::tape::{Var, concat};

/// Von Mises-Fisher distribution of a direction x in ℝ³, in its height h = x₃ in (-1, 1) and its angle φ in [-π, π):
/// x = (√(1 - h²)·cos φ, √(1 - h²)·sin φ, h) and ln p(h, φ) = κ·μ·x + ln κ - ln(4π·sinh κ) with the mean direction μ.
///
/// The map to the sphere preserves areas (Archimedes), so that this is the density on the sphere too, and κ = 0 is
/// uniform in both. As κ·μ·x = κ - ½κ·|x - μ|², nothing large cancels. [`VonMisesFisher::point`] and
/// [`VonMisesFisher::coordinates`] translate.
///
/// ```
/// use pushforward::prelude::*;
///
/// let base = VonMisesFisher::new([0.0, 3.0, 4.0], 50.0);
/// assert_eq!(base.mean(), [0.0, 0.6, 0.8]);
/// let [x, y, z] = VonMisesFisher::point(VonMisesFisher::coordinates(base.mean()));
/// assert!(x.abs() < 1e-15 && (y - 0.6).abs() < 1e-15 && z == 0.8);
/// ```
///
/// Source: Mardia and Jupp, "Directional Statistics" (2000), section 9.3.2.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct VonMisesFisher {
    mean: [f64; 3],
    concentration: f64,
}

impl VonMisesFisher {
    /// Builds the distribution from the mean direction, whose length does not matter, and the concentration κ.
    ///
    /// # Panics
    /// When the mean direction is 0 or not finite, or when the concentration is negative or not finite.
    pub fn new(mean: [f64; 3], concentration: f64) -> VonMisesFisher {
        VonMisesFisher { mean, concentration }.checked()
    }

    /// The mean direction μ, of length 1.
    pub fn mean(&self) -> [f64; 3] {
        // Scaled first: squares neither overflow nor vanish.
        let largest = self.mean.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
        let scaled = self.mean.map(|value| value / largest);
        let length = scaled.iter().map(|value| value * value).sum::<f64>().sqrt();
        scaled.map(|value| value / length)
    }

    /// The concentration κ.
    pub fn concentration(&self) -> f64 {
        self.concentration
    }

    /// Returns the point of the sphere with this height and angle.
    pub fn point([height, angle]: [f64; 2]) -> [f64; 3] {
        let radius = radius(height);
        [radius * angle.cos(), radius * angle.sin(), height]
    }

    /// Returns the height and the angle of a point of the sphere.
    pub fn coordinates([x, y, height]: [f64; 3]) -> [f64; 2] {
        [height, on_the_circle(y.atan2(x))]
    }

    /// Returns ln p at the mean, κ + ln κ - ln(4π·sinh κ) = ln(κ/(1 - e⁻²ᵏ)) - ln 2π.
    fn log_peak(&self) -> f64 {
        let kappa = self.concentration;
        let ratio = if kappa > 0.0 { kappa / -(-2.0 * kappa).exp_m1() } else { 0.5 };
        ratio.ln() - TAU.ln()
    }
}

/// √(1 - h²)
fn radius(height: f64) -> f64 {
    ((1.0 - height) * (1.0 + height)).sqrt()
}

impl Checked for VonMisesFisher {
    fn fault(&self) -> Option<String> {
        let VonMisesFisher { mean, concentration } = self;
        if mean.iter().any(|value| !value.is_finite()) || mean.iter().all(|value| *value == 0.0) {
            return Some(format!("a mean direction is finite and not 0, but this one is {mean:?}"));
        }
        let sound = *concentration >= 0.0 && concentration.is_finite();
        (!sound).then(|| {
            format!("a von Mises-Fisher distribution needs a finite concentration of 0 or more, not {concentration}")
        })
    }
}

impl Base for VonMisesFisher {
    fn dim(&self) -> usize {
        2
    }

    fn log_prob<'t>(&self, z: Var<'t>) -> Var<'t> {
        let [x, y, own_height] = self.mean();
        let own_radius = x.hypot(y);
        let (height, angle) = (z.at(0), z.at(1));
        let radius = ((1.0 - height) * (1.0 + height)).sqrt();
        // |x - μ|², with the angle between two points of one latitude by the sine of its half.
        let sin = (0.5 * (angle - y.atan2(x))).sin();
        let apart = concat([height - own_height, radius - own_radius]);
        let square = apart.dot(apart) + 4.0 * own_radius * radius * sin * sin;
        self.log_peak() - 0.5 * self.concentration * square
    }

    fn support(&self) -> Domain {
        Domain::each([Domain::Interval { lower: -1.0, upper: 1.0 }, Domain::Circle])
    }

    /// Draws 1 - μ·x by the inverse of its distribution function, and the angle about μ uniformly.
    ///
    /// Source: Ulrich, "Computer generation of distributions on the m-sphere" (1984), whose rejection is not needed on
    /// this sphere (Wood, "Simulation of the von Mises Fisher distribution", 1994).
    fn sample(&self, random: &mut dyn Rng, z: &mut [f64]) {
        let kappa = self.concentration;
        let uniform: f64 = random.random();
        let below = match kappa > 0.0 {
            true => -(uniform * (-2.0 * kappa).exp_m1()).ln_1p() / kappa,
            false => 2.0 * uniform,
        };
        let below = below.clamp(0.0, 2.0);
        let away = (below * (2.0 - below)).sqrt();
        let (sin, cos) = (TAU * random.random::<f64>()).sin_cos();
        // About the pole, then turned with the pole to μ: along its meridian, and along its latitude.
        let [x, y, height] = self.mean();
        let own_radius = x.hypot(y);
        let (own_sin, own_cos) = y.atan2(x).sin_cos();
        let (outwards, along) = ((1.0 - below) * own_radius + away * cos * height, away * sin);
        let drawn_height = (1.0 - below) * height - away * cos * own_radius;
        let [height, angle] = VonMisesFisher::coordinates([
            outwards * own_cos - along * own_sin,
            outwards * own_sin + along * own_cos,
            drawn_height,
        ]);
        // A pole is no point of the open interval: the number next to it.
        let last = 1.0 - f64::EPSILON / 2.0;
        (z[0], z[1]) = (height.clamp(-last, last), angle);
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("von_mises_fisher", self)
    }
}
