//! Monotone rational-quadratic splines: elementwise layers, circular layers, and a transformer.
//!
//! In the bin between the knots (x_k, y_k) and (x_{k+1}, y_{k+1}), of height h and mean slope s, let
//! u = z - x_k and v = x_{k+1} - z be the distances of z from its ends. With the slopes d₀ and d₁ at the
//! ends,
//!
//! x = y_k + h·N/(N + M), N = u·(s·u + d₀·v), M = v·(s·v + d₁·u).
//!
//! This is eq. 4 of Durkan et al., with θ = u/(u + v). Written in the distances from both ends, every term is
//! positive, in the spline and in its derived log-derivative, 2·ln h + ln(d₁u² + 2suv + d₀v²) - 2·ln(N + M):
//! nothing cancels, however flat or steep a bin is. The bin is selected first, so that there is one formula,
//! not one for each bin.
//!
//! Sources: Gregory and Delbourgo, "Piecewise rational quadratic interpolation to monotonic data" (1982), eqs. 2.7-2.9;
//! Durkan, Bekasov, Murray, Papamakarios, "Neural Spline Flows" (2019), eqs. 4-8.

mod circular;
mod elementwise;
mod monotone;
mod polynomial;
mod transformer;

pub use circular::CircularSpline;
pub use elementwise::RationalQuadraticSpline;
pub use monotone::MonotoneSpline;
pub use polynomial::PolynomialSplineTransformer;
pub use transformer::{SplineConstraint, SplineTransformer};
