//! The JSON of a Kafka event, byte for byte as an event source mapping builds it.
//!
//! Records are encoded when they arrive, so the length of an event is known before it is put together and a batch can be
//! cut exactly at the limit of an invocation.
//!
//! Representations that AWS documents, or that its users report: key and value in base64, absent if null; header values as
//! arrays of signed bytes; offsets as plain numbers. Of a null header value nothing is known: it is `null` here.

use std::collections::BTreeMap;
use std::io::Write;

use base64_simd::STANDARD;
use bytes::Bytes;
use serde::{Deserialize, Serialize};

/// Which kind of cluster the events say they come from.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum EventSource {
    /// Amazon MSK: `aws:kafka`, with the cluster's ARN.
    Msk {
        /// The cluster.
        arn: String,
    },
    /// Self-managed Kafka: `SelfManagedKafka`.
    SelfManaged,
}

/// How a record got its timestamp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimestampType {
    /// The producer gave it.
    CreateTime,
    /// The broker gave it.
    LogAppendTime,
    /// It has none; the timestamp is -1.
    None,
}

/// A record as it was read from Kafka.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RecordView<'a> {
    /// Its source partition.
    pub source_partition: i32,
    /// Its offset.
    pub offset: i64,
    /// Milliseconds since the epoch.
    pub timestamp_ms: i64,
    /// Where the timestamp comes from.
    pub timestamp_type: TimestampType,
    /// Its key.
    pub key: Option<&'a [u8]>,
    /// Its value; `None` is a tombstone.
    pub value: Option<&'a [u8]>,
    /// Headers in order; names may repeat.
    pub headers: Vec<(&'a str, Option<&'a [u8]>)>,
}

/// A record as JSON.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct EncodedRecord {
    /// Its source partition.
    pub source_partition: i32,
    /// Its offset.
    pub offset: i64,
    /// The JSON object.
    pub json: Vec<u8>,
}

impl RecordView<'_> {
    /// The record's JSON object, as a member of `topic`.
    pub fn encode(&self, topic: &str) -> EncodedRecord {
        let text = self.key.map_or(0, <[u8]>::len) + self.value.map_or(0, <[u8]>::len);
        let mut json = Vec::with_capacity(text / 3 * 4 + topic.len() + 160);
        json.extend_from_slice(b"{\"topic\":");
        push_text(&mut json, topic);
        push(
            &mut json,
            format_args!(
                ",\"partition\":{},\"offset\":{},\"timestamp\":{},\"timestampType\":\"{}\"",
                self.source_partition,
                self.offset,
                self.timestamp_ms,
                match self.timestamp_type {
                    TimestampType::CreateTime => "CREATE_TIME",
                    TimestampType::LogAppendTime => "LOG_APPEND_TIME",
                    TimestampType::None => "NO_TIMESTAMP_TYPE",
                }
            ),
        );
        for (name, bytes) in [("key", self.key), ("value", self.value)] {
            if let Some(bytes) = bytes {
                push(&mut json, format_args!(",\"{name}\":\""));
                STANDARD.encode_append(bytes, &mut json);
                json.push(b'"');
            }
        }
        json.extend_from_slice(b",\"headers\":[");
        for (index, (name, value)) in self.headers.iter().enumerate() {
            json.extend_from_slice(if index == 0 { b"{" } else { b",{" });
            push_text(&mut json, name);
            json.push(b':');
            push_signed(&mut json, *value);
            json.push(b'}');
        }
        json.extend_from_slice(b"]}");
        EncodedRecord { source_partition: self.source_partition, offset: self.offset, json }
    }
}

/// What surrounds the records of every event of one mapping.
#[derive(Debug, Clone)]
pub struct Envelope {
    head: Vec<u8>,
    topic: String,
}

const TAIL: &[u8] = b"}}";

impl Envelope {
    /// `bootstrap_servers` as the mapping was given them.
    pub fn new(source: &EventSource, bootstrap_servers: &[String], topic: &str) -> Self {
        let mut head = Vec::new();
        match source {
            EventSource::Msk { arn } => {
                head.extend_from_slice(b"{\"eventSource\":\"aws:kafka\",\"eventSourceArn\":");
                push_text(&mut head, arn);
            }
            EventSource::SelfManaged => head.extend_from_slice(b"{\"eventSource\":\"SelfManagedKafka\""),
        }
        head.extend_from_slice(b",\"bootstrapServers\":");
        push_text(&mut head, &bootstrap_servers.join(","));
        head.extend_from_slice(b",\"records\":{");
        Self { head, topic: topic.to_owned() }
    }

    /// Length of an event without records.
    pub fn empty_len(&self) -> usize {
        self.head.len() + TAIL.len()
    }

    /// What a source partition adds to an event, besides its records and a comma after each of them: its key, brackets, and
    /// the comma before it. An event needs one comma less for each of its source partitions, and one more.
    pub fn source_partition_len(&self, source_partition: i32) -> usize {
        self.key(source_partition).len() + b":[],".len()
    }

