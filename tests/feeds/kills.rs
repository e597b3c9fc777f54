//! A kill at any moment: `strace` ends the program as it enters the first, the second, the nth call of each kind that
//! changes a disk.

use std::collections::BTreeSet;
use std::fs;
use std::io::{BufRead, BufReader, Write};
use std::os::unix::process::ExitStatusExt;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode, Stdio};

use egressd::ranges::{FeedChange, FeedChangeKind, List, Source};
use egressd::store::history::{Check, CheckKind, History, HistoryReader, Query, SubjectKind, Transition};
use jiff::Timestamp;
use serde_json::json;

use crate::lists::{Published, serial};
use crate::site::{Site, older_and_newer};

/// What a program does to a disk.
const CALLS: [&str; 16] = [
    "write",
    "pwrite64",
    "fsync",
    "fdatasync",
    "rename",
    "renameat",
    "renameat2",
    "unlink",
    "unlinkat",
    "mkdir",
    "mkdirat",
    "ftruncate",
    "fchmod",
    "link",
    "linkat",
    "flock",
];

/// Calls that are made from the start, and change nothing.
const OPENS: &str = "openat";

/// No run makes as many of one kind.
const MOST: usize = 400;

const SIGKILL: i32 = 9;

/// Runs the program over and over, killed one call later each time, until it comes to its end; the number of kills.
fn killed_at_each(calls: &[&str], mut run: impl FnMut(&[&str]) -> bool) -> usize {
    let mut kills = 0;
    for call in calls {
        for number in 1..MOST {
            let (trace, inject) = (format!("trace={call}"), format!("inject={call}:signal=SIGKILL:when={number}"));
            // Without this each of the other calls would stop as well.
            let words = ["strace", "-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject];
            if !run(&words) {
                break;
            }
            kills += 1;
            assert!(number + 1 < MOST, "{call} is called for ever");
        }
    }
    kills
}

pub fn update() -> String {
    let (older, newer) = older_and_newer();
    let first = Site::with_list(&older);
    let site = Site::new();
    let file = site.file("newer.json", &newer);
    let (mut before, mut after) = (0, 0);
    let calls: Vec<&str> = CALLS.into_iter().chain([OPENS]).collect();
    let kills = killed_at_each(&calls, |strace| {
        site.copy_state(&first);
        let words = ["ranges", "update", "--url", file.to_str().unwrap()];
        let output = site.through(strace, &words).output().unwrap();
        let killed = output.status.signal() == Some(SIGKILL);
        assert!(killed || output.status.success(), "{strace:?}: {}", String::from_utf8_lossy(&output.stderr));
        // One of both is in force, whole, and nothing is damaged.
        match site.serial() {
            number if number == serial(0) => before += 1,
            number => {
                assert_eq!(number, serial(1));
                after += 1;
            }
        }
        let again = site.update_from(&newer);
        assert!(again.status == Some(0) && again.said.is_empty(), "{strace:?}: {again:?}");
        assert_eq!(site.serial(), serial(1));
        assert_eq!(site.added(), ["3.172.0.0/18"], "told once, whoever told it: {strace:?}");
        assert_eq!(site.feeds().older().lists.len(), 2, "{strace:?}");
        let left: Vec<String> = temporary(&site.state());
        assert!(left.is_empty(), "{left:?}");
        killed
    });
    assert!(kills > 40 && before > 10 && after > 10, "{kills} {before} {after}");
    format!("{kills} kills: {before} left the older list, {after} the newer")
}

pub fn accept() -> String {
    let first = Site::with_list(&Published::default().on(0));
    assert_eq!(first.update_from(&Published::with(&["3.160.0.0/12"]).on(1)).status, Some(1));
    let site = Site::new();
    let kills =
        killed_at_each(&["write", "fsync", "rename", "renameat", "renameat2", "unlink", "unlinkat"], |strace| {
            site.copy_state(&first);
            let output = site.through(strace, &["ranges", "accept"]).output().unwrap();
            let killed = output.status.signal() == Some(SIGKILL);
            assert!(killed || output.status.success());
            if site.serial() == serial(0) {
                assert_eq!(site.run(&["ranges", "accept"]).status, Some(0), "it waits still");
            }
            assert_eq!(site.serial(), serial(1));
            killed
        });
    assert!(kills > 10, "{kills}");
    format!("{kills} kills")
}

/// What a writer that was killed left in a folder and those in it.
fn temporary(folder: &Path) -> Vec<String> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let (folders, files): (Vec<PathBuf>, Vec<PathBuf>) = entries.partition(|path| path.is_dir());
    let names = files.iter().map(|file| file.file_name().unwrap().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with('.')).chain(folders.iter().flat_map(|folder| temporary(folder))).collect()
}

