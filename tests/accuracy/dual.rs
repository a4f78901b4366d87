//! Evaluates a recorded map with dual numbers in high precision: ln|det ∂x/∂z|.
//!
//! A derivative is stored as its sign and the logarithm of its absolute value, so that sech²(10¹⁰) can be
//! represented. The differentiation rules are implemented here again, in logarithms and from the literature;
//! the library's rules are not used.

use std::collections::HashMap;

use astro_float_num::BigFloat;
use pushforward::tape::{Binary, Choice, Equation, Node, NodeId, Op, Shape, Subgraph, Tape, Unary};

use super::exact::{Exact, less, negative};

/// ±eˡ, or 0.
#[derive(Clone, Debug)]
pub enum Slope {
    Zero,
    Size { negative: bool, log: BigFloat },
}

impl Slope {
    fn negated(self) -> Slope {
        match self {
            Slope::Zero => Slope::Zero,
            Slope::Size { negative, log } => Slope::Size { negative: !negative, log },
        }
    }
}

/// An element and its derivative by every input.
#[derive(Clone, Debug)]
struct Dual {
    value: BigFloat,
    slopes: Vec<Slope>,
}

/// The numbers that a program runs with, as its number type rounds them.
pub struct Setting<'a> {
    pub tape: &'a Tape,
    /// By the number of the declaration.
    pub parameters: Vec<Vec<f64>>,
    /// How a constant is rounded.
    pub rounded: fn(f64) -> f64,
}

/// ln|det J(z)| of x = f(z); `None` where it is -∞, or where an operation has no value, or no reference.
pub fn log_det(
    exact: &mut Exact,
    setting: &Setting<'_>,
    (z, x): (NodeId, NodeId),
    point: &[f64],
) -> Option<BigFloat> {
    let d = point.len();
    let inputs: Vec<Dual> = (0..d)
        .map(|i| {
            let slopes = (0..d).map(|j| match i == j {
                true => Slope::Size { negative: false, log: exact.of(0.0) },
                false => Slope::Zero,
            });
            Dual { value: exact.of(point[i]), slopes: slopes.collect() }
        })
        .collect();
    let known = evaluate(exact, setting, &[(z, inputs)], x, d)?;
    let outputs = &known[&x];
    let rows: Vec<Vec<Slope>> = outputs.iter().map(|dual| dual.slopes.clone()).collect();
    match determinant(exact, &rows, &(0..d).collect::<Vec<_>>())? {
        Slope::Zero => None,
        Slope::Size { log, .. } => Some(log),
    }
}

/// The values of all nodes that `root` needs.
pub fn values(
    exact: &mut Exact,
    setting: &Setting<'_>,
    given: &[(NodeId, Vec<BigFloat>)],
    root: NodeId,
) -> Option<HashMap<NodeId, Vec<BigFloat>>> {
    let dual = |value: &BigFloat| Dual { value: value.clone(), slopes: Vec::new() };
    let given: Vec<(NodeId, Vec<Dual>)> =
        given.iter().map(|(id, values)| (*id, values.iter().map(dual).collect())).collect();
    let known = evaluate(exact, setting, &given, root, 0)?;
    Some(known.into_iter().map(|(id, all)| (id, all.into_iter().map(|dual| dual.value).collect())).collect())
}

fn evaluate(
    exact: &mut Exact,
    setting: &Setting<'_>,
    given: &[(NodeId, Vec<Dual>)],
    root: NodeId,
    d: usize,
) -> Option<HashMap<NodeId, Vec<Dual>>> {
    let inputs: Vec<NodeId> = given.iter().map(|(id, _)| *id).collect();
    let mut known: HashMap<NodeId, Vec<Dual>> = given.iter().cloned().collect();
    for id in Subgraph::new(setting.tape, &inputs, &[root]).nodes() {
        if !known.contains_key(id) {
            let node = setting.tape.node(*id);
            let operands: Vec<&Vec<Dual>> = node.operands.iter().map(|operand| &known[operand]).collect();
            let shapes: Vec<Shape> =
                node.operands.iter().map(|operand| setting.tape.shape(*operand)).collect();
            let value = node_value(exact, setting, &node, &operands, &shapes, d)?;
            if value.iter().any(|dual| dual.value.is_inf()) {
                return None;
            }
            known.insert(*id, value);
        }
    }
    // A branch that is not taken may have no value.
    let defined = known[&root].iter().all(|dual| !dual.value.is_nan());
    defined.then_some(known)
}

