//! Velocities.

use crate::layers::Network;
use crate::tape::{Var, concat};

/// A field of velocities, dz/dt = v(z, t).
///
/// Where v is smooth with slopes that are bounded, every point has one way through it: what is at z at time 0 is at one x
/// at time 1, and came from no other z (Picard and Lindelöf).
pub trait Field {
    /// How many variables it moves.
    fn dim(&self) -> usize;

    /// v(z, t), recorded: a vector of `dim` and a scalar in, a vector of `dim` out.
    fn velocity<'t>(&self, z: Var<'t>, t: Var<'t>) -> Var<'t>;

    /// What messages call it; the name of the type unless said.
    fn name(&self) -> String {
        let full = std::any::type_name::<Self>();
        let plain = full.split('<').next().unwrap_or(full);
        plain.rsplit("::").next().unwrap_or(plain).to_string()
    }
}

/// A pointer to a field is that field.
impl<V: Field + ?Sized> Field for &V {
    fn dim(&self) -> usize {
        (**self).dim()
    }

    fn velocity<'t>(&self, z: Var<'t>, t: Var<'t>) -> Var<'t> {
        (**self).velocity(z, t)
    }

    fn name(&self) -> String {
        (**self).name()
    }
}

/// A network as a field: v(z, t) = W·tanh(… (z, t)) as in FFJORD (Grathwohl et al., 2019).
///
/// It starts as v = 0, so that the flow starts as the identity.
#[derive(Clone, Debug)]
pub struct NetworkField {
    dim: usize,
    network: Network,
}

impl NetworkField {
    /// On so many variables.
    pub fn new(dim: usize, network: Network) -> NetworkField {
        NetworkField { dim, network }
    }
}

impl Field for NetworkField {
    fn dim(&self) -> usize {
        self.dim
    }

    fn velocity<'t>(&self, z: Var<'t>, t: Var<'t>) -> Var<'t> {
        self.network.apply(concat([z, t]), self.dim)
    }
}
