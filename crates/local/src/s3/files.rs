//! The embedded S3's objects as whoever is in the same process reads them: from their files, without a request.
//!
//! It sees what a GET would see, since an object is renamed into its place whole. It only reads: writes go through the
//! protocol, with its checks.

use std::fmt;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::ops::Range;
use std::path::{Path, PathBuf};

use async_trait::async_trait;
use bytes::Bytes;
use futures::stream::{self, BoxStream, StreamExt as _};
use object_store::path::Path as Key;
use object_store::{
    Attributes, CopyOptions, Error, GetOptions, GetResult, GetResultPayload, ListResult, MultipartUpload, ObjectMeta,
    ObjectStore, PutMultipartOptions, PutOptions, PutPayload, PutResult, Result,
};
use tokio::task::spawn_blocking;

/// Bytes that are read where the caller is: what takes longer goes to a thread that may wait.
const AT_ONCE: u64 = 128 << 10;

/// Bytes of an object that is read whole that are read at a time.
const PIECE: u64 = 1 << 20;

/// The objects of one bucket.
#[derive(Debug)]
pub struct ObjectFiles {
    bucket: PathBuf,
}

impl ObjectFiles {
    /// The objects of the bucket whose directory this is.
    pub fn new(bucket: PathBuf) -> Self {
        Self { bucket }
    }

    fn path(&self, key: &Key) -> PathBuf {
        // Keys have no `.`, `..` or empty parts: their type sees to it.
        self.bucket.join(key.as_ref())
    }
}

impl fmt::Display for ObjectFiles {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "files in {}", self.bucket.display())
    }
}

#[async_trait]
impl ObjectStore for ObjectFiles {
    async fn get_opts(&self, location: &Key, options: GetOptions) -> Result<GetResult> {
        let (file, length, last_modified) = open(&self.path(location))?;
        let meta = ObjectMeta {
            location: location.clone(),
            last_modified: last_modified.into(),
            size: length,
            e_tag: None,
            version: None,
        };
        options.check_preconditions(&meta)?;
        let range = match &options.range {
            Some(range) => range.as_range(length).map_err(|source| failed(source.into()))?,
            None => 0..length,
        };
        let rest = if options.head { range.start..range.start } else { range.clone() };
        let pieces = stream::try_unfold((file, rest), |(file, rest)| async move {
            if rest.is_empty() {
                return Ok(None);
            }
            let piece = rest.start..rest.end.min(rest.start.saturating_add(PIECE));
            let end = piece.end;
            let (file, bytes) = read(file, vec![piece]).await?;
            Ok(Some((bytes.into_iter().next().unwrap_or_default(), (file, end..rest.end))))
        });
        let payload = GetResultPayload::Stream(pieces.boxed());
        Ok(GetResult { payload, meta, range, attributes: Attributes::new() })
    }

    async fn get_ranges(&self, location: &Key, ranges: &[Range<u64>]) -> Result<Vec<Bytes>> {
        let (file, length, _) = open(&self.path(location))?;
        if let Some(beyond) = ranges.iter().find(|range| range.end > length || range.start > range.end) {
            return Err(failed(format!("expected a range within {length} bytes, found {beyond:?}").into()));
        }
        Ok(read(file, ranges.to_vec()).await?.1)
    }

    async fn put_opts(&self, _: &Key, _: PutPayload, _: PutOptions) -> Result<PutResult> {
        refused("put")
    }

    async fn put_multipart_opts(&self, _: &Key, _: PutMultipartOptions) -> Result<Box<dyn MultipartUpload>> {
        refused("put_multipart")
    }

    fn delete_stream(&self, _: BoxStream<'static, Result<Key>>) -> BoxStream<'static, Result<Key>> {
        stream::once(async { refused("delete") }).boxed()
    }

    fn list(&self, _: Option<&Key>) -> BoxStream<'static, Result<ObjectMeta>> {
        stream::once(async { refused("list") }).boxed()
    }

    async fn list_with_delimiter(&self, _: Option<&Key>) -> Result<ListResult> {
        refused("list")
    }

    async fn copy_opts(&self, _: &Key, _: &Key, _: CopyOptions) -> Result<()> {
        refused("copy")
    }
}

fn refused<T>(operation: &str) -> Result<T> {
    Err(Error::NotImplemented { operation: operation.to_owned(), implementer: "files of objects".to_owned() })
}

