//! Arithmetic of doubles that answers only where it is exact.

/// a + b, if that is exact (Knuth's TwoSum).
pub(super) fn exact_sum(a: f64, b: f64) -> Option<f64> {
    let sum = a + b;
    let back = sum - a;
    let error = (a - (sum - back)) + (b - back);
    (sum.is_finite() && error == 0.0).then_some(sum)
}

/// a·b, if that is exact; a product in the subnormal range is refused, since its error would underflow.
pub(super) fn exact_product(a: f64, b: f64) -> Option<f64> {
    let product = a * b;
    if a == 0.0 || b == 0.0 {
        return Some(0.0);
    }
    let safe = product.is_finite() && product.abs() > 1e-250;
    (safe && a.mul_add(b, -product) == 0.0).then_some(product)
}

/// a/b, if that is exact.
pub(super) fn exact_quotient(a: f64, b: f64) -> Option<f64> {
    let quotient = a / b;
    let safe = quotient.is_finite() && [a, b, quotient].iter().all(|value| value.abs() > 1e-250);
    (safe && quotient.mul_add(b, -a) == 0.0).then_some(quotient)
}

/// a/b, if that is a whole number, exactly; signs alone are left where they are.
pub(super) fn whole_quotient(a: f64, b: f64) -> Option<f64> {
    exact_quotient(a, b).filter(|quotient| quotient.fract() == 0.0 && a.abs() != 1.0)
}
