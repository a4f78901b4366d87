//! A learner's answer, recorded once: everything that is judged is this recording.
//!
//! A learner's type can override any method of [`Bijection`], and its methods can behave differently from
//! call to call. A judge might then look at a map other than the one the learner wrote. So the answer is
//! recorded, its recordings are compared, overrides that were not asked for are refused by name, and the
//! judge proves, differentiates and evaluates an [`Answer`]: the recorded program itself.

use std::collections::BTreeMap;

use super::proof::{mistakes, without_mistakes};
use super::verdict::NotYet;
use pushforward::bijection::{Bijection, Chain, Composition, Domain, Inverse, leaves};
use pushforward::jacobian::Structure;
use pushforward::tape::{Declaration, Node, NodeId, Op, Place, Shape, Subgraph, Tape, Var};

/// How often an answer is recorded to check that it is a single program.
pub(super) const RECORDINGS: usize = 32;

/// What an answer may have in addition to `dim`, `forward` and a structure that is proven.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Allowed {
    /// Learned parameters.
    pub parameters: bool,
    /// A context of this width.
    pub context: Option<usize>,
    /// A hand-written `log_det`.
    pub log_det: bool,
}

/// A recorded program of one vector: nodes by their ids on the tape of the recording, with the source line of each.
#[derive(Clone, Debug)]
pub(super) struct Recorded {
    nodes: BTreeMap<NodeId, (Node, Place)>,
    output: NodeId,
    declarations: Vec<Declaration>,
    context: Option<usize>,
}

/// A learner's map as recorded, without anything else that its type declares.
#[derive(Clone, Debug)]
pub struct Answer {
    name: String,
    dim: usize,
    structure: Structure,
    domain: Domain,
    codomain: Domain,
    forward: Recorded,
    inverse: Option<Recorded>,
    log_det: Option<Recorded>,
}

impl Answer {
    /// Records a learner's bijection of `d` variables.
    ///
    /// A wrong dimension, recording errors, recordings that differ, parameters or a context that were not
    /// asked for, and overrides that were not asked for.
    pub fn of(answer: &dyn Bijection, d: usize, allowed: Allowed) -> Result<Answer, NotYet> {
        for _ in 0..RECORDINGS {
            if answer.dim() != d {
                let headline = format!("`dim` says {}, but the map has {d} variables.", answer.dim());
                return Err(NotYet::new(headline));
            }
            overrides(answer, d, allowed)?;
        }
        let forward = recorded_forward(answer)?;
        forward.needs(allowed)?;
        let log_det = match allowed.log_det {
            true => recorded(d, "log_det", |z| answer.log_det(z))?,
            false => None,
        };
        if let Some(log_det) = &log_det {
            log_det.needs(allowed)?;
        }
        Ok(Answer {
            name: answer.name(),
            dim: d,
            structure: answer.structure(),
            domain: Domain::Reals,
            codomain: Domain::Reals,
            forward,
            inverse: None,
            log_det,
        })
    }

    /// Records a learner's formula in `d` variables with this domain.
    ///
    /// # Errors
    /// As [`Answer::of`].
    pub fn of_map(
        map: for<'t> fn(Var<'t>) -> Var<'t>,
        d: usize,
        structure: Structure,
        domain: Domain,
    ) -> Result<Answer, NotYet> {
        let forward = recorded(d, "the formula", |z| Some(map(z)))?.expect("a formula is always present");
        forward.needs(Allowed::default())?;
        forward.fills(d)?;
        let name = "the map".to_string();
        let codomain = domain.clone();
        Ok(Answer { name, dim: d, structure, domain, codomain, forward, inverse: None, log_det: None })
    }

    /// Records the layers of a composition one by one, including those of nested compositions.
    ///
    /// An `Inverse` layer stays one: its forward is the inverse of the wrapped layer.
    ///
    /// # Errors
    /// As [`Answer::of`], with the name of the layer.
    pub fn of_layers(layers: &[Box<dyn Bijection>]) -> Result<Vec<Box<dyn Bijection>>, NotYet> {
        let mut found: Vec<Box<dyn Bijection>> = Vec::new();
        for leaf in layers.iter().flat_map(|layer| leaves(layer.as_ref())) {
            let answer = Answer::of_layer(leaf.layer())?;
            found.push(if leaf.is_inverse() { Box::new(Inverse::new(answer)) } else { Box::new(answer) });
        }
        Ok(found)
    }

    fn of_layer(layer: &dyn Bijection) -> Result<Answer, NotYet> {
        let forward = recorded_forward(layer)?;
        let inverse = recorded(layer.dim(), "inverse", |x| layer.inverse(x))?;
        Ok(Answer {
            name: layer.name(),
            dim: layer.dim(),
            structure: layer.structure(),
            domain: layer.domain(),
            codomain: layer.codomain(),
            forward,
            inverse,
            log_det: None,
        })
    }

    /// Composes recorded layers.
    ///
    /// # Errors
    /// When layers have different dimensions.
    pub fn chain(layers: Vec<Box<dyn Bijection>>, d: usize) -> Result<Chain, NotYet> {
        for (k, layer) in layers.iter().enumerate() {
            if layer.dim() != d {
                return Err(NotYet::new(format!("layers.{k} maps {} variables.", layer.dim()))
                    .because(format!("Its name is {}; the others map {d}.", layer.name())));
            }
        }
        Ok(Chain::new(layers))
    }

    /// Returns whether there are learned parameters.
    pub fn has_parameters(&self) -> bool {
        !self.forward.declarations.is_empty()
    }
}

