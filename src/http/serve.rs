//! Connections from their first byte to their last, each within its bounds.

use std::convert::Infallible;
use std::io;
use std::pin::{Pin, pin};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::response::Response;
use futures_util::future::join_all;
use hyper::body::Incoming;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::{mpsc, watch};
use tokio::time::{sleep, timeout};
use tokio_rustls::TlsAcceptor;

use super::Service;
use super::connections::{Connections, Slot};
use super::guard::Peer;
use super::listener::{Accepted, Listener, Listeners};
use crate::metrics::{Live, Refused};

/// Everything that a connection needs.
pub(super) struct Serving {
    pub(super) router: Router,
    pub(super) tls: Option<TlsAcceptor>,
    pub(super) connections: Arc<Connections>,
    pub(super) live: Arc<Live>,
    pub(super) stopping: watch::Receiver<bool>,
}

/// A client that takes longer to say what it wants, or to say anything again, is not waited for.
const HEAD_WITHIN: Duration = Duration::from_secs(10);
/// A handshake that takes longer is none.
const HANDSHAKE_WITHIN: Duration = Duration::from_secs(10);
/// Whoever reads an answer takes less; a connection that is used for so long is closed at its next rest.
const LONGEST: Duration = Duration::from_mins(5);
/// How long an answer that is under way may still take, at the end.
const DRAIN: Duration = Duration::from_secs(1);
/// Descriptors run out, and come back.
const AFTER_FAILURE: Duration = Duration::from_millis(100);
/// All headers of a request together.
const MOST_HEAD_BYTES: usize = 16 << 10;
/// Headers of a request.
const MOST_HEADERS: usize = 64;

impl Serving {
    /// The whole of the thread.
    pub(super) fn run(self, sockets: Listeners, service: &Arc<Service>) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_all().max_blocking_threads(4).build();
        let runtime = match runtime {
            Ok(runtime) => runtime,
            Err(error) => return tracing::error!(%error, "cannot serve"),
        };
        if let Err(error) = runtime.block_on(Arc::new(self).serve(sockets, service)) {
            tracing::error!(%error, "cannot serve");
        }
        // What is being written for nobody is not waited for.
        runtime.shutdown_background();
    }

    async fn serve(self: Arc<Self>, sockets: Listeners, service: &Arc<Service>) -> io::Result<()> {
        let following = Arc::clone(service);
        tokio::spawn(async move { following.follow().await });
        let (open, mut drained) = mpsc::channel::<Infallible>(1);
        let accepting = sockets.served()?.into_iter().map(|listener| self.accept(listener, open.clone()));
        let mut stopping = self.stopping.clone();
        tokio::select! {
            _ = join_all(accepting) => {}
            // Told to, or nobody is left who could tell.
            _ = stopping.wait_for(|stop| *stop) => {}
        }
        drop(open);
        // Each connection holds an end of this channel.
        let _ = timeout(DRAIN, drained.recv()).await;
        Ok(())
    }

    async fn accept(self: &Arc<Self>, listener: Listener, open: mpsc::Sender<Infallible>) -> Infallible {
        loop {
            match listener.accept().await {
                Ok(accepted) => {
                    if let Some(slot) = self.connections.admit() {
                        let (serving, open) = (Arc::clone(self), open.clone());
                        tokio::spawn(async move {
                            serving.attend(accepted, slot).await;
                            drop(open);
                        });
                    }
                }
                Err(error) => {
                    tracing::warn!(%error, "cannot accept a connection");
                    sleep(AFTER_FAILURE).await;
                }
            }
        }
    }

    async fn attend(&self, accepted: Accepted, slot: Arc<Slot>) {
        tokio::select! {
            () = self.converse(accepted, &slot) => {}
            () = slot.evicted() => {}
        }
    }

    async fn converse(&self, accepted: Accepted, slot: &Arc<Slot>) {
        match (accepted, &self.tls) {
            (Accepted::Unix(stream), _) => self.exchange(stream, Peer::Unix, slot).await,
            (Accepted::Tcp(stream), None) => {
                // Answers are written in one piece.
                let _ = stream.set_nodelay(true);
                self.exchange(stream, Peer::Tcp, slot).await;
            }
            (Accepted::Tcp(stream), Some(tls)) => match timeout(HANDSHAKE_WITHIN, tls.accept(stream)).await {
                Ok(Ok(stream)) => self.exchange(stream, Peer::Tcp, slot).await,
                _ => self.live.refused(Refused::Handshake),
            },
        }
    }

    async fn exchange(
        &self,
        stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
        peer: Peer,
        slot: &Arc<Slot>,
    ) {
        let service = Attended { inner: TowerToHyperService::new(self.router.clone()), slot: Arc::clone(slot), peer };
        let connection = http1::Builder::new()
            .timer(TokioTimer::new())
            .header_read_timeout(HEAD_WITHIN)
            .max_buf_size(MOST_HEAD_BYTES)
            .max_headers(MOST_HEADERS)
            .serve_connection(TokioIo::new(stream), service);
        let mut connection = pin!(connection);
        let mut stopping = self.stopping.clone();
        tokio::select! {
            // How a connection ends is the client's business; nothing is lost with it.
            _ = connection.as_mut() => return,
            _ = timeout(LONGEST, stopping.wait_for(|stop| *stop)) => {}
        }
        connection.as_mut().graceful_shutdown();
        let _ = timeout(DRAIN, connection).await;
    }
}

/// The routes, as one connection sees them.
struct Attended {
    inner: TowerToHyperService<Router>,
    slot: Arc<Slot>,
    peer: Peer,
}

impl hyper::service::Service<hyper::Request<Incoming>> for Attended {
    type Response = Response<Body>;
    type Error = Infallible;
    type Future = Pin<Box<dyn Future<Output = Result<Self::Response, Infallible>> + Send>>;

    fn call(&self, mut request: hyper::Request<Incoming>) -> Self::Future {
        request.extensions_mut().insert(self.peer);
        self.slot.work();
        let (answer, slot) = (self.inner.call(request), Arc::clone(&self.slot));
        Box::pin(async move {
            let answer = answer.await;
            slot.rest();
            answer
        })
    }
}
