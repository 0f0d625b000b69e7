//! Results as the `mysql` client draws them: boxes, one column a line, and the line that counts rows and time.
//!
//! One drawing serves the SQL client and the tutorial's echo, so that what a newcomer sees here is what the documentation
//! of StarRocks and MySQL shows, byte for byte. This includes the client's habit of making a column as wide as its
//! longest text has *bytes*: text beyond ASCII gets more room than it needs, but stays aligned. Result rows are held
//! whole, since a column's width is known only at the end.

use std::borrow::Cow;
use std::time::Duration;

use penstock_gateway::text;
use penstock_sql::result::{Cell, CellType, ResultColumn, ResultSet};
use unicode_width::UnicodeWidthStr;

use crate::sql_client::answer::Answer;

/// How rows are drawn.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Style {
    /// A box with one line a row; what `;` asks for.
    #[default]
    Table,
    /// One line a column, for wide rows; what `\G` asks for.
    Vertical,
}

/// Width above which the client pads no more, in bytes.
const WIDEST: usize = 1024;

/// Room for `NULL`, which any column of ours may hold.
const NARROWEST: usize = 4;

/// Rows as text that ends with a line feed; empty if there is no row, as the client prints no empty box.
pub fn draw(result: &ResultSet, style: Style) -> String {
    match style {
        _ if result.rows.is_empty() => String::new(),
        Style::Table => boxed(result),
        Style::Vertical => vertical(result),
    }
}

/// The whole answer to one statement: rows and their count, `Query OK`, or `Database changed`; ends with a line feed.
/// The client prints an empty line behind it, which is left to the caller.
pub fn draw_answer(answer: &Answer, style: Style, elapsed: Duration) -> String {
    match &answer.rows {
        Some(rows) => format!("{}{}\n", draw(rows, style), rows_in_set(rows.rows.len(), elapsed)),
        None if answer.database_changed => "Database changed\n".to_owned(),
        None => format!("{}\n", query_ok(answer.affected_rows, elapsed)),
    }
}

/// The line below rows: `5 rows in set (0.07 sec)`, or `Empty set (0.00 sec)`.
pub fn rows_in_set(rows: usize, elapsed: Duration) -> String {
    match rows {
        0 => format!("Empty set ({})", seconds(elapsed)),
        1 => format!("1 row in set ({})", seconds(elapsed)),
        _ => format!("{rows} rows in set ({})", seconds(elapsed)),
    }
}

/// What a statement without rows prints: `Query OK, 0 rows affected (0.01 sec)`.
pub fn query_ok(affected_rows: u64, elapsed: Duration) -> String {
    let rows = if affected_rows == 1 { "row" } else { "rows" };
    format!("Query OK, {affected_rows} {rows} affected ({})", seconds(elapsed))
}

/// Whether the client right-aligns a column of this type.
pub fn is_number(cell_type: CellType) -> bool {
    match cell_type {
        CellType::Boolean
        | CellType::TinyInt
        | CellType::SmallInt
        | CellType::Int
        | CellType::BigInt
        | CellType::UnsignedBigInt
        | CellType::Decimal { .. }
        | CellType::Float
        | CellType::Double => true,
        CellType::Date | CellType::DateTime | CellType::Varchar | CellType::Json | CellType::Binary => false,
    }
}

/// A duration as the client prints it: seconds with two digits, with minutes and hours before them when it took long.
fn seconds(elapsed: Duration) -> String {
    let minutes = elapsed.as_secs() / 60;
    let rest = elapsed.saturating_sub(Duration::from_secs(minutes * 60)).as_secs_f64();
    let plural = |n: u64| if n == 1 { "" } else { "s" };
    match (minutes / 60, minutes % 60) {
        (0, 0) => format!("{rest:.2} sec"),
        (0, minutes) => format!("{minutes} min {rest:.2} sec"),
        (hours, minutes) => format!("{hours} hour{} {minutes} min {rest:.2} sec", plural(hours)),
    }
}

fn boxed(result: &ResultSet) -> String {
    let rows: Vec<Vec<Cow<'_, str>>> = result
        .rows
        .iter()
        .map(|row| row.iter().zip(&result.columns).map(|(cell, column)| shown(cell, column)).collect())
        .collect();
    let mut widths: Vec<usize> = result.columns.iter().map(|column| column.name.len().max(NARROWEST)).collect();
    for row in &rows {
        for (width, cell) in widths.iter_mut().zip(row) {
            *width = cell.len().max(*width);
        }
    }
    let mut line = String::from("+");
    for width in &widths {
        line.extend(std::iter::repeat_n('-', width + 2));
        line.push('+');
    }
    line.push('\n');

    let mut drawn = line.clone();
    drawn.push('|');
    for (column, width) in result.columns.iter().zip(&widths) {
        push_padded(&mut drawn, &column.name, *width, Side::Left);
    }
    drawn.push('\n');
    drawn.push_str(&line);
    for row in &rows {
        drawn.push('|');
        for ((cell, column), width) in row.iter().zip(&result.columns).zip(&widths) {
            let side = if is_number(column.cell_type) { Side::Right } else { Side::Left };
            push_padded(&mut drawn, cell, *width, side);
        }
        drawn.push('\n');
    }
    drawn.push_str(&line);
    drawn
}

/// The side at which a text stands in its column.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Side {
    Left,
    Right,
}

fn push_padded(drawn: &mut String, text: &str, width: usize, side: Side) {
    // Beyond the widest, the client neither pads fully nor right-aligns.
    let side = if width > WIDEST { Side::Left } else { side };
    let padding = std::iter::repeat_n(' ', width.min(WIDEST).saturating_sub(text.width()));
    drawn.push(' ');
    if side == Side::Right {
        drawn.extend(padding.clone());
    }
    drawn.push_str(text);
    if side == Side::Left {
        drawn.extend(padding);
    }
    drawn.push_str(" |");
}

fn vertical(result: &ResultSet) -> String {
    let width = result.columns.iter().map(|column| column.name.width()).max().unwrap_or(0);
    let stars = "*".repeat(27);
    let mut drawn = String::new();
    for (index, row) in result.rows.iter().enumerate() {
        drawn.push_str(&format!("{stars} {}. row {stars}\n", index + 1));
        for (cell, column) in row.iter().zip(&result.columns) {
            drawn.extend(std::iter::repeat_n(' ', width.saturating_sub(column.name.width())));
            drawn.push_str(&column.name);
            drawn.push_str(": ");
            drawn.push_str(&shown(cell, column));
            drawn.push('\n');
        }
    }
    drawn
}

/// A cell as the client shows it: `NULL` for NULL, bytes in hexadecimal, a NUL character as a space.
fn shown<'a>(cell: &'a Cell, column: &ResultColumn) -> Cow<'a, str> {
    let Some(bytes) = text::of(cell, column.cell_type) else {
        return Cow::Borrowed("NULL");
    };
    if column.cell_type == CellType::Binary {
        return Cow::Owned(text::hexadecimal(&bytes));
    }
    let shown = match bytes {
        Cow::Borrowed(bytes) => String::from_utf8_lossy(bytes),
        Cow::Owned(bytes) => Cow::Owned(String::from_utf8_lossy(&bytes).into_owned()),
    };
    if shown.contains('\0') { Cow::Owned(shown.replace('\0', " ")) } else { shown }
}

#[cfg(test)]
mod tests;
