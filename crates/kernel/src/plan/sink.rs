//! Stages 6 and 7: what the table demands of a row, and the rows that meet it as columns of the table.

use arrow_array::{Array, ArrayRef, BooleanArray, RecordBatch, UInt32Array, new_null_array};
use arrow_buffer::BooleanBufferBuilder;
use arrow_schema::ArrowError;
use arrow_select::filter::filter;
use arrow_select::take::take;
use std::sync::Arc;

use super::Plan;
use super::rejection::Rejections;
use super::rows::Rows;
use crate::convert::ColumnBuilder;
use crate::loaded::KeptRow;
use crate::table::ColumnType;

/// Where a column of the table comes from.
#[derive(Debug, Clone)]
pub(super) enum Origin {
    /// The feed of that number.
    Feed(usize),
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

/// Takes rows out for their violations; `rejected` gets them.
pub(super) fn check(rows: &mut Rows<'_>, rejected: &mut Rejections<'_>) {
    if rows.violations.is_empty() {
        return;
    }
    for Violation { row, rejected: kept } in rows.violations.drain(..) {
        rejected.push_kept(kept);
        rows.dead.push(row);
    }
    rows.dead.sort_unstable();
}

/// The rows that are alive, as columns of the table; `None` if there are none.
pub(super) fn assemble(plan: &Plan, rows: Rows<'_>, now_ms: i64) -> Option<RecordBatch> {
    let alive = rows.count - rows.dead.len();
    if alive == 0 {
        return None;
    }
    match columns(plan, rows, alive, now_ms) {
        Ok(batch) => Some(batch),
        Err(error) => unreachable!("builders give the schema's types, one entry a row: {error}"),
    }
}

fn columns(plan: &Plan, rows: Rows<'_>, alive: usize, now_ms: i64) -> Result<RecordBatch, ArrowError> {
    let mask = (alive < rows.count).then(|| alive_mask(&rows));
    let fed: Vec<ArrayRef> = rows
        .columns
        .into_iter()
        .map(ColumnBuilder::finish)
        .map(|column| mask.as_ref().map_or(Ok(Arc::clone(&column)), |mask| filter(&column, mask)))
        .collect::<Result<_, _>>()?;
    let columns = plan
        .origins
        .iter()
        .map(|origin| match origin {
            Origin::Feed(feed) => fed
                .get(*feed)
                .cloned()
                .ok_or_else(|| ArrowError::InvalidArgumentError(format!("no feed {feed} among {}", fed.len()))),
            Origin::Constant { value, .. } => repeated(value, alive),
            Origin::Now(column_type) => repeated(&now(column_type, now_ms), alive),
            Origin::Null(column_type) => Ok(new_null_array(&column_type.arrow(), alive)),
        })
        .collect::<Result<_, _>>()?;
    RecordBatch::try_new(Arc::clone(&plan.schema), columns)
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
