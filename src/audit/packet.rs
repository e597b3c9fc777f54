//! The packets of the flow as a Linux host sees them: one that opens it, those that come back, those that follow.
//!
//! That the first packet passes is not enough: a rule set that forgets the replies stops the connection as surely as one
//! that drops the first packet. So each kind is judged by itself, and all must pass.

use std::sync::{Arc, LazyLock};

use super::word::cited;
use super::{AddressSet, Applies, Destination, Match, Question, Rule, Side, Traffic};
use crate::prefix::{AddressRange, Family, Prefix};

/// One kind of packet of the flow at one host.
#[derive(Clone, Copy, Debug)]
pub(super) struct Packet<'a> {
    pub(super) question: &'a Question,
    pub(super) traffic: Traffic,
    pub(super) kind: Kind,
    /// Its family, where that is known.
    pub(super) family: Option<Family>,
    /// Whether the kernel knows its connection where it is judged: before that no rule on its state holds.
    pub(super) tracked: bool,
}

/// Which packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum Kind {
    /// The first, from the inside.
    Opening,
    /// Those from the outside.
    Reply,
    /// Those from the inside after the first reply.
    Later,
}

/// An end of a packet.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub(super) enum End {
    Source,
    Destination,
}

/// The state of a connection as the kernel tracks it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum State {
    New,
    Established,
}

/// Flags of the TCP header.
pub(super) const SYN: u8 = 0x02;
const RST_AND_FIN: u8 = 0x05;
const PSH: u8 = 0x08;
pub(super) const ACK: u8 = 0x10;

