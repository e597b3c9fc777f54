use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt, DuplexStream, duplex};
use tokio::runtime::Builder as RuntimeBuilder;
use tokio::time::timeout;

use super::*;
use crate::proxy::ProxyAddress;

/// What a proxy answered, and what it had been asked.
fn answered(answer: &[u8], credentials: Option<&Credentials>) -> (Result<String, ProxyAnswer>, String) {
    let runtime = RuntimeBuilder::new_current_thread().enable_time().build().unwrap();
    runtime.block_on(async {
        let (client, proxy) = duplex(1 << 20);
        let asking = async {
            let mut tunnel = connect(client, "www.example.com", 443, credentials).await?;
            Ok(echoed(&mut tunnel).await)
        };
        let both = async { tokio::join!(asking, served(proxy, answer.to_vec())) };
        timeout(Duration::from_secs(20), both).await.expect("an end")
    })
}

/// Goes through the tunnel and comes back.
async fn echoed(tunnel: &mut DuplexStream) -> String {
    tunnel.write_all(b"ping").await.unwrap();
    let mut echo = [0; 4];
    tunnel.read_exact(&mut echo).await.unwrap();
    String::from_utf8(echo.to_vec()).unwrap()
}

/// Reads a request, answers, sends back what comes after, and closes.
async fn served(mut stream: DuplexStream, answer: Vec<u8>) -> String {
    let mut request = Vec::new();
    while !request.ends_with(b"\r\n\r\n") {
        request.push(stream.read_u8().await.unwrap());
    }
    let success = answer.starts_with(b"HTTP/1.") && answer[8..].starts_with(b" 2") && answer.ends_with(b"\r\n\r\n");
    // Who has seen enough may close before all of it is written.
    let _ = stream.write_all(&answer).await;
    let mut ping = [0; 4];
    if success && stream.read_exact(&mut ping).await.is_ok() {
        stream.write_all(&ping).await.unwrap();
    }
    String::from_utf8(request).unwrap()
}

fn refused(answer: &[u8]) -> Refusal {
    match answered(answer, None).0 {
        Err(ProxyAnswer::Refused(refusal)) => refusal,
        other => panic!("{other:?}"),
    }
}

fn broken_by(answer: &[u8]) -> String {
    match answered(answer, None).0 {
        Err(ProxyAnswer::Broken(text)) => text,
        other => panic!("{other:?}"),
    }
}

#[test]
fn a_tunnel_carries_what_is_sent() {
    for answer in [
        "HTTP/1.1 200 Connection established\r\n\r\n",
        "HTTP/1.0 200 Connection established\r\nProxy-agent: x\r\n\r\n",
        "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n",
        "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n",
        "HTTP/1.1 299 Fine\r\n\r\n",
    ] {
        let (tunnel, request) = answered(answer.as_bytes(), None);
        assert_eq!(tunnel, Ok("ping".to_owned()), "{answer}");
        assert!(request.starts_with("CONNECT www.example.com:443 HTTP/1.1\r\n"), "{request}");
        assert!(request.to_lowercase().contains("\r\nhost: www.example.com:443\r\n"), "{request}");
        assert!(!request.to_lowercase().contains("authorization"), "{request}");
    }
}

#[test]
fn credentials_are_sent() {
    let proxy: ProxyAddress = "http://Aladdin:open%20sesame@proxy.example".parse().unwrap();
    let (_, request) = answered(b"HTTP/1.1 200 OK\r\n\r\n", proxy.credentials.as_ref());
    // The example of RFC 7617, 2.
    assert!(
        request.to_lowercase().contains("\r\nproxy-authorization: basic qwxhzgrpbjpvcgvuihnlc2ftzq==\r\n"),
        "{request}"
    );
    assert!(request.contains("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="), "{request}");
}

#[test]
fn the_schemes_that_are_offered_are_read() {
    let refusal = refused(
        b"HTTP/1.1 407 Proxy Authentication Required\r\nProxy-Authenticate: Negotiate\r\n\
          Proxy-Authenticate: NTLM\r\nProxy-Authenticate: Digest realm=\"a, Basic b\", qop=\"auth\", Basic realm=\"corp\"\r\n\
          Content-Length: 6\r\n\r\ndenied",
    );
    assert_eq!((refusal.status, refusal.body.as_slice()), (407, b"denied".as_slice()));
    assert_eq!(refusal.schemes, ["Negotiate", "NTLM", "Digest", "Basic"]);
}

