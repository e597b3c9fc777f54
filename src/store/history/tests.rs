//! What is written is found again, whatever happens in between.

use std::fs;
use std::time::Duration;

use jiff::Timestamp;
use rusqlite::Connection;
use serde_json::json;

use super::*;
use crate::ranges::{FeedChange, FeedChangeKind, List, Source};

fn at(second: i64) -> Timestamp {
    Timestamp::from_second(1_790_000_000 + second).unwrap()
}

fn opened(file: &Path) -> History {
    let opened = History::open(file).unwrap();
    assert_eq!(opened.set_aside, None);
    opened.history
}

fn result(second: i64, failing: bool) -> EndpointResult {
    EndpointResult {
        at: at(second),
        endpoint: "upload".to_owned(),
        direction: "send".to_owned(),
        path: "direct".to_owned(),
        verdict: if failing { "blocked" } else { "open" }.to_owned(),
        layer: failing.then(|| "tcp".to_owned()),
        mechanism: failing.then(|| "dropped".to_owned()),
        reason: None,
        failing,
        seconds: Phases { dns: Some(0.001), connect: (!failing).then_some(0.02), ..Phases::default() },
    }
}

fn transition(second: i64, subject: &str, failing: bool) -> Transition {
    Transition {
        at: at(second),
        kind: SubjectKind::Range,
        subject: subject.to_owned(),
        before: Some("open".to_owned()),
        after: "blocked".to_owned(),
        layer: None,
        mechanism: Some("dropped".to_owned()),
        failing,
        evidence: json!({"probes": 9, "answered": 0}),
    }
}

fn change(second: i64, prefix: &str) -> FeedChange {
    FeedChange {
        at: at(second),
        source: Source::IpRanges,
        kind: FeedChangeKind::Added,
        prefix: prefix.parse().unwrap(),
        list: List::Global,
        serial: Some("2".to_owned()),
        previous: Some("1".to_owned()),
    }
}

/// A check with one entry of each kind.
fn check(second: i64, failing: bool) -> Check {
    Check {
        failing,
        transitions: vec![transition(second, "13.32.0.0/15", failing)],
        endpoints: vec![result(second, failing)],
        media: vec![MediaResult {
            at: at(second),
            endpoint: "upload".to_owned(),
            kind: "image".to_owned(),
            verdict: "sent".to_owned(),
            failing,
            seconds: Some(1.5),
            detail: json!({"bytes": 5}),
        }],
        feed: vec![change(second, "3.160.0.0/14")],
        ..Check::new(CheckKind::Endpoints, at(second), 0.25)
    }
}

#[test]
fn what_is_recorded_is_found_again() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(FILE);
    let mut history = opened(&file);
    let reader = history.reader().unwrap();
    history.record(&check(0, true)).unwrap();
    drop(history);
    let all = Query::default();
    assert_eq!(reader.transitions(&all).unwrap().entries[0].entry, transition(0, "13.32.0.0/15", true));
    assert_eq!(reader.endpoint_results(&all).unwrap().entries[0].entry, result(0, true));
    assert_eq!(reader.feed_changes(&all).unwrap().entries[0].entry, change(0, "3.160.0.0/14"));
    assert_eq!(reader.media_results(&all).unwrap().entries[0].entry, check(0, true).media[0]);
    let summary = &reader.checks(&all).unwrap().entries[0].entry;
    assert_eq!((summary.kind, summary.seconds, summary.failing), (CheckKind::Endpoints, 0.25, true));
    assert_eq!(opened(&file).reader().unwrap().transitions(&all).unwrap().entries.len(), 1, "and after a restart");
}

