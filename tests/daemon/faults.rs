//! Faults, one by one and together: nothing is lost, and nothing ends it.

use std::fs;
use std::path::Path;
use std::process::Command;
use std::thread::sleep;
use std::time::{Duration, Instant};

use nix::sys::signal::Signal;

use crate::case;
use crate::cases::{RANGE, SEEN, Site};
use crate::runner::Case;
use crate::watched::{Daemon, Home, until};

/// Kills in the ordinary tests; `EGRESSD_KILLS=200` is the campaign.
const KILLS: usize = 20;

pub fn all() -> Vec<Case> {
    vec![
        case("killed_in_every_phase", killed),
        case("ended_in_every_phase", ended),
        case("a_full_disk_ends_nothing", full_disk),
        case("a_state_that_cannot_be_written_ends_nothing", read_only),
        case("a_clock_that_jumps_a_day_changes_nothing", clock),
        case("names_that_nobody_resolves_end_nothing", without_dns),
        case("a_storm_of_hangups_ends_nothing", storm),
        case("a_host_at_its_limits_accuses_nobody", limits),
        case("all_faults_together_end_nothing", together),
    ]
}

/// Each moment a different one: within the first scan, its confirmation, the pulses, and while things are written.
fn killed() -> String {
    let times = std::env::var("EGRESSD_KILLS").map_or(KILLS, |times| times.parse().expect("a number"));
    let (site, home) = (Site::build(), Home::new());
    let daemon = home.start();
    daemon.ready();
    daemon.stop();
    let mut transitions = transitions_in(&home);
    for turn in 0..times {
        if turn % 2 == 0 {
            site.network.filter(&[format!("ip daddr {RANGE} drop")]);
        } else {
            site.network.unfilter();
        }
        let daemon = home.start();
        // From 10 ms to 12 s, most of them early.
        let share = turn as f64 / times as f64;
        sleep(Duration::from_millis(10) + Duration::from_secs(12).mul_f64(share.powi(4)));
        daemon.kill();
        let now = transitions_in(&home);
        assert!(now >= transitions, "turn {turn}: {now} of {transitions} transitions are left");
        transitions = now;
        let held = home.state.join("held.json");
        let text = fs::read_to_string(&held).expect("what is held");
        serde_json::from_str::<serde_json::Value>(&text).expect("it is whole");
    }
    site.network.unfilter();
    let daemon = home.start();
    daemon.says(RANGE, "open", SEEN * 3);
    let left: Vec<_> = fs::read_dir(&home.state).expect("a folder").flatten().map(|file| file.file_name()).collect();
    assert!(!left.iter().any(|name| name.to_string_lossy().contains("damaged")), "{left:?}");
    format!("{times} times, {transitions} transitions kept")
}

/// By a program that shares no code with the daemon.
fn transitions_in(home: &Home) -> usize {
    let script = "import sqlite3, sys\nfile = sqlite3.connect(sys.argv[1])\n\
                  assert file.execute('pragma integrity_check').fetchone() == ('ok',)\n\
                  print(file.execute('select count(*) from transitions').fetchone()[0])";
    let output = Command::new("python3").args(["-c", script]).arg(home.state.join("history.sqlite")).output();
    let output = output.expect("`python3` starts");
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8_lossy(&output.stdout).trim().parse().expect("a number")
}

fn ended() -> String {
    let (_site, home) = (Site::build(), Home::new());
    let mut longest = Duration::ZERO;
    for millis in [5, 50, 300, 1000, 2500, 5000] {
        let daemon = home.start();
        until(Duration::from_secs(10), || daemon.get("/healthz")).expect("it serves");
        sleep(Duration::from_millis(millis));
        let (status, took) = daemon.stop();
        assert!(status.success() && took < Duration::from_secs(5), "{status} {took:?}: {}", home.log());
        longest = longest.max(took);
    }
    format!("{longest:.1?} at the most")
}

fn mount(arguments: &[&str], on: &Path) {
    let status = Command::new("mount").args(arguments).arg(on).status().expect("`mount` starts");
    assert!(status.success(), "{arguments:?}");
}

/// Whether the state folder is in trouble, as the daemon sees it.
fn trouble(daemon: &Daemon<'_>) -> bool {
    daemon.json("/api/v1/status")["trouble"].is_string()
}

/// Has the block of a range seen, so that something is to be written.
fn change(site: &Site, daemon: &Daemon<'_>) {
    site.network.filter(&[format!("ip daddr {RANGE} drop")]);
    daemon.says(RANGE, "blocked", SEEN);
    site.network.unfilter();
    daemon.says(RANGE, "open", SEEN);
}

fn full_disk() -> String {
    let (site, home) = (Site::build(), Home::new());
    fs::create_dir(&home.state).expect("a folder");
    mount(&["-t", "tmpfs", "-o", "size=2m", "none"], &home.state);
    let mut daemon = home.start();
    daemon.ready();
    let ballast = home.state.join("ballast");
    // It fails, which is what it is for.
    let _ = fs::write(&ballast, vec![0; 4 << 20]);
    change(&site, &daemon);
    assert!(daemon.runs() && trouble(&daemon), "{}", home.log());
    fs::remove_file(ballast).expect("it is there");
    change(&site, &daemon);
    home.logged("can be written to again", SEEN);
    daemon.stop();
    assert!(transitions_in(&home) > 0);
    String::new()
}

