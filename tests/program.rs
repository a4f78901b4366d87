//! Compiled programs agree with the plain executor for all row and thread counts and number types, and lose no
//! value.

use crate::plain;
use crate::random_programs;

use std::cell::Cell;

use plain::plain;
use pushforward::bijection::{forward_with_log_det, inverse_with_log_det};
use pushforward::flow::Trainer;
use pushforward::prelude::*;
use pushforward::program::{Output, Program, Threads, Workspace};
use pushforward::sweep::adjoint;
use pushforward::tape::{Binary, NodeId, Op, Subgraph};
use random_programs::{Chooser, Pool, for_seeds};

/// Relative to the larger of the expected size and 1.
fn off(found: f64, expected: f64) -> f64 {
    let same = found == expected || (found.is_nan() && expected.is_nan());
    if same { 0.0 } else { (found - expected).abs() / expected.abs().max(1.0) }
}

/// Whether a comparison is decided by rounding: two sides that are equal over the reals (an entry of a symmetric inverse
/// and its mirror image), where either answer is right.
fn ties(tape: &Tape, input: NodeId, ids: &[NodeId], point: &[f64], parameters: &Parameters) -> bool {
    let subgraph = Subgraph::new(tape, &[input], ids);
    let compared = subgraph.nodes().iter().map(|id| tape.node(*id)).filter_map(|node| match node.op {
        Op::Binary(Binary::Less | Binary::LessEq) => Some([node.operands[0], node.operands[1]]),
        _ => None,
    });
    let sides: Vec<NodeId> = compared.flatten().collect();
    let values = plain(tape, input, &sides, point, parameters);
    values.chunks(2).any(|sides| sides[0].iter().zip(&sides[1]).any(|(a, b)| a != b && off(*a, *b) < 1e-12))
}

#[test]
fn random_programs_give_what_the_plain_executor_gives() {
    let worst = Cell::new(0.0f64);
    for_seeds(400, |seed| {
        let mut choose = Chooser::new(seed);
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(4));
        let mut pool = Pool::new(&tape, &[z, z.at(0), z.at(3), z.slice(1..4)]).with_solutions();
        for _ in 0..4 + choose.below(25) {
            pool.grow(&mut choose);
        }
        let ids: Vec<NodeId> = pool.nodes.iter().rev().take(6).map(|node| node.id()).collect();
        let mut outputs: Vec<Output> = ids.iter().map(|id| Output::Each(*id)).collect();
        outputs.extend(ids.iter().map(|id| Output::Sum(*id)));
        let mut program = Program::<f64>::compile(&tape, &[z.id()], &outputs);
        let parameters = Parameters::initialise(&tape, seed);
        program.load(&parameters).unwrap();
        let rows = choose.pick(&[1usize, 2, 15, 16, 17, 47, 130]);
        let points = choose.numbers(4 * rows);
        let found = program.run(&[&points], rows).unwrap();
        let mut sums: Vec<Vec<f64>> = ids.iter().map(|id| vec![0.0; tape.shape(*id).len()]).collect();
        for (row, point) in points.chunks(4).enumerate() {
            let expected = plain(&tape, z.id(), &ids, point, &parameters);
            if ties(&tape, z.id(), &ids, point, &parameters) {
                return Ok(());
            }
            for (k, numbers) in expected.iter().enumerate() {
                let own = &found[k][row * numbers.len()..(row + 1) * numbers.len()];
                for (e, (found, expected)) in own.iter().zip(numbers).enumerate() {
                    worst.set(worst.get().max(off(*found, *expected)));
                    if off(*found, *expected) > 1e-12 {
                        return Err(format!("row {row}, output {k}[{e}]: {found} against {expected}"));
                    }
                }
                sums[k].iter_mut().zip(numbers).for_each(|(sum, value)| *sum += value);
            }
        }
        for (k, expected) in sums.iter().enumerate() {
            for (found, expected) in found[ids.len() + k].iter().zip(expected) {
                if off(*found, *expected) > 1e-11 {
                    return Err(format!("sum {k}: {found} against {expected}"));
                }
            }
        }
        Ok(())
    });
    println!("worst relative difference {:.1e}", worst.get());
}

