//! Positions of elements in tensors of any rank, numbered by rows.

/// The largest number of elements that a tensor may have.
pub(super) const MOST: usize = 1 << 22;

/// Number of elements; `None` if there are too many. Beside an axis of size 0 the others are small, too.
pub(super) fn count(dims: &[usize]) -> Option<usize> {
    let product = dims.iter().try_fold(1usize, |product, size| product.checked_mul((*size).max(1)))?;
    let count = if dims.contains(&0) { 0 } else { product };
    (product <= MOST).then_some(count)
}

/// How far apart neighbours along each axis are.
pub(super) fn strides(dims: &[usize]) -> Vec<usize> {
    let mut strides = vec![1; dims.len()];
    for axis in (1..dims.len()).rev() {
        strides[axis - 1] = strides[axis] * dims[axis];
    }
    strides
}

/// Calls `visit` with the coordinates of each element, in order.
pub(super) fn each(dims: &[usize], mut visit: impl FnMut(&[usize])) {
    if dims.contains(&0) {
        return;
    }
    let mut at = vec![0; dims.len()];
    loop {
        visit(&at);
        let Some(axis) = (0..dims.len()).rev().find(|axis| at[*axis] + 1 < dims[*axis]) else { return };
        at[axis] += 1;
        at[axis + 1..].fill(0);
    }
}

/// The position of an element.
pub(super) fn position(at: &[usize], strides: &[usize]) -> usize {
    at.iter().zip(strides).map(|(at, stride)| at * stride).sum()
}

/// The shape to which both are broadcast: axes are aligned at the end, and one of two sizes may be 1.
pub(super) fn broadcast(a: &[usize], b: &[usize]) -> Option<Vec<usize>> {
    let rank = a.len().max(b.len());
    let size = |dims: &[usize], axis: usize| (axis + dims.len()).checked_sub(rank).map_or(1, |at| dims[at]);
    (0..rank)
        .map(|axis| match (size(a, axis), size(b, axis)) {
            (1, other) | (other, 1) => Some(other),
            (one, other) => (one == other).then_some(one),
        })
        .collect()
}

/// For each element of `to`, the position of the element of `from` that is broadcast there.
pub(super) fn broadcast_positions(from: &[usize], to: &[usize]) -> Vec<usize> {
    let own = strides(from);
    let skipped = to.len() - from.len();
    let mut positions = Vec::new();
    each(to, |at| {
        let of = |axis: usize| if from[axis] == 1 { 0 } else { at[axis + skipped] * own[axis] };
        positions.push((0..from.len()).map(of).sum());
    });
    positions
}

/// An axis counted from the end if it is negative.
pub(super) fn axis(axis: i64, rank: usize) -> Option<usize> {
    let rank = i64::try_from(rank).ok()?;
    let counted = if axis < 0 { axis.checked_add(rank)? } else { axis };
    (0..rank).contains(&counted).then_some(counted as usize)
}

/// The elements grouped by everything but `axes`: for each group its members' positions, in order.
pub(super) fn groups(dims: &[usize], axes: &[usize]) -> Vec<Vec<usize>> {
    let kept: Vec<usize> = (0..dims.len()).filter(|axis| !axes.contains(axis)).collect();
    let outer: Vec<usize> = kept.iter().map(|axis| dims[*axis]).collect();
    let outer_strides = strides(&outer);
    let mut groups = vec![Vec::new(); outer.iter().product()];
    let mut next = 0;
    each(dims, |at| {
        let group: usize = kept.iter().zip(&outer_strides).map(|(axis, stride)| at[*axis] * stride).sum();
        groups[group].push(next);
        next += 1;
    });
    groups
}

/// The shape without these axes, or with 1 in their place.
pub(super) fn reduced(dims: &[usize], axes: &[usize], keep: bool) -> Vec<usize> {
    let size = |(axis, size): (usize, &usize)| match axes.contains(&axis) {
        true => keep.then_some(1),
        false => Some(*size),
    };
    dims.iter().enumerate().filter_map(size).collect()
}
