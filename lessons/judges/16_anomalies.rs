//! Exercise 16: a score for rows that are too likely as well as for those that are too unlikely.

use std::f64::consts::{E, PI};

use pushforward::flow::FlowError;
use pushforward::prelude::*;
use pushforward_course::exercise::{Exercise, Judgement, NotYet, Passed, Space, given_formula, shown};
use pushforward_course::statistics::auc;

pub const EXERCISE: Exercise = Exercise {
    number: 16,
    slug: "16_anomalies",
    question: "Usual rows are 100 standard normal numbers. Strange ones have the deviation 0.8, or 1.25: tame rows and wild \
               ones. By -ln p the tame rows look more usual than the usual. Write a score, from ln p alone, that is high for \
               both strange kinds.",
    proof: "The judge draws 2000 rows of each kind and asks both AUCs, tame against usual and wild against usual, to be \
            above 0.9.",
    hints: [
        "Where does ln p of a usual row lie? Near its mean, which is -H, and not at its highest value.",
        "A score that is low near -H and rises on both sides: the distance of ln p from -H.",
        "H of 100 standard normal numbers is 50·ln(2πe), so the score is (log_p + 50·ln(2πe)).abs().",
    ],
};

/// The score of a row, from its ln p.
pub type Score = for<'t> fn(Var<'t>) -> Var<'t>;

const D: usize = 100;
const ROWS: usize = 2000;
const SEED: u64 = 7;
const ENOUGH: f64 = 0.9;

/// ln p of rows with this deviation, by the density of usual rows.
fn drawn(deviation: f64, seed: u64) -> Result<Vec<f64>, FlowError> {
    let layers: Vec<Box<dyn Bijection>> = vec![Box::new(Affine::new([deviation; D], [0.0; D]))];
    let flow = Flow::new(StandardNormal::new(D), layers)?;
    let start = flow.initial(seed);
    let rows = flow.with(start)?.sample(ROWS, seed)?;
    let constant = 0.5 * D as f64 * (2.0 * PI).ln();
    let log_p = |row: &[f64]| -0.5 * row.iter().map(|x| x * x).sum::<f64>() - constant;
    Ok(rows.chunks(D).map(log_p).collect())
}

pub fn judge(score: Score) -> Judgement {
    let tape = Tape::new();
    let input = tape.input(Shape::Vector(1));
    let given = given_formula(&tape, &[input], "a score", || score(input.at(0)))?;
    let space = Space::reals(input);
    let scored = |log_p: &[f64]| space.numbers(&[given], log_p).swap_remove(0);
    // Rows of a second seed beside them: what was fitted to the first ones shows there.
    let kinds =
        [(1.0, SEED), (0.8, SEED + 1), (1.25, SEED + 2), (1.0, SEED + 3), (0.8, SEED + 4), (1.25, SEED + 5)]
            .into_iter()
            .map(|(deviation, seed)| drawn(deviation, seed))
            .collect::<Result<Vec<_>, _>>()
            .map_err(|error| NotYet::new(error.to_string()))?;
    let scores: Vec<Vec<f64>> = kinds.iter().map(|log_p| scored(log_p)).collect();
    for (scores, log_p) in scores.iter().zip(&kinds) {
        if let Some(k) = scores.iter().position(|score| !score.is_finite()) {
            return Err(
                NotYet::new("a score is not a number.").because(format!("at ln p = {}", shown(log_p[k])))
            );
        }
    }
    // The smaller of the two draws.
    let areas = [1, 2].map(|k| auc(&scores[0], &scores[k]).min(auc(&scores[3], &scores[3 + k])));
    let negated = |k: usize| kinds[k].iter().map(|value| -value).collect::<Vec<f64>>();
    let plain = [1, 2].map(|k| auc(&negated(0), &negated(k)));
    if areas.iter().all(|area| *area > ENOUGH) {
        let evidence =
            || Evidence::Checked { points: 4 * ROWS, worst: 0.0, tolerance: 0.0, seed: Some(SEED) };
        let told =
            |name: &str, k: usize| format!("AUC of {name} rows: {:.3}; by -ln p {:.3}", areas[k], plain[k]);
        return Ok(Passed::new("both ends of the histogram are found.")
            .with(told("tame", 0), evidence())
            .with(told("wild", 1), evidence()));
    }
    let entropy = 0.5 * D as f64 * (2.0 * PI * E).ln();
    let lacking = if areas[0] <= ENOUGH { "tame" } else { "wild" };
    let told = NotYet::new(format!("{lacking} rows are not told from usual ones.")).because(format!(
        "AUC of tame rows: {:.3}, of wild rows: {:.3}; asked: above {ENOUGH} for both",
        areas[0], areas[1]
    ));
    // Where the score is lowest: there a row counts as most usual.
    let line: Vec<f64> = (0..=600).map(|k| -entropy - 60.0 + 0.2 * f64::from(k)).collect();
    let scores = scored(&line);
    let lowest = (0..line.len()).fold(0, |best, k| if scores[k] < scores[best] { k } else { best });
    let deviation = (0.5 * D as f64).sqrt();
    let usual = format!("ln p of usual rows is {:.1} ± {deviation:.1}.", -entropy);
    Err(if scores.iter().all(|score| *score == scores[0]) {
        told.because("It is the same number for all ln p.").advise("Let it rise, the stranger a row.")
    } else if lowest == line.len() - 1 {
        let falls = scores.windows(2).all(|pair| pair[1] <= pair[0]);
        let how = if falls {
            "It falls with ln p, up to the highest"
        } else {
            "It is lowest where ln p is highest"
        };
        told.because(format!("{how}: the likeliest row counts as the most usual."))
            .because(usual)
            .advise("Too likely is strange as well: let it be lowest where usual rows are.")
    } else if lowest == 0 {
        told.because("It is lowest where ln p is lowest: the least likely row counts as the most usual.")
            .because(usual)
            .advise("A high score says strange.")
    } else {
        told.because(format!("It is lowest at ln p = {:.1}.", line[lowest]))
            .because(usual)
            .advise("Let it be lowest where usual rows are, and rise on both sides.")
    })
}
