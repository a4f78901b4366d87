//! Every layer far from 0: round trips, and ln|det J| against an LU of the full Jacobian.
//!
//! `TAIL_POINTS=100000 cargo test --test library tails:: -- --nocapture` prints the table for that many points.

use crate::catalogue;

use catalogue::{Entry, catalogue};
use pushforward::bijection::{forward_with_log_det, record_inverse};
use pushforward::jacobian::{jacobian, map};
use pushforward::numeric::Lu;
use pushforward::prelude::*;
use pushforward::program::{Output, Program};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

/// Half of the points near the middle, half anywhere up to `reach`; carried into the domain.
fn points(domain: &Domain, d: usize, count: usize, reach: f64, random: &mut ChaCha8Rng) -> Vec<f64> {
    let mut draw = |domain: &Domain| {
        let far = if random.random::<f64>() < 0.5 { 3.0 } else { reach };
        let u = far * (2.0 * random.random::<f64>() - 1.0);
        match domain {
            Domain::Positive => u.exp(),
            // As far as doubles can tell from the ends.
            Domain::Interval { lower, upper } => lower + (upper - lower) / (1.0 + (-u).exp()),
            Domain::Circle => std::f64::consts::PI * (u / reach),
            _ => u,
        }
    };
    let mut drawn = Vec::with_capacity(count);
    while drawn.len() < count {
        let own = domain.of(drawn.len() % d);
        let z = draw(&own);
        if own.contains(&[z]) {
            drawn.push(z);
        }
    }
    drawn
}

#[test]
fn every_layer_comes_back_from_its_tails_with_the_right_log_determinant() {
    let count: usize = std::env::var("TAIL_POINTS").ok().and_then(|n| n.parse().ok()).unwrap_or(3000);
    let mut random = ChaCha8Rng::seed_from_u64(5);
    println!("{:<28} {:>8} {:>11} {:>11}", "layer", "points", "round trip", "ln|det J|");
    let mut worst = (String::new(), 0.0f64);
    let mut wrong: Vec<String> = Vec::new();
    for Entry { layer, reach, .. } in catalogue() {
        let d = layer.dim();
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(d));
        let pushed = forward_with_log_det(&layer, z).unwrap();
        let back = record_inverse(&layer, pushed.x).unwrap();
        let whole = jacobian(&tape, &map(&tape, z.id(), pushed.x.id()));
        let outputs = [pushed.x, back, pushed.log_det, whole].map(|var| Output::Each(var.id()));
        let mut program = Program::<f64>::compile(&tape, &[z.id()], &outputs);
        let mut parameters = Parameters::initialise(&tape, 1);
        for (_, tensor) in parameters.iter_mut() {
            tensor.values.iter_mut().for_each(|value| *value += 0.3 * (2.0 * random.random::<f64>() - 1.0));
        }
        program.load(&parameters).unwrap();
        let points = points(&layer.domain(), d, count * d, reach, &mut random);
        let found = program.run(&[&points], count).unwrap();
        let (mut trip, mut log_det, mut kept) = (0.0f64, 0.0f64, 0);
        for row in 0..count {
            let (x, z) = (&found[0][row * d..(row + 1) * d], &points[row * d..(row + 1) * d]);
            let j = &found[3][row * d * d..(row + 1) * d * d];
            let inside = layer.codomain().contains(x) && j.iter().all(|j| j.is_finite());
            let lu = Lu::new(d, j.to_vec());
            // Beyond, f is flat to a double, or has left its codomain by rounding.
            if !inside || !(-600.0..600.0).contains(&lu.log_abs_det()) {
                continue;
            }
            kept += 1;
            // A unit in the last place of each xⱼ moves zᵢ by |J⁻¹|ᵢⱼ·|xⱼ|; so does one of what it is the sum of.
            let columns: Vec<Vec<f64>> = (0..d)
                .map(|k| {
                    let mut unit = vec![0.0; d];
                    unit[k] = 1.0;
                    lu.solve(&mut unit);
                    unit
                })
                .collect();
            // And one of an entry of J, which may be 1 less something near 1, moves ln|det J| by |J⁻¹|.
            let moved: f64 = columns.iter().flatten().map(|entry| entry.abs()).sum();
            let off = (found[2][row] - lu.log_abs_det()).abs();
            log_det = log_det.max(off / (found[2][row].abs().max(1.0) + moved));
            for i in 0..d {
                let reached: f64 = (0..d)
                    .map(|k| {
                        let size: f64 = (0..d).map(|l| j[k * d + l].abs() * z[l].abs()).sum();
                        columns[k][i].abs() * (x[k].abs() + size + 1.0)
                    })
                    .sum();
                let error = (found[1][row * d + i] - z[i]).abs() / (1.0 + z[i].abs() + reached);
                if error.is_nan() {
                    wrong.push(format!("{}: {z:?} does not come back", layer.name()));
                }
                trip = trip.max(error);
            }
        }
        println!("{:<28} {kept:>8} {trip:>11.1e} {log_det:>11.1e}", layer.name());
        if 2 * kept <= count {
            wrong.push(format!("{}: only {kept} points could be told from the ends", layer.name()));
        }
        if !(trip < 1e-12 && log_det < 1e-12) {
            wrong.push(format!("{}: {trip:e}, {log_det:e}", layer.name()));
        }
        if trip > worst.1 {
            worst = (layer.name(), trip);
        }
    }
    println!("worst round trip: {} with {:.1e}", worst.0, worst.1);
    wrong.dedup();
    assert!(wrong.is_empty(), "{}", wrong.join("\n"));
}
