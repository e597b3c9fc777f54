//! Whatever an interceptor shows, naming it ends, and the names are those of the catalogue.
#![no_main]

use egressd::fingerprint::{IssuerName, PageParts, issuer, page, products, title};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (u16, Vec<(String, String)>, Option<String>, Vec<u8>)| {
    let (status, headers, location, body) = input;
    let title = title(&body);
    let parts =
        PageParts { status, headers: &headers, location: location.as_deref(), title: title.as_deref(), body: &body };
    if let Some(found) = page(&parts) {
        assert!(products().contains(found.product));
    }
    let _ = issuer(&IssuerName { common_name: location, organization: title });
});
