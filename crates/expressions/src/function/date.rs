//! Functions on moments; years 0000 to 9999.

use std::str::FromStr;
use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::timezone::Tz;
use arrow_array::types::TimestampMicrosecondType;
use arrow_array::{ArrayRef, TimestampMicrosecondArray};
use arrow_schema::DataType;
use chrono::{DateTime, Datelike, NaiveDate, NaiveDateTime, TimeZone, Timelike};
use datafusion_common::Result;

use super::date_format::{moved, read, week, write};
use super::{Answer, Arg, Function, Kind, columns, form, row};
use crate::cast::cast;
use crate::types::MOMENT;

const DATE: &[(&str, Kind)] = &[("date", Kind::Moment)];
const TWO: &[(&str, Kind)] = &[("to", Kind::Moment), ("from", Kind::Moment)];
const TEXT: &[(&str, Kind)] = &[("text", Kind::Text), ("format", Kind::Text)];
const INSTANT: &[(&str, Kind)] = &[("zone", Kind::Text), ("value", Kind::Integer), ("format", Kind::Text)];

macro_rules! field {
    ($name:literal, $body:expr, $doc:literal, $examples:expr) => {
        row(
            $name,
            DATE,
            Kind::Integer,
            |args| {
                let [Arg::Moment(us)] = args else { return None };
                let field: fn(NaiveDateTime) -> i64 = $body;
                Some(Answer::Integer(field(moment(*us)?)))
            },
            $doc,
            $examples,
        )
    };
}

