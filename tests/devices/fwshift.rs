//! `fwshift`, an independent reader of device configurations. Alpha software by one author, and not the vendor's; of a
//! broken prefix it says nothing in some formats, so that its addresses are compared and its status is not enough.

use std::fs;
use std::path::PathBuf;
use std::process::Command;
use std::thread;

use egressd::export::RuleFormat;
use serde_json::Value;

use crate::fixtures::{Asked, addresses, exported, fixtures, taken};
use crate::model::{Net, any_form, merged};
use crate::read::reader;

/// A format, what fwshift calls it, and what makes a configuration of what is exported.
type Read = (&'static str, &'static str, fn(&str) -> String);

/// fwshift reads configurations: what the commands leave on the device.
const READS: [Read; 10] = [
    ("ios", "ios", str::to_owned),
    ("asa", "asa", str::to_owned),
    ("panos", "panos", str::to_owned),
    ("fortios", "fortios", str::to_owned),
    ("sophos", "sophos", str::to_owned),
    ("watchguard", "watchguard", str::to_owned),
    ("meraki", "meraki", str::to_owned),
    ("junos-srx", "junos", |text| without(text, &["delete "])),
    ("huawei-usg", "huawei", |text| without(text, &[" undo "])),
    ("routeros", "routeros", imported),
];

/// The lines that begin with none of these.
fn without(text: &str, beginnings: &[&str]) -> String {
    let kept = text.lines().filter(|line| !beginnings.iter().any(|beginning| line.starts_with(beginning)));
    kept.collect::<Vec<_>>().join("\n")
}

/// What RouterOS exports after the import.
fn imported(text: &str) -> String {
    let named = without(text, &["remove ", "set "]).replace("-new ", " ");
    let rule = |line: &'_ str| line.split_once("do={ ").map(|(_, rule)| rule.trim_end_matches(" }").to_owned());
    named.lines().map(|line| rule(line).unwrap_or_else(|| line.to_owned())).collect::<Vec<_>>().join("\n")
}

#[test]
fn fwshift_reads_the_same_addresses() {
    // Most of the time it starts Python.
    thread::scope(|scope| READS.iter().for_each(|read| _ = scope.spawn(|| every_fixture(read))));
    let devices = RuleFormat::ALL.iter().filter(|format| reader(format.name()).is_some());
    let claimed = devices.filter(|format| format.capability().validated_by.contains("fwshift"));
    assert_eq!(claimed.count(), READS.len(), "a format says that fwshift reads it");
}

fn every_fixture(&(format, theirs, configuration): &Read) {
    let format = RuleFormat::named(format).unwrap_or_else(|| panic!("there is no format {format}"));
    assert!(format.capability().validated_by.contains("fwshift"), "{format} does not say so");
    for fixture in fixtures() {
        let list = taken(format, &fixture.prefixes);
        if !list.is_empty() {
            let text = configuration(&exported(format, &list, Asked::default()).expect("it fits"));
            assert_eq!(read(theirs, &text), addresses(&list), "{format}, {}", fixture.name);
        }
    }
}

/// What the rules allow, or what is in the groups where there are no rules.
fn read(theirs: &str, text: &str) -> Vec<Net> {
    let folder = tempfile::tempdir().expect("a folder");
    let (input, output) = (folder.path().join("configuration"), folder.path().join("policy.json"));
    fs::write(&input, text).expect("the file is written");
    let mut command = Command::new(program());
    command.args(["convert", "--from", theirs, "--to", "json", "--quiet", "--output"]).arg(&output).arg(&input);
    let done = command.output().expect("fwshift runs");
    assert!(done.status.success(), "{theirs}: {}\n{text}", String::from_utf8_lossy(&done.stderr));
    let policy = serde_json::from_slice(&fs::read(&output).expect("it wrote")).expect("it wrote JSON");
    merged(destinations(&policy).iter().flat_map(|name| resolved(&policy, name)))
}

/// Installed by `tests/run`.
fn program() -> PathBuf {
    let program = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/validators/bin/fwshift");
    assert!(program.exists(), "{} is missing: tests/run installs it", program.display());
    program
}

/// A default rule allows any: it is no rule of ours.
fn destinations(policy: &Value) -> Vec<String> {
    let rules = policy["rules"].as_array().expect("rules");
    let own = rules.iter().filter(|rule| rule["action"] == "allow" && rule["destinations"][0] != "any");
    let named: Vec<String> = own.flat_map(|rule| strings(&rule["destinations"])).collect();
    let objects = |kind: &str| -> Vec<String> {
        let objects = policy[kind].as_object().expect("objects").iter();
        objects.filter(|(_, object)| object["builtin"] == "").map(|(name, _)| name.clone()).collect()
    };
    // A group of one is read as an address.
    let choices = [named, objects("address_groups"), objects("addresses")];
    choices.into_iter().find(|names| !names.is_empty()).expect("it read something")
}

fn resolved(policy: &Value, name: &str) -> Vec<Net> {
    let (address, group) = (&policy["addresses"][name], &policy["address_groups"][name]);
    for object in [address, group].into_iter().filter(|object| !object.is_null()) {
        assert_eq!(object["unsupported"].as_str().unwrap_or_default(), "", "{name}");
    }
    match (address["value"].as_str(), group["members"].is_array()) {
        (Some(value), _) => vec![any_form(value)],
        (None, true) => strings(&group["members"]).iter().flat_map(|member| resolved(policy, member)).collect(),
        (None, false) => vec![any_form(name)],
    }
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().expect("a list").iter().map(|item| item.as_str().expect("a string").to_owned()).collect()
}
