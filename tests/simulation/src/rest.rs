//! After the last step nothing goes wrong any more: what is there must get loaded, and readers must see all of it.

use std::collections::{BTreeMap, BTreeSet};

use penstock_kernel::ids::JobId;
use penstock_kernel::state::JobState;
use penstock_sql::check::CheckAnswer;

use crate::play::{Stage, going};
use crate::ready;
use crate::schedule::{Action, Attention, Said, Wanted};
use crate::verdict;
use crate::violation::Invariant::{ComesToRest, FilesAreThere, TablesAreTidy};
use crate::violation::{Violation, broken};
use crate::world::World;

/// The numbers of steps that are taken now begin here.
const FIRST: u32 = 1_000_000;

/// Rounds in which every mapping delivers a batch.
const ROUNDS: u32 = 400;

/// Resumes every job and has everything delivered.
pub(crate) fn come_to_rest(stage: &mut Stage, world: &mut World) -> Result<(), Violation> {
    let mut number = FIRST;
    let mut next = || {
        number += 1;
        number
    };
    for (id, name) in going(world) {
        resume(stage, world, id, name, &mut next)?;
    }
    for job in world.pollers.jobs() {
        world.pollers.rebalance(job);
    }
    for round in 0.. {
        let before = world.deliveries.len();
        for (mapping, job) in (0..).zip(world.pollers.jobs()) {
            // Batches of a job that does not load come again for ever.
            if !world.checker.snapshot(job)?.job.state.loads() {
                continue;
            }
            if world.settings.reports {
                stage.now(world, next(), Action::Report(mapping))?;
            }
            stage.now(world, next(), Action::Poll { mapping, process: 0, attention: Attention::Waits })?;
        }
        if world.deliveries.len() == before {
            break;
        }
        if round > ROUNDS {
            return broken(ComesToRest, format!("batches still come after {ROUNDS} rounds"));
        }
    }
    going(world).into_iter().try_for_each(|(id, _)| complete(world, id))?;
    for (id, name) in going(world) {
        // Where batches still wait for their owner, statements may be refused.
        if world.checker.snapshot(id)?.job.state.loads() {
            stage.now(world, next(), Action::Say(Said::Alter(name, 'c')))?;
            // Of two at once one may lose every race; the third has nobody beside it.
            let replay = Action::Say(Said::Replay(name, Wanted(None)));
            stage.twice(world, 0, [next(), next()], &replay)?;
            stage.now(world, next(), replay)?;
            replayed(world, id)?;
        }
    }
    // Until what the last runs replaced is old enough, and what nobody named as well.
    for hours in [0, 2, 26, 2, 2] {
        let maintain = Action::Maintain { process: 0, attention: Attention::Waits };
        let in_ms = hours * 3_600_000 + 660_000;
        match hours {
            0 => stage.twice(world, in_ms, [next(), next()], &maintain)?,
            _ => stage.later(world, in_ms, next(), maintain)?,
        }
        for table in [0, 1] {
            stage.now(world, next(), Action::Read(table, 0))?;
        }
    }
    tidy(world)
}

/// Of the rejected rows only those are left that no version of the job can read.
fn replayed(world: &World, id: JobId) -> Result<(), Violation> {
    let tables = world.checker.model.tables.values().filter(|table| table.dropped_at_ms.is_none());
    for known in tables.flat_map(|table| &table.commits).filter(|known| known.commit.job == id && known.stands()) {
        if let Some((source_partition, offset, ..)) = known.rejected.iter().find(|(.., index, _)| index.is_some()) {
            let found = format!("job {id}: source partition {source_partition} offset {offset} stays rejected");
            return broken(ComesToRest, found);
        }
    }
    Ok(())
}

/// Files at most that maintenance leaves of one table partition, of what plays load.
const MOST_FILES: usize = 2;

