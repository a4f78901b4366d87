//! Rows that are equal. If one copy is trained on and another tested on, the test is too good.

use std::collections::hash_map::Entry;

use rustc_hash::FxHashMap;

use crate::table::block::{Block, Cells, Column};

/// How many rows repeat earlier ones.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
#[cfg_attr(feature = "serde", derive(serde::Serialize, serde::Deserialize))]
pub struct Repeats {
    /// Rows that are equal to an earlier row.
    pub rows: usize,
    /// Groups of equal rows.
    pub groups: usize,
    /// The size of the largest group.
    pub largest: usize,
    /// The lines of the first rows that repeat an earlier one.
    pub lines: Vec<u64>,
}

/// Numbers the rows so that equal ones have equal numbers: that of the first of them.
pub(super) fn groups(block: &Block, columns: &[&Column]) -> (Vec<usize>, Repeats) {
    let mut codes: Vec<FxHashMap<&str, u64>> = vec![FxHashMap::default(); columns.len()];
    let mut first: FxHashMap<Vec<u64>, usize> = FxHashMap::default();
    let mut sizes: FxHashMap<usize, usize> = FxHashMap::default();
    let mut repeats = Repeats::default();
    let mut groups = Vec::with_capacity(block.rows());
    if columns.is_empty() {
        return ((0..block.rows()).collect(), repeats);
    }
    for row in 0..block.rows() {
        let key = columns.iter().zip(&mut codes).map(|(column, codes)| match &column.cells {
            Cells::Numbers(values) if values[row].is_nan() => u64::MAX,
            Cells::Numbers(values) => (values[row] + 0.0).to_bits(),
            Cells::Text(texts) => texts[row].as_deref().map_or(u64::MAX, |text| {
                let next = codes.len() as u64;
                *codes.entry(text).or_insert(next)
            }),
        });
        let group = match first.entry(key.collect()) {
            Entry::Occupied(entry) => *entry.get(),
            Entry::Vacant(entry) => *entry.insert(row),
        };
        if group != row {
            repeats.rows += 1;
            if repeats.lines.len() < 5 {
                repeats.lines.push(block.lines()[row]);
            }
            *sizes.entry(group).or_insert(1) += 1;
        }
        groups.push(group);
    }
    repeats.groups = sizes.len();
    repeats.largest = sizes.into_values().max().unwrap_or(1);
    (groups, repeats)
}
