//! The edge: TLS and HTTP on port 443 for every address that the host owns, in one thread.

use std::convert::Infallible;
use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::mpsc;
use std::thread::JoinHandle;
use std::time::Duration;

use http_body_util::{Either, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1 as client;
use hyper::header::{HeaderName, HeaderValue};
use hyper::server::conn::http1 as server;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::net::{TcpListener, TcpSocket, TcpStream, UdpSocket};
use tokio::sync::{OwnedSemaphorePermit, Semaphore, oneshot};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;

use super::error::LabError;
use super::host::Host;
use super::identity::Identity;
use super::names::{self, Names};
use super::topology::has_ipv6;
use super::{LabConfig, origin};
use crate::prefix::{Family, Prefix};

/// The point of presence that the edge says it is, in `x-amz-cf-pop`.
pub const POP: &str = "HKG62-P1";

/// A running edge; it ends when this is dropped.
#[derive(Debug)]
pub(super) struct Edge {
    stop: Option<oneshot::Sender<()>>,
    thread: Option<JoinHandle<()>>,
}

impl Edge {
    /// Starts it; connections are taken from the moment this returns.
    pub(super) fn start(host: &Host, identity: &Identity, config: &LabConfig) -> Result<Self, LabError> {
        let shared = Arc::new(Shared {
            acceptor: TlsAcceptor::from(Arc::clone(&identity.server)),
            connections: Arc::new(Semaphore::new(CONNECTIONS)),
            sessions: Semaphore::new(SESSIONS),
            list: list_json(&config.owned).into(),
            names: config.names.clone(),
        });
        let (stop, stopped) = oneshot::channel();
        let (ready, readiness) = mpsc::channel();
        let thread = host.spawn(move || run(shared, stopped, &ready))?;
        let failed = |source| LabError::Host { host: host.name(), operation: "listen on port 443", source };
        readiness.recv().unwrap_or_else(|gone| Err(io::Error::other(gone))).map_err(failed)?;
        Ok(Self { stop: Some(stop), thread: Some(thread) })
    }
}

impl Drop for Edge {
    fn drop(&mut self) {
        drop(self.stop.take());
        // A panic of the edge has been printed by its own thread.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Connections open at a time, silent ones included; the kernel keeps a backlog of further ones.
const CONNECTIONS: usize = 2048;

/// TLS sessions at a time: each takes some 40 kB.
const SESSIONS: usize = 128;

/// Connections that the kernel completes before the edge has taken them.
const BACKLOG: u32 = 4096;

/// For the first byte, for the handshake, for a request, and for the origin, each.
const PATIENCE: Duration = Duration::from_secs(10);

/// After an accept that failed, for want of descriptors most likely.
const BACK_OFF: Duration = Duration::from_millis(10);

struct Shared {
    acceptor: TlsAcceptor,
    connections: Arc<Semaphore>,
    sessions: Semaphore,
    list: Bytes,
    names: Names,
}

type Body = Either<Full<Bytes>, Incoming>;

fn run(shared: Arc<Shared>, stopped: oneshot::Receiver<()>, ready: &mpsc::Sender<io::Result<()>>) {
    let runtime = match tokio::runtime::Builder::new_current_thread().enable_all().build() {
        Ok(runtime) => runtime,
        Err(error) => return ready.send(Err(error)).expect("the starter waits"),
    };
    runtime.block_on(async {
        let started = start_all(shared).await;
        ready.send(started).expect("the starter waits");
        let _ = stopped.await;
    });
}

async fn start_all(shared: Arc<Shared>) -> io::Result<()> {
    if !shared.names.is_empty() {
        tokio::spawn(names::serve(UdpSocket::bind(names::resolver()).await?, shared.names.clone()));
    }
    tokio::spawn(origin::serve(TcpListener::bind(origin::ADDRESS).await?));
    tokio::spawn(accept_all(listen(TcpSocket::new_v4()?, (Ipv4Addr::UNSPECIFIED, 443).into())?, Arc::clone(&shared)));
    if has_ipv6() {
        tokio::spawn(accept_all(listen(TcpSocket::new_v6()?, (Ipv6Addr::UNSPECIFIED, 443).into())?, shared));
    }
    Ok(())
}

fn listen(socket: TcpSocket, address: SocketAddr) -> io::Result<TcpListener> {
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

async fn accept_all(listener: TcpListener, shared: Arc<Shared>) {
    while let Ok(permit) = Arc::clone(&shared.connections).acquire_owned().await {
        match listener.accept().await {
            Ok((stream, _)) => _ = tokio::spawn(connection(stream, Arc::clone(&shared), permit)),
            Err(_) => tokio::time::sleep(BACK_OFF).await,
        }
    }
}

async fn connection(stream: TcpStream, shared: Arc<Shared>, _permit: OwnedSemaphorePermit) {
    // A probe that says nothing costs a socket and no session.
    if !matches!(timeout(PATIENCE, stream.peek(&mut [0])).await, Ok(Ok(1))) {
        return;
    }
    // Without this each answer waits 40 ms for the client's delayed acknowledgement.
    let _ = stream.set_nodelay(true);
    let Ok(_session) = shared.sessions.acquire().await else { return };
    let Ok(Ok(tls)) = timeout(PATIENCE, shared.acceptor.accept(stream)).await else { return };
    let service = service_fn(|request| answer(request, &shared));
    let mut http = server::Builder::new();
    http.timer(TokioTimer::new()).header_read_timeout(PATIENCE);
    // However the connection ends, the client has noticed.
    let _ = http.serve_connection(TokioIo::new(tls), service).await;
}

async fn answer(request: Request<Incoming>, shared: &Shared) -> Result<Response<Body>, Infallible> {
    let path = request.uri().path();
    let response = match *request.method() {
        Method::PUT | Method::POST if path.starts_with("/upload/") => pass_on(request).await,
        Method::GET if path == "/tools/list-cloudfront-ips" => text(StatusCode::OK, shared.list.clone()),
        Method::GET | Method::HEAD if path == "/" => text(StatusCode::OK, "{}".into()),
        _ => text(StatusCode::NOT_FOUND, "{}".into()),
    };
    Ok(signed(response))
}

/// Sends the request to the origin, body and all, and gives its answer.
async fn pass_on(request: Request<Incoming>) -> Response<Body> {
    match from_origin(request).await {
        Ok(response) => response.map(Either::Right),
        Err(_) => text(StatusCode::BAD_GATEWAY, r#"{"error":"the origin does not answer"}"#.into()),
    }
}

async fn from_origin(
    request: Request<Incoming>,
) -> Result<Response<Incoming>, Box<dyn std::error::Error + Send + Sync>> {
    let stream = timeout(PATIENCE, TcpStream::connect(origin::ADDRESS)).await??;
    let (mut sender, connection) = client::handshake(TokioIo::new(stream)).await?;
    tokio::spawn(connection);
    // No time limit here: the origin has one for each piece of the body.
    Ok(sender.send_request(request).await?)
}

fn text(status: StatusCode, body: Bytes) -> Response<Body> {
    let mut response = Response::new(Either::Left(Full::new(body)));
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", HeaderValue::from_static("application/json"));
    response
}

/// The headers that tell a CloudFront edge.
fn signed(mut response: Response<Body>) -> Response<Body> {
    for (name, value) in [
        ("server", "CloudFront"),
        ("via", "1.1 lab.cloudfront.net (CloudFront)"),
        ("x-amz-cf-pop", POP),
        ("x-cache", "Miss from cloudfront"),
    ] {
        response.headers_mut().insert(HeaderName::from_static(name), HeaderValue::from_static(value));
    }
    response
}

/// The IPv4 prefixes in the shape of CloudFront's own list.
fn list_json(listed: &[Prefix]) -> String {
    let global: Vec<_> = listed.iter().filter(|prefix| prefix.family() == Family::V4).collect();
    serde_json::json!({ "CLOUDFRONT_GLOBAL_IP_LIST": global, "CLOUDFRONT_REGIONAL_EDGE_IP_LIST": [] }).to_string()
}
