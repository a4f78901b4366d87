//! Pictures: their content, separate from how they are drawn.
//!
//! A [`Picture`] holds marks in data coordinates. `text.rs` draws it with Unicode dots for a terminal,
//! `svg/` as an SVG for a page; both are deterministic. Points that are not finite are omitted and counted.
//!
//! ```
//! use pushforward::plot::Picture;
//!
//! let curve = (0..50).map(|k| (f64::from(k) / 10.0, (f64::from(k) / 10.0).sin())).collect();
//! let picture = Picture::new("A wave", "The sine from 0 to 5").axes("x", "sin x").line("", curve);
//! assert!(picture.to_svg().starts_with("<svg xmlns="));
//! ```

mod axis;
mod svg;
mod text;

pub use svg::STYLE;

use axis::Axis;

/// A mark of a picture.
#[derive(Clone, Debug)]
enum Mark {
    /// Points joined by a line.
    Line { label: String, points: Vec<(f64, f64)> },
    /// Points by themselves.
    Scatter { label: String, points: Vec<(f64, f64)> },
    /// The area between a curve and zero.
    Area { label: String, points: Vec<(f64, f64)> },
    /// Several lines of one kind, such as a deformed grid.
    Grid { label: String, lines: Vec<Vec<(f64, f64)>> },
    /// The non-zero entries of a matrix.
    Pattern(Pattern),
    /// Nodes with labels of one or two lines, and labelled arrows from left to right.
    Graph { nodes: Vec<((f64, f64), String)>, edges: Vec<(usize, usize, String)> },
    /// Values over a rectangle, row by row from below: a density.
    HeatMap { label: String, x: (f64, f64), y: (f64, f64), columns: usize, values: Vec<f64> },
}

/// The non-zero entries of a matrix, by rows.
#[derive(Clone, Debug)]
struct Pattern {
    name: String,
    rows: Vec<String>,
    columns: Vec<String>,
    cells: Vec<bool>,
}

/// Marks with axes, a title and a description for blind readers.
#[derive(Clone, Debug)]
pub struct Picture {
    title: String,
    alt: String,
    x: Axis,
    y: Axis,
    equal: bool,
    within: Option<((f64, f64), (f64, f64))>,
    marks: Vec<Mark>,
    left_out: usize,
}

impl Picture {
    /// Builds a picture without marks; `alt` describes the picture in words.
    pub fn new(title: impl Into<String>, alt: impl Into<String>) -> Picture {
        Picture {
            title: title.into(),
            alt: alt.into(),
            x: Axis::new(""),
            y: Axis::new(""),
            equal: false,
            within: None,
            marks: Vec::new(),
            left_out: 0,
        }
    }

    /// Sets the names of the axes.
    pub fn axes(mut self, x: &str, y: &str) -> Picture {
        (self.x.label, self.y.label) = (x.to_string(), y.to_string());
        self
    }

    /// Makes both axes logarithmic, to base 10; points that are not positive are omitted.
    pub fn log_log(mut self) -> Picture {
        (self.x.logarithmic, self.y.logarithmic) = (true, true);
        self
    }

    /// Makes the horizontal axis logarithmic, to base 10; points that are not positive are omitted.
    pub fn log_x(mut self) -> Picture {
        self.x.logarithmic = true;
        self
    }

    /// Makes the vertical axis logarithmic, to base 10; points that are not positive are omitted.
    pub fn log_y(mut self) -> Picture {
        self.y.logarithmic = true;
        self
    }

    /// Shows these ranges, whatever the marks are, so that several pictures can be compared; points outside are
    /// omitted. For a logarithmic axis both ends are positive.
    pub fn within(mut self, x: (f64, f64), y: (f64, f64)) -> Picture {
        self.within = Some((x, y));
        self
    }

    /// Makes one unit equally long on both axes.
    pub fn equal_aspect(mut self) -> Picture {
        self.equal = true;
        self
    }

    /// Adds points joined by a line.
    pub fn line(mut self, label: &str, points: Vec<(f64, f64)>) -> Picture {
        let points = self.finite(points);
        self.marks.push(Mark::Line { label: label.to_string(), points });
        self
    }

