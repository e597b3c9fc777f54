//! Who answers on the way: connection attempts with a growing time to live, from one source port each.

use std::collections::{BTreeMap, BTreeSet};
use std::net::{IpAddr, SocketAddr};
use std::time::Duration;

use crate::observe::{Answer, Failure, Observation, Outcome, Purpose};

/// No path on the Internet is longer.
const MOST_HOPS: u8 = 30;
/// Tries at each time to live, and where a control drew an answer: routers limit how many ICMP messages they send.
const TRIES: u8 = 2;
const TRIES_WHERE_ANSWERED: u8 = 3;
/// Silent hops in a row after which a path ends, where no control shows how long it should be.
const MOST_QUIET: u8 = 4;
/// Walks at a time: each draws one ICMP message per hop, and Linux routers send six in a burst.
const AT_ONCE: usize = 16;

/// One attempt that the tracer wants made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) walk: usize,
    pub(crate) target: SocketAddr,
    pub(crate) ttl: u8,
    pub(crate) source_port: u16,
    /// How long an answer is waited for.
    pub(crate) patience: Duration,
}

/// Whom to trace.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Suspect {
    pub(crate) target: SocketAddr,
    /// It is known to be silent: nothing is to be had by going as far as a server.
    pub(crate) silent: bool,
}

/// Walks toward several targets, those of controls first: they show how long a path is.
#[derive(Clone, Debug)]
pub(crate) struct Tracer {
    walks: Vec<Walk>,
    controls: usize,
    /// Distances at which a hop answered on the way to a control, and how long that took at the most.
    answering: BTreeMap<u8, Duration>,
    /// How long a hop is given of which nothing is known.
    patience: Duration,
    seed: u64,
}

#[derive(Clone, Debug)]
struct Walk {
    target: SocketAddr,
    source_port: u16,
    silent: bool,
    ttl: u8,
    tries: u8,
    quiet: u8,
    stage: Stage,
    /// The time to live at which the target itself answered.
    reached: Option<u8>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// A step is to be made.
    Ready,
    /// One is under way.
    UnderWay,
    /// It has come to its end.
    Over,
    /// Its target answered after all.
    Dropped,
}

impl Tracer {
    /// Walks toward controls.
    pub(crate) fn new(controls: &[SocketAddr], patience: Duration, seed: u64) -> Self {
        let mut tracer =
            Self { walks: Vec::new(), controls: controls.len(), answering: BTreeMap::new(), patience, seed };
        let open: Vec<Suspect> = controls.iter().map(|&target| Suspect { target, silent: false }).collect();
        tracer.extend(&open);
        tracer
    }

    /// Walks toward those of the suspects toward whom there is none.
    pub(crate) fn extend(&mut self, suspects: &[Suspect]) {
        for &Suspect { target, silent } in suspects {
            if self.walks.iter().any(|walk| walk.target == target) {
                continue;
            }
            let turn = self.walks.len() as u64;
            // A fixed source port keeps every packet of a walk on one of several equal paths.
            let port = 20_000 + (self.seed % 8_000 + turn * 7) % 12_000;
            let source_port = u16::try_from(port).expect("under 32,000");
            self.walks.push(Walk {
                target,
                silent,
                source_port,
                ttl: 1,
                tries: 0,
                quiet: 0,
                stage: Stage::Ready,
                reached: None,
            });
        }
    }

    /// The targets of walks that go on or came to an end, controls left out.
    pub(crate) fn suspects(&self) -> BTreeSet<SocketAddr> {
        self.walks[self.controls..].iter().filter(|walk| walk.stage != Stage::Dropped).map(|walk| walk.target).collect()
    }

    /// Ends the walk toward a suspect that answered after all.
    pub(crate) fn drop_suspect(&mut self, target: SocketAddr) {
        for walk in self.walks[self.controls..].iter_mut().filter(|walk| walk.target == target) {
            walk.stage = Stage::Dropped;
        }
    }

    /// The next attempt to make; none while all are under way or done.
    pub(crate) fn next(&mut self) -> Option<Step> {
        let at = self.next_walk()?;
        let patience = self.patience_at(self.walks[at].ttl);
        let walk = &mut self.walks[at];
        walk.stage = Stage::UnderWay;
        walk.tries += 1;
        Some(Step { walk: at, target: walk.target, ttl: walk.ttl, source_port: walk.source_port, patience })
    }

    /// Whether there is an attempt to make now.
    pub(crate) fn ready(&self) -> bool {
        self.next_walk().is_some()
    }

