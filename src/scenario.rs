//! Networks as data: what a firewall does with the ranges, and what the line behind it is like.
//!
//! A scenario is one TOML file under `data/scenarios/`. The lab builds it with real packets, the simulator in virtual
//! time; both read the same fields.

use std::net::IpAddr;
use std::time::Duration;

use jiff::civil::Date;
use serde::Deserialize;

use crate::prefix::{Prefix, PrefixSet};
use crate::ranges::FeedSnapshot;

/// The scenarios that come with the program: name and text.
const EMBEDDED: &[(&str, &str)] = &[
    ("open", include_str!("../data/scenarios/open.toml")),
    ("stale-allowlist", include_str!("../data/scenarios/stale-allowlist.toml")),
    ("dropped-range", include_str!("../data/scenarios/dropped-range.toml")),
    ("rejected-range", include_str!("../data/scenarios/rejected-range.toml")),
    ("reset-range", include_str!("../data/scenarios/reset-range.toml")),
    ("hole-in-range", include_str!("../data/scenarios/hole-in-range.toml")),
    ("rejected-part", include_str!("../data/scenarios/rejected-part.toml")),
    ("mixed", include_str!("../data/scenarios/mixed.toml")),
    ("everything-dropped", include_str!("../data/scenarios/everything-dropped.toml")),
    ("own-uplink-down", include_str!("../data/scenarios/own-uplink-down.toml")),
    ("answers-for-everyone", include_str!("../data/scenarios/answers-for-everyone.toml")),
    ("lossy-far", include_str!("../data/scenarios/lossy-far.toml")),
    ("spread", include_str!("../data/scenarios/spread.toml")),
];

/// What the name of an older list begins with; `egressd ranges` takes such names too.
pub const SCENARIO_FEED: &str = "scenario:";

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
    /// Up to this much more, uniformly, in milliseconds; packets overtake each other.
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

/// Why there is no such scenario.
#[derive(Debug, thiserror::Error)]
pub enum ScenarioError {
    /// None of the embedded ones has this name.
    #[error("no scenario is called `{name}` (there are: {})", Scenario::names().collect::<Vec<_>>().join(", "))]
    Unknown {
        /// What was asked for.
        name: String,
    },
    /// The text is not a scenario.
    #[error("scenario `{name}` cannot be read")]
    Syntax {
        /// The scenario.
        name: String,
        /// Line, key and reason.
        source: Box<toml::de::Error>,
    },
}

impl Scenario {
    /// The names of the embedded scenarios, the simplest first.
    pub fn names() -> impl Iterator<Item = &'static str> {
        EMBEDDED.iter().map(|&(name, _)| name)
    }

    /// An embedded scenario.
    pub fn named(name: &str) -> Result<Self, ScenarioError> {
        let (_, text) = EMBEDDED
            .iter()
            .find(|&&(known, _)| known == name)
            .ok_or_else(|| ScenarioError::Unknown { name: name.chars().take(64).collect() })?;
        Self::parse(name, text)
    }

    /// Reads a scenario from TOML; the name is for the message.
    pub fn parse(name: &str, text: &str) -> Result<Self, ScenarioError> {
        toml::from_str(text).map_err(|source| ScenarioError::Syntax { name: name.to_owned(), source: Box::new(source) })
    }

    /// The rules with their destinations spelled out, in order; the first match decides.
    ///
    /// `feed` holds the prefixes of the list that is checked against, `older` the addresses of the list that the
    /// customer's rules were made from.
    #[must_use]
    pub fn rules(&self, feed: &[Prefix], older: &PrefixSet) -> Vec<(Vec<Prefix>, RuleAction)> {
        self.rules.iter().map(|rule| (rule.destination.prefixes(feed, older), rule.action)).collect()
    }

    /// The older list of the scenario with this name; none when it has none.
    #[must_use]
    pub fn older_snapshot(&self, name: &str, documented: &FeedSnapshot) -> Option<FeedSnapshot> {
        let older = self.older.as_ref()?;
        let kept = documented.ranges.iter().filter(|range| !older.without.contains(&range.prefix));
        Some(FeedSnapshot {
            name: format!("{SCENARIO_FEED}{name}"),
            date: Some(older.date),
            sha256: String::new(),
            ranges: kept.cloned().collect(),
            ..documented.clone()
        })
    }
}

