//! The support of a density: computing from x to z, each row must lie in the codomain of each layer, and finally in
//! the support of the base. A row that does not has ln p = -∞, regardless of values computed after that point.
//!
//! x itself is compared with open ends. A computed value may be rounded onto an end: it is outside only beyond the
//! end.

use super::error::FlowError;
use super::outside::Outside;
use crate::bijection::{Boundary, Domain};
use crate::program::{Output, Precision, Program};
use crate::sweep::bound::Bounds;
use crate::tape::{NodeId, Parameters, Tape, Var, select};

/// The support constraints of a row, recorded with a density.
pub(crate) struct Support {
    /// The number of values of a row that lie outside; a scalar.
    pub outside: NodeId,
    places: Vec<Place>,
}

/// A set that a value must lie in, and its node.
#[derive(Clone)]
struct Place {
    of: Boundary,
    /// The number of its elements that lie outside; a scalar.
    outside: NodeId,
}

impl Support {
    /// Records the necessary comparisons; `None` where every row lies inside.
    pub fn record(x: Var<'_>, boundaries: Vec<Boundary>) -> Option<Support> {
        let tape = x.tape();
        let bounds = Bounds::new(tape, &[]);
        let mut places = Vec::new();
        for of in boundaries {
            let exact = of.value == x.id();
            if exact || !stays(&of.domain, &bounds, of.value) {
                places
                    .extend(elements_outside(tape.var(of.value), &of.domain, exact).map(|count| (of, count)));
            }
        }
        let total = places.iter().map(|(_, count)| *count).reduce(|a, b| a + b)?;
        let places = places.into_iter().map(|(of, count)| Place { of, outside: count.id() }).collect();
        Some(Support { outside: total.id(), places })
    }

    /// The values that must lie in a set, and the set; a row on an end of one without a finite density has density 0.
    #[cfg(feature = "onnx")]
    pub fn places(&self) -> impl Iterator<Item = (NodeId, &Domain)> {
        self.places.iter().map(|place| (place.of.value, &place.of.domain))
    }

    /// Its nodes, for a sweep that replaces nodes.
    pub fn nodes(&self) -> Vec<NodeId> {
        let places = self.places.iter().flat_map(|place| [place.of.value, place.outside]);
        [self.outside].into_iter().chain(places).collect()
    }

    /// Replaces its nodes.
    pub fn with_nodes(mut self, nodes: &[NodeId]) -> Support {
        self.outside = nodes[0];
        for (place, pair) in self.places.iter_mut().zip(nodes[1..].chunks(2)) {
            (place.of.value, place.outside) = (pair[0], pair[1]);
        }
        self
    }

    /// Compiles the program that locates where rows leave the support.
    pub(super) fn watch<F: Precision>(&self, tape: &Tape, inputs: &[NodeId]) -> Watch<F> {
        let outputs: Vec<Output> =
            self.places.iter().flat_map(|place| [place.of.value, place.outside]).map(Output::Each).collect();
        Watch { program: Program::compile(tape, inputs, &outputs), places: self.places.clone() }
    }
}

/// Whether bounds prove that a node lies in a domain, including its ends.
fn stays(domain: &Domain, bounds: &Bounds<'_>, value: NodeId) -> bool {
    let ((lower, upper), bound) = (domain.ends(), bounds.of(value));
    domain.dim().is_none() && !domain.couples() && bound.low.at >= lower && bound.high.at <= upper
}

/// Counts the elements of a vector that lie outside of a domain; `None` where the domain is ℝ. NaN is not outside: it
/// is a failed computation.
pub(crate) fn elements_outside<'t>(value: Var<'t>, domain: &Domain, exact: bool) -> Option<Var<'t>> {
    let tape = value.tape();
    let side = |end: &dyn Fn(&Domain) -> f64| {
        let ends = (0..value.len()).map(|i| end(&domain.of(i)));
        let (places, ends): (Vec<usize>, Vec<f64>) =
            ends.enumerate().filter(|(_, at)| at.is_finite()).unzip();
        let part = if places.len() == value.len() { value } else { value.gather(&places) };
        (!places.is_empty()).then(|| (part, tape.vector(&ends), places))
    };
    let count = |condition| select(condition, 1.0, 0.0).sum();
    let below = side(&|domain| domain.ends().0).map(|(part, ends, places)| {
        // A closed end is inside.
        let closed = places.iter().any(|i| domain.of(*i) == Domain::Circle);
        if exact && !closed { count(part.le(ends)) } else { count(part.lt(ends)) }
    });
    let above = side(&|domain| domain.ends().1)
        .map(|(part, ends, _)| if exact { count(part.ge(ends)) } else { count(part.gt(ends)) });
    let last = value.len().saturating_sub(1);
    let together = match domain {
        Domain::Ordered if last > 0 => {
            let (lower, upper) = (value.slice(0..last), value.slice(1..value.len()));
            Some(if exact { count(upper.le(lower)) } else { count(upper.lt(lower)) })
        }
        Domain::Simplex => {
            let sum = value.sum();
            Some(if exact { count(sum.ge(1.0)) } else { count(sum.gt(1.0)) })
        }
        _ => None,
    };
    [below, above, together].into_iter().flatten().reduce(|a, b| a + b)
}

/// The values of rows at all support constraints.
pub(super) struct Watch<F> {
    program: Program<F>,
    places: Vec<Place>,
}

impl<F: Precision> Watch<F> {
    /// Sets the parameters.
    pub fn load(&mut self, parameters: &Parameters) -> Result<(), FlowError> {
        Ok(self.program.load(parameters)?)
    }

    /// Returns the first of these rows that leaves the support, and where.
    pub fn first_outside(&self, inputs: &[&[F]], rows: usize) -> Result<Option<Outside>, FlowError> {
        let found = self.program.run(inputs, rows)?;
        for row in 0..rows {
            for (place, pair) in self.places.iter().zip(found.chunks(2)) {
                if pair[1][row].to_double() > 0.0 {
                    let numbers: Vec<f64> = numbers(&pair[0], row, rows);
                    // In single precision ends are rounded: the comparison in double precision may find none outside.
                    let variable = place.of.domain.first_outside(&numbers).unwrap_or(0);
                    let whole = place.of.domain.couples();
                    return Ok(Some(Outside {
                        row,
                        of: place.of.name.clone(),
                        variable,
                        value: numbers[variable],
                        set: if whole { place.of.domain.clone() } else { place.of.domain.of(variable) },
                        base: place.of.base,
                    }));
                }
            }
        }
        Ok(None)
    }

    /// Whether a single row lies exactly on an end of a set that it must lie in.
    pub fn on_an_end(&self, inputs: &[&[F]]) -> Result<bool, FlowError> {
        let found = self.program.run(inputs, 1)?;
        Ok(self.places.iter().zip(found.chunks(2)).any(|(place, pair)| {
            numbers(&pair[0], 0, 1).into_iter().enumerate().any(|(i, value)| {
                let (lower, upper) = place.of.domain.of(i).ends();
                value == lower || value == upper
            })
        }))
    }
}

fn numbers<F: Precision>(values: &[F], row: usize, rows: usize) -> Vec<f64> {
    let width = values.len() / rows;
    values[row * width..(row + 1) * width].iter().map(|value| value.to_double()).collect()
}
