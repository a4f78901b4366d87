//! Lesson 22: linear layers whose determinant is known from how their matrix is made.

use std::error::Error;
use std::time::Instant;

use pushforward::audit::Topic;
use pushforward::flow::{FittedFlow, Trainer};
use pushforward::layers::{plu, qr};
use pushforward::numeric::Lu;
use pushforward::prelude::*;
use pushforward::program::{Output, Program};
use pushforward_course::statistics::{mean, standard_error};
use pushforward_course::{Lesson, Page, Picture, data, equation, fit_slope, values};

#[path = "judges/22_linear_layers.rs"]
pub mod judge;

const SEED: u64 = 7;

type Told = Result<(), Box<dyn Error>>;
type Layers = Vec<Box<dyn Bijection>>;

pub const LESSON: Lesson = Lesson {
    number: 22,
    slug: "22_linear_layers",
    title: "Linear layers",
    about: "matrices with a known determinant",
    exercise: &judge::EXERCISE,
    seconds: 8.0,
    trained: &["What mixing is"],
    needs: &[11],
    tell,
};

fn tell(page: &mut Page) -> Told {
    page.question(
        "Couplings leave variables as they are, so between them the variables should be mixed. The map x = W·z with a full \
         matrix W mixes all of them. Its ln|det W| takes an LU decomposition, some d³ operations, and it may be -∞. Can \
         W be full and its determinant known?",
    );
    page.predict(
        "A reflection in a mirror, a rotation, and the exponential of a matrix A: what is |det W| of each? And of a product of \
         a lower and an upper triangular matrix?",
    );
    by_hand(page)?;
    rules(page)?;
    permutations(page)?;
    cost(page)?;
    mixing(page)?;

    page.heading("In general");
    page.prose(
        "Parametrise a matrix as a product of factors whose determinants are known: permutations, triangles, reflections, \
         rotations, exponentials. Each is invertible for all values of its parameters; what W = P·L·U and W = Q·R reach, \
         with a suitable permutation and suitable signs, is every invertible matrix. Reflections and rotations keep all lengths; \
         Cayley transforms are the rotations in which nothing turns by 180°.",
    );
    page.heading("What people get wrong");
    page.misconception(
        "\"Mixing variables costs O(d³).\" The determinant of a matrix that is made of factors is a sum of d logarithms, or 1. And \
         even an LU is taken once for all rows. What each row costs is W·z: d².",
    );
    page.exercise(&judge::EXERCISE);
    page.read_on(
        "Kingma and Dhariwal, \"Glow\" (2018), section 3.2 on 1×1 convolutions and PLU; Tomczak and Welling, \"Improving \
         Variational Auto-Encoders using Householder Flow\" (2016), section 3; Hoogeboom, van den Berg, Welling, \"Emerging \
         Convolutions\" (2019), section 3.2 on QR; Golinski, Lezcano-Casado, Rainforth, \"Improving Normalizing Flows via Better \
         Orthogonal Parameterizations\" (2019), on Cayley transforms and exponentials.",
    );
    page.next("23_residual_flows: dense Jacobians that are tractable all the same.");
    Ok(())
}

/// Two matrices of two rows.
fn by_hand(page: &mut Page) -> Told {
    page.heading("By hand: two rows");
    page.prose(
        "Multiply L = [1, 0; 2, 1] and U = [2, 1; 0, 3]: W = L·U = [2, 1; 4, 5], which is full. det L = 1, det U = 2·3, so det W = \
         6, and indeed 2·5 - 1·4 = 6. Nobody had to look at W to know it.",
    );
    let full = record(&Linear::new([2.0, 1.0, 4.0, 5.0], [0.0, 0.0]))?;
    let by_lu = values(full.tape(), full.input(), &[full.log_det()], &[0.0, 0.0])[0][0];
    page.check_close("ln|det W| by an LU of W is ln 6", by_lu, 6f64.ln(), 1e-15);
    page.prose(
        "A mirror: v is the direction at right angles to it, and W = 1 - 2·v·vᵀ/vᵀv. With v = (1, 2): vᵀv = 5, W = [3/5, -4/5; -4/5, -3/5]. \
         It turns v into -v and leaves what is at right angles to v, so that det W = -1, here -9/25 - 16/25. |det W| = 1, whatever \
         v is. That matrix by the tape, at v = (1, 2):",
    );
    let tape = Tape::new();
    let v = tape.input(Shape::Vector(2));
    let outer = v.reshape(Shape::Matrix(2, 1)).matmul(v.reshape(Shape::Matrix(1, 2)));
    let mirror = tape.identity(2) - (2.0 / v.dot(v)) * outer;
    page.formula(equation("W", mirror, &[(v, "v")]));
    let entries = values(&tape, v, &[mirror], &[1.0, 2.0]).swap_remove(0);
    let off = entries.iter().zip([0.6, -0.8, -0.8, -0.6]).map(|(found, asked)| (found - asked).abs());
    page.check_close("the four entries of W", off.fold(0.0, f64::max), 0.0, 1e-15);
    page.check_close("|det W| by an LU", Lu::new(2, entries).log_abs_det().exp(), 1.0, 1e-15);
    Ok(())
}

