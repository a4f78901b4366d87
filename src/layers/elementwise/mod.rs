//! Elementwise bijections without learnable parameters: the usual maps between ℝ, (0, ∞) and an interval.
//!
//! xᵢ = g(zᵢ)
//!
//! They map data from a subset of the line to the domain of the layers, or the output of a flow back. Each g
//! is one formula ([`Transform`]); its log-derivative is derived, in a form that neither overflows nor cancels.

mod transform;
mod transformer;

pub use transform::Transform;
pub use transformer::ElementwiseTransformer;

#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::bijection::{Bijection, Checked, Domain, bounded_image, record_inverse};
use crate::jacobian::Structure;
use crate::tape::{Var, stack};

/// Applies a function to each variable: the same one, or one of its own.
#[derive(Clone, Debug)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Elementwise {
    transforms: Vec<Transform>,
}

impl Elementwise {
    /// Builds the layer that applies `transform` to each of d variables.
    ///
    /// # Panics
    /// When the constants do not make it strictly monotone, for example a slope or a scale that is not above
    /// 0, or an empty interval.
    pub fn new(transform: Transform, d: usize) -> Elementwise {
        Elementwise::each(vec![transform; d])
    }

    /// Builds the layer that applies to each variable a function of its own: columns of a table that are positive,
    /// bounded, or neither.
    ///
    /// ```
    /// use pushforward::prelude::*;
    ///
    /// let units = Elementwise::each([Transform::Identity, Transform::Exp]);
    /// assert_eq!(units.codomain().written(2), "ℝ × (0, ∞)");
    /// assert!(audit(&units)?.has_no_refutation());
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    ///
    /// # Panics
    /// As [`Elementwise::new`].
    pub fn each(transforms: impl Into<Vec<Transform>>) -> Elementwise {
        Elementwise { transforms: transforms.into() }.checked()
    }

    /// The function of all variables, if they have the same.
    fn shared(&self) -> Option<Transform> {
        let first = *self.transforms.first()?;
        self.transforms.iter().all(|transform| *transform == first).then_some(first)
    }

    /// Records a function of each variable, one by one where they differ.
    fn by_variable<'t>(
        &self,
        whole: Var<'t>,
        record: impl Fn(Transform, Var<'t>) -> Option<Var<'t>>,
    ) -> Option<Var<'t>> {
        if let Some(shared) = self.shared() {
            return record(shared, whole);
        }
        let each = self.transforms.iter().enumerate();
        let each: Option<Vec<Var<'t>>> = each.map(|(i, transform)| record(*transform, whole.at(i))).collect();
        Some(stack(each?))
    }
}

impl Checked for Elementwise {
    fn fault(&self) -> Option<String> {
        let unsound = self.transforms.iter().find(|transform| !transform.is_sound())?;
        Some(format!("{unsound:?} is not strictly monotone: its numbers must be positive and finite"))
    }
}

impl Bijection for Elementwise {
    fn dim(&self) -> usize {
        self.transforms.len()
    }

    fn structure(&self) -> Structure {
        Structure::Diagonal
    }

    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        self.by_variable(z, |transform, variable| Some(transform.apply(variable))).unwrap_or(z)
    }

    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        if self.shared().is_none() && !self.transforms.iter().any(|transform| transform.inverse(x).is_some())
        {
            return None;
        }
        self.by_variable(x, |transform, variable| match (transform.inverse(variable), self.shared()) {
            (None, None) => {
                // One variable of its own, derived.
                let own = record_inverse(&Elementwise::new(transform, 1), stack([variable]));
                own.ok().map(|own| own.at(0))
            }
            (inverse, _) => inverse,
        })
    }

    fn domain(&self) -> Domain {
        Domain::each(self.transforms.iter().map(|transform| transform.domain()))
    }

    fn codomain(&self) -> Domain {
        Domain::each(self.transforms.iter().map(|transform| transform.codomain()))
    }

    fn image(&self, part: &Domain) -> Domain {
        let one = |transform: Transform, part: Domain| match part == transform.domain() {
            true => transform.codomain(),
            false => bounded_image(&part, &transform.codomain(), |z| transform.apply(z)),
        };
        match (part.dim(), self.shared()) {
            (None, Some(transform)) => one(transform, part.clone()),
            _ => Domain::each(
                self.transforms.iter().enumerate().map(|(i, transform)| one(*transform, part.of(i))),
            ),
        }
    }

    fn name(&self) -> String {
        match self.shared() {
            Some(transform) => {
                format!("{transform:?}").split(' ').next().unwrap_or("Elementwise").to_string()
            }
            None => "Elementwise".to_string(),
        }
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        Description::new("elementwise", self)
    }
}
