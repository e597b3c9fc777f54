//! What the audit says of random rule sets, held against what the kernel does to packets.
//!
//! `cargo test --test audit [part of a name]`; the last line is `N passed, N failed`. `EGRESSD_RULE_SETS=500` tries that many
//! rule sets in each case.
#![allow(clippy::print_stdout)] // the output of a test runner
#![allow(clippy::unwrap_used)] // clippy knows a test by its attribute, which a runner of its own does not have

mod commands;
mod dice;
mod field;
mod iptables;
mod nft;
#[path = "../runner/mod.rs"]
mod runner;

use std::process::ExitCode;

use egressd::audit::Format;

use dice::Dice;
use field::Field;
use runner::{Case, Suite};

fn main() -> ExitCode {
    let mut cases: Vec<Case> =
        (0..4).flat_map(|turn| [of(Format::Nftables, turn), of(Format::Iptables, turn)]).collect();
    cases.extend(commands::cases());
    Suite { cases, launcher: &[], program: Some(env!("CARGO_BIN_EXE_egressd")), at_once: 2 }.main()
}

/// Rule sets of one format; the turn is where their numbers begin.
fn of(format: Format, turn: u64) -> Case {
    let run = move || {
        let sets = rule_sets();
        let field = Field::new();
        let (mut allowed, mut told) = (0, Vec::new());
        for number in 0..sets {
            let mut dice = Dice::new(turn << 32 | number);
            let judged = match format {
                Format::Nftables => field.judge_nft(&nft::rule_set(&mut dice)),
                _ => field.judge_iptables(&iptables::rule_set(&mut dice)),
            };
            allowed += judged.allowed;
            told.extend(judged.differences);
            assert!(told.len() < 3, "rule set {number} of turn {turn}:\n{}", told.join("\n\n"));
        }
        assert!(told.is_empty(), "{}", told.join("\n\n"));
        format!("{sets} rule sets, {} connections, {allowed} of them allowed", sets * field::CELLS)
    };
    Case { name: format!("{format}_agrees_with_the_kernel_{turn}"), run: Box::new(run) }
}

/// Some in each test run, more on request.
fn rule_sets() -> u64 {
    std::env::var("EGRESSD_RULE_SETS").map_or(25, |number| number.parse().expect("EGRESSD_RULE_SETS is a number"))
}
