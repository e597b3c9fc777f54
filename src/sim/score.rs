//! Compares what a scan says with what the network is.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use super::{Invariants, Trial, run_before};
use crate::observe::{Observation, Operation, Purpose};
use crate::plan::PlannedRange;
use crate::prefix::{Prefix, PrefixSet};
use crate::scan::{CellState, Evidence, RangeJudgement, Scan, judge};

/// How well one scan, or many, did.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Score {
    /// Scans.
    pub runs: usize,
    /// Ranges judged in them.
    pub ranges: usize,
    /// Ranges of which some cell was called blocked that is open as a whole.
    pub false_ranges: usize,
    /// Ranges of which some cell was not called blocked that is blocked as a whole.
    pub missed_ranges: usize,
    /// Ranges of which some cell was called open that is blocked as a whole.
    pub wrongly_open: usize,
    /// Ranges with a cell that is left undetermined.
    pub undetermined: usize,
    /// Ranges of which something was called blocked that is blocked in part only.
    pub wide_ranges: usize,
    /// Scans whose blocked cells are just those that are blocked as a whole.
    pub exact: usize,
    /// Blocks smaller than their cell in which somebody was asked.
    pub parts_hit: usize,
    /// Those of them that are named as they are.
    pub parts_named: usize,
    /// Addresses of ranges asked.
    pub probes: usize,
    /// Those of them that were asked when their cell had answered: for a closer look at its parts.
    pub closer: usize,
    /// Controls and traces.
    pub others: usize,
    /// Probes that any method needs at the least: detection, 3.2.
    pub bound: f64,
    /// The same with each block by itself: as many probes as it has cells, or as its silence needs.
    pub bound_by_block: f64,
    /// Time until the last range was asked and judged.
    pub decided: Duration,
    /// The same of the slowest scan.
    pub slowest: Duration,
    /// Time until the last trace was over.
    pub took: Duration,
    /// Waves of probes whose silences were discarded.
    pub waves_discarded: u32,
    /// The most attempts under way at a time.
    pub most_under_way: usize,
}

impl Trial {
    /// Scans the network, with every promise of the engine watched over.
    #[must_use]
    pub fn score(&self) -> Score {
        let mut invariants = Invariants::of(&self.plan);
        let evidence = run_before(Scan::new(self.plan.clone()), &self.network, &mut invariants);
        invariants.check(&evidence);
        let judgements = judge(&self.plan, &evidence.observations);
        Score { most_under_way: invariants.most_under_way, ..self.compare(&evidence, &judgements) }
    }

    fn compare(&self, evidence: &Evidence, judgements: &[RangeJudgement]) -> Score {
        let truth = Truth { blocked: self.blocked.prefixes() };
        let mut score = Score { closer: self.closer(evidence), ..cost(evidence) };
        (score.parts_hit, score.parts_named) = self.parts(&truth, evidence, judgements);
        let (mut open, mut blocked, mut exact) = (0_usize, Vec::new(), true);
        for (planned, judgement) in self.plan.ranges.iter().zip(judgements) {
            let tally = truth.tally(judgement, is_judged(planned));
            exact &= tally.wrong + tally.missed + tally.too_wide == 0;
            score.ranges += 1;
            score.false_ranges += usize::from(tally.wrong > 0);
            score.missed_ranges += usize::from(tally.missed > 0);
            score.wide_ranges += usize::from(tally.too_wide > 0);
            score.wrongly_open += usize::from(tally.wrongly_open > 0);
            score.undetermined += usize::from(!judgement.undetermined.is_empty());
            open += tally.open;
            blocked.extend(tally.blocked);
        }
        score.exact = usize::from(exact);
        self.bound(open, &blocked, &mut score);
        score
    }

    /// How many addresses were asked in a cell in which one had answered by then.
    fn closer(&self, evidence: &Evidence) -> usize {
        let mut first: BTreeMap<Prefix, Duration> = BTreeMap::new();
        let asks = || evidence.observations.iter().filter_map(|seen| Some((self.cell_of(seen)?, seen)));
        for (cell, seen) in asks().filter(|(_, seen)| seen.outcome.is_ok()) {
            let at = first.entry(cell).or_insert(Duration::MAX);
            *at = (*at).min(seen.started + seen.took);
        }
        asks().filter(|(cell, seen)| first.get(cell).is_some_and(|&answered| seen.started >= answered)).count()
    }

