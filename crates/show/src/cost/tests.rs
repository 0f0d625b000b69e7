use super::price::Price;
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
        event_bytes: 1_440_000 * 1_483,
        invocations: 1_440,
        milliseconds: 144_000,
        megabyte_ms: 144_000 * 1_769,
        puts: 1_440,
        write_units: 1_440 * 8,
    };
    CostView {
        usage,
        records: 1_440_000,
        failed: 0,
        source_partitions: 3,
        stored_bytes: 100_000_000_000,
        window_s: 60,
        state: JobState::Running,
    }
}

const ITEMS: [&str; 6] =
    ["Lambda requests", "Lambda duration", "S3 PUT requests", "DynamoDB writes", "DynamoDB reads", "CloudWatch logs"];

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
    let sum: f64 = ITEMS.iter().map(|item| number(&rows, item, "DollarsPerDay")).sum();
    assert!((number(&rows, "total", "DollarsPerDay") - sum - storage).abs() < 1e-4);
    let per_tb: f64 = ITEMS.iter().map(|item| number(&rows, item, "DollarsPerTB")).sum();
    assert!((number(&rows, "total", "DollarsPerTB") / per_tb - 1.0).abs() < 1e-3);
    let shares: f64 = ITEMS.iter().map(|item| number(&rows, item, "Share")).sum();
    assert!((shares - 100.0).abs() < 0.5);
    let note = cell(&rows, "total", "Note");
    assert_eq!(note, "DynamoDB writes dominate: 37 % of loading; prices of us-east-1, 2026-09-28");
    assert_eq!(
        cell(&rows, "record values", "Note"),
        "1440 batches of 1 MB on average, 24.7 % of a full event; counted since 2026-09-21 14:13:20"
    );
}

#[test]
fn terabyte_of_full_events_on_arm64_costs_less_than_five_dollars() {
    let per_tb = Batch::model().dollars_per_terabyte();
    println!("modelled: {per_tb:.2} dollars a terabyte at full events of 1 kB records, arm64");
    assert!((1.0..5.0).contains(&per_tb), "{per_tb}");
    // With the most write units that a full event is to take.
    let most = Batch { write_units: 12.0, ..Batch::model() }.dollars_per_terabyte();
    println!("with 12 write units: {most:.2}");
    assert!(most < 5.0, "{most}");
    let small = Batch::model().times(1e5 / Batch::model().bytes).dollars_per_terabyte();
    for documented in
        [format!("${per_tb:.2} modelled, ${most:.2} with 12 write units"), format!("${small:.0} modelled")]
    {
        assert!(DOCUMENT.contains(&documented), "expected `{documented}` in docs/cost.md");
    }
}

const DOCUMENT: &str = include_str!("../../../../docs/cost.md");

#[test]
fn document_lists_the_prices() {
    for Price { item, dollars, unit, as_of } in price::ALL {
        let row = format!("| {item} | {} | {unit} | {as_of} |", price_text(dollars));
        assert!(DOCUMENT.contains(&row), "expected `{row}` in docs/cost.md");
    }
}

fn price_text(dollars: f64) -> String {
    let text = format!("{dollars:.10}");
    text.trim_end_matches('0').to_owned()
}

#[test]
fn assumed_memory_is_that_of_the_template() {
    let template = include_str!("../../../../template.yaml");
    let (_, memory) = template.split_once("LoadMemory:").unwrap();
    let default = memory.lines().find_map(|line| line.trim().strip_prefix("Default: ")).unwrap();
    assert_eq!(default.parse::<f64>().unwrap(), batch::TEMPLATE_MB);
    let usage = Usage { megabyte_ms: 0, ..view().usage };
    let rows = CostView { usage, ..view() }.rows();
    let note = cell(&rows, "Lambda duration", "Note");
    assert_eq!(note, "115 ms a batch with 2048 MB, the template's default, arm64");
    assert_eq!(cell(&view().rows(), "Lambda duration", "Note"), "115 ms a batch with 1769 MB, arm64");
}

#[test]
fn larger_batches_are_cheaper_until_events_are_full() {
    let rows = view().rows();
    let total = number(&rows, "total", "DollarsPerTB");
    let of = |item: &str| number(&rows, item, "DollarsPerTB");
    assert!(of("if max_batch_interval = 5") > 5.0 * total);
    assert!(of("if max_batch_interval = 180") < 0.6 * total);
    assert!(of("if batches were half as large") > total);
    assert!(of("if batches were twice as large") < total);
    // 4 MB of values fit into an event of such records, which is less than five times as much.
    assert_eq!(of("if max_batch_interval = 300"), of("if every event was full"));
    assert!(of("if LoadMemory = 3538") > total);
    assert!(of("if on x86_64") > total);
    let full = Batch::of(&view().usage, 3).unwrap().times(f64::INFINITY);
    assert!((3.9e6..4.2e6).contains(&full.bytes), "{}", full.bytes);
    assert_eq!(full.times(2.0), full);
}

