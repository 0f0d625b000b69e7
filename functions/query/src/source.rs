//! An object store as one query reads it: read only, with requests and failures counted.
//!
//! The first request to a small file asks for its footer and gets all of it. It is kept until its columns are asked for, so
//! that such a file takes one request. What was read of larger ones is kept for the queries to come, as far as there is
//! room: files never change.

use std::collections::HashMap;
use std::fmt;
use std::ops::Range;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::BoxStream;
use futures::{StreamExt, TryStreamExt};
use object_store::path::Path;
use object_store::{
    CopyOptions, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};

use penstock_catalog::kept::Kept;

use crate::report::Report;

/// Bytes of an object that is small.
const SMALL: u64 = 128 << 10;
/// Bytes of whole objects that are kept at most.
const KEPT: usize = 8 << 20;

/// Reads of one query from one store.
#[derive(Debug)]
pub(crate) struct Source {
    store: Arc<dyn ObjectStore>,
    report: Arc<Report>,
    whole: Mutex<Whole>,
    /// What was read before, of all stores, and what its names begin with for this one.
    ranges: Kept,
    name: String,
}

/// Small objects that were read whole and not asked for again yet.
#[derive(Debug, Default)]
struct Whole {
    objects: HashMap<Path, Bytes>,
    bytes: usize,
}

impl Source {
    pub(crate) fn new(store: Arc<dyn ObjectStore>, report: Arc<Report>) -> Self {
        Self { store, report, whole: Mutex::default(), ranges: Kept::default(), name: String::new() }
    }

    /// Reads what is among `ranges` from there, and adds what is not. `name` tells this store from the others.
    pub(crate) fn keeping(self, ranges: Kept, name: String) -> Self {
        Self { ranges, name, ..self }
    }

    fn whole(&self) -> MutexGuard<'_, Whole> {
        // A poisoned lock only means that another thread ended between whole entries.
        self.whole.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn keep(&self, location: &Path, bytes: &Bytes) {
        let mut whole = self.whole();
        if whole.bytes.saturating_add(bytes.len()) <= KEPT && !whole.objects.contains_key(location) {
            whole.bytes = whole.bytes.saturating_add(bytes.len());
            whole.objects.insert(location.clone(), bytes.clone());
        }
    }

    /// The ranges of an object that is here whole, which is then forgotten.
    fn kept(&self, location: &Path, ranges: &[Range<u64>]) -> Option<Vec<Bytes>> {
        let mut whole = self.whole();
        let bytes = whole.objects.remove(location)?;
        whole.bytes = whole.bytes.saturating_sub(bytes.len());
        let slice = |range: &Range<u64>| {
            let (start, end) = (usize::try_from(range.start).ok()?, usize::try_from(range.end).ok()?);
            (start <= end && end <= bytes.len()).then(|| bytes.slice(start..end))
        };
        ranges.iter().map(slice).collect()
    }

    fn noted<T>(&self, result: Result<T>) -> Result<T> {
        result.inspect_err(|error| self.report.storage_failed(error))
    }
}

impl fmt::Display for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.store.fmt(f)
    }
}

fn refused<T>(operation: &str) -> Result<T> {
    Err(object_store::Error::NotImplemented { operation: operation.to_owned(), implementer: "query".to_owned() })
}

#[async_trait]
impl ObjectStore for Source {
    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        self.report.requests.fetch_add(1, Ordering::Relaxed);
        let head = options.head;
        let mut result = self.noted(self.store.get_opts(location, options).await)?;
        self.report.bytes.fetch_add(result.range.end.saturating_sub(result.range.start), Ordering::Relaxed);
        if !head && result.meta.size <= SMALL && result.range == (0..result.meta.size) {
            let GetResult { meta, range, attributes, .. } = &result;
            let (meta, range, attributes) = (meta.clone(), range.clone(), attributes.clone());
            let bytes = self.noted(result.bytes().await)?;
            self.keep(location, &bytes);
            let payload = GetResultPayload::Stream(futures::stream::once(async { Ok(bytes) }).boxed());
            return Ok(GetResult { payload, meta, range, attributes });
        }
        result.payload = match result.payload {
            GetResultPayload::Stream(stream) => {
                let report = Arc::clone(&self.report);
                GetResultPayload::Stream(stream.inspect_err(move |error| report.storage_failed(error)).boxed())
            }
            #[allow(unreachable_patterns, reason = "other payloads exist with other features of the crate")]
            other => other,
        };
        Ok(result)
    }

    async fn get_ranges(&self, location: &Path, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        if let Some(kept) = self.kept(location, ranges) {
            return Ok(kept);
        }
        let name = |range: &Range<u64>| format!("{}/{location}#{}-{}", self.name, range.start, range.end);
        let mut found: Vec<Option<Bytes>> = ranges
            .iter()
            .map(|range| self.ranges.get::<Bytes>(&name(range)).map(|bytes| Bytes::clone(&bytes)))
            .collect();
        let unread: Vec<Range<u64>> =
            ranges.iter().zip(&found).filter(|(_, found)| found.is_none()).map(|(range, _)| range.clone()).collect();
        if !unread.is_empty() {
            self.report.requests.fetch_add(1, Ordering::Relaxed);
            let bytes: u64 = unread.iter().map(|range| range.end.saturating_sub(range.start)).sum();
            self.report.bytes.fetch_add(bytes, Ordering::Relaxed);
            let read = self.noted(self.store.get_ranges(location, &unread).await)?;
            let places = found.iter_mut().filter(|found| found.is_none());
            for ((place, range), bytes) in places.zip(&unread).zip(read) {
                if self.ranges.takes(bytes.len()) {
                    // A copy: these may be part of one longer read, which would all stay.
                    self.ranges.put(name(range), Arc::new(Bytes::copy_from_slice(&bytes)), bytes.len());
                }
                *place = Some(bytes);
            }
        }
        Ok(found.into_iter().flatten().collect())
    }

    async fn put_opts(&self, _: &Path, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        refused("put")
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        refused("put_multipart")
    }

    fn delete_stream(&self, _: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        futures::stream::once(async { refused("delete") }).boxed()
    }

    fn list(&self, _: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        // Which objects count is for commits to say.
        futures::stream::once(async { refused("list") }).boxed()
    }

    async fn list_with_delimiter(&self, _: Option<&Path>) -> Result<ListResult> {
        refused("list")
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        refused("copy")
    }
}
