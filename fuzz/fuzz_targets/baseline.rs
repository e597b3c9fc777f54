//! A baseline is refused, or what it knows lies in its cells and reads back equal.
#![no_main]

use egressd::baseline::Baseline;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|bytes: &[u8]| {
    if let Ok(baseline) = Baseline::parse(bytes) {
        assert_eq!(Baseline::parse(baseline.write().as_bytes()).expect("its own text"), baseline);
        let _ = baseline.addresses().count();
    }
});
