//! Exercise 21: a spline of one bin, with straight lines on both sides.

use pushforward::audit::Topic;
use pushforward::jacobian::{jacobian, map};
use pushforward::prelude::*;
use pushforward_course::exercise::{
    Comparison, Exercise, Judgement, NotYet, Passed, Probes, Space, apart, compared, given_formula, place,
    shown,
};

pub const EXERCISE: Exercise = Exercise {
    number: 21,
    slug: "21_splines",
    question: "Finish a spline with one bin: below -1 it is the straight line through (-1, -1) with the slope d0, above 1 the \
               straight line through (1, 1) with the slope d1, and between them an increasing curve that meets both lines \
               without a corner. d0 and d1 may be any numbers above 0.",
    proof: "The judge compares x with each of the lines for all z, d0 and d1, asks for a proof that x is one-to-one onto ℝ for \
            all d0 and d1, and looks for jumps of x and of its slope. Where no proof is found it tries points, and says so.",
    hints: [
        "The bin of the lesson goes from (0, 0) to (1, 1). Yours goes from (-1, -1) to (1, 1): what are u and v, the distances \
         from its ends, and what is its mean slope s?",
        "u = z + 1 and v = 1 - z. The bin is 2 high and 2 wide, so s = 1: x = -1 + 2·N/(N + M) with N = u·(u + d0·v) and M = v·(v + \
         d1·u). select(condition, a, b) is a where the condition holds, and b elsewhere.",
        "select(z.lt(-1.0), -1.0 + d0 * (z + 1.0), select(z.lt(1.0), the bin, 1.0 + d1 * (z - 1.0))).",
    ],
};

/// z, d₀ and d₁ to x: numbers.
pub type Spline = for<'t> fn(Var<'t>, Var<'t>, Var<'t>) -> Var<'t>;

/// The spline as a layer, with learned slopes at the ends.
struct Learned(Spline);

impl Bijection for Learned {
    fn dim(&self) -> usize {
        1
    }
    fn structure(&self) -> Structure {
        Structure::Diagonal
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let slope = |name: &str| z.tape().parameter(name, Shape::Scalar, Init::Constant(0.0)).exp();
        stack([(self.0)(z.at(0), slope("ln d0"), slope("ln d1"))])
    }
}

const BELOW: Domain = Domain::Interval { lower: f64::NEG_INFINITY, upper: -1.0 };
const ABOVE: Domain = Domain::Interval { lower: 1.0, upper: f64::INFINITY };

pub fn judge(spline: Spline) -> Judgement {
    let tape = Tape::new();
    let u = tape.input(Shape::Vector(3));
    let (z, d0, d1) = (u.at(0), u.at(1), u.at(2));
    let x = given_formula(&tape, &[u], "x", || spline(z, d0, d1))?;
    let slope = jacobian(&tape, &map(&tape, u.id(), x.id())).reshape(Shape::Vector(3)).at(0);
    let space = |of: Domain| Space::each(u, &[of, Domain::Positive, Domain::Positive]);
    let left = line(&space(BELOW), x, -1.0 + d0 * (z + 1.0), ["below -1", "d0", "(-1, -1)"])?;
    let right = line(&space(ABOVE), x, 1.0 + d1 * (z - 1.0), ["above 1", "d1", "(1, 1)"])?;
    let rising = rises(&space(Domain::Reals), x, slope)?;
    let smooth = no_corner(spline)?;
    let report = audit(&Learned(spline)).map_err(|error| NotYet::new(error.to_string()))?;
    let claim = report.claim(Topic::Injective).ok_or_else(|| NotYet::new("the audit ended early."))?;
    let (headline, one_to_one) = match &claim.evidence {
        Evidence::Proven { .. } => ("a spline, for all slopes at its ends.", claim.evidence.clone()),
        Evidence::Refuted { witness } => {
            return Err(NotYet::new("it is not one-to-one.").because(witness));
        }
        _ => ("a spline, for all slopes at its ends that were tried.", rising),
    };
    let statement = match one_to_one {
        Evidence::Proven { .. } => format!("{}, for all d0 and d1", claim.statement),
        _ => "x increases, for all z, d0 and d1 that were tried".to_string(),
    };
    Ok(Passed::new(headline)
        .with("below -1, x is the line through (-1, -1) with the slope d0", left)
        .with("above 1, x is the line through (1, 1) with the slope d1", right)
        .with(statement, one_to_one)
        .with("neither x nor its slope jumps", smooth))
}

