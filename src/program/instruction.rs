//! Instructions of a compiled program, executed for each chunk of rows.

use std::sync::Arc;

use super::matrix::{Matrix, MatrixId};
use super::register::{Register, Row, Rows, Segment};
use crate::kernel::EntryMask;
use crate::tape::{InitialValue, Op, Place, Shape};

/// One instruction.
#[derive(Clone, Debug)]
pub(super) struct Instruction {
    pub work: Work,
    /// The operation it was compiled from, and the source line that recorded it.
    pub name: &'static str,
    pub place: Place,
    /// The elements of the node that its rows hold, unless they are all of them in order.
    pub elements: Option<Box<[u32]>>,
}

#[derive(Clone, Debug)]
pub(super) enum Work {
    /// An operation of one, two or three operands, element by element.
    Elementwise { op: Op, segments: Vec<Segment> },
    /// tanh of some rows, and in other rows 1/cosh² of them, by segment.
    TanhAndSlope { segments: Vec<Segment>, slopes: Vec<Row> },
    /// The sum of terms, each of them contiguous rows, shared numbers, products of two of these, or rows under a condition.
    SumOfTerms { out: Rows, terms: Vec<FusedTerm> },
    /// For each number the value of the first condition that holds, of contiguous rows or a shared number; `otherwise` if
    /// there is none.
    Cascade { out: Rows, choices: Vec<(Row, Register)>, otherwise: Register },
    /// The sum of some rows.
    Sum { out: Row, terms: Vec<Register> },
    /// A shared matrix times contiguous rows (a vector, or a matrix with this many columns), plus shared numbers if
    /// there is a bias.
    Product { matrix: MatrixId, from: Row, out: Row, bias: Option<Vec<Register>>, columns: usize },
    /// Sums of products, row by row: for matrices that differ from lane to lane.
    Dots { out: Row, rows: Vec<Vec<(Register, Register)>> },
    /// Copies rows to contiguous ones.
    Copy { out: Row, from: Vec<Register> },
    /// An operation on the numbers of one lane at a time, with contiguous rows as operands.
    Lanewise { op: Op, from: Row, out: Row, shapes: (Shape, Shape) },
    /// The batch sum of some registers, added to sums from `to` on.
    AddLanes { from: Vec<Register>, to: usize },
    /// The batch sums of products of two rows each, added to sums from `to` on.
    AddProducts { pairs: Vec<(Register, Register)>, to: usize },
    /// The batch sum of an outer product of rows, added to the sums from `to` on where the mask allows.
    AddOuter { left: Rows, right: Rows, to: usize, mask: EntryMask },
    /// Solves an equation.
    Solve(Box<Equation>),
    /// Solves an initial-value problem, or goes back over its steps.
    Integrate(Box<Integration>),
}

/// A term of a fused sum.
#[derive(Clone, Copy, Debug)]
pub(super) struct FusedTerm {
    pub negative: bool,
    pub register: Register,
    /// The second factor of a product.
    pub factor: Option<Register>,
    /// Rows, where which are 0 the term is 0; the term is no product then.
    pub condition: Option<Row>,
}

impl FusedTerm {
    pub fn registers(&self) -> impl Iterator<Item = Register> + '_ {
        [Some(self.register), self.factor, self.condition.map(Register::from)].into_iter().flatten()
    }
}

/// The registers that a cascade reads.
pub(super) fn read_by_cascade(choices: &[(Row, Register)], otherwise: Register) -> Vec<Register> {
    let of = |(condition, value): &(Row, Register)| [Register::from(*condition), *value];
    choices.iter().flat_map(of).chain([otherwise]).collect()
}

/// An equation and the instructions that solve it.
#[derive(Clone, Debug)]
pub(super) enum Equation {
    /// z = G(z): the stages, after each of which an element of the unknown is assigned.
    Substitution { stages: Vec<Vec<Instruction>>, takes: Vec<(Register, Row)> },
    /// z = G(z) for a contraction G with this Lipschitz constant: rows of G and of the unknown.
    Contraction {
        once: Vec<Instruction>,
        iterate: Vec<Instruction>,
        takes: Vec<(Register, Row)>,
        lipschitz: f64,
    },
    /// Newton's method on all elements of the unknown together: their rows, h, and ∂h/∂c by rows.
    System {
        once: Vec<Instruction>,
        iterate: Vec<Instruction>,
        unknowns: Vec<Row>,
        values: Vec<Register>,
        jacobian: Vec<Register>,
    },
    /// Newton's method on rows of the unknown, each with the rows of h and of its slope.
    Root { once: Vec<Instruction>, iterate: Vec<Instruction>, unknowns: Vec<Unknown>, ends: (f64, f64) },
}

