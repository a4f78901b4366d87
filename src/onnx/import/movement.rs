//! Operators that move elements: positions are known, values need not be. Reading at an index that depends on data is a choice.

use super::array::{Array, Elements, assembled};
use super::call::{Call, Result};
use super::dims;
use super::recorded::picked;

/// A shape as whole numbers of the graph.
fn shape_of(dims: &[usize]) -> Vec<i64> {
    dims.iter().map(|size| *size as i64).collect()
}

/// Sizes, of which none is negative.
fn sizes(call: &Call<'_, '_>, values: &[i64]) -> Result<Vec<usize>> {
    let size = |value: &i64| {
        usize::try_from(*value).map_err(|_| call.wrong(format!("{value} is no size of an axis")))
    };
    values.iter().map(size).collect()
}

/// The shape of a tensor.
pub(super) fn shape<'t>(call: &Call<'_, 't>) -> Result<Vec<Array<'t>>> {
    let dims = &call.operand(0)?.dims;
    let rank = dims.len() as i64;
    let end = |at: i64| (if at < 0 { at.saturating_add(rank) } else { at }).clamp(0, rank) as usize;
    let (start, stop) = (end(call.int("start", 0)), end(call.int("end", rank)));
    Ok(vec![Array::integers(shape_of(&dims[start.min(stop)..stop]))])
}

/// The number of elements.
pub(super) fn size<'t>(call: &Call<'_, 't>) -> Result<Vec<Array<'t>>> {
    Ok(vec![Array::new(vec![], Elements::Integers(vec![call.operand(0)?.count() as i64]))])
}

/// The same elements in another shape.
pub(super) fn reshape<'t>(call: &Call<'_, 't>) -> Result<Vec<Array<'t>>> {
    let (operand, wanted) = (call.operand(0)?, call.integers(1)?);
    let keeps_zero = call.int("allowzero", 0) != 0;
    let mut found = Vec::with_capacity(wanted.len());
    for (axis, size) in wanted.iter().enumerate() {
        found.push(match size {
            0 if !keeps_zero => {
                *operand.dims.get(axis).ok_or_else(|| call.wrong(format!("there is no axis {axis}")))?
            }
            -1 => 1,
            size => sizes(call, &[*size])?[0],
        });
    }
    let count = call.count(&found)?;
    if let Some(axis) = wanted.iter().position(|size| *size == -1) {
        if count == 0 || !operand.count().is_multiple_of(count) {
            return Err(call.wrong(format!("{:?} cannot be reshaped to {wanted:?}", operand.dims)));
        }
        found[axis] = operand.count() / count;
    }
    if call.count(&found)? != operand.count() {
        return Err(call.wrong(format!("{:?} cannot be reshaped to {wanted:?}", operand.dims)));
    }
    Ok(vec![operand.reshaped(found)])
}

/// All axes before one, and all from it on.
pub(super) fn flatten<'t>(call: &Call<'_, 't>) -> Result<Vec<Array<'t>>> {
    let operand = call.operand(0)?;
    let rank = operand.dims.len();
    let axis = match call.int("axis", 1) {
        axis if axis == rank as i64 => rank,
        axis => call.axis(axis, rank)?,
    };
    let product = |part: &[usize]| part.iter().product();
    Ok(vec![operand.reshaped(vec![product(&operand.dims[..axis]), product(&operand.dims[axis..])])])
}

/// Axes of size 1 taken away.
pub(super) fn squeeze<'t>(call: &Call<'_, 't>) -> Result<Vec<Array<'t>>> {
    let operand = call.operand(0)?;
    let ones = || (0..operand.dims.len()).filter(|axis| operand.dims[*axis] == 1).collect();
    let axes = call.axes(1, operand.dims.len())?.unwrap_or_else(ones);
    if let Some(axis) = axes.iter().find(|axis| operand.dims[**axis] != 1) {
        return Err(call.wrong(format!("axis {axis} of {:?} is not of size 1", operand.dims)));
    }
    Ok(vec![operand.reshaped(dims::reduced(&operand.dims, &axes, false))])
}

