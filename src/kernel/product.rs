//! Products of a shared matrix with vectors, one lane for each sample.
//!
//! A block of four rows and two or four registers of lanes is summed in registers, so that each loaded number
//! is used in several multiplications. Each element of the result is summed in the order of the columns, for
//! every instruction set and lane.

use pulp::{Simd, WithSimd};

use super::matrix::{Group, PackedMatrix, ROWS, Run};
use super::real::{Real, WIDEST};

/// Elements that are spread over so many bytes compete for lines of the first-level cache.
const FAR_BYTES: usize = 32 << 10;

/// Bytes of the widest register, a multiple of those of every other.
const REGISTER_BYTES: usize = 64;

/// How elements lie in memory: lane l of element e is number `e·stride + l`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Lanes {
    /// Number of lanes.
    pub count: usize,
    /// Distance from one element to the next, at least `count`. A large power of two is slow because of cache
    /// conflicts between elements. An odd multiple of 48 suits every instruction set.
    pub stride: usize,
}

impl Lanes {
    /// So many lanes of a number type, in whole registers of every instruction set.
    pub fn padded<F>(count: usize) -> Lanes {
        Lanes { count, stride: count.next_multiple_of(REGISTER_BYTES / size_of::<F>()) }
    }

    /// So many lanes, in whole registers unless they fill at most half of the first: for one sample, elements are side
    /// by side.
    pub fn compact<F>(count: usize) -> Lanes {
        let padded = Lanes::padded::<F>(count);
        Lanes { count, stride: if 2 * count <= padded.stride { count } else { padded.stride } }
    }

    /// # Panics
    /// When elements overlap, or when there are fewer numbers than the elements need.
    pub(super) fn check(self, elements: usize, numbers: usize) {
        let Lanes { count, stride } = self;
        assert!(count <= stride, "{count} lanes do not fit between elements {stride} numbers apart");
        let needed =
            if count == 0 { 0 } else { elements.saturating_sub(1) * stride + elements.min(1) * count };
        assert!(numbers >= needed, "{elements} elements of {self:?} take {needed} numbers, not {numbers}");
    }
}

/// Writes A·b: `out` has an element for each row of the matrix, `b` one for each column.
///
/// `panel` is scratch memory.
///
/// # Panics
/// When `b` or `out` is too short, or when lanes overlap.
#[inline(always)]
pub fn multiply<S: Simd, F: Real>(
    simd: S,
    matrix: &PackedMatrix<F>,
    b: &[F],
    out: &mut [F],
    lanes: Lanes,
    panel: &mut Vec<F>,
) {
    simd.vectorize(Multiply { matrix, b, out, lanes, panel, start: Start::Zero });
}

/// Writes A·b + c, where c has one number for each row, the same in all lanes; otherwise like [`multiply`].
///
/// # Panics
/// When `b` or `out` is too short, when lanes overlap, or when there is not a number for each row.
#[inline(always)]
pub fn multiply_plus<S: Simd, F: Real>(
    simd: S,
    matrix: &PackedMatrix<F>,
    b: &[F],
    c: &[F],
    out: &mut [F],
    lanes: Lanes,
    panel: &mut Vec<F>,
) {
    assert_eq!(c.len(), matrix.rows(), "a number for each row");
    simd.vectorize(Multiply { matrix, b, out, lanes, panel, start: Start::Numbers(c) });
}

/// Adds A·b to `out`, otherwise like [`multiply`].
///
/// # Panics
/// When `b` or `out` is too short, or when lanes overlap.
#[inline(always)]
pub fn multiply_add<S: Simd, F: Real>(
    simd: S,
    matrix: &PackedMatrix<F>,
    b: &[F],
    out: &mut [F],
    lanes: Lanes,
    panel: &mut Vec<F>,
) {
    simd.vectorize(Multiply { matrix, b, out, lanes, panel, start: Start::Present });
}

/// Initial value of a sum.
#[derive(Clone, Copy)]
enum Start<'a, F> {
    Zero,
    /// One number for each row.
    Numbers(&'a [F]),
    /// The present value of the output.
    Present,
}

