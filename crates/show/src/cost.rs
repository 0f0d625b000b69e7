//! EXPLAIN COST FOR ROUTINE LOAD: what a job costs a day and a terabyte, what dominates, and what would change it.
//!
//! From what its batches used (counted by `load`, committed with their progress) and the prices of [`price`]. Pure. It is
//! no bill: redeliveries and failures are in no counter, and what readers, statements and maintenance cost is not the job's.

use penstock_kernel::moment;
use penstock_kernel::state::JobState;
use penstock_kernel::usage::Usage;

mod batch;
mod change;
mod line;
pub mod price;

use batch::{Batch, Part, float};
use line::{Line, significant};

/// `PerDay` is at the pace between the first batch that was counted and the last; `DollarsPerTB` is for 10^12 bytes of record values.
pub const TITLES: [&str; 8] = ["Item", "PerDay", "Unit", "UnitPrice", "DollarsPerDay", "DollarsPerTB", "Share", "Note"];

/// What is to be known of a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct CostView {
    /// What its batches used, over all source partitions.
    pub usage: Usage,
    /// Records that it has read, counted or not.
    pub records: u64,
    /// Batches that failed and came again.
    pub failed: u64,
    /// How many source partitions it has begun.
    pub source_partitions: usize,
    /// Bytes of the table's files, whoever loaded them.
    pub stored_bytes: u64,
    /// `max_batch_interval` in seconds.
    pub window_s: u64,
    /// Its state.
    pub state: JobState,
}

const DAY_MS: f64 = 86_400_000.0;

type Row = Vec<Option<String>>;

impl CostView {
    /// A cell for each of [`TITLES`], a row for each item, for the total and for each change that would tell.
    pub fn rows(&self) -> Vec<Row> {
        let counted = Batch::of(&self.usage, self.source_partitions);
        let batch = counted.unwrap_or_else(Batch::model);
        let batches = counted.map(|_| self.batches_per_day());
        let mut rows = vec![self.records(&batch, batches)];
        rows.extend(parts(&batch, batches));
        rows.push(pollers());
        rows.push(self.storage());
        rows.push(maintenance());
        rows.extend(self.failed());
        rows.push(self.total(&batch, batches));
        rows.extend(match batches {
            Some(batches) => change::of_counted(self, &batch, batches),
            None => change::of_modelled(self, &batch),
        });
        rows
    }

    fn batches_per_day(&self) -> f64 {
        // The first batch waited for its window too.
        let period_ms = float(self.usage.until_ms.abs_diff(self.usage.since_ms)) + float(self.window_s.max(1)) * 1e3;
        float(self.usage.invocations) * DAY_MS / period_ms
    }

    fn records(&self, batch: &Batch, batches: Option<f64>) -> Row {
        let usage = &self.usage;
        let mut note = match batches {
            None => "no batch was counted yet: modelled for full events of 1 kB records".to_owned(),
            Some(_) => format!(
                "{} batches of {} MB on average, {:.1} % of a full event; counted since {}",
                usage.invocations,
                significant(batch.bytes / 1e6),
                (batch.bytes / batch.full_bytes()).min(1.0) * 100.0,
                moment::text(usage.since_ms)
            ),
        };
        let before = self.records.saturating_sub(usage.records);
        if before > 0 {
            note.push_str(&format!("; {before} records from before that are in no figure"));
        }
        Line {
            item: "record values".to_owned(),
            per_day: batches.map(|batches| batches * batch.bytes / 1e9),
            unit: Some("GB"),
            note,
            ..Line::default()
        }
        .row()
    }

    fn storage_per_day(&self) -> f64 {
        float(self.stored_bytes) / 1e9 * price::S3_STORAGE.dollars / price::DAYS_A_MONTH
    }

    fn storage(&self) -> Row {
        Line {
            item: price::S3_STORAGE.item.to_owned(),
            per_day: Some(float(self.stored_bytes) / 1e9),
            unit: Some("GB"),
            unit_price: Some(price::S3_STORAGE.dollars / price::DAYS_A_MONTH),
            dollars_per_day: Some(self.storage_per_day()),
            note: "of the table, whoever loaded it; a month's price by the day".to_owned(),
            ..Line::default()
        }
        .row()
    }

