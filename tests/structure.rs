//! Proofs of structure on random programs: no false proof, no wrong diagonal.

use crate::random_programs;

use std::cell::Cell;

use pushforward::jacobian::{
    StructureError, diagonal, discover, jacobian, log_det, map, prove, triangular_diagonal,
};
use pushforward::numeric::Lu;
use pushforward::prelude::*;
use pushforward::sweep::reach::{Reach, Relation};
use random_programs::{Chooser, Pool, UNARY, binary, for_seeds, numbers, off, unary};

/// Element e of a staircase depends on z₀ … z_{from + e} at most.
#[derive(Clone, Copy)]
struct Staircase<'t> {
    node: Var<'t>,
    from: usize,
}

/// A program that is lower triangular by construction: scalars, staircases, masked products; its outputs
/// are drawn from shared, repeated and input nodes as well as from proper triangular maps.
fn triangular<'t>(tape: &'t Tape, d: usize, choose: &mut Chooser) -> (Var<'t>, Var<'t>) {
    let z = tape.input(Shape::Vector(d));
    let mut stairs = vec![Staircase { node: z, from: 0 }];
    // (node, the largest input it may depend on)
    let mut scalars: Vec<(Var<'t>, usize)> = (0..d).map(|i| (z.at(i), i)).collect();
    for step in 0..8 + choose.below(16) {
        match choose.below(7) {
            0 => {
                let a = choose.pick(&stairs);
                stairs.push(Staircase { node: unary(a.node, choose.below(UNARY)), ..a });
            }
            1 => {
                let a = choose.pick(&stairs);
                let fits = |b: &&Staircase<'t>| b.from == a.from && b.node.len() == a.node.len();
                let others: Vec<Staircase<'t>> = stairs.iter().filter(fits).copied().collect();
                let b = choose.pick(&others);
                stairs.push(Staircase { node: binary(a.node, b.node, choose.below(8)), ..a });
            }
            2 => {
                // Weights below and on the diagonal, a third of them masked; the rest is masked away.
                let a = choose.pick(&stairs);
                let n = a.node.len();
                let mask = choose.mask(n * n);
                let lower: Vec<f64> =
                    (0..n * n).map(|e| if e % n <= e / n { mask[e] } else { 0.0 }).collect();
                let shape = Shape::Matrix(n, n);
                let init = Init::Values(choose.numbers(n * n));
                let weight = tape.parameter(&format!("w{step}"), shape, init);
                let node = (weight * tape.matrix(n, n, &lower)).matvec(a.node);
                stairs.push(Staircase { node: node + choose.pick(&stairs).node.sum() * 0.0, ..a });
            }
            3 => {
                let a = choose.pick(&stairs);
                let start = choose.below(a.node.len());
                stairs.push(Staircase { node: a.node.slice(start..a.node.len()), from: a.from + start });
            }
            4 => {
                let a = choose.pick(&stairs);
                let e = choose.below(a.node.len());
                scalars.push((a.node.at(e), a.from + e));
            }
            5 => {
                let (a, b) = (choose.pick(&scalars), choose.pick(&scalars));
                let node = match choose.below(4) {
                    0 => select(a.0.lt(b.0), a.0 * 0.5, b.0.sin()),
                    1 => stack([a.0, b.0, a.0 * b.0]).outer(stack([b.0, a.0])).sum(),
                    2 => unary(a.0, choose.below(UNARY)) + b.0,
                    _ => binary(a.0, b.0, choose.below(8)),
                };
                scalars.push((node, a.1.max(b.1)));
            }
            _ => {
                // A scalar may move all steps of a staircase that begins after it.
                let a = choose.pick(&scalars);
                let s = choose.pick(&stairs);
                if a.1 <= s.from {
                    stairs.push(Staircase { node: s.node * a.0.tanh().exp() + a.0, ..s });
                }
            }
        }
    }
    let outputs: Vec<Var<'t>> = (0..d)
        .map(|i| {
            let fits: Vec<Var<'t>> = scalars
                .iter()
                .filter(|(_, hi)| *hi <= i)
                .map(|(node, _)| *node)
                .chain(
                    stairs
                        .iter()
                        .filter(|s| s.from <= i && i - s.from < s.node.len())
                        .map(|s| s.node.at(i - s.from)),
                )
                .collect();
            let s = choose.pick(&fits);
            match choose.below(5) {
                // Anything at all: an input, a repeated node, something that never saw zᵢ.
                0 => s,
                1 => z.at(i) + s,
                _ => {
                    let t = choose.pick(&fits);
                    z.at(i) * t.tanh().exp() + s
                }
            }
        })
        .collect();
    tape.check().unwrap_or_else(|errors| panic!("the generator recorded an error: {errors}"));
    (z, stack(outputs))
}

#[test]
fn diagonals_by_slices_are_those_of_the_dense_jacobian() {
    let (cases, singular, worst) = (Cell::new(0), Cell::new(0), Cell::new(0.0f64));
    for_seeds(1000, |seed| {
        let mut choose = Chooser::new(seed);
        let tape = Tape::new();
        let d = 1 + choose.below(7);
        let (z, x) = triangular(&tape, d, &mut choose);
        let map = map(&tape, z.id(), x.id());
        let proof = prove(&tape, &map, &Structure::LowerTriangular)
            .map_err(|error| format!("triangular by construction, and not proven: {error}"))?
            .ok_or("a declared structure has a proof")?;
        let slices = triangular_diagonal(&tape, &map, &proof);
        let any = diagonal(&tape, &map);
        let whole = jacobian(&tape, &map);
        cases.set(cases.get() + 1);
        singular.set(singular.get() + usize::from(!slices.zeros.is_empty()));
        for point in [choose.numbers(d), choose.numbers(d)] {
            let found = numbers(&tape, z, &[slices.entries, any.entries, whole], &point);
            for i in 0..d {
                let dense = &found[2][i * d..(i + 1) * d];
                if dense[i + 1..].iter().any(|entry| *entry != 0.0) {
                    return Err(format!("row {i} is not 0 behind the diagonal: {dense:?}"));
                }
                for (k, name) in [(0, "slices"), (1, "colouring")] {
                    let error = off(found[k][i], dense[i]);
                    worst.set(worst.get().max(error));
                    if error.is_nan() || error > 1e-10 {
                        return Err(format!("J[{i}][{i}] is {} by {name}, {} dense", found[k][i], dense[i]));
                    }
                }
                if slices.zeros.contains(&i) && dense[i] != 0.0 {
                    return Err(format!("J[{i}][{i}] is a proven zero, and {} dense", dense[i]));
                }
            }
        }
        Ok(())
    });
    println!(
        "{} triangular programs, {} of them proven singular, worst relative difference {:.1e}",
        cases.get(),
        singular.get(),
        worst.get()
    );
    assert!(singular.get() > 0, "the generator makes no singular programs: the guard is not tested");
}

/// A program whose outputs are drawn from anywhere.
fn any<'t>(tape: &'t Tape, d: usize, choose: &mut Chooser) -> (Var<'t>, Var<'t>) {
    let z = tape.input(Shape::Vector(d));
    let mut inputs = vec![z];
    inputs.extend((0..d).map(|i| z.at(i)));
    let mut pool = Pool::new(tape, &inputs).with_solutions();
    for _ in 0..choose.below(18) {
        pool.grow(choose);
    }
    let elements: Vec<Var<'t>> = pool
        .nodes
        .iter()
        .flat_map(|node| (0..node.len().min(6)).map(|e| node.reshape(Shape::Vector(node.len())).at(e)))
        .collect();
    let outputs: Vec<Var<'t>> = (0..d)
        .map(|i| match choose.below(3) {
            0 => choose.pick(&elements),
            1 => z.at(choose.below(d)) * choose.pick(&elements).tanh().exp(),
            _ => z.at(i) + choose.pick(&elements),
        })
        .collect();
    tape.check().unwrap_or_else(|errors| panic!("the generator recorded an error: {errors}"));
    (z, stack(outputs))
}

