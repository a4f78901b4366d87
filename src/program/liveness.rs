//! Allocation of rows: memory is reused after the last use of a row.
//!
//! Rows come in blocks (the result of one instruction). A block is live from the first instruction that writes it to
//! the last one that uses it; the smallest gap that fits is allocated, so that live blocks stay close together.

use std::collections::{BTreeMap, BTreeSet};

use super::instruction::{Instruction, Work};
use super::matrix::Matrix;
use super::register::{Row, Rows};

/// The addresses of rows in memory.
pub(super) struct Memory {
    blocks: Vec<Rows>,
    moved_to: Vec<Row>,
    /// The total number of rows.
    pub rows: usize,
}

/// The first and the last instruction that use a block, counted from 1; 0 precedes all of them.
#[derive(Clone, Copy, Debug)]
struct Lifetime {
    birth: usize,
    death: usize,
}

impl Memory {
    /// Allocates blocks, given in the order of their rows; `inputs` and `outputs` are rows that are live from the
    /// beginning, or to the end.
    pub(super) fn new(
        blocks: &[Rows],
        instructions: &[Instruction],
        inputs: &[Row],
        outputs: &[Row],
        matrices: &[Matrix],
    ) -> Memory {
        let mut memory =
            Memory { blocks: blocks.to_vec(), moved_to: vec![Row::new(0); blocks.len()], rows: 0 };
        let mut lives: Vec<Option<Lifetime>> = vec![None; blocks.len()];
        let mut touch = |block: usize, time: usize| {
            let life = lives[block].get_or_insert(Lifetime { birth: time, death: time });
            life.birth = life.birth.min(time);
            life.death = life.death.max(time);
        };
        inputs.iter().for_each(|row| touch(memory.block(*row), 0));
        let mut time = 0;
        for instruction in instructions {
            time += 1;
            if let Work::Integrate(integration) = &instruction.work {
                // Its body is a program of its own, which runs again and again: what it reads from elsewhere lives
                // throughout, and what the solver reads and writes itself.
                let (begin, mut inside) = (time, Vec::new());
                for instruction in &integration.body {
                    time += 1;
                    let written = instruction.written(matrices);
                    let read = instruction.read(matrices);
                    written.iter().chain(&read).for_each(|rows| touch(memory.block(rows.first), time));
                    inside.extend(written.iter().map(|rows| memory.block(rows.first)));
                }
                inside.sort_unstable();
                time += 1;
                let read = integration.body.iter().flat_map(|instruction| instruction.read(matrices));
                for rows in read {
                    let block = memory.block(rows.first);
                    if inside.binary_search(&block).is_err() {
                        touch(block, begin);
                        touch(block, time);
                    }
                }
                for rows in integration.own_rows() {
                    let block = memory.block(rows.first);
                    if inside.binary_search(&block).is_err() {
                        touch(block, begin);
                    }
                    touch(block, time);
                }
                continue;
            }
            let touched = instruction.written(matrices).into_iter().chain(instruction.read(matrices));
            touched.for_each(|rows| touch(memory.block(rows.first), time));
        }
        outputs.iter().for_each(|row| touch(memory.block(*row), time + 1));
        let mut by_birth: Vec<(usize, Lifetime)> =
            lives.into_iter().enumerate().filter_map(|(block, life)| Some((block, life?))).collect();
        by_birth.sort_by_key(|(_, life)| life.birth);
        let mut by_death = by_birth.clone();
        by_death.sort_by_key(|(_, life)| life.death);
        let mut gaps = Gaps::default();
        let mut dead = by_death.into_iter().peekable();
        for (block, life) in by_birth {
            // Blocks whose last use is earlier free their memory for this one.
            while let Some((gone, _)) = dead.next_if(|(_, gone)| gone.death < life.birth) {
                gaps.give_back(memory.moved_to[gone].index(), blocks[gone].count);
            }
            memory.moved_to[block] = Row::new(gaps.take(blocks[block].count));
        }
        memory.rows = gaps.end;
        memory
    }

    fn block(&self, row: Row) -> usize {
        self.blocks.partition_point(|block| block.first <= row) - 1
    }

    /// Returns the address of a row.
    pub(super) fn row(&self, row: Row) -> Row {
        let block = self.block(row);
        self.moved_to[block].after(row.index() - self.blocks[block].first.index())
    }
}

/// Free memory below the end of what is allocated.
#[derive(Default)]
struct Gaps {
    by_start: BTreeMap<usize, usize>,
    by_size: BTreeSet<(usize, usize)>,
    end: usize,
}

impl Gaps {
    fn take(&mut self, count: usize) -> usize {
        let Some((size, start)) = self.by_size.range((count, 0)..).next().copied() else {
            self.end += count;
            return self.end - count;
        };
        self.by_size.remove(&(size, start));
        self.by_start.remove(&start);
        if size > count {
            self.insert(start + count, size - count);
        }
        start
    }

    fn give_back(&mut self, start: usize, count: usize) {
        let (mut start, mut count) = (start, count);
        if let Some((before, size)) = self.by_start.range(..start).next_back().map(|(s, c)| (*s, *c))
            && before + size == start
        {
            self.by_start.remove(&before);
            self.by_size.remove(&(size, before));
            (start, count) = (before, count + size);
        }
        if let Some(size) = self.by_start.remove(&(start + count)) {
            self.by_size.remove(&(size, start + count));
            count += size;
        }
        self.insert(start, count);
    }

    fn insert(&mut self, start: usize, count: usize) {
        if count > 0 {
            self.by_start.insert(start, count);
            self.by_size.insert((count, start));
        }
    }
}
