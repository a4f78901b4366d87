//! The checker alone: what it accepts is true, and it rejects claims that are nearly true.
//!
//! The certificates are written by hand, independently of the library's code that makes them.

use crate::catalogue;
use crate::seeded;

use pushforward::audit::{Topic, audit};
use pushforward::checker::{log_abs_det, values, verify};
use pushforward::tape::{Binary, Choice, Unary};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// A certificate of a map of one variable over (low, high), from the nodes of its program.
fn certificate(claim: &str, (low, high): (f64, f64), codomain: (f64, f64), nodes: &[&str]) -> String {
    let program = program("forward", nodes);
    format!(
        "certificate 1\nclaim {claim}\ndomain {low:?} open {high:?} open\n\
         codomain {:?} open {:?} open\npoint inputs 0\npoint outputs 0\n{program}end\n",
        codomain.0, codomain.1
    )
}

/// Nodes after the input, each a scalar; the last one is the result, as a vector.
fn program(name: &str, nodes: &[&str]) -> String {
    let mut text = format!("program {name}\nn0 input vector 1 : 0\nn1 gather n0 scalar : 0\n");
    for (k, node) in nodes.iter().enumerate() {
        let (left, right) =
            node.split_once(':').map_or((*node, String::new()), |(l, r)| (l, format!(" :{r}")));
        text += &format!("n{} {} scalar{right}\n", k + 2, left.trim());
    }
    let last = nodes.len() + 1;
    text + &format!("n{} concat n{last} vector 1\nresult n{}\n", last + 1, last + 1)
}

const REALS: (f64, f64) = (f64::NEG_INFINITY, f64::INFINITY);

fn accepts(text: &str) -> bool {
    verify(text).is_ok()
}

/// f(z) = z + c·tanh z, which rises everywhere for c > -1 alone.
fn bent(c: f64) -> Vec<String> {
    vec!["tanh n1".into(), format!("constant : {c:?}"), "mul n3 n2".into(), "add n1 n4".into()]
}

fn one_to_one(nodes: &[String]) -> bool {
    let nodes: Vec<&str> = nodes.iter().map(String::as_str).collect();
    accepts(&certificate("one-to-one", REALS, REALS, &nodes))
}

#[test]
fn a_slope_that_stays_above_0_is_accepted_and_one_that_reaches_it_is_not() {
    let determinant = |how: &str, c: f64| {
        let nodes = bent(c);
        let nodes: Vec<&str> = nodes.iter().map(String::as_str).collect();
        accepts(&certificate(&format!("determinant{how} positive"), REALS, REALS, &nodes))
    };
    for c in [0.5, 3.0, -0.5, -0.999_999, -1.0 + f64::EPSILON] {
        assert!(one_to_one(&bent(c)) && determinant("", c), "z + {c} tanh z");
    }
    // At c = -1 the slope is 0 at 0 and positive elsewhere; beyond it is negative there.
    assert!(one_to_one(&bent(-1.0)) && !determinant("", -1.0) && determinant(" almost-everywhere", -1.0));
    for c in [-1.0 - f64::EPSILON, -1.000_001, -2.0] {
        assert!(!one_to_one(&bent(c)) && !determinant(" almost-everywhere", c), "z + {c} tanh z");
    }
}

#[test]
fn a_slope_that_is_0_at_isolated_points_is_that_of_an_analytic_function() {
    let claims = |nodes: &[&str]| {
        ["one-to-one", "determinant positive", "determinant almost-everywhere positive"]
            .map(|claim| accepts(&certificate(claim, REALS, REALS, nodes)))
    };
    assert_eq!(claims(&["powi n1 : 3"]), [true, false, true]);
    assert_eq!(claims(&["sin n1", "add n1 n2"]), [true, false, true]);
    assert_eq!(claims(&["parameter : a", "sub n1 n2", "powi n3 : 5"]), [true, false, true]);
    assert_eq!(claims(&["parameter : a", "exp n2", "powi n1 : 3", "mul n3 n4"]), [true, false, true]);
    // By the sign of a parameter one branch or the other: each is analytic.
    let chosen =
        ["parameter : a", "constant : 0.0", "less n2 n3", "powi n1 : 3", "powi n1 : 5", "select n4 n5 n6"];
    assert_eq!(claims(&chosen), [true, false, true]);
    let no = [false; 3];
    assert_eq!(claims(&["neg n1", "powi n2 : 3"]), [true, false, false]);
    assert_eq!(claims(&["powi n1 : 4"]), no);
    assert_eq!(claims(&["parameter : a", "powi n2 : 2", "powi n1 : 3", "mul n3 n4"]), no);
    assert_eq!(claims(&["constant : 0.0", "max n1 n2", "powi n3 : 3"]), no);
    assert_eq!(claims(&["constant : 0.0", "max n2 n1", "powi n3 : 3"]), no);
    assert_eq!(claims(&["abs n1", "add n1 n2", "powi n3 : 3"]), no);
    assert_eq!(claims(&["mul n1 n1", "sqrt n2", "add n1 n3", "powi n4 : 3"]), no);
    assert_eq!(claims(&["mul n1 n1", "constant : 0.5", "pow n2 n3", "add n1 n4", "powi n5 : 3"]), no);
    assert_eq!(claims(&["constant : 0.0", "less n1 n2", "powi n1 : 3", "select n3 n2 n4"]), no);
    assert_eq!(claims(&["sign n1", "powi n1 : 3", "constant : 1.0", "add n2 n4", "mul n3 n5"]), no);
    // z³ with a slope that is not defined at 0: z⁴/z.
    assert_eq!(claims(&["powi n1 : 4", "div n2 n1"]), no);
    // Between 0 and 1 the slope of z³ is positive.
    let short = |claim: &str| accepts(&certificate(claim, (0.0, 1.0), REALS, &["powi n1 : 3"]));
    assert!(short("one-to-one") && short("determinant positive"));
}

#[test]
fn onto_is_accepted_where_both_ends_are_reached() {
    let exp = ["exp n1"];
    let onto = |domain, codomain, nodes: &[&str]| {
        accepts(&certificate("bijection monotone", domain, codomain, nodes))
    };
    assert!(onto(REALS, (0.0, f64::INFINITY), &exp));
    assert!(!onto(REALS, REALS, &exp));
    assert!(!onto(REALS, (-1.0, f64::INFINITY), &exp));
    assert!(!onto((0.0, 1.0), (0.0, f64::INFINITY), &exp));
    assert!(onto((f64::NEG_INFINITY, 0.0), (0.0, 1.0), &exp));
    // z + sign z leaves out [-1, 1]; it jumps, and that is all that is said.
    assert!(!onto(REALS, REALS, &["sign n1", "add n1 n2"]));
    assert!(onto(REALS, REALS, &["sinh n1"]));
    assert!(onto(REALS, (-1.0, 1.0), &["erf n1"]));
    assert!(onto(REALS, (f64::NEG_INFINITY, 0.0), &["ln_normal_cdf n1"]));
    // A whole power with an even exponent, however it is written.
    assert!(!onto(REALS, REALS, &["powi n1 : -2147483648"]));
    assert!(!onto(REALS, (0.0, f64::INFINITY), &["powi n1 : 2"]));
    assert!(onto((0.0, f64::INFINITY), (0.0, f64::INFINITY), &["powi n1 : 2"]));
}

#[test]
fn distribution_functions_and_angles_end_where_they_do() {
    let onto = |domain, codomain, nodes: &[&str]| {
        accepts(&certificate("bijection monotone", domain, codomain, nodes))
    };
    let (unit, turn) = ((0.0, 1.0), (-0.5, 0.5));
    assert!(onto(REALS, unit, &["normal_cdf n1"]));
    assert!(!onto(REALS, (0.0, 1.0f64.next_down()), &["normal_cdf n1"]));
    assert!(onto(unit, REALS, &["normal_quantile n1"]));
    // Below ½ it is below 0; beyond 0 it is not defined.
    assert!(onto((0.0, 0.5), (f64::NEG_INFINITY, 0.0), &["normal_quantile n1"]));
    assert!(!onto((0.0, 0.5), REALS, &["normal_quantile n1"]));
    assert!(!onto((-1e-300, 1.0), REALS, &["normal_quantile n1"]));
    assert!(onto(REALS, turn, &["atan_pi n1"]));
    assert!(!onto(REALS, (-0.5, 0.5f64.next_up()), &["atan_pi n1"]));
    assert!(onto(turn, REALS, &["tan_pi n1"]));
    assert!(!onto((-0.5, 0.25), REALS, &["tan_pi n1"]));
    assert!(!onto((-0.5, 0.5f64.next_up()), REALS, &["tan_pi n1"]));
    let softplus = ["constant : 0.0", "log_add_exp n1 n2"];
    assert!(onto(REALS, (0.0, f64::INFINITY), &softplus));
    assert!(!onto(REALS, (-1e-300, f64::INFINITY), &softplus));
    assert!(onto(REALS, (0.0, f64::INFINITY), &["constant : 0.0", "log_add_exp n2 n1"]));
    assert!(!onto(REALS, REALS, &["log_add_exp n1 n1", "exp n2"]));
}

#[test]
fn a_power_of_0_is_0_only_for_a_positive_exponent() {
    let halves = |exponent: f64| {
        let exponent = format!("constant : {exponent:?}");
        let nodes = [
            "constant : 0.0",
            "less n1 n2",
            &exponent,
            "neg n1",
            "pow n5 n4",
            "neg n6",
            "pow n1 n4",
            "select n3 n7 n8",
        ];
        accepts(&certificate("bijection pieces", REALS, REALS, &nodes))
    };
    assert!(halves(1.5));
    assert!(halves(0.3));
    assert!(!halves(-1.5));
    assert!(!halves(0.0));
}

#[test]
fn an_inverse_is_accepted_only_if_it_is_one_both_ways() {
    let with = |f: &[&str], g: &[&str], domain, codomain| {
        let text = certificate("bijection inverse", domain, codomain, f);
        accepts(&text.replace("end\n", &format!("{}end\n", program("inverse", g))))
    };
    let positive = (0.0, f64::INFINITY);
    assert!(with(&["exp n1"], &["ln n1"], REALS, positive));
    assert!(!with(&["exp n1"], &["ln_1p n1"], REALS, positive));
    // A term wrong by 10⁻³⁰⁰.
    let near = ["ln n1", "constant : 1e-300", "add n2 n3"];
    assert!(!with(&["exp n1"], &near, REALS, positive));
    // Right where it is defined, but it is not everywhere.
    assert!(!with(&["exp n1"], &["ln n1"], REALS, REALS));
    let atanh = ["ln_1p n1", "neg n1", "ln_1p n3", "sub n2 n4", "constant : 0.5", "mul n6 n5"];
    assert!(with(&["tanh n1"], &atanh, REALS, (-1.0, 1.0)));
    assert!(with(&["asinh n1"], &["sinh n1"], REALS, REALS));
    // √z² is |z|.
    assert!(!with(&["powi n1 : 2"], &["sqrt n1"], REALS, positive));
    assert!(with(&["powi n1 : 2"], &["sqrt n1"], positive, positive));
}

#[test]
fn roots_and_logarithms_of_quotients_are_not_split_where_signs_are_unknown() {
    // √(a/b)·√(a·b) is |a|, not a, for a, b < 0.
    let f = ["constant : -2.0", "div n1 n2", "sqrt n3", "mul n1 n2", "sqrt n5", "mul n4 n6"];
    let text = certificate("bijection inverse", (f64::NEG_INFINITY, 0.0), (f64::NEG_INFINITY, 0.0), &f);
    let text = text.replace("end\n", &format!("{}end\n", program("inverse", &["neg n1", "neg n2"])));
    assert!(!accepts(&text));
}

#[test]
fn what_the_other_branch_of_a_choice_needs_says_nothing_of_the_branch_that_is_taken() {
    // {x + √u - √u if 0 < x, else sign(√u)·x} with u = max(x, 0), the first root as a power, which is defined above 0 only:
    // where both are defined sign(√u) is 1 and all is x; at x = -1 the choice is 0.
    let back = [
        "constant : 0.0",
        "max n1 n2",
        "constant : 0.5",
        "pow n3 n4",
        "sqrt n3",
        "sign n6",
        "mul n7 n1",
        "less n2 n1",
        "add n1 n5",
        "sub n10 n5",
        "select n9 n11 n8",
    ];
    let text = |claim: &str, other: &str, nodes: &[&str]| {
        let first = certificate(claim, REALS, REALS, &["constant : 1.0", "mul n1 n2"]);
        first.replace("end\n", &(program("inverse", nodes) + other + "end\n"))
    };
    let same = program("given", &["constant : 1.0", "mul n1 n2"]);
    assert!(!accepts(&text("identity partial", "", &back)));
    assert!(!accepts(&text("identity", "", &back)));
    assert!(!accepts(&text("equal partial", &same, &back)));
    // What is undefined outside of a choice takes the whole result with it.
    let partial = ["constant : 0.5", "pow n1 n2", "mul n3 n3"];
    assert!(accepts(&text("identity partial", "", &partial)));
    assert!(accepts(&text("equal partial", &same, &partial)));
    assert!(!accepts(&text("identity", "", &partial)) && !accepts(&text("equal", &same, &partial)));
}

