//! Products of matrices, contractions and determinants.

use super::array::{Array, Elements, assembled};
use super::call::{Call, Result};
use super::dims;
use super::elementwise::{pair, spread_both};
use super::movement::transposed;
use super::recorded::reshaped;
use crate::tape::{Shape, Var};

/// A·B of matrices, one for each of the axes before the last two.
pub(super) fn matmul<'t>(call: &Call<'_, 't>) -> Result<Vec<Array<'t>>> {
    Ok(vec![product(call, call.operand(0)?, call.operand(1)?)?])
}

fn product<'t>(call: &Call<'_, 't>, a: &Array<'t>, b: &Array<'t>) -> Result<Array<'t>> {
    if !a.is_float() || !b.is_float() {
        return Err(call.refuse(format!("a product of {} and {}", a.kind(), b.kind())));
    }
    // A vector is a row on the left and a column on the right, whose axis is taken away again.
    let (row, column) = (a.dims.len() == 1, b.dims.len() == 1);
    let a = if row { a.reshaped(vec![1, a.dims[0]]) } else { a.clone() };
    let b = if column { b.reshaped(vec![b.dims[0], 1]) } else { b.clone() };
    let ([before_a @ .., m, k], [before_b @ .., same, n]) = (&a.dims[..], &b.dims[..]) else {
        return Err(call.wrong("a number has no product of matrices"));
    };
    let (m, k, n) = (*m, *k, *n);
    if k != *same || k == 0 || m == 0 || n == 0 {
        return Err(call.wrong(format!("a product of {:?} and {:?}", a.dims, b.dims)));
    }
    let outer = call.broadcast(before_a, before_b)?;
    let spread_a = call.spread(&a, &[&outer[..], &[m, k]].concat())?;
    let spread_b = call.spread(&b, &[&outer[..], &[k, n]].concat())?;
    let count: usize = outer.iter().product();
    if count == 0 {
        return Err(call.wrong(format!("a product of {:?} and {:?}", a.dims, b.dims)));
    }
    let mut parts = Vec::with_capacity(count);
    for batch in 0..count {
        let block = |array: &Array<'t>, rows: usize, columns: usize| {
            let positions: Vec<usize> = (batch * rows * columns..(batch + 1) * rows * columns).collect();
            array.picked(&positions, vec![rows, columns])
        };
        let (a, b) = match count {
            1 => (spread_a.reshaped(vec![m, k]), spread_b.reshaped(vec![k, n])),
            _ => (block(&spread_a, m, k), block(&spread_b, k, n)),
        };
        let var = |array: &Array<'t>| array.var(call.tape).map_err(|reason| call.wrong(reason));
        parts.push(Array::new(vec![m, n], Elements::Recorded(single(var(&a)?, var(&b)?, (m, k, n)))));
    }
    let mut found = outer;
    found.extend((!row).then_some(m));
    found.extend((!column).then_some(n));
    call.count(&found)?;
    if let [one] = &parts[..] {
        return Ok(one.reshaped(found));
    }
    let places: Vec<(usize, usize)> = (0..count * m * n).map(|e| (e / (m * n), e % (m * n))).collect();
    assembled(call.tape, &parts, &places, found).map_err(|reason| call.wrong(reason))
}

/// The product of two nodes, whose axes of size 1 are not there.
fn single<'t>(a: Var<'t>, b: Var<'t>, (m, k, n): (usize, usize, usize)) -> Var<'t> {
    match (m, k, n) {
        // A number times whatever the other is, or two vectors that are a column and a row.
        (1, 1, _) | (_, 1, 1) => a * b,
        (_, 1, _) => a.outer(b),
        (1, _, 1) => a.dot(b),
        (1, _, _) => b.transpose().matvec(a),
        (_, _, 1) => a.matvec(b),
        _ => a.matmul(b),
    }
}

