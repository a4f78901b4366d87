//! Unconstrained monotone neural networks: the integral of a positive network, as a transformer.
//!
//! x = c + ∫₀ᶻ g(u; h) du, g > 0
//!
//! *What is computed* is the quadrature, x = c + z·Σₖ wₖ·g(z·tₖ; h) with the nodes and weights of Clenshaw and Curtis on [0, 1]. Its
//! log-determinant is derived from this formula, so that a density is exactly that of the map that samples. Its slope is not the integrand g,
//! and nothing makes it positive: where nodes are too few for the integrand, the quadrature may fold. An audit says how far ln|det J| is from that of the
//! integral ([`Bijection::exact_log_det`](crate::bijection::Bijection::exact_log_det)), and proves nothing.
//!
//! Source: Wehenkel, Louppe, "Unconstrained Monotonic Neural Networks" (2019), eqs. 1-3 and appendix B.

use std::f64::consts::PI;

#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::bijection::{Checked, solve_increasing};
use crate::layers::transformer::Transformer;
use crate::tape::{Init, Shape, Tape, Var};

/// The least slope of the integral.
const LEAST: f64 = 1e-3;

/// Monotone network transformer: the quadrature of a positive network of z and h, shared by all variables.
///
/// The element parameters of a variable are the entries of h (`embedding` numbers) and c. The integrand is 10⁻³ + softplus of a network with tanh
/// units (parameters `integrand.k.weight` and `integrand.k.bias`; column 0 of the first weight is that of u).
///
/// ```
/// use pushforward::prelude::*;
/// use pushforward::audit::Topic;
///
/// let layer = Unconditional::new(2, MonotoneNetworkTransformer::new([8], 4, 16));
/// let report = audit(&layer)?;
/// // How far the quadrature is from the integral.
/// assert!(report.claim(Topic::Approximation).is_some());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct MonotoneNetworkTransformer {
    hidden: Vec<usize>,
    embedding: usize,
    intervals: usize,
}

impl MonotoneNetworkTransformer {
    /// Builds the transformer with these hidden units, so many numbers h from the conditioner, and `intervals` + 1 nodes.
    ///
    /// # Panics
    /// When there is no hidden layer, one without units or with more than 4096, more than 4096 numbers h, or an odd number of intervals or not 2 to 256.
    pub fn new(
        hidden: impl Into<Vec<usize>>,
        embedding: usize,
        intervals: usize,
    ) -> MonotoneNetworkTransformer {
        MonotoneNetworkTransformer { hidden: hidden.into(), embedding, intervals }.checked()
    }

    /// Records g for m·n numbers u, n after one another for the m variables whose h are given (`embedding` × m).
    fn integrand<'t>(&self, u: Var<'t>, h: Option<Var<'t>>, m: usize) -> Var<'t> {
        let (tape, count) = (u.tape(), u.len());
        let columns = |matrix: Var<'t>, rows: usize| {
            let positions: Vec<usize> = (0..rows * count).map(|e| e / count * m + e % count % m).collect();
            matrix.reshape(Shape::Vector(rows * m)).gather(&positions).reshape(Shape::Matrix(rows, count))
        };
        let ones = tape.vector(&vec![1.0; count]);
        let mut units = u;
        for (k, width) in self.hidden.iter().copied().enumerate() {
            let before = if k == 0 { 1 + self.embedding } else { self.hidden[k - 1] };
            let weight = tape.parameter(
                &format!("integrand.{k}.weight"),
                Shape::Matrix(width, before),
                Init::glorot(before, width),
            );
            let bias = self.bias(tape, k, width, 0.0);
            units = match (k, h) {
                (0, None) => weight.column(0).outer(u) + bias.outer(ones),
                (0, Some(h)) => {
                    let places = (0..width).flat_map(|row| (1..before).map(move |c| row * before + c));
                    let flat = weight.reshape(Shape::Vector(width * before));
                    let of_h =
                        flat.gather(&places.collect::<Vec<_>>()).reshape(Shape::Matrix(width, before - 1));
                    // What does not depend on u is computed once, and not at each node.
                    let known = of_h.matmul(h) + bias.outer(tape.vector(&vec![1.0; m]));
                    weight.column(0).outer(u) + columns(known, width)
                }
                _ => weight.matmul(units) + bias.outer(ones),
            };
            units = units.tanh();
        }
        let (k, before) = (self.hidden.len(), units.len() / count);
        let weight =
            tape.parameter(&format!("integrand.{k}.weight"), Shape::Vector(before), Init::Constant(0.0));
        // softplus(b) = 1 - LEAST: the identity at first.
        let start = (1.0 - LEAST).exp_m1().ln();
        let bias = self.bias(tape, k, 1, start).at(0);
        LEAST + (units.transpose().matvec(weight) + bias).softplus()
    }

    fn bias<'t>(&self, tape: &'t Tape, k: usize, width: usize, start: f64) -> Var<'t> {
        tape.parameter(&format!("integrand.{k}.bias"), Shape::Vector(width), Init::Constant(start))
    }

    /// h as a matrix with a column for each variable, and c.
    fn split<'t>(&self, parameters: Var<'t>) -> (Option<Var<'t>>, Var<'t>, usize) {
        let m = parameters.len() / (self.embedding + 1);
        let h = (self.embedding > 0)
            .then(|| parameters.slice(0..self.embedding * m).reshape(Shape::Matrix(self.embedding, m)));
        (h, parameters.slice(self.embedding * m..(self.embedding + 1) * m), m)
    }
}

