//! Each side condition of a rule is there for a reason: without it the rule goes wrong.

use super::*;
use crate::tape::Shape;

/// An expression of z on which a rule without its side condition goes wrong.
struct Mutant {
    rule: Rule,
    before: for<'t> fn(Var<'t>) -> Var<'t>,
    /// What it becomes when the condition is taken for granted.
    after: for<'t> fn(Var<'t>) -> Var<'t>,
    /// The same two in numbers, and where they differ.
    numbers: [fn(f64) -> f64; 2],
    at: f64,
}

#[test]
fn no_rule_holds_without_its_side_condition() {
    let mutants = [
        Mutant {
            rule: Rule::AbsPositive,
            before: |z| z.abs(),
            after: |z| z,
            numbers: [f64::abs, |z| z],
            at: -1.0,
        },
        Mutant {
            rule: Rule::AbsPositive,
            before: |z| z.abs().ln(),
            after: |z| z.ln(),
            numbers: [|z| z.abs().ln(), f64::ln],
            at: -2.0,
        },
        Mutant {
            rule: Rule::AbsNegative,
            before: |z| z.abs(),
            after: |z| -z,
            numbers: [f64::abs, |z| -z],
            at: 1.0,
        },
        Mutant {
            rule: Rule::LogOnePlus,
            before: |z| (1.0 + z).abs().ln(),
            after: |z| z.ln_1p(),
            numbers: [|z| (1.0 + z).abs().ln(), f64::ln_1p],
            at: -3.0,
        },
        Mutant {
            rule: Rule::OnePlusPower,
            before: |z| (1.0 + z.powi(-3)).abs().ln(),
            after: |z| (-3.0 * z.abs().ln()).softplus(),
            numbers: [|z| (1.0 + z.powi(-3)).abs().ln(), |z| (z.abs().powi(-3)).ln_1p()],
            at: -2.0,
        },
        Mutant {
            rule: Rule::LogPower,
            before: |z| z.powi(0).abs().ln(),
            after: |z| 0.0 * z.abs().ln(),
            numbers: [|_| 0.0, |z| 0.0 * z.abs().ln()],
            at: 0.0,
        },
    ];
    for mutant in &mutants {
        let tape = Tape::new();
        let z = tape.input(Shape::Scalar);
        let (before, after) = ((mutant.before)(z).id(), (mutant.after)(z).id());
        let [right, wrong] = mutant.numbers.map(|f| f(mutant.at));
        assert!(
            right.is_finite() && right != wrong,
            "{}: no difference at {}",
            mutant.rule.name(),
            mutant.at
        );
        let kept = simplify(&tape, before, 0, &[]).value.id();
        assert_ne!(kept, after, "{} was used without its condition", mutant.rule.name());
        let dropped = simplify_trusting(&tape, before, 0, &[], Some(mutant.rule)).value.id();
        let (found, expected) = (tape.node(dropped), tape.node(after));
        // 0·t is collected to 0 by another rule, or stands as it is.
        let gone = mutant.rule == Rule::LogPower && found != tape.node(kept);
        assert!(dropped == after || gone, "{}: {found:?} is not {expected:?}", mutant.rule.name());
    }
    // Every condition is put to the test here, or only keeps a domain from growing, or is the shape of the
    // expression itself (and of the numbers in it: `side_conditions_are_needed_and_kept`).
    let structural = [
        Rule::SumCollect,
        Rule::SumLinear,
        Rule::SumCancel,
        Rule::ProductCollect,
        Rule::ProductCancel,
        Rule::ProductZero,
        Rule::ExpLog,
        Rule::LogSqrt,
        Rule::SqrtQuotient,
        Rule::InversePair,
        Rule::InverseProduct,
        Rule::SelectSame,
        Rule::PowerAsExp,
        Rule::AsinhRoot,
        Rule::ConstantDeterminant,
        Rule::DeterminantProduct,
        Rule::DeterminantInverse,
        Rule::DeterminantTriangular,
        Rule::DeterminantReflection,
        Rule::DeterminantOfTwo,
        Rule::LogBars,
        Rule::LogQuotients,
    ];
    for rule in Rule::all().filter(|rule| rule.condition() != "-") {
        let mutated = mutants.iter().any(|mutant| mutant.rule == rule);
        assert!(mutated || structural.contains(&rule), "{}: what is its condition for?", rule.name());
    }
}
