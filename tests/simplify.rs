//! The simplifier and the bounds it uses: equal values, never a smaller domain, no blow-up; and the table of
//! log-determinants that must follow from `forward` alone.

use crate::random_programs;

use std::cell::Cell;
use std::time::Instant;

use pushforward::prelude::*;
use pushforward::sweep::bound::{Bound, Bounds};
use pushforward::sweep::simplify::{Rule, sign, simplify};
use pushforward::sweep::{Names, render, tangent};
use pushforward::tape::{Op, Subgraph};
use random_programs::{Chooser, Pool, for_seeds, numbers, off};

const D: usize = 3;

/// An expression full of what the rules look for: products, quotients, powers, exponentials, slopes.
fn expression<'t>(z: Var<'t>, choose: &mut Chooser) -> Var<'t> {
    let tape = z.tape();
    let mut pool: Vec<Var<'t>> =
        vec![z, z.tanh(), tape.parameter("p", Shape::Vector(D), Init::Constant(0.7))];
    for _ in 0..4 + choose.below(14) {
        let (a, b) = (choose.pick(&pool), choose.pick(&pool));
        let node = match choose.below(33) {
            0 => a + b,
            1 => a - b,
            2 | 3 => a * b,
            4 => a / (1.0 + b * b),
            5 => a.tanh().exp(),
            6 => (-a.tanh()).exp(),
            7 => -a,
            8 => a.tanh().powi(choose.pick(&[-1, 2, 3, 0])),
            9 => a.sigmoid() * (-a).sigmoid(),
            10 => 1.0 - a.tanh() * a.tanh(),
            11 => (1.0 + a * a).sqrt(),
            12 => (a * a).sqrt(),
            13 => a.abs(),
            // Far from ties: where both sides are equal over the reals, rounding decides.
            14 => select(a.lt(0.37 * b + 0.1234), a, 2.0 * b),
            15 => 1.0 + a,
            16 => choose.pick(&[2.0, -1.0, 0.5, 0.1]) * a,
            17 => concat([a.slice(1..D), b.slice(0..1)]).gather(&[2, 0, 1]),
            18 => (1.0 + a.softplus()).ln().exp(),
            19 => (2.0 + a.tanh()).recip(),
            20 => (2.0 + a.tanh()).pow(1.5),
            21 => a.slice(0..2).scatter(&[2, 0], Shape::Vector(D)) + b,
            22 => a.sum().broadcast(Shape::Vector(D)),
            // Of what is small: as they are written, these lose their digits in the tails.
            23 => (-a.tanh().sigmoid()).ln_1p() - a.tanh().sigmoid().ln(),
            24 => 0.5 * (a.tanh().tanh().ln_1p() - (-a.tanh().tanh()).ln_1p()),
            25 => (-a.tanh().softplus()).exp_m1() * b,
            26 => a.softplus() - (-a).softplus() + 2.0 * (b.tanh().asinh().sinh() - b.tanh().sinh().asinh()),
            27 => concat([a.slice(0..1), a.slice(1..D)]) * b.tanh().cosh(),
            28 => (a.tanh().sigmoid().ln() - (-a.tanh().sigmoid()).ln_1p()).sigmoid() + b,
            29 => a.sech_squared(),
            30 => a.asinh_slope(),
            31 => a.inverse_mills(0),
            _ => a.tanh() + 0.3,
        };
        pool.push(node);
    }
    pool[pool.len() - 1]
}

#[test]
fn simplified_expressions_are_equal_and_defined_where_they_were() {
    let (worst, checked) = (Cell::new(0.0f64), Cell::new(0u64));
    for_seeds(2000, |seed| {
        let mut choose = Chooser::new(seed);
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(D));
        let x = expression(z, &mut choose);
        for target in [x, x.abs().ln(), x.abs().ln().sum()] {
            // Nothing was written by a user: every rule may open everything.
            let simple = simplify(&tape, target.id(), 0, &[]).value;
            if simple.shape() != target.shape() {
                return Err(format!("{} became {}", target.shape(), simple.shape()));
            }
            for _ in 0..4 {
                let point: Vec<f64> = choose.numbers(D).iter().map(|z| 2.0 * z).collect();
                let both = numbers(&tape, z, &[target, simple, x], &point);
                for (k, (was, is)) in both[0].iter().zip(&both[1]).enumerate() {
                    let own = if target.len() == both[2].len() { vec![both[2][k]] } else { both[2].clone() };
                    // ln|x| near 0 loses what x has lost; large numbers lose digits too.
                    let delicate = own.iter().any(|x| !(1e-3..1e6).contains(&x.abs()));
                    if !was.is_finite() || delicate {
                        continue;
                    }
                    let error = off(*is, *was);
                    if !is.is_finite() || error > 1e-8 {
                        let names = Names::new().with(z.id(), "z");
                        let (a, b) = (render(&tape, target.id(), &names), render(&tape, simple.id(), &names));
                        return Err(format!("{was} became {is} at {point:?}\n{a}\n{b}"));
                    }
                    worst.set(worst.get().max(error));
                    checked.set(checked.get() + 1);
                }
            }
        }
        Ok(())
    });
    println!("{} values, worst relative difference {:.1e}", checked.get(), worst.get());
}

