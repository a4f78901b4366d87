//! Checks a derivation numerically: printed formulas are evaluated at a point and compared with the program.

use pushforward::derivation::{Derivation, Line, Span};
use pushforward::jacobian::{jacobian, map};
use pushforward::prelude::*;
use pushforward::program::{Output, Program};
use pushforward::tape::Op;

use super::scope::Scope;
use super::value::Value;

/// Reads all that the derivation of one layer says, and gives the number of equations that hold.
///
/// # Panics
/// When one does not.
pub fn equations_that_hold(bijection: &(impl Bijection + ?Sized)) -> usize {
    let derivation = derive(bijection).unwrap();
    let mut said = Said::new(bijection, &derivation);
    for section in &derivation.sections {
        for line in &section.lines {
            if let Err(error) = said.line(line) {
                panic!("{}, {}: {error}\n{line:#?}\n{derivation}", derivation.title, section.heading);
            }
        }
    }
    // What follows a shortened formula or an unknown ζ is not read: one equation stands before it.
    let least = if said.shortened { 1 } else { 2 };
    assert!(said.told >= least, "only {} equations were read in\n{derivation}", said.told);
    said.told
}

/// Everything a derivation of one layer says, worked out at a point: each = must hold, each ∈ too.
struct Said {
    scope: Scope,
    jacobian: Value,
    log_det: f64,
    /// The masks that are too large to be written out, in order.
    masks: Vec<Value>,
    /// How many variables pass a layer of two halves.
    passing: usize,
    shortened: bool,
    told: usize,
}

impl Said {
    /// The layer at a point in (0, 1), with parameters that are not at their start.
    fn new(bijection: &(impl Bijection + ?Sized), derivation: &Derivation) -> Said {
        let recording = record(bijection).unwrap();
        let (tape, d) = (recording.tape(), bijection.dim());
        let (z, x) = (recording.input(), recording.output());
        let map = map(tape, z.id(), x.id());
        let mut wanted = vec![x, recording.log_det(), jacobian(tape, &map)];
        wanted.extend(tape.parameters().into_iter().map(|id| tape.var(id)));
        let outputs: Vec<Output> = wanted.iter().map(|var| Output::Each(var.id())).collect();
        let mut program = Program::<f64>::compile(tape, &[z.id()], &outputs);
        let mut parameters = Parameters::initialise(tape, 3);
        // What starts at 0 would hide a mistake.
        for (k, (_, tensor)) in parameters.iter_mut().enumerate() {
            for (e, value) in tensor.values.iter_mut().enumerate() {
                *value += 0.1 + 0.05 * ((7 * e + k) % 11) as f64;
            }
        }
        program.load(&parameters).unwrap();
        let point: Vec<f64> = (0..d).map(|i| ((5 + 3 * i) % 19 + 1) as f64 / 21.0).collect();
        let found = program.run(&[&point], 1).unwrap();
        let (order, passing) = order_of_rows(derivation, d);
        let places = order.iter().flat_map(|i| order.iter().map(move |j| i * d + j));
        let jacobian = Value::matrix(d, d, places.map(|e| found[2][e]).collect());
        let mut scope = Scope::default();
        scope.set("z", Value::vector(point));
        scope.set("x", Value::vector(found[0].clone()));
        scope.set("J", jacobian.clone());
        scope.set("I", Value::identity(d));
        for (declaration, numbers) in tape.declarations().iter().zip(&found[3..]) {
            let value = match declaration.shape {
                Shape::Matrix(rows, columns) => Value::matrix(rows, columns, numbers.clone()),
                _ => Value::vector(numbers.clone()),
            };
            scope.set(&declaration.name, value);
        }
        let masks =
            map.nodes().iter().map(|id| tape.node(*id)).filter_map(|node| match (node.op, node.shape) {
                (Op::Constant(data), Shape::Matrix(rows, columns)) if data.values().len() > 16 => {
                    Some(Value::matrix(rows, columns, data.values().to_vec()))
                }
                _ => None,
            });
        let masks = masks.collect();
        Said { scope, jacobian, log_det: found[1][0], masks, passing, shortened: false, told: 0 }
    }

    fn line(&mut self, line: &Line) -> Result<(), String> {
        match line {
            Line::Formula(formula) | Line::Step { formula, .. } => self.formula(&formula.text),
            // How the variables are divided; x is divided in the same way.
            Line::Prose(prose) => prose.0.iter().try_for_each(|span| match span {
                Span::Formula(formula) if formula.text.starts_with("z_") && formula.text.contains('=') => {
                    self.formula(&formula.text)?;
                    self.formula(&formula.text.replace('z', "x"))
                }
                _ => Ok(()),
            }),
            Line::Matrix(matrix) if matrix.columns == self.jacobian.columns => {
                matrix.entries.iter().enumerate().try_for_each(|(e, entry)| {
                    match self.scope.clone().read(&entry.value.text) {
                        Ok(value) => close(&value, &Value::scalar(self.jacobian.numbers[e])),
                        // A block that has no formula here.
                        Err(_) if entry.name == entry.value => Ok(()),
                        Err(error) => Err(error),
                    }
                })
            }
            Line::Matrix(_) => Ok(()),
        }
    }

