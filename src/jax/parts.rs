//! Vectors that are read in parts, as the numbers of a conditioner are.
//!
//! The derivative of `v[a:b]` is a vector of zeros with a part that is not, and XLA computes the sum of many such vectors
//! element by element, with all that leads to each part anew for every part: a step of a spline of 8 bins took twenty times as
//! long. So a vector that is read in many parts is split once, with a barrier behind which derivatives are computed
//! before they are put together.

use std::collections::HashMap;

use crate::tape::{NodeId, Op, Shape, Tape};

/// Fewer parts are written as slices.
const FEWEST: usize = 4;

/// A vector as parts one after another.
pub(super) struct Parts {
    /// Where a part begins, but for the first.
    cuts: Vec<usize>,
    /// The nodes that read a part, with its number.
    pub readers: Vec<(NodeId, usize)>,
}

/// The vectors that are read in at least four parts of which no two overlap, by their nodes.
pub(super) fn read_in_parts(tape: &Tape, computed: &[NodeId]) -> HashMap<NodeId, Parts> {
    let mut slices: HashMap<NodeId, Vec<(usize, usize, NodeId)>> = HashMap::new();
    for id in computed {
        let node = tape.node(*id);
        let Op::Gather(indices) = &node.op else { continue };
        let (Shape::Vector(_), Shape::Vector(_)) = (node.shape, tape.shape(node.operands[0])) else {
            continue;
        };
        let in_a_row = indices.windows(2).all(|pair| pair[1] == pair[0].wrapping_add(1));
        if let (Some(first), true) = (indices.first(), in_a_row) {
            let first = *first as usize;
            slices.entry(node.operands[0]).or_default().push((first, first + indices.len(), *id));
        }
    }
    let of = |(id, mut slices): (NodeId, Vec<(usize, usize, NodeId)>)| {
        slices.sort_unstable();
        let apart = slices.windows(2).all(|pair| pair[0].1 <= pair[1].0);
        if slices.len() < FEWEST || !apart {
            return None;
        }
        let ends = slices.iter().flat_map(|(from, to, _)| [*from, *to]);
        let mut cuts: Vec<usize> = ends.filter(|end| *end > 0 && *end < tape.shape(id).len()).collect();
        cuts.dedup();
        let part = |from: usize| cuts.partition_point(|cut| *cut <= from);
        let readers = slices.iter().map(|(from, _, reader)| (*reader, part(*from))).collect();
        Some((id, Parts { cuts, readers }))
    };
    slices.into_iter().filter_map(of).collect()
}

impl Parts {
    /// What `jnp.split` takes: a number of equal parts, or where parts begin.
    pub fn cuts(&self, length: usize) -> String {
        let count = self.cuts.len() + 1;
        let equal = self.cuts.iter().enumerate().all(|(k, cut)| cut * count == (k + 1) * length);
        if equal { count.to_string() } else { format!("{:?}", self.cuts) }
    }
}

#[cfg(test)]
mod tests {
    use super::read_in_parts;
    use crate::tape::{NodeId, Shape, Tape};

    /// What is split of tanh z, ten numbers that are read so: the cuts, and the part of each reader.
    fn split(ranges: &[(usize, usize)]) -> Option<(String, Vec<usize>)> {
        let tape = Tape::new();
        let whole = tape.input(Shape::Vector(10)).tanh();
        let readers: Vec<NodeId> = ranges.iter().map(|(from, to)| whole.slice(*from..*to).id()).collect();
        let mut found = read_in_parts(&tape, &readers);
        let parts = found.remove(&whole.id())?;
        let part = |id: &NodeId| parts.readers.iter().find(|(reader, _)| reader == id).unwrap().1;
        Some((parts.cuts(10), readers.iter().map(part).collect()))
    }

    #[test]
    fn parts_that_lie_apart_are_split_and_others_are_not() {
        let equal = [(0, 2), (2, 4), (4, 6), (6, 8), (8, 10)];
        assert_eq!(split(&equal), Some(("5".to_string(), vec![0, 1, 2, 3, 4])));
        // With a gap, in another order, and the end unread.
        let gaps = [(6, 8), (0, 1), (1, 3), (4, 6)];
        assert_eq!(split(&gaps), Some(("[1, 3, 4, 6, 8]".to_string(), vec![4, 0, 1, 3])));
        assert_eq!(split(&[(0, 3), (2, 4), (4, 6), (6, 8), (8, 10)]), None, "two overlap");
        assert_eq!(split(&equal[..3]), None, "too few");
    }
}
