//! Rejected rows as a table: `<job>$rejected`.
//!
//! It shows the rows of all jobs of that name, ended ones too, from the error files that their commits name. A statement
//! that reads a job's table as well sees both as of one list of commits, so that a replay has happened for both or for
//! neither.

use std::sync::Arc;

use arrow_schema::{DataType, Field, Schema, SchemaRef, TimeUnit};
use datafusion::catalog::TableProvider;
use datafusion::datasource::{ViewTable, provider_as_source};
use datafusion::error::Result;
use datafusion::logical_expr::{Expr, LogicalPlanBuilder, cast, ident, lit, try_cast};
use penstock_catalog::commit::{DataFile, ErrorFile};
use penstock_catalog::job::Job;
use penstock_kernel::ids::{DatabaseId, TableId};
use penstock_kernel::loaded::TablePartition;
use penstock_kernel::partitioning::Partitioning;
use penstock_kernel::rejected;
use penstock_kernel::table::{Column, ColumnType, Distribution, KeyKind, TableDefinition};

use crate::table::{self, CommittedTable};

/// What follows a job's name.
const SUFFIX: &str = "$rejected";

/// Titles in order.
const TITLES: [&str; 16] = [
    "job_id",
    "job_name",
    "topic",
    "source_partition",
    "offset",
    "index",
    "reason",
    "column",
    "raw",
    "raw_text",
    "whole",
    "key",
    "key_text",
    "timestamp",
    "job_version",
    "rejected_at",
];

/// The job whose rejected rows a table of this name shows, if it is such a name.
pub(crate) fn job_name(table: &str) -> Option<&str> {
    let at = table.len().checked_sub(SUFFIX.len()).filter(|at| *at > 0)?;
    let (job, suffix) = table.split_at_checked(at)?;
    suffix.eq_ignore_ascii_case(SUFFIX).then_some(job)
}

/// The columns' titles.
pub(crate) fn titles() -> Vec<String> {
    TITLES.map(str::to_owned).to_vec()
}

/// Error files of one job, to be scanned.
pub(crate) struct Part {
    pub(crate) job: Job,
    pub(crate) files: CommittedTable,
}

/// The table of all parts, of which there is at least one.
///
/// # Errors
/// What DataFusion says of the plan; that is a bug, never data.
pub(crate) fn provider(parts: Vec<Part>) -> Result<Option<Arc<dyn TableProvider>>> {
    let mut all: Option<LogicalPlanBuilder> = None;
    for Part { job, files } in parts {
        let source = provider_as_source(Arc::new(files));
        let plan = LogicalPlanBuilder::scan("rejected", source, None)?.project(projection(&job))?;
        all = Some(match all {
            Some(all) => all.union(plan.build()?)?,
            None => plan,
        });
    }
    let Some(all) = all else {
        return Ok(None);
    };
    Ok(Some(Arc::new(ViewTable::new(all.build()?, None))))
}

fn projection(job: &Job) -> Vec<Expr> {
    let moment = |column: &str| {
        // What no calendar holds is NULL.
        let milliseconds = try_cast(ident(column), DataType::Timestamp(TimeUnit::Millisecond, None));
        try_cast(milliseconds, DataType::Timestamp(TimeUnit::Microsecond, None))
    };
    let text = |column: &str| try_cast(ident(column), DataType::Utf8View);
    let id = i64::try_from(job.id.0).unwrap_or(i64::MAX);
    TITLES
        .iter()
        .map(|title| match *title {
            "job_id" => lit(id).alias(*title),
            "job_name" => cast(lit(job.name.as_str()), DataType::Utf8View).alias(*title),
            "raw_text" => text("raw").alias(*title),
            "key_text" => text("key").alias(*title),
            "timestamp" => moment("timestamp_ms").alias(*title),
            "rejected_at" => moment("rejected_at_ms").alias(*title),
            own => ident(own),
        })
        .collect()
}

/// An error file as a data file of [`definition`].
pub(crate) fn data_file(file: ErrorFile) -> DataFile {
    let ErrorFile { key, rows, bytes, columns } = file;
    DataFile { key, table_partition: TablePartition::Whole, rows, bytes, columns, crc32c: None, sorted: false }
}

/// The columns of error files as a table's. Bytes have no counterpart among column types on their own; see [`schema`].
pub(crate) fn definition() -> TableDefinition {
    let stored = rejected::schema();
    let columns = stored.fields().iter().zip(1..).map(|(field, id)| Column {
        id,
        name: field.name().clone(),
        column_type: match field.data_type() {
            DataType::Int32 => ColumnType::Int,
            DataType::Int64 => ColumnType::BigInt,
            DataType::Boolean => ColumnType::Boolean,
            _ => ColumnType::Varchar(u32::MAX),
        },
        nullable: true,
        default: None,
        comment: None,
    });
    TableDefinition {
        id: TableId(0),
        database: DatabaseId(0),
        name: "rejected".to_owned(),
        columns: columns.collect(),
        key_kind: KeyKind::Duplicate,
        key_columns: Vec::new(),
        distribution: Distribution { hash_columns: Vec::new(), buckets: None },
        comment: None,
        partitioning: Partitioning::default(),
        properties: std::collections::BTreeMap::new(),
        volume: String::new(),
        created_at_ms: 0,
    }
}

/// The schema of [`definition`], with bytes where files have bytes.
pub(crate) fn schema(definition: &TableDefinition) -> SchemaRef {
    let stored = rejected::schema();
    let fields: Vec<Field> = table::schema(definition)
        .fields()
        .iter()
        .zip(stored.fields())
        .map(|(field, stored)| match stored.data_type() {
            DataType::Binary => field.as_ref().clone().with_data_type(DataType::Binary),
            _ => field.as_ref().clone(),
        })
        .collect();
    Arc::new(Schema::new(fields))
}

#[cfg(test)]
mod tests {
    use super::job_name;

    #[test]
    fn table_of_rejected_rows_is_told_by_its_name() {
        assert_eq!(job_name("clicks$rejected"), Some("clicks"));
        assert_eq!(job_name("clicks$REJECTED"), Some("clicks"));
        for other in ["clicks", "$rejected", "rejected", "", "clicks$rejecte", "é$rejected2"] {
            assert_eq!(job_name(other), None, "{other}");
        }
    }
}
