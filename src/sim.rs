//! A customer's network in virtual time: the scan engine runs through it without a packet and without waiting.
//!
//! The network is that of the lab: client, firewall (hop 1), a router of the provider (hop 2), and an edge that owns
//! every range (hop 3). What the lab does with the kernel, this does with a few lines, and many thousand times faster.

mod invariants;
mod score;
mod trial;

pub use invariants::Invariants;
pub use score::Score;
pub use trial::{Conditions, Shape, Trial, packed, with_newer_ranges};

use std::cmp::Reverse;
use std::collections::{BTreeSet, BinaryHeap};
use std::net::IpAddr;
use std::time::Duration;

use crate::observe::{Answer, Failure, Icmp, Outcome};
use crate::prefix::{Prefix, PrefixSet};
use crate::scan::{Action, Attempt, Event, Evidence, Machine, Scan};
use crate::scenario::{RuleAction, Wan};

/// Addresses of the hops, as in the lab.
pub const FIREWALL: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 9, 1, 1));
/// The provider's router.
pub const ISP: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(10, 9, 2, 2));
/// Distance of the edge.
const EDGE: u8 = 3;

/// Which addresses of the edge answer.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Lit {
    /// Each address by itself with this probability.
    Share(f64),
    /// Each /24 is lit with the first probability; in a lit one each address with the second.
    Clusters(f64, f64),
    /// Each /20 has a share of its own between these.
    Uneven(f64, f64),
}

/// A network.
#[derive(Clone, Debug)]
pub struct Network {
    /// What the edge owns.
    pub owned: PrefixSet,
    /// What else answers: the controls outside.
    pub others: Vec<IpAddr>,
    /// The firewall's rules, the first match decides.
    pub rules: Vec<(PrefixSet, RuleAction)>,
    /// The line behind the firewall.
    pub wan: Wan,
    /// The link behind the firewall is cut.
    pub uplink_down: bool,
    /// Which addresses answer.
    pub lit: Lit,
    /// Addresses that answered when a baseline was taken, and do not any more.
    pub gone: BTreeSet<IpAddr>,
    /// New connections a second that some limiter lets pass; further ones are dropped.
    pub limiter: Option<f64>,
    /// Waves of loss: this share of the half seconds loses this share of packets.
    pub outages: Option<(f64, f64)>,
    /// The rules are in force from this moment on.
    pub rules_from: Duration,
    /// And until this one; none: to the end.
    pub rules_until: Option<Duration>,
    /// What the network's clock shows when a run begins.
    pub clock: Duration,
    /// Makes everything that is drawn by chance repeatable.
    pub seed: u64,
}

impl Network {
    /// A network in which everything answers.
    #[must_use]
    pub fn open(owned: PrefixSet, others: Vec<IpAddr>, seed: u64) -> Self {
        Self {
            owned,
            others,
            rules: Vec::new(),
            wan: Wan { delay_ms: 5.0, jitter_ms: 1.0, loss: 0.0, spread_ms: 0.0 },
            uplink_down: false,
            lit: Lit::Share(1.0),
            gone: BTreeSet::new(),
            limiter: None,
            outages: None,
            rules_from: Duration::ZERO,
            rules_until: None,
            clock: Duration::ZERO,
            seed,
        }
    }

    /// Whether a server listens at the address.
    #[must_use]
    pub fn answers(&self, address: IpAddr) -> bool {
        if self.others.contains(&address) {
            return true;
        }
        if !self.owned.holds(address) || self.gone.contains(&address) {
            return false;
        }
        match self.lit {
            Lit::Share(share) => self.share_of(address, 1) < share,
            Lit::Clusters(lit, share) => {
                let block = Prefix::containing(address, if address.is_ipv4() { 24 } else { 120 });
                self.share_of(block.first(), 2) < lit && self.share_of(address, 3) < share
            }
            Lit::Uneven(low, high) => {
                let part = Prefix::containing(address, if address.is_ipv4() { 20 } else { 116 });
                self.share_of(address, 5) < low + (high - low) * self.share_of(part.first(), 4)
            }
        }
    }

    fn rule(&self, address: IpAddr, now: Duration) -> RuleAction {
        let matching = self.rules.iter().find(|(prefixes, _)| prefixes.holds(address));
        let now = now.saturating_add(self.clock);
        let in_force = now >= self.rules_from && self.rules_until.is_none_or(|until| now < until);
        matching.filter(|_| in_force).map_or(RuleAction::Accept, |(_, action)| *action)
    }

