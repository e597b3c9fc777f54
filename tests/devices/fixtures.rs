//! The lists that every format is given.

use egressd::export::{ExportError, Intent, Overflow, Request, RuleFormat, Selected};
use egressd::prefix::{Family, Prefix};
use egressd::ranges::FeedSnapshot;

use crate::model::{Net, merged};

/// A list, and what it is called.
pub struct Fixture {
    pub name: &'static str,
    pub prefixes: Vec<Prefix>,
}

/// Ports that are asked for; the readers know no others.
pub const PORTS: [u16; 2] = [443, 8443];

pub fn prefixes(texts: &[&str]) -> Vec<Prefix> {
    texts.iter().map(|text| text.parse().expect("a prefix")).collect()
}

/// The documented list, which is IPv4 alone, with some IPv6 as AWS publishes it.
pub fn documented() -> Vec<Prefix> {
    let v4 = FeedSnapshot::documented().ranges.iter().map(|range| range.prefix).collect::<Vec<_>>();
    [v4, prefixes(&["2600:9000:5308::/45", "2600:9000:3000::/36", "2409:8c00:2421:300::/56"])].concat()
}

/// What a format that takes one family gets of it.
pub fn taken(format: RuleFormat, prefixes: &[Prefix]) -> Vec<Prefix> {
    let takes_v6 = format.capability().families != egressd::export::Families::V4Only;
    prefixes.iter().copied().filter(|prefix| takes_v6 || prefix.family() == Family::V4).collect()
}

pub fn fixtures() -> Vec<Fixture> {
    let fixture = |name, texts: &[&str]| Fixture { name, prefixes: prefixes(texts) };
    vec![
        Fixture { name: "documented", prefixes: documented() },
        fixture("one family, IPv4", &["13.32.0.0/15", "99.84.0.0/16"]),
        fixture("one family, IPv6", &["2600:9000::/28", "2a02::/128"]),
        fixture("single addresses", &["56.125.47.0/32", "2600:9000::1/128"]),
        fixture("halves of everything", &["0.0.0.0/1", "128.0.0.0/2", "8000::/1"]),
        fixture("neighbours", &["13.32.0.0/16", "13.33.0.0/17", "13.34.0.0/16", "2600::/33", "2600:0:8000::/33"]),
    ]
}

/// What may differ between two exports of the same list.
#[derive(Clone, Copy)]
pub struct Asked<'a> {
    pub name: &'a str,
    pub comment: &'a str,
    pub hosts: &'a [String],
    pub intent: Intent<'a>,
    pub most: Option<usize>,
    pub overflow: Overflow,
}

impl Default for Asked<'_> {
    fn default() -> Self {
        let (intent, overflow) = (Intent::Replace, Overflow::Fail);
        Self { name: "cloudfront", comment: "viewer", hosts: &[], intent, most: None, overflow }
    }
}

/// The exported text.
pub fn exported(format: RuleFormat, prefixes: &[Prefix], asked: Asked<'_>) -> Result<String, ExportError> {
    let selected = Selected::new(prefixes.iter().map(|&prefix| (prefix, asked.comment.to_owned())));
    let request = Request {
        format,
        name: asked.name,
        source: asked.comment,
        origin: asked.comment,
        selected: &selected,
        intent: asked.intent,
        ports: &PORTS,
        hosts: asked.hosts,
        max_entries: asked.most.and_then(std::num::NonZeroUsize::new),
        overflow: asked.overflow,
    };
    let mut text = String::new();
    format.write(&request.rules()?, &mut text).expect("a String takes everything");
    Ok(text)
}

/// The addresses of prefixes.
pub fn addresses(prefixes: &[Prefix]) -> Vec<Net> {
    merged(prefixes.iter().map(|prefix| (prefix.first(), prefix.last())))
}
