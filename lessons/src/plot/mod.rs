//! Pictures: what is to be seen, apart from how it is drawn.
//!
//! A [`Picture`] holds marks in data coordinates. `text.rs` draws it with Unicode dots for a terminal,
//! `svg.rs` as an SVG for the page; both are deterministic. Points that are not finite are left out and
//! counted.

mod axis;
mod slope;
mod svg;
mod text;

pub use slope::fit_slope;
pub(crate) use svg::STYLE;

use axis::Axis;

/// What a picture shows.
#[derive(Clone, Debug)]
enum Mark {
    /// Points joined by a line.
    Line { label: String, points: Vec<(f64, f64)> },
    /// Points by themselves.
    Scatter { label: String, points: Vec<(f64, f64)> },
    /// What lies between a curve and zero.
    Area { label: String, points: Vec<(f64, f64)> },
    /// Several lines of one kind: a grid, deformed.
    Grid { label: String, lines: Vec<Vec<(f64, f64)>> },
    /// Which entries of a matrix are not zero.
    Pattern(Pattern),
    /// Nodes with labels of one or two lines, and labelled arrows from the left to the right.
    Graph { nodes: Vec<((f64, f64), String)>, edges: Vec<(usize, usize, String)> },
    /// Values over a rectangle, row by row from below: a density.
    HeatMap { label: String, x: (f64, f64), y: (f64, f64), columns: usize, values: Vec<f64> },
}

/// Which entries of a matrix are not zero, row by row.
#[derive(Clone, Debug)]
struct Pattern {
    name: String,
    rows: Vec<String>,
    columns: Vec<String>,
    cells: Vec<bool>,
}

/// Marks with axes, a title and words for those who cannot see it.
#[derive(Clone, Debug)]
pub struct Picture {
    title: String,
    alt: String,
    x: Axis,
    y: Axis,
    equal: bool,
    marks: Vec<Mark>,
    left_out: usize,
}

impl Picture {
    /// A picture without marks; `alt` says in words what is to be seen.
    pub fn new(title: impl Into<String>, alt: impl Into<String>) -> Picture {
        Picture {
            title: title.into(),
            alt: alt.into(),
            x: Axis::new(""),
            y: Axis::new(""),
            equal: false,
            marks: Vec::new(),
            left_out: 0,
        }
    }

    /// Names the axes.
    pub fn axes(mut self, x: &str, y: &str) -> Picture {
        (self.x.label, self.y.label) = (x.to_string(), y.to_string());
        self
    }

    /// Both axes logarithmic, to base 10; points that are not positive are left out.
    pub fn log_log(mut self) -> Picture {
        (self.x.logarithmic, self.y.logarithmic) = (true, true);
        self
    }

    /// One unit is as long on both axes.
    pub fn equal_aspect(mut self) -> Picture {
        self.equal = true;
        self
    }

    /// Points joined by a line.
    pub fn line(mut self, label: &str, points: Vec<(f64, f64)>) -> Picture {
        let points = self.finite(points);
        self.marks.push(Mark::Line { label: label.to_string(), points });
        self
    }

    /// Points by themselves.
    pub fn scatter(mut self, label: &str, points: Vec<(f64, f64)>) -> Picture {
        let points = self.finite(points);
        self.marks.push(Mark::Scatter { label: label.to_string(), points });
        self
    }

    /// What lies between a curve and zero.
    pub fn area(mut self, label: &str, points: Vec<(f64, f64)>) -> Picture {
        let points = self.finite(points);
        self.marks.push(Mark::Area { label: label.to_string(), points });
        self
    }

    /// Several lines of one kind.
    pub fn grid(mut self, label: &str, lines: Vec<Vec<(f64, f64)>>) -> Picture {
        let lines = lines.into_iter().map(|line| self.finite(line)).collect();
        self.marks.push(Mark::Grid { label: label.to_string(), lines });
        self
    }

    /// A graph without axes: nodes at places of a unit grid, each with a label of one or two lines, and arrows with labels
    /// between nodes given by their numbers. Arrows are to lead from the left to the right.
    ///
    /// # Panics
    /// When an arrow names a node that is not there.
    pub fn graph(mut self, nodes: Vec<((f64, f64), String)>, edges: Vec<(usize, usize, String)>) -> Picture {
        assert!(edges.iter().all(|(from, to, _)| *from.max(to) < nodes.len()), "an arrow leads to no node");
        self.marks.push(Mark::Graph { nodes, edges });
        self
    }

    /// Which entries of a matrix are not zero, with names for its rows and columns; several stand side by side.
    ///
    /// # Panics
    /// When the entries do not fill the rows and columns.
    pub fn pattern(mut self, name: &str, rows: &[String], columns: &[String], entries: &[f64]) -> Picture {
        assert_eq!(
            entries.len(),
            rows.len() * columns.len(),
            "a pattern has an entry for each row and column"
        );
        self.marks.push(Mark::Pattern(Pattern {
            name: name.to_string(),
            rows: rows.to_vec(),
            columns: columns.to_vec(),
            cells: entries.iter().map(|entry| *entry != 0.0).collect(),
        }));
        self
    }

