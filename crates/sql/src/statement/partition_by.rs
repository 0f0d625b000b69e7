//! `PARTITION BY` as written.
//!
//! What it means, and whether it can, is for [`definition`](crate::definition).

use std::fmt;

use penstock_kernel::partitioning::{PartitionExpression, Partitioning, RangeBound, TimeUnit};

use crate::position::{Placed, Position};
use crate::print::{List, Name, Quoted};

/// `PARTITION BY ...`
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PartitionBy {
    /// `RANGE (<columns>) (<partitions>)`
    Range {
        /// At least one.
        columns: Vec<Placed<String>>,
        /// Perhaps none.
        partitions: Vec<RangeClause>,
    },
    /// `LIST (<columns>) (<partitions>)`
    List {
        /// At least one.
        columns: Vec<Placed<String>>,
        /// At least one.
        partitions: Vec<ListClause>,
    },
    /// Expressions, whose partitions come with their rows.
    Expressions {
        /// At least one; columns as written.
        expressions: Vec<Placed<PartitionExpression>>,
        /// Partitions that StarRocks would make ahead.
        batches: Vec<BatchClause>,
    },
}

/// An item of RANGE's list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RangeClause {
    /// One partition.
    One(RangeItem),
    /// Several at once.
    Batch(BatchClause),
}

/// `PARTITION <name> VALUES ...`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RangeItem {
    /// Its name.
    pub name: Placed<String>,
    /// Its range.
    pub values: RangeValues,
}

/// The range of a partition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum RangeValues {
    /// `LESS THAN (...)`: from where the partition before it ends.
    LessThan(Bound),
    /// `[(...), (...))`
    Between(Bound, Bound),
}

/// Values of a bound, one a column; at least one.
pub type Bound = Vec<Placed<BoundValue>>;

/// An entry of a bound.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum BoundValue {
    /// A literal's text.
    Text(String),
    /// `MAXVALUE`
    MaxValue,
}

/// `START (...) END (...) EVERY (...)`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct BatchClause {
    /// Lower bound of the first partition.
    pub start: Placed<String>,
    /// Upper bound of the last one.
    pub end: Placed<String>,
    /// Length of each.
    pub step: Placed<Step>,
}

/// The length of a partition of a batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// For integers.
    Number(u64),
    /// `INTERVAL <count> <unit>`
    Interval(u64, TimeUnit),
}

/// `PARTITION <name> VALUES IN (...)`
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ListClause {
    /// Its name.
    pub name: Placed<String>,
    /// Its tuples, each of at least one literal; `None` is NULL.
    pub values: Vec<Placed<Vec<Option<String>>>>,
}

impl PartitionBy {
    /// The clause that defines `partitioning`; `None` if there is nothing to say. Positions mean nothing.
    pub fn of(partitioning: &Partitioning) -> Option<Self> {
        let placed_all = |names: &[String]| names.iter().cloned().map(placed).collect();
        match partitioning {
            Partitioning::Range(range) => {
                let partitions = range.partitions.iter().map(|one| {
                    let upper = bound(&one.upper);
                    let values = if one.lower.is_lowest() {
                        RangeValues::LessThan(upper)
                    } else {
                        RangeValues::Between(bound(&one.lower), upper)
                    };
                    RangeClause::One(RangeItem { name: placed(one.name.clone()), values })
                });
                Some(Self::Range { columns: placed_all(&range.columns), partitions: partitions.collect() })
            }
            Partitioning::List(list) => {
                let partitions = list.partitions.iter().map(|one| ListClause {
                    name: placed(one.name.clone()),
                    values: one.values.iter().cloned().map(placed).collect(),
                });
                Some(Self::List { columns: placed_all(&list.columns), partitions: partitions.collect() })
            }
            Partitioning::Automatic(expressions) => Some(Self::Expressions {
                expressions: expressions.iter().cloned().map(placed).collect(),
                batches: Vec::new(),
            }),
            _ => None,
        }
    }
}

fn placed<T>(value: T) -> Placed<T> {
    Placed { value, position: Position::START }
}

