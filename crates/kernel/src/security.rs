//! How a job speaks to brokers: what its `property.security.*`, `property.sasl.*` and `property.aws.*` mean together.
//!
//! Pure and the same everywhere; what a platform can do of it is for the platform's event source mappings to say.

use std::collections::BTreeMap;

/// Encryption, and whether clients say who they are.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Protocol {
    /// Neither.
    #[default]
    Plaintext,
    /// TLS, with a client certificate if the brokers want one.
    Ssl,
    /// SASL over plain text.
    SaslPlaintext,
    /// SASL over TLS.
    SaslSsl,
}

/// How a client says who it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mechanism {
    /// User and password.
    Plain,
    /// User and password, by SCRAM with SHA-256.
    ScramSha256,
    /// User and password, by SCRAM with SHA-512.
    ScramSha512,
    /// OAuth tokens.
    OauthBearer,
    /// Kerberos.
    Gssapi,
    /// IAM of AWS, for Amazon MSK.
    AwsMskIam,
}

/// A job's security settings, known to go together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Security<'a> {
    custom: &'a BTreeMap<String, String>,
    /// `security.protocol`; `None` if it is not given.
    pub protocol: Option<Protocol>,
    /// `sasl.mechanism`, with a SASL protocol only.
    pub mechanism: Option<Mechanism>,
}

/// Settings that do not go together; the definition must change.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum SecurityError {
    /// One is needed because of another.
    #[error("property.{key} is required {because}")]
    Missing {
        /// What is missing, without its prefix.
        key: &'static str,
        /// Why it is needed.
        because: &'static str,
    },
    /// One is in vain because of another.
    #[error("property.{key} needs {needs}")]
    Vain {
        /// What has no effect, without its prefix.
        key: &'static str,
        /// What it would have an effect with.
        needs: &'static str,
    },
    /// The two spellings of the mechanism say different things.
    #[error("property.sasl.mechanism and property.sasl.mechanisms: expected one of them, found `{one}` and `{other}`")]
    TwoMechanisms {
        /// Of the first.
        one: String,
        /// Of the second.
        other: String,
    },
}

impl<'a> Security<'a> {
    /// Reads `custom`, a job's `property.*` without the prefix. Values of single properties are known to be of their
    /// kind ([`SourceProperty::check`](crate::source_property::SourceProperty::check)); an unknown word counts as absent.
    ///
    /// # Errors
    /// [`SecurityError`]
    pub fn of(custom: &'a BTreeMap<String, String>) -> Result<Self, SecurityError> {
        let given = |key: &str| custom.get(key).map(String::as_str).filter(|value| !value.is_empty());
        let protocol = given("security.protocol").and_then(protocol);
        let word = match (given("sasl.mechanism"), given("sasl.mechanisms")) {
            (Some(one), Some(other)) if !one.eq_ignore_ascii_case(other) => {
                return Err(SecurityError::TwoMechanisms { one: one.to_owned(), other: other.to_owned() });
            }
            (one, other) => one.or(other),
        };
        let mechanism = word.and_then(mechanism);
        let sasl = matches!(protocol, Some(Protocol::SaslPlaintext | Protocol::SaslSsl));
        match mechanism {
            None if sasl => {
                let because = "with security.protocol `sasl_plaintext` or `sasl_ssl`";
                return Err(SecurityError::Missing { key: "sasl.mechanism", because });
            }
            // IAM says all by itself.
            Some(Mechanism::AwsMskIam) if protocol != Some(Protocol::SaslSsl) && protocol.is_some() => {
                return Err(SecurityError::Vain {
                    key: "sasl.mechanism = `AWS_MSK_IAM`",
                    needs: "security.protocol `sasl_ssl`",
                });
            }
            Some(Mechanism::AwsMskIam) | None => {}
            Some(_) if !sasl => {
                let needs = "property.security.protocol `sasl_ssl` or `sasl_plaintext`";
                return Err(SecurityError::Vain { key: "sasl.mechanism", needs });
            }
            Some(Mechanism::Plain | Mechanism::ScramSha256 | Mechanism::ScramSha512)
                if given("aws.secret.arn").is_none() =>
            {
                for key in ["sasl.username", "sasl.password"] {
                    if given(key).is_none() {
                        return Err(SecurityError::Missing {
                            key,
                            because: "with this mechanism, or property.aws.secret.arn",
                        });
                    }
                }
            }
            Some(_) => {}
        }
        match (given("aws.vpc.subnets"), given("aws.vpc.security.groups")) {
            (Some(_), None) => {
                Err(SecurityError::Missing { key: "aws.vpc.security.groups", because: "with property.aws.vpc.subnets" })
            }
            (None, Some(_)) => {
                Err(SecurityError::Missing { key: "aws.vpc.subnets", because: "with property.aws.vpc.security.groups" })
            }
            _ => Ok(Self { custom, protocol, mechanism }),
        }
    }

