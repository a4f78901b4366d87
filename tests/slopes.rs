//! First and second derivatives of the scalar functions against 50 digits, in f64 and f32, from the smallest
//! numbers to the largest.

use std::ops::{Add, Div, Mul, Sub};

use astro_float_num::{BigFloat, Consts, RoundingMode};
use pushforward::prelude::*;
use pushforward::program::{Output, Precision, Program};
use pushforward::sweep::adjoint;
use pushforward::tape::Subgraph;

const PRECISION: usize = 256;
const ROUNDING: RoundingMode = RoundingMode::ToEven;

/// Numbers of 256 bits with the operators of numbers.
#[derive(Clone)]
struct Big(BigFloat);

fn big(a: f64) -> Big {
    Big(BigFloat::from_f64(a, PRECISION))
}

macro_rules! operators {
    ($($trait:ident $method:ident)*) => {$(
        impl $trait for Big {
            type Output = Big;
            fn $method(self, other: Big) -> Big {
                Big(self.0.$method(&other.0, PRECISION, ROUNDING))
            }
        }
    )*};
}
operators!(Add add Sub sub Mul mul Div div);

impl Big {
    fn constants() -> Consts {
        Consts::new().expect("room for constants")
    }

    /// Beyond the doubles it is enough to be beyond them.
    fn exp(&self) -> Big {
        if self.0.exponent().is_some_and(|exponent| exponent > 11) {
            return if self.0.is_negative() { big(0.0) } else { big(1e300).square().square() };
        }
        Big(self.0.exp(PRECISION, ROUNDING, &mut Big::constants()))
    }

    fn sqrt(&self) -> Big {
        Big(self.0.sqrt(PRECISION, ROUNDING))
    }

    fn negative(&self) -> Big {
        Big(self.0.neg())
    }

    fn square(&self) -> Big {
        self.clone() * self.clone()
    }

    /// By its series where the difference would lose digits.
    fn sinh(&self) -> Big {
        if self.0.is_zero() || self.0.exponent().is_some_and(|exponent| exponent < -10) {
            let (mut term, mut sum) = (self.clone(), self.clone());
            for n in 1..14 {
                term = term * self.square() / big(f64::from(2 * n * (2 * n + 1)));
                sum = sum + term.clone();
            }
            return sum;
        }
        (self.exp() - self.negative().exp()) / big(2.0)
    }

    fn cosh(&self) -> Big {
        (self.exp() + self.negative().exp()) / big(2.0)
    }

    fn pi() -> Big {
        Big(Big::constants().pi(PRECISION, ROUNDING))
    }

    fn normal_density(&self) -> Big {
        (self.square() / big(-2.0)).exp() / (big(2.0) * Big::pi()).sqrt()
    }

    /// The density of erf, 2/√π·exp(-a²).
    fn erf_slope(&self) -> Big {
        let pi = Big(Big::constants().pi(PRECISION, ROUNDING));
        big(2.0) / pi.sqrt() * self.square().negative().exp()
    }

    /// The nearest double; 0 and ∞ beyond the doubles.
    fn double(&self) -> f64 {
        let size = match self.0.exponent() {
            _ if self.0.is_zero() => 0.0,
            Some(exponent) if exponent < -1060 => 0.0,
            Some(exponent) if exponent > 1023 => f64::INFINITY,
            _ => return self.0.to_string().parse().expect("a number"),
        };
        if self.0.is_negative() { -size } else { size }
    }
}

/// A function with its first and second derivative.
struct Known {
    name: &'static str,
    record: for<'t> fn(Var<'t>) -> Var<'t>,
    first: fn(&Big) -> Big,
    second: fn(&Big) -> Big,
    /// It is defined above this.
    above: f64,
}

fn everywhere(
    name: &'static str,
    record: for<'t> fn(Var<'t>) -> Var<'t>,
    first: fn(&Big) -> Big,
    second: fn(&Big) -> Big,
) -> Known {
    Known { name, record, first, second, above: f64::NEG_INFINITY }
}

