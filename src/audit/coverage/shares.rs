//! Which rule decides which part.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::{Judged, RuleName, Share, written};
use crate::audit::addresses::{FAMILIES, Run};
use crate::audit::evaluate::{Decision, Denials, evaluate};
use crate::audit::region::RegionMap;
use crate::audit::{AddressSet, Applies, Default, Exhausted, Policy, Rule, SourceFile};
use crate::prefix::Family;
use crate::text::printable;

/// What decisions are called.
pub(super) struct Names<'a> {
    policy: &'a Policy,
    files: &'a [SourceFile],
    lines: Vec<Vec<&'a str>>,
}

/// The runs of a family, by the rules that decide them.
type Parts<K> = BTreeMap<K, Vec<(Family, Run)>>;

/// By which rule each part passes each hook.
pub(super) fn allowed(judged: &[Judged<'_>], names: &Names<'_>, allowed: &AddressSet) -> Vec<Share> {
    let shares = |judged: &Judged<'_>| {
        let parts = parts(judged.outcome.accepted.within(allowed));
        names.shares(judged, parts, |decision| (decision, None, None))
    };
    judged.iter().filter(|judged| !judged.hook.follows).flat_map(shares).collect()
}

/// By which rule each part is stopped, at each hook that stops it.
pub(super) fn missing(judged: &[Judged<'_>], names: &Names<'_>, missing: &AddressSet) -> Result<Vec<Share>, Exhausted> {
    let mut shares = Vec::new();
    for judged in judged {
        let stopped = missing.difference(&judged.perhaps());
        let denied = judged.outcome.denied.within(&stopped);
        let by_rule: AddressSet = set(denied.iter().filter(|(.., d)| d.rule.is_some()).map(|&(f, run, _)| (f, run)));
        let later = evaluate(names.policy, judged.hook, &by_rule, Denials::PassOver)?;
        let parts = parts(overlaid(&denied, &later.accepted));
        shares.extend(names.shares(judged, parts, |(denied, later)| {
            (denied, later.filter(|later| later.rule.is_some() && denied.rule.is_some()), None)
        }));
    }
    Ok(shares)
}

/// For which reason each part is unknown, at each hook where it is.
pub(super) fn unknown(judged: &[Judged<'_>], names: &Names<'_>, unknown: &AddressSet) -> Vec<Share> {
    let shares = |judged: &Judged<'_>| {
        let outcome = &judged.outcome;
        let mixed = unknown.intersection(&outcome.denied.addresses()).intersection(&outcome.accepted.addresses());
        let denied = outcome.denied.within(&mixed);
        let both = overlaid(&denied, &outcome.accepted);
        let all = overlaid(&both, &outcome.doubted);
        let parts = parts(all.into_iter().map(|(family, run, ((denied, accepted), doubted))| {
            let candidates = [Some(denied), accepted, doubted].into_iter().flatten();
            let doubtful = candidates.clone().find(|decision| names.doubt(*decision).is_some());
            (family, run, doubtful.or(doubted).unwrap_or(denied))
        }));
        names.shares(judged, parts, |decision| (decision, None, names.doubt(decision)))
    };
    judged.iter().flat_map(shares).collect()
}

impl<'a> Names<'a> {
    /// Of the rules of this policy, which was read from these files.
    pub(super) fn new(policy: &'a Policy, files: &'a [SourceFile]) -> Self {
        Self { policy, files, lines: files.iter().map(|file| file.text.lines().collect()).collect() }
    }

    fn shares<K: Ord + Copy>(
        &self,
        judged: &Judged<'_>,
        parts: Parts<K>,
        meaning: impl Fn(K) -> (Decision, Option<Decision>, Option<Arc<str>>),
    ) -> Vec<Share> {
        let share = |(key, runs): (K, Vec<(Family, Run)>)| {
            let (decision, later, reason) = meaning(key);
            let (rule, allowed_later) = (self.name(decision), later.map(|later| self.name(later)));
            Share { hook: judged.hook.name.clone(), rule, allowed_later, reason, part: set(runs) }
        };
        parts.into_iter().map(share).collect()
    }

    /// Why a rule is a doubt.
    fn doubt(&self, decision: Decision) -> Option<Arc<str>> {
        match self.rule(decision) {
            Some(rule) => match (&rule.matches.rest, &rule.matches.destination.perhaps) {
                (Applies::Maybe(why), _) | (_, Some((_, why))) => Some(Arc::clone(why)),
                _ => None,
            },
            None => match &self.policy.chain(decision.chain).default {
                Default::Unknown(why) => Some(Arc::clone(why)),
                Default::Accept | Default::Deny => None,
            },
        }
    }

    fn name(&self, decision: Decision) -> RuleName {
        let chain = self.policy.chain(decision.chain);
        let rule = self.rule(decision);
        let place = rule.map(|rule| rule.place).or(chain.default_place);
        RuleName {
            chain: printable(&chain.name, 128),
            name: rule.and_then(|rule| rule.name.as_deref()).map(|name| printable(name, 128)),
            written: place.and_then(|place| written(self.files, place)),
            text: rule.and_then(|rule| self.text(rule)).map(|text| printable(text.trim(), LONGEST_TEXT)),
        }
    }

    fn rule(&self, decision: Decision) -> Option<&'a Rule> {
        Some(&self.policy.chain(decision.chain).rules[decision.rule? as usize])
    }

    fn text(&self, rule: &'a Rule) -> Option<&'a str> {
        let line =
            || Some(*self.lines.get(usize::from(rule.place.file))?.get((rule.place.line as usize).checked_sub(1)?)?);
        rule.text.as_deref().or_else(line)
    }
}

/// A rule in a report; the middle of longer ones is left out.
const LONGEST_TEXT: usize = 160;

fn parts<K: Ord>(runs: impl IntoIterator<Item = (Family, Run, K)>) -> Parts<K> {
    let mut parts = Parts::new();
    for (family, run, key) in runs {
        parts.entry(key).or_default().push((family, run));
    }
    parts
}

/// Each run cut where the map's runs begin and end, with both values.
fn overlaid<K: Copy, T: Copy>(runs: &[(Family, Run, K)], map: &RegionMap<T>) -> Vec<(Family, Run, (K, Option<T>))> {
    let mut cut = Vec::with_capacity(runs.len());
    for &(family, run, key) in runs {
        let mut next = Some(run.0);
        for (part, value) in map.values_in(family, run) {
            let gap = next.filter(|&next| next < part.0).map(|next| (family, (next, part.0 - 1), (key, None)));
            cut.extend(gap);
            cut.push((family, part, (key, Some(value))));
            next = part.1.checked_add(1);
        }
        cut.extend(next.filter(|&next| next <= run.1).map(|next| (family, (next, run.1), (key, None))));
    }
    cut
}

fn set(runs: impl IntoIterator<Item = (Family, Run)>) -> AddressSet {
    let mut lists = [Vec::new(), Vec::new()];
    for (family, run) in runs {
        lists[usize::from(family == Family::V6)].push(run);
    }
    FAMILIES.into_iter().zip(lists).fold(AddressSet::none(), |set, (family, runs)| set.with_runs(family, runs))
}
