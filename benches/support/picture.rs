//! The numbers of one bench as a picture, drawn as the lessons draw theirs.

use std::io;
use std::path::PathBuf;

use pushforward::lesson::{Picture, fit_slope};

use super::bench::Measurement;
use super::summary::{directory, write as write_file};

/// What the picture of a bench shows: time against size, both logarithmic.
pub struct Plot<'a> {
    pub title: &'a str,
    /// The picture in words.
    pub alt: &'a str,
    /// What size is.
    pub size: &'a str,
    /// Whether the sizes of a series follow each other, to be joined by a line.
    pub joined: bool,
    /// Series that are left out.
    pub without: &'a [&'a str],
    /// Series whose fitted slope is told, and the smallest size that counts.
    pub slopes: &'a [(&'a str, f64)],
}

/// Draws it to `<bench>.svg` beside the summary; gives the path.
pub fn write(bench: &str, plot: &Plot, measurements: &[Measurement]) -> io::Result<PathBuf> {
    let path = directory().join(format!("{bench}.svg"));
    write_file(&path, &draw(plot, measurements).to_svg())?;
    Ok(path)
}

fn draw(plot: &Plot, measurements: &[Measurement]) -> Picture {
    let mut picture = Picture::new(plot.title, plot.alt).axes(plot.size, "seconds").log_log();
    let mut drawn: Vec<&str> = Vec::new();
    for series in measurements.iter().map(|m| m.series.as_str()) {
        if drawn.contains(&series) || plot.without.contains(&series) {
            continue;
        }
        drawn.push(series);
        let own = measurements.iter().filter(|m| m.series == series && m.size.is_finite());
        let mut points: Vec<(f64, f64)> = own.map(|m| (m.size, m.seconds)).collect();
        points.sort_by(|a, b| a.0.total_cmp(&b.0));
        let label = match plot.slopes.iter().find(|(named, _)| *named == series) {
            Some((_, least)) => {
                let large: Vec<_> = points.iter().copied().filter(|point| point.0 >= *least).collect();
                format!("{series}, slope {:.2}", fit_slope(&large).0)
            }
            None => series.to_string(),
        };
        picture = if plot.joined { picture.line(&label, points) } else { picture.scatter(&label, points) };
    }
    picture
}
