//! An expression that is ready: columns in, results out.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;

use arrow_array::{Array, ArrayRef, Int64Array, RecordBatch, RecordBatchOptions, StringArray, new_null_array};
use arrow_cast::cast;
use arrow_schema::{DataType, SchemaRef};
use arrow_select::concat::concat;
use datafusion_common::{DataFusionError, Result};
use datafusion_physical_expr::PhysicalExpr;
use penstock_kernel::expression::{Expression, Moment};

/// A compiled expression.
#[derive(Debug)]
pub(crate) struct Compiled {
    pub(crate) physical: Arc<dyn PhysicalExpr>,
    /// What it reads: inputs, then the hidden columns that it names.
    pub(crate) schema: SchemaRef,
    /// Places of the inputs.
    pub(crate) reads: Vec<usize>,
    /// For each hidden column, whether it is named.
    pub(crate) hidden: Vec<bool>,
    /// Arrow type of the column that takes the results.
    pub(crate) output: DataType,
}

impl Expression for Compiled {
    fn reads(&self) -> &[usize] {
        &self.reads
    }

    fn evaluate(&self, columns: &[ArrayRef], rows: usize, moment: &Moment) -> std::result::Result<ArrayRef, String> {
        let batch = self.batch(columns, rows, moment).map_err(|error| error.to_string())?;
        self.results(&batch).map_err(|error| error.to_string())
    }
}

impl Compiled {
    fn batch(&self, columns: &[ArrayRef], rows: usize, moment: &Moment) -> Result<RecordBatch> {
        let mut all = Vec::with_capacity(self.schema.fields().len());
        for (column, field) in columns.iter().zip(self.schema.fields()) {
            // JSON comes as text.
            all.push(if column.data_type() == field.data_type() {
                Arc::clone(column)
            } else {
                cast(column, field.data_type())?
            });
        }
        let carried: [&dyn Fn() -> ArrayRef; 3] = [
            &|| Arc::new(Int64Array::from_value(moment.now_ms.saturating_mul(1000), rows)),
            &|| Arc::new(StringArray::from(vec![moment.seed.to_string(); rows])),
            &|| {
                let first = i64::try_from(moment.first_row).unwrap_or_default();
                Arc::new((first..).take(rows).collect::<Int64Array>())
            },
        ];
        all.extend(carried.iter().zip(&self.hidden).filter(|(_, named)| **named).map(|(column, _)| column()));
        let options = RecordBatchOptions::new().with_row_count(Some(rows));
        Ok(RecordBatch::try_new_with_options(Arc::clone(&self.schema), all, &options)?)
    }

    /// Halves the rows where they fail together, which only their sum can have caused; a row that fails alone is NULL.
    fn results(&self, batch: &RecordBatch) -> Result<ArrayRef> {
        let rows = batch.num_rows();
        // A panic of a library over one row's data must not cost the others.
        let evaluated = catch_unwind(AssertUnwindSafe(|| self.evaluated(batch)));
        match evaluated.unwrap_or_else(|_| Err(DataFusionError::Execution("an expression panicked".to_owned()))) {
            Ok(results) => Ok(results),
            Err(_) if rows <= 1 => Ok(new_null_array(&self.output, rows)),
            Err(_) => {
                let half = rows / 2;
                let (first, second) =
                    (self.results(&batch.slice(0, half))?, self.results(&batch.slice(half, rows - half))?);
                Ok(concat(&[&*first, &*second])?)
            }
        }
    }

    fn evaluated(&self, batch: &RecordBatch) -> Result<ArrayRef> {
        let results = self.physical.evaluate(batch)?.into_array(batch.num_rows())?;
        if *results.data_type() == self.output { Ok(results) } else { Ok(cast(&results, &self.output)?) }
    }
}
