//! Expressions of COLUMNS and WHERE, as text: where they end is decided here, what they mean when the job is compiled.

use super::cursor::Cursor;
use crate::error::SqlError;
use crate::lexer::TokenKind;

impl Cursor<'_> {
    /// The text of an expression up to a comma or closing bracket of the outside, or to where the statement goes on.
    pub(super) fn expression(&mut self, what: &'static str) -> Result<String, SqlError> {
        let Some(first) = self.peek() else {
            return Err(self.unexpected_for(what));
        };
        let mut closers: Vec<&'static str> = Vec::new();
        let mut end = first.start;
        while let Some(token) = self.peek() {
            match token.kind {
                TokenKind::Unknown | TokenKind::Unterminated => {
                    return Err(self.unexpected_for(what));
                }
                TokenKind::ClientEnd => break,
                TokenKind::Word if token.is_keyword("SELECT") => {
                    let message = "the predicate cannot contain subqueries";
                    return Err(SqlError::analysis_at(self.position(), message));
                }
                TokenKind::Word if closers.is_empty() && self.expression_ends() => break,
                TokenKind::Symbol => match token.text {
                    "(" => closers.push(")"),
                    "[" => closers.push("]"),
                    "{" => closers.push("}"),
                    ")" | "]" | "}" if closers.is_empty() => break,
                    closer @ (")" | "]" | "}") => {
                        let wanted = closers.pop().unwrap_or(")");
                        if wanted != closer {
                            return Err(self.expect_symbol(wanted).err().unwrap_or_else(|| self.unexpected()));
                        }
                    }
                    "," if closers.is_empty() => break,
                    ";" => break,
                    _ => {}
                },
                _ => {}
            }
            end = token.end();
            self.advance();
        }
        if let Some(closer) = closers.pop() {
            self.expect_symbol(closer)?;
        }
        if end == first.start {
            return Err(self.unexpected_for(what));
        }
        Ok(self.text_between(first.start, end).to_owned())
    }

    /// Whether the next word goes on with the statement: `FROM`, or `PROPERTIES (`.
    fn expression_ends(&self) -> bool {
        let bracket_follows = || self.peek_second().is_some_and(|token| token.is_symbol("("));
        self.at_keyword("FROM") || (self.at_keyword("PROPERTIES") && bracket_follows())
    }
}
