//! `fwshift`, an independent reader of configurations, on random policies: it and the audit find the same.
//!
//! It is asked where it reads these constructs right; of a broken address it says nothing in some formats, so that it is
//! no judge of damaged files.

use std::fs;
use std::net::IpAddr;
use std::path::PathBuf;
use std::process::Command;
use std::thread;

use egressd::audit::word::address_range;
use egressd::audit::{Format, Question};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;
use serde_json::Value;

use crate::policies::{SYNTAXES, Syntax, edges, rules};
use crate::world::{file, judged};

/// The reader here, what fwshift calls it, and which of our syntaxes of that format.
const READS: [(&str, &str, usize); 6] = [
    ("ios", "ios", 0),
    ("asa", "asa", 0),
    ("junos", "junos", 1),
    ("panos", "panos", 0),
    ("fortios", "fortios", 0),
    ("routeros", "routeros", 0),
];

const POLICIES: usize = 4;

#[test]
fn fwshift_finds_the_same() {
    thread::scope(|scope| {
        for (format, theirs, which) in READS {
            let mut syntaxes = SYNTAXES.iter().filter(|syntax| syntax.0 == format);
            let syntax = syntaxes.nth(which).unwrap();
            scope.spawn(move || compare(syntax, theirs));
        }
    });
}

fn compare(&(format, write, default): &Syntax, theirs: &str) {
    let mut runner = TestRunner::deterministic();
    for _ in 0..POLICIES {
        let rules = rules().new_tree(&mut runner).unwrap().current();
        let text = write(&rules);
        let coverage = judged(Format::named(format).unwrap(), &[file("policy", text.as_str())], &Question::default());
        let (coverage, policy) = (coverage.unwrap(), read(theirs, &text));
        for address in edges(&rules) {
            let permits = permitted(&policy, address).unwrap_or(default);
            assert_eq!(coverage.allowed.holds(address), permits, "{theirs}: {address}\n{text}\n{policy}");
        }
    }
}

fn read(theirs: &str, text: &str) -> Value {
    let program = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/validators/bin/fwshift");
    assert!(program.exists(), "{} is missing: tests/run installs it", program.display());
    let folder = tempfile::tempdir().unwrap();
    let (input, output) = (folder.path().join("configuration"), folder.path().join("policy.json"));
    fs::write(&input, text).unwrap();
    let mut command = Command::new(program);
    command.args(["convert", "--from", theirs, "--to", "json", "--quiet", "--output"]).arg(&output).arg(&input);
    let done = command.output().expect("fwshift runs");
    assert!(done.status.success(), "{theirs}: {}\n{text}", String::from_utf8_lossy(&done.stderr));
    serde_json::from_slice(&fs::read(&output).unwrap()).unwrap()
}

/// What the first rule for the address and the port does; none where no rule is for it.
fn permitted(policy: &Value, address: IpAddr) -> Option<bool> {
    let mut rules = policy["rules"].as_array().unwrap().iter().filter(|rule| rule["enabled"] == true);
    let decides = |rule: &&Value| {
        let named = |key: &str| rule[key].as_array().unwrap().iter().map(|name| name.as_str().unwrap());
        named("destinations").any(|name| holds(policy, name, address))
            && named("services").any(|name| serves(policy, name))
    };
    rules.find(decides).map(|rule| rule["action"] == "allow")
}

fn holds(policy: &Value, name: &str, address: IpAddr) -> bool {
    let value = policy["addresses"][name]["value"].as_str();
    match (value, policy["address_groups"][name]["members"].as_array()) {
        (None, Some(members)) => members.iter().any(|member| holds(policy, member.as_str().unwrap(), address)),
        _ if matches!(name, "any" | "all") => true,
        (value, _) => {
            let text = value.unwrap_or(name);
            let range = address_range(text).unwrap_or_else(|| panic!("{text} is no address"));
            range.first() <= address && address <= range.last()
        }
    }
}

fn serves(policy: &Value, name: &str) -> bool {
    if let Some(members) = policy["service_groups"][name]["members"].as_array() {
        return members.iter().any(|member| serves(policy, member.as_str().unwrap()));
    }
    let Some(entries) = policy["services"][name]["entries"].as_array() else { return name == "any" };
    entries.iter().any(|entry| {
        let ports = entry["dst_ports"].as_str().unwrap_or_default();
        let has = |part: &str| {
            let (first, last) = part.split_once('-').unwrap_or((part, part));
            (first.parse::<u16>().unwrap()..=last.parse().unwrap()).contains(&443)
        };
        let protocol = entry["protocol"].as_str().unwrap_or_default();
        matches!(protocol, "tcp" | "ip" | "any") && (matches!(ports, "" | "any") || ports.split(',').any(has))
    })
}