/// What has no value.
fn undefined(d: usize) -> Dual {
    Dual { value: astro_float_num::NAN, slopes: vec![Slope::Zero; d] }
}

fn node_value(
    exact: &mut Exact,
    setting: &Setting<'_>,
    node: &Node,
    operands: &[&Vec<Dual>],
    shapes: &[Shape],
    d: usize,
) -> Option<Vec<Dual>> {
    let numbers = |exact: &Exact, values: &[f64]| -> Vec<Dual> {
        let of =
            |value: &f64| Dual { value: exact.of((setting.rounded)(*value)), slopes: vec![Slope::Zero; d] };
        values.iter().map(of).collect()
    };
    let zero = |exact: &Exact| Dual { value: exact.of(0.0), slopes: vec![Slope::Zero; d] };
    let columns = |k: usize| match shapes[k] {
        Shape::Matrix(_, columns) => columns,
        _ => 1,
    };
    Some(match &node.op {
        Op::Constant(data) => numbers(exact, data.values()),
        Op::Parameter(number) => numbers(exact, &setting.parameters[*number as usize]),
        Op::Broadcast => vec![operands[0][0].clone(); node.shape.len()],
        Op::Gather(indices) => indices.iter().map(|i| operands[0][*i as usize].clone()).collect(),
        Op::Concat => operands.iter().flat_map(|operand| operand.iter().cloned()).collect(),
        Op::Transpose => {
            let (width, height) = (columns(0), operands[0].len() / columns(0));
            (0..width * height).map(|e| operands[0][e % height * width + e / height].clone()).collect()
        }
        Op::Scatter(indices) => {
            let mut all = vec![zero(exact); node.shape.len()];
            for (k, place) in indices.iter().enumerate() {
                all[*place as usize] = sum(exact, &all[*place as usize], &operands[0][k])?;
            }
            all
        }
        Op::Sum => vec![total(exact, zero(exact), operands[0].iter())?],
        Op::MatVec | Op::MatMul => {
            let (inner, width) = (columns(0), columns(1));
            let mut all = Vec::new();
            for e in 0..node.shape.len() {
                let mut sum_of = zero(exact);
                for k in 0..inner {
                    let pair = [&operands[0][e / width * inner + k], &operands[1][k * width + e % width]];
                    if !pair.iter().any(|dual| is_zero(dual)) {
                        let product = elementwise(exact, &Op::Binary(Binary::Mul), &pair)?;
                        sum_of = sum(exact, &sum_of, &product)?;
                    }
                }
                all.push(sum_of);
            }
            all
        }
        Op::Outer => {
            let width = operands[1].len();
            let mut all = Vec::new();
            for e in 0..node.shape.len() {
                all.push(elementwise(
                    exact,
                    &Op::Binary(Binary::Mul),
                    &[&operands[0][e / width], &operands[1][e % width]],
                )?);
            }
            all
        }
        // Element after element: after n rounds all of them are known.
        Op::Equation(Equation::Substitution(equation)) => {
            let function = &equation.function;
            let mut z = vec![zero(exact); function.variable().len()];
            for _ in 0..z.len() {
                let mut known: Vec<Vec<Dual>> = vec![z];
                known.extend(operands.iter().map(|operand| (*operand).clone()));
                let first = known.len();
                for node in &function.nodes()[first..] {
                    let operands: Vec<&Vec<Dual>> = node.operands.iter().map(|o| &known[o.index()]).collect();
                    let shape = |o: &NodeId| function.nodes()[o.index()].shape;
                    let shapes: Vec<Shape> = node.operands.iter().map(shape).collect();
                    let value = node_value(exact, setting, node, &operands, &shapes, d)?;
                    known.push(value);
                }
                z = known.swap_remove(function.output().index());
            }
            z
        }
        op if op.is_elementwise() => {
            let mut all = Vec::new();
            for e in 0..node.shape.len() {
                let of: Vec<&Dual> = operands.iter().map(|operand| &operand[e]).collect();
                all.push(elementwise(exact, op, &of)?);
            }
            all
        }
        _ => return None,
    })
}

