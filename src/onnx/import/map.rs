//! A graph as a bijection.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::path::Path;
use std::sync::Arc;

use prost::Message;

use super::array::{Array, Elements};
use super::error::ImportError;
use super::interpret::{Library, Values, needed, run};
use super::recorded::{canonical, reshaped};
use super::stored::{Stored, stored};
use crate::bijection::{Bijection, Domain};
use crate::jacobian::{Structure, map, strongest_structure};
use crate::onnx::schema::{DataType, Graph, Model, Node, Size, Tensor, ValueInfo};
use crate::tape::{Init, Parameters, Shape, Tape, Var};

/// What a stored tensor stands for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// A parameter: what is proven is proven for all of its values.
    Parameter,
    /// Numbers that belong to the map.
    Constant,
}

/// How a graph is read.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct ImportOptions {
    /// The output that is the map, by default the first one with as many numbers as the input.
    pub output: Option<String>,
    /// The output that is the graph's own ln|det J|, one number a row.
    pub log_det: Option<String>,
    /// Stored tensors that are parameters, whatever they look like.
    pub parameters: Vec<String>,
    /// Stored tensors that are constants, whatever they look like.
    pub constants: Vec<String>,
    /// Every stored tensor is a constant, but for those named as parameters: what is proven is proven for the numbers of the file.
    pub all_constant: bool,
    /// The structure that the author expects; by default the one that is found. It is proven or refused like that of a layer.
    pub structure: Option<Structure>,
    /// The domain of the input; ℝᵈ by default.
    pub domain: Option<Domain>,
    /// The codomain of the map; ℝᵈ by default.
    pub codomain: Option<Domain>,
}

/// A map from ℝᵈ to ℝᵈ that was read from an ONNX file.
///
/// A stored tensor of floating-point numbers is a [parameter](Role::Parameter), with the file's numbers as initial values; one of whole numbers
/// only (a mask of 0 and 1, an order, a bias that is still 0), of a single number without axes, or of a number in the code
/// (`lifted_tensor`) is a [constant](Role::Constant). [`ImportOptions`] decides otherwise by name.
///
/// ```no_run
/// use pushforward::onnx::{ImportOptions, ImportedMap};
/// use pushforward::prelude::*;
///
/// let options = ImportOptions { log_det: Some("log_det".to_string()), ..ImportOptions::default() };
/// let map = ImportedMap::read("forward.onnx".as_ref(), &options)?;
/// println!("{}", audit(&map)?);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
#[derive(Clone, Debug)]
pub struct ImportedMap {
    name: String,
    d: usize,
    file: Arc<File>,
    output: String,
    log_det: Option<String>,
    roles: HashMap<String, Role>,
    structure: Structure,
    domain: Domain,
    codomain: Domain,
    clamped: Vec<String>,
}

/// What was read of the file.
#[derive(Debug)]
struct File {
    model: Model,
    /// The input, its shape with one row, and whether its numbers are double.
    input: String,
    dims: Vec<usize>,
    double: bool,
    stored: HashMap<String, Stored>,
}

impl ImportedMap {
    /// Reads a file; the map has its name.
    ///
    /// # Errors
    /// A file that cannot be read, and as [`ImportedMap::from_bytes`].
    pub fn read(path: &Path, options: &ImportOptions) -> Result<ImportedMap, ImportError> {
        let bytes = std::fs::read(path).map_err(|error| ImportError::File {
            file: path.display().to_string(),
            reason: error.to_string(),
        })?;
        let name = path.file_stem().map_or_else(|| "graph".into(), |stem| stem.to_string_lossy());
        ImportedMap::from_bytes(&name, &bytes, options)
    }

