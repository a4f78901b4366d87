//! Random programs of mixed shapes, recorded through the public API of the tape.
//!
//! By construction they are smooth and within the domains of their operations (logarithms of 1 + a², inverses
//! of matrices near a multiple of the identity), and together use every operation that can be recorded.

pub mod bottleneck;

use pushforward::bijection::initial_value;
use pushforward::prelude::*;
use pushforward::program::{Output, Program};
use pushforward::tape::{Integration, Method};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

pub use crate::seeded::{self, for_seeds};

/// A source of choices.
pub struct Chooser(ChaCha8Rng);

impl Chooser {
    pub fn new(seed: u64) -> Chooser {
        Chooser(ChaCha8Rng::seed_from_u64(seed))
    }

    pub fn below(&mut self, count: usize) -> usize {
        self.0.random_range(0..count)
    }

    pub fn number(&mut self) -> f64 {
        2.0 * self.0.random::<f64>() - 1.0
    }

    pub fn numbers(&mut self, count: usize) -> Vec<f64> {
        (0..count).map(|_| self.number()).collect()
    }

    pub fn chance(&mut self, probability: f64) -> bool {
        self.0.random::<f64>() < probability
    }

    pub fn pick<T: Clone>(&mut self, from: &[T]) -> T {
        from[self.below(from.len())].clone()
    }

    /// Numbers of which about a third are exactly 0: a mask.
    pub fn mask(&mut self, count: usize) -> Vec<f64> {
        (0..count).map(|_| if self.chance(0.35) { 0.0 } else { self.number() }).collect()
    }
}

/// Nodes to choose operands from.
pub struct Pool<'t> {
    pub tape: &'t Tape,
    pub nodes: Vec<Var<'t>>,
    pub parameters: usize,
    /// Whether solutions of initial-value problems are among the nodes.
    pub solutions: bool,
}

