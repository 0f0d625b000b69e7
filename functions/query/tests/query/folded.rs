//! Tables whose commits are in manifests.

use penstock_catalog::Catalog;
use penstock_catalog::layout::Folded;
use penstock_storage::Volumes;
use std::sync::Arc;

use crate::world::World;

#[tokio::test]
async fn rows_of_manifests_and_of_commits_are_read_together() {
    let world = World::tutorial().await;
    let table = world.catalog.table(world.database().await.id, "site_clicks").await.unwrap().unwrap();
    let catalog: Catalog = world.catalog.clone().with_volumes(Arc::clone(&world.volumes) as Arc<dyn Volumes>);
    let state = catalog.table_state(&table).await.unwrap();
    assert!(matches!(catalog.fold(&state, &[], false).await.unwrap(), Folded::Now(_)));
    world.load_clicks(&table, &[(9, "https://www.starrocks.io/", 1)]).await;
    for (sql, expected) in [
        ("SELECT count(*), min(uid), max(uid) FROM site_clicks", "6|9|4792"),
        ("SELECT count(*) FROM site_clicks WHERE site = 'https://www.starrocks.io/'", "3"),
        ("SELECT table_rows FROM information_schema.tables WHERE table_name = 'site_clicks'", "6"),
    ] {
        assert_eq!(world.value(sql).await, expected, "{sql}");
    }
}

#[tokio::test]
async fn what_is_removed_from_a_manifest_that_was_read_before_is_not_seen() {
    let world = World::tutorial().await;
    let table = world.catalog.table(world.database().await.id, "site_clicks").await.unwrap().unwrap();
    world.load_clicks(&table, &[(9, "https://www.starrocks.io/", 1)]).await;
    let catalog: Catalog = world.catalog.clone().with_volumes(Arc::clone(&world.volumes) as Arc<dyn Volumes>);
    let state = catalog.table_state(&table).await.unwrap();
    assert!(matches!(catalog.fold(&state, &[], false).await.unwrap(), Folded::Now(_)));
    let sql = "SELECT count(*), min(uid), max(uid), sum(uid) FROM site_clicks";
    for _ in 0..2 {
        assert_eq!(world.value("SELECT count(*), min(uid), max(uid) FROM site_clicks").await, "6|9|4792");
        assert_eq!(world.value("SELECT count(*) FROM site_clicks WHERE uid < 10").await, "1");
    }
    catalog.remove_files(table.id, |file| file.rows == 5).await.unwrap();
    assert_eq!(world.value(sql).await, "1|9|9|9");
    assert_eq!(world.value("SELECT count(*), min(uid), max(uid) FROM site_clicks").await, "1|9|9");
}
