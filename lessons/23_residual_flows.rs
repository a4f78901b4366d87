//! Lesson 23: residual flows, and dense Jacobians that are tractable all the same.

use std::error::Error;
use std::f64::consts::PI;

use pushforward::audit::{Evidence, Topic};
use pushforward::bijection::Recording;
use pushforward::flow::FittedFlow;
use pushforward::jacobian::{jacobian, log_det, map};
use pushforward::layers::LipschitzConstraint;
use pushforward::prelude::*;
use pushforward::program::{Output, Program};
use pushforward::sweep::lipschitz::steps;
use pushforward::sweep::tangent;
use pushforward_course::statistics::{mean, standard_error};
use pushforward_course::{Lesson, Page, Picture, data, equation, values};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

#[path = "judges/23_residual_flows.rs"]
pub mod judge;

const SEED: u64 = 7;
/// The Lipschitz constant of the residual layers.
const LIPSCHITZ: f64 = 0.9;
/// Variables and hidden units of the layer whose inverse and series are measured.
const D: usize = 8;
const UNITS: usize = 16;

type Told = Result<(), Box<dyn Error>>;
type Layers = Vec<Box<dyn Bijection>>;

/// x = z + ½·sin z
struct Wave;

impl Bijection for Wave {
    fn dim(&self) -> usize {
        1
    }
    fn structure(&self) -> Structure {
        Structure::Diagonal
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z + 0.5 * z.sin()
    }
}

pub const LESSON: Lesson = Lesson {
    number: 23,
    slug: "23_residual_flows",
    title: "Residual flows",
    about: "z + g(z), dense and tractable",
    exercise: &judge::EXERCISE,
    seconds: 12.0,
    trained: &["On data"],
    needs: &[9, 20],
    tell,
};

fn tell(page: &mut Page) -> Told {
    page.question(
        "Nearly every layer so far has a Jacobian with zeros that are known, or is made of matrices whose determinants are. Take x = z + \
         g(z), where g is a network in which everything depends on everything. Can that be a bijection, with a density?",
    );
    page.predict(
        "If g moves two points by less than they are apart, can z + g(z) put them at the same place? And how would you find z \
         from x, if g cannot be inverted?",
    );
    by_hand(page)?;
    the_tape(page)?;
    banach(page)?;
    series(page)?;
    lemma(page)?;
    on_data(page)?;

    page.heading("In general");
    page.formula("|g(z) - g(z′)| ≤ L·|z - z′| with L < 1:   z + g(z) is a bijection of ℝᵈ");
    page.prose(
        "The proof is a bound, of each operation of g, that holds for all parameters. The inverse is an iteration that gains a \
         factor L a step. ln|det J| is an LU, or a series that is estimated without a matrix, or, where all variables meet in few \
         numbers, a small determinant.",
    );
    page.heading("What people get wrong");
    page.misconception(
        "\"Only triangular Jacobians are tractable.\" A dense one is, where something else is known of it: that it is 1 and a matrix whose norm is below 1, or \
         that it is 1 and a matrix of low rank. A flow needs a bound or a structure, not zeros.",
    );
    page.exercise(&judge::EXERCISE);
    page.read_on(
        "Behrmann, Grathwohl, Chen, Duvenaud, Jacobsen, \"Invertible Residual Networks\" (2019), theorem 1 and section 3; Chen, \
         Behrmann, Duvenaud, Jacobsen, \"Residual Flows for Invertible Generative Modeling\" (2019), section 3.1 on the unbiased \
         estimate; Rezende and Mohamed, \"Variational Inference with Normalizing Flows\" (2015), section 4.1 on planar flows; van \
         den Berg, Hasenclever, Tomczak, Welling, \"Sylvester Normalizing Flows\" (2018), theorem 1.",
    );
    page.next("24_your_own_flow: a layer of your own, in a crate of your own.");
    Ok(())
}

