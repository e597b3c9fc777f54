//! A customer's network inside this process: real packets, and none of them can leave.
//!
//! ```text
//! client 10.9.1.2 ── 10.9.1.1 firewall 10.9.2.1 ── 10.9.2.2 isp 10.9.3.1 ══ WAN ══ 10.9.3.2 edge
//! ```
//!
//! Each host is a network namespace, and everything that runs on one is a thread of this process, so that nothing is left
//! behind when it ends. It needs no privilege: [`enter_user_namespace`] makes the user root of an empty network. The isp
//! lies between firewall and edge so that a trace can tell what the firewall answers from what the server does.

mod edge;
mod error;
mod firewall;
mod host;
mod identity;
mod link;
mod namespace;
mod origin;
mod sys;
mod wan;

pub use edge::POP;
pub use error::LabError;
pub use firewall::{Filter, Rules};
pub use host::Host;
pub use identity::NAMES;
pub use namespace::{Forbidden, Settings, enter_user_namespace};

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use crate::prefix::{Family, Prefix, PrefixSet};
use crate::scenario::{RuleAction, Scenario, Wan};
use edge::Edge;
use firewall::Firewall;
use host::Setting;
use identity::Identity;
use link::{End, Route, Via};
use wan::Line;

/// Hosts outside CloudFront that the edge stands in for: they answer whatever the firewall does to the listed ranges.
pub const CONTROLS: [IpAddr; 6] = [
    IpAddr::V4(Ipv4Addr::new(1, 1, 1, 1)),
    IpAddr::V4(Ipv4Addr::new(8, 8, 8, 8)),
    IpAddr::V4(Ipv4Addr::new(9, 9, 9, 9)),
    IpAddr::V6(Ipv6Addr::new(0x2606, 0x4700, 0x4700, 0, 0, 0, 0, 0x1111)),
    IpAddr::V6(Ipv6Addr::new(0x2001, 0x4860, 0x4860, 0, 0, 0, 0, 0x8888)),
    IpAddr::V6(Ipv6Addr::new(0x2620, 0xfe, 0, 0, 0, 0, 0, 0xfe)),
];

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
        let hosts = Hosts::new(config.wan.is_some())?;
        hosts.connect()?;
        hosts.own(&config.owned)?;
        hosts.assert_closed()?;
        let identity = Identity::new()?;
        let edge = Edge::start(&hosts.edge, &identity, &config.owned)?;
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

    /// Cuts the line behind the firewall, so that nothing answers any more.
    ///
    /// The firewall then drops in silence: with no route at all it would say `network unreachable` for itself.
    pub fn cut_uplink(&self) -> Result<(), LabError> {
        self.hosts.firewall.netlink(|netlink| {
            netlink.down("f1")?;
            gateways(FIREWALL_WAN).try_for_each(|gateway| {
                netlink.add(Route { via: Via::Blackhole, metric: LAST_RESORT, ..Route::default(gateway) })
            })
        })
    }

    /// The addresses along the way, of one family.
    #[must_use]
    pub fn hops(&self, family: Family) -> Hops {
        let of = |addresses: Addresses| addresses[usize::from(family == Family::V6)].0;
        Hops { client: of(CLIENT), firewall: of(FIREWALL_LAN), isp: of(ISP_LAN), edge: of(EDGE) }
    }
}

/// Behind every other route.
const LAST_RESORT: u32 = 1 << 30;

/// An end's addresses with their lengths, IPv4 first.
type Addresses = [(IpAddr, u8); 2];

const fn pair(net: u8, host: u8) -> Addresses {
    [
        (IpAddr::V4(Ipv4Addr::new(10, 9, net, host)), 24),
        (IpAddr::V6(Ipv6Addr::new(0xfd09, net as u16, 0, 0, 0, 0, 0, host as u16)), 64),
    ]
}

const CLIENT: Addresses = pair(1, 2);
const FIREWALL_LAN: Addresses = pair(1, 1);
const FIREWALL_WAN: Addresses = pair(2, 1);
const ISP_LAN: Addresses = pair(2, 2);
const ISP_WAN: Addresses = pair(3, 1);
const EDGE: Addresses = pair(3, 2);

/// The hosts, and the one that the line runs on where there is one.
#[derive(Debug)]
struct Hosts {
    client: Host,
    firewall: Host,
    isp: Host,
    edge: Host,
    wan: Option<Host>,
}

impl Hosts {
    fn new(wan: bool) -> Result<Self, LabError> {
        Ok(Self {
            client: Host::new("client", &[QUIET, CLIENT_SETTINGS])?,
            firewall: Host::new("firewall", &[QUIET, ROUTER_SETTINGS])?,
            isp: Host::new("isp", &[QUIET, ROUTER_SETTINGS])?,
            edge: Host::new("edge", &[QUIET, EDGE_SETTINGS])?,
            wan: if wan { Some(Host::new("wan", &[WAN_SETTINGS])?) } else { None },
        })
    }

    fn connect(&self) -> Result<(), LabError> {
        self.client.netlink(|netlink| netlink.veth("c0", "f0", &self.firewall))?;
        self.isp.netlink(|netlink| {
            netlink.veth("i0", "f1", &self.firewall)?;
            match &self.wan {
                Some(wan) => netlink.veth("i1", wan::TOWARD_ISP, wan),
                None => netlink.veth("i1", "e0", &self.edge),
            }
        })?;
        if let Some(wan) = &self.wan {
            self.edge.netlink(|netlink| netlink.veth("e0", wan::TOWARD_EDGE, wan))?;
            configure(wan, &[(wan::TOWARD_ISP, &[]), (wan::TOWARD_EDGE, &[])], &[])?;
            self.client.netlink(|netlink| netlink.small_packets("c0"))?;
            self.edge.netlink(|netlink| netlink.small_packets("e0"))?;
        }
        self.address()
    }

