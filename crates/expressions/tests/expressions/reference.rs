//! The table of functions: its examples, and the page that is made of it.

use std::path::Path;

use crate::support::shown;

#[test]
fn every_example_of_the_table_holds() {
    let wrong: Vec<String> = penstock_expressions::function::all()
        .flat_map(|function| function.examples.iter().map(|(text, expected)| (*text, *expected)))
        .map(|(text, expected)| (text, expected, shown(text)))
        .filter(|(_, expected, found)| expected != found)
        .map(|(text, expected, found)| format!("{text}: expected {expected}, found {found}"))
        .collect();
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

#[test]
fn every_function_has_an_example_and_a_sentence() {
    for function in penstock_expressions::function::all() {
        assert!(!function.examples.is_empty() && function.doc.ends_with('.'), "{}", function.name);
    }
}

#[test]
fn functions_page_is_that_of_the_table() {
    let path = Path::new("../../docs/functions.md");
    let expected = penstock_expressions::reference();
    if std::env::var_os("PENSTOCK_WRITE_DOCS").is_some() {
        std::fs::write(path, &expected).expect("docs/functions.md can be written");
    }
    let found = std::fs::read_to_string(path).unwrap_or_default();
    assert!(
        found == expected,
        "docs/functions.md is stale; PENSTOCK_WRITE_DOCS=1 cargo test -p penstock-expressions functions_page writes it"
    );
}
