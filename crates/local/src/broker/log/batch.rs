//! The header of one record batch (format 2), read in place.
//!
//! A batch is stored as the producer sent it, so the header is all that the broker ever needs to know: where the
//! batch ends, which offsets and timestamps it spans, and who produced it. Records are not looked at here; the
//! timestamp search reads them in [`super::records`].
//!
//! # References
//! - <https://kafka.apache.org/documentation/#recordbatch>

use bytes::Buf;

/// Bytes of a header, from the base offset to the record count.
pub(crate) const HEADER_BYTES: usize = 61;

/// Bytes before what `batch_length` counts: the base offset and the length itself.
const PREFIX_BYTES: u32 = 12;

/// Where the checksummed part starts. Base offset and leader epoch lie before it, so both can be rewritten.
const CHECKED_FROM: usize = 21;

const MAGIC: i8 = 2;
const COMPRESSION_MASK: i16 = 0b111;
const TRANSACTIONAL: i16 = 0b1_0000;
const CONTROL: i16 = 0b10_0000;

/// A parsed header. All numbers are as found on the wire; `total_bytes` includes the prefix.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct BatchHeader {
    pub(crate) base_offset: i64,
    pub(crate) total_bytes: u32,
    pub(crate) crc: u32,
    pub(crate) attributes: i16,
    pub(crate) last_offset_delta: i32,
    pub(crate) base_timestamp_ms: i64,
    pub(crate) max_timestamp_ms: i64,
    pub(crate) producer_id: i64,
    pub(crate) producer_epoch: i16,
    pub(crate) base_sequence: i32,
    pub(crate) record_count: i32,
}

/// Why bytes are no storable batch.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum BatchError {
    #[error("record batch ends early: expected {expected} bytes, found {found}")]
    Short { expected: u64, found: u64 },
    #[error("record batch claims {claimed} bytes, a header alone has {HEADER_BYTES}")]
    Length { claimed: i32 },
    #[error("record batch has format {found}, expected {MAGIC}")]
    Magic { found: i8 },
    #[error("record batch checksum is {found:#010x}, its header says {expected:#010x}")]
    Checksum { expected: u32, found: u32 },
    #[error("record batch counts {record_count} records over {last_offset_delta} + 1 offsets")]
    Count { record_count: i32, last_offset_delta: i32 },
}

/// How the records of a batch are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Codec {
    None,
    Gzip,
    Snappy,
    Lz4,
    Zstd,
}

impl BatchHeader {
    /// Reads the header at the start of `bytes`, which may go on after it (or end before the batch does).
    ///
    /// # Errors
    /// [`BatchError::Short`], [`BatchError::Length`], [`BatchError::Magic`] and [`BatchError::Count`] for a negative
    /// span; the checksum is [`verify`]'s matter.
    pub(crate) fn parse(bytes: &[u8]) -> Result<Self, BatchError> {
        let Some(header) = bytes.first_chunk::<HEADER_BYTES>() else {
            return Err(BatchError::Short { expected: HEADER_BYTES as u64, found: bytes.len() as u64 });
        };
        let mut fields = header.as_slice();
        let base_offset = fields.get_i64();
        let length = fields.get_i32();
        let _leader_epoch = fields.get_i32();
        let magic = fields.get_i8();
        if magic != MAGIC {
            return Err(BatchError::Magic { found: magic });
        }
        let total_bytes = u32::try_from(length)
            .ok()
            .map(|length| length.saturating_add(PREFIX_BYTES))
            .filter(|total| *total as usize >= HEADER_BYTES)
            .ok_or(BatchError::Length { claimed: length })?;
        let parsed = Self {
            base_offset,
            total_bytes,
            crc: fields.get_u32(),
            attributes: fields.get_i16(),
            last_offset_delta: fields.get_i32(),
            base_timestamp_ms: fields.get_i64(),
            max_timestamp_ms: fields.get_i64(),
            producer_id: fields.get_i64(),
            producer_epoch: fields.get_i16(),
            base_sequence: fields.get_i32(),
            record_count: fields.get_i32(),
        };
        if parsed.last_offset_delta < 0 || parsed.record_count < 0 {
            return Err(parsed.count_error());
        }
        Ok(parsed)
    }

