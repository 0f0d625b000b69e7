//! The cases of `data/avro`, as its README says.

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;

use crate::encode::{binary, framed, value};
use crate::support::{NOW_MS, Row, batch, hex, job, rows, table};
use penstock_kernel::expression::NoExpressions;
use penstock_kernel::facts::{AvroSchema, Facts, SchemaFact, Schemas};
use penstock_kernel::ids::SchemaId;
use penstock_kernel::loaded::Loaded;
use penstock_kernel::plan::Plan;
use serde::Deserialize;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    table: Vec<String>,
    columns: Option<Vec<String>>,
    #[serde(default)]
    properties: BTreeMap<String, String>,
    /// By id.
    #[serde(default)]
    schemas: BTreeMap<u32, serde_json::Value>,
    /// Texts that `schemas` use, in order.
    #[serde(default)]
    references: Vec<serde_json::Value>,
    cases: Vec<Case>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Case {
    name: String,
    /// The record's schema: an id of the group's, or a schema of the case's own, which gets the id 100.
    schema: Option<serde_json::Value>,
    value: Option<serde_json::Value>,
    message_hex: Option<String>,
    #[serde(default)]
    properties: BTreeMap<String, String>,
    rows: Option<Vec<Row>>,
    rejected: Option<Vec<Rejected>>,
    strict: Option<Strict>,
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
    let folder = Path::new("tests/data/avro");
    let (mut failures, mut cases) = (Vec::new(), 0);
    for entry in std::fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        let file = path.file_name().unwrap().to_str().unwrap().to_owned();
        if !file.ends_with(".json") {
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
    assert!(cases > 60, "only {cases} cases found");
    assert!(failures.is_empty(), "{} of {cases} cases:\n{}", failures.len(), failures.join("\n"));
}

fn problems(group: &Group, case: &Case) -> Vec<String> {
    let mut problems = Vec::new();
    let expected = (case.rows.as_deref(), case.rejected.as_deref());
    compare(&run(group, case, "false"), expected, "", &mut problems);
    let strict = match &case.strict {
        None => return problems,
        Some(Strict::Same(Same::Same)) => expected,
        Some(Strict::Other { rows, rejected }) => (rows.as_deref(), rejected.as_deref()),
    };
    compare(&run(group, case, "true"), strict, "strict: ", &mut problems);
    problems
}

fn run(group: &Group, case: &Case, strict: &str) -> Loaded {
    let columns: Vec<&str> = group.table.iter().map(String::as_str).collect();
    let names: Option<Vec<&str>> = group.columns.as_ref().map(|names| names.iter().map(String::as_str).collect());
    let properties = group.properties.iter().chain(&case.properties).map(|(key, value)| (key.as_str(), value.as_str()));
    let job = job(names.as_deref(), properties.chain([("format", "avro"), ("strict_mode", strict)]));
    let plan = Plan::compile(&job, &table(&columns), &NoExpressions).unwrap();
    let mut texts: BTreeMap<u32, &serde_json::Value> = group.schemas.iter().map(|(id, text)| (*id, text)).collect();
    let id = match &case.schema {
        Some(serde_json::Value::Number(id)) => u32::try_from(id.as_u64().unwrap()).unwrap(),
        Some(own) => {
            texts.insert(100, own);
            100
        }
        None => texts.keys().next().copied().unwrap_or(1),
    };
    let references: Vec<String> = group.references.iter().map(ToString::to_string).collect();
    let references: Vec<&str> = references.iter().map(String::as_str).collect();
    let mut schemas = Schemas::default();
    for (id, text) in &texts {
        let schema = AvroSchema::parse(&text.to_string(), &references).unwrap_or_else(|error| panic!("{id}: {error}"));
        schemas.insert(SchemaId(*id), SchemaFact::Avro(Arc::new(schema)));
    }
    schemas.insert(SchemaId(404), SchemaFact::Unusable("does not exist in the registry".into()));
    let message = match (&case.value, &case.message_hex) {
        (Some(json), None) => {
            let text = texts[&id].to_string();
            let mut all = references.clone();
            all.push(&text);
            let schema = apache_avro::Schema::parse_list(all).unwrap().pop().unwrap();
            framed(id, &binary(&schema, value(&schema, json)))
        }
        (None, Some(digits)) => hex(digits),
        _ => panic!("{}: one of value, message_hex", case.name),
    };
    let batch = batch(&[&message, &message, &message]);
    let needed = plan.schemas_needed(&batch);
    assert!(needed.len() < 2, "{}: {needed:?}", case.name);
    plan.load(&batch, &Facts::at(NOW_MS).with_schemas(schemas))
}

fn compare(
    loaded: &Loaded,
    (rows_expected, rejected_expected): (Option<&[Row]>, Option<&[Rejected]>),
    mode: &str,
    problems: &mut Vec<String>,
) {
    let (rows_expected, rejected_expected) = (rows_expected.unwrap_or_default(), rejected_expected.unwrap_or_default());
    let found = rows(loaded);
    if found != [rows_expected; 3].concat() {
        problems.push(format!("{mode}expected three times {rows_expected:?}, found {found:?}"));
    }
    let found: Vec<Rejected> =
        loaded.rejected.iter().map(|row| (row.index, row.column.clone(), row.reason.clone())).collect();
    let expected = [rejected_expected; 3].concat();
    let fits = |((index, column, reason), (expected_index, expected_column, start)): (&Rejected, &Rejected)| {
        index == expected_index && column == expected_column && reason.starts_with(start.as_str())
    };
    if found.len() != expected.len() || !found.iter().zip(&expected).all(fits) {
        problems.push(format!("{mode}expected three times rejected {rejected_expected:?}, found {found:?}"));
    }
}
