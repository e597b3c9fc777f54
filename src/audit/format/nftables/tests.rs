use super::*;
use crate::audit::{AddressSet, Answer, Coverage, Required, Side, Traffic, audit};
use crate::ranges::FeedSnapshot;

/// As nft 1.0.6 lists them.
const SETS: &str = r#"
{"metainfo": {"version": "1.0.6", "release_name": "Lester Gooch #5", "json_schema_version": 1}},
{"table": {"family": "inet", "name": "f", "handle": 6}},
{"set": {"family": "inet", "name": "cf4", "table": "f", "type": "ipv4_addr", "handle": 7, "flags": ["interval"],
 "elem": ["9.9.9.9", {"range": ["99.84.0.0", "99.84.127.255"]}, {"prefix": {"addr": "13.32.0.0", "len": 15}}]}},
{"set": {"family": "inet", "name": "cfp", "table": "f", "type": ["ipv4_addr", "inet_service"], "handle": 8, "flags": ["interval"],
 "elem": [{"concat": [{"prefix": {"addr": "13.32.0.0", "len": 15}}, 443]}, {"concat": [{"prefix": {"addr": "99.84.0.0", "len": 16}}, {"range": [80, 90]}]}]}},
{"set": {"family": "inet", "name": "dyn", "table": "f", "type": "ipv4_addr", "handle": 9, "size": 65535, "flags": ["timeout"], "timeout": 60}},
{"set": {"family": "inet", "name": "soon", "table": "f", "type": "ipv4_addr", "handle": 3, "flags": ["interval", "timeout"],
 "elem": [{"elem": {"val": {"prefix": {"addr": "13.32.0.0", "len": 16}}, "timeout": 60, "expires": 50}}, {"prefix": {"addr": "13.33.0.0", "len": 16}}]}},
{"map": {"family": "inet", "name": "m", "table": "f", "type": "ipv4_addr", "handle": 10, "map": "verdict", "flags": ["interval"],
 "elem": [[{"prefix": {"addr": "13.32.0.0", "len": 16}}, {"accept": null}], [{"prefix": {"addr": "13.33.0.0", "len": 16}}, {"jump": {"target": "sub"}}]]}},
{"chain": {"family": "inet", "table": "f", "name": "sub", "handle": 1}},
{"chain": {"family": "inet", "table": "f", "name": "forw", "handle": 2, "type": "filter", "hook": "forward", "prio": 0, "policy": "drop"}},
{"rule": {"family": "inet", "table": "f", "chain": "sub", "handle": 12, "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "ip", "field": "daddr"}}, "right": {"prefix": {"addr": "13.33.0.0", "len": 17}}}}, {"return": null}]}},
{"rule": {"family": "inet", "table": "f", "chain": "sub", "handle": 14, "expr": [{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": {"set": [80, 443, {"range": [8000, 9000]}]}}}, {"accept": null}]}}"#;

const ESTABLISHED: &str = r#"[{"match": {"op": "in", "left": {"ct": {"key": "state"}}, "right": ["established", "related"]}}, {"accept": null}]"#;

/// A document with these rules in the chain `forw`, which drops by default.
fn document(rules: &[&str]) -> SourceFile {
    let rule = |rule: &&str| {
        format!(r#", {{"rule": {{"family": "inet", "table": "f", "chain": "forw", "handle": 20, "expr": {rule}}}}}"#)
    };
    let rules: String = [ESTABLISHED].iter().chain(rules).map(rule).collect();
    SourceFile { name: "rules.json".to_owned(), text: format!("{{\"nftables\": [{SETS}{rules}]}}") }
}

/// What becomes of 13.32.0.0/15, 99.84.0.0/16 and, where asked for, IPv6.
fn covered(file: &SourceFile, question: &Question, v6: bool) -> Coverage {
    let mut feed = FeedSnapshot::documented();
    feed.ranges.retain(|range| ["13.32.0.0/15", "99.84.0.0/16"].contains(&range.prefix.to_string().as_str()));
    if v6 {
        let mut six = feed.ranges[0].clone();
        six.prefix = "2600:9000::/28".parse().unwrap();
        feed.ranges.push(six);
    }
    let files = std::slice::from_ref(file);
    let policy = read(files, question).expect("a rule set");
    audit(&policy, files, &Required { feed: &feed, held: &[], ranges: feed.ranges.iter().collect() }).expect("it ends")
}

fn texts(set: &AddressSet) -> String {
    set.prefixes().iter().map(ToString::to_string).collect::<Vec<_>>().join(" ")
}

/// `ip daddr` compared with a value.
fn to(op: &str, right: &str) -> String {
    format!(
        r#"{{"match": {{"op": "{op}", "left": {{"payload": {{"protocol": "ip", "field": "daddr"}}}}, "right": {right}}}}}"#
    )
}

fn meta(key: &str, right: &str) -> String {
    format!(r#"{{"match": {{"op": "==", "left": {{"meta": {{"key": "{key}"}}}}, "right": {right}}}}}"#)
}

const CF: &str = r#"{"prefix": {"addr": "13.32.0.0", "len": 15}}"#;
const PORT: &str =
    r#"{"match": {"op": "==", "left": {"payload": {"protocol": "tcp", "field": "dport"}}, "right": 443}}"#;
const PAIR: &str = r#"{"concat": [{"payload": {"protocol": "ip", "field": "daddr"}}, {"payload": {"protocol": "tcp", "field": "dport"}}]}"#;
const ACCEPT: &str = r#"{"accept": null}"#;

#[test]
fn what_rules_allow() {
    let (all, cf) = ("13.32.0.0/15 99.84.0.0/16", "13.32.0.0/15");
    let flags = |op: &str, right: &str| {
        format!(
            r#"{{"match": {{"op": "{op}", "left": {{"payload": {{"protocol": "tcp", "field": "flags"}}}}, "right": {right}}}}}"#
        )
    };
    let vmap = |key: &str, data: &str| format!(r#"{{"vmap": {{"key": {key}, "data": {data}}}}}"#);
    let daddr = r#"{"payload": {"protocol": "ip", "field": "daddr"}}"#;
    let dport = r#"{"payload": {"protocol": "tcp", "field": "dport"}}"#;
    let rows: Vec<(Vec<String>, &str, &str)> = vec![
        (vec![to("==", CF), PORT.into(), r#"{"counter": {"packets": 0, "bytes": 0}}"#.into(), ACCEPT.into()], cf, ""),
        (vec![to("==", "\"@cf4\""), ACCEPT.into()], "13.32.0.0/15 99.84.0.0/17", ""),
        (vec![to("!=", "\"@cf4\""), ACCEPT.into()], "99.84.128.0/17", ""),
        (vec![to("==", r#"{"set": [{"prefix": {"addr": "13.32.0.0", "len": 16}}, {"prefix": {"addr": "99.84.0.0", "len": 16}}]}"#), ACCEPT.into()], "13.32.0.0/16 99.84.0.0/16", ""),
        (vec![format!(r#"{{"match": {{"op": "==", "left": {PAIR}, "right": "@cfp"}}}}"#), ACCEPT.into()], cf, ""),
        (vec![format!(r#"{{"match": {{"op": "!=", "left": {PAIR}, "right": "@cfp"}}}}"#), ACCEPT.into()], "99.84.0.0/16", ""),
        (vec![vmap(daddr, "\"@m\"")], "13.32.0.0/16 13.33.128.0/17", ""),
        (vec![vmap(daddr, r#"{"set": [["13.32.0.0", {"drop": null}], ["*", {"accept": null}]]}"#)], "13.32.0.1/32 13.32.0.2/31 13.32.0.4/30 13.32.0.8/29 13.32.0.16/28 13.32.0.32/27 13.32.0.64/26 13.32.0.128/25 13.32.1.0/24 13.32.2.0/23 13.32.4.0/22 13.32.8.0/21 13.32.16.0/20 13.32.32.0/19 13.32.64.0/18 13.32.128.0/17 13.33.0.0/16 99.84.0.0/16", ""),
        (vec![vmap(dport, r#"{"set": [[{"range": [0, 79]}, {"drop": null}], [443, {"jump": {"target": "sub"}}]]}"#)], "13.32.0.0/16 13.33.128.0/17 99.84.0.0/16", ""),
        (vec![meta("l4proto", r#"{"set": ["tcp", "udp"]}"#), PORT.replace("\"tcp\"", "\"th\""), ACCEPT.into()], all, ""),
        (vec![meta("nfproto", "\"ipv4\""), ACCEPT.into()], all, ""),
        (vec![meta("nfproto", "\"ipv6\""), ACCEPT.into()], "", ""),
        (vec![r#"{"match": {"op": "==", "left": {"payload": {"protocol": "udp", "field": "dport"}}, "right": 443}}"#.into(), ACCEPT.into()], "", ""),
        (vec![r#"{"match": {"op": "!=", "left": {"payload": {"protocol": "udp", "field": "dport"}}, "right": 53}}"#.into(), ACCEPT.into()], "", ""),
        (vec![flags("in", "\"syn\""), ACCEPT.into()], all, ""),
        (vec![flags("!=", "\"syn\""), ACCEPT.into()], "", ""),
        (vec![r#"{"match": {"op": "==", "left": {"&": [{"payload": {"protocol": "tcp", "field": "flags"}}, ["fin", "syn", "rst", "ack"]]}, "right": "syn"}}"#.into(), ACCEPT.into()], all, ""),
        (vec![r#"{"match": {"op": "!", "left": {"ct": {"key": "state"}}, "right": "invalid"}}"#.into(), ACCEPT.into()], all, ""),
        (vec![r#"{"match": {"op": "==", "left": {"fib": {"result": "type", "flags": ["daddr"]}}, "right": "local"}}"#.into(), ACCEPT.into()], "", ""),
        (vec![to("==", CF), r#"{"goto": {"target": "sub"}}"#.into()], "13.32.0.0/16 13.33.128.0/17", ""),
        // What is not known stays unknown.
        (vec![to("==", CF), r#"{"limit": {"rate": 5, "burst": 5, "per": "second"}}"#.into(), ACCEPT.into()], "", cf),
        (vec![to("==", CF), meta("oifname", "\"wan0\""), ACCEPT.into()], "", cf),
        (vec![to("==", CF), meta("mark", "5"), ACCEPT.into()], "", cf),
        (vec![to("==", "\"@dyn\""), ACCEPT.into()], "", all),
        (vec![to("==", "\"@soon\""), ACCEPT.into()], "13.33.0.0/16", "13.32.0.0/16"),
        (vec![to("==", "\"@nowhere\""), ACCEPT.into()], "", all),
        (vec![to("==", CF), r#"{"redirect": {"port": 3128}}"#.into()], "", cf),
        (vec![to("==", CF), r#"{"queue": {"num": 1}}"#.into()], "", cf),
        (vec![to("==", CF), r#"{"xt": {"type": "match", "name": "set"}}"#.into(), ACCEPT.into()], "", cf),
        (vec![to("==", CF), r#"{"frobnicate": 1}"#.into()], "", cf),
        (vec![to("==", CF), r#"{"mangle": {"key": {"payload": {"protocol": "ip", "field": "daddr"}}, "value": "1.2.3.4"}}"#.into()], "", cf),
        (vec![to("<", "\"20.0.0.0\""), ACCEPT.into()], "", all),
    ];
    for (statements, allowed, unknown) in rows {
        let rule = format!("[{}]", statements.join(", "));
        let coverage = covered(&document(&[&rule]), &Question::default(), false);
        assert_eq!(
            (texts(&coverage.allowed).as_str(), texts(&coverage.unknown).as_str()),
            (allowed, unknown),
            "{rule}"
        );
    }
}

#[test]
fn a_condition_on_one_family_is_none_on_the_other() {
    let rule = format!("[{}, {ACCEPT}]", to("!=", "\"1.2.3.4\""));
    let coverage = covered(&document(&[&rule]), &Question::default(), true);
    assert_eq!(texts(&coverage.missing), "2600:9000::/28");
    let six = r#"[{"match": {"op": "==", "left": {"payload": {"protocol": "ip6", "field": "nexthdr"}}, "right": "tcp"}}, {"accept": null}]"#;
    assert_eq!(texts(&covered(&document(&[six]), &Question::default(), true).allowed), "2600:9000::/28");
}

#[test]
fn a_set_that_rules_add_to_says_nothing() {
    let adding =
        r#"[{"set": {"op": "add", "elem": {"payload": {"protocol": "ip", "field": "daddr"}}, "set": "@cf4"}}]"#;
    let rule = format!("[{}, {ACCEPT}]", to("==", "\"@cf4\""));
    let coverage = covered(&document(&[&rule, adding]), &Question::default(), false);
    assert_eq!(texts(&coverage.unknown), "13.32.0.0/15 99.84.0.0/16");
}

#[test]
fn every_base_chain_must_accept_and_interfaces_are_what_the_admin_says() {
    let accept =
        format!("[{}, {}, {ACCEPT}]", meta("iifname", "\"lan*\""), meta("oifname", r#"{"set": ["wan0", "wan1"]}"#));
    let mut file = document(&[&accept]);
    let mut question = Question::default();
    question.sides.insert("lan0".to_owned(), Side::Inside);
    question.sides.insert("wan0".to_owned(), Side::Outside);
    assert_eq!(covered(&file, &question, true).answer(), Answer::Covers);
    let second = r#", {"table": {"family": "ip", "name": "g"}}, {"chain": {"family": "ip", "table": "g", "name": "c", "type": "filter", "hook": "prerouting", "prio": -300, "policy": "accept"}}, {"rule": {"family": "ip", "table": "g", "chain": "c", "handle": 2, "expr": [DADDR, {"drop": null}]}}]}"#;
    file.text = file.text.strip_suffix("]}").unwrap().to_owned() + &second.replace("DADDR", &to("==", CF));
    let coverage = covered(&file, &question, true);
    assert_eq!(texts(&coverage.missing), "13.32.0.0/15");
    assert_eq!(coverage.missing_by[0].rule.short(), "ip g c handle 2");
}

#[test]
fn replies_and_the_hosts_own_packets_are_judged() {
    let without =
        document(&[&format!("[{PORT}, {ACCEPT}]")]).text.replace("\"established\", \"related\"", "\"related\"");
    let file = SourceFile { name: "r".to_owned(), text: without };
    let coverage = covered(&file, &Question::default(), false);
    assert_eq!(coverage.missing_by[0].hook, "inet f forw, replies");
    let own = Question { traffic: Some(Traffic::Output), ..Question::default() };
    let coverage = covered(&file, &own, false);
    assert!(
        coverage.answer() == Answer::Covers && coverage.notes.iter().any(|note| note.starts_with("no chain filters"))
    );
}

#[test]
fn what_is_not_whole_is_an_error_with_its_place() {
    let whole = document(&[&format!("[{}, {ACCEPT}]", to("==", CF))]).text;
    for (end, _) in whole.char_indices().step_by(7) {
        let file = SourceFile { name: "r".to_owned(), text: whole[..end].to_owned() };
        assert!(read(&[file], &Question::default()).is_err(), "{end}");
    }
    let message = |text: &str| {
        let file = SourceFile { name: "r".to_owned(), text: text.to_owned() };
        read(&[file], &Question::default()).unwrap_err().to_string()
    };
    assert!(message("{\"nftables\": [\n{\"chain\": 5").starts_with("r:2:11: not what `nft -j list ruleset` writes"));
    assert_eq!(message(r#"{"nftables": [{"frob": {}}]}"#), "r:1:1: an entry `frob` is not known");
}

#[test]
fn rules_are_found_in_the_text_that_they_were_made_from() {
    let file = document(&[&format!("[{}, {PORT}, {ACCEPT}]", to("==", CF))]);
    let mut policy = read(&[file], &Question::default()).unwrap();
    let listing = "table inet f { # handle 6\n\tchain forw { # handle 2\n\t\ttype filter hook forward priority 0; policy drop;\n\
                   \t\tip daddr 13.32.0.0/15 tcp dport 443 counter packets 0 bytes 0 accept # handle 20\n\t}\n}\n";
    let original = "define x = 1\ntable inet f {\n  chain forw {\n    ip daddr 13.32.0.0/15   tcp dport 443 counter accept;\n  }\n}\n";
    locate(&mut policy, listing, original);
    let rules: Vec<_> = policy.chains.iter().flat_map(|chain| &chain.rules).collect();
    assert!(rules.iter().any(|rule| rule.place.line == 4), "{rules:?}");
}

#[test]
fn text_and_json_are_told_apart() {
    assert!(recognise("{\"nftables\": []}") && !is_text("{\"nftables\": []}"));
    assert!(is_text("#!/usr/sbin/nft -f\nflush ruleset\n") && is_text("# rules\n\ntable inet f {\n}\n"));
    assert!(!recognise("{\"SecurityGroups\": []}") && !recognise("*filter\n") && !recognise(""));
}
