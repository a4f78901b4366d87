//! Recording what the nodes of a graph mean, one after another.

use std::cell::{Cell, RefCell};
use std::collections::{BTreeSet, HashMap, HashSet};

use super::array::{Array, Elements};
use super::call::{Call, Result, name};
use super::dims;
use super::error::ImportError;
use super::movement::{concat, split};
use super::operators::apply;
use super::stored::stored;
use crate::onnx::schema::{Attribute, Function, Node, ValueInfo};
use crate::tape::Tape;

/// How deeply functions and branches may be nested.
const DEEPEST: usize = 32;
/// How many nodes may be recorded, those of functions counted at each call.
const LONGEST: usize = 1 << 18;
/// How many elements all values together may have.
const MOST: usize = 1 << 25;

/// The values that are known so far, by name.
#[derive(Clone, Default)]
pub(super) struct Values<'t> {
    tensors: HashMap<String, Array<'t>>,
    /// Lists of tensors, which exporters make of the parts of a split.
    sequences: HashMap<String, Vec<Array<'t>>>,
}

impl<'t> Values<'t> {
    pub fn insert(&mut self, name: String, array: Array<'t>) {
        self.tensors.insert(name, array);
    }

    pub fn get(&self, name: &str) -> Option<&Array<'t>> {
        self.tensors.get(name)
    }
}

/// The functions of a file, by operator set and name, and the version of ONNX's own operators.
pub(super) struct Library<'a> {
    pub functions: HashMap<(&'a str, &'a str), &'a Function>,
    pub version: i64,
    /// Nodes that read at an index which, by its formula alone, can be out of bounds.
    pub clamped: RefCell<BTreeSet<String>>,
    /// Number of nodes recorded so far, those of functions counted at each call.
    pub steps: Cell<usize>,
}

/// The nodes that these values need, of a list in which operands come first, and all values that those use.
pub(super) fn needed<'a>(nodes: &'a [Node], values: &[&'a str]) -> (Vec<&'a Node>, HashSet<&'a str>) {
    let mut wanted: HashSet<&str> = values.iter().copied().collect();
    let mut needed = Vec::new();
    for node in nodes.iter().rev() {
        if node.output.iter().any(|output| !output.is_empty() && wanted.contains(output.as_str())) {
            needed.push(node);
            wanted.extend(operands(node));
        }
    }
    needed.reverse();
    (needed, wanted)
}

/// The values that a node uses, and those that its branches do.
fn operands(node: &Node) -> Vec<&str> {
    let mut found: Vec<&str> = node.input.iter().map(String::as_str).collect();
    let mut branches: Vec<&Node> = branches(node);
    while let Some(inner) = branches.pop() {
        found.extend(inner.input.iter().map(String::as_str));
        branches.extend(self::branches(inner));
    }
    let outputs =
        node.attribute.iter().filter_map(|attribute| attribute.g.as_ref()).flat_map(|graph| &graph.output);
    found.extend(outputs.map(|output| output.name.as_str()));
    found
}

fn branches(node: &Node) -> Vec<&Node> {
    node.attribute.iter().filter_map(|attribute| attribute.g.as_ref()).flat_map(|graph| &graph.node).collect()
}

/// Records nodes, and adds their results to the values.
pub(super) fn run<'t>(
    tape: &'t Tape,
    library: &Library<'_>,
    nodes: &[&Node],
    values: &mut Values<'t>,
    (within, depth): (&str, usize),
) -> Result<()> {
    let mut total: usize = 0;
    for node in nodes {
        let own = name(node);
        let path = if within.is_empty() { own.to_string() } else { format!("{within}/{own}") };
        let results = tape.graph_node(&path, || step(tape, library, node, values, (&path, depth)))?;
        let tensors =
            node.output.iter().filter(|output| !output.is_empty() && !values.sequences.contains_key(*output));
        if results.len() < tensors.count() {
            return Err(ImportError::Node {
                node: path,
                operator: node.op_type.clone(),
                reason: format!("it has {} outputs, of which {} are read", node.output.len(), results.len()),
            });
        }
        for (output, result) in node.output.iter().zip(results) {
            total = total.saturating_add(result.count());
            if total > MOST {
                return Err(ImportError::Node {
                    node: path,
                    operator: node.op_type.clone(),
                    reason: format!(
                        "the graph's values have more than {MOST} elements; export a smaller one"
                    ),
                });
            }
            if !output.is_empty() {
                values.insert(output.clone(), result);
            }
        }
    }
    Ok(())
}

