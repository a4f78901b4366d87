//! Lesson 19: a random draw as a bijection of noise, and the bound that a VAE maximises.

use std::error::Error;
use std::f64::consts::PI;

use pushforward::audit::{self, Topic, audit_with};
use pushforward::bijection::{derived_inverse, forward_with_log_det};
use pushforward::prelude::*;
use pushforward::sweep::simplify::simplify;
use pushforward::sweep::{Names, adjoint, formulas};
use pushforward::tape::{NodeId, Subgraph};
use pushforward::train::{Minimiser, TrainingOptions};
use pushforward_course::statistics::{mean, standard_error};
use pushforward_course::{Formulas, Lesson, Page, Picture};
use rand::SeedableRng;
use rand_chacha::ChaCha8Rng;

/// The recorded bound.
#[path = "reparameterisation/elbo.rs"]
mod elbo;
/// Its slope by two estimators.
#[path = "reparameterisation/estimators.rs"]
mod estimators;
#[path = "judges/19_reparameterisation.rs"]
pub mod judge;
/// Posteriors trained on it.
#[path = "reparameterisation/posterior.rs"]
mod posterior;

use self::elbo::{Encoder, NOISE, Terms, bounds, encoder, loss, straight};
use self::estimators::slopes;
use self::posterior::{BATCH, POSTERIORS, Rows, bent_data, evidence};

const SEED: u64 = 7;
/// The densities at one x are drawn for z₁ and z₂ in ± this.
const SHOWN: f64 = 3.0;

type Told = Result<(), Box<dyn Error>>;

fn normals(count: usize, seed: u64) -> Vec<f64> {
    let mut numbers = vec![0.0; count];
    StandardNormal::new(count).sample(&mut ChaCha8Rng::seed_from_u64(seed), &mut numbers);
    numbers
}

/// ln of a normal density.
fn normal(x: f64, mean: f64, variance: f64) -> f64 {
    -0.5 * ((x - mean).powi(2) / variance + variance.ln() + (2.0 * PI).ln())
}

/// KL of N(m, v) from N(mean, variance).
fn divergence((m, v): (f64, f64), (mean, variance): (f64, f64)) -> f64 {
    0.5 * (v / variance + (m - mean).powi(2) / variance - 1.0 - (v / variance).ln())
}

/// A mean with its standard error, to three digits.
fn with_error(numbers: &[f64]) -> String {
    format!("{:.3} ± {:.3}", mean(numbers), standard_error(numbers))
}

fn variance(numbers: &[f64]) -> f64 {
    standard_error(numbers).powi(2) * numbers.len() as f64
}

/// A claim that numbers with errors are what they should be: within 4 standard errors, the worst of them.
fn within(page: &mut Page, statement: &str, points: usize, worst: f64, seed: u64) {
    let evidence = match worst <= 4.0 {
        true => Evidence::Checked { points, worst, tolerance: 4.0, seed: Some(seed) },
        false => Evidence::Refuted { witness: format!("{worst} standard errors") },
    };
    page.check(statement, evidence);
}

/// The encoder, its log-determinant and its inverse, in the letters of a VAE.
fn encoder_formulas() -> Result<Formulas, Box<dyn Error>> {
    let layer = Encoder { d: 1 };
    let tape = Tape::new();
    let [noise, z] = [(); 2].map(|()| tape.input(Shape::Vector(1)));
    let pushed = forward_with_log_det(&layer, noise)?;
    let back = derived_inverse(&layer, z)?;
    let names = Names::new().with(noise.id(), "ε").with(z.id(), "z").with(tape.context(1).id(), "x");
    let shown = [("z", pushed.x.id()), ("ln|det J|", pushed.log_det.id()), ("ε", back.id())];
    Ok(formulas(&tape, &shown, &names).into())
}

