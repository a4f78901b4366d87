//! The rules of the simplifier, one by one: both sides of every law in numbers, the printed statement in numbers, and an
//! expression on which each is used.

use crate::notation_reader::{Scope, Value};
use crate::plain::plain;
use crate::random_programs::{Chooser, numbers, off};

use pushforward::prelude::*;
use pushforward::sweep::bound::Bound;
use pushforward::sweep::simplify::{Law, Rule, simplify};
use pushforward::tape::NodeId;

/// The exponent k of a law that is recorded where any will do.
const CUBE: i32 = 3;

fn laws() -> impl Iterator<Item = (Rule, &'static Law)> {
    Rule::all().flat_map(|rule| rule.laws().iter().map(move |law| (rule, law)))
}

/// A law at random numbers that its condition allows.
struct Case {
    letters: Vec<f64>,
    exponent: i32,
    /// The first elements of both sides.
    sides: [f64; 2],
}

/// Both sides of a law by the plain executor; nothing where the left side has no value.
fn case(law: &Law, seed: u64) -> Option<Case> {
    let mut choose = Chooser::new(seed);
    let tape = Tape::new();
    let shapes = law.shapes();
    let count = shapes.iter().map(|shape| shape.len()).sum::<usize>().max(1);
    let row: Vec<f64> = choose.numbers(count).iter().map(|z| 1.5 * z).collect();
    let exponent = choose.pick(&[-3, -2, -1, 0, 1, 2, 3, 4]);
    let z = tape.input(Shape::Vector(count));
    let mut start = 0;
    let mut letters = Vec::new();
    let mut firsts = Vec::new();
    for (number, shape) in shapes.iter().enumerate() {
        let part = z.slice(start..start + shape.len()).reshape(*shape);
        letters.push(if law.constant() == Some(number) { tape.constant(row[start]) } else { part });
        firsts.push(row[start]);
        start += shape.len();
    }
    if !law.admits(&firsts, exponent) {
        return None;
    }
    let sides = law.record(&tape, &letters, exponent).map(|side| side.id());
    let values = plain(&tape, z.id(), &sides, &row, &Parameters::initialise(&tape, 0));
    values[0].iter().all(|value| value.is_finite()).then(|| {
        let worst = values[0].iter().zip(&values[1]).map(|(left, right)| off(*right, *left));
        let worst = worst.fold(0.0, |worst, error| if error <= worst { worst } else { error });
        assert!(worst < 1e-11, "{law:?} at {row:?}, k = {exponent}: {values:?}");
        Case { letters: firsts, exponent, sides: [values[0][0], values[1][0]] }
    })
}

#[test]
fn both_sides_of_every_law_are_equal_where_its_condition_holds() {
    let mut checked = 0;
    for (rule, law) in laws() {
        let count = (0..200).filter_map(|seed| case(law, seed)).count();
        assert!(count >= 20, "{}: {count} of 200 points are in the domain of {law:?}", rule.name());
        checked += count;
    }
    println!("{} laws, {checked} points", laws().count());
}

/// A statement as the reader of notations takes it, side by side.
fn sides(statement: &str) -> Vec<String> {
    // The second of two equations has a law of its own, or says what y is.
    let (first, second) = statement.split_once(", ").unwrap_or((statement, ""));
    let mut text = (if first.contains('=') && second.contains('=') { first } else { statement }).to_string();
    if second == "y = asinh a" {
        text = text.replace('y', "asinh(a)");
    }
    let readable = [
        ("½", "0.5"),
        ("eᵃ", "exp(a)"),
        ("e⁰", "exp(0)"),
        ("e^(", "exp("),
        ("aᵏ", "power(a, k)"),
        ("tanh² a", "tanh(a)²"),
        ("sech² a", "sech(a)²"),
        ("tanh a", "tanh(a)"),
        ("cosh a", "cosh(a)"),
        ("ln 2π", "ln(2·π)"),
        ("ln 2", "ln(2)"),
        ("ln a", "ln(a)"),
        ("ln σ(a)", "ln(σ(a))"),
        ("2a", "2·a"),
        ("2p", "2·p"),
    ];
    for (written, read) in readable {
        text = text.replace(written, read);
    }
    text.split(" = ").map(str::to_string).collect()
}

