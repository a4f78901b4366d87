//! The text of a module: a function for each layer and direction, and what is made of them.

use std::fmt::Write;

use super::columns::Columns;
use super::error::JaxError;
use super::expression::Expression;
use super::package::{Constants, Package, saved};
use super::statements::{Statements, Taken};
use super::{helpers, noise};
use crate::base::SCOPE;
use crate::bijection::{Domain, InverseWithLogDet, Leaf, forward_with_log_det, inverse_with_log_det, leaves};
use crate::flow::{FittedFlow, elements_outside};
use crate::model::{Encoding, Model};
use crate::sweep::propagate_copies;
use crate::tape::{NodeId, Shape, Subgraph, Tape, Var};

/// Writes a fitted flow as a JAX module.
///
/// # Errors
/// [`JaxError::Operation`] for a layer or base that JAX has no counterpart for, by name; [`JaxError::Bijection`] for a layer
/// without an inverse.
pub fn export(flow: &FittedFlow) -> Result<Package, JaxError> {
    package(&[(1.0, flow)], None)
}

/// Writes a model of a table as a JAX module: of a row of its columns, in their order and in the units of the file, given a
/// context of the given columns in theirs. A category is given by the place of its level, from 0; the module lists them.
///
/// # Errors
/// As [`export`], and [`JaxError::Model`] for a model with categories as a part of its density.
pub fn export_model(model: &Model) -> Result<Package, JaxError> {
    if model.categories().is_some() {
        let problem = "categories are a part of this density, which a JAX module does not have; fit with them as --given";
        return Err(JaxError::Model(problem.to_string()));
    }
    let flows: Vec<(f64, &FittedFlow)> = model.flows().collect();
    package(&flows, Some(model))
}

fn package(flows: &[(f64, &FittedFlow)], model: Option<&Model>) -> Result<Package, JaxError> {
    let columns = model.and_then(Columns::of);
    // Flows have names of their own where there is a function above them.
    let is_whole = flows.len() == 1 && columns.is_none();
    let mut constants = Constants::default();
    let (mut functions, mut parameters) = (String::new(), Vec::new());
    for (k, (_, fitted)) in flows.iter().enumerate() {
        let prefix = if is_whole { String::new() } else { format!("flow_{k}_") };
        let scope = if flows.len() == 1 { String::new() } else { format!("flows.{k}") };
        let part = Part { prefix, scope, fitted, context: fitted.flow().context() > 0 };
        functions += &part.functions(&mut constants)?;
        parameters.push((part.dotted(), fitted.parameters()));
    }
    let first = flows[0].1.flow();
    let has_context = first.context() > 0;
    if !is_whole {
        functions += &whole(flows, has_context, columns.as_ref());
    }
    functions += &losses(has_context);
    let mut module = heading(flows, model);
    module += &helpers::used_by(&functions);
    module += &functions;
    let params = saved(parameters.into_iter());
    Ok(Package { module, params, constants: constants.to_bytes() })
}

/// One flow of a module.
struct Part<'a> {
    /// What names of its functions begin with.
    prefix: String,
    /// What names of its parameters begin with.
    scope: String,
    fitted: &'a FittedFlow,
    context: bool,
}

