//! Recording, replaying and differentiating, each beside the same thing in plain loops.

use std::hint::black_box;
use std::time::Instant;

use criterion::Criterion;
use pushforward::prelude::*;
use pushforward::program::{Output, Program};
use pushforward::sweep::adjoint;
use pushforward::tape::{Cut, Tensor};

const HIDDEN: usize = 64;
const BATCH: usize = 256;
const CHAIN: usize = 10_000;

/// y = a chain of sines, products and sums.
fn chain<'t>(z: Var<'t>) -> Var<'t> {
    let mut x = z.at(0);
    for k in 0..CHAIN {
        x = match k % 3 {
            0 => x.sin(),
            1 => x * 0.9,
            _ => x + 0.1,
        };
    }
    x
}

/// The same by hand: the value and its derivative, one sample.
fn chain_by_hand(z: f64, values: &mut Vec<f64>) -> (f64, f64) {
    values.clear();
    let mut x = z;
    for k in 0..CHAIN {
        values.push(x);
        x = match k % 3 {
            0 => x.sin(),
            1 => x * 0.9,
            _ => x + 0.1,
        };
    }
    let mut back = 1.0;
    for k in (0..CHAIN).rev() {
        back *= match k % 3 {
            0 => values[k].cos(),
            1 => 0.9,
            _ => 1.0,
        };
    }
    (x, back)
}

/// Σ of the squares of a 2-64-64-2 network with tanh units.
fn network<'t>(z: Var<'t>) -> Var<'t> {
    let mut h = z;
    for (k, (outputs, inputs)) in [(HIDDEN, 2), (HIDDEN, HIDDEN), (2, HIDDEN)].into_iter().enumerate() {
        let init = Init::glorot(inputs, outputs);
        let weight = z.tape().parameter(&format!("w{k}"), Shape::Matrix(outputs, inputs), init);
        let bias = z.tape().parameter(&format!("b{k}"), Shape::Vector(outputs), Init::Constant(0.1));
        h = weight.matvec(h) + bias;
        if k < 2 {
            h = h.tanh();
        }
    }
    (h * h).sum()
}

/// The same by hand: loss and gradients of all weights, summed over the batch.
fn network_by_hand(weights: &[&Tensor], batch: &[f64], gradients: &mut [Vec<f64>]) -> f64 {
    gradients.iter_mut().for_each(|gradient| gradient.fill(0.0));
    let (w0, b0, w1, b1) = (&weights[0].values, &weights[1].values, &weights[2].values, &weights[3].values);
    let (w2, b2) = (&weights[4].values, &weights[5].values);
    let (mut h0, mut h1) = ([0.0; HIDDEN], [0.0; HIDDEN]);
    let mut loss = 0.0;
    for z in batch.chunks(2) {
        for i in 0..HIDDEN {
            h0[i] = (w0[2 * i] * z[0] + w0[2 * i + 1] * z[1] + b0[i]).tanh();
        }
        for i in 0..HIDDEN {
            let row = &w1[i * HIDDEN..(i + 1) * HIDDEN];
            h1[i] = (row.iter().zip(&h0).map(|(w, h)| w * h).sum::<f64>() + b1[i]).tanh();
        }
        let mut d1 = [0.0; HIDDEN];
        for i in 0..2 {
            let row = &w2[i * HIDDEN..(i + 1) * HIDDEN];
            let y = row.iter().zip(&h1).map(|(w, h)| w * h).sum::<f64>() + b2[i];
            loss += y * y;
            gradients[5][i] += 2.0 * y;
            for j in 0..HIDDEN {
                gradients[4][i * HIDDEN + j] += 2.0 * y * h1[j];
                d1[j] += 2.0 * y * row[j];
            }
        }
        let mut d0 = [0.0; HIDDEN];
        for i in 0..HIDDEN {
            let d = d1[i] * (1.0 - h1[i] * h1[i]);
            gradients[3][i] += d;
            let row = &w1[i * HIDDEN..(i + 1) * HIDDEN];
            let sums = &mut gradients[2][i * HIDDEN..(i + 1) * HIDDEN];
            for j in 0..HIDDEN {
                sums[j] += d * h0[j];
                d0[j] += d * row[j];
            }
        }
        for i in 0..HIDDEN {
            let d = d0[i] * (1.0 - h0[i] * h0[i]);
            gradients[1][i] += d;
            gradients[0][2 * i] += d * z[0];
            gradients[0][2 * i + 1] += d * z[1];
        }
    }
    loss
}

