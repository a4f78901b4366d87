//! The machine of a measurement, as far as the system reports it.

use std::fs::read_to_string;
use std::time::Duration;

/// The name of the processor.
pub fn processor() -> String {
    let information = read_to_string("/proc/cpuinfo").unwrap_or_default();
    let named = information.lines().find_map(|line| line.strip_prefix("model name"));
    let name = named.and_then(|rest| rest.split_once(':')).map(|(_, name)| name.trim().to_string());
    name.unwrap_or_else(|| std::env::consts::ARCH.to_string())
}

/// Its number of threads.
pub fn cores() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// The number of runnable processes, averaged over the last minute.
pub fn load() -> Option<f64> {
    read_to_string("/proc/loadavg").ok()?.split_whitespace().next()?.parse().ok()
}

/// Returns the number of busy cores over a period; this program sleeps meanwhile.
pub fn busy_cores(time: Duration) -> Option<f64> {
    let before = ticks()?;
    std::thread::sleep(time);
    let after = ticks()?;
    let (busy, all) = (after.0 - before.0, after.1 - before.1);
    (all > 0.0).then(|| busy / all * cores() as f64)
}

/// Ticks of all cores since the start: at work, and altogether.
fn ticks() -> Option<(f64, f64)> {
    let statistics = read_to_string("/proc/stat").ok()?;
    let numbers: Vec<f64> =
        statistics.lines().next()?.split_whitespace().skip(1).filter_map(|word| word.parse().ok()).collect();
    // user, nice, system, idle, waiting, interrupts, soft interrupts, stolen; guests count as users.
    let all: f64 = numbers.iter().take(8).sum();
    Some((all - numbers.get(3)? - numbers.get(4)?, all))
}

/// The largest resident memory of this process so far, in MiB.
pub fn peak_mib() -> Option<u64> {
    let status = read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find(|line| line.starts_with("VmHWM"))?;
    line.split_whitespace().nth(1)?.parse::<u64>().ok().map(|kib| kib / 1024)
}
