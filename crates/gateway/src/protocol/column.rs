//! What a result says about its columns: type, length, character set, flags and digits after the point.

use penstock_sql::result::{CellType, ResultColumn};

use crate::protocol::greeting::UTF8MB4;
use crate::protocol::wire::put_sized;

/// Character set of numbers, dates and bytes.
const BINARY: u16 = 63;

/// Digits after the point of FLOAT and DOUBLE: as many as the value has.
const NOT_FIXED: u8 = 31;

/// The flags of a column.
mod flag {
    pub(super) const UNSIGNED: u16 = 32;
    pub(super) const BLOB: u16 = 16;
    pub(super) const BINARY: u16 = 128;
}

/// The protocol's numbers of types, as far as results or parameters have them.
pub(crate) mod wire_type {
    pub(crate) const DECIMAL: u8 = 0;
    pub(crate) const TINY: u8 = 1;
    pub(crate) const SHORT: u8 = 2;
    pub(crate) const LONG: u8 = 3;
    pub(crate) const FLOAT: u8 = 4;
    pub(crate) const DOUBLE: u8 = 5;
    pub(crate) const NULL: u8 = 6;
    pub(crate) const TIMESTAMP: u8 = 7;
    pub(crate) const LONGLONG: u8 = 8;
    pub(crate) const INT24: u8 = 9;
    pub(crate) const DATE: u8 = 10;
    pub(crate) const TIME: u8 = 11;
    pub(crate) const DATETIME: u8 = 12;
    pub(crate) const YEAR: u8 = 13;
    pub(crate) const VARCHAR: u8 = 15;
    pub(crate) const BIT: u8 = 16;
    pub(crate) const JSON: u8 = 245;
    pub(crate) const NEWDECIMAL: u8 = 246;
    pub(crate) const ENUM: u8 = 247;
    pub(crate) const SET: u8 = 248;
    pub(crate) const TINY_BLOB: u8 = 249;
    pub(crate) const MEDIUM_BLOB: u8 = 250;
    pub(crate) const LONG_BLOB: u8 = 251;
    pub(crate) const BLOB: u8 = 252;
    pub(crate) const VAR_STRING: u8 = 253;
    pub(crate) const STRING: u8 = 254;
    pub(crate) const GEOMETRY: u8 = 255;
}

/// What the protocol says about a type.
struct Traits {
    wire_type: u8,
    charset: u16,
    /// Longest text, in bytes.
    length: u32,
    flags: u16,
    decimals: u8,
}

fn traits(cell_type: CellType) -> Traits {
    // MySQL flags only dates as binary, though none of these has a character set; with the flag, Connector/J would take a
    // boolean for bytes.
    let number = |wire_type, length| Traits { wire_type, charset: BINARY, length, flags: 0, decimals: 0 };
    let date = |length, decimals| Traits {
        flags: flag::BINARY,
        decimals,
        ..number(if decimals == 0 { wire_type::DATE } else { wire_type::DATETIME }, length)
    };
    let text = |wire_type, length| Traits { wire_type, charset: UTF8MB4.into(), length, flags: 0, decimals: 0 };
    match cell_type {
        // Length 1 is what makes drivers see a boolean.
        CellType::Boolean => number(wire_type::TINY, 1),
        CellType::TinyInt => number(wire_type::TINY, 4),
        CellType::SmallInt => number(wire_type::SHORT, 6),
        CellType::Int => number(wire_type::LONG, 11),
        CellType::BigInt => number(wire_type::LONGLONG, 20),
        CellType::UnsignedBigInt => Traits { flags: flag::UNSIGNED, ..number(wire_type::LONGLONG, 20) },
        CellType::Decimal { precision, scale } => {
            // Sign and, if there is a fraction, the point.
            let length = u32::from(precision) + 1 + u32::from(scale > 0);
            Traits { decimals: scale, ..number(wire_type::NEWDECIMAL, length) }
        }
        CellType::Float => Traits { decimals: NOT_FIXED, ..number(wire_type::FLOAT, 12) },
        CellType::Double => Traits { decimals: NOT_FIXED, ..number(wire_type::DOUBLE, 22) },
        CellType::Date => date(10, 0),
        CellType::DateTime => date(26, 6),
        // In bytes: the longest STRING, of up to four bytes a character.
        CellType::Varchar => text(wire_type::VAR_STRING, 65_533 * 4),
        CellType::Json => text(wire_type::JSON, u32::MAX),
        CellType::Binary => {
            Traits { flags: flag::BINARY | flag::BLOB, ..Traits { charset: BINARY, ..text(wire_type::BLOB, u32::MAX) } }
        }
    }
}