    /// Reads the bytes of a file.
    ///
    /// # Errors
    /// Bytes that are no ONNX file, a graph that is no map of one row, an operator that is not read, operands that do not fit.
    pub fn from_bytes(name: &str, bytes: &[u8], options: &ImportOptions) -> Result<ImportedMap, ImportError> {
        let file = File::decode(bytes)?;
        let outputs: Vec<String> = file.graph().output.iter().map(|output| output.name.clone()).collect();
        let known = |name: &String| match outputs.contains(name) {
            true => Ok(name.clone()),
            false => {
                let outputs = listed(outputs.iter().map(String::as_str));
                Err(ImportError::Output { name: name.clone(), outputs })
            }
        };
        let log_det = options.log_det.as_ref().map(&known).transpose()?;
        let roles = roles(&file, options)?;
        let mut imported = ImportedMap {
            name: name.to_string(),
            d: file.dims.iter().product(),
            output: String::new(),
            log_det,
            roles,
            structure: Structure::Dense,
            domain: options.domain.clone().unwrap_or(Domain::Reals),
            codomain: options.codomain.clone().unwrap_or(Domain::Reals),
            clamped: Vec::new(),
            file: Arc::new(file),
        };
        imported.output = match &options.output {
            Some(name) => known(name)?,
            None => imported.likely_output()?,
        };
        imported.look(options.structure.clone())?;
        Ok(imported)
    }

    /// The first output of as many numbers as the input, other than the log-determinant.
    fn likely_output(&self) -> Result<String, ImportError> {
        let outputs = &self.file.graph().output;
        let candidates: Vec<&ValueInfo> =
            outputs.iter().filter(|output| Some(&output.name) != self.log_det.as_ref()).collect();
        if let [one] = candidates[..] {
            return Ok(one.name.clone());
        }
        let fits = |output: &&&ValueInfo| match sizes(output) {
            Some(sizes) => sizes.iter().map(|size| size.unwrap_or(1)).product::<usize>() == self.d,
            None => false,
        };
        candidates.iter().find(fits).map(|output| output.name.clone()).ok_or_else(|| ImportError::Signature {
            what: format!(
                "none of its outputs ({}) has {} numbers",
                listed(outputs.iter().map(|output| output.name.as_str())),
                self.d
            ),
            advice: "name the output that is the map",
        })
    }