/// α·A·B + β·C, with A and B transposed or not.
pub(super) fn gemm<'t>(call: &Call<'_, 't>) -> Result<Vec<Array<'t>>> {
    let turned = |k: usize, name: &str| -> Result<Array<'t>> {
        let array = call.operand(k)?;
        match (array.dims.len(), call.int(name, 0) != 0) {
            (2, true) => Ok(transposed(array, &[1, 0])),
            (2, false) => Ok(array.clone()),
            (rank, _) => Err(call.wrong(format!("operand {k} is of rank {rank}, and must be a matrix"))),
        }
    };
    let (a, b) = (turned(0, "transA")?, turned(1, "transB")?);
    let scaled = |array: Array<'t>, factor: f64| -> Result<Array<'t>> {
        if factor == 1.0 {
            return Ok(array);
        }
        let var = array.var(call.tape).map_err(|reason| call.wrong(reason))?;
        Ok(Array::new(array.dims, Elements::Recorded(factor * var)))
    };
    let product = scaled(product(call, &a, &b)?, call.float("alpha", 1.0))?;
    let Some(added) = call.optional(2) else { return Ok(vec![product]) };
    let added = scaled(added.clone(), call.float("beta", 1.0))?;
    Ok(vec![pair(call, &product, &added, &|a, b| a + b, &|_, _| None)?])
}

/// Sums of products by Einstein's convention, of one or several operands.
pub(super) fn einsum<'t>(call: &Call<'_, 't>) -> Result<Vec<Array<'t>>> {
    let equation = call.text("equation", "").replace(' ', "");
    let (given, result) = match equation.split_once("->") {
        Some((given, result)) => (given.to_string(), Some(result.to_string())),
        None => (equation.clone(), None),
    };
    let rank_of_rest = |terms: &[String]| {
        let ranks = terms.iter().zip(&call.operands).filter(|(term, _)| term.contains("..."));
        ranks
            .filter_map(|(term, array)| Some(array.as_ref()?.dims.len().saturating_sub(term.len() - 3)))
            .max()
    };
    let terms: Vec<String> = given.split(',').map(str::to_string).collect();
    if terms.len() != call.operands.len() {
        return Err(call.wrong(format!(
            "`{equation}` has {} terms for {} operands",
            terms.len(),
            call.operands.len()
        )));
    }
    // An ellipsis stands for axes that are named by digits, from the last on.
    let rest = rank_of_rest(&terms).unwrap_or(0).min(9);
    let digits =
        |count: usize| (0..count).rev().map(|digit| char::from(b'0' + digit as u8)).collect::<String>();
    let labels_of = |term: &str, rank: usize| -> Vec<char> {
        let named = term.replace("...", "").chars().count();
        term.replace("...", &digits(rank.saturating_sub(named).min(9))).chars().collect()
    };
    let mut labels = Vec::new();
    for (k, term) in terms.iter().enumerate() {
        labels.push(labels_of(term, call.operand(k)?.dims.len()));
    }
    let mut all: Vec<(char, usize)> = Vec::new();
    for (k, labels) in labels.iter().enumerate() {
        let array = call.operand(k)?;
        if labels.len() != array.dims.len() {
            return Err(call.wrong(format!("`{}` does not name the axes of {:?}", terms[k], array.dims)));
        }
        for (label, size) in labels.iter().zip(&array.dims) {
            match all.iter_mut().find(|(known, _)| known == label) {
                None => all.push((*label, *size)),
                Some((_, known)) if *known == *size || *size == 1 => {}
                Some((_, known)) if *known == 1 => *known = *size,
                Some((_, known)) => {
                    return Err(call.wrong(format!("axis `{label}` of `{equation}` is {known} and {size}")));
                }
            }
        }
    }
    let once = |label: &char| labels.iter().flatten().filter(|other| *other == label).count() == 1;
    let kept: Vec<char> = match &result {
        Some(result) => result.replace("...", &digits(rest)).chars().collect(),
        None => {
            let mut kept: Vec<char> = all.iter().map(|(label, _)| *label).filter(once).collect();
            kept.sort_unstable();
            kept
        }
    };
    if let Some(label) = kept.iter().find(|label| !all.iter().any(|(known, _)| known == *label)) {
        return Err(call.wrong(format!("`{equation}` has an axis `{label}` that no operand has")));
    }
    let size = |label: &char| all.iter().find(|(known, _)| known == label).map_or(1, |(_, size)| *size);
    let mut order = kept.clone();
    order.extend(all.iter().map(|(label, _)| *label).filter(|label| !kept.contains(label)));
    let full: Vec<usize> = order.iter().map(size).collect();
    if call.count(&full)? == 0 {
        return Err(call.wrong("an axis has no elements"));
    }
    // Every operand spread over all axes, and their product summed over those that are not kept.
    let mut total: Option<Array<'t>> = None;
    for (k, labels) in labels.iter().enumerate() {
        let array = call.operand(k)?;
        let strides = dims::strides(&array.dims);
        let mut positions = Vec::new();
        dims::each(&full, |at| {
            let along = labels.iter().enumerate().map(|(axis, label)| {
                let place =
                    order.iter().position(|other| other == label).expect("every label is in the order");
                if array.dims[axis] == 1 { 0 } else { at[place] * strides[axis] }
            });
            positions.push(along.sum());
        });
        let spread = array.picked(&positions, full.clone());
        total = Some(match total {
            None => spread,
            Some(total) => {
                let [a, b] = spread_both(call, &total, &spread, &full)?;
                Array::new(full.clone(), Elements::Recorded(a * b))
            }
        });
    }
    let total = total.ok_or_else(|| call.wrong("no operands"))?;
    let found: Vec<usize> = kept.iter().map(size).collect();
    let groups = dims::groups(&full, &(kept.len()..full.len()).collect::<Vec<usize>>());
    let members = groups.first().map_or(0, Vec::len);
    let mut sum: Option<Var<'t>> = None;
    for member in 0..members {
        let positions: Vec<usize> = groups.iter().map(|group| group[member]).collect();
        let next =
            total.picked(&positions, found.clone()).var(call.tape).map_err(|reason| call.wrong(reason))?;
        sum = Some(sum.map_or(next, |sum| sum + next));
    }
    let sum = sum.ok_or_else(|| call.wrong("a sum of nothing"))?;
    Ok(call.recorded(found, sum))
}