fn is_zero(dual: &Dual) -> bool {
    dual.value.is_zero() && dual.slopes.iter().all(|slope| matches!(slope, Slope::Zero))
}

fn total<'a>(exact: &mut Exact, zero: Dual, all: impl Iterator<Item = &'a Dual>) -> Option<Dual> {
    let mut result = zero;
    for dual in all {
        result = sum(exact, &result, dual)?;
    }
    Some(result)
}

fn sum(exact: &mut Exact, a: &Dual, b: &Dual) -> Option<Dual> {
    elementwise(exact, &Op::Binary(Binary::Add), &[a, b])
}

/// One element of an elementwise operation, with the chain rule.
fn elementwise(exact: &mut Exact, op: &Op, operands: &[&Dual]) -> Option<Dual> {
    let a = &operands[0].value;
    if let Op::Choice(Choice::Select) = op {
        return Some(operands[if a.is_zero() { 2 } else { 1 }].clone());
    }
    if let Op::Choice(Choice::Min | Choice::Max) = op {
        let first = less(a, &operands[1].value) == (*op == Op::Choice(Choice::Min));
        return Some(operands[usize::from(!first)].clone());
    }
    let b = operands.get(1).map(|b| &b.value);
    let d = operands[0].slopes.len();
    if operands.iter().any(|operand| operand.value.is_nan()) {
        return Some(undefined(d));
    }
    let value = match function(exact, op, a, b) {
        Some(value) => value,
        None if matches!(op, Op::Unary(Unary::Ln | Unary::Ln1p | Unary::Sqrt) | Op::Binary(Binary::Pow)) => {
            return Some(undefined(d));
        }
        None => return None,
    };
    let mut slopes = vec![Slope::Zero; d];
    for (k, operand) in operands.iter().enumerate() {
        if operand.slopes.iter().all(|slope| matches!(slope, Slope::Zero)) {
            continue;
        }
        let partial = partial(exact, op, a, b, &value, k)?;
        for (slope, inner) in slopes.iter_mut().zip(&operand.slopes) {
            let share = times(exact, &partial, inner);
            *slope = plus(exact, std::mem::replace(slope, Slope::Zero), share)?;
        }
    }
    Some(Dual { value, slopes })
}

