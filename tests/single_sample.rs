//! A sample alone gives the bits that it gives in a batch: its elements then lie side by side in memory, and one call
//! computes all elements of a matrix whose rows repeat a number, or which is multiplied by parameters.

use pushforward::prelude::*;
use pushforward::program::{Output, Program};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

const D: usize = 19;

/// Outputs with repeated rows, runs of shared numbers, determinants, and operations without a kernel of their own.
fn outputs(z: Var<'_>) -> Vec<Var<'_>> {
    let tape = z.tape();
    let weight = tape.parameter("weight", Shape::Matrix(D, D), Init::glorot(D, D));
    let scale = tape.parameter("scale", Shape::Vector(D), Init::Constant(0.5));
    let ones = tape.constant(1.0).broadcast(Shape::Vector(D));
    let rows = z.tanh().exp().outer(ones);
    let unit: Vec<f64> = (0..D * D).map(|e| f64::from(u8::from(e % (D + 1) == 0))).collect();
    let scaled = rows * weight;
    let matrix = scaled + tape.matrix(D, D, &unit);
    let powers = (z * z + 1.0).pow(scale);
    let squares = (z * z + 1.0).pow(2.5);
    let chosen = select(z.lt(0.1), scale, z);
    let sums = weight.matvec(z);
    vec![
        matrix.log_abs_det(),
        matrix.inverse().matvec(z),
        scaled,
        powers,
        squares,
        chosen,
        sums.sin() + scale * z,
        (rows - rows.transpose()).matvec(z),
        (z + scale).sum(),
        weight.matmul(rows),
    ]
}

fn check<F: pushforward::program::Precision>(bits: impl Fn(F) -> u64) {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(D));
    let outputs: Vec<Output> = outputs(z).into_iter().map(|output| Output::Each(output.id())).collect();
    tape.check().unwrap();
    let mut program = Program::<F>::compile(&tape, &[z.id()], &outputs);
    program.load(&Parameters::initialise(&tape, 1)).unwrap();
    let mut random = ChaCha8Rng::seed_from_u64(2);
    let rows = 70;
    let points: Vec<F> = (0..rows * D).map(|_| F::of(4.0 * random.random::<f64>() - 2.0)).collect();
    let together = program.run(&[&points], rows).unwrap();
    for count in [1, 2, 3, 5, 7, 11] {
        let start = 2 * count;
        let some = program.run(&[&points[start * D..(start + count) * D]], count).unwrap();
        for (output, (some, all)) in some.iter().zip(&together).enumerate() {
            let width = all.len() / rows;
            for (place, (a, b)) in some.iter().zip(&all[start * width..]).enumerate() {
                assert_eq!(
                    bits(*a),
                    bits(*b),
                    "{count} rows, output {output}, number {place}: {a:?} is not {b:?}"
                );
            }
        }
    }
}

#[test]
fn a_few_rows_have_the_bits_that_they_have_in_a_batch() {
    check::<f64>(f64::to_bits);
    check::<f32>(|a| u64::from(a.to_bits()));
}

/// Against elimination written out.
#[test]
fn the_determinant_of_one_sample_is_that_of_plain_elimination() {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(D));
    let weight = tape.parameter("weight", Shape::Matrix(D, D), Init::glorot(D, D));
    let ones = tape.constant(1.0).broadcast(Shape::Vector(D));
    let log_det = (z.exp().outer(ones) * weight).log_abs_det();
    let mut program = Program::<f64>::compile(&tape, &[z.id()], &[Output::Each(log_det.id())]);
    let parameters = Parameters::initialise(&tape, 3);
    program.load(&parameters).unwrap();
    let point: Vec<f64> = (0..D).map(|i| (1.0 + 0.7 * i as f64).sin()).collect();
    let found = program.run(&[&point], 1).unwrap()[0][0];
    let (_, tensor) = parameters.iter().next().unwrap();
    let mut a: Vec<Vec<f64>> = tensor.values.chunks(D).map(<[f64]>::to_vec).collect();
    let mut expected = point.iter().sum::<f64>();
    for k in 0..D {
        let pivot = (k..D).max_by(|i, j| a[*i][k].abs().total_cmp(&a[*j][k].abs())).unwrap();
        a.swap(k, pivot);
        expected += a[k][k].abs().ln();
        for i in k + 1..D {
            let factor = a[i][k] / a[k][k];
            let (above, below) = a.split_at_mut(i);
            for (value, own) in below[0].iter_mut().zip(&above[k]).skip(k) {
                *value -= factor * own;
            }
        }
    }
    assert!((found - expected).abs() < 1e-11 * expected.abs().max(1.0), "{found} is not {expected}");
}
