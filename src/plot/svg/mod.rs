//! Pictures as SVG without scripts: standalone files, or parts of a page that has the style.

mod diagram;

use std::collections::BTreeMap;
use std::fmt::Write;

use super::{Mark, Picture};
use crate::typeset::html_words as escape;

/// The width of a picture and the margins around its marks, in pixels of the drawing.
struct Layout {
    width: f64,
    left: f64,
    right: f64,
    /// Space for the name of the vertical axis.
    top: f64,
    /// Space for labels and the name of the horizontal axis.
    below: f64,
    /// The height as a part of the width.
    share: f64,
    x_ticks: usize,
    y_ticks: usize,
    /// Whether it is one of several on a page that shows titles and legend.
    is_panel: bool,
}

static FULL: Layout = Layout {
    width: 640.0,
    left: 84.0,
    right: 22.0,
    top: 34.0,
    below: 74.0,
    share: 0.56,
    x_ticks: 7,
    y_ticks: 6,
    is_panel: false,
};
/// Half as wide, with text of the same size.
static PANEL: Layout = Layout {
    width: 320.0,
    left: 46.0,
    right: 14.0,
    top: 12.0,
    below: 52.0,
    share: 0.64,
    x_ticks: 4,
    y_ticks: 5,
    is_panel: true,
};
/// The width of a letter in a panel, at most.
const LETTER: f64 = 9.0;
/// Space for a title above, where the page does not show one.
const TITLE: f64 = 28.0;
const LEGEND_LINE: f64 = 26.0;

/// The style of inline pictures, light and dark.
///
/// Okabe and Ito's colours, which colour-blind readers can distinguish; each has a lighter variant for dark
/// paper. Lines also differ in their dashes, for greyscale.
pub const STYLE: &str = "\
.plot{display:block;width:100%;height:auto;font-family:ui-sans-serif,system-ui,sans-serif;font-size:14px;fill:#33312d}\
.plot .axis{stroke:#77736b;stroke-width:1;fill:none}.plot .tick{stroke:#e7e3da;stroke-width:1;fill:none}\
.plot .title,.plot .name{font-weight:600}.plot .title{font-size:16px}.plot .on,.plot .along{fill:#33312d;stroke:none}\
.plot .along{paint-order:stroke;stroke:#fffefb;stroke-width:9px}\
.c0{color:#0067a5}.c1{color:#c44e00}.c2{color:#00805c}.c3{color:#a8487f}.c4{color:#9a6a00}.c5{color:#2f87bb}\
@media(prefers-color-scheme:dark){.plot,.plot .on,.plot .along{fill:#d9d6cf}.plot .along{stroke:#17181b}.plot .axis{stroke:#8d8a84}.plot .tick{stroke:#2e3136}\
.c0{color:#5db3ea}.c1{color:#ff9452}.c2{color:#3fcfa2}.c3{color:#e39bc4}.c4{color:#e8b84b}.c5{color:#9ad2f5}}\
@media(max-width:40rem){.plot{font-size:19px}}";

/// Returns a standalone file.
pub(super) fn alone(picture: &Picture) -> String {
    let style = format!(
        "svg{{background:#fff}}{STYLE}@media(prefers-color-scheme:dark){{svg{{background:#17181b}}}}"
    );
    draw(picture, &FULL, Some(&style))
}

/// Returns a part of a page that has [`STYLE`] and shows the title itself.
pub(super) fn inline(picture: &Picture) -> String {
    draw(picture, &FULL, None)
}

/// Returns one of several small pictures on a page that has [`STYLE`] and shows titles and legend.
pub(super) fn panel(picture: &Picture) -> String {
    draw(picture, &PANEL, None)
}

/// Returns the marks alone.
pub(super) fn thumbnail(picture: &Picture) -> String {
    let (left, width) = (FULL.left, FULL.width - FULL.left - FULL.right);
    let height = 0.62 * width;
    let Some((x, y)) = picture.frame(width, height) else { return String::new() };
    let mut svg =
        format!("<svg class=\"plot\" viewBox=\"{left} 0 {width} {height:.0}\" aria-hidden=\"true\">\n");
    Frame { x, y, left, width, height, top: 0.0, layout: &FULL }.marks(&mut svg, picture);
    svg + "</svg>"
}