/// One variable: a fixed point, step by step.
fn by_hand(page: &mut Page) -> Told {
    page.heading("By hand: a step at a time");
    page.prose(
        "x = z + ½·sin z. For x = 1 the z that is wanted fulfils z = 1 - ½·sin z. Guess z₀ = 1, put it into the right-hand side, \
         take what comes out as the next guess. ½·sin moves two points by at most half of what they are apart, so that each guess \
         is at most half as far from z as the one before. Nor can there be two such z: they would be at most half as far apart \
         as they are. By the tape:",
    );
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(1));
    let next = 1.0 - 0.5 * z.at(0).sin();
    page.formula(equation("next z", next, &[(z, "z")]));
    let mut guesses = vec![1.0];
    for k in 0..60 {
        guesses.push(values(&tape, z, &[next], &[guesses[k]])[0][0]);
    }
    let (exact, first) = (guesses[60], (guesses[1] - guesses[0]).abs());
    let bound = |k: usize| 0.5f64.powi(k as i32) / (1.0 - 0.5) * first;
    let rows = [0, 1, 2, 3, 5, 10, 20]
        .map(|k| {
            let off = (guesses[k] - exact).abs();
            vec![
                k.to_string(),
                format!("{:.9}", guesses[k]),
                format!("{off:.1e}"),
                format!("{:.1e}", bound(k)),
            ]
        })
        .to_vec();
    page.table(&["k", "guess", "off by", "at most"], rows);
    page.prose("The last column is known before the first step is followed by a second: Lᵏ/(1 - L) times the first step, with L = ½ (Banach).");
    page.check_that(
        "no guess is farther off than that",
        (0..40).all(|k| (guesses[k] - exact).abs() <= bound(k) + 1e-15),
        format!("{guesses:?}"),
    );
    let wave = record(&Wave)?;
    let image = values(wave.tape(), wave.input(), &[wave.output()], &[exact])[0][0];
    page.check_close("x at the last guess", image, 1.0, 1e-15);
    Ok(())
}

fn claim(layer: &dyn Bijection, topic: Topic) -> Result<(String, Evidence), Box<dyn Error>> {
    let report = audit(layer)?;
    let claim = report.claim(topic).ok_or("the audit makes this claim")?;
    Ok((claim.statement.clone(), claim.evidence.clone()))
}

/// The layer of the catalogue, its bound and its proof.
fn the_tape(page: &mut Page) -> Told {
    page.heading("The tape does it");
    page.prose(
        "In several variables, distances are lengths |z - z′|, and g's constant is bounded operation by operation. tanh has slopes \
         of at most 1. A matrix W stretches by at most ‖W‖₂, which is its largest singular value, and that is at most ‖W‖_F, the \
         root of the sum of the squares of its entries. So W·c/max(c, ‖W‖_F) stretches by c at most, whatever W is, and a network of such \
         layers by the product of their c:",
    );
    let layer = Residual::new(2, [2]).with_coefficient(0.81);
    page.derivation(&derive(&layer)?.excerpt(&["Definition", "Inverse"]));
    let (statement, evidence) = claim(&layer, Topic::Injective)?;
    let proven = evidence.label();
    page.check(statement, evidence);
    page.check_that("that is proven for all weights", proven == "proven", proven);
    page.prose(
        "‖W‖₂ itself is not a formula of the entries. Usually it is estimated, by power iteration, which comes from below: some \
         steps are not enough for all W, and nothing is proven:",
    );
    let estimated = Residual::new(2, [2]).with_constraint(LipschitzConstraint::PowerIteration { steps: 3 });
    let (_, evidence) = claim(&estimated, Topic::Injective)?;
    let tried = evidence.detail();
    let tried = tried.lines().next().unwrap_or_default();
    page.prose(format!("With 3 steps of power iteration: {} ({tried}).", evidence.label()));
    page.check_that("an estimate of the norm proves nothing", evidence.label() != "proven", evidence.label());
    Ok(())
}

/// The layer that is measured, with weights that are not small.
struct Measured {
    recording: Recording,
    parameters: Parameters,
    /// 200 points z.
    points: Vec<f64>,
}

