//! ALTER while records come: where versions part, and what moved offsets load.

use std::collections::BTreeMap;

use penstock_catalog::job::{Alteration, Altered};

use crate::error::{ErrorKind, LoadError};

use super::world::{Delivery, World, places};

/// Makes the job's next version, with these source partitions moved.
pub(super) async fn alter(world: &World, moves: &[(i32, i64)]) {
    let job = world.snapshot().await.job;
    let definition = world.catalog.job_definition(world.job, job.version).await.unwrap().unwrap();
    let moves = moves.iter().copied().collect();
    let alteration = Alteration { definition, moves, forget_mapping: false };
    let altered = world.catalog.alter_job(world.job, &alteration).await.unwrap();
    assert!(matches!(altered, Altered::Now(_)), "{altered:?}");
}

/// The ranges of each version tile from where it began to where it ended, so every offset is accounted for.
pub(super) async fn versions_tile(world: &World) {
    let versions = world.catalog.job_versions(world.job).await.unwrap();
    let commits = world.commits().await;
    let next_offset = world.snapshot().await.progress[&0].value.next_offset;
    for (index, version) in versions.iter().enumerate() {
        let Some(source) = version.beginning.as_ref().and_then(|beginning| beginning.sources.get(&0)) else {
            continue;
        };
        let after = versions.get(index + 1).and_then(|after| after.beginning.as_ref()?.sources.get(&0)?.ended);
        let of_version = commits.iter().filter(|commit| commit.job_version == version.definition.version);
        let mut ranges: Vec<_> = of_version.flat_map(|commit| &commit.ranges).collect();
        ranges.sort_by_key(|range| range.from_offset);
        let end = ranges.iter().fold(source.begins, |at, range| {
            assert_eq!(range.from_offset, at, "version {}", version.definition.version);
            range.to_offset
        });
        assert_eq!(end, after.unwrap_or(next_offset), "version {}", version.definition.version);
    }
}

#[tokio::test]
async fn moved_back_loads_again_and_only_that() {
    let world = World::new().await;
    world.load(&Delivery::of(0, 0..10).json()).await.unwrap();
    alter(&world, &[(0, 4)]).await;
    // The platform begins anew at the oldest record.
    world.load(&Delivery::of(0, 0..7).json()).await.unwrap();
    world.load(&Delivery::of(0, 7..12).json()).await.unwrap();
    let expected: BTreeMap<_, _> =
        places(0, 0..12).into_iter().map(|place| (place, if (4..10).contains(&place.1) { 2 } else { 1 })).collect();
    assert_eq!(world.rows().await, expected);
    versions_tile(&world).await;
}

#[tokio::test]
async fn moved_back_behind_its_start_loads_from_there() {
    let world = World::new().await;
    world.load(&Delivery::of(0, 50..60).json()).await.unwrap();
    alter(&world, &[(0, 40)]).await;
    world.load(&Delivery::of(0, 30..60).json()).await.unwrap();
    assert_eq!(world.rows().await.keys().next(), Some(&(0, 40)));
    versions_tile(&world).await;
}

#[tokio::test]
async fn moved_on_skips_and_takes_it_for_no_new_topic() {
    let world = World::new().await;
    world.load(&Delivery::of(0, 0..10).json()).await.unwrap();
    alter(&world, &[(0, 20)]).await;
    // Newer than anything committed, and wholly below: records that were to be skipped.
    let reply = world.load(&Delivery::of(0, 10..15).json()).await.unwrap();
    assert_eq!((reply.seen, reply.commits), (5, 0));
    world.load(&Delivery::of(0, 15..22).json()).await.unwrap();
    assert_eq!(world.rows().await.keys().copied().collect::<Vec<_>>(), places(0, (0..10).chain(20..22)));
    let progress = world.snapshot().await.progress[&0].value.clone();
    assert_eq!((progress.next_offset, progress.skipped), (22, 10));
    versions_tile(&world).await;
}

#[tokio::test]
async fn batch_in_flight_is_loaded_by_the_new_version() {
    let world = World::new().await;
    world.load(&Delivery::of(0, 0..3).json()).await.unwrap();
    let other = world.clone();
    *world.store.before_commit.lock().unwrap() = Some(Box::pin(async move {
        alter(&other, &[(0, 1)]).await;
    }));
    world.load(&Delivery::of(0, 0..6).json()).await.unwrap();
    let commits = world.commits().await;
    let versions: Vec<_> = commits.iter().map(|commit| (commit.job_version, commit.ranges[0].from_offset)).collect();
    assert_eq!(versions, [(1, 0), (2, 1)]);
    versions_tile(&world).await;
}

#[tokio::test]
async fn batch_of_the_mapping_before_is_not_loaded_after_a_gap() {
    let world = World::new().await;
    world.load(&Delivery::of(0, 0..10).json()).await.unwrap();
    let alteration = |world: &World, next_offset: i64| {
        let world = world.clone();
        async move { alter(&world, &[(0, next_offset)]).await }
    };
    // In flight when ALTER moves the job back.
    *world.store.before_commit.lock().unwrap() = Some(Box::pin(alteration(&world, 4)));
    let error = world.load(&Delivery::of(0, 10..12).json()).await.unwrap_err();
    assert!(matches!(error, LoadError::MovedBack { first_offset: 10, next_offset: 4, .. }), "{error}");
    assert_eq!(error.kind(), ErrorKind::Retry);
    // Delivered before the new mapping is there.
    let alteration = alteration(&world, 3);
    alteration.await;
    let job = world.snapshot().await.job;
    assert!(job.rewound && job.mapping.is_none(), "{job:?}");
    let error = world.load(&Delivery::of(0, 12..14).json()).await.unwrap_err();
    assert!(matches!(error, LoadError::MovedBack { first_offset: 12, next_offset: 3, .. }), "{error}");
    // The new mapping's batches tile, or begin where the log begins.
    world.catalog.set_job_mapping(world.job, "new").await.unwrap();
    world.load(&Delivery::of(0, 5..14).json()).await.unwrap();
    let progress = world.snapshot().await.progress[&0].value.clone();
    assert_eq!((progress.next_offset, progress.skipped), (14, 2));
}

#[tokio::test]
async fn told_to_go_on_from_where_it_stands_it_waits_for_that() {
    let world = World::new().await;
    world.load(&Delivery::of(0, 0..10).json()).await.unwrap();
    world.catalog.set_job_mapping(world.job, "ahead").await.unwrap();
    let job = world.snapshot().await.job;
    let definition = world.catalog.job_definition(world.job, job.version).await.unwrap().unwrap();
    let alteration = Alteration { definition, moves: [(0, 10)].into(), forget_mapping: true };
    assert!(matches!(world.catalog.alter_job(world.job, &alteration).await.unwrap(), Altered::Now(_)));
    // The mapping before is ahead of the job, and delivers still.
    let error = world.load(&Delivery::of(0, 25..30).json()).await.unwrap_err();
    assert!(matches!(error, LoadError::MovedBack { first_offset: 25, next_offset: 10, .. }), "{error}");
    world.catalog.set_job_mapping(world.job, "anew").await.unwrap();
    world.load(&Delivery::of(0, 0..30).json()).await.unwrap();
    world.holds_exactly(places(0, 0..30)).await;
    versions_tile(&world).await;
}
