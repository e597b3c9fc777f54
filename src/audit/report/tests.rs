use super::*;
use crate::audit::{SourceFile, audit};

/// The report on a list against the documented one.
fn report(list: &str) -> Report {
    let feed = FeedSnapshot::documented();
    let required = Required { feed: &feed, held: &[], ranges: feed.ranges.iter().collect() };
    let files = [SourceFile { name: "allow\u{1b}.txt".to_owned(), text: list.to_owned() }];
    let question = Question::default();
    let policy = Format::Plain.read(&files, &question).expect("a list");
    let coverage = audit(&policy, &files, &required).expect("it ends");
    Report::new(&coverage, &required, Format::Plain, &question, &[files[0].name.clone()])
}

#[test]
fn the_contract_of_the_json_form_holds() {
    let json: serde_json::Value =
        serde_json::from_str(&report("13.32.0.0/15\n10.0.0.0/24\n").write(ReportFormat::Json)).unwrap();
    assert_eq!(json["schema"], "egressd.audit/1");
    assert_eq!((&json["required"]["prefixes"], &json["verdict"]), (&121.into(), &"misses".into()));
    assert_eq!(json["allowed"], serde_json::json!(["13.32.0.0/15"]));
    assert_eq!(
        json["beyond"],
        serde_json::json!({"prefixes": 1, "addresses": 256, "addresses_v6": 0, "first": ["10.0.0.0/24"]})
    );
    assert_eq!(json["by_rule"][0]["prefixes"], serde_json::json!(["13.32.0.0/15"]));
    assert_eq!((&json["by_rule"][0]["line"], &json["exit_status"]), (&1.into(), &1.into()));
    assert!(json["missing"].as_array().unwrap().len() > 100 && json["unknown"].as_array().unwrap().is_empty());
}

#[test]
fn the_sentence_that_matters_stands_first() {
    let text = report("13.32.0.0/15\n").write(ReportFormat::Text);
    let sentence = text.lines().nth(2).unwrap();
    assert_eq!(sentence, "  120 of 121 required ranges are missing. Transfers through them fail.");
    assert!(!text.contains('\u{1b}'));
    let text = report("0.0.0.0/0\n").write(ReportFormat::Text);
    assert!(text.contains("The rules allow all 121 required ranges."), "{text}");
}

#[test]
fn a_ticket_has_the_missing_prefixes_to_copy() {
    let page = report("13.32.0.0/15\n").write(ReportFormat::Markdown);
    assert!(page.contains("### Missing\n\n```\n3.10.17.128/25\n") && !page.contains('\u{1b}'), "{page}");
}
