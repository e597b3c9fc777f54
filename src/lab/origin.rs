//! The origin behind the edge: takes uploads and tells how many bytes arrived, and their SHA-256.

use std::convert::Infallible;
use std::time::Duration;

use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use sha2::{Digest, Sha256};
use tokio::net::{TcpListener, TcpStream};
use tokio::time::timeout;

use crate::text::hexadecimal;

/// Where it listens, on the edge host itself.
pub(super) const ADDRESS: (std::net::Ipv4Addr, u16) = (std::net::Ipv4Addr::LOCALHOST, 8080);

/// The largest upload it takes; the largest that a messaging channel allows has 64 MiB as well.
const LARGEST_BYTES: u64 = 64 << 20;

/// How long it waits for the next piece of a body.
const PATIENCE: Duration = Duration::from_secs(10);

/// Serves connections for as long as it is polled.
pub(super) async fn serve(listener: TcpListener) {
    loop {
        if let Ok((stream, _)) = listener.accept().await {
            tokio::spawn(connection(stream));
        }
    }
}

async fn connection(stream: TcpStream) {
    // Whatever ends the connection, the edge sees it and says so.
    let _ = http1::Builder::new().serve_connection(TokioIo::new(stream), service_fn(answer)).await;
}

async fn answer(request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    let response = match *request.method() {
        Method::PUT | Method::POST => match receive(request.into_body()).await {
            Ok(receipt) => json(StatusCode::OK, receipt),
            Err(status) => json(status, format!(r#"{{"error":"{status}"}}"#)),
        },
        _ => json(StatusCode::METHOD_NOT_ALLOWED, r#"{"error":"PUT or POST"}"#.to_owned()),
    };
    Ok(response)
}

async fn receive(mut body: Incoming) -> Result<String, StatusCode> {
    let (mut hash, mut bytes) = (Sha256::new(), 0);
    while let Some(frame) = timeout(PATIENCE, body.frame()).await.map_err(|_| StatusCode::REQUEST_TIMEOUT)? {
        let frame = frame.map_err(|_| StatusCode::BAD_REQUEST)?;
        let Some(data) = frame.data_ref() else { continue };
        bytes += data.len() as u64;
        if bytes > LARGEST_BYTES {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        hash.update(data);
    }
    Ok(format!(r#"{{"bytes":{bytes},"sha256":"{}"}}"#, hexadecimal(&hash.finalize())))
}

fn json(status: StatusCode, text: String) -> Response<Full<Bytes>> {
    let mut response = Response::new(Full::new(text.into()));
    *response.status_mut() = status;
    response.headers_mut().insert("content-type", hyper::header::HeaderValue::from_static("application/json"));
    response
}
