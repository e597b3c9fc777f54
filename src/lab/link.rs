//! Links, addresses and routes of the host whose thread this is, over netlink.

use std::io;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::os::fd::AsRawFd;

use futures_util::TryStreamExt;
use netlink_packet_route::address::AddressHeaderFlags;
use netlink_packet_route::link::{InfoData, InfoVeth, LinkAttribute, LinkFlags, LinkMessage};
use netlink_packet_route::route::{RouteMessage, RouteScope, RouteType};
use nix::net::if_::if_nametoindex;
use rtnetlink::{Handle, LinkMessageBuilder, LinkUnspec, LinkVeth, RouteMessageBuilder};
use tokio::runtime::{Builder, Runtime};

use super::error::LabError;
use super::host::Host;
use crate::prefix::Prefix;

/// A route to a prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Route {
    pub(super) destination: Prefix,
    pub(super) via: Via,
    /// The smaller one wins among routes to the same prefix.
    pub(super) metric: u32,
}

/// What a route does with a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Via {
    Gateway(IpAddr),
    /// Every address of the prefix is the host's own (`AnyIP`).
    Local,
    Blackhole,
    Prohibit,
    Unreachable,
}

/// A link's end: its name, and its addresses with their lengths.
pub(super) type End<'a> = (&'a str, &'a [(IpAddr, u8)]);

/// A netlink connection of one host.
pub(super) struct Netlink {
    host: &'static str,
    runtime: Runtime,
    handle: Handle,
}

impl Host {
    /// Runs `work` on the host with a netlink connection.
    pub(super) fn netlink<T: Send>(
        &self,
        work: impl FnOnce(&Netlink) -> Result<T, LabError> + Send,
    ) -> Result<T, LabError> {
        let host = self.name();
        self.run(|| {
            let netlink = Netlink::open(host);
            work(&netlink.map_err(|source| LabError::Host { host, operation: "open netlink", source })?)
        })?
    }
}

impl Netlink {
    fn open(host: &'static str) -> io::Result<Self> {
        let runtime = Builder::new_current_thread().enable_io().build()?;
        let handle = {
            let _inside = runtime.enter();
            let (connection, handle, _) = rtnetlink::new_connection()?;
            runtime.spawn(connection);
            handle
        };
        Ok(Self { host, runtime, handle })
    }

    /// Makes a pair of links, `here` on this host and `there` on the other.
    pub(super) fn veth(&self, here: &str, there: &str, other: &Host) -> Result<(), LabError> {
        let far = LinkUnspec::new_with_name(there).setns_by_fd(other.namespace().as_raw_fd()).build();
        let pair = LinkVeth::new(here, there).set_info_data(InfoData::Veth(InfoVeth::Peer(far))).build();
        self.wait(format!("link {here} to {there}"), self.handle.link().add(pair).execute())
    }

    /// Sets a link up and gives it its addresses.
    pub(super) fn up(&self, (name, addresses): End<'_>) -> Result<(), LabError> {
        self.change(name, "set up", LinkMessageBuilder::up)?;
        addresses.iter().try_for_each(|&(address, length)| self.address(name, address, length))
    }

    /// Sets a link down.
    pub(super) fn down(&self, name: &str) -> Result<(), LabError> {
        self.change(name, "set down", LinkMessageBuilder::down)
    }

    /// Has the link's host send packets no larger than the link carries, as a network card would in the end.
    ///
    /// Without it a lost packet would be a loss of up to 64 KiB.
    pub(super) fn small_packets(&self, name: &str) -> Result<(), LabError> {
        self.change(name, "limit", |link| link.append_extra_attribute(LinkAttribute::GsoMaxSegs(1)))
    }

    /// Adds a route.
    pub(super) fn add(&self, route: Route) -> Result<(), LabError> {
        let adding = self.handle.route().add(route.message()).execute();
        self.wait(format!("add the route to {}", route.destination), adding)
    }

