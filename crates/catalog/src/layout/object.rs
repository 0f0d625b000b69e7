//! What layouts name on a table's volume: manifests, ledgers and lists of garbage.
//!
//! Each is one object, written once under a key of its own: a line that says what it is and in which format, then JSON,
//! compressed. The layout holds length and checksum, so that a damaged one is an error and never a table with fewer rows.

use std::io::Read as _;
use std::sync::Arc;

use futures::{StreamExt as _, TryStreamExt as _, stream};
use object_store::path::Path;
use object_store::{ObjectStore, ObjectStoreExt as _};
use penstock_kernel::ids::JobId;
use penstock_kernel::table::TableDefinition;
use penstock_storage::Volume;
use serde::de::DeserializeOwned;
use serde::{Deserialize, Serialize};

use super::ObjectRef;
use crate::Catalog;
use crate::commit::DataFile;
use crate::coverage::CoveredRange;
use crate::error::CatalogError;
use crate::kept::Kept;
use crate::record::unreadable_object;
use crate::rejected::Rejection;

/// The newest format that is read, and the one that is written.
const FORMAT: u32 = 1;

/// Bytes that the text of an object has at most: what it says of its own length is a claim.
const MAX_TEXT_BYTES: u64 = 256 << 20;

/// Objects deleted at a time.
const DELETES_AT_ONCE: usize = 32;

/// Bytes that what is decoded takes in memory, about, for each of its text.
const DECODED_PER_TEXT: usize = 2;

/// What an object is.
pub(super) trait Content: Serialize + DeserializeOwned {
    /// Its word in the first line, and the folder of its key.
    const KIND: &'static str;
}

/// The files of a manifest.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Files(pub(super) Vec<DataFile>);

/// Keys of objects that nobody needs after a grace period.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub(super) struct Garbage(pub(super) Vec<String>);

/// What folded commits say beside their files.
#[derive(Debug, Clone, Default, PartialEq, Serialize, Deserialize)]
pub struct Ledger {
    /// What offsets came to, neighbours merged.
    pub coverage: Vec<JobRanges>,
    /// What they say of rejected rows, as far as it counts still; ascending by commit.
    pub rejections: Vec<Rejection>,
}

/// What the offsets of one job came to.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct JobRanges {
    /// The job.
    pub job: JobId,
    /// Its ranges, ascending by source partition and offset.
    pub ranges: Vec<CoveredRange>,
}

impl Content for Files {
    const KIND: &'static str = "manifest";
}

impl Content for Garbage {
    const KIND: &'static str = "garbage";
}

impl Content for Ledger {
    const KIND: &'static str = "ledger";
}

impl Catalog {
    /// The store of a table's volume.
    pub(super) async fn objects(&self, table: &TableDefinition) -> Result<Objects, CatalogError> {
        let refused = |message: String| CatalogError::Refused { operation: "read a manifest", message };
        let Some(volumes) = &self.volumes else {
            return Err(refused("expected a catalog with object stores, found one without".to_owned()));
        };
        let volume = self.volume(&table.volume).await?;
        let volume = volume.ok_or_else(|| refused(format!("storage volume `{}` does not exist", table.volume)))?;
        let store = volumes.open(&volume).map_err(|error| refused(error.to_string()))?;
        Ok(Objects { store, volume })
    }
}

/// The store of one volume.
pub(crate) struct Objects {
    store: Arc<dyn ObjectStore>,
    volume: Volume,
}

impl Objects {
    /// Puts `content` as an object of `table` under the name `unique`.
    pub(super) async fn put<T: Content>(
        &self,
        table: &TableDefinition,
        unique: &str,
        content: &T,
    ) -> Result<ObjectRef, CatalogError> {
        let key = format!("table/{}/{}/{unique}.zst", table.id, T::KIND);
        let bytes = encode(content).map_err(|message| unreadable_object(&key, message))?;
        let reference = ObjectRef {
            bytes: bytes.len() as u64, // usize has at most 64 bits
            crc32c: crc32c::crc32c(&bytes),
            key,
        };
        let path = self.path(&reference.key)?;
        self.store.put(&path, bytes.into()).await.map_err(|error| unavailable("put a manifest", error))?;
        Ok(reference)
    }

    /// The content of the object.
    ///
    /// # Errors
    /// [`CatalogError::Unreadable`] if it is not there, damaged, or of a newer version.
    pub(super) async fn get<T: Content>(&self, reference: &ObjectRef) -> Result<T, CatalogError> {
        Ok(self.read(reference).await?.0)
    }

