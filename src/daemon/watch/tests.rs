//! Sites in virtual time: hours of checks on networks that are odd, and on some that change.

use std::collections::{BTreeMap, BTreeSet};
use std::time::Duration;

use super::{Changed, Moment, Watch};
use crate::daemon::{Check, Pause, Schedule};
use crate::job::RangesSeen;
use crate::plan::{Depth, KnownAddresses, ProbePlan, Settings};
use crate::prefix::{Prefix, PrefixSet};
use crate::ranges::FeedSnapshot;
use crate::scan::{Pace, Pulse, PulseSeen, Scan};
use crate::scenario::{RuleAction, Wan};
use crate::sim::{self, Lit, Network};
use crate::verdict::{Flapping, Hysteresis, Subject, Verdict};

const MINUTE: Duration = Duration::from_mins(1);
const HOUR: Duration = Duration::from_hours(1);
const FLAPPING: Flapping = Flapping { changes: 4, window: HOUR };
const BLOCKED: &str = "13.224.0.0/14";

/// A site, its network, and everything that was found to change.
struct Site {
    network: Network,
    feed: FeedSnapshot,
    schedule: Schedule,
    watch: Watch,
    turn: usize,
    under_way: BTreeMap<(Duration, usize), Outcome>,
    changes: Vec<(Duration, Changed)>,
    pauses: BTreeSet<Option<Pause>>,
}

enum Outcome {
    Ranges(RangesSeen),
    Fresh(BTreeSet<Prefix>, RangesSeen),
    Pulse(PulseSeen),
}

impl Site {
    fn new(network: Network) -> Self {
        let every = BTreeMap::from([(Check::Ranges, MINUTE * 30), (Check::Pulse, MINUTE)]);
        Self {
            schedule: Schedule::new(&every, network.seed),
            watch: Watch::new(Hysteresis::new(FLAPPING)),
            network,
            feed: FeedSnapshot::documented(),
            turn: 0,
            under_way: BTreeMap::new(),
            changes: Vec::new(),
            pauses: BTreeSet::new(),
        }
    }

    /// Lives on until a moment.
    fn until(&mut self, end: Duration) {
        let mut now = Duration::ZERO;
        loop {
            let due = self.schedule.next().map(|(_, due)| due.max(now));
            let ends = self.under_way.first_key_value().map(|((at, _), _)| *at);
            now = [due, ends].into_iter().flatten().min().expect("something is always to come");
            if now > end {
                return;
            }
            if ends == Some(now) {
                let (_, outcome) = self.under_way.pop_first().expect("it is the first");
                self.take(outcome, now);
            } else {
                let (check, _) = self.schedule.next().expect("it is due");
                self.schedule.begin(check, now);
                self.begin(check, now);
            }
        }
    }

    fn begin(&mut self, check: Check, now: Duration) {
        self.turn += 1;
        if check == Check::Ranges {
            let (took, seen) = self.scan(None, Pace::QUIET, now);
            self.under_way.insert((now + took, self.turn), Outcome::Ranges(seen));
            return;
        }
        let outside = self.network.others.iter().map(|ip| (*ip, 443).into()).collect();
        let mut pulse = Pulse::new(self.watch.beats(self.turn), outside, MINUTE.mul_f64(0.8), 200.0);
        let took = sim::run_machine(&mut pulse, &self.at(now));
        self.under_way.insert((now + took, self.turn), Outcome::Pulse(pulse.into_seen()));
    }

    fn at(&self, clock: Duration) -> Network {
        Network { clock, ..self.network.clone() }
    }

    fn scan(&self, only: Option<&BTreeSet<Prefix>>, pace: Pace, now: Duration) -> (Duration, RangesSeen) {
        let settings = Settings { depth: Depth::Tcp, pace, seed: self.turn as u64, ..Settings::default() };
        let mut plan = ProbePlan::new(&settings, &self.feed, &KnownAddresses::default());
        plan.uplink_controls = self.network.others.iter().map(|ip| (*ip, 443).into()).collect();
        plan.ranges.retain(|planned| only.is_none_or(|only| only.contains(&planned.range.prefix)));
        let evidence = sim::run(Scan::new(plan.clone()), &self.at(now));
        (evidence.took, RangesSeen { plan, evidence, baseline: None, limits: Vec::new() })
    }

    fn take(&mut self, outcome: Outcome, now: Duration) {
        let moment = Moment { now, quiet: false };
        let changes = match outcome {
            Outcome::Ranges(seen) => {
                self.schedule.done(Check::Ranges);
                self.watch.take_ranges(seen, moment)
            }
            Outcome::Fresh(asked, seen) => self.watch.take_fresh_ranges(&asked, seen, moment),
            Outcome::Pulse(seen) => {
                self.schedule.done(Check::Pulse);
                self.watch.take_pulse(&seen);
                Vec::new()
            }
        };
        self.changes.extend(changes.into_iter().map(|change| (now, change)));
        self.pauses.insert(self.watch.paused());
        let confirming = self.under_way.values().any(|outcome| matches!(outcome, Outcome::Fresh(..)));
        if !confirming && let Some((doubtful, beside)) = self.watch.take_doubtful_ranges() {
            let both = doubtful.union(&beside).copied().collect();
            self.turn += 1;
            let (took, seen) = self.scan(Some(&both), Pace::NORMAL, now);
            self.under_way.insert((now + took, self.turn), Outcome::Fresh(doubtful, seen));
        }
    }

