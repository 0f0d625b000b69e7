use std::sync::Arc;

use arrow_array::{
    Array, ArrayRef, BooleanArray, Date32Array, Decimal128Array, Decimal256Array, Float32Array, Float64Array,
    Int8Array, Int16Array, Int32Array, Int64Array, StringArray, TimestampMicrosecondArray,
};
use arrow_buffer::i256;
use arrow_schema::{Field, Schema};
use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;
use parquet::file::metadata::PageIndexPolicy;
use proptest::prelude::*;

use super::*;
use crate::convert::{ColumnBuilder, Outcome, Scratch};
use crate::format::value::Value;
use crate::table::{ColumnType, StructField};
use arrow_array::cast::AsArray;
use arrow_array::types::Int32Type;

fn batch(columns: Vec<(&str, ArrayRef)>) -> RecordBatch {
    let fields: Vec<Field> = columns
        .iter()
        .zip(11..)
        .map(|((name, column), id): (_, u32)| {
            Field::new(*name, column.data_type().clone(), true)
                .with_metadata([("PARQUET:field_id".to_owned(), id.to_string())].into())
        })
        .collect();
    let columns = columns.into_iter().map(|(_, column)| column).collect();
    RecordBatch::try_new(Arc::new(Schema::new(fields)), columns).unwrap()
}

fn one_of_each_type() -> RecordBatch {
    batch(vec![
        ("boolean", Arc::new(BooleanArray::from(vec![Some(true), None, Some(false)]))),
        ("tinyint", Arc::new(Int8Array::from(vec![Some(-128), None, Some(127)]))),
        ("smallint", Arc::new(Int16Array::from(vec![Some(-32768), None, Some(1)]))),
        ("int", Arc::new(Int32Array::from(vec![Some(-5), None, Some(7)]))),
        ("bigint", Arc::new(Int64Array::from(vec![Some(i64::MIN), None, Some(i64::MAX)]))),
        (
            "largeint",
            Arc::new(
                Decimal256Array::from(vec![Some(i256::from_i128(i128::MIN)), None, Some(i256::from_i128(i128::MAX))])
                    .with_data_type(ColumnType::LargeInt.arrow()),
            ),
        ),
        (
            "decimal",
            Arc::new(Decimal128Array::from(vec![Some(-150), None, Some(99)]).with_precision_and_scale(6, 2).unwrap()),
        ),
        ("float", Arc::new(Float32Array::from(vec![Some(0.1), None, Some(-0.0)]))),
        ("double", Arc::new(Float64Array::from(vec![Some(1e300), None, Some(0.1)]))),
        ("text", Arc::new(StringArray::from(vec![Some("b"), None, Some("a")]))),
        ("date", Arc::new(Date32Array::from(vec![Some(-719_528), None, Some(2_932_896)]))),
        ("datetime", Arc::new(TimestampMicrosecondArray::from(vec![Some(-1), None, Some(1)]))),
    ])
}

fn read_back(file: &EncodedFile) -> RecordBatch {
    let mut batches =
        ParquetRecordBatchReaderBuilder::try_new(file.bytes.clone()).unwrap().with_batch_size(1 << 20).build().unwrap();
    let first = batches.next().unwrap().unwrap();
    assert!(batches.next().is_none());
    first
}

fn bounds_of(column: ArrayRef) -> (Option<StatisticValue>, Option<StatisticValue>) {
    let file = encode(&batch(vec![("c", column)]), &WriterOptions::default()).unwrap();
    let [column] = file.columns.as_slice() else { panic!("one column, one entry") };
    (column.min.clone(), column.max.clone())
}

#[test]
fn every_type_reads_back_as_it_was_written() {
    let rows = one_of_each_type();
    let file = encode(&rows, &WriterOptions::default()).unwrap();
    assert_eq!(file.rows, 3);
    let read = read_back(&file);
    assert_eq!(read.columns(), rows.columns());
    for (read, written) in read.schema().fields().iter().zip(rows.schema().fields()) {
        assert_eq!(read.data_type(), written.data_type());
        assert_eq!(read.metadata(), written.metadata(), "{}", written.name());
    }
}

