//! Discovery of undeclared structure.
//!
//! Takes the pattern of J, a maximum matching of outputs with inputs, and the strongly connected components
//! of the relation "depends on the input matched with": the block triangular form of Dulmage and Mendelsohn,
//! as in KLU (Davis and Natarajan, "Algorithm 907", 2010). If all blocks have size 1, J is triangular under
//! the order found. Without a perfect matching, det J = 0 for all inputs, because every term of the
//! determinant has a zero factor.

use super::error::StructureError;
use super::matching::augment;
use super::structure::{Order, Structure};
use super::waist::{through_a_waist, waist};
use crate::sweep::reach::{NONE, Reach, Relation};
use crate::tape::{Subgraph, Tape};

/// The structure that a map could declare.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Discovery {
    /// The strongest structure that was found; `prove` accepts it.
    pub structure: Structure,
    /// The sizes of the irreducible blocks, in order.
    pub blocks: Vec<usize>,
}

impl Discovery {
    /// Returns the multiplications of a log-determinant by these blocks relative to a dense one: Σ b³ / d³.
    pub fn share_of_dense(&self) -> f64 {
        let d: usize = self.blocks.iter().sum();
        let cube = |n: usize| (n as f64).powi(3);
        self.blocks.iter().map(|block| cube(*block)).sum::<f64>() / cube(d)
    }
}

/// Finds the order and the blocks under which a map is (block) triangular, for all inputs and parameters.
///
/// # Errors
/// [`StructureError::Singular`] when there is no perfect matching, and when x depends on z through fewer numbers than there
/// are variables.
pub fn discover(tape: &Tape, map: &Subgraph) -> Result<Discovery, StructureError> {
    let derivative = Reach::new(tape, map, Relation::Derivative).pattern();
    let d = derivative.len();
    let input_of = matching(&derivative)?;
    let mut output_of = vec![0; d];
    input_of.iter().enumerate().for_each(|(output, input)| output_of[*input] = output);
    // The order of solving also needs dependence through conditions.
    let value = Reach::new(tape, map, Relation::Value).pattern();
    let needs: Vec<Vec<usize>> =
        value.iter().map(|row| row.iter().map(|input| output_of[*input as usize]).collect()).collect();
    let components = components(&needs);
    let blocks: Vec<usize> = components.iter().map(Vec::len).collect();
    if blocks.iter().any(|size| *size > 1)
        && let Some(waist) = waist(tape, map)
    {
        return Err(StructureError::Singular { reason: through_a_waist(tape, map, &waist) });
    }
    let outputs: Vec<usize> = components.concat();
    let inputs: Vec<usize> = outputs.iter().map(|output| input_of[*output]).collect();
    let structure = name(&value, Order::matched(inputs, outputs), &blocks);
    Ok(Discovery { structure, blocks })
}

/// Returns the most specific structure for what was found.
fn name(pattern: &[Vec<u32>], order: Order, blocks: &[usize]) -> Structure {
    let below = |row: usize, column: u32| column as usize <= row;
    let above = |row: usize, column: u32| column as usize >= row;
    let all = |holds: &dyn Fn(usize, u32) -> bool| {
        pattern.iter().enumerate().all(|(row, list)| list.iter().all(|column| holds(row, *column)))
    };
    if blocks.iter().all(|size| *size == 1) {
        match (all(&below), all(&above)) {
            (true, true) => Structure::Diagonal,
            (true, false) => Structure::LowerTriangular,
            (false, true) => Structure::UpperTriangular,
            (false, false) => Structure::Triangular { order },
        }
    } else if blocks.len() == 1 {
        Structure::Dense
    } else {
        Structure::BlockTriangular { order, blocks: blocks.to_vec() }
    }
}

/// Returns outputs that together depend on fewer inputs than there are of them, if there are any: then
/// det J = 0 everywhere.
pub fn deficient(tape: &Tape, map: &Subgraph) -> Option<Vec<usize>> {
    let pattern = Reach::new(tape, map, Relation::Derivative).pattern();
    let (start, seen) = matched(&pattern).err()?;
    let reached = |input: &u32| seen[*input as usize] == start as u32;
    Some((0..pattern.len()).filter(|row| pattern[*row].iter().all(reached)).collect())
}