fn boxed(layer: impl Bijection + 'static) -> Box<dyn Bijection> {
    Box::new(layer)
}

fn flow(d: usize) -> Flow {
    let layers = vec![
        boxed(AffineCoupling::new(CouplingMask::alternating(d, true), Network::new([9, 17]))),
        boxed(Autoregressive::maf(MaskedNetwork::new(d, [12]))),
        boxed(Permutation::reverse(d)),
        boxed(Autoregressive::iaf(MaskedNetwork::new(d, [7, 7]))),
        boxed(Triangular::lower(d)),
    ];
    Flow::new(StandardNormal::new(d), layers).unwrap()
}

/// Starting values with something added to each.
fn moved(start: &Parameters, random: &mut Chooser) -> Parameters {
    let mut parameters = start.clone();
    for (_, tensor) in parameters.iter_mut() {
        tensor.values.iter_mut().for_each(|value| *value += 0.3 * random.number());
    }
    parameters
}

#[test]
fn flows_both_ways_give_what_the_plain_executor_gives_in_f64_and_nearly_in_f32() {
    let d = 5;
    let flow = flow(d);
    let mut choose = Chooser::new(2);
    let parameters = moved(&flow.initial(1), &mut choose);
    let points = choose.numbers(40 * d);
    for direction in [true, false] {
        let tape = Tape::new();
        let x = tape.input(Shape::Vector(d));
        let (value, log_det) = match direction {
            true => {
                let pushed = forward_with_log_det(flow.bijection(), x).unwrap();
                (pushed.x, pushed.log_det)
            }
            false => {
                let pulled = inverse_with_log_det(flow.bijection(), x).unwrap();
                (pulled.z, pulled.log_det)
            }
        };
        let outputs = [value, log_det].map(|var| Output::Each(var.id()));
        let mut program = Program::<f64>::compile(&tape, &[x.id()], &outputs);
        let mut single = Program::<f32>::compile(&tape, &[x.id()], &outputs);
        program.load(&parameters).unwrap();
        single.load(&parameters).unwrap();
        let narrow: Vec<f32> = points.iter().map(|value| *value as f32).collect();
        let found = program.run(&[&points], 40).unwrap();
        let nearly = single.run(&[&narrow], 40).unwrap();
        for (row, point) in points.chunks(d).enumerate() {
            let expected = plain(&tape, x.id(), &[value.id(), log_det.id()], point, &parameters);
            for (k, width) in [(0, d), (1, 1)] {
                for e in 0..width {
                    let (f, n) = (found[k][row * width + e], f64::from(nearly[k][row * width + e]));
                    assert!(off(f, expected[k][e]) < 1e-11, "{f} against {}", expected[k][e]);
                    assert!(off(n, expected[k][e]) < 2e-4, "{n} against {} in f32", expected[k][e]);
                }
            }
        }
    }
}

#[test]
fn results_are_the_same_to_the_last_bit_for_any_number_of_threads() {
    let d = 4;
    let mut choose = Chooser::new(7);
    let parameters = moved(&flow(d).initial(3), &mut choose);
    let rows = choose.numbers(1000 * d);
    let train = |threads: Threads| {
        let mut trainer = Trainer::<f64>::new(&flow(d), parameters.clone(), 1e-2).unwrap();
        trainer.set_threads(threads);
        let losses: Vec<u64> = (0..5).map(|_| trainer.step(&rows).unwrap().to_bits()).collect();
        (losses, trainer.parameters().clone())
    };
    let alone = train(Threads::One);
    for threads in [2, 3, 5] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert_eq!(pool.install(|| train(Threads::All)), alone, "{threads} threads");
    }
}