/// The operation itself.
pub fn function(exact: &mut Exact, op: &Op, a: &BigFloat, b: Option<&BigFloat>) -> Option<BigFloat> {
    let b = || b.expect("two operands");
    let one = exact.of(1.0);
    let condition = |exact: &Exact, holds: bool| exact.of(f64::from(u8::from(holds)));
    Some(match op {
        Op::Unary(Unary::Neg) => a.neg(),
        Op::Unary(Unary::Recip) => exact.div(&one, a)?,
        Op::Unary(Unary::Exp) => exact.exp(a)?,
        Op::Unary(Unary::Ln) => exact.ln(a)?,
        Op::Unary(Unary::ExpM1) => exact.exp_m1(a)?,
        Op::Unary(Unary::Ln1p) => exact.ln_1p(a)?,
        Op::Unary(Unary::Tanh) => exact.tanh(a)?,
        Op::Unary(Unary::SechSquared) => {
            let log = exact.ln_cosh(a)?;
            exact.exp(&exact.mul(&log, &exact.of(-2.0)))?
        }
        Op::Unary(Unary::Sigmoid) => exact.sigmoid(a)?,
        Op::Unary(Unary::Softplus) => exact.softplus(a)?,
        Op::Unary(Unary::Sin) => exact.sin(a),
        Op::Unary(Unary::Cos) => exact.cos(a),
        Op::Unary(Unary::Sqrt) => exact.sqrt(a)?,
        Op::Unary(Unary::Abs) => a.abs(),
        Op::Unary(Unary::Sign) if a.is_zero() => exact.of(0.0),
        Op::Unary(Unary::Sign) => exact.of(if negative(a) { -1.0 } else { 1.0 }),
        Op::Unary(Unary::Erf) => exact.erf(a)?,
        Op::Unary(Unary::Sinh) => exact.sinh(a)?,
        Op::Unary(Unary::Cosh) => {
            let log = exact.ln_cosh(a)?;
            exact.exp(&log)?
        }
        Op::Unary(Unary::Asinh) => exact.asinh(a)?,
        Op::Unary(Unary::AtanPi) => exact.atan_pi(a)?,
        Op::Unary(Unary::NormalCdf) => {
            let log = exact.ln_normal_cdf(a)?;
            exact.exp(&log)?
        }
        Op::Unary(Unary::NormalQuantile) => exact.normal_quantile(a)?,
        Op::Unary(Unary::TanPi) => {
            let pi = exact.pi();
            let angle = exact.mul(&pi, a);
            let (sin, cos) = (exact.sin(&angle), exact.cos(&angle));
            exact.div(&sin, &cos)?
        }
        Op::Unary(Unary::LnNormalCdf) => exact.ln_normal_cdf(a)?,
        Op::Unary(Unary::Powi(k)) => exact.powi(a, *k)?,
        Op::Binary(Binary::Add) => exact.add(a, b()),
        Op::Binary(Binary::Sub) => exact.sub(a, b()),
        Op::Binary(Binary::Mul) => exact.mul(a, b()),
        Op::Binary(Binary::Div) => exact.div(a, b())?,
        Op::Binary(Binary::Pow) => {
            let log = exact.ln(a)?;
            exact.exp(&exact.mul(b(), &log))?
        }
        Op::Binary(Binary::LogAddExp) => {
            let rest = exact.softplus(&exact.sub(a, b()))?;
            exact.add(b(), &rest)
        }
        Op::Binary(Binary::Less) => condition(exact, less(a, b())),
        Op::Binary(Binary::LessEq) => condition(exact, !less(b(), a)),
        _ => return None,
    })
}

