//! Elementwise spline layer: a spline for each variable.

use std::panic::Location;

use super::{MonotoneSpline, SplineTransformer};
#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::bijection::{Bijection, Checked};
use crate::jacobian::Structure;
use crate::layers::transformer::rows;
use crate::tape::{Init, Shape, Tape, Var};

/// Elementwise monotone rational-quadratic splines xᵢ = gᵢ(zᵢ).
///
/// ```
/// use pushforward::prelude::*;
///
/// let spline = RationalQuadraticSpline::fixed(2, [-1.0, 0.0, 1.0], [-1.0, 0.5, 1.0], [1.0, 0.4, 1.0]);
/// assert!(audit(&spline)?.has_no_refutation());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct RationalQuadraticSpline {
    d: usize,
    knots: Source,
}

/// The source of the knots.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
enum Source {
    /// Fixed knots, shared by all variables.
    Fixed(Given),
    /// Learned knots with these initial values, separate for each variable.
    Learned(Given),
    /// Learned knots, built from unconstrained element parameters.
    Numbers(SplineTransformer),
}

#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
struct Given {
    x: Vec<f64>,
    y: Vec<f64>,
    slopes: Vec<f64>,
}

impl Given {
    fn new(x: impl Into<Vec<f64>>, y: impl Into<Vec<f64>>, slopes: impl Into<Vec<f64>>) -> Given {
        Given { x: x.into(), y: y.into(), slopes: slopes.into() }.checked()
    }
}

impl Checked for Given {
    fn fault(&self) -> Option<String> {
        let Given { x, y, slopes } = self;
        (!MonotoneSpline::are_valid(x, y, slopes)).then(|| {
            format!("the knots of a monotone spline ascend and its slopes are above 0, not {x:?}, {y:?}, {slopes:?}")
        })
    }
}

impl Checked for RationalQuadraticSpline {
    fn fault(&self) -> Option<String> {
        match &self.knots {
            Source::Fixed(given) | Source::Learned(given) => given.fault(),
            Source::Numbers(spline) => spline.fault(),
        }
    }
}

impl RationalQuadraticSpline {
    /// Builds a layer with the same fixed knots (x_k, y_k) and slopes for each of d variables, without
    /// parameters. Outside the knots the function is linear with the slope of the nearest end knot.
    ///
    /// # Panics
    /// When the knots do not ascend in both coordinates, or a slope is not above 0.
    pub fn fixed(
        d: usize,
        x: impl Into<Vec<f64>>,
        y: impl Into<Vec<f64>>,
        slopes: impl Into<Vec<f64>>,
    ) -> RationalQuadraticSpline {
        RationalQuadraticSpline { d, knots: Source::Fixed(Given::new(x, y, slopes)) }
    }

    /// Builds a layer with learned knots for each variable, initialised to the given ones. The parameters are
    /// the first knot (`first_x`, `first_y`) and the logarithms of widths, heights and slopes (`log_widths`,
    /// …), knot by knot. The spline is increasing for all parameter values.
    ///
    /// # Panics
    /// As [`RationalQuadraticSpline::fixed`].
    pub fn learned(
        d: usize,
        x: impl Into<Vec<f64>>,
        y: impl Into<Vec<f64>>,
        slopes: impl Into<Vec<f64>>,
    ) -> RationalQuadraticSpline {
        RationalQuadraticSpline { d, knots: Source::Learned(Given::new(x, y, slopes)) }
    }

    /// Builds a layer with learned knots on an interval, the identity outside. The parameters `widths`,
    /// `heights` and `slopes` are the element parameters of `spline`, bin by bin, and are initialised to 0.
    pub fn bounded(d: usize, spline: SplineTransformer) -> RationalQuadraticSpline {
        RationalQuadraticSpline { d, knots: Source::Numbers(spline) }
    }

    fn knots<'t>(&self, tape: &'t Tape) -> MonotoneSpline<'t> {
        let d = self.d;
        let parameter = |name: &str, start: Vec<f64>| {
            tape.parameter(name, Shape::Vector(start.len()), Init::Values(start))
        };
        match &self.knots {
            Source::Fixed(Given { x, y, slopes }) => MonotoneSpline::fixed(tape, d, x, y, slopes),
            Source::Learned(Given { x, y, slopes }) => {
                let exponentials = |name: &str, starts: Vec<f64>| {
                    let logs = starts.iter().flat_map(|start| vec![start.ln(); d]).collect();
                    rows(parameter(name, logs).exp(), d)
                };
                let steps = |knots: &[f64]| knots.windows(2).map(|pair| pair[1] - pair[0]).collect();
                let first = (parameter("first_x", vec![x[0]; d]), parameter("first_y", vec![y[0]; d]));
                let widths = exponentials("log_widths", steps(x));
                let heights = exponentials("log_heights", steps(y));
                MonotoneSpline::sums(first, &widths, heights, exponentials("log_slopes", slopes.clone()))
            }
            Source::Numbers(spline) => {
                let zeros = |name: &str, count: usize| parameter(name, vec![0.0; count * d]);
                let bins = spline.bins();
                let (widths, heights) = (zeros("widths", bins), zeros("heights", bins));
                spline.knots_of(widths, heights, zeros("slopes", bins - 1), d)
            }
        }
    }
}

impl Bijection for RationalQuadraticSpline {
    fn dim(&self) -> usize {
        self.d
    }

    fn structure(&self) -> Structure {
        Structure::Diagonal
    }

    #[track_caller]
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z.tape().called_from(Location::caller(), || self.knots(z.tape()).forward(z))
    }

    #[track_caller]
    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        x.tape().called_from(Location::caller(), || Some(self.knots(x.tape()).inverse(x)))
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("rational_quadratic_spline", self)
    }
}
