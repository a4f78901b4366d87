//! Adjoints of selects: the gradient equals that of the program in which each select is replaced by the
//! branch taken, even if other branches are undefined.

#[allow(dead_code)] // of which only the seeds and choices are wanted here
use crate::random_programs;

use std::cell::Cell;

use pushforward::prelude::*;
use pushforward::program::{Output, Program};
use pushforward::sweep::adjoint;
use pushforward::tape::Subgraph;
use random_programs::{Chooser, for_seeds, off};

/// Elements of every node.
const D: usize = 3;
/// Numbers that may be equal but for rounding.
const NEAR: f64 = 1e-9;

/// A node of a random program; operands are earlier nodes.
#[derive(Clone, Copy, Debug)]
enum Step {
    Input,
    Add(usize, usize),
    Sub(usize, usize),
    Mul(usize, usize),
    Div(usize, usize),
    Ln(usize),
    Sqrt(usize),
    Exp(usize),
    Tanh(usize),
    /// The second where the first is below the number, else the third.
    Choice(usize, f64, usize, usize),
    Min(usize, usize),
    Max(usize, usize),
    /// Elements in reverse.
    Turn(usize),
    /// The sum, for every element.
    Total(usize),
    /// A matrix of parameters times the node.
    Weigh(usize),
}
use Step::{Add, Choice, Div, Exp, Input, Ln, Max, Min, Mul, Sqrt, Sub, Tanh, Total, Turn, Weigh};

/// Steps of which many are undefined somewhere, most of those behind a choice.
fn random(choose: &mut Chooser) -> Vec<Step> {
    let mut steps = vec![Input];
    for _ in 0..6 + choose.below(24) {
        // Late nodes more often: deep programs.
        let mut any = |count: usize| count - 1 - choose.below(count).min(choose.below(count));
        let (a, b, c) = (any(steps.len()), any(steps.len()), any(steps.len()));
        let safe = choose.chance(0.95);
        let hazard = match choose.below(14) {
            0 => Ln(a),
            1 => Sqrt(a),
            2 => Div(b, a),
            3 => Exp(a),
            4 => Add(a, b),
            5 => Sub(a, b),
            6 => Mul(a, b),
            7 | 12 | 13 => Tanh(a),
            8 => Choice(a, choose.number(), b, c),
            9 => [Min(a, b), Max(a, b)][choose.below(2)],
            10 => [Turn(a), Total(a)][choose.below(2)],
            _ => Weigh(a),
        };
        steps.push(hazard);
        if safe && matches!(hazard, Ln(_) | Sqrt(_) | Div(..)) {
            steps.push(Choice(a, 0.1, b, steps.len() - 1));
        } else if safe && matches!(hazard, Exp(_)) {
            steps.push(Choice(a, 0.3, steps.len() - 1, b));
        }
    }
    steps
}

fn weight(tape: &Tape) -> Var<'_> {
    let values = (0..D * D).map(|k| 0.3 * (k as f64 + 1.0).sin()).collect();
    tape.parameter("weight", Shape::Matrix(D, D), Init::Values(values))
}

/// The program as it is: vectors and choices.
fn whole<'t>(tape: &'t Tape, steps: &[Step], z: Var<'t>) -> Vec<Var<'t>> {
    let mut nodes: Vec<Var<'t>> = Vec::new();
    for step in steps {
        let of = |k: usize| nodes[k];
        let node = match *step {
            Input => z,
            Add(a, b) => of(a) + of(b),
            Sub(a, b) => of(a) - of(b),
            Mul(a, b) => of(a) * of(b),
            Div(a, b) => of(a) / of(b),
            Ln(a) => of(a).ln(),
            Sqrt(a) => of(a).sqrt(),
            Exp(a) => (20.0 * of(a)).exp(),
            Tanh(a) => of(a).tanh(),
            Choice(a, below, b, c) => select(of(a).lt(below), of(b), of(c)),
            Min(a, b) => of(a).min(of(b)),
            Max(a, b) => of(a).max(of(b)),
            Turn(a) => of(a).gather(&(0..D).rev().collect::<Vec<_>>()),
            Total(a) => of(a).sum().broadcast(Shape::Vector(D)),
            Weigh(a) => weight(tape).matvec(of(a)),
        };
        nodes.push(node);
    }
    nodes
}

/// An element of a node: its number at the point, the scalar that is left of it, and the largest number on the way.
#[derive(Clone, Copy)]
struct Element<'t> {
    value: f64,
    var: Var<'t>,
    peak: f64,
}

