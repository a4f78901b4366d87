//! Maps that are read from ONNX files: what they compute, what is said of them, and what is refused.

use prost::Message;
use pushforward::audit::{AuditOptions, Topic, audit_with};
use pushforward::onnx::schema::{
    Attribute, AttributeKind, DataType, Dimension, Graph, Model, Node, OperatorSet, Size, Tensor,
    TensorShape, TensorType, Type, ValueInfo,
};
use pushforward::onnx::{ImportError, ImportOptions, ImportedMap, Role};
use pushforward::prelude::*;
use pushforward::program::{Output, Program};

/// A graph of one input x of d numbers in double precision.
pub struct Written {
    graph: Graph,
}

impl Written {
    pub fn new(d: i64) -> Written {
        let graph =
            Graph { name: "planted".to_string(), input: vec![value("x", &[1, d])], ..Graph::default() };
        Written { graph }
    }

    /// A node of this operator, named like its output.
    pub fn node(mut self, operator: &str, inputs: &[&str], output: &str) -> Written {
        self.graph.node.push(Node {
            input: inputs.iter().map(|name| name.to_string()).collect(),
            output: vec![output.to_string()],
            name: format!("/net/{output}"),
            op_type: operator.to_string(),
            ..Node::default()
        });
        self
    }

    /// A setting of the last node.
    pub fn setting(mut self, name: &str, kind: AttributeKind, set: impl FnOnce(&mut Attribute)) -> Written {
        let mut attribute = Attribute { name: name.to_string(), kind: kind as i32, ..Attribute::default() };
        set(&mut attribute);
        self.graph.node.last_mut().expect("a node").attribute.push(attribute);
        self
    }

    pub fn numbers(mut self, name: &str, dims: &[i64], values: &[f64]) -> Written {
        self.graph.initializer.push(Tensor {
            dims: dims.to_vec(),
            data_type: DataType::Double as i32,
            double_data: values.to_vec(),
            name: name.to_string(),
            ..Tensor::default()
        });
        self
    }

    pub fn integers(mut self, name: &str, values: &[i64]) -> Written {
        self.graph.initializer.push(Tensor {
            dims: vec![values.len() as i64],
            data_type: DataType::Int64 as i32,
            int64_data: values.to_vec(),
            name: name.to_string(),
            ..Tensor::default()
        });
        self
    }

    pub fn output(mut self, name: &str, dims: &[i64]) -> Written {
        self.graph.output.push(value(name, dims));
        self
    }

    fn model(self) -> Model {
        let set = OperatorSet { domain: String::new(), version: 18 };
        Model { ir_version: 10, opset_import: vec![set], graph: Some(self.graph), ..Model::default() }
    }

    pub fn bytes(self) -> Vec<u8> {
        self.model().encode_to_vec()
    }

    fn read(self, options: &ImportOptions) -> Result<ImportedMap, ImportError> {
        ImportedMap::from_bytes("planted", &self.bytes(), options)
    }
}

fn value(name: &str, dims: &[i64]) -> ValueInfo {
    let dim = dims.iter().map(|size| Dimension { value: Some(Size::Number(*size)) }).collect();
    let tensor = TensorType { elem_type: DataType::Double as i32, shape: Some(TensorShape { dim }) };
    ValueInfo {
        name: name.to_string(),
        r#type: Some(Type { tensor_type: Some(tensor) }),
        ..ValueInfo::default()
    }
}

fn with_log_det() -> ImportOptions {
    ImportOptions { log_det: Some("log_det".to_string()), ..ImportOptions::default() }
}

/// The audit of a map for the numbers of its file.
fn audited(map: &ImportedMap) -> Report {
    let options = AuditOptions { parameters: Some(map.parameters()), ..AuditOptions::default() };
    audit_with(map, &options).expect("it records")
}