#[test]
fn statistics_are_the_smallest_and_the_largest_value() {
    use StatisticValue::{Boolean, Float, Integer, Text, Unscaled};
    let file = encode(&one_of_each_type(), &WriterOptions::default()).unwrap();
    let expected = [
        (Boolean(false), Boolean(true)),
        (Integer(-128), Integer(127)),
        (Integer(-32768), Integer(1)),
        (Integer(-5), Integer(7)),
        (Integer(i64::MIN), Integer(i64::MAX)),
        (Unscaled(i128::MIN.to_string()), Unscaled(i128::MAX.to_string())),
        (Unscaled("-150".into()), Unscaled("99".into())),
        (Float(-0.0), Float(f64::from(0.1_f32))),
        (Float(0.1), Float(1e300)),
        (Text("a".into()), Text("b".into())),
        (Integer(-719_528), Integer(2_932_896)),
        (Integer(-1), Integer(1)),
    ];
    assert_eq!(file.columns.len(), expected.len());
    for ((found, (min, max)), id) in file.columns.iter().zip(expected).zip(11..) {
        assert_eq!(found, &ColumnStatistics { column_id: id, nulls: 1, min: Some(min), max: Some(max) });
    }
}

#[test]
fn statistics_survive_json() {
    let mut statistics = encode(&one_of_each_type(), &WriterOptions::default()).unwrap().columns;
    for value in [f64::MIN_POSITIVE, f64::MAX, 2.225_073_858_507_201e-308, 5e-324, 0.1 + 0.2] {
        statistics.push(ColumnStatistics {
            column_id: 1,
            nulls: 0,
            min: Some(StatisticValue::Float(-value)),
            max: Some(StatisticValue::Float(value)),
        });
    }
    let text = serde_json::to_string(&statistics).unwrap();
    assert_eq!(serde_json::from_str::<Vec<ColumnStatistics>>(&text).unwrap(), statistics);
}

#[test]
fn column_of_nulls_has_no_bounds() {
    assert_eq!(bounds_of(Arc::new(Int64Array::from(vec![None, None]))), (None, None));
    assert_eq!(bounds_of(Arc::new(StringArray::from(vec![None::<&str>]))), (None, None));
}

#[test]
fn nan_leaves_no_bounds_and_an_infinity_only_the_other_one() {
    let column = |values: &[f64]| -> ArrayRef { Arc::new(Float64Array::from(values.to_vec())) };
    assert_eq!(bounds_of(column(&[1.0, f64::NAN, 2.0])), (None, None));
    assert_eq!(bounds_of(column(&[1.0, f64::INFINITY])), (Some(StatisticValue::Float(1.0)), None));
    assert_eq!(bounds_of(column(&[1.0, f64::NEG_INFINITY])), (None, Some(StatisticValue::Float(1.0))));
}

#[test]
fn long_text_is_cut_to_bounds() {
    let column = |text: String| -> ArrayRef { Arc::new(StringArray::from(vec![text])) };
    let bound = |text: String| Some(StatisticValue::TextBound(text));
    let (a63, a64) = ("a".repeat(63), "a".repeat(64));

    let exact = Some(StatisticValue::Text(a64.clone()));
    assert_eq!(bounds_of(column(a64.clone())), (exact.clone(), exact));
    assert_eq!(bounds_of(column("a".repeat(65))), (bound(a64), bound(format!("{a63}b"))));
    // `é` has two bytes, of which only one would fit.
    assert_eq!(bounds_of(column(format!("{a63}é"))), (bound(a63.clone()), bound(format!("{}b", "a".repeat(62)))));
    // A character that cannot grow in its width falls away.
    assert_eq!(bounds_of(column(format!("{a63}\u{7f}z"))).1, bound(format!("{}b", "a".repeat(62))));
    assert_eq!(bounds_of(column("\u{10ffff}".repeat(17))).1, None);
    // The surrogates between them are no characters.
    assert_eq!(bounds_of(column("\u{d7ff}".repeat(22))).1, bound(format!("{}\u{e000}", "\u{d7ff}".repeat(20))));
}

