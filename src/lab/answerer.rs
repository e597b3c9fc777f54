//! What answers for everyone: a transparent proxy without a server behind it.

use std::io;
use std::net::{Ipv4Addr, Ipv6Addr, TcpListener};
use std::os::fd::AsFd;
use std::sync::Arc;
use std::thread::JoinHandle;

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::{EfdFlags, EventFd};

use super::error::LabError;
use super::host::Host;

/// The transparent proxy without a server: takes every connection and closes it.
#[derive(Debug)]
pub(super) struct Answerer {
    stop: Arc<EventFd>,
    thread: Option<JoinHandle<()>>,
}

impl Answerer {
    /// Starts it; redirected connections are taken from the moment this returns.
    pub(super) fn start(host: &Host) -> Result<Self, LabError> {
        let failed =
            |source| LabError::Host { host: host.name(), operation: "listen for redirected connections", source };
        let stop = Arc::new(EventFd::from_flags(EfdFlags::EFD_CLOEXEC).map_err(|errno| failed(errno.into()))?);
        let listeners = host.run(listen)?.map_err(failed)?;
        let stopped = Arc::clone(&stop);
        let thread = host.spawn(move || answer(&listeners, &stopped))?;
        Ok(Self { stop, thread: Some(thread) })
    }
}

impl Drop for Answerer {
    fn drop(&mut self) {
        let _ = self.stop.write(1);
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

/// Where the firewall redirects connections to.
pub(super) const PORT: u16 = 8443;

/// The second one is missing where IPv6 is.
fn listen() -> io::Result<Vec<TcpListener>> {
    let mut listeners = vec![TcpListener::bind((Ipv4Addr::UNSPECIFIED, PORT))?];
    listeners.extend(TcpListener::bind((Ipv6Addr::UNSPECIFIED, PORT)));
    listeners.iter().try_for_each(|listener| listener.set_nonblocking(true))?;
    Ok(listeners)
}

fn answer(listeners: &[TcpListener], stop: &EventFd) {
    loop {
        let mut fds: Vec<_> =
            listeners.iter().map(|listener| PollFd::new(listener.as_fd(), PollFlags::POLLIN)).collect();
        fds.push(PollFd::new(stop.as_fd(), PollFlags::POLLIN));
        let polled = poll(&mut fds, PollTimeout::NONE);
        if polled.is_err() || fds.last().and_then(PollFd::any) == Some(true) {
            return;
        }
        for listener in listeners {
            while listener.accept().is_ok() {}
        }
    }
}
