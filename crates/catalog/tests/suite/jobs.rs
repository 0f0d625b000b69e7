//! Claims on jobs: their names, states, versions, and what is reported about them.

use std::collections::BTreeMap;
use std::sync::Arc;

use penstock_catalog::Catalog;
use penstock_catalog::commit::CommitOutcome;
use penstock_catalog::database::Created;
use penstock_catalog::error::CatalogError;
use penstock_catalog::job::{Alteration, Altered, Changed, Job, JobFailure, JobSnapshot, SourceReport};
use penstock_catalog::store::{Key, Store};
use penstock_kernel::ids::{DatabaseId, JobId, TableId};
use penstock_kernel::job::JobDefinition;
use penstock_kernel::state::{IllegalTransition, JobEvent, JobState, reason};

use super::faults::{Fault, Faulty};
use super::sample::{DATABASE, NOW_MS, TABLE, catalog, change, commit, definition, job, moved, pause, snapshot, why};

type Held = Arc<dyn Store>;

/// Gives the job progress in source partitions 0 to `count` - 1.
async fn begin(catalog: &Catalog, id: JobId, count: i32) {
    let starts = (0..count).map(|source_partition| (source_partition, 5)).collect();
    catalog.report_source(id, &SourceReport::default(), &starts).await.unwrap();
}

/// The fences of all progress items, each once.
fn fences(snapshot: &JobSnapshot) -> Vec<u64> {
    let mut fences: Vec<u64> = snapshot.progress.values().map(|progress| progress.value.fence).collect();
    fences.dedup();
    fences
}

fn failure(message: &str) -> JobFailure {
    JobFailure { at_ms: NOW_MS, message: message.to_owned(), task: "task".to_owned() }
}

pub(crate) async fn new_job_waits_to_be_scheduled(store: Held) {
    let (catalog, _) = catalog(store);
    let made = job(&catalog).await;
    assert_eq!((made.state, made.version, made.created_at_ms), (JobState::NeedSchedule, 1, NOW_MS));
    assert_eq!((made.reason.clone(), made.paused_at_ms, made.ended_at_ms), (None, None, None));
    assert_eq!(catalog.live_job(DATABASE, "j").await.unwrap(), Some(made.clone()));
    assert_eq!(catalog.live_job(DatabaseId(9), "j").await.unwrap(), None);
    let read = snapshot(&catalog, made.id).await;
    assert_eq!(read.job, made);
    assert!(read.progress.is_empty());
    let stored = catalog.job_definition(made.id, 1).await.unwrap().unwrap();
    assert_eq!((stored.id, stored.version), (made.id, 1));
    assert_eq!(catalog.job_definition(made.id, 2).await.unwrap(), None);
}

pub(crate) async fn of_racing_creators_of_a_job_one_wins(store: Held) {
    let (catalog, _) = catalog(store);
    let creators: Vec<_> = (0..6)
        .map(|_| {
            let catalog = catalog.clone();
            tokio::spawn(async move { catalog.create_job(definition("j", TABLE)).await.unwrap() })
        })
        .collect();
    let mut won = 0;
    for creator in creators {
        won += usize::from(matches!(creator.await.unwrap(), Created::New(_)));
    }
    assert_eq!(won, 1);
    assert_eq!(catalog.jobs(DATABASE).await.unwrap().len(), 1);
}

pub(crate) async fn name_is_free_again_after_stop_and_history_stays(store: Held) {
    let (catalog, _) = catalog(store);
    let first = job(&catalog).await;
    assert_eq!(catalog.create_job(definition("j", TABLE)).await.unwrap(), Created::Exists(first.clone()));
    change(&catalog, first.id, JobEvent::Stop).await;
    assert_eq!(catalog.live_job(DATABASE, "j").await.unwrap(), None);
    let second = job(&catalog).await;
    assert_ne!(second.id, first.id);
    let kept: Vec<(JobId, JobState)> =
        catalog.jobs(DATABASE).await.unwrap().into_iter().map(|job| (job.id, job.state)).collect();
    assert_eq!(kept, [(first.id, JobState::Stopped), (second.id, JobState::NeedSchedule)]);
}

