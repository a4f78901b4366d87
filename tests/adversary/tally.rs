//! Counts of planted, proven and refuted statements, and the first program of each kind with a wrong verdict.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Mutex;

use super::program::Program;
use super::truth::{Question, Truth, Verdicts, verdicts};

#[derive(Default)]
pub struct Tally {
    /// By the kind of the fault, or by the form of what has none.
    kinds: BTreeMap<String, Count>,
    contradictions: BTreeMap<String, (usize, String)>,
}

#[derive(Clone, Default)]
struct Count {
    programs: usize,
    /// How often these were proven, of how many that are true.
    one_to_one: (usize, usize),
    onto: (usize, usize),
    inverse: (usize, usize),
    contradictions: usize,
}

/// Audits one program. Contradictions of another sort than `only` are left to other tests.
pub fn look(tally: &Mutex<Tally>, seed: u64, program: &Program, only: Option<&str>) {
    let truth = program.truth();
    let found = audited(program);
    let name = match program.kind() {
        "none" => program.form(),
        fault => fault,
    };
    let mut tally = tally.lock().unwrap();
    let count = tally.kinds.entry(name.to_string()).or_default();
    count.programs += 1;
    if let Some(found) = &found {
        for (question, counted) in [
            (Question::OneToOne, &mut count.one_to_one),
            (Question::Onto, &mut count.onto),
            (Question::Inverse, &mut count.inverse),
        ] {
            counted.0 += usize::from(found.word(question) == "proven");
            counted.1 += usize::from(truth.of(question) == Some(true));
        }
    }
    let Some((sort, _)) = contradiction(&found, &truth, only) else { return };
    count.contradictions += 1;
    let known = tally.contradictions.entry(format!("{sort}: {name}"));
    known.or_insert_with(|| (0, example(seed, program, &sort, only))).0 += 1;
}

/// `None` where the audit panics.
fn audited(program: &Program) -> Option<Verdicts> {
    catch_unwind(AssertUnwindSafe(|| verdicts(&*program.layer()))).ok()
}

/// The sort of a contradiction, and what was said.
fn contradiction(found: &Option<Verdicts>, truth: &Truth, only: Option<&str>) -> Option<(String, String)> {
    let Some(found) = found else {
        return Some(("panic".to_string(), "the audit panics (see above)".to_string()));
    };
    let (sort, claim) = found.contradicting(truth, only)?;
    let said = format!("«{}» {}: {}", claim.statement, claim.word, claim.detail);
    Some((format!("{sort}, {:?}", claim.question), said))
}

/// The program and what was said of it, for as little of it as shows the same.
fn example(seed: u64, program: &Program, sort: &str, only: Option<&str>) -> String {
    let shows = |program: &Program| {
        let (found, said) = contradiction(&audited(program), &program.truth(), only)?;
        (found == sort).then_some(said)
    };
    let (mut least, mut said) = (program.clone(), shows(program).unwrap_or_default());
    while let Some((less, shown)) =
        least.smaller().into_iter().find_map(|less| Some((shows(&less)?, less))).map(|(a, b)| (b, a))
    {
        (least, said) = (less, shown);
    }
    format!("seed {seed}; of its program remains\n{least:?}\n{said}")
}

impl Tally {
    /// Prints the counts.
    ///
    /// # Panics
    /// When anything contradicts the truth, with the first program of each kind.
    pub fn settle(self, what: &str) {
        let mut all = Count::default();
        println!(
            "{:<28} {:>9} {:>17} {:>17} {:>17} {:>6}",
            what, "programs", "1-1 proven", "onto proven", "inverse proven", "false"
        );
        let share = |(proven, of): (usize, usize)| match of {
            0 => format!("{proven} of none"),
            _ => format!("{proven}/{of} {:.0} %", 100.0 * proven as f64 / of as f64),
        };
        let line = |name: &str, count: &Count| {
            println!(
                "{name:<28} {:>9} {:>17} {:>17} {:>17} {:>6}",
                count.programs,
                share(count.one_to_one),
                share(count.onto),
                share(count.inverse),
                count.contradictions
            );
        };
        for (name, count) in &self.kinds {
            line(name, count);
            all.programs += count.programs;
            for (sum, part) in [
                (&mut all.one_to_one, count.one_to_one),
                (&mut all.onto, count.onto),
                (&mut all.inverse, count.inverse),
            ] {
                *sum = (sum.0 + part.0, sum.1 + part.1);
            }
            all.contradictions += count.contradictions;
        }
        line("all", &all);
        let mut report = String::new();
        for (sort, (times, example)) in &self.contradictions {
            println!("{times:>7} {sort}");
            report.push_str(&format!("\n{times} times {sort}, first with CASE_SEED of {example}\n"));
        }
        assert!(self.contradictions.is_empty(), "{} contradictions:\n{report}", all.contradictions);
    }
}
