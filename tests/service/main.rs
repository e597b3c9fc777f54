//! What the daemon serves, as others see it: Prometheus and Alertmanager, curl, a fuzzer of its API, and clients that mean
//! it no good.
//!
//! `cargo test --test service [part of a name]`; the last line is `N passed, N failed`.
#![allow(clippy::print_stdout)] // the output of a test runner

mod access;
mod alerts;
mod api;
mod crowd;
mod load;
mod site;

#[allow(dead_code)] // there is more to certificates than is needed here
#[path = "../matrix/certificate.rs"]
mod certificate;
#[allow(dead_code)]
#[path = "../matrix/daemon.rs"]
mod daemon;
#[allow(dead_code)]
#[path = "../network/hosts.rs"]
mod hosts;
#[path = "../runner/mod.rs"]
mod runner;

use std::collections::BTreeMap;
use std::process::ExitCode;

use runner::{Case, EMPTY_HOST, Suite};

fn main() -> ExitCode {
    let case = |(name, run): (&str, fn() -> String)| Case { name: name.to_owned(), run: Box::new(run) };
    let suite = Suite {
        cases: [
            ("a_blocked_range_is_one_alert_and_resolves", alerts::block as fn() -> String),
            ("ten_thousand_idle_clients_keep_nobody_out", crowd::idle),
            ("slow_and_endless_requests_are_ended", crowd::slow),
            ("a_webhook_that_hangs_holds_nothing_up", crowd::hanging_webhook),
            ("thousands_of_scrapes_make_no_check_late", load::thousands),
            ("the_api_is_as_it_is_described", api::described),
            ("lists_are_fetched_as_firewalls_do", api::fetched),
            ("metrics_please_the_linter", api::linted),
            ("other_hosts_need_tls_and_a_name", access::guarded),
            ("certificates_and_names_are_read_again", access::reloaded),
            ("what_is_unguarded_is_not_served", access::refused),
        ]
        .map(case)
        .into(),
        launcher: EMPTY_HOST,
        program: Some(env!("CARGO_BIN_EXE_egressd")),
        at_once: AT_ONCE,
    };
    suite.main()
}

/// They wait more than they work.
const AT_ONCE: usize = 3;

/// The documented list, global and regional.
fn documented() -> Vec<String> {
    let lists: BTreeMap<String, Vec<String>> =
        serde_json::from_str(include_str!("../../data/feeds/documented-2021-01.json")).expect("two lists");
    lists.into_values().flatten().collect()
}
