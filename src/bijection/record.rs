//! Recording a bijection on a tape, with checks of its dimension, purity and structure.

use std::panic::Location;

use super::bottleneck::through_bottleneck;
use super::compared_once::compared_once;
use super::composition::{Leaf, leaves};
use super::recording::{Boundary, ForwardWithLogDet, InverseWithLogDet, LayerRecord, Recording};
use super::{Bijection, BijectionError, Domain, Motion};
use crate::jacobian::{Route, SimplifiedLogDet, Structure, discover, map, prove, simplified_log_det, stages};
use crate::sweep::bound::Bound;
use crate::sweep::lipschitz::residual;
use crate::sweep::{contraction, invert, root, substitution};
use crate::tape::{Equation, NodeId, Op, Shape, Tape, Var};

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
    let leaves = fitting_leaves(bijection)?;
    let (mut x, mut log_det, mut layers) = (z, None::<Var<'t>>, Vec::with_capacity(leaves.len()));
    for leaf in &leaves {
        let next = leaf.path().scope(tape, || tape.recording(|| leaf_forward(leaf, x)))?;
        x = next.x;
        // A volume-preserving layer adds nothing, so that no `+ 0` is printed.
        log_det = Some(match log_det {
            Some(sum) if is_zero(next.log_det) => sum,
            Some(sum) if !is_zero(sum) => sum + next.log_det,
            _ => next.log_det,
        });
        layers.extend(next.layers);
    }
    Ok(ForwardWithLogDet { x, log_det: log_det.unwrap_or_else(|| tape.constant(0.0)), layers })
}

/// Records one layer of a composition, or its inverse, with its log-determinant.
fn leaf_forward<'t>(leaf: &Leaf<'_>, z: Var<'t>) -> Result<ForwardWithLogDet<'t>, BijectionError> {
    let (layer, tape) = (leaf.layer(), z.tape());
    let record = if leaf.is_inverse() {
        // ln|det J| of the layer itself, at the x that it maps to z.
        let x = checked(leaf.bijection(), "forward", record_inverse(layer, z)?)?;
        let own = layer_forward(leaf, x)?;
        LayerRecord {
            name: leaf.name(),
            input: z.id(),
            output: x.id(),
            log_det: (-tape.var(own.log_det)).id(),
            unsimplified_log_det: (-tape.var(own.unsimplified_log_det)).id(),
            diagonal: None,
            structure: leaf.bijection().structure(),
            ..own
        }
    } else {
        LayerRecord { name: leaf.name(), ..layer_forward(leaf, z)? }
    };
    let [x, log_det] = [record.output, record.log_det].map(|id| tape.var(id));
    Ok(ForwardWithLogDet { x, log_det, layers: vec![record] })
}

/// Records `forward` of the layer itself, with its log-determinant.
fn layer_forward<'t>(leaf: &Leaf<'_>, z: Var<'t>) -> Result<LayerRecord, BijectionError> {
    let (layer, tape) = (leaf.layer(), z.tape());
    if let Some(motion) = leaf.motion() {
        return continuous_forward(layer, motion, z);
    }
    let x = record_forward(layer, z)?;
    let structure = layer.structure();
    let first = tape.len();
    let map = map(tape, z.id(), x.id());
    let derived = simplified_log_det(tape, &map, &structure, first, layer.domain().into());
    let SimplifiedLogDet { value, literal, steps, rules } =
        derived.map_err(|error| BijectionError::Structure { layer: layer.name(), error })?;
    Ok(LayerRecord {
        name: layer.name(),
        input: z.id(),
        output: x.id(),
        log_det: value.id(),
        unsimplified_log_det: literal.value.id(),
        steps,
        rules,
        diagonal: literal.diagonal.map(Var::id),
        structure,
        route: literal.route,
    })
}

/// Records a continuous layer at z with the integrated ln|det J|. Where the solver chooses its steps, x is not to the last
/// bit that of `forward`, which does not look at the integral.
fn continuous_forward<'t>(
    bijection: &dyn Bijection,
    motion: &dyn Motion,
    z: Var<'t>,
) -> Result<LayerRecord, BijectionError> {
    let call = || z.tape().pass(|| motion.push(z));
    let [ended, again] = z.tape().recording(|| [call(), call()]);
    let x = checked(bijection, "push", ended.x)?;
    if [again.x.id(), again.log_det.id()] != [x.id(), ended.log_det.id()] {
        return Err(BijectionError::Impure { layer: bijection.name(), function: "velocity" });
    }
    Ok(LayerRecord {
        name: bijection.name(),
        input: z.id(),
        output: x.id(),
        log_det: ended.log_det.id(),
        unsimplified_log_det: ended.log_det.id(),
        steps: Vec::new(),
        rules: Vec::new(),
        diagonal: None,
        structure: bijection.structure(),
        route: Route::Integral { method: motion.method() },
    })
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
    let tape = x.tape();
    let inverse = |x: Var<'t>, leaf: &Leaf<'_>| {
        leaf.path().scope(tape, || tape.recording(|| layer_inverse(leaf.bijection(), x)))
    };
    fitting_leaves(bijection)?.iter().rev().try_fold(x, inverse)
}

