//! The lists and the history where it hurts: mirrors that lie, proxies, disks that are full, and a kill at any moment.
//!
//! `cargo test --test feeds [part of a name]`. The last line is `N passed, N failed`.
#![allow(clippy::print_stdout)] // the output of a test runner
#![allow(clippy::unwrap_used)] // a test that cannot go on panics

mod disks;
mod kills;
mod lists;
mod mirrors;
mod proxies;
#[path = "../runner/mod.rs"]
mod runner;
mod server;
mod site;

use std::process::ExitCode;

use runner::{Case, EMPTY_HOST, Suite};

/// A case by its name.
type Named = (&'static str, fn() -> String);

fn main() -> ExitCode {
    if let Some(file) = kills::asked_to_write() {
        return kills::write_until_killed(&file);
    }
    let cases: &[Named] = &[
        ("kill_in_each_step_of_an_update", kills::update),
        ("kill_in_each_step_of_an_accept", kills::accept),
        ("kill_in_each_step_of_a_write_of_history", kills::history),
        ("kill_between_writes_of_history", kills::history_at_any_time),
        ("disk_full_at_every_size", disks::full),
        ("history_on_a_full_disk", disks::full_for_history),
        ("read_only_state", disks::read_only),
        ("many_updates_at_once", disks::at_once),
        ("other_programs_read_the_history", disks::read_by_others),
        ("mirror_with_etag", mirrors::etag),
        ("mirror_that_fails", mirrors::failures),
        ("mirror_that_is_hostile", mirrors::hostile),
        ("mirror_with_poisoned_lists", mirrors::poisoned),
        ("mirror_behind_redirections", mirrors::redirections),
        ("squid", proxies::squid),
        ("tinyproxy", proxies::tinyproxy),
    ];
    let case = |&(name, run): &Named| Case { name: name.to_owned(), run: Box::new(run) };
    let suite = Suite {
        cases: cases.iter().map(case).collect(),
        launcher: EMPTY_HOST,
        program: Some(env!("CARGO_BIN_EXE_egressd")),
        at_once: 3,
    };
    suite.main()
}
