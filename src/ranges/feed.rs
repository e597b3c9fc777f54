//! From the bytes of a feed to a snapshot: every entry is judged, and one bad entry refuses the whole file.

use std::sync::LazyLock;

use jiff::civil::{Date, DateTime, date};
use sha2::{Digest, Sha256};

use super::document::{Document, Entry, Kind};
use super::fault::{Array, EntryFault, Fault, FeedError, Place};
use super::{FeedSnapshot, List, Range, Source, roles};
use crate::prefix::{Family, Prefix, PrefixSet, aggregate, special_purpose};
use crate::text::{hexadecimal, printable};

/// No feed has more bytes; `ip-ranges.json` had 2.6 MB in August 2026.
pub const MOST_BYTES: usize = 32 << 20;

/// The first day on which AWS published what the platform's help page has.
pub const DOCUMENTED_DATE: Date = date(2021, 1, 11);

const DOCUMENTED: &[u8] = include_bytes!("../../data/feeds/documented-2021-01.json");

impl FeedSnapshot {
    /// The lists on the platform's help page, embedded in the binary.
    #[must_use]
    pub fn documented() -> Self {
        EMBEDDED.clone()
    }

    /// Reads either published format; `name` is the file's name for messages.
    pub fn parse(name: &str, bytes: &[u8]) -> Result<Self, FeedError> {
        let mut snapshot = judged(name, bytes).map_err(|fault| FeedError { file: name.to_owned(), fault })?;
        if snapshot.date.is_none() && snapshot.equals_documented() {
            snapshot.date = Some(DOCUMENTED_DATE);
        }
        Ok(snapshot)
    }

    /// Whether it lists just what the documented list does, wherever it was read.
    #[must_use]
    pub fn equals_documented(&self) -> bool {
        let listed = |range: &Range| (range.prefix, range.list);
        self.ranges.iter().map(listed).eq(EMBEDDED.ranges.iter().map(listed))
    }

    /// The file that it was read from; none for what is there without being named: the embedded list, and what was fetched.
    #[must_use]
    pub fn file(&self) -> Option<&str> {
        (self.name != "embedded" && !self.name.contains("://")).then_some(self.name.as_str())
    }

    /// What a reader of the list has to know about it.
    #[must_use]
    pub fn note(&self) -> Option<&'static str> {
        self.equals_documented().then_some(
            "this is the documented list of January 2021; it is old, and AWS has published many more ranges since",
        )
    }
}

static EMBEDDED: LazyLock<FeedSnapshot> = LazyLock::new(|| {
    let snapshot = judged("embedded", DOCUMENTED).expect("the embedded list is sound");
    FeedSnapshot { source: Source::Documented, date: Some(DOCUMENTED_DATE), ..snapshot }
});

fn judged(name: &str, bytes: &[u8]) -> Result<FeedSnapshot, Fault> {
    let document = Document::read(json_text(bytes)?)?;
    let Spaces { listed, origin_facing, announced } = Spaces::of(&document.entries)?;
    let origin_facing = (!origin_facing.is_empty()).then(|| PrefixSet::from_iter(origin_facing));
    let listed = without_overlap(listed)?;
    let all: PrefixSet = listed.iter().map(|listed| listed.prefix).collect();
    let origin_facing = origin_facing.as_ref().unwrap_or_else(|| roles::known_origin_facing()).intersection(&all);
    Ok(FeedSnapshot {
        source: document.source,
        name: name.to_owned(),
        serial: document.sync_token.as_deref().map(serial).transpose()?,
        date: document.create_date.as_deref().map(created).transpose()?,
        sha256: hexadecimal(&Sha256::digest(bytes)),
        ranges: listed.into_iter().map(|listed| listed.range(&origin_facing)).collect(),
        origin_facing,
        announced: aggregate(announced).collect(),
    })
}

/// The bytes without a byte order mark, when they can be JSON at all.
fn json_text(bytes: &[u8]) -> Result<&[u8], Fault> {
    if bytes.len() > MOST_BYTES {
        return Err(Fault::TooLarge(MOST_BYTES));
    }
    let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
    match text {
        [] => Err(Fault::Empty),
        [0xff, 0xfe, ..] | [0xfe, 0xff, ..] => Err(Fault::NotJson("UTF-16 text (save it as UTF-8)")),
        [0x1f, 0x8b, ..] => Err(Fault::NotJson("gzip data (unpack it first)")),
        [b'<', ..] => Err(Fault::NotJson("HTML or XML (the answer of a proxy or a portal?)")),
        _ => Ok(bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes)),
    }
}

/// A listed range whose role is not yet known.
struct Listed {
    prefix: Prefix,
    place: Place,
    list: List,
    region: Option<String>,
}

