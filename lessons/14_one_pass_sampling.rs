//! Lesson 14: drawing a sample is one normal draw and one pass.

use std::error::Error;
use std::f64::consts::SQRT_2;
use std::time::Instant;

use pushforward::audit::Evidence;
use pushforward::bijection::{forward_with_log_det, leaves, record_inverse};
use pushforward::prelude::*;
use pushforward::program::{Output, Program};
use pushforward_course::statistics::ks_distance;
use pushforward_course::{Lesson, Page, Picture, fit_slope, formulas, values};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

#[path = "judges/14_one_pass_sampling.rs"]
pub mod judge;

const SEED: u64 = 7;
const ROWS: usize = 32;

/// x₁ = z₁,  x₂ = z₂·exp(tanh z₁) + z₁²
struct Bend;

impl Bijection for Bend {
    fn dim(&self) -> usize {
        2
    }
    fn structure(&self) -> Structure {
        Structure::LowerTriangular
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let (z1, z2) = (z.at(0), z.at(1));
        stack([z1, z2 * z1.tanh().exp() + z1.powi(2)])
    }
}

/// Two ways to draw from one density of d variables.
struct Samplers {
    d: usize,
    /// x, from z.
    flow: Program<f64>,
    /// z and the slopes ∂zᵢ/∂xᵢ, from x: the density's own direction, one pass of its network.
    density: Program<f64>,
    passes: usize,
}

impl Samplers {
    /// A layer of MAF, away from the identity that it starts as.
    fn new(d: usize) -> Result<Samplers, Box<dyn Error>> {
        let layer = Autoregressive::maf(MaskedNetwork::new(d, [d]));
        let tape = Tape::new();
        let input = tape.input(Shape::Vector(d));
        let x = forward_with_log_det(&layer, input)?.x;
        let way = forward_with_log_det(leaves(&layer)[0].layer(), input)?;
        let slopes = way.layers[0].diagonal.ok_or("it is triangular")?;
        let mut parameters = Parameters::initialise(&tape, SEED);
        let reach = 0.5 / (d as f64).sqrt();
        for (k, (_, tensor)) in parameters.iter_mut().enumerate() {
            let numbers = tensor.values.iter_mut().enumerate();
            numbers.for_each(|(e, value)| *value += reach * ((7 * k + 3 * e) as f64).sin());
        }
        let mut flow = Program::compile(&tape, &[input.id()], &[Output::Each(x.id())]);
        flow.load(&parameters)?;
        let outputs = [Output::Each(way.x.id()), Output::Each(slopes)];
        let mut density = Program::compile(&tape, &[input.id()], &outputs);
        density.load(&parameters)?;
        Ok(Samplers { d, flow, density, passes: 0 })
    }

    /// All variables at once: one call.
    fn at_once(&mut self, noise: &[f64]) -> Result<Vec<f64>, Box<dyn Error>> {
        self.passes = 1;
        Ok(self.flow.run(&[noise], noise.len() / self.d)?.swap_remove(0))
    }

    /// One variable after the other: a pass over what is known says how the next one is distributed.
    fn step_by_step(&mut self, noise: &[f64]) -> Result<Vec<f64>, Box<dyn Error>> {
        self.passes = 0;
        let (d, rows) = (self.d, noise.len() / self.d);
        let mut x = vec![0.0; noise.len()];
        for i in 0..d {
            let known = self.density.run(&[&x], rows)?;
            self.passes += 1;
            for e in (0..rows).map(|row| row * d + i) {
                // zᵢ is a straight line in xᵢ: from where it is at xᵢ = 0 to the noise.
                x[e] += (noise[e] - known[0][e]) / known[1][e];
            }
        }
        Ok(x)
    }
}

/// The shortest of a few runs, in seconds.
fn shortest(mut run: impl FnMut() -> Result<Vec<f64>, Box<dyn Error>>) -> Result<f64, Box<dyn Error>> {
    let mut least = f64::INFINITY;
    for _ in 0..3 {
        let start = Instant::now();
        run()?;
        least = least.min(start.elapsed().as_secs_f64());
    }
    Ok(least)
}

/// Correlation of a series with itself, so many places on.
fn autocorrelation(series: &[f64], lag: usize) -> f64 {
    let mean = series.iter().sum::<f64>() / series.len() as f64;
    let product =
        |lag: usize| -> f64 { series.iter().zip(&series[lag..]).map(|(a, b)| (a - mean) * (b - mean)).sum() };
    product(lag) / product(0)
}

/// 1 + 2·Σ ρₖ up to the first ρₖ below 0.02: how many draws are worth one independent draw.
fn autocorrelation_time(series: &[f64]) -> f64 {
    let correlations = (1..series.len() / 4).map(|lag| autocorrelation(series, lag));
    1.0 + 2.0 * correlations.take_while(|rho| *rho > 0.02).sum::<f64>()
}

