//! Lesson 9: write forward, get the rest.

use pushforward::audit::Topic;
use pushforward::bijection::{BijectionError, derived_inverse};
use pushforward::prelude::*;
use pushforward::sweep::simplify::Rule;
use pushforward_course::{Lesson, Page, equation, values};

#[path = "judges/09_write_forward_get_the_rest.rs"]
pub mod judge;

/// What the page shows of `Unseen`.
const FORWARD: &str = "fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
    let (z1, z2, z3) = (z.at(0), z.at(1), z.at(2));
    stack([
        z1,
        (z2 + z1.cos()) * (-z1.sin()).exp(),
        z3 * (z1 * z2).softplus() - (z1 + z2).tanh(),
    ])
}";

/// A layer from no paper. Each variable is transformed depending on the ones before it.
struct Unseen;

impl Bijection for Unseen {
    fn dim(&self) -> usize {
        3
    }
    fn structure(&self) -> Structure {
        Structure::LowerTriangular
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let (z1, z2, z3) = (z.at(0), z.at(1), z.at(2));
        stack([z1, (z2 + z1.cos()) * (-z1.sin()).exp(), z3 * (z1 * z2).softplus() - (z1 + z2).tanh()])
    }
}

/// The same with tanh where softplus was: the factor of z₃ can be 0.
struct Careless;

impl Bijection for Careless {
    fn dim(&self) -> usize {
        3
    }
    fn structure(&self) -> Structure {
        Structure::LowerTriangular
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let (z1, z2, z3) = (z.at(0), z.at(1), z.at(2));
        stack([z1, (z2 + z1.cos()) * (-z1.sin()).exp(), z3 * (z1 * z2).tanh() - (z1 + z2).tanh()])
    }
}

/// x = z + ½·sin z: one-to-one, but z stands in it twice.
struct Wave;

impl Bijection for Wave {
    fn dim(&self) -> usize {
        1
    }
    fn structure(&self) -> Structure {
        Structure::Diagonal
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z + 0.5 * z.sin()
    }
}

/// x = z + 1½·sin z: it turns back on itself.
struct Wilder;

impl Bijection for Wilder {
    fn dim(&self) -> usize {
        1
    }
    fn structure(&self) -> Structure {
        Structure::Diagonal
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z + 1.5 * z.sin()
    }
}

/// The lesson: run on its own, from the front page, or into the book.
pub const LESSON: Lesson = Lesson {
    number: 9,
    slug: "09_write_forward_get_the_rest",
    title: "Write forward, get the rest",
    about: "proof, log-determinant, inverse: derived",
    exercise: &judge::EXERCISE,
    seconds: 1.0,
    trained: &[],
    needs: &[7],
    tell,
};

