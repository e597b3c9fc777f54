//! Where a cell is divided: what is blocked need not end where a cell does.
//!
//! An answer and two failures in one cell say that a part of it may be blocked. It is halved until answers and failures
//! lie apart, and each half is judged as a cell is, in the same tree and with the same bound. A rejection is proof for its
//! address, so halves may be as small as two addresses; silences are few, and end at a /24. Where all that was rejected
//! lies in one half, the other is asked by itself.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::model::Counts;
use crate::prefix::{Family, Prefix};

/// Silence divides no further: servers are put up, and rules written, by the block.
pub(crate) const FINEST_BY_SILENCE: u8 = 24;
/// A single rejected address between two that answer is a server's doing.
const FINEST_BY_REJECTION: u8 = 31;

/// Whether answers and failures lie side by side in a prefix that can be divided.
pub(crate) fn is_mixed(prefix: Prefix, counts: &Counts) -> bool {
    can_divide(prefix, counts) && counts.failures() > 1.5
}

/// Whether one failure stands against answers: a second one beside it would say that it is no accident.
pub(crate) fn is_doubtful(prefix: Prefix, counts: &Counts) -> bool {
    can_divide(prefix, counts) && (0.5..=1.5).contains(&counts.failures())
}

/// Whether several addresses of a prefix were rejected, all of them in one half, and in the other somebody was asked who
/// was not: of that half it says little. Without this a part was taken for its cell in 13 of 4,840 ranges where half of
/// the addresses answer. Both of a pair count as one.
pub(crate) fn is_lopsided(prefix: Prefix, asked: impl Iterator<Item = (IpAddr, bool)>) -> bool {
    let Some([low, _]) = prefix.halves().filter(|_| prefix.len() < FINEST_BY_REJECTION) else { return false };
    let mut rejected: [BTreeSet<Prefix>; 2] = Default::default();
    let mut silent = [false; 2];
    for (address, was_rejected) in asked {
        let half = usize::from(!low.holds(address));
        if was_rejected {
            rejected[half].insert(Prefix::containing(address, 31));
        } else {
            silent[half] = true;
        }
    }
    let [below, above] = rejected.map(|pairs| pairs.len());
    prefix.family() == Family::V4 && ((below > 1 && above == 0 && silent[1]) || (above > 1 && below == 0 && silent[0]))
}

fn can_divide(prefix: Prefix, counts: &Counts) -> bool {
    let finest = if counts.rejected() { FINEST_BY_REJECTION } else { FINEST_BY_SILENCE };
    // IPv6 cannot be searched: there is nobody to ask in a half.
    prefix.family() == Family::V4 && counts.answered() && prefix.len() < finest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn counts(answers: f64, rejections: f64, known_silences: f64) -> Counts {
        Counts { answers, known_silences, rejections, ..Counts::default() }
    }

    #[test]
    fn only_what_answers_and_fails_is_divided() {
        for (text, counts, mixed, doubtful) in [
            ("13.32.0.0/20", counts(1.0, 0.0, 0.0), false, false),
            ("13.32.0.0/20", counts(0.0, 3.0, 0.0), false, false),
            ("13.32.0.0/20", counts(1.0, 1.0, 0.0), false, true),
            ("13.32.0.0/20", counts(1.0, 2.0, 0.0), true, false),
            ("13.32.0.0/20", counts(1.0, 0.0, 2.0), true, false),
            ("13.32.0.0/24", counts(1.0, 0.0, 2.0), false, false),
            ("13.32.0.0/30", counts(1.0, 2.0, 0.0), true, false),
            ("13.32.0.0/31", counts(1.0, 2.0, 0.0), false, false),
            ("2600:9000::/40", counts(1.0, 2.0, 0.0), false, false),
        ] {
            let prefix = text.parse().unwrap();
            assert_eq!(
                (is_mixed(prefix, &counts), is_doubtful(prefix, &counts)),
                (mixed, doubtful),
                "{text} {counts:?}"
            );
        }
    }

    #[test]
    fn rejections_in_one_half_say_little_of_the_other() {
        let all = |rejected: &[&str], silent: &[&str]| -> Vec<(IpAddr, bool)> {
            let of = |list: &[&str], was| list.iter().map(|text| (text.parse().unwrap(), was)).collect::<Vec<_>>();
            [of(rejected, true), of(silent, false)].concat()
        };
        for (rejected, silent, lopsided) in [
            (&["10.0.0.1"][..], &["10.0.0.130"][..], false),
            (&["10.0.0.0", "10.0.0.1"], &["10.0.0.130"], false),
            (&["10.0.0.1", "10.0.0.77"], &["10.0.0.130"], true),
            (&["10.0.0.1", "10.0.0.77"], &["10.0.0.70"], false),
            (&["10.0.0.1", "10.0.0.77"], &[], false),
            (&["10.0.0.200", "10.0.0.130", "10.0.0.131"], &["10.0.0.7"], true),
            (&["10.0.0.1", "10.0.0.77", "10.0.0.128"], &["10.0.0.130"], false),
        ] {
            let asked = all(rejected, silent).into_iter();
            assert_eq!(is_lopsided("10.0.0.0/24".parse().unwrap(), asked), lopsided, "{rejected:?} {silent:?}");
        }
    }
}
