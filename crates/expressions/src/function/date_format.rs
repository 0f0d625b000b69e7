//! MySQL's format letters, written and read.

use chrono::{Datelike, Months, NaiveDate, NaiveDateTime, TimeDelta, Timelike};

/// Bytes that a formatted moment has at most.
const MAX_BYTES: usize = 1 << 20;

/// A moment in MySQL's format letters; a few of Java's patterns, which StarRocks takes too, are known as wholes.
pub(super) fn write(moment: NaiveDateTime, pattern: &str) -> Option<String> {
    let pattern = match pattern {
        "yyyy-MM-dd HH:mm:ss" => "%Y-%m-%d %H:%i:%s",
        "yyyy-MM-dd" => "%Y-%m-%d",
        "yyyyMMdd" => "%Y%m%d",
        other => other,
    };
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut chars = pattern.chars();
    while let Some(char) = chars.next() {
        if out.len() > MAX_BYTES {
            return None;
        }
        if char != '%' {
            out.push(char);
            continue;
        }
        let (_, hour12) = moment.hour12();
        match chars.next() {
            Some('Y') => out += &format!("{:04}", moment.year()),
            Some('y') => out += &format!("{:02}", moment.year().rem_euclid(100)),
            Some('m') => out += &format!("{:02}", moment.month()),
            Some('c') => out += &moment.month().to_string(),
            Some('d') => out += &format!("{:02}", moment.day()),
            Some('e') => out += &moment.day().to_string(),
            Some('j') => out += &format!("{:03}", moment.ordinal()),
            Some('H') => out += &format!("{:02}", moment.hour()),
            Some('k') => out += &moment.hour().to_string(),
            Some('h' | 'I') => out += &format!("{hour12:02}"),
            Some('l') => out += &hour12.to_string(),
            Some('i') => out += &format!("{:02}", moment.minute()),
            Some('s' | 'S') => out += &format!("{:02}", moment.second()),
            Some('f') => out += &format!("{:06}", moment.and_utc().timestamp_subsec_micros()),
            Some('p') => out += if moment.hour() < 12 { "AM" } else { "PM" },
            Some('T') => out += &moment.format("%H:%M:%S").to_string(),
            Some('r') => out += &moment.format("%I:%M:%S %p").to_string(),
            Some('M') => out += &moment.format("%B").to_string(),
            Some('b') => out += &moment.format("%b").to_string(),
            Some('W') => out += &moment.format("%A").to_string(),
            Some('a') => out += &moment.format("%a").to_string(),
            Some('w') => out += &moment.weekday().num_days_from_sunday().to_string(),
            Some('U') => out += &format!("{:02}", week(moment.date(), 0)?.1),
            Some('u') => out += &format!("{:02}", week(moment.date(), 1)?.1),
            Some('V') => out += &format!("{:02}", week(moment.date(), 2)?.1),
            Some('v') => out += &format!("{:02}", week(moment.date(), 3)?.1),
            Some('X') => out += &format!("{:04}", week(moment.date(), 2)?.0),
            Some('x') => out += &format!("{:04}", week(moment.date(), 3)?.0),
            Some('D') => out += &ordinal(moment.day()),
            Some(other) => out.push(other),
            None => out.push('%'),
        }
    }
    Some(out)
}

fn ordinal(day: u32) -> String {
    let suffix = match (day % 10, day % 100) {
        (_, 11..=13) => "th",
        (1, _) => "st",
        (2, _) => "nd",
        (3, _) => "rd",
        _ => "th",
    };
    format!("{day}{suffix}")
}

