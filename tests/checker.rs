//! The checker by itself: what it accepts is true, and what is nearly true it does not accept.
//!
//! Certificates are written out here by hand, so that nothing of the library that makes them has a part in it.

mod catalogue;
mod seeded;

use pushforward::audit::{Topic, audit};
use pushforward::checker::{log_abs_det, values, verify};
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
    for c in [0.5, 3.0, -0.5, -0.999_999, -1.0 + f64::EPSILON] {
        assert!(one_to_one(&bent(c)), "z + {c} tanh z");
    }
    // At c = -1 the slope is 0 at 0; beyond it is negative there.
    for c in [-1.0, -1.0 - f64::EPSILON, -1.000_001, -2.0] {
        assert!(!one_to_one(&bent(c)), "z + {c} tanh z");
    }
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
    assert!(!accepts(&text("equal", &same, &back)));
    // What is undefined outside of a choice takes the whole result with it.
    let partial = ["constant : 0.5", "pow n1 n2", "mul n3 n3"];
    assert!(accepts(&text("identity partial", "", &partial)));
    assert!(accepts(&text("equal", &same, &partial)));
    assert!(!accepts(&text("identity", "", &partial)));
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

#[test]
fn values_are_those_of_fifty_digits() {
    // At 50 digits, the power in exact fractions, rounded to doubles.
    let cases: [(&str, f64, f64); 13] = [
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
    for catalogue::Entry { layer, reach } in catalogue::catalogue() {
        assert!(reach > 0.0);
        let report = audit(&layer).unwrap();
        assert!(report.stands(), "{report}");
        for claim in report.claims.iter().filter(|claim| claim.evidence.word() == "proven") {
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
