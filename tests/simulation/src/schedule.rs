//! What a play consists of: settings and steps, all values, drawn from a seed and open to being cut down.
//!
//! A step names things by a number that is taken modulo what there is, so that it keeps a meaning when others are taken
//! away. What comes of a step depends on its own number and never on its place in the list.

use std::fmt;

use crate::dice::Dice;

/// A step, and when it is taken.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Step {
    /// Names it for ever, and the task that it begins.
    pub number: u32,
    /// Milliseconds since the beginning.
    pub at_ms: u64,
    /// What is done.
    pub action: Action,
}

/// How long whoever invoked the function waits for it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Attention {
    /// To the end.
    Waits,
    /// So many milliseconds, then the function is killed: its time-out.
    Kills(u64),
    /// So many milliseconds, then the batch counts as failed, while the function goes on.
    Leaves(u64),
}

/// What is done at a step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Action {
    /// So many records are produced to a source partition.
    Produce(u64, u64),
    /// A transaction marker takes an offset.
    Mark(u64),
    /// One record of a source partition is compacted away.
    Compact(u64, u64),
    /// So many of the oldest offsets of a source partition expire.
    Expire(u64, u64),
    /// The topic gets another source partition.
    AddSourcePartition,
    /// The topic is deleted and created anew.
    RecreateTopic,
    /// A mapping delivers its next batch to a process.
    Poll {
        /// The mapping.
        mapping: u64,
        /// The process that runs the function.
        process: u64,
        /// Who waits for it.
        attention: Attention,
    },
    /// A batch comes again, cut otherwise, from somebody who does not own its source partitions any more.
    Stray {
        /// The mapping.
        mapping: u64,
        /// The process that runs the function.
        process: u64,
        /// So many offsets before the group's position, at most.
        back: u64,
        /// Who waits for it.
        attention: Attention,
    },
    /// The source partitions of a mapping go to other owners, whatever is in flight.
    Rebalance(u64),
    /// A laptop's mapping reports what the source holds and where the job starts.
    Report(u64),
    /// A process starts anew, with an empty memory.
    Restart(u64),
    /// A statement.
    Say(Said),
    /// A query lists a table's files and reads them one after the other, with pauses of so many milliseconds at most.
    Read(u64, u64),
    /// The scheduled function runs in one of its processes.
    Maintain {
        /// The process.
        process: u64,
        /// Who waits for it.
        attention: Attention,
    },
    /// Nothing but time goes by.
    Nothing,
}

/// Which rejected rows are replayed: those of one source partition, or all.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted(pub Option<u64>);

impl Wanted {
    /// Whether those of `source_partition` are.
    pub fn wants(self, source_partition: i32) -> bool {
        self.0.is_none_or(|only| i64::try_from(only) == Ok(i64::from(source_partition)))
    }
}

/// A statement. Tables and jobs are numbers.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Said {
    /// `CREATE TABLE`
    CreateTable(u64),
    /// `DROP TABLE`
    DropTable(u64),
    /// `TRUNCATE TABLE`
    Truncate(u64),
    /// `CREATE ROUTINE LOAD`
    CreateJob {
        /// The job.
        job: u64,
        /// Its table.
        table: u64,
        /// Its start and its limits.
        shape: JobShape,
    },
    /// `PAUSE ROUTINE LOAD`
    Pause(u64),
    /// `RESUME ROUTINE LOAD`
    Resume(u64),
    /// `ALTER ROUTINE LOAD`: other sources of the columns. `a` and `b` feed `mark`; with `c`, `place` has a source that
    /// rows have which are rejected otherwise.
    Alter(u64, char),
    /// `ALTER ROUTINE LOAD`: a job goes on elsewhere in a source partition.
    Seek(u64, u64, u64),
    /// `ALTER ROUTINE LOAD`: no limits.
    Tolerate(u64),
    /// `STOP ROUTINE LOAD`
    Stop(u64),
    /// `SHOW ROUTINE LOAD`
    Show(u64),
    /// `REPLAY REJECTED ROWS`
    Replay(u64, Wanted),
}

/// Where a job starts, and what it bears.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct JobShape {
    /// `kafka_default_offsets`, if given.
    pub default_start: Option<&'static str>,
    /// `kafka_partitions` and `kafka_offsets`, if given.
    pub pinned: Option<(&'static str, &'static str)>,
    /// `max_error_number`
    pub max_error_number: u64,
    /// `max_filter_ratio`
    pub max_filter_ratio: &'static str,
}

