//! Thresholds of increasing maps: which comparisons of z and of x decide the same.
//!
//! A spline that is recorded backwards looks for the bin of x among y₀ < y₁ < …; its slope, derived at the z that was
//! found, looks for the bin of z among x₀ < x₁ < …, which is the same bin. Whoever records a map as increasing knows
//! that z < x_k exactly where x < y_k, and notes it here for whoever records a density.

use super::{NodeId, Tape, Var};

/// z is an increasing image of x, and x_k that of y_k: z < x_k exactly where x < y_k.
#[derive(Clone, Debug)]
pub(crate) struct Thresholds {
    /// z.
    pub image: NodeId,
    /// x.
    pub of: NodeId,
    /// (x_k, y_k).
    pub pairs: Vec<(NodeId, NodeId)>,
}

impl Thresholds {
    pub fn new<'t>(image: Var<'t>, of: Var<'t>, images: &[Var<'t>], thresholds: &[Var<'t>]) -> Thresholds {
        let ids = |(image, threshold): (&Var<'t>, &Var<'t>)| (image.id(), threshold.id());
        Thresholds { image: image.id(), of: of.id(), pairs: images.iter().zip(thresholds).map(ids).collect() }
    }
}

impl Tape {
    /// Records, and returns the thresholds that were noted meanwhile.
    pub(crate) fn noting_thresholds<T>(&self, record: impl FnOnce() -> T) -> (T, Vec<Thresholds>) {
        let outer = self.state.borrow_mut().thresholds.replace(Vec::new());
        let result = record();
        let noted = std::mem::replace(&mut self.state.borrow_mut().thresholds, outer);
        (result, noted.unwrap_or_default())
    }

    /// Notes thresholds if somebody asked for them.
    pub(crate) fn note_thresholds(&self, thresholds: impl FnOnce() -> Thresholds) {
        if let Some(noted) = &mut self.state.borrow_mut().thresholds {
            noted.push(thresholds());
        }
    }
}
