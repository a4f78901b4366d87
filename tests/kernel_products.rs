//! Products over lanes against three nested loops, for both number types and every instruction set.

use std::fmt::Debug;

use num_traits::{Float, cast};
use pushforward::kernel::{
    Arch, Blocks, EntryMask, Lanes, PackedMatrix, Real, Simd, WithSimd, add_outer, instruction_sets,
    multiply, multiply_add, subtract_product,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

struct Multiply<'a, F> {
    matrix: &'a PackedMatrix<F>,
    b: &'a [F],
    out: &'a mut [F],
    lanes: Lanes,
    adds: bool,
}

impl<F: Real> WithSimd for Multiply<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Multiply { matrix, b, out, lanes, adds } = self;
        if adds {
            multiply_add(simd, matrix, b, out, lanes, &mut Vec::new());
        } else {
            multiply(simd, matrix, b, out, lanes, &mut Vec::new());
        }
    }
}

struct Outer<'a, F> {
    a: &'a [F],
    b: &'a [F],
    lanes: Lanes,
    mask: &'a EntryMask,
    sums: &'a mut [F],
}

impl<F: Real> WithSimd for Outer<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        add_outer(simd, self.a, self.b, self.lanes, self.mask, self.sums, &mut Vec::new());
    }
}

fn number<F: Float>(a: f64) -> F {
    cast(a).expect("both types have it")
}

fn double<F: Float>(a: F) -> f64 {
    a.to_f64().expect("f64 has all of f32")
}

/// A random matrix with structural zeros, and elements to multiply it with.
struct Problem<F> {
    rows: usize,
    columns: usize,
    lanes: Lanes,
    values: Vec<F>,
    zeros: Vec<bool>,
    b: Vec<F>,
    before: Vec<F>,
}

const UNTOUCHED: f64 = 77.0;

impl<F: Real + Float + Debug> Problem<F> {
    fn random(rng: &mut ChaCha8Rng, rows: usize, columns: usize, lanes: Lanes) -> Problem<F> {
        let mut numbers = |count: usize| -> Vec<F> {
            (0..count).map(|_| number(rng.random::<f64>() * 2.0 - 1.0)).collect()
        };
        let values = numbers(rows * columns);
        let b = numbers(columns * lanes.stride);
        let before = numbers(rows * lanes.stride);
        let zeros = match rng.random_range(0..4) {
            0 => Vec::new(),
            // A staircase, as of a masked network.
            1 => (0..rows * columns).map(|e| (e % columns) * rows > (e / columns) * columns).collect(),
            2 => (0..rows * columns).map(|_| rng.random()).collect(),
            _ => (0..rows * columns).map(|_| rng.random_range(0..10) > 0).collect(),
        };
        Problem { rows, columns, lanes, values, zeros, b, before }
    }

    fn is_zero(&self, row: usize, column: usize) -> bool {
        !self.zeros.is_empty() && self.zeros[row * self.columns + column]
    }

    fn packed(&self) -> PackedMatrix<F> {
        let mut packed = PackedMatrix::new(self.rows, self.columns, &self.zeros);
        packed.load(&self.values);
        packed
    }

    /// What comes out, and what is left alone between the lanes in use and the next element.
    fn product(&self, arch: Arch, adds: bool) -> Vec<F> {
        let mut out = self.before.clone();
        for element in out.chunks_mut(self.lanes.stride.max(1)) {
            element[self.lanes.count..].fill(number(UNTOUCHED));
        }
        let (matrix, lanes) = (&self.packed(), self.lanes);
        arch.dispatch(Multiply { matrix, b: &self.b, out: &mut out, lanes, adds });
        out
    }

    fn check(&self, found: &[F], adds: bool, what: &str) {
        let Lanes { count, stride } = self.lanes;
        for row in 0..self.rows {
            for lane in 0..count {
                let terms = (0..self.columns)
                    .filter(|column| !self.is_zero(row, *column))
                    .map(|column| (self.values[row * self.columns + column], self.b[column * stride + lane]));
                let start = if adds { self.before[row * stride + lane] } else { F::zero() };
                let start = (double(start), double(start).abs());
                let (sum, size) = terms.fold(start, |(sum, size), (a, b)| {
                    let term = double(a) * double(b);
                    (sum + term, size + term.abs())
                });
                let found = double(found[row * stride + lane]);
                let allowed = size * self.columns as f64 * double(F::epsilon());
                assert!((found - sum).abs() <= allowed, "{what}: {found} is not {sum} at {row}, {lane}");
            }
            for lane in count..stride {
                assert_eq!(double(found[row * stride + lane]), UNTOUCHED, "{what}: beyond the lanes");
            }
        }
    }
}