    /// Records once, so that whatever is wrong is told now, and finds the structure.
    fn look(&mut self, structure: Option<Structure>) -> Result<(), ImportError> {
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(self.d));
        let (x, clamped) = self.recorded(z, &self.output)?;
        self.clamped = clamped;
        let shape = |var: Var<'_>| var.len();
        if shape(x) != self.d {
            return Err(ImportError::Signature {
                what: format!(
                    "its input has {} numbers and its output `{}` has {}",
                    self.d,
                    self.output,
                    shape(x)
                ),
                advice: "a bijection has as many outputs as inputs; name the output that is the map",
            });
        }
        let x = reshaped_to_vector(x, self.d);
        if let Some(name) = &self.log_det {
            let (log_det, _) = self.recorded(z, name)?;
            if log_det.len() != 1 {
                return Err(ImportError::Signature {
                    what: format!("its output `{name}` has {} numbers a row", log_det.len()),
                    advice: "ln|det J| is one number a row; sum over the variables before exporting",
                });
            }
        }
        tape.check().map_err(|errors| ImportError::Signature {
            what: errors.to_string(),
            advice: "please report the file: an operator of it was recorded wrongly",
        })?;
        let program = map(&tape, z.id(), x.id());
        self.structure = structure.unwrap_or_else(|| strongest_structure(&tape, &program));
        Ok(())
    }

    /// Records an output of the graph at z, and tells the nodes that may read out of bounds.
    fn recorded<'t>(&self, z: Var<'t>, output: &str) -> Result<(Var<'t>, Vec<String>), ImportError> {
        let (tape, file) = (z.tape(), &self.file);
        let graph = file.graph();
        let (nodes, used) = needed(&graph.node, &[output]);
        let mut values = Values::default();
        // In the order of the file, so that every recording is the same.
        for tensor in graph.initializer.iter().filter(|tensor| used.contains(tensor.name.as_str())) {
            let (name, stored) = (&tensor.name, &file.stored[&tensor.name]);
            let array = match (stored.floats(), self.roles[name]) {
                (Some(numbers), Role::Parameter) => {
                    if let Some(number) = numbers.iter().find(|number| !number.is_finite()) {
                        return Err(ImportError::Data {
                            name: name.clone(),
                            what: format!("{number} is among its numbers"),
                            advice: "only finite numbers can be parameters",
                        });
                    }
                    let init = Init::Values(numbers.to_vec());
                    let parameter = tape.parameter(name, canonical(&stored.dims), init);
                    Array::new(stored.dims.clone(), Elements::Recorded(parameter))
                }
                _ => stored.array(),
            };
            values.insert(name.clone(), array);
        }
        let own = reshaped(z, &file.dims);
        values.insert(file.input.clone(), Array::new(file.dims.clone(), Elements::Recorded(own)));
        let library = file.library();
        run(tape, &library, &nodes, &mut values, ("", 0))?;
        let found = values.get(output).ok_or_else(|| ImportError::Unknown {
            node: output.to_string(),
            operator: "output".to_string(),
            value: output.to_string(),
        })?;
        if !found.is_float() {
            return Err(ImportError::Signature {
                what: format!("its output `{output}` is {}", found.kind()),
                advice: "the map and its log-determinant are floating-point numbers",
            });
        }
        let var = found
            .var(tape)
            .map_err(|what| ImportError::Signature { what, advice: "export finite numbers" })?;
        Ok((var, library.clamped.into_inner().into_iter().collect()))
    }

    /// The same map with every stored tensor a constant: what is proven of it is proven for the numbers of the file.
    ///
    /// # Errors
    /// As [`ImportedMap::from_bytes`]: with numbers known, less may be left to record.
    pub fn with_constants(&self) -> Result<ImportedMap, ImportError> {
        let mut fixed = self.clone();
        fixed.roles.values_mut().for_each(|role| *role = Role::Constant);
        fixed.look(None)?;
        Ok(fixed)
    }

    /// The values of the parameters that the file holds.
    pub fn parameters(&self) -> Parameters {
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(self.d));
        let _ = (self.forward(z), self.log_det(z));
        Parameters::initialise(&tape, 0)
    }

    /// Names, shapes and roles of the stored tensors of floating-point numbers that the map uses, in the order of the file.
    pub fn tensors(&self) -> Vec<(&str, &[usize], Role)> {
        let graph = self.file.graph();
        let outputs: Vec<&str> =
            [Some(&self.output), self.log_det.as_ref()].into_iter().flatten().map(String::as_str).collect();
        let (_, used) = needed(&graph.node, &outputs);
        let tensors = graph.initializer.iter().filter(|tensor| used.contains(tensor.name.as_str()));
        tensors
            .filter_map(|tensor| {
                let stored = &self.file.stored[&tensor.name];
                stored
                    .floats()
                    .map(|_| (tensor.name.as_str(), stored.dims.as_slice(), self.roles[&tensor.name]))
            })
            .collect()
    }

    /// Nodes that read at an index which, by its formula alone, can be out of bounds. The recorded map reads the nearest element
    /// there; a runtime gives no value, so that claims are meant where the index is within bounds.
    pub fn reading_out_of_bounds(&self) -> &[String] {
        &self.clamped
    }

    /// The output that is the map.
    pub fn output(&self) -> &str {
        &self.output
    }

    /// The output that is taken as the graph's own ln|det J|.
    pub fn log_det_output(&self) -> Option<&str> {
        self.log_det.as_deref()
    }

    /// The other outputs.
    pub fn other_outputs(&self) -> Vec<&str> {
        let outputs = self.file.graph().output.iter().map(|output| output.name.as_str());
        outputs.filter(|name| *name != self.output && Some(*name) != self.log_det_output()).collect()
    }

    /// Up to which error the graph's own log-determinant counts as equal: 1e-5 for one that computes with 32 bits, 1e-6 for one
    /// that computes with 64 bits and has numbers of 32 in it (all settings of nodes are of 32, and so are numbers of the code,
    /// which torch.export writes), 1e-9 otherwise. Two ways to one number differ by the rounding of its parts.
    pub fn log_det_tolerance(&self) -> f64 {
        match (self.is_double(), self.has_rounded_numbers()) {
            (false, _) => 1e-5,
            (true, true) => 1e-6,
            (true, false) => 1e-9,
        }
    }

    /// Whether a number that 32 bits do not hold exactly may have been written with 32.
    fn has_rounded_numbers(&self) -> bool {
        let rounded = |value: &f64| (value * 1024.0).fract() != 0.0;
        let in_tensor = |tensor: &Tensor| {
            let single = DataType::try_from(tensor.data_type) == Ok(DataType::Float);
            single
                && stored(tensor, "")
                    .is_ok_and(|stored| stored.floats().is_some_and(|values| values.iter().any(rounded)))
        };
        let in_node = |node: &Node| {
            node.attribute.iter().any(|attribute| {
                rounded(&f64::from(attribute.f))
                    || attribute.floats.iter().any(|value| rounded(&f64::from(*value)))
                    || attribute.t.as_ref().is_some_and(in_tensor)
            })
        };
        let graph = self.file.graph();
        graph.initializer.iter().any(in_tensor)
            || graph
                .node
                .iter()
                .chain(self.file.model.functions.iter().flat_map(|function| &function.node))
                .any(in_node)
    }

    /// Whether the graph computes with 64 bits; its numbers are those of 32 otherwise, which the recording takes as exact.
    pub fn is_double(&self) -> bool {
        self.file.double
    }

    /// Who wrote the file: `pytorch 2.15.0`.
    pub fn producer(&self) -> String {
        let model = &self.file.model;
        format!("{} {}", model.producer_name, model.producer_version).trim().to_string()
    }

    /// Number of nodes of the graph.
    pub fn nodes(&self) -> usize {
        self.file.graph().node.len()
    }
}