    /// Offset of the last record (inclusive).
    pub(crate) fn last_offset(&self) -> i64 {
        self.base_offset.saturating_add(i64::from(self.last_offset_delta))
    }

    /// Offset after the batch (exclusive).
    pub(crate) fn next_offset(&self) -> i64 {
        self.last_offset().saturating_add(1)
    }

    /// Sequence number of the last record; sequences go from `i32::MAX` on to 0.
    pub(crate) fn last_sequence(&self) -> i32 {
        sequence_after(self.base_sequence, self.last_offset_delta)
    }

    /// Whether the producer numbers its batches.
    pub(crate) fn is_idempotent(&self) -> bool {
        self.producer_id >= 0
    }

    pub(crate) fn is_transactional(&self) -> bool {
        self.attributes & TRANSACTIONAL != 0
    }

    pub(crate) fn is_control(&self) -> bool {
        self.attributes & CONTROL != 0
    }

    /// The codec, or `None` for a number that means nothing.
    pub(crate) fn codec(&self) -> Option<Codec> {
        match self.attributes & COMPRESSION_MASK {
            0 => Some(Codec::None),
            1 => Some(Codec::Gzip),
            2 => Some(Codec::Snappy),
            3 => Some(Codec::Lz4),
            4 => Some(Codec::Zstd),
            _ => None,
        }
    }

    pub(crate) fn count_error(&self) -> BatchError {
        BatchError::Count { record_count: self.record_count, last_offset_delta: self.last_offset_delta }
    }
}

/// Adds `count` to a sequence number, which wraps from `i32::MAX` to 0. Neither may be negative.
pub(crate) fn sequence_after(sequence: i32, count: i32) -> i32 {
    sequence.wrapping_add(count) & i32::MAX
}

/// Compares the checksum of `batch` (exactly one whole batch) with its header's.
///
/// # Errors
/// [`BatchError::Checksum`], or [`BatchError::Short`] if `batch` is not as long as its header says.
pub(crate) fn verify(header: &BatchHeader, batch: &[u8]) -> Result<(), BatchError> {
    let short = BatchError::Short { expected: u64::from(header.total_bytes), found: batch.len() as u64 };
    if batch.len() != header.total_bytes as usize {
        return Err(short);
    }
    let found = crc32c::crc32c(batch.get(CHECKED_FROM..).ok_or(short)?);
    if found == header.crc { Ok(()) } else { Err(BatchError::Checksum { expected: header.crc, found }) }
}

/// Writes base offset and leader epoch into a batch's bytes; shorter bytes are left alone.
pub(crate) fn stamp(batch: &mut [u8], base_offset: i64, leader_epoch: i32) {
    if let Some(field) = batch.first_chunk_mut::<8>() {
        *field = base_offset.to_be_bytes();
    }
    if let Some(field) = batch.get_mut(12..16) {
        field.copy_from_slice(&leader_epoch.to_be_bytes());
    }
}

#[cfg(test)]
pub(crate) mod samples {
    //! Batches as a producer would send them.

    /// The attributes of a batch and what makes its records fit them.
    pub(crate) type Compress = (i16, fn(&[u8]) -> Vec<u8>);

    /// What a test wants in a batch; the rest is usual.
    #[derive(Clone)]
    pub(crate) struct Sample {
        pub(crate) timestamps_ms: Vec<i64>,
        pub(crate) value: Vec<u8>,
        pub(crate) producer: Option<(i64, i16, i32)>,
        pub(crate) compress: Compress,
    }

