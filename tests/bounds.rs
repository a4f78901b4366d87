//! The bound sweep against arithmetic of 2304 bits: computed values lie within their bounds at all scales.

use crate::random_programs;

use std::cell::Cell;

use astro_float_num::{BigFloat, Consts, RoundingMode};
use pushforward::prelude::*;
use pushforward::sweep::bound::{Bound, Bounds, Region};
use random_programs::{Chooser, for_seeds};

/// Sums of doubles of any sizes are exact.
const EXACT: usize = 2304;
/// Elementary functions.
const DIGITS: usize = 256;
const TO_NEAREST: RoundingMode = RoundingMode::ToEven;

/// What a node is at one point.
#[derive(Clone, Debug)]
enum Value {
    /// A number, and whether it is exact.
    Number(BigFloat, bool),
    Undefined,
    /// Beyond what the reference can hold: nothing is asked.
    Unknown,
}
use Value::{Number, Undefined, Unknown};

/// Exactly this number; what is subnormal is made from a normal number.
fn big(a: f64) -> BigFloat {
    let far = 2f64.powi(300);
    match a.abs() < 1e-290 {
        true => BigFloat::from_f64(a * far, EXACT).div(&BigFloat::from_f64(far, EXACT), EXACT, TO_NEAREST),
        false => BigFloat::from_f64(a, EXACT),
    }
}

fn is(a: &BigFloat, b: f64) -> std::cmp::Ordering {
    a.cmp(&big(b)).expect("numbers").cmp(&0)
}

/// A number, if the reference could hold it.
fn number(value: BigFloat, exact: bool, zero: bool) -> Value {
    let beyond = value.is_nan() || value.is_inf() || (value.is_zero() && !zero);
    let far = value.exponent().is_some_and(|exponent| exponent.unsigned_abs() > 100_000);
    match beyond || far {
        true => Unknown,
        false => {
            let exact = exact && !value.inexact();
            Number(value, exact)
        }
    }
}

fn one(a: &Value, f: impl FnOnce(&BigFloat, bool) -> Value) -> Value {
    match a {
        Number(a, exact) => f(a, *exact),
        other => other.clone(),
    }
}

fn two(a: &Value, b: &Value, f: impl FnOnce(&BigFloat, &BigFloat, bool) -> Value) -> Value {
    match (a, b) {
        (Number(a, x), Number(b, y)) => f(a, b, *x && *y),
        (Unknown, _) | (_, Unknown) => Unknown,
        _ => Undefined,
    }
}

fn add(a: &Value, b: &Value) -> Value {
    two(a, b, |a, b, exact| number(a.add(b, EXACT, TO_NEAREST), exact, true))
}

fn negated(a: &Value) -> Value {
    one(a, |a, exact| Number(a.neg(), exact))
}

fn times(a: &Value, b: &Value) -> Value {
    let zero = |a: &Value| matches!(a, Number(a, _) if a.is_zero());
    let zero = zero(a) || zero(b);
    two(a, b, |a, b, exact| number(a.mul(b, EXACT, TO_NEAREST), exact, zero))
}

fn over(a: &Value, b: &Value) -> Value {
    two(a, b, |a, b, exact| match b.is_zero() {
        true => Undefined,
        false => number(a.div(b, EXACT, TO_NEAREST), exact, a.is_zero()),
    })
}

fn power(a: &Value, n: i32) -> Value {
    one(a, |a, exact| {
        if a.is_zero() {
            return match n.cmp(&0) {
                std::cmp::Ordering::Less => Undefined,
                std::cmp::Ordering::Equal => Number(big(1.0), exact),
                std::cmp::Ordering::Greater => Number(big(0.0), exact),
            };
        }
        // Of a power too far the sign is not asked either.
        let size = a.exponent().map_or(0, |e| i64::from(e.abs().max(1))) * i64::from(n.unsigned_abs());
        if size > 1 << 33 {
            return Unknown;
        }
        let power = a.powi(n.unsigned_abs() as usize, EXACT, TO_NEAREST);
        let Number(power, exact) = number(power, exact && n.unsigned_abs() < 40, false) else {
            return Unknown;
        };
        if n < 0 {
            number(big(1.0).div(&power, EXACT, TO_NEAREST), exact, false)
        } else {
            Number(power, exact)
        }
    })
}

