//! Compositions of layers.

use std::panic::Location;

#[cfg(feature = "serde")]
use super::Description;
use super::composition::{Leaf, leaves};
use super::{Bijection, Composition, Domain};
use crate::jacobian::Structure;
use crate::tape::Var;

/// Composition f = f_K ∘ … ∘ f_1: the first layer is applied first.
///
/// Layers remain separate: structure, log-determinant and inverse are known layer by layer, and parameters
/// are named `layers.0.…`, `layers.1.…`.
pub struct Chain {
    layers: Vec<Box<dyn Bijection>>,
}

impl Chain {
    /// Composes layers, first to last.
    ///
    /// # Panics
    /// When there is no layer, because the dimension would be unknown.
    pub fn new(layers: impl IntoIterator<Item = Box<dyn Bijection>>) -> Chain {
        let layers: Vec<_> = layers.into_iter().collect();
        assert!(!layers.is_empty(), "a chain needs at least one layer");
        Chain { layers }
    }

    /// The layers, first to last.
    pub fn layers(&self) -> &[Box<dyn Bijection>] {
        &self.layers
    }
}

impl Bijection for Chain {
    fn dim(&self) -> usize {
        self.layers[0].dim()
    }

    #[track_caller]
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let tape = z.tape();
        let forward = |z: Var<'t>, leaf: &Leaf<'_>| leaf.path().scope(tape, || leaf.bijection().forward(z));
        tape.called_from(Location::caller(), || leaves(self).iter().fold(z, forward))
    }

    /// Returns the structure that all layers share; otherwise `Dense`, because the layers keep their own
    /// structures.
    fn structure(&self) -> Structure {
        let first = self.layers[0].structure();
        let same = self.layers.iter().all(|layer| layer.structure() == first);
        match first {
            // A product of layers with matched orders has another order; the layers keep their own.
            Structure::Diagonal | Structure::LowerTriangular | Structure::UpperTriangular if same => first,
            _ => Structure::Dense,
        }
    }

    fn domain(&self) -> Domain {
        self.layers[0].domain()
    }

    /// The image under all layers of the domain of the first. f reaches all of it, unless a layer reaches
    /// only a part of the next layer's domain.
    fn codomain(&self) -> Domain {
        self.image(&self.domain())
    }

    fn image(&self, part: &Domain) -> Domain {
        self.layers.iter().fold(part.clone(), |part, layer| layer.image(&part))
    }

    fn composition(&self) -> Composition<'_> {
        Composition::Chain(&self.layers)
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        let layers: Option<Vec<Description>> = self.layers.iter().map(|layer| layer.describe()).collect();
        Description::new("chain", &layers?)
    }
}