/// Where clients are as a rule: RFC 1918, RFC 6598, RFC 3927, RFC 4193 and RFC 4291.
static PRIVATE: LazyLock<AddressSet> = LazyLock::new(|| {
    let blocks =
        ["10.0.0.0/8", "100.64.0.0/10", "169.254.0.0/16", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7", "fe80::/10"];
    blocks.into_iter().map(|block| block.parse::<Prefix>().expect("a prefix")).collect()
});

/// Linux chooses from 32768 to 60999, others down to 1024; every unprivileged port counts.
const EPHEMERAL: (u16, u16) = (1024, u16::MAX);

impl Packet<'_> {
    /// All kinds, for the name of a hook.
    pub(super) const KINDS: [(Kind, &'static str); 3] =
        [(Kind::Opening, ""), (Kind::Reply, ", replies"), (Kind::Later, ", after the first packet")];

    /// Whether this end is the address that the rules are asked for; the other one is a client.
    pub(super) fn is_remote(self, end: End) -> bool {
        (end == End::Source) == (self.kind == Kind::Reply)
    }

    /// Addresses at an end, as remote addresses and as what a client's address must be.
    pub(super) fn address(self, end: End, addresses: &Destination) -> (Destination, Applies) {
        if self.is_remote(end) {
            (addresses.clone(), Applies::Yes)
        } else {
            (Destination::any(), self.client(addresses))
        }
    }

    /// Whether the client is one of these.
    pub(super) fn client(self, addresses: &Destination) -> Applies {
        match self.family {
            Some(family) => self.question.from_family(addresses, family),
            None => self.question.from(addresses),
        }
    }

    /// Whether a rule that denies these addresses at an end is not about clients, though it might be.
    ///
    /// A list of public addresses that must not be talked to is for what clients dial; that a client is on it, so that
    /// replies to it are denied, is far-fetched. Whoever has such clients names them (`--source`).
    pub(super) fn is_for_others(self, end: End, denied: &Destination) -> bool {
        let replies = self.kind == Kind::Reply && !self.is_remote(end);
        replies && self.question.sources.is_none() && denied.at_most().intersection(&PRIVATE).is_empty()
    }

    /// Whether the port at an end is in one of these runs.
    pub(super) fn port(self, end: End, runs: &[(u16, u16)]) -> Applies {
        if self.is_remote(end) {
            return runs.iter().any(|run| (run.0..=run.1).contains(&self.question.port)).into();
        }
        let covers = runs.iter().any(|run| run.0 <= EPHEMERAL.0 && run.1 >= EPHEMERAL.1);
        let touches = runs.iter().any(|run| run.1 >= EPHEMERAL.0);
        match (covers, touches) {
            (true, _) => Applies::Yes,
            (_, false) => Applies::No,
            _ => Applies::maybe("it depends on the client's own port"),
        }
    }

    /// Whether it came in (`Source`) or goes out (`Destination`) by any interface where it is judged.
    pub(super) fn has_interface(self, end: End) -> bool {
        // The host's own packets have none that they came in by, and what is for the host none to go out.
        self.traffic == Traffic::Forward || self.is_remote(end)
    }

    /// Whether it came in (`Source`) or goes out (`Destination`) by an interface that is meant.
    pub(super) fn interface(self, end: End, patterns: &[&str], wildcard: char) -> Applies {
        if !self.has_interface(end) || patterns.iter().all(|pattern| *pattern == "lo") {
            return Applies::No;
        }
        let side = if self.is_remote(end) { Side::Outside } else { Side::Inside };
        if let [name] = patterns
            && !name.ends_with(wildcard)
        {
            return self.question.on(side, name);
        }
        let meant = |name: &str| {
            patterns.iter().any(|pattern| match pattern.strip_suffix(wildcard) {
                Some(beginning) => name.starts_with(beginning),
                None => name == *pattern,
            })
        };
        self.question.on_any(side, &patterns.join(", "), meant)
    }

    /// What the kernel's tracking makes of it.
    pub(super) fn state(self) -> Option<State> {
        self.tracked.then_some(if self.kind == Kind::Opening { State::New } else { State::Established })
    }

    /// Whether, of the flags in the mask, just these are set.
    pub(super) fn flags(self, mask: u8, set: u8) -> Applies {
        let fits = |flags: &u8| flags & mask == set;
        let seen: &[u8] = match self.kind {
            Kind::Opening => &[SYN],
            Kind::Reply => &[SYN | ACK, ACK, ACK | PSH],
            Kind::Later => &[ACK, ACK | PSH],
        };
        // A FIN or RST ends what had passed: whether that packet passes is of no consequence.
        if set & mask & RST_AND_FIN != 0 {
            return Applies::No;
        }
        match (seen.iter().all(fits), seen.iter().any(fits)) {
            (true, _) => Applies::Yes,
            (_, false) => Applies::No,
            _ => Applies::maybe("it depends on the flags of the packet"),
        }
    }

    /// Whether an end is an address of the host itself.
    pub(super) fn is_local(self, end: End) -> bool {
        self.traffic == Traffic::Output && !self.is_remote(end)
    }
}

/// Conditions of a rule that were read so far, all of which must hold.
#[derive(Debug)]
pub(super) struct Conditions<'a> {
    pub(super) packet: Packet<'a>,
    destination: Option<Destination>,
    rest: Applies,
    /// Whether the client's address fits, where that is a doubt that a rule which denies need not have.
    client: Applies,
}

impl<'a> Conditions<'a> {
    pub(super) fn new(packet: Packet<'a>) -> Self {
        Self { packet, destination: None, rest: Applies::Yes, client: Applies::Yes }
    }

    /// The address at this end must be one of these.
    pub(super) fn address(&mut self, end: End, addresses: &Destination) {
        let (remote, client) = self.packet.address(end, addresses);
        if self.packet.is_remote(end) {
            self.destination(remote);
        } else if self.packet.is_for_others(end, addresses) {
            self.client = client;
        } else {
            self.holds(client);
        }
    }

    /// The same where the addresses are of a family, which the packet then is of.
    pub(super) fn address_of(&mut self, family: Family, end: End, addresses: &Destination) {
        let before = self.packet.family.replace(family);
        self.address(end, addresses);
        self.packet.family = before;
    }

    /// The remote address must be one of these.
    pub(super) fn destination(&mut self, to: Destination) {
        self.destination = Some(match self.destination.take() {
            Some(before) => before.intersection(&to),
            None => to,
        });
    }

    /// Something else must hold.
    pub(super) fn holds(&mut self, applies: Applies) {
        self.rest = std::mem::replace(&mut self.rest, Applies::No).and(applies);
    }

    /// What all of them come to, in a rule that denies or does not.
    pub(super) fn into_match(self, denies: bool) -> Match {
        let client = if denies && self.client != Applies::Yes { Applies::No } else { self.client };
        Match { destination: self.destination.unwrap_or_else(Destination::any), rest: self.rest.and(client) }
    }
}

impl Match {
    /// The same with all doubts about the destination.
    pub(super) fn weighed(self) -> Destination {
        match self.rest {
            Applies::Yes => self.destination,
            Applies::No => AddressSet::none().into(),
            Applies::Maybe(why) => {
                Destination { surely: Arc::default(), perhaps: Some((Arc::new(self.destination.at_most()), why)) }
            }
        }
    }
}

/// Addresses of which some may or may not be meant.
#[derive(Debug, Default)]
pub(super) struct Gathered {
    surely: Vec<AddressRange>,
    perhaps: Vec<AddressRange>,
    why: Option<Arc<str>>,
}

impl Gathered {
    /// One more run, if this holds.
    pub(super) fn add(&mut self, range: AddressRange, holds: Applies) {
        match holds {
            Applies::Yes => self.surely.push(range),
            Applies::No => {}
            Applies::Maybe(why) => {
                self.perhaps.push(range);
                self.why.get_or_insert(why);
            }
        }
    }

    /// All of them.
    pub(super) fn into_destination(self) -> Destination {
        let Self { surely, perhaps, why } = self;
        let perhaps = why.map(|why| (Arc::new(perhaps.into_iter().collect()), why));
        Destination { surely: Arc::new(surely.into_iter().collect()), perhaps }
    }
}

/// The rules that a packet may come to: of what follows the first one, mostly the rule that lets all of that pass, and
/// none behind it.
pub(super) fn reached(kind: Kind, rules: impl IntoIterator<Item = Rule>) -> Vec<Rule> {
    let mut reached = Vec::new();
    for rule in rules.into_iter().filter(|rule| rule.matches.rest != Applies::No) {
        let last = kind != Kind::Opening && rule.is_last();
        reached.push(rule);
        if last {
            break;
        }
    }
    reached
}

/// A doubt about something that no file tells: a rate, a time of day, a mark.
pub(super) fn depends_on(what: &str) -> Applies {
    Applies::maybe(format!("it depends on {}", cited(what)))
}
