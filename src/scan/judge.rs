//! From observations to what is known of each range: the same likelihoods as in the engine, over the evidence alone.

use std::collections::{BTreeMap, BTreeSet};
use std::net::IpAddr;
use std::time::Duration;

use super::count::{SilentAs, counts_of, lesson};
use super::division::{is_lopsided, is_mixed};
use super::hops::Hops;
use super::learn::{Class, class};
use super::model::{Counts, Model, Seen};
use super::tree::{NodeId, RangeTree};
use super::wave::LEAST_ATTESTED;
use crate::observe::{Answer, Failure, Observation, Operation, Purpose};
use crate::plan::{PlannedRange, ProbePlan};
use crate::prefix::Prefix;

/// What is known of one range.
#[derive(Clone, Debug, PartialEq)]
pub struct RangeJudgement {
    /// Its cells in order of address.
    pub cells: Vec<CellJudgement>,
    /// The fewest prefixes that hold the cells which are blocked.
    pub blocked: Vec<Prefix>,
    /// The fewest prefixes that hold the cells of which it cannot be said.
    pub undetermined: Vec<Prefix>,
    /// Everything that counted, added up.
    pub counts: Counts,
    /// Evidence for "blocked" against "open" in nats, without the prior: of the blocked parts where only parts are, else
    /// of the whole. What is negative speaks for open.
    pub nats: f64,
    /// The share of unknown addresses that was expected to answer; none where silence could not count.
    pub share: Option<f64>,
    /// Whether silence alone was enough for some blocked cell.
    pub by_silence: bool,
    /// Addresses asked.
    pub probes: u32,
    /// Addresses that answered.
    pub answered: u32,
    /// Shortest and median round trip of the answers.
    pub rtt: Option<(Duration, Duration)>,
    /// This host has no route to it.
    pub no_route: bool,
}

/// What is known of one cell.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct CellJudgement {
    /// Its space.
    pub prefix: Prefix,
    /// What holds for it.
    pub state: CellState,
    /// The probability that it is blocked.
    pub blocked: f64,
}

/// What holds for a cell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum CellState {
    /// An address in it answered.
    Open,
    /// The posterior reached its bound.
    Blocked,
    /// Neither.
    Unknown,
    /// None of its addresses may be asked: it is not viewer-facing.
    Neutral,
}

/// Judges all ranges of a plan by what was seen.
#[must_use]
pub fn judge(plan: &ProbePlan, observations: &[Observation]) -> Vec<RangeJudgement> {
    let by_range = by_range(plan, observations);
    let hops = Hops::seen(observations);
    let seen: Vec<RangeSeen> =
        plan.ranges.iter().zip(&by_range).map(|(planned, list)| RangeSeen::new(planned, list, &hops)).collect();
    let context = Context { models: learn(plan, &seen), nothing_answers: nothing_answers(plan, &seen, observations) };
    plan.ranges
        .iter()
        .zip(seen.into_iter().zip(&by_range))
        .map(|(planned, (seen, list))| context.judge_range(plan, planned, seen, list))
        .collect()
}

fn by_range<'a>(plan: &ProbePlan, observations: &'a [Observation]) -> Vec<Vec<&'a Observation>> {
    let mut lists = vec![Vec::new(); plan.ranges.len()];
    for observation in observations {
        if let (Purpose::Range(range), Operation::Connect) = (observation.purpose, observation.operation) {
            lists[range].push(observation);
        }
    }
    lists
}

/// One outcome with what it adds.
#[derive(Clone, Copy, Debug)]
struct Counted {
    address: IpAddr,
    counts: Counts,
    attested: Option<f64>,
}

/// What counts of the observations of a range, in the order in which they were begun.
fn counted(planned: &PlannedRange, observations: &[&Observation], hops: &Hops) -> Vec<Counted> {
    let known: BTreeSet<IpAddr> = planned.known.iter().copied().collect();
    let mut silent_blocks = BTreeSet::new();
    let count = |observation: &&Observation| {
        let address = observation.target.ip();
        let known = known.contains(&address);
        if observation.outcome == Err(Failure::NoAnswer) {
            // A silence that no control attested is kept in the record, and counts for nothing.
            let attested = Some(observation.attested.filter(|&share| share >= LEAST_ATTESTED && !hops.dead(address))?);
            let counts = SilentAs::of(address, known, &mut silent_blocks).counts();
            return Some(Counted { address, counts, attested });
        }
        let early = observation.outcome.as_ref().err().is_some_and(|f| hops.before_server(f, planned.range.prefix));
        let counts = counts_of(&observation.outcome, known, early)?;
        Some(Counted { address, counts, attested: None })
    };
    observations.iter().filter_map(count).collect()
}