impl<'t> Pool<'t> {
    pub fn new(tape: &'t Tape, inputs: &[Var<'t>]) -> Pool<'t> {
        Pool { tape, nodes: inputs.to_vec(), parameters: 0, solutions: false }
    }

    /// Lets it append solutions of initial-value problems, by steps of equal size.
    pub fn with_solutions(self) -> Pool<'t> {
        Pool { solutions: true, ..self }
    }

    pub fn parameter(&mut self, shape: Shape, choose: &mut Chooser) -> Var<'t> {
        let name = format!("p{}", self.parameters);
        self.parameters += 1;
        self.tape.parameter(&name, shape, Init::Values(choose.numbers(shape.len())))
    }

    fn of(&self, choose: &mut Chooser, wanted: impl Fn(Shape) -> bool) -> Option<Var<'t>> {
        let found: Vec<Var<'t>> = self.nodes.iter().copied().filter(|node| wanted(node.shape())).collect();
        (!found.is_empty()).then(|| choose.pick(&found))
    }

    /// Appends a random node made of others; now and then nothing fits, and nothing is appended.
    pub fn grow(&mut self, choose: &mut Chooser) {
        let grown = match self.solutions && choose.chance(0.12) {
            true => self.solution(choose),
            false => self.attempt(choose),
        };
        let Some(node) = grown else { return };
        // Kept small: what is computed from it must stay far from overflow.
        let node = if choose.chance(0.4) { node.tanh() } else { node };
        if node.len() <= 24 {
            self.nodes.push(node);
        }
    }

    /// z(t₁) of dz/dt = φ(W·z + sin t, c), with what other nodes compute as z(t₀) and c.
    fn solution(&mut self, choose: &mut Chooser) -> Option<Var<'t>> {
        let start = self.of(choose, |shape| matches!(shape, Shape::Vector(_)))?;
        let c = self.of(choose, |shape| shape == start.shape() || shape == Shape::Scalar)?;
        let weight = choose.chance(0.6).then(|| {
            let shape = Shape::Matrix(start.len(), start.len());
            let mask = self.tape.matrix(start.len(), start.len(), &choose.mask(shape.len()));
            self.parameter(shape, choose) * mask
        });
        let (inner, outer) = (choose.below(UNARY), choose.below(BINARY));
        let steps = 1 + choose.below(4);
        let method = if choose.chance(0.3) { Method::Euler { steps } } else { Method::RungeKutta4 { steps } };
        let times = [choose.number(), choose.number()];
        let (by_time, nested) = (choose.chance(0.6), choose.chance(0.15));
        let integration = Integration::new(times[0], times[1], method);
        Some(initial_value(start, integration, |z, t| {
            let moved = weight.map_or(z, |weight| weight.matvec(z));
            let moved = if by_time { moved + t.sin() } else { moved };
            let v = binary(unary(moved.tanh(), inner), c, outer).tanh();
            match nested {
                // A velocity that is a solution itself.
                true => initial_value(v, Integration::new(0.0, 0.5, method), |w, s| (w * s + z).sin()),
                false => v,
            }
        }))
    }

    fn attempt(&mut self, choose: &mut Chooser) -> Option<Var<'t>> {
        let is_vector = |shape| matches!(shape, Shape::Vector(_));
        let is_matrix = |shape| matches!(shape, Shape::Matrix(..));
        match choose.below(20) {
            0..=4 => {
                let a = choose.pick(&self.nodes);
                Some(unary(a, choose.below(UNARY)))
            }
            5..=8 => {
                let a = choose.pick(&self.nodes);
                let b = self.of(choose, |shape| shape == a.shape() || shape == Shape::Scalar)?;
                let (a, b) = if choose.chance(0.5) { (a, b) } else { (b, a) };
                Some(binary(a, b, choose.below(BINARY)))
            }
            9 => {
                let a = choose.pick(&self.nodes);
                let b = self.of(choose, |shape| shape == a.shape())?;
                let c = self.of(choose, |shape| shape == a.shape() || shape == Shape::Scalar)?;
                let condition = match choose.below(4) {
                    0 => a.lt(b),
                    1 => a.ge(b).and(b.gt(0.1)),
                    2 => a.le(0.2).or(b.lt(a)),
                    _ => a.gt(b).negate(),
                };
                Some(select(condition, b * 0.7, c.sin()))
            }
            10 => Some(choose.pick(&self.nodes).sum().tanh()),
            11 => {
                let a = self.of(choose, is_vector)?;
                Some(a.at(choose.below(a.len())))
            }
            12 => {
                let a = self.of(choose, is_vector)?;
                let count = 1 + choose.below(4);
                let positions: Vec<usize> = (0..count).map(|_| choose.below(a.len())).collect();
                if choose.chance(0.5) {
                    Some(a.gather(&positions))
                } else {
                    Some(a.slice(0..1 + choose.below(a.len())))
                }
            }
            13 => {
                let a = self.of(choose, |shape| !is_matrix(shape))?;
                let b = self.of(choose, |shape| !is_matrix(shape))?;
                Some(concat([a, b]))
            }
            14 => {
                let a = self.of(choose, is_vector)?;
                let length = a.len() + choose.below(2);
                let positions: Vec<usize> = (0..a.len()).map(|_| choose.below(length)).collect();
                Some(a.scatter(&positions, Shape::Vector(length)))
            }
            15 => {
                // A masked weight matrix, times a vector.
                let a = self.of(choose, is_vector)?;
                let rows = 1 + choose.below(4);
                let shape = Shape::Matrix(rows, a.len());
                let mask = self.tape.matrix(rows, a.len(), &choose.mask(shape.len()));
                let weight = self.parameter(shape, choose);
                Some((weight * mask).matvec(a))
            }
            16 => {
                let a = self.of(choose, is_vector)?;
                let b = self.of(choose, is_vector)?;
                Some(if a.len() * b.len() <= 16 { a.outer(b) } else { a.outer(a.slice(0..1)) })
            }
            17 => {
                let a = self.of(choose, is_matrix)?;
                let Shape::Matrix(rows, columns) = a.shape() else { return None };
                Some(match choose.below(5) {
                    0 => a.transpose(),
                    1 => a.row(choose.below(rows)),
                    2 => a.column(choose.below(columns)),
                    3 => a.reshape(Shape::Vector(a.len())),
                    _ => a.matmul(a.transpose()) * 0.3,
                })
            }
            18 => {
                let a = self.of(choose, is_matrix)?;
                let Shape::Matrix(_, columns) = a.shape() else { return None };
                let b = self.of(choose, |shape| shape == Shape::Vector(columns))?;
                Some(a.matvec(b))
            }
            _ => {
                let side = 2 + choose.below(2);
                let a = self.of(choose, |shape| shape.len() >= 2)?;
                let positions: Vec<usize> = (0..side * side).map(|_| choose.below(a.len())).collect();
                let a = a.reshape(Shape::Vector(a.len())).gather(&positions);
                let eye: Vec<f64> =
                    (0..side * side).map(|e| if e / side == e % side { 2.0 } else { 0.0 }).collect();
                let eye = self.tape.matrix(side, side, &eye);
                let near = eye + 0.3 * a.reshape(Shape::Matrix(side, side)).sin();
                Some(match choose.below(3) {
                    0 => near.log_abs_det(),
                    1 => near.inverse(),
                    _ => (0.5 * near).matrix_exp(),
                })
            }
        }
    }
}

