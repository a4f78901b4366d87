//! Sums over lanes and over elements, in an order that does not depend on the instruction set.

use pulp::{Simd, WithSimd};

use super::product::Lanes;
use super::real::Real;

/// Number of running sums of [`sum_lanes`].
const RUNNING: usize = 32;

/// Sums numbers: number i is added to the running sum i mod 32, and these are added in pairs, i and i + 16,
/// then i and i + 8, and so on. The result is the same on every machine.
#[inline(always)]
pub fn sum_lanes<S: Simd, F: Real>(simd: S, a: &[F]) -> F {
    simd.vectorize(SumLanes { a })
}

/// Sums a·b over lanes, in the order of [`sum_lanes`]; uses fused multiply-add where the instruction set has
/// it.
///
/// # Panics
/// When `a` and `b` differ in length.
#[inline(always)]
pub fn sum_products<S: Simd, F: Real>(simd: S, a: &[F], b: &[F]) -> F {
    simd.vectorize(SumProducts { a, b })
}

/// Writes Σ over elements of `a`, lane by lane, in the order of the elements.
///
/// # Panics
/// When `a` or `out` is too short, or when lanes overlap.
#[inline(always)]
pub fn sum_elements<S: Simd, F: Real>(simd: S, a: &[F], elements: usize, lanes: Lanes, out: &mut [F]) {
    simd.vectorize(SumElements { a, elements, lanes, out });
}

struct SumLanes<'a, F> {
    a: &'a [F],
}

impl<F: Real> WithSimd for SumLanes<'_, F> {
    type Output = F;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> F {
        let registers = RUNNING / F::lanes::<S>();
        let mut running = [F::splat(simd, F::ZERO); RUNNING];
        let blocks = self.a.chunks_exact(RUNNING);
        let rest = blocks.remainder();
        for block in blocks {
            let (block, _) = F::registers::<S>(block);
            for place in 0..registers {
                running[place] = F::sum(simd, running[place], block[place]);
            }
        }
        let mut sums = [F::ZERO; RUNNING];
        F::registers_mut::<S>(&mut sums).0.copy_from_slice(&running[..registers]);
        for (sum, a) in sums.iter_mut().zip(rest) {
            *sum = *sum + *a;
        }
        pair_by_pair(sums)
    }
}

/// Sums the running sums in pairs.
#[inline(always)]
fn pair_by_pair<F: Real>(mut sums: [F; RUNNING]) -> F {
    let mut half = RUNNING / 2;
    while half > 0 {
        for place in 0..half {
            sums[place] = sums[place] + sums[place + half];
        }
        half /= 2;
    }
    sums[0]
}

struct SumProducts<'a, F> {
    a: &'a [F],
    b: &'a [F],
}

impl<F: Real> WithSimd for SumProducts<'_, F> {
    type Output = F;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> F {
        let SumProducts { a, b } = self;
        assert_eq!(a.len(), b.len(), "as many lanes of each factor");
        let registers = RUNNING / F::lanes::<S>();
        let mut running = [F::splat(simd, F::ZERO); RUNNING];
        let (a_blocks, b_blocks) = (a.chunks_exact(RUNNING), b.chunks_exact(RUNNING));
        let (a_rest, b_rest) = (a_blocks.remainder(), b_blocks.remainder());
        for (a, b) in a_blocks.zip(b_blocks) {
            let (a, b) = (F::registers::<S>(a).0, F::registers::<S>(b).0);
            for place in 0..registers {
                running[place] = F::product_sum(simd, a[place], b[place], running[place]);
            }
        }
        let mut sums = [F::ZERO; RUNNING];
        F::registers_mut::<S>(&mut sums).0.copy_from_slice(&running[..registers]);
        for (sum, (a, b)) in sums.iter_mut().zip(a_rest.iter().zip(b_rest)) {
            *sum = *sum + *a * *b;
        }
        pair_by_pair(sums)
    }
}

struct SumElements<'a, F> {
    a: &'a [F],
    elements: usize,
    lanes: Lanes,
    out: &'a mut [F],
}

impl<F: Real> WithSimd for SumElements<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(mut self, simd: S) {
        const REGISTERS: usize = 4;
        self.lanes.check(self.elements, self.a.len());
        let (count, width) = (self.lanes.count, F::lanes::<S>());
        let mut lane = 0;
        while lane + REGISTERS * width <= count {
            self.panel::<S, REGISTERS>(simd, lane);
            lane += REGISTERS * width;
        }
        while lane + width <= count {
            self.panel::<S, 1>(simd, lane);
            lane += width;
        }
        for lane in lane..count {
            let elements = (0..self.elements).map(|element| self.a[element * self.lanes.stride + lane]);
            self.out[lane] = elements.fold(F::ZERO, |sum, a| sum + a);
        }
    }
}

impl<F: Real> SumElements<'_, F> {
    #[inline(always)]
    fn panel<S: Simd, const REGISTERS: usize>(&mut self, simd: S, lane: usize) {
        let width = REGISTERS * F::lanes::<S>();
        let mut sums = [F::splat(simd, F::ZERO); REGISTERS];
        for element in 0..self.elements {
            let (a, _) = F::registers::<S>(&self.a[element * self.lanes.stride + lane..][..width]);
            for place in 0..REGISTERS {
                sums[place] = F::sum(simd, sums[place], a[place]);
            }
        }
        F::registers_mut::<S>(&mut self.out[lane..][..width]).0.copy_from_slice(&sums);
    }
}
