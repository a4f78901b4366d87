//! The traversal of a program: which nodes get a name, and each node as a term.

use std::collections::{HashMap, HashSet};

use super::Names;
use super::movement::{Movement, Shown};
use crate::tape::{Binary, Choice, NodeId, Op, Subgraph, Tape, Unary};
use crate::typeset;
use crate::typeset::Written;

/// Minimum length of an expression that gets a name.
const SHORT: usize = 10;
/// Minimum number of characters that a name must save.
const SAVED: usize = 20;
/// Maximum length of an expression without a name.
const LONGEST: usize = 120;
/// Maximum length in a numerator, a denominator, a case of a choice, a power or a root, where no line can break.
const UNBROKEN: usize = 60;

/// A node to be written, and its name.
#[derive(Clone, Debug)]
pub(crate) struct Wanted {
    node: NodeId,
    name: Option<Written>,
    quoted: bool,
}

impl Wanted {
    /// A node without an equation of its own.
    pub(crate) fn alone(node: NodeId) -> Wanted {
        Wanted { node, name: None, quoted: false }
    }

    /// `name = …`
    pub(crate) fn named(name: Written, node: NodeId) -> Wanted {
        Wanted { node, name: Some(name), quoted: false }
    }

    /// `name = …`, and the name stands for it in other formulas.
    pub(crate) fn quoted(name: Written, node: NodeId) -> Wanted {
        Wanted { node, name: Some(name), quoted: true }
    }
}

/// A program, written.
pub(crate) struct Sheet {
    lines: Vec<Written>,
    entries: HashMap<NodeId, Entry>,
    targets: HashMap<NodeId, NodeId>,
    /// The nodes that were requested without an equation.
    alone: Vec<NodeId>,
    names: Names,
}

impl Sheet {
    /// Writes these nodes, with names for shared expressions.
    pub(crate) fn new(tape: &Tape, wanted: Vec<Wanted>, names: &Names) -> Sheet {
        Walk::new(tape, &wanted, names, true).run(wanted)
    }

    /// Writes one node, with names only for long expressions.
    pub(super) fn written_out(tape: &Tape, node: NodeId, names: &Names) -> Sheet {
        let wanted = vec![Wanted::alone(node)];
        Walk::new(tape, &wanted, names, false).run(wanted)
    }

    /// The definitions, before their use, and the requested equations.
    pub(crate) fn lines(&self) -> &[Written] {
        &self.lines
    }

    /// The number of characters of all equations and nodes.
    pub(crate) fn width(&self) -> usize {
        let equations = self.lines.iter().map(Written::width).sum::<usize>();
        equations + self.alone.iter().map(|id| self.of(*id).width()).sum::<usize>()
    }

    /// Returns the definitions and equations, by value.
    pub(crate) fn into_lines(self) -> Vec<Written> {
        self.lines
    }

    /// The given and the chosen names, for what is written next.
    pub(crate) fn names(&self) -> &Names {
        &self.names
    }

    /// Returns a requested node.
    ///
    /// # Panics
    /// When it was not requested.
    pub(crate) fn of(&self, node: NodeId) -> &Written {
        &self.entries[self.targets.get(&node).unwrap_or(&node)].plain
    }

    /// Returns element i of a requested node, with i as a letter, if there is a formula for it.
    pub(crate) fn indexed(&self, node: NodeId) -> Option<&Written> {
        self.entries[self.targets.get(&node).unwrap_or(&node)].indexed.as_ref()
    }
}

/// A written node: as a whole, and as its element of index i.
#[derive(Clone, Debug)]
pub(super) struct Entry {
    pub(super) plain: Written,
    pub(super) indexed: Option<Written>,
}

pub(super) struct Walk<'a> {
    pub(super) tape: &'a Tape,
    subgraph: Subgraph,
    pub(super) names: Names,
    pub(super) parameters: Vec<String>,
    pub(super) movement: Movement<'a>,
    outputs: HashSet<NodeId>,
    /// How many nodes read each node.
    uses: HashMap<NodeId, usize>,
    /// Which nodes are written where no line can break.
    unbroken: HashSet<NodeId>,
    /// How often each node occurs in a formula.
    shown: HashMap<NodeId, usize>,
    pub(super) entries: HashMap<NodeId, Entry>,
    pub(super) lines: Vec<Written>,
    /// The chosen names: the node, and the definition.
    made: Vec<(NodeId, Written, Written)>,
    /// Whether repeated expressions get a name.
    share: bool,
    /// The letters of definitions, of masks and of constants, and how many there are of each.
    pub(super) letters: [(char, usize); 3],
}

