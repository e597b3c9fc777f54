//! Lists that were in force once, each in a file that is itself a feed: what CloudFront had then, and nothing else.

use std::fmt::Write as _;

use jiff::civil::Date;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use sha2::{Digest, Sha256};

use super::{FeedError, FeedSnapshot, List, Source};
use crate::prefix::{Family, Prefix};
use crate::text::hexadecimal;

/// What a file says of itself, under a key that readers of the published formats pass over.
#[derive(Debug, Default, Deserialize, Serialize)]
#[serde(default)]
struct Note {
    /// The day that it was published or fetched.
    date: Option<Date>,
    /// SHA-256 of what was published.
    sha256: Option<String>,
}

/// A file, as far as it is ours.
#[derive(Default, Deserialize)]
#[serde(default)]
struct Noted {
    egressd: Note,
}

impl FeedSnapshot {
    /// Reads a list from the archive, or any other feed.
    ///
    /// # Errors
    /// As those of [`FeedSnapshot::parse`].
    pub fn parse_archived(name: &str, bytes: &[u8]) -> Result<Self, FeedError> {
        let mut snapshot = Self::parse(name, bytes)?;
        let Noted { egressd: Note { date, sha256 } } = serde_json::from_slice(bytes).unwrap_or_default();
        snapshot.date = snapshot.date.or(date);
        let digest = |text: &String| text.len() == 64 && text.bytes().all(|byte| byte.is_ascii_hexdigit());
        snapshot.sha256 = sha256.filter(digest).unwrap_or(snapshot.sha256);
        Ok(snapshot)
    }

    /// Writes it for the archive, in the format in which it was published.
    #[must_use]
    pub fn archived(&self) -> String {
        let note = Note { date: self.date, sha256: Some(self.sha256.clone()) };
        let mut document = match self.source {
            Source::IpRanges => self.as_ip_ranges(),
            Source::Documented | Source::ListCloudfrontIps => self.as_list(),
        };
        document.insert("egressd".to_owned(), serde_json::to_value(note).expect("it is made of texts"));
        let mut text = serde_json::to_string_pretty(&document).expect("it is made of texts");
        text.push('\n');
        text
    }

    /// A digest of what is listed, whatever else the file said: two states of a list are the same if theirs are.
    #[must_use]
    pub fn digest(&self) -> String {
        let mut text = String::new();
        for range in &self.ranges {
            let _ = writeln!(text, "{} {}", range.prefix, range.list);
        }
        hexadecimal(&Sha256::digest(text.as_bytes()))
    }

    fn as_list(&self) -> Map<String, Value> {
        let of =
            |list| self.ranges.iter().filter(|range| range.list == list).map(|range| range.prefix).collect::<Vec<_>>();
        let lists =
            [("CLOUDFRONT_GLOBAL_IP_LIST", List::Global), ("CLOUDFRONT_REGIONAL_EDGE_IP_LIST", List::RegionalEdge)];
        lists.into_iter().map(|(key, list)| (key.to_owned(), json!(of(list)))).collect()
    }

    fn as_ip_ranges(&self) -> Map<String, Value> {
        let mut document = Map::new();
        document.extend(self.serial.iter().map(|serial| ("syncToken".to_owned(), json!(serial))));
        document.extend(self.date.iter().map(|date| ("createDate".to_owned(), json!(format!("{date}-00-00-00")))));
        let arrays = [("prefixes", "ip_prefix", Family::V4), ("ipv6_prefixes", "ipv6_prefix", Family::V6)];
        document.extend(arrays.map(|(key, name, family)| (key.to_owned(), self.entries(name, family))));
        document
    }

    fn entries(&self, name: &str, family: Family) -> Value {
        let entry = |prefix: Prefix, region: &str, service: &str| json!({name: prefix, "region": region, "service": service, "network_border_group": region});
        let listed = self.ranges.iter().filter(|range| range.prefix.family() == family);
        let listed = listed.map(|range| {
            let region = match range.list {
                List::Global => "GLOBAL",
                List::RegionalEdge => range.region.as_deref().unwrap_or("unknown"),
            };
            entry(range.prefix, region, "CLOUDFRONT")
        });
        let origin_facing = self.origin_facing.prefixes().into_iter().filter(|prefix| prefix.family() == family);
        let origin_facing = origin_facing.map(|prefix| entry(prefix, "GLOBAL", "CLOUDFRONT_ORIGIN_FACING"));
        listed.chain(origin_facing).collect()
    }
}

/// The first day that a name mentions, as in `ip-ranges-2021-06-08.json`.
#[must_use]
pub fn day_in(name: &str) -> Option<Date> {
    const LENGTH: usize = "2021-06-08".len();
    let digits = |at: usize| name.as_bytes().get(at).is_some_and(u8::is_ascii_digit);
    (0..name.len().saturating_sub(LENGTH - 1))
        .filter(|&at| !digits(at + LENGTH) && (at == 0 || !digits(at - 1)))
        .find_map(|at| name.get(at..at + LENGTH)?.parse().ok())
}

#[cfg(test)]
mod tests {
    use super::super::made::{list, newer_ip_ranges};
    use super::*;

    fn feed(text: &str) -> FeedSnapshot {
        FeedSnapshot::parse("made", text.as_bytes()).unwrap()
    }

    #[test]
    fn both_formats_come_back_as_they_were() {
        let undated = feed(&list(&["13.32.0.0/15"], &["13.124.199.0/24"]));
        let dated = FeedSnapshot { date: Some("2021-06-08".parse().unwrap()), ..undated };
        for snapshot in [feed(&newer_ip_ranges()), dated, FeedSnapshot::documented()] {
            let back = FeedSnapshot::parse_archived(&snapshot.name, snapshot.archived().as_bytes()).unwrap();
            let source =
                if snapshot.source == Source::Documented { Source::ListCloudfrontIps } else { snapshot.source };
            let due = FeedSnapshot { source, announced: Vec::new(), ..snapshot };
            assert_eq!(back, due);
        }
    }

    #[test]
    fn a_digest_is_of_the_listed_alone() {
        let snapshot = feed(&newer_ip_ranges());
        let other = feed(&newer_ip_ranges().replace("1787433425", "1787433426"));
        assert_eq!(snapshot.digest(), other.digest());
        assert_ne!(snapshot.digest(), FeedSnapshot::documented().digest());
    }

    #[test]
    fn a_note_that_is_none_of_ours_says_nothing() {
        let text = list(&["13.32.0.0/15"], &[]);
        for note in ["5", "[]", "{\"date\": \"yesterday\"}", "{\"sha256\": \"\\u001b[2J\"}"] {
            let noted = text.replacen('{', &format!("{{\"egressd\": {note}, "), 1);
            let snapshot = FeedSnapshot::parse_archived("made", noted.as_bytes()).unwrap();
            assert_eq!((snapshot.date, snapshot.sha256), (None, feed(&noted).sha256), "{note}");
        }
    }

    #[test]
    fn days_are_found_in_names() {
        let day = |name| day_in(name).map(|day| day.to_string());
        assert_eq!(day("ip-ranges-cloudfront-2021-06-08.json").as_deref(), Some("2021-06-08"));
        assert_eq!(day("2021-06-08").as_deref(), Some("2021-06-08"));
        assert_eq!(day("a2021-06-08T00.json").as_deref(), Some("2021-06-08"));
        for name in ["", "list.json", "2021-13-08", "12021-06-08", "2021-06-081", "2021-06", "ä2021-0é-08"] {
            assert_eq!(day(name), None, "{name}");
        }
    }
}
