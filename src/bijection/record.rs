//! Recording a bijection on a tape, with checks of its dimension, purity and structure.

use std::panic::Location;

use super::motion::moved;
use super::{Bijection, BijectionError, Domain};
use crate::jacobian::{Route, SimplifiedLogDet, Structure, map, prove, simplified_log_det};
use crate::sweep::simplify::{Rule, Step};
use crate::sweep::{invert, substitution};
use crate::tape::{Declaration, Equation, NodeId, Op, Shape, Tape, Var};

/// A bijection recorded on its own tape.
#[derive(Debug)]
pub struct Recording {
    tape: Tape,
    input: NodeId,
    output: NodeId,
    log_det: NodeId,
    name: String,
    structure: Structure,
    layers: Vec<LayerRecord>,
}

/// One layer of a recording: its nodes and its contribution to the log-determinant.
#[derive(Clone, Debug)]
pub struct LayerRecord {
    /// The name, with the path in its chain: `layers.0 AffineCoupling`.
    pub name: String,
    /// The node of its z.
    pub input: NodeId,
    /// The node of its x.
    pub output: NodeId,
    /// ln|det J| of this layer at its own input, simplified.
    pub log_det: NodeId,
    /// ln|det J| before simplification.
    pub unsimplified_log_det: NodeId,
    /// The rewrite steps of the simplification.
    pub steps: Vec<Step>,
    /// Every rule that was used.
    pub rules: Vec<Rule>,
    /// The diagonal entries in the order of its structure, if that is triangular.
    pub diagonal: Option<NodeId>,
    /// The declared structure, proven.
    pub structure: Structure,
    /// How its log-determinant is computed.
    pub route: Route,
}

/// A bijection recorded at some node, with the derived log-determinant there.
#[derive(Clone, Debug)]
pub struct ForwardWithLogDet<'t> {
    /// x = f(z).
    pub x: Var<'t>,
    /// ln|det J_f(z)|, the sum over the layers.
    pub log_det: Var<'t>,
    /// The layers, first to last; a single layer is its own only layer.
    pub layers: Vec<LayerRecord>,
}

/// Records a bijection on a new tape and proves its declared structure.
///
/// # Errors
/// Recording errors, a wrong dimension, an impure `forward`, a structure that cannot be proven, or a Jacobian
/// that is singular for all inputs.
pub fn record(bijection: &(impl Bijection + ?Sized)) -> Result<Recording, BijectionError> {
    recorded(&bijection)
}

/// Not generic, so that it is compiled once instead of for every layer type; so are the functions below.
fn recorded(bijection: &dyn Bijection) -> Result<Recording, BijectionError> {
    let tape = Tape::new();
    let (input, pushed) = {
        let z = tape.input(Shape::Vector(bijection.dim()));
        let pushed = forward_with_log_det(bijection, z)?;
        (z.id(), (pushed.x.id(), pushed.log_det.id(), pushed.layers))
    };
    let (output, log_det, layers) = pushed;
    let (name, structure) = (bijection.name(), bijection.structure());
    Ok(Recording { tape, input, output, log_det, name, structure, layers })
}

/// Records x = f(z) at the node z, and derives ln|det J_f(z)| there.
///
/// # Errors
/// As [`record`].
#[track_caller]
pub fn forward_with_log_det<'t>(
    bijection: &(impl Bijection + ?Sized),
    z: Var<'t>,
) -> Result<ForwardWithLogDet<'t>, BijectionError> {
    z.tape().called_from(Location::caller(), || z.tape().recording(|| pushed(&bijection, z)))
}

