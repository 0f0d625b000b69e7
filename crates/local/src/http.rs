//! A small HTTP/1.1 server loop on loopback, for S3 and for the Lambda and Runtime APIs.

use std::net::SocketAddr;
use std::time::Duration;

use hyper::body::{Body, Incoming};
use hyper::{Request, Response};
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::server::graceful::GracefulShutdown;
use tokio::net::TcpListener;
use tokio::sync::watch;
use tokio::task::JoinHandle;

use crate::error::StartError;

/// A bound address, before anything is served there.
pub(crate) struct Bound {
    listener: TcpListener,
    /// The address, with the port that the system chose if 0 was asked for.
    pub(crate) address: SocketAddr,
}

/// A running server. Dropped without [`shutdown`](Self::shutdown), it ends at once.
pub(crate) struct Server {
    stop: watch::Sender<bool>,
    task: Option<JoinHandle<()>>,
}

/// How long a client may take to send the head of a request; a connection that is idle between requests is one, too.
const HEAD_TIMEOUT: Duration = Duration::from_secs(300);

/// Listens on `address`.
pub(crate) async fn bind(service: &'static str, address: SocketAddr) -> Result<Bound, StartError> {
    let failed = |source| StartError::Listen { service, address, source };
    let listener = TcpListener::bind(address).await.map_err(failed)?;
    let address = listener.local_addr().map_err(failed)?;
    Ok(Bound { listener, address })
}

impl Bound {
    /// The listener alone, for a service that brings its own loop.
    pub(crate) fn into_listener(self) -> TcpListener {
        self.listener
    }

    /// Serves every connection with a clone of `service`.
    pub(crate) fn serve<S, B>(self, service: S) -> Server
    where
        S: hyper::service::Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
        S::Future: Send,
        S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
        B: Body + Send + 'static,
        B::Data: Send,
        B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    {
        let (stop, stopped) = watch::channel(false);
        let task = tokio::spawn(accept(self.listener, service, stopped));
        Server { stop, task: Some(task) }
    }
}

impl Server {
    /// Accepts no more, lets requests in flight end for at most `grace`, then cuts them off.
    pub(crate) async fn shutdown(mut self, grace: Duration) {
        let _ = self.stop.send(true);
        if let Some(mut task) = self.task.take()
            && tokio::time::timeout(grace, &mut task).await.is_err()
        {
            task.abort();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        if let Some(task) = &self.task {
            task.abort();
        }
    }
}

async fn accept<S, B>(listener: TcpListener, service: S, mut stopped: watch::Receiver<bool>)
where
    S: hyper::service::Service<Request<Incoming>, Response = Response<B>> + Clone + Send + 'static,
    S::Future: Send,
    S::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
    B: Body + Send + 'static,
    B::Data: Send,
    B::Error: Into<Box<dyn std::error::Error + Send + Sync>>,
{
    let graceful = GracefulShutdown::new();
    let mut connections = tokio::task::JoinSet::new();
    loop {
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            _ = stopped.wait_for(|stop| *stop) => break,
            Some(_) = connections.join_next() => continue,
        };
        let socket = match accepted {
            Ok((socket, _)) => socket,
            Err(error) => {
                // Out of file descriptors, most likely: at full speed this loop would only make that worse.
                tracing::warn!(%error, "cannot accept a connection");
                tokio::time::sleep(Duration::from_millis(50)).await;
                continue;
            }
        };
        let _ = socket.set_nodelay(true);
        let connection = hyper::server::conn::http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_TIMEOUT)
            .serve_connection(TokioIo::new(socket), service.clone());
        let connection = graceful.watch(connection);
        connections.spawn(async move {
            if let Err(error) = connection.await {
                tracing::debug!(%error, "connection ended");
            }
        });
    }
    drop(listener);
    graceful.shutdown().await;
}