#[test]
fn no_program_is_falsely_proven_and_every_diagonal_is_exact() {
    let (cases, proven, sweeps) = (Cell::new(0usize), Cell::new(0usize), Cell::new(0.0));
    let (singular, blocks, worst) = (Cell::new(0usize), Cell::new(0usize), Cell::new(0.0f64));
    for_seeds(1000, |seed| {
        let mut choose = Chooser::new(seed);
        let tape = Tape::new();
        let d = 1 + choose.below(6);
        let (z, x) = any(&tape, d, &mut choose);
        let map = map(&tape, z.id(), x.id());
        let whole = jacobian(&tape, &map);
        let all = diagonal(&tape, &map);
        let points = [choose.numbers(d), choose.numbers(d), choose.numbers(d)];
        cases.set(cases.get() + 1);
        sweeps.set(sweeps.get() + all.sweeps as f64 / d as f64);
        for point in &points {
            let found = numbers(&tape, z, &[all.entries, whole], point);
            for i in 0..d {
                let error = off(found[0][i], found[1][i * d + i]);
                worst.set(worst.get().max(error));
                if error.is_nan() || error > 1e-10 {
                    return Err(format!(
                        "J[{i}][{i}]: {} by colouring, {} dense",
                        found[0][i],
                        found[1][i * d + i]
                    ));
                }
            }
        }
        match prove(&tape, &map, &Structure::LowerTriangular) {
            Ok(_) => {
                proven.set(proven.get() + 1);
                for point in &points {
                    let dense = numbers(&tape, z, &[whole], point).swap_remove(0);
                    if (0..d * d).any(|e| e % d > e / d && dense[e] != 0.0) {
                        return Err("a false proof of triangularity".into());
                    }
                }
            }
            Err(StructureError::Unproven(unproven)) => {
                let pattern = Reach::new(&tape, &map, Relation::Value).pattern();
                if unproven.input <= unproven.output
                    || !pattern[unproven.output].contains(&(unproven.input as u32))
                {
                    return Err(format!("the path is not real: {unproven}"));
                }
            }
            Err(other) => return Err(other.to_string()),
        }
        match discover(&tape, &map) {
            Err(StructureError::Singular { reason }) => {
                singular.set(singular.get() + 1);
                for point in &points {
                    let dense = numbers(&tape, z, &[whole], point).swap_remove(0);
                    let log = Lu::new(d, dense.clone()).log_abs_det();
                    if log > -28.0 {
                        return Err(format!("singular because {reason}, but ln|det| = {log} of {dense:?}"));
                    }
                }
            }
            Err(other) => return Err(other.to_string()),
            Ok(found) => {
                if found.structure != Structure::Dense {
                    blocks.set(blocks.get() + 1);
                }
                let derived = log_det(&tape, &map, &found.structure)
                    .map_err(|error| format!("{} was found and cannot be used: {error}", found.structure))?;
                for point in &points {
                    let both = numbers(&tape, z, &[derived.value, whole], point);
                    let dense = Lu::new(d, both[1].clone()).log_abs_det();
                    // Near a singular matrix the logarithm itself is ill conditioned.
                    if dense > -12.0 && (off(both[0][0], dense) > 1e-7 || both[0][0].is_nan()) {
                        return Err(format!("{}: {} against {dense}", found.structure, both[0][0]));
                    }
                }
            }
        }
        Ok(())
    });
    println!(
        "{} programs: {} proven triangular, {} with a structure found, {} proven singular; {:.2}·d sweeps a \
         diagonal; worst relative difference {:.1e}",
        cases.get(),
        proven.get(),
        blocks.get(),
        singular.get(),
        sweeps.get() / cases.get() as f64,
        worst.get()
    );
}

