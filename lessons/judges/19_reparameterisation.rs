//! Exercise 19: a uniform draw, moved to an exponential one.

use pushforward::audit::Topic;
use pushforward::prelude::*;
use pushforward_course::exercise::{
    Answer, Comparison, Exercise, Judgement, NotYet, Passed, Pieces, Probes, Space, compared, recorded, shown,
};

pub const EXERCISE: Exercise = Exercise {
    number: 19,
    slug: "19_reparameterisation",
    question: "ε is uniform on (0, 1). Write z = f(ε) such that z is exponential with rate 3: its density is 3·exp(-3z) for \
               z in (0, ∞), and 0 elsewhere.",
    proof: "The judge derives ln|f′(ε)| and compares -ln|f′(ε)| with ln 3 - 3·f(ε), for every ε in (0, 1); then it asks \
            whether f is one-to-one onto (0, ∞).",
    hints: [
        "ln p(ε) is 0 on (0, 1), so 1/|f′(ε)| must be 3·exp(-3·f(ε)).",
        "|f′|·3·exp(-3f) = 1 says that exp(-3·f(ε)) has the slope 1 or -1, and it is to run through (0, 1).",
        "exp(-3z) = 1 - ε, so z = -ln(1 - ε)/3: -(1.0 - noise).ln() / 3.0. This f is the inverse of the distribution \
         function (the quantile function).",
    ],
};

/// What the learner writes.
pub type Map = for<'t> fn(Var<'t>) -> Var<'t>;

const UNIT: Domain = Domain::Interval { lower: 0.0, upper: 1.0 };
const RATE: f64 = 3.0;

/// The answer as a bijection of (0, 1) onto (0, ∞).
struct Onto(Answer);

impl Bijection for Onto {
    fn dim(&self) -> usize {
        1
    }
    fn structure(&self) -> Structure {
        Structure::Diagonal
    }
    fn forward<'t>(&self, noise: Var<'t>) -> Var<'t> {
        self.0.forward(noise)
    }
    fn domain(&self) -> Domain {
        UNIT
    }
    fn codomain(&self) -> Domain {
        Domain::Positive
    }
    fn name(&self) -> String {
        self.0.name()
    }
}

pub fn judge(f: Map) -> Judgement {
    let answer = Onto(Answer::of_map(f, 1, Structure::Diagonal, UNIT)?);
    let recording = recorded(&answer)?;
    let (noise, z) = (recording.input(), recording.output());
    let space = Space::of(noise, UNIT);
    let probes = Probes::of(&space, &[z]);
    let line = probes.along(1, 0).next().expect("one variable has a line");
    let images = space.numbers(&[z], line).swap_remove(0);
    let below = (0..images.len()).filter(|k| images[*k] < 0.0);
    if let Some(least) = below.min_by(|j, k| images[*j].total_cmp(&images[*k])) {
        let told = NotYet::new("z leaves (0, ∞).").because(format!(
            "Near ε = {}, z is {}.",
            shown(line[least]),
            shown(images[least])
        ));
        return Err(match images.iter().all(|z| *z < 0.0) {
            true => told.advise(
                "Every z of yours is negative, and an exponential z is positive. The logarithm of a number below 1 is \
                 negative, of one above 1 positive.",
            ),
            false => told.advise(
                "An exponential z is positive: f is to go through (0, ∞), and nowhere below 0. A number that is added \
                 moves the density along; it takes a factor to change the rate.",
            ),
        });
    }
    // The share of the mass below z: 1 - exp(-3z).
    let pieces = Pieces::of(line, &images.iter().map(|z| -(-RATE * z).exp_m1()).collect::<Vec<_>>());
    let (rate, log_det) = (recording.tape().constant(RATE), recording.log_det());
    let density = match compared(&space, -log_det, rate.ln() - rate * z.at(0)) {
        // The same equation, solved for z: nothing has to cancel with the 3 then.
        Comparison::Equal(evidence) => match compared(&space, z.at(0), (rate.ln() + log_det) / rate) {
            Comparison::Equal(solved @ Evidence::Proven { .. }) => solved,
            _ => evidence,
        },
        Comparison::Different { at, given, asked } => {
            let told = NotYet::new("z has another density.").because(format!(
                "At ε = {}, z = {}: p(z) = 1/|f′(ε)| = {}, but 3·exp(-3z) = {}.",
                shown(at[0]),
                shown(space.numbers(&[z], &at)[0][0]),
                shown(given[0].exp()),
                shown(asked[0].exp())
            ));
            if given[0] == f64::INFINITY {
                apart_from_one_another(&pieces)?;
                return Err(
                    told.advise("f is flat there: many draws go to one z. Let each z come from one ε.")
                );
            }
            return Err(advised(told, &space, noise.at(0), z.at(0), -log_det));
        }
    };
    let passed = Passed::new(
        "z is exponential with rate 3. The inverse of the distribution function (the quantile function) does this for \
         any density: this is how exponential draws are made.",
    )
        .with("ln|f′(ε)| = 3·f(ε) - ln 3 for ε in (0, 1)", density);
    let report = audit(&answer).map_err(|error| NotYet::new(error.to_string()))?;
    if let Ok(onto) = NotYet::unless(&report, Topic::Injective, true, "") {
        let statement = format!("{} (in the proof, z is your ε and x your z)", onto.statement);
        return Ok(passed.with(statement, onto.evidence));
    }
    apart_from_one_another(&pieces)?;
    if !pieces.fill() {
        let ends =
            |[low, high]: &[f64; 2]| format!("{} to {}", shown(quantile(*low)), shown(quantile(*high)));
        let told: Vec<String> = pieces.ends().iter().take(3).map(ends).collect();
        return Err(NotYet::new("the images fill only a part of (0, ∞).")
            .because(format!("They lie from {}.", told.join(" and from "))));
    }
    let statement = match pieces.ends().len() {
        1 => "every z in (0, ∞) comes from one ε".to_string(),
        count => format!("every z in (0, ∞) comes from one ε, in {count} pieces that do not overlap"),
    };
    let followed = Evidence::Checked { points: images.len(), worst: 0.0, tolerance: 0.0, seed: None };
    Ok(passed.with(statement, followed))
}

