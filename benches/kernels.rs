//! The kernels, by instruction set: elementary functions compared with those of the standard library, products with
//! the `matrixmultiply` crate.
//!
//! The tables at the end show the shortest of many runs; the implementations take turns, so that other load on the
//! machine affects all of them.

use std::hint::black_box;
use std::time::{Duration, Instant};

use criterion::{Criterion, Throughput};
use num_traits::{Float, cast};
use pushforward::kernel::{
    Arch, EntryMask, Exp, ExpM1, Function, Lanes, Ln, Ln1p, PackedMatrix, Real, Sigmoid, Simd, Softplus,
    Tanh, WithSimd, add_outer, instruction_sets, map, multiply,
};

const LANES: usize = 240;

struct Map<'a, G, F>(G, &'a [F], &'a mut [F]);

impl<G: Function, F: Real> WithSimd for Map<'_, G, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        map(simd, self.0, self.1, self.2);
    }
}

struct Multiply<'a, F>(&'a PackedMatrix<F>, &'a [F], &'a mut [F], &'a mut Vec<F>);

impl<F: Real> WithSimd for Multiply<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let lanes = Lanes { count: LANES, stride: LANES };
        multiply(simd, self.0, self.1, self.2, lanes, self.3);
    }
}

struct Outer<'a, F>(&'a [F], &'a [F], &'a EntryMask, &'a mut [F], &'a mut Vec<F>);

impl<F: Real> WithSimd for Outer<'_, F> {
    type Output = ();

    #[inline(always)]
    fn with_simd<S: Simd>(self, simd: S) {
        let lanes = Lanes { count: LANES, stride: LANES };
        add_outer(simd, self.0, self.1, lanes, self.2, self.3, self.4);
    }
}

/// A number type, with the product of another library.
trait Rival: Real + Float {
    /// out = a·b, where the first is m × k and the second k × n, with the given strides of columns and of rows.
    fn rival(size: [usize; 3], a: (&[Self], [usize; 2]), b: (&[Self], [usize; 2]), out: &mut [Self]);
}

macro_rules! rival {
    ($number:ty, $product:path) => {
        impl Rival for $number {
            fn rival(
                [m, k, n]: [usize; 3],
                (a, [a_down, a_right]): (&[Self], [usize; 2]),
                (b, [b_down, b_right]): (&[Self], [usize; 2]),
                out: &mut [Self],
            ) {
                assert!(a.len() >= m * k && b.len() >= k * n && out.len() >= m * n);
                let (rsa, csa, rsb, csb) =
                    (a_down as isize, a_right as isize, b_down as isize, b_right as isize);
                // SAFETY: the slices are as long as the sizes say, and no stride leads out of them.
                unsafe {
                    let (a, b, out) = (a.as_ptr(), b.as_ptr(), out.as_mut_ptr());
                    $product(m, k, n, 1.0, a, rsa, csa, b, rsb, csb, 0.0, out, n as isize, 1);
                }
            }
        }
    };
}

rival!(f64, matrixmultiply::dgemm);
rival!(f32, matrixmultiply::sgemm);

