//! Lists that are offered, and what is in force afterwards.

use std::fs;
use std::time::Duration;

use tempfile::TempDir;

use super::*;
use crate::ranges::made::{entry, ip_ranges, list};
use crate::ranges::{FeedChangeKind, List};

const TERMS: Terms = Terms {
    bounds: Bounds { most_growth_percent: 25.0, most_shrink_percent: 10.0 },
    patience: Patience { debounce: Duration::from_hours(4 * 24), grace: Duration::from_hours(30 * 24) },
};

/// So many days after the first of November 2026.
fn day(day: i64) -> Timestamp {
    Timestamp::from_second(1_793_491_200 + day * 86_400).unwrap()
}

/// The documented list with more and less, published on a day.
fn published(on: i64, more: &[&str], less: &[&str]) -> String {
    let documented = FeedSnapshot::documented();
    let mut listed: Vec<(String, &str)> = documented
        .ranges
        .iter()
        .map(|range| (range.prefix.to_string(), if range.list == List::Global { "GLOBAL" } else { "eu-west-2" }))
        .collect();
    listed.extend(more.iter().map(|prefix| ((*prefix).to_owned(), "GLOBAL")));
    listed.retain(|(prefix, _)| !less.contains(&prefix.as_str()));
    let entries = listed
        .iter()
        .flat_map(|(prefix, region)| ["CLOUDFRONT", "AMAZON"].map(|service| entry(prefix, region, service)));
    let text = ip_ranges(&entries.collect::<Vec<_>>(), &[]);
    let moment = day(on);
    text.replace("1787433425", &moment.as_second().to_string())
        .replace("2026-08-22", &moment.strftime("%F").to_string())
}

struct Site {
    folder: TempDir,
    feeds: Feeds,
}

impl Site {
    fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        Self { feeds: Feeds::at(folder.path().join("feeds")), folder }
    }

    fn offer(&self, text: &str, now: i64) -> Offered {
        let offer =
            Offer { bytes: text.as_bytes(), from: "https://mirror.example/", etag: Some("\"1\""), last_modified: None };
        self.feeds.offer(&offer, &TERMS, day(now)).unwrap()
    }

    fn in_force(&self, now: i64) -> InForce {
        self.feeds.in_force(TERMS.patience, day(now))
    }

    fn serial(&self) -> Option<String> {
        let in_force = self.in_force(99);
        in_force.kept.map(|kept| kept.serial.unwrap())
    }

    fn files(&self) -> Vec<String> {
        let names = files::files_in(self.feeds.folder()).unwrap().iter().map(|file| files::name_of(file)).collect();
        assert!(self.folder.path().exists());
        names
    }

    fn file(&self, part: &str) -> PathBuf {
        let name = self.files().into_iter().find(|name| name.contains(part)).unwrap();
        self.feeds.folder().join(name)
    }
}

fn changes(offered: &Offered) -> Vec<(FeedChangeKind, String)> {
    offered.changes.iter().map(|change| (change.kind, change.prefix.to_string())).collect()
}

#[test]
fn nothing_kept_is_the_documented_list_and_no_folder() {
    let site = Site::new();
    let in_force = site.in_force(0);
    assert_eq!((in_force.feed, in_force.kept, in_force.troubles.len()), (FeedSnapshot::documented(), None, 0));
    assert!(site.feeds.older().lists.is_empty() && site.feeds.status().is_empty() && !site.feeds.folder().exists());
}

#[test]
fn a_good_list_is_in_force_and_survives_a_restart() {
    let site = Site::new();
    let text = published(0, &["3.172.0.0/18"], &[]);
    let offered = site.offer(&text, 1);
    assert_eq!(
        (offered.outcome.clone(), changes(&offered)),
        (Outcome::Accepted, Vec::new()),
        "nothing was there before"
    );
    let in_force = Feeds::at(site.feeds.folder().to_owned()).in_force(TERMS.patience, day(1));
    assert_eq!(in_force.feed, FeedSnapshot::parse("https://mirror.example/", text.as_bytes()).unwrap());
    let kept = in_force.kept.unwrap();
    assert_eq!((kept.etag.as_deref(), kept.fetched, kept.confirmed), (Some("\"1\""), day(1), day(1)));
    site.feeds.confirm(Source::IpRanges, &TERMS, day(2)).unwrap();
    let kept = site.in_force(2).kept.unwrap();
    assert_eq!((kept.fetched, kept.confirmed), (day(1), day(2)));
}

#[test]
fn a_newer_serial_of_the_same_list_is_kept_and_no_change() {
    let site = Site::new();
    for on in 0..5 {
        let outcome = site.offer(&published(on, &[], &[]), on).outcome;
        assert_eq!(outcome, if on == 0 { Outcome::Accepted } else { Outcome::Unchanged });
    }
    assert_eq!(site.serial(), Some(day(4).as_second().to_string()));
    assert_eq!(site.feeds.older().lists.len(), 1);
    assert_eq!(site.files().len(), 4, "lock, state, this list and the one before: {:?}", site.files());
}

