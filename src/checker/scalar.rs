//! A program as scalars: every element of every node is an expression of elements of the inputs and parameters.
//!
//! What moves data, sums and matrix products are written out, so that each question is asked of scalar functions only.
//! Equal expressions are one scalar, and operands have smaller numbers than what uses them: a question is answered by
//! one pass in the order of the numbers. An element that is the constant 0 (of either sign) makes a product 0,
//! whatever the other factor is, as it does in the executor; an equation z = G(z) is solved by writing out its elements
//! in their order.

use std::collections::HashSet;
use std::rc::Rc;

use indexmap::IndexSet;

use super::Rejection;
use super::text::{Node, Op, Program};

/// The number of a scalar.
pub(super) type Id = u32;

/// How many scalars a certificate may be written out to.
const MOST: usize = 8_000_000;

/// A function of one to three scalars.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub(super) enum Function {
    Neg,
    Recip,
    Exp,
    Ln,
    ExpM1,
    Ln1p,
    Tanh,
    Sech2,
    Sigmoid,
    Softplus,
    Sin,
    Cos,
    Sqrt,
    Abs,
    Sign,
    Erf,
    Sinh,
    Cosh,
    Asinh,
    AsinhSlope,
    LnNormalCdf,
    InverseMills(u32),
    LnGamma,
    Polygamma(u32),
    Powi(i32),
    Add,
    Sub,
    Mul,
    Div,
    Pow,
    Min,
    Max,
    Less,
    LessEq,
    Select,
}

impl Function {
    pub fn named(name: &str, extra: &[&str]) -> Option<Function> {
        use Function as F;
        Some(match name {
            "neg" => F::Neg,
            "recip" => F::Recip,
            "exp" => F::Exp,
            "ln" => F::Ln,
            "exp_m1" => F::ExpM1,
            "ln_1p" => F::Ln1p,
            "tanh" => F::Tanh,
            "sech_squared" => F::Sech2,
            "sigmoid" => F::Sigmoid,
            "softplus" => F::Softplus,
            "sin" => F::Sin,
            "cos" => F::Cos,
            "sqrt" => F::Sqrt,
            "abs" => F::Abs,
            "sign" => F::Sign,
            "erf" => F::Erf,
            "sinh" => F::Sinh,
            "cosh" => F::Cosh,
            "asinh" => F::Asinh,
            "ln_normal_cdf" => F::LnNormalCdf,
            "asinh_slope" => F::AsinhSlope,
            "inverse_mills" => F::InverseMills(extra.first()?.parse().ok()?),
            "ln_gamma" => F::LnGamma,
            "polygamma" => F::Polygamma(extra.first()?.parse().ok()?),
            "powi" => F::Powi(extra.first()?.parse().ok()?),
            "add" => F::Add,
            "sub" => F::Sub,
            "mul" => F::Mul,
            "div" => F::Div,
            "pow" => F::Pow,
            "min" => F::Min,
            "max" => F::Max,
            "less" => F::Less,
            "less_eq" => F::LessEq,
            "select" => F::Select,
            _ => return None,
        })
    }

    fn arity(self) -> usize {
        use Function as F;
        match self {
            F::Add | F::Sub | F::Mul | F::Div | F::Pow | F::Min | F::Max | F::Less | F::LessEq => 2,
            F::Select => 3,
            _ => 1,
        }
    }
}

/// An expression.
#[derive(Clone, Debug, PartialEq, Eq, Hash)]
pub(super) enum Scalar {
    /// An element of the input.
    Input(usize),
    /// A variable of a claim's own: the unknown of an equation, or a distance.
    Letter(usize),
    Parameter(Rc<str>, usize),
    /// A number, by its bits.
    Number(u64),
    /// 2/√π, the slope of erf at 0.
    TwoOverRootPi,
    Apply(Function, Vec<Id>),
    Sum(Vec<Id>),
    /// Element i of the v with A v = b.
    Solve(Rc<[Id]>, Rc<[Id]>, usize),
    /// An element of the inverse of a matrix.
    Inverse(Rc<[Id]>, usize),
    LogAbsDet(Rc<[Id]>),
    /// The letter at which the body is 0, and the bits of the ends between which it lies.
    Root {
        body: Id,
        letter: Id,
        ends: [u64; 2],
    },
}

