//! Splines on the circle.
//!
//! An angle z in [-π, π) is rotated and then mapped by a spline that fixes ±π: x = g(wrap(z + turn)). On the
//! circle this is a bijection; it is continuous where the ends meet, and continuously differentiable there if
//! the spline has the same slope at both ends. As a real function it jumps by 2π where z + turn passes π. The
//! wrap is a select, so the Jacobian stays diagonal with the entry g' on both sides. The domain identifies
//! the two ends, [`Domain::Circle`], and an audit measures distances accordingly.
//!
//! Source: Rezende et al., "Normalizing Flows on Tori and Spheres" (2020), section 2.1.3.

use std::panic::Location;

use std::f64::consts::{PI, TAU};

use super::{MonotoneSpline, SplineTransformer};
#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::bijection::{Bijection, Checked, Domain};
use crate::jacobian::Structure;
use crate::tape::{Init, Shape, Tape, Var, select};

/// Circular spline layer: xᵢ = g(wrap(zᵢ + turn)) for each of d angles.
///
/// ```
/// use pushforward::prelude::*;
/// use std::f64::consts::PI;
///
/// let spline = CircularSpline::fixed(1, [-PI, 0.0, PI], [-PI, 1.0, PI], [0.8, 1.5, 0.8]).turned(1.3);
/// assert!(audit(&spline)?.has_no_refutation());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct CircularSpline {
    d: usize,
    curve: Curve,
}

#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
enum Curve {
    /// One fixed spline for all angles.
    Fixed { x: Vec<f64>, y: Vec<f64>, slopes: Vec<f64>, turn: f64 },
    /// A learned spline for each angle.
    Learned(SplineTransformer),
}

impl CircularSpline {
    /// Builds a layer with one fixed spline for each of d angles, without parameters.
    ///
    /// # Panics
    /// When the knots do not ascend from -π to π in both coordinates, a slope is not above 0, or the first
    /// and the last slope differ.
    pub fn fixed(
        d: usize,
        x: impl Into<Vec<f64>>,
        y: impl Into<Vec<f64>>,
        slopes: impl Into<Vec<f64>>,
    ) -> CircularSpline {
        let (x, y, slopes) = (x.into(), y.into(), slopes.into());
        CircularSpline { d, curve: Curve::Fixed { x, y, slopes, turn: 0.0 } }.checked()
    }

    /// Builds a layer with K learned bins and a learned rotation for each of d angles, initialised to the
    /// identity. The parameters `widths`, `heights` and `slopes` (K each; the last slope equals the first)
    /// are element parameters as in [`SplineTransformer`]; the rotation is π·tanh of the parameter `turn`.
    ///
    /// # Panics
    /// When there are fewer than two bins.
    pub fn learned(d: usize, bins: usize) -> CircularSpline {
        CircularSpline { d, curve: Curve::Learned(SplineTransformer::new(bins, PI)) }
    }

    /// Sets the rotation before a fixed spline; a learned spline learns its own.
    ///
    /// # Panics
    /// When the angle is not finite, or the spline is learned.
    pub fn turned(self, angle: f64) -> CircularSpline {
        assert!(angle.is_finite(), "the rotation must be finite, but is {angle}");
        match self.curve {
            Curve::Fixed { x, y, slopes, .. } => {
                let turn = angle - TAU * ((angle + PI) / TAU).floor();
                CircularSpline { curve: Curve::Fixed { x, y, slopes, turn }, ..self }
            }
            Curve::Learned(_) => panic!("a learned spline has a learned rotation"),
        }
    }

    /// Records g and the rotation before it.
    fn curve<'t>(&self, tape: &'t Tape) -> (MonotoneSpline<'t>, Var<'t>) {
        let d = self.d;
        match &self.curve {
            Curve::Fixed { x, y, slopes, turn } => (
                MonotoneSpline::fixed(tape, d, x, y, slopes),
                tape.constant(*turn).broadcast(Shape::Vector(d)),
            ),
            Curve::Learned(spline) => {
                let numbers = |name: &str, count: usize| {
                    tape.parameter(name, Shape::Vector(count * d), Init::Constant(0.0))
                };
                let bins = spline.bins();
                let start = tape.constant(-PI).broadcast(Shape::Vector(d));
                let widths = spline.widths(numbers("widths", bins), d);
                let heights = spline.heights(numbers("heights", bins), d);
                let mut slopes = spline.slopes(numbers("slopes", bins), d);
                slopes.push(slopes[0]);
                let turn = PI * numbers("turn", 1).tanh();
                (MonotoneSpline::sums((start, start), &widths, heights, slopes), turn)
            }
        }
    }
}

impl Checked for CircularSpline {
    fn fault(&self) -> Option<String> {
        let (x, y, slopes, turn) = match &self.curve {
            Curve::Fixed { x, y, slopes, turn } => (x, y, slopes, turn),
            Curve::Learned(spline) => return spline.fault(),
        };
        let around = |knots: &[f64]| knots.first() == Some(&-PI) && knots.last() == Some(&PI);
        let valid = MonotoneSpline::are_valid(x, y, slopes) && slopes.first() == slopes.last();
        if !(valid && around(x) && around(y)) {
            return Some(format!(
                "the knots of a circular spline ascend from -π to π, with one positive slope at both ends, not \
                 {x:?}, {y:?}, {slopes:?}"
            ));
        }
        (!(-PI..=PI).contains(turn)).then(|| format!("the rotation {turn} is not within -π and π"))
    }
}

impl Bijection for CircularSpline {
    fn dim(&self) -> usize {
        self.d
    }

    fn structure(&self) -> Structure {
        Structure::Diagonal
    }

    #[track_caller]
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z.tape().called_from(Location::caller(), || {
            let (knots, turn) = self.curve(z.tape());
            knots.curve(wrapped(z + turn))
        })
    }

    #[track_caller]
    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        x.tape().called_from(Location::caller(), || {
            let (knots, turn) = self.curve(x.tape());
            Some(wrapped(knots.curve_inverse(x) - turn))
        })
    }

    fn domain(&self) -> Domain {
        Domain::Circle
    }

    fn codomain(&self) -> Domain {
        Domain::Circle
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("circular_spline", self)
    }
}

/// Wraps an angle from [-3π, 3π) to [-π, π).
fn wrapped(angle: Var<'_>) -> Var<'_> {
    select(angle.ge(PI), angle - TAU, select(angle.lt(-PI), angle + TAU, angle))
}
