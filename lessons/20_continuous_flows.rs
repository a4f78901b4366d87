//! Lesson 20: infinitely many layers, each arbitrarily thin.

use std::error::Error;
use std::f64::consts::{SQRT_2, TAU};

use pushforward::audit::{Evidence, Topic};
use pushforward::bijection::{InverseWithLogDet, forward_with_log_det, inverse_with_log_det};
use pushforward::flow::{FittedFlow, Trainer};
use pushforward::jacobian::{estimated_trace, log_det, map, trace};
use pushforward::prelude::*;
use pushforward::program::{Output, Program};
use pushforward::sweep::adjoint;
use pushforward::tape::Subgraph;
use pushforward::train::{Minimiser, TrainingOptions};
use pushforward_course::statistics::{ks_distance, mean, standard_error};
use pushforward_course::{Lesson, Page, Picture, equation, fit_slope, formulas, values};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

#[path = "judges/20_continuous_flows.rs"]
pub mod judge;
#[path = "continuous/known_diffusion.rs"]
mod known_diffusion;

use known_diffusion::{
    DEVIATION, END, MEANS, ProbabilityFlow, WEIGHTS, backwards, log_density, mixture, score, without_noise,
};

const SEED: u64 = 7;
/// Steps of maximum likelihood after flow matching.
const TUNED: usize = 100;

type Layers = Vec<Box<dyn Bijection>>;
/// The points of a line in the plane.
type Path = Vec<(f64, f64)>;
type Told = Result<(), Box<dyn Error>>;

/// One thin layer, x = z + h·A·z.
struct Thin {
    h: f64,
}

impl Bijection for Thin {
    fn dim(&self) -> usize {
        2
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let (z1, z2) = (z.at(0), z.at(1));
        stack([z1 + self.h * (3.0 * z1 + z2), z2 + self.h * (2.0 * z1 + 4.0 * z2)])
    }
}

/// Turns, and draws every point towards the circle of radius 1.
struct Ring;

impl Field for Ring {
    fn dim(&self) -> usize {
        2
    }
    fn velocity<'t>(&self, z: Var<'t>, _: Var<'t>) -> Var<'t> {
        let (z1, z2) = (z.at(0), z.at(1));
        let pull = 1.0 - z1.powi(2) - z2.powi(2);
        stack([z1 * pull - 2.0 * z2, z2 * pull + 2.0 * z1])
    }
}

impl Ring {
    /// Where z is at t = 1, and ln|det J|: with C = 1/|z|² - 1, |x|² = 1/(1 + C·e⁻²), and the angle has grown by 2.
    fn solved(z: &[f64]) -> ([f64; 2], f64) {
        let c = 1.0 / (z[0] * z[0] + z[1] * z[1]) - 1.0;
        let factor = ((c + 1.0) / (1.0 + c * (-2.0f64).exp())).sqrt();
        let (sin, cos) = 2.0f64.sin_cos();
        let x = [factor * (cos * z[0] - sin * z[1]), factor * (sin * z[0] + cos * z[1])];
        (x, 2.0 - 2.0 * ((2.0f64.exp() + c) / (1.0 + c)).ln())
    }
}

/// The ring as a layer.
fn ring(steps: usize) -> Continuous<Ring> {
    Continuous::new(Ring, Solver::RungeKutta4, steps)
}

/// One layer of n: Euler's step of a field that does not change with time, written as a layer.
struct Step {
    n: usize,
}

impl Bijection for Step {
    fn dim(&self) -> usize {
        2
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let now = z.tape().constant(0.0);
        z + Ring.velocity(z, now) / self.n as f64
    }
}

/// A flow without parameters.
fn fixed(base: impl Base + 'static, layer: impl Bijection + 'static) -> Result<FittedFlow, Box<dyn Error>> {
    let layers: Layers = vec![Box::new(layer)];
    let flow = Flow::new(base, layers)?;
    let start = flow.initial(SEED);
    Ok(flow.with(start)?)
}

/// The data's density, exactly.
fn exact_data() -> Result<FittedFlow, Box<dyn Error>> {
    fixed(mixture(0.0), Affine::identity(2))
}

