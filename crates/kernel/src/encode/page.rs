//! A column chunk of one page, for the types that most columns have: written in one go from the column's own buffers.
//!
//! Parquet's writer is made for columns that come piece by piece and end nobody knows where: it asks every value for its
//! place in a dictionary, compares it with the smallest and the largest, and makes a compressor for every column. Here all
//! rows are there: equal values are numbered first, bounds are those of different values, and one compressor serves a file.
//! What is not a matter of one page, or of another type, is left to Parquet's writer; files read the same.

use arrow_array::cast::AsArray;
use arrow_array::types::{
    ArrowPrimitiveType, Date32Type, Float32Type, Float64Type, Int8Type, Int16Type, Int32Type, Int64Type,
    TimestampMicrosecondType,
};
use arrow_array::{Array, ArrayRef};
use arrow_schema::{DataType, TimeUnit};
use bytes::Bytes;
use parquet::basic::{Compression, Encoding};
use parquet::column::page::{CompressedPage, Page, PageWriter};
use parquet::column::writer::ColumnCloseResult;
use parquet::errors::ParquetError;
use parquet::file::metadata::{ColumnChunkMetaData, PageEncodingStats};
use parquet::file::writer::{SerializedPageWriter, TrackedWrite};
use parquet::schema::types::ColumnDescPtr;
use zstd::bulk::Compressor;

use super::dictionary::hash;
use super::distinct::Distinct;
use super::{ColumnStatistics, hybrid, statistics};

/// Bytes of a page, and of a dictionary, at most: what readers expect to hold of a column.
const MAX_PAGE_BYTES: usize = 1 << 20;

/// A chunk, and what is known of it.
pub(super) struct Chunk {
    pub(super) bytes: Bytes,
    pub(super) close: ColumnCloseResult,
    /// Of the whole column.
    pub(super) statistics: ColumnStatistics,
}

/// Writes a column of a file; `None` if it is none of these. `repeats` says whether a dictionary is worth its while.
pub(super) fn write(
    column: &ArrayRef,
    id: u32,
    repeats: bool,
    descriptor: &ColumnDescPtr,
    (compression, compressor): (Compression, &mut Compressor<'_>),
) -> Result<Option<Chunk>, ParquetError> {
    let Some(values) = Values::of(column) else {
        return Ok(None);
    };
    let Some(encoded) = values.encode(column, repeats, levels(column, descriptor.max_def_level())) else {
        return Ok(None);
    };
    let levels_and_values = encoded.data;
    if levels_and_values.len() > MAX_PAGE_BYTES || encoded.dictionary.as_ref().is_some_and(|d| d.len() > MAX_PAGE_BYTES)
    {
        return Ok(None);
    }
    let statistics = match &encoded.distinct {
        Some(firsts) => statistics::of_rows(column.as_ref(), id, firsts),
        None => statistics::of_column(column.as_ref(), id),
    };
    let mut sink = TrackedWrite::new(Vec::new());
    let mut writer = SerializedPageWriter::new(&mut sink);
    let (mut compressed_size, mut uncompressed_size) = (0, 0);
    let mut dictionary_offset = None;
    let mut pages = Vec::new();
    let mut encodings = vec![Encoding::RLE];
    let mut put = |page: CompressedPage| -> Result<u64, ParquetError> {
        encodings.push(page.encoding());
        pages.push(PageEncodingStats { page_type: page.page_type(), encoding: page.encoding(), count: 1 });
        let written = writer.write_page(page)?;
        compressed_size += written.compressed_size;
        uncompressed_size += written.uncompressed_size;
        Ok(written.offset)
    };
    let mut compress = |bytes: &[u8]| compressor.compress(bytes).map(Bytes::from).map_err(ParquetError::from);
    if let (Some(dictionary), Some(firsts)) = (&encoded.dictionary, &encoded.distinct) {
        let num_values = small(firsts.len());
        let page = Page::DictionaryPage {
            buf: compress(dictionary)?,
            num_values,
            encoding: Encoding::PLAIN,
            is_sorted: false,
        };
        dictionary_offset = Some(put(CompressedPage::new(page, dictionary.len()))?);
    }
    let page = Page::DataPage {
        buf: compress(&levels_and_values)?,
        num_values: small(column.len()),
        encoding: if dictionary_offset.is_some() { Encoding::RLE_DICTIONARY } else { Encoding::PLAIN },
        def_level_encoding: Encoding::RLE,
        rep_level_encoding: Encoding::RLE,
        statistics: None,
    };
    let data_offset = put(CompressedPage::new(page, levels_and_values.len()))?;
    let long = |number: u64| i64::try_from(number).unwrap_or(i64::MAX);
    let mut metadata = ColumnChunkMetaData::builder(descriptor.clone())
        .set_compression(compression)
        .set_encodings(encodings)
        .set_page_encoding_stats(pages)
        .set_total_compressed_size(long(compressed_size as u64)) // usize has at most 64 bits
        .set_total_uncompressed_size(long(uncompressed_size as u64))
        .set_num_values(long(column.len() as u64))
        .set_data_page_offset(long(data_offset))
        .set_dictionary_page_offset(dictionary_offset.map(long));
    if let Some(bounds) = statistics::of_parquet(column.as_ref(), &statistics) {
        metadata = metadata.set_statistics(bounds);
    }
    let bytes = Bytes::from(sink.into_inner()?);
    let close = ColumnCloseResult {
        bytes_written: bytes.len() as u64,
        rows_written: column.len() as u64,
        metadata: metadata.build()?,
        bloom_filter: None,
        column_index: None,
        offset_index: None,
    };
    Ok(Some(Chunk { bytes, close, statistics }))
}

/// Which rows have a value, as levels after their length; nothing of a column that has one in each by definition.
fn levels(column: &ArrayRef, max_level: i16) -> Vec<u8> {
    if max_level == 0 {
        return Vec::new();
    }
    let mut levels = vec![0; 4];
    match column.nulls().filter(|nulls| nulls.null_count() > 0) {
        None => hybrid::write_run(1, column.len(), 1, &mut levels),
        Some(nulls) => {
            let present: Vec<u32> = nulls.iter().map(u32::from).collect();
            hybrid::write(&present, 1, &mut levels);
        }
    }
    let length = small(levels.len() - 4).to_le_bytes();
    levels.iter_mut().zip(length).for_each(|(place, byte)| *place = byte);
    levels
}

/// The values of a column by what Parquet writes for them.
enum Values<'c> {
    /// Four bytes each: bits of numbers.
    Four(Vec<u32>),
    /// Eight.
    Eight(Vec<u64>),
    /// Texts or bytes: where each begins, and where the last one ends, in all of them.
    Bytes(&'c [i32], &'c [u8]),
}

