//! Lesson 8: a flow on real data, trained by maximum likelihood.

use std::io::IsTerminal;

use indicatif::{ProgressBar, ProgressStyle};
use pushforward::flow::{Progress, Stop};
use pushforward::prelude::*;
use pushforward_course::{Lesson, Page, Picture};

#[path = "judges/08_first_flow.rs"]
pub mod judge;

const SEED: u64 = 7;

/// What the page shows of `layers`.
const LAYERS: &str = "let mut layers: Vec<Box<dyn Bijection>> = Vec::new();
for k in 0..6 {
    let mask = match k % 2 {
        0 => CouplingMask::first_half(2),
        _ => CouplingMask::second_half(2),
    };
    layers.push(Box::new(AffineCoupling::new(mask, Network::new([32, 32]))));
}
layers.push(Box::new(Linear::identity(2)));";

/// Six coupling layers, halves alternating, and a linear layer that mixes.
fn layers() -> Vec<Box<dyn Bijection>> {
    let mut layers: Vec<Box<dyn Bijection>> = Vec::new();
    for k in 0..6 {
        let mask = match k % 2 {
            0 => CouplingMask::first_half(2),
            _ => CouplingMask::second_half(2),
        };
        layers.push(Box::new(AffineCoupling::new(mask, Network::new([32, 32]))));
    }
    layers.push(Box::new(Linear::identity(2)));
    layers
}

fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / numbers.len() as f64
}

fn pairs(rows: &[f64]) -> Vec<(f64, f64)> {
    rows.chunks(2).map(|row| (row[0], row[1])).collect()
}

/// The lesson: run on its own, from the front page, or into the book.
pub const LESSON: Lesson = Lesson {
    number: 8,
    slug: "08_first_flow",
    title: "A first flow",
    about: "RealNVP on real data, by likelihood",
    exercise: &judge::EXERCISE,
    seconds: 10.0,
    trained: &[""],
    needs: &[7],
    tell,
};

