//! The render sweep: a program as formulas in text.
//!
//! Precedence decides where brackets are needed; indices are printed as subscripts and count from 1, as in
//! printed mathematics. Text is built bottom-up, node by node, so nothing recurses. An expression that recurs
//! or grows long is given a name of its own (`h₁ = …`), so the text of a program is as long as the program,
//! however often its parts are shared.

use std::collections::HashMap;

use crate::tape::{Cut, Function, Node, NodeId, Op, Shape, Tape};

/// Names for nodes that are not to be written out: the input z, the output of an earlier layer.
#[derive(Clone, Debug, Default)]
pub struct Names {
    given: HashMap<NodeId, String>,
}

impl Names {
    /// No names yet.
    pub fn new() -> Names {
        Names::default()
    }

    /// The same with one name more.
    pub fn with(mut self, node: NodeId, name: &str) -> Names {
        self.given.insert(node, name.to_string());
        self
    }
}

/// How long the text of a shared expression may be before it gets a name.
const SHARED: usize = 12;
/// How long any expression may be before it gets a name.
const LONGEST: usize = 160;

/// One node as a formula, everything written out as far as it stays readable; definitions that became
/// necessary are appended after `where`.
pub fn render(tape: &Tape, node: NodeId, names: &Names) -> String {
    let inputs: Vec<NodeId> = names.given.keys().copied().collect();
    let cut = Cut::new(tape, &inputs, &[node]);
    let mut writer =
        Writer { tape, names, texts: HashMap::new(), definitions: Vec::new(), share: usize::MAX };
    writer.write(&cut);
    let text = writer.texts[&node].text.clone();
    match writer.definitions.len() {
        0 => text,
        _ => format!("{text}\n  where {}", writer.definitions.join("\n        ")),
    }
}

/// A program line by line: definitions of shared expressions first, then `name = formula` for each output.
pub fn render_program(tape: &Tape, outputs: &[(&str, NodeId)], names: &Names) -> Vec<String> {
    let inputs: Vec<NodeId> = names.given.keys().copied().collect();
    let wanted: Vec<NodeId> = outputs.iter().map(|(_, id)| *id).collect();
    let cut = Cut::new(tape, &inputs, &wanted);
    let mut writer = Writer { tape, names, texts: HashMap::new(), definitions: Vec::new(), share: SHARED };
    writer.write(&cut);
    let mut lines = std::mem::take(&mut writer.definitions);
    for (name, id) in outputs {
        match tape.look(*id, |node| (node.op == Op::Concat).then(|| node.operands.clone())) {
            // A stack of scalars is a column of equations.
            Some(parts) if parts.len() > 1 && parts.iter().all(|p| tape.shape(*p) == Shape::Scalar) => {
                for (k, part) in parts.iter().enumerate() {
                    lines.push(format!("{name}{} = {}", subscript(k + 1), writer.texts[part].text));
                }
            }
            _ => lines.push(format!("{name} = {}", writer.texts[id].text)),
        }
    }
    lines
}

/// Digits below the line: `12` as `₁₂`.
pub(crate) fn subscript(number: usize) -> String {
    number
        .to_string()
        .bytes()
        .map(|digit| char::from_u32(0x2080 + u32::from(digit - b'0')).unwrap())
        .collect()
}

/// Digits above the line: `-12` as `⁻¹²`.
pub(crate) fn superscript(number: i32) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    let sign = if number < 0 { "⁻" } else { "" };
    let digits: String =
        number.unsigned_abs().to_string().bytes().map(|digit| DIGITS[usize::from(digit - b'0')]).collect();
    format!("{sign}{digits}")
}

/// How tightly the outermost operation binds.
#[derive(Clone, Copy, Debug, PartialEq, PartialOrd)]
enum Binding {
    Choice,
    Sum,
    Product,
    Power,
    Atom,
}

#[derive(Clone, Debug)]
struct Text {
    text: String,
    binding: Binding,
}

impl Text {
    fn new(text: impl Into<String>, binding: Binding) -> Text {
        Text { text: text.into(), binding }
    }

    /// The text, in brackets if it binds less than is needed.
    fn within(&self, needed: Binding) -> String {
        if self.binding < needed { format!("({})", self.text) } else { self.text.clone() }
    }
}

struct Writer<'a> {
    tape: &'a Tape,
    names: &'a Names,
    texts: HashMap<NodeId, Text>,
    definitions: Vec<String>,
    share: usize,
}