/// The shortest of several runs, in seconds.
fn shortest<T>(mut run: impl FnMut() -> T) -> f64 {
    let begin = Instant::now();
    let mut best = f64::INFINITY;
    while begin.elapsed().as_secs_f64() < 0.5 {
        let start = Instant::now();
        black_box(run());
        best = best.min(start.elapsed().as_secs_f64());
    }
    best
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut ratios = Vec::new();

    // The chain.
    criterion.bench_function("tape/record a chain", |b| {
        b.iter(|| {
            let tape = Tape::new();
            black_box(chain(tape.input(Shape::Vector(1))).id())
        });
    });
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(1));
    let y = chain(z);
    let cut = Cut::new(&tape, &[z.id()], &[y.id()]);
    let gradient = adjoint(&tape, &cut, &[(y.id(), tape.constant(1.0))], &[z.id()])[0].expect("it depends");
    let outputs = [Output::Each(y.id()), Output::Each(gradient.id())];
    let mut program = Program::<f64>::compile(&tape, &[z.id()], &outputs);
    program.load(&Parameters::default()).expect("no parameters");
    let batch: Vec<f64> = (0..BATCH).map(|k| (k as f64 * 0.1).sin()).collect();
    let mut values = Vec::new();
    let expected = chain_by_hand(batch[3], &mut values);
    let found = program.run(&[&batch], BATCH).expect("whole rows");
    assert!((found[0][3] - expected.0).abs() < 1e-12 && (found[1][3] - expected.1).abs() < 1e-12);
    criterion.bench_function("tape/replay a chain with its gradient, 256 samples", |b| {
        b.iter(|| program.run(&[&batch], BATCH).expect("whole rows"));
    });
    let replayed = shortest(|| program.run(&[&batch], BATCH).expect("whole rows"));
    let by_hand = shortest(|| batch.iter().map(|z| chain_by_hand(*z, &mut values).1).sum::<f64>());
    ratios.push(("chain of 10⁴ scalars, value and gradient, 256 samples", replayed, by_hand));

    // The network.
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(2));
    let loss = network(z);
    let cut = Cut::new(&tape, &[z.id()], &[loss.id()]);
    let gradients = adjoint(&tape, &cut, &[(loss.id(), tape.constant(1.0))], &tape.parameters());
    let mut outputs = vec![Output::Sum(loss.id())];
    outputs.extend(gradients.iter().map(|gradient| Output::Sum(gradient.expect("it depends").id())));
    let mut program = Program::<f64>::compile(&tape, &[z.id()], &outputs);
    let parameters = Parameters::initialise(&tape, 1);
    program.load(&parameters).expect("its own parameters");
    let batch: Vec<f64> = (0..2 * BATCH).map(|k| (k as f64 * 0.7).sin()).collect();
    let weights: Vec<&Tensor> = parameters.iter().map(|(_, tensor)| tensor).collect();
    let mut sums: Vec<Vec<f64>> = weights.iter().map(|tensor| vec![0.0; tensor.values.len()]).collect();
    let expected = network_by_hand(&weights, &batch, &mut sums);
    let found = program.run(&[&batch], BATCH).expect("whole rows");
    assert!((found[0][0] - expected).abs() < 1e-9 * expected);
    for (found, expected) in found[1..].iter().flatten().zip(sums.iter().flatten()) {
        assert!((found - expected).abs() < 1e-9 * expected.abs().max(1.0));
    }
    criterion.bench_function("tape/network gradient, 256 samples", |b| {
        b.iter(|| program.run(&[&batch], BATCH).expect("whole rows"));
    });
    let replayed = shortest(|| program.run(&[&batch], BATCH).expect("whole rows"));
    let by_hand = shortest(|| network_by_hand(&weights, &batch, &mut sums));
    ratios.push(("2-64-64-2 network, gradient of all weights, 256 samples", replayed, by_hand));

    println!("\n{:<58} {:>9} {:>9} {:>6}", "", "tape", "by hand", "ratio");
    for (what, tape, hand) in ratios {
        println!("{what:<58} {:>6.0} µs {:>6.0} µs {:>6.2}", tape * 1e6, hand * 1e6, tape / hand);
    }
}