/// Matches each output with an input of its own that it depends on.
fn matching(pattern: &[Vec<u32>]) -> Result<Vec<usize>, StructureError> {
    matched(pattern)
        .map_err(|(start, seen)| StructureError::Singular { reason: unmatched(pattern, start, &seen) })
}

/// Maximum matching by augmenting paths (Kuhn), diagonal entries first. On failure returns the output that
/// finds no input, and the inputs that its search reached.
fn matched(pattern: &[Vec<u32>]) -> Result<Vec<usize>, (usize, Vec<u32>)> {
    let d = pattern.len();
    let mut input_of = vec![NONE; d];
    let mut output_of = vec![NONE; d];
    for (row, list) in pattern.iter().enumerate() {
        if list.binary_search(&(row as u32)).is_ok() {
            (input_of[row], output_of[row]) = (row as u32, row as u32);
        }
    }
    let mut seen = vec![NONE; d];
    for start in 0..d {
        if input_of[start] == NONE && !augment(pattern, start, &mut input_of, &mut output_of, &mut seen) {
            return Err((start, seen));
        }
    }
    Ok(input_of.into_iter().map(|input| input as usize).collect())
}

/// Explains by Hall's theorem: there are more outputs than inputs that they depend on.
fn unmatched(pattern: &[Vec<u32>], start: usize, seen: &[u32]) -> String {
    let inputs: Vec<usize> = (0..seen.len()).filter(|input| seen[*input] == start as u32).collect();
    let outputs: Vec<usize> = (0..pattern.len())
        .filter(|row| *row == start || !pattern[*row].is_empty())
        .filter(|row| pattern[*row].iter().all(|input| inputs.contains(&(*input as usize))))
        .collect();
    let list = |name: &str, indices: &[usize]| {
        let shown: Vec<String> = indices.iter().take(8).map(|i| format!("{name}[{i}]")).collect();
        if indices.len() > 8 { format!("{}, …", shown.join(", ")) } else { shown.join(", ") }
    };
    match inputs.len() {
        0 => format!("x[{start}] depends on no input"),
        _ => format!("{} depend on {} alone", list("x", &outputs), list("z", &inputs)),
    }
}

/// Returns the strongly connected components in topological order, dependences first (Tarjan, "Depth-first
/// search and linear graph algorithms", 1972), with an explicit stack.
fn components(needs: &[Vec<usize>]) -> Vec<Vec<usize>> {
    let count = needs.len();
    let mut number = vec![usize::MAX; count];
    let mut low = vec![0; count];
    let mut on_stack = vec![false; count];
    let (mut found, mut stack, mut components) = (0, Vec::new(), Vec::new());
    for root in 0..count {
        if number[root] != usize::MAX {
            continue;
        }
        let mut calls = vec![(root, 0)];
        while let Some((v, next)) = calls.last_mut() {
            let v = *v;
            if *next == 0 && number[v] == usize::MAX {
                (number[v], low[v]) = (found, found);
                found += 1;
                stack.push(v);
                on_stack[v] = true;
            }
            if let Some(w) = needs[v].get(*next).copied() {
                *next += 1;
                if number[w] == usize::MAX {
                    calls.push((w, 0));
                } else if on_stack[w] {
                    low[v] = low[v].min(number[w]);
                }
                continue;
            }
            calls.pop();
            if let Some((parent, _)) = calls.last() {
                low[*parent] = low[*parent].min(low[v]);
            }
            if low[v] == number[v] {
                let start = stack.iter().rposition(|w| *w == v).expect("v is on the stack");
                let mut component = stack.split_off(start);
                component.iter().for_each(|w| on_stack[*w] = false);
                component.sort_unstable();
                components.push(component);
            }
        }
    }
    components
}
