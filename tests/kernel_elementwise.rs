//! Elementwise kernels and sums against plain loops, for both number types, every instruction set and every
//! number of remaining lanes.

use std::fmt::Debug;

use num_traits::{Float, cast};
use pushforward::kernel::{
    Abs, Add, Arch, Branch, Div, Exp, ExpM1, Function, Lanes, Less, LessEq, Ln, Ln1p, Max, Min, Mul, Neg,
    Operand, Operation, Powi, Real, Recip, SechSquared, Sigmoid, Sign, Simd, Softplus, Sqrt, Sub, Tanh,
    TanhAndSlope, Term, WithSimd, cascade, instruction_sets, map, map_pair, select, sum_elements, sum_lanes,
    sum_products, sum_terms, update, zip,
};

struct Map<'a, G, F>(G, &'a [F], &'a mut [F]);

impl<G: Function, F: Real> WithSimd for Map<'_, G, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        map(simd, self.0, self.1, self.2);
    }
}

struct Zip<'a, G, A, B, F>(G, A, B, &'a mut [F]);

impl<G: Operation, A: Operand<F>, B: Operand<F>, F: Real> WithSimd for Zip<'_, G, A, B, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        zip(simd, self.0, self.1, self.2, self.3);
    }
}

struct Update<'a, G, B, F>(G, &'a mut [F], B);

impl<G: Operation, B: Operand<F>, F: Real> WithSimd for Update<'_, G, B, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        update(simd, self.0, self.1, self.2);
    }
}

struct Select<'a, C, A, B, F>(C, A, B, &'a mut [F]);

impl<C: Operand<F>, A: Operand<F>, B: Operand<F>, F: Real> WithSimd for Select<'_, C, A, B, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        select(simd, self.0, self.1, self.2, self.3);
    }
}

struct SumProducts<'a, F>(&'a [F], &'a [F]);

impl<F: Real> WithSimd for SumProducts<'_, F> {
    type Output = F;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> F {
        sum_products(simd, self.0, self.1)
    }
}

struct SumLanes<'a, F>(&'a [F]);

impl<F: Real> WithSimd for SumLanes<'_, F> {
    type Output = F;

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) -> F {
        sum_lanes(simd, self.0)
    }
}

struct SumElements<'a, F>(&'a [F], usize, Lanes, &'a mut [F]);

impl<F: Real> WithSimd for SumElements<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        sum_elements(simd, self.0, self.1, self.2, self.3);
    }
}

fn mapped<F: Real>(arch: Arch, function: impl Function, a: &[F]) -> Vec<F> {
    let mut out = vec![F::NAN; a.len()];
    arch.dispatch(Map(function, a, &mut out));
    out
}

fn zipped<F: Real>(
    arch: Arch,
    operation: impl Operation,
    a: impl Operand<F>,
    b: impl Operand<F>,
    count: usize,
) -> Vec<F> {
    let mut out = vec![F::NAN; count];
    arch.dispatch(Zip(operation, a, b, &mut out));
    out
}

/// Numbers of all kinds, `count` of them, beginning somewhere.
fn mixture<F: Real + Float>(count: usize, begin: usize) -> Vec<F> {
    let of = |a: f64| cast::<f64, F>(a).expect("both have it");
    let special = [
        of(0.0),
        of(-0.0),
        of(1.0),
        of(-1.0),
        of(2.5),
        of(-3.5),
        F::infinity(),
        F::neg_infinity(),
        F::nan(),
        F::min_positive_value(),
        F::max_value(),
        of(1e-3),
    ];
    (0..count).map(|i| special[(i * 5 + begin) % special.len()]).collect()
}

/// Equal bit by bit, but for the bits of NaN.
fn assert_same<F: Real + Float + Debug>(found: &[F], expected: &[F], what: &str) {
    assert_eq!(found.len(), expected.len(), "{what}");
    for (place, (found, expected)) in found.iter().zip(expected).enumerate() {
        let same = found.is_nan() && expected.is_nan()
            || found == expected && found.is_sign_negative() == expected.is_sign_negative();
        assert!(same, "{what}: {found:?} instead of {expected:?} at {place}");
    }
}

