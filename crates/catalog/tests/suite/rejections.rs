//! Rejected rows and replays.

use std::sync::Arc;

use penstock_catalog::commit::{Commit, CommitOutcome, ErrorFile};
use penstock_catalog::error::CatalogError;
use penstock_catalog::job::{Job, JobSnapshot};
use penstock_catalog::rejected::{Replay, ReplayCounts, standing};
use penstock_catalog::store::Store;
use penstock_catalog::{Catalog, clock::ManualClock};
use penstock_kernel::ids::JobId;
use penstock_kernel::state::JobEvent;

use super::faults::{Fault, Faulty, Forgetful};
use super::sample::{TABLE, catalog, change, commit, job, moved, pause, snapshot};

type Held = Arc<dyn Store>;

fn errors(id: &str) -> Option<ErrorFile> {
    Some(ErrorFile { key: format!("rejected/{id}.parquet"), rows: 2, bytes: 10, columns: Vec::new() })
}

/// A commit of 10 records, some of which are rejected.
async fn reject(catalog: &Catalog, id: JobId, name: &str) {
    let read = snapshot(catalog, id).await;
    let moves = [moved(&read, 0, 10)];
    let commit = Commit { errors: errors(name), ..commit(name, &read.job, &moves) };
    assert_eq!(catalog.commit(&commit, read.job.fence, &moves).await.unwrap(), CommitOutcome::Committed);
}

fn replay_of(name: &str, job: &Job, replaces: &[&str], left: bool) -> Commit {
    let counts = ReplayCounts { replayed: 2, loaded: 1, rejected: u64::from(left), unselected: 0 };
    Commit {
        errors: if left { errors(name) } else { None },
        replay: Some(Replay { replaces: replaces.iter().map(|id| (*id).to_owned()).collect(), counts }),
        ..commit(name, job, &[])
    }
}

async fn replay(catalog: &Catalog, read: &JobSnapshot, commit: &Commit) -> Result<CommitOutcome, CatalogError> {
    catalog.replay(commit, read.job.fence, read.replays.as_ref()).await
}

async fn rejected(catalog: &Catalog, id: JobId) -> Vec<String> {
    standing(catalog.rejections(id).await.unwrap()).into_iter().map(|rejection| rejection.commit).collect()
}

fn is_conflict(outcome: &CommitOutcome) -> bool {
    matches!(outcome, CommitOutcome::Conflict { .. })
}

pub(crate) async fn rejected_rows_of_a_job_are_found_without_its_other_commits(store: Held) {
    let (catalog, _) = catalog(store);
    let id = job(&catalog).await.id;
    reject(&catalog, id, "01").await;
    let read = snapshot(&catalog, id).await;
    let moves = [moved(&read, 0, 10)];
    catalog.commit(&commit("02", &read.job, &moves), read.job.fence, &moves).await.unwrap();
    reject(&catalog, id, "03").await;
    assert_eq!(rejected(&catalog, id).await, ["01", "03"]);
    assert_eq!(catalog.rejections(JobId(1)).await.unwrap(), []);
}

pub(crate) async fn replay_takes_the_place_of_what_it_names(store: Held) {
    let (catalog, _) = catalog(store);
    let id = job(&catalog).await.id;
    for name in ["01", "02", "03"] {
        reject(&catalog, id, name).await;
    }
    let read = snapshot(&catalog, id).await;
    let outcome = replay(&catalog, &read, &replay_of("04", &read.job, &["01", "02"], true)).await.unwrap();
    assert_eq!(outcome, CommitOutcome::Committed);
    assert_eq!(rejected(&catalog, id).await, ["03", "04"]);
    let read = snapshot(&catalog, id).await;
    replay(&catalog, &read, &replay_of("05", &read.job, &["03", "04"], false)).await.unwrap();
    assert_eq!(rejected(&catalog, id).await, [""; 0]);
    let sum = snapshot(&catalog, id).await.replays.unwrap().value;
    assert_eq!(sum, ReplayCounts { replayed: 4, loaded: 2, rejected: 1, unselected: 0 });
    let commits = catalog.commits(TABLE).await.unwrap();
    assert_eq!(commits.len(), 5);
    assert_eq!(commits[4].replay.as_ref().unwrap().replaces, ["03", "04"]);
}

