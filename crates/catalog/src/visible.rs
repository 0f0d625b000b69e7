//! What a reader of a table sees, in the groups in which it is listed: so that what was made of a whole manifest once can be
//! kept.

use std::sync::Arc;

use penstock_kernel::ids::TableId;
use penstock_kernel::table::TableDefinition;

use crate::Catalog;
use crate::commit::DataFile;
use crate::error::CatalogError;
use crate::layout::TableState;
use crate::rejected::Rejection;

/// A table as one reading finds it.
#[derive(Debug, Clone)]
pub struct Visible {
    /// The definition, which has every table partition that the files name.
    pub definition: TableDefinition,
    /// The files that a reader sees, in groups; none is empty.
    pub groups: Vec<FileGroup>,
    /// What the commits say of rejected rows, ascending by commit; [`standing`](crate::rejected::standing) tells which count.
    pub rejections: Vec<Rejection>,
}

/// Files that are listed together.
#[derive(Debug, Clone)]
pub struct FileGroup {
    /// The key of the manifest whose files these are, all and in its order; `None` for others, which may differ with the
    /// next reading.
    pub manifest: Option<String>,
    /// The files, at least one.
    pub files: Arc<Vec<DataFile>>,
}

impl Catalog {
    /// The table of that id with the files that a reader sees, all of one reading; `None` once it is dropped.
    ///
    /// # Errors
    /// As [`table_state`](Self::table_state).
    pub async fn visible(&self, table: TableId) -> Result<Option<Visible>, CatalogError> {
        let state = self.table_state_by_id(table).await?;
        Ok(state.definition.clone().map(|definition| {
            let (groups, rejections) = (groups(&state, &definition), state.rejections());
            Visible { definition, groups, rejections }
        }))
    }
}

fn groups(state: &TableState, definition: &TableDefinition) -> Vec<FileGroup> {
    let holds = |file: &&DataFile| definition.partitioning.holds(&file.table_partition);
    let mut groups = Vec::new();
    for manifest in &state.manifests {
        let whole = !state.removes_from(manifest) && manifest.files.iter().all(|file| holds(&file));
        groups.push(if whole {
            FileGroup { manifest: Some(manifest.reference.object.key.clone()), files: Arc::clone(&manifest.files) }
        } else {
            let files = state.manifest_files(manifest).filter(holds).cloned().collect();
            FileGroup { manifest: None, files: Arc::new(files) }
        });
    }
    let recent = state.commits.iter().flat_map(|commit| state.commit_files(commit)).filter(holds).cloned().collect();
    groups.push(FileGroup { manifest: None, files: Arc::new(recent) });
    groups.retain(|group| !group.files.is_empty());
    groups
}
