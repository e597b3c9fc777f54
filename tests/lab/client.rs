//! What the cases do on a host: connects with their error queue, TLS, and HTTP.

use std::io::{IoSliceMut, Read, Write};
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::sync::Arc;
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::libc;
use nix::poll::{PollFd, PollFlags, poll};
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, MsgFlags, SockFlag, SockType, SockaddrIn, SockaddrStorage, connect as start,
    getsockopt, recvmsg, setsockopt, socket, sockopt,
};
use rustls::pki_types::pem::PemObject;
use rustls::pki_types::{CertificateDer, ServerName};
use rustls::{ClientConfig, ClientConnection, RootCertStore, StreamOwned};

/// What became of a connection attempt.
#[derive(Clone, Debug, PartialEq)]
pub(crate) enum Outcome {
    Open,
    Silent,
    /// The errno, and from the error queue: ICMP type, code and sender.
    Failed(Errno, Option<(u8, u8, IpAddr)>),
}

/// Connects to port 443 and says what came of it and when.
pub(crate) fn connect(address: &str, ttl: Option<i32>, patience: Duration) -> (Outcome, Duration) {
    let address: IpAddr = address.parse().expect("an address");
    let family = if address.is_ipv4() { AddressFamily::Inet } else { AddressFamily::Inet6 };
    let socket = socket(family, SockType::Stream, SockFlag::SOCK_NONBLOCK, None).expect("a socket");
    if address.is_ipv4() {
        setsockopt(&socket, sockopt::Ipv4RecvErr, &true).expect("IP_RECVERR");
        setsockopt(&socket, sockopt::Ipv4Ttl, &ttl.unwrap_or(64)).expect("IP_TTL");
    } else {
        setsockopt(&socket, sockopt::Ipv6RecvErr, &true).expect("IPV6_RECVERR");
        setsockopt(&socket, sockopt::Ipv6Ttl, &ttl.unwrap_or(64)).expect("IPV6_UNICAST_HOPS");
    }
    let linger = libc::linger { l_onoff: 1, l_linger: 0 };
    setsockopt(&socket, sockopt::Linger, &linger).expect("SO_LINGER");
    let began = Instant::now();
    match start(socket.as_raw_fd(), &SockaddrStorage::from(SocketAddr::new(address, 443))) {
        Ok(()) | Err(Errno::EINPROGRESS) => {}
        Err(errno) => return (Outcome::Failed(errno, None), began.elapsed()),
    }
    let mut fds = [PollFd::new(socket.as_fd(), PollFlags::POLLOUT)];
    let events = poll(&mut fds, u16::try_from(patience.as_millis()).expect("a minute at most")).expect("poll");
    let took = began.elapsed();
    (if events == 0 { Outcome::Silent } else { settled(&socket, address) }, took)
}

fn settled(socket: &OwnedFd, address: IpAddr) -> Outcome {
    let errno = getsockopt(socket, sockopt::SocketError).expect("SO_ERROR");
    if errno == 0 { Outcome::Open } else { Outcome::Failed(Errno::from_raw(errno), icmp(socket, address.is_ipv4())) }
}

fn icmp(socket: &OwnedFd, v4: bool) -> Option<(u8, u8, IpAddr)> {
    let (mut data, mut control) = ([0; 512], nix::cmsg_space!([u8; 256]));
    let mut slices = [IoSliceMut::new(&mut data)];
    let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
    let message = recvmsg::<SockaddrIn>(socket.as_raw_fd(), &mut slices, Some(&mut control), flags).ok()?;
    message.cmsgs().ok()?.find_map(|control| match control {
        ControlMessageOwned::Ipv4RecvErr(error, Some(sender)) if v4 => {
            Some((error.ee_type, error.ee_code, IpAddr::from(sender.sin_addr.s_addr.to_ne_bytes())))
        }
        ControlMessageOwned::Ipv6RecvErr(error, Some(sender)) if !v4 => {
            Some((error.ee_type, error.ee_code, IpAddr::from(sender.sin6_addr.s6_addr)))
        }
        _ => None,
    })
}

/// A TLS session with an address, the certificate judged by the lab's authority alone.
pub(crate) fn tls(address: IpAddr, name: &'static str, ca_pem: &str) -> StreamOwned<ClientConnection, TcpStream> {
    let mut roots = RootCertStore::empty();
    roots.add(CertificateDer::from_pem_slice(ca_pem.as_bytes()).expect("PEM")).expect("a CA");
    let provider = Arc::new(rustls::crypto::ring::default_provider());
    let config = ClientConfig::builder_with_provider(provider)
        .with_safe_default_protocol_versions()
        .expect("versions")
        .with_root_certificates(roots)
        .with_no_client_auth();
    let name = ServerName::try_from(name).expect("a name");
    let connection = ClientConnection::new(Arc::new(config), name).expect("a client");
    let stream = TcpStream::connect_timeout(&(address, 443).into(), Duration::from_secs(5))
        .unwrap_or_else(|error| panic!("{address}: {error}"));
    stream.set_nodelay(true).expect("TCP_NODELAY");
    StreamOwned::new(connection, stream)
}

/// Sends a request with a body and gives the whole answer.
pub(crate) fn http(session: &mut StreamOwned<ClientConnection, TcpStream>, line: &str, body: &[u8]) -> String {
    let head = format!(
        "{line} HTTP/1.1\r\nhost: d111111abcdef8.cloudfront.net\r\nconnection: close\r\ncontent-length: {}\r\n\r\n",
        body.len()
    );
    session.write_all(head.as_bytes()).expect("the head is sent");
    session.write_all(body).expect("the body is sent");
    let mut answer = String::new();
    session.read_to_string(&mut answer).expect("an answer");
    answer
}
