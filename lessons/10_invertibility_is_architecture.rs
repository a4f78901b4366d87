//! Lesson 10: invertibility is built in, or it is not there.

use std::error::Error;
use std::f64::consts::PI;

use pushforward::audit::{AuditOptions, Topic, audit_with};
use pushforward::bijection::{forward_with_log_det, inverse_with_log_det};
use pushforward::jacobian::{jacobian, map};
use pushforward::prelude::*;
use pushforward::program::{Output, Program};
use pushforward::sweep::adjoint;
use pushforward::sweep::simplify::simplify;
use pushforward::tape::Subgraph;
use pushforward::train::Adam;
use pushforward_course::{Grid, Lesson, Page, Picture, coverings, equation, values};

#[path = "judges/10_invertibility_is_architecture.rs"]
pub mod judge;

const SEED: u64 = 7;
/// A determinant below this costs something, and this is how much.
const MARGIN: f64 = 0.3;
const WEIGHT: f64 = 300.0;
/// Where p is summed; and where it is counted how many x there are for a z.
const X: Grid = Grid::new(6.0, 300);
const FINE: Grid = Grid::new(6.0, 600);
const Z: Grid = Grid::new(4.5, 150);

/// What a in x = z + a·sin z is.
#[derive(Clone, Copy)]
enum Amount {
    /// A number.
    Fixed(f64),
    /// A parameter, which starts at ½ and may become anything.
    Free,
    /// tanh of a parameter; it starts at ½, too.
    Bounded,
}

/// x = z + a·sin z
struct Wave(Amount);

impl Bijection for Wave {
    fn dim(&self) -> usize {
        1
    }
    fn structure(&self) -> Structure {
        Structure::Diagonal
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let parameter = |start| z.tape().parameter("a", Shape::Scalar, Init::Constant(start));
        match self.0 {
            Amount::Fixed(a) => z + a * z.sin(),
            Amount::Free => z + parameter(0.5) * z.sin(),
            Amount::Bounded => z + parameter(0.5f64.atanh()).tanh() * z.sin(),
        }
    }
}

/// From x to z by a network, x + net(x). Nothing makes it one-to-one.
struct Rewarded;

impl Bijection for Rewarded {
    fn dim(&self) -> usize {
        2
    }
    fn forward<'t>(&self, x: Var<'t>) -> Var<'t> {
        x + Network::new([16, 16]).apply(x, 2)
    }
}

/// Couplings with alternating masks: from z to x, with networks of the same size.
fn couplings() -> Vec<Box<dyn Bijection>> {
    let mask = |k: usize| {
        if k.is_multiple_of(2) { CouplingMask::first_half(2) } else { CouplingMask::second_half(2) }
    };
    let layer = |k| AffineCoupling::new(mask(k), Network::new([16, 16]));
    (0..6).map(|k| Box::new(layer(k)) as Box<dyn Bijection>).collect()
}

/// A way from x to z with trained weights, compiled.
struct Model {
    to_z: Program<f64>,
    scored: Program<f64>,
}

/// What it says of rows of x: ln p, and the determinant with its sign.
struct Scores {
    log_p: Vec<f64>,
    det: Vec<f64>,
}

impl Model {
    /// `log_det` is that of the way from x to z.
    fn new(x: Var<'_>, z: Var<'_>, log_det: Var<'_>, weights: &Parameters) -> Result<Model, Box<dyn Error>> {
        let log_p = StandardNormal::new(2).log_prob(z) + log_det;
        let compiled = |nodes: &[Var<'_>]| {
            let outputs: Vec<Output> = nodes.iter().map(|node| Output::Each(node.id())).collect();
            Program::compile(x.tape(), &[x.id()], &outputs)
        };
        let mut model = Model { to_z: compiled(&[z]), scored: compiled(&[log_p, determinant(x, z)]) };
        model.to_z.load(weights)?;
        model.scored.load(weights)?;
        Ok(model)
    }

    fn z(&mut self, rows: &[f64]) -> Result<Vec<f64>, Box<dyn Error>> {
        Ok(self.to_z.run(&[rows], rows.len() / 2)?.swap_remove(0))
    }

