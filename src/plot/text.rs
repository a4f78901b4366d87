//! Pictures for a terminal: braille dots, two by four in a character, and shades for densities.

use super::{Mark, Picture};

/// Width of the labels of the vertical axis.
const MARGIN: usize = 9;
/// Shades from empty to full.
const SHADES: [char; 5] = [' ', '░', '▒', '▓', '█'];

pub(super) fn draw(picture: &Picture, width: usize, height: usize) -> String {
    let columns = width.saturating_sub(MARGIN + 3).max(8);
    let rows = height.saturating_sub(5).max(4);
    let title: String = picture.title.chars().take(width.saturating_sub(4)).collect();
    let mut text = format!("    {title}\n");
    // A character is about twice as high as wide, and has four by two dots.
    let Some((x, y)) = picture.frame(columns as f64, 2.0 * rows as f64) else {
        return text + "    (no data)\n";
    };
    let mut canvas = Canvas::new(columns, rows, x, y);
    for mark in &picture.marks {
        canvas.mark(picture, mark);
    }
    let patterns: Vec<Vec<String>> = picture.marks.iter().filter_map(pattern).collect();
    if !patterns.is_empty() {
        return text + &beside(&patterns);
    }
    if !picture.has_axes() {
        (0..rows).for_each(|row| text.push_str(&format!("    {}\n", canvas.row(row).trim_end())));
        return text.replace("    \n", "\n");
    }
    let ticks = picture.y.ticks(y, rows / 3);
    let row_of = |value: f64| ((y.1 - value) / (y.1 - y.0) * rows as f64) as usize;
    text.push_str(&format!("{:>MARGIN$}\n", short(&picture.y.label, MARGIN)));
    for row in 0..rows {
        let tick = ticks.iter().find(|(value, _)| row_of(*value).min(rows - 1) == row);
        let label = tick.map_or("", |(_, label)| label);
        let edge = if tick.is_some() { '┤' } else { '│' };
        text.push_str(format!("{label:>MARGIN$} {edge}{}", canvas.row(row)).trim_end());
        text.push('\n');
    }
    text.push_str(&x_axis(picture, x, columns));
    text.push_str(&legend(picture, width));
    if picture.left_out > 0 {
        let plural = if picture.left_out == 1 { "" } else { "s" };
        text.push_str(&format!(
            "    {} value{plural} not shown: not finite, or not on the scale\n",
            picture.left_out
        ));
    }
    text
}

/// Returns a pattern as lines of equal width; empty for any other mark.
fn pattern(mark: &Mark) -> Option<Vec<String>> {
    let Mark::Pattern(pattern) = mark else { return None };
    let margin = pattern.rows.iter().map(|name| name.chars().count()).max().unwrap_or(0);
    let mut lines = vec![pattern.name.clone(), format!("{:margin$}  {}", "", pattern.columns.join(" "))];
    for (name, row) in pattern.rows.iter().zip(pattern.cells.chunks(pattern.columns.len().max(1))) {
        let cells = row.iter().zip(&pattern.columns).map(|(cell, column)| {
            let (sign, width) = (if *cell { '■' } else { '·' }, column.chars().count());
            format!("{sign:<width$}")
        });
        lines.push(format!("{name:>margin$}  {}", cells.collect::<Vec<_>>().join(" ")));
    }
    let widest = lines.iter().map(|line| line.chars().count()).max().unwrap_or(0);
    Some(lines.iter().map(|line| format!("{line:<widest$}")).collect())
}

/// Places blocks of lines side by side.
fn beside(blocks: &[Vec<String>]) -> String {
    let height = blocks.iter().map(Vec::len).max().unwrap_or(0);
    let line = |k: usize| {
        let parts = blocks.iter().map(|block| match block.get(k) {
            Some(line) => line.clone(),
            None => " ".repeat(block.first().map_or(0, |line| line.chars().count())),
        });
        format!("    {}", parts.collect::<Vec<_>>().join("        ")).trim_end().to_string() + "\n"
    };
    (0..height).map(line).collect()
}

fn x_axis(picture: &Picture, x: (f64, f64), columns: usize) -> String {
    let mut rule: Vec<char> = vec!['─'; columns];
    let mut labels: Vec<char> = vec![' '; columns + MARGIN + 4];
    let mut free = 0;
    for (value, label) in picture.x.ticks(x, columns / 12) {
        let column = (((value - x.0) / (x.1 - x.0) * columns as f64) as usize).min(columns - 1);
        rule[column] = '┬';
        let start = (MARGIN + 2 + column).saturating_sub(label.chars().count() / 2);
        let end = start + label.chars().count();
        if start >= free && end <= labels.len() {
            label.chars().enumerate().for_each(|(k, c)| labels[start + k] = c);
            free = end + 1;
        }
    }
    let rule: String = rule.into_iter().collect();
    let labels: String = labels.into_iter().collect();
    let name = &picture.x.label;
    let centre = MARGIN + 2 + columns / 2 + name.chars().count() / 2;
    let name = if name.is_empty() { String::new() } else { format!("{name:>centre$}\n") };
    format!("{:>MARGIN$} └{rule}\n{}\n{name}", "", labels.trim_end())
}

