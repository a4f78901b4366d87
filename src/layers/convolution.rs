//! Invertible 1×1 convolutions over the channels of images.
//!
//! Each pixel's channels are mapped by one matrix W: x_pixel = W·z_pixel. J is block diagonal with one block for each
//! pixel, so that ln|det J| = pixels·ln|det W|. Pixels stand row by row, the channels of a pixel side by side.
//!
//! Source: Kingma and Dhariwal, "Glow" (2018), section 3.2.

use std::panic::Location;

#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::bijection::{Bijection, Checked};
use crate::jacobian::{Order, Structure};
use crate::tape::{Init, Shape, Tape, Var, concat};

/// Invertible 1×1 convolution; the parameter `weight` is W, initialised to the identity.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PointwiseConvolution {
    pixels: usize,
    channels: usize,
}

impl PointwiseConvolution {
    /// Builds the layer of images with so many pixels (height × width), and channels.
    ///
    /// # Panics
    /// When there is no pixel or no channel.
    pub fn new(pixels: usize, channels: usize) -> PointwiseConvolution {
        PointwiseConvolution { pixels, channels }.checked()
    }

    fn weight<'t>(&self, tape: &'t Tape) -> Var<'t> {
        let c = self.channels;
        let start = (0..c * c).map(|e| f64::from(u8::from(e / c == e % c))).collect();
        tape.parameter("weight", Shape::Matrix(c, c), Init::Values(start))
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
        let PointwiseConvolution { pixels, channels } = *self;
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