#[test]
fn simplified_derivatives_are_equal() {
    for_seeds(500, |seed| {
        let mut choose = Chooser::new(seed);
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(D));
        let x = expression(z, &mut choose);
        let first = tape.len();
        let subgraph = Subgraph::new(&tape, &[z.id()], &[x.id()]);
        let direction = tape.vector(&choose.numbers(D));
        let Some(slope) = tangent(&tape, &subgraph, &[(z.id(), direction)])[0] else { return Ok(()) };
        let simple = simplify(&tape, slope.id(), first, &[]).value;
        for _ in 0..4 {
            let point = choose.numbers(D);
            let both = numbers(&tape, z, &[slope, simple], &point);
            for (was, is) in both[0].iter().zip(&both[1]) {
                if was.is_finite() && was.abs() < 1e6 && off(*is, *was) > 1e-8 {
                    return Err(format!("{was} became {is} at {point:?}"));
                }
            }
        }
        Ok(())
    });
}

#[test]
fn bounds_hold_at_every_point() {
    for_seeds(2000, |seed| {
        let mut choose = Chooser::new(seed);
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(4));
        let inputs = [z, z.at(0), z.at(3), z.reshape(Shape::Matrix(2, 2))];
        let mut pool = Pool::new(&tape, &inputs).with_solutions();
        for _ in 0..20 {
            pool.grow(&mut choose);
        }
        let bounds = Bounds::new(&tape, &[]);
        for _ in 0..4 {
            let point: Vec<f64> = choose.numbers(4).iter().map(|z| 3.0 * z).collect();
            let values = numbers(&tape, z, &pool.nodes, &point);
            for (node, values) in pool.nodes.iter().zip(values) {
                let bound = bounds.of(node.id());
                for value in values {
                    // An open end may be met by rounding; beyond it nothing may lie.
                    let slack = 1e-12 * value.abs().max(1.0);
                    let inside = value >= bound.low.at - slack && value <= bound.high.at + slack;
                    if value.is_nan() && bound.defined || !value.is_nan() && !inside {
                        let text = render(&tape, node.id(), &Names::new().with(z.id(), "z"));
                        return Err(format!("{value} is outside of {bound:?}\n{text}"));
                    }
                }
            }
        }
        Ok(())
    });
}

#[test]
fn bounds_know_the_domain_of_an_input() {
    let tape = Tape::new();
    let z = tape.input(Shape::Scalar);
    let inside = Bounds::new(&tape, &[(z.id(), Bound::between(0.0, 1.0))]);
    assert!(inside.of((1.0 - z).id()).is_positive());
    assert!(inside.of((z / (1.0 - z)).id()).is_positive());
    assert!(inside.of((1.0 - z.pow(3.0)).id()).is_positive());
    assert!(!Bounds::new(&tape, &[]).of((1.0 - z).id()).is_positive());
}

#[test]
fn a_hundred_thousand_nested_operations_do_not_overflow_or_blow_up() {
    let small = std::thread::Builder::new().stack_size(1 << 20);
    let run = || {
        let record = [
            |x: Var<'_>, z: Var<'_>, k: usize| x_of(x, z, k, 0).id(),
            |x: Var<'_>, z: Var<'_>, k: usize| x_of(x, z, k, 1).id(),
            |x: Var<'_>, z: Var<'_>, k: usize| x_of(x, z, k, 2).id(),
            |x: Var<'_>, z: Var<'_>, k: usize| x_of(x, z, k, 3).id(),
        ];
        for (kind, step) in record.iter().enumerate() {
            let tape = Tape::new();
            let z = tape.input(Shape::Vector(2));
            let mut x = z.at(0);
            for k in 0..100_000 {
                x = tape.var(step(x, z, k));
            }
            let log = x.abs().ln();
            let size = Subgraph::new(&tape, &[z.id()], &[log.id()]).nodes().len();
            let start = Instant::now();
            let simple = simplify(&tape, log.id(), 0, &[]).value;
            let after = Subgraph::new(&tape, &[z.id()], &[simple.id()]).nodes().len();
            println!("kind {kind}: {size} nodes became {after} in {:.2} s", start.elapsed().as_secs_f64());
            assert!(after <= 3 * size, "kind {kind}: {size} nodes became {after}");
        }
    };
    small.spawn(run).expect("a thread starts").join().expect("no overflow");
}