impl Bijection for Answer {
    fn dim(&self) -> usize {
        self.dim
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        self.forward.replayed(z)
    }
    fn structure(&self) -> Structure {
        self.structure.clone()
    }
    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        self.inverse.as_ref().map(|inverse| inverse.replayed(x))
    }
    fn log_det<'t>(&self, z: Var<'t>) -> Option<Var<'t>> {
        self.log_det.as_ref().map(|log_det| log_det.replayed(z))
    }
    fn domain(&self) -> Domain {
        self.domain.clone()
    }
    fn codomain(&self) -> Domain {
        self.codomain.clone()
    }
    fn name(&self) -> String {
        self.name.clone()
    }
}

/// Refuses overridden methods that were not asked for.
fn overrides(answer: &dyn Bijection, d: usize, allowed: Allowed) -> Result<(), NotYet> {
    let refused = |method: &str, why: &str| {
        Err(NotYet::new(format!("`{method}` is not asked for here.")).because(why).advise("Leave it out."))
    };
    if answer.domain() != Domain::Reals {
        return refused("domain", "The domain must be ℝᵈ: the answer must hold for all z.");
    }
    if answer.codomain() != Domain::Reals {
        return refused("codomain", "The codomain must be ℝᵈ: the answer must hold for all x.");
    }
    if !matches!(answer.composition(), Composition::Layer) {
        return refused("composition", "One layer is asked for, and `forward` is what is judged.");
    }
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(d));
    if answer.inverse(z).is_some() {
        return refused("inverse", "The inverse is derived from `forward`.");
    }
    if !allowed.log_det && answer.log_det(z).is_some() {
        return refused("log_det", "The log-determinant is derived from `forward`.");
    }
    Ok(())
}

fn recorded_forward(answer: &dyn Bijection) -> Result<Recorded, NotYet> {
    let d = answer.dim();
    let forward = recorded(d, "forward", |z| Some(answer.forward(z)))?.expect("forward always gives a node");
    forward.fills(d)?;
    Ok(forward)
}

/// Records a method repeatedly on one tape: a pure one gives the same node each time.
fn recorded(
    d: usize,
    method: &str,
    record: impl for<'t> Fn(Var<'t>) -> Option<Var<'t>>,
) -> Result<Option<Recorded>, NotYet> {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(d));
    let first = record(z);
    tape.check().map_err(|errors| mistakes(&errors))?;
    for _ in 0..RECORDINGS {
        if record(z).map(Var::id) != first.map(Var::id) {
            return Err(impure(method));
        }
    }
    without_mistakes(&tape)?;
    let Some(output) = first else { return Ok(None) };
    only_of(&tape, &[z], output)?;
    Ok(Some(Recorded::of(&tape, z, output)))
}

/// Returns the message for code that records something else when it is called again.
pub(super) fn impure(method: &str) -> NotYet {
    NotYet::new("your code records different programs at different calls.")
        .because(format!("`{method}` was called several times."))
        .advise(
            "A formula may depend on its variables and nothing else: no counters, clocks or random numbers.",
        )
}

