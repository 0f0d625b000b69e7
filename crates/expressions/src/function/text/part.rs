//! Parts of texts: where they are, and what stands before, between and behind them.

use super::super::{Answer, Arg};
use super::{count, owned};

pub(super) fn insert(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Text(text), Arg::Integer(from), Arg::Integer(taken), Arg::Text(new)] = args else { return None };
    let characters = text.chars().count();
    let Some(before) = usize::try_from(*from).ok().filter(|from| (1..=characters).contains(from)) else {
        return owned(text);
    };
    let before = before - 1;
    let taken = usize::try_from(*taken).unwrap_or(usize::MAX);
    let head = text.chars().take(before);
    let tail = text.chars().skip(before.saturating_add(taken));
    Some(Answer::Text(head.chain(new.chars()).chain(tail).collect()))
}

pub(super) fn instr(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Text(text), Arg::Text(part)] = args else { return None };
    place_from(text, part, 1)
}

pub(super) fn locate(args: &[Arg<'_>]) -> Option<Answer> {
    match args {
        [Arg::Text(part), Arg::Text(text)] => place_from(text, part, 1),
        [Arg::Text(part), Arg::Text(text), Arg::Integer(from)] => place_from(text, part, *from),
        _ => None,
    }
}

fn place_from(text: &str, part: &str, from: i64) -> Option<Answer> {
    let Some(skipped) = usize::try_from(from).ok().and_then(|from| from.checked_sub(1)) else {
        return Some(Answer::Integer(0));
    };
    let start = text.char_indices().map(|(at, _)| at).chain([text.len()]).nth(skipped);
    let found = start.and_then(|start| text.get(start..)).and_then(|rest| Some((rest, rest.find(part)?)));
    match found {
        Some((rest, at)) => count(rest.get(..at)?.chars().count() + skipped + 1),
        None => Some(Answer::Integer(0)),
    }
}

pub(super) fn parse_url(args: &[Arg<'_>]) -> Option<Answer> {
    let (url, part, key) = match args {
        [Arg::Text(url), Arg::Text(part)] => (url, part, None),
        [Arg::Text(url), Arg::Text(part), Arg::Text(key)] => (url, part, Some(*key)),
        _ => return None,
    };
    let (protocol, rest) = url.split_once("://")?;
    let (rest, reference) = rest.split_once('#').map_or((rest, None), |(rest, reference)| (rest, Some(reference)));
    let (rest, query) = rest.split_once('?').map_or((rest, None), |(rest, query)| (rest, Some(query)));
    let (authority, path) = rest.split_at_checked(rest.find('/').unwrap_or(rest.len()))?;
    let (user, host) = authority.rsplit_once('@').map_or((None, authority), |(user, host)| (Some(user), host));
    let (host, port) = match host.rsplit_once(':') {
        Some((host, port)) if port.bytes().all(|byte| byte.is_ascii_digit()) => (host, Some(port)),
        _ => (host, None),
    };
    let found = match part.to_ascii_uppercase().as_str() {
        "PROTOCOL" => Some(protocol),
        "HOST" => Some(host),
        "PORT" => port,
        "PATH" => Some(path),
        "REF" => reference,
        "AUTHORITY" => Some(authority),
        "USERINFO" => user,
        "FILE" => return Some(Answer::Text(query.map_or_else(|| path.to_owned(), |query| format!("{path}?{query}")))),
        "QUERY" => match key {
            None => query,
            Some(key) => query?.split('&').find_map(|pair| pair.strip_prefix(key)?.strip_prefix('=')),
        },
        _ => None,
    };
    found.and_then(owned)
}

pub(super) fn split(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Text(text), Arg::Text(separator)] = args else { return None };
    Some(Answer::Texts(if separator.is_empty() {
        text.chars().map(|char| Some(char.to_string())).collect()
    } else {
        text.split(separator).map(|part| Some(part.to_owned())).collect()
    }))
}

pub(super) fn split_part(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Text(text), Arg::Text(separator), Arg::Integer(place)] = args else { return None };
    let place = isize::try_from(*place).ok()?;
    let skipped = place.unsigned_abs().checked_sub(1)?;
    if separator.is_empty() {
        let char = if place > 0 { text.chars().nth(skipped) } else { text.chars().rev().nth(skipped) };
        return char.map(|char| Answer::Text(char.to_string()));
    }
    let part = if place > 0 { text.split(separator).nth(skipped) } else { text.rsplit(separator).nth(skipped) };
    part.and_then(owned)
}

pub(super) fn substr(args: &[Arg<'_>]) -> Option<Answer> {
    let (text, from, count) = match args {
        [Arg::Text(text), Arg::Integer(from)] => (text, *from, i64::MAX),
        [Arg::Text(text), Arg::Integer(from), Arg::Integer(count)] => (text, *from, *count),
        _ => return None,
    };
    let characters = i64::try_from(text.chars().count()).ok()?;
    let skipped = match from {
        0 => return owned(""),
        1.. => from - 1,
        _ => characters.checked_add(from)?,
    };
    let (Ok(skipped), Ok(count)) = (usize::try_from(skipped), usize::try_from(count)) else {
        return owned("");
    };
    Some(Answer::Text(text.chars().skip(skipped).take(count).collect()))
}

pub(super) fn substring_index(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Text(text), Arg::Text(separator), Arg::Integer(count)] = args else { return None };
    let wanted = usize::try_from(count.unsigned_abs()).ok()?;
    let Some(skipped) = wanted.checked_sub(1).filter(|_| !separator.is_empty()) else {
        return owned("");
    };
    let found = if *count > 0 {
        text.match_indices(separator).nth(skipped).and_then(|(at, _)| text.get(..at))
    } else {
        text.rmatch_indices(separator).nth(skipped).and_then(|(at, _)| text.get(at + separator.len()..))
    };
    owned(found.unwrap_or(text))
}

pub(super) fn translate(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Text(text), Arg::Text(from), Arg::Text(to)] = args else { return None };
    let (from, to): (Vec<char>, Vec<char>) = (from.chars().collect(), to.chars().collect());
    let replaced = |char: char| match from.iter().position(|known| *known == char) {
        Some(place) => to.get(place).copied(),
        None => Some(char),
    };
    Some(Answer::Text(text.chars().filter_map(replaced).collect()))
}

pub(super) fn find_in_set(args: &[Arg<'_>]) -> Option<Answer> {
    let [Arg::Text(text), Arg::Text(list)] = args else { return None };
    let place = if text.contains(',') { None } else { list.split(',').position(|one| one == *text) };
    count(place.map_or(0, |place| place + 1))
}

pub(super) fn field(args: &[Arg<'_>]) -> Option<Answer> {
    let (wanted, others) = args.split_first()?;
    let Arg::Text(wanted) = wanted else { return Some(Answer::Integer(0)) };
    let place = others.iter().position(|other| matches!(other, Arg::Text(other) if other == wanted));
    count(place.map_or(0, |place| place + 1))
}
