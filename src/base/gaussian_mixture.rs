//! Gaussian mixture base distribution.

use std::f64::consts::TAU;

use rand::{Rng, RngExt};

use super::cholesky::{unwhitening, whitening};
use super::log_sum::log_sum_exp;
use super::mixture::MIXED;
use super::mixture_conditioned::ConditionedMixture;
use super::{Base, Conditioned, StandardNormal};
use crate::bijection::Checked;
#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::tape::{Init, Parameters, Shape, Tape, Var, select, stack};

/// Gaussian mixture p(z) = Σ wₖ·N(z; mₖ, Cₖ) with weights that sum to 1.
///
/// Each component stores a whitening matrix Wₖ with Wₖᵀ·Wₖ = Cₖ⁻¹, lower triangular with a positive diagonal.
/// Then ln N(z; mₖ, Cₖ) = -½·|Wₖ·(z - mₖ)|² + ln det Wₖ - ½·d·ln 2π, and no matrix is inverted. A mixture is
/// fixed, or [learned](GaussianMixture::learned) with the layers above it: then the log-weights, means and
/// whitening matrices are the parameters `log_weights`, `means`, `whitening.k` and `log_diagonal.k`.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct GaussianMixture {
    d: usize,
    log_weights: Vec<f64>,
    components: Vec<Component>,
    learned: bool,
}

#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Component {
    mean: Vec<f64>,
    /// The entries of W below the diagonal, stored in a full d×d matrix by rows.
    below: Vec<f64>,
    log_diagonal: Vec<f64>,
}

impl GaussianMixture {
    /// Builds a mixture from the weight (any positive number; weights are normalised), mean and covariance
    /// (by rows) of each component.
    ///
    /// # Panics
    /// When there is no component, when the lists have different lengths or sizes, when a weight is not
    /// positive, or when a covariance is not positive definite.
    pub fn new(weights: &[f64], means: &[Vec<f64>], covariances: &[Vec<f64>]) -> GaussianMixture {
        assert!(
            !means.is_empty() && weights.len() == means.len() && covariances.len() == means.len(),
            "a mixture has a weight, a mean and a covariance for each component; there are {}, {} and {}",
            weights.len(),
            means.len(),
            covariances.len()
        );
        assert!(
            weights.iter().all(|w| *w > 0.0 && w.is_finite()),
            "weights must be positive, but are {weights:?}"
        );
        let (d, total) = (means[0].len(), weights.iter().sum::<f64>());
        let component = |(k, (mean, covariance)): (usize, (&Vec<f64>, &Vec<f64>))| {
            assert!(
                mean.len() == d && covariance.len() == d * d,
                "component {k} has a mean of {} numbers and a covariance of {}, which does not fit d = {d}",
                mean.len(),
                covariance.len()
            );
            let (below, log_diagonal) = whitening(d, covariance)
                .unwrap_or_else(|| panic!("the covariance of component {k} is not positive definite"));
            Component { mean: mean.clone(), below, log_diagonal }
        };
        GaussianMixture {
            d,
            log_weights: weights.iter().map(|w| (w / total).ln()).collect(),
            components: means.iter().zip(covariances).enumerate().map(component).collect(),
            learned: false,
        }
    }

    /// Makes weights, means and whitening matrices learnable parameters, initialised to the given values.
    pub fn learned(self) -> GaussianMixture {
        GaussianMixture { learned: true, ..self }
    }

    /// Records values as parameters if the mixture is learned, as constants otherwise.
    fn numbers<'t>(&self, tape: &'t Tape, name: &str, shape: Shape, values: &[f64]) -> Var<'t> {
        match (self.learned, shape) {
            (true, _) => tape.parameter(name, shape, Init::Values(values.to_vec())),
            (false, Shape::Matrix(rows, columns)) => tape.matrix(rows, columns, values),
            (false, _) => tape.vector(values),
        }
    }

    /// The means, a row for each component.
    fn means<'t>(&self, tape: &'t Tape) -> Var<'t> {
        let means: Vec<f64> = self.components.iter().flat_map(|one| one.mean.iter().copied()).collect();
        self.numbers(tape, "means", Shape::Matrix(self.components.len(), self.d), &means)
    }

    /// The whitening matrix of component k: what is below its diagonal, and the logarithms of that.
    fn whitening<'t>(&self, tape: &'t Tape, k: usize) -> (Var<'t>, Var<'t>) {
        let (d, component) = (self.d, &self.components[k]);
        let mask: Vec<f64> = (0..d * d).map(|e| f64::from(u8::from(e % d < e / d))).collect();
        let square = Shape::Matrix(d, d);
        let below = self.numbers(tape, &format!("whitening.{k}"), square, &component.below);
        let name = format!("log_diagonal.{k}");
        let log_diagonal = self.numbers(tape, &name, Shape::Vector(d), &component.log_diagonal);
        (below * tape.matrix(d, d, &mask), log_diagonal)
    }
}

