//! Claims on CHECK TABLE.

use object_store::ObjectStoreExt;
use object_store::path::Path;
use penstock_catalog::commit::DataFile;
use penstock_kernel::encode::StatisticValue;
use penstock_sql::check::{CheckAnswer, CheckReply, CheckRequest, DamagedFile};

use super::world::World;

async fn check(world: &World) -> CheckReply {
    let request = CheckRequest { table: world.table.id.0, after: None, budget_ms: 60_000 };
    match world.maintainer.check(&request).await {
        CheckAnswer::Done(reply) => reply,
        other => panic!("{other:?}"),
    }
}

#[tokio::test]
async fn whole_table_is_right_before_and_after_maintenance() {
    let world = World::new().await;
    for number in 0..8 {
        world.load(&[(Some(number), "a"), (None, "b")]).await;
    }
    for files in [8, 1] {
        let reply = check(&world).await;
        assert_eq!((reply.files, reply.rows, reply.finished), (files, 16, true));
        assert_eq!(reply.damaged, []);
        world.run().await;
    }
}

#[tokio::test]
async fn every_kind_of_damage_is_named() {
    let world = World::new().await;
    let path = |file: &DataFile| Path::from(format!("path/{}", file.key));
    let mut expected: Vec<(String, &str)> = Vec::new();
    let mut files = Vec::new();

    let gone = world.put(&[(Some(1), "a")]).await;
    world.objects.delete(&path(&gone)).await.unwrap();
    expected.push((gone.key.clone(), "it is not there"));
    files.push(gone);

    let short = world.put(&[(Some(1), "a")]).await;
    let bytes = world.objects.get(&path(&short)).await.unwrap().bytes().await.unwrap();
    world.objects.put(&path(&short), bytes.slice(..bytes.len() - 9).into()).await.unwrap();
    expected.push((short.key.clone(), "bytes, found"));
    files.push(short);

    let flipped = world.put(&[(Some(1), "a")]).await;
    let mut bytes = world.objects.get(&path(&flipped)).await.unwrap().bytes().await.unwrap().to_vec();
    bytes[10] ^= 1;
    world.objects.put(&path(&flipped), bytes.into()).await.unwrap();
    expected.push((flipped.key.clone(), "expected checksum"));
    files.push(flipped);

    let mut miscounted = world.put(&[(Some(1), "a")]).await;
    miscounted.rows = 2;
    expected.push((miscounted.key.clone(), "expected 2 rows, found 1"));
    files.push(miscounted);

    let mut nulls = world.put(&[(Some(1), "a")]).await;
    nulls.columns[0].nulls = 1;
    expected.push((nulls.key.clone(), "column `k`: expected 1 NULLs, found 0"));
    files.push(nulls);

    let mut bound = world.put(&[(Some(1), "a")]).await;
    bound.columns[0].max = Some(StatisticValue::Integer(7));
    expected.push((bound.key.clone(), "column `k`: the least or greatest value"));
    files.push(bound);

    let whole = world.put(&[(Some(1), "a")]).await;
    files.push(whole);
    world.commit(files).await;

    let reply = check(&world).await;
    assert_eq!((reply.files, reply.rows), (7, 1));
    for (key, said) in expected {
        let found: Vec<&DamagedFile> = reply.damaged.iter().filter(|damaged| damaged.key == key).collect();
        assert_eq!(found.len(), 1, "{key}");
        assert!(found[0].message.contains(said), "{}", found[0].message);
    }
    assert_eq!(reply.damaged.len(), 6);
}

#[tokio::test]
async fn check_goes_on_where_its_time_ended() {
    let world = World::new().await;
    for _ in 0..5 {
        world.load(&[(Some(1), "a")]).await;
    }
    let mut request = CheckRequest { table: world.table.id.0, after: None, budget_ms: 0 };
    let mut files = 0;
    loop {
        let CheckAnswer::Done(reply) = world.maintainer.check(&request).await else { panic!("refused") };
        files += reply.files;
        if reply.finished {
            break;
        }
        assert!(reply.files > 0, "every piece goes on");
        request.after = reply.after;
    }
    assert_eq!(files, 5);
}

#[tokio::test]
async fn damaged_manifest_is_named() {
    let world = World::new().await;
    for _ in 0..8 {
        world.load(&[(Some(1), "a")]).await;
    }
    world.run().await;
    let layout = world.catalog.unread_state(world.table.id).await.unwrap().layout.unwrap().value;
    let key = layout.manifests[0].object.key.clone();
    world.objects.put(&Path::from(format!("path/{key}")), "x".into()).await.unwrap();
    let reply = check(&world).await;
    assert_eq!(reply.damaged.len(), 1);
    assert_eq!(reply.damaged[0].key, key);
}
