use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;
use crate::prefix::Prefix;
use crate::text::grouped;

fn written(format: RuleFormat, name: &str, text: &str) -> String {
    let prefixes = if format.capability().families == Families::V4Only { &LISTED[..2] } else { &LISTED[..] };
    let listed = prefixes.iter().map(|prefix| (prefix.parse::<Prefix>().expect("a prefix"), text.to_owned()));
    let request = Request {
        format,
        name,
        source: text,
        origin: text,
        selected: &Selected::new(listed),
        intent: Intent::Replace,
        ports: &[443],
        hosts: &[],
        max_entries: None,
        overflow: Overflow::Fail,
    };
    let mut out = String::new();
    format.write(&request.rules().expect("it fits"), &mut out).expect("a String takes everything");
    out
}

const LISTED: [&str; 4] = ["13.32.0.0/15", "56.125.47.0/32", "2600:9000::1/128", "2600:9000:2000::/36"];

/// How often each character occurs that means something in any syntax.
fn signs(text: &str) -> BTreeMap<char, usize> {
    let plain = |c: char| c.is_ascii_alphanumeric() || " ._:/,-".contains(c);
    text.chars().filter(|c| !plain(*c)).fold(BTreeMap::new(), |mut signs, sign| {
        *signs.entry(sign).or_default() += 1;
        signs
    })
}

/// Letters and digits in place of what becomes nothing, so that both have a comment or none.
fn harmless(text: &str) -> &str {
    if clean(text, 100).is_empty() { "" } else { "a" }
}

#[test]
fn every_format_has_a_name_of_its_own() {
    for &format in RuleFormat::ALL {
        assert_eq!(RuleFormat::named(format.name()), Some(format));
        assert!(format.name().bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-'));
        assert!(!format.title().is_empty() && !format.capability().validated_by.is_empty(), "{format}");
    }
    assert!(RuleFormat::ALL.len() > 30);
}

#[test]
fn lists_of_ours_are_read_again() {
    for format in [RuleFormat::Plain, RuleFormat::Csv, RuleFormat::Json, RuleFormat::Yaml] {
        let text = written(format, "cloudfront", "viewer eu-west-1");
        let previous = Previous::parse("made", text.as_bytes()).unwrap_or_else(|error| panic!("{format}: {error}"));
        assert_eq!(previous.prefixes.iter().map(Prefix::to_string).collect::<Vec<_>>(), LISTED, "{format}");
    }
}

#[test]
fn a_list_with_a_wrong_line_is_refused_whole() {
    for (text, complaint) in
        [("13.32.0.0/15\n13.33.0.0/15\n", "line 2"), ("13.32.0.0\n", "line 1"), ("{", "feed made: ")]
    {
        let error = Previous::parse("made", text.as_bytes()).unwrap_err().to_string();
        assert!(error.starts_with(complaint), "{error}");
    }
}

#[test]
fn what_is_missing_is_what_is_blocked_and_what_an_old_list_lacks() {
    let report = r#"{"schema": "egressd.report/1", "ranges": [
        {"mechanism": "dropped", "blocked": ["13.32.0.0/15"]}, {"mechanism": null, "blocked": []},
        {"mechanism": "tls_intercepted", "blocked": ["99.84.0.0/16"]}], "diagnoses": [
        {"id": "stale_allowlist", "prefixes": ["13.32.0.0/15", "130.176.0.0/17"]},
        {"id": "tls_intercepted", "prefixes": ["99.84.0.0/16"]}]}"#;
    let texts = |bytes: &str| Missing::parse(bytes.as_bytes()).expect("a report").prefixes;
    assert_eq!(texts(report).iter().map(Prefix::to_string).collect::<Vec<_>>(), ["13.32.0.0/15", "130.176.0.0/17"]);
    assert_eq!(texts(r#"{"schema": "egressd.audit/1", "missing": ["13.32.0.0/15"]}"#).len(), 1);
    let other = Missing::parse(br#"{"schema": "egressd.ranges/1"}"#).unwrap_err();
    assert!(other.to_string().contains("egressd.ranges/1"), "{other}");
}

/// The line of the README's table.
fn line(format: RuleFormat) -> String {
    let capability = format.capability();
    let limit = capability
        .limit
        .map_or_else(|| "none".to_owned(), |limit| format!("{} in a {}", grouped(limit.entries as u128), limit.of));
    let atomic = capability.atomic.unwrap_or("no");
    format!("| `{format}` | {} | {limit} | {atomic} | {} |", format.title(), capability.validated_by)
}

#[test]
fn the_readme_has_every_format_as_it_is() {
    let readme = include_str!("../../README.md");
    let lines: Vec<&str> = readme.lines().filter(|line| line.starts_with("| `")).collect();
    let expected: Vec<String> = RuleFormat::ALL.iter().map(|&format| line(format)).collect();
    let table: Vec<&str> = lines.into_iter().filter(|line| line.matches('|').count() == 6).collect();
    assert_eq!(table, expected, "\n{}\n", expected.join("\n"));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn no_name_and_no_comment_changes_what_a_rule_does(name in ".*|[\"'`$(){}\\[\\];<>&|\\\\#%!\n\r-]*", text in ".{0,80}|[\"'`$(){}\\[\\];<>&|\\\\#%!\n\r-]*") {
        for &format in RuleFormat::ALL {
            let (hostile, plain) = (written(format, &name, &text), written(format, "a", harmless(&text)));
            prop_assert!(hostile.is_ascii(), "{}", format);
            prop_assert_eq!(signs(&hostile), signs(&plain), "{}", format);
        }
    }
}
