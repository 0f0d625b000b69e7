//! Frames: a length of four bytes, then that many bytes.

use std::io;

use bytes::{Bytes, BytesMut};
use tokio::io::{AsyncRead, AsyncReadExt};

/// Reserved before anything arrived. From then on the buffer grows with what does arrive, never with the claim.
const FIRST_RESERVE_BYTES: usize = 16 * 1024;

/// Why a connection cannot go on.
#[derive(Debug, thiserror::Error)]
pub(crate) enum FrameError {
    #[error("frame claims {claimed} bytes, at most {most} are accepted")]
    Length { claimed: i32, most: usize },
    #[error("connection ended in the middle of a frame")]
    Torn,
    #[error("cannot read")]
    Io(#[from] io::Error),
}

/// Reads one frame without its length, or `None` if the other side ended between frames.
pub(crate) async fn read_frame(from: &mut (impl AsyncRead + Unpin), most: usize) -> Result<Option<Bytes>, FrameError> {
    let mut length = [0; 4];
    let mut filled = 0;
    while let Some(rest) = length.get_mut(filled..).filter(|rest| !rest.is_empty()) {
        match from.read(rest).await? {
            0 if filled == 0 => return Ok(None),
            0 => return Err(FrameError::Torn),
            read => filled += read,
        }
    }
    let claimed = i32::from_be_bytes(length);
    let length = usize::try_from(claimed).ok().filter(|length| *length <= most);
    let length = length.ok_or(FrameError::Length { claimed, most })?;
    let mut frame = BytesMut::with_capacity(length.min(FIRST_RESERVE_BYTES));
    while frame.len() < length {
        let missing = length - frame.len();
        if frame.capacity() == frame.len() {
            frame.reserve(frame.len().clamp(FIRST_RESERVE_BYTES, missing.max(FIRST_RESERVE_BYTES)).min(missing));
        }
        let missing = u64::try_from(missing).unwrap_or(u64::MAX);
        if (&mut *from).take(missing).read_buf(&mut frame).await? == 0 {
            return Err(FrameError::Torn);
        }
    }
    Ok(Some(frame.freeze()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_frame_is_read_up_to_its_length() {
        let mut bytes: &[u8] = b"\0\0\0\x03abcd";
        assert_eq!(read_frame(&mut bytes, 10).await.unwrap().unwrap(), b"abc".as_slice());
        assert_eq!(bytes, b"d");
    }

    #[tokio::test]
    async fn a_large_frame_is_read_whole() {
        let content: Vec<u8> = (0..300_000u32).map(|byte| byte as u8).collect();
        let mut bytes = 300_000u32.to_be_bytes().to_vec();
        bytes.extend_from_slice(&content);
        assert_eq!(read_frame(&mut bytes.as_slice(), 300_000).await.unwrap().unwrap(), content);
    }

    #[tokio::test]
    async fn nothing_is_no_frame_and_a_part_is_an_error() {
        assert!(read_frame(&mut b"".as_slice(), 10).await.unwrap().is_none());
        assert!(matches!(read_frame(&mut b"\0\0".as_slice(), 10).await, Err(FrameError::Torn)));
        assert!(matches!(read_frame(&mut b"\0\0\0\x05ab".as_slice(), 10).await, Err(FrameError::Torn)));
    }

    #[tokio::test]
    async fn a_length_out_of_range_is_refused() {
        for claim in [[0xff; 4], [0x7f, 0xff, 0xff, 0xff], [0, 0, 0, 11]] {
            assert!(matches!(read_frame(&mut claim.as_slice(), 10).await, Err(FrameError::Length { .. })));
        }
    }
}
