//! The structure of a Jacobian, as declared by a layer.

use std::fmt;

/// An order of solving: the k-th output to be solved, and the input that it is solved for.
///
/// Under an order (inputs, outputs), a Jacobian is lower triangular if output `outputs[k]` depends on none of
/// `inputs[k+1..]`. Rows and columns may be ordered differently: a permutation layer is triangular, even
/// diagonal, under the order that matches each output with the input that it copies.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Order {
    inputs: Vec<usize>,
    outputs: Vec<usize>,
}

impl Order {
    /// The natural order 0, 1, …, d-1.
    pub fn natural(d: usize) -> Order {
        Order { inputs: (0..d).collect(), outputs: (0..d).collect() }
    }

    /// The reversed order d-1, …, 1, 0.
    pub fn reversed(d: usize) -> Order {
        Order { inputs: (0..d).rev().collect(), outputs: (0..d).rev().collect() }
    }

    /// Builds one order for inputs and outputs.
    pub fn of(variables: impl Into<Vec<usize>>) -> Order {
        let inputs = variables.into();
        Order { outputs: inputs.clone(), inputs }
    }

    /// Solves the k-th of these outputs for the k-th of these inputs.
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

    /// Returns whether both lists contain each of 0..d once.
    pub fn is_permutation(&self, d: usize) -> bool {
        [&self.inputs, &self.outputs].into_iter().all(|list| {
            let mut seen = vec![false; d];
            list.len() == d
                && list.iter().all(|index| *index < d && !std::mem::replace(&mut seen[*index], true))
        })
    }

    /// Returns the place in the order of each input, and of each output.
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

/// The structure of `J[i][j]` = ∂xᵢ/∂zⱼ that a layer declares. A declaration is proven or refused.
#[derive(Clone, Debug, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
#[cfg_attr(feature = "serde", serde(tag = "kind", rename_all = "snake_case"))]
#[non_exhaustive]
pub enum Structure {
    /// No structure: d tangents and an LU decomposition, O(d³).
    Dense,
    /// xᵢ depends on zᵢ alone.
    Diagonal,
    /// xᵢ depends on z₀ … zᵢ.
    LowerTriangular,
    /// xᵢ depends on zᵢ … z_{d-1}.
    UpperTriangular,
    /// Lower triangular after rows and columns are put in this order.
    Triangular {
        /// The order of solving.
        order: Order,
    },
    /// Block lower triangular with blocks of these sizes, after rows and columns are put in this order.
    BlockTriangular {
        /// The order of solving; blocks are consecutive in it.
        order: Order,
        /// The sizes of the blocks; they sum to d.
        blocks: Vec<usize>,
    },
    /// Diagonal plus a matrix of small rank: with `rank` elements of the program held fixed, each output depends on one
    /// input of its own alone. Which elements these are is found ([`bottleneck`](super::bottleneck)).
    LowRank {
        /// The largest number of elements.
        rank: usize,
    },
}

impl Structure {
    /// Returns the order of solving for a map of d variables; `None` for a dense Jacobian and for one of low rank, in which
    /// no variable comes before the others.
    pub fn order(&self, d: usize) -> Option<Order> {
        match self {
            Structure::Dense | Structure::LowRank { .. } => None,
            Structure::Diagonal | Structure::LowerTriangular => Some(Order::natural(d)),
            Structure::UpperTriangular => Some(Order::reversed(d)),
            Structure::Triangular { order } | Structure::BlockTriangular { order, .. } => Some(order.clone()),
        }
    }
}

impl Structure {
    /// Returns the declaration as code that can be pasted into `fn structure`.
    ///
    /// ```
    /// use pushforward::prelude::*;
    ///
    /// let structure = Structure::Triangular { order: Order::of([2, 0, 1]) };
    /// assert_eq!(structure.code(), "Structure::Triangular { order: Order::of([2, 0, 1]) }");
    /// ```
    pub fn code(&self) -> String {
        let order = |order: &Order| match order.inputs == order.outputs {
            true => format!("Order::of({:?})", order.inputs),
            false => format!("Order::matched({:?}, {:?})", order.inputs, order.outputs),
        };
        match self {
            Structure::Dense => "Structure::Dense".to_string(),
            Structure::Diagonal => "Structure::Diagonal".to_string(),
            Structure::LowerTriangular => "Structure::LowerTriangular".to_string(),
            Structure::UpperTriangular => "Structure::UpperTriangular".to_string(),
            Structure::Triangular { order: of } => {
                format!("Structure::Triangular {{ order: {} }}", order(of))
            }
            Structure::BlockTriangular { order: of, blocks } => {
                format!("Structure::BlockTriangular {{ order: {}, blocks: vec!{blocks:?} }}", order(of))
            }
            Structure::LowRank { rank } => format!("Structure::LowRank {{ rank: {rank} }}"),
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
            Structure::LowRank { rank } => write!(f, "diagonal plus rank {rank}"),
        }
    }
}