/// A node of any shape as the vector of a bijection.
fn reshaped_to_vector(var: Var<'_>, d: usize) -> Var<'_> {
    match var.shape() {
        Shape::Vector(_) => var,
        _ => var.reshape(Shape::Vector(d)),
    }
}

impl Bijection for ImportedMap {
    fn dim(&self) -> usize {
        self.d
    }

    fn structure(&self) -> Structure {
        self.structure.clone()
    }

    fn domain(&self) -> Domain {
        self.domain.clone()
    }

    fn codomain(&self) -> Domain {
        self.codomain.clone()
    }

    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let (x, _) = self.recorded(z, &self.output).expect("it was recorded when the file was read");
        reshaped_to_vector(x, self.d)
    }

    fn log_det<'t>(&self, z: Var<'t>) -> Option<Var<'t>> {
        let name = self.log_det.as_ref()?;
        let (log_det, _) = self.recorded(z, name).expect("it was recorded when the file was read");
        Some(log_det.reshape(Shape::Scalar))
    }

    fn name(&self) -> String {
        self.name.clone()
    }
}

/// The role of each stored tensor.
fn roles(file: &File, options: &ImportOptions) -> Result<HashMap<String, Role>, ImportError> {
    let named = [(&options.parameters, "a parameter"), (&options.constants, "a constant")];
    for (names, role) in named {
        for name in names {
            let known = file.stored.get(name);
            if known.and_then(Stored::floats).is_none() {
                let mut tensors: Vec<&str> = file.stored.keys().map(String::as_str).collect();
                tensors.sort_unstable();
                return Err(ImportError::Tensor {
                    name: name.clone(),
                    role,
                    tensors: listed(tensors.into_iter()),
                });
            }
        }
    }
    let role = |(name, stored): (&String, &Stored)| {
        let looks = match stored.floats() {
            // What torch.export calls so is a number of the code, not of the module.
            _ if name.contains("lifted_tensor") => Role::Constant,
            Some(values) if !stored.dims.is_empty() && values.iter().any(|value| value.fract() != 0.0) => {
                Role::Parameter
            }
            _ => Role::Constant,
        };
        let role = match () {
            () if options.parameters.contains(name) => Role::Parameter,
            () if options.all_constant || options.constants.contains(name) => Role::Constant,
            () => looks,
        };
        (name.clone(), role)
    };
    Ok(file.stored.iter().map(role).collect())
}

/// Sizes of a tensor's axes, `None` where a size is a name; `None` if it is no tensor with a known shape.
fn sizes(value: &ValueInfo) -> Option<Vec<Option<usize>>> {
    let shape = value.r#type.as_ref()?.tensor_type.as_ref()?.shape.as_ref()?;
    let size = |value: &Option<Size>| match value {
        Some(Size::Number(number)) => usize::try_from(*number).ok(),
        _ => None,
    };
    Some(shape.dim.iter().map(|dimension| size(&dimension.value)).collect())
}

