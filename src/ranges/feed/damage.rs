//! Valid feeds with bytes flipped, cut, deleted and repeated.

use proptest::prelude::*;

use super::*;
use crate::ranges::Role;
use crate::ranges::made::newer_ip_ranges;

/// What holds for every snapshot.
pub(super) fn sound(feed: &FeedSnapshot) {
    assert!(feed.ranges.iter().any(|range| range.list == List::Global));
    for pair in feed.ranges.windows(2) {
        assert!(pair[0].prefix < pair[1].prefix && !pair[0].prefix.covers(pair[1].prefix), "{pair:?}");
    }
    for range in &feed.ranges {
        assert!(special_purpose(range.prefix).is_none() && range.prefix.len() >= shortest(range.prefix.family()));
        assert_eq!(range.role == Role::RegionalEdge, range.list == List::RegionalEdge);
    }
    assert!(feed.origin_facing.difference(&feed.addresses()).is_empty());
}

#[derive(Clone, Debug)]
enum Damage {
    Flip(prop::sample::Index, u8),
    Cut(prop::sample::Index),
    Delete(prop::sample::Index, usize),
    Repeat(prop::sample::Index, usize),
}

impl Damage {
    fn on(&self, bytes: &mut Vec<u8>) {
        if bytes.is_empty() {
            return;
        }
        let span = |at: usize, length: usize| at..bytes.len().min(at + length);
        match self {
            Self::Flip(at, mask) => {
                let at = at.index(bytes.len());
                bytes[at] ^= mask;
            }
            Self::Cut(at) => bytes.truncate(at.index(bytes.len())),
            Self::Delete(at, length) => _ = bytes.drain(span(at.index(bytes.len()), *length)),
            Self::Repeat(at, length) => {
                let at = at.index(bytes.len());
                let again = bytes[span(at, *length)].to_vec();
                bytes.splice(at..at, again);
            }
        }
    }
}

fn damage() -> impl Strategy<Value = Damage> {
    let at = any::<prop::sample::Index>;
    prop_oneof![
        6 => (at(), 1_u8..=255).prop_map(|(at, mask)| Damage::Flip(at, mask)),
        1 => at().prop_map(Damage::Cut),
        2 => (at(), 1_usize..40).prop_map(|(at, length)| Damage::Delete(at, length)),
        2 => (at(), 1_usize..80).prop_map(|(at, length)| Damage::Repeat(at, length)),
    ]
}

proptest! {
    #[test]
    fn a_damaged_feed_is_refused_or_sound(
        newer in any::<bool>(),
        damages in prop::collection::vec(damage(), 1..4),
    ) {
        let mut bytes = if newer { newer_ip_ranges().into_bytes() } else { DOCUMENTED.to_vec() };
        for damage in &damages {
                damage.on(&mut bytes);
            }
        match FeedSnapshot::parse("damaged", &bytes) {
            Ok(feed) => {
                sound(&feed);
                let archived = FeedSnapshot::parse_archived("archived", feed.archived().as_bytes()).unwrap();
                let known = |feed: &FeedSnapshot| (feed.digest(), feed.source, feed.serial.clone(), feed.sha256.clone());
                prop_assert_eq!(known(&archived), known(&feed));
            }
            Err(error) => {
                let message = error.to_string();
                prop_assert!(message.len() < 1_500 && !message.contains(char::is_control), "{message}");
            }
        }
    }
}