#[test]
fn a_collision_is_confirmed_exactly_or_by_enclosures_and_rounding_is_not() {
    let refuted = |nodes: &[&str], a: f64, b: f64, radius: f64, slope: f64| {
        let text = certificate("refuted one-to-one", REALS, REALS, nodes);
        let lines = format!(
            "point a {a:?}\npoint b {b:?}\npoint radius {radius:?}\npoint preconditioner {:?}\n",
            1.0 / slope
        );
        accepts(&text.replace("program forward", &format!("{lines}program forward")))
    };
    assert!(refuted(&["powi n1 : 2"], -1.5, 1.5, 1e-9, -3.0));
    assert!(refuted(&["cos n1"], -1.0, 1.0, 1e-9, 1.0f64.sin()));
    assert!(refuted(&["constant : 0.0", "max n1 n2"], -1.5, -2.0, 1e-9, 1.0));
    // z⁹ near 0, and σ where f64 saturates.
    assert!(!refuted(&["powi n1 : 9"], 0.0303, 0.0353, 1e-9, 1.0));
    assert!(!refuted(&["sigmoid n1"], 40.0, 41.0, 1e-9, 1e-17));
    assert!(!refuted(&["tanh n1"], 20.0, 21.0, 1e-9, 1e-17));
    // The same point is no other one.
    assert!(!refuted(&["powi n1 : 2"], 1.5, 1.5, 1e-9, 3.0));
}

#[test]
fn a_kink_is_no_zero_of_the_determinant() {
    let refuted = |nodes: &[&str], a: f64| {
        let text = certificate("refuted determinant", REALS, REALS, nodes);
        accepts(&text.replace("program forward", &format!("point a {a:?}\nprogram forward")))
    };
    assert!(refuted(&["powi n1 : 3"], 0.0));
    assert!(!refuted(&["powi n1 : 3"], 1e-300));
    // sign² z·z is z but at 0, where its formula's derivative is 0.
    assert!(!refuted(&["sign n1", "mul n2 n2", "mul n3 n1"], 0.0));
}

/// Whether a program of one variable over the reals is seen to lie in a set, for which `ends` stands: `0.0 open inf open`.
fn lies_in(ends: &str, nodes: &[&str]) -> bool {
    let text = certificate("range", REALS, REALS, nodes);
    accepts(&text.replace("codomain -inf open inf open", &format!("codomain {ends}")))
}

#[test]
fn what_is_exactly_a_number_is_not_seen_to_be_more_or_less() {
    // Each is 0 over the reals for every n, and what it is made of has no finite binary expansion.
    let zeros: [&[&str]; 18] = [
        // ((1/n + 1/7) - 1/n) - 1/7
        &["recip n2", "constant : 7.0", "recip n4", "add n3 n5", "sub n6 n3", "sub n7 n5"],
        // 7n·(1/n·1/7) - 1
        &[
            "recip n2",
            "constant : 7.0",
            "recip n4",
            "mul n3 n5",
            "mul n4 n2",
            "mul n7 n6",
            "constant : -1.0",
            "add n8 n9",
        ],
        // 1/n - 1/3n - 1/3n - 1/3n
        &["recip n2", "constant : 3.0", "mul n4 n2", "recip n5", "sub n3 n6", "sub n7 n6", "sub n8 n6"],
        // n·(1/n) - 1
        &["recip n2", "mul n2 n3", "constant : -1.0", "add n4 n5"],
        // n⁵·(1/n)⁵ - 1, and with minus signs
        &["recip n2", "powi n3 : 5", "powi n2 : 5", "mul n4 n5", "constant : -1.0", "add n6 n7"],
        &["neg n2", "recip n3", "powi n4 : 5", "powi n2 : 5", "mul n5 n6", "constant : 1.0", "add n7 n8"],
        // (-1/n)⁴ - n⁻⁴
        &["neg n2", "recip n3", "powi n4 : 4", "powi n2 : -4", "sub n5 n6"],
        &["ln n2", "exp n3", "sub n4 n2"],
        &["exp n2", "ln n3", "sub n4 n2"],
        &["sqrt n2", "powi n3 : 2", "sub n4 n2"],
        &["ln_1p n2", "exp_m1 n3", "sub n4 n2"],
        &["exp_m1 n2", "ln_1p n3", "sub n4 n2"],
        &["asinh n2", "sinh n3", "sub n4 n2"],
        // softplus n - softplus(-n) - n
        &["neg n2", "softplus n3", "softplus n2", "sub n5 n4", "sub n6 n2"],
        // σ(n) + σ(-n) - 1
        &["neg n2", "sigmoid n3", "sigmoid n2", "add n4 n5", "constant : -1.0", "add n6 n7"],
        // cosh² n - sinh² n - 1
        &["cosh n2", "sinh n2", "mul n3 n3", "mul n4 n4", "sub n5 n6", "constant : -1.0", "add n7 n8"],
        // sin² n + cos² n - 1
        &["sin n2", "cos n2", "mul n3 n3", "mul n4 n4", "add n5 n6", "constant : -1.0", "add n7 n8"],
        // Φ(n) + Φ(-n) - 1
        &[
            "neg n2",
            "ln_normal_cdf n3",
            "exp n4",
            "ln_normal_cdf n2",
            "exp n6",
            "add n5 n7",
            "constant : -1.0",
            "add n8 n9",
        ],
    ];
    for nodes in zeros {
        for n in [0.3, 0.7, 3.0, 5.0, 6.0, 7.0, 9.0, 11.0, 13.0, 19.0] {
            let n = format!("constant : {n:?}");
            let all: Vec<&str> = [n.as_str()].into_iter().chain(nodes.iter().copied()).collect();
            assert!(lies_in("-1e-15 open 1e-15 open", &all), "{n}: {nodes:?}");
            assert!(!lies_in("0.0 open inf open", &all), "{n}: {nodes:?} is 0");
            assert!(!lies_in("-inf open 0.0 open", &all), "{n}: {nodes:?} is 0");
        }
    }
}

#[test]
fn far_out_functions_are_near_their_limits_and_no_further() {
    let no = |ends: &str, nodes: &[&str]| assert!(!lies_in(ends, nodes), "{nodes:?} lies in {ends}");
    let yes = |ends: &str, nodes: &[&str]| assert!(lies_in(ends, nodes), "{nodes:?} lies in {ends}");
    // e^(-2⁴¹) is nothing beside e^(-2⁴⁰).
    let ratio =
        ["constant : -2199023255552.0", "exp n2", "constant : -1099511627776.0", "exp n4", "div n3 n5"];
    no("0.5 open inf open", &ratio);
    yes("0.0 open 2.0 open", &ratio);
    // a + ½a² < eᵃ - 1 and ln(1 + a) < a, however small a is.
    no("-inf open 0.0 closed", &["constant : 1e-305", "exp_m1 n2", "sub n3 n2"]);
    no("0.0 closed inf open", &["constant : 1e-305", "ln_1p n2", "sub n3 n2"]);
    // 1 - erf 9 is 4·10⁻³⁷.
    let rest = ["constant : 9.0", "erf n2", "constant : 1.0", "sub n4 n3", "constant : 1e-40", "sub n5 n6"];
    no("-inf open 0.0 open", &rest);
    // ln Φ(-10) is -10²/2 - ln 10 - ½·ln 2π - 0.0097.
    let tail = ["constant : -10.0", "ln_normal_cdf n2", "constant : 53.22152362619872", "add n3 n4"];
    no("-0.009 open inf open", &tail);
    yes("-0.0102 open -0.0 closed", &tail);
    // cosh reaches 1, sin and cos move, and √ reaches 0.
    no("1.0 open inf open", &["cosh n1"]);
    yes("1.0 closed inf open", &["cosh n1"]);
    no("0.0 open inf open", &["powi n1 : 2", "sqrt n2"]);
}

/// A certificate over (low, high) and over the same with its ends.
fn closed(claim: &str, (low, high): (f64, f64), codomain: &str, nodes: &[&str]) -> String {
    let text = certificate(claim, (low, high), REALS, nodes);
    let text = text.replace(
        &format!("domain {low:?} open {high:?} open"),
        &format!("domain {low:?} closed {high:?} closed"),
    );
    text.replace("codomain -inf open inf open", &format!("codomain {codomain}"))
}

#[test]
fn an_end_that_is_reached_is_no_end_that_is_not() {
    let lies = |codomain: &str, nodes: &[&str]| accepts(&closed("range", (0.0, 1.0), codomain, nodes));
    let cases: [&[&str]; 10] = [
        &["constant : 0.0", "add n1 n2"],
        &["constant : 1.0", "mul n1 n2"],
        &["constant : 2.0", "neg n2", "add n2 n1", "add n4 n3"],
        &["neg n1", "abs n2"],
        &["powi n1 : 3"],
        &["constant : 1.0", "max n1 n2", "sub n3 n2", "add n4 n1"],
        &["constant : 0.0", "less n1 n2", "select n3 n2 n1"],
        &["constant : 0.0", "less n1 n2", "select n3 n1 n2"],
        &["sqrt n1"],
        &["constant : -0.5", "add n1 n2", "abs n3", "abs n4"],
    ];
    for nodes in cases {
        assert!(lies("0.0 closed 2.0 closed", nodes), "{nodes:?}");
        assert!(!lies("0.0 open 2.0 closed", nodes), "{nodes:?} reaches 0");
    }
    for nodes in [&["sqrt n1"][..], &["powi n1 : 3"], &["constant : 0.0", "less n1 n2", "select n3 n2 n1"]] {
        assert!(lies("-1.0 closed 1.0 closed", nodes) && !lies("-1.0 closed 1.0 open", nodes), "{nodes:?}");
    }
    // z where it is below ½, and from there on φ/Φ, of which only the sign is known.
    let above = ["constant : 0.5", "less n1 n2", "inverse_mills n1 : 0", "select n3 n1 n4"];
    let below =
        ["constant : 0.5", "less n1 n2", "neg n1", "inverse_mills n1 : 0", "neg n5", "select n3 n4 n6"];
    assert!(lies("0.0 closed inf open", &above) && !lies("0.0 open inf open", &above));
    assert!(lies("-inf open 0.0 closed", &below) && !lies("-inf open 0.0 open", &below));
    // Within one number: f is [0, 1], and 1 is in both.
    let refuted = |codomain: &str, at: f64| {
        let text = closed("refuted range 0", (0.0, 1.0), codomain, &["constant : 1.0", "mul n1 n2"]);
        accepts(&text.replace("program forward", &format!("point a {at:?}\nprogram forward")))
    };
    assert!(refuted("1.0 open 2.0 open", 1.0) && !refuted("1.0 closed 2.0 open", 1.0));
    // A point outside of the domain says nothing.
    assert!(
        !refuted("1.0 open 5.0 open", 7.0)
            && !refuted("0.0 open 5.0 open", 7.0)
            && !refuted("0.0 open 5.0 open", -3.0)
    );
}

