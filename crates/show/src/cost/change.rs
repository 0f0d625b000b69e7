//! What another window, batch size, memory or platform would make of a job's cost.

use super::CostView;
use super::batch::{Batch, float};
use super::line::{Line, significant};
use super::price;

/// Lambda gathers records for no longer.
const LONGEST_WINDOW_S: u64 = 300;
/// The shortest `max_batch_interval`.
const SHORTEST_WINDOW_S: u64 = 5;
const DAY_S: f64 = 86_400.0;

type Row = Vec<Option<String>>;

/// Of a job whose batches were counted: `batches` of them a day.
pub(super) fn of_counted(view: &CostView, batch: &Batch, batches: f64) -> Vec<Row> {
    let base = Base { batch, batches: Some(batches) };
    let mut rows = Vec::new();
    let window_s = view.window_s.clamp(SHORTEST_WINDOW_S, LONGEST_WINDOW_S);
    let mut windows = vec![SHORTEST_WINDOW_S, window_s.saturating_mul(3).min(LONGEST_WINDOW_S), LONGEST_WINDOW_S];
    windows.dedup();
    for seconds in windows.into_iter().filter(|seconds| *seconds != window_s) {
        let times = float(seconds) / float(window_s);
        rows.push(base.row(format!("max_batch_interval = {seconds}"), batch.times(times)));
    }
    rows.push(base.row("batches were half as large".to_owned(), batch.times(0.5)));
    rows.push(base.row("batches were twice as large".to_owned(), batch.times(2.0)));
    rows.push(base.row("every event was full".to_owned(), batch.times(f64::INFINITY)));
    rows.extend(base.of_any_job());
    rows
}

/// Of a job of which nothing was counted: what the properties say is how often it loads at least while records come.
pub(super) fn of_modelled(view: &CostView, batch: &Batch) -> Vec<Row> {
    let one_record = batch.times(0.0);
    let window_s = view.window_s.clamp(SHORTEST_WINDOW_S, LONGEST_WINDOW_S);
    let mut windows = vec![window_s, LONGEST_WINDOW_S];
    windows.dedup();
    let trickle = |seconds: u64| {
        let batches = DAY_S / float(seconds);
        Line {
            item: format!("if records only trickled, max_batch_interval = {seconds}"),
            per_day: Some(batches),
            unit: Some("batch"),
            dollars_per_day: Some(one_record.dollars() * batches),
            note: "a batch whenever the window ends, by one poller".to_owned(),
            ..Line::default()
        }
        .row()
    };
    let mut rows: Vec<Row> = windows.into_iter().map(trickle).collect();
    rows.extend(Base { batch, batches: None }.of_any_job());
    rows
}

/// What changes are compared with.
struct Base<'a> {
    batch: &'a Batch,
    /// A day, if that is known.
    batches: Option<f64>,
}

impl Base<'_> {
    fn of_any_job(&self) -> Vec<Row> {
        let mut rows = Vec::new();
        for megabytes in [self.batch.megabytes / 2.0, self.batch.megabytes * 2.0] {
            rows.push(self.row(format!("LoadMemory = {megabytes:.0}"), self.batch.with_memory(megabytes)));
        }
        rows.push(self.row("on x86_64".to_owned(), self.batch.on_x86_64()));
        rows.push(self.provisioned());
        rows
    }

    fn bytes_per_day(&self) -> Option<f64> {
        Some(self.batches? * self.batch.bytes)
    }

    fn row(&self, change: String, other: Batch) -> Row {
        let per_tb = other.dollars_per_terabyte();
        Line {
            item: format!("if {change}"),
            per_day: self.bytes_per_day().map(|bytes| bytes / other.bytes),
            unit: Some("batch"),
            dollars_per_day: self.bytes_per_day().map(|bytes| per_tb * bytes / 1e12),
            dollars_per_tb: Some(per_tb),
            share: Some(self.more(per_tb)),
            note: format!("batches of {} MB, {:.0} ms", significant(other.bytes / 1e6), other.milliseconds),
            ..Line::default()
        }
        .row()
    }

    /// Pollers in provisioned mode, of which one unit is always on.
    fn provisioned(&self) -> Row {
        let units = price::POLLER_UNIT.dollars * 24.0;
        let loading = self.batches.map(|batches| batches * self.batch.dollars());
        let per_day = loading.map(|dollars| dollars + units);
        let per_tb = per_day.zip(self.bytes_per_day()).map(|(dollars, bytes)| dollars / bytes * 1e12);
        Line {
            item: "if pollers were provisioned".to_owned(),
            per_day: Some(24.0),
            unit: Some(price::POLLER_UNIT.unit),
            unit_price: Some(price::POLLER_UNIT.dollars),
            dollars_per_day: Some(per_day.unwrap_or(units)),
            dollars_per_tb: per_tb,
            share: per_tb.map(|per_tb| self.more(per_tb)),
            note: "one unit, always on: 20 MB/s, and up to 10 jobs share it".to_owned(),
        }
        .row()
    }

    fn more(&self, per_tb: f64) -> String {
        format!("{:+.1} %", (per_tb / self.batch.dollars_per_terabyte() - 1.0) * 100.0)
    }
}