/// Whether the sides of a statement are those of a law, wherever the law holds.
fn says(rule: Rule, law: &Law) -> Result<(), String> {
    // The law is that of 1 + x, the statement that of p + p·x.
    let p = if rule.statement().starts_with("p ") { 0.7 } else { 1.0 };
    let sides = sides(&rule.statement().replace("(±", "(").replace('±', "+"));
    let mut checked = 0;
    for case in (0..200).filter_map(|seed| case(law, seed)) {
        let mut scope = Scope::default()
            .function("ln Φ", |x| (0.5 * statrs::function::erf::erfc(-x / 2f64.sqrt())).ln())
            .with("p", Value::scalar(p))
            .with("k", Value::scalar(f64::from(case.exponent)));
        for (name, value) in ["a", "b", "c"].iter().zip(&case.letters) {
            scope.set(name, Value::scalar(*value));
        }
        for (place, side) in sides.iter().enumerate() {
            let said = scope.read(side)?.numbers[0];
            let own = p * case.sides[usize::from(place > 0)];
            if off(said, own) > 1e-9 {
                return Err(format!("{side} is {said}, not {own}"));
            }
        }
        checked += 1;
    }
    if checked > 0 && sides.len() > 1 { Ok(()) } else { Err("nothing is said".to_string()) }
}

#[test]
fn what_a_rule_says_is_what_one_of_its_laws_does() {
    // These statements are about any function, any matrix and any condition, about a matrix of one element, or (that of
    // e^softplus(a), of which the law takes 1 away) about what an algorithm uses.
    let general = [
        Rule::InversePair,
        Rule::InverseProduct,
        Rule::TransposeTranspose,
        Rule::SelectConstant,
        Rule::OneByOne,
        Rule::ExpSoftplus,
        Rule::DeterminantProduct,
        Rule::DeterminantTranspose,
        Rule::DeterminantInverse,
    ];
    // An algorithm has more cases than a law says.
    let rules = Rule::all().filter(|rule| rule.algorithm().is_none() && !general.contains(rule));
    for rule in rules {
        let found: Vec<Result<(), String>> = rule.laws().iter().map(|law| says(rule, law)).collect();
        assert!(found.iter().any(Result::is_ok), "{}: {found:?}", rule.statement());
    }
}

/// The letters of a law as inputs, and where they have to lie so that its condition is proven.
fn letters<'t>(tape: &'t Tape, law: &Law) -> (Vec<Var<'t>>, Vec<(NodeId, Bound)>) {
    let shapes = law.shapes();
    let mut given = Vec::new();
    let mut letters = Vec::new();
    for (number, shape) in shapes.iter().enumerate() {
        let letter = if law.constant() == Some(number) { tape.constant(2.0) } else { tape.input(*shape) };
        let allowed = |value: f64| {
            let mut values = vec![1.0; shapes.len()];
            values[number] = value;
            law.admits(&values, CUBE)
        };
        match [-1.5, 1.5].map(allowed) {
            [false, true] => given.push((letter.id(), Bound::between(1.0, 2.0))),
            [true, false] => given.push((letter.id(), Bound::between(-2.0, -1.0))),
            _ => {}
        }
        letters.push(letter);
    }
    (letters, given)
}

#[test]
fn every_law_is_used_on_its_own_left_side() {
    // A law that stands beside an algorithm is reached through it, and the table below has an expression of the rule.
    for (rule, law) in laws().filter(|(rule, _)| rule.algorithm().is_none()) {
        let tape = Tape::new();
        let (letters, given) = letters(&tape, law);
        let [left, _] = law.record(&tape, &letters, CUBE);
        // Laws of 1 ± x are used inside of a logarithm, for any factor.
        let targets = [left, left.abs().ln(), (0.3 * left).abs().ln()];
        let used = targets.iter().any(|target| {
            // What the user wrote inside of it is opened, or everything was derived.
            [0, target.id().index()]
                .iter()
                .any(|first| simplify(&tape, target.id(), *first, &given).rules.contains(&rule))
        });
        assert!(used, "{}: {law:?} is not used", rule.name());
    }
}

/// An expression of a vector of three.
type Expression = for<'t> fn(Var<'t>) -> Var<'t>;