#[test]
fn as_many_sets_on_either_side() {
    // Of a chain: (z₀, z₁) is mapped to nothing at all by nothing that is wrong with its layers alone, and z to two numbers.
    let sides = |word: &str, n: usize| format!("{word} -inf open inf open\n").repeat(n);
    let map = |claim: &str, d: usize, to: usize| {
        let labels = (0..d).map(|k| format!(" {k}")).collect::<String>();
        let (domain, codomain) = (sides("domain", d), sides("codomain", to));
        format!(
            "claim {claim}\n{domain}{codomain}point inputs{labels}\npoint outputs{labels}\n\
             program forward\nn0 input vector {d} : 0\nresult n0\nend\n"
        )
    };
    for (claim, chain) in [
        ("bijection linear positive", "bijection chain"),
        ("bijection monotone", "bijection chain"),
        ("bijection pieces", "bijection chain"),
        ("bijection linear positive", "one-to-one chain"),
    ] {
        let whole = |d: usize, between: usize, last: &str| {
            let (domain, codomain) = (sides("domain", d), sides("codomain", between));
            let layers = format!("layer\n{}layer\n{}", map(claim, d, between), map(last, between, between));
            format!("certificate 1\nclaim {chain}\n{domain}{codomain}{layers}end\n")
        };
        assert!(accepts(&whole(2, 2, claim)), "{claim}");
        for (d, between) in [(2, 0), (1, 2), (2, 1)] {
            let last = if between == 0 { "bijection linear positive" } else { claim };
            assert!(!accepts(&whole(d, between, last)), "{claim}: {d} variables to {between} in a {chain}");
            assert!(
                !accepts(&format!("certificate 1\n{}", map(claim, d, between))),
                "{claim}: {d} to {between}"
            );
        }
    }
}

/// A certificate of a map of `d` variables, each over the reals, from the lines of its program after the input n0.
fn of_vectors(claim: &str, d: usize, codomain: &str, lines: &str) -> String {
    let labels = (0..d).map(|k| format!(" {k}")).collect::<String>();
    let sides = "domain -inf open inf open\n".repeat(d) + &format!("codomain {codomain}\n").repeat(d);
    format!(
        "certificate 1\nclaim {claim}\n{sides}point inputs{labels}\npoint outputs{labels}\n\
         program forward\nn0 input vector {d} : 0\n{lines}end\n"
    )
}

#[test]
fn what_may_be_undefined_somewhere_is_not_seen_to_lie_anywhere() {
    let lies = |domain: (f64, f64), nodes: &[&str]| accepts(&certificate("range", domain, REALS, nodes));
    let at_ends = |nodes: &[&str]| accepts(&closed("range", (0.0, 1.0), "-inf open inf open", nodes));
    let half = "constant : -0.5";
    let partial: [&[&str]; 12] = [
        &["ln n1"],
        &["sqrt n1"],
        &["pow n1 n1"],
        &["recip n1"],
        &["powi n1 : -1"],
        &["powi n1 : -2"],
        &["constant : 0.0", "div n2 n1"],
        &["ln_gamma n1"],
        &["polygamma n1 : 1"],
        // Inside of what is defined everywhere.
        &["ln n1", "exp n2"],
        &["ln n1", "tanh n2", "mul n3 n1"],
        &["constant : 0.0", "less n2 n1", "ln n1", "select n3 n4 n2"],
    ];
    for nodes in partial {
        assert!(lies((0.0, 1.0), nodes), "{nodes:?}");
        assert!(!lies(REALS, nodes) && !lies((-1.0, 1.0), nodes), "{nodes:?}");
        assert!(nodes[0] == "sqrt n1" || !at_ends(nodes), "{nodes:?} at 0");
    }
    assert!(at_ends(&["sqrt n1"]) && !at_ends(&[half, "pow n1 n2"]));
    assert!(lies((-1.0, 1.0), &["ln_1p n1"]) && !lies((-1.5, 1.0), &["ln_1p n1"]));
    let ends = |nodes: &[&str]| accepts(&closed("range", (-1.0, 1.0), "-inf open inf open", nodes));
    assert!(!ends(&["ln_1p n1"]));
    // 0⁰ is 1, and 1/0 nothing.
    assert!(lies_in("0.5 open 2.0 open", &["constant : 0.0", "powi n2 : 0"]));
    assert!(!lies_in("-1.0 open 2.0 open", &["constant : 0.0", "powi n2 : -1"]));
    // Of a sum each term, of a matrix the determinant.
    let sum = |lines: &str| accepts(&of_vectors("range", 1, "-inf open inf open", lines));
    let two = |first: &str| {
        format!(
            "n1 gather n0 scalar : 0\nn2 {first} n1 scalar\nn3 concat n2 n1 vector 2\nn4 sum n3 scalar\nn5 concat n4 vector 1\nresult n5\n"
        )
    };
    assert!(sum(&two("exp")) && !sum(&two("ln")));
    let matrix = |entries: &str, op: &str| {
        let (op, last) = match op {
            "inverse" => ("inverse n4 matrix 2 2", "n6 gather n5 scalar : 0"),
            _ => ("log_abs_det n4 scalar", "n6 neg n5 scalar"),
        };
        format!(
            "n1 gather n0 scalar : 0\nn2 constant vector 2 : 0.0 2.0\nn3 concat n2 n1 vector 3\n\
             n4 gather n3 matrix 2 2 : {entries}\nn5 {op}\n{last}\nn7 concat n6 vector 1\nresult n7\n"
        )
    };
    for op in ["inverse", "log_abs_det"] {
        assert!(sum(&matrix("1 2 0 1", op)) && sum(&matrix("1 0 2 1", op)));
        // det is 4 - 2z, and 0; and z².
        assert!(!sum(&matrix("1 2 1 1", op)) && !sum(&matrix("1 1 1 1", op)) && !sum(&matrix("2 0 0 2", op)));
    }
    // An equation may have no root.
    let root =
        of_vectors("range", 1, "-1.0 closed 1.0 closed", "n1 root n0 vector 1 : f -1.0 1.0\nresult n1\n");
    let function =
        "function f\nn0 input vector 1 : 0\nn1 input vector 1 : 1\nn2 sub n0 n1 vector 1\nresult n2\n";
    assert!(!accepts(&root.replace("program forward", &format!("{function}program forward"))));
}

#[test]
fn functions_keep_to_the_ranges_that_they_have() {
    let over = |low: f64, ends: &str, nodes: &[&str]| {
        let text = certificate("range", (low, f64::INFINITY), REALS, nodes);
        accepts(&text.replace("codomain -inf open inf open", &format!("codomain {ends}")))
    };
    let all = f64::NEG_INFINITY;
    assert!(over(all, "-1.0 open 0.0 open", &["inverse_mills n1 : 1"]));
    assert!(!over(all, "-0.6 open 0.0 open", &["inverse_mills n1 : 1"]));
    assert!(over(0.0, "0.0 open inf open", &["polygamma n1 : 1"]));
    assert!(!over(0.0, "-inf open 0.0 open", &["polygamma n1 : 1"]));
    assert!(over(0.0, "-inf open 0.0 open", &["polygamma n1 : 2"]));
    assert!(!over(0.0, "0.0 open inf open", &["polygamma n1 : 2"]));
    assert!(over(0.0, "-0.125 open inf open", &["ln_gamma n1"]));
    assert!(!over(0.0, "-0.1214 open inf open", &["ln_gamma n1"]));
    assert!(!over(all, "0.0 closed 1.0 closed", &["sign n1"]));
    assert!(over(all, "-1.0 closed 1.0 closed", &["sign n1"]));
    assert!(over(
        all,
        "-3.0 closed 2.0 closed",
        &["constant : 0.0", "less n1 n2", "constant : 2.0", "constant : -3.0", "select n3 n4 n5"]
    ));
    assert!(!over(
        all,
        "1.0 closed 2.0 closed",
        &["constant : 0.0", "less n1 n2", "constant : 2.0", "constant : -3.0", "select n3 n4 n5"]
    ));
    // sin moves from 0.0998 to 0.1987.
    let wave = |ends: &str, function: &str| {
        accepts(
            &certificate("range", (0.1, 0.2), REALS, &[function])
                .replace("codomain -inf open inf open", &format!("codomain {ends}")),
        )
    };
    assert!(wave("-0.1 open 0.3 open", "sin n1") && !wave("0.05 open 0.15 open", "sin n1"));
    assert!(wave("0.8 open 1.0 closed", "cos n1") && !wave("0.99 open 1.0 closed", "cos n1"));
    // Corners of a product, and even powers of what has two signs.
    assert!(over(all, "-3.0 closed 3.0 closed", &["constant : 3.0", "sin n1", "mul n3 n2"]));
    assert!(!over(all, "-3.0 closed -1.0 closed", &["constant : 3.0", "sin n1", "mul n3 n2"]));
    assert!(!over(all, "-1.0 closed 0.5 closed", &["sin n1", "powi n2 : 4"]));
    assert!(over(all, "0.0 closed 1.0 closed", &["sin n1", "powi n2 : 4"]));
}

#[test]
fn claims_that_are_nearly_true_are_not_accepted() {
    let claim = |claim: &str, domain: (f64, f64), codomain: (f64, f64), nodes: &[&str]| {
        accepts(&certificate(claim, domain, codomain, nodes))
    };
    let one_to_one = |nodes: &[&str]| claim("one-to-one", REALS, REALS, nodes);
    // What jumps: a choice by a comparison, and z but at 0 where it is 5.
    assert!(!one_to_one(&[
        "constant : 0.0",
        "less n1 n2",
        "constant : -5.0",
        "add n1 n4",
        "select n3 n1 n5"
    ]));
    assert!(!one_to_one(&["constant : 5.0", "add n1 n2", "select n1 n1 n3"]));
    assert!(
        !one_to_one(&["abs n1"])
            && !one_to_one(&["cos n1", "neg n2"])
            && !one_to_one(&["exp n1", "sub n1 n2"])
    );
    // ln has the slope 1/z where it is not defined, and √ no slope at 0.
    assert!(!claim("one-to-one", (-2.0, -1.0), REALS, &["ln n1"]));
    assert!(!accepts(&closed("determinant positive", (0.0, 1.0), "-inf open inf open", &["sqrt n1"])));
    assert!(claim("determinant positive", (0.0, 1.0), REALS, &["sqrt n1"]));
    // Formulas for the slope 3z² of z³: another one, and one that is positive where it is defined.
    let with_slope = |f: &[&str], slope: &[&str]| {
        let text = certificate("determinant positive", REALS, REALS, f);
        accepts(&text.replace("end\n", &format!("{}end\n", program("slopes", slope))))
    };
    assert!(!with_slope(&["powi n1 : 3"], &["constant : 1.0"]));
    assert!(!with_slope(
        &["powi n1 : 3"],
        &["powi n1 : 2", "constant : 3.0", "mul n2 n3", "ln n4", "exp n5"]
    ));
    assert!(with_slope(
        &["powi n1 : 3", "add n1 n2"],
        &["powi n1 : 2", "constant : 3.0", "mul n2 n3", "constant : 1.0", "add n4 n5"]
    ));
    // Ends that are reached, missed, or exchanged.
    let onto = |domain, codomain, nodes: &[&str]| claim("bijection monotone", domain, codomain, nodes);
    assert!(!accepts(&closed(
        "bijection monotone",
        (0.0, 1.0),
        "0.0 open 1.0 open",
        &["constant : 1.0", "mul n1 n2"]
    )));
    assert!(!onto(REALS, (f64::NEG_INFINITY, 5.0), &["sinh n1"]));
    assert!(onto((0.0, f64::INFINITY), (f64::NEG_INFINITY, 0.0), &["neg n1"]));
    assert!(!onto((0.0, f64::INFINITY), (0.0, f64::INFINITY), &["neg n1"]));
    // Linear: of an interval, undefined, or not linear.
    let linear = |domain, nodes: &[&str]| claim("bijection linear positive", domain, REALS, nodes);
    assert!(linear(REALS, &["constant : 2.0", "mul n1 n2"]));
    assert!(!linear((0.0, 1.0), &["constant : 2.0", "mul n1 n2"]));
    assert!(!linear(REALS, &["ln n1", "sub n2 n2", "add n1 n3"]));
    assert!(!linear(REALS, &["powi n1 : 3"]));
    assert!(!linear(REALS, &["powi n1 : 2", "constant : 1.0", "add n2 n3", "div n1 n4"]));
    // Singular: one output of one input, said twice.
    for chosen in ["0", "0 0"] {
        let text = certificate("singular", REALS, REALS, &["exp n1"]);
        assert!(!accepts(&text.replace("point inputs", &format!("point chosen {chosen}\npoint inputs"))));
    }
    assert!(accepts(
        &certificate("singular", REALS, REALS, &["sign n1"])
            .replace("point inputs", "point chosen 0\npoint inputs")
    ));
}

