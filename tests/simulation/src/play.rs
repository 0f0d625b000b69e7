//! One play: a schedule from its first step to rest, every invariant checked after every event.
//!
//! An event is a step, a request that takes place, a reply or a timer that reaches a task, or the end of a task's time.

use std::collections::BTreeMap;
use std::sync::Arc;

use penstock_catalog::Catalog;
use penstock_catalog::job::Job;
use penstock_kernel::ids::JobId;
use penstock_kernel::state::{JobState, reason};
use penstock_load::error::LoadError;
use penstock_load::loader::LoadReply;
use penstock_sql::error::code;
use penstock_sql::request::SqlResponse;
use penstock_storage::Volumes;

use crate::bug::Bug;
use crate::dice::Dice;
use crate::fault::{Operation, Place, Placed};
use crate::mapping::Delivery;
use crate::net::{Event, Faults, Net};
use crate::rest;
use crate::schedule::{Action, Attention, Said, Schedule, Step};
use crate::tasks::Ended;
use crate::verdict;
use crate::violation::Invariant::{AcknowledgedIsCommitted, NoPanic, RefusedIsUndone};
use crate::violation::{Violation, broken};
use crate::world::{Done, Work, World};

/// What came of a play.
pub struct Played {
    /// The invariant that broke, if one did; the play ended there.
    pub violation: Option<Violation>,
    /// The faults that struck, in their order.
    pub faults: Vec<Placed>,
    /// Every operation that a task asked of a service, in the order in which they began.
    pub operations: Vec<(Place, Operation)>,
    /// One line an event, if it was wanted.
    pub trace: String,
    /// What was played.
    pub counts: Counts,
    /// What is left.
    pub remains: Remains,
}

/// How much was played.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Events.
    pub events: u64,
    /// Commits that took place.
    pub commits: u64,
    /// Rows that they hold.
    pub rows: u64,
    /// Faults that struck.
    pub faults: u64,
}

/// What is left after a play, for other readers to look at.
pub struct Remains {
    /// The catalog, without a network before it.
    pub catalog: Catalog,
    /// The objects.
    pub volumes: Arc<dyn Volumes>,
    /// The places (the column `place`) of the rows that each table must hold, by its name, ascending, one an occurrence.
    pub tables: BTreeMap<String, Vec<i64>>,
}

/// Plays `schedule` with these faults, and with `bug` planted.
pub fn play(schedule: &Schedule, faults: Faults, bug: Option<Bug>, traced: bool) -> Played {
    let dice = Dice::new(schedule.seed);
    let net = Net::new(dice.clone(), faults, traced);
    let mut world = World::new(Arc::clone(&net), dice, schedule.settings.clone(), bug);
    let mut stage = Stage { steps: BTreeMap::new(), events: 0 };
    let violation = stage.play(&mut world, schedule).err();
    if let Some(violation) = &violation {
        net.note(format_args!("broken: {violation}"));
    }
    let faults = net.placed();
    let model = &world.checker.model;
    let counts = Counts {
        events: stage.events,
        commits: model.tables.values().map(|table| table.commits.len() as u64).sum(),
        rows: model.rows.len() as u64, // usize has at most 64 bits
        faults: faults.len() as u64,
    };
    let (catalog, volumes) = world.remains();
    let mut tables = BTreeMap::new();
    for table in [0, 1].into_iter().filter_map(|number| world.table(number)) {
        let commits = world.checker.model.table(table.id);
        let counting = commits.iter().filter(|commit| commit.counts());
        let mut places: Vec<i64> = counting.flat_map(|commit| commit.rows.iter().map(|(place, _)| *place)).collect();
        places.sort_unstable();
        tables.insert(table.name, places);
    }
    let remains = Remains { catalog, volumes, tables };
    Played { violation, faults, operations: net.called(), trace: net.take_trace(), counts, remains }
}

/// Plays a seed as it comes.
pub fn play_seed(seed: u64, bug: Option<Bug>, traced: bool) -> (Schedule, Played) {
    let schedule = Schedule::drawn(seed);
    let faults = Faults::Drawn(schedule.settings.fault_factor);
    let played = play(&schedule, faults, bug, traced);
    (schedule, played)
}

/// Where a play stands.
pub(crate) struct Stage {
    steps: BTreeMap<u32, Step>,
    events: u64,
}

/// Events of one play at most: far more than any takes that comes to an end.
const MOST_EVENTS: u64 = 200_000;

impl Stage {
    fn play(&mut self, world: &mut World, schedule: &Schedule) -> Result<(), Violation> {
        for step in &schedule.steps {
            self.steps.insert(step.number, step.clone());
            world.net.schedule(step.at_ms.saturating_mul(1000), Event::Step(step.number));
        }
        self.drain(world)?;
        world.net.calm_down();
        rest::come_to_rest(self, world)
    }

    /// Takes one more step now, and lets everything happen that follows.
    pub(crate) fn now(&mut self, world: &mut World, number: u32, action: Action) -> Result<(), Violation> {
        self.later(world, 0, number, action)
    }

