//! Lesson 16: an exact density as a score for anomalies, and what it does not say.

use std::error::Error;
use std::f64::consts::{E, PI};

use pushforward::flow::FittedFlow;
use pushforward::prelude::*;
use pushforward_course::statistics::{auc, histogram, mean, roc};
use pushforward_course::{Lesson, Page, Picture, data};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

#[path = "judges/16_anomalies.rs"]
pub mod judge;

const SEED: u64 = 7;
const COLUMNS: [&str; 10] =
    ["length", "width", "size_log10", "conc", "conc1", "asym", "m3_long", "m3_trans", "alpha_deg", "dist"];

/// Coupling layers of monotone splines, every other variable in turn, and a linear layer that mixes.
fn layers(d: usize) -> Vec<Box<dyn Bijection>> {
    let mut layers: Vec<Box<dyn Bijection>> = Vec::new();
    for k in 0..4 {
        let mask = CouplingMask::alternating(d, k % 2 == 0);
        layers.push(Box::new(SplineCoupling::new(mask, Network::new([32]), SplineTransformer::new(8, 4.0))));
    }
    layers.push(Box::new(Linear::identity(d)));
    layers
}

fn negated(values: &[f64]) -> Vec<f64> {
    values.iter().map(|value| -value).collect()
}

/// The table with noise of a hundredth of a standard deviation: numbers that are rounded, or equal, are no density.
fn blurred(table: &Table, seed: u64) -> Result<Table, Box<dyn Error>> {
    let mut noise = vec![0.0; table.values().len()];
    StandardNormal::new(noise.len()).sample(&mut ChaCha8Rng::seed_from_u64(seed), &mut noise);
    let values = table.values().iter().zip(noise).map(|(value, noise)| value + 0.01 * noise).collect();
    Ok(Table::new(&COLUMNS, values)?)
}

fn scores(fitted: &FittedFlow, table: &Table) -> Result<Vec<f64>, Box<dyn Error>> {
    Ok(fitted.log_prob(table.values())?)
}

pub const LESSON: Lesson = Lesson {
    number: 16,
    slug: "16_anomalies",
    title: "Anomalies",
    about: "exact scores, an ROC, and their limits",
    exercise: &judge::EXERCISE,
    seconds: 10.0,
    trained: &["Ten columns", "First caveat", "Second caveat"],
    needs: &[8],
    tell,
};

