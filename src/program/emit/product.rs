//! Products of matrices: with a matrix layout where the matrix is shared, entry by entry where it is not.

use std::collections::HashMap;

use super::{Emitter, Operands};
use crate::program::instruction::Work;
use crate::program::matrix::{Layout, Matrix, MatrixId};
use crate::program::register::{Register, Registers, Row};
use crate::tape::{Node, NodeId, Op};

impl Emitter<'_, '_> {
    /// Makes shared numbers that are added to the product just emitted its bias. The product without the bias is not
    /// stored, so it must have no other use.
    pub(super) fn adds_to_product(
        &mut self,
        id: NodeId,
        computed: &[(usize, Operands)],
        list: &mut [Register],
    ) -> bool {
        let node = self.compiler.tape.node(id);
        let Some(k) = (0..2).find(|k| {
            let position = self.compiler.position(node.operands[*k]);
            let product = self.compiler.tape.with_node(node.operands[*k], |operand| operand.op == Op::MatVec);
            product && self.compiler.uses[position] == 1
        }) else {
            return false;
        };
        if computed.iter().any(|(_, own)| own[k].is_shared() || !own[1 - k].is_shared()) {
            return false;
        }
        let rows: Vec<Option<Row>> = computed.iter().map(|(_, own)| own[k].row()).collect();
        let matrices = &self.matrices;
        let found = self.list.iter_mut().rev().take(4).find_map(|instruction| match &mut instruction.work {
            Work::Product { matrix, out, bias: bias @ None, columns: 1, .. } => {
                let count = matrix.of(matrices).rows();
                let all =
                    rows.len() == count && rows.iter().enumerate().all(|(k, row)| *row == Some(out.after(k)));
                all.then_some(bias)
            }
            _ => None,
        });
        let Some(bias) = found else { return false };
        *bias = Some(computed.iter().map(|(_, own)| own[1 - k]).collect());
        computed.iter().for_each(|(e, own)| list[*e] = own[k]);
        true
    }

    pub(super) fn product(
        &mut self,
        id: NodeId,
        node: &Node,
        elements: &[usize],
        inside: bool,
        zero: &dyn Fn(usize) -> bool,
        list: &mut [Register],
    ) {
        let compiler = self.compiler;
        let (left, right) = (node.operands[0], node.operands[1]);
        let (rows, inner) = compiler.tape.shape(left).matrix_dims();
        let columns = node.shape.len() / rows.max(1);
        let kept: Vec<usize> = elements.iter().copied().filter(|e| !zero(*e)).collect();
        elements.iter().filter(|e| zero(**e)).for_each(|e| list[*e] = Register::ZERO);
        if kept.is_empty() {
            return;
        }
        let shared_left = !compiler.batched[compiler.position(left)];
        let right_registers = self.registers(right);
        let whole = kept.len() == rows * columns;
        if shared_left && compiler.batched[compiler.position(right)] && (columns == 1 || !inside) {
            let (source, transposed) = compiler.source(left);
            let offset = self.shared[compiler.position(source)].expect("a matrix has numbers");
            let (source_rows, source_columns) = compiler.tape.shape(source).matrix_dims();
            let zeros = compiler.zeros_of(left);
            let (from, places, width) = match columns {
                1 => self.columns_read(id, &right_registers, zeros, &kept, inner),
                _ => (self.together(right, &right_registers), (0..inner).collect(), inner),
            };
            let kept_rows: Vec<usize> = if columns == 1 { kept.clone() } else { (0..rows).collect() };
            let layout = Layout {
                source: (offset, source_rows, source_columns),
                transposed,
                zeros,
                rows: &kept_rows,
                columns: &places,
                width,
            };
            // A matrix times a matrix is computed in full; entries that are structurally 0 are not read.
            let all: Vec<usize> = (0..rows * columns).collect();
            let written = if columns == 1 { &kept } else { &all };
            let out = self.out_rows(id, written, inside);
            let matrix = MatrixId(self.matrices.len());
            self.matrices.push(Matrix::new(&layout));
            let work = Work::Product { matrix, from, out, bias: None, columns };
            self.push_at(work, id, node.op.name(), (!whole).then(|| written.clone()));
            let rows: HashMap<usize, Row> =
                written.iter().enumerate().map(|(k, e)| (*e, out.after(k))).collect();
            kept.iter().for_each(|e| list[*e] = rows[e].into());
            return;
        }
        let left_registers = self.registers(left);
        // As above, entries that are structurally 0 are not read: what they are multiplied by may not be known yet, where an
        // equation is solved element by element.
        let (left_zeros, right_zeros) = (compiler.zeros_of(left), compiler.zeros_of(right));
        let is_zero = |zeros: &[bool], e: usize| zeros.get(e).copied().unwrap_or(false);
        let dots = kept.iter().map(|e| {
            let (row, column) = (e / columns, e % columns);
            let places = (0..inner).map(|k| (row * inner + k, k * columns + column));
            let read = places.filter(|(a, b)| !is_zero(left_zeros, *a) && !is_zero(right_zeros, *b));
            let pairs = read.map(|(a, b)| (left_registers.get(a), right_registers.get(b)));
            pairs.filter(|(a, b)| *a != Register::ZERO && *b != Register::ZERO).collect()
        });
        let rows = dots.collect();
        let out = self.out_rows(id, &kept, inside);
        self.push_at(Work::Dots { out, rows }, id, node.op.name(), (!whole).then(|| kept.clone()));
        kept.iter().enumerate().for_each(|(k, e)| list[*e] = out.after(k).into());
    }

