//! A batch through the stages.

use arrow_array::{Array, ArrayRef, RecordBatch};
use arrow_select::concat::concat_batches;

use super::ranges::Ranges;
use super::rejection::{Rejection, Rejections, RowSource};
use super::rows::Rows;
use super::sink::{self, Origin};
use super::{Plan, division};
use crate::batch::{Batch, Record};
use crate::convert::{ColumnBuilder, Scratch};
use crate::expression::Moment;
use crate::facts::Facts;
use crate::format::avro::Kept;
use crate::format::json::select::{BYTES_A_BYTE, BYTES_BORNE};
use crate::format::{Reader, ReaderScratch, Row};
use crate::loaded::{Loaded, RejectedRows, TablePartition};

/// Bytes of text after which rows continue in other columns: Arrow's end at twice as many, and no value is longer than
/// the difference. Tests see the same happen with less memory.
const MAX_TEXT_BYTES: usize = if cfg!(test) { 1 << 20 } else { 1 << 30 };

/// Bytes of key, topic and headers that the rows of one record may repeat in all: a record of very many rows must not
/// become many times as large as it is.
const MAX_REPEATED_BYTES: usize = 64 << 20;

/// Records in a row that go directly and make good for all that did not before.
const PATIENCE: i32 = 64;

/// Records that go directly and make good for one that did not; so many are not tried when patience is at its end.
const MISS_COSTS: i32 = 4;

