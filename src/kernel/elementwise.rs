//! Loops of elementwise kernels: a function of one number, or an operation on two, over slices.

use std::iter::{self, Copied, Repeat};
use std::slice;

use pulp::{Simd, WithSimd};

use super::real::{Real, WIDEST};
use super::vector::Vector;

/// A function of one number.
pub trait Function: Copy {
    /// Computes the function in every lane. Implementations must be `#[inline(always)]`: code that is not
    /// inlined is compiled without the instruction set.
    fn of<S: Simd, F: Real>(self, a: Vector<S, F>) -> Vector<S, F>;
}

/// Two functions of one number with common intermediate results.
pub trait Pair: Copy {
    /// Computes both functions in every lane; must be `#[inline(always)]` like [`Function::of`].
    fn of<S: Simd, F: Real>(self, a: Vector<S, F>) -> [Vector<S, F>; 2];
}

/// An operation on two numbers.
pub trait Operation: Copy {
    /// Computes the operation in every lane; must be `#[inline(always)]` like [`Function::of`].
    fn of<S: Simd, F: Real>(self, a: Vector<S, F>, b: Vector<S, F>) -> Vector<S, F>;
}

/// An input of an elementwise kernel: as many numbers as the kernel writes, or one repeated number.
pub trait Operand<F: Real>: Copy {
    /// Its registers, in order.
    type Registers<S: Simd>: Iterator<Item = F::Register<S>>;

    /// Returns the whole registers among `count` numbers.
    ///
    /// # Panics
    /// When there are not `count` numbers.
    fn registers<S: Simd>(self, simd: S, count: usize) -> Self::Registers<S>;
    /// Returns the remaining numbers in one register, filled up with zeros.
    fn remainder<S: Simd>(self, simd: S) -> F::Register<S>;
}

impl<'a, F: Real> Operand<F> for &'a [F] {
    type Registers<S: Simd> = Copied<slice::Iter<'a, F::Register<S>>>;

    #[inline(always)]
    fn registers<S: Simd>(self, _: S, count: usize) -> Self::Registers<S> {
        assert_eq!(self.len(), count, "an elementwise kernel reads as many numbers as it writes");
        F::registers::<S>(self).0.iter().copied()
    }
    #[inline(always)]
    fn remainder<S: Simd>(self, _: S) -> F::Register<S> {
        let (_, rest) = F::registers::<S>(self);
        let mut block = [F::ZERO; WIDEST];
        block[..rest.len()].copy_from_slice(rest);
        F::registers::<S>(&block).0[0]
    }
}

impl<F: Real> Operand<F> for F {
    type Registers<S: Simd> = Repeat<F::Register<S>>;

    #[inline(always)]
    fn registers<S: Simd>(self, simd: S, _: usize) -> Self::Registers<S> {
        iter::repeat(F::splat(simd, self))
    }
    #[inline(always)]
    fn remainder<S: Simd>(self, simd: S) -> F::Register<S> {
        F::splat(simd, self)
    }
}

/// Writes the function of each number of `a`.
///
/// # Panics
/// When `a` and `out` differ in length.
#[inline(always)]
pub fn map<S: Simd, F: Real>(simd: S, function: impl Function, a: &[F], out: &mut [F]) {
    simd.vectorize(Map { function, a, out });
}

/// Writes both functions of each number of `a`.
///
/// # Panics
/// When `a` and an output differ in length.
#[inline(always)]
pub fn map_pair<S: Simd, F: Real>(simd: S, pair: impl Pair, a: &[F], first: &mut [F], second: &mut [F]) {
    simd.vectorize(MapPair { pair, a, first, second });
}

/// Writes the operation on each pair from `a` and `b`; either may be one number for all.
///
/// # Panics
/// When an operand that is a slice and `out` differ in length.
#[inline(always)]
pub fn zip<S: Simd, F: Real>(
    simd: S,
    operation: impl Operation,
    a: impl Operand<F>,
    b: impl Operand<F>,
    out: &mut [F],
) {
    simd.vectorize(Zip { operation, a, b, out });
}

/// Writes the operation on each pair from `out` itself and `b`, which may be one number for all.
///
/// # Panics
/// When `b` is a slice and differs from `out` in length.
#[inline(always)]
pub fn update<S: Simd, F: Real>(simd: S, operation: impl Operation, out: &mut [F], b: impl Operand<F>) {
    simd.vectorize(Update { operation, out, b });
}

/// Writes `then` where the condition is not 0, `otherwise` elsewhere. The value not selected has no effect,
/// even if it is NaN.
///
/// # Panics
/// When an operand that is a slice and `out` differ in length.
#[inline(always)]
pub fn select<S: Simd, F: Real>(
    simd: S,
    condition: impl Operand<F>,
    then: impl Operand<F>,
    otherwise: impl Operand<F>,
    out: &mut [F],
) {
    simd.vectorize(Select { condition, then, otherwise, out });
}

// Structures instead of closures: a consumed closure need not be inlined, and code that is not inlined is
// compiled without the instruction set.

