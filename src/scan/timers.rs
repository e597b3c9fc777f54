//! Everything that can wake the engine, in one table.

use std::cmp::Reverse;
use std::collections::BinaryHeap;
use std::time::Duration;

/// Number of a probe in the run.
pub type ProbeId = u32;

/// Why the engine wakes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Timer {
    /// A probe has been silent long enough for another address to be tried beside it.
    Hedge(ProbeId),
    /// A probe's silence begins to count.
    Silence(ProbeId),
    /// No answer to a probe is waited for any longer.
    GiveUp(ProbeId),
}

/// Deadlines in order.
#[derive(Clone, Debug, Default)]
pub(crate) struct Timers {
    heap: BinaryHeap<Reverse<(Duration, Timer)>>,
}

impl Timers {
    pub(crate) fn set(&mut self, at: Duration, timer: Timer) {
        self.heap.push(Reverse((at, timer)));
    }

    pub(crate) fn next(&self) -> Option<(Duration, &'static str)> {
        self.heap.peek().map(|Reverse((at, timer))| (*at, timer.reason()))
    }

    /// The next timer that is due.
    pub(crate) fn due(&mut self, now: Duration) -> Option<Timer> {
        if self.heap.peek()?.0.0 > now {
            return None;
        }
        self.heap.pop().map(|Reverse((_, timer))| timer)
    }
}

impl Timer {
    fn reason(self) -> &'static str {
        match self {
            Self::Hedge(_) => "another address is tried beside a silent one",
            Self::Silence(_) => "a silence begins to count",
            Self::GiveUp(_) => "a silent connection is given up",
        }
    }
}
