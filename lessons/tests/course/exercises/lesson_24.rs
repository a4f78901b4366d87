//! Exercise 24: layers in place of a crate's for what is judged of them, and one crate that is made as the lesson says.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use pushforward::bijection::Description;
use pushforward::prelude::*;
use serde::{Deserialize, Serialize};

use pushforward_course::lessons::your_own_flow::MAIN;
use pushforward_course::lessons::your_own_flow::judge::{self, Own};

use super::{Restricted, Told, Undone};

#[path = "../../../solutions/24_your_own_flow.rs"]
mod solution;
#[allow(clippy::all, unused, reason = "it is not finished")]
#[path = "../../../starts/24_your_own_flow.rs"]
mod start;

/// Layers by their formulas, which model files can name.
macro_rules! layers {
    ($($name:ident $structure:ident $map:expr;)*) => {
        $(
            #[derive(Serialize, Deserialize)]
            struct $name;

            impl Bijection for $name {
                fn dim(&self) -> usize {
                    2
                }
                fn structure(&self) -> Structure {
                    Structure::$structure
                }
                fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
                    let map: fn(Var<'t>, Var<'t>, [Var<'t>; 5]) -> [Var<'t>; 2] = $map;
                    stack(map(z.at(0), z.at(1), ["a", "b", "c", "d", "e"].map(|name| number(z, name))))
                }
                fn describe(&self) -> Option<Description> {
                    Description::new("own", self)
                }
            }
        )*
    };
}

fn number<'t>(z: Var<'t>, name: &str) -> Var<'t> {
    z.tape().parameter(name, Shape::Scalar, Init::Constant(0.1))
}

layers! {
    Weak Dense |x, y, [a, b, c, d, e]| [x, y * factor(a + b * x) + c + d * x + e * x.powi(2)];
    Upper UpperTriangular |x, y, [a, b, c, d, e]| [x, y * factor(a + b * x) + c + d * x + e * x.powi(2)];
    Unbounded LowerTriangular |x, y, [a, b, c, d, e]| [x, y * (a + b * x).exp() + c + d * x + e * x.powi(2)];
    Near LowerTriangular |x, y, [a, b, c, d, e]| [x, y * (factor(a + b * x) + (x - 40.0).max(0.0)) + c + d * x + e * x.powi(2)];
    Line LowerTriangular |x, y, [a, b, c, d, e]| [x, y * factor(a + b * x) + c + (d + 0.0 * e) * x];
    Fixed LowerTriangular |x, y, [a, b, c, d, e]| [x, y * factor(a + 0.0 * b) + c + d * x + e * x.powi(2)];
    Cubic LowerTriangular |x, y, [a, b, c, d, e]| [x, y * factor(a + b * x) + c + d * x + e * x.powi(3)];
    Moved LowerTriangular |x, y, [a, b, c, d, e]| [x + a * 0.01, y * factor(a + b * x) + c + d * x + e * x.powi(2)];
    Bent LowerTriangular |x, y, [a, b, c, d, e]| [x, y * factor(a + b * x) + 0.1 * y.tanh() + c + d * x + e * x.powi(2)];
    Logistic LowerTriangular |x, y, [a, b, c, d, e]| [x, y * (0.5 + 1.5 * (a + b * x).sigmoid()) + c + d * x + e * x.powi(2)];
    Factored LowerTriangular |x, y, [a, b, c, d, e]| [x, y * (0.5 + 1.5 / (1.0 + (a - b * x).powi(2))) + e * (x - c) * (x + d) + a];
}

/// A layer that has the name of the solution's and nothing else of it.
mod other {
    use pushforward::prelude::*;
    use serde::Deserialize;

    #[derive(Deserialize)]
    pub struct Own;

    impl Bijection for Own {
        fn dim(&self) -> usize {
            2
        }
        fn structure(&self) -> Structure {
            Structure::Dense
        }
        fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
            ["a", "b", "c", "d", "e"].into_iter().fold(z, |z, name| z + 0.1 * super::number(z, name).tanh())
        }
    }
}

/// Between 1/2 and 2.
fn factor(of: Var<'_>) -> Var<'_> {
    (2.0f64.ln() * of.tanh()).exp()
}

fn lessons() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A folder that looks like the crate of this layer, with a snapshot and a flow that was trained on the weather.
fn crate_of<L: Bijection + Serialize + for<'a> Deserialize<'a> + 'static>(
    layer: fn() -> L,
    caption: &str,
) -> Own {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("own_{caption}"));
    let _ = fs::remove_dir_all(&folder);
    fs::create_dir_all(folder.join("src/snapshots")).unwrap();
    fs::write(folder.join("Cargo.toml"), "[dependencies]\npushforward = { path = \"..\" }\n").unwrap();
    if let Ok(derivation) = derive(&layer()) {
        let text = format!("---\nsource: src/main.rs\nexpression: derive\n---\n{derivation}\n");
        fs::write(folder.join("src/snapshots/derivation.snap"), text).unwrap();
    }
    fs::write(folder.join("own.model"), trained(layer())).unwrap();
    Own {
        folder: Box::leak(folder.display().to_string().into_boxed_str()),
        layer: Box::new(layer()),
        registry: Registry::catalogue().with_layer::<L>("own"),
        ..solution::own()
    }
}

