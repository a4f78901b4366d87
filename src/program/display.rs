//! A compiled program as text: its instructions and its plan of memory.

use std::fmt;

use super::instruction::{Direction, Equation, Instruction, Integration, Work};
use super::plan::Program;
use super::register::{Kind, Register, Row, Rows, Segment};

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
        for (k, own) in self.plan.inputs.iter().enumerate() {
            writeln!(f, "  {} = input {k}", rows(*own))?;
        }
        write_list(f, &self.plan.instructions, 1)?;
        if !self.plan.deferred.is_empty() {
            writeln!(f, "then, from the rows of all chunks in memory:")?;
            write_list(f, &self.plan.deferred, 1)?;
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
                for segment in segments {
                    let operands: Vec<String> =
                        segment.operands.iter().map(|register| operand(*register, segment.count)).collect();
                    writeln!(f, "{indent}{} = {} {}", rows(segment.rows()), op.name(), operands.join(", "))?;
                }
            }
            Work::TanhAndSlope { segments, slopes } => {
                for (Segment { out, count, operands, .. }, slope) in segments.iter().zip(slopes) {
                    let (out, slope) = (rows(Rows::new(*out, *count)), rows(Rows::new(*slope, *count)));
                    writeln!(f, "{indent}{out}, {slope} = tanh_and_slope {}", operand(operands[0], *count))?;
                }
            }
            Work::SumOfTerms { out, terms } => {
                let mut sum = String::new();
                for (k, term) in terms.iter().enumerate() {
                    sum += match (k, term.negative) {
                        (0, false) => "",
                        (0, true) => "-",
                        (_, false) => " + ",
                        (_, true) => " - ",
                    };
                    let of = |register: Register| operand(register, out.count);
                    sum += &of(term.register);
                    if let Some(factor) = term.factor {
                        sum += &format!("·{}", of(factor));
                    }
                    if let Some(condition) = term.condition {
                        sum += &format!(" where {}", of(condition.into()));
                    }
                }
                writeln!(f, "{indent}{} = {sum}", rows(*out))?;
            }
            Work::Cascade { out, choices, otherwise } => {
                let of = |register: Register| operand(register, out.count);
                let choice = |(condition, value): &(Row, Register)| {
                    format!("{} where {}, else ", of(*value), of((*condition).into()))
                };
                let choices: String = choices.iter().map(choice).collect();
                writeln!(f, "{indent}{} = {choices}{}", rows(*out), of(*otherwise))?;
            }
            Work::Sum { out, terms } => {
                writeln!(f, "{indent}{} = sum of {}", rows(Rows::one(*out)), registers(terms))?;
            }
            Work::Product { matrix, from, out, bias, columns } => {
                let bias = bias.as_ref().map_or(String::new(), |bias| format!(" + {}", registers(bias)));
                let columns = if *columns == 1 { String::new() } else { format!(", {columns} columns") };
                let (out, from) = (out.index(), from.index());
                writeln!(f, "{indent}r{out}… = matrix {} · r{from}…{columns}{bias}", matrix.0)?;
            }
            Work::Dots { out, rows: dots } => {
                writeln!(f, "{indent}{} = sums of products", rows(Rows::new(*out, dots.len())))?;
            }
            Work::Copy { out, from } => {
                writeln!(f, "{indent}{} = copy of {}", rows(Rows::new(*out, from.len())), registers(from))?;
            }
            Work::Lanewise { op, from, out, shapes } => {
                let (from, out) = (Rows::new(*from, shapes.0.len()), Rows::new(*out, shapes.1.len()));
                let (from, out) = (rows(from), rows(out));
                writeln!(f, "{indent}{out} = {} {from}", op.name())?;
            }
            Work::AddLanes { from, to } => {
                writeln!(f, "{indent}sum {to}… += {} over the lanes", registers(from))?;
            }
            Work::AddProducts { pairs, to } => {
                let (a, b): (Vec<Register>, Vec<Register>) = pairs.iter().copied().unzip();
                writeln!(f, "{indent}sum {to}… += {} times {} over the lanes", registers(&a), registers(&b))?;
            }
            Work::AddOuter { left, right, to, .. } => {
                let (left, right) = (rows(*left), rows(*right));
                writeln!(f, "{indent}sum {to}… += {left} · {right}ᵀ over the lanes")?;
            }
            Work::Integrate(integration) => {
                let Integration { problem, state, time, body, direction, .. } = integration.as_ref();
                let own = &problem.integration;
                let (from, to) = match direction {
                    Direction::Forwards { .. } => (own.from, own.to),
                    Direction::Backwards { .. } => (own.to, own.from),
                };
                let (state, time) = (rows(*state), time.index());
                writeln!(f, "{indent}integrate {state} from r{time} = {from} to {to}, {:?}:", own.method)?;
                write_list(f, body, depth + 1)?;
            }
            Work::Solve(equation) => match equation.as_ref() {
                Equation::Substitution { stages, takes } => {
                    writeln!(f, "{indent}solve, element by element:")?;
                    for (stage, list) in stages.iter().enumerate() {
                        write_list(f, list, depth + 1)?;
                        if let Some((from, to)) = takes.get(stage) {
                            writeln!(f, "{indent}  r{} := {}", to.index(), operand(*from, 1))?;
                        }
                    }
                }
                Equation::Contraction { once, iterate, takes, lipschitz } => {
                    write_list(f, once, depth)?;
                    writeln!(f, "{indent}iterate a contraction by {lipschitz}:")?;
                    write_list(f, iterate, depth + 1)?;
                    for (from, to) in takes {
                        writeln!(f, "{indent}  r{} := {}", to.index(), operand(*from, 1))?;
                    }
                }
                Equation::System { once, iterate, unknowns, .. } => {
                    write_list(f, once, depth)?;
                    let unknowns: Vec<String> = unknowns.iter().map(|u| format!("r{}", u.index())).collect();
                    writeln!(f, "{indent}iterate {} together by Newton's method:", unknowns.join(", "))?;
                    write_list(f, iterate, depth + 1)?;
                }
                Equation::Root { once, iterate, unknowns, .. } => {
                    write_list(f, once, depth)?;
                    let unknowns: Vec<String> =
                        unknowns.iter().map(|u| format!("r{}", u.row.index())).collect();
                    writeln!(f, "{indent}iterate {} by Newton's method:", unknowns.join(", "))?;
                    write_list(f, iterate, depth + 1)?;
                }
            },
        }
    }
    Ok(())
}

fn rows(Rows { first, count }: Rows) -> String {
    let first = first.index();
    if count == 1 { format!("r{first}") } else { format!("r{first}‥{}", first + count - 1) }
}

fn operand(register: Register, count: usize) -> String {
    match register.kind() {
        _ if register == Register::ZERO => "0".to_string(),
        Kind::Shared(index) => format!("s{index}"),
        Kind::Row(first) => rows(Rows::new(first, count)),
    }
}

fn registers(list: &[Register]) -> String {
    const SHOWN: usize = 6;
    let mut shown: Vec<String> = list.iter().take(SHOWN).map(|register| operand(*register, 1)).collect();
    if list.len() > SHOWN {
        shown.push(format!("… {} in all", list.len()));
    }
    shown.join(", ")
}
