//! Which job an invocation is for.
//!
//! The event does not say which mapping sent it, so each job's mapping targets an alias of its own, and the alias is
//! the end of the ARN that was invoked.

use penstock_kernel::ids::JobId;

/// The alias that the mapping of `job` targets.
pub fn alias_of(job: JobId) -> String {
    format!("job-{job}")
}

/// The job of an invocation: `configured` if the function serves one job only, else what the alias says.
///
/// # Errors
/// [`NoJob`] if neither names one.
pub fn job_of(invoked_function_arn: &str, configured: Option<JobId>) -> Result<JobId, NoJob> {
    let alias = invoked_function_arn.rsplit(':').next().unwrap_or("");
    configured
        .or_else(|| alias.strip_prefix("job-")?.parse().ok().map(JobId))
        .ok_or_else(|| NoJob { invoked: invoked_function_arn.to_owned() })
}

/// The invocation names no job.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error(
    "cannot tell which job `{invoked}` is for: expected an alias of the form `job-<id>`, or the setting PENSTOCK_JOB"
)]
pub struct NoJob {
    /// What was invoked.
    pub invoked: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alias_names_the_job() {
        let arn = "arn:aws:lambda:us-east-1:123456789012:function:penstock-load";
        assert_eq!(job_of(&format!("{arn}:{}", alias_of(JobId(10001))), None), Ok(JobId(10001)));
        for other in ["", ":live", ":job-", ":job-x", ":job--1"] {
            assert!(job_of(&format!("{arn}{other}"), None).is_err(), "{other}");
        }
    }

    #[test]
    fn setting_names_the_job_whatever_was_invoked() {
        assert_eq!(job_of("function-arn", Some(JobId(7))), Ok(JobId(7)));
        assert_eq!(job_of("f:job-8", Some(JobId(7))), Ok(JobId(7)));
    }
}