/// Elementary functions of the reference, where they are defined.
fn function(which: usize, a: &Value, constants: &mut Consts) -> Value {
    one(a, |a, _| {
        let far = a.exponent().is_some_and(|exponent| exponent > 20 && !a.is_zero());
        let wide = |x: &BigFloat, constants: &mut Consts| x.exp(EXACT, TO_NEAREST, constants);
        let (positive, one) = (is(a, 0.0).is_gt(), big(1.0));
        let exact_zero = a.is_zero();
        let value = match which {
            0 | 2 | 4 | 5 | 6 | 7 | 8 if far => return Unknown,
            // What is near 0 is computed with as many digits as it cancels.
            0 => a.exp(DIGITS, TO_NEAREST, constants),
            1 if !positive => return Undefined,
            1 => a.ln(EXACT, TO_NEAREST, constants),
            2 => wide(a, constants).sub(&one, EXACT, TO_NEAREST),
            3 if is(a, -1.0).is_le() => return Undefined,
            3 => a.add(&one, EXACT, TO_NEAREST).ln(EXACT, TO_NEAREST, constants),
            4 => {
                let twice = wide(&a.mul(&big(2.0), EXACT, TO_NEAREST), constants);
                let over = twice.sub(&one, EXACT, TO_NEAREST);
                over.div(&twice.add(&one, EXACT, TO_NEAREST), EXACT, TO_NEAREST)
            }
            5 => one.div(&wide(&a.neg(), constants).add(&one, EXACT, TO_NEAREST), DIGITS, TO_NEAREST),
            6 => wide(a, constants).add(&one, EXACT, TO_NEAREST).ln(EXACT, TO_NEAREST, constants),
            7 | 8 => {
                let (up, down) = (wide(a, constants), wide(&a.neg(), constants));
                let both = if which == 7 {
                    up.sub(&down, EXACT, TO_NEAREST)
                } else {
                    up.add(&down, EXACT, TO_NEAREST)
                };
                both.div(&big(2.0), EXACT, TO_NEAREST)
            }
            _ if is(a, 0.0).is_lt() => return Undefined,
            _ => a.sqrt(EXACT, TO_NEAREST),
        };
        // Cancelled to nothing: it is smaller than the reference can tell.
        number(value, false, exact_zero)
    })
}

