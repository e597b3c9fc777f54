//! `Ctrl-C` and termination, or a word from another thread, as something that can be waited for.

use std::io;
use std::os::fd::{AsFd, BorrowedFd};

use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::eventfd::{EfdFlags, EventFd};
use nix::sys::signal::{SigSet, Signal};
use nix::sys::signalfd::{SfdFlags, SignalFd};

/// Readiness of a descriptor that ends whatever is under way.
#[derive(Debug)]
pub struct Interrupt {
    source: Source,
}

#[derive(Debug)]
enum Source {
    Signals(SignalFd),
    Hand(EventFd),
}

impl Interrupt {
    /// Turns SIGINT and SIGTERM into readiness: blocks the signals and listens for them.
    ///
    /// Made before any other thread, since threads inherit the signal mask.
    ///
    /// # Errors
    /// Those of `signalfd(2)`.
    pub fn listen() -> io::Result<Self> {
        let mut mask = SigSet::empty();
        mask.add(Signal::SIGINT);
        mask.add(Signal::SIGTERM);
        mask.thread_block()?;
        let signals = SignalFd::with_flags(&mask, SfdFlags::SFD_NONBLOCK | SfdFlags::SFD_CLOEXEC)?;
        Ok(Self { source: Source::Signals(signals) })
    }

    /// One that [`Self::raise`] alone makes ready, and for good.
    ///
    /// # Errors
    /// Those of `eventfd(2)`.
    pub fn by_hand() -> io::Result<Self> {
        let hand = EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?;
        Ok(Self { source: Source::Hand(hand) })
    }

    /// Ends what watches this, if it was made to be raised by hand.
    pub fn raise(&self) {
        if let Source::Hand(hand) = &self.source {
            // It is full only if it was raised before.
            let _ = hand.write(1);
        }
    }

    /// From here on the signals end the process at once, as they do by default.
    pub fn release(&self) {
        let mut mask = SigSet::empty();
        mask.add(Signal::SIGINT);
        mask.add(Signal::SIGTERM);
        // Nothing to be done if it fails: the next signal is then queued instead of fatal.
        let _ = mask.thread_unblock();
    }

    /// Whether a signal came since the last call, or it was raised by hand.
    #[must_use]
    pub fn came(&self) -> bool {
        match &self.source {
            Source::Signals(signals) => matches!(signals.read_signal(), Ok(Some(_))),
            Source::Hand(hand) => poll(&mut [PollFd::new(hand.as_fd(), PollFlags::POLLIN)], PollTimeout::ZERO)
                .is_ok_and(|ready| ready > 0),
        }
    }
}

impl AsFd for Interrupt {
    fn as_fd(&self) -> BorrowedFd<'_> {
        match &self.source {
            Source::Signals(signals) => signals.as_fd(),
            Source::Hand(hand) => hand.as_fd(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_was_raised_stays_so() {
        let interrupt = Interrupt::by_hand().unwrap();
        assert!(!interrupt.came());
        interrupt.raise();
        interrupt.raise();
        assert!(interrupt.came() && interrupt.came());
    }
}
