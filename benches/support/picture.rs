//! The numbers of one bench as a picture, drawn as the lessons draw theirs.

use std::io;
use std::path::PathBuf;

use pushforward_course::{Picture, fit_slope};

use super::bench::Measurement;
use super::summary::{directory, write as write_file};

/// What the picture of a bench shows: time against size, both logarithmic.
pub struct Plot<'a> {
    pub title: &'a str,
    /// The picture in words.
    pub alt: &'a str,
    /// What size is.
    pub size: &'a str,
    /// Whether the sizes of a curve follow each other, to be joined by a line.
    pub joined: bool,
    /// Which curve a measurement belongs to, if it is shown.
    pub curve: fn(&Measurement) -> Option<String>,
    /// Where fitted slopes are told: the smallest size that counts.
    pub slopes: &'a [(&'a str, f64)],
}

/// A curve for each series.
pub fn by_series(measurement: &Measurement) -> Option<String> {
    Some(measurement.series.clone())
}

/// Draws it to `<bench>.svg` beside the summary; gives the path.
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
