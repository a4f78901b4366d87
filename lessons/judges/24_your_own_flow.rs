//! Exercise 24: a layer of the learner's own, in a crate of their own, step by step.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use pushforward::audit::Topic;
use pushforward::bijection::leaves;
use pushforward::flow::Trainer;
use pushforward::jacobian::{discover, map};
use pushforward::prelude::*;
use pushforward::sweep::bound::Bounds;
use pushforward::sweep::simplify::simplify;
use pushforward_course::exercise::{
    Allowed, Answer, Comparison, Exercise, Judgement, NotYet, Passed, Probes, Space, compared, draws,
    recorded, shown,
};

pub const EXERCISE: Exercise = Exercise {
    number: 24,
    slug: "24_your_own_flow",
    question: "In a crate of your own, write this layer of two variables: the first stays as it is; the second is stretched by a \
               factor that the first chooses and that lies between 1/2 and 2 whatever is learned, and then moved by a learned \
               parabola in the first. Predict its structure, audit it, pin its derivation, put it in a flow, train the flow on two \
               columns of a table, and save it. It must be a tenth of a nat ahead of one Gaussian on rows that it has not seen.",
    proof: "The judge reads the layer from your crate. It asks, in this order: is what you declare proven, and is there nothing \
            better to declare; is it the layer that was described; is it proven one-to-one; does a test of yours pin its \
            derivation; does your model file hold a flow with this layer; is that flow ahead of a Gaussian, and is it again when \
            the judge trains it.",
    hints: [
        "Make the crate as the lesson does, with its main.rs. Then change layer.rs only. What is between -1 and 1 whatever it is \
         given? What is between 1/2 and 2 then?",
        "2 to the power tanh(…) is between 1/2 and 2: (2.0f64.ln() * (a + b * z1).tanh()).exp(). A parabola is c + d * z1 + e * \
         z1.powi(2), with five learned numbers in all.",
        "stack([z1, z2 * factor + parabola]), declared LowerTriangular. Then INSTA_UPDATE=always cargo test, and cargo run \
         --release with the table and two columns of it, whose second is a parabola of the first: a temperature by the day of the \
         year.",
    ],
};

/// The seed of the judge's training.
const SEED: u64 = 7;
/// In nats per row.
const AHEAD: f64 = 0.1;

/// Where the learner's crate is, and what is in it.
pub struct Own {
    /// The folder of the crate, relative to the folder of the repository.
    pub folder: &'static str,
    /// The layer.
    pub layer: Box<dyn Bijection>,
    /// The catalogue with the layer under the name that `describe` gives.
    pub registry: Registry,
    /// The model file, relative to the folder of the crate.
    pub model: &'static str,
    /// The table, relative to the folder of the repository.
    pub table: &'static str,
    /// Two of its columns.
    pub columns: [&'static str; 2],
}

/// The root of the repository that this was built from.
fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR")).parent().expect("the course lies in the repository")
}

pub fn judge(own: fn() -> Own) -> Judgement {
    let own = own();
    let folder = crate_folder(own.folder)?;
    judged(&own, &folder, tested)
}

/// Judges a crate whose layer was compiled from a file in `sources`; `test` runs its tests and returns the snapshots that
/// they looked at.
pub fn judged(
    own: &Own,
    sources: &Path,
    test: impl FnOnce(&Path) -> Result<Vec<PathBuf>, NotYet>,
) -> Judgement {
    let folder = crate_folder(own.folder)?;
    let answer = Answer::of(own.layer.as_ref(), 2, Allowed { parameters: true, ..Allowed::default() })?;
    comes_from(&answer, sources, own.folder)?;
    let predicted = predicted(&answer)?;
    let described = described(&answer)?;
    let report = audit(own.layer.as_ref()).map_err(|error| NotYet::new(error.to_string()))?;
    if let Some(claim) = report.refuted().next() {
        return Err(NotYet::new("the audit refutes a claim.")
            .because(&claim.statement)
            .because(claim.evidence.detail()));
    }
    let bijection = NotYet::unless(&report, Topic::Injective, true, "that it is one-to-one is not proven.")?;
    let inverse = NotYet::unless(&report, Topic::Inverse, false, "no inverse of it is known.")?;
    let snapshot = pinned(own.layer.as_ref(), &folder)?;
    let looked_at = test(&folder)?;
    if !looked_at.iter().filter_map(|path| path.canonicalize().ok()).any(|path| path == snapshot) {
        return Err(NotYet::new("no test pins the derivation.")
            .because(format!("{} is what derive gives, but no test compares it.", shown_in(&snapshot, &folder)))
            .advise("insta::assert_snapshot!(derive(&Own).unwrap()) in a test compares it at each run of cargo test."));
    }
    let scores = scores(own, &folder, answer.name().as_str())?;
    let seen = |points: usize| Evidence::Checked { points, worst: 0.0, tolerance: 0.0, seed: Some(SEED) };
    Ok(Passed::new("a flow of your own, from the words to the samples.")
        .with(format!("predicted and proven: J is {}", answer.structure()), predicted)
        .with("the layer is the one that was described", described)
        .with(format!("{}, for all parameters", bijection.statement), bijection.evidence)
        .with(inverse.statement, inverse.evidence)
        .with(
            format!("a test of your crate pins the derivation, in {}", shown_in(&snapshot, &folder)),
            Evidence::Checked { points: 1, worst: 0.0, tolerance: 0.0, seed: None },
        )
        .with(
            format!(
                "{}: mean ln p of rows that it has not seen is {:.3}; trained again by the judge {:.3}; one Gaussian {:.3}",
                own.model, scores.saved, scores.again, scores.gaussian
            ),
            seen(scores.rows),
        ))
}

