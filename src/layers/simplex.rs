//! Vectors of positive numbers that sum to less than 1: the first d coordinates of a simplex with d + 1 corners.
//!
//! Stick breaking takes one share of what is left after another: xᵢ = sᵢ·∏_{j<i} (1 - sⱼ), sᵢ = σ(zᵢ - ln(d + 1 - i)),
//! so that z = 0 is the middle. ln|det J| = Σᵢ (ln sᵢ + ln(1 - sᵢ) + Σ_{j<i} ln(1 - sⱼ)).
//!
//! The centred softmax treats all alike: xᵢ = exp zᵢ/(1 + Σⱼ exp zⱼ). ln|det J| = Σᵢ ln xᵢ + ln(1 - Σᵢ xᵢ).
//!
//! Sources: Stan Development Team, "Stan Reference Manual", "Unit simplex"; Dillon et al., "TensorFlow Distributions"
//! (2017), `SoftmaxCentered`.

use std::panic::Location;

#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::bijection::{Bijection, Checked, Domain};
use crate::jacobian::Structure;
use crate::tape::{Var, stack};

/// ℝᵈ to the open simplex by stick breaking; triangular.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct StickBreaking {
    d: usize,
}

impl StickBreaking {
    /// Builds the layer of d variables; the last share, 1 - Σ xᵢ, is not one of them.
    ///
    /// # Panics
    /// When there are none.
    pub fn new(d: usize) -> StickBreaking {
        StickBreaking { d }.checked()
    }
}

impl Checked for StickBreaking {
    fn fault(&self) -> Option<String> {
        (self.d == 0).then(|| "a simplex has at least one variable".to_string())
    }
}

impl Bijection for StickBreaking {
    fn dim(&self) -> usize {
        self.d
    }

    fn structure(&self) -> Structure {
        Structure::LowerTriangular
    }

    fn codomain(&self) -> Domain {
        Domain::Simplex
    }

    #[track_caller]
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z.tape().called_from(Location::caller(), || {
            let logit = |i: usize| match self.d - i {
                1 => z.at(i),
                left => z.at(i) - (left as f64).ln(),
            };
            let mut left: Option<Var<'t>> = None;
            let mut x = Vec::new();
            for i in 0..self.d {
                let (share, rest) = (logit(i).sigmoid(), (-logit(i)).sigmoid());
                x.push(left.map_or(share, |left| share * left));
                left = Some(left.map_or(rest, |left| left * rest));
            }
            stack(x)
        })
    }

    /// What is left occurs in the formula of each later variable: sᵢ = xᵢ/left, and the logit without forming 1 - sᵢ.
    #[track_caller]
    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        x.tape().called_from(Location::caller(), || {
            let mut left = 1.0 - x.at(0);
            let mut z = vec![x.at(0).ln() - left.ln() + (self.d as f64).ln()];
            for i in 1..self.d {
                left = left - x.at(i);
                z.push(x.at(i).ln() - left.ln() + ((self.d - i) as f64).ln());
            }
            Some(stack(z))
        })
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("stick_breaking", self)
    }
}

/// ℝᵈ to the open simplex by a softmax in which the last of d + 1 numbers is 0; dense.
#[derive(Clone, Copy, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CentredSoftmax {
    d: usize,
}

impl CentredSoftmax {
    /// Builds the layer of d variables; the last share, 1 - Σ xᵢ, is not one of them.
    ///
    /// # Panics
    /// When there are none.
    pub fn new(d: usize) -> CentredSoftmax {
        CentredSoftmax { d }.checked()
    }
}

impl Checked for CentredSoftmax {
    fn fault(&self) -> Option<String> {
        (self.d == 0).then(|| "a simplex has at least one variable".to_string())
    }
}

impl Bijection for CentredSoftmax {
    fn dim(&self) -> usize {
        self.d
    }

    fn codomain(&self) -> Domain {
        Domain::Simplex
    }

    #[track_caller]
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z.tape().called_from(Location::caller(), || {
            // 1 + Σ exp zⱼ is e^softplus(ln Σ exp zⱼ).
            (z - z.log_sum_exp().softplus()).exp()
        })
    }

    /// Every output depends on every variable, so that none can be solved for alone.
    #[track_caller]
    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        x.tape().called_from(Location::caller(), || Some(x.ln() - (-x.sum()).ln_1p()))
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("centred_softmax", self)
    }
}
