//! DATE and DATETIME text: a wall clock's digits, in the forms that people and programs write them.
//!
//! | form | example |
//! | --- | --- |
//! | standard | `2024-01-02`, `2024-01-02 03:04:05.678901`, `2024-01-02T03:04` |
//! | other separators, single digits | `2024/1/2 3:4:5`, `24.1.2` |
//! | compact | `20240102`, `240102`, `20240102030405`, `240102030405`, `20240102T030405` |
//!
//! Years of two digits are 1970 to 2069. White space around is ignored. A fraction is cut after 6 digits. A zone after
//! a time (`Z`, `+08:00`, ` UTC`, `[Europe/Vienna]`) is dropped: the digits are stored as they stand. Epoch numbers are
//! no dates; a few of 8, 12 or 14 digits look like compact ones and are taken for such.

/// A moment of a wall clock.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Moment {
    /// Days since 1970-01-01.
    days: i32,
    /// Microseconds since midnight.
    micros: i64,
}

impl Moment {
    /// Days since 1970-01-01; the time of day is dropped.
    pub(super) fn days(self) -> i32 {
        self.days
    }

    /// Microseconds since 1970-01-01 00:00:00 of the same clock.
    pub(super) fn micros(self) -> i64 {
        i64::from(self.days) * MICROS_PER_DAY + self.micros
    }
}

const MICROS_PER_DAY: i64 = 86_400_000_000;

/// Reads a moment; `None` if the text is none, or the calendar has no such day or the day no such time.
pub(super) fn read(text: &str) -> Option<Moment> {
    let bytes = text.trim_ascii().as_bytes();
    read_standard(bytes).or_else(|| read_compact(bytes)).or_else(|| read_separated(bytes))
}

/// `YYYY-MM-DD`, alone or with `HH:MM:SS` and perhaps a fraction and `Z`: what nearly all programs write.
pub(super) fn read_standard(bytes: &[u8]) -> Option<Moment> {
    let (date, rest) = bytes.split_first_chunk::<10>()?;
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *date else {
        return None;
    };
    let (year, month, day) = (pair(y1, y2)? * 100 + pair(y3, y4)?, pair(m1, m2)?, pair(d1, d2)?);
    let Some((time, rest)) = rest.split_first_chunk::<9>() else {
        return if rest.is_empty() { moment([year, month, day, 0, 0, 0], 0) } else { None };
    };
    let [b'T' | b' ', h1, h2, b':', i1, i2, b':', s1, s2] = *time else {
        return None;
    };
    let fields = [year, month, day, pair(h1, h2)?, pair(i1, i2)?, pair(s1, s2)?];
    moment(fields, read_fraction_and_zone(rest)?)
}

/// Digits only, by their count; a `T` may stand before the time.
fn read_compact(bytes: &[u8]) -> Option<Moment> {
    let (date, rest) = split_digits(bytes);
    let (date, time, rest) = match (date.len(), rest.split_first()) {
        (6 | 8, Some((b'T' | b't', rest))) => {
            let (time, rest) = split_digits(rest);
            (date, time, rest)
        }
        (6 | 8, None) => (date, &b"000000"[..], rest),
        (12, _) => (date.get(..6)?, date.get(6..)?, rest),
        (14, _) => (date.get(..8)?, date.get(8..)?, rest),
        _ => return None,
    };
    let (year, month_and_day) = match date.len() {
        6 => (full_year(pair(*date.first()?, *date.get(1)?)?), date.get(2..)?),
        _ => (pair(*date.first()?, *date.get(1)?)? * 100 + pair(*date.get(2)?, *date.get(3)?)?, date.get(4..)?),
    };
    let [m1, m2, d1, d2] = *month_and_day else {
        return None;
    };
    let [h1, h2, i1, i2, s1, s2] = *time else {
        return None;
    };
    let fields = [year, pair(m1, m2)?, pair(d1, d2)?, pair(h1, h2)?, pair(i1, i2)?, pair(s1, s2)?];
    moment(fields, read_fraction_and_zone(rest)?)
}