/// The terms of the bound as the loss records them, and its slopes by the parameters.
fn bound_formulas() -> Result<(Formulas, Formulas), Box<dyn Error>> {
    let tape = Tape::new();
    let noise = tape.input(Shape::Vector(1));
    let terms = Terms::record(&Encoder { d: 1 }, straight, noise)?;
    let sum = terms.sum();
    let names = Names::new().with(noise.id(), "ε").with(terms.z.id(), "z").with(tape.context(1).id(), "x");
    let shown = [
        ("ln p(z)", terms.log_prior.id()),
        ("ln p(x | z)", terms.log_likelihood.id()),
        ("ln q(z | x)", terms.log_q.id()),
    ];
    let subgraph = Subgraph::new(&tape, &[noise.id()], &[sum.id()]);
    let first = tape.len();
    let by: Vec<NodeId> =
        ["w", "b", "s"].map(|name| tape.parameter(name, Shape::Vector(1), Init::Constant(0.0)).id()).to_vec();
    let slopes = adjoint(&tape, &subgraph, &[(sum.id(), tape.constant(1.0))], &by);
    let shorter = |slope: Option<Var<'_>>| {
        slope.map(|slope| simplify(&tape, slope.id(), first, &[]).value.id()).ok_or("it depends on each")
    };
    let slopes = slopes.into_iter().map(shorter).collect::<Result<Vec<NodeId>, _>>()?;
    let by_name = [("by w", slopes[0]), ("by b", slopes[1]), ("by s", slopes[2])];
    Ok((formulas(&tape, &shown, &names).into(), formulas(&tape, &by_name, &names).into()))
}

pub const LESSON: Lesson = Lesson {
    number: 19,
    slug: "19_reparameterisation",
    title: "Reparameterisation",
    about: "a draw as a bijection of noise",
    exercise: &judge::EXERCISE,
    seconds: 5.0,
    trained: &["Learned", "Any flow", "The posterior"],
    needs: &[13],
    tell,
};