#[test]
fn entries_come_newest_first_page_by_page_and_as_asked_for() {
    let folder = tempfile::tempdir().unwrap();
    let mut history = opened(&folder.path().join(FILE));
    for second in 0..10 {
        history.record(&check(second, second % 2 == 0)).unwrap();
    }
    let reader = history.reader().unwrap();
    let seconds = |query: &Query| -> Vec<i64> {
        let page = reader.endpoint_results(query).unwrap();
        page.entries.iter().map(|kept| kept.entry.at.as_second() - at(0).as_second()).collect()
    };
    assert_eq!(seconds(&Query { limit: 3, ..Query::default() }), [9, 8, 7]);
    let next = reader.endpoint_results(&Query { limit: 3, ..Query::default() }).unwrap().next;
    assert_eq!(seconds(&Query { limit: 3, before: next, ..Query::default() }), [6, 5, 4]);
    assert_eq!(seconds(&Query { since: Some(at(3)), until: Some(at(6)), ..Query::default() }), [5, 4, 3]);
    assert_eq!(seconds(&Query { failing: Some(true), limit: 2, ..Query::default() }), [8, 6]);
    assert!(seconds(&Query { subject: Some("download".to_owned()), ..Query::default() }).is_empty());
    assert_eq!(reader.endpoint_results(&Query { limit: 10, ..Query::default() }).unwrap().next, None);
    assert_eq!(reader.feed_changes(&Query { failing: Some(true), ..Query::default() }).unwrap().entries, []);
    let kept = serde_json::to_value(reader.feed_changes(&Query { limit: 1, ..Query::default() }).unwrap()).unwrap();
    assert_eq!(kept["entries"][0]["id"], 10);
    assert_eq!(kept["entries"][0]["change"], "added");
}

#[test]
fn text_from_outside_is_a_value_and_no_statement() {
    let folder = tempfile::tempdir().unwrap();
    let mut history = opened(&folder.path().join(FILE));
    let name = "x'; DROP TABLE checks; --";
    history.record(&Check { transitions: vec![transition(0, name, true)], ..check(0, true) }).unwrap();
    let found = history.reader().unwrap().transitions(&Query { subject: Some(name.to_owned()), ..Query::default() });
    assert_eq!(found.unwrap().entries.len(), 1);
}

#[test]
fn a_change_of_a_list_that_is_told_twice_is_kept_once() {
    let folder = tempfile::tempdir().unwrap();
    let mut history = opened(&folder.path().join(FILE));
    for _ in 0..2 {
        history.record(&Check { feed: vec![change(0, "3.160.0.0/14")], ..check(1, false) }).unwrap();
    }
    assert_eq!(history.reader().unwrap().feed_changes(&Query::default()).unwrap().entries.len(), 1);
}

#[test]
fn failures_outlive_successes() {
    let folder = tempfile::tempdir().unwrap();
    let mut history = opened(&folder.path().join(FILE));
    for second in 0..100 {
        history.record(&check(second, second % 10 == 0)).unwrap();
    }
    let retention =
        Retention { successes: Duration::from_secs(10), failures: Duration::from_secs(50), most_bytes: 1 << 30 };
    history.prune(at(99), &retention).unwrap();
    let reader = history.reader().unwrap();
    let count = |failing| {
        let query = Query { failing, ..Query::default() };
        reader.endpoint_results(&query).unwrap().entries.len()
    };
    // The seconds from 89 that are no tens, and the tens from 49.
    assert_eq!((count(Some(false)), count(Some(true))), (10, 5));
    assert_eq!(reader.feed_changes(&Query::default()).unwrap().entries.len(), 100);
}

#[test]
fn a_history_that_grows_too_large_loses_successes_first_and_shrinks() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(FILE);
    let mut history = opened(&file);
    for second in 0..40 {
        let endpoints = (0..200).map(|_| result(second, second % 10 == 0)).collect();
        history.record(&Check { endpoints, ..check(second, second % 10 == 0) }).unwrap();
    }
    let year = Duration::from_hours(365 * 24);
    let before = fs::metadata(&file).unwrap().len();
    let retention = Retention { successes: year, failures: year, most_bytes: 512 << 10 };
    let pruned = history.prune(at(40), &retention).unwrap();
    let now = fs::metadata(&file).unwrap().len();
    assert!(pruned.bytes == now && now <= 512 << 10 && before > now, "{before} {now} {pruned:?}");
    let reader = history.reader().unwrap();
    let failing = reader.endpoint_results(&Query { failing: Some(true), ..Query::default() }).unwrap();
    assert_eq!(failing.entries.len(), 800);
    history.prune(at(40), &Retention { most_bytes: 0, ..retention }).unwrap();
    assert_eq!(reader.feed_changes(&Query::default()).unwrap().entries, [], "and all of it, if that is asked for");
}

#[test]
fn readers_do_not_wait_for_the_writer() {
    let folder = tempfile::tempdir().unwrap();
    let mut history = opened(&folder.path().join(FILE));
    history.record(&check(0, false)).unwrap();
    let reader = history.reader().unwrap();
    let change = history.connection.transaction_with_behavior(rusqlite::TransactionBehavior::Exclusive).unwrap();
    change.execute("DELETE FROM checks", []).unwrap();
    assert_eq!(reader.checks(&Query::default()).unwrap().entries.len(), 1, "as it was before");
    change.commit().unwrap();
    assert_eq!(reader.checks(&Query::default()).unwrap().entries.len(), 0);
}

