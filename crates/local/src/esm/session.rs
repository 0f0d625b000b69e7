//! A mapping polling, from being enabled to being disabled: finds source partitions, reads them, cuts batches, has them
//! delivered, and reports what the source holds.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use penstock_catalog::job::SourceReport;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinError, JoinHandle, JoinSet};

use super::batch::{Batcher, Limits, MAX_EVENT_BYTES};
use super::begin::{self, Begin};
use super::delivery::{self, Delivered, Outcome};
use super::event::{EncodedRecord, Envelope};
use super::poller::{Order, Shared, Teller};
use super::reader;
use super::source::{Observation, Source, SourceError};

/// Why a session ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Ended {
    /// The mapping was disabled or changed.
    Ordered,
    /// The mapping was deleted.
    Deleted,
    /// The job is STOPPED or CANCELLED.
    Finished,
    /// Something is wrong; another session may do better.
    Failed(String),
}

/// Batches in flight at a time at most, as one event poller has; a job may want fewer.
const DELIVERIES: usize = 5;
/// Bytes of waiting records after which a source partition is read no further until half of them are gone.
const SOURCE_PARTITION_BYTES: usize = 2 * MAX_EVENT_BYTES;
/// Bytes of waiting records after which nothing is read.
const WAITING_BYTES: usize = 8 * MAX_EVENT_BYTES;
/// How often the topic's end is looked up.
const LATEST_INTERVAL: Duration = Duration::from_secs(1);
/// How often source partitions are looked for.
const TOPIC_INTERVAL: Duration = Duration::from_secs(3);
/// How soon after a batch the topic's end is looked up.
const AFTER_BATCH: Duration = Duration::from_millis(200);
/// An unchanged source is reported this often: a resumed job learns from it that its source is there.
const REPORT_INTERVAL: Duration = Duration::from_secs(10);

/// Polls as `begun` says until `orders` say otherwise.
pub(super) async fn run(
    shared: &Arc<Shared>,
    begun: &Order,
    orders: &mut watch::Receiver<Order>,
    teller: &mut Teller,
) -> Ended {
    let spec = begun.spec.clone();
    let brokers = aliased(&spec.brokers, &shared.broker_aliases);
    let opened = tokio::task::spawn_blocking(move || Source::open(&spec, &brokers)).await;
    let source = match opened {
        Ok(Ok(source)) => Arc::new(source),
        Ok(Err(error)) => return Ended::Failed(error.to_string()),
        Err(error) => return Ended::Failed(error.to_string()),
    };
    let (records, reader) = reader::start(Arc::clone(&source));
    let (troubles, troubled) = mpsc::channel(1);
    let mut session = Session {
        shared: Arc::clone(shared),
        begun: begun.clone(),
        batcher: batcher(shared, begun),
        source,
        assigned: BTreeSet::new(),
        paused: BTreeSet::new(),
        deliveries: JoinSet::new(),
        troubles,
        uncommitted: BTreeMap::new(),
        job: None,
        reported: None,
        observing: None,
        observe_at: Instant::now(),
        find_at: Instant::now(),
    };
    let ended = session.work(orders, teller, records, troubled).await;
    session.finish(reader).await;
    ended
}

struct Session {
    shared: Arc<Shared>,
    begun: Order,
    batcher: Batcher,
    source: Arc<Source>,
    assigned: BTreeSet<i32>,
    paused: BTreeSet<i32>,
    deliveries: JoinSet<Delivered>,
    troubles: mpsc::Sender<String>,
    /// Positions of the group that are behind what was loaded.
    uncommitted: BTreeMap<i32, i64>,
    /// Source partitions that the job reads, once known; `None` within: all.
    job: Option<Option<BTreeSet<i32>>>,
    reported: Option<(Instant, u64, BTreeMap<i32, i64>)>,
    observing: Option<JoinHandle<Observed>>,
    observe_at: Instant,
    find_at: Instant,
}

/// What a look at the source brought.
struct Observed {
    found: Result<Observation, SourceError>,
    /// Whether source partitions were looked for, too.
    whole: bool,
    /// Positions that were committed meanwhile.
    committed: BTreeMap<i32, i64>,
}