pub const LESSON: Lesson = Lesson {
    number: 14,
    slug: "14_one_pass_sampling",
    title: "A sample in one pass",
    about: "one normal draw, one pass, no chain",
    exercise: &judge::EXERCISE,
    seconds: 5.0,
    trained: &["And a chain"],
    needs: &[12],
    tell,
};

fn tell(page: &mut Page) -> Result<(), Box<dyn Error>> {
    page.question(
        "A Markov chain draws samples step after step, and a language model writes one token after another. \
         How does a flow draw a sample?",
    );
    page.predict(
        "A density of 256 variables, p(x₁)·p(x₂ | x₁)·…, each factor given by one masked network. Drawing variable by \
         variable runs the network 256 times. How often must a flow of the same density run it?",
    );

    page.heading("By hand: two variables");
    page.formula(formulas(&record(&Bend)?));
    page.prose(
        "Let z be (0.3, -1.2), two draws of a standard normal variable. One pass: x₁ = 0.3, and x₂ is \
         -1.2·exp(tanh 0.3) + 0.09. Or step by step: draw x₁ = 0.3; given that, x₂ is normal with mean 0.3² and \
         deviation exp(tanh 0.3); draw it with the noise -1.2. It is the same sum:",
    );
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(2));
    let x = values(&tape, z, &[Bend.forward(z)], &[0.3, -1.2]).swap_remove(0);
    page.number("x₂, by the tape in one pass", x[1], "");
    page.check_close("x₂ step by step", 0.09 + 0.3f64.tanh().exp() * -1.2, x[1], 1e-15);

    page.heading("The same samples, variable by variable");
    page.prose(
        "Now d variables and one layer of MAF, a masked network with d hidden units. The step-by-step \
         sampler uses only the factors of p: a pass over the variables drawn so far gives mean and deviation \
         of the next. The flow uses the derived inverse of the same layer. Both get the same noise, 32 rows:",
    );
    let (mut counted, mut timed, mut worst) = (Vec::new(), Vec::new(), 0.0f64);
    let (mut steps, mut once, mut ratios) = (Vec::new(), Vec::new(), Vec::new());
    for d in [2, 4, 8, 16, 32, 64, 128, 256] {
        let mut samplers = Samplers::new(d)?;
        let mut random = ChaCha8Rng::seed_from_u64(SEED);
        let mut noise = vec![0.0; ROWS * d];
        StandardNormal::new(ROWS * d).sample(&mut random, &mut noise);
        let slow = samplers.step_by_step(&noise)?;
        let slow_passes = samplers.passes;
        let fast = samplers.at_once(&noise)?;
        let off = slow.iter().zip(&fast).map(|(a, b)| (a - b).abs() / a.abs().max(1.0));
        worst = worst.max(off.fold(0.0, f64::max));
        let slow_work = slow_passes as u64 * samplers.density.operations();
        let fast_work = samplers.flow.operations();
        counted.push(vec![
            d.to_string(),
            slow_passes.to_string(),
            samplers.passes.to_string(),
            slow_work.to_string(),
            fast_work.to_string(),
            format!("{:.1}", slow_work as f64 / fast_work as f64),
        ]);
        steps.push((d as f64, slow_work as f64));
        once.push((d as f64, fast_work as f64));
        ratios.push(slow_work as f64 / fast_work as f64 / d as f64);
        let slow_time = shortest(|| samplers.step_by_step(&noise))?;
        let fast_time = shortest(|| samplers.at_once(&noise))?;
        timed.push(vec![d.to_string(), format!("{:.1}", slow_time / fast_time)]);
    }
    match worst <= 1e-9 {
        true => page.check(
            "the same noise gives the same samples, d = 2 to 256",
            Evidence::Checked { points: 8 * ROWS, worst, tolerance: 1e-9, seed: Some(SEED) },
        ),
        false => page.check_that("the same noise gives the same samples", false, format!("{worst}")),
    }
    page.table(
        &["d", "passes, steps", "passes, flow", "operations, steps", "operations, flow", "ratio"],
        counted,
    );
    page.check_that(
        "the flow saves a factor of d, to within a half",
        ratios.iter().skip(2).all(|ratio| (0.67..1.5).contains(ratio)),
        format!("{ratios:?}"),
    );
    let exponents = [&steps, &once].map(|points| fit_slope(&points[4..]).0);
    page.number("step by step: operations grow as d to the", exponents[0], "");
    page.number("the flow: operations grow as d to the", exponents[1], "");
    page.check_close("one power of d apart", exponents[0] - exponents[1], 1.0, 0.05);
    page.picture(
        "cost",
        Picture::new(
            "Operations for one sample of d variables",
            "Two rising straight lines; the one for step by step is steeper by one power of d.",
        )
        .axes("d", "number")
        .log_log()
        .line("step by step", steps)
        .line("one pass", once),
    );
    page.prose("Measured, step by step over one pass, for 32 rows side by side:");
    page.measured_table(&["d", "ratio of times"], timed);
    page.note(
        "One pass of MAF still waits d times in sequence, as lesson 12 counted: variable i needs those \
         before it. A coupling layer waits twice whatever d is, and IAF not at all. Where sampling must be \
         fast, use those.",
    );

    page.heading("And a chain");
    page.prose(
        "Metropolis' algorithm needs only ln p. From x it proposes x + 0.8·noise, and goes there if p is higher, or else \
         with probability p(there)/p(here). 20 000 steps on the density of the bent map above, one evaluation of ln p a \
         step, against 20 000 samples of the flow, one pass each:",
    );
    let flow = || -> Result<_, Box<dyn Error>> {
        let layers: Vec<Box<dyn Bijection>> = vec![Box::new(Bend)];
        let flow = Flow::new(StandardNormal::new(2), layers)?;
        let start = flow.initial(SEED);
        Ok(flow.with(start)?)
    };
    let fitted = flow()?;
    const DRAWS: usize = 20_000;
    let mut random = ChaCha8Rng::seed_from_u64(SEED);
    let mut here = [0.0, 0.0];
    let mut log_p = fitted.log_prob(&here)?[0];
    let (mut chain, mut accepted) = (Vec::with_capacity(DRAWS), 0);
    for _ in 0..DRAWS {
        let mut there = [0.0; 2];
        StandardNormal::new(2).sample(&mut random, &mut there);
        there = [here[0] + 0.8 * there[0], here[1] + 0.8 * there[1]];
        let proposed = fitted.log_prob(&there)?[0];
        if (1.0 - random.random::<f64>()).ln() < proposed - log_p {
            (here, log_p) = (there, proposed);
            accepted += 1;
        }
        chain.push(here[0]);
    }
    let drawn: Vec<f64> = fitted.sample(DRAWS, SEED)?.into_iter().step_by(2).collect();
    let times = [autocorrelation_time(&chain), autocorrelation_time(&drawn)];
    let gap = |series: &[f64]| {
        ks_distance(&series.iter().map(|x| 0.5 * libm::erfc(-x / SQRT_2)).collect::<Vec<_>>())
    };
    let gaps = [gap(&chain), gap(&drawn)];
    let row = |name: &str, k: usize, series: &[f64]| {
        vec![
            name.to_string(),
            format!("{:.3}", autocorrelation(series, 1)),
            format!("{:.1}", times[k]),
            format!("{:.0}", DRAWS as f64 / times[k]),
            format!("{:.4}", gaps[k]),
        ]
    };
    page.table(
        &["x₁ by", "correlation", "passes for one", "worth", "gap to Φ"],
        vec![row("the chain", 0, &chain), row("the flow", 1, &drawn)],
    );
    page.prose(
        "The columns: the correlation of one draw with the one before; how many passes one independent draw \
         takes; how many independent draws the 20 000 are worth; the largest gap to the exact distribution \
         function of x₁ (of Kolmogorov and Smirnov).",
    );
    page.number("proposals that were accepted", 100.0 * f64::from(accepted) / DRAWS as f64, "%");
    let limit = 4.0 / (DRAWS as f64).sqrt();
    page.check_close("draws of the flow are uncorrelated", autocorrelation(&drawn, 1), 0.0, limit);
    page.check_close(
        "and follow the exact distribution of x₁ (p = 0.001)",
        gaps[1],
        0.0,
        1.95 / (DRAWS as f64).sqrt(),
    );
    page.check_that("the chain needs more than 10 passes for one", times[0] > 10.0, format!("{times:?}"));
    page.picture(
        "traces",
        Picture::new(
            "x₁, draw after draw: the first 150",
            "The chain wanders slowly with flat pieces; the flow jumps anywhere at each draw.",
        )
        .axes("draw", "x₁")
        .line("chain", chain.iter().take(150).enumerate().map(|(k, x)| (k as f64, *x)).collect())
        .scatter("flow", drawn.iter().take(150).enumerate().map(|(k, x)| (k as f64, *x)).collect()),
    );

    page.heading("In general");
    page.formula("x = f(z),  z drawn from p_Z");
    let back = record_inverse(&Bend, z)?;
    let again = values(&tape, z, &[back], &x).swap_remove(0);
    page.check_close("and back: f⁻¹ of the sample is the noise it came from, z₂", again[1], -1.2, 1e-14);
    page.heading("What people get wrong");
    page.misconception(
        "\"Sampling needs a chain.\" A chain is for densities without a map. Here the map is what was \
         learned: each sample is exact, independent of the others, and costs one pass.",
    );
    page.exercise(&judge::EXERCISE);
    page.read_on(
        "Papamakarios, Pavlakou, Murray, \"Masked Autoregressive Flow\" (2017), section 3.2, on which models \
         sample in one pass; van den Oord et al., \"Parallel WaveNet\" (2018), section 3, where a d-step \
         sampler is replaced by a flow.",
    );
    page.next("15_simple_bases: what the noise should be.");
    Ok(())
}
