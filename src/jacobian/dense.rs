//! The full Jacobian, as nodes.
//!
//! Columns without a common row can share a tangent, rows without a common column can share an adjoint
//! (Curtis, Powell, Reid, "On the estimation of sparse Jacobian matrices", 1974); the variant with fewer
//! sweeps is used. A full d×d pattern takes d, and then all columns are derived at once (`columns.rs`).

use super::columns::all_columns;
use super::diagonal::greedy_colours;
use crate::sweep::reach::{Reach, Relation};
use crate::sweep::{adjoint, tangent};
use crate::tape::{Shape, Subgraph, Tape, Var, concat};

/// How a Jacobian was compressed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Compression {
    /// Number of tangents, each for several columns.
    Columns(usize),
    /// Number of adjoints, each for several rows.
    Rows(usize),
}

/// From this number of columns on, all are derived as one matrix.
const AT_ONCE: usize = 16;

/// Records `J[i][j]` = ∂xᵢ/∂zⱼ as a matrix node.
pub fn jacobian<'t>(tape: &'t Tape, map: &Subgraph) -> Var<'t> {
    jacobian_with(tape, map).0
}

/// Records the Jacobian; also returns the number of sweeps.
pub fn jacobian_with<'t>(tape: &'t Tape, map: &Subgraph) -> (Var<'t>, Compression) {
    let (input, output) = (map.inputs()[0], map.outputs()[0]);
    let (rows, columns) = (tape.shape(output).len(), tape.shape(input).len());
    let pattern = Reach::new(tape, map, Relation::Derivative).pattern();
    let mut by_column = vec![Vec::new(); columns];
    for (row, list) in pattern.iter().enumerate() {
        list.iter().for_each(|column| by_column[*column as usize].push(row as u32));
    }
    let column_colours = compress(&by_column, &pattern);
    let row_colours = compress(&pattern, &by_column);
    let count = |colours: &[u32]| colours.iter().max().map_or(0, |colour| *colour as usize + 1);
    let seed = |colours: &[u32], colour: usize, shape: Shape| {
        let values: Vec<f64> =
            colours.iter().map(|other| f64::from(u8::from(*other as usize == colour))).collect();
        tape.vector(&values).reshape(shape)
    };
    let forward = count(&column_colours) <= count(&row_colours);
    // If every variable needs its own column, derive all at once, unless there are so few that separate
    // columns give the more readable program.
    if forward
        && count(&column_colours) == columns
        && columns >= AT_ONCE
        && let Some(matrix) = all_columns(tape, map)
    {
        return (matrix, Compression::Columns(columns));
    }
    let (sweeps, width) =
        if forward { (count(&column_colours), rows) } else { (count(&row_colours), columns) };
    let parts: Vec<Option<Var<'t>>> = (0..sweeps)
        .map(|colour| {
            if forward {
                let seeds = [(input, seed(&column_colours, colour, tape.shape(input)))];
                tangent(tape, map, &seeds)[0]
            } else {
                let seeds = [(output, seed(&row_colours, colour, tape.shape(output)))];
                adjoint(tape, map, &seeds, &[input])[0]
            }
        })
        .collect();
    let used = if forward { Compression::Columns(sweeps) } else { Compression::Rows(sweeps) };
    let shape = Shape::Matrix(rows, columns);
    let zero = tape.constant(0.0);
    if parts.iter().all(Option::is_none) {
        return (zero.broadcast(shape), used);
    }
    let parts = concat(parts.iter().map(|part| {
        part.map_or_else(|| zero.broadcast(Shape::Vector(width)), |part| part.reshape(Shape::Vector(width)))
    }));
    let (mut from, mut to) = (Vec::new(), Vec::new());
    for (row, list) in pattern.iter().enumerate() {
        for column in list {
            let column = *column as usize;
            from.push(if forward {
                column_colours[column] as usize * rows + row
            } else {
                row_colours[row] as usize * columns + column
            });
            to.push(row * columns + column);
        }
    }
    if to.len() == shape.len() {
        return (parts.pick("gather", &from, shape), used);
    }
    (parts.gather(&from).scatter(&to, shape), used)
}

/// Colours lines (columns or rows) so that two lines of one colour have no cross line in common.
fn compress(lines: &[Vec<u32>], cross: &[Vec<u32>]) -> Vec<u32> {
    // A full pattern needs one colour for each line; skip the quadratic list of conflicts.
    if cross.iter().any(|list| list.len() == lines.len()) {
        return (0..lines.len() as u32).collect();
    }
    greedy_colours(lines.len(), |line| {
        let mut near: Vec<usize> = lines[line]
            .iter()
            .flat_map(|crossing| cross[*crossing as usize].iter().map(|other| *other as usize))
            .filter(|other| *other != line)
            .collect();
        near.sort_unstable();
        near.dedup();
        near
    })
}
