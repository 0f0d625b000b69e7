//! CHECK TABLE: whether every file that the catalog names is there, and is what it says.
//!
//! A file is read twice, so that it need not be held: once for its length and checksum, once for its rows and what they
//! say of its columns. A manifest that cannot be read is named as a file is; what it names is not known then.

use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use object_store::ObjectStoreExt as _;
use object_store::path::Path;
use penstock_catalog::commit::DataFile;
use penstock_catalog::error::CatalogError;
use penstock_kernel::encode::{ColumnStatistics, StatisticsSum, column_statistics};
use penstock_kernel::error_chain::one_line;
use penstock_kernel::ids::TableId;
use penstock_sql::check::{CheckAnswer, CheckReply, CheckRequest, DamagedFile};

use crate::error::MaintainError;
use crate::maintainer::Maintainer;
use crate::merge::{Ground, stream as rows_of};

/// Files that are read at a time.
const CHECKS_AT_ONCE: usize = 4;

impl Maintainer {
    /// Checks files of a table, in the order of their keys, until none is left or the time is used up.
    pub async fn check(&self, request: &CheckRequest) -> CheckAnswer {
        match self.checked(request).await {
            Ok(reply) => CheckAnswer::Done(reply),
            Err(error @ (MaintainError::Objects { .. } | MaintainError::Catalog(CatalogError::Unavailable { .. }))) => {
                CheckAnswer::Unavailable { message: one_line(&error) }
            }
            Err(error) => CheckAnswer::Refused { message: one_line(&error) },
        }
    }

    async fn checked(&self, request: &CheckRequest) -> Result<CheckReply, MaintainError> {
        let began_ms = self.now_ms();
        let budget_ms = i64::try_from(request.budget_ms).unwrap_or(i64::MAX);
        let mut reply = CheckReply { after: request.after.clone(), ..CheckReply::default() };
        let state = match self.catalog.table_state_by_id(TableId(request.table)).await {
            Ok(state) => state,
            Err(CatalogError::Unreadable { key, message }) => {
                reply.damaged.push(DamagedFile { key, message });
                reply.finished = true;
                return Ok(reply);
            }
            Err(error) => return Err(error.into()),
        };
        let Some(table) = &state.definition else {
            reply.finished = true;
            return Ok(reply);
        };
        let (volume, store) = self.open(table).await?;
        let ground = Ground { table, volume: &volume, store, clock: self.catalog.clock().as_ref() };
        let ground = Arc::new(ground);
        let mut files: Vec<DataFile> = state.readable(&table.partitioning).cloned().collect();
        files.sort_by(|one, other| one.key.cmp(&other.key));
        let begin = files.partition_point(|file| request.after.as_ref().is_some_and(|after| file.key <= *after));
        let mut checks = stream::iter(files.into_iter().skip(begin))
            .map(|file| {
                let ground = Arc::clone(&ground);
                async move {
                    let found = check(&ground, &file).await;
                    (file, found)
                }
            })
            .buffered(CHECKS_AT_ONCE);
        reply.finished = true;
        while let Some((file, found)) = checks.next().await {
            reply.files += 1;
            reply.after = Some(file.key.clone());
            match found {
                Ok(()) => {
                    reply.rows = reply.rows.saturating_add(file.rows);
                    reply.bytes = reply.bytes.saturating_add(file.bytes);
                }
                Err(MaintainError::File { key, message }) => reply.damaged.push(DamagedFile { key, message }),
                Err(error) => return Err(error),
            }
            if self.now_ms().saturating_sub(began_ms) >= budget_ms {
                reply.finished = false;
                break;
            }
        }
        Ok(reply)
    }
}

async fn check(ground: &Ground<'_>, file: &DataFile) -> Result<(), MaintainError> {
    let wrong = |message: String| MaintainError::File { key: file.key.clone(), message };
    let failed = |source| match source {
        object_store::Error::NotFound { .. } => wrong("it is not there".to_owned()),
        source => MaintainError::Objects { key: file.key.clone(), operation: "read", source },
    };
    let path = Path::parse(ground.volume.key(&file.key)?).map_err(|error| wrong(error.to_string()))?;
    let object = ground.store.get(&path).await.map_err(failed)?;
    if object.meta.size != file.bytes {
        return Err(wrong(format!("expected {} bytes, found {}", file.bytes, object.meta.size)));
    }
    let mut bytes = object.into_stream();
    let mut crc32c = 0;
    while let Some(part) = bytes.try_next().await.map_err(failed)? {
        crc32c = crc32c::crc32c_append(crc32c, &part);
    }
    if let Some(expected) = file.crc32c.filter(|expected| *expected != crc32c) {
        return Err(wrong(format!("expected checksum {expected:08x}, found {crc32c:08x}")));
    }
    let mut rows = rows_of(&ground.store, path, file, ground.table.arrow_schema()).await?;
    let mut sum = StatisticsSum::default();
    while let Some(batch) = rows.try_next().await? {
        sum.add(column_statistics(&batch), batch.num_rows() as u64); // usize has at most 64 bits
    }
    let (columns, found) = sum.finish();
    if found != file.rows {
        return Err(wrong(format!("expected {} rows, found {found}", file.rows)));
    }
    for expected in &file.columns {
        let found = columns.iter().find(|found| found.column_id == expected.column_id);
        if let Some(found) = found.filter(|found| contradicts(expected, found)) {
            let name = ground.table.columns.iter().find(|column| column.id == expected.column_id);
            let name = name.map_or("", |column| column.name.as_str());
            // Values stay out of messages: they may be anybody's secrets.
            let what = if expected.nulls == found.nulls {
                "the least or greatest value is another than the catalog says".to_owned()
            } else {
                format!("expected {} NULLs, found {}", expected.nulls, found.nulls)
            };
            return Err(wrong(format!("column `{name}`: {what}")));
        }
    }
    Ok(())
}

/// Whether the file has what its commit denies; a bound that either does not know contradicts nothing.
fn contradicts(expected: &ColumnStatistics, found: &ColumnStatistics) -> bool {
    let differ = |one: &Option<_>, other: &Option<_>| one.is_some() && other.is_some() && one != other;
    expected.nulls != found.nulls || differ(&expected.min, &found.min) || differ(&expected.max, &found.max)
}