/// Fields apart by any punctuation, one digit or two each, the year two or four; hour, minute and second may be absent
/// from the end.
fn read_separated(bytes: &[u8]) -> Option<Moment> {
    let (year_digits, bytes) = split_digits(bytes);
    let year = match *year_digits {
        [y1, y2] => full_year(pair(y1, y2)?),
        [y1, y2, y3, y4] => pair(y1, y2)? * 100 + pair(y3, y4)?,
        _ => return None,
    };
    let (month, bytes) = short_field(after_punctuation(bytes)?)?;
    let (day, bytes) = short_field(after_punctuation(bytes)?)?;
    if bytes.is_empty() {
        return moment([year, month, day, 0, 0, 0], 0);
    }
    let time = match bytes.split_first()? {
        (b'T' | b't', rest) => rest,
        (b' ', rest) => rest.trim_ascii_start(),
        _ => return None,
    };
    let (hour, bytes) = short_field(time)?;
    let Some((minute, bytes)) = after_time_separator(bytes).and_then(short_field) else {
        return if bytes.is_empty() { moment([year, month, day, hour, 0, 0], 0) } else { None };
    };
    let Some((second, bytes)) = after_time_separator(bytes).and_then(short_field) else {
        return is_zone(bytes).then(|| moment([year, month, day, hour, minute, 0], 0)).flatten();
    };
    moment([year, month, day, hour, minute, second], read_fraction_and_zone(bytes)?)
}

fn after_punctuation(bytes: &[u8]) -> Option<&[u8]> {
    bytes.split_first().filter(|(byte, _)| byte.is_ascii_punctuation()).map(|(_, rest)| rest)
}

/// As after a date's field, but `+` and `-` begin a zone here, and brackets surround one.
fn after_time_separator(bytes: &[u8]) -> Option<&[u8]> {
    if matches!(bytes, [b'+' | b'-' | b'[' | b'(', ..]) { None } else { after_punctuation(bytes) }
}

/// One digit or two.
fn short_field(bytes: &[u8]) -> Option<(u32, &[u8])> {
    let (digits, rest) = split_digits(bytes);
    match *digits {
        [one] => Some((u32::from(one - b'0'), rest)),
        [one, two] => Some((pair(one, two)?, rest)),
        _ => None,
    }
}

/// Microseconds of a fraction, if there is one; then perhaps a zone.
fn read_fraction_and_zone(bytes: &[u8]) -> Option<i64> {
    let Some((b'.', rest)) = bytes.split_first() else {
        return is_zone(bytes).then_some(0);
    };
    let (digits, rest) = split_digits(rest);
    if digits.is_empty() || !is_zone(rest) {
        return None;
    }
    let digit_at = |place: usize| digits.get(place).map_or(0, |digit| i64::from(digit - b'0'));
    Some((0..6).fold(0, |micros, place| micros * 10 + digit_at(place)))
}

/// Nothing, or what may name a zone or a distance from UTC.
fn is_zone(bytes: &[u8]) -> bool {
    match bytes.trim_ascii_start() {
        [] => true,
        [b'A'..=b'Z' | b'a'..=b'z' | b'+' | b'-' | b'[' | b'(', rest @ ..] => {
            rest.iter().all(|byte| byte.is_ascii_alphanumeric() || b" +-:/_[]()".contains(byte))
        }
        _ => false,
    }
}

fn split_digits(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(bytes.len());
    bytes.split_at_checked(end).unwrap_or((bytes, &[]))
}

/// The number that two digits make.
fn pair(tens: u8, ones: u8) -> Option<u32> {
    let (tens, ones) = (tens.wrapping_sub(b'0'), ones.wrapping_sub(b'0'));
    (tens <= 9 && ones <= 9).then(|| u32::from(tens) * 10 + u32::from(ones))
}

fn full_year(short: u32) -> u32 {
    if short >= 70 { 1900 + short } else { 2000 + short }
}

/// The moment of these fields (year to second) and microseconds, if there is such a one.
fn moment([year, month, day, hour, minute, second]: [u32; 6], micros: i64) -> Option<Moment> {
    let leap = year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400));
    let days_in_month = match month {
        2 => 28 + u32::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=days_in_month).contains(&day) || hour > 23 || minute > 59 || second > 59 {
        return None;
    }
    let seconds = i64::from(hour * 3600 + minute * 60 + second);
    Some(Moment { days: days_since_1970(year, month, day)?, micros: seconds * 1_000_000 + micros })
}

/// Proleptic Gregorian. Years are counted from March, so that the leap day comes last.
fn days_since_1970(year: u32, month: u32, day: u32) -> Option<i32> {
    let from_march = (month + 9) % 12;
    let year = i32::try_from(year).ok()? - i32::from(from_march >= 10);
    let (century, year_of_four_centuries) = (year.div_euclid(400), year.rem_euclid(400));
    let day_of_year = i32::try_from((153 * from_march + 2) / 5 + day - 1).ok()?;
    let day_of_four_centuries =
        year_of_four_centuries * 365 + year_of_four_centuries / 4 - year_of_four_centuries / 100 + day_of_year;
    Some(century * 146_097 + day_of_four_centuries - 719_468)
}

#[cfg(test)]
mod tests;