fn known() -> Vec<Known> {
    vec![
        everywhere("exp", |a| a.exp(), |a| a.exp(), |a| a.exp()),
        everywhere("exp_m1", |a| a.exp_m1(), |a| a.exp(), |a| a.exp()),
        Known {
            above: 0.0,
            ..everywhere("ln", |a| a.ln(), |a| big(1.0) / a.clone(), |a| big(-1.0) / a.square())
        },
        Known {
            above: -1.0,
            ..everywhere(
                "ln_1p",
                |a| a.ln_1p(),
                |a| big(1.0) / (big(1.0) + a.clone()),
                |a| big(-1.0) / (big(1.0) + a.clone()).square(),
            )
        },
        Known {
            above: 0.0,
            ..everywhere(
                "sqrt",
                |a| a.sqrt(),
                |a| big(0.5) / a.sqrt(),
                |a| big(-0.25) / (a.clone() * a.sqrt()),
            )
        },
        everywhere(
            "recip",
            |a| a.recip(),
            |a| big(-1.0) / a.square(),
            |a| big(2.0) / (a.square() * a.clone()),
        ),
        everywhere(
            "tanh",
            |a| a.tanh(),
            |a| big(1.0) / a.cosh().square(),
            |a| big(-2.0) * a.sinh() / (a.cosh().square() * a.cosh()),
        ),
        everywhere(
            "sigmoid",
            |a| a.sigmoid(),
            |a| big(0.25) / (a.clone() / big(2.0)).cosh().square(),
            |a| {
                let half = a.clone() / big(2.0);
                big(-0.25) * half.sinh() / (half.cosh().square() * half.cosh())
            },
        ),
        everywhere(
            "softplus",
            |a| a.softplus(),
            |a| big(1.0) / (big(1.0) + a.negative().exp()),
            |a| big(0.25) / (a.clone() / big(2.0)).cosh().square(),
        ),
        everywhere("sinh", |a| a.sinh(), |a| a.cosh(), |a| a.sinh()),
        everywhere("cosh", |a| a.cosh(), |a| a.sinh(), |a| a.cosh()),
        everywhere(
            "asinh",
            |a| a.asinh(),
            |a| big(1.0) / (big(1.0) + a.square()).sqrt(),
            |a| {
                let below = big(1.0) + a.square();
                a.negative() / (below.clone() * below.sqrt())
            },
        ),
        everywhere(
            "atan_pi",
            |a| a.atan_pi(),
            |a| big(1.0) / (Big::pi() * (big(1.0) + a.square())),
            |a| {
                let below = big(1.0) + a.square();
                big(-2.0) * a.clone() / (Big::pi() * below.square())
            },
        ),
        everywhere(
            "normal_cdf",
            |a| a.normal_cdf(),
            |a| a.normal_density(),
            |a| a.negative() * a.normal_density(),
        ),
        everywhere("erf", |a| a.erf(), |a| a.erf_slope(), |a| big(-2.0) * a.clone() * a.erf_slope()),
    ]
}

/// Every third power of ten of both signs, and densely where the functions bend.
fn grid() -> Vec<f64> {
    let powers = (-300..=300).step_by(3).map(|k| 1.37 * 10f64.powi(k));
    let dense = (0..160).map(|k| 0.01 * 1.0734f64.powi(k));
    let above: Vec<f64> = powers.chain(dense).collect();
    let below: Vec<f64> = above.iter().map(|a| -a).collect();
    [above, below, vec![0.0, -1.0 + 1e-3, -1.0 + 1e-12]].concat()
}

/// The value, the slope and the slope of the slope of a function, at every point.
fn derivatives<F: Precision>(record: for<'t> fn(Var<'t>) -> Var<'t>, points: &[F]) -> [Vec<F>; 3] {
    let tape = Tape::new();
    let z = tape.input(Shape::Scalar);
    let slope = |y: Var<'_>| {
        let subgraph = Subgraph::new(&tape, &[z.id()], &[y.id()]);
        adjoint(&tape, &subgraph, &[(y.id(), tape.constant(1.0))], &[z.id()])[0]
            .expect("it depends on z")
            .id()
    };
    let y = record(z);
    let first = slope(y);
    let outputs = [y.id(), first, slope(tape.var(first))];
    let mut program = Program::<F>::compile(&tape, &[z.id()], &outputs.map(Output::Each));
    program.load(&Parameters::default()).unwrap();
    program.run(&[points], points.len()).unwrap().try_into().expect("three outputs")
}

