//! The number types of programs, and the one place where their kernels are compiled.

use pulp::{Simd, WithSimd};

use super::instruction::Instruction;
use super::lanes::{Context, Lane};
use super::matrix::Packed;
use super::run::Space;
use crate::sweep::value::Number;

/// Numbers that programs run on: `f64` and `f32`.
///
/// The kernels of each are compiled once, here, for every instruction set, and not again wherever a program is used.
pub trait Element: Number {
    #[doc(hidden)]
    fn run(chunk: Chunk<'_, Self>);
}

impl Element for f64 {
    fn run(chunk: Chunk<'_, f64>) {
        dispatch(chunk);
    }
}

impl Element for f32 {
    fn run(chunk: Chunk<'_, f32>) {
        dispatch(chunk);
    }
}

/// Runs a chunk with the instruction set that is best for it: AVX2 where an x86 has it. AVX-512 gains little for
/// products, and all kernels would be compiled a third time.
#[inline(always)]
fn dispatch<F: Number>(chunk: Chunk<'_, F>) {
    #[cfg(target_arch = "x86_64")]
    match pulp::x86::V3::try_new() {
        Some(simd) => pulp::Simd::vectorize(simd, chunk),
        None => pulp::Simd::vectorize(pulp::Scalar::new(), chunk),
    }
    #[cfg(not(target_arch = "x86_64"))]
    pulp::Arch::new().dispatch(chunk);
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
