//! `Ctrl-C` and termination as something that can be waited for.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

/// Turns SIGINT and SIGTERM into readiness of a descriptor.
///
/// Made before any other thread, since threads inherit the signal mask.
#[derive(Debug)]
pub struct Interrupt {
    signals: SignalFd,
}

impl Interrupt {
    /// Blocks the signals and listens for them.
    ///
    /// # Errors
    /// Those of `signalfd(2)`.
    pub fn listen() -> io::Result<Self> {
        let mut mask = SigSet::empty();
        mask.add(Signal::SIGINT);
        mask.add(Signal::SIGTERM);
        mask.thread_block()?;
        Ok(Self { signals: SignalFd::with_flags(&mask, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)? })
    }

    /// From here on the signals end the process at once, as they do by default.
    pub fn release(&self) {
        let mut mask = SigSet::empty();
        mask.add(Signal::SIGINT);
        mask.add(Signal::SIGTERM);
        // Nothing to be done if it fails: the next signal is then queued instead of fatal.
        let _ = mask.thread_unblock();
    }

    /// Whether a signal came since the last call.
    #[must_use]
    pub fn came(&self) -> bool {
        matches!(self.signals.read_signal(), Ok(Some(_)))
    }
}

impl AsFd for Interrupt {
    fn as_fd(&self) -> BorrowedFd<'_> {
        self.signals.as_fd()
    }
}
