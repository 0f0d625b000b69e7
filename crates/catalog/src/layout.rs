//! Layouts: which files a table has beside those of its latest commits, in few items however many there are.
//!
//! A *fold* takes what commits say out of their items: files go to *manifests* on the table's volume, with statistics;
//! what the offsets came to and which rows are rejected goes to its *ledger*. The layout, one item a table, names both, and
//! the folds whose commits are in them. It is what every fold, every compaction and every removal moves from the revision
//! it read: so of two that meet one does nothing and reads again.
//!
//! A reader takes everything of a table in one query, ascending by key, and each item is at least as new as those before
//! it. Commits sort first, then folds, then the layout, then removals:
//!
//! | a reader saw | and | it counts |
//! | --- | --- | --- |
//! | the commit | a layout without its fold | the commit |
//! | the commit | a layout with its fold | the manifests, not the commit |
//! | no commit, since it came later | a layout with its fold | the manifests |
//! | no fold, since it came later | a layout that names it | the fold, which it gets by itself |
//! | a file in a manifest | a removal that names it | nothing of it |
//!
//! Items and files that a fold took the place of stay for [`GRACE_MS`]: so what a reader found it can read to its end.

use serde::{Deserialize, Serialize};

use crate::record::Record;

mod fold;
mod object;
mod report;
mod state;
mod sweep;

pub use fold::{FoldSummary, Folded, Replacement};
pub use object::Ledger;
pub use report::{MaintenanceReport, TableFigures};
pub use state::{Manifest, TableState};
pub use sweep::Swept;

/// How long files and items are kept after they were replaced: longer than any query or invocation takes, whatever their
/// clocks say.
pub const GRACE_MS: i64 = 3_600_000;

/// Files that one manifest names at most: a few megabytes.
pub const MAX_MANIFEST_FILES: usize = 10_000;

/// Commits and removals that one fold item names at most, so that it stays below the 400 KiB of an item.
const MAX_FOLD_IDS: usize = 8_000;

/// Where a table's files are listed. The item is small: a manifest or a fold takes about 200 bytes of it.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Layout {
    /// The manifests, in no order that matters.
    pub manifests: Vec<ManifestRef>,
    /// What the folded commits say beside their files, once there are any.
    pub ledger: Option<ObjectRef>,
    /// Folds whose items may still be there, oldest first.
    pub folds: Vec<FoldRef>,
    /// Removals that were made, ever: so each changes the item.
    pub removals: u64,
    /// When the latest folded commit was made, milliseconds since the epoch.
    pub last_commit_ms: Option<i64>,
    /// Whether whoever folded last saw files that are still to be merged.
    pub pending: bool,
    /// Ids of the table partitions that the table defined then: files of one that it does not define any more are still to
    /// be taken out.
    pub table_partitions: Vec<u32>,
}

/// An object of the table's volume.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ObjectRef {
    /// Key relative to the volume's location.
    pub key: String,
    /// Its length.
    pub bytes: u64,
    /// CRC-32C of its bytes.
    pub crc32c: u32,
}

/// A manifest.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ManifestRef {
    /// Where it is.
    pub object: ObjectRef,
    /// Files that it names.
    pub files: u64,
    /// Rows in them.
    pub rows: u64,
    /// Bytes of them.
    pub bytes: u64,
}

/// A fold, as the layout remembers it until what it replaced is gone.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FoldRef {
    /// Ids of its items.
    pub items: Vec<String>,
    /// When it was made, milliseconds since the epoch. The layout that names it may have been written long after.
    pub at_ms: i64,
    /// A moment at which a layout that names it was there already, milliseconds since the epoch: the grace period begins
    /// with it. `None` until somebody who read such a layout writes the next.
    #[serde(default)]
    pub seen_at_ms: Option<i64>,
    /// The list of objects that nobody needs after the grace period, if there are any.
    pub garbage: Option<ObjectRef>,
    /// When the items and objects were deleted, if they were.
    pub swept_at_ms: Option<i64>,
}

/// An immutable fact: these commits and removals are in the ledger and the manifests, for those whose layout names it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Fold {
    /// Unique.
    pub id: String,
    /// Ids of commits.
    pub commits: Vec<String>,
    /// Ids of removals.
    pub removals: Vec<String>,
}

impl FoldRef {
    /// Whoever calls this has read the fold in a layout, before `now_ms`.
    pub(crate) fn seen(&mut self, now_ms: i64) {
        self.seen_at_ms.get_or_insert(now_ms);
    }

    /// The moment of which the grace period has to be over before there is something to do about it.
    #[must_use]
    pub fn since_ms(&self) -> i64 {
        self.swept_at_ms.or(self.seen_at_ms).unwrap_or(self.at_ms)
    }
}

impl Record for Layout {}
impl Record for Fold {}
