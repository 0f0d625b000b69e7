//! REPLAY: rejected rows become rows, once, whatever happens in between.

use std::collections::{BTreeMap, BTreeSet};

use arrow_array::cast::AsArray as _;
use penstock_catalog::clock::Clock as _;
use penstock_catalog::commit::Commit;
use penstock_catalog::rejected::standing;
use penstock_kernel::job::{ColumnItem, JobDefinition, LoadClauses};
use penstock_kernel::rejected::{Entry, decode};
use penstock_sql::replay::{ReplayReply, ReplayRequest};
use penstock_sql::statement::Statement;
use proptest::prelude::*;

use super::super::*;
use super::world::{CommitFault, Delivery, PutFault, World, good, places};

const TOLERANT: (&str, &str) = ("max_error_number", "1000000");

/// A value that strict mode rejects, and another mode loads.
fn strictly_bad(source_partition: i32, offset: i64) -> String {
    String::from_utf8(good(source_partition, offset).to_vec())
        .unwrap()
        .replace("\"s\"", &format!("\"{}\"", "s".repeat(65)))
}

/// A value that is no JSON, whatever the job says.
const HOPELESS: &[u8] = b"{\"place\": ";

impl World {
    async fn strict() -> Self {
        Self::with_properties(&[TOLERANT, ("strict_mode", "true")]).await
    }

    /// ALTER, as between PAUSE and RESUME.
    async fn alter(&self, properties: &[(&str, &str)]) {
        self.pause().await;
        let job = self.snapshot().await.job;
        let definition = self.catalog.job_definition(job.id, job.version).await.unwrap().unwrap();
        let mut pairs = vec![("format", "json"), TOLERANT];
        pairs.extend_from_slice(properties);
        let properties = penstock_kernel::property::JobProperties::from_pairs(pairs).unwrap();
        let changed = self.catalog.add_job_version(job.id, JobDefinition { properties, ..definition }).await.unwrap();
        assert!(matches!(changed, penstock_catalog::job::Changed::Now(_)), "{changed:?}");
        self.change(JobEvent::Resume).await;
    }

    async fn replay(&self) -> Result<ReplayReply, LoadError> {
        self.loader.replay(self.job, &request("")).await
    }

    /// The rows that are rejected now, by what names them.
    async fn rejected(&self) -> BTreeMap<(i32, i64, Option<u32>), Entry> {
        let mut rows = BTreeMap::new();
        for rejection in standing(self.catalog.rejections(self.job).await.unwrap()) {
            let file = rejection.errors.unwrap();
            let entries = decode(self.bytes(&file.key).await, usize::MAX).unwrap();
            assert_eq!(entries.len() as u64, file.rows);
            for entry in entries {
                let row = &entry.row;
                let before = rows.insert((row.source_partition, row.offset, row.index), entry);
                assert!(before.is_none(), "a row is rejected twice: {before:?}");
            }
        }
        rows
    }

    async fn rejected_offsets(&self) -> Vec<i64> {
        self.rejected().await.keys().map(|(_, offset, _)| *offset).collect()
    }

    async fn replay_commits(&self) -> Vec<Commit> {
        self.commits().await.into_iter().filter(|commit| commit.replay.is_some()).collect()
    }
}

fn request(conditions: &str) -> ReplayRequest {
    let text = format!("REPLAY REJECTED ROWS FOR clicks {conditions}");
    match Statement::parse(&text).unwrap() {
        Statement::ReplayRejected(statement) => {
            ReplayRequest { filter: statement.filter, budget_ms: 60_000, ..ReplayRequest::default() }
        }
        other => panic!("{other}"),
    }
}

fn counts(reply: &ReplayReply) -> (u64, u64, u64, u64) {
    assert!(reply.finished);
    (reply.replayed, reply.loaded, reply.rejected, reply.unselected)
}

/// Good records but for the odd offsets, which only a strict job rejects.
fn mixed(offsets: std::ops::Range<i64>) -> Delivery {
    offsets.fold(Delivery::default(), |delivery, offset| match offset % 2 {
        0 => delivery.record(0, offset, &good(0, offset)),
        _ => delivery.record(0, offset, strictly_bad(0, offset).as_bytes()),
    })
}

