//! Inverse bijections.

#[cfg(feature = "serde")]
use super::Description;
use super::record::record_inverse;
use super::{Bijection, Composition, Domain};
use crate::jacobian::{Order, Structure};
use crate::tape::Var;

/// The inverse f⁻¹ of a bijection f, as a bijection: MAF is the inverse of an IAF layer.
///
/// `forward` is the derived inverse of f, `inverse` is f itself (one pass). The log-determinant is always
/// derived from the formulas of f: ln|det J_f⁻¹(x)| = -ln|det J_f(z)|.
#[derive(Clone, Debug)]
pub struct Inverse<B> {
    of: B,
}

impl<B: Bijection> Inverse<B> {
    /// Builds the inverse of a layer.
    pub fn new(of: B) -> Inverse<B> {
        Inverse { of }
    }
}

impl<B: Bijection> Bijection for Inverse<B> {
    fn dim(&self) -> usize {
        self.of.dim()
    }

    /// Records the inverse of the wrapped bijection; if there is none, that is a recording error.
    #[track_caller]
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let place = std::panic::Location::caller();
        match z.tape().called_from(place, || record_inverse(&self.of, z)) {
            Ok(x) => x,
            Err(error) => {
                z.tape().note("inverse", error.to_string(), &[], place);
                z
            }
        }
    }

    fn structure(&self) -> Structure {
        let turned = |order: Order| Order::matched(order.outputs().to_vec(), order.inputs().to_vec());
        match self.of.structure() {
            Structure::Triangular { order } => Structure::Triangular { order: turned(order) },
            Structure::BlockTriangular { order, blocks } => {
                Structure::BlockTriangular { order: turned(order), blocks }
            }
            // What is held fixed are elements of the other program.
            Structure::LowRank { .. } => Structure::Dense,
            same => same,
        }
    }

    #[track_caller]
    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        Some(x.tape().called_from(std::panic::Location::caller(), || self.of.forward(x)))
    }

    fn exact_log_det<'t>(&self, z: Var<'t>) -> Option<Var<'t>> {
        let x = record_inverse(&self.of, z).ok()?;
        self.of.exact_log_det(x).map(|log_det| -log_det)
    }

    fn domain(&self) -> Domain {
        self.of.codomain()
    }

    fn codomain(&self) -> Domain {
        self.of.domain()
    }

    fn name(&self) -> String {
        format!("Inverse of {}", self.of.name())
    }

    fn composition(&self) -> Composition<'_> {
        Composition::InverseOf(&self.of)
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("inverse", &self.of.describe()?)
    }
}
