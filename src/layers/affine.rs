//! Elementwise affine layer.
//!
//! x = a ⊙ z + b
//!
//! The scale may have either sign: ln|det J| = Σ ln|aᵢ|.
//! Scale and shift are learned, or fixed: with the means and deviations of data the layer standardises them, and ln p
//! stays in the units of the data.

use std::panic::Location;

#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::bijection::{Bijection, Checked, Domain, bounded_image};
use crate::jacobian::Structure;
use crate::tape::{Init, Shape, Var};

/// Elementwise affine map x = a ⊙ z + b, with a scale and a shift for each variable.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Affine {
    scale: Vec<f64>,
    shift: Vec<f64>,
    /// Whether both are parameters; else they are constants.
    learned: bool,
}

impl Affine {
    /// Builds the layer with these initial scales and shifts; both are parameters (`scale`, `shift`).
    ///
    /// # Panics
    /// When the numbers of scales and shifts differ.
    pub fn new(scale: impl Into<Vec<f64>>, shift: impl Into<Vec<f64>>) -> Affine {
        let (scale, shift) = (scale.into(), shift.into());
        Affine { scale, shift, learned: true }.checked()
    }

    /// Keeps these scales and shifts: they are constants, and not learned.
    ///
    /// # Panics
    /// When there is not one shift a scale, when a scale is 0, or when a number is not finite.
    pub fn fixed(scale: impl Into<Vec<f64>>, shift: impl Into<Vec<f64>>) -> Affine {
        Affine { learned: false, ..Affine::new(scale, shift) }.checked()
    }

    /// The last layer of a flow of data with these means and standard deviations: x = σ ⊙ z + μ, both fixed. The layers
    /// before it see standardised data, z = (x - μ)/σ, while ln p(x) is in the units of the data. A constant column
    /// (σ = 0) is only shifted.
    ///
    /// ```
    /// use pushforward::prelude::*;
    ///
    /// let table = Table::new(&["m", "s"], vec![100.0, 2e-3, 104.0, 1e-3, 90.0, 4e-3])?;
    /// let layers: Vec<Box<dyn Bijection>> =
    ///     vec![Box::new(Linear::identity(2)), Box::new(Affine::standardising(&table.moments()))];
    /// let flow = Flow::new(StandardNormal::new(2), layers)?;
    /// let start = flow.initial(0);
    /// let fitted = flow.with(start)?;
    ///
    /// // By hand: the standardised table, and -Σ ln σ for the change of units.
    /// let by_hand = Flow::new(StandardNormal::new(2), [Box::new(Linear::identity(2)) as Box<dyn Bijection>])?;
    /// let start = by_hand.initial(0);
    /// let by_hand = by_hand.with(start)?.log_prob(table.standardised(&table.moments()).values())?;
    /// let units: f64 = table.moments().1.iter().map(|sigma| sigma.ln()).sum();
    /// for (one, other) in fitted.log_prob(table.values())?.iter().zip(by_hand) {
    ///     assert!((one - (other - units)).abs() < 1e-12);
    /// }
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    /// When there is not one deviation a mean, or when a number is not finite.
    pub fn standardising((means, deviations): &(Vec<f64>, Vec<f64>)) -> Affine {
        let scale = |sigma: &f64| if *sigma == 0.0 { 1.0 } else { *sigma };
        Affine::fixed(deviations.iter().map(scale).collect::<Vec<f64>>(), means.clone())
    }

    /// Builds the layer with the identity on d variables as its initial value.
    pub fn identity(d: usize) -> Affine {
        Affine::new(vec![1.0; d], vec![0.0; d])
    }

    /// The scale and the shift, as parameters or as constants.
    fn numbers<'t>(&self, z: Var<'t>) -> (Var<'t>, Var<'t>) {
        let shape = Shape::Vector(self.scale.len());
        let number = |name, values: &Vec<f64>| match self.learned {
            true => z.tape().parameter(name, shape, Init::Values(values.clone())),
            false => z.tape().vector(values),
        };
        (number("scale", &self.scale), number("shift", &self.shift))
    }
}

impl Checked for Affine {
    fn fault(&self) -> Option<String> {
        if self.scale.len() != self.shift.len() {
            return Some("the numbers of scales and shifts differ".to_string());
        }
        let sound = self.scale.iter().all(|scale| *scale != 0.0);
        let finite = self.scale.iter().chain(&self.shift).all(|number| number.is_finite());
        let allowed = self.learned || (sound && finite);
        (!allowed).then(|| format!("fixed scales are finite and not 0, and shifts finite: {self:?}"))
    }
}

impl Bijection for Affine {
    fn dim(&self) -> usize {
        self.scale.len()
    }

    fn structure(&self) -> Structure {
        Structure::Diagonal
    }

    #[track_caller]
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z.tape().called_from(Location::caller(), || {
            let (scale, shift) = self.numbers(z);
            scale * z + shift
        })
    }

    /// With fixed numbers an interval is moved: logarithms that begin at a limit of rounded values.
    fn image(&self, part: &Domain) -> Domain {
        if self.learned || *part == Domain::Reals {
            return self.codomain();
        }
        let each =
            self.scale.iter().zip(&self.shift).enumerate().map(|(i, (scale, shift))| match part.of(i) {
                own if own == Domain::Reals || (*scale == 1.0 && *shift == 0.0) => own,
                own => bounded_image(&own, &Domain::Reals, |z| *scale * z + *shift),
            });
        Domain::each(each)
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("affine", self)
    }
}