pub(super) const FUNCTIONS: &[Function] = &[
    form("now", "now() -> DATETIME", "The moment of the batch or statement in the job's or session's time zone, in whole seconds.", &[("now() > '2000-01-01'", "1")])
        .also(&["current_timestamp", "localtime", "localtimestamp", "sysdate"]),
    form("utc_timestamp", "utc_timestamp() -> DATETIME", "The same in UTC.", &[("utc_timestamp() > '2000-01-01'", "1")]),
    form("curdate", "curdate() -> DATE", "Its day.", &[("curdate() > '2000-01-01'", "1")]).also(&["current_date"]),
    form("utc_date", "utc_date() -> DATE", "Its day in UTC.", &[("utc_date() > '2000-01-01'", "1")]),
    form("curtime", "curtime() -> VARCHAR", "Its time of day.", &[("length(curtime())", "8")]).also(&["current_time"]),
    form("utc_time", "utc_time() -> VARCHAR", "Its time of day in UTC.", &[("length(utc_time())", "8")]),
    row("from_unixtime", &[("zone", Kind::Text), ("seconds", Kind::Integer), ("format", Kind::Text)], Kind::Text, from_unixtime, "Seconds since 1970 as text, in the job's or session's time zone. NULL below 0 and above 253402243199. Formats are those of `date_format`, and `yyyy-MM-dd HH:mm:ss`, `yyyy-MM-dd`, `yyyyMMdd`.", &[
        ("from_unixtime(0)", "1970-01-01 00:00:00"),
        ("from_unixtime(1700000000, '%Y/%m/%d')", "2023/11/14"),
        ("from_unixtime(1700000000, 'yyyyMMdd')", "20231114"),
        ("from_unixtime(1700000000123/1000)", "2023-11-14 22:13:20"),
        ("from_unixtime(-1)", "NULL"),
        ("from_unixtime(253402243200)", "NULL"),
        ("from_unixtime(NULL)", "NULL"),
    ])
    .needs(2)
    .zoned(),
    row("from_unixtime_ms", INSTANT, Kind::Text, from_unixtime_ms, "Milliseconds since 1970 as text.", &[("from_unixtime_ms(1700000000123)", "2023-11-14 22:13:20")])
        .needs(2)
        .zoned(),
    row("to_datetime", &[("zone", Kind::Text), ("value", Kind::Integer), ("scale", Kind::Integer)], Kind::Moment, to_datetime, "Seconds since 1970 (scale 0), milliseconds (3) or microseconds (6) as a moment of the job's or session's time zone; NULL for another scale.", &[
        ("to_datetime(1700000000)", "2023-11-14 22:13:20"),
        ("to_datetime(1700000000123, 3)", "2023-11-14 22:13:20.123000"),
        ("to_datetime(1, 4)", "NULL"),
    ])
    .needs(2)
    .zoned(),
    row("to_datetime_ntz", &[("value", Kind::Integer), ("scale", Kind::Integer)], Kind::Moment, |args| instant(args, "UTC"), "The same in UTC.", &[("to_datetime_ntz(0)", "1970-01-01 00:00:00")])
        .needs(1),
    row("unix_timestamp", &[("zone", Kind::Text), ("date", Kind::Text), ("format", Kind::Text)], Kind::Integer, unix_timestamp, "Seconds since 1970 of a moment in the job's or session's time zone, 0 outside 1970 to 9999; without an argument, of now.", &[
        ("unix_timestamp('1970-01-01 00:01:00')", "60"),
        ("unix_timestamp('14.11.2023 22:13:20', '%d.%m.%Y %H:%i:%s')", "1700000000"),
        ("unix_timestamp('1960-01-01')", "0"),
    ])
    .needs(2)
    .zoned(),
    row("convert_tz", &[("date", Kind::Moment), ("from", Kind::Text), ("to", Kind::Text)], Kind::Moment, convert_tz, "The clock of one zone as that of another; names or `±HH:MM`. NULL for an unknown zone.", &[
        ("convert_tz('2024-01-01 00:00:00', 'UTC', 'Asia/Shanghai')", "2024-01-01 08:00:00"),
        ("convert_tz('2024-01-01 00:00:00', '+00:00', '-05:30')", "2023-12-31 18:30:00"),
        ("convert_tz('2024-01-01 00:00:00', 'UTC', 'Mars/Base')", "NULL"),
    ]),
    row("str_to_date", TEXT, Kind::Moment, str_to_date, "Text read by a format; what follows does not matter. NULL if it does not fit. A DATE, if the format is a literal without a time of day.", &[
        ("str_to_date('10.06.2024', '%d.%m.%Y')", "2024-06-10"),
        ("str_to_date('2024-06-10 11:12:13.5 more', '%Y-%m-%d %H:%i:%s.%f')", "2024-06-10 11:12:13.500000"),
        ("str_to_date('June 3, 2024 1:05 PM', '%M %e, %Y %l:%i %p')", "2024-06-03 13:05:00"),
        ("str_to_date('x', '%Y')", "NULL"),
    ]),
    row("str2date", TEXT, Kind::Day, |args| day_of(str_to_date(args)?), "The same as a DATE.", &[("str2date('10.06.2024', '%d.%m.%Y')", "2024-06-10")]),
    row("date_format", &[("date", Kind::Moment), ("format", Kind::Text)], Kind::Text, format, "A moment as text, by MySQL's letters `%a %b %c %D %d %e %f %H %h %I %i %j %k %l %M %m %p %r %S %s %T %U %u %V %v %W %w %X %x %Y %y %%`.", &[
        ("date_format('2024-06-02 15:04:05', '%W %D %M %y, %h:%i %p')", "Sunday 2nd June 24, 03:04 PM"),
        ("date_format('2024-06-02 15:04:05', '%e/%c %T.%f %%')", "2/6 15:04:05.000000 %"),
        ("date_format('2008-02-20', '%U %u %V %v %X %x')", "07 08 07 08 2008 2008"),
        ("date_format('soon', '%Y')", "NULL"),
    ]),
    row("to_date", DATE, Kind::Day, |args| if let [Arg::Moment(us)] = args { day_of(Answer::Moment(*us)) } else { None }, "The day of a moment.", &[("to_date('2024-06-10 10:00:00')", "2024-06-10")])
        .also(&["date"]),
    columns("date_trunc", (2, Some(2)), "date_trunc(unit VARCHAR, date)", (trunc_type, date_trunc), "The begin of the year, quarter, month, week (Monday), day, hour, minute, second, millisecond or microsecond.", &[
        ("date_trunc('month', '2024-06-10 15:04:05')", "2024-06-01 00:00:00"),
        ("date_trunc('week', cast('2024-06-13' AS DATE))", "2024-06-10"),
        ("date_trunc('quarter', '2024-06-10')", "2024-04-01 00:00:00"),
    ]),
    row("time_slice", &[("date", Kind::Moment), ("count", Kind::Integer), ("unit", Kind::Text), ("side", Kind::Text)], Kind::Moment, time_slice, "Begin, or with `ceil` end, of the slice of time that holds the moment; slices are counted from 0001-01-01. Written `time_slice(date, INTERVAL n unit[, floor|ceil])`.", &[
        ("time_slice('2024-06-10 15:04:05', INTERVAL 5 MINUTE)", "2024-06-10 15:00:00"),
        ("time_slice('2024-06-10 15:04:05', INTERVAL 5 MINUTE, ceil)", "2024-06-10 15:05:00"),
    ])
    .also(&["date_slice"]),
    form("date_add", "date_add(date DATETIME, INTERVAL n unit) -> DATETIME", "The moment that much later; a number instead of an interval counts days. Units: YEAR, QUARTER, MONTH, WEEK, DAY, HOUR, MINUTE, SECOND, MILLISECOND, MICROSECOND. Also `date + INTERVAL n unit`.", &[
        ("date_add('2024-01-31', INTERVAL 1 MONTH)", "2024-02-29 00:00:00"),
        ("date_add('2024-01-31', 1)", "2024-02-01 00:00:00"),
        ("date_add('9999-12-31', INTERVAL 1 DAY)", "NULL"),
        ("CAST('2024-01-01' AS DATETIME) + INTERVAL 36 HOUR", "2024-01-02 12:00:00"),
    ])
    .also(&["adddate"]),
    form("date_sub", "date_sub(date DATETIME, INTERVAL n unit) -> DATETIME", "The moment that much earlier.", &[("date_sub('2024-01-01 00:00:00', INTERVAL 1 SECOND)", "2023-12-31 23:59:59")])
        .also(&["subdate"]),
    form("days_add", "days_add(date DATETIME, n BIGINT) -> DATETIME", "Days later; so `years_add`, `quarters_add`, `months_add`, `weeks_add`, `hours_add`, `minutes_add`, `seconds_add`, `milliseconds_add`, `microseconds_add`, and all of them with `_sub`.", &[
        ("days_add('2024-01-01', 2)", "2024-01-03 00:00:00"),
        ("months_sub('2024-03-31', 1)", "2024-02-29 00:00:00"),
    ]),
    form("days_diff", "days_diff(to DATETIME, from DATETIME) -> BIGINT", "Whole days between; so with the other units.", &[("hours_diff('2024-06-10 05:30:00', '2024-06-10 00:00:00')", "5")]),
    row("timestampadd", &[("unit", Kind::Text), ("count", Kind::Integer), ("date", Kind::Moment)], Kind::Moment, add, "The moment so many units later.", &[("timestampadd(MINUTE, 2, '2024-01-01')", "2024-01-01 00:02:00")]),
    row("timestampdiff", &[("unit", Kind::Text), ("from", Kind::Moment), ("to", Kind::Moment)], Kind::Integer, difference, "Whole units between, rounded towards zero.", &[
        ("timestampdiff(HOUR, '2024-06-10 00:00:00', '2024-06-10 05:30:00')", "5"),
        ("timestampdiff(MONTH, '2024-01-31', '2024-02-29')", "0"),
    ]),
    form("date_diff", "date_diff(unit, to DATETIME, from DATETIME) -> BIGINT", "Whole units between.", &[("date_diff('day', '2024-06-10', '2024-06-01')", "9")]),
    row("datediff", TWO, Kind::Integer, datediff, "Days between, times of day left aside.", &[("datediff('2024-06-10 23:00:00', '2024-06-01')", "9")]),
    field!("year", |moment| moment.year().into(), "The year.", &[("year('2024-06-10')", "2024"), ("year('soon')", "NULL")]),
    field!("quarter", |moment| i64::from(moment.month0() / 3 + 1), "1 to 4.", &[("quarter('2024-06-10')", "2")]),
    field!("month", |moment| moment.month().into(), "1 to 12.", &[("month('2024-06-10')", "6")]),
    row("day", DATE, Kind::Integer, |args| if let [Arg::Moment(us)] = args { Some(Answer::Integer(moment(*us)?.day().into())) } else { None }, "Day of the month.", &[("day('2024-06-10')", "10")])
        .also(&["dayofmonth"]),
    field!("dayofyear", |moment| moment.ordinal().into(), "Day of the year.", &[("dayofyear('2024-02-01')", "32")]),
    field!("dayofweek", |moment| i64::from(moment.weekday().num_days_from_sunday() + 1), "1 for Sunday to 7.", &[("dayofweek('2024-06-09')", "1")]),
    field!("dayofweek_iso", |moment| moment.weekday().number_from_monday().into(), "1 for Monday to 7.", &[("dayofweek_iso('2024-06-09')", "7")]),
    field!("weekday", |moment| moment.weekday().num_days_from_monday().into(), "0 for Monday to 6.", &[("weekday('2024-06-10')", "0")]),
    row("week", &[("date", Kind::Moment), ("mode", Kind::Integer)], Kind::Integer, week_number, "Week of the year by MySQL's modes 0 to 7.", &[("week('2008-02-20')", "7"), ("week('2008-02-20', 1)", "8")])
        .needs(1),
    row("weekofyear", DATE, Kind::Integer, iso_week, "ISO week, 1 to 53.", &[("weekofyear('2024-06-10')", "24")]).also(&["week_iso"]),
    field!("hour", |moment| moment.hour().into(), "0 to 23.", &[("hour('2024-06-10 15:04:05')", "15")]),
    field!("minute", |moment| moment.minute().into(), "0 to 59.", &[("minute('2024-06-10 15:04:05')", "4")]),
    field!("second", |moment| moment.second().into(), "0 to 59.", &[("second('2024-06-10 15:04:05')", "5")]),
    field!("microsecond", |moment| i64::from(moment.nanosecond() / 1000), "0 to 999999.", &[("microsecond('2024-06-10 15:04:05.25')", "250000")]),
    field!("to_days", |moment| moment.num_days_from_ce() as i64 + 365, "Days since 0000-01-01, which is day 1.", &[("to_days('1970-01-01')", "719528")]),
    row("from_days", &[("days", Kind::Integer)], Kind::Day, from_days, "The day of that number.", &[("from_days(719528)", "1970-01-01")]),
    row("last_day", DATE, Kind::Day, last_day, "Last day of the month.", &[("last_day('2024-02-10')", "2024-02-29")]),
    row("makedate", &[("year", Kind::Integer), ("day", Kind::Integer)], Kind::Day, make_date, "A day of a year.", &[("makedate(2024, 60)", "2024-02-29")]),
    row("dayname", DATE, Kind::Text, |args| named(args, "%W"), "Name of the weekday.", &[("dayname('2024-06-10')", "Monday")]),
    row("monthname", DATE, Kind::Text, |args| named(args, "%M"), "Name of the month.", &[("monthname('2024-06-10')", "June")]),
    row("time_to_sec", &[("time", Kind::Text)], Kind::Integer, time_to_sec, "Seconds of `HH:MM:SS`.", &[("time_to_sec('01:00:05')", "3605")]),
    row("sec_to_time", &[("seconds", Kind::Integer)], Kind::Text, sec_to_time, "`HH:MM:SS` of seconds.", &[("sec_to_time(3605)", "01:00:05")]),
];

