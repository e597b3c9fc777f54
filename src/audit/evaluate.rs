//! Walks all addresses through a rule set at once, in place of one packet after the other.
//!
//! What is on its way is a set of addresses, and a rule takes out what it decides. A rule of which it is not known whether
//! it applies leaves its outcome as a possible one and lets the same addresses go on, so that in the end each address has
//! every outcome that it may come to: accepted alone is allowed, denied alone is missing, both is unknown. Nothing is ever
//! allowed because something was not understood.

use super::addresses::Run;
use super::region::{Region, RegionMap};
use super::{Action, AddressSet, Applies, ChainId, Default as Fallback, Hook, Policy};
use crate::prefix::Family;

/// What becomes of the addresses at one hook.
#[derive(Debug, Default)]
pub(super) struct Outcome {
    /// What may be accepted, and by which rule.
    pub(super) accepted: RegionMap<Decision>,
    /// What may be denied, and by which rule.
    pub(super) denied: RegionMap<Decision>,
    /// What met a rule that is not understood, and the first of these.
    pub(super) doubted: RegionMap<Decision>,
}

/// A rule by its place in the policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Decision {
    /// The chain.
    pub(super) chain: ChainId,
    /// The rule's index; none is the chain's default.
    pub(super) rule: Option<u32>,
}

/// Why a rule set was not walked to its end.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Exhausted {
    /// A chain is reached by more jumps than any platform allows: chains that call each other.
    #[error("chains call each other in a circle, or more than {DEEPEST} deep")]
    Depth,
    /// It takes more than an honest rule set of a million rules.
    #[error("the rules are too entangled to be followed")]
    Steps,
}

/// nftables allows 16, iptables as many as there are chains; no rule set is written by hand with more.
const DEEPEST: usize = 64;

/// Steps on runs of addresses: some 10 s. A chain of 100,000 rules over 100,000 entries takes 400,000.
const MOST_STEPS: u64 = 50_000_000;

/// Whether rules that deny are followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Denials {
    /// They are.
    Count,
    /// They are passed over, to see which rule would have accepted.
    PassOver,
}

/// What the hook makes of these addresses.
pub(super) fn evaluate(
    policy: &Policy,
    hook: &Hook,
    addresses: &AddressSet,
    denials: Denials,
) -> Result<Outcome, Exhausted> {
    let mut walk = Walk { policy, denials, outcome: Outcome::default(), steps: 0, depth: 0 };
    let left = walk.chain(hook.chain, addresses.into())?;
    walk.fall_back(hook.chain, &left);
    Ok(walk.outcome)
}

struct Walk<'a> {
    policy: &'a Policy,
    denials: Denials,
    outcome: Outcome,
    steps: u64,
    depth: usize,
}

/// What became of a part of the addresses at a rule.
enum Step {
    /// It is decided, or it left the chain.
    Gone,
    /// It goes on to the next rule.
    GoesOn,
}

impl Walk<'_> {
    /// Walks these through the chain; what comes back left it undecided, at a return or at its end.
    fn chain(&mut self, id: ChainId, mut region: Region) -> Result<Region, Exhausted> {
        self.depth += 1;
        if self.depth > DEEPEST {
            return Err(Exhausted::Depth);
        }
        let policy = self.policy;
        let mut left = Region::default();
        for (index, rule) in (0..).zip(&policy.chain(id).rules) {
            if region.is_empty() {
                break;
            }
            self.count(1)?;
            if rule.matches.rest == Applies::No {
                continue;
            }
            let here = Decision { chain: id, rule: Some(index) };
            let certain = rule.matches.rest == Applies::Yes;
            self.step(&mut region, &mut left, &rule.matches.destination.surely, rule.action, here, certain)?;
            if let Some((perhaps, _)) = &rule.matches.destination.perhaps {
                self.step(&mut region, &mut left, perhaps, rule.action, here, false)?;
            }
        }
        self.depth -= 1;
        left.add_all(&region.whole(), ());
        self.count(region.len())?;
        Ok(left)
    }

    fn step(
        &mut self,
        region: &mut Region,
        left: &mut Region,
        set: &AddressSet,
        action: Action,
        here: Decision,
        certain: bool,
    ) -> Result<(), Exhausted> {
        let runs = region.common(set);
        self.count(runs.len())?;
        if runs.is_empty() {
            return Ok(());
        }
        if !certain && action != Action::Continue {
            self.outcome.doubted.add_all(&runs, here);
        }
        let step = match action {
            Action::Continue => Step::GoesOn,
            Action::Accept => self.decide(&runs, here, certain, Verdict::Accept),
            Action::Deny => self.decide(&runs, here, certain, Verdict::Deny),
            Action::Unknown => {
                self.decide(&runs, here, false, Verdict::Accept);
                self.decide(&runs, here, false, Verdict::Deny)
            }
            Action::Return => {
                left.add_all(&runs, ());
                Step::Gone
            }
            Action::Goto(target) => {
                let back = self.call(target, &runs)?;
                left.add_all(&back.whole(), ());
                Step::Gone
            }
            Action::Jump(target) => return self.jump(region, target, &runs, certain),
        };
        if certain && matches!(step, Step::Gone) {
            region.remove_all(&runs);
        }
        Ok(())
    }

    fn decide(&mut self, runs: &[(Family, Run)], here: Decision, certain: bool, verdict: Verdict) -> Step {
        let outcomes = match (verdict, self.denials) {
            (Verdict::Deny, Denials::PassOver) => return Step::GoesOn,
            (Verdict::Deny, Denials::Count) => &mut self.outcome.denied,
            (Verdict::Accept, _) => &mut self.outcome.accepted,
        };
        for &(family, run) in runs {
            // Who decides for certain is named, rather than who perhaps did before.
            if certain { outcomes.set(family, run, here) } else { outcomes.add(family, run, here) }
        }
        Step::Gone
    }

    /// What the chain leaves goes on here; when it is not certain that it is asked at all, everything does.
    fn jump(
        &mut self,
        region: &mut Region,
        target: ChainId,
        runs: &[(Family, Run)],
        certain: bool,
    ) -> Result<(), Exhausted> {
        let back = self.call(target, runs)?;
        if certain {
            region.remove_all(runs);
            region.add_all(&back.whole(), ());
        }
        Ok(())
    }

    fn call(&mut self, target: ChainId, runs: &[(Family, Run)]) -> Result<Region, Exhausted> {
        let mut region = Region::default();
        region.add_all(runs, ());
        self.chain(target, region)
    }

    /// The default of the chain that the hook begins in.
    fn fall_back(&mut self, id: ChainId, left: &Region) {
        let runs = left.whole();
        let here = Decision { chain: id, rule: None };
        match self.policy.chain(id).default {
            Fallback::Accept => _ = self.decide(&runs, here, true, Verdict::Accept),
            Fallback::Deny => _ = self.decide(&runs, here, true, Verdict::Deny),
            Fallback::Unknown(_) => {
                self.outcome.doubted.add_all(&runs, here);
                self.decide(&runs, here, false, Verdict::Accept);
                self.decide(&runs, here, false, Verdict::Deny);
            }
        }
    }

    fn count(&mut self, steps: usize) -> Result<(), Exhausted> {
        self.steps += steps as u64;
        if self.steps > MOST_STEPS { Err(Exhausted::Steps) } else { Ok(()) }
    }
}

#[derive(Clone, Copy)]
enum Verdict {
    Accept,
    Deny,
}
