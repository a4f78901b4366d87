//! Monotone splines of polynomials: linear, quadratic and cubic.
//!
//! In the bin between the knots (x_k, y_k) and (x_{k+1}, y_{k+1}), of height h, let u and v be the distances of z from
//! the ends of the bin. With a polynomial N(u, v) and M(u, v) that has the same form from the other end,
//!
//! x = y_k + h·N/(N + M)
//!
//! and all coefficients of N and M are positive, as are those of the derivative: the splines are increasing for all
//! parameters. Outside of the knots they are linear with the slopes of the end knots.
//!
//! | degree | N | element parameters of K bins |
//! |---|---|---|
//! | 1 | u | K heights; the bins are equally wide |
//! | 2 | u·(d₀·(u + 2v) + d₁·u), from the slopes d₀ and d₁ at the ends | K widths, K + 1 slopes |
//! | 3 | p·u·(u² + 3uv + 3v²) + m·u²·(u + 3v) + q·u³, from the control points' steps p, m, q | K widths, K middle steps, K + 1 slopes |
//!
//! Sources: Müller, McWilliams, Rousselle, Gross, Novák, "Neural Importance Sampling" (2019), sections 4.1 (linear) and
//! 4.2 (quadratic); Durkan, Bekasov, Murray, Papamakarios, "Cubic-Spline Flows" (2019), whose slopes at inner knots are
//! Steffen's; here they are parameters, and each piece is written by the steps of its Bézier polygon.

use super::monotone::chosen;
use super::transformer::shares;
#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::bijection::{Checked, solve_increasing};
use crate::layers::transformer::{Transformer, rows};
use crate::tape::{Shape, Var, select};

/// The least share of a bin in the width and the height of all.
const LEAST: f64 = 1e-3;

/// Monotone polynomial spline transformer of degree 1, 2 or 3 on [-bound, bound].
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct PolynomialSplineTransformer {
    degree: usize,
    bins: usize,
    bound: f64,
}

impl PolynomialSplineTransformer {
    /// Piecewise linear: K bins of equal width on [-bound, bound].
    ///
    /// # Panics
    /// When there are fewer than two bins or more than 512, or the bound is not above 0.
    pub fn linear(bins: usize, bound: f64) -> PolynomialSplineTransformer {
        PolynomialSplineTransformer { degree: 1, bins, bound }.checked()
    }

    /// Piecewise quadratic, with a continuous derivative: K bins on [-bound, bound].
    ///
    /// # Panics
    /// As [`PolynomialSplineTransformer::linear`].
    pub fn quadratic(bins: usize, bound: f64) -> PolynomialSplineTransformer {
        PolynomialSplineTransformer { degree: 2, bins, bound }.checked()
    }

    /// Piecewise cubic, with a continuous derivative: K bins on [-bound, bound].
    ///
    /// # Panics
    /// As [`PolynomialSplineTransformer::linear`].
    pub fn cubic(bins: usize, bound: f64) -> PolynomialSplineTransformer {
        PolynomialSplineTransformer { degree: 3, bins, bound }.checked()
    }

