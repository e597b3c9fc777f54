//! The work: every /24 of the documented ranges, the firewall's rules, and what is true of each cell.

use std::fmt::Write as _;
use std::net::IpAddr;
use std::path::Path;

use egressd::prefix::{Prefix, PrefixSet};
use egressd::ranges::{FeedSnapshot, Role};
use egressd::scenario::RuleAction;
use egressd::verdict::Mechanism;

/// What every tool is given.
pub(crate) struct Work {
    /// The documented ranges, all of them taken for viewers': egressd would else leave out cells that the others ask.
    pub(crate) feed: FeedSnapshot,
    pub(crate) cells: Vec<Cell>,
}

/// A /24, or a range that is smaller.
pub(crate) struct Cell {
    pub(crate) prefix: Prefix,
    /// Index of its range in the feed.
    pub(crate) range: usize,
    /// The address that tools ask which ask one.
    pub(crate) target: IpAddr,
    /// What the firewall does to it; none: lets it pass.
    pub(crate) truth: Option<Mechanism>,
}

/// Prefixes that the firewall does not let pass: 1,024 cells dropped, 256 rejected, 256 reset.
const RULES: [(&str, RuleAction, Mechanism); 3] = [
    ("13.224.0.0/14", RuleAction::Drop, Mechanism::Dropped),
    ("99.86.0.0/16", RuleAction::RejectAdminProhibited, Mechanism::RejectedIcmp),
    ("54.192.0.0/16", RuleAction::RejectTcpReset, Mechanism::Reset),
];

/// Cells of the documented ranges.
const CELLS: usize = 6032;

impl Work {
    pub(crate) fn new() -> Self {
        let mut feed = FeedSnapshot::documented();
        feed.origin_facing = PrefixSet::new();
        feed.ranges.iter_mut().for_each(|range| range.role = Role::Viewer);
        let cells: Vec<Cell> = (0..).zip(&feed.ranges).flat_map(|(at, range)| cells_of(at, range.prefix)).collect();
        assert_eq!(cells.len(), CELLS, "the documented ranges have changed");
        Self { feed, cells }
    }

    /// The firewall's rules.
    pub(crate) fn rules() -> Vec<(Vec<Prefix>, RuleAction)> {
        RULES.map(|(prefix, action, _)| (vec![parse(prefix)], action)).to_vec()
    }

    /// One address a line.
    pub(crate) fn write_targets(&self, path: &Path) {
        let mut text = String::new();
        self.cells.iter().for_each(|cell| _ = writeln!(text, "{}", cell.target));
        std::fs::write(path, text).expect("the temporary folder can be written to");
    }
}

fn cells_of(range: usize, prefix: Prefix) -> Vec<Cell> {
    if prefix.len() < 24 {
        let halves = prefix.halves().expect("shorter than an address");
        return halves.into_iter().flat_map(|half| cells_of(range, half)).collect();
    }
    let truth = RULES.iter().find(|(rule, ..)| parse(rule).covers(prefix)).map(|&(.., mechanism)| mechanism);
    // Neither the first nor the last address, which some tools leave out as a network's own.
    let target = prefix.nth((prefix.addresses() - 1).min(10));
    vec![Cell { prefix, range, target, truth }]
}

fn parse(prefix: &str) -> Prefix {
    prefix.parse().expect("the rules are written as prefixes")
}