fn functions_are_those_of_numbers<F: Real + Float + Debug>() {
    for (set, arch) in instruction_sets() {
        for count in 0..70 {
            let a = mixture::<F>(count, count);
            let expect = |f: &dyn Fn(F) -> F| a.iter().map(|a| f(*a)).collect::<Vec<F>>();
            assert_same(&mapped(arch, Neg, &a), &expect(&|a| -a), set);
            assert_same(&mapped(arch, Recip, &a), &expect(&F::recip), set);
            assert_same(&mapped(arch, Abs, &a), &expect(&|a| Float::abs(a)), set);
            assert_same(&mapped(arch, Sqrt, &a), &expect(&|a| Float::sqrt(a)), set);
            let sign = |a: F| if a != F::ZERO { Float::signum(a) } else { a };
            assert_same(&mapped(arch, Sign, &a), &expect(&sign), set);
        }
    }
}

#[test]
fn functions_of_f64_are_those_of_numbers() {
    functions_are_those_of_numbers::<f64>();
}

#[test]
fn functions_of_f32_are_those_of_numbers() {
    functions_are_those_of_numbers::<f32>();
}

fn operations_are_those_of_numbers<F: Real + Float + Debug>() {
    let truth = |holds: bool| if holds { F::ONE } else { F::ZERO };
    let nan_first = |a: F, b: F, other: F| if a.is_nan() || b.is_nan() { F::NAN } else { other };
    for (set, arch) in instruction_sets() {
        for count in 0..70 {
            // With one number for all, every pair of kinds comes up.
            let (a, b) = (mixture::<F>(count, 3), mixture::<F>(count, 3 + count / 12));
            macro_rules! check {
                ($operation:expr, $expected:expr) => {
                    let of: &dyn Fn(F, F) -> F = &$expected;
                    let both: Vec<F> = a.iter().zip(&b).map(|(a, b)| of(*a, *b)).collect();
                    assert_same(&zipped(arch, $operation, &a[..], &b[..], count), &both, set);
                    let mut out = a.clone();
                    arch.dispatch(Update($operation, &mut out, &b[..]));
                    assert_same(&out, &both, set);
                    for number in mixture::<F>(12, 0) {
                        let first: Vec<F> = b.iter().map(|b| of(number, *b)).collect();
                        assert_same(&zipped(arch, $operation, number, &b[..], count), &first, set);
                        let second: Vec<F> = a.iter().map(|a| of(*a, number)).collect();
                        assert_same(&zipped(arch, $operation, &a[..], number, count), &second, set);
                        out.copy_from_slice(&a);
                        arch.dispatch(Update($operation, &mut out, number));
                        assert_same(&out, &second, set);
                    }
                };
            }
            check!(Add, |a, b| a + b);
            check!(Sub, |a, b| a - b);
            check!(Mul, |a, b| a * b);
            check!(Div, |a, b| a / b);
            check!(Min, |a, b| nan_first(a, b, if a <= b { a } else { b }));
            check!(Max, |a, b| nan_first(a, b, if a >= b { a } else { b }));
            check!(Less, |a, b| truth(a < b));
            check!(LessEq, |a, b| truth(a <= b));
        }
    }
}

#[test]
fn operations_on_f64_are_those_of_numbers() {
    operations_are_those_of_numbers::<f64>();
}

#[test]
fn operations_on_f32_are_those_of_numbers() {
    operations_are_those_of_numbers::<f32>();
}

