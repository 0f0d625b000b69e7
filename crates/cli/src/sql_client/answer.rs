//! One statement asked, and its answer in the types of `penstock-sql`.

use std::borrow::Cow;

use mysql_async::consts::{ColumnFlags, ColumnType};
use mysql_async::prelude::Queryable as _;
use mysql_async::{Column, Conn, Error, QueryResult, Row, TextProtocol, Value};
use penstock_sql::lexer::Lexer;
use penstock_sql::result::{Cell, CellType, ResultColumn, ResultSet};

/// What a statement answered.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Answer {
    /// Rows, if the statement has any to show (be they none).
    pub rows: Option<ResultSet>,
    /// Rows that the statement changed.
    pub affected_rows: u64,
    /// Whether the session uses another database now.
    pub database_changed: bool,
}

/// Asks one statement and waits for all of its answer.
///
/// # Errors
/// The server refuses the statement, or is gone.
pub async fn ask(connection: &mut Conn, statement: &str) -> Result<Answer, Error> {
    let mut result = connection.query_iter(statement).await?;
    let Some(columns) = columns(&result) else {
        let affected_rows = result.affected_rows();
        result.drop_result().await?;
        let first = Lexer::new(statement).next();
        let database_changed = first.is_some_and(|token| token.is_keyword("USE"));
        return Ok(Answer { rows: None, affected_rows, database_changed });
    };
    let mut rows = Vec::new();
    while let Some(row) = result.next().await? {
        rows.push(cells(row, &columns));
    }
    result.drop_result().await?;
    Ok(Answer { rows: Some(ResultSet { columns, rows }), affected_rows: 0, database_changed: false })
}

/// The columns of a result; `None` if the statement answers no rows.
pub(super) fn columns(result: &QueryResult<'_, '_, TextProtocol>) -> Option<Vec<ResultColumn>> {
    let columns = result.columns_ref();
    (!columns.is_empty()).then(|| columns.iter().map(column).collect())
}

fn column(column: &Column) -> ResultColumn {
    ResultColumn { name: column.name_str().into_owned(), cell_type: cell_type(column) }
}

/// The character set of bytes that are no text.
const BINARY: u16 = 63;

fn cell_type(column: &Column) -> CellType {
    match column.column_type() {
        ColumnType::MYSQL_TYPE_TINY if column.column_length() == 1 => CellType::Boolean,
        ColumnType::MYSQL_TYPE_TINY => CellType::TinyInt,
        ColumnType::MYSQL_TYPE_SHORT | ColumnType::MYSQL_TYPE_YEAR => CellType::SmallInt,
        ColumnType::MYSQL_TYPE_LONG | ColumnType::MYSQL_TYPE_INT24 => CellType::Int,
        ColumnType::MYSQL_TYPE_LONGLONG if column.flags().contains(ColumnFlags::UNSIGNED_FLAG) => {
            CellType::UnsignedBigInt
        }
        ColumnType::MYSQL_TYPE_LONGLONG => CellType::BigInt,
        ColumnType::MYSQL_TYPE_DECIMAL | ColumnType::MYSQL_TYPE_NEWDECIMAL => {
            let scale = column.decimals();
            let around = 1 + u32::from(scale > 0);
            let precision = column.column_length().saturating_sub(around);
            CellType::Decimal { precision: u8::try_from(precision).unwrap_or(u8::MAX), scale }
        }
        ColumnType::MYSQL_TYPE_FLOAT => CellType::Float,
        ColumnType::MYSQL_TYPE_DOUBLE => CellType::Double,
        ColumnType::MYSQL_TYPE_DATE => CellType::Date,
        ColumnType::MYSQL_TYPE_DATETIME | ColumnType::MYSQL_TYPE_TIMESTAMP => CellType::DateTime,
        ColumnType::MYSQL_TYPE_JSON => CellType::Json,
        ColumnType::MYSQL_TYPE_TINY_BLOB
        | ColumnType::MYSQL_TYPE_BLOB
        | ColumnType::MYSQL_TYPE_MEDIUM_BLOB
        | ColumnType::MYSQL_TYPE_LONG_BLOB
        | ColumnType::MYSQL_TYPE_VAR_STRING
        | ColumnType::MYSQL_TYPE_STRING
            if column.character_set() == BINARY =>
        {
            CellType::Binary
        }
        _ => CellType::Varchar,
    }
}

/// A row's cells, each as its column's type holds it; text that is no such value stays text.
pub(super) fn cells(row: Row, columns: &[ResultColumn]) -> Vec<Cell> {
    let values = row.unwrap_raw().into_iter().zip(columns);
    values.map(|(value, column)| cell(value.unwrap_or(Value::NULL), column.cell_type)).collect()
}

fn cell(value: Value, cell_type: CellType) -> Cell {
    let bytes = match value {
        Value::NULL => return Cell::Null,
        Value::Bytes(bytes) => bytes,
        other => return Cell::Text(other.as_sql(true)),
    };
    if cell_type == CellType::Binary {
        return Cell::Binary(bytes);
    }
    let text = match String::from_utf8_lossy(&bytes) {
        Cow::Owned(repaired) => repaired,
        Cow::Borrowed(text) => text.to_owned(),
    };
    let typed = match cell_type {
        CellType::Boolean | CellType::TinyInt | CellType::SmallInt | CellType::Int | CellType::BigInt => {
            text.parse().ok().map(Cell::Integer)
        }
        CellType::UnsignedBigInt => text.parse().ok().map(Cell::Unsigned),
        CellType::Float | CellType::Double => text.parse().ok().map(Cell::Float),
        _ => None,
    };
    typed.unwrap_or(Cell::Text(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn cells_take_the_type_of_their_column() {
        for (text, cell_type, expected) in [
            ("-5", CellType::Int, Cell::Integer(-5)),
            ("18446744073709551615", CellType::UnsignedBigInt, Cell::Unsigned(u64::MAX)),
            ("1.5e-7", CellType::Double, Cell::Float(1.5e-7)),
            ("1.50", CellType::Decimal { precision: 3, scale: 2 }, Cell::Text("1.50".to_owned())),
            ("5", CellType::Varchar, Cell::Text("5".to_owned())),
            ("x", CellType::Int, Cell::Text("x".to_owned())),
            ("x", CellType::Binary, Cell::Binary(b"x".to_vec())),
        ] {
            assert_eq!(cell(Value::Bytes(text.as_bytes().to_vec()), cell_type), expected);
        }
        assert_eq!(cell(Value::NULL, CellType::Int), Cell::Null);
    }
}
