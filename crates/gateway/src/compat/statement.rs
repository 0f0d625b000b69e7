//! A statement being read, token by token.

use penstock_sql::lexer::{Lexer, Token, TokenKind};

/// What is still unread of a statement. Cheap to clone, so that a reader can try and go back.
#[derive(Clone)]
pub(crate) struct Statement<'a> {
    sql: &'a str,
    rest: Lexer<'a>,
    next: Option<Token<'a>>,
    /// Byte behind the last token read.
    end: usize,
}

impl<'a> Statement<'a> {
    pub(crate) fn new(sql: &'a str) -> Self {
        let mut rest = Lexer::new(sql);
        let next = rest.next();
        Self { sql, rest, next, end: 0 }
    }

    pub(crate) fn peek(&self) -> Option<Token<'a>> {
        self.next
    }

    pub(crate) fn take(&mut self) -> Option<Token<'a>> {
        let token = self.next?;
        self.end = token.end();
        self.next = self.rest.next();
        Some(token)
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.next.is_none()
    }

    /// Byte at which the next token begins, or the text's end.
    pub(crate) fn start(&self) -> usize {
        self.next.map_or(self.sql.len(), |token| token.start)
    }

    /// The text as written between byte `start` and the last token read.
    pub(crate) fn text_since(&self, start: usize) -> &'a str {
        self.sql.get(start..self.end).unwrap_or_default()
    }

    fn take_if(&mut self, matches: impl FnOnce(&Token<'a>) -> bool) -> Option<Token<'a>> {
        if self.next.as_ref().is_some_and(matches) { self.take() } else { None }
    }

    /// Takes the keyword if it is next.
    pub(crate) fn keyword(&mut self, keyword: &str) -> bool {
        self.take_if(|token| token.is_keyword(keyword)).is_some()
    }

    /// Takes the symbol if it is next.
    pub(crate) fn symbol(&mut self, symbol: &str) -> bool {
        self.take_if(|token| token.is_symbol(symbol)).is_some()
    }

    /// Takes a word if one is next; in upper case.
    pub(crate) fn word(&mut self) -> Option<String> {
        self.take_if(|token| token.kind == TokenKind::Word).map(|token| token.text.to_ascii_uppercase())
    }

    /// Takes a name, plain or in backquotes.
    pub(crate) fn name(&mut self) -> Option<String> {
        self.take_if(|token| matches!(token.kind, TokenKind::Word | TokenKind::QuotedName)).map(|token| token.value())
    }

    /// Takes a string.
    pub(crate) fn string(&mut self) -> Option<String> {
        self.take_if(|token| token.kind == TokenKind::Text).map(|token| token.value())
    }

    /// Takes a name, string or number, as its value.
    pub(crate) fn value(&mut self) -> Option<String> {
        self.take_if(|token| {
            matches!(
                token.kind,
                TokenKind::Word | TokenKind::QuotedName | TokenKind::Text | TokenKind::Integer | TokenKind::Number
            )
        })
        .map(|token| token.value())
    }
}
