//! A compiled program as text: its instructions and its plan of memory.

use std::fmt;

use super::instruction::{Equation, Instruction, Work};
use super::place::{Place, Segment};
use super::plan::Program;

impl<F> fmt::Display for Program<F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let number = size_of::<F>();
        writeln!(
            f,
            "once: {} instructions on shared numbers, {} matrices laid out",
            self.plan.shared.len(),
            self.plan.matrices.len()
        )?;
        writeln!(
            f,
            "rows: {} in memory for {} results, {} lanes, {} KiB a chunk",
            self.plan.rows,
            self.plan.rows_in_all,
            self.lanes,
            (self.plan.rows * self.lanes * number).div_ceil(1024)
        )?;
        for (k, (first, count)) in self.plan.inputs.iter().enumerate() {
            writeln!(f, "  {} = input {k}", rows(*first, *count))?;
        }
        write_list(f, &self.plan.instructions, 1)?;
        if !self.plan.late.is_empty() {
            writeln!(f, "then, from the rows of all chunks in memory:")?;
            write_list(f, &self.plan.late, 1)?;
        }
        if self.plan.sums.end > self.plan.sums.start {
            writeln!(
                f,
                "then: {} sums over all rows, {} instructions on them",
                self.plan.sums.end - self.plan.sums.start,
                self.plan.after.len()
            )?;
        }
        Ok(())
    }
}

fn write_list(f: &mut fmt::Formatter<'_>, list: &[Instruction], depth: usize) -> fmt::Result {
    let indent = "  ".repeat(depth);
    for instruction in list {
        match &instruction.work {
            Work::Elementwise { op, segments } => {
                for Segment { out, count, operands } in segments {
                    let operands: Vec<String> =
                        operands.iter().map(|place| operand(*place, *count)).collect();
                    writeln!(f, "{indent}{} = {} {}", rows(*out, *count), op.name(), operands.join(", "))?;
                }
            }
            Work::TanhAndSlope { segments, slopes } => {
                for (Segment { out, count, operands }, slope) in segments.iter().zip(slopes) {
                    let (out, slope) = (rows(*out, *count), rows(*slope, *count));
                    writeln!(f, "{indent}{out}, {slope} = tanh_and_slope {}", operand(operands[0], *count))?;
                }
            }
            Work::Chain { out, count, terms } => {
                let mut sum = String::new();
                for (k, term) in terms.iter().enumerate() {
                    sum += match (k, term.negative) {
                        (0, false) => "",
                        (0, true) => "-",
                        (_, false) => " + ",
                        (_, true) => " - ",
                    };
                    let factors: Vec<String> = term.places().map(|place| operand(place, *count)).collect();
                    sum += &factors.join("·");
                }
                writeln!(f, "{indent}{} = {sum}", rows(*out, *count))?;
            }
            Work::Sum { out, terms } => {
                writeln!(f, "{indent}{} = sum of {}", rows(*out, 1), places(terms))?;
            }
            Work::Product { matrix, from, out, bias, columns } => {
                let bias = bias.as_ref().map_or(String::new(), |bias| format!(" + {}", places(bias)));
                let columns = if *columns == 1 { String::new() } else { format!(", {columns} columns") };
                writeln!(f, "{indent}r{out}… = matrix {matrix} · r{from}…{columns}{bias}")?;
            }
            Work::Dots { out, rows: dots } => {
                writeln!(f, "{indent}{} = sums of products", rows(*out, dots.len()))?;
            }
            Work::Copy { out, from } => {
                writeln!(f, "{indent}{} = copy of {}", rows(*out, from.len()), places(from))?;
            }
            Work::Lanewise { op, from, out, shapes } => {
                let (from, out) = (rows(*from, shapes.0.len()), rows(*out, shapes.1.len()));
                writeln!(f, "{indent}{out} = {} {from}", op.name())?;
            }
            Work::AddLanes { from, to } => {
                writeln!(f, "{indent}sum {to}… += {} over the lanes", places(from))?;
            }
            Work::AddProducts { pairs, to } => {
                let (a, b): (Vec<Place>, Vec<Place>) = pairs.iter().copied().unzip();
                writeln!(f, "{indent}sum {to}… += {} times {} over the lanes", places(&a), places(&b))?;
            }
            Work::AddOuter { left, right, to, .. } => {
                let (left, right) = (rows(left.0, left.1), rows(right.0, right.1));
                writeln!(f, "{indent}sum {to}… += {left} · {right}ᵀ over the lanes")?;
            }
            Work::Solve(equation) => match equation.as_ref() {
                Equation::Substitution { stages, takes } => {
                    writeln!(f, "{indent}solve, element by element:")?;
                    for (stage, list) in stages.iter().enumerate() {
                        write_list(f, list, depth + 1)?;
                        if let Some((from, to)) = takes.get(stage) {
                            writeln!(f, "{indent}  r{to} := {}", operand(*from, 1))?;
                        }
                    }
                }
                Equation::Root { once, iterate, unknowns, .. } => {
                    write_list(f, once, depth)?;
                    let unknowns: Vec<String> = unknowns.iter().map(|u| format!("r{}", u.row)).collect();
                    writeln!(f, "{indent}iterate {} by Newton's method:", unknowns.join(", "))?;
                    write_list(f, iterate, depth + 1)?;
                }
            },
        }
    }
    Ok(())
}

fn rows(first: usize, count: usize) -> String {
    if count == 1 { format!("r{first}") } else { format!("r{first}‥{}", first + count - 1) }
}

fn operand(place: Place, count: usize) -> String {
    match (place, place.is_shared()) {
        (Place::ZERO, _) => "0".to_string(),
        (place, true) => format!("s{}", place.index()),
        (place, false) => rows(place.index(), count),
    }
}

fn places(list: &[Place]) -> String {
    const SHOWN: usize = 6;
    let mut shown: Vec<String> = list.iter().take(SHOWN).map(|place| operand(*place, 1)).collect();
    if list.len() > SHOWN {
        shown.push(format!("… {} in all", list.len()));
    }
    shown.join(", ")
}