/// Records the inverse of a single layer: as the layer supplies it, otherwise derived.
fn layer_inverse<'t>(layer: &dyn Bijection, x: Var<'t>) -> Result<Var<'t>, BijectionError> {
    let once = x.tape().pass(|| layer.inverse(x));
    let again = x.tape().pass(|| layer.inverse(x));
    let Some(z) = once else { return derived_inverse(layer, x) };
    if again.map(Var::id) != Some(z.id()) {
        return Err(BijectionError::Impure { layer: layer.name(), function: "inverse" });
    }
    checked(layer, "inverse", z)
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
    let record = || inverse_within_domains(&bijection, x, &mut Vec::new());
    x.tape().called_from(Location::caller(), || x.tape().recording(record))
}

/// As [`inverse_with_log_det`], and also returns the codomain of each layer where it is not ℝᵈ: the sets
/// that must contain the intermediate values. They are in the order of evaluation.
pub(crate) fn inverse_within_domains<'t>(
    bijection: &dyn Bijection,
    x: Var<'t>,
    met: &mut Vec<Boundary>,
) -> Result<InverseWithLogDet<'t>, BijectionError> {
    let tape = x.tape();
    let (mut z, mut log_det) = (x, None::<Var<'t>>);
    for leaf in fitting_leaves(bijection)?.iter().rev() {
        let codomain = leaf.bijection().codomain();
        if codomain != Domain::Reals {
            met.push(Boundary { name: leaf.name(), value: z.id(), domain: codomain, base: false });
        }
        let next = leaf.path().scope(tape, || leaf_inverse(leaf, z))?;
        z = next.z;
        log_det = Some(log_det.map_or(next.log_det, |sum| sum + next.log_det));
    }
    Ok(InverseWithLogDet { z, log_det: log_det.unwrap_or_else(|| tape.constant(0.0)) })
}

/// One layer of a composition on the way from x to z.
pub(crate) struct InvertedLayer {
    pub z: NodeId,
    /// The layer at its z; of a layer that is turned round, the layer itself at x.
    pub record: LayerRecord,
    pub is_turned: bool,
}

/// Records z = f⁻¹(x) layer by layer, the last layer first.
pub(crate) fn inverse_by_layers<'t>(
    bijection: &dyn Bijection,
    x: Var<'t>,
) -> Result<Vec<InvertedLayer>, BijectionError> {
    let (tape, mut at) = (x.tape(), x);
    let mut layers = Vec::new();
    for leaf in fitting_leaves(bijection)?.iter().rev() {
        let is_turned = leaf.is_inverse();
        let (z, record) = leaf.path().scope(tape, || {
            if is_turned {
                let own = tape.recording(|| layer_forward(leaf, at))?;
                return Ok((tape.var(own.output), own));
            }
            let z = tape.recording(|| layer_inverse(leaf.layer(), at))?;
            Ok((z, tape.recording(|| layer_forward(leaf, z))?))
        })?;
        layers.push(InvertedLayer { z: z.id(), record, is_turned });
        at = z;
    }
    Ok(layers)
}

/// Records the inverse of one layer of a composition, with the log-determinant of the layer at z.
fn leaf_inverse<'t>(leaf: &Leaf<'_>, x: Var<'t>) -> Result<InverseWithLogDet<'t>, BijectionError> {
    let tape = x.tape();
    if leaf.is_inverse() {
        let own = tape.recording(|| layer_forward(leaf, x))?;
        return Ok(InverseWithLogDet { z: tape.var(own.output), log_det: -tape.var(own.log_det) });
    }
    if let Some(motion) = leaf.motion() {
        let pulled = tape.pass(|| motion.pull(x));
        return checked(leaf.layer(), "pull", pulled.z).map(|_| pulled);
    }
    let (z, thresholds) = tape.noting_thresholds(|| tape.recording(|| layer_inverse(leaf.layer(), x)));
    let z = z?;
    let own = tape.recording(|| layer_forward(leaf, z))?;
    Ok(compared_once(x, InverseWithLogDet { z, log_det: tape.var(own.log_det) }, &thresholds))
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
    fitting_leaves(bijection)?;
    let tape = x.tape();
    let layer = bijection.name();
    let z = tape.input(Shape::Vector(bijection.dim()));
    let image = record_forward(bijection, z)?;
    let program = map(tape, z.id(), image.id());
    let proof = prove(tape, &program, &bijection.structure())
        .map_err(|error| BijectionError::Structure { layer: layer.clone(), error })?;
    let Some(proof) = proof else {
        let is_real = bijection.domain() == Domain::Reals && bijection.codomain() == Domain::Reals;
        return without_order((z, image), x, &bijection.structure(), is_real)
            .or_else(|reason| stage_by_stage((z, image), x).filter(|_| is_real).ok_or(reason))
            .map_err(|reason| BijectionError::NoInverse { layer, reason });
    };
    let regions = (bijection.domain().into(), bijection.codomain().into());
    invert(tape, &program, proof.labels(), x, regions)
        .map_err(|error| BijectionError::NoInverse { layer, reason: error.to_string() })
}

