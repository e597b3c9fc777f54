//! TCP connections that can be awaited, with what the kernel says of them.

use std::io;
use std::net::SocketAddr;
use std::os::fd::AsFd;
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;
use tokio::time::timeout;

use super::connect::Connection;
use super::sys::{TcpInfo, tcp_info};
use crate::observe::Failure;

/// A connection. Dropping it and its witnesses resets it.
#[derive(Debug)]
pub struct TcpConnection {
    stream: TcpStream,
    witness: Witness,
}

/// Looks at a connection that somebody else reads and writes.
#[derive(Clone, Debug)]
pub struct Witness(Arc<Connection>);

impl TcpConnection {
    /// Connects, with segments of at most so many bytes where that is asked for.
    ///
    /// # Errors
    /// The finding, [`Failure::NoAnswer`] when nothing came within the limit.
    pub async fn connect(target: SocketAddr, segment: Option<u32>, limit: Duration) -> Result<Self, Failure> {
        let connection = Connection::begin_with_segments(target, segment)?;
        let stream = second_handle(&connection).map_err(|error| Failure::LocalLimit(error.to_string()))?;
        match timeout(limit, stream.writable()).await {
            Err(_) => Err(Failure::NoAnswer),
            Ok(Err(error)) => Err(Failure::Unknown(error.to_string())),
            Ok(Ok(())) => match connection.outcome() {
                Ok(()) => Ok(Self { stream, witness: Witness(Arc::new(connection)) }),
                Err(failure) => Err(failure.unwrap_or(Failure::NoAnswer)),
            },
        }
    }

    /// A second handle for looking at it while somebody else reads and writes.
    #[must_use]
    pub fn witness(&self) -> Witness {
        self.witness.clone()
    }
}

impl Witness {
    /// What the kernel knows of the connection.
    #[must_use]
    pub fn info(&self) -> TcpInfo {
        tcp_info(self.0.as_fd()).unwrap_or_default()
    }

    /// Lets further packets live for so many hops.
    ///
    /// # Errors
    /// Those of `setsockopt(2)`.
    pub fn limit_hops(&self, hops: u8) -> io::Result<()> {
        self.0.limit_hops(hops)
    }
}

fn is_closed(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::BrokenPipe | io::ErrorKind::ConnectionReset)
}

fn second_handle(connection: &Connection) -> io::Result<TcpStream> {
    TcpStream::from_std(std::net::TcpStream::from(connection.as_fd().try_clone_to_owned()?))
}

impl AsyncRead for TcpConnection {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(context, buffer)
    }
}

impl AsyncWrite for TcpConnection {
    fn poll_write(mut self: Pin<&mut Self>, context: &mut Context<'_>, bytes: &[u8]) -> Poll<io::Result<usize>> {
        match Pin::new(&mut self.stream).poll_write(context, bytes) {
            // A server that refuses a body answers and closes: the answer is waiting to be read, and only reading tells.
            Poll::Ready(Err(error)) if is_closed(&error) => Poll::Ready(Ok(bytes.len())),
            other => other,
        }
    }

    fn poll_flush(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(context)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_shutdown(context)
    }
}