    /// Removes a route.
    pub(super) fn remove(&self, route: Route) -> Result<(), LabError> {
        let removing = self.handle.route().del(route.message()).execute();
        self.wait(format!("remove the route to {}", route.destination), removing)
    }

    /// The links that are up.
    pub(super) fn links_up(&self) -> Result<Vec<String>, LabError> {
        let links: Vec<LinkMessage> =
            self.wait("list the links".to_owned(), self.handle.link().get().execute().try_collect())?;
        Ok(links.iter().filter(|link| link.header.flags.contains(LinkFlags::Up)).filter_map(name_of).collect())
    }

    fn address(&self, name: &str, address: IpAddr, length: u8) -> Result<(), LabError> {
        let mut request = self.handle.address().add(index_of(self.host, name)?, address, length);
        // Nobody else is on the link: no second of waiting for a duplicate.
        request.message_mut().header.flags |= AddressHeaderFlags::Nodad;
        self.wait(format!("add {address} to {name}"), request.execute())
    }

    fn change(
        &self,
        name: &str,
        verb: &str,
        change: impl FnOnce(LinkMessageBuilder<LinkUnspec>) -> LinkMessageBuilder<LinkUnspec>,
    ) -> Result<(), LabError> {
        let link = change(LinkUnspec::new_with_name(name)).build();
        self.wait(format!("{verb} {name}"), self.handle.link().set(link).execute())
    }

    fn wait<T>(
        &self,
        operation: String,
        request: impl Future<Output = Result<T, rtnetlink::Error>>,
    ) -> Result<T, LabError> {
        let outcome = self.runtime.block_on(request);
        outcome.map_err(|error| LabError::Netlink { host: self.host, operation, source: io_error(error) })
    }
}

impl Route {
    /// Every packet of the family to the gateway.
    pub(super) fn default(gateway: IpAddr) -> Self {
        let any: IpAddr = if gateway.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
        Self { destination: Prefix::containing(any, 0), via: Via::Gateway(gateway), metric: 1024 }
    }

    /// All addresses of the prefix are the host's own.
    pub(super) fn local(destination: Prefix) -> Self {
        Self { destination, via: Via::Local, metric: 0 }
    }

    fn message(self) -> RouteMessage {
        let builder = RouteMessageBuilder::<IpAddr>::new()
            .destination_prefix(self.destination.first(), self.destination.len())
            .expect("a prefix fits its family");
        let builder = if self.metric > 0 { builder.priority(self.metric) } else { builder };
        match self.via {
            Via::Gateway(gateway) => builder.gateway(gateway).expect("the gateway is of the route's family"),
            Via::Local => {
                builder.kind(RouteType::Local).scope(RouteScope::Host).table_id(TABLE_LOCAL).output_interface(LOOPBACK)
            }
            Via::Blackhole => builder.kind(RouteType::BlackHole),
            Via::Prohibit => builder.kind(RouteType::Prohibit),
            Via::Unreachable => builder.kind(RouteType::Unreachable),
        }
        .build()
    }
}

/// `RT_TABLE_LOCAL`.
const TABLE_LOCAL: u32 = 255;

/// The first link of every network namespace.
const LOOPBACK: u32 = 1;

/// The number of a link of the current thread's host.
pub(super) fn index_of(host: &'static str, name: &str) -> Result<u32, LabError> {
    if_nametoindex(name).map_err(|errno| {
        let operation = format!("find link {name}");
        LabError::Netlink { host, operation, source: errno.into() }
    })
}

fn name_of(link: &LinkMessage) -> Option<String> {
    link.attributes.iter().find_map(|attribute| match attribute {
        LinkAttribute::IfName(name) => Some(name.clone()),
        _ => None,
    })
}

fn io_error(error: rtnetlink::Error) -> io::Error {
    match error {
        rtnetlink::Error::NetlinkError(message) => message.to_io(),
        other => io::Error::other(other),
    }
}