impl Session {
    async fn work(
        &mut self,
        orders: &mut watch::Receiver<Order>,
        teller: &mut Teller,
        mut records: mpsc::Receiver<Vec<EncodedRecord>>,
        mut troubled: mpsc::Receiver<String>,
    ) -> Ended {
        loop {
            self.deliver(orders);
            let room = self.deliveries.len() < self.most_deliveries();
            let next_cut = self.batcher.next_cut().filter(|_| room);
            let step = tokio::select! {
                changed = orders.changed() => match changed {
                    Err(_) => Step::End(Ended::Deleted),
                    Ok(()) => self.ordered(&orders.borrow_and_update()),
                },
                chunk = records.recv(), if self.batcher.waiting_bytes() < WAITING_BYTES => match chunk {
                    Some(chunk) => self.read(chunk),
                    None => Step::End(Ended::Failed("the Kafka client ended".to_owned())),
                },
                Some(ended) = self.deliveries.join_next() => self.delivered(ended),
                Some(message) = troubled.recv() => {
                    teller.tell(&message, 1).await;
                    Step::On
                }
                () = until(next_cut) => Step::On,
                observed = wait(&mut self.observing) => {
                    self.observing = None;
                    let nudges = orders.borrow().nudges;
                    self.observed(observed, nudges, teller).await
                }
                () = until(Some(self.observe_at)), if self.observing.is_none() => {
                    self.observe();
                    Step::On
                }
            };
            if let Step::End(ended) = step {
                return ended;
            }
        }
    }

    /// Batches in flight end before the session does, so that no other session overtakes them.
    async fn finish(mut self, reader: JoinHandle<()>) {
        while let Some(ended) = self.deliveries.join_next().await {
            if let Err(error) = ended {
                tracing::warn!(job = %self.begun.spec.job, %error, "delivery ended badly");
            }
        }
        if let Some(observing) = self.observing.take() {
            let _ = observing.await;
        }
        let _ = reader.await;
        let source = self.source;
        // Closing the client asks the cluster.
        let _ = tokio::task::spawn_blocking(move || drop(source)).await;
    }

    fn most_deliveries(&self) -> usize {
        usize::try_from(self.begun.spec.concurrency).unwrap_or(DELIVERIES).clamp(1, DELIVERIES)
    }

    fn ordered(&mut self, order: &Order) -> Step {
        if delivery::ends(order, &self.begun) {
            return Step::End(Ended::Ordered);
        }
        // Resumed: the job wants to hear at once that its source is there.
        self.observe_at = Instant::now();
        Step::On
    }

    fn read(&mut self, chunk: Vec<EncodedRecord>) -> Step {
        let now = Instant::now();
        let mut touched = BTreeSet::new();
        for record in chunk {
            touched.insert(record.source_partition);
            self.batcher.push(now, record);
        }
        for source_partition in touched {
            let long = self.batcher.waiting_bytes_of(source_partition) > SOURCE_PARTITION_BYTES;
            if long
                && self.paused.insert(source_partition)
                && let Err(error) = self.source.pause(source_partition)
            {
                return Step::End(Ended::Failed(error.to_string()));
            }
        }
        Step::On
    }

    fn deliver(&mut self, orders: &watch::Receiver<Order>) {
        while self.deliveries.len() < self.most_deliveries()
            && let Some(batch) = self.batcher.cut(Instant::now())
        {
            self.deliveries.spawn(delivery::deliver(
                Arc::clone(&self.shared),
                Arc::clone(&self.source),
                self.begun.clone(),
                orders.clone(),
                batch,
                self.troubles.clone(),
            ));
        }
    }

    fn delivered(&mut self, ended: Result<Delivered, JoinError>) -> Step {
        let delivered = match ended {
            Ok(delivered) => delivered,
            // Nobody knows how far the batch came: begin again at the group's position.
            Err(error) => {
                return Step::End(Ended::Failed(format!("a delivery ended badly: {error}")));
            }
        };
        match delivered.outcome {
            Outcome::Abandoned => return Step::End(Ended::Ordered),
            Outcome::Uncommitted => self.uncommitted.extend(&delivered.next_offsets),
            Outcome::Committed => {
                self.uncommitted.retain(|source_partition, _| !delivered.next_offsets.contains_key(source_partition));
            }
        }
        self.batcher.release(delivered.next_offsets.into_keys());
        let ready: Vec<i32> = self
            .paused
            .iter()
            .copied()
            .filter(|source_partition| self.batcher.waiting_bytes_of(*source_partition) <= SOURCE_PARTITION_BYTES / 2)
            .collect();
        for source_partition in ready {
            self.paused.remove(&source_partition);
            if let Err(error) = self.source.resume(source_partition) {
                return Step::End(Ended::Failed(error.to_string()));
            }
        }
        self.observe_at = self.observe_at.min(Instant::now() + AFTER_BATCH);
        Step::On
    }

    fn observe(&mut self) {
        let whole = self.assigned.is_empty() || self.find_at <= Instant::now();
        let source = Arc::clone(&self.source);
        let assigned = self.assigned.clone();
        let uncommitted = self.uncommitted.clone();
        self.observing = Some(tokio::task::spawn_blocking(move || {
            let found = if whole { source.observe() } else { source.latest(&assigned) };
            let committed = if !uncommitted.is_empty() && source.commit(&uncommitted).is_ok() {
                uncommitted
            } else {
                BTreeMap::new()
            };
            Observed { found, whole, committed }
        }));
    }

