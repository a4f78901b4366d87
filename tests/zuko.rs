//! Flows that zuko trained (`tests/peers/zuko_flows.py`, which also says how zuko reads what comes back): their densities here are
//! zuko's, their parameters go back as they came, and what has no counterpart is refused by name.

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use pushforward::audit::{Evidence, Topic};
use pushforward::bijection::inverse_with_log_det;
use pushforward::flow::Trainer;
use pushforward::layers::Activation;
use pushforward::prelude::*;
use pushforward::program::{Output, Precision, Program};
use pushforward::zuko::{self, Settings, ZukoError};
use safetensors::tensor::{Dtype, SafeTensors, TensorView};
use serde_json::{Value, json};

const NAMES: [&str; 5] = ["real_nvp", "maf", "nsf", "spline_coupling", "maf_elu"];

fn folder() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("peers/flows")
}

fn bytes(name: &str) -> Vec<u8> {
    fs::read(folder().join(format!("{name}.safetensors"))).unwrap()
}

fn settings(name: &str) -> Settings {
    match name {
        "maf_elu" => Settings::default().with_activation(Activation::Elu),
        _ => Settings::default(),
    }
}

fn read(name: &str) -> FittedFlow {
    zuko::flow(&bytes(name), settings(name)).unwrap()
}

/// What zuko said: rows, contexts, ln p in doubles and in singles.
struct Said {
    x: Vec<f64>,
    contexts: Vec<f64>,
    log_prob: Vec<f64>,
    singles: Vec<f64>,
}

fn said(name: &str) -> Said {
    let text = fs::read_to_string(folder().join(format!("{name}.json"))).unwrap();
    let stored: Value = serde_json::from_str(&text).unwrap();
    let list =
        |key: &str| stored[key].as_array().unwrap().iter().map(|value| value.as_f64().unwrap()).collect();
    Said {
        x: list("x"),
        contexts: list("contexts"),
        log_prob: list("log_prob"),
        singles: list("log_prob_f32"),
    }
}

fn apart(found: &[f64], expected: &[f64]) -> f64 {
    assert_eq!(found.len(), expected.len());
    let differences = found.iter().zip(expected).map(|(a, b)| (a - b).abs() / (1.0 + b.abs()));
    differences.fold(0.0, |most, one| if one <= most { most } else { one })
}

/// ln p in numbers of this type.
fn log_prob<F: Precision>(fitted: &FittedFlow, x: &[f64], contexts: &[f64]) -> Vec<f64> {
    let (tape, flow) = (Tape::new(), fitted.flow());
    tape.context_by_row();
    let input = tape.input(Shape::Vector(flow.dim()));
    let pulled = inverse_with_log_det(flow.bijection(), input).unwrap();
    let log_prob = flow.base().log_prob(pulled.z) - pulled.log_det;
    let inputs: Vec<_> = [input].into_iter().chain(tape.declared_context()).map(Var::id).collect();
    let mut program = Program::<F>::compile(&tape, &inputs, &[Output::Each(log_prob.id())]);
    program.load(fitted.parameters()).unwrap();
    let of = |values: &[f64]| values.iter().map(|value| F::of(*value)).collect::<Vec<F>>();
    let (x, contexts) = (of(x), of(contexts));
    let given: Vec<&[F]> = [x.as_slice(), &contexts].into_iter().take(inputs.len()).collect();
    let found = program.run(&given, x.len() / flow.dim()).unwrap();
    found[0].iter().map(|value| value.to_double()).collect()
}

#[test]
fn each_flow_has_the_density_that_zuko_says() {
    let mut told = String::new();
    for name in NAMES {
        let (fitted, said) = (read(name), said(name));
        let doubles = apart(&log_prob::<f64>(&fitted, &said.x, &said.contexts), &said.log_prob);
        let singles = apart(&log_prob::<f32>(&fitted, &said.x, &said.contexts), &said.singles);
        let zukos = apart(&said.singles, &said.log_prob);
        told += &format!(
            "{name}: {doubles:.1e} in f64, {singles:.1e} in f32; zuko's own f32 and f64 {zukos:.1e}\n"
        );
        assert!(doubles < 1e-12, "{told}");
        assert!(singles < 1e-6f64.max(4.0 * zukos), "{told}");
    }
    println!("{told}");
}

