//! Invertible 1×1 convolutions over the channels of images.
//!
//! Each pixel's channels are mapped by one matrix W: x_pixel = W·z_pixel. J is block diagonal with one block for each
//! pixel, so that ln|det J| = pixels·ln|det W|. Pixels stand row by row, the channels of a pixel side by side.
//!
//! Source: Kingma and Dhariwal, "Glow" (2018), section 3.2.

use std::panic::Location;

use super::Triangular;
#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::bijection::{Bijection, Checked};
use crate::jacobian::{Order, Structure};
use crate::tape::{Init, Shape, Tape, Var, concat};

/// Invertible 1×1 convolution.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PointwiseConvolution {
    pixels: usize,
    channels: usize,
    /// Whether W is a parameter itself.
    unconstrained: bool,
}

impl PointwiseConvolution {
    /// Builds the layer of images with so many pixels (height × width), and channels.
    ///
    /// W = L·U, initialised to the identity: L has 1 on its diagonal and U has exp(l), so that W is invertible for all
    /// parameters (Glow, eq. 10 with P = 1; a [`Permutation`](super::Permutation) of channels before the layer is another
    /// P). Parameters: `lower.weight`, `upper.weight`, `upper.log_diagonal`.
    ///
    /// # Panics
    /// When there is no pixel or no channel.
    pub fn new(pixels: usize, channels: usize) -> PointwiseConvolution {
        PointwiseConvolution { pixels, channels, unconstrained: false }.checked()
    }

    /// Builds the layer in which W is the parameter `weight` itself, initialised to the identity: it is a bijection unless
    /// det W = 0, and nothing keeps training away from there.
    ///
    /// # Panics
    /// As [`PointwiseConvolution::new`].
    pub fn unconstrained(pixels: usize, channels: usize) -> PointwiseConvolution {
        PointwiseConvolution { unconstrained: true, ..PointwiseConvolution::new(pixels, channels) }
    }

    fn weight<'t>(&self, tape: &'t Tape) -> Var<'t> {
        let c = self.channels;
        if self.unconstrained {
            let start = (0..c * c).map(|e| f64::from(u8::from(e / c == e % c))).collect();
            return tape.parameter("weight", Shape::Matrix(c, c), Init::Values(start));
        }
        let lower = tape.scope("lower", || Triangular::unit_lower(c).matrix(tape));
        let upper = tape.scope("upper", || Triangular::upper(c).matrix(tape));
        lower.matmul(upper)
    }

    /// Records W·z_pixel for each pixel.
    fn each<'t>(&self, z: Var<'t>, weight: Var<'t>) -> Var<'t> {
        let channels = self.channels;
        let pixel = |k: usize| weight.matvec(z.slice(k * channels..(k + 1) * channels));
        concat((0..self.pixels).map(pixel))
    }
}

impl Checked for PointwiseConvolution {
    fn fault(&self) -> Option<String> {
        let PointwiseConvolution { pixels, channels, .. } = *self;
        let sound = pixels > 0 && channels > 0;
        (!sound).then(|| format!("an image has pixels and channels, not {pixels} and {channels}"))
    }
}

impl Bijection for PointwiseConvolution {
    fn dim(&self) -> usize {
        self.pixels * self.channels
    }

    fn structure(&self) -> Structure {
        Structure::BlockTriangular {
            order: Order::natural(self.dim()),
            blocks: vec![self.channels; self.pixels],
        }
    }

    #[track_caller]
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z.tape().called_from(Location::caller(), || self.each(z, self.weight(z.tape())))
    }

    /// The variables of a pixel are solved for together, by W⁻¹.
    #[track_caller]
    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        x.tape().called_from(Location::caller(), || Some(self.each(x, self.weight(x.tape()).inverse())))
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("pointwise_convolution", self)
    }
}
