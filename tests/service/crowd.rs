//! Clients that mean it no good, and a receiver that hangs: those who mean well are served meanwhile, and no check is late.

use std::fs;
use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::daemon::Port;
use crate::site::{Site, documents};

/// Ten thousand connections that say nothing; what is scraped between them is answered at once.
pub fn idle() -> String {
    let site = Site::start("");
    let before = late(&site);
    let seen = crowd(&site, &["idle", "10000"]);
    let resident = resident(&site);
    assert!(seen["closed"].as_u64() >= Some(9000), "only so many are kept: {seen}");
    assert!(seen["slowest"].as_f64() < Some(2.0), "a scrape waits for nobody: {seen}");
    // The page's live figures are up to a second old.
    let refused = "egressd_http_connections_refused_total{reason=\"idle\"}";
    site.wait("the crowd in the count", || site.metric(refused) > Some(9000.0));
    site.wait("the end of the crowd", || site.metric("egressd_http_connections") < Some(16.0));
    assert_eq!(late(&site), before, "no check was late");
    assert!(resident < 64 << 10, "{resident} kB");
    format!("slowest scrape {} s, {resident} kB resident", seen["slowest"])
}

/// Heads that do not come to an end and bodies that nobody asked for.
pub fn slow() -> String {
    let site = Site::start("");
    let seen = crowd(&site, &["slow"]);
    let seconds = seen["loris"].as_f64().expect("a number");
    assert!((9.0..15.0).contains(&seconds), "{seen}");
    assert!(seen["endless"] == "closed" || seen["endless"] == "431", "{seen}");
    assert_eq!(seen["many"], 431, "{seen}");
    for body in ["giant", "chunked"] {
        let sent = seen[body]["sent"].as_u64().expect("a number");
        assert!(sent < 64 << 20, "what the kernel holds, and no more: {seen}");
        assert!(seen[body]["status"].is_null() || seen[body]["status"] == "413", "{seen}");
    }
    site.get("/metrics");
    seen.to_string()
}

/// A receiver that takes the event and never answers: checks go on, and the end of the daemon is not held up.
pub fn hanging_webhook() -> String {
    let mut site = Site::build();
    let received = site.path("received");
    let script = site.write("receiver.py", include_str!("receiver.py"));
    site.start_on("client", &["python3", &script, "9099", &received, "hang"], &[Port::Tcp(9099)]);
    site.serve("[webhook]\nurl = \"http://127.0.0.1:9099/events\"\nsecret = \"key\"\n");
    site.await_result();
    site.network.filter(&["ip daddr 13.224.0.0/14 drop".to_owned()]);
    site.wait("an event", || !documents(Path::new(&received)).is_empty());
    let checks = || site.get("/api/v1/status").json()["checks"]["endpoints"]["succeeded"].as_u64();
    let before = checks();
    site.wait("another check", || checks() > before);
    assert_eq!(late(&site), 0);
    let (process, began) = (site.process(), Instant::now());
    site.succeed("kill", &["-TERM", &process]);
    site.wait("the end", || ended(&process));
    let took = began.elapsed();
    assert!(took < Duration::from_secs(5), "{took:?}");
    format!("ended within {} ms", took.as_millis())
}

fn crowd(site: &Site, arguments: &[&str]) -> Value {
    let script = site.write("crowd.py", include_str!("crowd.py"));
    let said = site.succeed("python3", &[&[script.as_str()], arguments].concat());
    serde_json::from_str(&said).unwrap_or_else(|error| panic!("{error}: {said}"))
}

/// Checks that began late, of every kind.
pub fn late(site: &Site) -> u64 {
    let page = site.get("/metrics").text();
    let late = page.lines().filter(|line| line.starts_with("egressd_checks_late_total{"));
    late.filter_map(|line| line.rsplit(' ').next()?.parse::<u64>().ok()).sum()
}

/// Kilobytes of memory at the most, ever.
fn resident(site: &Site) -> u64 {
    let status = fs::read_to_string(format!("/proc/{}/status", site.process())).expect("it runs");
    let line = status.lines().find(|line| line.starts_with("VmHWM:")).expect("the kernel says so");
    line.split_whitespace().nth(1).and_then(|number| number.parse().ok()).expect("a number")
}

/// A process that has ended is a zombie until it is waited for.
fn ended(process: &str) -> bool {
    fs::read_to_string(format!("/proc/{process}/stat")).is_ok_and(|stat| stat.contains(") Z "))
        || !Path::new(&format!("/proc/{process}")).exists()
}
