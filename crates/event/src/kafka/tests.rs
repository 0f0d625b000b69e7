use std::collections::{BTreeMap, BTreeSet};

use aws_lambda_events::kafka::KafkaEvent;
use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn text(bytes: &[u8]) -> String {
    base64_simd::STANDARD.encode_to_string(bytes)
}

fn read_value(event: &Value) -> Result<Event, EventError> {
    read(event.to_string().as_bytes(), HeaderWish::Read)
}

fn one_record(record: Value) -> Value {
    json!({ "eventSource": "aws:kafka", "records": { "t-0": [record] } })
}

/// Source partition, offset, timestamp, key and value of each record.
type Plain = (i32, i64, Option<i64>, Option<Vec<u8>>, Option<Vec<u8>>);

fn plain(event: &Event) -> Vec<Plain> {
    event
        .records()
        .map(|record| {
            (
                record.source_partition,
                record.offset,
                record.timestamp_ms,
                record.key.map(<[u8]>::to_vec),
                record.value.map(<[u8]>::to_vec),
            )
        })
        .collect()
}

#[test]
fn managed_and_self_managed_events_are_read_alike() {
    let records = json!({ "te-st-0": [
        { "topic": "te-st", "partition": 0, "offset": 15, "timestamp": 1_545_084_650_987_i64,
          "timestampType": "CREATE_TIME", "key": text(b"k"), "value": text(b"hello"),
          "headers": [{ "name": [104, 105, -61, -85] }, { "name": [50] }] } ] });
    let managed = json!({
        "eventSource": "aws:kafka",
        "eventSourceArn": "arn:aws:kafka:us-east-1:123456789012:cluster/c/u-1",
        "bootstrapServers": "a:9092,b:9092", "records": records });
    let own = json!({
        "eventSource": "SelfManagedKafka", "bootstrapServers": "a:9092", "records": records });
    for event in [managed, own] {
        let event = read_value(&event).unwrap();
        assert_eq!(event.topic(), "te-st");
        assert_eq!(plain(&event), [(0, 15, Some(1_545_084_650_987), Some(b"k".to_vec()), Some(b"hello".to_vec()))]);
    }
}

/// Names and values of the headers of the only record.
fn headers(event: &Event) -> Vec<(String, Option<Vec<u8>>)> {
    let record = event.records().next().unwrap();
    record.headers.iter().map(|(name, value)| (name.to_owned(), value.map(<[u8]>::to_vec))).collect()
}

fn with_headers(headers: Value) -> Value {
    one_record(json!({ "topic": "t", "partition": 0, "offset": 1, "headers": headers, "value": text(b"v") }))
}

#[test]
fn headers_are_read_where_they_are_wished_for() {
    let event = with_headers(json!([{ "a": [104, -61, -85] }, { "b": [195, 171] }, { "a": [] }, { "\u{e9}": null }]));
    let bytes = event.to_string().into_bytes();
    let expected =
        [("a", Some(b"h\xc3\xab".to_vec())), ("b", Some(b"\xc3\xab".to_vec())), ("a", Some(Vec::new())), ("é", None)];
    let read_with = read(&bytes, HeaderWish::Read).unwrap();
    assert_eq!(headers(&read_with), expected.map(|(name, value)| (name.to_owned(), value)));
    let read_without = read(&bytes, HeaderWish::Skip).unwrap();
    assert!(headers(&read_without).is_empty());
    assert_eq!(plain(&read_with), plain(&read_without));
}

#[test]
fn headers_of_another_shape_stop_no_record() {
    let none: [(&str, Option<Vec<u8>>); 0] = [];
    for (odd, expected) in [
        (Value::Null, &none[..]),
        (json!("x"), &none),
        (json!({ "a": [1] }), &none),
        (json!([[1], 2, null, "x", {}]), &none),
        (
            json!([{ "a": "text" }, { "b": [1, "2"] }, { "c": [256] }, { "d": [-129, [1, { "x": [] }]] }]),
            &[("a", None), ("b", None), ("c", None), ("d", None)],
        ),
        (json!([{ "a": [1], "b": [2.5] }]), &[("a", Some(vec![1])), ("b", None)]),
        (json!([{ "a": { "b": 1 } }, { "": [0] }]), &[("a", None), ("", Some(vec![0]))]),
    ] {
        let event = read_value(&with_headers(odd.clone())).unwrap();
        let found = headers(&event);
        let found: Vec<(&str, Option<Vec<u8>>)> =
            found.iter().map(|(name, value)| (name.as_str(), value.clone())).collect();
        assert_eq!(found, expected, "{odd}");
        assert_eq!(event.records().next().unwrap().value, Some(&b"v"[..]));
    }
}

