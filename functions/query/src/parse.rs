//! The text of one statement into a syntax tree that later stages can walk without running out of stack.
//!
//! Limits come before the tree: the text's length and the number of operators are checked on tokens, since a tree that is
//! too deep overflows the stack already when it is dropped.

use datafusion::sql::sqlparser::ast::Statement;
use datafusion::sql::sqlparser::dialect::MySqlDialect;
use datafusion::sql::sqlparser::keywords::Keyword;
use datafusion::sql::sqlparser::parser::{Parser, ParserError};
use datafusion::sql::sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};
use penstock_sql::error::{SqlError, code};

/// Levels of parentheses, functions and subqueries.
const MAX_NESTING: usize = 100;
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
    let mut tokens = Tokenizer::new(&MySqlDialect {}, sql)
        .tokenize_with_location()
        .map_err(|error| SqlError::new(code::PARSE, syntax_error(&error.to_string(), &[])))?;
    tokens.iter_mut().for_each(in_words);
    let operators = tokens.iter().filter(|token| deepens(&token.token)).count();
    if operators > MAX_OPERATORS {
        return Err(SqlError::new(
            code::PARSE,
            format!("the statement has {operators} operators, at most {MAX_OPERATORS} are allowed"),
        )
        .with_hint("write long chains of OR as IN (...)"));
    }
    let mut statements = Parser::new(&MySqlDialect {})
        .with_recursion_limit(MAX_NESTING)
        .with_tokens_with_locations(tokens.clone())
        .parse_statements()
        .map_err(|error| refused(error, &tokens))?;
    match (statements.pop(), statements.is_empty()) {
        (Some(statement), true) => Ok(Parsed { statement, tokens }),
        (None, _) => Err(SqlError::new(code::PARSE, "the statement is empty")),
        (Some(_), false) => {
            Err(SqlError::new(code::PARSE, "expected one statement, found several").with_hint("send them one by one"))
        }
    }
}

/// MySQL's signs for logic as the words that they mean, since the parser gives them other ranks.
fn in_words(token: &mut TokenWithSpan) {
    let word = match token.token {
        Token::Overlap => "AND",
        Token::StringConcat => "OR",
        Token::ExclamationMark => "NOT",
        _ => return,
    };
    token.token = Token::make_keyword(word);
}

/// Whether a token may add a level to the tree: all but names, literals and what separates list items.
fn deepens(token: &Token) -> bool {
    match token {
        Token::Word(word) => matches!(
            word.keyword,
            Keyword::AND
                | Keyword::OR
                | Keyword::XOR
                | Keyword::NOT
                | Keyword::IS
                | Keyword::LIKE
                | Keyword::ILIKE
                | Keyword::RLIKE
                | Keyword::REGEXP
                | Keyword::BETWEEN
                | Keyword::IN
                | Keyword::DIV
                | Keyword::MOD
                | Keyword::COLLATE
                | Keyword::UNION
                | Keyword::EXCEPT
                | Keyword::INTERSECT
                | Keyword::MINUS
                | Keyword::AT
                | Keyword::MEMBER
                | Keyword::OVERLAPS
                | Keyword::JOIN
                | Keyword::SELECT
        ),
        Token::Number(..)
        | Token::SingleQuotedString(_)
        | Token::DoubleQuotedString(_)
        | Token::NationalStringLiteral(_)
        | Token::HexStringLiteral(_)
        | Token::Comma
        | Token::Period
        | Token::LParen
        | Token::RParen
        | Token::Whitespace(_)
        | Token::SemiColon
        | Token::EOF => false,
        _ => true,
    }
}

fn refused(error: ParserError, tokens: &[TokenWithSpan]) -> SqlError {
    match error {
        ParserError::RecursionLimitExceeded => SqlError::new(
            code::PARSE,
            format!("the statement is nested too deeply, at most {MAX_NESTING} levels are allowed"),
        )
        .with_hint("use WITH to name the inner queries"),
        ParserError::ParserError(message) | ParserError::TokenizerError(message) => {
            SqlError::new(code::PARSE, syntax_error(&message, tokens))
        }
    }
}

/// `Expected: an expression, found: FROM at Line: 1, Column: 8` in our wording.
fn syntax_error(message: &str, tokens: &[TokenWithSpan]) -> String {
    let (what, place) = match message.rsplit_once(" at Line: ") {
        Some((what, place)) => (what, place.split_once(", Column: ")),
        None => (message, None),
    };
    let mut place =
        place.and_then(|(line, column)| Some(Location { line: line.parse().ok()?, column: column.parse().ok()? }));
    let expected = what.strip_prefix("Expected: ").or_else(|| what.strip_prefix("Expected "));
    let what = match expected.and_then(|rest| rest.split_once(", found: ")) {
        Some((expected, "EOF")) => format!("expected {expected}, found the end of the statement"),
        Some((expected, found)) => {
            // The parser may have gone on before it noticed: the place is that of the token it names.
            let before = |token: &&TokenWithSpan| place.is_some_and(|place| token.span.start <= place);
            let named = tokens.iter().rev().filter(before).find(|token| token.token.to_string() == found);
            place = named.map(|token| token.span.start).or(place);
            format!("expected {expected}, found `{found}`")
        }
        None => lowercase_first(what),
    };
    match place {
        Some(Location { line, column }) => {
            format!("syntax error at line {line}, column {column}: {what}")
        }
        None => format!("syntax error: {what}"),
    }
}

fn lowercase_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
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