#[test]
fn file_of_several_pages_has_a_page_index() {
    for (rows, indexed) in [(ONE_PAGE_ROWS, false), (2 * ONE_PAGE_ROWS, true)] {
        let column = Int64Array::from_iter_values((0..).take(rows));
        let file = encode(&batch(vec![("c", Arc::new(column))]), &WriterOptions::default()).unwrap();
        let metadata = parquet::file::metadata::ParquetMetaDataReader::new()
            .with_page_index_policy(PageIndexPolicy::Optional)
            .parse_and_finish(&file.bytes)
            .unwrap();
        assert_eq!(metadata.column_index().is_some_and(|index| !index.is_empty()), indexed);
        assert_eq!(metadata.offset_index().is_some_and(|index| !index.is_empty()), indexed);
        let pages = |index: &Vec<_>| -> usize {
            let _: &Vec<parquet::file::page_index::offset_index::OffsetIndexMetaData> = index;
            index[0].page_locations().len()
        };
        assert_eq!(metadata.offset_index().map_or(1, |groups| pages(&groups[0])) > 1, indexed);
    }
}

#[test]
fn file_has_statistics_field_ids_and_fixed_author() {
    let file = encode(&one_of_each_type(), &WriterOptions::default()).unwrap();
    let metadata = parquet::file::metadata::ParquetMetaDataReader::new().parse_and_finish(&file.bytes).unwrap();
    assert_eq!(metadata.file_metadata().created_by(), Some(CREATED_BY));
    assert_eq!(metadata.file_metadata().key_value_metadata(), None);
    let group = metadata.row_group(0);
    for column in group.columns() {
        assert!(matches!(column.compression(), Compression::ZSTD(_)));
        assert!(column.statistics().is_some());
    }
}

#[test]
fn row_groups_hold_no_more_rows_than_asked() {
    let rows = batch(vec![("c", Arc::new(Int64Array::from_iter_values(0..10)))]);
    let options = WriterOptions { max_row_group_rows: 4, ..WriterOptions::default() };
    let file = encode(&rows, &options).unwrap();
    let builder = ParquetRecordBatchReaderBuilder::try_new(file.bytes.clone()).unwrap();
    let sizes: Vec<i64> = builder.metadata().row_groups().iter().map(|group| group.num_rows()).collect();
    assert_eq!(sizes, [4, 4, 2]);
    assert_eq!(read_back(&file).num_rows(), 10);
}

#[test]
fn impossible_level_is_an_error() {
    let options = WriterOptions { zstd_level: 99, ..WriterOptions::default() };
    assert!(encode(&one_of_each_type(), &options).is_err());
}

#[test]
fn no_rows_make_a_file_that_reads_back() {
    let rows = RecordBatch::new_empty(one_of_each_type().schema());
    let file = encode(&rows, &WriterOptions::default()).unwrap();
    assert_eq!(file.rows, 0);
    let mut reader = ParquetRecordBatchReaderBuilder::try_new(file.bytes).unwrap().build().unwrap();
    assert!(reader.next().is_none());
}

proptest! {
    #[test]
    fn equal_columns_give_equal_bytes(values in prop::collection::vec(any::<Option<i64>>(), 0..200),
                                      texts in prop::collection::vec(".{0,100}", 0..200)) {
        let length = values.len().min(texts.len());
        let make = || batch(vec![
            ("n", Arc::new(Int64Array::from(values[..length].to_vec()))),
            ("t", Arc::new(StringArray::from_iter_values(&texts[..length]))),
        ]);
        let options = WriterOptions::default();
        prop_assert_eq!(encode(&make(), &options).unwrap().bytes, encode(&make(), &options).unwrap().bytes);
    }

    #[test]
    fn bounds_hold_for_every_text(texts in prop::collection::vec("\\PC{0,80}", 1..20)) {
        let column = StringArray::from_iter_values(&texts);
        let (min, max) = bounds_of(Arc::new(column));
        for text in &texts {
            match &min {
                Some(StatisticValue::Text(min) | StatisticValue::TextBound(min)) => {
                    prop_assert!(min <= text && min.len() <= STATISTICS_TEXT_BYTES);
                }
                other => prop_assert!(false, "{:?}", other),
            }
            match &max {
                Some(StatisticValue::Text(max) | StatisticValue::TextBound(max)) => {
                    prop_assert!(max >= text && max.len() <= STATISTICS_TEXT_BYTES);
                }
                None => {}
                other => prop_assert!(false, "{:?}", other),
            }
        }
    }
}

