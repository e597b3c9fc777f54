//! What is held: a verdict that was announced changes only when fresh probes have confirmed another.

use std::collections::{BTreeMap, BTreeSet, VecDeque};
use std::time::Duration;

use super::{HeldBack, Outline, Subject, Verdict};

/// When something changes too often.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Flapping {
    /// So many changes within the window are too many.
    pub changes: usize,
    /// The window; quiet for so long, and it is over.
    pub window: Duration,
}

/// The verdicts that are held. Time is an argument, counted on a clock that never jumps.
#[derive(Clone, Debug)]
pub struct Hysteresis {
    held: BTreeMap<Subject, Held>,
    flapping: Flapping,
}

#[derive(Clone, Debug)]
struct Held {
    outline: Outline,
    /// What was announced last, or would have been if anybody had needed to know.
    announced: Option<Outline>,
    /// So many times in a row the evidence did not suffice.
    doubts: u32,
    /// When it changed, within the window.
    changes: VecDeque<Duration>,
    /// It changes too often: it is held at the worst, until this stays as it is.
    flaps: Option<Seen>,
}

/// What was seen last, and since when nothing else was.
#[derive(Clone, Copy, Debug)]
struct Seen {
    outline: Outline,
    since: Duration,
}

/// A change of what is held.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Change {
    /// What was held, or announced, before; none: nothing.
    pub before: Option<Outline>,
    /// What is held now.
    pub after: Outline,
    /// Why it is not announced.
    pub held_back: Option<HeldBack>,
}

/// What becomes of a verdict that was just reached.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Settled {
    /// It is what is held: its evidence is the newer.
    Same,
    /// What is held stays, with its own evidence.
    Kept,
    /// It is held from now on.
    Changed(Change),
}

/// So many times in a row nothing must be seen before what was known is given up: what answers seldom is silent at times.
const DOUBTS: u32 = 3;

impl Hysteresis {
    /// Nothing is held yet.
    #[must_use]
    pub fn new(flapping: Flapping) -> Self {
        Self { held: BTreeMap::new(), flapping }
    }

    /// Another bound on changes is in force.
    pub fn set(&mut self, flapping: Flapping) {
        self.flapping = flapping;
    }

    /// What was held when the daemon ended the last time; it was announced then.
    pub fn recall(&mut self, subject: Subject, outline: Outline) {
        self.held.insert(subject, Held::new(outline, Some(outline)));
    }

    /// What is held of a subject.
    #[must_use]
    pub fn held(&self, subject: &Subject) -> Option<Outline> {
        self.held.get(subject).map(|held| held.outline)
    }

    /// Everything that is held, as it was announced last.
    pub fn announced(&self) -> impl Iterator<Item = (&Subject, Outline)> {
        self.held.iter().filter_map(|(subject, held)| Some((subject, held.announced?)))
    }

    /// What changes too often.
    #[must_use]
    pub fn flapping(&self) -> BTreeSet<Subject> {
        self.held.iter().filter(|(_, held)| held.flaps.is_some()).map(|(subject, _)| subject.clone()).collect()
    }

    /// Forgets what is no longer checked.
    pub fn retain(&mut self, checked: impl Fn(&Subject) -> bool) {
        self.held.retain(|subject, _| checked(subject));
    }

    /// Whether a verdict needs fresh probes before it is held: an accusation, and whatever ends one.
    #[must_use]
    pub fn is_doubtful(&self, subject: &Subject, seen: Outline) -> bool {
        let held = self.held.get(subject);
        match held.map(|held| held.outline) {
            _ if held.is_some_and(|held| held.flaps.is_some()) => false,
            Some(known) if known == seen => false,
            _ if seen.verdict.accuses() => true,
            Some(known) => known.verdict.accuses() && seen.verdict == Verdict::Open,
            None => false,
        }
    }

    /// Takes in a verdict that is not doubtful, or that fresh probes came to.
    pub fn settle(&mut self, subject: &Subject, seen: Outline, quiet: bool, now: Duration) -> Settled {
        let flapping = self.flapping;
        let Some(held) = self.held.get_mut(subject) else {
            let held = self.held.entry(subject.clone()).or_insert(Held::new(seen, None));
            let after = held.outline;
            let held_back = held.announce(quiet);
            return Settled::Changed(Change { before: None, after, held_back });
        };
        if held.flaps.is_some() {
            return held.settle_flapping(seen, quiet, now, flapping);
        }
        if seen == held.outline {
            held.doubts = 0;
            return held.announce_late(quiet).map_or(Settled::Same, Settled::Changed);
        }
        if matches!(seen.verdict, Verdict::Undetermined | Verdict::ExpectedSilent) {
            held.doubts += 1;
            if held.doubts < DOUBTS {
                return Settled::Kept;
            }
        }
        held.doubts = 0;
        held.change(seen, quiet, now, flapping)
    }
}

