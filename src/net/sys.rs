//! What has no safe form in the `nix` crate: what the kernel knows of a TCP connection, and sockets that were passed in.
#![allow(unsafe_code)]

use std::os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd, RawFd};

use nix::libc;

/// What the kernel knows of a connection: `TCP_INFO`, which needs no privilege.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct TcpInfo {
    /// Smoothed round trip in microseconds.
    pub rtt_microseconds: u32,
    /// Largest segment that is sent.
    pub segment_bytes: u32,
    /// MTU of the path, as far as it was found out.
    pub mtu_bytes: u32,
    /// Segments on the way that nobody has acknowledged.
    pub unacknowledged: u32,
    /// Segments that were sent again.
    pub retransmitted: u32,
    /// Bytes that the other side has acknowledged, since Linux 4.1.
    pub acknowledged_bytes: u64,
    /// Bytes that came, since Linux 4.1.
    pub received_bytes: u64,
}

/// As much of the kernel's `struct tcp_info` as is read here; the `libc` crate's stops before the counts of bytes.
const LENGTH: usize = 136;

/// Asks the kernel; none where it does not say.
pub(super) fn tcp_info(socket: BorrowedFd<'_>) -> Option<TcpInfo> {
    let mut info = [0_u8; LENGTH];
    let mut length = libc::socklen_t::try_from(LENGTH).expect("a small structure");
    // SAFETY: `info` outlives the call, and `length` is its size; the kernel writes no more than that.
    let status = unsafe {
        libc::getsockopt(
            socket.as_raw_fd(),
            libc::IPPROTO_TCP,
            libc::TCP_INFO,
            info.as_mut_ptr().cast(),
            &raw mut length,
        )
    };
    // Offsets of linux/tcp.h, which only ever grows at its end; older kernels fill less of it.
    let word = |at: usize| u32::from_ne_bytes(info[at..at + 4].try_into().expect("four bytes"));
    let long = |at: usize| u64::from_ne_bytes(info[at..at + 8].try_into().expect("eight bytes"));
    (status == 0).then(|| TcpInfo {
        segment_bytes: word(16),
        unacknowledged: word(24),
        mtu_bytes: word(60),
        rtt_microseconds: word(68),
        retransmitted: word(100),
        acknowledged_bytes: long(120),
        received_bytes: long(128),
    })
}
/// Takes over descriptors that systemd opened for this process: those from 3 on, which it counts in `LISTEN_FDS`.
pub(crate) fn take_over(passed: impl Iterator<Item = RawFd>) -> Vec<OwnedFd> {
    // SAFETY: the variable names this process, so that they were opened for it; nobody else here knows them.
    passed.map(|descriptor| unsafe { OwnedFd::from_raw_fd(descriptor) }).collect()
}
