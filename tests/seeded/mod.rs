//! Seeds of property tests: the same in every run, unless new ones are requested.
//!
//! `PROPTEST_CASES` sets the number of cases, `PROPTEST_RNG_SEED` the seed (`.ci/hunt` tries one after
//! another), `CASE_SEED` runs a single case again. Nothing is written to disk.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::{Config, RngSeed, TestRunner};

/// Seeds of a run whose seed is not set.
const RNG_SEED: u64 = 0;

/// Runs a property over seeds, one after another.
///
/// # Panics
/// At the first seed for which the property fails or panics, with the command that runs that seed again.
pub fn for_seeds(cases: u32, property: impl Fn(u64) -> Result<(), String>) {
    let run = Run::new(cases);
    run.seeds.iter().for_each(|seed| run.case(*seed, &property).unwrap_or_else(|report| panic!("{report}")));
}

/// Runs a property over the same seeds on two threads.
///
/// # Panics
/// As [`for_seeds`], for one of the seeds that fail.
#[allow(dead_code, reason = "most properties count what they see in cells")]
pub fn for_seeds_on_two_threads(cases: u32, property: impl Fn(u64) -> Result<(), String> + Sync) {
    let run = Run::new(cases);
    let (next, stop) = (AtomicUsize::new(0), AtomicBool::new(false));
    let work = || {
        while let Some(seed) = run.seeds.get(next.fetch_add(1, Ordering::Relaxed)) {
            if stop.load(Ordering::Relaxed) {
                break;
            }
            let result = run.case(*seed, &property);
            if result.is_err() {
                stop.store(true, Ordering::Relaxed);
                return result;
            }
        }
        Ok(())
    };
    let results = std::thread::scope(|scope| {
        let other = scope.spawn(work);
        [work(), other.join().expect("panics of a property are caught")]
    });
    results.into_iter().for_each(|result| result.unwrap_or_else(|report| panic!("{report}")));
}

/// The seeds of one run, and how it is repeated.
struct Run {
    seeds: Vec<u64>,
    rng_seed: u64,
    test: String,
}

impl Run {
    fn new(cases: u32) -> Run {
        let mut config = Config::default();
        if std::env::var_os("PROPTEST_CASES").is_none() {
            config.cases = cases;
        }
        let rng_seed = match config.rng_seed {
            RngSeed::Fixed(seed) => seed,
            RngSeed::Random => RNG_SEED,
        };
        config.rng_seed = RngSeed::Fixed(rng_seed);
        let seeds = match std::env::var("CASE_SEED") {
            Ok(seed) => vec![seed.parse().expect("CASE_SEED is a number of 64 bits")],
            Err(_) => {
                let (count, mut runner) = (config.cases, TestRunner::new(config));
                let mut seed =
                    || proptest::num::u64::ANY.new_tree(&mut runner).expect("any number").current();
                (0..count).map(|_| seed()).collect()
            }
        };
        let name = std::thread::current().name().unwrap_or_default().to_string();
        Run { seeds, rng_seed, test: format!("--test library {name}") }
    }

    /// One case; what fails says how it is run again.
    fn case(&self, seed: u64, property: &impl Fn(u64) -> Result<(), String>) -> Result<(), String> {
        let reason = match catch_unwind(AssertUnwindSafe(|| property(seed))) {
            Ok(Ok(())) => return Ok(()),
            Ok(Err(reason)) => reason,
            Err(_) => "the property panicked (see above)".to_string(),
        };
        let (test, rng_seed, cases) = (&self.test, self.rng_seed, self.seeds.len());
        Err(format!(
            "{reason}\nseed {seed}, of the {cases} cases of PROPTEST_RNG_SEED={rng_seed}; this one alone:\n    \
             CASE_SEED={seed} cargo test {test} -- --nocapture"
        ))
    }
}