#[test]
fn what_may_be_missing_may_be_missing() {
    let bare = json!({ "topic": "t", "partition": 2, "offset": 7 });
    let nulls = json!({ "topic": "t", "partition": 2, "offset": 7, "timestamp": null,
        "key": null, "value": null, "headers": null, "timestampType": null });
    let unset = json!({ "topic": "t", "partition": 2, "offset": 7, "timestamp": -1 });
    for record in [bare, nulls, unset] {
        let event = read_value(&one_record(record)).unwrap();
        assert_eq!(plain(&event), [(2, 7, None, None, None)]);
    }
}

#[test]
fn empty_value_is_not_null() {
    let record = json!({ "topic": "t", "partition": 0, "offset": 0, "value": "" });
    let event = read_value(&one_record(record)).unwrap();
    assert_eq!(plain(&event), [(0, 0, None, None, Some(Vec::new()))]);
}

#[test]
fn headers_of_any_shape_and_unknown_fields_are_passed_over() {
    for odd in [json!([{ "h": [-128, 127, 255] }, { "h": null }, {}]), json!({}), json!("text"), json!(1.5)] {
        let record = json!({ "topic": "t", "partition": 0, "offset": 1, "headers": odd,
            "valueSchemaMetadata": { "dataFormat": "AVRO", "schemaId": "x" }, "later": odd });
        let mut event = one_record(record);
        event["alsoLater"] = odd.clone();
        assert_eq!(read_value(&event).unwrap().len(), 1);
    }
}

