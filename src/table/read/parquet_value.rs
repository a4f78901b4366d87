//! Values of a Parquet file as the text that CSV would have.
//!
//! A file stores integers and bytes, and says beside them what they mean: days since 1970, a decimal number, a text.
//! Newer files say it by a logical type, older ones by a converted type.

use std::fmt::Write;

use ::parquet::basic::{ConvertedType, LogicalType, TimeUnit, Type};
use ::parquet::schema::types::ColumnDescriptor;

/// What the values of a column mean.
pub(super) struct Meaning {
    form: Form,
    /// The definition level of a value that is present.
    pub level: i16,
}

#[derive(Clone, Copy)]
enum Form {
    Number,
    /// An unsigned integer of so many bits.
    Unsigned(u32),
    /// An integer over a power of ten.
    Decimal(usize),
    Half,
    Truth,
    /// Days since 1970-01-01.
    Date,
    /// A time since midnight, whose second is a power of ten.
    Time(u32),
    /// A time since 1970-01-01, whose second is a power of ten, and whether it is in universal time.
    Timestamp(u32, bool),
    Text,
}

impl Meaning {
    pub fn of(column: &ColumnDescriptor) -> Meaning {
        let form = match column.logical_type_ref() {
            Some(LogicalType::Decimal(decimal)) => Form::Decimal(decimal.scale.max(0) as usize),
            Some(LogicalType::Integer(integer)) if !integer.is_signed => {
                Form::Unsigned(integer.bit_width as u32)
            }
            Some(LogicalType::Float16) => Form::Half,
            Some(LogicalType::Date) => Form::Date,
            Some(LogicalType::Time(time)) => Form::Time(digits(time.unit)),
            Some(LogicalType::Timestamp(time)) => {
                Form::Timestamp(digits(time.unit), time.is_adjusted_to_u_t_c)
            }
            _ => Form::of_converted(column),
        };
        Meaning { form, level: column.max_def_level() }
    }

    /// Whether they are numbers.
    pub fn is_number(&self) -> bool {
        matches!(self.form, Form::Number | Form::Unsigned(_) | Form::Decimal(_) | Form::Half)
    }

    /// Writes a value that is stored as an integer.
    pub fn integer(&self, value: i64, text: &mut String) {
        match self.form {
            Form::Unsigned(64) => push(text, format_args!("{}", value as u64)),
            Form::Unsigned(_) => push(text, format_args!("{}", value as u32)),
            Form::Decimal(scale) => decimal(i128::from(value), scale, text),
            Form::Date => date(value, text),
            Form::Time(digits) => time(value, digits, text),
            Form::Timestamp(digits, universal) => {
                let day = 86_400 * 10_i64.pow(digits);
                date(value.div_euclid(day), text);
                text.push('T');
                time(value.rem_euclid(day), digits, text);
                text.push_str(if universal { "Z" } else { "" });
            }
            _ => push(text, format_args!("{value}")),
        }
    }

    /// Writes a value that is stored as bytes; those that are no text as hexadecimal digits.
    pub fn bytes(&self, value: &[u8], text: &mut String) {
        match (self.form, std::str::from_utf8(value)) {
            (Form::Decimal(scale), _) => match big_endian(value) {
                Some(number) => decimal(number, scale, text),
                None => push(text, format_args!("{:e}", large(value) / 10_f64.powi(scale as i32))),
            },
            (Form::Half, _) => push(text, format_args!("{}", half(value))),
            (_, Ok(value)) => text.push_str(value),
            _ => value.iter().for_each(|byte| push(text, format_args!("{byte:02x}"))),
        }
    }
}

