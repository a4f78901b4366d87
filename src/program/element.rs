//! The number types of programs, and the one place where their kernels are compiled.

use pulp::{Arch, Simd, WithSimd};

use super::error::NonFinite;
use super::instruction::Instruction;
use super::lanes::{Context, Lane};
use super::matrix::Packed;
use super::plan::Program;
use super::profile::Profile;
use super::run::Space;
use crate::kernel::{self, Wanted};
use crate::sweep::value::Number;

/// Numbers that programs run on: `f64` and `f32`.
///
/// What runs programs of each is compiled once, here, for every instruction set, and not again in every crate that uses
/// a program.
pub trait Element: Number {
    #[doc(hidden)]
    fn run(chunk: Chunk<'_, Self>);
    #[doc(hidden)]
    fn add_outer(work: OuterWork<'_, Self>);
    #[doc(hidden)]
    fn run_and_sum(program: &mut Program<Self>, inputs: &[&[Self]], rows: usize, results: &mut [Vec<Self>]);
    #[doc(hidden)]
    fn prepare(program: &mut Program<Self>);
    #[doc(hidden)]
    fn derive_shared(program: &mut Program<Self>);
    #[doc(hidden)]
    fn trace(program: &mut Program<Self>, inputs: &[&[Self]], rows: usize) -> Option<NonFinite>;
    #[doc(hidden)]
    fn profile(program: &mut Program<Self>, inputs: &[&[Self]], rows: usize, repeats: usize) -> Profile;
}

macro_rules! elements {
    ($($number:ty),*) => {$(
        impl Element for $number {
            fn run(chunk: Chunk<'_, $number>) {
                Arch::new().dispatch(chunk);
            }
            fn add_outer(work: OuterWork<'_, $number>) {
                Arch::new().dispatch(work);
            }
            fn run_and_sum(
                program: &mut Program<$number>,
                inputs: &[&[$number]],
                rows: usize,
                results: &mut [Vec<$number>],
            ) {
                program.run_and_sum_here(inputs, rows, results);
            }
            fn prepare(program: &mut Program<$number>) {
                program.prepare_here();
            }
            fn derive_shared(program: &mut Program<$number>) {
                program.derive_shared_here();
            }
            fn trace(program: &mut Program<$number>, inputs: &[&[$number]], rows: usize) -> Option<NonFinite> {
                program.trace_here(inputs, rows)
            }
            fn profile(
                program: &mut Program<$number>,
                inputs: &[&[$number]],
                rows: usize,
                repeats: usize,
            ) -> Profile {
                program.profile_here(inputs, rows, repeats)
            }
        }
    )*};
}

elements!(f64, f32);

/// A chunk's work, to be done with one instruction set.
pub struct Chunk<'a, F> {
    pub(super) instructions: &'a [Instruction],
    pub(super) matrices: &'a [Packed<F>],
    pub(super) shared: &'a [F],
    pub(super) lane: Lane,
    pub(super) space: &'a mut Space<F>,
}

impl<F: Number> WithSimd for Chunk<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Chunk { instructions, matrices, shared, lane, space } = self;
        Context { matrices, shared, lane, space }.run_list(simd, instructions);
    }
}

/// Part of a sum of outer products, to be formed with one instruction set.
pub struct OuterWork<'a, F> {
    pub(super) a: &'a [F],
    pub(super) b: &'a [F],
    pub(super) lane: Lane,
    pub(super) wanted: &'a Wanted,
    pub(super) sums: &'a mut [F],
    pub(super) panel: &'a mut Vec<F>,
}

impl<F: Number> WithSimd for OuterWork<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let OuterWork { a, b, lane: Lane { count, stride }, wanted, sums, panel } = self;
        kernel::add_outer(simd, a, b, kernel::Lanes { count, stride }, wanted, sums, panel);
    }
}
