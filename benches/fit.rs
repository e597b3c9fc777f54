//! Fits long lists into few entries and prints time and memory: `cargo bench --no-default-features --bench fit`.
//!
//! Each row is a process of its own, so that its peak is its own.
#![allow(clippy::print_stdout)] // a table is what this program is for

use std::collections::BTreeSet;
use std::fs;
use std::process::Command;
use std::time::Instant;

use egressd::fit::{Budget, cover, cover_ranges};
use egressd::prefix::{Family, Prefix, special_purpose_space};

/// Prefixes, entries, family, and whether an entry is a range.
const ROWS: [(usize, usize, Family, bool); 8] = [
    (12_000, 1_000, Family::V4, false),
    (12_000, 1_000, Family::V4, true),
    (12_000, 1_000, Family::V6, false),
    (12_000, 1_000, Family::V6, true),
    (12_000, 6_000, Family::V4, false),
    (12_000, 6_000, Family::V6, false),
    (100_000, 1_000, Family::V4, false),
    (100_000, 1_000, Family::V4, true),
];

fn main() {
    match std::env::args().nth(1).as_deref().map(str::parse) {
        Some(Ok(row)) => report(row),
        _ => table(),
    }
}

fn table() {
    println!("{:<30} {:>8} {:>10} {:>16} {:>7} {:>8}", "list", "entries", "as", "extra addresses", "s", "peak MB");
    let program = std::env::current_exe().expect("this program has a file");
    for row in 0..ROWS.len() {
        let status = Command::new(&program).arg(row.to_string()).status().expect("it runs");
        assert!(status.success(), "row {row} failed");
    }
}

fn report(row: usize) {
    let (prefixes, entries, family, as_ranges) = ROWS[row];
    let (listed, length) = random(prefixes, family);
    let forbidden = special_purpose_space();
    let budget = Budget { entries, extra_percent: None, forbidden: &forbidden };
    let start = Instant::now();
    let extra = if as_ranges {
        cover_ranges(&listed, &budget).expect("it fits").extra
    } else {
        cover(&listed, &budget).expect("it fits").extra
    };
    let seconds = start.elapsed().as_secs_f64();
    let name = format!("{prefixes} IPv{} prefixes, /{length}", family.number());
    let (what, extra) = (if as_ranges { "ranges" } else { "prefixes" }, extra.addresses(family) as f64);
    println!("{name:<30} {entries:>8} {what:>10} {extra:>16.4e} {seconds:>7.3} {:>8.1}", peak_megabytes());
}

/// Distinct prefixes in space that may be opened, and their length.
fn random(count: usize, family: Family) -> (Vec<Prefix>, u8) {
    let mut state = 1_u64;
    let mut number = move || {
        // Knuth's MMIX generator, of which the upper 31 bits are random enough to spread prefixes.
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        u128::from(state >> 33)
    };
    let (from, length) = match family {
        Family::V4 => ("32.0.0.0/3", 24),
        Family::V6 => ("2600::/10", 48),
    };
    let space: Prefix = from.parse().expect("a prefix");
    // The random bits come right below the length of the space.
    let mut prefix = || Prefix::containing(space.nth((number() << 97) >> (128 - space.host_bits())), length);
    let mut listed = BTreeSet::new();
    while listed.len() < count {
        listed.insert(prefix());
    }
    (listed.into_iter().collect(), length)
}

/// The largest resident size of this process, as the kernel counts it.
fn peak_megabytes() -> f64 {
    let status = fs::read_to_string("/proc/self/status").expect("this is Linux");
    let line = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).expect("the kernel counts it");
    line.trim().trim_end_matches(" kB").parse::<f64>().expect("a number") / 1024.0
}
