//! A feed is refused with a short printable message, or sound.
#![no_main]

use egressd::prefix::special_purpose;
use egressd::ranges::{FeedSnapshot, List, Role};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    match FeedSnapshot::parse("fuzzed", bytes) {
        Ok(feed) => sound(&feed),
        Err(error) => {
            let message = error.to_string();
            assert!(message.len() < 1_500 && !message.contains(char::is_control), "{message}");
        }
    }
});

fn sound(feed: &FeedSnapshot) {
    assert!(feed.ranges.iter().any(|range| range.list == List::Global));
    for pair in feed.ranges.windows(2) {
        assert!(pair[0].prefix < pair[1].prefix && !pair[0].prefix.covers(pair[1].prefix), "{pair:?}");
    }
    for range in &feed.ranges {
        assert!(special_purpose(range.prefix).is_none());
        assert_eq!(range.role == Role::RegionalEdge, range.list == List::RegionalEdge);
    }
    assert!(feed.origin_facing.difference(&feed.addresses()).is_empty());
}
