//! SQL text into tokens: StarRocks' rules for quotes, escapes, names, numbers and comments.
//!
//! One lexer serves the parser, the statement splitter and the classifier, so that they can never disagree about where
//! a quote ends. It never fails: what is no token is a token of a kind that the parser refuses. Time and memory are
//! linear in the text, and nothing recurses.

/// What a token is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TokenKind {
    /// A keyword or a plain name: letters, digits, `_`; may begin with digits if a letter follows. Any character beyond
    /// ASCII that is no space counts as a letter.
    Word,
    /// A name in backquotes.
    QuotedName,
    /// A string in `'...'` or `"..."`.
    Text,
    /// Digits only.
    Integer,
    /// A number with a point or an exponent.
    Number,
    /// An operator or punctuation.
    Symbol,
    /// `\g` or `\G`, with which the mysql client ends a statement.
    ClientEnd,
    /// A quote or comment that does not end; reaches to the end of the text.
    Unterminated,
    /// A character that begins no token.
    Unknown,
}

/// A piece of SQL text.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    /// What it is.
    pub kind: TokenKind,
    /// As written, quotes included; never empty.
    pub text: &'a str,
    /// Byte at which it begins.
    pub start: usize,
}

impl Token<'_> {
    /// Byte behind its last.
    pub fn end(&self) -> usize {
        self.start + self.text.len()
    }

    /// Whether it is this keyword, in any case. A quoted name is never a keyword.
    pub fn is_keyword(&self, keyword: &str) -> bool {
        self.kind == TokenKind::Word && self.text.eq_ignore_ascii_case(keyword)
    }

    /// Whether it is this symbol.
    pub fn is_symbol(&self, symbol: &str) -> bool {
        self.kind == TokenKind::Symbol && self.text == symbol
    }

    /// What it stands for: quotes and escapes resolved for names and strings, else the text itself.
    pub fn value(&self) -> String {
        match self.kind {
            TokenKind::Text => unescape(self.text),
            TokenKind::QuotedName => inner(self.text).replace("``", "`"),
            _ => self.text.to_owned(),
        }
    }
}

/// The tokens of a text, in order; comments and white space are passed over.
#[derive(Debug, Clone)]
pub struct Lexer<'a> {
    text: &'a str,
    at: usize,
}

/// Symbols of more than one character, longest first.
const LONG_SYMBOLS: [&str; 12] = ["<=>", "<=", ">=", "<>", "!=", "==", "||", "&&", "->", ":=", "@@", "<<"];

impl<'a> Lexer<'a> {
    /// Lexes `text` from its start.
    pub fn new(text: &'a str) -> Self {
        Self { text, at: 0 }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Passes white space and comments; true if a comment does not end (and `at` is at its start).
    fn skip_space(&mut self) -> bool {
        loop {
            let rest = self.rest();
            let trimmed = rest.trim_start_matches(|c: char| c.is_whitespace() || c == '\u{feff}');
            self.at += rest.len() - trimmed.len();
            if trimmed.starts_with("--") {
                self.at += trimmed.find('\n').unwrap_or(trimmed.len());
            } else if let Some(comment) = trimmed.strip_prefix("/*") {
                match comment.find("*/") {
                    Some(end) => self.at += end + 4,
                    None => return true,
                }
            } else {
                return false;
            }
        }
    }

    fn token(&mut self, kind: TokenKind, length: usize) -> Token<'a> {
        let start = self.at;
        let text = self.rest().get(..length).unwrap_or_default();
        self.at += length;
        Token { kind, text, start }
    }
}

impl<'a> Iterator for Lexer<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let unterminated = self.skip_space();
        let rest = self.rest();
        let first = rest.chars().next()?;
        if unterminated {
            return Some(self.token(TokenKind::Unterminated, rest.len()));
        }
        let (kind, length) = match first {
            '\'' | '"' => quoted(rest, TokenKind::Text),
            '`' => quoted(rest, TokenKind::QuotedName),
            '0'..='9' => number_or_word(rest),
            '.' if rest.as_bytes().get(1).is_some_and(u8::is_ascii_digit) => number_or_word(rest),
            _ if is_letter(first) => (TokenKind::Word, word_length(rest)),
            '\\' if rest.starts_with("\\G") || rest.starts_with("\\g") => (TokenKind::ClientEnd, 2),
            _ => symbol(rest, first),
        };
        Some(self.token(kind, length))
    }
}

