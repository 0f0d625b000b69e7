//! Records through the Kafka protocol, at full speed.

use futures::stream::{FuturesUnordered, StreamExt};
use rdkafka::ClientConfig;
use rdkafka::error::{KafkaError, RDKafkaErrorCode};
use rdkafka::producer::future_producer::OwnedDeliveryResult;
use rdkafka::producer::{FutureProducer, FutureRecord};

use super::{QuickstartError, tutorial};
use crate::screen::Wait;
use crate::server::Server;

/// Records up to which each is shown.
const SHOWN_RECORDS: u64 = 20;

/// Produces `count` records with the uids from `first` on, and waits until the broker has all of them.
pub(super) async fn round(server: &Server, first: u64, count: u64) -> Result<(), QuickstartError> {
    let failed = |source| QuickstartError::Produce { topic: tutorial::TOPIC, source };
    let producer: FutureProducer = ClientConfig::new()
        .set("bootstrap.servers", &server.addresses().kafka)
        .set("enable.idempotence", "true")
        .set("linger.ms", "5")
        .set("queue.buffering.max.messages", "200000")
        .set("message.timeout.ms", "30000")
        .create()
        .map_err(failed)?;
    let wait = (count > SHOWN_RECORDS).then(|| Wait::begin("producing", count));
    let mut in_flight = FuturesUnordered::new();
    let mut acknowledged = 0;
    for uid in first..first + count {
        let value = tutorial::record(uid);
        if count <= SHOWN_RECORDS {
            anstream::println!("b'{value}'");
        }
        loop {
            match producer.send_result(FutureRecord::<(), _>::to(tutorial::TOPIC).partition(0).payload(&value)) {
                Ok(delivery) => {
                    in_flight.push(delivery);
                    break;
                }
                // The client's queue is full: it empties as records are acknowledged.
                Err((KafkaError::MessageProduction(RDKafkaErrorCode::QueueFull), _)) => {
                    if let Some(delivery) = in_flight.next().await {
                        delivered(delivery).map_err(failed)?;
                        acknowledged += 1;
                    }
                }
                Err((error, _)) => return Err(failed(error)),
            }
        }
        if let (Some(wait), 0) = (&wait, uid % 10_000) {
            wait.at(acknowledged);
        }
    }
    while let Some(delivery) = in_flight.next().await {
        delivered(delivery).map_err(failed)?;
    }
    anstream::println!();
    Ok(())
}

/// An abandoned delivery is one that the client gave up while it ended.
fn delivered<Abandoned>(delivery: Result<OwnedDeliveryResult, Abandoned>) -> Result<(), KafkaError> {
    match delivery {
        Ok(Ok(_)) => Ok(()),
        Ok(Err((error, _))) => Err(error),
        Err(_) => Err(KafkaError::Canceled),
    }
}