impl Writer<'_> {
    fn write(&mut self, cut: &Cut) {
        let mut uses: HashMap<NodeId, usize> = HashMap::new();
        for id in cut.nodes().iter().filter(|id| !cut.is_input(**id)) {
            for operand in self.tape.node(*id).operands {
                *uses.entry(operand).or_default() += 1;
            }
        }
        for id in cut.nodes() {
            if let Some(name) = self.names.given.get(id) {
                self.texts.insert(*id, Text::new(name.clone(), Binding::Atom));
                continue;
            }
            let node = self.tape.node(*id);
            let mut text = self.node(&node);
            let length = text.text.chars().count();
            let shared = uses.get(id).copied().unwrap_or(0) > 1 && length > self.share;
            let moves = matches!(node.op, Op::Broadcast | Op::Gather(_));
            if (shared || length > LONGEST) && !cut.outputs().contains(id) && !moves {
                let name = format!("h{}", subscript(self.definitions.len() + 1));
                self.definitions.push(format!("{name} = {}", text.text));
                text = Text::new(name, Binding::Atom);
            }
            self.texts.insert(*id, text);
        }
    }

    fn node(&self, node: &Node) -> Text {
        use Binding::{Atom, Choice, Power, Product, Sum};
        let of = |k: usize| &self.texts[&node.operands[k]];
        let call = |name: &str| {
            let arguments: Vec<&str> =
                node.operands.iter().map(|operand| self.texts[operand].text.as_str()).collect();
            Text::new(format!("{name}({})", arguments.join(", ")), Atom)
        };
        let negated = |k: usize| {
            self.tape.look(node.operands[k], |other| {
                (other.op == Op::Neg).then(|| self.texts[&other.operands[0]].clone())
            })
        };
        match &node.op {
            Op::Input(number) => Text::new(format!("input{}", subscript(*number as usize + 1)), Atom),
            Op::Parameter(number) => Text::new(self.tape.declarations()[*number as usize].name.clone(), Atom),
            Op::Constant(data) => constant(data.values(), node.shape),
            Op::Neg => Text::new(format!("-{}", of(0).within(Product)), Sum),
            Op::Recip => Text::new(format!("1/{}", of(0).within(Power)), Product),
            Op::Exp => call("exp"),
            Op::Ln => match self.tape.look(node.operands[0], |a| a.op == Op::Abs) {
                true => Text::new(format!("ln{}", of(0).text), Atom),
                false => call("ln"),
            },
            Op::ExpM1 => call("expm1"),
            Op::Ln1p => call("log1p"),
            Op::Tanh => call("tanh"),
            Op::Sigmoid => call("σ"),
            Op::Softplus => call("softplus"),
            Op::Sin => call("sin"),
            Op::Cos => call("cos"),
            Op::Sqrt => Text::new(format!("√{}", of(0).within(Atom)), Power),
            Op::Abs => Text::new(format!("|{}|", of(0).text), Atom),
            Op::Sign => call("sign"),
            Op::Erf => call("erf"),
            Op::Sinh => call("sinh"),
            Op::Cosh => call("cosh"),
            Op::Asinh => call("asinh"),
            Op::LnNormalCdf => call("lnΦ"),
            Op::LnGamma => call("lnΓ"),
            Op::Polygamma(0) => call("ψ"),
            Op::Polygamma(n) => call(&format!("ψ⁽{}⁾", superscript(*n as i32))),
            Op::Powi(n) => Text::new(format!("{}{}", of(0).within(Atom), superscript(*n)), Power),
            Op::Add => match negated(1) {
                Some(b) => Text::new(format!("{} - {}", of(0).within(Sum), b.within(Product)), Sum),
                None => Text::new(format!("{} + {}", of(0).within(Sum), of(1).within(Sum)), Sum),
            },
            Op::Sub => Text::new(format!("{} - {}", of(0).within(Sum), of(1).within(Product)), Sum),
            Op::Mul if node.operands[0] == node.operands[1] => {
                Text::new(format!("{}²", of(0).within(Atom)), Power)
            }
            Op::Mul => {
                let sign = if self.both_tensors(node) { "⊙" } else { "·" };
                Text::new(format!("{}{sign}{}", of(0).within(Product), of(1).within(Product)), Product)
            }
            Op::Div => Text::new(format!("{}/{}", of(0).within(Product), of(1).within(Power)), Product),
            Op::Pow => Text::new(format!("{}^{}", of(0).within(Atom), of(1).within(Atom)), Power),
            Op::Min => call("min"),
            Op::Max => call("max"),
            Op::Less => Text::new(format!("{} < {}", of(0).within(Sum), of(1).within(Sum)), Choice),
            Op::LessEq => Text::new(format!("{} ≤ {}", of(0).within(Sum), of(1).within(Sum)), Choice),
            Op::Select => {
                let text = format!("{{{} if {}, else {}}}", of(1).text, of(0).text, of(2).text);
                Text::new(text, Atom)
            }
            Op::Broadcast => of(0).clone(),
            Op::Sum => Text::new(format!("Σ {}", of(0).within(Power)), Product),
            Op::Gather(indices) => Text::new(picked(&of(0).within(Atom), indices, node.shape), Atom),
            Op::Scatter(indices) => {
                Text::new(format!("scatter({} → {})", of(0).text, positions(indices)), Atom)
            }
            Op::Concat => call(""),
            Op::Transpose => Text::new(format!("{}ᵀ", of(0).within(Atom)), Power),
            Op::MatVec | Op::MatMul => {
                Text::new(format!("{}·{}", of(0).within(Power), of(1).within(Power)), Product)
            }
            Op::Outer => Text::new(format!("{}·{}ᵀ", of(0).within(Product), of(1).within(Atom)), Product),
            Op::LogAbsDet => Text::new(format!("ln|det {}|", of(0).within(Power)), Atom),
            Op::Inverse => Text::new(format!("{}⁻¹", of(0).within(Atom)), Power),
            Op::Substitution(equation) => {
                Text::new(format!("solve(ζ = {})", self.function(&equation.function, node)), Atom)
            }
            Op::Root(equation) => {
                Text::new(format!("solve({} = 0)", self.function(&equation.function, node)), Atom)
            }
        }
    }

    /// What an equation says of its unknown ζ.
    fn function(&self, function: &Function, node: &Node) -> String {
        let (tape, inputs, output) = function.tape();
        let captured = node.operands.iter().map(|operand| self.texts[operand].within(Binding::Atom));
        let names = [String::from("ζ")].into_iter().chain(captured);
        let names =
            inputs.iter().zip(names).fold(Names::new(), |names, (input, name)| names.with(*input, &name));
        render(&tape, output, &names)
    }

    /// Whether a product is of two vectors or matrices, and not of a number repeated.
    fn both_tensors(&self, node: &Node) -> bool {
        node.shape != Shape::Scalar
            && node.operands.iter().all(|o| self.tape.look(*o, |operand| operand.op != Op::Broadcast))
    }
}