    fn scores(&mut self, rows: &[f64]) -> Result<Scores, Box<dyn Error>> {
        let mut results = self.scored.run(&[rows], rows.len() / 2)?.into_iter();
        let mut next = || results.next().ok_or("two outputs");
        Ok(Scores { log_p: next()?, det: next()? })
    }

    /// The probability, under the base, that z has so many x: of 0, of 1, and so on.
    fn shares(&mut self) -> Result<Vec<f64>, Box<dyn Error>> {
        let counts = coverings(FINE, &self.z(&FINE.corners())?, Z);
        let mut shares = vec![0.0; 1 + counts.iter().max().ok_or("an empty grid")?];
        for (z, count) in Z.middles().chunks(2).zip(counts) {
            shares[count] += (-0.5 * (z[0] * z[0] + z[1] * z[1])).exp() / (2.0 * PI) * Z.area();
        }
        Ok(shares)
    }
}

/// det ∂z/∂x of two variables, as a formula.
fn determinant<'t>(x: Var<'t>, z: Var<'t>) -> Var<'t> {
    let j = jacobian(x.tape(), &map(x.tape(), x.id(), z.id())).reshape(Shape::Vector(4));
    j.at(0) * j.at(3) - j.at(1) * j.at(2)
}

/// The network after 400 steps of Adam over all rows, its weights, and the cost that is left at each row.
fn rewarded(table: &Table) -> Result<(Model, Parameters, Vec<f64>), Box<dyn Error>> {
    const STEPS: usize = 400;
    let (tape, rows) = (Tape::new(), table.rows());
    let x = tape.input(Shape::Vector(2));
    let pushed = forward_with_log_det(&Rewarded, x)?;
    let cost = WEIGHT * (MARGIN - determinant(x, pushed.x)).max(0.0).powi(2);
    let loss = cost - StandardNormal::new(2).log_prob(pushed.x) - pushed.log_det;
    let subgraph = Subgraph::new(&tape, &[x.id()], &[loss.id()]);
    let gradients = adjoint(&tape, &subgraph, &[(loss.id(), tape.constant(1.0))], &tape.parameters());
    let sums: Option<Vec<Output>> = gradients.into_iter().map(|sum| Some(Output::Sum(sum?.id()))).collect();
    let sums = sums.ok_or("the loss depends on every weight")?;
    let mut step = Program::<f64>::compile(&tape, &[x.id()], &sums);
    let mut weights = Parameters::initialise(&tape, SEED);
    let lengths: Vec<usize> = weights.iter().map(|(_, tensor)| tensor.values.len()).collect();
    let mut adam = Adam::new(0.0, &lengths);
    for k in 0..STEPS {
        step.load(&weights)?;
        let mut gradients = step.run(&[table.values()], rows)?;
        gradients.iter_mut().flatten().for_each(|gradient| *gradient /= rows as f64);
        adam.set_learning_rate(5e-3 * (0.55 + 0.45 * (PI * k as f64 / STEPS as f64).cos()));
        adam.step(&mut weights, &gradients);
    }
    let mut left = Program::compile(&tape, &[x.id()], &[Output::Each(cost.id())]);
    left.load(&weights)?;
    let left = left.run(&[table.values()], rows)?.swap_remove(0);
    Ok((Model::new(x, pushed.x, pushed.log_det, &weights)?, weights, left))
}

/// The flow's layers, from x back to z.
fn turned_round(chain: &Chain, weights: &Parameters) -> Result<Model, Box<dyn Error>> {
    let tape = Tape::new();
    let x = tape.input(Shape::Vector(2));
    let pulled = inverse_with_log_det(chain, x)?;
    Model::new(x, pulled.z, -pulled.log_det, weights)
}

const GROUPS: [&str; 3] = ["heavy, shallow bills", "between, det < 0", "light, deep bills"];

/// Where a penguin is: with the heavy ones, between, with the light ones.
fn group(x: &[f64], det: f64) -> usize {
    match (det < 0.0, x[1] > 1.4 * x[0] + 0.6) {
        (true, _) => 1,
        (false, true) => 0,
        (false, false) => 2,
    }
}

/// Points on the way from a heavy penguin (0) to a light one (1), moved sideways.
fn way(along: impl Iterator<Item = f64>, sideways: f64) -> Vec<f64> {
    along.flat_map(|along| [-1.0 + 1.6 * along + sideways, 1.2 - 1.8 * along + sideways]).collect()
}

