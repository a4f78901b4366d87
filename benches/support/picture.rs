//! The results of one bench as a picture, drawn like those of the lessons.

use std::io;
use std::path::PathBuf;

use pushforward_course::{Picture, fit_slope};

use super::bench::Measurement;
use super::summary::{directory, write as write_file};

/// The layout of a bench's picture: time against size, both logarithmic.
pub struct Plot<'a> {
    pub title: &'a str,
    /// A description of the picture.
    pub alt: &'a str,
    /// The quantity on the size axis.
    pub size: &'a str,
    /// Whether the sizes of a curve are successive, to be joined by a line.
    pub joined: bool,
    /// The curve that a measurement belongs to, if it is shown.
    pub curve: fn(&Measurement) -> Option<String>,
    /// The smallest size from which slopes are fitted.
    pub slopes: &'a [(&'a str, f64)],
}

/// A curve for each series.
pub fn by_series(measurement: &Measurement) -> Option<String> {
    Some(measurement.series.clone())
}

/// Draws it to `<bench>.svg` beside the summary; returns the path.
pub fn write(bench: &str, plot: &Plot, measurements: &[Measurement]) -> io::Result<PathBuf> {
    let path = directory().join(format!("{bench}.svg"));
    write_file(&path, &draw(plot, measurements).to_svg())?;
    Ok(path)
}

fn draw(plot: &Plot, measurements: &[Measurement]) -> Picture {
    let mut curves: Vec<(String, Vec<(f64, f64)>)> = Vec::new();
    for measurement in measurements.iter().filter(|m| m.size.is_finite()) {
        let Some(label) = (plot.curve)(measurement) else { continue };
        let point = (measurement.size, measurement.seconds);
        match curves.iter_mut().find(|(known, _)| *known == label) {
            Some((_, points)) => points.push(point),
            None => curves.push((label, vec![point])),
        }
    }
    let mut picture = Picture::new(plot.title, plot.alt).axes(plot.size, "seconds").log_log();
    for (label, mut points) in curves {
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let least = plot.slopes.iter().find(|(named, _)| *named == label).map(|(_, least)| *least);
        let large: Vec<_> =
            points.iter().copied().filter(|point| least.is_some_and(|l| point.0 >= l)).collect();
        let (slope, _) = fit_slope(&large);
        let label = if slope.is_finite() { format!("{label}, slope {slope:.2}") } else { label };
        picture = if plot.joined { picture.line(&label, points) } else { picture.scatter(&label, points) };
    }
    picture
}
