//! A batch through the stages.

use arrow_array::RecordBatch;

use super::ranges::Ranges;
use super::rejection::{Rejection, Rejections, RowSource};
use super::rows::Rows;
use super::sink::{self, Origin};
use super::{Plan, division};
use crate::batch::{Batch, Record};
use crate::convert::Scratch;
use crate::facts::Facts;
use crate::format::avro::Kept;
use crate::format::json::select::{BYTES_A_BYTE, BYTES_BORNE};
use crate::format::{ReaderScratch, Row};
use crate::loaded::{Loaded, RejectedRows, TablePartition};

/// Bytes of text after which rows continue in other columns: Arrow's end at twice as many, and no value is longer than
/// the difference. Tests see the same happen with less memory.
const MAX_TEXT_BYTES: usize = if cfg!(test) { 1 << 20 } else { 1 << 30 };

/// Bytes of key, topic and headers that the rows of one record may repeat in all: a record of very many rows must not
/// become many times as large as it is.
const MAX_REPEATED_BYTES: usize = 64 << 20;

pub(super) fn load(plan: &Plan, batch: &Batch<'_>, facts: &Facts) -> Loaded {
    let mut ranges = Ranges::default();
    let kept = Kept::default();
    let mut loading = Loading {
        plan,
        facts,
        max_rows: max_rows(plan),
        selects: !plan.reader.selections().is_empty(),
        rows: Rows::new(plan, batch.records.len()),
        scratch: Scratch::new(plan.reader.selections()),
        rejected: Rejections::new(&batch.records),
        tables: Vec::new(),
    };
    let mut scratch = ReaderScratch::new(facts, &kept);
    for (number, record) in batch.records.iter().enumerate() {
        ranges.meet(record);
        let Some(value) = record.value.filter(|value| !value.is_empty()) else {
            continue;
        };
        let mut rows = 0;
        let metadata_bytes = plan.metadata.iter().map(|field| field.text_bytes(&batch.topic, record)).sum();
        let mut of = RecordOf { number, topic: &batch.topic, record, value, metadata_bytes, repeated_bytes: 0 };
        let read = plan.reader.read(value, &mut scratch, |row| {
            rows += 1;
            loading.push(&mut of, row);
        });
        if let Err(reason) = read {
            rows += 1;
            let source = RowSource { record: number, index: None, raw: value };
            loading.rejected.push(Rejection { source, column: None, reason });
        }
        ranges.count_rows(rows);
    }
    let (tables, rejected) = loading.finish();
    let (ranges, statistics) = ranges.finish(&rejected);
    Loaded { tables, rejected, statistics, ranges }
}

/// The record that rows are being read from.
struct RecordOf<'a> {
    /// Its place in the batch.
    number: usize,
    topic: &'a str,
    record: &'a Record<'a>,
    value: &'a [u8],
    /// Bytes of text that its metadata adds to a row.
    metadata_bytes: usize,
    /// Bytes of text that its metadata has added so far.
    repeated_bytes: usize,
}

struct Loading<'p, 'a> {
    plan: &'p Plan,
    facts: &'p Facts,
    max_rows: usize,
    /// Whether paths select lists, which can be longer than the row.
    selects: bool,
    rows: Rows<'a>,
    scratch: Scratch,
    rejected: Rejections<'a>,
    tables: Vec<(TablePartition, RecordBatch)>,
}

impl<'a> Loading<'_, 'a> {
    #[inline]
    fn push(&mut self, of: &mut RecordOf<'a>, row: Row<'_, 'a>) {
        if self.rows.count >= self.max_rows || self.rows.text_bytes >= MAX_TEXT_BYTES {
            self.flush();
        }
        let raw = if row.only { of.value } else { row.raw };
        let source = RowSource { record: of.number, index: Some(row.index), raw };
        let values = row.values.and_then(|values| {
            of.repeated_bytes = of.repeated_bytes.saturating_add(of.metadata_bytes);
            if row.only || of.repeated_bytes <= MAX_REPEATED_BYTES { Ok(values) } else { Err(too_many_rows()) }
        });
        match values {
            Ok(values) => {
                self.rows.text_bytes += self.text_bytes(row.raw.len()) + of.metadata_bytes;
                let of = (of.topic, of.record);
                self.rows.push(self.plan, values, of, source, &mut self.scratch, &mut self.rejected);
                self.rows.text_bytes = self.rows.text_bytes.saturating_add(self.scratch.take_made_bytes());
            }
            Err(reason) => self.rejected.push(Rejection { source, column: None, reason }),
        }
    }

    /// Bytes of text that a row of so many bytes can become in one column.
    #[inline]
    fn text_bytes(&self, row_bytes: usize) -> usize {
        match self.selects {
            true => BYTES_BORNE.saturating_add(row_bytes.saturating_mul(BYTES_A_BYTE)),
            false => row_bytes,
        }
    }

    fn flush(&mut self) {
        let mut rows = std::mem::replace(&mut self.rows, Rows::new(self.plan, 0));
        sink::check(&mut rows, &mut self.rejected);
        let sources = rows.alive_sources();
        let Some(assembled) = sink::assemble(self.plan, rows, self.facts.now_ms) else {
            return;
        };
        let Some(division) = &self.plan.division else {
            self.tables.push((TablePartition::Whole, assembled));
            return;
        };
        let divided = division.divide(assembled);
        self.tables.extend(divided.tables);
        for row in divided.refused {
            let Some(source) = sources.get(row) else {
                continue;
            };
            let reason = division::NO_TABLE_PARTITION.to_owned();
            self.rejected.push(Rejection { source: *source, column: None, reason });
        }
    }

    fn finish(mut self) -> (Vec<(TablePartition, RecordBatch)>, RejectedRows) {
        self.flush();
        (self.tables, self.rejected.finish())
    }
}

#[cold]
fn too_many_rows() -> String {
    let limit = MAX_REPEATED_BYTES >> 20;
    format!("the record has too many rows for its key and headers, which all of them repeat: more than {limit} MiB")
}

/// Rows that the defaults' text allows.
fn max_rows(plan: &Plan) -> usize {
    let longest = plan.origins.iter().map(|origin| match origin {
        Origin::Constant { bytes, .. } => *bytes,
        _ => 0,
    });
    MAX_TEXT_BYTES / longest.max().unwrap_or_default().max(1)
}