#[test]
fn ranges_come_and_go_with_patience() {
    let site = Site::new();
    site.offer(&published(0, &[], &[]), 0);
    let offered = site.offer(&published(1, &["3.172.0.0/18"], &[]), 1);
    assert_eq!(changes(&offered), [(FeedChangeKind::Added, "3.172.0.0/18".to_owned())]);
    let change = &offered.changes[0];
    assert_eq!((&change.previous, &change.serial), (&Some(day(0).as_second().to_string()), &site.serial()));
    assert!(changes(&site.offer(&published(2, &[], &[]), 2)).is_empty());
    assert!(changes(&site.offer(&published(3, &["3.172.0.0/18"], &[]), 3)).is_empty(), "it only flapped");
    assert!(changes(&site.offer(&published(4, &[], &[]), 4)).is_empty());
    assert_eq!(site.in_force(5).withdrawn[0].range.prefix.to_string(), "3.172.0.0/18");
    let confirmed = site.feeds.confirm(Source::IpRanges, &TERMS, day(8)).unwrap();
    assert_eq!(changes(&confirmed), [(FeedChangeKind::Withdrawn, "3.172.0.0/18".to_owned())]);
    assert_eq!(site.in_force(33).withdrawn.len(), 1);
    assert!(site.in_force(34).withdrawn.is_empty(), "the grace is over, though nobody looked");
    assert_eq!(site.feeds.recent_changes().len(), 2);
}

#[test]
fn what_is_held_waits_and_what_is_in_force_stays() {
    let site = Site::new();
    site.offer(&published(0, &[], &[]), 0);
    let large = published(1, &["3.160.0.0/12"], &[]);
    assert!(matches!(site.offer(&large, 1).outcome, Outcome::Held(_)));
    assert!(matches!(site.offer(&large, 2).outcome, Outcome::Held(_)));
    assert_eq!(site.serial(), Some(day(0).as_second().to_string()));
    let held = site.feeds.status().remove(0).held.unwrap();
    assert_eq!((held.since, held.reasons.len()), (day(1), 1));
    let accepted = site.feeds.accept(&TERMS, day(3)).unwrap();
    assert_eq!(changes(&accepted[0]), [(FeedChangeKind::Added, "3.160.0.0/12".to_owned())]);
    assert_eq!(site.serial(), Some(day(1).as_second().to_string()));
    assert!(matches!(site.feeds.accept(&TERMS, day(4)), Err(FeedsError::NothingHeld)));
    assert!(!site.files().iter().any(|name| name.contains("held")));
}

#[test]
fn a_good_list_takes_the_place_of_one_that_waits() {
    let site = Site::new();
    site.offer(&published(0, &[], &[]), 0);
    site.offer(&published(1, &["3.160.0.0/12"], &[]), 1);
    assert_eq!(site.offer(&published(2, &["3.172.0.0/18"], &[]), 2).outcome, Outcome::Accepted);
    assert_eq!(site.feeds.status()[0].held, None);
}

#[test]
fn what_is_refused_leaves_no_trace() {
    let site = Site::new();
    site.offer(&published(5, &[], &[]), 5);
    let before = (site.files(), fs::read(site.file("state")).unwrap());
    let private = published(6, &["10.0.0.0/8"], &[]);
    let html = "<html>".to_owned();
    for text in [published(4, &["3.172.0.0/18"], &[]), published(99, &[], &[]), private, html, String::new()] {
        assert!(matches!(site.offer(&text, 6).outcome, Outcome::Refused(_)));
    }
    assert_eq!((site.files(), fs::read(site.file("state")).unwrap()), before);
}

#[test]
fn a_damaged_list_is_passed_over_for_the_one_before() {
    let site = Site::new();
    site.offer(&published(0, &[], &[]), 0);
    site.offer(&published(1, &["3.172.0.0/18"], &[]), 1);
    let newest = site.in_force(1).feed.sha256;
    let file = site.file(&newest[..16]);
    let sound = fs::read(&file).unwrap();
    for damaged in [b"".to_vec(), sound[..1000].to_vec(), published(1, &["3.173.0.0/18"], &[]).into_bytes()] {
        fs::write(&file, damaged).unwrap();
        let in_force = site.in_force(1);
        assert_eq!(in_force.feed.serial, Some(day(0).as_second().to_string()));
        assert!(in_force.troubles[0].to_string().contains("is damaged"), "{:?}", in_force.troubles);
    }
    fs::remove_file(&file).unwrap();
    assert_eq!(site.in_force(1).feed.serial, Some(day(0).as_second().to_string()));
    // The next one sets it aside and goes on from there.
    fs::write(&file, "{}").unwrap();
    let offered = site.offer(&published(2, &["3.172.0.0/18"], &[]), 2);
    assert_eq!((offered.outcome, offered.troubles.len()), (Outcome::Accepted, 1));
    assert!(site.files().iter().any(|name| name.ends_with(".damaged")));
    assert!(site.in_force(2).troubles.is_empty());
}

