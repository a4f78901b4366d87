//! The elementary functions of the kernels against 50 digits, for both number types and every instruction
//! set.
//!
//! `KERNEL_POINTS=1000000 cargo test --release --test library kernel_accuracy:: -- --nocapture` uses that many points.

use astro_float_num::{BigFloat, Consts, Radix, RoundingMode};
use pushforward::kernel::{
    Arch, Exp, ExpM1, Ln, Ln1p, Real, SechSquared, Sigmoid, Simd, Softplus, Tanh, TanhAndSlope, WithSimd,
    instruction_sets, map, map_pair,
};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

#[derive(Clone, Copy, Debug, PartialEq)]
enum Elementary {
    Exp,
    ExpM1,
    Ln,
    Ln1p,
    Tanh,
    /// Of the two together.
    TanhOfBoth,
    SechSquared,
    Sigmoid,
    Softplus,
}
use Elementary as E;

struct Run<'a, F> {
    function: Elementary,
    a: &'a [F],
    out: &'a mut [F],
}

impl<F: Real> WithSimd for Run<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let Run { function, a, out } = self;
        match function {
            E::Exp => map(simd, Exp, a, out),
            E::ExpM1 => map(simd, ExpM1, a, out),
            E::Ln => map(simd, Ln, a, out),
            E::Ln1p => map(simd, Ln1p, a, out),
            E::Tanh => map(simd, Tanh, a, out),
            E::TanhOfBoth => map_pair(simd, TanhAndSlope, a, out, &mut vec![F::NAN; a.len()]),
            E::SechSquared => map(simd, SechSquared, a, out),
            E::Sigmoid => map(simd, Sigmoid, a, out),
            E::Softplus => map(simd, Softplus, a, out),
        }
    }
}

fn values<F: Real>(arch: Arch, function: Elementary, a: &[F]) -> Vec<F> {
    let mut out = vec![F::NAN; a.len()];
    arch.dispatch(Run { function, a, out: &mut out });
    out
}

/// What the tests need of a number type beyond the kernels.
trait Format: Real {
    const NAME: &'static str;
    /// Binary digits, and the exponent of the smallest number.
    const DIGITS: i32;
    const LOWEST: i32;
    /// The exponent of the first power of two that is ∞.
    const OVERFLOW: i32;
    fn of(a: f64) -> Self;
    fn double(self) -> f64;
    fn of_bits(bits: u64) -> Self;
    /// The number so many places further up.
    fn moved(self, places: i64) -> Self;
}

impl Format for f64 {
    const NAME: &'static str = "f64";
    const DIGITS: i32 = 53;
    const LOWEST: i32 = -1074;
    const OVERFLOW: i32 = 1024;
    fn of(a: f64) -> f64 {
        a
    }
    fn double(self) -> f64 {
        self
    }
    fn of_bits(bits: u64) -> f64 {
        f64::from_bits(bits)
    }
    fn moved(self, places: i64) -> f64 {
        f64::from_bits(self.to_bits().wrapping_add_signed(places))
    }
}

impl Format for f32 {
    const NAME: &'static str = "f32";
    const DIGITS: i32 = 24;
    const LOWEST: i32 = -149;
    const OVERFLOW: i32 = 128;
    fn of(a: f64) -> f32 {
        a as f32
    }
    fn double(self) -> f64 {
        f64::from(self)
    }
    fn of_bits(bits: u64) -> f32 {
        f32::from_bits(bits as u32)
    }
    fn moved(self, places: i64) -> f32 {
        f32::from_bits(self.to_bits().wrapping_add_signed(places as i32))
    }
}

/// Numbers of 192 bits.
struct Reference(Consts);

const PRECISION: usize = 192;
const ROUNDING: RoundingMode = RoundingMode::ToEven;

fn big(a: f64) -> BigFloat {
    if a != 0.0 && a.abs() < f64::MIN_POSITIVE {
        // The conversion is wrong by a factor of two below the normal numbers.
        let mut lifted = big(a * 2f64.powi(64));
        lifted.set_exponent(lifted.exponent().expect("it is finite") - 64);
        return lifted;
    }
    BigFloat::from_f64(a, PRECISION)
}

impl Reference {
    fn new() -> Reference {
        Reference(Consts::new().expect("room for constants"))
    }

