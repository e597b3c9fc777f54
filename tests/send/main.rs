//! What `egressd media send` says where a real program stores, limits, filters, scans or cuts what is sent.
//!
//! `cargo test --test send [part of a name]`. The last line is `N passed, N failed`.
#![allow(clippy::print_stdout)] // the output of a test runner
#![allow(dead_code)] // the network of the matrix can do more than is needed here

#[path = "../matrix/certificate.rs"]
mod certificate;
#[path = "../matrix/daemon.rs"]
mod daemon;
#[path = "../matrix/hosts.rs"]
mod hosts;
mod limits;
#[path = "../matrix/middle/mod.rs"]
mod middle;
#[path = "../matrix/network.rs"]
mod network;
mod paths;
mod place;
#[path = "../runner/mod.rs"]
mod runner;
mod servers;
mod ways;

use std::process::ExitCode;

use runner::{Case, EMPTY_HOST, Suite};

fn main() -> ExitCode {
    let cases: [(&str, fn()); 18] = [
        ("every_kind_makes_the_round_trip_and_is_deleted", servers::nginx),
        ("a_form_and_an_id_in_the_answer", servers::form),
        ("a_presigned_link_and_one_that_has_expired", servers::presigned),
        ("an_s3_upload_in_parts", servers::parts),
        ("a_resumable_upload", servers::resumable),
        ("a_declared_type_is_refused_by_squid", ways::declared_type),
        ("an_extension_is_refused_by_squid", ways::extension),
        ("answers_of_a_type_are_refused_by_squid", ways::answers),
        ("content_is_refused_by_clamd", ways::content),
        ("slow_uploads_are_cut_by_haproxy", ways::haproxy),
        ("heads_and_methods_are_refused_by_haproxy", ways::heads),
        ("cut_by_nftables_after_300_kb", ways::cut),
        ("a_limiter_of_requests_stops_the_search", ways::limited),
        ("the_budget_and_an_interruption", ways::interrupted),
        ("bumped_by_squid_with_a_limit", paths::bumped),
        ("a_page_with_status_200_by_e2guardian", paths::page),
        ("changed_by_mitmproxy", paths::changed),
        ("a_black_hole_is_measured", paths::black_hole),
    ];
    let named = |(name, run): (&str, fn())| Case {
        name: name.to_owned(),
        run: Box::new(move || {
            run();
            String::new()
        }),
    };
    let suite = Suite {
        cases: cases.into_iter().map(named).chain(limits::all()).collect(),
        launcher: EMPTY_HOST,
        program: Some(env!("CARGO_BIN_EXE_egressd")),
        at_once: 4,
    };
    suite.main()
}