/// The folder of the crate, made absolute.
fn crate_folder(folder: &str) -> Result<PathBuf, NotYet> {
    let path = root().join(folder);
    let there = path.canonicalize().ok().filter(|path| path.join("Cargo.toml").is_file());
    let Some(found) = there else {
        return Err(NotYet::new("there is no crate at the folder that you name.")
            .because(format!(
                "`{folder}` has no Cargo.toml; folders count from the folder of this repository."
            ))
            .advise("cargo new ../own_flow makes one beside it."));
    };
    let manifest = fs::read_to_string(found.join("Cargo.toml")).unwrap_or_default();
    match manifest.contains("pushforward") {
        true => Ok(found),
        false => Err(NotYet::new("your crate does not depend on pushforward yet.")
            .because(format!("{folder}/Cargo.toml does not name it."))
            .advise("In the folder of your crate: cargo add --path ../pushforward pushforward, with the name of this folder.")),
    }
}

/// That the layer was compiled from a file of the crate.
fn comes_from(answer: &Answer, sources: &Path, folder: &str) -> Result<(), NotYet> {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(2));
    let file = tape.place(answer.forward(z).id()).location().map(|place| root().join(place.file()));
    let own = file.is_some_and(|file| file.canonicalize().is_ok_and(|path| path.starts_with(sources)));
    match own {
        true => Ok(()),
        false => Err(NotYet::new("the layer is not that of your crate.")
            .because(format!("Its formula does not stand in a file of {folder}."))
            .advise("#[path = \"…/src/layer.rs\"] mod layer; takes in the file of your crate.")),
    }
}

/// That what is declared is proven, and that nothing better can be.
fn predicted(answer: &Answer) -> Result<Evidence, NotYet> {
    recorded(answer)?;
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(2));
    let x = answer.forward(z);
    let found = discover(&tape, &map(&tape, z.id(), x.id()))
        .map_err(|error| NotYet::new("its structure is not a bijection's.").because(error.to_string()))?;
    if answer.structure().order(2).is_none() {
        return Err(NotYet::new("you predict less than is true.")
            .because(format!("Declared is {}; as written it is {}.", answer.structure(), found.structure))
            .advise("Which output depends on one variable alone? That determines the triangle."));
    }
    let reason = "no path of the program leads where the declared structure has a zero".to_string();
    Ok(Evidence::Proven { reason })
}