#[test]
fn a_training_step_follows_the_gradient_of_the_plain_executor() {
    let d = 3;
    let flow = flow(d);
    let mut choose = Chooser::new(11);
    let parameters = moved(&flow.initial(5), &mut choose);
    let rows = choose.numbers(37 * d);
    // By hand: the loss and its gradient, row by row, then one step of Adam, which is ±the step size at first.
    let tape = Tape::new();
    let x = tape.input(Shape::Vector(d));
    let pulled = inverse_with_log_det(flow.bijection(), x).unwrap();
    let loss = pulled.log_det - StandardNormal::new(d).log_prob(pulled.z);
    let subgraph = Subgraph::new(&tape, &[x.id()], &[loss.id()]);
    let nodes = tape.parameters();
    let gradients = adjoint(&tape, &subgraph, &[(loss.id(), tape.constant(1.0))], &nodes);
    let ids: Vec<NodeId> =
        [loss.id()].into_iter().chain(gradients.iter().map(|gradient| gradient.unwrap().id())).collect();
    let mut totals: Vec<Vec<f64>> = ids.iter().map(|id| vec![0.0; tape.shape(*id).len()]).collect();
    for row in rows.chunks(d) {
        for (total, own) in totals.iter_mut().zip(plain(&tape, x.id(), &ids, row, &parameters)) {
            total.iter_mut().zip(own).for_each(|(total, value)| *total += value);
        }
    }
    let mut trainer = Trainer::<f64>::new(&flow, parameters.clone(), 1e-3).unwrap();
    let found = trainer.step(&rows).unwrap();
    assert!(off(found, totals[0][0] / 37.0) < 1e-12, "{found} against {}", totals[0][0] / 37.0);
    let after = trainer.parameters().clone();
    for (declaration, total) in tape.declarations().iter().zip(&totals[1..]) {
        let before = &parameters.get(&declaration.name).unwrap().values;
        let now = &after.get(&declaration.name).unwrap().values;
        for (e, gradient) in total.iter().enumerate() {
            let g = gradient / 37.0;
            let expected = before[e] - 1e-3 * g / (g.abs() + 1e-8);
            assert!(off(now[e], expected) < 1e-9, "{}[{e}]: {} against {expected}", declaration.name, now[e]);
        }
    }
}

/// Gradients of large matrices are formed after the chunks, and not where a mask makes them 0.
#[test]
fn gradients_of_large_matrices_are_those_of_plain_loops_for_any_number_of_threads() {
    let (outputs, inputs, rows) = (1024, 512, 300);
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(inputs));
    let weight = tape.parameter("weight", Shape::Matrix(outputs, inputs), Init::glorot(outputs, inputs));
    let is_zero = |e: usize| e % inputs > e / inputs / 2 + 100;
    let mask: Vec<f64> = (0..outputs * inputs).map(|e| f64::from(u8::from(!is_zero(e)))).collect();
    let y = (weight * tape.matrix(outputs, inputs, &mask)).matvec(z).tanh();
    let loss = (y * y).sum();
    let subgraph = Subgraph::new(&tape, &[z.id()], &[loss.id()]);
    let gradient = adjoint(&tape, &subgraph, &[(loss.id(), tape.constant(1.0))], &[weight.id()])[0].unwrap();
    let wanted = [Output::Sum(gradient.id()), Output::Each(loss.id())];
    let parameters = Parameters::initialise(&tape, 5);
    let batch = Chooser::new(3).numbers(rows * inputs);
    let program = Program::<f64>::compile(&tape, &[z.id()], &wanted);
    assert!(program.to_string().contains("from the rows of all chunks in memory"), "{program}");
    let run = |threads: Threads| {
        let mut program = program.clone();
        program.load(&parameters).unwrap();
        program.set_threads(threads);
        // Twice: the second run finds what the first one left.
        program.run(&[&batch], rows).unwrap();
        program.run(&[&batch], rows).unwrap()
    };
    let alone = run(Threads::One);
    for threads in [2, 3] {
        let pool = rayon::ThreadPoolBuilder::new().num_threads(threads).build().unwrap();
        assert_eq!(pool.install(|| run(Threads::All)), alone, "{threads} threads");
    }
    let weights = &parameters.get("weight").unwrap().values;
    let mut expected = vec![0.0; outputs * inputs];
    for (row, z) in batch.chunks(inputs).enumerate() {
        let mut loss = 0.0;
        for (i, sums) in expected.chunks_mut(inputs).enumerate() {
            let own = i / 2 + 101;
            let entries = weights[i * inputs..].iter().zip(z).take(own.min(inputs));
            let y = entries.map(|(w, z)| w * z).sum::<f64>().tanh();
            loss += y * y;
            let back = 2.0 * y * (1.0 - y * y);
            sums.iter_mut().zip(z).take(own).for_each(|(sum, z)| *sum += back * z);
        }
        assert!(off(alone[1][row], loss) < 1e-12, "row {row}");
    }
    let largest = expected.iter().fold(0.0, |largest: f64, value| largest.max(value.abs()));
    for (e, (found, expected)) in alone[0].iter().zip(&expected).enumerate() {
        assert!((found - expected).abs() < 1e-12 * largest, "entry {e}: {found}, not {expected}");
    }
}