#[test]
fn whole_powers_are_products() {
    let a: Vec<f64> = (0..37).map(|i| (f64::from(i) - 18.0) / 4.0).collect();
    for (set, arch) in instruction_sets() {
        for k in [-7, -3, -2, -1, 0, 1, 2, 3, 4, 5, 10, 31] {
            for (found, a) in mapped(arch, Powi(k), &a).into_iter().zip(&a) {
                let expected = a.powf(f64::from(k));
                let error = (found - expected).abs() / expected.abs().max(f64::MIN_POSITIVE);
                let fits = found == expected || error < 1e-14;
                assert!(fits, "{set}: {a} to the {k} is {expected}, not {found}");
            }
        }
    }
    assert_eq!(mapped(Arch::new(), Powi(0), &[f64::NAN]), [1.0]);
    assert_eq!(mapped(Arch::new(), Powi(i32::MIN), &[1.0, 2.0, 0.5]), [1.0, 0.0, f64::INFINITY]);
}

#[test]
fn a_selection_does_not_look_at_the_branch_not_taken() {
    for (set, arch) in instruction_sets() {
        for count in 0..40 {
            let condition: Vec<f64> = (0..count).map(|i| [0.0, 1.0, -0.0, 0.5, f64::NAN][i % 5]).collect();
            let is_true = |i: usize| condition[i] != 0.0;
            let of = |taken: bool, i: usize| if taken { i as f64 } else { f64::NAN };
            let then: Vec<f64> = (0..count).map(|i| of(is_true(i), i)).collect();
            let otherwise: Vec<f64> = (0..count).map(|i| of(!is_true(i), i)).collect();
            let mut out = vec![-1.0; count];
            arch.dispatch(Select(&condition[..], &then[..], &otherwise[..], &mut out));
            assert_eq!(out, (0..count).map(|i| i as f64).collect::<Vec<f64>>(), "{set}");
            arch.dispatch(Select(0.0, f64::NAN, &out.clone()[..], &mut out));
            assert_eq!(out, (0..count).map(|i| i as f64).collect::<Vec<f64>>(), "{set}");
        }
    }
}

fn a_lane_is_computed_alike_wherever_it_is<F: Real + Float + Debug>(function: impl Function) {
    let of = |a: f64| cast::<f64, F>(a).expect("both have it");
    let a: Vec<F> = (0..67).map(|i| of(0.3 + f64::from(i) / 9.0)).collect();
    for (set, arch) in instruction_sets() {
        let all = mapped(arch, function, &a);
        for (place, a) in a.iter().enumerate() {
            assert_same(&mapped(arch, function, &[*a]), &all[place..place + 1], set);
        }
    }
}

#[test]
fn tanh_and_its_slope_together_are_what_they_are_alone() {
    struct Both<'a, F>(&'a [F], &'a mut [F], &'a mut [F]);
    impl<F: Real> WithSimd for Both<'_, F> {
        type Output = ();
        #[inline(always)]
        fn with_simd<S: Simd>(self, simd: S) {
            map_pair(simd, TanhAndSlope, self.0, self.1, self.2);
        }
    }
    fn check<F: Real + Float + Debug>() {
        let of = |a: f64| cast::<f64, F>(a).expect("both have it");
        for (set, arch) in instruction_sets() {
            for count in 0..67 {
                let mut a: Vec<F> =
                    (0..count).map(|i| of(1.3f64.powi(i - 33) * f64::from(1 - i % 2 * 2))).collect();
                a.iter_mut()
                    .zip([F::nan(), F::infinity(), -F::infinity(), -F::zero()])
                    .for_each(|(a, b)| *a = b);
                let (mut tanh, mut slope) = (vec![F::one(); a.len()], vec![F::one(); a.len()]);
                arch.dispatch(Both(&a, &mut tanh, &mut slope));
                // The slope to the last bit; tanh is formed from another exponential.
                assert_same(&slope, &mapped(arch, SechSquared, &a), set);
                for (found, alone) in tanh.iter().zip(mapped(arch, Tanh, &a)) {
                    let close = (*found - alone).abs() <= of(4.0) * F::epsilon() * alone.abs();
                    assert!(close || (found.is_nan() && alone.is_nan()), "{set}: {found:?} and {alone:?}");
                }
            }
        }
    }
    check::<f64>();
    check::<f32>();
}