/// What stays the same during a play.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Source partitions of the topic at first.
    pub source_partitions: usize,
    /// The processes that run the function, each by how far its clock is ahead, milliseconds.
    pub skews_ms: Vec<i64>,
    /// How far the clock of the process that runs statements is ahead, milliseconds.
    pub admin_skew_ms: i64,
    /// Whether mappings report what the source holds, as a laptop's do and AWS's do not.
    pub reports: bool,
    /// Faults happen so many times as often as they usually do.
    pub fault_factor: u64,
    /// One record in so many is no good; 0: none is.
    pub bad_records: u64,
    /// Whether hours go by between some steps, as maintenance needs them.
    pub long: bool,
}

/// Everything about a play but its faults.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Schedule {
    /// The seed.
    pub seed: u64,
    /// What stays the same.
    pub settings: Settings,
    /// The steps, by time.
    pub steps: Vec<Step>,
}

impl Schedule {
    /// The schedule of a seed.
    pub fn drawn(seed: u64) -> Self {
        let mut dice = Dice::new(seed).of(&[0x5c4e]);
        let settings = Settings::drawn(&mut dice);
        let mut at_ms = 0;
        let shape = shape(&mut dice);
        let table = dice.below(2);
        let create = || Action::Say(Said::CreateJob { job: 0, table, shape: shape.clone() });
        let mut steps = vec![
            Step { number: 1, at_ms, action: Action::Produce(0, dice.below(4)) },
            Step { number: 2, at_ms, action: create() },
            // In case the first fails.
            Step { number: 3, at_ms: 5_000, action: create() },
        ];
        let count = 18 + dice.below(34);
        for number in 4..4 + count {
            at_ms += gap(settings.long, &mut dice);
            let number = u32::try_from(number).unwrap_or(u32::MAX);
            let action = action(&settings, &mut dice);
            steps.push(Step { number, at_ms, action });
        }
        steps.sort_by_key(|step| step.at_ms);
        Self { seed, settings, steps }
    }
}

impl Settings {
    fn drawn(dice: &mut Dice) -> Self {
        let source_partitions = if dice.chance(300_000) { 1 } else { 3 };
        let processes = dice.between(1, 3);
        // AWS refuses requests of clocks that are wrong by more than a few minutes.
        let most_ms = dice.weighed(&[(4, 0), (4, 10_000), (2, 240_000)]).copied().unwrap_or(0);
        let skew_ms = |dice: &mut Dice| i64::try_from(dice.between(0, 2 * most_ms)).unwrap_or(0);
        let least_ms = i64::try_from(most_ms).unwrap_or(0);
        let skews_ms = (0..processes).map(|_| skew_ms(dice) - least_ms).collect();
        let factor = [(1, 0), (3, 1), (3, 2), (2, 5)];
        Self {
            source_partitions,
            skews_ms,
            admin_skew_ms: skew_ms(dice) - least_ms,
            reports: dice.chance(350_000),
            fault_factor: dice.weighed(&factor).copied().unwrap_or(1),
            bad_records: dice.weighed(&[(1, 0), (2, 12), (2, 4)]).copied().unwrap_or(0),
            long: dice.chance(600_000),
        }
    }
}

fn gap(long: bool, dice: &mut Dice) -> u64 {
    match dice.below(20) {
        18 if long => dice.between(600_000, 5_400_000),
        19 if long => match dice.below(4) {
            0 => dice.between(20 * 3_600_000, 30 * 3_600_000),
            _ => dice.between(200_000, 1_200_000),
        },
        0..=9 => dice.below(30),
        10..=15 => dice.between(30, 500),
        16..=18 => dice.between(500, 5_000),
        _ => dice.between(5_000, 60_000),
    }
}

fn attention(dice: &mut Dice) -> Attention {
    match dice.below(12) {
        0 => Attention::Kills(dice.between(1, 1_500)),
        1 => Attention::Leaves(dice.between(1, 1_500)),
        _ => Attention::Waits,
    }
}

fn wanted(dice: &mut Dice) -> Wanted {
    Wanted(dice.chance(300_000).then(|| dice.below(3)))
}

fn created(dice: &mut Dice) -> Said {
    Said::CreateJob { job: dice.below(2), table: dice.below(2), shape: shape(dice) }
}