#[test]
fn nothing_and_one_row_and_a_million_variables_are_fine() {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(3));
    let y = (z.tanh() * 2.0).sum();
    let mut program = Program::<f64>::compile(&tape, &[z.id()], &[Output::Each(y.id()), Output::Sum(y.id())]);
    program.load(&Parameters::default()).unwrap();
    assert_eq!(program.run(&[&[]], 0).unwrap(), vec![vec![], vec![0.0]]);
    assert_eq!(program.run(&[&[0.0, 0.0, 0.0]], 1).unwrap(), vec![vec![0.0], vec![0.0]]);
    let error = program.run(&[&[0.0, 1.0]], 1).unwrap_err().to_string();
    assert!(error.contains("2 numbers") && error.contains("3"), "{error}");

    let d = 1_000_000;
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(d));
    let y = (z * 0.5 + 1.0).exp().ln().sum();
    let mut program = Program::<f64>::compile(&tape, &[z.id()], &[Output::Each(y.id())]);
    program.load(&Parameters::default()).unwrap();
    let found = program.run(&[&vec![1.0; 2 * d]], 2).unwrap();
    assert!(found[0].iter().all(|sum| (sum / d as f64 - 1.5).abs() < 1e-9), "{found:?}");
}

#[test]
fn several_threads_run_one_program_at_once() {
    fn is_shared<T: Send + Sync>(_: &T) {}
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(3));
    let weight = tape.parameter("weight", Shape::Matrix(20, 3), Init::glorot(3, 20));
    let y = weight.matvec(z).tanh();
    let gradient = {
        let loss = (y * y).sum();
        let subgraph = Subgraph::new(&tape, &[z.id()], &[loss.id()]);
        adjoint(&tape, &subgraph, &[(loss.id(), tape.constant(1.0))], &[weight.id()])[0].unwrap()
    };
    let outputs = [Output::Each(y.id()), Output::Sum(gradient.id())];
    let mut program = Program::<f64>::compile(&tape, &[z.id()], &outputs);
    program.load(&Parameters::initialise(&tape, 1)).unwrap();
    is_shared(&program);
    let batch = Chooser::new(7).numbers(3 * 3000);
    let sizes = [1, 7, 64, 300, 1000, 3000];
    let expected: Vec<_> = sizes.map(|rows| program.run(&[&batch[..3 * rows]], rows).unwrap()).to_vec();
    std::thread::scope(|scope| {
        for thread in 0..8 {
            let (program, batch, expected) = (&program, &batch, &expected);
            scope.spawn(move || {
                let mut workspace = Workspace::default();
                for k in 0..30 {
                    let k = (k + thread) % sizes.len();
                    let (inputs, rows) = ([&batch[..3 * sizes[k]]], sizes[k]);
                    assert_eq!(program.run(&inputs, rows).unwrap(), expected[k], "{rows} rows");
                    let mut results = vec![Vec::new(); 2];
                    program.run_with(&mut workspace, &inputs, rows, &mut results).unwrap();
                    assert_eq!(results, expected[k], "{rows} rows in a workspace");
                }
            });
        }
    });
}

