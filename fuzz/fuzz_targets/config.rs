//! A configuration or a scenario is refused, or within its bounds.
#![no_main]

use egressd::config::Config;
use egressd::scenario::Scenario;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    if let Ok(config) = Config::parse(text) {
        let pace = config.settings().pace;
        assert!(pace.per_second > 0.0 && pace.per_second <= 2000.0 && pace.in_flight <= 1000);
    }
    let _ = Scenario::parse("fuzzed", text);
});