#[tokio::test]
async fn replayed_rows_are_in_the_table_once_and_no_longer_rejected() {
    let world = World::strict().await;
    world.load(&mixed(0..4).json()).await.unwrap();
    world.load(&mixed(4..9).json()).await.unwrap();
    assert_eq!(world.rejected_offsets().await, [1, 3, 5, 7]);
    world.alter(&[]).await;
    assert_eq!(counts(&world.replay().await.unwrap()), (4, 4, 0, 0));
    world.holds_exactly(places(0, 0..9)).await;
    assert_eq!(world.rejected_offsets().await, [0_i64; 0]);
    assert_eq!(world.snapshot().await.trouble.error_files, [""; 0]);
    let [commit] = world.replay_commits().await.try_into().unwrap();
    assert_eq!((commit.job_version, commit.ranges.len(), commit.errors), (2, 0, None));

    let before = world.store.held.dump();
    assert_eq!(counts(&world.replay().await.unwrap()), (0, 0, 0, 0));
    assert_eq!(world.store.held.dump(), before, "a second replay changes nothing");
}

#[tokio::test]
async fn rows_that_still_do_not_fit_stay_rejected_and_change_nothing() {
    let world = World::strict().await;
    world.load(&mixed(0..3).record(0, 3, HOPELESS).json()).await.unwrap();
    let rejected = world.rejected().await;
    let before = world.store.held.dump();
    assert_eq!(counts(&world.replay().await.unwrap()), (2, 0, 2, 0));
    assert_eq!(world.store.held.dump(), before);

    world.clock.advance(5000);
    world.alter(&[]).await;
    assert_eq!(counts(&world.replay().await.unwrap()), (2, 1, 1, 0));
    let left = world.rejected().await;
    // It is rejected for the reason that it was rejected for, so it is the same entry.
    assert_eq!(left.values().collect::<Vec<_>>(), [&rejected[&(0, 3, None)]]);
    assert_eq!(counts(&world.replay().await.unwrap()), (1, 0, 1, 0));
    assert_eq!(world.replay_commits().await.len(), 1);
    world.holds_exactly(places(0, 0..3)).await;
}

