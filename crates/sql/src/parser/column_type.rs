//! Column types, in all spellings that StarRocks takes.

use penstock_kernel::table::{ColumnType, MAX_VARBINARY_BYTES, STRING_BYTES, StructField};

use super::cursor::Cursor;
use crate::error::SqlError;
use crate::lexer::TokenKind;
use crate::similar::nearest;

/// Bytes that a VARCHAR holds at most.
const MAX_VARCHAR_BYTES: u64 = 1_048_576;

/// Types that StarRocks knows and this system does not yet.
const NOT_YET: [&str; 6] = ["BITMAP", "HLL", "PERCENTILE", "TIME", "VARIANT", "DECIMAL256"];

/// Types that may stand inside each other, the innermost one included; as in StarRocks.
const MOST_LEVELS: usize = 15;

/// Types that may be part of one column's type, at all levels.
const MOST_PARTS: usize = 4_096;

/// Spellings of types without a length of their own; a display width behind an integer means nothing.
const PLAIN: [(&str, ColumnType); 15] = [
    ("BOOLEAN", ColumnType::Boolean),
    ("BOOL", ColumnType::Boolean),
    ("TINYINT", ColumnType::TinyInt),
    ("SMALLINT", ColumnType::SmallInt),
    ("INT", ColumnType::Int),
    ("INTEGER", ColumnType::Int),
    ("BIGINT", ColumnType::BigInt),
    ("LARGEINT", ColumnType::LargeInt),
    ("FLOAT", ColumnType::Float),
    ("DOUBLE", ColumnType::Double),
    ("DATE", ColumnType::Date),
    ("DATETIME", ColumnType::DateTime),
    ("TIMESTAMP", ColumnType::DateTime),
    ("JSON", ColumnType::Json),
    ("STRING", ColumnType::Varchar(STRING_BYTES)),
];

/// Spellings of decimals, each with the most digits that it has room for.
const DECIMALS: [(&str, u8); 6] =
    [("DECIMAL", 38), ("NUMERIC", 38), ("DECIMALV2", 27), ("DECIMAL32", 9), ("DECIMAL64", 18), ("DECIMAL128", 38)];

/// A column's type.
pub(super) fn column_type(cursor: &mut Cursor<'_>) -> Result<ColumnType, SqlError> {
    Nesting { levels: 0, parts: 0 }.column_type(cursor)
}

/// What is counted while types stand inside each other.
struct Nesting {
    /// Types that are open around the next one.
    levels: usize,
    /// Types so far.
    parts: usize,
}

impl Nesting {
    fn column_type(&mut self, cursor: &mut Cursor<'_>) -> Result<ColumnType, SqlError> {
        let position = cursor.position();
        self.levels += 1;
        self.parts += 1;
        if self.levels > MOST_LEVELS {
            return Err(SqlError::analysis_at(position, &format!("types nest at most {MOST_LEVELS} levels deep")));
        }
        if self.parts > MOST_PARTS {
            return Err(SqlError::analysis_at(position, &format!("a type has at most {MOST_PARTS} parts")));
        }
        let found = match cursor.peek().filter(|token| token.kind == TokenKind::Word) {
            Some(token) if token.is_keyword("ARRAY") => self.array(cursor),
            Some(token) if token.is_keyword("MAP") => self.map(cursor),
            Some(token) if token.is_keyword("STRUCT") => self.structure(cursor),
            _ => plain_type(cursor),
        };
        self.levels -= 1;
        found
    }

    fn array(&mut self, cursor: &mut Cursor<'_>) -> Result<ColumnType, SqlError> {
        cursor.advance();
        cursor.expect_symbol("<")?;
        let entry = self.column_type(cursor)?;
        cursor.expect_symbol(">")?;
        Ok(ColumnType::Array(Box::new(entry)))
    }

    fn map(&mut self, cursor: &mut Cursor<'_>) -> Result<ColumnType, SqlError> {
        cursor.advance();
        cursor.expect_symbol("<")?;
        let position = cursor.position();
        let key = self.column_type(cursor)?;
        if matches!(
            key,
            ColumnType::Array(_)
                | ColumnType::Map(..)
                | ColumnType::Struct(_)
                | ColumnType::Json
                | ColumnType::Varbinary(_)
        ) {
            let message = format!("the key of a MAP cannot be of type {key}");
            return Err(SqlError::analysis_at(position, &message)
                .with_hint("keys are numbers, dates or text, as in `MAP<VARCHAR(64), INT>`"));
        }
        cursor.expect_symbol(",")?;
        let value = self.column_type(cursor)?;
        cursor.expect_symbol(">")?;
        Ok(ColumnType::Map(Box::new(key), Box::new(value)))
    }

    /// `STRUCT<name type, ...>`; a colon may stand between name and type, a comment behind the type.
    fn structure(&mut self, cursor: &mut Cursor<'_>) -> Result<ColumnType, SqlError> {
        cursor.advance();
        cursor.expect_symbol("<")?;
        let mut fields: Vec<StructField> = Vec::new();
        let mut names = std::collections::HashSet::new();
        loop {
            let position = cursor.position();
            let name = field_name(cursor)?;
            cursor.eat_quietly(":");
            let column_type = self.column_type(cursor)?;
            if cursor.eat_quietly_keyword("COMMENT") {
                cursor.string("a comment")?;
            }
            if !names.insert(name.to_lowercase()) {
                return Err(SqlError::analysis_at(position, &format!("Duplicate field name '{name}'")));
            }
            fields.push(StructField { name, column_type });
            if !cursor.eat_symbol(",") {
                break;
            }
        }
        cursor.expect_symbol(">")?;
        Ok(ColumnType::Struct(fields))
    }
}

