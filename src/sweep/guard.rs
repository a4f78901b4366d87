//! Guards: the conditions under which an adjoint is non-zero.
//!
//! A guard is a Boolean function of the conditions of selects, kept as a reduced ordered decision diagram: equal
//! functions are one guard, so that an adjoint that returns from both branches of a select is recognised as having
//! the guard of the select, without emitting nodes. Nodes are emitted for a guard only on demand.
//!
//! Source: Bryant, "Graph-based algorithms for boolean function manipulation" (1986), section 4.

use rustc_hash::FxHashMap;
use smallvec::SmallVec;

use super::tangent::choice;
use crate::tape::{NodeId, Shape, Tape, Var, joined};

/// A Boolean function of conditions, for each element of what it guards.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) struct Guard(u32);

impl Guard {
    pub const NEVER: Guard = Guard(0);
    pub const ALWAYS: Guard = Guard(1);

    fn is_fixed(self) -> bool {
        self.0 < 2
    }
}

/// A decision node: one guard where the atom holds, another where it does not.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
struct Decision {
    atom: u32,
    holds: Guard,
    fails: Guard,
}

/// The atoms that decisions test.
enum Atom<'t> {
    /// A node of zeros and ones.
    Condition(Var<'t>),
    /// Another guard, its elements moved.
    Moved(Guard, Box<dyn Fn(Var<'t>) -> Var<'t> + 't>),
    /// Guards of pieces of these shapes, each element at the listed position, in a node of this shape.
    Joined(Vec<(Guard, Shape)>, Vec<usize>, Shape),
    /// Any element of any of these, for every element of this shape.
    Any(Vec<Guard>, Shape),
    /// Two guards whose combined diagram would be large.
    Either(Guard, Guard),
    Both(Guard, Guard),
}

impl Atom<'_> {
    /// Returns the guards that the atom is made of.
    fn parts(&self) -> SmallVec<[Guard; 2]> {
        match self {
            Atom::Condition(_) => SmallVec::new(),
            Atom::Moved(guard, _) => SmallVec::from_slice(&[*guard]),
            Atom::Joined(pieces, ..) => pieces.iter().map(|(guard, _)| *guard).collect(),
            Atom::Any(guards, _) => guards.iter().copied().collect(),
            Atom::Either(a, b) | Atom::Both(a, b) => SmallVec::from_slice(&[*a, *b]),
        }
    }
}

/// A way to emit a guard.
#[derive(Clone, Copy)]
enum Route {
    /// From its decision.
    Decision,
    /// From the combination that it was first the result of.
    Combination(Combination, Guard, Guard),
}

/// The depth to which routes are searched for nodes that exist already.
const DEPTH: usize = 4;

/// The maximum number of steps to combine two diagrams. A choice among K values takes K; a larger combination becomes
/// an atom instead.
const STEPS: usize = 512;

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Combination {
    Either,
    Both,
}

/// All guards of one sweep.
pub(super) struct Guards<'t> {
    tape: &'t Tape,
    /// The first two are the constants. A decision comes after its branches, and its atom is newer than theirs.
    decisions: Vec<Decision>,
    unique: FxHashMap<Decision, Guard>,
    /// By guard: the combination that it was first the result of.
    combinations: Vec<Option<(Combination, Guard, Guard)>>,
    atoms: Vec<Atom<'t>>,
    conditions: FxHashMap<NodeId, u32>,
    /// By guard and by atom: its node, once it was emitted.
    formed: Vec<Option<Var<'t>>>,
    formed_atoms: Vec<Option<Var<'t>>>,
}