#[test]
fn one_lane_alone_is_what_it_is_among_others() {
    macro_rules! check {
        ($($function:expr),*) => {$(
            a_lane_is_computed_alike_wherever_it_is::<f64>($function);
            a_lane_is_computed_alike_wherever_it_is::<f32>($function);
        )*};
    }
    check!(Exp, ExpM1, Ln, Ln1p, Tanh, SechSquared, Sigmoid, Softplus);
}

/// Values at the ends of the domain and where rounding makes them exact.
fn ends_are_exact<F: Real + Float + Debug>() {
    let (inf, nan, zero, one) = (F::infinity(), F::nan(), F::zero(), F::one());
    let (tiny, huge) = (F::min_positive_value() * F::epsilon(), F::max_value());
    assert!(tiny > zero && tiny / F::TWO == zero, "it is the smallest number");
    let payload = F::ALL_BITS;
    for (set, arch) in instruction_sets() {
        macro_rules! check {
            ($function:expr, $(($a:expr, $expected:expr)),* $(,)?) => {
                let what = format!("{:?} {set}", $function);
                assert_same(&mapped(arch, $function, &[$($a),*]), &[$($expected),*], &what);
                assert_same(&mapped(arch, $function, &[nan, -nan, payload]), &[nan, nan, nan], &what);
            };
        }
        check!(
            Exp,
            (inf, inf),
            (-inf, zero),
            (zero, one),
            (-zero, one),
            (huge, inf),
            (-huge, zero),
            (tiny, one)
        );
        check!(
            ExpM1,
            (inf, inf),
            (-inf, -one),
            (zero, zero),
            (-zero, -zero),
            (tiny, tiny),
            (-tiny, -tiny),
            (huge, inf),
            (-huge, -one),
        );
        check!(
            Ln,
            (inf, inf),
            (zero, -inf),
            (-zero, -inf),
            (-one, nan),
            (-inf, nan),
            (-tiny, nan),
            (one, zero)
        );
        check!(
            Ln1p,
            (inf, inf),
            (-one, -inf),
            (-F::TWO, nan),
            (-inf, nan),
            (zero, zero),
            (-zero, -zero),
            (tiny, tiny),
            (-tiny, -tiny),
        );
        check!(
            Tanh,
            (inf, one),
            (-inf, -one),
            (zero, zero),
            (-zero, -zero),
            (tiny, tiny),
            (-tiny, -tiny),
            (huge, one),
            (-huge, -one),
        );
        check!(SechSquared, (inf, zero), (-inf, zero), (zero, one), (-zero, one), (huge, zero), (tiny, one));
        check!(
            Sigmoid,
            (inf, one),
            (-inf, zero),
            (zero, F::HALF),
            (-zero, F::HALF),
            (huge, one),
            (-huge, zero)
        );
        check!(Softplus, (inf, inf), (-inf, zero), (huge, huge), (-huge, zero));
    }
}

#[test]
fn elementary_functions_of_f64_are_exact_at_their_ends() {
    ends_are_exact::<f64>();
}

#[test]
fn elementary_functions_of_f32_are_exact_at_their_ends() {
    ends_are_exact::<f32>();
}

#[test]
fn the_exponential_overflows_and_vanishes_where_it_must() {
    let last = 709.782712893384_f64;
    let vanishing = -745.1332191019412_f64;
    for (set, arch) in instruction_sets() {
        let found = mapped(arch, Exp, &[last, last.next_up(), vanishing.next_up(), vanishing.next_down()]);
        assert!(found[0].is_finite() && found[1] == f64::INFINITY, "{set}: {found:?}");
        assert!(found[2] == f64::from_bits(1) && found[3] == 0.0, "{set}: {found:?}");
        let found = mapped(arch, ExpM1, &[last, last.next_up()]);
        assert!(found[0].is_finite() && found[1] == f64::INFINITY, "{set}: {found:?}");
        let found = mapped(arch, Exp, &[88.72283_f32, 88.72284, -103.97207, -103.97209]);
        assert!(found[0].is_finite() && found[1] == f32::INFINITY, "{set}: {found:?}");
        assert!(found[2] == f32::from_bits(1) && found[3] == 0.0, "{set}: {found:?}");
    }
}