/// Tells a process of this test that it is the one to be killed.
const WRITE: &str = "--write-history";

/// The file that this process is to write to, if it is that one.
pub fn asked_to_write() -> Option<PathBuf> {
    let mut arguments = std::env::args().skip(1);
    arguments.find(|argument| argument == WRITE)?;
    arguments.next().map(PathBuf::from)
}

/// Records one check after the other, and says the number of each that is kept.
pub fn write_until_killed(file: &Path) -> ExitCode {
    const CHECKS: i64 = 200;
    let mut history = History::open(file).unwrap().history;
    let mut out = std::io::stdout().lock();
    for number in 0..CHECKS {
        history.record(&numbered(number)).unwrap();
        writeln!(out, "{number}").unwrap();
        out.flush().unwrap();
    }
    ExitCode::SUCCESS
}

/// A check whose entries know its number.
fn numbered(number: i64) -> Check {
    let at = Timestamp::from_second(serial(0) + number).unwrap();
    let transition = |part: i64| Transition {
        at,
        kind: SubjectKind::Range,
        subject: format!("13.{number}.{part}.0/24"),
        before: None,
        after: "blocked".to_owned(),
        layer: None,
        mechanism: None,
        failing: true,
        evidence: json!({"number": number, "text": "x".repeat(300)}),
    };
    let change = FeedChange {
        at,
        source: Source::IpRanges,
        kind: FeedChangeKind::Added,
        prefix: "13.32.0.0/15".parse().unwrap(),
        list: List::Global,
        serial: None,
        previous: None,
    };
    Check {
        transitions: (0..10).map(transition).collect(),
        feed: vec![change],
        ..Check::new(CheckKind::Ranges, at, 1.0)
    }
}

/// Whatever the writer said is there, at most one check more, and each of them whole.
fn is_whole(file: &Path, said: usize) {
    let opened = History::open(file).unwrap();
    assert_eq!(opened.set_aside, None);
    let reader = HistoryReader::open(file).unwrap();
    let checks = reader.checks(&Query::default()).unwrap().entries.len();
    assert!(checks == said || checks == said + 1, "{checks} are there, {said} were said");
    let mut subjects = BTreeSet::new();
    let mut query = Query::default();
    loop {
        let page = reader.transitions(&query).unwrap();
        subjects.extend(page.entries.into_iter().map(|kept| kept.entry.subject));
        query.before = page.next;
        if query.before.is_none() {
            break;
        }
    }
    assert_eq!(subjects.len(), checks * 10);
    assert_eq!(reader.feed_changes(&Query::default()).unwrap().entries.len(), checks);
}

/// Enough for the file to be made, written to and folded into one, and no more than that.
const EACH: usize = 45;

pub fn history() -> String {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("history.sqlite");
    let test = std::env::current_exe().unwrap();
    let mut kills = 0;
    for call in ["pwrite64", "fdatasync", "fsync", "ftruncate", "unlink", OPENS] {
        for number in 1..=EACH {
            for entry in fs::read_dir(folder.path()).unwrap() {
                fs::remove_file(entry.unwrap().path()).unwrap();
            }
            let inject = format!("inject={call}:signal=SIGKILL:when={number}");
            let trace = format!("trace={call}");
            let words = ["-f", "-qq", "-o", "/dev/null", "-e", &trace, "-e", &inject];
            let mut command = Command::new("strace");
            let output = command.args(words).arg(&test).arg(WRITE).arg(&file).output().unwrap();
            is_whole(&file, String::from_utf8(output.stdout).unwrap().lines().count());
            if output.status.signal() != Some(SIGKILL) {
                break;
            }
            kills += 1;
        }
    }
    assert!(kills > 80, "{kills}");
    format!("{kills} kills")
}

const KILLS: usize = 25;

pub fn history_at_any_time() -> String {
    let folder = tempfile::tempdir().unwrap();
    let test = std::env::current_exe().unwrap();
    for number in 0..KILLS {
        let file = folder.path().join(format!("{number}.sqlite"));
        let mut child = Command::new(&test).arg(WRITE).arg(&file).stdout(Stdio::piped()).spawn().unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let read = lines.by_ref().take(number * 3 + 1).count();
        child.kill().unwrap();
        child.wait().unwrap();
        is_whole(&file, read + lines.count());
    }
    format!("{KILLS} kills")
}
