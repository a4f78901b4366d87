//! What a report may be told.

/// Options of [`Report::of`](super::Report::of).
pub struct ReportOptions<'a> {
    /// The name of the model file, for commands that the reader may copy.
    pub model: String,
    /// The name of the table.
    pub table: String,
    /// What was found about the file when it was read, a sentence each.
    pub said: Vec<String>,
    /// Columns of the file that are no part of the model.
    pub others: Vec<String>,
    /// Seed of everything that is random.
    pub seed: u64,
    /// The most rows that are compared with samples; of a larger table so many are drawn. Memory and time of the energy
    /// distance are proportional to the square of their number: 16 MB for 2000.
    pub rows: usize,
    /// The number of samples for each of these rows.
    pub samples: usize,
    /// The number of random exchanges of rows and samples from which the p-value of the energy distance is counted.
    pub exchanges: usize,
    /// Whether the layers are audited, which takes longest for many columns.
    pub audit: bool,
    /// Is called with what is begun.
    pub progress: Option<&'a mut dyn FnMut(&str)>,
}

impl Default for ReportOptions<'_> {
    fn default() -> Self {
        ReportOptions {
            model: "the model".to_string(),
            table: "the table".to_string(),
            said: Vec::new(),
            others: Vec::new(),
            seed: 0,
            rows: 2000,
            samples: 100,
            exchanges: 499,
            audit: true,
            progress: None,
        }
    }
}