struct Encoded {
    /// Levels and values.
    data: Vec<u8>,
    dictionary: Option<Vec<u8>>,
    /// The rows that have the dictionary's values.
    distinct: Option<Vec<usize>>,
}

impl<'c> Values<'c> {
    /// `None` for other types, and for what would not fit a page anyway.
    fn of(column: &'c ArrayRef) -> Option<Self> {
        fn four<T: ArrowPrimitiveType>(column: &ArrayRef, bits: impl Fn(T::Native) -> u32) -> Values<'_> {
            Values::Four(column.as_primitive::<T>().values().iter().map(|value| bits(*value)).collect())
        }
        fn eight<T: ArrowPrimitiveType>(column: &ArrayRef, bits: impl Fn(T::Native) -> u64) -> Values<'_> {
            Values::Eight(column.as_primitive::<T>().values().iter().map(|value| bits(*value)).collect())
        }
        if column.len() > MAX_PAGE_BYTES {
            return None;
        }
        let fits = |offsets: &[i32]| match (offsets.first(), offsets.last()) {
            (Some(first), Some(last)) => usize::try_from(last - first).is_ok_and(|bytes| bytes <= MAX_PAGE_BYTES),
            _ => false,
        };
        Some(match column.data_type() {
            DataType::Int8 => four::<Int8Type>(column, |value| i32::from(value).cast_unsigned()),
            DataType::Int16 => four::<Int16Type>(column, |value| i32::from(value).cast_unsigned()),
            DataType::Int32 => four::<Int32Type>(column, i32::cast_unsigned),
            DataType::Date32 => four::<Date32Type>(column, i32::cast_unsigned),
            DataType::Float32 => four::<Float32Type>(column, f32::to_bits),
            DataType::Int64 => eight::<Int64Type>(column, i64::cast_unsigned),
            DataType::Timestamp(TimeUnit::Microsecond, None) => {
                eight::<TimestampMicrosecondType>(column, i64::cast_unsigned)
            }
            DataType::Float64 => eight::<Float64Type>(column, f64::to_bits),
            DataType::Utf8 => {
                let texts = column.as_string::<i32>();
                fits(texts.value_offsets()).then(|| Self::Bytes(texts.value_offsets(), texts.value_data()))?
            }
            DataType::Binary => {
                let values = column.as_binary::<i32>();
                fits(values.value_offsets()).then(|| Self::Bytes(values.value_offsets(), values.value_data()))?
            }
            _ => return None,
        })
    }

    /// The value of a row as bytes; empty for numbers.
    #[inline]
    fn bytes(&self, row: usize) -> &'c [u8] {
        let Self::Bytes(offsets, bytes) = self else { return &[] };
        let at = |row: usize| offsets.get(row).and_then(|at| usize::try_from(*at).ok());
        at(row).zip(at(row + 1)).and_then(|(start, end)| bytes.get(start..end)).unwrap_or_default()
    }

    /// Values behind their levels; `None` if they do not fit a page.
    fn encode(&self, column: &ArrayRef, repeats: bool, mut data: Vec<u8>) -> Option<Encoded> {
        let nulls = column.nulls().filter(|nulls| nulls.null_count() > 0);
        let rows = || (0..column.len()).filter(|row| nulls.is_none_or(|nulls| nulls.is_valid(*row)));
        if !repeats {
            match self {
                Self::Four(values) if nulls.is_none() => write_all(values, u32::to_le_bytes, &mut data),
                Self::Eight(values) if nulls.is_none() => write_all(values, u64::to_le_bytes, &mut data),
                _ => {
                    data.reserve(self.plain_bytes(column.len()));
                    self.write_plain(rows(), &mut data);
                }
            }
            return Some(Encoded { data, dictionary: None, distinct: None });
        }
        const ODD: u64 = 0x9e37_79b9_7f4a_7c15;
        let distinct = match self {
            Self::Four(values) => Distinct::new(
                rows(),
                MAX_PAGE_BYTES / 4,
                |row| u64::from(values.get(row).copied().unwrap_or_default()).wrapping_mul(ODD),
                |one, other| values.get(one) == values.get(other),
            ),
            Self::Eight(values) => Distinct::new(
                rows(),
                MAX_PAGE_BYTES / 8,
                |row| values.get(row).copied().unwrap_or_default().wrapping_mul(ODD),
                |one, other| values.get(one) == values.get(other),
            ),
            Self::Bytes(..) => Distinct::new(
                rows(),
                MAX_PAGE_BYTES / 4,
                |row| hash(self.bytes(row)),
                |one, other| self.bytes(one) == self.bytes(other),
            ),
        }?;
        let mut dictionary = Vec::new();
        self.write_plain(distinct.firsts.iter().copied(), &mut dictionary);
        let last = small(distinct.firsts.len().saturating_sub(1));
        let bits = (u32::BITS - last.leading_zeros()).max(1);
        data.push(bits.to_le_bytes()[0]);
        hybrid::write(&distinct.numbers, bits, &mut data);
        Some(Encoded { data, dictionary: Some(dictionary), distinct: Some(distinct.firsts) })
    }

    /// Bytes that so many rows take at most, all of them if the values are bytes.
    fn plain_bytes(&self, rows: usize) -> usize {
        match self {
            Self::Four(_) => rows * 4,
            Self::Eight(_) => rows * 8,
            Self::Bytes(_, bytes) => rows * 4 + bytes.len().min(MAX_PAGE_BYTES),
        }
    }

    /// Appends the values of these rows, one after another.
    fn write_plain(&self, rows: impl Iterator<Item = usize>, into: &mut Vec<u8>) {
        match self {
            Self::Four(values) => {
                rows.filter_map(|row| values.get(row)).for_each(|value| into.extend_from_slice(&value.to_le_bytes()));
            }
            Self::Eight(values) => {
                rows.filter_map(|row| values.get(row)).for_each(|value| into.extend_from_slice(&value.to_le_bytes()));
            }
            Self::Bytes(..) => {
                for row in rows {
                    let value = self.bytes(row);
                    into.extend_from_slice(&small(value.len()).to_le_bytes());
                    into.extend_from_slice(value);
                }
            }
        }
    }
}

/// Appends numbers by their bytes, in room that is there before: then they are copied many at once.
fn write_all<T: Copy, const BYTES: usize>(values: &[T], bytes: impl Fn(T) -> [u8; BYTES], into: &mut Vec<u8>) {
    let start = into.len();
    into.resize(start + values.len() * BYTES, 0);
    let (places, _) = into.get_mut(start..).unwrap_or_default().as_chunks_mut();
    places.iter_mut().zip(values).for_each(|(place, value)| *place = bytes(*value));
}

/// Lengths of what fits a page.
fn small(number: usize) -> u32 {
    u32::try_from(number).unwrap_or(u32::MAX)
}
