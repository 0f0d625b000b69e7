//! Claims on commits: exactly once, whatever else happens.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use penstock_catalog::Catalog;
use penstock_catalog::clock::SystemClock;
use penstock_catalog::commit::{Commit, CommitOutcome, MAX_COMMIT_SOURCE_PARTITIONS, ProgressMove};
use penstock_catalog::error::CatalogError;
use penstock_catalog::job::{JobSnapshot, SourceReport};
use penstock_catalog::store::Store;
use penstock_kernel::encode::{ColumnStatistics, StatisticValue};
use penstock_kernel::ids::{JobId, TableId};
use penstock_kernel::state::JobEvent;

use super::faults::{Fault, Faulty, Forgetful};
use super::sample::{TABLE, catalog, change, commit, job, moved, pause, progress, snapshot};

type Held = Arc<dyn Store>;

/// Commits 10 records more of each of these source partitions, as a loader would that has just read the snapshot.
async fn load(
    catalog: &Catalog,
    read: &JobSnapshot,
    id: &str,
    source_partitions: std::ops::Range<i32>,
) -> Result<CommitOutcome, CatalogError> {
    let moves: Vec<ProgressMove> = source_partitions.map(|at| moved(read, at, 10)).collect();
    catalog.commit(&commit(id, &read.job, &moves), read.job.fence, &moves).await
}

async fn next_offsets(catalog: &Catalog, id: JobId) -> BTreeMap<i32, i64> {
    let read = snapshot(catalog, id).await;
    read.progress.into_iter().map(|(at, progress)| (at, progress.value.next_offset)).collect()
}

async fn ids(catalog: &Catalog, table: TableId) -> Vec<String> {
    catalog.commits(table).await.unwrap().into_iter().map(|commit| commit.id).collect()
}

fn is_conflict(outcome: &CommitOutcome) -> bool {
    matches!(outcome, CommitOutcome::Conflict { .. })
}

pub(crate) async fn commit_shows_files_and_moves_progress(store: Held) {
    let (catalog, _) = catalog(store);
    let id = job(&catalog).await.id;
    let read = snapshot(&catalog, id).await;
    assert_eq!(load(&catalog, &read, "01", 0..2).await.unwrap(), CommitOutcome::Committed);
    let read = snapshot(&catalog, id).await;
    assert_eq!(read.progress[&1].value, progress(10, read.job.fence));
    assert_eq!(load(&catalog, &read, "02", 1..3).await.unwrap(), CommitOutcome::Committed);
    assert_eq!(next_offsets(&catalog, id).await, BTreeMap::from([(0, 10), (1, 20), (2, 10)]));
    let commits = catalog.commits(TABLE).await.unwrap();
    assert_eq!(commits[0].files[0].key, "01.parquet");
    let ranges: Vec<(i32, i64, i64)> =
        commits[1].ranges.iter().map(|range| (range.source_partition, range.from_offset, range.to_offset)).collect();
    assert_eq!(ranges, [(1, 10, 20), (2, 0, 10)]);
}

pub(crate) async fn commits_are_listed_by_id_of_their_table_only(store: Held) {
    let (catalog, _) = catalog(store);
    let id = job(&catalog).await.id;
    for commit in ["03", "01", "02"] {
        load(&catalog, &snapshot(&catalog, id).await, commit, 0..1).await.unwrap();
    }
    assert_eq!(ids(&catalog, TABLE).await, ["01", "02", "03"]);
    assert_eq!(catalog.commits(TableId(20)).await.unwrap(), []);
}

pub(crate) async fn repeated_commit_happens_once(store: Held) {
    let (catalog, _) = catalog(store);
    let id = job(&catalog).await.id;
    let read = snapshot(&catalog, id).await;
    assert_eq!(load(&catalog, &read, "01", 0..2).await.unwrap(), CommitOutcome::Committed);
    let again = load(&catalog, &read, "01", 0..2).await.unwrap();
    assert!(!is_conflict(&again), "{again:?}");
    assert_eq!(next_offsets(&catalog, id).await, BTreeMap::from([(0, 10), (1, 10)]));
    assert_eq!(ids(&catalog, TABLE).await, ["01"]);
}

pub(crate) async fn lost_reply_to_a_commit_is_made_up_for(store: Held) {
    let (healthy, clock) = catalog(Arc::clone(&store));
    let id = job(&healthy).await.id;
    for fault in [Fault::LoseReply, Fault::LoseRequest] {
        let name = if fault == Fault::LoseReply { "01" } else { "02" };
        let faulty = Faulty::after(0, fault, Arc::clone(&store));
        let failing = Catalog::new(Arc::<Faulty>::clone(&faulty), Arc::<_>::clone(&clock) as Arc<_>);
        let read = snapshot(&healthy, id).await;
        let lost = load(&failing, &read, name, 0..1).await;
        assert!(matches!(lost, Err(CatalogError::Unavailable { .. })), "{lost:?}");
        faulty.heal();
        let again = load(&failing, &read, name, 0..1).await.unwrap();
        assert!(!is_conflict(&again), "{again:?}");
    }
    assert_eq!(next_offsets(&healthy, id).await, BTreeMap::from([(0, 20)]));
    assert_eq!(ids(&healthy, TABLE).await, ["01", "02"]);
}

