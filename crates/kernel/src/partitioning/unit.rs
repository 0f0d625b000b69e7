//! Units of time that tables are divided by, and where a moment's unit begins.
//!
//! Slices of several units are counted from 0001-01-01 00:00:00, as StarRocks' `time_slice` counts them. That day is a
//! Monday, so a slice of one unit is what `date_trunc` gives, weeks included.

use serde::{Deserialize, Serialize};

use super::{PartitionValue, calendar};
use crate::table::ColumnType;

const MICROS_PER_DAY: i64 = 86_400_000_000;
/// 0001-01-01, counted from 1970-01-01.
const FIRST_DAY: i64 = -719_162;

/// A unit of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum TimeUnit {
    /// 1 s
    Second,
    /// 60 s
    Minute,
    /// 3,600 s
    Hour,
    /// A calendar day.
    Day,
    /// Seven days from a Monday.
    Week,
    /// A calendar month.
    Month,
    /// Three calendar months.
    Quarter,
    /// A calendar year.
    Year,
}

impl TimeUnit {
    /// All of them, ascending.
    pub const ALL: [Self; 8] =
        [Self::Second, Self::Minute, Self::Hour, Self::Day, Self::Week, Self::Month, Self::Quarter, Self::Year];

    /// Its name, in lower case.
    pub fn name(self) -> &'static str {
        match self {
            Self::Second => "second",
            Self::Minute => "minute",
            Self::Hour => "hour",
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
            Self::Quarter => "quarter",
            Self::Year => "year",
        }
    }

    /// The unit of that name, in any case.
    pub fn of_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|unit| unit.name().eq_ignore_ascii_case(name))
    }

    /// Whether it is shorter than a day.
    pub fn is_within_day(self) -> bool {
        matches!(self, Self::Second | Self::Minute | Self::Hour)
    }

    /// `days` (since 1970-01-01), `count` units later; a month without that day ends on its last. `None` for a unit within
    /// the day, or beyond all calendars.
    pub fn add_to_days(self, days: i64, count: i64) -> Option<i64> {
        match self.length() {
            Length::Micros(_) => None,
            Length::Days(length) => days.checked_add(length.checked_mul(count)?),
            Length::Months(length) => {
                let (year, month, day) = calendar::civil(days);
                let months = year.checked_mul(12)?.checked_add(month - 1)?.checked_add(length.checked_mul(count)?)?;
                let (year, month) = (months.div_euclid(12), months.rem_euclid(12) + 1);
                if year.abs() > 1_000_000 {
                    return None;
                }
                Some(calendar::days(year, month, day.min(calendar::last_day(year, month))))
            }
        }
    }

    /// The same for microseconds since 1970-01-01 00:00:00.
    pub fn add_to_micros(self, micros: i64, count: i64) -> Option<i64> {
        if let Length::Micros(length) = self.length() {
            return micros.checked_add(length.checked_mul(count)?);
        }
        let days = self.add_to_days(micros.div_euclid(MICROS_PER_DAY), count)?;
        days.checked_mul(MICROS_PER_DAY)?.checked_add(micros.rem_euclid(MICROS_PER_DAY))
    }

    /// The text of a DATE or DATETIME, `count` units later; `None` for other types, text that is none, or beyond the
    /// calendar.
    pub fn next(self, count: u32, column_type: &ColumnType, text: &str) -> Option<String> {
        let PartitionValue::Integer(value) = PartitionValue::parse(column_type, text)? else {
            return None;
        };
        let value = i64::try_from(value).ok()?;
        let next = match column_type {
            ColumnType::Date => self.add_to_days(value, count.into())?,
            ColumnType::DateTime => self.add_to_micros(value, count.into())?,
            _ => return None,
        };
        PartitionValue::Integer(next.into()).text(column_type)
    }

    fn length(self) -> Length {
        match self {
            Self::Second => Length::Micros(1_000_000),
            Self::Minute => Length::Micros(60_000_000),
            Self::Hour => Length::Micros(3_600_000_000),
            Self::Day => Length::Days(1),
            Self::Week => Length::Days(7),
            Self::Month => Length::Months(1),
            Self::Quarter => Length::Months(3),
            Self::Year => Length::Months(12),
        }
    }
}

enum Length {
    Micros(i64),
    Days(i64),
    Months(i64),
}

/// The first day of the slice of `count` units that the day lies in, days since 1970-01-01. A unit within the day leaves
/// the day as it is.
pub(crate) fn floor_days(days: i64, count: u32, unit: TimeUnit) -> i64 {
    let floor = |value: i64, length: i64| value.div_euclid(length) * length;
    match unit.length() {
        Length::Micros(_) => days,
        Length::Days(length) => floor(days - FIRST_DAY, length * i64::from(count.max(1))) + FIRST_DAY,
        Length::Months(length) => {
            let (year, month, _) = calendar::civil(days);
            let months = floor((year - 1) * 12 + month - 1, length * i64::from(count.max(1)));
            calendar::days(months.div_euclid(12) + 1, months.rem_euclid(12) + 1, 1)
        }
    }
}

/// The first microsecond of the slice of `count` units that the moment lies in, both since 1970-01-01 00:00:00.
pub(crate) fn floor_micros(micros: i64, count: u32, unit: TimeUnit) -> i64 {
    match unit.length() {
        Length::Micros(length) => {
            let (first, length) =
                (i128::from(FIRST_DAY * MICROS_PER_DAY), i128::from(length) * i128::from(count.max(1)));
            let floor = (i128::from(micros) - first).div_euclid(length) * length + first;
            i64::try_from(floor).unwrap_or(i64::MIN)
        }
        _ => floor_days(micros.div_euclid(MICROS_PER_DAY), count, unit).saturating_mul(MICROS_PER_DAY),
    }
}
