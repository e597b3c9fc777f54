//! Check Point's script, run by a real shell with an `mgmt_cli` that writes down what it is told.

use std::fs::{self, Permissions};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use egressd::export::RuleFormat;

use crate::fixtures::{Asked, documented, exported};

/// Says what it was told, and fails where it is told to add a certain network.
const MGMT_CLI: &str = "#!/bin/sh\necho \"$*\" >>\"$LOG\"\ncase \"$*\" in *\"$REFUSED\"*) exit 1 ;; esac\n";

#[test]
fn every_command_reaches_mgmt_cli_and_the_session_is_published() {
    let text = script("clo$(touch x)ud\nfront`touch x`");
    let told = told(&text, "nothing is refused");
    let commands: Vec<&str> = text.lines().filter_map(|line| line.strip_prefix("run ")).collect();
    let expected: Vec<String> =
        commands.iter().map(|command| format!("-s session {}", command.replace('"', ""))).collect();
    assert_eq!(told, expected);
    assert_eq!(told.last().map(String::as_str), Some("-s session publish"));
}

#[test]
fn what_is_refused_ends_the_session_without_a_trace() {
    let told = told(&script("cloudfront"), "99.84.0.0");
    assert!(!told.contains(&"-s session publish".to_owned()));
    assert_eq!(told.last().map(String::as_str), Some("-s session discard"));
}

fn script(name: &str) -> String {
    let asked = Asked { name, comment: "\"; touch x #", ..Asked::default() };
    exported(RuleFormat::Checkpoint, &documented(), asked).unwrap()
}

/// What `mgmt_cli` was told, by line.
fn told(script: &str, refused: &str) -> Vec<String> {
    let folder = tempfile::tempdir().unwrap();
    let (file, log) = (folder.path().join("rules"), folder.path().join("log"));
    fs::write(&file, script).unwrap();
    let stand_in = folder.path().join("mgmt_cli");
    fs::write(&stand_in, MGMT_CLI).unwrap();
    fs::set_permissions(&stand_in, Permissions::from_mode(0o755)).unwrap();
    let mut shell = Command::new("sh");
    shell.arg(&file).arg("session").current_dir(folder.path());
    shell.env("PATH", path_with(folder.path())).env("LOG", &log).env("REFUSED", refused);
    let done = shell.output().unwrap();
    assert_eq!(done.status.success(), refused.starts_with("nothing"), "{}", String::from_utf8_lossy(&done.stderr));
    let mut left: Vec<_> = fs::read_dir(folder.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    left.sort();
    assert_eq!(left, ["log", "mgmt_cli", "rules"], "a name was run");
    fs::read_to_string(&log).unwrap().lines().map(str::to_owned).collect()
}

fn path_with(folder: &Path) -> String {
    format!("{}:/usr/bin:/bin", folder.display())
}
