//! A storage volume: a name for a place in a bucket.

use std::fmt;

use serde::{Deserialize, Serialize};

use crate::StorageError;

/// The volume that exists from the start.
pub const BUILTIN_VOLUME: &str = "builtin_storage_volume";

/// A storage volume as the catalog keeps it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Volume {
    /// Its name.
    pub name: String,
    /// `s3://<bucket>[/<path>][/]`
    pub location: String,
    /// `aws.s3.*` properties as given; keys of the builtin volume, which come from settings, are masked. Never print
    /// them but through [`is_secret`](crate::property::is_secret).
    pub properties: std::collections::BTreeMap<String, String>,
    /// Whether tables may be created in it.
    pub enabled: bool,
    /// Its comment; empty if none.
    pub comment: String,
}

impl fmt::Debug for Volume {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Volume")
            .field("name", &self.name)
            .field("location", &self.location)
            .field("enabled", &self.enabled)
            .finish_non_exhaustive()
    }
}

impl Volume {
    /// Bucket and path of the location; the path is empty or without slashes at its ends.
    ///
    /// # Errors
    /// [`StorageError::Location`]
    pub fn bucket_and_path(&self) -> Result<(&str, &str), StorageError> {
        let wrong = || StorageError::Location { volume: self.name.clone(), location: self.location.clone() };
        let rest = self.location.strip_prefix("s3://").ok_or_else(wrong)?;
        let (bucket, path) = rest.split_once('/').unwrap_or((rest, ""));
        if bucket.is_empty() { Err(wrong()) } else { Ok((bucket, path.trim_matches('/'))) }
    }

    /// The full key in the bucket of an object that the catalog knows as `relative`.
    ///
    /// # Errors
    /// [`StorageError::Location`]
    pub fn key(&self, relative: &str) -> Result<String, StorageError> {
        let (_, path) = self.bucket_and_path()?;
        Ok(if path.is_empty() { relative.to_owned() } else { format!("{path}/{relative}") })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn volume(location: &str) -> Volume {
        Volume {
            name: "v".to_owned(),
            location: location.to_owned(),
            properties: std::collections::BTreeMap::new(),
            enabled: true,
            comment: String::new(),
        }
    }

    #[test]
    fn key_lies_under_the_path_of_the_location() {
        for (location, bucket, key) in [
            ("s3://b", "b", "t/1.parquet"),
            ("s3://b/", "b", "t/1.parquet"),
            ("s3://b/p", "b", "p/t/1.parquet"),
            ("s3://b/p/q/", "b", "p/q/t/1.parquet"),
        ] {
            let volume = volume(location);
            assert_eq!(volume.bucket_and_path().unwrap().0, bucket, "{location}");
            assert_eq!(volume.key("t/1.parquet").unwrap(), key, "{location}");
        }
    }

    #[test]
    fn location_that_is_not_of_s3_is_refused_in_full() {
        for location in ["", "b/p", "hdfs://b/p", "s3://", "s3:///p"] {
            let error = volume(location).key("k").unwrap_err().to_string();
            assert!(error.contains(&format!("found `{location}`")), "{error}");
        }
    }
}
