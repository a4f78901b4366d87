//! Lesson 12: autoregressive layers: one network, masked, and two directions.

use std::error::Error;
use std::f64::consts::PI;
use std::time::Instant;

use pushforward::audit::{AuditOptions, Topic, audit_with};
use pushforward::bijection::{forward_with_log_det, leaves, record_inverse};
use pushforward::flow::FittedFlow;
use pushforward::prelude::*;
use pushforward::program::{Output, Program};
use pushforward::sweep::reach::{Reach, Relation};
use pushforward::tape::{Op, Subgraph};
use pushforward_course::{Formulas, Lesson, Page, Picture, equation, formulas};

#[path = "judges/12_autoregressive.rs"]
pub mod judge;

const SEED: u64 = 7;

/// x = z + W z, with weights that start at 0. It says lower triangular, and as it starts it is.
struct Unmasked;

impl Bijection for Unmasked {
    fn dim(&self) -> usize {
        3
    }
    fn structure(&self) -> Structure {
        Structure::LowerTriangular
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z + z.tape().parameter("W", Shape::Matrix(3, 3), Init::Constant(0.0)).matvec(z)
    }
}

/// The constant matrices that a layer multiplies its weights by, in order: rows, columns, entries.
fn masks(layer: &dyn Bijection) -> Result<Vec<(usize, usize, Vec<f64>)>, BijectionError> {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(layer.dim()));
    let subgraph = Subgraph::new(&tape, &[z.id()], &[layer.forward(z).id()]);
    let of = |node: pushforward::tape::Node| match (node.op, node.shape) {
        (Op::Constant(mask), Shape::Matrix(rows, columns)) => Some((rows, columns, mask.values().to_vec())),
        _ => None,
    };
    Ok(subgraph.nodes().iter().filter_map(|id| of(tape.node(*id))).collect())
}

/// A·B of two matrices given row by row, B with so many columns.
fn product(a: &[f64], b: &[f64], columns: usize) -> Vec<f64> {
    let inner = b.len() / columns;
    let entry = |row: &[f64], j: usize| row.iter().enumerate().map(|(k, a)| a * b[k * columns + j]).sum();
    a.chunks(inner).flat_map(|row| (0..columns).map(move |j| entry(row, j))).collect()
}

/// On which inputs each output of a layer depends, for all inputs and weights.
fn pattern(layer: &dyn Bijection) -> Vec<Vec<u32>> {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(layer.dim()));
    let subgraph = Subgraph::new(&tape, &[z.id()], &[layer.forward(z).id()]);
    Reach::new(&tape, &subgraph, Relation::Value).pattern()
}

/// The longest chain of variables that wait for each other when a layer with this pattern is inverted.
fn in_a_row(pattern: &[Vec<u32>]) -> usize {
    let mut steps = vec![0; pattern.len()];
    for (i, row) in pattern.iter().enumerate() {
        let before = row.iter().map(|j| *j as usize).filter(|j| *j != i).map(|j| steps[j]).max();
        steps[i] = before.unwrap_or(0) + 1;
    }
    steps.into_iter().max().unwrap_or(0)
}

/// There and back of a layer: operations, and the shortest time for a row, in µs, of several runs over 256 rows.
fn costs(layer: &dyn Bijection) -> Result<[(u64, f64); 2], Box<dyn Error>> {
    const ROWS: usize = 256;
    let (tape, d) = (Tape::new(), layer.dim());
    let input = tape.input(Shape::Vector(d));
    let ends = [forward_with_log_det(layer, input)?.x, record_inverse(layer, input)?];
    let rows: Vec<f64> = (0..ROWS * d).map(|k| (0.7 * k as f64).sin()).collect();
    let mut costs = [(0, f64::INFINITY); 2];
    for (end, cost) in ends.into_iter().zip(&mut costs) {
        let mut program = Program::<f64>::compile(&tape, &[input.id()], &[Output::Each(end.id())]);
        program.load(&Parameters::initialise(&tape, SEED))?;
        cost.0 = program.operations();
        for _ in 0..8 {
            let start = Instant::now();
            program.run(&[&rows], ROWS)?;
            cost.1 = cost.1.min(start.elapsed().as_secs_f64() * 1e6 / ROWS as f64);
        }
    }
    Ok(costs)
}

