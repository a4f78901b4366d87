//! Exercises: every starting file reports what is missing, every solution passes, and typical wrong answers
//! get a message that says what is wrong. The learner's own files are not read.

/// Bijections of so many variables with this structure, by their formulas.
macro_rules! bijections {
    ($($name:ident $d:literal $structure:ident $meaning:literal $map:expr;)*) => {
        $(
            #[doc = $meaning]
            struct $name;

            impl Bijection for $name {
                fn dim(&self) -> usize {
                    $d
                }
                fn structure(&self) -> Structure {
                    Structure::$structure
                }
                fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
                    let map: fn(Var<'t>) -> Var<'t> = $map;
                    map(z)
                }
            }
        )*
    };
}

mod equal;
mod handover;
mod lesson_01;
mod lesson_02;
mod lesson_03;
mod lesson_04;
mod lesson_05;
mod lesson_06;
mod lesson_07;
mod lesson_08;
mod lesson_09;
mod lesson_10;
mod lesson_11;
mod lesson_12;
mod lesson_13;
mod lesson_14;
mod lesson_15;
mod lesson_16;
mod lesson_17;
mod lesson_18;
mod lesson_19;
mod lesson_20;
mod lesson_21;
mod lesson_22;
mod lesson_23;
mod lesson_24;

use std::sync::atomic::{AtomicUsize, Ordering};

use crate::snapshot::snapshot;
use pushforward::bijection::Composition;
use pushforward::prelude::*;
use pushforward_course::Exercise;
use pushforward_course::exercise::Judgement;
use pushforward_course::lessons::LESSONS;

/// What is said of several answers, under their captions: the starting file first and the solution last.
struct Told {
    exercise: Exercise,
    text: String,
    wrong: usize,
    right: usize,
}

impl Told {
    fn of(exercise: Exercise) -> Told {
        Told { exercise, text: String::new(), wrong: 0, right: 0 }
    }

    /// An answer that must not pass.
    fn wrong(mut self, caption: &str, judge: impl FnOnce() -> Judgement) -> Told {
        let verdict = self.exercise.judged(judge);
        assert!(!verdict.passed(), "{caption} passes: {}", verdict.to_text(false));
        self.wrong += 1;
        self.text.push_str(&format!("# {caption}\n{}\n", verdict.to_text(false)));
        self
    }

    /// An answer that is not the solution and is as right.
    fn right(mut self, caption: &str, judge: impl FnOnce() -> Judgement) -> Told {
        let verdict = self.exercise.judged(judge);
        assert!(verdict.passed(), "{caption} does not pass: {}", verdict.to_text(false));
        self.right += 1;
        self.text.push_str(&format!("# {caption}\n{}\n", verdict.to_text(false)));
        self
    }

    /// The solution, which must pass; and then everything that was said is compared with its snapshot.
    fn solved(mut self, judge: impl FnOnce() -> Judgement) {
        let verdict = self.exercise.judged(judge);
        assert!(verdict.passed(), "the solution does not pass: {}", verdict.to_text(false));
        self.text.push_str(&format!("# the solution\n{}", verdict.to_text(false)));
        // The starting file is one of the wrong ones.
        assert!(self.wrong > 5, "{} wrong answers, of which one is the start", self.wrong);
        assert!(self.right >= 2, "{} unusual right answers", self.right);
        let wide = self.text.lines().find(|line| line.chars().count() > 80);
        assert_eq!(wide, None, "a line is wider than 80 columns");
        let name = format!("exercise_{}", self.exercise.slug);
        // A trained flow differs a little wherever `exp` does: its digits are left out.
        let text = match self.exercise.number {
            8 | 24 => self.text.replace(|c: char| c.is_ascii_digit(), "#"),
            _ => masked(&self.text),
        };
        snapshot(&name, &text);
    }
}

/// A bijection that says that z lies in (-1, 1).
struct Restricted<B>(B);

