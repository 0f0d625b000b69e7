//! Kafka records as the kernel takes them: borrowed, in order, one batch a call.

/// A Kafka record. Bytes are borrowed from the event's arena.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Record<'a> {
    /// Source partition within the batch's topic.
    pub source_partition: i32,
    /// Its place in the source partition.
    pub offset: i64,
    /// Milliseconds since the epoch as Kafka has it, if any (Kafka's −1 is `None`).
    pub timestamp_ms: Option<i64>,
    /// Key, `None` for null.
    pub key: Option<&'a [u8]>,
    /// Value, `None` for null (a tombstone).
    pub value: Option<&'a [u8]>,
}

/// Records of one topic, ordered by source partition, then offset; no offset twice; gaps allowed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch<'a> {
    /// The topic.
    pub topic: String,
    /// The records.
    pub records: Vec<Record<'a>>,
}