fn pushed<'t>(bijection: &dyn Bijection, z: Var<'t>) -> Result<ForwardWithLogDet<'t>, BijectionError> {
    let tape = z.tape();
    placed(bijection)?;
    if let Some(other) = bijection.inverted() {
        let x = checked(bijection, "forward", record_inverse(other, z)?)?;
        let pushed = forward_with_log_det(other, x)?;
        let log_det = -pushed.log_det;
        let mut records = pushed.layers.into_iter();
        let (Some(only), None) = (records.next(), records.next()) else {
            let reason = "a composition is turned round layer by layer".to_string();
            return Err(BijectionError::NoInverse { layer: bijection.name(), reason });
        };
        let record = LayerRecord {
            name: bijection.name(),
            input: z.id(),
            output: x.id(),
            log_det: log_det.id(),
            unsimplified_log_det: (-tape.var(only.unsimplified_log_det)).id(),
            diagonal: None,
            structure: bijection.structure(),
            ..only
        };
        return Ok(ForwardWithLogDet { x, log_det, layers: vec![record] });
    }
    let layers = bijection.layers();
    if layers.is_empty() {
        let x = record_forward(bijection, z)?;
        if let Some(motion) = bijection.motion() {
            return moved(bijection, motion, (z, x));
        }
        let structure = bijection.structure();
        let first = tape.len();
        let map = map(tape, z.id(), x.id());
        let derived = simplified_log_det(tape, &map, &structure, first, bijection.domain().into());
        let SimplifiedLogDet { value, literal, steps, rules } =
            derived.map_err(|error| BijectionError::Structure { layer: bijection.name(), error })?;
        let record = LayerRecord {
            name: bijection.name(),
            input: z.id(),
            output: x.id(),
            log_det: value.id(),
            unsimplified_log_det: literal.value.id(),
            steps,
            rules,
            diagonal: literal.diagonal.map(Var::id),
            structure,
            route: literal.route,
        };
        return Ok(ForwardWithLogDet { x, log_det: value, layers: vec![record] });
    }
    let mut pushed = ForwardWithLogDet { x: z, log_det: tape.constant(0.0), layers: Vec::new() };
    for (k, layer) in layers.iter().enumerate() {
        let scope = format!("layers.{k}");
        let next = tape.scope(&scope, || forward_with_log_det(layer, pushed.x))?;
        pushed.x = next.x;
        // A volume-preserving layer adds no term, so that no `+ 0` is printed.
        pushed.log_det = match (is_zero(pushed.log_det), is_zero(next.log_det)) {
            (true, _) => next.log_det,
            (_, true) => pushed.log_det,
            _ => pushed.log_det + next.log_det,
        };
        pushed.layers.extend(next.layers.into_iter().map(|mut record| {
            record.name = match record.name.strip_prefix("layers.") {
                Some(inner) => format!("{scope}.layers.{inner}"),
                None => format!("{scope} {}", record.name),
            };
            record
        }));
    }
    Ok(pushed)
}

/// Returns whether this is the constant 0.
fn is_zero(var: Var<'_>) -> bool {
    match var.tape().node(var.id()).op {
        Op::Constant(data) => data.values().iter().all(|value| *value == 0.0),
        _ => false,
    }
}

/// Records z = f⁻¹(x) at the node x, layer by layer: with the layer's own inverse if it has one, otherwise
/// derived from its `forward`.
///
/// # Errors
/// [`BijectionError::NoInverse`] with the name of the layer, and as [`record`].
#[track_caller]
pub fn record_inverse<'t>(
    bijection: &(impl Bijection + ?Sized),
    x: Var<'t>,
) -> Result<Var<'t>, BijectionError> {
    x.tape().called_from(Location::caller(), || x.tape().recording(|| pulled(&bijection, x)))
}

fn pulled<'t>(bijection: &dyn Bijection, x: Var<'t>) -> Result<Var<'t>, BijectionError> {
    placed(bijection)?;
    let layers = bijection.layers();
    if layers.is_empty() {
        let once = x.tape().pass(|| bijection.inverse(x));
        let again = x.tape().pass(|| bijection.inverse(x));
        let Some(z) = once else { return derived_inverse(bijection, x) };
        if again.map(Var::id) != Some(z.id()) {
            return Err(BijectionError::Impure { layer: bijection.name(), function: "inverse" });
        }
        return checked(bijection, "inverse", z);
    }
    layers
        .iter()
        .enumerate()
        .rev()
        .try_fold(x, |x, (k, layer)| x.tape().scope(&format!("layers.{k}"), || record_inverse(layer, x)))
}

/// z and the log-determinant, recorded from x.
#[derive(Clone, Copy, Debug)]
pub struct InverseWithLogDet<'t> {
    /// z = f⁻¹(x).
    pub z: Var<'t>,
    /// ln|det J_f(z)|, the sum over the layers.
    pub log_det: Var<'t>,
}

/// A set that must contain an intermediate value on the way from x to z; otherwise the density of the row is
/// 0.
#[derive(Clone, Debug)]
pub(crate) struct Boundary {
    /// The layer whose codomain it is, or the base.
    pub name: String,
    /// The node that must lie in the set.
    pub value: NodeId,
    /// The set.
    pub domain: Domain,
    /// Whether it is the support of a base.
    pub base: bool,
}

