//! Sums of monomials with rational coefficients, and residues that find equal ones.

use std::collections::BTreeMap;

use dashu_ratio::RBig;

use super::{Found, too_large};

/// A product of powers of atoms, by the numbers of the atoms.
pub(super) type Monomial = Vec<(u32, RBig)>;
/// A sum of monomials with non-zero coefficients.
pub(super) type Sum = BTreeMap<Monomial, RBig>;

/// Maximum number of monomials of a sum; beyond it the question is given up.
const MOST_TERMS: usize = 1 << 12;
/// The prime 2⁶¹ - 1, and a number with many divisors that divides no residue's exponent away.
pub(super) const PRIME: u64 = (1 << 61) - 1;
const DIVISIBLE: u64 = 720_720;

pub(super) fn unit() -> Sum {
    Sum::from([(Vec::new(), RBig::ONE)])
}

pub(super) fn is_unit(sum: &Sum) -> bool {
    sum.len() == 1 && sum.iter().next().is_some_and(|(monomial, c)| monomial.is_empty() && c.is_one())
}

pub(super) fn rational(value: f64) -> RBig {
    RBig::try_from(value).unwrap_or(RBig::ZERO)
}

pub(super) fn insert(sum: &mut Sum, monomial: Monomial, coefficient: RBig) -> Found<()> {
    use std::collections::btree_map::Entry;
    match sum.entry(monomial) {
        Entry::Vacant(vacant) => {
            if !coefficient.is_zero() {
                vacant.insert(coefficient);
            }
        }
        Entry::Occupied(mut known) => {
            *known.get_mut() += coefficient;
            if known.get().is_zero() {
                known.remove();
            }
        }
    }
    if sum.len() > MOST_TERMS { Err(too_large()) } else { Ok(()) }
}

pub(super) fn add(a: &Sum, b: &Sum) -> Found<Sum> {
    let mut sum = a.clone();
    for (monomial, c) in b {
        insert(&mut sum, monomial.clone(), c.clone())?;
    }
    Ok(sum)
}

pub(super) fn times(a: &Monomial, b: &Monomial) -> Monomial {
    let mut product = Vec::with_capacity(a.len() + b.len());
    let (mut i, mut j) = (0, 0);
    while i < a.len() || j < b.len() {
        let left = j >= b.len() || (i < a.len() && a[i].0 <= b[j].0);
        let right = i >= a.len() || (j < b.len() && b[j].0 <= a[i].0);
        if left && right {
            let exponent = &a[i].1 + &b[j].1;
            if !exponent.is_zero() {
                product.push((a[i].0, exponent));
            }
        } else {
            product.push(if left { a[i].clone() } else { b[j].clone() });
        }
        i += usize::from(left);
        j += usize::from(right);
    }
    product
}

pub(super) fn inverted(monomial: &Monomial) -> Monomial {
    monomial.iter().map(|(atom, exponent)| (*atom, -exponent.clone())).collect()
}

pub(super) fn multiplied(a: u64, b: u64) -> u64 {
    // 2⁶¹ is congruent to 1: the bits above the lowest 61 are added to them.
    let product = u128::from(a) * u128::from(b);
    let sum = (product as u64 & PRIME) + (product >> 61) as u64;
    if sum >= PRIME { sum - PRIME } else { sum }
}

pub(super) fn raised(base: u64, mut exponent: u64) -> u64 {
    let (mut result, mut square) = (1, base % PRIME);
    while exponent > 0 {
        if exponent % 2 == 1 {
            result = multiplied(result, square);
        }
        square = multiplied(square, square);
        exponent /= 2;
    }
    result
}

pub(super) fn rational_residue(value: &RBig) -> u64 {
    let over = value.numerator() % dashu_ratio::RBig::from(PRIME).numerator();
    let over = i128::try_from(over).unwrap_or(0).rem_euclid(i128::from(PRIME)) as u64;
    match value.denominator() % PRIME {
        1 => over,
        under => multiplied(over, raised(under, PRIME - 2)),
    }
}

/// Returns a pseudo-random residue for an atom to a rational power, consistent for common roots.
pub(super) fn power_residue(atom: u32, exponent: &RBig) -> u64 {
    let seed = (u64::from(atom) + 1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    let generator = (seed ^ (seed >> 29)).wrapping_mul(0xbf58_476d_1ce4_e5b9) % (PRIME - 2) + 1;
    let whole = exponent * RBig::from(DIVISIBLE);
    let power = |n: u64| raised(generator, n);
    match whole.is_int() {
        true => {
            let order = i128::from(PRIME - 1);
            let reduced = whole.numerator() % dashu_ratio::RBig::from(PRIME - 1).numerator();
            power(i128::try_from(reduced).unwrap_or(0).rem_euclid(order) as u64)
        }
        // Residues cannot represent this power: use a separate number.
        false => multiplied(power(1), rational_residue(exponent)),
    }
}