/// Length of the quoted token that begins `rest`. A doubled quote stands for one; a backslash protects the next
/// character, save in backquotes.
fn quoted(rest: &str, kind: TokenKind) -> (TokenKind, usize) {
    let mut bytes = rest.bytes().enumerate();
    let quote = bytes.next().map_or(b'\'', |(_, byte)| byte);
    let mut bytes = bytes.peekable();
    while let Some((at, byte)) = bytes.next() {
        if byte == b'\\' && quote != b'`' {
            bytes.next();
        } else if byte == quote && bytes.next_if(|(_, next)| *next == quote).is_none() {
            return (kind, at + 1);
        }
    }
    (TokenKind::Unterminated, rest.len())
}

fn word_length(rest: &str) -> usize {
    rest.find(|character: char| !(is_letter(character) || character.is_ascii_digit())).unwrap_or(rest.len())
}

/// Control characters and quotes that word processors make are no letters: as names they would only hide a mistake.
fn is_letter(character: char) -> bool {
    const CURLY_QUOTES: std::ops::RangeInclusive<char> = '\u{2018}'..='\u{201f}';
    if character.is_ascii() {
        return character.is_ascii_alphabetic() || character == '_';
    }
    !(character.is_whitespace()
        || character.is_control()
        || CURLY_QUOTES.contains(&character)
        || character == '\u{feff}')
}

fn digits(text: &str) -> usize {
    text.bytes().take_while(u8::is_ascii_digit).count()
}

/// A number, or a name that begins with digits.
fn number_or_word(rest: &str) -> (TokenKind, usize) {
    let whole = digits(rest);
    let after = rest.get(whole..).unwrap_or_default();
    let fraction = after.strip_prefix('.').map_or(0, |fraction| 1 + digits(fraction));
    let after = after.get(fraction..).unwrap_or_default();
    let exponent = after
        .strip_prefix(['e', 'E'])
        .map(|exponent| {
            let unsigned = exponent.strip_prefix(['+', '-']).unwrap_or(exponent);
            (1 + exponent.len() - unsigned.len(), digits(unsigned))
        })
        .filter(|(_, digits)| *digits > 0)
        .map_or(0, |(sign, digits)| sign + digits);
    let length = whole + fraction + exponent;
    let word = word_length(rest);
    if fraction == 0 && word > length {
        (TokenKind::Word, word)
    } else if fraction + exponent == 0 {
        (TokenKind::Integer, length)
    } else {
        (TokenKind::Number, length)
    }
}

fn symbol(rest: &str, first: char) -> (TokenKind, usize) {
    if let Some(long) = LONG_SYMBOLS.iter().find(|long| rest.starts_with(**long)) {
        return (TokenKind::Symbol, long.len());
    }
    if "(),;.=<>+-*/%!~^&|[]{}:@?".contains(first) {
        (TokenKind::Symbol, 1)
    } else {
        (TokenKind::Unknown, first.len_utf8())
    }
}

fn inner(quoted: &str) -> &str {
    quoted.get(1..quoted.len().saturating_sub(1)).unwrap_or_default()
}

/// The value of a string literal.
fn unescape(literal: &str) -> String {
    let quote = literal.chars().next().unwrap_or('"');
    let body = inner(literal);
    let mut value = String::with_capacity(body.len());
    let mut characters = body.chars();
    while let Some(character) = characters.next() {
        if character == quote {
            // The lexer let it stand inside only because it is doubled.
            characters.next();
            value.push(quote);
        } else if character != '\\' {
            value.push(character);
        } else {
            match characters.next() {
                Some('n') => value.push('\n'),
                Some('t') => value.push('\t'),
                Some('r') => value.push('\r'),
                Some('b') => value.push('\u{8}'),
                Some('0') => value.push('\0'),
                Some('Z') => value.push('\u{1a}'),
                Some(kept @ ('%' | '_')) => {
                    value.push('\\');
                    value.push(kept);
                }
                Some(other) => value.push(other),
                None => value.push('\\'),
            }
        }
    }
    value
}

#[cfg(test)]
mod tests;
