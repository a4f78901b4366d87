//! Lesson 17: from effects back to causes, as a density.

use std::error::Error;
use std::f64::consts::PI;

use pushforward::flow::FittedFlow;
use pushforward::prelude::*;
use pushforward_course::statistics::{histogram, mean, uniform_chi2_p};
use pushforward_course::{Lesson, Page, Picture, equation};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

#[path = "judges/17_inverse_problems.rs"]
pub mod judge;

const SEED: u64 = 7;
/// The standard deviation of the measurement's noise.
const NOISE: f64 = 0.4;

type Layers = Vec<Box<dyn Bijection>>;

/// x = z + w·c, with a context c of one number.
struct Moved {
    d: usize,
}

impl Bijection for Moved {
    fn dim(&self) -> usize {
        self.d
    }
    fn structure(&self) -> Structure {
        Structure::Diagonal
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let w = z.tape().parameter("w", Shape::Vector(self.d), Init::Constant(0.0));
        z + w * z.tape().context(1).at(0)
    }
}

fn normals(count: usize, seed: u64) -> Vec<f64> {
    let mut numbers = vec![0.0; count];
    StandardNormal::new(count).sample(&mut ChaCha8Rng::seed_from_u64(seed), &mut numbers);
    numbers
}

/// What the instrument shows without noise.
fn instrument(theta: &[f64]) -> f64 {
    theta[1] + theta[0] * theta[0]
}

/// Causes from the prior, and what was measured of each.
fn simulated(rows: usize, seed: u64) -> Result<(Table, Table), Box<dyn Error>> {
    let numbers = normals(3 * rows, seed);
    let causes = numbers.chunks(3).flat_map(|n| [n[0], n[1]]).collect();
    let measured = numbers.chunks(3).map(|n| instrument(n) + NOISE * n[2]).collect();
    Ok((Table::new(&["θ₁", "θ₂"], causes)?, Table::new(&["x"], measured)?))
}

/// ln of a normal density.
fn normal(x: f64, mean: f64, variance: f64) -> f64 {
    -0.5 * ((x - mean).powi(2) / variance + variance.ln() + (2.0 * PI).ln())
}

/// ln p(θ, x): the prior and the likelihood.
fn joint(theta: &[f64], x: f64) -> f64 {
    normal(theta[0], 0.0, 1.0) + normal(theta[1], 0.0, 1.0) + normal(x, instrument(theta), NOISE * NOISE)
}

/// ln p(x) = ln ∫ p(θ₁)·N(x; θ₁², 1 + noise²) dθ₁: θ₂ is integrated by hand, θ₁ by the midpoint rule.
fn evidence(x: f64) -> f64 {
    let cell = 0.01;
    let at = |k: i32| (f64::from(k) + 0.5) * cell;
    let density = |t: f64| (normal(t, 0.0, 1.0) + normal(x, t * t, 1.0 + NOISE * NOISE)).exp();
    ((-800..800).map(|k| density(at(k)) * cell).sum::<f64>()).ln()
}

/// Four coupling layers with the measurement as context.
fn layers() -> Layers {
    let layer = |k: usize| {
        let mask =
            if k.is_multiple_of(2) { CouplingMask::first_half(2) } else { CouplingMask::second_half(2) };
        let network = Network::new([32]).with_context(1);
        Box::new(SplineCoupling::new(mask, network, SplineTransformer::new(8, 4.0))) as Box<dyn Bijection>
    };
    (0..4).map(layer).collect()
}

fn shown_p(p: f64) -> String {
    if p < 1e-6 { "below 1e-6".to_string() } else { format!("{p:.3}") }
}

/// A number that follows from causes and a measurement.
type Quantity = fn(&[f64], f64) -> f64;

/// What is ranked: each cause, and how well a cause explains the measurement.
const QUANTITIES: [(&str, Quantity); 3] = [
    ("θ₁", |theta, _| theta[0]),
    ("θ₂", |theta, _| theta[1]),
    ("p(x | θ)", |theta, x| -(x - instrument(theta)).abs()),
];

pub const LESSON: Lesson = Lesson {
    number: 17,
    slug: "17_inverse_problems",
    title: "Inverse problems",
    about: "a posterior as a flow, and its ranks",
    exercise: &judge::EXERCISE,
    seconds: 15.0,
    trained: &["By hand", "Two causes", "The posterior", "Is it calibrated"],
    needs: &[8],
    tell,
};