    /// A share from 0 to 1 that is fixed for each address.
    fn share_of(&self, address: IpAddr, salt: u64) -> f64 {
        let bits = match address {
            IpAddr::V4(v4) => u64::from(v4.to_bits()),
            IpAddr::V6(v6) => v6
                .octets()
                .chunks_exact(8)
                .fold(0, |bits, half| mixed(bits) ^ u64::from_be_bytes(half.try_into().expect("eight bytes"))),
        };
        share(mixed(bits ^ mixed(self.seed ^ salt)))
    }
}

/// Sees every call into the engine and every answer from it.
pub trait Witness {
    /// The engine wants this done.
    fn action(&mut self, _action: &Action, _now: Duration) {}
    /// This is reported to the engine.
    fn outcome(&mut self, _event: &Event, _now: Duration) {}
    /// The engine has nothing to do until `next`; none: it is done.
    fn idle(&mut self, _next: Option<(Duration, &'static str)>, _now: Duration) {}
}

impl Witness for () {}

/// Runs a scan through a network to its end.
#[must_use]
pub fn run(scan: Scan, network: &Network) -> Evidence {
    run_before(scan, network, &mut ())
}

/// Runs a scan through a network to its end, before a witness.
pub fn run_before(mut scan: Scan, network: &Network, witness: &mut impl Witness) -> Evidence {
    let took = Simulation::new(network).run(&mut scan, witness);
    scan.into_evidence(took)
}

/// Runs any engine through a network to its end; how long that took.
pub fn run_machine(machine: &mut impl Machine, network: &Network) -> Duration {
    Simulation::new(network).run(machine, &mut ())
}

struct Simulation<'a> {
    network: &'a Network,
    events: BinaryHeap<Reverse<(Duration, u32, Reply)>>,
    chance: u64,
    tokens: f64,
    filled: Duration,
}

/// An outcome that can be ordered.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Reply {
    Connected,
    Authenticated,
    Broken,
    Reset,
    Icmp(Icmp),
    Expired(Icmp),
}

impl<'a> Simulation<'a> {
    fn new(network: &'a Network) -> Self {
        let events = BinaryHeap::new();
        Self { network, events, chance: network.seed ^ micros(network.clock), tokens: 5.0, filled: Duration::ZERO }
    }

    fn run(mut self, scan: &mut impl Machine, witness: &mut impl Witness) -> Duration {
        let mut now = Duration::ZERO;
        loop {
            while let Some(action) = scan.poll_action(now) {
                witness.action(&action, now);
                self.perform(action, now);
            }
            let timer = scan.poll_timeout();
            witness.idle(timer, now);
            let Some((timer, _)) = timer else { break };
            if let Some((at, event)) = self.next_event(timer) {
                now = now.max(at);
                witness.outcome(&event, now);
                scan.handle(event, now);
            } else {
                now = now.max(timer);
            }
        }
        now
    }

    fn perform(&mut self, action: Action, now: Duration) {
        match action {
            Action::Connect(attempt) => self.connect(attempt, false, now),
            Action::Handshake(attempt) => self.connect(attempt, true, now),
            // The engine ignores what comes for a probe that is over.
            Action::Abandon(_) => {}
        }
    }

    fn next_event(&mut self, before: Duration) -> Option<(Duration, Event)> {
        if self.events.peek()?.0.0 > before {
            return None;
        }
        let Reverse((at, id, reply)) = self.events.pop()?;
        Some((at, Event { id, outcome: reply.outcome() }))
    }

    /// Sends the SYN, and again after a second as the kernel does.
    fn connect(&mut self, attempt: Attempt, tls: bool, now: Duration) {
        for wait in [Duration::ZERO, Duration::from_secs(1)] {
            let Some((delay, reply)) = self.reply(attempt, now + wait) else { continue };
            let reply = if tls { self.handshake(attempt, reply) } else { reply };
            // A handshake takes one more round trip and some work.
            let delay = if tls { delay * 2 + Duration::from_millis(1) } else { delay };
            self.events.push(Reverse((now + wait + delay, attempt.id, reply)));
            return;
        }
    }

    fn handshake(&self, attempt: Attempt, reply: Reply) -> Reply {
        let by_proxy = self.network.rule(attempt.target.ip(), Duration::MAX) == RuleAction::Answer;
        match reply {
            Reply::Connected if by_proxy => Reply::Broken,
            Reply::Connected => Reply::Authenticated,
            other => other,
        }
    }

