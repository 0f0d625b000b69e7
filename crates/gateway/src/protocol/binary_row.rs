//! Rows of the binary protocol, which answers prepared statements: each cell as its column's type says.

use penstock_sql::result::{Cell, CellType, ResultColumn};

use crate::protocol::wire::put_sized;
use crate::text;

/// A cell that does not hold what its column's type promises: a bug of the function that answered.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("column `{column}` is {cell_type:?}, but a row holds {found}")]
pub(crate) struct CellMismatch {
    column: String,
    cell_type: CellType,
    found: String,
}

/// Appends the row's packet; cells and columns are as many.
pub(crate) fn put(packet: &mut Vec<u8>, row: &[Cell], columns: &[ResultColumn]) -> Result<(), CellMismatch> {
    packet.push(0);
    // One bit a column, the first two bits unused.
    let bitmap = packet.len();
    packet.resize(bitmap + (columns.len() + 9) / 8, 0);
    for (index, (cell, column)) in row.iter().zip(columns).enumerate() {
        let done = match cell {
            Cell::Null => {
                if let Some(byte) = packet.get_mut(bitmap + (index + 2) / 8) {
                    *byte |= 1 << ((index + 2) % 8);
                }
                Some(())
            }
            _ => put_cell(packet, cell, column.cell_type),
        };
        done.ok_or_else(|| CellMismatch {
            column: column.name.clone(),
            cell_type: column.cell_type,
            found: format!("{cell:?}").chars().take(80).collect(),
        })?;
    }
    Ok(())
}

/// `None` if the cell is of another type than the column, or beyond its range.
fn put_cell(packet: &mut Vec<u8>, cell: &Cell, cell_type: CellType) -> Option<()> {
    match cell_type {
        CellType::Boolean | CellType::TinyInt => packet.extend(i8::try_from(integer(cell)?).ok()?.to_le_bytes()),
        CellType::SmallInt => packet.extend(i16::try_from(integer(cell)?).ok()?.to_le_bytes()),
        CellType::Int => packet.extend(i32::try_from(integer(cell)?).ok()?.to_le_bytes()),
        CellType::BigInt => packet.extend(i64::try_from(integer(cell)?).ok()?.to_le_bytes()),
        CellType::UnsignedBigInt => packet.extend(u64::try_from(integer(cell)?).ok()?.to_le_bytes()),
        #[expect(clippy::cast_possible_truncation, reason = "a FLOAT cell holds a widened 32-bit value")]
        CellType::Float => packet.extend((float(cell)? as f32).to_le_bytes()),
        CellType::Double => packet.extend(float(cell)?.to_le_bytes()),
        CellType::Date => put_moment(packet, &Moment::parse(plain(cell)?)?, Precision::Day),
        CellType::DateTime => put_moment(packet, &Moment::parse(plain(cell)?)?, Precision::Moment),
        CellType::Decimal { .. } | CellType::Varchar | CellType::Json | CellType::Binary => {
            put_sized(packet, &text::of(cell, cell_type)?);
        }
    }
    Some(())
}

fn integer(cell: &Cell) -> Option<i128> {
    match cell {
        Cell::Integer(value) => Some((*value).into()),
        Cell::Unsigned(value) => Some((*value).into()),
        _ => None,
    }
}

fn float(cell: &Cell) -> Option<f64> {
    match cell {
        Cell::Float(value) => Some(*value),
        _ => None,
    }
}

fn plain(cell: &Cell) -> Option<&str> {
    match cell {
        Cell::Text(text) => Some(text),
        _ => None,
    }
}

