//! Every way in which a feed is read or refused.

use super::damage::sound;
use super::*;
use crate::ranges::Role;
use crate::ranges::made::{entry, entry_v6, ip_ranges, list, newer_ip_ranges};

fn refusal(bytes: impl AsRef<[u8]>) -> String {
    FeedSnapshot::parse("a.json", bytes.as_ref()).expect_err("a refusal").to_string()
}

fn read(bytes: impl AsRef<[u8]>) -> FeedSnapshot {
    FeedSnapshot::parse("a.json", bytes.as_ref()).expect("a feed")
}

#[test]
fn the_documented_list_is_the_help_pages() {
    let feed = FeedSnapshot::documented();
    let of = |list| feed.ranges.iter().filter(|range| range.list == list).count();
    assert_eq!((of(List::Global), of(List::RegionalEdge)), (72, 49));
    assert_eq!(feed.addresses().addresses(Family::V4), 1_526_144 + 8_260);
    assert_eq!((feed.source, feed.date, feed.name.as_str()), (Source::Documented, Some(DOCUMENTED_DATE), "embedded"));
    assert!(feed.note().expect("a note").contains("January 2021; it is old"));
    assert_eq!(feed.serial, None);
    assert_eq!(feed.sha256.len(), 64);
    sound(&feed);
}

#[test]
fn the_embedded_list_holds_what_the_help_page_has_and_no_other() {
    // Any change of the file is a change of what the platform documents, and has to be meant.
    let mut texts: Vec<String> = EMBEDDED.ranges.iter().map(|r| format!("{} {}", r.list, r.prefix)).collect();
    texts.sort();
    let digest = hexadecimal(&Sha256::digest(texts.join("\n")));
    assert_eq!(digest, "ce3f68c3c05c41915ef485c6f16503621f6edd695b6d077cf3aed4676952b816");
}

#[test]
fn the_documented_list_in_a_users_file_is_dated_but_not_called_documented() {
    let feed = read(DOCUMENTED);
    assert_eq!((feed.source, feed.date), (Source::ListCloudfrontIps, Some(DOCUMENTED_DATE)));
    assert!(feed.equals_documented() && feed.note().is_some());
    let other = read(list(&["13.32.0.0/15"], &["3.10.17.128/25"]));
    assert_eq!((other.source, other.date, other.note()), (Source::ListCloudfrontIps, None, None));
}

#[test]
fn ip_ranges_give_lists_regions_roles_serial_and_date() {
    let feed = read(newer_ip_ranges());
    assert_eq!((feed.source, feed.serial.as_deref()), (Source::IpRanges, Some("1787433425")));
    assert_eq!(feed.date, Some(date(2026, 8, 22)));
    let found: Vec<_> =
        feed.ranges.iter().map(|r| (r.prefix.to_string(), r.list, r.role, r.region.as_deref())).collect();
    assert_eq!(
        found,
        [
            ("3.160.0.0/14".to_owned(), List::Global, Role::Viewer, None),
            ("13.32.0.0/15".to_owned(), List::Global, Role::Viewer, None),
            ("13.124.199.0/24".to_owned(), List::RegionalEdge, Role::RegionalEdge, Some("ap-northeast-2")),
            ("36.103.232.0/25".to_owned(), List::Global, Role::CarrierCn, None),
            ("52.46.0.0/18".to_owned(), List::Global, Role::OriginFacing, None),
            ("56.125.47.0/32".to_owned(), List::RegionalEdge, Role::RegionalEdge, Some("sa-east-1")),
            ("205.251.202.0/23".to_owned(), List::Global, Role::Viewer, None),
            ("2409:8c00:2421:300::/56".to_owned(), List::Global, Role::CarrierCn, None),
            ("2600:9000:2000::/36".to_owned(), List::Global, Role::Viewer, None),
        ]
    );
    assert_eq!(feed.origin_facing.prefixes().len(), 2, "origin-facing space outside the ranges is left out");
    sound(&feed);
}

#[test]
fn a_byte_order_mark_and_unknown_keys_are_passed_over() {
    let text = r#"{"new": {"a": [1, {}]}, "CLOUDFRONT_GLOBAL_IP_LIST": ["13.32.0.0\/15"], "CLOUDFRONT_REGIONAL_EDGE_IP_LIST": []}"#;
    assert_eq!(read(format!("\u{feff}\n{text}")).ranges.len(), 1);
}