/// Returns the legend of shades and letters; lines are distinguished by letters on them.
fn legend(picture: &Picture, width: usize) -> String {
    let labels: Vec<&str> = picture.labels().into_iter().filter(|label| !label.is_empty()).collect();
    if labels.is_empty() {
        return String::new();
    }
    let mut line = String::from("   ");
    let mut text = String::new();
    for (number, label) in picture.labels().iter().enumerate().filter(|(_, label)| !label.is_empty()) {
        let item = match &picture.marks[number] {
            Mark::HeatMap { .. } => format!(" ░▒▓█ {label} "),
            _ => format!(" {} {label} ", letter(number)),
        };
        if line.chars().count() + item.chars().count() > width {
            text.push_str(&format!("{}\n", line.trim_end()));
            line = String::from("   ");
        }
        line.push_str(&item);
    }
    text + line.trim_end() + "\n"
}

fn letter(number: usize) -> char {
    char::from(b'a' + (number % 26) as u8)
}

fn short(text: &str, width: usize) -> String {
    text.chars().take(width).collect()
}

struct Canvas {
    columns: usize,
    rows: usize,
    x: (f64, f64),
    y: (f64, f64),
    dots: Vec<u8>,
    over: Vec<Option<char>>,
}

impl Canvas {
    fn new(columns: usize, rows: usize, x: (f64, f64), y: (f64, f64)) -> Canvas {
        let cells = columns * rows;
        Canvas { columns, rows, x, y, dots: vec![0; cells], over: vec![None; cells] }
    }

    fn mark(&mut self, picture: &Picture, mark: &Mark) {
        let place = |points: &[(f64, f64)]| -> Vec<(f64, f64)> {
            points.iter().map(|(x, y)| (picture.x.position(*x), picture.y.position(*y))).collect()
        };
        let number = picture.marks.iter().position(|other| std::ptr::eq(other, mark)).unwrap_or(0);
        let several = picture.labels().iter().filter(|label| !label.is_empty()).count() > 1;
        match mark {
            Mark::Line { points, label } => {
                let points = place(points);
                points.windows(2).for_each(|pair| self.segment(pair[0], pair[1]));
                if several && !label.is_empty() && !points.is_empty() {
                    // Away from the ends, where lines meet; at a different place for each line.
                    let at = points.len() * (3 + 2 * (number % 3)) / 10;
                    self.letter(points[at.min(points.len() - 1)], letter(number));
                }
            }
            Mark::Scatter { points, label } => {
                let points = place(points);
                points.iter().for_each(|point| self.dot(*point));
                if several && !label.is_empty() && points.len() <= 40 {
                    points.iter().for_each(|point| self.letter(*point, letter(number)));
                }
            }
            Mark::Area { points, label } => {
                let points = place(points);
                for pair in points.windows(2) {
                    self.segment(pair[0], pair[1]);
                    self.fill(pair[0], pair[1]);
                }
                if several && !label.is_empty() && !points.is_empty() {
                    let (x, y) = points[points.len() / 2];
                    self.letter((x, 0.5 * y), letter(number));
                }
            }
            Mark::Grid { lines, label } => {
                for line in lines {
                    let line = place(line);
                    line.windows(2).for_each(|pair| self.segment(pair[0], pair[1]));
                }
                if let (true, Some(first)) = (several && !label.is_empty(), lines.first()) {
                    place(first).first().into_iter().for_each(|point| self.letter(*point, letter(number)));
                }
            }
            // Drawn separately, without dots.
            Mark::Pattern(_) => {}
            Mark::Graph { nodes, edges } => {
                for (from, to, label) in edges {
                    let (a, b) = (nodes[*from].0, nodes[*to].0);
                    self.segment(a, b);
                    self.words((0.5 * (a.0 + b.0), 0.5 * (a.1 + b.1)), label);
                }
                for (place, label) in nodes {
                    self.words(*place, &format!("[{}]", label.replace('\n', " = ")));
                }
            }
            Mark::HeatMap { x, y, columns, values, .. } => {
                let largest = values.iter().copied().filter(|v| v.is_finite()).fold(0.0, f64::max);
                let count = values.len() / columns;
                for row in 0..self.rows {
                    for column in 0..self.columns {
                        let at = self.centre(column, row);
                        let (u, v) = ((at.0 - x.0) / (x.1 - x.0), (at.1 - y.0) / (y.1 - y.0));
                        if !(0.0..1.0).contains(&u) || !(0.0..1.0).contains(&v) || largest <= 0.0 {
                            continue;
                        }
                        let (i, j) = ((v * count as f64) as usize, (u * *columns as f64) as usize);
                        let value = values[i * columns + j];
                        if value.is_finite() {
                            let shade = ((value / largest).sqrt() * 4.999) as usize;
                            self.over[row * self.columns + column] = Some(SHADES[shade.min(4)]);
                        }
                    }
                }
            }
        }
    }

