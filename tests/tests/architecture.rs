//! What ARCHITECTURE.md says of dependencies, checked on what Cargo resolves.

#![expect(clippy::expect_used, clippy::indexing_slicing, reason = "a test fails by panicking")]

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

/// Which of our crates each of our crates may name.
const EDGES: &[(&str, &[&str])] = &[
    ("penstock-kernel", &[]),
    ("penstock-expressions", &["penstock-kernel"]),
    ("penstock-sql", &["penstock-kernel"]),
    ("penstock-event", &["penstock-kernel"]),
    ("penstock-storage", &[]),
    ("penstock-catalog", &["penstock-kernel", "penstock-storage"]),
    ("penstock-show", &["penstock-kernel", "penstock-catalog", "penstock-sql"]),
    ("penstock-gateway", &["penstock-sql"]),
    (
        "penstock-load",
        &[
            "penstock-kernel",
            "penstock-event",
            "penstock-expressions",
            "penstock-catalog",
            "penstock-storage",
            "penstock-sql",
        ],
    ),
    (
        "penstock-admin",
        &[
            "penstock-kernel",
            "penstock-expressions",
            "penstock-catalog",
            "penstock-storage",
            "penstock-sql",
            "penstock-show",
        ],
    ),
    ("penstock-maintain", &["penstock-kernel", "penstock-catalog", "penstock-storage", "penstock-sql"]),
    (
        "penstock-query",
        &[
            "penstock-kernel",
            "penstock-expressions",
            "penstock-catalog",
            "penstock-storage",
            "penstock-sql",
            "penstock-show",
        ],
    ),
    (
        "penstock-local",
        &[
            "penstock-kernel",
            "penstock-catalog",
            "penstock-storage",
            "penstock-sql",
            "penstock-gateway",
            "penstock-load",
            "penstock-admin",
        ],
    ),
];

/// Crates that drag in an async runtime, AWS, a clock's home or the network; the pure crates know none of them.
const IMPURE: &[&str] = &[
    "tokio",
    "hyper",
    "reqwest",
    "async-trait",
    "aws-config",
    "aws-sdk-dynamodb",
    "lambda_runtime",
    "object_store",
    "rdkafka",
    "rand",
    "jiff",
];

/// From the folder that tests are run in: their package's.
fn root() -> PathBuf {
    PathBuf::from("..")
}

/// Our packages, each with its direct dependencies that are not for tests only.
fn packages() -> BTreeMap<String, BTreeSet<String>> {
    let out = Command::new(env!("CARGO"))
        .args(["metadata", "--format-version=1", "--no-deps", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let metadata: Value = serde_json::from_slice(&out.stdout).expect("cargo metadata is JSON");
    let text = |value: &Value| value.as_str().expect("a name").to_owned();
    metadata["packages"]
        .as_array()
        .expect("packages")
        .iter()
        .map(|package| {
            let dependencies = package["dependencies"].as_array().expect("dependencies").iter();
            let direct = dependencies.filter(|d| d["kind"].is_null()).map(|d| text(&d["name"])).collect();
            (text(&package["name"]), direct)
        })
        .collect()
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in std::fs::read_dir(folder).expect("a folder") {
        let path = entry.expect("an entry").path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            found.push(path);
        }
    }
}

fn all_sources() -> Vec<PathBuf> {
    let mut found = Vec::new();
    for folder in ["crates", "functions", "tests"] {
        sources(&root().join(folder), &mut found);
    }
    found
}

#[test]
fn dependencies_point_down_only() {
    let packages = packages();
    for (name, allowed) in EDGES {
        let ours = packages[*name].iter().filter(|d| d.starts_with("penstock"));
        for dependency in ours {
            assert!(allowed.contains(&dependency.as_str()), "{name} may not depend on {dependency}");
        }
    }
}

#[test]
fn kernel_event_sql_and_expressions_are_pure() {
    let packages = packages();
    for name in ["penstock-kernel", "penstock-event", "penstock-sql", "penstock-expressions"] {
        for impure in IMPURE {
            assert!(!packages[name].contains(*impure), "{name} may not depend on {impure}");
        }
    }
}

#[test]
fn kernel_event_sql_and_expressions_ask_no_clock_and_no_environment() {
    for path in all_sources() {
        let text = std::fs::read_to_string(&path).expect("text");
        let shown = path.strip_prefix(root()).expect("in the workspace").display().to_string();
        let pure = ["crates/kernel/src", "crates/event/src", "crates/sql/src", "crates/expressions/src"];
        if pure.iter().any(|pure| shown.starts_with(pure)) {
            for word in ["std::time::SystemTime", "SystemTime::now", "Instant::now", "std::env", "std::fs", "std::net"]
            {
                assert!(!text.contains(word), "{shown} names {word}");
            }
        }
    }
}

#[test]
fn only_the_catalog_names_dynamodb_and_only_main_names_the_lambda_runtime() {
    for path in all_sources() {
        let text = std::fs::read_to_string(&path).expect("text");
        let shown = path.strip_prefix(root()).expect("in the workspace").display().to_string();
        if shown.starts_with("tests/") {
            continue;
        }
        if text.contains("aws_sdk_dynamodb") {
            assert!(shown.starts_with("crates/catalog/"), "{shown} names aws_sdk_dynamodb");
        }
        if text.contains("lambda_runtime::") {
            assert!(shown.starts_with("functions/") && shown.ends_with("/main.rs"), "{shown} names lambda_runtime");
        }
    }
}

#[test]
fn load_links_no_kafka_client_and_no_query_engine() {
    let out = Command::new(env!("CARGO"))
        .args(["tree", "-p", "penstock-load", "-e", "normal", "--prefix", "none", "--offline"])
        .current_dir(root())
        .output()
        .expect("cargo runs");
    let tree = String::from_utf8(out.stdout).expect("text");
    assert!(tree.contains("penstock-kernel"), "cargo tree says nothing: {tree}");
    for heavy in ["rdkafka ", "datafusion ", "aws-sdk-lambda ", "opensrv-mysql "] {
        assert!(!tree.contains(heavy), "load depends on {heavy}");
    }
}

#[test]
fn there_is_one_arrow() {
    let lock = std::fs::read_to_string(root().join("Cargo.lock")).expect("the lock file");
    for name in ["arrow-array", "parquet", "object_store", "datafusion"] {
        let versions = lock.matches(&format!("name = \"{name}\"\n")).count();
        assert_eq!(versions, 1, "versions of {name}");
    }
}

#[test]
fn files_stay_short_enough_to_read() {
    for path in all_sources() {
        let is_test = path.components().any(|part| part.as_os_str() == "tests") || path.ends_with("tests.rs");
        let lines = std::fs::read_to_string(&path).expect("text").lines().count();
        assert!(is_test || lines <= 500, "{} has {lines} lines", path.display());
    }
}

#[test]
fn unsafe_is_forbidden_everywhere() {
    let manifest = std::fs::read_to_string(root().join("Cargo.toml")).expect("the manifest");
    assert!(manifest.contains("unsafe_code = \"forbid\""));
    for folder in ["crates", "functions"] {
        for entry in std::fs::read_dir(root().join(folder)).expect("a folder") {
            let manifest = entry.expect("an entry").path().join("Cargo.toml");
            let text = std::fs::read_to_string(&manifest).expect("a manifest");
            assert!(text.contains("[lints]\nworkspace = true"), "{} takes the workspace's lints", manifest.display());
        }
    }
}
