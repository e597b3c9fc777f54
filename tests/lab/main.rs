//! The lab with real packets: each case runs in a process of its own, in namespaces of its own.
//!
//! `cargo test --test lab [part of a name]`; the last line is `N passed, N failed`.
#![allow(clippy::print_stdout)] // the output of a test runner
#![allow(clippy::unwrap_used)] // clippy knows a test by its attribute, which a runner of its own does not have

mod cases;
mod check;
mod client;
#[path = "../runner/mod.rs"]
mod runner;
mod wan;

use std::process::ExitCode;

use egressd::lab::{Lab, LabConfig, LabError, enter_user_namespace};
use egressd::prefix::Prefix;

use runner::Suite;

/// A case: its name and what it does. What it returns is printed behind the name.
type Case = (&'static str, fn() -> String);

fn main() -> ExitCode {
    let cases = cases::CASES.iter().chain(check::CASES).chain(wan::CASES).copied().map(as_its_name_says).collect();
    // One at a time: some measure.
    Suite { cases, launcher: &[], program: None, at_once: 1 }.main()
}

fn as_its_name_says((name, case): Case) -> runner::Case {
    let run = move || {
        assert!(!name.ends_with("as_nobody") || !nix::unistd::geteuid().is_root(), "{name} runs as root");
        case()
    };
    runner::Case { name: name.to_owned(), run: Box::new(run) }
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