fn drawn(base: &impl Base, count: usize, seed: u64) -> Vec<f64> {
    let mut random = ChaCha8Rng::seed_from_u64(seed);
    let mut rows = vec![0.0; count * base.dim()];
    rows.chunks_mut(base.dim()).for_each(|row| base.sample(&mut random, row));
    rows
}

/// The largest difference of two lists.
fn worst(found: &[f64], exact: &[f64]) -> f64 {
    found.iter().zip(exact).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max)
}

pub const LESSON: Lesson = Lesson {
    number: 20,
    slug: "20_continuous_flows",
    title: "Continuous flows",
    about: "d ln p/dt = -tr ∂v/∂z, and diffusion",
    exercise: &judge::EXERCISE,
    seconds: 15.0,
    trained: &["The tape does", "Diffusion is", "Trained without"],
    needs: &[18],
    tell,
};

fn tell(page: &mut Page) -> Result<(), Box<dyn Error>> {
    page.question(
        "Take a stack of layers, each of which moves its points very little. Let there be more and more of \
         them, each thinner. What is the limit of Σ ln|det J|?",
    );
    page.predict(
        "A layer z + h·v(z) on d variables: ln|det J| of it takes an LU, some d³ operations. What is left of it when h goes \
         to 0, and how many operations does that take?",
    );
    by_hand(page)?;
    solved_by_hand(page)?;
    traces(page)?;
    diffusion(page)?;
    matching(page)?;

    page.heading("In general");
    page.formula("ln p(x) = ln p_Z(z) - ∫ tr ∂v/∂z dt,   along the solution of dz/dt = v(z, t) from z to x");
    let tape = Tape::new();
    let x = tape.input(Shape::Vector(2));
    let InverseWithLogDet { z, log_det } = inverse_with_log_det(&ring(32), x)?;
    let there = values(&tape, x, &[z, log_det], &Ring::solved(&[0.6, -0.3]).0);
    page.check_close(
        "the ring again: from the image of z = (0.6, -0.3), 32 backward steps return to it: z₁",
        there[0][0],
        0.6,
        1e-5,
    );
    page.heading("What people get wrong");
    page.misconception(
        "\"Diffusion is unrelated to flows.\" Its probability flow is a continuous flow: invertible, with \
         the formula of lesson 1 for its density. What differs is how v is found: by maximum likelihood \
         through the solver, or by a mean square whose targets are known.",
    );
    page.exercise(&judge::EXERCISE);
    page.read_on(
        "Chen, Rubanova, Bettencourt, Duvenaud, \"Neural Ordinary Differential Equations\" (2018), theorem 1; Grathwohl et al., \
         \"FFJORD\" (2019), section 3; Song et al., \"Score-Based Generative Modeling through Stochastic Differential \
         Equations\" (2021), section 4.3; Lipman et al., \"Flow Matching for Generative Modeling\" (2023), section 4.",
    );
    page.next("21_splines: couplings that bend by any increasing curve.");
    Ok(())
}

/// One thin layer: what is left of its determinant.
fn by_hand(page: &mut Page) -> Told {
    page.heading("By hand: one thin layer");
    page.prose("Two variables and v(z) = A·z with A = [3, 1; 2, 4]. At h = 0.1 the determinant is 1.3·1.4 - 0.1·0.2 = 1.8.");
    page.formula(formulas(&record(&Thin { h: 0.1 })?));
    page.prose(
        "In general det(I + h·A) = (1 + 3h)(1 + 4h) - 2h² = 1 + 7h + 10h². 7 is the trace of A, the sum of its diagonal. The \
         logarithm of that is 7h + 10h² - (7h)²/2 and terms of h³, so that ln|det J|, per unit of h, is 7 - 14.5·h:",
    );
    let mut rows = Vec::new();
    let mut last = f64::NAN;
    for h in [0.1, 0.01, 0.001, 0.0001] {
        let layer = record(&Thin { h })?;
        let log_det = values(layer.tape(), layer.input(), &[layer.log_det()], &[0.0, 0.0])[0][0];
        last = log_det / h;
        rows.push(vec![format!("{h}"), format!("{log_det:.7}"), format!("{last:.4}")]);
    }
    page.table(&["h", "ln|det J|", "ln|det J|/h"], rows);
    page.check_close("at h = 0.0001 it is 7 - 14.5·h", last, 7.0 - 14.5e-4, 1e-6);
    page.prose(
        "Of a thin layer only the trace is left. Put n layers of thickness 1/n one after the other: a point moves along the \
         solution of dz/dt = v(z, t), and the logarithms add up to an integral of traces. ln p at the moving point changes by \
         their opposite:",
    );
    page.formula("d ln p/dt = ∂ln p/∂t + v·∇ln p = -tr ∂v/∂z");
    Ok(())
}

