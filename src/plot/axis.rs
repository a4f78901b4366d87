//! Axes: scales, ticks at round numbers, and labels.

/// An axis.
#[derive(Clone, Debug)]
pub(super) struct Axis {
    pub label: String,
    pub logarithmic: bool,
}

impl Axis {
    pub fn new(label: &str) -> Axis {
        Axis { label: label.to_string(), logarithmic: false }
    }

    /// Returns the position of a value: itself, or its logarithm.
    pub fn position(&self, value: f64) -> f64 {
        if self.logarithmic { value.log10() } else { value }
    }

    /// Returns a range of values as positions, with a margin on either side.
    pub fn padded(&self, (low, high): (f64, f64)) -> (f64, f64) {
        let (low, high) = (self.position(low), self.position(high));
        let room = if high > low { 0.04 * (high - low) } else { 0.5 * low.abs().max(1.0) };
        (low - room, high + room)
    }

    /// Returns positions of ticks and their labels, about `count` at most.
    pub fn ticks(&self, (low, high): (f64, f64), count: usize) -> Vec<(f64, String)> {
        if self.logarithmic {
            let (first, last) = (low.ceil() as i32, high.floor() as i32);
            let step = ((last - first) / count.max(1) as i32 + 1).max(1);
            let whole = (first..=last).filter(|exponent| exponent.rem_euclid(step) == 0);
            return whole.map(|exponent| (f64::from(exponent), power_of_ten(exponent))).collect();
        }
        let step = nice_step((high - low) / count.max(1) as f64);
        let places = (-step.log10().floor()).max(0.0) as usize;
        let (first, last) = ((low / step).ceil() as i64, (high / step).floor() as i64);
        (first..=last)
            .map(|k| {
                let value = k as f64 * step;
                let label = match value.abs() >= 1e6 {
                    // As many digits as tell one tick from the next.
                    true => {
                        let digits =
                            (value.abs().log10().floor() - step.log10().floor()).clamp(0.0, 12.0) as usize;
                        format!("{value:.digits$e}")
                    }
                    false => format!("{value:.places$}"),
                };
                (value, label)
            })
            .collect()
    }
}

/// Returns 1, 2 or 5 times a power of ten, not below `least`.
fn nice_step(least: f64) -> f64 {
    let power = 10f64.powf(least.log10().floor());
    let factor = [1.0, 2.0, 5.0, 10.0].into_iter().find(|factor| factor * power >= least * (1.0 - 1e-9));
    factor.unwrap_or(10.0) * power
}

fn power_of_ten(exponent: i32) -> String {
    const DIGITS: [char; 10] = ['⁰', '¹', '²', '³', '⁴', '⁵', '⁶', '⁷', '⁸', '⁹'];
    if exponent == 0 {
        return "1".to_string();
    }
    let sign = if exponent < 0 { "⁻" } else { "" };
    let digits = exponent.unsigned_abs().to_string();
    let digits: String = digits.bytes().map(|digit| DIGITS[usize::from(digit - b'0')]).collect();
    if exponent == 1 { "10".to_string() } else { format!("10{sign}{digits}") }
}
