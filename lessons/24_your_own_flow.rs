//! Lesson 24: a layer of your own, in a crate of your own, from words to samples.

use std::error::Error;

use pushforward::audit::Topic;
use pushforward::prelude::*;
use pushforward_course::statistics::mean;
use pushforward_course::{Lesson, Page, Picture, data};

#[path = "judges/24_your_own_flow.rs"]
pub mod judge;
/// The layer of the page, as it stands in a crate of one's own.
#[path = "your_own_flow/layer.rs"]
mod layer;

use layer::Own;

const SEED: u64 = 7;

type Told = Result<(), Box<dyn Error>>;
type Layers = Vec<Box<dyn Bijection>>;

/// The files of the crate, as they are printed and tested.
pub const LAYER: &str = include_str!("your_own_flow/layer.rs");
pub const MAIN: &str = include_str!("your_own_flow/main.rs");

pub const LESSON: Lesson = Lesson {
    number: 24,
    slug: "24_your_own_flow",
    title: "Your own flow",
    about: "a layer of yours, in a crate of yours",
    exercise: &judge::EXERCISE,
    seconds: 6.0,
    trained: &["A flow of it", "Saved"],
    needs: &[9, 11, 13],
    tell,
};

fn tell(page: &mut Page) -> Told {
    page.question(
        "You have read about other people's layers. How does one of your own come about, from a description in words to a file \
         that somebody else can draw samples from?",
    );
    page.predict(
        "The layer, in words: the first variable is stretched more on the right than on the left. The second is stretched by a \
         factor that the first chooses, and moved along a step that the first takes. Which of its Jacobian's four entries is \
         0? What is ln|det J|? Can it be inverted by formulas?",
    );
    the_crate(page)?;
    the_layer(page)?;
    pinned(page)?;
    trained(page)?;

    page.heading("Tables to try it on");
    page.prose(
        "Any table of numbers with names above its columns. These lie in ../pushforward/lessons/data, with their sources in its README:",
    );
    for name in ["magic_gamma.csv", "magic_showers.csv", "penguins.csv", "weather.csv"] {
        let text = std::fs::read_to_string(data(name))?;
        let (header, body) = text.split_once('\n').ok_or("a table has a header")?;
        page.prose(format!("{name}, {} rows: {}.", body.lines().count(), header.replace(',', ", ")));
    }
    page.heading("What to do next");
    page.prose(
        "cargo doc --open, in your crate, shows the documentation of the library. Its first page is a tour, with a table of \
         modules. What most people look for after this:",
    );
    page.table(
        &["you want", "look at"],
        vec![
            vec!["another layer in between".into(), "layers".into()],
            vec!["a coupling of another curve".into(), "layers::Transformer".into()],
            vec!["a density, given other columns".into(), "FitOptions::contexts".into()],
            vec!["another base".into(), "base".into()],
            vec!["another loss".into(), "train::Loss".into()],
            vec!["a target without data".into(), "Flow::fit_to_target".into()],
            vec!["why a claim is not proven".into(), "audit; DESIGN.md, section 4".into()],
            vec!["formulas for a paper".into(), "Derivation::latex".into()],
        ],
    );
    page.heading("What people get wrong");
    page.misconception(
        "\"A new layer needs its log-determinant and its inverse written and tested by hand.\" It needs forward and a prediction. \
         What is derived is pinned, so that a change of the formula changes a test.",
    );
    page.exercise(&judge::EXERCISE);
    page.read_on(
        "The documentation of insta, on snapshot tests; the first page of this library's documentation; Papamakarios et al., \
         \"Normalizing Flows for Probabilistic Modeling and Inference\" (2021), section 3, for what layers others have found.",
    );
    page.next("none: cargo run --release -- afterwards says what you can do now.");
    Ok(())
}

/// Commands and files.
fn the_crate(page: &mut Page) -> Told {
    page.heading("A crate");
    page.prose(
        "A folder for it beside that of this repository, which is called pushforward here. serde writes a layer to model files, insta \
         keeps the snapshots of tests:",
    );
    page.listing(
        "cd ..\n\
         cargo new own_flow\n\
         cd own_flow\n\
         cargo add --path ../pushforward pushforward\n\
         cargo add serde --features derive\n\
         cargo add --dev insta",
    );
    page.prose(
        "src/layer.rs, which is nothing but the words and a prediction. This file and the next stand in \
         ../pushforward/lessons/your_own_flow, to be copied:",
    );
    page.listing(LAYER.trim_end());
    Ok(())
}

/// Predicted, derived, audited.
fn the_layer(page: &mut Page) -> Told {
    page.heading("Predicted, derived, audited");
    page.prose(
        "x₁ depends on z₁ alone: the entry ∂x₁/∂z₂ is 0, and J is lower triangular. That is the prediction, and recording the \
         layer proves it. What follows:",
    );
    page.derivation(&derive(&Own)?);
    let report = audit(&Own)?;
    page.prose("And what is known of it, claim by claim:");
    page.audit(&report);
    let proven = |topic: Topic| report.claim(topic).map(|claim| claim.evidence.label());
    for (topic, said) in
        [(Topic::Structure, "its structure"), (Topic::Injective, "that it is one-to-one onto ℝ²")]
    {
        page.check_that(
            format!("{said} is proven"),
            proven(topic) == Some("proven"),
            format!("{:?}", proven(topic)),
        );
    }
    page.prose(
        "z₁ is the solution of an equation, since it stands in x₁ twice: bounds prove that the slope is at least 1, so that there \
         is one solution. Were the prediction wrong, the crate would stop here with the path from z₂ to x₁.",
    );
    Ok(())
}

