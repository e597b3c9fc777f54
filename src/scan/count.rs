//! What an outcome adds to the tree of its range.

use std::collections::BTreeSet;
use std::net::IpAddr;

use super::model::Counts;
use super::tree::RangeTree;
use crate::observe::{Failure, Outcome};
use crate::prefix::Prefix;

/// What the silence of an address is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SilentAs {
    /// It answered before.
    Known,
    /// The first of its /24 block.
    First,
    /// A further one of its block: no evidence where blocks may be dark.
    Repeat,
}

impl SilentAs {
    /// Notes the block in which an unknown address was silent.
    pub(crate) fn of(address: IpAddr, known: bool, silent_blocks: &mut BTreeSet<Prefix>) -> Self {
        match known {
            true => Self::Known,
            false if silent_blocks.insert(block(address)) => Self::First,
            false => Self::Repeat,
        }
    }

    pub(crate) fn counts(self) -> Counts {
        match self {
            Self::Known => Counts { known_silences: 1.0, ..Counts::default() },
            Self::First => Counts { silences: 1.0, ..Counts::default() },
            Self::Repeat => Counts { repeats: 1.0, ..Counts::default() },
        }
    }
}

/// The /24 that holds an IPv4 address: servers are put up by the block.
pub(crate) fn block(address: IpAddr) -> Prefix {
    Prefix::containing(address, if address.is_ipv4() { 24 } else { 64 })
}

/// What a range teaches about the others: nothing while it is silent as a whole. Of addresses known to answer, only
/// those in answering cells count; the silent cells are what is to be judged.
pub(crate) fn lesson(tree: &RangeTree) -> Option<Counts> {
    let total = tree.total();
    let known_silences = || tree.leaves().into_iter().map(|(leaf, _)| gone(tree.counts(leaf))).sum();
    total.answered().then(|| Counts { known_silences: known_silences(), ..*total })
}

/// Silences of known addresses in a cell in which a known address answered.
pub(crate) fn gone(cell: &Counts) -> f64 {
    if cell.known_answers > 0.0 { cell.known_silences } else { 0.0 }
}

/// What an outcome adds to the tree; none for those that say nothing about the range.
#[must_use]
pub(crate) fn counts_of(outcome: &Outcome, known: bool, prohibits: bool) -> Option<Counts> {
    let mut counts = Counts::default();
    let field = match outcome {
        Ok(_) if known => &mut counts.known_answers,
        Ok(_) => &mut counts.answers,
        Err(Failure::NoAnswer) if known => &mut counts.known_silences,
        Err(Failure::NoAnswer) => &mut counts.silences,
        Err(Failure::Unreachable(_) | Failure::Reset | Failure::TimeExceeded(_)) if prohibits => {
            &mut counts.prohibitions
        }
        Err(Failure::RejectedHere(_)) => &mut counts.prohibitions,
        Err(Failure::Unreachable(icmp)) if icmp.prohibits() => &mut counts.prohibitions,
        Err(Failure::Unreachable(_) | Failure::Reset | Failure::TimeExceeded(_)) => &mut counts.rejections,
        Err(
            Failure::ControlsSilent
            | Failure::NoRoute
            | Failure::LocalLimit(_)
            | Failure::TlsUnknownIssuer { .. }
            | Failure::TlsInvalidCertificate(_)
            | Failure::TlsBroken
            | Failure::TlsNoAnswer
            | Failure::Dns(_)
            | Failure::Proxy(_)
            | Failure::Http(_)
            | Failure::Transfer(_)
            | Failure::IdleCut
            | Failure::QuicNoAnswer
            | Failure::Unknown(_),
        ) => return None,
    };
    *field = 1.0;
    Some(counts)
}
