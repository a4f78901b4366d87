//! Bottlenecks: few elements that, held fixed, leave a Jacobian diagonal; found in programs in which they were planted.

use crate::random_programs;

use std::cell::Cell;

use pushforward::jacobian::{Route, StructureError, bottleneck, discover, jacobian, log_det, map};
use pushforward::numeric::Lu;
use pushforward::prelude::*;
use pushforward::sweep::reach::Relation;
use random_programs::{Chooser, UNARY, binary, for_seeds, numbers, off, unary};

/// A program of d variables with a bottleneck of `rank` elements.
struct Planted<'t> {
    z: Var<'t>,
    x: Var<'t>,
    d: usize,
    rank: usize,
}

/// x = F(own parts of z, spread parts of C) element by element, and C = G(sums over own parts of z, earlier C).
fn planted<'t>(tape: &'t Tape, choose: &mut Chooser) -> Planted<'t> {
    let d = 3 + choose.below(10);
    let z = tape.input(Shape::Vector(d));
    let mut own = vec![z];
    for _ in 0..choose.below(4) {
        let (a, b) = (choose.pick(&own), choose.pick(&own));
        let node = if choose.chance(0.5) {
            unary(a, choose.below(UNARY))
        } else {
            binary(a, b, choose.below(8))
        };
        own.push(node);
    }
    let mut parameters = 0;
    let mut weight = |rows: usize, columns: usize, choose: &mut Chooser| {
        parameters += 1;
        let init = Init::Values(choose.numbers(rows * columns));
        let weight = tape.parameter(&format!("w{parameters}"), Shape::Matrix(rows, columns), init);
        if choose.chance(0.3) { weight * tape.matrix(rows, columns, &choose.mask(rows * columns)) } else { weight }
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
    Planted { z, x, d, rank }
}

#[test]
fn planted_bottlenecks_are_found_and_their_determinants_are_those_of_the_full_jacobian() {
    let (cases, smaller, singular, unchecked) = (Cell::new(0), Cell::new(0), Cell::new(0), Cell::new(0));
    let (missed, by_rank, worst) = (Cell::new(0), Cell::new(0), Cell::new(0.0f64));
    for_seeds(2000, |seed| {
        let mut choose = Chooser::new(seed);
        let tape = Tape::new();
        let Planted { z, x, d, rank } = planted(&tape, &mut choose);
        let map = map(&tape, z.id(), x.id());
        let whole = jacobian(&tape, &map);
        let points = [choose.numbers(d), choose.numbers(d)];
        cases.set(cases.get() + 1);
        let Some(found) = bottleneck(&tape, &map, Relation::Value, rank) else {
            // Outputs cannot be paired with inputs: what is planted is one of several ways to see a singular map.
            missed.set(missed.get() + 1);
            return match discover(&tape, &map) {
                Err(StructureError::Singular { .. }) => Ok(()),
                _ => Err(format!("no bottleneck of {rank} in {d} variables")),
            };
        };
        smaller.set(smaller.get() + usize::from(found.rank() < rank));
        let derived = match log_det(&tape, &map, &Structure::LowRank { rank }) {
            Ok(derived) => derived,
            Err(StructureError::Singular { reason }) => {
                singular.set(singular.get() + 1);
                for point in &points {
                    let dense = Lu::new(d, numbers(&tape, z, &[whole], point).swap_remove(0)).log_abs_det();
                    if dense > -20.0 {
                        return Err(format!("called singular ({reason}), and ln|det J| is {dense}"));
                    }
                }
                return Ok(());
            }
            Err(error) => return Err(error.to_string()),
        };
        by_rank.set(by_rank.get() + usize::from(matches!(derived.route, Route::LowRank { .. })));
        for point in &points {
            let values = numbers(&tape, z, &[derived.value, whole], point);
            let lu = Lu::new(d, values[1].clone());
            let (expected, found) = (lu.log_abs_det(), values[0][0]);
            // A Jacobian that is singular in floating point, or nearly, has no digits to compare.
            let largest = values[1].iter().fold(0.0f64, |largest, entry| largest.max(entry.abs()));
            if expected.is_nan() || expected < d as f64 * largest.ln().max(0.0) - 25.0 {
                unchecked.set(unchecked.get() + 1);
                continue;
            }
            let error = off(found, expected);
            worst.set(worst.get().max(error));
            if error.is_nan() || error > 1e-5 {
                return Err(format!("{found} by {} elements, {expected} by LU of {d} rows", derived.route));
            }
        }
        Ok(())
    });
    println!(
        "{} planted bottlenecks, {} of singular maps not found, {} smaller than planted; {} determinants of small rank, {} \
         proven singular, {} points without digits; worst difference {:.1e}",
        cases.get(),
        missed.get(),
        smaller.get(),
        by_rank.get(),
        singular.get(),
        unchecked.get(),
        worst.get()
    );
    assert!(singular.get() > 0 && by_rank.get() > cases.get() / 2);
}
