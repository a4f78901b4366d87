//! The precisions of programs, whose kernels are compiled here.

use pulp::{Arch, Simd, WithSimd};

use super::error::NonFinite;
use super::execute::Chunk;
use super::instruction::Instruction;
use super::plan::Program;
use super::profile::Profile;
use super::workspace::Workspace;
use crate::kernel::{self, EntryMask, Lanes};
use crate::numeric::Number;

/// The precisions that programs run in: `f64` and `f32`.
///
/// The execution code of each number type is compiled once in this crate, for every instruction set, not in every
/// crate that uses a program.
pub trait Precision: Number {
    #[doc(hidden)]
    fn run(work: ChunkWork<'_, Self>);
    #[doc(hidden)]
    fn add_outer(work: OuterWork<'_, Self>);
    #[doc(hidden)]
    fn run_and_sum(
        program: &Program<Self>,
        workspace: &mut Workspace<Self>,
        inputs: &[&[Self]],
        rows: usize,
        results: &mut [Vec<Self>],
    );
    #[doc(hidden)]
    fn prepare(program: &mut Program<Self>);
    #[doc(hidden)]
    fn derive_shared(program: &mut Program<Self>);
    #[doc(hidden)]
    fn trace(program: &Program<Self>, inputs: &[&[Self]], rows: usize) -> Option<NonFinite>;
    #[doc(hidden)]
    fn profile(program: &Program<Self>, inputs: &[&[Self]], rows: usize, repeats: usize) -> Profile;
}

macro_rules! precisions {
    ($($number:ty),*) => {$(
        impl Precision for $number {
            fn run(work: ChunkWork<'_, $number>) {
                Arch::new().dispatch(work);
            }
            fn add_outer(work: OuterWork<'_, $number>) {
                Arch::new().dispatch(work);
            }
            fn run_and_sum(
                program: &Program<$number>,
                workspace: &mut Workspace<$number>,
                inputs: &[&[$number]],
                rows: usize,
                results: &mut [Vec<$number>],
            ) {
                program.run_and_sum_here(workspace, inputs, rows, results);
            }
            fn prepare(program: &mut Program<$number>) {
                program.prepare_here();
            }
            fn derive_shared(program: &mut Program<$number>) {
                program.derive_shared_here();
            }
            fn trace(program: &Program<$number>, inputs: &[&[$number]], rows: usize) -> Option<NonFinite> {
                program.trace_here(inputs, rows)
            }
            fn profile(
                program: &Program<$number>,
                inputs: &[&[$number]],
                rows: usize,
                repeats: usize,
            ) -> Profile {
                program.profile_here(inputs, rows, repeats)
            }
        }
    )*};
}

precisions!(f64, f32);

/// Instructions for a chunk, to be run with one instruction set.
pub struct ChunkWork<'a, F> {
    pub(super) instructions: &'a [Instruction],
    pub(super) chunk: Chunk<'a, F>,
}

impl<F: Number> WithSimd for ChunkWork<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let ChunkWork { instructions, mut chunk } = self;
        chunk.run_list(simd, instructions);
    }
}

/// Part of a sum of outer products, to be computed with one instruction set.
pub struct OuterWork<'a, F> {
    pub(super) a: &'a [F],
    pub(super) b: &'a [F],
    pub(super) lanes: Lanes,
    pub(super) mask: &'a EntryMask,
    pub(super) sums: &'a mut [F],
    pub(super) panel: &'a mut Vec<F>,
}

impl<F: Number> WithSimd for OuterWork<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let OuterWork { a, b, lanes, mask, sums, panel } = self;
        kernel::add_outer(simd, a, b, lanes, mask, sums, panel);
    }
}
