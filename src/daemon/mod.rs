//! The daemon: checks again and again, remembers, and says what changed.
//!
//! One thread decides: it holds the schedule, what is known, and the newest [`Snapshot`]. Checks run on threads of their
//! own and hand back what they saw. Readers have a [`View`], and what they want done goes through [`Commands`].

mod command;
mod schedule;
mod snapshot;
mod watch;

pub use command::{Begun, Command, CommandError, Commands, channel};
pub use schedule::Schedule;
pub use snapshot::{Audited, Check, Current, FeedsInForce, Past, Pause, ProbeTotals, Publisher, Snapshot, View};

pub use watch::{Changed, Moment, Watch};

use std::sync::Arc;

use tokio::sync::broadcast;

use crate::verdict::Transition;

/// What a service beside the checks is given: HTTP, metrics, webhooks.
#[derive(Clone, Debug)]
pub struct Handle {
    /// The newest snapshot.
    pub view: View,
    /// What may be asked.
    pub commands: Commands,
    /// Each change of a verdict, as it happens; whoever is slow misses the oldest.
    pub transitions: broadcast::Sender<Arc<Transition>>,
}