    fn formula(&mut self, text: &str) -> Result<(), String> {
        // A list that is shortened cannot be read in, and nothing that stands on it can.
        if text.contains('…') {
            self.shortened = true;
        }
        // The solution of an equation in the middle of a formula has no value here, nor has what stands on it.
        if text.contains("solve(") || text.contains('ζ') {
            self.shortened = true;
            return Ok(());
        }
        if self.shortened {
            return Ok(());
        }
        if let Some((name, interval)) = text.split_once(" ∈ ") {
            let Ok(value) = self.scope.clone().read(name) else { return Ok(()) };
            let ends: Vec<f64> = interval
                .trim_matches(['(', ')', '[', ']'])
                .split(", ")
                .map(|end| end.replace('∞', "inf").parse().map_err(|_| format!("{end} is no end")))
                .collect::<Result<_, _>>()?;
            let inside = value.numbers.iter().all(|x| *x >= ends[0] && *x <= ends[1]);
            self.told += 1;
            return if inside { Ok(()) } else { Err(format!("{value:?} is not in {interval}")) };
        }
        if let Some((name, entry)) = text.split_once(")ᵢⱼ = ") {
            let mask = self.masks.remove(0);
            for (e, expected) in mask.numbers.iter().enumerate() {
                let said = self.scope.read_entry(entry, (e / mask.columns, e % mask.columns))?;
                close(&Value::scalar(*expected), &Value::scalar(said))?;
            }
            self.scope.set(name.trim_start_matches('('), mask);
            return Ok(());
        }
        let mut sides: Vec<&str> = text.split(" = ").collect();
        let density = format!("{} - {}", "0", self.log_det);
        if sides[0] == "ln p_X(x)" {
            sides[0] = &density;
        }
        let name = sides[0];
        let mut values = Vec::new();
        for side in &sides {
            let side = side.replace("ln p_Z(z)", "0").replace("ln p_Z(f⁻¹(x))", "0");
            match side.as_str() {
                "∂x_b/∂z_a" => values.push(self.corner()),
                "∂xᵢ/∂zᵢ" => {
                    let sum: f64 = (0..self.jacobian.rows).map(|i| self.entry(i, i)).sum();
                    let right = self.scope.read(&format!("Σᵢ ({})", sides[1]))?;
                    self.told += 1;
                    return close(&Value::scalar(sum), &right);
                }
                // A new name.
                side if side == name && self.scope.clone().read(side).is_err() => {}
                side => values.push(self.scope.clone().read(side)?),
            }
        }
        let first = values.first().ok_or("nothing is said")?.clone();
        for other in &values[1..] {
            self.told += 1;
            close(&first, other)?;
        }
        if self.scope.clone().read(name).is_err() {
            self.scope.set(name, first);
        }
        Ok(())
    }

    fn entry(&self, row: usize, column: usize) -> f64 {
        self.jacobian.numbers[row * self.jacobian.columns + column]
    }

    /// The block below the diagonal: J is in the order of the halves.
    fn corner(&self) -> Value {
        let passing = self.passing;
        let rows = passing..self.jacobian.rows;
        let numbers =
            rows.clone().flat_map(|i| (0..passing).map(move |j| (i, j))).map(|(i, j)| self.entry(i, j));
        Value::matrix(rows.len(), passing, numbers.collect())
    }
}

fn close(a: &Value, b: &Value) -> Result<(), String> {
    let length = a.numbers.len().max(b.numbers.len());
    let at = |value: &Value, k: usize| value.numbers[if value.numbers.len() == 1 { 0 } else { k }];
    if [a, b].iter().any(|value| ![1, length].contains(&value.numbers.len())) {
        return Err(format!("{a:?} and {b:?} differ in size"));
    }
    let off = (0..length).map(|k| (at(a, k) - at(b, k)).abs() / at(a, k).abs().max(1.0)).fold(0.0, f64::max);
    if off < 1e-9 { Ok(()) } else { Err(format!("{:?} is not {:?}", a.numbers, b.numbers)) }
}

/// The variables in the order in which the derivation writes the rows of J, and how many of them pass.
fn order_of_rows(derivation: &Derivation, d: usize) -> (Vec<usize>, usize) {
    let mut order = Vec::new();
    let mut passing = 0;
    for line in derivation.sections.iter().flat_map(|section| &section.lines) {
        let Line::Prose(prose) = line else { continue };
        for span in &prose.0 {
            let Span::Formula(formula) = span else { continue };
            let Some((name, places)) = formula.text.split_once(" = ") else { continue };
            let below = |c: char| "₁₂₃₄₅₆₇₈".chars().position(|digit| digit == c);
            if ["z_a", "z_b"].contains(&name) {
                order.extend(places.chars().filter_map(below));
            }
            if name == "z_a" {
                passing = order.len();
            }
        }
    }
    if order.is_empty() { ((0..d).collect(), 0) } else { (order, passing) }
}
