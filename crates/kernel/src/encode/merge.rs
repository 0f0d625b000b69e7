//! Statistics of a file from those of its parts.
//!
//! Sums of parts are what [`of`](super::statistics::of) says of the whole, so a file that is written piece by piece has
//! the same statistics as one written at once. A bound that one part does not know the whole does not know either; a part
//! of NULLs alone knows nothing and takes nothing away.

use std::cmp::Ordering;

use super::{ColumnStatistics, StatisticValue};

/// Statistics of rows that come in parts.
#[derive(Debug, Clone, Default)]
pub struct StatisticsSum {
    columns: Vec<Sum>,
    rows: u64,
}

#[derive(Debug, Clone)]
struct Sum {
    statistics: ColumnStatistics,
    /// Whether a part had a value in this column.
    any: bool,
}

impl StatisticsSum {
    /// Adds a part of `rows` rows, whose statistics are `part`, one entry a column in the order of the schema.
    pub fn add(&mut self, part: Vec<ColumnStatistics>, rows: u64) {
        self.rows = self.rows.saturating_add(rows);
        if self.columns.is_empty() {
            self.columns =
                part.into_iter().map(|statistics| Sum { any: statistics.nulls < rows, statistics }).collect();
            return;
        }
        for (sum, part) in self.columns.iter_mut().zip(part) {
            let has_values = part.nulls < rows;
            sum.statistics.nulls = sum.statistics.nulls.saturating_add(part.nulls);
            if !has_values {
                continue;
            }
            if sum.any {
                sum.statistics.min = bound(sum.statistics.min.take(), part.min, Ordering::Less);
                sum.statistics.max = bound(sum.statistics.max.take(), part.max, Ordering::Greater);
            } else {
                (sum.statistics.min, sum.statistics.max) = (part.min, part.max);
            }
            sum.any = true;
        }
    }

    /// The statistics of all rows, one entry a column, and how many rows there are.
    pub fn finish(self) -> (Vec<ColumnStatistics>, u64) {
        (self.columns.into_iter().map(|sum| sum.statistics).collect(), self.rows)
    }
}

/// The one of two bounds that lies further out; `None` if either is unknown.
fn bound(one: Option<StatisticValue>, other: Option<StatisticValue>, outward: Ordering) -> Option<StatisticValue> {
    let (one, other) = (one?, other?);
    let order = compare(&one, &other)?;
    // Of a value and a bound with the same text, the value is one of the column.
    let exact = order == Ordering::Equal && matches!(one, StatisticValue::Text(_));
    Some(if order == outward || exact { one } else { other })
}

/// `None` for values of different columns.
fn compare(one: &StatisticValue, other: &StatisticValue) -> Option<Ordering> {
    use StatisticValue::{Boolean, Float, Integer, Text, TextBound, Unscaled};
    Some(match (one, other) {
        (Boolean(one), Boolean(other)) => one.cmp(other),
        (Integer(one), Integer(other)) => one.cmp(other),
        (Float(one), Float(other)) => one.total_cmp(other),
        (Unscaled(one), Unscaled(other)) => digits(one, other),
        (Text(one) | TextBound(one), Text(other) | TextBound(other)) => one.as_bytes().cmp(other.as_bytes()),
        _ => return None,
    })
}

/// Compares integers of any length, written without leading zeros.
fn digits(one: &str, other: &str) -> Ordering {
    match (one.strip_prefix('-'), other.strip_prefix('-')) {
        (Some(one), Some(other)) => (other.len(), other).cmp(&(one.len(), one)),
        (Some(_), None) => Ordering::Less,
        (None, Some(_)) => Ordering::Greater,
        (None, None) => (one.len(), one).cmp(&(other.len(), other)),
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, Decimal128Array, Float64Array, Int64Array, RecordBatch, StringArray};
    use proptest::prelude::*;

    use super::super::statistics;
    use super::*;

    type Row = (Option<i64>, Option<f64>, Option<String>, Option<i128>);

    fn batch(rows: &[Row]) -> RecordBatch {
        let columns: Vec<(&str, ArrayRef, bool)> = vec![
            ("i", Arc::new(rows.iter().map(|row| row.0).collect::<Int64Array>()), true),
            ("f", Arc::new(rows.iter().map(|row| row.1).collect::<Float64Array>()), true),
            ("t", Arc::new(rows.iter().map(|row| row.2.clone()).collect::<StringArray>()), true),
            ("d", Arc::new(rows.iter().map(|row| row.3).collect::<Decimal128Array>()), true),
        ];
        RecordBatch::try_from_iter_with_nullable(columns).unwrap()
    }

    fn float() -> impl Strategy<Value = f64> {
        prop_oneof![-1e9..1e9, Just(f64::NAN), Just(f64::INFINITY), Just(-0.0), Just(0.0)]
    }

    fn text() -> impl Strategy<Value = String> {
        prop_oneof!["[a-c]{0,3}", "[ab]{62,67}", "é{31,34}", Just("\u{10ffff}".repeat(20))]
    }

    fn unknown(value: f64) -> bool {
        !value.is_finite()
    }

    proptest! {
        #[test]
        fn sum_of_parts_is_what_the_whole_says(
            rows in prop::collection::vec(
                (prop::option::of(any::<i64>()), prop::option::of(float()), prop::option::of(text()),
                    prop::option::of(-100_i128..100)), 1..30),
            at in 0_usize..30,
        ) {
            let (left, right) = rows.split_at(at.min(rows.len()));
            let mut sum = StatisticsSum::default();
            for part in [left, right].into_iter().filter(|part| !part.is_empty()) {
                sum.add(statistics::of(&batch(part)), part.len() as u64);
            }
            let (columns, count) = sum.finish();
            prop_assert_eq!(count, rows.len() as u64);
            let whole = statistics::of(&batch(&rows));
            for (place, (sum, whole)) in columns.iter().zip(&whole).enumerate() {
                prop_assert_eq!(sum.nulls, whole.nulls);
                // A bound that one part does not know may be known of the whole: less is said, never something wrong.
                if place == 1 && rows.iter().any(|row| row.1.is_some_and(unknown)) {
                    prop_assert!(sum.min.is_none() || sum.min == whole.min);
                    prop_assert!(sum.max.is_none() || sum.max == whole.max);
                } else if place == 2 {
                    prop_assert!(sum.max.is_none() || sum.max == whole.max);
                    prop_assert_eq!(&sum.min, &whole.min);
                } else {
                    prop_assert_eq!(sum, whole);
                }
            }
        }
    }

    #[test]
    fn part_of_nulls_takes_no_bound_away() {
        let mut sum = StatisticsSum::default();
        for value in [None, Some(5), None, Some(-3)] {
            sum.add(statistics::of(&batch(&[(value, None, None, None)])), 1);
        }
        let (columns, _) = sum.finish();
        let first = columns.first().unwrap();
        assert_eq!((first.nulls, &first.min), (2, &Some(StatisticValue::Integer(-3))));
        assert_eq!(first.max, Some(StatisticValue::Integer(5)));
    }
}