fn constant(values: &[f64], shape: Shape) -> Text {
    let shown = |value: &f64| format!("{value}");
    match shape {
        Shape::Scalar => {
            let binding = if values[0] < 0.0 { Binding::Sum } else { Binding::Atom };
            Text::new(shown(&values[0]), binding)
        }
        Shape::Vector(n) if n <= 6 => {
            let list: Vec<String> = values.iter().map(shown).collect();
            Text::new(format!("({})", list.join(", ")), Binding::Atom)
        }
        Shape::Matrix(_, columns) if values.len() <= 16 && columns > 0 => {
            let rows: Vec<String> = values
                .chunks(columns)
                .map(|row| row.iter().map(shown).collect::<Vec<_>>().join(", "))
                .collect();
            Text::new(format!("[{}]", rows.join("; ")), Binding::Atom)
        }
        _ => Text::new(format!("constant{shape}"), Binding::Atom),
    }
}

/// One element as a subscript, several as a range or a list; indices count from 1.
fn picked(text: &str, indices: &[u32], shape: Shape) -> String {
    match (shape, indices) {
        (Shape::Scalar, [index]) => {
            let index = subscript(*index as usize + 1);
            // `h₁` already ends in a subscript: a second one would read as one number.
            if text.ends_with(|c: char| ('₀'..='₉').contains(&c)) {
                format!("({text}){index}")
            } else {
                format!("{text}{index}")
            }
        }
        _ => format!("{text}{}", positions(indices)),
    }
}

fn positions(indices: &[u32]) -> String {
    let consecutive = indices.windows(2).all(|pair| pair[1] == pair[0] + 1);
    match indices {
        [] => "[]".to_string(),
        [only] => format!("[{}]", only + 1),
        [first, .., last] if consecutive => format!("[{}‥{}]", first + 1, last + 1),
        _ => {
            let list: Vec<String> = indices.iter().take(8).map(|index| (index + 1).to_string()).collect();
            let more = if indices.len() > 8 { ", …" } else { "" };
            format!("[{}{more}]", list.join(", "))
        }
    }
}