    async fn observed(&mut self, observed: Result<Observed, JoinError>, nudges: u64, teller: &mut Teller) -> Step {
        let now = Instant::now();
        self.observe_at = now + LATEST_INTERVAL;
        let observed = match observed {
            Ok(observed) => observed,
            Err(error) => return Step::End(Ended::Failed(error.to_string())),
        };
        self.uncommitted.retain(|source_partition, next| observed.committed.get(source_partition) != Some(next));
        let latest = match observed.found {
            Ok(observation) => observation.latest,
            Err(error) => {
                teller.tell(&error.to_string(), 0).await;
                return Step::On;
            }
        };
        if observed.whole {
            self.find_at = now + TOPIC_INTERVAL;
            let found: BTreeSet<i32> = latest.keys().copied().collect();
            if !self.assigned.is_subset(&found) {
                return Step::End(Ended::Failed(format!("topic `{}` is gone or was made anew", self.begun.spec.topic)));
            }
            if found.is_empty() {
                teller.tell(&format!("topic `{}` does not exist yet", self.begun.spec.topic), 0).await;
                return Step::On;
            }
            let fresh: BTreeSet<i32> = found.difference(&self.assigned).copied().collect();
            if !fresh.is_empty() {
                return self.begin(fresh, latest, nudges, teller).await;
            }
        }
        if latest.len() < self.assigned.len() {
            // Some are gone: see what is there, before anything is reported of the rest.
            self.find_at = now;
            self.observe_at = now;
            return Step::On;
        }
        teller.well();
        self.report(latest, nudges).await;
        Step::On
    }

    /// Starts source partitions that were not read until now.
    async fn begin(
        &mut self,
        fresh: BTreeSet<i32>,
        latest: BTreeMap<i32, i64>,
        nudges: u64,
        teller: &mut Teller,
    ) -> Step {
        match begin::begin(&self.shared.catalog, &self.source, self.begun.spec.job, &fresh, &latest).await {
            Ok(Begin::Started { reads }) => {
                self.job = Some(reads);
                self.reported = Some((Instant::now(), nudges, latest));
                self.assigned.extend(fresh);
                teller.well();
                Step::On
            }
            Ok(Begin::JobEnded) => Step::End(Ended::Finished),
            Err(error) => {
                teller.tell(&error.to_string(), 0).await;
                Step::On
            }
        }
    }

    async fn report(&mut self, latest: BTreeMap<i32, i64>, nudges: u64) {
        let known = self.reported.as_ref().is_some_and(|(at, nudged, reported)| {
            *reported == latest && *nudged == nudges && at.elapsed() < REPORT_INTERVAL
        });
        let Some(reads) = &self.job else { return };
        if known {
            return;
        }
        let report = SourceReport {
            latest: begin::read_only(&latest, reads.as_ref()),
            at_ms: self.shared.catalog.clock().now_ms(),
        };
        match self.shared.catalog.report_source(self.begun.spec.job, &report, &BTreeMap::new()).await {
            Ok(()) => self.reported = Some((Instant::now(), nudges, latest)),
            Err(error) => {
                tracing::debug!(job = %self.begun.spec.job, %error, "source cannot be reported")
            }
        }
    }
}

enum Step {
    On,
    End(Ended),
}

fn batcher(shared: &Shared, begun: &Order) -> Batcher {
    let spec = &begun.spec;
    let limits = Limits {
        records: usize::try_from(spec.batch_size).unwrap_or(usize::MAX).max(1),
        window: Duration::from_secs(spec.window_seconds.into()),
        bytes: MAX_EVENT_BYTES,
    };
    Batcher::new(limits, Envelope::new(&shared.event_source, &spec.brokers, &spec.topic))
}

/// Brokers as they are reached from here.
pub(crate) fn aliased(brokers: &[String], aliases: &[(String, String)]) -> Vec<String> {
    brokers
        .iter()
        .map(|broker| {
            let broker = broker.trim();
            aliases
                .iter()
                .find(|(alias, _)| alias.eq_ignore_ascii_case(broker))
                .map_or_else(|| broker.to_owned(), |(_, address)| address.clone())
        })
        .collect()
}

async fn until(instant: Option<Instant>) {
    match instant {
        Some(instant) => tokio::time::sleep_until(instant.into()).await,
        None => std::future::pending().await,
    }
}

async fn wait<T>(task: &mut Option<JoinHandle<T>>) -> Result<T, JoinError> {
    match task {
        Some(task) => task.await,
        None => std::future::pending().await,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn alias_replaces_a_broker_as_it_is_written() {
        let aliases = [("redpanda:29092".to_owned(), "127.0.0.1:9092".to_owned())];
        let brokers = ["Redpanda:29092".to_owned(), " other:9092 ".to_owned(), "redpanda:9092".to_owned()];
        assert_eq!(aliased(&brokers, &aliases), ["127.0.0.1:9092", "other:9092", "redpanda:9092"]);
    }
}