/// Compares with what is right to so many units of the number type, wherever that is neither near the subnormal numbers
/// nor near ∞.
fn hold<F: Precision>(epsilon: f64, (least, most): (f64, f64)) {
    for Known { name, record, first, second, above } in known() {
        let inside = |a: &f64| *a > above && (*a == 0.0 || (a.abs() > least && a.abs() < most));
        let points: Vec<F> = grid().into_iter().filter(inside).map(F::of).collect();
        let [_, slopes, bends] = derivatives(record, &points);
        let mut worst = [(0.0f64, 0.0f64); 2];
        for (k, a) in points.iter().enumerate() {
            let a = a.to_double();
            let pairs = [(slopes[k], first), (bends[k], second)];
            for (order, (found, right)) in pairs.into_iter().enumerate() {
                let (found, right) = (found.to_double(), right(&big(a)).double());
                if right == 0.0 && a == 0.0 {
                    assert_eq!(found, 0.0, "{name}");
                }
                if right.abs() < least || right.abs() > most {
                    assert!(
                        found.abs() < 2.0 * least || found.abs() > 0.5 * most,
                        "{name}: {found} at {a:e}"
                    );
                    continue;
                }
                let scale = match (name, order) {
                    // Of exp(-a²) the last bit of a² is as good as it gets.
                    ("erf" | "normal_cdf", _) => 1.0 + a * a,
                    // σ″ = σ′·(σ(-a) - σ(a)) changes sign at 0, where it is as good as σ′ is.
                    ("sigmoid", 1) => (0.5 * a).tanh().abs().recip(),
                    _ => 1.0,
                };
                let error = (found - right).abs() / right.abs() / (epsilon * scale);
                if error.is_nan() || error > worst[order].0 {
                    worst[order] = (error, a);
                }
            }
        }
        let [(slope, at), (bend, bend_at)] = worst;
        println!("{name}: slope off by {slope:.2} units at {at:e}, its slope by {bend:.2} at {bend_at:e}");
        assert!(slope <= 4.0, "{name}: the slope is off by {slope} units at {at:e}");
        assert!(bend <= 8.0, "{name}: the second derivative is off by {bend} units at {bend_at:e}");
    }
}

#[test]
fn slopes_and_second_derivatives_keep_their_digits_in_f64() {
    hold::<f64>(f64::EPSILON, (1e-290, 1e290));
}

#[test]
fn slopes_and_second_derivatives_keep_their_digits_in_f32() {
    hold::<f32>(f64::from(f32::EPSILON), (1e-35, 1e35));
}