pub(crate) async fn repeated_commit_is_known_after_its_token_is_forgotten(store: Held) {
    let (catalog, _) = catalog(Forgetful::over(store));
    let id = job(&catalog).await.id;
    for name in ["01", "02"] {
        let read = snapshot(&catalog, id).await;
        assert_eq!(load(&catalog, &read, name, 0..2).await.unwrap(), CommitOutcome::Committed);
        assert_eq!(load(&catalog, &read, name, 0..2).await.unwrap(), CommitOutcome::AlreadyCommitted);
    }
    assert_eq!(next_offsets(&catalog, id).await, BTreeMap::from([(0, 20), (1, 20)]));
}

pub(crate) async fn commit_from_stale_progress_conflicts_and_shows_what_is_stored(store: Held) {
    let (catalog, _) = catalog(store);
    let id = job(&catalog).await.id;
    load(&catalog, &snapshot(&catalog, id).await, "01", 0..2).await.unwrap();
    let stale = snapshot(&catalog, id).await;
    load(&catalog, &stale, "02", 1..2).await.unwrap();
    let CommitOutcome::Conflict { stored } = load(&catalog, &stale, "03", 0..2).await.unwrap() else { panic!() };
    assert_eq!(stored.get(&1).map(|progress| progress.next_offset), Some(20));
    assert_eq!(next_offsets(&catalog, id).await, BTreeMap::from([(0, 10), (1, 20)]));
    assert_eq!(ids(&catalog, TABLE).await, ["01", "02"]);
}

pub(crate) async fn of_racing_first_commits_one_wins(store: Held) {
    let (catalog, _) = catalog(store);
    let id = job(&catalog).await.id;
    let read = Arc::new(snapshot(&catalog, id).await);
    let loaders: Vec<_> = (0..6)
        .map(|n| {
            let (catalog, read) = (catalog.clone(), Arc::clone(&read));
            tokio::spawn(async move { load(&catalog, &read, &format!("0{n}"), 0..2).await.unwrap() })
        })
        .collect();
    let mut committed = 0;
    for loader in loaders {
        match loader.await.unwrap() {
            CommitOutcome::Committed => committed += 1,
            outcome => assert!(is_conflict(&outcome), "{outcome:?}"),
        }
    }
    assert_eq!(committed, 1);
    assert_eq!(ids(&catalog, TABLE).await.len(), 1);
    assert_eq!(next_offsets(&catalog, id).await, BTreeMap::from([(0, 10), (1, 10)]));
}

pub(crate) async fn pause_refuses_the_batch_in_flight(store: Held) {
    let (catalog, _) = catalog(store);
    let id = job(&catalog).await.id;
    load(&catalog, &snapshot(&catalog, id).await, "01", 0..2).await.unwrap();
    for event in [pause(), JobEvent::Resume, JobEvent::Stop] {
        let in_flight = snapshot(&catalog, id).await;
        change(&catalog, id, event).await;
        let outcome = load(&catalog, &in_flight, "02", 0..2).await.unwrap();
        assert!(is_conflict(&outcome), "{outcome:?}");
    }
    assert_eq!(ids(&catalog, TABLE).await, ["01"]);
}

pub(crate) async fn pause_refuses_the_first_batch_in_flight(store: Held) {
    let (catalog, _) = catalog(store);
    let id = job(&catalog).await.id;
    let in_flight = snapshot(&catalog, id).await;
    change(&catalog, id, pause()).await;
    let outcome = load(&catalog, &in_flight, "01", 0..2).await.unwrap();
    assert_eq!(outcome, CommitOutcome::Conflict { stored: BTreeMap::new() });
    assert_eq!(next_offsets(&catalog, id).await, BTreeMap::new());
}

pub(crate) async fn progress_younger_than_the_job_conflicts(store: Held) {
    let (catalog, _) = catalog(store);
    let id = job(&catalog).await.id;
    load(&catalog, &snapshot(&catalog, id).await, "01", 0..1).await.unwrap();
    let before = snapshot(&catalog, id).await;
    change(&catalog, id, pause()).await;
    // A snapshot whose job was read before the pause and whose progress after it.
    let torn = JobSnapshot { job: before.job, ..snapshot(&catalog, id).await };
    let outcome = load(&catalog, &torn, "02", 0..1).await.unwrap();
    assert!(is_conflict(&outcome), "{outcome:?}");
    assert_eq!(ids(&catalog, TABLE).await, ["01"]);
}