impl Held {
    fn new(outline: Outline, announced: Option<Outline>) -> Self {
        Self { outline, announced, doubts: 0, changes: VecDeque::new(), flaps: None }
    }

    fn change(&mut self, seen: Outline, quiet: bool, now: Duration, bound: Flapping) -> Settled {
        let before = Some(self.outline);
        self.changes.retain(|at| now.saturating_sub(*at) < bound.window);
        self.changes.push_back(now);
        if self.changes.len() > bound.changes {
            self.changes.clear();
            self.flaps = Some(Seen { outline: seen, since: now });
            // Held at the worst of the two: an alert that comes and goes is worse than one that stays.
            if self.outline.verdict.accuses() {
                return Settled::Kept;
            }
        }
        self.outline = seen;
        let held_back = self.announce(quiet);
        Settled::Changed(Change { before, after: seen, held_back })
    }

    fn settle_flapping(&mut self, seen: Outline, quiet: bool, now: Duration, bound: Flapping) -> Settled {
        let last = self.flaps.get_or_insert(Seen { outline: seen, since: now });
        if last.outline != seen {
            *last = Seen { outline: seen, since: now };
            return Settled::Kept;
        }
        let calm = now.saturating_sub(last.since) >= bound.window;
        if !calm {
            return if seen == self.outline { Settled::Same } else { Settled::Kept };
        }
        self.flaps = None;
        if seen == self.outline {
            return Settled::Same;
        }
        let before = Some(self.outline);
        self.outline = seen;
        Settled::Changed(Change { before, after: seen, held_back: self.announce(quiet) })
    }

    /// Marks what is held as announced, unless a maintenance window is open or nobody needs to know.
    fn announce(&mut self, quiet: bool) -> Option<HeldBack> {
        let accused = self.announced.is_some_and(|announced| announced.verdict.accuses());
        let harmless = !accused && !self.outline.verdict.accuses();
        if quiet && !harmless {
            return Some(HeldBack::Maintenance);
        }
        self.announced = Some(self.outline);
        harmless.then_some(HeldBack::Harmless)
    }

    /// What changed in a maintenance window and stayed so is announced when the window is over.
    fn announce_late(&mut self, quiet: bool) -> Option<Change> {
        let before = self.announced;
        if before == Some(self.outline) || self.announce(quiet).is_some() {
            return None;
        }
        Some(Change { before, after: self.outline, held_back: None })
    }
}

#[cfg(test)]
mod tests {
    use super::super::Mechanism;
    use super::*;

    const OPEN: Outline = Outline { verdict: Verdict::Open, mechanism: None, layer: None };
    const UNSURE: Outline = Outline { verdict: Verdict::Undetermined, ..OPEN };
    const DROPPED: Outline = Outline { verdict: Verdict::Blocked, mechanism: Some(Mechanism::Dropped), layer: None };
    const RESET: Outline = Outline { mechanism: Some(Mechanism::Reset), ..DROPPED };
    const MINUTE: Duration = Duration::from_mins(1);
    const BOUND: Flapping = Flapping { changes: 4, window: Duration::from_hours(1) };

    fn subject() -> Subject {
        Subject::Range("13.32.0.0/15".parse().unwrap())
    }

    fn announced(settled: Settled) -> Option<Outline> {
        match settled {
            Settled::Changed(Change { after, held_back: None, .. }) => Some(after),
            _ => None,
        }
    }

    fn held(seen: &[Outline]) -> Hysteresis {
        let mut hysteresis = Hysteresis::new(BOUND);
        for (minute, outline) in (0..).zip(seen) {
            let _ = hysteresis.settle(&subject(), *outline, false, MINUTE * minute);
        }
        hysteresis
    }

    #[test]
    fn what_needs_fresh_probes() {
        for (before, seen, doubtful) in [
            (None, OPEN, false),
            (None, UNSURE, false),
            (None, DROPPED, true),
            (Some(OPEN), OPEN, false),
            (Some(OPEN), UNSURE, false),
            (Some(OPEN), DROPPED, true),
            (Some(UNSURE), OPEN, false),
            (Some(UNSURE), DROPPED, true),
            (Some(DROPPED), DROPPED, false),
            (Some(DROPPED), RESET, true),
            (Some(DROPPED), OPEN, true),
            (Some(DROPPED), UNSURE, false),
        ] {
            let hysteresis = held(before.as_slice());
            assert_eq!(hysteresis.is_doubtful(&subject(), seen), doubtful, "{before:?} {seen:?}");
        }
    }