pub(crate) async fn jobs_of_a_table_are_its_live_ones(store: Held) {
    let (catalog, _) = catalog(store);
    let mut ids = BTreeMap::new();
    for (name, table) in [("a", TABLE), ("b", TableId(99)), ("c", TABLE), ("d", TABLE)] {
        let Created::New(job) = catalog.create_job(definition(name, table)).await.unwrap() else { panic!() };
        ids.insert(name, job.id);
    }
    change(&catalog, ids["c"], JobEvent::Stop).await;
    change(&catalog, ids["d"], pause()).await;
    let jobs = catalog.jobs_of_table(DATABASE, TABLE).await.unwrap();
    assert!(jobs.iter().map(|job| job.id).eq([ids["a"], ids["d"]]), "{jobs:?}");
}

pub(crate) async fn state_events_set_times_and_reasons(store: Held) {
    let (catalog, clock) = catalog(store);
    let id = job(&catalog).await.id;
    let shown = |job: &Job| (job.state, job.reason.clone(), job.paused_at_ms, job.ended_at_ms);

    let running = change(&catalog, id, JobEvent::Scheduled).await;
    assert_eq!(shown(&running), (JobState::Running, None, None, None));
    clock.set(NOW_MS + 1);
    let paused = change(&catalog, id, pause()).await;
    let manual = Some(why(reason::MANUAL_PAUSE));
    assert_eq!(shown(&paused), (JobState::Paused, manual.clone(), Some(NOW_MS + 1), None));
    let resumed = change(&catalog, id, JobEvent::Resume).await;
    assert_eq!(shown(&resumed), (JobState::NeedSchedule, None, None, None));
    change(&catalog, id, JobEvent::Scheduled).await;
    let resumed = change(&catalog, id, JobEvent::Resume).await;
    assert_eq!(shown(&resumed), (JobState::NeedSchedule, None, None, None));
    clock.set(NOW_MS + 2);
    change(&catalog, id, pause()).await;
    clock.set(NOW_MS + 3);
    let stopped = change(&catalog, id, JobEvent::Stop).await;
    assert_eq!(shown(&stopped), (JobState::Stopped, None, Some(NOW_MS + 2), Some(NOW_MS + 3)));
    assert_eq!(snapshot(&catalog, id).await.job, stopped);
}

pub(crate) async fn illegal_event_changes_nothing(store: Held) {
    let (catalog, _) = catalog(store);
    let id = job(&catalog).await.id;
    let paused = change(&catalog, id, pause()).await;
    let refused = catalog.change_job(id, pause()).await.unwrap();
    assert_eq!(refused, Changed::Forbidden(IllegalTransition { from: JobState::Paused, to: JobState::Paused }));
    assert_eq!(snapshot(&catalog, id).await.job, paused);
    let stopped = change(&catalog, id, JobEvent::Stop).await;
    for event in [JobEvent::Scheduled, pause(), JobEvent::Resume, JobEvent::Stop] {
        let refused = catalog.change_job(id, event).await.unwrap();
        assert!(matches!(refused, Changed::Forbidden(_)), "{refused:?}");
    }
    assert_eq!(snapshot(&catalog, id).await.job, stopped);
}

pub(crate) async fn event_of_a_missing_job_is_missing(store: Held) {
    let (catalog, _) = catalog(store);
    assert_eq!(catalog.change_job(JobId(7), JobEvent::Stop).await.unwrap(), Changed::Missing);
    assert_eq!(catalog.add_job_version(JobId(7), definition("j", TABLE)).await.unwrap(), Changed::Missing);
    assert_eq!(catalog.job_snapshot(JobId(7)).await.unwrap(), None);
    catalog.report_source(JobId(7), &SourceReport::default(), &BTreeMap::from([(0, 0)])).await.unwrap();
    catalog.set_job_mapping(JobId(7), "m").await.unwrap();
    catalog.begin_window(JobId(7), 0).await.unwrap();
    assert_eq!(catalog.job_snapshot(JobId(7)).await.unwrap(), None);
}

