//! Packets: three bytes of length, one of sequence, and a payload; longer payloads continue in the next packet.
//!
//! Reading is bounded, and grows with what has arrived rather than with what was announced. Writing collects small
//! packets and waits for the client when enough have gathered: that is the back-pressure on rows.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::time::timeout;

/// Longest payload of one packet; a payload of just this length is followed by another packet, if need be an empty one.
const LONGEST: usize = 0xff_ffff;

/// Bytes gathered before they are sent.
const GATHERED: usize = 64 << 10;

/// Buffer kept between commands.
const KEPT: usize = 16 << 10;

/// What can go wrong below the level of commands; none leaves a connection usable.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PacketError {
    #[error("reading or writing failed")]
    Io(#[from] io::Error),
    #[error("packets are out of order: expected sequence {expected}, found {found}")]
    Sequence { expected: u8, found: u8 },
    #[error("a packet is longer than {limit} bytes")]
    TooLong { limit: usize },
    #[error("the client took no data for {0:?}")]
    Stalled(Duration),
}

/// Both directions of a connection, with the sequence that they share.
pub(crate) struct Packets<R, W> {
    read: R,
    write: W,
    sequence: u8,
    gathered: Vec<u8>,
    write_limit: Duration,
}

impl<R: AsyncRead + Unpin, W: AsyncWrite + Unpin> Packets<R, W> {
    pub(crate) fn new(read: R, write: W, write_limit: Duration) -> Self {
        Self { read, write, sequence: 0, gathered: Vec::new(), write_limit }
    }

    /// The reading side, for one who watches for the client's going.
    pub(crate) fn reader(&mut self) -> &mut R {
        &mut self.read
    }

    /// Begins a new exchange: the next packet has sequence 0.
    pub(crate) fn restart(&mut self) {
        self.sequence = 0;
        if self.gathered.capacity() > KEPT {
            self.gathered = Vec::new();
        }
    }

    /// The next payload of at most `limit` bytes; `None` if the client closed between packets.
    pub(crate) async fn read(&mut self, limit: usize) -> Result<Option<Vec<u8>>, PacketError> {
        let mut payload = Vec::new();
        loop {
            let mut header = [0_u8; 4];
            let mut filled = 0;
            while let Some(free) = header.get_mut(filled..).filter(|free| !free.is_empty()) {
                match self.read.read(free).await? {
                    0 if filled == 0 && payload.is_empty() => return Ok(None),
                    0 => return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into()),
                    more => filled += more,
                }
            }
            let [a, b, c, found] = header;
            if found != self.sequence {
                return Err(PacketError::Sequence { expected: self.sequence, found });
            }
            self.sequence = self.sequence.wrapping_add(1);
            let length = u32::from_le_bytes([a, b, c, 0]);
            let claimed = usize::try_from(length).unwrap_or(usize::MAX);
            if payload.len().saturating_add(claimed) > limit {
                return Err(PacketError::TooLong { limit });
            }
            let read = (&mut self.read).take(length.into()).read_to_end(&mut payload).await?;
            if read < claimed {
                return Err(io::Error::from(io::ErrorKind::UnexpectedEof).into());
            }
            if claimed < LONGEST {
                return Ok(Some(payload));
            }
        }
    }

    /// Gathers a payload of any length, and waits for the client if much has gathered.
    pub(crate) async fn write(&mut self, payload: &[u8]) -> Result<(), PacketError> {
        let mut rest = payload;
        loop {
            let (part, more) = rest.split_at_checked(LONGEST).unwrap_or((rest, &[]));
            let [a, b, c, ..] = u32::try_from(part.len()).unwrap_or(u32::MAX).to_le_bytes();
            self.gathered.extend([a, b, c, self.sequence]);
            self.gathered.extend_from_slice(part);
            self.sequence = self.sequence.wrapping_add(1);
            if self.gathered.len() >= GATHERED {
                self.flush().await?;
            }
            rest = more;
            if part.len() < LONGEST {
                return Ok(());
            }
        }
    }

    /// Sends what has gathered.
    pub(crate) async fn flush(&mut self) -> Result<(), PacketError> {
        let sent = timeout(self.write_limit, async {
            self.write.write_all(&self.gathered).await?;
            self.write.flush().await
        });
        sent.await.map_err(|_| PacketError::Stalled(self.write_limit))??;
        self.gathered.clear();
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMIT: usize = 64 << 20;

    fn packets(input: &[u8]) -> Packets<&[u8], Vec<u8>> {
        Packets::new(input, Vec::new(), Duration::from_secs(1))
    }

    #[tokio::test]
    async fn payloads_of_any_length_read_back() {
        for length in [0, 1, LONGEST - 1, LONGEST, LONGEST + 1, 2 * LONGEST] {
            let payload: Vec<u8> = (0..length).map(|at| u8::try_from(at % 251).unwrap()).collect();
            let mut writer = packets(&[]);
            writer.write(&payload).await.unwrap();
            writer.flush().await.unwrap();
            let mut reader = packets(&writer.write);
            assert_eq!(reader.read(LIMIT).await.unwrap().unwrap(), payload);
            assert_eq!(reader.sequence, writer.sequence);
            reader.restart();
            assert!(reader.read(LIMIT).await.unwrap().is_none(), "nothing must follow {length} bytes");
        }
    }

    #[tokio::test]
    async fn an_announced_length_beyond_the_limit_is_refused_unread() {
        let error = packets(&[0xff, 0xff, 0x7f, 0]).read(1000).await.unwrap_err();
        assert!(matches!(error, PacketError::TooLong { limit: 1000 }));
    }

    #[tokio::test]
    async fn a_wrong_sequence_is_refused() {
        let error = packets(&[1, 0, 0, 3, 1]).read(1000).await.unwrap_err();
        assert!(matches!(error, PacketError::Sequence { expected: 0, found: 3 }));
    }

    #[tokio::test]
    async fn a_packet_cut_short_is_an_error_wherever_it_is_cut() {
        for cut in 1..6 {
            let error = packets(&[2, 0, 0, 0, 7, 7][..cut]).read(1000).await.unwrap_err();
            assert!(matches!(error, PacketError::Io(_)), "cut at {cut}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_client_that_reads_nothing_is_given_up() {
        let (client, server) = tokio::io::duplex(1024);
        let mut packets = Packets::new(tokio::io::empty(), server, Duration::from_secs(5));
        let error = packets.write(&vec![0; GATHERED]).await.unwrap_err();
        assert!(matches!(error, PacketError::Stalled(_)));
        drop(client);
    }
}