/// What counts of a range, and the tree that holds it, divided where answers and failures lie side by side.
struct RangeSeen {
    counted: Vec<Counted>,
    tree: RangeTree,
}

impl RangeSeen {
    fn new(planned: &PlannedRange, observations: &[&Observation], hops: &Hops) -> Self {
        let counted = counted(planned, observations, hops);
        let mut tree = RangeTree::new(planned.range.prefix, planned.cell_length);
        for counted in &counted {
            tree.add(tree.leaf_of(counted.address), &counted.counts, 1.0);
        }
        divide(&mut tree, &counted);
        Self { counted, tree }
    }

    /// Gives the silences the weight that the model and the controls of their moment allow.
    fn weigh(&mut self, model: &Model) {
        for counted in &self.counted {
            let weight = weight(counted, model);
            if weight < 1.0 {
                self.tree.add(self.tree.leaf_of(counted.address), &counted.counts, weight - 1.0);
            }
        }
    }
}

fn divide(tree: &mut RangeTree, counted: &[Counted]) {
    let mut leaves = tree.leaves();
    while let Some((leaf, prefix)) = leaves.pop() {
        let inside = || counted.iter().filter(|seen| prefix.holds(seen.address));
        let outcomes = || inside().map(|seen| (seen.address, seen.counts.rejected()));
        let counts = tree.counts(leaf);
        let divides = is_mixed(prefix, counts) || (counts.rejected() && is_lopsided(prefix, outcomes()));
        if !divides {
            continue;
        }
        let halves = tree.split(leaf).expect("what is mixed can be divided");
        for (half, prefix) in halves {
            let mut counts = Counts::default();
            inside().filter(|seen| prefix.holds(seen.address)).for_each(|seen| counts.add(&seen.counts, 1.0));
            tree.put(half, &counts);
        }
        leaves.extend(halves);
    }
}

struct Context {
    models: BTreeMap<Class, Model>,
    nothing_answers: bool,
}

fn learn(plan: &ProbePlan, ranges: &[RangeSeen]) -> BTreeMap<Class, Model> {
    let mut seen: BTreeMap<Class, Seen> = BTreeMap::new();
    for (planned, range) in plan.ranges.iter().zip(ranges) {
        let entry = seen.entry(class(planned)).or_default();
        if let Some(lesson) = lesson(&range.tree) {
            entry.counts.add(&lesson, 1.0);
        }
    }
    Seen::share_baseline(seen.values_mut());
    seen.into_iter().map(|(class, seen)| (class, Model::learnt(&seen, class.1, plan.alpha, plan.beta))).collect()
}

/// A share that answers of this much cannot have hidden among the addresses of one probe for each range.
const HIDDEN_SHARE: f64 = 0.2;

/// Whether the viewers' ranges are silent as a whole although controls outside them answer: with so many addresses
/// asked, a share that answers of a fifth or more cannot have hidden.
fn nothing_answers(plan: &ProbePlan, ranges: &[RangeSeen], observations: &[Observation]) -> bool {
    let uplink =
        |observation: &Observation| observation.purpose == Purpose::UplinkControl && observation.outcome.is_ok();
    let mut total = Counts::default();
    let judged = plan.ranges.iter().zip(ranges).filter(|(planned, _)| planned.silence_judges());
    judged.for_each(|(_, range)| total.add(range.tree.total(), 1.0));
    let nats = -(total.silences + total.repeats) * (1.0 - HIDDEN_SHARE).ln();
    observations.iter().any(uplink) && !total.answered() && nats > 9.0_f64.ln() - plan.alpha.ln()
}