/// The z below which this share of the mass lies.
fn quantile(share: f64) -> f64 {
    -(-share).ln_1p() / RATE
}

/// That no z comes from two ε.
fn apart_from_one_another(pieces: &Pieces) -> Result<(), NotYet> {
    let Some(share) = pieces.twice() else { return Ok(()) };
    Err(NotYet::new("two ε go to one z.")
        .because(format!("z = {} is reached twice: both add to its density there.", shown(quantile(share))))
        .advise("The slope is as it should be; let each z come from one ε."))
}

/// With what is known of typical wrong answers.
fn advised<'t>(told: NotYet, space: &Space<'t>, noise: Var<'t>, z: Var<'t>, log_p: Var<'t>) -> NotYet {
    if let Some(rate) = exponential(space, z, log_p) {
        return told.advise(format!(
            "Yours is exponential with rate {}. By which number is z to be multiplied?",
            shown(rate)
        ));
    }
    if compared(space, z, 1.0 - (-RATE * noise).exp()).holds() {
        return told.advise(
            "1 - exp(-3z) is the inverse: it takes an exponential z to a uniform ε. You are to write the map \
             from ε to z.",
        );
    }
    if compared(space, z, RATE * (-RATE * noise).exp()).holds() {
        return told
            .advise("That is the formula of the density. Asked for is z, as a function of the draw ε.");
    }
    if let Some(end) = stops(space, z) {
        return told.advise(format!(
            "f must go through all of (0, ∞): to ∞ at one end of (0, 1), and to 0 at the other. Yours stops at {}.",
            shown(end)
        ));
    }
    told.advise(
        "Where p(z) is to be high, f must be flat: there many draws have nearby images. f must go to \
                 ∞ at one end of (0, 1).",
    )
}

/// The value at which f ends in place of 0, if it goes to ∞ at one end of (0, 1) and to a positive number at the other.
fn stops(space: &Space<'_>, z: Var<'_>) -> Option<f64> {
    let near = [1e-12, 1e-9, 1.0 - 1e-9, 1.0 - 1e-12];
    let [first, second, third, last] =
        <[f64; 4]>::try_from(space.numbers(&[z], &near).swap_remove(0)).ok()?;
    let (end, before, high, beside) =
        if first > last { (last, third, first, second) } else { (first, second, last, third) };
    // What goes on to 0 or to ∞, however slowly, moves by more than this.
    let moves = |value: f64, before: f64| (value - before).abs() > 1e-6 * value;
    (end > 1e-6 && !moves(end, before) && moves(high, beside)).then_some(end)
}

/// The rate of an exponential density that z has, whatever it is: ln p = ln r - r·z.
fn exponential<'t>(space: &Space<'t>, z: Var<'t>, log_p: Var<'t>) -> Option<f64> {
    let numbers = space.numbers(&[z, log_p], &[0.25, 0.75]);
    let rate = (numbers[1][0] - numbers[1][1]) / (numbers[0][1] - numbers[0][0]);
    (rate > 0.0 && rate.is_finite() && compared(space, log_p, rate.ln() - rate * z).holds()).then_some(rate)
}
