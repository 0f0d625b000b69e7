//! ALTER ROUTINE LOAD: the next version of a job's definition, and the offsets with which it begins.
//!
//! The catalog makes the version and moves the offsets at once, so no batch falls between. What a mapping can be told it is
//! told before: if it refuses, nothing has changed. What it cannot (another consumer group, other brokers) asks for
//! another mapping, which is made afterwards: until then, and if that fails, the job is altered and waits for RESUME.

use std::collections::BTreeMap;

use penstock_catalog::job::{Alteration, Altered, Job, JobSnapshot};
use penstock_expressions::StarRocks;
use penstock_kernel::error_chain::one_line;
use penstock_kernel::job::{JobDefinition, StartOffset};
use penstock_kernel::plan::Plan;
use penstock_kernel::state::JobState;
use penstock_sql::definition::{altered_definition, altered_starts};
use penstock_sql::error::{SqlError, code};
use penstock_sql::request::{SessionContext, SqlResponse};
use penstock_sql::statement::AlterRoutineLoad;

use super::create::MappingFailure;
use super::source_mapping::spec;
use crate::error::{of_catalog, of_definition, of_mapping};
use crate::mapping::{MappingError, MappingId, MappingSpec};
use crate::sampler::Sample;
use crate::{Admin, done};

impl Admin {
    pub(crate) async fn alter_job(
        &self,
        statement: AlterRoutineLoad,
        session: &SessionContext,
    ) -> Result<SqlResponse, SqlError> {
        let (_, job) = self.live_job(&statement.name, session).await?;
        let table = self.catalog.table_by_id(job.table).await.map_err(of_catalog)?;
        let table =
            table.ok_or_else(|| SqlError::new(code::UNKNOWN_TABLE, format!("Unknown table '{}'", job.table)))?;
        let current = self.definition(&job).await?;
        let mut next = altered_definition(&current, &statement, &table)?;
        self.check_automatic_partitions(&table, statement.clauses.table_partitions.as_deref()).await?;
        Plan::compile(&next, &table, &StarRocks).map_err(|error| of_definition(&error))?;
        let snapshot = self.catalog.job_snapshot(job.id).await.map_err(of_catalog)?;
        let snapshot = snapshot.ok_or_else(|| gone(&job))?;
        let moves = self.moves(&next, &altered_starts(&statement)?, &snapshot).await?;
        // Where it stands already is a place to go to, too: its group may be ahead of it.
        let back = moves.iter().any(|(source_partition, to)| {
            let progress = snapshot.progress.get(source_partition);
            progress.is_none_or(|progress| *to <= progress.value.next_offset)
        });
        if back {
            group_of_its_own(&mut next, &current);
        }
        let job = Job { rewound: job.rewound || back, ..job };
        let (old_spec, new_spec) = (spec(&current, &job), spec(&next, &job));
        self.mappings.check(&new_spec).map_err(|error| of_mapping(&error))?;
        let anew = old_spec.needs_another_mapping(&new_spec);
        if let Some(mapping) = job.mapping.clone().map(MappingId)
            && !anew
            && old_spec != new_spec
        {
            self.mappings.update(&mapping, &new_spec).await.map_err(|error| of_mapping(&error))?;
        }
        // The catalog counts the version up from the one that the change was made to.
        let version = next.version;
        next.version = current.version;
        let alteration = Alteration { definition: next, moves, forget_mapping: anew };
        let altered = match self.catalog.alter_job(job.id, &alteration).await.map_err(of_catalog)? {
            Altered::Now(job) => job,
            Altered::Ended(_) | Altered::Missing => return Err(gone(&job)),
            Altered::PauseFirst { source_partitions } => {
                let message = format!("a job of {source_partitions} source partitions is altered while it is PAUSED");
                return Err(SqlError::analysis(&message).with_hint(format!(
                    "PAUSE ROUTINE LOAD FOR {0}, alter it, then RESUME ROUTINE LOAD FOR {0}",
                    job.name
                )));
            }
        };
        if anew {
            self.another_mapping(&altered, &new_spec, version).await?;
        }
        Ok(done())
    }

