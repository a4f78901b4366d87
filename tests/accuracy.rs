//! The derived ln|det J| against at least 50 digits, wherever x is finite: from 10⁻³⁰ to 10³⁰ and beyond,
//! where σ and tanh are constant in floating point, and in both number types.
//!
//! Criterion: within 8 units in the last place of max(1, |ln|det J||), plus the effect of one rounding of z.
//! `ACCURACY_MAPS=2000 cargo test --test library accuracy:: -- --nocapture` tests that many random maps and prints
//! those that lose digits, with the operation that loses them.

mod dual;
mod exact;
mod maps;

use crate::catalogue;

use std::collections::BTreeMap;
use std::fmt::Write;

use astro_float_num::BigFloat;
use pushforward::bijection::{Composition, Recording};
use pushforward::prelude::*;
use pushforward::program::{Output, Precision, Program};
use pushforward::sweep::{Names, render};
use pushforward::tape::Subgraph;

use dual::{Setting, log_det, values};
use exact::{Exact, double};

/// 512 binary digits are 154 decimal ones; where they do not agree with twice as many, there are more.
const DIGITS: [usize; 4] = [512, 1024, 2048, 4096];

/// What the test needs of a number type.
trait Format: Precision {
    const EPSILON: f64;
    const LARGEST: f64;
    fn rounded(a: f64) -> Self;
    fn double(self) -> f64;
    /// The neighbours.
    fn around(self) -> [Self; 2];
}

impl Format for f64 {
    const EPSILON: f64 = f64::EPSILON;
    const LARGEST: f64 = f64::MAX;
    fn rounded(a: f64) -> f64 {
        a
    }
    fn double(self) -> f64 {
        self
    }
    fn around(self) -> [f64; 2] {
        [self.next_down(), self.next_up()]
    }
}

impl Format for f32 {
    const EPSILON: f64 = f32::EPSILON as f64;
    const LARGEST: f64 = f32::MAX as f64;
    fn rounded(a: f64) -> f32 {
        a as f32
    }
    fn double(self) -> f64 {
        f64::from(self)
    }
    fn around(self) -> [f32; 2] {
        [self.next_down(), self.next_up()]
    }
}

/// Numbers of a domain: of every order of magnitude, on both sides of 0 and at both ends.
fn grid<F: Format>(domain: Domain) -> Vec<F> {
    let mut all = Vec::new();
    let sizes = (-30..=30).map(|k| 10f64.powi(k));
    // Where functions bend, and where they become flat to a double or a float.
    let more = [
        0.3, 0.7, 1.3, 2.1, 4.3, 5.9, 8.7, 12.0, 17.0, 19.5, 25.0, 36.9, 40.0, 60.0, 88.0, 104.0, 370.0,
        745.0,
    ];
    for size in sizes.chain(more) {
        match domain {
            Domain::Interval { lower, upper } => {
                let reach = (upper - lower) * (size / (1.0 + size));
                all.extend([lower + reach, upper - (upper - lower) * (size.recip() / (1.0 + size.recip()))]);
            }
            _ => all.extend([size, -size]),
        }
    }
    all.push(0.0);
    let mut numbers: Vec<F> =
        all.into_iter().map(F::rounded).filter(|z| domain.contains(&[z.double()])).collect();
    numbers.sort_by(|a, b| a.double().total_cmp(&b.double()));
    numbers.dedup_by(|a, b| a.double() == b.double());
    numbers
}

/// One number that is not what it should be.
struct Loss {
    /// In units of what is allowed; 1 is just right.
    size: f64,
    point: Vec<f64>,
    found: f64,
    expected: f64,
}

/// How a map fares in one number type.
struct Verdict {
    judged: usize,
    /// The reference had no digits there.
    unknown: usize,
    worst: Option<Loss>,
}

struct Judge<'a> {
    recording: &'a Recording,
    exact: Vec<Exact>,
}

