//! Stages 2 to 4: rows into columns, each value by its column's type, and what an unsuitable value costs.
//!
//! | value | strict | not strict |
//! | --- | --- | --- |
//! | missing, null | NULL | NULL |
//! | not of the column's type | row rejected | NULL |
//! | index of a path on no array | row rejected | row rejected |
//!
//! A rejected row keeps its place, filled with NULL, until the sink takes the rows that remain: columns are always
//! equally long, and nothing is ever taken back.

use super::Plan;
use super::mapping::Slot;
use super::rejection::{OutOfRange, Rejection, Rejections, RowSource};
use super::sink::Violation;
use crate::batch::Record;
use crate::convert::{ColumnBuilder, Outcome, Scratch};
use crate::expression::Input;
use crate::format::value::Value;
use crate::table::{Column, ColumnType};

/// A column that a source column feeds.
#[derive(Debug, Clone)]
pub(super) struct Feed {
    /// The source column.
    pub(super) slot: Slot,
    /// The column's name.
    pub(super) name: String,
    /// Its type.
    pub(super) column_type: ColumnType,
    /// Whether it takes NULL.
    pub(super) nullable: bool,
    /// How the source column is read.
    pub(super) reading: Reading,
}

/// How a source column becomes a column.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Reading {
    /// By the column's type.
    Direct,
    /// As its text, which then becomes the column's type: so a field is read that an expression names, too. `true` is
    /// `1` to either.
    ThroughText,
    /// As what expressions see. Not having that costs nothing: strict mode is about columns that are copied.
    Input,
}

impl Feed {
    /// The feed of a column that a source column is copied to.
    pub(super) fn of_column(slot: Slot, column: &Column) -> Self {
        Self {
            slot,
            name: column.name.clone(),
            column_type: column.column_type.clone(),
            nullable: column.nullable,
            reading: Reading::Direct,
        }
    }

    /// What expressions see of a source column.
    pub(super) fn of_input(slot: Slot, input: Input) -> Self {
        Self { slot, name: input.name, column_type: input.column_type, nullable: true, reading: Reading::Input }
    }

    /// Whether an unsuitable value loses the row.
    fn rejects(&self, value: &Value<'_>, strict: bool) -> bool {
        *value == Value::NoArray || strict && self.reading != Reading::Input
    }
}

/// Rows so far.
#[derive(Debug)]
pub(super) struct Rows<'a> {
    /// One a feed, each as long as there are rows.
    pub(super) columns: Vec<ColumnBuilder>,
    /// How many there are, dead ones included.
    pub(super) count: usize,
    /// Rows that are not to be loaded, ascending.
    pub(super) dead: Vec<usize>,
    /// Rows with NULL where the table takes none, ascending; WHERE may yet leave them out.
    pub(super) violations: Vec<Violation>,
    /// Where each row comes from, dead ones included; empty if nothing more can become of it than its feeds say.
    pub(super) sources: Vec<RowSource<'a>>,
    /// Bytes of the rows' texts: no column can hold more text than this.
    pub(super) text_bytes: usize,
}

impl<'a> Rows<'a> {
    /// No rows, and room for so many.
    pub(super) fn new(plan: &Plan, expected: usize) -> Self {
        Self {
            columns: plan.feeds.iter().map(|feed| ColumnBuilder::new(&feed.column_type, expected)).collect(),
            count: 0,
            dead: Vec::new(),
            violations: Vec::new(),
            sources: Vec::new(),
            text_bytes: 0,
        }
    }

    /// Appends a row of `record` in `topic`, or a dead one in its place, whose rejection goes to `rejections`.
    #[inline]
    pub(super) fn push(
        &mut self,
        plan: &Plan,
        values: &[Value<'a>],
        (topic, record): (&'a str, &Record<'a>),
        source: RowSource<'a>,
        scratch: &mut Scratch,
        rejections: &mut Rejections<'a>,
    ) {
        let row = self.count;
        self.count += 1;
        if plan.division.is_some() || plan.has_expressions() {
            self.sources.push(source);
        }
        let mut null_in: Option<(usize, Value<'a>)> = None;
        for (number, (feed, column)) in plan.feeds.iter().zip(&mut self.columns).enumerate() {
            let known;
            let value = match feed.slot {
                Slot::Field(place) => values.get(place).unwrap_or(&Value::Missing),
                Slot::Metadata(_) => {
                    known = feed.slot.value(values, topic, record);
                    &known
                }
            };
            let read = match (feed.reading, value) {
                (Reading::ThroughText, Value::Boolean(true)) => &Value::Text("1"),
                (Reading::ThroughText, Value::Boolean(false)) => &Value::Text("0"),
                _ => value,
            };
            let outcome = column.append(read, scratch);
            if outcome == Outcome::Value {
                continue;
            }
            let value = *value;
            match outcome {
                Outcome::Value => {}
                Outcome::Invalid if feed.rejects(&value, plan.strict) => {
                    // The columns before this one have their entry already.
                    self.columns.iter_mut().skip(number + 1).for_each(ColumnBuilder::append_null);
                    self.dead.push(row);
                    rejections.push(unsuitable(feed, scratch.resolve(value, &mut String::new()), source));
                    return;
                }
                Outcome::Null | Outcome::Invalid => {
                    if !feed.nullable && null_in.is_none() {
                        null_in = Some((number, value));
                    }
                }
            }
        }
        if let Some((number, value)) = null_in
            && let Some(feed) = plan.feeds.get(number)
        {
            let mut found = String::new();
            let value = scratch.resolve(value, &mut found);
            self.violations.push(Violation { row, rejected: rejections.null(source, number, feed, value) });
        }
    }

    /// Where the rows that are to be loaded come from, in their order; empty if nobody will ask.
    pub(super) fn alive_sources(&mut self) -> Vec<RowSource<'a>> {
        let mut sources = std::mem::take(&mut self.sources);
        let mut dead = self.dead.iter().copied().peekable();
        let mut row = 0;
        sources.retain(|_| {
            let is_dead = dead.next_if(|dead| *dead <= row).is_some();
            row += 1;
            !is_dead
        });
        sources
    }
}

#[cold]
fn unsuitable<'a>(feed: &Feed, value: Value<'_>, source: RowSource<'a>) -> Rejection<'a> {
    let reason = match value {
        Value::NoArray => format!("the path of column '{}' has an index where the row has no array", feed.name),
        _ => OutOfRange { feed, value }.to_string(),
    };
    Rejection { source, column: Some(feed.name.clone()), reason }
}
