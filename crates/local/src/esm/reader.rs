//! Moves records from the Kafka client, which is polled by blocking, to the session, which is not. The channel between
//! them is bounded: a session that is full stops the reading.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc;
use tokio::task::JoinHandle;

use super::event::EncodedRecord;
use super::source::Source;

/// Records handed over at once, at most: fewer wake the session more often.
const CHUNK_RECORDS: usize = 1_000;
/// Bytes after which a chunk is handed over.
const CHUNK_BYTES: usize = 1 << 20;
/// Chunks that may wait in between.
const CHUNKS: usize = 4;
/// How long the end of the session may go unnoticed.
const WAIT: Duration = Duration::from_millis(100);

/// Polls `source` until the receiver is dropped.
pub(super) fn start(source: Arc<Source>) -> (mpsc::Receiver<Vec<EncodedRecord>>, JoinHandle<()>) {
    let (sender, receiver) = mpsc::channel(CHUNKS);
    let task = tokio::task::spawn_blocking(move || read(&source, &sender));
    (receiver, task)
}

fn read(source: &Source, sender: &mpsc::Sender<Vec<EncodedRecord>>) {
    while !sender.is_closed() {
        let Some(first) = source.poll(WAIT) else {
            continue;
        };
        let mut bytes = first.json.len();
        let mut chunk = vec![first];
        while chunk.len() < CHUNK_RECORDS && bytes < CHUNK_BYTES {
            let Some(record) = source.poll(Duration::ZERO) else {
                break;
            };
            bytes += record.json.len();
            chunk.push(record);
        }
        if sender.blocking_send(chunk).is_err() {
            return;
        }
    }
}
