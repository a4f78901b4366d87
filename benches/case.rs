//! One case, timed: the models of other libraries' scripts, one JSON line with the same keys.
//!
//! `cargo bench --bench case -- --model realnvp|maf|rqs|rqs_ar|naf|umnn|bernstein|sos|cnf --case train|log_prob|sample --d D --hidden H --layers L
//! --batch B --threads T --dtype f32|f64 --seconds S`

use clap::Parser;
use pushforward_benches::case::{Arguments, line};

fn main() {
    println!("{}", line(&Arguments::parse()));
}
