//! Model files: what is loaded is what was saved, and a file that is not whole is refused with the reason.

use std::time::Instant;

use pushforward::bijection::{Chain, Description};
use pushforward::layers::{Continuous, NetworkField, Solver};
use pushforward::prelude::*;
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use crate::catalogue::catalogue;
use crate::snapshot::snapshot;

/// A flow of one layer over a base in its domain, with parameters that are not the initial ones.
fn fitted(layer: Box<dyn Bijection>) -> FittedFlow {
    let d = layer.dim();
    match layer.domain() {
        Domain::Reals => with_noise(Flow::new(StandardNormal::new(d), [layer])),
        Domain::Circle => with_noise(Flow::new(Uniform::circle(d), [layer])),
        _ => with_noise(Flow::new(Uniform::new(d), [layer])),
    }
}

fn with_noise(flow: Result<Flow, FlowError>) -> FittedFlow {
    let flow = flow.unwrap();
    let mut parameters = flow.initial(3);
    let mut random = ChaCha8Rng::seed_from_u64(4);
    for (_, tensor) in parameters.iter_mut() {
        tensor.values.iter_mut().for_each(|value| *value += 0.2 * (random.random::<f64>() - 0.5));
    }
    flow.with(parameters).unwrap()
}

fn bits(values: Vec<f64>) -> Vec<u64> {
    values.into_iter().map(f64::to_bits).collect()
}

fn agree(saved: &FittedFlow, loaded: &FittedFlow, name: &str) {
    // One context for all rows, of a width that is 0 without one.
    let context = vec![0.3; saved.flow().context()];
    let [x, y] = [saved, loaded].map(|fitted| fitted.sample_given(20, &context, 5).unwrap());
    let scores = |fitted: &FittedFlow| bits(fitted.log_prob_given(&x, &context).unwrap());
    assert_eq!(scores(saved), scores(loaded), "{name}");
    assert_eq!(bits(x), bits(y), "{name}");
}

#[test]
fn every_layer_of_the_catalogue_is_loaded_as_it_was_saved() {
    for entry in catalogue() {
        let name = entry.layer.name();
        let saved = fitted(entry.layer);
        let loaded = FittedFlow::from_bytes(&saved.to_bytes().unwrap(), &Registry::catalogue());
        agree(&saved, &loaded.unwrap_or_else(|error| panic!("{name}: {error}")), &name);
    }
    let circle = CircularSpline::learned(2, 4);
    let field = NetworkField::new(2, Network::new([3]));
    let equation = Continuous::new(field, Solver::RungeKutta4, 4).between(0.0, 0.5).with_tolerance(1e-3);
    let bent = Coupling::with(CouplingMask::first_half(2), Network::new([3]), SplineTransformer::new(3, 1.0));
    let nested: Vec<Box<dyn Bijection>> = vec![
        Box::new(Inverse::new(Affine::identity(2))),
        Box::new(Chain::new([Box::new(bent) as Box<dyn Bijection>])),
    ];
    let layers: [Box<dyn Bijection>; 3] =
        [Box::new(circle), Box::new(equation), Box::new(Inverse::new(Chain::new(nested)))];
    for layer in layers {
        let name = layer.name();
        let saved = fitted(layer);
        let loaded = FittedFlow::from_bytes(&saved.to_bytes().unwrap(), &Registry::catalogue()).unwrap();
        agree(&saved, &loaded, &name);
    }
}

