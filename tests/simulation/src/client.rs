//! What every client of a simulated service does with a fault: send, send again, give up, stand still, die.

use std::sync::Arc;

use crate::fault::{Fault, Kind, Moment, Operation};
use crate::net::{Call, Net};

/// What a client comes to hear.
pub(crate) enum Heard<T> {
    /// The service's answer.
    Answer(T),
    /// Nothing: whether it took place, the client cannot know.
    Nothing,
    /// That the service does not want it; it did not take place.
    Refused,
    /// That the service does not want it now; it did not take place.
    Conflict,
}

/// Time after which a client gives up.
const PATIENCE_US: u64 = 4_000_000;

/// Asks a service. `apply` is what takes place there at the try of that number (from 1); it may be called for several
/// tries, and after the caller is gone.
pub(crate) async fn ask<T: Send + 'static>(
    net: &Arc<Net>,
    operation: Operation,
    what: String,
    apply: impl Fn(u32) -> T + Clone + Send + 'static,
) -> Heard<T> {
    net.call(operation, what).ask(net, apply).await
}

impl Call {
    /// As [`ask`], for an operation that has begun.
    pub(crate) async fn ask<T: Send + 'static>(
        self,
        net: &Arc<Net>,
        apply: impl Fn(u32) -> T + Clone + Send + 'static,
    ) -> Heard<T> {
        let call = self;
        let mut delay_us = call.leg(0);
        let mut this_try = 1;
        match call.fault {
            Some(Fault { kind: Kind::Crashes, moment: Moment::Before }) => match net.die(call.task).await {},
            Some(Fault { kind: Kind::Freezes(ms), moment: Moment::Before }) => net.freeze(call.task, ms).await,
            Some(Fault { kind: Kind::Fails, moment: Moment::Before }) => {
                net.sleep(call.any(PATIENCE_US)).await;
                return Heard::Nothing;
            }
            Some(Fault { kind: Kind::Late(ms), .. }) => {
                net.post(&call, ms.saturating_mul(1000), move || {
                    apply(1);
                });
                net.sleep(call.any(PATIENCE_US)).await;
                return Heard::Nothing;
            }
            Some(Fault { kind: Kind::Refused, .. }) => {
                net.sleep(delay_us).await;
                return Heard::Refused;
            }
            Some(Fault { kind: Kind::Conflicts, .. }) => {
                net.sleep(delay_us).await;
                return Heard::Conflict;
            }
            Some(Fault { kind: Kind::Overtaken(ms), .. }) => {
                let first = apply.clone();
                net.post(&call, ms.saturating_mul(1000), move || {
                    first(1);
                });
                net.sleep(call.any(PATIENCE_US)).await;
                this_try = 2;
            }
            Some(Fault { kind: Kind::Retried, moment: Moment::Before }) => {
                net.sleep(call.leg(2)).await;
                this_try = 2;
            }
            Some(Fault { kind: Kind::Retried, moment: Moment::After }) => {
                let first = apply.clone();
                net.post(&call, delay_us, move || {
                    first(1);
                });
                // The second try leaves when the first is sure to have arrived.
                net.sleep(delay_us + call.leg(2)).await;
                this_try = 2;
            }
            Some(Fault { kind: Kind::Slow(ms), .. }) => delay_us = ms.saturating_mul(1000),
            _ => {}
        }
        let answer = net.exchange(&call, delay_us, move || apply(this_try)).await;
        match call.fault {
            Some(Fault { kind: Kind::Crashes, moment: Moment::After }) => match net.die(call.task).await {},
            Some(Fault { kind: Kind::Freezes(ms), moment: Moment::After }) => {
                net.freeze(call.task, ms).await;
                Heard::Answer(answer)
            }
            Some(Fault { kind: Kind::Fails, moment: Moment::After }) => {
                net.sleep(call.any(PATIENCE_US)).await;
                Heard::Nothing
            }
            _ => Heard::Answer(answer),
        }
    }
}