/// Nothing is left that nobody needs, everything is accounted for, and every file is what the catalog says.
fn tidy(world: &World) -> Result<(), Violation> {
    for (id, model) in &world.checker.model.tables {
        let objects: BTreeSet<String> = world.objects_of(*id).into_iter().collect();
        let items = world.items_of(*id);
        if model.dropped_at_ms.is_some() {
            if !objects.is_empty() || !items.is_empty() {
                let found = format!("of the dropped table {id}: {objects:?}, {items:?}");
                return broken(TablesAreTidy, found);
            }
            continue;
        }
        world.checker.coverage(*id)?;
        let state = match ready(world.catalog.table_state_by_id(*id)) {
            Some(Ok(state)) => state,
            other => return broken(TablesAreTidy, format!("table {id} cannot be read: {other:?}")),
        };
        let Some(definition) = &state.definition else { continue };
        let mut files: BTreeMap<_, usize> = BTreeMap::new();
        for file in state.readable(&definition.partitioning) {
            *files.entry(&file.table_partition).or_default() += 1;
        }
        if let Some((table_partition, count)) = files.iter().find(|(_, count)| **count > MOST_FILES) {
            return broken(TablesAreTidy, format!("table {id} has {count} files of {table_partition:?}"));
        }
        // The definition, the layout, what was done last.
        let left: Vec<&String> =
            items.iter().filter(|sk| !["definition", "layout", "maintenance"].contains(&sk.as_str())).collect();
        if !left.is_empty() {
            return broken(TablesAreTidy, format!("table {id} still has the items {left:?}"));
        }
        let named: BTreeSet<String> = match ready(world.catalog.named_objects(definition)) {
            Some(Ok(named)) => named.into_iter().collect(),
            other => return broken(TablesAreTidy, format!("objects of table {id} are not known: {other:?}")),
        };
        if let Some(orphan) = objects.difference(&named).next() {
            return broken(TablesAreTidy, format!("`{orphan}` of table {id} is never deleted"));
        }
        match world.check_table(*id) {
            Some(CheckAnswer::Done(reply)) if reply.finished && reply.damaged.is_empty() => {}
            other => return broken(FilesAreThere, format!("CHECK TABLE of table {id}: {other:?}")),
        }
    }
    Ok(())
}

fn resume(
    stage: &mut Stage,
    world: &mut World,
    id: JobId,
    name: u64,
    next: &mut impl FnMut() -> u32,
) -> Result<(), Violation> {
    // A STOP that ended half-way has removed the mapping already, and is said again.
    let snapshot = world.checker.snapshot(id)?;
    if snapshot.job.mapping.is_some() && world.pollers.get(id).is_none() {
        return stage.now(world, next(), Action::Say(Said::Stop(name)));
    }
    if snapshot.job.state != JobState::Paused {
        stage.now(world, next(), Action::Say(Said::Pause(name)))?;
    }
    stage.now(world, next(), Action::Say(Said::Tolerate(name)))?;
    stage.now(world, next(), Action::Say(Said::Resume(name)))?;
    let snapshot = world.checker.snapshot(id)?;
    let enabled = world.pollers.get(id).is_some_and(|mapping| mapping.enabled);
    if !snapshot.job.state.loads() || !enabled {
        return broken(ComesToRest, format!("job {id} is {} after RESUME, enabled: {enabled}", snapshot.job.state));
    }
    Ok(())
}

/// Everything that is in the topic is accounted for.
fn complete(world: &World, id: JobId) -> Result<(), Violation> {
    let snapshot = world.checker.snapshot(id)?;
    if !snapshot.job.state.loads() {
        return Ok(());
    }
    let Some(source) = world.source(id) else { return broken(ComesToRest, format!("job {id} has no definition")) };
    for (source_partition, log) in world.topic.logs() {
        let model = world.checker.model.source(id, source_partition);
        for record in log.from(0) {
            if !verdict::is_accounted_for(record, model, &source, &snapshot.job, &world.topic) {
                let found =
                    format!("job {id} never loads source partition {source_partition} offset {}", record.offset);
                return broken(ComesToRest, found);
            }
        }
    }
    Ok(())
}