/// a, ln Φ(a), and the first three derivatives of ln Φ: to 120 digits with mpmath 1.3, by erfc and, below -30, by
/// Laplace's continued fraction.
#[rustfmt::skip]
#[allow(clippy::approx_constant, reason = "some of these numbers have names")]
const LN_NORMAL_CDF: &[(f64, f64, f64, f64, f64)] = &[
    (-1e-300, -0.6931471805599453, 0.7978845608028654, -0.6366197723675814, 0.21801361414499015),
    (-1e-10, -0.6931471806397338, 0.7978845608665274, -0.6366197723893827, 0.21801361413351308),
    (-0.001, -0.6939453834669652, 0.7985212895629114, -0.636837728595652, 0.21789884126952386),
    (-0.1, -0.7761545927302733, 0.8626174715309362, -0.6578471550373318, 0.2065387120295765),
    (-0.3, -0.9621028181688507, 0.9981659688584833, -0.6968855107296497, 0.18398317992442131),
    (-0.4999, -1.1757976574741527, 1.1410046192218168, -0.731503331936537, 0.16261422657458577),
    (-0.5, -1.1759117615936185, 1.1410777703680646, -0.731519592844121, 0.16260392517612296),
    (-0.7, -1.4189677615315315, 1.2904993394581665, -0.7620390075212475, 0.14289502697201378),
    (-0.99, -1.8258103178428124, 1.5171321125926172, -0.7997290555930469, 0.11772538559742197),
    (-1.0, -1.8410216450092636, 1.525135276160981, -0.8009023344296512, 0.11693119540604884),
    (-1.01, -1.8563130623431785, 1.533150132889535, -0.8020676957607681, 0.11614188307613867),
    (-1.5, -2.7059444008238898, 1.938677166622543, -0.8504534064497973, 0.08315192442392713),
    (-2.0, -3.783184333682032, 2.373215532822841, -0.8857208995859187, 0.059355861291565816),
    (-2.01, -3.8069607849314813, 2.3820757030535398, -0.8863124919404007, 0.05896309287438469),
    (-3.0, -6.607726221510349, 3.2830986549304364, -0.9294408132147319, 0.03147067283084249),
    (-5.0, -15.064998393988725, 5.186503967125842, -0.9673035653828878, 0.0108257645063567),
    (-8.0, -35.01343715991455, 8.121368112236112, -0.9856751165566591, 0.0032918765663441357),
    (-12.0, -75.4106730015688, 12.082214175254284, -0.9933292736641541, 0.0010686026960367542),
    (-20.0, -203.91715537109727, 20.04975306852785, -0.9975367383849478, 0.00024272657893584202),
    (-30.0, -454.3212439563432, 30.033259667433676, -0.9988962284881099, 7.309993015784438e-05),
    (-37.0, -689.0305855768906, 37.02698768612699, -0.9992727219011225, 3.914136240302154e-05),
    (-38.5, -745.695270290411, 38.52593909685449, -0.9993280656436341, 3.476539370799285e-05),
    (-50.0, -1254.8313611394199, 50.019984031905636, -0.999600956813196, 1.5923581891197387e-05),
    (-100.0, -5005.524208694205, 100.00999800099926, -0.9999000599500517, 1.997602995862343e-06),
    (-1000.0, -500007.82669481216, 1000.000999998, -0.999999000006, 1.999976000299996e-09),
    (-10000.0, -50000010.12927891, 10000.000099999997, -0.9999999900000006, 1.99999976000003e-12),
    (-100000.0, -5000000012.431864, 100000.00001, -0.9999999999, 1.9999999976e-15),
    (-10000000.0, -50000000000017.04, 10000000.0000001, -0.99999999999999, 1.99999999999976e-21),
    (-10000000000.0, -5e+19, 10000000000.0, -1.0, 2e-30),
    (0.0, -0.6931471805599453, 0.7978845608028654, -0.6366197723675814, 0.21801361414499015),
    (1e-300, -0.6931471805599453, 0.7978845608028654, -0.6366197723675814, 0.21801361414499015),
    (1e-10, -0.6931471804801569, 0.7978845607392033, -0.6366197723457799, 0.21801361415646722),
    (0.001, -0.6923496142726883, 0.7972480500564331, -0.6364017013688413, 0.2181283825827461),
    (0.1, -0.6165050101150263, 0.7353317485057806, -0.6142459552111468, 0.22944195153136596),
    (0.3, -0.4814101615884812, 0.6172208536127345, -0.5661278382182529, 0.2514693129707456),
    (0.5, -0.3689464152886564, 0.5091604338370335, -0.5138245643036329, 0.27099012446870785),
    (0.7, -0.2770239422771313, 0.41192475041929066, -0.45802932530149837, 0.2860430083108298),
    (1.0, -0.17275377902344988, 0.2875999709391784, -0.3703137142233946, 0.2957181701822712),
    (1.5, -0.06914345561223398, 0.13878975045885075, -0.2274472205207062, 0.26551576627946455),
    (2.0, -0.02301290932896349, 0.055247862678989956, -0.11354805168857644, 0.1843948150324776),
    (2.01, -0.02246607745058694, 0.0541215705811551, -0.11171350127029268, 0.1825147872598694),
    (3.0, -0.0013508099647481938, 0.004437839042125664, -0.013333211541740806, 0.03568013687657047),
    (5.0, -2.866516129637636e-07, 1.4867199409049056e-06, -7.433601914860711e-06, 3.568131173676705e-05),
    (8.0, -6.220960574271786e-16, 5.052271083536895e-15, -4.0418168668295186e-14, 3.1829307826282504e-13),
    (12.0, -1.776482112077679e-33, 2.1463837356630605e-32, -2.5756604827956722e-31, 3.0693287419981763e-30),
    (20.0, -2.7536241186062337e-89, 5.520948362159764e-88, -1.1041896724319527e-86, 2.2028583965017455e-85),
    (30.0, -4.906713927148187e-198, 1.4736461348785476e-196, -4.420938404635642e-195, 1.3248078752558141e-193),
    (36.0, -4.182624065797283e-284, 1.5069047176203946e-282, -5.424856983433421e-281, 1.951441609318411e-279),
];