/// One more operation: sums, products, doublings of what is shared, choices.
fn x_of<'t>(x: Var<'t>, z: Var<'t>, k: usize, kind: usize) -> Var<'t> {
    match kind {
        0 => x + z.at(k % 2) * (k as f64),
        1 => x * (z.at(k % 2) + k as f64),
        2 => x * x + x,
        _ => select(z.at(0).lt(k as f64), x, -x),
    }
}

#[test]
fn every_rule_says_what_it_is() {
    let mut names: Vec<&str> = Rule::all().map(Rule::name).collect();
    assert!(Rule::all().all(|rule| !rule.statement().is_empty() && !rule.proof().is_empty()));
    names.sort_unstable();
    let count = names.len();
    names.dedup();
    assert_eq!(names.len(), count, "two rules share a name");
    println!("{count} rules");
}

#[test]
fn side_conditions_are_needed_and_kept() {
    let tape = Tape::new();
    let z = tape.input(Shape::Scalar);
    let same = |a: Var<'_>, b: Var<'_>| simplify(&tape, a.id(), 0, &[]).value.id() == b.id();
    // √(z²) is |z|, not z; |eᶻ| is eᶻ.
    assert!(same(z.powi(2).sqrt(), z.abs()));
    assert!(same(z.exp().abs(), z.exp()));
    assert!(same((-z.exp()).abs(), z.exp()));
    // ln(z²) without bars is not opened: 2·ln z is undefined for z < 0.
    let square = simplify(&tape, (z * z.exp() * z).ln().id(), 0, &[]).value;
    assert!(numbers(&tape, z, &[square], &[-1.0])[0][0].is_finite());
    // 1 + z is ln_1p only where z > -1 is known.
    assert!(!same((1.0 + z).abs().ln(), z.ln_1p()));
    assert!(same((1.0 + z.powi(2)).abs().ln(), z.powi(2).ln_1p()));
    // 0.1 + 0.2 is not folded: the sum is not exact.
    let inexact = simplify(&tape, (0.1 + (0.2 + z)).id(), 0, &[]).value;
    assert_eq!(render(&tape, inexact.id(), &Names::new().with(z.id(), "z")), "0.1 + 0.2 + z");
    assert!(same(0.25 + (0.5 + z), 0.75 + z));
}

/// A function of one variable on a tape.
type Line = for<'t> fn(Var<'t>) -> Var<'t>;

#[test]
fn what_cancels_is_written_as_what_does_not() {
    let softplus_of_twice: Line = |z| 2f64.ln_of(z) - (-2.0 * z).softplus();
    let table: Vec<(&str, Line, Line)> = vec![
        ("1 - σ", |z| (1.0 - z.sigmoid()).abs().ln(), |z| -z.softplus()),
        ("0.3 - 0.3·σ", |z| (0.3 - 0.3 * z.sigmoid()).abs().ln(), |z| 0.3f64.ln_of(z) - z.softplus()),
        ("1 + tanh", |z| (1.0 + z.tanh()).abs().ln(), softplus_of_twice),
        (
            "(1 - σ)·σ",
            |z| ((1.0 - z.sigmoid()) * z.sigmoid()).abs().ln(),
            |z| -z.softplus() - (-z).softplus(),
        ),
        ("1 + eᶻ", |z| (1.0 + z.exp()).abs().ln(), |z| z.softplus()),
        ("eᶻ/(1 + eᶻ)", |z| (z.exp() / (1.0 + z.exp())).abs().ln(), |z| -(-z).softplus()),
        ("1 - e^-softplus", |z| (1.0 - (-z.softplus()).exp()).abs().ln(), |z| -(-z).softplus()),
        ("1 + expm1", |z| (1.0 + z.exp_m1()).abs().ln(), |z| z),
        ("e^softplus - 1", |z| (z.softplus().exp() - 1.0).abs().ln(), |z| z),
        ("expm1 softplus", |z| z.softplus().exp_m1().abs().ln(), |z| z),
        ("z - softplus z", |z| z - z.softplus(), |z| -(-z).softplus()),
        ("sign(z)·z", |z| (z.sign() * z).abs().ln(), |z| z.abs().ln()),
        ("(2z)/2", |z| (2.0 * z) / 2.0, |z| z),
        ("(-5z)/(-5)", |z| (-5.0 * z) / -5.0, |z| z),
        ("((2z + 1) - 1)/2", |z| ((2.0 * z + 1.0) - 1.0) / 2.0, |z| z),
        ("a 1×1 determinant", |z| z.reshape(Shape::Matrix(1, 1)).log_abs_det(), |z| z.abs().ln()),
        ("z + √(1 + z²)", |z| (z + (1.0 + z * z).sqrt()).abs().ln(), |z| z.asinh()),
    ];
    for (name, before, after) in table {
        let tape = Tape::new();
        let z = tape.input(Shape::Scalar);
        let (before, after) = (before(z), after(z));
        let simple = simplify(&tape, before.id(), 0, &[]).value;
        let names = Names::new().with(z.id(), "z");
        let expected = simplify(&tape, after.id(), 0, &[]).value;
        let texts = [simple, expected].map(|var| render(&tape, var.id(), &names));
        assert_eq!(texts[0], texts[1], "{name}");
    }
}

