//! Knots of a monotone spline, and the spline through them.

use crate::tape::{Shape, Tape, Thresholds, Var, select};

/// Monotone rational-quadratic splines, one for each of m variables: every knot is a vector of m.
///
/// Between two knots the spline is the rational-quadratic function with their slopes; outside it is linear
/// with the slope of the end knot. It is increasing and continuously differentiable if widths, heights and
/// slopes are positive. Knots are cumulative sums of widths and of heights, so that adjacent pieces agree
/// exactly where they meet.
///
/// ```
/// use pushforward::layers::MonotoneSpline;
/// use pushforward::prelude::*;
/// use pushforward::program::{Output, Program};
///
/// let tape = Tape::new();
/// let z = tape.input(Shape::Vector(1));
/// let knots = MonotoneSpline::fixed(&tape, 1, &[-1.0, 0.0, 2.0], &[-1.0, 1.0, 2.0], &[1.0, 2.0, 0.5]);
/// let x = knots.forward(z);
/// let mut program = Program::<f64>::compile(&tape, &[z.id()], &[Output::Each(x.id())]);
/// program.load(&Parameters::default())?;
/// assert_eq!(program.run(&[&[-3.0, -1.0, 0.0, 2.0, 4.0]], 5)?[0], [-3.0, -1.0, 1.0, 2.0, 3.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct MonotoneSpline<'t> {
    /// K + 1 knot positions.
    x: Vec<Var<'t>>,
    /// K + 1 knot values.
    y: Vec<Var<'t>>,
    /// x_{k+1} - x_k and y_{k+1} - y_k, each positive.
    widths: Vec<Var<'t>>,
    heights: Vec<Var<'t>>,
    /// Whether knots are the sums of these, and not numbers of their own.
    summed: bool,
    /// K + 1 slopes.
    slopes: Vec<Var<'t>>,
}

