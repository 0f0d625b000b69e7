//! The fast path beside a plain, slow interpreter of the same rules, over records that resemble each other as those of a
//! topic do: equal keys in equal order, some left out, some more, some twice, some written otherwise.
//!
//! The interpreter builds a tree of every record and looks each path up in it, one at a time. Nothing of it is shared with
//! what it checks.

use penstock_kernel::expression::NoExpressions;
use penstock_kernel::facts::Facts;
use penstock_kernel::plan::Plan;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;

use crate::support::{NOW_MS, Row, batch, job, rows, table};

/// A document as it is written.
#[derive(Debug, Clone, PartialEq)]
enum Tree {
    Null,
    Boolean(bool),
    Number(String),
    /// What stands between the quotes, and what it says if it can be said.
    Text(String, Option<String>),
    List(Vec<Tree>),
    /// Keys as written and as they are meant.
    Object(Vec<(String, Option<String>, Tree)>),
}

/// RFC 8259, one character at a time.
struct Parser<'t> {
    rest: &'t str,
}

impl Parser<'_> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t', '\n', '\r']);
    }

    fn take(&mut self, text: &str) -> Option<()> {
        self.rest = self.rest.strip_prefix(text)?;
        Some(())
    }

    fn next(&mut self) -> Option<char> {
        let mut characters = self.rest.chars();
        let next = characters.next()?;
        self.rest = characters.as_str();
        Some(next)
    }

    fn value(&mut self) -> Option<Tree> {
        match self.rest.chars().next()? {
            '{' => {
                self.take("{")?;
                let mut members = Vec::new();
                self.space();
                if self.take("}").is_some() {
                    return Some(Tree::Object(members));
                }
                loop {
                    self.space();
                    let (raw, meant) = self.string()?;
                    self.space();
                    self.take(":")?;
                    self.space();
                    members.push((raw, meant, self.value()?));
                    self.space();
                    if self.take(",").is_none() {
                        self.take("}")?;
                        return Some(Tree::Object(members));
                    }
                }
            }
            '[' => {
                self.take("[")?;
                let mut entries = Vec::new();
                self.space();
                if self.take("]").is_some() {
                    return Some(Tree::List(entries));
                }
                loop {
                    self.space();
                    entries.push(self.value()?);
                    self.space();
                    if self.take(",").is_none() {
                        self.take("]")?;
                        return Some(Tree::List(entries));
                    }
                }
            }
            '"' => self.string().map(|(raw, meant)| Tree::Text(raw, meant)),
            't' => self.take("true").map(|()| Tree::Boolean(true)),
            'f' => self.take("false").map(|()| Tree::Boolean(false)),
            'n' => self.take("null").map(|()| Tree::Null),
            _ => self.number().map(Tree::Number),
        }
    }

    fn string(&mut self) -> Option<(String, Option<String>)> {
        self.take("\"")?;
        let (mut raw, mut units) = (String::new(), Vec::new());
        loop {
            let next = self.next()?;
            match next {
                '"' => return Some((raw, String::from_utf16(&units).ok())),
                '\\' => {
                    let escape = self.next()?;
                    raw.extend(['\\', escape]);
                    units.push(match escape {
                        '"' | '\\' | '/' => escape as u16,
                        'b' => 8,
                        'f' => 12,
                        'n' => 10,
                        'r' => 13,
                        't' => 9,
                        'u' => {
                            let mut unit = 0;
                            for _ in 0..4 {
                                let digit = self.next()?;
                                raw.push(digit);
                                unit = unit * 16 + digit.to_digit(16)? as u16;
                            }
                            unit
                        }
                        _ => return None,
                    });
                }
                '\0'..' ' => return None,
                _ => {
                    raw.push(next);
                    units.extend(next.encode_utf16(&mut [0; 2]).iter());
                }
            }
        }
    }

    fn digits(&mut self, into: &mut String) -> Option<()> {
        let end = self.rest.find(|digit: char| !digit.is_ascii_digit()).unwrap_or(self.rest.len());
        into.push_str(&self.rest[..end]);
        self.rest = &self.rest[end..];
        (end > 0).then_some(())
    }

    fn number(&mut self) -> Option<String> {
        let mut text = String::new();
        if self.take("-").is_some() {
            text.push('-');
        }
        if self.take("0").is_some() {
            text.push('0');
        } else {
            self.digits(&mut text)?;
        }
        if self.take(".").is_some() {
            text.push('.');
            self.digits(&mut text)?;
        }
        if self.rest.starts_with(['e', 'E']) {
            text.push(self.next()?);
            if self.rest.starts_with(['+', '-']) {
                text.push(self.next()?);
            }
            self.digits(&mut text)?;
        }
        Some(text)
    }
}