fn applied(which: usize, a: Var<'_>) -> Var<'_> {
    match which {
        0 => a.exp(),
        1 => a.ln(),
        2 => a.exp_m1(),
        3 => a.ln_1p(),
        4 => a.tanh(),
        5 => a.sigmoid(),
        6 => a.softplus(),
        7 => a.sinh(),
        8 => a.cosh(),
        _ => a.sqrt(),
    }
}

/// A number of any size: tiny, huge, next to 1, or plain.
fn any_number(choose: &mut Chooser) -> f64 {
    const SIZES: [f64; 16] = [
        0.0, 5e-324, 1e-320, 2.3e-308, 1e-200, 1e-160, 1e-123, 1e-17, 0.1, 1.0, 2.0, 1e8, 1e154, 1e162,
        1e200, 1e308,
    ];
    let size = choose.pick(&SIZES);
    let sign = if choose.chance(0.5) { 1.0 } else { -1.0 };
    sign * match choose.below(4) {
        0 => size,
        1 => size * (1.0 + choose.number() * 1e-15),
        2 => 1.0 + choose.number() * 1e-3,
        _ => size * (0.5 + choose.number().abs()),
    }
}

const EXPONENTS: [i32; 18] =
    [0, 1, 2, 3, -1, -2, -3, 4, 5, 17, -17, 1000, 1001, -1000, 1 << 20, i32::MAX, i32::MIN, i32::MIN + 1];

/// Whether a value lies within a bound; `None` if it does not, with what is wrong.
fn wrong(value: &Value, bound: Bound) -> Option<String> {
    let (value, exact) = match value {
        Unknown => return None,
        Undefined => return bound.defined.then(|| "said to be defined".to_string()),
        Number(value, exact) => (value, *exact),
    };
    let slack = |end: f64| match exact || end == 0.0 {
        true => big(0.0),
        false => big(end.abs()).mul(&big(2f64.powi(-180)), EXACT, TO_NEAREST),
    };
    let below = if bound.low.at == f64::NEG_INFINITY {
        std::cmp::Ordering::Greater
    } else {
        is(&value.add(&slack(bound.low.at), EXACT, TO_NEAREST), bound.low.at)
    };
    let above = if bound.high.at == f64::INFINITY {
        std::cmp::Ordering::Less
    } else {
        is(&value.sub(&slack(bound.high.at), EXACT, TO_NEAREST), bound.high.at)
    };
    let reached = |open: bool, order: std::cmp::Ordering| order.is_eq() && open && exact;
    if below.is_lt() || reached(bound.low.open, below) {
        return Some("below".to_string());
    }
    if above.is_gt() || reached(bound.high.open, above) {
        return Some("above".to_string());
    }
    (exact && bound.nonzero && value.is_zero()).then(|| "said not to be 0".to_string())
}

#[test]
fn what_a_program_computes_lies_within_its_bounds() {
    let (checked, defined) = (Cell::new(0u64), Cell::new(0u64));
    for_seeds(3000, |seed| {
        let (mut choose, tape) = (Chooser::new(seed), Tape::new());
        let mut constants = Consts::new().expect("the constants of the reference");
        // Inputs with a domain for each, a parameter, and constants.
        let d = 2 + choose.below(3);
        let point: Vec<f64> = (0..d).map(|_| any_number(&mut choose)).collect();
        let domains: Vec<Bound> = point
            .iter()
            .map(|at| {
                let (a, b) = (any_number(&mut choose), any_number(&mut choose));
                match choose.below(5) {
                    0 => Bound::REALS,
                    1 if *at > 0.0 => Bound::between(0.0, f64::INFINITY),
                    2 => Bound::closed(*at, *at),
                    3 => Bound::closed(a.min(*at), b.max(*at)),
                    _ => Bound::between(a.min(at.next_down()), b.max(at.next_up())),
                }
            })
            .collect();
        let z = tape.input(Shape::Vector(d));
        let bounds = Bounds::within(&tape, [(z.id(), Region::from(domains))]);
        let mut pool: Vec<(Var<'_>, Value)> =
            point.iter().enumerate().map(|(k, at)| (z.at(k), Number(big(*at), true))).collect();
        let p = any_number(&mut choose);
        pool.push((tape.parameter("p", Shape::Scalar, Init::Constant(0.0)), Number(big(p), true)));
        for _ in 0..3 {
            let c = any_number(&mut choose);
            pool.push((tape.constant(c), Number(big(c), true)));
        }
        for _ in 0..12 {
            let pick = |choose: &mut Chooser| pool[choose.below(pool.len())].clone();
            let ((a, x), (b, y)) = (pick(&mut choose), pick(&mut choose));
            let next = match choose.below(16) {
                0 => (a + b, add(&x, &y)),
                1 => (a - b, add(&x, &negated(&y))),
                2 | 3 => (a * b, times(&x, &y)),
                4 => (a / b, over(&x, &y)),
                5 => (a.recip(), over(&Number(big(1.0), true), &x)),
                6 | 7 => {
                    let n = choose.pick(&EXPONENTS);
                    (a.powi(n), power(&x, n))
                }
                8 | 9 => {
                    let which = choose.below(10);
                    (applied(which, a), function(which, &x, &mut constants))
                }
                10 => (a.abs(), one(&x, |x, exact| Number(x.abs(), exact))),
                11 => {
                    let less = |x: &BigFloat, y: &BigFloat| x.cmp(y).expect("numbers") < 0;
                    match choose.below(3) {
                        0 => (
                            a.min(b),
                            two(&x, &y, |x, y, e| Number(if less(x, y) { x } else { y }.clone(), e)),
                        ),
                        1 => (
                            a.max(b),
                            two(&x, &y, |x, y, e| Number(if less(x, y) { y } else { x }.clone(), e)),
                        ),
                        _ => {
                            let (c, v) = pick(&mut choose);
                            let value = match (&x, &y) {
                                (Number(x, true), Number(y, true)) => {
                                    if less(x, y) {
                                        v
                                    } else {
                                        Number(x.clone(), true)
                                    }
                                }
                                _ => Unknown,
                            };
                            (select(a.lt(b), c, a), value)
                        }
                    }
                }
                12 => {
                    let parts = stack([a, b, a]);
                    (parts.sum(), add(&add(&x, &y), &x))
                }
                13 => {
                    let parts = stack([a, b]);
                    (
                        parts.reshape(Shape::Matrix(1, 2)).transpose().reshape(Shape::Vector(2)).at(1),
                        y.clone(),
                    )
                }
                14 => {
                    // A scatter on which two elements meet, read at one place.
                    let sum = stack([a, b, a]).scatter(&[1, 1, 2], Shape::Vector(4));
                    (sum.at(1), add(&x, &y))
                }
                _ => {
                    let weights = [any_number(&mut choose), any_number(&mut choose)];
                    let [v, w] = weights.map(|w| Number(big(w), true));
                    let product = tape.matrix(1, 2, &weights).matvec(stack([a, b]));
                    (product.at(0), add(&times(&v, &x), &times(&w, &y)))
                }
            };
            let bound = bounds.of(next.0.id());
            if let Some(wrong) = wrong(&next.1, bound) {
                let op = tape.node(next.0.id()).op;
                return Err(format!("{op:?} of {x:?} and {y:?} is {:?}: {wrong} {bound:?}", next.1));
            }
            checked.set(checked.get() + u64::from(matches!(next.1, Number(..))));
            defined.set(defined.get() + u64::from(bound.defined));
            pool.push(next);
        }
        tape.check().map_err(|errors| errors.to_string())
    });
    println!("{} values within their bounds, {} nodes proven to be defined", checked.get(), defined.get());
    assert!(checked.get() > 1000, "hardly a value was compared");
}

/// The bound of a scalar expression of one scalar.
fn bound_of(domain: Bound, record: impl for<'t> Fn(Var<'t>) -> Var<'t>) -> Bound {
    let tape = Tape::new();
    let z = tape.input(Shape::Scalar);
    Bounds::new(&tape, &[(z.id(), domain)]).of(record(z).id())
}

#[test]
fn what_may_have_no_value_is_not_said_to_be_defined() {
    type Line = for<'t> fn(Var<'t>) -> Var<'t>;
    // Each is defined on (0, 1), and neither at 0 nor at all of [-2, 1].
    let partial: [Line; 10] = [
        |z| z.ln(),
        |z| z.pow(-0.5),
        |z| z.recip(),
        |z| z.powi(-2),
        |z| 1.0 / z,
        |z| z.ln().exp().tanh(),
        |z| z.ln() + z,
        |z| z + z.ln(),
        |z| select(z.ln().lt(0.0), z, 2.0 * z),
        |z| select(z.lt(0.5), z, z.ln()),
    ];
    for (k, record) in partial.into_iter().enumerate() {
        assert!(bound_of(Bound::between(0.0, 1.0), record).defined, "{k}");
        assert!(!bound_of(Bound::closed(0.0, 1.0), record).defined, "{k} at 0");
        assert!(!bound_of(Bound::closed(-2.0, 1.0), record).defined, "{k} below 0");
    }
    // 0 to a positive power is 0; to a power that may be 0 or below it is nothing.
    assert!(bound_of(Bound::closed(0.0, 1.0), |z| z.pow(0.5)).defined);
    assert!(!bound_of(Bound::closed(-1e-300, 1.0), |z| z.pow(0.5)).defined);
    assert!(!bound_of(Bound::closed(0.0, 1.0), |z| z.pow(z)).defined);
    assert!(bound_of(Bound::between(0.0, 1.0), |z| z.normal_quantile()).defined);
    assert!(!bound_of(Bound::closed(0.0, 0.5), |z| z.normal_quantile()).defined);
    assert!(bound_of(Bound::between(-0.5, 0.5), |z| z.tan_pi()).defined);
    assert!(!bound_of(Bound::closed(-0.5, 0.5), |z| z.tan_pi()).defined);
    assert!(bound_of(Bound::closed(0.0, 1.0), |z| z.sqrt()).defined);
    assert!(!bound_of(Bound::closed(-1e-300, 1.0), |z| z.sqrt()).defined);
    assert!(bound_of(Bound::between(-1.0, 1.0), |z| z.ln_1p()).defined);
    assert!(!bound_of(Bound::closed(-1.0, 1.0), |z| z.ln_1p()).defined);
    // Of a matrix nobody knows.
    let matrices: [Line; 2] =
        [|z| z.reshape(Shape::Matrix(1, 1)).log_abs_det(), |z| z.reshape(Shape::Matrix(1, 1)).inverse()];
    for record in matrices {
        assert!(!bound_of(Bound::REALS, record).defined);
    }
}

