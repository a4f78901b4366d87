//! Random programs with a bottleneck: few elements that, held fixed, leave the Jacobian diagonal.

use pushforward::prelude::*;

use super::{Chooser, UNARY, binary, unary};

/// x = F(own parts of z, spread parts of C) element by element, and C = G(sums over own parts of z, earlier C).
///
/// Returns x and the number of elements of C.
pub fn planted<'t>(z: Var<'t>, choose: &mut Chooser) -> (Var<'t>, usize) {
    let (tape, d) = (z.tape(), z.len());
    let mut own = vec![z];
    for _ in 0..choose.below(4) {
        let (a, b) = (choose.pick(&own), choose.pick(&own));
        let node =
            if choose.chance(0.5) { unary(a, choose.below(UNARY)) } else { binary(a, b, choose.below(8)) };
        own.push(node);
    }
    let mut parameters = 0;
    let mut weight = |rows: usize, columns: usize, choose: &mut Chooser| {
        parameters += 1;
        let init = Init::Values(choose.numbers(rows * columns));
        let weight = tape.parameter(&format!("w{parameters}"), Shape::Matrix(rows, columns), init);
        if choose.chance(0.3) {
            weight * tape.matrix(rows, columns, &choose.mask(rows * columns))
        } else {
            weight
        }
    };
    // C in groups, each of which may see those before it.
    let most = (d / 2).max(1);
    let wanted = 1 + choose.below(most);
    let mut groups: Vec<Var<'t>> = Vec::new();
    let mut rank = 0;
    while rank < wanted {
        let size = 1 + choose.below(wanted - rank);
        let mut sum = weight(size, d, choose).matvec(choose.pick(&own));
        if choose.chance(0.5) && !groups.is_empty() {
            let before = choose.pick(&groups);
            sum = sum + weight(size, before.len(), choose).matvec(unary(before, choose.below(UNARY)));
        }
        if choose.chance(0.3) && !groups.is_empty() {
            // An own part and an earlier C, joined before they are summed.
            let before = choose.pick(&groups);
            let joined = choose.pick(&own) + weight(d, before.len(), choose).matvec(before);
            sum = sum + weight(size, d, choose).matvec(joined.tanh());
        }
        let node = if choose.chance(0.7) { unary(sum.tanh(), choose.below(UNARY)) } else { sum };
        groups.push(node);
        rank += size;
    }
    let mut spread: Vec<Var<'t>> = Vec::new();
    for group in groups {
        let node = weight(d, group.len(), choose).matvec(group);
        spread.push(if choose.chance(0.5) { node.tanh() } else { node });
    }
    let mut joined = choose.pick(&own);
    for _ in 0..1 + choose.below(3) {
        let b = if choose.chance(0.7) { choose.pick(&spread) } else { choose.pick(&own) };
        joined = match choose.below(3) {
            0 => joined * (0.5 * b.tanh()).exp(),
            1 => binary(joined, b, choose.below(8)),
            _ => joined + b,
        };
        if choose.chance(0.3) {
            joined = unary(joined, choose.below(UNARY));
        }
    }
    if choose.chance(0.5) {
        joined = joined + z;
    }
    // Rows that see C alone.
    let hollow = if choose.chance(0.3) { 1 + choose.below(2) } else { 0 };
    if hollow > 0 {
        let mask: Vec<f64> = (0..d).map(|i| f64::from(u8::from(i >= hollow))).collect();
        let rest: Vec<f64> = mask.iter().map(|kept| 1.0 - kept).collect();
        let b = choose.pick(&spread);
        joined = joined * tape.vector(&mask) + b * tape.vector(&rest);
    }
    let mut places: Vec<usize> = (0..d).collect();
    if choose.chance(0.5) {
        (1..d).rev().for_each(|k| places.swap(k, choose.below(k + 1)));
    }
    let x = joined.gather(&places);
    tape.check().unwrap_or_else(|errors| panic!("the generator recorded an error: {errors}"));
    (x, rank)
}
