//! Sends media from plan to report, on whatever network the calling thread is in.

use jiff::Timestamp;

use super::{JobError, roots, site};
use crate::config::Config;
use crate::media::send::SendTarget;
use crate::net::endpoint::Errand;
use crate::net::endpoint::send::{SendErrand, SendProgress, Sent, ready, send};
use crate::net::interrupt::Interrupt;
use crate::plan::{KnownAddresses, ProbePlan};
use crate::ranges::FeedSnapshot;
use crate::report::{Report, Run};
use crate::scan::Evidence;

/// What is to be sent where.
#[derive(Clone, Copy, Debug)]
pub struct Sending<'a> {
    /// Resolvers, roots, controls and the site's name.
    pub config: &'a Config,
    /// Where media are sent: [`crate::config::MediaConfig::send`], or some of it.
    pub targets: &'a [SendTarget],
    /// What all uploads together may send; [`BUDGET_BYTES`] is enough for one target over two ways.
    pub budget_bytes: u64,
    /// The list in force, for the report.
    pub feed: &'a FeedSnapshot,
}

/// Ten times the largest file that the platform takes.
pub const BUDGET_BYTES: u64 = 200_000_000;

impl Sending<'_> {
    /// Sends, judges and reports.
    ///
    /// # Errors
    /// What stopped it; findings are no errors.
    pub fn run(&self, interrupt: &Interrupt, tell: &mut dyn FnMut(&SendProgress)) -> Result<Report, JobError> {
        let started = Timestamp::now();
        let sent = self.send(interrupt, tell)?;
        Ok(self.report(started, &sent))
    }

    /// Sends to the targets, one after another; what was uploaded is deleted, after an interruption too.
    ///
    /// # Errors
    /// What stopped it; findings are no errors.
    pub fn send(&self, interrupt: &Interrupt, tell: &mut dyn FnMut(&SendProgress)) -> Result<Sent, JobError> {
        let roots = roots(self.config)?;
        let network = Errand {
            endpoints: Vec::new(),
            resolvers: &self.config.dns.resolvers,
            system_resolvers: true,
            roots: &roots,
            published: self.feed.addresses(),
            controls: &self.config.controls,
            aimed: Vec::new(),
            per_second: self.config.settings().pace.per_second,
        };
        let targets = self.targets.iter().map(ready).collect::<Result<_, _>>()?;
        send(&SendErrand { network, targets, budget_bytes: self.budget_bytes }, interrupt, tell).map_err(JobError::Wait)
    }

    fn report(&self, started: Timestamp, sent: &Sent) -> Report {
        let mut plan = ProbePlan::new(&self.config.settings(), self.feed, &KnownAddresses::default());
        plan.ranges.clear();
        let evidence = Evidence { interrupted: sent.seen.interrupted, took: sent.took, ..Evidence::default() };
        Report::new(&Run {
            site: &site(self.config),
            started,
            plan: &plan,
            evidence: &evidence,
            feed: self.feed,
            held: &[],
            baseline: None,
            endpoints: &sent.seen.runs,
            context: &sent.seen.context,
            media: &sent.media,
            limits: sent.seen.limits.clone(),
        })
    }
}