struct Multiply<'a, F> {
    matrix: &'a PackedMatrix<F>,
    b: &'a [F],
    out: &'a mut [F],
    lanes: Lanes,
    panel: &'a mut Vec<F>,
    start: Start<'a, F>,
}

impl<F: Real> WithSimd for Multiply<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        self.lanes.check(self.matrix.columns(), self.b.len());
        self.lanes.check(self.matrix.rows(), self.out.len());
        for group in self.matrix.groups() {
            self.panels::<S>(simd, group);
        }
    }
}

impl<F: Real> Multiply<'_, F> {
    #[inline(always)]
    fn panels<S: Simd>(&mut self, simd: S, group: &Group) {
        let width = F::lanes::<S>();
        let mut lane = 0;
        while lane < self.lanes.count {
            let left = self.lanes.count - lane;
            // 4×4 sums need 16 registers, and 5 more for loaded values: with 16 registers in all, some would
            // be spilled to memory.
            if S::REGISTER_COUNT >= 32 && left >= 4 * width {
                self.panel::<S, 4>(simd, group, lane, 4 * width);
                lane += 4 * width;
            } else if left >= 2 * width {
                self.panel::<S, 2>(simd, group, lane, 2 * width);
                lane += 2 * width;
            } else {
                self.panel::<S, 1>(simd, group, lane, left.min(width));
                lane += width;
            }
        }
    }

    /// Computes the product for some lanes; if they do not fill the registers, through a buffer.
    #[inline(always)]
    fn panel<S: Simd, const REGISTERS: usize>(&mut self, simd: S, group: &Group, lane: usize, count: usize) {
        let Lanes { stride, .. } = self.lanes;
        let width = REGISTERS * F::lanes::<S>();
        let partial = count < width;
        let start = if group.columns.start > 0 { Start::Present } else { self.start };
        let accumulate = matches!(start, Start::Present);
        let (b, b_stride) = if partial || worth_packing(group, stride * size_of::<F>()) {
            let length = self.matrix.columns() * width;
            if self.panel.len() < length {
                self.panel.resize(length, F::ZERO);
            }
            for column in group.columns.clone() {
                let packed = &mut self.panel[column * width..][..width];
                packed[..count].copy_from_slice(&self.b[column * stride + lane..][..count]);
                packed[count..].fill(F::ZERO);
            }
            (&self.panel[..], width)
        } else {
            (&self.b[lane.min(self.b.len())..], stride)
        };
        let mut buffer = [F::ZERO; ROWS * WIDEST];
        for block in self.matrix.blocks(group) {
            let out = &mut self.out[block.rows.start * stride + lane..];
            if partial && accumulate {
                for row in 0..block.rows.len() {
                    buffer[row * width..][..count].copy_from_slice(&out[row * stride..][..count]);
                }
            }
            let (target, target_stride) =
                if partial { (&mut buffer[..], width) } else { (&mut *out, stride) };
            let rows = Rows {
                runs: self.matrix.runs(block),
                entries: self.matrix.entries(block),
                b,
                b_stride,
                out: target,
                out_stride: target_stride,
                rows: block.rows.len(),
                start: match start {
                    Start::Numbers(numbers) => Start::Numbers(&numbers[block.rows.clone()]),
                    other => other,
                },
            };
            if block.height() == ROWS {
                rows.multiply::<S, ROWS, REGISTERS>(simd);
            } else {
                rows.multiply::<S, 2, REGISTERS>(simd);
            }
            if partial {
                for row in 0..block.rows.len() {
                    out[row * stride..][..count].copy_from_slice(&buffer[row * width..][..count]);
                }
            }
        }
    }
}

/// Returns whether to pack the lanes of a panel, from elements `stride` apart. It pays if many rows read them
/// and they would not all fit into the first-level cache in their places.
fn worth_packing(group: &Group, stride: usize) -> bool {
    group.columns.len() * stride > FAR_BYTES && group.blocks.len() >= 8
}

