use penstock_kernel::ids::DatabaseId;
use penstock_kernel::partitioning::RangeBound;
use proptest::prelude::*;

use super::*;
use crate::definition::{TableContext, table_definition};
use crate::render;
use crate::statement::{Statement, TableChange};

/// A table of these columns, divided so.
fn try_table(partition_by: &str) -> Result<TableDefinition, SqlError> {
    let sql = format!(
        "CREATE TABLE t (id int, d date, t datetime, city varchar(20), big largeint, flag boolean, x double, j json,
         amount decimal(10, 2)) {partition_by}"
    );
    parsed(&sql)
}

fn parsed(sql: &str) -> Result<TableDefinition, SqlError> {
    let Statement::CreateTable(statement) = Statement::parse(sql)? else { panic!("not a table: {sql}") };
    table_definition(&statement, TableContext { database: DatabaseId(1), volume: "v", now_ms: 5 })
}

fn table(partition_by: &str) -> TableDefinition {
    try_table(partition_by).unwrap_or_else(|error| panic!("{partition_by}\n{error}"))
}

/// Partitions as `name [lower, upper)`.
fn ranges(table: &TableDefinition) -> Vec<String> {
    let Partitioning::Range(range) = &table.partitioning else { panic!("{:?}", table.partitioning) };
    let bound = |bound: &RangeBound| {
        let entries = bound.0.iter().map(|entry| entry.as_deref().unwrap_or("MAX"));
        entries.collect::<Vec<_>>().join(",")
    };
    range.partitions.iter().map(|one| format!("{} [{}; {})", one.name, bound(&one.lower), bound(&one.upper))).collect()
}

#[test]
fn ranges_are_what_their_clauses_say() {
    for (clause, expected) in [
        (
            r#"RANGE(d) (PARTITION p1 VALUES LESS THAN ("2024-01-01"), PARTITION p2 VALUES LESS THAN ("20240201"),
               PARTITION p3 VALUES LESS THAN MAXVALUE)"#,
            vec!["p1 [; 2024-01-01)", "p2 [2024-01-01; 2024-02-01)", "p3 [2024-02-01; MAX)"],
        ),
        (
            r#"RANGE(ID) (PARTITION b VALUES [("10"), ("20")), PARTITION a VALUES [(-5), (5)))"#,
            vec!["a [-5; 5)", "b [10; 20)"],
        ),
        (
            r#"RANGE(id) (PARTITION a VALUES [("0"), ("5")), PARTITION b VALUES LESS THAN ("9"))"#,
            vec!["a [0; 5)", "b [5; 9)"],
        ),
        (
            r#"RANGE(id, city) (PARTITION a VALUES LESS THAN ("1", "m"), PARTITION b VALUES LESS THAN ("1", MAXVALUE),
               PARTITION c VALUES LESS THAN ("5"), PARTITION d VALUES LESS THAN (MAXVALUE, "x"))"#,
            vec!["a [; 1,m)", "b [1,m; 1,MAX)", "c [1,MAX; 5)", "d [5; MAX)"],
        ),
        (
            r#"RANGE(d) (START ("2024-01-30") END ("2024-02-02") EVERY (INTERVAL 1 DAY))"#,
            vec![
                "p20240130 [2024-01-30; 2024-01-31)",
                "p20240131 [2024-01-31; 2024-02-01)",
                "p20240201 [2024-02-01; 2024-02-02)",
            ],
        ),
        (
            r#"RANGE(d) (START ("2024-01-31") END ("2024-04-01") EVERY (INTERVAL 1 MONTH))"#,
            vec![
                "p202401 [2024-01-31; 2024-02-29)",
                "p202402 [2024-02-29; 2024-03-31)",
                "p202403 [2024-03-31; 2024-04-01)",
            ],
        ),
        (
            r#"RANGE(t) (START ("2024-01-01") END ("2024-01-01 05:00:00") EVERY (INTERVAL 3 HOUR))"#,
            vec![
                "p2024010100 [2024-01-01 00:00:00; 2024-01-01 03:00:00)",
                "p2024010103 [2024-01-01 03:00:00; 2024-01-01 05:00:00)",
            ],
        ),
        (
            r#"RANGE(big) (START ("-10") END ("15") EVERY (10), PARTITION rest VALUES LESS THAN (MAXVALUE))"#,
            vec!["p_10 [-10; 0)", "p0 [0; 10)", "p10 [10; 15)", "rest [15; MAX)"],
        ),
        (
            r#"RANGE(big) (START ("170141183460469231731687303715884105726") END ("170141183460469231731687303715884105727") EVERY (5))"#,
            vec![
                "p170141183460469231731687303715884105726 [170141183460469231731687303715884105726; 170141183460469231731687303715884105727)",
            ],
        ),
        (
            r#"RANGE(d) (START ("2022-01-01") END ("2024-01-01") EVERY (INTERVAL 1 YEAR), START ("2024-01-01") END ("2024-01-02") EVERY (INTERVAL 1 DAY))"#,
            vec![
                "p2022 [2022-01-01; 2023-01-01)",
                "p2023 [2023-01-01; 2024-01-01)",
                "p20240101 [2024-01-01; 2024-01-02)",
            ],
        ),
        ("RANGE(d) ()", vec![]),
    ] {
        assert_eq!(ranges(&table(&format!("PARTITION BY {clause}"))), expected, "{clause}");
    }
}