impl Part<'_> {
    fn dotted(&self) -> String {
        if self.scope.is_empty() { String::new() } else { format!("{}.", self.scope) }
    }

    fn arguments(&self, own: &str) -> String {
        arguments(own, self.context)
    }

    fn functions(&self, constants: &mut Constants) -> Result<String, JaxError> {
        let flow = self.fitted.flow();
        let layers = leaves(flow.bijection());
        let mut text = String::new();
        let mut bounded = Vec::new();
        for (k, leaf) in layers.iter().enumerate() {
            text += &self.forward(k, leaf, constants)?;
            let (inverse, is_bounded) = self.inverse(k, leaf, k + 1 == layers.len(), constants)?;
            text += &inverse;
            bounded.push(is_bounded);
        }
        text += &self.base(constants)?;
        text += &self.log_prob(&bounded, flow.base().support() != Domain::Reals);
        text += &self.sample(layers.len());
        Ok(text)
    }

    /// Records with the names of parameters that the module has.
    fn scoped<T>(&self, tape: &Tape, inner: &str, record: impl FnOnce() -> T) -> T {
        let inner = || if inner.is_empty() { record() } else { tape.scope(inner, record) };
        if self.scope.is_empty() { inner() } else { tape.scope(&self.scope, inner) }
    }

    /// The body of a function of a vector, and of the context if something asks for it.
    fn body(
        &self,
        of: &str,
        (tape, input, letter): (&Tape, NodeId, &str),
        outputs: &[NodeId],
        constants: &mut Constants,
    ) -> Result<(String, Vec<String>), JaxError> {
        let context = tape.declared_context().map(|context| context.id());
        let inputs: Vec<NodeId> = [input].into_iter().chain(context).collect();
        let resolved = propagate_copies(tape, &Subgraph::new(tape, &inputs, outputs));
        let mut given = vec![(input, Expression::atom(letter))];
        given.extend(context.map(|id| (id, Expression::atom("context"))));
        let mut taken = Taken::default();
        let statements = Statements::new(tape, of, constants, &mut taken, 1);
        let (lines, results) = statements.write(&given, &resolved)?;
        Ok((lines.iter().map(|line| format!("{line}\n")).collect(), results))
    }

    fn forward(&self, k: usize, leaf: &Leaf<'_>, constants: &mut Constants) -> Result<String, JaxError> {
        let tape = Tape::new();
        tape.context_by_row();
        let z = tape.input(Shape::Vector(self.fitted.flow().dim()));
        let path = leaf.path().to_string();
        let x = self.scoped(&tape, &path, || forward_with_log_det(leaf.bijection(), z))?.x;
        let (body, results) = self.body(&leaf.name(), (&tape, z.id(), "z"), &[x.id()], constants)?;
        Ok(format!(
            "\n\ndef {}layer_{k}_forward({}):\n    \"\"\"{}: x = f(z).\"\"\"\n{body}    return {}\n",
            self.prefix,
            self.arguments("z"),
            leaf.name(),
            results[0]
        ))
    }

    /// z = f⁻¹(x), ln|det J_f(z)|, and how many elements of x lie outside of the codomain, where it is not ℝᵈ.
    fn inverse(
        &self,
        k: usize,
        leaf: &Leaf<'_>,
        is_last: bool,
        constants: &mut Constants,
    ) -> Result<(String, bool), JaxError> {
        let tape = Tape::new();
        tape.context_by_row();
        let x = tape.input(Shape::Vector(self.fitted.flow().dim()));
        let path = leaf.path().to_string();
        let record = || inverse_with_log_det(leaf.bijection(), x);
        let InverseWithLogDet { z, log_det } = self.scoped(&tape, &path, record)?;
        let outside: Option<Var<'_>> = elements_outside(x, &leaf.bijection().codomain(), is_last);
        let outputs: Vec<NodeId> = [z, log_det].into_iter().chain(outside).map(Var::id).collect();
        let (body, results) = self.body(&leaf.name(), (&tape, x.id(), "x"), &outputs, constants)?;
        let told = match outside {
            Some(_) => "z = f⁻¹(x), ln|det J_f(z)|, and how many elements of x are outside of the codomain",
            None => "z = f⁻¹(x) and ln|det J_f(z)|",
        };
        let text = format!(
            "\n\ndef {}layer_{k}_inverse({}):\n    \"\"\"{}: {told}.\"\"\"\n{body}    return {}\n",
            self.prefix,
            self.arguments("x"),
            leaf.name(),
            results.join(", ")
        );
        Ok((text, outside.is_some()))
    }

    fn base(&self, constants: &mut Constants) -> Result<String, JaxError> {
        let base = self.fitted.flow().base();
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(base.dim()));
        let log_prob = self.scoped(&tape, SCOPE, || base.log_prob(z));
        let outside = elements_outside(z, &base.support(), false);
        let outputs: Vec<NodeId> = [log_prob].into_iter().chain(outside).map(Var::id).collect();
        let (body, results) = self.body(&base.name(), (&tape, z.id(), "z"), &outputs, constants)?;
        let mut text = format!(
            "\n\ndef {}base_log_prob(params, z):\n    \"\"\"{}: ln p(z){}.\"\"\"\n{body}    return {}\n",
            self.prefix,
            base.name(),
            if outside.is_some() { ", and how many elements of z are outside of the support" } else { "" },
            results.join(", ")
        );
        let body = noise::body(base, &self.dotted(), constants)?;
        let _ = write!(
            text,
            "\n\ndef {}base_sample(params, key, n):\n    \"\"\"{}: n draws of z.\"\"\"\n{body}",
            self.prefix,
            base.name()
        );
        Ok(text)
    }

    fn log_prob(&self, bounded: &[bool], base_is_bounded: bool) -> String {
        let prefix = &self.prefix;
        let mut text = format!(
            "\n\ndef {prefix}log_prob({}):\n    \"\"\"ln p(x) = ln p(z) - ln|det J_f(z)| of one row, with z = f⁻¹(x){}.\"\"\"\n",
            self.arguments("x"),
            if bounded.contains(&true) || base_is_bounded { "; -inf outside of the support" } else { "" }
        );
        let mut outside = Vec::new();
        for (k, is_bounded) in bounded.iter().enumerate().rev() {
            let from = if k + 1 == bounded.len() { "x" } else { "z" };
            let third = if *is_bounded { format!(", outside_{k}") } else { String::new() };
            let _ = writeln!(
                text,
                "    z, log_det_{k}{third} = {prefix}layer_{k}_inverse({})",
                self.arguments(from)
            );
            outside.extend(is_bounded.then(|| format!("outside_{k}")));
        }
        let z = if bounded.is_empty() { "x" } else { "z" };
        let second = if base_is_bounded { ", outside" } else { "" };
        let _ = writeln!(text, "    log_base{second} = {prefix}base_log_prob(params, {z})");
        outside.extend(base_is_bounded.then(|| "outside".to_string()));
        let terms: Vec<String> = (0..bounded.len()).map(|k| format!(" - log_det_{k}")).collect();
        let sum = format!("log_base{}", terms.concat());
        let _ = match outside.is_empty() {
            true => writeln!(text, "    return {sum}"),
            false => writeln!(text, "    return jnp.where({} > 0.0, -jnp.inf, {sum})", outside.join(" + ")),
        };
        text
    }

    fn sample(&self, layers: usize) -> String {
        let prefix = &self.prefix;
        let mut text = format!(
            "\n\ndef {prefix}forward({}):\n    \"\"\"x = f(z) of one row.\"\"\"\n    x = z\n",
            self.arguments("z")
        );
        for k in 0..layers {
            let _ = writeln!(text, "    x = {prefix}layer_{k}_forward({})", self.arguments("x"));
        }
        text += "    return x\n";
        let (of, mapped) = match self.context {
            true => (", context", "(None, 0, None)"),
            false => ("", "(None, 0)"),
        };
        let _ = write!(
            text,
            "\n\ndef {prefix}sample(params, key, n{of}):\n    \"\"\"n rows x = f(z) of draws of z.\"\"\"\n    \
             return jax.vmap({prefix}forward, {mapped})(params, {prefix}base_sample(params, key, n){of})\n"
        );
        text
    }
}