/// The product of one block for one panel.
struct Rows<'a, F> {
    runs: &'a [Run],
    entries: &'a [F],
    b: &'a [F],
    b_stride: usize,
    out: &'a mut [F],
    out_stride: usize,
    rows: usize,
    start: Start<'a, F>,
}

impl<F: Real> Rows<'_, F> {
    #[inline(always)]
    fn multiply<S: Simd, const HEIGHT: usize, const REGISTERS: usize>(self, simd: S) {
        let width = REGISTERS * F::lanes::<S>();
        let mut sums = [[F::splat(simd, F::ZERO); REGISTERS]; HEIGHT];
        match self.start {
            Start::Zero => {}
            Start::Numbers(numbers) => {
                for (sums, number) in sums.iter_mut().zip(numbers) {
                    *sums = [F::splat(simd, *number); REGISTERS];
                }
            }
            Start::Present => {
                for (row, sums) in sums.iter_mut().enumerate().take(self.rows) {
                    sums.copy_from_slice(F::registers::<S>(&self.out[row * self.out_stride..][..width]).0);
                }
            }
        }
        let mut entries = self.entries;
        for run in self.runs {
            let columns = run.columns.clone();
            let size = if run.edge { 2 * HEIGHT } else { HEIGHT };
            let (own, rest) = entries.split_at(columns.len() * size);
            entries = rest;
            let b = &self.b[columns.start * self.b_stride..];
            sums = if run.edge {
                add_edge::<S, F, HEIGHT, REGISTERS>(simd, own, b, self.b_stride, sums)
            } else {
                add_whole::<S, F, HEIGHT, REGISTERS>(simd, own, b, self.b_stride, sums)
            };
        }
        for (row, sums) in sums.iter().enumerate().take(self.rows) {
            let (out, _) = F::registers_mut::<S>(&mut self.out[row * self.out_stride..][..width]);
            out.copy_from_slice(sums);
        }
    }
}

// The sums are passed by value: when updated in place within the loop over runs, they were copied from
// register to register in each step.

type Sums<S, F, const HEIGHT: usize, const REGISTERS: usize> =
    [[<F as Real>::Register<S>; REGISTERS]; HEIGHT];

/// Adds adjacent columns that have no structural zero in this block.
#[inline(always)]
fn add_whole<S: Simd, F: Real, const HEIGHT: usize, const REGISTERS: usize>(
    simd: S,
    entries: &[F],
    b: &[F],
    stride: usize,
    mut sums: Sums<S, F, HEIGHT, REGISTERS>,
) -> Sums<S, F, HEIGHT, REGISTERS> {
    let width = REGISTERS * F::lanes::<S>();
    for (step, numbers) in entries.chunks_exact(HEIGHT).enumerate() {
        let (own, _) = F::registers::<S>(&b[step * stride..][..width]);
        for row in 0..HEIGHT {
            let a = F::splat(simd, numbers[row]);
            for place in 0..REGISTERS {
                sums[row][place] = F::product_sum(simd, a, own[place], sums[row][place]);
            }
        }
    }
    sums
}

/// Adds adjacent columns in which the block has structural zeros.
#[inline(always)]
fn add_edge<S: Simd, F: Real, const HEIGHT: usize, const REGISTERS: usize>(
    simd: S,
    entries: &[F],
    b: &[F],
    stride: usize,
    mut sums: Sums<S, F, HEIGHT, REGISTERS>,
) -> Sums<S, F, HEIGHT, REGISTERS> {
    let width = REGISTERS * F::lanes::<S>();
    for (step, own) in entries.chunks_exact(2 * HEIGHT).enumerate() {
        let (numbers, masks) = own.split_at(HEIGHT);
        let (own, _) = F::registers::<S>(&b[step * stride..][..width]);
        for row in 0..HEIGHT {
            let (a, mask) = (F::splat(simd, numbers[row]), F::splat(simd, masks[row]));
            for place in 0..REGISTERS {
                let seen = F::both(simd, own[place], mask);
                sums[row][place] = F::product_sum(simd, a, seen, sums[row][place]);
            }
        }
    }
    sums
}
