//! Sums of squares: what is left of a sum once squares have been completed and taken away.
//!
//! A term c·m² with c > 0 and the terms of the form m·m' make c·(m + Σ kᵢ·m'ᵢ)², which is subtracted: exact arithmetic, so
//! that the sum is the squares and the rest whatever was chosen. A rest whose terms are all positive then shows the sign.

use dashu_ratio::RBig;

use super::Forms;
use super::sum::{Monomial, Sum, insert, inverted, times};

/// How many squares are taken away, and how many terms a sum may have for that.
const MOST_SQUARES: usize = 32;
const MOST_TERMS: usize = 600;

pub(super) fn is_even(exponent: &RBig) -> bool {
    (exponent / RBig::from(2)).is_int()
}

impl Forms {
    /// The rest of a sum after squares were completed, until no term is left that may be negative; `None` where that
    /// does not end.
    pub(super) fn without_squares(&self, sum: &Sum) -> Option<Sum> {
        let mut rest = sum.clone();
        for _ in 0..MOST_SQUARES {
            if rest.len() > MOST_TERMS {
                return None;
            }
            let doubtful = rest
                .iter()
                .find(|(monomial, c)| **c < RBig::ZERO || !self.is_nonnegative(monomial))
                .map(|(monomial, _)| monomial.clone());
            let Some(doubtful) = doubtful else { return Some(rest) };
            rest = self.one_square_less(&rest, &doubtful)?;
        }
        None
    }

    /// The sum without a square to which this term belongs.
    fn one_square_less(&self, sum: &Sum, doubtful: &Monomial) -> Option<Sum> {
        let half = RBig::from_parts(1.into(), 2u8.into());
        let root = |monomial: &Monomial| -> Option<Monomial> {
            let even = monomial.iter().all(|(_, exponent)| is_even(exponent));
            even.then(|| monomial.iter().map(|(atom, exponent)| (*atom, exponent * &half)).collect())
        };
        let roots: Vec<Monomial> =
            sum.iter().filter(|(_, c)| **c > RBig::ZERO).filter_map(|(monomial, _)| root(monomial)).collect();
        let partner = |product: &Monomial, m: &Monomial| times(product, &inverted(m));
        // Of the two roots whose product it is, the one with more factors is completed first.
        let mut pairs: Vec<&Monomial> = roots
            .iter()
            .filter(|m| roots.contains(&partner(doubtful, m)) && partner(doubtful, m) != **m)
            .collect();
        pairs.sort_by_key(|m| std::cmp::Reverse(m.len()));
        let m = *pairs.first()?;
        let leading = sum.get(&times(m, m))?;
        let mut square: Vec<(Monomial, RBig)> = vec![(m.clone(), RBig::ONE)];
        for (monomial, c) in sum {
            let other = partner(monomial, m);
            if other != *m && roots.contains(&other) {
                square.push((other, c / (RBig::from(2) * leading)));
            }
        }
        let mut rest = sum.clone();
        for (a, c) in &square {
            for (b, d) in &square {
                insert(&mut rest, times(a, b), -(leading * c * d)).ok()?;
            }
        }
        Some(rest)
    }
}
