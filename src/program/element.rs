//! The number types of programs, and the one place where their kernels are compiled.

use pulp::{Arch, Simd, WithSimd};

use super::instruction::Instruction;
use super::lanes::{Context, Lane};
use super::matrix::Packed;
use super::run::Space;
use crate::kernel::{self, Wanted};
use crate::sweep::value::Number;

/// Numbers that programs run on: `f64` and `f32`.
///
/// The kernels of each are compiled once, here, for every instruction set, and not again wherever a program is used.
pub trait Element: Number {
    #[doc(hidden)]
    fn run(chunk: Chunk<'_, Self>);
    #[doc(hidden)]
    fn add_outer(work: OuterWork<'_, Self>);
}

impl Element for f64 {
    fn run(chunk: Chunk<'_, f64>) {
        Arch::new().dispatch(chunk);
    }
    fn add_outer(work: OuterWork<'_, f64>) {
        Arch::new().dispatch(work);
    }
}

impl Element for f32 {
    fn run(chunk: Chunk<'_, f32>) {
        Arch::new().dispatch(chunk);
    }
    fn add_outer(work: OuterWork<'_, f32>) {
        Arch::new().dispatch(work);
    }
}

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
