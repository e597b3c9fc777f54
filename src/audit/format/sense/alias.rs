//! Aliases: of addresses and of ports, and the networks that the system names itself.

use roxmltree::Node;

use super::{child, children, text};
use crate::audit::format::address::prefix;
use crate::audit::format::book::{Book, Member, Part, Services};
use crate::audit::format::flow::only;
use crate::audit::format::ports::in_range;
use crate::audit::word::{address_range, cited};
use crate::audit::{AddressSet, Applies, Destination, Question};

/// All aliases of a configuration.
pub(super) struct Aliases<'a> {
    addresses: Book<'a>,
    ports: Services<'a>,
}

impl<'a> Aliases<'a> {
    pub(super) fn of(roots: &[(u16, Node<'a, '_>)], question: &Question) -> Self {
        let mut aliases =
            Self { addresses: Book::new("alias", literal), ports: Services::new(question.port, numbered) };
        for (_, root) in roots {
            aliases.networks(*root);
            let older = child(*root, "aliases");
            let newer = ["OPNsense", "Firewall", "Alias", "aliases"];
            let newer = newer.iter().try_fold(*root, |node, name| child(node, name));
            let own = Some(*root).filter(|root| root.has_tag_name("aliases"));
            for all in [older, newer, own].into_iter().flatten() {
                children(all, "alias").for_each(|alias| aliases.take(alias));
            }
        }
        aliases
    }

    /// What an alias, a network of an interface or an address stands for.
    pub(super) fn resolve(&mut self, name: &'a str) -> Destination {
        self.addresses.resolve(name)
    }

    /// Whether a port, a range of them or an alias has the one that is asked for.
    pub(super) fn has_port(&mut self, name: &'a str) -> Applies {
        self.ports.resolve(name)
    }

    /// `lan` and `lanip` in rules; an interface whose address is not in the file has one that is not known.
    fn networks(&mut self, root: Node<'a, '_>) {
        for interface in child(root, "interfaces").into_iter().flat_map(|all| all.children()).filter(Node::is_element) {
            let range = prefix_of(text(interface, "ipaddr"), text(interface, "subnet"));
            let why = format!("the network of interface {}", cited(interface.tag_name().name()));
            let member = range.map_or_else(|| Member::unknown(why), Member::Range);
            self.addresses.add(interface.tag_name().name(), member);
            if let Some(range) = prefix_of(text(interface, "ipaddrv6"), text(interface, "subnetv6")) {
                self.addresses.add(interface.tag_name().name(), Member::Range(range));
            }
        }
    }

    fn take(&mut self, alias: Node<'a, '_>) {
        let name = text(alias, "name");
        if text(alias, "enabled") == "0" {
            self.addresses.add(name, Member::unknown(format!("alias {} is disabled", cited(name))));
            return;
        }
        let content = [text(alias, "address"), text(alias, "content")].into_iter();
        let values: Vec<&'a str> = content.flat_map(str::split_whitespace).collect();
        match text(alias, "type") {
            "host" | "network" | "networkgroup" => {
                self.addresses.object(name);
                for value in values {
                    self.addresses.add(name, member(value));
                    if let Some(excepted) = value.strip_prefix('!') {
                        self.addresses.object(name).except.push(member(excepted));
                    }
                }
            }
            "port" => {
                self.ports.service(name);
                self.ports.service(name).extend(values.into_iter().map(Part::Named));
            }
            kind => {
                let why = format!("alias {} is of type {}: what is in it is not in the file", cited(name), cited(kind));
                self.addresses.add(name, Member::unknown(why.clone()));
                self.ports.add(name, Part::Known(Applies::maybe(why)));
            }
        }
    }
}

/// A negated entry adds nothing.
fn member(value: &str) -> Member<'_> {
    if value.starts_with('!') {
        return Member::Known(AddressSet::none().into());
    }
    address_range(value).map_or(Member::Named(value), Member::Range)
}

fn prefix_of(address: &str, length: &str) -> Option<crate::prefix::AddressRange> {
    prefix(&format!("{address}/{length}"))
}

/// What is no alias: an address, or a name of the system.
fn literal(name: &str) -> Option<Destination> {
    Some(match name {
        "any" => Destination::any(),
        "(self)" | "self" => Destination::unknown("the addresses of the firewall"),
        _ => match address_range(name) {
            Some(range) => AddressSet::from(range).into(),
            // Names of aliases have no dots.
            None if name.contains('.') => Destination::unknown(format!("host name {}", cited(name))),
            None => return None,
        },
    })
}

fn numbered(name: &str, port: u16) -> Option<Applies> {
    let has = in_range(name, port);
    has.map(Applies::from).or_else(|| name.starts_with(|c: char| c.is_ascii_digit()).then(|| only("ports", name)))
}