fn ln_normal_cdf_holds<F: Precision>(units: [f64; 4], epsilon: f64, least: f64) {
    let tape = Tape::new();
    let z = tape.input(Shape::Scalar);
    let mut outputs = vec![z.ln_normal_cdf()];
    for _ in 0..3 {
        let y = outputs[outputs.len() - 1];
        let subgraph = Subgraph::new(&tape, &[z.id()], &[y.id()]);
        let one = tape.constant(1.0);
        outputs.push(adjoint(&tape, &subgraph, &[(y.id(), one)], &[z.id()])[0].expect("it depends on z"));
    }
    let outputs: Vec<Output> = outputs.iter().map(|y| Output::Each(y.id())).collect();
    let mut program = Program::<F>::compile(&tape, &[z.id()], &outputs);
    program.load(&Parameters::default()).unwrap();
    for (a, value, first, second, third) in LN_NORMAL_CDF {
        // In f32 only where the point is exact, or the functions do not move within its last bit.
        let near = F::of(*a).to_double();
        if (near - a).abs() > 1e-9 * a.abs() && a.abs() > 1e-9 {
            continue;
        }
        let found = program.run(&[&[F::of(*a)]], 1).unwrap();
        for (order, right) in [value, first, second, third].into_iter().enumerate() {
            if right.abs() < least {
                continue;
            }
            let found = found[order][0].to_double();
            let error = (found - right).abs() / right.abs() / epsilon;
            assert!(error <= units[order], "order {order} at {a:e}: {found:e} for {right:e}: {error} units");
        }
    }
}

#[test]
fn ln_normal_cdf_and_three_derivatives_keep_their_digits_in_both_tails() {
    ln_normal_cdf_holds::<f64>([4.0, 4.0, 6.0, 32.0], f64::EPSILON, 1e-300);
    ln_normal_cdf_holds::<f32>([1.0, 1.0, 1.0, 1.0], f64::from(f32::EPSILON), 1e-37);
}

#[test]
fn higher_derivatives_of_ln_normal_cdf_are_slopes_of_the_lower_ones() {
    // Central differences of order 4 (Richardson) of order n - 1 around points on both sides of every seam.
    for order in 3..6 {
        for a in [-30.0f64, -6.0, -1.2, -0.6, -0.3, 0.2, 1.4, 4.0] {
            let tape = Tape::new();
            let z = tape.input(Shape::Scalar);
            let (below, own) = (z.inverse_mills(order - 1), z.inverse_mills(order));
            let outputs = [Output::Each(below.id()), Output::Each(own.id())];
            let mut program = Program::<f64>::compile(&tape, &[z.id()], &outputs);
            program.load(&Parameters::default()).unwrap();
            let at = |a: f64| {
                let found = program.run(&[&[a]], 1).unwrap();
                (found[0][0], found[1][0])
            };
            let h = 1e-3 * a.abs().max(1.0);
            let quotient = |h: f64| (at(a + h).0 - at(a - h).0) / (2.0 * h);
            let expected = (4.0 * quotient(h / 2.0) - quotient(h)) / 3.0;
            let (_, found) = at(a);
            let scale = at(a).0.abs().max(found.abs());
            assert!((found - expected).abs() < 1e-8 * scale, "order {order} at {a}: {found} for {expected}");
        }
    }
}