/// x·exp(s) with a log-determinant that is given by these nodes.
fn scaled(log_det: impl FnOnce(Written) -> Written) -> Written {
    let written = Written::new(2)
        .numbers("s", &[2], &[0.5, -0.25])
        .integers("axes", &[1])
        .node("Exp", &["s"], "scale")
        .node("Mul", &["x", "scale"], "y")
        .output("y", &[1, 2]);
    log_det(written).output("log_det", &[1])
}

/// A network of one hidden layer whose masks leave the second variable free: y₂ depends on x₁ and x₂, y₁ on x₁, and on x₂ where
/// the mask has a fault.
fn masked(fault: f64) -> Written {
    Written::new(2)
        .numbers("w", &[2, 2], &[0.3, -0.7, 0.9, 0.4])
        .numbers("mask", &[2, 2], &[0.0, fault, 1.0, 0.0])
        .node("Mul", &["w", "mask"], "masked")
        .node("Transpose", &["masked"], "turned")
        .node("MatMul", &["x", "turned"], "hidden")
        .node("Tanh", &["hidden"], "shift")
        .node("Add", &["x", "shift"], "y")
        .output("y", &[1, 2])
}

#[test]
fn a_right_log_determinant_holds_and_the_map_is_proven_for_all_parameters() {
    let map = scaled(|w| w.node("ReduceSum", &["s"], "log_det")).read(&with_log_det()).unwrap();
    assert_eq!(map.tensors(), [("s", [2].as_slice(), Role::Parameter)]);
    let report = audited(&map);
    assert_eq!(report.claim(Topic::Structure).unwrap().evidence.label(), "proven", "{report}");
    assert_eq!(report.claim(Topic::Determinant).unwrap().evidence.label(), "proven", "{report}");
    assert_eq!(report.claim(Topic::Injective).unwrap().evidence.label(), "proven", "{report}");
    assert_eq!(report.claim(Topic::GivenLogDet).unwrap().evidence.label(), "checked", "{report}");
}

#[test]
fn a_wrong_log_determinant_is_refuted_with_what_is_wrong_about_it() {
    let negative = scaled(|w| w.node("ReduceSum", &["s"], "sum").node("Neg", &["sum"], "log_det"));
    let report = audited(&negative.read(&with_log_det()).unwrap());
    let claim = report.claim(Topic::GivenLogDet).unwrap();
    assert_eq!(claim.evidence.label(), "refuted");
    assert!(claim.evidence.detail().contains("this is ln|det J| of f⁻¹"), "{report}");
    assert!(!claim.certificates.is_empty());
    // A mean instead of a sum.
    let mean = scaled(|w| w.node("ReduceMean", &["s"], "log_det"));
    let report = audited(&mean.read(&with_log_det()).unwrap());
    assert!(
        report
            .claim(Topic::GivenLogDet)
            .unwrap()
            .evidence
            .detail()
            .contains("off by the same amount everywhere"),
        "{report}"
    );
}

#[test]
fn a_mask_makes_a_structure_and_a_fault_in_it_is_shown_by_the_names_of_nodes() {
    let lower = ImportOptions { structure: Some(Structure::LowerTriangular), ..ImportOptions::default() };
    let report = audited(&masked(0.0).read(&lower).unwrap());
    assert_eq!(report.claim(Topic::Structure).unwrap().evidence.label(), "proven", "{report}");
    let report = audited(&masked(1.0).read(&lower).unwrap());
    let claim = report.claim(Topic::Structure).unwrap();
    assert_eq!(claim.evidence.label(), "refuted", "{report}");
    let told = claim.evidence.detail();
    assert!(told.contains("x[0] depends on z[1]") && told.contains("node `/net/hidden`"), "{told}");
    assert!(told.contains("node `/net/shift`"), "{told}");
}

#[test]
fn without_a_mask_no_structure_is_claimed() {
    let map = masked(1.0).read(&ImportOptions::default()).unwrap();
    assert!(!matches!(map.structure(), Structure::LowerTriangular | Structure::Diagonal));
    // Held as a parameter the mask is no mask: the weights may be anything.
    let options = ImportOptions { parameters: vec!["mask".to_string()], ..ImportOptions::default() };
    let map = masked(0.0).read(&options).unwrap();
    assert_ne!(map.structure(), Structure::LowerTriangular);
}

