//! Named objects and groups of them, as devices hold addresses and services.

use std::collections::HashMap;
use std::sync::Arc;

use crate::audit::word::cited;
use crate::audit::{AddressSet, Applies, Destination};
use crate::prefix::AddressRange;

/// Groups within groups are followed this deep; vendors allow ten at most.
const DEEPEST: usize = 32;

/// One part of an object.
#[derive(Clone, Debug)]
pub(super) enum Member<'a> {
    /// Addresses.
    Range(AddressRange),
    /// Addresses that are known already, at least in part.
    Known(Destination),
    /// Another object or group.
    Named(&'a str),
}

impl Member<'_> {
    /// Any address, for all that is known.
    pub(super) fn unknown(why: impl Into<Arc<str>>) -> Self {
        Self::Known(Destination::unknown(why))
    }
}

/// The address objects and groups of a configuration.
pub(super) struct Book<'a> {
    kind: &'static str,
    literal: fn(&str) -> Option<Destination>,
    objects: HashMap<&'a str, Object<'a>>,
    resolved: HashMap<&'a str, Destination>,
}

/// An object or a group.
#[derive(Default)]
pub(super) struct Object<'a> {
    /// What is in it.
    pub(super) members: Vec<Member<'a>>,
    /// What is not, although a member holds it.
    pub(super) except: Vec<Member<'a>>,
}

impl<'a> Book<'a> {
    /// An empty book of what the device calls `kind`; `literal` says what a name is that no object has.
    pub(super) fn new(kind: &'static str, literal: fn(&str) -> Option<Destination>) -> Self {
        Self { kind, literal, objects: HashMap::new(), resolved: HashMap::new() }
    }

    /// The object of this name, made if it is not there.
    pub(super) fn object(&mut self, name: &'a str) -> &mut Object<'a> {
        self.objects.entry(name).or_default()
    }

    /// Takes an object away.
    pub(super) fn remove(&mut self, name: &str) {
        self.objects.remove(name);
    }

    /// Whether there is an object of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.objects.contains_key(name)
    }

    /// Adds a member to an object.
    pub(super) fn add(&mut self, name: &'a str, member: Member<'a>) {
        self.object(name).members.push(member);
    }

    /// What the name stands for.
    pub(super) fn resolve(&mut self, name: &'a str) -> Destination {
        self.named(name, 0)
    }

