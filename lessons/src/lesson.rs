//! Lessons: number, names, content, and exercise.

use std::error::Error;
use std::process::ExitCode;

use super::exercise::Exercise;
use super::page::Page;

/// A lesson.
#[derive(Clone, Copy, Debug)]
pub struct Lesson {
    /// Its number.
    pub number: u32,
    /// The name of its file without `.rs`.
    pub slug: &'static str,
    /// Its title.
    pub title: &'static str,
    /// Its topic, in a few words.
    pub about: &'static str,
    /// Its exercise.
    pub exercise: &'static Exercise,
    /// Seconds that it may take on two cores; `cargo bench --bench lessons` holds it against them.
    pub seconds: f64,
    /// The beginnings of the headings under which numbers come from training. They differ in their last digits from
    /// machine to machine; everything else is the same everywhere.
    pub trained: &'static [&'static str],
    /// The numbers of the lessons that it builds on; what these build on is not repeated.
    pub needs: &'static [u32],
    /// Adds its blocks to a page; fails where the lesson cannot run at all.
    pub tell: fn(&mut Page) -> Result<(), Box<dyn Error>>,
}

impl Lesson {
    /// Runs the lesson in the terminal; succeeds if every check holds.
    pub fn run(&self) -> ExitCode {
        let mut page = Page::new(self.number, self.slug, self.title);
        match (self.tell)(&mut page) {
            Ok(()) => page.finish(),
            Err(error) => {
                eprintln!("{}: {error}", self.slug);
                ExitCode::FAILURE
            }
        }
    }

    /// Runs the lesson on a page that prints nothing.
    ///
    /// # Errors
    /// When the lesson cannot run at all. Failed checks are part of the page.
    pub fn page(&self) -> Result<Page, Box<dyn Error>> {
        let mut page = Page::silent(self.number, self.slug, self.title);
        (self.tell)(&mut page)?;
        Ok(page)
    }
}