fn moment(us: i64) -> Option<NaiveDateTime> {
    DateTime::from_timestamp_micros(us).map(|moment| moment.naive_utc())
}

/// Microseconds of a moment within the years that StarRocks has.
fn micros(moment: NaiveDateTime) -> Option<i64> {
    (0..=9999).contains(&moment.year()).then(|| moment.and_utc().timestamp_micros())
}

fn day(date: NaiveDate) -> Option<Answer> {
    i32::try_from(date.signed_duration_since(NaiveDate::default()).num_days()).ok().map(Answer::Day)
}

fn day_of(moment: Answer) -> Option<Answer> {
    let Answer::Moment(us) = moment else { return None };
    i32::try_from(us.div_euclid(86_400_000_000)).ok().map(Answer::Day)
}

/// A zone by name, by StarRocks' own names too, or by its distance from UTC.
fn zone(name: &str) -> Option<Tz> {
    Tz::from_str(known_zone(name)).ok()
}

/// StarRocks' own names for time zones as those of the time zone database.
pub(super) fn known_zone(name: &str) -> &str {
    match name {
        "SYSTEM" => "UTC",
        "CST" | "PRC" => "Asia/Shanghai",
        other => other,
    }
}

/// The wall clock of a zone, as microseconds since 1970-01-01 00:00:00 of that wall clock.
pub(crate) fn wall_clock_us(us: i64, name: &str) -> Option<i64> {
    let moment = DateTime::from_timestamp_micros(us)?;
    micros(moment.with_timezone(&zone(name)?).naive_local())
}

