use super::*;

fn reader(special: Option<Unescape>) -> CsvReader {
    CsvReader::new(",", "\n", 2, false, special)
}

fn fields<'a>(reader: &CsvReader, value: &'a [u8]) -> Vec<(bool, &'a [u8], Vec<Value<'a>>)> {
    let mut rows = Vec::new();
    let mut scratch = CsvScratch::default();
    reader.read(value, &mut scratch, |row| {
        rows.push((row.only, row.raw, row.values.map(<[Value<'_>]>::to_vec).unwrap_or_default()));
    });
    rows
}

const QUOTES: Unescape = Unescape { enclose: Some(b'"'), escape: Some(b'\\') };

#[test]
fn fields_without_escapes_are_slices_of_the_record() {
    let value = b"\"a\nb\",c\n";
    let found = fields(&reader(Some(QUOTES)), value);
    assert_eq!(found, [(true, &value[..7], vec![Value::Field("a\nb"), Value::Field("c")])]);
    let range = value.as_ptr_range();
    for field in &found[0].2 {
        assert!(matches!(field, Value::Field(text) if range.contains(&text.as_ptr())));
    }
}

#[test]
fn row_is_the_only_one_if_nothing_but_delimiters_follows() {
    for special in [None, Some(QUOTES)] {
        let only = |value: &'static [u8]| -> Vec<bool> {
            fields(&reader(special), value).into_iter().map(|(only, ..)| only).collect()
        };
        assert_eq!(only(b"\na,b\n\n"), [true]);
        assert_eq!(only(b"a,b"), [true]);
        assert_eq!(only(b"a,b\nc,d"), [false, false]);
        assert_eq!(only(b"a,b\n\xff"), [false, false]);
    }
}

#[test]
fn raw_bytes_of_a_row_end_before_its_delimiter() {
    for special in [None, Some(QUOTES)] {
        let raw: Vec<&[u8]> = fields(&reader(special), b"a,b\nx\n\xff,\n").into_iter().map(|(_, raw, _)| raw).collect();
        assert_eq!(raw, [&b"a,b"[..], b"x", b"\xff,"]);
    }
}

/// A value is copied with every field, so it must not grow unnoticed.
#[test]
fn values_are_small() {
    assert_eq!(size_of::<Value<'_>>(), 24);
}
