//! Determinants: of numbers in exact fractions, of a few rows of scalars written out.

use dashu_ratio::RBig;

use super::scalar::{Function, Id, Scalars};

/// Computes a determinant by elimination in exact fractions.
pub(super) fn exact_determinant(mut rows: Vec<Vec<RBig>>) -> RBig {
    let (n, mut determinant) = (rows.len(), RBig::ONE);
    for k in 0..n {
        let Some(pivot) = (k..n).find(|row| !rows[*row][k].is_zero()) else { return RBig::ZERO };
        if pivot != k {
            rows.swap(pivot, k);
            determinant = -determinant;
        }
        determinant *= rows[k][k].clone();
        let (above, below) = rows.split_at_mut(k + 1);
        let pivot = &above[k];
        for row in below {
            let factor = &row[k] / &pivot[k];
            for (entry, over) in row.iter_mut().zip(pivot).skip(k) {
                *entry -= &factor * over;
            }
        }
    }
    determinant
}

/// The determinant of a few rows, expanded along the first.
pub(super) fn written_out(scalars: &mut Scalars, elements: &[Id], n: usize) -> Id {
    if n == 1 {
        return elements[0];
    }
    let mut total = scalars.number(0.0);
    for j in 0..n {
        let minor: Vec<Id> = (n..n * n).filter(|e| e % n != j).map(|e| elements[e]).collect();
        let minor = written_out(scalars, &minor, n - 1);
        let term = scalars.apply(Function::Mul, &[elements[j], minor]);
        let way = if j % 2 == 0 { Function::Add } else { Function::Sub };
        total = scalars.apply(way, &[total, term]);
    }
    total
}
