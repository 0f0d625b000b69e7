//! Every case of the standard's own suite, through jobs whose one path is the case's selector.
//!
//! A row is an object, so a document that is none lies under the key `d`, and so does each one that is, in a second run.
//! A selector of one place gives its value or NULL, any other one a list.

use std::path::Path;

use penstock_kernel::expression::NoExpressions;
use penstock_kernel::facts::Facts;
use penstock_kernel::plan::Plan;
use serde::Deserialize;
use serde_json::Value;

use crate::support::{NOW_MS, batch, job, rows, table};

#[derive(Deserialize)]
struct Suite {
    tests: Vec<Case>,
}

#[derive(Deserialize)]
struct Case {
    name: String,
    selector: String,
    document: Option<Box<serde_json::value::RawValue>>,
    result: Option<Vec<Value>>,
    results: Option<Vec<Vec<Value>>>,
    #[serde(default)]
    invalid_selector: bool,
}

/// Selectors that are invalid by the standard, and have a meaning in StarRocks, which they keep.
const STARROCKS: [&str; 7] = ["$.&", "$.1", "$. a", "$.\na", "$.\ta", "$.\ra", "$[01]"];

/// The one valid selector that means something else: an index where there is no array is an error row in StarRocks, and
/// the whole row where the row is meant.
const INDEX_ON_OBJECT: &str = "index selector, on object";

fn suite() -> Vec<Case> {
    let path = Path::new("tests/data/rfc9535/cts.json");
    let suite: Suite = serde_json::from_str(&std::fs::read_to_string(path).unwrap()).unwrap();
    assert!(suite.tests.len() > 700);
    suite.tests
}

fn plan(selector: &str) -> Result<Plan, String> {
    let paths = Value::from(vec![selector]).to_string();
    let job = job(None, [("jsonpaths", paths.as_str()), ("strict_mode", "true")]);
    Plan::compile(&job, &table(&["j JSON"]), &NoExpressions).map_err(|error| {
        assert!(error.hint().is_some(), "{selector}");
        error.to_string()
    })
}

/// `$` outside of strings becomes `$.d`.
fn below_d(selector: &str) -> String {
    let mut below = String::new();
    let mut open = None;
    let mut characters = selector.chars();
    while let Some(character) = characters.next() {
        below.push(character);
        match (open, character) {
            (Some(_), '\\') => below.extend(characters.next()),
            (Some(quote), _) if quote == character => open = None,
            (None, '\'' | '"') => open = Some(character),
            (None, '$') => below.push_str(".d"),
            _ => {}
        }
    }
    below
}

/// Whether a selector leads to one place at most.
fn is_singular(selector: &str) -> bool {
    let mut open = None;
    let mut escaped = false;
    let outside: String = selector
        .chars()
        .filter(|character| {
            let inside = open.is_some();
            match (open, character) {
                (Some(_), _) if escaped => escaped = false,
                (Some(_), '\\') => escaped = true,
                (Some(quote), _) if quote == *character => open = None,
                (None, '\'' | '"') => open = Some(*character),
                _ => {}
            }
            !inside
        })
        .collect();
    !outside.contains("..") && !outside.contains(['*', ':', '?', ','])
}

/// What is wrong with what a plan finds in a record.
fn problem(case: &Case, plan: &Plan, record: &str) -> Option<String> {
    let loaded = plan.load(&batch(&[record.as_bytes()]), &Facts::at(NOW_MS));
    let found = rows(&loaded);
    let [row] = found.as_slice() else {
        return Some(format!("{}: {:?}", case.name, loaded.rejected));
    };
    let found: Option<Value> = row[0].as_deref().map(|text| serde_json::from_str(text).unwrap());
    let possible: Vec<&Vec<Value>> = case.result.iter().chain(case.results.iter().flatten()).collect();
    let fits = possible.iter().any(|nodes| match (is_singular(&case.selector), nodes.as_slice()) {
        (true, []) => found.is_none(),
        // A null in a column is NULL.
        (true, [Value::Null]) => found.is_none(),
        (true, [value]) => found.as_ref() == Some(value),
        (true, _) => panic!("{}: several values of one place", case.name),
        (false, nodes) => found.as_ref().and_then(Value::as_array).is_some_and(|found| found == nodes),
    });
    (!fits).then(|| format!("{}: `{}` on {record} found {found:?}, expected {possible:?}", case.name, case.selector))
}

#[test]
fn valid_selectors_find_what_the_standard_says() {
    let mut problems = Vec::new();
    let mut found = 0;
    for case in suite().iter().filter(|case| !case.invalid_selector && case.name != INDEX_ON_OBJECT) {
        let document = case.document.as_ref().unwrap().get();
        let below = below_d(&case.selector);
        let under_key = plan(&below).map(|plan| problem(case, &plan, &format!("{{\"d\":{document}}}")));
        let alone =
            document.trim().starts_with('{').then(|| plan(&case.selector).map(|plan| problem(case, &plan, document)));
        for outcome in [Some(under_key), alone].into_iter().flatten() {
            found += 1;
            match outcome {
                Ok(problem) => problems.extend(problem),
                Err(error) => problems.push(format!("{}: {error}", case.name)),
            }
        }
    }
    assert!(found > 450);
    assert!(problems.is_empty(), "{} of {found}:\n{}", problems.len(), problems.join("\n"));
}

#[test]
fn invalid_selectors_are_refused() {
    let mut taken = Vec::new();
    for case in suite().iter().filter(|case| case.invalid_selector) {
        for selector in [case.selector.clone(), below_d(&case.selector)] {
            // Blanks are part of a key in StarRocks, but not of the root.
            let known = selector == "$.d "
                || STARROCKS.iter().any(|known| [(*known).to_owned(), below_d(known)].contains(&selector));
            if plan(&selector).is_ok() != known {
                taken.push(format!("{}: `{selector}`", case.name));
            }
        }
    }
    assert!(taken.is_empty(), "{}:\n{}", taken.len(), taken.join("\n"));
}
