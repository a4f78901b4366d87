//! Integrals of sums of squares as transformers.
//!
//! x = c + ∫₀ᶻ (ε + Σₖ pₖ(u)²) du with polynomials pₖ: a polynomial whose derivative is at least ε, for all parameters.
//!
//! Source: Jaini, Selby, Yu, "Sum-of-Squares Polynomial Flow" (2019), eq. 13.

#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::bijection::{Checked, solve_increasing};
use crate::layers::transformer::{Transformer, rows};
use crate::tape::Var;

/// Sum-of-squares transformer: k polynomials of degree r, so that x is one of degree 2r + 1.
///
/// The element parameters of a variable are the coefficients of the first polynomial, then of the next, and c. Where all
/// are 0 it is nearly the identity.
///
/// Powers of values far out are large, and several layers multiply their degrees: where a column has outliers, put a layer that
/// takes asinh (`Elementwise::new(Transform::Asinh, d)`) before each layer of polynomials.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct SumOfSquaresTransformer {
    polynomials: usize,
    degree: usize,
    least: f64,
}

impl SumOfSquaresTransformer {
    /// Builds the transformer of `polynomials` squares of this degree, with slopes of at least ε = 10⁻³.
    ///
    /// # Panics
    /// When there is no polynomial, or the degree is 0 or above 16.
    pub fn new(polynomials: usize, degree: usize) -> SumOfSquaresTransformer {
        SumOfSquaresTransformer { polynomials, degree, least: 1e-3 }.checked()
    }
}

impl Checked for SumOfSquaresTransformer {
    fn fault(&self) -> Option<String> {
        let SumOfSquaresTransformer { polynomials, degree, least } = *self;
        let sound = (1..=64).contains(&polynomials) && (1..=16).contains(&degree);
        let sound = sound && least > 0.0 && least.is_finite();
        (!sound).then(|| {
            format!(
                "a sum of squares has 1 to 64 polynomials of a degree from 1 to 16 and a least slope above 0, not \
                 {polynomials}, {degree} and {least}"
            )
        })
    }
}

impl Transformer for SumOfSquaresTransformer {
    fn parameters_per_dimension(&self) -> usize {
        self.polynomials * (self.degree + 1) + 1
    }

    fn forward<'t>(&self, z: Var<'t>, numbers: Var<'t>) -> Var<'t> {
        let SumOfSquaresTransformer { polynomials, degree, least } = *self;
        let m = numbers.len() / self.parameters_per_dimension();
        let raw = rows(numbers, m);
        // Constant terms that differ, so that the polynomials do not learn the same; their squares sum to 1.
        let norm = ((polynomials * (polynomials + 1) * (2 * polynomials + 1)) as f64 / 6.0).sqrt();
        let coefficient = |k: usize, l: usize| {
            let raw = raw[k * (degree + 1) + l];
            if l == 0 { raw + (k + 1) as f64 / norm } else { raw }
        };
        // c_j = Σ over k and l + l' = j of the products of coefficients, each pair once.
        let power = |j: usize| {
            let pairs = (0..=j.min(degree)).filter(|l| j - l <= degree && 2 * l <= j);
            let pairs: Vec<(usize, usize)> = pairs.map(|l| (l, j - l)).collect();
            let products = (0..polynomials).flat_map(|k| pairs.iter().map(move |(l, other)| (k, *l, *other)));
            let products = products.map(|(k, l, other)| {
                let product = coefficient(k, l) * coefficient(k, other);
                if l == other { product } else { 2.0 * product }
            });
            products.reduce(|sum, next| sum + next).expect("a product for each power")
        };
        let highest = 2 * degree;
        let term = |j: usize| {
            let own = power(j) / (j + 1) as f64;
            if j == 0 { own + least } else { own }
        };
        let slope = (0..highest).rev().fold(term(highest), |sum, j| sum * z + term(j));
        slope * z + raw[raw.len() - 1]
    }

    /// Bounds do not see that squares are integrated, so that this inverse is written by hand.
    fn inverse<'t>(&self, x: Var<'t>, numbers: Var<'t>) -> Option<Var<'t>> {
        let everywhere = (f64::NEG_INFINITY, f64::INFINITY);
        solve_increasing(x.tape(), x.shape(), everywhere, |z| self.forward(z, numbers) - x)
    }

    fn name(&self) -> String {
        "SumOfSquares".to_string()
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("sum_of_squares", self)
    }
}