#[test]
fn a_map_that_folds_is_refuted_and_one_that_forgets_a_variable_is_singular() {
    let square = Written::new(1).node("Mul", &["x", "x"], "y").output("y", &[1, 1]);
    let report = audited(&square.read(&ImportOptions::default()).unwrap());
    assert_eq!(report.claim(Topic::Injective).unwrap().evidence.label(), "refuted", "{report}");
    let twice = Written::new(2)
        .integers("places", &[0, 0])
        .node("Gather", &["x", "places"], "y")
        .setting("axis", AttributeKind::Int, |setting| setting.i = 1)
        .output("y", &[1, 2]);
    let report = audited(&twice.read(&ImportOptions::default()).unwrap());
    assert_eq!(report.claim(Topic::Determinant).unwrap().evidence.label(), "refuted", "{report}");
}

#[test]
fn a_bin_that_is_counted_is_read_exactly_whether_or_not_its_thresholds_ascend() {
    // y = x·slope of the bin, and the bin is the number of thresholds below x.
    for thresholds in [[-1.0, 0.5, 2.0], [2.0, -1.0, 0.5]] {
        let written = Written::new(2)
            .numbers("thresholds", &[3], &thresholds)
            .numbers("slopes", &[1, 4], &[1.25, 0.5, 3.0, 7.5])
            .integers("last", &[2])
            .integers("wide", &[2, 4])
            .node("Unsqueeze", &["x", "last"], "column")
            .node("Less", &["thresholds", "column"], "below")
            .node("Cast", &["below"], "ones")
            .setting("to", AttributeKind::Int, |setting| setting.i = i64::from(DataType::Int64 as i32))
            .node("ReduceSum", &["ones", "last"], "bin")
            .setting("keepdims", AttributeKind::Int, |setting| setting.i = 1)
            .integers("first", &[0])
            .node("Squeeze", &["bin", "first"], "rows")
            .node("Expand", &["slopes", "wide"], "all")
            .node("GatherElements", &["all", "rows"], "chosen")
            .setting("axis", AttributeKind::Int, |setting| setting.i = 1)
            .integers("shape", &[1, 2])
            .node("Reshape", &["chosen", "shape"], "slope")
            .node("Mul", &["x", "slope"], "y")
            .output("y", &[1, 2]);
        let map = written.read(&ImportOptions::default()).unwrap();
        let points = [-3.0, -1.0, -0.5, 0.5, 0.75, 1.5, 2.0, 9.0];
        let expected = points.map(|x| {
            let bin = thresholds.iter().filter(|threshold| **threshold < x).count();
            x * [1.25, 0.5, 3.0, 7.5][bin]
        });
        assert_eq!(values(&map, &points)[0], expected);
        // It jumps at the thresholds, so that it is not one-to-one onto all numbers, whatever the slopes are.
        assert_ne!(audited(&map).claim(Topic::Injective).unwrap().evidence.label(), "proven");
    }
}

/// y = x below 0 and s·x above it, of a bin that is counted; with a jump of this height.
fn bent(height: f64) -> Written {
    Written::new(1)
        .numbers("threshold", &[1], &[0.0])
        .numbers("slopes", &[1, 2], &[1.0, 2.5])
        .numbers("heights", &[1, 2], &[0.0, height])
        .integers("axes", &[1])
        .node("Less", &["threshold", "x"], "below")
        .node("Cast", &["below"], "bin")
        .setting("to", AttributeKind::Int, |setting| setting.i = i64::from(DataType::Int64 as i32))
        .node("GatherElements", &["slopes", "bin"], "slope")
        .setting("axis", AttributeKind::Int, |setting| setting.i = 1)
        .node("GatherElements", &["heights", "bin"], "height")
        .setting("axis", AttributeKind::Int, |setting| setting.i = 1)
        .node("Mul", &["x", "slope"], "risen")
        .node("Add", &["risen", "height"], "y")
        .output("y", &[1, 1])
}