pub(crate) async fn scheduled_again_writes_nothing(store: Held) {
    let (catalog, _) = catalog(Arc::clone(&store));
    let id = job(&catalog).await.id;
    let key = Key::new(format!("job#{id}"), "job");
    change(&catalog, id, JobEvent::Scheduled).await;
    let before = store.get(&key).await.unwrap();
    change(&catalog, id, JobEvent::Scheduled).await;
    assert_eq!(store.get(&key).await.unwrap(), before);
}

pub(crate) async fn events_raise_every_fence(store: Held) {
    let (catalog, _) = catalog(store);
    let id = job(&catalog).await.id;
    begin(&catalog, id, 40).await;
    let mut fence = snapshot(&catalog, id).await.job.fence;
    for event in [pause(), JobEvent::Resume, JobEvent::Resume, JobEvent::Stop] {
        let before = snapshot(&catalog, id).await;
        assert_eq!(change(&catalog, id, event).await.fence, fence + 1);
        fence += 1;
        let after = snapshot(&catalog, id).await;
        assert_eq!((after.job.fence, fences(&after)), (fence, vec![fence]));
        for (source_partition, progress) in &after.progress {
            assert_eq!(progress.revision, before.progress[source_partition].revision + 1);
            assert_eq!((progress.value.start_offset, progress.value.next_offset), (5, 5));
        }
    }
}

pub(crate) async fn half_done_pause_is_completed_by_repeating(store: Held) {
    let (healthy, clock) = catalog(Arc::clone(&store));
    let id = job(&healthy).await.id;
    begin(&healthy, id, 3).await;
    let fence = snapshot(&healthy, id).await.job.fence;

    let failing = Catalog::new(Faulty::after(1, Fault::LoseRequest, store), clock);
    assert!(matches!(failing.change_job(id, pause()).await, Err(CatalogError::Unavailable { .. })));
    let half = snapshot(&healthy, id).await;
    assert_eq!((half.job.fence, fences(&half)), (fence + 1, vec![fence]));

    assert!(matches!(healthy.change_job(id, pause()).await.unwrap(), Changed::Forbidden(_)));
    let whole = snapshot(&healthy, id).await;
    assert_eq!((whole.job.fence, fences(&whole)), (fence + 1, vec![fence + 1]));
}

pub(crate) async fn lost_replies_change_a_job_once(store: Held) {
    let (healthy, clock) = catalog(Arc::clone(&store));
    let id = job(&healthy).await.id;
    begin(&healthy, id, 3).await;
    let fence = snapshot(&healthy, id).await.job.fence;

    let faulty = Faulty::after(0, Fault::LoseReply, store);
    let failing = Catalog::new(Arc::<Faulty>::clone(&faulty), clock);
    assert!(matches!(failing.change_job(id, JobEvent::Stop).await, Err(CatalogError::Unavailable { .. })));
    faulty.heal();
    let refused = failing.change_job(id, JobEvent::Stop).await.unwrap();
    assert!(matches!(refused, Changed::Forbidden(_)), "{refused:?}");
    let read = snapshot(&healthy, id).await;
    assert_eq!((read.job.state, read.job.fence, fences(&read)), (JobState::Stopped, fence + 1, vec![fence + 1]));
    assert_eq!(healthy.live_job(DATABASE, "j").await.unwrap(), None);
}

pub(crate) async fn cancel_frees_the_name_and_keeps_the_reason(store: Held) {
    let (catalog, _) = catalog(store);
    let id = job(&catalog).await.id;
    let cancelled = change(&catalog, id, JobEvent::Cancel(why(reason::TABLE))).await;
    assert_eq!(cancelled.state, JobState::Cancelled);
    assert_eq!((cancelled.reason, cancelled.ended_at_ms), (Some(why(reason::TABLE)), Some(NOW_MS)));
    assert_eq!(catalog.live_job(DATABASE, "j").await.unwrap(), None);
}

pub(crate) async fn report_schedules_the_job_and_begins_progress(store: Held) {
    let (catalog, _) = catalog(store);
    let id = job(&catalog).await.id;
    let report = SourceReport { latest: BTreeMap::from([(0, 100), (1, 3)]), at_ms: NOW_MS };
    catalog.report_source(id, &report, &BTreeMap::from([(0, 40), (1, 3)])).await.unwrap();
    let read = snapshot(&catalog, id).await;
    assert_eq!((read.job.state, read.report), (JobState::Running, report));
    let begun: Vec<_> = read
        .progress
        .iter()
        .map(|(at, read)| (*at, read.value.start_offset, read.value.next_offset, read.value.last_timestamp_ms))
        .collect();
    assert_eq!(begun, [(0, 40, 40, None), (1, 3, 3, None)]);
}