impl Judge<'_> {
    /// ln|det J| to at least 20 digits more than a double has; `None` where the reference cannot tell.
    fn reference(&mut self, setting: &Setting<'_>, point: &[f64]) -> Option<BigFloat> {
        let ends = (self.recording.input().id(), self.recording.output().id());
        let mut last: Option<BigFloat> = None;
        for exact in &mut self.exact {
            let next = log_det(exact, setting, ends, point);
            if let (Some(last), Some(next)) = (&last, &next) {
                let gap = double(&exact.sub(last, next).abs());
                if gap <= 1e-40 * double(next).abs().max(1e-20) {
                    return Some(next.clone());
                }
            }
            last = next;
        }
        None
    }

    fn verdict<F: Format>(&mut self, domain: Domain) -> Verdict {
        let recording = self.recording;
        let tape = recording.tape();
        let d = recording.dim();
        let parameters = Parameters::initialise(tape, 3);
        let outputs = [recording.output(), recording.log_det()].map(|var| Output::Each(var.id()));
        let mut program = Program::<F>::compile(tape, &[recording.input().id()], &outputs);
        program.load(&parameters).unwrap();
        let setting = setting::<F>(tape, &parameters);
        let grid = grid::<F>(domain);
        let mut verdict = Verdict { judged: 0, unknown: 0, worst: None };
        for k in 0..grid.len() {
            let point: Vec<F> = (0..d).map(|i| grid[(k + 37 * i) % grid.len()]).collect();
            let found = program.run(&[&point], 1).unwrap();
            if found[0].iter().any(|x| !x.double().is_finite()) {
                continue;
            }
            let found = found[1][0].double();
            let at: Vec<f64> = point.iter().map(|z| z.double()).collect();
            let ends = (recording.input().id(), recording.output().id());
            let Some(quick) = log_det(&mut self.exact[0], &setting, ends, &at) else {
                verdict.unknown += 1;
                continue;
            };
            let allowed = |expected: f64| 8.0 * F::EPSILON * expected.abs().max(1.0);
            verdict.judged += 1;
            let quick = double(&quick);
            if (found - quick).abs() <= allowed(quick) {
                continue;
            }
            // It is looked at closely: are these digits right, and how far does a rounding of z move them?
            let Some(expected) = self.reference(&setting, &at) else {
                (verdict.judged, verdict.unknown) = (verdict.judged - 1, verdict.unknown + 1);
                continue;
            };
            let expected = double(&expected);
            if expected.abs() > F::LARGEST {
                continue;
            }
            let mut moved = 0.0f64;
            for i in 0..d {
                for z in point[i].around() {
                    let mut near = at.clone();
                    near[i] = z.double();
                    if let Some(other) = self.reference(&setting, &near) {
                        moved = moved.max((double(&other) - expected).abs());
                    }
                }
            }
            let size = (found - expected).abs() / (allowed(expected) + moved);
            let size = if size.is_nan() { f64::INFINITY } else { size };
            if size > 1.0 && verdict.worst.as_ref().is_none_or(|worst| size > worst.size) {
                verdict.worst = Some(Loss { size, point: at, found, expected });
            }
        }
        verdict
    }

    /// The operation of the derived formula that loses the digits at a point: what it makes of its exact operands, rounded
    /// once, against what it should be, in units of the last place. (Herbie's local error.)
    fn loser<F: Format>(&mut self, point: &[f64]) -> String {
        let recording = self.recording;
        let tape = recording.tape();
        let setting = setting::<F>(tape, &Parameters::initialise(tape, 3));
        let (input, root) = (recording.input().id(), recording.log_det().id());
        let exact = &mut self.exact[2];
        let given: Vec<BigFloat> = point.iter().map(|z| exact.of(*z)).collect();
        let Some(known) = values(exact, &setting, &[(input, given)], root) else {
            return "the formula has no value".to_string();
        };
        let mut worst = (0.0, String::new());
        let names = Names::new().with(input, "z");
        for id in Subgraph::new(tape, &[input], &[root]).nodes() {
            let node = tape.node(*id);
            if !node.op.is_elementwise() {
                continue;
            }
            for (e, truth) in known[id].iter().enumerate() {
                let rounded: Vec<BigFloat> = node
                    .operands
                    .iter()
                    .map(|operand| exact.of(F::rounded(double(&known[operand][e])).double()))
                    .collect();
                let size = double(truth).abs();
                let off = match dual::function(exact, &node.op, &rounded[0], rounded.get(1)) {
                    Some(value) if !value.is_nan() && !value.is_inf() => {
                        double(&exact.sub(&value, truth).abs())
                    }
                    _ => f64::INFINITY,
                };
                let ulps = off / (F::EPSILON * size.max(1e-300));
                if ulps > worst.0 {
                    worst = (ulps, format!("{ulps:.1e} ulp in {}", render(tape, *id, &names)));
                }
            }
        }
        worst.1
    }
}

fn setting<'a, F: Format>(tape: &'a Tape, parameters: &Parameters) -> Setting<'a> {
    let declared = tape.declarations();
    let of = |declaration: &pushforward::tape::Declaration| {
        let tensor = parameters.resolve(declaration).expect("initialised");
        tensor.values.iter().map(|value| F::rounded(*value).double()).collect()
    };
    Setting {
        tape,
        parameters: declared.iter().map(of).collect(),
        rounded: |value| F::rounded(value).double(),
    }
}