    fn curve<'t>(&self, numbers: Var<'t>) -> Curve<'t> {
        let m = numbers.len() / self.parameters_per_dimension();
        let mut numbers = rows(numbers, m).into_iter();
        let mut take = |count: usize| numbers.by_ref().take(count).collect::<Vec<Var<'t>>>();
        let (bins, whole) = (self.bins, 2.0 * self.bound);
        let start = take_start(self.bound, m);
        let (widths, heights, steps) = match self.degree {
            1 => {
                let heights = shares(take(bins), whole, LEAST);
                (None, heights, Steps::Linear)
            }
            degree => {
                let widths = shares(take(bins), whole, LEAST);
                let middles: Vec<Var<'t>> = if degree == 3 { take(bins) } else { Vec::new() };
                let densities: Vec<Var<'t>> = take(bins + 1).into_iter().map(positive).collect();
                // Up to a factor that makes the heights sum to the interval.
                let of_bin = |k: usize| {
                    let (w, d0, d1) = (widths[k], densities[k], densities[k + 1]);
                    match middles.get(k) {
                        None => [w * d0, w * d1, w * (d0 + d1)],
                        Some(raw) => [w * d0, w * d1, w * (d0 + d1 + positive(*raw))],
                    }
                };
                let parts: Vec<[Var<'t>; 3]> = (0..bins).map(of_bin).collect();
                let total = parts.iter().map(|part| part[2]).reduce(|sum, next| sum + next).expect("a bin");
                // A quotient: widths do not occur beside it.
                let heights = parts.iter().map(|part| whole * part[2] / total).collect();
                let middles = middles.into_iter().map(positive).collect();
                (Some(widths), heights, Steps::Densities { densities, middles })
            }
        };
        let sums = |steps: &[Var<'t>], first: Var<'t>| {
            let mut knots = vec![first];
            steps.iter().for_each(|step| knots.push(knots[knots.len() - 1] + *step));
            knots
        };
        let first = start(heights[0]);
        let x = match &widths {
            Some(widths) => sums(widths, first),
            None => {
                let at = |k: usize| -self.bound + whole * k as f64 / bins as f64;
                (0..=bins).map(|k| heights[0].tape().constant(at(k)).broadcast(Shape::Vector(m))).collect()
            }
        };
        Curve { y: sums(&heights, first), x, heights, steps }
    }
}

/// The first knot, for each variable.
fn take_start<'t>(bound: f64, m: usize) -> impl Fn(Var<'t>) -> Var<'t> {
    move |like| like.tape().constant(-bound).broadcast(Shape::Vector(m))
}

/// Positive, 1 at 0, and bounded away from 0.
fn positive(raw: Var<'_>) -> Var<'_> {
    LEAST + (1.0 - LEAST) / 2f64.ln() * raw.softplus()
}

impl Checked for PolynomialSplineTransformer {
    fn fault(&self) -> Option<String> {
        let PolynomialSplineTransformer { degree, bins, bound } = *self;
        let sound =
            (1..=3).contains(&degree) && (2..=512).contains(&bins) && bound > 0.0 && bound.is_finite();
        (!sound).then(|| {
            format!(
                "a polynomial spline has degree 1, 2 or 3, 2 to 512 bins and a bound above 0, not degree {degree}, \
                 {bins} bins and {bound}"
            )
        })
    }
}

/// How the pieces rise.
enum Steps<'t> {
    /// In straight lines.
    Linear,
    /// With densities at the knots, and for cubic pieces middle steps, both up to a factor.
    Densities { densities: Vec<Var<'t>>, middles: Vec<Var<'t>> },
}

/// Knots, and how the spline rises between them.
struct Curve<'t> {
    x: Vec<Var<'t>>,
    y: Vec<Var<'t>>,
    heights: Vec<Var<'t>>,
    steps: Steps<'t>,
}

/// What is chosen by the bin: densities at its ends and the middle step.
type Shape3<'t> = Option<[Option<Var<'t>>; 3]>;

impl<'t> Curve<'t> {
    fn bins(&self) -> usize {
        self.heights.len()
    }

