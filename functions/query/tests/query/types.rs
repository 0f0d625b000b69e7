//! Every type of a table, from its file to its cell.

use std::sync::Arc;

use arrow_array::builder::{Int32Builder, ListBuilder};
use arrow_array::{
    ArrayRef, BinaryArray, BooleanArray, Date32Array, Decimal128Array, Decimal256Array, Float32Array, Float64Array,
    Int8Array, Int16Array, Int32Array, Int64Array, MapArray, StringArray, StructArray, TimestampMicrosecondArray,
};
use arrow_buffer::{OffsetBuffer, i256};
use arrow_schema::{DataType, Field};
use penstock_kernel::table::{ColumnType, StructField};
use penstock_sql::result::{Cell, CellType};

use crate::world::World;

async fn all_types() -> World {
    let world = World::empty().await;
    let columns = [
        ("flag", ColumnType::Boolean),
        ("tiny", ColumnType::TinyInt),
        ("small", ColumnType::SmallInt),
        ("medium", ColumnType::Int),
        ("big", ColumnType::BigInt),
        ("large", ColumnType::LargeInt),
        ("price", ColumnType::Decimal { precision: 10, scale: 2 }),
        ("wide", ColumnType::Decimal { precision: 38, scale: 10 }),
        ("single", ColumnType::Float),
        ("precise", ColumnType::Double),
        ("code", ColumnType::Char(3)),
        ("note", ColumnType::Varchar(100)),
        ("day", ColumnType::Date),
        ("moment", ColumnType::DateTime),
        ("doc", ColumnType::Json),
    ];
    let table = world.table("t", &columns).await;
    let largest = i256::from_i128(i128::MAX);
    let cells: Vec<ArrayRef> = vec![
        Arc::new(BooleanArray::from(vec![Some(true), Some(false), None])),
        Arc::new(Int8Array::from(vec![Some(-128), Some(127), None])),
        Arc::new(Int16Array::from(vec![Some(-32768), Some(1), None])),
        Arc::new(Int32Array::from(vec![Some(-5), Some(5), None])),
        Arc::new(Int64Array::from(vec![Some(i64::MIN), Some(i64::MAX), None])),
        Arc::new(
            Decimal256Array::from(vec![Some(largest), Some(i256::from_i128(-1)), None])
                .with_precision_and_scale(39, 0)
                .unwrap(),
        ),
        Arc::new(Decimal128Array::from(vec![Some(150), Some(-7), None]).with_precision_and_scale(10, 2).unwrap()),
        Arc::new(
            Decimal128Array::from(vec![Some(1), Some(10_000_000_000), None]).with_precision_and_scale(38, 10).unwrap(),
        ),
        Arc::new(Float32Array::from(vec![Some(1.5), Some(0.1), None])),
        Arc::new(Float64Array::from(vec![Some(1e300), Some(-0.5), None])),
        Arc::new(StringArray::from(vec![Some("abc"), Some("é"), None])),
        Arc::new(StringArray::from(vec![Some(""), Some("a'b\\c"), None])),
        Arc::new(Date32Array::from(vec![Some(19_884), Some(-719_528), None])),
        Arc::new(TimestampMicrosecondArray::from(vec![Some(1_718_034_793_000_000), Some(1_718_034_793_000_001), None])),
        Arc::new(StringArray::from(vec![Some(r#"{"a":1}"#), Some("[]"), None])),
    ];
    world.load(&table, cells).await;
    world
}

#[tokio::test]
async fn every_type_keeps_its_value_and_is_announced() {
    let world = all_types().await;
    let answer = world.run("SELECT * FROM t ORDER BY medium").await.unwrap();
    assert_eq!(
        answer.types,
        [
            CellType::Boolean,
            CellType::TinyInt,
            CellType::SmallInt,
            CellType::Int,
            CellType::BigInt,
            CellType::Decimal { precision: 39, scale: 0 },
            CellType::Decimal { precision: 10, scale: 2 },
            CellType::Decimal { precision: 38, scale: 10 },
            CellType::Float,
            CellType::Double,
            CellType::Varchar,
            CellType::Varchar,
            CellType::Date,
            CellType::DateTime,
            CellType::Json,
        ]
    );
    assert!(answer.rows[0].iter().all(|cell| *cell == Cell::Null));
    let text = |text: &str| Cell::Text(text.to_owned());
    assert_eq!(
        answer.rows[1],
        [
            Cell::Integer(1),
            Cell::Integer(-128),
            Cell::Integer(-32768),
            Cell::Integer(-5),
            Cell::Integer(i64::MIN),
            text("170141183460469231731687303715884105727"),
            text("1.50"),
            text("0.0000000001"),
            Cell::Float(1.5),
            Cell::Float(1e300),
            text("abc"),
            text(""),
            text("2024-06-10"),
            text("2024-06-10 15:53:13"),
            text(r#"{"a":1}"#),
        ]
    );
    assert_eq!(answer.rows[2][6], text("-0.07"));
    assert_eq!(answer.rows[2][12], text("0000-01-01"));
    assert_eq!(answer.rows[2][13], text("2024-06-10 15:53:13.000001"));
}

#[tokio::test]
async fn filters_compare_types_as_mysql_does() {
    let world = all_types().await;
    for (filter, count) in [
        ("flag = 1", 1),
        ("flag", 1),
        ("NOT flag", 1),
        ("flag = true", 1),
        ("flag IS NULL", 1),
        ("tiny = '-128'", 1),
        ("tiny > '100'", 1),
        ("big = '9223372036854775807'", 1),
        ("big = 1.5", 0),
        ("medium > '4.5'", 1),
        ("medium IN ('5', '6')", 1),
        ("medium BETWEEN '4' AND '10'", 1),
        ("medium = 'five'", 0),
        ("large > 0", 1),
        ("large = 170141183460469231731687303715884105727", 1),
        ("large = '170141183460469231731687303715884105727'", 1),
        ("price = 1.5", 1),
        ("price = '1.50'", 1),
        ("price < 0", 1),
        ("day = '2024-06-10'", 1),
        ("day >= '2024-06-10 00:00:00'", 1),
        ("day < '2024-06-10 00:00:01'", 2),
        ("day = 'soon'", 0),
        ("moment > '2024-06-10 15:53:13'", 1),
        ("moment = '2024-06-10 15:53:13.000001'", 1),
        ("moment >= '2024-06-10'", 2),
        ("date(moment) = '2024-06-10'", 2),
        ("moment BETWEEN '2024-06-10' AND '2024-06-11'", 2),
        ("get_json_int(doc, '$.a') = 1", 1),
        ("doc -> 'a' = '1'", 1),
        ("doc -> '$.a' IS NULL", 2),
        ("doc -> 'a' IN ('1', '2') AND doc -> 'a' LIKE '1%'", 1),
        ("code = 'é'", 1),
        ("note = ''", 1),
        ("note = 'a\\'b\\\\c'", 1),
        ("note IS NOT NULL", 2),
        ("single = 1.5", 1),
    ] {
        let found = world.value(&format!("SELECT count(*) FROM t WHERE {filter}")).await;
        assert_eq!(found, count.to_string(), "{filter}");
    }
}

#[tokio::test]
async fn aggregates_have_starrocks_types() {
    let world = all_types().await;
    let answer =
        world.run("SELECT sum(big), sum(tiny), avg(medium), sum(price), count(*), max(day), min(moment) FROM t").await;
    let answer = answer.unwrap();
    assert_eq!(
        answer.types,
        [
            CellType::BigInt,
            CellType::BigInt,
            CellType::Double,
            CellType::Decimal { precision: 20, scale: 2 },
            CellType::BigInt,
            CellType::Date,
            CellType::DateTime,
        ]
    );
    assert_eq!(answer.lines(), ["-1|-1|0|1.43|3|2024-06-10|2024-06-10 15:53:13"]);
    let max = world
        .run("SELECT max(large), min(price), max(note), min(flag), max(precise), max(single) FROM t")
        .await
        .unwrap();
    assert_eq!(
        max.lines(),
        ["170141183460469231731687303715884105727|-0.07|a'b\\c|0|1e300|1.5".replace("1e300", &1e300_f64.to_string())]
    );
}

#[tokio::test]
async fn avg_of_decimals_is_exact_rounded_and_has_starrocks_digits() {
    let world = World::empty().await;
    let columns = [
        ("site", ColumnType::Int),
        ("price", ColumnType::Decimal { precision: 15, scale: 2 }),
        ("discount", ColumnType::Decimal { precision: 15, scale: 2 }),
        ("wide", ColumnType::Decimal { precision: 38, scale: 10 }),
        ("large", ColumnType::LargeInt),
    ];
    let table = world.table("t", &columns).await;
    let decimals = |values: &[Option<i128>], precision: u8, scale: i8| -> ArrayRef {
        Arc::new(Decimal128Array::from(values.to_vec()).with_precision_and_scale(precision, scale).unwrap())
    };
    let most = Some(10_i128.pow(38) - 1);
    let large = [Some(i128::MAX), Some(i128::MAX), Some(0), None, Some(-7)].map(|value| value.map(i256::from_i128));
    let cells: Vec<ArrayRef> = vec![
        Arc::new(Int32Array::from(vec![1, 1, 1, 2, 3])),
        decimals(&[Some(100), Some(100), Some(200), None, Some(-200)], 15, 2),
        decimals(&[Some(1), Some(2), Some(2), Some(4), Some(5)], 15, 2),
        decimals(&[most, most, most, None, Some(1)], 38, 10),
        Arc::new(Decimal256Array::from(large.to_vec()).with_precision_and_scale(39, 0).unwrap()),
    ];
    world.load(&table, cells).await;

    let answer = world
        .run("SELECT avg(price), AVG(discount), avg(wide), avg(large), avg(site) FROM t WHERE site = 3")
        .await
        .unwrap();
    assert_eq!(answer.titles, ["avg(price)", "AVG(discount)", "avg(wide)", "avg(large)", "avg(site)"]);
    let decimal = |scale| CellType::Decimal { precision: 38, scale };
    assert_eq!(answer.types, [decimal(8), decimal(8), decimal(12), CellType::Double, CellType::Double]);
    let error = world.error("SELECT avg(wide) FROM t WHERE site = 1").await;
    assert!(error.message.contains("no room in DECIMAL(38, 12)"), "{error:?}");

    for (sql, lines) in [
        // 5.00 / 3 of 2.00, 1.00, 1.00 and so on: cut it would end with 6.
        ("SELECT avg(price) FROM t WHERE price > 0", &["1.33333333"][..]),
        ("SELECT avg(discount) FROM t WHERE site = 1", &["0.01666667"]),
        ("SELECT avg(-discount) FROM t WHERE site = 1", &["-0.01666667"]),
        ("SELECT avg(wide) FROM t WHERE site = 3", &["0.000000000100"]),
        ("SELECT avg(large) FROM t WHERE site = 3", &["-7"]),
        ("SELECT avg(price), avg(large), avg(wide) FROM t WHERE site = 2", &["NULL|NULL|NULL"]),
        ("SELECT avg(price) FROM t WHERE site > 9", &["NULL"]),
        ("SELECT site, avg(price) FROM t WHERE site > 9 GROUP BY site", &[]),
        (
            "SELECT site, sum(price), avg(price) m, count(*), count(price), avg(discount), sum(discount) FROM t \
             GROUP BY site ORDER BY site",
            &[
                "1|4.00|1.33333333|3|3|0.01666667|0.05",
                "2|NULL|NULL|1|0|0.04000000|0.04",
                "3|-2.00|-2.00000000|1|1|0.05000000|0.05",
            ],
        ),
        ("SELECT site FROM t GROUP BY site HAVING avg(price) > 1 ORDER BY avg(discount)", &["1"]),
        (
            "SELECT avg(DISTINCT price), avg(DISTINCT discount), count(DISTINCT site) FROM t",
            &["0.33333333|0.03000000|3"],
        ),
        ("SELECT avg(DISTINCT price) FROM t WHERE site = 1", &["1.50000000"]),
        ("SELECT avg(DISTINCT wide) FROM t WHERE site = 3", &["0.000000000100"]),
        (
            "SELECT avg(price) OVER (ORDER BY discount, site ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) FROM t \
             WHERE site <> 1 ORDER BY site",
            &["NULL", "-2.00000000"],
        ),
        (
            "SELECT avg(discount) OVER (ORDER BY site, discount ROWS BETWEEN 1 PRECEDING AND CURRENT ROW) m FROM t \
             ORDER BY m",
            &["0.01000000", "0.01500000", "0.02000000", "0.03000000", "0.04500000"],
        ),
        (
            "SELECT site FROM t o WHERE discount * 2 < (SELECT 3 * avg(discount) FROM t i WHERE i.site = o.site) \
             AND site = 1",
            &["1", "1", "1"],
        ),
        ("SELECT avg(price * price) FROM t", &["2.5000000000"]),
        ("SELECT avg(a.discount), count(*) FROM t a JOIN t b ON a.site = b.site", &["0.02181818|11"]),
    ] {
        assert_eq!(world.lines(sql).await, lines, "{sql}");
    }
}

#[tokio::test]
async fn lists_maps_structures_and_bytes_are_read_back_and_printed() {
    let world = World::empty().await;
    let entry = ColumnType::Struct(vec![
        StructField { name: "A".to_owned(), column_type: ColumnType::Varchar(9) },
        StructField { name: "j".to_owned(), column_type: ColumnType::Json },
    ]);
    let numbers = ColumnType::Array(Box::new(ColumnType::Int));
    let map = ColumnType::Map(Box::new(ColumnType::Int), Box::new(entry));
    let columns =
        [("k", ColumnType::Int), ("numbers", numbers.clone()), ("m", map.clone()), ("v", ColumnType::Varbinary(9))];
    let table = world.table("t", &columns).await;
    let mut list = ListBuilder::new(Int32Builder::new()).with_field(Field::new("element", DataType::Int32, true));
    list.append_value([Some(1), None]);
    list.append_null();
    let DataType::Map(pairs, _) = map.arrow() else { panic!("a map") };
    let DataType::Struct(pair) = pairs.data_type() else { panic!("pairs") };
    let DataType::Struct(fields) = pair[1].data_type() else { panic!("a structure") };
    let texts = |text: &str| Arc::new(StringArray::from(vec![text])) as ArrayRef;
    let values = StructArray::new(fields.clone(), vec![texts("x"), texts(r#"{"y":[1]}"#)], None);
    let entries = StructArray::new(pair.clone(), vec![Arc::new(Int32Array::from(vec![7])), Arc::new(values)], None);
    let map = MapArray::new(pairs, OffsetBuffer::from_lengths([1, 0]), entries, None, false);
    let cells: Vec<ArrayRef> = vec![
        Arc::new(Int32Array::from(vec![1, 2])),
        Arc::new(list.finish()),
        Arc::new(map),
        Arc::new(BinaryArray::from(vec![Some(b"\xff\x00".as_slice()), None])),
    ];
    world.load(&table, cells).await;
    let answer = world.run("SELECT numbers, m, v FROM t WHERE k > 0 ORDER BY k").await.unwrap();
    assert_eq!(answer.types, [CellType::Varchar, CellType::Varchar, CellType::Binary]);
    let text = |text: &str| Cell::Text(text.to_owned());
    assert_eq!(
        answer.rows,
        [
            vec![text("[1,null]"), text(r#"{7:{"A":"x","j":{"y":[1]}}}"#), Cell::Binary(vec![0xff, 0])],
            vec![Cell::Null, text("{}"), Cell::Null],
        ]
    );
    let types = world.lines("SELECT column_type FROM information_schema.columns WHERE table_name = 't'").await;
    let expected = ["int(11)", "array<int(11)>", "map<int(11),struct<A varchar(9), j json>>", "varbinary(9)"];
    assert_eq!(types, expected);
}