#[test]
fn lists_are_what_their_clauses_say() {
    let table = table(
        r#"PARTITION BY LIST(city, d) (PARTITION a VALUES IN (("x", "2024-1-1"), (NULL, "2024-01-02")),
           PARTITION IF NOT EXISTS b VALUES IN (("X", NULL)))"#,
    );
    let Partitioning::List(list) = table.partitioning else { panic!() };
    let text = |text: &str| Some(text.to_owned());
    assert_eq!(list.columns, ["city", "d"]);
    assert_eq!(list.partitions[0].values, [[text("x"), text("2024-01-01")], [None, text("2024-01-02")]]);
    assert_eq!(list.partitions[1].values, [[text("X"), None]]);
    let flags = self::table("PARTITION BY LIST(flag) (PARTITION y VALUES IN (true), PARTITION n VALUES IN (0, NULL))");
    let Partitioning::List(flags) = flags.partitioning else { panic!() };
    assert_eq!(flags.partitions[0].values, [[text("1")]]);
    assert_eq!(flags.partitions[1].values, [[text("0")], [None]]);
}

#[test]
fn expressions_are_what_their_clauses_say() {
    use penstock_kernel::partitioning::TimeUnit;
    let column = |name: &str| PartitionExpression::Column(name.to_owned());
    let day = PartitionExpression::DateTrunc { unit: TimeUnit::Day, column: "t".to_owned() };
    let week = PartitionExpression::TimeSlice { column: "d".to_owned(), count: 7, unit: TimeUnit::Day };
    for (clause, expected) in [
        ("(city, d)", vec![column("city"), column("d")]),
        ("CITY, d", vec![column("city"), column("d")]),
        ("LIST (city)", vec![column("city")]),
        ("date_trunc('DAY', T)", vec![day.clone()]),
        ("(date_trunc('day', t), city)", vec![day.clone(), column("city")]),
        ("time_slice(d, INTERVAL 7 day)", vec![week.clone()]),
        ("time_slice(d, INTERVAL 7 day, 'FLOOR')", vec![week.clone()]),
        ("time_slice(d, INTERVAL 7 day, floor)", vec![week]),
        (
            "RANGE(date_trunc('day', t)) (START ('2024-01-01') END ('2024-01-05') EVERY (INTERVAL 1 DAY))",
            vec![day.clone()],
        ),
        ("date_trunc('day', t) (START ('2024-01-01') END ('2024-01-05') EVERY (INTERVAL 1 DAY))", vec![day.clone()]),
        ("RANGE(date_trunc('day', t)) ()", vec![day]),
    ] {
        assert_eq!(
            table(&format!("PARTITION BY {clause}")).partitioning,
            Partitioning::Automatic(expected),
            "{clause}"
        );
    }
}

