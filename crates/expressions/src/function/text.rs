//! Functions on text. Places count characters from 1.

mod part;

use part::{
    field, find_in_set, insert, instr, locate, parse_url, split, split_part, substr, substring_index, translate,
};

use super::{Answer, Arg, Function, Kind, MAX_TEXT_BYTES, row};

const ONE: &[(&str, Kind)] = &[("text", Kind::Text)];
const TWO: &[(&str, Kind)] = &[("text", Kind::Text), ("part", Kind::Text)];
const COUNTED: &[(&str, Kind)] = &[("text", Kind::Text), ("count", Kind::Integer)];
const PADDED: &[(&str, Kind)] = &[("text", Kind::Text), ("length", Kind::Integer), ("fill", Kind::Text)];

pub(super) const FUNCTIONS: &[Function] = &[
    row(
        "append_trailing_char_if_absent",
        TWO,
        Kind::Text,
        append_trailing,
        "The text, ending in that character.",
        &[("append_trailing_char_if_absent('a', '/')", "a/"), ("append_trailing_char_if_absent('a/', '/')", "a/")],
    ),
    row("ascii", ONE, Kind::Integer, ascii, "The first byte.", &[("ascii('abc')", "97"), ("ascii('')", "0")]),
    row(
        "char",
        &[("code", Kind::Integer)],
        Kind::Text,
        character,
        "The ASCII character of a code.",
        &[("char(97)", "a")],
    ),
    row("char_length", ONE, Kind::Integer, char_length, "Length in characters.", &[("char_length('é')", "1")])
        .also(&["character_length"]),
    row(
        "concat",
        ONE,
        Kind::Text,
        concat,
        "The texts behind each other; NULL if one is NULL.",
        &[("concat('a', 1, 'b')", "a1b"), ("concat('a', NULL)", "NULL")],
    )
    .repeated(),
    row(
        "concat_ws",
        &[("separator", Kind::Text), ("text", Kind::Text)],
        Kind::Text,
        concat_ws,
        "The texts with a separator between them; NULLs are left out.",
        &[("concat_ws('-', 'a', NULL, 'b')", "a-b"), ("concat_ws(NULL, 'a')", "NULL")],
    )
    .repeated()
    .with_null(),
    row("ends_with", TWO, Kind::Boolean, ends_with, "Whether the text ends so.", &[("ends_with('abc', 'bc')", "1")]),
    row(
        "field",
        ONE,
        Kind::Integer,
        field,
        "Place of the first text among the following ones; 0 if it is none of them.",
        &[("field('b', 'a', 'b')", "2")],
    )
    .repeated()
    .with_null(),
    row(
        "find_in_set",
        &[("text", Kind::Text), ("list", Kind::Text)],
        Kind::Integer,
        find_in_set,
        "Place of the text in a list with commas; 0 if it is not there.",
        &[("find_in_set('b', 'a,b,c')", "2")],
    ),
    row(
        "initcap",
        ONE,
        Kind::Text,
        initcap,
        "First letters of words in upper case, the others in lower case.",
        &[("initcap('hello wORLD')", "Hello World")],
    ),
    row(
        "insert",
        &[("text", Kind::Text), ("from", Kind::Integer), ("count", Kind::Integer), ("new", Kind::Text)],
        Kind::Text,
        insert,
        "So many characters replaced.",
        &[("insert('Quadratic', 3, 4, 'What')", "QuWhattic")],
    ),
    row(
        "instr",
        TWO,
        Kind::Integer,
        instr,
        "Place of the part in the text; 0 if it is not there.",
        &[("instr('abc', 'c')", "3"), ("instr('abc', 'x')", "0")],
    ),
    row(
        "left",
        COUNTED,
        Kind::Text,
        left,
        "The first characters.",
        &[("left('abc', 2)", "ab"), ("left('abc', -1)", "")],
    )
    .also(&["strleft"]),
    row("length", ONE, Kind::Integer, length, "Length in bytes.", &[("length('é')", "2")]).also(&["octet_length"]),
    row(
        "locate",
        &[("part", Kind::Text), ("text", Kind::Text), ("from", Kind::Integer)],
        Kind::Integer,
        locate,
        "Place of the part in the text, from a place on; 0 if it is not there.",
        &[("locate('c', 'abc')", "3"), ("locate('a', 'abca', 2)", "4")],
    )
    .needs(2)
    .also(&["position"]),
    row("lower", ONE, Kind::Text, lower, "In lower case.", &[("lower('ÄB')", "äb")]).also(&["lcase"]),
    row(
        "lpad",
        PADDED,
        Kind::Text,
        pad_left,
        "Filled up at the left to a length, or cut to it.",
        &[("lpad('5', 3, '0')", "005"), ("lpad('abc', 2, '0')", "ab"), ("lpad('5', 99999999999, '0')", "NULL")],
    )
    .needs(2),
    row(
        "ltrim",
        &[("text", Kind::Text), ("characters", Kind::Text)],
        Kind::Text,
        trim_left,
        "Without the blanks, or the given characters, at its left.",
        &[("ltrim('  a ')", "a ")],
    )
    .needs(1),
    row(
        "parse_url",
        &[("url", Kind::Text), ("part", Kind::Text), ("key", Kind::Text)],
        Kind::Text,
        parse_url,
        "A part of a URL: PROTOCOL, HOST, PORT, PATH, QUERY (of a key), REF, AUTHORITY, FILE, USERINFO.",
        &[
            ("parse_url('https://a.b:80/c/d?x=1&y=2#e', 'HOST')", "a.b"),
            ("parse_url('https://a.b:80/c/d?x=1&y=2#e', 'QUERY', 'y')", "2"),
            ("parse_url('https://a.b/c', 'QUERY')", "NULL"),
        ],
    )
    .needs(2),
    row(
        "repeat",
        COUNTED,
        Kind::Text,
        repeat,
        "The text so many times; NULL beyond 1 MiB.",
        &[("repeat('ab', 2)", "abab"), ("repeat('ab', 1000000000)", "NULL")],
    ),
    row(
        "replace",
        &[("text", Kind::Text), ("old", Kind::Text), ("new", Kind::Text)],
        Kind::Text,
        replace,
        "Every occurrence replaced.",
        &[("replace('a.b.c', '.', '-')", "a-b-c"), ("replace('abc', '', '-')", "abc")],
    ),
    row("reverse", ONE, Kind::Text, reverse, "Characters in reverse order.", &[("reverse('äbc')", "cbä")]),
    row("right", COUNTED, Kind::Text, right, "The last characters.", &[("right('abc', 2)", "bc")]).also(&["strright"]),
    row(
        "rpad",
        PADDED,
        Kind::Text,
        pad_right,
        "Filled up at the right to a length, or cut to it.",
        &[("rpad('5', 3, '0')", "500")],
    )
    .needs(2),
    row(
        "rtrim",
        &[("text", Kind::Text), ("characters", Kind::Text)],
        Kind::Text,
        trim_right,
        "Without the blanks, or the given characters, at its right.",
        &[("rtrim(' a  ')", " a")],
    )
    .needs(1),
    row("space", &[("count", Kind::Integer)], Kind::Text, space, "So many blanks.", &[("length(space(3))", "3")]),
    row(
        "split",
        &[("text", Kind::Text), ("separator", Kind::Text)],
        Kind::Texts,
        split,
        "What stands between the separators.",
        &[("split('a,b', ',')", "[\"a\",\"b\"]"), ("split('ab', '')", "[\"a\",\"b\"]")],
    ),
    row(
        "split_part",
        &[("text", Kind::Text), ("separator", Kind::Text), ("place", Kind::Integer)],
        Kind::Text,
        split_part,
        "What stands between separators, counted from 1, or from the end if negative; NULL if there is none.",
        &[
            ("split_part('a,b', ',', 2)", "b"),
            ("split_part('a,b', ',', -1)", "b"),
            ("split_part('a,b', ',', 3)", "NULL"),
        ],
    ),
    row(
        "starts_with",
        TWO,
        Kind::Boolean,
        starts_with,
        "Whether the text begins so.",
        &[("starts_with('abc', 'ab')", "1")],
    ),
    row(
        "strcmp",
        &[("a", Kind::Text), ("b", Kind::Text)],
        Kind::Integer,
        compare,
        "-1, 0 or 1, as the texts are ordered.",
        &[("strcmp('a', 'b')", "-1")],
    ),
    row(
        "substr",
        &[("text", Kind::Text), ("from", Kind::Integer), ("count", Kind::Integer)],
        Kind::Text,
        substr,
        "Characters from a place on, counted from 1, or from the end if negative.",
        &[("substr('abcdef', 2, 3)", "bcd"), ("substring('abcdef', -3, 2)", "de"), ("substr('abc', 0)", "")],
    )
    .needs(2)
    .also(&["substring", "mid"]),
    row(
        "substring_index",
        &[("text", Kind::Text), ("separator", Kind::Text), ("count", Kind::Integer)],
        Kind::Text,
        substring_index,
        "What stands before so many separators, or behind them from the end if negative.",
        &[("substring_index('a.b.c', '.', 2)", "a.b"), ("substring_index('a.b.c', '.', -1)", "c")],
    ),
    row(
        "translate",
        &[("text", Kind::Text), ("from", Kind::Text), ("to", Kind::Text)],
        Kind::Text,
        translate,
        "Each character of `from` by that of `to` at its place, or left out.",
        &[("translate('abcd', 'abc', 'xy')", "xyd")],
    ),
    row(
        "trim",
        &[("text", Kind::Text), ("characters", Kind::Text)],
        Kind::Text,
        trim,
        "Without the blanks, or the given characters, at both ends.",
        &[("trim('  a ')", "a"), ("trim('xxaxx', 'x')", "a")],
    )
    .needs(1),
    row("upper", ONE, Kind::Text, upper, "In upper case.", &[("upper('äb')", "ÄB")]).also(&["ucase"]),
];

