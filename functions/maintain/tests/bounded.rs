//! Memory of a merge, measured on a process of its own.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a claim that does not hold panics")]
#![expect(dead_code, reason = "the world is shared with other claims")]

#[path = "tables/world.rs"]
mod world;

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, StringArray};
use world::World;

/// What the process held at most so far, MB.
fn peak_mb() -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("Linux tells");
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() / 1024
}

/// 700 MB of rows, which repeat themselves so much that the files are short: what a merge holds follows from the rows, not
/// from the files.
#[tokio::test]
async fn merge_holds_less_than_400_mb_whatever_the_files_hold() {
    let world = World::new().await;
    let mut rows = 0;
    for file in 0..16_i64 {
        let (count, width) = if file % 4 == 3 { (1_500_i64, 60_000) } else { (20_000, 1_300) };
        let texts: Vec<String> = (0..10).map(|number| format!("{number}").repeat(width)).collect();
        let keys: ArrayRef = Arc::new((0..count).map(|row| Some((row * 7919 + file) % count)).collect::<Int64Array>());
        let values = (0..count).map(|row| texts[usize::try_from(row % 10).unwrap()].as_str());
        let values: ArrayRef = Arc::new(StringArray::from_iter_values(values));
        world.commit(vec![world.put_batch(vec![keys, values]).await]).await;
        rows += u64::try_from(count).unwrap();
    }
    let before = peak_mb();
    let report = world.run().await;
    assert_eq!((report.failures, report.commits), (0, 16));
    let files = world.files().await;
    assert_eq!(files.iter().map(|file| file.rows).sum::<u64>(), rows);
    assert!(files.len() <= 2, "{} files", files.len());
    let peak = peak_mb();
    assert!(peak < 400, "{peak} MB, and {before} MB before");
}
