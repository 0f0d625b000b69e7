//! Claims on merging.

use std::sync::Arc;

use arrow_array::{ArrayRef, Int64Array, StringArray};
use async_trait::async_trait;
use futures::stream::BoxStream;
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore, PutMultipartOptions,
    PutOptions, PutPayload, PutResult,
};
use penstock_storage::{MemoryVolumes, StorageError, Volume, Volumes};

use super::world::{NOW_MS, World};

#[tokio::test]
async fn small_files_become_one_sorted_by_the_key() {
    let world = World::new().await;
    for number in 0..8 {
        world.load(&[(Some(90 - number), "b"), (None, "n"), (Some(number), "a")]).await;
    }
    let before = world.rows().await;
    let report = world.run().await;
    assert_eq!((report.merges, report.commits, report.failures), (1, 8, 0));
    assert_eq!(world.rows().await, before);
    let files = world.files().await;
    assert_eq!(files.len(), 1);
    assert!(files[0].sorted);
    let keys: Vec<Option<i64>> = world.rows_of(&files[0]).await.into_iter().map(|row| row.0).collect();
    assert!(keys.is_sorted(), "{keys:?}");
    assert_eq!(files[0].columns[0].nulls, 8);
    assert_eq!(world.run().await.passes, 0, "nothing is left to do");
}

#[tokio::test]
async fn table_is_left_alone_until_there_is_enough_or_it_is_old() {
    let world = World::new().await;
    world.load(&[(Some(2), "b")]).await;
    world.load(&[(Some(1), "a")]).await;
    assert_eq!(world.run().await.merges, 1, "the first run looks at everything");
    world.load(&[(Some(3), "c")]).await;
    assert_eq!(world.run().await.passes, 0);
    world.clock.advance(600_000);
    let report = world.run().await;
    assert_eq!((report.passes, report.merges), (1, 1));
    assert_eq!(world.files().await.len(), 1);
}

#[tokio::test]
async fn rows_of_equal_keys_keep_their_order() {
    let world = World::new().await;
    for number in 0..20 {
        world.load(&[(Some(1), &format!("{number:02}")), (Some(0), "x")]).await;
        if number % 9 == 8 {
            world.run().await;
        }
    }
    world.hours_pass(1);
    world.run().await;
    let files = world.files().await;
    assert_eq!(files.len(), 1);
    let values: Vec<String> =
        world.rows_of(&files[0]).await.into_iter().filter(|row| row.0 == Some(1)).map(|row| row.1).collect();
    assert!(values.is_sorted(), "{values:?}");
    assert_eq!(values.len(), 20);
}

#[tokio::test]
async fn deadline_leaves_the_rest_to_the_next_run() {
    let world = World::new().await;
    for _ in 0..8 {
        world.load(&[(Some(1), "a")]).await;
    }
    let report = world.maintainer.run(NOW_MS).await.unwrap();
    assert_eq!((report.finished, report.merges), (false, 0));
    assert!(world.run().await.finished);
    assert_eq!(world.files().await.len(), 1);
}

#[tokio::test]
async fn damaged_file_is_left_out_and_told() {
    let world = World::new().await;
    let damaged = world.load(&[(Some(1), "a")]).await;
    for _ in 0..8 {
        world.load(&[(Some(2), "b")]).await;
    }
    use object_store::ObjectStoreExt;
    world.objects.put(&Path::from(format!("path/{damaged}")), "nothing".into()).await.unwrap();
    assert_eq!(world.run().await.merges, 1);
    let mut keys: Vec<String> = world.files().await.into_iter().map(|file| file.key).collect();
    assert_eq!(keys.len(), 2);
    keys.retain(|key| *key == damaged);
    assert_eq!(keys.len(), 1, "it still counts");
    let state = world.catalog.unread_state(world.table.id).await.unwrap();
    let failure = state.maintenance.unwrap().failure.unwrap();
    assert!(failure.contains(&damaged) && failure.contains("expected"), "{failure}");
}

