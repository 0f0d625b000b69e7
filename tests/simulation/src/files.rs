//! Files as anyone can read them who knows Parquet: rows, rejected rows, and statistics taken from the rows anew.

use arrow_array::cast::AsArray;
use arrow_array::types::{Int32Type, Int64Type};
use arrow_array::{Array, RecordBatch};
use bytes::Bytes;
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use penstock_kernel::encode::{ColumnStatistics, StatisticValue};

/// A row of a table of the simulation: the columns `place` and `mark`.
pub(crate) type Row = (i64, String);

/// A rejected row: source partition, offset, index, raw bytes.
pub(crate) type RejectedRow = (i32, i64, Option<i64>, Vec<u8>);

fn batches(file: &Bytes) -> Result<Vec<RecordBatch>, String> {
    let reader = ParquetRecordBatchReaderBuilder::try_new(file.clone()).and_then(|builder| builder.build());
    let reader = reader.map_err(|error| error.to_string())?;
    reader.collect::<Result<_, _>>().map_err(|error| error.to_string())
}

/// The rows of a data file.
pub(crate) fn rows(file: &Bytes) -> Result<Vec<Row>, String> {
    let mut rows = Vec::new();
    for batch in batches(file)? {
        let [places, marks] = batch.columns() else {
            return Err(format!("expected 2 columns, found {}", batch.num_columns()));
        };
        let places = places.as_primitive_opt::<Int64Type>().ok_or("`place` is no BIGINT")?;
        let marks = marks.as_string_opt::<i32>().ok_or("`mark` is no VARCHAR")?;
        for (place, mark) in places.iter().zip(marks) {
            rows.push((place.ok_or("`place` is NULL")?, mark.unwrap_or("NULL").to_owned()));
        }
    }
    Ok(rows)
}

/// What statistics should say of these rows: none is NULL.
pub(crate) fn statistics(rows: &[Row]) -> Vec<ColumnStatistics> {
    let place = |place: Option<&i64>| place.copied().map(StatisticValue::Integer);
    let mark = |mark: Option<&String>| mark.cloned().map(StatisticValue::Text);
    let places = || rows.iter().map(|(place, _)| place);
    let marks = || rows.iter().map(|(_, mark)| mark);
    vec![
        ColumnStatistics { column_id: 1, nulls: 0, min: place(places().min()), max: place(places().max()) },
        ColumnStatistics { column_id: 2, nulls: 0, min: mark(marks().min()), max: mark(marks().max()) },
    ]
}

/// The rows of an error file.
pub(crate) fn rejected(file: &Bytes) -> Result<Vec<RejectedRow>, String> {
    let mut rows = Vec::new();
    for batch in batches(file)? {
        let column = |name: &str| batch.column_by_name(name).ok_or_else(|| format!("there is no column `{name}`"));
        let source_partitions = column("source_partition")?.as_primitive_opt::<Int32Type>().ok_or("no numbers")?;
        let offsets = column("offset")?.as_primitive_opt::<Int64Type>().ok_or("no numbers")?;
        let indexes = column("index")?.as_primitive_opt::<Int64Type>().ok_or("no numbers")?;
        let raws = column("raw")?.as_binary_opt::<i32>().ok_or("no bytes")?;
        for row in 0..batch.num_rows() {
            let index = indexes.is_valid(row).then(|| indexes.value(row));
            rows.push((source_partitions.value(row), offsets.value(row), index, raws.value(row).to_vec()));
        }
    }
    Ok(rows)
}
