//! The timestamps inside a batch, for the one question that a header cannot answer.
//!
//! "The first record not before this time" needs the records of one batch, decompressed. They are streamed: neither a
//! batch nor a record is held in memory, so one that claims to unfold into gigabytes costs time, at most
//! [`MAX_UNFOLDED_BYTES`] of it, and no memory.

use std::io::{self, BufReader, Read};

use super::batch::{BatchHeader, Codec, HEADER_BYTES};

const MAX_UNFOLDED_BYTES: u64 = 1 << 30;

/// What precedes snappy blocks as the Java client frames them: magic, version, oldest compatible version.
const SNAPPY_MAGIC: &[u8] = b"\x82SNAPPY\x00";
const SNAPPY_PREFIX_BYTES: usize = 16;
/// Largest block of snappy that is unfolded at once.
const MAX_SNAPPY_BLOCK_BYTES: usize = 64 << 20;

/// The offset and timestamp of one record.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct RecordTime {
    pub(crate) offset: i64,
    pub(crate) timestamp_ms: i64,
}

/// The first record of `batch` (whole, with its header) at or after `from_offset` and `timestamp_ms`.
///
/// # Errors
/// `InvalidData` if the records are not what their header says, which a broker that stores batches unopened only
/// learns here.
pub(crate) fn first_at_or_after(
    header: &BatchHeader,
    batch: &[u8],
    timestamp_ms: i64,
    from_offset: i64,
) -> io::Result<Option<RecordTime>> {
    let records = batch.get(HEADER_BYTES..).unwrap_or_default();
    let unfolded = unfold(header.codec(), records)?;
    let mut reader = BufReader::new(unfolded.take(MAX_UNFOLDED_BYTES));
    for _ in 0..header.record_count {
        let length = varint(&mut reader)?.0;
        let _attributes = byte(&mut reader)?;
        let (timestamp_delta, timestamp_bytes) = varint(&mut reader)?;
        let (offset_delta, offset_bytes) = varint(&mut reader)?;
        let found = RecordTime {
            offset: header.base_offset.saturating_add(offset_delta),
            timestamp_ms: header.base_timestamp_ms.saturating_add(timestamp_delta),
        };
        if found.timestamp_ms >= timestamp_ms && found.offset >= from_offset {
            return Ok(Some(found));
        }
        let read = 1 + timestamp_bytes + offset_bytes;
        let rest = u64::try_from(length).ok().and_then(|length| length.checked_sub(read)).ok_or_else(damaged)?;
        if io::copy(&mut reader.by_ref().take(rest), &mut io::sink())? < rest {
            return Err(damaged());
        }
    }
    Ok(None)
}

fn unfold<'a>(codec: Option<Codec>, records: &'a [u8]) -> io::Result<Box<dyn Read + 'a>> {
    Ok(match codec.ok_or_else(damaged)? {
        Codec::None => Box::new(records),
        Codec::Gzip => Box::new(flate2::read::MultiGzDecoder::new(records)),
        Codec::Lz4 => Box::new(lz4_flex::frame::FrameDecoder::new(records)),
        Codec::Zstd => Box::new(zstd::stream::read::Decoder::new(records)?),
        Codec::Snappy if records.starts_with(SNAPPY_MAGIC) => Box::new(SnappyBlocks {
            rest: records.get(SNAPPY_PREFIX_BYTES..).unwrap_or_default(),
            block: io::Cursor::new(Vec::new()),
        }),
        Codec::Snappy => Box::new(io::Cursor::new(unfold_snappy(records)?)),
    })
}

/// Length-prefixed snappy blocks, unfolded one at a time.
struct SnappyBlocks<'a> {
    rest: &'a [u8],
    block: io::Cursor<Vec<u8>>,
}

impl Read for SnappyBlocks<'_> {
    fn read(&mut self, out: &mut [u8]) -> io::Result<usize> {
        loop {
            let read = self.block.read(out)?;
            if read > 0 || out.is_empty() || self.rest.is_empty() {
                return Ok(read);
            }
            let (length, rest) = self.rest.split_first_chunk::<4>().ok_or_else(damaged)?;
            let length = usize::try_from(u32::from_be_bytes(*length)).map_err(io::Error::other)?;
            let (block, rest) = rest.split_at_checked(length).ok_or_else(damaged)?;
            self.rest = rest;
            self.block = io::Cursor::new(unfold_snappy(block)?);
        }
    }
}

fn unfold_snappy(block: &[u8]) -> io::Result<Vec<u8>> {
    if snap::raw::decompress_len(block).map_err(io::Error::other)? > MAX_SNAPPY_BLOCK_BYTES {
        return Err(damaged());
    }
    snap::raw::Decoder::new().decompress_vec(block).map_err(io::Error::other)
}

fn byte(reader: &mut impl Read) -> io::Result<u8> {
    let mut byte = [0];
    reader.read_exact(&mut byte)?;
    let [byte] = byte;
    Ok(byte)
}

/// A zigzag number and how many bytes it took.
fn varint(reader: &mut impl Read) -> io::Result<(i64, u64)> {
    let mut value = 0u64;
    for bytes in 1..=10u64 {
        let byte = byte(reader)?;
        value |= u64::from(byte & 0x7f) << ((bytes - 1) * 7);
        if byte & 0x80 == 0 {
            let magnitude = (value >> 1).cast_signed();
            return Ok((magnitude ^ -(value & 1).cast_signed(), bytes));
        }
    }
    Err(damaged())
}

fn damaged() -> io::Error {
    io::Error::from(io::ErrorKind::InvalidData)
}