/// Records z = f⁻¹(x) and ln|det J_f(z)| at the node x: what a density needs.
///
/// Each log-determinant is derived at its own z, which the inverse has just computed. Common parts, such as
/// the conditioner, are computed once in the compiled program.
///
/// The results are valid only if x lies in the image of f; a flow checks this for each row.
///
/// # Errors
/// As [`record_inverse`] and [`forward_with_log_det`].
#[track_caller]
pub fn inverse_with_log_det<'t>(
    bijection: &(impl Bijection + ?Sized),
    x: Var<'t>,
) -> Result<InverseWithLogDet<'t>, BijectionError> {
    let record = || inverse_within_domains(&bijection, x, "", &mut Vec::new());
    x.tape().called_from(Location::caller(), || x.tape().recording(record))
}

/// As [`inverse_with_log_det`], and also returns the codomain of each layer where it is not ℝᵈ: the sets
/// that must contain the intermediate values. They are in the order of evaluation; `path` is the place of the
/// bijection in a chain.
pub(crate) fn inverse_within_domains<'t>(
    bijection: &dyn Bijection,
    x: Var<'t>,
    path: &str,
    met: &mut Vec<Boundary>,
) -> Result<InverseWithLogDet<'t>, BijectionError> {
    placed(bijection)?;
    if bijection.layers().is_empty() && bijection.codomain() != Domain::Reals {
        let name = if path.is_empty() { bijection.name() } else { format!("{path} {}", bijection.name()) };
        met.push(Boundary { name, value: x.id(), domain: bijection.codomain(), base: false });
    }
    if let Some(other) = bijection.inverted() {
        let ForwardWithLogDet { x: z, log_det, .. } = forward_with_log_det(other, x)?;
        return Ok(InverseWithLogDet { z, log_det: -log_det });
    }
    let layers = bijection.layers();
    if layers.is_empty() {
        if let Some(motion) = bijection.motion() {
            let pulled = x.tape().pass(|| motion.pull(x));
            return checked(bijection, "pull", pulled.z).map(|_| pulled);
        }
        let z = record_inverse(bijection, x)?;
        return Ok(InverseWithLogDet { z, log_det: forward_with_log_det(bijection, z)?.log_det });
    }
    let mut pulled = InverseWithLogDet { z: x, log_det: x.tape().constant(0.0) };
    for (k, layer) in layers.iter().enumerate().rev() {
        let scope = format!("layers.{k}");
        let path = if path.is_empty() { scope.clone() } else { format!("{path}.{scope}") };
        let next = x.tape().scope(&scope, || inverse_within_domains(layer, pulled.z, &path, met))?;
        let first = k + 1 == layers.len();
        let log_det = if first { next.log_det } else { pulled.log_det + next.log_det };
        pulled = InverseWithLogDet { z: next.z, log_det };
    }
    Ok(pulled)
}

/// Records z = f⁻¹(x) at the node x, derived from `forward` even if the layer has its own inverse.
///
/// # Errors
/// [`BijectionError::NoInverse`] with the reason, and as [`record`].
#[track_caller]
pub fn derived_inverse<'t>(
    bijection: &(impl Bijection + ?Sized),
    x: Var<'t>,
) -> Result<Var<'t>, BijectionError> {
    x.tape().called_from(Location::caller(), || x.tape().recording(|| derived(&bijection, x)))
}

fn derived<'t>(bijection: &dyn Bijection, x: Var<'t>) -> Result<Var<'t>, BijectionError> {
    placed(bijection)?;
    let tape = x.tape();
    let layer = bijection.name();
    let z = tape.input(Shape::Vector(bijection.dim()));
    let image = record_forward(bijection, z)?;
    let program = map(tape, z.id(), image.id());
    let proof = prove(tape, &program, &bijection.structure())
        .map_err(|error| BijectionError::Structure { layer: layer.clone(), error })?;
    let Some(proof) = proof else {
        let reason = "its Jacobian is declared dense, which gives no order to solve in".to_string();
        return Err(BijectionError::NoInverse { layer, reason });
    };
    let regions = (bijection.domain().into(), bijection.codomain().into());
    invert(tape, &program, proof.labels(), x, regions)
        .map_err(|error| BijectionError::NoInverse { layer, reason: error.to_string() })
}