fn bound(bound: &RangeBound) -> Bound {
    let value = |text: &Option<String>| match text {
        Some(text) => BoundValue::Text(text.clone()),
        None => BoundValue::MaxValue,
    };
    bound.0.iter().map(|text| placed(value(text))).collect()
}

impl fmt::Display for PartitionBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("PARTITION BY ")?;
        match self {
            Self::Range { columns, partitions } => {
                write!(f, "RANGE({})\n({})", ColumnNames(columns), Lines(partitions))
            }
            Self::List { columns, partitions } => {
                write!(f, "LIST({})\n({})", ColumnNames(columns), Lines(partitions))
            }
            Self::Expressions { expressions, batches } => {
                let expressions: Vec<Expression<'_>> = expressions.iter().map(|one| Expression(&one.value)).collect();
                write!(f, "({})", List(&expressions))?;
                if batches.is_empty() { Ok(()) } else { write!(f, "\n({})", Lines(batches)) }
            }
        }
    }
}

struct ColumnNames<'a>(&'a [Placed<String>]);

impl fmt::Display for ColumnNames<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let names: Vec<Name<'_>> = self.0.iter().map(|name| Name(&name.value)).collect();
        List(&names).fmt(f)
    }
}

/// Items with a comma and a line's end between.
struct Lines<'a, T>(&'a [T]);

impl<T: fmt::Display> fmt::Display for Lines<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, item) in self.0.iter().enumerate() {
            write!(f, "{}{item}", if index > 0 { ",\n" } else { "" })?;
        }
        Ok(())
    }
}

struct Expression<'a>(&'a PartitionExpression);

impl fmt::Display for Expression<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            PartitionExpression::Column(column) => Name(column).fmt(f),
            PartitionExpression::DateTrunc { unit, column } => {
                write!(f, "date_trunc('{}', {})", unit.name(), Name(column))
            }
            PartitionExpression::TimeSlice { column, count, unit } => {
                write!(f, "time_slice({}, INTERVAL {count} {})", Name(column), unit.name())
            }
        }
    }
}

impl fmt::Display for RangeClause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::One(item) => item.fmt(f),
            Self::Batch(batch) => batch.fmt(f),
        }
    }
}

impl fmt::Display for RangeItem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PARTITION {} VALUES ", Name(&self.name.value))?;
        match &self.values {
            RangeValues::LessThan(upper) => write!(f, "LESS THAN ({})", BoundValues(upper)),
            RangeValues::Between(lower, upper) => write!(f, "[({}), ({}))", BoundValues(lower), BoundValues(upper)),
        }
    }
}

struct BoundValues<'a>(&'a Bound);

impl fmt::Display for BoundValues<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (index, entry) in self.0.iter().enumerate() {
            f.write_str(if index > 0 { ", " } else { "" })?;
            match &entry.value {
                BoundValue::Text(text) => Quoted(text).fmt(f)?,
                BoundValue::MaxValue => f.write_str("MAXVALUE")?,
            }
        }
        Ok(())
    }
}

impl fmt::Display for BatchClause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "START ({}) END ({}) EVERY (", Quoted(&self.start.value), Quoted(&self.end.value))?;
        match self.step.value {
            Step::Number(number) => write!(f, "{number})"),
            Step::Interval(count, unit) => write!(f, "INTERVAL {count} {})", unit.name()),
        }
    }
}

impl fmt::Display for ListClause {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PARTITION {} VALUES IN (", Name(&self.name.value))?;
        for (index, tuple) in self.values.iter().enumerate() {
            f.write_str(if index > 0 { ", " } else { "" })?;
            let values: Vec<Value<'_>> = tuple.value.iter().map(Value).collect();
            match values.as_slice() {
                [one] => one.fmt(f)?,
                several => write!(f, "({})", List(several))?,
            }
        }
        f.write_str(")")
    }
}

struct Value<'a>(&'a Option<String>);

impl fmt::Display for Value<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(text) => Quoted(text).fmt(f),
            None => f.write_str("NULL"),
        }
    }
}
