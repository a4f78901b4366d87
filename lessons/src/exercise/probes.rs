//! Probes: points at which formulas are evaluated, near and far, on both sides of every place where a formula
//! changes.
//!
//! An answer that is right at ordinary points can be wrong far out, in a narrow region, or beyond a
//! threshold. So a formula is evaluated along lines: along each axis from several places, along diagonals, on
//! a logarithmic grid of both signs from 1e-12 to 1e6. Every intermediate value is tracked along each line.
//! Where one changes its sign (for a comparison, a minimum or a maximum: the difference of the two), the
//! place is found by bisection, and the formula is evaluated on both sides of it, next to it and a little
//! farther away. That is repeated, since one place (the middle of a bump) can reveal others (its edges).
//! Constants of the formula are such places too.

use std::collections::BTreeMap;
use std::ops::Range;

use super::space::Space;
use crate::exercise::points;
use pushforward::bijection::Domain;
use pushforward::sweep::{Smoothness, smoothness};
use pushforward::tape::{Binary, Choice, Op, Var};

/// Number of rounds: each finds places that the one before made visible.
const ROUNDS: usize = 3;
/// Maximum number of places on one line in one round.
const PLACES: usize = 48;
/// Distances from a place, in half decades of the grid.
const STEPS: [f64; 5] = [1e-9, 1e-6, 1e-3, 1e-2, 0.2];
/// Number of rows that combine places of several variables.
const MIXED: usize = 512;

/// Values of all variables at which formulas are evaluated.
#[derive(Clone, Debug)]
pub struct Probes {
    /// The points, row by row.
    pub rows: Vec<f64>,
    /// For each condition, the rows on either side of a place where it changes.
    sides: Vec<(usize, [usize; 2])>,
    /// The rows of each line, and the only variable that changes along it.
    lines: Vec<(Range<usize>, Option<usize>)>,
}

/// A line through the space of variables, straight or not: rows in order, interpolated in between.
struct Line {
    rows: Vec<Vec<f64>>,
    /// Positions that are evaluated, in order: k + t lies between row k and row k + 1, at the fraction t.
    positions: Vec<f64>,
    /// Positions on either side of a change, and which condition changes, if it is one.
    places: Vec<([f64; 2], Option<usize>)>,
    /// The only variable that changes, if there is one.
    variable: Option<usize>,
}

/// The values tracked along a line.
struct Followed<'t> {
    nodes: Vec<Var<'t>>,
    /// Whether a change of sign changes a condition.
    choice: Vec<bool>,
}

impl Probes {
    /// Builds the probes of these formulas.
    pub fn of(space: &Space<'_>, outputs: &[Var<'_>]) -> Probes {
        let d = space.width();
        let followed = Followed::of(space, outputs);
        let constants = constants(space, outputs);
        let mut lines = lines(space.domains());
        for line in &mut lines {
            line.pass(&constants);
            for _ in 0..ROUNDS {
                if !line.look(space, &followed) {
                    break;
                }
            }
        }
        let mut probes = Probes { rows: ordinary(space.domains()), sides: Vec::new(), lines: Vec::new() };
        for line in &lines {
            let start = probes.rows.len() / d;
            probes.rows.extend(line.positions.iter().flat_map(|position| line.row(*position)));
            let index = |position: f64| {
                start + line.positions.binary_search_by(|other| other.total_cmp(&position)).unwrap_or(0)
            };
            let choices =
                line.places.iter().filter_map(|(sides, choice)| Some(((*choice)?, sides.map(index))));
            probes.sides.extend(choices);
            probes.lines.push((start..start + line.positions.len(), line.variable));
        }
        probes.rows.extend(mixed(space.domains(), &lines));
        probes
    }

    /// Returns a row next to a change of a condition for which no row on either side gives information.
    pub fn hidden(&self, told: &[bool]) -> Option<usize> {
        let seen = |choice: usize| {
            self.sides.iter().any(|(other, sides)| *other == choice && sides.iter().any(|row| told[*row]))
        };
        self.sides.iter().find(|(choice, _)| !seen(*choice)).map(|(_, sides)| sides[0])
    }

    /// Returns the rows of each line along which only one variable changes, in order.
    pub fn along(&self, width: usize, variable: usize) -> impl Iterator<Item = &[f64]> {
        let own = self.lines.iter().filter(move |(_, other)| *other == Some(variable));
        own.map(move |(rows, _)| &self.rows[rows.start * width..rows.end * width])
    }

    /// Number of rows.
    pub fn count(&self, width: usize) -> usize {
        self.rows.len() / width
    }
}

