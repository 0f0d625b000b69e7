//! `FROM KAFKA (...)` into a source.

use std::collections::BTreeMap;

use penstock_kernel::job::{KafkaSource, StartOffset};
use penstock_kernel::security::Security;
use penstock_kernel::source_property::{CLIENT_PREFIX as CUSTOM, SOURCE_PROPERTIES, SourceProperty};

use super::registry;
use crate::error::SqlError;
use crate::similar::nearest;
use crate::statement::{Pair, Pairs};

const BROKERS: &str = "kafka_broker_list";
const TOPIC: &str = "kafka_topic";
const PARTITIONS: &str = "kafka_partitions";
const OFFSETS: &str = "kafka_offsets";
/// Under [`CUSTOM`]: where source partitions start that `kafka_offsets` does not name.
const DEFAULT_OFFSETS: &str = "kafka_default_offsets";
const GROUP: &str = "group.id";

/// Brokers of a list at most. Any one of a cluster names all others; a client begins by asking every one of the list.
const MOST_BROKERS: usize = 100;

/// Characters that Kafka allows in a topic's name at most.
const LONGEST_TOPIC: usize = 249;

/// The source that `pairs` describe; `group` is the consumer group if they name none.
pub(super) fn source(pairs: &Pairs, group: &str) -> Result<KafkaSource, SqlError> {
    check_keys(pairs)?;
    let brokers = brokers(required(pairs, BROKERS)?)?;
    let topic = topic(required(pairs, TOPIC)?)?;
    let mut custom = custom(pairs)?;
    check_security(pairs, &custom)?;
    custom.entry(GROUP.to_owned()).or_insert_with(|| group.to_owned());
    let registry = registry::registry(None, pairs)?;
    Ok(KafkaSource { brokers, topic, pinned: pinned(pairs)?, default_start: default_start(pairs)?, custom, registry })
}

/// `current` as ALTER changes it: brokers, start offsets and custom properties may change, the topic not.
pub(super) fn altered(current: &KafkaSource, pairs: &Pairs) -> Result<KafkaSource, SqlError> {
    check_keys(pairs)?;
    if let Some(pair) = pairs.get(TOPIC) {
        return Err(wrong(pair, &format!("{TOPIC} is invalid kafka custom property"))
            .with_hint("the topic is fixed at CREATE ROUTINE LOAD: stop the job and create another"));
    }
    if pairs.get(PARTITIONS).is_some() != pairs.get(OFFSETS).is_some() {
        return Err(SqlError::analysis("Partition and offset must be specified at the same time"));
    }
    let mut source = current.clone();
    if let Some(pair) = pairs.get(BROKERS) {
        source.brokers = brokers(pair)?;
    }
    if let (Some(moved), Some(pinned)) = (pinned(pairs)?, &mut source.pinned) {
        for (source_partition, start) in moved {
            let Some(known) = pinned.get_mut(&source_partition) else {
                let message = format!("The specified partition {source_partition} is not in the custom partitions");
                return Err(SqlError::analysis(&message));
            };
            *known = start;
        }
    }
    source.default_start = default_start(pairs)?.or(source.default_start);
    source.custom.extend(custom(pairs)?);
    check_security(pairs, &source.custom)?;
    source.registry = registry::registry(source.registry, pairs)?;
    Ok(source)
}

/// The starts that ALTER gives: every source partition of `kafka_partitions` with its `kafka_offsets` entry.
pub(super) fn starts(pairs: &Pairs) -> Result<BTreeMap<i32, StartOffset>, SqlError> {
    let pinned = pinned(pairs)?.unwrap_or_default();
    Ok(pinned.into_iter().filter_map(|(source_partition, start)| Some((source_partition, start?))).collect())
}

fn wrong(pair: &Pair, detail: &str) -> SqlError {
    SqlError::analysis_at(pair.position, detail)
}

fn check_keys(pairs: &Pairs) -> Result<(), SqlError> {
    for pair in &pairs.0 {
        if registry::is_known(pair)? {
            continue;
        }
        let custom = pair.key.strip_prefix(CUSTOM).is_some_and(|name| !name.is_empty());
        let known = custom || [BROKERS, TOPIC, PARTITIONS, OFFSETS].contains(&pair.key.as_str());
        if !known {
            let error = wrong(pair, &format!("{} is invalid kafka custom property", pair.key));
            return Err(match nearest(&pair.key, SOURCE_PROPERTIES.iter().map(|property| property.name)) {
                Some(key) => error.with_hint(format!("did you mean `{key}`?")),
                None => error.with_hint(format!("settings of the Kafka client begin with `{CUSTOM}`")),
            });
        }
    }
    Ok(())
}

fn required<'a>(pairs: &'a Pairs, key: &str) -> Result<&'a Pair, SqlError> {
    match pairs.get(key) {
        Some(pair) if pair.value.trim().is_empty() => {
            Err(wrong(pair, &format!("{key} is a required property, found an empty value")))
        }
        Some(pair) => Ok(pair),
        None => Err(SqlError::analysis(&format!("{key} is a required property"))),
    }
}

fn brokers(pair: &Pair) -> Result<Vec<String>, SqlError> {
    let list: String = pair.value.chars().filter(|letter| !letter.is_whitespace()).collect();
    let count = list.split(',').count();
    if count > MOST_BROKERS {
        let detail = format!("{BROKERS} names {count} brokers, expected at most {MOST_BROKERS}");
        return Err(wrong(pair, &detail).with_hint("a few of a cluster are enough: they name the others"));
    }
    list.split(',')
        .map(|broker| match broker.rsplit_once(':') {
            Some((host, port)) if is_host(host) && port.parse::<u16>().is_ok_and(|port| port > 0) => {
                Ok(broker.to_owned())
            }
            _ => {
                let detail = format!("Kafka broker `{broker}` does not match with host:port");
                Err(wrong(pair, &detail).with_hint("for example `localhost:9092`"))
            }
        })
        .collect()
}

