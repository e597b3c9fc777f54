//! Limits on the size of uploads in nginx, Squid and `HAProxy` are found to the byte, with few requests and bytes.

use crate::place::{FILES, Place};
use crate::runner::Case;

const MEGABYTES: [u64; 4] = [1, 5, 16, 20];
const MIB: u64 = 1 << 20;

/// One kind, and nothing that takes time.
const QUICKLY: &str = "kinds = [\"jpeg\"]\nslow_seconds = 0\n";

/// A program's name, and what finds a limit in it.
type Program = (&'static str, fn(u64) -> String);

/// Each limit in each program.
pub fn all() -> Vec<Case> {
    let programs: [Program; 3] = [("nginx", nginx), ("squid", squid), ("haproxy", haproxy)];
    let case = |(name, run): Program, megabytes: u64| Case {
        name: format!("a_limit_of_{megabytes}_mb_in_{name}"),
        run: Box::new(move || run(megabytes * MIB)),
    };
    programs.into_iter().flat_map(|program| MEGABYTES.map(|megabytes| case(program, megabytes))).collect()
}

fn nginx(limit: u64) -> String {
    let mut place = Place::new();
    place.start_store(&format!("client_max_body_size {limit};"));
    found(&place, FILES, "direct", limit)
}

/// The proxy limits, the direct way does not.
fn squid(limit: u64) -> String {
    let mut place = Place::new();
    place.start_store("");
    place.start_squid(&format!("request_body_max_size {limit} bytes"));
    found(&place, &format!("{FILES}proxy = \"http://127.0.0.1:3128\"\n"), "proxy", limit)
}

/// It says "go on" to everything, and judges when the body begins.
fn haproxy(limit: u64) -> String {
    let mut place = Place::new();
    place.start_store("");
    place.start_haproxy(&format!(
        "option http-buffer-request
  http-request deny deny_status 413 if {{ req.hdr_val(content-length) gt {limit} }}"
    ));
    found(&place, &FILES.replace(":8000", ":8080"), "direct", limit)
}

fn found(place: &Place, target: &str, path: &str, limit: u64) -> String {
    let said = place.send(&format!("{target}{QUICKLY}"));
    let size = &said.over(path)["size"];
    assert_eq!(size["largest_bytes"], limit, "{:#}", said.report);
    assert_eq!((&size["refused_bytes"], &size["exact"]), (&(limit + 1).into(), &true.into()), "{size:#}");
    assert_eq!(size["status"], 413);
    let (requests, sent) = (size["requests"].as_u64().unwrap_or(99), size["sent_bytes"].as_u64().unwrap_or(u64::MAX));
    assert!(requests <= 30, "{requests} requests");
    assert!(sent < 3 * limit, "{sent} bytes for {limit}");
    assert_eq!((said.diagnoses(), said.status), (vec!["upload_size_limit"], Some(1)), "{:#}", said.report);
    assert_eq!(place.stored(), 0, "what was uploaded is deleted");
    if path == "proxy" {
        assert_eq!(said.over("direct")["verdict"], "open", "the direct way is not limited");
    }
    format!(
        "{requests} requests, {:.2} times the limit",
        f64::from(u32::try_from(sent).unwrap_or(u32::MAX)) / f64::from(u32::try_from(limit).unwrap_or(1))
    )
}
