//! When what is done: time is an argument, counted from the start of the daemon on a clock that never jumps.

use std::collections::BTreeMap;
use std::time::Duration;

use super::Check;

/// The work that is done again and again, and when each kind is due.
#[derive(Clone, Debug, PartialEq)]
pub struct Schedule {
    tasks: BTreeMap<Check, Task>,
    chance: u64,
}

#[derive(Clone, Debug, PartialEq)]
struct Task {
    every: Duration,
    due: Duration,
    running: bool,
    late: u64,
}

/// Each interval is cut short by 5 to 15 %: sites that were started together drift apart, and none waits longer than the
/// interval.
const SHORTEST: f64 = 0.85;
const JITTER: f64 = 0.1;
/// What begins so much after it was due is late.
const LATE: Duration = Duration::from_secs(1);

impl Schedule {
    /// Everything is due at once, what comes first in the order of the checks first; `seed` tells one site from another.
    #[must_use]
    pub fn new(every: &BTreeMap<Check, Duration>, seed: u64) -> Self {
        let task = |every: Duration| Task { every, due: Duration::ZERO, running: false, late: 0 };
        Self { tasks: every.iter().map(|(check, every)| (*check, task(*every))).collect(), chance: seed }
    }

    /// What is due first, and when; what runs is not due until it is done.
    #[must_use]
    pub fn next(&self) -> Option<(Check, Duration)> {
        let waiting = self.tasks.iter().filter(|(_, task)| !task.running);
        waiting.map(|(check, task)| (*check, task.due)).min_by_key(|(_, due)| *due)
    }

    /// When each kind is due that does not run.
    pub fn due(&self) -> impl Iterator<Item = (Check, Duration)> {
        self.tasks.iter().filter(|(_, task)| !task.running).map(|(check, task)| (*check, task.due))
    }

    /// How many checks of a kind began late.
    #[must_use]
    pub fn late(&self, check: Check) -> u64 {
        self.tasks.get(&check).map_or(0, |task| task.late)
    }

    /// Whether a check of the kind is under way.
    #[must_use]
    pub fn runs(&self, check: Check) -> bool {
        self.tasks.get(&check).is_some_and(|task| task.running)
    }

    /// A check begins. The next is due an interval after this one was; what was missed altogether is not caught up with.
    pub fn begin(&mut self, check: Check, now: Duration) {
        let share = self.draw();
        let Some(task) = self.tasks.get_mut(&check) else { return };
        task.late += u64::from(now > task.due + LATE);
        task.running = true;
        let missed = now > task.due + task.every;
        task.due = if missed { now } else { task.due } + task.every.mul_f64(SHORTEST + JITTER * share);
    }

    /// It is over.
    pub fn done(&mut self, check: Check) {
        if let Some(task) = self.tasks.get_mut(&check) {
            task.running = false;
        }
    }

    /// A check is not due before this time.
    pub fn delay(&mut self, check: Check, until: Duration) {
        if let Some(task) = self.tasks.get_mut(&check) {
            task.due = task.due.max(until);
        }
    }

    /// A check is due at this time, if it would be due later.
    pub fn hasten(&mut self, check: Check, at: Duration) {
        if let Some(task) = self.tasks.get_mut(&check) {
            task.due = task.due.min(at);
        }
    }

    /// Other intervals are in force; what is new is due at once.
    pub fn set(&mut self, every: &BTreeMap<Check, Duration>, now: Duration) {
        self.tasks.retain(|check, task| task.running || every.contains_key(check));
        for (check, &every) in every {
            let new = Task { every, due: now, running: false, late: 0 };
            let task = self.tasks.entry(*check).or_insert(new);
            task.due = task.due.min(now + every);
            task.every = every;
        }
    }