impl Destination {
    /// The prefixes it stands for; what was added since an older list comes as the fewest.
    fn prefixes(&self, feed: &[Prefix], older: &PrefixSet) -> Vec<Prefix> {
        match self {
            Self::Any => {
                vec![Prefix::containing(IpAddr::from([0; 4]), 0), Prefix::containing(IpAddr::from([0_u8; 16]), 0)]
            }
            Self::Listed => feed.to_vec(),
            Self::AddedSinceOlder => feed.iter().copied().collect::<PrefixSet>().difference(older).prefixes(),
            Self::Prefixes(prefixes) => prefixes.clone(),
        }
    }
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

#[cfg(test)]
mod tests {
    use super::*;

    fn documented() -> Vec<Prefix> {
        let lists: std::collections::BTreeMap<String, Vec<Prefix>> =
            serde_json::from_str(include_str!("../data/feeds/documented-2021-01.json")).unwrap();
        lists.into_values().flatten().collect()
    }

    #[test]
    fn every_embedded_scenario_is_read_and_names_listed_prefixes() {
        let listed: PrefixSet = documented().into_iter().collect();
        for name in Scenario::names() {
            let scenario = Scenario::named(name).unwrap();
            for rule in &scenario.rules {
                if let Destination::Prefixes(prefixes) = &rule.destination {
                    assert!(prefixes.iter().all(|&prefix| listed.covers(prefix)), "{name}");
                }
            }
        }
    }

    #[test]
    fn an_unknown_name_lists_the_known_ones() {
        let message = Scenario::named("opne").unwrap_err().to_string();
        assert!(message.starts_with("no scenario is called `opne` (there are: open, stale-allowlist,"), "{message}");
        let error = Scenario::parse("mine", "title = 1").unwrap_err();
        assert_eq!(error.to_string(), "scenario `mine` cannot be read");
    }

    #[test]
    fn the_stale_list_lacks_48_ranges_of_the_documented_one() {
        let (feed, scenario) = (documented(), Scenario::named("stale-allowlist").unwrap());
        let without = &scenario.older.as_ref().unwrap().without;
        assert_eq!(without.len(), 48);
        assert!(without.iter().all(|prefix| feed.contains(prefix)));

        let older = scenario.older_snapshot("stale-allowlist", &FeedSnapshot::documented()).unwrap().addresses();
        assert_eq!(feed.iter().filter(|&&prefix| older.covers(prefix)).count(), feed.len() - 48);
        let [(dropped, RuleAction::Drop)] = &scenario.rules(&feed, &older)[..] else { panic!("one rule") };
        assert_eq!(dropped.iter().copied().collect::<PrefixSet>(), without.iter().copied().collect());
    }

    #[test]
    fn destinations_are_spelled_out() {
        let feed = documented();
        let rules = |name: &str| Scenario::named(name).unwrap().rules(&feed, &PrefixSet::new());
        assert!(rules("open").is_empty());
        assert_eq!(rules("everything-dropped"), [(feed.clone(), RuleAction::Drop)]);
        let any = ["0.0.0.0/0", "::/0"].map(|text| text.parse().unwrap());
        assert_eq!(rules("answers-for-everyone"), [(any.to_vec(), RuleAction::Answer)]);
    }

    #[test]
    fn distance_is_the_same_within_a_17_and_differs_between_them() {
        let wan = Scenario::named("spread").unwrap().wan.unwrap();
        let to = |text: &str| wan.delay_to(text.parse().unwrap());
        assert_eq!(to("13.32.0.1"), to("13.32.127.254"));
        assert_ne!(to("13.32.0.1"), to("13.32.128.1"));
        assert!((10..=260).contains(&to("2600:9000::1").as_millis()));
    }
}