/// A field with a closed form: errors by the number of layers and steps.
fn solved_by_hand(page: &mut Page) -> Told {
    page.heading("The tape does it");
    page.prose(
        "A field that rotates points about 0 and attracts them to the circle of radius 1, for a time of 1. \
         You write v(z, t); what follows from it:",
    );
    page.derivation(&derive(&ring(16))?);
    page.prose(
        "This field can be solved by hand: the radius follows dr/dt = r·(1 - r²), the angle grows by 2. So |x|² is 1/(1 + C·e⁻²) \
         with C = 1/|z|² - 1, and ln|det J| = 4·ln(|x|/|z|) - 2. At 200 points of a normal base, the worst errors of ln|det J|: \
         of Euler's n layers z + v/n, each an LU of its own Jacobian; of the same layers with the traces instead; and of n steps \
         of Runge and Kutta's method, which takes four velocities a step:",
    );
    let points: Vec<f64> =
        drawn(&StandardNormal::new(2), 200, SEED).iter().map(|z| z.clamp(-1.5, 1.5)).collect();
    let exact: Vec<f64> = points.chunks(2).map(|z| Ring::solved(z).1).collect();
    let log_dets = |layer: &dyn Bijection| -> Result<Vec<f64>, Box<dyn Error>> {
        let recording = record(layer)?;
        Ok(values(recording.tape(), recording.input(), &[recording.log_det()], &points).swap_remove(0))
    };
    let (mut rows, mut lines) = (Vec::new(), [Vec::new(), Vec::new(), Vec::new()]);
    for n in [1, 2, 4, 8, 16, 32, 64, 128, 256] {
        let layers: Layers = (0..n).map(|_| Box::new(Step { n }) as Box<dyn Bijection>).collect();
        let errors = [
            worst(&log_dets(&Chain::new(layers))?, &exact),
            worst(&log_dets(&Continuous::new(Ring, Solver::Euler, n))?, &exact),
            worst(&log_dets(&ring(n))?, &exact),
        ];
        lines.iter_mut().zip(errors).for_each(|(line, error)| line.push((n as f64, error)));
        let shown = errors.map(|error| format!("{error:.1e}"));
        rows.push([n.to_string()].into_iter().chain(shown).collect());
    }
    page.table(&["n", "n determinants", "n traces, Euler", "n steps, Runge-Kutta"], rows);
    let orders = [&lines[0], &lines[1], &lines[2]].map(|line| -fit_slope(&line[5..]).0);
    page.prose("The powers of 1/n with which they fall, from n = 32 on:");
    for (name, order) in ["n determinants", "n traces", "n steps of Runge and Kutta"].iter().zip(orders) {
        page.number(*name, order, "");
    }
    page.check_close("the error of n determinants falls as 1/n: the power", orders[0], 1.0, 0.15);
    page.check_close("so does that of n traces", orders[1], 1.0, 0.15);
    page.check_close("that of Runge and Kutta's steps as 1/n⁴", orders[2], 4.0, 0.4);
    let [first, second, third] = lines;
    page.picture(
        "order",
        Picture::new(
            "Error of ln|det J| by the number of layers or steps",
            "Two parallel falling lines for Euler and one four times as steep for Runge-Kutta.",
        )
        .axes("n", "error")
        .log_log()
        .line("determinants", first)
        .line("traces", second)
        .line("Runge-Kutta", third),
    );
    page.note(
        "The n determinants are exact for the n layers, and the n layers are not the flow yet. With few layers they are not \
         even one-to-one: in one variable, z + h·v(z) folds where h·dv/dz is below -1. The flow never does, since two solutions \
         cannot meet. And with one step the better method is the worse one.",
    );
    page.prose("The trajectories of points, from where each was drawn to where it is at t = 1:");
    let starts: Vec<f64> = (0..16)
        .flat_map(|k| {
            let (angle, radius) = (TAU * f64::from(k) / 16.0, if k % 2 == 0 { 0.25 } else { 2.0 });
            [radius * angle.cos(), radius * angle.sin()]
        })
        .collect();
    page.picture(
        "ring",
        Picture::new(
            "Solutions of dz/dt = v(z)",
            "Curved lines from near the middle outwards and from outside inwards, all towards one circle.",
        )
        .axes("z₁", "z₂")
        .equal_aspect()
        .grid("paths", paths(&Ring, &starts, (0.0, 1.0), 40)?),
    );
    let density = fixed(StandardNormal::new(2), ring(32))?;
    let x: Vec<f64> = points.chunks(2).flat_map(|z| Ring::solved(z).0).collect();
    let closed: Vec<f64> = points
        .chunks(2)
        .zip(&exact)
        .map(|(z, log_det)| -0.5 * (z[0] * z[0] + z[1] * z[1]) - TAU.ln() - log_det)
        .collect();
    let off = worst(&density.log_prob(&x)?, &closed);
    page.check_close(
        "ln p of a flow of this layer, by 32 backward steps from x, against the closed form",
        off,
        0.0,
        1e-4,
    );
    let stepped = record(&ring(32))?;
    let (tape, z) = (stepped.tape(), stepped.input());
    let whole = log_det(tape, &map(tape, z.id(), stepped.output().id()), &Structure::Dense)?;
    let by_steps = values(tape, z, &[stepped.log_det(), whole.value], &points);
    page.check_close(
        "two approximations: the integral, and the determinant of the map of the 32 steps",
        worst(&by_steps[0], &by_steps[1]),
        0.0,
        1e-4,
    );
    let report = audit(&ring(32))?;
    let claim = report.claim(Topic::Injective).ok_or("an audit asks for collisions")?;
    page.prose("The flow is one-to-one. Are its steps? An audit searches for two points with one image:");
    let folded = match &claim.evidence {
        Evidence::Refuted { witness } => Some(witness.clone()),
        _ => None,
    };
    page.prose(folded.clone().unwrap_or_else(|| claim.evidence.to_string()));
    page.check_that(
        "the 32 steps are not one-to-one: such a pair is found and confirmed",
        folded.is_some(),
        claim.evidence.to_string(),
    );
    page.note(
        "The slopes of this field are unbounded, so that any step is too long somewhere: a point far out, \
         where hardly anything is drawn, gets the image of an ordinary one. A field of tanh units has a \
         bound, and steps that are short enough for it are so everywhere.",
    );
    Ok(())
}

