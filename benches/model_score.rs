//! ln p of rows by a fitted model, without any reading of tables: what the Python package is measured against.
//!
//! `cargo bench --bench model_score -- MODEL ROWS`, where ROWS is a file of doubles, row after row. Prints the seconds of each
//! repetition and the sum of ln p.

use std::path::PathBuf;
use std::time::Instant;

use clap::Parser;
use pushforward::model::Model;
use pushforward::table::{Block, Cells, Column};

#[derive(Parser)]
struct Arguments {
    model: PathBuf,
    rows: PathBuf,
    #[arg(long, default_value_t = 3)]
    repetitions: usize,
    /// Cargo gives it.
    #[arg(long, hide = true)]
    bench: bool,
}

/// Rows that are scored at once, as by the command.
const BLOCK: usize = 8192;

fn main() {
    let arguments = Arguments::parse();
    let model = Model::load(&arguments.model).expect("a model file");
    let bytes = std::fs::read(&arguments.rows).expect("rows");
    let values: Vec<f64> = bytes.as_chunks::<8>().0.iter().map(|bytes| f64::from_le_bytes(*bytes)).collect();
    let names = model.needs();
    let d = names.len();
    let blocks = values.chunks(BLOCK * d);
    for _ in 0..arguments.repetitions {
        let start = Instant::now();
        let mut sum = 0.0;
        for rows in blocks.clone() {
            let of_column = |i: usize| rows.iter().skip(i).step_by(d).copied().collect();
            let column = |(i, name): (usize, &String)| Column {
                name: name.clone(),
                cells: Cells::Numbers(of_column(i)),
            };
            let columns = names.iter().enumerate().map(column).collect();
            let block =
                Block::new(columns, (0..(rows.len() / d) as u64).collect()).expect("columns of one length");
            let scores = model.score(&block).expect("scores");
            sum += scores.into_iter().flatten().map(|score| score.log_prob).sum::<f64>();
        }
        println!("{{\"seconds\": {:.4}, \"sum\": {sum}}}", start.elapsed().as_secs_f64());
    }
}
