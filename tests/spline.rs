//! Monotone splines against exact rational arithmetic, in flat and steep bins; exactness at knots; very large
//! element parameters; the circle.

use std::f64::consts::PI;

use num_rational::BigRational;
use num_traits::{One, ToPrimitive, Zero};
use pushforward::bijection::{forward_with_log_det, inverse_with_log_det, record_inverse};
use pushforward::layers::MonotoneSpline;
use pushforward::prelude::*;
use pushforward::program::{Output, Program};
use pushforward::sweep::adjoint;
use pushforward::tape::Subgraph;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A layer of one variable, ready to run.
struct Curve {
    forward: Program<f64>,
    inverse: Program<f64>,
}

impl Curve {
    fn new(layer: &dyn Bijection, parameters: &Parameters) -> Curve {
        let all = |tape: &Tape| {
            let mut all = Parameters::initialise(tape, 0);
            parameters.iter().for_each(|(name, t)| all.set(name, t.shape, t.values.clone()).unwrap());
            all
        };
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(1));
        let pushed = forward_with_log_det(layer, z).unwrap();
        let outputs = [pushed.x, pushed.log_det].map(|var| Output::Each(var.id()));
        let mut forward = Program::compile(&tape, &[z.id()], &outputs);
        forward.load(&all(&tape)).unwrap();
        let tape = Tape::new();
        let x = tape.input(Shape::Vector(1));
        let z = record_inverse(layer, x).unwrap();
        let mut inverse = Program::compile(&tape, &[x.id()], &[Output::Each(z.id())]);
        inverse.load(&all(&tape)).unwrap();
        Curve { forward, inverse }
    }

    /// x and ln dx/dz.
    fn forward(&mut self, z: &[f64]) -> (Vec<f64>, Vec<f64>) {
        let mut both = self.forward.run(&[z], z.len()).unwrap();
        let log_det = both.pop().unwrap();
        (both.pop().unwrap(), log_det)
    }

    fn inverse(&mut self, x: &[f64]) -> Vec<f64> {
        self.inverse.run(&[x], x.len()).unwrap().swap_remove(0)
    }
}

/// A number as the fraction that it is.
fn fraction(value: f64) -> BigRational {
    BigRational::from_float(value).unwrap()
}

/// x and dx/dz as Durkan et al. print them (eqs. 4 and 5), without any rounding.
fn exact(z: f64, x: &[f64], y: &[f64], slopes: &[f64]) -> (BigRational, BigRational) {
    let last = x.len() - 1;
    let line = |k: usize| {
        let slope = fraction(slopes[k]);
        (fraction(y[k]) + &slope * (fraction(z) - fraction(x[k])), slope)
    };
    if z < x[0] || z >= x[last] {
        return line(if z < x[0] { 0 } else { last });
    }
    let k = (0..last).rev().find(|k| z >= x[*k]).unwrap();
    let (width, height) = (fraction(x[k + 1]) - fraction(x[k]), fraction(y[k + 1]) - fraction(y[k]));
    let (d0, d1) = (fraction(slopes[k]), fraction(slopes[k + 1]));
    let s = &height / &width;
    let t = (fraction(z) - fraction(x[k])) / &width;
    let rest = BigRational::one() - &t;
    let two = BigRational::one() + BigRational::one();
    let under = &s + (&d1 + &d0 - &two * &s) * &t * &rest;
    let value = fraction(y[k]) + &height * (&s * &t * &t + &d0 * &t * &rest) / &under;
    let over = &d1 * &t * &t + &two * &s * &t * &rest + &d0 * &rest * &rest;
    (value, &s * &s * over / (&under * &under))
}

/// MonotoneSpline whose bins are of very different sizes, and slopes between 1e-5 and 1e5.
fn wild_knots(random: &mut ChaCha8Rng) -> (Vec<f64>, Vec<f64>, Vec<f64>) {
    let bins = random.random_range(2..9);
    let mut between = |low: f64, high: f64| 10f64.powf(low + (high - low) * random.random::<f64>());
    let (mut x, mut y) = (vec![-3.0], vec![-2.0]);
    for k in 0..bins {
        x.push(x[k] + between(-4.0, 0.0));
        y.push(y[k] + between(-4.0, 0.0));
    }
    let slopes = (0..=bins).map(|_| between(-5.0, 5.0)).collect();
    (x, y, slopes)
}

