//! A 2-64-64-2 network of tanh units with the sum of its squared outputs as the loss: recorded in scalars, recorded
//! in tensors, and hand-written in plain loops.

use pushforward::prelude::*;
use pushforward::program::{Output, Program};
use pushforward::sweep::adjoint;
use pushforward::tape::Subgraph;

const HIDDEN: usize = 64;
/// Outputs and inputs of each layer.
pub const LAYERS: [(usize, usize); 3] = [(HIDDEN, 2), (HIDDEN, HIDDEN), (2, HIDDEN)];
/// Weights and biases, layer after layer: W row by row, then b.
pub type Weights = Vec<Vec<f64>>;

/// Deterministic weights of the usual size.
pub fn weights() -> Weights {
    let layer = |(k, (outputs, inputs)): (usize, (usize, usize))| {
        let size = (6.0 / (outputs + inputs) as f64).sqrt();
        let weight = (0..outputs * inputs).map(|e| size * (1.0 + 12.9 * (e * (k + 1)) as f64).sin());
        [weight.collect(), (0..outputs).map(|i| 0.1 * (i as f64).cos()).collect()]
    };
    LAYERS.into_iter().enumerate().flat_map(layer).collect()
}

/// Records the loss, every weight a separate scalar.
pub fn record_scalars<'t>(z: Var<'t>) -> Var<'t> {
    let tape = z.tape();
    let scalar = |name: String| tape.parameter(&name, Shape::Scalar, Init::Constant(0.0));
    let mut h = vec![z.at(0), z.at(1)];
    for (k, (outputs, inputs)) in LAYERS.into_iter().enumerate() {
        let unit = |i: usize| {
            let bias = scalar(format!("b{k}.{i}"));
            let sum =
                (0..inputs).fold(bias, |sum, j| sum + scalar(format!("w{k}.{}", i * inputs + j)) * h[j]);
            if k < 2 { sum.tanh() } else { sum }
        };
        h = (0..outputs).map(unit).collect();
    }
    h[0] * h[0] + h[1] * h[1]
}

/// Records the loss in vectors and matrices.
pub fn record_tensors<'t>(z: Var<'t>) -> Var<'t> {
    let tape = z.tape();
    let mut h = z;
    for (k, (outputs, inputs)) in LAYERS.into_iter().enumerate() {
        let weight = tape.parameter(&format!("w{k}"), Shape::Matrix(outputs, inputs), Init::Constant(0.0));
        let bias = tape.parameter(&format!("b{k}"), Shape::Vector(outputs), Init::Constant(0.0));
        let sum = weight.matvec(h) + bias;
        h = if k < 2 { sum.tanh() } else { sum };
    }
    (h * h).sum()
}

/// Returns a program of the loss summed over a batch, and of the gradient of every weight if requested, on one thread
/// by default.
pub fn program(record: for<'t> fn(Var<'t>) -> Var<'t>, gradient: bool) -> Program<f64> {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(2));
    let loss = record(z);
    let mut outputs = vec![Output::Sum(loss.id())];
    if gradient {
        let subgraph = Subgraph::new(&tape, &[z.id()], &[loss.id()]);
        let found = adjoint(&tape, &subgraph, &[(loss.id(), tape.constant(1.0))], &tape.parameters());
        outputs.extend(found.into_iter().map(|one| Output::Sum(one.expect("all are used").id())));
    }
    let mut program = Program::compile(&tape, &[z.id()], &outputs);
    let mut parameters = Parameters::initialise(&tape, 0);
    let weights = weights();
    for (name, tensor) in parameters.iter_mut() {
        // "w1" and "b1" are whole tensors, "w1.7" and "b1.7" are their elements.
        let (tensor_name, element) = name.split_once('.').map_or((name, None), |(t, e)| (t, Some(e)));
        let layer: usize = tensor_name[1..].parse().expect("a layer's number");
        let values = &weights[2 * layer + usize::from(tensor_name.starts_with('b'))];
        match element {
            None => tensor.values.copy_from_slice(values),
            Some(element) => tensor.values[0] = values[element.parse::<usize>().expect("an element")],
        }
    }
    program.load(&parameters).expect("its own parameters");
    program
}

/// Returns the gradients of a program's outputs after the first, in the order of [`Weights`], as one list.
pub fn gradients(record: for<'t> fn(Var<'t>) -> Var<'t>, results: &[Vec<f64>]) -> Vec<f64> {
    let tape = Tape::new();
    let _ = record(tape.input(Shape::Vector(2)));
    let mut all: Vec<((usize, bool, usize), f64)> = Vec::new();
    for (declaration, values) in tape.declarations().iter().zip(&results[1..]) {
        let (name, element) = declaration.name.split_once('.').unwrap_or((&declaration.name, "0"));
        let (layer, element): (usize, usize) =
            (name[1..].parse().expect("a number"), element.parse().expect("a number"));
        let bias = name.starts_with('b');
        all.extend(values.iter().enumerate().map(|(k, value)| ((layer, bias, element + k), *value)));
    }
    all.sort_by_key(|(place, _)| *place);
    all.into_iter().map(|(_, value)| value).collect()
}

