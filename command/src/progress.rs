//! Progress on standard error: a line that changes on a terminal, a line for each new thing elsewhere.

use std::collections::HashSet;
use std::io::IsTerminal;
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};
use pushforward::flow::Progress;

/// A bar with a message on a terminal; none elsewhere.
fn bar(template: &str, length: u64) -> Option<ProgressBar> {
    std::io::stderr().is_terminal().then(|| {
        let bar = ProgressBar::new(length);
        bar.set_style(ProgressStyle::with_template(template).unwrap_or(ProgressStyle::default_bar()));
        bar
    })
}

/// The progress of fits.
pub struct Shown {
    bar: Option<ProgressBar>,
    /// What was told, elsewhere.
    said: HashSet<String>,
    /// Of flows that are trained at the same time the one that the bar shows, and when it was told of last.
    leading: Option<(String, Instant)>,
}

/// The bar goes over to another flow when its own has not been told of for so long.
const SILENT: Duration = Duration::from_secs(1);

impl Shown {
    pub fn new() -> Shown {
        Shown { bar: bar("{bar:20} {msg}", 1), said: HashSet::new(), leading: None }
    }

    /// Shows what is fitted and how far it is.
    pub fn tell(&mut self, what: &str, progress: Option<Progress>) {
        let Some(bar) = &self.bar else {
            if self.said.insert(what.to_string()) {
                eprintln!("fitting: {what}");
            }
            return;
        };
        let now = Instant::now();
        let is_other =
            |(leading, told): &(String, Instant)| leading != what && now.duration_since(*told) < SILENT;
        if progress.is_some() && self.leading.as_ref().is_some_and(is_other) {
            return;
        }
        self.leading = progress.is_some().then(|| (what.to_string(), now));
        if let Some(told) = progress {
            bar.set_length(told.epochs as u64);
            bar.set_position(told.epoch as u64);
        }
        bar.set_message(what.to_string());
    }

    pub fn end(&self) {
        self.bar.iter().for_each(ProgressBar::finish_and_clear);
    }
}

/// The stages of work whose length is not known.
pub struct Stages {
    bar: Option<ProgressBar>,
}

impl Stages {
    pub fn new() -> Stages {
        let bar = bar("{spinner} {msg}", 0);
        bar.iter().for_each(|bar| bar.enable_steady_tick(Duration::from_millis(120)));
        Stages { bar }
    }

    pub fn tell(&mut self, stage: &str) {
        match &self.bar {
            Some(bar) => bar.set_message(stage.to_string()),
            None => eprintln!("{stage}"),
        }
    }

    pub fn end(&self) {
        self.bar.iter().for_each(ProgressBar::finish_and_clear);
    }
}