/// Names in a message.
fn listed<'a>(names: impl Iterator<Item = &'a str>) -> String {
    let names: Vec<String> = names.map(|name| format!("`{name}`")).collect();
    match names.len() {
        0 => "none".to_string(),
        1..=12 => names.join(", "),
        more => format!("{} and {} others", names[..12].join(", "), more - 12),
    }
}

impl File {
    fn decode(bytes: &[u8]) -> Result<File, ImportError> {
        let model =
            Model::decode(bytes).map_err(|error| ImportError::Format { reason: error.to_string() })?;
        let Some(graph) = &model.graph else {
            let reason = "there is no graph in it".to_string();
            return Err(ImportError::Format { reason });
        };
        let refused = |what: &str, advice| ImportError::Model { what: what.to_string(), advice };
        if !graph.sparse_initializer.is_empty() {
            return Err(refused("the graph has sparse tensors", "store them densely"));
        }
        let own = |domain: &str| matches!(domain, "" | "ai.onnx");
        if !model.opset_import.iter().any(|set| own(&set.domain))
            && graph.node.iter().any(|node| own(&node.domain))
        {
            return Err(refused(
                "the file does not say which version of the operators it uses",
                "write it anew",
            ));
        }
        let mut stored_tensors = HashMap::new();
        for tensor in &graph.initializer {
            stored_tensors.insert(tensor.name.clone(), stored(tensor, &tensor.name)?);
        }
        let inputs: Vec<&ValueInfo> =
            graph.input.iter().filter(|input| !stored_tensors.contains_key(&input.name)).collect();
        let signature = |what: String, advice| ImportError::Signature { what, advice };
        let [input] = inputs[..] else {
            let what = match inputs.len() {
                0 => "it has no input".to_string(),
                n => format!("it has {n} inputs, {}", listed(inputs.iter().map(|input| input.name.as_str()))),
            };
            return Err(signature(what, "export a module of one tensor; hold a context fixed in a wrapper"));
        };
        let kind = input.r#type.as_ref().and_then(|kind| kind.tensor_type.as_ref());
        let double = match kind.map(|kind| DataType::try_from(kind.elem_type)) {
            Some(Ok(DataType::Double)) => true,
            Some(Ok(DataType::Float)) => false,
            _ => {
                let what = format!("its input `{}` is no tensor of float or double numbers", input.name);
                return Err(signature(what, "export a module of one such tensor"));
            }
        };
        let axes = sizes(input).ok_or_else(|| {
            signature(
                format!("the shape of its input `{}` is not known", input.name),
                "export it with an example",
            )
        })?;
        let dims = one_row(&axes).ok_or_else(|| {
            let shown: Vec<String> =
                axes.iter().map(|size| size.map_or("N".to_string(), |size| size.to_string())).collect();
            signature(
                format!("its input `{}` has the shape [{}]", input.name, shown.join(", ")),
                "a row is [d], [1, d] or [N, d] with known d",
            )
        })?;
        let input = input.name.clone();
        Ok(File { input, dims, double, stored: stored_tensors, model })
    }

    fn graph(&self) -> &Graph {
        self.model.graph.as_ref().expect("a file without a graph is refused")
    }

    fn library(&self) -> Library<'_> {
        let functions = self.model.functions.iter();
        let version =
            self.model.opset_import.iter().find(|set| matches!(set.domain.as_str(), "" | "ai.onnx"));
        Library {
            functions: functions
                .map(|function| ((function.domain.as_str(), function.name.as_str()), function))
                .collect(),
            version: version.map_or(0, |set| set.version),
            clamped: RefCell::default(),
            steps: Cell::default(),
        }
    }
}

/// The shape of one row: the first of several axes is the batch's, of size 1 or named.
fn one_row(axes: &[Option<usize>]) -> Option<Vec<usize>> {
    const MOST: usize = 1 << 12;
    let dims: Vec<usize> = match axes {
        [Some(d)] => vec![*d],
        [None | Some(1), rest @ ..] if !rest.is_empty() => {
            [1].into_iter().chain(rest.iter().copied().collect::<Option<Vec<usize>>>()?).collect()
        }
        _ => return None,
    };
    let count = dims.iter().try_fold(1usize, |product, size| product.checked_mul(*size))?;
    (1..=MOST).contains(&count).then_some(dims)
}