fn owned(text: &str) -> Option<Answer> {
    Some(Answer::Text(text.to_owned()))
}

fn count(number: usize) -> Option<Answer> {
    i64::try_from(number).ok().map(Answer::Integer)
}

fn append_trailing(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Text(text), Arg::Text(end)] = args else { return None };
    (end.chars().count() == 1).then(|| {
        let absent = !text.is_empty() && !text.ends_with(end);
        Answer::Text(if absent { format!("{text}{end}") } else { (*text).to_owned() })
    })
}

fn ascii(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Text(text)] = args else { return None };
    Some(Answer::Integer(text.bytes().next().unwrap_or(0).into()))
}

fn character(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Integer(code)] = args else { return None };
    u8::try_from(*code).ok().filter(u8::is_ascii).map(|code| Answer::Text(char::from(code).to_string()))
}

fn char_length(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Text(text)] = args else { return None };
    count(text.chars().count())
}

fn concat(args: &[Arg<'_>]) -> Option<Answer> {
    let mut out = String::new();
    for arg in args {
        let Arg::Text(text) = arg else { return None };
        if out.len() + text.len() > MAX_TEXT_BYTES {
            return None;
        }
        out += text;
    }
    Some(Answer::Text(out))
}

fn concat_ws(args: &[Arg<'_>]) -> Option<Answer> {
    let (Arg::Text(separator), parts) = args.split_first()? else { return None };
    let mut out = String::new();
    let texts = parts.iter().filter_map(|part| if let Arg::Text(text) = part { Some(*text) } else { None });
    for (place, text) in texts.enumerate() {
        if out.len() + separator.len() + text.len() > MAX_TEXT_BYTES {
            return None;
        }
        out += if place == 0 { "" } else { separator };
        out += text;
    }
    Some(Answer::Text(out))
}

fn ends_with(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Text(text), Arg::Text(part)] = args else { return None };
    Some(Answer::Boolean(text.ends_with(part)))
}

fn starts_with(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Text(text), Arg::Text(part)] = args else { return None };
    Some(Answer::Boolean(text.starts_with(part)))
}

