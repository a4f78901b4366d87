//! Fusion of tanh with its derivative.
//!
//! The gradient of a network needs 1/cosh² of the arguments of tanh. Each alone takes an exponential and a quotient;
//! fused they share both, and the argument need not be stored until the backward pass.

use std::collections::HashMap;

use super::instruction::{Instruction, Work};
use super::register::{Register, Segment};
use crate::tape::{Op, Unary};

/// The argument of a tanh or 1/cosh²: for each segment the rows, and their number.
type Arguments = Vec<(Register, usize)>;

fn arguments(instruction: &Instruction) -> Option<(&Op, &Vec<Segment>, Arguments)> {
    match &instruction.work {
        Work::Elementwise { op: op @ Op::Unary(Unary::Tanh | Unary::SechSquared), segments }
            if segments.iter().all(Segment::is_plain) =>
        {
            let of = segments.iter().map(|segment| (segment.operands[0], segment.count)).collect();
            Some((op, segments, of))
        }
        _ => None,
    }
}

/// Makes one instruction of each tanh and 1/cosh² of the same argument, in the place of the first of the two.
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
            // One of them twice: nothing to fuse.
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
        // Name and source line are those of tanh, of which the derivative is a part.
        let named = if *op == Op::Unary(Unary::Tanh) { &instruction } else { earlier };
        list[first] = Some(Instruction { work, ..named.clone() });
    }
    list.into_iter().flatten().collect()
}