#[test]
fn partitions_that_make_no_sense_are_refused() {
    for (clause, expected) in [
        ("RANGE(nope) ()", "line 2, column 52. Detail message: column `nope` does not exist"),
        ("RANGE(citi) ()", "hint: did you mean `city`?"),
        ("(x)", "a column of type double cannot partition a table: `x`"),
        ("LIST(j) (PARTITION p VALUES IN (1))", "a column of type json cannot partition a table"),
        ("RANGE(amount) ()", "a column of type decimal(10, 2) cannot partition a table"),
        ("RANGE(id, ID) ()", "column `id` stands twice"),
        ("date_trunc('hour', d)", "column `d` of type date has no hour"),
        ("date_trunc('day', city)", "expected a column of type DATE or DATETIME, found `city`"),
        ("date_trunc('fortnight', d)", "expected a unit of time, found `fortnight`"),
        ("date_trunc('day', t), date_trunc('day', T)", "column `t` stands twice"),
        ("time_slice(t, INTERVAL 0 day)", "expected an interval of 1 to"),
        ("time_slice(t, INTERVAL 1 day, ceil)", "time_slice with boundary `ceil` is not supported yet"),
        ("str2date(city, '%Y')", "PARTITION BY with function `str2date` is not supported yet"),
        ("(city) (PARTITION p VALUES IN ('a'))", "hint: say PARTITION BY RANGE"),
        ("(city) (START ('1') END ('2') EVERY (1))", "needs one expression of date_trunc or time_slice"),
        (
            "date_trunc('day', t) (START ('2024-01-01') END ('2024-02-01') EVERY (INTERVAL 1 MONTH))",
            "expected EVERY (INTERVAL 1 day), as the table is divided",
        ),
        (
            "RANGE(d) (PARTITION p VALUES LESS THAN ('x'))",
            "Invalid value for partition column 'd': expected date, found `x`",
        ),
        ("RANGE(id) (PARTITION p VALUES LESS THAN ('3000000000'))", "expected int, found `3000000000`"),
        ("RANGE(id) (PARTITION p VALUES LESS THAN (1, 2))", "expected at most 1 values, one a column, found more"),
        (
            "RANGE(id) (PARTITION p VALUES LESS THAN (5), PARTITION P VALUES LESS THAN (9))",
            "Duplicate partition name P",
        ),
        (
            "RANGE(id) (PARTITION p VALUES LESS THAN (20), PARTITION q VALUES LESS THAN (10))",
            "Range [(MINVALUE), (10)) is intersected with range: [(MINVALUE), (20))",
        ),
        (
            "RANGE(id) (PARTITION p VALUES [(0), (10)), PARTITION q VALUES [(9), (12)))",
            "hint: partition `q` overlaps partition `p`",
        ),
        ("RANGE(id) (PARTITION p VALUES [(5), (10)), PARTITION q VALUES [(0), (6)))", "is intersected with range"),
        ("RANGE(id) (PARTITION p VALUES [(5), (10)), PARTITION q VALUES [(5), (6)))", "is intersected with range"),
        ("RANGE(id) (PARTITION p VALUES [(5), (10)), PARTITION q VALUES [(0), (20)))", "is intersected with range"),
        ("RANGE(id) (PARTITION p VALUES [(5), (5)))", "expected a lower bound below the upper one, found [(5), (5))"),
        ("RANGE(id) (PARTITION p VALUES [(MAXVALUE), (5)))", "nothing lies above it"),
        ("RANGE(id) (PARTITION `a-b` VALUES LESS THAN (5))", "Incorrect partition name 'a-b'"),
        ("RANGE(id) (START (1) END (1) EVERY (1))", "expected START before END"),
        ("RANGE(id) (START (1) END (9) EVERY (0))", "expected a step of at least 1"),
        ("RANGE(id) (START (1) END (9) EVERY (INTERVAL 1 DAY))", "cannot count through a column of type int"),
        ("RANGE(d) (START ('2024-01-01') END ('2025-01-01') EVERY (1))", "expected INTERVAL <count> <unit>"),
        ("RANGE(d) (START ('2024-01-01') END ('2025-01-01') EVERY (INTERVAL 1 HOUR))", "has no hour"),
        ("RANGE(city) (START ('a') END ('b') EVERY (1))", "cannot count through a column of type varchar(20)"),
        ("RANGE(id, d) (START (1) END (9) EVERY (1))", "needs exactly one partition column"),
        ("RANGE(id) (START (1) END (2000) EVERY (1))", "expected at most 1500 partitions, found more"),
        ("RANGE(big) (START (1) END ('170141183460469231731687303715884105727') EVERY (1))", "at most 1500 partitions"),
        ("LIST(city) (PARTITION p VALUES IN ('a', 'a'))", "Duplicate value (a) in partition p"),
        ("LIST(id) (PARTITION p VALUES IN ('1'), PARTITION q VALUES IN ('01'))", "hint: partition `p` has it"),
        ("LIST(id) (PARTITION p VALUES IN (NULL, NULL))", "Duplicate value (NULL) in partition p"),
        ("LIST(id, d) (PARTITION p VALUES IN ('1', '2'))", "expected 2 values, one a column, found 1"),
        ("LIST(id) (PARTITION p VALUES IN (1.5))", "expected"),
    ] {
        let error = try_table(&format!("PARTITION BY {clause}")).expect_err(clause).to_string();
        assert!(error.contains(expected), "{clause}: {error}");
    }
}

