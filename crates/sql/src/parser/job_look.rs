//! EXPLAIN, EXPLAIN COST and PREVIEW of a job or of a definition.

use super::cursor::Cursor;
use super::job;
use crate::error::SqlError;
use crate::statement::{JobOrDefinition, PreviewRoutineLoad, Statement};

/// Whether what is behind EXPLAIN is about a job; else it is another spelling of DESC.
pub(super) fn is_next(cursor: &Cursor<'_>) -> bool {
    let second = |word| cursor.peek_second().is_some_and(|token| token.is_keyword(word));
    cursor.at_keyword("CREATE")
        || cursor.at_keyword("ROUTINE") && second("LOAD")
        || cursor.at_keyword("COST") && (second("FOR") || second("ROUTINE"))
}

/// Behind `EXPLAIN`.
pub(super) fn explain(cursor: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    if cursor.eat("COST") {
        // Both orders, as EXPLAIN ROUTINE LOAD FOR has the other.
        let before = cursor.eat("FOR");
        cursor.expect("ROUTINE")?;
        cursor.expect("LOAD")?;
        if !before {
            cursor.expect("FOR")?;
        }
        return cursor.object_name("a job name").map(Statement::ExplainCost);
    }
    job_or_definition(cursor).map(Statement::ExplainJob)
}

/// Behind `PREVIEW`.
pub(super) fn preview(cursor: &mut Cursor<'_>) -> Result<Statement, SqlError> {
    let of = job_or_definition(cursor)?;
    let records = if cursor.eat("LIMIT") { Some(cursor.integer("a number of records")?) } else { None };
    Ok(Statement::PreviewJob(PreviewRoutineLoad { of, records }))
}

/// `[CREATE] ROUTINE LOAD` and then `FOR <job>` or a definition; CREATE goes with a definition only.
fn job_or_definition(cursor: &mut Cursor<'_>) -> Result<JobOrDefinition, SqlError> {
    let create = cursor.eat("CREATE");
    cursor.expect("ROUTINE")?;
    cursor.expect("LOAD")?;
    if !create && cursor.eat("FOR") {
        return cursor.object_name("a job name").map(JobOrDefinition::Job);
    }
    job::definition(cursor).map(|definition| JobOrDefinition::Definition(Box::new(definition)))
}
