use super::*;

fn one(key: &str, value: &str) -> Result<JobProperties, PropertyError> {
    JobProperties::from_pairs([(key, value)])
}

fn message(key: &str, value: &str) -> String {
    one(key, value).expect_err("must be refused").to_string()
}

#[test]
fn defaults_of_all_properties_are_accepted() {
    for property in PROPERTIES.iter().filter(|property| property.name != "max_batch_size") {
        one(property.name, property.default).expect(property.name);
    }
}

#[test]
fn absent_properties_have_starrocks_defaults() {
    let properties = JobProperties::default();
    assert_eq!(properties.desired_concurrent_number(), 5);
    assert_eq!(properties.max_batch_interval_s(), 10);
    assert_eq!(properties.max_batch_rows(), 200_000);
    assert_eq!(properties.max_error_number(), 0);
    assert_eq!(properties.max_filter_ratio(), 1.0);
    assert!(!properties.strict_mode());
    assert_eq!(properties.format(), Format::Csv);
    assert_eq!(properties.task_consume_second(), 15);
    assert_eq!(properties.task_timeout_second(), 60);
    assert_eq!(properties.timezone(), "Etc/UTC");
    assert_eq!(properties.enclose(), None);
}

#[test]
fn integers_below_the_floor_are_refused_in_starrocks_words() {
    let cases = [
        ("desired_concurrent_number", "0", "desired_concurrent_number should > 0, found `0`"),
        ("max_batch_interval", "4", "max_batch_interval should >= 5, found `4`"),
        ("max_batch_rows", "199999", "max_batch_rows should >= 200000, found `199999`"),
        ("max_error_number", "-1", "max_error_number should >= 0, found `-1`"),
        ("max_error_number", "abc", "max_error_number should >= 0, found `abc`"),
        ("max_error_number", "", "max_error_number should >= 0, found ``"),
        ("max_error_number", "9223372036854775808", "max_error_number should >= 0, found `9223372036854775808`"),
        ("log_rejected_record_num", "-2", "log_rejected_record_num should >= -1, found `-2`"),
        ("task_consume_second", "1.5", "task_consume_second should be an integer, found `1.5`"),
        (
            "desired_concurrent_number",
            "2147483648",
            "desired_concurrent_number should <= 2147483647, found `2147483648`",
        ),
    ];
    for (key, value, expected) in cases {
        assert_eq!(message(key, value), expected);
    }
}

#[test]
fn integers_at_the_floor_are_taken() {
    assert_eq!(one("max_batch_interval", "5").unwrap().max_batch_interval_s(), 5);
    assert_eq!(one("max_batch_rows", "200000").unwrap().max_batch_rows(), 200_000);
    assert_eq!(one("log_rejected_record_num", "-1").unwrap().log_rejected_record_num(), -1);
}

#[test]
fn ratio_is_a_number_from_0_to_1() {
    assert_eq!(one("max_filter_ratio", "0.25").unwrap().max_filter_ratio(), 0.25);
    assert_eq!(one("max_filter_ratio", "0").unwrap().max_filter_ratio(), 0.0);
    assert!(message("max_filter_ratio", "1.5").starts_with("max_filter_ratio must between 0.0 and 1.0."));
    assert!(message("max_filter_ratio", "NaN").starts_with("max_filter_ratio must between 0.0 and 1.0."));
    assert!(message("max_filter_ratio", "half").starts_with("Incorrect format of max_filter_ratio"));
}

