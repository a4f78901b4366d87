//! Looking up a lesson by its number or name, with suggestions for typing errors.

use crate::Lesson;
use crate::lessons::LESSONS;

/// Returns the lesson of this number or name; the error suggests the closest one.
pub fn lesson(wanted: &str) -> Result<&'static Lesson, String> {
    let number = wanted.parse::<u32>().ok();
    let names = |lesson: &Lesson| lesson.slug == wanted || lesson.slug.get(3..) == Some(wanted);
    let found = LESSONS.iter().find(|lesson| number == Some(lesson.number) || names(lesson));
    found.ok_or_else(|| {
        let nearest = match number {
            Some(number) => LESSONS.iter().min_by_key(|lesson| lesson.number.abs_diff(number)),
            None => LESSONS.iter().min_by_key(|lesson| typos(wanted, lesson.slug)),
        };
        let meant = nearest.map_or_else(String::new, |lesson| lesson.slug.to_string());
        format!(
            "there is no lesson `{wanted}`. The nearest is {meant}; `cargo run --release -- list` shows them all."
        )
    })
}

/// The number of edits that turn one into the other or into a whole word of it.
fn typos(wanted: &str, slug: &str) -> usize {
    let words = slug.split('_').filter(|word| word.len() > 3);
    let whole = [slug, &slug[3..]].into_iter().chain(words);
    whole.map(|name| distance(&wanted.to_lowercase(), name)).min().unwrap_or(usize::MAX)
}

/// Returns the Levenshtein distance, computed row by row.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut before = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let exchanged = before + usize::from(from != *to);
            before = row[j + 1];
            row[j + 1] = exchanged.min(row[j] + 1).min(before + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::{distance, lesson};

    #[test]
    fn a_typo_finds_what_was_meant() {
        assert_eq!(distance("copling", "coupling"), 1);
        assert!(lesson("copling").unwrap_err().contains("11_coupling"));
        assert!(lesson("99").unwrap_err().contains("24_your_own_flow"));
        assert_eq!(lesson("jacobian_and_volume").unwrap().number, 3);
    }
}
