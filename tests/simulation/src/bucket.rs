//! S3 as it is simulated: objects in memory behind a network.

use std::fmt;
use std::sync::{Arc, Mutex, PoisonError};

use async_trait::async_trait;
use bytes::Bytes;
use futures::StreamExt as _;
use futures::stream::BoxStream;
use object_store::memory::InMemory;
use object_store::path::Path;
use object_store::{
    CopyOptions, Error, GetOptions, GetResult, ListResult, MultipartUpload, ObjectMeta, ObjectStore,
    ObjectStoreExt as _, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use penstock_storage::{StorageError, Volume, Volumes};

use crate::bug::{self, Bug};
use crate::client::{Heard, ask};
use crate::fault::Operation;
use crate::net::Net;
use crate::ready;

/// The service: the objects, and which changed since anyone looked.
#[derive(Debug, Default)]
pub(crate) struct Bucket {
    objects: Arc<InMemory>,
    changes: Mutex<Vec<String>>,
}

impl Bucket {
    /// Full keys that were put or deleted since the last call.
    pub(crate) fn take_changes(&self) -> Vec<String> {
        std::mem::take(&mut *self.changes.lock().unwrap_or_else(PoisonError::into_inner))
    }

    /// The object of that full key; `None` if there is none.
    pub(crate) fn object(&self, key: &str) -> Option<Bytes> {
        let path = Path::parse(key).ok()?;
        let read = async { self.objects.get(&path).await.ok()?.bytes().await.ok() };
        ready(read).flatten()
    }

    /// Full keys of all objects below `prefix`.
    pub(crate) fn keys(&self, prefix: &str) -> Vec<String> {
        let Ok(path) = Path::parse(prefix) else { return Vec::new() };
        let listed: Vec<_> = at_once(self.objects.list(Some(&path)).collect());
        listed.into_iter().flatten().map(|object| object.location.to_string()).collect()
    }

    /// Deletes an object as somebody does who does not ask.
    pub(crate) fn lose(&self, key: &str) {
        if let Ok(path) = Path::parse(key) {
            // One that is not there cannot be lost.
            let _ = at_once(self.delete(&path));
        }
    }

    fn changed(&self, path: &Path) {
        self.changes.lock().unwrap_or_else(PoisonError::into_inner).push(path.to_string());
    }

    async fn put(&self, path: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let result = self.objects.put_opts(path, payload, options).await;
        self.changed(path);
        result
    }

    async fn delete(&self, path: &Path) -> Result<()> {
        let result = self.objects.delete(path).await;
        self.changed(path);
        result
    }
}

fn at_once<T>(answer: impl Future<Output = T>) -> T {
    match ready(answer) {
        Some(answer) => answer,
        None => unreachable!("objects in memory answer at once"),
    }
}

/// A client of the service: what a handler's object store is.
#[derive(Clone)]
pub(crate) struct BucketClient {
    net: Arc<Net>,
    bucket: Arc<Bucket>,
    bug: Option<Bug>,
}

impl BucketClient {
    pub(crate) fn new(net: Arc<Net>, bucket: Arc<Bucket>, bug: Option<Bug>) -> Self {
        Self { net, bucket, bug }
    }
}

impl fmt::Debug for BucketClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BucketClient")
    }
}

impl fmt::Display for BucketClient {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("simulated S3")
    }
}

impl Volumes for BucketClient {
    fn open(&self, _volume: &Volume) -> std::result::Result<Arc<dyn ObjectStore>, StorageError> {
        Ok(Arc::new(self.clone()))
    }
}

fn heard<T>(path: &Path, heard: Heard<Result<T>>) -> Result<T> {
    match heard {
        Heard::Answer(answer) => answer,
        Heard::Nothing => Err(Error::Generic { store: "S3", source: "503 SlowDown: simulated".into() }),
        // What the client makes of a 409.
        Heard::Conflict => Err(Error::AlreadyExists { path: path.to_string(), source: "409: simulated".into() }),
        Heard::Refused => Err(Error::PermissionDenied { path: path.to_string(), source: "403: simulated".into() }),
    }
}

fn not_played<T>(operation: &str) -> Result<T> {
    Err(Error::NotImplemented { operation: operation.to_owned(), implementer: "simulation".to_owned() })
}

#[async_trait]
impl ObjectStore for BucketClient {
    async fn put_opts(&self, location: &Path, payload: PutPayload, options: PutOptions) -> Result<PutResult> {
        let path = match self.bug {
            Some(Bug::SharesFileKeys) => Path::parse(bug::shared_key(location.as_ref()))?,
            _ => location.clone(),
        };
        let bucket = Arc::clone(&self.bucket);
        let put = move |_| at_once(bucket.put(&path, payload.clone(), options.clone()));
        heard(location, ask(&self.net, Operation::Put, format!("put {location}"), put).await)
    }

    async fn put_multipart_opts(&self, _: &Path, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        not_played("multipart upload")
    }

    async fn get_opts(&self, location: &Path, options: GetOptions) -> Result<GetResult> {
        let (bucket, path) = (Arc::clone(&self.bucket), location.clone());
        let get = move |_| at_once(bucket.objects.get_opts(&path, options.clone()));
        heard(location, ask(&self.net, Operation::Read, format!("read {location}"), get).await)
    }

    fn delete_stream(&self, locations: BoxStream<'static, Result<Path>>) -> BoxStream<'static, Result<Path>> {
        let client = self.clone();
        let deleted = locations.then(move |location| {
            let client = client.clone();
            async move {
                let path = location?;
                let (bucket, gone) = (Arc::clone(&client.bucket), path.clone());
                let delete = move |_| at_once(bucket.delete(&gone));
                heard(&path, ask(&client.net, Operation::Delete, format!("delete {path}"), delete).await)?;
                Ok(path)
            }
        });
        deleted.boxed()
    }

    fn list(&self, prefix: Option<&Path>) -> BoxStream<'static, Result<ObjectMeta>> {
        let (client, prefix) = (self.clone(), prefix.cloned());
        let listed = async move {
            let place = prefix.clone().unwrap_or_default();
            let (bucket, below) = (Arc::clone(&client.bucket), prefix);
            let list = move |_| Ok(at_once(bucket.objects.list(below.as_ref()).collect::<Vec<_>>()));
            match heard(&place, ask(&client.net, Operation::List, format!("list {place}"), list).await) {
                Ok(objects) => objects,
                Err(error) => vec![Err(error)],
            }
        };
        futures::stream::once(listed).flat_map(futures::stream::iter).boxed()
    }

    async fn list_with_delimiter(&self, prefix: Option<&Path>) -> Result<ListResult> {
        self.bucket.objects.list_with_delimiter(prefix).await
    }

    async fn copy_opts(&self, _: &Path, _: &Path, _: CopyOptions) -> Result<()> {
        not_played("copy")
    }
}

/// The objects as they are, without a network between.
pub(crate) struct Remaining(pub(crate) Arc<Bucket>);

impl Volumes for Remaining {
    fn open(&self, _volume: &Volume) -> std::result::Result<Arc<dyn ObjectStore>, StorageError> {
        Ok(Arc::clone(&self.0.objects) as Arc<dyn ObjectStore>)
    }
}