#[test]
fn a_hidden_order_is_found_and_proven() {
    for_seeds(200, |seed| {
        let mut choose = Chooser::new(seed);
        let tape = Tape::new();
        let d = 2 + choose.below(6);
        let z = tape.input(Shape::Vector(d));
        // Shuffle, then xᵢ = zᵢ·exp(tanh Σ earlier) + Σ earlier, then shuffle the outputs.
        let mut order: Vec<usize> = (0..d).collect();
        (1..d).rev().for_each(|k| order.swap(k, choose.below(k + 1)));
        let mut outputs = vec![z.at(0); d];
        let mut earlier = tape.constant(0.3);
        for i in &order {
            outputs[choose.below(1) + *i] = z.at(*i) * earlier.tanh().exp() + earlier;
            earlier = earlier + z.at(*i);
        }
        let turn = choose.below(d);
        outputs.rotate_left(turn);
        let x = stack(outputs);
        let map = map(&tape, z.id(), x.id());
        let found = discover(&tape, &map).map_err(|error| error.to_string())?;
        if found.blocks.iter().any(|size| *size != 1) {
            return Err(format!("blocks {:?} in a triangular map", found.blocks));
        }
        let derived = log_det(&tape, &map, &found.structure).map_err(|error| error.to_string())?;
        let whole = jacobian(&tape, &map);
        let both = numbers(&tape, z, &[derived.value, whole], &choose.numbers(d));
        let dense = Lu::new(d, both[1].clone()).log_abs_det();
        if off(both[0][0], dense) < 1e-10 { Ok(()) } else { Err(format!("{} against {dense}", both[0][0])) }
    });
}

