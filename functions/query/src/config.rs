//! Settings of the query function: limits as values, and the environment they are read from, once.

use std::num::NonZeroUsize;
use std::time::Duration;

use penstock_catalog::deployment::Deployment;
use penstock_catalog::settings::{SettingsReader, WrongSettings};

/// What a query may cost. Values only; the catalog and the volumes are components.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct QuerySettings {
    /// Bytes that all running queries hold together in sorts, joins and groups. Raising it costs memory; lowering it makes
    /// queries spill sooner, or fail with a hint.
    pub memory_bytes: usize,
    /// Bytes of temporary files that sorts and groups may spill to; 0: none, so that what does not fit fails.
    pub spill_bytes: u64,
    /// Bytes of Parquet footers kept between queries. Lowering it costs one request a file and query.
    pub footer_cache_bytes: usize,
    /// Bytes of manifests kept between queries, decoded and as statistics. Lowering it costs a request a manifest and query,
    /// and decoding it.
    pub manifest_cache_bytes: usize,
    /// Bytes of data files kept between queries. Lowering it costs requests, and their time.
    pub data_cache_bytes: usize,
    /// How long a statement may take from its arrival to its last row.
    pub time_limit: Duration,
    /// Bytes of a statement's text at most.
    pub statement_bytes: usize,
    /// Bytes of a buffered answer at most: Lambda carries 6 MB. Streams have no such limit.
    pub answer_bytes: usize,
    /// Files and operators worked on at once by one query; more than cores gains nothing.
    pub threads: NonZeroUsize,
    /// What `version()` answers; clients decide by it what they may send.
    pub server_version: String,
}

impl Default for QuerySettings {
    fn default() -> Self {
        Self {
            memory_bytes: 512 << 20,
            spill_bytes: 400 << 20,
            footer_cache_bytes: 64 << 20,
            manifest_cache_bytes: 128 << 20,
            data_cache_bytes: 128 << 20,
            time_limit: Duration::from_secs(300),
            statement_bytes: 1 << 20,
            answer_bytes: 5_900_000,
            threads: NonZeroUsize::new(2).unwrap_or(NonZeroUsize::MIN),
            server_version: "8.0.33".to_owned(),
        }
    }
}

impl QuerySettings {
    /// Reads the limits:
    ///
    /// | variable | meaning | default |
    /// | --- | --- | --- |
    /// | `PENSTOCK_QUERY_MEMORY_MB` | `memory_bytes` | half of `AWS_LAMBDA_FUNCTION_MEMORY_SIZE`, else 512 |
    /// | `PENSTOCK_QUERY_CACHE_MB` | `data_cache_bytes` | a sixteenth of `AWS_LAMBDA_FUNCTION_MEMORY_SIZE`, else 128 |
    /// | `PENSTOCK_QUERY_SPILL_MB` | `spill_bytes` | 400 |
    /// | `PENSTOCK_QUERY_TIME_LIMIT_S` | `time_limit` | 300 |
    pub fn read(reader: &mut SettingsReader<impl Fn(&str) -> Option<String>>) -> Self {
        let mut number = |name: &str| {
            let number: u64 = reader.parsed(name, "a whole number")?;
            if number > MOST {
                reader.problem(format!("{name}: expected at most {MOST}, found `{number}`"));
            }
            Some(number.min(MOST))
        };
        let mut query = Self::default();
        let bytes = |megabytes: u64| usize::try_from(megabytes << 20).unwrap_or(usize::MAX);
        let lambda = number("AWS_LAMBDA_FUNCTION_MEMORY_SIZE");
        if let Some(megabytes) = number("PENSTOCK_QUERY_MEMORY_MB").or(lambda.map(|all| all / 2)) {
            query.memory_bytes = bytes(megabytes);
        }
        if let Some(megabytes) = number("PENSTOCK_QUERY_CACHE_MB").or(lambda.map(|all| all / 16)) {
            query.data_cache_bytes = bytes(megabytes);
        }
        if let Some(megabytes) = number("PENSTOCK_QUERY_SPILL_MB") {
            query.spill_bytes = megabytes << 20;
        }
        if let Some(seconds) = number("PENSTOCK_QUERY_TIME_LIMIT_S") {
            query.time_limit = Duration::from_secs(seconds);
        }
        if let Ok(cores) = std::thread::available_parallelism() {
            query.threads = cores;
        }
        query
    }
}

/// Everything that the function's environment says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Settings {
    /// Limits.
    pub query: QuerySettings,
    /// Where the catalog and the objects are.
    pub deployment: Deployment,
}

/// More megabytes or seconds than this are a mistake.
const MOST: u64 = 1 << 30;

impl Settings {
    /// Reads the settings from `lookup`, which gives the value of a name; an empty value counts as none: those of
    /// [`QuerySettings::read`] and of the [`Deployment`].
    ///
    /// # Errors
    /// [`WrongSettings`] with every problem.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, WrongSettings> {
        let mut reader = SettingsReader::new(lookup);
        let deployment = Deployment::read(&mut reader);
        let query = QuerySettings::read(&mut reader);
        reader.finish(Self { query, deployment })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Settings, WrongSettings> {
        Settings::read(|name| pairs.iter().find(|(key, _)| *key == name).map(|(_, value)| (*value).to_owned()))
    }

    #[test]
    fn all_problems_are_reported_together() {
        let error = read(&[("PENSTOCK_QUERY_MEMORY_MB", "lots")]).unwrap_err();
        assert_eq!(error.problems.len(), 3, "{error}");
    }

    #[test]
    fn half_of_the_functions_memory_is_for_queries() {
        let settings =
            read(&[("PENSTOCK_TABLE", "t"), ("AWS_REGION", "r"), ("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "2048")]).unwrap();
        assert_eq!(settings.query.memory_bytes, 1 << 30);
        assert_eq!(settings.query.data_cache_bytes, 128 << 20);
    }
}
