//! A list from the archive is refused like any feed, or archived again as it was; the day in a name is one.
#![no_main]

use egressd::ranges::{FeedSnapshot, Source, day_in};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(text) = std::str::from_utf8(bytes) {
        assert!(day_in(text).is_none_or(|day| text.contains(&day.to_string())));
    }
    let Ok(list) = FeedSnapshot::parse_archived("fuzzed", bytes) else { return };
    assert!(list.sha256.len() == 64 && list.source != Source::Documented);
    let again = FeedSnapshot::parse_archived("fuzzed", list.archived().as_bytes()).expect("its own text");
    let known = |list: &FeedSnapshot| (list.digest(), list.source, list.serial.clone(), list.date, list.sha256.clone());
    assert_eq!(known(&again), known(&list));
});
