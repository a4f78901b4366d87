//! Lesson 15: simple bases, and where a base does matter.

use std::error::Error;

use pushforward::flow::FittedFlow;
use pushforward::prelude::*;
use pushforward_course::statistics::mean;
use pushforward_course::{Lesson, Page, Picture, data, formulas, values};

#[path = "judges/15_simple_bases.rs"]
pub mod judge;

const SEED: u64 = 7;

type Layers = Vec<Box<dyn Bijection>>;

/// What z is drawn from.
#[derive(Clone, Copy, PartialEq)]
enum Kind {
    Gaussian,
    Uniform,
    Logistic,
    StudentT,
    Mixture,
}

const KINDS: [(Kind, &str); 5] = [
    (Kind::Gaussian, "Gaussian"),
    (Kind::Uniform, "uniform"),
    (Kind::Logistic, "logistic"),
    (Kind::StudentT, "Student t, ν = 5"),
    (Kind::Mixture, "4 Gaussians, learned"),
];

/// So many coupling layers, halves alternating.
fn couplings(count: usize) -> Layers {
    let layer = |k: usize| {
        let mask =
            if k.is_multiple_of(2) { CouplingMask::first_half(2) } else { CouplingMask::second_half(2) };
        Box::new(AffineCoupling::new(mask, Network::new([24]))) as Box<dyn Bijection>
    };
    (0..count).map(layer).collect()
}

/// A base in the plane, so many coupling layers, and a linear layer that mixes. The cube is opened to the plane by a
/// first layer that has no parameters.
fn flow(kind: Kind, count: usize) -> Result<Flow, Box<dyn Error>> {
    let base: Box<dyn Base> = match kind {
        Kind::Gaussian => Box::new(StandardNormal::new(2)),
        Kind::Uniform => Box::new(Uniform::new(2)),
        Kind::Logistic => Box::new(Logistic::new(2)),
        Kind::StudentT => Box::new(StudentT::new(2, 5.0)),
        Kind::Mixture => {
            let means = [[-1.0, -1.0], [-1.0, 1.0], [1.0, -1.0], [1.0, 1.0]].map(Vec::from);
            let unit = vec![1.0, 0.0, 0.0, 1.0];
            Box::new(GaussianMixture::new(&[1.0; 4], &means, &vec![unit; 4]).learned())
        }
    };
    let mut layers: Layers = match kind {
        Kind::Uniform => vec![Box::new(Elementwise::new(Transform::Logit, 2))],
        _ => Vec::new(),
    };
    layers.extend(couplings(count));
    layers.push(Box::new(Linear::identity(2)));
    Ok(Flow::new(base, layers)?)
}

fn fitted(flow: Flow, table: &Table, epochs: usize) -> Result<FittedFlow, Box<dyn Error>> {
    let settings =
        FitOptions { seed: SEED, epochs, batch: 256, learning_rate: 5e-3, ..FitOptions::default() };
    Ok(flow.fit(table, settings)?)
}

/// A flow without anything to learn.
fn known(base: impl Base + 'static, layer: impl Bijection + 'static) -> Result<FittedFlow, Box<dyn Error>> {
    let layers: Layers = vec![Box::new(layer)];
    let flow = Flow::new(base, layers)?;
    let start = flow.initial(SEED);
    Ok(flow.with(start)?)
}

pub const LESSON: Lesson = Lesson {
    number: 15,
    slug: "15_simple_bases",
    title: "Simple bases",
    about: "the power is in the map; tails, pieces",
    exercise: &judge::EXERCISE,
    seconds: 15.0,
    trained: &["Five bases", "Where it does"],
    needs: &[11],
    tell,
};