#[test]
fn values_that_are_reached_are_within() {
    let holds = |domain: Bound, value: f64, record: for<'t> fn(Var<'t>) -> Var<'t>| {
        let bound = bound_of(domain, record);
        assert!(bound.contains(value), "{value} in {bound:?}");
    };
    let unit = Bound::closed(0.0, 1.0);
    for domain in [unit, Bound::closed(-1.0, 1.0)] {
        holds(domain, 0.0, |z| z.sign());
        holds(domain, 1.0, |z| z.sign());
        holds(domain, 0.0, |z| z.abs());
    }
    holds(Bound::closed(-1.0, 0.0), 0.0, |z| z.sign());
    holds(Bound::closed(-1.0, 0.0), -1.0, |z| z.sign());
    holds(Bound::REALS, 1.0, |z| z.sin());
    holds(Bound::REALS, -1.0, |z| z.cos());
    holds(Bound::REALS, 1.0, |z| z.cosh());
    // (ln Φ)″ is -0.637 at 0 and -0.97 at -5.
    holds(Bound::REALS, -0.97, |z| z.inverse_mills(1));
    let positive = Bound::between(0.0, f64::INFINITY);
    holds(positive, 1.644_934_066_848_226_4, |z| z.polygamma(1));
    holds(positive, -2.404_113_806_319_188_6, |z| z.polygamma(2));
    holds(positive, -0.121, |z| z.ln_gamma());
    // Numbers other than 0 may cancel.
    holds(Bound::closed(1.0, 1.0), 0.0, |z| stack([z, -z]).sum());
    holds(Bound::closed(1.0, 1.0), 0.0, |z| z.tape().matrix(1, 2, &[1.0, -1.0]).matvec(stack([z, z])).at(0));
    holds(Bound::closed(1.0, 1.0), 0.0, |z| z - z);
}

