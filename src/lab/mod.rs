//! A customer's network inside this process: real packets, and none of them can leave.
//!
//! ```text
//! client 10.9.1.2 ── 10.9.1.1 firewall 10.9.2.1 ── 10.9.2.2 isp 10.9.3.1 ══ WAN ══ 10.9.3.2 edge
//! ```
//!
//! Each host is a network namespace, and everything that runs on one is a thread of this process, so that nothing is left
//! behind when it ends. It needs no privilege: [`enter_user_namespace`] makes the user root of an empty network. The isp
//! lies between firewall and edge so that a trace can tell what the firewall answers from what the server does.

mod answerer;
mod edge;
mod error;
mod firewall;
mod host;
mod identity;
mod link;
mod names;
mod namespace;
mod nft;
mod origin;
mod sys;
mod topology;
mod wan;

pub use edge::POP;
pub use error::LabError;
pub use firewall::{Filter, Rules};
pub use host::Host;
pub use identity::NAMES;
pub use names::{Names, resolver};
pub use namespace::{Forbidden, Settings, enter_user_namespace};
pub use nft::{NftListing, list_nft};
pub use topology::Links;

use std::net::IpAddr;

use crate::prefix::{Family, Prefix, PrefixSet};
use crate::scenario::{RuleAction, Scenario, Wan};
use edge::Edge;
use firewall::Firewall;
use identity::Identity;
use topology::{Addresses, CLIENT, EDGE, FIREWALL_LAN, Hosts, ISP_LAN, usable};
use wan::Line;

/// Hosts outside CloudFront that the edge stands in for: they answer whatever the firewall does to the listed ranges.
pub use crate::plan::UPLINK_CONTROLS as CONTROLS;

/// The client's addresses.
pub const CLIENT_ADDRESSES: [IpAddr; 2] = [CLIENT[0].0, CLIENT[1].0];

/// The firewall's own addresses toward the isp.
pub const FIREWALL_ADDRESSES: [IpAddr; 2] = [topology::FIREWALL_WAN[0].0, topology::FIREWALL_WAN[1].0];

/// What the lab is to be like.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct LabConfig {
    /// The prefixes that the edge answers for, besides the controls.
    pub owned: Vec<Prefix>,
    /// The firewall's rules; see [`Lab::replace_rules`] to start without.
    pub rules: Vec<(Vec<Prefix>, RuleAction)>,
    /// The line between isp and edge; none: a plain link.
    pub wan: Option<Wan>,
    /// The firewall's link toward the isp is down.
    pub uplink_down: bool,
    /// Which packets the line loses.
    pub seed: u64,
    /// What puts the rules in force.
    pub filter: Filter,
    /// Names that the resolver at [`resolver`] knows; none: there is no resolver.
    pub names: Names,
    /// What the firewall's links are called; the lab's own rules know the usual names alone.
    pub links: Links,
}

impl LabConfig {
    /// The network of a scenario, its rules in force; arguments as for [`Scenario::rules`].
    #[must_use]
    pub fn of(scenario: &Scenario, feed: &[Prefix], older: &PrefixSet, seed: u64) -> Self {
        Self {
            owned: feed.to_vec(),
            rules: scenario.rules(feed, older),
            wan: scenario.wan,
            uplink_down: scenario.uplink_down,
            seed,
            filter: Filter::Installed,
            names: Names::new(),
            links: Links::default(),
        }
    }
}

/// The addresses of the hops, in the order a packet of the client passes them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Hops {
    /// The client's own address.
    pub client: IpAddr,
    /// The firewall's, toward the client: hop 1.
    pub firewall: IpAddr,
    /// The isp's, toward the firewall: hop 2.
    pub isp: IpAddr,
    /// The edge's, toward the isp: hop 3.
    pub edge: IpAddr,
}

/// A running lab. It ends, threads and hosts, when this is dropped.
#[derive(Debug)]
pub struct Lab {
    // In the order of their end: what runs on a host before the host.
    _edge: Edge,
    _line: Option<Line>,
    firewall: Firewall,
    hosts: Hosts,
    ca_pem: String,
}

impl Lab {
    /// Builds it; the process must have entered its user namespace ([`enter_user_namespace`]), or be root.
    pub fn start(config: &LabConfig) -> Result<Self, LabError> {
        let hosts = Hosts::new(config.wan.is_some(), &config.links)?;
        hosts.connect()?;
        hosts.own(&config.owned)?;
        hosts.assert_closed()?;
        let identity = Identity::new()?;
        let edge = Edge::start(&hosts.edge, &identity, config)?;
        let line = match (&hosts.wan, config.wan) {
            (Some(host), Some(wan)) => Some(Line::start(host, wan, config.seed)?),
            _ => None,
        };
        let firewall = Firewall::new(config.filter);
        let mut lab = Self { _edge: edge, _line: line, firewall, hosts, ca_pem: identity.ca_pem };
        lab.replace_rules(&config.rules)?;
        if config.uplink_down {
            lab.cut_uplink()?;
        }
        Ok(lab)
    }

    /// The host that the check runs on.
    #[must_use]
    pub fn client(&self) -> &Host {
        &self.hosts.client
    }

    /// The firewall host.
    #[must_use]
    pub fn firewall(&self) -> &Host {
        &self.hosts.firewall
    }

    /// The router behind the firewall.
    #[must_use]
    pub fn isp(&self) -> &Host {
        &self.hosts.isp
    }

    /// The host that answers for every listed prefix.
    #[must_use]
    pub fn edge(&self) -> &Host {
        &self.hosts.edge
    }

    /// The certification authority that the check must trust, as PEM.
    #[must_use]
    pub fn ca_pem(&self) -> &str {
        &self.ca_pem
    }

    /// Puts these rules in force in the place of those before.
    pub fn replace_rules(&mut self, rules: &Rules) -> Result<(), LabError> {
        let rules: Vec<_> = rules.iter().map(|(prefixes, action)| (usable(prefixes), *action)).collect();
        self.firewall.replace(&self.hosts.firewall, &rules)
    }

    /// Has the firewall host load somebody's own rules, with the program that reads them from its standard input.
    ///
    /// They are in force in that host's network namespace, and nowhere else.
    pub fn load_rules(&self, program: &str, arguments: &[&str], rules: &str) -> Result<(), LabError> {
        let missing = || LabError::ProgramMissing { program: program.to_owned() };
        let found = nft::find(program).ok_or_else(missing)?;
        self.hosts.firewall.run(|| nft::feed(&found, arguments, rules))?
    }

    /// Cuts the line behind the firewall, so that nothing answers any more.
    ///
    /// The firewall then drops in silence: with no route at all it would say `network unreachable` for itself.
    pub fn cut_uplink(&self) -> Result<(), LabError> {
        self.hosts.cut_uplink()
    }

    /// The addresses along the way, of one family.
    #[must_use]
    pub fn hops(&self, family: Family) -> Hops {
        let of = |addresses: Addresses| addresses[usize::from(family == Family::V6)].0;
        Hops { client: of(CLIENT), firewall: of(FIREWALL_LAN), isp: of(ISP_LAN), edge: of(EDGE) }
    }
}
