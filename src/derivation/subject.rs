//! A layer whose derivation is being written: its nodes, how its variables are called, and what has a name already.

use super::halves::Halves;
use super::prose::Prose;
use super::{Entry, Line, Matrix};
use crate::bijection::LayerRecord;
use crate::sweep::bound::{Bound, Bounds};
use crate::sweep::{Formula, Names, Positions, Sheet, Term, Wanted, Written};
use crate::tape::{Node, NodeId, Op, Tape};

/// How the variables and the Jacobian of a layer are called.
#[derive(Clone, Debug)]
pub(super) struct Called {
    /// z, or what the layer before gives.
    pub(super) input: Written,
    /// x, or what the next layer takes.
    pub(super) output: Written,
    /// J
    pub(super) jacobian: Written,
}

impl Called {
    pub(super) fn new(input: &str, output: &str, jacobian: &str) -> Called {
        let [input, output, jacobian] = [input, output, jacobian].map(Written::typed);
        Called { input, output, jacobian }
    }

    /// The same from the other side.
    pub(super) fn turned(&self, jacobian: &str) -> Called {
        let (input, output) = (self.output.clone(), self.input.clone());
        Called { input, output, jacobian: Written::typed(jacobian) }
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
    /// Where each input lies.
    pub(super) domain: Bound,
    pub(super) called: Called,
    pub(super) halves: Option<Halves>,
    /// ln|det J|, in the form in which it was written.
    pub(super) log_det: NodeId,
    /// J with whole matrices, if it was written so.
    pub(super) whole: Option<NodeId>,
    /// Whether the Jacobian was written entry by entry: then the inverse is, too.
    pub(super) by_entries: bool,
    names: Names,
}

impl<'a> Subject<'a> {
    pub(super) fn new(tape: &'a Tape, layer: &'a LayerRecord, domain: Bound, called: Called) -> Subject<'a> {
        let halves = Halves::of(tape, layer.input, layer.output);
        let mut names = Names::new().with_written(layer.input, called.input.clone());
        if let Some(halves) = &halves {
            names = names
                .with_written(halves.passed, half(&called.input, 'a'))
                .with_written(halves.before, half(&called.input, 'b'));
        }
        Subject {
            tape,
            layer,
            domain,
            called,
            halves,
            log_det: layer.log_det,
            whole: None,
            by_entries: false,
            names,
        }
    }

    /// How many variables it maps.
    pub(super) fn d(&self) -> usize {
        self.tape.shape(self.layer.input).len()
    }

    /// The first node that was derived: what is before it was written by hand.
    pub(super) fn first(&self) -> usize {
        self.layer.output.index() + 1
    }

    /// Whether every output is a copy of an input.
    pub(super) fn copies(&self) -> bool {
        let from = |node: &Node| matches!(node.op, Op::Gather(_)) && node.operands[0] == self.layer.input;
        self.tape.look(self.layer.output, from)
    }

    /// Calls a node so from here on.
    pub(super) fn name(&mut self, node: NodeId, name: Written) {
        self.names = self.names.clone().with_written(node, name);
    }

    /// Keeps the names that were given and made for another layer of the same tape.
    pub(super) fn take_names(&mut self, other: &Subject<'_>) {
        self.names = self.names.clone().after(&other.names);
    }

    /// What a node is, even where it has a name.
    pub(super) fn opened(&self, sheet: &Sheet, node: NodeId) -> Written {
        self.names.definition(node).unwrap_or_else(|| sheet.of(node)).clone()
    }

    /// Writes nodes; what gets a name keeps it in the sections that follow.
    pub(super) fn write(&mut self, wanted: Vec<Wanted>) -> Sheet {
        let sheet = Sheet::new(self.tape, wanted, &self.names);
        self.names = sheet.names().clone();
        sheet
    }

    /// The same if it takes no more than so many characters, with its definitions.
    pub(super) fn write_if_short(&mut self, wanted: Vec<Wanted>, longest: usize) -> Option<Sheet> {
        let sheet = Sheet::new(self.tape, wanted, &self.names);
        (sheet.width() <= longest).then(|| {
            self.names = sheet.names().clone();
            sheet
        })
    }

    /// The same as lines.
    pub(super) fn lines(&mut self, wanted: Vec<Wanted>) -> Vec<Line> {
        formulas(&self.write(wanted))
    }

    /// The half of the input that passes, and the half that is moved, spelled out.
    pub(super) fn introduced(&self, halves: &Halves, of: &Written) -> Prose {
        let spelled = |letter: char, places: &[u32]| half(of, letter).equals(&chosen(of, places));
        Prose::default()
            .formula(spelled('a', &halves.passing))
            .then(Prose::words(" and "))
            .formula(spelled('b', &halves.moved))
    }

    /// Whether a node is 0 for all inputs and parameters, as the bounds see it.
    pub(super) fn is_zero(&self, id: NodeId) -> bool {
        let bound = Bounds::new(self.tape, &[(self.layer.input, self.domain)]).of(id);
        bound.defined && bound.low.at == 0.0 && bound.high.at == 0.0
    }
}

/// The lines of a sheet as formulas.
pub(super) fn formulas(sheet: &Sheet) -> Vec<Line> {
    sheet.lines().iter().cloned().map(line).collect()
}

/// A formula on a line of its own.
pub(super) fn line(written: Written) -> Line {
    Line::Formula(Formula::from(written))
}

/// zₐ or z_b.
pub(super) fn half(of: &Written, letter: char) -> Written {
    Written::of(&Term::Index(of, if letter == 'a' { "a" } else { "b" }))
}

/// Several variables: one by one where they are few.
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

/// A matrix line of named entries, row by row.
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