#[test]
fn a_file_that_is_no_feed_is_refused_by_what_it_is() {
    let cases: &[(&[u8], &str)] = &[
        (b"", "the file is empty"),
        (b" \n\t", "the file is empty"),
        (b"<!doctype html>", "the file is HTML or XML (the answer of a proxy or a portal?), not a feed"),
        (b"\xff\xfe{\0}\0", "the file is UTF-16 text (save it as UTF-8), not a feed"),
        (b"\x1f\x8b\x08", "the file is gzip data (unpack it first), not a feed"),
        (b"13.32.0.0/15\n", "line 1, column 5: invalid type: floating point `13.32`, expected an object"),
        (b"[]", "line 1, column 0: invalid type: sequence, expected an object"),
        (b"{} {}", "line 1, column 4: trailing characters"),
        (b"{}", "neither list-cloudfront-ips (no `CLOUDFRONT_GLOBAL_IP_LIST`) nor ip-ranges.json (no `prefixes`)"),
        (br#"{"CLOUDFRONT_GLOBAL_IP_LIST": []}"#, "`CLOUDFRONT_REGIONAL_EDGE_IP_LIST` is missing"),
        (br#"{"CLOUDFRONT_REGIONAL_EDGE_IP_LIST": []}"#, "`CLOUDFRONT_GLOBAL_IP_LIST` is missing"),
        (br#"{"ipv6_prefixes": []}"#, "`prefixes` is missing"),
        (
            br#"{"CLOUDFRONT_GLOBAL_IP_LIST": [], "prefixes": []}"#,
            "keys of both formats: `CLOUDFRONT_GLOBAL_IP_LIST` and `prefixes`",
        ),
        (br#"{"prefixes": [], "prefixes": []}"#, "line 1, column 27: duplicate field `prefixes`"),
        (br#"{"prefixes": []}"#, "the global list is empty"),
    ];
    for (bytes, expected) in cases {
        assert_eq!(refusal(bytes), format!("feed a.json: {expected}"));
    }
}

#[test]
fn a_wrong_entry_is_named_by_its_place() {
    let cases = [
        ("10.1.0.0/16", "10.1.0.0/16 overlaps 10.0.0.0/8, private use (RFC 1918)"),
        ("240.0.0.0/8", "240.0.0.0/8 overlaps 240.0.0.0/4, reserved (RFC 1112)"),
        ("192.0.2.1/32", "192.0.2.1/32 overlaps 192.0.2.0/24, documentation TEST-NET-1 (RFC 5737)"),
        ("0.0.0.0/0", "0.0.0.0/0 is implausibly large (a range has at least /8)"),
        ("13.0.0.0/7", "`13.0.0.0/7` has host bits set (did you mean 12.0.0.0/7?)"),
        ("12.0.0.0/7", "12.0.0.0/7 is implausibly large (a range has at least /8)"),
        ("::/0", "::/0 is implausibly large (a range has at least /16)"),
        ("2600::/15", "2600::/15 is implausibly large (a range has at least /16)"),
        ("13.33.0.0/15", "`13.33.0.0/15` has host bits set (did you mean 13.32.0.0/15?)"),
        ("13.32.0.0", "`13.32.0.0` is not a prefix (expected address/length, such as 13.32.0.0/15)"),
        ("\\u001b[2J", "`\\u{1b}[2J` is not a prefix (expected address/length, such as 13.32.0.0/15)"),
    ];
    for (text, expected) in cases {
        assert_eq!(
            refusal(list(&["99.84.0.0/16", text], &[])),
            format!("feed a.json: CLOUDFRONT_GLOBAL_IP_LIST[1]: {expected}")
        );
    }
}

#[test]
fn entries_of_ip_ranges_are_judged_when_they_are_cloudfronts() {
    let good = entry("13.32.0.0/15", "GLOBAL", "CLOUDFRONT");
    let cases = [
        (entry("10.0.0.0/8", "GLOBAL", "CLOUDFRONT"), "prefixes[1].ip_prefix: 10.0.0.0/8 overlaps"),
        (entry("13.33.0.0/15", "GLOBAL", "CLOUDFRONT_ORIGIN_FACING"), "prefixes[1].ip_prefix: `13.33.0.0/15` has host"),
        (entry("2600::/32", "GLOBAL", "CLOUDFRONT"), "prefixes[1].ip_prefix: 2600::/32 is of the other address family"),
        (entry("3.10.17.128/25", "eu west\\n", "CLOUDFRONT"), "prefixes[1].ip_prefix: region `eu west\\n` is not"),
        (
            entry("13.33.0.0/16", "eu-west-2", "CLOUDFRONT"),
            "prefixes[1].ip_prefix: 13.33.0.0/16 lies inside 13.32.0.0/15 of prefixes[0].ip_prefix",
        ),
        (
            entry("13.32.0.0/15", "eu-west-2", "CLOUDFRONT"),
            "prefixes[1].ip_prefix: 13.32.0.0/15 is already in prefixes[0].ip_prefix",
        ),
        (r#"{"service": "CLOUDFRONT", "region": "GLOBAL"}"#.into(), "prefixes[1]: missing field `ip_prefix`"),
        (r#"{"service": "CLOUDFRONT", "ip_prefix": "99.84.0.0/16"}"#.into(), "prefixes[1]: missing field `region`"),
        (r#"{"ip_prefix": "99.84.0.0/16"}"#.into(), "prefixes[1]: missing field `service`"),
        (r#"{"service": 5}"#.into(), "prefixes[1]: invalid type: integer `5`, expected a string"),
        (r#"{"service": "EC2", "service": "CLOUDFRONT"}"#.into(), "prefixes[1]: duplicate field `service`"),
        (
            r#"["99.84.0.0/16", "GLOBAL", "CLOUDFRONT"]"#.into(),
            "prefixes[1]: invalid type: sequence, expected an object",
        ),
    ];
    for (wrong, expected) in cases {
        let message = refusal(ip_ranges(&[good.clone(), wrong], &[]));
        assert!(message.contains(expected), "{message}\nlacks {expected}");
    }
    let others = [good, entry("10.0.0.0/7", "??", "EC2"), r#"{"service": "S3"}"#.into()];
    assert_eq!(read(ip_ranges(&others, &[])).ranges.len(), 1, "other services are not ours to judge");
}

#[test]
fn a_prefix_twice_or_inside_another_names_both_places() {
    let place = "CLOUDFRONT_REGIONAL_EDGE_IP_LIST[0]";
    assert_eq!(
        refusal(list(&["99.84.0.0/16", "13.32.0.0/15"], &["13.32.0.0/15"])),
        format!("feed a.json: {place}: 13.32.0.0/15 is already in CLOUDFRONT_GLOBAL_IP_LIST[1]")
    );
    assert_eq!(
        refusal(list(&["99.84.0.0/16", "13.32.0.0/15", "13.33.0.0/17"], &[])),
        "feed a.json: CLOUDFRONT_GLOBAL_IP_LIST[2]: 13.33.0.0/17 lies inside 13.32.0.0/15 of CLOUDFRONT_GLOBAL_IP_LIST[1]"
    );
}

#[test]
fn wrong_types_and_truncation_are_named_by_line_and_place() {
    let wrong = "{\n\"CLOUDFRONT_GLOBAL_IP_LIST\": [\n\"13.32.0.0/15\", 5]}";
    assert_eq!(
        refusal(wrong),
        "feed a.json: line 3, column 17: CLOUDFRONT_GLOBAL_IP_LIST[1]: invalid type: integer `5`, expected a string"
    );
    assert_eq!(
        refusal(r#"{"prefixes": "13.32.0.0/15"}"#),
        r#"feed a.json: line 1, column 27: invalid type: string "13.32.0.0/15", expected an array under `prefixes`"#
    );
    assert_eq!(
        refusal(&DOCUMENTED[..100]),
        "feed a.json: line 5, column 18: CLOUDFRONT_GLOBAL_IP_LIST[2]: EOF while parsing a string (the file is cut off)"
    );
    let feed = newer_ip_ranges();
    for end in 1..feed.trim_end().len() {
        assert!(refusal(&feed[..end]).ends_with("(the file is cut off)"), "cut at {end}");
    }
}

#[test]
fn stamps_have_one_form() {
    for wrong in ["2026-02-30-00-00-00", "2026-08-22", "2026-08-22-21-17-5 ", "2026-08-22T21:17:05", "\\u0007"] {
        let text = newer_ip_ranges().replace("2026-08-22-21-17-05", wrong);
        let message = refusal(&text);
        assert!(
            message.starts_with("feed a.json: createDate: `") && message.ends_with("YYYY-MM-DD-hh-mm-ss"),
            "{message}"
        );
    }
    let message = refusal(newer_ip_ranges().replace("1787433425", "17874;DROP"));
    assert_eq!(message, "feed a.json: syncToken: `17874;DROP` is not a number of seconds");
}

#[test]
fn size_is_bounded() {
    assert_eq!(
        refusal(vec![b'['; MOST_BYTES + 1]),
        "feed a.json: the file has more than 32 MiB (ip-ranges.json has 3)"
    );
    let many: Vec<String> = (0..20_001_u32).map(|n| format!("13.{}.{}.0/32", n >> 8, n & 255)).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    assert!(refusal(list(&many, &[])).ends_with(": more than 20000 CloudFront entries"));
    let long = refusal(format!(r#"{{"prefixes": "{}"}}"#, "\\n".repeat(1 << 20)));
    assert!(long.len() < 1_000 && long.ends_with("expected an array under `prefixes`"), "{long}");
    let name = "n\n".repeat(1 << 16);
    assert!(FeedSnapshot::parse(&name, b"").expect_err("a refusal").to_string().len() < 1_000);
}

#[test]
fn a_single_address_is_a_range() {
    assert_eq!(read(list(&["56.125.47.0/32"], &[])).ranges[0].prefix.addresses(), 1);
    assert_eq!(read(ip_ranges(&[], &[entry_v6("2600:9000::1/128", "GLOBAL", "CLOUDFRONT")])).ranges.len(), 1);
}