    fn announced(&self) -> Vec<(Duration, String, Verdict)> {
        let announced = self.changes.iter().filter(|(_, changed)| changed.change.held_back.is_none());
        let told = |(at, changed): &(Duration, Changed)| {
            let Subject::Range(prefix) = &changed.subject else { panic!("ranges alone are checked") };
            (*at, prefix.to_string(), changed.change.after.verdict)
        };
        announced.map(told).collect()
    }
}

fn healthy(seed: u64) -> Network {
    let others = ["1.1.1.1", "8.8.8.8", "9.9.9.9"].map(|text| text.parse().unwrap());
    let owned: PrefixSet = FeedSnapshot::documented().addresses();
    Network { lit: Lit::Share(0.95), ..Network::open(owned, others.to_vec(), seed) }
}

fn blocking(seed: u64, from: Duration, until: Option<Duration>) -> Network {
    let rules = vec![([BLOCKED.parse::<Prefix>().unwrap()].into_iter().collect(), RuleAction::Drop)];
    Network { rules, rules_from: from, rules_until: until, ..healthy(seed) }
}

/// Nothing is blocked in any of them.
fn odd() -> Vec<(&'static str, Network)> {
    let wan = |delay_ms, jitter_ms, loss, spread_ms| Wan { delay_ms, jitter_ms, loss, spread_ms };
    let dsl = wan(20.0, 5.0, 0.01, 0.0);
    vec![
        ("plain", healthy(1)),
        ("far away", Network { wan: wan(150.0, 30.0, 0.005, 0.0), ..healthy(2) }),
        ("near and far", Network { wan: wan(5.0, 2.0, 0.0, 260.0), ..healthy(3) }),
        ("loses two of a hundred", Network { wan: wan(20.0, 5.0, 0.02, 0.0), ..healthy(4) }),
        ("loses five of a hundred", Network { wan: wan(20.0, 5.0, 0.05, 0.0), ..healthy(5) }),
        ("half of the addresses answer", Network { lit: Lit::Share(0.5), wan: dsl, ..healthy(6) }),
        ("dark blocks", Network { lit: Lit::Clusters(0.7, 0.9), wan: dsl, ..healthy(7) }),
        ("uneven", Network { lit: Lit::Uneven(0.3, 1.0), wan: dsl, ..healthy(8) }),
        ("waves of loss", Network { outages: Some((0.05, 0.8)), wan: dsl, ..healthy(9) }),
        ("few new connections", Network { limiter: Some(15.0), wan: dsl, ..healthy(10) }),
    ]
}

#[test]
fn an_hour_on_ten_healthy_odd_networks_announces_nothing() {
    std::thread::scope(|scope| {
        for (name, network) in odd() {
            scope.spawn(move || {
                let mut site = Site::new(network);
                site.until(HOUR);
                assert_eq!(site.announced(), [], "{name}");
                assert!(site.watch.is_ready(false), "{name}");
            });
        }
    });
}

#[test]
fn a_block_is_announced_within_one_interval_and_ten_seconds_and_its_end_too() {
    std::thread::scope(|scope| {
        for seed in 0..20 {
            scope.spawn(move || {
                let (from, until) = (MINUTE * 40 + Duration::from_secs(7 * seed), MINUTE * 50);
                let mut site = Site::new(blocking(seed, from, Some(until)));
                site.until(HOUR);
                let announced = site.announced();
                let [(blocked, range, Verdict::Blocked), (open, same, Verdict::Open)] = &announced[..] else {
                    panic!("{seed}: {announced:?}")
                };
                assert_eq!((range.as_str(), same.as_str()), (BLOCKED, BLOCKED));
                for (at, since) in [(blocked, from), (open, until)] {
                    let took = at.saturating_sub(since);
                    assert!(took < MINUTE + Duration::from_secs(10), "{seed}: {took:?}");
                }
            });
        }
    });
}

#[test]
fn what_is_blocked_from_the_beginning_is_confirmed_and_announced_once() {
    let mut site = Site::new(blocking(1, Duration::ZERO, None));
    site.until(HOUR);
    let announced = site.announced();
    assert!(matches!(&announced[..], [(_, range, Verdict::Blocked)] if range == BLOCKED), "{announced:?}");
}

#[test]
fn an_uplink_that_is_down_pauses_judgement() {
    let mut site = Site::new(healthy(1));
    site.until(MINUTE * 20);
    site.network.uplink_down = true;
    site.pauses.clear();
    let mut down = Site { changes: Vec::new(), ..site };
    down.until(HOUR);
    assert_eq!(down.announced(), []);
    assert!(down.pauses.contains(&Some(Pause::UplinkDown)));
    assert_eq!(down.watch.paused(), Some(Pause::UplinkDown));
    down.network.uplink_down = false;
    down.until(HOUR + MINUTE * 10);
    assert_eq!((down.announced(), down.watch.paused()), (Vec::new(), None));
}