#[test]
fn a_damaged_state_is_set_aside_and_the_newest_good_list_stays() {
    let site = Site::new();
    site.offer(&published(0, &[], &[]), 0);
    site.offer(&published(1, &["3.172.0.0/18"], &[]), 1);
    site.offer(&published(2, &["3.160.0.0/12"], &[]), 2);
    let state = site.file("state");
    let sound = fs::read_to_string(&state).unwrap();
    let other_form = sound.replace("egressd.feed/1", "egressd.feed/9");
    let traversal = sound.replace(&site.in_force(2).feed.sha256, "../../../../../etc/passwd");
    for damaged in ["", "{", "[]", &other_form, &traversal] {
        fs::write(&state, damaged).unwrap();
        let in_force = site.in_force(2);
        assert_eq!(in_force.feed.serial, Some(day(1).as_second().to_string()), "not the one that waits");
        assert_eq!(in_force.troubles.len(), 1);
    }
    assert_eq!(site.offer(&published(3, &["3.172.0.0/18"], &[]), 3).outcome, Outcome::Unchanged);
    assert!(site.in_force(3).troubles.is_empty());
    assert!(site.files().contains(&"ip-ranges.state.json.damaged".to_owned()));
}

#[test]
fn all_of_it_damaged_is_the_documented_list() {
    let site = Site::new();
    site.offer(&published(0, &[], &[]), 0);
    for name in site.files() {
        fs::write(site.feeds.folder().join(name), "\u{0}").unwrap();
    }
    let in_force = site.in_force(0);
    assert_eq!(in_force.feed, FeedSnapshot::documented());
    assert!(!in_force.troubles.is_empty());
}

#[test]
fn what_a_killed_writer_left_is_removed() {
    let site = Site::new();
    site.offer(&published(0, &[], &[]), 0);
    for name in [".egressd-abc", "archive/.egressd-abc", "ip-ranges.0123456789abcdef.json"] {
        fs::write(site.feeds.folder().join(name), "half").unwrap();
    }
    site.feeds.confirm(Source::IpRanges, &TERMS, day(1)).unwrap();
    assert_eq!(site.files().len(), 3, "{:?}", site.files());
    assert_eq!(files::files_in(&site.feeds.archive_folder()).unwrap().len(), 1);
}

#[test]
fn the_list_without_dates_is_dated_by_its_server() {
    let site = Site::new();
    let documented = FeedSnapshot::documented();
    let texts: Vec<String> = documented.ranges.iter().map(|range| range.prefix.to_string()).collect();
    let mut texts: Vec<&str> = texts.iter().map(String::as_str).collect();
    let offered = |texts: &[&str], modified| {
        let text = list(texts, &[]);
        let offer =
            Offer { bytes: text.as_bytes(), from: "https://d.example/", etag: None, last_modified: Some(modified) };
        site.feeds.offer(&offer, &TERMS, day(9)).unwrap().outcome
    };
    assert_eq!(offered(&texts, "Mon, 02 Nov 2026 10:00:00 GMT"), Outcome::Accepted);
    texts.push("3.172.0.0/18");
    let older = offered(&texts, "Sun, 01 Nov 2026 10:00:00 GMT");
    assert_eq!(
        older,
        Outcome::Refused(vec!["it is older (2026-11-01) than the list that is held (2026-11-02)".to_owned()])
    );
    assert_eq!(offered(&texts, "Tue, 03 Nov 2026 10:00:00 GMT"), Outcome::Accepted);
    assert_eq!(site.in_force(9).feed.date, Some("2026-11-03".parse().unwrap()));
    // AWS's own list goes before it, once there is one.
    site.offer(&published(0, &[], &[]), 9);
    assert_eq!(site.in_force(9).feed.source, Source::IpRanges);
    // What it announces holds for the other as well.
    texts.push("9.9.9.0/24");
    assert!(matches!(offered(&texts, "Wed, 04 Nov 2026 10:00:00 GMT"), Outcome::Refused(_)));
}

#[test]
fn one_writer_at_a_time() {
    let site = Site::new();
    site.offer(&published(0, &[], &[]), 0);
    let text = published(1, &["3.172.0.0/18"], &[]);
    let outcomes: Vec<Outcome> = std::thread::scope(|scope| {
        let offers: Vec<_> = (0..8).map(|_| scope.spawn(|| site.offer(&text, 1).outcome)).collect();
        offers.into_iter().map(|offer| offer.join().unwrap()).collect()
    });
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Outcome::Accepted).count(), 1, "{outcomes:?}");
    assert_eq!(outcomes.iter().filter(|outcome| **outcome == Outcome::Unchanged).count(), 7);
}

#[test]
fn a_folder_that_cannot_be_made_is_an_error() {
    let feeds = Feeds::at("/dev/null/feeds".into());
    let text = published(0, &[], &[]);
    let offer = Offer { bytes: text.as_bytes(), from: "x", etag: None, last_modified: None };
    assert!(feeds.offer(&offer, &TERMS, day(0)).unwrap_err().to_string().contains("/dev/null/feeds"));
    assert_eq!(feeds.in_force(TERMS.patience, day(0)).feed, FeedSnapshot::documented());
}