/// A name or an IPv4 address; an IPv6 address in brackets.
fn is_host(host: &str) -> bool {
    let address = host.strip_prefix('[').and_then(|host| host.strip_suffix(']'));
    match address {
        Some(address) => address.parse::<core::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte)),
    }
}

fn topic(pair: &Pair) -> Result<String, SqlError> {
    let topic = pair.value.trim();
    let allowed = topic.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"._-".contains(&byte));
    if allowed && topic.len() <= LONGEST_TOPIC && topic != "." && topic != ".." {
        return Ok(topic.to_owned());
    }
    let detail = format!(
        "{TOPIC}: expected one topic of at most {LONGEST_TOPIC} letters, digits, `.`, `_` and `-`, found `{}`",
        topic.chars().take(80).collect::<String>()
    );
    let error = wrong(pair, &detail);
    Err(if topic.contains(',') { error.with_hint("a job reads one topic: create a job for each") } else { error })
}

/// What goes to the Kafka client, without the prefix; known ones are checked.
fn custom(pairs: &Pairs) -> Result<BTreeMap<String, String>, SqlError> {
    let mut custom = BTreeMap::new();
    for pair in &pairs.0 {
        let Some(name) = pair.key.strip_prefix(CUSTOM) else {
            continue;
        };
        if let Some(property) = SourceProperty::named(&pair.key) {
            property.check(&pair.value).map_err(|error| wrong(pair, &error.to_string()))?;
        }
        if name == GROUP && pair.value.trim().is_empty() {
            return Err(wrong(pair, &format!("{}: expected a name, found an empty value", pair.key)));
        }
        custom.insert(name.to_owned(), pair.value.clone());
    }
    Ok(custom)
}

/// Whether the security settings go together; the place of the error is that of the first of them in `pairs`.
fn check_security(pairs: &Pairs, custom: &BTreeMap<String, String>) -> Result<(), SqlError> {
    let Err(error) = Security::of(custom) else {
        return Ok(());
    };
    let first = pairs.0.iter().find(|pair| {
        ["security.", "sasl.", "ssl.", "aws."]
            .iter()
            .any(|part| pair.key.strip_prefix(CUSTOM).is_some_and(|name| name.starts_with(part)))
    });
    Err(match first {
        Some(pair) => wrong(pair, &error.to_string()),
        None => SqlError::analysis(&error.to_string()),
    })
}

fn default_start(pairs: &Pairs) -> Result<Option<StartOffset>, SqlError> {
    pairs.get(&format!("{CUSTOM}{DEFAULT_OFFSETS}")).map(|pair| start_offset(pair, &pair.value)).transpose()
}

/// `kafka_partitions` with what `kafka_offsets` says of each.
fn pinned(pairs: &Pairs) -> Result<Option<BTreeMap<i32, Option<StartOffset>>>, SqlError> {
    let offsets = pairs.get(OFFSETS);
    let Some(partitions) = pairs.get(PARTITIONS) else {
        return match offsets {
            None => Ok(None),
            Some(pair) => Err(wrong(pair, &format!("{OFFSETS} needs {PARTITIONS}"))
                .with_hint("without kafka_partitions, property.kafka_default_offsets says where to start")),
        };
    };
    let numbers: Vec<i32> =
        partitions.value.split(',').map(|text| source_partition(partitions, text.trim())).collect::<Result<_, _>>()?;
    let starts: Vec<Option<StartOffset>> = match offsets {
        None => vec![None; numbers.len()],
        Some(pair) => pair.value.split(',').map(|text| start_offset(pair, text).map(Some)).collect::<Result<_, _>>()?,
    };
    if numbers.len() != starts.len() {
        let pair = offsets.unwrap_or(partitions);
        let detail = "Partitions number should be equals to offsets number";
        return Err(wrong(pair, detail).with_hint(format!(
            "found {} partitions and {} offsets",
            numbers.len(),
            starts.len()
        )));
    }
    let mut pinned = BTreeMap::new();
    for (number, start) in numbers.into_iter().zip(starts) {
        if pinned.insert(number, start).is_some() {
            return Err(wrong(partitions, &format!("{PARTITIONS}: `{number}` is listed twice")));
        }
    }
    Ok(Some(pinned))
}

fn source_partition(pair: &Pair, text: &str) -> Result<i32, SqlError> {
    text.parse().ok().filter(|number| *number >= 0).ok_or_else(|| {
        let detail =
            format!("Invalid kafka partition '{text}': {PARTITIONS} expects numbers from 0, with commas between");
        wrong(pair, &detail)
    })
}

fn start_offset(pair: &Pair, text: &str) -> Result<StartOffset, SqlError> {
    let text = text.trim();
    if text.eq_ignore_ascii_case("OFFSET_BEGINNING") {
        return Ok(StartOffset::Beginning);
    }
    if text.eq_ignore_ascii_case("OFFSET_END") {
        return Ok(StartOffset::End);
    }
    text.parse().ok().filter(|offset| *offset >= 0).map(StartOffset::At).ok_or_else(|| {
        let detail =
            format!("Invalid kafka offset '{text}': expected OFFSET_BEGINNING, OFFSET_END or an integer from 0");
        let error = wrong(pair, &detail);
        if text.contains(':') || text.contains('-') && text.len() > 8 {
            error.with_hint("a start by time is not supported")
        } else {
            error
        }
    })
}
