//! ln|det J| as a formula, by the cheapest route that is proven.

use std::fmt;

use super::bottleneck::{bottleneck, declared_bottleneck, largest_rank};
use super::dense::{Compression, jacobian_with};
use super::diagonal::{block_diagonal, triangular_diagonal};
use super::discover::discover;
use super::error::StructureError;
use super::low_rank::{Doubtful, low_rank_log_det};
use super::map;
use super::proof::prove;
use super::stages::stages;
use super::structure::{Order, Structure};
use crate::sweep::bound::{Bound, Bounds, Region};
use crate::sweep::reach::{Reach, Relation};
use crate::sweep::simplify::{Rule, Simplified, Step, simplify_within};
use crate::tape::{Binary, NodeId, Op, Shape, Subgraph, Tape, Var};

/// How a log-determinant is computed.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Route {
    /// Σ ln|J_ii| over a proven triangular structure: O(d).
    Diagonal,
    /// Σ ln|det B_k| over proven diagonal blocks: O(Σ b_k³).
    Blocks {
        /// The sizes of the blocks.
        sizes: Vec<usize>,
        /// Number of tangent sweeps for all blocks together.
        sweeps: usize,
    },
    /// Σ ln|det W_k| over the matrices of a linear map, which do not depend on z.
    Linear {
        /// How many there are.
        matrices: usize,
    },
    /// ln|det T| + ln|det S| of a diagonal T and a small matrix S: few elements of the program, held fixed, leave J
    /// diagonal. O(d·k²) with k such elements.
    LowRank {
        /// How many elements there are.
        rank: usize,
    },
    /// The sum over maps one after another, of which J is the product: each by a route of its own.
    Product {
        /// The routes, from z to x.
        parts: Vec<Route>,
    },
    /// The full Jacobian and an LU decomposition: O(d³).
    Dense {
        /// Tangents or adjoints for the Jacobian.
        compression: Compression,
    },
    /// ∫ tr ∂v/∂z dt along the trajectory of a continuous flow, by the layer's own solver.
    Integral {
        /// The method, for example `8 Runge-Kutta steps, exact trace`.
        method: String,
    },
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Route::Diagonal => f.write_str("diagonal, one sliced tangent, O(d)"),
            Route::Blocks { sizes, sweeps } => {
                let largest = sizes.iter().max().copied().unwrap_or(0);
                write!(f, "{} diagonal blocks of at most {largest}, {sweeps} sliced tangents", sizes.len())
            }
            Route::Linear { matrices: 1 } => f.write_str("linear, the determinant of its matrix"),
            Route::Linear { matrices } => write!(f, "linear, the determinants of its {matrices} matrices"),
            Route::LowRank { rank: 1 } => f.write_str("diagonal and rank 1, two tangents, O(d)"),
            Route::LowRank { rank } => {
                write!(
                    f,
                    "diagonal and rank {rank}, {} tangents and an LU of {rank} rows, O(d·{rank}²)",
                    2 * rank
                )
            }
            Route::Dense { compression: Compression::Columns(n) } => {
                write!(f, "dense, {n} tangents and an LU, O(d³)")
            }
            Route::Dense { compression: Compression::Rows(n) } => {
                write!(f, "dense, {n} adjoints and an LU, O(d³)")
            }
            Route::Product { parts } => {
                let parts: Vec<String> = parts.iter().map(Route::to_string).collect();
                write!(f, "{} maps one after another: {}", parts.len(), parts.join("; "))
            }
            Route::Integral { method } => write!(f, "∫ tr ∂v/∂z dt, {method}"),
        }
    }
}

/// A log-determinant as a scalar node, and its route.
#[derive(Clone, Debug)]
pub struct LogDet<'t> {
    /// ln|det J| at the input of the map.
    pub value: Var<'t>,
    /// The diagonal, where the route has one: its signs determine the sign of the determinant.
    pub diagonal: Option<Var<'t>>,
    /// How it is computed.
    pub route: Route,
}

/// Derives and simplifies ln|det J| of a map with a declared structure.
///
/// `first` is the length of the tape after the map was recorded: nodes before it are not rewritten. `within`
/// is the domain of the inputs.
///
/// # Errors
/// As [`log_det`].
pub fn simplified_log_det<'t>(
    tape: &'t Tape,
    map: &Subgraph,
    structure: &Structure,
    first: usize,
    within: Region,
) -> Result<SimplifiedLogDet<'t>, StructureError> {
    let literal = log_det_within(tape, map, structure, &within)?;
    let given = map.inputs().iter().map(|input| (*input, within.clone()));
    let Simplified { value, steps, rules } = simplify_within(tape, literal.value.id(), first, given);
    Ok(SimplifiedLogDet { value, literal, steps, rules })
}

