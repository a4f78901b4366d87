//! Exercise 1: a map that gives x a density that was asked for.

use pushforward::prelude::*;
use pushforward_course::exercise::{
    Answer, Comparison, Exercise, Judgement, NotYet, Passed, Pieces, Probes, Space, compared, recorded, shown,
};

pub const EXERCISE: Exercise = Exercise {
    number: 1,
    slug: "01_change_of_variables",
    question: "z is uniform on (0, 1). Write a map x = f(z) onto (0, 1) that gives x the density p(x) = 2x: nothing \
               near 0, twice as much as before near 1.",
    proof: "The judge derives df/dz, asks whether 1/|df/dz| is 2·f(z), and follows x along all of (0, 1): it \
            must take every value once.",
    hints: [
        "p(x) = 1/|df/dz|, and it is to be 2x = 2·f(z). So f′(z)·2·f(z) = 1.",
        "The left side of f′·2f = 1 is the derivative of f². So f(z)² is z, up to a constant.",
        "f(z)² = z, and 0 is to go to 0: f is the square root, z.sqrt().",
    ],
};

/// What the learner writes.
pub type Map = for<'t> fn(Var<'t>) -> Var<'t>;

const UNIT: Domain = Domain::Interval { lower: 0.0, upper: 1.0 };

pub fn judge(f: Map) -> Judgement {
    let answer = Answer::of_map(f, 1, Structure::Diagonal, UNIT)?;
    let recording = recorded(&answer)?;
    let (z, x) = (recording.input(), recording.output());
    let space = Space::of(z, UNIT);
    let probes = Probes::of(&space, &[x]);
    let line = probes.along(1, 0).next().expect("one variable has a line");
    let images = space.numbers(&[x], line).swap_remove(0);
    if let Some(k) = images.iter().position(|x| !(0.0..=1.0).contains(x)) {
        return Err(NotYet::new("x leaves (0, 1).")
            .because(format!("f takes z = {} to x = {}.", shown(line[k]), shown(images[k])))
            .advise("p(x) = 2x has mass 1 on (0, 1), so all of x must lie there."));
    }
    let (given, asked) = (-recording.log_det(), (2.0 * x.at(0)).ln());
    let density =
        match compared(&space, given, asked) {
            Comparison::Equal(evidence) => evidence,
            Comparison::Different { at, given, asked } => {
                // Where f turns its slope is 0, and what is wrong is that it turns.
                if given[0].is_infinite() {
                    apart_from_one_another(&pieces(line, &images))?;
                }
                let image = space.numbers(&[x], &at)[0][0];
                let told = NotYet::new("x has another density.").because(format!(
                    "At z = {}, x = {}: p(x) = 1/|df/dz| = {}, but 2x = {}.",
                    shown(at[0]),
                    shown(image),
                    shown(given[0].exp()),
                    shown(asked[0].exp())
                ));
                return Err(match compared(&space, x.at(0), z.at(0).powi(2)).holds() {
                true => told.advise(
                    "z² is the inverse: it takes an x of density 2x to a uniform z. You are to write the map \
                     from z to x.",
                ),
                false => told.advise("Where p is to be high, f must be flat: there many z have nearby \
                                      images."),
            });
            }
        };
    let pieces = pieces(line, &images);
    apart_from_one_another(&pieces)?;
    filling(&pieces)?;
    let statement = match pieces.ends().len() {
        1 => "every x in (0, 1) comes from one z".to_string(),
        _ => format!(
            "every x in (0, 1) comes from one z, in {} pieces that do not overlap",
            pieces.ends().len()
        ),
    };
    let followed = Evidence::Checked { points: images.len(), worst: 0.0, tolerance: 0.0, seed: None };
    Ok(Passed::new("x has the density 2x.")
        .with("1/|df/dz| = 2·f(z) for z in (0, 1)", density)
        .with(statement, followed))
}

/// x² moves as fast as z where 1/|df/dz| is 2·f(z).
fn pieces(line: &[f64], images: &[f64]) -> Pieces {
    Pieces::of(line, &images.iter().map(|x| x * x).collect::<Vec<_>>())
}

/// That no two pieces overlap: there two z go to one x.
fn apart_from_one_another(pieces: &Pieces) -> Result<(), NotYet> {
    match pieces.twice() {
        Some(share) => Err(NotYet::new("two z go to one x.")
            .because(format!("x = {} is reached twice: both add to its density there.", shown(share.sqrt())))
            .advise("The slope is as it should be; let each x come from one z.")),
        None => Ok(()),
    }
}

/// That the pieces fill (0, 1).
fn filling(pieces: &Pieces) -> Result<(), NotYet> {
    if pieces.fill() {
        return Ok(());
    }
    let ends = |[low, high]: &[f64; 2]| format!("{} to {}", shown(low.sqrt()), shown(high.sqrt()));
    let told: Vec<String> = pieces.ends().iter().take(3).map(ends).collect();
    Err(NotYet::new("the images fill only a part of (0, 1).")
        .because(format!("They lie from {}.", told.join(" and from "))))
}