    /// Adds separate points.
    pub fn scatter(mut self, label: &str, points: Vec<(f64, f64)>) -> Picture {
        let points = self.finite(points);
        self.marks.push(Mark::Scatter { label: label.to_string(), points });
        self
    }

    /// Adds the area between a curve and zero.
    pub fn area(mut self, label: &str, points: Vec<(f64, f64)>) -> Picture {
        let points = self.finite(points);
        self.marks.push(Mark::Area { label: label.to_string(), points });
        self
    }

    /// Adds several lines of one kind.
    pub fn grid(mut self, label: &str, lines: Vec<Vec<(f64, f64)>>) -> Picture {
        let lines = lines.into_iter().map(|line| self.finite(line)).collect();
        self.marks.push(Mark::Grid { label: label.to_string(), lines });
        self
    }

    /// Adds a graph without axes: nodes at places of a unit grid, each with a label of one or two lines, and
    /// arrows with labels between nodes given by their numbers. Arrows must point from left to right.
    ///
    /// # Panics
    /// When an arrow refers to a node that does not exist.
    pub fn graph(mut self, nodes: Vec<((f64, f64), String)>, edges: Vec<(usize, usize, String)>) -> Picture {
        assert!(edges.iter().all(|(from, to, _)| *from.max(to) < nodes.len()), "an arrow leads to no node");
        self.marks.push(Mark::Graph { nodes, edges });
        self
    }

    /// Adds the non-zero entries of a matrix, with names of rows and columns; several patterns are drawn side
    /// by side.
    ///
    /// # Panics
    /// When the number of entries does not match the rows and columns.
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

    /// Adds values over the rectangle `x` × `y`, row by row from below, `columns` in a row.
    ///
    /// # Panics
    /// When the last row is incomplete.
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

    /// Draws the picture for a terminal, `width` columns wide and about `height` lines high.
    pub fn to_text(&self, width: usize, height: usize) -> String {
        text::draw(self, width, height)
    }

    /// Draws the picture as a standalone SVG; light and dark follow the reader's setting.
    pub fn to_svg(&self) -> String {
        svg::alone(self)
    }

    /// Draws the picture as part of a page that has the [`STYLE`] and shows the title as a caption.
    pub fn to_inline_svg(&self) -> String {
        svg::inline(self)
    }

    /// Draws the picture half as large, without a legend, for a row of pictures on a page that has the [`STYLE`] and
    /// shows titles and the legend.
    pub fn to_panel_svg(&self) -> String {
        svg::panel(self)
    }

    /// Draws the marks alone, as a thumbnail beside a link; it needs no description.
    pub fn to_thumbnail(&self) -> String {
        svg::thumbnail(self)
    }

    /// The title.
    pub fn title(&self) -> &str {
        &self.title
    }

    fn finite(&mut self, points: Vec<(f64, f64)>) -> Vec<(f64, f64)> {
        let before = points.len();
        let (x_log, y_log) = (self.x.logarithmic, self.y.logarithmic);
        let fits = |value: f64, logarithmic: bool| value.is_finite() && (!logarithmic || value > 0.0);
        let shown = |(x, y): &(f64, f64)| match self.within {
            Some((columns, rows)) => (columns.0..=columns.1).contains(x) && (rows.0..=rows.1).contains(y),
            None => true,
        };
        let kept: Vec<_> = points
            .into_iter()
            .filter(|point| fits(point.0, x_log) && fits(point.1, y_log) && shown(point))
            .collect();
        self.left_out += before - kept.len();
        kept
    }

    /// Returns the bounding rectangle of all marks with a margin; `None` when there are none.
    fn bounds(&self) -> Option<((f64, f64), (f64, f64))> {
        if let Some((x, y)) = self.within {
            return Some((self.x.padded(x), self.y.padded(y)));
        }
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
                // Labels need room around their nodes.
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

    /// Returns the bounds, widened so that one unit is equally long on both axes of a `width` × `height`
    /// area.
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

    /// Returns whether there are axes: graphs and patterns have none.
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