/// That x is a line on its side of the bin.
fn line<'t>(
    space: &Space<'t>,
    x: Var<'t>,
    asked: Var<'t>,
    [side, slope, end]: [&str; 3],
) -> Result<Evidence, NotYet> {
    match compared(space, x, asked) {
        Comparison::Equal(evidence) => Ok(evidence),
        Comparison::Different { at, given, asked } => {
            let [mine, line] = apart(given[0], asked[0]);
            Err(NotYet::new(format!("{side} it is not the line through {end} with the slope {slope}."))
                .because(format!(
                    "At z = {} with d0 = {}, d1 = {}: x is {mine}, the line is at {line}.",
                    shown(at[0]),
                    shown(at[1]),
                    shown(at[2])
                ))
                .advise(format!("A line through (a, b) with the slope {slope} is b + {slope}·(z - a).")))
        }
    }
}

/// That x is defined and increases, wherever it was tried.
fn rises<'t>(space: &Space<'t>, x: Var<'t>, slope: Var<'t>) -> Result<Evidence, NotYet> {
    let probes = Probes::of(space, &[x, slope]);
    let numbers = space.numbers(&[x, slope, space.rounding(slope)], &probes.rows);
    let mut falls: Option<(f64, usize)> = None;
    for (row, at) in probes.rows.chunks(3).enumerate() {
        let [value, slope, rounding] = [0, 1, 2].map(|k| numbers[k][row]);
        if !value.is_finite()
            && let Some(operation) = space.undefined(x, at)
        {
            return Err(NotYet::new("it is not defined everywhere.").because(format!(
                "At z = {} with d0 = {}, d1 = {} `{operation}` has no value.",
                shown(at[0]),
                shown(at[1]),
                shown(at[2])
            )));
        }
        let size: f64 = at.iter().map(|value| if *value == 0.0 { 1.0 } else { value.abs().ln().abs() }).sum();
        if slope < -1e-9 - rounding && falls.is_none_or(|(least, _)| size < least) {
            falls = Some((size, row));
        }
    }
    match falls {
        None => {
            let points = numbers[1].iter().filter(|slope| slope.is_finite()).count();
            Ok(Evidence::Checked { points, worst: 0.0, tolerance: 0.0, seed: None })
        }
        Some((_, row)) => {
            let at = &probes.rows[3 * row..3 * row + 3];
            Err(NotYet::new("it does not increase for all d0 and d1.")
                .because(format!(
                    "With d0 = {}, d1 = {}, at z = {}: x is {} and its slope {}.",
                    shown(at[1]),
                    shown(at[2]),
                    shown(at[0]),
                    shown(numbers[0][row]),
                    shown(numbers[1][row])
                ))
                .advise("A cubic overshoots where the slopes at its ends are steep. The quotient of the lesson never does."))
        }
    }
}

/// That neither x nor its slope jumps, for several slopes at the ends.
fn no_corner(spline: Spline) -> Result<Evidence, NotYet> {
    let (mut points, mut worst) = (0, 0.0f64);
    for pair in [[1.0, 1.0], [2.0, 0.5], [0.1, 0.1], [0.3, 8.0], [10.0, 10.0], [5.0, 0.05]] {
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(1));
        let x = spline(z.at(0), tape.constant(pair[0]), tape.constant(pair[1]));
        let slope = jacobian(&tape, &map(&tape, z.id(), x.id())).reshape(Shape::Vector(1)).at(0);
        let space = Space::reals(z);
        let probes = Probes::of(&space, &[x, slope]);
        let mut rows = probes.rows;
        rows.extend([-1.0, 1.0].into_iter().flat_map(|end| [end - 1e-7, end, end + 1e-7]));
        rows.sort_by(f64::total_cmp);
        rows.dedup();
        let numbers = space.numbers(&[x, slope], &rows);
        for k in 1..rows.len() {
            let gap = rows[k] - rows[k - 1];
            if gap > 1e-6 {
                continue;
            }
            points += 1;
            let jump = |of: &[f64]| (of[k] - of[k - 1]).abs() / (1.0 + of[k].abs().max(of[k - 1].abs()));
            let with = format!("With d0 = {}, d1 = {}", shown(pair[0]), shown(pair[1]));
            if jump(&numbers[0]) > 1e-4 {
                return Err(NotYet::new("x jumps.")
                    .because(format!(
                        "{with}, at z = {}: from {} to {}.",
                        place(&rows[k..=k]),
                        shown(numbers[0][k - 1]),
                        shown(numbers[0][k])
                    ))
                    .advise("The curve must go from (-1, -1) to (1, 1), where the lines end and begin."));
            }
            if jump(&numbers[1]) > 1e-4 {
                return Err(NotYet::new("there is a corner: the slope jumps.")
                    .because(format!(
                        "{with}, at z = {}: from {} to {}.",
                        place(&rows[k..=k]),
                        shown(numbers[1][k - 1]),
                        shown(numbers[1][k])
                    ))
                    .advise("The curve between the lines must have the slope d0 at -1 and d1 at 1."));
            }
            worst = worst.max(jump(&numbers[1]));
        }
    }
    Ok(Evidence::Checked { points, worst, tolerance: 1e-4, seed: None })
}