#[test]
fn every_base_is_loaded_as_it_was_saved_with_what_it_learned() {
    let mixture = || {
        let covariances = [vec![1.0, 0.3, 0.3, 0.5], vec![0.2, 0.0, 0.0, 2.0]];
        GaussianMixture::new(&[0.3, 0.7], &[vec![0.0, 1.0], vec![-2.0, 0.5]], &covariances)
    };
    let mixture_of_bases = || {
        let components: [Box<dyn Base>; 2] = [Box::new(mixture().learned()), Box::new(Gumbel::new(2))];
        Mixture::new(&[0.3, 0.7], components)
    };
    let bases: [Box<dyn Base>; 15] = [
        Box::new(StandardNormal::new(2)),
        Box::new(Logistic::new(2)),
        Box::new(StudentT::new(2, 3.5)),
        Box::new(Uniform::new(2)),
        Box::new(mixture()),
        Box::new(mixture().learned()),
        Box::new(Laplace::new(2)),
        Box::new(Gumbel::new(2)),
        Box::new(MultivariateStudentT::new(2, 3.5)),
        Box::new(Beta::new([2.0, 0.5], [1.5, 3.0])),
        Box::new(Dirichlet::new([2.0, 0.5, 1.5])),
        Box::new(VonMises::new([1.0, -2.0], [0.5, 7.0])),
        Box::new(VonMisesFisher::new([1.0, -2.0, 0.5], 7.0)),
        Box::new(mixture_of_bases()),
        Box::new(mixture_of_bases().learned()),
    ];
    for base in bases {
        let name = base.name();
        let saved = with_noise(Flow::new(base, [Box::new(Permutation::reverse(2)) as Box<dyn Bijection>]));
        let loaded = FittedFlow::from_bytes(&saved.to_bytes().unwrap(), &Registry::catalogue()).unwrap();
        agree(&saved, &loaded, &name);
    }
}

#[test]
fn a_conditional_flow_is_loaded_with_its_context() {
    let network = MaskedNetwork::new(2, [6]).with_context(3);
    let saved = fitted(Box::new(Autoregressive::maf(network)));
    let loaded = FittedFlow::from_bytes(&saved.to_bytes().unwrap(), &Registry::catalogue()).unwrap();
    let context = [0.5, -1.0, 2.0];
    let x = saved.sample_given(5, &context, 1).unwrap();
    assert_eq!(
        bits(loaded.log_prob_given(&x, &context).unwrap()),
        bits(saved.log_prob_given(&x, &context).unwrap())
    );
}

/// x = z + 1, which no registry knows.
struct Unknown;

impl Bijection for Unknown {
    fn dim(&self) -> usize {
        2
    }

    fn structure(&self) -> Structure {
        Structure::Diagonal
    }

    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z + 1.0
    }

    fn name(&self) -> String {
        "Unknown".to_string()
    }
}

/// As the one above, with a description.
struct Named;

impl Bijection for Named {
    fn dim(&self) -> usize {
        2
    }

    fn structure(&self) -> Structure {
        Structure::Diagonal
    }

    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z + 1.0
    }

    fn describe(&self) -> Option<Description> {
        Description::new("named", &())
    }
}

fn refusal(bytes: &[u8]) -> String {
    FittedFlow::from_bytes(bytes, &Registry::catalogue()).err().expect("an error").to_string()
}

