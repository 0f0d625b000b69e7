//! Rows as the functions answer them and clients read them.

use serde::{Deserialize, Serialize};

/// Columns and all their rows.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct ResultSet {
    /// Columns in order.
    pub columns: Vec<ResultColumn>,
    /// Rows; each has one cell a column.
    pub rows: Vec<Vec<Cell>>,
}

/// A column of a result.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ResultColumn {
    /// Its title.
    pub name: String,
    /// What its cells hold.
    pub cell_type: CellType,
}

/// The type of a result's column, as the MySQL protocol is to announce it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum CellType {
    /// BOOLEAN: MySQL's TINYINT(1); cells are `Integer` 0 or 1.
    Boolean,
    /// Signed, 8 bits.
    TinyInt,
    /// Signed, 16 bits.
    SmallInt,
    /// Signed, 32 bits.
    Int,
    /// Signed, 64 bits.
    BigInt,
    /// Unsigned, 64 bits (counts of some functions).
    UnsignedBigInt,
    /// Exact decimal with so many digits after the point; cells are `Text`. LARGEINT has scale 0.
    Decimal {
        /// Digits in all.
        precision: u8,
        /// Digits after the point.
        scale: u8,
    },
    /// 32 bits; cells are `Float`.
    Float,
    /// 64 bits; cells are `Float`.
    Double,
    /// Text `yyyy-MM-dd`.
    Date,
    /// Text `yyyy-MM-dd HH:mm:ss`, with `.ffffff` if there is a fraction.
    DateTime,
    /// Text.
    Varchar,
    /// JSON text.
    Json,
    /// Bytes.
    Binary,
}

/// A cell.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Cell {
    /// SQL NULL.
    Null,
    /// Any signed integer type, and BOOLEAN.
    Integer(i64),
    /// An unsigned integer.
    Unsigned(u64),
    /// FLOAT and DOUBLE. Serialised as text, since JSON has no NaN.
    #[serde(with = "float_text")]
    Float(f64),
    /// Text, dates, decimals, JSON.
    Text(String),
    /// Bytes.
    Binary(Vec<u8>),
}

impl ResultSet {
    /// A result whose columns are all text, as those of SHOW statements are.
    pub fn text(columns: &[&str], rows: Vec<Vec<Option<String>>>) -> Self {
        Self {
            columns: columns
                .iter()
                .map(|name| ResultColumn { name: (*name).to_owned(), cell_type: CellType::Varchar })
                .collect(),
            rows: rows
                .into_iter()
                .map(|row| row.into_iter().map(|cell| cell.map_or(Cell::Null, Cell::Text)).collect())
                .collect(),
        }
    }
}

/// Floats as text, so that NaN and infinities survive JSON.
mod float_text {
    use serde::{Deserialize, Deserializer, Serializer, de::Error};

    pub(super) fn serialize<S: Serializer>(value: &f64, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_str(&value.to_string())
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(deserializer: D) -> Result<f64, D::Error> {
        String::deserialize(deserializer)?.parse().map_err(D::Error::custom)
    }
}
