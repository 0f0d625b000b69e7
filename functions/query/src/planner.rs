//! The library's operators and types where DataFusion's differ, handed to its planner.

use std::sync::Arc;

use arrow_schema::{DataType, TimeUnit};
use datafusion::common::DFSchema;
use datafusion::common::config::ConfigOptions;
use datafusion::common::tree_node::Transformed;
use datafusion::error::Result;
use datafusion::logical_expr::expr_rewriter::FunctionRewrite;
use datafusion::logical_expr::planner::{ExprPlanner, PlannerResult, RawBinaryExpr, TypePlanner};
use datafusion::logical_expr::{Expr, ExprSchemable, TryCast};
use datafusion::sql::sqlparser::ast::{DataType as SqlType, ExactNumberInfo};
use penstock_expressions::operator::{cast_of_unlike, operation};
use penstock_expressions::sql_type as library_type;

/// Planners that go before DataFusion's.
pub(crate) fn expression_planners() -> Vec<Arc<dyn ExprPlanner>> {
    vec![Arc::new(MySqlOperators)]
}

/// The types of CAST.
pub(crate) fn type_planner() -> Arc<dyn TypePlanner> {
    Arc::new(StarRocksTypes)
}

#[derive(Debug)]
struct MySqlOperators;

impl ExprPlanner for MySqlOperators {
    fn plan_binary_op(&self, expr: RawBinaryExpr, schema: &DFSchema) -> Result<PlannerResult<RawBinaryExpr>> {
        // A column that does not exist is reported better by the planner itself.
        let (Ok(left), Ok(right)) = (expr.left.get_type(schema), expr.right.get_type(schema)) else {
            return Ok(PlannerResult::Original(expr));
        };
        Ok(match operation(&expr.op, (&expr.left, &left), (&expr.right, &right)) {
            Some(planned) => PlannerResult::Planned(planned),
            None => PlannerResult::Original(expr),
        })
    }
}

/// Casts by StarRocks' rules; those between numbers stay DataFusion's, which compares them with statistics.
#[derive(Debug)]
pub(crate) struct CastsOfUnlike;

impl FunctionRewrite for CastsOfUnlike {
    fn name(&self) -> &'static str {
        "casts of unlike types"
    }

    fn rewrite(&self, expr: Expr, schema: &DFSchema, _: &ConfigOptions) -> Result<Transformed<Expr>> {
        let Expr::TryCast(TryCast { expr: inner, data_type }) = &expr else {
            return Ok(Transformed::no(expr));
        };
        let from = inner.get_type(schema)?;
        Ok(match cast_of_unlike((**inner).clone(), &from, data_type) {
            Some(cast) => Transformed::yes(cast),
            None => Transformed::no(expr),
        })
    }
}

#[derive(Debug)]
struct StarRocksTypes;

impl TypePlanner for StarRocksTypes {
    fn plan_type(&self, sql_type: &SqlType) -> Result<Option<DataType>> {
        Ok(match sql_type {
            SqlType::Datetime(_) | SqlType::Timestamp(_, _) => Some(DataType::Timestamp(TimeUnit::Microsecond, None)),
            SqlType::Signed | SqlType::SignedInteger => Some(DataType::Int64),
            SqlType::Unsigned | SqlType::UnsignedInteger => Some(DataType::UInt64),
            SqlType::MediumInt(_) => Some(DataType::Int32),
            SqlType::Character(_) | SqlType::Nvarchar(_) | SqlType::CharacterVarying(_) => Some(DataType::Utf8View),
            // Documents are of another type than text, so that casts tell them apart.
            SqlType::JSON => library_type(sql_type),
            SqlType::Double(ExactNumberInfo::PrecisionAndScale(..) | ExactNumberInfo::Precision(_)) => {
                Some(DataType::Float64)
            }
            SqlType::Binary(_) | SqlType::Varbinary(_) => Some(DataType::Binary),
            SqlType::Custom(name, _) if name.to_string().eq_ignore_ascii_case("largeint") => {
                Some(DataType::Decimal256(39, 0))
            }
            // ARRAY, MAP and STRUCT.
            SqlType::Custom(..) => library_type(sql_type),
            _ => None,
        })
    }
}
