//! Listening: a task for each client, a bound on their number, and an orderly end.

use std::net::SocketAddr;
use std::pin::pin;
use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::time::{Duration, Instant};

use tokio::io::AsyncWriteExt as _;
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::connection::{self, Connection};
use crate::functions::Functions;
use crate::protocol::reply;
use crate::registry::Registry;
use crate::settings::GatewaySettings;

/// Pause before the next try when the system has no more sockets to give.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// A MySQL server in front of the functions.
#[derive(Debug, Clone, Copy)]
pub struct Gateway;

impl Gateway {
    /// Serves clients until `shutdown` completes, and ends when the last one is gone.
    ///
    /// Idle clients are told at once that the server stops; running statements get
    /// [`Limits::shutdown`](crate::Limits::shutdown) to end. A client can never end the gateway: what is wrong with one
    /// ends its connection at most.
    pub async fn serve(
        listener: TcpListener,
        functions: Arc<dyn Functions>,
        settings: GatewaySettings,
        shutdown: impl Future<Output = ()> + Send,
    ) {
        let grace = settings.limits.shutdown;
        let server = Arc::new(Server::new(functions, settings));
        let (stop, stopped) = watch::channel(false);
        let mut clients = JoinSet::new();
        let mut shutdown = pin!(shutdown);
        loop {
            tokio::select! {
                () = &mut shutdown => break,
                Some(_) = clients.join_next() => {}
                accepted = listener.accept() => match accepted {
                    Ok((stream, peer)) => server.admit(stream, peer, &stopped, &mut clients),
                    Err(error) => {
                        tracing::warn!(error = %error, "cannot accept a client");
                        tokio::time::sleep(ACCEPT_PAUSE).await;
                    }
                },
            }
        }
        drop(listener);
        // Nobody listening means that nobody is connected.
        let _ = stop.send(true);
        let _ = timeout(grace, async { while clients.join_next().await.is_some() {} }).await;
        clients.shutdown().await;
    }
}

/// What all connections share.
pub(crate) struct Server {
    pub(crate) functions: Arc<dyn Functions>,
    pub(crate) settings: GatewaySettings,
    pub(crate) registry: Registry,
    pub(crate) started: Instant,
    /// Statements since the start.
    pub(crate) statements: AtomicU64,
}

impl Server {
    pub(crate) fn new(functions: Arc<dyn Functions>, settings: GatewaySettings) -> Self {
        Self {
            functions,
            settings,
            registry: Registry::default(),
            started: Instant::now(),
            statements: AtomicU64::new(0),
        }
    }

    fn admit(
        self: &Arc<Self>,
        stream: TcpStream,
        peer: SocketAddr,
        stopped: &watch::Receiver<bool>,
        clients: &mut JoinSet<()>,
    ) {
        // Small answers must not wait for larger ones. A socket that cannot do it works all the same.
        let _ = stream.set_nodelay(true);
        let Some(entry) = self.registry.add(peer.to_string(), self.settings.limits.connections) else {
            tracing::debug!(%peer, "refused: too many connections");
            clients.spawn(refuse(stream));
            return;
        };
        let connection = Connection::new(stream, peer.ip(), Arc::clone(self), entry, stopped.clone());
        clients.spawn(connection::run(connection));
    }
}

/// Tells a client that there is no room.
async fn refuse(mut stream: TcpStream) {
    let payload = reply::refusal(1040, "Too many connections");
    let mut packet = vec![u8::try_from(payload.len()).unwrap_or(u8::MAX), 0, 0, 0];
    packet.extend(payload);
    // A client that does not take the refusal is refused without it.
    let _ = timeout(Duration::from_secs(1), stream.write_all(&packet)).await;
}
