//! This library compared with others in one session: a markdown table with ratios.
//!
//! `cargo bench --bench side_by_side -- --peers DIR --python PATH`
//!
//! DIR holds the scripts that time the others (`flows_jax.py`, `flows_torch.py`, `dense_logdet.py`), PATH is a Python
//! that has the libraries. Without them only this library is timed. Everything runs in separate processes, one after
//! the other: ours, another, ours, the next, so that a machine that slows down for minutes slows both of a pair; a
//! ratio is the median over the rounds of the ratios of pairs. A busy machine is refused: with any other load,
//! two-threaded products have been measured to take fifteen times as long.

use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use clap::Parser;
use pushforward_benches::markdown::{Compared, Found, Unit, table};
use pushforward_benches::peers::{self, Peer, Run, Scripts};
use pushforward_benches::rows::{Row, Target, Work, rows};
use pushforward_benches::{case, machine, pairs, summary};
use serde_json::json;

#[derive(Parser)]
struct Arguments {
    /// The directory of the scripts.
    #[arg(long, requires = "python")]
    peers: Option<PathBuf>,
    /// A Python that has the libraries.
    #[arg(long)]
    python: Option<PathBuf>,
    /// Timed seconds a run.
    #[arg(long, default_value_t = 2.0)]
    seconds: f64,
    /// The number of times each pair is run.
    #[arg(long, default_value_t = 3)]
    rounds: usize,
    #[arg(long, default_value_t = 2)]
    threads: usize,
    /// Only rows whose title contains this.
    #[arg(long, default_value = "")]
    rows: String,
    /// Output file of the table, instead of beside criterion's results.
    #[arg(long)]
    output: Option<PathBuf>,
    /// Measure although the machine is busy; the table says so.
    #[arg(long)]
    anyway: bool,
    /// The arguments that cargo passes to every bench.
    #[arg(long, hide = true)]
    bench: bool,
}

/// Maximum number of cores that may be busy with other work.
const IDLE: f64 = 0.2;

fn main() -> ExitCode {
    let mut words = std::env::args();
    let (own, first) = (words.next().unwrap_or_default(), words.next());
    let rest = || std::iter::once(own.clone()).chain(std::env::args().skip(2));
    // The child processes: one case, one pair.
    match first.as_deref() {
        Some("case") => println!("{}", case::line(&case::Arguments::parse_from(rest()))),
        Some("pair") => println!("{}", pairs::line(&pairs::Arguments::parse_from(rest()))),
        _ => return compare(&Arguments::parse()),
    }
    ExitCode::SUCCESS
}

fn compare(arguments: &Arguments) -> ExitCode {
    let busy = machine::busy_cores(Duration::from_secs(3)).unwrap_or(0.0);
    if busy > IDLE {
        eprintln!("{busy:.1} cores are busy with something else: the numbers would mean nothing");
        if !arguments.anyway {
            eprintln!("wait until it is done, or say --anyway");
            return ExitCode::FAILURE;
        }
    }
    let scripts = match (&arguments.peers, &arguments.python) {
        (Some(directory), Some(python)) => {
            // The scripts run in their own directory: paths must be absolute.
            let whole = |path: &PathBuf| match std::path::absolute(path) {
                Ok(whole) if whole.exists() => whole,
                _ => path.clone(),
            };
            Some(Scripts { directory: whole(directory), python: whole(python) })
        }
        _ => {
            eprintln!("no --peers and --python: ours are timed alone");
            None
        }
    };
    let chosen: Vec<Row> = rows().into_iter().filter(|row| row.title.contains(&arguments.rows)).collect();
    let mut sitting = Sitting { arguments, scripts: scripts.as_ref(), busiest: busy };
    let mut found = Vec::new();
    for (number, row) in chosen.iter().enumerate() {
        eprintln!("{} of {}: {}", number + 1, chosen.len(), row.title);
        found.extend(sitting.row(row));
    }
    let text = format!("{}\n{}", sitting.circumstances(), table(&found));
    println!("{text}");
    let path = arguments.output.clone().unwrap_or_else(|| summary::directory().join("side_by_side.md"));
    let part =
        json!({ "processor": machine::processor(), "rows": found.iter().map(entry).collect::<Vec<_>>() });
    match summary::write(&path, &text).and_then(|()| summary::replace("side_by_side", part)) {
        Ok(kept) => println!("{}\n{}", path.display(), kept.display()),
        Err(error) => {
            eprintln!("the table could not be kept: {error}");
            return ExitCode::FAILURE;
        }
    }
    ExitCode::SUCCESS
}

/// One session on one machine.
struct Sitting<'a> {
    arguments: &'a Arguments,
    scripts: Option<&'a Scripts>,
    /// Maximum number of cores that were seen busy with other work.
    busiest: f64,
}

