//! The lessons: their list, and running them by number or name.

use std::error::Error;
use std::io::Write;
use std::process::ExitCode;

#[path = "../../lessons/01_change_of_variables.rs"]
mod lesson_01;
#[path = "../../lessons/02_the_tape.rs"]
mod lesson_02;
#[path = "../../lessons/03_jacobian_and_volume.rs"]
mod lesson_03;
#[path = "../../lessons/04_absolute_value.rs"]
mod lesson_04;
#[path = "../../lessons/05_two_forms.rs"]
mod lesson_05;
#[path = "../../lessons/06_chain_rule_of_determinants.rs"]
mod lesson_06;
#[path = "../../lessons/07_triangular_is_cheap.rs"]
mod lesson_07;
#[path = "../../lessons/08_first_flow.rs"]
mod lesson_08;
#[path = "../../lessons/09_write_forward_get_the_rest.rs"]
mod lesson_09;
#[path = "../../lessons/10_invertibility_is_architecture.rs"]
mod lesson_10;
#[path = "../../lessons/11_coupling.rs"]
mod lesson_11;
#[path = "../../lessons/12_autoregressive.rs"]
mod lesson_12;
#[path = "../../lessons/13_maximum_likelihood_is_forward_kl.rs"]
mod lesson_13;
#[path = "../../lessons/14_one_pass_sampling.rs"]
mod lesson_14;
#[path = "../../lessons/15_simple_bases.rs"]
mod lesson_15;
#[path = "../../lessons/16_anomalies.rs"]
mod lesson_16;
#[path = "../../lessons/17_inverse_problems.rs"]
mod lesson_17;

type Run = fn() -> Result<ExitCode, Box<dyn Error>>;

/// A lesson: the name of its file, what it is about, and its program.
struct Lesson {
    name: &'static str,
    about: &'static str,
    run: Run,
}

const LESSONS: [Lesson; 17] = [
    Lesson {
        name: "01_change_of_variables",
        about: "how a density changes under a map",
        run: lesson_01::main,
    },
    Lesson { name: "02_the_tape", about: "how derivatives come out of a tape", run: lesson_02::main },
    Lesson { name: "03_jacobian_and_volume", about: "the determinant measures volume", run: lesson_03::main },
    Lesson { name: "04_absolute_value", about: "why |det J| and not det J", run: lesson_04::main },
    Lesson { name: "05_two_forms", about: "one density, seen from z and from x", run: lesson_05::main },
    Lesson {
        name: "06_chain_rule_of_determinants",
        about: "layers one after another: logarithms add",
        run: lesson_06::main,
    },
    Lesson {
        name: "07_triangular_is_cheap",
        about: "O(d) against O(d³), proven and measured",
        run: lesson_07::main,
    },
    Lesson {
        name: "08_first_flow",
        about: "RealNVP on real data, by maximum likelihood",
        run: lesson_08::main,
    },
    Lesson {
        name: "09_write_forward_get_the_rest",
        about: "proof, log-determinant and inverse, derived",
        run: lesson_09::main,
    },
    Lesson {
        name: "10_invertibility_is_architecture",
        about: "a penalty for folding, and what it misses",
        run: lesson_10::main,
    },
    Lesson { name: "11_coupling", about: "NICE and RealNVP; why halves take turns", run: lesson_11::main },
    Lesson {
        name: "12_autoregressive",
        about: "masks, proven; MAF is IAF turned round",
        run: lesson_12::main,
    },
    Lesson {
        name: "13_maximum_likelihood_is_forward_kl",
        about: "what training lowers",
        run: lesson_13::main,
    },
    Lesson {
        name: "14_one_pass_sampling",
        about: "one normal draw, one pass, no chain",
        run: lesson_14::main,
    },
    Lesson {
        name: "15_simple_bases",
        about: "the power is in the map; tails and pieces",
        run: lesson_15::main,
    },
    Lesson { name: "16_anomalies", about: "exact scores, an ROC, and their limits", run: lesson_16::main },
    Lesson {
        name: "17_inverse_problems",
        about: "a posterior as a flow, and its calibration",
        run: lesson_17::main,
    },
];

/// What this is, the lessons, and then the first one.
pub fn front_page() -> ExitCode {
    say("pushforward: write a bijection, get its density.\n\n");
    say("You write x = f(z) once. A tape derives the Jacobian, proves its structure,\n");
    say("derives ln|det J|, audits every claim, and trains flows by maximum likelihood.\n\n");
    list();
    say("\nRun one with   cargo run --release -- run 7   and see   --help   for the rest.\n");
    say("Here is the first.\n\n");
    started(&LESSONS[0])
}

/// The list of lessons.
pub fn list() -> ExitCode {
    for lesson in &LESSONS {
        say(&format!("  {:<33} {}\n", lesson.name, lesson.about));
    }
    ExitCode::SUCCESS
}

/// Runs a lesson by number or name, or all of them.
pub fn run(wanted: &str) -> ExitCode {
    if wanted == "all" {
        let failed: Vec<&str> = LESSONS
            .iter()
            .filter(|lesson| started(lesson) != ExitCode::SUCCESS)
            .map(|lesson| lesson.name)
            .collect();
        if failed.is_empty() {
            return ExitCode::SUCCESS;
        }
        eprintln!("pushforward run: checks failed in {}", failed.join(", "));
        return ExitCode::FAILURE;
    }
    let number = wanted.parse::<usize>().ok();
    let found = LESSONS.iter().enumerate().find(|(k, lesson)| {
        number == Some(k + 1) || lesson.name == wanted || lesson.name.get(3..) == Some(wanted)
    });
    match found {
        Some((_, lesson)) => started(lesson),
        None => {
            eprintln!("pushforward run: there is no lesson `{wanted}`. {}", nearest(wanted, number));
            ExitCode::from(2)
        }
    }
}

fn started(lesson: &Lesson) -> ExitCode {
    (lesson.run)().unwrap_or_else(|error| {
        eprintln!("{}: {error}", lesson.name);
        ExitCode::FAILURE
    })
}

/// What was probably meant.
fn nearest(wanted: &str, number: Option<usize>) -> String {
    if number.is_some() {
        return format!("They are numbered from 1 to {}.", LESSONS.len());
    }
    // Four letters in a row that both have, counted.
    let letters: Vec<char> = wanted.chars().collect();
    let common = |name: &str| {
        letters.windows(4).filter(|window| name.contains(&window.iter().collect::<String>())).count()
    };
    let closest = LESSONS.iter().max_by_key(|lesson| common(lesson.name)).filter(|l| common(l.name) > 0);
    match closest {
        Some(lesson) => format!("Did you mean {}?", lesson.name),
        None => "`pushforward list` shows them all.".to_string(),
    }
}

/// Prints; a reader who closes the pipe has read enough.
fn say(text: &str) {
    let _ = std::io::stdout().write_all(text.as_bytes());
}
