//! One client's connection: requests in, answers out, in that order.
//!
//! A connection's next request is read when the last one is answered, as Kafka does it: answers keep their order
//! without a queue, and a client that does not read holds up nobody but itself.

use std::{net::SocketAddr, sync::Arc};

use tokio::{io::AsyncWriteExt, net::TcpStream};

use super::{
    dispatch::{self, Peer},
    frame::read_frame,
    node::Node,
};

/// Serves a client until it hangs up or sends what cannot be answered.
pub(crate) async fn serve(node: Arc<Node>, mut stream: TcpStream, address: SocketAddr) {
    drop(stream.set_nodelay(true));
    let peer = Peer { host: format!("/{}", address.ip()) };
    loop {
        let frame = match read_frame(&mut stream, node.limits.frame_bytes).await {
            Ok(Some(frame)) => frame,
            Ok(None) => return,
            Err(error) => {
                tracing::debug!(%address, %error, "connection closed");
                return;
            }
        };
        match dispatch::answer(&node, &peer, frame).await {
            Ok(None) => {}
            Ok(Some(answer)) => {
                if let Err(error) = stream.write_all(&answer).await {
                    tracing::debug!(%address, %error, "connection closed");
                    return;
                }
            }
            Err(error) => {
                tracing::warn!(%address, error = &error as &dyn std::error::Error, "request refused");
                return;
            }
        }
    }
}