fn tell(page: &mut Page) -> Told {
    page.question(
        "A model draws a hidden z, and an x that depends on it. You see x and want ln p(x), which is an \
         integral over all z. A variational autoencoder (VAE) maximises a lower bound instead (why it is \
         one: below), a mean over z drawn from a density q(z | x) that is itself being learned. How can one \
         take the gradient by the parameters of q through a random draw?",
    );
    page.predict(
        "q is normal, with mean μ and deviation σ. The bound contains -ln q(z) at a z drawn from q. Which of μ and σ is \
         left in that term, once z is written as μ + σ·ε with a standard normal ε?",
    );

    page.heading("By hand: one draw");
    page.prose(
        "Let μ = 1, σ = 1/2, and let the draw of ε be 0.8. Then z = 1 + 0.8/2 = 1.4. As a map of ε it has the slope σ: one \
         unit of ε becomes half a unit of z, and the density doubles.",
    );
    let (mu, sigma, draw) = (1.0, 0.5, 0.8);
    let z = mu + sigma * draw;
    page.number("ln N(ε; 0, 1) at ε = 0.8", normal(draw, 0.0, 1.0), "");
    page.number("ln σ", f64::ln(sigma), "");
    page.check_close(
        "ln N(z; μ, σ²) at z = 1.4 is the first less the second",
        normal(z, mu, sigma * sigma),
        normal(draw, 0.0, 1.0) - f64::ln(sigma),
        1e-12,
    );
    page.prose(
        "This is the change of variables of lesson 1. And z has derivatives by μ and σ, since ε stays as it was drawn: \
         ∂z/∂μ = 1 and ∂z/∂σ = ε = 0.8. That answers the question. Write z = f(ε): the density of ε has no parameters, so \
         E_q[g(z)] = E_ε[g(f(ε))], and the gradient of the mean is the mean of the gradients.",
    );

    page.heading("The tape does it: a layer with x as its context");
    page.prose(
        "The encoder of a VAE gives μ and σ as functions of x. The simplest is μ = w·x + b and σ = exp(s). As a layer it is \
         a bijection of ε with x as its context (lesson 17), and what is proven holds for every x and all parameters:",
    );
    page.formula(encoder_formulas()?);
    let report = audit(&Encoder { d: 1 })?;
    for topic in [Topic::Structure, Topic::Injective] {
        let claim = report.claim(topic).ok_or("an audit asks for it")?;
        page.check(claim.statement.clone(), claim.evidence.clone());
    }
    page.prose(
        "An audit calls the input of a map z, and its output x. Here these are ε and z, so read: ε follows \
         from z, for every x. So q(z | x) is the density of a conditional flow with one layer. Let the model \
         be: z is standard normal, x is z and standard normal noise. The bound is the mean over ε of ln p(z) \
         + ln p(x | z) - ln q(z | x), and is called the evidence lower bound, ELBO. Its three terms, off the \
         tape:",
    );
    let (terms, gradient) = bound_formulas()?;
    page.formula(terms);
    page.prose(
        "Of the parameters only s is left in ln q, the logarithm of σ. The mean of -ln q, the entropy term of the ELBO, \
         is the entropy of the noise, a constant, plus the mean of ln|det J|. The derivatives of the sum for one draw, from \
         the adjoint sweep:",
    );
    page.formula(gradient);

    page.heading("How far below ln p(x)?");
    page.prose(
        "In this model everything is known. x is normal with mean 0 and variance 2, and the posterior p(z | x) is normal \
         with mean x/2 and variance 1/2. The gap, ln p(x) - ELBO, is KL(q‖p(z | x)), which is never negative (lesson 13). \
         At x = 2, for several q, 20 000 draws each:",
    );
    let (seen, draws) = (2.0, 20_000);
    let noise = normals(draws, SEED);
    let exact = normal(seen, 0.0, 2.0);
    let of_q = |mu: f64, v: f64, count: usize| {
        let parameters = encoder(1, 0.0, mu, 0.5 * v.ln())?;
        bounds(&Encoder { d: 1 }, straight, &parameters, (&noise[..count], &vec![seen; count]))
    };
    let (mut rows, mut worst) = (Vec::new(), 0.0f64);
    let asked = [("the prior, N(0, 1)", 0.0, 1.0), ("N(1, 1)", 1.0, 1.0), ("N(1/2, 1/4)", 0.5, 0.25)];
    for (name, mu, v) in asked {
        let found = of_q(mu, v, draws)?;
        let kl = divergence((mu, v), (0.5 * seen, 0.5));
        worst = worst.max((exact - mean(&found) - kl).abs() / standard_error(&found));
        rows.push(vec![
            name.to_string(),
            with_error(&found),
            format!("{:.3}", exact - mean(&found)),
            format!("{kl:.3}"),
        ]);
    }
    let best = of_q(1.0, 0.5, draws)?;
    rows.push(vec![
        "the posterior, N(1, 1/2)".to_string(),
        with_error(&best),
        format!("{:.3}", (exact - mean(&best)).abs()),
        "0.000".to_string(),
    ]);
    page.number("ln p(x) at x = 2", exact, "nats");
    page.table(&["q", "ELBO", "ln p(x) - ELBO", "KL(q‖p(z | x))"], rows);
    within(
        page,
        "the gap of the first three is KL(q‖p(z | x)), in standard errors",
        asked.len(),
        worst,
        SEED,
    );
    let off = best.iter().map(|bound| (bound - exact).abs()).fold(0.0, f64::max);
    let statement = "with q the posterior, every single one of the 20 000 draws gives ln p(x)";
    page.check_close(statement, off, 0.0, 1e-12);
    page.prose(
        "The last line has no error at all: if q is the posterior, p(z)·p(x | z)/q(z | x) is p(x) whatever z is. That is \
         Bayes' rule.",
    );
    let means: Vec<f64> = (0..=40).map(|k| -1.0 + 0.1 * f64::from(k)).collect();
    let mut measured = Vec::new();
    for mu in means.iter().skip(3).step_by(6) {
        measured.push((*mu, mean(&of_q(*mu, 0.5, 500)?)));
    }
    let line = |bound: &dyn Fn(f64) -> f64| means.iter().map(|mu| (*mu, bound(*mu))).collect::<Vec<_>>();
    page.picture(
        "bound",
        Picture::new(
            "x = 2: ln p(x), and the bound for q = N(μ, 1/2)",
            "A level line, and a parabola below it that touches it at μ = 1; dots from 500 draws each lie on it.",
        )
        .axes("μ", "nats")
        .line("ln p(x) - KL", line(&|mu| exact - divergence((mu, 0.5), (1.0, 0.5))))
        .scatter("500 draws", measured)
        .line("ln p(x)", line(&|_| exact)),
    );

    page.heading("Learned");
    page.prose(
        "A VAE is not given the posterior. Here that has mean x/2 and variance 1/2 for every x, so this \
         encoder can reach it. The VAE takes rows x, draws an ε for each, and maximises the ELBO, here in \
         1500 steps of 256 rows. The loss is recorded like any other, and noise is one of its inputs. \
         straight(z) is ln p(x | z); it and the encoder read x as their context:",
    );
    page.listing(
        "let normal = StandardNormal::new(1);\n\
         let loss = Loss::try_record(|sources| {\n    \
             let noise = sources.noise(StandardNormal::new(1));\n    \
             let pushed = forward_with_log_det(&Encoder { d: 1 }, noise)?;\n    \
             let z = pushed.x;\n    \
             let log_q = normal.log_prob(noise) - pushed.log_det;\n    \
             Ok(log_q - normal.log_prob(z) - straight(z))\n\
         })?;",
    );
    const STEPS: usize = 1500;
    let layer = Encoder { d: 1 };
    let loss = loss(&layer, straight)?;
    let settings = TrainingOptions { learning_rate: 2e-2, seed: SEED, ..TrainingOptions::default() };
    let mut minimiser = Minimiser::<f64>::new(&loss, loss.initial(SEED), settings)?;
    let data: Vec<f64> = normals(2 * STEPS * BATCH, SEED + 1).chunks(2).map(|n| n[0] + n[1]).collect();
    for (step, batch) in data.chunks(BATCH).enumerate() {
        minimiser.set_learning_rate(2e-2 * (1.0 - 0.99 * step as f64 / STEPS as f64))?;
        minimiser.step(&[batch], BATCH)?;
    }
    let parameters = minimiser.parameters().clone();
    let [w, b, s] =
        ["w", "b", "s"].map(|name| parameters.get(name).map_or(f64::NAN, |tensor| tensor.values[0]));
    page.check_close("w = 1/2", w, 0.5, 0.02);
    page.check_close("b = 0", b, 0.0, 0.02);
    page.check_close("σ² = exp(2s) = 1/2", (2.0 * s).exp(), 0.5, 0.02);
    let fresh: Vec<f64> = normals(2 * draws, SEED + 2).chunks(2).map(|n| n[0] + n[1]).collect();
    let gaps: Vec<f64> = bounds(&layer, straight, &parameters, (&noise, &fresh))?
        .iter()
        .zip(&fresh)
        .map(|(bound, x)| normal(*x, 0.0, 2.0) - bound)
        .collect();
    page.check_close("the gap that is left, over 20 000 new x, in nats", mean(&gaps), 0.0, 2e-3);

    two_gradients(page)?;
    any_flow(page)?;

    page.heading("In general");
    page.formula(
        "z = f(ε; x)\nln q(z | x) = ln p(ε) - ln|det J_f(ε; x)|\n\
         ELBO = E_ε[ln p(z) + ln p(x | z) - ln q(z | x)] = ln p(x) - KL(q‖p(z | x))",
    );
    page.heading("What people get wrong");
    page.misconception(
        "\"Reparameterisation is a trick.\" It is the change-of-variables formula with the noise as base and \
         x as context: the draw is mapped by a bijection, and the entropy term of the bound is the entropy \
         of the noise plus the mean of ln|det J|. μ + σ·ε is the simplest such bijection. Any flow can take \
         its place.",
    );
    page.exercise(&judge::EXERCISE);
    page.read_on(
        "Kingma, Welling, \"Auto-Encoding Variational Bayes\" (2014), section 2.4; Rezende, Mohamed, Wierstra, \
         \"Stochastic Backpropagation and Approximate Inference in Deep Generative Models\" (2014); Rezende, Mohamed, \
         \"Variational Inference with Normalizing Flows\" (2015), section 4; Mohamed, Rosca, Figurnov, Mnih, \"Monte Carlo \
         Gradient Estimation in Machine Learning\" (2020), sections 4 and 5.",
    );
    page.next("20_continuous_flows: infinitely many layers, each arbitrarily thin.");
    Ok(())
}

