//! The search for the largest upload that passes: to the byte, with few requests and little more than it needs to send.
//!
//! Most of what limits uploads judges by the length that is announced, so the search asks with the head alone
//! (`Expect: 100-continue`) and sends nothing. What answers "go on" to everything is asked with a head and the beginning of
//! a body. What was found that way is confirmed with real bytes on both sides; what judges by real bytes alone is halved as
//! far as the bytes suffice. Holds no socket and reads no clock.

use std::time::Duration;

/// What is to be asked next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Probe {
    /// The head of an upload of so many bytes, and whether it may go on.
    Ask(u64),
    /// The head, the beginning of the body, and whether a refusal comes within the time.
    Announce {
        /// What is announced.
        bytes: u64,
        /// How long a refusal is waited for.
        patience: Duration,
    },
    /// All bytes.
    Send(u64),
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Answer {
    /// It was taken, or may go on.
    Taken,
    /// It was refused, with a status where one came.
    Refused(Option<u16>),
    /// Nothing was said.
    Silent,
}

/// What the search has found.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Found {
    /// The most that passed, with all its bytes.
    pub largest_bytes: u64,
    /// The least that did not, with all its bytes; none where everything passed.
    pub refused_bytes: Option<u64>,
    /// The status of the refusal.
    pub status: Option<u16>,
    /// Requests that it took.
    pub requests: u32,
    /// Bytes of bodies that were sent.
    pub sent_bytes: u64,
    /// At least so many bytes passed before uploads were cut without a word, whatever their size.
    pub cut_bytes: Option<u64>,
    /// The search was given up: requests themselves are limited.
    pub rate_limited: bool,
}