#[test]
fn powers_of_large_exponents_are_off_by_what_they_are_off() {
    // c¹⁰⁰⁰ is 712.7 units in the last place above what repeated squaring gives: exact rational arithmetic.
    let c = 1.000532656;
    let bound = bound_of(Bound::closed(c, c), |z| z.powi(1000));
    let exact = big(c).powi(1000, EXACT, TO_NEAREST);
    assert!(is(&exact, bound.low.at).is_ge() && is(&exact, bound.high.at).is_le(), "{bound:?}");
    assert!(bound.high.at - bound.low.at < 1e-11, "and no wider than it must be: {bound:?}");
}

#[test]
fn the_largest_negative_exponent_is_even() {
    let negative = bound_of(Bound::REALS, |z| (-z.exp()).powi(i32::MIN));
    assert!(negative.is_positive() && negative.defined, "{negative:?}");
    let odd = bound_of(Bound::REALS, |z| (-z.exp()).powi(i32::MIN + 1));
    assert!(odd.is_negative(), "{odd:?}");
}

#[test]
fn products_that_underflow_are_not_exact() {
    // 1e-200·1e-123 is a subnormal of few digits: times 1e323 it may be far from 1.
    let bound = bound_of(Bound::REALS, |z| z.tape().constant(1e-200) * 1e-123 * 1e162 * 1e161);
    let exact = [1e-123, 1e162, 1e161].iter().fold(big(1e-200), |a, b| a.mul(&big(*b), EXACT, TO_NEAREST));
    assert!(is(&exact, bound.low.at).is_ge() && is(&exact, bound.high.at).is_le(), "{bound:?}");
    let quotient = bound_of(Bound::closed(3e-324, 3e-324), |z| z / 3.0 * 3.0);
    assert!(quotient.contains(5e-324), "{quotient:?}");
}