#[test]
fn a_workspace_serves_one_program_after_another() {
    let program = |width: usize| {
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(width));
        let outputs = [Output::Each(z.exp().id()), Output::Sum((z * z).id())];
        let mut program = Program::<f64>::compile(&tape, &[z.id()], &outputs);
        program.load(&Parameters::default()).unwrap();
        program
    };
    let (small, large) = (program(2), program(5));
    let batch = Chooser::new(8).numbers(5 * 100);
    let mut workspace = Workspace::default();
    for program in [&small, &large, &small] {
        let rows = if std::ptr::eq(program, &large) { 100 } else { 250 };
        let mut results = vec![Vec::new(); 2];
        program.run_with(&mut workspace, &[&batch], rows, &mut results).unwrap();
        assert_eq!(results, program.run(&[&batch], rows).unwrap());
    }
    assert_eq!(small.sum(&workspace, 1).len(), 2);
    let wrong = std::panic::catch_unwind(|| large.sum(&workspace, 1).len());
    assert!(wrong.is_err(), "the last run was another program's");
}

#[test]
fn a_pass_is_a_call_that_ran_whatever_the_number_of_rows() {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(2));
    let mut program = Program::<f64>::compile(&tape, &[z.id()], &[Output::Each((z * z).id())]);
    assert!(program.run(&[&[1.0, 2.0]], 1).is_err(), "it is not loaded yet");
    program.load(&Parameters::default()).unwrap();
    assert_eq!(program.passes(), 0);
    program.run(&[&[1.0, 2.0]], 1).unwrap();
    program.run_into(&[&vec![1.0; 2000]], 1000, &mut [Vec::new()]).unwrap();
    assert!(program.run(&[&[1.0, 2.0]], 2).is_err(), "one row is not two");
    assert_eq!(program.passes(), 2);
    program.load(&Parameters::default()).unwrap();
    assert_eq!(program.passes(), 2, "loading is no pass");
}

#[test]
fn infinities_and_nan_stay_in_their_row_and_out_of_structural_zeros() {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(3));
    let mask = tape.matrix(3, 3, &[1.0, 0.0, 0.0, 1.0, 1.0, 0.0, 0.0, 0.0, 1.0]);
    let weight = tape.parameter("w", Shape::Matrix(3, 3), Init::Constant(2.0));
    let y = (weight * mask).matvec(z);
    let mut program = Program::<f64>::compile(&tape, &[z.id()], &[Output::Each(y.id())]);
    program.load(&Parameters::initialise(&tape, 0)).unwrap();
    let mut rows = vec![1.0; 3 * 20];
    (rows[3 * 4 + 2], rows[3 * 7 + 1]) = (f64::NAN, f64::INFINITY);
    let found = program.run(&[&rows], 20).unwrap().swap_remove(0);
    for (row, y) in found.chunks(3).enumerate() {
        let expected = match row {
            4 => [2.0, 4.0, f64::NAN],
            7 => [2.0, f64::INFINITY, 2.0],
            _ => [2.0, 4.0, 2.0],
        };
        assert!(y.iter().zip(expected).all(|(a, b)| off(*a, b) == 0.0), "row {row}: {y:?}");
    }
}

#[test]
fn sums_and_products_that_nobody_else_reads_are_one_instruction() {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(4));
    let [a, b, c, d] = [0, 1, 2, 3].map(|k| z.at(k));
    let y = 2.0 * a + b * c - d;
    let program = Program::<f64>::compile(&tape, &[z.id()], &[Output::Each(y.id())]);
    let text = program.to_string();
    assert!(text.contains("·r0 + r1·r2 - r3"), "{text}");
}

#[test]
fn choices_one_after_another_are_one_instruction() {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(4));
    let [a, b, c, d] = [0, 1, 2, 3].map(|k| z.at(k));
    let y = select(a.lt(b), c, select(b.lt(c), d, select(c.lt(d), a, 2.0)));
    // What a condition does not let through is a term of the sum.
    let sum = a * b + select(a.lt(d), c, 0.0);
    let program = Program::<f64>::compile(&tape, &[z.id()], &[Output::Each(y.id()), Output::Each(sum.id())]);
    let text = program.to_string();
    assert_eq!(text.matches(", else ").count(), 3, "{text}");
    assert!(!text.contains("select"), "{text}");
    assert!(text.contains("= r0·r1 + r2 where r"), "{text}");
}

