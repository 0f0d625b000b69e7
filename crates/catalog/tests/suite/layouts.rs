//! Claims on layouts: readers see the same before and after a fold, and every row once.

use std::collections::BTreeMap;
use std::sync::Arc;

use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt};
use penstock_catalog::Catalog;
use penstock_catalog::clock::ManualClock;
use penstock_catalog::commit::{Commit, CommitOutcome, DataFile, ErrorFile};
use penstock_catalog::coverage::Fault;
use penstock_catalog::database::Created;
use penstock_catalog::dropped::STRAGGLERS_MS;
use penstock_catalog::error::CatalogError;
use penstock_catalog::job::Job;
use penstock_catalog::layout::{Folded, GRACE_MS, MaintenanceReport, Replacement, TableState};
use penstock_catalog::rejected::{Replay, ReplayCounts, standing};
use penstock_catalog::removal::Removed;
use penstock_catalog::store::{Action, Condition, Key, Store, Write};
use penstock_kernel::loaded::{LoadStatistics, TablePartition};
use penstock_kernel::table::TableDefinition;
use penstock_storage::{MemoryVolumes, Volume, Volumes};

use super::faults::{Fault as StoreFault, Faulty};
use super::sample::{self, DATABASE, commit, definition, moved, snapshot};

type Held = Arc<dyn Store>;

struct World {
    catalog: Catalog,
    clock: Arc<ManualClock>,
    objects: Arc<dyn ObjectStore>,
    volumes: Arc<MemoryVolumes>,
    store: Held,
    table: TableDefinition,
    job: Job,
}

fn volume() -> Volume {
    Volume {
        name: "v".to_owned(),
        location: "s3://bucket/path".to_owned(),
        properties: BTreeMap::new(),
        enabled: true,
        comment: String::new(),
    }
}

impl World {
    async fn new(store: Held) -> Self {
        let (catalog, clock) = sample::catalog(Arc::clone(&store));
        let volumes = Arc::new(MemoryVolumes::new());
        let catalog = catalog.with_volumes(Arc::clone(&volumes) as Arc<dyn Volumes>);
        catalog.put_volume(&volume()).await.unwrap();
        let Created::New(table) = catalog.create_table(sample::table(DATABASE, "t")).await.unwrap() else {
            panic!("the database was empty")
        };
        let Created::New(job) = catalog.create_job(definition("j", table.id)).await.unwrap() else {
            panic!("the database was empty")
        };
        let objects = volumes.open(&volume()).unwrap();
        Self { catalog, clock, objects, volumes, store, table, job }
    }

    /// Commits 10 rows in a file under the commit's id.
    async fn load(&self, id: &str) {
        self.load_with(id, |_| {}).await;
    }

    async fn load_with(&self, id: &str, change: impl FnOnce(&mut Commit)) {
        let read = snapshot(&self.catalog, self.job.id).await;
        let mut moves = [moved(&read, 0, 10)];
        let counts = LoadStatistics { records: 10, total: 10, loaded: 10, ..LoadStatistics::default() };
        moves[0].after.statistics = read.progress.get(&0).map(|read| read.value.statistics).unwrap_or_default();
        moves[0].after.statistics += counts;
        let mut commit = commit(id, &read.job, &moves);
        commit.files = vec![file(id, 10)];
        for range in &mut commit.ranges {
            range.skipped = 0;
            range.statistics = counts;
        }
        change(&mut commit);
        assert_eq!(self.catalog.commit(&commit, read.job.fence, &moves).await.unwrap(), CommitOutcome::Committed);
    }

    async fn state(&self) -> TableState {
        self.catalog.table_state(&self.table).await.unwrap()
    }

    async fn fold(&self, replacements: &[Replacement]) -> Folded {
        let state = self.state().await;
        self.catalog.fold(&state, replacements, false).await.unwrap()
    }

    async fn seen(&self) -> Vec<String> {
        let files = self.catalog.data_files(&self.table).await.unwrap();
        let mut keys: Vec<String> = files.into_iter().map(|file| file.key).collect();
        keys.sort();
        keys
    }