impl Scalar {
    pub fn operands(&self) -> Vec<Id> {
        match self {
            Scalar::Input(_) | Scalar::Letter(_) | Scalar::Parameter(..) => Vec::new(),
            Scalar::Number(_) | Scalar::TwoOverRootPi => Vec::new(),
            Scalar::Apply(_, operands) | Scalar::Sum(operands) => operands.clone(),
            Scalar::Solve(matrix, right, _) => matrix.iter().chain(right.iter()).copied().collect(),
            Scalar::Inverse(matrix, _) | Scalar::LogAbsDet(matrix) => matrix.to_vec(),
            Scalar::Root { body, letter, .. } => vec![*letter, *body],
        }
    }

    /// The same with other operands.
    fn with(&self, of: impl Fn(Id) -> Id) -> Scalar {
        let all = |ids: &[Id]| ids.iter().map(|id| of(*id)).collect::<Vec<_>>();
        match self {
            Scalar::Apply(function, operands) => Scalar::Apply(*function, all(operands)),
            Scalar::Sum(operands) => Scalar::Sum(all(operands)),
            Scalar::Solve(matrix, right, i) => Scalar::Solve(all(matrix).into(), all(right).into(), *i),
            Scalar::Inverse(matrix, i) => Scalar::Inverse(all(matrix).into(), *i),
            Scalar::LogAbsDet(matrix) => Scalar::LogAbsDet(all(matrix).into()),
            Scalar::Root { body, letter, ends } => {
                Scalar::Root { body: of(*body), letter: of(*letter), ends: *ends }
            }
            leaf => leaf.clone(),
        }
    }
}

/// All scalars of a certificate.
#[derive(Default)]
pub(super) struct Scalars {
    all: IndexSet<Scalar>,
    letters: usize,
}

impl Scalars {
    pub fn get(&self, id: Id) -> &Scalar {
        &self.all[id as usize]
    }

    pub fn push(&mut self, scalar: Scalar) -> Id {
        self.all.insert_full(scalar).0 as Id
    }

    pub fn number(&mut self, value: f64) -> Id {
        // -0 is 0 to the reals.
        self.push(Scalar::Number((value + 0.0).to_bits()))
    }

    pub fn letter(&mut self) -> Id {
        self.letters += 1;
        self.push(Scalar::Letter(self.letters))
    }

    pub fn value(&self, id: Id) -> Option<f64> {
        match self.get(id) {
            Scalar::Number(bits) => Some(f64::from_bits(*bits)),
            _ => None,
        }
    }

    pub fn apply(&mut self, function: Function, operands: &[Id]) -> Id {
        if self.is_zero_of(function, operands) {
            return self.number(0.0);
        }
        // 0 is nothing to add.
        if let (Function::Add, [a, b]) = (function, operands) {
            match (self.value(*a), self.value(*b)) {
                (Some(0.0), _) => return *b,
                (_, Some(0.0)) => return *a,
                _ => {}
            }
        }
        // The branch that is not taken is not looked at.
        if function == Function::Select
            && let Some(condition) = self.value(operands[0])
        {
            return operands[if condition == 0.0 { 2 } else { 1 }];
        }
        self.push(Scalar::Apply(function, operands.to_vec()))
    }

    /// Whether a result is 0 since operands are the constant 0. A product is, whatever the other factor.
    fn is_zero_of(&self, function: Function, operands: &[Id]) -> bool {
        use Function as F;
        let zero = |k: usize| self.value(operands[k]) == Some(0.0);
        match function {
            F::Mul => zero(0) || zero(1),
            F::Add | F::Sub | F::Min | F::Max => zero(0) && zero(1),
            F::Select => zero(1) && zero(2),
            F::Div => zero(0) && self.value(operands[1]).is_some_and(|value| value != 0.0),
            F::Powi(n) => n > 0 && zero(0),
            F::Neg | F::ExpM1 | F::Ln1p | F::Tanh | F::Sin | F::Sqrt | F::Abs | F::Sign => zero(0),
            F::Erf | F::Sinh | F::Asinh => zero(0),
            _ => false,
        }
    }