    /// Takes the same step twice at once.
    pub(crate) fn twice(
        &mut self,
        world: &mut World,
        in_ms: u64,
        numbers: [u32; 2],
        action: &Action,
    ) -> Result<(), Violation> {
        for number in numbers {
            self.steps.insert(number, Step { number, at_ms: 0, action: action.clone() });
            world.net.schedule(in_ms.saturating_mul(1000), Event::Step(number));
        }
        self.drain(world)
    }

    /// The same so many milliseconds later.
    pub(crate) fn later(
        &mut self,
        world: &mut World,
        in_ms: u64,
        number: u32,
        action: Action,
    ) -> Result<(), Violation> {
        self.steps.insert(number, Step { number, at_ms: 0, action });
        world.net.schedule(in_ms.saturating_mul(1000), Event::Step(number));
        self.drain(world)
    }

    /// Lets everything happen until nothing is on its way any more.
    fn drain(&mut self, world: &mut World) -> Result<(), Violation> {
        while let Some(event) = world.net.next() {
            self.events += 1;
            if self.events > MOST_EVENTS {
                return broken(crate::Invariant::ComesToRest, "tasks keep each other busy without end");
            }
            self.happen(world, event)?;
            while let Some((task, ended)) = world.tasks.go_on() {
                world.checker.check(&world.topic, &world.deliveries)?;
                end(world, task, ended)?;
            }
            world.checker.check(&world.topic, &world.deliveries)?;
        }
        Ok(())
    }

    fn happen(&mut self, world: &mut World, event: Event) -> Result<(), Violation> {
        match event {
            Event::Arrive(request) => world.net.arrive(request),
            Event::Wake(wait) => world.net.wake(wait),
            Event::Step(number) => {
                if let Some(step) = self.steps.get(&number) {
                    world.net.note(format_args!("{step}"));
                    take(world, number, &step.action);
                }
            }
            Event::Expire(task) => {
                if world.tasks.kill(task) {
                    world.net.note(format_args!("#{task} is killed"));
                    world.checker.needed.remove(&task);
                    released(world, task, false);
                }
            }
            Event::Leave(task) => {
                world.net.note(format_args!("#{task} is not waited for any more"));
                released(world, task, false);
            }
        }
        Ok(())
    }
}

fn take(world: &mut World, number: u32, action: &Action) {
    match action {
        Action::Produce(source_partition, count) => world.produce(number, *source_partition, *count),
        Action::Mark(source_partition) => world.topic.mark(*source_partition),
        Action::Compact(source_partition, which) => world.topic.compact(*source_partition, *which),
        Action::Expire(source_partition, count) => world.topic.expire(*source_partition, *count),
        Action::AddSourcePartition => world.topic.add_source_partition(),
        Action::RecreateTopic => {
            world.topic.recreate();
            world.pollers.topic_deleted();
        }
        Action::Poll { mapping, process, attention } => {
            let delivery = world.mapped(*mapping).and_then(|job| world.cut(job, number));
            deliver(world, number, *process, *attention, delivery);
        }
        Action::Stray { mapping, process, back, attention } => {
            let delivery = world.mapped(*mapping).and_then(|job| world.stray(job, number, *back));
            deliver(world, number, *process, *attention, delivery);
        }
        Action::Rebalance(mapping) => {
            if let Some(job) = world.mapped(*mapping) {
                world.pollers.rebalance(job);
            }
        }
        Action::Report(mapping) => {
            if let Some(job) = world.mapped(*mapping) {
                world.report(number, job);
            }
        }
        Action::Restart(process) => world.restart(*process),
        Action::Say(said) => world.say(number, said.clone()),
        Action::Read(table, pause_ms) => world.read(number, *table, *pause_ms),
        Action::Maintain { process, attention } => {
            attend(world, number, *attention);
            world.maintain(number, *process);
        }
        Action::Nothing => {}
    }
}

fn deliver(world: &mut World, number: u32, process: u64, attention: Attention, delivery: Option<Delivery>) {
    let Some(delivery) = delivery else { return };
    let (Some(first), Some(last)) = (delivery.records.first(), delivery.records.last()) else { return };
    world.net.note(format_args!(
        "#{number} brings {} records of job {}, {}/{} to {}/{}",
        delivery.records.len(),
        delivery.job,
        first.source_partition,
        first.offset,
        last.source_partition,
        last.offset
    ));
    attend(world, number, attention);
    world.load(number, process, delivery);
}

fn attend(world: &World, number: u32, attention: Attention) {
    match attention {
        Attention::Waits => {}
        Attention::Kills(ms) => world.net.schedule(ms.saturating_mul(1000), Event::Expire(number)),
        Attention::Leaves(ms) => world.net.schedule(ms.saturating_mul(1000), Event::Leave(number)),
    }
}

/// Whoever waited for the task knows what came of it.
fn released(world: &mut World, task: u32, succeeded: bool) {
    if let Some(delivery) = world.deliveries.get(&task) {
        world.pollers.ended(delivery, task, succeeded);
    }
}

