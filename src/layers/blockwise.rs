//! Layers side by side, each on variables of its own.
//!
//! (x_A, x_B, …) = (f_A(z_A), f_B(z_B), …)
//!
//! J is block diagonal, and ln|det J| the sum of those of the layers. It is how columns of a table get maps and domains of
//! their own, and how a multi-scale architecture leaves variables alone after some layers (factoring out).
//!
//! Sources: Dinh, Sohl-Dickstein, Bengio, "Density estimation using Real NVP" (2017), section 3.6, for factoring out.

use std::panic::Location;

#[cfg(feature = "serde")]
use crate::bijection::Description;
use crate::bijection::{Bijection, Checked, Domain, record_inverse};
use crate::jacobian::{Order, Structure};
use crate::tape::{Tape, Var, concat};

/// Layers side by side, each on variables of its own; parameters are named `parts.0.…`, `parts.1.…`.
///
/// ```
/// use pushforward::prelude::*;
///
/// // A real column, a positive one, and two that belong together.
/// let columns = Blockwise::new([
///     Box::new(Affine::new([1.0], [0.0])) as Box<dyn Bijection>,
///     Box::new(Elementwise::new(Transform::Exp, 1)),
///     Box::new(AffineCoupling::new(CouplingMask::first_half(2), Network::new([8]))),
/// ]);
/// assert_eq!(columns.codomain().written(4), "ℝ × (0, ∞) × ℝ²");
/// assert!(audit(&columns)?.has_no_refutation());
///
/// // Factoring out (a chain of parts, not a chain inside of a part, whose layers would be one block): after the first coupling, the last two of four variables stay as they are.
/// let coupling = |d| Box::new(AffineCoupling::new(CouplingMask::first_half(d), Network::new([8]))) as Box<dyn Bijection>;
/// let rest = Blockwise::new([coupling(2), Box::new(Elementwise::new(Transform::Identity, 2))]);
/// let multi_scale = Inverse::new(Chain::new([coupling(4), Box::new(rest)]));
/// assert!(audit(&multi_scale)?.has_no_refutation());
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub struct Blockwise {
    parts: Vec<Part>,
}

/// A layer and its variables.
struct Part {
    variables: Vec<usize>,
    layer: Box<dyn Bijection>,
}

impl Blockwise {
    /// Puts layers side by side: the first has the first variables, the next those that follow.
    ///
    /// # Panics
    /// When there is no layer.
    pub fn new(layers: impl IntoIterator<Item = Box<dyn Bijection>>) -> Blockwise {
        let mut start = 0;
        let parts = layers.into_iter().map(|layer| {
            let variables = (start..start + layer.dim()).collect();
            start += layer.dim();
            Part { variables, layer }
        });
        Blockwise { parts: parts.collect() }.checked()
    }

    /// Puts layers side by side, each with its variables: layer k maps z at these positions to x at the same ones.
    ///
    /// # Panics
    /// When there is no layer, a layer has another number of variables than positions, or the positions are not each of
    /// 0..d once.
    pub fn of(parts: impl IntoIterator<Item = (Vec<usize>, Box<dyn Bijection>)>) -> Blockwise {
        let parts = parts.into_iter().map(|(variables, layer)| Part { variables, layer });
        Blockwise { parts: parts.collect() }.checked()
    }

    /// Builds the layer from what a model file says.
    #[cfg(feature = "serde")]
    pub(crate) fn unchecked(parts: Vec<(Vec<usize>, Box<dyn Bijection>)>) -> Blockwise {
        let parts = parts.into_iter().map(|(variables, layer)| Part { variables, layer });
        Blockwise { parts: parts.collect() }
    }

    /// All positions, those of the first layer first.
    fn variables(&self) -> Vec<usize> {
        self.parts.iter().flat_map(|part| part.variables.iter().copied()).collect()
    }

    /// A domain of each variable, from that of each part.
    fn joined(&self, of: impl Fn(&Part) -> Domain) -> Domain {
        let mut each = vec![Domain::Reals; self.dim()];
        for part in &self.parts {
            let domain = of(part);
            part.variables.iter().enumerate().for_each(|(k, i)| each[*i] = domain.of(k));
        }
        Domain::each(each)
    }

