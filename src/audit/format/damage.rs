//! Rule sets with letters flipped, cut, and lines repeated and moved: no reader may panic or hang, and what is cut off
//! never makes a rule set allow everything.
//!
//! `EGRESSD_MUTATIONS=10000000 cargo test --release --lib audit::format::damage` tries as many of each.

use super::{Format, SourceFile};
use crate::audit::{Answer, Question, Required, audit};
use crate::chance::Chance;
use crate::ranges::FeedSnapshot;

/// Enough for each test run.
const MUTATIONS: u64 = 3_000;

const IPTABLES: &str = include_str!("damage/rules.v4");
const NFTABLES: &str = include_str!("damage/rules.json");

fn damaged(whole: &str, chance: &mut Chance) -> String {
    const LETTERS: &[u8] = b" \"\\!-/,:{}[]@*#0129azAZ\n\xc3";
    let mut bytes = whole.as_bytes().to_vec();
    for _ in 0..=chance.next(4) {
        let at = chance.next(bytes.len());
        match chance.next(5) {
            0 => bytes.truncate(at),
            1 => {
                let again = bytes[at..bytes.len().min(at + chance.next(64))].to_vec();
                let to = chance.next(bytes.len());
                bytes.splice(to..to, again);
            }
            2 => drop(bytes.drain(at..bytes.len().min(at + chance.next(32)))),
            _ => bytes.iter_mut().skip(at).take(1).for_each(|byte| *byte = LETTERS[chance.next(LETTERS.len())]),
        }
    }
    String::from_utf8_lossy(&bytes).into_owned()
}

/// Whether the audit of a text covers the documented list; an error does not.
fn covers(format: Format, text: String, feed: &FeedSnapshot) -> bool {
    let files = [SourceFile { name: "rules".to_owned(), text }];
    let required = Required { feed, held: &[], ranges: feed.ranges.iter().collect() };
    let Ok(policy) = format.read(&files, &Question::default()) else { return false };
    audit(&policy, &files, &required).is_ok_and(|coverage| coverage.answer() == Answer::Covers)
}

fn survives(format: Format, whole: &str) {
    let feed = FeedSnapshot::documented();
    let mutations = std::env::var("EGRESSD_MUTATIONS").ok().map_or(MUTATIONS, |count| count.parse().unwrap());
    let mut chance = Chance(0x9e37_79b9_7f4a_7c15);
    for _ in 0..mutations {
        covers(format, damaged(whole, &mut chance), &feed);
    }
    // Cut at every character, it never comes to more than the whole does.
    let marks: Vec<usize> = whole.char_indices().map(|(at, _)| at).collect();
    for end in marks.into_iter().filter(|end| !whole[*end..].trim().is_empty()) {
        assert!(!covers(format, whole[..end].to_owned(), &feed), "{format} cut at {end}");
    }
}

#[test]
fn iptables() {
    survives(Format::Iptables, IPTABLES);
}

#[test]
fn nftables() {
    survives(Format::Nftables, NFTABLES);
}
