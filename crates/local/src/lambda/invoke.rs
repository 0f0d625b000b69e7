//! A job's batches to the load function through the Runtime API, each under the job's alias.

use std::sync::Arc;

use async_trait::async_trait;
use bytes::Bytes;
use penstock_kernel::ids::JobId;

use super::Host;
use crate::invoke::{Invoke, InvokeError};

/// The alias of the load function that serves `job`.
pub(super) fn alias_of(job: JobId) -> String {
    format!("job-{job}")
}

/// The job that an alias of the load function serves.
pub(super) fn job_of(alias: &str) -> Option<JobId> {
    alias.strip_prefix("job-")?.parse().ok().map(JobId)
}

/// Invokes a built load function.
pub struct RuntimeInvoke {
    host: Arc<Host>,
    function: String,
}

impl RuntimeInvoke {
    pub(super) fn new(host: Arc<Host>, function: &str) -> Self {
        Self { host, function: function.to_owned() }
    }
}

#[async_trait]
impl Invoke for RuntimeInvoke {
    async fn invoke(&self, job: JobId, event: Bytes) -> Result<(), InvokeError> {
        // What the function answers does not matter: without partial batch responses, any answer is success.
        self.host.invoke(&self.function, Some(&alias_of(job)), event).await.map(|_| ())
    }
}