#[test]
fn challenges_are_told_from_their_parameters() {
    for (header, due) in [
        ("Basic realm=\"corp\"", &["Basic"][..]),
        ("Basic realm=\"say \\\"x, y\\\"\", Digest realm=x", &["Basic", "Digest"]),
        ("NTLM, Negotiate", &["NTLM", "Negotiate"]),
        ("Negotiate YII=", &["Negotiate"]),
        ("Digest realm = \"x\" , nonce = \"y\"", &["Digest"]),
        ("", &[]),
        (",,", &[]),
        ("\u{1b}[m", &["\\u{1b}[m"]),
        ("\"unclosed, Basic", &["\"unclosed,"]),
    ] {
        assert_eq!(schemes(header), due, "{header}");
    }
}

#[test]
fn a_refusal_keeps_its_page() {
    let refusal = refused(
        b"HTTP/1.1 403 Forbidden\r\nServer: squid/5.7\r\nX-Squid-Error: ERR_ACCESS_DENIED 0\r\n\
          Transfer-Encoding: chunked\r\n\r\n5\r\n<html\r\n1\r\n>\r\n0\r\n\r\n",
    );
    assert_eq!((refusal.status, refusal.body.as_slice()), (403, b"<html>".as_slice()));
    assert!(refusal.schemes.is_empty());
    assert!(refusal.headers.contains(&("x-squid-error".to_owned(), "ERR_ACCESS_DENIED 0".to_owned())));
    for status in ["302 Found", "502 Bad Gateway", "404 Not Found", "600 What"] {
        let answer = format!("HTTP/1.1 {status}\r\nConnection: close\r\n\r\nuntil the end");
        let refusal = refused(answer.as_bytes());
        assert!(status.starts_with(&refusal.status.to_string()));
        assert_eq!(refusal.body, b"until the end");
    }
}

#[test]
fn a_page_without_an_end_is_cut() {
    let head = b"HTTP/1.1 403 Forbidden\r\nContent-Length: 10000000000\r\n\r\n".to_vec();
    let body = refused(&[head, vec![b'x'; BODY_BYTES * 3]].concat()).body;
    assert_eq!(body.len(), BODY_BYTES);
    let cut = refused(b"HTTP/1.1 403 Forbidden\r\nContent-Length: 100\r\n\r\nshort").body;
    assert_eq!(cut, b"short");
}

#[test]
fn what_is_no_answer_is_told() {
    assert_eq!(broken_by(b""), "the connection ended before an answer");
    assert_eq!(broken_by(b"SSH-2.0-x\r\n"), "the answer is not HTTP");
    assert_eq!(broken_by(b"HTTP/1.1 200 OK\r\nno header\r\n\r\n"), "the answer is not HTTP");
    assert_eq!(broken_by(b"HTTP/1.1 20"), "the connection ended before an answer");
    assert_eq!(broken_by(b"HTTP/1.1 200 OK\r\n\r\n220 mail"), "something follows the head of the answer");
    let many = format!("HTTP/1.1 200 OK\r\n{}\r\n", "X: y\r\n".repeat(MOST_HEADERS + 1));
    assert_eq!(broken_by(many.as_bytes()), "the head of the answer is too large");
    let large = format!("HTTP/1.1 200 OK\r\nX: {}\r\n\r\n", "y".repeat(1 << 20));
    assert_eq!(broken_by(large.as_bytes()), "the head of the answer is too large");
}

#[test]
fn a_host_that_is_none_is_not_asked_for() {
    let runtime = RuntimeBuilder::new_current_thread().build().unwrap();
    for (host, fine) in [("x\r\ny", false), ("", false), ("a b", false), ("::1", true), ("www.example.com", true)] {
        let asked = request(host, 443, None);
        assert_eq!(asked.is_ok(), fine, "{host:?}");
        if let Ok(asked) = asked {
            assert_eq!(asked.uri().port_u16(), Some(443));
        }
        if !fine {
            let (client, _proxy) = duplex(64);
            assert!(matches!(runtime.block_on(connect(client, host, 443, None)), Err(ProxyAnswer::Broken(_))));
        }
    }
}