/// A loop over the steps of an initial-value problem.
#[derive(Clone, Debug)]
pub(super) struct Integration {
    pub problem: Arc<InitialValue>,
    /// The number of the motion, which its adjoints refer to.
    pub motion: usize,
    /// z at a stage, in contiguous rows.
    pub state: Rows,
    pub time: Row,
    /// Computes v, or the adjoint of v, from z and t.
    pub body: Vec<Instruction>,
    pub direction: Direction,
}

/// What is integrated.
#[derive(Clone, Debug)]
pub(super) enum Direction {
    /// From z(t₀) to `end`, where z(t₁) is put.
    Forwards { start: Vec<Register>, velocity: Vec<Register>, end: Rows, keeps: bool },
    /// From the weight of z(t₁), over steps that were kept.
    Backwards {
        weight: Vec<Register>,
        /// The weight of v at a stage.
        stage_weight: Rows,
        /// v_zᵀ times that, unless it is 0.
        back: Option<Vec<Register>>,
        /// Where the adjoint of z(t₀) is put.
        initial: Option<Rows>,
        /// Sums over stages, for each row: of these registers, in these rows.
        shares: Vec<(Vec<Register>, Rows)>,
    },
}

impl Integration {
    /// The registers that are read beside the body, and the rows that are written.
    fn ends(&self) -> (Vec<Register>, Vec<Rows>) {
        let mut written = vec![self.state, Rows::one(self.time)];
        let read = match &self.direction {
            Direction::Forwards { start, velocity, end, .. } => {
                written.push(*end);
                start.iter().chain(velocity).copied().collect()
            }
            Direction::Backwards { weight, stage_weight, back, initial, shares } => {
                written.push(*stage_weight);
                written.extend(initial);
                written.extend(shares.iter().map(|(_, to)| *to));
                let shares = shares.iter().flat_map(|(from, _)| from);
                weight.iter().chain(back.iter().flatten()).chain(shares).copied().collect()
            }
        };
        (read, written)
    }

    /// The rows that it reads or writes itself, apart from its body.
    pub fn own_rows(&self) -> Vec<Rows> {
        let (read, written) = self.ends();
        rows_of(&read, 1).chain(written).collect()
    }

    /// The rows of its results.
    pub fn results(&self) -> Vec<Rows> {
        match &self.direction {
            Direction::Forwards { end, .. } => vec![*end],
            Direction::Backwards { initial, shares, .. } => {
                initial.iter().copied().chain(shares.iter().map(|(_, to)| *to)).collect()
            }
        }
    }

    /// The rows that its body leaves for it.
    pub fn kept(&self) -> Vec<Rows> {
        rows_of(&self.ends().0, 1).collect()
    }

    fn renumber(&mut self, row: &dyn Fn(Row) -> Row) {
        let moved = |registers: &mut Vec<Register>| {
            registers.iter_mut().for_each(|register| *register = register.renumbered(row));
        };
        let rows = |rows: &mut Rows| {
            if rows.count > 0 {
                rows.first = row(rows.first);
            }
        };
        rows(&mut self.state);
        self.time = row(self.time);
        self.body.iter_mut().for_each(|instruction| instruction.renumber(row));
        match &mut self.direction {
            Direction::Forwards { start, velocity, end, .. } => {
                [start, velocity].into_iter().for_each(moved);
                rows(end);
            }
            Direction::Backwards { weight, stage_weight, back, initial, shares } => {
                moved(weight);
                back.iter_mut().for_each(moved);
                rows(stage_weight);
                initial.iter_mut().for_each(rows);
                for (from, to) in shares {
                    moved(from);
                    rows(to);
                }
            }
        }
    }
}

/// An element of a root.
#[derive(Clone, Copy, Debug)]
pub(super) struct Unknown {
    pub row: Row,
    pub value: Register,
    pub slope: Register,
}

/// Returns the rows among some registers, `count` of them from each on.
fn rows_of<'a>(
    registers: impl IntoIterator<Item = &'a Register>,
    count: usize,
) -> impl Iterator<Item = Rows> {
    registers.into_iter().filter_map(move |register| Some(Rows::new(register.row()?, count)))
}