impl Checked for MonotoneNetworkTransformer {
    fn fault(&self) -> Option<String> {
        let MonotoneNetworkTransformer { hidden, embedding, intervals } = self;
        let sound = !hidden.is_empty() && hidden.iter().all(|units| (1..=4096).contains(units));
        let sound = sound && *embedding <= 4096 && (2..=256).contains(intervals) && intervals % 2 == 0;
        (!sound).then(|| {
            format!(
                "a monotone network has hidden layers of 1 to 4096 units, at most 4096 numbers h, and an even number of 2 to \
                 256 intervals, not {hidden:?}, {embedding} and {intervals}"
            )
        })
    }
}

impl Transformer for MonotoneNetworkTransformer {
    fn parameters_per_dimension(&self) -> usize {
        self.embedding + 1
    }

    fn forward<'t>(&self, z: Var<'t>, parameters: Var<'t>) -> Var<'t> {
        let (tape, (h, c, m)) = (z.tape(), self.split(parameters));
        let (nodes, weights) = clenshaw_curtis(self.intervals);
        let n = nodes.len();
        let u = tape.vector(&nodes).outer(z).reshape(Shape::Vector(n * m));
        let heights = self.integrand(u, h, m).reshape(Shape::Matrix(n, m));
        z * heights.transpose().matvec(tape.vector(&weights)) + c
    }

    /// The root of an equation: bounds do not show that the quadrature increases.
    fn inverse<'t>(&self, x: Var<'t>, parameters: Var<'t>) -> Option<Var<'t>> {
        let everywhere = (f64::NEG_INFINITY, f64::INFINITY);
        solve_increasing(x.tape(), x.shape(), everywhere, |z| self.forward(z, parameters) - x)
    }

    /// The integrand at z.
    fn exact_slope<'t>(&self, z: Var<'t>, parameters: Var<'t>) -> Option<Var<'t>> {
        let (h, _, m) = self.split(parameters);
        Some(self.integrand(z, h, m))
    }

    fn name(&self) -> String {
        "MonotoneNetwork".to_string()
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("monotone_network", self)
    }
}

/// The nodes and the weights of Clenshaw and Curtis' quadrature on [0, 1] with an even number of intervals.
///
/// Source: Trefethen, "Is Gauss quadrature better than Clenshaw-Curtis?" (2008), section 2.
fn clenshaw_curtis(intervals: usize) -> (Vec<f64>, Vec<f64>) {
    let n = intervals as f64;
    let nodes = (0..=intervals).map(|k| 0.5 * (1.0 - (PI * k as f64 / n).cos())).collect();
    let weight = |k: usize| {
        let term = |j: usize| {
            let twice = if 2 * j == intervals { 1.0 } else { 2.0 };
            twice / (4 * j * j - 1) as f64 * (2.0 * PI * (j * k) as f64 / n).cos()
        };
        let inside = if k == 0 || k == intervals { 1.0 } else { 2.0 };
        0.5 * inside / n * (1.0 - (1..=intervals / 2).map(term).sum::<f64>())
    };
    (nodes, (0..=intervals).map(weight).collect())
}

#[cfg(test)]
mod tests {
    use super::clenshaw_curtis;

    /// Exact for polynomials of a degree up to the number of intervals.
    #[test]
    fn polynomials_are_integrated_exactly() {
        for intervals in [2, 4, 16, 64] {
            let (nodes, weights) = clenshaw_curtis(intervals);
            for degree in 0..=intervals.min(20) {
                let powers = nodes.iter().map(|node| node.powi(degree as i32));
                let integral: f64 = powers.zip(&weights).map(|(power, weight)| power * weight).sum();
                let exact = 1.0 / (degree + 1) as f64;
                assert!((integral - exact).abs() < 1e-14, "{intervals} {degree}: {integral} {exact}");
            }
        }
    }
}