/// Hand-written: the loss of a batch, and, if requested, the gradients of all weights, summed over it. Every inner
/// loop is over contiguous memory, so that the compiler can vectorise it: forward through Wᵀ, backward through W,
/// four rows at a time.
pub struct ByHand {
    weights: Weights,
    /// W of the middle layer, transposed.
    transposed: Vec<f64>,
    pub gradients: Weights,
}

impl ByHand {
    pub fn new(weights: Weights) -> ByHand {
        let transposed = (0..HIDDEN * HIDDEN).map(|e| weights[2][e % HIDDEN * HIDDEN + e / HIDDEN]).collect();
        let gradients = weights.iter().map(|values| vec![0.0; values.len()]).collect();
        ByHand { weights, transposed, gradients }
    }

    /// h₀, h₁ and the outputs.
    fn forward(&self, z: &[f64]) -> ([f64; HIDDEN], [f64; HIDDEN], [f64; 2]) {
        let [w0, b0, _, b1, w2, b2] = &self.weights[..] else { unreachable!("three layers") };
        let mut h0 = [0.0; HIDDEN];
        for (i, h) in h0.iter_mut().enumerate() {
            *h = (w0[2 * i] * z[0] + w0[2 * i + 1] * z[1] + b0[i]).tanh();
        }
        let mut h1 = [0.0; HIDDEN];
        h1.copy_from_slice(b1);
        add_rows(&mut h1, &h0, &self.transposed);
        h1.iter_mut().for_each(|h| *h = h.tanh());
        let mut y = [b2[0], b2[1]];
        for (y, row) in y.iter_mut().zip(w2.chunks_exact(HIDDEN)) {
            *y += row.iter().zip(&h1).map(|(w, h)| w * h).sum::<f64>();
        }
        (h0, h1, y)
    }

    pub fn loss(&self, batch: &[f64]) -> f64 {
        batch.chunks_exact(2).map(|z| self.forward(z).2).map(|y| y[0] * y[0] + y[1] * y[1]).sum()
    }

    /// Returns the loss and stores the sums in `gradients`.
    pub fn gradient(&mut self, batch: &[f64]) -> f64 {
        let mut sums = std::mem::take(&mut self.gradients);
        sums.iter_mut().for_each(|sum| sum.fill(0.0));
        let [g0, c0, g1, c1, g2, c2] = &mut sums[..] else { unreachable!("three layers") };
        let mut loss = 0.0;
        for z in batch.chunks_exact(2) {
            let (h0, h1, y) = self.forward(z);
            let mut d1 = [0.0; HIDDEN];
            for i in 0..2 {
                let back = 2.0 * y[i];
                loss += y[i] * y[i];
                c2[i] += back;
                let row = &self.weights[4][i * HIDDEN..(i + 1) * HIDDEN];
                let sums = &mut g2[i * HIDDEN..(i + 1) * HIDDEN];
                for j in 0..HIDDEN {
                    sums[j] += back * h1[j];
                    d1[j] += back * row[j];
                }
            }
            for i in 0..HIDDEN {
                d1[i] *= 1.0 - h1[i] * h1[i];
                c1[i] += d1[i];
            }
            for (sums, d) in g1.chunks_exact_mut(HIDDEN).zip(&d1) {
                for (sum, h) in sums.iter_mut().zip(&h0) {
                    *sum += d * h;
                }
            }
            let mut d0 = [0.0; HIDDEN];
            add_rows(&mut d0, &d1, &self.weights[2]);
            for i in 0..HIDDEN {
                let d = d0[i] * (1.0 - h0[i] * h0[i]);
                c0[i] += d;
                g0[2 * i] += d * z[0];
                g0[2 * i + 1] += d * z[1];
            }
        }
        self.gradients = sums;
        loss
    }
}

/// `sum += Σᵢ factorᵢ·rowᵢ`, four rows at a time: one load and one store of the sum for four products.
fn add_rows(sum: &mut [f64; HIDDEN], factors: &[f64; HIDDEN], rows: &[f64]) {
    for (factors, rows) in factors.chunks_exact(4).zip(rows.chunks_exact(4 * HIDDEN)) {
        let (r0, rest) = rows.split_at(HIDDEN);
        let (r1, rest) = rest.split_at(HIDDEN);
        let (r2, r3) = rest.split_at(HIDDEN);
        for (j, sum) in sum.iter_mut().enumerate() {
            *sum += factors[0] * r0[j] + factors[1] * r1[j] + (factors[2] * r2[j] + factors[3] * r3[j]);
        }
    }
}
