//! Every lesson, timed whole, beside the seconds that it may take on two cores.
//!
//! `cargo bench --bench lessons`

use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use serde_json::Value;

/// Seconds by lesson, the first one being lesson 1.
const BUDGETS: [f64; 20] = [
    1.0, 1.0, 1.0, 1.0, 1.0, 1.0, 10.0, 10.0, 1.0, 5.0, 5.0, 5.0, 15.0, 5.0, 15.0, 10.0, 15.0, 20.0, 5.0,
    15.0,
];
const ALL: f64 = 120.0;

fn pushforward(arguments: &[&str]) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_pushforward"));
    command.args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).stderr(Stdio::inherit());
    command
}

fn main() -> ExitCode {
    let listed = pushforward(&["list", "--json"]).output().expect("the list of lessons");
    let lessons: Vec<Value> = serde_json::from_slice(&listed.stdout).expect("a list in JSON");
    let (mut all, mut late) = (0.0, 0);
    println!("{:<40} {:>9} {:>9}", "lesson", "seconds", "at most");
    for lesson in &lessons {
        let number = lesson["number"].as_u64().expect("a lesson has a number");
        let slug = lesson["slug"].as_str().expect("a lesson has a name");
        let start = Instant::now();
        let status = pushforward(&["run", &number.to_string()]).stdout(Stdio::null()).status();
        let seconds = start.elapsed().as_secs_f64();
        if !status.expect("it runs").success() {
            eprintln!("{slug}: a check does not hold");
            return ExitCode::FAILURE;
        }
        all += seconds;
        let budget = number.checked_sub(1).and_then(|k| BUDGETS.get(k as usize));
        late += usize::from(budget.is_some_and(|budget| seconds > *budget));
        let told = budget.map_or("-".to_string(), |budget| format!("{budget:.0}"));
        println!("{slug:<40} {seconds:>9.2} {told:>9}");
    }
    println!("{:<40} {all:>9.2} {ALL:>9.0}", "all");
    println!("{late} lessons took longer than they may");
    ExitCode::SUCCESS
}