/// Points in every bin, as near to its ends as floats go, and far outside.
fn points(x: &[f64]) -> Vec<f64> {
    let mut points = vec![-700.0, 700.0, x[0] - 1.0, x[0] - 1e-9, x[x.len() - 1] + 1e-9];
    for pair in x.windows(2) {
        let width = pair[1] - pair[0];
        points.extend([pair[0], pair[0].next_up(), pair[1].next_down(), pair[1], pair[1].next_up()]);
        points.extend((1..10).map(|k| pair[0] + width * f64::from(k) / 10.0));
        points.extend((2..14).flat_map(|k| {
            let near = width * 10f64.powi(-k);
            [pair[0] + near, pair[1] - near]
        }));
    }
    points
}

#[test]
fn flat_and_steep_bins_are_exact_both_ways() {
    let mut random = ChaCha8Rng::seed_from_u64(0);
    let (mut worst, mut count) = ([0.0f64; 3], 0);
    for _ in 0..12 {
        let (x, y, slopes) = wild_knots(&mut random);
        let mut curve = Curve::new(
            &RationalQuadraticSpline::fixed(1, x.clone(), y.clone(), slopes.clone()),
            &Parameters::default(),
        );
        let z = points(&x);
        let (values, log_slopes) = curve.forward(&z);
        let back = curve.inverse(&values);
        for (k, z) in z.iter().enumerate() {
            let (value, slope) = exact(*z, &x, &y, &slopes);
            let expected = value.to_f64().unwrap();
            worst[0] = worst[0].max((values[k] - expected).abs() / expected.abs().max(1.0));
            let expected = slope.to_f64().unwrap().ln();
            worst[1] = worst[1].max((log_slopes[k] - expected).abs() / expected.abs().max(1.0));
            // How far z is off is what f makes of it, by the slope there.
            let (value, slope) = exact(back[k], &x, &y, &slopes);
            let off = ((value - fraction(values[k])) / &slope).to_f64().unwrap().abs();
            let allowed = 1.0 + back[k].abs() + values[k].abs() / slope.to_f64().unwrap();
            worst[2] = worst[2].max(off / allowed);
            count += 1;
        }
    }
    println!("{count} points: x {:.1e}, ln dx/dz {:.1e}, z {:.1e}", worst[0], worst[1], worst[2]);
    assert!(worst.iter().all(|worst| *worst < 1e-12), "{worst:?}");
}

#[test]
fn knots_are_met_to_the_last_bit_and_the_curve_ascends_across_them() {
    let mut random = ChaCha8Rng::seed_from_u64(1);
    for _ in 0..100 {
        let (x, y, slopes) = wild_knots(&mut random);
        let layer = RationalQuadraticSpline::fixed(1, x.clone(), y.clone(), slopes.clone());
        let mut curve = Curve::new(&layer, &Parameters::default());
        assert_eq!(curve.forward(&x).0, y);
        for (knot, slope) in x.iter().zip(&slopes) {
            let (below, above) = (knot.next_down(), knot.next_up());
            let [left, at, right] = curve.forward(&[below, *knot, above]).0[..] else {
                unreachable!("three")
            };
            // Slopes change within a bin, but not within two steps of a double.
            let step = 2.0 * slope * (above - below) + 4.0 * f64::EPSILON * at.abs().max(1.0);
            assert!(at - left <= step && right - at <= step, "a jump at {knot}: {left}, {at}, {right}");
            assert!(left <= at + f64::EPSILON * at.abs() && at <= right, "{left}, {at}, {right} descend");
        }
    }
}

#[test]
fn learned_knots_start_where_they_were_given() {
    let (x, y) = ([-3.0, -1.0, 0.2, 2.0], [-2.0, -1.5, 1.0, 4.0]);
    let slopes = [0.5, 0.2, 3.0, 1.5];
    let fixed = RationalQuadraticSpline::fixed(1, x, y, slopes);
    let learned = RationalQuadraticSpline::learned(1, x, y, slopes);
    let z: Vec<f64> = (-50..50).map(|k| f64::from(k) / 10.0 + 0.01).collect();
    let both = [fixed, learned].map(|layer| Curve::new(&layer, &Parameters::default()).forward(&z));
    for (a, b) in both[0].0.iter().chain(&both[0].1).zip(both[1].0.iter().chain(&both[1].1)) {
        assert!((a - b).abs() < 1e-14 * a.abs().max(1.0), "{a} became {b}");
    }
}