impl Checked for GaussianMixture {
    fn fault(&self) -> Option<String> {
        let d = self.d;
        let sizes = |part: &Component| {
            part.mean.len() == d && part.below.len() == d * d && part.log_diagonal.len() == d
        };
        let sound = !self.components.is_empty() && self.log_weights.len() == self.components.len();
        let sound = sound && self.components.iter().all(sizes);
        // Weights that are fixed sum to 1.
        let total: f64 = self.log_weights.iter().map(|weight| weight.exp()).sum();
        let sound = sound && (self.learned || (total - 1.0).abs() < 1e-6);
        (!sound).then(|| {
            format!("a mixture of {d} variables has weights that sum to 1, a mean and a matrix for each")
        })
    }
}

impl Base for GaussianMixture {
    fn dim(&self) -> usize {
        self.d
    }

    fn log_prob<'t>(&self, z: Var<'t>) -> Var<'t> {
        let (tape, d, count) = (z.tape(), self.d, self.components.len());
        let log_weights = self.numbers(tape, "log_weights", Shape::Vector(count), &self.log_weights);
        let means = self.means(tape);
        let terms = (0..count).map(|k| {
            let (below, log_diagonal) = self.whitening(tape, k);
            let centred = z - means.row(k);
            let white = below.matvec(centred) + log_diagonal.exp() * centred;
            log_weights.at(k) + log_diagonal.sum() - 0.5 * (white * white).sum()
        });
        // Learned weights are not normalised.
        let total = match self.learned {
            true => log_sum_exp((0..count).map(|k| log_weights.at(k))),
            false => tape.constant(0.0),
        };
        log_sum_exp(terms) - total - 0.5 * d as f64 * TAU.ln()
    }

    fn sample(&self, random: &mut dyn Rng, z: &mut [f64]) {
        let weights: Vec<f64> = self.log_weights.iter().map(|w| w.exp()).collect();
        let mut left = random.random::<f64>() * weights.iter().sum::<f64>();
        let chosen = weights.iter().position(|weight| {
            left -= weight;
            left < 0.0
        });
        // Rounding can leave the cumulative sum below the drawn number: take the last component.
        let Component { mean, below, log_diagonal } = &self.components[chosen.unwrap_or(weights.len() - 1)];
        let mut white = vec![0.0; self.d];
        StandardNormal::new(self.d).sample(random, &mut white);
        // Solves W·(z - m) = white by forward substitution.
        for i in 0..self.d {
            let known: f64 = (0..i).map(|j| below[i * self.d + j] * (z[j] - mean[j])).sum();
            z[i] = mean[i] + (white[i] - known) * (-log_diagonal[i]).exp();
        }
    }

    fn draw<'t>(&self, normal: Var<'t>, uniform: Var<'t>) -> Option<Var<'t>> {
        let (tape, d) = (normal.tape(), self.d);
        let weights: Vec<f64> = self.log_weights.iter().map(|w| w.exp()).collect();
        let total: f64 = weights.iter().sum();
        let of = |Component { mean, below, log_diagonal }: &Component| {
            tape.matrix(d, d, &unwhitening(d, below, log_diagonal)).matvec(normal) + tape.vector(mean)
        };
        // The first component whose cumulative weight is above the uniform number, else the last.
        let last = self.components.len() - 1;
        let drawn = (0..last).rev().fold(of(&self.components[last]), |drawn, k| {
            let cumulative: f64 = weights[..=k].iter().sum();
            select(uniform.lt(cumulative / total), of(&self.components[k]), drawn)
        });
        Some(drawn)
    }

    fn noise(&self) -> Result<Box<dyn Base>, String> {
        match self.components.as_slice() {
            [_] => Ok(Box::new(StandardNormal::new(self.d))),
            _ => Err(MIXED.to_string()),
        }
    }

    /// m + W⁻¹·ε, by forward substitution.
    fn of_noise<'t>(&self, noise: Var<'t>) -> Var<'t> {
        let tape = noise.tape();
        let (below, log_diagonal) = self.whitening(tape, 0);
        let mut centred: Vec<Var<'t>> = Vec::new();
        for i in 0..self.d {
            let known = centred.iter().enumerate().map(|(j, earlier)| below.row(i).at(j) * *earlier);
            let rest = known.fold(noise.at(i), |rest, term| rest - term);
            centred.push(rest * (-log_diagonal.at(i)).exp());
        }
        self.means(tape).row(0) + stack(centred)
    }

    fn with_parameters(&self, parameters: &Parameters) -> Option<Box<dyn Base>> {
        if !self.learned {
            return None;
        }
        let values = |name: &str| Some(parameters.get(&format!("{}.{name}", super::SCOPE))?.values.clone());
        let means = values("means")?;
        let component = |(k, mean): (usize, &[f64])| {
            Some(Component {
                mean: mean.to_vec(),
                below: values(&format!("whitening.{k}"))?,
                log_diagonal: values(&format!("log_diagonal.{k}"))?,
            })
        };
        let components = means.chunks(self.d).enumerate().map(component).collect::<Option<_>>()?;
        Some(Box::new(GaussianMixture { log_weights: values("log_weights")?, components, ..self.clone() }))
    }

    fn conditioned(&self, known: &[bool]) -> Option<Box<dyn Conditioned>> {
        let parts = self.components.iter().map(|one| (&one.mean[..], &one.below[..], &one.log_diagonal[..]));
        Some(Box::new(ConditionedMixture::new(&self.log_weights, parts, known)?))
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("gaussian_mixture", self)
    }
}
