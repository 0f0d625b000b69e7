//! EXPLAIN COST FOR ROUTINE LOAD: what a job costs a day and a terabyte, what dominates, and what would change it.
//!
//! From what its batches used (counted by `load`, committed with their progress) and the prices of [`price`]. Pure. It is
//! no bill: redeliveries and failures are in no counter, and what readers, statements and maintenance cost is not the job's.

use penstock_kernel::moment;
use penstock_kernel::usage::Usage;

mod batch;
pub mod price;

use batch::{Batch, Dollars, float};

/// `PerDay` is at the pace between the first batch that was counted and the last; `DollarsPerTB` is for 10^12 bytes of record values.
pub const TITLES: [&str; 8] = ["Item", "PerDay", "Unit", "UnitPrice", "DollarsPerDay", "DollarsPerTB", "Share", "Note"];

/// What is to be known of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CostView {
    /// What its batches used, over all source partitions.
    pub usage: Usage,
    /// How many source partitions it has begun.
    pub source_partitions: usize,
    /// Bytes of the table's files, whoever loaded them.
    pub stored_bytes: u64,
    /// `max_batch_interval` in seconds.
    pub window_s: u64,
}

const DAY_MS: f64 = 86_400_000.0;
/// Lambda gathers records for no longer.
const LONGEST_WINDOW_S: u64 = 300;
/// The shortest `max_batch_interval`.
const SHORTEST_WINDOW_S: u64 = 5;

type Row = Vec<Option<String>>;

impl CostView {
    /// A cell for each of [`TITLES`], a row for each item, for the total and for each change that would tell.
    pub fn rows(&self) -> Vec<Row> {
        match Batch::of(&self.usage, self.source_partitions) {
            Some(batch) => self.counted(&batch),
            None => self.modelled(),
        }
    }

    fn counted(&self, batch: &Batch) -> Vec<Row> {
        let usage = &self.usage;
        // The first batch waited for its window too.
        let period_ms = float(usage.until_ms.abs_diff(usage.since_ms)) + float(self.window_s) * 1e3;
        let batches = float(usage.invocations) * DAY_MS / period_ms;
        let mut rows = vec![
            Line {
                item: "record values",
                per_day: batches * batch.bytes / 1e9,
                unit: "GB",
                note: format!(
                    "{} batches of {} MB on average, counted since {}",
                    usage.invocations,
                    significant(batch.bytes / 1e6),
                    moment::text(usage.since_ms)
                ),
                ..Line::default()
            }
            .row(),
        ];
        rows.extend(items(batch, batches));
        rows.push(self.storage());
        rows.push(total(batch, batches, self.storage_per_day()));
        rows.extend(self.changes(batch, batches));
        rows
    }

    /// Of a job that has loaded nothing since batches are counted.
    fn modelled(&self) -> Vec<Row> {
        let batch = Batch::model();
        let note = format!("no batch was counted yet: modelled for full events of 1 kB records; {}", prices());
        vec![
            self.storage(),
            Line {
                item: "total",
                dollars_per_day: Some(self.storage_per_day()),
                dollars_per_tb: Some(batch.dollars_per_terabyte()),
                note,
                ..Line::default()
            }
            .row(),
        ]
    }

    fn storage_per_day(&self) -> f64 {
        float(self.stored_bytes) / 1e9 * price::S3_GB_MONTH / price::DAYS_A_MONTH
    }

    fn storage(&self) -> Row {
        Line {
            item: "S3 storage",
            per_day: float(self.stored_bytes) / 1e9,
            unit: "GB",
            unit_price: Some(price::S3_GB_MONTH / price::DAYS_A_MONTH),
            dollars_per_day: Some(self.storage_per_day()),
            note: "of the table, whoever loaded it; a month's price by the day".to_owned(),
            ..Line::default()
        }
        .row()
    }

    /// What other settings would make of it.
    fn changes(&self, batch: &Batch, batches: f64) -> Vec<Row> {
        let change = |item: String, other: Batch| {
            let per_tb = other.dollars_per_terabyte();
            let share = (per_tb / batch.dollars_per_terabyte() - 1.0) * 100.0;
            vec![
                Some(format!("if {item}")),
                Some(significant(batches * batch.bytes / other.bytes)),
                Some("batch".to_owned()),
                None,
                Some(significant(per_tb * batches * batch.bytes / 1e12)),
                Some(significant(per_tb)),
                Some(format!("{share:+.1} %")),
                Some(format!("batches of {} MB, {:.0} ms", significant(other.bytes / 1e6), other.milliseconds)),
            ]
        };
        let window = |seconds: u64| {
            let times = float(seconds) / float(self.window_s.max(1));
            change(format!("max_batch_interval = {seconds}"), batch.times(times))
        };
        let mut rows = Vec::new();
        for seconds in [SHORTEST_WINDOW_S, self.window_s.saturating_mul(3).min(LONGEST_WINDOW_S), LONGEST_WINDOW_S] {
            if seconds != self.window_s && !rows.contains(&window(seconds)) {
                rows.push(window(seconds));
            }
        }
        rows.push(change("batches were half as large".to_owned(), batch.times(0.5)));
        rows.push(change("every event was full".to_owned(), batch.times(f64::INFINITY)));
        for megabytes in [batch.megabytes / 2.0, batch.megabytes * 2.0] {
            rows.push(change(format!("LoadMemory = {megabytes:.0}"), batch.with_memory(megabytes)));
        }
        rows.push(change("on x86_64".to_owned(), batch.on_x86_64()));
        rows
    }
}

