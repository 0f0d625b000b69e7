//! Why the loader pauses or cancels a job, in words that clients of StarRocks look for.

use penstock_kernel::error_chain::one_line;
use penstock_kernel::ids::JobId;
use penstock_kernel::loaded::RejectedRow;
use penstock_kernel::plan::DefinitionError;
use penstock_kernel::state::{StateReason, reason};

use super::selection::Recreated;

/// Said of a batch that was committed without a row.
pub(super) const NO_ROWS: &str = "No rows were imported from upstream";

pub(super) fn too_many_errors(rejected: u64, max_error_number: u64) -> StateReason {
    too_many(
        &format!("Current error rows: {rejected} is more than max error num: {max_error_number}"),
        "max_error_number",
    )
}

pub(super) fn too_many_filtered(rejected: u64, considered: u64) -> StateReason {
    too_many(&format!("too many filtered rows: {rejected} of {considered}"), "max_filter_ratio")
}

fn too_many(cause: &str, property: &str) -> StateReason {
    StateReason {
        code: reason::TOO_MANY_FAILURE_ROWS,
        message: format!(
            "{cause}. Check the 'TrackingSQL' field for detailed information. If so many are acceptable, raise \
             '{property}' with ALTER ROUTINE LOAD, then RESUME ROUTINE LOAD"
        ),
    }
}

/// Of a record that cannot be parsed, in a job that is to pause then.
pub(super) fn parse_error(row: &RejectedRow) -> StateReason {
    let RejectedRow { source_partition, offset, reason, .. } = row;
    StateReason {
        code: reason::PARSE_ERROR,
        message: format!(
            "{reason}, in kafka partition: {source_partition}, offset: {offset}. Check the 'TrackingSQL' field for \
             detailed information. To have such records rejected one by one, set 'pause_on_fatal_parse_error' to \
             'false' with ALTER ROUTINE LOAD; then RESUME ROUTINE LOAD"
        ),
    }
}

pub(super) fn topic_recreated(topic: &str, found: &Recreated) -> StateReason {
    let Recreated { source_partition, last_offset, next_offset } = found;
    let latest = last_offset.saturating_add(1);
    StateReason {
        code: reason::TASKS_ABORTED,
        message: format!(
            "Consume offset: {next_offset} is greater than the latest offset: {latest} in kafka partition: \
             {source_partition}, though the records are newer than those loaded: topic `{topic}` seems to have been \
             created anew. Set 'kafka_offsets' with ALTER ROUTINE LOAD, then RESUME ROUTINE LOAD, or create another job"
        ),
    }
}

pub(super) fn wrong_definition(error: &DefinitionError) -> StateReason {
    StateReason { code: reason::INTERNAL, message: format!("failed to create task: {}", one_line(error)) }
}

pub(super) fn table_dropped() -> StateReason {
    StateReason { code: reason::TABLE, message: "table not exist".to_owned() }
}

/// Names an attempt of a job for `OtherMsg`.
pub(super) fn task_name(job: JobId, attempt: &str) -> String {
    format!("job-{job}-{attempt}")
}
