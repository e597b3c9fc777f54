//! The loop that decides: what is due begins, what is done is taken in, and what is known is published.

mod asked;
mod done;
mod due;
mod publish;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{broadcast, mpsc};
use tokio::task::JoinSet;
use tokio::time::sleep_until;

use super::memory::Memory;
use super::services::Services;
use super::setup::Setup;
use super::work::Done;
use super::{
    Audited, Check, Command, Current, DaemonError, Handle, Past, ProbeTotals, Publisher, Schedule, Snapshot, Watch,
    channel, held, notify,
};
use crate::job;
use crate::media::send::SendRun;
use crate::net::interrupt::Interrupt;
use crate::text::told;
use crate::verdict::{Hysteresis, Outline, Subject, Transition};

/// The daemon while it runs.
pub(super) struct Engine {
    file: PathBuf,
    setup: Arc<Setup>,
    schedule: Schedule,
    watch: Watch,
    current: Option<Arc<Current>>,
    past: BTreeMap<Check, Past>,
    probes: ProbeTotals,
    controls_ok: Option<bool>,
    reload_error: Option<String>,
    audits: Vec<Audited>,
    media: Arc<[SendRun]>,
    publisher: Publisher,
    transitions: broadcast::Sender<Arc<Transition>>,
    commands: mpsc::Receiver<Command>,
    work: JoinSet<Done>,
    interrupt: Arc<Interrupt>,
    memory: Option<Memory>,
    confirming: Confirming,
    began: Instant,
    started: Timestamp,
    turn: usize,
    said: String,
}

/// What is being confirmed by fresh probes.
#[derive(Clone, Copy, Debug, Default)]
struct Confirming {
    ranges: bool,
    endpoints: bool,
}

/// What wakes the daemon from outside.
struct Signals {
    hangup: Signal,
    terminate: Signal,
    interrupt: Signal,
}

/// Transitions that a slow reader may be behind.
const BEHIND: usize = 1024;
/// When it is asked again whether files can be sent; and how long after the start they are first: a daemon that is started
/// again and again must not send each time.
const NOT_YET: Duration = Duration::from_mins(10);
/// The longest that the end waits for what is under way, and then for what is still to be written.
const FINISH: Duration = Duration::from_secs(2);

impl Engine {
    /// Begins with what was held when the daemon ended the last time.
    pub(super) fn new(file: PathBuf, setup: Setup) -> Result<(Self, Handle), DaemonError> {
        let setup = Arc::new(setup);
        let mut hysteresis = Hysteresis::new(setup.flapping());
        for (subject, outline) in recalled(&setup) {
            hysteresis.recall(subject, outline);
        }
        let (sender, commands) = channel();
        let started = Timestamp::now();
        let publisher = Publisher::new(first(&setup, started));
        let transitions = broadcast::channel(BEHIND).0;
        let handle = Handle { view: publisher.view(), commands: sender, transitions: transitions.clone() };
        let memory = setup.store.clone().map(Memory::begin).transpose().map_err(DaemonError::System)?;
        let mut schedule = Schedule::new(&setup.intervals(), job::seed());
        schedule.delay(Check::Media, NOT_YET);
        let engine = Self {
            file,
            schedule,
            watch: Watch::new(hysteresis),
            setup,
            current: None,
            past: BTreeMap::new(),
            probes: ProbeTotals::default(),
            controls_ok: None,
            reload_error: None,
            audits: Vec::new(),
            media: Arc::default(),
            publisher,
            transitions,
            commands,
            work: JoinSet::new(),
            interrupt: Arc::new(Interrupt::by_hand().map_err(DaemonError::System)?),
            memory,
            confirming: Confirming::default(),
            began: Instant::now(),
            started,
            turn: 0,
            said: String::new(),
        };
        Ok((engine, handle))
    }

    /// The lists and the configuration in force.
    pub(super) fn setup(&self) -> &Setup {
        &self.setup
    }

    /// Works until it is told to end.
    pub(super) async fn run(mut self, mut services: Services) -> Result<(), DaemonError> {
        let mut signals = Signals::listen().map_err(DaemonError::System)?;
        let watchdog = notify::watchdog();
        let mut alive_due = Instant::now();
        notify::ready("no result yet");
        tracing::info!("egressd {} watches {}", env!("CARGO_PKG_VERSION"), self.setup.site);
        loop {
            self.begin_what_is_due();
            let tick = watchdog.map(|_| alive_due);
            let due = self.schedule.next().map(|(_, due)| self.began + due);
            let wake = [tick, due].into_iter().flatten().min();
            tokio::select! {
                biased;
                _ = signals.terminate.recv() => break,
                _ = signals.interrupt.recv() => break,
                Some(done) = self.work.join_next() => self.take(done.expect("a check does not panic")),
                Some(command) = self.commands.recv() => self.obey(command, &mut services),
                _ = signals.hangup.recv() => drop(self.reload(&mut services)),
                () = until(wake) => {}
            }
            if let Some(half) = watchdog.filter(|_| Instant::now() >= alive_due) {
                alive_due = Instant::now() + half;
                notify::alive();
            }
        }
        self.end(services).await;
        Ok(())
    }

    fn now(&self) -> Duration {
        self.began.elapsed()
    }

    /// When what came to nothing is tried again.
    fn soon(&self) -> Duration {
        self.now() + Duration::from_secs(self.setup.config.daemon.endpoints_seconds)
    }

    /// Ends what is under way, and finishes writing.
    async fn end(mut self, services: Services) {
        notify::stopping();
        tracing::info!("ending");
        self.interrupt.raise();
        let drained = tokio::time::timeout(FINISH, async { while self.work.join_next().await.is_some() {} });
        if drained.await.is_err() {
            tracing::warn!("a check did not end in time and is left");
        }
        services.stop();
        if self.memory.take().is_some_and(|memory| !memory.end(FINISH)) {
            tracing::error!("the disk is too slow: not everything is written");
        }
    }
}

impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Self {
            hangup: signal(SignalKind::hangup())?,
            terminate: signal(SignalKind::terminate())?,
            interrupt: signal(SignalKind::interrupt())?,
        })
    }
}

/// Waits until a moment; for ever where there is none.
async fn until(moment: Option<Instant>) {
    match moment {
        Some(moment) => sleep_until(moment.into()).await,
        None => std::future::pending().await,
    }
}

/// What was held when the daemon ended the last time; what cannot be read is said and begun anew.
fn recalled(setup: &Setup) -> Vec<(Subject, Outline)> {
    let known = setup.store.as_ref().map_or_else(|| Ok(Vec::new()), held::read);
    let known = known.unwrap_or_else(|error| {
        tracing::error!("{}", told(&error));
        Vec::new()
    });
    known.into_iter().filter(|(subject, _)| setup.checks(subject)).collect()
}

fn first(setup: &Setup, started: Timestamp) -> Snapshot {
    Snapshot {
        started,
        config: Arc::clone(&setup.config),
        reload_error: None,
        feeds: Arc::clone(&setup.feeds),
        report: None,
        checks: BTreeMap::new(),
        probes: ProbeTotals::default(),
        controls_ok: None,
        paused: None,
        next: BTreeMap::new(),
        flapping: std::collections::BTreeSet::new(),
        maintenance: false,
        audits: Vec::new(),
        media: Arc::default(),
        trouble: None,
    }
}