/// Numbers of a spline with these values, cycled through.
fn numbers(bins: usize, values: &[f64]) -> Parameters {
    let mut parameters = Parameters::default();
    for (k, (name, count)) in [("widths", bins), ("heights", bins), ("slopes", bins - 1)].iter().enumerate() {
        let list = (0..*count).map(|e| values[(e + k) % values.len()]).collect();
        parameters.set(name, Shape::Vector(*count), list).unwrap();
    }
    parameters
}

const LEAST: SplineConstraint = SplineConstraint::Minimum { width: 1e-3, height: 1e-3, slope: 1e-3 };

#[test]
fn numbers_of_any_size_make_a_bijection() {
    let soft = SplineConstraint::SoftClipped { slope: 1e-3 };
    for rule in [LEAST, soft] {
        for values in [[700.0, -700.0, 0.0], [1e300, -1e300, 1.0], [-5e3, -5e3, -5e3], [30.0, 31.0, -30.0]] {
            let spline = SplineTransformer::new(8, 3.0).with_constraint(rule);
            let layer = RationalQuadraticSpline::bounded(1, spline);
            let mut curve = Curve::new(&layer, &numbers(8, &values));
            // An even number of steps would meet an inner knot of a regular spline.
            let z: Vec<f64> = (0..=1001).map(|k| -4.0 + 8.0 * f64::from(k) / 1001.0).collect();
            let (x, log_slopes) = curve.forward(&z);
            assert!(x.windows(2).all(|pair| pair[0] < pair[1]), "{rule:?} of {values:?} does not ascend");
            assert!(log_slopes.iter().all(|slope| slope.is_finite()));
            let outside = z.iter().zip(&x).filter(|(z, _)| z.abs() > 3.0);
            assert!(outside.clone().count() > 200);
            outside.for_each(|(z, x)| assert!((x - z).abs() < 1e-14, "{z} became {x}"));
            for ((z, back), slope) in z.iter().zip(curve.inverse(&x)).zip(&log_slopes) {
                let allowed = 1e-12 * (1.0 + z.abs() * (1.0 + (-slope).exp()));
                assert!((z - back).abs() < allowed, "{rule:?}: {z} came back as {back}");
            }
        }
    }
}

#[test]
fn a_spline_coupling_starts_as_the_identity() {
    let layer =
        SplineCoupling::new(CouplingMask::first_half(4), Network::new([6]), SplineTransformer::new(8, 3.0));
    let recording = record(&layer).unwrap();
    let parameters = Parameters::initialise(recording.tape(), 5);
    let outputs = [recording.output(), recording.log_det()].map(|var| Output::Each(var.id()));
    let mut program = Program::<f64>::compile(recording.tape(), &[recording.input().id()], &outputs);
    program.load(&parameters).unwrap();
    let z: Vec<f64> = (0..400).map(|k| 5.0 * (f64::from(k) * 0.37).sin()).collect();
    let results = program.run(&[&z], 100).unwrap();
    assert!(z.iter().zip(&results[0]).all(|(z, x)| (x - z).abs() < 1e-14));
    assert!(results[1].iter().all(|log_det| log_det.abs() < 1e-14));
}