fn draw(picture: &Picture, layout: &'static Layout, style: Option<&str>) -> String {
    let named = |(_, label): &(usize, &str)| !label.is_empty() && !layout.is_panel;
    let labels: Vec<(usize, &str)> = picture.labels().into_iter().enumerate().filter(named).collect();
    let columns = if labels.iter().all(|(_, label)| label.chars().count() <= 22) { 2 } else { 1 };
    // A single label that repeats the title needs no legend.
    let rows = labels.len().div_ceil(columns);
    let left = layout.left + if layout.is_panel { more_for_labels(picture, layout) } else { 0.0 };
    let inner_width = layout.width - left - layout.right;
    let share = if picture.equal { 0.72 } else { layout.share };
    let patterns = picture.marks.iter().filter_map(|mark| match mark {
        Mark::Pattern(pattern) => Some(diagram::height(pattern)),
        _ => None,
    });
    let inner_height = match patterns.reduce(f64::max) {
        Some(highest) => highest,
        None if picture.has_axes() => share * inner_width,
        None => 0.42 * inner_width,
    };
    let below = if picture.has_axes() || rows > 0 { layout.below } else { 12.0 };
    let top = layout.top + if style.is_some() { TITLE } else { 0.0 };
    let height = top + inner_height + below + LEGEND_LINE * rows as f64;
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" class=\"plot\" viewBox=\"0 0 {} {height:.0}\" role=\"img\">\n\
         <title>{}</title>\n<desc>{}</desc>\n",
        layout.width,
        escape(&picture.title),
        escape(&picture.alt)
    );
    if let Some(style) = style {
        let title = escape(&picture.title);
        let _ =
            writeln!(svg, "<style>{style}</style>\n<text class=\"title\" x=\"14\" y=\"26\">{title}</text>");
    }
    let Some((x, y)) = picture.frame(inner_width, inner_height) else {
        let _ = writeln!(svg, "<text x=\"{left}\" y=\"{:.0}\">no data</text>\n</svg>", top + 20.0);
        return svg;
    };
    let frame = Frame { x, y, left, width: inner_width, height: inner_height, top, layout };
    if picture.has_axes() {
        frame.grid(&mut svg, picture);
    }
    frame.marks(&mut svg, picture);
    if picture.has_axes() {
        frame.axes(&mut svg, picture);
    }
    for (k, (number, label)) in labels.iter().enumerate() {
        let left = layout.left + (k % columns) as f64 * inner_width / columns as f64;
        let line = top + inner_height + layout.below + LEGEND_LINE * (k / columns) as f64;
        let sample = match &picture.marks[*number] {
            Mark::Line { .. } => {
                let (dash, middle) = (dash(*number), line - 5.0);
                format!(
                    "<path d=\"M{left:.0} {middle:.0}h22\" stroke=\"currentColor\" stroke-width=\"2.5\"{dash}/>"
                )
            }
            Mark::Scatter { .. } => {
                format!(
                    "<circle cx=\"{:.0}\" cy=\"{:.0}\" r=\"4\" fill=\"currentColor\"/>",
                    left + 11.0,
                    line - 5.0
                )
            }
            _ => format!(
                "<rect x=\"{left:.0}\" y=\"{:.0}\" width=\"22\" height=\"10\" rx=\"2\" fill=\"currentColor\"/>",
                line - 10.0
            ),
        };
        let _ = writeln!(
            svg,
            "<g class=\"c{}\">{sample}</g><text x=\"{:.0}\" y=\"{line:.0}\">{}</text>",
            number % 6,
            left + 30.0,
            escape(label)
        );
    }
    svg.push_str("</svg>\n");
    svg
}

/// The space that the labels of a panel's vertical axis need beyond that of four letters.
fn more_for_labels(picture: &Picture, layout: &Layout) -> f64 {
    let Some((_, y)) = picture.frame(1.0, 1.0) else { return 0.0 };
    let labels = picture.y.ticks(y, layout.y_ticks).into_iter();
    let letters = labels.map(|(_, label)| label.chars().count()).max().unwrap_or(0);
    LETTER * letters.saturating_sub(4) as f64
}

/// Lines of one picture also differ in their dashes.
fn dash(number: usize) -> &'static str {
    match number % 4 {
        0 => "",
        1 => " stroke-dasharray=\"9 5\"",
        2 => " stroke-dasharray=\"2.5 4.5\"",
        _ => " stroke-dasharray=\"12 4 2.5 4\"",
    }
}

