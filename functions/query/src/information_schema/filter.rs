//! What a scan wants: so that a question about one table or job is not answered by reading all of them.

use arrow_schema::SchemaRef;
use datafusion::common::ScalarValue;
use datafusion::logical_expr::{BinaryExpr, Expr, Operator};
use penstock_catalog::Catalog;
use penstock_catalog::database::Database;
use penstock_kernel::table::TableDefinition;
use penstock_sql::error::SqlError;

use crate::failure::of_catalog;

/// Columns and filters of a scan.
pub(super) struct Wanted<'a> {
    /// Names of the columns that are read; `None`: all.
    columns: Option<Vec<&'a str>>,
    filters: &'a [Expr],
}

impl<'a> Wanted<'a> {
    pub(super) fn new(schema: &'a SchemaRef, projection: Option<&Vec<usize>>, filters: &'a [Expr]) -> Self {
        let name = |index: &usize| schema.fields().get(*index).map(|field| field.name().as_str());
        Self { columns: projection.map(|columns| columns.iter().filter_map(name).collect()), filters }
    }

    /// Whether the column of that name, in lower case, is selected or filtered by.
    pub(super) fn reads(&self, column: &str) -> bool {
        let selected = self.columns.as_ref().is_none_or(|columns| columns.contains(&column));
        selected || self.filters.iter().any(|filter| filter.column_refs().iter().any(|named| named.name == column))
    }

    /// The only values that a column may have; `None` if it may have others.
    pub(super) fn texts(&self, column: &str) -> Option<Vec<String>> {
        let values = self.filters.iter().find_map(|filter| values(filter, column))?;
        Some(values.iter().filter_map(|value| value.try_as_str().flatten().map(str::to_owned)).collect())
    }

    /// The same for numbers.
    pub(super) fn numbers(&self, column: &str) -> Option<Vec<i64>> {
        let values = self.filters.iter().find_map(|filter| values(filter, column))?;
        Some(values.iter().filter_map(|value| value.to_string().parse().ok()).collect())
    }

    /// The databases that are wanted, by the column that has their names.
    pub(super) async fn databases(&self, catalog: &Catalog, column: &str) -> Result<Vec<Database>, SqlError> {
        let mut databases = catalog.databases().await.map_err(|error| of_catalog(&error))?;
        if let Some(names) = self.texts(column) {
            databases.retain(|database| names.contains(&database.name));
        }
        Ok(databases)
    }

    /// The tables of a database that are wanted, by the column that has their names.
    pub(super) async fn tables(
        &self,
        catalog: &Catalog,
        database: &Database,
        column: &str,
    ) -> Result<Vec<TableDefinition>, SqlError> {
        let mut tables = catalog.tables(database.id).await.map_err(|error| of_catalog(&error))?;
        if let Some(names) = self.texts(column) {
            tables.retain(|table| names.contains(&table.name));
        }
        Ok(tables)
    }
}

/// The only values of `column` for which `filter` can hold; `None` if that is not plain.
fn values(filter: &Expr, column: &str) -> Option<Vec<ScalarValue>> {
    let is_column = |expr: &Expr| matches!(expr, Expr::Column(found) if found.name == column);
    match filter {
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Eq, right }) => match (&**left, &**right) {
            (named, Expr::Literal(value, _)) | (Expr::Literal(value, _), named) if is_column(named) => {
                Some(vec![value.clone()])
            }
            _ => None,
        },
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::Or, right }) => {
            let mut all = values(left, column)?;
            all.extend(values(right, column)?);
            Some(all)
        }
        Expr::BinaryExpr(BinaryExpr { left, op: Operator::And, right }) => {
            values(left, column).or_else(|| values(right, column))
        }
        Expr::InList(list) if !list.negated && is_column(&list.expr) => list
            .list
            .iter()
            .map(|item| match item {
                Expr::Literal(value, _) => Some(value.clone()),
                _ => None,
            })
            .collect(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use datafusion::logical_expr::{ident, lit};

    use super::*;

    #[test]
    fn values_are_found_in_equalities_only() {
        let numbers = |filter: Expr| {
            let filters = [filter];
            let schema = SchemaRef::new(arrow_schema::Schema::empty());
            Wanted::new(&schema, None, &filters).numbers("job_id")
        };
        let job = || ident("job_id");
        assert_eq!(numbers(job().eq(lit(7_i64))), Some(vec![7]));
        assert_eq!(numbers(lit(7_i64).eq(job())), Some(vec![7]));
        assert_eq!(numbers(job().eq(lit(7_i64)).or(job().eq(lit(8_i64)))), Some(vec![7, 8]));
        assert_eq!(numbers(job().in_list(vec![lit(1_i64), lit(2_i64)], false)), Some(vec![1, 2]));
        assert_eq!(numbers(job().gt(lit(0_i64)).and(job().eq(lit(3_i64)))), Some(vec![3]));
        assert_eq!(numbers(job().gt(lit(7_i64))), None);
        assert_eq!(numbers(job().eq(lit(7_i64)).or(ident("id").eq(lit(8_i64)))), None);
        assert_eq!(numbers(job().in_list(vec![lit(1_i64)], true)), None);
    }
}