impl<'t> Followed<'t> {
    fn of(space: &Space<'t>, outputs: &[Var<'_>]) -> Followed<'t> {
        let tape = space.tape();
        let (mut nodes, mut choice) = (Vec::new(), Vec::new());
        for id in space.subgraph(outputs).nodes() {
            let node = tape.node(*id);
            let operand = |k: usize| tape.var(node.operands[k]);
            match node.op {
                Op::Binary(Binary::Less | Binary::LessEq) | Op::Choice(Choice::Min | Choice::Max) => {
                    nodes.push(operand(0) - operand(1));
                    choice.push(true);
                }
                Op::Unary(op) if matches!(smoothness(op), Smoothness::Kink | Smoothness::Steps) => {
                    nodes.push(operand(0));
                    choice.push(true);
                }
                Op::Constant(_) | Op::Parameter(_) | Op::Concat | Op::Gather(_) | Op::Broadcast => {}
                _ if node.shape.len() <= 64 => {
                    nodes.push(tape.var(*id));
                    choice.push(false);
                }
                _ => {}
            }
        }
        Followed { nodes, choice }
    }
}

/// Returns the constants of a program, with both signs.
fn constants(space: &Space<'_>, outputs: &[Var<'_>]) -> Vec<f64> {
    let tape = space.tape();
    let mut found: Vec<f64> = Vec::new();
    for id in space.subgraph(outputs).nodes() {
        if let Op::Constant(data) = tape.node(*id).op {
            for value in data.values().iter().flat_map(|value| [*value, -*value]) {
                if !found.contains(&value) && found.len() < PLACES {
                    found.push(value);
                }
            }
        }
    }
    found
}

/// Returns half decades from 1e-12 to 1e6 of both signs, and 0; for an interval, at these distances from both
/// ends.
fn grid(domain: Domain) -> Vec<f64> {
    let sizes = (0..=36).map(|k| 10f64.powf(-12.0 + 0.5 * f64::from(k)));
    let mut grid: Vec<f64> = match domain {
        Domain::Positive => sizes.collect(),
        Domain::Interval { lower, upper } if lower.is_finite() && upper.is_finite() => {
            let even = (1..=20).map(|k| f64::from(k) / 40.0);
            let shares: Vec<f64> = sizes.filter(|size| *size < 0.02).chain(even).collect();
            let width = upper - lower;
            shares.iter().flat_map(|share| [lower + width * share, upper - width * share]).collect()
        }
        _ => sizes.flat_map(|size| [size, -size]).chain([0.0]).collect(),
    };
    grid.retain(|value| domain.contains(&[*value]));
    grid.sort_by(f64::total_cmp);
    grid.dedup();
    grid
}