#[tokio::test]
async fn row_that_is_rejected_for_another_reason_tells_the_new_one() {
    let world = World::with_properties(&[TOLERANT]).await;
    world
        .load(&Delivery::default().record(0, 0, br#"[{"place":"x","site":"s"},{"place":1,"site":"s"}]"#).json())
        .await
        .unwrap();
    assert_eq!(world.rejected().await.keys().collect::<Vec<_>>(), [&(0, 0, None)]);
    world.clock.advance(5000);
    world.alter(&[("strip_outer_array", "true")]).await;
    assert_eq!(counts(&world.replay().await.unwrap()), (1, 1, 1, 0));
    let left = world.rejected().await;
    let entry = &left[&(0, 0, Some(0))];
    assert_eq!((entry.job_version, entry.rejected_at_ms), (2, world.clock.now_ms()));
    assert!(entry.row.reason.contains("place") && !entry.row.whole, "{entry:?}");
    let replays = world.snapshot().await.replays.unwrap().value;
    assert_eq!((replays.replayed, replays.loaded, replays.rejected), (1, 1, 1));
}

#[tokio::test]
async fn part_of_a_record_is_replayed_as_the_row_it_was() {
    let shape = [TOLERANT, ("strict_mode", "true"), ("strip_outer_array", "true"), ("json_root", "$.rows")];
    let world = World::with_properties(&shape).await;
    let rows: Vec<_> =
        [good(0, 10).to_vec(), strictly_bad(0, 11).into(), good(0, 12).to_vec(), strictly_bad(0, 13).into()]
            .map(|row| String::from_utf8(row).unwrap())
            .to_vec();
    let value = format!("{{\"rows\":[{}]}}", rows.join(","));
    world.load(&Delivery::default().record(0, 7, value.as_bytes()).json()).await.unwrap();
    assert_eq!(world.rejected().await.keys().collect::<Vec<_>>(), [&(0, 7, Some(1)), &(0, 7, Some(3))]);
    // One of two is wanted, the other keeps its place.
    world.alter(&[("strip_outer_array", "true"), ("json_root", "$.rows")]).await;
    let one = world.loader.replay(world.job, &request("WHERE `index` = 1")).await.unwrap();
    assert_eq!(counts(&one), (1, 1, 0, 0));
    assert_eq!(world.rejected().await.keys().collect::<Vec<_>>(), [&(0, 7, Some(3))]);
    assert_eq!(counts(&world.replay().await.unwrap()), (1, 1, 0, 0));
    assert_eq!(world.rows().await.into_keys().collect::<Vec<_>>(), places(0, 10..14));
}

#[tokio::test]
async fn only_wanted_rows_are_replayed_and_the_others_are_left_alone() {
    let world = World::strict().await;
    for first in [0, 10, 20] {
        world.load(&mixed(first..first + 4).json()).await.unwrap();
    }
    let before = world.rejected().await;
    world.alter(&[]).await;
    let reply = world.loader.replay(world.job, &request("WHERE offset >= 3 AND offset < 20")).await.unwrap();
    assert_eq!(counts(&reply), (3, 3, 0, 0));
    let left = world.rejected().await;
    assert_eq!(left.keys().map(|(_, offset, _)| *offset).collect::<Vec<_>>(), [1, 21, 23]);
    for (place, entry) in left {
        assert_eq!(entry, before[&place]);
    }
    let nothing = world.loader.replay(world.job, &request("WHERE offset = 3")).await.unwrap();
    assert_eq!(counts(&nothing), (0, 0, 0, 0));
}

#[tokio::test]
async fn replay_in_pieces_ends_where_the_first_one_said() {
    let world = World::strict().await;
    for first in [0, 10, 20] {
        world.load(&mixed(first..first + 4).json()).await.unwrap();
    }
    world.alter(&[]).await;
    let mut request = ReplayRequest { budget_ms: 0, ..request("") };
    let mut loaded = 0;
    for piece in 0.. {
        let reply = world.loader.replay(world.job, &request).await.unwrap();
        loaded += reply.loaded;
        (request.after, request.until, request.resume) = (reply.after, reply.until, reply.resume);
        if reply.finished {
            assert_eq!(piece, 3);
            break;
        }
        world.clock.advance(1);
        let offset = 100 + piece;
        world.load(&Delivery::default().record(0, offset, HOPELESS).json()).await.unwrap();
    }
    assert_eq!(loaded, 6);
    assert_eq!(world.rejected_offsets().await, [100, 101, 102]);
}

#[tokio::test]
async fn job_that_has_ended_replays_nothing() {
    let world = World::strict().await;
    world.load(&mixed(0..3).json()).await.unwrap();
    world.alter(&[]).await;
    world.change(JobEvent::Stop).await;
    assert!(matches!(world.replay().await, Err(LoadError::Ended { .. })));
    assert_eq!(world.rejected_offsets().await, [1]);
}

#[tokio::test]
async fn paused_job_can_be_replayed_and_stays_paused() {
    let world = World::strict().await;
    world.load(&mixed(0..3).json()).await.unwrap();
    world.alter(&[]).await;
    world.pause().await;
    assert_eq!(counts(&world.replay().await.unwrap()), (1, 1, 0, 0));
    assert_eq!(world.snapshot().await.job.state, penstock_kernel::state::JobState::Paused);
}

#[tokio::test]
async fn lost_replies_and_outages_lose_and_double_nothing() {
    for fault in [CommitFault::Down, CommitFault::LostReply, CommitFault::Repeated] {
        let world = World::strict().await;
        world.load(&mixed(0..5).json()).await.unwrap();
        world.alter(&[]).await;
        world.store.commit_faults.lock().unwrap().push_back(fault);
        let _ = world.replay().await;
        world.replay().await.unwrap();
        world.holds_exactly(places(0, 0..5)).await;
        assert_eq!(world.rejected_offsets().await, [0_i64; 0], "{fault:?}");
        let replays = world.snapshot().await.replays.unwrap().value;
        assert_eq!((replays.replayed, replays.loaded), (2, 2), "{fault:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn files_that_cannot_be_put_leave_everything_as_it_was() {
    let world = World::strict().await;
    world.load(&mixed(0..5).json()).await.unwrap();
    world.alter(&[]).await;
    for fault in [PutFault::Denied, PutFault::Down, PutFault::Silent] {
        world.objects.put_faults.lock().unwrap().extend([fault; 4]);
        let before = world.store.held.dump();
        assert!(world.replay().await.is_err(), "{fault:?}");
        assert_eq!(world.store.held.dump(), before, "{fault:?}");
        world.objects.put_faults.lock().unwrap().clear();
    }
    assert_eq!(counts(&world.replay().await.unwrap()), (2, 2, 0, 0));
    world.holds_exactly(places(0, 0..5)).await;
}

#[tokio::test]
async fn alter_in_between_makes_the_replay_use_the_new_version() {
    let world = World::strict().await;
    world.load(&mixed(0..3).record(0, 3, HOPELESS).json()).await.unwrap();
    world.alter(&[]).await;
    let other = world.clone();
    *world.store.before_commit.lock().unwrap() = Some(Box::pin(async move {
        other.alter(&[("strict_mode", "true"), ("jsonpaths", "[\"$.place\",\"$.none\"]")]).await
    }));
    assert_eq!(counts(&world.replay().await.unwrap()), (2, 1, 1, 0));
    let [commit] = world.replay_commits().await.try_into().unwrap();
    assert_eq!(commit.job_version, 3);
    world.holds_exactly(places(0, 0..3)).await;
}

#[tokio::test]
async fn of_concurrent_replays_each_row_is_loaded_by_one() {
    let world = World::strict().await;
    world.load(&mixed(0..9).json()).await.unwrap();
    world.alter(&[]).await;
    let barrier = Arc::new(tokio::sync::Barrier::new(2));
    *world.store.meeting.lock().unwrap() = Some((barrier, 2));
    let other = world.another_loader();
    let wanted = request("");
    let (one, two) = tokio::join!(world.replay(), other.replay(world.job, &wanted));
    assert_eq!(one.unwrap().loaded + two.unwrap().loaded, 4);
    world.holds_exactly(places(0, 0..9)).await;
    assert_eq!(world.replay_commits().await.len(), 1);
}

#[tokio::test]
async fn batch_in_between_neither_disturbs_nor_is_disturbed() {
    let world = World::strict().await;
    world.load(&mixed(0..4).json()).await.unwrap();
    world.alter(&[]).await;
    let other = world.clone();
    *world.store.before_commit.lock().unwrap() = Some(Box::pin(async move {
        other.load(&mixed(4..8).record(0, 8, HOPELESS).json()).await.unwrap();
    }));
    assert_eq!(counts(&world.replay().await.unwrap()), (2, 2, 0, 0));
    world.holds_exactly(places(0, 0..8)).await;
    assert_eq!(world.rejected_offsets().await, [8]);
}

#[tokio::test]
async fn damaged_error_file_is_named() {
    let world = World::strict().await;
    world.load(&mixed(0..3).json()).await.unwrap();
    let key = world.snapshot().await.trouble.error_files[0].clone();
    world.overwrite(&key, b"nothing").await;
    let error = world.replay().await.unwrap_err();
    assert!(matches!(&error, LoadError::ErrorFile { .. }) && error.to_string().contains(&key), "{error}");
}

/// A record of very many rows, which only a strict job rejects.
fn crowd(rows: i64) -> Vec<u8> {
    let rows: Vec<_> = (0..rows).map(|place| strictly_bad(0, place)).collect();
    format!("[{}]", rows.join(",")).into_bytes()
}

const CROWD: [(&str, &str); 3] = [TOLERANT, ("strict_mode", "true"), ("strip_outer_array", "true")];

#[tokio::test]
async fn file_of_very_many_rows_is_replayed_in_parts_and_each_row_once() {
    const ROWS: i64 = 6000;
    let world = World::with_properties(&CROWD).await;
    let key = vec![b'k'; 1000];
    world.load(&Delivery::default().record(0, 0, &crowd(ROWS)).key(&key).json()).await.unwrap();
    world.alter(&[("strip_outer_array", "true")]).await;
    let mut request = ReplayRequest { budget_ms: 0, ..request("WHERE `index` >= 10") };
    let (mut loaded, mut pieces) = (0, 0);
    loop {
        let reply = world.loader.replay(world.job, &request).await.unwrap();
        (loaded, pieces) = (loaded + reply.loaded, pieces + 1);
        let rows = world.rows().await;
        assert!(rows.values().all(|times| *times == 1));
        let rejected = world.rejected().await;
        assert_eq!(rows.len() + rejected.len(), 6000);
        let keys: Vec<_> = rejected.values().filter_map(|entry| entry.row.key.clone()).collect();
        assert_eq!(keys, std::slice::from_ref(&key), "the key stands with the first row that is left");
        (request.after, request.until, request.resume) = (reply.after, reply.until, reply.resume);
        if reply.finished {
            break;
        }
    }
    assert!(pieces > 3, "{pieces}");
    assert_eq!((loaded, world.rejected().await.len()), (5990, 10));
    let replays = world.snapshot().await.replays.unwrap().value;
    assert_eq!((replays.replayed, replays.loaded, replays.rejected), (5990, 5990, 0));
}

#[tokio::test]
async fn parts_that_change_nothing_are_counted_off_without_a_commit() {
    let world = World::with_properties(&CROWD).await;
    world.load(&Delivery::default().record(0, 0, &crowd(3000)).record(0, 1, HOPELESS).json()).await.unwrap();
    let before = world.store.held.dump();
    let mut request = ReplayRequest { budget_ms: 0, ..request("") };
    let (mut replayed, mut pieces) = (0, 0);
    loop {
        let reply = world.loader.replay(world.job, &request).await.unwrap();
        (replayed, pieces) = (replayed + reply.replayed, pieces + 1);
        (request.after, request.until, request.resume) = (reply.after, reply.until, reply.resume);
        if reply.finished {
            break;
        }
    }
    assert!(pieces > 3, "{pieces}");
    assert_eq!(replayed, 3001);
    assert_eq!(world.store.held.dump(), before);
}

#[tokio::test]
async fn large_and_small_files_are_replayed_with_one_statement() {
    let world = World::with_properties(&CROWD).await;
    let array = |place| format!("[{}]", strictly_bad(0, place)).into_bytes();
    world.load(&Delivery::default().record(0, 0, &array(10_000)).json()).await.unwrap();
    world.load(&Delivery::default().record(0, 1, &crowd(3000)).json()).await.unwrap();
    world.load(&Delivery::default().record(0, 2, &array(10_001)).record(0, 3, &array(10_002)).json()).await.unwrap();
    world.alter(&[("strip_outer_array", "true")]).await;
    assert_eq!(counts(&world.replay().await.unwrap()), (3003, 3003, 0, 0));
    assert_eq!(world.rows().await.into_values().sum::<u32>(), 3003);
    assert_eq!(world.rejected().await.len(), 0);
    assert!(world.replay_commits().await.len() <= 3);
}

#[tokio::test]
async fn alter_between_two_parts_of_a_file_loses_and_doubles_nothing() {
    let world = World::with_properties(&CROWD).await;
    world.load(&Delivery::default().record(0, 0, &crowd(3000)).json()).await.unwrap();
    world.alter(&[("strip_outer_array", "true")]).await;
    let first = world.loader.replay(world.job, &ReplayRequest { budget_ms: 0, ..request("") }).await.unwrap();
    assert!(first.resume.is_some() && !first.finished && first.loaded > 0, "{first:?}");
    // Another replay takes the rest; the first statement finds nothing left of what it began.
    assert_eq!(world.replay().await.unwrap().loaded, 3000 - first.loaded);
    let ReplayReply { after, until, resume, .. } = first;
    let last = ReplayRequest { after, until, resume, ..request("") };
    assert_eq!(counts(&world.loader.replay(world.job, &last).await.unwrap()), (0, 0, 0, 0));
    world.holds_exactly(places(0, 0..3000)).await;
}

#[tokio::test]
async fn rows_are_chosen_by_alternatives() {
    let world = World::strict().await;
    world.load(&mixed(0..10).json()).await.unwrap();
    world.alter(&[]).await;
    let wanted = request("WHERE offset = 1 OR (offset BETWEEN 5 AND 8 AND NOT raw_text LIKE '%\"place\":7%')");
    assert_eq!(counts(&world.loader.replay(world.job, &wanted).await.unwrap()), (2, 2, 0, 0));
    assert_eq!(world.rejected_offsets().await, [3, 7, 9]);
}

#[tokio::test]
async fn expressions_and_where_of_the_current_version_apply() {
    let world = World::strict().await;
    world.load(&mixed(0..8).json()).await.unwrap();
    world.pause().await;
    let job = world.snapshot().await.job;
    let definition = world.catalog.job_definition(job.id, job.version).await.unwrap().unwrap();
    let clauses = LoadClauses {
        columns: Some(vec![
            ColumnItem::Plain("place".into()),
            ColumnItem::Plain("text".into()),
            ColumnItem::Assignment { name: "site".into(), expression: "substr(text, 1, 4)".into() },
        ]),
        filter: Some("place != 5".into()),
        ..definition.clauses.clone()
    };
    let pairs = [("format", "json"), TOLERANT, ("strict_mode", "true"), ("jsonpaths", "[\"$.place\",\"$.site\"]")];
    let properties = penstock_kernel::property::JobProperties::from_pairs(pairs).unwrap();
    world.catalog.add_job_version(job.id, JobDefinition { clauses, properties, ..definition }).await.unwrap();
    assert_eq!(counts(&world.replay().await.unwrap()), (4, 3, 0, 1));
    assert_eq!(world.rejected_offsets().await, [0_i64; 0]);
    let [commit] = world.replay_commits().await.try_into().unwrap();
    let rows = world.read(&commit.files[0].key).await;
    assert_eq!(rows["site"].as_string::<i32>().iter().collect::<Vec<_>>(), [Some("ssss"); 3]);
}

/// One step of a schedule.
#[derive(Debug, Clone)]
enum Step {
    Load(u8),
    Replay,
    ReplayOdd,
    Race,
    Alter(bool),
    Commit(CommitFault),
    Put(PutFault),
    Interrupted(u8),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        4 => (1..6_u8).prop_map(Step::Load),
        3 => Just(Step::Replay),
        1 => Just(Step::ReplayOdd),
        1 => Just(Step::Race),
        2 => any::<bool>().prop_map(Step::Alter),
        2 => prop::sample::select(vec![CommitFault::Down, CommitFault::LostReply, CommitFault::Repeated]).prop_map(Step::Commit),
        1 => prop::sample::select(vec![PutFault::Down, PutFault::LostReply, PutFault::Denied]).prop_map(Step::Put),
        1 => (1..4_u8).prop_map(Step::Interrupted),
    ]
}

/// Of three records one is good, one is good unless the job is strict, one is hopeless every other time.
fn value(offset: i64) -> Vec<u8> {
    match offset % 6 {
        0 | 3 | 5 => good(0, offset).to_vec(),
        1 | 4 => strictly_bad(0, offset).into(),
        _ => HOPELESS.to_vec(),
    }
}

async fn play(steps: Vec<Step>) {
    let world = World::strict().await;
    let mut end = 0_i64;
    let records = |from: i64, to: i64| {
        (from..to).fold(Delivery::default(), |delivery, offset| delivery.record(0, offset, &value(offset))).json()
    };
    for step in steps {
        match step {
            Step::Load(more) => {
                let to = end + i64::from(more);
                if world.load(&records(end, to)).await.is_ok() {
                    end = to;
                }
            }
            Step::Replay => drop(world.replay().await),
            Step::ReplayOdd => drop(world.loader.replay(world.job, &request("WHERE offset IN (1, 7, 13, 19)")).await),
            Step::Race => {
                let (other, wanted) = (world.another_loader(), request(""));
                let _ = tokio::join!(world.replay(), other.replay(world.job, &wanted));
            }
            Step::Alter(strict) => world.alter(&[("strict_mode", if strict { "true" } else { "false" })]).await,
            Step::Commit(fault) => world.store.commit_faults.lock().unwrap().push_back(fault),
            Step::Put(fault) => world.objects.put_faults.lock().unwrap().push_back(fault),
            Step::Interrupted(more) => {
                let (other, event) = (world.clone(), records(end, end + i64::from(more)));
                *world.store.before_commit.lock().unwrap() = Some(Box::pin(async move {
                    let _ = other.load(&event).await;
                    other.alter(&[]).await;
                }));
                let _ = world.replay().await;
                *world.store.before_commit.lock().unwrap() = None;
            }
        }
        world.ranges_tile().await;
        let next_offset = world.snapshot().await.progress.get(&0).map_or(0, |progress| progress.value.next_offset);
        let rows = world.rows().await;
        assert!(rows.values().all(|times| *times == 1), "a row is there twice: {rows:?}");
        let loaded: BTreeSet<i64> = rows.keys().map(|(_, offset)| *offset).collect();
        let rejected: BTreeSet<i64> = world.rejected_offsets().await.into_iter().collect();
        assert!(loaded.is_disjoint(&rejected), "{loaded:?} {rejected:?}");
        let all: BTreeSet<i64> = loaded.union(&rejected).copied().collect();
        assert_eq!(all, (0..next_offset).collect(), "every row is either loaded or rejected");
        let counted = world.snapshot().await;
        let first = counted.progress.get(&0).map_or(0, |progress| progress.value.statistics.loaded);
        let replayed = counted.replays.map_or(0, |replays| replays.value.loaded);
        assert_eq!(first + replayed, loaded.len() as u64);
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 48, ..ProptestConfig::default() })]

    #[test]
    fn every_row_is_either_loaded_or_rejected_and_once(steps in prop::collection::vec(step(), 1..20)) {
        let runtime =
            tokio::runtime::Builder::new_current_thread().enable_all().start_paused(true).build().unwrap();
        runtime.block_on(play(steps));
    }
}
