//! `PARTITION BY` of CREATE TABLE, and single partitions for ALTER TABLE.

use penstock_kernel::partitioning::{PartitionExpression, TimeUnit};

use super::cursor::Cursor;
use crate::error::SqlError;
use crate::lexer::TokenKind;
use crate::position::Placed;
use crate::statement::{
    BatchClause, Bound, BoundValue, ListClause, PartitionBy, RangeClause, RangeItem, RangeValues, Step,
};

/// `PARTITION BY ...`, if there.
pub(super) fn partition_by(cursor: &mut Cursor<'_>) -> Result<Option<PartitionBy>, SqlError> {
    if !cursor.eat("PARTITION") {
        return Ok(None);
    }
    cursor.expect("BY")?;
    let bracket_follows = cursor.peek_second().is_some_and(|token| token.is_symbol("("));
    if bracket_follows && cursor.eat("RANGE") {
        range(cursor).map(Some)
    } else if bracket_follows && cursor.eat("LIST") {
        list(cursor).map(Some)
    } else {
        expressions(cursor).map(Some)
    }
}

/// Behind `RANGE`.
fn range(cursor: &mut Cursor<'_>) -> Result<PartitionBy, SqlError> {
    let expressions = cursor.bracketed(expression)?;
    let columns: Option<Vec<Placed<String>>> = expressions
        .iter()
        .map(|one| match &one.value {
            PartitionExpression::Column(column) => Some(Placed { value: column.clone(), position: one.position }),
            _ => None,
        })
        .collect();
    let Some(columns) = columns else {
        return Ok(PartitionBy::Expressions { expressions, batches: batches(cursor)? });
    };
    let partitions = if empty_brackets(cursor) { Vec::new() } else { cursor.bracketed(range_clause)? };
    Ok(PartitionBy::Range { columns, partitions })
}

/// Behind `LIST`. Without a list of partitions they come with their rows.
fn list(cursor: &mut Cursor<'_>) -> Result<PartitionBy, SqlError> {
    let columns = cursor.bracketed(column)?;
    if !cursor.at_symbol("(") {
        let expressions = columns
            .into_iter()
            .map(|column| Placed { value: PartitionExpression::Column(column.value), position: column.position })
            .collect();
        return Ok(PartitionBy::Expressions { expressions, batches: Vec::new() });
    }
    let partitions = cursor.bracketed(|cursor| {
        cursor.expect("PARTITION")?;
        cursor.if_not_exists()?;
        list_clause(cursor)
    })?;
    Ok(PartitionBy::List { columns, partitions })
}

/// Behind `PARTITION BY`: expressions with commas between, in brackets or not.
fn expressions(cursor: &mut Cursor<'_>) -> Result<PartitionBy, SqlError> {
    let expressions = if cursor.at_symbol("(") {
        cursor.bracketed(expression)?
    } else {
        let mut expressions = vec![expression(cursor)?];
        while cursor.eat_symbol(",") {
            expressions.push(expression(cursor)?);
        }
        expressions
    };
    Ok(PartitionBy::Expressions { expressions, batches: batches(cursor)? })
}

/// Partitions to be made ahead, in brackets, if there.
fn batches(cursor: &mut Cursor<'_>) -> Result<Vec<BatchClause>, SqlError> {
    if !cursor.at_symbol("(") || empty_brackets(cursor) {
        return Ok(Vec::new());
    }
    cursor.bracketed(|cursor| {
        if cursor.at_keyword("PARTITION") {
            let what = "a named partition of a table whose partitions come with their rows";
            let error = cursor.unsupported_at(cursor.position(), what);
            return Err(error.with_hint("say PARTITION BY RANGE (...) or PARTITION BY LIST (...) to name partitions"));
        }
        batch(cursor)
    })
}

/// Passes `()` if it is next.
fn empty_brackets(cursor: &mut Cursor<'_>) -> bool {
    let empty = cursor.at_symbol("(") && cursor.peek_second().is_some_and(|token| token.is_symbol(")"));
    if empty {
        cursor.advance();
        cursor.advance();
    }
    empty
}