impl Listed {
    fn range(self, origin_facing: &PrefixSet) -> Range {
        let role = roles::role(self.prefix, self.list, origin_facing);
        Range { prefix: self.prefix, list: self.list, role, region: self.region }
    }
}

/// What the entries say, sorted by what they are about.
#[derive(Default)]
struct Spaces {
    listed: Vec<Listed>,
    origin_facing: Vec<Prefix>,
    announced: Vec<Prefix>,
}

impl Spaces {
    fn of(entries: &[Entry<'_>]) -> Result<Self, Fault> {
        let mut spaces = Self::default();
        for entry in entries {
            let place = entry.place;
            let in_place = |fault| Fault::Entry { place, fault };
            let prefix = plausible(&entry.text, place.array);
            match &entry.kind {
                // Other services are not ours to judge; what is implausible vouches for nothing.
                Kind::Announced => spaces.announced.extend(prefix.ok()),
                Kind::OriginFacing => spaces.origin_facing.push(prefix.map_err(in_place)?),
                Kind::Listed(list, region) => {
                    let prefix = prefix.map_err(in_place)?;
                    let region = region.as_deref().map(region_name).transpose().map_err(in_place)?;
                    spaces.listed.push(Listed { prefix, place, list: *list, region });
                }
            }
        }
        Ok(spaces)
    }
}

fn plausible(text: &str, array: Array) -> Result<Prefix, EntryFault> {
    let prefix: Prefix = text.parse().map_err(EntryFault::Prefix)?;
    let family = match array {
        Array::Prefixes => Some(Family::V4),
        Array::Ipv6Prefixes => Some(Family::V6),
        Array::Global | Array::RegionalEdge => None,
    };
    if family.is_some_and(|family| family != prefix.family()) {
        return Err(EntryFault::Family(prefix));
    }
    let shortest = shortest(prefix.family());
    if prefix.len() < shortest {
        return Err(EntryFault::TooLarge { prefix, shortest });
    }
    match special_purpose(prefix) {
        Some((block, name)) => Err(EntryFault::SpecialPurpose { prefix, block, name }),
        None => Ok(prefix),
    }
}

/// CloudFront's largest are a /14 and a /36; a whole /8 or /16 is the most that one owner was ever given.
fn shortest(family: Family) -> u8 {
    match family {
        Family::V4 => 8,
        Family::V6 => 16,
    }
}

fn region_name(text: &str) -> Result<String, EntryFault> {
    let plain = text.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-');
    if plain && (1..=32).contains(&text.len()) {
        Ok(text.to_owned())
    } else {
        Err(EntryFault::Region(printable(text, 64)))
    }
}

/// In order of prefix; real feeds have neither repeated nor nested CloudFront ranges (17 states from 2018 to 2026).
fn without_overlap(mut listed: Vec<Listed>) -> Result<Vec<Listed>, Fault> {
    listed.sort_by_key(|listed| listed.prefix);
    // In this order a prefix that holds others is directly before the first of them.
    for pair in listed.windows(2) {
        let (outer, inner) = (&pair[0], &pair[1]);
        if outer.prefix == inner.prefix {
            return Err(Fault::Repeated { prefix: outer.prefix, first: outer.place, second: inner.place });
        }
        if outer.prefix.covers(inner.prefix) {
            let (outer_place, inner_place) = (outer.place, inner.place);
            return Err(Fault::Nested { outer: outer.prefix, outer_place, inner: inner.prefix, inner_place });
        }
    }
    if listed.iter().any(|listed| listed.list == List::Global) { Ok(listed) } else { Err(Fault::NoGlobalRange) }
}

fn serial(text: &str) -> Result<String, Fault> {
    let digits = (1..=20).contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit());
    digits.then(|| text.to_owned()).ok_or_else(|| stamp("syncToken", text, "a number of seconds"))
}

/// The day of a `YYYY-MM-DD-hh-mm-ss` in UTC.
fn created(text: &str) -> Result<Date, Fault> {
    let whole = text.len() == "YYYY-MM-DD-hh-mm-ss".len();
    let parsed = whole.then(|| DateTime::strptime("%Y-%m-%d-%H-%M-%S", text).ok()).flatten();
    parsed.map(DateTime::date).ok_or_else(|| stamp("createDate", text, "a time as YYYY-MM-DD-hh-mm-ss"))
}

fn stamp(key: &'static str, text: &str, expected: &'static str) -> Fault {
    Fault::Stamp { key, text: printable(text, 64), expected }
}

#[cfg(test)]
mod damage;
#[cfg(test)]
mod tests;