    fn exact(&mut self, function: Elementary, a: f64) -> BigFloat {
        match function {
            E::Exp => self.exp(&big(a)),
            E::ExpM1 => self.exp_m1(&big(a)),
            E::Ln => self.ln(&big(a)),
            E::Ln1p => self.ln_1p(&big(a)),
            E::Tanh | E::TanhOfBoth => {
                let e = self.exp_m1(&big(2.0 * a));
                e.div(&add(&e, &big(2.0)), PRECISION, ROUNDING)
            }
            E::SechSquared => {
                let e = self.exp(&big(-2.0 * a.abs()));
                let denominator = add(&e, &big(1.0));
                let square = multiply(&denominator, &denominator);
                multiply(&e, &big(4.0)).div(&square, PRECISION, ROUNDING)
            }
            E::Sigmoid => {
                let e = self.exp(&big(-a));
                big(1.0).div(&add(&e, &big(1.0)), PRECISION, ROUNDING)
            }
            E::Softplus => {
                let e = self.exp(&big(-a.abs()));
                add(&big(a.max(0.0)), &self.ln_1p(&e))
            }
        }
    }

    fn exp(&mut self, a: &BigFloat) -> BigFloat {
        a.exp(PRECISION, ROUNDING, &mut self.0)
    }

    fn ln(&mut self, a: &BigFloat) -> BigFloat {
        a.ln(PRECISION, ROUNDING, &mut self.0)
    }

    /// By its series where the difference would lose digits.
    fn exp_m1(&mut self, a: &BigFloat) -> BigFloat {
        if is_small(a) {
            let mut term = a.clone();
            let mut sum = a.clone();
            for n in 2..18 {
                term = multiply(&term, a).div(&big(f64::from(n)), PRECISION, ROUNDING);
                sum = add(&sum, &term);
            }
            sum
        } else {
            add(&self.exp(a), &big(-1.0))
        }
    }

    fn ln_1p(&mut self, a: &BigFloat) -> BigFloat {
        if is_small(a) {
            let mut power = a.clone();
            let mut sum = a.clone();
            for n in 2..18 {
                power = multiply(&power, &a.neg());
                sum = add(&sum, &power.div(&big(f64::from(n)), PRECISION, ROUNDING));
            }
            sum
        } else {
            self.ln(&add(a, &big(1.0)))
        }
    }
}

fn add(a: &BigFloat, b: &BigFloat) -> BigFloat {
    a.add(b, PRECISION, ROUNDING)
}

fn multiply(a: &BigFloat, b: &BigFloat) -> BigFloat {
    a.mul(b, PRECISION, ROUNDING)
}

/// |a| < 2⁻¹⁰
fn is_small(a: &BigFloat) -> bool {
    a.is_zero() || a.exponent().is_some_and(|exponent| exponent < -10)
}

/// The distance of a value from the exact one, in units of the last place of the exact one.
fn ulps<F: Format>(value: F, exact: &BigFloat) -> f64 {
    let value = value.double();
    if value.is_nan() {
        return f64::INFINITY;
    }
    let value = if value.is_finite() {
        big(value)
    } else {
        // As far as a rounding is concerned, ∞ is the first number that is too large.
        let mut edge = big(value.signum());
        edge.set_exponent(F::OVERFLOW + 1);
        edge
    };
    let mut distance = value.sub(exact, PRECISION, ROUNDING).abs();
    let Some(exponent) = exact.exponent() else {
        return if distance.is_zero() { 0.0 } else { f64::INFINITY };
    };
    if exponent > F::OVERFLOW && value.exponent() == Some(F::OVERFLOW + 1) {
        return 0.0;
    }
    if distance.is_zero() {
        return 0.0;
    }
    let unit = (exponent - F::DIGITS).max(F::LOWEST);
    distance.set_exponent(distance.exponent().expect("it is finite") - unit);
    let (words, _, _, exponent, _) = distance.as_raw_parts().expect("it is finite");
    let leading = *words.last().expect("a number has words") as f64 * 2f64.powi(-64);
    leading * 2f64.powi(exponent)
}

/// Where a function is looked at: an interval, and numbers near which something changes.
struct Terrain {
    function: Elementary,
    /// Per number type, f64 and f32.
    interval: [(f64, f64); 2],
    centres: Vec<f64>,
}

