//! Columns that grow: what Arrow's builders are, but may be cut short again, so that a row can be taken back which turned
//! out to be none after some of its columns were written.

use arrow_array::types::ArrowPrimitiveType;
use arrow_array::{BinaryArray, BooleanArray, PrimitiveArray, StringArray};
use arrow_buffer::{BooleanBufferBuilder, Buffer, NullBuffer, NullBufferBuilder, OffsetBuffer, ScalarBuffer};
use arrow_schema::DataType;

/// Numbers of one size.
#[derive(Debug)]
pub(crate) struct Numbers<T: ArrowPrimitiveType> {
    values: Vec<T::Native>,
    present: NullBufferBuilder,
    data_type: DataType,
}

impl<T: ArrowPrimitiveType> Numbers<T> {
    /// None, and room for so many. `data_type` is one of `T`'s.
    pub(crate) fn new(rows: usize, data_type: DataType) -> Self {
        Self { values: Vec::with_capacity(rows), present: NullBufferBuilder::new(rows), data_type }
    }

    #[inline]
    pub(crate) fn append_value(&mut self, value: T::Native) {
        self.values.push(value);
        self.present.append_non_null();
    }

    #[inline]
    pub(crate) fn append_null(&mut self) {
        self.values.push(T::Native::default());
        self.present.append_null();
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// Takes back all but the first so many.
    pub(crate) fn truncate(&mut self, rows: usize) {
        self.values.truncate(rows);
        self.present.truncate(rows);
    }

    pub(crate) fn finish(self) -> PrimitiveArray<T> {
        PrimitiveArray::<T>::new(self.values.into(), self.present.build()).with_data_type(self.data_type)
    }
}

/// Truth values.
#[derive(Debug)]
pub(crate) struct Flags {
    values: BooleanBufferBuilder,
    present: NullBufferBuilder,
}

impl Flags {
    /// None, and room for so many.
    pub(crate) fn new(rows: usize) -> Self {
        Self { values: BooleanBufferBuilder::new(rows), present: NullBufferBuilder::new(rows) }
    }

    #[inline]
    pub(crate) fn append_value(&mut self, value: bool) {
        self.values.append(value);
        self.present.append_non_null();
    }

    #[inline]
    pub(crate) fn append_null(&mut self) {
        self.values.append(false);
        self.present.append_null();
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.values.len()
    }

    /// Takes back all but the first so many.
    pub(crate) fn truncate(&mut self, rows: usize) {
        self.values.truncate(rows);
        self.present.truncate(rows);
    }

    pub(crate) fn finish(mut self) -> BooleanArray {
        BooleanArray::new(self.values.finish(), self.present.build())
    }
}

/// Texts, or bytes that are none, one after another.
#[derive(Debug)]
pub(crate) struct Texts {
    bytes: Vec<u8>,
    /// Where each begins, and where the last one ends.
    ends: Vec<i32>,
    present: NullBufferBuilder,
}

impl Texts {
    /// None, and room for so many; their bytes take room as they come, since how many they are is not known here.
    pub(crate) fn new(rows: usize) -> Self {
        let mut ends = Vec::with_capacity(rows.saturating_add(1));
        ends.push(0);
        Self { bytes: Vec::new(), ends, present: NullBufferBuilder::new(rows) }
    }

    /// Of a column that becomes text, each value is text.
    #[inline]
    pub(crate) fn append_value(&mut self, value: impl AsRef<[u8]>) {
        self.bytes.extend_from_slice(value.as_ref());
        self.close();
        self.present.append_non_null();
    }

    #[inline]
    pub(crate) fn append_null(&mut self) {
        self.close();
        self.present.append_null();
    }

    #[inline]
    fn close(&mut self) {
        // Rows continue in other columns long before.
        self.ends.push(i32::try_from(self.bytes.len()).unwrap_or(i32::MAX));
    }

    #[inline]
    pub(crate) fn len(&self) -> usize {
        self.ends.len() - 1
    }

    /// Takes back all but the first so many.
    pub(crate) fn truncate(&mut self, rows: usize) {
        self.ends.truncate(rows.saturating_add(1));
        let end = self.ends.last().and_then(|end| usize::try_from(*end).ok());
        self.bytes.truncate(end.unwrap_or_default());
        self.present.truncate(rows);
    }

    pub(crate) fn finish_text(self) -> StringArray {
        let (ends, bytes, present) = self.parts();
        match StringArray::try_new(ends, bytes, present) {
            Ok(texts) => texts,
            Err(error) => unreachable!("each value was text: {error}"),
        }
    }

    pub(crate) fn finish_bytes(self) -> BinaryArray {
        let (ends, bytes, present) = self.parts();
        BinaryArray::new(ends, bytes, present)
    }

    fn parts(self) -> (OffsetBuffer<i32>, Buffer, Option<NullBuffer>) {
        (OffsetBuffer::new(ScalarBuffer::from(self.ends)), Buffer::from_vec(self.bytes), self.present.build())
    }
}
