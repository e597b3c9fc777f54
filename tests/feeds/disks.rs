//! Disks that are full or cannot be written to, and several processes on one.

use std::fs;
use std::process::{Command, Stdio};

use egressd::store::history::{Check, CheckKind, EndpointResult, History, HistoryReader, Phases, Query};
use jiff::Timestamp;

use crate::lists::{Published, serial};
use crate::site::{Ran, Site, older_and_newer};

fn mount(words: &[&str]) {
    let output = Command::new("mount").args(words).output().unwrap();
    assert!(output.status.success(), "mount {words:?}: {}", String::from_utf8_lossy(&output.stderr));
}

/// A state of its own on a disk of so many kilobytes, with all that another has.
fn on_a_small_disk(site: &Site, from: &Site, kilobytes: u64) {
    fs::create_dir_all(site.state()).unwrap();
    mount(&["-t", "tmpfs", "-o", &format!("size={kilobytes}k"), "none", site.state().to_str().unwrap()]);
    let copied = Command::new("cp").args(["-r"]).arg(from.state().join("feeds")).arg(site.state()).output().unwrap();
    assert!(copied.status.success(), "{kilobytes}: {}", String::from_utf8_lossy(&copied.stderr));
}

fn used_kilobytes(site: &Site) -> u64 {
    let output = Command::new("du").args(["-sk", site.state().to_str().unwrap()]).output().unwrap();
    String::from_utf8(output.stdout).unwrap().split_whitespace().next().unwrap().parse().unwrap()
}

pub fn full() -> String {
    let (older, newer) = older_and_newer();
    let first = Site::with_list(&older);
    let used = used_kilobytes(&first);
    let (mut refused, mut taken) = (0, 0);
    for kilobytes in (used..used + 200).step_by(8) {
        let site = Site::new();
        on_a_small_disk(&site, &first, kilobytes);
        let ran = site.update_from(&newer);
        if ran.status == Some(0) {
            taken += 1;
            assert_eq!(site.serial(), serial(1));
        } else {
            refused += 1;
            assert!(ran.status == Some(2) && ran.said.contains("No space left on device"), "{kilobytes}: {ran:?}");
            assert_eq!(site.serial(), serial(0));
        }
        mount(&["-o", "remount,size=64m", site.state().to_str().unwrap()]);
        assert_eq!(site.update_from(&newer).status, Some(0), "there is room again");
        assert_eq!((site.serial(), site.added()), (serial(1), vec!["3.172.0.0/18".to_owned()]));
    }
    assert!(refused > 3 && taken > 3, "{refused} {taken}");
    format!("{refused} sizes were too small, {taken} were not")
}

fn result(number: i64) -> Check {
    let at = Timestamp::from_second(serial(0) + number).unwrap();
    let endpoint = EndpointResult {
        at,
        endpoint: format!("endpoint-{number}"),
        direction: "send".to_owned(),
        path: "direct".to_owned(),
        verdict: "open".to_owned(),
        layer: None,
        mechanism: None,
        reason: Some("x".repeat(2000)),
        failing: false,
        seconds: Phases::default(),
    };
    Check { endpoints: vec![endpoint], ..Check::new(CheckKind::Endpoints, at, 0.1) }
}

pub fn full_for_history() -> String {
    let site = Site::new();
    fs::create_dir_all(site.state()).unwrap();
    mount(&["-t", "tmpfs", "-o", "size=300k", "none", site.state().to_str().unwrap()]);
    let file = site.state().join("history.sqlite");
    let mut history = History::open(&file).unwrap().history;
    let mut kept = 0;
    let error = loop {
        match history.record(&result(kept)) {
            Ok(()) => kept += 1,
            Err(error) => break error,
        }
    };
    assert!(error.to_string().starts_with("cannot write the history"), "{error}");
    let count = || HistoryReader::open(&file).unwrap().endpoint_results(&Query::default()).unwrap().entries.len();
    assert_eq!(i64::try_from(count()).unwrap(), kept, "what was kept is there, and nothing of what was not");
    mount(&["-o", "remount,size=64m", site.state().to_str().unwrap()]);
    history.record(&result(kept)).unwrap();
    drop(history);
    let opened = History::open(&file).unwrap();
    assert_eq!((opened.set_aside, i64::try_from(count()).unwrap()), (None, kept + 1));
    format!("{kept} checks until it was full")
}

pub fn read_only() -> String {
    let (older, newer) = older_and_newer();
    let site = Site::with_list(&older);
    assert_eq!(site.update_from(&Published::with(&["3.173.0.0/18"]).on(0)).status, Some(1));
    let before = site.exported();
    let state = site.state();
    mount(&["--bind", state.to_str().unwrap(), state.to_str().unwrap()]);
    mount(&["-o", "remount,ro,bind", state.to_str().unwrap()]);
    assert_eq!((site.exported(), site.serial()), (before, serial(0)), "reading needs nothing else");
    for ran in [site.update_from(&newer), site.run(&["ranges", "accept"]), site.run(&["ranges", "import", "."])] {
        assert!(ran.status == Some(2) && ran.said.contains("Read-only file system"), "{ran:?}");
    }
    assert!(History::open(&state.join("history.sqlite")).is_err());
    "read, not written".to_owned()
}

pub fn at_once() -> String {
    let (older, newer) = older_and_newer();
    let site = Site::with_list(&older);
    let file = site.file("newer.json", newer);
    let words = ["ranges", "update", "--format", "json", "--url", file.to_str().unwrap()];
    let start = || site.command(&words).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    let started: Vec<_> = (0..12).map(|_| start()).collect();
    let ran: Vec<Ran> = started.into_iter().map(|child| child.wait_with_output().unwrap().into()).collect();
    let outcomes: Vec<String> =
        ran.iter().map(|ran| ran.json()["attempts"][0]["outcome"].as_str().unwrap().to_owned()).collect();
    assert!(ran.iter().all(|ran| ran.status == Some(0) && ran.said.is_empty()), "{ran:?}");
    assert_eq!(outcomes.iter().filter(|outcome| *outcome == "accepted").count(), 1, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|outcome| *outcome == "unchanged").count(), 11, "{outcomes:?}");
    assert_eq!((site.serial(), site.added()), (serial(1), vec!["3.172.0.0/18".to_owned()]));
    "1 of 12 changed it".to_owned()
}

/// Python's own SQLite, as an administrator would.
pub fn read_by_others() -> String {
    let (older, newer) = older_and_newer();
    let site = Site::with_list(&older);
    site.update_from(&newer);
    let script = "import sqlite3, sys
c = sqlite3.connect('file:' + sys.argv[1] + '?mode=ro', uri=True)
print(*[r[0] for r in c.execute(\"SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%' ORDER BY name\")])
for p in ('integrity_check', 'journal_mode', 'auto_vacuum', 'user_version'): print(*c.execute('PRAGMA ' + p).fetchone())
print(*c.execute('SELECT source, change, prefix, list, serial, previous FROM feed_changes').fetchone())";
    let file = site.state().join("history.sqlite");
    let output = Command::new("python3").args(["-c", script]).arg(file).output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    let due = format!(
        "checks endpoint_results feed_changes media_results transitions\nok\nwal\n2\n1\n\
         ip-ranges added 3.172.0.0/18 global {} {}\n",
        serial(1),
        serial(0)
    );
    assert_eq!(said, due, "{}", String::from_utf8_lossy(&output.stderr));
    "5 tables".to_owned()
}
