//! Lesson 11: coupling layers, derived.

use std::error::Error;
use std::f64::consts::PI;

use pushforward::bijection::{Recording, forward_with_log_det, record_inverse};
use pushforward::flow::FittedFlow;
use pushforward::jacobian::{jacobian, map};
use pushforward::prelude::*;
use pushforward::program::{Output, Program};
use pushforward::sweep::reach::{Reach, Relation};
use pushforward::sweep::simplify::simplify;
use pushforward::tape::{NodeId, Op, Subgraph};
use pushforward_course::{Lesson, Page, Picture, equation, formulas, values};

#[path = "judges/11_coupling.rs"]
pub mod judge;

const SEED: u64 = 7;

/// x₁ = z₁,  x₂ = z₂ + z₁²
struct Shifted;

impl Bijection for Shifted {
    fn dim(&self) -> usize {
        2
    }
    fn structure(&self) -> Structure {
        Structure::LowerTriangular
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let (z1, z2) = (z.at(0), z.at(1));
        stack([z1, z2 + z1.powi(2)])
    }
}

/// x₁ = z₁,  x₂ = z₂·exp(sin z₁) + z₁²
struct Scaled;

impl Bijection for Scaled {
    fn dim(&self) -> usize {
        2
    }
    fn structure(&self) -> Structure {
        Structure::LowerTriangular
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let (z1, z2) = (z.at(0), z.at(1));
        stack([z1, z2 * z1.sin().exp() + z1.powi(2)])
    }
}

type Layers = Vec<Box<dyn Bijection>>;

/// One affine coupling of two variables with a large network.
fn large() -> Layers {
    vec![Box::new(AffineCoupling::new(CouplingMask::first_half(2), Network::new([64, 64])))]
}

/// Affine couplings of d variables; the masks alternate, or are the same in every layer.
fn couplings(d: usize, count: usize, take_turns: bool) -> Layers {
    let mask = |k: usize| {
        if take_turns && k % 2 == 1 { CouplingMask::second_half(d) } else { CouplingMask::first_half(d) }
    };
    let layer = |k| AffineCoupling::new(mask(k), Network::new([16, 16]));
    (0..count).map(|k| Box::new(layer(k)) as Box<dyn Bijection>).collect()
}

/// NICE: six additive couplings with alternating masks, and one scale for each variable at the end.
fn nice() -> Layers {
    let mask = |k: usize| if k % 2 == 1 { CouplingMask::second_half(2) } else { CouplingMask::first_half(2) };
    let layer = |k| AdditiveCoupling::new(mask(k), Network::new([16, 16]));
    let couplings = (0..6).map(|k| Box::new(layer(k)) as Box<dyn Bijection>);
    couplings.chain([Box::new(Affine::identity(2)) as Box<dyn Bijection>]).collect()
}

/// The entries of J of up to four variables as a table: numbers where they are the same for all inputs and weights, dots elsewhere.
fn entries(recording: &Recording) -> Vec<Vec<String>> {
    let (tape, d) = (recording.tape(), recording.dim());
    let j = jacobian(tape, &map(tape, recording.input().id(), recording.output().id()));
    let j = j.reshape(Shape::Vector(d * d));
    let entry = |e: usize| match tape.node(simplify(tape, j.at(e).id(), 0, &[]).value.id()).op {
        Op::Constant(number) => number.values()[0].to_string(),
        _ => "•".to_string(),
    };
    let row = |i: usize| {
        std::iter::once(format!("x{}", ['₁', '₂', '₃', '₄'][i])).chain((0..d).map(move |j| entry(i * d + j)))
    };
    (0..d).map(|i| row(i).collect()).collect()
}

/// How many entries of J are not zero for all inputs and weights.
fn dependences(layers: Layers) -> Result<usize, BijectionError> {
    let recording = record(&Chain::new(layers))?;
    let subgraph = Subgraph::new(recording.tape(), &[recording.input().id()], &[recording.output().id()]);
    Ok(Reach::new(recording.tape(), &subgraph, Relation::Derivative).pattern().iter().map(Vec::len).sum())
}

