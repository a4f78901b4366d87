//! What ONNX files say: versions, inputs and outputs, parameters by name; and what is refused.

use prost::Message;
use pushforward::model::Choice;
use pushforward::onnx::schema::{self, DataType, Size};
use pushforward::onnx::{Export, ExportError, What};
use pushforward::prelude::*;
use pushforward::tape::Unary;

use crate::catalogue::catalogue;
use crate::fitted::fit;
use crate::table_files::{block, normals};

fn decoded(bytes: &[u8]) -> schema::Model {
    schema::Model::decode(bytes).unwrap()
}

fn coupling(context: usize) -> FittedFlow {
    let network = Network::new([4]).with_context(context);
    let layers: Vec<Box<dyn Bijection>> = vec![
        Box::new(AffineCoupling::new(CouplingMask::first_half(3), network)),
        Box::new(Affine::fixed([2.0, 0.5, 1.0], [1.0, -3.0, 0.0])),
    ];
    let flow = Flow::new(StandardNormal::new(3), layers).unwrap();
    let start = flow.initial(1);
    flow.with(start).unwrap()
}

/// Names of values with the sizes of their axes, 0 for the batch.
fn described(values: &[schema::ValueInfo]) -> Vec<(String, Vec<i64>, i32)> {
    let of = |value: &schema::ValueInfo| {
        let tensor = value.r#type.as_ref().unwrap().tensor_type.as_ref().unwrap();
        let sizes =
            tensor.shape.as_ref().unwrap().dim.iter().map(|axis| match axis.value.as_ref().unwrap() {
                Size::Number(size) => *size,
                Size::Name(name) => {
                    assert_eq!(name, "batch");
                    0
                }
            });
        (value.name.clone(), sizes.collect(), tensor.elem_type)
    };
    values.iter().map(of).collect()
}

#[test]
fn a_file_says_its_versions_its_inputs_and_its_outputs() {
    let flow = coupling(2);
    let (single, double) = (DataType::Float as i32, DataType::Double as i32);
    let named = |name: &str, sizes: &[i64], kind: i32| (name.to_string(), sizes.to_vec(), kind);
    let file = decoded(&flow.to_onnx(Export::of(What::LogProb)).unwrap());
    assert_eq!((file.ir_version, file.producer_name.as_str()), (8, "pushforward"));
    let opset = |set: &schema::OperatorSet| (set.domain.clone(), set.version);
    assert_eq!(opset(&file.opset_import[0]), (String::new(), 18));
    let graph = file.graph.unwrap();
    let inputs = [named("x", &[0, 3], single), named("context", &[0, 2], single)];
    assert_eq!(described(&graph.input), inputs);
    assert_eq!(described(&graph.output), [named("log_prob", &[0], single)]);
    let graph = decoded(&flow.to_onnx(Export::of(What::Sample).in_f64()).unwrap()).graph.unwrap();
    let inputs = [named("noise", &[0, 3], double), named("context", &[0, 2], double)];
    assert_eq!(described(&graph.input), inputs);
    assert_eq!(described(&graph.output), [named("x", &[0, 3], double)]);
    let graph = decoded(&flow.to_onnx(Export::of(What::Inverse)).unwrap()).graph.unwrap();
    assert_eq!(described(&graph.output), [named("z", &[0, 3], single)]);
}

#[test]
fn parameters_are_initialisers_of_their_names() {
    let flow = coupling(0);
    let graph = decoded(&flow.to_onnx(Export::of(What::LogProb).in_f64()).unwrap()).graph.unwrap();
    for (name, tensor) in flow.parameters().iter() {
        let written = graph.initializer.iter().find(|own| own.name == name);
        let written = written.unwrap_or_else(|| panic!("there is no initialiser {name}"));
        let values: Vec<f64> = written
            .raw_data
            .chunks_exact(8)
            .map(|bytes| f64::from_le_bytes(bytes.try_into().unwrap()))
            .collect();
        assert_eq!(values, tensor.values, "{name}");
    }
}