/// Returns lines along each axis from several places, and diagonals.
fn lines(domains: &[Domain]) -> Vec<Line> {
    let d = domains.len();
    let grids: Vec<Vec<f64>> = domains.iter().map(|domain| grid(domain.clone())).collect();
    let ordinary = ordinary(domains);
    let middle = |k: usize| grids[k][grids[k].len() / 2];
    let far = |k: usize, above: bool| {
        let at = |value: f64| {
            *grids[k].iter().min_by(|a, b| (*a - value).abs().total_cmp(&(*b - value).abs())).expect("a grid")
        };
        at(if above { 31.6 } else { -31.6 })
    };
    let mut bases: Vec<Vec<f64>> = vec![(0..d).map(middle).collect()];
    if d > 1 {
        bases.push(ordinary[..d].to_vec());
        bases.push(ordinary[11 * d..12 * d].to_vec());
        bases.push((0..d).map(|k| far(k, k % 2 == 0)).collect());
    }
    let mut lines = Vec::new();
    for variable in 0..d {
        for base in &bases {
            let moved = |value: &f64| {
                let mut row = base.clone();
                row[variable] = *value;
                row
            };
            lines.push(Line::through(grids[variable].iter().map(moved).collect(), Some(variable)));
        }
    }
    let patterns = if d == 1 { 0 } else { 1usize << (d - 1).min(2) };
    for pattern in 0..patterns {
        let length = grids.iter().map(Vec::len).min().unwrap_or(0);
        let value = |k: usize, step: usize| {
            let grid = &grids[k];
            let step = if (pattern >> ((k + 1) % 3)) & 1 == 1 && k > 0 { length - 1 - step } else { step };
            grid[step * (grid.len() - 1) / (length - 1).max(1)]
        };
        lines.push(Line::through(
            (0..length).map(|step| (0..d).map(|k| value(k, step)).collect()).collect(),
            None,
        ));
    }
    lines
}

/// Returns generic points, row by row.
fn ordinary(domains: &[Domain]) -> Vec<f64> {
    let d = domains.len();
    let columns: Vec<Vec<f64>> = domains.iter().map(|domain| points(domain, d)).collect();
    (0..columns[0].len()).map(|k| columns[k % d][k]).collect()
}

/// Returns rows whose variables come from different places of the lines, so that all scales are combined.
fn mixed(domains: &[Domain], lines: &[Line]) -> Vec<f64> {
    let d = domains.len();
    if d == 1 {
        return Vec::new();
    }
    let mut values: Vec<Vec<f64>> = domains.iter().map(|domain| grid(domain.clone())).collect();
    let mut places: Vec<Vec<f64>> = vec![Vec::new(); d];
    for line in lines {
        let Some(variable) = line.variable else { continue };
        for ([low, high], _) in &line.places {
            for position in [*low, *high] {
                let value = line.row(position)[variable];
                if !places[variable].contains(&value) && places[variable].len() < 24 {
                    places[variable].push(value);
                }
            }
        }
    }
    let row = |values: &[Vec<f64>], k: usize| -> Vec<f64> {
        // Coprime steps, so that every pair of places occurs.
        (0..d)
            .map(|j| values[j][(k * (2 * j + 1) + (k / values[j].len()) * (j + 1)) % values[j].len()])
            .collect()
    };
    let mut rows: Vec<f64> = (0..MIXED).flat_map(|k| row(&values, k)).collect();
    if places.iter().any(|places| !places.is_empty()) {
        for (values, places) in values.iter_mut().zip(places) {
            let ordinary = values[values.len() / 2];
            *values = if places.is_empty() { vec![ordinary] } else { places };
        }
        rows.extend((0..MIXED).flat_map(|k| row(&values, k)));
    }
    rows
}

impl Line {
    fn through(rows: Vec<Vec<f64>>, variable: Option<usize>) -> Line {
        let positions = (0..rows.len()).map(|k| k as f64).collect();
        Line { rows, positions, places: Vec::new(), variable }
    }

    /// Returns the row at a position.
    fn row(&self, position: f64) -> Vec<f64> {
        let last = self.rows.len() - 1;
        let k = (position.floor().max(0.0) as usize).min(last);
        let share = position - k as f64;
        match share <= 0.0 || k == last {
            true => self.rows[k].clone(),
            false => self.rows[k].iter().zip(&self.rows[k + 1]).map(|(a, b)| a + share * (b - a)).collect(),
        }
    }

    /// Also evaluates these values of its variable.
    fn pass(&mut self, values: &[f64]) {
        let Some(variable) = self.variable else { return };
        for value in values {
            let found = (1..self.rows.len())
                .find(|k| self.rows[*k - 1][variable] < *value && *value < self.rows[*k][variable]);
            if let Some(k) = found {
                let mut row = self.rows[k].clone();
                row[variable] = *value;
                self.rows.insert(k, row);
            }
        }
        self.positions = (0..self.rows.len()).map(|k| k as f64).collect();
        let there: Vec<f64> = (0..self.rows.len())
            .filter(|k| values.contains(&self.rows[*k][variable]))
            .map(|k| k as f64)
            .collect();
        there.into_iter().for_each(|position| self.around(position));
    }

