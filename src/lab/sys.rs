//! The system calls without a safe form in the `nix` crate: a packet socket's address and options.
#![allow(unsafe_code)]
// The C types of the constants are wider or narrower than those of the fields they are made for.
#![allow(clippy::cast_possible_truncation, clippy::cast_possible_wrap)]

use std::io;
use std::os::fd::{AsRawFd, OwnedFd};

use nix::libc;
use nix::sys::socket::{AddressFamily, SockFlag, SockType, socket};

/// Since Linux 4.20; the `libc` crate does not have it.
const PACKET_IGNORE_OUTGOING: libc::c_int = 23;

/// A socket that reads and writes whole frames of one interface of the current network namespace.
///
/// Each frame has a `virtio_net_hdr` in front (10 bytes): it carries unfinished checksums and segmentation, which would
/// otherwise go lost between one virtual interface and the next. Frames that the host itself sends out through the
/// interface are not read.
pub(super) fn packet_socket(interface: u32) -> io::Result<OwnedFd> {
    // Protocol 0: nothing is queued before the socket is bound to its interface.
    let flags = SockFlag::SOCK_CLOEXEC | SockFlag::SOCK_NONBLOCK;
    let socket = socket(AddressFamily::Packet, SockType::Raw, flags, None)?;
    switch_on(&socket, libc::PACKET_VNET_HDR)?;
    switch_on(&socket, PACKET_IGNORE_OUTGOING)?;
    bind(&socket, interface)?;
    Ok(socket)
}

fn switch_on(socket: &OwnedFd, option: libc::c_int) -> io::Result<()> {
    let on: libc::c_int = 1;
    // SAFETY: `on` outlives the call and the length is its size.
    let status = unsafe {
        libc::setsockopt(
            socket.as_raw_fd(),
            libc::SOL_PACKET,
            option,
            (&raw const on).cast(),
            size_of::<libc::c_int>() as libc::socklen_t,
        )
    };
    nix::errno::Errno::result(status)?;
    Ok(())
}

fn bind(socket: &OwnedFd, interface: u32) -> io::Result<()> {
    let address = libc::sockaddr_ll {
        sll_family: libc::AF_PACKET as u16,
        sll_protocol: (libc::ETH_P_ALL as u16).to_be(),
        sll_ifindex: interface as i32,
        sll_hatype: 0,
        sll_pkttype: 0,
        sll_halen: 0,
        sll_addr: [0; 8],
    };
    // SAFETY: `address` is a whole `sockaddr_ll`, outlives the call, and the length is its size.
    let status = unsafe {
        libc::bind(socket.as_raw_fd(), (&raw const address).cast(), size_of::<libc::sockaddr_ll>() as libc::socklen_t)
    };
    nix::errno::Errno::result(status)?;
    Ok(())
}