fn arguments(own: &str, context: bool) -> String {
    format!("params, {own}{}", if context { ", context" } else { "" })
}

/// The density of a model: of a mixture of flows, or of rows that are not as the flow takes them.
fn whole(flows: &[(f64, &FittedFlow)], context: bool, columns: Option<&Columns>) -> String {
    let arguments = arguments("x", context);
    let (of_rows, of_context) = columns.map_or(("", ""), |own| (&*own.of_rows, &*own.of_context));
    let of = if context { ", context" } else { "" };
    let mut text = columns.map_or(String::new(), |own| own.functions.clone());
    if let [_] = flows {
        let _ = write!(
            text,
            "\n\ndef log_prob({arguments}):\n    \"\"\"ln p(x) of one row.\"\"\"\n{of_rows}    return flow_0_log_prob({arguments})\n\
             \n\ndef sample(params, key, n{of}):\n    \"\"\"n rows.\"\"\"\n{of_context}    return flow_0_sample(params, key, n{of})\n"
        );
        return text;
    }
    let terms: Vec<String> = flows
        .iter()
        .enumerate()
        .filter(|(_, (weight, _))| *weight > 0.0)
        .map(|(k, (weight, _))| format!("        {:?} + flow_{k}_log_prob({arguments}),\n", weight.ln()))
        .collect();
    let weights: Vec<String> = flows.iter().map(|(weight, _)| format!("{weight:?}")).collect();
    let parts: Vec<String> = (0..flows.len())
        .map(|k| format!("        flow_{k}_sample(params, keys[{}], n{of}),\n", k + 1))
        .collect();
    let _ = write!(
        text,
        "\n\ndef log_prob({arguments}):\n    \"\"\"ln p(x) of one row, p the weighted mean of {count} flows.\"\"\"\n{of_rows}    \
         terms = jnp.stack([\n{}    ])\n    return jax.scipy.special.logsumexp(terms)\n\
         \n\ndef sample(params, key, n{of}):\n    \"\"\"n rows, each of one of the flows.\"\"\"\n{of_context}    \
         keys = jax.random.split(key, {})\n    \
         which = jax.random.choice(keys[0], {count}, (n,), p=jnp.array([{}]))\n    \
         rows = jnp.stack([\n{}    ])\n    return rows[which, jnp.arange(n)]\n",
        terms.concat(),
        flows.len() + 1,
        weights.join(", "),
        parts.concat(),
        count = flows.len()
    );
    text
}