    async fn fault(&self) -> Option<Fault> {
        self.catalog.coverage(self.job.id).await.unwrap().unwrap().remove(0).fault
    }

    async fn delete(&self, sk: &str) {
        let key = Key::new(format!("table#{}", self.table.id), sk);
        assert!(self.store.get(&key).await.unwrap().is_some(), "no item {key}");
        self.store.write(Write { key, condition: Condition::Always, action: Action::Delete }).await.unwrap();
    }
}

fn file(key: &str, rows: u64) -> DataFile {
    DataFile {
        key: key.to_owned(),
        table_partition: TablePartition::Whole,
        rows,
        bytes: rows,
        columns: Vec::new(),
        crc32c: None,
        sorted: false,
    }
}

fn merged(removed: &[&str], key: &str) -> Replacement {
    let rows = removed.len() as u64 * 10;
    Replacement { removed: removed.iter().map(|key| (*key).to_owned()).collect(), added: vec![file(key, rows)] }
}

fn is_now(folded: &Folded) -> bool {
    matches!(folded, Folded::Now(_))
}

pub(crate) async fn fold_changes_nothing_that_readers_see(store: Held) {
    let world = World::new(store).await;
    for id in ["01", "02"] {
        world.load(id).await;
    }
    let before = world.catalog.committed(&world.table).await.unwrap();
    assert!(is_now(&world.fold(&[]).await));
    let after = world.catalog.committed(&world.table).await.unwrap();
    assert_eq!(before, after);
    assert_eq!(world.state().await.commits, []);
    world.load("03").await;
    assert_eq!(world.seen().await, ["01", "02", "03"]);
    assert_eq!(world.state().await.commits.len(), 1);
    assert!(is_now(&world.fold(&[]).await));
    assert_eq!(world.seen().await, ["01", "02", "03"]);
    assert_eq!(world.state().await.manifests.len(), 1, "a short manifest grows");
}

pub(crate) async fn merged_files_take_the_place_of_others(store: Held) {
    let world = World::new(store).await;
    for id in ["01", "02", "03"] {
        world.load(id).await;
    }
    assert!(is_now(&world.fold(&[merged(&["01", "03"], "m")]).await));
    assert_eq!(world.seen().await, ["02", "m"]);
    assert!(is_now(&world.fold(&[merged(&["02", "m"], "n")]).await));
    assert_eq!(world.seen().await, ["n"]);
}

pub(crate) async fn of_two_folds_of_one_state_one_wins(store: Held) {
    let world = World::new(store).await;
    for id in ["01", "02"] {
        world.load(id).await;
    }
    for (one, other) in [("m", "n"), ("o", "p")] {
        let state = world.state().await;
        let files: Vec<&str> = state.files().map(|file| file.key.as_str()).collect();
        let (one, other) = ([merged(&files, one)], [merged(&files, other)]);
        assert!(is_now(&world.catalog.fold(&state, &one, false).await.unwrap()));
        assert_eq!(world.catalog.fold(&state, &other, false).await.unwrap(), Folded::Conflict);
        assert_eq!(world.seen().await, [one[0].added[0].key.clone()]);
    }
}

pub(crate) async fn commit_behind_the_state_is_not_folded(store: Held) {
    let world = World::new(store).await;
    world.load("02").await;
    let state = world.state().await;
    // Its id sorts before what was read.
    world.load("01").await;
    assert!(is_now(&world.catalog.fold(&state, &[], false).await.unwrap()));
    assert_eq!(world.seen().await, ["01", "02"]);
    assert_eq!(world.state().await.commits.len(), 1);
}

