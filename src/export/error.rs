//! Why no rules were written, and the ways out.

use super::{Limit, RuleFormat};
use crate::fit::FitError;
use crate::prefix::Family;
use crate::text::grouped;

/// Why rules were not written. Nothing weaker is ever written instead.
#[derive(Clone, Debug, PartialEq, thiserror::Error)]
pub enum ExportError {
    /// Many devices take an empty list for "any".
    #[error("nothing is left to be allowed, and an empty list means \"any\" to some devices")]
    Empty,
    /// The device has no IPv6 here.
    #[error("{format} takes IPv4 alone, and {count} of the entries are IPv6")]
    NoIpv6 {
        /// The format.
        format: RuleFormat,
        /// How many it cannot express.
        count: usize,
    },
    /// The device takes addresses alone.
    #[error("{format} takes no host names, and `{host}` is one")]
    NoHosts {
        /// The format.
        format: RuleFormat,
        /// The first of them.
        host: String,
    },
    /// Host names are no part of what a device held before.
    #[error("host names go with a whole list, and not with a change of it")]
    HostsInChange,
    /// The format is a whole list.
    #[error("{0} replaces the whole list: it has no form for a change or its rollback")]
    NoChange(RuleFormat),
    /// There are more entries than the device takes.
    #[error(
        "{}{} entries are too many for one {}, which takes {} ({})",
        grouped(*.entries as u128), of_family(*.family), limit.of, grouped(limit.entries as u128), limit.source
    )]
    OverLimit {
        /// The format.
        format: RuleFormat,
        /// Which family, where each has an object of its own.
        family: Option<Family>,
        /// How many there are.
        entries: usize,
        /// How many it takes.
        limit: Limit,
    },
    /// No fewer entries hold the list within the bounds that were set.
    #[error(transparent)]
    Fit(#[from] FitError),
    /// The list is held in several objects, before or after.
    #[error("a change does not say in which of several objects of {0} an entry is")]
    ChangeOfSplit(RuleFormat),
    /// The device has one list and cannot hold several.
    #[error("{0} has no form for several objects")]
    NoSplit(RuleFormat),
}

impl ExportError {
    /// What can be done.
    #[must_use]
    pub fn hint(&self) -> Option<String> {
        Some(match self {
            Self::Empty | Self::HostsInChange => return None,
            Self::Fit(_) => {
                "--max-entries and --max-extra set the bounds; --on-overflow split, where the device takes several objects, opens nothing".to_owned()
            }
            Self::NoIpv6 { .. } => "--family 4 exports the IPv4 entries alone".to_owned(),
            Self::NoHosts { .. } => {
                "give the addresses that it has, or `egressd export --list-formats` to see who takes names".to_owned()
            }
            Self::NoChange(_) | Self::NoSplit(_) => "`egressd export --list-formats` shows which formats do".to_owned(),
            Self::ChangeOfSplit(_) => "export the whole list, or --max-entries N if yours takes more".to_owned(),
            Self::OverLimit { format, .. } => over_limit(*format),
        })
    }
}

fn over_limit(format: RuleFormat) -> String {
    let capability = format.capability();
    let split = capability.splits.then_some("--on-overflow split makes several objects");
    let cover = "--on-overflow cover --max-extra PERCENT opens more than the list";
    let raise = "--max-entries N if yours takes more";
    split.into_iter().chain([cover, raise]).collect::<Vec<_>>().join("; ")
}

fn of_family(family: Option<Family>) -> String {
    family.map_or_else(String::new, |family| format!(" IPv{}", family.number()))
}
