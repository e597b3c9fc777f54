//! `aerleon` writes random policies for devices and a cloud; what the audit finds is what was asked of aerleon.
//!
//! It writes PAN-OS as XML and no AWS, Azure, MikroTik or pfSense, which are left to the other tests here.

use std::fmt::Write;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use egressd::audit::{Format, Question};
use proptest::strategy::{Strategy, ValueTree};
use proptest::test_runner::TestRunner;

use crate::policies::{Rule, edges, permitted, rules};
use crate::world::{file, judged};

const POLICIES: usize = 60;

/// What aerleon calls it, the ending of its files, the reader, and what makes a configuration of it.
type Target = (&'static str, &'static str, &'static str, fn(&str) -> String);

const TARGETS: [Target; 5] = [
    ("cisco: L extended", "acl", "ios", |text| format!("{text}\ninterface Gi0/1\n ip access-group L in\nend\n")),
    ("ciscoasa: L", "asa", "asa", |text| format!("{text}\naccess-group L in interface inside\n: end\n")),
    ("juniper: L inet", "jcl", "junos", |text| {
        format!("{}set interfaces ge-0/0/1 unit 0 family inet filter input L\n", flat(text))
    }),
    ("fortigate: from-zone trust to-zone untrust", "fgacl", "fortios", str::to_owned),
    ("gce: EGRESS global/networks/n inet", "gce", "gcp", str::to_owned),
];

#[test]
fn what_aerleon_writes_is_what_the_audit_finds() {
    let mut runner = TestRunner::deterministic();
    let policies: Vec<Vec<Rule>> = (0..POLICIES).map(|_| rules().new_tree(&mut runner).unwrap().current()).collect();
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), &policies);
    generate(folder.path());
    for (_, ending, reader, configured) in TARGETS {
        for (index, rules) in policies.iter().enumerate() {
            let text = fs::read_to_string(folder.path().join(format!("out/p{index}{ending}.{ending}"))).unwrap();
            let text = configured(&text);
            let format = Format::named(reader).unwrap();
            let coverage = judged(format, &[file("policy", text.as_str())], &Question::default());
            let coverage = coverage.unwrap_or_else(|error| panic!("{reader}: {error}\n{text}"));
            for address in edges(rules) {
                let expected = permitted(rules, address, false);
                let set = if expected { &coverage.allowed } else { &coverage.missing };
                assert!(set.holds(address), "{reader}: {address} should be {expected}\n{text}");
            }
        }
    }
}

fn write(folder: &Path, policies: &[Vec<Rule>]) {
    for name in ["pol", "def", "out"] {
        fs::create_dir(folder.join(name)).unwrap();
    }
    let mut networks = "networks:\n  ALL:\n    values:\n      - address: 0.0.0.0/0\n".to_owned();
    for (policy, rules) in policies.iter().enumerate() {
        let mut terms = String::new();
        for (index, rule) in rules.iter().enumerate() {
            writeln!(networks, "  N{policy}X{index}:\n    values:\n      - address: {}", rule.to).unwrap();
            if !rule.disabled {
                term(&mut terms, policy, index, rule);
            }
        }
        for (target, ending, ..) in TARGETS {
            let rest =
                "      - name: rest\n        destination-address: ALL\n        priority: 60000\n        action: deny\n";
            let whole = format!("{terms}{rest}");
            // Only Google's rules have priorities.
            let lines = whole.split_inclusive('\n');
            let kept: String = lines.filter(|line| ending == "gce" || !line.contains("priority:")).collect();
            let header =
                format!("filename: p{policy}{ending}\nfilters:\n  - header:\n      targets:\n        {target}\n");
            let text = format!("{header}    terms:\n{kept}");
            fs::write(folder.join(format!("pol/p{policy}{ending}.yaml")), text).unwrap();
        }
    }
    let services = [("ASKED", "443"), ("OTHER", "80"), ("RANGE", "100-500")];
    networks.push_str("services:\n");
    for (name, port) in services {
        writeln!(networks, "  {name}:\n    - protocol: tcp\n      port: {port}").unwrap();
    }
    fs::write(folder.join("def/all.yaml"), networks).unwrap();
}

fn term(terms: &mut String, policy: usize, index: usize, rule: &Rule) {
    let action = if rule.permits { "accept" } else { "deny" };
    let port = rule.port.of("ASKED", "OTHER", "RANGE", "");
    let port = if port.is_empty() { String::new() } else { format!("        destination-port: {port}\n") };
    let priority = 100 + index;
    writeln!(
        terms,
        "      - name: t{index}\n        destination-address: N{policy}X{index}\n        protocol: tcp\n        priority: \
         {priority}\n{port}        action: {action}"
    )
    .unwrap();
}

fn generate(folder: &Path) {
    let program = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("target/validators/bin/aclgen");
    assert!(program.exists(), "{} is missing: tests/run installs it", program.display());
    let of = |name: &str| folder.join(name);
    let mut command = Command::new(program);
    command.arg("--base_directory").arg(folder).arg("--definitions_directory").arg(of("def"));
    let done = command.arg("--output_directory").arg(of("out")).output().expect("aclgen runs");
    let said = String::from_utf8_lossy(&done.stderr).into_owned();
    let wrong: Vec<&str> = said.lines().filter(|line| !line.starts_with(['I', 'W'])).take(20).collect();
    assert!(done.status.success(), "{}", wrong.join("\n"));
}

/// Junos' braces as `set` commands.
fn flat(text: &str) -> String {
    let (mut path, mut flat) = (Vec::<String>::new(), String::new());
    for line in text.lines().map(str::trim).filter(|line| !line.is_empty()) {
        if let Some(name) = line.strip_suffix(" {") {
            path.push(name.trim_start_matches("replace: ").to_owned());
        } else if line == "}" {
            path.pop();
        } else if let Some(statement) = line.strip_suffix(';') {
            writeln!(flat, "set {} {statement}", path.join(" ")).unwrap();
        }
    }
    flat
}