impl Instruction {
    /// The rows that are written.
    pub fn written(&self, matrices: &[Matrix]) -> Vec<Rows> {
        match &self.work {
            Work::Elementwise { segments, .. } => {
                // The rows of a node are contiguous, and its segments are in order.
                let end = segments.iter().map(|segment| segment.rows().indices().end).max().unwrap_or(0);
                let all = segments.first().map(|first| Rows::new(first.out, end - first.out.index()));
                all.into_iter().collect()
            }
            Work::TanhAndSlope { segments, slopes } => segments
                .iter()
                .zip(slopes)
                .flat_map(|(segment, slope)| [segment.rows(), Rows::new(*slope, segment.count)])
                .collect(),
            Work::SumOfTerms { out, .. } | Work::Cascade { out, .. } => vec![*out],
            Work::Sum { out, .. } => vec![Rows::one(*out)],
            Work::Product { matrix, out, columns, .. } => {
                vec![Rows::new(*out, matrix.of(matrices).rows() * columns)]
            }
            Work::Dots { out, rows } => vec![Rows::new(*out, rows.len())],
            Work::Copy { out, from } => vec![Rows::new(*out, from.len())],
            Work::Lanewise { out, shapes, .. } => vec![Rows::new(*out, shapes.1.len())],
            Work::AddLanes { .. } | Work::AddProducts { .. } | Work::AddOuter { .. } => Vec::new(),
            Work::Solve(equation) => {
                let mut written = Vec::new();
                match equation.as_ref() {
                    Equation::Substitution { takes, .. } | Equation::Contraction { takes, .. } => {
                        written.extend(takes.iter().map(|(_, row)| Rows::one(*row)));
                    }
                    Equation::System { unknowns, .. } => {
                        written.extend(unknowns.iter().map(|row| Rows::one(*row)));
                    }
                    Equation::Root { unknowns, .. } => {
                        written.extend(unknowns.iter().map(|unknown| Rows::one(unknown.row)));
                    }
                }
                for instruction in equation.instructions() {
                    written.extend(instruction.written(matrices));
                }
                written
            }
            Work::Integrate(integration) => {
                let inside = integration.body.iter().flat_map(|instruction| instruction.written(matrices));
                integration.ends().1.into_iter().chain(inside).collect()
            }
        }
    }

    /// Visits every row that is read, including those of the instructions of an equation.
    pub fn read(&self, matrices: &[Matrix]) -> Vec<Rows> {
        let pairs = |pairs: &[(Register, Register)]| -> Vec<Rows> {
            pairs.iter().flat_map(|(a, b)| rows_of([a, b], 1)).collect()
        };
        match &self.work {
            Work::Elementwise { segments, .. } | Work::TanhAndSlope { segments, .. } => {
                segments.iter().flat_map(Segment::read).collect()
            }
            Work::SumOfTerms { out, terms } => {
                let registers: Vec<Register> = terms.iter().flat_map(FusedTerm::registers).collect();
                rows_of(&registers, out.count).collect()
            }
            Work::Cascade { out, choices, otherwise } => {
                rows_of(&read_by_cascade(choices, *otherwise), out.count).collect()
            }
            Work::Sum { terms, .. } => rows_of(terms, 1).collect(),
            Work::Product { matrix, from, columns, .. } => {
                vec![Rows::new(*from, matrix.of(matrices).width * columns)]
            }
            Work::Dots { rows: dots, .. } => dots.iter().flat_map(|row| pairs(row)).collect(),
            Work::Copy { from, .. } => rows_of(from, 1).collect(),
            Work::Lanewise { from, shapes, .. } => vec![Rows::new(*from, shapes.0.len())],
            Work::AddLanes { from, .. } => rows_of(from, 1).collect(),
            Work::AddProducts { pairs: own, .. } => pairs(own),
            Work::AddOuter { left, right, .. } => vec![*left, *right],
            Work::Solve(equation) => {
                let mut read = Vec::new();
                match equation.as_ref() {
                    Equation::Substitution { takes, .. } | Equation::Contraction { takes, .. } => {
                        read.extend(rows_of(takes.iter().map(|(from, _)| from), 1));
                    }
                    Equation::System { values, jacobian, .. } => {
                        read.extend(rows_of(values.iter().chain(jacobian), 1));
                    }
                    Equation::Root { unknowns, .. } => {
                        read.extend(unknowns.iter().flat_map(|one| rows_of([&one.value, &one.slope], 1)));
                    }
                }
                for instruction in equation.instructions() {
                    read.extend(instruction.read(matrices));
                }
                read
            }
            Work::Integrate(integration) => {
                let inside = integration.body.iter().flat_map(|instruction| instruction.read(matrices));
                integration.own_rows().into_iter().chain(inside).collect()
            }
        }
    }

