//! Choices one after another, in one pass: the value of the first condition that holds.

use pulp::{Simd, WithSimd};

use super::real::Real;

/// What may be chosen: as many numbers as there are results, or one for all of them.
#[derive(Clone, Copy, Debug)]
pub enum Branch<'a, F> {
    /// A number for each result.
    Numbers(&'a [F]),
    /// One number for all results.
    Number(F),
}

impl<F: Real> Branch<'_, F> {
    #[inline(always)]
    fn at(&self, at: usize) -> F {
        match self {
            Branch::Numbers(a) => a[at],
            Branch::Number(a) => *a,
        }
    }
}

/// Writes the value of the first condition that is not 0, `otherwise` where there is none. A value that is not chosen has
/// no effect, even if it is NaN.
///
/// # Panics
/// When there are not as many conditions or numbers as results.
#[inline(always)]
pub fn cascade<S: Simd, F: Real>(
    simd: S,
    choices: &[(&[F], Branch<'_, F>)],
    otherwise: Branch<'_, F>,
    out: &mut [F],
) {
    simd.vectorize(Cascade { choices, otherwise, out });
}

struct Cascade<'a, F> {
    choices: &'a [(&'a [F], Branch<'a, F>)],
    otherwise: Branch<'a, F>,
    out: &'a mut [F],
}

impl<F: Real> WithSimd for Cascade<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Cascade { choices, otherwise, out } = self;
        let (width, count) = (F::lanes::<S>(), out.len());
        let is_whole = |branch: &Branch<'_, F>| match branch {
            Branch::Numbers(a) => a.len() == count,
            Branch::Number(_) => true,
        };
        let whole = choices.iter().all(|(condition, value)| condition.len() == count && is_whole(value));
        assert!(whole && is_whole(&otherwise), "a choice has as many numbers as there are results");
        let mut at = 0;
        while at + 4 * width <= count {
            block::<S, F, 4>(simd, choices, otherwise, at, out);
            at += 4 * width;
        }
        while at + width <= count {
            block::<S, F, 1>(simd, choices, otherwise, at, out);
            at += width;
        }
        for (at, chosen) in out.iter_mut().enumerate().skip(at) {
            let first = choices.iter().find(|(condition, _)| condition[at] != F::ZERO);
            *chosen = first.map_or(otherwise, |(_, value)| *value).at(at);
        }
    }
}

/// Chooses for some registers, from the last condition to the first.
#[inline(always)]
fn block<S: Simd, F: Real, const REGISTERS: usize>(
    simd: S,
    choices: &[(&[F], Branch<'_, F>)],
    otherwise: Branch<'_, F>,
    at: usize,
    out: &mut [F],
) {
    let width = REGISTERS * F::lanes::<S>();
    let zero = F::splat(simd, F::ZERO);
    let mut chosen = [zero; REGISTERS];
    match otherwise {
        Branch::Numbers(a) => chosen.copy_from_slice(F::registers::<S>(&a[at..][..width]).0),
        Branch::Number(a) => chosen = [F::splat(simd, a); REGISTERS],
    }
    for (condition, value) in choices.iter().rev() {
        let condition = F::registers::<S>(&condition[at..][..width]).0;
        match value {
            Branch::Numbers(a) => {
                let a = F::registers::<S>(&a[at..][..width]).0;
                for place in 0..REGISTERS {
                    let fails = F::equal(simd, condition[place], zero);
                    chosen[place] = F::choice(simd, fails, chosen[place], a[place]);
                }
            }
            Branch::Number(a) => {
                let a = F::splat(simd, *a);
                for place in 0..REGISTERS {
                    let fails = F::equal(simd, condition[place], zero);
                    chosen[place] = F::choice(simd, fails, chosen[place], a);
                }
            }
        }
    }
    F::registers_mut::<S>(&mut out[at..][..width]).0.copy_from_slice(&chosen);
}
