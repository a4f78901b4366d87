//! Columns that may be circular. A range of 360 does not make an angle, so this is never assumed, only said.

use super::summary::Summary;
use crate::table::kind::Kind;

/// Words in names of angles.
const ANGLES: [&str; 12] = [
    "angle",
    "direction",
    "heading",
    "azimuth",
    "bearing",
    "longitude",
    "course",
    "phase",
    "orientation",
    "dir",
    "lon",
    "wd",
];

/// The circular kind that a column's name and range suggest.
pub(super) fn suggestion(name: &str, summary: &Summary) -> Option<Kind> {
    let (min, max) = (summary.min(), summary.max());
    let within = |start: f64, end: f64| start <= min && max <= end && max - min > 0.5 * (end - start);
    let circle = |start: f64, period: f64| Some(Kind::Circular { start, period });
    let name = name.to_lowercase();
    let words: Vec<&str> = name.split(|sign: char| !sign.is_alphanumeric()).collect();
    let has = |word: &&str| words.contains(word);
    if ["day_of_year", "dayofyear", "yearday", "doy"].iter().any(|known| name.contains(known)) {
        return within(0.0, 366.0).then_some(Kind::Circular { start: 0.0, period: 365.25 });
    }
    match () {
        () if has(&"hour") && within(0.0, 24.0) => circle(0.0, 24.0),
        () if has(&"month") && within(1.0, 12.0) => circle(0.0, 12.0),
        () if has(&"weekday") && within(0.0, 7.0) => circle(0.0, 7.0),
        () if has(&"minute") && within(0.0, 60.0) => circle(0.0, 60.0),
        () if ANGLES.iter().any(has) => {
            let turn = std::f64::consts::TAU;
            // The smallest circle that holds the values and that they fill.
            let circles = [(-turn / 2.0, turn), (0.0, turn), (-180.0, 360.0), (0.0, 360.0)].into_iter();
            let mut fitting = circles.filter(|(start, period)| within(*start, start + period));
            fitting.next().and_then(|(start, period)| circle(start, period))
        }
        () => {
            // Without a name that says so, a column that fills 0 to 360 evenly.
            let quarter = |share: f64, at: f64| (summary.quantile(share) - at).abs() < 20.0;
            let fills = (0.0..5.0).contains(&min) && (355.0..=360.0).contains(&max);
            let even = quarter(0.25, 90.0) && quarter(0.5, 180.0) && quarter(0.75, 270.0);
            (fills && even && summary.rows >= 50).then_some(Kind::Circular { start: 0.0, period: 360.0 })
        }
    }
}