/// Whether det J ≠ 0 and one-to-one onto are proven.
fn is_proven(layer: &dyn Bijection) -> bool {
    let report = audit(layer).unwrap();
    assert!(report.has_no_refutation(), "{report}");
    let proven = |topic: Topic| {
        report.claim(topic).is_some_and(|claim| matches!(claim.evidence, Evidence::Proven { .. }))
    };
    assert!(proven(Topic::Structure), "{report}");
    proven(Topic::Determinant) && proven(Topic::Injective)
}

#[test]
fn affine_flows_are_proven_bijections_and_splines_in_zukos_direction() {
    for name in ["real_nvp", "maf", "maf_elu"] {
        assert!(is_proven(read(name).flow().bijection()), "{name}");
    }
    // From z to x the inverse of a spline with parameters of a network is not shown to be defined everywhere; the layers
    // from x to z, as zuko has them, are proven.
    for name in ["nsf", "spline_coupling"] {
        assert!(!is_proven(read(name).flow().bijection()), "{name}: say so");
    }
    let (spline, relu) = (SplineTransformer::new(6, 5.0), Activation::Relu);
    let network = Network::new([16, 16]).with_context(3).with_activation(relu);
    let mask = CouplingMask::new(&[true, false, true, false]);
    assert!(is_proven(&SplineCoupling::new(mask, network, spline)));
    let degrees = |width: usize| (0..width).map(|unit| 1 + unit % 3).collect::<Vec<_>>();
    let network = MaskedNetwork::with_degrees(vec![2, 3, 1, 4], vec![degrees(16), degrees(16)]);
    assert!(is_proven(&Autoregressive::with(network.with_activation(relu), spline)));
}

#[test]
fn samples_come_back_as_rows_of_the_standard_normal() {
    for name in NAMES {
        let (fitted, said) = (read(name), said(name));
        let contexts = &said.contexts[..said.contexts.len().min(3 * 20)];
        let rows = fitted.sample_given(20, contexts, 3).unwrap();
        let density = fitted.log_prob_given(&rows, contexts).unwrap();
        assert!(density.iter().all(|value| value.is_finite()), "{name}");
    }
}

#[test]
fn parameters_go_back_as_they_came() {
    for name in NAMES {
        let (sent, back) = (bytes(name), zuko::state_dict(read(name).parameters(), &bytes(name)).unwrap());
        let (sent, back) =
            (SafeTensors::deserialize(&sent).unwrap(), SafeTensors::deserialize(&back).unwrap());
        assert_eq!(sent.len(), back.len());
        for (tensor, view) in sent.tensors() {
            let found = back.tensor(&tensor).unwrap();
            assert_eq!(view.dtype(), found.dtype(), "{name} {tensor}");
            assert_eq!(view.shape(), found.shape(), "{name} {tensor}");
            assert_eq!(view.data(), found.data(), "{name} {tensor}");
        }
    }
}

/// Parameters after a few steps from where zuko ended, as a state dict.
fn further(name: &str) -> Vec<u8> {
    let (fitted, said) = (read(name), said(name));
    let mut trainer = Trainer::<f64>::new(fitted.flow(), fitted.parameters().clone(), 1e-3).unwrap();
    for _ in 0..20 {
        trainer.step_given(&said.x, &said.contexts).unwrap();
    }
    zuko::state_dict(trainer.parameters(), &bytes(name)).unwrap()
}

#[test]
fn what_was_trained_further_goes_back_and_comes_again() {
    for name in NAMES {
        let (dict, said) = (further(name), said(name));
        let trained = zuko::flow(&dict, settings(name)).unwrap();
        assert_eq!(zuko::state_dict(trained.parameters(), &bytes(name)).unwrap(), dict, "{name}");
        let found = trained.log_prob_given(&said.x, &said.contexts).unwrap();
        let sum = |values: &[f64]| values.iter().sum::<f64>();
        assert!(sum(&found) > sum(&said.log_prob), "{name}: the steps improve nothing");
    }
}

#[test]
#[ignore = "writes what `tests/peers/zuko_flows.py check` reads with zuko"]
fn files_for_zuko() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../target/zuko");
    fs::create_dir_all(&folder).unwrap();
    for name in NAMES {
        let (dict, said) = (further(name), said(name));
        let trained = zuko::flow(&dict, settings(name)).unwrap();
        let log_prob = trained.log_prob_given(&said.x, &said.contexts).unwrap();
        let as_it_was = zuko::state_dict(read(name).parameters(), &bytes(name)).unwrap();
        fs::write(folder.join(format!("{name}.safetensors")), as_it_was).unwrap();
        fs::write(folder.join(format!("{name}_trained.safetensors")), dict).unwrap();
        let rows = json!({ "x": said.x, "contexts": said.contexts, "log_prob": log_prob });
        fs::write(folder.join(format!("{name}.json")), rows.to_string()).unwrap();
    }
}