fn initcap(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Text(text)] = args else { return None };
    let mut out = String::with_capacity(text.len());
    let mut within = false;
    for char in text.chars() {
        if within {
            out.extend(char.to_lowercase());
        } else {
            out.extend(char.to_uppercase());
        }
        within = char.is_alphanumeric();
    }
    Some(Answer::Text(out))
}

fn left(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Text(text), Arg::Integer(count)] = args else { return None };
    Some(Answer::Text(text.chars().take(usize::try_from(*count).unwrap_or(0)).collect()))
}

fn right(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Text(text), Arg::Integer(count)] = args else { return None };
    let skipped = text.chars().count().saturating_sub(usize::try_from(*count).unwrap_or(0));
    Some(Answer::Text(text.chars().skip(skipped).collect()))
}

fn length(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Text(text)] = args else { return None };
    count(text.len())
}

fn lower(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Text(text)] = args else { return None };
    Some(Answer::Text(text.to_lowercase()))
}

fn upper(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Text(text)] = args else { return None };
    Some(Answer::Text(text.to_uppercase()))
}

fn pad_left(args: &[Arg<'_>]) -> Option<Answer> {
    let (text, padding) = padded(args)?;
    Some(Answer::Text(padding + &text))
}

fn pad_right(args: &[Arg<'_>]) -> Option<Answer> {
    let (text, padding) = padded(args)?;
    Some(Answer::Text(text + &padding))
}

/// The text, cut to the asked number of characters, and what fills it up to that.
fn padded(args: &[Arg<'_>]) -> Option<(String, String)> {
    let (text, length, fill) = match args {
        [Arg::Text(text), Arg::Integer(length)] => (text, length, " "),
        [Arg::Text(text), Arg::Integer(length), Arg::Text(fill)] => (text, length, *fill),
        _ => return None,
    };
    let length = usize::try_from(*length).ok().filter(|length| *length <= MAX_TEXT_BYTES)?;
    let missing = length.saturating_sub(text.chars().count());
    if missing > 0 && fill.is_empty() {
        return Some((String::new(), String::new()));
    }
    Some((text.chars().take(length).collect(), fill.chars().cycle().take(missing).collect()))
}

fn trimmed<'a>(args: &[Arg<'a>]) -> Option<(&'a str, Vec<char>)> {
    match args {
        [Arg::Text(text)] => Some((text, vec![' '])),
        [Arg::Text(text), Arg::Text(characters)] => Some((text, characters.chars().collect())),
        _ => None,
    }
}

fn trim(args: &[Arg<'_>]) -> Option<Answer> {
    let (text, characters) = trimmed(args)?;
    owned(text.trim_matches(characters.as_slice()))
}

fn trim_left(args: &[Arg<'_>]) -> Option<Answer> {
    let (text, characters) = trimmed(args)?;
    owned(text.trim_start_matches(characters.as_slice()))
}

fn trim_right(args: &[Arg<'_>]) -> Option<Answer> {
    let (text, characters) = trimmed(args)?;
    owned(text.trim_end_matches(characters.as_slice()))
}

fn repeat(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Text(text), Arg::Integer(count)] = args else { return None };
    // A negative count is none.
    let count = usize::try_from((*count).max(0)).ok()?;
    (text.len().checked_mul(count)? <= MAX_TEXT_BYTES).then(|| Answer::Text(text.repeat(count)))
}

fn space(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Integer(count)] = args else { return None };
    repeat(&[Arg::Text(" "), Arg::Integer(*count)])
}

fn replace(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Text(text), Arg::Text(old), Arg::Text(new)] = args else { return None };
    if old.is_empty() {
        return owned(text);
    }
    let grown = new.len().saturating_sub(old.len()).checked_mul(text.matches(old).count())?;
    (text.len().checked_add(grown)? <= MAX_TEXT_BYTES).then(|| Answer::Text(text.replace(old, new)))
}

fn reverse(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Text(text)] = args else { return None };
    Some(Answer::Text(text.chars().rev().collect()))
}

fn compare(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Text(a), Arg::Text(b)] = args else { return None };
    Some(Answer::Integer(match a.cmp(b) {
        std::cmp::Ordering::Less => -1,
        std::cmp::Ordering::Equal => 0,
        std::cmp::Ordering::Greater => 1,
    }))
}
