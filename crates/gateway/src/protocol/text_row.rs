//! Rows of the text protocol: each cell as its text.

use penstock_sql::result::{Cell, ResultColumn};

use crate::protocol::wire::put_sized;
use crate::text;

/// Appends the row's packet; cells and columns are as many.
pub(crate) fn put(packet: &mut Vec<u8>, row: &[Cell], columns: &[ResultColumn]) {
    let mut digits = itoa::Buffer::new();
    for (cell, column) in row.iter().zip(columns) {
        // Most cells are these: they need no text of their own.
        match cell {
            Cell::Integer(value) => {
                put_sized(packet, digits.format(*value).as_bytes());
                continue;
            }
            Cell::Unsigned(value) => {
                put_sized(packet, digits.format(*value).as_bytes());
                continue;
            }
            _ => {}
        }
        match text::of(cell, column.cell_type) {
            Some(text) => put_sized(packet, &text),
            None => packet.push(0xfb),
        }
    }
}

#[cfg(test)]
mod tests {
    use penstock_sql::result::CellType;

    use super::*;

    #[test]
    fn null_and_empty_text_differ() {
        let columns = vec![ResultColumn { name: "a".to_owned(), cell_type: CellType::Varchar }; 3];
        let mut packet = Vec::new();
        put(&mut packet, &[Cell::Null, Cell::Text(String::new()), Cell::Text("x".to_owned())], &columns);
        assert_eq!(packet, [0xfb, 0, 1, b'x']);
    }
}
