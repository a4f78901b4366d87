//! The layer of a derivation: its nodes, the names of its variables, and the names given to nodes so far.

use super::coupling::CouplingParts;
use super::prose::Prose;
use super::{Entry, Line, Matrix};
use crate::bijection::LayerRecord;
use crate::sweep::bound::{Bound, Bounds};
use crate::sweep::{Names, Sheet, Wanted};
use crate::tape::{Node, NodeId, Op, Tape};
use crate::typeset::{Formula, Positions, Term, Written};

/// Names of the variables and of the Jacobian of a layer.
#[derive(Clone, Debug)]
pub(super) struct VariableNames {
    /// z, or the output of the previous layer.
    pub(super) input: Written,
    /// x, or the input of the next layer.
    pub(super) output: Written,
    /// J
    pub(super) jacobian: Written,
}

impl VariableNames {
    pub(super) fn new(input: &str, output: &str, jacobian: &str) -> VariableNames {
        let [input, output, jacobian] = [input, output, jacobian].map(Written::typed);
        VariableNames { input, output, jacobian }
    }

    /// Returns the names with input and output swapped.
    pub(super) fn turned(&self, jacobian: &str) -> VariableNames {
        let (input, output) = (self.output.clone(), self.input.clone());
        VariableNames { input, output, jacobian: Written::typed(jacobian) }
    }

    /// ln|det J|
    pub(super) fn log_det(&self) -> Written {
        self.det().log_abs()
    }

    /// det J
    pub(super) fn det(&self) -> Written {
        Written::of(&Term::Determinant(&self.jacobian))
    }

    /// Jᵢᵢ
    pub(super) fn diagonal_entry(&self) -> Written {
        Written::of(&Term::Index(&self.jacobian, "ii"))
    }
}

pub(super) struct Subject<'a> {
    pub(super) tape: &'a Tape,
    pub(super) layer: &'a LayerRecord,
    /// The domain of each input.
    pub(super) domain: Bound,
    pub(super) called: VariableNames,
    pub(super) coupling: Option<CouplingParts>,
    /// ln|det J|, in the form in which it was written.
    pub(super) log_det: NodeId,
    /// J in matrix form, if it was written so.
    pub(super) whole: Option<NodeId>,
    /// Whether the Jacobian was written entry by entry; then the inverse is, too.
    pub(super) by_entries: bool,
    names: Names,
}

impl<'a> Subject<'a> {
    pub(super) fn new(
        tape: &'a Tape,
        layer: &'a LayerRecord,
        domain: Bound,
        called: VariableNames,
    ) -> Subject<'a> {
        let parts = CouplingParts::of(tape, layer.input, layer.output);
        let mut names = Names::new().with_written(layer.input, called.input.clone());
        if let Some(parts) = &parts {
            names = names
                .with_written(parts.passed, half(&called.input, 'a'))
                .with_written(parts.before, half(&called.input, 'b'));
        }
        Subject {
            tape,
            layer,
            domain,
            called,
            coupling: parts,
            log_det: layer.log_det,
            whole: None,
            by_entries: false,
            names,
        }
    }

    /// Number of variables.
    pub(super) fn d(&self) -> usize {
        self.tape.shape(self.layer.input).len()
    }

    /// Index of the first derived node; the nodes before it were recorded by `forward`.
    pub(super) fn first(&self) -> usize {
        self.layer.output.index() + 1
    }

    /// Returns whether every output is a copy of an input.
    pub(super) fn copies(&self) -> bool {
        let from = |node: &Node| matches!(node.op, Op::Gather(_)) && node.operands[0] == self.layer.input;
        self.tape.with_node(self.layer.output, from)
    }

    /// Names a node from here on.
    pub(super) fn name(&mut self, node: NodeId, name: Written) {
        self.names = self.names.clone().with_written(node, name);
    }

    /// Takes over the names of another layer of the same tape.
    pub(super) fn take_names(&mut self, other: &Subject<'_>) {
        self.names = self.names.clone().after(&other.names);
    }

    /// Returns the definition of a node, even if it has a name.
    pub(super) fn opened(&self, sheet: &Sheet, node: NodeId) -> Written {
        self.names.definition(node).unwrap_or_else(|| sheet.of(node)).clone()
    }

    /// Writes nodes; names introduced here are kept for the following sections.
    pub(super) fn write(&mut self, wanted: Vec<Wanted>) -> Sheet {
        let sheet = Sheet::new(self.tape, wanted, &self.names);
        self.names = sheet.names().clone();
        sheet
    }

    /// Writes nodes if that takes at most `longest` characters, with the definitions.
    pub(super) fn write_if_short(&mut self, wanted: Vec<Wanted>, longest: usize) -> Option<Sheet> {
        let sheet = Sheet::new(self.tape, wanted, &self.names);
        (sheet.width() <= longest).then(|| {
            self.names = sheet.names().clone();
            sheet
        })
    }

    /// Writes nodes as lines.
    pub(super) fn lines(&mut self, wanted: Vec<Wanted>) -> Vec<Line> {
        formulas(&self.write(wanted))
    }

    /// Writes out which variables are in the identity part of the input and which in the transformed part.
    pub(super) fn introduced(&self, parts: &CouplingParts, of: &Written) -> Prose {
        let spelled = |letter: char, places: &[u32]| half(of, letter).equals(&chosen(of, places));
        Prose::default()
            .formula(spelled('a', &parts.identity))
            .then(Prose::words(" and "))
            .formula(spelled('b', &parts.transformed))
    }

    /// Returns whether the bounds prove a node to be 0 for all inputs and parameters.
    pub(super) fn is_zero(&self, id: NodeId) -> bool {
        let bound = Bounds::new(self.tape, &[(self.layer.input, self.domain)]).of(id);
        bound.defined && bound.low.at == 0.0 && bound.high.at == 0.0
    }
}

/// Returns the lines of a sheet as formulas.
pub(super) fn formulas(sheet: &Sheet) -> Vec<Line> {
    sheet.lines().iter().cloned().map(line).collect()
}

/// Returns a formula on a line of its own.
pub(super) fn line(written: Written) -> Line {
    Line::Formula(Formula::from(written))
}

/// zₐ or z_b.
pub(super) fn half(of: &Written, letter: char) -> Written {
    Written::of(&Term::Index(of, if letter == 'a' { "a" } else { "b" }))
}

/// Writes several variables: one by one if there are few.
pub(super) fn chosen(of: &Written, places: &[u32]) -> Written {
    match places {
        [only] => of.element(*only as usize),
        _ if places.len() <= 6 => {
            let each: Vec<Written> = places.iter().map(|place| of.element(*place as usize)).collect();
            Written::of(&Term::List(each.iter().collect()))
        }
        _ => Written::of(&Term::Part(of, &Positions::Items(places.to_vec()))),
    }
}

/// Builds a matrix line from named entries, by rows.
pub(super) fn matrix(name: &Written, columns: usize, entries: Vec<(Written, Option<Written>)>) -> Line {
    let entry = |(name, value): (Written, Option<Written>)| Entry {
        zero: value.is_none(),
        value: value.unwrap_or_else(|| Written::number(0.0)).into(),
        name: name.into(),
    };
    Line::Matrix(Matrix {
        name: name.clone().into(),
        columns,
        entries: entries.into_iter().map(entry).collect(),
    })
}