fn two_gradients(page: &mut Page) -> Told {
    page.heading("Two gradients of one bound");
    page.prose(
        "There is another gradient. q stays a density and z a number that was drawn; then the gradient of a mean over q is \
         the mean of the sum of the three terms, times the gradient of ln q(z | x), the score function (REINFORCE). It \
         needs no derivative of the sum by z, and so is used where z is discrete. The mean of the score function is \
         ∫q·∇ln q = ∫∇q = ∇∫q = ∇1 = 0, so that a number, a baseline, can be subtracted from the sum first; here its mean. \
         The gradient through z = f(ε; x) \
         is called pathwise.",
    );
    page.prose(
        "In d variables, with x = 2 in each, the derivatives of the ELBO are x - 2μ by the first b and 1 - 2σ² by the first \
         s: 2 and -1 if q is the prior, 0 and 0 if it is the posterior. From 40 000 draws:",
    );
    let draws = 40_000;
    let half = 0.5f64.ln() / 2.0;
    let (mut rows, mut worst, mut means) = (Vec::new(), 0.0f64, 0);
    let mut variances = Vec::new();
    for (name, (w, s), exact) in [("prior", (0.0, 0.0), [2.0, -1.0]), ("posterior", (0.5, half), [0.0, 0.0])]
    {
        for d in [1, 4, 16] {
            let found = slopes(d, &encoder(d, w, 0.0, s)?, 2.0, draws)?;
            for estimates in [&found.pathwise, &found.score, &found.centred] {
                for (slope, exact) in estimates.iter().zip(exact) {
                    worst = worst.max((mean(slope) - exact).abs() / standard_error(slope).max(1e-12));
                    means += 1;
                }
            }
            let of_b = [&found.pathwise[0], &found.score[0], &found.centred[0]].map(|slope| variance(slope));
            variances.push((d, of_b));
            rows.push(vec![
                name.to_string(),
                d.to_string(),
                format!("{:.2}", of_b[0]),
                format!("{:.1}", of_b[1]),
                format!("{:.2}", of_b[2]),
            ]);
        }
    }
    within(page, "the means of all three are these derivatives, in standard errors", means, worst, SEED + 2);
    page.prose("The variance of the derivative by b, for one draw:");
    page.table(&["q is the", "d", "pathwise", "score function", "with baseline"], rows);
    let pathwise: Vec<f64> = variances.iter().map(|(_, of_b)| of_b[0]).collect();
    let level = pathwise.iter().zip([4.0, 4.0, 4.0, 2.0, 2.0, 2.0]);
    page.check_that(
        "pathwise it is that of x - 2z, 4σ², for every d, within 5 %",
        level.clone().all(|(found, exact)| (found / exact - 1.0).abs() < 0.05),
        format!("{pathwise:?}"),
    );
    page.check_that(
        "without a baseline that of the score function is larger everywhere",
        variances.iter().all(|(_, of_b)| of_b[1] > of_b[0]),
        format!("{variances:?}"),
    );
    let of_one = normal(2.0, 0.0, 2.0);
    page.check_that(
        "and with q the posterior it grows as d²: it is (d·ln p(x₁))²/σ², within 5 %",
        variances[3..]
            .iter()
            .all(|(d, of_b)| (of_b[1] / (2.0 * (*d as f64 * of_one).powi(2)) - 1.0).abs() < 0.05),
        format!("{variances:?}"),
    );
    page.check_that(
        "with the baseline and q the prior it grows as d: it is 10.5 + 4.5·(d - 1), within 15 %",
        variances[..3]
            .iter()
            .all(|(d, of_b)| (of_b[2] / (10.5 + 4.5 * (*d as f64 - 1.0)) - 1.0).abs() < 0.15),
        format!("{variances:?}"),
    );
    page.check_that(
        "with the baseline and q the posterior it is 0, and the pathwise one is not",
        (3..6).all(|k| variances[k].1[2] < 1e-12),
        format!("{variances:?}"),
    );
    page.prose(
        "The score function is multiplied by the whole sum. The mean of the sum grows with d, and so the variance with d²; a \
         baseline takes the mean away. What is left is the noise of all the variables: with q the prior, each further one \
         adds 4.5, the variance of its ln p(x | z). With q the posterior the sum is ln p(x) in every draw, so nothing is \
         left. The pathwise derivative is of what b₁ moves, and nothing else. \"Pathwise gradients always have the lower \
         variance\" is false: see the rows with q the posterior, 0 with the baseline and 2 pathwise.",
    );
    Ok(())
}