fn tell(page: &mut Page) -> Result<(), Box<dyn std::error::Error>> {
    page.question("Can a density with an exact formula follow data that no textbook density fits?");
    page.predict(
        "A few invertible layers and a normal base. Which of these can be computed exactly: ln p of a new \
         point, a sample, the total mass?",
    );

    page.heading("By hand");
    page.prose(
        "One layer, one variable: x = 2z + 1, and z standard normal. For x = 3: invert, z = 1. Look it up, \
         ln p_Z(1) = -½ - ½·ln 2π = -1.4189. Subtract ln 2 = 0.6931 for the stretching: ln p(3) = -2.1121.",
    );
    let flow =
        Flow::new(StandardNormal::new(1), [Box::new(Affine::new([2.0], [1.0])) as Box<dyn Bijection>])?;
    let start = flow.initial(0);
    let by_hand = -0.5 - 0.5 * (2.0 * std::f64::consts::PI).ln() - 2f64.ln();
    page.check_close(
        "a flow of that layer gives the same",
        flow.with(start)?.log_prob(&[3.0])?[0],
        by_hand,
        1e-14,
    );

    page.heading("Real data");
    page.prose(
        "12 332 simulated gamma showers seen by the MAGIC telescope, two numbers each, the brightness of \
         the shower and the share of light in its two brightest pixels. They lie along a bent, split band. Of every ten rows eight are \
         for training and one is the test; the tenth part that is left, 1233 rows, is not used here.",
    );
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/magic_gamma.csv");
    let table = Table::read(path, &["size_log10", "conc"], |_| true)?;
    let training = table.filter(|row| row % 10 < 8);
    let moments = training.moments();
    let test = table.filter(|row| row % 10 == 9).standardised(&moments);
    let training = training.standardised(&moments);
    page.number("training rows", training.rows() as f64, "");
    page.number("test rows, not used until the end", test.rows() as f64, "");
    page.picture(
        "data",
        Picture::new(
            "The data, standardised",
            "A bent band of points that falls from upper left to lower right and splits.",
        )
        .axes("log₁₀ size", "conc")
        .scatter("", pairs(training.values()).into_iter().step_by(4).collect()),
    );

    page.heading("What there is to beat");
    page.predict(
        "One Gaussian with a full covariance fits an ellipse. How much likelihood does it lose on bent data?",
    );
    let gaussian = mean(&Gaussian::fit(&training).log_prob(&test));
    page.number("one Gaussian, mean ln p of the test rows", gaussian, "nats");

    page.heading("For each example");
    page.prose(
        "Invert the layers, evaluate the base's density, subtract the log-determinant of every layer, and \
         follow the gradient of the sum:",
    );
    page.formula("ln p(x) = ln p_Z(z) - Σ ln|det J_k(z_k)|     with z = f⁻¹(x)");
    page.prose(
        "z_k is the input of layer k when z is mapped to this x: z_1 = z, z_2 = f_1(z_1) and so on \
                (lesson 6).",
    );
    page.prose("The layers in code; the exercise needs nothing else:");
    page.listing(LAYERS);
    let flow = Flow::new(StandardNormal::new(2), layers())?;
    let start = flow.initial(SEED);
    page.number("layers", 7.0, "");
    page.number("weights", start.count() as f64, "");
    let before = Flow::new(StandardNormal::new(2), layers())?.with(start)?;
    let untrained = mean(&before.log_prob(test.values())?);
    page.number("before training (the flow starts as the identity)", untrained, "nats");

    let settings = FitOptions { seed: SEED, epochs: 30, ..FitOptions::default() };
    let terminal = std::io::stderr().is_terminal();
    let bar = if terminal { ProgressBar::new(settings.epochs as u64) } else { ProgressBar::hidden() };
    bar.set_style(ProgressStyle::with_template("    {bar:40} {pos}/{len} epochs, validation {msg}")?);
    let mut show = |told: Progress| {
        bar.set_position(told.epoch as u64);
        bar.set_message(format!("{:.4}", told.held_out));
    };
    let fitted = flow.fit(&training, FitOptions { progress: Some(&mut show), ..settings })?;
    bar.finish_and_clear();
    let history = fitted.history().clone();
    page.check_that(
        "training ended normally, with finite losses",
        matches!(history.stop, Stop::Epochs | Stop::Early),
        format!("{:?}", history.stop),
    );
    page.prose(
        "A tenth of the training rows is not trained on. The fit evaluates it after every epoch (validation) \
         and keeps the weights that are best there; the test rows are a different set. Both curves should \
         rise together:",
    );
    page.picture(
        "training",
        Picture::new(
            "Mean ln p while training",
            "Both curves rise steeply in the first epochs and then slowly; they stay close to each other.",
        )
        .axes("epoch", "nats")
        .line("training", history.epochs.iter().skip(1).map(|p| (p.epoch as f64, p.training)).collect())
        .line("validation", history.epochs.iter().map(|p| (p.epoch as f64, p.held_out)).collect()),
    );

    page.heading("On the test rows");
    let log_p = fitted.log_prob(test.values())?;
    let flow_score = mean(&log_p);
    page.table(
        &["density", "mean ln p of the test rows"],
        vec![
            vec!["standard normal".into(), format!("{untrained:.3}")],
            vec!["one Gaussian, full covariance".into(), format!("{gaussian:.3}")],
            vec!["the flow".into(), format!("{flow_score:.3}")],
        ],
    );
    page.check_that(
        "the flow beats the Gaussian by more than 0.3 nats per row",
        flow_score > gaussian + 0.3,
        format!("{flow_score} against {gaussian}"),
    );
    page.prose(format!(
        "That is the answer: on these bent data a Gaussian loses at least {:.2} nats per row. And all three \
         of the things asked at the beginning are exact: ln p is a formula, a sample is one pass, and the \
         mass is 1, because every layer is one-to-one and onto. A grid confirms this only as finely as its \
         cells allow:",
        flow_score - gaussian
    ));

    page.heading("A density, exactly");
    let n = 80;
    let (low, high) = (-4.0, 5.0);
    let cell = (high - low) / n as f64;
    let middle = |k: usize| low + (k as f64 + 0.5) * cell;
    let rows: Vec<f64> = (0..n * n).flat_map(|k| [middle(k % n), middle(k / n)]).collect();
    let p: Vec<f64> = fitted.log_prob(&rows)?.into_iter().map(f64::exp).collect();
    let mass = p.iter().sum::<f64>() * cell * cell;
    page.check_close("it integrates to 1 over the plane, as far as the grid is fine", mass, 1.0, 0.02);
    page.picture(
        "density",
        Picture::new("The density that was learnt", "A bent, split band of high density where the data are.")
            .axes("log₁₀ size", "conc")
            .heat_map("p(x)", (low, high), (low, high), n, p),
    );

    page.heading("Samples in one pass");
    let samples = fitted.sample(test.rows(), SEED)?;
    page.picture(
        "samples",
        Picture::new("New points, drawn from the flow", "Points along the same bent band as the data.")
            .axes("log₁₀ size", "conc")
            .scatter("", pairs(&samples)),
    );
    let columns = |rows: &[f64], j: usize| mean(&rows.iter().skip(j).step_by(2).copied().collect::<Vec<_>>());
    for (j, name) in ["log₁₀ size", "conc"].into_iter().enumerate() {
        page.check_close(
            format!("the samples have the test rows' mean of {name}"),
            columns(&samples, j),
            columns(test.values(), j),
            0.15,
        );
    }

    page.heading("In general");
    page.formula("ln p(x) = ln p_Z(z) - Σ ln|det J_k(z_k)|     with z = f⁻¹(x)");
    page.prose(
        "Training makes the mean of this over the data as large as it can be. Everything in it is exact, so \
         it can compare two densities on rows that neither was trained on.",
    );

    page.heading("What people get wrong");
    page.misconception(
        "\"Likelihood is only for simple models.\" The formula of this density is seven layers long, and every value of \
         it is exact.",
    );
    page.exercise(&judge::EXERCISE);
    page.read_on("Dinh, Sohl-Dickstein, Bengio, \"Density estimation using Real NVP\" (2017), section 3.");
    page.next("09_write_forward_get_the_rest: the map is all you write.");
    Ok(())
}
