//! A formula has the same value in text, LaTeX and MathML, and it is the value that the program computes.

use crate::notation_reader;
use crate::random_programs;

use std::cell::Cell;

use notation_reader::{Scope, Value, text_of_latex, text_of_mathml};
use pushforward::prelude::*;
use pushforward::sweep::{Names, formulas};
use pushforward::tape::Unary;
use pushforward::typeset::Formula;
use random_programs::{Chooser, Pool, for_seeds, numbers, off};

/// A node's numbers as the reader has them.
fn value(shape: Shape, numbers: Vec<f64>) -> Value {
    match shape {
        Shape::Scalar => Value::scalar(numbers[0]),
        Shape::Vector(_) => Value::vector(numbers),
        Shape::Matrix(rows, columns) => Value::matrix(rows, columns, numbers),
    }
}

/// Φ, Γ and ψ are not worked out again: a program of one node is asked.
fn asked(x: f64, of: fn(Var<'_>) -> Var<'_>) -> f64 {
    let tape = Tape::new();
    let z = tape.input(Shape::Scalar);
    numbers(&tape, z, &[of(z)], &[x])[0][0]
}

fn scope() -> Scope {
    Scope::default()
        .function("erf", |x| asked(x, |z| z.erf()))
        .function("ln Φ", |x| asked(x, |z| z.ln_normal_cdf()))
        .function("ln Γ", |x| asked(x, |z| z.ln_gamma()))
        .function("ψ⁽¹⁾", |x| asked(x, |z| z.polygamma(1)))
        .function("(φ/Φ)⁽¹⁾", |x| asked(x, |z| z.inverse_mills(1)))
}

type Notation = (&'static str, fn(&Formula) -> String);

const NOTATIONS: [Notation; 3] = [
    ("text", |formula| formula.text.clone()),
    ("LaTeX", |formula| text_of_latex(&formula.latex)),
    ("MathML", |formula| text_of_mathml(&formula.mathml)),
];

/// The value of the last line, in one notation.
fn read(lines: &[Formula], notation: Notation, scope: &Scope) -> Result<Value, String> {
    let mut scope = scope.clone();
    let mut last = Err("no line".to_string());
    for line in lines {
        last = scope.read(&notation.1(line));
        if let Err(error) = &last {
            return Err(format!("{error}\n  which is {:#?}", line));
        }
    }
    last
}

#[test]
fn every_notation_says_what_the_program_computes() {
    let (read_back, unreadable) = (Cell::new(0), Cell::new(0));
    for_seeds(400, |seed| {
        let mut choose = Chooser::new(seed);
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(4));
        let mut pool = Pool::new(&tape, &[z, z.at(0), z.at(3), z.reshape(Shape::Matrix(2, 2))]);
        for _ in 0..16 {
            pool.grow(&mut choose);
        }
        let target = *pool.nodes.last().expect("the input is there");
        let point = choose.numbers(4);
        let parameters: Vec<Var<'_>> = tape.parameters().into_iter().map(|id| tape.var(id)).collect();
        let mut wanted = vec![target];
        wanted.extend(&parameters);
        let found = numbers(&tape, z, &wanted, &point);
        let mut scope = scope().with("z", Value::vector(point.clone()));
        for (declaration, numbers) in tape.declarations().iter().zip(&found[1..]) {
            scope.set(&declaration.name, value(declaration.shape, numbers.clone()));
        }
        let lines = formulas(&tape, &[("value", target.id())], &Names::new().with(z.id(), "z"));
        for notation in NOTATIONS {
            let text: Vec<String> = lines.iter().map(notation.1).collect();
            let shortened =
                |line: &String| line.contains('…') || line.contains('∈') || line.contains("scatter");
            if text.iter().any(shortened) || found[0].iter().any(|x| !x.is_finite()) {
                unreadable.set(unreadable.get() + 1);
                continue;
            }
            let said = match read(&lines, notation, &scope) {
                Ok(said) => said,
                Err(error) if error.starts_with("unbounded") => continue,
                Err(error) => return Err(format!("{}: {error}", notation.0)),
            };
            // A vector of equal numbers is written as one number.
            let said =
                if said.numbers.len() == 1 { said.numbers.repeat(found[0].len()) } else { said.numbers };
            if said.len() != found[0].len() {
                return Err(format!("{}: {said:?} for {:?}\n{}", notation.0, found[0], text.join("\n")));
            }
            for (said, is) in said.iter().zip(&found[0]) {
                if off(*said, *is) > 1e-6 {
                    return Err(format!("{}: {said} for {is} at {point:?}\n{}", notation.0, text.join("\n")));
                }
            }
            read_back.set(read_back.get() + 1);
        }
        Ok(())
    });
    println!("{} formulas read back, {} shortened", read_back.get(), unreadable.get());
    assert!(read_back.get() > 4 * unreadable.get(), "too many formulas cannot be read back");
}

#[test]
fn every_function_of_one_number_says_what_it_computes() {
    // In the domain of each.
    let at = 0.3;
    for function in Unary::ALL {
        let tape = Tape::new();
        let z = tape.input(Shape::Scalar);
        let y = z.apply(*function);
        let computed = numbers(&tape, z, &[y], &[at])[0][0];
        let lines = formulas(&tape, &[("y", y.id())], &Names::new().with(z.id(), "z"));
        let scope = scope().with("z", Value::scalar(at));
        for notation in NOTATIONS {
            let said = read(&lines, notation, &scope).unwrap_or_else(|error| panic!("{function:?}: {error}"));
            let said = said.numbers[0];
            assert!(off(said, computed) < 1e-6, "{function:?} in {}: {said} for {computed}", notation.0);
        }
    }
}

#[test]
fn a_hundred_thousand_nested_nodes_are_written_on_a_small_stack() {
    let work = || {
        let tape = Tape::new();
        let z = tape.input(Shape::Scalar);
        let mut x = z;
        for k in 0..100_000 {
            x = match k % 4 {
                0 => x.sin(),
                1 => 1.0 / (2.0 + x),
                2 => -x * z,
                _ => x + x.tanh(),
            };
        }
        let lines = formulas(&tape, &[("y", x.id())], &Names::new().with(z.id(), "z"));
        let longest = lines.iter().map(|line| line.text.chars().count()).max().unwrap();
        assert!(lines.len() > 1000 && longest < 400, "{} lines, the longest of {longest}", lines.len());
        let length = |of: fn(&Formula) -> usize| lines.iter().map(of).sum::<usize>();
        assert!(length(|line| line.text.len()) < 10_000_000);
        assert!(length(|line| line.latex.len()) < 20_000_000);
        assert!(length(|line| line.mathml.len()) < 100_000_000);
    };
    std::thread::Builder::new().stack_size(1 << 20).spawn(work).unwrap().join().unwrap();
}

#[test]
fn names_are_escaped_in_every_notation() {
    let tape = Tape::new();
    let z = tape.input(Shape::Scalar);
    let of = |name: &str| tape.parameter(name, Shape::Scalar, Init::Constant(1.0));
    let y = z * of("a_b%") + of("e<f>&") + of("log_scale") + of("d0") + of("ß");
    let line = formulas(&tape, &[("y", y.id())], &Names::new().with(z.id(), "z")).remove(0);
    assert_eq!(line.text, "y = z·a_b% + e<f>& + log_scale + d0 + ß");
    let latex = r"y = z \, \text{a\_b\%} + \text{e\ensuremath{<}f\ensuremath{>}\&} + \mathrm{log\_scale} + d_{0} + \text{[U+00DF]}";
    assert_eq!(line.latex, latex);
    assert!(line.mathml.contains("<mi>e&lt;f&gt;&amp;</mi>"), "{}", line.mathml);
    assert!(line.mathml.contains("<msub><mi>d</mi><mn>0</mn></msub>"), "{}", line.mathml);
}

#[test]
fn quotients_roots_powers_and_choices_are_set_as_such() {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(2));
    let (a, b) = (z.at(0), z.at(1));
    let said = |y: Var<'_>| {
        let line = formulas(&tape, &[("y", y.id())], &Names::new().with(z.id(), "z")).remove(0);
        (line.text.replacen("y = ", "", 1), line.latex.replacen("y = ", "", 1))
    };
    let cases: [(Var<'_>, &str, &str); 12] = [
        (a / b, "z₁/z₂", r"\frac{z_{1}}{z_{2}}"),
        (a.recip(), "1/z₁", r"\frac{1}{z_{1}}"),
        (a * b.recip(), "z₁/z₂", r"\frac{z_{1}}{z_{2}}"),
        (a - -b, "z₁ + z₂", r"z_{1} + z_{2}"),
        (-3.0 * a, "-3·z₁", r"-3 \, z_{1}"),
        ((a + b).powi(2), "(z₁ + z₂)²", r"(z_{1} + z_{2})^{2}"),
        (a.powi(-1) * (a + b), "z₁⁻¹·(z₁ + z₂)", r"z_{1}^{-1} \cdot (z_{1} + z_{2})"),
        ((a / b).sqrt(), "√(z₁/z₂)", r"\sqrt{\frac{z_{1}}{z_{2}}}"),
        ((a / b).abs().ln(), "ln|z₁/z₂|", r"\ln\biggl\lvert \frac{z_{1}}{z_{2}}\biggr\rvert "),
        ((-a).exp(), "exp(-z₁)", r"e^{-z_{1}}"),
        ((a * b * b.tanh()).exp(), "exp(z₁·z₂·tanh(z₂))", r"\exp(z_{1} \, z_{2} \, \tanh(z_{2}))"),
        (z.sum(), "Σᵢ zᵢ", r"\sum_{i} z_{i}"),
    ];
    for (y, text, latex) in cases {
        assert_eq!(said(y), (text.to_string(), latex.to_string()));
    }
    let (text, latex) = said(select(a.lt(0.0).and(b.gt(a)), a, b));
    assert_eq!(text, "{z₁ if (z₁ < 0) ∧ (z₁ < z₂), else z₂}");
    assert!(latex.starts_with(r"\begin{cases} z_{1} & \text{if } (z_{1} < 0) \land"), "{latex}");
}
