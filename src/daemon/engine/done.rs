//! What was done is taken in.

use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::Engine;
use crate::daemon::work::{Done, Seen};
use crate::daemon::{Changed, Check, Moment, tell};
use crate::job::JobError;
use crate::media::send::SendRun;
use crate::net::feed;
use crate::store::history::{self, CheckKind};
use crate::text::{printable, told};

impl Engine {
    pub(super) fn take(&mut self, done: Done) {
        let Done { seen, took, setup, audits } = done;
        self.audits = audits.unwrap_or_else(|| std::mem::take(&mut self.audits));
        self.probes.sum(seen.probes());
        self.controls_ok = seen.controls().or(self.controls_ok);
        self.note(&seen, took);
        // What was asked under another configuration is not what is to be known now.
        let stale = !Arc::ptr_eq(&setup.config, &self.setup.config);
        let (kind, at) = (seen.kind().filter(|_| !stale), Timestamp::now());
        let mut remembered = kind.map(|kind| history::Check::new(kind, at, took.as_secs_f64()));
        let paused = self.watch.paused();
        if matches!(seen.error(), Some(JobError::Wait(_))) {
            self.watch.starve();
        }
        let changes = if stale { self.discard(&seen) } else { self.learn(seen, remembered.as_mut(), at) };
        if paused != self.watch.paused() {
            self.tell_of_pause();
        }
        self.publish(&changes, remembered, at);
    }

    /// Whatever it was of, it is over.
    fn discard(&mut self, seen: &Seen) -> Vec<Changed> {
        self.confirming.ranges &= !matches!(seen, Seen::FreshRanges(..));
        self.confirming.endpoints &= !matches!(seen, Seen::FreshEndpoints(_));
        if let Some(check) = seen.check() {
            self.schedule.hasten(check, self.now());
        }
        Vec::new()
    }

    /// What is known after what was seen; what is to be remembered of it besides is added.
    fn learn(&mut self, seen: Seen, remembered: Option<&mut history::Check>, at: Timestamp) -> Vec<Changed> {
        let moment = self.moment(at);
        match seen {
            Seen::Ranges(Ok(seen)) => return self.watch.take_ranges(*seen, moment),
            Seen::FreshRanges(asked, result) => {
                self.confirming.ranges = false;
                return result.map_or_else(|_| Vec::new(), |seen| self.watch.take_fresh_ranges(&asked, *seen, moment));
            }
            Seen::Endpoints(Ok(seen)) => {
                if let Some(check) = remembered {
                    check.endpoints = tell::results(&seen, at);
                }
                return self.watch.take_endpoints(seen, moment);
            }
            Seen::FreshEndpoints(result) => {
                self.confirming.endpoints = false;
                return result.map_or_else(|_| Vec::new(), |seen| self.watch.take_fresh_endpoints(seen, moment));
            }
            Seen::Pulse(Ok(seen)) => self.watch.take_pulse(&seen),
            Seen::Feed(updated) => self.take_feed(&updated, remembered),
            Seen::Media(Ok(sent)) => self.take_media(sent.media, remembered, at),
            Seen::Ranges(_) | Seen::Pulse(_) | Seen::Endpoints(_) | Seen::Media(_) => {}
        }
        Vec::new()
    }

    fn take_media(&mut self, media: Vec<SendRun>, check: Option<&mut history::Check>, at: Timestamp) {
        if let Some(check) = check {
            check.media = tell::media(&media, at);
            check.failing = check.media.iter().any(|result| result.failing);
        }
        self.media = Arc::from(media);
    }

    fn note(&mut self, seen: &Seen, took: Duration) {
        if let Some(error) = seen.error() {
            tracing::error!("a check could not be made: {}", told(error));
            if !self.watch.is_ready(false) {
                self.schedule.hasten(Check::Ranges, self.soon());
            }
        }
        let Some(check) = seen.check() else { return };
        self.schedule.done(check);
        let past = self.past.entry(check).or_default();
        if seen.failed() {
            past.failed += 1;
        } else {
            (past.last_success, past.took) = (Some(Timestamp::now()), Some(took));
            past.succeeded += 1;
        }
    }

    fn moment(&self, at: Timestamp) -> Moment {
        Moment { now: self.now(), quiet: self.is_quiet(at) }
    }

    pub(super) fn is_quiet(&self, at: Timestamp) -> bool {
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
            tracing::info!("list of {}: {}", printable(&attempt.from, 200), attempt.told());
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
