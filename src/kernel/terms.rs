//! Sums of a few terms, each of them numbers, products of numbers or numbers under a condition, in one pass.

use pulp::{Simd, WithSimd};

use super::real::Real;

/// A term of a sum: as many numbers as the sum has, or one for all of them.
#[derive(Clone, Copy, Debug)]
pub enum Term<'a, F> {
    /// a
    Plus(&'a [F]),
    /// -a
    Minus(&'a [F]),
    /// One number for all results.
    Number(F),
    /// a·b
    PlusProduct(&'a [F], &'a [F]),
    /// -a·b
    MinusProduct(&'a [F], &'a [F]),
    /// a times one number
    Multiple(&'a [F], F),
    /// The second where the first, a condition, is not 0; 0 elsewhere.
    PlusWhere(&'a [F], &'a [F]),
    /// The same, subtracted.
    MinusWhere(&'a [F], &'a [F]),
}

impl<F: Real> Term<'_, F> {
    fn check(&self, count: usize) {
        let lengths = match self {
            Term::Plus(a) | Term::Minus(a) | Term::Multiple(a, _) => [a.len(), count],
            Term::PlusProduct(a, b)
            | Term::MinusProduct(a, b)
            | Term::PlusWhere(a, b)
            | Term::MinusWhere(a, b) => [a.len(), b.len()],
            Term::Number(_) => [count; 2],
        };
        assert_eq!(lengths, [count; 2], "a term has as many numbers as the sum");
    }
}

/// Writes the sum of some terms, added in order. Products are rounded before they are added, so the result is
/// bitwise the same as with one pass for each product and each sum.
///
/// # Panics
/// When a term differs from `out` in length.
#[inline(always)]
pub fn sum_terms<S: Simd, F: Real>(simd: S, terms: &[Term<'_, F>], out: &mut [F]) {
    simd.vectorize(SumTerms { terms, out });
}

struct SumTerms<'a, F> {
    terms: &'a [Term<'a, F>],
    out: &'a mut [F],
}

impl<F: Real> WithSimd for SumTerms<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let SumTerms { terms, out } = self;
        terms.iter().for_each(|term| term.check(out.len()));
        let (width, count) = (F::lanes::<S>(), out.len());
        let mut at = 0;
        while S::REGISTER_COUNT >= 32 && at + 8 * width <= count {
            block::<S, F, 8>(simd, terms, at, out);
            at += 8 * width;
        }
        while at + 4 * width <= count {
            block::<S, F, 4>(simd, terms, at, out);
            at += 4 * width;
        }
        while at + width <= count {
            block::<S, F, 1>(simd, terms, at, out);
            at += width;
        }
        for (at, sum) in out.iter_mut().enumerate().skip(at) {
            *sum = one(terms, at);
        }
    }
}

/// Sums some registers.
#[inline(always)]
fn block<S: Simd, F: Real, const REGISTERS: usize>(simd: S, terms: &[Term<'_, F>], at: usize, out: &mut [F]) {
    let width = REGISTERS * F::lanes::<S>();
    // x + (-0) = x for every x, -0 included, so that the first term needs no special case.
    let mut sums = [F::splat(simd, -F::ZERO); REGISTERS];
    for term in terms {
        match *term {
            Term::Plus(a) => {
                let a = F::registers::<S>(&a[at..][..width]).0;
                for place in 0..REGISTERS {
                    sums[place] = F::sum(simd, sums[place], a[place]);
                }
            }
            Term::Minus(a) => {
                let a = F::registers::<S>(&a[at..][..width]).0;
                for place in 0..REGISTERS {
                    sums[place] = F::difference(simd, sums[place], a[place]);
                }
            }
            Term::Number(a) => {
                let a = F::splat(simd, a);
                for sum in &mut sums {
                    *sum = F::sum(simd, *sum, a);
                }
            }
            Term::PlusProduct(a, b) => {
                let [a, b] = pair::<S, F>(a, b, at, width);
                for place in 0..REGISTERS {
                    sums[place] = F::sum(simd, sums[place], F::product(simd, a[place], b[place]));
                }
            }
            Term::MinusProduct(a, b) => {
                let [a, b] = pair::<S, F>(a, b, at, width);
                for place in 0..REGISTERS {
                    sums[place] = F::difference(simd, sums[place], F::product(simd, a[place], b[place]));
                }
            }
            Term::PlusWhere(condition, a) => {
                let [condition, a] = pair::<S, F>(condition, a, at, width);
                for place in 0..REGISTERS {
                    sums[place] = F::sum(simd, sums[place], kept::<S, F>(simd, condition[place], a[place]));
                }
            }
            Term::MinusWhere(condition, a) => {
                let [condition, a] = pair::<S, F>(condition, a, at, width);
                for place in 0..REGISTERS {
                    sums[place] =
                        F::difference(simd, sums[place], kept::<S, F>(simd, condition[place], a[place]));
                }
            }
            Term::Multiple(a, b) => {
                let (a, b) = (F::registers::<S>(&a[at..][..width]).0, F::splat(simd, b));
                for place in 0..REGISTERS {
                    sums[place] = F::sum(simd, sums[place], F::product(simd, a[place], b));
                }
            }
        }
    }
    F::registers_mut::<S>(&mut out[at..][..width]).0.copy_from_slice(&sums);
}

/// The registers of two factors.
#[inline(always)]
fn pair<'a, S: Simd, F: Real>(a: &'a [F], b: &'a [F], at: usize, width: usize) -> [&'a [F::Register<S>]; 2] {
    [a, b].map(|values| F::registers::<S>(&values[at..][..width]).0)
}

/// `a` where the condition is not 0, else 0.
#[inline(always)]
fn kept<S: Simd, F: Real>(simd: S, condition: F::Register<S>, a: F::Register<S>) -> F::Register<S> {
    let zero = F::splat(simd, F::ZERO);
    F::choice(simd, F::equal(simd, condition, zero), zero, a)
}

/// Computes one number of the sum.
#[inline(always)]
fn one<F: Real>(terms: &[Term<'_, F>], at: usize) -> F {
    let kept = |condition: F, a: F| if condition == F::ZERO { F::ZERO } else { a };
    let value = |term: &Term<'_, F>| match *term {
        Term::Plus(a) => a[at],
        Term::Minus(a) => -a[at],
        Term::Number(a) => a,
        Term::PlusProduct(a, b) => a[at] * b[at],
        Term::MinusProduct(a, b) => -(a[at] * b[at]),
        Term::Multiple(a, b) => a[at] * b,
        Term::PlusWhere(condition, a) => kept(condition[at], a[at]),
        Term::MinusWhere(condition, a) => -kept(condition[at], a[at]),
    };
    let mut sum = -F::ZERO;
    for term in terms {
        sum = sum + value(term);
    }
    sum
}