impl<'t> Element<'t> {
    fn new(value: f64, var: Var<'t>) -> Element<'t> {
        Element { value, var, peak: value.abs() }
    }

    fn map(self, f: fn(f64) -> f64, record: fn(Var<'t>) -> Var<'t>, slope: fn(f64) -> f64) -> Element<'t> {
        let peak = larger(self.peak, larger(f(self.value).abs(), slope(self.value).abs()));
        Element { value: f(self.value), var: record(self.var), peak }
    }

    fn with(self, other: Element<'t>, value: f64, var: Var<'t>) -> Element<'t> {
        Element { value, var, peak: larger(larger(self.peak, other.peak), value.abs()) }
    }

    fn plus(self, other: Element<'t>) -> Element<'t> {
        self.with(other, self.value + other.value, self.var + other.var)
    }

    fn times(self, other: Element<'t>) -> Element<'t> {
        self.with(other, self.value * other.value, self.var * other.var)
    }
}

/// The larger of two, or NaN if one is.
fn larger(a: f64, b: f64) -> f64 {
    if a > b || a.is_nan() { a } else { b }
}

/// The program that is left at a point: scalars, and no choices.
fn left<'t>(tape: &'t Tape, steps: &[Step], z: Var<'t>, point: &[f64]) -> Vec<[Element<'t>; D]> {
    let entries = weight(tape).reshape(Shape::Vector(D * D));
    let weigh = |i: usize, j: usize| {
        let entry = i * D + j;
        Element::new(0.3 * (entry as f64 + 1.0).sin(), entries.at(entry))
    };
    let mut nodes: Vec<[Element<'t>; D]> = Vec::new();
    for step in steps {
        let element = |e: usize| -> Element<'t> {
            let of = |k: usize| nodes[k][e];
            let unknown = |a: Element<'t>| Element { peak: f64::NAN, ..a };
            let negative = |a: Element<'t>| Element { value: -a.value, var: -a.var, ..a };
            match *step {
                Input => Element::new(point[e], z.at(e)),
                Add(a, b) => of(a).plus(of(b)),
                Sub(a, b) => of(a).plus(negative(of(b))),
                Mul(a, b) => of(a).times(of(b)),
                // Of which sign a zero is, nobody says.
                Div(_, b) if of(b).value == 0.0 => {
                    Element { value: f64::NAN, var: of(b).var, peak: f64::NAN }
                }
                Div(a, b) => {
                    let divided = of(a).times(of(b).map(f64::recip, Var::recip, |b| (b * b).recip()));
                    Element { value: of(a).value / of(b).value, var: of(a).var / of(b).var, ..divided }
                }
                Ln(a) => of(a).map(f64::ln, Var::ln, f64::recip),
                Sqrt(a) => of(a).map(f64::sqrt, Var::sqrt, |a| a.sqrt().recip()),
                Exp(a) => of(a).map(|a| (20.0 * a).exp(), |a| (20.0 * a).exp(), |a| 20.0 * (20.0 * a).exp()),
                Tanh(a) => of(a).map(f64::tanh, Var::tanh, |_| 1.0),
                // What is not known is known no better for being compared.
                Choice(a, ..) if of(a).peak.is_nan() => of(a),
                Min(a, b) | Max(a, b) if (of(a).peak + of(b).peak).is_nan() => unknown(of(a)),
                // Nor on which side of a number a value is that differs from it by rounding.
                Choice(a, number, ..) if (of(a).value - number).abs() < NEAR => unknown(of(a)),
                Min(a, b) | Max(a, b) if a != b && (of(a).value - of(b).value).abs() < NEAR => unknown(of(a)),
                Choice(a, below, b, c) => of(if of(a).value < below { b } else { c }),
                // Of NaN and a number the executor makes NaN.
                Min(a, b) | Max(a, b) if of(a).value.is_nan() || of(b).value.is_nan() => of(a).times(of(b)),
                Min(a, b) if of(a).value <= of(b).value => of(a),
                Max(a, b) if of(a).value >= of(b).value => of(a),
                Min(_, b) | Max(_, b) => of(b),
                Turn(a) => nodes[a][D - 1 - e],
                Total(a) => nodes[a].into_iter().reduce(Element::plus).expect("elements"),
                Weigh(a) => {
                    (0..D).map(|j| weigh(e, j).times(nodes[a][j])).reduce(Element::plus).expect("elements")
                }
            }
        };
        nodes.push(std::array::from_fn(element));
    }
    nodes
}

/// The gradients of a scalar by z and by the weight, at a point.
fn gradients(tape: &Tape, z: Var<'_>, y: Var<'_>, point: &[f64]) -> Vec<f64> {
    let subgraph = Subgraph::new(tape, &[z.id()], &[y.id()]);
    let found = adjoint(tape, &subgraph, &[(y.id(), tape.constant(1.0))], &[z.id(), weight(tape).id()]);
    let mut values = vec![0.0; D + D * D];
    for (node, at) in found.into_iter().zip([0, D]) {
        let Some(node) = node else { continue };
        let mut program = Program::<f64>::compile(tape, &[z.id()], &[Output::Each(node.id())]);
        program.load(&Parameters::initialise(tape, 0)).expect("its own parameters");
        let row = program.run(&[point], 1).expect("a row").swap_remove(0);
        values[at..at + row.len()].copy_from_slice(&row);
    }
    values
}

#[test]
fn a_gradient_is_that_of_the_branches_taken() {
    let (held, broken, skipped) = (Cell::new(0), Cell::new(0), Cell::new(0));
    for_seeds(1500, |seed| {
        let mut choose = Chooser::new(seed);
        let steps = random(&mut choose);
        let point: Vec<f64> = choose.numbers(D).into_iter().map(|z| 1.5 * z).collect();
        let outputs: Vec<usize> =
            (0..2).map(|_| steps.len() - 1 - choose.below(steps.len().min(4))).collect();
        let resolved = Tape::new();
        let z = resolved.input(Shape::Vector(D));
        let nodes = left(&resolved, &steps, z, &point);
        let elements: Vec<Element<'_>> = outputs.iter().flat_map(|k| nodes[*k]).collect();
        let y = elements.iter().map(|element| element.var).reduce(|a, b| a + b).expect("elements");
        let expected = gradients(&resolved, z, y, &point);
        // Where numbers are large what is left of their differences is not.
        let large = |value: f64| value.is_nan() || value.abs() > 1e3;
        if elements.iter().any(|element| large(element.peak)) || expected.iter().any(|value| large(*value)) {
            skipped.set(skipped.get() + 1);
            return Ok(());
        }
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(D));
        let nodes = whole(&tape, &steps, z);
        let y = outputs.iter().map(|k| nodes[*k].sum()).reduce(|a, b| a + b).expect("outputs");
        let found = gradients(&tape, z, y, &point);
        held.set(held.get() + 1);
        if nodes_break_down(&tape, z, &nodes, &point) {
            broken.set(broken.get() + 1);
        }
        let worst = found.iter().zip(&expected).map(|(a, b)| off(*a, *b)).fold(0.0, f64::max);
        let agree = found.iter().zip(&expected).all(|(a, b)| off(*a, *b) < 1e-9);
        if agree {
            Ok(())
        } else {
            Err(format!("{found:?}, not {expected:?}: {worst:e} in {steps:?} at {point:?}"))
        }
    });
    println!(
        "{} programs, {} with a branch that breaks down; {} skipped",
        held.get(),
        broken.get(),
        skipped.get()
    );
    assert!(broken.get() * 8 > held.get(), "too few programs break down in a branch that is not taken");
    assert!(skipped.get() < 3 * held.get(), "too many programs break down altogether");
}