#[test]
fn a_contraction_has_a_constant_below_1_on_all_of_the_line() {
    let claim = "bijection contraction positive";
    let text = |factor: &str, codomain| {
        let times = format!("constant : {factor}");
        certificate(claim, REALS, codomain, &["sin n1", &times, "mul n2 n3", "add n1 n4"])
    };
    let named = |constant: &str| {
        text("0.5", REALS).replace("point inputs", &format!("point constant {constant}\npoint inputs"))
    };
    assert!(accepts(&text("0.5", REALS)) && accepts(&text("-0.999", REALS)));
    assert!(!accepts(&text("1.0", REALS)) && !accepts(&text("0.5", (0.0, f64::INFINITY))));
    assert!(accepts(&named("0.5")) && !accepts(&named("0.499")));
    // Another claim that is no word of this argument.
    assert!(!accepts(&text("0.5", REALS).replace("positive", "negative")));
    // g(z) - z falls.
    let taken_away =
        certificate(claim, REALS, REALS, &["sin n1", "constant : 0.5", "mul n2 n3", "sub n4 n1"]);
    assert!(!accepts(&taken_away));
    // The inverse: the fixed point of x - g(z), of x + g(z), and of a map that forgets a half of g.
    let back = |sign: &str, factor: &str| {
        let function = format!(
            "function f0\nn0 input vector 1 : 0\nn1 input vector 1 : 1\nn2 sin n0 vector 1\nn3 constant vector 1 : \
             {factor}\nn4 mul n2 n3 vector 1\nn5 {sign} n1 n4 vector 1\nresult n5\n"
        );
        let inverse = "program inverse\nn0 input vector 1 : 0\nn1 contraction n0 vector 1 : f0\nresult n1\n";
        let text = text("0.5", REALS).replace(claim, "identity contraction");
        accepts(&text.replace("end\n", &format!("{function}{inverse}end\n")))
    };
    assert!(back("sub", "0.5"));
    assert!(!back("add", "0.5") && !back("sub", "0.25"));
}

/// Whether dz/dt = v(z, t) of one variable between two times is seen to be a bijection of the line; n1 is z, and n2 is t.
fn flows(times: &str, nodes: &[&str]) -> bool {
    let mut text = format!(
        "certificate 1\nclaim flow\ndomain -inf open inf open\ncodomain -inf open inf open\npoint times {times}\n\
         program velocity\nn0 input vector 2 : 0\nn1 gather n0 scalar : 0\nn2 gather n0 scalar : 1\n"
    );
    for (k, node) in nodes.iter().enumerate() {
        let (left, right) =
            node.split_once(':').map_or((*node, String::new()), |(l, r)| (l, format!(" :{r}")));
        text += &format!("n{} {} scalar{right}\n", k + 3, left.trim());
    }
    let last = nodes.len() + 2;
    text += &format!("n{} concat n{last} vector 1\nresult n{}\nend\n", last + 1, last + 1);
    accepts(&text)
}

#[test]
fn a_flow_is_of_a_field_that_is_lipschitz_for_each_value_of_the_parameters() {
    let unit = |nodes: &[&str]| flows("0.0 1.0", nodes);
    let w = "parameter : w";
    // Slopes without a bound over all parameters, but with one for each.
    assert!(unit(&[w, "mul n1 n3"]) && unit(&[w, "mul n1 n3", "tanh n4", "mul n5 n3"]));
    assert!(unit(&["sin n1", w, "mul n3 n4", "exp n5"]) && unit(&["tanh n1", "sigmoid n1", "mul n3 n4"]));
    assert!(unit(&["abs n1"]) && unit(&["softplus n1"]) && unit(&["max n1 n2"]) && unit(&["mul n1 n2"]));
    // z², z·|z|, a sign, z·w·z, a cube of a bounded number times z, √ and ln of what comes near 0.
    assert!(!unit(&["powi n1 : 2"]) && !unit(&["mul n1 n1"]));
    assert!(!unit(&["abs n1", "mul n1 n3"]) && !unit(&[w, "mul n1 n3", "mul n4 n1"]));
    assert!(!unit(&["sign n1"]) && !unit(&["constant : 0.0", "less n1 n3"]));
    assert!(!unit(&["constant : 0.0", "less n1 n3", "neg n1", "select n4 n1 n5"]));
    assert!(!unit(&["sin n1", "powi n3 : 3", "mul n4 n1"]) && !unit(&["exp n1"]) && !unit(&["sinh n1"]));
    assert!(!unit(&["abs n1", "sqrt n3"]) && unit(&["abs n1", "constant : 1.0", "add n3 n4", "sqrt n5"]));
    assert!(!unit(&["abs n1", "ln_1p n3", "mul n4 n1"]) && unit(&["abs n1", "ln_1p n3"]));
    // Quotients: by what stays away from 0, by what does not, by what a parameter can make 0.
    let away = ["sin n1", "constant : 2.0", "add n3 n4"];
    assert!(unit(&[&away[..], &["tanh n1", "div n6 n5"]].concat()));
    assert!(!unit(&[&away[..], &["div n1 n5"]].concat()));
    assert!(unit(&[&away[..], &["recip n5"]].concat()) && !unit(&["sin n1", "recip n3"]));
    assert!(!unit(&[w, "div n1 n3"]) && unit(&[w, "exp n3", "div n1 n4"]));
    // A choice by a parameter, which is one of both for all z.
    assert!(unit(&[w, "constant : 0.0", "less n3 n4", "neg n1", "select n5 n1 n6"]));
    assert!(!unit(&[w, "constant : 0.0", "less n3 n4", "exp n1", "select n5 n1 n6"]));
}

#[test]
fn a_flow_is_of_a_field_that_is_defined_and_continuous_between_its_times() {
    // z/t and z·ln t: from 1 on, not from 0 on, and in either direction.
    for nodes in [&["div n1 n2"][..], &["ln n2", "mul n1 n3"], &["recip n2", "mul n1 n3"]] {
        assert!(flows("1.0 2.0", nodes) && flows("2.0 1.0", nodes), "{nodes:?}");
        assert!(
            !flows("0.0 1.0", nodes) && !flows("1.0 0.0", nodes) && !flows("-1.0 1.0", nodes),
            "{nodes:?}"
        );
    }
    assert!(
        !flows("1.0 inf", &["div n1 n2"]) && !flows("NaN 1.0", &["mul n1 n2"]) && !flows("1.0", &["neg n1"])
    );
    // What jumps with time; what would, at another time; and what jumps beside z.
    let jump = ["constant : 0.5", "sub n2 n3", "sign n4", "mul n1 n5"];
    assert!(!flows("0.0 1.0", &jump) && flows("0.6 1.0", &jump));
    assert!(!flows("0.0 1.0", &["constant : 0.5", "less n2 n3", "neg n1", "select n4 n1 n5"]));
    assert!(!flows("0.0 1.0", &["constant : 0.5", "sub n2 n3", "sign n4", "add n1 n5"]));
    // Sets that are not the line, another number of velocities, and a flow in the place of a bijection.
    let text = "certificate 1\nclaim flow\ndomain -inf open inf open\ncodomain -inf open inf open\npoint times 0.0 1.0\n\
                program velocity\nn0 input vector 2 : 0\nn1 gather n0 vector 1 : 0\nresult n1\nend\n";
    assert!(accepts(text));
    assert!(!accepts(&text.replace("domain -inf", "domain 0.0")));
    assert!(!accepts(&text.replace("result n1", "result n0")));
    assert!(!accepts(&text.replace("codomain -inf open inf open\n", "")));
    let layer = text.replace("certificate 1\n", "layer\n");
    let chain = format!(
        "certificate 1\nclaim bijection chain\ndomain -inf open inf open\ncodomain -inf open inf open\n{layer}end\n"
    );
    assert!(!accepts(&chain));
}

/// z solves t² = z² as well as |z| does, and lies between 0 and ∞ for half of the z only.
#[test]
fn a_root_is_no_variable_that_may_lie_beyond_its_ends() {
    let accepted = |claim: &str, domain: (f64, f64)| {
        let text = certificate(claim, domain, REALS, &["powi n1 : 2"]);
        let function = "function g\nn0 input vector 1 : 0\nn1 input vector 1 : 1\nn2 powi n0 vector 1 : 2\n\
                        n3 sub n2 n1 vector 1\nresult n3\n";
        let back = "program inverse\nn0 input vector 1 : 0\nn1 root n0 vector 1 : g 0.0 inf\nresult n1\n";
        accepts(
            &text
                .replace("program forward", &format!("{function}program forward"))
                .replace("end\n", &format!("{back}end\n")),
        )
    };
    for claim in ["identity partial", "identity"] {
        assert!(accepted(claim, (0.0, f64::INFINITY)) && !accepted(claim, REALS), "{claim}");
    }
}

/// The derivative of an order that is no 32-bit number is not that of the order below it, which has another sign.
#[test]
fn derivatives_of_the_highest_order_are_not_formed() {
    for function in ["polygamma", "inverse_mills"] {
        let rises = |order: u32| {
            let last = format!("{function} n1 : {order}");
            accepts(&certificate("one-to-one", (0.0, f64::INFINITY), REALS, &[&last, "add n1 n2"]))
        };
        assert!(!rises(u32::MAX), "{function}");
    }
    let rising = ["polygamma n1 : 4294967294", "add n1 n2"];
    assert!(accepts(&certificate("one-to-one", (0.0, f64::INFINITY), REALS, &rising)));
}

/// e^(√z·√z) is eᶻ where it is defined, and at least 1 there.
#[test]
fn a_formula_of_a_slope_is_defined_where_the_slope_is() {
    let hints = |claim: &str, codomain: (f64, f64), f: &[&str], slope: &[&str]| {
        let text = certificate(claim, REALS, codomain, f);
        accepts(&text.replace("end\n", &(program("slopes", slope) + "end\n")))
    };
    let half = ["sqrt n1", "mul n2 n2", "exp n3"];
    assert!(hints("bijection monotone", (0.0, f64::INFINITY), &["exp n1"], &half));
    assert!(!hints("bijection monotone", REALS, &["exp n1"], &half));
    assert!(!hints(
        "determinant positive",
        REALS,
        &["powi n1 : 2", "mul n1 n2"],
        &["constant : 3.0", "sqrt n1", "mul n3 n3", "mul n4 n1", "mul n2 n5"]
    ));
    // z + z³ by the slope 1 + 3z².
    assert!(hints(
        "bijection monotone",
        REALS,
        &["powi n1 : 3", "add n1 n2"],
        &["powi n1 : 2", "constant : 3.0", "mul n2 n3", "constant : 1.0", "add n5 n4"]
    ));
}

/// What was accepted of a map says nothing of a smaller constant.
#[test]
fn a_lipschitz_constant_is_checked_whatever_was_accepted_before() {
    let text = certificate(
        "bijection contraction positive",
        REALS,
        REALS,
        &["sin n1", "constant : 0.9", "mul n2 n3", "add n1 n4"],
    );
    let named =
        |constant: f64| text.replace("point inputs", &format!("point constant {constant:?}\npoint inputs"));
    assert!(accepts(&text) && accepts(&named(0.95)) && !accepts(&named(0.5)));
    assert!(!accepts(&(text.clone() + &named(0.5))) && accepts(&(text.clone() + &named(0.95))));
}

/// If all variables had one label, there would be nothing to check.
#[test]
fn polar_coordinates_have_a_positive_radius_and_less_than_a_turn() {
    // (r, t) ↦ (r·cos t, r·sin t), and the formulas that are said to be radius and angle.
    let text = |claim: &str, sets: [&str; 2], polar: [&str; 2]| {
        let start = "n0 input vector 2 : 0\nn1 gather n0 scalar : 0\nn2 gather n0 scalar : 1\n";
        let outputs = "n3 cos n2 scalar\nn4 sin n2 scalar\nn5 mul n1 n3 scalar\nn6 mul n1 n4 scalar\n\
                       n7 concat n5 n6 vector 2\nresult n7\n";
        let more = "n3 constant scalar : 2.0\nn4 mul n3 n2 scalar\nn5 neg n1 scalar\nn6 neg n2 scalar\nn7 mul n1 n2 scalar\n";
        let [radius, angle] = polar;
        format!(
            "certificate 1\nclaim {claim}\ndomain {}\ndomain {}\ncodomain -inf open inf open\ncodomain -inf open inf open\n\
             point inputs 0 0\npoint outputs 0 0\nprogram forward\n{start}{outputs}\
             program polar\n{start}{more}n8 concat {radius} {angle} vector 2\nresult n8\nend\n",
            sets[0], sets[1]
        )
    };
    let (positive, circle) = ("0.0 open inf open", "-3.141592653589793 closed 3.141592653589793 open");
    for claim in ["one-to-one polar", "determinant polar positive"] {
        let accepts = |sets: [&str; 2], polar: [&str; 2]| accepts(&text(claim, sets, polar));
        assert!(
            accepts([positive, circle], ["n1", "n2"]),
            "{:?}",
            verify(&text(claim, [positive, circle], ["n1", "n2"]))
        );
        // A radius that may be 0 or below, or infinite turns.
        assert!(!accepts(["-1.0 open inf open", circle], ["n1", "n2"]));
        assert!(!accepts(["0.0 closed inf open", circle], ["n1", "n2"]));
        // Formulas of other numbers than radius and angle.
        for polar in [["n1", "n4"], ["n5", "n2"], ["n1", "n6"], ["n7", "n2"], ["n1", "n1"], ["n2", "n2"]] {
            assert!(!accepts([positive, circle], polar), "{polar:?}");
        }
    }
    let one = |sets: [&str; 2]| accepts(&text("one-to-one polar", sets, ["n1", "n2"]));
    assert!(one([positive, "0.0 open 6.283185307179586 open"]));
    assert!(!one([positive, "0.0 open 6.283185307179587 open"]));
    assert!(!one([positive, "-inf open inf open"]));
    assert!(!accepts(&text("determinant polar negative", [positive, circle], ["n1", "n2"])));
}

