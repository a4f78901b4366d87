//! The density of a flow on a tape.

use super::support::Support;
use crate::base::{Base, SCOPE};
use crate::bijection::{
    Bijection, BijectionError, Boundary, Chain, Domain, InverseWithLogDet, inverse_within_domains,
};
use crate::sweep::propagate_copies;
use crate::tape::{NodeId, Shape, Subgraph, Tape, Var};

/// ln p on a tape of its own: the inputs are x and the context, if the flow has one; the outputs are ln p(x) and z.
pub(crate) struct Density {
    pub tape: Tape,
    pub x: NodeId,
    #[cfg(feature = "onnx")]
    pub z: NodeId,
    pub context: Option<NodeId>,
    pub log_prob: NodeId,
    /// The support of the density; `None` where it is everything.
    pub support: Option<Support>,
}

impl Density {
    /// Records ln p(x) = ln p_Z(z) - ln|det J_f(z)| with z = f⁻¹(x).
    pub fn record(base: &dyn Base, chain: &Chain) -> Result<Density, BijectionError> {
        let tape = Tape::new();
        tape.context_by_row();
        let (x, z, log_prob, support) = {
            let x = tape.input(Shape::Vector(chain.dim()));
            let RecordedDensity { z, log_prob, support } = RecordedDensity::at(base, chain, x)?;
            (x.id(), z.id(), log_prob.id(), support)
        };
        let context = tape.declared_context().map(|context| context.id());
        let inputs: Vec<NodeId> = [x].into_iter().chain(context).collect();
        // Before gradients are derived, so that the adjoints of z and of log|det J| meet at one node.
        let nodes: Vec<NodeId> =
            [z, log_prob].into_iter().chain(support.iter().flat_map(Support::nodes)).collect();
        let resolved = propagate_copies(&tape, &Subgraph::new(&tape, &inputs, &nodes));
        let support = support.map(|support| support.with_nodes(&resolved[2..]));
        Ok(Density {
            tape,
            x,
            #[cfg(feature = "onnx")]
            z: resolved[0],
            context,
            log_prob: resolved[1],
            support,
        })
    }

    /// The node of x, and that of the context if there is one.
    pub fn inputs(&self) -> Vec<NodeId> {
        [self.x].into_iter().chain(self.context).collect()
    }

    /// The number of variables.
    pub fn width(&self) -> usize {
        self.tape.shape(self.x).len()
    }

    /// The width of the context; 0 without one.
    pub fn context_width(&self) -> usize {
        self.context.map_or(0, |node| self.tape.shape(node).len())
    }
}

/// ln p recorded at a node of any tape.
pub(super) struct RecordedDensity<'t> {
    z: Var<'t>,
    pub log_prob: Var<'t>,
    /// The support of the density; `None` where it is everything.
    pub support: Option<Support>,
}

impl<'t> RecordedDensity<'t> {
    /// Records ln p(x) = ln p_Z(z) - ln|det J_f(z)| with z = f⁻¹(x).
    pub fn at(base: &dyn Base, chain: &Chain, x: Var<'t>) -> Result<RecordedDensity<'t>, BijectionError> {
        let mut met = Vec::new();
        let InverseWithLogDet { z, log_det } = inverse_within_domains(chain, x, &mut met)?;
        let log_base = x.tape().scope(SCOPE, || base.log_prob(z));
        let domain = base.support();
        if domain != Domain::Reals {
            met.push(Boundary { name: base.name(), value: z.id(), domain, base: true });
        }
        Ok(RecordedDensity { z, log_prob: log_base - log_det, support: Support::record(x, met) })
    }
}