/// The instant at which the wall clock of a zone shows this. An hour that a change of clocks repeats is taken as the first,
/// one that it leaves out is no moment.
fn instant_us(local_us: i64, zone: Tz) -> Option<i64> {
    zone.from_local_datetime(&moment(local_us)?).earliest().map(|moment| moment.timestamp_micros())
}

fn add(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Text(unit), Arg::Integer(count), Arg::Moment(from)] = args else { return None };
    micros(moved(moment(*from)?, *count, unit)?).map(Answer::Moment)
}

fn difference(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Text(unit), Arg::Moment(from_us), Arg::Moment(to_us)] = args else { return None };
    let us = to_us.checked_sub(*from_us)?;
    let months = || {
        let (from, to) = (moment(*from_us)?, moment(*to_us)?);
        let count = i64::from(to.year() - from.year()) * 12 + i64::from(to.month()) - i64::from(from.month());
        let rest = |moment: NaiveDateTime| (moment.day(), moment.time());
        Some(match count {
            1.. if rest(to) < rest(from) => count - 1,
            ..=-1 if rest(to) > rest(from) => count + 1,
            _ => count,
        })
    };
    Some(Answer::Integer(match *unit {
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

fn datediff(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Moment(to), Arg::Moment(from)] = args else { return None };
    Some(Answer::Integer(to.div_euclid(86_400_000_000) - from.div_euclid(86_400_000_000)))
}

fn last_day(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Moment(us)] = args else { return None };
    let first = moment(*us)?.date().with_day(1)?;
    day(first.checked_add_months(chrono::Months::new(1))?.pred_opt()?)
}

fn make_date(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Integer(year), Arg::Integer(number)] = args else { return None };
    let year = i32::try_from(*year).ok().filter(|year| (0..=9999).contains(year))?;
    day(NaiveDate::from_yo_opt(year, u32::try_from(*number).ok()?)?)
}

