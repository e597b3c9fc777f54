//! What an answer gives is found within bounds, and leads nowhere but to a URL.
#![no_main]

use egressd::media::send::{Filling, Place, Template};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|input: (String, String, &[u8])| {
    let (place, template, body) = input;
    let Ok(place) = Place::try_from(place) else { return };
    let header = |_: &str| Some(String::from_utf8_lossy(body).into_owned());
    let Some(id) = place.find(header, body) else { return };
    assert!((1..=4000).contains(&id.len()));
    if let Ok(template) = Template::try_from(template) {
        let filled = template.fill(Filling { name: "name", id: Some(&id) });
        let host = template.fill(Filling { name: "name", id: Some("id") });
        if let (Ok(filled), Ok(host), false) = (filled, host, template.is_given()) {
            assert_eq!(filled.host(), host.host());
        }
    }
});
