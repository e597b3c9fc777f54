//! The networks, row by row.

use std::time::Duration;

use egressd::scan::Pace;
use egressd::scenario::{RuleAction, Wan};
use egressd::sim::{Conditions, Lit, Shape};

/// The rows of one table: what is printed, and the kind of network.
type Rows = fn() -> Vec<(String, Conditions)>;

/// Name, title, runs of each row unless told otherwise, rows.
pub const SUITES: &[(&str, &str, u64, Rows)] = &[
    ("shapes", "six firewall shapes with a baseline, loss 1 % each way", 20, shapes),
    ("uncovered", "the shapes without a baseline, by share of answering addresses", 20, uncovered),
    ("loss", "with a baseline, by loss each way and bursts of it", 40, loss),
    ("limiter", "new connections a second that a device lets pass", 20, limiter),
    ("waves", "half seconds that lose most packets", 40, waves),
    ("spread", "round trips of 20 to 270 ms and 1 % loss", 40, spread),
    ("dark", "without a baseline, /24 blocks in which nothing answers", 40, dark),
    ("uneven", "without a baseline, each /20 with a share of its own", 100, uneven),
    ("flap", "rules that come into force during the scan", 40, flap),
    ("reject", "rules that reject", 20, reject),
    ("parts", "blocks smaller than a cell: named of those that a probe hit", 40, parts),
    ("verdicts", "the goal's 100,000 verdicts: a baseline, share .9, loss 5 %", 140, verdicts),
];

const SHARES: [f64; 5] = [0.97, 0.9, 0.5, 0.2, 0.1];

fn covered() -> Conditions {
    Conditions { baseline: Some(14), ..Conditions::default() }
}

fn shapes() -> Vec<(String, Conditions)> {
    let mut rows = Vec::new();
    for resolution in [20, 24] {
        for share in [0.97, 0.9] {
            for shape in Shape::ALL {
                let name = format!("/{resolution} share {share} {shape:?}");
                rows.push((name, Conditions { shape, resolution, lit: Lit::Share(share), ..covered() }));
            }
        }
    }
    rows
}

fn uncovered() -> Vec<(String, Conditions)> {
    let kinds = [Shape::Open, Shape::OldList, Shape::WholeRange, Shape::Parts(8)];
    let row = |share: f64, shape: Shape| {
        (format!("/20 share {share} {shape:?}"), Conditions { shape, lit: Lit::Share(share), ..Conditions::default() })
    };
    SHARES.iter().flat_map(|&share| kinds.map(|shape| row(share, shape))).collect()
}

fn loss() -> Vec<(String, Conditions)> {
    let mut rows = Vec::new();
    for loss in [0.0, 0.01, 0.02, 0.05] {
        for (bursts, outages) in [("", None), (" and bursts", Some((0.05, 0.5)))] {
            for shape in [Shape::OldList, Shape::Parts(8)] {
                let wan = Wan { loss, ..covered().wan };
                let name = format!("loss {loss}{bursts} {shape:?}");
                rows.push((name, Conditions { shape, wan, outages, lit: Lit::Share(0.9), ..covered() }));
            }
        }
    }
    rows
}

fn limiter() -> Vec<(String, Conditions)> {
    let row = |(share, baseline): (f64, Option<usize>), rate: f64| {
        let name = format!("{rate} /s share {share}{}", if baseline.is_some() { " baseline" } else { "" });
        let shape = Shape::WholeRange;
        (name, Conditions { shape, limiter: Some(rate), lit: Lit::Share(share), baseline, ..Conditions::default() })
    };
    let kinds = [(0.97, None), (0.9, Some(14)), (0.5, None), (0.2, None)];
    kinds.iter().flat_map(|&kind| [1500.0, 500.0, 100.0, 20.0].map(|rate| row(kind, rate))).collect()
}

fn waves() -> Vec<(String, Conditions)> {
    let mut rows = Vec::new();
    for (share, baseline) in [(0.97, None), (0.9, Some(14)), (0.5, None), (0.2, None), (0.1, None)] {
        for outages in [(0.1, 0.5), (0.3, 0.95), (0.3, 1.0)] {
            for (pace, per_second) in [(Pace::NORMAL, 200), (Pace::FAST, 2000)] {
                let known = if baseline.is_some() { " baseline" } else { "" };
                let name = format!("{} x {} share {share} {per_second}/s{known}", outages.0, outages.1);
                let outages = Some(outages);
                rows.push((
                    name,
                    Conditions { lit: Lit::Share(share), outages, baseline, pace, ..Conditions::default() },
                ));
            }
        }
    }
    rows
}