fn terrain(function: Elementary) -> Terrain {
    let ln_2 = std::f64::consts::LN_2;
    let root_2 = std::f64::consts::SQRT_2;
    // Where the exponential goes from one power of two to the next.
    let halves = |scale: f64| (-30..30).map(move |k| (f64::from(k) + 0.5) * scale);
    let (interval, centres): ([(f64, f64); 2], Vec<f64>) = match function {
        E::Exp => {
            let edges =
                [709.782712893384, -708.396418532264, -745.13321910194, 88.722839, -87.33655, -103.97208];
            ([(-746.0, 710.0), (-105.0, 89.0)], halves(ln_2).chain(edges).chain([0.0]).collect())
        }
        E::ExpM1 => {
            let edges = [0.0, 709.782712893384, 88.722839, -37.4, -36.7, -17.3, -16.6];
            ([(-40.0, 710.0), (-20.0, 89.0)], halves(ln_2).chain(edges).collect())
        }
        E::Ln => {
            let edges = (-20..20).map(|k| root_2 * 2f64.powi(k)).chain([1.0, 2.0, 0.5]);
            let limits = [f64::MIN_POSITIVE, f64::from_bits(1), f64::MAX];
            let limits =
                limits.into_iter().chain([f32::MIN_POSITIVE, f32::from_bits(1), f32::MAX].map(f64::from));
            ([(0.0, 4.0), (0.0, 4.0)], edges.chain(limits).collect())
        }
        E::Ln1p => {
            let edges = (-20..60).map(|k| root_2 * 2f64.powi(k) - 1.0).chain([0.0, -1.0, 1.0, -0.5]);
            let limits = [f64::MAX, f64::from(f32::MAX), 2f64.powi(1000), 2f64.powi(100)];
            ([(-1.0, 3.0), (-1.0, 3.0)], edges.chain(limits).collect())
        }
        E::Tanh | E::TanhOfBoth => {
            let edges = [0.0, 0.5 * 3f64.ln(), 19.06, 9.01, 20.0, 10.0];
            ([(-20.0, 20.0), (-10.0, 10.0)], halves(ln_2 / 2.0).chain(edges).collect())
        }
        E::SechSquared => {
            let edges = [0.0, 19.06, 9.01, 354.6, 372.8, -373.0, 44.0, 52.3, -52.7];
            ([(-374.0, 374.0), (-53.0, 53.0)], halves(ln_2 / 2.0).chain(edges).collect())
        }
        E::Sigmoid => {
            let edges = [0.0, -708.4, -745.13, -87.33, -103.97, 36.7, -36.7, 16.6, -16.6];
            ([(-746.0, 40.0), (-105.0, 20.0)], halves(ln_2).chain(edges).collect())
        }
        E::Softplus => {
            let edges = [0.0, (root_2 - 1.0).ln(), -(root_2 - 1.0).ln(), -708.4, -745.13, -87.33, -103.97];
            ([(-746.0, 40.0), (-105.0, 20.0)], halves(ln_2).chain(edges).collect())
        }
    };
    Terrain { function, interval, centres }
}

/// A third spread over the interval, a third over all orders of magnitude, a third near the centres.
fn points<F: Format>(terrain: &Terrain, count: usize) -> Vec<F> {
    let mut rng = ChaCha8Rng::seed_from_u64(7);
    let (low, high) = terrain.interval[usize::from(F::NAME == "f32")];
    let inside = |a: F| match terrain.function {
        E::Ln => a > F::ZERO && a < F::INFINITY,
        E::Ln1p => a > -F::ONE && a < F::INFINITY,
        // Beyond, it is ∞, 0, 1 or a.
        _ => a.double().abs() < 1e3,
    };
    let mut points = Vec::with_capacity(count);
    while points.len() < count {
        let a = match points.len() % 3 {
            0 => F::of(low + (high - low) * rng.random::<f64>()),
            1 => F::of_bits(rng.random()),
            _ => {
                let centre = F::of(terrain.centres[rng.random_range(0..terrain.centres.len())]);
                if rng.random() {
                    centre.moved(rng.random_range(-40..=40))
                } else {
                    let distance = 2f64.powf(-54.0 * rng.random::<f64>()) * (2.0 * rng.random::<f64>() - 1.0);
                    F::of(centre.double() + distance)
                }
            }
        };
        if inside(a) {
            points.push(a);
        }
    }
    points
}

