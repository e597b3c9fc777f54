//! Whatever a list says, what is accepted holds to the bounds, and nobody is asked twice.
#![no_main]

use egressd::ranges::guard::{Bounds, Judgement, judge};
use egressd::ranges::{FeedSnapshot, Patience, diff, follow, in_grace};
use jiff::Timestamp;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Ok(list) = FeedSnapshot::parse("fuzzed", bytes) else { return };
    let (held, now) = (FeedSnapshot::documented(), Timestamp::from_second(1_800_000_000).expect("a time"));
    match judge(&list, Some(&held), &[], &Bounds::default(), now) {
        Judgement::Accepted => assert!(list.ranges.len() >= 40),
        Judgement::Unchanged => assert!(diff(&held, &list).is_empty()),
        Judgement::Held(doubts) | Judgement::Refused(doubts) => {
            for text in doubts.iter().map(ToString::to_string) {
                assert!(text.len() < 300 && !text.contains(char::is_control), "{text}");
            }
        }
    }
    let patience = Patience { debounce: std::time::Duration::ZERO, grace: std::time::Duration::from_secs(60) };
    let followed = follow(&held, &list, &[], patience, now);
    let missed = in_grace(&list, &followed.withdrawn, patience, now);
    assert!(missed.iter().all(|missed| !list.addresses().covers(missed.range.prefix)));
    let back = follow(&list, &held, &followed.withdrawn, patience, now);
    let returned = back.changes.iter().filter(|change| change.kind.name() == "returned").count();
    assert_eq!(returned, followed.withdrawn.len());
});
