//! Conditions on settings, for constructors and for model files alike.

/// A type whose settings have to fulfil a condition.
pub(crate) trait Checked: Sized {
    /// Returns what is wrong with the settings, if anything.
    fn fault(&self) -> Option<String>;

    /// Panics when something is wrong; for constructors, where it is a mistake in the program.
    #[track_caller]
    fn checked(self) -> Self {
        if let Some(fault) = self.fault() {
            panic!("{fault}");
        }
        self
    }
}
