//! What every engine offers to a shell.

use std::time::Duration;

use super::engine::{Action, Event, Progress, Scan};

/// A state machine that wants connections attempted. Time is an argument: the time since it began.
pub trait Machine {
    /// What to do next; none until [`Self::poll_timeout`] or the next event.
    fn poll_action(&mut self, now: Duration) -> Option<Action>;
    /// When to ask again, and why; none: it is over.
    fn poll_timeout(&self) -> Option<(Duration, &'static str)>;
    /// Takes in what came of an attempt.
    fn handle(&mut self, event: Event, now: Duration);
    /// Ends it; what is known so far stays.
    fn stop(&mut self);
    /// How far it is.
    fn progress(&self) -> Progress;
}

impl Machine for Scan {
    fn poll_action(&mut self, now: Duration) -> Option<Action> {
        self.poll_action(now)
    }

    fn poll_timeout(&self) -> Option<(Duration, &'static str)> {
        self.poll_timeout()
    }

    fn handle(&mut self, event: Event, now: Duration) {
        self.handle(event, now);
    }

    fn stop(&mut self) {
        self.stop();
    }

    fn progress(&self) -> Progress {
        self.progress()
    }
}