#[test]
fn names_that_do_not_exist_are_refused_with_the_nearest_that_does() {
    let unknown = [
        "max_batch_bytes",
        "pause_on_json_parse_error",
        "exec_mem_limit",
        "send_batch_parallelism",
        "skip_header",
        "compression",
        "columns",
        "where",
        "fuzzy_parse",
        "num_as_string",
        "load_to_single_tablet",
        "partial_update_mode",
        "FORMAT",
        "",
    ];
    for key in unknown {
        assert_eq!(message(key, "1"), format!("{key} is invalid property"));
    }
    let hint = |key: &str| one(key, "1").expect_err("must be refused").hint();
    assert_eq!(hint("max_eror_number").as_deref(), Some("did you mean `max_error_number`?"));
    assert_eq!(hint("FORMAT").as_deref(), Some("did you mean `format`?"));
    assert_eq!(hint("jsonpath").as_deref(), Some("did you mean `jsonpaths`?"));
    assert_eq!(hint("max_batch_sizes").as_deref(), Some("did you mean `max_batch_size`?"));
    assert_eq!(hint("qqqqqqqqqqqq"), None);
    assert_eq!(hint(&"x".repeat(1 << 20)), None);
}

#[test]
fn format_is_one_of_three_words_in_any_case() {
    assert_eq!(one("format", "JSON").unwrap().format(), Format::Json);
    assert_eq!(one("format", "Avro").unwrap().format(), Format::Avro);
    assert_eq!(message("format", "orc"), "Format type is invalid. format=`orc`");
}

#[test]
fn any_word_but_true_is_false() {
    for (text, value) in [("true", true), ("TRUE", true), ("1", false), ("yes", false), ("", false)] {
        assert_eq!(one("strict_mode", text).unwrap().strict_mode(), value, "{text}");
    }
}

#[test]
fn time_zones_are_checked_and_normalised() {
    for (given, shown) in [
        ("8:00", "+08:00"),
        ("-3:30", "-03:30"),
        ("+14:00", "+14:00"),
        ("Asia/Shanghai", "Asia/Shanghai"),
        ("CST", "CST"),
        ("UTC", "UTC"),
    ] {
        assert_eq!(one("timezone", given).unwrap().timezone(), shown);
    }
    for bad in ["Mars/Phobos", "+14:01", "-12:01", "+8", "+08:60", "", "Asia/Shanghai\n", "+0a:00"] {
        let error = one("timezone", bad).expect_err(bad);
        assert_eq!(error.mysql_code(), Some(1298), "{bad}");
    }
}

#[test]
fn one_task_time_gives_the_other() {
    let consume = one("task_consume_second", "20").unwrap();
    assert_eq!((consume.task_consume_second(), consume.task_timeout_second()), (20, 80));
    let timeout = one("task_timeout_second", "50").unwrap();
    assert_eq!((timeout.task_consume_second(), timeout.task_timeout_second()), (12, 50));
    let both = JobProperties::from_pairs([("task_timeout_second", "30"), ("task_consume_second", "30")]);
    assert_eq!(both.expect_err("equal").to_string(), "task_timeout_second must be larger than task_consume_second");
}

#[test]
fn what_is_not_supported_yet_is_refused_unless_it_says_the_default() {
    assert_eq!(message("partial_update", "true"), "partial_update = `true` is not supported yet");
    assert_eq!(message("merge_condition", "v"), "merge_condition = `v` is not supported yet");
    assert_eq!(message("envelope", "debezium"), "envelope = `debezium` is not supported yet");
    one("partial_update", "FALSE").unwrap();
}

#[test]
fn alter_changes_what_is_alterable_and_nothing_else() {
    let before = JobProperties::from_pairs([("format", "json"), ("max_error_number", "1")]).unwrap();
    let after = before.merged(&one("max_error_number", "7").unwrap()).unwrap();
    assert_eq!(after.given().collect::<Vec<_>>(), [("format", "json"), ("max_error_number", "7")]);
    let error = before.merged(&one("format", "csv").unwrap()).expect_err("format is fixed");
    assert_eq!(error.to_string(), "format is invalid property");
    assert!(error.hint().is_some());
    let short = before.merged(&one("task_consume_second", "9").unwrap()).unwrap();
    short.merged(&one("task_timeout_second", "9").unwrap()).expect_err("the two do not go together");
}