    /// Values over the rectangle `x` × `y`, row by row from below, `columns` in a row.
    ///
    /// # Panics
    /// When the values are not whole rows.
    pub fn heat_map(
        mut self,
        label: &str,
        x: (f64, f64),
        y: (f64, f64),
        columns: usize,
        values: Vec<f64>,
    ) -> Picture {
        assert!(columns > 0 && values.len().is_multiple_of(columns), "a heat map has whole rows");
        self.left_out += values.iter().filter(|value| !value.is_finite()).count();
        self.marks.push(Mark::HeatMap { label: label.to_string(), x, y, columns, values });
        self
    }

    /// The picture for a terminal, `width` columns wide and about `height` lines high.
    pub fn to_text(&self, width: usize, height: usize) -> String {
        text::draw(self, width, height)
    }

    /// The picture as an SVG that stands on its own; light and dark follow the reader's setting.
    pub fn to_svg(&self) -> String {
        svg::alone(self)
    }

    /// The picture as a part of a page that brings the style and shows the title as a caption.
    pub(crate) fn to_inline_svg(&self) -> String {
        svg::inline(self)
    }

    /// The marks alone, for a small picture beside a link; those who cannot see it miss nothing.
    pub(crate) fn to_thumbnail(&self) -> String {
        svg::thumbnail(self)
    }

    /// What it is called.
    pub fn title(&self) -> &str {
        &self.title
    }

    fn finite(&mut self, points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
        let before = points.len();
        let (x_log, y_log) = (self.x.logarithmic, self.y.logarithmic);
        let fits = |value: f64, logarithmic: bool| value.is_finite() && (!logarithmic || value > 0.0);
        let kept: Vec<_> = points.into_iter().filter(|(x, y)| fits(*x, x_log) && fits(*y, y_log)).collect();
        self.left_out += before - kept.len();
        kept
    }

    /// The smallest rectangle that holds all marks, with a little room; `None` when there is nothing.
    fn bounds(&self) -> Option<((f64, f64), (f64, f64))> {
        let mut points: Vec<(f64, f64)> = Vec::new();
        for mark in &self.marks {
            match mark {
                Mark::Line { points: own, .. } | Mark::Scatter { points: own, .. } => points.extend(own),
                Mark::Area { points: own, .. } => {
                    points.extend(own);
                    points.extend(own.iter().map(|(x, _)| (*x, 0.0)));
                }
                Mark::Grid { lines, .. } => points.extend(lines.iter().flatten()),
                Mark::HeatMap { x, y, .. } => points.extend([(x.0, y.0), (x.1, y.1)]),
                Mark::Pattern(_) => points.extend([(0.0, 0.0), (1.0, 1.0)]),
                // Labels need room around their places.
                Mark::Graph { nodes, .. } => points
                    .extend(nodes.iter().flat_map(|((x, y), _)| [(x - 0.3, y - 0.35), (x + 0.3, y + 0.35)])),
            }
        }
        if points.is_empty() {
            return None;
        }
        let range = |values: Vec<f64>| {
            let low = values.iter().copied().fold(f64::INFINITY, f64::min);
            let high = values.iter().copied().fold(f64::NEG_INFINITY, f64::max);
            (low, high)
        };
        let x = range(points.iter().map(|point| point.0).collect());
        let y = range(points.iter().map(|point| point.1).collect());
        Some((self.x.padded(x), self.y.padded(y)))
    }

    /// The bounds, widened so that one unit is as long on both axes of a `width` × `height` area.
    fn frame(&self, width: f64, height: f64) -> Option<((f64, f64), (f64, f64))> {
        let (mut x, mut y) = self.bounds()?;
        if self.equal {
            let (per_x, per_y) = ((x.1 - x.0) / width, (y.1 - y.0) / height);
            let widen = |range: (f64, f64), factor: f64| {
                let (middle, half) = (0.5 * (range.0 + range.1), 0.5 * (range.1 - range.0) * factor);
                (middle - half, middle + half)
            };
            if per_x < per_y {
                x = widen(x, per_y / per_x);
            } else {
                y = widen(y, per_x / per_y);
            }
        }
        Some((x, y))
    }

    /// Whether there are axes: graphs and patterns have none.
    fn has_axes(&self) -> bool {
        !self.marks.iter().any(|mark| matches!(mark, Mark::Graph { .. } | Mark::Pattern(_)))
    }

    fn labels(&self) -> Vec<&str> {
        self.marks
            .iter()
            .map(|mark| match mark {
                Mark::Line { label, .. }
                | Mark::Scatter { label, .. }
                | Mark::Area { label, .. }
                | Mark::Grid { label, .. }
                | Mark::HeatMap { label, .. } => label.as_str(),
                Mark::Graph { .. } | Mark::Pattern(_) => "",
            })
            .collect()
    }
}
