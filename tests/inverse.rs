//! Derived inverses of random layers: whatever chain of operations moves each variable, by whatever the ones before
//! it say, the program run backwards brings every image home.

#[allow(dead_code, reason = "other tests use more of it")]
mod random_programs;

use std::cell::Cell;

use pushforward::bijection::{derived_inverse, push_forward};
use pushforward::jacobian::Order;
use pushforward::prelude::*;
use random_programs::{Chooser, for_seeds, numbers};

/// A random triangular layer, in a random order, in scalars or with several variables in one vector.
struct Random {
    seed: u64,
    order: Vec<usize>,
    vectors: bool,
}

/// Something of the variables that are known.
fn known<'t>(z: &[Var<'t>], choose: &mut Chooser) -> Var<'t> {
    let (a, b) = (choose.pick(z), choose.pick(z));
    match choose.below(4) {
        0 => a.sin() + b,
        1 => (a * b).tanh(),
        2 => a.softplus() - 0.5 * b,
        _ => a.max(b),
    }
}

/// A chain of operations on v that can be undone.
fn chain<'t>(
    mut v: Var<'t>,
    known: &mut dyn FnMut(&mut Chooser) -> Var<'t>,
    choose: &mut Chooser,
) -> Var<'t> {
    for _ in 0..1 + choose.below(4) {
        v = match choose.below(14) {
            0 => v + known(choose),
            1 => v - known(choose),
            2 => known(choose) - v,
            3 => v * (0.5 * known(choose).tanh()).exp(),
            4 => v * (-known(choose).tanh()).exp(),
            5 => v * (known(choose).tanh() + 1.5),
            6 => v / (known(choose).tanh() + 1.5),
            7 => -v,
            8 => (0.3 * v).tanh(),
            9 => (0.3 * v).exp(),
            10 => v.sigmoid(),
            11 => v.softplus(),
            12 => (0.3 * v).exp_m1(),
            _ => v.powi(3) * 0.1 + known(choose),
        };
    }
    v
}

const D: usize = 4;

impl Bijection for Random {
    fn dim(&self) -> usize {
        D
    }

    fn structure(&self) -> Structure {
        Structure::Triangular { order: Order::of(self.order.clone()) }
    }

    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        let mut choose = Chooser::new(self.seed);
        let tape = z.tape();
        let mut back = vec![0; D];
        self.order.iter().enumerate().for_each(|(k, i)| back[*i] = k);
        if self.vectors {
            // The first half passes through a chain, the second is moved by what the first says.
            let (first, second) = (z.gather(&self.order[..2]), z.gather(&self.order[2..]));
            let constant = tape.vector(&[0.3, -0.8]);
            let moved_first = chain(first, &mut |_| constant, &mut choose);
            let moved = chain(second, &mut |choose| known(&[first], choose), &mut choose);
            return concat([moved_first, moved]).gather(&back);
        }
        let mut x = Vec::new();
        let mut before = vec![tape.constant(0.4)];
        for i in &self.order {
            let own = z.at(*i);
            x.push(chain(own, &mut |choose| known(&before, choose), &mut choose));
            before.push(own);
        }
        stack(back.iter().map(|k| x[*k]))
    }
}

#[test]
fn every_image_comes_home() {
    let (worst, checked) = (Cell::new(0.0f64), Cell::new(0u64));
    for_seeds(1000, |seed| {
        let mut choose = Chooser::new(seed);
        let mut order: Vec<usize> = (0..D).collect();
        for k in (1..D).rev() {
            order.swap(k, choose.below(k + 1));
        }
        let layer = Random { seed, order, vectors: choose.chance(0.5) };
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(D));
        let pushed = push_forward(&layer, z).map_err(|error| error.to_string())?;
        let home = derived_inverse(&layer, pushed.x).map_err(|error| error.to_string())?;
        for _ in 0..4 {
            let point = choose.numbers(D);
            let found = numbers(&tape, z, &[home, pushed.log_det], &point);
            // Where f is nearly flat, one bit of x is many bits of z.
            if found[1][0] < -12.0 || !found[1][0].is_finite() {
                continue;
            }
            for (back, z) in found[0].iter().zip(&point) {
                let off = (back - z).abs();
                if off.is_nan() || off > 1e-6 {
                    return Err(format!("{point:?} came back as {:?}", found[0]));
                }
                worst.set(worst.get().max(off));
                checked.set(checked.get() + 1);
            }
        }
        Ok(())
    });
    println!("{} round trips, worst error {:.1e}", checked.get(), worst.get());
}