#[test]
fn a_sine_is_positive_between_0_and_pi_and_no_further() {
    let lies = |domain: &str, ends: &str, nodes: &[&str]| {
        let text = certificate("range", REALS, REALS, nodes);
        let text = text.replace("\ndomain -inf open inf open", &format!("\ndomain {domain}"));
        accepts(&text.replace("codomain -inf open inf open", &format!("codomain {ends}")))
    };
    let positive = "0.0 open inf open";
    assert!(lies("0.0 open 3.141592653589793 closed", positive, &["sin n1"]));
    assert!(lies("1e-300 closed 3.0 open", positive, &["sin n1"]));
    assert!(lies("0.0 closed 3.0 open", "0.0 closed 1.0 closed", &["sin n1"]));
    assert!(lies("0.5 closed 2.5 closed", "0.479 open 1.0 closed", &["sin n1"]));
    assert!(!lies("0.5 closed 2.5 closed", "0.48 open 1.0 closed", &["sin n1"]));
    // It is 0 at 0 where that belongs to the set, and below 0 beyond π.
    assert!(!lies("0.0 closed 3.0 open", positive, &["sin n1"]));
    assert!(!lies("0.0 open 3.1415926535897936 closed", positive, &["sin n1"]));
    assert!(!lies("-1e-300 open 3.0 open", positive, &["sin n1"]));
    assert!(!lies("0.0 open 3.0 open", positive, &["cos n1"]));
    assert!(!lies("3.2 open 6.0 open", positive, &["sin n1"]));
}

#[test]
fn labels_of_a_structure_are_places() {
    let swapped = "n1 gather n0 vector 2 : 1 0\nresult n1\n";
    for kind in ["lower", "diagonal"] {
        let text = of_vectors(&format!("structure {kind}"), 2, "-inf open inf open", swapped);
        let same = text
            .replace("point inputs 0 1", "point inputs 0 0")
            .replace("point outputs 0 1", "point outputs 0 0");
        let matched = text.replace("point outputs 0 1", "point outputs 1 0");
        assert!(!accepts(&text) && !accepts(&same) && accepts(&matched), "{kind}");
        assert!(accepts(&same.replace(kind, "blocks")));
    }
}

#[test]
fn a_way_back_has_as_many_results_as_the_way_there_has_inputs() {
    let text = certificate("identity partial", REALS, REALS, &["sinh n1"]);
    let back = program("inverse", &["asinh n1"]);
    let double = back.replace("concat n2 vector 1", "concat n2 n2 vector 2");
    assert!(accepts(&text.replace("end\n", &format!("{back}end\n"))));
    assert!(!accepts(&text.replace("end\n", &format!("{double}end\n"))));
    let equal = text.replace("identity partial", "equal");
    let given = |program: &str| format!("{back}{}end\n", program.replace("inverse", "given"));
    assert!(
        accepts(&equal.replace("end\n", &given(&back))) && !accepts(&equal.replace("end\n", &given(&double)))
    );
}

#[test]
fn of_two_variables() {
    let accepted = |claim: &str, lines: &str| accepts(&of_vectors(claim, 2, "-inf open inf open", lines));
    let turned = |claim: &str, lines: &str| {
        let text = of_vectors(claim, 2, "-inf open inf open", lines);
        accepts(&text.replace("point outputs 0 1", "point outputs 1 0"))
    };
    let pair = |first: &str, second: &str| {
        format!(
            "n1 gather n0 scalar : 0\nn2 gather n0 scalar : 1\nn3 {first} scalar\nn4 {second} scalar\nn5 concat n3 n4 vector 2\nresult n5\n"
        )
    };
    // No output depends on a later input; of a diagonal, on no other.
    let lower = pair("neg n1", "add n1 n2");
    assert!(accepted("structure lower", &lower) && !accepted("structure diagonal", &lower));
    assert!(!accepted("structure lower", &pair("add n1 n2", "neg n2")));
    assert!(!accepted("structure lower", "n1 gather n0 vector 1 : 0\nresult n1\n"));
    // The signs of slopes and of the order.
    assert!(accepted("determinant negative", &lower) && !accepted("determinant positive", &lower));
    let swapped = pair("sinh n2", "sinh n1");
    assert!(turned("determinant negative", &swapped) && !turned("determinant positive", &swapped));
    let exchanged = "n1 gather n0 vector 2 : 1 0\nresult n1\n";
    assert!(accepted("determinant linear negative", exchanged));
    assert!(!accepted("determinant linear positive", exchanged));
    assert!(!accepted("bijection linear positive", &pair("mul n1 n2", "neg n2")));
    let folded = "n1 gather n0 scalar : 0\nn2 gather n0 scalar : 1\nn3 mul n1 n2 scalar\nn4 add n1 n3 scalar\nn5 concat n4 n2 vector 2\nresult n5\n";
    assert!(!accepted("bijection linear positive", folded));
    // z₁·√(z₀²) is 0 where z₀ is.
    let root = "n1 gather n0 scalar : 0\nn2 gather n0 scalar : 1\nn3 powi n1 scalar : 2\nn4 sqrt n3 scalar\nn5 mul n2 n4 scalar\nn6 concat n1 n5 vector 2\nresult n6\n";
    assert!(!accepted("determinant positive", root) && !accepted("one-to-one", root));
    // z - A⁻¹z with A = 1 is 0.
    let system = "n1 constant matrix 1 1 : 1.0\nn2 inverse n1 matrix 1 1\nn3 product n2 n0 vector 1\nn4 sub n0 n3 vector 1\nresult n4\n";
    for claim in ["one-to-one", "determinant positive", "determinant negative"] {
        assert!(!accepts(&of_vectors(claim, 1, "-inf open inf open", system)), "{claim}");
    }
}

#[test]
fn systems_and_roots_are_solved_only_by_what_solves_them() {
    let forward = "n1 constant matrix 2 2 : 2.0 1.0 1.0 1.0\nn2 product n1 n0 vector 2\nresult n2\n";
    let back = |matrix: &str, last: &str| {
        let text = of_vectors("identity", 2, "-inf open inf open", forward);
        let lines = format!(
            "program inverse\nn0 input vector 2 : 0\nn1 constant matrix 2 2 : {matrix}\nn2 inverse n1 matrix 2 2\n\
             n3 product n2 n0 vector 2\n{last}\nend\n"
        );
        accepts(&text.replace("end\n", &lines))
    };
    assert!(back("2.0 1.0 1.0 1.0", "result n3"));
    assert!(
        !back("2.0 1.0 1.0 1.5", "result n3")
            && !back("2.0 1.0 1.0 1.0", "n4 gather n3 vector 2 : 1 0\nresult n4")
    );
    // A·A⁻¹x is x, and A·(A⁻¹x in another order) is not.
    let product = |last: &str, places: &str| {
        let text = of_vectors("equal", 2, "-inf open inf open", forward);
        let lines = format!(
            "program inverse\nn0 input vector 2 : 0\nn1 constant matrix 2 2 : 2.0 1.0 1.0 1.0\nn2 inverse n1 matrix 2 2\n\
             n3 product n2 n0 vector 2\nn4 gather n3 vector 2 : {places}\nn5 product {last} n4 vector 2\nresult n5\n\
             program given\nn0 input vector 2 : 0\nresult n0\nend\n"
        );
        accepts(&text.replace("end\n", &lines))
    };
    assert!(product("n1", "0 1") && !product("n1", "1 0"));
    // The u with g(u) = x: of u + eᵘ there is one, of u³ - u up to three.
    let root_of = |claim: &str, ends: &str, f: &[&str], g: &str| {
        let text = certificate(claim, REALS, REALS, f);
        let function = format!("function g\nn0 input vector 1 : 0\nn1 input vector 1 : 1\n{g}");
        let inverse = format!(
            "program inverse\nn0 input vector 1 : 0\nn1 root n0 vector 1 : g {ends}\nresult n1\nend\n"
        );
        let text = text.replace("program forward", &format!("{function}program forward"));
        accepts(&(text.strip_suffix("end\n").unwrap().to_string() + &inverse))
    };
    let root = |f: &[&str], g: &str| root_of("identity partial", "-inf inf", f, g);
    let rising = |last: &str| format!("n2 exp n0 vector 1\nn3 add n0 n2 vector 1\n{last}");
    assert!(root(&["exp n1", "add n1 n2"], &rising("n4 sub n3 n1 vector 1\nresult n4\n")));
    assert!(!root(
        &["exp n1", "add n1 n2"],
        &rising("n4 add n1 n1 vector 1\nn5 sub n3 n4 vector 1\nresult n5\n")
    ));
    let folded = "n2 powi n0 vector 1 : 3\nn3 sub n2 n0 vector 1\nn4 sub n3 n1 vector 1\nresult n4\n";
    assert!(!root(&["powi n1 : 3", "sub n2 n1"], folded));
    // It is there for every x = f(z) because it is z, unless z may lie beyond the ends, or it is not known to be z.
    let everywhere =
        |ends: &str, last: &str| root_of("identity", ends, &["exp n1", "add n1 n2"], &rising(last));
    let right = "n4 sub n3 n1 vector 1\nresult n4\n";
    assert!(
        everywhere("-inf inf", right) && !everywhere("-inf 1e300", right) && !everywhere("0.0 inf", right)
    );
    assert!(
        !everywhere("inf -inf", right) && !everywhere("1.0 -1.0", right) && !everywhere("NaN inf", right)
    );
    assert!(!root_of("identity partial", "1.0 -1.0", &["exp n1", "add n1 n2"], &rising(right)));
    assert!(!everywhere("-inf inf", "n4 add n1 n1 vector 1\nn5 sub n3 n4 vector 1\nresult n5\n"));
    // g has no value at 0: ln|u|·0 + u + eᵘ - x.
    let gap = "n4 abs n0 vector 1\nn5 ln n4 vector 1\nn6 sub n5 n5 vector 1\nn7 sub n3 n1 vector 1\nn8 add n6 n7 vector 1\n\
               result n8\n";
    assert!(!everywhere("-inf inf", gap));
    // -ln(-e⁻ᵘ) has the slope 1 and no value anywhere; u - 2·sign u has the slope 1 and comes back to -1 at 1.
    let nowhere = "n2 neg n0 vector 1\nn3 exp n2 vector 1\nn4 neg n3 vector 1\nn5 ln n4 vector 1\nn6 neg n5 vector 1\n\
                   n7 sub n6 n1 vector 1\nresult n7\n";
    assert!(!root_of("identity", "-inf inf", &["neg n1", "exp n2", "neg n3", "ln n4", "neg n5"], nowhere));
    let jumps = "n2 sign n0 vector 1\nn3 constant vector 1 : 2.0\nn4 mul n3 n2 vector 1\nn5 sub n0 n4 vector 1\n\
                 n6 sub n5 n1 vector 1\nresult n6\n";
    for claim in ["identity", "identity partial"] {
        assert!(!root_of(claim, "-inf inf", &["sign n1", "constant : 2.0", "mul n3 n2", "sub n1 n4"], jumps));
    }
    // Between the ends ln((1 + u)/(1 - u)) has a value everywhere and rises; that it has none elsewhere does not matter.
    let lines = "n2 constant vector 1 : 1.0\nn3 add n2 n0 vector 1\nn4 sub n2 n0 vector 1\nn5 div n3 n4 vector 1\nn6 ln n5 vector 1\n\
                 n7 sub n6 n1 vector 1\nresult n7\n";
    let inside = |ends: &str| {
        let f = ["constant : 1.0", "add n2 n1", "sub n2 n1", "div n3 n4", "ln n5"];
        let text = certificate("identity", (-1.0, 1.0), REALS, &f);
        let inverse = format!(
            "program inverse\nn0 input vector 1 : 0\nn1 root n0 vector 1 : g {ends}\nresult n1\nend\n"
        );
        let function = format!("function g\nn0 input vector 1 : 0\nn1 input vector 1 : 1\n{lines}");
        let text = text.replace("program forward", &format!("{function}program forward"));
        accepts(&text.replace("result n7\nend\n", &format!("result n7\n{inverse}")))
    };
    assert!(inside("-1.0 1.0") && !inside("-1.0 1.5") && !inside("-1.0 0.5") && !inside("-inf inf"));
}