fn read_only() -> String {
    let (site, home) = (Site::build(), Home::new());
    fs::create_dir(&home.state).expect("a folder");
    mount(&["-t", "tmpfs", "-o", "ro", "none"], &home.state);
    let mut daemon = home.start();
    daemon.ready();
    change(&site, &daemon);
    assert!(daemon.runs() && trouble(&daemon), "{}", home.log());
    let (status, took) = daemon.stop();
    assert!(status.success() && took < Duration::from_secs(5));
    String::new()
}

/// The wall clock jumps forth and back; intervals go by another one.
fn clock() -> String {
    let (site, home) = (Site::build(), Home::new());
    let offset = home.path("offset");
    fs::write(&offset, "+0").expect("a file");
    let mut daemon = home.start_behind(
        &["env", "FAKETIME_DONT_FAKE_MONOTONIC=1", "FAKETIME_NO_CACHE=1", "LD_PRELOAD=libfaketime.so.1"],
        &[("LD_LIBRARY_PATH", Path::new(faketime_folder())), ("FAKETIME_TIMESTAMP_FILE", &offset)],
    );
    daemon.ready();
    let checks = |daemon: &Daemon<'_>| daemon.json("/api/v1/status")["checks"]["endpoints"]["succeeded"].as_u64();
    for jump in ["+1d", "-1d", "+0"] {
        fs::write(&offset, jump).expect("a file");
        let before = checks(&daemon);
        until(SEEN, || (checks(&daemon) > before).then_some(())).unwrap_or_else(|| panic!("{jump}: no check"));
    }
    change(&site, &daemon);
    assert!(daemon.runs());
    String::new()
}

fn faketime_folder() -> &'static str {
    let places = ["/usr/lib/x86_64-linux-gnu/faketime", "/usr/lib/aarch64-linux-gnu/faketime"];
    places.into_iter().find(|place| Path::new(place).exists()).expect("the library of faketime")
}

fn without_dns() -> String {
    let (site, home) = (Site::build(), Home::new());
    let resolvers = home.path("resolv.conf");
    fs::write(&resolvers, "nameserver 10.9.2.77\n").expect("a file");
    let file = resolvers.to_str().expect("a path in UTF-8");
    mount(&["--bind", file], &fs::canonicalize("/etc/resolv.conf").expect("a file"));
    let endpoint = "\n[[endpoint]]\nname = \"named\"\ndirection = \"receive\"\nurl = \"http://files.example/\"\n";
    let text = fs::read_to_string(home.path("egressd.toml")).expect("a configuration");
    fs::write(home.path("egressd.toml"), text + endpoint).expect("a configuration");
    let mut daemon = home.start();
    daemon.ready();
    assert_ne!(daemon.verdict("named").as_deref(), Some("open"));
    change(&site, &daemon);
    assert!(daemon.runs() && daemon.verdict("files").as_deref() == Some("open"));
    String::new()
}

fn storm() -> String {
    const HANGUPS: u32 = 5000;
    let (site, home) = (Site::build(), Home::new());
    let mut daemon = home.start();
    daemon.ready();
    let before = daemon.resident();
    let began = Instant::now();
    for _ in 0..HANGUPS {
        daemon.signal(Signal::SIGHUP);
        std::thread::yield_now();
    }
    let sent = began.elapsed();
    change(&site, &daemon);
    let grown = daemon.resident().saturating_sub(before);
    assert!(daemon.runs() && grown < 8 << 10, "grown by {grown} kB");
    assert!(home.log().lines().count() < 300, "lines are bounded");
    format!("{HANGUPS} in {sent:.1?}, grown by {grown} kB")
}

/// Descriptors run out: nothing is judged, and nothing is called blocked.
fn limits() -> String {
    let (_site, home) = (Site::build(), Home::new());
    let daemon = home.start();
    daemon.ready();
    let limit = |files: &str| {
        let pid = format!("--pid={}", daemon.pid());
        let status = Command::new("prlimit").args([&pid, &format!("--nofile={files}")]).status();
        assert!(status.expect("`prlimit` starts").success());
    };
    limit("3:4096");
    home.logged("nothing is judged: host_starved", SEEN * 2);
    limit("1024:4096");
    home.logged("judging again", SEEN);
    daemon.ready();
    assert_eq!(daemon.blocked(), [] as [&str; 0]);
    String::new()
}

fn together() -> String {
    let (site, home) = (Site::build(), Home::new());
    fs::create_dir(&home.state).expect("a folder");
    mount(&["-t", "tmpfs", "-o", "size=1m", "none"], &home.state);
    let mut daemon = home.start();
    daemon.ready();
    let _ = fs::write(home.state.join("ballast"), vec![0; 4 << 20]);
    site.network.filter(&["ip daddr 0.0.0.0/0 drop".to_owned()]);
    home.configure("nonsense");
    for _ in 0..200 {
        daemon.signal(Signal::SIGHUP);
    }
    home.logged("nothing is judged: uplink_down", SEEN);
    assert!(daemon.runs());
    home.configure("");
    daemon.signal(Signal::SIGHUP);
    fs::remove_file(home.state.join("ballast")).expect("it is there");
    site.network.unfilter();
    home.logged("judging again", SEEN);
    change(&site, &daemon);
    let (status, took) = daemon.stop();
    assert!(status.success() && took < Duration::from_secs(5), "{status} {took:?}");
    String::new()
}