impl<B: Bijection> Bijection for Restricted<B> {
    fn dim(&self) -> usize {
        self.0.dim()
    }
    fn structure(&self) -> Structure {
        self.0.structure()
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        self.0.forward(z)
    }
    fn log_det<'t>(&self, z: Var<'t>) -> Option<Var<'t>> {
        self.0.log_det(z)
    }
    fn domain(&self) -> Domain {
        Domain::Interval { lower: -1.0, upper: 1.0 }
    }
}

/// A bijection that is the one for some calls, and another one from then on.
struct Changing<A, B> {
    first: A,
    then: B,
    calls: AtomicUsize,
}

impl<A: Bijection, B: Bijection> Changing<A, B> {
    fn new(first: A, then: B) -> Changing<A, B> {
        Changing { first, then, calls: AtomicUsize::new(0) }
    }
}

impl<A: Bijection, B: Bijection> Bijection for Changing<A, B> {
    fn dim(&self) -> usize {
        self.first.dim()
    }
    fn structure(&self) -> Structure {
        self.first.structure()
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        if self.calls.fetch_add(1, Ordering::Relaxed) < 5 {
            self.first.forward(z)
        } else {
            self.then.forward(z)
        }
    }
}

/// A bijection whose layers are another map than its `forward`.
struct Layered<B> {
    forward: B,
    layers: Vec<Box<dyn Bijection>>,
}

impl<B: Bijection> Bijection for Layered<B> {
    fn dim(&self) -> usize {
        self.forward.dim()
    }
    fn structure(&self) -> Structure {
        self.forward.structure()
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        self.forward.forward(z)
    }
    fn composition(&self) -> Composition<'_> {
        Composition::Chain(&self.layers)
    }
}

/// A bijection with an inverse that is no inverse of it.
struct Undone<B>(B);

impl<B: Bijection> Bijection for Undone<B> {
    fn dim(&self) -> usize {
        self.0.dim()
    }
    fn structure(&self) -> Structure {
        self.0.structure()
    }
    fn forward<'t>(&self, z: Var<'t>) -> Var<'t> {
        self.0.forward(z)
    }
    fn inverse<'t>(&self, x: Var<'t>) -> Option<Var<'t>> {
        Some(0.5 * x)
    }
}

/// Without what is left of rounding, without how many points it left to compare at, and without the lines of this test's
/// own files, which move when it is edited.
fn masked(text: &str) -> String {
    let mut masked = String::new();
    for line in text.split_inclusive('\n') {
        let mut line = line.replace("(exactly)", "(to within <rounding>)");
        if let Some((head, tail)) = line.split_once(" points") {
            let kept = head.trim_end_matches(|c: char| c.is_ascii_digit());
            let count = head[kept.len()..].parse::<usize>();
            // The usual 64 are those that are nowhere special.
            if count.is_ok_and(|count| count > 64) {
                line = format!("{kept}<many> points{tail}");
            }
        }
        for before in ["worst error ", "to within "] {
            if let Some((head, tail)) = line.split_once(before) {
                let end = tail.find([' ', ',', ')', '\n']).unwrap_or(tail.len());
                line = format!("{head}{before}<rounding>{}", &tail[end..]);
            }
        }
        if let Some((head, tail)) = line.split_once("tests/course/exercises/") {
            let (file, rest) = tail.split_once(':').unwrap_or((tail, ""));
            let rest = rest.trim_start_matches(|c: char| c.is_ascii_digit());
            line = format!("{head}tests/course/exercises/{file}:<line>{rest}");
        }
        masked.push_str(&line);
    }
    masked
}

#[test]
fn every_hint_says_more() {
    for lesson in LESSONS {
        let exercise = lesson.exercise;
        let [a, b, c] = exercise.hints;
        assert!(a != b && b != c && [a, b, c].iter().all(|hint| hint.len() > 20), "{}", exercise.slug);
    }
}
