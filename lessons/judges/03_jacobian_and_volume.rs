//! Exercise 3: a linear map with a given side and a given area.

use pushforward::lesson::exercise::{Exercise, Judgement, NotYet, Passed, Sameness, compared, recorded};
use pushforward::lesson::values;
use pushforward::prelude::*;

pub const EXERCISE: Exercise = Exercise {
    number: 3,
    slug: "03_jacobian_and_volume",
    question: "Write a map of the plane that takes the unit square to a parallelogram of area 3, with (0, 0) where it is \
               and (1, 0) moved to (2, 1).",
    proof: "The judge maps the two corners, derives |det J| and asks whether it is 3 at every z.",
    hints: [
        "A linear map is x₁ = a·z₁ + b·z₂, x₂ = c·z₁ + d·z₂. Where does it take (1, 0)?",
        "(1, 0) goes to (a, c), the first column of J: a = 2 and c = 1. And det J = a·d - b·c.",
        "2·d - b is to be 3 or -3: for instance b = 1 and d = 2.",
    ],
};

/// What the learner writes.
pub type Map = for<'t> fn(Var<'t>) -> Var<'t>;

struct Answer(Map);

impl Bijection for Answer {
    fn dim(&self) -> usize {
        2
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        (self.0)(z)
    }
}

pub fn judge(f: Map) -> Judgement {
    let recording = recorded(&Answer(f), 2)?;
    let (tape, z, x) = (recording.tape(), recording.input(), recording.output());
    let corners = values(tape, z, &[x], &[0.0, 0.0, 1.0, 0.0, 0.0, 1.0]).swap_remove(0);
    let near = |k: usize, point: [f64; 2]| (0..2).all(|i| (corners[2 * k + i] - point[i]).abs() < 1e-12);
    let shown = |k: usize| format!("({}, {})", corners[2 * k], corners[2 * k + 1]);
    if !near(0, [0.0, 0.0]) {
        return Err(NotYet::new("(0, 0) does not stay.").because(format!("f takes it to {}.", shown(0))));
    }
    if !near(1, [2.0, 1.0]) {
        let told = NotYet::new("(1, 0) goes elsewhere.").because(format!("f takes it to {}.", shown(1)));
        return Err(match (near(2, [2.0, 1.0]), near(1, [2.0, corners[3]])) {
            (true, _) => told.advise(
                "It is (0, 1) that you take to (2, 1). The images of (1, 0) and (0, 1) are the columns of J, not its rows.",
            ),
            (false, true) => told.advise("Its x₁ is right. What z₁ adds to x₂ is the other number of that column."),
            _ => told.advise("The image of (1, 0) is the first column of J."),
        });
    }
    let evidence = match compared(tape, z, recording.log_det(), tape.constant(3f64.ln()), Domain::Reals) {
        Sameness::Same(evidence) => evidence,
        Sameness::Apart { at, given, .. } => {
            let told = NotYet::new("the area is another one.").because(format!(
                "At z = ({:.4}, {:.4}): |det J| = {:.4}.",
                at[0],
                at[1],
                given[0].exp()
            ));
            let elsewhere = values(tape, z, &[recording.log_det()], &[0.1, 0.2, 0.9, -0.4]);
            let curved = (elsewhere[0][0] - elsewhere[0][1]).abs() > 1e-9;
            return Err(match curved {
                true => told
                    .because(format!(
                        "At z = (0.1, 0.2) it is {:.4}: your map is curved.",
                        elsewhere[0][0].exp()
                    ))
                    .advise("A parallelogram is the image of a square under a linear map."),
                false => told.advise("det J = a·d - b·c, with the columns (a, c) and (b, d) of J."),
            });
        }
    };
    Ok(Passed::new("a parallelogram of area 3.")
        .with(format!("(1, 0) goes to {}, (0, 1) to {}", shown(1), shown(2)), checked())
        .with("|det J| = 3 for all z", evidence))
}

fn checked() -> Evidence {
    Evidence::Checked { points: 2, worst: 0.0, tolerance: 0.0, seed: None }
}
