//! Case files of `tests/data`: a line `expression => result`, `NULL` for NULL, `error: ...` for a refusal. A line `with a =
//! 'text', b = NULL` gives the columns of the lines below it, `zone: name` their time zone; `#` begins a comment.

use crate::support::evaluate;

type Row = Vec<(String, Option<String>)>;

fn row(text: &str) -> Row {
    text.split(", ")
        .map(|one| {
            let (name, value) = one.split_once(" = ").expect("a name and a value");
            (name.trim().to_owned(), (value != "NULL").then(|| value.trim_matches('\'').to_owned()))
        })
        .collect()
}

fn check(name: &str, file: &str) {
    let (mut columns, mut zone) = (Row::new(), "UTC".to_owned());
    let mut wrong = Vec::new();
    for (number, line) in (1..).zip(file.lines()) {
        if line.trim().is_empty() || line.starts_with('#') {
            continue;
        }
        if let Some(text) = line.strip_prefix("with ") {
            columns = row(text);
            continue;
        }
        if let Some(text) = line.strip_prefix("zone: ") {
            zone = text.to_owned();
            continue;
        }
        let (text, expected) = line.rsplit_once(" => ").unwrap_or_else(|| panic!("{name}:{number}: no `=>`"));
        let row: Vec<(&str, Option<&str>)> =
            columns.iter().map(|(name, value)| (name.as_str(), value.as_deref())).collect();
        let found = match evaluate(text.trim(), &row, &zone) {
            Ok(value) => value.unwrap_or_else(|| "NULL".to_owned()),
            Err(error) => match &error.hint {
                Some(hint) => format!("error: {error}; {hint}"),
                None => format!("error: {error}"),
            },
        };
        let expected = expected.trim();
        let expected = if expected == "''" { "" } else { expected };
        if found != expected {
            wrong.push(format!("{name}:{number}: {}\n  expected {expected}\n  found    {found}", text.trim()));
        }
    }
    assert!(wrong.is_empty(), "\n{}", wrong.join("\n"));
}

macro_rules! case_files {
    ($($name:ident),* $(,)?) => {
        $(#[test]
        fn $name() {
            check(stringify!($name), include_str!(concat!("../data/", stringify!($name), ".txt")));
        })*
    };
}

case_files!(operators, casts, load_mappings, errors, arrays);
