//! Claims on what is deleted, and when.

use object_store::ObjectStoreExt;
use object_store::path::Path;
use penstock_catalog::clock::Clock;

use super::world::World;

#[tokio::test]
async fn replaced_files_stay_for_an_hour() {
    let world = World::new().await;
    for _ in 0..8 {
        world.load(&[(Some(1), "a")]).await;
    }
    let loaded: Vec<_> = world.files().await;
    world.run().await;
    world.clock.advance(3_599_999);
    world.run().await;
    for file in &loaded {
        assert_eq!(world.rows_of(file).await.len(), 1, "a query that began before can read it");
    }
    world.clock.advance(1);
    world.run().await;
    world.clock.advance(3_599_999);
    world.run().await;
    assert_eq!(world.rows_of(&loaded[0]).await.len(), 1, "the run before was the first that saw what was done");
    world.clock.advance(1);
    assert!(world.run().await.deleted >= 8);
    let left = world.objects().await;
    assert!(loaded.iter().all(|file| !left.contains(&format!("path/{}", file.key))));
    assert_eq!(world.rows().await.len(), 8);
}

#[tokio::test]
async fn objects_of_a_table_stay_few() {
    let world = World::new().await;
    for _ in 0..30 {
        for _ in 0..8 {
            world.load(&[(Some(1), "a")]).await;
        }
        world.run().await;
        world.hours_pass(1);
    }
    world.hours_pass(1);
    world.run().await;
    world.hours_pass(1);
    world.run().await;
    let left = world.objects().await;
    assert!(left.len() <= 4, "{left:?}");
    assert_eq!(world.rows().await.len(), 240);
    let state = world.catalog.table_state(&world.table).await.unwrap();
    assert!(state.commits.is_empty() && state.layout.unwrap().value.folds.len() <= 1);
}

#[tokio::test]
async fn files_without_a_commit_go_when_no_attempt_can_be_running() {
    let world = World::new().await;
    world.load(&[(Some(1), "a")]).await;
    let orphan = world.put(&[(Some(2), "b")]).await;
    let strange = Path::from(format!("path/table/{}/notes.txt", world.table.id));
    world.objects.put(&strange, "x".into()).await.unwrap();
    let errors = Path::from(format!("path/rejected/1/0-0-{}.parquet", world.clock.unique()));
    world.objects.put(&errors, "x".into()).await.unwrap();
    let neighbour = Path::from(format!("path/table/{}0/0-0-{}.parquet", world.table.id, world.clock.unique()));
    world.objects.put(&neighbour, "x".into()).await.unwrap();
    world.hours_pass(23);
    world.run().await;
    let key = format!("path/{}", orphan.key);
    assert!(world.objects().await.contains(&key));
    world.hours_pass(1);
    world.run().await;
    let left = world.objects().await;
    assert!(!left.contains(&key));
    for kept in [strange, errors, neighbour] {
        assert!(left.contains(&kept.to_string()), "{kept} is not ours to delete");
    }
    assert_eq!(world.rows().await.len(), 1);
}

#[tokio::test]
async fn truncated_and_dropped_tables_are_cleared() {
    let world = World::new().await;
    for _ in 0..8 {
        world.load(&[(Some(1), "a")]).await;
    }
    world.run().await;
    world.catalog.remove_files(world.table.id, |_| true).await.unwrap();
    world.load(&[(Some(2), "b")]).await;
    world.run().await;
    assert_eq!(world.rows().await.len(), 1);
    for _ in 0..3 {
        world.hours_pass(1);
        world.run().await;
    }
    assert!(world.objects().await.len() <= 4);
    world.catalog.drop_table(world.database, "clicks").await.unwrap().unwrap();
    world.run().await;
    world.clock.advance(3_599_999);
    world.run().await;
    assert!(!world.objects().await.is_empty(), "a query may be reading it still");
    world.clock.advance(1);
    world.run().await;
    assert_eq!(world.objects().await, [""; 0]);
    world.hours_pass(24);
    world.run().await;
    assert_eq!(world.catalog.dropped_tables().await.unwrap(), []);
}

#[tokio::test]
async fn table_dropped_by_a_statement_that_stood_still_stays_for_an_hour() {
    let world = World::new().await;
    world.load(&[(Some(1), "a")]).await;
    let now_ms = world.clock.now_ms();
    // It took its time hours before what it wrote was there, or its clock is late.
    world.clock.advance(-5 * 3_600_000);
    world.catalog.drop_table(world.database, "clicks").await.unwrap().unwrap();
    world.clock.set(now_ms);
    for _ in 0..60 {
        world.run().await;
        assert!(!world.objects().await.is_empty(), "a query may be reading it still");
        world.clock.advance(60_000);
    }
    world.run().await;
    assert_eq!(world.objects().await, [""; 0]);
}