#[test]
fn layers_are_bijections_between_the_sets_that_meet() {
    let side = |(low, high): (f64, f64)| format!("{low:?} open {high:?} open");
    let layer = |claim: &str, from: (f64, f64), to: (f64, f64), nodes: &[&str]| {
        certificate(claim, from, to, nodes).replace("certificate 1", "layer")
    };
    let whole = |claim: &str, from: (f64, f64), to: (f64, f64), rest: &str| {
        format!("certificate 1\nclaim {claim}\ndomain {}\ncodomain {}\n{rest}end\n", side(from), side(to))
    };
    let (positive, negative) = ((0.0, f64::INFINITY), (f64::NEG_INFINITY, 0.0));
    let exp = |claim: &str, to: (f64, f64)| layer(claim, REALS, to, &["exp n1"]);
    let neg = |from: (f64, f64), to: (f64, f64)| layer("bijection monotone", from, to, &["neg n1"]);
    let chain = |claim: &str, from, to, layers: &[String]| accepts(&whole(claim, from, to, &layers.concat()));
    let onto = [exp("bijection monotone", positive), neg(positive, negative)];
    assert!(
        chain("bijection chain", REALS, negative, &onto) && chain("one-to-one chain", REALS, negative, &onto)
    );
    assert!(
        !chain("bijection chain", REALS, REALS, &onto)
            && !chain("bijection chain", positive, negative, &onto)
    );
    assert!(!chain("one-to-one chain", positive, negative, &onto));
    // Into the next domain, but not onto it; out of it; and a layer that is none.
    let into = [exp("bijection monotone", positive), neg(REALS, REALS)];
    assert!(!chain("bijection chain", REALS, REALS, &into) && chain("one-to-one chain", REALS, REALS, &into));
    let beyond = [exp("bijection monotone", positive), neg((0.0, 1.0), (-1.0, 0.0))];
    assert!(!chain("one-to-one chain", REALS, (-1.0, 0.0), &beyond));
    let square = |claim: &str| [layer(claim, REALS, REALS, &["powi n1 : 2"]), neg(REALS, REALS)];
    assert!(!chain("one-to-one chain", REALS, REALS, &square("range")));
    assert!(!chain("one-to-one chain", REALS, REALS, &square("one-to-one")));
    assert!(!chain("bijection chain", REALS, REALS, &square("range")));
    assert!(!chain("bijection chain", REALS, REALS, &square("bijection monotone")));
    let landing = |to: (f64, f64)| [exp("one-to-one", to), neg(to, (-to.1, -to.0))];
    assert!(chain("one-to-one chain", REALS, negative, &landing(positive)));
    assert!(!chain("one-to-one chain", REALS, (-1.0, 0.0), &landing((0.0, 1.0))));
    // ln as the inverse of exp: on its image, and nowhere else.
    let turned = |from, to, nodes: &[&str], inner: String| {
        let text = certificate("bijection turned", from, to, nodes);
        accepts(&text.replace("end\n", &format!("{inner}end\n")))
    };
    assert!(turned(positive, REALS, &["ln n1"], exp("bijection monotone", positive)));
    assert!(!turned((1.0, f64::INFINITY), REALS, &["ln n1"], exp("bijection monotone", positive)));
    assert!(!turned(REALS, REALS, &["ln n1"], exp("bijection monotone", REALS)));
    // ln x·(x - 1)/(x - 1) has no value at 1.
    let gap = ["ln n1", "constant : -1.0", "add n1 n3", "mul n2 n4", "div n5 n4"];
    assert!(!turned(positive, REALS, &gap, exp("bijection monotone", positive)));
}

#[test]
fn maps_one_after_another_are_the_whole_map_operation_for_operation() {
    let layer = |claim: &str, (from, to): ((f64, f64), (f64, f64)), nodes: &[&str]| {
        certificate(claim, from, to, nodes).replace("certificate 1", "layer")
    };
    // second(first(z)), each of one function.
    let program = |first: &str, second: &str| {
        format!(
            "program forward\nn0 input vector 1 : 0\nn1 gather n0 scalar : 0\nn2 {first} n1 scalar\nn3 concat n2 vector 1\n\
             n4 gather n3 scalar : 0\nn5 {second} n4 scalar\nn6 concat n5 vector 1\nresult n6\n"
        )
    };
    let whole = |claim: &str, program: String, layers: &[String]| {
        let side = "-inf open inf open";
        let layers = layers.concat();
        accepts(&format!(
            "certificate 1\nclaim {claim}\ndomain {side}\ncodomain {side}\n{program}{layers}end\n"
        ))
    };
    let real = (REALS, REALS);
    let one = |claim: &str, name: &str| layer(claim, real, &[&format!("{name} n1")]);
    let rises = |name: &str| one("bijection monotone", name);
    let (both, claim) = (program("sinh", "asinh"), "bijection stages");
    assert!(whole(claim, both.clone(), &[rises("sinh"), rises("asinh")]));
    // In the other order, one of them alone, one too many, none, and one that is not the part.
    assert!(!whole(claim, both.clone(), &[rises("asinh"), rises("sinh")]));
    assert!(!whole(claim, both.clone(), &[rises("sinh")]));
    assert!(!whole(claim, both.clone(), &[rises("sinh"), rises("asinh"), rises("neg")]));
    assert!(!whole(claim, both.clone(), &[]));
    assert!(!whole(claim, program("sinh", "cosh"), &[rises("sinh"), rises("asinh")]));
    assert!(!whole(claim, program("sinh", "cosh"), &[rises("sinh"), rises("cosh")]));
    // An edge past the first map: z + asinh(sinh z) is not asinh(sinh z).
    let past =
        both.replace("n6 concat n5", "n6 add n5 n1 scalar\nn7 concat n6").replace("result n6", "result n7");
    assert!(!whole(claim, past, &[rises("sinh"), rises("asinh")]));
    // e^z is not onto ℝ, and a claim of the determinant is none of a bijection.
    let positive = (0.0, f64::INFINITY);
    let exp = layer("bijection monotone", (REALS, positive), &["exp n1"]);
    assert!(!whole(claim, program("exp", "asinh"), &[exp, rises("asinh")]));
    let signed = |sign: &str, name: &str| one(&format!("determinant {sign}"), name);
    assert!(!whole(claim, both.clone(), &[signed("positive", "sinh"), signed("positive", "asinh")]));

    let claim = |sign: &str| format!("determinant stages {sign}");
    let [up, down] = [both, program("sinh", "neg")];
    let (sinh, asinh, neg) =
        (signed("positive", "sinh"), signed("positive", "asinh"), signed("negative", "neg"));
    assert!(whole(&claim("positive"), up.clone(), &[sinh.clone(), asinh.clone()]));
    assert!(whole(&claim("negative"), down.clone(), &[sinh.clone(), neg.clone()]));
    assert!(whole(&claim("positive"), program("neg", "neg"), &[neg.clone(), neg.clone()]));
    for (sign, program, layers) in [
        ("negative", &up, [&sinh, &asinh]),
        ("positive", &down, [&sinh, &neg]),
        ("any", &up, [&sinh, &asinh]),
        ("positive", &down, [&sinh, &signed("positive", "neg")]),
        ("positive", &up, [&sinh, &rises("asinh")]),
        ("positive", &up, [&asinh, &sinh]),
    ] {
        assert!(!whole(&claim(sign), program.clone(), &[layers[0].clone(), layers[1].clone()]), "{sign}");
    }
    // det J is 0 at points: a part that has its sign but at these says nothing of the whole everywhere.
    let (cubed, cube) = (program("powi", "powi"), "determinant almost-everywhere positive");
    let cubed =
        cubed.replace("powi n1 scalar", "powi n1 scalar : 3").replace("powi n4 scalar", "powi n4 scalar : 3");
    let cube = layer(cube, real, &["powi n1 : 3"]);
    assert!(accepts(&cube.replacen("layer", "certificate 1", 1)));
    assert!(!whole(&claim("positive"), cubed, &[cube.clone(), cube]));
    // The slope of z² is positive where z is, and the map before it leads elsewhere.
    let square = layer("determinant positive", (positive, positive), &["powi n1 : 2"]);
    let squared = program("sinh", "powi").replace("n5 powi n4 scalar", "n5 powi n4 scalar : 2");
    assert!(!whole(&claim("positive"), squared, &[sinh, square]));
}

#[test]
fn limits_that_are_not_known_are_no_ends() {
    let onto = |domain: (f64, f64), codomain: (f64, f64), nodes: &[&str]| {
        assert!(accepts(&certificate("one-to-one", domain, codomain, nodes)), "{nodes:?}");
        accepts(&certificate("bijection monotone", domain, codomain, nodes))
    };
    let positive = (0.0, f64::INFINITY);
    // z + z·(1/z) is z + 1.
    assert!(!onto(positive, positive, &["recip n1", "mul n1 n2", "add n1 n3"]));
    // -softplus(-z), which goes to 0 on the right, and beside it what is 0: (eᶻ - (eᶻ + z)) + z, an ∞ - ∞;
    let nothing = ["exp n1", "add n2 n1", "sub n2 n3", "add n4 n1", "neg n1", "softplus n6", "sub n5 n7"];
    assert!(!onto(REALS, REALS, &nothing));
    // (1 + eᶻ)·((p + 1/(1 + eᶻ)) - p) - 1, an ∞ times what is bounded.
    let nothing = [
        "parameter : p",
        "exp n1",
        "constant : 1.0",
        "add n4 n3",
        "recip n5",
        "add n2 n6",
        "sub n7 n2",
        "mul n5 n8",
        "sub n9 n4",
        "neg n1",
        "softplus n11",
        "sub n10 n12",
    ];
    assert!(!onto(REALS, REALS, &nothing));
    // One branch goes to ∞, the other to 1.
    assert!(!onto(
        REALS,
        REALS,
        &["parameter : p", "constant : 0.0", "less n3 n2", "tanh n1", "select n4 n1 n5"]
    ));
    assert!(!onto(REALS, REALS, &["constant : 0.0", "min n1 n2", "tanh n1", "add n3 n4"]));
    // Sums and differences of numbers.
    let above = ["exp n1", "constant : 1.0", "add n2 n3"];
    assert!(onto(REALS, (1.0, f64::INFINITY), &above) && !onto(REALS, positive, &above));
    let between = ["sigmoid n1", "constant : 3.0", "sub n3 n2"];
    assert!(onto(REALS, (2.0, 3.0), &between) && !onto(REALS, (3.0, 4.0), &between));
}

#[test]
fn slopes_have_the_signs_that_they_have() {
    let falls = |domain: (f64, f64), nodes: &[&str]| {
        let claim = |sign: &str| accepts(&certificate(&format!("determinant {sign}"), domain, REALS, nodes));
        assert!(claim("negative") && !claim("positive"), "{nodes:?}");
    };
    let between = (1.0, 2.0);
    falls(between, &["constant : 3.0", "sub n2 n1"]);
    falls(between, &["recip n1"]);
    falls((1.0, 1.5), &["cos n1"]);
    falls(between, &["sech_squared n1"]);
    falls(between, &["constant : 3.0", "div n2 n1"]);
    falls(between, &["powi n1 : -3"]);
    falls(REALS, &["neg n1", "tanh n2"]);
    falls(REALS, &["inverse_mills n1 : 0"]);
    // Over a denominator with minus signs alone: z·((q + 1) - q)/(-1 - eᵖ).
    falls(
        REALS,
        &[
            "parameter : q",
            "constant : 1.0",
            "add n2 n3",
            "sub n4 n2",
            "mul n1 n5",
            "parameter : p",
            "exp n7",
            "add n3 n8",
            "neg n9",
            "div n6 n10",
        ],
    );
}

