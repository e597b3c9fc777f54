//! The JSON of both published formats, told apart by its keys and read in one pass.
//!
//! Strings are borrowed from the input, and of `ip-ranges.json` only CloudFront's entries are kept, and those that say where
//! its ranges can lie. What the texts say is judged elsewhere.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;

use serde::de::value::MapAccessDeserializer;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};

use super::fault::{Array, Fault, Place};
use super::{List, Source};
use crate::text::printable;

/// More CloudFront entries than this are not a feed: there were 292 in August 2026.
const MOST_ENTRIES: usize = 20_000;

/// More entries of the publisher's whole space than this are not a feed: there were 8,300 in August 2026.
const MOST_ANNOUNCED: usize = 200_000;

/// What a feed says, before any of its texts is judged.
#[derive(Debug)]
pub(super) struct Document<'a> {
    pub(super) source: Source,
    pub(super) sync_token: Option<Cow<'a, str>>,
    pub(super) create_date: Option<Cow<'a, str>>,
    pub(super) entries: Vec<Entry<'a>>,
}

/// One entry that says something of CloudFront.
#[derive(Debug)]
pub(super) struct Entry<'a> {
    pub(super) place: Place,
    pub(super) text: Cow<'a, str>,
    pub(super) kind: Kind<'a>,
}

/// What an entry is about.
#[derive(Debug)]
pub(super) enum Kind<'a> {
    /// A range of one of the lists.
    Listed(List, Option<Cow<'a, str>>),
    /// Space that talks to origins.
    OriginFacing,
    /// Space of the publisher, whatever it is for.
    Announced,
}

impl<'a> Document<'a> {
    /// Reads either format.
    pub(super) fn read(bytes: &'a [u8]) -> Result<Self, Fault> {
        let keys: Object<Keys<'a>> = serde_json::from_slice(bytes).map_err(|error| json_fault(&error))?;
        keys.0.told_apart()
    }
}

/// The keys of both formats; others are AWS's to add, and are passed over.
#[derive(serde::Deserialize)]
struct Keys<'a> {
    #[serde(rename = "CLOUDFRONT_GLOBAL_IP_LIST", borrow, default, deserialize_with = "global")]
    global: Option<Vec<Entry<'a>>>,
    #[serde(rename = "CLOUDFRONT_REGIONAL_EDGE_IP_LIST", borrow, default, deserialize_with = "regional_edge")]
    regional_edge: Option<Vec<Entry<'a>>>,
    #[serde(rename = "syncToken", borrow, default)]
    sync_token: Option<Text<'a>>,
    #[serde(rename = "createDate", borrow, default)]
    create_date: Option<Text<'a>>,
    #[serde(borrow, default, deserialize_with = "prefixes")]
    prefixes: Option<Vec<Entry<'a>>>,
    #[serde(borrow, default, deserialize_with = "ipv6_prefixes")]
    ipv6_prefixes: Option<Vec<Entry<'a>>>,
}

impl<'a> Keys<'a> {
    fn told_apart(self) -> Result<Document<'a>, Fault> {
        let list = self.global.as_ref().map(|_| Array::Global.key());
        let list = list.or(self.regional_edge.as_ref().map(|_| Array::RegionalEdge.key()));
        let ranges = self.prefixes.as_ref().map(|_| Array::Prefixes.key());
        let ranges = ranges.or(self.ipv6_prefixes.as_ref().map(|_| Array::Ipv6Prefixes.key()));
        match (list, ranges) {
            (Some(list), Some(ranges)) => Err(Fault::BothFormats(list, ranges)),
            (Some(_), None) => self.list_cloudfront_ips(),
            (None, Some(_)) => self.ip_ranges(),
            (None, None) => Err(Fault::UnknownFormat),
        }
    }

    fn list_cloudfront_ips(self) -> Result<Document<'a>, Fault> {
        let mut entries = self.global.ok_or(Fault::MissingKey(Array::Global.key()))?;
        entries.extend(self.regional_edge.ok_or(Fault::MissingKey(Array::RegionalEdge.key()))?);
        Ok(Document { source: Source::ListCloudfrontIps, sync_token: None, create_date: None, entries })
    }

    fn ip_ranges(self) -> Result<Document<'a>, Fault> {
        let mut entries = self.prefixes.ok_or(Fault::MissingKey(Array::Prefixes.key()))?;
        // Feeds of before 2016 have no IPv6 at all.
        entries.extend(self.ipv6_prefixes.unwrap_or_default());
        Ok(Document {
            source: Source::IpRanges,
            sync_token: self.sync_token.map(|text| text.0),
            create_date: self.create_date.map(|text| text.0),
            entries,
        })
    }
}

fn global<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Entry<'de>>>, D::Error> {
    array::<Text<'de>, D>(Array::Global, deserializer)
}

fn regional_edge<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Entry<'de>>>, D::Error> {
    array::<Text<'de>, D>(Array::RegionalEdge, deserializer)
}

fn prefixes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Entry<'de>>>, D::Error> {
    array::<Object<Published<'de>>, D>(Array::Prefixes, deserializer)
}