impl Measured {
    fn new() -> Result<Measured, Box<dyn Error>> {
        let recording = record(&Residual::new(D, [UNITS]).with_coefficient(LIPSCHITZ))?;
        let mut parameters = Parameters::initialise(recording.tape(), SEED);
        let mut random = ChaCha8Rng::seed_from_u64(SEED);
        let mut drawn =
            |count: usize| -> Vec<f64> { (0..count).map(|_| random.random_range(-1.0..1.0)).collect() };
        // Both matrices stretch mostly along one direction, and the second takes back what the first gives.
        let (units, variables) = (drawn(UNITS), drawn(D));
        let entry = |i: usize, j: usize, noise: f64, sign: f64| sign * units[i] * variables[j] + 0.1 * noise;
        let noise = [drawn(UNITS * D), drawn(UNITS * D)];
        let first = (0..UNITS * D).map(|e| entry(e / D, e % D, noise[0][e], 1.0)).collect();
        let second = (0..UNITS * D).map(|e| entry(e % UNITS, e / UNITS, noise[1][e], -1.0)).collect();
        parameters.set("net.0.weight", Shape::Matrix(UNITS, D), first)?;
        parameters.set("net.1.weight", Shape::Matrix(D, UNITS), second)?;
        parameters.set("net.0.bias", Shape::Vector(UNITS), drawn(UNITS).iter().map(|b| 0.3 * b).collect())?;
        let mut points = vec![0.0; 200 * D];
        points.chunks_mut(D).for_each(|row| StandardNormal::new(D).sample(&mut random, row));
        Ok(Measured { recording, parameters, points })
    }