    /// Returns how a product reads its vector: the first row, the position of each column relative to it, and the
    /// number of rows they span. Elements of one block, in any order, are read where they are.
    pub(super) fn columns_read(
        &mut self,
        id: NodeId,
        vector: &Registers,
        zeros: &[bool],
        rows: &[usize],
        inner: usize,
    ) -> (Row, Vec<usize>, usize) {
        if let Some(row) = vector.first_row() {
            return (row, (0..inner).collect(), inner);
        }
        let seen = |column: usize| zeros.is_empty() || rows.iter().any(|row| !zeros[row * inner + column]);
        let wanted: Vec<(usize, Register)> =
            (0..inner).filter(|column| seen(*column)).map(|column| (column, vector.get(column))).collect();
        let rows: Option<Vec<(usize, Row)>> =
            wanted.iter().map(|(column, register)| Some((*column, register.row()?))).collect();
        if let Some(rows) = rows
            && let Some(first) = rows.iter().map(|(_, row)| *row).min()
            && let Some(last) = rows.iter().map(|(_, row)| *row).max()
        {
            let block = self.blocks[self.blocks.partition_point(|block| block.first <= first) - 1];
            let place = |row: Row| row.index() - first.index();
            let width = place(last) + 1;
            let mut taken = vec![false; width];
            let distinct = rows.iter().all(|(_, row)| !std::mem::replace(&mut taken[place(*row)], true));
            if block.contains(last) && distinct && width <= 4 * rows.len() + 16 {
                // Columns that no row reads have no position; any will do, since their entries are structural zeros.
                let mut places = vec![0; inner];
                rows.iter().for_each(|(column, row)| places[*column] = place(*row));
                return (first, places, width);
            }
        }
        let list: Vec<Register> =
            (0..inner).map(|column| if seen(column) { vector.get(column) } else { Register::ZERO }).collect();
        (self.together(id, &Registers::List(list)), (0..inner).collect(), inner)
    }

    /// Returns the first row of these registers, copying them to contiguous rows if they are not.
    pub(super) fn together(&mut self, id: NodeId, registers: &Registers) -> Row {
        if let Some(row) = registers.first_row() {
            return row;
        }
        let out = self.new_rows(registers.len());
        let from = registers.iter().collect();
        self.push_at(Work::Copy { out, from }, id, "copy", None);
        out
    }
}
