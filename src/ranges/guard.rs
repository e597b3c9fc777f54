//! Whether a list that was fetched may take the place of the one that is held.
//!
//! A list that is wrong would become rules of a firewall. What cannot be right is refused; what can be, and is unlike
//! everything that was published so far, is held for a person.

use std::fmt;

use jiff::{SignedDuration, Timestamp};

use super::{FeedDiff, FeedSnapshot, List, Source, diff};
use crate::prefix::{Family, Prefix};
use crate::text::printable;

/// How far a list may be from the one that is held.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Bounds {
    /// The most that may come to it at once, in per cent of the addresses of a family.
    pub most_growth_percent: f64,
    /// The most that may leave it at once, in per cent of the addresses or of the ranges of a family.
    pub most_shrink_percent: f64,
}

/// What is to be done with a list.
#[derive(Clone, Debug, PartialEq)]
pub enum Judgement {
    /// It lists what is held.
    Unchanged,
    /// It takes the place of what is held.
    Accepted,
    /// A person has to look at it.
    Held(Vec<Doubt>),
    /// It is not used, whoever asks.
    Refused(Vec<Doubt>),
}

/// What speaks against a list.
#[derive(Clone, Debug, PartialEq)]
pub enum Doubt {
    /// An older one than is held.
    Older {
        /// Its serial, or its date.
        serial: String,
        /// The one that is held.
        held: String,
    },
    /// Published later than now: if it were taken, no true one would be new any more.
    FromTheFuture {
        /// When it says that it was published.
        published: Timestamp,
    },
    /// Ranges outside the space that its publisher announces.
    Unannounced {
        /// The first of them.
        prefix: Prefix,
        /// How many there are.
        count: usize,
    },
    /// It says nothing of when it was published, and the one that is held does.
    NoSerial,
    /// The same serial as the one that is held, and other ranges.
    SameSerial(String),
    /// It has fewer ranges than a list had in years.
    FewRanges(usize),
    /// It has more ranges than any list ever had, by far.
    ManyRanges(usize),
    /// More addresses came to it than may.
    Grew(Step),
    /// More addresses left it than may.
    Shrank(Step),
    /// More ranges left it than may.
    LostRanges(Step),
    /// It lacks more of the documented list than may be missing.
    LacksDocumented(Step),
}

/// How large a change is.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Step {
    /// In which family.
    pub family: Family,
    /// How large.
    pub percent: f64,
    /// How large it may be.
    pub bound: f64,
}

/// The list of November 2018 has 58 IPv4 ranges, and none since had fewer.
const FEWEST_RANGES: usize = 40;

/// Ten times what August 2026 has.
const MOST_RANGES: usize = 2_500;

/// Clocks of machines that keep time differ by less.
const CLOCKS_DIFFER: SignedDuration = SignedDuration::from_hours(24);

impl Default for Bounds {
    /// Of the steps between half-yearly copies from 2018 to 2026 four would wait for a person, the last of them in 2022, and
    /// none of the eleven since; a list is fetched many times a day, and its steps are smaller.
    fn default() -> Self {
        Self { most_growth_percent: 25.0, most_shrink_percent: 10.0 }
    }
}

/// Judges a list that was read against the one of the same publication that is held, if any.
///
/// `announced` is the whole space of the publisher, in order and aggregated, from elsewhere: it counts where the list says
/// nothing of it.
#[must_use]
pub fn judge(
    candidate: &FeedSnapshot,
    held: Option<&FeedSnapshot>,
    announced: &[Prefix],
    bounds: &Bounds,
    now: Timestamp,
) -> Judgement {
    let refused: Vec<Doubt> =
        [unannounced(candidate, announced), future(candidate, now), held.and_then(|held| older(candidate, held))]
            .into_iter()
            .flatten()
            .collect();
    if !refused.is_empty() {
        return Judgement::Refused(refused);
    }
    let change = held.map(|held| (held, diff(held, candidate)));
    if change.as_ref().is_some_and(|(held, change)| change.is_empty() && candidate.origin_facing == held.origin_facing)
    {
        return Judgement::Unchanged;
    }
    let mut doubts: Vec<Doubt> = count(candidate).into_iter().collect();
    match &change {
        Some((held, change)) => {
            doubts.extend(unmarked(candidate, held, change));
            doubts.extend([Family::V4, Family::V6].into_iter().flat_map(|family| steps(held, change, family, bounds)));
        }
        None => doubts.extend(lacking(candidate, bounds)),
    }
    if doubts.is_empty() { Judgement::Accepted } else { Judgement::Held(doubts) }
}

fn unannounced(candidate: &FeedSnapshot, elsewhere: &[Prefix]) -> Option<Doubt> {
    let announced = if candidate.announced.is_empty() { elsewhere } else { &candidate.announced };
    if announced.is_empty() {
        return None;
    }
    // In order and aggregated, what holds a prefix whole is one entry, and the last that begins no later.
    let holds = |prefix: Prefix| {
        let behind = announced.partition_point(|block| *block <= prefix);
        behind > 0 && announced[behind - 1].covers(prefix)
    };
    let mut outside = candidate.ranges.iter().map(|range| range.prefix).filter(|prefix| !holds(*prefix));
    let prefix = outside.next()?;
    Some(Doubt::Unannounced { prefix, count: 1 + outside.count() })
}

