//! Properties of storage volumes: one definition each, from which checks, masks and reference text follow.

use std::collections::BTreeMap;
use std::fmt::Write;

/// What a volume property's value may be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[non_exhaustive]
pub enum VolumePropertyKind {
    /// `true` or `false`, in any case.
    Boolean,
    /// Any text that is not empty.
    Text,
    /// `host[:port]` or `http[s]://host[:port]`.
    Endpoint,
    /// Text that is never shown.
    Secret,
    /// Known to StarRocks, not supported here yet: any value but the default is refused.
    NotYet,
}

/// A property of `CREATE STORAGE VOLUME ... PROPERTIES (...)`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct VolumeProperty {
    /// Its key, exact.
    pub name: &'static str,
    /// What values it takes.
    pub kind: VolumePropertyKind,
    /// Its value if not given; empty for none.
    pub default: &'static str,
    /// Whether ALTER may change it.
    pub alterable: bool,
    /// What it does.
    pub doc: &'static str,
}

/// A volume's properties make no sense; the statement is to be corrected.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum VolumePropertyError {
    /// No property has that name.
    #[error("Invalid storage volume property `{key}`")]
    Unknown {
        /// The key, as given.
        key: String,
    },
    /// The value is none of its kind. The value of a secret is not repeated.
    #[error("storage volume property `{key}`: expected {expected}, found `{found}`")]
    Value {
        /// The key.
        key: &'static str,
        /// What would do, in words.
        expected: &'static str,
        /// The value, as given.
        found: String,
    },
    /// StarRocks knows it, and it means something that does not exist here yet.
    #[error("storage volume property `{key}` is not supported yet")]
    NotYet {
        /// The key.
        key: &'static str,
    },
    /// ALTER cannot change it.
    #[error("Storage volume property '{key}' is immutable!")]
    Immutable {
        /// The key.
        key: &'static str,
    },
    /// One half of a key pair.
    #[error("storage volume properties `aws.s3.access_key` and `aws.s3.secret_key`: expected both or neither")]
    HalfKey,
}

/// Whether tables may be made in the volume; kept beside the others.
pub const ENABLED: &str = "enabled";

/// Every property that means something, in the order in which DESC prints them.
pub const VOLUME_PROPERTIES: &[VolumeProperty] = &[
    VolumeProperty {
        name: ENABLED,
        kind: VolumePropertyKind::Boolean,
        default: "false",
        alterable: true,
        doc: "Whether databases and tables may use the volume. The default volume cannot be disabled",
    },
    VolumeProperty {
        name: "aws.s3.access_key",
        kind: VolumePropertyKind::Secret,
        default: "",
        alterable: true,
        doc: "Access key; together with the secret key",
    },
    VolumeProperty {
        name: "aws.s3.secret_key",
        kind: VolumePropertyKind::Secret,
        default: "",
        alterable: true,
        doc: "Secret key",
    },
    VolumeProperty {
        name: "aws.s3.endpoint",
        kind: VolumePropertyKind::Endpoint,
        default: "",
        alterable: true,
        doc: "Where the service is, if it is not AWS's. Without a scheme, `http` is meant, and `https` for hosts of \
              `amazonaws.com`",
    },
    VolumeProperty {
        name: "aws.s3.region",
        kind: VolumePropertyKind::Text,
        default: "us-east-1",
        alterable: true,
        doc: "Region of the bucket",
    },
    VolumeProperty {
        name: "aws.s3.use_instance_profile",
        kind: VolumePropertyKind::Boolean,
        default: "false",
        alterable: true,
        doc: "Credentials of the functions' role: the same as the default chain",
    },
    VolumeProperty {
        name: "aws.s3.use_web_identity_token_file",
        kind: VolumePropertyKind::Boolean,
        default: "false",
        alterable: true,
        doc: "Credentials of the default chain, which knows such files",
    },
    VolumeProperty {
        name: "aws.s3.use_aws_sdk_default_behavior",
        kind: VolumePropertyKind::Boolean,
        default: "false",
        alterable: true,
        doc: "Credentials of the default chain: environment, web identity, container, instance",
    },
    VolumeProperty {
        name: "aws.s3.enable_path_style_access",
        kind: VolumePropertyKind::Boolean,
        default: "",
        alterable: true,
        doc: "Whether the bucket stands in the path rather than in the host's name. If not given: for every endpoint that \
              is not AWS's",
    },
    VolumeProperty {
        name: "aws.s3.iam_role_arn",
        kind: VolumePropertyKind::NotYet,
        default: "",
        alterable: true,
        doc: "A role to assume. Let the functions' own role reach the bucket instead",
    },
    VolumeProperty {
        name: "aws.s3.external_id",
        kind: VolumePropertyKind::NotYet,
        default: "",
        alterable: true,
        doc: "Goes with a role to assume",
    },
    VolumeProperty {
        name: "aws.s3.enable_partitioned_prefix",
        kind: VolumePropertyKind::NotYet,
        default: "false",
        alterable: false,
        doc: "Spreads objects over prefixes. S3 has done so by itself since 2018",
    },
    VolumeProperty {
        name: "aws.s3.num_partitioned_prefix",
        kind: VolumePropertyKind::NotYet,
        default: "256",
        alterable: false,
        doc: "How many",
    },
];

