//! The generated tables of the documentation are those of the definitions.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test fails by panicking")]

use std::fs;
use std::path::{Path, PathBuf};

use penstock_kernel::{property, source_property};

/// Set to write the tables into the pages instead of comparing them.
const WRITE: &str = "PENSTOCK_WRITE_DOCS";

fn page(name: &str) -> PathBuf {
    Path::new("../../docs").join(name)
}

/// The page with `table` between the marks of `section`.
fn with_table(page: &str, section: &str, table: &str) -> String {
    let (begin, end) = (format!("<!-- begin {section} -->\n"), format!("<!-- end {section} -->"));
    let (before, rest) = page.split_once(&begin).unwrap_or_else(|| panic!("expected `{begin}`"));
    let (_, after) = rest.split_once(&end).unwrap_or_else(|| panic!("expected `{end}`"));
    format!("{before}{begin}{table}{end}{after}")
}

#[test]
fn tables_of_properties_are_those_of_the_definitions() {
    for (name, section, table) in [
        ("properties.md", "job properties", property::reference::table()),
        ("properties.md", "source properties", source_property::reference()),
        ("storage-volumes.md", "volume properties", penstock_storage::property::reference()),
    ] {
        let path = page(name);
        let found = fs::read_to_string(&path).unwrap();
        let expected = with_table(&found, section, &table);
        if std::env::var_os(WRITE).is_some() {
            fs::write(&path, &expected).unwrap();
            continue;
        }
        assert!(
            found == expected,
            "docs/{name}: the table of {section} is not that of the definitions; write it anew with\n\
             {WRITE}=1 cargo test -p penstock-admin --test reference"
        );
    }
}
