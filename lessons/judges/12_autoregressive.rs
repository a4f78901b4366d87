//! Exercise 12: the two masks of a masked network.

use pushforward::prelude::*;
use pushforward_course::exercise::{
    Comparison, Exercise, Judgement, NotYet, Passed, Space, compared, recorded,
};

pub const EXERCISE: Exercise = Exercise {
    number: 12,
    slug: "12_autoregressive",
    question: "Three variables and four hidden units of the degrees 1, 1, 2, 2. Write the two masks of a \
               network in which output i depends on the inputs before i, on all of them and on nothing else.",
    proof: "The judge multiplies weights by your masks in x = z + V·tanh(W z), for all weights: J must be \
            lower triangular and ln|det J| = 0, each unit must keep to its degree, and no allowed dependence \
            may be missing.",
    hints: [
        "The input zⱼ has the degree j. A hidden unit of degree m may read the inputs of degree at most m.",
        "The output i may read the hidden units of degree below i: strictly, or it would depend on its own \
         input.",
        "hidden: two rows (1, 0, 0), two rows (1, 1, 0). outputs: (0, 0, 0, 0), (1, 1, 0, 0), (1, 1, 1, 1).",
    ],
};

/// Which inputs each hidden unit reads, and which hidden units each output reads.
pub type Masks = ([[f64; 3]; 4], [[f64; 4]; 3]);

const DEGREES: [usize; 4] = [1, 1, 2, 2];

struct Masked(Masks);

impl Bijection for Masked {
    fn dim(&self) -> usize {
        3
    }
    fn structure(&self) -> Structure {
        Structure::LowerTriangular
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let tape = z.tape();
        let hidden = tape.parameter("W", Shape::Matrix(4, 3), Init::Constant(0.5));
        let outputs = tape.parameter("V", Shape::Matrix(3, 4), Init::Constant(0.5));
        let hidden = hidden * tape.matrix(4, 3, self.0.0.as_flattened());
        let outputs = outputs * tape.matrix(3, 4, self.0.1.as_flattened());
        z + outputs.matvec(hidden.matvec(z).tanh())
    }
}

pub fn judge(masks: fn() -> Masks) -> Judgement {
    let (hidden, outputs) = masks();
    if (0..32).any(|_| masks() != (hidden, outputs)) {
        return Err(NotYet::new("your code records different programs at different calls."));
    }
    let entries = hidden.as_flattened().iter().chain(outputs.as_flattened());
    if let Some(entry) = entries.into_iter().find(|entry| **entry != 0.0 && **entry != 1.0) {
        return Err(
            NotYet::new("a mask holds 0 and 1 and nothing else.").because(format!("yours holds {entry}"))
        );
    }
    // The hidden unit through which output i depends on input j.
    let through = |i: usize, j: usize| (0..4).find(|k| outputs[i][*k] == 1.0 && hidden[*k][j] == 1.0);
    let pairs = || (0..3).flat_map(|i| (0..3).map(move |j| (i, j)));
    if let Some((i, j, k)) = pairs().filter(|(i, j)| j >= i).find_map(|(i, j)| Some((i, j, through(i, j)?))) {
        let told =
            NotYet::new(format!("output {} depends on input {}, which is not before it.", i + 1, j + 1))
                .because(format!(
                    "z{} → hidden unit {} (degree {}) → output {}",
                    j + 1,
                    k + 1,
                    DEGREES[k],
                    i + 1
                ));
        return Err(match (hidden[k][j] == 1.0 && j + 1 > DEGREES[k], i == j) {
            (true, _) => told.advise(format!(
                "A hidden unit of degree {} may read inputs up to {} only: mend the first mask.",
                DEGREES[k], DEGREES[k]
            )),
            (false, true) => {
                told.because("Then x is no longer z plus what came before, and ln|det J| is not 0.").advise(
                    "An output reads units of a degree below its own, not equal to it: mend the second mask.",
                )
            }
            (false, false) => {
                told.advise("An output reads units of a degree below its own: mend the second mask.")
            }
        });
    }
    let unit = |k: usize| format!("hidden unit {} (degree {})", k + 1, DEGREES[k]);
    if let Some((k, j)) = (0..4)
        .flat_map(|k| (0..3).map(move |j| (k, j)))
        .find(|(k, j)| hidden[*k][*j] == 1.0 && j + 1 > DEGREES[*k])
    {
        return Err(NotYet::new(format!("{} reads input {}.", unit(k), j + 1))
            .because(
                "No output depends on it that must not, but the degree no longer says what the unit reads.",
            )
            .advise(format!("A hidden unit of degree {} may read inputs up to {0} only.", DEGREES[k])));
    }
    if let Some((i, k)) = (0..3)
        .flat_map(|i| (0..4).map(move |k| (i, k)))
        .find(|(i, k)| outputs[*i][*k] == 1.0 && DEGREES[*k] > *i)
    {
        return Err(NotYet::new(format!("output {} reads {}.", i + 1, unit(k)))
            .because("With these masks that unit reads nothing that it must not, but its degree allows it.")
            .advise("An output reads units of a degree below its own."));
    }
    if let Some((i, j)) = pairs().find(|(i, j)| j < i && through(*i, *j).is_none()) {
        return Err(NotYet::new(format!("output {} no longer depends on input {}.", i + 1, j + 1))
            .because(
                "No dependence is wrong, but an allowed one is missing: the layer can express less than \
                      it could.",
            )
            .advise("Look for a hidden unit that may read this input and be read by this output."));
    }
    let recording = recorded(&Masked((hidden, outputs)))?;
    let (tape, z) = (recording.tape(), recording.input());
    let reason = "no path leads where the structure has a zero".to_string();
    match compared(&Space::reals(z), recording.log_det(), tape.constant(0.0)) {
        Comparison::Equal(evidence) => Ok(Passed::new("the masks are those of an autoregressive network.")
            .with("J is lower triangular, for all weights", Evidence::Proven { reason })
            .with("ln|det J| = 0", evidence)),
        Comparison::Different { .. } => Err(NotYet::new("an output depends on its own input.")),
    }
}