#[test]
fn nested_types_are_those_of_parquet_and_every_field_has_an_id() {
    let inner = ColumnType::Struct(vec![
        StructField { name: "a".to_owned(), column_type: ColumnType::Array(Box::new(ColumnType::Int)) },
        StructField { name: "b".to_owned(), column_type: ColumnType::Varbinary(9) },
    ]);
    let column_type = ColumnType::Map(Box::new(ColumnType::Varchar(3)), Box::new(inner));
    let mut builder = ColumnBuilder::new(&column_type, 0);
    let mut scratch = Scratch::default();
    for text in [r#"{"k":{"a":[1,null],"b":"x"},"l":null}"#, "{}", r#"{"m":{}}"#] {
        assert_eq!(builder.append(&Value::Container(text), &mut scratch), Outcome::Value);
    }
    builder.append_null();
    let rows = batch(vec![("m", builder.finish())]);
    let file = encode(&rows, &WriterOptions::default()).unwrap();
    assert_eq!(file.columns, [ColumnStatistics { column_id: 11, nulls: 1, min: None, max: None }]);

    let reader = ParquetRecordBatchReaderBuilder::try_new(file.bytes).unwrap();
    let mut printed = Vec::new();
    parquet::schema::printer::print_schema(&mut printed, reader.parquet_schema().root_schema());
    let expected = "message arrow_schema {
  OPTIONAL group m [11] (MAP) {
    REPEATED group key_value {
      REQUIRED BYTE_ARRAY key [1100001] (STRING);
      OPTIONAL group value [1100002] {
        OPTIONAL group a [1100003] (LIST) {
          REPEATED group list {
            OPTIONAL INT32 element [1100004];
          }
        }
        OPTIONAL BYTE_ARRAY b [1100005];
      }
    }
  }
}
";
    assert_eq!(String::from_utf8(printed).unwrap(), expected);
    let read = reader.build().unwrap().next().unwrap().unwrap();
    let plain = arrow_array::MapArray::from(read.column(0).to_data());
    assert_eq!(plain.value_offsets(), [0, 2, 2, 3, 3]);
    assert_eq!(plain.null_count(), 1);
    let of_key = |place: usize| plain.keys().as_string::<i32>().value(place).to_owned();
    assert_eq!([of_key(0), of_key(1), of_key(2)], ["k", "l", "m"]);
    let values = plain.values().as_struct();
    assert!(values.is_null(1) && !values.is_null(2));
    assert_eq!(
        values.column(0).as_list::<i32>().value(0).as_primitive::<Int32Type>(),
        &Int32Array::from(vec![Some(1), None])
    );
}