struct Map<'a, G, F> {
    function: G,
    a: &'a [F],
    out: &'a mut [F],
}

impl<G: Function, F: Real> WithSimd for Map<'_, G, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Map { function, a, out } = self;
        let registers = a.registers(simd, out.len());
        let (out, rest) = F::registers_mut::<S>(out);
        for (value, a) in out.iter_mut().zip(registers) {
            *value = function.of(Vector::<S, F>::new(simd, a)).register();
        }
        if !rest.is_empty() {
            write_rest::<S, F>(function.of(Vector::new(simd, a.remainder(simd))), rest);
        }
    }
}

struct MapPair<'a, G, F> {
    pair: G,
    a: &'a [F],
    first: &'a mut [F],
    second: &'a mut [F],
}

impl<G: Pair, F: Real> WithSimd for MapPair<'_, G, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let MapPair { pair, a, first, second } = self;
        assert_eq!(first.len(), second.len(), "a pair of functions is written to as many numbers each");
        let registers = a.registers(simd, first.len());
        let (first, first_rest) = F::registers_mut::<S>(first);
        let (second, second_rest) = F::registers_mut::<S>(second);
        for ((one, other), a) in first.iter_mut().zip(second).zip(registers) {
            let values = pair.of(Vector::<S, F>::new(simd, a));
            (*one, *other) = (values[0].register(), values[1].register());
        }
        if !first_rest.is_empty() {
            let [one, other] = pair.of(Vector::new(simd, a.remainder(simd)));
            write_rest::<S, F>(one, first_rest);
            write_rest::<S, F>(other, second_rest);
        }
    }
}

struct Zip<'a, G, A, B, F> {
    operation: G,
    a: A,
    b: B,
    out: &'a mut [F],
}

impl<G: Operation, A: Operand<F>, B: Operand<F>, F: Real> WithSimd for Zip<'_, G, A, B, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Zip { operation, a, b, out } = self;
        let registers = a.registers(simd, out.len()).zip(b.registers(simd, out.len()));
        let (out, rest) = F::registers_mut::<S>(out);
        for (value, (a, b)) in out.iter_mut().zip(registers) {
            *value = operation.of::<S, F>(Vector::new(simd, a), Vector::new(simd, b)).register();
        }
        if !rest.is_empty() {
            let (a, b) = (Vector::new(simd, a.remainder(simd)), Vector::new(simd, b.remainder(simd)));
            write_rest::<S, F>(operation.of(a, b), rest);
        }
    }
}

struct Update<'a, G, B, F> {
    operation: G,
    out: &'a mut [F],
    b: B,
}

impl<G: Operation, B: Operand<F>, F: Real> WithSimd for Update<'_, G, B, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Update { operation, out, b } = self;
        let registers = b.registers(simd, out.len());
        let (out, rest) = F::registers_mut::<S>(out);
        for (value, b) in out.iter_mut().zip(registers) {
            *value = operation.of::<S, F>(Vector::new(simd, *value), Vector::new(simd, b)).register();
        }
        if !rest.is_empty() {
            let a = (&*rest).remainder(simd);
            write_rest::<S, F>(
                operation.of(Vector::new(simd, a), Vector::new(simd, b.remainder(simd))),
                rest,
            );
        }
    }
}

struct Select<'a, C, A, B, F> {
    condition: C,
    then: A,
    otherwise: B,
    out: &'a mut [F],
}

impl<C: Operand<F>, A: Operand<F>, B: Operand<F>, F: Real> WithSimd for Select<'_, C, A, B, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Select { condition, then, otherwise, out } = self;
        let conditions = condition.registers(simd, out.len());
        let branches = then.registers(simd, out.len()).zip(otherwise.registers(simd, out.len()));
        let (out, rest) = F::registers_mut::<S>(out);
        for ((value, condition), (then, otherwise)) in out.iter_mut().zip(conditions).zip(branches) {
            *value = taken::<S, F>(simd, condition, then, otherwise).register();
        }
        if !rest.is_empty() {
            let (then, otherwise) = (then.remainder(simd), otherwise.remainder(simd));
            write_rest::<S, F>(taken(simd, condition.remainder(simd), then, otherwise), rest);
        }
    }
}

#[inline(always)]
fn taken<S: Simd, F: Real>(
    simd: S,
    condition: F::Register<S>,
    then: F::Register<S>,
    otherwise: F::Register<S>,
) -> Vector<S, F> {
    let is_zero = Vector::<S, F>::new(simd, condition).equal(Vector::splat(simd, F::ZERO));
    is_zero.select(Vector::new(simd, otherwise), Vector::new(simd, then))
}

/// Writes the first lanes of a vector.
#[inline(always)]
fn write_rest<S: Simd, F: Real>(vector: Vector<S, F>, rest: &mut [F]) {
    let mut block = [F::ZERO; WIDEST];
    F::registers_mut::<S>(&mut block).0[0] = vector.register();
    rest.copy_from_slice(&block[..rest.len()]);
}
