//! What is known is published, remembered and announced.

use std::sync::Arc;

use jiff::Timestamp;

use super::Engine;
use crate::daemon::memory::{Entry, Memory};
use crate::daemon::{Changed, Check, Snapshot, notify, tell};
use crate::store::history::{self, CheckKind};
use crate::verdict::Transition;

impl Engine {
    pub(super) fn publish(&mut self, changes: &[Changed], check: Option<history::Check>, at: Timestamp) {
        if check.is_some()
            && let Some(current) = tell::current(&self.watch, &self.media, &self.setup, at)
        {
            self.current = Some(Arc::new(current));
        }
        let scanned = check.as_ref().is_some_and(|check| check.kind == CheckKind::Ranges);
        if scanned && (self.watch.ranges().is_none() || self.watch.paused().is_some()) {
            // A scan that came to nothing is made again soon.
            self.schedule.hasten(Check::Ranges, self.soon());
        }
        let report = self.current.as_ref().map(|current| &current.report);
        let transitions: Vec<Arc<Transition>> =
            changes.iter().map(|changed| Arc::new(tell::transition(changed, &self.watch, report, at))).collect();
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

    pub(super) fn swap_in(&mut self) {
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
}
