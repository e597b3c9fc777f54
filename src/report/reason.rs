//! Why a verdict is what it is, in a sentence.

use crate::baseline::Baseline;
use crate::text::counted;
use crate::verdict::{RangeVerdict, Reason};

pub(super) fn sentence(verdict: &RangeVerdict, baseline: Option<&Baseline>) -> String {
    let asked = counted(verdict.probes as usize, "address", "addresses");
    match &verdict.reason {
        Reason::Answered => format!("{} of {asked} answered", verdict.answered),
        Reason::Authenticated => {
            format!("{} of {asked} answered, {} with a valid certificate", verdict.answered, verdict.authenticated)
        }
        Reason::SilentAgainstShare(share) => {
            let share = share * 100.0;
            format!("no baseline: all of {asked} silent where {share:.0} % answer in the other ranges of this run")
        }
        Reason::KnownAddressesSilent => {
            let last = baseline.and_then(|baseline| baseline.last_answer(verdict.range.prefix));
            let when = last.map_or_else(|| "before".to_owned(), |date| format!("on {date}"));
            format!("addresses that answered {when} are silent ({asked} asked)")
        }
        Reason::AllSilent => "no range answers at all, though controls outside do".to_owned(),
        Reason::Rejected => format!("somebody before the server rejects connections ({asked} asked)"),
        Reason::ForeignCertificate { issuer } => format!("shows a certificate issued by \"{issuer}\""),
        Reason::NotAuthenticated(failure) => format!("accepts connections, but no server proved itself: {failure}"),
        Reason::TooFew => format!(
            "too few addresses to tell: {:.1} nats of the {:.1} that an error rate of {:e} needs; a baseline would settle it",
            verdict.confidence.nats.max(0.0),
            needed(verdict.confidence.alpha),
            verdict.confidence.alpha
        ),
        Reason::ShareTooSmall => {
            "silent, but too few addresses answer anywhere in this run to expect an answer; a baseline would settle it"
                .to_owned()
        }
        Reason::DarkParts => {
            "parts are silent while others answer: dark or blocked, which a baseline would settle".to_owned()
        }
        Reason::NothingAnswers => "nothing answers anywhere: the uplink is down, or everything is blocked".to_owned(),
        Reason::AnsweredForEveryone => "something on the way answers for every address".to_owned(),
        Reason::Ipv6Silent => "no IPv6 address answers from here, in the ranges or outside them".to_owned(),
        Reason::NotEnumerable => {
            "IPv6 cannot be searched, and no address is known here; a baseline would settle it".to_owned()
        }
        Reason::NoRoute => "this host has no route to it".to_owned(),
        Reason::NotFinished => "the check ended before it was settled".to_owned(),
        Reason::NotViewerFacing => "silent, as expected: no viewer is sent there".to_owned(),
    }
}

/// What has to be reached from the prior of one blocked range in ten.
pub(super) fn needed(alpha: f64) -> f64 {
    9.0_f64.ln() - alpha.ln()
}
