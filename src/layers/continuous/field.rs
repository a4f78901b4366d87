//! Vector fields of continuous flows.

#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::layers::Network;
use crate::tape::{Var, concat};

/// A vector field v(z, t) of an ordinary differential equation dz/dt = v(z, t).
///
/// If v is Lipschitz in z and continuous in t, the solution through every point is unique, so the map from z
/// at time 0 to x at time 1 is one-to-one (Picard and Lindelöf).
pub trait Field: Send + Sync {
    /// Number of variables.
    fn dim(&self) -> usize;

    /// Records v(z, t): takes a vector of `dim` and a scalar, returns a vector of `dim`.
    fn velocity<'t>(&self, z: Var<'t>, t: Var<'t>) -> Var<'t>;

    /// Display name; defaults to the type name.
    fn name(&self) -> String {
        let full = std::any::type_name::<Self>();
        let plain = full.split('<').next().unwrap_or(full);
        plain.rsplit("::").next().unwrap_or(plain).to_string()
    }

    /// What a model file keeps of it, as [`Bijection::describe`](crate::bijection::Bijection::describe) of a layer.
    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        None
    }
}

/// References to fields, and boxes of them, are fields.
macro_rules! pointer_to_field {
    ($pointer:ty) => {
        impl<V: Field + ?Sized> Field for $pointer {
            fn dim(&self) -> usize {
                (**self).dim()
            }
            fn velocity<'t>(&self, z: Var<'t>, t: Var<'t>) -> Var<'t> {
                (**self).velocity(z, t)
            }
            fn name(&self) -> String {
                (**self).name()
            }
            #[cfg(feature = "serde")]
            fn describe(&self) -> Option<Description> {
                (**self).describe()
            }
        }
    };
}

pointer_to_field!(&V);
pointer_to_field!(Box<V>);

/// A vector field given by a network, v(z, t) = W·tanh(… (z, t)), as in FFJORD (Grathwohl et al., 2019).
///
/// Initialised to v = 0, so that the flow starts as the identity.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct NetworkField {
    dim: usize,
    network: Network,
}

impl NetworkField {
    /// Builds a field on `dim` variables.
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

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("network", self)
    }
}