#[test]
fn definitions_too_long_for_the_catalog_are_refused() {
    let values: Vec<String> = (0..30_000).map(|value| format!("'{value:010}'")).collect();
    let clause = format!("PARTITION BY LIST(city) (PARTITION p VALUES IN ({}))", values.join(","));
    let error = try_table(&clause).expect_err("too long").to_string();
    assert!(error.contains("expected partitions of at most 262144 bytes"), "{error}");
}

fn changed(table: &TableDefinition, sql: &str) -> Result<Option<Partitioning>, SqlError> {
    let Statement::AlterTable(statement) = Statement::parse(sql)? else { panic!("not ALTER TABLE: {sql}") };
    match &statement.change {
        TableChange::AddPartition { if_not_exists, added } => with_partition(table, added, *if_not_exists),
        TableChange::DropPartitions { if_exists, names, .. } => without_partitions(table, names, *if_exists),
    }
}

#[test]
fn partitions_are_added_and_dropped_and_no_id_comes_again() {
    let mut table =
        table("PARTITION BY RANGE(id) (PARTITION a VALUES LESS THAN (10), PARTITION b VALUES LESS THAN (20))");
    for (change, expected) in [
        ("ADD PARTITION c VALUES LESS THAN (30)", vec!["a [; 10)", "b [10; 20)", "c [20; 30)"]),
        ("DROP PARTITION b", vec!["a [; 10)", "c [20; 30)"]),
        ("ADD PARTITION IF NOT EXISTS B VALUES [(12), (15))", vec!["a [; 10)", "B [12; 15)", "c [20; 30)"]),
        (
            "ADD PARTITIONS IF NOT EXISTS START (15) END (19) EVERY (3)",
            vec!["a [; 10)", "B [12; 15)", "p15 [15; 18)", "p18 [18; 19)", "c [20; 30)"],
        ),
        (
            "ADD PARTITIONS IF NOT EXISTS START (15) END (20) EVERY (3)",
            vec!["a [; 10)", "B [12; 15)", "p15 [15; 18)", "p18 [18; 19)", "c [20; 30)"],
        ),
        ("DROP PARTITIONS IF EXISTS (p15, p18, zz) FORCE", vec!["a [; 10)", "B [12; 15)", "c [20; 30)"]),
    ] {
        table.partitioning = changed(&table, &format!("ALTER TABLE t {change}")).expect(change).expect("a change");
        assert_eq!(ranges(&table), expected, "{change}");
    }
    let ids: Vec<u32> = table.partitioning.named().into_iter().map(|(id, _)| id).collect();
    assert_eq!(ids, [0, 3, 2]);
    assert_eq!(changed(&table, "ALTER TABLE t ADD PARTITION IF NOT EXISTS A VALUES LESS THAN (1)").unwrap(), None);
    assert_eq!(changed(&table, "ALTER TABLE t DROP PARTITION IF EXISTS zz").unwrap(), None);
    for (change, expected) in [
        ("DROP PARTITION cc", "Partition cc does not exist"),
        ("ADD PARTITION a VALUES LESS THAN (99)", "Duplicate partition name a"),
        ("ADD PARTITION z VALUES LESS THAN (5)", "is intersected with range"),
        ("ADD PARTITION z VALUES IN (5)", "is divided by RANGE: expected VALUES LESS THAN"),
    ] {
        let error = changed(&table, &format!("ALTER TABLE t {change}")).expect_err(change).to_string();
        assert!(error.contains(expected), "{change}: {error}");
    }
    let mut list = self::table("PARTITION BY LIST(city) (PARTITION a VALUES IN ('x'))");
    list.partitioning = changed(&list, "ALTER TABLE t ADD PARTITION b VALUES IN ('y')").unwrap().unwrap();
    assert_eq!(list.partitioning.id_of("b"), Some(1));
    let error = changed(&list, "ALTER TABLE t ADD PARTITION c VALUES IN ('x')").expect_err("twice").to_string();
    assert!(error.contains("Duplicate value (x) in partition c"), "{error}");
    let automatic = self::table("PARTITION BY (city)");
    let error =
        changed(&automatic, "ALTER TABLE t ADD PARTITION c VALUES IN ('x')").expect_err("automatic").to_string();
    assert!(error.contains("come with their rows"), "{error}");
    let whole = self::table("");
    let error = changed(&whole, "ALTER TABLE t ADD PARTITION c VALUES IN ('x')").expect_err("whole").to_string();
    assert!(error.contains("it has no PARTITION BY"), "{error}");
}

