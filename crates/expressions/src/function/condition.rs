//! Conditions, and values that are one or the other.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, BooleanArray, UInt32Array};
use arrow_schema::DataType;
use arrow_select::zip::zip;
use datafusion_common::Result;
use datafusion_expr::{ColumnarValue, Operator};
use datafusion_physical_expr::PhysicalExpr;
use datafusion_physical_expr::expressions::{BinaryExpr, Column};

use super::{Answer, Arg, Function, Kind, columns, form, row};
use crate::cast::cast;
use crate::types::{compared, either, is_nested};

pub(super) const FUNCTIONS: &[Function] = &[
    form(
        "if",
        "if(condition BOOLEAN, yes, no)",
        "`yes` if the condition is true, else `no`.",
        &[("if(1 > 2, 'y', 'n')", "n"), ("if(NULL, 1, 2)", "2")],
    ),
    form("coalesce", "coalesce(value, ...)", "The first value that is not NULL.", &[("coalesce(NULL, 'a', 'b')", "a")])
        .also(&["ifnull", "nvl"]),
    form(
        "nullif",
        "nullif(a, b)",
        "NULL if both are equal, else `a`.",
        &[("nullif(1, 1)", "NULL"), ("nullif(2, 1)", "2")],
    ),
    form("isnull", "isnull(value) -> BOOLEAN", "Whether the value is NULL.", &[("isnull(NULL)", "1")]),
    form("isnotnull", "isnotnull(value) -> BOOLEAN", "Whether the value is not NULL.", &[("isnotnull(NULL)", "0")]),
    columns(
        "greatest",
        (1, None),
        "greatest(value, ...)",
        (any_of, greatest),
        "The largest value; NULL if one is NULL.",
        &[("greatest(1, 3, 2)", "3"), ("greatest('a', 'b')", "b"), ("greatest(1, NULL)", "NULL")],
    ),
    columns(
        "least",
        (1, None),
        "least(value, ...)",
        (any_of, least),
        "The smallest value; NULL if one is NULL.",
        &[("least(1.5, 3, 2)", "1.5")],
    ),
    row(
        "null_or_empty",
        &[("text", Kind::Text)],
        Kind::Boolean,
        null_or_empty,
        "Whether the text is NULL or empty.",
        &[("null_or_empty('')", "1"), ("null_or_empty('a')", "0")],
    )
    .with_null(),
];

fn null_or_empty(args: &[Arg<'_>]) -> Option<Answer> {
    Some(Answer::Boolean(matches!(args, [Arg::Null | Arg::Text("")])))
}

fn any_of(types: &[DataType], _: &[Option<i64>]) -> std::result::Result<DataType, String> {
    types.iter().cloned().reduce(|one, other| either(&one, &other)).ok_or_else(|| "takes a value".to_owned())
}

fn greatest(columns: &[ArrayRef], result: &DataType) -> Result<ArrayRef> {
    extreme(columns, result, Operator::Gt)
}

fn least(columns: &[ArrayRef], result: &DataType) -> Result<ArrayRef> {
    extreme(columns, result, Operator::Lt)
}

fn extreme(columns: &[ArrayRef], result: &DataType, wins: Operator) -> Result<ArrayRef> {
    let mut best: Option<ArrayRef> = None;
    for column in columns {
        let next = cast(column, result)?;
        best = Some(match best {
            None => next,
            Some(best) => {
                let next_wins = compare(&next, wins, &best)?;
                // Where one is NULL the answer is NULL: the comparison is, then.
                let chosen = zip(&or_false(&next_wins), &next, &best)?;
                let places: UInt32Array = (0..chosen.len())
                    .map(|row| next_wins.is_valid(row).then(|| u32::try_from(row).ok()).flatten())
                    .collect();
                arrow_select::take::take(&chosen, &places, None)?
            }
        });
    }
    best.map_or_else(|| Ok(arrow_array::new_null_array(result, 0)), Ok)
}

fn or_false(column: &BooleanArray) -> BooleanArray {
    column.iter().map(|value| Some(value.unwrap_or(false))).collect()
}

/// Row by row; NULL where one of both is. Columns of unlike types are compared as what both can be.
pub(super) fn compare(left: &ArrayRef, op: Operator, right: &ArrayRef) -> Result<BooleanArray> {
    use arrow_array::cast::AsArray;
    use arrow_schema::{Field, Schema};

    let common = compared(left.data_type(), right.data_type());
    let common = if left.data_type() == right.data_type() && !is_nested(left.data_type()) {
        left.data_type().clone()
    } else {
        common
    };
    let (left, right) = (cast(left, &common)?, cast(right, &common)?);
    let field = |name| Field::new(name, common.clone(), true);
    let schema = Arc::new(Schema::new(vec![field("l"), field("r")]));
    let rows = left.len();
    let batch = arrow_array::RecordBatch::try_new(schema, vec![left, right])?;
    let comparison = BinaryExpr::new(Arc::new(Column::new("l", 0)), op, Arc::new(Column::new("r", 1)));
    match comparison.evaluate(&batch)? {
        ColumnarValue::Array(column) => Ok(column.as_boolean().clone()),
        scalar @ ColumnarValue::Scalar(_) => Ok(scalar.into_array(rows)?.as_boolean().clone()),
    }
}