#[test]
fn every_name_is_made_once_before_it_is_used() {
    fn check(graph: &schema::Graph, functions: &[String], outer: &[String]) {
        let mut known = outer.to_vec();
        let own = graph.input.iter().map(|value| &value.name);
        known.extend(own.chain(graph.initializer.iter().map(|tensor| &tensor.name)).cloned());
        for node in &graph.node {
            assert!(node.input.iter().all(|name| known.contains(name)), "{}: {:?}", node.name, node.input);
            assert_eq!(node.domain == "pushforward", functions.contains(&node.op_type), "{}", node.op_type);
            let bodies = node.attribute.iter().filter_map(|attribute| attribute.g.as_ref());
            bodies.for_each(|body| check(body, functions, &known));
            assert!(node.output.iter().all(|name| !known.contains(name)), "{}", node.name);
            known.extend(node.output.iter().cloned());
        }
        assert!(graph.output.iter().all(|value| known.contains(&value.name)));
    }
    for entry in catalogue() {
        let d = entry.layer.dim();
        let flow = match entry.layer.domain() {
            Domain::Reals => Flow::new(StandardNormal::new(d), [entry.layer]),
            _ => Flow::new(Uniform::new(d), [entry.layer]),
        };
        let flow = flow.unwrap();
        let start = flow.initial(1);
        let flow = flow.with(start).unwrap();
        for what in [What::LogProb, What::Inverse, What::Sample] {
            let bytes =
                flow.to_onnx(Export::of(what)).unwrap_or_else(|error| panic!("{}: {error}", entry.name));
            let file = decoded(&bytes);
            let functions: Vec<String> =
                file.functions.iter().map(|function| function.name.clone()).collect();
            check(file.graph.as_ref().unwrap(), &functions, &[]);
        }
    }
}

/// x = z + ψ(c), whose operation no graph has.
struct Digamma;

impl Bijection for Digamma {
    fn dim(&self) -> usize {
        1
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        z + z.tape().context(1).apply(Unary::Polygamma(0))
    }
}

#[test]
fn what_cannot_be_expressed_is_refused_by_its_name_and_place() {
    let flow = Flow::new(StandardNormal::new(1), [Box::new(Digamma) as Box<dyn Bijection>]).unwrap();
    let flow = flow.with(Parameters::default()).unwrap();
    let error = flow.to_onnx(Export::of(What::Sample)).unwrap_err().to_string();
    assert!(error.contains("`polygamma`, recorded at") && error.contains("files.rs:"), "{error}");
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flow.onnx");
    assert!(flow.export_onnx(&path, Export::of(What::Sample)).is_err());
    assert!(!path.exists(), "a file that is not complete");
}

#[test]
fn a_file_is_written_whole_or_not_at_all() {
    let flow = coupling(0);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("flow.onnx");
    flow.export_onnx(&path, Export::of(What::LogProb)).unwrap();
    assert_eq!(std::fs::read(&path).unwrap(), flow.to_onnx(Export::of(What::LogProb)).unwrap());
    let nowhere = folder.path().join("no/flow.onnx");
    let error = flow.export_onnx(&nowhere, Export::of(What::LogProb)).unwrap_err();
    assert!(matches!(error, ExportError::Write { .. }), "{error}");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 1, "a temporary file is left");
}

#[test]
fn the_file_of_a_model_has_its_columns_and_a_mixture_of_flows_no_z() {
    let columns = [("speed", normals(200, 1)), ("size", normals(200, 2).iter().map(|t| t.exp()).collect())];
    let model = fit(&block(&columns), "speed=real,size=positive", Choice::Mixture, &[]);
    let file = decoded(&model.to_onnx(Export::of(What::LogProb)).unwrap());
    let said = |key: &str| {
        let entry = file.metadata_props.iter().find(|entry| entry.key == key);
        entry.unwrap_or_else(|| panic!("no {key}")).value.clone()
    };
    let columns: serde_json::Value = serde_json::from_str(&said("columns")).unwrap();
    let expected =
        serde_json::json!([{"name": "speed", "kind": "real"}, {"name": "size", "kind": "positive"}]);
    assert_eq!(columns, expected);
    assert_eq!((said("computes").as_str(), said("seed").as_str()), ("log_prob", "0"));
    assert!(said("log_prob").contains("NaN where x is NaN"));
    match (model.flows().count(), model.to_onnx(Export::of(What::Inverse))) {
        (1, Ok(_)) => {}
        (flows, Err(ExportError::Mixture { flows: told })) if flows == told => {}
        (flows, other) => panic!("{flows} flows: {:?}", other.map(|bytes| bytes.len())),
    }
}
