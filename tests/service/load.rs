//! Scrapes and fetches by the thousand while most is blocked: how long they take, and that no check is late.
//!
//! The figures in the README are those of `cargo test --release --test service thousands`.

use std::fs;

use crate::crowd::late;
use crate::site::Site;

/// As many prefixes as the published list has, most of them blocked.
pub fn thousands() -> String {
    let mut site = Site::build();
    site.list = Some(site.write("ip-ranges.json", &list()));
    site.serve("");
    // Behind the firewall is the documented list alone: most of this one is silent, and blocked.
    site.await_result();
    let blocked = "egressd_range_verdict{family=\"4\",list=\"global\",verdict=\"blocked\"}";
    site.wait("most of the list blocked", || site.metric(blocked) >= Some(50.0));
    let before = late(&site);

    let page = site.get("/metrics").text();
    let series = page.lines().filter(|line| !line.starts_with('#')).count();
    let (alone, _) = bench(&site, "alone", "-n 3000 -c 1", "/metrics");
    let [scrapes, lists] = [("scrapes", "/metrics"), ("lists", "/export/plain")]
        .map(|(name, path)| command(&site, name, "-n 60000 -c 8", path));
    site.succeed("sh", &["-c", &format!("{scrapes} & {lists} & wait")]);
    let ((page_slowest, scrapes_per_second), (list_slowest, lists_per_second)) =
        (read(&site, "scrapes"), read(&site, "lists"));
    assert_eq!(late(&site), before, "no check was late");
    assert!(series < 1000, "{series}");
    // Without optimisation and beside other tests it says nothing of the goal.
    let most = if cfg!(debug_assertions) { 100.0 } else { 2.0 };
    assert!(alone < most, "{alone} ms");
    format!(
        "{series} series, {} bytes: 99 of 100 scrapes within {alone} ms alone; at once {scrapes_per_second:.0} scrapes and {lists_per_second:.0} lists a second, 99 of 100 within {page_slowest} and {list_slowest} ms",
        page.len()
    )
}

/// 118 global and 93 regional prefixes of IPv4 and 32 of IPv6, in the form of `ip-ranges.json`.
fn list() -> String {
    let entry = |kind: &str, prefix: String, region: &str| {
        format!(
            "{{\"{kind}\": \"{prefix}\", \"region\": \"{region}\", \"service\": \"CLOUDFRONT\", \"network_border_group\": \"{region}\"}}"
        )
    };
    let global = (0..118).map(|index| entry("ip_prefix", format!("13.{index}.0.0/16"), "GLOBAL"));
    let regional = (0..93).map(|index| entry("ip_prefix", format!("3.10.{index}.0/26"), "eu-west-2"));
    let v6 = (0..32).map(|index| entry("ipv6_prefix", format!("2600:9000:{index:x}00::/40"), "GLOBAL"));
    format!(
        "{{\"syncToken\": \"1787433425\", \"createDate\": \"2026-08-22-21-17-05\", \"prefixes\": [{}], \"ipv6_prefixes\": [{}]}}",
        global.chain(regional).collect::<Vec<_>>().join(","),
        v6.collect::<Vec<_>>().join(",")
    )
}

/// The 99th percentile in milliseconds, and requests a second.
fn bench(site: &Site, name: &str, load: &str, path: &str) -> (f64, f64) {
    site.succeed("sh", &["-c", &command(site, name, load, path)]);
    read(site, name)
}

/// `ab` over kept connections; what it says goes into files.
fn command(site: &Site, name: &str, load: &str, path: &str) -> String {
    let (table, said) = (site.path(&format!("{name}.csv")), site.path(&format!("{name}.said")));
    format!("ab -q -k -l {load} -e {table} http://127.0.0.1:9817{path} >{said}")
}

fn read(site: &Site, name: &str) -> (f64, f64) {
    let table = fs::read_to_string(site.path(&format!("{name}.csv"))).expect("a table");
    let said = fs::read_to_string(site.path(&format!("{name}.said"))).expect("a summary");
    assert!(said.contains("Failed requests:        0") && !said.contains("Non-2xx"), "{said}");
    let slow = table.lines().find_map(|line| line.strip_prefix("99,")?.parse().ok()).expect("a percentile");
    let rate = said
        .lines()
        .find_map(|line| line.strip_prefix("Requests per second:")?.split_whitespace().next()?.parse().ok());
    (slow, rate.expect("a rate"))
}
