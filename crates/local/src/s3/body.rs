//! What a GET answers with: the bytes that were asked for, in large pieces.
//!
//! The file system's own body takes 4 KiB at a time, each by way of another thread, and goes on to the end of the file
//! whatever range was asked for.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::path::PathBuf;

use bytes::Bytes;
use futures::stream::try_unfold;
use s3s::dto::{Range, StreamingBlob};
use s3s::{S3Result, s3_error};
use tokio::task::spawn_blocking;

/// Bytes that are read at once.
const PIECE: u64 = 1 << 20;

/// The bytes of `range`, or all, of the file at `path`.
///
/// # Errors
/// `NoSuchKey` if there is no such file, `InvalidRange` if the range is not in it.
pub(super) async fn body(path: PathBuf, range: Option<Range>) -> S3Result<StreamingBlob> {
    let opened = spawn_blocking(move || open(path, range)).await;
    let rest = opened.map_err(|error| s3_error!(error, InternalError))??;
    Ok(StreamingBlob::wrap(try_unfold(rest, |rest| async move {
        if rest.bytes == 0 {
            return Ok(None);
        }
        spawn_blocking(move || piece(rest)).await.map_err(io::Error::other)?.map(Some)
    })))
}

/// What is still to be sent of a file that stands where that begins.
struct Rest {
    file: File,
    bytes: u64,
}

fn open(path: PathBuf, range: Option<Range>) -> S3Result<Rest> {
    let mut file = File::open(path).map_err(|error| s3_error!(error, NoSuchKey))?;
    let length = file.metadata().map_err(|error| s3_error!(error, InternalError))?.len();
    let wanted = match range {
        Some(range) => range.check(length)?,
        None => 0..length,
    };
    file.seek(SeekFrom::Start(wanted.start)).map_err(|error| s3_error!(error, InternalError))?;
    Ok(Rest { file, bytes: wanted.end.saturating_sub(wanted.start) })
}

fn piece(rest: Rest) -> io::Result<(Bytes, Rest)> {
    let Rest { mut file, bytes } = rest;
    let wanted = bytes.min(PIECE);
    let mut piece = Vec::with_capacity(usize::try_from(wanted).unwrap_or_default());
    let read = file.by_ref().take(wanted).read_to_end(&mut piece)?;
    let read = u64::try_from(read).map_err(io::Error::other)?;
    if read < wanted {
        // Objects are replaced as a whole, so the file that is open keeps its length.
        return Err(io::ErrorKind::UnexpectedEof.into());
    }
    Ok((Bytes::from(piece), Rest { file, bytes: bytes.saturating_sub(read) }))
}