/// The same, with a factor that somebody has changed.
struct Changed;

impl Bijection for Changed {
    fn dim(&self) -> usize {
        2
    }
    fn structure(&self) -> Structure {
        Own.structure()
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let (z1, z2) = (z.at(0), z.at(1));
        let [a, b, c, d] =
            ["a", "b", "c", "d"].map(|name| z.tape().parameter(name, Shape::Scalar, Init::Constant(0.1)));
        let factor = (b * z1.sin()).exp();
        let step = c * (d * z1).tanh();
        stack([z1 + a.exp() * z1.softplus(), z2 * factor + step])
    }
    fn name(&self) -> String {
        Own.name()
    }
}

/// What a snapshot catches.
fn pinned(page: &mut Page) -> Told {
    page.heading("Pinned");
    page.prose("One test in src/main.rs:");
    page.listing(
        "#[test]\nfn the_derivation_is_pinned() {\n    insta::assert_snapshot!(derive(&Own).unwrap());\n}",
    );
    page.prose(
        "INSTA_UPDATE=always cargo test writes what derive says to src/snapshots/. Read it: from then on every run of cargo test \
         compares. A derivation is the same text on every machine. Say somebody writes sin in the place of a tanh in the factor. \
         Lines of the derivation that are new then:",
    );
    let [before, again, after] =
        [derive(&Own)?.to_string(), derive(&Own)?.to_string(), derive(&Changed)?.to_string()];
    let new: Vec<&str> = after.lines().filter(|line| !before.lines().any(|old| old == *line)).collect();
    page.listing(new.join("\n"));
    page.check_that("derived twice, it is the same text", before == again, "the two differ");
    page.check_that(
        "of the changed layer it is another, and the test would fail",
        !new.is_empty(),
        "nothing changed",
    );
    page.check_that(
        "an audit alone would not notice: nothing of the changed layer is refuted",
        audit(&Changed)?.has_no_refutation(),
        "it is refuted",
    );
    Ok(())
}

/// On real data, against a Gaussian; saved and loaded.
fn trained(page: &mut Page) -> Told {
    page.heading("A flow of it");
    page.prose(
        "src/main.rs does the rest. It puts the layer between two affine ones: the first is learned, the last has the data's \
         units, so that ln p is that of the table. Then it trains, compares, saves, loads and samples:",
    );
    page.listing(MAIN.split("#[cfg(test)]").next().unwrap_or(MAIN).trim_end());
    page.prose(
        "cargo run --release -- ../pushforward/lessons/data/magic_gamma.csv size_log10 conc. The same here:",
    );
    let table = Table::read(data("magic_gamma.csv"), &["size_log10", "conc"], |_| true)?;
    let training = table.filter(|row| row % 10 < 8);
    let test = table.filter(|row| row % 10 == 9);
    let layers: Layers = vec![
        Box::new(Affine::identity(2)),
        Box::new(Own),
        Box::new(Affine::standardising(&training.moments())),
    ];
    let flow = Flow::new(StandardNormal::new(2), layers)?;
    let options = FitOptions { seed: SEED, epochs: 60, learning_rate: 1e-2, ..FitOptions::default() };
    let fitted = flow.fit(&training, options)?;
    let scores = [mean(&fitted.log_prob(test.values())?), mean(&Gaussian::fit(&training).log_prob(&test))];
    page.table(
        &["density", "learned numbers", "mean ln p of rows held out"],
        vec![
            vec!["one Gaussian".into(), "5".into(), format!("{:.3}", scores[1])],
            vec![
                "an affine layer, and yours".into(),
                fitted.parameters().count().to_string(),
                format!("{:.3}", scores[0]),
            ],
        ],
    );
    page.check_that(
        "with eight learned numbers, four of them your layer's, it is a tenth of a nat ahead",
        scores[0] > scores[1] + 0.1,
        format!("{scores:?}"),
    );
    page.heading("Saved, loaded, sampled");
    let bytes = fitted.to_bytes()?;
    let unknown = FittedFlow::from_bytes(&bytes, &Registry::catalogue())
        .err()
        .ok_or("the catalogue does not know it")?;
    page.prose(
        "A model file holds settings and numbers, and no program. Whoever loads it needs your layer, under the name that describe \
         gives it. Without:",
    );
    page.listing(unknown.to_string().split("; registered").next().unwrap_or_default().to_string());
    let loaded = FittedFlow::from_bytes(&bytes, &Registry::catalogue().with_layer::<Own>("own"))?;
    let [saved, back] = [fitted.log_prob(test.values())?, loaded.log_prob(test.values())?];
    page.check_that(
        "loaded, it gives the same ln p of every row, bit by bit",
        saved == back,
        "a number differs",
    );
    let drawn = loaded.sample(1500, SEED)?;
    let pairs = |rows: &[f64]| rows.chunks(2).map(|x| (x[0], x[1])).collect::<Vec<_>>();
    page.picture(
        "samples",
        Picture::new(
            "Test rows, and as many samples of the loaded flow",
            "Two clouds of dots that nearly cover one another, bent and dense to the left.",
        )
        .axes("size_log10", "conc")
        .scatter("rows", pairs(test.values()))
        .scatter("samples", pairs(&drawn[..2 * test.rows().min(1500)])),
    );
    Ok(())
}