/// That the layer is the one of the question.
fn described(answer: &Answer) -> Result<Evidence, NotYet> {
    if !answer.has_parameters() {
        return Err(NotYet::new("nothing is learned.")
            .because("the layer has no parameter")
            .advise("z.tape().parameter(\"a\", Shape::Scalar, Init::Constant(0.1)) is a learned number."));
    }
    let recording = recorded(answer)?;
    let (tape, z, x) = (recording.tape(), recording.input(), recording.output());
    let learned: Vec<Var<'_>> = tape.parameters().into_iter().map(|id| tape.var(id)).collect();
    let space = learned.iter().fold(Space::reals(z), |space, parameter| space.and(*parameter));
    let differs =
        |headline: &str, given: Var<'_>, asked: Var<'_>, advice: &str| -> Result<Evidence, NotYet> {
            match compared(&space, given, asked) {
                Comparison::Equal(evidence) => Ok(evidence),
                Comparison::Different { at, given, asked } => Err(NotYet::new(headline)
                    .because(format!(
                        "At z = ({}, {}) with the parameters ({}): {}, and not {}.",
                        shown(at[0]),
                        shown(at[1]),
                        at[2..].iter().map(|value| shown(*value)).collect::<Vec<_>>().join(", "),
                        shown(given[0]),
                        shown(asked[0])
                    ))
                    .advise(advice)),
            }
        };
    let first = differs("the first variable does not stay as it is.", x.at(0), z.at(0), "x₁ = z₁.")?;
    // The second at other places: what is added is x₂ at z₂ = 0, the factor is what z₂ = 1 adds to that.
    let at = |z1: Var<'_>, z2: f64| -> pushforward::tape::NodeId {
        answer.forward(stack([tape.var(z1.id()), tape.constant(z2)])).at(1).id()
    };
    let moved = tape.var(at(z.at(0), 0.0));
    let factor =
        tape.var(simplify(tape, (tape.var(at(z.at(0), 1.0)) - moved).id(), 0, space.within()).value.id());
    let straight = differs(
        "the second is not stretched and moved.",
        x.at(1),
        moved + factor * z.at(1),
        "x₂ = z₂·factor + parabola, and neither may depend on z₂.",
    )?;
    let [left, middle, right] = [-1.0, 0.0, 1.0].map(|z1| tape.var(at(tape.constant(z1), 0.0)));
    let bend = 0.5 * (left + right) - middle;
    let parabola = middle + 0.5 * (right - left) * z.at(0) + bend * z.at(0).powi(2);
    let curve =
        differs("what is added is no parabola in z₁.", moved, parabola, "A parabola is c + d·z₁ + e·z₁².")?;
    let range = |node: Var<'_>| -> (f64, f64) {
        let mut rows = Probes::of(&space, &[node]).rows;
        for parameters in draws(&Parameters::initialise(tape, 0)) {
            for z1 in [-2.0, 0.5, 2.0] {
                rows.extend([z1, 0.3]);
                rows.extend(parameters.iter().flat_map(|(_, tensor)| tensor.values.clone()));
            }
        }
        let numbers = space.numbers(&[node], &rows).swap_remove(0);
        let finite = numbers.into_iter().filter(|value| value.is_finite());
        finite
            .fold((f64::INFINITY, f64::NEG_INFINITY), |(low, high), value| (low.min(value), high.max(value)))
    };
    let (low, high) = range(bend);
    if high - low < 1e-3 {
        return Err(NotYet::new("the parabola is a straight line, or is not learned.")
            .because(format!("The number before z₁² is {}, whatever is learned.", shown(low)))
            .advise("Let it be a parameter."));
    }
    let (low, high) = range(factor);
    if low < 0.5 - 1e-9 || high > 2.0 + 1e-9 {
        return Err(NotYet::new("the factor leaves [1/2, 2].")
            .because(format!(
                "For parameters that can be learned it goes from {} to {}.",
                shown(low),
                shown(high)
            ))
            .advise("Bound it in its formula: tanh lies between -1 and 1."));
    }
    let varies = space.numbers(&[factor], &spread(tape)).swap_remove(0);
    if varies.chunks(2).all(|pair| (pair[0] - pair[1]).abs() < 1e-3) {
        return Err(NotYet::new("the first does not choose the factor.")
            .because("At z₁ = -2 and at z₁ = 2 it is the same, for all parameters that were tried.")
            .advise("Let z₁ stand in the factor, with a learned number."));
    }
    let bound = Bounds::new(tape, space.within()).of(factor.id());
    let bounded = bound.defined && bound.low.at >= 0.5 - 1e-9 && bound.high.at <= 2.0 + 1e-9;
    let all_proven = bounded
        && [&first, &straight, &curve].iter().all(|evidence| matches!(evidence, Evidence::Proven { .. }));
    Ok(match all_proven {
        true => Evidence::Proven {
            reason: "simplified, each part is what it should be; the factor lies in [1/2, 2] by its bounds"
                .to_string(),
        },
        false => {
            let points = [first, straight, curve].into_iter().map(|evidence| match evidence {
                Evidence::Checked { points, .. } => points,
                _ => usize::MAX,
            });
            Evidence::Checked { points: points.min().unwrap_or(1), worst: 0.0, tolerance: 0.0, seed: None }
        }
    })
}