struct Frame {
    x: (f64, f64),
    y: (f64, f64),
    left: f64,
    width: f64,
    height: f64,
    top: f64,
    layout: &'static Layout,
}

impl Frame {
    fn place(&self, x: f64, y: f64) -> (f64, f64) {
        (
            self.left + (x - self.x.0) / (self.x.1 - self.x.0) * self.width,
            self.top + (self.y.1 - y) / (self.y.1 - self.y.0) * self.height,
        )
    }

    /// Draws grid lines at the ticks, behind everything; none under densities, which would cover them.
    fn grid(&self, svg: &mut String, picture: &Picture) {
        if picture.marks.iter().any(|mark| matches!(mark, Mark::HeatMap { .. } | Mark::Grid { .. })) {
            return;
        }
        let mut path = String::new();
        for (value, _) in picture.y.ticks(self.y, self.layout.y_ticks) {
            let (_, v) = self.place(self.x.0, value);
            let _ = write!(path, "M{} {v:.1}h{:.1}", self.left, self.width);
        }
        let _ = writeln!(svg, "<path class=\"tick\" d=\"{path}\"/>");
    }

    /// The ticks of the horizontal axis; in a panel only as many as have room for their labels.
    fn x_ticks(&self, picture: &Picture) -> Vec<(f64, String)> {
        let ticks = |count: usize| picture.x.ticks(self.x, count);
        let half = |label: &str| 0.5 * LETTER * label.chars().count() as f64;
        let fit = |ticks: &Vec<(f64, String)>| {
            let ends = ticks.iter().map(|(value, label)| {
                let (u, _) = self.place(*value, self.y.0);
                (u - half(label), u + half(label))
            });
            let ends: Vec<(f64, f64)> = ends.collect();
            ends.windows(2).all(|pair| pair[0].1 < pair[1].0)
        };
        let most = self.layout.x_ticks;
        if !self.layout.is_panel {
            return ticks(most);
        }
        let mut found = (1..=most).rev().map(ticks).find(fit).unwrap_or_else(|| ticks(1));
        let right = self.left + self.width + self.layout.right;
        found.retain(|(value, label)| self.place(*value, self.y.0).0 + half(label) <= right + LETTER);
        found
    }

    fn axes(&self, svg: &mut String, picture: &Picture) {
        let (left, right, bottom) = (self.left, self.left + self.width, self.top + self.height);
        let _ = writeln!(svg, "<path class=\"axis\" d=\"M{left} {}V{bottom:.1}H{right:.1}\"/>", self.top);
        for (value, label) in self.x_ticks(picture) {
            let (u, _) = self.place(value, self.y.0);
            let _ = writeln!(
                svg,
                "<path class=\"axis\" d=\"M{u:.1} {bottom:.1}v5\"/>\
                 <text x=\"{u:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{label}</text>",
                bottom + 22.0
            );
        }
        for (value, label) in picture.y.ticks(self.y, self.layout.y_ticks) {
            let (_, v) = self.place(self.x.0, value);
            let _ = writeln!(
                svg,
                "<path class=\"axis\" d=\"M{left} {v:.1}h-5\"/>\
                 <text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"end\">{label}</text>",
                left - 9.0,
                v + 5.0
            );
        }
        let _ = writeln!(
            svg,
            "<text x=\"{:.1}\" y=\"{:.1}\" text-anchor=\"middle\">{}</text>\
             <text x=\"14\" y=\"{:.1}\">{}</text>",
            left + self.width / 2.0,
            bottom + 46.0_f64.min(self.layout.below - 9.0),
            escape(&picture.x.label),
            self.top - 14.0,
            escape(&picture.y.label)
        );
    }