fn step<'t>(
    tape: &'t Tape,
    library: &Library<'_>,
    node: &Node,
    values: &mut Values<'t>,
    (path, depth): (&str, usize),
) -> Result<Vec<Array<'t>>> {
    let operand = |value: &String| -> Result<Option<Array<'t>>> {
        if value.is_empty() {
            return Ok(None);
        }
        if values.sequences.contains_key(value) {
            return Ok(None);
        }
        values.get(value).cloned().map(Some).ok_or_else(|| ImportError::Unknown {
            node: path.to_string(),
            operator: node.op_type.clone(),
            value: value.clone(),
        })
    };
    let operands = node.input.iter().map(operand).collect::<Result<Vec<_>>>()?;
    let call = Call { tape, node, operands, version: library.version, name: path, clamped: &library.clamped };
    library.steps.set(library.steps.get() + 1);
    if library.steps.get() > LONGEST {
        return Err(call.refuse(format!(
            "the graph and its functions make more than {LONGEST} steps; export a smaller one"
        )));
    }
    if depth > DEEPEST {
        return Err(call.refuse(format!("functions or branches are nested more than {DEEPEST} deep")));
    }
    if let Some(function) = library.functions.get(&(node.domain.as_str(), node.op_type.as_str())) {
        return inlined(&call, library, function, depth);
    }
    if !matches!(node.domain.as_str(), "" | "ai.onnx") {
        return Err(call.refuse(format!("it is of the operator set `{}`, not of ONNX's own", node.domain)));
    }
    match node.op_type.as_str() {
        "If" => branch(&call, library, values, depth),
        "SplitToSequence" | "SequenceConstruct" => {
            let parts = match node.op_type.as_str() {
                "SplitToSequence" => split(&call)?,
                _ => call.operands.iter().flatten().cloned().collect(),
            };
            values.sequences.extend(node.output.first().map(|name| (name.clone(), parts)));
            Ok(Vec::new())
        }
        "SequenceAt" => {
            let sequence = node.input.first().and_then(|name| values.sequences.get(name));
            let parts = sequence.ok_or_else(|| call.wrong("its operand is no sequence"))?;
            let &[index] = call.integers(1)? else { return Err(call.wrong("it reads at one index")) };
            let at = dims::axis(index, parts.len());
            let part = at
                .and_then(|at| parts.get(at))
                .ok_or_else(|| call.wrong(format!("there is no part {index}")))?;
            Ok(vec![part.clone()])
        }
        "ConcatFromSequence" => {
            let sequence = node.input.first().and_then(|name| values.sequences.get(name));
            let parts = sequence.ok_or_else(|| call.wrong("its operand is no sequence"))?;
            let operands = parts.iter().cloned().map(Some).collect();
            if call.int("new_axis", 0) != 0 {
                return Err(call.refuse("new_axis; export it as a stack of tensors"));
            }
            concat(&Call { operands, ..call })
        }
        _ => apply(&call),
    }
}

/// Records the body of a function of the file.
fn inlined<'t>(
    call: &Call<'_, 't>,
    library: &Library<'_>,
    function: &Function,
    depth: usize,
) -> Result<Vec<Array<'t>>> {
    let given = |name: &str| -> Option<&Attribute> {
        let own = call.node.attribute.iter().find(|attribute| attribute.name == name);
        own.or_else(|| function.attribute_proto.iter().find(|attribute| attribute.name == name))
    };
    let nodes: Vec<Node> = function
        .node
        .iter()
        .map(|node| {
            let mut node = node.clone();
            node.attribute = std::mem::take(&mut node.attribute)
                .into_iter()
                .filter_map(|attribute| match attribute.ref_attr_name.as_str() {
                    "" => Some(attribute),
                    meant => {
                        given(meant).map(|given| Attribute { name: attribute.name.clone(), ..given.clone() })
                    }
                })
                .collect();
            node
        })
        .collect();
    let mut inner = Values::default();
    for (name, operand) in function.input.iter().zip(&call.operands) {
        if let Some(operand) = operand {
            inner.insert(name.clone(), operand.clone());
        }
    }
    let outputs: Vec<&str> = function.output.iter().map(String::as_str).collect();
    let (nodes, _) = needed(&nodes, &outputs);
    run(call.tape, library, &nodes, &mut inner, (call.name, depth + 1))?;
    let result = |output: &String| {
        inner.get(output).cloned().ok_or_else(|| call.wrong(format!("the function does not give `{output}`")))
    };
    function.output.iter().map(result).collect()
}

/// Records the branch that a known condition takes.
fn branch<'t>(
    call: &Call<'_, 't>,
    library: &Library<'_>,
    values: &mut Values<'t>,
    depth: usize,
) -> Result<Vec<Array<'t>>> {
    let Elements::Truths(holds) = &call.operand(0)?.elements else {
        return Err(call.refuse(
            "which branch is taken depends on the input; write torch.where, so that both are in the graph",
        ));
    };
    let taken = if holds.first() == Some(&true) { "then_branch" } else { "else_branch" };
    let graph = call.setting(taken).and_then(|setting| setting.g.as_ref());
    let graph = graph.ok_or_else(|| call.wrong(format!("it has no {taken}")))?;
    let mut inner = values.clone();
    for tensor in &graph.initializer {
        inner.insert(tensor.name.clone(), stored(tensor, &tensor.name)?.array());
    }
    let nodes: Vec<&Node> = graph.node.iter().collect();
    run(call.tape, library, &nodes, &mut inner, (call.name, depth + 1))?;
    let result = |output: &ValueInfo| {
        inner
            .get(&output.name)
            .cloned()
            .ok_or_else(|| call.wrong(format!("{taken} does not give `{}`", output.name)))
    };
    graph.output.iter().map(result).collect()
}
