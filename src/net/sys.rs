//! The system call without a safe form in the `nix` crate: what the kernel knows of a TCP connection.
#![allow(unsafe_code)]

use std::os::fd::{AsRawFd, BorrowedFd};

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
}

/// Asks the kernel; none where it does not say.
pub(super) fn tcp_info(socket: BorrowedFd<'_>) -> Option<TcpInfo> {
    // SAFETY: all fields are integers, for which zero is a value.
    let mut info: libc::tcp_info = unsafe { std::mem::zeroed() };
    let mut length = libc::socklen_t::try_from(size_of::<libc::tcp_info>()).expect("a small structure");
    // SAFETY: `info` outlives the call, and `length` is its size; the kernel writes no more than that.
    let status = unsafe {
        libc::getsockopt(socket.as_raw_fd(), libc::IPPROTO_TCP, libc::TCP_INFO, (&raw mut info).cast(), &raw mut length)
    };
    (status == 0).then_some(TcpInfo {
        rtt_microseconds: info.tcpi_rtt,
        segment_bytes: info.tcpi_snd_mss,
        mtu_bytes: info.tcpi_pmtu,
        unacknowledged: info.tcpi_unacked,
        retransmitted: info.tcpi_total_retrans,
    })
}
