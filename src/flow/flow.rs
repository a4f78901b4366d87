//! A flow before it is fitted: a base, layers, and their density, recorded once.

use std::sync::{Arc, Mutex, MutexGuard};

use super::density::Density;
use super::error::FlowError;
use crate::base::Base;
use crate::bijection::{Bijection, Chain};
use crate::tape::Parameters;

/// A base and layers, not yet fitted.
///
/// Layers with a context ([`Network::with_context`](crate::layers::Network::with_context)) make a conditional density
/// p(x | c): use [`FitOptions::contexts`](crate::flow::FitOptions::contexts) and the methods that end in `_given`; the others return an error.
pub struct Flow {
    pub(super) base: Arc<dyn Base>,
    pub(super) chain: Chain,
    pub(super) context: usize,
    /// Recorded in [`Flow::new`]. Gradients are derived on the same tape, by one thread at a time.
    density: Mutex<Density>,
}

impl Flow {
    /// Builds a flow from a base and layers, first to last. Every layer is recorded and its declarations are proven.
    ///
    /// The support of the base must lie in the domain of the first layer, and the codomain of each layer in the
    /// domain of the next: otherwise probability mass would be lost, and no density would integrate to 1. The density
    /// is 0 outside of the image of the base's support. This image may depend on parameters: over a base on (0, 1) an
    /// affine layer maps onto an interval that it learns; during the fit the interval shrinks until a row lies
    /// outside, where the fit [stops](crate::flow::Stop::Outside). A base on all of ℝ, or a first layer that maps the
    /// base's support onto ℝ, avoids this.
    ///
    /// # Errors
    /// [`FlowError::Empty`], [`FlowError::Dimension`], [`FlowError::Base`], and what is wrong with a layer.
    pub fn new(
        base: impl Base + 'static,
        layers: impl IntoIterator<Item = Box<dyn Bijection>>,
    ) -> Result<Flow, FlowError> {
        let layers: Vec<Box<dyn Bijection>> = layers.into_iter().collect();
        if layers.is_empty() {
            return Err(FlowError::Empty);
        }
        let (base, chain): (Arc<dyn Base>, Chain) = (Arc::new(base), Chain::new(layers));
        let d = chain.dim();
        if base.dim() != d {
            return Err(FlowError::Dimension { base: base.dim(), layers: d });
        }
        let (support, first) = (base.support(), &chain.layers()[0]);
        if !support.is_within(&first.domain(), d) {
            return Err(FlowError::Base {
                base: base.name(),
                support: support.written(d),
                layer: first.name(),
                takes: first.domain().written(d),
            });
        }
        let density = Density::record(&*base, &chain)?;
        Ok(Flow { base, chain, context: density.context_width(), density: Mutex::new(density) })
    }

    /// The number of variables.
    pub fn dim(&self) -> usize {
        self.chain.dim()
    }

    /// The width of the context; 0 for an unconditional density.
    pub fn context(&self) -> usize {
        self.context
    }

    /// The base.
    pub fn base(&self) -> &dyn Base {
        &*self.base
    }

    /// The layers as one bijection.
    pub fn bijection(&self) -> &Chain {
        &self.chain
    }

    /// The recorded ln p(x).
    pub(crate) fn density(&self) -> MutexGuard<'_, Density> {
        // A thread that panicked may have left nodes that nothing refers to.
        self.density.lock().unwrap_or_else(|poisoned| poisoned.into_inner())
    }

    /// Returns the initial parameters of this seed.
    pub fn initial(&self, seed: u64) -> Parameters {
        Parameters::initialise(&self.density().tape, seed)
    }
}