/// Axes of size 1 put in.
pub(super) fn unsqueeze<'t>(call: &Call<'_, 't>) -> Result<Vec<Array<'t>>> {
    let operand = call.operand(0)?;
    let given = match call.ints("axes") {
        Some(axes) => axes,
        None => call.integers(1)?,
    };
    let rank = operand.dims.len() + given.len();
    let mut axes = given.iter().map(|axis| call.axis(*axis, rank)).collect::<Result<Vec<usize>>>()?;
    axes.sort_unstable();
    axes.dedup();
    if axes.len() != given.len() {
        return Err(call.wrong("an axis is put in twice"));
    }
    let mut old = operand.dims.iter();
    let size = |axis: usize| {
        if axes.contains(&axis) { 1 } else { *old.next().expect("an axis for each that is not new") }
    };
    let found = (0..rank).map(size).collect();
    Ok(vec![operand.reshaped(found)])
}

/// Broadcast to a shape.
pub(super) fn expand<'t>(call: &Call<'_, 't>) -> Result<Vec<Array<'t>>> {
    let operand = call.operand(0)?;
    let wanted = call.broadcast(&operand.dims, &sizes(call, call.integers(1)?)?)?;
    Ok(vec![call.spread(operand, &wanted)?])
}

/// Repeated along axes.
pub(super) fn tile<'t>(call: &Call<'_, 't>) -> Result<Vec<Array<'t>>> {
    let operand = call.operand(0)?;
    let times = sizes(call, call.integers(1)?)?;
    if times.len() != operand.dims.len() {
        return Err(call.wrong(format!("{} repetitions for {:?}", times.len(), operand.dims)));
    }
    let product = |(size, times): (&usize, &usize)| size.checked_mul(*times).unwrap_or(usize::MAX);
    let found: Vec<usize> = operand.dims.iter().zip(&times).map(product).collect();
    call.count(&found)?;
    let strides = dims::strides(&operand.dims);
    let mut positions = Vec::new();
    dims::each(&found, |at| {
        let within: Vec<usize> = at.iter().zip(&operand.dims).map(|(at, size)| at % size).collect();
        positions.push(dims::position(&within, &strides));
    });
    Ok(vec![operand.picked(&positions, found)])
}

/// Axes in another order.
pub(super) fn transpose<'t>(call: &Call<'_, 't>) -> Result<Vec<Array<'t>>> {
    let operand = call.operand(0)?;
    let rank = operand.dims.len();
    let order = match call.ints("perm") {
        Some(order) => order.iter().map(|axis| call.axis(*axis, rank)).collect::<Result<Vec<usize>>>()?,
        None => (0..rank).rev().collect(),
    };
    let mut sorted = order.clone();
    sorted.sort_unstable();
    if sorted != (0..rank).collect::<Vec<usize>>() {
        return Err(call.wrong(format!("{order:?} is no order of {rank} axes")));
    }
    Ok(vec![transposed(operand, &order)])
}

/// Axes in this order.
pub(super) fn transposed<'t>(operand: &Array<'t>, order: &[usize]) -> Array<'t> {
    let found: Vec<usize> = order.iter().map(|axis| operand.dims[*axis]).collect();
    // Of a matrix the tape knows the transpose.
    if let (Elements::Recorded(var), [1, 0]) = (&operand.elements, order)
        && !operand.dims.contains(&1)
    {
        return Array::new(found, Elements::Recorded(var.transpose()));
    }
    let strides = dims::strides(&operand.dims);
    let moved: Vec<usize> = order.iter().map(|axis| strides[*axis]).collect();
    let mut positions = Vec::with_capacity(operand.count());
    dims::each(&found, |at| positions.push(dims::position(at, &moved)));
    operand.picked(&positions, found)
}