fn shape(dice: &mut Dice) -> JobShape {
    let default_start = [(6, Some("OFFSET_BEGINNING")), (1, Some("OFFSET_END")), (1, None)];
    let pinned = [
        (12, None),
        (1, Some(("0", "OFFSET_BEGINNING"))),
        (1, Some(("0,1", "2,OFFSET_END"))),
        (1, Some(("1,0", "0,5"))),
    ];
    JobShape {
        default_start: dice.weighed(&default_start).copied().flatten(),
        pinned: dice.weighed(&pinned).copied().flatten(),
        max_error_number: dice.weighed(&[(4, 1_000_000), (1, 0), (1, 3)]).copied().unwrap_or(0),
        max_filter_ratio: dice.weighed(&[(5, "1"), (1, "0.4")]).copied().unwrap_or("1"),
    }
}

fn action(settings: &Settings, dice: &mut Dice) -> Action {
    type Make = fn(&mut Dice) -> Action;
    let steps: [(u64, Make); 24] = [
        (22, |dice| Action::Produce(dice.below(8), dice.between(1, 8))),
        (44, |dice| Action::Poll { mapping: dice.below(2), process: dice.below(3), attention: attention(dice) }),
        (9, |dice| Action::Stray {
            mapping: dice.below(2),
            process: dice.below(3),
            back: dice.below(10),
            attention: attention(dice),
        }),
        (5, |dice| Action::Rebalance(dice.below(2))),
        (if settings.reports { 10 } else { 0 }, |dice| Action::Report(dice.below(2))),
        (2, |dice| Action::Restart(dice.below(3))),
        (7, |dice| Action::Read(dice.below(2), if dice.chance(400_000) { dice.between(1, 100_000) } else { 0 })),
        (if settings.long { 14 } else { 4 }, |dice| Action::Maintain {
            process: dice.below(2),
            attention: attention(dice),
        }),
        (2, |dice| Action::Mark(dice.below(8))),
        (2, |dice| Action::Compact(dice.below(8), dice.below(64))),
        (2, |dice| Action::Expire(dice.below(8), dice.below(8))),
        (1, |_| Action::AddSourcePartition),
        (1, |_| Action::RecreateTopic),
        (4, |dice| Action::Say(created(dice))),
        (5, |dice| Action::Say(Said::Pause(dice.below(2)))),
        (7, |dice| Action::Say(Said::Resume(dice.below(2)))),
        (4, |dice| Action::Say(Said::Alter(dice.below(2), dice.pick(&['a', 'b', 'c']).copied().unwrap_or('a')))),
        (5, |dice| Action::Say(Said::Replay(dice.below(2), wanted(dice)))),
        // Not yet: a batch that began before ALTER and reads its first item after the new mapping is there is not told apart.
        (0, |dice| Action::Say(Said::Seek(dice.below(2), dice.below(3), dice.below(16)))),
        (1, |dice| Action::Say(Said::Stop(dice.below(2)))),
        (1, |dice| Action::Say(Said::DropTable(dice.below(2)))),
        (2, |dice| Action::Say(Said::CreateTable(dice.below(2)))),
        (1, |dice| Action::Say(Said::Truncate(dice.below(2)))),
        (1, |dice| Action::Say(Said::Show(dice.below(2)))),
    ];
    dice.weighed(&steps).map_or(Action::AddSourcePartition, |make| make(dice))
}