/// The exact trace against Hutchinson's estimate: operations and errors.
fn traces(page: &mut Page) -> Told {
    page.heading("A trace without the diagonal");
    page.prose(
        "Where each velocity depends on all variables, the trace in general takes d sweeps of the tape, one for each \
         ∂vᵢ/∂zᵢ. Hutchinson's estimate takes one, whatever d is: εᵀ(∂v/∂z)ε with random signs ε. Its mean \
         is the trace. Operations for a velocity and its trace, of networks with three hidden layers of d \
         units, and of two:",
    );
    let (mut rows, mut growth) = (Vec::new(), [Vec::new(), Vec::new()]);
    let mut shallow = f64::NAN;
    for d in [2, 4, 8, 16, 32, 64] {
        let operations = |hidden: &[usize], divergence: Divergence| -> Result<f64, Box<dyn Error>> {
            let field = NetworkField::new(d, Network::new(hidden));
            let tape = Tape::new();
            let z = tape.input(Shape::Vector(d));
            let pushed = forward_with_log_det(
                &Continuous::new(field, Solver::Euler, 1).with_divergence(divergence),
                z,
            )?;
            let outputs = [Output::Each(pushed.x.id()), Output::Each(pushed.log_det.id())];
            Ok(Program::<f64>::compile(&tape, &[z.id()], &outputs).operations() as f64)
        };
        let one = Divergence::Hutchinson { probes: 1, seed: SEED };
        let counted = [operations(&[d, d, d], Divergence::Exact)?, operations(&[d, d, d], one)?];
        growth.iter_mut().zip(counted).for_each(|(line, count)| line.push((d as f64, count)));
        shallow = operations(&[d, d], Divergence::Exact)? / operations(&[d, d], one)?;
        rows.push(vec![
            d.to_string(),
            format!("{}", counted[0]),
            format!("{}", counted[1]),
            format!("{:.1}", counted[0] / counted[1]),
            format!("{shallow:.1}"),
        ]);
    }
    page.table(&["d", "exact trace", "one ε", "ratio", "two hidden layers"], rows);
    let powers = growth.each_ref().map(|line| fit_slope(&line[2..]).0);
    page.number("operations of the exact trace, three hidden layers: power of d", powers[0], "");
    page.number("of one ε", powers[1], "");
    page.check_close("the exact trace takes nearly d³ operations", powers[0], 3.0, 0.3);
    page.check_close("one ε takes nearly d²", powers[1], 2.0, 0.2);
    page.check_that(
        "with two hidden layers the exact trace costs less than one ε",
        shallow < 1.0,
        format!("{shallow}"),
    );
    page.prose(
        "So with three hidden layers the exact trace is no cheaper than an LU; the estimate is. With two, ∂v/∂z is W₃·D₂·W₂·D₁·W₁ \
         with the units' slopes on the diagonals D. A trace is the same when the first factor is moved to the end: that of \
         D₂·W₂·D₁·(W₁·W₃), a sum over pairs of units. The products of weights do not depend on z: the tape computes them once \
         for all rows.",
    );
    page.prose(
        "The disadvantage of an estimate is its noise. tr ∂v/∂z of a field with one hidden layer and d = 16, \
         at one point, as a mean over some ε; 1000 such means each, against the exact trace:",
    );
    let d = 16;
    let field = NetworkField::new(d, Network::new([32]));
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(d));
    let v = field.velocity(z, tape.constant(0.5));
    let velocity = map(&tape, z.id(), v.id());
    let exactly = trace(&tape, &velocity).value;
    let probe = tape.input(Shape::Vector(d));
    let estimate = estimated_trace(&tape, &velocity, &[probe]).value;
    let outputs = [exactly, estimate].map(|node| Output::Each(node.id()));
    let mut program = Program::<f64>::compile(&tape, &[z.id(), probe.id()], &outputs);
    let mut parameters = Parameters::initialise(&tape, SEED);
    // The last layer starts at 0; a trained one is not.
    let last = parameters.get("net.1.weight").ok_or("it has two layers")?.clone();
    let weights = drawn(&StandardNormal::new(1), last.values.len(), SEED).iter().map(|w| 0.3 * w).collect();
    parameters.set("net.1.weight", last.shape, weights)?;
    program.load(&parameters)?;
    let draws = 1000 * 64;
    let signs: Vec<f64> =
        drawn(&StandardNormal::new(1), draws * d, SEED + 1).iter().map(|n| n.signum()).collect();
    let at: Vec<f64> = (0..draws).flat_map(|_| (0..d).map(|k| (k as f64).sin())).collect();
    let found = program.run(&[&at, &signs], draws)?;
    let truth = found[0][0];
    let (mut rows, mut line) = (Vec::new(), Vec::new());
    for probes in [1, 4, 16, 64] {
        let means: Vec<f64> = found[1].chunks(probes).take(1000).map(mean).collect();
        let root = mean(&means.iter().map(|m| (m - truth).powi(2)).collect::<Vec<_>>()).sqrt();
        let centre = format!("{:.3} ± {:.3}", mean(&means), standard_error(&means));
        rows.push(vec![probes.to_string(), centre, format!("{root:.3}")]);
        line.push((probes as f64, root));
    }
    page.table(&["ε in a mean", "mean of the means", "root mean square error"], rows);
    page.number("the exact trace", truth, "");
    page.check_that(
        "the mean of all 64 000 estimates is the trace, within 4 standard errors",
        (mean(&found[1]) - truth).abs() < 4.0 * standard_error(&found[1]),
        format!("{} ± {}, {truth}", mean(&found[1]), standard_error(&found[1])),
    );
    let power = fit_slope(&line).0;
    page.number("the error falls as their number to the power", power, "");
    page.check_close("that is 1/√n", power, -0.5, 0.1);
    Ok(())
}