/// The bytes of a flow of this layer.
fn trained(layer: impl Bijection + 'static) -> Vec<u8> {
    let path = lessons().join("data/weather.csv");
    let table =
        Table::read(path, &["day_of_year", "temp_max_c"], |_| true).unwrap().filter(|row| row % 10 < 8);
    let layers: Vec<Box<dyn Bijection>> =
        vec![Box::new(layer), Box::new(Affine::standardising(&table.moments()))];
    let Ok(flow) = Flow::new(StandardNormal::new(2), layers) else { return Vec::new() };
    let options = FitOptions { seed: 7, epochs: 40, learning_rate: 1e-2, ..FitOptions::default() };
    flow.fit(&table, options).map(|fitted| fitted.to_bytes().unwrap()).unwrap_or_default()
}

/// The judgement of such a crate, whose tests look at its snapshot.
fn judged(own: &Own) -> pushforward_course::exercise::Judgement {
    judge::judged(own, lessons(), |folder| Ok(vec![folder.join("src/snapshots/derivation.snap")]))
}

/// One layer in such a crate.
fn of<L: Bijection + Serialize + for<'a> Deserialize<'a> + 'static>(
    layer: fn() -> L,
    caption: &'static str,
) -> impl FnOnce() -> pushforward_course::exercise::Judgement {
    move || judged(&crate_of(layer, caption))
}

/// The layer of the solution.
fn valley() -> Own {
    solution::own()
}

#[test]
fn exercise_24() {
    // Every other crate is a change of this one.
    let whole = || {
        let folder = crate_of(|| Factored, "whole");
        let path = Path::new(folder.folder);
        let own = Own { folder: folder.folder, ..valley() };
        let text = format!("---\nsource: src/main.rs\n---\n{}\n", derive(own.layer.as_ref()).unwrap());
        fs::write(path.join("src/snapshots/derivation.snap"), text).unwrap();
        fs::write(path.join("own.model"), trained(solution::layer::Own)).unwrap();
        own
    };
    Told::of(judge::EXERCISE)
        .wrong("the starting file", || judge::judge(start::own))
        .wrong("no such folder", || judge::judge(|| Own { folder: "lessons/nowhere", ..valley() }))
        .wrong("a folder without a crate", || judge::judge(|| Own { folder: "lessons/data", ..valley() }))
        .wrong("the layer of another crate", || judge::judge(|| Own { folder: "command", ..valley() }))
        .wrong("declared dense", of(|| Weak, "weak"))
        .wrong("declared upper triangular", of(|| Upper, "upper"))
        .wrong("a factor without bounds", of(|| Unbounded, "unbounded"))
        .wrong("a factor that leaves its bounds far out", of(|| Near, "near"))
        .wrong("a line in place of the parabola", of(|| Line, "line"))
        .wrong("a factor that the first does not choose", of(|| Fixed, "fixed"))
        .wrong("a cubic in place of the parabola", of(|| Cubic, "cubic"))
        .wrong("the first is moved", of(|| Moved, "moved"))
        .wrong("the second is bent", of(|| Bent, "bent"))
        .wrong("z lies in (-1, 1)²", || {
            judged(&Own { layer: Box::new(Restricted(Logistic)), ..crate_of(|| Logistic, "restricted") })
        })
        .wrong("an inverse that is none", || {
            judged(&Own { layer: Box::new(Undone(Logistic)), ..crate_of(|| Logistic, "undone") })
        })
        .wrong("nothing is pinned", || {
            let own = whole();
            fs::remove_file(Path::new(own.folder).join("src/snapshots/derivation.snap")).unwrap();
            judged(&own)
        })
        .wrong("pinned is the derivation of another layer", || {
            let own = whole();
            let text = format!("---\nsource: src/main.rs\n---\n{}\n", derive(&Logistic).unwrap());
            fs::write(Path::new(own.folder).join("src/snapshots/derivation.snap"), text).unwrap();
            judged(&own)
        })
        .wrong("a snapshot that no test looks at", || judge::judged(&whole(), lessons(), |_| Ok(Vec::new())))
        .wrong("no model file", || {
            let own = whole();
            fs::remove_file(Path::new(own.folder).join("own.model")).unwrap();
            judged(&own)
        })
        .wrong("a model file that was cut", || {
            let own = whole();
            let path = Path::new(own.folder).join("own.model");
            let bytes = fs::read(&path).unwrap();
            fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
            judged(&own)
        })
        .wrong("a model without the layer", || {
            let own = whole();
            fs::write(Path::new(own.folder).join("own.model"), trained(Linear::identity(2))).unwrap();
            judged(&own)
        })
        .wrong("another layer under its name", || {
            judged(&Own { registry: Registry::catalogue().with_layer::<other::Own>("own"), ..whole() })
        })
        .wrong("columns on which it is not ahead", || {
            judged(&Own { columns: ["temp_min_c", "temp_max_c"], ..whole() })
        })
        .wrong("a column that is not there", || judged(&Own { columns: ["day", "temp_max_c"], ..whole() }))
        .right("a logistic factor", of(|| Logistic, "logistic"))
        .right("the parabola in factors, and a rational factor", of(|| Factored, "factored"))
        .solved(|| judged(&whole()));
}

