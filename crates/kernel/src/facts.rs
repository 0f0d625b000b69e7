//! What loading a batch needs to know beyond its bytes; whoever calls the kernel fetches it.

/// Facts for one batch.
#[derive(Debug, Clone, Default)]
pub struct Facts {
    /// Milliseconds since the epoch: what `DEFAULT CURRENT_TIMESTAMP` and `now()` give, in whole seconds.
    pub now_ms: i64,
}

impl Facts {
    /// Only the moment: enough for formats that carry their own shape.
    pub fn at(now_ms: i64) -> Self {
        Self { now_ms }
    }
}
