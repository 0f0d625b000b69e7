//! Properties of `FROM KAFKA (...)`: one definition each, from which checks, masks and reference text follow.
//!
//! Besides these, any `property.<name>` is handed to the Kafka client as it is. How security properties go together is
//! said in [`security`](crate::security).

use std::fmt::Write;

/// What leads a setting of the Kafka client.
pub const CLIENT_PREFIX: &str = "property.";

/// What a source property's value may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum SourceKind {
    /// `host:port` items with commas between.
    Brokers,
    /// One topic's name.
    Topic,
    /// Numbers from 0 with commas between.
    SourcePartitions,
    /// A start a source partition, with commas between.
    Starts,
    /// `OFFSET_BEGINNING`, `OFFSET_END` or an integer from 0.
    Start,
    /// One of these words, in any case.
    Word(&'static [&'static str]),
    /// `http[s]://[key:secret@]host[:port]`.
    Registry,
    /// `key:secret`.
    UserInfo,
    /// Any text.
    Text,
    /// An ARN of this AWS service.
    Arn(&'static str),
    /// Ids that begin so, with commas between.
    Ids(&'static str),
}

/// A property of `FROM KAFKA (...)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct SourceProperty {
    /// Its key, exact.
    pub name: &'static str,
    /// What values it takes.
    pub kind: SourceKind,
    /// What holds if it is not given, in words.
    pub default: &'static str,
    /// Whether ALTER may change it.
    pub alterable: bool,
    /// What it does.
    pub doc: &'static str,
}

/// A source property's value that makes no sense; the statement is to be corrected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{key}: expected {expected}, found `{found}`")]
pub struct SourcePropertyError {
    /// The key.
    pub key: &'static str,
    /// What would do, in words.
    pub expected: String,
    /// The value, as given.
    pub found: String,
}

impl SourceProperty {
    /// The property of that exact key.
    pub fn named(key: &str) -> Option<&'static SourceProperty> {
        SOURCE_PROPERTIES.iter().find(|property| property.name == key)
    }

    /// Refuses a value that is none of its kind. Lists that belong together (`kafka_partitions` and `kafka_offsets`),
    /// brokers and topics are for the definition to read, not for this.
    ///
    /// # Errors
    /// [`SourcePropertyError`]
    pub fn check(&self, found: &str) -> Result<(), SourcePropertyError> {
        let fits = match self.kind {
            SourceKind::Word(words) => words.iter().any(|word| word.eq_ignore_ascii_case(found)),
            SourceKind::Arn(service) => {
                let mut parts = found.split(':');
                let arn =
                    parts.next() == Some("arn") && parts.next().is_some_and(|partition| partition.starts_with("aws"));
                arn && parts.next() == Some(service) && parts.count() >= 3
            }
            SourceKind::Ids(prefix) => found.split(',').all(|id| {
                let rest = id.trim().strip_prefix(prefix);
                rest.is_some_and(|rest| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_alphanumeric()))
            }),
            _ => true,
        };
        if fits {
            return Ok(());
        }
        Err(SourcePropertyError { key: self.name, expected: expected(self.kind), found: found.to_owned() })
    }
}

fn expected(kind: SourceKind) -> String {
    match kind {
        SourceKind::Brokers => "`host:port` items with commas between".to_owned(),
        SourceKind::Topic => "one topic".to_owned(),
        SourceKind::SourcePartitions => "numbers from 0, with commas between".to_owned(),
        SourceKind::Starts => "for each of `kafka_partitions` a start, with commas between".to_owned(),
        SourceKind::Start => "`OFFSET_BEGINNING`, `OFFSET_END` or an integer from 0".to_owned(),
        SourceKind::Word(words) => {
            let words: Vec<String> = words.iter().map(|word| format!("`{word}`")).collect();
            match words.split_last() {
                Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
                _ => words.concat(),
            }
        }
        SourceKind::Registry => "`http[s]://[key:secret@]host[:port]`".to_owned(),
        SourceKind::UserInfo => "`key:secret`".to_owned(),
        SourceKind::Text => "any text".to_owned(),
        SourceKind::Arn(service) => format!("an ARN such as `arn:aws:{service}:<region>:<account>:...`"),
        SourceKind::Ids(prefix) => format!("ids such as `{prefix}0123456789abcdef0`, with commas between"),
    }
}