/// Whether any node is infinite or NaN at the point.
fn nodes_break_down(tape: &Tape, z: Var<'_>, nodes: &[Var<'_>], point: &[f64]) -> bool {
    let outputs: Vec<Output> = nodes.iter().map(|node| Output::Each(node.id())).collect();
    let mut program = Program::<f64>::compile(tape, &[z.id()], &outputs);
    program.load(&Parameters::initialise(tape, 0)).expect("its own parameters");
    program.run(&[point], 1).expect("a row").iter().flatten().any(|value| !value.is_finite())
}

#[test]
fn twenty_thousand_choices_within_each_other_have_a_gradient() {
    // y = ln z₀ where z₀ > ¼, else ln z₁ where z₁ > ¼, and so on: of all but one the logarithm is of a negative number.
    const COUNT: usize = 20_000;
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(COUNT));
    let last = tape.constant(0.0);
    let y = (0..COUNT).rev().fold(last, |rest, k| select(z.at(k).gt(0.25), z.at(k).ln(), rest));
    let subgraph = Subgraph::new(&tape, &[z.id()], &[y.id()]);
    let found =
        adjoint(&tape, &subgraph, &[(y.id(), tape.constant(1.0))], &[z.id()])[0].expect("it depends on z");
    let mut program = Program::<f64>::compile(&tape, &[z.id()], &[Output::Each(found.id())]);
    program.load(&Parameters::default()).expect("there are no parameters");
    let taken = 12_345;
    let point: Vec<f64> = (0..COUNT).map(|k| if k == taken { 0.5 } else { -1.0 }).collect();
    let gradient = program.run(&[&point], 1).expect("a row").swap_remove(0);
    for (k, value) in gradient.iter().enumerate() {
        assert_eq!(*value, if k == taken { 2.0 } else { 0.0 }, "by z[{k}]");
    }
}