fn losses(context: bool) -> String {
    let (of, axes) = if context { (", context", "(None, 0, 0)") } else { ("", "(None, 0)") };
    format!(
        "\n\ndef loss(params, x{of}):\n    \"\"\"The mean of -ln p over rows.\"\"\"\n    \
         return -jnp.mean(jax.vmap(log_prob, {axes})(params, x{of}))\n{}",
        TRAINING
            .replace("x, settings", &format!("x{of}, settings"))
            .replace("(params, x)", &format!("(params, x{of})"))
    )
}

/// Adam as the library's own trainer has it: Kingma and Ba (2015), with decoupled weight decay.
const TRAINING: &str = r#"

def adam_start(params):
    """The state of Adam before the first step."""
    zeros = jax.tree.map(jnp.zeros_like, params)
    return {"count": jnp.zeros((), int), "first": zeros, "second": zeros}


def train_step(params, state, x, settings):
    """One step of Adam on the loss of a batch: new params, new state, the loss before the step.

    settings: learning_rate, and if wanted weight_decay, and clip, the greatest length of the gradient.
    """
    value, gradient = jax.value_and_grad(loss)(params, x)
    length = jnp.sqrt(sum(jnp.sum(g**2) for g in jax.tree.leaves(gradient)))
    scale = jnp.minimum(1.0, settings.get("clip", jnp.inf) / length)
    gradient = jax.tree.map(lambda g: g * scale, gradient)
    count = state["count"] + 1
    first = jax.tree.map(lambda m, g: 0.9 * m + 0.1 * g, state["first"], gradient)
    second = jax.tree.map(lambda v, g: 0.999 * v + 0.001 * g * g, state["second"], gradient)
    rate = settings["learning_rate"]
    keep = 1.0 - rate * settings.get("weight_decay", 0.0)

    def change(p, m, v):
        return keep * p - rate / (1.0 - 0.9**count) * m / (jnp.sqrt(v / (1.0 - 0.999**count)) + 1e-8)

    params = jax.tree.map(change, params, first, second)
    return params, {"count": count, "first": first, "second": second}, value
"#;