/// The objects of a record; `None` if it is anything else.
fn documents(text: &str) -> Option<Vec<Tree>> {
    let mut parser = Parser { rest: text };
    let mut documents = Vec::new();
    loop {
        parser.space();
        if parser.rest.is_empty() {
            return Some(documents);
        }
        match parser.value()? {
            object @ Tree::Object(_) => documents.push(object),
            _ => return None,
        }
    }
}

/// What a path of keys leads to; of equal keys the first one.
fn lookup<'t>(tree: &'t Tree, path: &[&str]) -> &'t Tree {
    let Some((key, rest)) = path.split_first() else {
        return tree;
    };
    match tree {
        Tree::Object(members) => members
            .iter()
            .find(|(_, meant, _)| meant.as_deref() == Some(key))
            .map_or(&Tree::Null, |(_, _, value)| lookup(value, rest)),
        _ => &Tree::Null,
    }
}

fn minified(tree: &Tree, into: &mut String) {
    match tree {
        Tree::Null => into.push_str("null"),
        Tree::Boolean(flag) => into.push_str(if *flag { "true" } else { "false" }),
        Tree::Number(text) => into.push_str(text),
        Tree::Text(raw, _) => into.push_str(&format!("\"{raw}\"")),
        Tree::List(entries) => {
            into.push('[');
            for (place, entry) in entries.iter().enumerate() {
                into.push_str(if place > 0 { "," } else { "" });
                minified(entry, into);
            }
            into.push(']');
        }
        Tree::Object(members) => {
            into.push('{');
            for (place, (raw, _, value)) in members.iter().enumerate() {
                into.push_str(if place > 0 { "," } else { "" });
                into.push_str(&format!("\"{raw}\":"));
                minified(value, into);
            }
            into.push('}');
        }
    }
}

/// Whether every string in it can be said.
fn sayable(tree: &Tree) -> bool {
    match tree {
        Tree::Text(_, meant) => meant.is_some(),
        Tree::List(entries) => entries.iter().all(sayable),
        Tree::Object(members) => members.iter().all(|(_, meant, value)| meant.is_some() && sayable(value)),
        _ => true,
    }
}

/// A number without its fraction, by hand; `None` for other text.
fn whole(text: &str) -> Option<i128> {
    let (mantissa, exponent) = text.split_once(['e', 'E']).unwrap_or((text, "0"));
    let exponent: i32 = exponent.parse().ok()?;
    let (sign, digits) = match mantissa.strip_prefix('-') {
        Some(rest) => (-1, rest),
        None => (1, mantissa.strip_prefix('+').unwrap_or(mantissa)),
    };
    let (before, after) = digits.split_once('.').unwrap_or((digits, ""));
    let all = format!("{before}{after}");
    if all.is_empty() || !all.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let places = before.len() as i32 + exponent;
    let kept: String = (0..places.max(0)).map(|place| all.chars().nth(place as usize).unwrap_or('0')).collect();
    let magnitude: i128 = if kept.is_empty() { 0 } else { kept.parse().ok()? };
    Some(sign * magnitude)
}

