//! Pictures as SVG: one file, no scripts, light and dark.

use std::fmt::Write;

use super::{Mark, Picture};

const WIDTH: f64 = 640.0;
const LEFT: f64 = 66.0;
const RIGHT: f64 = 18.0;
const TOP: f64 = 46.0;
const BELOW: f64 = 64.0;
/// Okabe and Ito's colours, which colour-blind readers can tell apart; grey tells them apart too.
const COLOURS: [&str; 6] = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9"];

const STYLE: &str = "\
svg{background:#fff;font-family:system-ui,sans-serif;font-size:12px;fill:#222}\
.axis{stroke:#444;stroke-width:1;fill:none}.tick{stroke:#e4e4e4;stroke-width:1}\
.title{font-size:15px;font-weight:600}\
@media(prefers-color-scheme:dark){svg{background:#161a1f;fill:#ddd}.axis{stroke:#aaa}.tick{stroke:#2b3138}}";

pub(super) fn draw(picture: &Picture) -> String {
    let labels: Vec<(usize, &str)> =
        picture.labels().into_iter().enumerate().filter(|(_, label)| !label.is_empty()).collect();
    let legend_rows = labels.len().div_ceil(2);
    let inner_width = WIDTH - LEFT - RIGHT;
    let inner_height = if picture.equal { 0.72 * inner_width } else { 0.56 * inner_width };
    let height = TOP + inner_height + BELOW + 20.0 * legend_rows as f64;
    let mut svg = String::new();
    let _ = write!(
        svg,
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height:.0}\" role=\"img\">\n\
         <title>{}</title>\n<desc>{}</desc>\n<style>{STYLE}</style>\n\
         <text class=\"title\" x=\"{LEFT}\" y=\"26\">{}</text>\n",
        escaped(&picture.title),
        escaped(&picture.alt),
        escaped(&picture.title)
    );
    let Some((x, y)) = picture.frame(inner_width, inner_height) else {
        let _ = writeln!(svg, "<text x=\"{LEFT}\" y=\"{:.0}\">no data</text>\n</svg>", TOP + 20.0);
        return svg;
    };
    let frame = Frame { x, y, width: inner_width, height: inner_height };
    frame.marks(&mut svg, picture);
    frame.axes(&mut svg, picture);
    for (row, (number, label)) in labels.iter().enumerate() {
        let left = LEFT + if row % 2 == 0 { 0.0 } else { inner_width / 2.0 };
        let top = TOP + inner_height + BELOW + 20.0 * (row / 2) as f64;
        let _ = writeln!(
            svg,
            "<rect x=\"{left:.0}\" y=\"{:.0}\" width=\"18\" height=\"8\" rx=\"2\" fill=\"{}\"/>\
             <text x=\"{:.0}\" y=\"{top:.0}\">{}</text>",
            top - 9.0,
            colour(*number),
            left + 26.0,
            escaped(label)
        );
    }
    svg.push_str("</svg>\n");
    svg
}

fn colour(number: usize) -> &'static str {
    COLOURS[number % COLOURS.len()]
}

fn escaped(text: &str) -> String {
    text.replace('&', "&amp;").replace('<', "&lt;").replace('>', "&gt;").replace('"', "&quot;")
}

struct Frame {
    x: (f64, f64),
    y: (f64, f64),
    width: f64,
    height: f64,
}

impl Frame {
    fn place(&self, x: f64, y: f64) -> (f64, f64) {
        (
            LEFT + (x - self.x.0) / (self.x.1 - self.x.0) * self.width,
            TOP + (self.y.1 - y) / (self.y.1 - self.y.0) * self.height,
        )
    }

    fn axes(&self, svg: &mut String, picture: &Picture) {
        let (right, bottom) = (LEFT + self.width, TOP + self.height);
        let _ = writeln!(svg, "<path class=\"axis\" d=\"M{LEFT} {TOP}V{bottom:.2}H{right:.2}\"/>");
        for (value, label) in picture.x.ticks(self.x, 8) {
            let (u, _) = self.place(value, self.y.0);
            let _ = writeln!(
                svg,
                "<path class=\"axis\" d=\"M{u:.2} {bottom:.2}v5\"/>\
                 <text x=\"{u:.2}\" y=\"{:.2}\" text-anchor=\"middle\">{label}</text>",
                bottom + 18.0
            );
        }
        for (value, label) in picture.y.ticks(self.y, 6) {
            let (_, v) = self.place(self.x.0, value);
            let _ = writeln!(
                svg,
                "<path class=\"axis\" d=\"M{LEFT} {v:.2}h-5\"/>\
                 <text x=\"{:.2}\" y=\"{:.2}\" text-anchor=\"end\">{label}</text>",
                LEFT - 9.0,
                v + 4.0
            );
        }
        let _ = writeln!(
            svg,
            "<text x=\"{:.2}\" y=\"{:.2}\" text-anchor=\"middle\">{}</text>\
             <text x=\"{LEFT}\" y=\"{:.2}\" text-anchor=\"middle\">{}</text>",
            LEFT + self.width / 2.0,
            bottom + 36.0,
            escaped(&picture.x.label),
            TOP - 6.0,
            escaped(&picture.y.label)
        );
    }

