//! A part of a recorded map as a map of its own: one of several that are applied one after another.

use crate::bijection::{Bijection, Path};
use crate::jacobian::{Structure, discover, map};
use crate::tape::{Listing, NodeId, Tape, Var};

/// From one vector of a program to another, of as many elements. Parameters keep their whole names.
pub(super) struct Stage {
    listing: Listing,
    structure: Structure,
    path: Path,
}

impl Stage {
    /// The part between two nodes, with the structure that is found of it; `None` if it is singular.
    pub fn of(tape: &Tape, from: NodeId, to: NodeId) -> Option<Stage> {
        let structure = discover(tape, &map(tape, from, to)).ok()?.structure;
        Some(Stage { listing: Listing::of(tape, from, to), structure, path: Path::default() })
    }

    /// The empty path.
    pub fn path(&self) -> &Path {
        &self.path
    }
}

impl Bijection for Stage {
    fn dim(&self) -> usize {
        self.listing.input().len()
    }

    fn structure(&self) -> Structure {
        self.structure.clone()
    }

    #[track_caller]
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        self.listing.record(z)
    }
}
