//! The commands `audit`, `prove` and `check --audit` as an admin runs them.

use std::path::Path;
use std::process::{Command, Output};

use serde_json::Value;
use tempfile::TempDir;

use crate::runner::{Case, program};

/// A gateway that allows three ranges, one of them with a hole, between two interfaces.
const NFT: &str = r#"#!/usr/sbin/nft -f
flush ruleset
define CF = { 13.32.0.0/15, 13.224.0.0/14, 99.84.0.0/16 }
table inet filter {
	chain forward {
		type filter hook forward priority filter; policy drop;
		ct state established,related accept
		ip daddr 99.84.48.0/20 drop
		iifname "lan0" oifname "wan0" ip daddr $CF tcp dport 443 counter accept
	}
}
"#;

const IPTABLES: &str = r"*filter
:INPUT ACCEPT [0:0]
:FORWARD DROP [0:0]
:OUTPUT DROP [0:0]
-A FORWARD -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A FORWARD -i lan0 -o wan0 -p tcp -m set --match-set cf dst -m tcp --dport 443 -j ACCEPT
-A OUTPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT
-A OUTPUT -d 54.192.0.0/16 -p tcp -j ACCEPT
COMMIT
";

const IPSET: &str =
    "create cf hash:net family inet\nadd cf 13.32.0.0/15\nadd cf 13.33.0.0/16 nomatch\nadd cf 99.84.0.0/16\n";

const SIDES: &[&str] = &["--inside", "lan0", "--outside", "wan0"];