impl<'t> MonotoneSpline<'t> {
    /// Builds knots from `first` = (x₀, y₀), K widths, K heights and K + 1 slopes. All are vectors of m;
    /// widths, heights and slopes must be positive.
    ///
    /// # Panics
    /// When there is no width, or when there are not as many heights as widths and one slope more.
    pub fn sums(
        first: (Var<'t>, Var<'t>),
        widths: &[Var<'t>],
        heights: Vec<Var<'t>>,
        slopes: Vec<Var<'t>>,
    ) -> MonotoneSpline<'t> {
        let bins = widths.len();
        assert!(
            bins > 0 && heights.len() == bins && slopes.len() == bins + 1,
            "a spline of {bins} bins takes as many heights and one slope more, not {} and {}",
            heights.len(),
            slopes.len()
        );
        let sums = |first: Var<'t>, steps: &[Var<'t>]| {
            let mut knots = vec![first];
            steps.iter().for_each(|step| knots.push(knots[knots.len() - 1] + *step));
            knots
        };
        let (x, y) = (sums(first.0, widths), sums(first.1, &heights));
        MonotoneSpline { x, y, widths: widths.to_vec(), heights, summed: true, slopes }
    }

    /// Builds the same fixed knots (x_k, y_k) and slopes for each of m variables.
    ///
    /// # Panics
    /// When the knots do not ascend in both coordinates, or a slope is not above 0; see [`MonotoneSpline::are_valid`].
    pub fn fixed(tape: &'t Tape, m: usize, x: &[f64], y: &[f64], slopes: &[f64]) -> MonotoneSpline<'t> {
        assert!(
            MonotoneSpline::are_valid(x, y, slopes),
            "the knots of a monotone spline ascend and its slopes are above 0, not {x:?}, {y:?}, {slopes:?}"
        );
        let each = |values: &[f64]| {
            let repeated = |value: &f64| tape.constant(*value).broadcast(Shape::Vector(m));
            values.iter().map(repeated).collect::<Vec<_>>()
        };
        let (x, y) = (each(x), each(y));
        // Recorded instead of precomputed, so that y_k + height = y_{k+1} can be proven.
        let steps = |knots: &[Var<'t>]| knots.windows(2).map(|pair| pair[1] - pair[0]).collect();
        MonotoneSpline { widths: steps(&x), heights: steps(&y), summed: false, x, y, slopes: each(slopes) }
    }

    /// Returns whether there are at least two knots, they ascend in both coordinates, and each has a positive
    /// slope.
    pub fn are_valid(x: &[f64], y: &[f64], slopes: &[f64]) -> bool {
        let ascend = |values: &[f64]| {
            values.iter().all(|value| value.is_finite()) && values.windows(2).all(|pair| pair[0] < pair[1])
        };
        let positive = slopes.iter().all(|slope| *slope > 0.0 && slope.is_finite());
        x.len() >= 2 && y.len() == x.len() && slopes.len() == x.len() && ascend(x) && ascend(y) && positive
    }

    /// Records x from z, on the whole line.
    #[track_caller]
    pub fn forward(&self, z: Var<'t>) -> Var<'t> {
        let (last, d) = (self.heights.len(), &self.slopes);
        let line = |k: usize| self.y[k] + d[k] * (z - self.x[k]);
        let above = select(z.lt(self.x[last]), self.curve(z), line(last));
        select(z.lt(self.x[0]), line(0), above)
    }

    /// Records z from x, on the whole line.
    #[track_caller]
    pub fn inverse(&self, x: Var<'t>) -> Var<'t> {
        let (last, d) = (self.heights.len(), &self.slopes);
        let line = |k: usize| self.x[k] + (x - self.y[k]) / d[k];
        let above = select(x.lt(self.y[last]), self.curve_inverse(x), line(last));
        let z = select(x.lt(self.y[0]), line(0), above);
        x.tape().note_thresholds(|| Thresholds::new(z, x, &self.x, &self.y));
        z
    }

    /// The knots of a bin on one axis, and their distance.
    fn side(
        &self,
        of: &impl Fn(&[Var<'t>]) -> Var<'t>,
        knots: &[Var<'t>],
        steps: &[Var<'t>],
    ) -> (Var<'t>, Var<'t>, Var<'t>) {
        let first = of(&knots[..steps.len()]);
        if self.summed {
            // The sum is the next knot to the last bit, and one choice less.
            let step = of(steps);
            return (first, first + step, step);
        }
        let next = of(&knots[1..]);
        (first, next, next - first)
    }

    /// Records x from z between the first and the last knot.
    #[track_caller]
    pub(super) fn curve(&self, z: Var<'t>) -> Var<'t> {
        let bins = self.heights.len();
        let of = |values: &[Var<'t>]| chosen(z, &self.x[1..bins], values);
        let (left, right, width) = self.side(&of, &self.x, &self.widths);
        let (base, height) = (of(&self.y[..bins]), of(&self.heights));
        let (d0, d1) = (of(&self.slopes[..bins]), of(&self.slopes[1..]));
        let (u, v) = (z - left, right - z);
        let s = height / width;
        let (over, rest) = (u * (s * u + d0 * v), v * (s * v + d1 * u));
        // The quotient is exactly 1 at the right knot, so the sum is exactly the next knot's y.
        base + height * (over / (over + rest))
    }

    /// Records z from x between the first and the last knot.
    ///
    /// Let ξ and ζ be the distances of x from the knots below and above, u and v those of z. Then
    /// ξ·v·(s·v + d₁·u) = ζ·u·(s·u + d₀·v): a quadratic in u/v whose discriminant is a sum of squares and
    /// non-negative products.
    #[track_caller]
    pub(super) fn curve_inverse(&self, x: Var<'t>) -> Var<'t> {
        let bins = self.heights.len();
        let of = |values: &[Var<'t>]| chosen(x, &self.y[1..bins], values);
        let (left, _, width) = self.side(&of, &self.x, &self.widths);
        let (below, above, height) = self.side(&of, &self.y, &self.heights);
        let (d0, d1) = (of(&self.slopes[..bins]), of(&self.slopes[1..]));
        let (xi, zeta) = (x - below, above - x);
        let s = height / width;
        let middle = zeta * d0 - xi * d1;
        let root = (middle * middle + 4.0 * (xi * zeta) * (s * s)).sqrt();
        // Of the two forms of the solution, take the one without cancellation.
        let (sum, positive) = (middle.abs() + root, middle.ge(0.0));
        let u = select(positive, 2.0 * (xi * s), sum);
        let v = select(positive, sum, 2.0 * (zeta * s));
        left + width * (u / (u + v))
    }
}

/// Records the value of the bin that contains `at`, for K values and the K - 1 ascending knots between them.
/// A bin contains its left knot.
#[track_caller]
pub(super) fn chosen<'t>(at: Var<'t>, knots: &[Var<'t>], values: &[Var<'t>]) -> Var<'t> {
    let last = values[values.len() - 1];
    knots.iter().zip(values).rev().fold(last, |later, (knot, value)| select(at.lt(*knot), *value, later))
}
