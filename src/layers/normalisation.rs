//! Activation normalisation and batch normalisation.
//!
//! Both are affine maps of each variable, written from the base to the data: what a network would call normalising is
//! their inverse. A density is that of single rows, so moments of the batch at hand, of which a row's value would depend
//! on the other rows, are never used: `from_batch` takes them once and keeps them.
//!
//! Sources: Kingma and Dhariwal, "Glow" (2018), section 3.1; Ioffe and Szegedy, "Batch Normalization" (2015),
//! algorithm 2; Dinh, Sohl-Dickstein, Bengio, "Density estimation using Real NVP" (2017), appendix E.

use std::panic::Location;

#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::bijection::{Bijection, Checked};
use crate::jacobian::Structure;
use crate::tape::{Init, Shape, Var};

/// Activation normalisation x = exp(s) ⊙ z + b, with a learned log-scale (`log_scale`) and bias (`bias`): a bijection for
/// all parameters.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct ActNorm {
    log_scale: Vec<f64>,
    bias: Vec<f64>,
}

impl ActNorm {
    /// Builds the layer of d variables, initialised to the identity.
    pub fn new(d: usize) -> ActNorm {
        ActNorm { log_scale: vec![0.0; d], bias: vec![0.0; d] }
    }

    /// Builds the layer so that its inverse gives the rows of this batch, d numbers each, the mean 0 and the variance 1.
    ///
    /// # Panics
    /// When the numbers do not fill whole rows, or a variable has one value in all rows.
    pub fn from_batch(batch: &[f64], d: usize) -> ActNorm {
        let (means, variances) = moments(batch, d);
        assert!(variances.iter().all(|v| *v > 0.0), "a variable that is constant in the batch has no scale");
        ActNorm { log_scale: variances.iter().map(|v| 0.5 * v.ln()).collect(), bias: means }
    }
}

impl Checked for ActNorm {
    fn fault(&self) -> Option<String> {
        let same = self.log_scale.len() == self.bias.len();
        let finite = self.log_scale.iter().chain(&self.bias).all(|number| number.is_finite());
        (!same || !finite).then(|| format!("there is one finite log-scale and bias a variable: {self:?}"))
    }
}

impl Bijection for ActNorm {
    fn dim(&self) -> usize {
        self.bias.len()
    }

    fn structure(&self) -> Structure {
        Structure::Diagonal
    }

    #[track_caller]
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z.tape().called_from(Location::caller(), || {
            let number = |name: &str, start: &Vec<f64>| {
                z.tape().parameter(name, Shape::Vector(start.len()), Init::Values(start.clone()))
            };
            number("log_scale", &self.log_scale).exp() * z + number("bias", &self.bias)
        })
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("act_norm", self)
    }
}

/// Batch normalisation as it is evaluated: x = (z - β)·exp(-γ)·√(v + ε) + m with kept moments m and v, and learned β
/// (`shift`) and γ (`log_scale`).
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BatchNorm {
    means: Vec<f64>,
    variances: Vec<f64>,
    epsilon: f64,
}

impl BatchNorm {
    /// Builds the layer with these moments of each variable, and ε added to variances.
    ///
    /// # Panics
    /// When there is not one variance a mean, a number is not finite, a variance is below 0, or ε is not above 0.
    pub fn new(means: impl Into<Vec<f64>>, variances: impl Into<Vec<f64>>, epsilon: f64) -> BatchNorm {
        BatchNorm { means: means.into(), variances: variances.into(), epsilon }.checked()
    }

    /// Builds the layer with the moments of this batch, of rows of d numbers each, and ε = 10⁻⁵.
    ///
    /// # Panics
    /// When the numbers do not fill whole rows.
    pub fn from_batch(batch: &[f64], d: usize) -> BatchNorm {
        let (means, variances) = moments(batch, d);
        BatchNorm::new(means, variances, 1e-5)
    }
}

impl Checked for BatchNorm {
    fn fault(&self) -> Option<String> {
        let BatchNorm { means, variances, epsilon } = self;
        let finite = means.iter().chain(variances).all(|number| number.is_finite());
        let sound = finite && means.len() == variances.len() && variances.iter().all(|v| *v >= 0.0);
        let sound = sound && *epsilon > 0.0 && epsilon.is_finite();
        (!sound).then(|| {
            format!("there is a finite mean and a variance, not below 0, of each variable, and ε above 0: {self:?}")
        })
    }
}

impl Bijection for BatchNorm {
    fn dim(&self) -> usize {
        self.means.len()
    }

    fn structure(&self) -> Structure {
        Structure::Diagonal
    }

    #[track_caller]
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z.tape().called_from(Location::caller(), || {
            let (tape, shape) = (z.tape(), Shape::Vector(self.means.len()));
            let number = |name: &str| tape.parameter(name, shape, Init::Constant(0.0));
            let deviations: Vec<f64> = self.variances.iter().map(|v| (v + self.epsilon).sqrt()).collect();
            let scaled = (z - number("shift")) * (-number("log_scale")).exp();
            scaled * tape.vector(&deviations) + tape.vector(&self.means)
        })
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("batch_norm", self)
    }
}

/// Mean and variance (divided by the number of rows) of each of d variables.
fn moments(batch: &[f64], d: usize) -> (Vec<f64>, Vec<f64>) {
    let whole = d > 0 && !batch.is_empty() && batch.len().is_multiple_of(d);
    assert!(whole, "{} numbers do not fill rows of {d}", batch.len());
    let rows = (batch.len() / d) as f64;
    let mean = |of: &dyn Fn(usize, f64) -> f64| -> Vec<f64> {
        (0..d).map(|i| batch.iter().skip(i).step_by(d).map(|x| of(i, *x)).sum::<f64>() / rows).collect()
    };
    let means = mean(&|_, x| x);
    let variances = mean(&|i, x| (x - means[i]).powi(2));
    (means, variances)
}
