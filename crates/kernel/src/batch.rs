//! Kafka records as the kernel takes them: borrowed, in order, one batch a call.

use std::collections::BTreeMap;

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
    /// Headers; empty too where nobody asked for them.
    pub headers: Headers<'a>,
}

/// A record's headers in order, in one run of bytes, so that a record without them costs nothing. Names may repeat.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Headers<'a> {
    /// Each header: length of its name and the name, length of its value and the value. Lengths have four bytes, the
    /// lowest first; [`NULL_LENGTH`] is a null value.
    encoded: &'a [u8],
}

const NULL_LENGTH: u32 = u32::MAX;

impl<'a> Headers<'a> {
    /// Headers that [`push`](Self::push) wrote one after another.
    pub fn over(encoded: &'a [u8]) -> Self {
        Self { encoded }
    }

    /// Writes a header to the end of `encoded`. One of 4 GiB or more is cut to nothing; no record is that long.
    pub fn push(encoded: &mut Vec<u8>, name: &str, value: Option<&[u8]>) {
        let mut part = |bytes: &[u8]| match u32::try_from(bytes.len()) {
            Ok(length) if length != NULL_LENGTH => {
                encoded.extend_from_slice(&length.to_le_bytes());
                encoded.extend_from_slice(bytes);
            }
            _ => encoded.extend_from_slice(&0_u32.to_le_bytes()),
        };
        part(name.as_bytes());
        match value {
            Some(value) => part(value),
            None => encoded.extend_from_slice(&NULL_LENGTH.to_le_bytes()),
        }
    }

    /// Whether there is none.
    pub fn is_empty(&self) -> bool {
        self.encoded.is_empty()
    }

    /// Bytes of the names and values, and a few more for each.
    pub fn bytes(&self) -> usize {
        self.encoded.len()
    }

    /// Name and value of each, in order; a null value is `None`.
    pub fn iter(&self) -> impl Iterator<Item = (&'a str, Option<&'a [u8]>)> + use<'a> {
        let mut rest = self.encoded;
        std::iter::from_fn(move || {
            let name = take_part(&mut rest)??;
            let value = take_part(&mut rest)?;
            Some((std::str::from_utf8(name).ok()?, value))
        })
    }

    /// A JSON object, ascending by name: a name that repeats has its last value; a value that is null or no UTF-8 is null.
    pub fn to_json(&self) -> String {
        let text = |value: Option<&'a [u8]>| value.and_then(|value| std::str::from_utf8(value).ok());
        let members: BTreeMap<&str, Option<&str>> = self.iter().map(|(name, value)| (name, text(value))).collect();
        // A map of texts can always be written.
        serde_json::to_string(&members).unwrap_or_else(|_| "{}".to_owned())
    }
}

/// The next part; `Some(None)` for null, `None` at the end.
fn take_part<'a>(rest: &mut &'a [u8]) -> Option<Option<&'a [u8]>> {
    let (length, after) = rest.split_first_chunk::<4>()?;
    let length = u32::from_le_bytes(*length);
    if length == NULL_LENGTH {
        *rest = after;
        return Some(None);
    }
    let (part, after) = after.split_at_checked(usize::try_from(length).ok()?)?;
    *rest = after;
    Some(Some(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn headers_come_back_as_they_were_pushed() {
        let mut encoded = Vec::new();
        let pushed: [(&str, Option<&[u8]>); 4] =
            [("a", Some(b"1")), ("", None), ("ä", Some(b"")), ("a", Some(b"\xff"))];
        for (name, value) in pushed {
            Headers::push(&mut encoded, name, value);
        }
        assert!(Headers::over(&encoded).iter().eq(pushed));
        // Whatever is not theirs ends them.
        for cut in 0..encoded.len() {
            assert!(Headers::over(&encoded[..cut]).iter().count() < pushed.len());
        }
    }

    #[test]
    fn last_value_of_a_header_counts() {
        let mut encoded = Vec::new();
        for (name, value) in [("b", Some(&b"1"[..])), ("a", Some(b"\xff")), ("b", Some(b"\"2"))] {
            Headers::push(&mut encoded, name, value);
        }
        let json: serde_json::Value = serde_json::from_str(&Headers::over(&encoded).to_json()).unwrap();
        assert_eq!(json, serde_json::json!({"a": null, "b": "\"2"}));
        assert_eq!(Headers::default().to_json(), "{}");
    }
}

/// Records of one topic, ordered by source partition, then offset; no offset twice; gaps allowed.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Batch<'a> {
    /// The topic.
    pub topic: String,
    /// The records.
    pub records: Vec<Record<'a>>,
}
