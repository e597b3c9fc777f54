//! One TCP connection attempt without privileges, and what the kernel says became of it.
//!
//! `IP_RECVERR` makes the kernel keep ICMP errors in the socket's error queue with type, code and sender; the error
//! number alone cannot tell a reset from ICMP port-unreachable, or a prohibition from a missing host.

use std::io;
use std::net::{IpAddr, SocketAddr, UdpSocket};
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, OwnedFd};
use std::time::Duration;

use nix::errno::Errno;
use nix::libc;
use nix::sys::socket::{
    AddressFamily, ControlMessageOwned, MsgFlags, SockFlag, SockProtocol, SockType, SockaddrStorage, bind, connect,
    recvmsg, setsockopt, socket, sockopt,
};

use crate::observe::{Failure, Icmp};

/// A connection attempt under way, or a connection. Dropping it resets the connection, so that no state table on the
/// way has to keep it.
#[derive(Debug)]
pub struct Connection {
    fd: OwnedFd,
}

impl Connection {
    /// Begins to connect; does not wait.
    ///
    /// # Errors
    /// What the own host says at once: no route, or a limit of its own.
    pub fn begin(target: SocketAddr, ttl: Option<u8>, source_port: Option<u16>) -> Result<Self, Failure> {
        Self::begin_on(prepare(target, ttl, source_port).map_err(local_failure)?, target)
    }

    /// Begins to connect with segments of at most so many bytes in both directions; does not wait.
    ///
    /// # Errors
    /// What the own host says at once: no route, or a limit of its own.
    pub fn begin_with_segments(target: SocketAddr, most_bytes: Option<u32>) -> Result<Self, Failure> {
        let fd = prepare(target, None, None).map_err(local_failure)?;
        if let Some(most_bytes) = most_bytes {
            setsockopt(&fd, sockopt::TcpMaxSeg, &most_bytes).map_err(local_failure)?;
        }
        // A request goes out whole or not at all: nothing waits for an acknowledgement.
        setsockopt(&fd, sockopt::TcpNoDelay, &true).map_err(local_failure)?;
        Self::begin_on(fd, target)
    }

    fn begin_on(fd: OwnedFd, target: SocketAddr) -> Result<Self, Failure> {
        match connect(fd.as_raw_fd(), &SockaddrStorage::from(target)) {
            Ok(()) | Err(Errno::EINPROGRESS) => Ok(Self { fd }),
            Err(errno) => Err(local_failure(errno)),
        }
    }

    /// What became of the attempt, once the socket is ready.
    ///
    /// # Errors
    /// The finding; none inside means that the kernel gave up waiting by itself.
    pub fn outcome(&self) -> Result<(), Option<Failure>> {
        let icmp = self.icmp();
        let errno = nix::sys::socket::getsockopt(&self.fd, sockopt::SocketError).unwrap_or(libc::EIO);
        match (Errno::from_raw(errno), icmp) {
            (_, Some(icmp)) if is_time_exceeded(icmp) => Err(Some(Failure::TimeExceeded(icmp))),
            (_, Some(icmp)) if self.is_own(icmp.from) => Err(Some(Failure::RejectedHere(icmp))),
            (_, Some(icmp)) => Err(Some(Failure::Unreachable(icmp))),
            (errno, None) if errno as i32 == 0 => Ok(()),
            (Errno::ECONNREFUSED | Errno::ECONNRESET | Errno::EPIPE, None) => Err(Some(Failure::Reset)),
            (Errno::ETIMEDOUT, None) => Err(None),
            // Nobody answered on the own link: the kernel itself says so.
            (Errno::EHOSTUNREACH | Errno::ENETUNREACH | Errno::ENETDOWN, None) => Err(Some(Failure::NoRoute)),
            (errno, None) => Err(Some(Failure::Unknown(errno.desc().to_owned()))),
        }
    }

    /// Reads from the connection.
    ///
    /// # Errors
    /// Those of `read(2)`, [`io::ErrorKind::WouldBlock`] among them.
    pub fn read(&self, buffer: &mut [u8]) -> io::Result<usize> {
        Ok(nix::unistd::read(&self.fd, buffer)?)
    }

    /// Writes to the connection.
    ///
    /// # Errors
    /// Those of `send(2)`, [`io::ErrorKind::WouldBlock`] among them.
    pub fn write(&self, buffer: &[u8]) -> io::Result<usize> {
        Ok(nix::sys::socket::send(self.fd.as_raw_fd(), buffer, MsgFlags::MSG_NOSIGNAL)?)
    }

    /// Lets further packets live for so many hops.
    ///
    /// # Errors
    /// Those of `setsockopt(2)`.
    pub fn limit_hops(&self, hops: u8) -> io::Result<()> {
        let hops = i32::from(hops);
        match self.own() {
            Some(IpAddr::V6(_)) => setsockopt(&self.fd, sockopt::Ipv6Ttl, &hops)?,
            _ => setsockopt(&self.fd, sockopt::Ipv4Ttl, &hops)?,
        }
        Ok(())
    }

