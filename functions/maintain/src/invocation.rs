//! What the function is invoked with: a check, or the time for a run.

use penstock_sql::check::{CheckAnswer, CheckInvocation, CheckRequest};
use serde::Serialize;
use serde_json::Value;

use crate::maintainer::RunReport;

/// An invocation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Invocation {
    /// CHECK TABLE asks.
    Check(CheckRequest),
    /// A schedule says that it is time, or a person does. The event says nothing more.
    Run,
}

/// What the function answers.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(untagged)]
pub enum Answer {
    /// To [`Invocation::Check`].
    Check(CheckAnswer),
    /// To [`Invocation::Run`].
    Run(RunReport),
}

impl Invocation {
    /// What `event` asks for.
    ///
    /// # Errors
    /// A message, if it is a check that cannot be read.
    pub fn read(event: Value) -> Result<Self, String> {
        if event.get("check").is_none() {
            return Ok(Self::Run);
        }
        let invocation: CheckInvocation = serde_json::from_value(event).map_err(|error| error.to_string())?;
        Ok(Self::Check(invocation.check))
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn everything_but_a_check_is_a_run() {
        assert_eq!(Invocation::read(json!({})), Ok(Invocation::Run));
        assert_eq!(Invocation::read(json!({ "source": "aws.scheduler", "detail-type": "x" })), Ok(Invocation::Run));
        let check = CheckRequest { table: 10_002, after: None, budget_ms: 5 };
        let event = serde_json::to_value(CheckInvocation { check: check.clone() }).unwrap();
        assert_eq!(Invocation::read(event), Ok(Invocation::Check(check)));
        assert!(Invocation::read(json!({ "check": 1 })).is_err());
    }
}
