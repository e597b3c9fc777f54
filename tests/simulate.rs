//! A short run of the simulator; the long one is `cargo bench --bench simulate`.

use egressd::ranges::FeedSnapshot;
use egressd::scenario::Wan;
use egressd::sim::{Conditions, Lit, Score, Shape};

fn scores(conditions: &Conditions, runs: u64) -> Score {
    let snapshot = FeedSnapshot::documented();
    let mut total = Score::default();
    (0..runs).for_each(|seed| total.add(&conditions.trial(&snapshot, seed).score()));
    total
}

#[test]
fn with_a_baseline_no_open_range_is_accused_and_no_blocked_one_missed() {
    for shape in Shape::ALL {
        let wan = Wan { delay_ms: 10.0, jitter_ms: 5.0, loss: 0.05, spread_ms: 240.0 };
        let conditions = Conditions { shape, wan, lit: Lit::Share(0.9), baseline: Some(14), ..Conditions::default() };
        let score = scores(&conditions, 2);
        assert_eq!((score.false_ranges, score.missed_ranges, score.wrongly_open), (0, 0, 0), "{shape:?} {score:?}");
    }
}

#[test]
fn without_one_no_open_range_is_accused() {
    let far = Wan { delay_ms: 10.0, jitter_ms: 5.0, loss: 0.01, spread_ms: 240.0 };
    for lit in [0.97, 0.5, 0.1].map(Lit::Share).into_iter().chain([Lit::Clusters(0.9, 0.9), Lit::Clusters(0.5, 1.0)]) {
        for conditions in [
            Conditions { lit, wan: far, ..Conditions::default() },
            Conditions { lit, limiter: Some(500.0), ..Conditions::default() },
            Conditions { lit, outages: Some((0.3, 0.95)), ..Conditions::default() },
        ] {
            let score = scores(&conditions, 1);
            assert_eq!((score.false_ranges, score.wrongly_open), (0, 0), "{conditions:?} {score:?}");
        }
    }
}
