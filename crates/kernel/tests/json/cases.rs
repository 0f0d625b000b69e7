//! The cases of `data/<format>`, as its README says.

use std::collections::BTreeMap;
use std::path::Path;

use crate::support::{NOW_MS, Row, batch, hex, job, rows, table};
use penstock_kernel::error_chain::one_line;
use penstock_kernel::expression::NoExpressions;
use penstock_kernel::facts::Facts;
use penstock_kernel::loaded::Loaded;
use penstock_kernel::plan::Plan;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    table: Vec<String>,
    columns: Option<Vec<String>>,
    column_separator: Option<String>,
    row_delimiter: Option<String>,
    #[serde(default)]
    properties: BTreeMap<String, String>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    message: Option<String>,
    message_hex: Option<String>,
    message_json: Option<serde_json::Value>,
    column_separator: Option<String>,
    row_delimiter: Option<String>,
    #[serde(default)]
    properties: BTreeMap<String, String>,
    rows: Option<Vec<Row>>,
    rejected: Option<Vec<Rejected>>,
    strict: Option<Strict>,
    definition: Option<String>,
}

type Rejected = (Option<u32>, Option<String>, String);

#[derive(Deserialize)]
#[serde(untagged)]
enum Strict {
    Same(Same),
    Other { rows: Option<Vec<Row>>, rejected: Option<Vec<Rejected>> },
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Same {
    Same,
}

#[test]
fn every_case_gives_what_it_says() {
    let folder = Path::new("tests/data").join(crate::FORMAT);
    let mut failures = Vec::new();
    let mut cases = 0;
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_str().unwrap().to_owned();
        if file == "grammar.json" || !file.ends_with(".json") {
            continue;
        }
        let text = std::fs::read_to_string(&path).unwrap();
        let group: Group = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{file}: {error}"));
        for case in &group.cases {
            cases += 1;
            let problems = problems(&group, case);
            failures.extend(problems.into_iter().map(|problem| format!("{file}: {}: {problem}", case.name)));
        }
    }
    assert!(cases >= crate::LEAST_CASES, "only {cases} cases found");
    assert!(failures.is_empty(), "{} of {cases} cases:\n{}", failures.len(), failures.join("\n"));
}

fn problems(group: &Group, case: &Case) -> Vec<String> {
    let mut problems = Vec::new();
    let plain = run(group, case, "false");
    let plain = match (plain, &case.definition) {
        (Ok(loaded), None) => loaded,
        (Err(error), Some(expected)) if error.starts_with(expected) => return problems,
        (Err(error), _) => return vec![format!("definition refused: {error}")],
        (Ok(_), Some(expected)) => return vec![format!("definition taken, expected {expected}")],
    };
    let (expected_rows, expected_rejected) = (case.rows.as_deref(), case.rejected.as_deref());
    compare(&plain, expected_rows, expected_rejected, "", &mut problems);
    let Some(strict) = &case.strict else {
        return problems;
    };
    let (expected_rows, expected_rejected) = match strict {
        Strict::Same(Same::Same) => (expected_rows, expected_rejected),
        Strict::Other { rows, rejected } => (rows.as_deref(), rejected.as_deref()),
    };
    match run(group, case, "true") {
        Ok(loaded) => compare(&loaded, expected_rows, expected_rejected, "strict: ", &mut problems),
        Err(error) => problems.push(format!("strict: {error}")),
    }
    problems
}

fn message(case: &Case) -> Vec<u8> {
    match (&case.message, &case.message_hex, &case.message_json) {
        (Some(text), None, None) => text.clone().into_bytes(),
        (None, Some(digits), None) => hex(digits),
        (None, None, Some(value)) => value.to_string().into_bytes(),
        _ => panic!("{}: one of message, message_hex, message_json", case.name),
    }
}

fn run(group: &Group, case: &Case, strict: &str) -> Result<Loaded, String> {
    let columns: Vec<&str> = group.table.iter().map(String::as_str).collect();
    let names: Option<Vec<&str>> = group.columns.as_ref().map(|names| names.iter().map(String::as_str).collect());
    let properties = group.properties.iter().chain(&case.properties).map(|(key, value)| (key.as_str(), value.as_str()));
    let mut job = job(names.as_deref(), properties.chain([("strict_mode", strict)]));
    job.clauses.column_separator = case.column_separator.clone().or_else(|| group.column_separator.clone());
    job.clauses.row_delimiter = case.row_delimiter.clone().or_else(|| group.row_delimiter.clone());
    let plan = Plan::compile(&job, &table(&columns), &NoExpressions).map_err(|error| one_line(&error))?;
    let message = message(case);
    Ok(plan.load(&batch(&[&message, &message, &message]), &Facts::at(NOW_MS)))
}

fn compare(
    loaded: &Loaded,
    expected_rows: Option<&[Row]>,
    expected_rejected: Option<&[Rejected]>,
    mode: &str,
    problems: &mut Vec<String>,
) {
    let (expected_rows, expected_rejected) = (expected_rows.unwrap_or_default(), expected_rejected.unwrap_or_default());
    let found = rows(loaded);
    if found != [expected_rows; 3].concat() {
        problems.push(format!("{mode}expected three times {expected_rows:?}, found {found:?}"));
    }
    let found: Vec<Rejected> = loaded.rejected.iter().map(|row| (row.index, row.column, row.reason)).collect();
    let expected = [expected_rejected; 3].concat();
    let fits = |((index, column, reason), (expected_index, expected_column, start)): (&Rejected, &Rejected)| {
        index == expected_index && column == expected_column && reason.starts_with(start.as_str())
    };
    if found.len() != expected.len() || !found.iter().zip(&expected).all(fits) {
        problems.push(format!("{mode}expected three times rejected {expected_rejected:?}, found {found:?}"));
    }
    let (loaded_rows, rejected) = (expected_rows.len() as u64 * 3, expected.len() as u64);
    let statistics = &loaded.statistics;
    if (statistics.records, statistics.loaded, statistics.rejected) != (3, loaded_rows, rejected) {
        problems.push(format!("{mode}counted {statistics:?}"));
    }
}