fn sizes(rng: &mut ChaCha8Rng) -> (usize, usize, Lanes) {
    let size = |rng: &mut ChaCha8Rng| match rng.random_range(0..8) {
        0 => rng.random_range(0..3),
        1 => rng.random_range(90..220),
        _ => rng.random_range(1..70),
    };
    let (rows, columns, count) = (size(rng), size(rng), size(rng));
    (rows, columns, Lanes { count, stride: count + rng.random_range(0..5) })
}

fn products_are_three_loops<F: Real + Float + Debug>() {
    let mut rng = ChaCha8Rng::seed_from_u64(3);
    for _ in 0..300 {
        let (rows, columns, lanes) = sizes(&mut rng);
        let problem = Problem::<F>::random(&mut rng, rows, columns, lanes);
        for (set, arch) in instruction_sets() {
            for adds in [false, true] {
                let what = format!("{set}, {rows} × {columns}, {lanes:?}, adds: {adds}");
                problem.check(&problem.product(arch, adds), adds, &what);
            }
        }
    }
}

#[test]
fn products_of_f64_are_three_loops() {
    products_are_three_loops::<f64>();
}

#[test]
fn products_of_f32_are_three_loops() {
    products_are_three_loops::<f32>();
}

#[test]
fn a_matrix_too_large_for_the_cache_is_multiplied_in_parts() {
    let mut rng = ChaCha8Rng::seed_from_u64(4);
    let lanes = Lanes { count: 5, stride: 6 };
    for (rows, columns) in [(1030, 1030), (2, 600_000), (600_000, 2)] {
        let problem = Problem::<f64>::random(&mut rng, rows, columns, lanes);
        for (set, arch) in instruction_sets() {
            problem.check(&problem.product(arch, false), false, set);
            problem.check(&problem.product(arch, true), true, set);
        }
    }
}

#[test]
fn a_transposed_matrix_takes_the_numbers_in_the_order_of_the_matrix() {
    let mut rng = ChaCha8Rng::seed_from_u64(5);
    for _ in 0..50 {
        let (rows, columns, lanes) = sizes(&mut rng);
        let problem = Problem::<f64>::random(&mut rng, rows, columns, lanes);
        let turned = |e: usize| (e % rows) * columns + e / rows;
        let values: Vec<f64> = (0..rows * columns).map(|e| problem.values[turned(e)]).collect();
        let zeros: Vec<bool> = (0..problem.zeros.len()).map(|e| problem.zeros[turned(e)]).collect();
        let mut direct = PackedMatrix::new(columns, rows, &zeros);
        direct.load(&values);
        let mut transposed = PackedMatrix::transposed(rows, columns, &problem.zeros);
        transposed.load(&problem.values);
        assert_eq!((transposed.rows(), transposed.columns()), (columns, rows));
        let product = |matrix: &PackedMatrix<f64>| {
            let mut out = vec![0.0; columns * lanes.stride];
            Arch::new().dispatch(Multiply { matrix, b: &problem.before, out: &mut out, lanes, adds: false });
            out
        };
        assert_eq!(product(&transposed), product(&direct));
    }
}

fn nothing_passes_a_structural_zero<F: Real + Float + Debug>() {
    let mut rng = ChaCha8Rng::seed_from_u64(6);
    let mut hidden = 0;
    for _ in 0..200 {
        let (rows, columns, lanes) = sizes(&mut rng);
        let mut problem = Problem::<F>::random(&mut rng, rows, columns, lanes);
        if problem.zeros.is_empty() {
            continue;
        }
        // The numbers behind structural zeros are no numbers, and one element of b is not finite.
        for (value, zero) in problem.values.iter_mut().zip(&problem.zeros) {
            if *zero {
                *value = F::NAN;
            }
        }
        let bad = rng.random_range(0..columns.max(1));
        let kind = [F::infinity(), F::neg_infinity(), F::nan()][rng.random_range(0..3)];
        let clean = problem.b.clone();
        for element in problem.b.chunks_mut(lanes.stride.max(1)).skip(bad).take(1) {
            element.fill(kind);
        }
        for (set, arch) in instruction_sets() {
            let found = problem.product(arch, false);
            let expected = Problem { b: clean.clone(), before: problem.before.clone(), ..problem.copy() };
            let expected = expected.product(arch, false);
            for row in 0..rows {
                for lane in 0..lanes.count {
                    let place = row * lanes.stride + lane;
                    if columns == 0 || problem.is_zero(row, bad) {
                        assert_eq!(
                            found[place], expected[place],
                            "{set}: row {row} does not see column {bad}"
                        );
                        hidden += 1;
                    } else {
                        assert!(!found[place].is_finite(), "{set}: row {row} sees column {bad}");
                    }
                }
            }
        }
    }
    assert!(hidden > 1000, "the zeros were looked for in vain");
}

