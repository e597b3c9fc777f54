//! What is tried with each format.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};

use egressd::export::{ExportError, Families, Intent, Overflow, Request, RuleFormat, Rules, Selected};
use egressd::prefix::{Family, Prefix, PrefixSet};

use crate::examine::{changed, read, saved};
use crate::fixtures::{self, Fixture, HOSTILE};
use crate::runner::Case;

/// The formats of network devices have their readers in `tests/devices`.
const DEVICES: RangeInclusive<RuleFormat> = RuleFormat::Ios..=RuleFormat::Netskope;

/// The cases.
pub fn all() -> Vec<Case> {
    let formats = || RuleFormat::ALL.iter().copied().filter(|format| !DEVICES.contains(format));
    let whole = formats().map(|format| case(&format!("format_{format}_"), move || round_trips(format)));
    let changing = formats().filter(|format| format.capability().change);
    whole.chain(changing.map(|format| case(&format!("change_{format}_"), move || changes(format)))).collect()
}

fn case(name: &str, run: impl Fn() -> String + Sync + 'static) -> Case {
    Case { name: name.to_owned(), run: Box::new(run) }
}

/// Each fixture is written, accepted and read back, or refused with a reason.
fn round_trips(format: RuleFormat) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let mut expected: BTreeMap<PathBuf, PrefixSet> = BTreeMap::new();
    assert_eq!(written(&asked(format, &empty(), Overflow::Fail, None)).expect_err("nothing"), ExportError::Empty);
    for fixture in fixtures::all() {
        let fixture = expressible(format, fixture);
        // A list that fits no object of the device is split, where it can be, and else has to be in bounds.
        let overflow = if format.capability().splits { Overflow::Split } else { Overflow::Fail };
        let request = asked(format, &fixture, overflow, None);
        let Some((text, rules)) = unless_empty(written(&request)) else { continue };
        assert!(rules.extra().is_empty());
        expected.extend(altered(folder.path(), &fixture, &text));
        expected.insert(kept(folder.path(), &fixture.name, &text, &request), addresses(&fixture.selected));
    }
    if let Some(limit) = format.capability().limit {
        assert_bounds(format, limit.entries);
    }
    let most = format.capability().limit.map_or(SMALL, |limit| limit.entries);
    expected.extend(around_the_limit(format, if most > READ { SMALL } else { most }, folder.path()));
    let files: Vec<PathBuf> = expected.keys().cloned().collect();
    let found = read(format, &files);
    for (file, expected) in &expected {
        assert!(found.get(file) == Some(expected), "{}: {:?} is not {expected:?}", file.display(), found.get(file));
    }
    let without = format == RuleFormat::Terraform && !installed("terraform");
    format!("{} files{}", files.len(), if without { ", without terraform: it is not installed" } else { "" })
}

fn installed(program: &str) -> bool {
    let path = std::env::var_os("PATH").unwrap_or_default();
    std::env::split_paths(&path).any(|folder| folder.join(program).is_file())
}

/// The same file with a prefix that somebody changed: a reader that did not read it would not notice.
fn altered(folder: &Path, fixture: &Fixture, text: &str) -> Option<(PathBuf, PrefixSet)> {
    let (before, after) = ("13.32.0.0/15", "13.32.0.0/14");
    let changed = text.replace(before, after);
    let there = fixture.name == "both" && changed != text;
    let wider = PrefixSet::from(after.parse::<Prefix>().expect("a prefix"));
    there.then(|| (saved(folder, "altered", &changed), addresses(&fixture.selected).union(&wider)))
}

/// A device follows the change from one list to another, and back; then what was missing is added and removed again.
fn changes(format: RuleFormat) -> String {
    let folder = tempfile::tempdir().expect("a folder");
    let fixture = |name: &str, list: &[&str]| {
        let prefixes: Vec<Prefix> = list.iter().map(|text| text.parse().expect("a prefix")).collect();
        let mut selected = Selected::plain(&prefixes);
        // moto says that it revokes IPv6 rules, and does not.
        if format == RuleFormat::AwsSecurityGroup {
            selected = selected.within(&[everything()]);
        }
        Fixture { name: name.to_owned(), selected, object: "cloudfront", hosts: Vec::new() }
    };
    // One prefix becomes a larger one, one a smaller, one goes, one comes.
    let old = fixture("old", &["13.32.0.0/16", "99.84.0.0/15", "205.251.200.0/21", "2600:9000:1000::/36"]);
    let new = fixture("new", &["13.32.0.0/15", "99.84.0.0/16", "3.160.0.0/14", "2600:9000:2000::/36"]);
    let missing = fixture("missing", &["143.204.0.0/16", "2600:9000:ddd::/48"]);
    let was = old.selected.canonical();
    let steps =
        [(&new, Intent::From(&was)), (&new, Intent::BackTo(&was)), (&missing, Intent::Add), (&missing, Intent::Remove)];
    let begun = if format == RuleFormat::NftablesUpdate { RuleFormat::Nftables } else { format };
    let (text, _) = written(&asked(begun, &old, Overflow::Fail, None)).expect("it fits");
    let mut files = vec![saved(folder.path(), "whole", &text)];
    for (at, (fixture, intent)) in steps.into_iter().enumerate() {
        let request = Request { intent, ..asked(format, fixture, Overflow::Fail, None) };
        let (text, _) = written(&request).expect("it can change");
        files.push(saved(folder.path(), &format!("change-{at}"), &text));
    }
    let [old, new, missing] = [&old, &new, &missing].map(|fixture| addresses(&fixture.selected));
    assert_eq!(changed(format, &files), [new, old.clone(), old.union(&missing), old]);
    format!("{} steps", files.len() - 1)
}