/// A column's packet. `table` is empty unless the column is known to be one of a table.
pub(crate) fn definition(column: &ResultColumn, table: &str) -> Vec<u8> {
    let Traits { wire_type, charset, length, flags, decimals } = traits(column.cell_type);
    let mut packet = Vec::with_capacity(32 + 2 * column.name.len());
    // Catalog, schema, table, table as stored, name, name as stored.
    for text in ["def", "", table, table, &column.name, &column.name] {
        put_sized(&mut packet, text.as_bytes());
    }
    packet.push(0x0c);
    packet.extend(charset.to_le_bytes());
    packet.extend(length.to_le_bytes());
    packet.push(wire_type);
    packet.extend(flags.to_le_bytes());
    packet.extend([decimals, 0, 0]);
    packet
}

/// A parameter's packet in the answer to COM_STMT_PREPARE: text, since its type is known only when it is given.
pub(crate) fn parameter_definition() -> Vec<u8> {
    definition(&ResultColumn { name: "?".to_owned(), cell_type: CellType::Varchar }, "")
}

/// The type that DESC prints as `name`; text for what is unknown.
pub(crate) fn described(name: &str) -> CellType {
    let (base, arguments) = name.split_once('(').unwrap_or((name, ""));
    let mut arguments = arguments.trim_end_matches(')').split(',').map(|text| text.trim().parse::<u8>().ok());
    match base.trim().to_ascii_lowercase().as_str() {
        "boolean" => CellType::Boolean,
        "tinyint" if arguments.next() == Some(Some(1)) => CellType::Boolean,
        "tinyint" => CellType::TinyInt,
        "smallint" => CellType::SmallInt,
        "int" => CellType::Int,
        "bigint" => CellType::BigInt,
        "bigint unsigned" => CellType::UnsignedBigInt,
        "largeint" => CellType::Decimal { precision: 39, scale: 0 },
        "decimal" => {
            let mut next = |absent| arguments.next().flatten().unwrap_or(absent);
            CellType::Decimal { precision: next(10), scale: next(0) }
        }
        "float" => CellType::Float,
        "double" => CellType::Double,
        "date" => CellType::Date,
        "datetime" => CellType::DateTime,
        "json" => CellType::Json,
        "varbinary" => CellType::Binary,
        _ => CellType::Varchar,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_definition_has_the_fields_of_the_protocol() {
        let column = ResultColumn { name: "n".to_owned(), cell_type: CellType::Decimal { precision: 10, scale: 2 } };
        assert_eq!(
            definition(&column, "t"),
            b"\x03def\x00\x01t\x01t\x01n\x01n\x0c\x3f\x00\x0c\x00\x00\x00\xf6\x00\x00\x02\x00\x00"
        );
    }

    #[test]
    fn printed_types_are_understood() {
        for (name, cell_type) in [
            ("bigint", CellType::BigInt),
            ("bigint(20)", CellType::BigInt),
            ("tinyint(1)", CellType::Boolean),
            ("decimal(10, 2)", CellType::Decimal { precision: 10, scale: 2 }),
            ("varchar(65533)", CellType::Varchar),
            ("DATETIME", CellType::DateTime),
            ("something else", CellType::Varchar),
        ] {
            assert_eq!(described(name), cell_type, "{name}");
        }
    }
}