/// Every step-th element from a start to an end, along axes.
pub(super) fn slice<'t>(call: &Call<'_, 't>) -> Result<Vec<Array<'t>>> {
    let operand = call.operand(0)?;
    let rank = operand.dims.len();
    let (starts, ends) = match (call.ints("starts"), call.ints("ends")) {
        (Some(starts), Some(ends)) => (starts, ends),
        _ => (call.integers(1)?, call.integers(2)?),
    };
    let axes = call.axes(3, rank)?.unwrap_or_else(|| (0..starts.len().min(rank)).collect());
    let steps = match call.optional(4) {
        Some(_) => call.integers(4)?.to_vec(),
        None => vec![1; starts.len()],
    };
    if ends.len() != starts.len() || axes.len() != starts.len() || steps.len() != starts.len() {
        return Err(call.wrong("starts, ends, axes and steps must be as many"));
    }
    let mut kept: Vec<Vec<usize>> = operand.dims.iter().map(|size| (0..*size).collect()).collect();
    for (k, axis) in axes.iter().enumerate() {
        let size = operand.dims[*axis] as i64;
        let step = steps[k];
        if step == 0 {
            return Err(call.wrong("a step is 0"));
        }
        let from_end = |at: i64| if at < 0 { at.saturating_add(size) } else { at };
        let (low, high) = if step > 0 { (0, size) } else { (-1, size - 1) };
        let start = from_end(starts[k]).clamp(low.max(0), high.max(0));
        let end = from_end(ends[k]).clamp(low, high);
        let mut at = start;
        kept[*axis].clear();
        while if step > 0 { at < end } else { at > end && at < size } {
            kept[*axis].push(at as usize);
            at = at.saturating_add(step);
        }
    }
    let found: Vec<usize> = kept.iter().map(Vec::len).collect();
    let strides = dims::strides(&operand.dims);
    let mut positions = Vec::new();
    dims::each(&found, |at| {
        positions
            .push(at.iter().zip(&kept).zip(&strides).map(|((at, kept), stride)| kept[*at] * stride).sum());
    });
    Ok(vec![operand.picked(&positions, found)])
}

/// Tensors one after another along an axis.
pub(super) fn concat<'t>(call: &Call<'_, 't>) -> Result<Vec<Array<'t>>> {
    let parts: Vec<Array<'t>> =
        (0..call.operands.len()).map(|k| call.operand(k).cloned()).collect::<Result<_>>()?;
    let first = call.operand(0)?;
    let axis = call.axis(call.int("axis", 0), first.dims.len())?;
    let alike = |part: &Array<'t>| {
        part.dims.len() == first.dims.len()
            && (0..first.dims.len()).all(|other| other == axis || part.dims[other] == first.dims[other])
    };
    if let Some(other) = parts.iter().find(|part| !alike(part)) {
        return Err(call.wrong(format!("{:?} and {:?} differ beside axis {axis}", first.dims, other.dims)));
    }
    let mut found = first.dims.clone();
    found[axis] = parts.iter().map(|part| part.dims[axis]).sum();
    call.count(&found)?;
    let mut places = Vec::new();
    dims::each(&found, |at| {
        let (mut part, mut within) = (0, at.to_vec());
        while within[axis] >= parts[part].dims[axis] {
            within[axis] -= parts[part].dims[axis];
            part += 1;
        }
        places.push((part, dims::position(&within, &dims::strides(&parts[part].dims))));
    });
    Ok(vec![assembled(call.tape, &parts, &places, found).map_err(|reason| call.wrong(reason))?])
}

/// A tensor cut along an axis.
pub(super) fn split<'t>(call: &Call<'_, 't>) -> Result<Vec<Array<'t>>> {
    let operand = call.operand(0)?;
    let axis = call.axis(call.int("axis", 0), operand.dims.len())?;
    let size = operand.dims[axis];
    let widths = match (call.ints("split"), call.optional(1)) {
        (Some(widths), _) => sizes(call, widths)?,
        // The size of each part but the last, which may be smaller.
        (None, Some(width)) if width.dims.is_empty() => {
            let width = sizes(call, call.integers(1)?)?[0].max(1);
            (0..size.div_ceil(width)).map(|part| width.min(size - part * width)).collect()
        }
        (None, Some(_)) => sizes(call, call.integers(1)?)?,
        (None, None) => {
            let parts = call.node.output.len().max(1);
            let width = size.div_ceil(parts);
            (0..parts).map(|part| width.min(size.saturating_sub(part * width))).collect()
        }
    };
    if widths.iter().try_fold(0usize, |sum, width| sum.checked_add(*width)) != Some(size) {
        return Err(call.wrong(format!("parts of {widths:?} do not fill an axis of {size}")));
    }
    let strides = dims::strides(&operand.dims);
    let mut first = 0;
    let mut parts = Vec::with_capacity(widths.len());
    for width in widths {
        let mut found = operand.dims.clone();
        found[axis] = width;
        let mut positions = Vec::new();
        dims::each(&found, |at| positions.push(dims::position(at, &strides) + first * strides[axis]));
        parts.push(operand.picked(&positions, found));
        first += width;
    }
    Ok(parts)
}