/// A layer whose vector is read as a matrix and element by element.
struct ReadTwice;

impl Bijection for ReadTwice {
    fn dim(&self) -> usize {
        3
    }
    fn structure(&self) -> Structure {
        Structure::Dense
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let s = z.reshape(Shape::Matrix(3, 1)).tanh().sum();
        stack([2.0 * z.at(0) + s, z.at(1).sinh(), z.at(2).sinh()])
    }
}

#[test]
fn a_sweep_notes_no_mistake_that_nobody_made() {
    assert!(record(&ReadTwice).unwrap().tape().check().is_ok());
    let then = Box::new(Elementwise::new(Transform::Tanh, 3)) as Box<dyn Bijection>;
    record(&Chain::new(vec![Box::new(ReadTwice) as Box<dyn Bijection>, then])).unwrap();
}

#[test]
fn all_columns_at_once_are_the_columns_one_by_one() {
    // Twenty variables through every operation that moves whole matrices; the columns one by one are tangents.
    let d = 20;
    let mut choose = Chooser::new(3);
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(d));
    let weight = |name: &str, rows: usize, columns: usize, choose: &mut Chooser| {
        let init = Init::Values(choose.numbers(rows * columns));
        tape.parameter(name, Shape::Matrix(rows, columns), init)
    };
    let (a, b) = (weight("a", 7, d, &mut choose), weight("b", d, 7, &mut choose));
    let hidden = a.matvec(z.sin()).tanh();
    let chosen = select(hidden.gt(0.1), hidden.powi(2), 0.3 * hidden).max(hidden * 0.5);
    let moved = concat([b.matvec(chosen).slice(0..12), z.slice(3..11) * hidden.sum()]);
    let permuted = z.gather(&(0..d).rev().collect::<Vec<_>>());
    let x = moved * z.sigmoid() + permuted.abs() + z.min(0.2) + b.matvec(hidden).sum();
    let map = map(&tape, z.id(), x.id());
    let whole = jacobian(&tape, &map);
    let columns: Vec<Var<'_>> = (0..d)
        .map(|j| {
            let unit: Vec<f64> = (0..d).map(|k| f64::from(u8::from(k == j))).collect();
            pushforward::sweep::tangent(&tape, &map, &[(z.id(), tape.vector(&unit))])[0].unwrap()
        })
        .collect();
    let mut outputs = vec![whole];
    outputs.extend(columns);
    let found = numbers(&tape, z, &outputs, &choose.numbers(d));
    for i in 0..d {
        for j in 0..d {
            let (all, one) = (found[0][i * d + j], found[1 + j][i]);
            assert!(off(all, one) < 1e-13, "J[{i}][{j}]: {all} at once, {one} alone");
        }
    }
}
