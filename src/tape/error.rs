//! Recording errors.
//!
//! Operators cannot return a `Result`. An error is noted on the tape with the caller's source line, recording
//! continues with a placeholder, and the function that requested the recording returns all errors at once.

use std::fmt;
use std::panic::Location;

use super::Shape;

/// A recording error: what is wrong, where, and what to do.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordError {
    /// What is wrong and how to fix it.
    pub message: String,
    /// The operation, by its name in [`super::Op::name`], or the call.
    pub operation: &'static str,
    /// The shapes of its operands.
    pub shapes: Vec<Shape>,
    /// The source line of the call.
    pub place: &'static Location<'static>,
}

impl fmt::Display for RecordError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.operation, self.message)?;
        if !self.shapes.is_empty() {
            let shapes: Vec<String> = self.shapes.iter().map(Shape::to_string).collect();
            write!(f, " (given {})", shapes.join(" and "))?;
        }
        write!(f, "\n    at {}:{}:{}", self.place.file(), self.place.line(), self.place.column())
    }
}

impl std::error::Error for RecordError {}

/// All errors of one recording, in order; never empty.
#[derive(Clone, Debug, PartialEq)]
pub struct RecordErrors(pub Vec<RecordError>);

impl fmt::Display for RecordErrors {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0.len() {
            1 => write!(f, "the recording has an error")?,
            n => write!(f, "the recording has {n} errors")?,
        }
        for error in &self.0 {
            write!(f, "\n  {error}")?;
        }
        Ok(())
    }
}

impl std::error::Error for RecordErrors {}