#[test]
fn a_bin_that_is_counted_is_proven_piece_by_piece_and_a_jump_is_not() {
    let constant = ImportOptions { all_constant: true, ..ImportOptions::default() };
    let label = |height: f64| {
        let report = audited(&bent(height).read(&constant).unwrap());
        report.claim(Topic::Injective).unwrap().evidence.label()
    };
    assert_eq!(label(0.0), "proven");
    assert_ne!(label(0.5), "proven");
    assert_ne!(label(-0.5), "proven");
}

/// The map and its log-determinant at rows.
pub fn values(map: &ImportedMap, rows: &[f64]) -> [Vec<f64>; 2] {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(map.dim()));
    let x = map.forward(z);
    let log_det = map.log_det(z).unwrap_or_else(|| tape.constant(0.0));
    let outputs = [Output::Each(x.id()), Output::Each(log_det.id())];
    let mut program = Program::<f64>::compile(&tape, &[z.id()], &outputs);
    program.load(&map.parameters()).unwrap();
    let mut found = program.run(&[rows], rows.len() / map.dim()).unwrap();
    let log_dets = found.pop().unwrap();
    [found.pop().unwrap(), log_dets]
}

/// The message of a file that is refused.
fn refused(written: Written) -> String {
    written.read(&ImportOptions::default()).expect_err("it must be refused").to_string()
}

#[test]
fn what_cannot_be_read_is_refused_with_the_operator_and_the_node() {
    let sorted = Written::new(2).node("TopK", &["x"], "y").output("y", &[1, 2]);
    let told = refused(sorted);
    assert!(told.contains("node `/net/y`") && told.contains("TopK"), "{told}");
    let jump = Written::new(2).node("Floor", &["x"], "y").output("y", &[1, 2]);
    assert!(refused(jump).contains("it jumps"));
    let rows = Written::new(2)
        .numbers("zero", &[], &[0.0])
        .node("Greater", &["x", "zero"], "above")
        .node("NonZero", &["above"], "rows")
        .node("Cast", &["rows"], "y")
        .setting("to", AttributeKind::Int, |setting| setting.i = i64::from(DataType::Double as i32))
        .output("y", &[1, 2]);
    let told = refused(rows);
    assert!(told.contains("NonZero") && told.contains("torch.where"), "{told}");
    let loud = Written::new(2).node("RandomNormalLike", &["x"], "y").output("y", &[1, 2]);
    assert!(refused(loud).contains("random"));
}

#[test]
fn a_graph_that_is_no_map_is_refused_with_what_to_do() {
    let wider = Written::new(2).node("Concat", &["x", "x"], "y");
    let wider = wider.setting("axis", AttributeKind::Int, |setting| setting.i = 1).output("y", &[1, 4]);
    assert!(refused(wider).contains("its input has 2 numbers and its output `y` has 4"));
    let mut two = Written::new(2).node("Add", &["x", "c"], "y").output("y", &[1, 2]);
    two.graph.input.push(value("c", &[1, 2]));
    assert!(refused(two).contains("it has 2 inputs, `x`, `c`"));
    let mut batch = Written::new(2).node("Neg", &["x"], "y").output("y", &[1, 2]);
    batch.graph.input = vec![value("x", &[8, 2])];
    assert!(refused(batch).contains("[8, 2]"));
    let missing =
        Written::new(2).node("Add", &["x", "later"], "y").node("Neg", &["y"], "later").output("y", &[1, 2]);
    let told = refused(missing);
    assert!(told.contains("`later`") && told.contains("cycle"), "{told}");
    let misfit =
        Written::new(2).numbers("w", &[3], &[1.0; 3]).node("Add", &["x", "w"], "y").output("y", &[1, 2]);
    let told = refused(misfit);
    assert!(told.contains("node `/net/y`") && told.contains("[1, 2]") && told.contains("[3]"), "{told}");
    let rows = Written::new(2).node("Exp", &["x"], "y").node("Neg", &["x"], "log_det").output("y", &[1, 2]);
    let told = rows.output("log_det", &[1, 2]).read(&with_log_det()).expect_err("two numbers").to_string();
    assert!(told.contains("2 numbers a row") && told.contains("sum over"), "{told}");
    let unknown = Written::new(2).node("Neg", &["x"], "y").output("y", &[1, 2]).read(&with_log_det());
    assert!(unknown.expect_err("no such output").to_string().contains("its outputs are `y`"));
}