type Tensors = BTreeMap<String, (Dtype, Vec<usize>, Vec<u8>)>;

/// A state dict with something changed.
fn changed(name: &str, change: impl FnOnce(&mut Tensors)) -> Vec<u8> {
    let bytes = bytes(name);
    let file = SafeTensors::deserialize(&bytes).unwrap();
    let of = |view: TensorView<'_>| (view.dtype(), view.shape().to_vec(), view.data().to_vec());
    let mut tensors: Tensors = file.tensors().into_iter().map(|(name, view)| (name, of(view))).collect();
    change(&mut tensors);
    let views = tensors.iter().map(|(name, (dtype, shape, data))| {
        (name.as_str(), TensorView::new(*dtype, shape.clone(), data).unwrap())
    });
    safetensors::serialize(views, None).unwrap()
}

fn refused(name: &str, change: impl FnOnce(&mut Tensors)) -> String {
    zuko::flow(&changed(name, change), settings(name)).err().expect("it has no counterpart").to_string()
}

#[track_caller]
fn says(error: &str, parts: &[&str]) {
    assert!(parts.iter().all(|part| error.contains(part)), "{error}");
}

fn at(k: usize, rest: &str) -> String {
    format!("transform.transforms.{k}.{rest}")
}

#[test]
fn what_has_no_counterpart_is_refused_by_name() {
    let error = zuko::flow(b"", Settings::default()).err().unwrap().to_string();
    says(&error, &["no state dict", "save_file"]);
    // Another base.
    let error = refused("maf", |tensors| {
        tensors.get_mut("base.scale").unwrap().2[..4].copy_from_slice(&2f32.to_le_bytes());
    });
    says(&error, &["`base.scale`", "not 1", "standard normal"]);
    // Coupling by two passes: two variables share a place of the order.
    let error = refused("nsf", |tensors| {
        let order: Vec<u8> = [0i64, 0, 1, 1].iter().flat_map(|place| place.to_le_bytes()).collect();
        tensors.get_mut(&at(1, "order")).unwrap().2 = order;
    });
    says(&error, &["transform 1", "passes=None"]);
    // A mask that is not autoregressive: an entry above the diagonal.
    let error = refused("maf", |tensors| {
        let (_, shape, data) = tensors.get_mut(&at(0, "hyper.4.mask")).unwrap();
        let at = data.iter().position(|one| *one == 0).unwrap();
        assert!(at < shape[0] * shape[1]);
        data[at] = 1;
    });
    says(&error, &["transform.transforms.0.hyper.4.mask", "not the mask"]);
    // And one that drops a dependence.
    let error = refused("nsf", |tensors| {
        let data = &mut tensors.get_mut(&at(2, "hyper.2.mask")).unwrap().2;
        let at = data.iter().position(|one| *one == 1).unwrap();
        data[at] = 0;
    });
    says(&error, &["transform.transforms.2.hyper.2.mask", "not the mask"]);
    // A network with layers between its linear maps.
    let error = refused("real_nvp", |tensors| {
        for kind in ["weight", "bias"] {
            let moved = tensors.remove(&at(0, &format!("hyper.2.{kind}"))).unwrap();
            tensors.insert(at(0, &format!("hyper.3.{kind}")), moved);
        }
    });
    says(&error, &["transform 0", "[0, 3, 4]", "normalises"]);
    // A coupling that moves nothing.
    let error = refused("real_nvp", |tensors| tensors.get_mut(&at(0, "mask")).unwrap().2 = vec![1; 4]);
    says(&error, &["transform.transforms.0.mask", "copies 4 of 4"]);
    // Numbers of a univariate transform that is not read.
    let error = refused("real_nvp", |tensors| {
        for (kind, columns) in [("weight", 16), ("bias", 1)] {
            let (_, shape, data) = tensors.get_mut(&at(0, &format!("hyper.4.{kind}"))).unwrap();
            shape[0] = 6;
            data.resize(6 * columns * 4, 0);
        }
    });
    says(&error, &["transform 0", "3 numbers for each variable", "3K - 1"]);
    let error = refused("real_nvp", |tensors| drop(tensors.remove(&at(1, "hyper.0.bias"))));
    says(&error, &["transform.transforms.1.hyper.0.bias", "is missing"]);
    let error = refused("real_nvp", |tensors| {
        let extra = tensors["base.loc"].clone();
        tensors.insert(at(1, "hyper.0.scale"), extra);
    });
    says(&error, &["transform.transforms.1.hyper.0.scale", "nothing that is read"]);
    let error = refused("real_nvp", |tensors| {
        let data = &mut tensors.get_mut(&at(2, "hyper.2.bias")).unwrap().2;
        data[..4].copy_from_slice(&f32::NAN.to_le_bytes());
    });
    says(&error, &["transform.transforms.2.hyper.2.bias", "NaN"]);
    let error = refused("real_nvp", |tensors| tensors.get_mut("base.loc").unwrap().0 = Dtype::I32);
    says(&error, &["`base.loc`", "I32"]);
    let error = refused("real_nvp", |tensors| {
        for kind in ["weight", "bias"] {
            tensors.remove(&at(1, &format!("hyper.0.{kind}")));
        }
    });
    says(&error, &["transform 1", "[2, 4]"]);
    let bound = Settings::default().with_bound(f64::NAN);
    says(&zuko::flow(&bytes("nsf"), bound).err().unwrap().to_string(), &["bound", "NaN"]);
    let slope = Settings::default().with_slope(1.0);
    says(&zuko::flow(&bytes("nsf"), slope).err().unwrap().to_string(), &["slope", "not 1"]);
}

