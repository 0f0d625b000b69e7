//! ARRAY, MAP and STRUCT as types of casts, however nested: StarRocks' spelling, of which the parser's dialect knows half.
//!
//! Before parsing, the tokens of such a type become one quoted name, which the parser takes for a type of the user's;
//! [`parse`] then reads that name.

use arrow_schema::DataType;
use penstock_kernel::table::{ColumnType, StructField};
use sqlparser::dialect::MySqlDialect;
use sqlparser::keywords::Keyword;
use sqlparser::parser::Parser;
use sqlparser::tokenizer::{Token, TokenWithSpan, Word};

use crate::types::{column_type, list_of, sql_type};

/// Levels of a type.
const MAX_LEVELS: usize = 32;

/// Makes one token of each nested type that follows an AS.
pub(crate) fn into_names(tokens: Vec<TokenWithSpan>) -> Vec<TokenWithSpan> {
    let mut kept: Vec<TokenWithSpan> = Vec::with_capacity(tokens.len());
    let mut after_as = false;
    let mut rest = tokens.as_slice();
    while let Some((token, following)) = rest.split_first() {
        if after_as
            && opens(rest)
            && let Some(length) = length(rest)
        {
            let (of_type, following) = rest.split_at(length);
            let value = of_type.iter().map(|token| token.token.to_string()).collect();
            let name = Word { value, quote_style: Some('`'), keyword: Keyword::NoKeyword };
            kept.push(TokenWithSpan { token: Token::Word(name), span: token.span });
            rest = following;
            after_as = false;
            continue;
        }
        if !matches!(token.token, Token::Whitespace(_)) {
            after_as = is_word(token, &[Keyword::AS]);
        }
        kept.push(token.clone());
        rest = following;
    }
    kept
}

/// The type that such a name, or a part of it, stands for.
pub(crate) fn parse(text: &str) -> Option<DataType> {
    level(text, MAX_LEVELS)
}

fn level(text: &str, levels: usize) -> Option<DataType> {
    let below = levels.checked_sub(1)?;
    let text = text.trim();
    let Some((kind, inner)) = text.strip_suffix('>').and_then(|text| text.split_once('<')) else {
        let mut parser = Parser::new(&MySqlDialect {}).try_with_sql(text).ok()?;
        let parsed = parser.parse_data_type().ok()?;
        return (parser.peek_token() == Token::EOF).then(|| sql_type(&parsed))?;
    };
    let column = |text: &str| column_type(&level(text, below)?);
    match (kind.trim().to_ascii_lowercase().as_str(), parts(inner).as_slice()) {
        ("array", [element]) => Some(list_of(level(element, below)?)),
        ("map", [key, value]) => Some(ColumnType::Map(Box::new(column(key)?), Box::new(column(value)?)).arrow()),
        ("struct", fields) => {
            let field = |text: &&str| {
                let (name, of) = named(text.trim())?;
                Some(StructField { name: name.to_owned(), column_type: column(of)? })
            };
            Some(ColumnType::Struct(fields.iter().map(field).collect::<Option<_>>()?).arrow())
        }
        _ => None,
    }
}

/// A field's name, in backquotes or not, and its type.
fn named(text: &str) -> Option<(&str, &str)> {
    match text.strip_prefix('`') {
        Some(quoted) => quoted.split_once('`'),
        None => text.split_once(char::is_whitespace),
    }
    .filter(|(name, _)| !name.is_empty())
}

/// The text between commas that are in no brackets.
fn parts(text: &str) -> Vec<&str> {
    let mut depth = 0_usize;
    text.split(|char| {
        match char {
            '<' | '(' => depth += 1,
            '>' | ')' => depth = depth.saturating_sub(1),
            ',' => return depth == 0,
            _ => {}
        }
        false
    })
    .collect()
}

fn is_word(token: &TokenWithSpan, keywords: &[Keyword]) -> bool {
    matches!(&token.token, Token::Word(word) if word.quote_style.is_none() && keywords.contains(&word.keyword))
}

/// Whether these begin with the name of a nested type and `<`.
fn opens(tokens: &[TokenWithSpan]) -> bool {
    let Some((name, following)) = tokens.split_first() else { return false };
    let mut following =
        following.iter().map(|token| &token.token).filter(|token| !matches!(token, Token::Whitespace(_)));
    is_word(name, &[Keyword::ARRAY, Keyword::MAP, Keyword::STRUCT]) && following.next() == Some(&Token::Lt)
}

/// How many tokens it takes until as many brackets closed as opened.
fn length(tokens: &[TokenWithSpan]) -> Option<usize> {
    let mut depth = 0_usize;
    for (place, token) in tokens.iter().enumerate() {
        let closed = match token.token {
            Token::Lt => {
                depth += 1;
                continue;
            }
            Token::Gt => 1,
            Token::ShiftRight => 2,
            _ => continue,
        };
        depth = depth.checked_sub(closed)?;
        if depth == 0 {
            return Some(place + 1);
        }
    }
    None
}