/// Rows at z₁ = -2 and z₁ = 2, for several values of the parameters.
fn spread(tape: &Tape) -> Vec<f64> {
    let mut rows = Vec::new();
    for parameters in draws(&Parameters::initialise(tape, 0)) {
        for z1 in [-2.0, 2.0] {
            rows.extend([z1, 0.0]);
            rows.extend(parameters.iter().flat_map(|(_, tensor)| tensor.values.clone()));
        }
    }
    rows
}

/// The path of a file within the crate.
fn shown_in(file: &Path, folder: &Path) -> String {
    file.strip_prefix(folder).unwrap_or(file).display().to_string()
}

/// The snapshot whose text is the derivation.
fn pinned(layer: &dyn Bijection, folder: &Path) -> Result<PathBuf, NotYet> {
    let derivation = derive(layer).map_err(|error| NotYet::new(error.to_string()))?.to_string();
    let snapshots = snapshots(folder);
    let same = |path: &PathBuf| {
        let text = fs::read_to_string(path).unwrap_or_default();
        let body =
            text.strip_prefix("---\n").and_then(|text| text.split_once("\n---\n")).map(|(_, body)| body);
        body.is_some_and(|body| body.trim_end() == derivation.trim_end())
    };
    if let Some(found) = snapshots.iter().find(|path| same(path)) {
        return Ok(found.clone());
    }
    let told = NotYet::new("the derivation of your layer is not pinned.");
    let advice = "In your crate: INSTA_UPDATE=always cargo test. Then read the snapshot before you keep it.";
    Err(match snapshots.first() {
        None => told.because("There is no snapshot (*.snap) in your crate.").advise(advice),
        Some(first) => told
            .because(format!(
                "{} is not what derive gives now. Was the layer changed since?",
                shown_in(first, folder)
            ))
            .advise(advice),
    })
}

/// All snapshots of a crate, without those of its build.
fn snapshots(folder: &Path) -> Vec<PathBuf> {
    let (mut open, mut found) = (vec![folder.to_path_buf()], Vec::new());
    while let Some(folder) = open.pop() {
        for entry in fs::read_dir(&folder).into_iter().flatten().flatten() {
            let path = entry.path();
            let name = entry.file_name();
            if path.is_dir() && name != "target" && !name.to_string_lossy().starts_with('.') {
                open.push(path);
            } else if path.extension().is_some_and(|extension| extension == "snap") {
                found.extend(path.canonicalize());
            }
        }
    }
    found.sort();
    found
}

/// Runs the tests of the crate, as it is; returns the snapshots that they compared.
///
/// # Errors
/// When they fail, or the crate does not compile.
pub fn tested(folder: &Path) -> Result<Vec<PathBuf>, NotYet> {
    let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    let references = std::env::temp_dir().join(format!("pushforward-snapshots-{}", std::process::id()));
    let _ = fs::remove_file(&references);
    let run = Command::new(cargo)
        .args(["test", "--offline", "--quiet"])
        .current_dir(folder)
        // Snapshots are compared, and none is written.
        .env("CI", "true")
        .env("INSTA_UPDATE", "no")
        .env("INSTA_FORCE_PASS", "0")
        .env("INSTA_SNAPSHOT_REFERENCES_FILE", &references)
        .stdin(Stdio::null())
        .output();
    let looked_at = fs::read_to_string(&references).unwrap_or_default();
    let _ = fs::remove_file(&references);
    let output = run
        .map_err(|error| NotYet::new("the tests of your crate cannot be run.").because(error.to_string()))?;
    if !output.status.success() {
        let text =
            format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
        let lines: Vec<&str> = text.lines().filter(|line| !line.trim().is_empty()).collect();
        let last = lines
            .iter()
            .rev()
            .take(6)
            .rev()
            .fold(NotYet::new("the tests of your crate fail, or it does not compile."), |told, line| {
                told.because(*line)
            });
        return Err(last.advise("In the folder of your crate: cargo test."));
    }
    Ok(looked_at.lines().map(PathBuf::from).collect())
}

/// Mean ln p of rows that were not used in training.
struct Scores {
    saved: f64,
    again: f64,
    gaussian: f64,
    rows: usize,
}