impl Said {
    /// The statement's text.
    pub fn sql(&self) -> String {
        match self {
            Self::CreateTable(table) => {
                // The second table has a partition for each of two source partitions, and one for all others.
                let parted = match table {
                    0 => String::new(),
                    _ => format!(
                        r#"PARTITION BY RANGE(`place`) (PARTITION first VALUES LESS THAN ("{}"),
                           PARTITION second VALUES LESS THAN ("{}"), PARTITION rest VALUES LESS THAN (MAXVALUE))"#,
                        1_i64 << 40,
                        2_i64 << 40
                    ),
                };
                format!(
                    "CREATE TABLE d.t{table} (`place` bigint NOT NULL, `mark` varchar(64)) DUPLICATE KEY(`place`) {parted} \
                     DISTRIBUTED BY HASH(`place`)"
                )
            }
            Self::DropTable(table) => format!("DROP TABLE d.t{table}"),
            Self::Truncate(table) => format!("TRUNCATE TABLE d.t{table}"),
            Self::CreateJob { job, table, shape } => {
                let JobShape { max_error_number, max_filter_ratio, .. } = shape;
                let mut source =
                    vec![r#""kafka_broker_list" = "b:9092""#.to_owned(), format!(r#""kafka_topic" = "{TOPIC}""#)];
                if let Some(start) = shape.default_start {
                    source.push(format!(r#""property.kafka_default_offsets" = "{start}""#));
                }
                if let Some((source_partitions, starts)) = shape.pinned {
                    source.push(format!(r#""kafka_partitions" = "{source_partitions}""#));
                    source.push(format!(r#""kafka_offsets" = "{starts}""#));
                }
                format!(
                    r#"CREATE ROUTINE LOAD d.j{job} ON t{table} PROPERTIES ("format" = "json", "jsonpaths" = "{}",
                       "max_error_number" = "{max_error_number}", "max_filter_ratio" = "{max_filter_ratio}")
                       FROM KAFKA ({})"#,
                    paths('a'),
                    source.join(", ")
                )
            }
            Self::Pause(job) => format!("PAUSE ROUTINE LOAD FOR d.j{job}"),
            Self::Resume(job) => format!("RESUME ROUTINE LOAD FOR d.j{job}"),
            Self::Alter(job, mark) => {
                format!(r#"ALTER ROUTINE LOAD FOR d.j{job} PROPERTIES ("jsonpaths" = "{}")"#, paths(*mark))
            }
            Self::Seek(job, source_partition, offset) => format!(
                r#"ALTER ROUTINE LOAD FOR d.j{job} FROM KAFKA ("kafka_partitions" = "{source_partition}", "kafka_offsets" = "{offset}")"#
            ),
            Self::Tolerate(job) => format!(
                r#"ALTER ROUTINE LOAD FOR d.j{job} PROPERTIES ("max_error_number" = "1000000", "max_filter_ratio" = "1")"#
            ),
            Self::Stop(job) => format!("STOP ROUTINE LOAD FOR d.j{job}"),
            Self::Show(job) => format!("SHOW ROUTINE LOAD FOR d.j{job}"),
            Self::Replay(job, Wanted(None)) => format!("REPLAY REJECTED ROWS FOR d.j{job}"),
            Self::Replay(job, Wanted(Some(only))) => {
                format!("REPLAY REJECTED ROWS FOR d.j{job} WHERE source_partition = {only}")
            }
        }
    }
}

/// The topic that jobs read.
pub(crate) const TOPIC: &str = "clicks";

fn paths(mark: char) -> String {
    match mark {
        'c' => r#"[\"$.spare\",\"$.a\"]"#.to_owned(),
        mark => format!(r#"[\"$.place\",\"$.{mark}\"]"#),
    }
}

impl fmt::Display for Attention {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Waits => Ok(()),
            Self::Kills(ms) => write!(f, ", killed after {ms} ms"),
            Self::Leaves(ms) => write!(f, ", taken for failed after {ms} ms"),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{} at {} ms: ", self.number, self.at_ms)?;
        match &self.action {
            Action::Produce(number, count) => write!(f, "{count} records come to source partition {number}"),
            Action::Mark(number) => write!(f, "a marker comes to source partition {number}"),
            Action::Compact(number, which) => {
                write!(f, "offset {which} of source partition {number} is compacted away")
            }
            Action::Expire(number, count) => write!(f, "{count} offsets of source partition {number} expire"),
            Action::AddSourcePartition => f.write_str("the topic gets a source partition"),
            Action::RecreateTopic => f.write_str("the topic is deleted and created anew"),
            Action::Poll { mapping, process, attention } => {
                write!(f, "mapping {mapping} delivers to process {process}{attention}")
            }
            Action::Stray { mapping, process, back, attention } => write!(
                f,
                "a batch of mapping {mapping} from {back} offsets before its position strays to process {process}{attention}"
            ),
            Action::Rebalance(mapping) => write!(f, "mapping {mapping} rebalances"),
            Action::Report(mapping) => write!(f, "mapping {mapping} reports its source"),
            Action::Restart(process) => write!(f, "process {process} starts anew"),
            Action::Say(said) => write!(f, "{}", said.sql().split_whitespace().collect::<Vec<_>>().join(" ")),
            Action::Read(table, 0) => write!(f, "a query reads table t{table}"),
            Action::Read(table, pause_ms) => write!(f, "a query reads table t{table}, with pauses up to {pause_ms} ms"),
            Action::Maintain { process, attention } => write!(f, "maintenance runs in process {process}{attention}"),
            Action::Nothing => f.write_str("time goes by"),
        }
    }
}

impl fmt::Display for Schedule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Settings { source_partitions, skews_ms, admin_skew_ms, reports, .. } = &self.settings;
        writeln!(
            f,
            "{source_partitions} source partitions, processes ahead by {skews_ms:?} ms, statements by {admin_skew_ms} ms, {}",
            if *reports { "mappings report their source" } else { "mappings report nothing" }
        )?;
        self.steps.iter().try_for_each(|step| writeln!(f, "{step}"))
    }
}