#[test]
fn what_overflows_is_finite() {
    let bound = bound_of(Bound::closed(1e308, 1e308), |z| (z + z) * 1e-308);
    assert!(bound.low.at <= 2.0 && bound.high.at >= 2.0, "{bound:?}");
    let bound = bound_of(Bound::closed(1e300, 1e300), |z| (z * z).recip());
    assert!(bound.high.at > 0.0, "{bound:?}");
    let bound = bound_of(Bound::closed(1000.0, 1000.0), |z| (-z.sinh()).asinh());
    assert!(bound.low.at <= -1000.0 && bound.high.at >= -1000.0, "{bound:?}");
}

#[test]
fn minus_zero_is_zero() {
    let tape = Tape::new();
    let z = tape.vector(&[-0.0, 0.0, 1.0]);
    let bounds = Bounds::new(&tape, &[]);
    for var in [z, z.max(0.0), z + z, concat([z, (tape.vector(&[2.0]) - 1.0).exp()]), z * -1.0] {
        let bound = bounds.of(var.id());
        assert!(bound.contains(0.0) && bound.contains(-0.0), "{bound:?}");
    }
}

#[test]
fn what_is_picked_out_of_a_vector_is_bounded_by_itself() {
    let tape = Tape::new();
    let (z, c) = (tape.input(Shape::Vector(2)), tape.vector(&[-3.0, 2.0]));
    let regions = [(z.id(), Region::from(vec![Bound::REALS, Bound::between(0.0, 1.0)]))];
    let bounds = Bounds::within(&tape, regions);
    assert!(bounds.of(z.at(1).ln().id()).defined && !bounds.of(z.at(0).ln().id()).defined);
    assert!(bounds.of(c.at(1).id()).is_positive() && bounds.of(c.at(0).id()).is_negative());
    assert!(bounds.of(stack([z.at(0), z.at(1) + 1.0]).at(1).id()).is_positive());
    assert_eq!(bounds.of(z.id()), Bound::REALS);
}

#[test]
fn a_sum_that_is_empty_goes_nowhere() {
    // eᶻ + Σ of no elements is one-to-one, and not onto ℝ.
    struct Layer;
    impl Bijection for Layer {
        fn dim(&self) -> usize {
            1
        }
        fn structure(&self) -> Structure {
            Structure::Diagonal
        }
        fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
            z.exp() + 0.5 * z.at(0).exp() + z.slice(0..0).sum()
        }
    }
    let report = audit(&Layer).unwrap().to_string();
    assert!(!report.contains("one-to-one onto"), "{report}");
}
