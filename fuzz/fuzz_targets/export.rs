//! What `--report`, `--since` and `--prefixes` read: refused, or prefixes.
#![no_main]

use egressd::export::{Missing, Previous};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let _ = Missing::parse(bytes);
    let _ = Previous::parse("fuzz", bytes);
});