impl VolumeProperty {
    /// The property of that exact key.
    pub fn named(key: &str) -> Option<&'static VolumeProperty> {
        VOLUME_PROPERTIES.iter().find(|property| property.name == key)
    }

    /// Refuses a value that is none of its kind.
    ///
    /// # Errors
    /// [`VolumePropertyError::Value`] or [`VolumePropertyError::NotYet`]
    pub fn check(&self, found: &str) -> Result<(), VolumePropertyError> {
        let wrong = |expected| Err(VolumePropertyError::Value { key: self.name, expected, found: found.to_owned() });
        match self.kind {
            VolumePropertyKind::Boolean if !["true", "false"].iter().any(|word| found.eq_ignore_ascii_case(word)) => {
                wrong("`true` or `false`")
            }
            VolumePropertyKind::Text if found.trim().is_empty() => wrong("a text"),
            VolumePropertyKind::Endpoint if !is_endpoint(found) => wrong("host[:port] or http[s]://host[:port]"),
            VolumePropertyKind::NotYet if !found.eq_ignore_ascii_case(self.default) => {
                Err(VolumePropertyError::NotYet { key: self.name })
            }
            _ => Ok(()),
        }
    }
}

/// Checks that properties of a volume go together.
///
/// # Errors
/// [`VolumePropertyError::HalfKey`]
pub fn check_together(properties: &BTreeMap<String, String>) -> Result<(), VolumePropertyError> {
    let given = |key: &str| properties.get(key).is_some_and(|value| !value.is_empty());
    if given("aws.s3.access_key") == given("aws.s3.secret_key") { Ok(()) } else { Err(VolumePropertyError::HalfKey) }
}

/// Whether the value of a property of that key is never shown.
pub fn is_secret(key: &str) -> bool {
    key.ends_with("access_key") || key.ends_with("secret_key")
}

fn is_endpoint(text: &str) -> bool {
    let host = text.strip_prefix("http://").or_else(|| text.strip_prefix("https://")).unwrap_or(text);
    let host = host.strip_suffix('/').unwrap_or(host);
    let (name, port) = host.rsplit_once(':').map_or((host, None), |(name, port)| (name, Some(port)));
    let named = !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte));
    named && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
}

/// The reference as a Markdown table: a row a property, in the order of [`VOLUME_PROPERTIES`], under a heading row.
pub fn reference() -> String {
    let mut text = String::from("| property | accepted | default | what it does |\n| --- | --- | --- | --- |\n");
    for property in VOLUME_PROPERTIES {
        let accepted = match property.kind {
            VolumePropertyKind::Boolean => "`true`, `false`",
            VolumePropertyKind::Text => "a text",
            VolumePropertyKind::Endpoint => "`host[:port]` or a URL",
            VolumePropertyKind::Secret => "a text, shown as `******`",
            VolumePropertyKind::NotYet => "not supported yet",
        };
        let default = if property.default.is_empty() { "none".to_owned() } else { format!("`{}`", property.default) };
        // Writing to a text cannot fail.
        let _ = writeln!(text, "| `{}` | {accepted} | {default} | {} |", property.name, property.doc);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(key: &str, value: &str) -> Result<(), VolumePropertyError> {
        VolumeProperty::named(key).expect("a property").check(value)
    }

    #[test]
    fn endpoints_are_hosts_with_or_without_scheme_and_port() {
        for good in
            ["minio:9000", "http://127.0.0.1:9000", "https://s3.eu-west-1.amazonaws.com", "s3.example", "http://h/"]
        {
            check("aws.s3.endpoint", good).expect(good);
        }
        for wrong in ["", "http://", "minio:0", "minio:x", "ftp://h", "h/path", "h:1:2", "a b"] {
            check("aws.s3.endpoint", wrong).expect_err(wrong);
        }
    }

    #[test]
    fn booleans_are_two_words_and_what_is_not_supported_says_so() {
        check("enabled", "TRUE").expect("any case");
        check("enabled", "yes").expect_err("no boolean");
        check("aws.s3.enable_partitioned_prefix", "false").expect("the default");
        let error = check("aws.s3.iam_role_arn", "arn:aws:iam::1:role/r").expect_err("no roles").to_string();
        assert_eq!(error, "storage volume property `aws.s3.iam_role_arn` is not supported yet");
    }

    #[test]
    fn keys_come_in_pairs() {
        let pair = |key: &str| BTreeMap::from([(key.to_owned(), "x".to_owned())]);
        assert_eq!(check_together(&pair("aws.s3.access_key")), Err(VolumePropertyError::HalfKey));
        assert_eq!(check_together(&pair("aws.s3.secret_key")), Err(VolumePropertyError::HalfKey));
        assert_eq!(check_together(&pair("enabled")), Ok(()));
    }
}