/// The value in a column of that type, `Err` if the type does not accept it.
fn converted(column_type: &str, tree: &Tree) -> Result<Option<String>, ()> {
    let number = match tree {
        Tree::Null => return Ok(None),
        Tree::Number(text) => Some(text.as_str()),
        Tree::Text(_, Some(text)) => Some(text.trim_ascii()),
        _ => None,
    };
    let text = match (column_type, tree) {
        ("BIGINT" | "INT", _) => {
            let whole = whole(number.ok_or(())?).ok_or(())?;
            match column_type {
                "INT" => i32::try_from(whole).map_err(|_| ())?.to_string(),
                _ => i64::try_from(whole).map_err(|_| ())?.to_string(),
            }
        }
        ("DOUBLE", _) => {
            let float: f64 = number.ok_or(())?.parse().map_err(|_| ())?;
            if !float.is_finite() && number.is_some_and(|text| text.contains(|digit: char| digit.is_ascii_digit())) {
                return Err(());
            }
            if float.abs() < 1e16 || !float.is_finite() { float.to_string() } else { format!("{float:e}") }
        }
        ("BOOLEAN", Tree::Boolean(flag)) | ("VARCHAR(9)", Tree::Boolean(flag)) => u8::from(*flag).to_string(),
        ("BOOLEAN", Tree::Number(text)) => {
            let mantissa = text.split(['e', 'E']).next().unwrap_or_default();
            u8::from(mantissa.contains(|digit: char| ('1'..='9').contains(&digit))).to_string()
        }
        ("BOOLEAN", Tree::Text(_, Some(text))) => {
            let word = text.trim_ascii();
            let digits = word.strip_prefix(['-', '+']).unwrap_or(word);
            match word.to_ascii_lowercase().as_str() {
                "true" => "1".to_owned(),
                "false" => "0".to_owned(),
                _ if !digits.is_empty() && digits.bytes().all(|digit| digit.is_ascii_digit()) => {
                    u8::from(digits.bytes().any(|digit| digit != b'0')).to_string()
                }
                _ => return Err(()),
            }
        }
        ("VARCHAR(9)", tree) => {
            let mut built = String::new();
            match tree {
                Tree::Number(text) | Tree::Text(_, Some(text)) => built.push_str(text),
                Tree::List(_) | Tree::Object(_) => minified(tree, &mut built),
                _ => return Err(()),
            }
            if built.len() > 9 {
                return Err(());
            }
            built
        }
        ("JSON", tree) if sayable(tree) => {
            let mut built = String::new();
            minified(tree, &mut built);
            built
        }
        _ => return Err(()),
    };
    Ok(Some(text))
}

/// Rows that are loaded, and how many are rejected.
fn interpreted(values: &[String], columns: &[(&str, &str, Vec<&str>)], strict: bool) -> (Vec<Row>, u64) {
    let (mut loaded, mut rejected) = (Vec::new(), 0);
    for value in values.iter().filter(|value| !value.is_empty()) {
        let Some(documents) = documents(value) else {
            rejected += 1;
            continue;
        };
        for document in &documents {
            let entries: Vec<Result<Option<String>, ()>> =
                columns.iter().map(|(_, column_type, path)| converted(column_type, lookup(document, path))).collect();
            if strict && entries.iter().any(Result::is_err) {
                rejected += 1;
            } else {
                loaded.push(entries.into_iter().map(|entry| entry.unwrap_or(None)).collect());
            }
        }
    }
    (loaded, rejected)
}

/// A value's text.
fn value_text() -> BoxedStrategy<String> {
    let scalar = prop_oneof![
        4 => any::<i32>().prop_map(|number| number.to_string()),
        1 => any::<i64>().prop_map(|number| number.to_string()),
        1 => any::<f64>().prop_filter("JSON has no other", |float| float.is_finite()).prop_map(|float| format!("{float:?}")),
        4 => "[a-z ]{0,40}".prop_map(|text| format!("\"{text}\"")),
        1 => "[\\PC&&[^\"\\\\]]{0,30}".prop_map(|text| format!("\"{text}\"")),
        3 => select(vec![
            "null", "true", "false", "0", "-0", "1e3", "-12.75", "1e-2", "99999999999999999999", "\"12\"", "\" 7 \"", "\"TRUE\"",
            "\"\\u00e9\\ud83d\\ude00\"", "\"\\ud800\"", "\"a\\\"b\\\\\"", "[]", "{}", "\"0123456789012345678901234567890123\\n\"",
            "00", "1.", "+1", "\"\t\"", "\"\\x\"", "nul", "tru", "1e", "-",
        ])
        .prop_map(str::to_owned),
    ];
    scalar
        .prop_recursive(3, 20, 5, |inner| {
            prop_oneof![
                1 => vec(inner.clone(), 0..4).prop_map(|entries| format!("[{}]", entries.join(", "))),
                3 => object(inner.boxed()),
            ]
        })
        .boxed()
}