/// Returns the shortest run of each, in seconds; they take turns.
fn shortest(contestants: &mut [Box<dyn FnMut() + '_>]) -> Vec<f64> {
    let mut best = vec![f64::INFINITY; contestants.len()];
    let begin = Instant::now();
    while begin.elapsed() < Duration::from_millis(100 * contestants.len() as u64) {
        for (contestant, best) in contestants.iter_mut().zip(&mut best) {
            // One run to warm up, and one to be timed.
            contestant();
            let start = Instant::now();
            contestant();
            *best = best.min(start.elapsed().as_secs_f64());
        }
    }
    best
}

fn numbers<F: Rival>(count: usize, of: impl Fn(f64) -> f64) -> Vec<F> {
    (0..count).map(|i| cast(of((i as f64 * 0.37).sin())).expect("both types have it")).collect()
}

/// ns per element: of the standard library, and of each instruction set.
fn elementary<F: Rival>(function: impl Function, of: fn(f64) -> f64, std: fn(F) -> F) -> Vec<f64> {
    // Enough elements to hide the overhead of the clock, few enough to stay in the first-level cache.
    const COUNT: usize = 1920;
    let a = numbers::<F>(COUNT, of);
    let mut outs = vec![vec![F::ZERO; COUNT]; instruction_sets().len() + 1];
    let (first, rest) = outs.split_first_mut().expect("there is one");
    let mut contestants: Vec<Box<dyn FnMut()>> = vec![Box::new(|| {
        for (out, a) in first.iter_mut().zip(&a) {
            *out = std(*a);
        }
        black_box(&*first);
    })];
    for ((_, arch), out) in instruction_sets().into_iter().zip(rest) {
        let a = &a;
        contestants.push(Box::new(move || {
            arch.dispatch(Map(function, a, out));
            black_box(&*out);
        }));
    }
    shortest(&mut contestants).into_iter().map(|time| time / COUNT as f64 * 1e9).collect()
}

fn sigmoid<F: Float>(a: F) -> F {
    (F::one() + (-a).exp()).recip()
}

fn softplus<F: Float>(a: F) -> F {
    a.max(F::zero()) + (-a.abs()).exp().ln_1p()
}

fn elementary_table<F: Rival>(name: &str) {
    let sets: Vec<String> = instruction_sets().iter().map(|(set, _)| format!("{set:>15}")).collect();
    println!("\n{name}, ns an element {:>10}{}", "std", sets.concat());
    macro_rules! row {
        ($function:expr, $of:expr, $std:expr) => {
            let times = elementary::<F>($function, $of, $std);
            let cells = times[1..].iter().map(|time| format!("{time:>7.2} ({:>4.1}×)", times[0] / time));
            println!("{:<20} {:>10.2}{}", format!("{:?}", $function), times[0], cells.collect::<String>());
        };
    }
    row!(Exp, |a| 20.0 * a, |a| Float::exp(a));
    row!(ExpM1, |a| 3.0 * a, |a| Float::exp_m1(a));
    row!(Ln, |a| (10.0 * a).exp(), |a| Float::ln(a));
    row!(Ln1p, |a| (10.0 * a).exp() - 0.9, |a| Float::ln_1p(a));
    row!(Tanh, |a| 3.0 * a, |a| Float::tanh(a));
    row!(Sigmoid, |a| 20.0 * a, sigmoid);
    row!(Softplus, |a| 20.0 * a, softplus);
}

/// The entries of a masked network whose units are sorted by degree.
fn staircase(side: usize) -> Vec<bool> {
    (0..side * side).map(|e| e % side > e / side).collect()
}

/// GFLOP/s of products of square matrices with 240 lanes; the share of the time of the dense product that a
/// lower triangle takes; and GFLOP/s of their gradients.
fn product_table<F: Rival>(name: &str) {
    let sets = instruction_sets();
    let headings: Vec<String> = sets.iter().map(|(set, _)| format!("{set:>21}")).collect();
    println!("\n{name}, GFLOP/s (triangle/dense) {:>15}{}", "matrixmultiply", headings.concat());
    for side in [16, 64, 128, 256, 512, 1024] {
        let (a, b) = (numbers::<F>(side * side, |a| a), numbers::<F>(side * LANES, |a| a));
        let mut dense = PackedMatrix::new(side, side, &[]);
        let mut triangle = PackedMatrix::new(side, side, &staircase(side));
        dense.load(&a);
        triangle.load(&a);
        let mut outs = vec![vec![F::ZERO; side * LANES]; 2 * sets.len() + 1];
        let mut panels = vec![Vec::new(); 2 * sets.len()];
        let (first, rest) = outs.split_first_mut().expect("there is one");
        let mut contestants: Vec<Box<dyn FnMut()>> = vec![Box::new(|| {
            F::rival([side, side, LANES], (&a, [side, 1]), (&b, [LANES, 1]), first);
            black_box(&*first);
        })];
        let matrices = sets.iter().flat_map(|(_, arch)| [(*arch, &dense), (*arch, &triangle)]);
        for (((arch, matrix), out), panel) in matrices.zip(rest).zip(&mut panels) {
            let b = &b;
            contestants.push(Box::new(move || {
                arch.dispatch(Multiply(matrix, b, out, panel));
                black_box(&*out);
            }));
        }
        let times = shortest(&mut contestants);
        let rate = |time: f64| 2.0 * (side * side * LANES) as f64 / time * 1e-9;
        let cells =
            times[1..].chunks(2).map(|pair| format!("{:>14.1} ({:.2})", rate(pair[0]), pair[1] / pair[0]));
        println!(
            "{:<32} {:>11.1}{}",
            format!("{side:>4} × {side}"),
            rate(times[0]),
            cells.collect::<String>()
        );
    }
}

fn gradient_table<F: Rival>(name: &str) {
    let sets = instruction_sets();
    let headings: Vec<String> = sets.iter().map(|(set, _)| format!("{set:>12}")).collect();
    println!("\n{name}, gradient, GFLOP/s        {:>15}{}", "matrixmultiply", headings.concat());
    for side in [16, 64, 128, 256, 512] {
        let (a, b) = (numbers::<F>(side * LANES, |a| a), numbers::<F>(side * LANES, |a| 1.0 - a));
        let mut outs = vec![vec![F::ZERO; side * side]; sets.len() + 1];
        let mut panels = vec![Vec::new(); sets.len()];
        let wanted = EntryMask::new([side, side], &[]);
        let (first, rest) = outs.split_first_mut().expect("there is one");
        let mut contestants: Vec<Box<dyn FnMut()>> = vec![Box::new(|| {
            F::rival([side, LANES, side], (&a, [LANES, 1]), (&b, [1, LANES]), first);
            black_box(&*first);
        })];
        for (((_, arch), sums), panel) in sets.iter().zip(rest).zip(&mut panels) {
            let (a, b, wanted) = (&a, &b, &wanted);
            contestants.push(Box::new(move || {
                arch.dispatch(Outer(a, b, wanted, sums, panel));
                black_box(&*sums);
            }));
        }
        let times = shortest(&mut contestants);
        let rate = |time: &f64| format!("{:>12.1}", 2.0 * (side * side * LANES) as f64 / time * 1e-9);
        let cells: String = times[1..].iter().map(rate).collect();
        println!("{:<32} {:>11}{cells}", format!("{side:>4} × {side}"), rate(&times[0]).trim());
    }
}

fn main() {
    let mut criterion = Criterion::default().configure_from_args();
    let mut group = criterion.benchmark_group("kernels");
    let arch = Arch::new();
    let a = numbers::<f64>(LANES, |a| 3.0 * a);
    let mut out = vec![0.0; LANES];
    group.throughput(Throughput::Elements(LANES as u64));
    group.bench_function("exp", |b| b.iter(|| arch.dispatch(Map(Exp, &a, &mut out))));
    group.bench_function("tanh", |b| b.iter(|| arch.dispatch(Map(Tanh, &a, &mut out))));
    let mut matrix = PackedMatrix::new(64, 64, &[]);
    matrix.load(&numbers(64 * 64, |a| a));
    let (x, mut y) = (numbers::<f64>(64 * LANES, |a| a), vec![0.0; 64 * LANES]);
    let (mut sums, mut panel) = (vec![0.0; 64 * 64], Vec::new());
    group.throughput(Throughput::Elements(2 * 64 * 64 * LANES as u64));
    group.bench_function("multiply 64 × 64", |b| {
        b.iter(|| arch.dispatch(Multiply(&matrix, &x, &mut y, &mut panel)));
    });
    group.bench_function("gradient 64 × 64", |b| {
        b.iter(|| arch.dispatch(Outer(&x, &y, &EntryMask::new([64, 64], &[]), &mut sums, &mut panel)));
    });
    group.finish();

    elementary_table::<f64>("f64");
    elementary_table::<f32>("f32");
    product_table::<f64>("f64");
    product_table::<f32>("f32");
    gradient_table::<f64>("f64");
    gradient_table::<f32>("f32");
}