    /// The scalars that some need, operands first; what `stop` says is left out, with all that only it needs.
    pub fn order(&self, roots: &[Id], stop: impl Fn(Id) -> bool) -> Vec<Id> {
        let mut seen = HashSet::new();
        let mut stack: Vec<Id> = roots.to_vec();
        while let Some(id) = stack.pop() {
            if !stop(id) && seen.insert(id) {
                stack.extend(self.get(id).operands());
            }
        }
        let mut order: Vec<Id> = seen.into_iter().collect();
        order.sort_unstable();
        order
    }

    /// The same expression with some scalars replaced by others.
    pub fn replaced(&mut self, root: Id, by: &std::collections::HashMap<Id, Id>) -> Id {
        let mut new = by.clone();
        for id in self.order(&[root], |id| by.contains_key(&id)) {
            let scalar = self.get(id).clone();
            let changed =
                scalar.operands().iter().any(|operand| new.get(operand).is_some_and(|n| n != operand));
            let again = match changed {
                true => match scalar.with(|operand| new.get(&operand).copied().unwrap_or(operand)) {
                    Scalar::Apply(function, operands) => self.apply(function, &operands),
                    other => self.push(other),
                },
                false => id,
            };
            new.insert(id, again);
        }
        new[&root]
    }

    /// The elements of a program's result, its inputs being these.
    pub fn results(&mut self, program: &Program, inputs: &[Vec<Id>]) -> Result<Vec<Id>, Rejection> {
        let given: Vec<Vec<Option<Id>>> =
            inputs.iter().map(|input| input.iter().copied().map(Some).collect()).collect();
        let mut values: Vec<Vec<Option<Id>>> =
            program.nodes.iter().map(|node| vec![None; node.len()]).collect();
        self.fill(program, &given, &mut values)?;
        let result = values.swap_remove(program.result);
        result.into_iter().collect::<Option<_>>().ok_or_else(|| Rejection::new("a result needs itself"))
    }

    /// Writes out every element whose operands are known.
    fn fill(
        &mut self,
        program: &Program,
        inputs: &[Vec<Option<Id>>],
        values: &mut [Vec<Option<Id>>],
    ) -> Result<(), Rejection> {
        for (index, node) in program.nodes.iter().enumerate() {
            let (known, rest) = values.split_at_mut(index);
            let own = &mut rest[0];
            if own.iter().all(Option::is_some) {
                continue;
            }
            if self.all.len() > MOST {
                return Err(Rejection::new(format!(
                    "written out, the programs have more than {MOST} elements"
                )));
            }
            let operands: Vec<(&Node, &[Option<Id>])> =
                node.operands.iter().map(|k| (&program.nodes[*k], known[*k].as_slice())).collect();
            // A matrix applied to its own inverse's argument is kept as a system of equations.
            let solves = match (&node.op, node.operands.first()) {
                (Op::Product, Some(first)) => match &program.nodes[*first].op {
                    Op::Inverse if node.columns == 1 => {
                        Some(known[program.nodes[*first].operands[0]].clone())
                    }
                    _ => None,
                },
                _ => None,
            };
            self.node(node, &operands, inputs, solves, own).ok_or_else(|| {
                Rejection::new(format!("node n{index}: its shapes or numbers do not fit"))
            })??;
        }
        Ok(())
    }

