use super::*;

fn columns(columns: &[(&str, CellType)]) -> Vec<ResultColumn> {
    columns.iter().map(|(name, cell_type)| ResultColumn { name: (*name).to_owned(), cell_type: *cell_type }).collect()
}

fn text(text: &str) -> Cell {
    Cell::Text(text.to_owned())
}

#[test]
fn numbers_stand_right_and_text_left() {
    let result = ResultSet {
        columns: columns(&[("uid", CellType::BigInt), ("site", CellType::Varchar), ("vtime", CellType::BigInt)]),
        rows: vec![
            vec![Cell::Integer(4607), text("https://www.starrocks.io/blog"), Cell::Integer(1_718_031_441)],
            vec![Cell::Integer(15), text("https://www.starrocks.io/product/community"), Cell::Null],
        ],
    };
    assert_eq!(
        draw(&result, Style::Table),
        "\
+------+--------------------------------------------+------------+
| uid  | site                                       | vtime      |
+------+--------------------------------------------+------------+
| 4607 | https://www.starrocks.io/blog              | 1718031441 |
|   15 | https://www.starrocks.io/product/community |       NULL |
+------+--------------------------------------------+------------+
"
    );
}

#[test]
fn a_narrow_column_has_room_for_null() {
    let result = ResultSet { columns: columns(&[("1", CellType::TinyInt)]), rows: vec![vec![Cell::Integer(1)]] };
    assert_eq!(draw(&result, Style::Table), "+------+\n| 1    |\n+------+\n|    1 |\n+------+\n");
}

#[test]
fn wide_characters_stay_aligned_in_a_column_as_wide_as_their_bytes() {
    let result = ResultSet {
        columns: columns(&[("größe", CellType::Varchar)]),
        rows: vec![vec![text("你好吗")], vec![text("naïve")], vec![text("abc")]],
    };
    assert_eq!(
        draw(&result, Style::Table),
        "\
+-----------+
| größe     |
+-----------+
| 你好吗    |
| naïve     |
| abc       |
+-----------+
"
    );
}

#[test]
fn vertical_rows_align_titles_at_the_colon() {
    let result = ResultSet::text(
        &["Name", "IsDefault", "Comment"],
        vec![
            vec![Some("builtin_storage_volume".to_owned()), Some("true".to_owned()), Some(String::new())],
            vec![Some("b".to_owned()), Some("false".to_owned()), None],
        ],
    );
    assert_eq!(
        draw(&result, Style::Vertical),
        "\
*************************** 1. row ***************************
     Name: builtin_storage_volume
IsDefault: true
  Comment: 
*************************** 2. row ***************************
     Name: b
IsDefault: false
  Comment: NULL
"
    );
}

#[test]
fn very_wide_columns_are_padded_to_the_clients_limit_only() {
    let result = ResultSet {
        columns: columns(&[("n", CellType::BigInt), ("t", CellType::Varchar)]),
        rows: vec![vec![Cell::Integer(1), text(&"x".repeat(2000))], vec![Cell::Integer(2), text("y")]],
    };
    let drawn = draw(&result, Style::Table);
    let lines: Vec<&str> = drawn.lines().collect();
    assert_eq!(lines[0].len(), "+------+".len() + 2000 + 3);
    assert_eq!(lines[4], format!("|    2 | y{} |", " ".repeat(1023)));
}

#[test]
fn bytes_are_shown_in_hexadecimal() {
    let result =
        ResultSet { columns: columns(&[("b", CellType::Binary)]), rows: vec![vec![Cell::Binary(vec![0, 255])]] };
    assert!(draw(&result, Style::Vertical).ends_with("b: 0x00FF\n"));
}

#[test]
fn answers_end_as_the_client_ends_them() {
    let elapsed = Duration::from_millis(74);
    let rows = |rows| Answer { rows: Some(ResultSet::text(&["a"], rows)), ..Answer::default() };
    for (answer, shown) in [
        (Answer::default(), "Query OK, 0 rows affected (0.07 sec)\n"),
        (Answer { affected_rows: 1, ..Answer::default() }, "Query OK, 1 row affected (0.07 sec)\n"),
        (Answer { database_changed: true, ..Answer::default() }, "Database changed\n"),
        (rows(vec![]), "Empty set (0.07 sec)\n"),
        (rows(vec![vec![None]]), "+------+\n| a    |\n+------+\n| NULL |\n+------+\n1 row in set (0.07 sec)\n"),
    ] {
        assert_eq!(draw_answer(&answer, Style::Table, elapsed), shown);
    }
}

#[test]
fn long_times_are_told_in_hours_and_minutes() {
    for (elapsed, shown) in [
        (Duration::from_millis(59_990), "Empty set (59.99 sec)"),
        (Duration::from_secs(61), "Empty set (1 min 1.00 sec)"),
        (Duration::from_secs(2 * 3600 + 5), "Empty set (2 hours 0 min 5.00 sec)"),
    ] {
        assert_eq!(rows_in_set(0, elapsed), shown);
    }
}