impl<'t> Guards<'t> {
    pub fn new(tape: &'t Tape) -> Guards<'t> {
        let fixed = Decision { atom: 0, holds: Guard::NEVER, fails: Guard::NEVER };
        Guards {
            tape,
            decisions: vec![fixed; 2],
            unique: FxHashMap::default(),
            combinations: vec![None; 2],
            atoms: Vec::new(),
            conditions: FxHashMap::default(),
            formed: vec![None; 2],
            formed_atoms: Vec::new(),
        }
    }

    /// Returns the guard that holds where a node of zeros and ones is 1, and its negation.
    pub fn of_condition(&mut self, condition: Var<'t>) -> [Guard; 2] {
        let atom = match self.conditions.get(&condition.id()) {
            Some(atom) => *atom,
            None => {
                let atom = self.new_atom(Atom::Condition(condition));
                self.conditions.insert(condition.id(), atom);
                atom
            }
        };
        [
            self.decision(Decision { atom, holds: Guard::ALWAYS, fails: Guard::NEVER }),
            self.decision(Decision { atom, holds: Guard::NEVER, fails: Guard::ALWAYS }),
        ]
    }

    pub fn either(&mut self, a: Guard, b: Guard) -> Guard {
        self.combined(Combination::Either, a, b)
    }

    pub fn both(&mut self, a: Guard, b: Guard) -> Guard {
        self.combined(Combination::Both, a, b)
    }

    /// Returns the guard of an adjoint to which a linear map of elements was applied.
    pub fn moved(&mut self, guard: Guard, by: impl Fn(Var<'t>) -> Var<'t> + 't) -> Guard {
        if guard.is_fixed() {
            return guard;
        }
        self.holds(Atom::Moved(guard, Box::new(by)))
    }

    /// Returns the guard of a node of this shape that is assembled from pieces, each element at the listed position.
    pub fn joined(&mut self, pieces: Vec<(Guard, Shape)>, positions: Vec<usize>, shape: Shape) -> Guard {
        // Elements that no piece fills are 0, so the guard may be true for them.
        match pieces.iter().all(|(guard, _)| *guard == Guard::ALWAYS) {
            true => Guard::ALWAYS,
            false => self.holds(Atom::Joined(pieces, positions, shape)),
        }
    }

    /// Returns the guard of a value that depends on all elements together: it holds where that of any element does.
    pub fn any(&mut self, guard: Guard, shape: Shape) -> Guard {
        if guard.is_fixed() {
            return guard;
        }
        let mut parts: Vec<(Guard, Shape)> = Vec::new();
        let Decision { atom, holds, fails } = self.decisions[guard.0 as usize];
        match &self.atoms[atom as usize] {
            // Of pieces of one shape, any element of any piece: the elements need not be concatenated first.
            Atom::Joined(pieces, ..) if holds == Guard::ALWAYS && fails == Guard::NEVER => {
                for (guard, shape) in pieces.clone() {
                    match parts.iter().position(|(_, of)| *of == shape) {
                        Some(k) => parts[k].0 = self.either(parts[k].0, guard),
                        None => parts.push((guard, shape)),
                    }
                }
            }
            _ => parts.push((guard, shape)),
        }
        let parts: Vec<Guard> =
            parts.into_iter().map(|(guard, _)| guard).filter(|guard| *guard != Guard::NEVER).collect();
        if parts.contains(&Guard::ALWAYS) {
            return Guard::ALWAYS;
        }
        self.holds(Atom::Any(parts, shape))
    }

    /// Emits the guard as a node of zeros and ones.
    ///
    /// # Panics
    /// When it is always or never true.
    pub fn form(&mut self, guard: Guard) -> Var<'t> {
        let mut waiting = vec![guard];
        while let Some(next) = waiting.last().copied() {
            if self.formed[next.0 as usize].is_some() {
                waiting.pop();
                continue;
            }
            let (before, (_, route)) = (waiting.len(), self.cheapest(next, DEPTH));
            let parts = self.parts(next, route);
            waiting.extend(parts.iter().filter(|of| !of.is_fixed() && self.formed[of.0 as usize].is_none()));
            if waiting.len() == before {
                self.formed[next.0 as usize] = Some(self.form_by(next, route));
                waiting.pop();
            }
        }
        self.formed[guard.0 as usize].expect("it was formed")
    }

    /// Returns what a guard is emitted from on this route.
    fn parts(&self, guard: Guard, route: Route) -> SmallVec<[Guard; 4]> {
        match route {
            Route::Combination(_, a, b) => SmallVec::from_slice(&[a, b]),
            Route::Decision => {
                let Decision { atom, holds, fails } = self.decisions[guard.0 as usize];
                let mut parts: SmallVec<[Guard; 4]> = SmallVec::from_slice(&[holds, fails]);
                if self.formed_atoms[atom as usize].is_none() {
                    parts.extend(self.atoms[atom as usize].parts());
                }
                parts
            }
        }
    }

    /// Returns the route with the fewest new nodes, within the search depth, and their number.
    fn cheapest(&self, guard: Guard, depth: usize) -> (usize, Route) {
        if guard.is_fixed() || self.formed[guard.0 as usize].is_some() {
            return (0, Route::Decision);
        }
        if depth == 0 {
            return (2 * DEPTH, Route::Decision);
        }
        let both = |a: Guard, b: Guard| self.cheapest(a, depth - 1).0 + self.cheapest(b, depth - 1).0;
        let Decision { atom, holds, fails } = self.decisions[guard.0 as usize];
        // The parts of an atom are not searched: there may be many.
        let own = if self.formed_atoms[atom as usize].is_some() { 1 } else { 2 };
        let by_decision = own + both(holds, fails);
        if let Some((how, a, b)) = self.combinations[guard.0 as usize] {
            let by_combination = 1 + both(a, b);
            if by_combination < by_decision {
                return (by_combination, Route::Combination(how, a, b));
            }
        }
        (by_decision, Route::Decision)
    }

    /// Emits a guard from the nodes of its parts.
    fn form_by(&mut self, guard: Guard, route: Route) -> Var<'t> {
        let Decision { atom, holds, fails } = self.decisions[guard.0 as usize];
        let of = |guard: Guard| self.formed[guard.0 as usize].expect("its parts were formed");
        match route {
            Route::Combination(Combination::Either, a, b) => of(a).max(of(b)),
            Route::Combination(Combination::Both, a, b) => of(a).min(of(b)),
            Route::Decision => {
                let condition = self.form_atom(atom);
                self.form_decision(condition, holds, fails)
            }
        }
    }

