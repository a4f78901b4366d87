//! Lines of a file, which errors and seeds of the library know, and rows of a table of Python.

/// The line of the first row of a file with a header. Rows have the lines that they would have in a file, so that whatever
/// depends on the line is as the command has it.
pub const FIRST_LINE: u64 = 2;

/// The row of a line, counted from 0.
pub fn row_of(line: u64) -> u64 {
    line.saturating_sub(FIRST_LINE)
}