/// A derivation without what is not asked here: the map, and its log-determinant.
fn short(layer: &dyn Bijection) -> Result<Derivation, Box<dyn Error>> {
    Ok(derive(layer)?.excerpt(&["Definition", "Log-determinant"]))
}

/// The rule of each family, and what the audit says of it.
fn rules(page: &mut Page) -> Told {
    page.heading("The tape does it");
    let families: [(&str, &str, Box<dyn Bijection>); 4] = [
        (
            "L·U, and a 1×1 convolution",
            "An image of 3 pixels with 2 channels. Each pixel's channels are mapped by the same W = L·U, so that J has three \
             blocks W on its diagonal (z[1‥2] are the first and the second variable: formulas count from 1, code from 0). L has a unit diagonal, U has exponentials. The rules: the determinant of a product is the \
             product of the determinants, and a triangle's is the product of its diagonal.",
            Box::new(PointwiseConvolution::new(3, 2)),
        ),
        (
            "Reflections (Householder)",
            "A product of two of them. Any matrix that keeps lengths is a product of at most d reflections. Only the direction of \
             v counts, and v = 0 has none: with one entry fixed at 1, no values of the others give it.",
            Box::new(Householder::new(2, 2)),
        ),
        (
            "Rotations (Cayley)",
            "With A = B - Bᵀ, which is -Aᵀ: W = (1 + A)⁻¹·(1 - A). The transpose of 1 - A is 1 + A, and a matrix and its transpose \
             have one determinant: numerator and denominator cancel. 1 + A is never singular, for zᵀ(1 + A)z = zᵀz.",
            Box::new(Cayley::new(3)),
        ),
        (
            "Exponentials",
            "W = exp A = 1 + A + A²/2 + …. The flow of dz/dt = A·z for a time of 1 (lesson 20): its ln|det| is the integral of the \
             trace, which is constant.",
            Box::new(MatrixExponential::new(2)),
        ),
    ];
    let mut rows = Vec::new();
    for (name, said, layer) in &families {
        page.prose(format!("{name}. {said}"));
        page.derivation(&short(layer.as_ref())?);
        let report = audit(layer.as_ref())?;
        for topic in [Topic::Injective, Topic::LogDet] {
            let claim = report.claim(topic).ok_or("the audit makes this claim")?;
            page.check(format!("{}: {}", layer.name(), claim.statement), claim.evidence.clone());
            if topic == Topic::Injective {
                rows.push(claim.evidence.label());
            }
        }
    }
    page.check_that(
        "each of the four is proven a bijection for all its parameters",
        rows.iter().all(|label| *label == "proven"),
        format!("{rows:?}"),
    );
    page.prose(
        "Chains of these are layers, too: plu(positions, signs) is exp(s)⊙(P·L·U·z) + b, and qr(d, k) has a product of k \
         reflections in the place of P·L. In code:",
    );
    page.listing(
        "Box::new(plu([2, 0, 1], [1.0, 1.0, 1.0]))   // a permutation, two triangles\n\
         Box::new(qr(3, 3))                          // a triangle, 3 reflections\n\
         Box::new(Cayley::new(3))                    // a rotation, starts at 1\n\
         Box::new(MatrixExponential::new(3))\n\
         Box::new(PointwiseConvolution::new(64, 3))  // 8×8 pixels, 3 channels",
    );
    page.prose(
        "And for matrices of your own the tape has the operations that the rules know, here of a learned matrix a:",
    );
    page.listing(
        "let a = z.tape().parameter(\"A\", Shape::Matrix(3, 3), Init::Constant(0.1));\n\
         let lower = a * z.tape().mask(3, 3, |i, j| j < i) + z.tape().identity(3);\n\
         lower.matvec(z)    // and a.matmul(b), a.transpose(), a.inverse(), a.matrix_exp()",
    );
    Ok(())
}

