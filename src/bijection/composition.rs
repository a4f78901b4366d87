//! What a bijection is made of, and the walk over its layers.
//!
//! Recording, inverting, auditing, deriving and naming parameters all take a bijection apart into the same
//! leaves, in the order in which they are applied. A chain contributes its layers; the inverse of a chain
//! contributes the inverses of its layers, last to first; the inverse of an inverse is the layer itself.

use std::fmt;

use super::{Bijection, Inverse, Motion};
use crate::tape::Tape;

/// How a bijection is composed of others; a bijection of its own is [`Composition::Layer`].
#[derive(Clone, Copy)]
#[non_exhaustive]
pub enum Composition<'a> {
    /// A single layer, recorded by its `forward`.
    Layer,
    /// A single layer that integrates a differential equation; its log-determinant is integrated along.
    Continuous(&'a dyn Motion),
    /// Layers, first to last. `forward` and `inverse` of the composition itself are not called.
    Chain(&'a [Box<dyn Bijection>]),
    /// The inverse of another bijection, from whose formulas log-determinants are derived.
    InverseOf(&'a dyn Bijection),
}

/// Path of a layer in nested chains: `layers.2.layers.0`. Parameters of the layer are named below it.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Path(Vec<usize>);

impl Path {
    fn join(&self, position: usize) -> Path {
        Path([self.0.as_slice(), &[position]].concat())
    }

    /// Whether this is the path of a bijection that is no layer of a chain.
    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    /// Records with the path as the prefix of parameter names.
    pub(crate) fn scope<T>(&self, tape: &Tape, record: impl FnOnce() -> T) -> T {
        if self.is_empty() { record() } else { tape.scope(&self.to_string(), record) }
    }
}

impl fmt::Display for Path {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (depth, position) in self.0.iter().enumerate() {
            let dot = if depth > 0 { "." } else { "" };
            write!(f, "{dot}layers.{position}")?;
        }
        Ok(())
    }
}

/// A single layer of a composition, as it is applied.
#[derive(Clone)]
pub struct Leaf<'a> {
    path: Path,
    layer: &'a dyn Bijection,
    motion: Option<&'a dyn Motion>,
    inverse: Option<Inverse<&'a dyn Bijection>>,
}

impl<'a> Leaf<'a> {
    /// Its path.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// The layer as it was written.
    pub fn layer(&self) -> &'a dyn Bijection {
        self.layer
    }

    /// Whether the inverse of the layer is applied.
    pub fn is_inverse(&self) -> bool {
        self.inverse.is_some()
    }

    /// What is applied: the layer or its inverse.
    pub fn bijection(&self) -> &dyn Bijection {
        match &self.inverse {
            Some(inverse) => inverse,
            None => self.layer,
        }
    }

    /// The differential equation that the layer integrates, if it does.
    pub fn motion(&self) -> Option<&'a dyn Motion> {
        self.motion
    }

    /// The layer and where it stands, in a sentence: `layer 0 (Exp)`, `layers.1.layers.0 (Exp)`.
    pub(crate) fn place(&self) -> String {
        let name = self.bijection().name();
        match self.path.0.as_slice() {
            [] => name,
            [position] => format!("layer {position} ({name})"),
            _ => format!("{} ({name})", self.path),
        }
    }

    /// Display name, with the path in a chain: `layers.0 AffineCoupling`.
    pub fn name(&self) -> String {
        let name = self.bijection().name();
        if self.path.is_empty() { name } else { format!("{} {name}", self.path) }
    }
}

/// How deep compositions may be nested.
const DEEPEST: usize = 10_000;

/// Takes a bijection apart into its layers, in the order in which they are applied; nested chains are opened.
///
/// # Panics
/// When compositions are nested more than 10⁴ times: one of them is made of itself.
pub fn leaves(bijection: &dyn Bijection) -> Vec<Leaf<'_>> {
    let mut open = vec![(bijection, Path::default(), false, 0)];
    let mut leaves = Vec::new();
    while let Some((layer, path, inverted, depth)) = open.pop() {
        assert!(depth < DEEPEST, "{}: a composition that is made of itself has no layers", bijection.name());
        let motion = match layer.composition() {
            Composition::Layer | Composition::Chain([]) => None,
            Composition::Continuous(motion) => Some(motion),
            Composition::InverseOf(other) => {
                open.push((other, path, !inverted, depth + 1));
                continue;
            }
            Composition::Chain(layers) => {
                let layers = layers.iter().map(AsRef::as_ref).enumerate();
                let inner = layers.map(|(k, layer)| (layer, path.join(k), inverted, depth + 1));
                // What is pushed last is taken first.
                match inverted {
                    true => open.extend(inner),
                    false => open.extend(inner.rev()),
                }
                continue;
            }
        };
        let inverse = inverted.then(|| Inverse::new(layer));
        leaves.push(Leaf { path, layer, motion, inverse });
    }
    leaves
}
