//! Where a job's schemas are: the address of a schema registry, and who asks there.
//!
//! Only the address. What a registry is asked, and what it answers, is for those who have a network.

use std::fmt;

use serde::{Deserialize, Serialize};

/// A schema registry. Prints its URL, never its credentials.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct SchemaRegistry {
    /// `http[s]://host[:port][/path]`, without credentials and without a `/` at its end.
    pub url: String,
    /// For HTTP's basic authentication, if it wants one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub credentials: Option<Credentials>,
}

/// Name and secret. Prints neither the one nor the other.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Credentials {
    /// Name, or API key.
    pub user: String,
    /// Password, or API secret.
    pub secret: String,
}

impl SchemaRegistry {
    /// Reads `http[s]://[user:secret@]host[:port][/path]`. User and secret may hold percent signs and two digits for
    /// characters that a URL cannot have.
    ///
    /// # Errors
    /// [`RegistryError`] says what is wrong, without the credentials.
    pub fn parse(text: &str) -> Result<Self, RegistryError> {
        let text = text.trim();
        let (scheme, rest) = text.split_once("://").ok_or(RegistryError::Scheme { found: shown(text) })?;
        let scheme = scheme.to_ascii_lowercase();
        if scheme != "http" && scheme != "https" {
            return Err(RegistryError::Scheme { found: shown(&scheme) });
        }
        let (authority, path) = rest.find('/').map_or((rest, ""), |at| rest.split_at_checked(at).unwrap_or((rest, "")));
        let (credentials, address) = match authority.rsplit_once('@') {
            None => (None, authority),
            Some((credentials, address)) => (Some(Credentials::of_url(credentials)?), address),
        };
        if path.contains(['?', '#']) || address.contains(['?', '#']) {
            return Err(RegistryError::Query);
        }
        if path.contains(',') || address.contains(',') {
            return Err(RegistryError::Several);
        }
        let plain = path.bytes().all(|byte| byte.is_ascii_graphic() && !b"\"<>\\^`{|}".contains(&byte));
        if !is_address(address) || !plain {
            return Err(RegistryError::Address { found: shown(&format!("{address}{path}")) });
        }
        Ok(Self { url: format!("{scheme}://{address}{}", path.trim_end_matches('/')), credentials })
    }
}

impl fmt::Display for SchemaRegistry {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.url)
    }
}

impl Credentials {
    /// Reads `user:secret` as it stands.
    ///
    /// # Errors
    /// [`RegistryError::Credentials`] if there is no `:` or no user.
    pub fn parse(text: &str) -> Result<Self, RegistryError> {
        match text.split_once(':') {
            Some((user, secret)) if !user.is_empty() => Ok(Self { user: user.to_owned(), secret: secret.to_owned() }),
            _ => Err(RegistryError::Credentials),
        }
    }

    fn of_url(text: &str) -> Result<Self, RegistryError> {
        let Self { user, secret } = Self::parse(text)?;
        let decoded = |part: &str| percent_decoded(part).ok_or(RegistryError::Credentials);
        Ok(Self { user: decoded(&user)?, secret: decoded(&secret)? })
    }
}

impl fmt::Debug for Credentials {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Credentials(******)")
    }
}

/// A text that is no address of a schema registry.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum RegistryError {
    /// It does not begin as a URL does.
    #[error("expected a URL that begins with http:// or https://, found `{found}`")]
    Scheme {
        /// What it is, without credentials.
        found: String,
    },
    /// Host or port are none.
    #[error("expected http[s]://[key:secret@]host[:port], found `{found}` as the host")]
    Address {
        /// What stands there.
        found: String,
    },
    /// A query or a fragment.
    #[error("expected http[s]://[key:secret@]host[:port], found a `?` or `#`")]
    Query,
    /// More than one.
    #[error("expected one URL, found a list")]
    Several,
    /// Credentials that are not two.
    #[error("expected credentials as key:secret")]
    Credentials,
}

fn is_address(address: &str) -> bool {
    let (host, port) = match address.rsplit_once(':') {
        // An IPv6 address without a port ends with its bracket.
        Some((_, port)) if port.ends_with(']') => (address, None),
        Some((host, port)) => (host, Some(port)),
        None => (address, None),
    };
    let host_fits = match host.strip_prefix('[').and_then(|host| host.strip_suffix(']')) {
        Some(address) => address.parse::<core::net::Ipv6Addr>().is_ok(),
        None => !host.is_empty() && host.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".-_".contains(&byte)),
    };
    host_fits && port.is_none_or(|port| port.parse::<u16>().is_ok_and(|port| port > 0))
}

fn percent_decoded(text: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.as_bytes();
    while let Some((byte, after)) = rest.split_first() {
        rest = after;
        if *byte != b'%' {
            bytes.push(*byte);
            continue;
        }
        let (digits, after) = rest.split_first_chunk::<2>()?;
        let [high, low] = digits.map(|digit| char::from(digit).to_digit(16));
        bytes.push(u8::try_from(high? << 4 | low?).ok()?);
        rest = after;
    }
    String::from_utf8(bytes).ok()
}

/// The text without what may be credentials, cut short.
fn shown(text: &str) -> String {
    let text = text.rsplit_once('@').map_or(text, |(_, rest)| rest);
    text.chars().take(80).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_url_is_taken_apart() {
        for (text, url, credentials) in [
            ("http://localhost:8081", "http://localhost:8081", None),
            (" HTTPS://registry.example/ ", "https://registry.example", None),
            (
                "https://key:s%40cret@psrc-1.eu.example:443/a/",
                "https://psrc-1.eu.example:443/a",
                Some(("key", "s@cret")),
            ),
            ("http://u:p@ss@[::1]:8081", "http://[::1]:8081", Some(("u", "p@ss"))),
            ("http://[::1]", "http://[::1]", None),
        ] {
            let registry = SchemaRegistry::parse(text).unwrap();
            assert_eq!(registry.url, url, "{text}");
            let found = registry.credentials.as_ref().map(|found| (found.user.as_str(), found.secret.as_str()));
            assert_eq!(found, credentials, "{text}");
        }
    }

    #[test]
    fn what_is_no_url_is_refused_without_its_secret() {
        for text in [
            "",
            "localhost:8081",
            "ftp://u:hidden@h",
            "http://",
            "http://:8081",
            "http://host:0",
            "http://host:99999",
            "http://u:hidden@",
            "http://hidden@host",
            "http://u:hidden%4@host",
            "http://u:hidden@a,http://b",
            "http://host/?a=b",
            "http://ho st",
        ] {
            let error = SchemaRegistry::parse(text).unwrap_err().to_string();
            assert!(!error.contains("hidden"), "{error}");
        }
    }

    #[test]
    fn nothing_prints_credentials() {
        let registry = SchemaRegistry::parse("https://key:hidden@host").unwrap();
        assert_eq!(registry.to_string(), "https://host");
        assert!(!format!("{registry:?}").contains("hidden"));
        assert!(!format!("{registry:?}").contains("key"));
    }
}
