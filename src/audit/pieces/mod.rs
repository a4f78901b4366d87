//! Maps that are given piece by piece: monotone on each piece, with pieces that meet.
//!
//! Where all conditions compare one variable with thresholds that do not depend on it, as the bins of a spline do, the
//! map is one formula between two neighbouring thresholds. There the conditions are known, and with them the signs of
//! the distances z - t from all thresholds, so that bounds can prove more of the slope than they can of all pieces at
//! once. An output that is strictly monotone on each piece, in one direction, and has one value where two pieces meet,
//! is strictly monotone.
//!
//! Each step is a proof for all inputs and parameters, or the answer is that nothing is known: the order of the
//! thresholds (their differences are positive), that an output depends on the conditions of its own variable only,
//! the sign of the slope on each piece (bounds), and the values at the thresholds (both formulas, with the threshold put
//! for the variable, are defined there and their difference simplifies to 0).

mod rewrite;
mod threshold;

use std::collections::{HashMap, HashSet};

use self::threshold::Threshold;
use crate::bijection::{Bijection, record_forward};
use crate::jacobian::{Structure, map, prove, triangular_diagonal};
use crate::sweep::bound::{Bound, Bounds};
use crate::sweep::reach::{NONE, Reach, Relation};
use crate::sweep::simplify::{sign, simplify};
use crate::tape::{Cut, NodeId, Op, Shape, Tape, Var};

/// Maps of more pieces are not gone through.
const MOST: usize = 64;

/// What is proven of a map piece by piece.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(super) struct Pieces {
    /// How many there are.
    pub count: usize,
    /// The sign of every diagonal entry on every piece.
    pub sign: f64,
    /// Whether neighbouring pieces have one value where they meet.
    pub meet: bool,
}

/// The pieces of a single triangular layer, if all that is asked of them can be proven but that they meet.
pub(super) fn pieces(bijection: &(impl Bijection + ?Sized)) -> Option<Pieces> {
    // Slopes of an inverse are those of what it is the inverse of, turned over.
    if let Some(other) = bijection.inverted() {
        return pieces(other);
    }
    let structure = bijection.structure();
    if !bijection.layers().is_empty() || matches!(structure, Structure::BlockTriangular { .. }) {
        return None;
    }
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(bijection.dim()));
    let x = record_forward(bijection, z).ok()?;
    let proof = prove(&tape, &map(&tape, z.id(), x.id()), &structure).ok()??;
    let (inputs, outputs) = (proof.labels().0.to_vec(), proof.labels().1.to_vec());
    let within = vec![(z.id(), bijection.domain().into())];
    let whole = Whole { tape: &tape, z, x, within, written: tape.len(), structure, inputs, outputs };
    whole.without_numbers().shortened()?.pieces()
}

/// A map with conditions.
struct Whole<'t> {
    tape: &'t Tape,
    z: Var<'t>,
    x: Var<'t>,
    /// Where z lies, and every letter that stands for something.
    within: Vec<(NodeId, Bound)>,
    /// How long the tape was when x had been recorded.
    written: usize,
    structure: Structure,
    /// The place in the order of each input, and of each output.
    inputs: Vec<u32>,
    outputs: Vec<u32>,
}

impl<'t> Whole<'t> {
    fn pieces(&self) -> Option<Pieces> {
        let (variable, thresholds) = self.thresholds()?;
        let Some(variable) = variable else {
            return Some(Pieces { count: 1, sign: self.sign_of(self.x, &self.within)?, meet: true });
        };
        let conditions: Vec<NodeId> = thresholds.iter().flat_map(Threshold::conditions).collect();
        if thresholds.len() >= MOST || !self.own_only(&conditions, variable, self.x) {
            return None;
        }
        let thresholds = self.in_order(thresholds)?;
        let nodes: Vec<Var<'t>> = thresholds.iter().map(|threshold| threshold.at).collect();
        let ascending = [self.within.as_slice(), &threshold::ascending(&nodes)].concat();
        let own = self.own(variable)?;
        let sign = self.sign_of_pieces(&own, variable, &thresholds, &ascending)?;
        let formula = |piece| self.formula(&own, &thresholds, piece, &HashMap::new());
        let formulas: Vec<Var<'t>> = (0..=thresholds.len()).map(formula).collect();
        let meet = thresholds.iter().enumerate().all(|(k, threshold)| {
            let side = |x: Var<'t>| self.value_at(x, variable, threshold.at, &ascending);
            match (side(formulas[k]), side(formulas[k + 1])) {
                (Some(left), Some(right)) => self.same(left, right, &ascending),
                _ => false,
            }
        });
        Some(Pieces { count: formulas.len(), sign, meet })
    }

    /// Which input each element of a node is, if it is nothing but inputs.
    fn places(&self, var: Var<'t>) -> Option<Vec<usize>> {
        if var.id() == self.z.id() {
            return Some((0..self.z.len()).collect());
        }
        self.tape.look(var.id(), |node| match &node.op {
            Op::Gather(indices) if node.operands[0] == self.z.id() => {
                Some(indices.iter().map(|index| *index as usize).collect())
            }
            _ => None,
        })
    }

