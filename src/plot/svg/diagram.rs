//! Pictures without axes: graphs, and matrix patterns.

use std::fmt::Write;

use super::Frame;
use crate::plot::Pattern;
use crate::typeset::html_words as escape;

/// Side length of a cell of a pattern.
const CELL: f64 = 26.0;
/// Space for the row names, and between two patterns.
const ROWS: f64 = 34.0;
const BETWEEN: f64 = 44.0;
/// Space for the pattern's own name and the column names.
const HEAD: f64 = 42.0;

/// Returns the width of a pattern.
pub(super) fn width(pattern: &Pattern) -> f64 {
    ROWS + CELL * pattern.columns.len() as f64 + BETWEEN
}

/// Returns the height of a pattern, with its names.
pub(super) fn height(pattern: &Pattern) -> f64 {
    HEAD + CELL * pattern.rows.len() as f64
}

impl Frame {
    /// Draws boxes with their labels, and arrows from the right edge of one to the left edge of another.
    pub(super) fn graph(
        &self,
        svg: &mut String,
        nodes: &[((f64, f64), String)],
        edges: &[(usize, usize, String)],
    ) {
        const LETTER: f64 = 10.5;
        let at = |(x, y): (f64, f64)| self.place(x, y);
        let half = |label: &str| {
            let widest = label.lines().map(|line| line.chars().count()).max().unwrap_or(0);
            (0.5 * LETTER * widest as f64 + 10.0, 14.0 + 12.0 * label.lines().count() as f64)
        };
        for (from, to, label) in edges {
            let ((a, b), (c, d)) = (at(nodes[*from].0), at(nodes[*to].0));
            let (a, c) = (a + half(&nodes[*from].1).0, c - half(&nodes[*to].1).0 - 3.0);
            let length = ((c - a).powi(2) + (d - b).powi(2)).sqrt().max(1.0);
            let (u, v) = ((c - a) / length, (d - b) / length);
            let tip = |side: f64| (c - 9.0 * u + side * 4.5 * v, d - 9.0 * v - side * 4.5 * u);
            let ((e, f), (g, h)) = (tip(1.0), tip(-1.0));
            let _ = write!(
                svg,
                "<path d=\"M{a:.1} {b:.1}L{c:.1} {d:.1}M{e:.1} {f:.1}L{c:.1} {d:.1}L{g:.1} {h:.1}\" \
                 stroke-width=\"1.6\"/><text class=\"along\" x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>",
                0.5 * (a + c),
                0.5 * (b + d) + 5.0,
                escape(label)
            );
        }
        for (place, label) in nodes {
            let ((u, v), (width, height)) = (at(*place), half(label));
            let _ = write!(
                svg,
                "<rect x=\"{:.1}\" y=\"{:.1}\" width=\"{:.1}\" height=\"{:.1}\" rx=\"6\" stroke-width=\"1.6\"/>",
                u - width,
                v - height,
                2.0 * width,
                2.0 * height
            );
            let count = label.lines().count() as f64;
            for (k, line) in label.lines().enumerate() {
                let baseline = v + 6.0 + 24.0 * (k as f64 - 0.5 * (count - 1.0));
                let class = if k == 0 { "on name" } else { "on" };
                let line = escape(line);
                let _ = write!(
                    svg,
                    "<text class=\"{class}\" x=\"{u:.1}\" y=\"{baseline:.1}\" text-anchor=\"middle\">{line}</text>"
                );
            }
        }
    }

    /// Draws cells, filled or not, with the names of rows and columns.
    pub(super) fn pattern(&self, svg: &mut String, pattern: &Pattern, left: f64) {
        let (left, top) = (left + ROWS, self.top + HEAD);
        let mut text = |x: f64, y: f64, class: &str, anchor: &str, words: &str| {
            let words = escape(words);
            let _ = write!(
                svg,
                "<text class=\"{class}\" x=\"{x:.1}\" y=\"{y:.1}\" text-anchor=\"{anchor}\">{words}</text>"
            );
        };
        text(left, top - 36.0, "on name", "start", &pattern.name);
        for (j, name) in pattern.columns.iter().enumerate() {
            text(left + CELL * (j as f64 + 0.5), top - 9.0, "on", "middle", name);
        }
        for (i, name) in pattern.rows.iter().enumerate() {
            text(left - 10.0, top + CELL * (i as f64 + 0.5) + 5.0, "on", "end", name);
        }
        let (mut filled, mut empty) = (String::new(), String::new());
        for (k, cell) in pattern.cells.iter().enumerate() {
            let (i, j) = (k / pattern.columns.len(), k % pattern.columns.len());
            let (u, v) = (left + CELL * j as f64 + 1.5, top + CELL * i as f64 + 1.5);
            let side = CELL - 3.0;
            let path = if *cell { &mut filled } else { &mut empty };
            let _ = write!(path, "M{u:.1} {v:.1}h{side}v{side}h-{side}z");
        }
        let _ = write!(
            svg,
            "<path d=\"{filled}\" fill=\"currentColor\" stroke=\"none\"/><path d=\"{empty}\" stroke-opacity=\"0.3\" \
             stroke-width=\"1\"/>"
        );
    }
}