#[test]
fn keys_and_headers_leave_less_room_for_values() {
    let usage = Usage { event_bytes: 1_440_000 * 2_966, ..view().usage };
    let plain = Batch::of(&view().usage, 3).unwrap().full_bytes();
    let full = Batch::of(&usage, 3).unwrap().full_bytes();
    assert!((full * 2.0 / plain - 1.0).abs() < 0.01, "{full} {plain}");
}

#[test]
fn windows_that_lambda_does_not_have_are_not_offered() {
    for (window_s, offered) in [(5, vec![15, 300]), (60, vec![5, 180, 300]), (300, vec![5]), (3_600, vec![5])] {
        let rows = CostView { window_s, ..view() }.rows();
        let windows: Vec<u64> = rows
            .iter()
            .filter_map(|row| row[0].as_deref()?.strip_prefix("if max_batch_interval = ")?.parse().ok())
            .collect();
        assert_eq!(windows, offered, "{window_s}");
    }
}

#[test]
fn provisioned_pollers_cost_an_hour_whatever_they_bring() {
    let rows = view().rows();
    let more = number(&rows, "if pollers were provisioned", "DollarsPerDay") - number(&rows, "total", "DollarsPerDay")
        + number(&rows, "S3 storage", "DollarsPerDay");
    assert!((more - 4.44).abs() < 0.01, "{more}");
    assert_eq!(number(&rows, "event pollers", "DollarsPerDay"), 0.0);
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
    let rows = CostView { usage: Usage::default(), records: 0, ..view() }.rows();
    let note = cell(&rows, "record values", "Note");
    assert_eq!(note, "no batch was counted yet: modelled for full events of 1 kB records");
    assert_eq!(cell(&rows, "total", "DollarsPerDay"), cell(&rows, "S3 storage", "DollarsPerDay"));
    for item in ITEMS {
        assert_eq!((cell(&rows, item, "PerDay"), cell(&rows, item, "DollarsPerDay")), ("NULL", "NULL"), "{item}");
        assert!(number(&rows, item, "DollarsPerTB") > 0.0);
    }
    assert_eq!(cell(&rows, "if records only trickled, max_batch_interval = 60", "PerDay"), "1440");
    assert!(number(&rows, "if records only trickled, max_batch_interval = 300", "DollarsPerDay") < 0.01);
}

#[test]
fn what_is_not_counted_is_named() {
    let rows = CostView { records: 1_440_500, failed: 7, state: JobState::Paused, ..view() }.rows();
    assert!(cell(&rows, "record values", "Note").ends_with("; 500 records from before that are in no figure"));
    assert!(cell(&rows, "failed batches", "Note").starts_with("7 since the job was made"));
    assert!(cell(&rows, "total", "Note").contains("the job is PAUSED: meanwhile only storage is charged"));
    assert!(cell(&rows, "maintenance", "Note").starts_with("not counted"));
    assert!(view().rows().iter().all(|row| row[0].as_deref() != Some("failed batches")));
}

#[test]
fn no_figure_of_any_usage_is_without_a_number() {
    let extremes = [0, 1, u64::MAX];
    for (records, bytes) in extremes.into_iter().flat_map(|one| extremes.map(|other| (one, other))) {
        let usage = Usage {
            since_ms: 5,
            until_ms: 5,
            records,
            received_bytes: bytes,
            event_bytes: bytes,
            invocations: records.min(1),
            ..Usage::default()
        };
        for row in (CostView { usage, window_s: 0, stored_bytes: bytes, source_partitions: 1, ..view() }).rows() {
            assert_eq!(row.len(), TITLES.len());
            assert!(row.iter().flatten().all(|cell| !cell.contains("NaN") && !cell.contains("inf")), "{row:?}");
        }
    }
    let usage = Usage { since_ms: 5, until_ms: 5, records: 1, invocations: 1, ..Usage::default() };
    let rows = CostView { usage, window_s: 10, ..view() }.rows();
    assert_eq!(cell(&rows, "Lambda requests", "PerDay"), "8640");
}
