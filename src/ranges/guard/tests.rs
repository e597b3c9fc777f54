use super::super::made::{entry, ip_ranges};
use super::*;

const NOW: &str = "2026-11-21T12:00:00Z";

/// An `ip-ranges.json` with the documented list and more, published so many days before November 2026.
fn feed(days_before: i64, without: &[&str], more: &[&str]) -> FeedSnapshot {
    parsed(&text(days_before, without, more))
}

fn text(days_before: i64, without: &[&str], more: &[&str]) -> String {
    let documented = FeedSnapshot::documented();
    let region = |list| if list == List::Global { "GLOBAL" } else { "eu-west-2" };
    let mut listed: Vec<(String, &str)> =
        documented.ranges.iter().map(|range| (range.prefix.to_string(), region(range.list))).collect();
    listed.retain(|(prefix, _)| !without.contains(&prefix.as_str()));
    listed.extend(more.iter().map(|prefix| ((*prefix).to_owned(), "GLOBAL")));
    let own = |(prefix, region): &(String, &str)| entry(prefix, region, "CLOUDFRONT");
    let all = |(prefix, region): &(String, &str)| entry(prefix, region, "AMAZON");
    let entries: Vec<String> = listed.iter().map(own).chain(listed.iter().map(all)).collect();
    let published: Timestamp = "2026-11-01T00:00:00Z".parse().unwrap();
    let serial = published.as_second() - days_before * 86_400;
    ip_ranges(&entries, &[]).replace("1787433425", &serial.to_string())
}

fn parsed(text: &str) -> FeedSnapshot {
    FeedSnapshot::parse("made", text.as_bytes()).unwrap()
}

fn judged(candidate: &FeedSnapshot, held: Option<&FeedSnapshot>) -> Judgement {
    judge(candidate, held, &[], &Bounds::default(), NOW.parse().unwrap())
}

/// The doubts in words, each behind what they come to.
fn said(judgement: &Judgement) -> String {
    match judgement {
        Judgement::Unchanged => "unchanged".to_owned(),
        Judgement::Accepted => "accepted".to_owned(),
        Judgement::Held(doubts) => doubts.iter().fold("held".to_owned(), |text, doubt| format!("{text}; {doubt}")),
        Judgement::Refused(doubts) => {
            doubts.iter().fold("refused".to_owned(), |text, doubt| format!("{text}; {doubt}"))
        }
    }
}

#[test]
fn a_newer_list_that_is_much_the_same_is_taken() {
    let held = feed(9, &[], &[]);
    assert_eq!(judged(&held, None), Judgement::Accepted);
    assert_eq!(judged(&feed(2, &[], &[]), Some(&held)), Judgement::Unchanged, "a newer serial alone");
    assert_eq!(judged(&feed(2, &["223.71.11.0/27"], &["3.172.0.0/18"]), Some(&held)), Judgement::Accepted);
}

#[test]
fn what_cannot_be_right_is_refused() {
    let held = feed(9, &[], &[]);
    for (candidate, due) in [
        (feed(10, &[], &[]), "refused; it is older (1792627200) than the list that is held (1792713600)"),
        (
            feed(-22, &[], &[]),
            "refused; it says that it was published at 2026-11-23T00:00:00Z, which is later than now",
        ),
    ] {
        assert!(said(&judged(&candidate, Some(&held))).starts_with(due), "{}", said(&judged(&candidate, Some(&held))));
    }
}

#[test]
fn a_range_that_its_publisher_does_not_announce_is_refused() {
    let honest = text(2, &[], &["3.172.0.0/18"]);
    let foreign = honest.replace(&entry("3.172.0.0/18", "GLOBAL", "AMAZON"), &entry("9.0.0.0/8", "GLOBAL", "AMAZON"));
    let due = "refused; 1 of its ranges, 3.172.0.0/18 first, lie outside the space that their publisher announces";
    assert_eq!(said(&judged(&parsed(&foreign), None)), due);
    // Space that no list may have vouches for nothing.
    let everything =
        honest.replace(&entry("3.172.0.0/18", "GLOBAL", "AMAZON"), &entry("0.0.0.0/0", "GLOBAL", "AMAZON"));
    assert_eq!(said(&judged(&parsed(&everything), None)), due);
    // A list without a word on that is held against what is known from elsewhere.
    let silent = parsed(&honest.replace("\"AMAZON\"", "\"EC2\""));
    assert_eq!(judged(&silent, None), Judgement::Accepted);
    let bounds = Bounds::default();
    let known = feed(9, &[], &[]).announced;
    assert_eq!(said(&judge(&silent, None, &known, &bounds, NOW.parse().unwrap())), due);
}