    fn centre(&self, column: usize, row: usize) -> (f64, f64) {
        let u = (column as f64 + 0.5) / self.columns as f64;
        let v = 1.0 - (row as f64 + 0.5) / self.rows as f64;
        (self.x.0 + u * (self.x.1 - self.x.0), self.y.0 + v * (self.y.1 - self.y.0))
    }

    /// Returns the position in dots from the upper left corner.
    fn at(&self, (x, y): (f64, f64)) -> (f64, f64) {
        let u = (x - self.x.0) / (self.x.1 - self.x.0) * (2 * self.columns) as f64;
        let v = (self.y.1 - y) / (self.y.1 - self.y.0) * (4 * self.rows) as f64;
        (u, v)
    }

    fn set(&mut self, u: f64, v: f64) {
        if u < 0.0 || v < 0.0 || u >= (2 * self.columns) as f64 || v >= (4 * self.rows) as f64 {
            return;
        }
        const BITS: [[u8; 2]; 4] = [[0x01, 0x08], [0x02, 0x10], [0x04, 0x20], [0x40, 0x80]];
        let (u, v) = (u as usize, v as usize);
        self.dots[(v / 4) * self.columns + u / 2] |= BITS[v % 4][u % 2];
    }

    fn dot(&mut self, point: (f64, f64)) {
        let (u, v) = self.at(point);
        self.set(u, v);
    }

    fn segment(&mut self, a: (f64, f64), b: (f64, f64)) {
        let ((u0, v0), (u1, v1)) = (self.at(a), self.at(b));
        let steps = (u1 - u0).abs().max((v1 - v0).abs()).ceil().clamp(1.0, 4000.0) as usize;
        for step in 0..=steps {
            let t = step as f64 / steps as f64;
            self.set(u0 + t * (u1 - u0), v0 + t * (v1 - v0));
        }
    }

    /// Sets every other dot between a segment and zero, so that a filled area differs from a line.
    fn fill(&mut self, a: (f64, f64), b: (f64, f64)) {
        let ((u0, v0), (u1, v1)) = (self.at(a), self.at(b));
        let (_, zero) = self.at((a.0, 0.0));
        for u in u0.ceil() as i64..u1.ceil() as i64 {
            let t = if u1 > u0 { (u as f64 - u0) / (u1 - u0) } else { 0.0 };
            let v = v0 + t * (v1 - v0);
            let (from, to) = (v.min(zero).ceil() as i64, v.max(zero).floor() as i64);
            for w in from..=to {
                if (u + w) % 2 == 0 {
                    self.set(u as f64, w as f64);
                }
            }
        }
    }

    fn letter(&mut self, point: (f64, f64), letter: char) {
        let (u, v) = self.at(point);
        let (column, row) = ((u / 2.0) as usize, (v / 4.0) as usize);
        if u >= 0.0 && v >= 0.0 && column < self.columns && row < self.rows {
            self.over[row * self.columns + column] = Some(letter);
        }
    }

    /// Writes words around a point.
    fn words(&mut self, point: (f64, f64), words: &str) {
        let (u, v) = self.at(point);
        let first = (u / 2.0) as usize - (words.chars().count() / 2).min((u / 2.0) as usize);
        let row = ((v / 4.0) as usize).min(self.rows - 1);
        for (k, letter) in words.chars().enumerate().take(self.columns.saturating_sub(first)) {
            let cell = row * self.columns + first + k;
            (self.over[cell], self.dots[cell]) = (Some(letter), 0);
        }
    }

    fn row(&self, row: usize) -> String {
        (0..self.columns)
            .map(|column| {
                let cell = row * self.columns + column;
                match (self.over[cell], self.dots[cell]) {
                    (Some(character), 0) => character,
                    (Some(character), _) if !SHADES.contains(&character) => character,
                    (_, 0) => ' ',
                    (_, dots) => char::from_u32(0x2800 + u32::from(dots)).unwrap_or(' '),
                }
            })
            .collect()
    }
}