impl<F: Real + Float> Problem<F> {
    fn copy(&self) -> Problem<F> {
        Problem {
            values: self.values.clone(),
            zeros: self.zeros.clone(),
            b: Vec::new(),
            before: Vec::new(),
            ..*self
        }
    }
}

#[test]
fn nothing_passes_a_structural_zero_in_f64() {
    nothing_passes_a_structural_zero::<f64>();
}

#[test]
fn nothing_passes_a_structural_zero_in_f32() {
    nothing_passes_a_structural_zero::<f32>();
}

#[test]
fn a_product_does_not_depend_on_where_its_lane_is_nor_on_the_width_of_registers() {
    let mut rng = ChaCha8Rng::seed_from_u64(8);
    let lanes = Lanes { count: 61, stride: 64 };
    let problem = Problem::<f64>::random(&mut rng, 33, 130, lanes);
    let all: Vec<(&str, Vec<f64>)> =
        instruction_sets().into_iter().map(|(set, arch)| (set, problem.product(arch, false))).collect();
    for (set, arch) in instruction_sets() {
        for first in [0, 7, 40, 60] {
            let b = &problem.b[first..];
            let mut out = vec![0.0; problem.rows * lanes.stride];
            let (matrix, one) = (&problem.packed(), Lanes { count: 1, ..lanes });
            arch.dispatch(Multiply { matrix, b, out: &mut out, lanes: one, adds: false });
            let together = &all.iter().find(|(name, _)| *name == set).unwrap().1;
            for row in 0..problem.rows {
                assert_eq!(out[row * lanes.stride], together[row * lanes.stride + first], "{set}");
            }
        }
    }
    // Those that round once agree to the last bit.
    let fused: Vec<_> = all.iter().filter(|(set, _)| set.starts_with("AVX")).collect();
    for pair in fused.windows(2) {
        assert_eq!(pair[0].1, pair[1].1);
    }
}

#[test]
#[should_panic(expected = "3 elements of Lanes { count: 4, stride: 5 } take 14 numbers, not 13")]
fn too_few_numbers_are_told_by_what_they_should_hold() {
    let (matrix, lanes) = (&PackedMatrix::<f64>::new(2, 3, &[]), Lanes { count: 4, stride: 5 });
    Arch::new().dispatch(Multiply { matrix, b: &[0.0; 13], out: &mut [0.0; 9], lanes, adds: false });
}

fn outer_products_are_three_loops<F: Real + Float + Debug>() {
    let mut rng = ChaCha8Rng::seed_from_u64(9);
    for _ in 0..200 {
        let (mut rows, mut columns, lanes) = sizes(&mut rng);
        if rng.random::<bool>() {
            (rows, columns) = (rows + rng.random_range(0..60), columns + rng.random_range(0..120));
        }
        let Lanes { count, stride } = lanes;
        let mut numbers = |elements: usize| -> Vec<F> {
            let mut numbers: Vec<F> =
                (0..elements * stride).map(|_| number(rng.random::<f64>() * 2.0 - 1.0)).collect();
            // What lies between the elements is not looked at.
            for element in numbers.chunks_mut(stride.max(1)) {
                element[count..].fill(F::NAN);
            }
            numbers
        };
        let (a, b) = (numbers(rows), numbers(columns));
        let before: Vec<F> = (0..rows * columns).map(|e| number(e as f64)).collect();
        let zeros: Vec<bool> = match rng.random_range(0..3) {
            0 => Vec::new(),
            1 => (0..rows * columns).map(|e| (e % columns) * rows > (e / columns) * columns).collect(),
            _ => (0..rows * columns).map(|_| rng.random::<f64>() < 0.9).collect(),
        };
        let mask = EntryMask::new([rows, columns], &zeros);
        for (set, arch) in instruction_sets() {
            let mut sums = before.clone();
            arch.dispatch(Outer { a: &a, b: &b, lanes, mask: &mask, sums: &mut sums });
            for (entry, found) in sums.iter().enumerate() {
                let (row, column) = (entry / columns, entry % columns);
                if zeros.get(entry) == Some(&true) && *found == before[entry] {
                    continue;
                }
                let terms = (0..count).map(|lane| (a[row * stride + lane], b[column * stride + lane]));
                let start = double(before[entry]);
                let (sum, size) = terms.fold((start, start), |(sum, size), (a, b)| {
                    let term = double(a) * double(b);
                    (sum + term, size + term.abs())
                });
                let allowed = size * (count + 1) as f64 * double(F::epsilon());
                let error = (double(*found) - sum).abs();
                assert!(error <= allowed, "{set}, {rows} × {columns}, {lanes:?}: off by {error}");
            }
        }
    }
}

#[test]
fn outer_products_of_f64_are_three_loops() {
    outer_products_are_three_loops::<f64>();
}

#[test]
fn outer_products_of_f32_are_three_loops() {
    outer_products_are_three_loops::<f32>();
}

