//! Stages 6 and 7: what the table demands of a row, and the rows that meet it as columns of the table.

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, UInt32Array, new_null_array};
use arrow_buffer::BooleanBufferBuilder;
use arrow_schema::ArrowError;
use arrow_select::filter::filter;
use arrow_select::take::take;
use std::sync::Arc;

use super::Plan;
use super::computed::Computed;
use super::rejection::{Rejection, Rejections};
use super::rows::Rows;
use crate::format::value::Value;
use crate::loaded::KeptRow;
use crate::table::ColumnType;

/// Where a column of the table comes from.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    /// The feed of that number.
    Feed(usize),
    /// The computed column of that number.
    Computed(usize),
    /// The default, one value.
    Constant {
        /// The value.
        value: ArrayRef,
        /// Bytes of text that a row of it takes at most.
        bytes: usize,
    },
    /// The moment of the batch.
    Now(ColumnType),
    /// NULL.
    Null(ColumnType),
}

/// NULL in a column that takes none.
#[derive(Debug)]
pub(super) struct Violation {
    /// The row.
    pub(super) row: usize,
    /// What it is if it is rejected for that.
    pub(super) rejected: KeptRow,
}

/// Takes rows out for their violations; `rejected` gets them. `computed` are the computed columns, all rows of each.
pub(super) fn check(plan: &Plan, rows: &mut Rows<'_>, computed: &[ArrayRef], rejected: &mut Rejections<'_>) {
    let found = std::mem::take(&mut rows.violations);
    if !found.is_empty() {
        let alive = alive_mask(rows);
        for Violation { row, rejected: kept } in found {
            // WHERE may have left it out.
            if alive.values().value(row) {
                rejected.push_kept(kept);
                rows.dead.push(row);
            }
        }
    }
    for (column, results) in plan.computed.iter().zip(computed) {
        check_computed(column, results, rows, rejected);
    }
    rows.dead.sort_unstable();
}

/// What no type says of a computed value: that it is there, and not too long.
fn check_computed(column: &Computed, results: &ArrayRef, rows: &mut Rows<'_>, rejected: &mut Rejections<'_>) {
    let max_bytes = match column.column_type {
        ColumnType::Char(max_bytes) | ColumnType::Varchar(max_bytes) => usize::try_from(max_bytes).ok(),
        _ => None,
    };
    if max_bytes.is_none() && (column.nullable || results.null_count() == 0) {
        return;
    }
    let texts = results.as_string_opt::<i32>();
    let alive = alive_mask(rows);
    let sources = rows.sources.iter().enumerate().filter(|(row, _)| alive.values().value(*row));
    for (row, source) in sources {
        let reason = if results.is_null(row) {
            (!column.nullable).then(|| format!("NULL value in non-nullable column '{}'", column.name))
        } else {
            let text = texts.map(|texts| texts.value(row)).unwrap_or_default();
            max_bytes.filter(|max_bytes| text.len() > *max_bytes).map(|max_bytes| {
                format!(
                    "String '{}'(length={}) is too long. The max length of '{}' is {max_bytes}",
                    Value::Text(text),
                    text.len(),
                    column.name
                )
            })
        };
        if let Some(reason) = reason {
            rejected.push(Rejection { source: *source, column: Some(column.name.clone()), reason });
            rows.dead.push(row);
        }
    }
}

/// The rows that are alive, as columns of the table; `None` if there are none.
pub(super) fn assemble(
    plan: &Plan,
    rows: &Rows<'_>,
    fed: &[ArrayRef],
    computed: &[ArrayRef],
    now_ms: i64,
) -> Option<RecordBatch> {
    let alive = rows.count - rows.dead.len();
    if alive == 0 {
        return None;
    }
    match columns(plan, rows, (fed, computed), alive, now_ms) {
        Ok(batch) => Some(batch),
        Err(error) => unreachable!("builders and expressions give the schema's types, one entry a row: {error}"),
    }
}

fn columns(
    plan: &Plan,
    rows: &Rows<'_>,
    (fed, computed): (&[ArrayRef], &[ArrayRef]),
    alive: usize,
    now_ms: i64,
) -> Result<RecordBatch, ArrowError> {
    let mask = (alive < rows.count).then(|| alive_mask(rows));
    let living = |column: &ArrayRef| mask.as_ref().map_or(Ok(Arc::clone(column)), |mask| filter(column, mask));
    let columns = plan
        .origins
        .iter()
        .map(|origin| match origin {
            Origin::Feed(place) => fed.get(*place).map_or_else(|| missing("feed"), living),
            Origin::Computed(place) => computed.get(*place).map_or_else(|| missing("computed column"), living),
            constant => constant.repeated(alive, now_ms),
        })
        .collect::<Result<_, _>>()?;
    RecordBatch::try_new(Arc::clone(&plan.schema), columns)
}

fn missing(what: &str) -> Result<ArrayRef, ArrowError> {
    Err(ArrowError::InvalidArgumentError(format!("a {what} that is not there")))
}

impl Origin {
    /// The column of so many rows, if no record decides it.
    ///
    /// # Errors
    /// What Arrow says to a length that it cannot hold, and for what records decide.
    pub(super) fn repeated(&self, rows: usize, now_ms: i64) -> Result<ArrayRef, ArrowError> {
        match self {
            Self::Feed(_) | Self::Computed(_) => missing("constant"),
            Self::Constant { value, .. } => repeated(value, rows),
            Self::Now(column_type) => repeated(&now(column_type, now_ms), rows),
            Self::Null(column_type) => Ok(new_null_array(&column_type.arrow(), rows)),
        }
    }
}

fn alive_mask(rows: &Rows<'_>) -> BooleanArray {
    let mut mask = BooleanBufferBuilder::new(rows.count);
    mask.append_n(rows.count, true);
    for row in &rows.dead {
        mask.set_bit(*row, false);
    }
    BooleanArray::new(mask.finish(), None)
}

/// The only entry of `value`, so many times.
fn repeated(value: &ArrayRef, rows: usize) -> Result<ArrayRef, ArrowError> {
    take(&**value as &dyn Array, &UInt32Array::from_value(0, rows), None)
}

/// One entry: the moment in whole seconds of UTC, as `CURRENT_TIMESTAMP` has it.
fn now(column_type: &ColumnType, now_ms: i64) -> ArrayRef {
    let seconds = now_ms.div_euclid(1000);
    match column_type {
        ColumnType::Date => {
            let days = i32::try_from(seconds.div_euclid(86_400)).unwrap_or_default();
            Arc::new(arrow_array::Date32Array::from_value(days, 1))
        }
        _ => Arc::new(arrow_array::TimestampMicrosecondArray::from_value(seconds.saturating_mul(1_000_000), 1)),
    }
}