    /// What `part` takes of the object, which `kept` then keeps under the object's key: it is never written again.
    ///
    /// # Errors
    /// As [`get`](Self::get).
    pub(super) async fn get_kept<T: Content, P: Send + Sync + 'static>(
        &self,
        reference: &ObjectRef,
        kept: &Kept,
        part: impl FnOnce(T) -> P,
    ) -> Result<Arc<P>, CatalogError> {
        let (content, text_bytes) = self.read(reference).await?;
        let part = Arc::new(part(content));
        kept.put(reference.key.clone(), Arc::clone(&part), text_bytes.saturating_mul(DECODED_PER_TEXT));
        Ok(part)
    }

    /// The content, and how long its text is.
    async fn read<T: Content>(&self, reference: &ObjectRef) -> Result<(T, usize), CatalogError> {
        let key = &reference.key;
        let path = self.path(key)?;
        let read = match self.store.get(&path).await {
            Ok(read) => read.bytes().await,
            Err(error) => Err(error),
        };
        let bytes = match read {
            Ok(bytes) => bytes,
            Err(object_store::Error::NotFound { .. }) => {
                return Err(unreadable_object(key, "it is not there".to_owned()));
            }
            Err(error) => return Err(unavailable("get a manifest", error)),
        };
        if bytes.len() as u64 != reference.bytes {
            let message = format!("expected {} bytes, found {}", reference.bytes, bytes.len());
            return Err(unreadable_object(key, message));
        }
        let found = crc32c::crc32c(&bytes);
        if found != reference.crc32c {
            let message = format!("expected checksum {:08x}, found {found:08x}", reference.crc32c);
            return Err(unreadable_object(key, message));
        }
        decode(&bytes).map_err(|message| unreadable_object(key, message))
    }

    fn path(&self, relative: &str) -> Result<Path, CatalogError> {
        let refused = |message: String| CatalogError::Refused { operation: "name an object", message };
        let key = self.volume.key(relative).map_err(|error| refused(error.to_string()))?;
        Path::parse(&key).map_err(|error| refused(error.to_string()))
    }
}

/// Deletes objects; one that is not there is as good as deleted.
///
/// # Errors
/// [`CatalogError::Unavailable`]: some may be there still.
pub(crate) async fn delete_objects(objects: &Objects, keys: Vec<String>) -> Result<(), CatalogError> {
    stream::iter(keys)
        .map(|key| async move {
            match objects.store.delete(&objects.path(&key)?).await {
                Ok(()) | Err(object_store::Error::NotFound { .. }) => Ok(()),
                Err(error) => Err(unavailable("delete an object", error)),
            }
        })
        .buffer_unordered(DELETES_AT_ONCE)
        .try_collect()
        .await
}

fn unavailable(operation: &'static str, source: object_store::Error) -> CatalogError {
    CatalogError::Unavailable { operation, source: Box::new(source) }
}

fn encode<T: Content>(content: &T) -> Result<Vec<u8>, String> {
    let mut text = format!("penstock {} {FORMAT}\n", T::KIND).into_bytes();
    serde_json::to_writer(&mut text, content).map_err(|error| error.to_string())?;
    zstd::encode_all(text.as_slice(), 3).map_err(|error| error.to_string())
}

fn decode<T: Content>(bytes: &[u8]) -> Result<(T, usize), String> {
    let decoder = zstd::Decoder::new(bytes).map_err(|error| error.to_string())?;
    let mut text = Vec::new();
    let read = decoder.take(MAX_TEXT_BYTES + 1).read_to_end(&mut text).map_err(|error| error.to_string())?;
    if read as u64 > MAX_TEXT_BYTES {
        return Err(format!("expected at most {MAX_TEXT_BYTES} bytes of text"));
    }
    let (line, json) = match memchr_line(&text) {
        Some(at) => text.split_at(at),
        None => return Err("expected a first line that names its format".to_owned()),
    };
    let mut words = line.split(|byte| *byte == b' ').map(String::from_utf8_lossy);
    let (name, kind, format) = (words.next(), words.next(), words.next().and_then(|word| word.parse::<u32>().ok()));
    if name.as_deref() != Some("penstock") || kind.as_deref() != Some(T::KIND) {
        return Err(format!("expected a {}, found `{}`", T::KIND, String::from_utf8_lossy(line)));
    }
    match format {
        Some(FORMAT) => {
            let content = serde_json::from_slice(json).map_err(|error| error.to_string())?;
            Ok((content, text.len()))
        }
        Some(format) => Err(format!(
            "expected format {FORMAT}, found {format}, which another version of penstock wrote\nhint: upgrade this one"
        )),
        None => Err(format!("expected the number of a format, found `{}`", String::from_utf8_lossy(line))),
    }
}

fn memchr_line(text: &[u8]) -> Option<usize> {
    text.iter().position(|byte| *byte == b'\n')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn object_comes_back_as_it_was() {
        let garbage = Garbage(vec!["a".to_owned(), "b".to_owned()]);
        assert_eq!(decode::<Garbage>(&encode(&garbage).unwrap()).unwrap().0, garbage);
        assert_eq!(decode::<Ledger>(&encode(&Ledger::default()).unwrap()).unwrap().0, Ledger::default());
    }

    #[test]
    fn object_of_another_kind_or_version_is_refused() {
        let of = |text: &str| decode::<Garbage>(&zstd::encode_all(text.as_bytes(), 1).unwrap()).unwrap_err();
        assert!(of("penstock garbage 2\n[]").contains("expected format 1, found 2"));
        assert!(of("penstock ledger 1\n[]").contains("expected a garbage, found `penstock ledger 1`"));
        assert!(of("penstock garbage x\n[]").contains("expected the number of a format"));
        assert!(of("[]").contains("expected a first line"));
        assert!(decode::<Garbage>(b"nothing").is_err());
    }
}
