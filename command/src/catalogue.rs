//! `pushforward catalogue`: every layer of the library with what is proven and derived of it.

use std::error::Error;

use clap::Args;
use pushforward::audit::Topic;
use pushforward::bijection::{leaves, record_inverse};
use pushforward::derivation::Line;
use pushforward::jacobian::{Route, Structure};
use pushforward::layers::{Example, catalogue};
use pushforward::prelude::*;
use pushforward::table::nearest;
use pushforward::tape::{Op, Subgraph};
use serde::Serialize;

/// Every layer of the library.
#[derive(Args)]
pub struct Arguments {
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

/// How many characters stand on a line.
const WIDTH: usize = 80;

/// What is known of a layer.
#[derive(Serialize)]
struct Entry {
    name: &'static str,
    structure: String,
    bijective: String,
    inverse: &'static str,
    log_det: String,
    cost: String,
}

pub fn run(arguments: &Arguments) -> Result<(), Box<dyn Error>> {
    let mut entries = Vec::new();
    for example in catalogue() {
        let entry = entry(&example)?;
        if arguments.json {
            entries.push(entry);
            continue;
        }
        let Entry { name, structure, bijective, inverse, log_det, cost } = &entry;
        // By which solver an integral is computed is told in full by a derivation.
        let cost = cost.split(", ").next().unwrap_or(cost);
        let formula = format!("    ln|det J| {cost}: {log_det}");
        let told = match formula.chars().count() <= WIDTH {
            true => formula,
            false => format!("    ln|det J| {cost}: a formula in parts"),
        };
        super::say(&format!("{name}\n    {structure}; {bijective}; inverse {inverse}\n{told}\n"));
    }
    if arguments.json {
        super::say(&format!("{}\n", serde_json::to_string_pretty(&entries)?));
    } else {
        super::say("pushforward audit NAME and pushforward derive NAME show one of them in full.\n");
    }
    Ok(())
}

/// The layer of this name.
pub fn named(name: &str) -> Option<Box<dyn Bijection>> {
    catalogue().into_iter().find(|example| example.name == name).map(|example| example.layer)
}

/// What to answer to a name that is neither a layer nor a model file.
pub fn unknown(name: &str) -> String {
    let meant = match nearest(name, names()) {
        Some(meant) => format!("the nearest layer is `{meant}`, and "),
        None => String::new(),
    };
    format!("there is no layer and no model file `{name}`; {meant}`pushforward catalogue` lists all layers")
}

/// All names, in the order of the catalogue.
pub fn names() -> Vec<&'static str> {
    catalogue().iter().map(|example| example.name).collect()
}

fn entry(example: &Example) -> Result<Entry, Box<dyn Error>> {
    let report = audit(&example.layer)?;
    let bijective = match (report.claim(Topic::Injective), report.claim(Topic::Codomain)) {
        (Some(one), None) if one.evidence.label() == "proven" => "a bijection, proven".to_string(),
        (Some(one), _) if one.evidence.label() == "proven" => "one-to-one, proven".to_string(),
        (Some(one), _) => format!("one-to-one: {}", one.evidence.label()),
        (None, _) => "one-to-one: not asked".to_string(),
    };
    Ok(Entry {
        name: example.name,
        structure: structure(&example.layer)?,
        bijective,
        inverse: inverse(&example.layer),
        log_det: log_det(&example.layer)?,
        cost: cost(&example.layer)?,
    })
}

fn structure(layer: &dyn Bijection) -> Result<String, Box<dyn Error>> {
    let recording = record(&layer)?;
    Ok(match recording.layers() {
        [only] => match &only.structure {
            Structure::Triangular { .. } => "triangular in an order".to_string(),
            Structure::BlockTriangular { blocks, .. } => format!("{} blocks", blocks.len()),
            other => other.to_string(),
        },
        several => format!("a chain of {}", several.len()),
    })
}

/// Where the inverse is from.
fn inverse(layer: &dyn Bijection) -> &'static str {
    let tape = Tape::new();
    let x = tape.input(Shape::Vector(layer.dim()));
    let Ok(z) = record_inverse(&layer, x) else { return "not there" };
    let solved = Subgraph::new(&tape, &[x.id()], &[z.id()])
        .nodes()
        .iter()
        .any(|id| matches!(tape.node(*id).op, Op::Equation(_)));
    let by_hand = leaves(layer).iter().any(|leaf| {
        let tape = Tape::new();
        let x = tape.input(Shape::Vector(layer.dim()));
        !leaf.is_inverse() && leaf.layer().inverse(x).is_some()
    });
    match (by_hand, solved) {
        (false, false) => "derived",
        (false, true) => "derived, by solving",
        (true, false) => "by hand",
        (true, true) => "by hand, by solving",
    }
}

/// The formula that the derivation ends with, where it does not stand on names given before.
fn log_det(layer: &dyn Bijection) -> Result<String, Box<dyn Error>> {
    let derivation = derive(&layer)?;
    let section = derivation.sections.iter().rev().find(|section| section.heading == "Log-determinant");
    let last = section.and_then(|section| {
        section.lines.iter().rev().find_map(|line| match line {
            Line::Formula(formula) | Line::Step { formula, .. } => Some(formula.text.clone()),
            _ => None,
        })
    });
    let formula = last.map(|text| text.rsplit(" = ").next().unwrap_or_default().to_string());
    let short = formula.filter(|text| !names_parts(text));
    Ok(short.unwrap_or_else(|| "a formula in parts".to_string()))
}

fn cost(layer: &dyn Bijection) -> Result<String, Box<dyn Error>> {
    let recording = record(&layer)?;
    Ok(match recording.layers() {
        [only] => match &only.route {
            Route::Diagonal => "O(d)".to_string(),
            Route::Linear { .. } => "of its matrices, once a call".to_string(),
            Route::Blocks { .. } => "O(Σ b³)".to_string(),
            Route::LowRank { rank: 1 } => "O(d)".to_string(),
            Route::LowRank { .. } => "O(d·k²)".to_string(),
            Route::Dense { .. } => "O(d³)".to_string(),
            other => other.to_string(),
        },
        _ => "sum".to_string(),
    })
}

/// Whether a formula stands on parts that have names: h₁, h₂, ….
fn names_parts(text: &str) -> bool {
    let pairs = text.chars().zip(text.chars().skip(1));
    pairs.into_iter().any(|(letter, below)| letter == 'h' && "₁₂₃₄₅₆₇₈₉".contains(below))
}
