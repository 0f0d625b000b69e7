//! The event source mapping that a definition asks for.

use penstock_catalog::job::Job;
use penstock_kernel::job::{JobDefinition, StartOffset};
use penstock_show::properties::MOST_TASKS;

use crate::mapping::{MappingSpec, MappingStart};

/// Records that Lambda puts into a batch at most.
const BATCH_SIZE: u32 = 10_000;

/// Seconds that Lambda gathers records for at most.
const LONGEST_WINDOW_S: u64 = 300;

/// The mapping that `definition` asks for as the definition of `job`.
///
/// It never starts at the end of the topic: making a mapping takes time, and records that come meanwhile would be lost.
/// It starts at CREATE instead, or at the oldest record if the job begins anywhere before; the loader drops what lies
/// before the job's start. A job that ALTER moved back needs the oldest record as well.
pub(super) fn spec(definition: &JobDefinition, job: &Job) -> MappingSpec {
    let source = &definition.source;
    let window = definition.properties.max_batch_interval_s().min(LONGEST_WINDOW_S);
    MappingSpec {
        job: job.id,
        group_id: source.group_id().to_owned(),
        brokers: source.brokers.clone(),
        topic: source.topic.clone(),
        start: if job.rewound { MappingStart::TrimHorizon } else { start(definition, job.created_at_ms) },
        batch_size: BATCH_SIZE,
        window_seconds: u32::try_from(window).unwrap_or(u32::MAX),
        concurrency: u32::try_from(definition.properties.desired_concurrent_number().clamp(1, MOST_TASKS)).unwrap_or(1),
        custom: source.custom.clone(),
    }
}

fn start(definition: &JobDefinition, created_at_ms: i64) -> MappingStart {
    let source = &definition.source;
    let default = source.default_start.unwrap_or(StartOffset::End);
    let at_end = match &source.pinned {
        None => default == StartOffset::End,
        Some(pinned) => pinned.values().all(|start| start.unwrap_or(default) == StartOffset::End),
    };
    if at_end { MappingStart::AtTimestamp(created_at_ms) } else { MappingStart::TrimHorizon }
}