/// Refuses parameters and a context.
pub(super) fn nothing_learned(declarations: &[Declaration], context: bool) -> Result<(), NotYet> {
    if context {
        return Err(NotYet::new("the formula uses a context, but this exercise has none.")
            .advise("The formula may depend on its variables and nothing else."));
    }
    match declarations.first() {
        Some(parameter) => Err(NotYet::new("the formula declares a parameter, but this exercise has none.")
            .because(format!(
                "`{}` may take any value, not only the one that it starts with.",
                parameter.name
            ))
            .advise("Write a number in its place.")),
        None => Ok(()),
    }
}

/// Refuses a formula on a tape other than that of the given variables, and one with additional inputs.
///
/// # Errors
/// When the formula is not built from the given variables.
pub(super) fn only_of(tape: &Tape, inputs: &[Var<'_>], output: Var<'_>) -> Result<(), NotYet> {
    let told = || NotYet::new("the formula is not made of the variables that were given.");
    if !std::ptr::eq(output.tape(), tape) {
        return Err(told().because("It is recorded on a tape of its own."));
    }
    let given: Vec<NodeId> = inputs.iter().map(|input| input.id()).collect();
    let subgraph = Subgraph::new(tape, &given, &[output.id()]);
    let context = tape.declared_context().map(Var::id);
    let own = |id: &&NodeId| {
        !given.contains(id) && Some(**id) != context && matches!(tape.node(**id).op, Op::Input(_))
    };
    match subgraph.nodes().iter().find(own) {
        Some(_) => Err(told().because("It has an input of its own.")),
        None => Ok(()),
    }
}

impl Recorded {
    pub fn of(tape: &Tape, input: Var<'_>, output: Var<'_>) -> Recorded {
        let subgraph = Subgraph::new(tape, &[input.id()], &[output.id()]);
        let nodes = subgraph.nodes().iter().map(|id| (*id, (tape.node(*id), tape.place(*id))));
        let context = tape.declared_context().map(Var::len);
        Recorded { nodes: nodes.collect(), output: output.id(), declarations: tape.declarations(), context }
    }

    /// Number of elements of its result.
    pub fn len(&self) -> usize {
        self.nodes[&self.output].0.shape.len()
    }

    /// Records the same program on another tape, starting from `z`.
    pub fn replayed<'t>(&self, z: Var<'t>) -> Var<'t> {
        let tape = z.tape();
        // Parameters that are declared but not used are declared too.
        let declared: Vec<NodeId> = self
            .declarations
            .iter()
            .map(|Declaration { name, shape, init }| match self.context {
                Some(width) if name == CONTEXT => tape.context(width).id(),
                _ => tape.parameter(name, *shape, init.clone()).id(),
            })
            .collect();
        let mut known: BTreeMap<NodeId, NodeId> = BTreeMap::new();
        for (id, (node, place)) in &self.nodes {
            let copied = match node.op {
                Op::Input(_) => z.id(),
                Op::Parameter(number) => declared[number as usize],
                _ => {
                    let operands = node.operands.iter().map(|operand| known[operand]).collect();
                    tape.append(Node { op: node.op.clone(), operands, shape: node.shape }, *place)
                }
            };
            known.insert(*id, copied);
        }
        tape.var(known[&self.output])
    }

    /// Refuses parameters and a context that were not asked for.
    fn needs(&self, allowed: Allowed) -> Result<(), NotYet> {
        match (self.context, allowed.context) {
            (Some(given), Some(asked)) if given != asked => {
                return Err(NotYet::new(format!("the context has {asked} numbers."))
                    .because(format!("yours asks for a context of width {given}.")));
            }
            (Some(_), Some(_)) => {}
            (context, _) => nothing_learned(&[], context.is_some())?,
        }
        let own = |declaration: &&Declaration| self.context.is_none() || declaration.name != CONTEXT;
        let learned: Vec<Declaration> = self.declarations.iter().filter(own).cloned().collect();
        if allowed.parameters { Ok(()) } else { nothing_learned(&learned, false) }
    }

    fn fills(&self, d: usize) -> Result<(), NotYet> {
        match self.nodes[&self.output].0.shape {
            Shape::Vector(n) if n == d => Ok(()),
            given => Err(NotYet::new("a map has as many outputs as inputs.")
                .because(format!("It takes {d} variables; the shape of what comes out: {given}"))
                .advise("Put scalars together with stack([…]).")),
        }
    }
}

/// The name of the context among the parameters.
const CONTEXT: &str = "context";