pub(crate) async fn report_keeps_progress_and_never_goes_back(store: Held) {
    let (catalog, _) = catalog(store);
    let id = job(&catalog).await.id;
    let report = |latest, at_ms| SourceReport { latest: BTreeMap::from([(0, latest)]), at_ms };
    catalog.report_source(id, &report(10, 2), &BTreeMap::from([(0, 4)])).await.unwrap();
    let before = snapshot(&catalog, id).await;
    catalog.report_source(id, &report(9, 1), &BTreeMap::from([(0, 0), (1, 7)])).await.unwrap();
    let after = snapshot(&catalog, id).await;
    assert_eq!(after.report, report(10, 2));
    assert_eq!(after.progress[&0], before.progress[&0]);
    assert_eq!(after.progress[&1].value.next_offset, 7);
}

pub(crate) async fn report_of_a_paused_job_leaves_it_paused(store: Held) {
    let (catalog, _) = catalog(store);
    let id = job(&catalog).await.id;
    let paused = change(&catalog, id, pause()).await;
    let report = SourceReport { latest: BTreeMap::from([(0, 1)]), at_ms: NOW_MS };
    catalog.report_source(id, &report, &BTreeMap::from([(0, 0)])).await.unwrap();
    let read = snapshot(&catalog, id).await;
    assert_eq!((&read.report, fences(&read)), (&report, vec![paused.fence]));
    assert_eq!(read.job, paused);
}

pub(crate) async fn report_begins_more_source_partitions_than_a_transaction_holds(store: Held) {
    let (catalog, _) = catalog(store);
    let id = job(&catalog).await.id;
    begin(&catalog, id, 250).await;
    let read = snapshot(&catalog, id).await;
    assert!(read.progress.keys().copied().eq(0..250));
}

pub(crate) async fn failures_count_and_resume_forgets_the_last(store: Held) {
    let (catalog, _) = catalog(store);
    let id = job(&catalog).await.id;
    catalog.record_failure(id, failure("one"), 1).await.unwrap();
    catalog.record_failure(id, failure("two"), 2).await.unwrap();
    catalog.record_error_file(id, "e").await.unwrap();
    let trouble = snapshot(&catalog, id).await.trouble;
    assert_eq!((trouble.aborted_tasks, trouble.last_failure), (3, Some(failure("two"))));
    change(&catalog, id, pause()).await;
    assert!(snapshot(&catalog, id).await.trouble.last_failure.is_some());
    change(&catalog, id, JobEvent::Resume).await;
    let trouble = snapshot(&catalog, id).await.trouble;
    assert_eq!((trouble.aborted_tasks, trouble.last_failure), (3, None));
    assert_eq!(trouble.error_files, ["e"]);
}

pub(crate) async fn last_three_error_files_are_kept(store: Held) {
    let (catalog, _) = catalog(store);
    let id = job(&catalog).await.id;
    for file in ["1", "2", "2", "3", "4", "3"] {
        catalog.record_error_file(id, file).await.unwrap();
    }
    assert_eq!(snapshot(&catalog, id).await.trouble.error_files, ["2", "3", "4"]);
}

