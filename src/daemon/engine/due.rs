//! What is to be done begins.

use std::sync::Arc;
use std::time::Instant;

use jiff::Timestamp;

use super::{Engine, NOT_YET};
use crate::daemon::Check;
use crate::daemon::audits::held_against;
use crate::daemon::memory::Entry;
use crate::daemon::work::{Done, Seen, Task};
use crate::net::feed;
use crate::store::history::Retention;

impl Engine {
    pub(super) fn begin_what_is_due(&mut self) {
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
}
