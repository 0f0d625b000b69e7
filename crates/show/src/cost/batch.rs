//! An average batch: what it uses, what it costs, and what another window, size or memory would make of it.

use penstock_kernel::usage::Usage;

use super::price::{self, Price};

/// Megabytes of `load` unless the deployment says otherwise: the template's default.
pub(super) const TEMPLATE_MB: f64 = 2048.0;
/// Bytes of an event that Lambda hands over at most.
const EVENT_BYTES: f64 = 6e6;
/// Records of an event at most: the batch size of every job's mapping.
const EVENT_RECORDS: f64 = 10_000.0;
/// Bytes of a record in an event beside its value, where none was counted: names, numbers, no header and no key.
const RECORD_FRAME_BYTES: f64 = 150.0;
/// Bytes of base64 for a byte.
const BASE64: f64 = 4.0 / 3.0;
/// Milliseconds behind what is counted: the transaction's reply, and the function's own.
const REPLY_MS: f64 = 15.0;
/// Milliseconds of a batch that no smaller batch saves: reading the catalog, putting an object.
const FIXED_MS: f64 = 60.0;
/// Megabytes with which a function has one core. More do not make one batch faster.
const CORE_MB: f64 = 1769.0;
/// Bytes of values that one core of arm64 loads in a millisecond: less than half of what any machine measured did.
const MODEL_BYTES_A_MS: f64 = 40e3;
/// Bytes of catalog that a batch reads beside a source partition's progress, and those of the latter.
const JOB_BYTES: f64 = 1_500.0;
const PROGRESS_BYTES: f64 = 800.0;
/// Bytes of a read unit.
const READ_UNIT_BYTES: f64 = 4_096.0;
/// Bytes that an invocation logs: one line of `load`, two of the platform.
const LOG_BYTES: f64 = 1_000.0;

/// Averages of one invocation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Batch {
    /// Bytes of its records' values.
    pub(super) bytes: f64,
    /// Bytes of one of them.
    pub(super) record_bytes: f64,
    /// Bytes of a record in an event beside its value.
    pub(super) frame_bytes: f64,
    /// Billed time.
    pub(super) milliseconds: f64,
    /// Memory of the function.
    pub(super) megabytes: f64,
    /// Whether that is the template's, since no function said.
    pub(super) memory_assumed: bool,
    /// Objects put.
    pub(super) puts: f64,
    /// Write units of DynamoDB.
    pub(super) write_units: f64,
    /// Read units of DynamoDB, modelled: one query.
    pub(super) read_units: f64,
    /// Of a GB-second.
    pub(super) gb_second: Price,
}

/// What a batch uses of one item.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Part {
    /// What one costs.
    pub(super) price: Price,
    /// How many.
    pub(super) units: f64,
}

impl Part {
    /// What they cost.
    pub(super) fn dollars(&self) -> f64 {
        self.units * self.price.dollars
    }
}

impl Batch {
    /// The average of what was counted; `None` if nothing was.
    pub(super) fn of(usage: &Usage, source_partitions: usize) -> Option<Self> {
        if usage.invocations == 0 || usage.records == 0 {
            return None;
        }
        let each = |sum: u64| float(sum) / float(usage.invocations);
        let record_bytes = (float(usage.received_bytes) / float(usage.records)).max(1.0);
        let event_bytes = float(usage.event_bytes) / float(usage.records);
        let memory_assumed = usage.megabyte_ms == 0 || usage.milliseconds == 0;
        Some(Self {
            bytes: each(usage.received_bytes).max(1.0),
            record_bytes,
            frame_bytes: if usage.event_bytes == 0 {
                RECORD_FRAME_BYTES
            } else {
                (event_bytes - BASE64 * record_bytes).max(0.0)
            },
            milliseconds: each(usage.milliseconds) + REPLY_MS,
            megabytes: if memory_assumed { TEMPLATE_MB } else { float(usage.megabyte_ms) / float(usage.milliseconds) },
            memory_assumed,
            puts: each(usage.puts),
            write_units: each(usage.write_units),
            read_units: ((JOB_BYTES + PROGRESS_BYTES * source_partitions as f64) / READ_UNIT_BYTES).ceil(),
            gb_second: price::LAMBDA_ARM64,
        })
    }

    /// A full event of 1 kB records, as one core of arm64 loads it into one file of a table of a few columns.
    pub(super) fn model() -> Self {
        let empty = Self {
            bytes: 1.0,
            record_bytes: 1_000.0,
            frame_bytes: RECORD_FRAME_BYTES,
            milliseconds: 0.0,
            megabytes: TEMPLATE_MB,
            memory_assumed: true,
            puts: 1.0,
            write_units: 8.0,
            read_units: 1.0,
            gb_second: price::LAMBDA_ARM64,
        };
        let bytes = empty.full_bytes();
        Self { bytes, milliseconds: bytes / MODEL_BYTES_A_MS + FIXED_MS + REPLY_MS, ..empty }
    }

    /// Bytes of values that an event of such records holds at most.
    pub(super) fn full_bytes(&self) -> f64 {
        let records = EVENT_BYTES / (BASE64 * self.record_bytes + self.frame_bytes);
        records.clamp(1.0, EVENT_RECORDS) * self.record_bytes
    }

    /// What it uses, in the order of the answer's rows.
    pub(super) fn parts(&self) -> [Part; 6] {
        let part = |price, units| Part { price, units };
        [
            part(price::LAMBDA_REQUEST, 1.0),
            part(self.gb_second, self.milliseconds / 1e3 * self.megabytes / 1024.0),
            part(price::S3_PUT, self.puts),
            part(price::DYNAMODB_WRITE, self.write_units),
            part(price::DYNAMODB_READ, self.read_units),
            part(price::LOGS, LOG_BYTES / 1e9),
        ]
    }

    /// What it costs.
    pub(super) fn dollars(&self) -> f64 {
        self.parts().iter().map(Part::dollars).sum()
    }

    /// What a terabyte (10^12 bytes of values) costs in such batches.
    pub(super) fn dollars_per_terabyte(&self) -> f64 {
        self.dollars() / self.bytes * 1e12
    }

    /// The same records in batches `times` as large, as far as an event holds them, and of one record at least.
    #[must_use]
    pub(super) fn times(&self, times: f64) -> Self {
        let least = self.record_bytes.min(self.bytes);
        let bytes = (self.bytes * times).min(self.full_bytes().max(self.bytes)).max(least);
        let fixed = FIXED_MS.min(self.milliseconds);
        Self { bytes, milliseconds: fixed + (self.milliseconds - fixed) * bytes / self.bytes, ..*self }
    }

    /// The same batches in a function of other memory: below one core, work takes longer in proportion.
    #[must_use]
    pub(super) fn with_memory(&self, megabytes: f64) -> Self {
        let fixed = FIXED_MS.min(self.milliseconds);
        let slower = self.megabytes.min(CORE_MB) / megabytes.min(CORE_MB);
        Self { megabytes, milliseconds: fixed + (self.milliseconds - fixed) * slower, ..*self }
    }

    /// The same on x86_64, if it takes as long.
    #[must_use]
    pub(super) fn on_x86_64(&self) -> Self {
        Self { gb_second: price::LAMBDA_X86_64, ..*self }
    }
}

/// Counts of bytes and requests are far below 2^53.
pub(super) fn float(count: u64) -> f64 {
    count as f64
}