    /// Whether the address is the one that this socket sends from.
    fn is_own(&self, address: IpAddr) -> bool {
        self.own() == Some(address)
    }

    /// The address that this socket sends from.
    fn own(&self) -> Option<IpAddr> {
        let own = nix::sys::socket::getsockname::<SockaddrStorage>(self.fd.as_raw_fd()).ok()?;
        let v4 = own.as_sockaddr_in().map(|own| IpAddr::V4(own.ip()));
        v4.or_else(|| own.as_sockaddr_in6().map(|own| IpAddr::V6(own.ip())))
    }

    /// The first ICMP error in the queue.
    fn icmp(&self) -> Option<Icmp> {
        let mut space = nix::cmsg_space!(libc::sock_extended_err, libc::sockaddr_in6);
        let flags = MsgFlags::MSG_ERRQUEUE | MsgFlags::MSG_DONTWAIT;
        let message = recvmsg::<SockaddrStorage>(self.fd.as_raw_fd(), &mut [], Some(&mut space), flags).ok()?;
        message.cmsgs().ok()?.find_map(|control| match control {
            ControlMessageOwned::Ipv4RecvErr(error, sender) if error.ee_origin == libc::SO_EE_ORIGIN_ICMP => {
                let from = u32::from_be(sender?.sin_addr.s_addr);
                Some(Icmp { kind: error.ee_type, code: error.ee_code, from: IpAddr::V4(from.into()) })
            }
            ControlMessageOwned::Ipv6RecvErr(error, sender) if error.ee_origin == libc::SO_EE_ORIGIN_ICMP6 => {
                let from = sender?.sin6_addr.s6_addr;
                Some(Icmp { kind: error.ee_type, code: error.ee_code, from: IpAddr::V6(from.into()) })
            }
            _ => None,
        })
    }
}

impl AsFd for Connection {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.fd.as_fd()
    }
}

/// Whether this kernel puts ICMP errors into the error queue; some sandboxes' network stacks do not.
///
/// A datagram to a closed port of the loopback interface must come back as ICMP port-unreachable.
#[must_use]
pub fn error_queue_works() -> bool {
    let ask = || -> io::Result<bool> {
        let closed = UdpSocket::bind("127.0.0.1:0")?.local_addr()?;
        let asking = UdpSocket::bind("127.0.0.1:0")?;
        setsockopt(&asking, sockopt::Ipv4RecvErr, &true)?;
        asking.connect(closed)?;
        asking.set_read_timeout(Some(Duration::from_millis(200)))?;
        asking.send(b"?")?;
        // The pending error ends the read; the queue then holds its origin.
        let _ = asking.recv(&mut [0]);
        Ok(Connection { fd: asking.into() }.icmp().is_some())
    };
    // Where the loopback interface is down nothing can be learnt, and nothing is claimed.
    ask().unwrap_or(true)
}

fn prepare(target: SocketAddr, ttl: Option<u8>, source_port: Option<u16>) -> nix::Result<OwnedFd> {
    let v4 = target.is_ipv4();
    let family = if v4 { AddressFamily::Inet } else { AddressFamily::Inet6 };
    let flags = SockFlag::SOCK_NONBLOCK | SockFlag::SOCK_CLOEXEC;
    let fd = socket(family, SockType::Stream, flags, SockProtocol::Tcp)?;
    setsockopt(&fd, sockopt::Linger, &libc::linger { l_onoff: 1, l_linger: 0 })?;
    // Where the queue is missing the scan goes on with less evidence; the report says so.
    let _ =
        if v4 { setsockopt(&fd, sockopt::Ipv4RecvErr, &true) } else { setsockopt(&fd, sockopt::Ipv6RecvErr, &true) };
    if let Some(ttl) = ttl.map(i32::from) {
        if v4 { setsockopt(&fd, sockopt::Ipv4Ttl, &ttl)? } else { setsockopt(&fd, sockopt::Ipv6Ttl, &ttl)? }
    }
    if let Some(port) = source_port {
        setsockopt(&fd, sockopt::ReuseAddr, &true)?;
        let any: IpAddr = if v4 { [0_u8; 4].into() } else { [0_u8; 16].into() };
        bind(fd.as_raw_fd(), &SockaddrStorage::from(SocketAddr::new(any, port)))?;
    }
    Ok(fd)
}

fn is_time_exceeded(icmp: Icmp) -> bool {
    icmp.kind == if icmp.from.is_ipv4() { 11 } else { 3 }
}

/// What `socket(2)`, `bind(2)` or `connect(2)` say before anything is sent.
fn local_failure(errno: Errno) -> Failure {
    match errno {
        Errno::ENETUNREACH | Errno::EHOSTUNREACH | Errno::ENETDOWN | Errno::EADDRNOTAVAIL | Errno::EAFNOSUPPORT => {
            Failure::NoRoute
        }
        Errno::EMFILE | Errno::ENFILE | Errno::ENOBUFS | Errno::ENOMEM | Errno::EADDRINUSE | Errno::EAGAIN => {
            Failure::LocalLimit(errno.desc().to_owned())
        }
        other => Failure::Unknown(format!("this host refused: {}", other.desc())),
    }
}
