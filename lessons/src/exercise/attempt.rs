//! Runs a learner's code, and turns its panics into judgements.

use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe};
use std::sync::Once;

use super::source::quoted;
use super::verdict::NotYet;

/// The message and the source line of a panic.
#[derive(Clone, Debug)]
pub(super) struct Panic {
    message: String,
    place: Option<(String, u32)>,
}

thread_local! {
    /// The panics caught on this thread; `None` while nothing is being judged.
    static CAUGHT: RefCell<Option<Vec<Panic>>> = const { RefCell::new(None) };
}

/// Runs code and catches its panic; panics of other threads are not affected.
pub(super) fn caught<T>(run: impl FnOnce() -> T) -> Result<T, Panic> {
    static HOOK: Once = Once::new();
    HOOK.call_once(|| {
        let before = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            let payload = info.payload();
            let message = payload
                .downcast_ref::<&str>()
                .map(|text| text.to_string())
                .or_else(|| payload.downcast_ref::<String>().cloned())
                .unwrap_or_default();
            let place = info.location().map(|place| (place.file().to_string(), place.line()));
            let kept = CAUGHT.with_borrow_mut(|caught| {
                caught.as_mut().map(|caught| caught.push(Panic { message, place })).is_some()
            });
            if !kept {
                before(info);
            }
        }));
    });
    CAUGHT.set(Some(Vec::new()));
    // Values left in an inconsistent state are dropped together with their tape.
    let result = panic::catch_unwind(AssertUnwindSafe(run));
    let caught = CAUGHT.take().unwrap_or_default();
    result.map_err(|_| {
        let unknown = Panic { message: "it gave no reason".to_string(), place: None };
        caught.into_iter().next_back().unwrap_or(unknown)
    })
}

impl Panic {
    /// Returns the panic as a judgement.
    pub(super) fn told(&self) -> NotYet {
        let open = self.message.strip_prefix("not yet implemented");
        let headline = match open {
            Some(_) => "there is a `todo!()` left in your file.".to_string(),
            None => format!("your code panics: {}", self.message),
        };
        let mut told = NotYet::new(headline);
        if let Some((file, line)) = &self.place {
            told = told.because(quoted(file, *line));
        }
        match open {
            Some(what) if what.len() > 2 => {
                told.advise(format!("To do: {}.", what[2..].trim_end_matches('.')))
            }
            Some(_) => told.advise("Write your answer in its place."),
            None => told,
        }
    }
}
