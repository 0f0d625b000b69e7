//! An average batch: what it uses, what it costs, and what another window, size or memory would make of it.

use penstock_kernel::usage::Usage;

use super::price;

/// Bytes of an event that Lambda hands over at most.
const EVENT_BYTES: f64 = 6e6;
/// Records of an event at most: the largest batch size that a mapping takes.
const EVENT_RECORDS: f64 = 10_000.0;
/// Bytes of a record in an event beside its value: names, numbers, headers.
const RECORD_FRAME_BYTES: f64 = 150.0;
/// Bytes of base64 for a byte.
const BASE64: f64 = 4.0 / 3.0;
/// Milliseconds behind what is counted: the transaction's reply, and the function's own.
const REPLY_MS: f64 = 15.0;
/// Milliseconds of a batch that no smaller batch saves: reading the catalog, putting an object.
const FIXED_MS: f64 = 60.0;
/// Megabytes with which a function has one core. More do not make one batch faster.
const CORE_MB: f64 = 1769.0;
/// Bytes of catalog that a batch reads beside a source partition's progress, and those of the latter.
const JOB_BYTES: f64 = 1_500.0;
const PROGRESS_BYTES: f64 = 800.0;
/// Bytes of a read unit.
const READ_UNIT_BYTES: f64 = 4_096.0;

/// Averages of one invocation.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Batch {
    /// Bytes of its records' values.
    pub(super) bytes: f64,
    /// Bytes of one of them.
    pub(super) record_bytes: f64,
    /// Billed time.
    pub(super) milliseconds: f64,
    /// Memory of the function.
    pub(super) megabytes: f64,
    /// Objects put.
    pub(super) puts: f64,
    /// Write units of DynamoDB.
    pub(super) write_units: f64,
    /// Read units of DynamoDB, modelled: one query.
    pub(super) read_units: f64,
    /// Price of a GB-second.
    pub(super) gb_second: f64,
}

/// Dollars.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Dollars {
    /// Requests of Lambda.
    pub(super) requests: f64,
    /// Time of Lambda.
    pub(super) duration: f64,
    /// PUT requests of S3.
    pub(super) puts: f64,
    /// Write units of DynamoDB.
    pub(super) writes: f64,
    /// Read units of DynamoDB.
    pub(super) reads: f64,
}

impl Dollars {
    /// All together.
    pub(super) fn sum(&self) -> f64 {
        self.requests + self.duration + self.puts + self.writes + self.reads
    }
}

impl Batch {
    /// The average of what was counted; `None` if nothing was.
    pub(super) fn of(usage: &Usage, source_partitions: usize) -> Option<Self> {
        if usage.invocations == 0 || usage.records == 0 {
            return None;
        }
        let each = |sum: u64| float(sum) / float(usage.invocations);
        let counted_ms = each(usage.milliseconds);
        Some(Self {
            bytes: each(usage.received_bytes).max(1.0),
            record_bytes: (float(usage.received_bytes) / float(usage.records)).max(1.0),
            milliseconds: counted_ms + REPLY_MS,
            // Of an instant nobody knows; the template's then.
            megabytes: if usage.milliseconds == 0 { CORE_MB } else { each(usage.megabyte_ms) / counted_ms },
            puts: each(usage.puts),
            write_units: each(usage.write_units),
            read_units: ((JOB_BYTES + PROGRESS_BYTES * source_partitions as f64) / READ_UNIT_BYTES).ceil(),
            gb_second: price::LAMBDA_GB_SECOND_ARM64,
        })
    }

    /// A full event of 1 kB records, as one core of arm64 loads it: 40 MB/s and a file of a few columns.
    pub(super) fn model() -> Self {
        let empty = Self {
            bytes: 1.0,
            record_bytes: 1_000.0,
            milliseconds: 0.0,
            megabytes: CORE_MB,
            puts: 1.0,
            write_units: 8.0,
            read_units: 1.0,
            gb_second: price::LAMBDA_GB_SECOND_ARM64,
        };
        let bytes = empty.full_bytes();
        Self { bytes, milliseconds: bytes / 40e3 + FIXED_MS + REPLY_MS, ..empty }
    }

    /// Bytes of values that an event of such records holds at most.
    pub(super) fn full_bytes(&self) -> f64 {
        let records = EVENT_BYTES / (BASE64 * self.record_bytes + RECORD_FRAME_BYTES);
        records.clamp(1.0, EVENT_RECORDS) * self.record_bytes
    }

    /// What one costs.
    pub(super) fn dollars(&self) -> Dollars {
        Dollars {
            requests: price::LAMBDA_REQUEST,
            duration: self.gb_seconds() * self.gb_second,
            puts: self.puts * price::S3_PUT,
            writes: self.write_units * price::DYNAMODB_WRITE_UNIT,
            reads: self.read_units * price::DYNAMODB_READ_UNIT,
        }
    }

    /// Gigabyte-seconds of one.
    pub(super) fn gb_seconds(&self) -> f64 {
        self.milliseconds / 1e3 * self.megabytes / 1024.0
    }

    /// What a terabyte (10^12 bytes of values) costs in such batches.
    pub(super) fn dollars_per_terabyte(&self) -> f64 {
        self.dollars().sum() / self.bytes * 1e12
    }

    /// The same records in batches `times` as large, as far as an event holds them.
    #[must_use]
    pub(super) fn times(&self, times: f64) -> Self {
        let bytes = (self.bytes * times).min(self.full_bytes().max(self.bytes));
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
        Self { gb_second: price::LAMBDA_GB_SECOND_X86_64, ..*self }
    }
}

/// Counts of bytes and requests are far below 2^53.
pub(super) fn float(count: u64) -> f64 {
    count as f64
}