impl Sitting<'_> {
    /// One line of the table for each group of competitors; one line if there are none.
    fn row(&mut self, row: &Row) -> Vec<Found> {
        let unit = if matches!(row.work, Work::Memory(_)) { Unit::Mib } else { Unit::Seconds };
        let mut all = Vec::new();
        for against in &row.against {
            let mut found = Found {
                title: row.title.to_string(),
                unit,
                target: Some(against.target),
                alone: Vec::new(),
                compared: Vec::new(),
                failed: Vec::new(),
            };
            match row.work {
                Work::Pair(pair) => self.pair(pair, &mut found),
                _ => self.group(&row.work, &against.peers, &mut found),
            }
            let alone = found.compared.is_empty();
            all.push(found);
            if alone {
                break;
            }
        }
        all
    }

    fn pair(&mut self, pair: pairs::Pair, found: &mut Found) {
        let mut compared = Compared { name: pair.baseline().to_string(), pairs: Vec::new() };
        for _ in 0..self.arguments.rounds {
            self.look();
            match peers::pair(pair, self.arguments.seconds) {
                Ok(both) => compared.pairs.push(both),
                Err(why) => return found.failed.push(("ours".to_string(), why)),
            }
        }
        found.compared.push(compared);
    }

    fn group(&mut self, work: &Work, group: &[Peer], found: &mut Found) {
        let rounds = if matches!(work, Work::Memory(_)) { 1 } else { self.arguments.rounds };
        let Some(scripts) = self.scripts else {
            for _ in 0..rounds {
                match self.ours(work) {
                    Ok(run) => found.alone.extend(number(work, run)),
                    Err(why) => return found.failed.push(("ours".to_string(), why)),
                }
            }
            return;
        };
        let mut compared: Vec<Compared> =
            group.iter().map(|peer| Compared { name: peer.title(), pairs: Vec::new() }).collect();
        for _ in 0..rounds {
            for (peer, compared) in group.iter().zip(&mut compared) {
                if found.failed.iter().any(|(name, _)| *name == peer.title()) {
                    continue;
                }
                let ours = match self.ours(work) {
                    Ok(run) => run,
                    Err(why) => return found.failed.push(("ours".to_string(), why)),
                };
                self.look();
                let (threads, seconds) = (self.arguments.threads, self.arguments.seconds);
                let theirs = match work {
                    Work::DenseLogDet(d) => scripts.dense_log_det(peer, *d),
                    Work::Flow(flow) | Work::Memory(flow) => scripts.flow(peer, flow, threads, seconds),
                    Work::Pair(_) => unreachable!("a pair has no peers"),
                };
                match theirs {
                    Ok(theirs) => match (number(work, ours), number(work, theirs)) {
                        (Some(ours), Some(theirs)) => compared.pairs.push((ours, theirs)),
                        (Some(ours), None) => found.alone.push(ours),
                        _ => {}
                    },
                    Err(why) => {
                        found.alone.extend(number(work, ours));
                        found.failed.push((peer.title(), why));
                    }
                }
            }
        }
        found.compared = compared.into_iter().filter(|one| !one.pairs.is_empty()).collect();
    }

    fn ours(&mut self, work: &Work) -> Result<Run, String> {
        self.look();
        match work {
            Work::Flow(flow) | Work::Memory(flow) => {
                peers::ours(flow, self.arguments.threads, self.arguments.seconds)
            }
            // The second of the pair is the dense route.
            Work::DenseLogDet(_) => peers::pair(pairs::Pair::DeclaredLogDet, self.arguments.seconds)
                .map(|(_, dense)| Run { seconds: dense, mib: None }),
            Work::Pair(_) => unreachable!("a pair is run as one"),
        }
    }

    /// Measures other load: before every run, so that the table can report it.
    fn look(&mut self) {
        let busy = machine::busy_cores(Duration::from_millis(200)).unwrap_or(0.0);
        self.busiest = self.busiest.max(busy);
    }

    /// Describes machine, versions, threads, and other load.
    fn circumstances(&self) -> String {
        let Arguments { threads, seconds, rounds, .. } = self.arguments;
        let mut text = format!(
            "{}, {} threads at once. {threads} threads unless said, f32 unless said, {rounds} rounds of {seconds} s, \
             medians.\npushforward {}",
            machine::processor(),
            machine::cores(),
            env!("CARGO_PKG_VERSION")
        );
        if let Some(scripts) = self.scripts {
            text.push_str(&format!(", {}", scripts.versions()));
        }
        text.push_str(".\n");
        if self.busiest > IDLE {
            text.push_str(&format!(
                "**Busy: up to {:.1} cores had something else to do. These numbers are not to be trusted.**\n",
                self.busiest
            ));
        }
        text
    }
}

/// The quantity of a run that a row is about.
fn number(work: &Work, run: Run) -> Option<f64> {
    if matches!(work, Work::Memory(_)) { run.mib } else { Some(run.seconds) }
}

fn entry(found: &Found) -> serde_json::Value {
    let compared: Vec<_> =
        found.compared.iter().map(|one| json!({ "name": one.name, "ours_and_theirs": one.pairs })).collect();
    let target = match found.target {
        Some(Target::Ratio(least)) => json!({ "ratio": least }),
        Some(Target::Mib(most)) => json!({ "mib": most }),
        None => json!(null),
    };
    json!({
        "what": found.title,
        "unit": if found.unit == Unit::Mib { "MiB" } else { "s" },
        "ours": found.ours(),
        "alone": found.alone,
        "compared": compared,
        "target": target,
        "reached": found.reached(),
    })
}
