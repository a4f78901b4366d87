//! Exercise 3: a linear map with a given side and a given area.

use pushforward::prelude::*;
use pushforward_course::exercise::{
    Answer, Comparison, Exercise, Judgement, NotYet, Passed, Space, compared, place, recorded, shown,
};

pub const EXERCISE: Exercise = Exercise {
    number: 3,
    slug: "03_jacobian_and_volume",
    question: "Write a linear map of the plane that takes the unit square to a parallelogram of area 3, with (0, 0) where it is \
               and (1, 0) moved to (2, 1).",
    proof: "The judge maps the corners, asks whether the map is linear and |det J| = 3.",
    hints: [
        "A linear map is x₁ = a·z₁ + b·z₂, x₂ = c·z₁ + d·z₂. Where does it take (1, 0)?",
        "(1, 0) goes to (a, c), the first column of J: a = 2 and c = 1. And det J = a·d - b·c.",
        "2·d - b is to be 3 or -3: for instance b = 1 and d = 2.",
    ],
};

/// What the learner writes.
pub type Map = for<'t> fn(Var<'t>) -> Var<'t>;

pub fn judge(f: Map) -> Judgement {
    let answer = Answer::of_map(f, 2, Structure::Dense, Domain::Reals)?;
    let recording = recorded(&answer)?;
    let (z, x) = (recording.input(), recording.output());
    let space = Space::reals(z);
    let corners = space.numbers(&[x], &[0.0, 0.0, 1.0, 0.0, 0.0, 1.0]).swap_remove(0);
    let near = |k: usize, point: [f64; 2]| (0..2).all(|i| (corners[2 * k + i] - point[i]).abs() < 1e-12);
    let corner = |k: usize| format!("({}, {})", corners[2 * k], corners[2 * k + 1]);
    if !near(0, [0.0, 0.0]) {
        return Err(NotYet::new("(0, 0) does not stay.").because(format!("f takes it to {}.", corner(0))));
    }
    if !near(1, [2.0, 1.0]) {
        let told = NotYet::new("(1, 0) goes elsewhere.").because(format!("f takes it to {}.", corner(1)));
        return Err(match (near(2, [2.0, 1.0]), near(1, [2.0, corners[3]])) {
            (true, _) => told.advise(
                "It is (0, 1) that you take to (2, 1). The images of (1, 0) and (0, 1) are the columns of J, not its rows.",
            ),
            (false, true) => told.advise("Its x₁ is right. What z₁ adds to x₂ is the other number of that column."),
            _ => told.advise("The image of (1, 0) is the first column of J."),
        });
    }
    // The linear map that takes (0, 1) to the same place.
    let [b, d] = [corners[4], corners[5]];
    let linear = stack([2.0 * z.at(0) + b * z.at(1), z.at(0) + d * z.at(1)]);
    let evidence = match compared(&space, x, linear) {
        Comparison::Equal(evidence) => evidence,
        Comparison::Different { at, given, asked } => {
            return Err(NotYet::new("your map is curved.")
                .because(format!("It takes (1, 0) to (2, 1) and (0, 1) to {}.", corner(2)))
                .because(format!(
                    "A linear map would then take {} to {}; yours takes it to {}.",
                    place(&at),
                    place(&asked),
                    place(&given)
                ))
                .advise("A parallelogram is the image of a square under a linear map."));
        }
    };
    let area = (2.0 * d - b).abs();
    if (area - 3.0).abs() > 1e-12 {
        return Err(NotYet::new("the area is another one.")
            .because(format!("|det J| = {}", shown(area)))
            .advise("det J = a·d - b·c, with the columns (a, c) and (b, d) of J."));
    }
    Ok(Passed::new("a parallelogram of area 3.")
        .with(
            format!("x is linear, with (1, 0) going to (2, 1) and (0, 1) to {}", corner(2)),
            evidence.clone(),
        )
        .with("|det J| = 3 for all z", evidence))
}
