//! What is counted of a run.

use std::collections::BTreeMap;

use egressd::verdict::Mechanism;
use serde::{Deserialize, Serialize};

use crate::client::Finished;
use crate::words::Word;
use crate::work::{Cell, Work};

/// One run, counted.
#[derive(Clone, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Score {
    pub(crate) seconds: f64,
    /// Of the tool's process, without the lab's.
    pub(crate) cpu_seconds: f64,
    pub(crate) peak_kib: u64,
    pub(crate) packets: u64,
    pub(crate) cells: Tally,
    pub(crate) ranges: Tally,
    /// Blocked cells of which the tool says how they are blocked, and says it rightly.
    pub(crate) how: usize,
    /// Blocked cells of which it also names where: the sender of the rejection, or the hop behind which packets end.
    pub(crate) by: usize,
    /// Killed because it took too long.
    pub(crate) killed: bool,
    /// What the tool adds of its own.
    pub(crate) note: String,
}

/// Right, wrong and missed.
#[derive(Clone, Copy, Debug, Default, Deserialize, Serialize)]
pub(crate) struct Tally {
    pub(crate) right: usize,
    /// Open, and said to be blocked.
    pub(crate) wrong: usize,
    /// Blocked and said to be open, or without a word.
    pub(crate) missed: usize,
}

#[derive(Clone, Copy, PartialEq, PartialOrd, Eq, Ord)]
enum Grade {
    Right,
    Missed,
    Wrong,
}

impl Score {
    pub(crate) fn new(work: &Work, finished: Finished) -> Self {
        let said = |cell: &Cell| finished.words.get(&cell.target).copied();
        let mut ranges: BTreeMap<usize, Grade> = BTreeMap::new();
        let mut score = Self {
            seconds: finished.seconds,
            cpu_seconds: finished.cpu_seconds,
            peak_kib: finished.peak_kib,
            packets: finished.packets,
            killed: finished.killed,
            note: finished.note,
            ..Self::default()
        };
        for cell in &work.cells {
            let grade = grade(cell.truth, said(cell), finished.silence_is_a_word);
            score.cells.add(grade);
            let range = ranges.entry(cell.range).or_insert(grade);
            *range = grade.max(*range);
            if let (Some(truth), Some(Word::Blocked { how: Some(how), by })) = (cell.truth, said(cell)) {
                score.how += usize::from(how == truth);
                score.by += usize::from(how == truth && by == Some(crate::client::FIREWALL));
            }
        }
        for grade in ranges.into_values() {
            score.ranges.add(grade);
        }
        score
    }
}

/// A tool that lists what is open alone says of the rest that it is not; of an open cell it must say that it is.
fn grade(truth: Option<Mechanism>, word: Option<Word>, silence_is_a_word: bool) -> Grade {
    match (truth, word) {
        (None, Some(Word::Open)) | (Some(_), Some(Word::Blocked { .. })) => Grade::Right,
        (None, Some(Word::Blocked { .. })) => Grade::Wrong,
        (Some(_), None) if silence_is_a_word => Grade::Right,
        (Some(_), Some(Word::Open) | None) | (None, None) => Grade::Missed,
    }
}

impl Tally {
    fn add(&mut self, grade: Grade) {
        match grade {
            Grade::Right => self.right += 1,
            Grade::Wrong => self.wrong += 1,
            Grade::Missed => self.missed += 1,
        }
    }
}
