//! Bernstein polynomials as transformers.
//!
//! On [-B, B], with t = (z + B)/2B and s = 1 - t,
//!
//! x = -B + 2B·Σₖ θₖ·C(n, k)·tᵏ·sⁿ⁻ᵏ,  θ₀ = 0 < θ₁ < … < θₙ = 1,
//!
//! and linear outside, with the slopes at the ends. The derivative is n·Σₖ (θₖ₊₁ - θₖ)·C(n-1, k)·tᵏ·sⁿ⁻¹⁻ᵏ: a sum of
//! positive terms, for all parameters.
//!
//! Sources: Ramasinghe, Fernando, Khan, Barnes, "Robust normalizing flows using Bernstein-type polynomials" (2021);
//! Sick, Hothorn, Dürr, "Deep transformation models" (2020), section 3.

#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::bijection::{Checked, solve_increasing};
use crate::layers::transformer::{Transformer, rows};
use crate::tape::{Var, select};

/// Bernstein polynomial transformer of degree n on [-bound, bound], linear outside.
///
/// The n element parameters of a variable are the logarithms of the steps θₖ₊₁ - θₖ, up to a common factor; where all
/// are 0 it is the identity.
#[derive(Clone, Copy, Debug, PartialEq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct BernsteinTransformer {
    degree: usize,
    bound: f64,
}

impl BernsteinTransformer {
    /// Builds the transformer of this degree.
    ///
    /// # Panics
    /// When the degree is below 2 or above 64, or the bound is not above 0.
    pub fn new(degree: usize, bound: f64) -> BernsteinTransformer {
        BernsteinTransformer { degree, bound }.checked()
    }

    /// The steps of θ; those that lie on the way up to each θ and above it, so that nothing is subtracted.
    fn polynomial<'t>(&self, numbers: Var<'t>) -> Polynomial<'t> {
        let m = numbers.len() / self.degree;
        let raw = rows(numbers, m);
        let largest = raw.iter().copied().reduce(Var::max).expect("a degree above 0");
        let steps: Vec<Var<'t>> = raw.into_iter().map(|raw| (raw - largest).exp()).collect();
        let mut up = vec![steps[0]];
        steps[1..].iter().for_each(|step| up.push(up[up.len() - 1] + *step));
        let mut down = vec![steps[steps.len() - 1]];
        steps[..steps.len() - 1].iter().rev().for_each(|step| down.push(down[down.len() - 1] + *step));
        Polynomial { bound: self.bound, steps, up, down }
    }
}

impl Checked for BernsteinTransformer {
    fn fault(&self) -> Option<String> {
        let BernsteinTransformer { degree, bound } = *self;
        let sound = (2..=64).contains(&degree) && bound > 0.0 && bound.is_finite();
        (!sound).then(|| {
            format!("a Bernstein polynomial has a degree from 2 to 64 and a bound above 0, not {degree} and {bound}")
        })
    }
}

/// Steps of θ, up to a common factor, and their sums from below and from above.
struct Polynomial<'t> {
    bound: f64,
    steps: Vec<Var<'t>>,
    up: Vec<Var<'t>>,
    down: Vec<Var<'t>>,
}

impl<'t> Polynomial<'t> {
    /// Σₖ cₖ·C(n, k)·uᵏ·vⁿ⁻ᵏ over k = 1 … n, with c₁ first; in the manner of Horner, in u and v.
    fn sum(coefficients: &[Var<'t>], u: Var<'t>, v: Var<'t>) -> Var<'t> {
        let n = coefficients.len();
        let mut binomial = 1.0;
        let mut total = coefficients[n - 1];
        let mut power = v;
        for k in (1..n).rev() {
            binomial *= (k + 1) as f64 / (n - k) as f64;
            total = total * u + binomial * coefficients[k - 1] * power;
            if k > 1 {
                power = power * v;
            }
        }
        total * u
    }

    /// The part of the way that is done at the distances u and v from the ends.
    fn share(&self, u: Var<'t>, v: Var<'t>) -> Var<'t> {
        let (over, rest) = (Polynomial::sum(&self.up, u, v), Polynomial::sum(&self.down, v, u));
        over / (over + rest)
    }

    /// The slopes at the ends: n times the share of the first and of the last step.
    fn end_slopes(&self) -> [Var<'t>; 2] {
        let n = self.steps.len();
        [0, n - 1].map(|k| n as f64 * self.steps[k] / self.up[n - 1])
    }

    fn forward(&self, z: Var<'t>) -> Var<'t> {
        let (b, [first, last]) = (self.bound, self.end_slopes());
        let inside = -b + 2.0 * b * self.share((z + b) / (2.0 * b), (b - z) / (2.0 * b));
        let above = select(z.lt(b), inside, b + last * (z - b));
        select(z.lt(-b), first * (z + b) - b, above)
    }

    /// Bounds do not see that the slope is positive, so that this inverse is written by hand.
    fn inverse(&self, x: Var<'t>) -> Option<Var<'t>> {
        let (b, [first, last]) = (self.bound, self.end_slopes());
        let wanted = ((x + b) / (2.0 * b)).max(0.0).min(1.0);
        let t = solve_increasing(x.tape(), x.shape(), (0.0, 1.0), |t| self.share(t, 1.0 - t) - wanted)?;
        let above = select(x.lt(b), -b + 2.0 * b * t, b + (x - b) / last);
        Some(select(x.lt(-b), (x + b) / first - b, above))
    }
}

impl Transformer for BernsteinTransformer {
    fn parameters_per_dimension(&self) -> usize {
        self.degree
    }

    fn forward<'t>(&self, z: Var<'t>, numbers: Var<'t>) -> Var<'t> {
        self.polynomial(numbers).forward(z)
    }

    fn inverse<'t>(&self, x: Var<'t>, numbers: Var<'t>) -> Option<Var<'t>> {
        self.polynomial(numbers).inverse(x)
    }

    fn name(&self) -> String {
        "Bernstein".to_string()
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("bernstein", self)
    }
}
