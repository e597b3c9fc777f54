//! Configurations of devices and clouds: refused, or judged. The first byte chooses the reader.
#![no_main]

use egressd::audit::{Format, Question, Required, SourceFile, audit};
use egressd::ranges::FeedSnapshot;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some((&choice, bytes)) = bytes.split_first() else { return };
    let Ok(text) = str::from_utf8(bytes) else { return };
    let format = Format::ALL[usize::from(choice) % Format::ALL.len()];
    let files = [SourceFile { name: "fuzz".to_owned(), text: text.to_owned() }];
    let _ = Format::recognise(&files);
    let Ok(policy) = format.read(&files, &Question::default()) else { return };
    let feed = FeedSnapshot::documented();
    let required = Required { feed: &feed, held: &[], ranges: feed.ranges.iter().collect() };
    let Ok(coverage) = audit(&policy, &files, &required) else { return };
    // Every required address has just one verdict.
    let parts = [&coverage.allowed, &coverage.missing, &coverage.unknown];
    assert_eq!(parts[0].union(parts[1]).union(parts[2]), coverage.required);
    assert!(parts[0].intersection(parts[1]).is_empty() && parts[0].intersection(parts[2]).is_empty());
});