#[test]
fn infinities_have_the_limits_of_the_derivatives() {
    let at = |a: f64, order: u32| {
        let tape = Tape::new();
        let z = tape.input(Shape::Scalar);
        let mut program =
            Program::<f64>::compile(&tape, &[z.id()], &[Output::Each(z.inverse_mills(order).id())]);
        program.load(&Parameters::default()).unwrap();
        program.run(&[&[a]], 1).unwrap()[0][0]
    };
    assert_eq!([0, 1, 2, 3].map(|order| at(f64::NEG_INFINITY, order)), [f64::INFINITY, -1.0, 0.0, 0.0]);
    assert_eq!([0, 1, 2, 3].map(|order| at(f64::INFINITY, order)), [0.0; 4]);
    assert_eq!([0, 1, 2].map(|order| at(-1e300, order)), [1e300, -1.0, 0.0]);
    assert!((0..4).all(|order| at(f64::NAN, order).is_nan()));
}

#[test]
fn zero_to_a_power_does_not_move_with_the_exponent() {
    let tape = Tape::new();
    let (a, b) = (tape.input(Shape::Scalar), tape.input(Shape::Scalar));
    let y = a.pow(b);
    let slope = |y: Var<'_>| {
        let subgraph = Subgraph::new(&tape, &[a.id(), b.id()], &[y.id()]);
        adjoint(&tape, &subgraph, &[(y.id(), tape.constant(1.0))], &[b.id()])[0]
            .expect("it depends on b")
            .id()
    };
    let first = slope(y);
    let outputs = [first, slope(tape.var(first))].map(Output::Each);
    let mut program = Program::<f64>::compile(&tape, &[a.id(), b.id()], &outputs);
    program.load(&Parameters::default()).unwrap();
    for b in [1e-9, 0.5, 1.0, 3.0] {
        assert_eq!(program.run(&[&[0.0], &[b]], 1).unwrap(), [[0.0], [0.0]], "0 to the {b}");
    }
    let ln_3 = 3f64.ln();
    let found = program.run(&[&[3.0], &[2.0]], 1).unwrap();
    assert!((found[0][0] - 9.0 * ln_3).abs() < 1e-14 && (found[1][0] - 9.0 * ln_3 * ln_3).abs() < 1e-14);
}

#[test]
fn the_lowest_whole_power_has_its_slope() {
    // ∂aⁿ/∂a = n·aⁿ⁻¹ with n = -2³¹, at a = 1 + 2⁻³¹: -2³¹·e⁻¹ to nine digits, and of the other sign at -a.
    let found = derivatives::<f64>(|a| a.powi(i32::MIN), &[1.0 + 2f64.powi(-31), -1.0 - 2f64.powi(-31), 1.0]);
    let expected = -2f64.powi(31) * (-1f64).exp();
    assert!((found[1][0] / expected - 1.0).abs() < 1e-6, "{} for {expected}", found[1][0]);
    assert!((found[1][1] / -expected - 1.0).abs() < 1e-6, "{} for {}", found[1][1], -expected);
    assert_eq!(found[1][2], -2f64.powi(31));
}

#[test]
fn a_norm_has_slope_0_at_0_and_that_of_the_root_elsewhere() {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(2));
    let subgraph = |y: Var<'_>| Subgraph::new(&tape, &[z.id()], &[y.id()]);
    let one = tape.constant(1.0);
    let y = z.norm();
    let slope = adjoint(&tape, &subgraph(y), &[(y.id(), one)], &[z.id()])[0].unwrap();
    let bend = slope.at(0);
    let bend = adjoint(&tape, &subgraph(bend), &[(bend.id(), one)], &[z.id()])[0].unwrap();
    let outputs = [y, slope, bend].map(|y| Output::Each(y.id()));
    let mut program = Program::<f64>::compile(&tape, &[z.id()], &outputs);
    program.load(&Parameters::default()).unwrap();
    assert_eq!(program.run(&[&[0.0, 0.0]], 1).unwrap(), [vec![0.0], vec![0.0; 2], vec![0.0; 2]]);
    assert!(program.run(&[&[f64::NAN, 0.0]], 1).unwrap()[0][0].is_nan());
    // |(3, 4)| = 5, with slope (3, 4)/5 and ∂²/∂z₁∂z = (1 - 9/25, -12/25)/5.
    let found = program.run(&[&[3.0, 4.0]], 1).unwrap().concat();
    for (found, right) in found.iter().zip([5.0, 0.6, 0.8, 0.128, -0.096]) {
        assert!((found - right).abs() < 1e-16 + 4.0 * f64::EPSILON * right.abs(), "{found} for {right}");
    }
}
