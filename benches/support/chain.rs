//! A scalar chain of mixed operations: on a tape, and in a plain loop.

use pushforward::prelude::*;
use pushforward::program::{Output, Program};
use pushforward::sweep::adjoint;
use pushforward::tape::Subgraph;

/// Records `length` operations on the scalar z.
pub fn record<'t>(z: Var<'t>, length: usize) -> Var<'t> {
    let mut x = z;
    for k in 0..length {
        x = match k % 8 {
            0 => x.sin(),
            1 => x * 0.9,
            2 => x + z,
            3 => x.tanh(),
            4 => x * x,
            5 => (-x).exp(),
            6 => 1.0 / (x + 1.0),
            _ => x - 0.1,
        };
    }
    x
}

/// Returns a program of the value, and of the derivative if requested.
pub fn program(length: usize, derivative: bool) -> Program<f64> {
    let tape = Tape::new();
    let z = tape.input(Shape::Scalar);
    let y = record(z, length);
    let mut outputs = vec![Output::Each(y.id())];
    if derivative {
        let subgraph = Subgraph::new(&tape, &[z.id()], &[y.id()]);
        let found = adjoint(&tape, &subgraph, &[(y.id(), tape.constant(1.0))], &[z.id()]);
        outputs.push(Output::Each(found[0].expect("it depends on z").id()));
    }
    let mut program = Program::compile(&tape, &[z.id()], &outputs);
    program.load(&Parameters::default()).expect("no parameters");
    program
}

/// The value, hand-written.
pub fn value(z: f64, length: usize) -> f64 {
    (0..length).fold(z, |x, k| match k % 8 {
        0 => x.sin(),
        1 => x * 0.9,
        2 => x + z,
        3 => x.tanh(),
        4 => x * x,
        5 => (-x).exp(),
        6 => 1.0 / (x + 1.0),
        _ => x - 0.1,
    })
}

/// The value and the derivative, hand-written. `kept` holds, for each operation, the number that its derivative
/// needs: the operand, or the result where the derivative is a function of it.
pub fn gradient(z: f64, length: usize, kept: &mut Vec<f64>) -> (f64, f64) {
    kept.clear();
    let mut x = z;
    for k in 0..length {
        let operand = x;
        x = match k % 8 {
            0 => x.sin(),
            1 => x * 0.9,
            2 => x + z,
            3 => x.tanh(),
            4 => x * x,
            5 => (-x).exp(),
            6 => 1.0 / (x + 1.0),
            _ => x - 0.1,
        };
        kept.push(if matches!(k % 8, 3 | 5 | 6) { x } else { operand });
    }
    let (mut back, mut direct) = (1.0, 0.0);
    for (k, kept) in kept.iter().enumerate().rev() {
        back *= match k % 8 {
            0 => kept.cos(),
            1 => 0.9,
            3 => 1.0 - kept * kept,
            4 => 2.0 * kept,
            5 => -kept,
            6 => -kept * kept,
            _ => 1.0,
        };
        if k % 8 == 2 {
            direct += back;
        }
    }
    (x, back + direct)
}
