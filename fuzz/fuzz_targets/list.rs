//! A list that is read is made of the same prefixes when it is printed and read again.
#![no_main]

use egressd::prefix::{Prefix, read_list};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    let Some(prefixes) = read(bytes) else { return };
    let printed: String = prefixes.iter().map(|prefix| format!("{prefix}\n")).collect();
    assert_eq!(read(printed.as_bytes()), Some(prefixes));
});

fn read(bytes: &[u8]) -> Option<Vec<Prefix>> {
    let mut prefixes = Vec::new();
    read_list(bytes, |prefix| prefixes.push(prefix)).ok()?;
    Some(prefixes)
}