    /// Whether of nodes shaped as the variable, each output depends on the element of its own variable alone.
    fn own_only(&self, nodes: &[NodeId], variable: Var<'t>, x: Var<'t>) -> bool {
        let Some(places) = self.places(variable) else { return false };
        let cut = Cut::new(self.tape, nodes, &[x.id()]);
        let reach = Reach::new(self.tape, &cut, Relation::Value);
        let last = self.inputs.len() as u32 - 1;
        let own: Vec<u32> = places.iter().map(|place| self.inputs[*place]).collect();
        let labels = own.repeat(nodes.len());
        let flipped: Vec<u32> = labels.iter().map(|label| last - label).collect();
        let (highest, lowest) = (reach.highest(&labels), reach.highest(&flipped));
        reach.output_elements().into_iter().zip(&self.outputs).all(|(element, own)| {
            highest[element] == NONE || (highest[element] == *own && last - lowest[element] == *own)
        })
    }

    /// The sign that the diagonal has on every piece.
    fn sign_of_pieces(
        &self,
        own: &HashSet<NodeId>,
        variable: Var<'t>,
        thresholds: &[Threshold<'t>],
        ascending: &[(NodeId, Bound)],
    ) -> Option<f64> {
        let names = self.letters(own, variable, thresholds);
        let letters: Vec<Var<'t>> = thresholds.iter().map(|t| self.tape.var(names[&t.at.id()])).collect();
        let bounds = Bounds::new(self.tape, ascending);
        let mut given = self.within.clone();
        given.extend(names.iter().map(|(known, letter)| (*letter, bounds.of(*known))));
        given.extend(threshold::ascending(&letters));
        let mut common = None;
        for piece in 0..=thresholds.len() {
            let x = self.formula(own, thresholds, piece, &names);
            let distances = threshold::distances(variable, thresholds, &letters, piece);
            let nodes: Vec<NodeId> =
                distances.iter().map(|(id, _)| *id).chain(names.values().copied()).collect();
            if !self.own_only(&nodes, variable, x) {
                return None;
            }
            let sign = self.sign_of(x, &[given.as_slice(), &distances].concat())?;
            if *common.get_or_insert(sign) != sign {
                return None;
            }
        }
        common
    }

    /// The sign that the whole diagonal of a formula has, if nothing in it can jump and it is defined.
    fn sign_of(&self, x: Var<'t>, given: &[(NodeId, Bound)]) -> Option<f64> {
        let program = map(self.tape, self.z.id(), x.id());
        let reach = Reach::new(self.tape, &program, Relation::Value);
        let jumps = program.nodes().iter().any(|id| {
            let jump = self.tape.look(*id, |node| matches!(node.op, Op::Less | Op::LessEq | Op::Sign));
            jump && reach.depends_on_input(*id)
        });
        if jumps || !Bounds::new(self.tape, given).of(x.id()).defined {
            return None;
        }
        let proof = prove(self.tape, &program, &self.structure).ok()??;
        let first = self.tape.len();
        let diagonal = triangular_diagonal(self.tape, &program, &proof);
        let sign = sign(self.tape, diagonal.entries.id(), first, given)?;
        diagonal.zeros.is_empty().then_some(sign)
    }

    /// The formula with a threshold put for the variable, if it is defined there.
    fn value_at(
        &self,
        x: Var<'t>,
        variable: Var<'t>,
        threshold: Var<'t>,
        given: &[(NodeId, Bound)],
    ) -> Option<Var<'t>> {
        // With a letter of its own put for the variable: it must reach each output as its own variable only, and
        // nothing of the variable may be left.
        let letter = self.tape.input(variable.shape());
        let open = self.with(x, variable, letter);
        let cut = Cut::new(self.tape, &[self.z.id()], &[open.id()]);
        let reach = Reach::new(self.tape, &cut, Relation::Value);
        let highest = reach.highest(&self.inputs);
        let places = self.places(variable)?;
        let replaced = |own: &u32| places.iter().any(|place| self.inputs[*place] == *own);
        let mut outputs = reach.output_elements().into_iter().zip(&self.outputs);
        let gone = outputs.all(|(e, own)| !replaced(own) || highest[e] == NONE || highest[e] < *own);
        if !gone || !self.own_only(&[letter.id()], variable, open) {
            return None;
        }
        let value = self.with(x, variable, threshold);
        Bounds::new(self.tape, given).of(value.id()).defined.then_some(value)
    }

    /// Whether two formulas are one, part by part.
    fn same(&self, left: Var<'t>, right: Var<'t>, given: &[(NodeId, Bound)]) -> bool {
        let mut pairs = vec![(left.id(), right.id())];
        while let Some((left, right)) = pairs.pop() {
            let (a, b) = (self.tape.node(left), self.tape.node(right));
            match (&a.op, &b.op) {
                _ if left == right => {}
                (Op::Gather(_), _) if a.op == b.op => pairs.push((a.operands[0], b.operands[0])),
                (Op::Concat, Op::Concat) if a.operands.len() == b.operands.len() => {
                    pairs.extend(a.operands.into_iter().zip(b.operands));
                }
                _ if a.shape != b.shape => return false,
                _ => {
                    let difference = self.tape.var(left) - self.tape.var(right);
                    // What was written stays as it is at first: opened at once, it is too long to cancel.
                    let simple = simplify(self.tape, difference.id(), self.written, given).value;
                    let simple = simplify(self.tape, simple.id(), 0, given).value;
                    let Bound { low, high, .. } = Bounds::new(self.tape, given).of(simple.id());
                    if (low.at, high.at) != (0.0, 0.0) {
                        return false;
                    }
                }
            }
        }
        true
    }
}