/// The probability flow of a diffusion with a known score.
fn diffusion(page: &mut Page) -> Told {
    page.heading("Diffusion is one of them");
    page.prose(
        "A diffusion model adds noise to data, little by little: dx = -½·x dt + dw, where dw is normal noise of variance dt. \
         Whatever the data were, after a long time they are standard normal. Song et al. (2021) found a field without noise \
         that moves points so that the density is the same at every time, with the score s, the gradient of ln p by x:",
    );
    let tape = Tape::new();
    let (x, s) = (tape.input(Shape::Vector(2)), tape.input(Shape::Vector(2)));
    page.formula(equation("v", without_noise(x, s), &[(x, "x"), (s, "s")]));
    page.prose(
        "Let the data be three normal densities: then p is known at every time, and the tape derives the score. At any point \
         (x, t), ∂ln p/∂t + v·∇ln p must be -tr ∂v/∂x:",
    );
    let tape = Tape::new();
    let (x, t) = (tape.input(Shape::Vector(2)), tape.input(Shape::Vector(1)));
    let log_p = log_density(x, t.at(0));
    let subgraph = Subgraph::new(&tape, &[x.id(), t.id()], &[log_p.id()]);
    let slopes = adjoint(&tape, &subgraph, &[(log_p.id(), tape.constant(1.0))], &[x.id(), t.id()]);
    let [along, in_time] = [slopes[0], slopes[1]].map(|slope| slope.expect("ln p depends on both"));
    let v = without_noise(x, score(x, t.at(0)));
    let change = in_time.at(0) + v.dot(along);
    let spread = trace(&tape, &map(&tape, x.id(), v.id())).value;
    let mut program = Program::<f64>::compile(
        &tape,
        &[x.id(), t.id()],
        &[change, spread].map(|node| Output::Each(node.id())),
    );
    program.load(&Parameters::default())?;
    let places = drawn(&mixture(0.5), 1000, SEED);
    let times: Vec<f64> = (0..1000).map(|k| END * (f64::from(k) / 1000.0).powi(2)).collect();
    let found = program.run(&[&places, &times], 1000)?;
    let off =
        found[0].iter().zip(&found[1]).map(|(change, spread)| (change + spread).abs()).fold(0.0, f64::max);
    let statement = "∂ln p/∂t + v·∇ln p + tr ∂v/∂x = 0";
    match off <= 1e-9 {
        true => page.check(
            statement,
            Evidence::Checked { points: 1000, worst: off, tolerance: 1e-9, seed: Some(SEED) },
        ),
        false => page.check_that(statement, false, format!("{off}")),
    }
    page.number(
        "while the mean of |tr ∂v/∂x| is",
        mean(&found[1].iter().map(|v| v.abs()).collect::<Vec<_>>()),
        "",
    );
    page.prose(
        "So it is a flow, from noise at t = 8 back to data at t = 0, with a density. Most happens near the data, so steps are \
         taken finer there: t = 8·u² with u from 1 to 0. At 500 points of the data, ln p by n steps against the closed form, \
         once from the exact density at t = 8, once from a standard normal base, as is done in practice:",
    );
    let data = drawn(&mixture(0.0), 500, SEED + 2);
    let truth = exact_data()?.log_prob(&data)?;
    let back = |steps: usize| Continuous::new(ProbabilityFlow, Solver::RungeKutta4, steps).between(1.0, 0.0);
    let (mut rows, mut line, mut ends) = (Vec::new(), Vec::new(), [0.0; 2]);
    for steps in [8, 16, 32, 64, 128] {
        ends = [
            worst(&fixed(mixture(END), back(steps))?.log_prob(&data)?, &truth),
            worst(&fixed(StandardNormal::new(2), back(steps))?.log_prob(&data)?, &truth),
        ];
        line.push((steps as f64, ends[0]));
        rows.push(vec![steps.to_string(), format!("{:.1e}", ends[0]), format!("{:.1e}", ends[1])]);
    }
    page.table(&["steps", "worst error of ln p", "from N(0, I)"], rows);
    let power = -fit_slope(&line[2..]).0;
    page.number("the first error falls as 1/n to the power", power, "");
    page.check_close("that is 1/n⁴", power, 4.0, 0.6);
    page.check_close("with 128 steps ln p is exact, to", ends[0], 0.0, 1e-5);
    page.check_that(
        "what a standard normal base leaves does not fall with the steps",
        ends[1] > 10.0 * ends[0],
        format!("{ends:?}"),
    );
    page.prose(
        "Backwards in time the noisy equation is dx = (½·x + s) dt + dw (Anderson, 1982). 4000 samples of it, from t = 8 in 500 \
         steps, and 4000 of the flow in 64: the largest gap to the exact distribution function of x₁ (lesson 14). One in 1000 \
         exact samples of that size has a larger one than is allowed here:",
    );
    let gap = |rows: &[f64]| {
        let below = |x: f64| -> f64 {
            let part = |(weight, mean): (&f64, &[f64; 2])| {
                weight * 0.5 * libm::erfc((mean[0] - x) / (DEVIATION * SQRT_2))
            };
            WEIGHTS.iter().zip(&MEANS).map(part).sum()
        };
        ks_distance(&rows.iter().step_by(2).map(|x| below(*x)).collect::<Vec<_>>())
    };
    let noisy = backwards(4000, 500)?;
    let smooth = fixed(mixture(END), back(64))?.sample(4000, SEED)?;
    let gaps = [gap(&noisy), gap(&smooth)];
    page.table(
        &["4000 samples of", "gap", "velocities a sample"],
        vec![
            vec!["the noisy equation".into(), format!("{:.4}", gaps[0]), "500".into()],
            vec!["the probability flow".into(), format!("{:.4}", gaps[1]), "256".into()],
        ],
    );
    let limit = 1.95 / 4000f64.sqrt();
    page.check_close("samples of the noisy equation follow the density", gaps[0], 0.0, limit);
    page.check_close("samples of the flow do", gaps[1], 0.0, limit);
    let starts: Vec<f64> = drawn(&StandardNormal::new(2), 24, SEED + 3);
    page.picture(
        "probability_flow",
        Picture::new(
            "The probability flow, from noise to data",
            "Smooth lines from a cloud around 0 that part towards three places; dots of the data lie around these.",
        )
        .axes("x₁", "x₂")
        .equal_aspect()
        .scatter("data", data.chunks(2).take(300).map(|x| (x[0], x[1])).collect())
        .grid("paths", paths(&ProbabilityFlow, &starts, (1.0, 0.0), 100)?),
    );
    Ok(())
}

