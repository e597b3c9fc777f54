//! The lab with real packets: each case runs in a process of its own, in namespaces of its own.
//!
//! `cargo test --test lab [part of a name]`; the last line is `N passed, N failed`.
#![allow(clippy::print_stdout)] // the output of a test runner
#![allow(clippy::unwrap_used)] // clippy knows a test by its attribute, which a runner of its own does not have

mod cases;
mod client;
mod wan;

use std::os::unix::process::CommandExt;
use std::process::{Command, ExitCode, Output};
use std::time::Instant;

use egressd::lab::{Lab, LabConfig, LabError, enter_user_namespace};
use egressd::prefix::Prefix;

/// A case: its name and what it does. What it returns is printed behind the name.
type Case = (&'static str, fn() -> String);

/// The end of the name of a case that must not run as root.
const AS_NOBODY: &str = "as_nobody";

/// The user of least privilege, `nobody` on most systems.
const NOBODY: u32 = 65_534;

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).filter(|argument| argument != "--nocapture").collect();
    match arguments.first().map(String::as_str) {
        Some("--case") => run_one(&arguments[1]),
        part => run_all(part.unwrap_or_default()),
    }
}

fn all() -> Vec<Case> {
    let mut all = cases::CASES.to_vec();
    all.extend(wan::CASES);
    all
}

/// In the child: panics fail the case.
fn run_one(name: &str) -> ExitCode {
    let (_, case) = all().into_iter().find(|&(known, _)| known == name).expect("the parent knows the names");
    assert!(!name.ends_with(AS_NOBODY) || !nix::unistd::geteuid().is_root(), "{name} runs as root");
    println!("{}", case());
    ExitCode::SUCCESS
}

fn run_all(part: &str) -> ExitCode {
    let (mut passed, mut failed) = (0, 0);
    for (name, _) in all().into_iter().filter(|(name, _)| name.contains(part)) {
        let start = Instant::now();
        let output = child(name);
        let said = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        if output.status.success() {
            passed += 1;
            println!("ok      {name} ({} ms) {said}", start.elapsed().as_millis());
        } else {
            failed += 1;
            println!("FAILED  {name}\n{said}\n{}", String::from_utf8_lossy(&output.stderr));
        }
    }
    println!("{passed} passed, {failed} failed");
    if failed == 0 { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

/// Runs a case; one whose name says so, as an ordinary user when this one is root.
fn child(name: &str) -> Output {
    let program = std::env::current_exe().expect("the test's own path");
    if !name.ends_with(AS_NOBODY) || !nix::unistd::geteuid().is_root() {
        return Command::new(program).args(["--case", name]).output().expect("the case starts");
    }
    // The build folder may be closed to others.
    let folder = tempfile::tempdir().expect("a folder");
    let copy = folder.path().join("lab");
    std::fs::copy(program, &copy).expect("a copy of the test");
    std::fs::set_permissions(folder.path(), std::os::unix::fs::PermissionsExt::from_mode(0o755))
        .expect("an open folder");
    Command::new(copy)
        .args(["--case", name])
        .uid(NOBODY)
        .gid(NOBODY)
        .current_dir("/")
        .output()
        .expect("the case starts")
}

/// The documented list.
fn documented() -> Vec<Prefix> {
    let lists: std::collections::BTreeMap<String, Vec<Prefix>> =
        serde_json::from_str(include_str!("../../data/feeds/documented-2021-01.json")).expect("two lists");
    lists.into_values().flatten().collect()
}

/// The documented list, and some of the IPv6 ranges that were published later.
fn owned() -> Vec<Prefix> {
    let later = ["2600:9000:1000::/36", "2600:9000:2000::/36", "2409:8c00:2421:300::/56"];
    documented().into_iter().chain(later.map(prefix)).collect()
}

fn prefix(text: &str) -> Prefix {
    text.parse().expect("a prefix")
}

/// A lab in this process.
fn start(config: LabConfig) -> Lab {
    try_start(config).unwrap_or_else(|error| panic!("{error}: {:?}", std::error::Error::source(&error)))
}

fn try_start(config: LabConfig) -> Result<Lab, LabError> {
    enter_user_namespace()?;
    Lab::start(&LabConfig { owned: owned(), ..config })
}