fn tell(page: &mut Page) -> Result<(), Box<dyn Error>> {
    page.question(
        "An instrument turns causes θ into a measurement x. You have x and want θ. If several causes have the same \
         effect, what is the answer?",
    );
    page.predict(
        "Two causes, each standard normal before anything is measured, and x = θ₂ + θ₁² + noise. You read x = 3. What is \
         your best single guess of θ₁, and what would the instrument show if it were true?",
    );

    page.heading("By hand: one cause, linear");
    page.prose(
        "θ is standard normal, x = θ + ε with noise of variance v. Bayes' rule gives the density of θ given \
         x, the posterior: normal with mean x/(1 + v) and variance v/(1 + v). A flow for p(θ | x) has x as a \
         context: the map does not transform it, but depends on it. The simplest one has two layers, an \
         affine one and one that adds w·context:",
    );
    let straight = || -> Layers { vec![Box::new(Affine::identity(1)), Box::new(Moved { d: 1 })] };
    page.listing(
        "struct Moved; // θ = z + w·x, with the measurement x as a context\n\
         fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {\n    \
             let w = z.tape().parameter(\"w\", Shape::Scalar, Init::Constant(0.0));\n    \
             z + w * z.tape().context(1).at(0)\n\
         }",
    );
    let recording = record(&Chain::new(straight()))?;
    let context = recording.tape().declared_context().ok_or("the second layer has a context")?;
    let names = [(recording.input(), "z"), (context, "x")];
    page.formula(equation("θ", recording.output(), &names).and(equation(
        "ln|det J|",
        recording.log_det(),
        &names,
    )));
    let v = 0.5;
    let numbers = normals(2 * 8000, SEED);
    let causes: Vec<f64> = numbers.chunks(2).map(|n| n[0]).collect();
    let measured: Vec<f64> = numbers.chunks(2).map(|n| n[0] + f64::sqrt(v) * n[1]).collect();
    let (causes, measured) = (Table::new(&["θ"], causes)?, Table::new(&["x"], measured)?);
    let contexts = Some(&measured);
    let settings =
        FitOptions { seed: SEED, epochs: 40, learning_rate: 2e-2, contexts, ..FitOptions::default() };
    let line = Flow::new(StandardNormal::new(1), straight())?.fit(&causes, settings)?;
    let learned = |name: &str| line.parameters().get(name).map_or(f64::NAN, |t| t.values[0]);
    page.prose("In code, for tables of the causes and of the measurements, row by row:");
    page.listing(
        "let layers: Vec<Box<dyn Bijection>> = vec![\n    \
             Box::new(Affine::identity(1)),\n    \
             Box::new(Moved),\n\
         ];\n\
         let contexts = Some(&measured);\n\
         let options = FitOptions { contexts, ..FitOptions::default() };\n\
         let flow = Flow::new(StandardNormal::new(1), layers)?.fit(&causes, options)?;\n\
         let log_p = flow.log_prob_given(&[0.5], &[3.0])?;     // ln p(θ = 0.5 | x = 3)\n\
         let thetas = flow.sample_given(1000, &[3.0], 7)?;     // 1000 causes of x = 3",
    );
    page.prose("8000 pairs (θ, x) were simulated, and ln p(θ | x) was maximised. It learned, with v = 0.5:");
    page.check_close("the slope of the mean, w = 1/(1 + v)", learned("layers.1.w"), 1.0 / (1.0 + v), 0.02);
    page.check_close(
        "the variance, scale² = v/(1 + v)",
        learned("layers.0.scale").powi(2),
        v / (1.0 + v),
        0.02,
    );
    page.prose(
        "No likelihood was used in training, only simulated pairs, which is all that a simulator provides.",
    );

    page.heading("Two causes, bent");
    page.prose(
        "Now x = θ₂ + θ₁² + ε, with ε of deviation 0.4. The posterior is known as well: prior times likelihood, over an \
         integral that is a sum over a fine grid here. Four coupling layers of splines with x as context are trained on \
         20 000 simulated pairs. What is proven of such a layer is proven for every context:",
    );
    let report = audit(&layers()[0])?;
    let claim =
        report.claim(pushforward::audit::Topic::Structure).ok_or("a declared structure is a claim")?;
    page.check(claim.statement.clone(), claim.evidence.clone());
    let (causes, measured) = simulated(20_000, SEED)?;
    let contexts = Some(&measured);
    let settings = FitOptions {
        seed: SEED,
        epochs: 30,
        batch: 256,
        learning_rate: 5e-3,
        contexts,
        ..FitOptions::default()
    };
    let flow = Flow::new(StandardNormal::new(2), layers())?.fit(&causes, settings)?;
    // Linear in z and in x: the best Gaussian whose mean is a straight line in x.
    let linear: Layers = vec![Box::new(Linear::identity(2)), Box::new(Moved { d: 2 })];
    let settings =
        FitOptions { seed: SEED, epochs: 15, learning_rate: 1e-2, contexts, ..FitOptions::default() };
    let gaussian = Flow::new(StandardNormal::new(2), linear)?.fit(&causes, settings)?;
    let (truths, shown) = simulated(4000, SEED + 1)?;
    let by_flow = mean(&flow.log_prob_given(truths.values(), shown.values())?);
    let by_gaussian = mean(&gaussian.log_prob_given(truths.values(), shown.values())?);
    let posterior = |k: usize| joint(truths.row(k), shown.row(k)[0]) - evidence(shown.row(k)[0]);
    let exact = mean(&(0..truths.rows()).map(posterior).collect::<Vec<_>>());
    page.table(
        &["posterior", "mean ln p(θ | x) of 4000 new pairs"],
        vec![
            vec!["Gaussian, its mean a line in x".into(), format!("{by_gaussian:.3}")],
            vec!["the flow".into(), format!("{by_flow:.3}")],
            vec!["exact".into(), format!("{exact:.3}")],
        ],
    );
    page.check_that(
        "the flow closes more than nine tenths of the gap",
        by_flow - by_gaussian > 0.9 * (exact - by_gaussian) && by_flow < exact + 0.02,
        format!("{by_gaussian}, {by_flow}, {exact}"),
    );

    page.heading("The posterior at x = 3");
    let (side, reach, x) = (80, 3.6, 3.0);
    let at = |k: usize| -reach + 2.0 * reach * (k as f64 + 0.5) / side as f64;
    let area = (2.0 * reach / side as f64).powi(2);
    let cells: Vec<f64> = (0..side * side).flat_map(|k| [at(k % side), at(k / side)]).collect();
    let of_flow = |flow: &FittedFlow, x: f64| flow.log_prob_given(&cells, &[x]);
    let of_truth = |x: f64| -> Vec<f64> {
        let total = evidence(x);
        cells.chunks(2).map(|theta| joint(theta, x) - total).collect()
    };
    let draw = |title: &str, log_p: &[f64]| {
        Picture::new(title, "An arch of density, open below, with its two feet brighter than its top.")
            .axes("θ₁", "θ₂")
            .equal_aspect()
            .heat_map(
                "density",
                (-reach, reach),
                (-reach, reach),
                side,
                log_p.iter().map(|v| v.exp()).collect(),
            )
    };
    page.picture("exact", draw("p(θ | x = 3), exact", &of_truth(x)));
    page.picture("flow", draw("q(θ | x = 3), the flow", &of_flow(&flow, x)?));
    let mut rows = Vec::new();
    let mut largest = 0.0f64;
    for x in [-1.0, 1.0, 3.0, 5.0] {
        let (p, q) = (of_truth(x), of_flow(&flow, x)?);
        let linear = gaussian.log_prob_given(&cells, &[x])?;
        let divergence = |q: &[f64]| -> f64 { p.iter().zip(q).map(|(p, q)| p.exp() * (p - q) * area).sum() };
        let (kl, other) = (divergence(&q), divergence(&linear));
        largest = largest.max(kl / other);
        rows.push(vec![format!("{x}"), format!("{kl:.3}"), format!("{other:.3}")]);
    }
    page.table(&["x", "KL to the flow, nats", "KL to the Gaussian"], rows);
    page.check_that("at each x, less than a fifth of the Gaussian's", largest < 0.2, format!("{largest}"));
    page.prose(
        "A point estimate: the mean of the posterior. By symmetry its θ₁ is 0, in the middle between the two \
         feet. What would the instrument measure for it, and how far is that from x = 3, in deviations of its noise? Of the \
         samples this is the root of the mean square:",
    );
    let weights: Vec<f64> = of_truth(x).iter().map(|v| v.exp() * area).collect();
    let centre: Vec<f64> =
        (0..2).map(|i| weights.iter().zip(cells.chunks(2)).map(|(w, t)| w * t[i]).sum()).collect();
    let samples = flow.sample_given(4000, &[x], SEED)?;
    let shows: Vec<f64> = samples.chunks(2).map(instrument).collect();
    let spread = mean(&shows.iter().map(|s| (s - x).powi(2)).collect::<Vec<_>>()).sqrt();
    page.table(
        &["answer", "the instrument shows", "off, in deviations"],
        vec![
            vec![
                format!("the mean, ({:.2}, {:.2})", centre[0].abs(), centre[1]),
                format!("{:.2}", instrument(&centre)),
                format!("{:.1}", (instrument(&centre) - x).abs() / NOISE),
            ],
            vec![
                "4000 samples".into(),
                format!("{:.2} on average", mean(&shows)),
                format!("{:.1}", spread / NOISE),
            ],
        ],
    );
    page.check_that(
        "the mean of all causes does not explain x: more than 4 deviations off",
        (instrument(&centre) - x).abs() > 4.0 * NOISE,
        format!("{centre:?}"),
    );
    page.check_that("the samples do, within 1.5", spread < 1.5 * NOISE, format!("{spread}"));

    page.heading("Is it calibrated?");
    page.prose(
        "Where the posterior is unknown, there is still a test: draw θ from the prior, x from θ, and 99 \
         samples from q(θ | x). If q is right, θ is one more of them, and its rank among the 100 is \
         uniformly distributed. 2000 such ranks in 21 bins, and the p-value of a χ² test that they are \
         uniform:",
    );
    let (truths, shown) = simulated(2000, SEED + 2)?;
    let contexts: Vec<f64> = shown.values().iter().flat_map(|x| [*x; 99]).collect();
    let from_flow = flow.sample_given(2000 * 99, &contexts, SEED + 3)?;
    let from_gaussian = gaussian.sample_given(2000 * 99, &contexts, SEED + 4)?;
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut ranks = |samples: &[f64], quantity: Quantity| -> Vec<f64> {
        let of_row = |(k, drawn): (usize, &[f64])| {
            let x = shown.row(k)[0];
            let own = quantity(truths.row(k), x);
            let below = drawn.chunks(2).filter(|theta| quantity(theta, x) < own).count();
            // Anywhere within its hundredth.
            (below as f64 + random.random::<f64>()) / 100.0
        };
        samples.chunks(2 * 99).enumerate().map(of_row).collect()
    };
    let (mut rows, mut p_values, mut lines) = (Vec::new(), Vec::new(), Vec::new());
    for (name, quantity) in QUANTITIES {
        let both = [ranks(&from_flow, quantity), ranks(&from_gaussian, quantity)];
        let p = both.clone().map(|u| uniform_chi2_p(&u));
        rows.push(vec![name.to_string(), format!("{:.3}", p[0]), shown_p(p[1])]);
        p_values.push(p);
        lines = both.to_vec();
    }
    page.table(&["rank of", "the flow, p", "the Gaussian, p"], rows);
    let smallest = p_values.iter().map(|p| p[0]).fold(1.0, f64::min);
    page.check_that(
        "nothing speaks against uniform ranks of the flow: each p above 0.01/3 (three tests, 1 % in all)",
        smallest > 0.01 / 3.0,
        format!("{p_values:?}"),
    );
    page.check_that(
        "the Gaussian's ranks of p(x | θ) are not",
        p_values[2][1] < 1e-6,
        format!("{p_values:?}"),
    );
    page.check_that(
        "but its ranks of θ₁ are: it answers with the prior, whatever x is",
        p_values[0][1] > 0.01 / 3.0,
        format!("{p_values:?}"),
    );
    page.note(
        "A wrong posterior can have uniform ranks in one variable. So rank something that depends on x as \
         well, such as the likelihood of θ, the third line. Where the likelihood is unknown, rank the flow's own ln q(θ | x).",
    );
    page.picture(
        "ranks",
        Picture::new(
            "Ranks of p(x | θ) among 99 samples: 1 is uniform",
            "A level line for the flow, and one that rises steeply to the right for the Gaussian.",
        )
        .axes("rank", "density")
        .line("flow", histogram(&lines[0], (0.0, 1.0), 21))
        .line("Gaussian", histogram(&lines[1], (0.0, 1.0), 21)),
    );

    page.heading("In general");
    page.formula("θ = f(z; x),   ln q(θ | x) = ln p_Z(z) - ln|det J_f(z; x)|");
    page.heading("What people get wrong");
    page.misconception(
        "\"A point estimate is enough.\" Where two causes have one effect, their mean is a cause of another. The answer is \
         a density, and that it is wrong can be found out without knowing the right one.",
    );
    page.exercise(&judge::EXERCISE);
    page.read_on(
        "Cranmer, Brehmer, Louppe, \"The frontier of simulation-based inference\" (2020); Talts, Betancourt, Simpson, \
         Vehtari, Gelman, \"Validating Bayesian Inference Algorithms with Simulation-Based Calibration\" (2018), theorem 1; \
         Modrák et al., \"Simulation-Based Calibration Checking\" (2023), on what to rank.",
    );
    page.next("18_five_paradigms: five ways to learn a distribution, measured alike.");
    Ok(())
}
