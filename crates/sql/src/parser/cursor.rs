//! A place in a statement's tokens, and the errors that are said about it.

use std::cell::Cell;

use super::{MAX_DEPTH, MAX_STATEMENT_BYTES};
use crate::error::SqlError;
use crate::lexer::{Lexer, Token, TokenKind};
use crate::position::Position;
use crate::similar::nearest;

/// Characters of the user's text that an error repeats at most.
const LONGEST_QUOTE: usize = 40;

/// The tokens of one statement, and how far they are read.
pub(super) struct Cursor<'a> {
    text: &'a str,
    start: Position,
    tokens: Vec<Token<'a>>,
    at: usize,
    /// What would have been accepted at `at`, in the order in which it was looked for.
    expected: Vec<Expected>,
    /// A byte and its position, from which the next one is counted: a text of many positions is counted through once.
    known: Cell<(usize, Position)>,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Expected {
    Keyword(&'static str),
    Symbol(&'static str),
    Thing(&'static str),
}

impl<'a> Cursor<'a> {
    /// A cursor before the first token of `text`, which stands at `start`.
    pub(super) fn new(text: &'a str, start: Position) -> Result<Self, SqlError> {
        if text.len() > MAX_STATEMENT_BYTES {
            let message = format!("expected a statement of at most {MAX_STATEMENT_BYTES} bytes, found {}", text.len());
            return Err(SqlError::syntax(start, &message));
        }
        let tokens: Vec<Token<'a>> = Lexer::new(text).collect();
        let cursor = Self { text, start, tokens, at: 0, expected: Vec::new(), known: Cell::new((0, start)) };
        cursor.check_depth()?;
        Ok(cursor)
    }

    fn check_depth(&self) -> Result<(), SqlError> {
        let mut depth = 0_usize;
        for token in &self.tokens {
            match token.text {
                "(" | "[" | "{" => depth += 1,
                ")" | "]" | "}" => depth = depth.saturating_sub(1),
                _ => {}
            }
            if depth > MAX_DEPTH {
                let message = format!("expected brackets nested at most {MAX_DEPTH} deep, found more");
                return Err(SqlError::syntax(self.position_of(token.start), &message));
            }
        }
        Ok(())
    }

    /// The next token.
    pub(super) fn peek(&self) -> Option<Token<'a>> {
        self.tokens.get(self.at).copied()
    }

    /// The token behind the next one.
    pub(super) fn peek_second(&self) -> Option<Token<'a>> {
        self.tokens.get(self.at + 1).copied()
    }

    /// Passes the next token.
    pub(super) fn advance(&mut self) -> Option<Token<'a>> {
        let token = self.peek()?;
        self.at += 1;
        self.expected.clear();
        Some(token)
    }

    /// The text from byte `first` to `last` (exclusive).
    pub(super) fn text_between(&self, first: usize, last: usize) -> &'a str {
        self.text.get(first..last).unwrap_or_default()
    }

    /// Where the next token stands, or the end of the text.
    pub(super) fn position(&self) -> Position {
        self.position_of(self.peek().map_or(self.text.trim_end().len(), |token| token.start))
    }

    fn position_of(&self, byte: usize) -> Position {
        let (known_byte, known) = self.known.get();
        let (from, begin) = if known_byte <= byte { (known_byte, known) } else { (0, self.start) };
        let position = begin.after(self.text_between(from, byte));
        self.known.set((byte, position));
        position
    }

    fn expecting(&mut self, expected: Expected) {
        if !self.expected.contains(&expected) {
            self.expected.push(expected);
        }
    }

    /// Whether the next token is this keyword.
    pub(super) fn at_keyword(&self, keyword: &str) -> bool {
        self.peek().is_some_and(|token| token.is_keyword(keyword))
    }

    /// Whether the next token is this symbol.
    pub(super) fn at_symbol(&self, symbol: &str) -> bool {
        self.peek().is_some_and(|token| token.is_symbol(symbol))
    }

    /// Passes this keyword if it is next.
    pub(super) fn eat(&mut self, keyword: &'static str) -> bool {
        let here = self.at_keyword(keyword);
        if here {
            self.advance();
        } else {
            self.expecting(Expected::Keyword(keyword));
        }
        here
    }

    /// Passes one of these keywords without making it known as expected: for what is to be refused.
    pub(super) fn eat_any(&mut self, keywords: &[&'static str]) -> Option<&'static str> {
        let found = keywords.iter().copied().find(|keyword| self.at_keyword(keyword))?;
        self.advance();
        Some(found)
    }

    /// Passes this symbol if it is next.
    pub(super) fn eat_symbol(&mut self, symbol: &'static str) -> bool {
        let here = self.at_symbol(symbol);
        if here {
            self.advance();
        } else {
            self.expecting(Expected::Symbol(symbol));
        }
        here
    }

    /// Passes this symbol if it is next, without making it known as expected: errors name what is likely to be missing.
    pub(super) fn eat_quietly(&mut self, symbol: &str) -> bool {
        let here = self.at_symbol(symbol);
        if here {
            self.advance();
        }
        here
    }

    /// Passes this keyword if it is next, without making it known as expected.
    pub(super) fn eat_quietly_keyword(&mut self, keyword: &str) -> bool {
        let here = self.at_keyword(keyword);
        if here {
            self.advance();
        }
        here
    }

    /// Passes `;`, `\g` or `\G`, which a client should have kept to itself.
    pub(super) fn eat_statement_end(&mut self) {
        let client_end = self.peek().is_some_and(|token| token.kind == TokenKind::ClientEnd);
        if client_end || self.at_symbol(";") {
            self.advance();
        }
    }

    pub(super) fn expect(&mut self, keyword: &'static str) -> Result<(), SqlError> {
        if self.eat(keyword) { Ok(()) } else { Err(self.unexpected()) }
    }

    pub(super) fn expect_symbol(&mut self, symbol: &'static str) -> Result<(), SqlError> {
        if self.eat_symbol(symbol) { Ok(()) } else { Err(self.unexpected()) }
    }

    pub(super) fn expect_end(&mut self) -> Result<(), SqlError> {
        match self.peek() {
            None => Ok(()),
            Some(_) => {
                self.expecting(Expected::Thing("the end of the statement"));
                Err(self.unexpected())
            }
        }
    }

    /// A string.
    pub(super) fn string(&mut self, what: &'static str) -> Result<String, SqlError> {
        self.value_of(TokenKind::Text, what)
    }

    /// A word that is not in quotes, keyword or not.
    pub(super) fn word(&mut self, what: &'static str) -> Result<String, SqlError> {
        self.value_of(TokenKind::Word, what)
    }

    /// An integer that is not negative.
    pub(super) fn integer(&mut self, what: &'static str) -> Result<u64, SqlError> {
        let position = self.position();
        let digits = self.value_of(TokenKind::Integer, what)?;
        digits.parse().map_err(|_| {
            let message = format!("expected {what} of at most {}, found `{}`", u64::MAX, short(&digits));
            SqlError::syntax(position, &message)
        })
    }

    /// The value of the next token, which must be of this kind.
    pub(super) fn value_of(&mut self, kind: TokenKind, what: &'static str) -> Result<String, SqlError> {
        match self.peek() {
            Some(token) if token.kind == kind => {
                self.advance();
                Ok(token.value())
            }
            _ => Err(self.unexpected_for(what)),
        }
    }

    /// At least one item, with commas between, in brackets.
    pub(super) fn bracketed<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T, SqlError>,
    ) -> Result<Vec<T>, SqlError> {
        self.expect_symbol("(")?;
        let mut items = Vec::new();
        loop {
            items.push(item(self)?);
            if !self.eat_symbol(",") {
                self.expect_symbol(")")?;
                return Ok(items);
            }
        }
    }

    /// The error that `what` should be here.
    pub(super) fn unexpected_for(&mut self, what: &'static str) -> SqlError {
        self.expecting(Expected::Thing(what));
        self.unexpected()
    }

    /// The error that none of what was looked for is here.
    pub(super) fn unexpected(&self) -> SqlError {
        let error = SqlError::syntax(
            self.position(),
            &format!("expected {}, found {}", self.expected_text(), self.found_text()),
        );
        match self.hint() {
            Some(hint) => error.with_hint(hint),
            None => error,
        }
    }

    fn expected_text(&self) -> String {
        let items: Vec<String> = self
            .expected
            .iter()
            .map(|expected| match expected {
                Expected::Keyword(text) | Expected::Symbol(text) => format!("`{text}`"),
                Expected::Thing(text) => (*text).to_owned(),
            })
            .collect();
        match items.split_last() {
            None => "something else".to_owned(),
            Some((last, [])) => last.clone(),
            Some((last, others)) => format!("{} or {last}", others.join(", ")),
        }
    }

    fn found_text(&self) -> String {
        match self.peek() {
            None => "the end of the statement".to_owned(),
            Some(token) if token.kind == TokenKind::Unterminated => {
                let what = if token.text.starts_with("/*") { "comment" } else { "quote" };
                format!("a {what} that does not end: `{}`", short(token.text))
            }
            Some(token) => format!("`{}`", short(token.text)),
        }
    }

    fn hint(&self) -> Option<String> {
        let token = self.peek()?;
        let wants_name =
            self.expected.iter().any(|expected| matches!(expected, Expected::Thing(what) if what.ends_with("name")));
        match token.kind {
            TokenKind::Word => {
                let keywords = self.expected.iter().filter_map(|expected| match expected {
                    Expected::Keyword(keyword) => Some(*keyword),
                    _ => None,
                });
                match nearest(token.text, keywords) {
                    Some(keyword) => Some(format!("did you mean `{keyword}`?")),
                    None => wants_name.then(|| format!("put the name in backquotes: `{}`", short(token.text))),
                }
            }
            TokenKind::Unknown if token.text == "#" => Some("comments begin with `--` or `/*`".to_owned()),
            TokenKind::Unknown => Some("put names in backquotes and text in quotes".to_owned()),
            TokenKind::Unterminated => {
                let quote = token.text.chars().next()?;
                (quote != '/').then(|| format!("close it with `{quote}`"))
            }
            _ => None,
        }
    }

    /// The error that `what`, just read or about to be, is not supported yet.
    pub(super) fn unsupported(&self, what: &str) -> SqlError {
        let at = self.at.checked_sub(1).and_then(|before| self.tokens.get(before));
        let position = at.map_or(self.start, |token| self.position_of(token.start));
        self.unsupported_at(position, what)
    }

    /// The error that `what`, at `position`, is not supported yet.
    pub(super) fn unsupported_at(&self, position: Position, what: &str) -> SqlError {
        SqlError::analysis_at(position, &format!("{what} is not supported yet"))
    }
}

/// The beginning of a text from the user, short enough for an error.
pub(super) fn short(text: &str) -> String {
    match text.char_indices().nth(LONGEST_QUOTE) {
        None => text.to_owned(),
        Some((end, _)) => format!("{}...", text.get(..end).unwrap_or_default()),
    }
}
