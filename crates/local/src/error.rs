//! What keeps an embedded service from starting. Failures while it serves are answers of its protocol instead.

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;

/// An embedded service cannot start.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum StartError {
    /// The address is taken, or not ours: another one must be chosen.
    #[error("{service} cannot listen on {address}")]
    Listen {
        /// The service, for a person.
        service: &'static str,
        /// The address asked for.
        address: SocketAddr,
        /// What the system said.
        #[source]
        source: io::Error,
    },
    /// Its data cannot be read or written: permissions, a full disk, or damage.
    #[error("{service} cannot use its data at `{}`", path.display())]
    Data {
        /// The service, for a person.
        service: &'static str,
        /// File or directory.
        path: PathBuf,
        /// What happened.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
}

impl StartError {
    /// The address, if the only thing wrong is that another program listens there.
    pub fn busy_address(&self) -> Option<SocketAddr> {
        match self {
            Self::Listen { address, source, .. } if source.kind() == io::ErrorKind::AddrInUse => Some(*address),
            _ => None,
        }
    }

    pub(crate) fn data(
        service: &'static str,
        path: impl Into<PathBuf>,
        source: impl Into<Box<dyn std::error::Error + Send + Sync>>,
    ) -> Self {
        Self::Data { service, path: path.into(), source: source.into() }
    }
}