    pub(crate) fn over(&self) -> bool {
        self.walks.iter().all(Walk::is_over)
    }

    /// Notes what came of the attempt that is under way.
    pub(crate) fn done(&mut self, at: usize, outcome: &Outcome, took: Duration) {
        let longest = self.longest_control();
        let is_control = at < self.controls;
        let walk = &mut self.walks[at];
        let tries = if self.answering.contains_key(&walk.ttl) { TRIES_WHERE_ANSWERED } else { TRIES };
        if walk.stage == Stage::Dropped {
            return;
        }
        walk.stage = Stage::Ready;
        match outcome {
            Err(Failure::TimeExceeded(_)) => {
                if is_control {
                    let slowest = self.answering.entry(walk.ttl).or_default();
                    *slowest = took.max(*slowest);
                }
                walk.advance(false);
            }
            Err(Failure::NoAnswer | Failure::ControlsSilent) if walk.tries < tries => {}
            Err(Failure::NoAnswer | Failure::ControlsSilent) => walk.advance(true),
            Ok(_) | Err(_) => {
                walk.reached = Some(walk.ttl);
                walk.stage = Stage::Over;
            }
        }
        walk.end_if_pointless(longest.filter(|_| !is_control));
    }

    fn next_walk(&self) -> Option<usize> {
        let controls_over = self.walks[..self.controls].iter().all(Walk::is_over);
        let open = if controls_over { self.walks.len() } else { self.controls };
        let under_way = self.walks.iter().filter(|walk| walk.stage == Stage::UnderWay).count();
        let free = |walk: &Walk| walk.stage == Stage::Ready;
        (under_way < AT_ONCE).then(|| self.walks[..open].iter().position(free)).flatten()
    }

    /// A hop that answered on the way to a control is as far away as it was then.
    fn patience_at(&self, ttl: u8) -> Duration {
        let known = |took: &Duration| (*took * 4).clamp(Duration::from_millis(100), self.patience);
        self.answering.get(&ttl).map_or(self.patience, known)
    }

    fn longest_control(&self) -> Option<u8> {
        self.walks[..self.controls].iter().filter_map(|walk| walk.reached).max()
    }
}

impl Walk {
    fn is_over(&self) -> bool {
        matches!(self.stage, Stage::Over | Stage::Dropped)
    }

    fn advance(&mut self, silent: bool) {
        self.ttl += 1;
        self.tries = 0;
        self.quiet = if silent { self.quiet + 1 } else { 0 };
    }

    fn end_if_pointless(&mut self, longest: Option<u8>) {
        let far_enough = |longest| if self.silent { self.ttl >= longest } else { self.ttl > longest };
        let beyond = self.quiet > 0 && longest.is_some_and(far_enough);
        if self.ttl > MOST_HOPS || self.quiet >= MOST_QUIET || beyond {
            self.stage = Stage::Over;
        }
    }
}

/// The path toward one target, as far as hops answered.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path {
    /// The hops that answered, by their distance.
    pub hops: BTreeMap<u8, IpAddr>,
    /// What ended the path and at which time to live: an answer, a reset or an ICMP rejection.
    pub end: Option<(u8, PathEnd)>,
    /// The largest time to live that was tried.
    pub tried: u8,
}

/// What came from the end of a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum PathEnd {
    /// The connection was accepted.
    Answer,
    /// A TCP reset.
    Reset,
    /// An ICMP rejection.
    Icmp(crate::observe::Icmp),
}

impl Path {
    /// The last hop that answered, with its distance.
    #[must_use]
    pub fn last(&self) -> Option<(u8, IpAddr)> {
        self.hops.last_key_value().map(|(&distance, &address)| (distance, address))
    }

    /// The distance at which a hop answered from this address.
    #[must_use]
    pub fn distance_of(&self, address: IpAddr) -> Option<u8> {
        self.hops.iter().find(|&(_, &hop)| hop == address).map(|(&distance, _)| distance)
    }

    /// The time to live that reached an accepting end.
    #[must_use]
    pub fn reached(&self) -> Option<u8> {
        self.end.filter(|(_, end)| *end == PathEnd::Answer).map(|(ttl, _)| ttl)
    }
}

