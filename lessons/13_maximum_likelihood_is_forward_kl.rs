//! Lesson 13: what maximum likelihood minimises, measured where the truth is known.

use std::error::Error;
use std::f64::consts::PI;

use pushforward::audit::Evidence;
use pushforward::bijection::{InverseWithLogDet, inverse_with_log_det};
use pushforward::flow::{FittedFlow, Trainer};
use pushforward::prelude::*;
use pushforward::program::{Output, Program};
use pushforward::sweep::simplify::simplify;
use pushforward::sweep::{Names, adjoint, formulas};
use pushforward::tape::{NodeId, Subgraph};
use pushforward_course::statistics::{mean, standard_error};
use pushforward_course::{Lesson, Page, Picture};

#[path = "judges/13_maximum_likelihood_is_forward_kl.rs"]
pub mod judge;

const SEED: u64 = 7;
const STEPS: usize = 1200;
const BATCH: usize = 256;

/// Five normal densities on a circle, of different weights: the truth, with an exact density and a sampler.
fn truth() -> Result<FittedFlow, Box<dyn Error>> {
    let angle = |k: usize| 2.0 * PI * k as f64 / 5.0;
    let means: Vec<Vec<f64>> = (0..5).map(|k| vec![2.2 * angle(k).cos(), 2.2 * angle(k).sin()]).collect();
    let base = GaussianMixture::new(
        &[1.0, 2.0, 1.5, 1.0, 0.5],
        &means,
        &[0.5, 0.3, 0.4, 0.5, 0.3].map(|v| vec![v, 0.0, 0.0, v]),
    );
    let identity: Vec<Box<dyn Bijection>> = vec![Box::new(Affine::identity(2))];
    let flow = Flow::new(base, identity)?;
    let start = flow.initial(SEED);
    Ok(flow.with(start)?)
}

/// So many coupling layers, halves alternating.
fn flow(count: usize) -> Result<Flow, Box<dyn Error>> {
    let layer = |k: usize| {
        let mask =
            if k.is_multiple_of(2) { CouplingMask::first_half(2) } else { CouplingMask::second_half(2) };
        Box::new(AffineCoupling::new(mask, Network::new([24, 24]))) as Box<dyn Bijection>
    };
    Ok(Flow::new(StandardNormal::new(2), (0..count).map(layer))?)
}

/// A square grid: the middles of its cells, and the area of one.
fn grid(reach: f64, side: usize) -> (Vec<f64>, f64) {
    let cell = 2.0 * reach / side as f64;
    let at = move |k: usize| -reach + (k as f64 + 0.5) * cell;
    ((0..side * side).flat_map(|k| [at(k % side), at(k / side)]).collect(), cell * cell)
}

/// Σ p·(ln p - ln q) over cells of this size, both given as logarithms.
fn divergence(p: &[f64], q: &[f64], cell: f64) -> f64 {
    p.iter().zip(q).map(|(p, q)| if p.exp() > 0.0 { p.exp() * (p - q) * cell } else { 0.0 }).sum()
}

/// ln of a normal density.
fn normal(x: f64, mean: f64, deviation: f64) -> f64 {
    -0.5 * ((x - mean) / deviation).powi(2) - deviation.ln() - 0.5 * (2.0 * PI).ln()
}

pub const LESSON: Lesson = Lesson {
    number: 13,
    slug: "13_maximum_likelihood_is_forward_kl",
    title: "Maximum likelihood is a distance to the truth",
    about: "what training lowers",
    exercise: &judge::EXERCISE,
    seconds: 15.0,
    trained: &["All along training"],
    needs: &[8],
    tell,
};