#[tokio::test]
async fn two_maintainers_at_once_lose_no_row_and_double_none() {
    let world = Arc::new(World::new().await);
    let loads = {
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            for number in 0..60 {
                world.load(&[(Some(number), "a"), (Some(-number), "b")]).await;
                tokio::task::yield_now().await;
            }
        })
    };
    let runs: Vec<_> = (0..2)
        .map(|_| {
            let world = Arc::clone(&world);
            tokio::spawn(async move {
                for _ in 0..20 {
                    world.run().await;
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    loads.await.unwrap();
    for run in runs {
        run.await.unwrap();
    }
    world.hours_pass(1);
    world.run().await;
    let rows = world.rows().await;
    let mut expected: Vec<(Option<i64>, String)> =
        (0..60).flat_map(|number| [(Some(number), "a".to_owned()), (Some(-number), "b".to_owned())]).collect();
    expected.sort();
    assert_eq!(rows, expected);
    assert!(world.files().await.len() <= 2);
}

#[tokio::test]
async fn crash_at_any_request_leaves_every_row_once() {
    for requests in 0..60 {
        let dying = Arc::new(Dying { held: Arc::default(), left: std::sync::Mutex::new(None) });
        let world = World::over(Arc::<Dying>::clone(&dying)).await;
        for number in 0..9 {
            world.load(&[(Some(number), "a")]).await;
        }
        let before = world.rows().await;
        *dying.left.lock().unwrap() = Some(requests);
        let _ = world.maintainer.run(i64::MAX).await;
        *dying.left.lock().unwrap() = None;
        assert_eq!(world.rows().await, before, "after {requests} requests");
        world.hours_pass(1);
        world.run().await;
        assert_eq!(world.rows().await, before, "after {requests} requests and a further run");
        assert_eq!(world.files().await.len(), 1);
    }
}

/// Objects that answer some requests, and fail all that follow.
struct Dying {
    held: Arc<MemoryVolumes>,
    left: std::sync::Mutex<Option<u32>>,
}

impl Volumes for Dying {
    fn open(&self, volume: &Volume) -> Result<Arc<dyn ObjectStore>, StorageError> {
        let mut left = self.left.lock().unwrap();
        let dead = match left.as_mut() {
            Some(0) => true,
            Some(left) => {
                *left -= 1;
                false
            }
            None => false,
        };
        if dead { Ok(Arc::new(Dead)) } else { self.held.open(volume) }
    }
}

#[derive(Debug)]
struct Dead;

impl std::fmt::Display for Dead {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("dead")
    }
}

fn dead<T>() -> object_store::Result<T> {
    Err(object_store::Error::Generic { store: "dead", source: "dead".into() })
}

#[async_trait]
impl ObjectStore for Dead {
    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> object_store::Result<PutResult> {
        dead()
    }
    async fn put_multipart_opts(
        &self,
        _: &Path,
        _: PutMultipartOptions,
    ) -> object_store::Result<Box<dyn MultipartUpload>> {
        dead()
    }
    async fn get_opts(&self, _: &Path, _: GetOptions) -> object_store::Result<GetResult> {
        dead()
    }
    fn delete_stream(
        &self,
        _: BoxStream<'static, object_store::Result<Path>>,
    ) -> BoxStream<'static, object_store::Result<Path>> {
        Box::pin(futures::stream::once(async { dead() }))
    }
    fn list(&self, _: Option<&Path>) -> BoxStream<'static, object_store::Result<ObjectMeta>> {
        Box::pin(futures::stream::once(async { dead() }))
    }
    async fn list_with_delimiter(&self, _: Option<&Path>) -> object_store::Result<ListResult> {
        dead()
    }
    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> object_store::Result<()> {
        dead()
    }
}

/// Files that do not fit into memory together: wide rows, which compress well.
#[tokio::test]
async fn rows_of_many_megabytes_are_merged_in_order() {
    let world = World::new().await;
    let wide = "x".repeat(90);
    let mut expected = 0_u64;
    for file in 0..12_i64 {
        let rows = 100_000_i64;
        let keys: ArrayRef = Arc::new((0..rows).map(|row| Some((row * 7919 + file) % rows)).collect::<Int64Array>());
        let values: ArrayRef = Arc::new(StringArray::from_iter_values((0..rows).map(|_| &wide)));
        world.commit(vec![world.put_batch(vec![keys, values]).await]).await;
        expected += rows as u64;
    }
    let report = world.run().await;
    assert_eq!(report.failures, 0);
    let files = world.files().await;
    assert_eq!(files.len(), 1);
    assert_eq!(files[0].rows, expected);
    let keys: Vec<Option<i64>> = world.rows_of(&files[0]).await.into_iter().map(|row| row.0).collect();
    assert!(keys.is_sorted());
}
