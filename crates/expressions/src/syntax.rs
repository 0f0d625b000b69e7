//! Text into tokens and syntax trees that later stages can walk without running out of stack.
//!
//! Limits come before the tree: length and number of operators are checked on tokens, since a tree that is too deep
//! overflows the stack already when it is dropped.

use sqlparser::ast::Expr;
use sqlparser::dialect::MySqlDialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::{Parser, ParserError};
use sqlparser::tokenizer::{Location, Token, TokenWithSpan, Tokenizer};

use crate::nested_type;

/// Levels of parentheses, functions and subqueries.
pub const MAX_NESTING: usize = 100;
/// Bytes of one expression in COLUMNS or WHERE.
pub const MAX_EXPRESSION_BYTES: usize = 65_536;
/// Operators of one expression in COLUMNS or WHERE.
const MAX_EXPRESSION_OPERATORS: usize = 5_000;

/// Text that is no statement or expression.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SyntaxError {
    /// What was expected and found: lowercase, the user's text in backquotes.
    pub message: String,
    /// Line and column, from 1.
    pub place: Option<(u64, u64)>,
}

/// The tokens of a text, MySQL's signs for logic as the words that they mean, and nested types of casts as one name.
///
/// # Errors
/// A string or comment that does not end.
pub fn tokens(text: &str) -> Result<Vec<TokenWithSpan>, SyntaxError> {
    let mut tokens = Tokenizer::new(&MySqlDialect {}, text)
        .tokenize_with_location()
        .map_err(|error| syntax_error(&error.to_string(), &[]))?;
    tokens.iter_mut().for_each(in_words);
    tokens = nested_type::into_names(tokens);
    let plain: Vec<usize> =
        (0..tokens.len()).filter(|at| is_plain_trim(tokens.get(*at..).unwrap_or_default())).collect();
    for at in plain {
        if let Some(Token::Word(word)) = tokens.get_mut(at).map(|token| &mut token.token) {
            word.keyword = Keyword::NoKeyword;
        }
    }
    Ok(tokens)
}

/// A parser for tokens of [`tokens`]; it refuses what is nested more than [`MAX_NESTING`] levels deep.
pub fn parser(tokens: Vec<TokenWithSpan>) -> Parser<'static> {
    Parser::new(&MySqlDialect {}).with_recursion_limit(MAX_NESTING).with_tokens_with_locations(tokens)
}

/// How many levels the tokens' tree may have beside those of its nesting.
pub fn operators(tokens: &[TokenWithSpan]) -> usize {
    tokens.iter().filter(|token| deepens(&token.token)).count()
}

/// What a parser's error means; `None` if the text is nested too deeply.
pub fn refused(error: ParserError, tokens: &[TokenWithSpan]) -> Option<SyntaxError> {
    match error {
        ParserError::RecursionLimitExceeded => None,
        ParserError::ParserError(message) | ParserError::TokenizerError(message) => {
            Some(syntax_error(&message, tokens))
        }
    }
}

/// Parses one expression. Call it on a thread with a deep stack.
pub(crate) fn expression(text: &str) -> Result<Expr, SyntaxError> {
    let refuse = |message: String| Err(SyntaxError { message, place: None });
    if text.len() > MAX_EXPRESSION_BYTES {
        let bytes = text.len();
        return refuse(format!("the expression has {bytes} bytes, at most {MAX_EXPRESSION_BYTES} are allowed"));
    }
    let tokens = tokens(text)?;
    let operators = operators(&tokens);
    if operators > MAX_EXPRESSION_OPERATORS {
        return refuse(format!(
            "the expression has {operators} operators, at most {MAX_EXPRESSION_OPERATORS} are allowed"
        ));
    }
    let mut parser = parser(tokens.clone());
    let parsed = parser.parse_expr().and_then(|parsed| match parser.peek_token() {
        TokenWithSpan { token: Token::EOF, .. } => Ok(parsed),
        rest => parser.expected("the end of the expression", rest),
    });
    parsed.map_err(|error| {
        refused(error, &tokens).unwrap_or_else(|| SyntaxError {
            message: format!("the expression is nested too deeply, at most {MAX_NESTING} levels are allowed"),
            place: None,
        })
    })
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

/// Whether tokens begin with a call of TRIM without words among its arguments; the parser wants no comma in the others.
fn is_plain_trim(tokens: &[TokenWithSpan]) -> bool {
    const BEYOND: usize = 100;
    let mut rest = tokens.iter().map(|token| &token.token).filter(|token| !matches!(token, Token::Whitespace(_)));
    if !matches!(rest.next(), Some(Token::Word(word)) if word.keyword == Keyword::TRIM) {
        return false;
    }
    let mut depth = 0_usize;
    for token in rest.take(BEYOND) {
        match token {
            Token::LParen => depth += 1,
            Token::RParen => depth = depth.saturating_sub(1),
            Token::Comma if depth == 1 => return true,
            Token::Word(word) if depth == 1 => {
                if matches!(word.keyword, Keyword::FROM | Keyword::BOTH | Keyword::LEADING | Keyword::TRAILING) {
                    return false;
                }
            }
            _ => {}
        }
        if depth == 0 {
            return true;
        }
    }
    true
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

/// `Expected: an expression, found: FROM at Line: 1, Column: 8` in our wording.
fn syntax_error(message: &str, tokens: &[TokenWithSpan]) -> SyntaxError {
    let (what, place) = match message.rsplit_once(" at Line: ") {
        Some((what, place)) => (what, place.split_once(", Column: ")),
        None => (message, None),
    };
    let mut place =
        place.and_then(|(line, column)| Some(Location { line: line.parse().ok()?, column: column.parse().ok()? }));
    let expected = what.strip_prefix("Expected: ").or_else(|| what.strip_prefix("Expected "));
    let message = match expected.and_then(|rest| rest.split_once(", found: ")) {
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
    SyntaxError { message, place: place.map(|Location { line, column }| (line, column)) }
}

fn lowercase_first(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_lowercase().chain(chars).collect())
}
