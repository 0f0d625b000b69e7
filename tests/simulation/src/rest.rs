//! After the last step nothing goes wrong any more: what is there must get loaded, and readers must see all of it.

use penstock_kernel::ids::JobId;
use penstock_kernel::state::JobState;

use crate::play::{Stage, going};
use crate::schedule::{Action, Attention, Said};
use crate::verdict;
use crate::violation::Invariant::ComesToRest;
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
    for table in [0, 1] {
        stage.now(world, next(), Action::Read(table))?;
    }
    going(world).into_iter().try_for_each(|(id, _)| complete(world, id))
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