/// The paths that a list of observations shows, by target.
#[must_use]
pub fn paths(observations: &[Observation]) -> BTreeMap<SocketAddr, Path> {
    let mut paths: BTreeMap<SocketAddr, Path> = BTreeMap::new();
    for observation in observations.iter().filter(|observation| observation.purpose == Purpose::Path) {
        let Some(ttl) = observation.ttl else { continue };
        let path = paths.entry(observation.target).or_default();
        path.tried = path.tried.max(ttl);
        match &observation.outcome {
            Err(Failure::TimeExceeded(icmp)) => _ = path.hops.insert(ttl, icmp.from),
            Ok(Answer::Connected | Answer::Authenticated) => path.end = Some((ttl, PathEnd::Answer)),
            Err(Failure::Reset) => path.end = Some((ttl, PathEnd::Reset)),
            Err(Failure::Unreachable(icmp) | Failure::RejectedHere(icmp)) => {
                path.end = Some((ttl, PathEnd::Icmp(*icmp)));
            }
            Err(_) => {}
        }
    }
    paths
}

/// How long a hop is given: twice the slowest round trip seen, within bounds.
pub(crate) fn patience(slowest: Option<Duration>) -> Duration {
    let quick = Duration::from_millis(250);
    slowest.map_or(quick * 2, |slowest| (slowest * 2).clamp(quick, Duration::from_secs(1)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::observe::Icmp;

    /// A path of `length` routers and a server; packets vanish behind router `drop_behind`.
    fn walk_all(tracer: &mut Tracer, length: u8, drops: &dyn Fn(SocketAddr, u8) -> bool) -> Vec<(SocketAddr, u8)> {
        let mut sent = Vec::new();
        while let Some(step) = tracer.next() {
            sent.push((step.target, step.ttl));
            let hop = Icmp { kind: 11, code: 0, from: [10, 0, 0, step.ttl].into() };
            let outcome = match step.ttl {
                ttl if drops(step.target, ttl) => Err(Failure::NoAnswer),
                ttl if ttl <= length => Err(Failure::TimeExceeded(hop)),
                _ => Ok(Answer::Connected),
            };
            tracer.done(step.walk, &outcome, Duration::ZERO);
        }
        assert!(tracer.over());
        sent
    }

    fn tracer(controls: &[SocketAddr], suspects: &[Suspect]) -> Tracer {
        let mut tracer = Tracer::new(controls, Duration::from_millis(250), 5);
        tracer.extend(suspects);
        tracer
    }

    fn suspect(host: u8, silent: bool) -> Suspect {
        Suspect { target: address(host), silent }
    }

    fn address(host: u8) -> SocketAddr {
        SocketAddr::from(([13, 32, 0, host], 443))
    }

    #[test]
    fn a_dropped_path_ends_at_the_length_of_the_controls() {
        let mut tracer = tracer(&[address(1)], &[suspect(2, true)]);
        let sent = walk_all(&mut tracer, 3, &|target, ttl| target == address(2) && ttl > 1);
        let ttls: Vec<u8> = sent.iter().filter(|(target, _)| *target == address(2)).map(|(_, ttl)| *ttl).collect();
        assert_eq!(ttls, [1, 2, 2, 2, 3, 3, 3], "the server's own distance is left out: it is known to be silent");
    }

    #[test]
    fn without_a_control_four_silent_hops_end_it() {
        let mut tracer = tracer(&[], &[suspect(2, true)]);
        let sent = walk_all(&mut tracer, 3, &|_, ttl| ttl > 1);
        assert_eq!(sent.last(), Some(&(address(2), 5)));
        assert_eq!(sent.len(), 1 + 4 * 2);
    }

    #[test]
    fn controls_go_first_and_source_ports_differ_by_walk() {
        let mut tracer = tracer(&[address(1)], &[suspect(2, false), suspect(3, false)]);
        let first = tracer.next().unwrap();
        assert_eq!((first.target, tracer.next()), (address(1), None));
        tracer.done(0, &Ok(Answer::Connected), Duration::ZERO);
        let (second, third) = (tracer.next().unwrap(), tracer.next().unwrap());
        assert_ne!(second.source_port, third.source_port);
    }

    #[test]
    fn a_suspect_that_answers_is_traced_no_further_and_one_that_is_traced_not_again() {
        let mut tracer = tracer(&[], &[suspect(2, true), suspect(3, true)]);
        tracer.drop_suspect(address(2));
        tracer.extend(&[suspect(3, true)]);
        assert_eq!(tracer.suspects(), [address(3)].into());
        let sent = walk_all(&mut tracer, 3, &|_, ttl| ttl > 1);
        assert!(sent.iter().all(|(target, _)| *target == address(3)));
        assert_eq!(sent.len(), 1 + 4 * 2);
    }
}
