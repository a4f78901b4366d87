//! Transposition of elements and lanes.

use pulp::Simd;
use pulp::bytemuck::{self, Pod};

use super::product::Lanes;
use super::real::Real;

/// Writes the transposed block: `out` has `width` numbers for each lane, those of the elements
/// `first..first + count` and zeros. `width` is a multiple of a register's lanes.
#[inline(always)]
pub fn transpose<S: Simd, F: Real>(
    values: &[F],
    lanes: Lanes,
    elements: [usize; 2],
    width: usize,
    out: &mut [F],
) {
    match F::lanes::<S>() {
        16 => squares::<F, F::Register<S>, 16>(
            values,
            lanes,
            elements,
            width,
            out,
            sixteen::<F, F::Register<S>>,
        ),
        8 => squares::<F, F::Register<S>, 8>(values, lanes, elements, width, out, eight::<F, F::Register<S>>),
        4 => squares::<F, F::Register<S>, 4>(values, lanes, elements, width, out, four::<F, F::Register<S>>),
        2 => squares::<F, F::Register<S>, 2>(values, lanes, elements, width, out, two::<F, F::Register<S>>),
        _ => squares::<F, F, 1>(values, lanes, elements, width, out, |square| square),
    }
}

/// Transposes in squares of as many registers as one has lanes.
#[inline(always)]
fn squares<F: Real, R: Pod, const SIDE: usize>(
    values: &[F],
    Lanes { count: lanes, stride }: Lanes,
    [first, count]: [usize; 2],
    width: usize,
    out: &mut [F],
    transposed: impl Fn([R; SIDE]) -> [R; SIDE],
) {
    let whole = lanes / SIDE * SIDE;
    for place in (0..width).step_by(SIDE) {
        let own = count.saturating_sub(place).min(SIDE);
        // Beyond the last element, read the first one; its values are overwritten below.
        let elements: [&[F]; SIDE] = std::array::from_fn(|k| {
            let element = first + if k < own { place + k } else { 0 };
            &values[element * stride..][..lanes]
        });
        for lane in (0..whole).step_by(SIDE) {
            let square = transposed(std::array::from_fn(|k| register(&elements[k][lane..][..SIDE])));
            for (row, register) in square.iter().enumerate() {
                let numbers = bytemuck::cast_slice(bytemuck::bytes_of(register));
                out[(lane + row) * width + place..][..SIDE].copy_from_slice(numbers);
            }
        }
        for lane in whole..lanes {
            for (value, element) in out[lane * width + place..][..SIDE].iter_mut().zip(elements) {
                *value = element[lane];
            }
        }
        if own < SIDE {
            for lane in 0..lanes {
                out[lane * width + place + own..][..SIDE - own].fill(F::ZERO);
            }
        }
    }
}

#[inline(always)]
fn register<F: Real, R: Pod>(numbers: &[F]) -> R {
    let mut register = R::zeroed();
    bytemuck::bytes_of_mut(&mut register).copy_from_slice(bytemuck::cast_slice(numbers));
    register
}

/// Interleaves the lanes of two registers: those of their first halves, and those of their second halves.
#[inline(always)]
fn interleave<F: Real, R: Pod>(a: R, b: R) -> [R; 2] {
    let mut both = [a, b];
    let (a, b) = (bytemuck::bytes_of(&a), bytemuck::bytes_of(&b));
    let pairs = bytemuck::cast_slice::<u8, F>(a).iter().zip(bytemuck::cast_slice::<u8, F>(b));
    for (pair, (a, b)) in bytemuck::cast_slice_mut::<R, F>(&mut both).chunks_exact_mut(2).zip(pairs) {
        (pair[0], pair[1]) = (*a, *b);
    }
    both
}

// Each step interleaves the first half of the registers with the second, which rotates the binary digits of
// (register, lane) by one place; after as many steps as a lane index has digits, registers and lanes are
// transposed. Written out, because a loop over registers would keep them in memory.

macro_rules! turn {
    ($name:ident, $side:literal, $steps:literal, $($k:literal)+) => {
        #[inline(always)]
        fn $name<F: Real, R: Pod>(mut square: [R; $side]) -> [R; $side] {
            for _ in 0..$steps {
                let pairs = [$(interleave::<F, R>(square[$k], square[$k + $side / 2])),+];
                square = [$(pairs[$k][0], pairs[$k][1]),+];
            }
            square
        }
    };
}

turn!(two, 2, 1, 0);
turn!(four, 4, 2, 0 1);
turn!(eight, 8, 3, 0 1 2 3);
turn!(sixteen, 16, 4, 0 1 2 3 4 5 6 7);