    fn marks(&self, svg: &mut String, picture: &Picture) {
        for (number, mark) in picture.marks.iter().enumerate() {
            let at = |(x, y): (f64, f64)| self.place(picture.x.position(x), picture.y.position(y));
            let path = |points: &[(f64, f64)]| {
                let mut path = String::new();
                for (k, point) in points.iter().enumerate() {
                    let (u, v) = at(*point);
                    let _ = write!(path, "{}{u:.1} {v:.1}", if k == 0 { 'M' } else { 'L' });
                }
                path
            };
            let _ = write!(svg, "<g class=\"c{}\" fill=\"none\" stroke=\"currentColor\">", number % 6);
            match mark {
                Mark::Line { points, .. } => {
                    let dash = dash(number);
                    let _ = write!(svg, "<path d=\"{}\" stroke-width=\"2.2\"{dash}/>", path(points));
                    if points.len() <= 24 && !self.layout.is_panel {
                        svg.push_str(&dots(points.iter().map(|point| at(*point)), 7.0, 1.0));
                    }
                }
                Mark::Scatter { points, .. } => {
                    let (size, opacity) = if points.len() > 200 { (3.2, 0.5) } else { (6.0, 0.9) };
                    svg.push_str(&dots(points.iter().map(|point| at(*point)), size, opacity));
                }
                Mark::Area { points, .. } => {
                    if let (Some(first), Some(last)) = (points.first(), points.last()) {
                        let mut around = points.clone();
                        around.extend([(last.0, 0.0), (first.0, 0.0)]);
                        let _ = write!(
                            svg,
                            "<path d=\"{}Z\" fill=\"currentColor\" fill-opacity=\"0.25\" stroke-width=\"1.8\"/>",
                            path(&around)
                        );
                    }
                }
                Mark::Grid { lines, .. } => {
                    let all: String = lines.iter().map(|line| path(line)).collect();
                    let _ = write!(svg, "<path d=\"{all}\" stroke-width=\"1.3\"/>");
                }
                Mark::Graph { nodes, edges } => self.graph(svg, nodes, edges),
                Mark::Pattern(pattern) => {
                    let before = picture.marks[..number].iter().filter_map(|mark| match mark {
                        Mark::Pattern(before) => Some(diagram::width(before)),
                        _ => None,
                    });
                    self.pattern(svg, pattern, self.left + before.sum::<f64>());
                }
                Mark::HeatMap { x, y, columns, values, .. } => self.heat_map(svg, *x, *y, *columns, values),
            }
            svg.push_str("</g>\n");
        }
    }

    /// Draws cells of the same shade as one path, and adjacent ones as one rectangle of it.
    fn heat_map(&self, svg: &mut String, x: (f64, f64), y: (f64, f64), columns: usize, values: &[f64]) {
        const LEVELS: f64 = 24.0;
        let largest = values.iter().copied().filter(|value| value.is_finite()).fold(0.0, f64::max);
        let rows = values.len() / columns;
        if largest <= 0.0 {
            return;
        }
        let shade =
            |value: f64| if value.is_finite() { ((value / largest).sqrt() * LEVELS) as u32 } else { 0 };
        let edge_x = |j: usize| x.0 + (x.1 - x.0) * j as f64 / columns as f64;
        let edge_y = |i: usize| y.0 + (y.1 - y.0) * i as f64 / rows as f64;
        let mut levels: BTreeMap<u32, String> = BTreeMap::new();
        for i in 0..rows {
            let mut j = 0;
            while j < columns {
                let level = shade(values[i * columns + j]);
                let start = j;
                while j < columns && shade(values[i * columns + j]) == level {
                    j += 1;
                }
                // Integer coordinates: neighbours share their edges exactly, so that no gaps show between
                // them.
                let whole = |(u, v): (f64, f64)| (u.round(), v.round());
                let (u0, v1) = whole(self.place(edge_x(start), edge_y(i)));
                let (u1, v0) = whole(self.place(edge_x(j), edge_y(i + 1)));
                let _ = write!(
                    levels.entry(level).or_default(),
                    "M{u0} {v0}h{}v{}h{}z",
                    u1 - u0,
                    v1 - v0,
                    u0 - u1
                );
            }
        }
        for (level, path) in levels.into_iter().filter(|(level, _)| *level > 0) {
            let opacity = 0.9 * f64::from(level) / LEVELS;
            let _ = write!(
                svg,
                "<path d=\"{path}\" fill=\"currentColor\" fill-opacity=\"{opacity:.2}\" stroke=\"none\" \
                 shape-rendering=\"crispEdges\"/>"
            );
        }
    }
}

/// Draws points as one path of zero-length strokes, which round caps turn into discs.
fn dots(points: impl Iterator<Item = (f64, f64)>, size: f64, opacity: f64) -> String {
    let path: String = points.map(|(u, v)| format!("M{u:.1} {v:.1}h0")).collect();
    format!(
        "<path d=\"{path}\" stroke-width=\"{size}\" stroke-linecap=\"round\" stroke-opacity=\"{opacity}\"/>"
    )
}
