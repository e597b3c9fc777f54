//! Where a handshake is reset: its first message is sent with a growing time to live.
//!
//! A reset that comes while the message cannot have reached the server is not the server's.

use std::net::SocketAddr;
use std::time::Duration;

use futures_util::future::join_all;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::time::timeout;

use super::tls::{Stores, hello};
use crate::net::stream::TcpConnection;

/// A reset from nearby comes within a round trip; the kernel sends the message again after 0.2 s.
const PATIENCE: Duration = Duration::from_millis(800);

/// The smallest time to live with which the message draws a reset, short of the server at the distance `server`.
///
/// The device that resets stands between the hop before and that of this distance: a packet has to get through a router's
/// own count before its filter sees it.
pub(super) async fn first_reset(stores: &Stores, address: SocketAddr, host: &str, server: u8) -> Option<u8> {
    // Each try is a connection of its own; longer paths than this are left to a trace by hand.
    const MOST: u8 = 16;
    let message = hello(stores, host)?;
    let tries = (1..server.min(MOST)).map(|hops| is_reset(address, &message, hops));
    let resets: Vec<bool> = join_all(tries).await;
    let first = resets.iter().position(|reset| *reset)?;
    // What is reset at one distance is reset at all beyond it, or something else is going on.
    let steady = resets[first..].iter().all(|reset| *reset);
    steady.then(|| u8::try_from(first + 1).expect("at most 16"))
}

async fn is_reset(address: SocketAddr, message: &[u8], hops: u8) -> bool {
    let Ok(mut connection) = TcpConnection::connect(address, None, PATIENCE).await else { return false };
    if connection.witness().limit_hops(hops).is_err() || connection.write_all(message).await.is_err() {
        return false;
    }
    let read = timeout(PATIENCE, connection.read_u8()).await;
    matches!(read, Ok(Err(error)) if error.kind() == std::io::ErrorKind::ConnectionReset)
}