    /// The blocks smaller than their cell that a probe hit, and how many of them are named as they are.
    fn parts(&self, truth: &Truth, evidence: &Evidence, judgements: &[RangeJudgement]) -> (usize, usize) {
        let asked: BTreeSet<IpAddr> = evidence
            .observations
            .iter()
            .filter(|seen| self.cell_of(seen).is_some() && seen.outcome.is_err())
            .map(|seen| seen.target.ip())
            .collect();
        let is_part = |block: &Prefix| {
            let range = self.plan.ranges.iter().find(|planned| planned.range.prefix.covers(*block));
            range.is_some_and(|planned| block.len() > planned.cell_length)
        };
        let hit = |block: &&Prefix| is_part(block) && asked.range(block.first()..=block.last()).next().is_some();
        let hit: Vec<&Prefix> = truth.blocked.iter().filter(hit).collect();
        let named = |block: &&Prefix| judgements.iter().any(|judgement| judgement.blocked.contains(block));
        (hit.len(), hit.into_iter().filter(named).count())
    }

    /// The cell of the plan of which an observation asks an address.
    fn cell_of(&self, seen: &Observation) -> Option<Prefix> {
        let Purpose::Range(at) = seen.purpose else { return None };
        let length = self.plan.ranges[at].cell_length;
        (seen.operation == Operation::Connect).then(|| Prefix::containing(seen.target.ip(), length))
    }

    /// One answer of each open cell, and for the blocked ones one probe each, or of each block as many as its silence
    /// needs for the error rate.
    fn bound(&self, open: usize, blocked: &[Prefix], score: &mut Score) {
        let share = self.answering.min(0.999);
        let silences = self.plan.alpha.ln() / (1.0 - share).ln();
        let blocks = blocked.iter().copied().collect::<PrefixSet>().prefixes();
        let of_block = |block: &Prefix| blocked.iter().filter(|cell| block.covers(**cell)).count() as f64;
        let open = open as f64 / share;
        score.bound = open + (blocked.len() as f64).max(blocks.len() as f64 * silences);
        score.bound_by_block = open + blocks.iter().map(|block| of_block(block).max(silences)).sum::<f64>();
    }
}

impl Score {
    /// Adds another scan.
    pub fn add(&mut self, other: &Self) {
        self.runs += other.runs;
        self.ranges += other.ranges;
        self.false_ranges += other.false_ranges;
        self.missed_ranges += other.missed_ranges;
        self.wrongly_open += other.wrongly_open;
        self.undetermined += other.undetermined;
        self.wide_ranges += other.wide_ranges;
        self.exact += other.exact;
        self.parts_hit += other.parts_hit;
        self.parts_named += other.parts_named;
        self.closer += other.closer;
        self.probes += other.probes;
        self.others += other.others;
        self.bound += other.bound;
        self.bound_by_block += other.bound_by_block;
        self.decided += other.decided;
        self.slowest = self.slowest.max(other.slowest);
        self.took += other.took;
        self.waves_discarded += other.waves_discarded;
        self.most_under_way = self.most_under_way.max(other.most_under_way);
    }
}

/// Whether silence in the range can be judged at all.
fn is_judged(planned: &PlannedRange) -> bool {
    planned.silence_judges() || !planned.known.is_empty()
}

fn cost(evidence: &Evidence) -> Score {
    let asks = |purpose: Purpose, operation: Operation| {
        matches!(purpose, Purpose::Range(_)) && operation == Operation::Connect
    };
    let probes = evidence.observations.iter().filter(|seen| asks(seen.purpose, seen.operation)).count();
    let before_traces = evidence.observations.iter().filter(|seen| seen.purpose != Purpose::Path);
    let decided = before_traces.map(|seen| seen.started + seen.took).max().unwrap_or_default();
    Score {
        runs: 1,
        probes,
        others: evidence.observations.len() - probes,
        decided,
        slowest: decided,
        took: evidence.took,
        waves_discarded: evidence.controls.waves_discarded,
        ..Score::default()
    }
}

struct Truth {
    blocked: Vec<Prefix>,
}

/// Cells of one range.
#[derive(Default)]
struct Tally {
    wrong: usize,
    missed: usize,
    wrongly_open: usize,
    /// Called blocked, and blocked in part only.
    too_wide: usize,
    open: usize,
    blocked: Vec<Prefix>,
}

impl Truth {
    fn tally(&self, judgement: &RangeJudgement, judged: bool) -> Tally {
        let mut tally = Tally::default();
        for cell in judgement.cells.iter().filter(|cell| cell.state != CellState::Neutral) {
            let whole = self.blocked.iter().any(|blocked| blocked.covers(cell.prefix));
            let part = self.blocked.iter().any(|blocked| cell.prefix.covers(*blocked));
            let called = cell.state == CellState::Blocked;
            tally.wrong += usize::from(called && !whole && !part);
            tally.too_wide += usize::from(called && !whole && part);
            tally.missed += usize::from(judged && whole && !called);
            tally.wrongly_open += usize::from(whole && cell.state == CellState::Open);
            if whole {
                tally.blocked.push(cell.prefix);
            } else {
                tally.open += 1;
            }
        }
        tally
    }
}