#[test]
fn laws_of_powers_and_logarithms_keep_to_their_conditions() {
    let equal = |domain: (f64, f64), left: &[&str], right: &[&str]| {
        let text = certificate("equal", REALS, domain, &["constant : 1.0", "mul n1 n2"]);
        accepts(
            &text.replace("end\n", &format!("{}{}end\n", program("inverse", left), program("given", right))),
        )
    };
    let positive = (0.0, f64::INFINITY);
    let itself = ["constant : 1.0", "mul n1 n2"];
    assert!(equal(REALS, &["neg n1", "powi n2 : 65"], &["powi n1 : 65", "neg n2"]));
    assert!(!equal(REALS, &["neg n1", "powi n2 : 65"], &["powi n1 : 65"]));
    assert!(equal(REALS, &["neg n1", "powi n2 : 66"], &["powi n1 : 66"]));
    assert!(!equal(REALS, &["powi n1 : 2", "sqrt n2"], &itself) && !equal(REALS, &["abs n1"], &itself));
    assert!(equal(positive, &["powi n1 : 2", "sqrt n2"], &itself) && equal(positive, &["abs n1"], &itself));
    // √(z² + z⁴) is |z|·√(1 + z²).
    let (sum, root) = (
        ["powi n1 : 2", "powi n1 : 4", "add n2 n3", "sqrt n4"],
        ["powi n1 : 2", "constant : 1.0", "add n2 n3", "sqrt n4", "mul n1 n5"],
    );
    assert!(equal(positive, &sum, &root) && !equal(REALS, &sum, &root));
    assert!(equal(positive, &["ln n1", "exp n2"], &itself));
    assert!(!equal(positive, &["ln n1", "powi n2 : 2", "exp n3"], &itself));
    assert!(
        equal(REALS, &["sinh n1", "asinh n2"], &itself) && !equal(REALS, &["cosh n1", "asinh n2"], &itself)
    );
    assert!(equal(REALS, &["sinh n1", "neg n2", "asinh n3"], &["neg n1"]));
    assert!(!equal(REALS, &["cosh n1", "asinh n2"], &["neg n1"]));
    // A denominator is divided by, in roots and in logarithms.
    let (under, root) = (["powi n1 : 2", "constant : 1.0", "add n2 n3", "recip n4", "sqrt n5"], "sqrt n4");
    assert!(equal(positive, &under, &[under[0], under[1], under[2], root, "recip n5"]));
    assert!(!equal(positive, &under, &[under[0], under[1], under[2], root]));
    let share = ["constant : 1.0", "add n1 n2", "div n1 n3", "ln n4"];
    let logs = [share[0], share[1], "ln n3", "ln n1"];
    assert!(equal(positive, &share, &[logs[0], logs[1], logs[2], logs[3], "sub n5 n4"]));
    assert!(!equal(positive, &share, &[logs[0], logs[1], logs[2], logs[3], "add n5 n4"]));
    assert!(!equal(REALS, &["sinh n1", "neg n2", "asinh n3"], &itself));
    // sech²(ln z) is 4z²/(1 + z²)².
    let slope = [
        "powi n1 : 2",
        "constant : 1.0",
        "add n2 n3",
        "constant : 4.0",
        "mul n2 n5",
        "div n6 n4",
        "div n7 n4",
    ];
    assert!(equal(positive, &["ln n1", "sech_squared n2"], &slope));
    assert!(!equal(REALS, &["constant : 0.0", "less n1 n2", "neg n1", "select n3 n1 n4"], &itself));
}

#[test]
fn refutations_that_are_nearly_right_are_not_accepted() {
    let at = |claim: &str, codomain: &str, nodes: &[&str], points: &str, more: &str| {
        let text = certificate(&format!("refuted {claim}"), REALS, REALS, nodes);
        let text = text.replace("codomain -inf open inf open", &format!("codomain {codomain}"));
        accepts(
            &text
                .replace("program forward", &format!("{points}\nprogram forward"))
                .replace("end\n", &format!("{more}end\n")),
        )
    };
    let all = "-inf open inf open";
    let range = |codomain: &str, nodes: &[&str], a: f64| {
        at("range 0", codomain, nodes, &format!("point a {a:?}"), "")
    };
    assert!(range("0.0 open inf open", &["sinh n1"], -1.0) && !range("0.0 open inf open", &["sinh n1"], 1.0));
    // What has no value has none outside; e^(ln 3) is 3.
    assert!(!range("-5.0 open -1.0 open", &["ln n1", "exp n2"], -1.0));
    assert!(!range("-inf open 3.0 closed", &["constant : 3.0", "ln n2", "exp n3"], 0.0));
    let finite = |nodes: &[&str], a: f64| at("finite", all, nodes, &format!("point a {a:?}"), "");
    assert!(finite(&["ln n1"], -1.0) && finite(&["ln n1"], 0.0) && !finite(&["ln n1"], 1.0));
    assert!(finite(&["sqrt n1"], -1.0) && !finite(&["sqrt n1"], 0.0));
    assert!(!finite(&["constant : 0.0", "less n2 n1", "ln n1", "select n3 n4 n1"], -1.0));
    assert!(finite(&["recip n1"], 0.0) && !finite(&["parameter : p", "recip n2", "mul n1 n3"], 1.0));
    let onto = |codomain: &str, nodes: &[&str]| at("onto 0", codomain, nodes, "", "");
    assert!(onto(all, &["exp n1"]) && !onto(all, &["sinh n1"]) && !onto("0.0 open inf open", &["exp n1"]));
    // A determinant at a kink, at one where it may be 0, and of one sign.
    let determinant = |nodes: &[&str], points: &str| at("determinant", all, nodes, points, "");
    assert!(
        determinant(&["abs n1"], "point a -1.0\npoint b 1.0") && !determinant(&["abs n1"], "point a 0.0")
    );
    assert!(!determinant(&["parameter : p", "mul n1 n2"], "point a 1.0"));
    assert!(!determinant(&["sinh n1"], "point a -1.0\npoint b 1.0"));
    let log_det = |nodes: &[&str], given: &[&str], a: f64| {
        at("log-determinant", all, nodes, &format!("point a {a:?}"), &program("given", given))
    };
    for factor in ["constant : 3.0", "constant : -3.0"] {
        let f = [factor, "mul n1 n2"];
        assert!(
            log_det(&f, &["constant : 2.0", "ln n2"], 1.0) && !log_det(&f, &["constant : 3.0", "ln n2"], 1.0)
        );
    }
    // max(z, 2z), 2z + |z| and z + sign z have no slope at 0, whatever is said there.
    let five = ["constant : 5.0"];
    let bent = ["add n1 n1", "max n1 n2"];
    assert!(log_det(&bent, &five, 1.0) && !log_det(&bent, &five, 0.0));
    for nodes in [&["abs n1", "add n1 n1", "add n3 n2"][..], &["sign n1", "add n1 n2"]] {
        assert!(log_det(nodes, &five, 1.0) && !log_det(nodes, &five, 0.0), "{nodes:?}");
    }
    let back = |g: &[&str]| at("inverse", all, &["exp n1"], "point a 1.0", &program("inverse", g));
    assert!(back(&["ln_1p n1"]) && !back(&["ln n1"]));
    // Collisions: of one value that is only known to lie in one set, in a box with b, with no zero, or with a jump.
    let collision = |domain: (f64, f64), nodes: &[&str], a: f64, b: f64, radius: f64, slope: f64| {
        let text = certificate("refuted one-to-one", domain, REALS, nodes);
        let lines = format!(
            "point a {a:?}\npoint b {b:?}\npoint radius {radius:?}\npoint preconditioner {:?}\n",
            1.0 / slope
        );
        accepts(&text.replace("program forward", &format!("{lines}program forward")))
    };
    assert!(!collision(REALS, &["inverse_mills n1 : 0"], 1.0, 2.0, 1e-3, 1.0));
    assert!(!collision(REALS, &["sinh n1"], 1e-5, 0.0, 1e-3, 1.0));
    assert!(!collision(REALS, &["sinh n1"], 0.0, 5.0, 1e-3, 1.0));
    let square = ["powi n1 : 2"];
    assert!(collision((-2.0, 3.0), &square, -0.99999, 1.0000001, 1e-3, -2.0));
    assert!(!collision((-1.0, 3.0), &square, -0.99999, 1.0000001, 1e-3, -2.0));
    // z + 4 below 0, z + 9 up to 10, z - 4 from there on: 8.95 is met at 12.95 alone.
    let jump = [
        "sign n1",
        "constant : 2.5",
        "mul n3 n2",
        "constant : -10.0",
        "add n1 n5",
        "sign n6",
        "constant : 6.5",
        "mul n8 n7",
        "add n1 n4",
        "sub n10 n9",
    ];
    assert!(!collision(REALS, &jump, 0.1, 12.95, 0.5, 1.0));
    assert!(collision(REALS, &jump, 0.1, 13.05, 0.06, 1.0));
    // (z₀²/2 + z₁, -z₀) has the determinant 1 everywhere; z₀ + p·z₁ may not depend on z₁.
    let two = |claim: &str, points: &str, lines: &str| {
        let text = of_vectors(&format!("refuted {claim}"), 2, all, lines);
        accepts(&text.replace("program forward", &format!("{points}\nprogram forward")))
    };
    let start = "n1 gather n0 scalar : 0\nn2 gather n0 scalar : 1\n";
    let bent = format!(
        "{start}n3 powi n1 scalar : 2\nn4 constant scalar : 0.5\nn5 mul n4 n3 scalar\nn6 add n5 n2 scalar\nn7 neg n1 scalar\nn8 concat n6 n7 vector 2\nresult n8\n"
    );
    assert!(!two("determinant", "point a 0.5 0.0\npoint b 3.0 0.0", &bent));
    let mixed = format!(
        "{start}n3 parameter scalar : p\nn4 mul n3 n2 scalar\nn5 add n1 n4 scalar\nn6 concat n5 n2 vector 2\nresult n6\n"
    );
    assert!(!two("structure 0 1", "point a 0.5 0.5", &mixed));
    assert!(two("structure 0 1", "point a 0.5 0.5\nvalue p 0.5", &mixed));
}

#[test]
fn pieces_that_nearly_fit_are_not_accepted() {
    let pieces = |claim: &str, domain: (f64, f64), codomain: (f64, f64), nodes: &[&str]| {
        accepts(&certificate(claim, domain, codomain, nodes))
    };
    let one_to_one = |nodes: &[&str]| pieces("one-to-one pieces", REALS, REALS, nodes);
    // 2z up to a threshold, z + threshold from there on.
    let bend = |at: &str, to: f64| {
        let nodes = [at, "less n1 n2", "constant : 2.0", "mul n4 n1", "add n1 n2", "select n3 n5 n6"];
        pieces("bijection pieces", (0.0, 1.0), (0.0, to), &nodes)
    };
    assert!(bend("constant : 0.5", 1.5) && !bend("constant : 0.5", 2.0));
    // Outside of the domain the first piece is all of it.
    assert!(!bend("constant : 2.0", 3.0) && !bend("constant : -1.0", 2.0));
    // z but at 0, where it is 5, as a piece.
    let five =
        ["constant : 5.0", "add n1 n2", "select n1 n1 n3", "constant : 1.0", "less n1 n5", "select n6 n4 n1"];
    assert!(!one_to_one(&five));
    // z·(1 - z)/(1 - z) is z, and nothing at 1.
    let quotient = |compared: &str, chosen: &str| {
        let nodes = ["constant : 1.0", "sub n2 n1", "mul n1 n3", "div n4 n3", compared, chosen];
        one_to_one(&nodes)
    };
    assert!(!quotient("less_eq n1 n2", "select n6 n5 n1") && !quotient("less n1 n2", "select n6 n1 n5"));
    // -ln z has a positive slope where it is not defined.
    let logarithm = ["ln n1", "neg n2", "constant : -1.0", "less n1 n4", "select n5 n3 n1"];
    assert!(!pieces("determinant pieces positive", REALS, REALS, &logarithm));
    assert!(pieces(
        "determinant pieces positive",
        REALS,
        REALS,
        &["constant : -1.0", "less n1 n2", "sinh n1", "select n3 n4 n1"]
    ));
}

