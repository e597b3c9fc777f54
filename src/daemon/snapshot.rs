//! What readers see: one immutable value, swapped in whole.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;
use serde::Serialize;
use tokio::sync::watch;

use crate::config::Config;
use crate::job::Feeds;
use crate::media::send::SendRun;
use crate::ranges::Withdrawn;
use crate::report::Report;
use crate::verdict::Subject;

/// The state of the daemon at one moment.
#[derive(Clone, Debug)]
pub struct Snapshot {
    /// When the daemon began.
    pub started: Timestamp,
    /// The configuration in force.
    pub config: Arc<Config>,
    /// Why the last reload was refused; none: the file is in force.
    pub reload_error: Option<String>,
    /// The lists in force.
    pub feeds: Arc<FeedsInForce>,
    /// The last whole report, after hysteresis; none before the first.
    pub report: Option<Arc<Current>>,
    /// What is known of each kind of check that was made.
    pub checks: BTreeMap<Check, Past>,
    /// Connections so far, by what came of them.
    pub probes: ProbeTotals,
    /// Whether what was asked as a control in the last check of ranges or endpoints answered; none before the first.
    pub controls_ok: Option<bool>,
    /// Why nothing is judged at present.
    pub paused: Option<Pause>,
    /// When each kind of check is due.
    pub next: BTreeMap<Check, Timestamp>,
    /// What changes too often to be announced.
    pub flapping: BTreeSet<Subject>,
    /// A maintenance window is open: changes are not announced.
    pub maintenance: bool,
    /// Rule sets that the configuration names, held against the list in force.
    pub audits: Vec<Audited>,
    /// What became of the media that were sent last.
    pub media: Arc<[SendRun]>,
    /// What was not kept on disk, and why.
    pub trouble: Option<String>,
}

/// The lists in force.
#[derive(Clone, Debug)]
pub struct FeedsInForce {
    /// The newest list, and older ones that are at hand.
    pub feeds: Feeds,
    /// Ranges that left the list lately and are still exported.
    pub withdrawn: Vec<Withdrawn>,
}

/// A report, written once.
#[derive(Clone, Debug)]
pub struct Current {
    /// The report.
    pub report: Report,
    /// The same as `egressd.report/1`.
    pub json: String,
    /// When it was put together.
    pub finished: Timestamp,
}

/// Kinds of checks, and of other work that is done again and again.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Check {
    /// All ranges, part by part.
    Ranges,
    /// One address of each open range that is known to answer.
    Pulse,
    /// The endpoints, layer by layer.
    Endpoints,
    /// A real file of each kind.
    Media,
    /// The feeds are fetched.
    Feed,
    /// What is too old is removed from the history.
    Prune,
}

/// What is known of the checks of one kind.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Past {
    /// When one last came to its end.
    pub last_success: Option<Timestamp>,
    /// How long that one took.
    pub took: Option<Duration>,
    /// How many came to their end.
    pub succeeded: u64,
    /// How many could not be made.
    pub failed: u64,
    /// How many began late, because the one before was not done or the machine was busy.
    pub late: u64,
}

/// Connections by what came of them.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct ProbeTotals {
    /// Answered.
    pub answered: u64,
    /// Rejected or reset.
    pub rejected: u64,
    /// Silent.
    pub silent: u64,
    /// Not sent: a limit of this host.
    pub local: u64,
}

/// Why nothing is judged.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Pause {
    /// Nothing outside answers: the own way out is down.
    UplinkDown,
    /// This host gave the daemon no processor, or no descriptors.
    HostStarved,
}

/// A rule set held against the list in force.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audited {
    /// Its name in the configuration.
    pub name: String,
    /// How many prefixes of the list it does not let through; none where it could not be read.
    pub missing: Option<usize>,
}

/// A reader's view: always the newest snapshot, without waiting for whoever writes.
#[derive(Clone, Debug)]
pub struct View(watch::Receiver<Arc<Snapshot>>);

/// Where snapshots are swapped in.
#[derive(Debug)]
pub struct Publisher(watch::Sender<Arc<Snapshot>>);

impl Check {
    /// All of them.
    pub const ALL: [Self; 6] = [Self::Ranges, Self::Pulse, Self::Endpoints, Self::Media, Self::Feed, Self::Prune];

    /// The name in JSON and labels.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Ranges => "ranges",
            Self::Pulse => "pulse",
            Self::Endpoints => "endpoints",
            Self::Media => "media",
            Self::Feed => "feed",
            Self::Prune => "prune",
        }
    }
}

impl Pause {
    /// All of them.
    pub const ALL: [Self; 2] = [Self::UplinkDown, Self::HostStarved];

    /// The name in JSON and labels.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::UplinkDown => "uplink_down",
            Self::HostStarved => "host_starved",
        }
    }
}

impl View {
    /// The newest snapshot.
    #[must_use]
    pub fn newest(&self) -> Arc<Snapshot> {
        self.0.borrow().clone()
    }

    /// Waits for one that this view has not given yet; none: the daemon has ended.
    pub async fn next(&mut self) -> Option<Arc<Snapshot>> {
        self.0.changed().await.ok()?;
        Some(self.0.borrow_and_update().clone())
    }
}

impl Publisher {
    /// Begins with a first snapshot.
    #[must_use]
    pub fn new(first: Snapshot) -> Self {
        Self(watch::channel(Arc::new(first)).0)
    }

    /// Swaps in a changed copy of the newest snapshot.
    pub fn change(&self, change: impl FnOnce(&mut Snapshot)) {
        let mut next = Snapshot::clone(&self.0.borrow());
        change(&mut next);
        self.0.send_replace(Arc::new(next));
    }

    /// A view for a reader.
    #[must_use]
    pub fn view(&self) -> View {
        View(self.0.subscribe())
    }
}