#[test]
fn choices_give_the_same_bits_as_one_alone_and_what_the_plain_executor_gives() {
    // Longer than an instruction can be; some read by the next one alone, some by others too, some with one number for all.
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(3));
    let mut nodes = vec![z * 0.1];
    for k in 0..60 {
        let last = nodes[nodes.len() - 1];
        let (bound, turned) =
            (0.2 * f64::from(k % 7) - 0.6, z.gather(&[k as usize % 3, (k as usize + 1) % 3, 2]));
        nodes.push(match k % 7 {
            0 => select(turned.lt(bound), (turned - 2.0).ln(), last),
            // What is taken otherwise is not 0, so that it is no term of the sum.
            6 => last * 0.5 + select(turned.lt(bound), turned, 0.3),
            1 => select(last.lt(bound), last, turned),
            2 => last + select(turned.le(bound), turned.exp(), 0.0),
            3 => last - select(turned.lt(bound), turned * last, 0.0),
            4 => select(turned.lt(bound), 0.5, last),
            _ => select(turned.lt(bound), last, select(last.lt(turned), turned, last * turned)),
        });
    }
    let mut random = Chooser::new(6);
    let mut rows: Vec<f64> = (0..70).flat_map(|_| random.numbers(3)).collect();
    (rows[5], rows[40], rows[77]) = (f64::NAN, f64::INFINITY, -0.0);
    let compile = |outputs: &[Output]| {
        let mut program = Program::<f64>::compile(&tape, &[z.id()], outputs);
        program.load(&Parameters::default()).expect("there are no parameters");
        program
    };
    let each: Vec<Output> = nodes.iter().map(|node| Output::Each(node.id())).collect();
    let together = compile(&each).run(&[&rows], 70).expect("70 rows");
    for (k, output) in each.iter().enumerate() {
        let alone = compile(std::slice::from_ref(output)).run(&[&rows], 70).expect("70 rows").swap_remove(0);
        let bits = |values: &[f64]| values.iter().map(|value| value.to_bits()).collect::<Vec<u64>>();
        assert_eq!(bits(&alone), bits(&together[k]), "node {k}");
    }
    let ids: Vec<NodeId> = nodes.iter().map(|node| node.id()).collect();
    for (row, point) in rows.chunks(3).enumerate() {
        let expected = plain(&tape, z.id(), &ids, point, &Parameters::default());
        for (k, expected) in expected.iter().enumerate() {
            for (found, expected) in together[k][row * 3..].iter().zip(expected) {
                assert!(off(*found, *expected) < 1e-12, "node {k}, row {row}: {found}, not {expected}");
            }
        }
    }
}

#[test]
fn a_chain_gives_the_same_bits_as_its_parts() {
    // Chains of every length, with products on either side; each sum read by the next one alone, or by others too.
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(3));
    let mut sums = vec![z * 0.1];
    for k in 0..70 {
        let last = sums[sums.len() - 1];
        let (factor, turned) = (0.3 + 0.01 * k as f64, z.gather(&[k % 3, (k + 1) % 3, 2]));
        let product = if k % 4 == 0 { turned * last.tanh() } else { turned * factor };
        sums.push(match k % 5 {
            0 => product + last,
            1 => last - product,
            2 => last + turned,
            3 => last + (product + turned * turned),
            _ => last + product,
        });
    }
    let mut random = Chooser::new(5);
    let rows: Vec<f64> = (0..37).flat_map(|_| random.numbers(3)).collect();
    let compile = |outputs: &[Output]| {
        let mut program = Program::<f64>::compile(&tape, &[z.id()], outputs);
        program.load(&Parameters::default()).expect("there are no parameters");
        program
    };
    let each: Vec<Output> = sums.iter().map(|sum| Output::Each(sum.id())).collect();
    let all = compile(&each);
    let together = all.run(&[&rows], 37).expect("37 rows");
    for (k, output) in each.iter().enumerate() {
        let alone = compile(std::slice::from_ref(output)).run(&[&rows], 37).expect("37 rows").swap_remove(0);
        assert_eq!(alone, together[k], "sum {k}");
    }
}