#[test]
fn sums_over_lanes_are_the_same_bits_on_every_instruction_set() {
    for count in (0..100).chain([240, 1000]) {
        let a: Vec<f64> = (0..count).map(|i| (f64::from(i) * 0.7).sin() * 10f64.powi(i % 7)).collect();
        let b: Vec<f32> = a.iter().map(|a| *a as f32).collect();
        // As documented: 32 running sums, added up in halves.
        let mut running = [0.0; 32];
        for (i, a) in a.iter().enumerate() {
            running[i % 32] += a;
        }
        for half in [16, 8, 4, 2, 1] {
            for i in 0..half {
                running[i] += running[i + half];
            }
        }
        let singles: Vec<f32> =
            instruction_sets().iter().map(|(_, arch)| arch.dispatch(SumLanes(&b))).collect();
        for (place, (set, arch)) in instruction_sets().into_iter().enumerate() {
            assert_eq!(arch.dispatch(SumLanes(&a)).to_bits(), running[0].to_bits(), "{set}, {count} lanes");
            assert_eq!(singles[place].to_bits(), singles[0].to_bits(), "{set}, {count} lanes");
        }
        let size: f64 = a.iter().map(|a| a.abs()).sum();
        assert!((f64::from(singles[0]) - running[0]).abs() <= 1e-6 * size);
    }
}

#[test]
fn sums_over_elements_are_added_in_their_order() {
    for (set, arch) in instruction_sets() {
        for count in 0..70 {
            for elements in [0, 1, 2, 5] {
                let lanes = Lanes { count, stride: count + 3 };
                let a: Vec<f64> = (0..elements * lanes.stride).map(|i| (i as f64 * 0.3).sin()).collect();
                let mut out = vec![7.0; lanes.stride];
                arch.dispatch(SumElements(&a, elements, lanes, &mut out));
                for (lane, sum) in out.iter().enumerate() {
                    let expected = (0..elements).fold(0.0, |sum, e| sum + a[e * lanes.stride + lane]);
                    let expected = if lane < count { expected } else { 7.0 };
                    assert_eq!(*sum, expected, "{set}, lane {lane} of {count}");
                }
            }
        }
    }
}

fn products_are_summed<F: Real + Float + Debug>() {
    let number = |a: f64| -> F { cast(a).expect("both types have it") };
    for (set, arch) in instruction_sets() {
        for count in 0..70 {
            let row = |by: f64| -> Vec<F> { (0..count).map(|i| number((f64::from(i) * by).sin())).collect() };
            let (a, b) = (row(0.7), row(0.3));
            let expected = a.iter().zip(&b).fold(F::zero(), |sum, (a, b)| sum + *a * *b);
            let found = arch.dispatch(SumProducts(&a, &b));
            let allowed = F::epsilon() * number(f64::from(count) + 1.0);
            assert!((found - expected).abs() <= allowed, "{set}, {count} lanes: {found:?}, {expected:?}");
        }
    }
}

#[test]
fn products_of_f64_are_summed() {
    products_are_summed::<f64>();
}

#[test]
fn products_of_f32_are_summed() {
    products_are_summed::<f32>();
}

struct SumTerms<'a, F>(&'a [Term<'a, F>], &'a mut [F]);

impl<F: Real> WithSimd for SumTerms<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        sum_terms(simd, self.0, self.1);
    }
}