    fn numbers(
        &self,
        outputs: &[Var<'_>],
        inputs: &[&[f64]],
        nodes: &[Var<'_>],
    ) -> Result<Vec<Vec<f64>>, Box<dyn Error>> {
        let outputs: Vec<Output> = outputs.iter().map(|node| Output::Each(node.id())).collect();
        let nodes: Vec<_> = nodes.iter().map(|node| node.id()).collect();
        let mut program = Program::<f64>::compile(self.recording.tape(), &nodes, &outputs);
        program.load(&self.parameters)?;
        Ok(program.run(inputs, inputs[0].len() / D)?)
    }
}

/// The iteration, counted against what is known before it begins.
fn banach(page: &mut Page) -> Told {
    page.heading("Steps, counted");
    let measured = Measured::new()?;
    let (tape, z, f) = (measured.recording.tape(), measured.recording.input(), measured.recording.output());
    let x = tape.input(Shape::Vector(D));
    let next = z + (x - f);
    let images = measured.numbers(&[f], &[&measured.points], &[z])?.swap_remove(0);
    let length = |row: &[f64]| row.iter().map(|value| value * value).sum::<f64>().sqrt();
    let apart = |a: &[f64], b: &[f64]| -> f64 {
        a.chunks(D)
            .zip(b.chunks(D))
            .map(|(a, b)| length(&a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<_>>()))
            .fold(0.0, f64::max)
    };
    let mut guess = images.clone();
    let (mut errors, mut first) = (vec![apart(&guess, &measured.points)], 0.0);
    for k in 0..300 {
        let better = measured.numbers(&[next], &[&guess, &images], &[z, x])?.swap_remove(0);
        if k == 0 {
            first = apart(&better, &guess);
        }
        guess = better;
        errors.push(apart(&guess, &measured.points));
    }
    let bound = |k: usize| LIPSCHITZ.powi(k as i32) / (1.0 - LIPSCHITZ) * first;
    page.prose(format!(
        "{D} variables, {UNITS} hidden units, L = {LIPSCHITZ}, and weights of which the second takes back what the first gives, mostly along one direction, which \
         is hard for an iteration. 200 points z are mapped to x, and z = x - g(z) is iterated from z₀ = x. The farthest of the 200 from its z, and Banach's bound, which knows L and the first \
         step and nothing else:"
    ));
    let rows = [0, 2, 5, 10, 20, 40]
        .map(|k| vec![k.to_string(), format!("{:.1e}", errors[k]), format!("{:.1e}", bound(k))])
        .to_vec();
    page.table(&["k", "off by", "at most"], rows);
    page.check_that(
        "no step is farther off than the bound",
        (0..errors.len()).all(|k| errors[k] <= bound(k) + 1e-13),
        format!("{errors:?}"),
    );
    let needed = errors.iter().position(|error| *error < 1e-12 * first).ok_or("300 steps are enough")?;
    let known = steps(LIPSCHITZ, 1e-12);
    page.number("steps until z is known to 10⁻¹² of the first step", needed as f64, "");
    page.number("steps that are enough for every g with this L", known as f64, "");
    page.check_that(
        "fewer are needed than are known to be enough",
        needed <= known,
        format!("{needed}, {known}"),
    );
    page.picture(
        "banach",
        Picture::new(
            "How far the guess is off, by step",
            "Two falling lines: the measured one falls much more steeply than the bound.",
        )
        .axes("step", "off by")
        .log_y()
        .line(
            "measured",
            errors
                .iter()
                .take(60)
                .enumerate()
                .filter(|(_, e)| **e > 1e-15)
                .map(|(k, e)| (k as f64, *e))
                .collect(),
        )
        .line("bound", (0..60).map(|k| (k as f64, bound(k))).collect()),
    );
    page.prose(
        "The bound must hold for the worst g and the worst point. ‖W‖_F is larger than ‖W‖₂ where a matrix stretches in several \
         directions, and tanh is steep in few places, so that this g is a better contraction than is known of it. The library's own \
         solver takes fewer steps still (Anderson acceleration), and keeps such a step only where it is as good as a plain one.",
    );
    Ok(())
}

/// ln|det (1 + A)| as a series, exactly and estimated.
fn series(page: &mut Page) -> Told {
    page.heading("A logarithm as a series");
    page.prose(
        "J = 1 + A, where A is the Jacobian of g, with ‖A‖₂ ≤ L. As ln(1 + a) = a - a²/2 + a³/3 - … for each eigenvalue a of A, and \
         a trace is the sum of the eigenvalues:",
    );
    page.formula("ln|det (1 + A)| = tr A - tr A²/2 + tr A³/3 - …");
    page.prose(
        "Cut off after n terms, what is left is at most d·(Lⁿ⁺¹/(n + 1))/(1 - L), since |tr Aᵏ| ≤ d·Lᵏ. The matrices from the tape, at \
         the 200 points, against the LU of 1 + A:",
    );
    let measured = Measured::new()?;
    let (tape, z, f) = (measured.recording.tape(), measured.recording.input(), measured.recording.output());
    let j = jacobian(tape, &map(tape, z.id(), f.id()));
    let a = j - tape.identity(D);
    const TERMS: usize = 16;
    let (mut power, mut sum, mut sums) = (a, tape.constant(0.0), Vec::new());
    for k in 1..=TERMS {
        let sign = if k % 2 == 1 { 1.0 } else { -1.0 };
        sum = sum + (sign / k as f64) * power.diagonal().sum();
        sums.push(sum);
        power = power.matmul(a);
    }
    let exact = measured.recording.log_det();
    let outputs: Vec<Var<'_>> = sums.iter().copied().chain([exact]).collect();
    let found = measured.numbers(&outputs, &[&measured.points], &[z])?;
    let truth = &found[TERMS];
    let off = |n: usize| found[n - 1].iter().zip(truth).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    let bound = |n: usize| D as f64 * LIPSCHITZ.powi(n as i32 + 1) / ((n + 1) as f64 * (1.0 - LIPSCHITZ));
    let rows = [1, 2, 4, 8, 16]
        .map(|n| vec![n.to_string(), format!("{:.1e}", off(n)), format!("{:.1e}", bound(n))])
        .to_vec();
    page.table(&["terms", "worst error", "at most"], rows);
    page.check_that(
        "no error is above its bound",
        (1..=TERMS).all(|n| off(n) <= bound(n)),
        format!("{:?}", (1..=TERMS).map(off).collect::<Vec<_>>()),
    );
    page.check_that(
        "16 terms leave less than a tenth of what their bound allows",
        off(16) < 0.1 * bound(16),
        format!("{}", off(16)),
    );
    page.picture(
        "series",
        Picture::new(
            "Error of ln|det J| by the number of terms",
            "Two falling lines: the measured error falls steeply, its bound slowly.",
        )
        .axes("terms", "error")
        .log_y()
        .line(
            "measured",
            (1..=TERMS).map(|n| (n as f64, off(n))).filter(|(_, error)| *error > 1e-15).collect(),
        )
        .line("bound", (1..=TERMS).map(|n| (n as f64, bound(n))).collect()),
    );
    estimated(page, &measured, truth[0], found[1][0])
}

/// Hutchinson's estimate of the terms, cut off and not.
fn estimated(page: &mut Page, measured: &Measured, exact: f64, of_two: f64) -> Told {
    page.prose(
        "The matrix is not needed: εᵀAᵏε with random signs ε has the mean tr Aᵏ (lesson 20), and A·(A·(…·ε)) is one tangent after \
         another, d² operations each. At the first of the points, by 20 000 draws of ε: two terms, sixteen terms, and a number of \
         terms N that is drawn, too, with chance ½ of stopping after each, where term k counts 1/P(N ≥ k) times. The last has no \
         end that is cut off, and its mean is the whole series (Chen et al., 2019):",
    );
    const TERMS: usize = 40;
    const DRAWS: usize = 20_000;
    let (tape, z, f) = (measured.recording.tape(), measured.recording.input(), measured.recording.output());
    let probe = tape.input(Shape::Vector(D));
    let path = map(tape, z.id(), f.id());
    let (mut moved, mut terms) = (probe, Vec::new());
    for _ in 0..TERMS {
        let along = tangent(tape, &path, &[(z.id(), moved)])[0].ok_or("x depends on z")?;
        moved = along - moved;
        terms.push(probe.dot(moved));
    }
    let mut random = ChaCha8Rng::seed_from_u64(SEED + 1);
    let signs: Vec<f64> = (0..DRAWS * D).map(|_| if random.random_bool(0.5) { 1.0 } else { -1.0 }).collect();
    let at: Vec<f64> = (0..DRAWS).flat_map(|_| measured.points[..D].to_vec()).collect();
    let found = measured.numbers(&terms, &[&at, &signs], &[z, probe])?;
    let weight = |k: usize| if k.is_multiple_of(2) { 1.0 } else { -1.0 } / (k + 1) as f64;
    let cut = |n: usize| -> Vec<f64> {
        (0..DRAWS).map(|draw| (0..n).map(|k| weight(k) * found[k][draw]).sum()).collect()
    };
    let roulette: Vec<f64> = (0..DRAWS)
        .map(|draw| {
            let (mut sum, mut scale, mut k) = (0.0, 1.0, 0);
            loop {
                sum += scale * weight(k) * found[k][draw];
                // Beyond forty terms there is one draw in 10¹².
                if k + 1 == TERMS || random.random_bool(0.5) {
                    break sum;
                }
                (scale, k) = (2.0 * scale, k + 1);
            }
        })
        .collect();
    let estimates = [("2 terms", cut(2)), ("16 terms", cut(16)), ("N terms", roulette)];
    let rows = estimates
        .iter()
        .map(|(name, draws)| {
            let (centre, error) = (mean(draws), standard_error(draws));
            vec![
                name.to_string(),
                format!("{centre:.4} ± {error:.4}"),
                format!("{:.1}", (centre - exact).abs() / error),
            ]
        })
        .collect();
    page.table(&["estimate", "mean ± standard error", "standard errors from the LU"], rows);
    page.prose(
        "The drawn number costs variance: with a chance of ½ it is finite where the eigenvalues of A are below 1/√2 in size. Nearer \
         to 1 the chance of stopping must be smaller.",
    );
    page.number("ln|det J| by the LU", exact, "");
    page.number("two terms, exactly", of_two, "");
    let within = |draws: &[f64], asked: f64| (mean(draws) - asked).abs() / standard_error(draws);
    page.check_close(
        "two terms: within 4 standard errors of the two exact terms",
        within(&estimates[0].1, of_two),
        0.0,
        4.0,
    );
    page.check_close("sixteen terms: within 4 of the LU", within(&estimates[1].1, exact), 0.0, 4.0);
    page.check_close("a drawn number of terms: within 4 of the LU", within(&estimates[2].1, exact), 0.0, 4.0);
    page.check_that(
        "two terms are farther from the LU than 4 standard errors: cutting off is a bias that no draws remove",
        within(&estimates[0].1, exact) > 4.0,
        format!("{}", within(&estimates[0].1, exact)),
    );
    Ok(())
}

/// Few numbers in which all variables meet.
fn lemma(page: &mut Page) -> Told {
    page.heading("Where everything meets in few numbers");
    page.prose(
        "A planar flow bends along one direction: x = z + u·tanh(wᵀz + b). Its Jacobian has no zeros. Yet all that the variables \
         know of one another is the one number wᵀz + b. Nobody has to say so; the tape looks for the fewest numbers that, held \
         fixed, leave each output with a variable of its own (a minimum cut of the program's graph):",
    );
    page.derivation(&derive(&Planar::new(3).unconstrained())?.excerpt(&[
        "Definition",
        "Structure",
        "Log-determinant",
    ]));
    page.prose(
        "That is the matrix determinant lemma: det(T + U·V) = det T·det(1 + V·T⁻¹·U), for a diagonal T and U, V of k columns and \
         rows. det J takes d operations, and an LU of k rows. Here it is 1 + h′·wᵀu, which is the formula of the paper. Rezende and \
         Mohamed's û, with wᵀû > -1, makes that positive, and so proven for all parameters:",
    );
    let (statement, evidence) = claim(&Planar::new(3), Topic::Injective)?;
    page.check_that(
        "the planar flow is proven one-to-one",
        evidence.label() == "proven",
        evidence.to_string(),
    );
    page.check(format!("Planar::new(3): {statement}"), evidence);
    page.prose(
        "Sylvester flows have k directions; and a residual layer of k hidden units is of the same kind, so that its determinant is \
         exact, without a series. With 64 variables, found and not declared:",
    );
    let d = 64;
    // Columns of a cosine transform, which are orthonormal.
    let cosines = |k: usize| -> Vec<f64> {
        let angle = |i: usize, j: usize| PI * (i as f64 + 0.5) * (j as f64 + 1.0) / d as f64;
        (0..d * k).map(|e| (2.0 / d as f64).sqrt() * angle(e / k, e % k).cos()).collect()
    };
    let layers: [(&str, Box<dyn Bijection>); 6] = [
        ("planar", Box::new(Planar::new(d))),
        ("radial", Box::new(Radial::new(d))),
        ("Sylvester, 4 directions", Box::new(Sylvester::new(d, cosines(4)))),
        ("residual, 4 units", Box::new(Residual::new(d, [4]))),
        ("residual, 12 units", Box::new(Residual::new(d, [12]))),
        ("residual, 32 units", Box::new(Residual::new(d, [32]))),
    ];
    let (mut rows, mut ratios, mut off) = (Vec::new(), Vec::new(), 0.0f64);
    for (name, layer) in layers {
        let recording = record(layer.as_ref())?;
        let (tape, z, x) = (recording.tape(), recording.input(), recording.output());
        let path = map(tape, z.id(), x.id());
        let found = log_det(tape, &path, &Structure::Dense)?;
        let dense = jacobian(tape, &path).log_abs_det();
        let count =
            |node: Var<'_>| Program::<f64>::compile(tape, &[z.id()], &[Output::Each(node.id())]).operations();
        let mut program = Program::<f64>::compile(
            tape,
            &[z.id()],
            &[found.value, dense].map(|node| Output::Each(node.id())),
        );
        let mut parameters = Parameters::initialise(tape, SEED);
        let mut random = ChaCha8Rng::seed_from_u64(SEED);
        for (_, tensor) in parameters.iter_mut() {
            tensor.values.iter_mut().for_each(|value| *value = random.random_range(-0.5..0.5));
        }
        program.load(&parameters)?;
        let rows_of_z: Vec<f64> = (0..16 * d).map(|k| (1.0 + 0.7 * k as f64).sin()).collect();
        let numbers = program.run(&[&rows_of_z], 16)?;
        off = numbers[0].iter().zip(&numbers[1]).map(|(a, b)| (a - b).abs()).fold(off, f64::max);
        let ratio = count(dense) as f64 / count(found.value) as f64;
        rows.push(vec![name.to_string(), route(&found.route.to_string()), format!("{ratio:.0}")]);
        ratios.push(ratio);
    }
    page.table(&["layer", "route", "dense/route"], rows);
    page.check_close(
        "ln|det J| of all of them, by their route and by an LU of 64 rows: largest difference",
        off,
        0.0,
        1e-10,
    );
    page.check_that(
        "the planar determinant takes a hundredth of the operations",
        ratios[0] > 100.0,
        format!("{ratios:?}"),
    );
    Ok(())
}

/// The first words of a route.
fn route(text: &str) -> String {
    text.split(',').next().unwrap_or(text).to_string()
}

/// Residual layers and couplings on real data.
fn on_data(page: &mut Page) -> Told {
    page.heading("On data");
    page.prose(
        "The gamma showers of lesson 8. For maximum likelihood it is z = f⁻¹(x) that is evaluated, so the residual network is \
         written in that direction, as Inverse::new(Residual::new(2, [32])): then a density is one pass, and a sample is the \
         iteration. Four layers each, three seeds and as long a training as in lesson 21; mean ln p of the \
         test rows with its standard error over the seeds, in nats:",
    );
    let table = Table::read(data("magic_gamma.csv"), &["size_log10", "conc"], |_| true)?;
    let training = table.filter(|row| row % 10 < 8);
    let moments = training.moments();
    let test = table.filter(|row| row % 10 == 9).standardised(&moments);
    let training = training.standardised(&moments);
    let residual =
        |_| Box::new(Inverse::new(Residual::new(2, [32]).with_coefficient(0.97))) as Box<dyn Bijection>;
    let coupling = |k| {
        let mask = if k % 2 == 0 { CouplingMask::first_half(2) } else { CouplingMask::second_half(2) };
        Box::new(AffineCoupling::new(mask, Network::new([40]))) as Box<dyn Bijection>
    };
    let gaussian = mean(&Gaussian::fit(&training).log_prob(&test));
    let mut rows = vec![vec!["one Gaussian".into(), "5".into(), format!("{gaussian:.3}")]];
    let (mut scores, mut flows) = (Vec::new(), Vec::new());
    type Kind<'a> = (&'a str, &'a dyn Fn(usize) -> Box<dyn Bijection>);
    let kinds: [Kind<'_>; 2] = [("affine couplings", &coupling), ("residual", &residual)];
    for (name, layer) in kinds {
        let mut found = Vec::new();
        for seed in SEED..SEED + 3 {
            let options =
                FitOptions { seed, epochs: 12, batch: 256, learning_rate: 5e-3, ..FitOptions::default() };
            let layers: Layers = (0..4).map(layer).collect();
            let fitted = Flow::new(StandardNormal::new(2), layers)?.fit(&training, options)?;
            found.push(mean(&fitted.log_prob(test.values())?));
            flows.push(fitted);
        }
        let parameters = flows.last().map_or(0, |flow: &FittedFlow| flow.parameters().count());
        let told = format!("{:.3} ± {:.3}", mean(&found), standard_error(&found));
        rows.push(vec![name.into(), parameters.to_string(), told]);
        scores.push(mean(&found));
    }
    page.table(&["flow", "parameters", "mean ln p"], rows);
    page.prose(
        "With as many parameters the couplings are a little ahead in these two variables. A residual layer needs no split into a half \
         that moves and one that stays, but it can stretch by less than 2 only.",
    );
    page.check_that(
        "the residual flow is ahead of a Gaussian by a quarter of a nat",
        scores[1] > gaussian + 0.25,
        format!("{scores:?}, {gaussian}"),
    );
    let last = flows.last().ok_or("six were trained")?;
    let samples = last.sample(1000, SEED)?;
    let log_p = last.log_prob(&samples)?;
    page.check_that(
        "1000 samples come from the iteration, each with a finite density",
        samples.iter().chain(&log_p).all(|value| value.is_finite()),
        "a sample is not finite",
    );
    Ok(())
}