    #[test]
    fn a_first_verdict_is_announced_only_if_something_is_wrong() {
        let mut hysteresis = Hysteresis::new(BOUND);
        let settled = hysteresis.settle(&subject(), OPEN, false, MINUTE);
        assert_eq!(
            settled,
            Settled::Changed(Change { before: None, after: OPEN, held_back: Some(HeldBack::Harmless) })
        );
        assert_eq!(announced(Hysteresis::new(BOUND).settle(&subject(), DROPPED, false, MINUTE)), Some(DROPPED));
    }

    #[test]
    fn a_lack_of_evidence_ends_what_is_known_only_when_it_lasts() {
        let mut hysteresis = held(&[DROPPED]);
        for _ in 0..5 {
            assert_eq!(hysteresis.settle(&subject(), UNSURE, false, MINUTE), Settled::Kept);
            assert_eq!(hysteresis.settle(&subject(), UNSURE, false, MINUTE), Settled::Kept);
            assert_eq!(hysteresis.settle(&subject(), DROPPED, false, MINUTE), Settled::Same);
        }
        let settled: Vec<_> = (0..3).map(|_| hysteresis.settle(&subject(), UNSURE, false, MINUTE)).collect();
        assert_eq!(announced(settled[2]), Some(UNSURE));
    }

    #[test]
    fn what_changes_too_often_is_announced_once_and_held_until_it_is_calm() {
        let mut hysteresis = held(&[OPEN]);
        let mut said = Vec::new();
        for minute in 1..120 {
            let seen = if minute % 2 == 1 { DROPPED } else { OPEN };
            said.extend(announced(hysteresis.settle(&subject(), seen, false, MINUTE * minute)));
        }
        assert_eq!(said, [DROPPED, OPEN, DROPPED, OPEN, DROPPED], "four changes, and the fifth is held");
        assert_eq!(hysteresis.flapping(), BTreeSet::from([subject()]));
        assert!(!hysteresis.is_doubtful(&subject(), OPEN));
        let mut calm = (120..200).map(|minute| hysteresis.settle(&subject(), OPEN, false, MINUTE * minute));
        assert_eq!(calm.find_map(announced), Some(OPEN));
        assert!(hysteresis.flapping().is_empty());
    }

    #[test]
    fn what_changes_in_a_maintenance_window_is_announced_after_it_if_it_stays() {
        let mut hysteresis = held(&[OPEN]);
        let settled = hysteresis.settle(&subject(), DROPPED, true, MINUTE);
        assert_eq!(announced(settled), None);
        assert_eq!(hysteresis.held(&subject()), Some(DROPPED), "judged all the same");
        assert_eq!(hysteresis.settle(&subject(), DROPPED, true, MINUTE), Settled::Same);
        assert_eq!(announced(hysteresis.settle(&subject(), DROPPED, false, MINUTE * 2)), Some(DROPPED));
        assert_eq!(hysteresis.settle(&subject(), DROPPED, false, MINUTE * 3), Settled::Same);

        let mut back = held(&[OPEN]);
        let _ = back.settle(&subject(), DROPPED, true, MINUTE);
        let _ = back.settle(&subject(), OPEN, true, MINUTE * 2);
        assert_eq!(back.settle(&subject(), OPEN, false, MINUTE * 3), Settled::Same, "nobody needs to know");
    }

    #[test]
    fn what_was_announced_before_a_restart_is_not_announced_again() {
        let mut hysteresis = Hysteresis::new(BOUND);
        hysteresis.recall(subject(), DROPPED);
        assert!(!hysteresis.is_doubtful(&subject(), DROPPED));
        assert_eq!(hysteresis.settle(&subject(), DROPPED, false, MINUTE), Settled::Same);
    }

    #[test]
    fn a_week_of_changes_keeps_no_more_than_the_window() {
        let mut hysteresis = held(&[OPEN]);
        for minute in 1..7 * 24 * 60 {
            let seen = if minute % 40 < 20 { DROPPED } else { OPEN };
            let _ = hysteresis.settle(&subject(), seen, false, MINUTE * minute);
        }
        assert!(hysteresis.held[&subject()].changes.len() <= 5);
    }
}