fn any_flow(page: &mut Page) -> Told {
    page.heading("Any flow can stand there");
    page.prose(
        "Nothing so far required a linear map. Take the instrument of lesson 17: z₁ and z₂ are standard \
         normal, x = z₂ + z₁² + noise, here of deviation 0.6. The posterior is bent, and for large x it has \
         two peaks. Two bijections of ε, with x as context, are trained on the same loss: a normal density \
         of any mean and covariance, given by a network of x, and four coupling layers of splines. Of a \
         layer of each is proven, for every x (and to be read as above):",
    );
    for posterior in &POSTERIORS {
        let layer = (posterior.layers)().swap_remove(0);
        let report =
            audit_with(&layer, &audit::AuditOptions { decide_only: true, ..audit::AuditOptions::default() })?;
        let claim = report.claim(Topic::Injective).ok_or("an audit asks for it")?;
        page.check(format!("{}: {}", posterior.name, claim.statement), claim.evidence.clone());
    }
    page.prose(
        "ln p(x) is an integral over z₁ here, found by quadrature (z₂ is integrated by hand). After 1024 steps of 256 rows:",
    );
    let data = bent_data(1024 * BATCH, SEED);
    let (few, many) = (Rows::new(4000, SEED + 3), Rows::new(20_000, SEED + 5));
    let mut picture = Picture::new(
        "ln p(x) - ELBO while training",
        "Two falling curves; that of the normal density ends high, that of the flow far below.",
    )
    .axes("steps", "nats")
    .log_log();
    let (mut rows, mut ends, mut learned) = (Vec::new(), Vec::new(), Vec::new());
    for posterior in &POSTERIORS {
        let mut curve = Vec::new();
        let parameters = posterior.trained(&data, |steps, parameters| {
            curve.push((steps as f64, mean(&posterior.gaps(parameters, &few)?)));
            Ok(())
        })?;
        picture = picture.line(posterior.name, curve);
        let gaps = posterior.gaps(&parameters, &many)?;
        rows.push(vec![posterior.name.to_string(), with_error(&gaps)]);
        ends.push(mean(&gaps));
        learned.push(parameters);
    }
    page.table(&["q(z | x)", "ln p(x) - ELBO, nats, mean of 20 000 new x"], rows);
    page.check_that(
        "the flow closes more than four fifths of the gap",
        ends[1] < 0.2 * ends[0],
        format!("{} of {}", ends[1], ends[0]),
    );
    page.picture("gap", picture);
    posterior_at_three(page, &learned)
}