/// A masked network of four variables, in their order or backwards.
fn network(backwards: bool) -> MaskedNetwork {
    let inputs = if backwards { vec![4, 3, 2, 1] } else { vec![1, 2, 3, 4] };
    let hidden: Vec<usize> = (0..24).map(|k| 1 + k / 8).collect();
    MaskedNetwork::with_degrees(inputs, vec![hidden.clone(), hidden])
}

type Layers = Vec<Box<dyn Bijection>>;

fn maf(count: usize) -> Layers {
    (0..count).map(|k| Box::new(Autoregressive::maf(network(k % 2 == 1))) as Box<dyn Bijection>).collect()
}

fn iaf(count: usize) -> Layers {
    (0..count).map(|k| Box::new(Autoregressive::iaf(network(k % 2 == 1))) as Box<dyn Bijection>).collect()
}

/// ln p(xᵢ | x before i) of each row, as one layer of MAF has it: ln N(zᵢ) + ln ∂zᵢ/∂xᵢ.
fn factors(fitted: &FittedFlow, rows: &[f64]) -> Result<Vec<f64>, Box<dyn Error>> {
    let layer = Autoregressive::maf(network(false));
    let tape = Tape::new();
    let x = tape.input(Shape::Vector(4));
    // MAF is the inverse of a layer whose one pass goes from x to z.
    let way = leaves(&layer)[0].layer();
    let pushed = tape.scope("layers.0", || forward_with_log_det(way, x))?;
    let slopes = tape.var(pushed.layers[0].diagonal.ok_or("it is triangular")?);
    let factors = slopes.ln() - 0.5 * pushed.x.powi(2) - 0.5 * (2.0 * PI).ln();
    let mut program = Program::compile(&tape, &[x.id()], &[Output::Each(factors.id())]);
    program.load(fitted.parameters())?;
    Ok(program.run(&[rows], rows.len() / 4)?.swap_remove(0))
}

/// The mean ln p of the first so many columns, by one Gaussian of them.
fn gaussian(training: &Table, test: &Table, columns: usize) -> Result<f64, Box<dyn Error>> {
    let first = |table: &Table| {
        let names: Vec<&str> = table.columns()[..columns].iter().map(String::as_str).collect();
        let values = (0..table.rows()).flat_map(|row| table.row(row)[..columns].to_vec()).collect();
        Table::new(&names, values)
    };
    Ok(mean(&Gaussian::fit(&first(training)?).log_prob(&first(test)?)))
}

fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / numbers.len() as f64
}

/// The lesson: run on its own, from the front page, or into the book.
pub const LESSON: Lesson = Lesson {
    number: 12,
    slug: "12_autoregressive",
    title: "Autoregressive layers",
    about: "masks, proven; MAF is an inverted IAF",
    exercise: &judge::EXERCISE,
    seconds: 5.0,
    trained: &["Real data"],
    needs: &[8],
    tell,
};