    impl Sample {
        pub(crate) fn of(timestamps_ms: &[i64]) -> Self {
            Self {
                timestamps_ms: timestamps_ms.to_vec(),
                value: b"value".to_vec(),
                producer: None,
                compress: (0, |bytes| bytes.to_vec()),
            }
        }

        pub(crate) fn bytes(&self) -> Vec<u8> {
            let first = self.timestamps_ms[0];
            let mut records = Vec::new();
            for (delta, timestamp_ms) in self.timestamps_ms.iter().enumerate() {
                let mut record = vec![0];
                varint(&mut record, timestamp_ms - first);
                varint(&mut record, delta as i64);
                varint(&mut record, -1);
                varint(&mut record, self.value.len() as i64);
                record.extend_from_slice(&self.value);
                varint(&mut record, 0);
                varint(&mut records, record.len() as i64);
                records.extend_from_slice(&record);
            }
            let (producer_id, epoch, sequence) = self.producer.unwrap_or((-1, -1, -1));
            let count = self.timestamps_ms.len() as i32;
            let mut checked = Vec::new();
            checked.extend_from_slice(&self.compress.0.to_be_bytes());
            checked.extend_from_slice(&(count - 1).to_be_bytes());
            checked.extend_from_slice(&first.to_be_bytes());
            checked.extend_from_slice(&self.timestamps_ms.iter().max().unwrap().to_be_bytes());
            checked.extend_from_slice(&producer_id.to_be_bytes());
            checked.extend_from_slice(&epoch.to_be_bytes());
            checked.extend_from_slice(&sequence.to_be_bytes());
            checked.extend_from_slice(&count.to_be_bytes());
            checked.extend_from_slice(&(self.compress.1)(&records));
            let mut batch = 0i64.to_be_bytes().to_vec();
            batch.extend_from_slice(&(checked.len() as i32 + 9).to_be_bytes());
            batch.extend_from_slice(&(-1i32).to_be_bytes());
            batch.push(2);
            batch.extend_from_slice(&crc32c::crc32c(&checked).to_be_bytes());
            batch.extend_from_slice(&checked);
            batch
        }
    }

    fn varint(out: &mut Vec<u8>, value: i64) {
        let mut rest = ((value << 1) ^ (value >> 63)) as u64;
        while rest >= 0x80 {
            out.push(rest as u8 | 0x80);
            rest >>= 7;
        }
        out.push(rest as u8);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn stamping_leaves_the_checksum_valid() {
        let mut batch = samples::Sample::of(&[1, 2, 3]).bytes();
        stamp(&mut batch, 77, 5);
        let header = BatchHeader::parse(&batch).unwrap();
        assert_eq!((header.base_offset, header.last_offset(), header.next_offset()), (77, 79, 80));
        assert_eq!(verify(&header, &batch), Ok(()));
    }

    #[test]
    fn a_flipped_bit_in_the_records_fails_the_checksum() {
        let mut batch = samples::Sample::of(&[1]).bytes();
        *batch.last_mut().unwrap() ^= 1;
        let header = BatchHeader::parse(&batch).unwrap();
        assert!(matches!(verify(&header, &batch), Err(BatchError::Checksum { .. })));
    }

    #[test]
    fn sequences_wrap_from_the_largest_to_zero() {
        assert_eq!(sequence_after(i32::MAX, 1), 0);
        assert_eq!(sequence_after(i32::MAX - 1, 3), 1);
        assert_eq!(sequence_after(4, 3), 7);
    }

    #[test]
    fn hostile_headers_are_errors() {
        assert!(matches!(BatchHeader::parse(&[0; 10]), Err(BatchError::Short { .. })));
        let mut batch = samples::Sample::of(&[1]).bytes();
        batch[16] = 1;
        assert_eq!(BatchHeader::parse(&batch), Err(BatchError::Magic { found: 1 }));
        batch[16] = 2;
        batch[8..12].copy_from_slice(&(-5i32).to_be_bytes());
        assert_eq!(BatchHeader::parse(&batch), Err(BatchError::Length { claimed: -5 }));
    }
}
