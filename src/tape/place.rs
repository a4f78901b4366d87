//! Where a node of a tape comes from.

use std::fmt;
use std::panic::Location;

/// Where a node was recorded: at a source line, or by a node of a graph that was read from a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Place {
    /// A source line of a layer.
    Line(&'static Location<'static>),
    /// The name of the node in the graph's file.
    Graph(&'static str),
}

impl Place {
    /// The node of this name of a graph.
    ///
    /// A place is copied as freely as a source line is, so a name is kept as long as the program runs, once however often it
    /// is used.
    #[cfg(feature = "onnx")]
    pub(crate) fn graph(name: &str) -> Place {
        use std::collections::HashSet;
        use std::sync::Mutex;

        static NAMES: Mutex<Option<HashSet<&'static str>>> = Mutex::new(None);
        let mut names = NAMES.lock().unwrap_or_else(|poisoned| poisoned.into_inner());
        let names = names.get_or_insert_default();
        if let Some(known) = names.get(name) {
            return Place::Graph(known);
        }
        let kept: &'static str = Box::leak(name.to_string().into_boxed_str());
        names.insert(kept);
        Place::Graph(kept)
    }

    /// The source line; `None` for a node of a graph.
    pub fn location(self) -> Option<&'static Location<'static>> {
        match self {
            Place::Line(line) => Some(line),
            Place::Graph(_) => None,
        }
    }
}

impl From<&'static Location<'static>> for Place {
    fn from(line: &'static Location<'static>) -> Place {
        Place::Line(line)
    }
}

impl fmt::Display for Place {
    /// `src/layer.rs:12`, or ``node `/net/0/Gemm` ``.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Place::Line(line) => write!(f, "{}:{}", line.file(), line.line()),
            Place::Graph(name) => write!(f, "node `{name}`"),
        }
    }
}
