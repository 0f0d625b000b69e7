//! Functions on moments. MySQL's format letters; years 0000 to 9999.

use std::str::FromStr;

use arrow_array::timezone::Tz;
use chrono::{DateTime, Datelike, Days, Months, NaiveDate, NaiveDateTime, TimeDelta, TimeZone, Timelike};

use super::{Answer, Arg, Definition, Kind};

pub(super) const FUNCTIONS: &[Definition] = &[
    Definition {
        name: "timestampadd",
        arguments: &[Kind::Text, Kind::Integer, Kind::Moment],
        answer: Kind::Moment,
        row: add,
    },
    Definition {
        name: "timestampdiff",
        arguments: &[Kind::Text, Kind::Moment, Kind::Moment],
        answer: Kind::Integer,
        row: difference,
    },
    Definition { name: "date_format", arguments: &[Kind::Moment, Kind::Text], answer: Kind::Text, row: format },
    Definition { name: "str_to_date", arguments: &[Kind::Text, Kind::Text], answer: Kind::Moment, row: parse },
    Definition { name: "last_day", arguments: &[Kind::Moment], answer: Kind::Day, row: last_day },
    Definition {
        name: "from_unixtime",
        arguments: &[Kind::Integer, Kind::Text, Kind::Text],
        answer: Kind::Text,
        row: from_unixtime,
    },
    Definition {
        name: "unix_timestamp",
        arguments: &[Kind::Moment, Kind::Text],
        answer: Kind::Integer,
        row: unix_timestamp,
    },
];

fn moment(us: i64) -> Option<NaiveDateTime> {
    DateTime::from_timestamp_micros(us).map(|moment| moment.naive_utc())
}

/// Microseconds of a moment within the years that StarRocks has.
fn micros(moment: NaiveDateTime) -> Option<i64> {
    (0..=9999).contains(&moment.year()).then(|| moment.and_utc().timestamp_micros())
}

