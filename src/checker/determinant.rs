//! Determinants in exact fractions.

use dashu_ratio::RBig;

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