/// Members in the usual order; some are left out, some come twice, some are others.
fn object(value: BoxedStrategy<String>) -> BoxedStrategy<String> {
    const KEYS: [&str; 6] = ["id", "a", "a long key of many bytes", "b", "c", "é"];
    const ODD: [&str; 6] = ["\\u0061", "i", "id ", "other", "", "\\ud800"];
    let member = (0..16_u8, select(ODD.to_vec()), select(vec!["", "", "", " ", "\n\t"]), value);
    (vec(member, KEYS.len()), 0..12_u8)
        .prop_map(|(members, order)| {
            let mut written = Vec::new();
            for (key, (kind, odd, space, value)) in KEYS.iter().zip(members) {
                let member = |key: &str| format!("{space}\"{key}\"{space}:{space}{value}{space}");
                match kind {
                    0 | 1 => {}
                    2 => written.push(member(odd)),
                    3 => written.extend([member(key), member(odd)]),
                    4 => written.extend([member(key), format!("\"{key}\":5")]),
                    _ => written.push(member(key)),
                }
            }
            match order {
                0 => written.reverse(),
                1 if written.len() > 2 => written.swap(1, 2),
                _ => {}
            }
            format!("{{{}}}", written.join(","))
        })
        .boxed()
}

fn record() -> impl Strategy<Value = String> {
    let row = object(value_text());
    prop_oneof![
        8 => row.clone(),
        1 => (row.clone(), row.clone()).prop_map(|(one, other)| format!("{one} {other}")),
        1 => (row, any::<prop::sample::Index>()).prop_map(|(row, at)| {
            let at = row.floor_char_boundary(at.index(row.len()));
            row[..at].to_owned()
        }),
    ]
}

fn columns() -> impl Strategy<Value = Vec<(&'static str, &'static str, Vec<&'static str>)>> {
    let types = select(vec!["BIGINT", "INT", "DOUBLE", "VARCHAR(9)", "BOOLEAN", "JSON"]);
    let path = select(vec![
        vec!["id"],
        vec!["a"],
        vec!["b"],
        vec!["a long key of many bytes"],
        vec!["é"],
        vec!["c"],
        vec!["a", "b"],
        vec!["a", "id"],
        vec!["b", "a", "id"],
        vec!["c", "é"],
        vec!["none"],
    ]);
    vec((types, path), 1..8).prop_map(|columns| {
        const NAMES: [&str; 8] = ["c0", "c1", "c2", "c3", "c4", "c5", "c6", "c7"];
        NAMES.into_iter().zip(columns).map(|(name, (column_type, path))| (name, column_type, path)).collect()
    })
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 600, ..ProptestConfig::default() })]

    #[test]
    fn fast_path_gives_what_the_plain_interpreter_gives(
        records in vec(record(), 1..12),
        columns in columns(),
        strict in any::<bool>(),
    ) {
        let definitions: Vec<String> = columns.iter().map(|(name, sql, _)| format!("{name} {sql}")).collect();
        let table = table(&definitions.iter().map(String::as_str).collect::<Vec<_>>());
        let paths: Vec<String> = columns.iter().map(|(_, _, path)| format!("$.{}", path.join("."))).collect();
        let paths = serde_json::json!(paths).to_string();
        let names: Vec<&str> = columns.iter().map(|(name, _, _)| *name).collect();
        let strict_text = strict.to_string();
        let job = job(Some(&names), [("jsonpaths", paths.as_str()), ("strict_mode", &strict_text)]);
        let plan = Plan::compile(&job, &table, &NoExpressions).unwrap();
        let values: Vec<&[u8]> = records.iter().map(String::as_bytes).collect();
        let loaded = plan.load(&batch(&values), &Facts::at(NOW_MS));
        let (expected, rejected) = interpreted(&records, &columns, strict);
        prop_assert_eq!(rows(&loaded), expected);
        prop_assert_eq!(loaded.statistics.rejected, rejected);
    }
}