#[test]
fn what_cannot_be_saved_or_loaded_is_refused_with_the_reason() {
    let whole = fitted(Box::new(Affine::identity(2))).to_bytes().unwrap();
    let mut altered = whole.clone();
    let last = altered.len() - 1;
    altered[last] ^= 1;
    let place =
        |text: &[u8]| whole.windows(text.len()).position(|part| part == text).unwrap() + text.len() - 1;
    let changed = |text: &[u8], by: u8| {
        let mut bytes = whole.clone();
        bytes[place(text)] = by;
        bytes
    };
    let newer = changed(br#"\"version\":1"#, b'7');
    let document = changed(br#"\"name\":\"affine"#, b'f');
    let unsaved = |layer: Box<dyn Bijection>| match fitted(layer).to_bytes() {
        Ok(bytes) => refusal(&bytes),
        Err(error) => error.to_string(),
    };
    let other = safetensors_of_another_program();
    let cases = [
        ("truncated in the numbers", refusal(&whole[..whole.len() - 3])),
        ("truncated in the header", refusal(&whole[..40])),
        ("a number altered", refusal(&altered)),
        ("the document altered", refusal(&document)),
        ("of a newer library", refusal(&newer)),
        ("empty", refusal(&[])),
        ("a table", refusal(b"a,b\n1,2\n3,4\n")),
        ("of another program", refusal(&other)),
        ("a layer without a description", unsaved(Box::new(Unknown))),
        (
            "the same in a composition",
            unsaved(Box::new(Inverse::new(Chain::new([Box::new(Unknown) as Box<dyn Bijection>])))),
        ),
        ("a layer that is not registered", unsaved(Box::new(Named))),
        (
            "no such file",
            FittedFlow::load("no/such/model").err().unwrap().to_string().replace(" (os error 2)", ""),
        ),
    ];
    let lines: Vec<String> = cases.iter().map(|(case, message)| format!("{case}:\n  {message}")).collect();
    snapshot("model_refusals", &lines.join("\n"));
}

/// A file of one tensor without metadata: a header of its length, and a number.
fn safetensors_of_another_program() -> Vec<u8> {
    let header = br#"{"weight":{"dtype":"F64","shape":[1],"data_offsets":[0,8]}}"#;
    [&(header.len() as u64).to_le_bytes()[..], header, &1f64.to_le_bytes()].concat()
}

/// The file with another document and the checksum that belongs to it: what an accident cannot do.
pub fn forged(bytes: &[u8], change: impl Fn(&mut serde_json::Value)) -> Vec<u8> {
    let size = u64::from_le_bytes(bytes[..8].try_into().unwrap()) as usize;
    let mut header: serde_json::Value = serde_json::from_slice(&bytes[8..8 + size]).unwrap();
    let numbers = &bytes[8 + size..];
    let mut document = serde_json::from_str(header["__metadata__"]["pushforward"].as_str().unwrap()).unwrap();
    change(&mut document);
    let document = serde_json::to_string(&document).unwrap();
    let mut hash = crc32fast::Hasher::new();
    hash.update(document.as_bytes());
    // In the order of their names, as a map of JSON is.
    for (name, tensor) in header.as_object().unwrap().iter().filter(|(name, _)| *name != "__metadata__") {
        let offset = |k: usize| tensor["data_offsets"][k].as_u64().unwrap() as usize;
        hash.update(name.as_bytes());
        hash.update(&numbers[offset(0)..offset(1)]);
    }
    header["__metadata__"] =
        serde_json::json!({ "pushforward": document, "crc32": format!("{:08x}", hash.finalize()) });
    let mut header = serde_json::to_vec(&header).unwrap();
    header.resize(header.len().next_multiple_of(8), b' ');
    [&(header.len() as u64).to_le_bytes()[..], &header, numbers].concat()
}

#[test]
fn settings_that_a_constructor_refuses_are_refused_in_a_file() {
    let layers: [Box<dyn Bijection>; 11] = [
        Box::new(Affine::fixed([1.0, 2.0], [0.0, 0.0])),
        Box::new(Permutation::reverse(2)),
        Box::new(Triangular::lower(2).with_signs([1.0, -1.0])),
        Box::new(Linear::identity(2)),
        Box::new(Elementwise::new(Transform::LeakyRelu { slope: 0.5 }, 2)),
        Box::new(RationalQuadraticSpline::fixed(2, [-1.0, 0.0, 1.0], [-1.0, 0.5, 1.0], [1.0, 0.4, 1.0])),
        Box::new(RationalQuadraticSpline::bounded(2, SplineTransformer::new(4, 2.0))),
        Box::new(AffineCoupling::new(CouplingMask::first_half(2), Network::new([3]))),
        Box::new(SplineCoupling::new(
            CouplingMask::first_half(2),
            Network::new([3]),
            SplineTransformer::new(4, 2.0),
        )),
        Box::new(Autoregressive::iaf(MaskedNetwork::new(2, [3]))),
        Box::new(Continuous::new(NetworkField::new(2, Network::new([3])), Solver::Euler, 2)),
    ];
    let names = layers.each_ref().map(|layer| layer.name());
    let files = layers.map(|layer| fitted(layer).to_bytes().unwrap());
    // Unchanged, a forged file is the file.
    files.iter().for_each(|bytes| {
        drop(FittedFlow::from_bytes(&forged(bytes, |_| {}), &Registry::catalogue()).unwrap())
    });
    let json = |text: &str| serde_json::from_str::<serde_json::Value>(text).unwrap();
    let forgeries = [
        (0, "/scale", "[0.0, 1.0]"),
        (0, "/shift", "[0.0]"),
        (1, "/positions", "[1, 1]"),
        (2, "/signs", "[1.0, 0.5]"),
        (3, "/bias", "[0.0]"),
        (4, "/transforms/0/LeakyRelu/slope", "-1.0"),
        (5, "/knots/Fixed/slopes", "[1.0, -0.4, 1.0]"),
        (6, "/knots/Numbers/bins", "0"),
        (7, "/mask/identity", "[1]"),
        (7, "/mask/transformed", "[]"),
        (8, "/transformer/settings/bound", "-2.0"),
        (9, "/network/inputs", "[1, 1]"),
        (10, "/steps", "0"),
        (10, "/tolerance", "-1.0"),
    ];
    let mut lines = Vec::new();
    for (layer, place, value) in forgeries {
        let bytes = forged(&files[layer], |document| {
            let settings = &mut document["flows"][0]["layers"][0]["settings"];
            *settings.pointer_mut(place).unwrap_or_else(|| panic!("{place}")) = json(value);
        });
        lines.push(format!("{} {place} = {value}:\n  {}", names[layer], refusal(&bytes)));
    }
    snapshot("model_forgeries", &lines.join("\n"));
}

#[test]
fn no_byte_can_be_changed_or_left_out_without_an_error() {
    let whole = fitted(Box::new(Affine::identity(2))).to_bytes().unwrap();
    for length in 0..whole.len() {
        refusal(&whole[..length]);
    }
    let expected = FittedFlow::from_bytes(&whole, &Registry::catalogue()).unwrap();
    for place in 0..whole.len() {
        let mut altered = whole.clone();
        altered[place] ^= 0x15;
        // Padding and the spelling of numbers in the header may change without a change of meaning.
        if let Ok(loaded) = FittedFlow::from_bytes(&altered, &Registry::catalogue()) {
            agree(&expected, &loaded, "an altered byte that is accepted");
        }
    }
}

#[test]
fn a_file_is_complete_or_absent() {
    let folder = std::env::temp_dir().join(format!("pushforward-model-{}", std::process::id()));
    std::fs::create_dir_all(&folder).unwrap();
    let path = folder.join("model.flow");
    let saved = fitted(Box::new(Affine::identity(2)));
    saved.save(&path).unwrap();
    agree(&saved, &FittedFlow::load(&path).unwrap(), "a file");
    saved.save(&path).unwrap();
    let names: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    assert_eq!(names, ["model.flow"], "nothing else is left behind");
    let error = saved.save(folder.join("no").join("such.flow")).unwrap_err().to_string();
    assert!(error.contains("such.flow cannot be written"), "{error}");
    std::fs::remove_dir_all(&folder).unwrap();
}

/// Prints how long loading takes: `cargo test --test library model:: -- --nocapture`.
#[test]
fn a_spline_flow_is_loaded_without_being_fitted() {
    let layers: Vec<Box<dyn Bijection>> = (0..4)
        .map(|_| {
            let network = MaskedNetwork::new(10, [64, 64]);
            Box::new(Autoregressive::spline(network, SplineTransformer::new(8, 5.0))) as Box<dyn Bijection>
        })
        .collect();
    let saved = with_noise(Flow::new(StandardNormal::new(10), layers));
    let bytes = saved.to_bytes().unwrap();
    let start = Instant::now();
    let loaded = FittedFlow::from_bytes(&bytes, &Registry::catalogue()).unwrap();
    println!("{} bytes, loaded in {:?}", bytes.len(), start.elapsed());
    agree(&saved, &loaded, "a spline flow");
}