/// The search.
#[derive(Clone, Debug)]
pub struct Ladder {
    most: u64,
    stage: Stage,
    found: Found,
    patience: Duration,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stage {
    /// The largest, by its head.
    AskTop,
    /// The largest, by its head and the beginning of its body.
    AnnounceTop,
    /// The largest, with all its bytes.
    SendTop,
    /// Between what passes and what does not.
    Search {
        by: By,
        low: u64,
        high: u64,
    },
    /// What passes by its head has to pass with all its bytes.
    SendLow {
        low: u64,
        high: u64,
    },
    /// And what does not has to fail.
    SendHigh {
        high: u64,
    },
    /// With all bytes, as long as they suffice.
    Halve {
        low: u64,
        high: u64,
    },
    /// A little less than what passed before it was cut.
    Under {
        cut: u64,
    },
    /// And a little more.
    Over {
        cut: u64,
    },
    Done,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum By {
    Ask,
    Announce,
}

/// A refusal that takes longer than this is none of the announced length.
const PATIENCE: Duration = Duration::from_millis(1500);
/// A limiter of requests, as RFC 6585 has it.
const TOO_MANY_REQUESTS: u16 = 429;

impl Ladder {
    /// Between what has passed already and the most that is of interest.
    #[must_use]
    pub fn new(passed: u64, most: u64) -> Self {
        let found = Found { largest_bytes: passed, ..Found::default() };
        let stage = if most > passed { Stage::AskTop } else { Stage::Done };
        Self { most, stage, found, patience: PATIENCE }
    }

    /// The same for what is more than one request: there is no head that announces all of it.
    #[must_use]
    pub fn of_whole_files(passed: u64, most: u64) -> Self {
        let ladder = Self::new(passed, most);
        let stage = if ladder.stage == Stage::Done { Stage::Done } else { Stage::SendTop };
        Self { stage, ..ladder }
    }

    /// What is to be asked next; none when the search is over.
    #[must_use]
    pub fn next(&self) -> Option<Probe> {
        let announce = |bytes| Probe::Announce { bytes, patience: self.patience };
        Some(match self.stage {
            Stage::AskTop => Probe::Ask(self.most),
            Stage::AnnounceTop => announce(self.most),
            Stage::SendTop => Probe::Send(self.most),
            Stage::Search { by: By::Ask, low, high } => Probe::Ask(middle(low, high)),
            Stage::Search { by: By::Announce, low, high } => announce(middle(low, high)),
            Stage::Halve { low, high } => Probe::Send(middle(low, high)),
            Stage::SendLow { low, .. } => Probe::Send(low),
            Stage::SendHigh { high } => Probe::Send(high),
            Stage::Under { cut } => Probe::Send((cut - cut / 4).max(self.found.largest_bytes)),
            Stage::Over { cut } => Probe::Send((cut + cut / 4).min(self.most)),
            Stage::Done => return None,
        })
    }

    /// Takes what came of [`Ladder::next`], which took so long and sent so many bytes of a body.
    pub fn answered(&mut self, answer: Answer, took: Duration, sent_bytes: u64) {
        let Some(probe) = self.next() else { return };
        self.found.requests += 1;
        self.found.sent_bytes += sent_bytes;
        if let Answer::Refused(status) = answer {
            self.found.status = status.or(self.found.status);
            if status == Some(TOO_MANY_REQUESTS) {
                self.found.rate_limited = true;
                self.stage = Stage::Done;
                return;
            }
        }
        let refused = matches!(answer, Answer::Refused(_));
        if let Probe::Send(bytes) = probe {
            if answer == Answer::Silent {
                // It takes too long to tell.
                self.stage = Stage::Done;
                return;
            }
            self.sent(bytes, refused);
        }
        self.stage = match (self.stage, answer) {
            (Stage::SendTop, Answer::Refused(None)) if sent_bytes < self.most / 2 => self.cut(sent_bytes),
            _ => self.after(refused, took),
        };
    }

    /// What has been found by now.
    #[must_use]
    pub fn found(&self) -> Found {
        let refused = self.found.refused_bytes.is_some() || self.found.rate_limited;
        Found { status: self.found.status.filter(|_| refused), ..self.found }
    }

    fn sent(&mut self, bytes: u64, refused: bool) {
        let found = &mut self.found;
        if refused {
            found.refused_bytes = Some(found.refused_bytes.map_or(bytes, |known| known.min(bytes)));
        } else {
            found.largest_bytes = found.largest_bytes.max(bytes);
        }
    }

    fn after(&mut self, refused: bool, took: Duration) -> Stage {
        let (low, most) = (self.found.largest_bytes, self.most);
        match self.stage {
            Stage::AskTop if refused => self.search(By::Ask, low, most),
            Stage::AskTop => Stage::AnnounceTop,
            Stage::AnnounceTop if refused => {
                // The others are refused as quickly as the largest.
                self.patience = (took * 4).clamp(PATIENCE / 5, PATIENCE);
                self.search(By::Announce, low, most)
            }
            Stage::AnnounceTop => Stage::SendTop,
            Stage::SendTop if refused => self.halve(low, most),
            Stage::Search { by, low, high } => {
                let middle = middle(low, high);
                let (low, high) = if refused { (low, middle) } else { (middle, high) };
                self.search(by, low, high)
            }
            // What a head says does not hold for a body.
            Stage::SendLow { low, .. } if refused => self.halve(self.found.largest_bytes, low),
            Stage::SendLow { high, .. } => Stage::SendHigh { high },
            Stage::SendHigh { .. } if refused => Stage::Done,
            Stage::SendHigh { high } if high < most => Stage::SendTop,
            Stage::Under { cut } if !refused => Stage::Over { cut },
            // What was acknowledged is less than what passed: it is looked for twice as far out.
            Stage::Over { cut } if !refused && cut < most => Stage::Over { cut: cut.saturating_mul(2) },
            Stage::Under { .. } | Stage::Over { .. } | Stage::SendTop | Stage::SendHigh { .. } | Stage::Done => {
                Stage::Done
            }
            Stage::Halve { low, high } => {
                let middle = middle(low, high);
                if refused { self.halve(low, middle) } else { self.halve(middle, high) }
            }
        }
    }

    /// Nobody said why it ended: what passed by then is where to look.
    fn cut(&mut self, sent_bytes: u64) -> Stage {
        self.found.cut_bytes = Some(sent_bytes);
        Stage::Under { cut: sent_bytes }
    }

    fn search(&self, by: By, low: u64, high: u64) -> Stage {
        match (high - low, low > self.found.largest_bytes) {
            (1, true) => Stage::SendLow { low, high },
            (1, false) => Stage::SendHigh { high },
            _ => Stage::Search { by, low, high },
        }
    }

    /// Goes on with all bytes while what is still to be sent stays under twice the most that is of interest.
    fn halve(&self, low: u64, high: u64) -> Stage {
        let suffices = self.found.sent_bytes.saturating_add(middle(low, high)) <= self.most.saturating_mul(2);
        if high - low > 1 && suffices { Stage::Halve { low, high } } else { Stage::Done }
    }
}

impl Found {
    /// The limit lies between two neighbours that were both tried with all their bytes.
    #[must_use]
    pub fn is_exact(&self) -> bool {
        self.refused_bytes == self.largest_bytes.checked_add(1)
    }
}

fn middle(low: u64, high: u64) -> u64 {
    low + (high - low) / 2
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What stands in the way, and which sizes it sees.
    #[derive(Clone, Copy, Debug)]
    enum Gate {
        /// Judges the announced length of a head, as nginx and Squid do.
        Head,
        /// Says "go on" to everything and judges when a piece of the body is there, as `HAProxy` does with a buffered body.
        Beginning,
        /// Counts the bytes as they come.
        Count,
        /// Nothing answers to a head alone; the announced length is judged with a body behind it.
        Mute,
    }

    fn climb(gate: Gate, limit: u64, passed: u64, most: u64) -> Found {
        let mut ladder = Ladder::new(passed, most);
        while let Some(probe) = ladder.next() {
            let refused = Answer::Refused(Some(413));
            let judge = |bytes: u64| if bytes > limit { refused } else { Answer::Taken };
            let (answer, sent) = match (probe, gate) {
                (Probe::Ask(bytes), Gate::Head) => (judge(bytes), 0),
                (Probe::Ask(_), Gate::Mute) => (Answer::Silent, 0),
                (Probe::Ask(_), _) => (Answer::Taken, 0),
                (Probe::Announce { bytes, .. }, Gate::Head | Gate::Beginning | Gate::Mute) => {
                    (if bytes > limit { refused } else { Answer::Silent }, bytes.min(24 << 10))
                }
                (Probe::Announce { .. }, Gate::Count) => (Answer::Silent, 24 << 10),
                (Probe::Send(bytes), _) => (judge(bytes), bytes.min(limit + (256 << 10))),
            };
            ladder.answered(answer, Duration::from_millis(40), sent);
            assert!(ladder.found().requests < 100, "it ends: {gate:?} {limit}");
        }
        ladder.found()
    }

    const MOST: u64 = 21 << 20;

    #[test]
    fn a_limit_on_the_announced_length_is_found_to_the_byte_with_few_requests_and_bytes() {
        for gate in [Gate::Head, Gate::Beginning, Gate::Mute] {
            for limit in [1 << 20, 1_000_000, 5 << 20, 16 << 20, 20 << 20, 20_000_000, 1_234_567, MOST - 1] {
                let found = climb(gate, limit, 64 << 10, MOST);
                assert_eq!((found.largest_bytes, found.refused_bytes), (limit, Some(limit + 1)), "{gate:?}");
                assert!(found.is_exact() && found.status == Some(413));
                assert!(found.requests <= 30, "{gate:?} {limit}: {} requests", found.requests);
                assert!(found.sent_bytes < 3 * limit, "{gate:?} {limit}: {} bytes", found.sent_bytes);
            }
        }
    }

    #[test]
    fn where_nothing_is_limited_the_largest_is_sent_once() {
        for gate in [Gate::Head, Gate::Count, Gate::Mute] {
            let found = climb(gate, u64::MAX >> 1, 64 << 10, MOST);
            assert_eq!((found.largest_bytes, found.refused_bytes, found.status), (MOST, None, None));
            assert!(found.requests == 3 && found.sent_bytes < MOST + (64 << 10), "{found:?}");
        }
    }

    #[test]
    fn what_counts_bytes_is_narrowed_down_as_far_as_they_suffice() {
        for limit in [70_000, 1 << 20, 5 << 20, 16 << 20] {
            let found = climb(Gate::Count, limit, 64 << 10, MOST);
            let refused = found.refused_bytes.unwrap();
            assert!(found.largest_bytes <= limit && limit < refused, "{found:?}");
            assert!(found.sent_bytes < 3 * MOST, "{found:?}");
            assert!(refused - found.largest_bytes < limit.max(MOST / 4), "{found:?}");
        }
    }

    #[test]
    fn what_cuts_without_a_word_is_bracketed_where_it_cuts() {
        const CUT: u64 = 300_000;
        let mut ladder = Ladder::new(32 << 10, MOST);
        while let Some(probe) = ladder.next() {
            let (answer, sent) = match probe {
                Probe::Ask(_) | Probe::Announce { .. } => (Answer::Silent, 0),
                Probe::Send(bytes) if bytes <= CUT => (Answer::Taken, bytes),
                Probe::Send(_) => (Answer::Refused(None), CUT),
            };
            ladder.answered(answer, Duration::ZERO, sent);
        }
        let found = ladder.found();
        assert_eq!((found.largest_bytes, found.refused_bytes, found.cut_bytes), (225_000, Some(375_000), Some(CUT)));
        assert_eq!(found.requests, 5);
    }

    #[test]
    fn the_edges_need_no_search() {
        assert_eq!(Ladder::new(10, 10).next(), None);
        let found = climb(Gate::Head, 100, 100, 101);
        assert_eq!((found.largest_bytes, found.refused_bytes, found.is_exact()), (100, Some(101), true));
        let found = climb(Gate::Head, 100, 100, MOST);
        assert_eq!((found.largest_bytes, found.refused_bytes), (100, Some(101)));
    }

    #[test]
    fn a_head_that_lies_is_found_out_with_real_bytes() {
        // The head is refused above 5,000, the body above 3,000.
        let mut ladder = Ladder::new(1000, 10_000);
        while let Some(probe) = ladder.next() {
            let (bytes, limit) = match probe {
                Probe::Ask(bytes) | Probe::Announce { bytes, .. } => (bytes, 5000),
                Probe::Send(bytes) => (bytes, 3000),
            };
            let answer = if bytes > limit { Answer::Refused(None) } else { Answer::Taken };
            ladder.answered(answer, Duration::ZERO, if matches!(probe, Probe::Send(_)) { bytes } else { 0 });
        }
        let found = ladder.found();
        assert!(found.largest_bytes <= 3000 && found.refused_bytes.unwrap() > 3000, "{found:?}");
    }

    #[test]
    fn what_takes_too_long_to_tell_accuses_nobody() {
        let mut ladder = Ladder::of_whole_files(1000, 10_000);
        assert_eq!(ladder.next(), Some(Probe::Send(10_000)));
        ladder.answered(Answer::Silent, Duration::ZERO, 500);
        assert_eq!((ladder.next(), ladder.found().refused_bytes, ladder.found().largest_bytes), (None, None, 1000));
    }

    #[test]
    fn a_limiter_of_requests_ends_the_search() {
        let mut ladder = Ladder::new(1000, 10_000);
        ladder.answered(Answer::Refused(Some(429)), Duration::ZERO, 0);
        assert!(ladder.next().is_none() && ladder.found().rate_limited);
    }
}