    /// From 0 to 1, `SplitMix64`.
    fn draw(&mut self) -> f64 {
        self.chance = self.chance.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let z = (self.chance ^ (self.chance >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        ((z ^ (z >> 31)) >> 11) as f64 / (1_u64 << 53) as f64
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const MINUTE: Duration = Duration::from_mins(1);

    fn schedule() -> Schedule {
        Schedule::new(&BTreeMap::from([(Check::Ranges, MINUTE * 30), (Check::Endpoints, MINUTE)]), 1)
    }

    /// Runs for a time; each check takes as long as `takes` says. When each of a kind began.
    fn begun(schedule: &mut Schedule, until: Duration, takes: fn(Check) -> Duration) -> Vec<(Check, Duration)> {
        let (mut begun, mut ends): (Vec<_>, BTreeSet<(Duration, Check)>) = (Vec::new(), BTreeSet::new());
        let mut now = Duration::ZERO;
        while now < until {
            let due = schedule.next();
            let end = ends.first().copied();
            match (due, end) {
                (Some((check, due)), end) if end.is_none_or(|(end, _)| due.max(now) < end) => {
                    now = now.max(due);
                    schedule.begin(check, now);
                    begun.push((check, now));
                    ends.insert((now + takes(check), check));
                }
                (_, Some((end, check))) => {
                    now = end;
                    ends.pop_first();
                    schedule.done(check);
                }
                _ => break,
            }
        }
        begun
    }

    fn gaps(begun: &[(Check, Duration)], of: Check) -> Vec<Duration> {
        let times: Vec<Duration> = begun.iter().filter(|(check, _)| *check == of).map(|(_, at)| *at).collect();
        times.windows(2).map(|pair| pair[1].saturating_sub(pair[0])).collect()
    }

    #[test]
    fn no_interval_is_exceeded_and_no_two_are_the_same() {
        let mut schedule = schedule();
        let begun = begun(&mut schedule, MINUTE * 600, |_| Duration::from_millis(700));
        for (check, every) in [(Check::Ranges, MINUTE * 30), (Check::Endpoints, MINUTE)] {
            let gaps = gaps(&begun, check);
            assert!(gaps.len() > 18, "{check:?}");
            assert!(gaps.iter().all(|gap| *gap <= every.mul_f64(0.95) && *gap >= every.mul_f64(0.84)), "{gaps:?}");
            assert!(gaps.windows(2).all(|pair| pair[0] != pair[1]));
            assert_eq!(schedule.late(check), 0);
        }
    }

    #[test]
    fn one_check_of_a_kind_at_a_time_and_the_late_ones_are_counted() {
        let mut schedule = schedule();
        let begun = begun(&mut schedule, MINUTE * 100, |check| match check {
            Check::Endpoints => MINUTE * 3,
            _ => Duration::from_secs(5),
        });
        let gaps = gaps(&begun, Check::Endpoints);
        assert!(gaps.iter().all(|gap| *gap >= MINUTE * 3), "{gaps:?}");
        assert_eq!(schedule.late(Check::Endpoints), gaps.len() as u64);
        assert_eq!(schedule.late(Check::Ranges), 0);
    }

    #[test]
    fn what_was_missed_is_not_caught_up_with() {
        let mut schedule = schedule();
        schedule.begin(Check::Endpoints, MINUTE * 600);
        schedule.done(Check::Endpoints);
        schedule.begin(Check::Ranges, MINUTE * 600);
        assert!(schedule.next().unwrap().1 > MINUTE * 600);
    }

    #[test]
    fn a_week_has_ten_thousand_minutes_and_nothing_grows() {
        let mut schedule = schedule();
        let begun = begun(&mut schedule, MINUTE * 60 * 24 * 7, |_| Duration::from_secs(2));
        let endpoints = begun.iter().filter(|(check, _)| *check == Check::Endpoints).count();
        assert!((10_600..12_000).contains(&endpoints), "{endpoints}");
        assert_eq!(schedule.tasks.len(), 2);
    }

    #[test]
    fn another_interval_holds_from_the_next_check_on() {
        let mut schedule = schedule();
        let now = MINUTE * 5;
        for check in [Check::Ranges, Check::Endpoints] {
            schedule.begin(check, now);
            schedule.done(check);
        }
        schedule.set(&BTreeMap::from([(Check::Endpoints, Duration::from_secs(10)), (Check::Feed, MINUTE)]), now);
        assert_eq!(schedule.next(), Some((Check::Feed, now)));
        let endpoints = schedule.due().find(|(check, _)| *check == Check::Endpoints).unwrap();
        assert!(endpoints.1 <= now + Duration::from_secs(10));
        assert!(schedule.due().all(|(check, _)| check != Check::Ranges));
    }
}