    fn address(&self) -> Result<(), LabError> {
        configure(&self.client, &[("c0", usable_ends(&CLIENT))], &defaults(FIREWALL_LAN))?;
        let ends = [("f0", usable_ends(&FIREWALL_LAN)), ("f1", usable_ends(&FIREWALL_WAN))];
        configure(&self.firewall, &ends, &defaults(ISP_LAN))?;
        let ends = [("i0", usable_ends(&ISP_LAN)), ("i1", usable_ends(&ISP_WAN))];
        let back = CLIENT.iter().zip(gateways(FIREWALL_WAN)).map(|(&(client, length), gateway)| Route {
            destination: Prefix::containing(client, length),
            ..Route::default(gateway)
        });
        configure(&self.isp, &ends, &defaults(EDGE).into_iter().chain(back).collect::<Vec<_>>())?;
        // The edge has a way back to everyone: without it IPv6 would reject what it does not own instead of dropping it.
        configure(&self.edge, &[("e0", usable_ends(&EDGE))], &defaults(ISP_WAN))
    }

    fn own(&self, prefixes: &[Prefix]) -> Result<(), LabError> {
        let controls = CONTROLS.map(Prefix::host);
        // The fewest prefixes: a list may have one twice, or one inside another.
        let owned: PrefixSet = prefixes.iter().copied().chain(controls).collect();
        self.edge.netlink(|netlink| {
            usable(&owned.prefixes()).into_iter().try_for_each(|prefix| netlink.add(Route::local(prefix)))
        })
    }

    /// No host has a link that is up and not the lab's own, so no packet can leave.
    fn assert_closed(&self) -> Result<(), LabError> {
        let hosts = [&self.client, &self.firewall, &self.isp, &self.edge];
        hosts.into_iter().chain(&self.wan).try_for_each(|host| {
            let links = host.netlink(link::Netlink::links_up)?;
            match links.into_iter().find(|link| !LINKS.contains(&link.as_str())) {
                Some(interface) => Err(LabError::Leak { host: host.name(), interface }),
                None => Ok(()),
            }
        })
    }
}

const LINKS: [&str; 9] = ["lo", "c0", "f0", "f1", "i0", "i1", "e0", wan::TOWARD_ISP, wan::TOWARD_EDGE];

fn configure(host: &Host, ends: &[End<'_>], routes: &[Route]) -> Result<(), LabError> {
    host.netlink(|netlink| {
        netlink.up(("lo", &[]))?;
        ends.iter().try_for_each(|&end| netlink.up(end))?;
        routes.iter().try_for_each(|&route| netlink.add(route))
    })
}

fn defaults(gateway: Addresses) -> Vec<Route> {
    gateways(gateway).map(Route::default).collect()
}

/// The addresses that the kernel can use.
fn gateways(addresses: Addresses) -> impl Iterator<Item = IpAddr> {
    addresses.into_iter().map(|(address, _)| address).filter(|address| address.is_ipv4() || has_ipv6())
}

fn usable_ends(addresses: &Addresses) -> &[(IpAddr, u8)] {
    if has_ipv6() { addresses } else { &addresses[..1] }
}

fn usable(prefixes: &[Prefix]) -> Vec<Prefix> {
    prefixes.iter().copied().filter(|prefix| prefix.family() == Family::V4 || has_ipv6()).collect()
}

/// Some sites boot with `ipv6.disable=1`; the lab then has IPv4 alone.
fn has_ipv6() -> bool {
    Path::new("/proc/sys/net/ipv6").exists()
}

/// No duplicate address detection, no router solicitations: nothing waits and nothing chatters. And a port is taken for
/// each family by itself.
const QUIET: &[Setting] = &[
    ("ipv4/conf/all/rp_filter", "0"),
    ("ipv4/conf/default/rp_filter", "0"),
    ("ipv6/conf/all/accept_dad", "0"),
    ("ipv6/conf/default/accept_dad", "0"),
    ("ipv6/conf/default/accept_ra", "0"),
    ("ipv6/conf/default/router_solicitations", "0"),
    ("ipv6/conf/all/disable_ipv6", "0"),
    ("ipv6/conf/default/disable_ipv6", "0"),
    ("ipv6/bindv6only", "1"),
];

const CLIENT_SETTINGS: &[Setting] = &[("ipv4/ip_local_port_range", "1024 65535")];

/// A router that answers every probe: a real one sends one ICMP message a second to each host, and no more.
const ROUTER_SETTINGS: &[Setting] = &[
    ("ipv4/ip_forward", "1"),
    ("ipv4/icmp_ratelimit", "0"),
    ("ipv4/icmp_ratemask", "0"),
    ("ipv4/icmp_msgs_per_sec", "1000000"),
    ("ipv4/icmp_msgs_burst", "1000000"),
    ("ipv6/conf/all/forwarding", "1"),
    ("ipv6/conf/default/forwarding", "1"),
    ("ipv6/icmp/ratelimit", "0"),
    ("ipv6/icmp/ratemask", "255"),
];

const EDGE_SETTINGS: &[Setting] =
    &[("core/somaxconn", "65535"), ("ipv4/tcp_max_syn_backlog", "65535"), ("ipv6/bindv6only", "1")];

/// The line's host sees frames and must not take part.
const WAN_SETTINGS: &[Setting] = &[("ipv6/conf/all/disable_ipv6", "1"), ("ipv6/conf/default/disable_ipv6", "1")];