    fn form_atom(&mut self, atom: u32) -> Var<'t> {
        if let Some(formed) = self.formed_atoms[atom as usize] {
            return formed;
        }
        let of = |guard: Guard| self.formed[guard.0 as usize].expect("its parts were formed");
        let number = |value: f64, shape: Shape| self.tape.constant(value).broadcast(shape);
        let formed = match &self.atoms[atom as usize] {
            Atom::Condition(condition) => *condition,
            Atom::Moved(guard, by) => by(of(*guard)),
            Atom::Joined(pieces, positions, shape) => {
                let part = |(guard, shape): &(Guard, Shape)| match *guard {
                    Guard::NEVER => number(0.0, *shape),
                    Guard::ALWAYS => number(1.0, *shape),
                    guard => of(guard),
                };
                let parts: Vec<Var<'t>> = pieces.iter().map(part).collect();
                let joined = if parts.len() == 1 { parts[0] } else { joined(parts) };
                joined.scatter(positions, *shape).gt(0.0).var()
            }
            Atom::Any(guards, shape) => {
                let sums = guards.iter().map(|guard| of(*guard).sum()).reduce(|a, b| a + b);
                sums.expect("there is a part").gt(0.0).var().broadcast(*shape)
            }
            Atom::Either(a, b) => of(*a).max(of(*b)),
            Atom::Both(a, b) => of(*a).min(of(*b)),
        };
        self.formed_atoms[atom as usize] = Some(formed);
        formed
    }

    fn form_decision(&self, condition: Var<'t>, holds: Guard, fails: Guard) -> Var<'t> {
        let of = |guard: Guard| self.formed[guard.0 as usize].expect("its branches were formed");
        let zero = || self.tape.constant(0.0).broadcast(condition.shape());
        match (holds, fails) {
            (Guard::ALWAYS, Guard::NEVER) => condition,
            (Guard::NEVER, Guard::ALWAYS) => 1.0 - condition,
            (holds, Guard::NEVER) => condition.min(of(holds)),
            (Guard::NEVER, fails) => choice(condition, zero(), of(fails)),
            (Guard::ALWAYS, fails) => condition.max(of(fails)),
            (holds, Guard::ALWAYS) => (1.0 - condition).max(of(holds)),
            (holds, fails) => choice(condition, of(holds), of(fails)),
        }
    }

    fn new_atom(&mut self, atom: Atom<'t>) -> u32 {
        self.atoms.push(atom);
        self.formed_atoms.push(None);
        self.atoms.len() as u32 - 1
    }

    /// Returns the guard that holds where a new atom does.
    fn holds(&mut self, atom: Atom<'t>) -> Guard {
        let atom = self.new_atom(atom);
        self.decision(Decision { atom, holds: Guard::ALWAYS, fails: Guard::NEVER })
    }

    fn decision(&mut self, decision: Decision) -> Guard {
        if decision.holds == decision.fails {
            return decision.holds;
        }
        if let Some(guard) = self.unique.get(&decision) {
            return *guard;
        }
        let guard = Guard(self.decisions.len() as u32);
        self.decisions.push(decision);
        self.formed.push(None);
        self.combinations.push(None);
        self.unique.insert(decision, guard);
        guard
    }

    fn combined(&mut self, how: Combination, a: Guard, b: Guard) -> Guard {
        let (mut known, mut steps, before) = (FxHashMap::default(), STEPS, self.decisions.len());
        match self.combine(how, a, b, &mut known, &mut steps) {
            Some(guard) => {
                if guard.0 as usize >= before {
                    self.combinations[guard.0 as usize] = Some((how, a, b));
                }
                guard
            }
            None => self.holds(match how {
                Combination::Either => Atom::Either(a, b),
                Combination::Both => Atom::Both(a, b),
            }),
        }
    }

    /// `None` when it would take too many steps.
    fn combine(
        &mut self,
        how: Combination,
        a: Guard,
        b: Guard,
        known: &mut FxHashMap<(Guard, Guard), Guard>,
        steps: &mut usize,
    ) -> Option<Guard> {
        let (absorbing, neutral) = match how {
            Combination::Either => (Guard::ALWAYS, Guard::NEVER),
            Combination::Both => (Guard::NEVER, Guard::ALWAYS),
        };
        if a == absorbing || b == absorbing {
            return Some(absorbing);
        }
        if a == neutral || a == b {
            return Some(b);
        }
        if b == neutral {
            return Some(a);
        }
        let key = if a.0 < b.0 { (a, b) } else { (b, a) };
        if let Some(guard) = known.get(&key) {
            return Some(*guard);
        }
        *steps = steps.checked_sub(1)?;
        let [of_a, of_b] = [a, b].map(|guard| self.decisions[guard.0 as usize]);
        // The newest atom is decided first: a nested choice is added on top, in one step.
        let atom = of_a.atom.max(of_b.atom);
        let branches = |guard: Guard, of: Decision| match of.atom == atom {
            true => (of.holds, of.fails),
            false => (guard, guard),
        };
        let ((a_holds, a_fails), (b_holds, b_fails)) = (branches(a, of_a), branches(b, of_b));
        let holds = self.combine(how, a_holds, b_holds, known, steps)?;
        let fails = self.combine(how, a_fails, b_fails, known, steps)?;
        let guard = self.decision(Decision { atom, holds, fails });
        known.insert(key, guard);
        Some(guard)
    }
}
