//! Which lesson builds on which: as a line of text, and as a picture.

use crate::Lesson;

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

/// Draws the lessons as SVG, in columns by the longest way that leads to them; each number leads to its page, whose file is
/// told by `file`.
pub fn as_svg(lessons: &[Lesson], file: impl Fn(&Lesson) -> String) -> String {
    const RADIUS: f64 = 15.0;
    const APART: (f64, f64) = (66.0, 42.0);
    let mut columns: Vec<usize> = Vec::new();
    for lesson in lessons {
        let before = lesson.needs.iter().filter_map(|need| place(lessons, *need)).map(|k| columns[k] + 1);
        columns.push(before.max().unwrap_or(0));
    }
    let members = |column: usize| columns.iter().filter(|other| **other == column).count();
    let rows = (0..lessons.len()).map(members).max().unwrap_or(1) as f64;
    let width = APART.0 * columns.iter().max().map_or(1.0, |last| *last as f64 + 1.0);
    let height = APART.1 * rows;
    let at = |k: usize| {
        let above = columns[..k].iter().filter(|other| **other == columns[k]).count() as f64;
        let middle = 0.5 * (members(columns[k]) as f64 - 1.0);
        (APART.0 * (columns[k] as f64 + 0.5), 0.5 * height + APART.1 * (above - middle))
    };
    let (mut arrows, mut nodes) = (String::new(), String::new());
    for (to, lesson) in lessons.iter().enumerate() {
        let (x, y) = at(to);
        for from in lesson.needs.iter().filter_map(|need| place(lessons, *need)) {
            let (start, low) = at(from);
            let (start, end) = (start + RADIUS, x - RADIUS);
            let bend = 0.5 * (start + end);
            arrows.push_str(&format!("<path d=\"M{start},{low} C{bend},{low} {bend},{y} {end},{y}\"/>\n"));
        }
        nodes.push_str(&format!(
            "<a href=\"{}\"><circle cx=\"{x}\" cy=\"{y}\" r=\"{RADIUS}\"/><text x=\"{x}\" y=\"{}\">{}</text></a>\n",
            file(lesson),
            y + 4.5,
            lesson.number
        ));
    }
    format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"course\" role=\"img\" viewBox=\"0 0 {width} {height}\">\n\
         <title>{TITLE}</title>\n<desc>In words: {}.</desc>\n<g class=\"ways\">\n{arrows}</g>\n{nodes}</svg>\n",
        as_text(lessons)
    )
}

/// What the map shows.
pub const TITLE: &str = "Which lesson builds on which";

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