/// Operations of a layer and of its derived inverse, for one row.
fn operations(layer: &dyn Bijection) -> Result<(u64, u64), BijectionError> {
    let tape = Tape::new();
    let input = tape.input(Shape::Vector(layer.dim()));
    let (there, back) = (forward_with_log_det(layer, input)?.x, record_inverse(layer, input)?);
    let count = |node: Var<'_>| {
        Program::<f64>::compile(&tape, &[input.id()], &[Output::Each(node.id())]).operations()
    };
    Ok((count(there), count(back)))
}

/// A claim about a formula, for all inputs and weights.
fn proven(holds: bool, reason: &str) -> Evidence {
    match holds {
        true => Evidence::Proven { reason: reason.to_string() },
        false => Evidence::NotProven { reason: "the simplified formula says otherwise".to_string() },
    }
}

/// The area inside a closed polygon, by the shoelace formula.
fn area(corners: &[f64]) -> f64 {
    let next = corners.chunks(2).cycle().skip(1);
    0.5 * corners.chunks(2).zip(next).map(|(a, b)| a[0] * b[1] - b[0] * a[1]).sum::<f64>().abs()
}

/// The edge of the square [0, 1]², in small steps.
fn square() -> Vec<f64> {
    let steps = |side: usize| {
        (0..500).flat_map(move |k| {
            let t = k as f64 / 500.0;
            [[t, 0.0], [1.0, t], [1.0 - t, 1.0], [0.0, 1.0 - t]][side]
        })
    };
    (0..4).flat_map(steps).collect()
}

fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / numbers.len() as f64
}

/// p(x₁) = ∫ p(x₁, x₂) dx₂ of a fitted flow.
fn marginal(fitted: &FittedFlow, places: &[f64]) -> Result<Vec<(f64, f64)>, Box<dyn Error>> {
    const CELLS: usize = 400;
    let width = 16.0 / CELLS as f64;
    let across: Vec<f64> = (0..CELLS).map(|k| (k as f64 + 0.5) * width - 8.0).collect();
    let rows: Vec<f64> = places.iter().flat_map(|x1| across.iter().flat_map(move |x2| [*x1, *x2])).collect();
    let log_p = fitted.log_prob(&rows)?;
    let sums = log_p.chunks(CELLS).map(|column| column.iter().map(|log_p| log_p.exp()).sum::<f64>() * width);
    Ok(places.iter().copied().zip(sums).collect())
}

type Lines = Vec<Vec<(f64, f64)>>;

/// The images of a grid over [-2, 2]² in front of some layer of a fitted flow.
fn grid(chain: &Chain, weights: &Parameters, layers: usize) -> Result<Lines, Box<dyn Error>> {
    let recording = record(chain)?;
    let node: NodeId = recording.layers()[layers - 1].output;
    let mut program = Program::compile(recording.tape(), &[recording.input().id()], &[Output::Each(node)]);
    program.load(weights)?;
    let mut lines = Vec::new();
    for fixed in (0..=8).map(|k| 0.5 * f64::from(k) - 2.0) {
        for across in [true, false] {
            let at = |t: f64| if across { [t, fixed] } else { [fixed, t] };
            let line: Vec<f64> = (0..=160).flat_map(|k| at(0.025 * f64::from(k) - 2.0)).collect();
            let images = program.run(&[&line], 161)?.swap_remove(0);
            lines.push(images.chunks(2).map(|point| (point[0], point[1])).collect());
        }
    }
    Ok(lines)
}

/// The lesson: run on its own, from the front page, or into the book.
pub const LESSON: Lesson = Lesson {
    number: 11,
    slug: "11_coupling",
    title: "Coupling layers",
    about: "NICE and RealNVP; why masks alternate",
    exercise: &judge::EXERCISE,
    seconds: 5.0,
    trained: &["What one layer", "The grid through", "What the scale"],
    needs: &[8],
    tell,
};

