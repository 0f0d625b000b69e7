//! SHOW ROUTINE LOAD VERSIONS: what each ALTER changed, and at which offsets each version began.

use std::collections::BTreeMap;

use penstock_catalog::job::{Job, JobVersion, VersionBeginning};
use penstock_kernel::job::{ColumnItem, JobDefinition, MetadataItem};
use penstock_sql::error::SqlError;
use penstock_sql::render::{MASK, is_secret};
use penstock_sql::request::{SessionContext, SqlResponse};
use penstock_sql::result::ResultSet;
use penstock_sql::statement::ObjectName;

use crate::Admin;
use crate::error::of_catalog;
use crate::moment::moment;
use penstock_show::json::Object;

/// `BeginOffsets` holds the next offset of each source partition with which the version began; `EndOffsetsBefore` where
/// the version before had come to, for source partitions that ALTER moved.
const TITLES: [&str; 5] = ["Version", "BeginTime", "Changes", "BeginOffsets", "EndOffsetsBefore"];

impl Admin {
    /// Of the live job of that name, else of the last one that ended.
    pub(crate) async fn show_versions(
        &self,
        name: &ObjectName,
        session: &SessionContext,
    ) -> Result<SqlResponse, SqlError> {
        let job = self.latest_job(name, session).await?;
        let versions = self.catalog.job_versions(job.id).await.map_err(of_catalog)?;
        let snapshot = self.catalog.job_snapshot(job.id).await.map_err(of_catalog)?;
        let starts: BTreeMap<i32, i64> = snapshot
            .map(|snapshot| snapshot.progress.iter().map(|(at, read)| (*at, read.value.start_offset)).collect())
            .unwrap_or_default();
        let mut rows = Vec::with_capacity(versions.len());
        let mut before: Option<&JobVersion> = None;
        for version in &versions {
            rows.push(row(&job, version, before, &starts));
            before = Some(version);
        }
        Ok(SqlResponse::Rows(ResultSet::text(&TITLES, rows)))
    }

    /// The live job of that name, else the last one that ended.
    pub(super) async fn latest_job(&self, name: &ObjectName, session: &SessionContext) -> Result<Job, SqlError> {
        let database = self.database_of(name.database.as_deref(), session).await?;
        if let Some(job) = self.catalog.live_job(database.id, &name.name).await.map_err(of_catalog)? {
            return Ok(job);
        }
        let jobs = self.catalog.jobs(database.id).await.map_err(of_catalog)?;
        match jobs.into_iter().rfind(|job| job.name == name.name) {
            Some(job) => Ok(job),
            None => Err(self.no_such_job(&database, &name.name).await?),
        }
    }
}

fn row(
    job: &Job,
    version: &JobVersion,
    before: Option<&JobVersion>,
    starts: &BTreeMap<i32, i64>,
) -> Vec<Option<String>> {
    let changes = match before {
        None => "CREATE".to_owned(),
        Some(before) => changes(&before.definition, &version.definition, version.beginning.as_ref()).join("; "),
    };
    let (at_ms, begins, ended) = match &version.beginning {
        Some(beginning) => {
            let begins = beginning.sources.iter().map(|(at, source)| (*at, source.begins)).collect();
            let moved = beginning.sources.iter().filter(|(_, source)| source.ended != Some(source.begins));
            let ended = moved.filter_map(|(at, source)| Some((*at, source.ended?))).collect();
            (beginning.at_ms, begins, ended)
        }
        // Nothing is recorded of a first version until it is altered, so its starts are where it began.
        None => (job.created_at_ms, starts.clone(), BTreeMap::new()),
    };
    vec![
        Some(version.definition.version.to_string()),
        Some(moment(at_ms)),
        Some(changes),
        Some(offsets(&begins)),
        Some(offsets(&ended)),
    ]
}

fn offsets(offsets: &BTreeMap<i32, i64>) -> String {
    let members = offsets.iter();
    members.fold(Object::default(), |object, (at, offset)| object.text(&at.to_string(), offset)).print()
}

/// What is another in `new` than in `old`, each as `what: before -> after`; secrets are masked.
fn changes(old: &JobDefinition, new: &JobDefinition, beginning: Option<&VersionBeginning>) -> Vec<String> {
    let mut changes = Vec::new();
    let mut note = |what: &str, before: Option<String>, after: Option<String>| {
        if before != after {
            let shown = |value: Option<String>| value.unwrap_or_else(|| "none".to_owned());
            changes.push(format!("{what}: {} -> {}", shown(before), shown(after)));
        }
    };
    let (before, after) = (&old.clauses, &new.clauses);
    note("COLUMNS", before.columns.as_deref().map(columns), after.columns.as_deref().map(columns));
    note("INCLUDE METADATA", before.metadata.as_deref().map(metadata), after.metadata.as_deref().map(metadata));
    note("COLUMNS TERMINATED BY", quoted(before.column_separator.as_ref()), quoted(after.column_separator.as_ref()));
    note("ROWS TERMINATED BY", quoted(before.row_delimiter.as_ref()), quoted(after.row_delimiter.as_ref()));
    note("WHERE", before.filter.clone(), after.filter.clone());
    let names = |names: &Option<Vec<String>>| names.as_ref().map(|names| names.join(","));
    note("PARTITION", names(&before.table_partitions), names(&after.table_partitions));
    for (key, value) in new.properties.given() {
        note(key, old.properties.get(key).map(str::to_owned), Some(value.to_owned()));
    }
    note("kafka_broker_list", Some(old.source.brokers.join(",")), Some(new.source.brokers.join(",")));
    let url = |definition: &JobDefinition| definition.source.registry.as_ref().map(|registry| registry.url.clone());
    note("confluent.schema.registry.url", url(old), url(new));
    let credentials = |definition: &JobDefinition| definition.source.registry.as_ref()?.credentials.clone();
    if credentials(old) != credentials(new) {
        let shown = |there: bool| if there { MASK } else { "none" };
        let (before, after) = (shown(credentials(old).is_some()), shown(credentials(new).is_some()));
        changes.push(format!("confluent.schema.registry.basic.auth.user.info: {before} -> {after}"));
    }
    for (key, value) in &new.source.custom {
        let before = old.source.custom.get(key);
        if before == Some(value) {
            continue;
        }
        let shown = |value: &str| if is_secret(key) { MASK.to_owned() } else { value.to_owned() };
        let before = before.map_or_else(|| "none".to_owned(), |before| shown(before));
        changes.push(format!("property.{key}: {before} -> {}", shown(value)));
    }
    for (source_partition, source) in beginning.iter().flat_map(|beginning| &beginning.sources) {
        if source.ended != Some(source.begins) {
            let ended = source.ended.map_or_else(|| "none".to_owned(), |ended| ended.to_string());
            changes.push(format!("offset of {source_partition}: {ended} -> {}", source.begins));
        }
    }
    changes
}

fn quoted(text: Option<&String>) -> Option<String> {
    text.map(|text| format!("`{}`", text.escape_default()))
}

fn metadata(items: &[MetadataItem]) -> String {
    let items: Vec<String> = items.iter().map(|item| format!("{} AS {}", item.field, item.name())).collect();
    items.join(", ")
}

fn columns(items: &[ColumnItem]) -> String {
    let items: Vec<String> = items
        .iter()
        .map(|item| match item {
            ColumnItem::Plain(name) => name.clone(),
            ColumnItem::Assignment { name, expression } => format!("{name} = {expression}"),
        })
        .collect();
    items.join(", ")
}
