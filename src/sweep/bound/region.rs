//! Where the elements of a node are said to lie, and where those lie that are picked out of a node.

use std::sync::Arc;

use super::interval::Bound;
use super::{Bounds, NodeId};
use crate::tape::{Op, Shape};

/// Where the elements of a node are said to lie.
#[derive(Clone, Debug, PartialEq)]
pub enum Region {
    /// All of them in one interval.
    All(Bound),
    /// Each in its own: as many as the node has elements.
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
    /// The interval around all of so many elements; of no elements it is 0.
    pub fn hull(&self, count: usize) -> Bound {
        match self {
            Region::All(bound) => bound.in_order(),
            // Of elements that nothing is said of, nothing is known.
            Region::Each(bounds) if bounds.len() < count => Bound::REALS,
            Region::Each(bounds) => around(bounds.iter().map(|bound| bound.in_order())),
        }
    }

    /// The interval of one element.
    pub fn element(&self, e: usize) -> Bound {
        match self {
            Region::All(bound) => bound.in_order(),
            Region::Each(bounds) => bounds.get(e).map_or(Bound::REALS, |bound| bound.in_order()),
        }
    }
}

/// The smallest interval around all of these; around nothing it is 0.
pub(super) fn around(bounds: impl IntoIterator<Item = Bound>) -> Bound {
    bounds.into_iter().reduce(Bound::hull).unwrap_or(Bound::closed(0.0, 0.0))
}

/// How many movements an element is followed through to where it comes from.
const HOPS: usize = 8;
/// A concatenation of so many parts of different lengths is searched for the part an element lies in.
const PARTS: usize = 64;

impl Bounds<'_> {
    /// Whether more is known of the elements of a node than one interval for all.
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

    /// The interval of one element of a node, whose own bound and whose operands' are known: a part of a constant, of
    /// an input with a domain for each variable, or of a concatenation is bounded by itself, not by its neighbours.
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