#[test]
fn tensors_that_are_not_whole_are_refused() {
    let short = Written::new(2).numbers("w", &[2], &[1.0]).node("Add", &["x", "w"], "y").output("y", &[1, 2]);
    assert!(refused(short).contains("1 elements do not fill the shape [2]"));
    let huge = Written::new(2)
        .numbers("w", &[1 << 40, 1 << 40], &[1.0])
        .node("Add", &["x", "w"], "y")
        .output("y", &[1, 2]);
    assert!(refused(huge).contains("more than"));
    let mut elsewhere =
        Written::new(2).numbers("w", &[2], &[]).node("Add", &["x", "w"], "y").output("y", &[1, 2]);
    elsewhere.graph.initializer[0].data_location = 1;
    assert!(refused(elsewhere).contains("external_data=False"));
    let infinite = Written::new(2)
        .numbers("w", &[2], &[1.0, f64::INFINITY])
        .node("Add", &["x", "w"], "y")
        .output("y", &[1, 2]);
    assert!(refused(infinite).contains("only finite numbers can be parameters"));
}

#[test]
fn functions_of_the_file_are_read_and_endless_ones_are_refused() {
    use pushforward::onnx::schema::Function;
    let call = |inside: &str| {
        let mut model = Written::new(2).node("Twice", &["x"], "y").output("y", &[1, 2]).model();
        model.graph.as_mut().unwrap().node[0].domain = "own".to_string();
        let domain = if inside == "Twice" { "own" } else { "" };
        let node = Node {
            input: vec!["a".to_string(), "a".to_string()],
            output: vec!["b".to_string()],
            op_type: inside.to_string(),
            domain: domain.to_string(),
            ..Node::default()
        };
        let (input, output) = (vec!["a".to_string()], vec!["b".to_string()]);
        let function = Function {
            name: "Twice".to_string(),
            domain: "own".to_string(),
            input,
            output,
            node: vec![node],
            ..Function::default()
        };
        model.functions.push(function);
        ImportedMap::from_bytes("calls", &model.encode_to_vec(), &ImportOptions::default())
    };
    assert_eq!(values(&call("Add").unwrap(), &[1.5, -2.0])[0], [3.0, -4.0]);
    assert!(call("Twice").expect_err("it never ends").to_string().contains("nested"));
}

#[test]
fn a_file_that_was_cut_off_or_is_another_one_is_refused() {
    let whole = masked(0.0).bytes();
    for length in 0..whole.len() {
        let cut = ImportedMap::from_bytes("cut", &whole[..length], &ImportOptions::default());
        assert!(cut.is_err(), "{length} of {} bytes were read", whole.len());
    }
    let text = ImportedMap::from_bytes("text", b"x,y\n1,2\n", &ImportOptions::default());
    assert!(text.expect_err("a table").to_string().contains("no ONNX file"));
    let none = ImportedMap::read("no/such/file.onnx".as_ref(), &ImportOptions::default());
    assert!(none.expect_err("no file").to_string().contains("no/such/file.onnx cannot be read"));
}

