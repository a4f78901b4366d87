//! Augmenting paths of matchings between outputs and inputs (Kuhn).

use crate::sweep::reach::NONE;

/// Searches an augmenting path from `start`, with an explicit stack.
pub(super) fn augment(
    pattern: &[Vec<u32>],
    start: usize,
    input_of: &mut [u32],
    output_of: &mut [u32],
    seen: &mut [u32],
) -> bool {
    let mut stack = vec![(start, 0)];
    while let Some((row, next)) = stack.last_mut() {
        let Some(input) = pattern[*row].get(*next).map(|input| *input as usize) else {
            stack.pop();
            continue;
        };
        *next += 1;
        if seen[input] == start as u32 {
            continue;
        }
        seen[input] = start as u32;
        if output_of[input] == NONE {
            // Along the stack, every row takes the input that it was trying.
            for (row, next) in &stack {
                let input = pattern[*row][next - 1] as usize;
                input_of[*row] = input as u32;
                output_of[input] = *row as u32;
            }
            return true;
        }
        stack.push((output_of[input] as usize, 0));
    }
    false
}
