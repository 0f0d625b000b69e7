use super::*;

fn micros(text: &str) -> i64 {
    match PartitionValue::parse(&ColumnType::DateTime, text) {
        Some(PartitionValue::Integer(value)) => i64::try_from(value).unwrap(),
        other => panic!("{text}: {other:?}"),
    }
}

fn shown(micros: i64) -> String {
    PartitionValue::Integer(micros.into()).text(&ColumnType::DateTime).unwrap()
}

#[test]
fn a_moments_unit_begins_where_date_trunc_says() {
    for (unit, expected) in [
        ("second", "2024-05-16 13:47:59"),
        ("minute", "2024-05-16 13:47:00"),
        ("hour", "2024-05-16 13:00:00"),
        ("day", "2024-05-16 00:00:00"),
        ("week", "2024-05-13 00:00:00"),
        ("month", "2024-05-01 00:00:00"),
        ("quarter", "2024-04-01 00:00:00"),
        ("year", "2024-01-01 00:00:00"),
    ] {
        let unit = TimeUnit::of_name(unit).unwrap();
        assert_eq!(shown(floor_micros(micros("2024-05-16 13:47:59.123456"), 1, unit)), expected, "{unit:?}");
    }
}

#[test]
fn slices_are_counted_from_the_first_day_of_year_one() {
    for (moment, count, unit, expected) in [
        ("1691-12-23 04:01:09", 5, TimeUnit::Second, "1691-12-23 04:01:05"),
        ("2169-12-18 15:44:31", 5, TimeUnit::Second, "2169-12-18 15:44:30"),
        ("2022-04-26 00:00:00", 5, TimeUnit::Year, "2021-01-01 00:00:00"),
        ("0001-01-07 12:00:00", 5, TimeUnit::Day, "0001-01-06 00:00:00"),
        ("0001-01-07 12:00:00", 7, TimeUnit::Day, "0001-01-01 00:00:00"),
        ("2024-06-12 00:00:00", 4, TimeUnit::Month, "2024-05-01 00:00:00"),
        ("0000-12-31 00:00:00", 1, TimeUnit::Year, "0000-01-01 00:00:00"),
    ] {
        assert_eq!(shown(floor_micros(micros(moment), count, unit)), expected, "{moment} {count} {unit:?}");
    }
}

#[test]
fn floors_of_every_day_are_steady_and_not_later() {
    let (first, last) = (calendar::days(0, 1, 1), calendar::days(9999, 12, 31));
    for unit in [TimeUnit::Day, TimeUnit::Week, TimeUnit::Month, TimeUnit::Quarter, TimeUnit::Year] {
        for count in [1, 3, u32::MAX] {
            let mut previous = i64::MIN;
            for day in (first..=last).step_by(17) {
                let floor = floor_days(day, count, unit);
                assert!(floor <= day && floor >= previous, "{day} {count} {unit:?}");
                assert_eq!(floor_days(floor, count, unit), floor);
                previous = floor;
            }
        }
    }
}

#[test]
fn months_are_added_to_their_last_day() {
    let day = |year, month, day| calendar::days(year, month, day);
    assert_eq!(TimeUnit::Month.add_to_days(day(2024, 1, 31), 1), Some(day(2024, 2, 29)));
    assert_eq!(TimeUnit::Year.add_to_days(day(2024, 2, 29), 1), Some(day(2025, 2, 28)));
    assert_eq!(TimeUnit::Quarter.add_to_days(day(2024, 11, 1), 1), Some(day(2025, 2, 1)));
    assert_eq!(TimeUnit::Hour.add_to_days(0, 1), None);
    assert_eq!(TimeUnit::Year.add_to_days(0, i64::MAX), None);
    assert_eq!(TimeUnit::Hour.add_to_micros(0, 2), Some(7_200_000_000));
}

#[test]
fn values_have_one_spelling() {
    for (column_type, text, expected) in [
        (ColumnType::Int, " 007", "7"),
        (ColumnType::Boolean, "TRUE", "1"),
        (ColumnType::LargeInt, "-170141183460469231731687303715884105728", "-170141183460469231731687303715884105728"),
        (ColumnType::Date, "2024/1/2", "2024-01-02"),
        (ColumnType::Date, "2024-01-02 10:00:00", "2024-01-02"),
        (ColumnType::DateTime, "2024-01-02", "2024-01-02 00:00:00"),
        (ColumnType::DateTime, "2024-01-02 03:04:05.5", "2024-01-02 03:04:05.500000"),
        (ColumnType::Varchar(5), "a b", "a b"),
    ] {
        let value = PartitionValue::parse(&column_type, text).expect(text);
        assert_eq!(value.text(&column_type).unwrap(), expected);
        assert_eq!(PartitionValue::parse(&column_type, expected), Some(value), "{expected}");
    }
    for (column_type, text) in [
        (ColumnType::Int, "x"),
        (ColumnType::TinyInt, "128"),
        (ColumnType::Date, "2023-02-29"),
        (ColumnType::Varchar(2), "abc"),
        (ColumnType::Double, "1"),
        (ColumnType::Json, "1"),
    ] {
        assert_eq!(PartitionValue::parse(&column_type, text), None, "{column_type} {text}");
    }
}

