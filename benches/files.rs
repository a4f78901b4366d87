//! Model files and tables: loading a model, scoring a table from its file, and writing samples, beside their parts in memory.
//!
//! `cargo bench --bench files -- MODEL TABLE`, with a model of one flow and without rounded columns. `score` is to take at
//! most twice as long as reading the table and computing ln p of rows in memory, and `sample` than drawing in memory
//! and writing. (The command's peak memory: `/usr/bin/time -v`.)

use std::error::Error;
use std::path::{Path, PathBuf};
use std::time::Instant;

use clap::Parser;
use pushforward::flow::FittedFlow;
use pushforward::model::Model;
use pushforward::table::{Block, Output, ReadOptions, Reader};

#[derive(Parser)]
struct Arguments {
    model: PathBuf,
    table: PathBuf,
    /// Cargo gives it.
    #[arg(long, hide = true)]
    bench: bool,
}

/// Rows that are scored or drawn at once, as the command does.
const ROWS: usize = 8192;

/// The least of three times.
fn seconds<T>(mut run: impl FnMut() -> Result<T, Box<dyn Error>>) -> Result<f64, Box<dyn Error>> {
    let mut least = f64::INFINITY;
    for _ in 0..3 {
        let start = Instant::now();
        run()?;
        least = least.min(start.elapsed().as_secs_f64());
    }
    Ok(least)
}

fn blocks(
    path: &Path,
    mut each: impl FnMut(Block) -> Result<(), Box<dyn Error>>,
) -> Result<(), Box<dyn Error>> {
    let mut reader = Reader::open(path, &ReadOptions::default())?;
    while let Some(block) = reader.next_block(ROWS)? {
        each(block)?;
    }
    Ok(())
}

fn main() -> Result<(), Box<dyn Error>> {
    let Arguments { model: path, table, .. } = Arguments::parse();
    let loading = seconds(|| Ok(Model::load(&path)?))?;
    println!("load {:.2} ms ({} bytes)", 1e3 * loading, std::fs::metadata(&path)?.len());
    let (model, flow) = (Model::load(&path)?, FittedFlow::load(&path)?);
    let mut rows = Vec::new();
    blocks(&table, |block| {
        rows.extend_from_slice(block.numbers()?.values());
        Ok(())
    })?;
    let count = rows.len() / flow.flow().dim();
    let reading = seconds(|| blocks(&table, |_| Ok(())))?;
    let density = seconds(|| Ok(flow.log_prob(&rows)?))?;
    let scratch = std::env::temp_dir().join(format!("pushforward-files-{}.csv", std::process::id()));
    let output = Output::check(&scratch, &[])?;
    let scoring = seconds(|| {
        let mut written = output.rows(&["log_prob", "error", "rank"])?;
        blocks(&table, |block| {
            for score in model.score(&block)?.into_iter().flatten() {
                written.write_numbers(&[score.log_prob, score.error, score.rank.unwrap_or(f64::NAN)])?;
            }
            Ok(())
        })?;
        Ok(written.finish()?)
    })?;
    println!(
        "{count} rows: read {reading:.2} s, log_prob {density:.2} s, score {scoring:.2} s: {:.2} times both",
        scoring / (reading + density)
    );
    let drawing = seconds(|| Ok(flow.sample(count, 0)?))?;
    let d = flow.flow().dim();
    let names: Vec<String> = model.columns().iter().map(|column| column.name.clone()).collect();
    let writing = seconds(|| {
        let mut written = output.rows(&names)?;
        rows.chunks(d).try_for_each(|row| written.write_numbers(row))?;
        Ok(written.finish()?)
    })?;
    let sampling = seconds(|| {
        let mut written = output.rows(&names)?;
        for k in 0..count.div_ceil(ROWS) {
            written.write_block(&model.sample(ROWS.min(count - k * ROWS), None, k as u64)?)?;
        }
        Ok(written.finish()?)
    })?;
    std::fs::remove_file(scratch)?;
    println!(
        "{count} rows: sample {drawing:.2} s, write {writing:.2} s, sample to a file {sampling:.2} s: {:.2} times both",
        sampling / (drawing + writing)
    );
    Ok(())
}