pub(crate) async fn commit_moves_97_source_partitions_and_no_more(store: Held) {
    let (catalog, _) = catalog(store);
    let id = job(&catalog).await.id;
    let most = i32::try_from(MAX_COMMIT_SOURCE_PARTITIONS).unwrap();
    for name in ["01", "02"] {
        let read = snapshot(&catalog, id).await;
        assert_eq!(load(&catalog, &read, name, 0..most).await.unwrap(), CommitOutcome::Committed);
    }
    let read = snapshot(&catalog, id).await;
    assert!(matches!(load(&catalog, &read, "03", 0..most + 1).await, Err(CatalogError::Refused { .. })));
    assert_eq!(next_offsets(&catalog, id).await, (0..most).map(|at| (at, 20)).collect());
}

pub(crate) async fn commit_loses_statistics_rather_than_fail(store: Held) {
    let (catalog, _) = catalog(store);
    let id = job(&catalog).await.id;
    let read = snapshot(&catalog, id).await;
    let moves = [moved(&read, 0, 10)];
    let statistics = |column_id| ColumnStatistics {
        column_id,
        nulls: 0,
        min: Some(StatisticValue::Float(0.1 + 0.2)),
        max: Some(StatisticValue::TextBound("x".repeat(64))),
    };
    let mut large = commit("01", &read.job, &moves);
    let file = large.files[0].clone();
    large.files.clear();
    for columns in [10, 5_000, 20] {
        large.files.push(penstock_catalog::commit::DataFile {
            columns: (1..=columns).map(statistics).collect(),
            ..file.clone()
        });
    }
    assert_eq!(catalog.commit(&large, read.job.fence, &moves).await.unwrap(), CommitOutcome::Committed);
    large.files[1].columns.clear();
    assert_eq!(catalog.commits(TABLE).await.unwrap(), [large]);
}

pub(crate) async fn commit_without_files_moves_progress(store: Held) {
    let (catalog, _) = catalog(store);
    let id = job(&catalog).await.id;
    let read = snapshot(&catalog, id).await;
    let moves = [moved(&read, 3, 10)];
    let empty = Commit { files: Vec::new(), ..commit("01", &read.job, &moves) };
    assert_eq!(catalog.commit(&empty, read.job.fence, &moves).await.unwrap(), CommitOutcome::Committed);
    assert_eq!(next_offsets(&catalog, id).await, BTreeMap::from([(3, 10)]));
}

pub(crate) async fn racing_loaders_and_pauses_commit_every_offset_once(store: Held) {
    const GOAL: i64 = 60;
    let catalog = Catalog::new(store, Arc::new(SystemClock));
    let id = job(&catalog).await.id;
    let starts = BTreeMap::from([(0, 0), (1, 0)]);
    catalog.report_source(id, &SourceReport::default(), &starts).await.unwrap();
    // Each loader reads, and commits 10 records of a source partition, till both are at the goal.
    let loaders: Vec<_> = (0..3)
        .map(|_| {
            let catalog = catalog.clone();
            tokio::spawn(async move {
                loop {
                    let read = snapshot(&catalog, id).await;
                    let behind = read.progress.iter().find(|(_, progress)| progress.value.next_offset < GOAL);
                    let Some((&at, _)) = behind else { break };
                    if read.job.state.loads() {
                        let name = catalog.clock().unique();
                        load(&catalog, &read, &name, at..at + 1).await.unwrap();
                    }
                    tokio::task::yield_now().await;
                }
            })
        })
        .collect();
    for _ in 0..3 {
        change(&catalog, id, pause()).await;
        let paused = catalog.commits(TABLE).await.unwrap().len();
        tokio::task::yield_now().await;
        assert_eq!(catalog.commits(TABLE).await.unwrap().len(), paused, "a commit came after the pause returned");
        change(&catalog, id, JobEvent::Resume).await;
    }
    for loader in loaders {
        loader.await.unwrap();
    }
    let mut covered = BTreeMap::<i32, BTreeSet<(i64, i64)>>::new();
    let commits = catalog.commits(TABLE).await.unwrap();
    for range in commits.iter().flat_map(|commit| &commit.ranges) {
        assert!(covered.entry(range.source_partition).or_default().insert((range.from_offset, range.to_offset)));
    }
    let tiles: BTreeSet<(i64, i64)> = (0..GOAL / 10).map(|n| (n * 10, n * 10 + 10)).collect();
    assert_eq!(covered, BTreeMap::from([(0, tiles.clone()), (1, tiles)]));
}
