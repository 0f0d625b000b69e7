//! The schedule emulated: calls what a schedule of EventBridge would invoke, again and again.
//!
//! One call at a time, and the pause counts from its end: so a slow one never meets the next. What a call answers is its
//! own to tell.

use std::sync::Arc;
use std::time::Duration;

use async_trait::async_trait;
use tokio::task::JoinHandle;

/// What is called.
#[async_trait]
pub trait Scheduled: Send + Sync {
    /// Does it once. It may be stopped at any moment.
    async fn run(&self);
}

/// Calls something until it is dropped.
#[derive(Debug)]
pub struct Timer {
    task: JoinHandle<()>,
}

impl Timer {
    /// Calls `scheduled` whenever `pause` has passed, for the first time after one.
    pub fn start(pause: Duration, scheduled: Arc<dyn Scheduled>) -> Self {
        let task = tokio::spawn(async move {
            loop {
                tokio::time::sleep(pause).await;
                let called = Arc::clone(&scheduled);
                // A task of its own, as an invocation is: a panic in it ends this call alone.
                let call = AbortOnDrop(tokio::spawn(async move { called.run().await }));
                call.ended().await;
            }
        });
        Self { task }
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// Ends with whoever waits for it.
struct AbortOnDrop(JoinHandle<()>);

impl AbortOnDrop {
    async fn ended(mut self) {
        if let Err(error) = (&mut self.0).await {
            tracing::error!(%error, "a scheduled call did not end");
        }
    }
}

impl Drop for AbortOnDrop {
    fn drop(&mut self) {
        self.0.abort();
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU32, Ordering};

    use super::*;

    #[derive(Default)]
    struct Counting(AtomicU32);

    #[async_trait]
    impl Scheduled for Counting {
        async fn run(&self) {
            assert_ne!(self.0.fetch_add(1, Ordering::SeqCst), 1, "the second call panics");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn calls_go_on_after_one_panics_and_end_with_the_timer() {
        let counting = Arc::new(Counting::default());
        let timer = Timer::start(Duration::from_secs(60), Arc::<Counting>::clone(&counting));
        tokio::time::sleep(Duration::from_secs(59)).await;
        assert_eq!(counting.0.load(Ordering::SeqCst), 0);
        tokio::time::sleep(Duration::from_secs(200)).await;
        assert_eq!(counting.0.load(Ordering::SeqCst), 4);
        drop(timer);
        tokio::time::sleep(Duration::from_secs(600)).await;
        assert_eq!(counting.0.load(Ordering::SeqCst), 4);
    }
}