    /// The numbers of the bin that contains `at`, among these knots.
    fn of_bin(&self, at: Var<'t>, knots: &[Var<'t>]) -> Shape3<'t> {
        let bins = self.bins();
        let of = |values: &[Var<'t>]| chosen(at, &knots[1..bins], values);
        match &self.steps {
            Steps::Linear => None,
            Steps::Densities { densities, middles } => Some([
                Some(of(&densities[..bins])),
                Some(of(&densities[1..])),
                (!middles.is_empty()).then(|| of(middles)),
            ]),
        }
    }

    /// N and M.
    fn shares(u: Var<'t>, v: Var<'t>, shape: &Shape3<'t>) -> (Var<'t>, Var<'t>) {
        match shape {
            Some([Some(d0), Some(d1), None]) => {
                let one =
                    |u: Var<'t>, v: Var<'t>, d0: Var<'t>, d1: Var<'t>| u * (d0 * (u + 2.0 * v) + d1 * u);
                (one(u, v, *d0, *d1), one(v, u, *d1, *d0))
            }
            Some([Some(d0), Some(d1), Some(m)]) => {
                let one = |u: Var<'t>, v: Var<'t>, p: Var<'t>, q: Var<'t>| {
                    u * (p * (u * u + 3.0 * (u * v) + 3.0 * (v * v)) + *m * (u * (u + 3.0 * v)) + q * (u * u))
                };
                (one(u, v, *d0, *d1), one(v, u, *d1, *d0))
            }
            _ => (u, v),
        }
    }

    /// Slopes of the lines beyond the first and the last knot: those of the curve there.
    fn end_slopes(&self) -> [Var<'t>; 2] {
        let last = self.bins() - 1;
        let width = |k: usize| self.x[k + 1] - self.x[k];
        [(0, 0), (last, last + 1)].map(|(bin, knot)| {
            let mean = self.heights[bin] / width(bin);
            match &self.steps {
                Steps::Linear => mean,
                Steps::Densities { densities, middles } => {
                    let sum = densities[bin] + densities[bin + 1];
                    let (sum, factor) = match middles.get(bin) {
                        None => (sum, 2.0),
                        Some(middle) => (sum + *middle, 3.0),
                    };
                    factor * mean * (densities[knot] / sum)
                }
            }
        })
    }

    fn forward(&self, z: Var<'t>) -> Var<'t> {
        let bins = self.bins();
        let of = |values: &[Var<'t>]| chosen(z, &self.x[1..bins], values);
        let (left, right) = (of(&self.x[..bins]), of(&self.x[1..]));
        let (over, rest) = Curve::shares(z - left, right - z, &self.of_bin(z, &self.x));
        // The quotient is exactly 1 at the right knot, so the sum is exactly the next knot's y.
        let inside = of(&self.y[..bins]) + of(&self.heights) * (over / (over + rest));
        let [first, last] = self.end_slopes();
        let above = select(z.lt(self.x[bins]), inside, self.y[bins] + last * (z - self.x[bins]));
        select(z.lt(self.x[0]), self.y[0] + first * (z - self.x[0]), above)
    }

    /// Bounds do not see that the slope of a chosen piece is positive, so that this inverse is written by hand.
    fn inverse(&self, x: Var<'t>) -> Option<Var<'t>> {
        let bins = self.bins();
        let of = |values: &[Var<'t>]| chosen(x, &self.y[1..bins], values);
        let (left, width) = (of(&self.x[..bins]), of(&self.x[1..]) - of(&self.x[..bins]));
        let (below, above) = (x - of(&self.y[..bins]), of(&self.y[1..]) - x);
        let share = below / (below + above);
        let t = match self.of_bin(x, &self.y) {
            None => share,
            // The positive solution of (d₁ - d₀)t² + 2d₀t = (d₀ + d₁)·share, without cancellation.
            Some([Some(d0), Some(d1), None]) => {
                let root = (d0 * d0 * (1.0 - share) + d1 * d1 * share).sqrt();
                share * (d0 + d1) / (d0 + root)
            }
            shape => {
                // Outside of the knots the share is not between 0 and 1, and the line is taken.
                let inner = share.max(0.0).min(1.0);
                solve_increasing(inner.tape(), inner.shape(), (0.0, 1.0), |t| {
                    let (over, rest) = Curve::shares(t, 1.0 - t, &shape);
                    over / (over + rest) - inner
                })?
            }
        };
        let [first, last] = self.end_slopes();
        let inside = left + width * t;
        let beyond = select(x.lt(self.y[bins]), inside, self.x[bins] + (x - self.y[bins]) / last);
        Some(select(x.lt(self.y[0]), self.x[0] + (x - self.y[0]) / first, beyond))
    }
}

impl Transformer for PolynomialSplineTransformer {
    fn parameters_per_dimension(&self) -> usize {
        match self.degree {
            1 => self.bins,
            2 => 2 * self.bins + 1,
            _ => 3 * self.bins + 1,
        }
    }

    fn forward<'t>(&self, z: Var<'t>, numbers: Var<'t>) -> Var<'t> {
        self.curve(numbers).forward(z)
    }

    fn inverse<'t>(&self, x: Var<'t>, numbers: Var<'t>) -> Option<Var<'t>> {
        self.curve(numbers).inverse(x)
    }

    fn name(&self) -> String {
        ["LinearSpline", "QuadraticSpline", "CubicSpline"][self.degree - 1].to_string()
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("polynomial_spline", self)
    }
}
