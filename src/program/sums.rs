//! The sums of a chunk: of rows, lane by lane, and over all lanes for the batch.

use pulp::Simd;

use super::chain;
use super::instruction::ChainTerm;
use super::lanes::{Context, Lane, Operand, split};
use super::place::Place;
use super::run::Space;
use crate::kernel::{self, Term, Wanted};
use crate::sweep::value::Number;

impl<F: Number> Context<'_, F> {
    #[inline(always)]
    pub(super) fn chain<S: Simd>(&mut self, simd: S, (out, count): (usize, usize), terms: &[ChainTerm]) {
        let stride = self.lane.stride;
        let (out, read) = split(&mut self.space.rows, out, count, stride);
        let mut list = [Term::Number(F::zero()); chain::LONGEST];
        for (own, ChainTerm { negative, place, factor }) in list.iter_mut().zip(terms) {
            let of = |place: Place| read.operand(place, count, stride, self.shared);
            let signed = |a: F| if *negative { -a } else { a };
            *own = match (of(*place), factor.map(of)) {
                (Operand::Number(a), None) => Term::Number(signed(a)),
                (Operand::Number(a), Some(Operand::Number(b))) => Term::Number(signed(a * b)),
                (Operand::Rows(a), Some(Operand::Number(b)))
                | (Operand::Number(b), Some(Operand::Rows(a))) => Term::Multiple(a, signed(b)),
                (Operand::Rows(a), None) if *negative => Term::Minus(a),
                (Operand::Rows(a), None) => Term::Plus(a),
                (Operand::Rows(a), Some(Operand::Rows(b))) if *negative => Term::MinusProduct(a, b),
                (Operand::Rows(a), Some(Operand::Rows(b))) => Term::PlusProduct(a, b),
            };
        }
        kernel::sum_terms(simd, &list[..terms.len()], out);
    }

    #[inline(always)]
    pub(super) fn sum<S: Simd>(&mut self, simd: S, out: usize, terms: &[Place]) {
        let stride = self.lane.stride;
        let (out, read) = split(&mut self.space.rows, out, 1, stride);
        // The compiler makes sums of two terms at least.
        let of = |place: Place| read.operand(place, 1, stride, self.shared);
        match of(terms[0]) {
            Operand::Rows(a) => out.copy_from_slice(a),
            Operand::Number(a) => out.fill(a),
        }
        for place in &terms[1..] {
            match of(*place) {
                Operand::Rows(a) => kernel::update(simd, kernel::Add, out, a),
                Operand::Number(a) => kernel::update(simd, kernel::Add, out, a),
            }
        }
    }

    #[inline(always)]
    pub(super) fn dots<S: Simd>(&mut self, simd: S, out: usize, rows: &[Vec<(Place, Place)>]) {
        let stride = self.lane.stride;
        for (e, pairs) in rows.iter().enumerate() {
            let (out, read) = split(&mut self.space.rows, out + e, 1, stride);
            out.fill(F::zero());
            let of = |place: Place| read.operand(place, 1, stride, self.shared);
            for (a, b) in pairs {
                match (of(*a), of(*b)) {
                    (Operand::Rows(a), Operand::Rows(b)) => add_product(out, a, b),
                    (Operand::Rows(a), Operand::Number(b)) | (Operand::Number(b), Operand::Rows(a)) => {
                        add_multiple(out, a, b);
                    }
                    (Operand::Number(a), Operand::Number(b)) => kernel::update(simd, kernel::Add, out, a * b),
                }
            }
        }
    }

    #[inline(always)]
    pub(super) fn add_lanes<S: Simd>(&mut self, simd: S, from: &[Place], to: usize) {
        let Lane { count, stride } = self.lane;
        for (e, place) in from.iter().enumerate() {
            let share = match place.is_shared() {
                true => F::of(count as f64) * self.shared[place.index()],
                false => kernel::sum_lanes(simd, &self.space.rows[place.index() * stride..][..count]),
            };
            let sum = &mut self.space.sums[to + e];
            *sum = *sum + share;
        }
    }

    #[inline(always)]
    pub(super) fn add_products<S: Simd>(&mut self, simd: S, pairs: &[(Place, Place)], to: usize) {
        let Lane { count, stride } = self.lane;
        for (e, (a, b)) in pairs.iter().enumerate() {
            let rows = &self.space.rows;
            let lanes = |place: &Place| &rows[place.index() * stride..][..count];
            let share = match (a.is_shared(), b.is_shared()) {
                (false, false) => kernel::sum_products(simd, lanes(a), lanes(b)),
                (true, false) => self.shared[a.index()] * kernel::sum_lanes(simd, lanes(b)),
                (false, true) => self.shared[b.index()] * kernel::sum_lanes(simd, lanes(a)),
                (true, true) => F::of(count as f64) * self.shared[a.index()] * self.shared[b.index()],
            };
            let sum = &mut self.space.sums[to + e];
            *sum = *sum + share;
        }
    }

    #[inline(always)]
    pub(super) fn add_outer<S: Simd>(
        &mut self,
        simd: S,
        left: usize,
        right: usize,
        to: usize,
        wanted: &Wanted,
    ) {
        let Lane { count, stride } = self.lane;
        let Space { rows, sums, panel, .. } = &mut *self.space;
        let [left_count, right_count] = wanted.shape();
        let a = &rows[left * stride..(left + left_count) * stride];
        let b = &rows[right * stride..(right + right_count) * stride];
        let sums = &mut sums[to..to + left_count * right_count];
        kernel::add_outer(simd, a, b, kernel::Lanes { count, stride }, wanted, sums, panel);
    }
}

// Products of lanes with lanes, plain loops: inlined into what is compiled for an instruction set, they become vector
// instructions.

#[inline(always)]
fn add_product<F: Number>(sums: &mut [F], a: &[F], b: &[F]) {
    sums.iter_mut().zip(a).zip(b).for_each(|((sum, a), b)| *sum = *sum + *a * *b);
}

#[inline(always)]
fn add_multiple<F: Number>(sums: &mut [F], a: &[F], b: F) {
    sums.iter_mut().zip(a).for_each(|(sum, a)| *sum = *sum + *a * b);
}