    /// The elements of one node; `None` where shapes or indices do not fit.
    fn node(
        &mut self,
        node: &Node,
        operands: &[(&Node, &[Option<Id>])],
        inputs: &[Vec<Option<Id>>],
        solves: Option<Vec<Option<Id>>>,
        own: &mut [Option<Id>],
    ) -> Option<Result<(), Rejection>> {
        let len = own.len();
        let of = |k: usize| operands.get(k).map(|(_, elements)| *elements);
        let whole = |elements: &[Option<Id>]| elements.iter().copied().collect::<Option<Vec<Id>>>();
        match &node.op {
            Op::Input(k) => own.copy_from_slice(inputs.get(*k).filter(|input| input.len() == len)?),
            Op::Parameter(name) => {
                for (e, own) in own.iter_mut().enumerate() {
                    *own = Some(self.push(Scalar::Parameter(name.clone(), e)));
                }
            }
            Op::Constant(data) if data.len() == len => {
                for (own, value) in own.iter_mut().zip(data) {
                    *own = Some(self.number(*value));
                }
            }
            Op::Constant(_) => return None,
            Op::Elementwise(function) => {
                if operands.len() != function.arity() || operands.iter().any(|(_, e)| e.len() != len) {
                    return None;
                }
                for (e, own) in own.iter_mut().enumerate().filter(|(_, own)| own.is_none()) {
                    *own = self.element(*function, operands, e);
                }
            }
            Op::Broadcast => {
                let [one] = of(0)? else { return None };
                own.fill(*one);
            }
            Op::Sum => {
                let [own] = own else { return None };
                *own = whole(of(0)?).map(|terms| self.sum(terms));
            }
            Op::Gather(indices) if indices.len() == len => {
                for (own, index) in own.iter_mut().zip(indices) {
                    *own = *of(0)?.get(*index)?;
                }
            }
            Op::Scatter(indices) if indices.len() == of(0)?.len() => {
                let mut terms: Vec<Vec<Option<Id>>> = vec![Vec::new(); len];
                for (index, element) in indices.iter().zip(of(0)?) {
                    terms.get_mut(*index)?.push(*element);
                }
                for (own, terms) in own.iter_mut().zip(terms) {
                    *own = whole(&terms).map(|terms| self.sum(terms));
                }
            }
            Op::Gather(_) | Op::Scatter(_) => return None,
            Op::Concat => {
                let all: Vec<Option<Id>> = operands.iter().flat_map(|(_, e)| e.iter().copied()).collect();
                if all.len() != len {
                    return None;
                }
                own.copy_from_slice(&all);
            }
            Op::Transpose => {
                let (from, elements) = operands.first()?;
                if (from.rows, from.columns) != (node.columns, node.rows) {
                    return None;
                }
                for (e, own) in own.iter_mut().enumerate() {
                    *own = elements[(e % node.columns) * from.columns + e / node.columns];
                }
            }
            Op::Product => {
                let [(left, a), (right, b)] = operands else { return None };
                if left.columns != right.rows || (node.rows, node.columns) != (left.rows, right.columns) {
                    return None;
                }
                if let Some(matrix) = solves {
                    if let (Some(matrix), Some(right)) = (whole(&matrix), whole(b)) {
                        let (matrix, right): (Rc<[Id]>, Rc<[Id]>) = (matrix.into(), right.into());
                        for (i, own) in own.iter_mut().enumerate() {
                            *own = Some(self.push(Scalar::Solve(matrix.clone(), right.clone(), i)));
                        }
                    }
                    return Some(Ok(()));
                }
                for (e, own) in own.iter_mut().enumerate().filter(|(_, own)| own.is_none()) {
                    let (row, column) = (e / node.columns, e % node.columns);
                    let terms = (0..left.columns).map(|k| {
                        let pair = [a[row * left.columns + k], b[k * right.columns + column]];
                        self.product(pair[0], pair[1])
                    });
                    let terms: Option<Vec<Id>> = terms.collect();
                    *own = terms.map(|terms| self.sum(terms));
                }
            }
            Op::Outer => {
                let (a, b) = (of(0)?, of(1)?);
                if a.len() != node.rows || b.len() != node.columns {
                    return None;
                }
                for (e, own) in own.iter_mut().enumerate() {
                    *own = self.product(a[e / node.columns], b[e % node.columns]);
                }
            }
            Op::LogAbsDet | Op::Inverse => {
                let (from, elements) = operands.first()?;
                let wanted = if matches!(node.op, Op::Inverse) { from.len() } else { 1 };
                if from.rows != from.columns || len != wanted {
                    return None;
                }
                let Some(matrix) = whole(elements) else { return Some(Ok(())) };
                let matrix: Rc<[Id]> = matrix.into();
                for (e, own) in own.iter_mut().enumerate() {
                    *own = Some(match node.op {
                        Op::Inverse => self.push(Scalar::Inverse(matrix.clone(), e)),
                        _ => self.push(Scalar::LogAbsDet(matrix.clone())),
                    });
                }
            }
            Op::Substitution(function, order) if order.len() == len => {
                let captured: Vec<Vec<Option<Id>>> = operands.iter().map(|(_, e)| e.to_vec()).collect();
                return Some(self.substitution(function, order, captured, own));
            }
            Op::Substitution(..) => return None,
            Op::Root(function, low, high) => {
                let letters: Vec<Id> = (0..len).map(|_| self.letter()).collect();
                let mut inputs = vec![letters.iter().copied().map(Some).collect::<Vec<_>>()];
                inputs.extend(operands.iter().map(|(_, e)| e.to_vec()));
                let mut values: Vec<Vec<Option<Id>>> =
                    function.nodes.iter().map(|node| vec![None; node.len()]).collect();
                if let Err(rejection) = self.fill(function, &inputs, &mut values) {
                    return Some(Err(rejection));
                }
                let bodies = &values[function.result];
                if bodies.len() != len {
                    return None;
                }
                for ((own, body), letter) in own.iter_mut().zip(bodies).zip(letters) {
                    let ends = [low.to_bits(), high.to_bits()];
                    *own = body.map(|body| self.push(Scalar::Root { body, letter, ends }));
                }
            }
        }
        Some(Ok(()))
    }