    fn failed(&self) -> Option<Row> {
        let note = format!("{} since the job was made, which came again: what they used is not counted", self.failed);
        let line = Line { item: "failed batches".to_owned(), note, ..Line::default() };
        (self.failed > 0).then(|| line.row())
    }

    fn total(&self, batch: &Batch, batches: Option<f64>) -> Row {
        let parts = batch.parts();
        let most = parts.iter().max_by(|one, other| one.dollars().total_cmp(&other.dollars()));
        let mut note = most.map_or_else(String::new, |most| {
            let share = most.dollars() / batch.dollars() * 100.0;
            format!("{} dominate: {share:.0} % of loading; ", name(most))
        });
        if !self.state.loads() {
            note.push_str(&format!("the job is {}: meanwhile only storage is charged; ", self.state));
        }
        note.push_str(&format!("prices of {}, {}", price::REGION, price::AS_OF));
        let loading = batches.map_or(0.0, |batches| batch.dollars() * batches);
        Line {
            item: "total".to_owned(),
            dollars_per_day: Some(loading + self.storage_per_day()),
            dollars_per_tb: Some(batch.dollars_per_terabyte()),
            note,
            ..Line::default()
        }
        .row()
    }
}

/// What is used for each batch.
fn parts(batch: &Batch, batches: Option<f64>) -> Vec<Row> {
    let row = |part: &Part| {
        Line {
            item: name(part).to_owned(),
            per_day: batches.map(|batches| batches * part.units),
            unit: Some(part.price.unit),
            unit_price: Some(part.price.dollars),
            dollars_per_day: batches.map(|batches| batches * part.dollars()),
            dollars_per_tb: Some(part.dollars() / batch.bytes * 1e12),
            share: Some(format!("{:.1} %", part.dollars() / batch.dollars() * 100.0)),
            note: note(part, batch, batches.is_some()),
        }
        .row()
    };
    batch.parts().iter().map(row).collect()
}

/// The item without the processor, which is a matter of its note.
fn name(part: &Part) -> &'static str {
    part.price.item.split_once(',').map_or(part.price.item, |(name, _)| name)
}

fn note(part: &Part, batch: &Batch, counted: bool) -> String {
    let modelled = if counted { "" } else { "modelled: " };
    if part.price == price::LAMBDA_REQUEST {
        "one a batch".to_owned()
    } else if part.price == batch.gb_second {
        let assumed = if batch.memory_assumed { ", the template's default" } else { "" };
        format!("{modelled}{:.0} ms a batch with {:.0} MB{assumed}, arm64", batch.milliseconds, batch.megabytes)
    } else if part.price == price::S3_PUT {
        format!("{modelled}{} a batch, one a file", significant(part.units))
    } else if part.price == price::DYNAMODB_WRITE {
        format!("{modelled}{} a batch, in one transaction", significant(part.units))
    } else if part.price == price::DYNAMODB_READ {
        "modelled: one query a batch".to_owned()
    } else {
        "modelled: 1 kB a batch".to_owned()
    }
}

fn pollers() -> Row {
    Line {
        item: "event pollers".to_owned(),
        per_day: Some(0.0),
        unit: Some(price::POLLER_UNIT.unit),
        unit_price: Some(price::POLLER_UNIT.dollars),
        dollars_per_day: Some(0.0),
        dollars_per_tb: Some(0.0),
        share: Some("0.0 %".to_owned()),
        note: "on demand, which is not charged; the price is that of provisioned mode".to_owned(),
    }
    .row()
}

fn maintenance() -> Row {
    let note = "not counted: merging reads and writes the table's bytes again, which is on the bill of `maintain`";
    Line { item: "maintenance".to_owned(), note: note.to_owned(), ..Line::default() }.row()
}

#[cfg(test)]
mod tests;