fn failed(source: Box<dyn std::error::Error + Send + Sync>) -> Error {
    Error::Generic { store: "files of objects", source }
}

fn open(path: &Path) -> Result<(File, u64, std::time::SystemTime)> {
    let found = File::open(path).and_then(|file| {
        let about = file.metadata()?;
        // A directory holds objects, and is none.
        if about.is_dir() {
            return Err(io::ErrorKind::NotFound.into());
        }
        Ok((file, about.len(), about.modified()?))
    });
    found.map_err(|source| match source.kind() {
        io::ErrorKind::NotFound | io::ErrorKind::NotADirectory => {
            Error::NotFound { path: path.display().to_string(), source: source.into() }
        }
        _ => failed(source.into()),
    })
}

/// The bytes of the ranges, which lie within the file.
async fn read(mut file: File, ranges: Vec<Range<u64>>) -> Result<(File, Vec<Bytes>)> {
    let bytes = ranges.iter().fold(0_u64, |sum, range| sum.saturating_add(range.end.saturating_sub(range.start)));
    let work = move || {
        let pieces = ranges.into_iter().map(|range| piece(&mut file, range)).collect::<io::Result<Vec<Bytes>>>()?;
        Ok((file, pieces))
    };
    let done: io::Result<_> =
        if bytes <= AT_ONCE { work() } else { spawn_blocking(work).await.map_err(|error| failed(error.into()))? };
    done.map_err(|source| failed(source.into()))
}

fn piece(file: &mut File, range: Range<u64>) -> io::Result<Bytes> {
    let wanted = range.end.saturating_sub(range.start);
    let mut bytes = Vec::with_capacity(usize::try_from(wanted).map_err(io::Error::other)?);
    file.seek(SeekFrom::Start(range.start))?;
    let found = file.take(wanted).read_to_end(&mut bytes)?;
    // Objects are replaced as a whole, so the file that is open keeps its length.
    if u64::try_from(found).is_ok_and(|found| found == wanted) {
        Ok(bytes.into())
    } else {
        Err(io::ErrorKind::UnexpectedEof.into())
    }
}

#[cfg(test)]
mod tests {
    use object_store::ObjectStoreExt as _;

    use super::*;

    fn files() -> (tempfile::TempDir, ObjectFiles) {
        let directory = tempfile::tempdir().unwrap();
        std::fs::create_dir_all(directory.path().join("b/t/1")).unwrap();
        std::fs::write(directory.path().join("b/t/1/a b.parquet"), "0123456789").unwrap();
        let files = ObjectFiles::new(directory.path().join("b"));
        (directory, files)
    }

    #[tokio::test]
    async fn object_is_read_whole_and_in_ranges() {
        let (_directory, files) = files();
        let key = Key::parse("t/1/a b.parquet").unwrap();
        let whole = files.get(&key).await.unwrap();
        assert_eq!(whole.meta.size, 10);
        assert_eq!(whole.bytes().await.unwrap(), "0123456789");
        assert_eq!(files.get_range(&key, 8..10).await.unwrap(), "89");
        assert_eq!(files.get_ranges(&key, &[4..5, 0..2, 10..10]).await.unwrap(), ["4", "01", ""]);
        assert_eq!(files.head(&key).await.unwrap().size, 10);
        files.get_ranges(&key, &[0..1, 4..11]).await.expect_err("beyond the end");
    }

    #[tokio::test]
    async fn long_object_comes_in_pieces_that_make_it_up() {
        let (directory, files) = files();
        let content: Vec<u8> = (0..3 * PIECE + 5).map(|place| u8::try_from(place % 251).unwrap()).collect();
        std::fs::write(directory.path().join("b/long"), &content).unwrap();
        let key = Key::from("long");
        assert!(files.get(&key).await.unwrap().bytes().await.unwrap() == content);
        let ranges = [1..2 * PIECE, 0..3 * PIECE + 5];
        assert!(files.get_ranges(&key, &ranges).await.unwrap().get(1).unwrap() == &content);
    }

    #[tokio::test]
    async fn what_is_no_object_is_not_found() {
        let (_directory, files) = files();
        for key in ["t/2", "t/1", "t", "t/1/a b.parquet/x"] {
            let error = files.get(&Key::parse(key).unwrap()).await.expect_err(key);
            assert!(matches!(error, Error::NotFound { .. }), "{key}: {error}");
        }
    }
}