pub(crate) async fn racing_failures_all_count(store: Held) {
    let (catalog, _) = catalog(store);
    let id = job(&catalog).await.id;
    let writers: Vec<_> = (0..6)
        .map(|_| {
            let catalog = catalog.clone();
            tokio::spawn(async move { catalog.record_failure(id, failure("x"), 1).await.unwrap() })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(snapshot(&catalog, id).await.trouble.aborted_tasks, 6);
}

pub(crate) async fn window_begins_once(store: Held) {
    let (catalog, _) = catalog(store);
    let made = job(&catalog).await;
    catalog.begin_window(made.id, made.window).await.unwrap();
    catalog.begin_window(made.id, made.window).await.unwrap();
    let read = snapshot(&catalog, made.id).await.job;
    assert_eq!((read.window, read.fence), (made.window + 1, made.fence));
}

pub(crate) async fn mapping_is_remembered(store: Held) {
    let (catalog, _) = catalog(store);
    let made = job(&catalog).await;
    catalog.set_job_mapping(made.id, "m").await.unwrap();
    catalog.set_job_mapping(made.id, "m").await.unwrap();
    let expected = Job { mapping: Some("m".to_owned()), ..made };
    assert_eq!(catalog.live_job(DATABASE, "j").await.unwrap(), Some(expected));
}

pub(crate) async fn new_version_raises_fences_and_leaves_the_old(store: Held) {
    let (catalog, _) = catalog(store);
    let id = job(&catalog).await.id;
    begin(&catalog, id, 3).await;
    let paused = change(&catalog, id, pause()).await;
    let old = catalog.job_definition(id, 1).await.unwrap().unwrap();
    let mut new = old.clone();
    new.clauses.filter = Some("k > 1".to_owned());
    let Changed::Now(job) = catalog.add_job_version(id, new.clone()).await.unwrap() else { panic!() };
    assert_eq!((job.state, job.version, job.fence), (JobState::Paused, 2, paused.fence + 1));
    let read = snapshot(&catalog, id).await;
    assert_eq!((&read.job, fences(&read)), (&job, vec![job.fence]));
    assert_eq!(catalog.job_definition(id, 1).await.unwrap(), Some(old));
    new.version = 2;
    assert_eq!(catalog.job_definition(id, 2).await.unwrap(), Some(new));
}

pub(crate) async fn new_version_needs_a_live_job(store: Held) {
    let (catalog, _) = catalog(store);
    let made = job(&catalog).await;
    let old = catalog.job_definition(made.id, 1).await.unwrap().unwrap();
    let Changed::Now(altered) = catalog.add_job_version(made.id, old.clone()).await.unwrap() else { panic!() };
    assert_eq!((altered.state, altered.version), (JobState::NeedSchedule, 2));
    change(&catalog, made.id, JobEvent::Stop).await;
    let again = JobDefinition { version: 2, ..old };
    let refused = catalog.add_job_version(made.id, again).await.unwrap();
    assert_eq!(refused, Changed::Forbidden(IllegalTransition { from: JobState::Stopped, to: JobState::Stopped }));
}

async fn alter(catalog: &Catalog, id: JobId, made_from: u32, moves: &[(i32, i64)]) -> Altered {
    let definition = catalog.job_definition(id, made_from).await.unwrap().unwrap();
    let alteration = Alteration { definition, moves: moves.iter().copied().collect(), forget_mapping: false };
    catalog.alter_job(id, &alteration).await.unwrap()
}

pub(crate) async fn alter_moves_a_running_job_and_says_where_each_version_began(store: Held) {
    let (catalog, _) = catalog(store);
    let id = job(&catalog).await.id;
    let report = SourceReport { latest: BTreeMap::from([(0, 100), (1, 100)]), at_ms: NOW_MS };
    catalog.report_source(id, &report, &BTreeMap::from([(0, 40), (1, 3), (2, 5)])).await.unwrap();
    let before = snapshot(&catalog, id).await;
    let moves = [moved(&before, 0, 20), moved(&before, 1, 7)];
    let running = before.job.clone();
    catalog.commit(&commit("c1", &running, &moves), running.fence, &moves).await.unwrap();
    // Back behind the start, forward, and to a source partition without progress.
    let Altered::Now(altered) = alter(&catalog, id, 1, &[(0, 30), (1, 50), (7, 9)]).await else { panic!() };
    assert_eq!((altered.state, altered.version, altered.rewound), (JobState::Running, 2, true));
    let read = snapshot(&catalog, id).await;
    assert_eq!(fences(&read), [altered.fence]);
    let at = |at: i32| &read.progress[&at].value;
    assert_eq!((at(0).start_offset, at(0).next_offset), (0, 30));
    assert_eq!((at(1).next_offset, at(1).skipped, &at(1).passed_over), (50, 40, &vec![(10, 50)]));
    assert_eq!((at(2).next_offset, at(7).next_offset), (5, 9));
    let versions = catalog.job_versions(id).await.unwrap();
    let sources = |version: usize| {
        let beginning = versions[version].beginning.as_ref().unwrap();
        beginning.sources.iter().map(|(at, source)| (*at, source.ended, source.begins)).collect::<Vec<_>>()
    };
    assert_eq!(sources(0), [(0, None, 0), (1, None, 0), (2, None, 5)]);
    assert_eq!(sources(1), [(0, Some(60), 30), (1, Some(10), 50), (2, Some(5), 5), (7, None, 9)]);
}

pub(crate) async fn batch_in_flight_loses_against_alter(store: Held) {
    let (catalog, _) = catalog(store);
    let id = job(&catalog).await.id;
    begin(&catalog, id, 2).await;
    let before = snapshot(&catalog, id).await;
    let moves = [moved(&before, 0, 5)];
    assert!(matches!(alter(&catalog, id, 1, &[(1, 0)]).await, Altered::Now(_)));
    let late = catalog.commit(&commit("late", &before.job, &moves), before.job.fence, &moves).await.unwrap();
    assert!(matches!(late, CommitOutcome::Conflict { .. }), "{late:?}");
    let after = snapshot(&catalog, id).await;
    let moves = [moved(&after, 0, 5)];
    let next = catalog.commit(&commit("next", &after.job, &moves), after.job.fence, &moves).await.unwrap();
    assert_eq!(next, CommitOutcome::Committed);
}

pub(crate) async fn alter_of_very_many_source_partitions_needs_a_pause_and_survives_a_crash(store: Held) {
    let (healthy, clock) = catalog(Arc::clone(&store));
    let id = job(&healthy).await.id;
    begin(&healthy, id, 150).await;
    assert_eq!(alter(&healthy, id, 1, &[(3, 77)]).await, Altered::PauseFirst { source_partitions: 150 });
    change(&healthy, id, pause()).await;
    let failing = Catalog::new(Faulty::after(1, Fault::LoseRequest, store), clock);
    let definition = healthy.job_definition(id, 1).await.unwrap().unwrap();
    let moves = BTreeMap::from([(3, 77), (149, 5)]);
    let alteration = Alteration { definition, moves, forget_mapping: false };
    assert!(failing.alter_job(id, &alteration).await.is_err());
    change(&healthy, id, JobEvent::Resume).await;
    let read = snapshot(&healthy, id).await;
    assert_eq!(
        (read.job.version, read.progress[&3].value.next_offset, read.progress[&149].value.next_offset),
        (2, 77, 5)
    );
    assert_eq!(fences(&read), [read.job.fence]);
}

pub(crate) async fn new_version_of_an_old_one_is_contended(store: Held) {
    let (catalog, _) = catalog(store);
    let id = job(&catalog).await.id;
    change(&catalog, id, pause()).await;
    let old = catalog.job_definition(id, 1).await.unwrap().unwrap();
    let (mut one, mut other) = (old.clone(), old);
    one.clauses.filter = Some("k > 1".to_owned());
    other.clauses.filter = Some("k > 2".to_owned());
    assert!(matches!(catalog.add_job_version(id, one).await.unwrap(), Changed::Now(_)));
    assert!(matches!(catalog.add_job_version(id, other).await, Err(CatalogError::Contended { .. })));
    assert_eq!(snapshot(&catalog, id).await.job.version, 2);
}

pub(crate) async fn new_version_repeated_is_one_version(store: Held) {
    let (healthy, clock) = catalog(Arc::clone(&store));
    let id = job(&healthy).await.id;
    begin(&healthy, id, 2).await;
    change(&healthy, id, pause()).await;
    let definition = healthy.job_definition(id, 1).await.unwrap().unwrap();
    let failing = Catalog::new(Faulty::after(0, Fault::LoseReply, store), clock);
    assert!(failing.add_job_version(id, definition.clone()).await.is_err());
    let Changed::Now(job) = healthy.add_job_version(id, definition).await.unwrap() else { panic!() };
    assert_eq!(job.version, 2);
    assert_eq!(fences(&snapshot(&healthy, id).await), [job.fence]);
}