/// `parts` is empty, or as [`Plan::replay`] has it.
pub(super) fn load(plan: &Plan, batch: &Batch<'_>, parts: &[Option<u32>], facts: &Facts) -> Loaded {
    let mut ranges = Ranges::default();
    let kept = Kept::default();
    let mut loading = Loading {
        plan,
        facts,
        max_rows: max_rows(plan),
        selects: !plan.reader.selections().is_empty(),
        patience: PATIENCE,
        rows: Rows::new(plan, batch.records.len()),
        scratch: Scratch::new(plan.reader.selections()),
        first_row: 0,
        rejected: Rejections::new(&batch.records, parts),
        unselected: Vec::new(),
        pieces: Vec::new(),
        piece_sources: Vec::new(),
        piece_bytes: 0,
        tables: Vec::new(),
    };
    let mut scratch = ReaderScratch::new(facts, &kept);
    let part_reader = if parts.is_empty() { None } else { Some(plan.reader.of_parts()) };
    for (number, record) in batch.records.iter().enumerate() {
        ranges.meet(record);
        let is_part = parts.get(number).is_some_and(Option::is_some);
        let Some(value) = record.value.filter(|value| is_part || !value.is_empty()) else {
            continue;
        };
        let mut rows = 0;
        let metadata_bytes = plan.metadata.iter().map(|field| field.text_bytes(&batch.topic, record)).sum();
        let mut of = RecordOf { number, topic: &batch.topic, record, value, metadata_bytes, repeated_bytes: 0 };
        if let (Some(reader), Some(index)) = (&part_reader, parts.get(number).copied().flatten()) {
            loading.push_part(reader, &mut of, index, &mut scratch);
            ranges.count_rows(1);
            continue;
        }
        if loading.push_directly(&of, &scratch) {
            ranges.count_rows(1);
            continue;
        }
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
    let (tables, rejected, unselected) = loading.finish();
    for record in unselected.into_iter().filter_map(|record| batch.records.get(record)) {
        ranges.count_unselected(record.source_partition);
    }
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
    /// Records that may still fail to go directly before some of them are not tried.
    patience: i32,
    rows: Rows<'a>,
    scratch: Scratch,
    /// Rows that were flushed.
    first_row: u64,
    rejected: Rejections<'a>,
    /// One entry a row: the place of its record.
    unselected: Vec<usize>,
    /// Rows that are to become one table, where they come from, and bytes of their columns.
    pieces: Vec<RecordBatch>,
    piece_sources: Vec<RowSource<'a>>,
    piece_bytes: usize,
    tables: Vec<(TablePartition, RecordBatch)>,
}

impl<'a> Loading<'_, 'a> {
    /// Pushes the row of a record that needs no judgement; whether it is one.
    #[inline]
    fn push_directly(&mut self, of: &RecordOf<'a>, scratch: &ReaderScratch<'a>) -> bool {
        let plan = self.plan;
        let Some(direct) = &plan.direct else {
            return false;
        };
        if self.patience < 0 {
            self.patience += 1;
            return false;
        }
        self.flush_if_full();
        let rows = self.rows.count;
        let columns = (self.rows.columns.as_mut_slice(), rows);
        let record = (of.topic, of.record, of.value);
        if direct.append((&plan.reader, &plan.feeds), record, columns, scratch, &mut self.scratch).is_none() {
            self.patience -= MISS_COSTS;
            self.rows.columns.iter_mut().for_each(|column| column.truncate(rows));
            self.scratch.take_made_bytes();
            return false;
        }
        self.patience = PATIENCE.min(self.patience + 1);
        self.rows.count += 1;
        if plan.division.is_some() || plan.has_expressions() {
            self.rows.sources.push(RowSource { record: of.number, index: Some(0), raw: of.value });
        }
        let bytes = self.text_bytes(of.value.len()) + of.metadata_bytes + self.scratch.take_made_bytes();
        self.rows.text_bytes = self.rows.text_bytes.saturating_add(bytes);
        true
    }

    #[inline]
    fn flush_if_full(&mut self) {
        if self.rows.count >= self.max_rows || self.rows.text_bytes >= MAX_TEXT_BYTES {
            self.flush();
        }
    }

    #[inline]
    fn push(&mut self, of: &mut RecordOf<'a>, row: Row<'_, 'a>) {
        self.flush_if_full();
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

    /// Pushes what was kept of the row at `index` of a record, which is one row or rejected again.
    fn push_part(&mut self, reader: &Reader, of: &mut RecordOf<'a>, index: u32, scratch: &mut ReaderScratch<'a>) {
        let (number, value) = (of.number, of.value);
        let mut alone = false;
        let read = match value {
            [] => Ok(()),
            value => reader.read(value, scratch, |row| {
                alone = row.only;
                if alone {
                    self.push(of, Row { index, ..row });
                }
            }),
        };
        let reason = match read {
            Ok(()) if alone => return,
            Ok(()) => "what was kept of the row is not one row any more".to_owned(),
            Err(reason) => reason,
        };
        let source = RowSource { record: number, index: Some(index), raw: value };
        self.rejected.push(Rejection { source, column: None, reason });
    }

    fn flush(&mut self) {
        let (plan, now_ms) = (self.plan, self.facts.now_ms);
        let mut rows = std::mem::replace(&mut self.rows, Rows::new(plan, 0));
        let moment = Moment { now_ms, seed: self.facts.seed, first_row: self.first_row };
        self.first_row = self.first_row.saturating_add(rows.count as u64);
        let fed: Vec<ArrayRef> = std::mem::take(&mut rows.columns).into_iter().map(ColumnBuilder::finish).collect();
        let computed: Vec<ArrayRef> =
            plan.computed.iter().map(|column| column.evaluate(&fed, rows.count, &moment)).collect();
        if let Some(filter) = &plan.filter {
            let unselected = filter.unselected(&plan.origins, (&fed, &computed), rows.count, &moment);
            self.leave_out(&mut rows, &unselected);
        }
        sink::check(plan, &mut rows, &computed, &mut self.rejected);
        if let Some(piece) = sink::assemble(plan, &rows, &fed, &computed, now_ms) {
            self.append(piece, rows.alive_sources());
        }
    }

    /// Takes rows out that WHERE does not select; those that are dead were not asked.
    fn leave_out(&mut self, rows: &mut Rows<'a>, unselected: &[bool]) {
        let mut dead = std::mem::take(&mut rows.dead).into_iter().peekable();
        for (row, (source, unselected)) in rows.sources.iter().zip(unselected).enumerate() {
            if dead.next_if_eq(&row).is_some() {
                rows.dead.push(row);
            } else if *unselected {
                rows.dead.push(row);
                self.unselected.push(source.record);
            }
        }
    }

    fn append(&mut self, piece: RecordBatch, sources: Vec<RowSource<'a>>) {
        let bytes = piece.columns().iter().map(|column| column.get_array_memory_size()).sum::<usize>();
        if self.piece_bytes.saturating_add(bytes) > MAX_TEXT_BYTES {
            self.join();
        }
        self.piece_bytes += bytes;
        self.pieces.push(piece);
        self.piece_sources.extend(sources);
        if !self.plan.has_expressions() {
            // Then a piece is as large as a table may be.
            self.join();
        }
    }

    /// Makes one table of the pieces so far.
    fn join(&mut self) {
        self.piece_bytes = 0;
        let (pieces, sources) = (std::mem::take(&mut self.pieces), std::mem::take(&mut self.piece_sources));
        let joined = match pieces.as_slice() {
            [] => return,
            [one] => one.clone(),
            several => match concat_batches(&self.plan.schema, several) {
                Ok(joined) => joined,
                Err(error) => unreachable!("pieces have one schema, and fit one column together: {error}"),
            },
        };
        let Some(division) = &self.plan.division else {
            self.tables.push((TablePartition::Whole, joined));
            return;
        };
        let divided = division.divide(joined);
        self.tables.extend(divided.tables);
        for source in divided.refused.into_iter().filter_map(|row| sources.get(row)) {
            let reason = division::NO_TABLE_PARTITION.to_owned();
            self.rejected.push(Rejection { source: *source, column: None, reason });
        }
    }

    fn finish(mut self) -> (Vec<(TablePartition, RecordBatch)>, RejectedRows, Vec<usize>) {
        self.flush();
        self.join();
        (self.tables, self.rejected.finish(), self.unselected)
    }
}

#[cold]
fn too_many_rows() -> String {
    let limit = MAX_REPEATED_BYTES >> 20;
    format!("the record has too many rows for its key and headers, which all of them repeat: more than {limit} MiB")
}

/// Rows of which expressions are evaluated at once: few enough that no column of results outgrows Arrow's offsets, enough
/// that a call costs nothing beside its rows.
const EVALUATED_ROWS: usize = 1024;

/// Rows that go through the stages together.
fn max_rows(plan: &Plan) -> usize {
    if plan.has_expressions() { EVALUATED_ROWS.min(default_rows(plan)) } else { default_rows(plan) }
}

/// Rows that the defaults' text allows.
fn default_rows(plan: &Plan) -> usize {
    let longest = plan.origins.iter().map(|origin| match origin {
        Origin::Constant { bytes, .. } => *bytes,
        _ => 0,
    });
    MAX_TEXT_BYTES / longest.max().unwrap_or_default().max(1)
}