#[test]
fn bytes_that_were_changed_are_read_or_refused_without_a_panic() {
    use rand::{RngExt, SeedableRng};
    let whole = masked(0.0).bytes();
    crate::seeded::for_seeds(400, |seed| {
        let mut random = rand_chacha::ChaCha8Rng::seed_from_u64(seed);
        let mut bytes = whole.clone();
        for _ in 0..random.random_range(1..6) {
            let at = random.random_range(0..bytes.len());
            bytes[at] = random.random();
        }
        if let Ok(map) = ImportedMap::from_bytes("changed", &bytes, &ImportOptions::default()) {
            let tape = Tape::new();
            let _ = map.forward(tape.input(Shape::Vector(map.dim())));
        }
        let noise: Vec<u8> = (0..random.random_range(0..200)).map(|_| random.random()).collect();
        let _ = ImportedMap::from_bytes("noise", &noise, &ImportOptions::default());
        Ok(())
    });
}

/// Operators with operands, and what ONNX's own evaluator makes of them (`tests/peers/operators.py`).
#[test]
fn operators_compute_what_the_evaluator_of_onnx_computes() {
    let cases: serde_json::Value = serde_json::from_str(include_str!("peers/operators.json")).expect("JSON");
    let numbers = |value: &serde_json::Value| -> Vec<f64> {
        value.as_array().expect("a list").iter().map(|value| value.as_f64().expect("a number")).collect()
    };
    let whole = |value: &serde_json::Value| -> Vec<i64> {
        numbers(value).iter().map(|value| *value as i64).collect()
    };
    for case in cases.as_array().expect("a list of cases") {
        let operator = case["operator"].as_str().expect("a name");
        let operands = case["operands"].as_array().expect("operands");
        let (input, rest) = operands.split_first().expect("an input");
        let (dims, row) = (whole(&input["dims"]), numbers(&input["values"]));
        let expected = numbers(&case["y"]["values"]);
        // The input is a row that is reshaped, and so that the map has as many outputs as inputs each element of the result is
        // taken by itself, beside a copy of the input.
        let mut inputs = vec!["given".to_string()];
        let mut written =
            Written::new(row.len() as i64).integers("dims", &dims).node("Reshape", &["x", "dims"], "given");
        for (k, operand) in rest.iter().enumerate() {
            let (name, dims) = (format!("operand{k}"), whole(&operand["dims"]));
            written = match operand["whole"].as_bool() {
                Some(true) => {
                    let mut written = written.integers(&name, &whole(&operand["values"]));
                    written.graph.initializer.last_mut().unwrap().dims = dims;
                    written
                }
                _ => written.numbers(&name, &dims, &numbers(&operand["values"])),
            };
            inputs.push(name);
        }
        let inputs: Vec<&str> = inputs.iter().map(String::as_str).collect();
        written = written.node(operator, &inputs, "result");
        for (name, setting) in case["settings"].as_object().expect("settings") {
            let (kind, value) = setting.as_object().unwrap().iter().next().unwrap();
            written =
                match kind.as_str() {
                    "i" => written.setting(name, AttributeKind::Int, |set| set.i = value.as_i64().unwrap()),
                    "f" => written
                        .setting(name, AttributeKind::Float, |set| set.f = value.as_f64().unwrap() as f32),
                    "s" => written
                        .setting(name, AttributeKind::String, |set| set.s = value.as_str().unwrap().into()),
                    _ => written.setting(name, AttributeKind::Ints, |set| set.ints = whole(value)),
                };
        }
        let written =
            written.integers("flat", &[-1]).node("Reshape", &["result", "flat"], "all").output("x", &[1]);
        for (place, expected) in expected.iter().enumerate() {
            let at = Written { graph: written.graph.clone() }.integers("at", &[place as i64]);
            let at = at.node("Gather", &["all", "at"], "log_det").output("log_det", &[1]);
            let options = ImportOptions { output: Some("x".to_string()), ..with_log_det() };
            let map = at.read(&options).unwrap_or_else(|error| panic!("{case}: {error}"));
            let found = values(&map, &row)[1][0];
            let off = (found - expected).abs() / expected.abs().max(1.0);
            // Numbers in settings have 32 bits, which the evaluator of some operators takes up and others do not.
            assert!(off < 1e-6, "{case}: element {place} is {found} instead of {expected}");
        }
    }
}