/// `timestampadd(unit, count, moment)`.
fn add(args: &[Arg<'_>]) -> Option<Answer> {
    let [unit, count, from] = args else {
        return None;
    };
    let (unit, count, from) = (unit.text()?, count.integer()?, moment(from.integer()?)?);
    let months = |months: i64| {
        let distance = Months::new(u32::try_from(months.unsigned_abs()).ok()?);
        if months < 0 { from.checked_sub_months(distance) } else { from.checked_add_months(distance) }
    };
    let days = |days: i64| {
        let distance = Days::new(days.unsigned_abs());
        if days < 0 { from.checked_sub_days(distance) } else { from.checked_add_days(distance) }
    };
    let moved = match unit {
        "year" => months(count.checked_mul(12)?),
        "quarter" => months(count.checked_mul(3)?),
        "month" => months(count),
        "week" => days(count.checked_mul(7)?),
        "day" => days(count),
        "hour" => from.checked_add_signed(TimeDelta::try_hours(count)?),
        "minute" => from.checked_add_signed(TimeDelta::try_minutes(count)?),
        "second" => from.checked_add_signed(TimeDelta::try_seconds(count)?),
        "millisecond" => from.checked_add_signed(TimeDelta::try_milliseconds(count)?),
        "microsecond" => from.checked_add_signed(TimeDelta::microseconds(count)),
        _ => None,
    };
    micros(moved?).map(Answer::Moment)
}

/// `timestampdiff(unit, from, to)`: whole units, rounded towards zero.
fn difference(args: &[Arg<'_>]) -> Option<Answer> {
    let [unit, from, to] = args else { return None };
    let (unit, from_us, to_us) = (unit.text()?, from.integer()?, to.integer()?);
    let us = to_us.checked_sub(from_us)?;
    let months = || {
        let (from, to) = (moment(from_us)?, moment(to_us)?);
        let count = i64::from(to.year() - from.year()) * 12 + i64::from(to.month()) - i64::from(from.month());
        let rest = |moment: NaiveDateTime| (moment.day(), moment.time());
        Some(match count {
            1.. if rest(to) < rest(from) => count - 1,
            ..=-1 if rest(to) > rest(from) => count + 1,
            _ => count,
        })
    };
    Some(Answer::Integer(match unit {
        "year" => months()? / 12,
        "quarter" => months()? / 3,
        "month" => months()?,
        "week" => us / 604_800_000_000,
        "day" => us / 86_400_000_000,
        "hour" => us / 3_600_000_000,
        "minute" => us / 60_000_000,
        "second" => us / 1_000_000,
        "millisecond" => us / 1000,
        "microsecond" => us,
        _ => return None,
    }))
}

fn last_day(args: &[Arg<'_>]) -> Option<Answer> {
    let [day] = args else { return None };
    let first = moment(day.integer()?)?.date().with_day(1)?;
    let last = first.checked_add_months(Months::new(1))?.pred_opt()?;
    i32::try_from(last.signed_duration_since(NaiveDate::default()).num_days()).ok().map(Answer::Day)
}

fn from_unixtime(args: &[Arg<'_>]) -> Option<Answer> {
    let [seconds, pattern, zone] = args else {
        return None;
    };
    let zone = Tz::from_str(zone.text()?).ok()?;
    let local = DateTime::from_timestamp(seconds.integer()?, 0)?.with_timezone(&zone).naive_local();
    Some(Answer::Text(write(local, pattern.text()?)))
}

fn unix_timestamp(args: &[Arg<'_>]) -> Option<Answer> {
    let [local, zone] = args else { return None };
    let zone = Tz::from_str(zone.text()?).ok()?;
    // An hour that a change of clocks repeats is taken as the first, one that it leaves out is no moment.
    zone.from_local_datetime(&moment(local.integer()?)?).earliest().map(|moment| Answer::Integer(moment.timestamp()))
}

fn format(args: &[Arg<'_>]) -> Option<Answer> {
    let [moment_us, pattern] = args else {
        return None;
    };
    Some(Answer::Text(write(moment(moment_us.integer()?)?, pattern.text()?)))
}

/// A moment in MySQL's format letters; a few of Java's patterns, which StarRocks takes too, are known as wholes.
fn write(moment: NaiveDateTime, pattern: &str) -> String {
    let pattern = match pattern {
        "yyyy-MM-dd HH:mm:ss" => "%Y-%m-%d %H:%i:%s",
        "yyyy-MM-dd" => "%Y-%m-%d",
        "yyyyMMdd" => "%Y%m%d",
        other => other,
    };
    let mut out = String::with_capacity(pattern.len() + 16);
    let mut chars = pattern.chars();
    while let Some(char) = chars.next() {
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
            Some('U') => out += &moment.format("%U").to_string(),
            Some('u') => out += &moment.format("%W").to_string(),
            Some('v') => out += &format!("{:02}", moment.iso_week().week()),
            Some('x') => out += &format!("{:04}", moment.iso_week().year()),
            Some('D') => out += &ordinal(moment.day()),
            Some(other) => out.push(other),
            None => out.push('%'),
        }
    }
    out
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

/// `str_to_date(text, pattern)`: a moment; without a time, that day's midnight.
fn parse(args: &[Arg<'_>]) -> Option<Answer> {
    let [text, pattern] = args else { return None };
    let mut translated = String::new();
    let mut timed = false;
    let mut chars = pattern.text()?.chars();
    while let Some(char) = chars.next() {
        if char != '%' {
            translated.push(char);
            continue;
        }
        let letter = chars.next()?;
        timed |= matches!(letter, 'H' | 'k' | 'h' | 'I' | 'l' | 'i' | 's' | 'S' | 'T' | 'r');
        translated += match letter {
            'Y' => "%Y",
            'y' => "%y",
            'm' | 'c' => "%m",
            'd' | 'e' => "%d",
            'j' => "%j",
            'H' | 'k' => "%H",
            'h' | 'I' | 'l' => "%I",
            'i' => "%M",
            's' | 'S' => "%S",
            'f' => "%6f",
            'p' => "%p",
            'T' => "%H:%M:%S",
            'r' => "%I:%M:%S %p",
            'M' => "%B",
            'b' => "%b",
            'W' => "%A",
            'a' => "%a",
            '%' => "%%",
            _ => return None,
        };
    }
    let text = text.text()?.trim();
    let parsed = if timed {
        // Seconds may be missing, which chrono does not allow.
        NaiveDateTime::parse_from_str(text, &translated)
            .or_else(|_| NaiveDateTime::parse_from_str(&format!("{text} 00"), &format!("{translated} %S")))
            .ok()?
    } else {
        NaiveDate::parse_from_str(text, &translated).ok()?.and_hms_opt(0, 0, 0)?
    };
    micros(parsed).map(Answer::Moment)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn us(text: &str) -> i64 {
        NaiveDateTime::parse_from_str(text, "%Y-%m-%d %H:%M:%S").unwrap().and_utc().timestamp_micros()
    }

    #[test]
    fn months_end_where_the_calendar_says() {
        let moved = |unit, count, from| add(&[Arg::Text(unit), Arg::Integer(count), Arg::Moment(us(from))]);
        let answer = |text| Some(Answer::Moment(us(text)));
        assert_eq!(moved("month", 1, "2024-01-31 10:00:00"), answer("2024-02-29 10:00:00"));
        assert_eq!(moved("year", -1, "2024-02-29 00:00:00"), answer("2023-02-28 00:00:00"));
        assert_eq!(moved("second", -1, "2024-01-01 00:00:00"), answer("2023-12-31 23:59:59"));
        assert_eq!(moved("year", 9000, "2024-01-01 00:00:00"), None);
        assert_eq!(moved("day", i64::MAX, "2024-01-01 00:00:00"), None);
    }

    #[test]
    fn differences_count_whole_units() {
        let between = |unit, from, to| difference(&[Arg::Text(unit), Arg::Moment(us(from)), Arg::Moment(us(to))]);
        assert_eq!(between("month", "2024-01-31 00:00:00", "2024-02-29 00:00:00"), Some(Answer::Integer(0)));
        assert_eq!(between("month", "2024-02-29 00:00:00", "2024-01-15 00:00:00"), Some(Answer::Integer(-1)));
        assert_eq!(between("hour", "2024-01-01 00:00:00", "2024-01-01 02:59:59"), Some(Answer::Integer(2)));
    }

    #[test]
    fn formats_are_mysqls() {
        let at = Arg::Moment(us("2024-06-02 15:04:05"));
        for (pattern, expected) in [
            ("%Y-%m-%d %H:%i:%s", "2024-06-02 15:04:05"),
            ("%W %D %M %y, %h:%i %p", "Sunday 2nd June 24, 03:04 PM"),
            ("%e/%c %T.%f %%", "2/6 15:04:05.000000 %"),
            ("yyyyMMdd", "20240602"),
        ] {
            assert_eq!(format(&[at, Arg::Text(pattern)]), Some(Answer::Text(expected.to_owned())), "{pattern}");
        }
    }

    #[test]
    fn text_is_read_by_mysqls_formats() {
        let read = |text, pattern| parse(&[Arg::Text(text), Arg::Text(pattern)]);
        assert_eq!(read("02.06.2024", "%d.%m.%Y"), Some(Answer::Moment(us("2024-06-02 00:00:00"))));
        assert_eq!(read("2024-06-02 15:04", "%Y-%m-%d %H:%i"), Some(Answer::Moment(us("2024-06-02 15:04:00"))));
        assert_eq!(read("nonsense", "%Y"), None);
    }

    #[test]
    fn unix_times_follow_the_time_zone() {
        let shown = from_unixtime(&[Arg::Integer(0), Arg::Text("%H:%i"), Arg::Text("+08:00")]);
        assert_eq!(shown, Some(Answer::Text("08:00".to_owned())));
        let back = unix_timestamp(&[Arg::Moment(us("1970-01-01 08:00:00")), Arg::Text("Asia/Shanghai")]);
        assert_eq!(back, Some(Answer::Integer(0)));
    }
}
