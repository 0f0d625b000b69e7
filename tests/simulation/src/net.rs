//! Virtual time, and what is on its way: requests, replies, timers. The one queue that says what happens next.
//!
//! A request is a value that takes place when it arrives, whether or not its sender still lives: that is what makes late
//! requests, lost replies and stale writers more than a figure of speech. Nothing here knows what a request means.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::{Arguments, Write as _};
use std::future::Future;
use std::pin::Pin;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};

use crate::dice::Dice;
use crate::fault::{Fault, Operation, Place, Placed, drawn};

/// 2024-06-12 18:40:53 UTC: when every simulation begins, milliseconds since the epoch.
pub(crate) const BEGIN_MS: i64 = 1_718_217_653_000;

/// Where the faults of a play come from.
#[derive(Debug, Clone)]
pub enum Faults {
    /// From the dice, with every probability times this.
    Drawn(u64),
    /// These and no others.
    Given(BTreeMap<Place, Fault>),
}

/// What happens next.
pub(crate) enum Event {
    /// A step of the schedule, by number.
    Step(u32),
    /// A request arrives.
    Arrive(Request),
    /// A reply reaches its task, or a timer rings.
    Wake(u64),
    /// The time limit of a task's process.
    Expire(u32),
    /// Whoever waits for the task waits no longer, while it goes on.
    Leave(u32),
}

/// What takes place at a service.
pub(crate) struct Request {
    task: u32,
    what: String,
    apply: Box<dyn FnOnce() + Send>,
    /// Who waits for the reply, and how long it takes; `None` if nobody will hear.
    reply: Option<(u64, u64)>,
}

/// One operation of a task.
pub(crate) struct Call {
    pub(crate) task: u32,
    pub(crate) fault: Option<Fault>,
    what: String,
    dice: Dice,
}

/// The network and the clock of one play.
pub(crate) struct Net {
    dice: Dice,
    faults: Faults,
    inner: Mutex<Inner>,
}

#[derive(Default)]
struct Inner {
    now_us: u64,
    sequence: u64,
    events: BTreeMap<(u64, u64), Event>,
    waits: BTreeMap<u64, Wait>,
    next_wait: u64,
    current: u32,
    counts: BTreeMap<u32, Counts>,
    frozen: BTreeMap<u32, u64>,
    doomed: BTreeSet<u32>,
    placed: Vec<Placed>,
    called: Vec<(Place, Operation)>,
    calm: bool,
    trace: Option<String>,
}

struct Wait {
    task: u32,
    ready: bool,
    waker: Option<Waker>,
}

#[derive(Default)]
struct Counts {
    operations: u32,
    names: u64,
    whiles: u64,
}

impl Net {
    pub(crate) fn new(dice: Dice, faults: Faults, traced: bool) -> Arc<Self> {
        let inner = Inner { trace: traced.then(String::new), ..Inner::default() };
        Arc::new(Self { dice, faults, inner: Mutex::new(inner) })
    }

    /// Milliseconds since the epoch.
    pub(crate) fn now_ms(&self) -> i64 {
        BEGIN_MS.saturating_add_unsigned(self.inner().now_us / 1000)
    }

    /// From now on nothing goes wrong.
    pub(crate) fn calm_down(&self) {
        self.inner().calm = true;
    }

    /// Whether nothing goes wrong any more.
    pub(crate) fn is_calm(&self) -> bool {
        self.inner().calm
    }

    /// The faults that struck so far, in their order.
    pub(crate) fn placed(&self) -> Vec<Placed> {
        self.inner().placed.clone()
    }

    /// Every operation so far, in the order in which they began.
    pub(crate) fn called(&self) -> Vec<(Place, Operation)> {
        self.inner().called.clone()
    }

    pub(crate) fn take_trace(&self) -> String {
        self.inner().trace.take().unwrap_or_default()
    }

    /// Adds a line to the trace, if there is one.
    pub(crate) fn note(&self, line: Arguments<'_>) {
        self.inner().note(line);
    }