impl Form {
    fn of_converted(column: &ColumnDescriptor) -> Form {
        match (column.converted_type(), column.physical_type()) {
            (ConvertedType::DECIMAL, _) => Form::Decimal(column.type_scale().max(0) as usize),
            (ConvertedType::DATE, _) => Form::Date,
            (ConvertedType::TIME_MILLIS, _) => Form::Time(3),
            (ConvertedType::TIME_MICROS, _) => Form::Time(6),
            (ConvertedType::TIMESTAMP_MILLIS, _) => Form::Timestamp(3, true),
            (ConvertedType::TIMESTAMP_MICROS, _) => Form::Timestamp(6, true),
            (ConvertedType::UINT_64, _) => Form::Unsigned(64),
            (ConvertedType::UINT_8 | ConvertedType::UINT_16 | ConvertedType::UINT_32, _) => {
                Form::Unsigned(32)
            }
            (_, Type::INT96) => Form::Timestamp(9, false),
            (_, Type::BOOLEAN) => Form::Truth,
            (_, Type::BYTE_ARRAY | Type::FIXED_LEN_BYTE_ARRAY) => Form::Text,
            (_, Type::INT32 | Type::INT64 | Type::FLOAT | Type::DOUBLE) => Form::Number,
        }
    }
}

/// The digits of a second's fraction.
fn digits(unit: TimeUnit) -> u32 {
    match unit {
        TimeUnit::MILLIS => 3,
        TimeUnit::MICROS => 6,
        TimeUnit::NANOS => 9,
    }
}

fn push(text: &mut String, value: std::fmt::Arguments<'_>) {
    text.write_fmt(value).expect("a string takes any text");
}

/// Writes number / 10^scale.
fn decimal(number: i128, scale: usize, text: &mut String) {
    let digits = format!("{:0width$}", number.unsigned_abs(), width = scale + 1);
    let (whole, part) = digits.split_at(digits.len() - scale);
    let (sign, point) = (if number < 0 { "-" } else { "" }, if scale > 0 { "." } else { "" });
    push(text, format_args!("{sign}{whole}{point}{part}"));
}

/// A number of up to sixteen bytes, from the highest to the lowest, in two's complement.
fn big_endian(bytes: &[u8]) -> Option<i128> {
    let first = *bytes.first()?;
    let start: i128 = if first >= 0x80 { -1 } else { 0 };
    (bytes.len() <= 16).then(|| bytes.iter().fold(start, |number, byte| number << 8 | i128::from(*byte)))
}

/// A number of more bytes, rounded.
fn large(bytes: &[u8]) -> f64 {
    let negative = bytes.first().is_some_and(|first| *first >= 0x80);
    let start = if negative { -1.0 } else { 0.0 };
    bytes.iter().fold(start, |number, byte| 256.0 * number + f64::from(*byte))
}

/// A number of sixteen bits, the lower ones first.
fn half(bytes: &[u8]) -> f64 {
    let bits = bytes.try_into().map_or(0, u16::from_le_bytes);
    let (exponent, fraction) = (i32::from(bits >> 10 & 31), f64::from(bits & 1023));
    let size = match exponent {
        0 => fraction * 2_f64.powi(-24),
        31 if fraction == 0.0 => f64::INFINITY,
        31 => f64::NAN,
        _ => (1024.0 + fraction) * 2_f64.powi(exponent - 25),
    };
    if bits >> 15 == 1 { -size } else { size }
}

/// Writes a day of the Gregorian calendar, by the number of days since 1970-01-01.
///
/// Years begin in March, so that the day that a leap year has more is its last one.
fn date(days: i64, text: &mut String) {
    const PERIOD: i64 = 146_097;
    let since = days + 719_468;
    let (period, day) = (since.div_euclid(PERIOD), since.rem_euclid(PERIOD));
    let year = (day - day / 1460 + day / 36_524 - day / 146_096) / 365;
    let day = day - (365 * year + year / 4 - year / 100);
    let month = (5 * day + 2) / 153;
    let day = day - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    let year = 400 * period + year + i64::from(month <= 2);
    push(text, format_args!("{year:04}-{month:02}-{day:02}"));
}

/// Writes a time of day.
fn time(since: i64, digits: u32, text: &mut String) {
    let second = 10_i64.pow(digits);
    let (seconds, fraction) = (since / second, since % second);
    let (hours, minutes) = (seconds / 3600, seconds / 60 % 60);
    push(text, format_args!("{hours:02}:{minutes:02}:{:02}", seconds % 60));
    if fraction != 0 {
        push(text, format_args!(".{fraction:0width$}", width = digits as usize));
    }
}