fn end(world: &mut World, task: u32, ended: Ended<Done>) -> Result<(), Violation> {
    world.checker.needed.remove(&task);
    let done = match ended {
        Ended::With(done) => done,
        Ended::Died => {
            world.net.note(format_args!("#{task} dies"));
            released(world, task, false);
            return Ok(());
        }
        Ended::Panicked(message) => return broken(NoPanic, format!("#{task}: {message}")),
    };
    let work = world.works.remove(&task);
    match (done, work) {
        (Done::Loaded(result), _) => loaded(world, task, &result),
        (Done::Said(answer), Some(Work::Say(said, jobs))) => said_done(world, task, &said, &jobs, &answer),
        (Done::Read(seen), Some(Work::Read(table, had))) => {
            world.net.note(format_args!("#{task} has read: {}", seen.as_ref().err().map_or("all", String::as_str)));
            verdict::read(&world.checker.model, &table, &had, &seen)
        }
        (Done::Reported(result), _) => {
            world.net.note(format_args!("#{task} has reported: {result:?}"));
            Ok(())
        }
        (Done::Maintained(result), _) => {
            world.net.note(format_args!("#{task} has maintained: {result}"));
            Ok(())
        }
        _ => Ok(()),
    }
}

fn loaded(world: &mut World, task: u32, result: &Result<LoadReply, LoadError>) -> Result<(), Violation> {
    match result {
        Ok(reply) => world.net.note(format_args!(
            "#{task} succeeds: {} commits, {} loaded, {} seen, {} dropped",
            reply.commits, reply.statistics.loaded, reply.seen, reply.dropped
        )),
        Err(error) => world.net.note(format_args!("#{task} fails: {error}")),
    }
    if result.is_ok() {
        acknowledged(world, task)?;
    }
    released(world, task, result.is_ok());
    Ok(())
}

/// A batch was acknowledged, so that nobody will bring its records again.
fn acknowledged(world: &World, task: u32) -> Result<(), Violation> {
    let Some(delivery) = world.deliveries.get(&task) else { return Ok(()) };
    let snapshot = world.checker.snapshot(delivery.job)?;
    let Some(source) = world.source(delivery.job) else { return Ok(()) };
    for record in &delivery.records {
        let model = world.checker.model.source(delivery.job, record.source_partition);
        // ALTER may have gone back behind it before the answer came: then it comes again by another mapping.
        if model.and_then(|model| model.ever.get(&record.offset)) == Some(&record.life) {
            continue;
        }
        if !verdict::is_accounted_for(record, model, &source, &snapshot.job, &world.topic) {
            let found = format!(
                "#{task} acknowledged source partition {} offset {} of job {}, which is not committed",
                record.source_partition, record.offset, delivery.job
            );
            return broken(AcknowledgedIsCommitted, found);
        }
    }
    Ok(())
}

fn said_done(world: &mut World, task: u32, said: &Said, jobs: &[Job], answer: &SqlResponse) -> Result<(), Violation> {
    match answer {
        SqlResponse::Error(error) => {
            world.net.note(format_args!("#{task} is answered {}: {}", error.code, error.message));
            let unknown = matches!(error.code, code::UNAVAILABLE | code::INTERNAL);
            // The mapping's refusal comes after the job's change, and says so.
            let of_mapping = error.message.contains("mapping is refused");
            if !unknown && !of_mapping && world.checker.effective.contains(&task) {
                return broken(RefusedIsUndone, format!("#{task} took place, and was refused: {}", error.message));
            }
        }
        _ => {
            world.net.note(format_args!("#{task} is done"));
            let closes =
                matches!(said, Said::Pause(_) | Said::Alter(..) | Said::Seek(..) | Said::Stop(_) | Said::DropTable(_));
            for job in jobs.iter().filter(|_| closes) {
                close(world, job)?;
            }
        }
    }
    Ok(())
}

/// From now on nothing may be committed for the job, until its fence is raised again. If somebody else changed the job
/// meanwhile, nothing is known.
fn close(world: &mut World, before: &Job) -> Result<(), Violation> {
    let now = world.checker.snapshot(before.id)?.job;
    if now.fence == before.fence + 1 && !now.state.loads() {
        world.checker.model.jobs.entry(now.id).or_default().closed = Some(now.fence);
    }
    Ok(())
}

/// Whether the job waits for somebody to see that its topic is another.
pub(crate) fn waits_for_its_owner(job: &Job) -> bool {
    job.state == JobState::Paused && job.reason.as_ref().is_some_and(|reason| reason.code == reason::TASKS_ABORTED)
}

/// The live jobs that loading can go on with.
pub(crate) fn going(world: &World) -> Vec<(JobId, u64)> {
    let jobs = world.live_jobs().into_iter().filter(|job| !waits_for_its_owner(job));
    jobs.filter_map(|job| Some((job.id, job.name.strip_prefix('j')?.parse().ok()?))).collect()
}