    /// The event of these records, each list ascending by offset and not empty.
    pub fn event(&self, records: &BTreeMap<i32, Vec<EncodedRecord>>) -> Bytes {
        let lists = records.values().flatten().map(|record| record.json.len() + 1).sum::<usize>();
        let keys = records.keys().map(|source_partition| self.source_partition_len(*source_partition)).sum::<usize>();
        let mut event = Vec::with_capacity(self.empty_len() + keys + lists);
        event.extend_from_slice(&self.head);
        for (index, (source_partition, list)) in records.iter().enumerate() {
            if index > 0 {
                event.push(b',');
            }
            event.extend_from_slice(&self.key(*source_partition));
            event.extend_from_slice(b":[");
            for (index, record) in list.iter().enumerate() {
                if index > 0 {
                    event.push(b',');
                }
                event.extend_from_slice(&record.json);
            }
            event.push(b']');
        }
        event.extend_from_slice(TAIL);
        Bytes::from(event)
    }

    fn key(&self, source_partition: i32) -> Vec<u8> {
        let mut key = Vec::new();
        push_text(&mut key, &format!("{}-{source_partition}", self.topic));
        key
    }
}

fn push(json: &mut Vec<u8>, text: std::fmt::Arguments<'_>) {
    // Writing to a vector never fails.
    let _ = json.write_fmt(text);
}

fn push_text(json: &mut Vec<u8>, text: &str) {
    // Neither text nor a vector can make this fail.
    let _ = serde_json::to_writer(json, text);
}

fn push_signed(json: &mut Vec<u8>, value: Option<&[u8]>) {
    let Some(value) = value else {
        json.extend_from_slice(b"null");
        return;
    };
    json.push(b'[');
    for (index, byte) in value.iter().enumerate() {
        if index > 0 {
            json.push(b',');
        }
        push(json, format_args!("{}", byte.cast_signed()));
    }
    json.push(b']');
}

#[cfg(test)]
mod tests {
    use aws_lambda_events::kafka::KafkaEvent;

    use super::*;

    fn record<'a>() -> RecordView<'a> {
        RecordView {
            source_partition: 0,
            offset: 15,
            timestamp_ms: 1_545_084_650_987,
            timestamp_type: TimestampType::CreateTime,
            key: Some(b"k"),
            value: Some(b"{\"uid\": 1}"),
            headers: vec![("name", Some(&[104, 105, 0xC3, 0xAB])), ("name", Some(&[50])), ("empty", Some(&[]))],
        }
    }

    #[test]
    fn event_is_as_documented() {
        let source = EventSource::Msk { arn: "arn:aws:kafka:us-east-1:123456789012:cluster/c/u-1".to_owned() };
        let envelope = Envelope::new(&source, &["a:9092".to_owned(), "b:9092".to_owned()], "t-1");
        let records = BTreeMap::from([(0, vec![record().encode("t-1")])]);
        assert_eq!(
            String::from_utf8(envelope.event(&records).to_vec()).unwrap(),
            concat!(
                r#"{"eventSource":"aws:kafka","eventSourceArn":"arn:aws:kafka:us-east-1:123456789012:cluster/c/u-1","#,
                r#""bootstrapServers":"a:9092,b:9092","records":{"t-1-0":[{"topic":"t-1","partition":0,"offset":15,"#,
                r#""timestamp":1545084650987,"timestampType":"CREATE_TIME","key":"aw==","value":"eyJ1aWQiOiAxfQ==","#,
                r#""headers":[{"name":[104,105,-61,-85]},{"name":[50]},{"empty":[]}]}]}}"#
            )
        );
    }

    #[test]
    fn event_reads_as_the_reference_types_do() {
        let envelope = Envelope::new(&EventSource::SelfManaged, &["a:9092".to_owned()], "t");
        let tombstone = RecordView { key: None, value: None, headers: Vec::new(), source_partition: 3, ..record() };
        let records =
            BTreeMap::from([(0, vec![record().encode("t"), record().encode("t")]), (3, vec![tombstone.encode("t")])]);
        let event: KafkaEvent = serde_json::from_slice(&envelope.event(&records)).unwrap();
        assert_eq!(event.event_source.as_deref(), Some("SelfManagedKafka"));
        assert_eq!(event.event_source_arn, None);
        assert_eq!(event.bootstrap_servers.as_deref(), Some("a:9092"));
        let read = &event.records["t-0"][1];
        assert_eq!((read.partition, read.offset), (0, 15));
        assert_eq!(read.headers[0]["name"], [104, 105, -61, -85]);
        assert_eq!(read.value.as_deref(), Some("eyJ1aWQiOiAxfQ=="));
        assert_eq!((&event.records["t-3"][0].key, &event.records["t-3"][0].value), (&None, &None));
    }

    #[test]
    fn absent_fields_are_absent_and_odd_names_are_escaped() {
        let odd = RecordView { key: None, value: Some(b""), headers: vec![("a\"\n", None)], ..record() };
        let json = String::from_utf8(odd.encode("t").json).unwrap();
        assert!(json.ends_with(r#""timestampType":"CREATE_TIME","value":"","headers":[{"a\"\n":null}]}"#), "{json}");
        serde_json::from_str::<serde_json::Value>(&json).unwrap();
    }

    #[test]
    fn announced_length_is_that_of_the_event() {
        let envelope = Envelope::new(&EventSource::SelfManaged, &["a:9092".to_owned()], "t\"");
        let records = BTreeMap::from([
            (0, vec![record().encode("t\""), record().encode("t\"")]),
            (12, vec![record().encode("t\"")]),
        ]);
        let lists: usize = records.values().flatten().map(|record| record.json.len() + 1).sum();
        let announced =
            envelope.empty_len() + envelope.source_partition_len(0) + envelope.source_partition_len(12) + lists;
        // One comma less for each of two source partitions, and one for the first of them.
        assert_eq!(envelope.event(&records).len(), announced - 3);
    }
}