pub(crate) async fn removal_and_fold_know_of_each_other(store: Held) {
    let world = World::new(store).await;
    for id in ["01", "02"] {
        world.load(id).await;
    }
    let stale = world.state().await;
    assert_eq!(world.catalog.remove_files(world.table.id, |file| file.key == "01").await.unwrap(), Removed::Files(1));
    let void = [merged(&["01", "02"], "m")];
    assert_eq!(world.catalog.fold(&stale, &void, false).await.unwrap(), Folded::Conflict);
    assert_eq!(world.seen().await, ["02"]);
    match world.fold(&void).await {
        Folded::Now(summary) => assert_eq!((summary.void, summary.gone), (1, 1)),
        other => panic!("{other:?}"),
    }
    assert_eq!(world.seen().await, ["02"]);
    world.load("03").await;
    assert!(is_now(&world.fold(&[]).await));
    // Now both lie in a manifest.
    world.load("04").await;
    assert_eq!(world.catalog.remove_files(world.table.id, |file| file.key != "03").await.unwrap(), Removed::Files(2));
    assert_eq!(world.seen().await, ["03"]);
    world.load("05").await;
    assert_eq!(world.seen().await, ["03", "05"]);
    assert!(is_now(&world.fold(&[]).await));
    assert_eq!(world.seen().await, ["03", "05"]);
    assert!(!world.state().await.has_removals());
}

pub(crate) async fn sweep_deletes_after_grace_and_readers_see_the_same(store: Held) {
    let world = World::new(store).await;
    for id in ["01", "02"] {
        world.load(id).await;
        world.objects.put(&Path::from(format!("path/{id}")), "x".into()).await.unwrap();
    }
    assert!(is_now(&world.fold(&[merged(&["01", "02"], "m")]).await));
    let objects = || async {
        use futures::TryStreamExt;
        world.objects.list(None).try_collect::<Vec<_>>().await.unwrap().len()
    };
    let items = || async { world.store.query(&format!("table#{}", world.table.id), "").await.unwrap().len() };
    let (held, kept) = (objects().await, items().await);
    world.clock.advance(GRACE_MS - 1);
    assert_eq!(world.catalog.sweep(&world.table).await.unwrap().objects, 0);
    assert_eq!((objects().await, items().await), (held, kept));
    world.clock.advance(1);
    assert_eq!(world.catalog.sweep(&world.table).await.unwrap().objects, 0, "only now anybody saw the layout");
    world.clock.advance(GRACE_MS - 1);
    assert_eq!(world.catalog.sweep(&world.table).await.unwrap().objects, 0);
    assert_eq!((objects().await, items().await), (held, kept));
    world.clock.advance(1);
    let swept = world.catalog.sweep(&world.table).await.unwrap();
    assert_eq!((swept.objects, swept.items), (2, 2));
    assert_eq!((objects().await, items().await), (held - 3, kept - 2), "both files and the list of them");
    assert_eq!(world.seen().await, ["m"]);
    assert_eq!(world.catalog.sweep(&world.table).await.unwrap().items, 0, "the fold stays for its own grace");
    world.clock.advance(GRACE_MS);
    assert_eq!(world.catalog.sweep(&world.table).await.unwrap().items, 1);
    assert_eq!(world.state().await.layout.unwrap().value.folds, []);
    assert_eq!(world.seen().await, ["m"]);
    assert_eq!(world.fault().await, None);
}

pub(crate) async fn coverage_survives_folds_and_names_what_is_missing(store: Held) {
    let world = World::new(store).await;
    for id in ["01", "02", "03", "04"] {
        world.load(id).await;
    }
    assert_eq!(world.fault().await, None);
    world.delete("commit#03").await;
    assert_eq!(world.fault().await, Some(Fault::Missing(20, 30)));
    assert!(is_now(&world.fold(&[]).await));
    assert_eq!(world.fault().await, Some(Fault::Missing(20, 30)), "a fold hides nothing");
    world.load("05").await;
    let coverage = world.catalog.coverage(world.job.id).await.unwrap().unwrap().remove(0);
    let ranges: Vec<_> = coverage.ranges.iter().map(|one| (one.from_offset, one.to_offset, one.commits)).collect();
    assert_eq!(ranges, [(0, 20, 2), (30, 50, 2)]);
    assert_eq!((coverage.next_offset, coverage.statistics.loaded), (50, 40));
}