/// A date, or date and time, taken apart. Nothing is checked but that each part is a number that fits its field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
struct Moment {
    year: u16,
    month: u8,
    day: u8,
    hour: u8,
    minute: u8,
    second: u8,
    microsecond: u32,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Precision {
    Day,
    Moment,
}

impl Moment {
    /// Reads `yyyy-MM-dd[ HH:mm:ss[.f...]]`.
    fn parse(text: &str) -> Option<Self> {
        let (date, time) = text.split_once([' ', 'T']).unwrap_or((text, ""));
        let mut date = date.splitn(3, '-');
        let mut moment = Self {
            year: date.next()?.parse().ok()?,
            month: date.next()?.parse().ok()?,
            day: date.next()?.parse().ok()?,
            ..Self::default()
        };
        if !time.is_empty() {
            let (clock, fraction) = time.split_once('.').unwrap_or((time, ""));
            let mut clock = clock.splitn(3, ':');
            moment.hour = clock.next()?.parse().ok()?;
            moment.minute = clock.next()?.parse().ok()?;
            moment.second = clock.next()?.parse().ok()?;
            let micros: String = fraction.chars().chain(std::iter::repeat('0')).take(6).collect();
            moment.microsecond = micros.parse().ok()?;
        }
        Some(moment)
    }
}

/// The shortest of the protocol's forms that says it all.
fn put_moment(packet: &mut Vec<u8>, moment: &Moment, precision: Precision) {
    let [year0, year1] = moment.year.to_le_bytes();
    let date = [year0, year1, moment.month, moment.day];
    let clock = [moment.hour, moment.minute, moment.second];
    let length = match precision {
        _ if moment.microsecond > 0 => 11,
        _ if clock != [0; 3] => 7,
        // Some clients take a moment without its clock for a mere date.
        Precision::Moment => 7,
        Precision::Day => 4,
    };
    packet.push(length);
    packet.extend(date);
    if length > 4 {
        packet.extend(clock);
    }
    if length > 7 {
        packet.extend(moment.microsecond.to_le_bytes());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn encoded(cell: Cell, cell_type: CellType) -> Result<Vec<u8>, CellMismatch> {
        let columns = [ResultColumn { name: "c".to_owned(), cell_type }];
        let mut packet = Vec::new();
        put(&mut packet, &[cell], &columns)?;
        Ok(packet[2..].to_vec())
    }

    #[test]
    fn each_type_has_its_form() {
        let text = |text: &str| Cell::Text(text.to_owned());
        for (cell, cell_type, bytes) in [
            (Cell::Integer(1), CellType::Boolean, &[1][..]),
            (Cell::Integer(-2), CellType::TinyInt, &[0xfe]),
            (Cell::Integer(-2), CellType::SmallInt, &[0xfe, 0xff]),
            (Cell::Integer(-2), CellType::Int, &[0xfe, 0xff, 0xff, 0xff]),
            (Cell::Integer(1), CellType::BigInt, &[1, 0, 0, 0, 0, 0, 0, 0]),
            (Cell::Unsigned(u64::MAX), CellType::UnsignedBigInt, &[0xff; 8]),
            (Cell::Float(0.5), CellType::Float, &[0, 0, 0, 0x3f]),
            (Cell::Float(0.5), CellType::Double, &[0, 0, 0, 0, 0, 0, 0xe0, 0x3f]),
            (text("1.50"), CellType::Decimal { precision: 3, scale: 2 }, b"\x041.50"),
            (text("2024-06-12"), CellType::Date, &[4, 0xe8, 7, 6, 12]),
            (text("2024-06-12 15:51:12"), CellType::DateTime, &[7, 0xe8, 7, 6, 12, 15, 51, 12]),
            (text("2024-06-12 00:00:00"), CellType::DateTime, &[7, 0xe8, 7, 6, 12, 0, 0, 0]),
            (text("2024-06-12 15:51:12.5"), CellType::DateTime, &[11, 0xe8, 7, 6, 12, 15, 51, 12, 0x20, 0xa1, 7, 0]),
            (text("ä"), CellType::Varchar, &[2, 0xc3, 0xa4]),
            (Cell::Binary(vec![0xff]), CellType::Binary, &[1, 0xff]),
        ] {
            assert_eq!(encoded(cell, cell_type).unwrap(), bytes, "{cell_type:?}");
        }
    }

    #[test]
    fn nulls_are_bits_from_the_third_on() {
        let columns = vec![ResultColumn { name: "c".to_owned(), cell_type: CellType::TinyInt }; 7];
        let mut row = vec![Cell::Integer(7); 7];
        row[0] = Cell::Null;
        row[6] = Cell::Null;
        let mut packet = Vec::new();
        put(&mut packet, &row, &columns).unwrap();
        assert_eq!(packet, [0, 0b100, 0b1, 7, 7, 7, 7, 7]);
    }

    #[test]
    fn a_cell_of_another_type_is_an_error_that_names_the_column() {
        for (cell, cell_type) in [
            (Cell::Integer(300), CellType::TinyInt),
            (Cell::Integer(-1), CellType::UnsignedBigInt),
            (Cell::Text("x".to_owned()), CellType::Int),
            (Cell::Text("no date".to_owned()), CellType::Date),
            (Cell::Integer(1), CellType::Double),
        ] {
            assert_eq!(encoded(cell, cell_type).unwrap_err().column, "c");
        }
    }
}