/// Columns of every type that has one page, and of some that have not, with NULL in every third row.
fn columns(rows: usize, distinct: i64) -> Vec<(&'static str, ArrayRef)> {
    use arrow_array::{BinaryArray, BooleanArray, Date32Array, Float32Array, Float64Array, Int8Array, Int32Array};
    use arrow_array::{StringArray, TimestampMicrosecondArray};
    let numbers = || (0..rows).map(move |row| (row % 3 != 1).then_some((row as i64).wrapping_mul(7919) % distinct - 5));
    let texts = || numbers().map(|number| number.map(|number| format!("text {}", number * number)));
    vec![
        (
            "bool",
            Arc::new(numbers().map(|number| number.map(|number| number % 2 == 0)).collect::<BooleanArray>())
                as ArrayRef,
        ),
        ("tiny", Arc::new(numbers().map(|number| number.map(|number| number as i8)).collect::<Int8Array>())),
        ("int", Arc::new(numbers().map(|number| number.map(|number| number as i32)).collect::<Int32Array>())),
        ("big", Arc::new(numbers().collect::<Int64Array>())),
        ("date", Arc::new(numbers().map(|number| number.map(|number| number as i32)).collect::<Date32Array>())),
        ("at", Arc::new(numbers().collect::<TimestampMicrosecondArray>())),
        ("float", Arc::new(numbers().map(|number| number.map(|number| number as f32 / 3.0)).collect::<Float32Array>())),
        (
            "double",
            Arc::new(numbers().map(|number| number.map(|number| number as f64 / 3.0)).collect::<Float64Array>()),
        ),
        ("text", Arc::new(texts().collect::<StringArray>())),
        ("bytes", Arc::new(texts().map(|text| text.map(String::into_bytes)).collect::<BinaryArray>())),
        ("full", Arc::new(Int64Array::from_iter_values((0..rows as i64).map(|row| row % distinct)))),
    ]
}

#[test]
fn columns_of_one_page_read_back_as_those_of_others_do() {
    // Few values and many, runs and none, a dictionary of one, and texts that no page holds.
    for (rows, distinct) in [(1, 7), (2, 1), (100, 1), (1000, 3), (5000, 300), (5000, 1 << 40), (49_999, 70)] {
        let rows = batch(columns(rows, distinct));
        let file = encode(&rows, &WriterOptions::default()).unwrap();
        let (other, _) = encode_chunks(rows.schema_ref(), [rows.clone()], &WriterOptions::default()).unwrap();
        let other = EncodedFile { bytes: other, ..file.clone() };
        assert_eq!(read_back(&file), rows);
        assert_eq!(read_back(&file), read_back(&other));
        assert_eq!(file.columns, column_statistics(&rows));
        // What the footers say of the columns is the same too.
        let footers = [&file, &other].map(|file| {
            let metadata = parquet::file::metadata::ParquetMetaDataReader::new().parse_and_finish(&file.bytes).unwrap();
            let group = metadata.row_group(0);
            group
                .columns()
                .iter()
                .map(|column| format!("{:?}", bounds(column.statistics().unwrap())))
                .collect::<Vec<_>>()
        });
        assert_eq!(footers[0], footers[1]);
    }
}

type FooterBounds = (Option<Vec<u8>>, Option<Vec<u8>>, Option<u64>);

fn bounds(statistics: &parquet::file::statistics::Statistics) -> FooterBounds {
    let owned = |bytes: Option<&[u8]>| bytes.map(<[u8]>::to_vec);
    (owned(statistics.min_bytes_opt()), owned(statistics.max_bytes_opt()), statistics.null_count_opt())
}

#[test]
fn text_that_no_page_holds_is_written_all_the_same() {
    use arrow_array::StringArray;
    let text = "0123456789".repeat(200_000);
    let rows = batch(vec![("c", Arc::new(StringArray::from(vec![Some(text.as_str()), None, Some("b")])))]);
    assert_eq!(read_back(&encode(&rows, &WriterOptions::default()).unwrap()), rows);
}

proptest! {
    #[test]
    fn small_numbers_read_back_through_runs_and_bits(
        runs in proptest::collection::vec((0..9_i32, 0..40_usize), 0..60),
        nulls in proptest::collection::vec(proptest::bool::ANY, 0..300),
    ) {
        use arrow_array::Int32Array;
        let numbers: Vec<i32> = runs.iter().flat_map(|(number, count)| std::iter::repeat_n(*number, *count)).collect();
        prop_assume!(!numbers.is_empty());
        let column: Int32Array =
            numbers.iter().zip(nulls.iter().chain(std::iter::repeat(&false))).map(|(number, null)| (!null).then_some(*number)).collect();
        let rows = batch(vec![("c", Arc::new(column))]);
        prop_assert_eq!(read_back(&encode(&rows, &WriterOptions::default()).unwrap()), rows);
    }
}