/// A message with paths relative to this folder.
fn relative(message: &str, folder: &Path) -> String {
    message.replace(&format!("{}/", folder.display()), "").replace(&format!("{}/", root().display()), "")
}

/// Loads the flow, trains it again, and compares both with a Gaussian.
fn scores(own: &Own, folder: &Path, name: &str) -> Result<Scores, NotYet> {
    let file = folder.join(own.model);
    let flow = FittedFlow::load_with(&file, &own.registry).map_err(|error| {
        NotYet::new("your flow cannot be loaded.")
            .because(relative(&error.to_string(), folder))
            .advise("fitted.save(\"own.model\")? writes it where cargo run is called.")
    })?;
    let layers = leaves(flow.flow().bijection());
    // Of a layer that only has the name, the derivation is another.
    let derived = |layer: &dyn Bijection| derive(layer).map(|derivation| derivation.to_string()).ok();
    let asked = derived(own.layer.as_ref());
    if !layers.iter().any(|leaf| leaf.layer().name() == name && derived(leaf.layer()) == asked) {
        let names: Vec<String> = layers.iter().map(|leaf| leaf.layer().name()).collect();
        return Err(NotYet::new("your layer is not in the flow that you saved.").because(format!(
            "Its layers are {}; yours is {name}, and is to have the derivation that you pinned.",
            names.join(", ")
        )));
    }
    let failed = |error: &dyn std::fmt::Display| {
        NotYet::new("the flow cannot be scored.").because(relative(&error.to_string(), root()))
    };
    let table =
        Table::read(root().join(own.table), &own.columns, |_| true).map_err(|error| failed(&error))?;
    let training = table.filter(|row| row % 10 < 8);
    let test = table.filter(|row| row % 10 == 9);
    let mean = |numbers: &[f64]| numbers.iter().sum::<f64>() / numbers.len() as f64;
    if flow.flow().dim() != 2 {
        return Err(NotYet::new(format!(
            "your flow has {} variables, and the table two columns.",
            flow.flow().dim()
        )));
    }
    let gaussian = mean(&Gaussian::fit(&training).log_prob(&test));
    let saved = mean(&flow.log_prob(test.values()).map_err(|error| failed(&error))?);
    let behind = |what: &str, score: f64| {
        NotYet::new(format!("{what} is not a tenth of a nat ahead of a Gaussian."))
            .because(format!(
                "mean ln p of rows {} and {}, 9 of each ten left out of training: {score:.3}; one Gaussian: {gaussian:.3}",
                own.columns[0], own.columns[1]
            ))
            .advise("Take columns whose second bends with the first, standardise in the last layer, and train longer.")
    };
    if saved.is_nan() || saved < gaussian + AHEAD {
        return Err(behind("the flow that you saved", saved));
    }
    let again = trained(&flow, &training, &test).map_err(|error| failed(&error))?;
    if again.is_nan() || again < gaussian + AHEAD {
        return Err(behind("your flow, trained by the judge on the first eight of each ten rows,", again));
    }
    let drawn = flow.sample(1000, SEED).map_err(|error| failed(&error))?;
    let density = flow.log_prob(&drawn).map_err(|error| failed(&error))?;
    if drawn.iter().chain(&density).any(|value| !value.is_finite()) {
        return Err(NotYet::new("a sample of your flow is not finite, or has no density."));
    }
    Ok(Scores { saved, again, gaussian, rows: test.rows() })
}

/// Trains the flow from its initial parameters; mean ln p of the test rows.
fn trained(flow: &FittedFlow, training: &Table, test: &Table) -> Result<f64, Box<dyn std::error::Error>> {
    const EPOCHS: usize = 60;
    const BATCH: usize = 128;
    let flow = flow.flow();
    let mut trainer = Trainer::<f64>::new(flow, flow.initial(SEED), 1e-2)?;
    for epoch in 0..EPOCHS {
        trainer.set_learning_rate(1e-2 * (1.0 - 0.95 * epoch as f64 / EPOCHS as f64));
        // Neighbouring rows of a table are alike: each batch takes rows from all of it.
        let stride = training.rows().div_ceil(BATCH);
        for start in 0..stride {
            let rows = (start..training.rows()).step_by(stride);
            let batch: Vec<f64> = rows.flat_map(|row| training.row(row).iter().copied()).collect();
            trainer.step(&batch)?;
        }
    }
    // The loss of a step is that of the parameters before it.
    Ok(-trainer.step(test.values())?)
}