/// How many functions of one variable there are.
pub const UNARY: usize = 34;
/// How many functions of two variables.
pub const BINARY: usize = 9;

/// One of the functions of one variable, kept inside of its domain.
pub fn unary<'t>(a: Var<'t>, which: usize) -> Var<'t> {
    match which {
        0 => -a,
        1 => (a.tanh() + 2.0).recip(),
        2 => a.tanh().exp(),
        3 => (1.0 + a * a).ln(),
        4 => a.tanh().exp_m1(),
        5 => (a * a).ln_1p(),
        6 => a.tanh(),
        7 => a.sigmoid(),
        8 => a.softplus(),
        9 => a.sin(),
        10 => a.cos(),
        11 => (0.5 + a * a).sqrt(),
        12 => a.abs(),
        13 => a * a.sign(),
        14 => a.erf(),
        15 => a.tanh().powi(3),
        16 => (a.tanh() + 2.0).powi(-2),
        17 => a.powi(1) + a.powi(0),
        18 => a.tanh().powi(2),
        19 => a.tanh().sinh(),
        20 => a.tanh().cosh(),
        21 => a.asinh(),
        22 => a.ln_normal_cdf().tanh(),
        23 => (1.5 + a.tanh()).ln_gamma(),
        24 => (1.5 + a.tanh()).polygamma(1),
        25 => a.sech_squared(),
        26 => a.asinh_slope(),
        27 => a.inverse_mills(0),
        28 => a.inverse_mills(1),
        29 => a.atan_pi(),
        30 => (0.4 * a.tanh()).tan_pi(),
        31 => a.normal_cdf(),
        32 => (0.5 + 0.4 * a.tanh()).normal_quantile(),
        _ => (1.0 + a * a).pow(0.3),
    }
}

/// One of the functions of two variables, kept inside of its domain.
pub fn binary<'t>(a: Var<'t>, b: Var<'t>, which: usize) -> Var<'t> {
    match which {
        0 | 1 => a + b,
        2 => a - b,
        3 => a * b,
        4 => a / (1.5 + b.sin()),
        5 => (1.0 + a.tanh().powi(2)).pow(b.tanh()),
        6 => a.log_add_exp(b),
        7 => a.min(b),
        _ => a.max(b),
    }
}

/// The numbers of some nodes at one point, with the starting values of the parameters.
pub fn numbers(tape: &Tape, input: Var<'_>, outputs: &[Var<'_>], point: &[f64]) -> Vec<Vec<f64>> {
    let outputs: Vec<Output> = outputs.iter().map(|output| Output::Each(output.id())).collect();
    let mut program = Program::compile(tape, &[input.id()], &outputs);
    program.load(&Parameters::initialise(tape, 0)).unwrap();
    program.run(&[point], 1).unwrap()
}

/// Relative to the larger of the expected size and 1.
pub fn off(found: f64, expected: f64) -> f64 {
    if found == expected { 0.0 } else { (found - expected).abs() / expected.abs().max(1.0) }
}
