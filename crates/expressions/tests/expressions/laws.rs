//! Laws of evaluation, over generated expressions and values.

use std::sync::Arc;

use arrow_array::{Array, ArrayRef, StringArray};
use penstock_expressions::StarRocks;
use penstock_kernel::expression::{Expressions, Input, Moment};
use penstock_kernel::table::ColumnType;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

fn expression() -> impl Strategy<Value = String> {
    let leaf = select(vec![
        "a",
        "b",
        "c",
        "NULL",
        "true",
        "0",
        "1",
        "-1",
        "1.5",
        "9223372036854775807",
        "1e308",
        "''",
        "'x'",
        "'2024-02-29'",
        "'$.a'",
        "'[1,2]'",
        "'%Y'",
        "now()",
        "'UTC'",
        "170141183460469231731687303715884105727",
        "99999999999999999999999999999999999999.9",
    ])
    .prop_map(str::to_owned);
    let names: Vec<&str> = penstock_expressions::function::all()
        .map(|function| function.name)
        .filter(|name| !name.contains("uuid") && *name != "rand")
        .collect();
    leaf.prop_recursive(4, 24, 4, move |inner| {
        let operator = select(vec!["+", "-", "*", "/", "DIV", "%", "=", "<", "<=>", "AND", "OR", "->", "LIKE", "REGEXP"]);
        let types = select(vec![
            "TINYINT", "INT", "BIGINT", "LARGEINT", "DOUBLE", "DECIMAL(10,2)", "DECIMAL(38,10)", "VARCHAR", "DATE", "DATETIME", "JSON", "BOOLEAN", "ARRAY<INT>",
        ]);
        prop_oneof![
            3 => (inner.clone(), operator, inner.clone()).prop_map(|(a, op, b)| format!("({a} {op} {b})")),
            4 => (select(names.clone()), vec(inner.clone(), 0..4)).prop_map(|(name, args)| format!("{name}({})", args.join(", "))),
            2 => (inner.clone(), types).prop_map(|(a, to)| format!("CAST({a} AS {to})")),
            1 => (inner.clone(), inner.clone(), inner.clone()).prop_map(|(a, b, c)| format!("CASE WHEN {a} THEN {b} ELSE {c} END")),
            1 => (inner.clone(), vec(inner.clone(), 1..3)).prop_map(|(a, list)| format!("({a} IN ({}))", list.join(", "))),
            1 => (inner.clone(), inner.clone(), inner).prop_map(|(a, b, c)| format!("({a} BETWEEN {b} AND {c})")),
        ]
    })
}

fn value() -> impl Strategy<Value = Option<String>> {
    prop_oneof![
        1 => Just(None),
        3 => any::<i64>().prop_map(|number| Some(number.to_string())),
        2 => any::<f64>().prop_map(|number| Some(number.to_string())),
        2 => select(vec!["", "0", "1", "2024-01-31 10:11:12", "{\"a\":[1,{\"b\":2}]}", "[1,null]", "a,b,c", "%", "("]).prop_map(|text| Some(text.to_owned())),
        2 => any::<String>().prop_map(Some),
    ]
}

fn output() -> impl Strategy<Value = ColumnType> {
    select(vec![
        ColumnType::Boolean,
        ColumnType::TinyInt,
        ColumnType::BigInt,
        ColumnType::LargeInt,
        ColumnType::Double,
        ColumnType::Decimal { precision: 12, scale: 3 },
        ColumnType::Varchar(10),
        ColumnType::Date,
        ColumnType::DateTime,
        ColumnType::Json,
    ])
}

const MOMENT: Moment = Moment { now_ms: 1_700_000_000_999, seed: 1, first_row: 0 };

proptest! {
    #![proptest_config(ProptestConfig { cases: 3000, ..ProptestConfig::default() })]

    /// It is refused, or gives a value of its type for every row, whatever the rows hold, and the same for a row alone.
    #[test]
    fn evaluation_never_fails_and_rows_do_not_see_each_other(
        text in expression(), output in output(), rows in vec((value(), value(), value()), 1..5)
    ) {
        let inputs: Vec<Input> = ["a", "b", "c"]
            .map(|name| Input { name: name.to_owned(), column_type: ColumnType::Varchar(u32::MAX) })
            .into();
        // A panic that is caught would go unseen here.
        static PANICS: std::sync::Once = std::sync::Once::new();
        PANICS.call_once(|| std::panic::set_hook(Box::new(|panic| {
            if panic.location().is_some_and(|at| at.file().contains("datafusion") || at.file().contains("arrow")) {
                eprintln!("{panic}");
                std::process::abort();
            }
        })));
        if let Ok(compiled) = StarRocks.compile(&text, &inputs, &output, "Europe/Berlin") {
            let column = |values: Vec<Option<&str>>| -> ArrayRef { Arc::new(StringArray::from(values)) };
            let all = [
                column(rows.iter().map(|row| row.0.as_deref()).collect()),
                column(rows.iter().map(|row| row.1.as_deref()).collect()),
                column(rows.iter().map(|row| row.2.as_deref()).collect()),
            ];
            let read: Vec<ArrayRef> = compiled.reads().iter().map(|place| Arc::clone(&all[*place])).collect();
            let results = compiled.evaluate(&read, rows.len(), &MOMENT).unwrap();
            prop_assert_eq!(results.data_type(), &output.arrow());
            prop_assert_eq!(results.len(), rows.len());
            for (at, row) in rows.iter().enumerate() {
                let one: Vec<ArrayRef> = read.iter().map(|column| column.slice(at, 1)).collect();
                let alone = compiled.evaluate(&one, 1, &MOMENT).unwrap();
                prop_assert_eq!(&results.slice(at, 1), &alone, "{} over {:?}", text, row);
            }
        }
    }

    #[test]
    fn any_text_compiles_or_is_refused(text in any::<String>()) {
        let _ = StarRocks.compile(&text, &[], &ColumnType::Int, "UTC");
    }
}