/// ln of a number as a derived formula has it.
trait LnOf {
    fn ln_of<'t>(self, z: Var<'t>) -> Var<'t>;
}

impl LnOf for f64 {
    fn ln_of<'t>(self, z: Var<'t>) -> Var<'t> {
        z.tape().constant(self).ln()
    }
}

#[test]
fn rules_are_not_used_where_their_conditions_fail() {
    let tape = Tape::new();
    let z = tape.input(Shape::Scalar);
    let simple = |before: Var<'_>| simplify(&tape, before.id(), 0, &[]).value.id();
    let value = |before: Var<'_>, at: f64| numbers(&tape, z, &[tape.var(simple(before))], &[at])[0][0];
    // ln a is not ln|a|, alone and inside of a sum of logarithms.
    assert!(value((z * z.exp()).ln(), -1.0).is_nan());
    assert!(value((2.0 * (z - z * z.sigmoid()).ln()).exp().abs().ln(), -1.0).is_nan());
    // 1 - eᶻ is below 0 for z > 0.
    assert!(value((-z.exp()).ln_1p(), 1.0).is_nan());
    // σ(ln p - ln(1 - q)) is p for q = p alone; A⁻¹·(B·v) is v for B = A alone; a determinant has minus signs.
    let (p, q) = (0.3f64, 0.09f64);
    assert!((value((z.ln() - (-z.powi(2)).ln_1p()).sigmoid(), 0.3) - p / (p + 1.0 - q)).abs() < 1e-14);
    let (a, b) = (tape.matrix(2, 2, &[2.0, 0.0, 0.0, 4.0]), tape.matrix(2, 2, &[1.0, 0.0, 0.0, 1.0]));
    assert_eq!(value(a.inverse().matvec(b.matvec(stack([z, z]))).sum(), 1.0), 0.75);
    assert!((value(tape.matrix(2, 2, &[1.0, 2.0, 3.0, 4.0]).log_abs_det(), 1.0) - 2f64.ln()).abs() < 1e-15);
    // Of a choice between equals the condition may be undefined.
    assert_eq!(simple(select(z.lt(0.3), z, z)), z.id());
    assert_ne!(simple(select(z.ln().lt(0.3), z, z)), z.id());
    // Numbers are multiplied and divided only where nothing is rounded, and where nothing underflows.
    for (a, b) in [(0.1, 3.0), (1e-200, 1e-123)] {
        assert_ne!(simple(a * (b * z)), simple((a * b) * z), "{a}·{b}");
        assert_ne!(simple(a * (b * z) + 1.0), simple((a * b) * z + 1.0), "{a}·{b}");
    }
    assert_eq!(simple(0.5 * (3.0 * z)), simple(1.5 * z));
    assert_ne!(simple((1e17 * z) / 3.0), simple((1e17 / 3.0) * z));
    // A power of a negative number has a value in doubles, which its logarithm has not.
    assert!((value((1.0 - z.pow(2.0)).abs().ln(), -2.0) - 3f64.ln()).abs() < 1e-14);
    // (√z)² has none below 0; 1 - s²/(1 + z²) is 1/(1 + z²) for s = z alone.
    assert!(value((1.0 - z.sqrt().powi(2)).abs().ln(), -2.0).is_nan());
    assert!(value((1.0 + z.exp() * z.sqrt().powi(2)).abs().ln(), -2.0).is_nan());
    let (s, t) = (0.5f64.sinh(), 1.25);
    let found = value((1.0 - z.sinh().powi(2) / (1.0 + z.powi(2))).abs().ln(), 0.5);
    assert!((found - (1.0 - s * s / t).abs().ln()).abs() < 1e-14, "{found}");
    // sign(z)/z is 1/|z|, and (-z)² is z².
    assert!((value(z.sign() / z, -2.0) - 0.5).abs() < 1e-15 && value((-z).powi(2) * z.exp(), 0.5) > 0.0);
    // ln(z² + 4) goes with asinh(z/2) alone.
    for c in [2.0, 3.0] {
        let found = value(((-2.0 * (z / c).asinh()).exp() * (z * z + 4.0)).abs().ln(), 1.0);
        let expected = -2.0 * (1.0 / c).asinh() + 5f64.ln();
        assert!((found - expected).abs() < 1e-14, "{c}: {found}, not {expected}");
    }
}