/// The line of the goals: 20 to 270 ms.
fn far() -> Wan {
    Wan { delay_ms: 10.0, jitter_ms: 5.0, loss: 0.01, spread_ms: 240.0 }
}

fn spread() -> Vec<(String, Conditions)> {
    let mut rows = Vec::new();
    for resolution in [20, 24] {
        for shape in [Shape::Open, Shape::OldList, Shape::Hole] {
            let row = Conditions { shape, resolution, wan: far(), ..covered() };
            rows.push((format!("/{resolution} baseline {shape:?}"), row));
        }
    }
    for share in SHARES {
        let row = Conditions { wan: far(), lit: Lit::Share(share), ..Conditions::default() };
        rows.push((format!("/20 share {share} Open"), row));
    }
    rows
}

fn dark() -> Vec<(String, Conditions)> {
    let mut rows = Vec::new();
    for resolution in [20, 24] {
        for lit in [0.995, 0.98, 0.9, 0.6, 0.3] {
            for share in [1.0, 0.9, 0.5] {
                let lit = Lit::Clusters(lit, share);
                rows.push((format!("/{resolution} {lit:?}"), Conditions { resolution, lit, ..Conditions::default() }));
            }
        }
    }
    let known = Conditions { lit: Lit::Clusters(0.6, 0.9), shape: Shape::Parts(8), ..covered() };
    rows.push(("/20 Clusters(0.6, 0.9) baseline".into(), known));
    rows
}

fn uneven() -> Vec<(String, Conditions)> {
    let row = |(low, high): (f64, f64)| {
        let lit = Lit::Uneven(low, high);
        (format!("/20 {lit:?}"), Conditions { lit, ..Conditions::default() })
    };
    [(0.8, 1.0), (0.5, 1.0), (0.2, 1.0), (0.0, 1.0), (0.0, 0.5)].map(row).to_vec()
}

fn flap() -> Vec<(String, Conditions)> {
    let mut rows = Vec::new();
    for shape in [Shape::OldList, Shape::Parts(8), Shape::WholeRange] {
        for milliseconds in [50, 200, 1000, 2000] {
            for (known, baseline) in [("", None), (" baseline", Some(14))] {
                let rules_from = Duration::from_millis(milliseconds);
                let row = Conditions { shape, rules_from, baseline, lit: Lit::Share(0.9), ..Conditions::default() };
                rows.push((format!("from {milliseconds} ms {shape:?}{known}"), row));
            }
        }
    }
    rows
}

fn reject() -> Vec<(String, Conditions)> {
    let mut rows = Vec::new();
    for action in [RuleAction::RejectAdminProhibited, RuleAction::RejectPortUnreachable, RuleAction::RejectTcpReset] {
        for shape in [Shape::OldList, Shape::Hole] {
            let row = Conditions { shape, action, lit: Lit::Share(0.9), ..covered() };
            rows.push((format!("{action:?} {shape:?}"), row));
        }
    }
    rows
}

fn parts() -> Vec<(String, Conditions)> {
    let mut rows = Vec::new();
    for share in [1.0, 0.9, 0.5] {
        for action in [RuleAction::RejectAdminProhibited, RuleAction::RejectTcpReset] {
            let row = Conditions { shape: Shape::Parts(8), action, lit: Lit::Share(share), ..Conditions::default() };
            rows.push((format!("share {share} {action:?}"), row));
        }
    }
    for (each, lit) in [(14, 0.9), (200, 0.9), (200, 1.0)] {
        let row = Conditions { shape: Shape::Parts(8), lit: Lit::Share(lit), baseline: Some(each), ..covered() };
        rows.push((format!("{each} known of each /20, share {lit} Drop"), row));
    }
    rows
}

fn verdicts() -> Vec<(String, Conditions)> {
    let wan = Wan { loss: 0.05, ..covered().wan };
    let row = |shape| (format!("{shape:?}"), Conditions { shape, wan, lit: Lit::Share(0.9), ..covered() });
    Shape::ALL.map(row).to_vec()
}