/// So many steps from one number to another, both included.
fn steps(from: f64, to: f64, count: u32) -> impl Iterator<Item = f64> {
    (0..=count).map(move |k| from + (to - from) * f64::from(k) / f64::from(count))
}

type Lines = Vec<Vec<(f64, f64)>>;

/// The image of a piece of a strip around the way: lines along it and across.
fn strip(model: &mut Model, from: f64, to: f64) -> Result<Lines, Box<dyn Error>> {
    let along = steps(-0.5, 0.5, 2).map(|sideways| way(steps(from, to, 80), sideways));
    let across = steps(from, to, 7)
        .map(|at| steps(-0.5, 0.5, 40).flat_map(|sideways| way(std::iter::once(at), sideways)).collect());
    along.chain(across).map(|line| Ok(pairs(&model.z(&line)?))).collect()
}

fn mean(numbers: &[f64]) -> f64 {
    numbers.iter().sum::<f64>() / numbers.len() as f64
}

fn pairs(rows: &[f64]) -> Vec<(f64, f64)> {
    rows.chunks(2).map(|row| (row[0], row[1])).collect()
}

/// The lesson: run on its own, from the front page, or into the book.
pub const LESSON: Lesson = Lesson {
    number: 10,
    slug: "10_invertibility_is_architecture",
    title: "Invertibility is architecture",
    about: "a penalty for folding: what it misses",
    exercise: &judge::EXERCISE,
    seconds: 5.0,
    trained: &["A network that", "Two points, one z", "How much probability", "Built in"],
    needs: &[9],
    tell,
};