    /// Records something of each part under its name, and puts the results in their places.
    fn each_part<'t, E>(
        &self,
        whole: Var<'t>,
        record: impl Fn(&dyn Bijection, Var<'t>) -> Result<Var<'t>, E>,
    ) -> Result<Var<'t>, E> {
        let tape: &'t Tape = whole.tape();
        let one = |(k, part): (usize, &Part)| {
            tape.scope(&format!("parts.{k}"), || record(&*part.layer, whole.gather(&part.variables)))
        };
        let joined = concat(self.parts.iter().enumerate().map(one).collect::<Result<Vec<_>, E>>()?);
        let variables = self.variables();
        if variables.iter().enumerate().all(|(k, i)| k == *i) {
            return Ok(joined);
        }
        let mut back = vec![0; variables.len()];
        variables.iter().enumerate().for_each(|(k, i)| back[*i] = k);
        Ok(joined.gather(&back))
    }
}

impl Checked for Blockwise {
    fn fault(&self) -> Option<String> {
        if self.parts.is_empty() {
            return Some("layers side by side are at least one".to_string());
        }
        for (k, Part { variables, layer }) in self.parts.iter().enumerate() {
            let (d, name) = (layer.dim(), layer.name());
            if d != variables.len() {
                return Some(format!(
                    "part {k} ({name}) has {d} variables, but {} positions",
                    variables.len()
                ));
            }
            if let Some(domain) = [layer.domain(), layer.codomain()].into_iter().find(Domain::couples) {
                return Some(format!(
                    "part {k} ({name}) has the domain or codomain {}, whose variables restrict one another: it cannot stand beside others",
                    domain.written(d)
                ));
            }
        }
        let variables = self.variables();
        let d = variables.len();
        let sound = Order::of(variables.clone()).is_permutation(d);
        (!sound).then(|| {
            format!(
                "the positions of all parts are each of 0 to {} once, not {variables:?}",
                d.saturating_sub(1)
            )
        })
    }
}

impl Bijection for Blockwise {
    fn dim(&self) -> usize {
        self.parts.iter().map(|part| part.variables.len()).sum()
    }

    /// That of the parts, one after the other; a part without a structure is a block.
    fn structure(&self) -> Structure {
        if self.parts.iter().all(|part| part.layer.structure() == Structure::Diagonal) {
            return Structure::Diagonal;
        }
        let (mut inputs, mut outputs, mut blocks) = (Vec::new(), Vec::new(), Vec::new());
        for Part { variables, layer } in &self.parts {
            let d = variables.len();
            let own = layer.structure();
            let order = own.order(d).unwrap_or_else(|| Order::natural(d));
            inputs.extend(order.inputs().iter().map(|i| variables[*i]));
            outputs.extend(order.outputs().iter().map(|i| variables[*i]));
            match own {
                Structure::Dense => blocks.push(d),
                Structure::BlockTriangular { blocks: own, .. } => blocks.extend(own),
                _ => blocks.extend(std::iter::repeat_n(1, d)),
            }
        }
        let order = Order::matched(inputs, outputs);
        let is_natural = order == Order::natural(self.dim());
        match blocks.iter().all(|block| *block == 1) {
            true if is_natural => Structure::LowerTriangular,
            true => Structure::Triangular { order },
            false if blocks.len() == 1 => Structure::Dense,
            false => Structure::BlockTriangular { order, blocks },
        }
    }

    fn domain(&self) -> Domain {
        self.joined(|part| part.layer.domain())
    }

    fn codomain(&self) -> Domain {
        self.joined(|part| part.layer.codomain())
    }

    fn image(&self, whole: &Domain) -> Domain {
        self.joined(|part| part.layer.image(&Domain::each(part.variables.iter().map(|i| whole.of(*i)))))
    }

    #[track_caller]
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z.tape().called_from(Location::caller(), || {
            let forward =
                |layer: &dyn Bijection, z: Var<'t>| Ok::<_, std::convert::Infallible>(layer.forward(z));
            match self.each_part(z, forward) {
                Ok(x) => x,
                Err(never) => match never {},
            }
        })
    }

    /// That of each part, as the part gives it or derived; where no part gives one and all have an order to solve in, the
    /// inverse of the whole is derived.
    #[track_caller]
    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        x.tape().called_from(Location::caller(), || {
            let is_derived = |part: &Part| {
                let d = part.variables.len();
                part.layer.structure().order(d).is_some()
                    && part.layer.inverse(x.gather(&part.variables)).is_none()
            };
            if self.parts.iter().all(is_derived) {
                return None;
            }
            self.each_part(x, |layer, x| record_inverse(layer, x).map_err(|_| ())).ok()
        })
    }

    #[cfg(feature = "serde")]
    fn describe(&self) -> Option<Description> {
        let part = |part: &Part| Some((part.variables.clone(), part.layer.describe()?));
        let parts: Option<Vec<(Vec<usize>, Description)>> = self.parts.iter().map(part).collect();
        Description::new("blockwise", &parts?)
    }
}