#[test]
fn a_sign_is_that_of_every_value() {
    let tape = Tape::new();
    let z = tape.input(Shape::Scalar);
    let of = |node: Var<'_>| sign(&tape, node.id(), 0, &[]);
    assert_eq!(of(z.exp()), Some(1.0));
    assert_eq!(of(z.ln().exp()), None, "it has no value for z < 0");
    assert_eq!(of(select(z.lt(0.3), z.exp(), -z.exp())), None);
    assert_eq!(of(select(z.lt(0.3), -z.exp(), -2.0 * z.exp())), Some(-1.0));
    // σ - σ² is σ·(1 - σ).
    let share = z.sigmoid() - z.sigmoid().powi(2);
    assert_eq!(of(share), Some(1.0));
    assert_eq!(of(share * -z.exp()), Some(-1.0));
    assert_eq!(of(-z.exp() * share), Some(-1.0));
    assert_eq!(of(share / -z.exp()), Some(-1.0));
    let square = z.ln_normal_cdf().powi(2);
    assert_eq!(of(square * z.sigmoid() - square * z.sigmoid().powi(2)), Some(1.0));
}

#[test]
fn new_rules_keep_to_their_domains() {
    let tape = Tape::new();
    let z = tape.input(Shape::Scalar);
    let value = |log: Var<'_>, at: f64| {
        let simple = simplify(&tape, log.id(), 0, &[]).value;
        numbers(&tape, z, &[simple], &[at])[0][0]
    };
    // √z and z^½ have no value at -2, and neither has their logarithm, nor that of 1 less them.
    assert!(value(z.sqrt().abs().ln(), -2.0).is_nan());
    assert!(value(z.pow(0.5).abs().ln(), -2.0).is_nan());
    assert!(value((1.0 - z.sqrt()).abs().ln(), -2.0).is_nan());
    // ln|eᶻ - 1| on both sides of 0, and where eᶻ is ∞.
    for at in [-3.0, -1e-9, 1e-9, 3.0f64] {
        let expected = at.exp_m1().abs().ln();
        assert!((value((z.exp() - 1.0).abs().ln(), at) - expected).abs() < 1e-14, "{at}");
    }
    assert_eq!(value((z.exp() - 1.0).abs().ln(), 1000.0), 1000.0);
    // z + √(z² - 1) is no asinh; z + √(z² + 4) is one of z/2.
    assert_eq!(value((z + (z * z - 1.0).sqrt()).abs().ln(), 1.0), 0.0);
    let expected = 2f64.ln() + (-5e9f64).asinh();
    assert!((value((z + (z * z + 4.0).sqrt()).abs().ln(), -1e10) - expected).abs() < 1e-13);
    // The greatest exponents neither overflow nor change a sign.
    for k in [i32::MIN, i32::MAX, i32::MIN + 1] {
        let power = (z.powi(k) * z.powi(k)).abs().ln();
        let simple = simplify(&tape, power.id(), 0, &[]).value;
        let expected = 2.0 * f64::from(k) * 1.5f64.ln();
        let found = numbers(&tape, z, &[simple], &[1.5])[0][0];
        assert!((found - expected).abs() <= 1e-15 * expected.abs(), "{k}: {found}");
    }
    // A determinant of numbers is folded only where no step is rounded.
    let folded = |values: &[f64]| {
        let det = tape.matrix(3, 3, values).log_abs_det();
        let simple = simplify(&tape, det.id(), 0, &[]).value;
        Subgraph::new(&tape, &[], &[simple.id()]).nodes().iter().all(|id| tape.node(*id).op != Op::LogAbsDet)
    };
    assert!(folded(&[2.0, 3.0, 1.0, 1.0, 4.0, 1.0, 0.0, 1.0, 5.0]));
    assert!(!folded(&[0.1, 0.3, 0.7, 0.1, 0.2, 0.3, 0.7, 0.9, 0.4]));
}