/// Solves z = G(z), where element `order[k]` of G depends on the elements `order[..k]` of z only. Solved
/// element by element, with every part of G computed once. For inverses written by hand.
///
/// `None` when `equation` returns none or another shape, or when an element depends on later ones. An
/// equation within the equation is a recording error.
#[track_caller]
pub fn solve_in_order<'t>(
    tape: &'t Tape,
    order: &[usize],
    equation: impl FnOnce(Var<'t>) -> Option<Var<'t>>,
) -> Option<Var<'t>> {
    let mut places = vec![0; order.len()];
    order.iter().enumerate().for_each(|(place, element)| places[*element] = place as u32);
    let unknown = tape.input(Shape::Vector(order.len()));
    let solved = substitution(tape, unknown, equation(unknown)?, &places)?;
    let nested = tape.with_node(solved.id(), |node| match &node.op {
        Op::Equation(Equation::Substitution(solved)) => solved
            .function
            .nodes()
            .iter()
            .any(|node| matches!(node.op, Op::Equation(Equation::Substitution(_)))),
        _ => false,
    });
    if nested {
        let message =
            "an equation within an equation cannot be solved in order; solve the inner one first, outside";
        tape.note("solve_in_order", message.to_string(), &[], std::panic::Location::caller());
    }
    Some(solved)
}

/// Checks that the bijection has variables, that domain and codomain are valid, and that layers fit: all have
/// the same dimension, and each one's image lies in the domain of the next.
fn placed(bijection: &dyn Bijection) -> Result<(), BijectionError> {
    let (d, layer) = (bijection.dim(), || bijection.name());
    if d == 0 {
        return Err(BijectionError::NoVariables { layer: layer() });
    }
    for (k, layer) in bijection.layers().iter().enumerate() {
        if layer.dim() != d {
            return Err(BijectionError::Chain {
                chain: bijection.name(),
                position: k,
                layer: layer.name(),
                expected: d,
                given: layer.dim(),
            });
        }
    }
    for (side, domain) in [("domain", bijection.domain()), ("codomain", bijection.codomain())] {
        if let Some(error) = domain.fault(d) {
            return Err(BijectionError::Domain { layer: layer(), side, error });
        }
    }
    let Some((first, rest)) = bijection.layers().split_first() else { return Ok(()) };
    let mut before = (first, first.image(&first.domain()));
    for (k, next) in rest.iter().enumerate() {
        let (reached, domain) = (&before.1, next.domain());
        if !reached.is_within(&domain, d) {
            return Err(BijectionError::Unfit {
                chain: layer(),
                before: format!("layer {k} ({})", before.0.name()),
                reaches: reached.written(d),
                next: format!("layer {} ({})", k + 1, next.name()),
                takes: domain.written(d),
            });
        }
        before = (next, next.image(reached));
    }
    Ok(())
}

/// Records `forward` of a single layer; recording errors, a wrong dimension and an impure recording are
/// errors.
pub fn record_forward<'t>(bijection: &dyn Bijection, z: Var<'t>) -> Result<Var<'t>, BijectionError> {
    let call = || z.tape().pass(|| bijection.forward(z));
    let [x, again] = z.tape().recording(|| [call(), call()]);
    let x = checked(bijection, "forward", x)?;
    if again.id() != x.id() {
        return Err(BijectionError::Impure { layer: bijection.name(), function: "forward" });
    }
    Ok(x)
}

/// Returns an error for recording errors and for a result of another dimension.
pub(super) fn checked<'t>(
    bijection: &dyn Bijection,
    function: &'static str,
    result: Var<'t>,
) -> Result<Var<'t>, BijectionError> {
    let layer = bijection.name();
    result.tape().check().map_err(|errors| BijectionError::Recording { layer: layer.clone(), errors })?;
    if result.shape() != Shape::Vector(bijection.dim()) {
        let (expected, given) = (bijection.dim(), result.shape());
        return Err(BijectionError::Dimension { layer, function, expected, given });
    }
    Ok(result)
}

impl Recording {
    /// The tape.
    pub fn tape(&self) -> &Tape {
        &self.tape
    }

    /// Display name of the bijection.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Number of variables.
    pub fn dim(&self) -> usize {
        self.tape.shape(self.input).len()
    }

    /// The input z.
    pub fn input(&self) -> Var<'_> {
        self.tape.var(self.input)
    }

    /// The output x = f(z).
    pub fn output(&self) -> Var<'_> {
        self.tape.var(self.output)
    }

    /// ln|det J_f(z)|, derived: the sum over the layers.
    pub fn log_det(&self) -> Var<'_> {
        self.tape.var(self.log_det)
    }

    /// The declared structure of the bijection as a whole.
    pub fn structure(&self) -> &Structure {
        &self.structure
    }

    /// The layers, first to last; a single layer is its own only layer.
    pub fn layers(&self) -> &[LayerRecord] {
        &self.layers
    }

    /// The declared parameters, in order.
    pub fn parameters(&self) -> Vec<Declaration> {
        self.tape.declarations()
    }
}