#[test]
fn every_rule_of_an_algorithm_is_used_and_keeps_the_value() {
    let table: &[(Rule, Expression)] = &[
        (Rule::SumCollect, |z| z + z),
        (Rule::SumCancel, |z| z - z),
        (Rule::ProductCollect, |z| z * z),
        (Rule::ProductCancel, |z| z / z),
        (Rule::ProductZero, |z| 0.0 * z),
        (Rule::ExpSum, |z| z.exp() * (2.0 * z).exp()),
        (Rule::LogOne, |z| z + z.tape().constant(1.0).ln()),
        (Rule::SoftplusPair, |z| z.softplus() - (-z).softplus()),
        (Rule::LogOnePlus, |z| (1.0 + z.powi(2)).abs().ln()),
        (Rule::LogSelect, |z| select(z.lt(0.1), z, 2.0 * z).abs().ln()),
        (Rule::LogGather, |z| z.exp().gather(&[2, 0]).abs().ln()),
        (Rule::LogConcat, |z| concat([z, z.exp()]).abs().ln()),
        (Rule::CommonFactor, |z| (z.at(0) * z.at(1) + z.at(0) * z.at(2)).abs().ln()),
        (Rule::QuotientRule, |z| (z.at(0) / z.at(1) + z.at(2) / (z.at(1) * z.at(1))).abs().ln()),
        (Rule::GatherMoved, |z| concat([z, z.exp()]).slice(0..2)),
        (Rule::ConcatGathers, |z| concat([z.slice(0..1), z.slice(1..3)])),
        (Rule::SumLinear, |z| (z.at(0) * z).sum()),
        (Rule::SumMoved, |z| concat([z, z.exp()]).sum()),
        (Rule::OnePlusExp, |z| (1.0 + z.exp()).abs().ln()),
        (Rule::OneMinusExp, |z| (1.0 - z.exp()).abs().ln()),
        (Rule::OnePlusExpM1, |z| (1.0 - z.exp() / z.exp_m1()).abs().ln()),
        (Rule::PowerAsExp, |z| (1.0 - z.softplus().pow(0.3)).abs().ln()),
        (Rule::AsinhRoot, |z| (z + (1.0 + z * z).sqrt()).abs().ln()),
        (Rule::LogExpM1, |z| z.exp_m1().abs().ln()),
        (Rule::SignTimes, |z| z.sign() * z),
        (Rule::SqrtQuotient, |z| z.softplus() / z.softplus().sqrt()),
        (Rule::ConstantDeterminant, |z| z + z.tape().matrix(2, 2, &[2.0, 3.0, 1.0, 4.0]).log_abs_det()),
        (Rule::ExpM1Tanh, |z| (1.0 - z.exp_m1() * (-z).sigmoid()).abs().ln()),
        (Rule::LogRoot, |z| ((-2.0 * z.asinh()).exp() * (z * z + 1.0)).abs().ln()),
        (Rule::LogBars, |z| ((1.5 * (z - 0.3).ln()).exp() * (z - 0.3)).abs().ln()),
        (Rule::LogQuotients, |z| (1.5 * (z.softplus() / 2.0).pow(0.5) / 2.0).abs().ln()),
        (Rule::OnePlusPower, |z| (1.0 + z.powi(-4)).abs().ln()),
        (Rule::DeterminantTriangular, |z| (z.outer(z) * z.tape().mask(3, 3, |i, j| i >= j)).log_abs_det()),
        (Rule::DeterminantExponential, |z| z.outer(z.exp()).matrix_exp().log_abs_det()),
        (Rule::DeterminantReflection, |z| {
            (z.tape().identity(3) - (2.0 / z.dot(z)) * z.outer(z)).log_abs_det()
        }),
        (Rule::DeterminantSkew, |z| {
            let any = z.outer(z.exp());
            (z.tape().identity(3) - (any - any.transpose())).log_abs_det()
        }),
        (Rule::DeterminantOfTwo, |z| z.gather(&[0, 1, 1, 2]).reshape(Shape::Matrix(2, 2)).log_abs_det()),
        (Rule::SineCosine, |z| (z * z.sin().powi(2) + z * z.cos().powi(2)).abs().ln()),
    ];
    for (rule, expression) in table {
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(3));
        let before = expression(z);
        let simple = simplify(&tape, before.id(), 0, &[]);
        assert!(simple.rules.contains(rule), "{}: only {:?}", rule.name(), simple.rules);
        for seed in 0..20 {
            let values = numbers(&tape, z, &[before, simple.value], &Chooser::new(seed).numbers(3));
            for (was, is) in values[0].iter().zip(&values[1]) {
                assert!(!was.is_finite() || off(*is, *was) < 1e-11, "{}: {was} became {is}", rule.name());
            }
        }
    }
    for rule in Rule::all() {
        let listed = table.iter().any(|(other, _)| *other == rule);
        assert_eq!(
            listed,
            rule.algorithm().is_some(),
            "{}: an algorithm and a line here go together",
            rule.name()
        );
        assert!(listed || !rule.laws().is_empty(), "{} has neither a law nor an algorithm", rule.name());
    }
}
