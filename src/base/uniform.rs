//! The uniform base.

use std::f64::consts::{PI, TAU};

use rand::RngExt;
use rand_chacha::ChaCha8Rng;

use super::Base;
use crate::bijection::Domain;
use crate::tape::Var;

/// z uniform on the unit cube (0, 1)ᵈ, where ln p(z) = 0, or on the torus [-π, π)ᵈ, where it is -d·ln 2π; -∞ outside.
#[derive(Clone, Copy, Debug)]
pub struct Uniform {
    d: usize,
    angles: bool,
}

impl Uniform {
    /// On the unit cube of d variables.
    pub fn new(d: usize) -> Uniform {
        Uniform { d, angles: false }
    }

    /// Of d angles in [-π, π), each even on its circle: the base of a circular spline.
    pub fn circle(d: usize) -> Uniform {
        Uniform { d, angles: true }
    }
}

impl Base for Uniform {
    fn dim(&self) -> usize {
        self.d
    }

    fn log_prob<'t>(&self, z: Var<'t>) -> Var<'t> {
        z.tape().constant(if self.angles { -(self.d as f64) * TAU.ln() } else { 0.0 })
    }

    fn support(&self) -> Domain {
        match self.angles {
            true => Domain::Circle,
            false => Domain::Interval { lower: 0.0, upper: 1.0 },
        }
    }

    fn sample(&self, random: &mut ChaCha8Rng, z: &mut [f64]) {
        let mut draw = || match (random.random::<f64>(), self.angles) {
            (u, true) => Some(TAU * u - PI),
            // One number in 2⁵³ is 0, which is not in the open interval.
            (u, false) => (u > 0.0).then_some(u),
        };
        for value in z {
            *value = loop {
                if let Some(drawn) = draw() {
                    break drawn;
                }
            };
        }
    }
}