fn tell(page: &mut Page) -> Result<(), Box<dyn Error>> {
    page.question(
        "Every density is p(x₁)·p(x₂ | x₁)·p(x₃ | x₁, x₂) and so on, each factor with its own inputs. Does \
         that need d networks? And how are the layers of two papers, MAF and IAF, related?",
    );
    page.predict(
        "One network with four inputs, six hidden units and four outputs. Output 3 may depend on inputs 1 \
         and 2 only, output 2 only on input 1, output 1 on none. Which weights must be masked?",
    );

    page.heading("By hand: degrees");
    page.prose(
        "Number the inputs 1 to 4 and give each hidden unit a number from 1 to 3: its degree. A hidden unit \
         may read inputs up to its own degree, an output only units with a lower degree than its own. Masked \
         weights are multiplied by 0. These are the two masks of a layer, read off its tape; the unit of a \
         row reads the filled columns:",
    );
    let (inputs, hidden) = (vec![1, 2, 3, 4], vec![1, 1, 2, 2, 3, 3]);
    let layer = Autoregressive::iaf(MaskedNetwork::with_degrees(inputs.clone(), vec![hidden.clone()]));
    let masks_found = masks(&layer)?;
    let [(_, _, into_hidden), (rows, _, into_outputs)] = masks_found.as_slice() else {
        return Err("one hidden layer has two masks".into());
    };
    // The shifts and then the scales: two outputs for each variable, under one mask.
    let (shifts, scales) = into_outputs.split_at(into_outputs.len() / 2);
    let named = |degrees: &[usize]| degrees.iter().map(usize::to_string).collect::<Vec<_>>();
    page.picture(
        "masks",
        Picture::new(
            "The two masks: which inputs each unit reads",
            "Two staircases. Hidden units of degree 1 read input 1, those of degree 3 the inputs 1 to 3; \
             output 1 reads nothing, output 4 all hidden units.",
        )
        .pattern("hidden, inputs", &named(&hidden), &named(&inputs), into_hidden)
        .pattern("outputs, hidden", &named(&inputs), &named(&hidden), shifts),
    );
    page.check_that("shifts and scales have one mask", shifts == scales && *rows == 8, "they differ");
    page.prose("Along how many paths does an input reach an output? Multiply the masks:");
    let paths = product(shifts, into_hidden, 4);
    let row = |i: usize| {
        std::iter::once(format!("output {}", i + 1)).chain(paths[4 * i..4 * i + 4].iter().map(f64::to_string))
    };
    page.table(
        &["paths", "input 1", "input 2", "input 3", "input 4"],
        (0..4).map(|i| row(i).collect()).collect(),
    );
    let subgraph = (0..16).all(|e| (paths[e] > 0.0) == (e % 4 < e / 4));
    page.check_that(
        "output i depends on the inputs before i and on no others",
        subgraph,
        format!("{paths:?}"),
    );

    page.heading("By the tape, for all weights");
    page.prose(
        "What comes out of the network is a scale and a shift for each variable. So xᵢ depends on its own zᵢ, which it \
         scales, and through the network on the z before:",
    );
    page.formula(formulas(&record(&layer)?));
    page.note(
        "The M are the masks; net.0.weight and net.0.bias are the W₁ and b₁ of papers, net.1.weight and net.1.bias their W₂ and \
         b₂ (lesson 11).",
    );
    page.prose("So this is J, with a dot where an entry can be other than 0:");
    let rows = pattern(&layer).into_iter().zip(["x₁", "x₂", "x₃", "x₄"]).map(|(seen, name)| {
        let entries = (0..4).map(|j| if seen.contains(&j) { "•" } else { "0" });
        std::iter::once(name).chain(entries).map(str::to_string).collect()
    });
    page.table(&["J", "z₁", "z₂", "z₃", "z₄"], rows.collect());
    let report = audit(&layer)?;
    for topic in [Topic::Structure, Topic::Determinant, Topic::Injective] {
        let claim = report.claim(topic).ok_or("the audit has such a claim")?;
        page.check(claim.statement.clone(), claim.evidence.clone());
    }
    page.prose(
        "A 0 in a mask is a constant of the program, and no training changes it. A weight that happens to be \
         0 is not. Here is a layer without masks, x = z + W z, with all weights at 0. With these weights its \
         J is the identity. It declares itself lower triangular:",
    );
    let zeros = {
        let mut weights = Parameters::default();
        weights.set("W", Shape::Matrix(3, 3), vec![0.0; 9])?;
        AuditOptions { parameters: Some(weights), ..AuditOptions::default() }
    };
    let now = audit_with(&Unmasked, &zeros)?;
    let later = audit(&Unmasked)?;
    let mut words = Vec::new();
    for (when, report) in [("with all weights at 0", &now), ("with other weights", &later)] {
        let claim = report.claim(Topic::Structure).ok_or("a declared structure is a claim")?;
        page.listing(format!("{when}: {}\n{}", claim.evidence.label(), claim.evidence.detail()));
        words.push(claim.evidence.label());
    }
    page.check_that(
        "a parameter that happens to be 0 proves nothing, and other weights refute it",
        words == ["not proven", "refuted"],
        format!("{words:?}"),
    );
    let wide = MaskedNetwork::new(16, [48]);
    let masks_found = masks(&Autoregressive::iaf(wide))?;
    let [(_, _, first), (_, _, second)] = masks_found.as_slice() else {
        return Err("one hidden layer has two masks".into());
    };
    let paths = product(&second[..second.len() / 2], first, 16);
    page.picture(
        "paths",
        Picture::new(
            "Paths from inputs to outputs, 16 variables, 48 hidden units",
            "A staircase from lower left to upper right: no path on the diagonal or below, most in the upper left corner.",
        )
        .axes("input, 1 to 16", "output")
        .heat_map("number of paths", (0.5, 16.5), (0.5, 16.5), 16, paths),
    );
    page.prose(
        "The empty part, on and below the diagonal, is where provably no path leads. Output 1 depends on \
         nothing, and the last output depends on the first input along the most paths.",
    );

    page.heading("One layer, two directions");
    page.prose(
        "That layer is IAF: its network reads z. The map and its derived inverse, with a network of one \
         masked matrix so that the formulas stay short:",
    );
    let short = MaskedNetwork::with_degrees(inputs, Vec::new());
    let there_and_back = |layer: &dyn Bijection| -> Result<Formulas, BijectionError> {
        let tape = Tape::new();
        let (z, x) = (tape.input(Shape::Vector(4)), tape.input(Shape::Vector(4)));
        let names = [(z, "z"), (x, "x")];
        let there = equation("x", forward_with_log_det(layer, z)?.x, &names);
        Ok(there.and(equation("z", record_inverse(layer, x)?, &names)))
    };
    page.formula(there_and_back(&Autoregressive::iaf(short.clone()))?);
    page.prose(
        "solve(ζ = …) is an equation with ζ on both sides, but it can be solved in order: the masks let ζ₁ \
         depend on no ζ, ζ₂ on ζ₁ alone, and so on, so that they are found one after the other. Now MAF, \
         whose network reads x:",
    );
    page.formula(there_and_back(&Autoregressive::maf(short))?);
    page.prose(
        "The same two kinds of formula, exchanged: one direction scales and shifts with the network of its \
         own input, the other solves for that input. So invert the IAF layer, and compare on one tape:",
    );
    let tape = Tape::new();
    let v = tape.input(Shape::Vector(4));
    let turned = Inverse::new(layer.clone());
    let same = record_inverse(&turned, v)?.id() == forward_with_log_det(&layer, v)?.x.id()
        && forward_with_log_det(&turned, v)?.x.id() == record_inverse(&layer, v)?.id();
    let evidence = match same {
        true => Evidence::Proven { reason: "they are the same nodes of the tape, in both directions".into() },
        false => Evidence::NotProven { reason: "they are other nodes".into() },
    };
    page.check("inverted, it maps x to z as IAF maps z to x: it is a MAF", evidence);
    let report = audit(&turned)?;
    for topic in [Topic::Inverse, Topic::InverseLogDet] {
        let claim = report.claim(topic).ok_or("the audit has such a claim")?;
        page.check(format!("of the inverted layer: {}", claim.statement), claim.evidence.clone());
    }
    page.table(
        &["layer", "the network reads", "z → x, a sample", "x → z, a density"],
        vec![
            vec!["IAF".into(), "z".into(), "one pass".into(), "one after the other".into()],
            vec!["MAF".into(), "x".into(), "one after the other".into(), "one pass".into()],
        ],
    );

    page.heading("One after the other is not d passes");
    page.predict(
        "256 variables. The plain way to solve in order runs the whole network 256 times and keeps one more variable \
         each time. How much of that arithmetic is needed?",
    );
    let (mut counted, mut timed, mut largest) = (Vec::new(), Vec::new(), 0.0f64);
    let mut as_many = true;
    for d in [4usize, 16, 64, 256] {
        let layer = Autoregressive::iaf(MaskedNetwork::new(d, [2 * d]));
        let [(there, fast), (back, slow)] = costs(&layer)?;
        let steps = in_a_row(&pattern(&layer));
        as_many &= steps == d;
        largest = largest.max(back as f64 / there as f64);
        let ratio = format!("{:.3}", back as f64 / there as f64);
        let passes = (d as u64 * there).to_string();
        counted.push(vec![
            d.to_string(),
            there.to_string(),
            back.to_string(),
            ratio,
            steps.to_string(),
            passes,
        ]);
        let figures = [fast, slow].map(|time| format!("{time:.2}"));
        timed.push(vec![
            d.to_string(),
            figures[0].clone(),
            figures[1].clone(),
            format!("{:.2}", slow / fast),
        ]);
    }
    page.table(&["d", "there", "back", "ratio", "steps in a row", "d passes"], counted);
    page.prose(
        "Operations for one row, counted on the compiled programs. Only the last column is arithmetic: d \
         times the second, which nothing here has run. In the inverse each unit is computed once, as soon as \
         all of its inputs are known. The work is that of one pass; what grows is the length of the \
         dependent chain.",
    );
    page.check_that(
        "the inverse costs at most 5 % more than the forward pass",
        largest <= 1.05,
        format!("{largest}"),
    );
    page.check_that("the number of sequential steps is the number of variables", as_many, "another number");
    let coupling =
        in_a_row(&pattern(&AffineCoupling::new(CouplingMask::first_half(256), Network::new([512]))));
    page.check_that("for a coupling layer of 256 variables it is two", coupling == 2, format!("{coupling}"));
    page.prose("And measured, 256 rows side by side:");
    page.measured_table(&["d", "there, µs a row", "back, µs a row", "ratio"], timed);
    page.prose(
        "The ratio of times is larger than that of operations, and varies with the machine. Forward, the \
         network is two large matrix products. In the inverse the same products are split into d sequential \
         pieces, which use the processor less efficiently.",
    );

    page.heading("Real data: the weather");
    page.prose(
        "2922 days in Seattle and New York: the day of the year, the lowest and the highest temperature, the wind. One \
         layer of MAF with 24 + 24 hidden units, in that order, against one Gaussian. Mean ln p of held-out days, \
         factor by factor:",
    );
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/weather.csv");
    let table = Table::read(path, &[], |_| true)?;
    let training = table.filter(|row| row % 10 < 8);
    let moments = training.moments();
    let test = table.filter(|row| row % 10 == 9).standardised(&moments);
    let training = training.standardised(&moments);
    let fit = |layers: Layers| -> Result<(FittedFlow, f64, f64), Box<dyn Error>> {
        let settings =
            FitOptions { seed: SEED, epochs: 30, batch: 128, learning_rate: 5e-3, ..FitOptions::default() };
        let start = Instant::now();
        let fitted = Flow::new(StandardNormal::new(4), layers)?.fit(&training, settings)?;
        let time = start.elapsed().as_secs_f64();
        let score = mean(&fitted.log_prob(test.values())?);
        Ok((fitted, score, time))
    };
    let (mut one, one_score, one_time) = fit(maf(1))?;
    let by_row = factors(&one, test.values())?;
    let names = ["day", "min | day", "max | day, min", "wind | day, min, max"];
    let (mut rows, mut sums, mut before) = (Vec::new(), [0.0; 2], 0.0);
    for (i, name) in names.into_iter().enumerate() {
        let up_to = gaussian(&training, &test, i + 1)?;
        let shares = [up_to - before, mean(&by_row.iter().copied().skip(i).step_by(4).collect::<Vec<_>>())];
        sums = [sums[0] + shares[0], sums[1] + shares[1]];
        before = up_to;
        rows.push([vec![name.to_string()], shares.map(|share| format!("{share:.3}")).to_vec()].concat());
    }
    rows.push([vec!["together".to_string()], sums.map(|sum| format!("{sum:.3}")).to_vec()].concat());
    page.table(&["factor", "Gaussian", "MAF"], rows);
    page.check_close("the factors of MAF add up to the ln p of the flow", sums[1], one_score, 1e-9);
    page.check_that("MAF is ahead by more than 0.5 nats a day", sums[1] > sums[0] + 0.5, format!("{sums:?}"));
    page.prose(
        "A Gaussian models linear dependence only, but the temperature rises and falls over the year. The \
         second factor is the first that has an input:",
    );
    let (columns, lines) = (90, 60);
    let days = |k: usize| -1.75 + 3.5 * (k as f64 + 0.5) / columns as f64;
    let temperatures = |k: usize| -3.0 + 6.0 * (k as f64 + 0.5) / lines as f64;
    let cells: Vec<f64> =
        (0..columns * lines).flat_map(|k| [days(k % columns), temperatures(k / columns), 0.0, 0.0]).collect();
    let p = factors(&one, &cells)?.chunks(4).map(|factors| factors[1].exp()).collect();
    page.picture(
        "season",
        Picture::new(
            "p(lowest temperature | day), and the days",
            "An arch of density, low at both ends of the year and high in summer, with the points along it.",
        )
        .axes("day of the year, standardised", "min")
        .heat_map("p(min | day)", (-1.75, 1.75), (-3.0, 3.0), columns, p)
        .scatter("days", training.values().chunks(4).step_by(8).map(|row| (row[0], row[1])).collect()),
    );
    page.prose(
        "The first factor has no inputs, so it stays normal, though days are spread evenly over the year: \
         some samples lie before January or after December. In a second layer that takes the variables in \
         reverse order the day comes last and depends on all others. Four layers, with alternating orders; \
         and four layers of IAF, trained by the same likelihood, each density solved one variable after the \
         other:",
    );
    let (mut four, maf_score, maf_time) = fit(maf(4))?;
    let (mut other, iaf_score, iaf_time) = fit(iaf(4))?;
    let year = training.values().iter().step_by(4).map(|day| day.abs()).fold(0.0, f64::max);
    let outside = |fitted: &FittedFlow| -> Result<f64, Box<dyn Error>> {
        let days: Vec<f64> = fitted.sample(10_000, SEED)?.into_iter().step_by(4).collect();
        Ok(days.iter().filter(|day| day.abs() > year).count() as f64 / 100.0)
    };
    let (one_outside, four_outside) = (outside(&mut one)?, outside(&mut four)?);
    let row = |name: &str, score: f64, outside: f64| {
        vec![name.to_string(), format!("{score:.3}"), format!("{outside:.1}")]
    };
    page.table(
        &["density", "mean ln p of held-out days", "samples outside the year, %"],
        vec![
            row("MAF, one layer", one_score, one_outside),
            row("MAF, four layers", maf_score, four_outside),
            row("IAF, four layers", iaf_score, outside(&mut other)?),
        ],
    );
    page.measured("training time, MAF with one layer = 1: four layers", maf_time / one_time, "");
    page.measured("IAF with four layers", iaf_time / one_time, "");
    page.check_that(
        "fewer samples fall outside the year",
        four_outside < 0.7 * one_outside,
        format!("{four_outside}"),
    );
    page.check_that("four layers are better than one", maf_score > one_score + 0.05, format!("{maf_score}"));
    page.check_that(
        "IAF is trained by likelihood as well: ahead of the Gaussian by more than 0.5 nats",
        iaf_score > sums[0] + 0.5,
        format!("{iaf_score}"),
    );

    page.heading("In general");
    page.formula(
        "IAF: xᵢ = zᵢ·exp(αᵢ(z before i)) + μᵢ(z before i)\nMAF: xᵢ = zᵢ·exp(αᵢ(x before i)) + μᵢ(x before i)\nln|det J| = Σ αᵢ for both",
    );
    page.heading("What people get wrong");
    page.misconception(
        "\"MAF and IAF are different layers.\" A MAF is an inverted IAF, with the same network: one map, \
         read in the other direction. And \"so they are one model\" is wrong, too. As densities of x, with \
         networks of one size, they are two families: given what comes before, xᵢ is normal in both, but \
         MAF's network finds its mean and scale from x, IAF's from z, which as a function of x is the \
         network composed with the solution of the equation. Choose the one whose fast direction you need.",
    );
    page.exercise(&judge::EXERCISE);
    page.read_on(
        "Germain, Gregor, Murray, Larochelle, \"MADE\" (2015), equations 8 to 10; Kingma et al., \"Improving \
         Variational Inference with Inverse Autoregressive Flow\" (2016), equations 10 to 12; Papamakarios, Pavlakou, \
         Murray, \"Masked Autoregressive Flow\" (2017), section 3 and its comparison with IAF.",
    );
    page.next("13_maximum_likelihood_is_forward_kl: what training lowers.");
    Ok(())
}