fn tell(page: &mut Page) -> Result<(), Box<dyn Error>> {
    page.question(
        "A telescope records showers of light. Gamma rays are wanted, but most showers are hadrons. Can a \
         density that was trained on gamma showers only tell which of the others are not gammas?",
    );
    page.predict(
        "Draw a hadron and a gamma, both new. How often is ln p of the hadron the lower one, if p is a \
         Gaussian of all ten columns? And if p is a flow?",
    );

    page.heading("By hand: the chance of being right");
    page.prose(
        "The score of a row is -ln p: the higher, the stranger. Three gammas score 1, 2, 4 and two hadrons 3, 5. Of the \
         six pairs, the hadron is above in (1, 3), (2, 3), (1, 5), (2, 5), (4, 5): five of six. This share is the area \
         under the ROC curve, the AUC. 1/2 is guessing.",
    );
    page.check_close("AUC of these five", auc(&[1.0, 2.0, 4.0], &[3.0, 5.0]), 5.0 / 6.0, 1e-15);

    page.heading("Ten columns of real data");
    let class = |wanted: &'static str| {
        Table::read(data("magic_showers.csv"), &COLUMNS, move |cell| cell("class").as_deref() == Some(wanted))
    };
    let (gammas, hadrons) = (class("g")?, class("h")?);
    let training = gammas.filter(|row| row % 10 < 8);
    let moments = training.moments();
    let test = blurred(&gammas.filter(|row| row % 10 == 9).standardised(&moments), SEED + 1)?;
    let hadrons = blurred(&hadrons.standardised(&moments), SEED + 2)?;
    let training = blurred(&training.standardised(&moments), SEED)?;
    page.table(
        &["rows", "number", "used for"],
        vec![
            vec!["gamma".into(), training.rows().to_string(), "training".into()],
            vec!["gamma".into(), test.rows().to_string(), "test".into()],
            vec!["hadron".into(), hadrons.rows().to_string(), "test, not used in training".into()],
        ],
    );
    page.prose(
        "No label is used in training. A Gaussian with a full covariance, and a flow: four coupling layers of splines and \
         a linear one.",
    );
    let gaussian = Gaussian::fit(&training);
    let by_gaussian = [gaussian.log_prob(&test), gaussian.log_prob(&hadrons)];
    let settings =
        FitOptions { seed: SEED, epochs: 30, batch: 256, learning_rate: 5e-3, ..FitOptions::default() };
    let fitted = Flow::new(StandardNormal::new(10), layers(10))?.fit(&training, settings)?;
    let by_flow = [scores(&fitted, &test)?, scores(&fitted, &hadrons)?];
    let area = |by: &[Vec<f64>; 2]| auc(&negated(&by[0]), &negated(&by[1]));
    let areas = [area(&by_gaussian), area(&by_flow)];
    let row = |name: &str, by: &[Vec<f64>; 2], area: f64| {
        vec![
            name.to_string(),
            format!("{:.3}", mean(&by[0])),
            format!("{:.3}", mean(&by[1])),
            format!("{area:.3}"),
        ]
    };
    page.table(
        &["density", "ln p of gammas", "ln p of hadrons", "AUC"],
        vec![row("Gaussian", &by_gaussian, areas[0]), row("flow", &by_flow, areas[1])],
    );
    let better = mean(&by_flow[0]) - mean(&by_gaussian[0]);
    page.check_that("the flow is ahead by more than 1 nat per gamma", better > 1.0, format!("{better}"));
    page.check_that("and it separates hadrons better", areas[1] > areas[0] + 0.02, format!("{areas:?}"));
    page.picture(
        "roc",
        Picture::new(
            "ROC: hadrons found against false alarms",
            "Two curves above the diagonal; the flow's is the higher.",
        )
        .axes("false alarms", "found")
        .line("flow", roc(&negated(&by_flow[0]), &negated(&by_flow[1])))
        .line("Gaussian", roc(&negated(&by_gaussian[0]), &negated(&by_gaussian[1])))
        .line("guessing", vec![(0.0, 0.0), (1.0, 1.0)]),
    );
    let ends = (-5.0, 30.0);
    page.picture(
        "scores",
        Picture::new(
            "Scores -ln p by the flow",
            "Two humps that overlap; the hadrons' lies further right, with a long tail.",
        )
        .axes("-ln p, nats", "share")
        .line("gammas", histogram(&negated(&by_flow[0]), ends, 35))
        .line("hadrons", histogram(&negated(&by_flow[1]), ends, 35)),
    );
    page.prose(
        "The score is a density with mass 1, exact for every row. A VAE gives a lower bound of one, a GAN \
         none. There are two caveats.",
    );

    page.heading("First caveat: the highest density is nowhere near the data");
    page.prose(
        "Take a standard normal density of d variables. ln p is highest at 0. Draw 10 000 points of it: is any of them \
         nearly as likely as 0?",
    );
    let (mut rows, mut above) = (Vec::new(), 0);
    let mut typical = 0.0f64;
    for d in [1, 10, 100, 1000] {
        let base = StandardNormal::new(d);
        let mut random = ChaCha8Rng::seed_from_u64(SEED);
        let constant = 0.5 * d as f64 * (2.0 * PI).ln();
        let mut z = vec![0.0; d];
        let log_p: Vec<f64> = (0..10_000)
            .map(|_| {
                base.sample(&mut random, &mut z);
                -0.5 * z.iter().map(|z| z * z).sum::<f64>() - constant
            })
            .collect();
        let near = log_p.iter().filter(|value| **value > -constant - 1.0).count();
        let expected = -0.5 * d as f64 * (2.0 * PI * E).ln();
        typical = typical.max((mean(&log_p) - expected).abs() / (0.5 * d as f64 / 10_000.0).sqrt());
        above = if d >= 100 { above + near } else { above };
        rows.push(vec![
            d.to_string(),
            format!("{:.1}", -constant),
            format!("{:.1}", mean(&log_p)),
            format!("{:.1}", (0.5 * d as f64).sqrt()),
            near.to_string(),
        ]);
    }
    page.table(&["d", "ln p at 0", "mean ln p", "deviation √(d/2)", "within 1 nat of 0"], rows);
    page.check_that("from 100 variables on there is none", above == 0, format!("{above}"));
    page.check_close("their mean ln p is -d/2·ln(2πe), in standard errors", typical, 0.0, 4.0);
    page.prose(
        "Points are drawn from a shell, the typical set, where ln p is close to its mean -H. A point that is \
         too likely is as strange as one that is too unlikely. The same with the flow: its own layers, but \
         over noise z of deviation 0.3 instead of 1. The resulting rows are tame: all of them lie near the \
         middle of what was learned. No telescope records only such rows. The trained flow scores them:",
    );
    let tame: Vec<f64> = (0..100).map(|e| if e % 11 == 0 { 0.09 } else { 0.0 }).collect();
    let calm = GaussianMixture::new(&[1.0], &[vec![0.0; 10]], &[tame]);
    let calm = Flow::new(calm, layers(10))?.with(fitted.parameters().clone())?;
    let tame = fitted.log_prob(&calm.sample(1000, SEED + 3)?)?;
    let fooled = auc(&negated(&by_flow[0]), &negated(&tame));
    let centre = mean(&scores(&fitted, &training)?);
    let distance = |log_p: &[f64]| log_p.iter().map(|value| (value - centre).abs()).collect::<Vec<f64>>();
    let caught = auc(&distance(&by_flow[0]), &distance(&tame));
    let hadrons_by_distance = auc(&distance(&by_flow[0]), &distance(&by_flow[1]));
    // Ten rows at a time: their mean ln p.
    let in_tens = |log_p: &[f64]| distance(&log_p.chunks_exact(10).map(mean).collect::<Vec<_>>());
    let usual_tens = in_tens(&by_flow[0]);
    let tens = [&tame, &by_flow[1]].map(|log_p| auc(&usual_tens, &in_tens(log_p)));
    let row = |name: &str, areas: [f64; 2]| {
        std::iter::once(name.to_string()).chain(areas.map(|area| format!("{area:.3}"))).collect()
    };
    page.table(
        &["score", "AUC, tame rows", "AUC, hadrons"],
        vec![
            row("-ln p", [fooled, areas[1]]),
            row("|ln p + H|", [caught, hadrons_by_distance]),
            row("|m + H|, m the mean ln p of ten rows", tens),
        ],
    );
    page.check_that("-ln p ranks tame rows as more usual than real ones", fooled < 0.3, format!("{fooled}"));
    page.check_that("the distance from -H does not", caught > 0.52, format!("{caught}"));
    page.check_that(
        "ten rows of one kind, taken together, are recognised",
        tens[0] > 0.9,
        format!("{tens:?}"),
    );
    page.prose(
        "-H is the mean ln p of the training rows here. The distance has a cost: single hadrons are found a \
         little less often. Which end of the histogram is strange depends on what can occur.",
    );

    page.heading("Second caveat: a density depends on the coordinates");
    page.prose(
        "Lesson 1: under y = g(x), ln p changes by -ln|dg/dx|. A shower does not change if its angle a, a \
         column, is recorded in other coordinates, as y = sinh(2a) or as y = asinh(20a), and the flow of y \
         is exact as well. But the scores change:",
    );
    const ANGLE: usize = 8;
    let ruled = |log_slope: &dyn Fn(f64) -> f64| {
        let of = |log_p: &[f64], table: &Table| -> Vec<f64> {
            let slopes = (0..table.rows()).map(|row| log_slope(table.row(row)[ANGLE]));
            log_p.iter().zip(slopes).map(|(value, slope)| slope - value).collect()
        };
        auc(&of(&by_flow[0], &test), &of(&by_flow[1], &hadrons))
    };
    let wide = ruled(&|a| (2.0 * (2.0 * a).cosh()).ln());
    let narrow = ruled(&|a| (20.0 / (1.0 + 400.0 * a * a).sqrt()).ln());
    page.table(
        &["ruler", "AUC"],
        vec![
            vec!["a".into(), format!("{:.3}", areas[1])],
            vec!["sinh(2a)".into(), format!("{wide:.3}")],
            vec!["asinh(20a)".into(), format!("{narrow:.3}")],
        ],
    );
    page.check_that(
        "one model, three coordinates, AUCs more than 0.02 apart",
        wide - narrow > 0.02,
        format!("{wide}, {narrow}"),
    );
    page.prose(
        "Only a ratio of two densities is independent of the coordinates: with a second flow for hadrons, ln \
         p(x | gamma) - ln p(x | hadron). Where anomalies are known beforehand, use that.",
    );

    page.heading("In general");
    page.formula(
        "score(x) = -ln p(x)\ntypical: ln p(x) ≈ -H\nunder y = g(x): ln p(y) = ln p(x) - ln|det J_g(x)|",
    );
    page.heading("What people get wrong");
    page.misconception(
        "\"VAE and GAN scores are the same thing.\" A bound or a critic has no mass that sums to 1, and two models cannot \
         be compared by it. And: \"low density is what anomalous means.\" It is one question among several; look at the \
         histogram, and at both of its ends.",
    );
    page.exercise(&judge::EXERCISE);
    page.read_on(
        "Nalisnick, Matsukawa, Teh, Gorur, Lakshminarayanan, \"Do Deep Generative Models Know What They Don't Know?\" \
         (2019); Nalisnick et al., \"Detecting Out-of-Distribution Inputs to Deep Generative Models Using Typicality\" \
         (2019), section 3; Le Lan, Dinh, \"Perfect Density Models Cannot Guarantee Anomaly Detection\" (2021), section 4.",
    );
    page.next("17_inverse_problems: a density of causes, given their effects.");
    Ok(())
}
