//! What a recording holds: a bijection on its own tape, its layers, both directions with their log-determinants.

use super::Domain;
use crate::jacobian::{Route, Structure};
use crate::sweep::simplify::{Rule, Step};
use crate::tape::{Declaration, NodeId, Tape, Var};

/// A bijection recorded on its own tape.
///
/// It is `Send` and not `Sync`: whoever derives something from it records on its tape.
#[derive(Debug)]
pub struct Recording {
    pub(super) tape: Tape,
    pub(super) input: NodeId,
    pub(super) output: NodeId,
    pub(super) log_det: NodeId,
    pub(super) name: String,
    pub(super) structure: Structure,
    pub(super) layers: Vec<LayerRecord>,
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