/// ∂y/∂operand k of y = op(a, b), as the books have it, in logarithms.
fn partial(
    exact: &mut Exact,
    op: &Op,
    a: &BigFloat,
    b: Option<&BigFloat>,
    y: &BigFloat,
    k: usize,
) -> Option<Slope> {
    let up = |log: BigFloat| Some(Slope::Size { negative: false, log });
    let of = |exact: &mut Exact, value: &BigFloat| size(exact, value);
    let b = || b.expect("two operands");
    let zero = exact.of(0.0);
    match op {
        Op::Unary(Unary::Neg) => Some(Slope::Size { negative: true, log: zero }),
        Op::Binary(Binary::Add) => up(zero),
        Op::Binary(Binary::Sub) => Some(Slope::Size { negative: k == 1, log: zero }),
        Op::Binary(Binary::Mul) => of(exact, if k == 0 { b() } else { a }),
        Op::Binary(Binary::Div) if k == 0 => reciprocal(of(exact, b())?),
        Op::Binary(Binary::Div) => {
            let square = exact.mul(b(), b());
            let ratio = exact.div(a, &square)?;
            of(exact, &ratio.neg())
        }
        Op::Unary(Unary::Recip) => {
            let square = exact.mul(a, a);
            Some(reciprocal(of(exact, &square)?)?.negated())
        }
        Op::Unary(Unary::Exp | Unary::ExpM1) => up(a.clone()),
        Op::Unary(Unary::Ln) => reciprocal(of(exact, a)?),
        Op::Unary(Unary::Ln1p) => {
            let inner = exact.add(a, &exact.of(1.0));
            reciprocal(of(exact, &inner)?)
        }
        // 1/cosh² a
        Op::Unary(Unary::Tanh) => {
            let log = exact.ln_cosh(a)?;
            up(exact.mul(&log, &exact.of(-2.0)))
        }
        // -2·sech² a·tanh a
        Op::Unary(Unary::SechSquared) => {
            let (log, tanh) = (exact.ln_cosh(a)?, exact.tanh(a)?);
            let sech = Slope::Size { negative: true, log: exact.mul(&log, &exact.of(-2.0)) };
            let twice = of(exact, &exact.mul(&tanh, &exact.of(2.0)))?;
            Some(times(exact, &sech, &twice))
        }
        // σ(a)·σ(-a), as 1/(1 + e⁻ᵃ)/(1 + eᵃ)
        Op::Unary(Unary::Sigmoid) => {
            let both = [exact.softplus(a)?, exact.softplus(&a.neg())?];
            up(exact.add(&both[0], &both[1]).neg())
        }
        Op::Unary(Unary::Softplus) => up(exact.softplus(&a.neg())?.neg()),
        Op::Unary(Unary::Sin) => {
            let cos = exact.cos(a);
            of(exact, &cos)
        }
        Op::Unary(Unary::Cos) => {
            let sin = exact.sin(a).neg();
            of(exact, &sin)
        }
        Op::Unary(Unary::Sqrt) => {
            let twice = exact.mul(y, &exact.of(2.0));
            reciprocal(of(exact, &twice)?)
        }
        Op::Unary(Unary::Abs) if a.is_zero() => None,
        Op::Unary(Unary::Abs) => Some(Slope::Size { negative: negative(a), log: zero }),
        Op::Unary(Unary::Sign) | Op::Binary(Binary::Less | Binary::LessEq) => Some(Slope::Zero),
        Op::Unary(Unary::Erf) => {
            let pi = exact.pi();
            let ratio = exact.div(&exact.of(4.0), &pi)?;
            let half_log = exact.ln(&ratio)?;
            let log = exact.mul(&half_log, &exact.of(0.5));
            up(exact.sub(&log, &exact.mul(a, a)))
        }
        Op::Unary(Unary::Sinh) => up(exact.ln_cosh(a)?),
        Op::Unary(Unary::Cosh) => {
            let sinh = exact.sinh(a)?;
            of(exact, &sinh)
        }
        Op::Unary(Unary::Asinh) => {
            let log = exact.ln_1p(&exact.mul(a, a))?;
            up(exact.mul(&log, &exact.of(-0.5)))
        }
        // 1/(π(1 + a²))
        Op::Unary(Unary::AtanPi) => {
            let pi = exact.pi();
            let log = exact.ln(&pi)?;
            let square = exact.mul(a, a);
            let rest = exact.ln_1p(&square)?;
            up(exact.add(&rest, &log).neg())
        }
        // √(2π)·exp(½y²)
        Op::Unary(Unary::NormalQuantile) => {
            let pi = exact.pi();
            let log = exact.ln(&exact.mul(&pi, &exact.of(2.0)))?;
            up(exact.mul(&exact.add(&log, &exact.mul(y, y)), &exact.of(0.5)))
        }
        // π·(1 + y²)
        Op::Unary(Unary::TanPi) => {
            let pi = exact.pi();
            let log = exact.ln(&pi)?;
            let square = exact.mul(y, y);
            let rest = exact.ln_1p(&square)?;
            up(exact.add(&rest, &log))
        }
        Op::Unary(Unary::NormalCdf) => {
            let pi = exact.pi();
            let log = exact.ln(&exact.mul(&pi, &exact.of(2.0)))?;
            up(exact.mul(&exact.add(&log, &exact.mul(a, a)), &exact.of(-0.5)))
        }
        // φ(a)/Φ(a)
        Op::Unary(Unary::LnNormalCdf) => {
            let pi = exact.pi();
            let log = exact.ln(&exact.mul(&pi, &exact.of(2.0)))?;
            let half = exact.mul(&exact.add(&log, &exact.mul(a, a)), &exact.of(-0.5));
            up(exact.sub(&half, y))
        }
        Op::Unary(Unary::Powi(0)) => Some(Slope::Zero),
        Op::Unary(Unary::Powi(n)) => {
            let power = exact.powi(a, n - 1)?;
            of(exact, &exact.mul(&power, &exact.of(f64::from(*n))))
        }
        // σ(a - b) and σ(b - a)
        Op::Binary(Binary::LogAddExp) => {
            let difference = exact.sub(a, b());
            let apart = if k == 0 { difference.neg() } else { difference };
            up(exact.softplus(&apart)?.neg())
        }
        // b·aᵇ⁻¹ and ln a·aᵇ
        Op::Binary(Binary::Pow) => {
            let log = exact.ln(a)?;
            let (factor, exponent) = match k {
                0 => (b().clone(), exact.sub(b(), &exact.of(1.0))),
                _ => (log.clone(), b().clone()),
            };
            let power = Slope::Size { negative: false, log: exact.mul(&exponent, &log) };
            let factor = of(exact, &factor)?;
            Some(times(exact, &factor, &power))
        }
        _ => None,
    }
}