/// Maps whose log-determinant does lose digits somewhere, and why. Nothing else may.
const LOSES: &[(&str, &str)] = &[
    (
        "ln softplus z",
        "softplus z is below the normal numbers from z = -709 down, and its logarithm is all there is",
    ),
    ("sinh(asinh z + 0.3)", "softplus(b + 0.6) - softplus(b) for b of 140: 3 times too far in f64, 6 in f32"),
    ("ln(eᶻ + e^(2z))", "softplus(z + ln 2) - softplus(z): twice too far"),
    ("z/√(1 + z²)", "in f32: z², as it was written, is ∞ from 10¹⁹ on"),
    ("Power", "in f32: ln z₁ + ln z₂ with one far below 0 and one far above, 1.1 times too far"),
    ("SignedPower", "½·ln|z₁| + ½·ln|z₂| with one far below 0 and one far above, 1.1 times too far"),
    ("CentredSoftmax", "the shares, which are the entries of J, are 0 in f64 from z = -745 down"),
    ("composed 37:", "in f32: (1 - z)², which lnΦ takes, is ∞ from 10¹⁹ on"),
    ("composed 9:", "ln(1 + eᶻ), as it was written, is ∞ from z = 710 on, and erf of it is not"),
    ("composed 17:", "in f32: (az + b)², as it was written, is ∞"),
    ("composed 24:", "in f32: (az)², as it was written, is ∞"),
    ("composed 43:", "in f32: (az + b)², as it was written, is ∞"),
    ("composed 33:", "quotients of quotients of exponentials are not brought to one denominator"),
    ("composed 35:", "e⁻ᶻ is 0 in f64 beside a product that has it as a factor under a sum"),
];

/// What is lost beside that, a line for each map and number type.
fn losses(layers: &[Box<dyn Bijection>]) -> Vec<String> {
    let mut lost = Vec::new();
    // Several maps may have one name.
    let mut loses: BTreeMap<&str, bool> = BTreeMap::new();
    let mut exact: Vec<Exact> = DIGITS.map(Exact::new).into();
    for layer in layers {
        let recording = record(layer).unwrap_or_else(|error| panic!("{}: {error}", layer.name()));
        let mut judge = Judge { recording: &recording, exact };
        let mut row = format!("{:<44}", layer.name());
        let both =
            [("f64", judge.verdict::<f64>(layer.domain())), ("f32", judge.verdict::<f32>(layer.domain()))];
        let single = both[0].1.worst.is_none();
        let keeps = both.iter().all(|(_, verdict)| verdict.worst.is_none());
        for (name, verdict) in both {
            assert!(
                verdict.judged >= 20,
                "{}: {} points, {} unknown",
                layer.name(),
                verdict.judged,
                verdict.unknown
            );
            write!(row, " {name} {:>4} points", verdict.judged).unwrap();
            if let Some(Loss { size, point, found, expected }) = verdict.worst {
                write!(row, ", {size:.1e} times too far").unwrap();
                let loser = match name {
                    "f64" => judge.loser::<f64>(&point),
                    _ if single => judge.loser::<f32>(&point),
                    _ => "the same".to_string(),
                };
                let formula = render(
                    recording.tape(),
                    recording.log_det().id(),
                    &Names::new().with(recording.input().id(), "z"),
                );
                if let Some((_, reason)) = LOSES.iter().find(|(known, _)| layer.name().starts_with(known)) {
                    write!(row, " ({reason})").unwrap();
                    continue;
                }
                lost.push(format!(
                    "{} in {name}: {found:?} for {expected:?} at {point:?}, {size:.1e} times too far\n    {formula:.300}\n    {loser:.300}",
                    layer.name()
                ));
            }
        }
        if let Some((known, _)) = LOSES.iter().find(|(known, _)| layer.name().starts_with(known)) {
            *loses.entry(*known).or_insert(false) |= !keeps;
        }
        println!("{row}");
        exact = judge.exact;
    }
    let kept = loses.into_iter().filter(|(_, lost)| !lost);
    lost.extend(kept.map(|(name, _)| format!("{name} is in LOSES, and loses nothing")));
    lost
}

fn boxed(maps: impl IntoIterator<Item = maps::Map>) -> Vec<Box<dyn Bijection>> {
    maps.into_iter().map(|map| Box::new(map) as Box<dyn Bijection>).collect()
}

#[test]
fn log_determinants_of_what_people_write_keep_their_digits() {
    let lost = losses(&boxed(maps::named()));
    assert!(lost.is_empty(), "{} lost:\n{}", lost.len(), lost.join("\n"));
}

#[test]
fn log_determinants_of_every_layer_keep_their_digits() {
    // Functions of matrices and solutions of differential equations have no reference here, and points are drawn from one set for
    // all variables.
    let has_reference = |entry: &catalogue::Entry| {
        let is_of_a_matrix = ["Cayley", "MatrixExponential"].contains(&entry.layer.name().as_str());
        let is_solved = matches!(entry.layer.composition(), Composition::Continuous(_));
        !is_of_a_matrix && !is_solved && entry.layer.domain().dim().is_none()
    };
    let layers: Vec<Box<dyn Bijection>> =
        catalogue::catalogue().into_iter().filter(has_reference).map(|entry| entry.layer).collect();
    let lost = losses(&layers);
    assert!(lost.is_empty(), "{} lost:\n{}", lost.len(), lost.join("\n"));
}

#[test]
fn log_determinants_of_random_compositions_keep_their_digits() {
    let count: u64 = std::env::var("ACCURACY_MAPS").ok().and_then(|n| n.parse().ok()).unwrap_or(60);
    let lost = losses(&boxed((0..count).map(maps::composed)));
    assert!(lost.is_empty(), "{} lost:\n{}", lost.len(), lost.join("\n"));
}