/// A simplified log-determinant, with the steps of the simplification.
#[derive(Clone, Debug)]
pub struct SimplifiedLogDet<'t> {
    /// ln|det J|, simplified.
    pub value: Var<'t>,
    /// ln|det J| before simplification.
    pub literal: LogDet<'t>,
    /// The rewrite steps, in order.
    pub steps: Vec<Step>,
    /// Every rule that was used.
    pub rules: Vec<Rule>,
}

/// Derives ln|det J| of a map with a declared structure, without simplification.
///
/// # Errors
/// [`StructureError::Unproven`] when the declaration cannot be proven (there is no silent fallback), and
/// [`StructureError::Singular`] when det J = 0 for all inputs and parameters.
pub fn log_det<'t>(
    tape: &'t Tape,
    map: &Subgraph,
    structure: &Structure,
) -> Result<LogDet<'t>, StructureError> {
    log_det_within(tape, map, structure, &Region::All(Bound::REALS))
}

fn log_det_within<'t>(
    tape: &'t Tape,
    map: &Subgraph,
    structure: &Structure,
    within: &Region,
) -> Result<LogDet<'t>, StructureError> {
    if let Structure::LowRank { rank } = structure {
        return declared_low_rank(tape, map, *rank, within);
    }
    let Some(proof) = prove(tape, map, structure)? else { return dense(tape, map, within) };
    if let Structure::BlockTriangular { blocks, .. } = structure {
        refuse_singular(tape, map)?;
        if let Some(factors) = linear_blocks(tape, map, &proof.order, blocks) {
            return Ok(of_matrices(tape, factors));
        }
        let (matrices, sweeps) = block_diagonal(tape, map, &proof);
        let value = matrices.into_iter().map(Var::log_abs_det).reduce(|sum, next| sum + next);
        let value = value.unwrap_or_else(|| tape.constant(0.0));
        return Ok(LogDet { value, diagonal: None, route: Route::Blocks { sizes: blocks.clone(), sweeps } });
    }
    let diagonal = triangular_diagonal(tape, map, &proof);
    if let Some(k) = diagonal.zeros.first() {
        let (output, input) = (proof.order.outputs()[*k], proof.order.inputs()[*k]);
        let reason = format!("J is {structure} and ∂x[{output}]/∂z[{input}] is 0 for all inputs");
        return Err(StructureError::Singular { reason });
    }
    let entries = diagonal.entries;
    Ok(LogDet { value: entries.abs().ln().sum(), diagonal: Some(entries), route: Route::Diagonal })
}

fn dense<'t>(tape: &'t Tape, map: &Subgraph, within: &Region) -> Result<LogDet<'t>, StructureError> {
    let input = map.inputs()[0];
    let most = largest_rank(tape.shape(input).len());
    let found = bottleneck(tape, map, Relation::Derivative, most).filter(|found| found.rank() > 0);
    // A diagonal without zeros has as many paths without a common element as there are variables.
    if found.as_ref().is_none_or(|found| !found.zeros().is_empty()) {
        refuse_singular(tape, map)?;
    }
    let factors = linear_factors(tape, input, map.outputs()[0], |id| id == input);
    if let Some(factors) = factors.filter(|factors| !factors.is_empty()) {
        return Ok(of_matrices(tape, factors));
    }
    let by_bottleneck = found.and_then(|found| {
        let how = (Relation::Derivative, within.clone());
        let value = low_rank_log_det(tape, map, &found, how, Doubtful::Bordered(most))?;
        Some(LogDet { value, diagonal: None, route: Route::LowRank { rank: found.rank() } })
    });
    if let Some(found) = by_bottleneck {
        return Ok(found);
    }
    if let Some(found) = product(tape, map, within) {
        return Ok(found);
    }
    let (matrix, compression) = jacobian_with(tape, map);
    Ok(LogDet { value: matrix.log_abs_det(), diagonal: None, route: Route::Dense { compression } })
}

/// Of a map that is one map after another, if none of these needs its full Jacobian.
fn product<'t>(tape: &'t Tape, whole: &Subgraph, within: &Region) -> Option<LogDet<'t>> {
    let ends = stages(tape, whole);
    if ends.len() <= 2 {
        return None;
    }
    let bounds = Bounds::within(tape, [(ends[0], within.clone())]);
    let (mut value, mut parts) = (None::<Var<'t>>, Vec::new());
    for pair in ends.windows(2) {
        let part = map(tape, pair[0], pair[1]);
        let structure = discover(tape, &part).ok()?.structure;
        let region = if pair[0] == ends[0] { within.clone() } else { bounds.of(pair[0]).into() };
        let found = log_det_within(tape, &part, &structure, &region).ok()?;
        if matches!(found.route, Route::Dense { .. } | Route::Product { .. }) {
            return None;
        }
        // Elementwise functions one after another are one diagonal map.
        if parts.last() != Some(&Route::Diagonal) || found.route != Route::Diagonal {
            parts.push(found.route);
        }
        value = Some(value.map_or(found.value, |sum| sum + found.value));
    }
    (parts.len() > 1).then_some(LogDet { value: value?, diagonal: None, route: Route::Product { parts } })
}

