//! The text of one statement into a syntax tree that later stages can walk without running out of stack.
//!
//! Limits come before the tree: the text's length and the number of operators are checked on tokens, since a tree that is
//! too deep overflows the stack already when it is dropped.

use datafusion::sql::sqlparser::ast::Statement;
use datafusion::sql::sqlparser::tokenizer::TokenWithSpan;
use penstock_expressions::syntax::{self, MAX_NESTING, SyntaxError};
use penstock_sql::error::{SqlError, code};

/// Operators of one statement: what they join may become one level of the tree each.
const MAX_OPERATORS: usize = 10_000;

/// A statement with the tokens it was made of.
pub(crate) struct Parsed {
    pub(crate) statement: Statement,
    pub(crate) tokens: Vec<TokenWithSpan>,
}

/// Parses exactly one statement of at most `max_bytes` bytes. Call it on a thread with a deep stack.
///
/// # Errors
/// Code 1064 with the position and what was expected there, or with the limit that the statement exceeds.
pub(crate) fn parse(sql: &str, max_bytes: usize) -> Result<Parsed, SqlError> {
    if sql.len() > max_bytes {
        return Err(SqlError::new(
            code::PARSE,
            format!("the statement has {} bytes, at most {max_bytes} are allowed", sql.len()),
        )
        .with_hint("load long lists of values into a table and join it"));
    }
    let tokens = syntax::tokens(sql).map_err(refused)?;
    let operators = syntax::operators(&tokens);
    if operators > MAX_OPERATORS {
        return Err(SqlError::new(
            code::PARSE,
            format!("the statement has {operators} operators, at most {MAX_OPERATORS} are allowed"),
        )
        .with_hint("write long chains of OR as IN (...)"));
    }
    let mut statements = syntax::parser(tokens.clone())
        .parse_statements()
        .map_err(|error| syntax::refused(error, &tokens).map_or_else(too_deep, refused))?;
    match (statements.pop(), statements.is_empty()) {
        (Some(statement), true) => Ok(Parsed { statement, tokens }),
        (None, _) => Err(SqlError::new(code::PARSE, "the statement is empty")),
        (Some(_), false) => {
            Err(SqlError::new(code::PARSE, "expected one statement, found several").with_hint("send them one by one"))
        }
    }
}

fn refused(error: SyntaxError) -> SqlError {
    SqlError::new(
        code::PARSE,
        match error.place {
            Some((line, column)) => format!("syntax error at line {line}, column {column}: {}", error.message),
            None => format!("syntax error: {}", error.message),
        },
    )
}

fn too_deep() -> SqlError {
    SqlError::new(code::PARSE, format!("the statement is nested too deeply, at most {MAX_NESTING} levels are allowed"))
        .with_hint("use WITH to name the inner queries")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The error, found on a stack as deep as the engine's.
    fn error(sql: &str) -> SqlError {
        let sql = sql.to_owned();
        let work = move || parse(&sql, 1 << 20).map(|parsed| parsed.statement.to_string()).unwrap_err();
        std::thread::Builder::new().stack_size(64 << 20).spawn(work).unwrap().join().unwrap()
    }

    #[test]
    fn syntax_errors_say_where_and_what_was_expected() {
        assert_eq!(
            error("SELECT FROM t").message,
            "syntax error at line 1, column 8: expected an expression, found `FROM`"
        );
        assert_eq!(
            error("SELECT *\nFROM t WHERE )").message,
            "syntax error at line 2, column 14: expected an expression, found `)`"
        );
        assert_eq!(error("SELECT (1").message, "syntax error: expected ), found the end of the statement");
        assert!(
            error("SELECT 'x").message.starts_with("syntax error at line 1, column 8"),
            "{}",
            error("SELECT 'x").message
        );
    }

    #[test]
    fn hostile_text_is_refused_without_overflowing_the_stack() {
        for sql in [
            format!("SELECT {}1{}", "(".repeat(50_000), ")".repeat(50_000)),
            format!("SELECT {}1", "NOT ".repeat(15_000)),
            format!("SELECT {}1", "-".repeat(15_000)),
            format!("SELECT * FROM {}t{}", "(".repeat(5_000), ")".repeat(5_000)),
            format!("SELECT {}1{}", "abs(".repeat(5_000), ")".repeat(5_000)),
            format!("SELECT {}", "(SELECT ".repeat(5_000)),
            format!("SELECT {}", "CASE WHEN ".repeat(5_000)),
            format!("SELECT 1{}", " + 1".repeat(50_000)),
            format!("SELECT 1{}", " IS NULL".repeat(30_000)),
            "a".repeat(2 << 20),
        ] {
            assert_eq!(error(&sql).code, code::PARSE);
        }
    }
}
