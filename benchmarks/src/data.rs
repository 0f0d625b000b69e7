//! One shape's records: as a Kafka event, and as the file that peers read.

use std::fmt::Write;

use crate::node::{Node, write_long};
use crate::random::Random;
use crate::shape::{Format, Shape};

/// Bytes of an event: what Lambda hands over at most.
pub const EVENT_BYTES: usize = 6 << 20;

/// The topic of all events.
pub const TOPIC: &str = "benchmark";

/// The schema that Avro records name.
pub const SCHEMA_ID: u32 = 7;

/// Source partitions of an event.
const SOURCE_PARTITIONS: u64 = 3;

/// The records of one event.
#[derive(Debug, Clone)]
pub struct Data {
    /// What they look like.
    pub shape: Shape,
    /// What they are written in.
    pub format: Format,
    /// Their values, in the order of the event.
    pub values: Vec<Vec<u8>>,
    /// The event, JSON as Lambda sends it.
    pub event: Vec<u8>,
    /// The writer's schema, if the format has one.
    pub schema: Option<String>,
}

impl Data {
    /// As many records as an event of so many bytes holds.
    pub fn new(format: Format, shape: Shape, seed: u64, event_bytes: usize) -> Self {
        let mut random = Random::new(seed, shape.name());
        let mut schema = None;
        let mut values = Vec::new();
        let mut bytes = 400;
        for number in 0.. {
            let record = shape.record(&mut random, number);
            if format == Format::Avro && schema.is_none() {
                schema = Some(record.avro_schema("record"));
            }
            let mut value = written(format, &record);
            if shape == Shape::Messy && random.once_in(20) {
                spoil(format, &mut random, &record, &mut value);
            }
            let entry_bytes = entry(0, number, &value).len() + 1;
            if bytes + entry_bytes > event_bytes {
                break;
            }
            bytes += entry_bytes;
            values.push(value);
        }
        // Records come by source partition; the event's order is the file's.
        let event = event(&values);
        Self { shape, format, values, event, schema }
    }

    /// Rows of the data.
    pub fn rows(&self) -> usize {
        self.values.len()
    }

    /// Bytes of the records' values.
    pub fn record_bytes(&self) -> usize {
        self.values.iter().map(Vec::len).sum()
    }

    /// The records as one file: lines, or an object container.
    pub fn file(&self) -> Vec<u8> {
        let Some(schema) = &self.schema else {
            return self.values.iter().flat_map(|value| value.iter().copied().chain([b'\n'])).collect();
        };
        let mut file = b"Obj\x01".to_vec();
        let text = |text: &str, into: &mut Vec<u8>| {
            write_long(text.len() as i64, into);
            into.extend_from_slice(text.as_bytes());
        };
        write_long(2, &mut file);
        text("avro.schema", &mut file);
        text(schema, &mut file);
        text("avro.codec", &mut file);
        text("null", &mut file);
        file.push(0);
        let sync = *b"benchmark-marker";
        file.extend_from_slice(&sync);
        for block in self.values.chunks(4096) {
            // Without the five bytes of a schema registry.
            let bytes: Vec<u8> = block.iter().flat_map(|value| value[5..].iter().copied()).collect();
            write_long(block.len() as i64, &mut file);
            write_long(bytes.len() as i64, &mut file);
            file.extend_from_slice(&bytes);
            file.extend_from_slice(&sync);
        }
        file
    }

    /// The file's extension.
    pub fn extension(&self) -> &'static str {
        match self.format {
            Format::Json => "ndjson",
            Format::Csv => "csv",
            Format::Avro => "avro",
        }
    }
}

fn written(format: Format, record: &Node) -> Vec<u8> {
    match format {
        Format::Json => {
            let mut json = String::new();
            record.write_json(&mut json);
            json.into_bytes()
        }
        Format::Csv => {
            let Node::Object(members) = record else { return Vec::new() };
            let mut line = String::new();
            for (place, (_, node)) in members.iter().enumerate() {
                line.push_str(if place > 0 { "," } else { "" });
                node.write_plain(&mut line);
            }
            line.into_bytes()
        }
        Format::Avro => {
            let mut avro = vec![0];
            avro.extend_from_slice(&SCHEMA_ID.to_be_bytes());
            record.write_avro(&mut avro);
            avro
        }
    }
}

/// Makes the value one that its table does not take: broken off, text for a number, or without a member that must be.
fn spoil(format: Format, random: &mut Random, record: &Node, value: &mut Vec<u8>) {
    let mut other = record.clone();
    if let Node::Object(members) = &mut other {
        match random.below(3) {
            0 => {
                let half = value.len() / 2;
                value.truncate(half);
                return;
            }
            1 => {
                if let Some((_, price)) = members.get_mut(2) {
                    *price = Node::Text("free".to_owned());
                }
            }
            _ => {
                members.remove(2);
            }
        }
    }
    *value = written(format, &other);
}

/// Lambda's JSON of these records.
fn event(values: &[Vec<u8>]) -> Vec<u8> {
    let mut json = String::from(
        r#"{"eventSource":"aws:kafka","eventSourceArn":"arn:aws:kafka:us-east-1:123456789012:cluster/c/5a3f1c2e-1","bootstrapServers":"b-1.c.kafka.us-east-1.amazonaws.com:9092,b-2.c.kafka.us-east-1.amazonaws.com:9092","records":{"#,
    );
    let share = values.len().div_ceil(SOURCE_PARTITIONS as usize).max(1);
    for (source_partition, values) in values.chunks(share).enumerate() {
        let _ = write!(json, "{}\"{TOPIC}-{source_partition}\":[", if source_partition > 0 { "," } else { "" });
        for (place, value) in values.iter().enumerate() {
            json.push_str(if place > 0 { "," } else { "" });
            json.push_str(&entry(source_partition, 1_000_000 + place as u64, value));
        }
        json.push(']');
    }
    json.push_str("}}");
    json.into_bytes()
}

/// A record of an event.
fn entry(source_partition: usize, offset: u64, value: &[u8]) -> String {
    let key = base64_simd::STANDARD.encode_to_string(format!("k{:07}", offset % 10_000_000));
    let value = base64_simd::STANDARD.encode_to_string(value);
    let timestamp = 1_718_215_200_000 + offset;
    format!(
        r#"{{"topic":"{TOPIC}","partition":{source_partition},"offset":{offset},"timestamp":{timestamp},"timestampType":"CREATE_TIME","key":"{key}","value":"{value}","headers":[]}}"#
    )
}