/// The crate's main.rs as the lesson prints it, with its tests: the derivation of the page's layer is pinned here.
#[allow(dead_code, reason = "its main is not called")]
#[path = "../../../your_own_flow/main.rs"]
mod page;

/// Runs cargo in a folder, offline.
fn cargo(folder: &Path, arguments: &[&str]) {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    command.args(arguments).current_dir(folder).env("CARGO_NET_OFFLINE", "true");
    let output = command.output().unwrap();
    assert!(output.status.success(), "cargo {arguments:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A new crate in a folder of the system: beside this workspace it would be taken for a member of it. What it builds is kept
/// between runs.
fn new_crate(name: &str) -> PathBuf {
    let place = std::env::temp_dir().join(format!("pushforward_{}_{name}", std::process::id()));
    let _ = fs::remove_dir_all(&place);
    fs::create_dir_all(place.join(".cargo")).unwrap();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("target_of_{name}"));
    let settings =
        format!("[build]\ntarget-dir = {target:?}\nincremental = false\n[profile.dev]\ndebug = false\n");
    fs::write(place.join(".cargo/config.toml"), settings).unwrap();
    cargo(&place, &["new", "--vcs", "none", name]);
    // The versions of this repository, which are there.
    fs::copy(lessons().join("../Cargo.lock"), place.join(name).join("Cargo.lock")).unwrap();
    place.join(name)
}

/// What the judge learns from the tests of a crate: this one has a snapshot and nothing that takes long to compile.
#[test]
fn the_tests_of_a_crate_are_run_and_none_is_believed() {
    let folder = new_crate("pinned");
    cargo(&folder, &["add", "--dev", "insta"]);
    let main = |text: &str| {
        let test = format!("#[test]\nfn pinned() {{\n    insta::assert_snapshot!(\"{text}\");\n}}\n");
        fs::write(folder.join("src/main.rs"), format!("fn main() {{}}\n\n{test}")).unwrap();
    };
    main("ln|det J| = z");
    let snapshot = folder.join("src/snapshots/pinned__pinned.snap");
    fs::create_dir_all(snapshot.parent().unwrap()).unwrap();
    // Without a snapshot the test fails, and none is written.
    assert!(judge::tested(&folder).is_err());
    assert!(!snapshot.exists());
    fs::write(&snapshot, "---\nsource: src/main.rs\nexpression: x\n---\nln|det J| = z\n").unwrap();
    let looked_at = judge::tested(&folder).unwrap();
    assert_eq!(looked_at.len(), 1);
    assert_eq!(looked_at[0].canonicalize().unwrap(), snapshot.canonicalize().unwrap());
    // What was changed since fails, and a crate without the test looks at nothing.
    main("ln|det J| = 2·z");
    let failed = judge::tested(&folder).unwrap_err();
    assert!(failed.headline.contains("tests of your crate fail"), "{failed:?}");
    fs::write(folder.join("src/main.rs"), "fn main() {}\n").unwrap();
    assert_eq!(judge::tested(&folder).unwrap(), Vec::<PathBuf>::new());
    // One that ends with success before its test does is no test that compared.
    fs::write(
        folder.join("src/main.rs"),
        "fn main() {}\n\n#[test]\nfn pinned() {\n    std::process::exit(0)\n}\n",
    )
    .unwrap();
    assert_eq!(judge::tested(&folder).unwrap(), Vec::<PathBuf>::new());
    let _ = fs::remove_dir_all(folder.parent().unwrap());
}

/// All of it, as a learner does it. A fresh crate compiles the library once more, unoptimised: a minute of processor time, and
/// little where it was done before.
#[test]
fn a_crate_made_as_the_lesson_says_passes() {
    let folder = new_crate("whole_flow");
    let root = lessons().parent().unwrap();
    cargo(&folder, &["add", "--path", root.to_str().unwrap(), "pushforward"]);
    cargo(&folder, &["add", "serde", "--features", "derive"]);
    cargo(&folder, &["add", "--dev", "insta"]);
    let solved = fs::read_to_string(lessons().join("solutions/24_your_own_flow/layer.rs")).unwrap();
    fs::write(folder.join("src/layer.rs"), solved).unwrap();
    fs::write(folder.join("src/main.rs"), MAIN).unwrap();
    // As INSTA_UPDATE=always does, which this process may not set.
    cargo(&folder, &["--config", "env.INSTA_UPDATE='always'", "test", "--quiet"]);
    let table = root.join("lessons/data/weather.csv");
    cargo(&folder, &["run", "--quiet", "--", table.to_str().unwrap(), "day_of_year", "temp_max_c"]);
    let own = Own { folder: Box::leak(folder.display().to_string().into_boxed_str()), ..solution::own() };
    let judgement = judge::judged(&own, lessons(), judge::tested);
    assert!(judgement.is_ok(), "{judgement:?}");
    let _ = fs::remove_dir_all(folder.parent().unwrap());
}