    /// The number of scalar operations for one lane; of a matrix the entries that are not structural zeros.
    pub fn operations(&self, matrices: &[Matrix]) -> u64 {
        match &self.work {
            Work::Elementwise { segments, .. } => segments.iter().map(|segment| segment.count as u64).sum(),
            Work::TanhAndSlope { segments, .. } => {
                segments.iter().map(|segment| 2 * segment.count as u64).sum()
            }
            Work::SumOfTerms { out, terms } => {
                let each = terms.iter().map(|term| term.registers().count()).sum::<usize>() - 1;
                (out.count * each) as u64
            }
            Work::Cascade { out, choices, .. } => (out.count * choices.len()) as u64,
            Work::Sum { terms, .. } => terms.len() as u64,
            Work::Product { matrix, bias, columns, .. } => {
                (2 * matrix.of(matrices).nonzeros * columns + bias.as_ref().map_or(0, Vec::len)) as u64
            }
            Work::Dots { rows, .. } => rows.iter().map(|pairs| 2 * pairs.len() as u64).sum(),
            Work::Copy { .. } => 0,
            Work::Lanewise { op, shapes, .. } => {
                // An elimination takes 2/3 d³ operations, an inverse three times that.
                let cube = (shapes.0.rows() as u64).pow(3);
                if *op == Op::LogAbsDet { 2 * cube / 3 } else { 2 * cube }
            }
            Work::AddLanes { from, .. } => from.len() as u64,
            Work::AddProducts { pairs, .. } => 2 * pairs.len() as u64,
            Work::AddOuter { mask, .. } => 2 * mask.entries() as u64,
            Work::Solve(equation) => {
                equation.instructions().into_iter().map(|instruction| instruction.operations(matrices)).sum()
            }
            Work::Integrate(integration) => {
                integration.body.iter().map(|instruction| instruction.operations(matrices)).sum()
            }
        }
    }

    /// Renumbers all rows.
    pub fn renumber(&mut self, row: &dyn Fn(Row) -> Row) {
        let moved = |register: &mut Register| *register = register.renumbered(row);
        match &mut self.work {
            Work::Elementwise { segments, .. } => {
                for segment in segments {
                    segment.out = row(segment.out);
                    segment.operands.iter_mut().for_each(moved);
                }
            }
            Work::TanhAndSlope { segments, slopes } => {
                for (segment, slope) in segments.iter_mut().zip(slopes) {
                    (segment.out, *slope) = (row(segment.out), row(*slope));
                    segment.operands.iter_mut().for_each(moved);
                }
            }
            Work::SumOfTerms { out, terms } => {
                out.first = row(out.first);
                for term in terms {
                    moved(&mut term.register);
                    term.factor.iter_mut().for_each(moved);
                    term.condition.iter_mut().for_each(|own| *own = row(*own));
                }
            }
            Work::Cascade { out, choices, otherwise } => {
                out.first = row(out.first);
                for (condition, value) in choices {
                    *condition = row(*condition);
                    moved(value);
                }
                moved(otherwise);
            }
            Work::Sum { out, terms } => {
                *out = row(*out);
                terms.iter_mut().for_each(moved);
            }
            Work::Product { from, out, .. } => (*from, *out) = (row(*from), row(*out)),
            Work::Dots { out, rows } => {
                *out = row(*out);
                for (a, b) in rows.iter_mut().flatten() {
                    moved(a);
                    moved(b);
                }
            }
            Work::Copy { out, from } => {
                *out = row(*out);
                from.iter_mut().for_each(moved);
            }
            Work::Lanewise { from, out, .. } => (*from, *out) = (row(*from), row(*out)),
            Work::AddLanes { from, .. } => from.iter_mut().for_each(moved),
            Work::AddProducts { pairs, .. } => {
                for (a, b) in pairs {
                    moved(a);
                    moved(b);
                }
            }
            Work::AddOuter { left, right, .. } => {
                (left.first, right.first) = (row(left.first), row(right.first));
            }
            Work::Integrate(integration) => integration.renumber(row),
            Work::Solve(equation) => match equation.as_mut() {
                Equation::Substitution { stages, takes } => {
                    stages.iter_mut().flatten().for_each(|instruction| instruction.renumber(row));
                    for (from, to) in takes {
                        moved(from);
                        *to = row(*to);
                    }
                }
                Equation::Contraction { once, iterate, takes, .. } => {
                    once.iter_mut().chain(iterate).for_each(|instruction| instruction.renumber(row));
                    for (from, to) in takes {
                        moved(from);
                        *to = row(*to);
                    }
                }
                Equation::System { once, iterate, unknowns, values, jacobian } => {
                    once.iter_mut().chain(iterate).for_each(|instruction| instruction.renumber(row));
                    unknowns.iter_mut().for_each(|unknown| *unknown = row(*unknown));
                    values.iter_mut().chain(jacobian).for_each(moved);
                }
                Equation::Root { once, iterate, unknowns, .. } => {
                    once.iter_mut().chain(iterate).for_each(|instruction| instruction.renumber(row));
                    for unknown in unknowns {
                        unknown.row = row(unknown.row);
                        moved(&mut unknown.value);
                        moved(&mut unknown.slope);
                    }
                }
            },
        }
    }
}

impl Equation {
    /// The instructions of the equation; those that are iterated are listed once.
    pub fn instructions(&self) -> Vec<&Instruction> {
        match self {
            Equation::Substitution { stages, .. } => stages.iter().flatten().collect(),
            Equation::Contraction { once, iterate, .. }
            | Equation::System { once, iterate, .. }
            | Equation::Root { once, iterate, .. } => once.iter().chain(iterate).collect(),
        }
    }
}