    /// A setting by its name without `property.`; `None` if absent or empty.
    pub fn get(&self, name: &str) -> Option<&'a str> {
        self.custom.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// Whether the connection is encrypted.
    pub fn encrypts(&self) -> bool {
        matches!(self.protocol, Some(Protocol::Ssl | Protocol::SaslSsl)) || self.mechanism == Some(Mechanism::AwsMskIam)
    }
}

fn protocol(word: &str) -> Option<Protocol> {
    match word.to_ascii_lowercase().as_str() {
        "plaintext" => Some(Protocol::Plaintext),
        "ssl" => Some(Protocol::Ssl),
        "sasl_plaintext" => Some(Protocol::SaslPlaintext),
        "sasl_ssl" => Some(Protocol::SaslSsl),
        _ => None,
    }
}

fn mechanism(word: &str) -> Option<Mechanism> {
    match word.to_ascii_uppercase().as_str() {
        "PLAIN" => Some(Mechanism::Plain),
        "SCRAM-SHA-256" => Some(Mechanism::ScramSha256),
        "SCRAM-SHA-512" => Some(Mechanism::ScramSha512),
        "OAUTHBEARER" => Some(Mechanism::OauthBearer),
        "GSSAPI" => Some(Mechanism::Gssapi),
        "AWS_MSK_IAM" => Some(Mechanism::AwsMskIam),
        _ => None,
    }
}

/// Whether the value of a property of that name, with or without `property.`, is a secret. More are than in StarRocks,
/// which shows keys given as text. A reference to a secret (`aws.secret.arn`) is none.
pub fn is_secret(key: &str) -> bool {
    let key = key.to_ascii_lowercase();
    if key.ends_with("secret.arn") {
        return false;
    }
    const WORDS: [&str; 7] = [
        "password",
        "secret",
        "sasl.jaas.config",
        "sasl.oauthbearer.config",
        "key.pem",
        "keystore.key",
        "basic.auth.user.info",
    ];
    WORDS.iter().any(|word| key.contains(word))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: (&str, &str) = ("aws.secret.arn", "arn:aws:secretsmanager:r:1:secret:s");

    fn problem(pairs: &[(&str, &str)]) -> Option<String> {
        let custom = pairs.iter().map(|(key, value)| ((*key).to_owned(), (*value).to_owned())).collect();
        Security::of(&custom).err().map(|error| error.to_string())
    }

    #[test]
    fn settings_that_go_together_are_taken() {
        let plain = [("security.protocol", "SASL_SSL"), ("sasl.mechanism", "plain")];
        let user = [("sasl.username", "u"), ("sasl.password", "p")];
        for pairs in [
            vec![],
            vec![("security.protocol", "plaintext")],
            vec![("security.protocol", "ssl"), SECRET],
            [plain.as_slice(), user.as_slice()].concat(),
            [plain.as_slice(), &[SECRET]].concat(),
            vec![("sasl.mechanism", "AWS_MSK_IAM")],
            vec![("security.protocol", "sasl_ssl"), ("sasl.mechanisms", "AWS_MSK_IAM")],
            vec![("aws.vpc.subnets", "subnet-1"), ("aws.vpc.security.groups", "sg-1")],
            // Without a protocol they are never used, and StarRocks takes them.
            user.to_vec(),
        ] {
            assert_eq!(problem(&pairs), None, "{pairs:?}");
        }
    }

    #[test]
    fn settings_that_do_not_are_named() {
        for (pairs, message) in [
            (vec![("security.protocol", "sasl_ssl")], "property.sasl.mechanism is required"),
            (vec![("sasl.mechanism", "PLAIN")], "property.sasl.mechanism needs property.security.protocol"),
            (
                vec![("security.protocol", "sasl_ssl"), ("sasl.mechanism", "PLAIN"), ("sasl.username", "u")],
                "property.sasl.password is required",
            ),
            (
                vec![("security.protocol", "ssl"), ("sasl.mechanism", "AWS_MSK_IAM")],
                "needs security.protocol `sasl_ssl`",
            ),
            (vec![("sasl.mechanism", "PLAIN"), ("sasl.mechanisms", "GSSAPI")], "found `PLAIN` and `GSSAPI`"),
            (vec![("aws.vpc.subnets", "subnet-1")], "property.aws.vpc.security.groups is required"),
            (vec![("aws.vpc.security.groups", "sg-1")], "property.aws.vpc.subnets is required"),
        ] {
            let found = problem(&pairs).unwrap_or_default();
            assert!(found.contains(message), "{pairs:?}: {found}");
        }
    }

    #[test]
    fn secrets_are_known_by_their_names() {
        for secret in [
            "sasl.password",
            "property.ssl.key.password",
            "SASL.PASSWORD",
            "sasl.oauthbearer.client.secret",
            "sasl.oauthbearer.config",
            "ssl.key.pem",
            "sasl.jaas.config",
            "aws.s3.secret_key",
        ] {
            assert!(is_secret(secret), "{secret}");
        }
        for open in ["sasl.username", "group.id", "aws.secret.arn", "property.aws.ca.secret.arn", "ssl.ca.location"] {
            assert!(!is_secret(open), "{open}");
        }
    }
}
