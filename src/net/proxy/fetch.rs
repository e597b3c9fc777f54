//! A script that lies on a server.

use http_body_util::{BodyExt, Empty, LengthLimitError, Limited};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{Builder, SendRequest};
use hyper::header::{ACCEPT, HOST, USER_AGENT};
use hyper::{Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite};

use super::{HEAD_BYTES, MOST_HEADERS, Script, ScriptError, driven};
use crate::proxy::pac::MOST_BYTES;

/// Fetches a script over a connection to its server: `authority` is the host, and the port where it is not the scheme's
/// own, `path` begins with `/` and includes the query.
///
/// The caller limits the time. Redirections are not followed.
pub async fn fetch<S>(stream: S, authority: &str, path: &str) -> Result<Script, ScriptError>
where
    S: AsyncRead + AsyncWrite + Unpin + Send + 'static,
{
    let request = Request::get(path).header(HOST, authority).header(ACCEPT, TYPE).header(USER_AGENT, AGENT);
    let request = request.body(Empty::new()).map_err(|error| ScriptError::Fetch(error.to_string()))?;
    let mut builder = Builder::new();
    builder.max_headers(MOST_HEADERS).max_buf_size(HEAD_BYTES);
    let (sender, connection) = builder.handshake(TokioIo::new(stream)).await.map_err(|error| failed(&error))?;
    driven(ask(sender, request), connection).await
}

/// What browsers are told a script is; servers that say otherwise are believed too.
const TYPE: &str = "application/x-ns-proxy-autoconfig, */*";
const AGENT: &str = concat!("egressd/", env!("CARGO_PKG_VERSION"));

async fn ask(mut sender: SendRequest<Empty<Bytes>>, request: Request<Empty<Bytes>>) -> Result<Script, ScriptError> {
    let response = sender.send_request(request).await.map_err(|error| failed(&error))?;
    if response.status() != StatusCode::OK {
        return Err(ScriptError::Fetch(format!("its server answers with status {}", response.status().as_u16())));
    }
    Script::new(&whole(response).await?)
}

async fn whole(response: Response<Incoming>) -> Result<Bytes, ScriptError> {
    let body = Limited::new(response.into_body(), MOST_BYTES).collect().await.map_err(|error| {
        if error.is::<LengthLimitError>() {
            ScriptError::TooLarge
        } else {
            ScriptError::Fetch("the connection to its server ended too early".to_owned())
        }
    })?;
    Ok(body.to_bytes())
}

fn failed(error: &hyper::Error) -> ScriptError {
    ScriptError::Fetch(format!("its server does not answer as one: {error}"))
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use tokio::io::{AsyncReadExt, AsyncWriteExt, duplex};
    use tokio::runtime::Builder as RuntimeBuilder;
    use tokio::time::timeout;

    use super::*;

    fn fetched(answer: &[u8]) -> Result<Script, ScriptError> {
        let runtime = RuntimeBuilder::new_current_thread().enable_time().build().unwrap();
        runtime.block_on(async {
            let (client, mut server) = duplex(1 << 16);
            let serving = async {
                let mut request = Vec::new();
                while !request.ends_with(b"\r\n\r\n") {
                    request.push(server.read_u8().await.unwrap());
                }
                // Who has seen enough may close before all of it is written.
                let _ = server.write_all(answer).await;
                drop(server);
                String::from_utf8(request).unwrap()
            };
            let both = async { tokio::join!(fetch(client, "wpad.example", "/proxy.pac?x"), serving) };
            let (script, request) = timeout(Duration::from_secs(20), both).await.expect("an end");
            assert!(request.starts_with("GET /proxy.pac?x HTTP/1.1\r\nhost: wpad.example\r\n"), "{request}");
            script
        })
    }

    fn error(answer: &[u8]) -> String {
        fetched(answer).unwrap_err().to_string()
    }

    #[test]
    fn a_script_is_fetched() {
        let text = "function FindProxyForURL() { return 'DIRECT' }";
        let script = Script::new(text.as_bytes()).unwrap();
        let head = format!("HTTP/1.1 200 OK\r\nContent-Length: {}\r\n\r\n{text}", text.len());
        assert_eq!(fetched(head.as_bytes()).unwrap(), script);
        let closed = format!("HTTP/1.0 200 OK\r\n\r\n{text}");
        assert_eq!(fetched(closed.as_bytes()).unwrap(), script);
    }

    #[test]
    fn what_is_no_script_is_not_fetched() {
        let status = "cannot fetch the proxy script: its server answers with status ";
        assert_eq!(error(b"HTTP/1.1 404 Not Found\r\n\r\n"), format!("{status}404"));
        assert_eq!(error(b"HTTP/1.1 302 Found\r\nLocation: http://x/\r\n\r\n"), format!("{status}302"));
        let cut = error(b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nfunction");
        assert_eq!(cut, "cannot fetch the proxy script: the connection to its server ended too early");
        assert!(
            error(b"SSH-2.0-x\r\n\r\n").starts_with("cannot fetch the proxy script: its server does not answer as one")
        );
        let large = [b"HTTP/1.1 200 OK\r\n\r\n".to_vec(), vec![b' '; MOST_BYTES + 1]].concat();
        assert_eq!(error(&large), "the proxy script has more than 1048576 bytes");
    }
}