    /// The task whose operations are counted from now on.
    pub(crate) fn enter(&self, task: u32) {
        self.inner().current = task;
    }

    /// The task whose operations are counted.
    pub(crate) fn current(&self) -> u32 {
        self.inner().current
    }

    /// Whether the task's process died meanwhile.
    pub(crate) fn is_doomed(&self, task: u32) -> bool {
        self.inner().doomed.contains(&task)
    }

    /// Puts an event into the queue, so many microseconds from now.
    pub(crate) fn schedule(&self, in_us: u64, event: Event) {
        self.inner().schedule(in_us, event);
    }

    /// The next event; time has come to it. `None` at the end of all things.
    pub(crate) fn next(&self) -> Option<Event> {
        let mut inner = self.inner();
        loop {
            let ((at_us, _), event) = inner.events.pop_first()?;
            inner.now_us = inner.now_us.max(at_us);
            let Event::Wake(wait) = event else { return Some(event) };
            let Some(task) = inner.waits.get(&wait).map(|wait| wait.task) else { continue };
            let until_us = inner.frozen.get(&task).copied().unwrap_or(0);
            if until_us <= inner.now_us {
                return Some(event);
            }
            let in_us = until_us - inner.now_us;
            inner.schedule(in_us, event);
        }
    }

    /// Lets a request take place and sends its reply.
    pub(crate) fn arrive(&self, request: Request) {
        self.note(format_args!("#{} {} takes place", request.task, request.what));
        (request.apply)();
        if let Some((wait, after_us)) = request.reply {
            self.schedule(after_us, Event::Wake(wait));
        }
    }

    /// Lets a waiting task go on.
    pub(crate) fn wake(&self, wait: u64) {
        let waker = self.inner().waits.get_mut(&wait).and_then(|wait| {
            wait.ready = true;
            wait.waker.take()
        });
        if let Some(waker) = waker {
            waker.wake();
        }
    }

    /// A number that is the task's own, for names.
    pub(crate) fn unique(&self) -> u128 {
        let mut inner = self.inner();
        let task = inner.current;
        let counts = inner.counts.entry(task).or_default();
        counts.names += 1;
        let mut dice = self.dice.of(&[u64::from(task), counts.names, 0x0a3e]);
        (u128::from(dice.number()) << 64) | u128::from(dice.number())
    }

    /// A number from 0 to `most`.
    pub(crate) fn any(&self, most: u64) -> u64 {
        let mut inner = self.inner();
        let task = inner.current;
        let counts = inner.counts.entry(task).or_default();
        counts.whiles += 1;
        self.dice.of(&[u64::from(task), counts.whiles, 0x3417]).between(0, most)
    }

    /// Comes back after so many microseconds.
    pub(crate) fn sleep(self: &Arc<Self>, us: u64) -> Waiting {
        let waiting = self.wait();
        self.schedule(us, Event::Wake(waiting.id));
        waiting
    }

    /// Begins the next operation of the current task, and draws its fault.
    pub(crate) fn call(&self, operation: Operation, what: String) -> Call {
        let mut inner = self.inner();
        let task = inner.current;
        let counts = inner.counts.entry(task).or_default();
        let place = Place { task, operation: counts.operations };
        counts.operations += 1;
        inner.called.push((place, operation));
        let dice = self.dice.of(&[u64::from(task), u64::from(place.operation), 0xca11]);
        let fault = match &self.faults {
            _ if inner.calm => None,
            Faults::Drawn(factor) => drawn(operation, &mut dice.of(&[1]), *factor),
            Faults::Given(given) => given.get(&place).copied(),
        };
        match fault {
            Some(fault) => {
                inner.placed.push(Placed { place, operation, fault });
                inner.note(format_args!("#{task} {what} ({}) {fault}", place.operation));
            }
            None => inner.note(format_args!("#{task} {what} ({})", place.operation)),
        }
        Call { task, fault, what, dice }
    }