/// The greatest error of each instruction set, with where it is.
fn worst<F: Format>(function: Elementary, count: usize) -> Vec<(&'static str, f64, F)> {
    let points = points::<F>(&terrain(function), count);
    let mut reference = Reference::new();
    let found: Vec<_> =
        instruction_sets().into_iter().map(|(name, arch)| (name, values(arch, function, &points))).collect();
    let mut worst: Vec<(&str, f64, F)> = found.iter().map(|(name, _)| (*name, 0.0, F::ZERO)).collect();
    for (place, a) in points.iter().enumerate() {
        let exact = reference.exact(function, a.double());
        for ((_, values), worst) in found.iter().zip(&mut worst) {
            let error = ulps(values[place], &exact);
            if error > worst.1 {
                (worst.1, worst.2) = (error, *a);
            }
        }
    }
    worst
}

fn holds(function: Elementary) {
    let count = std::env::var("KERNEL_POINTS").map_or(10_000, |count| count.parse().expect("a number"));
    check::<f64>(function, count);
    check::<f32>(function, count);
}

fn check<F: Format>(function: Elementary, count: usize) {
    let limit = match function {
        E::Exp | E::Ln | E::Ln1p => 1.0,
        E::SechSquared => 3.0,
        _ => 2.0,
    };
    for (set, error, at) in worst::<F>(function, count) {
        let at = at.double();
        println!("{function:?} {} {set}: {error:.3} ulp at {at:e} of {count} points", F::NAME);
        assert!(error <= limit, "{function:?} {} {set}: {error} ulp at {at:e}", F::NAME);
    }
}

/// The reference itself, against digits of another library (mpmath 1.3).
#[test]
fn the_reference_has_fifty_digits() {
    let mut reference = Reference::new();
    let known = [
        (E::Exp, 0.1, "1.10517091807564763094663882345877965774166341637422"),
        (E::Exp, -20.5, "1.250152866386742628937553119231222182271594642076566e-9"),
        (E::Exp, 700.25, "1.302299736699178393533542238619216601349542238434113e+304"),
        (E::Exp, -745.0, "2.822350730471937076353440082059782620824363062910178e-324"),
        (E::Exp, 3e-5, "1.000030000450004500034510251025038545313151703581026"),
        (E::Ln, 0.1, "-2.302585092994045628506840223426538727163473593876383"),
        (E::Ln, 2.0, "0.6931471805599453094172321214581765680755001343602553"),
        (E::Ln, 1.0000000001, "1.000000082690370990819669408035763778612165413877152e-10"),
        (E::Ln, 1e300, "690.7755278982137052579021966605136811506599904414932"),
        (E::Ln, 3.7982781475836e-309, "-710.1642458901741855265097732920371339392684816519236"),
    ];
    for (function, a, digits) in known {
        let expected = BigFloat::parse(digits, Radix::Dec, PRECISION, ROUNDING, &mut reference.0);
        let found = reference.exact(function, a);
        let error = found.sub(&expected, PRECISION, ROUNDING).div(&expected, PRECISION, ROUNDING).abs();
        let mut allowed = big(1.0);
        allowed.set_exponent(-160);
        assert!(error < allowed, "{function:?} of {a} is {found}, not {digits}");
    }
}

#[test]
fn exp_is_within_one_ulp() {
    holds(E::Exp);
}

#[test]
fn exp_m1_is_within_two_ulp() {
    holds(E::ExpM1);
}

#[test]
fn ln_is_within_one_ulp() {
    holds(E::Ln);
}

#[test]
fn ln_1p_is_within_one_ulp() {
    holds(E::Ln1p);
}

#[test]
fn tanh_is_within_two_ulp() {
    holds(E::Tanh);
}

#[test]
fn tanh_with_its_slope_is_within_two_ulp() {
    holds(E::TanhOfBoth);
}

#[test]
fn sech_squared_is_within_three_ulp() {
    holds(E::SechSquared);
}

#[test]
fn sigmoid_is_within_two_ulp() {
    holds(E::Sigmoid);
}

#[test]
fn softplus_is_within_two_ulp() {
    holds(E::Softplus);
}
