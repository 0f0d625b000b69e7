//! The reference of functions, as `docs/functions.md` has it.

use std::fmt::Write as _;

use crate::function::CHAPTERS;

/// The reference's text, Markdown.
pub fn reference() -> String {
    let mut out = String::from(
        "# Which functions are there?\n\nIn COLUMNS and WHERE of a job, and in SELECT. Names in any case. A NULL argument \
         gives NULL unless something else is said; so does an argument that cannot be cast to the type that is named. This \
         page is generated from the table of functions, and its examples are tests; [expressions](expressions.md) has operators, casts and \
         limits.\n",
    );
    for (title, functions) in CHAPTERS {
        // Writing to a String cannot fail.
        let _ = write!(out, "\n## {title}\n\n| function | | example | result |\n| --- | --- | --- | --- |\n");
        for function in *functions {
            let also = match function.aliases {
                [] => String::new(),
                aliases => {
                    format!(" Also {}.", aliases.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", "))
                }
            };
            let examples = function.examples;
            let lines = |side: fn(&(&str, &str)) -> String| {
                examples.iter().map(|one| code(&side(one))).collect::<Vec<_>>().join("<br>")
            };
            let _ = writeln!(
                out,
                "| {} | {}{also} | {} | {} |",
                code(&function.signature()),
                function.doc.replace('|', "\\|"),
                lines(|one| one.0.to_owned()),
                lines(|one| if one.1.is_empty() { "''".to_owned() } else { one.1.to_owned() }),
            );
        }
    }
    out
}

fn code(text: &str) -> String {
    format!("`{}`", text.replace('|', "\\|"))
}
