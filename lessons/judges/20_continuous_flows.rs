//! Exercise 20: a field whose points have a given density at every time.

use std::f64::consts::TAU;

use pushforward::prelude::*;
use pushforward::sweep::adjoint;
use pushforward::tape::Subgraph;
use pushforward_course::exercise::{
    Comparison, Exercise, Judgement, NotYet, Passed, Space, apart, compared, given_formula, shown,
    without_mistakes,
};

pub const EXERCISE: Exercise = Exercise {
    number: 20,
    slug: "20_continuous_flows",
    question: "At t = 0 points of the plane are standard normal. Write a field v(z, t) such that at every later time t they are \
               normal with mean (t, 0) and deviation 1 + t in every direction: the cloud drifts to the right and spreads.",
    proof: "The judge derives d ln p/dt along v, which is ∂ln p/∂t + v·∇ln p, and compares it with -tr ∂v/∂z for all z and \
            all t > 0. Whatever fulfils that is right: more than one field does.",
    hints: [
        "Follow one point: it begins at z₀ and is to be at (t, 0) + (1 + t)·z₀ at time t. Its velocity is the derivative of that \
         by t.",
        "The derivative is (1, 0) + z₀. v may not know z₀, but z and t: z₀ = (z - (t, 0))/(1 + t).",
        "stack([1.0 + (z.at(0) - t) / (1.0 + t), z.at(1) / (1.0 + t)]).",
    ],
};

/// v(z, t): a vector of two numbers and a number in, a vector of two numbers out.
pub type Velocity = for<'t> fn(Var<'t>, Var<'t>) -> Var<'t>;

/// ln of the normal density with mean (t, 0) and deviation 1 + t.
fn log_density<'t>(z: Var<'t>, t: Var<'t>) -> Var<'t> {
    let deviation = 1.0 + t;
    let off = [(z.at(0) - t) / deviation, z.at(1) / deviation];
    -0.5 * (off[0].powi(2) + off[1].powi(2)) - 2.0 * deviation.ln() - TAU.ln()
}

pub fn judge(velocity: Velocity) -> Judgement {
    let tape = Tape::new();
    let u = tape.input(Shape::Vector(3));
    let space = Space::each(u, &[Domain::Reals, Domain::Reals, Domain::Positive]);
    let (z, t) = (u.slice(0..2), u.at(2));
    let shape = velocity(z, t).shape();
    without_mistakes(&tape)?;
    if shape != Shape::Vector(2) {
        return Err(NotYet::new("a velocity has two numbers, one for each variable.")
            .because(format!("the shape of yours: {shape}"))
            .advise("stack([v1, v2]) makes a vector of two numbers."));
    }
    let component =
        |i: usize| given_formula(&tape, &[u], "a component of the velocity", || velocity(z, t).at(i));
    let v = [component(0)?, component(1)?];
    let gradient = |of: Var<'_>| {
        let subgraph = Subgraph::new(&tape, &[u.id()], &[of.id()]);
        let slopes = adjoint(&tape, &subgraph, &[(of.id(), tape.constant(1.0))], &[u.id()]);
        slopes[0].unwrap_or_else(|| tape.constant(0.0).broadcast(Shape::Vector(3))).id()
    };
    let slopes = tape.var(gradient(log_density(z, t)));
    let along = v[0] * slopes.at(0) + v[1] * slopes.at(1);
    let change = slopes.at(2) + along;
    let divergence = tape.var(gradient(v[0])).at(0) + tape.var(gradient(v[1])).at(1);
    match compared(&space, change, -divergence) {
        Comparison::Equal(evidence) => {
            let headline = match evidence {
                Evidence::Proven { .. } => "your points have that density at every time.",
                _ => "your points have that density, at every point and time that was tried.",
            };
            Ok(Passed::new(headline)
                .with("d ln p/dt = -tr ∂v/∂z along v, with the p that was asked for", evidence))
        }
        Comparison::Different { at, given, asked } => {
            let [change, spread] = apart(given[0], asked[0]);
            let numbers = space.numbers(&[v[0], v[1], divergence], &at);
            let told = NotYet::new("your points have another density.").because(format!(
                "at z = ({}, {}), t = {}: v = ({}, {}), tr ∂v/∂z = {}",
                shown(at[0]),
                shown(at[1]),
                shown(at[2]),
                shown(numbers[0][0]),
                shown(numbers[1][0]),
                shown(numbers[2][0]),
            ));
            let told = told.because(format!(
                "  along v, ln p changes by {change} a unit of time; -tr ∂v/∂z is {spread}"
            ));
            Err(told.advise(advice(&space, v, divergence, t)))
        }
    }
}

/// Which part of the motion is not there yet.
fn advice<'t>(space: &Space<'t>, v: [Var<'t>; 2], divergence: Var<'t>, t: Var<'t>) -> &'static str {
    let is = |given: Var<'t>, asked: Var<'t>| compared(space, given, asked).holds();
    let zero = t * 0.0;
    if is(v[0], zero) && is(v[1], zero) {
        "Nothing moves, so nothing changes. Follow one point: where is it to be at time t?"
    } else if is(divergence, zero) {
        "The trace is 0: the cloud moves and keeps its size. It is to spread as well."
    } else if is(divergence, 2.0 / (1.0 + t)) && !middle_moves_right(space, v) {
        "It spreads as it should. The middle of the cloud is at (t, 0): that point has the velocity (1, 0)."
    } else if is(divergence, 2.0 / (1.0 + t)) {
        "The middle moves as it should and areas grow as they should, but the cloud does not stay round: its deviation is 1 + t \
         in every direction."
    } else if is(divergence, -2.0 / (1.0 + t)) {
        "The cloud shrinks: change the sign."
    } else {
        "The cloud's deviation is 1 + t, so what is at z₀ at first is (1 + t)·z₀ from its middle at time t."
    }
}

/// Whether v at (t, 0) is (1, 0), at some times.
fn middle_moves_right(space: &Space<'_>, v: [Var<'_>; 2]) -> bool {
    let rows: Vec<f64> = [0.5, 1.0, 3.0].into_iter().flat_map(|t| [t, 0.0, t]).collect();
    let numbers = space.numbers(&v, &rows);
    let near = |found: &[f64], asked: f64| found.iter().all(|value| (value - asked).abs() < 1e-6);
    near(&numbers[0], 1.0) && near(&numbers[1], 0.0)
}