impl<'a> Walk<'a> {
    fn new(tape: &'a Tape, wanted: &[Wanted], names: &Names, share: bool) -> Walk<'a> {
        let mut inputs: Vec<NodeId> = names.given.keys().copied().collect();
        inputs.sort_unstable();
        let wanted: Vec<NodeId> = wanted.iter().map(|wanted| wanted.node).collect();
        let subgraph = Subgraph::new(tape, &inputs, &wanted);
        let movement = Movement::new(tape, &subgraph, |id| names.given.contains_key(&id));
        let parameters: Vec<String> =
            tape.declarations().into_iter().map(|declaration| declaration.name).collect();
        let given = names.given.values().map(|name| name.text());
        let taken: HashSet<char> =
            given.chain(parameters.iter().map(String::as_str)).filter_map(letter).collect();
        let free = |choices: &str| (choices.chars().find(|c| !taken.contains(c)).unwrap_or('h'), 0);
        let mut walk = Walk {
            tape,
            names: names.clone(),
            parameters,
            outputs: wanted.iter().map(|id| movement.target(*id)).collect(),
            subgraph,
            movement,
            uses: HashMap::new(),
            unbroken: HashSet::new(),
            shown: HashMap::new(),
            entries: HashMap::new(),
            lines: Vec::new(),
            made: Vec::new(),
            share,
            letters: names.letters.unwrap_or_else(|| [free("huvq"), free("MKB"), free("CAD")]),
        };
        walk.count();
        walk
    }

    /// Counts how often each node is written; a node that is written nowhere is skipped.
    fn count(&mut self) {
        let mut needed: HashSet<NodeId> = self.outputs.clone();
        let nodes: Vec<NodeId> = self.subgraph.nodes().to_vec();
        for id in nodes.into_iter().rev() {
            if !needed.contains(&id) {
                continue;
            }
            // The operand of a node that is never named occurs as often as the node does.
            let own = usize::from(self.outputs.contains(&id));
            let shown = match self.is_thin(id) {
                true => own.saturating_add(self.shown.get(&id).copied().unwrap_or(0)),
                false => 1,
            };
            let op = self.tape.with_node(id, |node| node.op.clone());
            for operand in self.operands(id) {
                needed.insert(operand);
                if matches!(
                    op,
                    Op::Binary(Binary::Div | Binary::Pow)
                        | Op::Unary(Unary::Recip | Unary::Powi(_) | Unary::Sqrt)
                        | Op::Choice(Choice::Select)
                ) {
                    self.unbroken.insert(operand);
                }
                let before = self.shown.entry(operand).or_default();
                *before = before.saturating_add(shown);
                *self.uses.entry(operand).or_default() += 1;
            }
        }
    }

    /// Returns the nodes that occur in the formula of a node.
    fn operands(&self, id: NodeId) -> Vec<NodeId> {
        if self.names.given.contains_key(&id) {
            return Vec::new();
        }
        let target = |id: NodeId| self.movement.target(id);
        match self.movement.of(id) {
            Some(shown) => shown.operands().into_iter().map(target).collect(),
            None => self.tape.with_node(id, |node| node.operands.iter().map(|id| target(*id)).collect()),
        }
    }

    fn run(mut self, wanted: Vec<Wanted>) -> Sheet {
        let quoted: HashMap<NodeId, usize> = wanted
            .iter()
            .enumerate()
            .filter(|(_, wanted)| wanted.quoted)
            .map(|(k, wanted)| (self.movement.target(wanted.node), k))
            .collect();
        let mut told = vec![false; wanted.len()];
        let nodes: Vec<NodeId> = self.subgraph.nodes().to_vec();
        for id in nodes {
            let shown = self.shown.get(&id).copied().unwrap_or(0);
            let output = self.outputs.contains(&id);
            if self.movement.target(id) != id || (shown == 0 && !output) {
                continue;
            }
            let entry = self.entry(id);
            let width = entry.plain.width();
            let times = shown + usize::from(output);
            let saved = width.saturating_sub(3).saturating_mul(times.saturating_sub(1));
            let longest = if self.unbroken.contains(&id) { UNBROKEN } else { LONGEST };
            let long = (self.share && width > SHORT && saved > SAVED) || (width > longest && shown > 0);
            // A vector of equal elements is written as one of them: with a name it would need an index.
            let several = self.tape.shape(id).len() > 1;
            let uniform = several
                && width <= LONGEST
                && entry.indexed.as_ref().is_some_and(|element| element.text() == entry.plain.text());
            let named = long && !uniform && self.may_be_named(id);
            let entry = match (named, quoted.get(&id)) {
                (false, _) => entry,
                (true, Some(k)) if wanted[*k].node == id => {
                    // The outputs before it come first, as far as they are known.
                    for j in 0..=*k {
                        let known = self.movement.target(wanted[j].node) <= id;
                        if known
                            && !told[j]
                            && (j == *k || self.entries.contains_key(&self.movement.target(wanted[j].node)))
                        {
                            told[j] = true;
                            let written = if j == *k { entry.plain.clone() } else { self.output(&wanted[j]) };
                            let name = wanted[j].name.clone().expect("what is quoted has a name");
                            self.lines.push(name.equals(&written));
                        }
                    }
                    let name = wanted[*k].name.clone().expect("what is quoted has a name");
                    self.define(id, &name, entry.plain);
                    self.called(id, name)
                }
                (true, _) => {
                    let name = self.next_name(0);
                    self.lines.push(name.equals(&entry.plain));
                    self.define(id, &name, entry.plain);
                    self.called(id, name)
                }
            };
            self.entries.insert(id, entry);
            self.release(id);
        }
        for (wanted, _) in wanted.iter().zip(&told).filter(|(_, told)| !**told) {
            if let Some(name) = &wanted.name {
                let line = name.equals(&self.output(wanted));
                self.lines.push(line);
            }
        }
        let targets = wanted.iter().map(|wanted| (wanted.node, self.movement.target(wanted.node))).collect();
        let mut names = Names { letters: Some(self.letters), ..self.names };
        for (id, name, stands_for) in self.made {
            names.given.insert(id, name);
            names.definitions.insert(id, stands_for);
        }
        let alone = wanted.iter().filter(|wanted| wanted.name.is_none()).map(|wanted| wanted.node).collect();
        Sheet { lines: self.lines, entries: self.entries, targets, alone, names }
    }

    fn output(&self, wanted: &Wanted) -> Written {
        self.entries[&self.movement.target(wanted.node)].plain.clone()
    }

    /// Drops nodes that are not used any more, so that a long program is not kept in memory in three notations.
    fn release(&mut self, id: NodeId) {
        for operand in self.operands(id) {
            let left = self.uses.get_mut(&operand).expect("it was counted");
            *left -= 1;
            if *left == 0 && !self.outputs.contains(&operand) {
                self.entries.remove(&operand);
            }
        }
    }

    fn may_be_named(&self, id: NodeId) -> bool {
        let given = self.names.given.contains_key(&id);
        let leaf = self
            .tape
            .with_node(id, |node| matches!(node.op, Op::Input(_) | Op::Parameter(_) | Op::Constant(_)));
        !given && !leaf && !self.is_thin(id)
    }

    /// Nodes that are never named; their operand is named instead: elements, signs, and eᵃ.
    fn is_thin(&self, id: NodeId) -> bool {
        match self.movement.of(id) {
            Some(shown) => !matches!(shown, Shown::List(_) | Shown::Table(_)),
            None => self
                .tape
                .with_node(id, |node| matches!(node.op, Op::Unary(Unary::Neg | Unary::Abs | Unary::Exp))),
        }
    }

    pub(super) fn next_name(&mut self, kind: usize) -> Written {
        let (letter, count) = &mut self.letters[kind];
        *count += 1;
        Written::name(&format!("{letter}{}", typeset::subscript(*count)))
    }

    /// Records a name for what is written later.
    pub(super) fn define(&mut self, id: NodeId, name: &Written, stands_for: Written) {
        self.made.push((id, name.clone(), stands_for));
    }
}

/// Splits a name that is a letter, with or without a number below it.
fn letter(name: &str) -> Option<char> {
    let mut letters = name.chars();
    let letter = letters.next()?;
    letters.all(|c| !c.is_alphabetic() && c != '.').then_some(letter)
}
