//! Dates and times, by their form.

/// Whether a text is a date, a time, or both: 2012-01-31, 31.1.2012, 1/31/12, 2012-01-31T10:00:00Z, 10:15.
pub(super) fn is_date(text: &str) -> bool {
    let text = text.trim();
    let (date, time) = match text.split_once(['T', ' ']) {
        Some((date, time)) => (date, Some(time)),
        None => (text, None),
    };
    match time {
        None => is_day(date) || is_time(date),
        Some(time) => is_day(date) && is_time(time),
    }
}

/// Three numbers with one sign between them, one of which can be a day and one a month.
fn is_day(text: &str) -> bool {
    ['-', '/', '.'].into_iter().any(|sign| {
        let parts: Vec<&str> = text.split(sign).collect();
        let numbers: Vec<u32> = parts.iter().filter_map(|part| part.parse().ok()).collect();
        let [first, second, third] = numbers[..] else { return false };
        let lengths = parts.iter().all(|part| (1..=4).contains(&part.len()));
        let day_and_month =
            |a: u32, b: u32| (1..=31).contains(&a) && (1..=31).contains(&b) && (a <= 12 || b <= 12);
        parts.len() == 3 && lengths && (day_and_month(second, third) || day_and_month(first, second))
    })
}

/// Two or three numbers with colons between them, with what may follow: a fraction, a zone, am or pm.
fn is_time(text: &str) -> bool {
    let parts: Vec<&str> = text.splitn(3, ':').collect();
    let number = |part: &str, most: u32| {
        let digits = part.chars().take_while(char::is_ascii_digit).count();
        (1..=2).contains(&digits) && part[..digits].parse::<u32>().is_ok_and(|number| number <= most)
    };
    let plain = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit());
    parts.len() >= 2
        && plain(parts[0])
        && number(parts[0], 24)
        && number(parts[1], 59)
        && parts.get(2).is_none_or(|part| number(part, 60))
}