/// Every property: default, lowest, highest, one beyond each, something of another type.
#[test]
fn every_property_keeps_to_its_definition() {
    for property in PROPERTIES {
        let (taken, refused): (Vec<String>, Vec<String>) = match property.kind {
            Kind::Integer { min, max } => {
                let beyond = [i128::from(min) - 1, i128::from(max) + 1].map(|number| number.to_string());
                let words = ["", "x", "1.5", "1e3", " 7", "0x10"].map(str::to_owned);
                (vec![min.to_string(), max.to_string()], [beyond.as_slice(), words.as_slice()].concat())
            }
            Kind::Number { min, max } => {
                let beyond = [(min - 0.001).to_string(), (max + 0.001).to_string()];
                let words = ["", "x", "NaN", "inf", "1%"].map(str::to_owned);
                (
                    vec![min.to_string(), max.to_string(), "1e-3".to_owned()],
                    [beyond.as_slice(), words.as_slice()].concat(),
                )
            }
            Kind::Boolean => (["true", "TRUE", "false", "", "7", "ja"].map(str::to_owned).to_vec(), Vec::new()),
            Kind::Word(words) => {
                let upper = words.iter().map(|word| word.to_ascii_uppercase());
                (
                    words.iter().map(|word| (*word).to_owned()).chain(upper).collect(),
                    vec![String::new(), "7".to_owned()],
                )
            }
            Kind::Text | Kind::Byte => (["", "7", "\u{1f6b0}", "a b"].map(str::to_owned).to_vec(), Vec::new()),
            Kind::TimeZone => (
                ["-12:00", "+14:00", "Europe/Vienna"].map(str::to_owned).to_vec(),
                ["-12:01", "+14:01", "", "7", "Europe/Wien"].map(str::to_owned).to_vec(),
            ),
            Kind::NotYet => (vec![property.default.to_owned()], vec!["x".to_owned(), "7".to_owned()]),
        };
        for value in taken {
            let properties =
                one(property.name, &value).unwrap_or_else(|error| panic!("{} = {value}: {error}", property.name));
            assert_eq!(properties.get(property.name), Some(value.as_str()));
        }
        for value in refused {
            let error = one(property.name, &value).expect_err(&format!("{} = {value}", property.name));
            let message = error.to_string();
            let named = message.to_lowercase().contains(property.name) || error.mysql_code() == Some(1298);
            assert!(named, "{} = {value}: {message}", property.name);
        }
        let misspelt = format!("{}x", property.name);
        let error = one(&misspelt, property.default).expect_err(&misspelt);
        assert_eq!(error.to_string(), format!("{misspelt} is invalid property"));
        assert_eq!(error.hint(), Some(format!("did you mean `{}`?", property.name)));
    }
}

#[test]
fn alterable_is_what_starrocks_alters() {
    let alterable: Vec<&str> = PROPERTIES.iter().filter(|one| one.alterable).map(|one| one.name).collect();
    let expected = [
        "desired_concurrent_number",
        "max_batch_interval",
        "max_batch_rows",
        "max_batch_size",
        "max_error_number",
        "max_filter_ratio",
        "strict_mode",
        "timezone",
        "jsonpaths",
        "json_root",
        "strip_outer_array",
        "task_consume_second",
        "task_timeout_second",
        "pause_on_fatal_parse_error",
        // Of a later StarRocks, and without effect here.
        "skip_on_fatal_parse_error",
    ];
    assert_eq!(alterable, expected);
}

#[test]
fn reference_has_a_row_for_every_property() {
    let table = reference::table();
    assert_eq!(table.lines().count(), PROPERTIES.len() + 2);
    assert!(table.contains("| `max_batch_rows` | integer | `200000` | 200000 or more | yes |"), "{table}");
    assert!(table.lines().all(|line| line.split(" | ").count() == 6), "{table}");
}
