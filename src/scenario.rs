//! Networks as data: what a firewall does with the ranges, and what the line behind it is like.
//!
//! A scenario is one TOML file under `data/scenarios/`. The lab builds it with real packets, the simulator in virtual
//! time; both read the same fields.

use std::net::IpAddr;
use std::time::Duration;

use jiff::civil::Date;
use serde::Deserialize;

use crate::prefix::Prefix;

/// A customer's network.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Scenario {
    /// One line for `--list-scenarios`.
    pub title: String,
    /// What an admin should see in the report, in a sentence or two.
    pub shows: String,
    /// The firewall's rules, the first match decides; what none matches is accepted.
    #[serde(default, rename = "rule")]
    pub rules: Vec<Rule>,
    /// The line between firewall and edge; absent: a plain link.
    #[serde(default)]
    pub wan: Option<Wan>,
    /// The link between firewall and edge is cut.
    #[serde(default)]
    pub uplink_down: bool,
    /// Addresses that answered are recorded before the rules are put in force, and given to the check as its baseline.
    #[serde(default)]
    pub baseline: bool,
    /// An older state of the embedded list, as a list that the customer's rules were made from.
    #[serde(default)]
    pub older: Option<Older>,
}

/// One rule of the firewall.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Rule {
    /// What it matches.
    pub destination: Destination,
    /// What it does.
    pub action: RuleAction,
}

/// The destinations of a rule.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Destination {
    /// Everything.
    Any,
    /// Every range of the feed.
    Listed,
    /// The ranges of the feed that the older list does not have.
    AddedSinceOlder,
    /// These prefixes.
    Prefixes(Vec<Prefix>),
}

/// What a rule does with a TCP connection attempt to port 443.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum RuleAction {
    /// Lets it pass.
    Accept,
    /// Drops it without a word.
    Drop,
    /// Sends ICMP `net-unreachable` (3/0).
    RejectNetUnreachable,
    /// Sends ICMP `host-unreachable` (3/1).
    RejectHostUnreachable,
    /// Sends ICMP `prot-unreachable` (3/2).
    RejectProtUnreachable,
    /// Sends ICMP `port-unreachable` (3/3), iptables' default.
    RejectPortUnreachable,
    /// Sends ICMP `net-prohibited` (3/9).
    RejectNetProhibited,
    /// Sends ICMP `host-prohibited` (3/10).
    RejectHostProhibited,
    /// Sends ICMP `admin-prohibited` (3/13).
    RejectAdminProhibited,
    /// Sends a TCP reset.
    RejectTcpReset,
    /// Completes the handshake itself, whoever the destination is, and closes: a transparent proxy without a server.
    Answer,
}

/// The line between firewall and edge, one way unless said otherwise.
#[derive(Clone, Copy, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Wan {
    /// Delay each way in milliseconds.
    pub delay_ms: f64,
    /// Up to this much more, uniformly, in milliseconds.
    pub jitter_ms: f64,
    /// Share of packets lost each way, 0 to 1.
    pub loss: f64,
    /// Up to this much more toward the edge, fixed for each /17, in milliseconds.
    pub spread_ms: f64,
}

/// An older list: the feed less some ranges.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Older {
    /// The day it was in force.
    #[serde(deserialize_with = "date")]
    pub date: Date,
    /// What it lacks of the embedded documented list.
    pub without: Vec<Prefix>,
}

impl Wan {
    /// What one packet to `address` is delayed by on its way to the edge, without jitter.
    #[must_use]
    pub fn delay_to(&self, address: IpAddr) -> Duration {
        Duration::from_secs_f64((self.delay_ms + self.spread_ms * share_of_17(address)) / 1e3)
    }
}

/// A fixed share from 0 to 1 for each /17 (IPv4) or /33 (IPv6): points of presence lie at different distances.
fn share_of_17(address: IpAddr) -> f64 {
    let bits = match address {
        IpAddr::V4(v4) => v4.to_bits() >> 15,
        IpAddr::V6(v6) => u32::try_from(v6.to_bits() >> 95 & u128::from(u32::MAX)).expect("32 bits"),
    };
    let mut hash = bits.wrapping_mul(2_654_435_761);
    hash ^= hash >> 15;
    hash = hash.wrapping_mul(2_246_822_519);
    f64::from(hash >> 8) / 16_777_216.0
}

fn date<'de, D: serde::Deserializer<'de>>(deserializer: D) -> Result<Date, D::Error> {
    let text = String::deserialize(deserializer)?;
    text.parse().map_err(serde::de::Error::custom)
}