#[test]
fn gradients_by_the_numbers_are_difference_quotients_also_where_they_tie() {
    // All equal, as at the start of a fit: the largest of them is taken away all the same.
    let ties: [&[f64]; 3] = [&[0.0], &[0.7, 0.7, -0.3], &[1.3, -0.8, 0.4, 0.1]];
    for (values, rule) in ties
        .iter()
        .flat_map(|values| [(values, LEAST), (values, SplineConstraint::SoftClipped { slope: 1e-3 })])
    {
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(1));
        let layer = RationalQuadraticSpline::bounded(1, SplineTransformer::new(5, 3.0).with_constraint(rule));
        let pushed = forward_with_log_det(&layer, z).unwrap();
        let x = tape.input(Shape::Vector(1));
        let back = record_inverse(&layer, x).unwrap();
        let wanted = (pushed.x.sum() + 0.7 * pushed.log_det, back.sum());
        let by = |of: Var<'_>, input: Var<'_>| {
            let subgraph = Subgraph::new(&tape, &[input.id()], &[of.id()]);
            let seed = [(of.id(), tape.constant(1.0))];
            let gradients = adjoint(&tape, &subgraph, &seed, &tape.parameters());
            gradients
                .into_iter()
                .map(|gradient| gradient.expect("it depends on all numbers").id())
                .collect::<Vec<_>>()
        };
        let outputs = [by(wanted.0, z), by(wanted.1, x)];
        for (of, input, gradients) in [(wanted.0, z, &outputs[0]), (wanted.1, x, &outputs[1])] {
            let all: Vec<Output> = [of.id()].iter().chain(gradients).map(|id| Output::Each(*id)).collect();
            let mut program = Program::<f64>::compile(&tape, &[input.id()], &all);
            let start = numbers(5, values);
            for at in [-2.7, -1.1, 0.13, 0.9, 2.3] {
                program.load(&start).unwrap();
                let found = program.run(&[&[at]], 1).unwrap();
                for (k, name) in ["widths", "heights", "slopes"].iter().enumerate() {
                    for (e, gradient) in found[1 + k].iter().enumerate() {
                        let mut moved = |step: f64| {
                            let mut parameters = start.clone();
                            let (_, tensor) = parameters.iter_mut().find(|(n, _)| n == name).unwrap();
                            tensor.values[e] += step;
                            program.load(&parameters).unwrap();
                            program.run(&[&[at]], 1).unwrap()[0][0]
                        };
                        let mut quotient = |h: f64| (moved(h) - moved(-h)) / (2.0 * h);
                        let [a, b, c] = [4e-4, 2e-4, 1e-4].map(&mut quotient);
                        // The errors of first order (a soft clip is bent at 0) and of second order cancel.
                        let expected = (4.0 * (2.0 * c - b) - (2.0 * b - a)) / 3.0;
                        assert!(
                            (gradient - expected).abs() < 1e-8 * expected.abs().max(1.0),
                            "{rule:?} of {values:?}: by {name}[{e}] at {at}: {gradient} against {expected}"
                        );
                    }
                }
            }
        }
    }
}

#[test]
fn a_circular_spline_is_smooth_where_the_ends_meet() {
    let knots = ([-PI, -1.0, 0.5, PI], [-PI, -2.0, 1.5, PI], [0.8, 1.5, 0.3, 0.8]);
    for turn in [0.0, 1.3, -2.0, 3.1, 1.3 + 4.0 * PI] {
        let layer = CircularSpline::fixed(1, knots.0, knots.1, knots.2).turned(turn);
        let mut curve = Curve::new(&layer, &Parameters::default());
        // Across ±π of z, and across ±π of z + turn.
        let seam = if turn.abs() < PI { PI - turn } else { PI - 1.3 };
        let seam = if seam >= PI { seam - 2.0 * PI } else { seam };
        for place in [PI, seam] {
            let angle = |offset: f64| {
                let z = place + offset;
                if z >= PI {
                    z - 2.0 * PI
                } else if z < -PI {
                    z + 2.0 * PI
                } else {
                    z
                }
            };
            let (x, slopes) = curve.forward(&[angle(-1e-7), angle(1e-7)]);
            let gap = Domain::Circle.difference(0, x[1], x[0]);
            assert!((0.0..1e-6).contains(&gap), "turn {turn}, at {place}: {} and {}", x[0], x[1]);
            assert!((slopes[0] - slopes[1]).abs() < 1e-5, "turn {turn}, at {place}: {slopes:?}");
            assert!(Domain::Circle.contains(&x));
        }
        // All of the circle is reached once: the image of a full turn winds round once, always forward.
        let z: Vec<f64> = (0..=2000).map(|k| -PI + 2.0 * PI * f64::from(k) / 2001.0).collect();
        let (x, _) = curve.forward(&z);
        let steps: Vec<f64> =
            x.windows(2).map(|pair| Domain::Circle.difference(0, pair[1], pair[0])).collect();
        assert!(steps.iter().all(|step| *step > 0.0), "turn {turn}");
        let around = steps.iter().sum::<f64>() + Domain::Circle.difference(0, x[0], x[2000]);
        assert!((around - 2.0 * PI).abs() < 1e-12, "turn {turn}: {around}");
        for (z, back) in z.iter().zip(curve.inverse(&x)) {
            assert!(Domain::Circle.difference(0, *z, back).abs() < 1e-12, "{z} came back as {back}");
        }
    }
}

