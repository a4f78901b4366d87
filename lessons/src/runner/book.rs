//! `pushforward book`: the lessons as a folder of HTML pages.

use std::error::Error;
use std::fs;
use std::path::Path;
use std::process::ExitCode;

use pushforward::layers::plu;
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

/// Derives every family of the catalogue, at sizes small enough to be read.
fn derivations() -> Result<Vec<(&'static str, Derivation)>, Box<dyn Error>> {
    let network = || Network::new([8]);
    let masked = || MaskedNetwork::new(3, [6]);
    let map = |transform: Transform| Box::new(Elementwise::new(transform, 2)) as Box<dyn Bijection>;
    let layers: Vec<(&'static str, Box<dyn Bijection>)> = vec![
        ("Scale and shift", Box::new(Affine::identity(3))),
        ("Permutation", Box::new(Permutation::new([2, 0, 1]))),
        ("Linear", Box::new(Linear::identity(3))),
        ("Triangular", Box::new(Triangular::lower(3))),
        ("PLU", Box::new(plu([2, 0, 1], [1.0, -1.0, 1.0]))),
        ("Additive coupling (NICE)", Box::new(AdditiveCoupling::new(CouplingMask::first_half(4), network()))),
        ("Affine coupling (RealNVP)", Box::new(AffineCoupling::new(CouplingMask::first_half(4), network()))),
        ("Inverse autoregressive (IAF)", Box::new(Autoregressive::iaf(masked()))),
        ("Masked autoregressive (MAF)", Box::new(Autoregressive::maf(masked()))),
        ("Rational-quadratic spline", {
            let (slopes, x, y) = ([0.3, 2.0, 0.5], [-2.0, 0.5, 1.0], [-1.0, 0.0, 3.0]);
            Box::new(RationalQuadraticSpline::learned(1, x, y, slopes))
        }),
        ("exp", map(Transform::Exp)),
        ("ln", map(Transform::Ln)),
        ("tanh", map(Transform::Tanh)),
        ("Sigmoid", map(Transform::Sigmoid { lower: 0.0, upper: 1.0 })),
        ("Logit", map(Transform::Logit)),
        ("Softplus", map(Transform::Softplus { sharpness: 1.0 })),
        ("Leaky ReLU", map(Transform::LeakyRelu { slope: 0.1 })),
        ("Power", map(Transform::Power { exponent: 2.5 })),
        ("Gumbel", map(Transform::GumbelCdf { location: 0.0, scale: 1.0 })),
        ("Kumaraswamy", map(Transform::KumaraswamyCdf { a: 2.0, b: 3.0 })),
        ("sinh-arcsinh", map(Transform::SinhArcsinh { skew: 0.5, tail: 0.8, normalise: false })),
    ];
    let derived = layers.into_iter().map(|(name, layer)| Ok((name, derive(&layer)?)));
    derived.collect()
}