    fn marks(&self, svg: &mut String, picture: &Picture) {
        for (number, mark) in picture.marks.iter().enumerate() {
            let colour = colour(number);
            let at = |(x, y): (f64, f64)| self.place(picture.x.position(x), picture.y.position(y));
            let path = |points: &[(f64, f64)]| {
                let mut path = String::new();
                for (k, point) in points.iter().enumerate() {
                    let (u, v) = at(*point);
                    let _ = write!(path, "{}{u:.2} {v:.2}", if k == 0 { 'M' } else { 'L' });
                }
                path
            };
            match mark {
                Mark::Line { points, .. } => {
                    let _ = writeln!(
                        svg,
                        "<path d=\"{}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"2\"/>",
                        path(points)
                    );
                    if points.len() <= 24 {
                        points.iter().for_each(|point| self.disc(svg, at(*point), 3.0, colour, 1.0));
                    }
                }
                Mark::Scatter { points, .. } => {
                    let (size, opacity) = if points.len() > 200 { (1.6, 0.45) } else { (3.0, 0.9) };
                    points.iter().for_each(|point| self.disc(svg, at(*point), size, colour, opacity));
                }
                Mark::Area { points, .. } => {
                    let (Some(first), Some(last)) = (points.first(), points.last()) else { continue };
                    let mut around = points.clone();
                    around.extend([(last.0, 0.0), (first.0, 0.0)]);
                    let _ = writeln!(
                        svg,
                        "<path d=\"{}Z\" fill=\"{colour}\" fill-opacity=\"0.25\" stroke=\"{colour}\" \
                         stroke-width=\"1.5\"/>",
                        path(&around)
                    );
                }
                Mark::Grid { lines, .. } => {
                    let all: String = lines.iter().map(|line| path(line)).collect();
                    let _ = writeln!(
                        svg,
                        "<path d=\"{all}\" fill=\"none\" stroke=\"{colour}\" stroke-width=\"1.2\"/>"
                    );
                }
                Mark::HeatMap { x, y, columns, values, .. } => {
                    self.heat_map(svg, *x, *y, *columns, values, colour);
                }
            }
        }
    }

    fn disc(&self, svg: &mut String, (u, v): (f64, f64), size: f64, colour: &str, opacity: f64) {
        let _ = writeln!(
            svg,
            "<circle cx=\"{u:.2}\" cy=\"{v:.2}\" r=\"{size}\" fill=\"{colour}\" fill-opacity=\"{opacity}\"/>"
        );
    }

    /// Cells of one shade beside each other are one rectangle.
    fn heat_map(
        &self,
        svg: &mut String,
        x: (f64, f64),
        y: (f64, f64),
        columns: usize,
        values: &[f64],
        colour: &str,
    ) {
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
        for i in 0..rows {
            let mut j = 0;
            while j < columns {
                let level = shade(values[i * columns + j]);
                let start = j;
                while j < columns && shade(values[i * columns + j]) == level {
                    j += 1;
                }
                if level == 0 {
                    continue;
                }
                // Whole units: neighbours share their edges exactly, so that no seam shows between them.
                let whole = |(u, v): (f64, f64)| (u.round(), v.round());
                let (u0, v1) = whole(self.place(edge_x(start), edge_y(i)));
                let (u1, v0) = whole(self.place(edge_x(j), edge_y(i + 1)));
                let _ = writeln!(
                    svg,
                    "<rect x=\"{u0}\" y=\"{v0}\" width=\"{}\" height=\"{}\" fill=\"{colour}\" \
                     fill-opacity=\"{:.2}\" shape-rendering=\"crispEdges\"/>",
                    u1 - u0,
                    v1 - v0,
                    f64::from(level) / LEVELS
                );
            }
        }
    }
}
