//! REPLAY REJECTED ROWS.

use super::cursor::Cursor;
use super::job_show::moment;
use crate::error::SqlError;
use crate::filter::{Comparison, Condition, Literal};
use crate::position::Position;
use crate::replay::{COLUMNS, Column, ColumnKind};
use crate::similar::nearest;
use crate::statement::{ReplayRejected, Statement};

/// Behind `REPLAY`.
pub(super) fn rejected_rows(cursor: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    cursor.expect("REJECTED")?;
    cursor.expect("ROWS")?;
    cursor.expect("FOR")?;
    let job = cursor.object_name("a job name")?;
    let filter = if cursor.eat("WHERE") { Some(cursor.predicate(&check)?) } else { None };
    Ok(Statement::ReplayRejected(ReplayRejected { job, filter }))
}

/// Brings the column's name into its own spelling, and refuses literals that can never be equal to it.
fn check(position: Position, condition: &mut Condition) -> Result<(), SqlError> {
    let column = column(position, &condition.column)?;
    column.name.clone_into(&mut condition.column);
    let literals = match &mut condition.comparison {
        Comparison::Compare(_, literal) => std::slice::from_mut(literal),
        Comparison::In { values, .. } => values,
        Comparison::Like { .. } if column.kind == ColumnKind::Text => return Ok(()),
        Comparison::Like { .. } => return Err(refused(position, column, "a comparison such as `=`", "LIKE")),
        Comparison::IsNull { .. } => return Ok(()),
    };
    for literal in literals {
        match (column.kind, &mut *literal) {
            (ColumnKind::Integer, Literal::Integer(_)) | (ColumnKind::Text, Literal::Text(_)) => {}
            (ColumnKind::Time, Literal::Text(text)) => match moment(text) {
                Some(moment) => *text = moment,
                None => return Err(refused(position, column, "a time such as `2024-06-12 15:51:12`", text)),
            },
            (ColumnKind::Integer, found) => return Err(refused(position, column, "an integer", &found.to_string())),
            (_, found) => return Err(refused(position, column, "a string", &found.to_string())),
        }
    }
    Ok(())
}

fn column(position: Position, name: &str) -> Result<Column, SqlError> {
    let names = || COLUMNS.iter().map(|column| column.name);
    COLUMNS.into_iter().find(|column| column.name.eq_ignore_ascii_case(name)).ok_or_else(|| {
        let message = format!("rejected rows have no column `{name}` that a replay can filter by");
        SqlError::analysis_at(position, &message).with_hint(match nearest(name, names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None => format!("one of {}", names().collect::<Vec<_>>().join(", ")),
        })
    })
}

fn refused(position: Position, column: Column, expected: &str, found: &str) -> SqlError {
    let message = format!("column `{}`: expected {expected}, found `{found}`", column.name);
    SqlError::analysis_at(position, &message)
}
