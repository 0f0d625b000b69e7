//! Which columns are worth a dictionary.
//!
//! A dictionary that holds most values once is larger than the values themselves, takes longer to make than all the rest of
//! writing, and hides from zstd what it is good at. So a sample of each column is counted first. Decided by the values
//! alone, since equal columns give equal files.

use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::{ArrowPrimitiveType, Decimal128Type, Decimal256Type, TimestampMicrosecondType};
use arrow_array::types::{Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type};
use arrow_schema::{DataType, Field, TimeUnit};
use parquet::schema::types::ColumnPath;

/// Values of a column that are looked at.
const SAMPLE: usize = 1024;

/// What a column's file holds apart that is better off without a dictionary.
pub(super) fn without(field: &Field, column: &dyn Array) -> Vec<ColumnPath> {
    let mut found = Vec::new();
    visit(column, vec![field.name().clone()], &mut Sample::default(), &mut found);
    found
}

fn visit(column: &dyn Array, path: Vec<String>, sample: &mut Sample, found: &mut Vec<ColumnPath>) {
    let below = |names: &[&str]| path.iter().cloned().chain(names.iter().map(|name| (*name).to_owned())).collect();
    match column.data_type() {
        DataType::List(_) => {
            visit(column.as_list::<i32>().values().as_ref(), below(&["list", "element"]), sample, found);
        }
        DataType::Struct(fields) => {
            for (field, column) in fields.iter().zip(column.as_struct().columns()) {
                visit(column.as_ref(), below(&[field.name()]), sample, found);
            }
        }
        DataType::Map(..) => {
            let map = column.as_map();
            visit(map.keys().as_ref(), below(&["key_value", "key"]), sample, found);
            visit(map.values().as_ref(), below(&["key_value", "value"]), sample, found);
        }
        _ => {
            if !sample.repeats(column) {
                found.push(ColumnPath::new(path));
            }
        }
    }
}

/// Whether a column without columns inside of it is better off with a dictionary.
pub(super) fn repeats(column: &dyn Array) -> bool {
    Sample::default().repeats(column)
}

/// Room for a sample, used again for each column.
#[derive(Default)]
struct Sample {
    hashes: Vec<u64>,
}

impl Sample {
    /// Whether the column's values come again often enough.
    fn repeats(&mut self, column: &dyn Array) -> bool {
        self.hashes.clear();
        let step = column.len().div_ceil(SAMPLE).max(1);
        let places = (0..column.len()).step_by(step).filter(|place| column.is_valid(*place));
        match column.data_type() {
            DataType::Int8 => self.numbers::<Int8Type>(column, places, |value| value as u64),
            DataType::Int16 => self.numbers::<Int16Type>(column, places, |value| value as u64),
            DataType::Int32 => self.numbers::<Int32Type>(column, places, |value| value as u64),
            DataType::Int64 => self.numbers::<Int64Type>(column, places, i64::cast_unsigned),
            DataType::Date32 => self.numbers::<Date32Type>(column, places, |value| value as u64),
            DataType::Timestamp(TimeUnit::Microsecond, None) => {
                self.numbers::<TimestampMicrosecondType>(column, places, i64::cast_unsigned);
            }
            DataType::Float32 => self.numbers::<Float32Type>(column, places, |value| u64::from(value.to_bits())),
            DataType::Float64 => self.numbers::<Float64Type>(column, places, f64::to_bits),
            // Cut off where they are long, which may take two values for one.
            DataType::Decimal128(..) => self.numbers::<Decimal128Type>(column, places, |value| value as u64),
            DataType::Decimal256(..) => self.numbers::<Decimal256Type>(column, places, |value| value.as_i128() as u64),
            DataType::Utf8 => {
                let texts = column.as_string::<i32>();
                self.hashes.extend(places.map(|place| hash(texts.value(place).as_bytes())));
            }
            DataType::Binary => {
                let values = column.as_binary::<i32>();
                self.hashes.extend(places.map(|place| hash(values.value(place))));
            }
            // Bits need none.
            _ => return true,
        }
        let sampled = self.hashes.len();
        self.hashes.sort_unstable();
        self.hashes.dedup();
        self.hashes.len() <= sampled / 2
    }

    fn numbers<T: ArrowPrimitiveType>(
        &mut self,
        column: &dyn Array,
        places: impl Iterator<Item = usize>,
        bits: impl Fn(T::Native) -> u64,
    ) {
        let numbers = column.as_primitive::<T>();
        self.hashes.extend(places.map(|place| bits(numbers.value(place))));
    }
}

/// A number in which few texts agree; taken for the text only where a mistake costs nothing but room.
#[inline]
pub(super) fn hash(text: &[u8]) -> u64 {
    const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
    let mut hash = text.len() as u64; // usize has at most 64 bits
    let (chunks, rest) = text.as_chunks::<8>();
    for chunk in chunks {
        hash = (hash.rotate_left(5) ^ u64::from_le_bytes(*chunk)).wrapping_mul(ODD);
    }
    rest.iter().fold(hash, |hash, byte| (hash.rotate_left(5) ^ u64::from(*byte)).wrapping_mul(ODD))
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use arrow_array::{ArrayRef, BooleanArray, Int64Array, StringArray, StructArray};
    use arrow_schema::Field;

    use super::*;

    #[test]
    fn columns_that_repeat_keep_their_dictionary() {
        let rows = 5000_i64;
        let texts = |modulus: i64| -> ArrayRef {
            Arc::new(StringArray::from_iter_values(
                (0..rows).map(|row| format!("text number {}", row * 7919 % modulus)),
            ))
        };
        let numbers = |modulus: i64| -> ArrayRef {
            Arc::new(Int64Array::from_iter_values((0..rows).map(|row| row * 7919 % modulus)))
        };
        let inner = Arc::new(Field::new("inner", DataType::Int64, true));
        let columns: Vec<(&str, ArrayRef)> = vec![
            ("few_texts", texts(13)),
            ("many_texts", texts(rows)),
            ("few_numbers", numbers(100)),
            ("many_numbers", numbers(rows)),
            ("flags", Arc::new(BooleanArray::from(vec![true; 5000]))),
            ("none", Arc::new(Int64Array::from(vec![None; 5000]))),
            ("one", Arc::new(StructArray::from(vec![(inner, numbers(rows))]))),
        ];
        let without = |(name, column): &(&str, ArrayRef)| {
            without(&Field::new(*name, column.data_type().clone(), true), column.as_ref())
        };
        let paths: Vec<String> = columns.iter().flat_map(without).map(|path| path.string()).collect();
        assert_eq!(paths, ["many_texts", "many_numbers", "one.inner"]);
    }
}
