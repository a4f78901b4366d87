//! tanh and its derivative in one pass.
//!
//! The gradient of a network needs 1/cosh² of what it has taken tanh of. Each alone is an exponential and a quotient;
//! together they share both, and what the derivative is formed from need not be kept until the way back.

use std::collections::HashMap;

use super::instruction::{Instruction, Work};
use super::register::{Register, Segment};
use crate::tape::{Op, Unary};

/// What an instruction computes tanh or 1/cosh² of: for each segment the rows, and how many.
type Arguments = Vec<(Register, usize)>;

fn arguments(instruction: &Instruction) -> Option<(&Op, &Vec<Segment>, Arguments)> {
    match &instruction.work {
        Work::Elementwise { op: op @ Op::Unary(Unary::Tanh | Unary::SechSquared), segments } => {
            let of = segments.iter().map(|segment| (segment.operands[0], segment.count)).collect();
            Some((op, segments, of))
        }
        _ => None,
    }
}

/// Makes one instruction of each tanh and 1/cosh² of the same numbers, where the first of the two stands.
pub(super) fn together(instructions: Vec<Instruction>) -> Vec<Instruction> {
    let mut waiting: HashMap<Arguments, usize> = HashMap::new();
    let mut list: Vec<Option<Instruction>> = Vec::with_capacity(instructions.len());
    for instruction in instructions {
        let Some((op, segments, of)) = arguments(&instruction) else {
            list.push(Some(instruction));
            continue;
        };
        let Some(first) = waiting.remove(&of) else {
            waiting.insert(of, list.len());
            list.push(Some(instruction));
            continue;
        };
        let earlier = list[first].as_ref().expect("it waits");
        let Work::Elementwise { op: known, segments: known_segments } = &earlier.work else {
            unreachable!("only these wait")
        };
        if known == op {
            // Twice the same, which is nothing to join.
            list.push(Some(instruction));
            continue;
        }
        let (tanh, slope) = if *op == Op::Unary(Unary::Tanh) {
            (segments, known_segments)
        } else {
            (known_segments, segments)
        };
        let slopes = slope.iter().map(|segment| segment.out).collect();
        let work = Work::TanhAndSlope { segments: tanh.clone(), slopes };
        // Its name and place are those of tanh, of which the derivative is a part.
        let named = if *op == Op::Unary(Unary::Tanh) { &instruction } else { earlier };
        list[first] = Some(Instruction { work, ..named.clone() });
    }
    list.into_iter().flatten().collect()
}