#[test]
#[should_panic(expected = "the knots of a monotone spline ascend")]
fn knots_that_descend_are_refused() {
    RationalQuadraticSpline::fixed(1, [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]);
}

#[test]
#[should_panic(expected = "one positive slope at both ends")]
fn a_circular_spline_with_a_kink_at_the_seam_is_refused() {
    CircularSpline::fixed(1, [-PI, PI], [-PI, PI], [1.0, 2.0]);
}

#[test]
fn exact_arithmetic_knows_a_straight_line() {
    let (value, slope) = exact(0.5, &[-1.0, 1.0], &[-2.0, 2.0], &[2.0, 2.0]);
    assert_eq!(value, BigRational::one());
    assert!((slope - fraction(2.0)).is_zero());
}

/// A program of z - ln|det J| and ln|det J|, with the same random parameters each time.
fn run_at_random(tape: &Tape, x: Var<'_>, z: Var<'_>, log_det: Var<'_>) -> Program<f64> {
    let mut random = ChaCha8Rng::seed_from_u64(4);
    let mut parameters = Parameters::initialise(tape, 0);
    for (name, tensor) in parameters.clone().iter() {
        let values = tensor.values.iter().map(|_| random.random_range(-2.0..2.0)).collect();
        parameters.set(name, tensor.shape, values).unwrap();
    }
    let outputs = [z.sum() - log_det, log_det].map(|var| Output::Each(var.id()));
    let mut program = Program::compile(tape, &[x.id()], &outputs);
    program.load(&parameters).unwrap();
    program
}

#[test]
fn a_density_looks_for_a_bin_once() {
    let bins = 6;
    let spline = SplineTransformer::new(bins, 3.0);
    let layer = SplineCoupling::new(CouplingMask::first_half(5), Network::new([7]), spline);
    let tape = Tape::new();
    let x = tape.input(Shape::Vector(5));
    let recorded = inverse_with_log_det(&layer, x).unwrap();
    let program = run_at_random(&tape, x, recorded.z, recorded.log_det);
    let text = program.to_string();
    // Its K + 1 knots, and none again.
    assert_eq!(text.matches("= less ").count(), bins + 1, "{text}");
    // The same as by two searches: z by the inverse, and the log-determinant that is recorded forwards at this z.
    let tape = Tape::new();
    let x = tape.input(Shape::Vector(5));
    let z = record_inverse(&layer, x).unwrap();
    let apart = forward_with_log_det(&layer, z).unwrap();
    let by_two = run_at_random(&tape, x, z, apart.log_det);
    let mut random = ChaCha8Rng::seed_from_u64(3);
    let rows: Vec<f64> = (0..5 * 2000).map(|_| random.random_range(-4.0..4.0)).collect();
    let (found, expected) = (program.run(&[&rows], 2000).unwrap(), by_two.run(&[&rows], 2000).unwrap());
    let mut moved = 0;
    for (found, expected) in found.iter().flatten().zip(expected.iter().flatten()) {
        assert!((found - expected).abs() < 1e-12 * expected.abs().max(1.0), "{found}, not {expected}");
        moved += usize::from(expected.abs() > 1e-3);
    }
    assert!(moved > 1000, "the splines bend");
}

/// A spline whose inverse is that of the spline, a little further on.
struct Beside;

impl Beside {
    fn spline(tape: &Tape) -> MonotoneSpline<'_> {
        MonotoneSpline::fixed(tape, 1, &[-1.0, 0.0, 2.0], &[-1.0, 1.0, 2.0], &[1.0, 2.0, 0.5])
    }
}

impl Bijection for Beside {
    fn dim(&self) -> usize {
        1
    }

    fn structure(&self) -> Structure {
        Structure::Diagonal
    }

    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        Beside::spline(z.tape()).forward(z)
    }

    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        Some(Beside::spline(x.tape()).inverse(x) + 1e-3)
    }
}

#[test]
fn a_wrong_inverse_is_refuted_though_it_knows_the_bin() {
    assert!(!audit(&Beside).unwrap().has_no_refutation());
}