fn tell(page: &mut Page) -> Result<(), Box<dyn Error>> {
    page.question(
        "Training lowers the mean of -ln q(x) over data, the negative log-likelihood or NLL. Why this number? And how \
         low can it get?",
    );
    page.predict(
        "The data come from a density p that you know. A flow q is trained by NLL. Where does the curve end: at 0, at \
         -∞, or elsewhere? And what is the rest, the part above that floor?",
    );

    page.heading("By hand: three outcomes");
    page.prose("Let p be 1/2, 1/4, 1/4 and let q say 1/3 each time. Three sums, each weighted by p:");
    let (p, q) = ([0.5, 0.25, 0.25f64], [1.0 / 3.0f64; 3]);
    let sum = |f: &dyn Fn(usize) -> f64| (0..3).map(|k| p[k] * f(k)).sum::<f64>();
    let nll = sum(&|k| -q[k].ln());
    let entropy = sum(&|k| -p[k].ln());
    let kl = sum(&|k| (p[k] / q[k]).ln());
    page.number("NLL = Σ p·(-ln q) = ln 3", nll, "nats");
    page.number("H(p) = Σ p·(-ln p) = 3/2·ln 2", entropy, "nats");
    page.number("KL(p‖q) = Σ p·ln(p/q)", kl, "nats");
    page.check_close("NLL = H(p) + KL(p‖q)", nll, entropy + kl, 1e-15);
    page.prose(
        "H(p) is the entropy of p. KL(p‖q), the Kullback-Leibler divergence, is never negative, and 0 only where q is \
         p. H(p) has no q in it. So the q with the lowest NLL is the q with the lowest KL(p‖q), and the floor is H(p).",
    );

    page.heading("The tape does it: one affine layer");
    page.prose(
        "Let p be a standard normal density and q the density of x = scale·z + shift. The tape derives -ln q and its \
         slopes by the two parameters:",
    );
    let tape = Tape::new();
    let x = tape.input(Shape::Vector(1));
    let InverseWithLogDet { z, log_det } = inverse_with_log_det(&Affine::new([1.5], [0.5]), x)?;
    let loss = log_det - StandardNormal::new(1).log_prob(z);
    let nodes: Vec<NodeId> = tape.parameters();
    let subgraph = Subgraph::new(&tape, &[x.id()], &[loss.id()]);
    let first = tape.len();
    let slopes = adjoint(&tape, &subgraph, &[(loss.id(), tape.constant(1.0))], &nodes);
    let shorter = |slope: Var<'_>| simplify(&tape, slope.id(), first, &[]).value.id();
    let slopes: Vec<NodeId> = slopes.into_iter().flatten().map(shorter).collect();
    let names = Names::new().with(x.id(), "x");
    let shown = [("-ln q", loss.id()), ("by scale", slopes[0]), ("by shift", slopes[1])];
    page.formula(formulas(&tape, &shown, &names));
    let outputs: Vec<Output> = slopes.iter().map(|slope| Output::Each(*slope)).collect();
    let mut program = Program::<f64>::compile(&tape, &[x.id()], &outputs);
    program.load(&Parameters::initialise(&tape, SEED))?;
    // The mean over p by quadrature.
    let n = 4000;
    let xs: Vec<f64> = (0..n).map(|k| -10.0 + 20.0 * (k as f64 + 0.5) / n as f64).collect();
    let found = program.run(&[&xs], n)?;
    let over_p = |values: &[f64]| {
        xs.iter().zip(values).map(|(x, value)| normal(*x, 0.0, 1.0).exp() * value).sum::<f64>() * 20.0
            / n as f64
    };
    page.prose(
        "For these two normal densities KL(p‖q) is a formula of the textbooks, ln s + (1 + m²)/(2s²) - 1/2, where s is the \
         scale of q and m its shift. At s = 1.5, m = 0.5 its slopes by them are 1/s - (1 + m²)/s³ and m/s². The slopes of NLL, from the tape, averaged over p:",
    );
    let expected = [1.0 / 1.5 - 1.25 / 1.5f64.powi(3), 0.5 / 1.5f64.powi(2)];
    for ((name, expected), values) in ["scale", "shift"].into_iter().zip(expected).zip(&found) {
        page.check_close(
            format!("the slope of NLL by the {name} is that of KL(p‖q), {expected:.6}"),
            over_p(values),
            expected,
            1e-9,
        );
    }

    page.heading("All along training");
    page.prose(
        "Now a p in the plane: five normal densities on a circle, of different weights. The flows have 1, 2, 4 and 8 affine \
         couplings (lesson 11), halves alternating. Every minibatch is drawn anew, so nothing can be memorised. The entropy and KL(p‖q) are found by quadrature over a \
         grid. NLL is what training estimates, a mean over 20 000 fresh points. NLL and the other two are \
         computed in different ways:",
    );
    let p = truth()?;
    let (cells, cell) = grid(6.0, 120);
    let log_p = p.log_prob(&cells)?;
    let mass: f64 = log_p.iter().map(|value| value.exp() * cell).sum();
    page.check_close("p has mass 1 on the grid", mass, 1.0, 1e-6);
    let entropy = -log_p.iter().map(|value| value.exp() * value * cell).sum::<f64>();
    page.number("H(p), the floor", entropy, "nats");
    let fresh = p.sample(20_000, SEED + 1)?;
    let stream = p.sample(STEPS * BATCH, SEED)?;
    let mut lines = Vec::new();
    let mut table = Vec::new();
    let mut ends = Vec::new();
    let (mut checkpoints, mut worst) = (0, 0.0f64);
    let mut picture_of = Vec::new();
    for count in [1, 2, 4, 8] {
        let start = flow(count)?.initial(SEED);
        let mut trainer = Trainer::<f64>::new(&flow(count)?, start, 5e-3)?;
        trainer.set_clip(10.0);
        let mut line = Vec::new();
        for (step, batch) in stream.chunks(2 * BATCH).enumerate() {
            trainer.set_learning_rate(5e-3 * (1.0 - 0.9 * step as f64 / STEPS as f64));
            trainer.step(batch)?;
            let done = step + 1;
            if !(done.is_multiple_of(150) || [10, 20, 40, 80].contains(&done)) {
                continue;
            }
            let q = flow(count)?.with(trainer.parameters().clone())?;
            let log_q = q.log_prob(&cells)?;
            let kl = divergence(&log_p, &log_q, cell);
            let scores: Vec<f64> = q.log_prob(&fresh)?.iter().map(|value| -value).collect();
            let off = (mean(&scores) - entropy - kl).abs() / standard_error(&scores);
            (checkpoints, worst) = (checkpoints + 1, worst.max(off));
            line.push((done as f64, kl));
            if done == STEPS {
                table.push(vec![
                    count.to_string(),
                    format!("{:.3}", mean(&scores)),
                    format!("{:.3}", mean(&scores) - entropy),
                    format!("{kl:.3}"),
                ]);
                ends.push(kl);
                picture_of.push((count, log_q));
            }
        }
        lines.push((count, line));
    }
    page.table(&["layers", "NLL", "NLL - H(p)", "KL(p‖q), quadrature"], table);
    let statement =
        "NLL - H(p) is KL(p‖q) throughout training, in standard errors of the mean over the points";
    match worst <= 4.0 {
        true => page.check(
            statement,
            Evidence::Checked { points: checkpoints, worst, tolerance: 4.0, seed: Some(SEED + 1) },
        ),
        false => page.check_that(statement, false, format!("{worst} standard errors")),
    }
    page.note(
        "KL(p‖q) is never below 0, and NLL - H(p) can be: it is a mean over some rows, which scatters about KL(p‖q). A score \
         slightly better than the floor, on few test rows, is luck and no mistake; the standard error says how much of it.",
    );
    let mut picture = Picture::new(
        "KL(p‖q) while training, by number of layers",
        "Four falling curves; the more layers, the lower the curve ends.",
    )
    .axes("steps", "KL, nats")
    .log_log();
    for (count, line) in lines {
        let label = if count == 1 { "1 layer".to_string() } else { format!("{count} layers") };
        picture = picture.line(&label, line);
    }
    page.picture("kl", picture);
    page.check_that(
        "every doubling of the number of layers brings q closer to p",
        ends.windows(2).all(|pair| pair[1] < pair[0]),
        format!("{ends:?}"),
    );
    page.check_that(
        "8 layers leave less than a fifth of what 1 leaves",
        ends[3] < 0.2 * ends[0],
        format!("{ends:?}"),
    );
    let heat = |title: &str, alt: &str, log_density: &[f64]| {
        // The cells of the grid with coordinates between -4 and 4.
        let near = |k: usize| (20..100).contains(&k);
        let shown = (0..120 * 120).filter(|k| near(k % 120) && near(k / 120)).map(|k| log_density[k].exp());
        Picture::new(title, alt).axes("x₁", "x₂").equal_aspect().heat_map(
            "density",
            (-4.0, 4.0),
            (-4.0, 4.0),
            80,
            shown.collect(),
        )
    };
    page.picture("truth", heat("p, the truth", "Five round spots on a circle, one of them weak.", &log_p));
    for (count, log_q) in &picture_of {
        match count {
            1 => page
                .picture("one_layer", heat("q, 1 layer", "One broad blurred shape over all spots.", log_q)),
            8 => page.picture(
                "eight_layers",
                heat("q, 8 layers", "The five spots, one of them weak, smeared into one another.", log_q),
            ),
            _ => {}
        }
    }

    page.heading("Forward, not backward");
    page.prose(
        "KL is not symmetric. Let p have two equal peaks, N(-2, 0.5²) and N(2, 0.5²), and let q be one normal density. \
         Of all q, the forward one lowers KL(p‖q), the backward one lowers KL(q‖p), each found on a grid of means and \
         deviations:",
    );
    let xs: Vec<f64> = (0..600).map(|k| -9.0 + 18.0 * (k as f64 + 0.5) / 600.0).collect();
    let peaks: Vec<f64> = xs
        .iter()
        .map(|x| (0.5 * normal(*x, -2.0, 0.5).exp() + 0.5 * normal(*x, 2.0, 0.5).exp()).ln())
        .collect();
    let mut best = [(f64::INFINITY, 0.0, 0.0); 2];
    for (m, s) in (0..31).flat_map(|i| (4..31).map(move |j| (f64::from(i) * 0.1, f64::from(j) * 0.1))) {
        let q: Vec<f64> = xs.iter().map(|x| normal(*x, m, s)).collect();
        for (best, kl) in best.iter_mut().zip([divergence(&peaks, &q, 0.03), divergence(&q, &peaks, 0.03)]) {
            if kl < best.0 {
                *best = (kl, m, s);
            }
        }
    }
    let row = |name: &str, (kl, m, s): (f64, f64, f64)| {
        vec![name.to_string(), format!("{m:.1}"), format!("{s:.1}"), format!("{kl:.3}")]
    };
    page.table(
        &["lowest", "mean", "deviation", "nats"],
        vec![row("KL(p‖q), forward", best[0]), row("KL(q‖p), backward", best[1])],
    );
    page.check_close("forward, the mean is p's own", best[0].1, 0.0, 0.051);
    page.check_close("forward, the deviation is p's own, √4.25", best[0].2, 4.25f64.sqrt(), 0.051);
    page.check_close("backward, q covers one peak only", best[1].1, 2.0, 0.051);
    page.prose(
        "Where p has data and q has none, -ln q is huge: forward, q must cover all of p, even if it then \
         covers a gap, too. Maximum likelihood needs samples of p only, and that is what data are. The \
         backward one needs p's own formula.",
    );

    page.heading("In general");
    page.formula("-(1/n)·Σ ln q(xᵢ)  →  H(p) + KL(p‖q)   as n → ∞, xᵢ drawn from p");
    page.heading("What people get wrong");
    page.misconception(
        "\"NLL is an ad-hoc loss.\" Up to a constant that no training can change, it is the divergence from the truth to \
         the model. A negative NLL is no mistake either: densities exceed 1, and then H(p) can be below 0.",
    );
    page.exercise(&judge::EXERCISE);
    page.read_on(
        "Papamakarios, Nalisnick, Rezende, Mohamed, Lakshminarayanan, \"Normalizing Flows for Probabilistic Modeling \
         and Inference\" (2021), section 2.3, equations 12 to 15.",
    );
    page.next("14_one_pass_sampling: drawing from what was learned.");
    Ok(())
}