fn prices() -> String {
    format!("prices of {}, arm64, {}", price::REGION, price::AS_OF)
}

/// What is used for each batch.
fn items(batch: &Batch, batches: f64) -> Vec<Row> {
    let Dollars { requests, duration, puts, writes, reads } = batch.dollars();
    let sum = batch.dollars().sum();
    let per_tb = |dollars: f64| Some(dollars / batch.bytes * 1e12);
    let line = |item, of_batch: f64, unit, unit_price, dollars: f64, note: String| {
        Line {
            item,
            per_day: batches * of_batch,
            unit,
            unit_price: Some(unit_price),
            dollars_per_day: Some(dollars * batches),
            dollars_per_tb: per_tb(dollars),
            share: Some(dollars / sum),
            note,
        }
        .row()
    };
    vec![
        line("Lambda requests", 1.0, "request", price::LAMBDA_REQUEST, requests, "one a batch".to_owned()),
        line(
            "Lambda duration",
            batch.gb_seconds(),
            "GB-second",
            batch.gb_second,
            duration,
            format!("{:.0} ms a batch with {:.0} MB", batch.milliseconds, batch.megabytes),
        ),
        line("S3 PUT requests", batch.puts, "request", price::S3_PUT, puts, "one a file".to_owned()),
        line(
            "DynamoDB writes",
            batch.write_units,
            "write unit",
            price::DYNAMODB_WRITE_UNIT,
            writes,
            format!("{} a batch, in one transaction", significant(batch.write_units)),
        ),
        line(
            "DynamoDB reads",
            batch.read_units,
            "read unit",
            price::DYNAMODB_READ_UNIT,
            reads,
            "modelled: one query a batch".to_owned(),
        ),
        Line {
            item: "event pollers",
            unit: "unit-hour",
            unit_price: Some(price::POLLER_UNIT_HOUR),
            dollars_per_day: Some(0.0),
            dollars_per_tb: Some(0.0),
            share: Some(0.0),
            note: "on demand, which is not charged; the price is that of provisioned mode".to_owned(),
            ..Line::default()
        }
        .row(),
    ]
}

fn total(batch: &Batch, batches: f64, storage_per_day: f64) -> Row {
    let dollars = batch.dollars();
    let named = [
        ("Lambda requests", dollars.requests),
        ("Lambda duration", dollars.duration),
        ("S3 PUT requests", dollars.puts),
        ("DynamoDB writes", dollars.writes),
        ("DynamoDB reads", dollars.reads),
    ];
    let most = named.into_iter().max_by(|one, other| one.1.total_cmp(&other.1));
    let (most, share) = most.map_or(("", 0.0), |(name, most)| (name, most / dollars.sum() * 100.0));
    Line {
        item: "total",
        dollars_per_day: Some(dollars.sum() * batches + storage_per_day),
        dollars_per_tb: Some(batch.dollars_per_terabyte()),
        note: format!("{most} dominate: {share:.0} % of loading; {}", prices()),
        ..Line::default()
    }
    .row()
}

/// A row before it is text.
#[derive(Default)]
struct Line {
    item: &'static str,
    per_day: f64,
    unit: &'static str,
    unit_price: Option<f64>,
    dollars_per_day: Option<f64>,
    dollars_per_tb: Option<f64>,
    share: Option<f64>,
    note: String,
}

impl Line {
    fn row(self) -> Row {
        vec![
            Some(self.item.to_owned()),
            (!self.unit.is_empty()).then(|| significant(self.per_day)),
            (!self.unit.is_empty()).then(|| self.unit.to_owned()),
            self.unit_price.map(significant),
            self.dollars_per_day.map(significant),
            self.dollars_per_tb.map(significant),
            self.share.map(|share| format!("{:.1} %", share * 100.0)),
            Some(self.note),
        ]
    }
}

/// Four digits that tell, without an exponent; integers in full.
fn significant(value: f64) -> String {
    if value == 0.0 || !value.is_finite() {
        return "0".to_owned();
    }
    let magnitude = value.abs().log10().floor();
    let decimals = (3.0 - magnitude).clamp(0.0, 12.0);
    let text = format!("{value:.*}", decimals as usize); // between 0 and 12
    match text.contains('.') {
        true => text.trim_end_matches('0').trim_end_matches('.').to_owned(),
        false => text,
    }
}

#[cfg(test)]
mod tests;