/// The reference as a Markdown table: a row a property, in the order of [`SOURCE_PROPERTIES`], under a heading row.
pub fn reference() -> String {
    let mut text =
        String::from("| property | accepted | default | ALTER | what it does |\n| --- | --- | --- | --- | --- |\n");
    for property in SOURCE_PROPERTIES {
        let alterable = if property.alterable { "yes" } else { "no" };
        // Writing to a text cannot fail.
        let _ = writeln!(
            text,
            "| `{}` | {} | {} | {alterable} | {} |",
            property.name,
            expected(property.kind),
            property.default,
            property.doc
        );
    }
    text
}

/// Every source property that means something to Penstock, in the order in which references list them.
pub const SOURCE_PROPERTIES: &[SourceProperty] = &[
    SourceProperty {
        name: "kafka_broker_list",
        kind: SourceKind::Brokers,
        default: "required",
        alterable: true,
        doc: "The brokers. A change makes the event source mapping anew, since a mapping's brokers are fixed",
    },
    SourceProperty {
        name: "kafka_topic",
        kind: SourceKind::Topic,
        default: "required",
        alterable: false,
        doc: "The topic",
    },
    SourceProperty {
        name: "kafka_partitions",
        kind: SourceKind::SourcePartitions,
        default: "all, and those added later",
        alterable: true,
        doc: "The job reads these source partitions and no others. ALTER takes it together with `kafka_offsets`",
    },
    SourceProperty {
        name: "kafka_offsets",
        kind: SourceKind::Starts,
        default: "`property.kafka_default_offsets`",
        alterable: true,
        doc: "Where each of `kafka_partitions` starts: the next offset to load. ALTER moves the job there, backwards too",
    },
    SourceProperty {
        name: "property.kafka_default_offsets",
        kind: SourceKind::Start,
        default: "`OFFSET_END`; the beginning for source partitions added later",
        alterable: true,
        doc: "Where source partitions start that `kafka_offsets` does not name",
    },
    SourceProperty {
        name: "property.group.id",
        kind: SourceKind::Text,
        default: "`<job>_<uuid>`",
        alterable: true,
        doc: "Consumer group. What counts is the job's own progress, so another group loads no record twice. ALTER that \
              moves a job back gives it a group of its own: the group's name with `-v<version>` behind",
    },
    SourceProperty {
        name: "confluent.schema.registry.url",
        kind: SourceKind::Registry,
        default: "none; required with `format` = avro",
        alterable: true,
        doc: "Where the schemas of the records are. Credentials in it are kept, and shown nowhere; ALTER to another URL \
              does not take the old ones there",
    },
    SourceProperty {
        name: "confluent.schema.registry.basic.auth.user.info",
        kind: SourceKind::UserInfo,
        default: "none",
        alterable: true,
        doc: "Credentials for the registry, if they do not stand in its URL; shown as `******`. Empty takes them away",
    },
    SourceProperty {
        name: "confluent.schema.registry.basic.auth.credentials.source",
        kind: SourceKind::Word(&["URL", "USER_INFO"]),
        default: "none",
        alterable: true,
        doc: "Accepted without effect: credentials are taken from where they stand",
    },
    SourceProperty {
        name: "property.client.id",
        kind: SourceKind::Text,
        default: "`penstock`",
        alterable: true,
        doc: "Name of the client in the broker's log. On AWS the pollers have their own",
    },
    SourceProperty {
        name: "property.security.protocol",
        kind: SourceKind::Word(&["plaintext", "ssl", "sasl_plaintext", "sasl_ssl"]),
        default: "`plaintext`; on AWS what the mapping finds",
        alterable: true,
        doc: "How brokers are spoken to",
    },
    SourceProperty {
        name: "property.sasl.mechanism",
        kind: SourceKind::Word(&["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER", "GSSAPI", "AWS_MSK_IAM"]),
        default: "none; required with a `sasl_` protocol",
        alterable: true,
        doc: "How the job says who it is. `AWS_MSK_IAM` signs with the load function's role",
    },
    SourceProperty {
        name: "property.sasl.mechanisms",
        kind: SourceKind::Word(&["PLAIN", "SCRAM-SHA-256", "SCRAM-SHA-512", "OAUTHBEARER", "GSSAPI", "AWS_MSK_IAM"]),
        default: "none",
        alterable: true,
        doc: "Another spelling of `property.sasl.mechanism`",
    },
    SourceProperty {
        name: "property.sasl.username",
        kind: SourceKind::Text,
        default: "none",
        alterable: true,
        doc: "User, on a laptop. On AWS it is in the secret",
    },
    SourceProperty {
        name: "property.sasl.password",
        kind: SourceKind::Text,
        default: "none",
        alterable: true,
        doc: "Password, on a laptop; shown as `******`. Refused on AWS, where it is in the secret",
    },
    SourceProperty {
        name: "property.aws.secret.arn",
        kind: SourceKind::Arn("secretsmanager"),
        default: "the deployment's `KafkaSourceAccess`",
        alterable: true,
        doc: "AWS: the secret with `username` and `password` (SASL), or with `certificate` and `privateKey` (`ssl`)",
    },
    SourceProperty {
        name: "property.aws.ca.secret.arn",
        kind: SourceKind::Arn("secretsmanager"),
        default: "public authorities",
        alterable: true,
        doc: "AWS: the secret with the `certificate` of the authority that signed the brokers'",
    },
    SourceProperty {
        name: "property.aws.vpc.subnets",
        kind: SourceKind::Ids("subnet-"),
        default: "the deployment's `KafkaSourceAccess`",
        alterable: true,
        doc: "AWS: the subnets from which self-managed brokers are reached; together with the security groups",
    },
    SourceProperty {
        name: "property.aws.vpc.security.groups",
        kind: SourceKind::Ids("sg-"),
        default: "the deployment's `KafkaSourceAccess`",
        alterable: true,
        doc: "AWS: the security groups of the pollers",
    },
    SourceProperty {
        name: "property.aws.msk.cluster.arn",
        kind: SourceKind::Arn("kafka"),
        default: "the deployment's `KafkaClusterArn`",
        alterable: true,
        doc: "AWS: the Amazon MSK cluster of the topic, instead of `kafka_broker_list`",
    },
];

