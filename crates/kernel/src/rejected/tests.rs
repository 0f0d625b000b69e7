use arrow_array::Array;
use arrow_array::cast::AsArray;
use arrow_array::types::Int64Type;

use super::*;
use crate::encode::{WriterOptions, encode};

fn row(offset: i64, index: Option<u32>, raw: &[u8]) -> RejectedRow {
    RejectedRow {
        source_partition: 3,
        offset,
        index,
        column: index.map(|_| "uid".to_owned()),
        reason: "too large".to_owned(),
        raw: raw.to_vec(),
        whole: index.is_none(),
        key: None,
        timestamp_ms: Some(17),
    }
}

#[test]
fn no_rows_have_the_same_schema() {
    let columns = to_columns("t", &[], 1, 0);
    assert_eq!(columns.num_rows(), 0);
    assert_eq!(columns.schema(), schema());
}

#[test]
fn rows_keep_their_bytes_and_their_order() {
    let rows = [row(7, Some(1), b"\xff{}"), row(8, None, b"")];
    let columns = to_columns("test2", &rows, 2, 99);
    assert_eq!(columns.schema(), schema());
    let raw = columns["raw"].as_binary::<i32>();
    assert_eq!(raw.iter().collect::<Vec<_>>(), [Some(b"\xff{}".as_slice()), Some(b"")]);
    let index = columns["index"].as_primitive::<Int64Type>();
    assert_eq!(index.iter().collect::<Vec<_>>(), [Some(1), None]);
    assert!(columns["key"].is_null(0));
    assert_eq!(columns["rejected_at_ms"].as_primitive::<Int64Type>().value(0), 99);
    assert_eq!(columns["topic"].as_string::<i32>().value(1), "test2");
}

#[test]
fn rejected_rows_can_be_encoded() {
    let columns = to_columns("t", &[row(1, None, b"\x00\xff")], 1, 0);
    assert_eq!(encode(&columns, &WriterOptions::default()).unwrap().rows, 1);
}

fn entry(offset: i64, index: Option<u32>, key: Option<&[u8]>) -> Entry {
    let row = RejectedRow { key: key.map(<[u8]>::to_vec), ..row(offset, index, b"\xff raw") };
    Entry { topic: "t".to_owned(), row, job_version: 4, rejected_at_ms: 5 }
}

#[test]
fn entries_come_back_as_they_were_and_a_long_key_is_kept_once() {
    let long = vec![b'k'; REPEATED_KEY_BYTES + 1];
    let mut entries = [
        entry(1, Some(0), Some(&long)),
        entry(1, Some(2), Some(&long)),
        entry(2, None, None),
        entry(2, Some(1), Some(b"short")),
    ];
    let columns = of_entries(&entries);
    assert!(columns["key"].is_null(1));
    entries[1].row.key = None;
    let file = encode(&columns, &WriterOptions::default()).unwrap().bytes;
    assert_eq!(decode(file.clone(), usize::MAX).unwrap(), entries);
    assert_eq!(decode(file, 2).unwrap(), entries[..2]);
}

#[test]
fn file_of_an_older_version_is_read() {
    let entries = [entry(1, None, None), entry(2, Some(0), None), entry(2, Some(1), None)];
    let columns = of_entries(&entries);
    let older = columns.project(&(0..11).collect::<Vec<_>>()).unwrap();
    let file = encode(&older, &WriterOptions::default()).unwrap().bytes;
    let whole: Vec<bool> = decode(file, usize::MAX).unwrap().iter().map(|entry| entry.row.whole).collect();
    assert_eq!(whole, [true, true, false]);
}

#[test]
fn what_is_no_error_file_is_an_error() {
    assert!(decode(b"PAR1 and nothing else".as_slice().into(), 1).is_err());
    let other = encode(&of_entries(&[entry(1, None, None)]).project(&[0, 1]).unwrap(), &WriterOptions::default());
    let error = decode(other.unwrap().bytes, 1).unwrap_err();
    assert!(error.to_string().contains("`offset`"), "{error}");
}