/// A limit that is tried with formats that have none, or one that takes other people's programs minutes to read.
const SMALL: usize = 12;

/// The largest limit at which the files are read back.
const READ: usize = 200;

/// The device's own limit: as many as it takes, and one more.
fn assert_bounds(format: RuleFormat, most: usize) {
    let [at, over] = fixtures::at_and_over(format, most);
    let rules = asked(format, &at, Overflow::Fail, None).rules().expect("the limit is not passed");
    assert!(rules.groups().all(|group| group.part.is_none()), "{format} splits what fits");
    let refused = asked(format, &over, Overflow::Fail, None).rules().map(|rules| rules.entries().len());
    let Err(ExportError::OverLimit { entries, limit, .. }) = &refused else { panic!("{format}: {refused:?}") };
    assert_eq!((*entries, limit.entries), (most + 1, most));
    assert!(refused.expect_err("over").hint().is_some_and(|hint| hint.contains("--on-overflow")));
}

/// One more than the limit is split without loss, or covered at a price that is told.
fn around_the_limit(format: RuleFormat, most: usize, folder: &Path) -> BTreeMap<PathBuf, PrefixSet> {
    let mut expected = BTreeMap::new();
    let [at, over] = fixtures::at_and_over(format, most);
    let most = NonZeroUsize::new(most);
    let request = asked(format, &at, Overflow::Fail, most);
    let (text, _) = written(&request).expect("the limit is not passed");
    expected.insert(kept(folder, "at-the-limit", &text, &request), addresses(&at.selected));
    let request = asked(format, &over, Overflow::Split, most);
    match written(&request) {
        Ok((text, rules)) => {
            assert!(rules.groups().all(|group| group.part.is_some_and(|(_, count)| count == 2)), "{format}");
            expected.insert(kept(folder, "split", &text, &request), addresses(&over.selected));
        }
        Err(error) => assert_eq!(error, ExportError::NoSplit(format)),
    }
    let cover = Overflow::Cover { max_extra_percent: None };
    let request = asked(format, &over, cover, most);
    let (text, rules) = written(&request).expect("a cover");
    let extra: PrefixSet = rules.extra().iter().copied().collect();
    assert!(!extra.is_empty() && extra.intersection(&addresses(&over.selected)).is_empty());
    assert!(rules.notes().iter().any(|note| note.contains("beyond the list")), "the price is told");
    expected.insert(kept(folder, "covered", &text, &request), addresses(&over.selected).union(&extra));
    let nothing_more = Overflow::Cover { max_extra_percent: Some(0.0) };
    let dear = written(&asked(format, &over, nothing_more, most)).expect_err("dear");
    assert!(matches!(dear, ExportError::Fit(_)), "{dear}");
    expected
}

/// The fixture, or its IPv4 part after the refusal of the whole.
fn expressible(format: RuleFormat, mut fixture: Fixture) -> Fixture {
    if let (false, Some(host)) = (format.capability().hosts, fixture.hosts.first().cloned()) {
        let v4_only = Fixture { selected: fixture.selected.within(&[everything()]), ..fixture };
        let refused = written(&asked(format, &v4_only, Overflow::Fail, None)).expect_err("host names");
        assert_eq!(refused, ExportError::NoHosts { format, host });
        fixture = Fixture { hosts: Vec::new(), ..v4_only };
    }
    let v6 = fixture.selected.canonical().iter().filter(|prefix| prefix.family() == Family::V6).count();
    if format.capability().families != Families::V4Only || v6 == 0 {
        return fixture;
    }
    let refused = written(&asked(format, &fixture, Overflow::Fail, None)).expect_err("IPv6");
    assert_eq!(refused, ExportError::NoIpv6 { format, count: v6 });
    Fixture { selected: fixture.selected.within(&[everything()]), ..fixture }
}

/// All of IPv4.
fn everything() -> Prefix {
    "0.0.0.0/0".parse().expect("a prefix")
}

fn unless_empty(written: Result<(String, Rules), ExportError>) -> Option<(String, Rules)> {
    match written {
        Err(ExportError::Empty) => None,
        written => Some(written.unwrap_or_else(|error| panic!("{error}"))),
    }
}

fn asked(format: RuleFormat, fixture: &Fixture, overflow: Overflow, most: Option<NonZeroUsize>) -> Request<'_> {
    Request {
        format,
        name: fixture.object,
        source: HOSTILE,
        origin: HOSTILE,
        selected: &fixture.selected,
        intent: Intent::Replace,
        ports: &[443],
        hosts: &fixture.hosts,
        max_entries: most,
        overflow,
    }
}

/// The same list gives the same bytes.
fn written(request: &Request<'_>) -> Result<(String, Rules), ExportError> {
    let rules = request.rules()?;
    let text = || {
        let mut text = String::new();
        request.format.write(&rules, &mut text).expect("a String takes everything");
        text
    };
    assert_eq!(text(), text(), "{}", request.format);
    Ok((text(), rules))
}

/// Saves what was written; rules that look into sets have the sets beside them.
fn kept(folder: &Path, name: &str, text: &str, request: &Request<'_>) -> PathBuf {
    if request.format == RuleFormat::IptablesIpset {
        let sets = Request { format: RuleFormat::Ipset, ..request.clone() };
        saved(folder, &format!("{name}.ipset"), &written(&sets).expect("the same entries").0);
    }
    saved(folder, name, text)
}

fn addresses(selected: &Selected) -> PrefixSet {
    selected.canonical().into_iter().collect()
}

fn empty() -> Fixture {
    Fixture { name: "empty".to_owned(), selected: Selected::plain(&[]), object: "cloudfront", hosts: Vec::new() }
}