/// A margin of a constant around a tensor.
pub(super) fn pad<'t>(call: &Call<'_, 't>) -> Result<Vec<Array<'t>>> {
    let operand = call.operand(0)?;
    let rank = operand.dims.len();
    let mode = call.text("mode", "constant");
    if mode != "constant" {
        return Err(call.refuse(format!("mode = {mode}; only a constant margin is read")));
    }
    let widths = match call.ints("pads") {
        Some(widths) => widths,
        None => call.integers(1)?,
    };
    let axes = call.axes(3, rank)?.unwrap_or_else(|| (0..rank).collect());
    if widths.len() != 2 * axes.len() {
        return Err(call.wrong(format!("{} widths for {} axes", widths.len(), axes.len())));
    }
    let mut before = vec![0i64; rank];
    let mut found = operand.dims.clone();
    for (k, axis) in axes.iter().enumerate() {
        before[*axis] = widths[k];
        let size = (operand.dims[*axis] as i64)
            .checked_add(widths[k])
            .and_then(|size| size.checked_add(widths[k + axes.len()]));
        found[*axis] = sizes(call, &[size.unwrap_or(-1)])?[0];
    }
    call.count(&found)?;
    let zero = match (&operand.elements, call.float("value", 0.0)) {
        (Elements::Numbers(_) | Elements::Recorded(_), value) => Elements::Numbers(vec![value]),
        (Elements::Integers(_) | Elements::Cases(_), value) => Elements::Integers(vec![value as i64]),
        _ => Elements::Truths(vec![false]),
    };
    let margin = match call.optional(2) {
        Some(value) if value.count() == 1 => value.reshaped(vec![1]),
        _ => Array::new(vec![1], zero),
    };
    let strides = dims::strides(&operand.dims);
    let mut places = Vec::new();
    dims::each(&found, |at| {
        let within: Vec<i64> = at.iter().zip(&before).map(|(at, before)| *at as i64 - before).collect();
        let inside = within.iter().zip(&operand.dims).all(|(at, size)| (0..*size as i64).contains(at));
        places.push(match inside {
            true => (0, within.iter().zip(&strides).map(|(at, stride)| *at as usize * stride).sum()),
            false => (1, 0),
        });
    });
    let parts = [operand.clone(), margin];
    Ok(vec![assembled(call.tape, &parts, &places, found).map_err(|reason| call.wrong(reason))?])
}

/// The entries of a matrix on one side of a diagonal; the others are 0, for all values.
pub(super) fn triangle<'t>(call: &Call<'_, 't>) -> Result<Vec<Array<'t>>> {
    let operand = call.operand(0)?;
    let upper = call.int("upper", 1) != 0;
    let offset = match call.optional(1) {
        Some(_) => call.integers(1)?.first().copied().unwrap_or(0),
        None => 0,
    };
    let rank = operand.dims.len();
    if rank < 2 {
        return Err(call.wrong("only a matrix has a triangle"));
    }
    let zero = match operand.is_float() {
        true => Array::new(vec![1], Elements::Numbers(vec![0.0])),
        false => Array::integers(vec![0]),
    };
    let mut places = Vec::new();
    dims::each(&operand.dims, |at| {
        let (row, column) = (at[rank - 2] as i64, at[rank - 1] as i64);
        let kept = if upper { column - row >= offset } else { column - row <= offset };
        places.push(if kept { (0, places.len()) } else { (1, 0) });
    });
    let (parts, found) = ([operand.clone(), zero], operand.dims.clone());
    Ok(vec![assembled(call.tape, &parts, &places, found).map_err(|reason| call.wrong(reason))?])
}