fn tell(page: &mut Page) -> Result<(), Box<dyn Error>> {
    page.question(
        "The data lie along a bent, split band. Should the noise z that a flow starts from be something better than a \
         standard normal variable?",
    );
    page.predict(
        "Five bases, and 1, 2, 4 or 8 coupling layers. What changes the likelihood more: the choice of the \
         base, or the number of layers?",
    );

    page.heading("By hand: a base is a layer");
    page.prose("Draw u uniformly from (0, 1) and map it by this layer:");
    let logit = Elementwise::new(Transform::Logit, 1);
    page.formula(formulas(&record(&logit)?));
    page.prose(
        "The density of u is 1, so ln p(x) = -ln|det J|, which is the logistic density. A uniform base with \
         the logit as the first layer, and a logistic base, are the same flow. At 1000 points:",
    );
    let opened = known(Uniform::new(1), logit)?;
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(1));
    let points: Vec<f64> = (0..1000).map(|k| -10.0 + 0.02 * f64::from(k)).collect();
    let direct = values(&tape, z, &[Logistic::new(1).log_prob(z)], &points).swap_remove(0);
    let by_layer = opened.log_prob(&points)?;
    let worst = direct.iter().zip(&by_layer).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    page.check_close("a uniform base and a logit have the density of a logistic base", worst, 0.0, 1e-9);
    page.prose(
        "Any two continuous densities on a line that are above 0 everywhere are joined by such a map, which \
         is continuous and has a continuous inverse. What a base can express, a layer can express as well. \
         (Where a density is 0 within its range there are pieces; they come below.)",
    );

    page.prose("In code a base is the first argument of a flow:");
    page.listing(
        "Flow::new(StandardNormal::new(2), layers)?\n\
         Flow::new(Uniform::new(2), layers)?        // the first layer takes (0, 1)\n\
         Flow::new(Logistic::new(2), layers)?\n\
         Flow::new(StudentT::new(2, 5.0), layers)?\n\
         let mixture = GaussianMixture::new(&weights, &means, &covariances);\n\
         Flow::new(mixture.learned(), layers)?",
    );

    page.heading("Five bases, four depths");
    page.prose(
        "The gamma showers of lesson 8, brightness and concentration, standardised. Twenty flows, each trained for 20 \
         epochs with one seed. Mean ln p of the test rows, in nats:",
    );
    let table = Table::read(data("magic_gamma.csv"), &["size_log10", "conc"], |_| true)?;
    let training = table.filter(|row| row % 10 < 8);
    let moments = training.moments();
    let test = table.filter(|row| row % 10 == 9).standardised(&moments);
    let training = training.standardised(&moments);
    let gaussian = mean(&Gaussian::fit(&training).log_prob(&test));
    let depths = [1, 2, 4, 8];
    let mut scores = Vec::new();
    for (kind, name) in KINDS {
        let mut line = Vec::new();
        for depth in depths {
            let fitted = fitted(flow(kind, depth)?, &training, 20)?;
            line.push(mean(&fitted.log_prob(test.values())?));
        }
        scores.push((name, line));
    }
    let spread = |k: usize| {
        let column = scores.iter().map(|(_, line)| line[k]);
        column.clone().fold(f64::NEG_INFINITY, f64::max) - column.fold(f64::INFINITY, f64::min)
    };
    let mut rows: Vec<Vec<String>> = scores
        .iter()
        .map(|(name, line)| {
            std::iter::once(name.to_string()).chain(line.iter().map(|score| format!("{score:.3}"))).collect()
        })
        .collect();
    let spreads: Vec<f64> = (0..4).map(spread).collect();
    rows.push(
        std::iter::once("best less worst".to_string())
            .chain(spreads.iter().map(|spread| format!("{spread:.3}")))
            .collect(),
    );
    page.table(&["base", "1 layer", "2 layers", "4 layers", "8 layers"], rows);
    page.number("one Gaussian without layers", gaussian, "nats");
    let fixed = &scores[..4];
    let gains: Vec<f64> = fixed.iter().map(|(_, line)| line[3] - line[0]).collect();
    let least = gains.iter().copied().fold(f64::INFINITY, f64::min);
    page.check_that(
        "from 1 to 8 layers each fixed base gains more than twice what the bases differ by at 8",
        least > 2.0 * spreads[3],
        format!("{gains:?}, {spreads:?}"),
    );
    page.check_that(
        "at 8 layers the bases differ by less than a quarter of what they do at 1",
        spreads[3] < 0.25 * spreads[0],
        format!("{spreads:?}"),
    );
    page.prose(
        "The learned mixture starts ahead: its own weights, means and covariances do the work of a layer or \
         two. With more layers it makes no difference.",
    );
    let mut picture = Picture::new(
        "Mean ln p of test rows, by base and depth",
        "Five lines that start apart and run together as layers are added.",
    )
    .axes("layers", "nats");
    for (name, line) in &scores {
        picture = picture.line(name, depths.iter().zip(line).map(|(d, s)| (*d as f64, *s)).collect());
    }
    page.picture("depth", picture);

    page.heading("Where it does matter: tails");
    page.prose(
        "Now data with heavy tails: x = A·t, t of two Student variables with ν = 2. P(|t| > r) falls as 1/r², a normal \
         tail as exp(-r²/2). The scale of an affine coupling is bounded here, so that f stretches z by at most some \
         constant: no depth makes a normal tail heavy. 4000 rows to train on, 8 coupling layers, two bases:",
    );
    let heavy = || known(StudentT::new(2, 2.0), Linear::new([1.0, 0.0, 0.5, 1.0], [0.0, 0.0]));
    let mut exact = heavy()?;
    let table_of = |rows: Vec<f64>| Table::new(&["x₁", "x₂"], rows);
    let (training, test) = (table_of(exact.sample(4000, SEED)?)?, exact.sample(20_000, SEED + 1)?);
    let with = |base: Box<dyn Base>| -> Result<FittedFlow, Box<dyn Error>> {
        let mut layers = couplings(8);
        layers.push(Box::new(Linear::identity(2)));
        fitted(Flow::new(base, layers)?, &training, 40)
    };
    let mut light = with(Box::new(StandardNormal::new(2)))?;
    let mut same = with(Box::new(StudentT::new(2, 2.0)))?;
    let far = [60.0, 30.0];
    let beyond = |fitted: &FittedFlow, r: f64| -> Result<f64, Box<dyn Error>> {
        let x = fitted.sample(100_000, SEED + 2)?;
        Ok(x.iter().step_by(2).filter(|x| x.abs() > r).count() as f64 / 100_000.0)
    };
    // P(|t| > r) = 1 - r/√(2 + r²) for ν = 2.
    let tail = |r: f64| 1.0 - r / (2.0 + r * r).sqrt();
    let (mut rows, mut found) = (Vec::new(), Vec::new());
    for (name, fitted) in
        [("the truth", &mut exact), ("Gaussian base", &mut light), ("Student t base", &mut same)]
    {
        let score = mean(&fitted.log_prob(&test)?);
        let at = fitted.log_prob(&far)?[0];
        let shares = [beyond(fitted, 10.0)?, beyond(fitted, 60.0)?];
        rows.push(vec![
            name.to_string(),
            format!("{score:.3}"),
            format!("{at:.1}"),
            format!("{:.5}", shares[0]),
            format!("{:.5}", shares[1]),
        ]);
        found.push((score, at, shares));
    }
    page.table(&["flow", "mean ln p", "ln p at (60, 30)", "|x₁| > 10", "|x₁| > 60"], rows);
    page.prose(
        "The last two columns are shares of 100 000 samples, also of the truth, so they scatter about the probabilities \
         below: at 10 by 0.0003, at 60 by 0.00005 (one standard deviation).",
    );
    page.number("P(|x₁| > 10) of the truth, by formula", tail(10.0), "");
    page.number("P(|x₁| > 60) of the truth, by formula", tail(60.0), "");
    let scatter = |share: f64, r: f64| (share - tail(r)).abs() / (tail(r) / 100_000.0).sqrt();
    page.check_close(
        "the truth's samples are within 4 standard deviations of that",
        scatter(found[0].2[0], 10.0).max(scatter(found[0].2[1], 60.0)),
        0.0,
        4.0,
    );
    page.check_that(
        "with a Gaussian base, fewer than a third as many samples as should lie beyond 60",
        found[1].2[1] < tail(60.0) / 3.0,
        format!("{:?}", found[1]),
    );
    page.check_that(
        "the Student base is ahead on rows held out",
        found[2].0 > found[1].0,
        format!("{found:?}"),
    );
    page.check_that(
        "and closer to the truth far out",
        (found[2].1 - found[0].1).abs() < 0.25 * (found[1].1 - found[0].1).abs(),
        format!("{found:?}"),
    );
    let radii: Vec<f64> = (0..22).map(|k| 10f64.powf(0.1 * f64::from(k))).collect();
    let curve = |fitted: &FittedFlow| -> Result<Vec<(f64, f64)>, Box<dyn Error>> {
        let x = fitted.sample(100_000, SEED + 2)?;
        let share = |r: f64| x.iter().step_by(2).filter(|x| x.abs() > r).count() as f64 / 100_000.0;
        Ok(radii.iter().map(|r| (*r, share(*r))).filter(|(_, share)| *share >= 1e-4).collect())
    };
    let curves = [curve(&mut light)?, curve(&mut same)?];
    let [light_curve, same_curve] = curves;
    page.picture(
        "tails",
        Picture::new(
            "How many samples lie beyond r",
            "A straight falling line for the truth, one along it for the Student base, one that drops for the Gaussian.",
        )
        .axes("r", "share")
        .log_log()
        .line("by formula", radii.iter().map(|r| (*r, tail(*r))).collect())
        .line("Gaussian base", light_curve)
        .line("Student t base", same_curve),
    );

    page.heading("Where it does matter: pieces");
    page.prose(
        "And data in two nearly separate pieces: around (-3, 0) and (3, 0). f is continuous and has a \
         continuous inverse: it maps one piece to one piece. A Gaussian base is one piece, so something must \
         lead across the gap. 8 layers over one Gaussian, against 2 layers over a mixture of two, learned \
         from (±1, 0) on:",
    );
    let spots = |at: f64, v: f64| {
        let spot = vec![v, 0.0, 0.0, v];
        GaussianMixture::new(&[1.0, 1.0], &[vec![-at, 0.0], vec![at, 0.0]], &[spot.clone(), spot])
    };
    let mut exact = known(spots(3.0, 0.25), Affine::identity(2))?;
    let (training, test) = (table_of(exact.sample(4000, SEED)?)?, exact.sample(4000, SEED + 1)?);
    let with = |base: Box<dyn Base>, count: usize| -> Result<FittedFlow, Box<dyn Error>> {
        let mut layers = couplings(count);
        layers.push(Box::new(Linear::identity(2)));
        fitted(Flow::new(base, layers)?, &training, 40)
    };
    let mut one = with(Box::new(StandardNormal::new(2)), 8)?;
    let mut two = with(Box::new(spots(1.0, 0.1).learned()), 2)?;
    let (columns, lines) = (100, 60);
    let at = |k: usize| {
        [-5.0 + 10.0 * ((k % columns) as f64 + 0.5) / 100.0, -3.0 + 6.0 * ((k / columns) as f64 + 0.5) / 60.0]
    };
    let cells: Vec<f64> = (0..columns * lines).flat_map(at).collect();
    let (mut rows, mut gaps, mut seen) = (Vec::new(), Vec::new(), Vec::new());
    for (name, fitted) in [
        ("the truth", &mut exact),
        ("one Gaussian, 8 layers", &mut one),
        ("two Gaussians, 2 layers", &mut two),
    ] {
        let score = mean(&fitted.log_prob(&test)?);
        let log_p = fitted.log_prob(&cells)?;
        // Mass where |x₁| < 1, by the midpoint rule: cells of 0.1 × 0.1.
        let inside = log_p.iter().zip(cells.chunks(2)).filter(|(_, x)| x[0].abs() < 1.0);
        let gap: f64 = inside.map(|(value, _)| value.exp() * 0.01).sum();
        rows.push(vec![name.to_string(), format!("{score:.3}"), format!("{gap:.5}")]);
        gaps.push(gap);
        seen.push(log_p);
    }
    page.table(&["density", "mean ln p, held out", "mass in the gap |x₁| < 1"], rows);
    page.check_that(
        "over one Gaussian, the gap has more than 10 times its true probability",
        gaps[1] > 10.0 * gaps[0],
        format!("{gaps:?}"),
    );
    page.check_that("over two, less than a fifth of that", gaps[2] < 0.2 * gaps[1], format!("{gaps:?}"));
    page.picture(
        "bridge",
        Picture::new(
            "ln q over one Gaussian, from -9 up",
            "Two bright spots and a thin bridge of density between them.",
        )
        .axes("x₁", "x₂")
        .heat_map(
            "ln q",
            (-5.0, 5.0),
            (-3.0, 3.0),
            columns,
            seen[1].iter().map(|v| v.max(-9.0) + 9.0).collect(),
        ),
    );

    page.heading("In general");
    page.prose(
        "A base must be easy to evaluate and to sample. Its shape does not matter where the layers can \
         produce it; what they cannot produce, the base must have: how fast tails fall, if the layers \
         stretch by bounded factors; and the number of pieces, always.",
    );
    page.heading("What people get wrong");
    page.misconception(
        "\"A flow is as good as its base, so choose a fancy one.\" The power is in the map. Choose the base for its tails \
         and for its pieces, or leave it Gaussian.",
    );
    page.exercise(&judge::EXERCISE);
    page.read_on(
        "Jaini, Kobyzev, Yu, Brubaker, \"Tails of Lipschitz Triangular Flows\" (2020), theorem 4 on tails; Papamakarios et \
         al., \"Normalizing Flows for Probabilistic Modeling and Inference\" (2021), section 2.2 on what a flow can \
         express; Cornish, Caterini, Deligiannidis, Doucet, \"Relaxing Bijectivity Constraints\" (2020), section 2 on pieces.",
    );
    page.next("16_anomalies: an exact density as a score.");
    Ok(())
}