#[test]
fn parameters_of_another_flow_are_refused() {
    let error = zuko::state_dict(read("maf").parameters(), &bytes("real_nvp")).err().unwrap();
    says(&error.to_string(), &["layers."]);
    let error = zuko::state_dict(read("nsf").parameters(), &bytes("maf")).err().unwrap();
    assert!(matches!(error, ZukoError::Tensor { .. } | ZukoError::Parameters(_)), "{error}");
}

#[test]
fn other_settings_are_another_density() {
    let said = said("nsf");
    let expected = read("nsf").log_prob(&said.x).unwrap();
    let others = [
        Settings::default().with_activation(Activation::Tanh),
        Settings::default().with_slope(1e-2),
        Settings::default().with_bound(4.0),
    ];
    for other in others {
        let found = zuko::flow(&bytes("nsf"), other).unwrap().log_prob(&said.x).unwrap();
        assert!(apart(&found, &expected) > 1e-3, "{other:?}");
    }
}

/// The names of the table, with numbers put in: those of a layer here, and of a transform in a state dict.
#[test]
fn the_table_of_names_has_the_names_that_there_are() {
    let table = include_str!("../src/zuko/names.md");
    let fill = |pattern: &str, j: usize| {
        pattern.replace("{2j}", &(2 * j).to_string()).replace("{j}", &j.to_string())
    };
    let quoted = |cell: &str| cell.split('`').nth(1).unwrap_or("").to_string();
    let mut checked = 0;
    for (kind, name) in [("coupling", "spline_coupling"), ("autoregressive", "maf")] {
        let ours: Vec<String> = read(name).parameters().iter().map(|(name, _)| name.to_string()).collect();
        let bytes = bytes(name);
        let file = SafeTensors::deserialize(&bytes).unwrap();
        let theirs: Vec<&str> = file.names().into_iter().collect();
        let mut named: Vec<String> = Vec::new();
        let rows = table.lines().filter(|line| line.starts_with(&format!("| {kind}")));
        for row in rows {
            let cells: Vec<&str> = row.split('|').map(str::trim).collect();
            let count = if row.contains("j}") { 3 } else { 1 };
            for j in 0..count {
                let (own, their) = (fill(&quoted(cells[2]), j), fill(&quoted(cells[3]), j));
                if own.starts_with("net.") {
                    assert!(ours.contains(&format!("layers.0.{own}")), "{row}: {own} is none of {ours:?}");
                }
                let their = format!("transform.transforms.0.{their}");
                assert!(theirs.contains(&their.as_str()), "{row}: {their} is none of {theirs:?}");
                named.push(their);
                checked += 1;
            }
        }
        // And none is left out.
        let of_one = theirs.iter().filter(|name| name.starts_with("transform.transforms.0."));
        let left: Vec<_> = of_one.filter(|name| !named.iter().any(|known| known == *name)).collect();
        assert!(left.is_empty(), "{left:?}");
    }
    assert!(checked >= 18, "only {checked} names");
}