/// The largest matrix whose determinant is written out.
const LARGEST: usize = 5;

/// det W, written out for small matrices.
pub(super) fn determinant<'t>(call: &Call<'_, 't>) -> Result<Vec<Array<'t>>> {
    let operand = call.operand(0)?;
    let [.., n, same] = operand.dims[..] else { return Err(call.wrong("only a matrix has a determinant")) };
    if n != same || operand.count() != n * n || n == 0 {
        return Err(call.wrong(format!("{:?} is not one square matrix", operand.dims)));
    }
    if n > LARGEST {
        return Err(
            call.refuse(format!("determinants are written out up to {LARGEST} rows; this one has {n}"))
        );
    }
    let var = reshaped(call.var(0)?, &[n * n]);
    let flat = if n == 1 { var } else { var.reshape(Shape::Vector(n * n)) };
    let entry = |row: usize, column: usize| if n == 1 { flat } else { flat.at(row * n + column) };
    let found = operand.dims[..operand.dims.len() - 2].to_vec();
    Ok(call.recorded(found, minor(&entry, 0, &(0..n).collect::<Vec<usize>>())))
}

/// The determinant of the rows from `row` on and these columns, along the first row.
fn minor<'t>(entry: &dyn Fn(usize, usize) -> Var<'t>, row: usize, columns: &[usize]) -> Var<'t> {
    if let [column] = columns {
        return entry(row, *column);
    }
    let term = |k: usize| {
        let rest: Vec<usize> = columns.iter().copied().filter(|column| *column != columns[k]).collect();
        entry(row, columns[k]) * minor(entry, row + 1, &rest)
    };
    (1..columns.len()).fold(term(0), |sum, k| if k % 2 == 0 { sum + term(k) } else { sum - term(k) })
}
