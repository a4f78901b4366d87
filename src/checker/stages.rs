//! Maps that are one map after another, all in one program.
//!
//! The certificate has f as a whole and, as layers, the maps that it is made of, each with a certificate of its own. One put
//! into the other these have to be f, operation for operation: then f is their composition. Compositions of bijections are
//! bijections, and by the chain rule det J is the product of theirs, each at the point that the maps before it lead to: so a
//! sign that each has everywhere is a sign of the product.

use std::collections::HashMap;

use super::rejection::{Checked, reject};
use super::text::{Certificate, Node, Op, Program};

/// Checks that the maps of the layers, one put into the other, are the program of the whole.
pub(super) fn composed(certificate: &Certificate) -> Checked<()> {
    if certificate.layers.is_empty() {
        return reject("there is no map that f is made of");
    }
    let mut same = Same::default();
    let whole = same.placed(certificate.program("forward")?, None)?;
    let mut at = None;
    for layer in &certificate.layers {
        at = Some(same.placed(layer.program("forward")?, at)?);
    }
    match at {
        Some((number, ..)) if number == whole.0 => Ok(()),
        _ => reject("f is not the composition of these maps, operation for operation"),
    }
}

/// Numbers for expressions: the same for the same operation of the same operands.
#[derive(Default)]
struct Same {
    numbers: HashMap<String, usize>,
}

impl Same {
    /// The number of a program's result, and its rows and columns, with an expression in the place of its input.
    fn placed(
        &mut self,
        program: &Program,
        argument: Option<(usize, usize, usize)>,
    ) -> Checked<(usize, usize, usize)> {
        let mut own: Vec<usize> = Vec::with_capacity(program.nodes.len());
        for node in &program.nodes {
            let number = match (&node.op, argument) {
                (Op::Input(0), Some((number, rows, columns))) => {
                    if (node.rows, node.columns) != (rows, columns) {
                        return reject("a map takes another shape than the one before it gives");
                    }
                    number
                }
                (Op::Input(1..), _) => return reject("a map has one input"),
                _ => {
                    let operands = node.operands.iter().map(|operand| own[*operand]).collect();
                    let text = format!("{:?}", Node { operands, ..node.clone() });
                    let next = self.numbers.len();
                    *self.numbers.entry(text).or_insert(next)
                }
            };
            own.push(number);
        }
        let result = &program.nodes[program.result];
        Ok((own[program.result], result.rows, result.columns))
    }
}