/// What an index out of bounds means.
fn place(call: &Call<'_, '_>, index: i64, size: usize) -> Result<usize> {
    dims::axis(index, size)
        .ok_or_else(|| call.wrong(format!("there is no index {index} in an axis of {size}")))
}

/// Whole slices at indices of an axis.
pub(super) fn gather<'t>(call: &Call<'_, 't>) -> Result<Vec<Array<'t>>> {
    let (operand, index) = (call.operand(0)?, call.operand(1)?);
    let axis = call.axis(call.int("axis", 0), operand.dims.len())?;
    let inner = &operand.dims[axis + 1..];
    let found: Vec<usize> = [&operand.dims[..axis], &index.dims, inner].concat();
    call.count(&found)?;
    let (outer_rank, index_rank) = (axis, index.dims.len());
    let (strides, index_strides) = (dims::strides(&operand.dims), dims::strides(&index.dims));
    let position = |at: &[usize], chosen: usize| {
        let outer = dims::position(&at[..outer_rank], &strides);
        let inner = dims::position(&at[outer_rank + index_rank..], &strides[axis + 1..]);
        outer + chosen * strides[axis] + inner
    };
    let of = |at: &[usize]| dims::position(&at[outer_rank..outer_rank + index_rank], &index_strides);
    read_at(call, operand, index, found, axis, &position, &of)
}

/// One element at each index along an axis.
pub(super) fn gather_elements<'t>(call: &Call<'_, 't>) -> Result<Vec<Array<'t>>> {
    let (operand, index) = (call.operand(0)?, call.operand(1)?);
    let axis = call.axis(call.int("axis", 0), operand.dims.len())?;
    let fits = index.dims.len() == operand.dims.len()
        && (0..index.dims.len()).all(|other| other == axis || index.dims[other] <= operand.dims[other]);
    if !fits {
        return Err(call.wrong(format!("indices of shape {:?} do not fit {:?}", index.dims, operand.dims)));
    }
    let (strides, index_strides) = (dims::strides(&operand.dims), dims::strides(&index.dims));
    let position = |at: &[usize], chosen: usize| {
        dims::position(at, &strides) - at[axis] * strides[axis] + chosen * strides[axis]
    };
    let found = index.dims.clone();
    read_at(call, operand, index, found, axis, &position, &|at| dims::position(at, &index_strides))
}

/// Reads elements at indices along an axis, known ones or such as depend on data.
///
/// An index that is out of bounds in a case reads the nearest element, and that is noted: a runtime gives no value there, so that
/// the map is meant where the case does not hold.
fn read_at<'t>(
    call: &Call<'_, 't>,
    operand: &Array<'t>,
    index: &Array<'t>,
    found: Vec<usize>,
    axis: usize,
    position: &dyn Fn(&[usize], usize) -> usize,
    of: &dyn Fn(&[usize]) -> usize,
) -> Result<Vec<Array<'t>>> {
    let size = operand.dims[axis];
    // The position of each element that is read, for known indices.
    let positions = |values: &[i64], outside: &dyn Fn(i64) -> Result<usize>| {
        let mut positions = Vec::new();
        dims::each(&found, |at| {
            let value = values[of(at)];
            let chosen = dims::axis(value, size).map_or_else(|| outside(value), Ok);
            positions.push(chosen.map(|chosen| position(at, chosen)));
        });
        positions.into_iter().collect::<Result<Vec<usize>>>()
    };
    match &index.elements {
        Elements::Integers(values) => {
            let refused =
                |index: i64| Err(call.wrong(format!("there is no index {index} in an axis of {size}")));
            Ok(vec![operand.picked(&positions(values, &refused)?, found)])
        }
        Elements::Cases(cases) => {
            if !operand.is_float() || operand.count() == 0 || found.contains(&0) {
                return Err(
                    call.refuse(format!("it reads {} at an index that depends on the input", operand.kind()))
                );
            }
            let mut wide = Vec::new();
            dims::each(&found, |at| wide.push(of(at)));
            let var = operand.var(call.tape).map_err(|reason| call.wrong(reason))?;
            let nearest = |index: i64| {
                call.clamped.borrow_mut().insert(call.name.to_string());
                Ok(if index < 0 { 0 } else { size - 1 })
            };
            let all =
                cases.0.iter().map(|case| positions(&case.values, &nearest)).collect::<Result<Vec<_>>>()?;
            let mut each = all.iter();
            let read = |_: &[i64]| picked(var, each.next().expect("positions for each case"), &found);
            let chosen = cases.picked(&wide, &found).choose(read);
            Ok(call.recorded(found, chosen))
        }
        _ => Err(call.wrong(format!("the indices are {}", index.kind()))),
    }
}

