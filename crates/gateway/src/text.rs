//! Cells as text: what the text protocol sends, and what people read.
//!
//! Numbers look as StarRocks and MySQL print them, in particular floating point: the shortest digits that name the
//! value, with an exponent where plain digits would be long.

use std::borrow::Cow;

use penstock_sql::result::{Cell, CellType};

/// A cell's text; `None` for NULL. Text is UTF-8 unless the cell holds bytes.
///
/// FLOAT columns are printed with the digits of their 32 bits, so that `0.1` does not become `0.10000000149011612`.
pub fn of(cell: &Cell, cell_type: CellType) -> Option<Cow<'_, [u8]>> {
    match cell {
        Cell::Null => None,
        Cell::Integer(value) => Some(Cow::Owned(value.to_string().into_bytes())),
        Cell::Unsigned(value) => Some(Cow::Owned(value.to_string().into_bytes())),
        Cell::Float(value) => Some(Cow::Owned(float(*value, cell_type).into_bytes())),
        Cell::Text(text) => Some(Cow::Borrowed(text.as_bytes())),
        Cell::Binary(bytes) => Some(Cow::Borrowed(bytes)),
    }
}

/// Bytes as `0x` and two upper-case hexadecimal digits each.
pub fn hexadecimal(bytes: &[u8]) -> String {
    let mut text = String::with_capacity(2 + 2 * bytes.len());
    text.push_str("0x");
    for byte in bytes {
        text.push_str(&format!("{byte:02X}"));
    }
    text
}

/// Plain digits from 1e-5 (excluded below) up to 1e15, an exponent outside.
fn float(value: f64, cell_type: CellType) -> String {
    let (plain, scientific) = match cell_type {
        #[expect(clippy::cast_possible_truncation, reason = "a FLOAT cell holds a widened 32-bit value")]
        CellType::Float => (format!("{}", value as f32), format!("{:e}", value as f32)),
        _ => (format!("{value}"), format!("{value:e}")),
    };
    let size = value.abs();
    if value.is_nan() {
        "nan".to_owned()
    } else if value.is_infinite() {
        if value > 0.0 { "inf" } else { "-inf" }.to_owned()
    } else if size != 0.0 && !(1e-5..1e15).contains(&size) {
        scientific
    } else {
        plain
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn floats_are_short_and_keep_their_width() {
        for (value, cell_type, text) in [
            (0.1, CellType::Double, "0.1"),
            (f64::from(0.1_f32), CellType::Float, "0.1"),
            (-2.5, CellType::Double, "-2.5"),
            (0.0, CellType::Double, "0"),
            (3.0, CellType::Double, "3"),
            (1e15, CellType::Double, "1e15"),
            (123_456_789_012_345.0, CellType::Double, "123456789012345"),
            (1.5e-7, CellType::Double, "1.5e-7"),
            (f64::NAN, CellType::Double, "nan"),
            (f64::NEG_INFINITY, CellType::Float, "-inf"),
        ] {
            assert_eq!(float(value, cell_type), text);
        }
    }

    #[test]
    fn null_has_no_text_and_bytes_are_themselves() {
        assert_eq!(of(&Cell::Null, CellType::Int), None);
        assert_eq!(of(&Cell::Binary(vec![0, 255]), CellType::Binary), Some(Cow::Borrowed(&[0_u8, 255][..])));
        assert_eq!(hexadecimal(&[0, 255]), "0x00FF");
    }
}