    /// What any of the members stands for.
    pub(super) fn any_of(&mut self, members: &[Member<'a>]) -> Destination {
        self.gathered(members, 0)
    }

    /// What any of the names stands for; none at all is a doubt.
    pub(super) fn any_named(&mut self, names: &[&'a str]) -> Destination {
        if names.is_empty() {
            return Destination::unknown(format!("it names no {}", self.kind));
        }
        let members: Vec<Member<'a>> = names.iter().map(|name| Member::Named(name)).collect();
        self.any_of(&members)
    }

    fn named(&mut self, name: &'a str, depth: usize) -> Destination {
        if let Some(known) = self.resolved.get(name) {
            return known.clone();
        }
        let Some(object) = self.objects.remove(name) else {
            return (self.literal)(name).unwrap_or_else(|| self.missing(name));
        };
        let destination = if depth < DEEPEST {
            // Found again on the way down, it is a member of itself.
            self.resolved.insert(name, Destination::unknown(format!("{} {} holds itself", self.kind, cited(name))));
            let whole = self.gathered(&object.members, depth + 1);
            if object.except.is_empty() {
                whole
            } else {
                whole.intersection(&self.gathered(&object.except, depth + 1).complement())
            }
        } else {
            Destination::unknown(format!("{} {} lies in more than {DEEPEST} others", self.kind, cited(name)))
        };
        self.objects.insert(name, object);
        self.resolved.insert(name, destination.clone());
        destination
    }

    fn missing(&self, name: &str) -> Destination {
        Destination::unknown(format!("{} {} is not in the file", self.kind, cited(name)))
    }

    fn gathered(&mut self, members: &[Member<'a>], depth: usize) -> Destination {
        let mut gathered = Gathered::default();
        for member in members {
            match member {
                Member::Range(range) => gathered.surely.push(*range),
                Member::Known(known) => gathered.take(known),
                Member::Named(name) => gathered.take(&self.named(name, depth)),
            }
        }
        gathered.destination()
    }
}

/// A union in the making: made whole once, as joining sets one by one takes the square of the time.
#[derive(Default)]
struct Gathered {
    surely: Vec<AddressRange>,
    perhaps: Vec<AddressRange>,
    why: Option<Arc<str>>,
}

impl Gathered {
    fn take(&mut self, part: &Destination) {
        self.surely.extend(part.surely.ranges());
        if let Some((perhaps, why)) = &part.perhaps {
            self.perhaps.extend(perhaps.ranges());
            self.why.get_or_insert_with(|| Arc::clone(why));
        }
    }

    fn destination(self) -> Destination {
        let surely: AddressSet = self.surely.into_iter().collect();
        let perhaps = self.why.map(|why| {
            let perhaps: AddressSet = self.perhaps.into_iter().collect();
            (Arc::new(perhaps.difference(&surely)), why)
        });
        Destination { surely: Arc::new(surely), perhaps }
    }
}

/// One part of a service.
#[derive(Clone, Debug)]
pub(super) enum Part<'a> {
    /// Whether it has the port that is asked for.
    Known(Applies),
    /// Another service or group.
    Named(&'a str),
}

/// The services of a configuration: whether they have the port that is asked for.
pub(super) struct Services<'a> {
    builtin: fn(&str, u16) -> Option<Applies>,
    port: u16,
    parts: HashMap<&'a str, Vec<Part<'a>>>,
    resolved: HashMap<&'a str, Applies>,
}

impl<'a> Services<'a> {
    /// No services but those that `builtin` knows.
    pub(super) fn new(port: u16, builtin: fn(&str, u16) -> Option<Applies>) -> Self {
        Self { builtin, port, parts: HashMap::new(), resolved: HashMap::new() }
    }

    /// The port that is asked for.
    pub(super) fn port(&self) -> u16 {
        self.port
    }

    /// Adds a part to a service.
    pub(super) fn add(&mut self, name: &'a str, part: Part<'a>) {
        self.service(name).push(part);
    }

    /// The service of this name, made if it is not there.
    pub(super) fn service(&mut self, name: &'a str) -> &mut Vec<Part<'a>> {
        self.parts.entry(name).or_default()
    }

    /// Takes a service away.
    pub(super) fn remove(&mut self, name: &str) {
        self.parts.remove(name);
    }

    /// Whether there is a service of this name.
    pub(super) fn has(&self, name: &str) -> bool {
        self.parts.contains_key(name)
    }

    /// Whether the service has the port that is asked for.
    pub(super) fn resolve(&mut self, name: &'a str) -> Applies {
        self.named(name, 0)
    }

    /// Whether any of the services has it; none at all is a doubt.
    pub(super) fn any_named(&mut self, names: &[&'a str]) -> Applies {
        if names.is_empty() {
            return Applies::maybe("it names no service");
        }
        names.iter().fold(Applies::No, |any, name| any.or(self.resolve(name)))
    }

    fn named(&mut self, name: &'a str, depth: usize) -> Applies {
        if let Some(known) = self.resolved.get(name) {
            return known.clone();
        }
        let Some(parts) = self.parts.remove(name) else {
            let builtin = (self.builtin)(name, self.port);
            return builtin.unwrap_or_else(|| Applies::maybe(format!("service {} is not in the file", cited(name))));
        };
        let applies = if depth < DEEPEST {
            self.resolved.insert(name, Applies::maybe(format!("service {} holds itself", cited(name))));
            parts.iter().fold(Applies::No, |any, part| match part {
                Part::Known(known) => any.or(known.clone()),
                Part::Named(other) => any.or(self.named(other, depth + 1)),
            })
        } else {
            Applies::maybe(format!("service {} lies in more than {DEEPEST} others", cited(name)))
        };
        self.parts.insert(name, parts);
        self.resolved.insert(name, applies.clone());
        applies
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::audit::word::address_range as any_form;

    fn book() -> Book<'static> {
        Book::new("object", |name| any_form(name).map(|range| AddressSet::from(range).into()))
    }

    fn range(text: &str) -> Member<'static> {
        Member::Range(any_form(text).unwrap())
    }

    #[test]
    fn groups_within_groups_are_one_set() {
        let mut book = book();
        book.add("outer", Member::Named("inner"));
        book.add("outer", range("10.0.0.0/9"));
        book.add("outer", Member::Named("192.0.2.1"));
        book.add("inner", range("10.128.0.0/9"));
        let texts: Vec<String> = book.resolve("outer").surely.prefixes().iter().map(ToString::to_string).collect();
        assert_eq!(texts, ["10.0.0.0/8", "192.0.2.1/32"]);
        assert_eq!(book.resolve("outer").perhaps, None);
    }

    #[test]
    fn what_is_missing_or_holds_itself_is_unknown() {
        let mut book = book();
        book.add("a", Member::Named("b"));
        book.add("a", range("10.0.0.0/8"));
        book.add("b", Member::Named("a"));
        let looped = book.resolve("a");
        assert_eq!(looped.surely.prefixes().len(), 1);
        assert!(looped.perhaps.unwrap().1.contains("`a` holds itself"));
        assert!(book.resolve("c").perhaps.unwrap().1.contains("`c` is not in the file"));
    }

    #[test]
    fn a_chain_of_groups_ends() {
        let names: Vec<String> = (0..100_000).map(|number| format!("g{number}")).collect();
        let mut book = book();
        for pair in names.windows(2) {
            book.add(&pair[0], Member::Named(&pair[1]));
        }
        assert!(book.resolve(&names[0]).perhaps.unwrap().1.contains("more than 32"));
    }

    #[test]
    fn what_is_excepted_is_out() {
        let mut book = book();
        book.add("g", range("10.0.0.0/8"));
        book.object("g").except.push(range("10.1.0.0/16"));
        book.add("h", range("10.0.0.0/8"));
        book.object("h").except.push(Member::unknown("a host name"));
        assert_eq!(book.resolve("g").surely.addresses(crate::prefix::Family::V4), (1 << 24) - (1 << 16));
        let doubtful = book.resolve("h");
        assert!(doubtful.surely.is_empty() && doubtful.perhaps.is_some());
    }

    #[test]
    fn services_are_joined_and_doubts_kept() {
        let mut services = Services::new(443, |name, port| (name == "HTTPS").then(|| (port == 443).into()));
        services.add("web", Part::Known(Applies::No));
        services.add("web", Part::Named("HTTPS"));
        services.add("loop", Part::Named("loop"));
        assert_eq!(services.resolve("web"), Applies::Yes);
        assert!(matches!(services.resolve("loop"), Applies::Maybe(_)));
        assert!(matches!(services.resolve("other"), Applies::Maybe(_)));
        assert_eq!(services.any_named(&["other", "web"]), Applies::Yes);
    }
}
