//! The exponential of a matrix, by scaling, a Padé approximant and squaring.
//!
//! Source: Higham, "The scaling and squaring method for the matrix exponential revisited" (2005), algorithm 2.3 with m = 13.

use super::{Lu, Number};

/// Coefficients of the Padé approximant of degree 13.
pub(crate) const PADE: [f64; 14] = [
    64764752532480000.0,
    32382376266240000.0,
    7771770303897600.0,
    1187353796428800.0,
    129060195264000.0,
    10559470521600.0,
    670442572800.0,
    33522128640.0,
    1323241920.0,
    40840800.0,
    960960.0,
    16380.0,
    182.0,
    1.0,
];
/// Up to this norm the approximant is exact to double precision.
pub(crate) const LARGEST: f64 = 5.371920351148152;

/// Returns exp A of an n × n matrix, row by row; NaN where A is not finite, and infinite entries where it overflows.
pub fn matrix_exponential<F: Number>(n: usize, a: Vec<F>) -> Vec<F> {
    let column = |j: usize| (0..n).fold(F::zero(), |sum, i| sum + a[i * n + j].abs());
    let norm = (0..n).map(column).fold(F::zero(), |most, next| if next > most { next } else { most });
    if !a.iter().all(|entry| entry.is_finite()) || !norm.is_finite() {
        return vec![F::nan(); n * n];
    }
    let halvings = (norm.to_double() / LARGEST).log2().ceil().max(0.0) as i32;
    let scale = F::of(0.5f64.powi(halvings));
    let a: Vec<F> = a.into_iter().map(|entry| entry * scale).collect();
    let times = |a: &[F], b: &[F]| product(n, a, b);
    let (a2, identity) = (times(&a, &a), identity(n));
    let a4 = times(&a2, &a2);
    let a6 = times(&a4, &a2);
    // c₆·A⁶ + c₄·A⁴ + c₂·A² + c₀, from coefficients of one parity.
    let combination = |c: [f64; 4]| -> Vec<F> {
        let [c6, c4, c2, c0] = c.map(F::of);
        (0..n * n).map(|e| c6 * a6[e] + c4 * a4[e] + c2 * a2[e] + c0 * identity[e]).collect()
    };
    let plus = |a: &[F], b: &[F]| -> Vec<F> { a.iter().zip(b).map(|(a, b)| *a + *b).collect() };
    let odd = plus(
        &times(&a6, &combination([PADE[13], PADE[11], PADE[9], 0.0])),
        &combination([PADE[7], PADE[5], PADE[3], PADE[1]]),
    );
    let odd = times(&a, &odd);
    let even = plus(
        &times(&a6, &combination([PADE[12], PADE[10], PADE[8], 0.0])),
        &combination([PADE[6], PADE[4], PADE[2], PADE[0]]),
    );
    let difference = even.iter().zip(&odd).map(|(even, odd)| *even - *odd).collect();
    let (under, over) = (Lu::new(n, difference), plus(&even, &odd));
    let mut result = vec![F::zero(); n * n];
    for j in 0..n {
        let mut column: Vec<F> = (0..n).map(|i| over[i * n + j]).collect();
        under.solve(&mut column);
        (0..n).for_each(|i| result[i * n + j] = column[i]);
    }
    (0..halvings).fold(result, |result, _| times(&result, &result))
}

fn identity<F: Number>(n: usize) -> Vec<F> {
    (0..n * n).map(|e| if e / n == e % n { F::one() } else { F::zero() }).collect()
}

fn product<F: Number>(n: usize, a: &[F], b: &[F]) -> Vec<F> {
    let mut c = vec![F::zero(); n * n];
    for i in 0..n {
        for k in 0..n {
            let factor = a[i * n + k];
            for j in 0..n {
                c[i * n + j] = c[i * n + j] + factor * b[k * n + j];
            }
        }
    }
    c
}

#[cfg(test)]
mod tests {
    use super::matrix_exponential;

    #[test]
    fn a_rotation_is_the_exponential_of_a_skew_matrix() {
        for angle in [1e-9f64, 0.3, 2.0, 40.0] {
            let found = matrix_exponential(2, vec![0.0, -angle, angle, 0.0]);
            let (sin, cos) = angle.sin_cos();
            for (found, exact) in found.iter().zip([cos, -sin, sin, cos]) {
                assert!((found - exact).abs() < 1e-14 * (1.0 + angle), "{angle}: {found} {exact}");
            }
        }
    }

    #[test]
    fn a_diagonal_and_a_nilpotent_part() {
        // exp [[1, 1], [0, 1]] = e·[[1, 1], [0, 1]], and large norms are halved.
        let found = matrix_exponential(2, vec![1.0, 1.0, 0.0, 1.0]);
        let e = std::f64::consts::E;
        assert!((found[0] - e).abs() < 1e-15 && (found[1] - e).abs() < 1e-14, "{found:?}");
        assert_eq!(found[2], 0.0);
        let found: Vec<f64> = matrix_exponential(2, vec![-300.0, 0.0, 0.0, 300.0]);
        assert!((found[3].ln() - 300.0).abs() < 1e-12, "{found:?}");
        assert!((found[0].ln() + 300.0).abs() < 1e-12, "{found:?}");
    }

    #[test]
    fn what_is_not_finite_says_so() {
        assert!(matrix_exponential(2, vec![f64::NAN, 0.0, 0.0, 1.0]).iter().all(|entry| entry.is_nan()));
        assert!(matrix_exponential::<f64>(0, vec![]).is_empty());
        let single = matrix_exponential(1, vec![2.0f32]);
        assert!((single[0] - 2f32.exp()).abs() < 1e-5);
    }
}