/// Slices at known coordinates.
pub(super) fn gather_nd<'t>(call: &Call<'_, 't>) -> Result<Vec<Array<'t>>> {
    let (operand, index) = (call.operand(0)?, call.operand(1)?);
    if call.int("batch_dims", 0) != 0 {
        return Err(call.refuse("batch_dims other than 0"));
    }
    let values = call.integers(1)?;
    let (starts, inner) = coordinates(call, operand, index, values)?;
    let found = [&index.dims[..index.dims.len() - 1], &inner].concat();
    call.count(&found)?;
    let width: usize = inner.iter().product();
    let positions: Vec<usize> = starts.iter().flat_map(|start| *start..*start + width).collect();
    Ok(vec![operand.picked(&positions, found)])
}

/// Where the slices at these coordinates start, and their shape.
fn coordinates<'t>(
    call: &Call<'_, 't>,
    operand: &Array<'t>,
    index: &Array<'t>,
    values: &[i64],
) -> Result<(Vec<usize>, Vec<usize>)> {
    let depth = *index.dims.last().ok_or_else(|| call.wrong("indices need an axis"))?;
    if depth > operand.dims.len() || depth == 0 {
        return Err(
            call.wrong(format!("coordinates of {depth} numbers in a tensor of rank {}", operand.dims.len()))
        );
    }
    let strides = dims::strides(&operand.dims);
    let start = |at: &[i64]| -> Result<usize> {
        let places = at
            .iter()
            .enumerate()
            .map(|(axis, index)| Ok(place(call, *index, operand.dims[axis])? * strides[axis]));
        places.sum()
    };
    let starts = values.chunks(depth).map(start).collect::<Result<Vec<usize>>>()?;
    Ok((starts, operand.dims[depth..].to_vec()))
}

/// A tensor with slices at known coordinates replaced.
pub(super) fn scatter_nd<'t>(call: &Call<'_, 't>) -> Result<Vec<Array<'t>>> {
    let (operand, index, updates) = (call.operand(0)?, call.operand(1)?, call.operand(2)?);
    only_replaces(call)?;
    let values = call.integers(1)?;
    let (starts, inner) = coordinates(call, operand, index, values)?;
    let width: usize = inner.iter().product();
    if updates.count() != starts.len() * width {
        return Err(call.wrong(format!("{} elements replace {}", updates.count(), starts.len() * width)));
    }
    let mut places: Vec<(usize, usize)> = (0..operand.count()).map(|e| (0, e)).collect();
    for (k, start) in starts.iter().enumerate() {
        (0..width).for_each(|within| places[start + within] = (1, k * width + within));
    }
    let parts = [operand.clone(), updates.clone()];
    Ok(vec![
        assembled(call.tape, &parts, &places, operand.dims.clone()).map_err(|reason| call.wrong(reason))?,
    ])
}

/// A tensor with elements at known indices of an axis replaced.
pub(super) fn scatter_elements<'t>(call: &Call<'_, 't>) -> Result<Vec<Array<'t>>> {
    let (operand, index, updates) = (call.operand(0)?, call.operand(1)?, call.operand(2)?);
    only_replaces(call)?;
    let axis = call.axis(call.int("axis", 0), operand.dims.len())?;
    let values = call.integers(1)?;
    let fits = index.dims.len() == operand.dims.len()
        && index.dims == updates.dims
        && (0..index.dims.len()).all(|other| other == axis || index.dims[other] <= operand.dims[other]);
    if !fits {
        return Err(call.wrong(format!("indices of shape {:?} do not fit {:?}", index.dims, operand.dims)));
    }
    let strides = dims::strides(&operand.dims);
    let mut places: Vec<(usize, usize)> = (0..operand.count()).map(|e| (0, e)).collect();
    let (mut next, mut wrong) = (0, None);
    dims::each(&index.dims, |at| {
        match dims::axis(values[next], operand.dims[axis]) {
            Some(chosen) => {
                let position =
                    dims::position(at, &strides) - at[axis] * strides[axis] + chosen * strides[axis];
                places[position] = (1, next);
            }
            None => wrong = Some(values[next]),
        }
        next += 1;
    });
    if let Some(index) = wrong {
        return Err(call.wrong(format!("there is no index {index} in axis {axis} of {:?}", operand.dims)));
    }
    let parts = [operand.clone(), updates.clone()];
    Ok(vec![
        assembled(call.tape, &parts, &places, operand.dims.clone()).map_err(|reason| call.wrong(reason))?,
    ])
}

