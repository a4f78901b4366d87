//! Numeric kernels: vectorised loops over lanes.
//!
//! A *lane* is a sample; the lanes of an element of a node are contiguous in memory. A kernel is one loop
//! over them, generic over the instruction set and over the number type, f64 or f32. The instruction set is
//! detected once at run time (AVX-512, AVX2 with fused multiply-add, or neither; on other architectures,
//! those of the `pulp` crate), and all code below is compiled for each of them. A fused multiply-add rounds
//! once instead of twice: last digits differ between machines, but not between runs on one.
//!
//! Kernels called within one [`WithSimd`] are dispatched once. Each is a separate function, compiled for the
//! instruction set of its first argument; code between the calls needs no special care.
//!
//! ```
//! use pushforward::kernel::{Arch, Exp, Lanes, Mul, PackedMatrix, Simd, Tanh, WithSimd, map, multiply, zip};
//!
//! /// y = W·tanh(2x), two elements from three, in 48 lanes
//! struct Layer<'a> {
//!     weight: &'a PackedMatrix<f64>,
//!     x: &'a [f64],
//!     hidden: [&'a mut [f64]; 2],
//!     y: &'a mut [f64],
//!     panel: &'a mut Vec<f64>,
//! }
//!
//! impl WithSimd for Layer<'_> {
//!     type Output = ();
//!
//!     #[inline(always)]
//!     fn with_simd<S: Simd>(self, simd: S) {
//!         let [twice, squashed] = self.hidden;
//!         zip(simd, Mul, self.x, 2.0, twice);
//!         map(simd, Tanh, twice, squashed);
//!         let lanes = Lanes { count: 48, stride: 48 };
//!         multiply(simd, self.weight, squashed, self.y, lanes, self.panel);
//!     }
//! }
//!
//! let mut weight = PackedMatrix::new(2, 3, &[]);
//! weight.load(&[1.0, 0.0, -1.0, 0.5, 0.5, 0.5]);
//! let x: Vec<f64> = (0..3 * 48).map(|i| i as f64 / 100.0).collect();
//! let (mut twice, mut squashed, mut y) = (vec![0.0; 3 * 48], vec![0.0; 3 * 48], vec![0.0; 2 * 48]);
//! let (hidden, mut panel) = ([&mut twice[..], &mut squashed[..]], Vec::new());
//! Arch::new().dispatch(Layer { weight: &weight, x: &x, hidden, y: &mut y, panel: &mut panel });
//! let expected = (2.0 * x[7]).tanh() - (2.0 * x[2 * 48 + 7]).tanh();
//! assert!((y[7] - expected).abs() < 1e-15);
//! ```
//!
//! | | |
//! |---|---|
//! | [`map`], [`zip`], [`select`] | a [`Function`] of each number, an [`Operation`] on each pair, a choice |
//! | [`map_pair`] | two functions that share their work, a [`Pair`]: [`TanhAndSlope`] |
//! | [`update`] | an operation on what is there already |
//! | [`sum_terms`] | sums of products and numbers, in one pass |
//! | [`cascade`] | choices one after another, in one pass |
//! | [`sum_products`] | Σ over lanes of a·b |
//! | [`Exp`], [`ExpM1`], [`Ln`], [`Ln1p`], [`Tanh`], [`SechSquared`], [`Sigmoid`], [`Softplus`] | within 1 to 3 ulp everywhere, the ends and the subnormal numbers included |
//! | [`LogAddExp`] | ln(eᵃ + eᵇ), within 3 ulp of the larger of its two terms |
//! | [`multiply`], [`multiply_add`], [`multiply_plus`] | a [`PackedMatrix`], shared by all lanes, times a vector |
//! | [`subtract_product`] | blocks of one dense matrix: C - A·B |
//! | [`transpose`] | elements and lanes |
//! | [`add_outer`] | Σ over lanes of a bᵀ: the gradient of a matrix |
//! | [`sum_lanes`], [`sum_elements`] | sums in a fixed order |
//!
//! Further functions and operations are written with the operators of [`Vector`]. To fill lanes with a number
//! or to repeat them, use `fill` and `copy_from_slice` of slices: they run at memory speed.

mod arithmetic;
mod cascade;
mod dense;
mod dispatch;
mod elementwise;
mod exponential;
mod logarithm;
mod matrix;
mod outer;
mod product;
mod real;
mod sech;
mod sigmoid;
mod sums;
mod tanh;
mod terms;
mod transpose;
mod vector;

pub use pulp::{Arch, Simd, WithSimd};

pub use arithmetic::{Abs, Add, Div, Less, LessEq, Max, Min, Mul, Neg, Powi, Recip, Sign, Sqrt, Sub};
pub use cascade::{Branch, cascade};
pub use dense::{Blocks, subtract_product};
pub use dispatch::instruction_sets;
pub use elementwise::{Function, Operand, Operation, Pair, map, map_pair, select, update, zip};
pub use exponential::{Exp, ExpM1, Exponential};
pub use logarithm::{Ln, Ln1p, Logarithm};
pub use matrix::PackedMatrix;
pub use outer::{EntryMask, add_outer};
pub use product::{Lanes, multiply, multiply_add, multiply_plus};
pub use real::Real;
pub use sech::{SechSquared, TanhAndSlope};
pub use sigmoid::{LogAddExp, Sigmoid, Softplus};
pub use sums::{sum_elements, sum_lanes, sum_products};
pub use tanh::{HyperbolicTangent, Tanh};
pub use terms::{Term, sum_terms};
pub use transpose::transpose;
pub use vector::{Mask, Vector};
