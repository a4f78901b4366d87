//! Which rows share memory: a row's place is taken again when nobody reads it any more.
//!
//! Rows come in blocks (the result of one instruction). A block lives from the instruction that writes it first to the
//! one that touches it last; the smallest gap that fits is taken, so that what is live stays close together.

use std::collections::{BTreeMap, BTreeSet};

use super::instruction::Instruction;

/// Rows that lie together.
#[derive(Clone, Copy, Debug)]
pub(super) struct Block {
    pub first: usize,
    pub count: usize,
}

/// Where rows lie in memory.
pub(super) struct Memory {
    blocks: Vec<Block>,
    moved_to: Vec<usize>,
    /// Rows in all.
    pub rows: usize,
}

impl Memory {
    /// Lays out blocks, given in the order of their rows; `inputs` and `outputs` are rows that are there from the
    /// beginning, and to the end.
    pub(super) fn new(
        blocks: &[Block],
        instructions: &[Instruction],
        (inputs, outputs): (&[usize], &[usize]),
        sizes: (&dyn Fn(usize) -> usize, &dyn Fn(usize) -> usize),
    ) -> Memory {
        let end = instructions.len() + 1;
        let mut born = vec![usize::MAX; blocks.len()];
        let mut dies = vec![0; blocks.len()];
        let mut memory = Memory { blocks: blocks.to_vec(), moved_to: vec![0; blocks.len()], rows: 0 };
        for row in inputs {
            born[memory.block(*row)] = 0;
        }
        for (time, instruction) in instructions.iter().enumerate() {
            let written = instruction.written(sizes.0);
            for (row, _) in written.iter().chain(&instruction.read(sizes.1)) {
                let block = memory.block(*row);
                born[block] = born[block].min(time + 1);
                dies[block] = dies[block].max(time + 1);
            }
        }
        for row in outputs {
            dies[memory.block(*row)] = end;
        }
        let mut by_birth: Vec<usize> = (0..blocks.len()).filter(|block| born[*block] != usize::MAX).collect();
        by_birth.sort_by_key(|block| born[*block]);
        let mut by_death: Vec<usize> = by_birth.clone();
        by_death.sort_by_key(|block| dies[*block]);
        let mut gaps = Gaps::default();
        let mut dead = by_death.into_iter().peekable();
        for block in by_birth {
            // What died before this one is born makes room for it.
            while let Some(gone) = dead.next_if(|gone| dies[*gone] < born[block]) {
                gaps.give_back(memory.moved_to[gone], blocks[gone].count);
            }
            memory.moved_to[block] = gaps.take(blocks[block].count);
        }
        memory.rows = gaps.end;
        memory
    }

    fn block(&self, row: usize) -> usize {
        self.blocks.partition_point(|block| block.first <= row) - 1
    }

    /// Where a row lies.
    pub(super) fn row(&self, row: usize) -> usize {
        let block = self.block(row);
        self.moved_to[block] + row - self.blocks[block].first
    }
}

/// Room that is free below the end of what is used.
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