#[test]
fn a_part_or_a_union_of_announced_space_is_announced() {
    let honest = text(2, &[], &["3.172.0.0/18"]);
    let whole = entry("3.172.0.0/18", "GLOBAL", "AMAZON");
    let halves = [entry("3.172.0.0/19", "GLOBAL", "AMAZON"), entry("3.172.32.0/19", "GLOBAL", "AMAZON")].join(",");
    for vouching in [entry("3.172.0.0/16", "GLOBAL", "AMAZON"), halves] {
        assert_eq!(judged(&parsed(&honest.replace(&whole, &vouching)), None), Judgement::Accepted);
    }
}

#[test]
fn what_is_unlike_everything_before_is_held() {
    let held = feed(9, &[], &[]);
    let cases: &[(FeedSnapshot, &str)] = &[
        (feed(2, &[], &["3.160.0.0/12"]), "held; it has 68.3 % (IPv4, bound 25 %) more addresses at once"),
        (feed(2, &["13.224.0.0/14"], &[]), "held; it has 17.1 % (IPv4, bound 10 %) fewer addresses at once"),
        (
            feed(9, &[], &["3.172.0.0/18"]),
            "held; it has the serial of the list that is held (1792713600) and other ranges",
        ),
    ];
    for (candidate, due) in cases {
        assert_eq!(said(&judged(candidate, Some(&held))), *due);
    }
    let without_serial = text(2, &[], &["3.172.0.0/18"]).replace("\"syncToken\"", "\"token\"");
    assert_eq!(
        said(&judged(&parsed(&without_serial), Some(&held))),
        "held; it has no serial, and the list that is held has one"
    );
}

#[test]
fn many_small_ranges_that_vanish_are_held() {
    let documented = FeedSnapshot::documented();
    let small: Vec<String> = documented
        .ranges
        .iter()
        .filter(|range| range.list == List::RegionalEdge)
        .map(|range| range.prefix.to_string())
        .collect();
    let small: Vec<&str> = small.iter().map(String::as_str).collect();
    let judgement = judged(&feed(2, &small, &[]), Some(&feed(9, &[], &[])));
    assert_eq!(said(&judgement), "held; it lacks 40.5 % (IPv4, bound 10 %) of the ranges at once");
}

#[test]
fn a_first_list_is_held_against_the_documented_one() {
    let judgement = judged(&feed(2, &["13.224.0.0/14"], &[]), None);
    assert_eq!(said(&judgement), "held; it lacks 17.1 % (IPv4, bound 10 %) of the documented list's addresses");
    let few = parsed(&ip_ranges(&[entry("13.32.0.0/15", "GLOBAL", "CLOUDFRONT")], &[]));
    assert!(said(&judged(&few, None)).starts_with("held; it has 1 ranges, and no list of the last years had fewer"));
}

#[test]
fn the_list_that_names_no_serial_is_judged_by_what_it_holds() {
    let listed = |more: &str| {
        let documented = FeedSnapshot::documented();
        let texts: Vec<String> = documented.ranges.iter().map(|range| range.prefix.to_string()).collect();
        let mut texts: Vec<&str> = texts.iter().map(String::as_str).collect();
        texts.extend(Some(more).filter(|more| !more.is_empty()));
        parsed(&super::super::made::list(&texts, &[]))
    };
    let held = listed("");
    assert_eq!(judged(&listed("3.172.0.0/18"), Some(&held)), Judgement::Accepted);
    assert!(matches!(judged(&listed("3.160.0.0/12"), Some(&held)), Judgement::Held(_)));
}

#[test]
fn a_family_that_is_new_has_nothing_to_grow_from() {
    let held = feed(9, &[], &[]);
    let with_v6 = text(2, &[], &[]).replace(
        "\"ipv6_prefixes\": []",
        &format!("\"ipv6_prefixes\": [{}]", super::super::made::entry_v6("2600:9000::/28", "GLOBAL", "CLOUDFRONT")),
    );
    // It is not in the announced space, which has to be told as well.
    assert!(said(&judged(&parsed(&with_v6), Some(&held))).starts_with("refused; 1 of its ranges, 2600:9000::/28"));
    let vouched = with_v6.replace(
        "\"ipv6_prefixes\": [",
        &format!("\"ipv6_prefixes\": [{},", super::super::made::entry_v6("2600:9000::/28", "GLOBAL", "AMAZON")),
    );
    assert_eq!(judged(&parsed(&vouched), Some(&held)), Judgement::Accepted);
}
