//! One expression over a few columns, and its results as text.

use std::sync::Arc;

use arrow_array::cast::AsArray;
use arrow_array::{Array, ArrayRef, StringArray};
use penstock_expressions::StarRocks;
use penstock_kernel::expression::{ExpressionError, Expressions, Input, Moment};
use penstock_kernel::table::ColumnType;

/// 2023-11-14 22:13:20.999 UTC.
pub(crate) const NOW_MS: i64 = 1_700_000_000_999;

/// Evaluates over one row of VARCHAR inputs; the result as text, `None` for NULL.
pub(crate) fn evaluate(
    text: &str,
    row: &[(&str, Option<&str>)],
    zone: &str,
) -> Result<Option<String>, ExpressionError> {
    let inputs: Vec<Input> = row
        .iter()
        .map(|(name, _)| Input { name: (*name).to_owned(), column_type: ColumnType::Varchar(u32::MAX) })
        .collect();
    let expression = StarRocks.compile(text, &inputs, &ColumnType::Varchar(1 << 20), zone)?;
    let columns: Vec<ArrayRef> = expression
        .reads()
        .iter()
        .map(|place| Arc::new(StringArray::from(vec![row[*place].1, None])) as ArrayRef)
        .collect();
    let moment = Moment { now_ms: NOW_MS, seed: 7, first_row: 0 };
    let results = expression.evaluate(&columns, 2, &moment).expect("an evaluation never fails");
    assert_eq!(results.len(), 2, "{text}");
    let results = results.as_string::<i32>();
    Ok(results.is_valid(0).then(|| results.value(0).to_owned()))
}

/// The same without a row, in UTC; `NULL` for NULL.
pub(crate) fn shown(text: &str) -> String {
    match evaluate(text, &[], "UTC") {
        Ok(value) => value.unwrap_or_else(|| "NULL".to_owned()),
        Err(error) => format!("error: {error}"),
    }
}
