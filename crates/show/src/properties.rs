//! The JSON columns of SHOW ROUTINE LOAD that say how a job is defined.

use penstock_catalog::job::JobSnapshot;
use penstock_kernel::job::{ColumnItem, JobDefinition};
use penstock_kernel::property::Format;
use penstock_sql::render::{MASK, is_secret};

use crate::job::WAREHOUSE;
use crate::json::Object;
use crate::progress::Position;

/// Batches that load at the same time at most, whatever a job desires; StarRocks' limit for a job.
pub const MOST_TASKS: u64 = 5;

/// A job's definition as SHOW prints it.
pub struct Shown<'a> {
    definition: &'a JobDefinition,
    position: Position<'a>,
    runs: bool,
}

impl<'a> Shown<'a> {
    /// Of the snapshot's job as `definition` has it.
    pub fn new(snapshot: &'a JobSnapshot, definition: &'a JobDefinition) -> Self {
        let runs = snapshot.job.state == penstock_kernel::state::JobState::Running;
        Self { definition, position: Position::new(snapshot, &definition.source), runs }
    }

    /// How far it has come.
    pub fn position(&self) -> &Position<'a> {
        &self.position
    }

    /// Batches that may load at the same time.
    pub fn tasks(&self) -> u64 {
        let partitions = u64::try_from(self.position.source_partitions().len()).unwrap_or(u64::MAX);
        partitions.min(self.definition.properties.desired_concurrent_number()).min(MOST_TASKS)
    }

    /// `CurrentTaskNum`
    pub fn current_tasks(&self) -> u64 {
        if self.runs { self.tasks() } else { 0 }
    }

    /// `JobProperties`
    pub fn job_properties(&self) -> String {
        let properties = &self.definition.properties;
        let clauses = &self.definition.clauses;
        let format = properties.format();
        let or_all = |text: Option<String>| text.unwrap_or_else(|| "*".to_owned());
        let mut object = Object::default()
            .text("partitions", or_all(clauses.table_partitions.as_ref().map(|names| names.join(","))))
            .text("partial_update", false)
            .text("columnToColumnExpr", or_all(clauses.columns.as_deref().map(columns)))
            .text("maxBatchIntervalS", properties.max_batch_interval_s())
            .text("partial_update_mode", "null")
            .text("whereExpr", or_all(clauses.filter.clone()));
        object = match format {
            Format::Json => object.text("dataFormat", format),
            _ => object
                .text("columnSeparator", clauses.column_separator.as_deref().unwrap_or("\t"))
                .text("rowDelimiter", clauses.row_delimiter.as_deref().unwrap_or("\n")),
        };
        object = object
            .text("timezone", properties.timezone())
            .text("format", format)
            .text("log_rejected_record_num", properties.log_rejected_record_num())
            .text("taskTimeoutSecond", properties.task_timeout_second())
            .text("json_root", properties.json_root())
            .text("maxFilterRatio", format!("{:?}", properties.max_filter_ratio()))
            .text("strict_mode", properties.strict_mode())
            .text("jsonpaths", properties.jsonpaths())
            .text("taskConsumeSecond", properties.task_consume_second())
            .text("desireTaskConcurrentNum", properties.desired_concurrent_number())
            .text("maxErrorNum", properties.max_error_number())
            .text("strip_outer_array", properties.strip_outer_array())
            .text("currentTaskConcurrentNum", self.tasks())
            .text("maxBatchRows", properties.max_batch_rows());
        if format == Format::Csv {
            object = object
                .text("trim_space", properties.trim_space())
                .text("enclose", properties.enclose().unwrap_or_default())
                .text("escape", properties.escape().unwrap_or_default());
        }
        object
            .text("pause_on_fatal_parse_error", properties.pause_on_fatal_parse_error())
            .text("warehouse", WAREHOUSE)
            .print()
    }

    /// `DataSourceProperties`
    pub fn data_source_properties(&self) -> String {
        let numbers: Vec<String> = self.position.source_partitions().iter().map(ToString::to_string).collect();
        let source = &self.definition.source;
        let mut object = Object::default()
            .text("topic", &source.topic)
            .text("currentKafkaPartitions", numbers.join(","))
            .text("brokerList", source.brokers.join(","));
        if let Some(registry) = &source.registry {
            object = object.text("confluent.schema.registry.url", registry);
        }
        object.print()
    }

    /// `CustomProperties`, secrets masked.
    pub fn custom_properties(&self) -> String {
        let custom = &self.definition.source.custom;
        custom
            .iter()
            .fold(Object::default(), |object, (key, value)| object.text(key, if is_secret(key) { MASK } else { value }))
            .print()
    }
}

/// The items of COLUMNS as given.
fn columns(items: &[ColumnItem]) -> String {
    let items: Vec<String> = items
        .iter()
        .map(|item| match item {
            ColumnItem::Plain(name) => name.clone(),
            ColumnItem::Assignment { name, expression } => format!("{name}={expression}"),
        })
        .collect();
    items.join(",")
}