fn posterior_at_three(page: &mut Page, learned: &[Parameters]) -> Told {
    page.heading("The posterior at x = 3");
    page.prose(
        "The gap for one x, found in two ways: from 100 000 draws of ε, and as KL(q‖p(z | x)) by quadrature over a grid, \
         where ln q comes from the inverse of f. By symmetry half of p lies on either side of z₁ = 0; the last column says \
         how much of q lies on the fuller side:",
    );
    let (x, draws) = (3.0, 100_000);
    let log_evidence = evidence(x);
    let at_x =
        Rows { noise: normals(2 * draws, SEED + 7), x: vec![x; draws], log_p: vec![log_evidence; draws] };
    let log_p = |z: &[f64]| {
        let prior = normal(z[0], 0.0, 1.0) + normal(z[1], 0.0, 1.0);
        prior + normal(x, z[1] + z[0] * z[0], NOISE * NOISE) - log_evidence
    };
    // Wide enough for the last q, which has far more room than p.
    let (cells, area) = grid(9.0, 360);
    let log_p_at: Vec<f64> = cells.chunks(2).map(log_p).collect();
    let mass = |log_q: &[f64]| log_q.iter().map(|log_q| log_q.exp() * area).sum::<f64>();
    let kl_of = |log_q: &[f64]| -> f64 {
        let terms = log_q.iter().zip(&log_p_at).map(|(log_q, log_p)| log_q.exp() * (log_q - log_p) * area);
        terms.filter(|term| !term.is_nan()).sum()
    };
    let (shown, _) = grid(SHOWN, 80);
    let (mut rows, mut worst, mut kls, mut sides) = (Vec::new(), 0.0f64, Vec::new(), Vec::new());
    let mut masses = vec![mass(&log_p_at)];
    let mut pictures = vec![("exact", "p(z | x = 3), exact", shown.chunks(2).map(log_p).collect())];
    let [of_all, flow] = &POSTERIORS;
    let of_one = of_all.trained(&vec![x; 1024 * BATCH], |_, _| Ok(()))?;
    let asked = [
        ("normal", of_all, &learned[0]),
        ("flow", flow, &learned[1]),
        ("normal, x = 3 only", of_all, &of_one),
    ];
    for (name, posterior, parameters) in asked {
        let fitted = posterior.fitted(parameters)?;
        let gaps = posterior.gaps(parameters, &at_x)?;
        let log_q = fitted.log_prob_given(&cells, &[x])?;
        let kl = kl_of(&log_q);
        masses.push(mass(&log_q));
        worst = worst.max((mean(&gaps) - kl).abs() / standard_error(&gaps));
        let samples = fitted.sample_given(10_000, &[x], SEED + 8)?;
        let right = samples.chunks(2).filter(|z| z[0] > 0.0).count() as f64 / 10_000.0;
        let fuller = right.max(1.0 - right);
        rows.push(vec![
            name.to_string(),
            with_error(&gaps),
            format!("{kl:.3}"),
            format!("{:.0} %", 100.0 * fuller),
        ]);
        kls.push(kl);
        sides.push(fuller);
        match name {
            "normal" => pictures.push((name, "q(z | x = 3), normal", fitted.log_prob_given(&shown, &[x])?)),
            "flow" => pictures.push((name, "q(z | x = 3), the flow", fitted.log_prob_given(&shown, &[x])?)),
            _ => {}
        }
    }
    let over_both = matched(&cells, area, &log_p_at);
    masses.push(mass(&over_both));
    let over_both = kl_of(&over_both);
    rows.push(["normal, over both peaks", "", &format!("{over_both:.3}"), "50 %"].map(String::from).to_vec());
    page.table(&["q(z | x = 3)", "ln p(x) - ELBO", "KL, on the grid", "on the fuller side"], rows);
    page.prose("The last line is the normal density with the mean and the covariance of p.");
    let off = masses.iter().map(|mass| (mass - 1.0).abs()).fold(0.0, f64::max);
    page.check_close("p and each q sum to 1 on the grid", off, 0.0, 1e-4);
    within(page, "the gap is KL(q‖p(z | x)) here too, in standard errors", asked.len(), worst, SEED + 7);
    page.check_that(
        "each trained normal density covers one of the two peaks",
        sides[0] > 0.95 && sides[2] > 0.95,
        format!("{sides:?}"),
    );
    page.check_that(
        "their KL is above ln 2, since p has only half of its mass there",
        kls[0] > 2f64.ln() && kls[2] > 2f64.ln(),
        format!("{kls:?}"),
    );
    page.check_that(
        "that of the one trained at x = 3 only is the lower of the two",
        kls[2] < kls[0],
        format!("{kls:?}"),
    );
    page.check_that(
        "that of the normal density over both peaks is higher still",
        over_both > kls[0],
        format!("{over_both}, {kls:?}"),
    );
    page.check_that(
        "the flow covers both; its KL is less than a quarter of the trained normal one",
        sides[1] < 0.75 && kls[1] < 0.25 * kls[0],
        format!("{sides:?}, {kls:?}"),
    );
    for (name, title, log_density) in pictures {
        let alt = match name {
            "normal" => "One narrow tilted spot on one foot of an arch that is not seen.",
            _ => "An arch of density, open below, with its two feet brighter than its top.",
        };
        let density = log_density.iter().map(|value: &f64| value.exp()).collect();
        page.picture(
            name,
            Picture::new(title, alt).axes("z₁", "z₂").heat_map(
                "density",
                (-SHOWN, SHOWN),
                (-SHOWN, SHOWN),
                80,
                density,
            ),
        );
    }
    page.prose(
        "KL(q‖p) is the backward divergence of lesson 13: it is large where q has mass and p has little, as between the two \
         peaks. A normal density that leaves out one of two equal peaks has a KL of at least ln 2, here 0.693. The one \
         trained at x = 3 only has more because a peak is not normal, the other because its network also serves all other \
         x. The one over both peaks has more still. The flow can bend and have two peaks.",
    );
    Ok(())
}

