//! The table of sentences: every rule of the pages is in it, and every test that it names is there and names the rule.

use std::collections::BTreeSet;

use egressd::media::rules::{Rules, Source};

const TABLE: &str = include_str!("sentences.md");
const TESTS: &str = include_str!("../../src/media/check/tests.rs");

struct Row<'a> {
    page: &'a str,
    lines: &'a str,
    sentence: &'a str,
    rule: &'a str,
    test: &'a str,
}

fn rows() -> Vec<Row<'static>> {
    let cells = |line: &'static str| {
        line.trim_matches('|').split(" | ").map(|cell| cell.trim().trim_matches('`')).collect::<Vec<_>>()
    };
    let rows = TABLE.lines().filter(|line| line.starts_with("| ")).skip(1).map(cells);
    rows.map(|cells| {
        let [page, lines, sentence, rule, test] = cells[..] else { panic!("{cells:?}") };
        Row { page, lines, sentence, rule, test }
    })
    .collect()
}

#[test]
fn every_sentence_has_a_rule_and_a_test() {
    let rules = Rules::embedded();
    for row in rows() {
        let rule = rules.rule(row.rule).unwrap_or_else(|| panic!("{}", row.rule));
        let Source::Page { page, lines, .. } = &rule.source else { panic!("{} is of no page", row.rule) };
        assert_eq!(
            (row.page, row.lines, row.sentence),
            (page.as_str(), lines.as_str(), rule.says.as_str()),
            "{}",
            row.rule
        );
        let test = body(row.test).unwrap_or_else(|| panic!("{}: no test {}", row.rule, row.test));
        assert!(test.contains(row.rule), "{} does not name {}", row.test, row.rule);
    }
}

#[test]
fn every_rule_of_the_pages_is_in_the_table() {
    let listed: BTreeSet<&str> = rows().iter().map(|row| row.rule).collect();
    let rules = Rules::embedded();
    let of_pages = rules.rules.iter().filter(|rule| matches!(rule.source, Source::Page { .. }));
    let missing: Vec<&str> = of_pages.map(|rule| rule.id.as_str()).filter(|id| !listed.contains(id)).collect();
    assert!(missing.is_empty(), "{missing:?}");
    assert_eq!(listed.len(), rows().len(), "each rule stands once");
}

/// From the test's name to the end of its function.
fn body(test: &str) -> Option<&'static str> {
    let start = TESTS.find(&format!("fn {test}("))?;
    let end = TESTS[start..].find("\n}\n")?;
    Some(&TESTS[start..start + end])
}