fn column(cursor: &mut Cursor<'_>) -> Result<Placed<String>, SqlError> {
    let position = cursor.position();
    let value = cursor.name("a column name")?;
    Ok(Placed { value, position })
}

/// A column, `date_trunc('<unit>', <column>)` or `time_slice(<column>, INTERVAL <count> <unit> [, floor])`.
fn expression(cursor: &mut Cursor<'_>) -> Result<Placed<PartitionExpression>, SqlError> {
    let position = cursor.position();
    let name = cursor.name("a column name")?;
    if !cursor.eat_quietly("(") {
        return Ok(Placed { value: PartitionExpression::Column(name), position });
    }
    let value = match name.to_ascii_lowercase().as_str() {
        "date_trunc" => {
            let position = cursor.position();
            let text = cursor.string("a unit of time in quotes")?;
            let unit = TimeUnit::of_name(&text).ok_or_else(|| unknown_unit(&text, position))?;
            cursor.expect_symbol(",")?;
            PartitionExpression::DateTrunc { unit, column: cursor.name("a column name")? }
        }
        "time_slice" => {
            let column = cursor.name("a column name")?;
            cursor.expect_symbol(",")?;
            let position = cursor.position();
            let (count, unit) = interval(cursor)?;
            let count = u32::try_from(count).ok().filter(|count| *count > 0).ok_or_else(|| {
                let message = format!("expected an interval of 1 to {} units, found `{count}`", u32::MAX);
                SqlError::analysis_at(position, &message)
            })?;
            boundary(cursor)?;
            PartitionExpression::TimeSlice { column, count, unit }
        }
        _ => {
            let error = cursor.unsupported_at(position, &format!("PARTITION BY with function `{name}`"));
            return Err(error.with_hint("columns, date_trunc('day', column) and time_slice(column, INTERVAL 7 DAY)"));
        }
    };
    cursor.expect_symbol(")")?;
    Ok(Placed { value, position })
}

/// `, floor`, as a word or in quotes, if there: the only boundary that divides.
fn boundary(cursor: &mut Cursor<'_>) -> Result<(), SqlError> {
    if !cursor.eat_symbol(",") {
        return Ok(());
    }
    let position = cursor.position();
    let quoted = cursor.peek().is_some_and(|token| token.kind == TokenKind::Text);
    let word = if quoted { cursor.string("`floor`")? } else { cursor.name("`floor`")? };
    if word.eq_ignore_ascii_case("floor") {
        return Ok(());
    }
    Err(cursor.unsupported_at(position, &format!("time_slice with boundary `{word}`")).with_hint("expected `floor`"))
}

/// `INTERVAL <count> <unit>`
fn interval(cursor: &mut Cursor<'_>) -> Result<(u64, TimeUnit), SqlError> {
    cursor.expect("INTERVAL")?;
    let count = cursor.integer("a number of units")?;
    let position = cursor.position();
    let text = cursor.name("a unit of time")?;
    match TimeUnit::of_name(&text) {
        Some(unit) => Ok((count, unit)),
        None => Err(unknown_unit(&text, position)),
    }
}

fn unknown_unit(text: &str, position: crate::position::Position) -> SqlError {
    let names: Vec<&str> = TimeUnit::ALL.iter().map(|unit| unit.name()).collect();
    let message = format!("expected a unit of time, found `{}`", super::cursor::short(text));
    SqlError::analysis_at(position, &message).with_hint(format!("one of {}", names.join(", ")))
}

/// `PARTITION <name> VALUES ...`, or a batch.
fn range_clause(cursor: &mut Cursor<'_>) -> Result<RangeClause, SqlError> {
    if !cursor.eat("PARTITION") {
        return batch(cursor).map(RangeClause::Batch);
    }
    cursor.if_not_exists()?;
    let name = partition_name(cursor)?;
    cursor.expect("VALUES")?;
    Ok(RangeClause::One(RangeItem { name, values: range_values(cursor)? }))
}