#[test]
fn a_sum_of_outer_products_is_the_same_bits_in_every_run() {
    let lanes = Lanes { count: 100, stride: 100 };
    let a: Vec<f64> = (0..900).map(|i| (f64::from(i) * 0.37).sin()).collect();
    let sums = || {
        let mut sums = vec![0.0; 81];
        let mask = &EntryMask::new([9, 9], &[]);
        Arch::new().dispatch(Outer { a: &a, b: &a, lanes, mask, sums: &mut sums });
        sums
    };
    let first = sums();
    assert!((0..5).all(|_| sums() == first));
    // aaᵀ is symmetric to the last bit: a block sums its entries as any other does.
    assert!((0..81).all(|e| first[e] == first[(e % 9) * 9 + e / 9]));
}

#[test]
fn stripes_of_a_sum_of_outer_products_are_the_whole_to_the_last_bit() {
    let lanes = Lanes { count: 300, stride: 304 };
    let (rows, columns) = (130, 70);
    let numbers = |count: usize| -> Vec<f32> { (0..count).map(|i| (i as f32 * 0.37).sin()).collect() };
    let (a, b) = (numbers(rows * lanes.stride), numbers(columns * lanes.stride));
    let zeros: Vec<bool> = (0..rows * columns).map(|e| e % columns > e / columns).collect();
    let mask = EntryMask::new([rows, columns], &zeros);
    let mut whole = vec![0.0; rows * columns];
    Arch::new().dispatch(Outer { a: &a, b: &b, lanes, mask: &mask, sums: &mut whole });
    let mut striped = vec![0.0; rows * columns];
    for rows in [0..64, 64..100, 100..130] {
        let (a, sums) = (&a[rows.start * lanes.stride..], &mut striped[rows.start * columns..]);
        Arch::new().dispatch(Outer { a, b: &b, lanes, mask: &mask.rows(rows), sums });
    }
    assert_eq!(whole, striped);
    let staircase = mask.entries();
    assert!(rows * columns - zeros.iter().filter(|zero| **zero).count() <= staircase);
    assert!(staircase < rows * columns * 3 / 4, "{staircase} entries");
}

#[test]
#[should_panic(expected = "rows from 6 on: not a multiple of 4")]
fn stripes_begin_with_a_block() {
    let _ = EntryMask::new([12, 3], &[]).rows(6..12);
}

struct Subtract<'a, F> {
    above: &'a [F],
    rows: &'a mut [F],
    blocks: &'a Blocks,
}

impl<F: Real> WithSimd for Subtract<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        subtract_product(simd, self.above, self.rows, self.blocks, &mut Vec::new());
    }
}

/// Blocks of one matrix: as many rows, terms and columns, with other columns before, between and after them.
fn dense_products<F: Real + Float + Debug>(tolerance: f64) {
    let mut random = ChaCha8Rng::seed_from_u64(5);
    for [rows, terms, columns] in [
        [1, 1, 1],
        [3, 8, 5],
        [8, 8, 8],
        [9, 16, 24],
        [13, 130, 25],
        [40, 7, 70],
        [33, 300, 49],
        [5, 0, 4],
        [4, 3, 0],
    ] {
        let stride = terms + columns + 3;
        let blocks = Blocks { stride, inner: 1..1 + terms, columns: terms + 2..terms + 2 + columns };
        let mut numbers =
            |count: usize| -> Vec<F> { (0..count).map(|_| number(random.random::<f64>() - 0.5)).collect() };
        let (above, before) = (numbers(terms * stride), numbers(rows * stride));
        for (_, arch) in instruction_sets() {
            let mut after = before.clone();
            arch.dispatch(Subtract { above: &above, rows: &mut after, blocks: &blocks });
            for (place, value) in after.iter().enumerate() {
                let (row, column) = (place / stride, place % stride);
                if !blocks.columns.contains(&column) {
                    assert_eq!(*value, before[place], "only the block is written");
                    continue;
                }
                let term =
                    |k: usize| double(before[row * stride + 1 + k]) * double(above[k * stride + column]);
                let expected = double(before[place]) - (0..terms).map(term).sum::<f64>();
                let off = (double(*value) - expected).abs();
                assert!(off <= tolerance, "{rows}×{terms}×{columns}: {value:?} is not {expected}");
            }
            // By parts, as threads compute it: the same bits.
            let mut parts = before.clone();
            for part in parts.chunks_mut(3 * stride) {
                arch.dispatch(Subtract { above: &above, rows: part, blocks: &blocks });
            }
            assert_eq!(parts, after);
        }
    }
}

#[test]
fn blocks_of_a_dense_matrix_are_multiplied_as_by_plain_loops_and_by_parts_alike() {
    dense_products::<f64>(1e-13);
    dense_products::<f32>(1e-4);
}