/// A square grid: the middles of its cells, and the area of one.
fn grid(reach: f64, side: usize) -> (Vec<f64>, f64) {
    let cell = 2.0 * reach / side as f64;
    let at = move |k: usize| -reach + (k as f64 + 0.5) * cell;
    ((0..side * side).flat_map(|k| [at(k % side), at(k / side)]).collect(), cell * cell)
}

/// ln of the normal density with the mean and the covariance of p, both by sums over these cells, at each of them.
fn matched(cells: &[f64], area: f64, log_p: &[f64]) -> Vec<f64> {
    let over_p = |value: &dyn Fn(&[f64]) -> f64| -> f64 {
        cells.chunks(2).zip(log_p).map(|(z, log_p)| log_p.exp() * value(z) * area).sum()
    };
    let centre = [0, 1].map(|i| over_p(&|z| z[i]));
    let product = |i: usize, j: usize| over_p(&|z| (z[i] - centre[i]) * (z[j] - centre[j]));
    let (a, b, c) = (product(0, 0), product(0, 1), product(1, 1));
    let det = a * c - b * b;
    let log_q = |z: &[f64]| {
        let (u, v) = (z[0] - centre[0], z[1] - centre[1]);
        -0.5 * ((c * u * u - 2.0 * b * u * v + a * v * v) / det + det.ln()) - (2.0 * PI).ln()
    };
    cells.chunks(2).map(log_q).collect()
}
