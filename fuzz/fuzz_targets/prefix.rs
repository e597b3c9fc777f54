//! What is read as a prefix is written as the same text but for the forms of an IPv6 address.
#![no_main]

use egressd::prefix::{Family, Prefix};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|text: &str| {
    let Ok(prefix) = text.parse::<Prefix>() else { return };
    let written = prefix.to_string();
    assert_eq!(written.parse(), Ok(prefix));
    assert!(prefix.family() == Family::V6 || written == text, "{text}");
    assert!(prefix.holds(prefix.first()) && prefix.holds(prefix.last()));
});
