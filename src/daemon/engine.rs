//! The loop that decides: what is due begins, what is done is taken in, and what is known is published.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use jiff::Timestamp;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::{broadcast, mpsc, oneshot};
use tokio::task::JoinSet;
use tokio::time::sleep_until;

use super::audits::held_against;
use super::memory::{Entry, Memory};
use super::services::Services;
use super::setup::Setup;
use super::work::{Done, Seen, Task};
use super::{
    Audited, Begun, Changed, Check, Command, Current, DaemonError, Handle, Moment, Past, ProbeTotals, Publisher,
    Schedule, Snapshot, Watch, channel, held, notify, tell,
};
use crate::job::{self, JobError};
use crate::media::send::SendRun;
use crate::net::feed;
use crate::net::interrupt::Interrupt;
use crate::store::history::{self, CheckKind, Retention};
use crate::text::told;
use crate::verdict::{self, Hysteresis, Subject, Transition};

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

    // --- what is to be done -------------------------------------------------------------------------------------------

    fn begin_what_is_due(&mut self) {
        while let Some((check, _)) = self.schedule.next().filter(|(_, due)| *due <= self.now()) {
            self.schedule.begin(check, self.now());
            self.turn += 1;
            match check {
                Check::Ranges => self.begin(Task::Ranges),
                Check::Endpoints => self.begin(Task::Endpoints),
                Check::Pulse => self.begin_pulse(),
                Check::Feed => self.begin_feed(),
                Check::Prune => self.prune(),
                Check::Media => self.begin_media(),
            }
        }
        self.confirm();
    }

    fn begin(&mut self, task: Task) {
        let (setup, interrupt) = (Arc::clone(&self.setup), Arc::clone(&self.interrupt));
        self.work.spawn_blocking(move || {
            let began = Instant::now();
            let scans = matches!(task, Task::Ranges);
            let seen = task.perform(&setup, &interrupt);
            let audits = scans.then(|| held_against(&setup.config.audits, &setup.feeds.feeds));
            Done { seen, took: began.elapsed(), setup, audits }
        });
    }

    /// Before the first scan there is nothing to compare with.
    fn begin_pulse(&mut self) {
        let beats = self.watch.beats(self.turn);
        if beats.is_empty() { self.schedule.done(Check::Pulse) } else { self.begin(Task::Pulse(beats)) }
    }

    /// Files are sent where the way out works: else they would only say what is known.
    fn begin_media(&mut self) {
        if self.watch.paused().is_some() || !self.watch.is_ready(false) {
            self.schedule.done(Check::Media);
            self.schedule.hasten(Check::Media, self.now() + NOT_YET);
        } else {
            self.begin(Task::Media);
        }
    }

    fn begin_feed(&mut self) {
        let Some(store) = self.setup.store.clone() else { return };
        let setup = Arc::clone(&self.setup);
        self.work.spawn(async move {
            let began = Instant::now();
            let updated = feed::update(&store.feeds(), &setup.config.feed, &setup.roots, Timestamp::now).await;
            Done { seen: Seen::Feed(updated), took: began.elapsed(), setup, audits: None }
        });
    }

    fn prune(&mut self) {
        if let Some(memory) = &self.memory {
            memory.write(Entry::Prune(Timestamp::now(), Retention::from(&self.setup.config.history)));
        }
        self.schedule.done(Check::Prune);
    }

    /// Fresh probes of what is in doubt, one round at a time.
    fn confirm(&mut self) {
        if !self.confirming.ranges
            && let Some((doubtful, beside)) = self.watch.take_doubtful_ranges()
        {
            self.confirming.ranges = true;
            self.begin(Task::FreshRanges(doubtful, beside));
        }
        if !self.confirming.endpoints
            && let Some(names) = self.watch.take_doubtful_endpoints()
        {
            self.confirming.endpoints = true;
            self.begin(Task::FreshEndpoints(names));
        }
    }

    // --- what was done ------------------------------------------------------------------------------------------------

    fn take(&mut self, done: Done) {
        let Done { seen, took, setup, audits } = done;
        self.audits = audits.unwrap_or_else(|| std::mem::take(&mut self.audits));
        self.probes.sum(seen.probes());
        self.controls_ok = seen.controls().or(self.controls_ok);
        self.note(&seen, took);
        let (kind, at) = (seen.kind(), Timestamp::now());
        let mut remembered = kind.map(|kind| history::Check::new(kind, at, took.as_secs_f64()));
        // What was asked under another configuration is not what is to be known now.
        let stale = !Arc::ptr_eq(&setup.config, &self.setup.config);
        let paused = self.watch.paused();
        if matches!(seen.error(), Some(JobError::Wait(_))) {
            self.watch.starve();
        }
        let changes = match seen {
            Seen::Endpoints(Ok(seen)) if !stale => {
                let verdicts = verdict::endpoints(&seen.runs, &seen.context);
                if let Some(check) = &mut remembered {
                    let results = seen.runs.iter().zip(&verdicts);
                    check.endpoints = results.map(|(run, verdict)| tell::result(run, verdict, at)).collect();
                }
                self.watch.take_endpoints(seen, self.moment(at))
            }
            Seen::FreshEndpoints(result) => {
                self.confirming.endpoints = false;
                let seen = result.ok().filter(|_| !stale);
                seen.map(|seen| self.watch.take_fresh_endpoints(seen, self.moment(at))).unwrap_or_default()
            }
            Seen::Ranges(Ok(seen)) => self.watch.take_ranges(*seen, self.moment(at)),
            Seen::FreshRanges(asked, result) => {
                self.confirming.ranges = false;
                let seen = result.ok();
                seen.map(|seen| self.watch.take_fresh_ranges(&asked, *seen, self.moment(at))).unwrap_or_default()
            }
            Seen::Pulse(Ok(seen)) => {
                self.watch.take_pulse(&seen);
                Vec::new()
            }
            Seen::Feed(updated) => {
                self.take_feed(&updated, remembered.as_mut());
                Vec::new()
            }
            Seen::Media(Ok(sent)) => {
                if let Some(check) = &mut remembered {
                    check.media = tell::media(&sent.media, at);
                    check.failing = check.media.iter().any(|result| result.failing);
                }
                self.media = Arc::from(sent.media);
                Vec::new()
            }
            Seen::Ranges(_) | Seen::Pulse(_) | Seen::Endpoints(_) | Seen::Media(_) => Vec::new(),
        };
        if paused != self.watch.paused() {
            self.tell_of_pause();
        }
        self.publish(&changes, remembered, at);
    }

    fn note(&mut self, seen: &Seen, took: Duration) {
        if let Some(error) = seen.error() {
            tracing::error!("a check could not be made: {}", told(error));
        }
        let Some(check) = seen.check() else { return };
        self.schedule.done(check);
        let past = self.past.entry(check).or_default();
        if seen.error().is_some() {
            past.failed += 1;
        } else {
            (past.last_success, past.took) = (Some(Timestamp::now()), Some(took));
            past.succeeded += 1;
        }
    }

    fn moment(&self, at: Timestamp) -> Moment {
        Moment { now: self.now(), quiet: self.is_quiet(at) }
    }

    fn is_quiet(&self, at: Timestamp) -> bool {
        self.setup.config.maintenance.iter().any(|window| window.holds(at))
    }

    fn tell_of_pause(&mut self) {
        if let Some(pause) = self.watch.paused() {
            tracing::warn!("nothing is judged: {}", pause.name());
        } else {
            tracing::info!("judging again");
        }
    }

    fn take_feed(&mut self, updated: &feed::Updated, check: Option<&mut history::Check>) {
        for attempt in &updated.attempts {
            tracing::info!("{}", attempt.told());
        }
        let changes = updated.changes();
        if !changes.is_empty() {
            match self.setup.with_new_feeds() {
                Ok(setup) => self.put_in_force(setup),
                Err(error) => tracing::error!("the lists cannot be read: {}", told(&error)),
            }
        }
        if let Some(check) = check {
            check.failing = !updated.is_current();
            check.feed = changes;
        }
    }

    // --- what is known ------------------------------------------------------------------------------------------------

    fn publish(&mut self, changes: &[Changed], check: Option<history::Check>, at: Timestamp) {
        if check.is_some()
            && let Some(current) = tell::current(&self.watch, &self.media, &self.setup, at)
        {
            self.current = Some(Arc::new(current));
        }
        let scanned = check.as_ref().is_some_and(|check| check.kind == CheckKind::Ranges);
        if scanned && (self.watch.ranges().is_none() || self.watch.paused().is_some()) {
            // A scan that came to nothing is made again soon.
            let soon = self.now() + Duration::from_secs(self.setup.config.daemon.endpoints_seconds);
            self.schedule.hasten(Check::Ranges, soon);
        }
        let report = self.current.as_ref().map(|current| &current.report);
        let transitions: Vec<Arc<Transition>> =
            changes.iter().map(|changed| Arc::new(tell::transition(changed, report, at))).collect();
        self.remember(&transitions, check);
        self.swap_in();
        for transition in transitions {
            if transition.held_back.is_none() {
                tracing::warn!("{}", tell::line(&transition));
            }
            // Nobody may be listening.
            let _ = self.transitions.send(transition);
        }
    }

    fn remember(&self, transitions: &[Arc<Transition>], check: Option<history::Check>) {
        let (Some(memory), Some(mut check)) = (&self.memory, check) else { return };
        let report = self.current.as_ref().map(|current| &current.report);
        if !transitions.is_empty() {
            let held = self.watch.hysteresis().announced().map(|(subject, outline)| (subject.clone(), outline));
            memory.write(Entry::Held(held.collect()));
        }
        check.transitions = transitions.iter().map(|transition| tell::remembered(transition, report)).collect();
        check.failing |= check.endpoints.iter().any(|result| result.failing)
            || check.transitions.iter().any(|transition| transition.failing);
        memory.write(Entry::Check(Box::new(check)));
    }

    fn swap_in(&mut self) {
        let (now, at) = (self.now(), Timestamp::now());
        for (check, past) in &mut self.past {
            past.late = self.schedule.late(*check);
        }
        let trouble = self.memory.as_ref().and_then(Memory::trouble);
        let status =
            tell::status(&self.watch, self.current.as_deref(), self.reload_error.as_deref(), trouble.as_deref());
        if status != self.said {
            notify::status(&status);
            self.said = status;
        }
        let next = self.schedule.due().map(|(check, due)| (check, at + due.saturating_sub(now))).collect();
        let snapshot = Snapshot {
            started: self.started,
            config: Arc::clone(&self.setup.config),
            reload_error: self.reload_error.clone(),
            feeds: Arc::clone(&self.setup.feeds),
            report: self.current.clone(),
            checks: self.past.clone(),
            probes: self.probes,
            controls_ok: self.controls_ok,
            paused: self.watch.paused(),
            next,
            flapping: self.watch.hysteresis().flapping(),
            maintenance: self.is_quiet(at),
            audits: self.audits.clone(),
            media: Arc::clone(&self.media),
            trouble,
        };
        self.publisher.change(|published| *published = snapshot);
    }

    // --- what is asked of it ------------------------------------------------------------------------------------------

    fn obey(&mut self, command: Command, services: &mut Services) {
        match command {
            Command::Check(answer) => self.check_now(answer),
            Command::Reload(answer) => {
                // Whoever asked may have gone.
                let _ = answer.send(self.reload(services));
            }
        }
    }

    fn check_now(&mut self, answer: oneshot::Sender<Begun>) {
        let kinds = [Check::Endpoints, Check::Ranges];
        let idle = kinds.iter().any(|check| !self.schedule.runs(*check));
        for check in kinds {
            if !self.schedule.runs(check) {
                self.schedule.hasten(check, self.now());
            }
        }
        let _ = answer.send(if idle { Begun::Now } else { Begun::Already });
    }

    /// Puts the file in force, or says what is wrong with it.
    fn reload(&mut self, services: &mut Services) -> Result<(), String> {
        notify::reloading();
        let outcome = Setup::read(&self.file).map_err(|error| told(&error)).and_then(|setup| {
            let moved = setup.config.state != self.setup.config.state;
            let stays = "`state` cannot change while the daemon runs: restart it";
            if moved {
                return Err(stays.to_owned());
            }
            services.reload(&self.setup, &setup).map_err(|error| told(&error))?;
            Ok(setup)
        });
        let outcome = outcome.map(|setup| {
            tracing::info!("the configuration is in force");
            self.put_in_force(setup);
        });
        if let Err(error) = &outcome {
            tracing::error!("the configuration was refused, and the old one stays in force: {error}");
        }
        self.reload_error = outcome.as_ref().err().cloned();
        self.swap_in();
        notify::ready(&self.said);
        outcome
    }

    fn put_in_force(&mut self, setup: Setup) {
        let now = self.now();
        let before = std::mem::replace(&mut self.setup, Arc::new(setup));
        if *before.config == *self.setup.config {
            // The same value in the same place: what is under way is not for nothing.
            Arc::make_mut(&mut self.setup).config = Arc::clone(&before.config);
        } else {
            self.schedule.set(&self.setup.intervals(), now);
            self.watch.hysteresis_mut().set(self.setup.flapping());
            self.schedule.hasten(Check::Endpoints, now);
        }
        if before.feeds.feeds.newest.sha256 != self.setup.feeds.feeds.newest.sha256 {
            self.schedule.hasten(Check::Ranges, now);
        }
        let setup = Arc::clone(&self.setup);
        self.watch.retain(|subject| setup.checks(subject));
    }

    // --- the end ------------------------------------------------------------------------------------------------------

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
fn recalled(setup: &Setup) -> Vec<(Subject, verdict::Outline)> {
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

impl Seen {
    /// What the history calls it; what is asked besides belongs to its kind.
    fn kind(&self) -> Option<CheckKind> {
        match self {
            Self::Ranges(Ok(_)) | Self::FreshRanges(_, Ok(_)) => Some(CheckKind::Ranges),
            Self::Endpoints(Ok(_)) | Self::FreshEndpoints(Ok(_)) => Some(CheckKind::Endpoints),
            Self::Feed(_) => Some(CheckKind::Feed),
            Self::Media(Ok(_)) => Some(CheckKind::Media),
            _ => None,
        }
    }
}