/// By the bottleneck of a declared rank. Where derivatives depend on less than values do, theirs may be smaller.
fn declared_low_rank<'t>(
    tape: &'t Tape,
    map: &Subgraph,
    rank: usize,
    within: &Region,
) -> Result<LogDet<'t>, StructureError> {
    let proven = declared_bottleneck(tape, map, rank)?;
    let found = bottleneck(tape, map, Relation::Derivative, proven.rank()).unwrap_or(proven);
    if !found.zeros().is_empty() {
        refuse_singular(tape, map)?;
    }
    let most = largest_rank(found.order().inputs().len()).max(rank);
    [Doubtful::Bordered(most), Doubtful::Divided]
        .into_iter()
        .find_map(|doubtful| {
            let how = (Relation::Derivative, within.clone());
            let value = low_rank_log_det(tape, map, &found, how, doubtful)?;
            Some(LogDet { value, diagonal: None, route: Route::LowRank { rank: found.rank() } })
        })
        .map_or_else(|| dense(tape, map, within), Ok)
}

fn refuse_singular(tape: &Tape, map: &Subgraph) -> Result<(), StructureError> {
    discover(tape, map).map(|_| ())
}

/// Σ ln|det W| of these matrices.
fn of_matrices(tape: &Tape, factors: Vec<NodeId>) -> LogDet<'_> {
    let mut different = factors.clone();
    different.sort_unstable();
    different.dedup();
    let logs = factors.into_iter().map(|matrix| tape.var(matrix).log_abs_det());
    let value = logs.reduce(|sum, next| sum + next).unwrap_or_else(|| tape.constant(0.0));
    LogDet { value, diagonal: None, route: Route::Linear { matrices: different.len() } }
}

/// The square matrices W₁, …, W_k of a map x = W_k(… (W₁ v + b₁) …) + b_k of what `starts` holds for, where none depends on
/// the input; `None` for other maps.
fn linear_factors(
    tape: &Tape,
    input: NodeId,
    output: NodeId,
    starts: impl Fn(NodeId) -> bool,
) -> Option<Vec<NodeId>> {
    let moves = |id: NodeId| {
        let part = Subgraph::new(tape, &[input], &[id]);
        Reach::new(tape, &part, Relation::Value).depends_on_input(id)
    };
    let (mut at, mut factors) = (output, Vec::new());
    while !starts(at) {
        let node = tape.node(at);
        match node.op {
            Op::MatVec if !moves(node.operands[0]) => {
                let Shape::Matrix(rows, columns) = tape.shape(node.operands[0]) else { return None };
                if rows != columns {
                    return None;
                }
                factors.push(node.operands[0]);
                at = node.operands[1];
            }
            Op::Binary(Binary::Add) => {
                let sides = [node.operands[0], node.operands[1]];
                at = match sides.map(moves) {
                    [true, false] => sides[0],
                    [false, true] => sides[1],
                    _ => return None,
                };
            }
            Op::Binary(Binary::Sub) if !moves(node.operands[1]) => at = node.operands[0],
            _ => return None,
        }
    }
    Some(factors)
}

/// The matrices of a map whose output is one linear map of each block after another, in the natural order.
fn linear_blocks(tape: &Tape, map: &Subgraph, order: &Order, blocks: &[usize]) -> Option<Vec<NodeId>> {
    let (input, output) = (map.inputs()[0], tape.node(map.outputs()[0]));
    let natural = order == &Order::natural(tape.shape(input).len());
    if !natural || output.op != Op::Concat || output.operands.len() != blocks.len() {
        return None;
    }
    let (mut factors, mut start) = (Vec::new(), 0u32);
    for (part, size) in output.operands.iter().zip(blocks) {
        let block: Vec<u32> = (start..start + *size as u32).collect();
        let is_block = |id: NodeId| {
            tape.with_node(id, |node| match &node.op {
                Op::Gather(indices) => node.operands[0] == input && indices[..] == block[..],
                _ => false,
            })
        };
        factors.extend(linear_factors(tape, input, *part, is_block)?);
        start += *size as u32;
    }
    Some(factors)
}
