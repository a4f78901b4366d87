//! Von Mises base distribution.

use std::f64::consts::{PI, TAU};

use rand::{Rng, RngExt};

use super::conditioned::Independent;
use super::{Base, Conditioned};
#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::bijection::{Checked, Domain};
use crate::tape::Var;

/// Independent von Mises angles in [-π, π): ln p(z) = Σ (κᵢ·cos(zᵢ - mᵢ) - ln(2π·I₀(κᵢ))) with the modified Bessel function
/// I₀. Outside, ln p(z) = -∞.
///
/// The normal distribution of the circle: κ = 0 is uniform, and for large κ an angle is nearly normal about its mean m with
/// the variance 1/κ. As κ·cos = κ - 2κ·sin² of half the angle, nothing large cancels.
///
/// Source: Mardia and Jupp, "Directional Statistics" (2000), section 3.5.4.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct VonMises {
    means: Vec<f64>,
    concentrations: Vec<f64>,
}

impl VonMises {
    /// Builds the distribution from the mean direction m and the concentration κ of each angle.
    ///
    /// # Panics
    /// When the lists have different lengths, a mean is not finite, or a concentration is negative or not finite.
    pub fn new(means: impl Into<Vec<f64>>, concentrations: impl Into<Vec<f64>>) -> VonMises {
        VonMises { means: means.into(), concentrations: concentrations.into() }.checked()
    }

    /// The concentrations κ.
    pub fn concentrations(&self) -> &[f64] {
        &self.concentrations
    }
}

impl Checked for VonMises {
    fn fault(&self) -> Option<String> {
        let (means, concentrations) = (&self.means, &self.concentrations);
        if means.len() != concentrations.len() {
            let (means, concentrations) = (means.len(), concentrations.len());
            return Some(format!(
                "a von Mises angle has a mean and a concentration; there are {means} and {concentrations}"
            ));
        }
        if let Some(mean) = means.iter().find(|mean| !mean.is_finite()) {
            return Some(format!("the mean of a von Mises angle is a finite number, not {mean}"));
        }
        let concentration = concentrations.iter().find(|value| !(**value >= 0.0 && value.is_finite()))?;
        Some(format!("a von Mises angle needs a finite concentration of 0 or more, not {concentration}"))
    }
}

impl Base for VonMises {
    fn dim(&self) -> usize {
        self.means.len()
    }

    fn log_prob<'t>(&self, z: Var<'t>) -> Var<'t> {
        let tape = z.tape();
        let sin = (0.5 * (z - tape.vector(&self.means))).sin();
        let constant: f64 = self.concentrations.iter().map(|kappa| log_peak(*kappa)).sum();
        constant - 2.0 * tape.vector(&self.concentrations).dot(sin * sin)
    }

    fn support(&self) -> Domain {
        Domain::Circle
    }

    /// Draws by the rejection of Best and Fisher ("Efficient simulation of the von Mises distribution", 1979), whose
    /// r = (1 + √(1 + 4κ²))/(2κ) enters as 1/(r - 1) and κ·(r - 1): finite for κ = 0, and exact for large κ.
    fn sample(&self, random: &mut dyn Rng, z: &mut [f64]) {
        for (value, (mean, kappa)) in z.iter_mut().zip(self.means.iter().zip(&self.concentrations)) {
            let spread = 1.0 + 1.0 / (1.0f64.hypot(2.0 * kappa) + 2.0 * kappa);
            let ratio = 1.0 + 4.0 * kappa / spread;
            let half = loop {
                let (sin, cos) = (0.5 * PI * random.random::<f64>()).sin_cos();
                // sin² of half the proposed angle.
                let square = sin * sin / (sin * sin + ratio * cos * cos);
                let c = 0.5 * spread + 2.0 * kappa * square;
                if (c / (1.0 - random.random::<f64>())).ln() + 1.0 >= c {
                    break sin.atan2(ratio.sqrt() * cos);
                }
            };
            let angle = 2.0 * half;
            *value = on_the_circle(if random.random() { mean + angle } else { mean - angle });
        }
    }

    fn conditioned(&self, known: &[bool]) -> Option<Box<dyn Conditioned>> {
        let log_prob = |base: &VonMises, i: usize, z: f64| match base.support().contains_at(i, z) {
            true => {
                let kappa = base.concentrations[i];
                log_peak(kappa) - 2.0 * kappa * (0.5 * (z - base.means[i])).sin().powi(2)
            }
            false => f64::NEG_INFINITY,
        };
        Some(Box::new(Independent::new(self.clone(), known, log_prob)))
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("von_mises", self)
    }
}

/// Returns this angle in [-π, π).
pub(super) fn on_the_circle(angle: f64) -> f64 {
    let wrapped = (angle + PI).rem_euclid(TAU) - PI;
    if (-PI..PI).contains(&wrapped) { wrapped } else { -PI }
}

/// Returns ln p at the mean of one angle, κ - ln(2π·I₀(κ)).
///
/// I₀ by its power series, whose terms are all positive, and for κ ≥ 25 by its asymptotic one, whose terms have fallen below
/// e⁻⁵⁰ before they rise (Abramowitz and Stegun, "Handbook of Mathematical Functions", 9.6.12 and 9.7.1).
fn log_peak(kappa: f64) -> f64 {
    // The sum without its first term, which is 1.
    let series = |ratio: &dyn Fn(f64) -> f64| {
        let (mut term, mut sum, mut k) = (1.0, 0.0, 1.0);
        loop {
            term *= ratio(k);
            sum += term;
            if term <= 0.1 * f64::EPSILON * (1.0 + sum) {
                return sum;
            }
            k += 1.0;
        }
    };
    if kappa < 25.0 {
        return kappa - TAU.ln() - series(&|k| (0.5 * kappa / k).powi(2)).ln_1p();
    }
    let rest = series(&|k| (2.0 * k - 1.0).powi(2) / (8.0 * k * kappa));
    0.5 * (kappa / TAU).ln() - rest.ln_1p()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_density_at_the_mean_has_its_digits_for_any_concentration() {
        // With mpmath 1.3 at 50 digits.
        let right = [
            (0.0, -1.8378770664093456),
            (1e-09, -1.8378770654093455),
            (0.5, -1.3994267855948268),
            (3.0, -0.4231846882227664),
            (24.99, 0.6851928022628209),
            (25.0, 0.6853949285914107),
            (50.0, 1.0345474317188499),
            (200.0, 1.7295935793671848),
            (10000.0, 3.6862191521583534),
            (1000000.0, 5.988816620777402),
            (1000000000000.0, 12.896572024759477),
        ];
        for (kappa, expected) in right {
            let found = log_peak(kappa);
            assert!(
                (found - expected).abs() < 8e-15 * expected.abs().max(1.0),
                "{kappa}: {found} for {expected}"
            );
        }
        assert!(log_peak(f64::MAX).is_finite());
    }

    #[test]
    fn angles_stay_on_the_circle() {
        for angle in [PI, -PI, 3.0 * PI, -3.0 * PI, PI.next_up(), PI.next_down(), -1e-300, 1e300] {
            assert!(Domain::Circle.contains_at(0, on_the_circle(angle)), "{angle}");
        }
        assert_eq!(on_the_circle(PI), -PI);
    }
}