#[test]
fn values_make_names_and_different_values_different_names() {
    let day = PartitionExpression::DateTrunc { unit: TimeUnit::Day, column: "d".to_owned() };
    let hours = PartitionExpression::TimeSlice { column: "t".to_owned(), count: 6, unit: TimeUnit::Hour };
    let city = PartitionExpression::Column("city".to_owned());
    let text = ColumnType::Varchar(100);
    let name = |expressions: &[PartitionExpression], types: &[ColumnType], values: &[Option<&str>]| {
        let values = values.iter().map(|value| value.map(str::to_owned)).collect();
        let partitioning = Partitioning::Automatic(expressions.to_vec());
        partitioning.name_of(&TablePartition::Values(values), types).unwrap()
    };
    assert_eq!(name(std::slice::from_ref(&day), &[ColumnType::DateTime], &[Some("2024-01-31 00:00:00")]), "p20240131");
    assert_eq!(
        name(std::slice::from_ref(&hours), &[ColumnType::DateTime], &[Some("2024-01-31 06:00:00")]),
        "p2024013106"
    );
    assert_eq!(
        name(&[day, city.clone()], &[ColumnType::Date, text.clone()], &[Some("2024-01-31"), None]),
        "p20240131_NULL"
    );
    let of_city = |value| name(std::slice::from_ref(&city), std::slice::from_ref(&text), &[value]);
    assert_eq!(of_city(Some("cn")), "pcn");
    assert_eq!(of_city(Some("-5")), "p_5");
    let long = "x".repeat(300);
    let odd = [
        Some("a-b"),
        Some("ab"),
        Some("a_b"),
        Some("äb"),
        Some(""),
        Some("NULL"),
        None,
        Some(long.as_str()),
        Some("../x"),
    ];
    let names: std::collections::HashSet<String> = odd.iter().map(|value| of_city(*value)).collect();
    assert_eq!(names.len(), odd.len(), "{names:?}");
    assert!(
        names
            .iter()
            .all(|name| name.len() <= 50 && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_'))
    );
}

#[test]
fn files_of_dropped_partitions_do_not_belong_to_the_table() {
    let bound = |text: &str| RangeBound(vec![Some(text.to_owned())]);
    let partition = RangePartition { id: 3, name: "p1".to_owned(), lower: RangeBound::default(), upper: bound("5") };
    let range = RangePartitioning { columns: vec!["a".to_owned()], partitions: vec![partition], next_id: 4 };
    let range = Partitioning::Range(range);
    assert!(range.holds(&TablePartition::Named(3)));
    assert!(!range.holds(&TablePartition::Named(2)));
    assert!(Partitioning::None.holds(&TablePartition::Whole));
    assert_eq!(range.id_of("P1"), Some(3));
    assert_eq!(range.id_of("p2"), None);
}

#[test]
fn definitions_survive_json_and_old_ones_have_no_partitioning() {
    let bound = |text: Option<&str>| RangeBound(vec![text.map(str::to_owned)]);
    let range = Partitioning::Range(RangePartitioning {
        columns: vec!["a".to_owned()],
        partitions: vec![
            RangePartition { id: 0, name: "p1".to_owned(), lower: RangeBound::default(), upper: bound(Some("5")) },
            RangePartition { id: 1, name: "p2".to_owned(), lower: bound(Some("5")), upper: bound(None) },
        ],
        next_id: 2,
    });
    let text = serde_json::to_string(&range).unwrap();
    let expected = r#"{"range":{"columns":["a"],"partitions":[{"id":0,"name":"p1","upper":["5"]},{"id":1,"name":"p2","lower":["5"],"upper":[null]}],"next_id":2}}"#;
    assert_eq!(text, expected);
    assert_eq!(serde_json::from_str::<Partitioning>(&text).unwrap(), range);
    assert_eq!(serde_json::from_str::<TablePartition>("\"whole\"").unwrap(), TablePartition::Whole);
    let values = TablePartition::Values(vec![Some("cn".to_owned()), None]);
    assert_eq!(serde_json::to_string(&values).unwrap(), r#"{"values":["cn",null]}"#);
}
