//! Rules of nftables and iptables are refused with a place, or are a policy that is followed to its end.
#![no_main]

use egressd::audit::{Format, Question, Required, SourceFile, audit};
use egressd::ranges::FeedSnapshot;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((&first, rest)) = bytes.split_first() else { return };
    let format = if first % 2 == 0 { Format::Nftables } else { Format::Iptables };
    let files = [SourceFile { name: "fuzz".to_owned(), text: String::from_utf8_lossy(rest).into_owned() }];
    let feed = FeedSnapshot::documented();
    let required = Required { feed: &feed, held: &[], ranges: feed.ranges.iter().collect() };
    if let Ok(policy) = format.read(&files, &Question::default()) {
        let _ = audit(&policy, &files, &required);
    }
});