pub(crate) async fn edited_count_is_named(store: Held) {
    let world = World::new(store).await;
    world.load("01").await;
    world.load_with("02", |commit| commit.ranges[0].statistics.loaded = 9).await;
    assert_eq!(world.fault().await, Some(Fault::Rows { from_offset: 10, to_offset: 20, total: 10, sum: 9 }));
    let world = World::new(Arc::new(penstock_catalog::store::memory::MemoryStore::new())).await;
    world.load("01").await;
    world
        .load_with("02", |commit| {
            commit.ranges[0].statistics.loaded = 9;
            commit.ranges[0].statistics.total = 9;
        })
        .await;
    assert_eq!(world.fault().await, Some(Fault::Sum { what: "rows", ranges: 19, progress: 20 }));
}

pub(crate) async fn rejected_rows_survive_folds(store: Held) {
    let world = World::new(store).await;
    let errors = |id: &str| Some(ErrorFile { key: format!("rejected/{id}"), rows: 1, bytes: 1, columns: Vec::new() });
    for id in ["01", "02", "03"] {
        world.load_with(id, |commit| commit.errors = errors(id)).await;
    }
    assert!(is_now(&world.fold(&[]).await));
    let rejected = || async {
        let committed = world.catalog.committed(&world.table).await.unwrap();
        standing(committed.rejections).into_iter().map(|one| one.commit).collect::<Vec<_>>()
    };
    assert_eq!(rejected().await, ["01", "02", "03"]);
    let read = snapshot(&world.catalog, world.job.id).await;
    let counts = ReplayCounts { replayed: 2, loaded: 2, rejected: 0, unselected: 0 };
    let replay = Commit {
        files: vec![file("04", 2)],
        replay: Some(Replay { replaces: vec!["01".to_owned(), "03".to_owned()], counts }),
        ..commit("04", &read.job, &[])
    };
    world.catalog.replay(&replay, read.job.fence, read.replays.as_ref()).await.unwrap();
    assert_eq!(rejected().await, ["02"]);
    assert!(is_now(&world.fold(&[]).await));
    assert_eq!(rejected().await, ["02"]);
    assert_eq!(world.state().await.ledger.rejections.len(), 1, "what was replayed is forgotten");
    assert_eq!(standing(world.catalog.rejections(world.job.id).await.unwrap()).len(), 1);
}

pub(crate) async fn damaged_or_missing_manifest_is_named(store: Held) {
    let world = World::new(store).await;
    world.load("01").await;
    assert!(is_now(&world.fold(&[]).await));
    let key = world.state().await.layout.unwrap().value.manifests.remove(0).object.key;
    let path = Path::from(format!("path/{key}"));
    let whole = world.objects.get(&path).await.unwrap().bytes().await.unwrap();
    for damaged in [Some(whole.slice(..whole.len() - 1)), None] {
        match damaged {
            Some(damaged) => drop(world.objects.put(&path, damaged.into()).await.unwrap()),
            None => world.objects.delete(&path).await.unwrap(),
        }
        match world.catalog.data_files(&world.table).await {
            Err(CatalogError::Unreadable { key: named, .. }) => assert_eq!(named, key),
            other => panic!("{other:?}"),
        }
    }
}

pub(crate) async fn lost_reply_to_a_fold_shows_every_row_once(store: Held) {
    let world = World::new(Arc::clone(&store)).await;
    for (id, fault, after) in [
        ("01", StoreFault::LoseReply, 0),
        ("02", StoreFault::LoseReply, 1),
        ("03", StoreFault::LoseRequest, 0),
        ("04", StoreFault::LoseRequest, 1),
    ] {
        world.load(id).await;
        let faulty = Faulty::after(after, fault, Arc::clone(&store));
        let clock = Arc::<ManualClock>::clone(&world.clock) as Arc<_>;
        let volumes = Arc::clone(&world.volumes) as Arc<dyn Volumes>;
        let failing = Catalog::new(faulty, clock).with_volumes(volumes);
        let state = world.state().await;
        let before = world.seen().await;
        assert!(failing.fold(&state, &[], false).await.is_err());
        assert_eq!(world.seen().await, before);
        let _ = world.fold(&[]).await;
        assert_eq!(world.seen().await, before);
        assert_eq!(world.fault().await, None);
    }
}