fn future(candidate: &FeedSnapshot, now: Timestamp) -> Option<Doubt> {
    let published = candidate.published()?;
    (published > now.saturating_add(CLOCKS_DIFFER).ok()?).then_some(Doubt::FromTheFuture { published })
}

fn older(candidate: &FeedSnapshot, held: &FeedSnapshot) -> Option<Doubt> {
    let older = |this: &str, held: &str| Doubt::Older { serial: this.to_owned(), held: held.to_owned() };
    if let (Some(serial), Some(known)) = (candidate.serial.as_deref(), held.serial.as_deref()) {
        let number = |text: &str| text.parse::<u128>().ok();
        return (number(serial)? < number(known)?).then(|| older(serial, known));
    }
    // The list that has no serial is dated by its server.
    let (date, known) = (candidate.date?, held.date?);
    (date < known).then(|| older(&date.to_string(), &known.to_string()))
}

fn count(candidate: &FeedSnapshot) -> Option<Doubt> {
    match candidate.ranges.len() {
        few if few < FEWEST_RANGES => Some(Doubt::FewRanges(few)),
        many if many > MOST_RANGES => Some(Doubt::ManyRanges(many)),
        _ => None,
    }
}

/// Other ranges without a newer serial.
fn unmarked(candidate: &FeedSnapshot, held: &FeedSnapshot, change: &FeedDiff) -> Option<Doubt> {
    match (&candidate.serial, &held.serial) {
        (None, Some(_)) => Some(Doubt::NoSerial),
        (Some(new), Some(old)) if new == old && !change.is_empty() => Some(Doubt::SameSerial(new.clone())),
        _ => None,
    }
}

fn steps(held: &FeedSnapshot, change: &FeedDiff, family: Family, bounds: &Bounds) -> Vec<Doubt> {
    let addresses = held.addresses().addresses(family);
    let ranges = held.ranges.iter().filter(|range| range.prefix.family() == family).count();
    let removed = [List::Global, List::RegionalEdge].map(|list| change.counts(list, family).1).iter().sum::<usize>();
    let step = |part: f64, whole: f64, bound: f64| {
        let percent = 100.0 * part / whole;
        // A family that was not there has nothing to grow from.
        (whole > 0.0 && percent > bound).then_some(Step { family, percent, bound })
    };
    let (gained, lost) = (change.gained.addresses(family) as f64, change.lost.addresses(family) as f64);
    let grew = step(gained, addresses as f64, bounds.most_growth_percent).map(Doubt::Grew);
    let shrank = step(lost, addresses as f64, bounds.most_shrink_percent).map(Doubt::Shrank);
    let fewer = step(removed as f64, ranges as f64, bounds.most_shrink_percent).filter(|_| lost > 0.0);
    [grew, shrank, fewer.map(Doubt::LostRanges)].into_iter().flatten().collect()
}

/// The first list is held against the documented one: since January 2021 it has lost 0.1 % of its addresses.
fn lacking(candidate: &FeedSnapshot, bounds: &Bounds) -> Option<Doubt> {
    let documented = FeedSnapshot::documented();
    let lost = diff(&documented, candidate).lost.addresses(Family::V4);
    let percent = 100.0 * lost as f64 / documented.addresses().addresses(Family::V4) as f64;
    let bound = bounds.most_shrink_percent;
    (percent > bound).then_some(Doubt::LacksDocumented(Step { family: Family::V4, percent, bound }))
}

impl fmt::Display for Doubt {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Older { serial, held } => {
                write!(f, "it is older ({}) than the list that is held ({held})", printable(serial, 40))
            }
            Self::FromTheFuture { published } => {
                write!(f, "it says that it was published at {published}, which is later than now by this host's clock")
            }
            Self::Unannounced { prefix, count } => {
                write!(f, "{count} of its ranges, {prefix} first, lie outside the space that their publisher announces")
            }
            Self::NoSerial => f.write_str("it has no serial, and the list that is held has one"),
            Self::SameSerial(serial) => {
                write!(f, "it has the serial of the list that is held ({}) and other ranges", printable(serial, 40))
            }
            Self::FewRanges(count) => {
                write!(f, "it has {count} ranges, and no list of the last years had fewer than 58")
            }
            Self::ManyRanges(count) => write!(f, "it has {count} ranges, and August 2026 had 243"),
            Self::Grew(step) => write!(f, "it has {step} more addresses at once"),
            Self::Shrank(step) => write!(f, "it has {step} fewer addresses at once"),
            Self::LostRanges(step) => write!(f, "it lacks {step} of the ranges at once"),
            Self::LacksDocumented(step) => write!(f, "it lacks {step} of the documented list's addresses"),
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:.1} % (IPv{}, bound {} %)", self.percent, self.family.number(), self.bound)
    }
}

impl FeedSnapshot {
    /// When it was published; of AWS's list the serial is the time.
    #[must_use]
    pub fn published(&self) -> Option<Timestamp> {
        let serial = self.serial.as_ref().filter(|_| self.source == Source::IpRanges);
        match serial.and_then(|serial| Timestamp::from_second(serial.parse().ok()?).ok()) {
            Some(published) => Some(published),
            None => Some(self.date?.to_zoned(jiff::tz::TimeZone::UTC).ok()?.timestamp()),
        }
    }
}

#[cfg(test)]
mod tests;