/// Any word or name in backquotes: nothing else can stand there.
fn field_name(cursor: &mut Cursor<'_>) -> Result<String, SqlError> {
    match cursor.peek() {
        Some(token) if matches!(token.kind, TokenKind::Word | TokenKind::QuotedName) => {
            cursor.advance();
            let name = token.value();
            if name.is_empty() { Err(cursor.unexpected_for("a field's name")) } else { Ok(name) }
        }
        _ => Err(cursor.unexpected_for("a field's name")),
    }
}

fn plain_type(cursor: &mut Cursor<'_>) -> Result<ColumnType, SqlError> {
    let Some(token) = cursor.peek().filter(|token| token.kind == TokenKind::Word) else {
        return Err(cursor.unexpected_for("a column type"));
    };
    let position = cursor.position();
    let is = |name: &str| token.is_keyword(name);
    if let Some((name, found)) = PLAIN.iter().find(|(name, _)| is(name)) {
        cursor.advance();
        return plain(cursor, name, found);
    }
    if let Some((_, most)) = DECIMALS.into_iter().find(|(name, _)| is(name)) {
        cursor.advance();
        return decimal(cursor, most);
    }
    if is("TEXT") {
        cursor.advance();
        return Ok(ColumnType::Varchar(STRING_BYTES));
    }
    if is("CHAR") || is("CHARACTER") {
        cursor.advance();
        return length(cursor, 255).map(|bytes| ColumnType::Char(bytes.unwrap_or(1)));
    }
    if is("VARCHAR") {
        cursor.advance();
        return length(cursor, MAX_VARCHAR_BYTES).map(|bytes| ColumnType::Varchar(bytes.unwrap_or(1)));
    }
    if is("VARBINARY") || is("BINARY") {
        cursor.advance();
        let bytes = length(cursor, u64::from(MAX_VARBINARY_BYTES))?;
        return Ok(ColumnType::Varbinary(bytes.unwrap_or(MAX_VARBINARY_BYTES)));
    }
    if let Some(name) = NOT_YET.into_iter().find(|name| is(name)) {
        return Err(cursor.unsupported_at(position, &format!("a column of type {name}")));
    }
    let message = format!("expected a column type, found `{}`", super::cursor::short(token.text));
    let names = PLAIN.iter().map(|(name, _)| *name);
    let names = names.chain(DECIMALS.iter().map(|(name, _)| *name)).chain([
        "CHAR",
        "VARCHAR",
        "VARBINARY",
        "ARRAY",
        "MAP",
        "STRUCT",
    ]);
    let error = SqlError::syntax(position, &message);
    Err(match nearest(token.text, names) {
        Some(name) => error.with_hint(format!("did you mean `{name}`?")),
        None => error,
    })
}

fn plain(cursor: &mut Cursor<'_>, name: &str, found: &ColumnType) -> Result<ColumnType, SqlError> {
    let integer = matches!(
        found,
        ColumnType::TinyInt | ColumnType::SmallInt | ColumnType::Int | ColumnType::BigInt | ColumnType::LargeInt
    );
    if integer && cursor.eat_symbol("(") {
        cursor.integer("a display width")?;
        cursor.expect_symbol(")")?;
    }
    if integer && cursor.eat_any(&["UNSIGNED"]).is_some() {
        return Err(cursor.unsupported(&format!("UNSIGNED {name}")));
    }
    // An old spelling: DOUBLE PRECISION.
    if *found == ColumnType::Double {
        cursor.eat_any(&["PRECISION"]);
    }
    Ok(found.clone())
}

/// `(<bytes>)`, if there.
fn length(cursor: &mut Cursor<'_>, most: u64) -> Result<Option<u32>, SqlError> {
    if !cursor.eat_symbol("(") {
        return Ok(None);
    }
    let bytes = if most > 255 && cursor.at_symbol("*") {
        cursor.advance();
        most
    } else {
        in_range(cursor, "a length in bytes", 1, most)?
    };
    cursor.expect_symbol(")")?;
    Ok(u32::try_from(bytes).ok())
}

fn decimal(cursor: &mut Cursor<'_>, most: u8) -> Result<ColumnType, SqlError> {
    let (mut precision, mut scale) = (10_u64.min(u64::from(most)), 0);
    if cursor.eat_symbol("(") {
        precision = in_range(cursor, "a number of digits", 1, u64::from(most))?;
        if cursor.eat_symbol(",") {
            scale = in_range(cursor, "a number of digits after the point", 0, precision)?;
        }
        cursor.expect_symbol(")")?;
    }
    let small = |digits: u64| u8::try_from(digits).unwrap_or(most);
    Ok(ColumnType::Decimal { precision: small(precision), scale: small(scale) })
}

fn in_range(cursor: &mut Cursor<'_>, what: &'static str, least: u64, most: u64) -> Result<u64, SqlError> {
    let position = cursor.position();
    let found = cursor.integer(what)?;
    if (least..=most).contains(&found) {
        return Ok(found);
    }
    let message = format!("expected {what} from {least} to {most}, found `{found}`");
    Err(SqlError::analysis_at(position, &message))
}