    /// Evaluates both sides of a position.
    fn around(&mut self, position: f64) {
        let last = (self.rows.len() - 1) as f64;
        let near = STEPS.iter().flat_map(|step| [position - step, position + step]);
        self.positions.extend(near.chain([position]).filter(|position| (0.0..=last).contains(position)));
        self.positions.sort_by(f64::total_cmp);
        self.positions.dedup();
    }

    /// Finds the places where something changes; returns whether any is new.
    fn look(&mut self, space: &Space<'_>, followed: &Followed<'_>) -> bool {
        let rows: Vec<f64> = self.positions.iter().flat_map(|position| self.row(*position)).collect();
        let numbers = space.numbers(&followed.nodes, &rows);
        let count = self.positions.len();
        // One bracket a segment for a condition and one for any other value; further ones are found next to
        // it.
        let mut brackets: BTreeMap<(usize, bool), (usize, usize)> = BTreeMap::new();
        for (node, values) in numbers.iter().enumerate() {
            let width = values.len() / count;
            for element in 0..width {
                let value = |k: usize| values[k * width + element];
                for k in 1..count {
                    let (a, b) = (value(k - 1), value(k));
                    let apart =
                        self.positions[k] - self.positions[k - 1] > 1e-12 * self.positions[k].max(1.0);
                    if a * b < 0.0 && apart {
                        brackets.entry((k, !followed.choice[node])).or_insert((node, element));
                    } else if followed.choice[node] && (a == 0.0) != (b == 0.0) && apart {
                        brackets.entry((k, false)).or_insert((node, element));
                    }
                }
            }
        }
        let known: Vec<f64> = self.places.iter().map(|(sides, _)| sides[0]).collect();
        let mut open: Vec<(f64, f64, usize, usize)> = brackets
            .into_iter()
            .map(|((k, _), (node, element))| (self.positions[k - 1], self.positions[k], node, element))
            .filter(|(low, high, ..)| !known.iter().any(|place| (*low..=*high).contains(place)))
            .take(PLACES)
            .collect();
        if open.is_empty() {
            return false;
        }
        let at = |node: usize, element: usize, numbers: &[Vec<f64>], row: usize| {
            numbers[node][row * followed.nodes[node].len() + element]
        };
        let starts: Vec<f64> = open.iter().flat_map(|(low, ..)| self.row(*low)).collect();
        let first = space.numbers(&followed.nodes, &starts);
        let signs: Vec<f64> = open
            .iter()
            .enumerate()
            .map(|(k, (_, _, node, element))| at(*node, *element, &first, k))
            .collect();
        for _ in 0..60 {
            let middles: Vec<f64> = open.iter().map(|(low, high, ..)| 0.5 * (low + high)).collect();
            let rows: Vec<f64> = middles.iter().flat_map(|middle| self.row(*middle)).collect();
            let numbers = space.numbers(&followed.nodes, &rows);
            for (k, bracket) in open.iter_mut().enumerate() {
                let value = at(bracket.2, bracket.3, &numbers, k);
                let same = value * signs[k] > 0.0 || (signs[k] == 0.0 && value == 0.0);
                *(if same { &mut bracket.0 } else { &mut bracket.1 }) = middles[k];
            }
        }
        for (low, high, node, _) in open {
            self.around(low);
            self.around(high);
            let sides = [low - STEPS[1], high + STEPS[1]];
            let last = (self.rows.len() - 1) as f64;
            if sides.iter().all(|side| (0.0..=last).contains(side)) {
                self.positions.extend(sides);
                self.places.push((sides, followed.choice[node].then_some(node)));
            }
        }
        self.positions.sort_by(f64::total_cmp);
        self.positions.dedup();
        true
    }
}
