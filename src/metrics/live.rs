//! What changes between two snapshots: counters of the service, and what the kernel knows of the process.

use std::sync::Mutex;
use std::time::{Duration, Instant};

use prometheus::process_collector::ProcessCollector;
use prometheus::{IntCounterVec, IntGauge, Opts, Registry};

use super::descriptor::{self, Descriptor};
use super::encoded;

/// The counters. Whoever counts holds it; it is made once.
#[derive(Debug)]
pub struct Live {
    registry: Registry,
    requests: IntCounterVec,
    connections: IntGauge,
    refused: IntCounterVec,
    webhook: IntCounterVec,
    webhook_queue: IntGauge,
    text: Mutex<Option<(Instant, String)>>,
}

/// Why the server closed a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Refused {
    /// It had no request under way, and another one wanted its place.
    Idle,
    /// There was no place, and none that could be made.
    Busy,
    /// No TLS session came about.
    Handshake,
}

/// What became of an event for the webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Delivery {
    /// The receiver took it.
    Delivered,
    /// The receiver does not want it.
    Refused,
    /// No try succeeded.
    GivenUp,
    /// The queue was full.
    Dropped,
}

/// The kernel's numbers are read no more often: with ten thousand descriptors open, counting them takes milliseconds.
const FRESH: Duration = Duration::from_secs(1);

impl Live {
    /// All at zero.
    #[must_use]
    pub fn new() -> Self {
        let registry = Registry::new();
        let counters = |descriptor: Descriptor| {
            let counters = IntCounterVec::new(options(descriptor), descriptor.labels).expect("a sound descriptor");
            registry.register(Box::new(counters.clone())).expect("a name is used once");
            counters
        };
        let gauge = |descriptor: Descriptor| {
            let gauge = IntGauge::with_opts(options(descriptor)).expect("a sound descriptor");
            registry.register(Box::new(gauge.clone())).expect("a name is used once");
            gauge
        };
        registry.register(Box::new(ProcessCollector::for_self())).expect("a name is used once");
        let live = Self {
            requests: counters(descriptor::HTTP_REQUESTS),
            connections: gauge(descriptor::HTTP_CONNECTIONS),
            refused: counters(descriptor::HTTP_REFUSED),
            webhook: counters(descriptor::WEBHOOK_EVENTS),
            webhook_queue: gauge(descriptor::WEBHOOK_QUEUE),
            text: Mutex::new(None),
            registry,
        };
        // A counter that appears with its first event has no increase for it.
        for reason in Refused::ALL {
            live.refused.with_label_values(&[reason.name()]);
        }
        for outcome in Delivery::ALL {
            live.webhook.with_label_values(&[outcome.name()]);
        }
        live
    }

    /// Counts an answer. The route is the pattern, never what was asked for.
    pub fn answered(&self, route: &str, status: u16) {
        self.requests.with_label_values(&[route, &status.to_string()]).inc();
    }

    /// Notes how many connections there are.
    pub fn connections(&self, open: usize) {
        self.connections.set(i64::try_from(open).unwrap_or(i64::MAX));
    }

    /// Counts a connection that the server closed.
    pub fn refused(&self, reason: Refused) {
        self.refused.with_label_values(&[reason.name()]).inc();
    }

    /// Counts what became of an event.
    pub fn delivery(&self, outcome: Delivery) {
        self.webhook.with_label_values(&[outcome.name()]).inc();
    }

    /// Notes how many events wait.
    pub fn waiting(&self, events: usize) {
        self.webhook_queue.set(i64::try_from(events).unwrap_or(i64::MAX));
    }

    /// Appends the present values to a page.
    pub fn append(&self, page: &mut String, now: Instant) {
        // A thread that panicked here left nothing half-made.
        let mut text = self.text.lock().unwrap_or_else(std::sync::PoisonError::into_inner);
        let fresh = |(read, _): &(Instant, String)| now.saturating_duration_since(*read) < FRESH;
        let (_, text) = match text.take().filter(fresh) {
            Some(known) => text.insert(known),
            None => text.insert((now, encoded(&self.registry))),
        };
        page.push_str(text);
    }
}

impl Default for Live {
    fn default() -> Self {
        Self::new()
    }
}

impl Refused {
    const ALL: [Self; 3] = [Self::Idle, Self::Busy, Self::Handshake];

    fn name(self) -> &'static str {
        match self {
            Self::Idle => "idle",
            Self::Busy => "busy",
            Self::Handshake => "handshake",
        }
    }
}

impl Delivery {
    const ALL: [Self; 4] = [Self::Delivered, Self::Refused, Self::GivenUp, Self::Dropped];

    fn name(self) -> &'static str {
        match self {
            Self::Delivered => "delivered",
            Self::Refused => "refused",
            Self::GivenUp => "given_up",
            Self::Dropped => "dropped",
        }
    }
}

fn options(descriptor: Descriptor) -> Opts {
    Opts::new(descriptor.name, descriptor.help)
}