#[cfg(test)]
mod tests {
    use super::*;

    fn check(key: &str, value: &str) -> Result<(), SourcePropertyError> {
        SourceProperty::named(key).expect("a property").check(value)
    }

    #[test]
    fn words_are_taken_in_any_case_and_nothing_else() {
        for word in ["plaintext", "SSL", "Sasl_Plaintext", "SASL_SSL"] {
            check("property.security.protocol", word).expect(word);
        }
        let error = check("property.security.protocol", "tls").expect_err("no protocol").to_string();
        assert_eq!(
            error,
            "property.security.protocol: expected `plaintext`, `ssl`, `sasl_plaintext` or `sasl_ssl`, found `tls`"
        );
        check("property.sasl.mechanism", "").expect_err("empty");
    }

    #[test]
    fn arns_and_ids_have_their_shape() {
        check("property.aws.secret.arn", "arn:aws:secretsmanager:eu-west-1:123456789012:secret:kafka-a1b2c3").unwrap();
        check("property.aws.secret.arn", "arn:aws-cn:secretsmanager:cn-north-1:123456789012:secret:k").unwrap();
        for wrong in ["", "kafka", "arn:aws:s3:::bucket", "arn:aws:secretsmanager", "arn:azure:secretsmanager:a:b:c"] {
            check("property.aws.secret.arn", wrong).expect_err(wrong);
        }
        check("property.aws.vpc.subnets", "subnet-0a, subnet-1b").unwrap();
        for wrong in ["", "subnet-", "subnet-1,", "sg-1", "subnet:subnet-1"] {
            check("property.aws.vpc.subnets", wrong).expect_err(wrong);
        }
    }

    #[test]
    fn reference_has_a_row_for_every_property() {
        assert_eq!(reference().lines().count(), SOURCE_PROPERTIES.len() + 2);
        assert!(reference().lines().all(|line| line.split(" | ").count() == 5), "{}", reference());
    }
}
