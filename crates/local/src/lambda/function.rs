//! A function: invocations that wait, and processes that take one after the other.

use std::collections::VecDeque;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use bytes::Bytes;
use tokio::sync::{Notify, oneshot, watch};

use super::{FunctionSettings, Host, process};
use crate::invoke::InvokeError;

type Reply = Result<Bytes, InvokeError>;

pub(super) struct Function {
    pub(super) settings: FunctionSettings,
    waiting: Mutex<VecDeque<Invocation>>,
    arrived: Notify,
    slots: Vec<Slot>,
    stop: watch::Sender<bool>,
}

/// An invocation as the Runtime API hands it out.
pub(super) struct Invocation {
    pub(super) request_id: String,
    pub(super) arn: String,
    pub(super) payload: Bytes,
    reply: oneshot::Sender<Reply>,
}

/// What a process of the function is doing.
#[derive(Default)]
pub(super) struct Slot {
    running: Mutex<Option<Running>>,
    /// Which process it is; one that was replaced gets nothing more.
    generation: AtomicU64,
    kill: Notify,
}

struct Running {
    request_id: String,
    reply: oneshot::Sender<Reply>,
}

/// An invocation for a process, with its deadline in milliseconds since the epoch.
pub(super) struct Next {
    pub(super) request_id: String,
    pub(super) arn: String,
    pub(super) payload: Bytes,
    pub(super) deadline_ms: u128,
}

impl Function {
    pub(super) fn start(host: &Host, settings: FunctionSettings) -> Arc<Self> {
        let slots = (0..settings.processes.max(1)).map(|_| Slot::default()).collect();
        let (stop, _) = watch::channel(false);
        let function = Arc::new(Self { settings, waiting: Mutex::default(), arrived: Notify::new(), slots, stop });
        for slot in 0..function.slots.len() {
            let api = format!("http://{}/runtime/{}/{slot}", host.address, function.settings.name);
            tokio::spawn(process::supervise(Arc::clone(&function), slot, api, host.region.clone()));
        }
        function
    }

    /// Waits for a process and for its answer.
    pub(super) async fn invoke(&self, arn: &str, payload: Bytes) -> Reply {
        let (reply, answer) = oneshot::channel();
        let invocation = Invocation { request_id: crate::esm::uuid(), arn: arn.to_owned(), payload, reply };
        self.waiting().push_back(invocation);
        self.arrived.notify_one();
        answer.await.unwrap_or_else(|_| Err(unanswered("the function was stopped")))
    }

    pub(super) fn slot(&self, index: usize) -> Option<&Slot> {
        self.slots.get(index)
    }

    /// The next invocation for the process in `slot`; `None` if that process was replaced meanwhile.
    pub(super) async fn next(self: &Arc<Self>, index: usize) -> Option<Next> {
        let slot = self.slot(index)?;
        let generation = slot.generation.load(Ordering::Acquire);
        loop {
            let arrived = self.arrived.notified();
            let taken = self.waiting().pop_front();
            let Some(invocation) = taken else {
                arrived.await;
                continue;
            };
            // The caller gave up: nobody waits for the answer.
            if invocation.reply.is_closed() {
                continue;
            }
            if slot.generation.load(Ordering::Acquire) != generation {
                self.waiting().push_front(invocation);
                self.arrived.notify_one();
                return None;
            }
            return Some(self.begin(index, slot, invocation));
        }
    }

    fn begin(self: &Arc<Self>, index: usize, slot: &Slot, invocation: Invocation) -> Next {
        let timeout = self.settings.timeout;
        let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
        let running = Running { request_id: invocation.request_id.clone(), reply: invocation.reply };
        if let Some(left) = slot.running().replace(running) {
            let _ = left.reply.send(Err(unanswered("the process asked for the next invocation without answering")));
        }
        let function = Arc::clone(self);
        let request_id = invocation.request_id.clone();
        tokio::spawn(async move {
            tokio::time::sleep(timeout).await;
            let Some(slot) = function.slot(index) else {
                return;
            };
            if let Some(reply) = slot.take(&request_id) {
                let _ = reply.send(Err(InvokeError::TimedOut { seconds: timeout.as_secs() }));
                slot.kill.notify_one();
            }
        });
        Next {
            request_id: invocation.request_id,
            arn: invocation.arn,
            payload: invocation.payload,
            deadline_ms: (now + timeout).as_millis(),
        }
    }

    /// Fails one invocation that waits: no process could be started for it.
    pub(super) fn fail_one(&self, message: &str) {
        let invocation = self.waiting().pop_front();
        if let Some(invocation) = invocation {
            let _ = invocation.reply.send(Err(unanswered(message)));
        }
    }

    /// Ends the processes; invocations in flight fail.
    pub(super) fn stop(&self) {
        let _ = self.stop.send_replace(true);
        self.waiting().clear();
    }

    pub(super) fn stopped(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    fn waiting(&self) -> MutexGuard<'_, VecDeque<Invocation>> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Slot {
    /// Answers the invocation that the process runs. Whether it was that one.
    pub(super) fn answer(&self, request_id: &str, reply: Reply) -> bool {
        match self.take(request_id) {
            Some(waiting) => {
                let _ = waiting.send(reply);
                true
            }
            None => false,
        }
    }

    /// The process has ended: its invocation fails. Whether it was running one.
    pub(super) fn ended(&self, message: &str) -> bool {
        self.generation.fetch_add(1, Ordering::AcqRel);
        let running = self.running().take();
        running.is_some_and(|running| running.reply.send(Err(unanswered(message))).is_ok())
    }

    /// Waits until the process is to be killed.
    pub(super) async fn killed(&self) {
        self.kill.notified().await;
    }

    fn take(&self, request_id: &str) -> Option<oneshot::Sender<Reply>> {
        self.running().take_if(|running| running.request_id == request_id).map(|running| running.reply)
    }

    fn running(&self) -> MutexGuard<'_, Option<Running>> {
        self.running.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn unanswered(message: &str) -> InvokeError {
    InvokeError::Unanswered { message: message.to_owned() }
}

/// How long a function that cannot start is left alone.
pub(super) const RESTART: Duration = Duration::from_millis(500);