    fn element(&mut self, function: Function, operands: &[(&Node, &[Option<Id>])], e: usize) -> Option<Id> {
        if function == Function::Mul {
            return self.product(operands[0].1[e], operands[1].1[e]);
        }
        let known: Option<Vec<Id>> = operands.iter().map(|(_, elements)| elements[e]).collect();
        known.map(|known| self.apply(function, &known))
    }

    /// A product; known to be 0 as soon as one factor is.
    fn product(&mut self, a: Option<Id>, b: Option<Id>) -> Option<Id> {
        let zero = |id: Option<Id>| id.is_some_and(|id| self.value(id) == Some(0.0));
        if zero(a) || zero(b) {
            return Some(self.number(0.0));
        }
        Some(self.apply(Function::Mul, &[a?, b?]))
    }

    fn sum(&mut self, mut terms: Vec<Id>) -> Id {
        terms.retain(|id| self.value(*id) != Some(0.0));
        match terms.as_slice() {
            [] => self.number(0.0),
            [one] => *one,
            _ => self.push(Scalar::Sum(terms)),
        }
    }

    /// z = G(z), element by element in the order of solving.
    fn substitution(
        &mut self,
        function: &Program,
        order: &[usize],
        captured: Vec<Vec<Option<Id>>>,
        own: &mut [Option<Id>],
    ) -> Result<(), Rejection> {
        let mut inputs = vec![own.to_vec()];
        inputs.extend(captured);
        let mut values: Vec<Vec<Option<Id>>> =
            function.nodes.iter().map(|node| vec![None; node.len()]).collect();
        let mut places: Vec<usize> = order.to_vec();
        places.sort_unstable();
        places.dedup();
        for place in places {
            self.fill(function, &inputs, &mut values)?;
            let result = &values[function.result];
            if result.len() != own.len() {
                return Err(Rejection::new("an equation of another shape than its unknown"));
            }
            for (e, _) in order.iter().enumerate().filter(|(_, other)| **other == place) {
                inputs[0][e] = result[e];
            }
        }
        own.copy_from_slice(&inputs[0]);
        Ok(())
    }
}
