//! Files of models of tables for `.ci/python`: every kind of column, given columns, categories, cells of rounded values.

use prost::Message;
use pushforward::model::{Choice, Model};
use pushforward::onnx::{Export, Float, What, schema};
use pushforward::table::{Block, Cells, Column, Kind};
use rand::{RngExt, SeedableRng};
use rand_chacha::ChaCha8Rng;

use super::cases::{Recorded, rounded, uncertain};
use super::folder::{Case, Folder};
use crate::fitted::{fit, inputs, normal, numbers, table};

const FLOATS: [Float; 2] = [Float::F32, Float::F64];

/// Rows of new tables, some of which are far out or have values that the columns cannot have.
fn rows(kinds: &str, given: &[&str], count: usize, float: Float) -> Block {
    let block = table(kinds, count, 77);
    let mut random = ChaCha8Rng::seed_from_u64(5);
    let column = |column: &Column| {
        let cells = match &column.cells {
            Cells::Numbers(values) => {
                let moved = values.iter().enumerate().map(|(row, value)| {
                    let is_far =
                        row % 4 == 3 && !given.contains(&&*column.name) && random.random::<f64>() < 0.5;
                    let value = if is_far { 1.5 * value - 1.0 } else { *value };
                    if float == Float::F32 { f64::from(value as f32) } else { value }
                });
                Cells::Numbers(moved.collect())
            }
            texts => texts.clone(),
        };
        Column { name: column.name.clone(), cells }
    };
    Block::new(block.columns().iter().map(column).collect(), block.lines().to_vec()).unwrap()
}

fn log_prob(model: &Model, block: &Block) -> Vec<f64> {
    let scores = model.score(block).unwrap();
    scores.into_iter().map(|score| score.map_or(f64::NAN, |score| score.log_prob)).collect()
}

/// The block with each number eight units in its last place larger or smaller: this library scores in doubles alone, so that
/// what it would lose in single precision is not known as it is of flows. Columns move together or one against the next, since
/// what one of them does may cancel what another does.
fn beside(block: &Block, float: Float, pattern: usize) -> Block {
    let step = |value: &f64, up: bool| {
        (0..8).fold(*value, |value, _| match (float, up) {
            (Float::F32, true) => f64::from((value as f32).next_up()),
            (Float::F32, false) => f64::from((value as f32).next_down()),
            (Float::F64, true) => value.next_up(),
            (Float::F64, false) => value.next_down(),
        })
    };
    let column = |(k, column): (usize, &Column)| {
        let up = (pattern == 0) || (pattern == 2 && k % 2 == 0) || (pattern == 3 && k % 2 == 1);
        let cells = match &column.cells {
            Cells::Numbers(values) => Cells::Numbers(values.iter().map(|value| step(value, up)).collect()),
            texts => texts.clone(),
        };
        Column { name: column.name.clone(), cells }
    };
    Block::new(block.columns().iter().enumerate().map(column).collect(), block.lines().to_vec()).unwrap()
}

fn add(folder: &mut Folder, name: &str, kinds: &str, choice: Choice, given: &[&str], count: usize) {
    let model = fit(&table(kinds, 240, 3), kinds, choice, given);
    for float in FLOATS {
        let block = rows(kinds, given, count, float);
        let expected = log_prob(&model, &block);
        let mut uncertain = vec![0.0f64; count];
        for pattern in 0..4 {
            let moved = log_prob(&model, &beside(&block, float, pattern));
            for ((most, here), there) in uncertain.iter_mut().zip(&expected).zip(moved) {
                let off = if *here == there { 0.0 } else { (here - there).abs() };
                *most = most.max(if off.is_nan() { f64::INFINITY } else { off });
            }
        }
        let inputs = inputs(&model);
        folder.add(Case {
            name,
            output: "log_prob",
            float,
            file: model.to_onnx(Export { what: What::LogProb, float }).unwrap(),
            inputs: inputs
                .iter()
                .map(|(input, columns)| (*input, columns.len(), numbers(&block, columns)))
                .collect(),
            width: 0,
            expected,
            uncertain,
            seconds: None,
        });
    }
}