fn tell(page: &mut Page) -> Result<(), Box<dyn Error>> {
    page.question(
        "How can a layer be invertible by construction although its network is neither inverted nor \
         differentiated?",
    );
    page.predict(
        "x₁ = z₁ and x₂ = z₂ + t(z₁), where t is any function at all. Write down z₂ as a function of x₁ and x₂. What \
         did you have to know about t?",
    );

    page.heading("By hand");
    page.prose(
        "Take t(z₁) = z₁², which forgets a sign and so has no inverse. (2, 3) goes to (2, 3 + 4) = (2, 7). \
         To invert: the first number is still 2, so the shift is known to be 4, and 7 - 4 = 3. To invert the \
         layer you need t, not its inverse. By the tape:",
    );
    page.derivation(&derive(&Shifted)?);
    let recording = record(&Shifted)?;
    let (tape, z) = (recording.tape(), recording.input());
    let there = values(tape, z, &[recording.output()], &[2.0, 3.0]).swap_remove(0);
    let x = tape.input(Shape::Vector(2));
    let back = values(tape, x, &[record_inverse(&Shifted, x)?], &there).swap_remove(0);
    page.check_that(
        "(2, 3) goes to (2, 7) and comes back",
        there == [2.0, 7.0] && back == [2.0, 3.0],
        format!("{there:?}, {back:?}"),
    );
    let image = values(tape, z, &[recording.output()], &square()).swap_remove(0);
    page.prose("Each vertical line is shifted along itself, by another amount on each line, and nothing is stretched:");
    page.check_close("the image of the unit square has area 1, by its outline", area(&image), 1.0, 1e-12);

    page.heading("With any network: NICE");
    page.prose(
        "So t can be a network. Four variables: the first two stay unchanged, and determine how the other \
         two are shifted. This is J, with a dot where an entry depends on inputs or weights:",
    );
    let layer = AdditiveCoupling::new(CouplingMask::first_half(4), Network::new([8]));
    let recording = record(&layer)?;
    page.table(&["J", "z₁", "z₂", "z₃", "z₄"], entries(&recording));
    page.prose(
        "Below the diagonal stand the derivatives of the network, and they may be anything: the determinant \
         of a triangle does not depend on them. On the diagonal stand 1, 1, 1, 1.",
    );
    page.formula(formulas(&recording));
    page.note(
        "A name like net.1.weight is the path to a parameter, counted from 0 as in code: net.0.weight and net.0.bias are the W₁ and \
         b₁ of papers, net.1.weight and net.1.bias their W₂ and b₂. In a flow the layer's number comes first, layers.2.net.1.weight.",
    );
    let log_det = recording.tape().node(recording.log_det().id()).op;
    let zero = matches!(log_det, Op::Constant(number) if number.values() == [0.0]);
    page.check(
        "volume is preserved: ln|det J| is the number 0",
        proven(zero, "what is left after simplifying holds no input and no weight"),
    );

    page.predict("The network dominates the cost of the layer. What does the inverse cost?");
    let mut rows = Vec::new();
    let mut equal = true;
    for (d, hidden) in [(4, 8), (16, 64), (64, 256)] {
        let (there, back) =
            operations(&AdditiveCoupling::new(CouplingMask::first_half(d), Network::new([hidden])))?;
        let (scaled, scaled_back) =
            operations(&AffineCoupling::new(CouplingMask::first_half(d), Network::new([hidden])))?;
        equal &= there == back && scaled.abs_diff(scaled_back) <= d as u64;
        rows.push(
            [d as u64, hidden as u64, there, back, scaled, scaled_back].map(|n| n.to_string()).to_vec(),
        );
    }
    page.table(&["d", "hidden units", "shift: z → x", "x → z", "and scale: z → x", "x → z"], rows);
    page.check_that(
        "the inverse of a shift costs the same, that of a scale at most d operations more",
        equal,
        "the inverse costs more",
    );
    page.prose("This is the derived inverse of the layer above. The network appears in it unchanged:");
    let tape = Tape::new();
    let x = tape.input(Shape::Vector(4));
    let z = record_inverse(&AdditiveCoupling::new(CouplingMask::first_half(4), Network::new([8])), x)?;
    page.formula(equation("z", z, &[(x, "x")]));

    page.heading("With a scale: RealNVP");
    page.prose("The unchanged part can also determine a factor, as long as it is never 0; exp(s) is not.");
    page.formula(formulas(&record(&Scaled)?));
    let recording = record(&Scaled)?;
    let image = values(recording.tape(), recording.input(), &[recording.output()], &square()).swap_remove(0);
    let strips = 1000;
    let expected = mean(
        &(0..strips).map(|k| ((f64::from(k) + 0.5) / f64::from(strips)).sin().exp()).collect::<Vec<_>>(),
    );
    page.prose(
        "Each vertical line is now stretched by exp(s), so the unit square gets the area ∫ exp(sin z₁) dz₁, from 0 to \
         1. By its outline, against the integral:",
    );
    page.check_close(
        format!("the image of the unit square has area {expected:.4}"),
        area(&image),
        expected,
        1e-5,
    );
    let layer = AffineCoupling::new(CouplingMask::first_half(4), Network::new([8]));
    page.prose(
        "With a network for s and t, in four variables: half of its output, h₁, becomes s, the other half t:",
    );
    page.formula(formulas(&record(&layer)?));
    page.prose(
        "s is not h₁ itself but c·tanh(h₁/c), which is near h₁ where that is small and never leaves (-c, c); \
         c = exp(log_bound) is learned with the rest. The network's output is unbounded, and exp of it can \
         overflow to ∞ or underflow to 0, by which no layer may multiply. The log-determinant is the sum of \
         the numbers s, which the layer has computed anyway.",
    );
    page.audit(&audit(&layer)?);

    page.heading("What one layer cannot do");
    page.predict(
        "Six coupling layers in which the first half always stays unchanged, against six with alternating \
         masks. The networks are the same. Is there anything that the first six cannot learn?",
    );
    page.prose("Follow the dependences: how many of the 16 entries of J (d = 4) can be other than 0?");
    let mut rows = Vec::new();
    let mut counts = Vec::new();
    for count in 1..=4 {
        let (same, turns) =
            (dependences(couplings(4, count, false))?, dependences(couplings(4, count, true))?);
        counts.push((same, turns));
        rows.push([count, same, turns].map(|n| n.to_string()).to_vec());
    }
    page.table(&["layers", "fixed masks", "alternating masks"], rows);
    page.check_that(
        "with the same mask, more layers add no dependences",
        counts.iter().all(|(same, _)| *same == counts[0].0),
        format!("{counts:?}"),
    );
    page.check_that(
        "with alternating masks, after three layers every variable depends on every other, after two not yet",
        counts[1].1 < 16 && counts[2].1 == 16,
        format!("{counts:?}"),
    );
    page.prose(
        "The two that are missing after two layers with alternating masks are ∂x₃/∂z₄ and ∂x₄/∂z₃: the first \
         layer transforms x₃ and x₄ with z₁ and z₂ alone, the second leaves them unchanged. In the third \
         layer they depend on each other through x₁ and x₂.",
    );
    let same = Chain::new(couplings(2, 6, false));
    let recording = record(&same)?;
    let (tape, z, x) = (recording.tape(), recording.input(), recording.output());
    let first = simplify(tape, x.at(0).id(), 0, &[]).value.id() == z.at(0).id();
    page.check(
        "six layers, fixed masks, d = 2: x₁ is z₁",
        proven(first, "simplified, they are one node of the tape"),
    );
    page.prose(
        "x₁ has the distribution of z₁, whatever the networks learn. Real data: the gamma showers of lesson \
         8, whose first column, the brightness, is not normally distributed. One layer with a large network, \
         and two stacks of six layers, each trained for eight passes over the data:",
    );
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/magic_gamma.csv");
    let table = Table::read(path, &["size_log10", "conc"], |_| true)?;
    let training = table.filter(|row| row % 10 < 8);
    let moments = training.moments();
    let test = table.filter(|row| row % 10 == 9).standardised(&moments);
    let training = training.standardised(&moments);
    let fit = |layers: Layers| -> Result<(FittedFlow, usize, f64), Box<dyn Error>> {
        let flow = Flow::new(StandardNormal::new(2), layers)?;
        let fitted = flow.fit(&training, FitOptions { seed: SEED, epochs: 8, ..FitOptions::default() })?;
        let score = mean(&fitted.log_prob(test.values())?);
        let weights = fitted.parameters().count();
        Ok((fitted, weights, score))
    };
    let (_, large_weights, large_score) = fit(large())?;
    let (same, same_weights, same_score) = fit(couplings(2, 6, false))?;
    let (mut turns, turns_weights, turns_score) = fit(couplings(2, 6, true))?;
    page.table(
        &["layers", "weights", "mean ln p of held-out rows"],
        vec![
            vec!["one, 64 + 64 hidden units".into(), large_weights.to_string(), format!("{large_score:.3}")],
            vec!["six, fixed masks, 16 + 16".into(), same_weights.to_string(), format!("{same_score:.3}")],
            vec!["six, alternating, 16 + 16".into(), turns_weights.to_string(), format!("{turns_score:.3}")],
        ],
    );
    page.check_that(
        "alternating masks are better than either by more than 0.05 nats per row",
        turns_score > same_score.max(large_score) + 0.05,
        format!("{turns_score}, {same_score}, {large_score}"),
    );
    let places: Vec<f64> = (0..=120).map(|k| 0.06 * f64::from(k) - 3.0).collect();
    let (stuck, free) = (marginal(&same, &places)?, marginal(&turns, &places)?);
    let bell = |x: f64| (-0.5 * x * x).exp() / (2.0 * PI).sqrt();
    let apart = stuck.iter().map(|(x, p)| (p - bell(*x)).abs()).fold(0.0, f64::max);
    page.check_close(
        "after training, p(x₁) of six with the same mask is still the base's normal density (largest \
         difference)",
        apart,
        0.0,
        1e-4,
    );
    let width = 0.24;
    let bars = (0..30).map(|k| f64::from(k) * width - 3.0).flat_map(|low| {
        let inside = training.values().iter().step_by(2).filter(|x| (low..low + width).contains(*x)).count();
        let height = inside as f64 / training.rows() as f64 / width;
        [(low, height), (low + width, height)]
    });
    page.picture(
        "marginal",
        Picture::new(
            "The brightness: data, and p(x₁) of both flows",
            "Bars that rise steeply and fall slowly; a curve that follows them; and a normal density that \
             does not.",
        )
        .axes("log₁₀ size, standardised", "density")
        .area("data", bars.collect())
        .line("fixed masks", stuck)
        .line("alternating masks", free),
    );

    page.heading("The grid through the layers");
    page.prose(
        "Take the flow with alternating masks, and a grid of z. After the first layer its vertical lines are \
         still vertical, since x₁ is unchanged. The second layer transforms x₁, along horizontal lines. \
         After six the grid lies along the band of the data:",
    );
    let chain = Chain::new(couplings(2, 6, true));
    let mut grids = Vec::new();
    for (count, name) in [(1, "one layer"), (2, "two layers"), (6, "six layers")] {
        grids.push(grid(&chain, turns.parameters(), count)?);
        page.picture(
            &format!("after_{count}"),
            Picture::new(
                format!("A grid after {name}"),
                "A square grid of lines, bent further with each layer into the band of the data.",
            )
            .axes("x₁", "x₂")
            .equal_aspect()
            .grid("", grids[grids.len() - 1].clone()),
        );
    }
    let vertical = grids[0].iter().skip(1).step_by(2);
    let straight =
        vertical.flat_map(|line| line.iter().map(|point| (point.0 - line[0].0).abs())).fold(0.0, f64::max);
    page.check_close("after one layer vertical lines are vertical", straight, 0.0, 1e-12);
    let points = grids[0].iter().flatten().zip(grids[1].iter().flatten());
    let moved = points.map(|(one, two)| (one.1 - two.1).abs()).fold(0.0, f64::max);
    page.check_close("the second layer leaves every x₂ where it is", moved, 0.0, 1e-12);

    page.heading("What the scale is worth");
    page.prose(
        "NICE preserves volume; its authors add one factor for each variable at the end. So p(x) is a value \
         of the base, times one number that is the same everywhere: the density is bounded by the maximum of \
         the base times that number.",
    );
    let (mut additive, additive_weights, additive_score) = fit(nice())?;
    let scale = additive.parameters().get("layers.6.scale").ok_or("the last layer has a scale")?;
    let ceiling = -(2.0 * PI).ln() - scale.values.iter().map(|scale| scale.abs().ln()).sum::<f64>();
    let highest = |fitted: &FittedFlow| -> Result<f64, Box<dyn Error>> {
        Ok(fitted.log_prob(training.values())?.into_iter().fold(f64::NEG_INFINITY, f64::max))
    };
    let (additive_highest, affine_highest) = (highest(&mut additive)?, highest(&mut turns)?);
    let gaussian = Gaussian::fit(&training);
    let gaussian_score = mean(&gaussian.log_prob(&test));
    let gaussian_highest = gaussian.log_prob(&training).into_iter().fold(f64::NEG_INFINITY, f64::max);
    let row = |name: &str, weights: usize, score: f64, highest: f64| {
        vec![name.to_string(), weights.to_string(), format!("{score:.3}"), format!("{highest:.2}")]
    };
    page.table(
        &["density", "weights", "mean ln p, held out", "highest ln p, training"],
        vec![
            row("one Gaussian", 5, gaussian_score, gaussian_highest),
            row("six additive couplings", additive_weights, additive_score, additive_highest),
            row("six affine couplings", turns_weights, turns_score, affine_highest),
        ],
    );
    page.number("the bound of the additive flow", ceiling, "nats");
    page.check_that(
        "no training row is above it",
        additive_highest <= ceiling + 1e-9,
        format!("{additive_highest}"),
    );
    page.check_that("the affine flow exceeds it", affine_highest > ceiling, format!("{affine_highest}"));
    page.check_that(
        "held out: Gaussian, additive, affine, each better than the one before",
        gaussian_score + 0.1 < additive_score && additive_score + 0.03 < turns_score,
        format!("{gaussian_score}, {additive_score}, {turns_score}"),
    );

    page.heading("In general");
    page.formula(
        "x_a = z_a, x_b = z_b ⊙ exp(s(z_a)) + t(z_a)\nz_a = x_a, z_b = (x_b - t(x_a)) ⊙ exp(-s(x_a))\nln|det J| = Σ s(z_a)",
    );
    page.heading("What people get wrong");
    page.misconception(
        "\"One coupling layer is enough, if its network is large.\" Half of the variables stay unchanged, in \
         any number of layers with the same mask. Alternate the masks.",
    );
    page.exercise(&judge::EXERCISE);
    page.read_on(
        "Dinh, Krueger, Bengio, \"NICE\" (2015), section 3; Dinh, Sohl-Dickstein, Bengio, \"Density estimation using \
         Real NVP\" (2017), section 3, equations 4 to 8.",
    );
    page.next("12_autoregressive: not two parts, but one variable after another.");
    Ok(())
}