/// Solves x = f(z) for an f that no order is proven of.
fn without_order<'t>(
    (z, image): (Var<'t>, Var<'t>),
    x: Var<'t>,
    declared: &Structure,
    is_real: bool,
) -> Result<Var<'t>, String> {
    if let Some(solved) = is_real.then(|| by_contraction(z, image, x)).flatten() {
        return Ok(solved);
    }
    through_bottleneck((z, image), x, declared, is_real)
}

/// Solves x = f(z) for an f that is one map after another, from the last to the first, if each of them can be solved.
fn stage_by_stage<'t>((z, image): (Var<'t>, Var<'t>), x: Var<'t>) -> Option<Var<'t>> {
    let tape = z.tape();
    let ends = stages(tape, &map(tape, z.id(), image.id()));
    if ends.len() <= 2 {
        return None;
    }
    let open = || (Bound::REALS.into(), Bound::REALS.into());
    ends.windows(2).rev().try_fold(x, |x, pair| {
        let part = map(tape, pair[0], pair[1]);
        let structure = discover(tape, &part).ok()?.structure;
        match prove(tape, &part, &structure).ok()? {
            Some(proof) => invert(tape, &part, proof.labels(), x, open()).ok(),
            None => without_order((tape.var(pair[0]), tape.var(pair[1])), x, &Structure::Dense, true).ok(),
        }
    })
}

/// Solves x = z + g(z) as z = x - g(z), if g is bounded to be a contraction for all parameters.
fn by_contraction<'t>(z: Var<'t>, image: Var<'t>, x: Var<'t>) -> Option<Var<'t>> {
    let tape = z.tape();
    let found = residual(tape, z.id(), image.id())?;
    let right = found.terms.iter().fold(x, |right, (added, term)| {
        let term = tape.var(*term);
        if *added { right - term } else { right + term }
    });
    Some(contraction(tape, z, right, found.constant))
}

/// Solves z = G(z) for a contraction G: |G(z) - G(z′)| ≤ L·|z - z′| in ‖·‖₂ with this L, which is to be below 1 and is
/// taken from the caller. For inverses written by hand; solved by iteration, and NaN where it does not converge.
///
/// `None` when G has another shape, or L is not below 1.
#[track_caller]
pub fn solve_contraction<'t>(
    tape: &'t Tape,
    shape: Shape,
    lipschitz: f64,
    equation: impl FnOnce(Var<'t>) -> Var<'t>,
) -> Option<Var<'t>> {
    let unknown = tape.input(shape);
    let value = equation(unknown);
    let sound = value.shape() == shape && (0.0..1.0).contains(&lipschitz);
    sound.then(|| contraction(tape, unknown, value, lipschitz))
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
        let message = "nested equations cannot be solved in order; solve the inner equation first, outside \
                       of the other";
        tape.note("solve_in_order", message.to_string(), &[], std::panic::Location::caller());
    }
    Some(solved)
}

/// Solves h(t) = 0 for a t between these ends, where each element of h increases with its own element of t and depends
/// on no other. For inverses written by hand; solved by Newton's method between brackets.
///
/// `None` when h has another shape.
#[track_caller]
pub fn solve_increasing<'t>(
    tape: &'t Tape,
    shape: Shape,
    ends: (f64, f64),
    h: impl FnOnce(Var<'t>) -> Var<'t>,
) -> Option<Var<'t>> {
    let unknown = tape.input(shape);
    let value = h(unknown);
    (value.shape() == shape).then(|| root(tape, unknown, value, ends))
}

/// Takes a bijection apart; a bijection without variables, an invalid domain or codomain, and layers that do not fit are
/// errors: each layer must have the same dimension, and be defined wherever the one before it goes.
fn fitting_leaves(bijection: &dyn Bijection) -> Result<Vec<Leaf<'_>>, BijectionError> {
    let (d, whole) = (bijection.dim(), || bijection.name());
    if d == 0 {
        return Err(BijectionError::NoVariables { layer: whole() });
    }
    let leaves = leaves(bijection);
    for (k, leaf) in leaves.iter().enumerate() {
        let given = leaf.layer().dim();
        if given != d {
            let layer = leaf.bijection().name();
            return Err(BijectionError::Chain { chain: whole(), position: k, layer, expected: d, given });
        }
    }
    for part in leaves.iter().map(Leaf::bijection).chain([bijection]) {
        for (side, domain) in [("domain", part.domain()), ("codomain", part.codomain())] {
            if let Some(error) = domain.fault(d) {
                return Err(BijectionError::Domain { layer: part.name(), side, error });
            }
        }
    }
    let Some(first) = leaves.first() else { return Ok(leaves) };
    let mut reached = first.bijection().image(&first.bijection().domain());
    for pair in leaves.windows(2) {
        let (before, next) = (&pair[0], pair[1].bijection());
        let domain = next.domain();
        if !reached.is_within(&domain, d) {
            return Err(BijectionError::Unfit {
                chain: whole(),
                before: before.place(),
                reaches: reached.written(d),
                next: pair[1].place(),
                takes: domain.written(d),
            });
        }
        reached = next.image(&reached);
    }
    Ok(leaves)
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
