//! What must hold for any batch of any job.

use penstock_kernel::batch::Batch;
use penstock_kernel::encode::{WriterOptions, encode};
use penstock_kernel::facts::Facts;
use penstock_kernel::plan::Plan;

/// Loads `batch` twice: nothing is lost, both times are equal, and what loads can be written.
pub(crate) fn hold(plan: &Plan, batch: &Batch<'_>, facts: &Facts) {
    let loaded = plan.load(batch, facts);
    let sum = &loaded.statistics;
    assert_eq!(sum.total, sum.loaded + sum.rejected + sum.unselected, "rows are lost");
    assert_eq!(sum.rejected, count(loaded.rejected.len()), "rejected rows are lost");
    assert_eq!(sum.records, count(batch.records.len()), "records are lost");
    let rows: usize = loaded.tables.iter().map(|(_, rows)| rows.num_rows()).sum();
    assert_eq!(sum.loaded, count(rows), "loaded rows are lost");
    let again = plan.load(batch, facts);
    assert_eq!(loaded.tables, again.tables, "rows differ the second time");
    assert_eq!(loaded.rejected, again.rejected, "rejected rows differ the second time");
    for (_, rows) in &loaded.tables {
        let written = encode(rows, &WriterOptions::default()).expect("rows can be written");
        assert_eq!(written.rows, count(rows.num_rows()));
    }
}

fn count(length: usize) -> u64 {
    u64::try_from(length).expect("a length has 64 bits")
}
