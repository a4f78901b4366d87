//! The assumed bounds of the elements of a node, and the bounds of elements that are read from a node.

use std::sync::Arc;

use super::interval::Bound;
use super::{Bounds, NodeId};
use crate::tape::{Op, Shape};

/// Assumed bounds of the elements of a node.
#[derive(Clone, Debug, PartialEq)]
pub enum Region {
    /// All of them in one interval.
    All(Bound),
    /// Each in its own interval: as many as the node has elements.
    Each(Arc<[Bound]>),
}

impl From<Bound> for Region {
    fn from(bound: Bound) -> Region {
        Region::All(bound)
    }
}

impl From<Vec<Bound>> for Region {
    fn from(bounds: Vec<Bound>) -> Region {
        Region::Each(bounds.into())
    }
}

impl Region {
    /// Returns the smallest interval around all of `count` elements; 0 if there are none.
    pub fn hull(&self, count: usize) -> Bound {
        match self {
            Region::All(bound) => bound.in_order(),
            // An element without an assumption may have any value.
            Region::Each(bounds) if bounds.len() < count => Bound::REALS,
            Region::Each(bounds) => around(bounds.iter().map(|bound| bound.in_order())),
        }
    }

    /// Returns the interval of one element.
    pub fn element(&self, e: usize) -> Bound {
        match self {
            Region::All(bound) => bound.in_order(),
            Region::Each(bounds) => bounds.get(e).map_or(Bound::REALS, |bound| bound.in_order()),
        }
    }
}

/// Returns the smallest interval around all of these; 0 if there are none.
pub(super) fn around(bounds: impl IntoIterator<Item = Bound>) -> Bound {
    bounds.into_iter().reduce(Bound::hull).unwrap_or(Bound::closed(0.0, 0.0))
}

/// The number of gathers and concatenations that an element is traced through.
const HOPS: usize = 8;
/// The maximum number of parts of different lengths in which a concatenation is searched for an element.
const PARTS: usize = 64;

impl Bounds<'_> {
    /// Whether elements of the node may have tighter bounds than the node's interval.
    pub(super) fn has_parts(&self, id: NodeId) -> bool {
        match self.given.get(&id) {
            Some(region) => matches!(region, Region::Each(_)),
            None => self.tape.with_node(id, |node| match &node.op {
                Op::Constant(_) | Op::Gather(_) | Op::Transpose => true,
                Op::Concat => node.operands.len() <= PARTS,
                _ => false,
            }),
        }
    }

    /// Returns the interval of one element of a node whose bound and whose operands' bounds are known: an element of
    /// a constant, of an input with a domain for each variable, or of a concatenation is bounded by itself.
    pub(super) fn element(&self, mut id: NodeId, mut e: usize) -> Bound {
        for _ in 0..HOPS {
            if let Some(region) = self.given.get(&id) {
                return region.element(e);
            }
            let part = self.tape.with_node(id, |node| match &node.op {
                Op::Constant(data) => Err(Bound::closed(data.values()[e], data.values()[e])),
                Op::Gather(indices) => Ok((node.operands[0], indices[e] as usize)),
                Op::Broadcast => Ok((node.operands[0], 0)),
                Op::Transpose => match node.shape {
                    Shape::Matrix(rows, columns) => {
                        Ok((node.operands[0], (e % columns) * rows + e / columns))
                    }
                    _ => Err(self.known(id)),
                },
                Op::Concat if node.operands.len() <= PARTS => {
                    let mut rest = e;
                    for part in &node.operands {
                        let length = self.tape.shape(*part).len();
                        if rest < length {
                            return Ok((*part, rest));
                        }
                        rest -= length;
                    }
                    Err(self.known(id))
                }
                _ => Err(self.known(id)),
            });
            match part {
                Ok(next) => (id, e) = next,
                Err(bound) => return bound,
            }
        }
        self.known(id)
    }
}