/// Permutations: known without a parameter, and without an operation.
fn permutations(page: &mut Page) -> Told {
    page.heading("Permutations");
    page.prose(
        "The cheapest mixing is a change of places. Its matrix has a single 1 in each row and column, so det W is 1 or -1, and \
         the tape only moves numbers:",
    );
    let layer = Permutation::new([2, 0, 1]);
    page.derivation(&short(&layer)?);
    let recording = record(&layer)?;
    let ids = [recording.output(), recording.log_det()].map(|node| Output::Each(node.id()));
    let program = Program::<f64>::compile(recording.tape(), &[recording.input().id()], &ids);
    page.number("operations a row", program.operations() as f64, "");
    page.check_close("a permutation computes nothing", program.operations() as f64, 0.0, 0.0);
    Ok(())
}

/// The shortest of some runs, in seconds.
fn timed(mut run: impl FnMut()) -> f64 {
    let (mut best, begin) = (f64::INFINITY, Instant::now());
    for _ in 0..200 {
        let start = Instant::now();
        run();
        best = best.min(start.elapsed().as_secs_f64());
        if begin.elapsed().as_secs_f64() > 0.06 {
            break;
        }
    }
    best
}

/// Seconds for ln|det W| of new parameters, and the operations of its program.
fn log_det_time(layer: &dyn Bijection) -> Result<(f64, u64), Box<dyn Error>> {
    let recording = record(layer)?;
    let outputs = [Output::Each(recording.log_det().id())];
    let mut program = Program::<f64>::compile(recording.tape(), &[recording.input().id()], &outputs);
    let parameters = Parameters::initialise(recording.tape(), SEED);
    let z = vec![0.3; layer.dim()];
    program.load(&parameters)?;
    program.run(&[&z], 1)?;
    let seconds = timed(|| {
        program.load(&parameters).expect("its own parameters");
        program.run(&[&z], 1).expect("one row");
    });
    Ok((seconds, program.operations()))
}

/// Seconds for a step of maximum likelihood: inverse, log-determinant, gradients.
fn step_time(layer: Box<dyn Bijection>, batch: usize) -> Result<f64, Box<dyn Error>> {
    let d = layer.dim();
    let flow = Flow::new(StandardNormal::new(d), vec![layer])?;
    let start = flow.initial(SEED);
    let mut trainer = Trainer::<f32>::new(&flow, start, 1e-4)?;
    let rows: Vec<f32> = (0..batch * d).map(|k| (1.0 + 0.7 * k as f32).sin()).collect();
    trainer.step(&rows)?;
    Ok(timed(|| {
        trainer.step(&rows).expect("a finite step");
    }))
}

fn signs(d: usize) -> Vec<f64> {
    vec![1.0; d]
}

/// Times of ln|det W| and of a whole step, against d.
fn cost(page: &mut Page) -> Told {
    page.heading("What it costs");
    page.prose(
        "W changes with each step of training and is the same for all rows of a batch, so ln|det W| is computed once a step. Its \
         time alone, in microseconds, as d grows:",
    );
    let sizes = [64, 128, 256, 512];
    let (mut rows, mut lu, mut rule, mut operations) = (Vec::new(), Vec::new(), Vec::new(), Vec::new());
    for d in sizes {
        let positions = Permutation::reverse(d).positions().to_vec();
        let [free, factors] = [log_det_time(&Linear::identity(d))?, log_det_time(&plu(positions, signs(d)))?];
        let times = [free.0, factors.0];
        operations.push(factors.1);
        lu.push((d as f64, times[0]));
        rule.push((d as f64, times[1]));
        let mut row = vec![d.to_string()];
        row.extend(times.iter().map(|time| format!("{:.1}", time * 1e6)));
        row.push(format!("{:.0}", times[0] / times[1]));
        rows.push(row);
    }
    page.measured_table(&["d", "LU of a free W", "P·L·U: Σ ln|uᵢᵢ|", "ratio"], rows);
    let power = fit_slope(&lu[1..]).0;
    page.measured("time of the LU: power of d", power, "");
    page.check_that(
        "twice the variables, twice the operations of the rule",
        operations.windows(2).all(|pair| pair[1] <= 2 * pair[0]),
        format!("{operations:?}"),
    );
    page.measured_picture(
        "cost",
        Picture::new(
            "Time of ln|det W|",
            "Two rising lines over d: that of the LU is steep, that of the rule nearly flat.",
        )
        .axes("d", "seconds")
        .log_log()
        .line("LU", lu)
        .line("P·L·U", rule),
    );
    page.prose(
        "And a whole step of training: z = W⁻¹·x for all rows of a batch, ln|det W|, and the gradients of both. Times of each, \
         divided by that of one triangle:",
    );
    let mut rows = Vec::new();
    for (d, batch) in [(16, 128), (64, 128), (256, 128), (256, 8)] {
        let positions = Permutation::reverse(d).positions().to_vec();
        let triangle = step_time(Box::new(Triangular::upper(d)), batch)?;
        let layers: [Box<dyn Bijection>; 4] = [
            Box::new(Linear::identity(d)),
            Box::new(plu(positions, signs(d))),
            Box::new(qr(d, 4)),
            Box::new(Cayley::new(d)),
        ];
        let mut row = vec![d.to_string(), batch.to_string()];
        for layer in layers {
            row.push(format!("{:.1}", step_time(layer, batch)? / triangle));
        }
        rows.push(row);
    }
    page.measured_table(&["d", "rows", "free W", "P·L·U", "Q·R, 4 mirrors", "Cayley"], rows);
    let exponential = step_time(Box::new(MatrixExponential::new(16)), 128)?
        / step_time(Box::new(Triangular::upper(16)), 128)?;
    page.measured("an exponential, d = 16, 128 rows", exponential, "triangles");
    page.prose(
        "So a determinant that is so much faster hardly shows in a step. The LU is taken once, and W is applied to every row: \
         P·L·U applies two matrices and takes twice as long. Mixing costs d² a row, whichever matrix it is, and an exponential is \
         dear for its own reason: it is a sum of matrix products. What a factorisation buys is something else. The determinant of a \
         free W can become 0 in training, and beyond that its sign is another; those of this lesson cannot, for any values of \
         their parameters, and that is proven.",
    );
    Ok(())
}