fn tell(page: &mut Page) -> Result<(), Box<dyn Error>> {
    page.question(
        "A density needs an invertible map. A network can be trained with almost any penalty. Can a network \
         learn to be invertible?",
    );
    page.predict(
        "A network z = g(x) is trained with a cost that is 0 as soon as its determinant is above 0.3 at every row \
         of the data. Training ends, and the cost is exactly 0. Is g invertible?",
    );

    page.heading("By hand, in one variable");
    let recording = record(&Wave(Amount::Fixed(1.5)))?;
    let (tape, z) = (recording.tape(), recording.input());
    let slope = recording.layers()[0].diagonal.ok_or("a diagonal layer has a diagonal")?;
    let slope = simplify(tape, slope, 0, &[]).value;
    page.formula(equation("x", recording.output(), &[(z, "z")]));
    page.formula(equation("dx/dz", slope, &[(z, "z")]));
    page.prose("Let the data be five points, with a penalty on slopes below 0.3 at these points:");
    let places = [-1.0, -0.5, 0.0, 0.5, 1.0, PI];
    let numbers = values(tape, z, &[recording.output(), slope], &places);
    let rows = (0..5).map(|k| {
        let (x, slope) = (numbers[0][k], numbers[1][k]);
        [(places[k], 1), (x, 4), (slope, 4), ((MARGIN - slope).max(0.0), 0)]
            .map(|(number, digits)| format!("{number:.digits$}"))
            .to_vec()
    });
    page.table(&["z", "x", "slope", "cost"], rows.collect());
    let least = numbers[1][..5].iter().copied().fold(f64::INFINITY, f64::min);
    page.check_that("at all five points the penalty is 0", least > MARGIN, format!("{least}"));
    page.prose(
        "Now take z = π, where there are no data. cos π = -1, so by hand the slope there is 1 - 1.5 = -0.5.",
    );
    page.check_close("so it is by the tape", numbers[1][5], -0.5, 1e-15);
    page.prose(
        "The map is decreasing there, and takes the same values again. The audit shows two such points:",
    );
    let report = audit(&Wave(Amount::Fixed(1.5)))?;
    let claim = report.claim(Topic::Injective).ok_or("the audit looks for collisions")?;
    page.note(format!("{}? {}", claim.statement, claim.evidence));
    page.check_that("two points collide", claim.evidence.label() == "refuted", claim.evidence.detail());

    page.heading("A network that is rewarded");
    page.prose(
        "Real data: bill depth and body mass of 342 penguins, standardised. They fall into two groups, heavy birds \
         with shallow bills and light birds with deep ones, and between them is a gap.",
    );
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/data/penguins.csv");
    let table = Table::read(path, &["bill_depth_mm", "body_mass_g"], |_| true)?;
    let training = table.filter(|row| row % 10 < 8);
    let moments = training.moments();
    let test = table.filter(|row| row % 10 >= 8).standardised(&moments);
    let training = training.standardised(&moments);
    page.prose(
        "A density needs only the map from x to z and its determinant (the second form of lesson 5). So let \
         a network be that map, z = g(x), and train it by maximum likelihood. Up to the section Built in, \
         the network maps x to z. Nothing in the formula requires that g is one-to-one, so a cost is added:",
    );
    page.formula(format!(
        "ln p(x) = ln p_Z(g(x)) + ln|det J_g(x)|\ncost(x) = {WEIGHT}·max(0, {MARGIN} - det J_g(x))²"
    ));
    page.prose(format!(
        "The factor {WEIGHT} is large, so that no gain in likelihood is worth a violation. g(x) is x plus a network with two \
         hidden layers of 16 units: 2·16 + 16 weights into the first, 16·16 + 16 between them, 16·2 + 2 out of the second.",
    ));
    let (mut model, weights, costs) = rewarded(&training)?;
    let at_training = model.scores(training.values())?;
    let least = at_training.det.iter().copied().fold(f64::INFINITY, f64::min);
    page.number("training rows", training.rows() as f64, "");
    page.number("weights", weights.count() as f64, "");
    page.number("cost after training, all rows together", costs.iter().sum(), "");
    page.number("the smallest determinant at a training row", least, "");
    let free = costs.iter().all(|cost| *cost == 0.0) && least > MARGIN;
    page.check_that("the cost is 0 at every training row", free, format!("{costs:?}"));
    page.prose(
        "For comparison one Gaussian, and a flow of six coupling layers (lesson 8) with networks of this \
         size. On rows that none of them was trained on:",
    );
    let gaussian = mean(&Gaussian::fit(&training).log_prob(&test));
    let settings = FitOptions { seed: SEED, epochs: 150, batch: 64, ..FitOptions::default() };
    let fitted = Flow::new(StandardNormal::new(2), couplings())?.fit(&training, settings)?;
    let flow = mean(&fitted.log_prob(test.values())?);
    let at_test = model.scores(test.values())?;
    let score = mean(&at_test.log_p);
    page.table(
        &["density", "mean ln p of held-out rows"],
        vec![
            vec!["one Gaussian, full covariance".into(), format!("{gaussian:.3}")],
            vec!["six coupling layers".into(), format!("{flow:.3}")],
            vec!["the rewarded network".into(), format!("{score:.3}")],
        ],
    );
    let ahead = score - flow;
    page.check_that(
        "the network is ahead of the flow by more than 0.4 nats per row",
        ahead > 0.4,
        format!("{ahead}"),
    );
    page.predict(format!(
        "{ahead:.2} nats per row, on rows it was not trained on, and at every row of its data it looks \
         invertible. Would you accept it?"
    ));

    page.heading("Two points, one z");
    page.prose(
        "The cost constrains the network only at the training rows. The audit tests other points. Here g is \
         the map that is audited: what the audit calls z is the input of g, so it is our x, and what it \
         calls x is our z.",
    );
    let report =
        audit_with(&Rewarded, &AuditOptions { parameters: Some(weights), ..AuditOptions::default() })?;
    page.report(&report);
    let collide = report.refuted().any(|claim| claim.topic == Topic::Injective);
    page.check_that("two points have the same z: g is not invertible", collide, "no two points were found");
    page.prose(
        "Where does g fold? Walk in a straight line from a heavy penguin (0) to a light one (1), and plot z \
         along it. It goes across, back, and across again:",
    );
    let along: Vec<f64> = steps(-0.2, 1.2, 280).collect();
    let walk = model.z(&way(along.iter().copied(), 0.0))?;
    let coordinate = |j: usize| along.iter().copied().zip(walk.iter().copied().skip(j).step_by(2)).collect();
    page.picture(
        "walk",
        Picture::new(
            "z on the way from a heavy penguin to a light one",
            "Two curves. z₁ rises, falls steeply in the gap and rises again; z₂ does the opposite.",
        )
        .axes("from heavy (0) to light (1)", "z")
        .line("z₁", coordinate(0))
        .line("z₂", coordinate(1)),
    );
    page.prose(
        "That is a suspicion, not a proof: a one-to-one map of the plane may bend a line back and forth as \
         well. So take a strip around that line. The image of a strip under a one-to-one map never overlaps \
         itself. This one does, in three sheets between two creases, and the sheet in the middle, the gap, \
         is reflected:",
    );
    page.picture(
        "folded",
        Picture::new(
            "A strip along that line and its image under g: folded twice",
            "The image of a long strip lies in three sheets over each other, with two creases.",
        )
        .axes("z₁", "z₂")
        .equal_aspect()
        .grid("before the gap", strip(&mut model, -0.2, 0.285)?)
        .grid("in the gap", strip(&mut model, 0.285, 0.53)?)
        .grid("behind it", strip(&mut model, 0.53, 1.2)?),
    );

    page.heading("How much probability is there?");
    page.predict("A density integrates to 1. What does this p integrate to, over all x?");
    page.prose(
        "Summed over a fine grid in the plane of x, and separately where the determinant is negative:",
    );
    let cells = X.middles();
    let everywhere = model.scores(&cells)?;
    let (mut mass, mut highest) = ([0.0; 3], (0.0, 0));
    for (k, x) in cells.chunks(2).enumerate() {
        let (here, p) = (group(x, everywhere.det[k]), everywhere.log_p[k].exp());
        mass[here] += p * X.area();
        highest = if p > highest.0 { (p, here) } else { highest };
    }
    let total: f64 = mass.iter().sum();
    let rows_of = |table: &Table, scores: &Scores, wanted: usize| {
        (0..table.rows()).filter(|k| group(table.row(*k), scores.det[*k]) == wanted).count()
    };
    let trained: [usize; 3] = std::array::from_fn(|k| rows_of(&training, &at_training, k));
    let rows = (0..3).map(|k| {
        let held_out = rows_of(&test, &at_test, k).to_string();
        vec![GROUPS[k].to_string(), format!("{:.3}", mass[k]), trained[k].to_string(), held_out]
    });
    page.table(&["where", "∫ p", "training rows", "held-out rows"], rows.collect());
    page.number("∫ p in all", total, "");
    page.check_that("p is no density: it integrates to more than 2", total > 2.0, format!("{total}"));
    page.check_that(
        "nearly a third of it lies where no training row is",
        mass[1] > 0.3 * total && trained[1] == 0,
        format!("{mass:?}"),
    );
    page.check_that("and there p is highest", highest.1 == 1, format!("{highest:?}"));
    let near = Grid::new(2.6, 90);
    let p = model.scores(&near.middles())?.log_p.into_iter().map(f64::exp).collect();
    page.picture(
        "density",
        Picture::new(
            "What the network calls p, and the penguins",
            "Two clouds of points, each under a hill of p, and between them a steep ridge of p without any points.",
        )
        .axes("bill depth", "body mass")
        .equal_aspect()
        .heat_map("p(x)", near.ends(), near.ends(), near.cells(), p)
        .scatter("penguins", pairs(training.values())),
    );
    page.prose(
        "The ridge is the fold. Its determinant is negative, |det J| makes it count as probability \
         nevertheless, and a bird on it gets a high density; the mean over held-out rows does not reveal \
         this.",
    );
    page.prose(
        "Now count in the plane of z. Divide the plane of x into triangles, map their corners, and count how \
         many triangles cover each z:",
    );
    let shares = model.shares()?;
    let mean_count =
        |shares: &[f64]| shares.iter().enumerate().map(|(n, share)| n as f64 * share).sum::<f64>();
    let rows = shares.iter().enumerate().skip(1).map(|(n, share)| vec![n.to_string(), format!("{share:.3}")]);
    page.table(&["x for one z", "probability of such z"], rows.collect());
    page.number("x for one z, in the mean", mean_count(&shares), "");
    page.check_close("∫ p is the mean number of x for one z", total, mean_count(&shares), 0.01);
    page.prose(
        "This explains the integral. The formula treats each x as the only one with its z; where three x \
         share a z, its probability is counted three times.",
    );
    let w = trained[0] as f64 / training.rows() as f64;
    let reward = -w * w.ln() - (1.0 - w) * (1.0 - w).ln();
    page.prose(format!(
        "And the likelihood rewards folding. A group with a fraction w of the birds that covers the whole \
         base, instead of a fraction w of it, gains -ln w per row: over both groups {reward:.2} in the mean. \
         The network was ahead by {ahead:.2}. Divided by what it integrates to, {total:.2}, its p becomes a \
         density, and every ln p falls by ln {total:.2} = {:.2}:",
        total.ln()
    ));
    let made_honest = score - total.ln();
    page.number("the network, less ln ∫ p", made_honest, "nats");
    page.number("six coupling layers", flow, "nats");
    page.check_that(
        "made a density, it is behind the flow",
        made_honest < flow,
        format!("{made_honest}, {flow}"),
    );

    page.heading("Built in");
    page.prose(
        "Now from z to x again. In one variable: x = z + a·sin z with an a that is learned, starting at ½, written in two \
         ways.",
    );
    let places: Vec<f64> = steps(-10.0, 10.0, 1000).collect();
    let (mut images, mut words) = (Vec::new(), Vec::new());
    for wave in [Wave(Amount::Free), Wave(Amount::Bounded)] {
        let recording = record(&wave)?;
        let (tape, z, x) = (recording.tape(), recording.input(), recording.output());
        page.formula(equation("x", x, &[(z, "z")]));
        images.push(values(tape, z, &[x], &places).swap_remove(0));
        let report = audit(&wave)?;
        let claim = report.claim(Topic::Injective).ok_or("the audit looks for collisions")?;
        page.note(format!("{}? {}", claim.statement, claim.evidence));
        words.push(claim.evidence.label());
    }
    let apart = images[0].iter().zip(&images[1]).map(|(a, b)| (a - b).abs()).fold(0.0, f64::max);
    page.check_close("initially the two are one function (at 1001 points)", apart, 0.0, 1e-14);
    page.check_that(
        "only the second is proven one-to-one",
        words == ["not proven", "proven"],
        format!("{words:?}"),
    );
    page.prose(
        "The first is invertible while a stays between -1 and 1, and only a cost would keep it there. The second \
         cannot leave: whatever the parameter is, its tanh lies between -1 and 1, so the slope 1 + tanh(a)·cos z is \
         above 0.",
    );
    page.prose("In two variables: the coupling layers of the flow above, for all inputs and all weights.");
    let chain = Chain::new(couplings());
    let report = audit(&chain)?;
    for topic in [Topic::Inverse, Topic::Injective] {
        let claim = report.claim(topic).ok_or("the audit has such a claim")?;
        page.check(claim.statement.clone(), claim.evidence.clone());
    }
    let mut model = turned_round(&chain, fitted.parameters())?;
    let total = model.scores(&cells)?.log_p.into_iter().map(f64::exp).sum::<f64>() * X.area();
    let mean_count = mean_count(&model.shares()?);
    page.number("∫ p of the fitted flow", total, "");
    page.number("x for one z, in the mean", mean_count, "");
    page.check_close("its p integrates to 1", total, 1.0, 1e-3);
    page.check_close("and every z has one x", mean_count, 1.0, 1e-3);

    page.heading("In general");
    page.formula("∫ p_Z(g(x))·|det J_g(x)| dx = ∫ p_Z(z)·(number of x with g(x) = z) dz");
    page.prose(
        "A cost constrains only the points at which it was computed. What is built into the formulas holds \
         at every point and for every weight, and can be proven without any data.",
    );
    page.heading("What people get wrong");
    page.misconception(
        "\"A penalty makes the network invertible.\" The penalty was 0, the network was not invertible, and \
         its score was the better for it. The likelihood of a function that is no density cannot be compared \
         with that of a density.",
    );
    page.exercise(&judge::EXERCISE);
    page.read_on(
        "Papamakarios et al. (2021), section 2.1, on what f must be. The formula above is the area formula: Evans and \
         Gariepy, \"Measure Theory and Fine Properties of Functions\", section 3.3.",
    );
    page.next("11_coupling: layers that are invertible by construction, whatever their networks are.");
    Ok(())
}
