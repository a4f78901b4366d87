//! `pushforward book`: the lessons as a folder of HTML pages.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use pushforward::layers::{Example, catalogue};
use pushforward::prelude::*;

use super::say;
use crate::book::book;
use crate::lessons::LESSONS;
use crate::{Lesson, Page};

/// Builds every lesson and writes the book; failure when a check of a lesson does not hold.
pub fn write(folder: &Path) -> ExitCode {
    match written(folder) {
        Ok(failed) if failed.is_empty() => ExitCode::SUCCESS,
        Ok(failed) => {
            eprintln!("pushforward book: checks failed in {}", failed.join(", "));
            ExitCode::FAILURE
        }
        Err(error) => {
            eprintln!("pushforward book: {error}");
            ExitCode::FAILURE
        }
    }
}

fn written(folder: &Path) -> Result<Vec<&'static str>, Box<dyn Error>> {
    let (mut pages, mut failed) = (Vec::new(), Vec::new());
    for lesson in LESSONS.iter().copied() {
        say(&format!("  {}\n", lesson.slug));
        let page = lesson.page().map_err(|error| format!("{}: {error}", lesson.slug))?;
        if !page.failed().is_empty() {
            failed.push(lesson.slug);
        }
        pages.push((lesson, page));
    }
    let derivations = derivations()?;
    let files = book(&pages as &[(Lesson, Page)], &derivations);
    fs::create_dir_all(folder)?;
    let mut size = 0;
    for (name, text) in &files {
        let (partial, file) = (folder.join(format!("{name}.part")), folder.join(name));
        fs::write(&partial, text).and_then(|()| fs::rename(&partial, &file))?;
        size += text.len();
    }
    let index = folder.join("index.html");
    say(&format!("{} pages, {:.1} MB: {}\n", files.len(), size as f64 / 1e6, index.display()));
    Ok(failed)
}

/// Derives every layer of the catalogue.
fn derivations() -> Result<Vec<(String, Derivation)>, Box<dyn Error>> {
    let derived = |example: Example| Ok((title(example.name), derive(&example.layer)?));
    catalogue().into_iter().map(derived).collect()
}

/// `affine_coupling` as a heading.
fn title(name: &str) -> String {
    // Whole words: softplus holds a plu.
    let mut letters = format!(" {} ", name.replace('_', " "));
    for (plain, written) in NAMES {
        letters = letters.replace(&format!(" {plain} "), &format!(" {written} "));
    }
    let mut letters = letters.trim().to_string();
    if let Some(first) = letters.get_mut(0..1) {
        first.make_ascii_uppercase();
    }
    letters
}

/// Names of people, and what is written in capitals.
const NAMES: [(&str, &str); 12] = [
    ("box cox", "Box-Cox"),
    ("yeo johnson", "Yeo-Johnson"),
    ("sinh arcsinh", "sinh-arcsinh"),
    ("rational quadratic", "rational-quadratic"),
    ("cholesky", "Cholesky"),
    ("cdf", "CDF"),
    ("relu", "ReLU"),
    ("iaf", "IAF"),
    ("maf", "MAF"),
    ("plu", "PLU"),
    ("qr", "QR"),
    ("ffjord", "FFJORD"),
];