/// Flow matching, and maximum likelihood through the solver.
fn matching(page: &mut Page) -> Told {
    page.heading("Trained without a solver");
    page.prose(
        "Where no score is known, v is learned. Flow matching (Lipman et al., 2023) draws a datum x and noise z, takes a point \
         on the straight line between them, z + t·(x - z), and lets v(point, t) be near x - z in the mean square. The v that is \
         nearest is the mean of x - z over all pairs that pass through that point at time t, and that mean velocity carries the \
         density of all of them, from noise at t = 0 to data at t = 1. No equation is solved and no determinant taken while it \
         learns. The loss of one draw:",
    );
    let field = || NetworkField::new(2, Network::new([48, 48]));
    let layers: Layers = vec![Box::new(Continuous::new(field(), Solver::RungeKutta4, 16))];
    let flow = Flow::new(StandardNormal::new(2), layers)?;
    let matching = flow.flow_matching(0.0)?;
    let tape = Tape::new();
    let parts = ["x", "z", "v"].map(|_| tape.input(Shape::Vector(2)));
    let off = parts[2] - (parts[0] - parts[1]);
    page.formula(equation("loss", off.dot(off), &[(parts[0], "x"), (parts[1], "z"), (parts[2], "v")]));
    let (steps, batch) = (2500, 256);
    let stream: Vec<f32> = drawn(&mixture(0.0), 20_000, SEED + 4).iter().map(|x| *x as f32).collect();
    let settings = TrainingOptions { learning_rate: 4e-3, seed: SEED, ..TrainingOptions::default() };
    let mut minimiser = Minimiser::<f32>::new(&matching, matching.initial(SEED), settings)?;
    for step in 0..steps {
        minimiser.set_learning_rate(4e-3 * (1.0 - 0.95 * step as f64 / steps as f64))?;
        let first = (step * batch) % (20_000 - batch);
        minimiser.step(&[&stream[2 * first..2 * (first + batch)]], batch)?;
    }
    let learned = minimiser.parameters().clone();
    let flow = flow.with(learned.clone())?;
    let fresh = drawn(&mixture(0.0), 4000, SEED + 5);
    let log_p = exact_data()?.log_prob(&fresh)?;
    let divergence = |log_q: &[f64]| -> (f64, f64) {
        let gaps: Vec<f64> = log_p.iter().zip(log_q).map(|(p, q)| p - q).collect();
        (mean(&gaps), standard_error(&gaps))
    };
    let matched = divergence(&flow.log_prob(&fresh)?);
    // The same layer, further trained by the mean of -ln p, through the solver.
    let layers: Layers = vec![Box::new(Continuous::new(field(), Solver::RungeKutta4, 4))];
    let solved = Flow::new(StandardNormal::new(2), layers)?;
    let mut trainer = Trainer::<f32>::new(&solved, learned, 1e-3)?;
    for step in 0..TUNED {
        trainer.set_learning_rate(1e-3 * (1.0 - step as f64 / TUNED as f64).max(0.05));
        let first = (step * batch) % (20_000 - batch);
        trainer.step(&stream[2 * first..2 * (first + batch)])?;
    }
    let layers: Layers = vec![Box::new(Continuous::new(field(), Solver::RungeKutta4, 16))];
    let flow = Flow::new(StandardNormal::new(2), layers)?.with(trainer.parameters().clone())?;
    let likely = divergence(&flow.log_prob(&fresh)?);
    let table = Table::new(&["x₁", "x₂"], drawn(&mixture(0.0), 20_000, SEED + 4))?;
    let by_gaussian = divergence(&Gaussian::fit(&table).log_prob(&Table::new(&["x₁", "x₂"], fresh.clone())?));
    page.prose(
        "The data are 20 000 samples of the three normal densities again, so that KL(p‖q) can be measured; \
         the training uses nothing but samples. v has two hidden layers of 48 units, and takes 2500 steps of \
         256 rows. The last line is the same network after 100 steps more, of maximum likelihood through the \
         solver:",
    );
    let row = |name: &str, (kl, error): (f64, f64)| vec![name.into(), format!("{kl:.3} ± {error:.3}")];
    page.table(
        &["q", "KL(p‖q), 4000 new points, nats"],
        vec![
            row("a Gaussian", by_gaussian),
            row("flow matching", matched),
            row("and then maximum likelihood", likely),
        ],
    );
    page.check_that(
        "flow matching leaves less than a fifth of what a Gaussian leaves",
        matched.0 < 0.2 * by_gaussian.0,
        format!("{matched:?}, {by_gaussian:?}"),
    );
    page.check_that(
        "maximum likelihood leaves less than that",
        likely.0 < matched.0,
        format!("{likely:?}, {matched:?}"),
    );
    Ok(())
}

/// The solutions through some points, as lines of so many pieces.
fn paths(
    field: &impl Field,
    starts: &[f64],
    (from, to): (f64, f64),
    pieces: usize,
) -> Result<Vec<Path>, Box<dyn Error>> {
    let mut lines: Vec<Path> = starts.chunks(2).map(|z| vec![(z[0], z[1])]).collect();
    let mut points = starts.to_vec();
    let time = |k: usize| from + (to - from) * k as f64 / pieces as f64;
    for k in 0..pieces {
        let piece = Continuous::new(field, Solver::RungeKutta4, 2).between(time(k), time(k + 1));
        let recording = record(&piece)?;
        points = values(recording.tape(), recording.input(), &[recording.output()], &points).swap_remove(0);
        lines.iter_mut().zip(points.chunks(2)).for_each(|(line, x)| line.push((x[0], x[1])));
    }
    Ok(lines)
}
