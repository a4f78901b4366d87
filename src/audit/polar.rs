//! Radii and angles of layers with polar coordinates: the hints of a certificate.
//!
//! A block of two outputs may be R·cos φ and R·sin φ. Each cosine of the program is tried: R is one of the outputs divided
//! by it, if simplifying takes the division away. The checker decides whether that is right.

use crate::bijection::Domain;
use crate::jacobian::{Structure, map, prove};
use crate::sweep::simplify::simplify;
use crate::tape::{NodeId, Op, Shape, Subgraph, Tape, Unary, Var, stack};

/// Maximum number of cosines that are tried.
const MOST: usize = 16;

/// The labels of inputs and outputs by blocks, and the node of the radius and the angle of each block of two.
pub(super) struct Polar {
    pub inputs: Vec<f64>,
    pub outputs: Vec<f64>,
    pub node: NodeId,
}

impl Polar {
    /// `None` if the blocks are not of one variable or two, or no radius and angle are found for one of two.
    pub fn of(tape: &Tape, (z, x): (NodeId, NodeId), structure: &Structure, domain: Domain) -> Option<Polar> {
        let d = tape.shape(z).len();
        let program = map(tape, z, x);
        let (inputs, outputs): (Vec<u32>, Vec<u32>) = match structure {
            Structure::Dense if d == 2 => (vec![0; 2], vec![0; 2]),
            Structure::BlockTriangular { .. } => {
                let proof = prove(tape, &program, structure).ok()??;
                let (inputs, outputs) = proof.labels();
                (inputs.to_vec(), outputs.to_vec())
            }
            _ => return None,
        };
        let first = x.index() + 1;
        let angles = angles(tape, &program);
        let within = [(z, domain.into())];
        let mut found = Vec::new();
        for block in 0..d as u32 {
            let own: Vec<usize> = (0..d).filter(|o| outputs[*o] == block).collect();
            match own.as_slice() {
                [] | [_] => {}
                [o, p] => {
                    let [radius, angle] = [*o, *p].iter().find_map(|o| {
                        angles.iter().find_map(|angle| {
                            let cosine = angle.cos();
                            let quotient = tape.var(x).at(*o) / cosine;
                            let radius = simplify(tape, quotient.id(), first, &within).value;
                            let left = Subgraph::new(tape, &[z], &[radius.id()]).position(cosine.id());
                            left.is_none().then_some([radius, *angle])
                        })
                    })?;
                    found.extend([radius, angle]);
                }
                _ => return None,
            }
        }
        if found.is_empty() {
            return None;
        }
        let labels = |labels: &[u32]| labels.iter().map(|label| f64::from(*label)).collect();
        Some(Polar { inputs: labels(&inputs), outputs: labels(&outputs), node: stack(found).id() })
    }
}

/// The elements of which a cosine is taken.
fn angles<'t>(tape: &'t Tape, program: &Subgraph) -> Vec<Var<'t>> {
    let cosines =
        program.nodes().iter().map(|id| tape.node(*id)).filter(|node| node.op == Op::Unary(Unary::Cos));
    let of = cosines.map(|node| tape.var(node.operands[0]));
    let elements = of.flat_map(|angle| match angle.shape() {
        Shape::Scalar => vec![angle],
        _ => (0..angle.len().min(MOST)).map(|k| angle.at(k)).collect(),
    });
    elements.take(MOST).collect()
}
