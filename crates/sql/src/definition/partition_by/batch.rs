//! `START ... END ... EVERY`: several ranges at once, with names made of their beginnings.

use penstock_kernel::partitioning::{MAX_NAMED_PARTITIONS, PartitionValue, TimeUnit};
use penstock_kernel::table::ColumnType;

use super::{analysis, too_many, value};
use crate::error::SqlError;
use crate::statement::{BatchClause, Step};

/// What a batch makes.
pub(super) struct Batch {
    /// Ascending, each beginning where the one before ends; at least one.
    pub(super) ranges: Vec<Made>,
    /// Count and unit, unless it counts in integers.
    pub(super) interval: Option<(u64, TimeUnit)>,
}

/// One range.
pub(super) struct Made {
    pub(super) name: String,
    pub(super) lower: PartitionValue,
    pub(super) upper: PartitionValue,
}

/// The ranges of a batch over a column of this type; the last one ends where the batch does.
pub(super) fn ranges(clause: &BatchClause, column_type: &ColumnType) -> Result<Batch, SqlError> {
    let step = clause.step;
    let interval = match (step.value, column_type) {
        (Step::Interval(count, unit), ColumnType::DateTime) => Some((count, unit)),
        (Step::Interval(count, unit), ColumnType::Date) if !unit.is_within_day() => Some((count, unit)),
        (Step::Number(_), integer) if is_integer(integer) => None,
        (Step::Interval(_, unit), ColumnType::Date) => {
            return analysis(step.position, &format!("a column of type date has no {}", unit.name()));
        }
        (Step::Number(number), ColumnType::Date | ColumnType::DateTime) => {
            let detail = format!("expected INTERVAL <count> <unit> for a column of type {column_type}, found {number}");
            return analysis(step.position, &detail);
        }
        _ => {
            let detail = format!("START ... END ... EVERY cannot count through a column of type {column_type}");
            return analysis(step.position, &detail);
        }
    };
    let edge =
        |edge: &crate::position::Placed<String>| match value(&edge.value, column_type, "START, END", edge.position)? {
            PartitionValue::Integer(value) => Ok(value),
            _ => analysis(edge.position, "expected a date or an integer"),
        };
    let (start, end) = (edge(&clause.start)?, edge(&clause.end)?);
    if start >= end {
        return analysis(clause.start.position, "expected START before END");
    }
    let counted = match step.value {
        Step::Number(count) | Step::Interval(count, _) => count,
    };
    if counted == 0 {
        return analysis(step.position, "expected a step of at least 1, found 0");
    }
    // Each beginning is counted from the first, so that months keep the day that the first one has.
    let beginning = |number: u64| -> Option<i128> {
        let count = i128::from(number) * i128::from(counted);
        let count_64 = i64::try_from(count).ok()?;
        match (interval, column_type) {
            (None, _) => start.checked_add(count),
            (Some((_, unit)), ColumnType::Date) => {
                unit.add_to_days(i64::try_from(start).ok()?, count_64).map(i128::from)
            }
            (Some((_, unit)), _) => unit.add_to_micros(i64::try_from(start).ok()?, count_64).map(i128::from),
        }
    };
    let mut ranges = Vec::new();
    let mut lower = start;
    for number in 1.. {
        // What lies beyond all numbers lies beyond the end.
        let upper = beginning(number).map_or(end, |upper| upper.min(end));
        if ranges.len() >= MAX_NAMED_PARTITIONS {
            return Err(too_many(clause.start.position));
        }
        let name = name(&PartitionValue::Integer(lower), column_type, interval.map(|(_, unit)| unit));
        ranges.push(Made { name, lower: PartitionValue::Integer(lower), upper: PartitionValue::Integer(upper) });
        if upper >= end {
            break;
        }
        lower = upper;
    }
    Ok(Batch { ranges, interval })
}

fn is_integer(column_type: &ColumnType) -> bool {
    matches!(
        column_type,
        ColumnType::TinyInt | ColumnType::SmallInt | ColumnType::Int | ColumnType::BigInt | ColumnType::LargeInt
    )
}

/// `p` and the digits of the beginning that the unit leaves; `p_5` for minus five.
fn name(lower: &PartitionValue, column_type: &ColumnType, unit: Option<TimeUnit>) -> String {
    let text = lower.text(column_type).unwrap_or_default();
    let Some(unit) = unit else {
        return format!("p{}", text.replace('-', "_"));
    };
    let digits: String = text.chars().filter(char::is_ascii_digit).collect();
    let length = match unit {
        TimeUnit::Year => 4,
        TimeUnit::Month | TimeUnit::Quarter => 6,
        TimeUnit::Day | TimeUnit::Week => 8,
        TimeUnit::Hour => 10,
        TimeUnit::Minute => 12,
        TimeUnit::Second => 14,
    };
    format!("p{}", digits.get(..length).unwrap_or(&digits))
}
