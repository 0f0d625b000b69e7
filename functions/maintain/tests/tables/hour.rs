//! An hour of slow loading with bursts, in virtual time: how many files there are at any moment.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, StringArray};
use penstock_maintain::maintainer::DUE_COMMITS;

use super::world::World;

/// A record a second, loaded every ten seconds; maintenance by the minute.
const BATCH_SECONDS: i64 = 10;
const MINUTE: i64 = 60;

/// Rows of a burst's file: as many bytes as are not merged in no time.
const BURST_ROWS: i64 = 4_000;

/// Files of a burst that begins in this minute, one a second.
fn burst(minute: i64) -> i64 {
    match minute {
        7 => 40,
        23 | 24 => 60,
        41 => 5,
        _ => 0,
    }
}

/// Text that does not compress.
fn noise(key: i64, length: usize) -> String {
    let mut state = u64::from_ne_bytes(key.to_ne_bytes()).wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
    let mut text = String::with_capacity(length);
    while text.len() < length {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        text += &format!("{state:016x}");
    }
    text
}

async fn load(world: &World, keys: std::ops::Range<i64>, length: usize) {
    let values: StringArray = keys.clone().map(|key| Some(noise(key, length))).collect();
    let keys: ArrayRef = Arc::new(keys.collect::<Int64Array>());
    let file = world.put_batch(vec![keys, Arc::new(values)]).await;
    world.commit(vec![file]).await;
}

#[tokio::test]
async fn hour_of_a_record_a_second_and_bursts_keeps_files_few() {
    let world = World::new().await;
    let (mut next, mut most, mut commits_since_run) = (0, 0, 0_u64);
    for second in 1..=60 * MINUTE {
        world.clock.advance(1_000);
        if second % BATCH_SECONDS == 0 {
            load(&world, next..next + BATCH_SECONDS, 16).await;
            next += BATCH_SECONDS;
            commits_since_run += 1;
        }
        if second % MINUTE < burst(second / MINUTE) {
            load(&world, next..next + BURST_ROWS, 64).await;
            next += BURST_ROWS;
            commits_since_run += 1;
        }
        if second % MINUTE == 0 {
            world.run().await;
            commits_since_run = 0;
        }
        let state = world.catalog.table_state(&world.table).await.unwrap();
        let (mut files, mut bytes) = (0_u64, 0_u64);
        for file in state.readable(&world.table.partitioning) {
            files += 1;
            bytes += file.bytes;
        }
        let window = state.commits.len() as u64;
        assert!(
            files <= 2 + (bytes >> 26) + window,
            "{files} files of {bytes} bytes at second {second}, {window} commits"
        );
        assert!(window < DUE_COMMITS as u64 + commits_since_run, "{window} commits are not folded at second {second}");
        most = most.max(files);
    }
    let rows: u64 = world.files().await.iter().map(|file| file.rows).sum();
    assert_eq!(rows, u64::try_from(next).unwrap());
    assert!(world.files().await.len() < 2 + DUE_COMMITS);
    // The bound is not one that nothing comes near.
    assert!(most > 60, "{most} files at most");
}
