//! Where a node of a tape comes from.

use std::collections::HashSet;
use std::fmt;
use std::panic::Location;
use std::sync::Mutex;

/// Where a node was recorded: at a source line, or by a node of a graph that was read from a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A source line of a layer.
    Line(&'static Location<'static>),
    /// A source line outside of Rust, as it is written: `bend.py:12`.
    Elsewhere(&'static str),
    /// The name of the node in the graph's file.
    Graph(&'static str),
}

impl Place {
    /// The node of this name of a graph.
    #[cfg(feature = "onnx")]
    pub(crate) fn graph(name: &str) -> Place {
        Place::Graph(kept(name))
    }

    /// A source line outside of Rust: `bend.py:12`.
    pub fn elsewhere(line: &str) -> Place {
        Place::Elsewhere(kept(line))
    }

    /// The source line; `None` for a node of a graph and for a line outside of Rust.
    pub fn location(self) -> Option<&'static Location<'static>> {
        match self {
            Place::Line(line) => Some(line),
            Place::Elsewhere(_) | Place::Graph(_) => None,
        }
    }
}

/// A name that is kept as long as the program runs, once however often it is used: a place is copied as freely as a source
/// line is.
fn kept(name: &str) -> &'static str {
    static NAMES: Mutex<Option<HashSet<&'static str>>> = Mutex::new(None);
    let mut names = NAMES.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
    let names = names.get_or_insert_default();
    if let Some(known) = names.get(name) {
        return known;
    }
    let kept: &'static str = Box::leak(name.to_string().into_boxed_str());
    names.insert(kept);
    kept
}

impl From<&'static Location<'static>> for Place {
    fn from(line: &'static Location<'static>) -> Place {
        Place::Line(line)
    }
}

impl fmt::Display for Place {
    /// `src/layer.rs:12`, `bend.py:12`, or ``node `/net/0/Gemm` ``.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Line(line) => write!(f, "{}:{}", line.file(), line.line()),
            Place::Elsewhere(line) => f.write_str(line),
            Place::Graph(name) => write!(f, "node `{name}`"),
        }
    }
}