#[test]
fn depth_of_what_is_passed_over_does_not_matter() {
    let deep = format!("{}{}", "[".repeat(200_000), "]".repeat(200_000));
    let event =
        format!(r#"{{"x":{deep},"records":{{"t-0":[{{"headers":{deep},"topic":"t","partition":0,"offset":1}}]}}}}"#);
    assert_eq!(read(event.as_bytes(), HeaderWish::Read).unwrap().len(), 1);
}

#[test]
fn names_of_lists_say_nothing() {
    let event = json!({ "records": {
        "anything": [{ "topic": "a-b", "partition": 3, "offset": 1 }],
        "": [{ "topic": "a-b", "partition": 1, "offset": 1 }, { "topic": "a-b", "partition": 3, "offset": 0 }] } });
    let event = read_value(&event).unwrap();
    let places: Vec<_> = event.records().map(|record| (record.source_partition, record.offset)).collect();
    assert_eq!(places, [(1, 1), (3, 0), (3, 1)]);
}

#[test]
fn record_that_comes_twice_counts_once() {
    let record =
        |offset: i64, value: &[u8]| json!({ "topic": "t", "partition": 0, "offset": offset, "value": text(value) });
    let event = json!({ "records": {
        "t-0": [record(1, b"one"), record(2, b"two"), record(1, b"one")], "again": [record(2, b"two")] } });
    let event = read_value(&event).unwrap();
    assert_eq!(plain(&event), [(0, 1, None, None, Some(b"one".to_vec())), (0, 2, None, None, Some(b"two".to_vec()))]);
}

#[test]
fn escaped_text_is_read_as_what_it_means() {
    let event = r#"{"records":{"t-0":[{"t\u006fpic":"\u0074","partition":0,"offset":1,"value":"\/\/79\u002b\/8="}]}}"#;
    let event = read(event.as_bytes(), HeaderWish::Read).unwrap();
    assert_eq!(event.topic(), "t");
    assert_eq!(plain(&event), [(0, 1, None, None, Some(vec![0xff, 0xfe, 0xfd, 0xfb, 0xff]))]);
}

#[test]
fn event_without_records_has_none() {
    for event in [json!({ "records": {} }), json!({ "records": null }), json!({ "records": { "t-0": [] } })] {
        let event = read_value(&event).unwrap();
        assert!(event.is_empty());
        assert_eq!(event.topic(), "");
    }
}

#[test]
fn broken_envelopes_are_refused_with_their_place() {
    let record = |field: &str, value: Value| {
        let mut record = json!({ "topic": "t", "partition": 0, "offset": 1 });
        record[field] = value;
        json!({ "records": { "t-0": [{ "topic": "t", "partition": 0, "offset": 0 }, record] } })
    };
    let without = |field: &str| {
        let mut record = json!({ "topic": "t", "partition": 0, "offset": 1 });
        record.as_object_mut().unwrap().remove(field);
        json!({ "records": { "t-0": [{ "topic": "t", "partition": 0, "offset": 0 }, record] } })
    };
    let at = |field: &str| format!("records[\"t-0\"][1]{field}");
    let cases = [
        (json!({}), "the top level".to_owned(), "missing field `records`"),
        (json!([]), "the top level".to_owned(), "expected a Kafka event"),
        (json!({ "records": [] }), "the top level".to_owned(), "expected an object of lists"),
        (json!({ "records": { "t-0": 5 } }), "records[\"t-0\"]".to_owned(), "expected a list"),
        (json!({ "records": { "t-0": [7] } }), "records[\"t-0\"][0]".to_owned(), "expected a record"),
        (without("topic"), at(""), "missing field `topic`"),
        (without("partition"), at(""), "missing field `partition`"),
        (without("offset"), at(""), "missing field `offset`"),
        (record("topic", json!("u")), at(".topic"), "expected topic `t`"),
        (record("topic", json!(null)), at(".topic"), "expected a topic"),
        (record("partition", json!(4_294_967_296_i64)), at(".partition"), "expected i32"),
        (record("offset", json!("12")), at(".offset"), "expected i64"),
        (record("offset", json!(1.5)), at(".offset"), "expected i64"),
        (record("timestamp", json!("now")), at(".timestamp"), "expected i64"),
        (record("value", json!("secret!")), at(".value"), "expected base64"),
        (record("value", json!("c2VjcmV0c")), at(".value"), "expected base64"),
        (record("value", json!({ "secret": 1 })), at(".value"), "expected base64"),
        (record("key", json!(12)), at(".key"), "expected base64"),
    ];
    for (event, place, message) in cases {
        let error = read_value(&event).unwrap_err();
        assert_eq!(error.place, place, "{event}");
        assert!(error.message.contains(message), "{event}: {error}");
        assert!(!error.to_string().contains("secret"), "{error}");
    }
}

#[test]
fn text_that_is_no_json_is_refused() {
    for text in ["", "nothing", "{", r#"{"records":{}} x"#, "\u{feff}{}", r#"{"records":{"t-0":[{"#] {
        assert!(read(text.as_bytes(), HeaderWish::Read).is_err(), "{text}");
    }
    assert!(read(b"{\"records\":{\"\xff\":[]}}", HeaderWish::Read).is_err());
    let deep = "{\"records\":".repeat(100_000);
    assert!(read(deep.as_bytes(), HeaderWish::Read).is_err());
}

#[test]
fn sample_events_hold_the_five_records_of_the_tutorial() {
    let managed = read(include_bytes!("../../../../functions/load/events/msk.json"), HeaderWish::Read).unwrap();
    let own = read(include_bytes!("../../../../functions/load/events/self-managed.json"), HeaderWish::Read).unwrap();
    assert_eq!(plain(&managed), plain(&own));
    assert_eq!((managed.topic(), managed.len()), ("test2", 5));
    for record in managed.records() {
        let value: Value = serde_json::from_slice(record.value.unwrap()).unwrap();
        assert!(value["uid"].is_u64() && value["site"].is_string() && value["vtime"].is_u64());
    }
}

#[derive(Debug, Clone)]
struct Made {
    partition: i32,
    offset: i64,
    timestamp: i64,
    key: Option<Vec<u8>>,
    value: Option<Vec<u8>>,
    headers: Vec<(String, Vec<i8>)>,
}

fn made() -> impl Strategy<Value = Made> {
    let bytes = || prop::option::of(prop::collection::vec(any::<u8>(), 0..40));
    let headers = prop::collection::vec(("[a-z]{0,3}", prop::collection::vec(any::<i8>(), 0..4)), 0..3);
    (0..4_i32, 0..1_i64 << 40, 0..4_102_444_800_000_i64, bytes(), bytes(), headers).prop_map(
        |(partition, offset, timestamp, key, value, headers)| Made {
            partition,
            offset,
            timestamp,
            key,
            value,
            headers,
        },
    )
}

fn event_of(records: &[Made]) -> Value {
    let mut lists: BTreeMap<String, Vec<Value>> = BTreeMap::new();
    for record in records {
        let headers: Vec<Value> =
            record.headers.iter().map(|(name, bytes)| json!({ (name.as_str()): bytes })).collect();
        lists.entry(format!("a-topic-{}", record.partition)).or_default().push(json!({
            "topic": "a-topic", "partition": record.partition, "offset": record.offset,
            "timestamp": record.timestamp, "timestampType": "CREATE_TIME",
            "key": record.key.as_deref().map(text), "value": record.value.as_deref().map(text),
            "headers": headers }));
    }
    json!({ "eventSource": "SelfManagedKafka", "bootstrapServers": "b:9092", "records": lists })
}

proptest! {
    #[test]
    fn reader_agrees_with_the_public_types(records in prop::collection::vec(made(), 0..30)) {
        let json = event_of(&records).to_string();
        let reference: KafkaEvent = serde_json::from_str(&json).unwrap();
        let mut expected = BTreeMap::new();
        for record in reference.records.values().flatten() {
            let decode = |text: &Option<String>| {
                text.as_ref().map(|text| base64_simd::STANDARD.decode_to_vec(text).unwrap())
            };
            expected
                .entry((i32::try_from(record.partition).unwrap(), record.offset))
                .or_insert_with(|| (Some(record.timestamp.timestamp_millis()), decode(&record.key), decode(&record.value)));
        }
        let expected: Vec<Plain> = expected
            .into_iter()
            .map(|((partition, offset), (timestamp, key, value))| (partition, offset, timestamp, key, value))
            .collect();
        let mut found = plain(&read(json.as_bytes(), HeaderWish::Read).unwrap());
        prop_assert_eq!(found.len(), expected.len());
        for (found, expected) in found.iter_mut().zip(&expected) {
            // The public type takes milliseconds through a float of seconds, and loses one at times.
            let (at, near) = (found.2.unwrap(), expected.2.unwrap());
            prop_assert!(at.abs_diff(near) <= 1);
            found.2 = expected.2;
        }
        prop_assert_eq!(found, expected);
    }

    #[test]
    fn order_within_an_event_is_irrelevant(records in prop::collection::vec(made(), 0..20).prop_shuffle()) {
        let distinct: BTreeSet<_> = records.iter().map(|record| (record.partition, record.offset)).collect();
        prop_assume!(distinct.len() == records.len());
        let mut reversed = records.clone();
        reversed.reverse();
        let one = read_value(&event_of(&records)).unwrap();
        let other = read_value(&event_of(&reversed)).unwrap();
        prop_assert_eq!(plain(&one), plain(&other));
    }

    /// The quick reader takes events of the platform, and whatever it takes it reads as the other one does.
    #[test]
    fn both_readers_agree(
        records in prop::collection::vec(made(), 1..5),
        pretty in any::<bool>(),
        read_headers in any::<bool>(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), prop::sample::select(&b"\"\\{}[]:,0-9. enultrsa=\xc3\x01"[..])), 0..3),
    ) {
        let event = event_of(&records);
        let mut bytes = if pretty { serde_json::to_vec_pretty(&event) } else { serde_json::to_vec(&event) }.unwrap();
        let headers = if read_headers { HeaderWish::Read } else { HeaderWish::Skip };
        for (at, byte) in &changes {
            let at = at.index(bytes.len());
            bytes[at] = *byte;
        }
        let mut reading = Reading { headers, ..Reading::default() };
        let quick = quick::read(&bytes, &mut reading).map(|()| reading.event());
        prop_assert!(!changes.is_empty() || quick.is_some());
        if let Some(quick) = quick {
            let other = read_any(&bytes, headers);
            prop_assert!(other.is_ok(), "{:?}", other);
            let other = other.unwrap();
            prop_assert_eq!(plain(&quick), plain(&other));
            prop_assert_eq!(quick.topic(), other.topic());
            let headers = |event: &Event| event.records().map(|record| record.headers.to_json()).collect::<Vec<_>>();
            prop_assert_eq!(headers(&quick), headers(&other));
        }
    }

    #[test]
    fn no_bytes_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = read(&bytes, HeaderWish::Read);
    }

    #[test]
    fn no_cut_or_changed_event_panics(records in prop::collection::vec(made(), 1..4), at in any::<prop::sample::Index>(), byte in any::<u8>()) {
        let mut bytes = event_of(&records).to_string().into_bytes();
        let at = at.index(bytes.len());
        let _ = read(&bytes[..at], HeaderWish::Read);
        bytes[at] = byte;
        let _ = read(&bytes, HeaderWish::Read);
    }
}
