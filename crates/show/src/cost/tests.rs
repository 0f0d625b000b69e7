use super::*;

fn cell<'a>(rows: &'a [Row], item: &str, title: &str) -> &'a str {
    let column = TITLES.iter().position(|known| *known == title).unwrap();
    let row =
        rows.iter().find(|row| row[0].as_deref() == Some(item)).unwrap_or_else(|| panic!("no {item} in {rows:?}"));
    row[column].as_deref().unwrap_or("NULL")
}

fn number(rows: &[Row], item: &str, title: &str) -> f64 {
    cell(rows, item, title).trim_end_matches(" %").parse().unwrap()
}

/// A batch a minute for a day: 1,000 records of 1 kB each, 100 ms with 1,769 MB.
fn view() -> CostView {
    let usage = Usage {
        since_ms: 1_790_000_000_000,
        until_ms: 1_790_000_000_000 + 86_400_000 - 60_000,
        records: 1_440_000,
        received_bytes: 1_440_000_000,
        invocations: 1_440,
        milliseconds: 144_000,
        megabyte_ms: 144_000 * 1_769,
        puts: 1_440,
        write_units: 1_440 * 8,
    };
    CostView { usage, source_partitions: 3, stored_bytes: 100_000_000_000, window_s: 60 }
}

#[test]
fn day_is_the_sum_of_what_was_counted() {
    let rows = view().rows();
    assert_eq!(number(&rows, "record values", "PerDay"), 1.44);
    assert_eq!(number(&rows, "Lambda requests", "PerDay"), 1440.0);
    assert_eq!(number(&rows, "S3 PUT requests", "DollarsPerDay"), 0.0072);
    assert_eq!(number(&rows, "DynamoDB writes", "PerDay"), 11520.0);
    assert_eq!(number(&rows, "DynamoDB writes", "DollarsPerDay"), 0.0072);
    // 115 ms with the reply.
    let gb_seconds = 1440.0 * 0.115 * 1769.0 / 1024.0;
    assert!((number(&rows, "Lambda duration", "PerDay") - gb_seconds).abs() < 0.1);
    let storage = number(&rows, "S3 storage", "DollarsPerDay");
    assert!((storage - 100.0 * 0.023 / 30.4).abs() < 1e-4, "{storage}");
    let items = ["Lambda requests", "Lambda duration", "S3 PUT requests", "DynamoDB writes", "DynamoDB reads"];
    let sum: f64 = items.iter().map(|item| number(&rows, item, "DollarsPerDay")).sum();
    assert!((number(&rows, "total", "DollarsPerDay") - sum - storage).abs() < 1e-4);
    let shares: f64 = items.iter().map(|item| number(&rows, item, "Share")).sum();
    assert!((shares - 100.0).abs() < 0.5);
    assert!(cell(&rows, "total", "Note").contains("2026-09-28"));
}

#[test]
fn terabyte_of_full_events_on_arm64_costs_less_than_five_dollars() {
    let per_tb = Batch::model().dollars_per_terabyte();
    println!("modelled: {per_tb:.2} dollars a terabyte at full events of 1 kB records");
    assert!((1.0..5.0).contains(&per_tb), "{per_tb}");
    // With the most write units that a full event is to take.
    let most = Batch { write_units: 12.0, ..Batch::model() }.dollars_per_terabyte();
    assert!(most < 5.0, "{most}");
}

#[test]
fn larger_batches_are_cheaper_until_events_are_full() {
    let rows = view().rows();
    let total = number(&rows, "total", "DollarsPerTB");
    let of = |item: &str| number(&rows, item, "DollarsPerTB");
    assert!(of("if max_batch_interval = 5") > 5.0 * total);
    assert!(of("if max_batch_interval = 180") < 0.6 * total);
    assert!(of("if batches were half as large") > total);
    // 3.9 MB of values fit into an event of such records, which is less than five times as much.
    assert_eq!(of("if max_batch_interval = 300"), of("if every event was full"));
    assert!(of("if LoadMemory = 3538") > total);
    assert!(of("if on x86_64") > total);
    let full = Batch::of(&view().usage, 3).unwrap().times(f64::INFINITY);
    assert!((3.5e6..4.2e6).contains(&full.bytes), "{}", full.bytes);
    assert_eq!(full.times(2.0), full);
}

#[test]
fn small_records_fill_an_event_by_their_number() {
    let tiny = Batch { record_bytes: 66.0, ..Batch::model() };
    assert_eq!(tiny.full_bytes(), 660_000.0);
    let huge = Batch { record_bytes: 9e6, ..Batch::model() };
    assert_eq!(huge.full_bytes(), 9e6, "a record is never cut");
}

#[test]
fn less_memory_takes_longer_only_below_one_core() {
    let batch = Batch::of(&view().usage, 3).unwrap();
    assert_eq!(batch.with_memory(3538.0).milliseconds, batch.milliseconds);
    let half = batch.with_memory(batch.megabytes / 2.0);
    assert!((half.milliseconds - (60.0 + 55.0 * 2.0)).abs() < 1e-6, "{}", half.milliseconds);
}

#[test]
fn job_without_a_counted_batch_is_modelled_and_says_so() {
    let rows = CostView { usage: Usage::default(), ..view() }.rows();
    assert!(cell(&rows, "total", "Note").starts_with("no batch was counted yet: modelled"));
    assert_eq!(cell(&rows, "total", "DollarsPerDay"), cell(&rows, "S3 storage", "DollarsPerDay"));
}

#[test]
fn one_batch_that_took_no_time_at_all_has_a_price() {
    let usage = Usage { since_ms: 5, until_ms: 5, records: 1, received_bytes: 0, invocations: 1, ..Usage::default() };
    let rows = CostView { usage, source_partitions: 1, stored_bytes: 0, window_s: 10 }.rows();
    for row in &rows {
        assert!(row.iter().flatten().all(|cell| !cell.contains("NaN") && !cell.contains("inf")), "{row:?}");
    }
    assert_eq!(cell(&rows, "Lambda requests", "PerDay"), "8640");
}

#[test]
fn numbers_have_four_digits_that_tell() {
    for (value, text) in [
        (0.0, "0"),
        (1234567.0, "1234567"),
        (12.3456, "12.35"),
        (0.000_013_333_4, "0.00001333"),
        (8640.0, "8640"),
        (0.5, "0.5"),
    ] {
        assert_eq!(significant(value), text);
    }
}