#[test]
fn values_are_those_of_fifty_digits() {
    // At 50 digits, the power in exact fractions, rounded to doubles.
    let cases: [(&str, f64, f64); 21] = [
        ("normal_cdf n1", 1.0, 0.841_344_746_068_542_9),
        ("normal_cdf n1", -5.0, 2.866_515_718_791_939e-7),
        ("atan_pi n1", 1.0, 0.25),
        ("atan_pi n1", -3.0, -0.397_583_617_650_433_3),
        ("tan_pi n1", 0.1, 0.324_919_696_232_906_3),
        ("log_add_exp n1 n1", 1.0, 1.693_147_180_559_945_3),
        ("ln n1", 1e-305, -702.288_453_363_184),
        ("ln n1", 1e305, 702.288_453_363_184),
        ("tanh n1", 0.5, 0.462_117_157_260_009_76),
        ("sigmoid n1", -40.0, 4.248_354_255_291_589e-18),
        ("softplus n1", -50.0, 1.928_749_847_963_917_8e-22),
        ("erf n1", 0.5, 0.520_499_877_813_046_5),
        ("erf n1", 3.5, 0.999_999_256_901_627_7),
        ("ln_normal_cdf n1", -5.0, -15.064_998_393_988_725),
        ("ln_normal_cdf n1", 1.0, -0.172_753_779_023_449_9),
        ("asinh n1", 2.0, 1.443_635_475_178_810_3),
        ("cosh n1", 1.5, 2.352_409_615_243_247_5),
        ("ln_1p n1", 1e-10, 9.999_999_999_5e-11),
        ("exp_m1 n1", 1e-10, 1.000_000_000_05e-10),
        ("sin n1", 1e10, -0.487_506_025_087_510_7),
        ("powi n1 : 1000", 1.000532656, 1.703_209_119_895_92),
    ];
    for (node, at, truth) in cases {
        let text = certificate("evaluation", REALS, REALS, &[node]);
        let [low, high] = values(&text, "forward", &[at]).unwrap()[0].unwrap();
        let near = |a: f64| (a - truth).abs() <= 4e-15 * truth.abs() + 1e-320;
        assert!(low <= high && near(low) && near(high), "{node} at {at}: [{low:e}, {high:e}], {truth:e}");
    }
}

#[test]
fn log_determinants_where_doubles_saturate() {
    // ln|tanh'(3z)·3| = ln 3 + 2(ln 2 - 3z - ln(1 + e⁻⁶ᶻ)).
    let nodes = ["constant : 3.0", "mul n2 n1", "tanh n3"];
    let text = certificate("evaluation", REALS, (-1.0, 1.0), &nodes);
    for z in [0.1f64, 3.0, 9.0, 25.0, 100.0] {
        let [low, high] = log_abs_det(&text, &[z]).unwrap()[0].unwrap();
        let truth = 3f64.ln() + 2.0 * (2f64.ln() - 3.0 * z - (-6.0 * z).exp().ln_1p());
        assert!(
            (low - truth).abs() < 1e-12 * truth.abs().max(1.0) && high - low < 1e-12,
            "{z}: {low} {truth}"
        );
    }
}

#[test]
fn what_is_no_certificate_is_refused_without_a_panic() {
    let good = certificate("one-to-one", REALS, REALS, &["sinh n1"]);
    assert!(accepts(&good));
    for (from, to) in [
        ("certificate 1", "certificate 2"),
        ("gather n0 scalar : 0", "gather n0 scalar : 7"),
        ("gather n0 scalar : 0", "gather n9 scalar : 0"),
        ("input vector 1", "input vector 2"),
        ("sinh n1 scalar", "sinh n1 n1 scalar"),
        ("sinh n1 scalar", "since n1 scalar"),
        ("point inputs 0", "point inputs 5"),
        ("point inputs 0", "point inputs -1"),
        ("domain -inf open", "domain inf open"),
        ("domain -inf open", "domain -inf closed"),
        ("claim one-to-one", "claim everything"),
        ("result n3", "result n4"),
        ("end\n", ""),
        ("vector 1\nresult", "vector 99999999999\nresult"),
        ("sinh n1 scalar", "substitution n1 scalar"),
        ("sinh n1 scalar", "root n1 scalar : f"),
    ] {
        let bad = good.replacen(from, to, 1);
        assert_ne!(bad, good, "{from}");
        assert!(!accepts(&bad), "{from} → {to}");
    }
    assert!(!accepts(""));
    // The inverse of a matrix of two by two is no row of four.
    let matrix = "constant matrix 2 2 : 1.0 0.0 0.0 1.0\nn3 inverse n2 matrix";
    let bad = good.replacen("sinh n1 scalar", &format!("{matrix} 1 4\nn4 sinh n1 scalar"), 1);
    let renumbered =
        |text: &str| text.replace("n3 concat n2", "n5 concat n4").replace("result n3", "result n5");
    assert!(!accepts(&renumbered(&bad)));
    assert!(accepts(&renumbered(&bad.replace("1 4", "2 2"))));
}

#[test]
fn certificates_with_words_exchanged_are_refused_or_hold_without_a_panic() {
    let layers = catalogue::catalogue().into_iter().map(|entry| audit(&entry.layer).unwrap());
    let mut texts: Vec<String> =
        layers.flat_map(|report| report.claims).flat_map(|claim| claim.certificates).collect();
    texts.retain(|text| text.len() < 20_000);
    assert!(texts.len() > 50, "{}", texts.len());
    let refused = std::cell::Cell::new(0);
    seeded::for_seeds(1000, |seed| {
        let mut random = ChaCha8Rng::seed_from_u64(seed);
        let text = &texts[random.random_range(0..texts.len())];
        let mut lines: Vec<Vec<&str>> = text.lines().map(|line| line.split(' ').collect()).collect();
        let words: Vec<&str> = text.split_whitespace().collect();
        for _ in 0..random.random_range(1..4) {
            let line = random.random_range(0..lines.len());
            let place = random.random_range(0..=lines[line].len());
            let word = words[random.random_range(0..words.len())];
            match lines[line].get_mut(place) {
                Some(known) => *known = word,
                None => lines[line].truncate(place.saturating_sub(1)),
            }
        }
        let changed: Vec<String> = lines.iter().map(|line| line.join(" ")).collect();
        refused.set(refused.get() + usize::from(!accepts(&(changed.join("\n") + "\n"))));
        Ok(())
    });
    assert!(refused.get() > 0);
}

#[test]
fn every_proven_claim_of_the_catalogue_comes_with_certificates_that_hold() {
    let (mut claims, mut certificates, mut bytes) = (0, 0, 0);
    for catalogue::Entry { layer, reach, .. } in catalogue::catalogue() {
        assert!(reach > 0.0);
        let report = audit(&layer).unwrap();
        assert!(report.has_no_refutation(), "{report}");
        for claim in report.claims.iter().filter(|claim| claim.evidence.label() == "proven") {
            // That there are as many outputs as inputs is read off the shapes.
            assert_eq!(claim.certificates.is_empty(), claim.topic == Topic::Shape, "{}", claim.statement);
            for certificate in &claim.certificates {
                assert!(accepts(certificate), "{}: {}", report.subject, claim.statement);
                bytes += certificate.len();
                certificates += 1;
            }
            claims += 1;
        }
    }
    println!("{claims} proven claims, {certificates} certificates, {bytes} bytes");
    assert!(claims > 100, "{claims}");
}

/// A certificate about a program of one operation; its claim need not hold.
fn of_one_operation(name: &str, operands: usize, number: &str) -> String {
    format!(
        "certificate 1\nclaim one-to-one\ndomain -inf open inf open\ncodomain -inf open inf open\n\
         program forward\nn0 input vector 1 : 0\nn1 gather n0 scalar : 0\n\
         n2 {name}{} scalar{number}\nn3 concat n2 vector 1\nresult n3\nend\n",
        " n1".repeat(operands)
    )
}

#[test]
fn the_checker_reads_every_operation() {
    let unary = Unary::ALL.iter().map(|op| {
        let number = op.number().map_or(String::new(), |number| format!(" : {number}"));
        of_one_operation(op.name(), 1, &number)
    });
    let binary = Binary::ALL.iter().map(|op| of_one_operation(op.name(), 2, ""));
    let choice = Choice::ALL.iter().map(|op| match op {
        Choice::Min | Choice::Max => of_one_operation(op.name(), 2, ""),
        Choice::Select => of_one_operation(op.name(), 3, ""),
    });
    let unknown: Vec<String> = unary.chain(binary).chain(choice).filter(|text| !is_read(text)).collect();
    assert!(unknown.is_empty(), "src/checker does not read:\n{}", unknown.join("\n"));
    assert!(!is_read(&of_one_operation("hyperbolic_cosecant", 1, "")));
}

/// Whether the checker knows every line of a certificate, whatever it says of the claim.
fn is_read(text: &str) -> bool {
    !verify(text).is_err_and(|error| error.to_string().contains("not a node"))
}

/// x₁ = z₁ + z₁·c and x₂ = z₂ + c with c = tanh(z₁ + z₂), by a named node and element.
fn meeting(claim: &str, element: &str) -> String {
    let sides = "domain -inf open inf open\ndomain -inf open inf open\n";
    let sides = format!("{sides}{}", sides.replace("domain", "codomain"));
    let nodes = [
        "n0 input vector 2 : 0",
        "n1 sum n0 scalar",
        "n2 tanh n1 scalar",
        "n3 gather n0 scalar : 0",
        "n4 gather n0 scalar : 1",
        "n5 mul n3 n2 scalar",
        "n6 add n3 n5 scalar",
        "n7 add n4 n2 scalar",
        "n8 concat n6 n7 vector 2",
        "result n8",
    ];
    format!(
        "certificate 1\nclaim {claim}\n{sides}point inputs 0 1\npoint outputs 0 1\npoint elements {element}\n\
         program forward\n{}\nend\n",
        nodes.join("\n")
    )
}

#[test]
fn a_bottleneck_is_the_elements_that_are_named() {
    assert!(accepts(&meeting("structure low-rank 1", "2 0")));
    assert!(accepts(&meeting("structure low-rank 2", "2 0")));
    assert!(accepts(&meeting("structure low-rank 1", "1 0")));
    // Too few, others, none, and none that exist.
    for (claim, element) in [
        ("structure low-rank 0", "2 0"),
        ("structure low-rank 1", "5 0"),
        ("structure low-rank 1", "3 0"),
        ("structure low-rank 1", "2 1"),
        ("structure low-rank 1", "9 0"),
        ("structure low-rank 1", "2"),
        ("structure low-rank 1", "2.5 0"),
        ("structure low-rank 1", "-2 0"),
        ("structure low-rank 1", ""),
        // 1 + tanh may come near 0, and the determinant is negative for some z.
        ("determinant low-rank positive", "2 0"),
        ("determinant low-rank negative", "2 0"),
        ("bijection low-rank", "2 0"),
        // An output, or an input, in the place of a bottleneck.
        ("determinant low-rank positive", "6 0"),
        ("determinant low-rank positive", "6 0 2 0"),
        ("determinant low-rank positive", "0 0"),
        ("determinant low-rank positive", "0 0 2 0"),
        ("determinant low-rank negative", "0 0 2 0"),
        ("singular waist", "2 0"),
        ("singular waist", "2 0 0 0"),
        // As many elements as variables, through which all of z goes.
        ("singular waist", "6 0 7 0"),
    ] {
        assert!(!accepts(&meeting(claim, element)), "{claim}: {element}");
    }
}

/// x₁ = z₁ + z₂ and x₂ = z₂ - 3·x₁, whose determinant is 1. Held fixed, x₁ would have no slope in z₁: with the slope 1 that it has in
/// f, the formula for elements between inputs and outputs gives -1.
#[test]
fn an_output_is_no_element_of_a_bottleneck() {
    let nodes = "n0 input vector 2 : 0\nn1 gather n0 scalar : 0\nn2 gather n0 scalar : 1\nn3 add n1 n2 scalar\n\
                 n4 constant scalar : -3\nn5 mul n4 n3 scalar\nn6 add n2 n5 scalar\nn7 concat n3 n6 vector 2\nresult n7\n";
    let sides = "domain -inf open inf open\n".repeat(2) + &"codomain -inf open inf open\n".repeat(2);
    for (claim, elements, holds) in [
        ("determinant linear positive", "", true),
        ("determinant low-rank positive", "3 0", false),
        ("determinant low-rank negative", "3 0", false),
    ] {
        let text = format!(
            "certificate 1\nclaim {claim}\n{sides}point inputs 0 1\npoint outputs 0 1\n\
             point elements {elements}\nprogram forward\n{nodes}end\n"
        );
        assert_eq!(accepts(&text), holds, "{claim}: {elements}");
    }
}
