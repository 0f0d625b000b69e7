//! How a volume is reached: whose endpoint, region and credentials, and where the bucket's name stands.
//!
//! | volume | endpoint | region | credentials |
//! | --- | --- | --- | --- |
//! | the builtin one | the deployment's | the deployment's | the deployment's |
//! | names neither endpoint nor credentials | the deployment's | its own, else the deployment's | the deployment's |
//! | names an endpoint that stands for the deployment's | the deployment's | the deployment's | the deployment's |
//! | names an endpoint only | its own | its own, else `us-east-1` | the deployment's |
//! | names keys | its own, else AWS's | its own, else `us-east-1` | the keys |
//! | names the default chain or an instance profile | its own, else AWS's | its own, else `us-east-1` | the default chain |

use crate::s3::{BuiltinStorage, Keys};
use crate::{BUILTIN_VOLUME, StorageError, Volume};

/// Region of a volume that names none.
pub(crate) const DEFAULT_REGION: &str = "us-east-1";

/// How a volume is reached.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(crate) struct Access {
    /// With its scheme; `None`: AWS's in the region.
    pub(crate) endpoint: Option<String>,
    pub(crate) region: String,
    /// `None`: the default chain.
    pub(crate) keys: Option<Keys>,
    /// Whether the bucket stands in the path.
    pub(crate) path_style: bool,
}

impl Access {
    /// The access of `volume` in a deployment.
    ///
    /// # Errors
    /// [`StorageError::Endpoint`]
    pub(crate) fn of(volume: &Volume, builtin: &BuiltinStorage) -> Result<Self, StorageError> {
        let given = |key: &str| {
            let value = volume.properties.get(&format!("aws.s3.{key}")).map(|value| value.trim());
            value.filter(|value| !value.is_empty())
        };
        let is_true = |key: &str| given(key).is_some_and(|value| value.eq_ignore_ascii_case("true"));
        let deployment = |region: &str| Self {
            endpoint: builtin.endpoint.clone(),
            region: region.to_owned(),
            keys: builtin.keys.clone(),
            path_style: builtin.endpoint.is_some(),
        };
        if volume.name == BUILTIN_VOLUME {
            return Ok(deployment(&builtin.region));
        }
        let keys = given("access_key").zip(given("secret_key")).map(|(access_key, secret_key)| Keys {
            access_key: access_key.to_owned(),
            secret_key: secret_key.to_owned(),
            session_token: None,
        });
        let chain = ["use_aws_sdk_default_behavior", "use_instance_profile", "use_web_identity_token_file"];
        let chained = chain.iter().any(|key| is_true(key));
        let endpoint = given("endpoint");
        if let Some(endpoint) = endpoint
            && builtin.aliases.iter().any(|alias| bare(alias).eq_ignore_ascii_case(bare(endpoint)))
        {
            return Ok(deployment(&builtin.region));
        }
        if endpoint.is_none() && keys.is_none() && !chained {
            return Ok(deployment(given("region").unwrap_or(&builtin.region)));
        }
        let endpoint = endpoint.map(|endpoint| with_scheme(volume, endpoint)).transpose()?;
        let aws = endpoint.as_deref().is_none_or(is_aws);
        let path_style = match given("enable_path_style_access") {
            Some(value) => value.eq_ignore_ascii_case("true"),
            None => !aws,
        };
        Ok(Self {
            region: given("region").unwrap_or(DEFAULT_REGION).to_owned(),
            keys: if chained { None } else { keys.or_else(|| builtin.keys.clone()) },
            endpoint,
            path_style,
        })
    }

    /// The URL below which the keys of `bucket` lie, if it is not for the client to find.
    pub(crate) fn bucket_url(&self, bucket: &str) -> Option<String> {
        let endpoint = self.endpoint.as_deref()?.trim_end_matches('/');
        if self.path_style {
            return Some(format!("{endpoint}/{bucket}"));
        }
        let (scheme, host) = endpoint.split_once("://")?;
        Some(format!("{scheme}://{bucket}.{host}"))
    }
}

fn bare(endpoint: &str) -> &str {
    let endpoint = endpoint.strip_prefix("http://").or_else(|| endpoint.strip_prefix("https://")).unwrap_or(endpoint);
    endpoint.trim_end_matches('/')
}