/// A partition's name.
pub(super) fn partition_name(cursor: &mut Cursor<'_>) -> Result<Placed<String>, SqlError> {
    let position = cursor.position();
    let value = cursor.name("a partition name")?;
    Ok(Placed { value, position })
}

/// Behind `VALUES`: a range.
pub(super) fn range_values(cursor: &mut Cursor<'_>) -> Result<RangeValues, SqlError> {
    if cursor.eat("LESS") {
        cursor.expect("THAN")?;
        let position = cursor.position();
        if cursor.eat("MAXVALUE") {
            return Ok(RangeValues::LessThan(vec![Placed { value: BoundValue::MaxValue, position }]));
        }
        return bound(cursor).map(RangeValues::LessThan);
    }
    cursor.expect_symbol("[")?;
    let lower = bound(cursor)?;
    cursor.expect_symbol(",")?;
    let upper = bound(cursor)?;
    cursor.expect_symbol(")")?;
    Ok(RangeValues::Between(lower, upper))
}

fn bound(cursor: &mut Cursor<'_>) -> Result<Bound, SqlError> {
    cursor.bracketed(|cursor| {
        let position = cursor.position();
        let value = if cursor.eat("MAXVALUE") { BoundValue::MaxValue } else { BoundValue::Text(literal(cursor)?) };
        Ok(Placed { value, position })
    })
}

/// `START (...) END (...) EVERY (...)`
pub(super) fn batch(cursor: &mut Cursor<'_>) -> Result<BatchClause, SqlError> {
    cursor.expect("START")?;
    let start = edge(cursor)?;
    cursor.expect("END")?;
    let end = edge(cursor)?;
    cursor.expect("EVERY")?;
    cursor.expect_symbol("(")?;
    let position = cursor.position();
    let step = if cursor.at_keyword("INTERVAL") {
        let (count, unit) = interval(cursor)?;
        Step::Interval(count, unit)
    } else {
        Step::Number(cursor.integer("INTERVAL or a number")?)
    };
    cursor.expect_symbol(")")?;
    Ok(BatchClause { start, end, step: Placed { value: step, position } })
}

fn edge(cursor: &mut Cursor<'_>) -> Result<Placed<String>, SqlError> {
    cursor.expect_symbol("(")?;
    let position = cursor.position();
    let value = literal(cursor)?;
    cursor.expect_symbol(")")?;
    Ok(Placed { value, position })
}

/// `<name> VALUES IN (...)`, with tuples in brackets of their own or, of one column, without.
pub(super) fn list_clause(cursor: &mut Cursor<'_>) -> Result<ListClause, SqlError> {
    let name = partition_name(cursor)?;
    cursor.expect("VALUES")?;
    list_values(cursor, name)
}

/// Behind `VALUES`: a list.
pub(super) fn list_values(cursor: &mut Cursor<'_>, name: Placed<String>) -> Result<ListClause, SqlError> {
    cursor.expect("IN")?;
    let values = cursor.bracketed(|cursor| {
        let position = cursor.position();
        let value = if cursor.at_symbol("(") { cursor.bracketed(nullable)? } else { vec![nullable(cursor)?] };
        Ok(Placed { value, position })
    })?;
    Ok(ListClause { name, values })
}

fn nullable(cursor: &mut Cursor<'_>) -> Result<Option<String>, SqlError> {
    if cursor.eat("NULL") { Ok(None) } else { literal(cursor).map(Some) }
}

/// A string, an integer, or a truth value.
fn literal(cursor: &mut Cursor<'_>) -> Result<String, SqlError> {
    if let Some(word) = cursor.eat_any(&["TRUE", "FALSE"]) {
        return Ok(word.to_lowercase());
    }
    let what = "a value in quotes";
    if cursor.eat_quietly("-") {
        return Ok(format!("-{}", cursor.value_of(TokenKind::Integer, "an integer")?));
    }
    if cursor.peek().is_some_and(|token| token.kind == TokenKind::Integer) {
        return cursor.value_of(TokenKind::Integer, what);
    }
    cursor.string(what)
}
