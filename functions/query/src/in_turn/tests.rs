use arrow_array::{ArrayRef, Int32Array, StringArray};
use arrow_schema::Field;
use datafusion::common::DFSchema;
use datafusion::logical_expr::execution_props::ExecutionProps;
use datafusion::logical_expr::{Expr, col, lit};
use datafusion::physical_expr::create_physical_expr;

use super::*;

fn rows() -> RecordBatch {
    let numbers = (0..1000).map(|number| (number % 7 != 0).then_some(number));
    let texts = (0..1000).map(|number| (number % 11 != 0).then(|| format!("t{}", number % 5)));
    let columns: [(&str, ArrayRef); 2] =
        [("i", Arc::new(numbers.collect::<Int32Array>())), ("t", Arc::new(texts.collect::<StringArray>()))];
    RecordBatch::try_from_iter_with_nullable(columns.map(|(name, values)| (name, values, true))).unwrap()
}

fn physical(expr: &Expr) -> Arc<dyn PhysicalExpr> {
    let fields = vec![Field::new("i", DataType::Int32, true), Field::new("t", DataType::Utf8, true)];
    let schema = DFSchema::try_from(Arc::new(Schema::new(fields))).unwrap();
    create_physical_expr(expr, &schema, &ExecutionProps::new()).unwrap()
}

fn true_rows(expr: &dyn PhysicalExpr, rows: &RecordBatch) -> Vec<usize> {
    let values = expr.evaluate(rows).unwrap().into_array(rows.num_rows()).unwrap();
    let values = values.as_any().downcast_ref::<BooleanArray>().unwrap();
    (0..values.len()).filter(|row| values.iter().nth(*row).unwrap() == Some(true)).collect()
}

#[test]
fn conditions_in_turn_are_true_where_all_of_them_are() {
    let all = [
        col("i").lt(lit(900)),
        col("i").lt(lit(40)),
        col("i").gt(lit(1000)),
        col("t").eq(lit("t3")),
        col("t").not_eq(lit("t1")),
        col("i").is_null(),
        col("i").gt(lit(i32::MIN)).or(col("t").is_null()),
        lit(true),
        lit(false),
    ];
    let rows = rows();
    for first in &all {
        for second in &all {
            for third in &all {
                let plain = physical(&first.clone().and(second.clone()).and(third.clone()));
                let conditions = [first, second, third].map(physical);
                let in_turn = InTurn::new(&conditions).unwrap().unwrap();
                assert_eq!(true_rows(&in_turn, &rows), true_rows(plain.as_ref(), &rows), "{in_turn}");
            }
        }
    }
}

#[test]
fn nothing_is_made_of_one_condition() {
    assert!(InTurn::new(&[physical(&col("i").lt(lit(1)))]).unwrap().is_none());
}