impl Context {
    fn judge_range(
        &self,
        plan: &ProbePlan,
        planned: &PlannedRange,
        mut seen: RangeSeen,
        observations: &[&Observation],
    ) -> RangeJudgement {
        let model = &self.models[&class(planned)];
        seen.weigh(model);
        let tree = &mut seen.tree;
        let counts = *tree.total();
        let model = if counts.answered() { model.without_uncovered() } else { *model };
        let leaves = self.judge_leaves(plan, planned, tree, &model);
        let cells = gather(planned, leaves);
        let is = |wanted: CellState| {
            let state: BTreeMap<NodeId, CellState> =
                cells.iter().flat_map(|cell| cell.leaves.iter().map(|&leaf| (leaf, cell.judgement.state))).collect();
            move |id: NodeId| Some(state[&id]).filter(|state| *state != CellState::Neutral).map(|state| state == wanted)
        };
        RangeJudgement {
            blocked: tree.cover(&is(CellState::Blocked)),
            undetermined: tree.cover(&is(CellState::Unknown)),
            nats: evidence(tree, &cells, &model),
            share: model.uncovered.map(|beta| beta.mean()),
            by_silence: !counts.rejected(),
            probes: u32::try_from(observations.len()).unwrap_or(u32::MAX),
            answered: u32::try_from(observations.iter().filter(|o| o.outcome.is_ok()).count()).unwrap_or(u32::MAX),
            rtt: round_trips(observations),
            no_route: observations.iter().any(|o| o.outcome == Err(Failure::NoRoute)),
            counts,
            cells: cells.into_iter().map(|cell| cell.judgement).collect(),
        }
    }

    fn judge_leaves(
        &self,
        plan: &ProbePlan,
        planned: &PlannedRange,
        tree: &mut RangeTree,
        model: &Model,
    ) -> Vec<JudgedCell> {
        let collective = self.nothing_answers && planned.silence_judges();
        let leaves = tree.leaves().into_iter();
        leaves
            .map(|(leaf, prefix)| {
                let blocked = tree.blocked(leaf, model);
                let state = match () {
                    () if tree.counts(leaf).answered() => CellState::Open,
                    () if blocked >= 1.0 - plan.alpha || collective => CellState::Blocked,
                    () if planned.excluded.covers(prefix) => CellState::Neutral,
                    () => CellState::Unknown,
                };
                JudgedCell { leaves: vec![leaf], judgement: CellJudgement { prefix, state, blocked } }
            })
            .collect()
    }
}

/// A cell, or a part of one, with the leaves of the tree that it stands for.
struct JudgedCell {
    leaves: Vec<NodeId>,
    judgement: CellJudgement,
}

/// Puts the parts of a cell together again where none is blocked: the cell is open by the answers in it.
fn gather(planned: &PlannedRange, leaves: Vec<JudgedCell>) -> Vec<JudgedCell> {
    let cell_of = |leaf: &JudgedCell| {
        let length = planned.cell_length.min(leaf.judgement.prefix.len());
        Prefix::containing(leaf.judgement.prefix.first(), length)
    };
    let mut cells = Vec::new();
    let mut leaves = leaves.into_iter().peekable();
    while let Some(first) = leaves.next() {
        let cell = cell_of(&first);
        let mut parts = vec![first];
        while let Some(part) = leaves.next_if(|leaf| cell_of(leaf) == cell) {
            parts.push(part);
        }
        if parts.len() == 1 || parts.iter().any(|part| part.judgement.state == CellState::Blocked) {
            cells.extend(parts);
        } else {
            let likeliest = parts.iter().map(|part| part.judgement.blocked).fold(0.0, f64::max);
            let open = parts.iter().any(|part| part.judgement.state == CellState::Open);
            let state = if open { CellState::Open } else { CellState::Unknown };
            let judgement = CellJudgement { prefix: cell, state, blocked: likeliest };
            cells.push(JudgedCell { leaves: parts.into_iter().flat_map(|part| part.leaves).collect(), judgement });
        }
    }
    cells
}

fn evidence(tree: &RangeTree, cells: &[JudgedCell], model: &Model) -> f64 {
    let blocked: Vec<&JudgedCell> = cells.iter().filter(|cell| cell.judgement.state == CellState::Blocked).collect();
    if blocked.is_empty() || blocked.len() == cells.len() {
        return tree.evidence(0, model);
    }
    blocked.iter().flat_map(|cell| &cell.leaves).map(|&leaf| tree.evidence(leaf, model)).sum()
}

/// What part of its weight a silence keeps.
fn weight(counted: &Counted, model: &Model) -> f64 {
    let Some(attested) = counted.attested else { return 1.0 };
    let known = counted.counts.known_silences > 0.0;
    let beta = if known { Some(model.covered) } else { model.uncovered };
    beta.map_or(1.0, |beta| Model::silence_weight(beta.mean(), attested))
}

fn round_trips(observations: &[&Observation]) -> Option<(Duration, Duration)> {
    let answered = observations.iter().filter(|o| matches!(o.outcome, Ok(Answer::Connected)));
    let mut times: Vec<Duration> = answered.map(|o| o.took).collect();
    times.sort_unstable();
    Some((*times.first()?, times[times.len() / 2]))
}
