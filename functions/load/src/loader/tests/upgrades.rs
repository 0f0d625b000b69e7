//! Loaders side by side: one that remembers what was before, and one that wrote what the other cannot read.

use penstock_catalog::error::CatalogError;
use penstock_catalog::store::{Action, Condition, Key, Store, Value, Write};

use super::super::*;
use super::alter::{alter, versions_tile};
use super::world::{Delivery, World, places};

/// Gives the item another format and answers the one that it had.
async fn set_format(world: &World, key: &Key, format: i64) -> i64 {
    let mut item = world.store.get(key).await.unwrap().unwrap();
    let Some(Value::Number(before)) = item.insert("format".to_owned(), Value::Number(format)) else {
        panic!("{key} has a format")
    };
    world
        .store
        .write(Write { key: key.clone(), condition: Condition::Always, action: Action::Put(item) })
        .await
        .unwrap();
    before
}

#[tokio::test]
async fn what_a_newer_version_wrote_stops_an_older_one_and_no_row_is_lost_or_doubled() {
    let world = World::new().await;
    let warm = world.another_loader();
    world.load(&Delivery::of(0, 0..5).json()).await.unwrap();
    warm.load(world.job, &Delivery::of(0, 5..10).json()).await.unwrap();
    let (job, table) = (world.job, world.table);
    let mut next = 10;
    // What each batch reads, and what a process reads when it meets a job first.
    for (key, first_only) in [
        (Key::new(format!("job#{job}"), "job"), false),
        (Key::new(format!("job#{job}"), "progress#0000000000"), false),
        (Key::new(format!("job_versions#{job}"), "version#0000000001"), true),
        (Key::new(format!("table#{table}"), "definition"), true),
        (Key::new("catalog", "volume#builtin_storage_volume"), true),
    ] {
        let before = set_format(&world, &key, 2).await;
        let commits = world.commits().await.len();
        let event = Delivery::of(0, next - 3..next + 5).json();
        let cold = world.another_loader();
        for loader in std::iter::once(&cold).chain((!first_only).then_some(&warm)) {
            let error = loader.load(job, &event).await.unwrap_err();
            let LoadError::Catalog(CatalogError::Unreadable { key: named, message }) = &error else {
                panic!("{key}: {error:?}")
            };
            assert_eq!(*named, key.to_string());
            assert!(message.contains("found 2") && message.contains("hint: upgrade"), "{message}");
        }
        assert_eq!(world.commits().await.len(), commits, "{key}");
        // The newer one loads what the older one refused.
        set_format(&world, &key, before).await;
        world.load(&event).await.unwrap();
        next += 5;
    }
    world.holds_exactly(places(0, 0..next)).await;
}

/// One has met the job a moment ago, the other an hour ago; either may know a version that is no more.
#[tokio::test]
async fn loaders_that_know_different_versions_load_each_record_once_and_under_one_version() {
    for seed in 0..60_u64 {
        let world = World::new().await;
        let loaders = [world.another_loader(), world.another_loader(), world.another_loader()];
        let mut state = seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1;
        let mut below = |limit: u64| {
            state ^= state << 13;
            state ^= state >> 7;
            state ^= state << 17;
            state % limit
        };
        let mut next = 0_i64;
        for _ in 0..30 {
            match below(8) {
                0 => alter(&world, &[]).await,
                1 => world.clock.advance(i64::try_from(below(90_000)).unwrap()),
                2 => {
                    // Somebody else alters the job while the batch is on its way to its commit.
                    let other = world.clone();
                    *world.store.before_commit.lock().unwrap() =
                        Some(Box::pin(async move { alter(&other, &[]).await }));
                }
                _ => {
                    let from = next - i64::try_from(below(6)).unwrap().min(next);
                    let to = next + i64::try_from(below(5)).unwrap();
                    let loader = &loaders[usize::try_from(below(3)).unwrap()];
                    let event = Delivery::of(0, from..to).json();
                    // A race that ALTER won is lost; the batch comes again.
                    while from < to && loader.load(world.job, &event).await.is_err() {}
                    next = next.max(to);
                }
            }
        }
        *world.store.before_commit.lock().unwrap() = None;
        world.holds_exactly(places(0, 0..next)).await;
        versions_tile(&world).await;
    }
}