fn terms_are_added_one_after_the_other<F: Real + Float + Debug>() {
    for count in 0..200 {
        let [a, b] = [3, 7].map(|begin| mixture::<F>(count, begin));
        let number = mixture::<F>(1, count)[0];
        // Conditions are 0 or 1; what is not kept may be anything.
        let condition: Vec<F> =
            (0..count).map(|i| if (i * i + i / 3) % 2 == 0 { F::zero() } else { F::one() }).collect();
        let kept = |i: usize| if condition[i] == F::zero() { F::zero() } else { a[i] };
        let terms = [
            Term::Plus(&a[..]),
            Term::PlusProduct(&b, &a),
            Term::Multiple(&b, number),
            Term::Minus(&a),
            Term::Number(number),
            Term::MinusProduct(&a, &b),
            Term::PlusWhere(&condition, &a),
            Term::MinusWhere(&condition, &a),
        ];
        // Each of them first once: what begins a sum is not added to 0, which would take the sign of -0.
        for first in 0..terms.len() {
            let order: Vec<usize> = (0..terms.len()).map(|k| (first + k) % terms.len()).collect();
            let value = |k: usize, i: usize| match k {
                0 => a[i],
                1 => b[i] * a[i],
                2 => b[i] * number,
                3 => -a[i],
                4 => number,
                5 => -(a[i] * b[i]),
                6 => kept(i),
                _ => -kept(i),
            };
            for length in 1..=terms.len() {
                let own: Vec<Term<'_, F>> = order[..length].iter().map(|k| terms[*k]).collect();
                let expected: Vec<F> = (0..count)
                    .map(|i| order[1..length].iter().fold(value(order[0], i), |sum, k| sum + value(*k, i)))
                    .collect();
                for (set, arch) in instruction_sets() {
                    let mut out = vec![F::NAN; count];
                    arch.dispatch(SumTerms(&own, &mut out));
                    assert_same(&out, &expected, &format!("{set}, {length} terms from {first} on"));
                }
            }
        }
    }
}

#[test]
fn terms_of_f64_are_added_one_after_the_other() {
    terms_are_added_one_after_the_other::<f64>();
}

#[test]
fn terms_of_f32_are_added_one_after_the_other() {
    terms_are_added_one_after_the_other::<f32>();
}

struct Cascade<'a, F>(&'a [(&'a [F], Branch<'a, F>)], Branch<'a, F>, &'a mut [F]);

impl<F: Real> WithSimd for Cascade<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        cascade(simd, self.0, self.1, self.2);
    }
}

fn the_value_of_the_first_condition_is_chosen<F: Real + Float + Debug>() {
    for count in 0..150 {
        let numbers: Vec<Vec<F>> = (0..6).map(|k| mixture::<F>(count, 5 * k + 1)).collect();
        let number = mixture::<F>(1, count)[0];
        let conditions: Vec<Vec<F>> = (0..5)
            .map(|k| {
                let holds = |i: usize| (i + 7 * k).is_multiple_of(k + 3);
                (0..count).map(|i| if holds(i) { F::one() } else { F::zero() }).collect()
            })
            .collect();
        // Every third value is one number for all results.
        let branch =
            |k: usize| if k % 3 == 2 { Branch::Number(number) } else { Branch::Numbers(&numbers[k]) };
        for length in 0..=conditions.len() {
            let choices: Vec<(&[F], Branch<'_, F>)> =
                (0..length).map(|k| (&conditions[k][..], branch(k))).collect();
            for otherwise in [branch(5), branch(0)] {
                let value = |of: Branch<'_, F>, i: usize| match of {
                    Branch::Numbers(a) => a[i],
                    Branch::Number(a) => a,
                };
                let expected: Vec<F> = (0..count)
                    .map(|i| {
                        let first = choices.iter().find(|(condition, _)| condition[i] == F::one());
                        value(first.map_or(otherwise, |(_, value)| *value), i)
                    })
                    .collect();
                for (set, arch) in instruction_sets() {
                    let mut out = vec![F::NAN; count];
                    arch.dispatch(Cascade(&choices, otherwise, &mut out));
                    assert_same(&out, &expected, &format!("{set}, {length} choices for {count} results"));
                }
            }
        }
    }
}

#[test]
fn the_first_condition_chooses_in_f64() {
    the_value_of_the_first_condition_is_chosen::<f64>();
}

#[test]
fn the_first_condition_chooses_in_f32() {
    the_value_of_the_first_condition_is_chosen::<f32>();
}