fn size(exact: &mut Exact, value: &BigFloat) -> Option<Slope> {
    if value.is_zero() {
        return Some(Slope::Zero);
    }
    Some(Slope::Size { negative: negative(value), log: exact.ln(&value.abs())? })
}

fn reciprocal(slope: Slope) -> Option<Slope> {
    match slope {
        Slope::Zero => None,
        Slope::Size { negative, log } => Some(Slope::Size { negative, log: log.neg() }),
    }
}

fn times(exact: &Exact, a: &Slope, b: &Slope) -> Slope {
    match (a, b) {
        (Slope::Size { negative: s, log: l }, Slope::Size { negative: t, log: m }) => {
            Slope::Size { negative: s != t, log: exact.add(l, m) }
        }
        _ => Slope::Zero,
    }
}

/// eˡ ± eᵐ = eˡ·(1 ± eᵐ⁻ˡ) with l the larger one.
fn plus(exact: &mut Exact, a: Slope, b: Slope) -> Option<Slope> {
    let (a, b) = match (a, b) {
        (Slope::Zero, other) | (other, Slope::Zero) => return Some(other),
        (Slope::Size { negative: s, log: l }, Slope::Size { negative: t, log: m }) => match less(&l, &m) {
            true => ((t, m), (s, l)),
            false => ((s, l), (t, m)),
        },
    };
    let difference = exact.sub(&b.1, &a.1);
    let log = if a.0 == b.0 {
        let ratio = exact.exp(&difference)?;
        exact.ln_1p(&ratio)?
    } else {
        let gap = exact.exp_m1(&difference)?.neg();
        if gap.is_zero() {
            return Some(Slope::Zero);
        }
        exact.ln(&gap)?
    };
    Some(Slope::Size { negative: a.0, log: exact.add(&a.1, &log) })
}

/// By the first row, of the columns that are left.
fn determinant(exact: &mut Exact, rows: &[Vec<Slope>], columns: &[usize]) -> Option<Slope> {
    let Some((row, rest)) = rows.split_first() else {
        return Some(Slope::Size { negative: false, log: exact.of(0.0) });
    };
    let mut result = Slope::Zero;
    for (k, column) in columns.iter().enumerate() {
        if matches!(row[*column], Slope::Zero) {
            continue;
        }
        let others: Vec<usize> = columns.iter().copied().filter(|other| other != column).collect();
        let minor = determinant(exact, rest, &others)?;
        let share = times(exact, &row[*column], &minor);
        result = plus(exact, result, if k % 2 == 0 { share } else { share.negated() })?;
    }
    Some(result)
}
