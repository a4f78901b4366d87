//! Detection of parameters that two layers share by accident.
//!
//! A layer declares its parameters by name wherever it is recorded, and it is recorded several times on one
//! tape on purpose: to check that it is pure, beside its inverse, at the z that the inverse computes. Within
//! one call of `forward` (or of `inverse`), however, a name stands for one parameter of one layer. Two layers
//! recorded there under one name would silently share one set of weights: that is a recording error, unless
//! the code declares it as intended ([`Tape::shared`]).

use std::collections::HashMap;
use std::panic::Location;

use super::Tape;

type Place = &'static Location<'static>;

/// The names declared in a part of a recording, each with its source line.
#[derive(Debug, Default)]
pub(super) struct Frame {
    /// Whether this is one call of `forward` or `inverse`, in which a name may be declared once; otherwise it
    /// is several calls of one layer.
    once: bool,
    names: HashMap<String, Place>,
    /// The source line that called the layer being recorded.
    caller: Option<Place>,
}

impl Tape {
    /// Records one call of `forward` or `inverse`.
    pub(crate) fn pass<T>(&self, record: impl FnOnce() -> T) -> T {
        self.within(true, record)
    }

    /// Records several calls of one layer; for the caller they count as one.
    pub(crate) fn recording<T>(&self, record: impl FnOnce() -> T) -> T {
        self.within(false, record)
    }

    /// Records a layer called from this source line, which messages give as the place of its parameters.
    pub(crate) fn called_from<T>(&self, place: Place, record: impl FnOnce() -> T) -> T {
        let first = {
            let mut state = self.state.borrow_mut();
            // Layers called by this layer are attributed to the same source line.
            let frame = state.frames.last_mut().filter(|frame| frame.caller.is_none());
            frame.map(|frame| frame.caller = Some(place)).is_some()
        };
        let result = record();
        if first && let Some(frame) = self.state.borrow_mut().frames.last_mut() {
            frame.caller = None;
        }
        result
    }

    /// Records code that may share parameters with what was recorded before: the same weights used twice, on
    /// purpose.
    ///
    /// ```
    /// use pushforward::prelude::*;
    ///
    /// /// Twice the same coupling layer, with one set of weights.
    /// struct Twice(AffineCoupling);
    ///
    /// impl Bijection for Twice {
    ///     fn dim(&self) -> usize { 4 }
    ///     fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
    ///         let once = self.0.forward(z);
    ///         z.tape().shared(|| self.0.forward(once))
    ///     }
    /// }
    ///
    /// let layer = Twice(AffineCoupling::new(CouplingMask::first_half(4), Network::new([4])));
    /// assert_eq!(record(&layer)?.parameters().len(), 5);
    /// # Ok::<(), Box<dyn std::error::Error>>(())
    /// ```
    pub fn shared<T>(&self, record: impl FnOnce() -> T) -> T {
        self.state.borrow_mut().sharing += 1;
        let result = record();
        self.state.borrow_mut().sharing -= 1;
        result
    }

    fn within<T>(&self, once: bool, record: impl FnOnce() -> T) -> T {
        self.state.borrow_mut().frames.push(Frame { once, ..Frame::default() });
        let result = record();
        let frame = self.state.borrow_mut().frames.pop().expect("the frame that was opened");
        // Outside of all calls, names need not be checked.
        if self.state.borrow().frames.iter().any(|outer| outer.once) {
            let mut names: Vec<(String, Place)> = frame.names.into_iter().collect();
            names.sort_by(|a, b| a.0.cmp(&b.0));
            names.into_iter().for_each(|(name, place)| self.declared(name, place));
        }
        result
    }

    /// Notes that a parameter of this name was declared at this source line.
    pub(super) fn declared(&self, name: String, place: Place) {
        let (first, place) = {
            let mut state = self.state.borrow_mut();
            let sharing = state.sharing > 0;
            let Some(frame) = state.frames.last_mut() else { return };
            let place = frame.caller.unwrap_or(place);
            match frame.names.get(&name) {
                Some(first) if frame.once && !sharing => (*first, place),
                Some(_) => return,
                None => {
                    frame.names.insert(name, place);
                    return;
                }
            }
        };
        let message = format!(
            "`{name}` is declared twice in one call, first at {first}, so two layers would share their \
             weights; record each in its own scope, z.tape().scope(\"first\", || layer.forward(z)), or \
             declare the sharing, z.tape().shared(|| layer.forward(z)); a layer that uses a parameter twice \
             must declare it once"
        );
        self.note("parameter", message, &[], place);
    }
}
