//! The sums of a chunk: of rows, lane by lane, and over all lanes for the batch.

use pulp::Simd;

use super::execute::{Argument, Chunk, split};
use super::fusion;
use super::instruction::FusedTerm;
use super::register::{Kind, Register, Row, Rows};
use super::workspace::Space;
use crate::kernel::{self, EntryMask, Lanes, Term};
use crate::numeric::Number;

impl<F: Number> Chunk<'_, F> {
    #[inline(always)]
    pub(super) fn sum_of_terms<S: Simd>(&mut self, simd: S, rows: Rows, terms: &[FusedTerm]) {
        let (stride, count) = (self.lanes.stride, rows.count);
        let (out, read) = split(&mut self.space.rows, rows, stride);
        let mut list = [Term::Number(F::zero()); fusion::LONGEST];
        for (own, FusedTerm { negative, register, factor, condition }) in list.iter_mut().zip(terms) {
            let of = |register: Register| read.argument(register, count, stride, self.shared);
            let signed = |a: F| if *negative { -a } else { a };
            if let (Some(condition), Some(row)) = (condition, register.row()) {
                let [condition, a] = [*condition, row].map(|row| read.rows(row, count, stride));
                *own = if *negative { Term::MinusWhere(condition, a) } else { Term::PlusWhere(condition, a) };
                continue;
            }
            *own = match (of(*register), factor.map(of)) {
                (Argument::Number(a), None) => Term::Number(signed(a)),
                (Argument::Number(a), Some(Argument::Number(b))) => Term::Number(signed(a * b)),
                (Argument::Rows(a), Some(Argument::Number(b)))
                | (Argument::Number(b), Some(Argument::Rows(a))) => Term::Multiple(a, signed(b)),
                (Argument::Rows(a), None) if *negative => Term::Minus(a),
                (Argument::Rows(a), None) => Term::Plus(a),
                (Argument::Rows(a), Some(Argument::Rows(b))) if *negative => Term::MinusProduct(a, b),
                (Argument::Rows(a), Some(Argument::Rows(b))) => Term::PlusProduct(a, b),
            };
        }
        kernel::sum_terms(simd, &list[..terms.len()], out);
    }

    #[inline(always)]
    pub(super) fn sum<S: Simd>(&mut self, simd: S, out: Row, terms: &[Register]) {
        let stride = self.lanes.stride;
        let (out, read) = split(&mut self.space.rows, Rows::one(out), stride);
        // The compiler emits sums of two terms or more.
        let of = |register: Register| read.argument(register, 1, stride, self.shared);
        match of(terms[0]) {
            Argument::Rows(a) => out.copy_from_slice(a),
            Argument::Number(a) => out.fill(a),
        }
        if let [sum] = out {
            // One lane: a call for each term would cost more than its addition.
            for register in &terms[1..] {
                *sum = *sum
                    + match of(*register) {
                        Argument::Rows(a) => a[0],
                        Argument::Number(a) => a,
                    };
            }
            return;
        }
        for register in &terms[1..] {
            match of(*register) {
                Argument::Rows(a) => kernel::update(simd, kernel::Add, out, a),
                Argument::Number(a) => kernel::update(simd, kernel::Add, out, a),
            }
        }
    }

    #[inline(always)]
    pub(super) fn dots<S: Simd>(&mut self, simd: S, out: Row, rows: &[Vec<(Register, Register)>]) {
        let stride = self.lanes.stride;
        for (e, pairs) in rows.iter().enumerate() {
            let (out, read) = split(&mut self.space.rows, Rows::one(out.after(e)), stride);
            out.fill(F::zero());
            let of = |register: Register| read.argument(register, 1, stride, self.shared);
            for (a, b) in pairs {
                match (of(*a), of(*b)) {
                    (Argument::Rows(a), Argument::Rows(b)) => add_product(out, a, b),
                    (Argument::Rows(a), Argument::Number(b)) | (Argument::Number(b), Argument::Rows(a)) => {
                        add_multiple(out, a, b);
                    }
                    (Argument::Number(a), Argument::Number(b)) => {
                        kernel::update(simd, kernel::Add, out, a * b)
                    }
                }
            }
        }
    }

    #[inline(always)]
    pub(super) fn add_lanes<S: Simd>(&mut self, simd: S, from: &[Register], to: usize) {
        let Lanes { count, stride } = self.lanes;
        for (e, register) in from.iter().enumerate() {
            let share = match register.kind() {
                Kind::Shared(index) => F::of(count as f64) * self.shared[index],
                Kind::Row(row) => kernel::sum_lanes(simd, &self.space.rows[row.index() * stride..][..count]),
            };
            let sum = &mut self.space.sums[to + e];
            *sum = *sum + share;
        }
    }

    #[inline(always)]
    pub(super) fn add_products<S: Simd>(&mut self, simd: S, pairs: &[(Register, Register)], to: usize) {
        let Lanes { count, stride } = self.lanes;
        for (e, (a, b)) in pairs.iter().enumerate() {
            let rows = &self.space.rows;
            let lanes = |row: Row| &rows[row.index() * stride..][..count];
            let share = match (a.kind(), b.kind()) {
                (Kind::Row(a), Kind::Row(b)) => kernel::sum_products(simd, lanes(a), lanes(b)),
                (Kind::Shared(a), Kind::Row(b)) => self.shared[a] * kernel::sum_lanes(simd, lanes(b)),
                (Kind::Row(a), Kind::Shared(b)) => self.shared[b] * kernel::sum_lanes(simd, lanes(a)),
                (Kind::Shared(a), Kind::Shared(b)) => F::of(count as f64) * self.shared[a] * self.shared[b],
            };
            let sum = &mut self.space.sums[to + e];
            *sum = *sum + share;
        }
    }

    #[inline(always)]
    pub(super) fn add_outer<S: Simd>(
        &mut self,
        simd: S,
        left: Rows,
        right: Rows,
        to: usize,
        mask: &EntryMask,
    ) {
        let (lanes, stride) = (self.lanes, self.lanes.stride);
        let Space { rows, sums, panel, .. } = &mut *self.space;
        let of = |own: Rows| &rows[own.first.index() * stride..][..own.count * stride];
        let (a, b) = (of(left), of(right));
        let sums = &mut sums[to..to + left.count * right.count];
        kernel::add_outer(simd, a, b, lanes, mask, sums, panel);
    }
}

// Products of lanes with lanes as plain loops: inlined into code that is compiled for an instruction set, they are
// vectorised.

#[inline(always)]
fn add_product<F: Number>(sums: &mut [F], a: &[F], b: &[F]) {
    sums.iter_mut().zip(a).zip(b).for_each(|((sum, a), b)| *sum = *sum + *a * *b);
}

#[inline(always)]
fn add_multiple<F: Number>(sums: &mut [F], a: &[F], b: F) {
    sums.iter_mut().zip(a).for_each(|(sum, a)| *sum = *sum + *a * b);
}
