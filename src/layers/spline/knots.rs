//! Knots, and the curve through them.

use crate::tape::{Shape, Tape, Var, select};

/// Monotone rational-quadratic splines, one for each of m variables: every knot is a vector of m.
///
/// Between two knots the curve is the rational-quadratic one with their slopes; outside it is a straight line with the
/// slope of the last knot. It is increasing and continuously differentiable where widths, heights and slopes are
/// positive. Knots are sums of widths and of heights, so that pieces meet to the last bit.
///
/// ```
/// use pushforward::layers::Knots;
/// use pushforward::prelude::*;
/// use pushforward::program::{Output, Program};
///
/// let tape = Tape::new();
/// let z = tape.input(Shape::Vector(1));
/// let knots = Knots::fixed(&tape, 1, &[-1.0, 0.0, 2.0], &[-1.0, 1.0, 2.0], &[1.0, 2.0, 0.5]);
/// let x = knots.forward(z);
/// let mut program = Program::<f64>::compile(&tape, &[z.id()], &[Output::Each(x.id())]);
/// program.load(&Parameters::default())?;
/// assert_eq!(program.run(&[&[-3.0, -1.0, 0.0, 2.0, 4.0]], 5)?[0], [-3.0, -1.0, 1.0, 2.0, 3.0]);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct Knots<'t> {
    /// K + 1 places.
    x: Vec<Var<'t>>,
    /// K + 1 values.
    y: Vec<Var<'t>>,
    /// y_{k+1} - y_k, each above 0.
    heights: Vec<Var<'t>>,
    /// K + 1 slopes.
    slopes: Vec<Var<'t>>,
}

impl<'t> Knots<'t> {
    /// Knots that begin at `first` = (x₀, y₀) and go on by K widths and heights, with K + 1 slopes; everything a vector
    /// of m, and all but the first knot above 0.
    ///
    /// # Panics
    /// When there is no width, not one height a width, or not one slope more.
    pub fn sums(
        first: (Var<'t>, Var<'t>),
        widths: &[Var<'t>],
        heights: Vec<Var<'t>>,
        slopes: Vec<Var<'t>>,
    ) -> Knots<'t> {
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
        Knots { x: sums(first.0, widths), y: sums(first.1, &heights), heights, slopes }
    }

    /// The same fixed knots (x_k, y_k) and slopes for each of m variables.
    ///
    /// # Panics
    /// When the knots do not ascend in both coordinates, or a slope is not above 0; see [`Knots::are_sound`].
    pub fn fixed(tape: &'t Tape, m: usize, x: &[f64], y: &[f64], slopes: &[f64]) -> Knots<'t> {
        assert!(
            Knots::are_sound(x, y, slopes),
            "the knots of a monotone spline ascend and its slopes are above 0, not {x:?}, {y:?}, {slopes:?}"
        );
        let each = |values: &[f64]| {
            let repeated = |value: &f64| tape.constant(*value).broadcast(Shape::Vector(m));
            values.iter().map(repeated).collect::<Vec<_>>()
        };
        let (x, y) = (each(x), each(y));
        // Recorded, not rounded: that y_k and the height make y_{k+1} can then be proven.
        let heights = y.windows(2).map(|pair| pair[1] - pair[0]).collect();
        Knots { x, y, heights, slopes: each(slopes) }
    }

    /// Whether there are two knots at least, they ascend in both coordinates, and there is a positive slope for each.
    pub fn are_sound(x: &[f64], y: &[f64], slopes: &[f64]) -> bool {
        let ascend = |values: &[f64]| {
            values.iter().all(|value| value.is_finite()) && values.windows(2).all(|pair| pair[0] < pair[1])
        };
        let positive = slopes.iter().all(|slope| *slope > 0.0 && slope.is_finite());
        x.len() >= 2 && y.len() == x.len() && slopes.len() == x.len() && ascend(x) && ascend(y) && positive
    }

    /// x of z, on the whole line.
    #[track_caller]
    pub fn forward(&self, z: Var<'t>) -> Var<'t> {
        let (last, d) = (self.heights.len(), &self.slopes);
        let line = |k: usize| self.y[k] + d[k] * (z - self.x[k]);
        let above = select(z.lt(self.x[last]), self.curve(z), line(last));
        select(z.lt(self.x[0]), line(0), above)
    }

    /// z of x, on the whole line.
    #[track_caller]
    pub fn inverse(&self, x: Var<'t>) -> Var<'t> {
        let (last, d) = (self.heights.len(), &self.slopes);
        let line = |k: usize| self.x[k] + (x - self.y[k]) / d[k];
        let above = select(x.lt(self.y[last]), self.curve_inverse(x), line(last));
        select(x.lt(self.y[0]), line(0), above)
    }

    /// x of z between the first and the last knot.
    #[track_caller]
    pub(super) fn curve(&self, z: Var<'t>) -> Var<'t> {
        let bins = self.heights.len();
        let of = |values: &[Var<'t>]| chosen(z, &self.x[1..bins], values);
        let (left, right) = (of(&self.x[..bins]), of(&self.x[1..]));
        let (base, height) = (of(&self.y[..bins]), of(&self.heights));
        let (d0, d1) = (of(&self.slopes[..bins]), of(&self.slopes[1..]));
        let (u, v) = (z - left, right - z);
        let s = height / (right - left);
        let (over, rest) = (u * (s * u + d0 * v), v * (s * v + d1 * u));
        // The quotient is 1 at the right knot to the last bit, and so the sum is the next knot's y.
        base + height * (over / (over + rest))
    }

    /// z of x between the first and the last knot.
    ///
    /// With ξ and ζ the distances of x from the knots below and above, u and v those of z are as ξ·v·(s·v + d₁·u) =
    /// ζ·u·(s·u + d₀·v): a quadratic in u/v whose discriminant is a sum of squares and products that are not negative.
    #[track_caller]
    pub(super) fn curve_inverse(&self, x: Var<'t>) -> Var<'t> {
        let bins = self.heights.len();
        let of = |values: &[Var<'t>]| chosen(x, &self.y[1..bins], values);
        let (left, right) = (of(&self.x[..bins]), of(&self.x[1..]));
        let (below, above) = (of(&self.y[..bins]), of(&self.y[1..]));
        let (d0, d1) = (of(&self.slopes[..bins]), of(&self.slopes[1..]));
        let width = right - left;
        let (xi, zeta) = (x - below, above - x);
        let s = of(&self.heights) / width;
        let middle = zeta * d0 - xi * d1;
        let root = (middle * middle + 4.0 * (xi * zeta) * (s * s)).sqrt();
        // Of the two forms of the solution, the one in which nothing cancels.
        let (sum, positive) = (middle.abs() + root, middle.ge(0.0));
        let u = select(positive, 2.0 * (xi * s), sum);
        let v = select(positive, sum, 2.0 * (zeta * s));
        left + width * (u / (u + v))
    }
}

/// The value that belongs to the bin in which `at` lies: K values, parted by K - 1 ascending knots. A bin holds its
/// left knot.
#[track_caller]
fn chosen<'t>(at: Var<'t>, knots: &[Var<'t>], values: &[Var<'t>]) -> Var<'t> {
    let last = values[values.len() - 1];
    knots.iter().zip(values).rev().fold(last, |later, (knot, value)| select(at.lt(*knot), *value, later))
}