pub(crate) async fn dropped_table_is_cleared(store: Held) {
    let world = World::new(store).await;
    world.load("01").await;
    assert!(is_now(&world.fold(&[]).await));
    world.catalog.drop_table(DATABASE, "t").await.unwrap().unwrap();
    let dropped = world.catalog.dropped_tables().await.unwrap().remove(0);
    assert!(!dropped.is_due(i64::MAX), "nobody has seen it");
    for later_ms in [0, 1_000] {
        world.clock.set(sample::NOW_MS + later_ms);
        world.catalog.see_dropped(&dropped).await.unwrap();
        let seen = world.catalog.dropped_tables().await.unwrap().remove(0);
        assert!(!seen.is_due(sample::NOW_MS + GRACE_MS - 1) && seen.is_due(sample::NOW_MS + GRACE_MS));
    }
    assert_eq!(world.fold(&[]).await, Folded::TableGone);
    world.catalog.clear_dropped(&dropped).await.unwrap();
    world.catalog.see_dropped(&dropped).await.unwrap();
    assert_eq!(world.store.query(&format!("table#{}", world.table.id), "").await.unwrap(), []);
    // A run that stood still all the while writes its report.
    world.catalog.report_maintenance(world.table.id, &MaintenanceReport::default()).await.unwrap();
    let cleared = world.catalog.dropped_tables().await.unwrap().remove(0);
    let at_ms = cleared.cleared_at_ms.unwrap();
    assert!(!cleared.is_due(at_ms + STRAGGLERS_MS - 1) && cleared.is_due(at_ms + STRAGGLERS_MS));
    world.catalog.clear_dropped(&cleared).await.unwrap();
    assert_eq!(world.store.query(&format!("table#{}", world.table.id), "").await.unwrap(), []);
    assert_eq!(world.catalog.dropped_tables().await.unwrap(), []);
}

pub(crate) async fn racing_folds_loads_and_readers_see_every_row_once(store: Held) {
    let world = Arc::new(World::new(store).await);
    let loads = {
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            for number in 0..24 {
                // Ids do not sort by time.
                world.load(&format!("{:02}-{number}", (number * 37) % 24)).await;
            }
        })
    };
    let folds = (0..2).map(|folder| {
        let world = Arc::clone(&world);
        tokio::spawn(async move {
            for round in 0..8 {
                let state = world.state().await;
                let keys: Vec<&DataFile> = state.files().collect();
                let rows = keys.iter().map(|file| file.rows).sum();
                let replacement = Replacement {
                    removed: keys.iter().map(|file| file.key.clone()).collect(),
                    added: vec![file(&format!("m-{folder}-{round}"), rows)],
                };
                world.catalog.fold(&state, &[replacement], false).await.unwrap();
            }
        })
    });
    let folds: Vec<_> = folds.collect();
    let rows = || async {
        let files = world.catalog.data_files(&world.table).await.unwrap();
        files.iter().map(|file| file.rows).sum::<u64>()
    };
    let committed = || async {
        let read = snapshot(&world.catalog, world.job.id).await;
        read.progress.get(&0).map_or(0, |read| read.value.statistics.loaded)
    };
    while !loads.is_finished() {
        let before = committed().await;
        let rows = rows().await;
        let after = committed().await;
        assert!((before..=after).contains(&rows), "{rows} rows are not {before} to {after}");
        tokio::task::yield_now().await;
    }
    loads.await.unwrap();
    for fold in folds {
        fold.await.unwrap();
    }
    assert_eq!(rows().await, 240);
    assert_eq!(world.fault().await, None);
}
