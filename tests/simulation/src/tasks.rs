//! Handlers at work: a tiny executor, whose tasks go on when, and only when, something reached them.

use std::any::Any;
use std::collections::BTreeMap;
use std::future::Future;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, Wake, Waker};

use crate::net::Net;

/// How a task ended by itself.
pub(crate) enum Ended<T> {
    /// With this.
    With(T),
    /// Its process died.
    Died,
    /// It panicked, with this message.
    Panicked(String),
}

struct Task<T> {
    future: Pin<Box<dyn Future<Output = T>>>,
    woken: Arc<Flag>,
}

struct Flag(AtomicBool);

impl Wake for Flag {
    fn wake(self: Arc<Self>) {
        self.0.store(true, Ordering::SeqCst);
    }
}

/// All tasks at work, by number.
pub(crate) struct Tasks<T> {
    net: Arc<Net>,
    running: BTreeMap<u32, Task<T>>,
}

impl<T> Tasks<T> {
    pub(crate) fn new(net: Arc<Net>) -> Self {
        Self { net, running: BTreeMap::new() }
    }

    /// Begins a task; it does its first part at the next [`go_on`](Self::go_on).
    pub(crate) fn begin(&mut self, number: u32, future: impl Future<Output = T> + 'static) {
        let woken = Arc::new(Flag(AtomicBool::new(true)));
        self.running.insert(number, Task { future: Box::pin(future), woken });
    }

    /// Kills a task; false if it is not at work any more.
    pub(crate) fn kill(&mut self, number: u32) -> bool {
        self.running.remove(&number).is_some()
    }

    /// Lets every task go on that was woken, until none is, and gives the first that ends.
    pub(crate) fn go_on(&mut self) -> Option<(u32, Ended<T>)> {
        loop {
            let (number, task) =
                self.running.iter_mut().find(|(_, task)| task.woken.0.swap(false, Ordering::SeqCst))?;
            let number = *number;
            self.net.enter(number);
            let waker = Waker::from(Arc::clone(&task.woken));
            let mut context = Context::from_waker(&waker);
            let polled = catch_unwind(AssertUnwindSafe(|| task.future.as_mut().poll(&mut context)));
            let ended = match polled {
                // What else the process came to in the moment of its death, nobody hears.
                Ok(_) if self.net.is_doomed(number) => Ended::Died,
                Ok(Poll::Pending) => continue,
                Ok(Poll::Ready(value)) => Ended::With(value),
                Err(panic) => Ended::Panicked(message(&*panic)),
            };
            self.running.remove(&number);
            return Some((number, ended));
        }
    }
}

fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<&str>().map(|text| (*text).to_owned());
    text.or_else(|| panic.downcast_ref::<String>().cloned()).unwrap_or_else(|| "no message".to_owned())
}
