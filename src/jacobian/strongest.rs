//! The strongest structure of a program that nothing was declared of.

use super::{Structure, bottleneck, discover, largest_rank};
use crate::sweep::reach::Relation;
use crate::tape::{Subgraph, Tape};

/// Finds the structure that a layer could declare: triangular in some order or in blocks, else diagonal plus a small rank, else
/// dense. What is found is proven like any declaration when the layer is recorded.
pub fn strongest_structure(tape: &Tape, map: &Subgraph) -> Structure {
    let found = discover(tape, map).map_or(Structure::Dense, |found| found.structure);
    let [input] = map.inputs() else { return found };
    if found != Structure::Dense {
        return found;
    }
    let low = bottleneck(tape, map, Relation::Value, largest_rank(tape.shape(*input).len()));
    low.filter(|low| low.rank() > 0).map_or(found, |low| Structure::LowRank { rank: low.rank() })
}
