//! The function's settings: read once, from names and values, all problems told together.

use penstock_catalog::deployment::Deployment;
use penstock_catalog::settings::{SettingsReader, WrongSettings};
use penstock_kernel::ids::JobId;

/// Settings of the function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Where the catalog and the objects are.
    pub deployment: Deployment,
    /// `PENSTOCK_JOB`: the one job that this function serves; without it, the invoked alias names the job.
    pub job: Option<JobId>,
    /// `AWS_LAMBDA_FUNCTION_MEMORY_SIZE`, which Lambda sets: megabytes, as the bill counts them.
    pub memory_mb: Option<u32>,
}

impl Config {
    /// Takes the settings from `lookup`, which gives the value of a name; an empty value counts as none.
    ///
    /// # Errors
    /// [`WrongSettings`] with every problem.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Result<Self, WrongSettings> {
        let mut reader = SettingsReader::new(lookup);
        let deployment = Deployment::read(&mut reader);
        let job = reader.parsed("PENSTOCK_JOB", "the number of a job").map(JobId);
        let memory_mb = reader.parsed("AWS_LAMBDA_FUNCTION_MEMORY_SIZE", "a number of megabytes");
        reader.finish(Self { deployment, job, memory_mb })
    }
}

/// How the function logs. Read apart from the rest, so that what is wrong there can be logged.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LogSettings {
    /// `AWS_LAMBDA_LOG_FORMAT` is `JSON`.
    pub json: bool,
    /// `AWS_LAMBDA_LOG_LEVEL`, or `RUST_LOG`: a level, or levels by module; `info` without either.
    pub level: String,
}

impl LogSettings {
    /// Takes the settings from `lookup`, which gives the value of a name; an empty value counts as none.
    pub fn read(lookup: impl Fn(&str) -> Option<String>) -> Self {
        let get = |name| lookup(name).filter(|value| !value.is_empty());
        Self {
            json: get("AWS_LAMBDA_LOG_FORMAT").is_some_and(|format| format.eq_ignore_ascii_case("json")),
            level: get("AWS_LAMBDA_LOG_LEVEL").or_else(|| get("RUST_LOG")).unwrap_or_else(|| "info".to_owned()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(pairs: &[(&str, &str)]) -> Result<Config, WrongSettings> {
        Config::read(|name| pairs.iter().find_map(|(found, value)| (*found == name).then(|| (*value).to_owned())))
    }

    #[test]
    fn job_is_told_by_number_or_not_at_all() {
        let least = [("PENSTOCK_TABLE", "penstock"), ("AWS_REGION", "eu-west-1")];
        assert_eq!(read(&least).unwrap().job, None);
        let [table, region] = least;
        assert_eq!(read(&[table, region, ("PENSTOCK_JOB", "10003")]).unwrap().job, Some(JobId(10003)));
    }

    #[test]
    fn all_problems_are_told_together() {
        let wrong = read(&[("AWS_REGION", "eu-west-1"), ("PENSTOCK_JOB", "clicks")]).unwrap_err();
        assert_eq!(
            wrong.problems,
            ["PENSTOCK_TABLE is not set", "PENSTOCK_JOB: expected the number of a job, found `clicks`"]
        );
    }

    #[test]
    fn log_is_text_at_level_info_unless_told() {
        let read = |pairs: &[(&str, &str)]| {
            LogSettings::read(|name| {
                pairs.iter().find_map(|(found, value)| (*found == name).then(|| (*value).to_owned()))
            })
        };
        let of = |json, level: &str| LogSettings { json, level: level.to_owned() };
        assert_eq!(read(&[]), of(false, "info"));
        let told = [("AWS_LAMBDA_LOG_FORMAT", "JSON"), ("RUST_LOG", "debug")];
        assert_eq!(read(&told), of(true, "debug"));
        let told = [("AWS_LAMBDA_LOG_LEVEL", "WARN"), ("RUST_LOG", "debug")];
        assert_eq!(read(&told), of(false, "WARN"));
    }
}