fn heading(flows: &[(f64, &FittedFlow)], model: Option<&Model>) -> String {
    let flow = flows[0].1.flow();
    let count = flows.len();
    let (d, context) = (flow.dim(), model.map_or(flow.context(), |model| model.given().len()));
    let (call, mapped) = match context {
        0 => ("(params, x)", "(None, 0)"),
        _ => ("(params, x, context)", "(None, 0, 0)"),
    };
    let of = match count {
        1 => "a normalizing flow".to_string(),
        _ => format!("a mixture of {count} normalizing flows"),
    };
    let mut text = format!(
        "\"\"\"The density of {d} variables by {of}, as pure functions of one row.\n\n\
         Written by pushforward {}. Each layer is x = f(z); its inverse and ln|det J_f(z)| were derived from f.\n\n    \
         params = load_params()\n    \
         jax.vmap(log_prob, {mapped}){call}    # ln p of rows\n    \
         sample(params, jax.random.key(0), 1000{})\n    \
         train_step(params, adam_start(params), x{}, {{\"learning_rate\": 1e-3}})\n\n\
         Numbers are doubles after jax.config.update(\"jax_enable_x64\", True). A batch that is sharded over devices\n\
         (jax.device_put(x, NamedSharding(mesh, PartitionSpec(\"rows\")))) is trained on by all of them.\n\"\"\"\n\n\
         import json\nimport pathlib\n\nimport jax\nimport jax.numpy as jnp\nimport numpy as np\nfrom jax import lax\n\n\
         DIM = {d}\nCONTEXT = {context}\n",
        env!("CARGO_PKG_VERSION"),
        if context > 0 { ", context" } else { "" },
        if context > 0 { ", context" } else { "" },
    );
    if let Some(model) = model {
        text += &of_table(model);
    }
    text + FILES
}

/// A text as Python has it, which reads strings of JSON.
fn quoted(text: &str) -> String {
    serde_json::Value::from(text).to_string()
}

/// The names of the columns, and of the levels of given categories.
fn of_table(model: &Model) -> String {
    let list = |names: Vec<&String>| {
        format!("[{}]", names.into_iter().map(|name| quoted(name)).collect::<Vec<_>>().join(", "))
    };
    let mut text = "# x has these columns, in their units, and ln p is that at x: pushforward score takes the mean over the cell of a rounded\n\
                    # value.\n"
        .to_string();
    let _ = writeln!(text, "COLUMNS = {}", list(model.columns().iter().map(|column| &column.name).collect()));
    if model.given().is_empty() {
        return text;
    }
    text +=
        "# A context has the given columns, in their units; a category is the place of its level, from 0.\n";
    let _ = writeln!(text, "GIVEN = {}", list(model.given().iter().map(|column| &column.name).collect()));
    let levels = model.given().iter().filter_map(|column| match &column.encoding {
        Encoding::OneHot { levels } => {
            Some(format!("{}: {}", quoted(&column.name), list(levels.iter().collect())))
        }
        _ => None,
    });
    let levels: Vec<String> = levels.collect();
    if !levels.is_empty() {
        let _ = writeln!(text, "LEVELS = {{{}}}", levels.join(", "));
    }
    text
}

const FILES: &str = r#"

def _read(path):
    """The tensors of a safetensors file."""
    data = pathlib.Path(path).read_bytes()
    start = 8 + int.from_bytes(data[:8], "little")
    header = json.loads(data[8:start])
    kinds = {"F64": "<f8", "F32": "<f4", "I64": "<i8"}
    tensors = {}
    for name, info in header.items():
        if name != "__metadata__":
            first, last = (start + at for at in info["data_offsets"])
            tensors[name] = np.frombuffer(data[first:last], kinds[info["dtype"]]).reshape(info["shape"])
    return tensors


FOLDER = pathlib.Path(__file__).parent
CONSTANTS = _read(FOLDER / "constants.safetensors")


def load_params(path=FOLDER / "params.safetensors"):
    """The parameters, by name."""
    return {name: jnp.asarray(value) for name, value in _read(path).items()}


def save_params(params, path):
    """Writes parameters as safetensors, for load_params and for pushforward."""
    header, parts, at = {}, [], 0
    for name in sorted(params):
        part = np.asarray(params[name], "<f8")
        header[name] = {"dtype": "F64", "shape": list(part.shape), "data_offsets": [at, at + part.nbytes]}
        parts.append(part.tobytes())
        at += part.nbytes
    head = json.dumps(header).encode()
    head += b" " * (-len(head) % 8)
    pathlib.Path(path).write_bytes(len(head).to_bytes(8, "little") + head + b"".join(parts))
"#;
