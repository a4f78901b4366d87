//! Exercise 6: the share of each layer, at its own input.

use pushforward::bijection::forward_with_log_det;
use pushforward::prelude::*;
use pushforward_course::exercise::{
    Comparison, Exercise, Judgement, NotYet, Passed, Space, apart, compared, derived_log_det, formula,
    given_formula, shown,
};

pub const EXERCISE: Exercise = Exercise {
    number: 6,
    slug: "06_chain_rule_of_determinants",
    question: "Three layers of one variable, one after another: f_1(z) = 3z, then f_2(y) = y + y³, then f_3(y) = sinh y. \
               Write the three terms of ln|df/dz|, each as a formula in the first z.",
    proof: "The judge derives the term of each layer at its own input and compares it with yours.",
    hints: [
        "Give the inputs of the layers names: z, then y = 3z, then w = y + y³.",
        "f_2 has the slope 1 + 3y² and f_3 has cosh w. Each is taken at the input of its own layer.",
        "let y = 3.0 * z; let w = y + y.powi(3); and then [three.ln(), (1.0 + 3.0 * y.powi(2)).ln(), w.cosh().ln()].",
    ],
};

/// What the learner writes.
pub type Terms = for<'t> fn(Var<'t>) -> [Var<'t>; 3];

struct Layer(usize);

impl Bijection for Layer {
    fn dim(&self) -> usize {
        1
    }
    fn structure(&self) -> Structure {
        Structure::Diagonal
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        match self.0 {
            0 => 3.0 * z,
            1 => z + z.powi(3),
            _ => z.sinh(),
        }
    }
}

pub fn judge(terms: Terms) -> Judgement {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(1));
    let space = Space::reals(z);
    let mut given = Vec::new();
    for k in 0..3 {
        let name = format!("ln|f_{}′|", k + 1);
        given.push(given_formula(&tape, &[z], &name, || terms(z.at(0))[k])?);
    }
    let mut passed = Passed::new("each term is taken where its layer stands.");
    let mut input = z;
    for (k, given) in given.into_iter().enumerate() {
        let name = format!("ln|f_{}′|", k + 1);
        let pushed =
            forward_with_log_det(&Layer(k), input).map_err(|error| NotYet::new(error.to_string()))?;
        let asked = pushed.log_det;
        match compared(&space, given, asked) {
            Comparison::Equal(evidence) => {
                passed = passed.with(format!("{name} = {}", formula(&tape, given, z, "z")), evidence);
            }
            Comparison::Different { at, given: mine, asked: right } => {
                let at_z = derived_log_det(&Layer(k), z)?;
                let [yours, derived] = apart(mine[0], right[0]);
                let told = NotYet::new(format!("{name} is another term."))
                    .because(format!("yours: {}", formula(&tape, given, z, "z")))
                    .because(format!(
                        "At z = {} yours is {}, derived it is {}.",
                        shown(at[0]),
                        yours,
                        derived
                    ));
                let slope = compared(&space, given, asked.exp()).holds();
                return Err(match (compared(&space, given, at_z).holds(), slope) {
                    (true, _) => told.advise(format!(
                        "Yours is the term of f_{} at z. Its own input is not z but what the layers before it make of z.",
                        k + 1
                    )),
                    (_, true) => told.advise("That is the slope; the term is its logarithm."),
                    _ => told.advise(format!(
                        "It is ln of the slope of f_{}, taken at what the layers before it make of z.",
                        k + 1
                    )),
                });
            }
        }
        input = Layer(k).forward(input);
    }
    Ok(passed)
}
