//! SHOW ROUTINE LOAD and SHOW ROUTINE LOAD TASK.

use super::cursor::Cursor;
use crate::error::SqlError;
use crate::filter::{Comparison, Condition, Literal, Operator};
use crate::position::Position;
use crate::similar::nearest;
use crate::statement::{JOB_COLUMNS, JobColumn, JobColumnKind, ShowRoutineLoad, ShowRoutineLoadTask, Statement};

/// Behind `SHOW [ALL] ROUTINE`.
pub(super) fn jobs(cursor: &mut Cursor<'_>, all: bool) -> Result<Statement, SqlError> {
    cursor.expect("LOAD")?;
    if !all && cursor.eat("TASK") {
        return tasks(cursor);
    }
    if !all && cursor.eat("VERSIONS") {
        cursor.expect("FOR")?;
        return cursor.object_name("a job name").map(Statement::ShowVersions);
    }
    if !all && cursor.eat("COVERAGE") {
        cursor.expect("FOR")?;
        return cursor.object_name("a job name").map(Statement::ShowCoverage);
    }
    let job = if cursor.eat("FOR") { Some(cursor.object_name("a job name")?) } else { None };
    let database = cursor.database_clause()?;
    let conditions = if cursor.eat("WHERE") { cursor.conditions(&check_condition)? } else { Vec::new() };
    let order = cursor.order_by(&|position, name| job_column(position, name).map(|column| column.title.to_owned()))?;
    let limit = cursor.limit()?;
    Ok(Statement::ShowJobs(ShowRoutineLoad { all, job, database, conditions, order, limit }))
}

fn job_column(position: Position, name: &str) -> Result<JobColumn, SqlError> {
    let titles = || JOB_COLUMNS.iter().map(|column| column.title);
    JOB_COLUMNS.into_iter().find(|column| column.title.eq_ignore_ascii_case(name)).ok_or_else(|| {
        let message = format!("Column `{name}` is not allowed in `where` clause");
        let error = SqlError::analysis_at(position, &message);
        error.with_hint(match nearest(name, titles()) {
            Some(title) => format!("did you mean `{title}`?"),
            None => format!("one of {}", titles().collect::<Vec<_>>().join(", ")),
        })
    })
}

/// Brings the column's title into its own spelling, and refuses comparisons that its kind does not know.
fn check_condition(position: Position, condition: &mut Condition) -> Result<(), SqlError> {
    let column = job_column(position, &condition.column)?;
    column.title.clone_into(&mut condition.column);
    let literals = match &mut condition.comparison {
        Comparison::Compare(operator, literal) => {
            let ordered = !matches!(operator, Operator::Equal | Operator::NotEqual);
            if ordered && column.kind == JobColumnKind::Text {
                let expected = "`=`, `!=`, `LIKE`, `IN` or `NOT IN`";
                return Err(refused(position, column, expected, &operator.to_string()));
            }
            std::slice::from_mut(literal)
        }
        Comparison::Like { negated: false, .. } if column.kind == JobColumnKind::Text => {
            return Ok(());
        }
        Comparison::Like { .. } => {
            return Err(refused(position, column, "a comparison such as `=`", "LIKE"));
        }
        Comparison::In { values, .. } if column.kind == JobColumnKind::Text => values,
        Comparison::In { .. } => {
            return Err(refused(position, column, "a comparison such as `=`", "IN"));
        }
        Comparison::IsNull { .. } => return Ok(()),
    };
    for literal in literals {
        check_literal(position, column, literal)?;
    }
    Ok(())
}

fn check_literal(position: Position, column: JobColumn, literal: &mut Literal) -> Result<(), SqlError> {
    match (column.kind, literal) {
        (JobColumnKind::Integer, Literal::Integer(_)) | (JobColumnKind::Text, Literal::Text(_)) => Ok(()),
        (JobColumnKind::Time, Literal::Text(text)) => match moment(text) {
            Some(moment) => {
                *text = moment;
                Ok(())
            }
            None => Err(refused(position, column, "a time such as `2024-06-12 15:51:12`", text)),
        },
        (JobColumnKind::Integer, found) => Err(refused(position, column, "an integer", &found.to_string())),
        (_, found) => Err(refused(position, column, "a string", &found.to_string())),
    }
}

/// `yyyy-MM-dd[ HH:mm:ss]` as `yyyy-MM-dd HH:mm:ss`, so that order of texts is order of moments.
pub(super) fn moment(text: &str) -> Option<String> {
    let full = if text.len() == 10 { format!("{text} 00:00:00") } else { text.replacen('T', " ", 1) };
    let shape = b"dddd-dd-dd dd:dd:dd";
    let fits = full.len() == shape.len()
        && full.bytes().zip(shape).all(|(byte, wanted)| match wanted {
            b'd' => byte.is_ascii_digit(),
            other => byte == *other,
        });
    fits.then_some(full)
}

fn refused(position: Position, column: JobColumn, expected: &str, found: &str) -> SqlError {
    let message = format!("column `{}`: expected {expected}, found `{found}`", column.title);
    SqlError::analysis_at(position, &message)
}

fn tasks(cursor: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    let database = cursor.database_clause()?;
    if !cursor.eat("WHERE") {
        let message = "please designate a jobName in where expr such as JobName = \"clicks\"";
        return Err(SqlError::analysis_at(cursor.position(), message));
    }
    let position = cursor.position();
    let only = || {
        let message = "only support one equal expr such as JobName = \"clicks\"";
        SqlError::analysis_at(position, message)
    };
    let mut conditions = cursor.conditions(&|_, _| Ok(()))?.into_iter();
    match (conditions.next(), conditions.next()) {
        (Some(Condition { column, comparison: Comparison::Compare(Operator::Equal, Literal::Text(job)) }), None)
            if column.eq_ignore_ascii_case("JobName") =>
        {
            Ok(Statement::ShowTasks(ShowRoutineLoadTask { database, job }))
        }
        _ => Err(only()),
    }
}
