//! What a layer declares of its Jacobian.

use std::fmt;

/// In which order variables are solved for: the k-th output to be solved and the input it is solved for.
///
/// Under an order (inputs, outputs) a Jacobian is lower triangular when output `outputs[k]` depends on none
/// of `inputs[k+1..]`. Rows and columns may be ordered differently: a permutation layer is triangular, even
/// diagonal, under the order that matches each output with the input it is a copy of.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
pub struct Order {
    inputs: Vec<usize>,
    outputs: Vec<usize>,
}

impl Order {
    /// The variables as they come: 0, 1, …, d-1.
    pub fn natural(d: usize) -> Order {
        Order { inputs: (0..d).collect(), outputs: (0..d).collect() }
    }

    /// The variables backwards: d-1, …, 1, 0.
    pub fn reversed(d: usize) -> Order {
        Order { inputs: (0..d).rev().collect(), outputs: (0..d).rev().collect() }
    }

    /// The same order for inputs and outputs.
    pub fn of(variables: impl Into<Vec<usize>>) -> Order {
        let inputs = variables.into();
        Order { outputs: inputs.clone(), inputs }
    }

    /// The k-th output is solved for the k-th input of these lists.
    pub fn matched(inputs: impl Into<Vec<usize>>, outputs: impl Into<Vec<usize>>) -> Order {
        Order { inputs: inputs.into(), outputs: outputs.into() }
    }

    /// The inputs in the order of solving.
    pub fn inputs(&self) -> &[usize] {
        &self.inputs
    }

    /// The outputs in the order of solving.
    pub fn outputs(&self) -> &[usize] {
        &self.outputs
    }

    /// Whether both lists name each of 0..d once.
    pub fn is_permutation(&self, d: usize) -> bool {
        [&self.inputs, &self.outputs].into_iter().all(|list| {
            let mut seen = vec![false; d];
            list.len() == d
                && list.iter().all(|index| *index < d && !std::mem::replace(&mut seen[*index], true))
        })
    }

    /// For each input its place in the order, and for each output.
    pub(crate) fn ranks(&self) -> (Vec<u32>, Vec<u32>) {
        let ranks = |list: &[usize]| {
            let mut ranks = vec![0; list.len()];
            for (rank, index) in list.iter().enumerate() {
                ranks[*index] = rank as u32;
            }
            ranks
        };
        (ranks(&self.inputs), ranks(&self.outputs))
    }
}

impl fmt::Display for Order {
    /// Indices as in code, from 0, in brackets: `(z[2], z[0], z[1])`, with the outputs if they differ.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let list = |name: &str, indices: &[usize]| {
            let shown: Vec<String> = indices.iter().take(12).map(|i| format!("{name}[{i}]")).collect();
            let more = if indices.len() > 12 { ", …" } else { "" };
            format!("({}{more})", shown.join(", "))
        };
        f.write_str(&list("z", &self.inputs))?;
        if self.inputs != self.outputs {
            write!(f, " for {}", list("x", &self.outputs))?;
        }
        Ok(())
    }
}

/// The structure of `J[i][j]` = ∂xᵢ/∂zⱼ that a layer declares. What is declared is proven or refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize))]
#[cfg_attr(feature = "serde", serde(tag = "kind", rename_all = "snake_case"))]
pub enum Structure {
    /// Nothing is declared: d tangents and an LU, O(d³).
    Dense,
    /// xᵢ depends on zᵢ alone.
    Diagonal,
    /// xᵢ depends on z₀ … zᵢ.
    LowerTriangular,
    /// xᵢ depends on zᵢ … z_{d-1}.
    UpperTriangular,
    /// Lower triangular once rows and columns are put in this order.
    Triangular {
        /// The order of solving.
        order: Order,
    },
    /// Lower triangular in blocks of these sizes, once rows and columns are put in this order.
    BlockTriangular {
        /// The order of solving; blocks are consecutive in it.
        order: Order,
        /// The sizes of the blocks; they add up to d.
        blocks: Vec<usize>,
    },
}

impl Structure {
    /// The order of solving, for a map of d variables; `None` for a dense Jacobian.
    pub fn order(&self, d: usize) -> Option<Order> {
        match self {
            Structure::Dense => None,
            Structure::Diagonal | Structure::LowerTriangular => Some(Order::natural(d)),
            Structure::UpperTriangular => Some(Order::reversed(d)),
            Structure::Triangular { order } | Structure::BlockTriangular { order, .. } => Some(order.clone()),
        }
    }
}

impl fmt::Display for Structure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Structure::Dense => f.write_str("dense"),
            Structure::Diagonal => f.write_str("diagonal"),
            Structure::LowerTriangular => f.write_str("lower triangular"),
            Structure::UpperTriangular => f.write_str("upper triangular"),
            Structure::Triangular { order } => write!(f, "triangular in the order {order}"),
            Structure::BlockTriangular { order, blocks } => {
                let shown: Vec<String> = blocks.iter().take(12).map(usize::to_string).collect();
                let more = if blocks.len() > 12 { ", …" } else { "" };
                write!(f, "block triangular (blocks of {}{more}) in the order {order}", shown.join(", "))
            }
        }
    }
}