pub(crate) async fn of_two_replays_of_one_snapshot_one_wins(store: Held) {
    let (catalog, _) = catalog(store);
    let id = job(&catalog).await.id;
    reject(&catalog, id, "01").await;
    for round in 0..2 {
        let read = snapshot(&catalog, id).await;
        let (one, two) = (format!("1{round}"), format!("2{round}"));
        assert_eq!(
            replay(&catalog, &read, &replay_of(&one, &read.job, &["01"], false)).await.unwrap(),
            CommitOutcome::Committed
        );
        let late = replay(&catalog, &read, &replay_of(&two, &read.job, &["01"], false)).await.unwrap();
        assert!(is_conflict(&late), "{late:?}");
    }
}

pub(crate) async fn changed_job_voids_a_replay(store: Held) {
    let (catalog, _) = catalog(store);
    let id = job(&catalog).await.id;
    reject(&catalog, id, "01").await;
    for event in [pause(), JobEvent::Resume, JobEvent::Stop] {
        let read = snapshot(&catalog, id).await;
        change(&catalog, id, event).await;
        let outcome = replay(&catalog, &read, &replay_of("02", &read.job, &["01"], false)).await.unwrap();
        assert!(is_conflict(&outcome), "{outcome:?}");
    }
    assert_eq!(rejected(&catalog, id).await, ["01"]);
}

pub(crate) async fn batch_does_not_void_a_replay(store: Held) {
    let (catalog, _) = catalog(store);
    let id = job(&catalog).await.id;
    reject(&catalog, id, "01").await;
    let read = snapshot(&catalog, id).await;
    reject(&catalog, id, "02").await;
    let outcome = replay(&catalog, &read, &replay_of("03", &read.job, &["01"], false)).await.unwrap();
    assert_eq!(outcome, CommitOutcome::Committed);
    assert_eq!(rejected(&catalog, id).await, ["02"]);
}

pub(crate) async fn lost_reply_to_a_replay_is_made_up_for(store: Held) {
    let (healthy, clock) = catalog(Arc::clone(&store));
    let id = job(&healthy).await.id;
    reject(&healthy, id, "01").await;
    for (name, fault) in [("02", Fault::LoseRequest), ("03", Fault::LoseReply)] {
        let faulty = Faulty::after(0, fault, Arc::clone(&store));
        let failing = Catalog::new(Arc::<Faulty>::clone(&faulty), Arc::<ManualClock>::clone(&clock) as Arc<_>);
        let read = snapshot(&healthy, id).await;
        let commit = replay_of(name, &read.job, &["01"], true);
        let lost = replay(&failing, &read, &commit).await;
        assert!(matches!(lost, Err(CatalogError::Unavailable { .. })), "{lost:?}");
        faulty.heal();
        let again = replay(&failing, &read, &commit).await.unwrap();
        assert!(!is_conflict(&again), "{again:?}");
    }
    assert_eq!(snapshot(&healthy, id).await.replays.unwrap().value.replayed, 4);
}

pub(crate) async fn repeated_replay_is_known_after_its_token_is_forgotten(store: Held) {
    let (catalog, _) = catalog(Forgetful::over(store));
    let id = job(&catalog).await.id;
    reject(&catalog, id, "01").await;
    let read = snapshot(&catalog, id).await;
    let commit = replay_of("02", &read.job, &["01"], false);
    assert_eq!(replay(&catalog, &read, &commit).await.unwrap(), CommitOutcome::Committed);
    assert_eq!(replay(&catalog, &read, &commit).await.unwrap(), CommitOutcome::AlreadyCommitted);
    assert_eq!(snapshot(&catalog, id).await.replays.unwrap().value.replayed, 2);
}

pub(crate) async fn replaced_error_files_are_forgotten(store: Held) {
    let (catalog, _) = catalog(store);
    let id = job(&catalog).await.id;
    for file in ["1", "2", "3"] {
        catalog.record_error_file(id, file).await.unwrap();
    }
    catalog.replace_error_files(id, &["1".to_owned(), "3".to_owned()], Some("4")).await.unwrap();
    assert_eq!(snapshot(&catalog, id).await.trouble.error_files, ["2", "4"]);
    catalog.replace_error_files(id, &["2".to_owned(), "4".to_owned()], None).await.unwrap();
    assert_eq!(snapshot(&catalog, id).await.trouble.error_files, [""; 0]);
}
