//! Exercise 1: a map that gives x a density that was asked for.

use pushforward::lesson::exercise::{
    Exercise, Judgement, NotYet, Passed, Sameness, compared, recorded, same_map,
};
use pushforward::lesson::values;
use pushforward::prelude::*;

pub const EXERCISE: Exercise = Exercise {
    number: 1,
    slug: "01_change_of_variables",
    question: "z is uniform on (0, 1). Write a map x = f(z) onto (0, 1) that gives x the density p(x) = 2x: nothing \
               near 0, twice as much as before near 1.",
    proof: "The judge derives df/dz and asks whether 1/|df/dz| is 2·f(z), for all z.",
    hints: [
        "p(x) = 1/|df/dz|, and it is to be 2x = 2·f(z). So f′(z)·2·f(z) = 1.",
        "The left side of f′·2f = 1 is the derivative of f². So f(z)² is z, up to a constant.",
        "f(z)² = z, and 0 is to go to 0: f is the square root, z.sqrt().",
    ],
};

/// What the learner writes.
pub type Map = for<'t> fn(Var<'t>) -> Var<'t>;

struct Answer(Map);

impl Bijection for Answer {
    fn dim(&self) -> usize {
        1
    }
    fn structure(&self) -> Structure {
        Structure::Diagonal
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        (self.0)(z)
    }
    fn domain(&self) -> Domain {
        Domain::Interval { lower: 0.0, upper: 1.0 }
    }
}

fn square(z: Var<'_>) -> Var<'_> {
    z.powi(2)
}

pub fn judge(f: Map) -> Judgement {
    let answer = Answer(f);
    let recording = recorded(&answer, 1)?;
    let (tape, z, x) = (recording.tape(), recording.input(), recording.output());
    let mut there: Vec<f64> = (1..40).map(|k| f64::from(k) / 40.0).collect();
    there.extend([1e-6, 1.0 - 1e-6]);
    let images = values(tape, z, &[x], &there).swap_remove(0);
    if let Some(k) = images.iter().position(|x| !(0.0..=1.0).contains(x)) {
        return Err(NotYet::new("x leaves (0, 1).")
            .because(format!("f takes z = {} to x = {:.4}.", there[k], images[k]))
            .advise("p(x) = 2x has mass 1 on (0, 1), so all of x must lie there."));
    }
    let (given, asked) = (-recording.log_det(), (2.0 * x.at(0)).ln());
    let evidence = match compared(tape, z, given, asked, answer.domain()) {
        Sameness::Same(evidence) => evidence,
        Sameness::Apart { at, given, asked } => {
            let image = values(tape, z, &[x], &at)[0][0];
            let told = NotYet::new("x has another density.").because(format!(
                "At z = {:.4}, x = {image:.4}: p(x) = 1/|df/dz| = {:.4}, but 2x = {:.4}.",
                at[0],
                given[0].exp(),
                asked[0].exp()
            ));
            return Err(match same_map(&answer, &Answer(square))? {
                Sameness::Same(_) => told.advise(
                    "z² is the way back: it takes an x of density 2x to a uniform z. You are to write the way from z to x.",
                ),
                Sameness::Apart { .. } => told.advise("Where p is to be high, f must be flat: it gathers there."),
            });
        }
    };
    if (images[39] - images[40]).abs() < 0.99 {
        return Err(NotYet::new("the images fill only a part of (0, 1).")
            .because(format!("They lie between {:.4} and {:.4}.", images[39], images[40])));
    }
    Ok(Passed::new("x has the density 2x.").with("1/|df/dz| = 2·f(z) for z in (0, 1)", evidence))
}