#[test]
fn compiling_is_linear_in_the_nodes() {
    // Doubling a chain of scalars twice: about four times the instructions, and memory does not grow at all.
    let compiled = |count: usize| {
        let tape = Tape::new();
        let z = tape.input(Shape::Vector(2));
        let mut x = z.at(0);
        for k in 0..count {
            x = if k % 2 == 0 { x.sin() } else { x * z.at(1) };
        }
        Program::<f64>::compile(&tape, &[z.id()], &[Output::Each(x.id())])
    };
    let (small, large) = (compiled(1000), compiled(4000));
    assert_eq!(small.instructions().1, 1000);
    assert_eq!(large.instructions().1, 4000);
    let memory = |program: &Program<f64>| program.to_string().lines().nth(1).unwrap().to_string();
    let rows = |text: &str| text.split(' ').nth(1).unwrap().parse::<usize>().unwrap();
    assert!(rows(&memory(&large)) <= 6, "{}", memory(&large));
    assert_eq!(rows(&memory(&small)), rows(&memory(&large)));
}

#[test]
fn tanh_and_its_slope_are_one_instruction_of_a_gradient() {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(5));
    let y = (z.slice(0..3).tanh() * z.slice(2..5)).sum();
    let subgraph = Subgraph::new(&tape, &[z.id()], &[y.id()]);
    let gradient = adjoint(&tape, &subgraph, &[(y.id(), tape.constant(1.0))], &[z.id()])[0].unwrap();
    let mut program =
        Program::<f64>::compile(&tape, &[z.id()], &[Output::Each(y.id()), Output::Each(gradient.id())]);
    program.load(&Parameters::default()).unwrap();
    let text = program.to_string();
    assert!(text.contains("tanh_and_slope") && !text.contains(" tanh ") && !text.contains("sech"), "{text}");
    let rows: Vec<f64> = (0..37 * 5).map(|k| 25.0 * (f64::from(k) * 0.7).sin()).collect();
    let found = program.run(&[&rows], 37).unwrap();
    for (row, (value, gradient)) in rows.chunks(5).zip(found[0].iter().zip(found[1].chunks(5))) {
        let expected = plain(&tape, z.id(), &[y.id()], row, &Parameters::default());
        assert!(off(*value, expected[0][0]) < 1e-14);
        let slope = |k: usize| row[k].cosh().powi(-2) * row[k + 2];
        let own = |k: usize| if k >= 2 { row[k - 2].tanh() } else { 0.0 };
        for (k, found) in gradient.iter().enumerate() {
            let expected = own(k) + if k < 3 { slope(k) } else { 0.0 };
            assert!(off(*found, expected) < 1e-14, "{found} for {expected}");
        }
    }
}

#[test]
fn what_is_not_finite_is_traced_through_the_branch_that_was_taken() {
    let tape = Tape::new();
    let z = tape.input(Shape::Vector(2));
    let y = select(z.lt(0.0), (-z).ln(), z.exp()).sum();
    for output in [Output::Each(y.id()), Output::Sum(y.id())] {
        let mut program = Program::<f64>::compile(&tape, &[z.id()], &[output]);
        program.load(&Parameters::default()).unwrap();
        // ln(-1000) is NaN too, and comes first, but nobody looks at it.
        let found = program.trace_nonfinite(&[&[1.0, 2.0, -1.0, 1000.0]], 2).unwrap().unwrap();
        assert_eq!((found.operation, found.element, found.row), ("exp", 1, 1), "{found}");
        assert_eq!((found.value, found.operands.as_slice()), (f64::INFINITY, [1000.0].as_slice()));
    }
}