/// Samples of a model of one flow: what the flow makes of the noise, with angles in their period and integers rounded.
fn add_samples(folder: &mut Folder, name: &str, kinds: &str, choice: Choice, count: usize) {
    let model = fit(&table(kinds, 240, 3), kinds, choice, &[]);
    let flows: Vec<_> = model.flows().collect();
    let [(_, flow)] = flows[..] else { panic!("{} flows", flows.len()) };
    let draw = Recorded::draw(flow).expect("a base of normal numbers");
    let d = model.columns().len();
    let mut random = ChaCha8Rng::seed_from_u64(12);
    let normals: Vec<f64> = (0..count * d).map(|_| normal(&mut random)).collect();
    let uniforms: Vec<f64> = (0..count).map(|_| random.random()).collect();
    for float in FLOATS {
        let (normals, uniforms) = (rounded(&normals, float), rounded(&uniforms, float));
        let file = model.to_onnx(Export { what: What::Sample, float }).unwrap();
        let graph = Message::decode(&*file).map(|file: schema::Model| file.graph.unwrap()).unwrap();
        let asks = |input: &str| graph.input.iter().any(|own| own.name == input);
        let mut expected = draw.run::<f64>(flow, &[&normals, &uniforms], count);
        let mut uncertain = uncertain(flow, &draw, &[&normals, &uniforms], count, float);
        for (k, (x, off)) in expected.iter_mut().zip(&mut uncertain).enumerate() {
            let before = *x;
            *x = match model.columns()[k % d].kind {
                Kind::Circular { start, period } => start + (before - start).rem_euclid(period),
                Kind::Rounded { step, .. } => step * (before / step).round(),
                _ => before,
            };
            // Near where it jumps a rounding decides.
            let jumps = match model.columns()[k % d].kind {
                Kind::Circular { period, .. } => ((*x / period).fract() - 0.5).abs() > 0.4999,
                Kind::Rounded { step, .. } => ((before - *x) / step).abs() > 0.4999,
                _ => false,
            };
            if jumps {
                *off = f64::INFINITY;
            }
        }
        let inputs = [("noise", d, normals), ("uniform", 1, uniforms)];
        folder.add(Case {
            name,
            output: "x",
            float,
            file,
            inputs: inputs.into_iter().filter(|(input, ..)| asks(input)).collect(),
            width: d,
            expected,
            uncertain,
            seconds: None,
        });
    }
}

#[test]
#[ignore = "writes files that `.ci/python` compares with onnxruntime"]
fn files_of_models() {
    let mut folder = Folder::new("models");
    let smooth = "a=real,b=positive,c=bounded:-1..3,d=circular:360";
    let count = super::cases::count();
    add(&mut folder, "gaussian", smooth, Choice::Gaussian, &[], count);
    add(&mut folder, "mixture", smooth, Choice::Mixture, &[], count);
    add(&mut folder, "autoregressive", smooth, Choice::Autoregressive, &[], count);
    add(&mut folder, "coupling", smooth, Choice::Coupling, &[], count);
    let within = "n=integer:0..12,a=real";
    add(&mut folder, "cells", "a=real,n=integer,r=rounded:0.25", Choice::Mixture, &[], count / 4);
    add(&mut folder, "cells_with_limits", "a=real,m=integer:0..", Choice::Mixture, &[], count / 4);
    add(&mut folder, "cells_within", within, Choice::Gaussian, &[], count / 4);
    let conditional = "a=real,b=positive,g=real,h=positive,k=circular:360,s=category";
    add(&mut folder, "given", conditional, Choice::Autoregressive, &["g", "h", "k", "s"], count);
    let categories = "a=real,b=positive,s=category";
    add(&mut folder, "categories", categories, Choice::Autoregressive, &[], count);
    let kinds = "a=real,b=positive,c=bounded:-1..3,d=circular:360,n=integer";
    add_samples(&mut folder, "gaussian", kinds, Choice::Gaussian, count);
    add_samples(&mut folder, "mixture", kinds, Choice::Mixture, count);
    folder.finish();
}
