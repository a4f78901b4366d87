//! Which lesson builds on which: as a line of text, and as a picture.

use crate::Lesson;
use pushforward::plot::Picture;

/// Writes the numbers of all lessons, each with those that it builds on in brackets.
pub fn as_text(lessons: &[Lesson]) -> String {
    lessons.iter().map(with_needs).collect::<Vec<_>>().join(" · ")
}

/// As [`as_text`], in lines of at most this width; no lesson is parted from its brackets.
pub fn as_lines(lessons: &[Lesson], width: usize) -> Vec<String> {
    let mut lines: Vec<String> = Vec::new();
    for item in lessons.iter().map(with_needs) {
        match lines.last_mut() {
            Some(line) if line.chars().count() + 3 + item.chars().count() <= width => {
                line.push_str(&format!(" · {item}"));
            }
            _ => lines.push(item),
        }
    }
    lines
}

/// Writes the numbers of the lessons that one builds on: `11 and 15`; empty for the first.
pub fn needs(lesson: &Lesson) -> String {
    let numbers: Vec<String> = lesson.needs.iter().map(u32::to_string).collect();
    match numbers.as_slice() {
        [] => String::new(),
        [one] => one.clone(),
        [first @ .., last] => format!("{} and {last}", first.join(", ")),
    }
}

fn with_needs(lesson: &Lesson) -> String {
    let numbers: Vec<String> = lesson.needs.iter().map(u32::to_string).collect();
    match numbers.is_empty() {
        true => lesson.number.to_string(),
        false => format!("{} ({})", lesson.number, numbers.join(", ")),
    }
}

/// Draws the lessons as a graph, in columns by how many lessons come before them at least.
pub fn as_picture(lessons: &[Lesson]) -> Picture {
    let mut columns: Vec<usize> = Vec::new();
    for lesson in lessons {
        let before = lesson.needs.iter().filter_map(|need| place(lessons, *need)).map(|k| columns[k] + 1);
        columns.push(before.max().unwrap_or(0));
    }
    let last = columns.iter().copied().max().unwrap_or(0).max(1);
    let mut filled = vec![0usize; last + 1];
    let mut rows = Vec::new();
    for column in &columns {
        rows.push(filled[*column]);
        filled[*column] += 1;
    }
    let nodes = lessons.iter().zip(columns.iter().zip(&rows)).map(|(lesson, (column, row))| {
        let middle = 0.5 * (filled[*column] as f64 - 1.0);
        ((*column as f64, 1.6 * (middle - *row as f64)), lesson.number.to_string())
    });
    let arrows = lessons.iter().enumerate().flat_map(|(to, lesson)| {
        lesson
            .needs
            .iter()
            .filter_map(|need| place(lessons, *need))
            .map(move |from| (from, to, String::new()))
    });
    Picture::new("Which lesson builds on which", format!("In words: {}.", as_text(lessons)))
        .graph(nodes.collect(), arrows.collect())
}

fn place(lessons: &[Lesson], number: u32) -> Option<usize> {
    lessons.iter().position(|lesson| lesson.number == number)
}

#[cfg(test)]
mod tests {
    use super::{as_text, needs};
    use crate::lessons::LESSONS;

    #[test]
    fn a_lesson_builds_on_earlier_ones_only() {
        for lesson in LESSONS {
            assert!(lesson.needs.iter().all(|need| *need < lesson.number), "{}", lesson.slug);
            assert!(lesson.needs.windows(2).all(|pair| pair[0] < pair[1]), "{}", lesson.slug);
            assert_eq!(lesson.needs.is_empty(), lesson.number == 1, "{}", lesson.slug);
        }
    }

    #[test]
    fn what_follows_from_others_is_not_listed() {
        let of = |number: u32| LESSONS.iter().find(|lesson| lesson.number == number).unwrap();
        for lesson in LESSONS {
            let mut open: Vec<u32> = lesson.needs.iter().flat_map(|need| of(*need).needs.to_vec()).collect();
            while let Some(before) = open.pop() {
                assert!(!lesson.needs.contains(&before), "{} need not name {before}", lesson.slug);
                open.extend(of(before).needs);
            }
        }
    }

    #[test]
    fn the_text_names_them() {
        assert!(as_text(LESSONS).starts_with("1 · 2 (1) · 3 (2)"));
        let splines = LESSONS.iter().find(|lesson| lesson.number == 21).unwrap();
        assert_eq!(needs(splines), splines.needs[0].to_string());
    }
}