fn ipv6_prefixes<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Option<Vec<Entry<'de>>>, D::Error> {
    array::<Object<Published<'de>>, D>(Array::Ipv6Prefixes, deserializer)
}

fn array<'de, T, D>(array: Array, deserializer: D) -> Result<Option<Vec<Entry<'de>>>, D::Error>
where
    T: Element<'de>,
    D: Deserializer<'de>,
{
    deserializer.deserialize_seq(Entries(array, PhantomData::<T>)).map(Some)
}

/// An element of an array; `None` for one that says nothing of CloudFront.
trait Element<'de>: Deserialize<'de> {
    fn entry(self, place: Place) -> Result<Option<Entry<'de>>, &'static str>;
}

/// A string, borrowed where it holds no escape.
#[derive(serde::Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl<'de> Element<'de> for Text<'de> {
    fn entry(self, place: Place) -> Result<Option<Entry<'de>>, &'static str> {
        let list = if place.array == Array::Global { List::Global } else { List::RegionalEdge };
        Ok(Some(Entry { place, text: self.0, kind: Kind::Listed(list, None) }))
    }
}

/// An entry of `ip-ranges.json`, of whichever service.
#[derive(serde::Deserialize)]
struct Published<'a> {
    #[serde(borrow)]
    service: Cow<'a, str>,
    #[serde(borrow)]
    ip_prefix: Option<Cow<'a, str>>,
    #[serde(borrow)]
    ipv6_prefix: Option<Cow<'a, str>>,
    #[serde(borrow)]
    region: Option<Cow<'a, str>>,
}

impl<'de> Element<'de> for Object<Published<'de>> {
    fn entry(self, place: Place) -> Result<Option<Entry<'de>>, &'static str> {
        let Published { service, ip_prefix, ipv6_prefix, region } = self.0;
        let kind = match service.as_ref() {
            "CLOUDFRONT" => listed(region.ok_or("region")?),
            "CLOUDFRONT_ORIGIN_FACING" => Kind::OriginFacing,
            // What all services have in common: it says where their ranges can lie at all.
            "AMAZON" => Kind::Announced,
            _ => return Ok(None),
        };
        let text = match place.array {
            Array::Ipv6Prefixes => ipv6_prefix.ok_or("ipv6_prefix")?,
            _ => ip_prefix.ok_or("ip_prefix")?,
        };
        Ok(Some(Entry { place, text, kind }))
    }
}

/// `GLOBAL` names no region but the global list.
fn listed(region: Cow<'_, str>) -> Kind<'_> {
    if region == "GLOBAL" { Kind::Listed(List::Global, None) } else { Kind::Listed(List::RegionalEdge, Some(region)) }
}

/// Collects CloudFront's entries of one array.
struct Entries<T>(Array, PhantomData<T>);

impl<'de, T: Element<'de>> Visitor<'de> for Entries<T> {
    type Value = Vec<Entry<'de>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "an array under `{}`", self.0.key())
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut elements: A) -> Result<Self::Value, A::Error> {
        let (mut entries, mut announced) = (Vec::new(), 0);
        for index in 0.. {
            let place = Place { array: self.0, index };
            // serde_json finds line and column in the message again, so that naming the element does not lose them.
            let named = |error: A::Error| A::Error::custom(format_args!("{}: {error}", place.element()));
            let Some(element) = elements.next_element::<T>().map_err(named)? else { break };
            let entry = element.entry(place).map_err(A::Error::missing_field).map_err(named)?;
            announced += usize::from(entry.as_ref().is_some_and(|entry| matches!(entry.kind, Kind::Announced)));
            entries.extend(entry);
            if entries.len() - announced > MOST_ENTRIES {
                return Err(A::Error::custom(format_args!("more than {MOST_ENTRIES} CloudFront entries")));
            }
            if announced > MOST_ANNOUNCED {
                return Err(A::Error::custom(format_args!("more than {MOST_ANNOUNCED} entries of one service")));
            }
        }
        Ok(entries)
    }
}

/// A JSON object. Without this serde would take an array for a struct, field by field.
struct Object<T>(T);

impl<'de, T: Deserialize<'de>> Deserialize<'de> for Object<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(ObjectVisitor(PhantomData))
    }
}

struct ObjectVisitor<T>(PhantomData<T>);

impl<'de, T: Deserialize<'de>> Visitor<'de> for ObjectVisitor<T> {
    type Value = Object<T>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, map: A) -> Result<Self::Value, A::Error> {
        T::deserialize(MapAccessDeserializer::new(map)).map(Object)
    }
}

fn json_fault(error: &serde_json::Error) -> Fault {
    let message = error.to_string();
    let reason = message.rsplit_once(" at line ").map_or(message.as_str(), |(reason, _)| reason);
    let hint = if reason.contains("EOF while parsing") { " (the file is cut off)" } else { "" };
    let reason = format!("{}{hint}", printable(reason, 200));
    Fault::Json { line: error.line(), column: error.column(), reason }
}