/// The same with ids in the order in which partitions are printed: what SHOW CREATE TABLE says has no ids.
fn numbered(mut table: TableDefinition) -> TableDefinition {
    match &mut table.partitioning {
        Partitioning::Range(range) => (0..).zip(&mut range.partitions).for_each(|(id, one)| one.id = id),
        Partitioning::List(list) => (0..).zip(&mut list.partitions).for_each(|(id, one)| one.id = id),
        _ => {}
    }
    table
}

#[test]
fn shown_tables_create_equal_ones() {
    for clause in [
        "PARTITION BY RANGE(d) (START ('2024-01-01') END ('2024-03-01') EVERY (INTERVAL 1 WEEK))",
        "PARTITION BY RANGE(id, city) (PARTITION b VALUES [(5), (9, 'x')), PARTITION a VALUES LESS THAN (1, MAXVALUE))",
        "PARTITION BY RANGE(d) ()",
        r#"PARTITION BY LIST(city) (PARTITION a VALUES IN ("x\"y", 'z', NULL), PARTITION `select` VALUES IN ('ä'))"#,
        "PARTITION BY time_slice(t, INTERVAL 6 HOUR), city",
        "PARTITION BY (city, d)",
    ] {
        let original = table(clause);
        let text = render::create_table(&original);
        let mut again = parsed(&text).unwrap_or_else(|error| panic!("{text}\n{error}"));
        again.properties.remove("storage_volume");
        assert_eq!(again, numbered(original), "{text}");
    }
}

proptest! {
    #[test]
    fn shown_ranges_create_equal_ones(cuts in proptest::collection::btree_set(any::<i32>(), 0..12), holes in any::<u16>(), open in any::<(bool, bool)>()) {
        let cuts: Vec<i32> = cuts.into_iter().collect();
        let mut clauses = Vec::new();
        if let (true, Some(first)) = (open.0, cuts.first()) {
            clauses.push(format!("PARTITION low VALUES LESS THAN ({first})"));
        }
        for (index, pair) in cuts.windows(2).enumerate().filter(|(index, _)| holes >> index & 1 == 0) {
            clauses.push(format!("PARTITION p{index} VALUES [({}), ({}))", pair[0], pair[1]));
        }
        if let (true, Some(last)) = (open.1, cuts.last()) {
            clauses.push(format!("PARTITION high VALUES [({last}), (MAXVALUE))"));
        }
        let original = table(&format!("PARTITION BY RANGE(id) ({})", clauses.join(", ")));
        let mut again = parsed(&render::create_table(&original)).expect("what was shown");
        again.properties.remove("storage_volume");
        prop_assert_eq!(again, original);
    }

    #[test]
    fn shown_lists_create_equal_ones(values in proptest::collection::btree_set(proptest::option::of("\\PC{0,8}"), 1..10)) {
        let quoted = |value: &Option<String>| match value {
            Some(text) => format!("\"{}\"", text.replace('\\', "\\\\").replace('"', "\\\"")),
            None => "NULL".to_owned(),
        };
        let clauses: Vec<String> =
            values.iter().enumerate().map(|(index, value)| format!("PARTITION p{index} VALUES IN ({})", quoted(value))).collect();
        let Ok(original) = try_table(&format!("PARTITION BY LIST(city) ({})", clauses.join(", "))) else {
            // Longer than the column allows.
            prop_assert!(values.iter().flatten().any(|value| value.len() > 20));
            return Ok(());
        };
        let mut again = parsed(&render::create_table(&original)).expect("what was shown");
        again.properties.remove("storage_volume");
        prop_assert_eq!(again, original);
    }
}