    fn reply(&mut self, attempt: Attempt, now: Duration) -> Option<(Duration, Reply)> {
        const NEAR: Duration = Duration::from_micros(200);
        let (address, ttl) = (attempt.target.ip(), attempt.ttl.unwrap_or(64));
        let rule = self.network.rule(address, now);
        if rule == RuleAction::Answer {
            return Some((NEAR, Reply::Connected));
        }
        if ttl == 1 {
            return Some((NEAR, Reply::Expired(Icmp { kind: 11, code: 0, from: FIREWALL })));
        }
        if rule != RuleAction::Accept {
            return rejection(rule).map(|reply| (NEAR, reply));
        }
        if self.network.uplink_down || !self.limiter_passes(now) {
            return None;
        }
        if ttl == 2 {
            return Some((NEAR * 2, Reply::Expired(Icmp { kind: 11, code: 0, from: ISP })));
        }
        let answers = ttl >= EDGE && self.network.answers(address) && !self.lost(now) && !self.lost(now);
        answers.then(|| (self.round_trip(address), Reply::Connected))
    }

    fn round_trip(&mut self, address: IpAddr) -> Duration {
        let Wan { delay_ms, jitter_ms, .. } = self.network.wan;
        let jitter = (self.draw() + self.draw()) * jitter_ms / 1e3;
        let back = Duration::from_secs_f64(delay_ms / 1e3 + jitter);
        self.network.wan.delay_to(address) + back
    }

    fn lost(&mut self, now: Duration) -> bool {
        let outage = self.network.outages.filter(|(windows, _)| {
            let window = u64::try_from((now + self.network.clock).as_millis() / 500).unwrap_or(u64::MAX);
            share(mixed(window ^ mixed(self.network.seed ^ 0x77))) < *windows
        });
        let loss = outage.map_or(self.network.wan.loss, |(_, loss)| loss);
        self.draw() < loss
    }

    /// A token bucket that holds five.
    fn limiter_passes(&mut self, now: Duration) -> bool {
        let Some(rate) = self.network.limiter else { return true };
        let since = now.saturating_sub(self.filled).as_secs_f64();
        self.filled = self.filled.max(now);
        self.tokens = (self.tokens + since * rate).min(5.0);
        let passes = self.tokens >= 1.0;
        if passes {
            self.tokens -= 1.0;
        }
        passes
    }

    fn draw(&mut self) -> f64 {
        self.chance = self.chance.wrapping_add(0x9E37_79B9_7F4A_7C15);
        share(mixed(self.chance))
    }
}

impl Reply {
    fn outcome(self) -> Outcome {
        match self {
            Self::Connected => Ok(Answer::Connected),
            Self::Authenticated => Ok(Answer::Authenticated),
            Self::Broken => Err(Failure::TlsBroken),
            Self::Reset => Err(Failure::Reset),
            Self::Icmp(icmp) => Err(Failure::Unreachable(icmp)),
            Self::Expired(icmp) => Err(Failure::TimeExceeded(icmp)),
        }
    }
}

/// What the firewall sends for a rule, if anything.
fn rejection(rule: RuleAction) -> Option<Reply> {
    let icmp = |code| Some(Reply::Icmp(Icmp { kind: 3, code, from: FIREWALL }));
    match rule {
        RuleAction::Accept | RuleAction::Answer | RuleAction::Drop => None,
        RuleAction::RejectNetUnreachable => icmp(0),
        RuleAction::RejectHostUnreachable => icmp(1),
        RuleAction::RejectProtUnreachable => icmp(2),
        RuleAction::RejectPortUnreachable => icmp(3),
        RuleAction::RejectNetProhibited => icmp(9),
        RuleAction::RejectHostProhibited => icmp(10),
        RuleAction::RejectAdminProhibited => icmp(13),
        RuleAction::RejectTcpReset => Some(Reply::Reset),
    }
}

/// What keeps runs at different moments from drawing the same chances.
fn micros(clock: Duration) -> u64 {
    u64::try_from(clock.as_micros()).unwrap_or(u64::MAX)
}

/// `SplitMix64`'s finaliser.
fn mixed(z: u64) -> u64 {
    let z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
    let z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
    z ^ (z >> 31)
}

fn share(bits: u64) -> f64 {
    (bits >> 11) as f64 / (1_u64 << 53) as f64
}