/// Year and week by MySQL's modes: 1 begins weeks on Monday, 2 counts from 1, 4 changes which week is the first.
pub(super) fn week(date: NaiveDate, mode: u32) -> Option<(i32, i64)> {
    let monday_first = mode & 1 != 0;
    let mut of_year = mode & 2 != 0;
    let first_whole = (mode & 4 != 0) == monday_first;
    let year_length = |year: i32| if NaiveDate::from_ymd_opt(year, 2, 29).is_some() { 366 } else { 365 };
    let mut year = date.year();
    let mut first = i64::from(NaiveDate::from_ymd_opt(year, 1, 1)?.num_days_from_ce());
    let today = i64::from(date.num_days_from_ce());
    let january = NaiveDate::from_ymd_opt(year, 1, 1)?.weekday();
    let mut weekday =
        i64::from(if monday_first { january.num_days_from_monday() } else { january.num_days_from_sunday() });
    let later = |weekday: i64| if first_whole { weekday != 0 } else { weekday >= 4 };
    if date.month() == 1 && i64::from(date.day()) <= 7 - weekday {
        if !of_year && later(weekday) {
            return Some((year, 0));
        }
        if later(weekday) {
            of_year = true;
            year -= 1;
            let days = year_length(year);
            first -= days;
            weekday = (weekday + 53 * 7 - days) % 7;
        }
    }
    let days = if later(weekday) { today - (first + 7 - weekday) } else { today - (first - weekday) };
    if of_year && days >= 52 * 7 && !later((weekday + year_length(year)) % 7) {
        return Some((year + 1, 1));
    }
    Some((year, days / 7 + 1))
}

/// What of a moment a text has said.
#[derive(Default)]
struct Parts {
    year: Option<i32>,
    month: Option<u32>,
    day: Option<u32>,
    day_of_year: Option<u32>,
    hour: u32,
    afternoon: Option<bool>,
    minute: u32,
    second: u32,
    micros: u32,
}

/// Reads a moment in MySQL's format letters; without a time, that day's midnight. What follows in the text does not matter.
pub(super) fn read(text: &str, pattern: &str) -> Option<NaiveDateTime> {
    let mut parts = Parts::default();
    let mut rest = text.trim_start();
    let mut letters = pattern.chars();
    while let Some(char) = letters.next() {
        if char.is_whitespace() {
            rest = rest.trim_start();
        } else if char == '%' {
            rest = part(&mut parts, letters.next()?, rest)?;
        } else {
            rest = rest.strip_prefix(char)?;
        }
    }
    parts.moment()
}

fn part<'t>(parts: &mut Parts, letter: char, text: &'t str) -> Option<&'t str> {
    let text = if letter == '%' { text } else { text.trim_start() };
    let mut rest = text;
    match letter {
        'Y' => {
            let length = rest.bytes().take(4).take_while(u8::is_ascii_digit).count();
            let year = i32::try_from(number(&mut rest, 4)?).ok()?;
            parts.year = Some(if length <= 2 { full_year(year) } else { year });
        }
        'y' => parts.year = Some(full_year(i32::try_from(number(&mut rest, 2)?).ok()?)),
        'm' | 'c' => parts.month = Some(number(&mut rest, 2)?),
        'd' | 'e' => parts.day = Some(number(&mut rest, 2)?),
        'D' => {
            parts.day = Some(number(&mut rest, 2)?);
            rest = rest.get(2..)?;
        }
        'j' => parts.day_of_year = Some(number(&mut rest, 3)?),
        'H' | 'k' => parts.hour = number(&mut rest, 2)?,
        'h' | 'I' | 'l' => {
            parts.hour = number(&mut rest, 2).filter(|hour| (1..=12).contains(hour))?;
            parts.afternoon.get_or_insert(false);
        }
        'i' => parts.minute = number(&mut rest, 2)?,
        's' | 'S' => parts.second = number(&mut rest, 2)?,
        'f' => {
            let digits = rest.bytes().take(6).take_while(u8::is_ascii_digit).count();
            let scale = 10_u32.checked_pow(u32::try_from(6 - digits).ok()?)?;
            parts.micros = number(&mut rest, 6)? * scale;
        }
        'p' => {
            let afternoon = match rest.get(..2)?.to_ascii_uppercase().as_str() {
                "AM" => false,
                "PM" => true,
                _ => return None,
            };
            parts.afternoon = Some(afternoon);
            rest = rest.get(2..)?;
        }
        'T' => return ["H", ":", "i", ":", "s"].into_iter().try_fold(rest, |rest, one| step(parts, one, rest)),
        'r' => {
            return ["I", ":", "i", ":", "s", " ", "p"].into_iter().try_fold(rest, |rest, one| step(parts, one, rest));
        }
        'M' | 'b' => {
            let (month, after) = named(rest, &MONTHS)?;
            parts.month = Some(month);
            rest = after;
        }
        'W' | 'a' => rest = named(rest, &DAYS)?.1,
        'w' => {
            number(&mut rest, 1)?;
        }
        '%' => rest = rest.strip_prefix('%')?,
        _ => return None,
    }
    Some(rest)
}

