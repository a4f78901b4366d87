//! Programs that print one JSON line: this library in a separate process, and scripts of other libraries.

use std::io::Read;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use serde_json::Value;

use super::pairs::Pair;
use super::rows::Flow;

/// Another library, by its script and its name there.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Peer {
    pub script: &'static str,
    pub name: &'static str,
    /// Its number of threads, where it differs from that of the run.
    pub threads: Option<usize>,
}

impl Peer {
    /// The name in tables.
    pub fn title(&self) -> String {
        match self.threads {
            Some(1) => format!("{}, 1 thread", self.name),
            Some(count) => format!("{}, {count} threads", self.name),
            None => self.name.to_string(),
        }
    }
}

/// The folder of the scripts, and their interpreter.
#[derive(Clone, Debug)]
pub struct Scripts {
    pub directory: PathBuf,
    pub python: PathBuf,
}

/// The result of a run: seconds, and peak memory in MiB.
#[derive(Clone, Copy, Debug)]
pub struct Run {
    pub seconds: f64,
    pub mib: Option<f64>,
}

/// Time limit of a process.
const LIMIT: Duration = Duration::from_secs(900);

/// The arguments of a flow's case, common to all of these programs.
fn options(flow: &Flow, threads: usize, seconds: f64) -> Vec<String> {
    let Flow { model, case, size, .. } = flow;
    let mut words: Vec<String> =
        ["--model", model.word(), "--case", case.word()].map(String::from).into_iter().collect();
    let numbers = [
        ("--d", size.d),
        ("--hidden", size.hidden),
        ("--layers", size.layers),
        ("--batch", size.batch),
        ("--threads", threads),
    ];
    numbers.iter().for_each(|(option, value)| words.extend([option.to_string(), value.to_string()]));
    words.extend(["--seconds".to_string(), seconds.to_string()]);
    words
}

/// Runs this library's case, in a separate process.
pub fn ours(flow: &Flow, threads: usize, seconds: f64) -> Result<Run, String> {
    let mut command = itself()?;
    command.arg("case").args(options(flow, threads, seconds));
    flow_run(&output(command)?)
}

/// Runs one of this library's pairs, in a separate process; returns both times.
pub fn pair(pair: Pair, seconds: f64) -> Result<(f64, f64), String> {
    let mut command = itself()?;
    command.args(["pair", "--pair", pair.word(), "--seconds", &seconds.to_string()]);
    let line = output(command)?;
    Ok((number(&line, "median_s")?, number(&line, "baseline_s")?))
}

impl Scripts {
    /// Runs another library on the same case.
    pub fn flow(&self, peer: &Peer, flow: &Flow, threads: usize, seconds: f64) -> Result<Run, String> {
        let mut command = self.script(peer.script);
        command.args(["--peer", peer.name]);
        command.args(options(flow, peer.threads.unwrap_or(threads), seconds));
        flow_run(&output(command)?)
    }

    /// Another library's dense ln|det J| of one masked layer, by tangents or by adjoints, whichever is faster.
    pub fn dense_log_det(&self, peer: &Peer, d: usize) -> Result<Run, String> {
        let mut command = self.script(peer.script);
        command.arg(d.to_string());
        let line = output(command)?;
        let seconds = number(&line, "jacfwd_s")?.min(number(&line, "jacrev_s")?);
        Ok(Run { seconds, mib: None })
    }

    /// The names and versions of its packages.
    pub fn versions(&self) -> String {
        const PROGRAM: &str = "\
import platform
from importlib.metadata import version, PackageNotFoundError
said = ['Python ' + platform.python_version()]
for name in ['jax', 'flowjax', 'torch', 'zuko', 'nflows']:
    try:
        said.append(name + ' ' + version(name))
    except PackageNotFoundError:
        pass
print(', '.join(said))";
        let said = Command::new(&self.python).args(["-c", PROGRAM]).output();
        said.map(|said| String::from_utf8_lossy(&said.stdout).trim().to_string()).unwrap_or_default()
    }

    fn script(&self, name: &str) -> Command {
        let mut command = Command::new(&self.python);
        command.arg(Path::new(&self.directory).join(name)).current_dir(&self.directory);
        // No files are written to a directory that is not ours.
        command.env("PYTHONDONTWRITEBYTECODE", "1");
        command
    }
}

fn itself() -> Result<Command, String> {
    std::env::current_exe().map(Command::new).map_err(|error| error.to_string())
}

fn flow_run(line: &Value) -> Result<Run, String> {
    Ok(Run { seconds: number(line, "median_s")?, mib: line["peak_rss_mib"].as_f64() })
}

fn number(line: &Value, key: &str) -> Result<f64, String> {
    line[key].as_f64().ok_or_else(|| format!("it did not say {key}"))
}

/// Runs it to its end, or to the time limit; returns the last JSON line it printed.
fn output(mut command: Command) -> Result<Value, String> {
    let mut child = command
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .map_err(|error| format!("it does not start: {error}"))?;
    // Read in parallel, so that the process never blocks on a full pipe.
    fn reader(mut from: impl Read + Send + 'static) -> std::thread::JoinHandle<String> {
        std::thread::spawn(move || {
            let mut bytes = Vec::new();
            let _ = from.read_to_end(&mut bytes);
            String::from_utf8_lossy(&bytes).into_owned()
        })
    }
    let said = child.stdout.take().map(reader);
    let complained = child.stderr.take().map(reader);
    let begin = Instant::now();
    let status = loop {
        match child.try_wait().map_err(|error| error.to_string())? {
            Some(status) => break status,
            None if begin.elapsed() > LIMIT => {
                let _ = child.kill();
                let _ = child.wait();
                return Err(format!("it took more than {} s", LIMIT.as_secs()));
            }
            None => std::thread::sleep(Duration::from_millis(20)),
        }
    };
    let text = |handle: Option<std::thread::JoinHandle<String>>| {
        handle.and_then(|handle| handle.join().ok()).unwrap_or_default()
    };
    let (said, complained) = (text(said), text(complained));
    let line = said.lines().rev().find_map(|line| serde_json::from_str::<Value>(line).ok());
    match line {
        Some(line) if status.success() && line.is_object() => Ok(line),
        _ => {
            let last = complained.lines().rev().find(|line| !line.trim().is_empty());
            Err(last.unwrap_or("it printed no numbers").trim().to_string())
        }
    }
}
