//! A file of rules is refused, or names nothing that is not there.
#![no_main]

use egressd::media::rules::Rules;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(rules) = Rules::overridden(text) {
        let known = |name: &String| rules.channel(name).is_some();
        assert!(rules.rules.iter().flat_map(|rule| &rule.on.channels).all(known));
    }
});