fn step<'t>(parts: &mut Parts, sign: &str, text: &'t str) -> Option<&'t str> {
    match sign {
        ":" => text.strip_prefix(':'),
        " " => Some(text.trim_start()),
        letter => part(parts, letter.chars().next()?, text),
    }
}

fn number(text: &mut &str, most: usize) -> Option<u32> {
    let length = text.bytes().take(most).take_while(u8::is_ascii_digit).count();
    let (digits, rest) = text.split_at_checked(length)?;
    *text = rest;
    digits.parse().ok()
}

fn full_year(short: i32) -> i32 {
    if short < 70 { 2000 + short } else { 1900 + short }
}

const MONTHS: [&str; 12] = [
    "january",
    "february",
    "march",
    "april",
    "may",
    "june",
    "july",
    "august",
    "september",
    "october",
    "november",
    "december",
];
const DAYS: [&str; 7] = ["monday", "tuesday", "wednesday", "thursday", "friday", "saturday", "sunday"];

/// The place of the name that the text begins with, from 1: whole, or its first three letters.
fn named<'t>(text: &'t str, names: &[&str]) -> Option<(u32, &'t str)> {
    let begins = |length: usize, name: &str| {
        text.get(..length).is_some_and(|start| name.get(..length).is_some_and(|name| start.eq_ignore_ascii_case(name)))
    };
    for (place, name) in (1..).zip(names) {
        for length in [name.len(), 3] {
            if begins(length, name) {
                return Some((place, text.get(length..)?));
            }
        }
    }
    None
}

impl Parts {
    fn moment(&self) -> Option<NaiveDateTime> {
        let year = self.year?;
        let date = match (self.month, self.day, self.day_of_year) {
            (Some(month), Some(day), _) => NaiveDate::from_ymd_opt(year, month, day)?,
            (_, _, Some(day)) => NaiveDate::from_yo_opt(year, day)?,
            _ => return None,
        };
        let hour = match self.afternoon {
            Some(afternoon) => self.hour % 12 + 12 * u32::from(afternoon),
            None => self.hour,
        };
        date.and_hms_micro_opt(hour, self.minute, self.second, self.micros)
    }
}

/// The moment a number of units away; `None` for an unknown unit and beyond the calendar.
pub(super) fn moved(from: NaiveDateTime, count: i64, unit: &str) -> Option<NaiveDateTime> {
    let months = |months: i64| {
        let distance = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
        if months < 0 { from.checked_sub_months(distance) } else { from.checked_add_months(distance) }
    };
    let moved = match unit {
        "year" => months(count.checked_mul(12)?),
        "quarter" => months(count.checked_mul(3)?),
        "month" => months(count),
        "week" => from.checked_add_signed(TimeDelta::try_weeks(count)?),
        "day" => from.checked_add_signed(TimeDelta::try_days(count)?),
        "hour" => from.checked_add_signed(TimeDelta::try_hours(count)?),
        "minute" => from.checked_add_signed(TimeDelta::try_minutes(count)?),
        "second" => from.checked_add_signed(TimeDelta::try_seconds(count)?),
        "millisecond" => from.checked_add_signed(TimeDelta::try_milliseconds(count)?),
        "microsecond" => from.checked_add_signed(TimeDelta::microseconds(count)),
        _ => None,
    };
    moved.filter(|moved| (0..=9999).contains(&moved.year()))
}