/// StarRocks' examples name MinIO without a scheme, which speaks plain HTTP; AWS never does.
fn with_scheme(volume: &Volume, endpoint: &str) -> Result<String, StorageError> {
    if bare(endpoint).is_empty() {
        return Err(StorageError::Endpoint { volume: volume.name.clone(), endpoint: endpoint.to_owned() });
    }
    Ok(if endpoint.contains("://") {
        endpoint.to_owned()
    } else if is_aws(endpoint) {
        format!("https://{endpoint}")
    } else {
        format!("http://{endpoint}")
    })
}

fn is_aws(endpoint: &str) -> bool {
    let host = bare(endpoint);
    let host = host.rsplit_once(':').map_or(host, |(host, _)| host);
    host.ends_with(".amazonaws.com") || host.ends_with(".amazonaws.com.cn")
}

#[cfg(test)]
mod tests {
    use super::*;

    fn builtin() -> BuiltinStorage {
        BuiltinStorage {
            endpoint: Some("http://127.0.0.1:9001".to_owned()),
            region: "eu-west-1".to_owned(),
            keys: Some(keys("DEPLOYED")),
            aliases: vec!["minio:9000".to_owned()],
        }
    }

    fn keys(access_key: &str) -> Keys {
        Keys { access_key: access_key.to_owned(), secret_key: "s".to_owned(), session_token: None }
    }

    fn access(name: &str, properties: &[(&str, &str)]) -> Access {
        let properties = properties.iter().map(|(key, value)| (format!("aws.s3.{key}"), (*value).to_owned())).collect();
        let volume = Volume {
            name: name.to_owned(),
            location: "s3://b".to_owned(),
            properties,
            enabled: true,
            comment: String::new(),
        };
        Access::of(&volume, &builtin()).unwrap()
    }

    fn own(endpoint: Option<&str>, region: &str, keys: Option<Keys>, path_style: bool) -> Access {
        Access { endpoint: endpoint.map(str::to_owned), region: region.to_owned(), keys, path_style }
    }

    #[test]
    fn table_of_accesses_holds() {
        let local = Some("http://127.0.0.1:9001");
        let deployed = || Some(keys("DEPLOYED"));
        let pair = [("access_key", "MINE"), ("secret_key", "s")];
        let mine = || Some(keys("MINE"));
        let with = |more: &[(&'static str, &'static str)]| [pair.as_slice(), more].concat();
        for (name, properties, expected) in [
            (BUILTIN_VOLUME, with(&[("endpoint", "x:1")]), own(local, "eu-west-1", deployed(), true)),
            ("v", vec![], own(local, "eu-west-1", deployed(), true)),
            ("v", vec![("region", "us-west-2")], own(local, "us-west-2", deployed(), true)),
            ("v", with(&[("endpoint", "http://MinIO:9000/")]), own(local, "eu-west-1", deployed(), true)),
            ("v", vec![("endpoint", "h:1")], own(Some("http://h:1"), "us-east-1", deployed(), true)),
            ("v", with(&[]), own(None, "us-east-1", mine(), false)),
            ("v", with(&[("endpoint", "https://h:1"), ("region", "r")]), own(Some("https://h:1"), "r", mine(), true)),
            (
                "v",
                with(&[("endpoint", "https://h"), ("enable_path_style_access", "false")]),
                own(Some("https://h"), "us-east-1", mine(), false),
            ),
            (
                "v",
                with(&[("endpoint", "s3.eu-west-1.amazonaws.com")]),
                own(Some("https://s3.eu-west-1.amazonaws.com"), "us-east-1", mine(), false),
            ),
            ("v", vec![("use_aws_sdk_default_behavior", "TRUE")], own(None, "us-east-1", None, false)),
            ("v", vec![("use_instance_profile", "true"), ("region", "r")], own(None, "r", None, false)),
            ("v", vec![("use_instance_profile", "false")], own(local, "eu-west-1", deployed(), true)),
        ] {
            assert_eq!(access(name, &properties), expected, "{name} {properties:?}");
        }
    }

    #[test]
    fn bucket_stands_in_path_or_host() {
        let path = own(Some("http://h:1/"), "r", None, true);
        assert_eq!(path.bucket_url("b").as_deref(), Some("http://h:1/b"));
        let host = own(Some("https://h:1"), "r", None, false);
        assert_eq!(host.bucket_url("b").as_deref(), Some("https://b.h:1"));
        assert_eq!(own(None, "r", None, false).bucket_url("b"), None);
    }
}