fn from_days(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Integer(days)] = args else { return None };
    let date = NaiveDate::from_num_days_from_ce_opt(i32::try_from(days.checked_sub(365)?).ok()?)?;
    (0..=9999).contains(&date.year()).then(|| day(date)).flatten()
}

fn named(args: &[Arg<'_>], pattern: &str) -> Option<Answer> {
    let [Arg::Moment(us)] = args else { return None };
    write(moment(*us)?, pattern).map(Answer::Text)
}

fn week_number(args: &[Arg<'_>]) -> Option<Answer> {
    let (us, mode) = match args {
        [Arg::Moment(us)] => (us, 0),
        [Arg::Moment(us), Arg::Integer(mode)] => (us, u32::try_from(*mode).ok().filter(|mode| *mode < 8)?),
        _ => return None,
    };
    week(moment(*us)?.date(), mode).map(|(_, week)| Answer::Integer(week))
}

fn iso_week(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Moment(us)] = args else { return None };
    Some(Answer::Integer(moment(*us)?.iso_week().week().into()))
}

/// The last second that `from_unixtime` takes.
const LAST_SECOND: i64 = 253_402_243_199;

fn from_unixtime(args: &[Arg<'_>]) -> Option<Answer> {
    let (name, seconds, pattern) = match args {
        [Arg::Text(zone), Arg::Integer(seconds)] => (zone, seconds, "%Y-%m-%d %H:%i:%s"),
        [Arg::Text(zone), Arg::Integer(seconds), Arg::Text(pattern)] => (zone, seconds, *pattern),
        _ => return None,
    };
    if !(0..=LAST_SECOND).contains(seconds) {
        return None;
    }
    let local = DateTime::from_timestamp(*seconds, 0)?.with_timezone(&zone(name)?).naive_local();
    write(local, pattern).map(Answer::Text)
}

fn from_unixtime_ms(args: &[Arg<'_>]) -> Option<Answer> {
    let mut args = args.to_vec();
    if let Some(Arg::Integer(value)) = args.get_mut(1) {
        *value = value.div_euclid(1000);
    }
    from_unixtime(&args)
}

fn to_datetime(args: &[Arg<'_>]) -> Option<Answer> {
    let (Arg::Text(zone), rest) = args.split_first()? else { return None };
    instant(rest, zone)
}

fn instant(args: &[Arg<'_>], zone: &str) -> Option<Answer> {
    let (value, scale) = match args {
        [Arg::Integer(value)] => (value, 0),
        [Arg::Integer(value), Arg::Integer(scale)] => (value, *scale),
        _ => return None,
    };
    let us = match scale {
        0 => value.checked_mul(1_000_000)?,
        3 => value.checked_mul(1000)?,
        6 => *value,
        _ => return None,
    };
    wall_clock_us(us, zone).map(Answer::Moment)
}

fn unix_timestamp(args: &[Arg<'_>]) -> Option<Answer> {
    let (name, us) = match args {
        [Arg::Text(zone), Arg::Text(text)] => (zone, read_moment(text)?),
        [Arg::Text(zone), Arg::Text(text), Arg::Text(pattern)] => (zone, micros(read(text, pattern)?)?),
        _ => return None,
    };
    let seconds = instant_us(us, zone(name)?)?.div_euclid(1_000_000);
    Some(Answer::Integer(if (0..=LAST_SECOND).contains(&seconds) { seconds } else { 0 }))
}

fn read_moment(text: &str) -> Option<i64> {
    let column: ArrayRef = Arc::new(arrow_array::StringArray::from(vec![text]));
    cast(&column, &MOMENT).ok()?.as_primitive::<TimestampMicrosecondType>().iter().next().flatten()
}

fn convert_tz(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Moment(us), Arg::Text(from), Arg::Text(to)] = args else { return None };
    wall_clock_us(instant_us(*us, zone(from)?)?, to).map(Answer::Moment)
}

fn format(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Moment(us), Arg::Text(pattern)] = args else { return None };
    write(moment(*us)?, pattern).map(Answer::Text)
}

fn str_to_date(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Text(text), Arg::Text(pattern)] = args else { return None };
    micros(read(text, pattern)?).map(Answer::Moment)
}

fn trunc_type(types: &[DataType], _: &[Option<i64>]) -> std::result::Result<DataType, String> {
    Ok(if types.get(1) == Some(&DataType::Date32) { DataType::Date32 } else { MOMENT })
}

fn date_trunc(columns: &[ArrayRef], result: &DataType) -> Result<ArrayRef> {
    let [unit, date] = columns else { return Ok(arrow_array::new_null_array(result, 0)) };
    let (unit, date) = (cast(unit, &DataType::Utf8)?, cast(date, &MOMENT)?);
    let pairs = unit.as_string::<i32>().iter().zip(date.as_primitive::<TimestampMicrosecondType>().iter());
    let begins = pairs.map(|(unit, us)| micros(begin(moment(us?)?, &unit?.to_ascii_lowercase())?));
    let begins: ArrayRef = Arc::new(begins.collect::<TimestampMicrosecondArray>());
    cast(&begins, result)
}

fn begin(moment: NaiveDateTime, unit: &str) -> Option<NaiveDateTime> {
    let date = moment.date();
    let midnight = |date: NaiveDate| date.and_hms_opt(0, 0, 0);
    match unit {
        "year" => midnight(NaiveDate::from_ymd_opt(date.year(), 1, 1)?),
        "quarter" => midnight(NaiveDate::from_ymd_opt(date.year(), date.month0() / 3 * 3 + 1, 1)?),
        "month" => midnight(date.with_day(1)?),
        "week" => midnight(date.checked_sub_days(chrono::Days::new(date.weekday().num_days_from_monday().into()))?),
        "day" => midnight(date),
        "hour" => date.and_hms_opt(moment.hour(), 0, 0),
        "minute" => date.and_hms_opt(moment.hour(), moment.minute(), 0),
        "second" => moment.with_nanosecond(0),
        "millisecond" => moment.with_nanosecond(moment.nanosecond() / 1_000_000 * 1_000_000),
        "microsecond" => Some(moment),
        _ => None,
    }
}

fn time_slice(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Moment(us), Arg::Integer(count), Arg::Text(unit), Arg::Text(side)] = args else { return None };
    let origin = NaiveDate::from_ymd_opt(1, 1, 1)?.and_hms_opt(0, 0, 0)?;
    let origin_us = micros(origin)?;
    if *count <= 0 || *us < origin_us {
        return None;
    }
    let Answer::Integer(passed) = difference(&[Arg::Text(unit), Arg::Moment(origin_us), Arg::Moment(*us)])? else {
        return None;
    };
    let slices = passed / count + i64::from(*side == "ceil");
    micros(moved(origin, slices.checked_mul(*count)?, unit)?).map(Answer::Moment)
}

fn time_to_sec(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Text(text)] = args else { return None };
    let mut parts = text.trim().splitn(3, ':').map(|part| part.parse::<i64>().ok().filter(|part| *part >= 0));
    let (hours, minutes, seconds) = (parts.next()??, parts.next()??, parts.next()??);
    let valid = hours <= 838 && minutes < 60 && seconds < 60;
    valid.then(|| Answer::Integer(hours * 3600 + minutes * 60 + seconds))
}

fn sec_to_time(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Integer(seconds)] = args else { return None };
    let (sign, seconds) = (if *seconds < 0 { "-" } else { "" }, seconds.unsigned_abs().min(838 * 3600 + 3599));
    Some(Answer::Text(format!("{sign}{:02}:{:02}:{:02}", seconds / 3600, seconds / 60 % 60, seconds % 60)))
}