    /// Sends a request that nobody hears of any more.
    pub(crate) fn post(&self, call: &Call, in_us: u64, apply: impl FnOnce() + Send + 'static) {
        let request = Request { task: call.task, what: call.what.clone(), apply: Box::new(apply), reply: None };
        self.schedule(in_us, Event::Arrive(request));
    }

    /// Sends a request that takes `in_us` to arrive, and comes back with the answer.
    pub(crate) async fn exchange<T: Send + 'static>(
        self: &Arc<Self>,
        call: &Call,
        in_us: u64,
        apply: impl FnOnce() -> T + Send + 'static,
    ) -> T {
        let slot = Arc::new(Mutex::new(None));
        let answer = Arc::clone(&slot);
        let waiting = self.wait();
        let request = Request {
            task: call.task,
            what: call.what.clone(),
            apply: Box::new(move || {
                let answered = apply();
                *answer.lock().unwrap_or_else(PoisonError::into_inner) = Some(answered);
            }),
            reply: Some((waiting.id, call.leg(1))),
        };
        self.schedule(in_us, Event::Arrive(request));
        waiting.await;
        match slot.lock().unwrap_or_else(PoisonError::into_inner).take() {
            Some(answer) => answer,
            None => unreachable!("a reply is sent after its request took place"),
        }
    }

    /// The process of the current task stands still.
    pub(crate) async fn freeze(self: &Arc<Self>, task: u32, ms: u64) {
        let waiting = {
            let mut inner = self.inner();
            let until_us = inner.now_us.saturating_add(ms.saturating_mul(1000));
            inner.frozen.insert(task, until_us);
            drop(inner);
            self.sleep(ms.saturating_mul(1000))
        };
        waiting.await;
    }

    /// The process of the task dies: whoever drives it drops it before it can do anything else.
    pub(crate) async fn die(&self, task: u32) -> std::convert::Infallible {
        self.inner().doomed.insert(task);
        std::future::pending().await
    }

    fn wait(self: &Arc<Self>) -> Waiting {
        let mut inner = self.inner();
        let id = inner.next_wait;
        inner.next_wait += 1;
        let task = inner.current;
        inner.waits.insert(id, Wait { task, ready: false, waker: None });
        Waiting { net: Arc::clone(self), id }
    }

    fn inner(&self) -> MutexGuard<'_, Inner> {
        self.inner.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Inner {
    fn schedule(&mut self, in_us: u64, event: Event) {
        self.sequence += 1;
        self.events.insert((self.now_us.saturating_add(in_us), self.sequence), event);
    }

    fn note(&mut self, line: Arguments<'_>) {
        if let Some(trace) = &mut self.trace {
            // Writing to a String cannot fail.
            let _ = writeln!(trace, "{:>12.3} ms  {line}", self.now_us as f64 / 1000.0);
        }
    }
}

impl Call {
    /// How long the `leg`-th way takes, microseconds: mostly a few milliseconds, now and then a good while.
    pub(crate) fn leg(&self, leg: u64) -> u64 {
        let mut dice = self.dice.of(&[leg, 2]);
        match dice.below(16) {
            0 => dice.between(100_000, 900_000),
            1..=3 => dice.between(20_000, 100_000),
            _ => dice.between(300, 20_000),
        }
    }

    /// A number from 0 to `most` for whatever else the operation needs.
    pub(crate) fn any(&self, most: u64) -> u64 {
        self.dice.of(&[3]).between(0, most)
    }
}

/// Comes back once it is woken.
pub(crate) struct Waiting {
    net: Arc<Net>,
    id: u64,
}

impl Future for Waiting {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        match self.net.inner().waits.get_mut(&self.id) {
            Some(wait) if wait.ready => Poll::Ready(()),
            Some(wait) => {
                wait.waker = Some(context.waker().clone());
                Poll::Pending
            }
            None => Poll::Pending,
        }
    }
}

impl Drop for Waiting {
    fn drop(&mut self) {
        self.net.inner().waits.remove(&self.id);
    }
}