fn tell(page: &mut Page) -> Result<(), Box<dyn std::error::Error>> {
    page.question(
        "Papers on flows give three formulas for each layer: the map, its log-determinant, its inverse. How \
         many of them does a layer need?",
    );
    page.predict(
        "Here is a layer that no paper has. Before you read on, write down its log-determinant: x₁ = z₁, \
         x₂ = (z₂ + cos z₁)·exp(-sin z₁), x₃ = z₃·softplus(z₁z₂) - tanh(z₁ + z₂).",
    );

    page.heading("By hand, one line of it");
    page.prose(
        "Take x₂ alone. z₂ is shifted by cos z₁ and then multiplied by exp(-sin z₁). Shifts do not stretch, \
         so its slope is exp(-sin z₁), and the logarithm of that is -sin z₁. For the inverse: divide first, \
         then subtract cos z₁. None of these rules is specific to this layer.",
    );

    page.heading("One formula in");
    page.prose("Its code is the map and nothing else:");
    page.listing(FORWARD);
    page.prose("This is what follows from it:");
    let derivation = derive(&Unseen)?;
    page.derivation(&derivation);
    page.prose(
        "None of this was typed in. The Jacobian is derived on the tape by tangents, the zeros above its \
         diagonal are proven by following dependences, and intervals that hold for all inputs show every \
         entry of the diagonal to be positive.",
    );
    page.check_that(
        "the derivation is the same when it is made again",
        derive(&Unseen)? == derivation,
        "two derivations of one layer differ",
    );

    page.heading("Step by step");
    let recording = record(&Unseen)?;
    page.prose(format!(
        "Between the sum of logarithms on the diagonal and the formula you would print there are steps, each \
         by one of {} rules. A rule holds for all real numbers, and its condition is proven before it is \
         used: |a| becomes a only where a ≥ 0 for all inputs. These {} were used here:",
        Rule::all().count(),
        recording.layers()[0].rules.len()
    ));
    let rows = recording.layers()[0].rules.iter().map(|rule| {
        vec![rule.name().to_string(), rule.statement().to_string(), rule.condition().to_string()]
    });
    page.table(&["rule", "says", "if"], rows.collect());
    let (tape, z) = (recording.tape(), recording.input());
    let layer = &recording.layers()[0];
    page.formula(equation("ln|det J|", tape.var(layer.log_det), &[(z, "z")]));
    let point = [0.4, -1.1, 2.0];
    let derived = values(tape, z, &[recording.log_det()], &point)[0][0];
    let softplus = (0.4f64 * -1.1).exp().ln_1p();
    page.check_close(
        "at (0.4, -1.1, 2) it is -sin 0.4 + ln softplus(-0.44), calculated by hand",
        derived,
        -(0.4f64.sin()) + softplus.ln(),
        1e-14,
    );

    page.heading("And is it true?");
    page.prose(
        "An audit checks all this by other means: LU of whole Jacobians, differences, round trips. «forward \
         is pure» means that it records the same program when it is called again.",
    );
    let report = audit(&Unseen)?;
    page.audit(&report);
    let proven = |topic: Topic| report.claim(topic).is_some_and(|claim| claim.evidence.label() == "proven");
    page.check_that(
        "that it is one-to-one and onto is proven, not only tried",
        proven(Topic::Injective) && proven(Topic::Structure),
        "a claim is not proven",
    );

    page.heading("Where it ends");
    page.prose(
        "Put tanh in the place of softplus, and the factor of z₃ is 0 wherever z₁z₂ is. The rest of the program is the \
         same; the proof is gone, and two points show why:",
    );
    let careless = audit(&Careless)?;
    page.report(&careless);
    page.check_that("the careless layer is refuted", !careless.has_no_refutation(), "nothing was refuted");
    page.prose(
        "Two lines of it seem to contradict each other: det J changes sign, and yet f⁻¹(f(z)) = z is proven. \
         The proof holds wherever f⁻¹ is defined, and f⁻¹ divides by tanh(z₁z₂). Where z₁z₂ is not 0, x₁ and \
         x₂ give z₁ and z₂ back and then x₃ gives z₃, so no two such points collide. Where z₁z₂ is 0, x₃ \
         does not depend on z₃ at all: a whole line is mapped to one point. Random points almost never lie \
         there, so the audit did not find the collision. By hand, with z₁ = 0 and z₂ = 1:",
    );
    let recording = record(&Careless)?;
    let rows = [0.0, 1.0, 0.0, 0.0, 1.0, 5.0];
    let x = values(recording.tape(), recording.input(), &[recording.output()], &rows).swap_remove(0);
    let told = |row: &[f64]| format!("({:.4}, {:.4}, {:.4})", row[0], row[1], row[2]);
    page.table(&["z", "x"], rows.chunks(3).zip(x.chunks(3)).map(|(z, x)| vec![told(z), told(x)]).collect());
    page.check_that("(0, 1, 0) and (0, 1, 5) are mapped to one point", x[..3] == x[3..], format!("{x:?}"));
    page.prose(
        "And x = z + ½·sin z contains its variable twice, so it cannot be inverted operation by operation. \
         But its slope 1 + ½·cos z is above 0 for all z, which the bounds prove; so the inverse is an \
         equation that Newton's method solves between brackets, from any start. solve(…) denotes the number \
         ζ (zeta) that satisfies the equation in it:",
    );
    let tape = Tape::new();
    let x = tape.input(Shape::Vector(1));
    let z = derived_inverse(&Wave, x)?;
    page.formula(equation("z", z, &[(x, "x")]));
    let back = values(&tape, x, &[z], &[2.5 + 0.5 * 2.5f64.sin(), 1e6 + 0.5 * 1e6f64.sin()]);
    page.check_close("the image of 2.5 is mapped back to 2.5", back[0][0], 2.5, 1e-14);
    page.check_close("and so does that of a million", back[0][1], 1e6, 1e-9);
    let wave = audit(&Wave)?;
    let onto = wave.claim(Topic::Injective).is_some_and(|claim| claim.evidence.label() == "proven");
    page.check_that("that it maps ℝ one-to-one onto ℝ is proven", onto, "bounds did not prove it");
    page.prose("With 1½·sin z in its place the slope changes sign. Then no inverse is derived:");
    let x = tape.input(Shape::Vector(1));
    page.note(match derived_inverse(&Wilder, x) {
        Err(BijectionError::NoInverse { reason, .. }) => format!("no inverse can be derived, since {reason}"),
        Err(error) => return Err(error.into()),
        Ok(_) => return Err("an inverse of a map that is not one-to-one".into()),
    });
    let report = audit(&Wilder)?;
    let injective = report.claim(Topic::Injective).ok_or("the audit ended early")?;
    page.check_that(
        "two points have one image: there is no inverse, and none can be written by hand",
        matches!(injective.evidence, Evidence::Refuted { .. }),
        injective.evidence.to_string(),
    );

    page.heading("In general");
    page.prose(
        "Each variable passes through a chain of operations whose parameters depend on earlier variables \
         only. The slope is the product of the slopes along the chain; the inverse is the chain run \
         backwards. Both can be read off the recording of f, for any f of that kind.",
    );

    page.heading("What people get wrong");
    page.misconception(
        "\"Log-determinants must be done by hand.\" Errors are made by hand: a sign, a missing |·|, a sum \
         over the wrong axis. Write the map; derive the rest.",
    );
    page.note(
        "A derivation is the same to the byte wherever it is made. One line of a test keeps a text and its \
         mathematics consistent: insta::assert_snapshot!(derive(&Unseen)?).",
    );
    page.exercise(&judge::EXERCISE);
    page.read_on("Griewank and Walther, \"Evaluating Derivatives\" (2008), chapter 3; Papamakarios et al. (2021), section 3.");
    page.next("10_invertibility_is_architecture: can a network learn to be invertible?");
    Ok(())
}