    /// Makes the mapping that takes the place of the job's.
    async fn another_mapping(&self, job: &Job, spec: &MappingSpec, version: u32) -> Result<(), SqlError> {
        let error = match self.make_mapping(job.id, spec).await {
            Err(MappingFailure::Catalog(error)) => return Err(error),
            Err(MappingFailure::Mapping(error)) => error,
            Ok(mapping) if job.state == JobState::Paused => match self.mappings.set_enabled(&mapping, false).await {
                Ok(()) => return Ok(()),
                Err(error) => error,
            },
            Ok(_) => return Ok(()),
        };
        self.record_mapping_failure(job.id, &error).await?;
        let message =
            format!("job `{}` has version {version}, but its records do not come yet: {}", job.name, one_line(&error));
        let number = if matches!(error, MappingError::Refused { .. }) { code::PARSE } else { code::UNAVAILABLE };
        Err(SqlError::new(number, message).with_hint(format!("RESUME ROUTINE LOAD FOR {} tries again", job.name)))
    }

    /// The `next_offset` that each of `starts` means now.
    async fn moves(
        &self,
        definition: &JobDefinition,
        starts: &BTreeMap<i32, StartOffset>,
        snapshot: &JobSnapshot,
    ) -> Result<BTreeMap<i32, i64>, SqlError> {
        if starts.is_empty() {
            return Ok(BTreeMap::new());
        }
        // What the log holds is worth a look where that is possible; without one, offsets are taken at their word.
        let sample = match &self.sampler {
            Some(sampler) => sampler.sample(&definition.source, 0).await.ok(),
            None => None,
        };
        let sample = sample.unwrap_or_else(|| Sample { latest: snapshot.report.latest.clone(), ..Sample::default() });
        let fresh = !sample.earliest.is_empty();
        let mut moves = BTreeMap::new();
        for (source_partition, start) in starts {
            let known =
                snapshot.progress.contains_key(source_partition) || sample.latest.contains_key(source_partition);
            let nothing_known = snapshot.progress.is_empty() && sample.latest.is_empty();
            if !known && !nothing_known && definition.source.pinned.is_none() {
                let message = format!("The specified partition {source_partition} is not in the topic's partitions");
                return Err(SqlError::analysis(&message));
            }
            let latest = sample.latest.get(source_partition).copied();
            let to = match start {
                StartOffset::At(offset) => *offset,
                StartOffset::Beginning => sample.earliest.get(source_partition).copied().unwrap_or_default(),
                StartOffset::End => latest.ok_or_else(|| {
                    let message = format!("the end of source partition {source_partition} is not known here");
                    SqlError::analysis(&message).with_hint("give the offset as a number")
                })?,
            };
            if let Some(latest) = latest
                && fresh
                && to > latest
            {
                let message = format!(
                    "Consume offset: {to} is greater than the latest offset: {latest} in kafka partition: {source_partition}"
                );
                return Err(SqlError::analysis(&message).with_hint("OFFSET_END stands for the latest offset"));
            }
            moves.insert(*source_partition, to);
        }
        Ok(moves)
    }
}

/// A consumer group has passed the records that are to come again, and only a group without positions begins anew.
fn group_of_its_own(next: &mut JobDefinition, current: &JobDefinition) {
    let group = next.source.group_id();
    if group != current.source.group_id() {
        return;
    }
    let versioned = group.rsplit_once("-v").filter(|(_, version)| version.parse::<u32>().is_ok());
    let base = versioned.map_or(group, |(base, _)| base);
    let group = format!("{base}-v{}", next.version);
    next.source.custom.insert("group.id".to_owned(), group);
}

fn gone(job: &Job) -> SqlError {
    SqlError::analysis(&format!("There is not operable routine load job with name {}", job.name))
}