/// A case that is given a folder with the rules.
type Named = (&'static str, fn(&Path) -> String);

pub fn cases() -> Vec<Case> {
    let cases: [Named; 6] = [
        ("text_is_read_by_nft_and_its_lines_are_named_as_nobody", text_is_read),
        ("packets_agree_with_the_audit_of_nftables_as_nobody", nftables_is_proved),
        ("packets_agree_with_the_audit_of_iptables", iptables_is_proved),
        ("packets_agree_about_what_the_host_itself_sends", output_is_proved),
        ("what_is_missing_is_written_and_then_allowed", fix_is_loaded),
        ("what_rules_allow_and_the_network_does_not_is_a_diagnosis", contradiction_is_told),
    ];
    let case = |(name, run): Named| {
        let run = move || {
            let folder = TempDir::new().unwrap();
            for (file, text) in [("rules.nft", NFT), ("rules.v4", IPTABLES), ("sets", IPSET)] {
                std::fs::write(folder.path().join(file), text).unwrap();
            }
            run(folder.path())
        };
        Case { name: name.to_owned(), run: Box::new(run) }
    };
    cases.into_iter().map(case).collect()
}

fn egressd(folder: &Path, words: &[&str]) -> Output {
    Command::new(program()).args(words).current_dir(folder).env("HOME", folder).output().unwrap()
}

/// The document that a command writes, and its status.
fn json(folder: &Path, words: &[&str]) -> (Value, i32) {
    let output = egressd(folder, &[words, &["--format", "json"]].concat());
    let said = String::from_utf8_lossy(&output.stderr).into_owned();
    let document = serde_json::from_slice(&output.stdout).unwrap_or_else(|error| panic!("{error}: {said}"));
    (document, output.status.code().unwrap())
}

fn text_is_read(folder: &Path) -> String {
    let (audit, status) = json(folder, &[&["audit", "rules.nft"], SIDES].concat());
    let allowed: Vec<&str> = audit["allowed"].as_array().unwrap().iter().map(|one| one.as_str().unwrap()).collect();
    assert_eq!((status, &audit["verdict"]), (1, &"misses".into()));
    assert!(allowed.contains(&"13.32.0.0/15") && !allowed.contains(&"99.84.0.0/16"), "{allowed:?}");
    let shadowed =
        audit["missing_by"].as_array().unwrap().iter().find(|part| !part["allowed_later"].is_null()).unwrap();
    assert_eq!((&shadowed["line"], &shadowed["text"]), (&8.into(), &"ip daddr 99.84.48.0/20 drop".into()));
    let (unsure, _) = json(folder, &["audit", "rules.nft"]);
    assert!(unsure["unknown_by"][0]["reason"].as_str().unwrap().contains("lan0"));
    String::new()
}

fn proved(folder: &Path, words: &[&str]) -> String {
    let (proof, status) = json(folder, words);
    let undecided = proof["undecided"].as_array().unwrap().len();
    assert_eq!(
        (&proof["agrees"], &proof["differences"], status),
        (&true.into(), &Value::Array(Vec::new()), 1),
        "{proof}"
    );
    // The smallest ranges have too few addresses to tell.
    assert!(undecided < 3, "{proof:#}");
    format!("{} ranges agree", proof["agreed"])
}

fn nftables_is_proved(folder: &Path) -> String {
    let unplaced = egressd(folder, &["prove", "rules.nft"]);
    let said = String::from_utf8_lossy(&unplaced.stderr).into_owned();
    assert!(unplaced.status.code() == Some(2) && said.contains("(--inside NAME says so)"), "{said}");
    proved(folder, &[&["prove", "rules.nft"], SIDES].concat())
}

fn iptables_is_proved(folder: &Path) -> String {
    proved(folder, &[&["prove", "rules.v4", "sets"], SIDES].concat())
}

fn output_is_proved(folder: &Path) -> String {
    proved(folder, &[&["prove", "rules.v4", "sets", "--hook", "output"], SIDES].concat())
}

/// What is written for the missing makes a rule set that misses nothing; the rollback takes it away again.
fn fix_is_loaded(folder: &Path) -> String {
    let set = "create cloudfront-v4 hash:net family inet\n";
    let rules = IPTABLES.replace("--match-set cf dst", "--match-set cloudfront-v4 dst");
    std::fs::write(folder.join("fixed.v4"), rules).unwrap();
    std::fs::write(folder.join("fixed.sets"), set).unwrap();
    let audit = [&["audit", "fixed.v4", "fixed.sets"], SIDES].concat();
    let fix = egressd(folder, &[&audit[..], &["--fix", "ipset"]].concat());
    assert_eq!(fix.status.code(), Some(1));
    let added = String::from_utf8(fix.stdout).unwrap();
    std::fs::write(folder.join("fixed.sets"), format!("{set}{}", added.replace("-exist ", ""))).unwrap();
    let (fixed, status) = json(folder, &audit);
    assert_eq!((&fixed["verdict"], status), (&"covers".into(), 0), "{}", fixed["missing"]);
    let back = egressd(folder, &[&["audit", "rules.v4", "sets"], SIDES, &["--fix", "ipset", "--rollback"]].concat());
    assert!(String::from_utf8(back.stdout).unwrap().lines().any(|line| line.starts_with("del cloudfront-v4 ")));
    format!("{} entries", added.lines().filter(|line| line.starts_with("add ")).count())
}

fn contradiction_is_told(folder: &Path) -> String {
    std::fs::write(folder.join("all.txt"), "0.0.0.0/0\n").unwrap();
    let audit = egressd(folder, &["audit", "all.txt", "--from", "plain", "--format", "json", "-o", "audit.json"]);
    assert_eq!(audit.status.code(), Some(0), "{}", String::from_utf8_lossy(&audit.stderr));
    let demo = ["demo", "--scenario", "dropped-range", "--ranges-only", "--profile", "fast", "--audit", "audit.json"];
    let (report, _) = json(folder, &demo);
    let told = report["diagnoses"].as_array().unwrap().iter().find(|one| one["id"] == "blocked_behind_rules");
    assert!(!told.expect("the contradiction")["prefixes"].as_array().unwrap().is_empty());
    let (without, _) = json(folder, &demo[..6]);
    assert!(!without["diagnoses"].to_string().contains("blocked_behind_rules"));
    String::new()
}