/// The same couplings with different mixing between, on real data.
fn mixing(page: &mut Page) -> Told {
    page.heading("What mixing is worth");
    page.prose(
        "The ten columns of lesson 16, gammas, standardised. Four affine couplings, each of which leaves the first five \
         variables as they are, and between them: nothing, a reversal, a random permutation, P·L·U, a reversal with a rotation. Three seeds each; mean \
         ln p of the test rows with its standard error over the seeds, in nats:",
    );
    let columns = [
        "length",
        "width",
        "size_log10",
        "conc",
        "conc1",
        "asym",
        "m3_long",
        "m3_trans",
        "alpha_deg",
        "dist",
    ];
    let gammas =
        Table::read(data("magic_showers.csv"), &columns, |cell| cell("class").as_deref() == Some("g"))?;
    let training = gammas.filter(|row| row % 10 < 8);
    let moments = training.moments();
    let test = gammas.filter(|row| row % 10 == 9).standardised(&moments);
    let training = training.standardised(&moments);
    let d = columns.len();
    // Numbers that are rounded are no density.
    let noise = vec![0.03; d];
    type Mixing = Box<dyn Fn(u64) -> Option<Box<dyn Bijection>>>;
    let positions = Permutation::reverse(d).positions().to_vec();
    let kinds: [(&str, Mixing); 5] = [
        ("nothing", Box::new(|_| None)),
        ("a reversal", Box::new(move |_| Some(Box::new(Permutation::reverse(d))))),
        ("a random permutation", Box::new(move |k| Some(Box::new(Permutation::random(d, k))))),
        ("P·L·U", Box::new(move |_| Some(Box::new(plu(positions.clone(), signs(d)))))),
        (
            "a reversal and a rotation",
            Box::new(move |_| {
                Some(Box::new(Chain::new([
                    Box::new(Permutation::reverse(d)) as Box<dyn Bijection>,
                    Box::new(Cayley::new(d)),
                ])))
            }),
        ),
    ];
    let (mut rows, mut scores) = (Vec::new(), Vec::new());
    for (name, mixing) in kinds {
        let (mut found, mut parameters) = (Vec::new(), 0);
        for seed in SEED..SEED + 3 {
            let mut layers: Layers = Vec::new();
            for k in 0..4 {
                layers.push(Box::new(AffineCoupling::new(CouplingMask::first_half(d), Network::new([32]))));
                layers.extend(mixing(seed + 10 * k));
            }
            let options = FitOptions {
                seed,
                epochs: 30,
                batch: 128,
                learning_rate: 5e-3,
                noise: Some(&noise),
                ..FitOptions::default()
            };
            let fitted: FittedFlow = Flow::new(StandardNormal::new(d), layers)?.fit(&training, options)?;
            found.push(mean(&fitted.log_prob(test.values())?));
            parameters = fitted.parameters().count();
        }
        let told = format!("{:.2} ± {:.2}", mean(&found), standard_error(&found));
        rows.push(vec![name.to_string(), parameters.to_string(), told]);
        scores.push(mean(&found));
    }
    page.table(&["between the couplings", "parameters", "mean ln p"], rows);
    page.check_that(
        "any mixing is worth more than a nat a row",
        scores[1..].iter().all(|score| *score > scores[0] + 1.0),
        format!("{scores:?}"),
    );
    page.check_that(
        "a learned matrix is ahead of the same permutation alone",
        scores[3] > scores[1],
        format!("{scores:?}"),
    );
    Ok(())
}