#[test]
fn a_reader_cannot_write() {
    let folder = tempfile::tempdir().unwrap();
    let history = opened(&folder.path().join(FILE));
    let reader = history.reader().unwrap();
    assert!(rusqlite::Connection::execute(reader.connection(), "DELETE FROM checks", []).is_err());
}

#[test]
fn a_damaged_history_is_set_aside_and_not_lost() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(FILE);
    let mut history = opened(&file);
    for second in 0..50 {
        history.record(&check(second, true)).unwrap();
    }
    drop(history);
    let sound = fs::read(&file).unwrap();
    let mut holed = sound.clone();
    holed[4096..8192].fill(0xff);
    for (number, damaged) in [(1, b"not a database at all, but text".to_vec()), (2, holed), (3, sound[..5000].to_vec())]
    {
        fs::write(&file, &damaged).unwrap();
        let opened = History::open(&file).unwrap();
        let aside = opened.set_aside.expect("it is damaged");
        assert!(aside.to_str().unwrap().ends_with(&format!("{FILE}.damaged-{number}")), "{aside:?}");
        assert_eq!(fs::read(aside).unwrap(), damaged);
        let mut history = opened.history;
        history.record(&check(0, true)).unwrap();
        assert_eq!(history.reader().unwrap().checks(&Query::default()).unwrap().entries.len(), 1);
    }
}

#[test]
fn what_was_written_last_is_all_that_a_power_cut_can_take() {
    let folder = tempfile::tempdir().unwrap();
    let (file, log) = (folder.path().join(FILE), folder.path().join(format!("{FILE}-wal")));
    let mut history = opened(&file);
    let mut ends = Vec::new();
    for second in 0..8 {
        history.record(&check(second, true)).unwrap();
        ends.push(fs::metadata(&log).unwrap().len());
    }
    let (whole, log) = (fs::read(&file).unwrap(), fs::read(&log).unwrap());
    let cut = tempfile::tempdir().unwrap();
    // Each end of a frame, of 24 bytes and a page, and what lies between them.
    for length in (0..=log.len()).step_by(1031).chain([log.len()]) {
        for entry in fs::read_dir(cut.path()).unwrap() {
            fs::remove_file(entry.unwrap().path()).unwrap();
        }
        fs::write(cut.path().join(FILE), &whole).unwrap();
        fs::write(cut.path().join(format!("{FILE}-wal")), &log[..length]).unwrap();
        let kept = opened(&cut.path().join(FILE)).reader().unwrap().checks(&Query::default()).unwrap().entries.len();
        let due = ends.iter().filter(|end| **end <= length as u64).count();
        assert_eq!(kept, due, "cut to {length} of {}", log.len());
    }
}

#[test]
fn a_newer_history_is_refused_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(FILE);
    drop(opened(&file));
    Connection::open(&file).unwrap().pragma_update(None, "user_version", 99).unwrap();
    let before = fs::read(&file).unwrap();
    let error = History::open(&file).unwrap_err();
    assert!(error.to_string().ends_with("is of version 99, and this egressd knows 1"), "{error}");
    assert!(error.hint().is_some());
    assert_eq!(fs::read(&file).unwrap(), before);
}

#[test]
fn somebody_elses_database_is_refused_and_stays() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join(FILE);
    Connection::open(&file).unwrap().execute("CREATE TABLE theirs (a)", []).unwrap();
    assert!(matches!(History::open(&file), Err(HistoryError::Foreign(_))));
    assert_eq!(Connection::open(&file).unwrap().query_row("SELECT count(*) FROM theirs", [], |row| row.get(0)), Ok(0));
}

#[test]
fn a_history_that_cannot_be_made_is_an_error() {
    let error = History::open(Path::new("/dev/null/history.sqlite")).unwrap_err();
    assert!(error.to_string().contains("/dev/null/history.sqlite"));
    assert!(HistoryReader::open(Path::new("/dev/null/history.sqlite")).is_err());
}

#[test]
fn nobody_else_may_read_it() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    let mut history = opened(&folder.path().join(FILE));
    history.record(&check(0, true)).unwrap();
    for entry in fs::read_dir(folder.path()).unwrap() {
        let entry = entry.unwrap();
        assert_eq!(entry.metadata().unwrap().permissions().mode() & 0o777, 0o600, "{:?}", entry.file_name());
    }
}
