//! Whatever the bytes are, the parser ends without a panic and within its budget.
#![no_main]

use egressd::media::inspect::inspect_as;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| inspect_as("riff", bytes));
