//! Which hosts there are, how they are linked, and what their kernels are set to.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::path::Path;

use super::CONTROLS;
use super::error::LabError;
use super::host::{Host, Setting};
use super::link::{End, Netlink, Route, Via};
use super::wan::{TOWARD_EDGE, TOWARD_ISP};
use crate::prefix::{Family, Prefix, PrefixSet};

/// The hosts, and the one that the line runs on where there is one.
#[derive(Debug)]
pub(super) struct Hosts {
    pub(super) client: Host,
    pub(super) firewall: Host,
    pub(super) isp: Host,
    pub(super) edge: Host,
    pub(super) wan: Option<Host>,
    links: Links,
}

/// What the firewall's links are called, so that rules which name them can be loaded.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Links {
    /// Toward the client.
    pub inside: String,
    /// Toward the isp.
    pub outside: String,
}

impl Default for Links {
    fn default() -> Self {
        Self { inside: "f0".to_owned(), outside: "f1".to_owned() }
    }
}

impl Hosts {
    pub(super) fn new(wan: bool, links: &Links) -> Result<Self, LabError> {
        Ok(Self {
            client: Host::new("client", &[QUIET, CLIENT_SETTINGS])?,
            firewall: Host::new("firewall", &[QUIET, ROUTER_SETTINGS])?,
            isp: Host::new("isp", &[QUIET, ROUTER_SETTINGS])?,
            edge: Host::new("edge", &[QUIET, EDGE_SETTINGS])?,
            wan: if wan { Some(Host::new("wan", &[WAN_SETTINGS])?) } else { None },
            links: links.clone(),
        })
    }

    pub(super) fn connect(&self) -> Result<(), LabError> {
        self.client.netlink(|netlink| netlink.veth("c0", &self.links.inside, &self.firewall))?;
        self.isp.netlink(|netlink| {
            netlink.veth("i0", &self.links.outside, &self.firewall)?;
            match &self.wan {
                Some(wan) => netlink.veth("i1", TOWARD_ISP, wan),
                None => netlink.veth("i1", "e0", &self.edge),
            }
        })?;
        if let Some(wan) = &self.wan {
            self.edge.netlink(|netlink| netlink.veth("e0", TOWARD_EDGE, wan))?;
            configure(wan, &[(TOWARD_ISP, &[]), (TOWARD_EDGE, &[])], &[])?;
            self.client.netlink(|netlink| netlink.small_packets("c0"))?;
            self.edge.netlink(|netlink| netlink.small_packets("e0"))?;
        }
        self.address()
    }

    fn address(&self) -> Result<(), LabError> {
        configure(&self.client, &[("c0", usable_ends(&CLIENT))], &defaults(FIREWALL_LAN))?;
        let Links { inside, outside } = &self.links;
        let ends = [(inside.as_str(), usable_ends(&FIREWALL_LAN)), (outside.as_str(), usable_ends(&FIREWALL_WAN))];
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

    pub(super) fn own(&self, prefixes: &[Prefix]) -> Result<(), LabError> {
        let controls = CONTROLS.map(Prefix::host);
        // The fewest prefixes: a list may have one twice, or one inside another.
        let owned: PrefixSet = prefixes.iter().copied().chain(controls).collect();
        self.edge.netlink(|netlink| {
            usable(&owned.prefixes()).into_iter().try_for_each(|prefix| netlink.add(Route::local(prefix)))
        })
    }

    /// Sets the firewall's link toward the isp down, with a last route that drops what has no way any more.
    pub(super) fn cut_uplink(&self) -> Result<(), LabError> {
        self.firewall.netlink(|netlink| {
            netlink.down(&self.links.outside)?;
            gateways(FIREWALL_WAN).try_for_each(|gateway| {
                netlink.add(Route { via: Via::Blackhole, metric: LAST_RESORT, ..Route::default(gateway) })
            })
        })
    }

    /// No host has a link that is up and not the lab's own, so no packet can leave.
    pub(super) fn assert_closed(&self) -> Result<(), LabError> {
        let hosts = [&self.client, &self.firewall, &self.isp, &self.edge];
        hosts.into_iter().chain(&self.wan).try_for_each(|host| {
            let links = host.netlink(Netlink::links_up)?;
            let own = |link: &str| {
                LINKS.contains(&link) || [&self.links.inside, &self.links.outside].contains(&&link.to_owned())
            };
            match links.into_iter().find(|link| !own(link)) {
                Some(interface) => Err(LabError::Leak { host: host.name(), interface }),
                None => Ok(()),
            }
        })
    }
}

/// An end's addresses with their lengths, IPv4 first.
pub(super) type Addresses = [(IpAddr, u8); 2];

const fn pair(net: u8, host: u8) -> Addresses {
    [
        (IpAddr::V4(Ipv4Addr::new(10, 9, net, host)), 24),
        (IpAddr::V6(Ipv6Addr::new(0xfd09, net as u16, 0, 0, 0, 0, 0, host as u16)), 64),
    ]
}

pub(super) const CLIENT: Addresses = pair(1, 2);
pub(super) const FIREWALL_LAN: Addresses = pair(1, 1);
pub(super) const FIREWALL_WAN: Addresses = pair(2, 1);
pub(super) const ISP_LAN: Addresses = pair(2, 2);
const ISP_WAN: Addresses = pair(3, 1);
pub(super) const EDGE: Addresses = pair(3, 2);

/// Behind every other route.
const LAST_RESORT: u32 = 1 << 30;

const LINKS: [&str; 7] = ["lo", "c0", "i0", "i1", "e0", TOWARD_ISP, TOWARD_EDGE];

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

pub(super) fn usable(prefixes: &[Prefix]) -> Vec<Prefix> {
    prefixes.iter().copied().filter(|prefix| prefix.family() == Family::V4 || has_ipv6()).collect()
}

/// Some sites boot with `ipv6.disable=1`; the lab then has IPv4 alone.
pub(super) fn has_ipv6() -> bool {
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

const EDGE_SETTINGS: &[Setting] = &[("core/somaxconn", "65535"), ("ipv4/tcp_max_syn_backlog", "65535")];

/// The line's host sees frames and must not take part.
const WAN_SETTINGS: &[Setting] = &[("ipv6/conf/all/disable_ipv6", "1"), ("ipv6/conf/default/disable_ipv6", "1")];