fn only_replaces(call: &Call<'_, '_>) -> Result<()> {
    match call.text("reduction", "none").as_str() {
        "none" => Ok(()),
        other => Err(call.refuse(format!("reduction = {other}; only replaced elements are read"))),
    }
}

/// Numbers of one value.
pub(super) fn constant_of_shape<'t>(call: &Call<'_, 't>, value: Array<'t>) -> Result<Vec<Array<'t>>> {
    let found = sizes(call, call.integers(0)?)?;
    let count = call.count(&found)?;
    Ok(vec![value.picked(&vec![0; count], found)])
}

/// Numbers from a start to an end.
pub(super) fn range<'t>(call: &Call<'_, 't>) -> Result<Vec<Array<'t>>> {
    let whole = !call.operand(0)?.is_float();
    let (start, limit, step) = (call.number(0)?, call.number(1)?, call.number(2)?);
    let count = ((limit - start) / step).ceil().max(0.0);
    if !count.is_finite() || count > dims::MOST as f64 {
        return Err(call.wrong(format!("from {start} to {limit} by {step} are too many numbers")));
    }
    let values = (0..count as usize).map(|k| start + k as f64 * step);
    let elements = match whole {
        true => Elements::Integers(values.map(|value| value as i64).collect()),
        false => Elements::Numbers(values.collect()),
    };
    Ok(vec![Array::new(vec![count as usize], elements)])
}

/// 1 on a diagonal.
pub(super) fn eye_like<'t>(call: &Call<'_, 't>) -> Result<Vec<Array<'t>>> {
    let found = call.operand(0)?.dims.clone();
    let [rows, columns] = found[..] else { return Err(call.wrong("only a matrix has a diagonal")) };
    let offset = call.int("k", 0);
    let entries = (0..rows * columns).map(|e| (e % columns) as i64 - (e / columns) as i64 == offset);
    let elements = match call.operand(0)?.is_float() || call.has("dtype") {
        true => Elements::Numbers(entries.map(|one| f64::from(u8::from(one))).collect()),
        false => Elements::Integers(entries.map(i64::from).collect()),
    };
    Ok(vec![Array::new(found, elements)])
}

/// Where truth values that are known hold, by coordinates.
pub(super) fn non_zero<'t>(call: &Call<'_, 't>) -> Result<Vec<Array<'t>>> {
    let operand = call.operand(0)?;
    let holds: Vec<bool> = match &operand.elements {
        Elements::Truths(values) => values.clone(),
        Elements::Integers(values) => values.iter().map(|value| *value != 0).collect(),
        Elements::Numbers(values) => values.iter().map(|value| *value != 0.0).collect(),
        _ => {
            return Err(call.refuse(
                "which rows it selects depends on the input (a masked assignment, x[mask] = …); write torch.where(mask, …, x)",
            ));
        }
    };
    let rank = operand.dims.len();
    let mut at_all: Vec<Vec<i64>> = vec![Vec::new(); rank];
    let mut next = 0;
    dims::each(&operand.dims, |at| {
        if holds[next] {
            at.iter().zip(&mut at_all).for_each(|(at, all)| all.push(*at as i64));
        }
        next += 1;
    });
    let count = at_all.first().map_or(0, Vec::len);
    Ok(vec![Array::new(vec![rank, count], Elements::Integers(at_all.concat()))])
}
