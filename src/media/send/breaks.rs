//! What breaks uploads, derived from what was seen: size, type, inspection, time, method, framing, path.

use std::collections::BTreeMap;
use std::time::Duration;

use super::factors::{Factor, factors};
use super::{Purpose, SendRun, Trial};
use crate::media::generate::SampleKind;
use crate::media::ladder::Found;
use crate::observe::{Failure, HttpFailure, TransferFailure};
use crate::verdict::Verdict;

/// One thing that breaks uploads.
#[derive(Clone, Debug, PartialEq)]
pub enum Break {
    /// Nothing passes.
    Everything(Refusal),
    /// What is larger than this does not.
    Size(Found),
    /// Some kinds do not.
    Kinds {
        /// Which.
        kinds: Vec<SampleKind>,
        /// By what they are told; empty where that could not be found out.
        by: Vec<Factor>,
        /// How they are refused.
        refusal: Refusal,
    },
    /// What is sent does not come back.
    NotReceived {
        /// Which kinds.
        kinds: Vec<SampleKind>,
        /// Of which size.
        bytes: u64,
        /// How.
        refusal: Refusal,
    },
    /// What comes back is not what was sent.
    Changed(Vec<SampleKind>),
    /// What comes back has another type.
    Retyped {
        /// Which kinds.
        kinds: Vec<SampleKind>,
        /// The type of the first.
        seen: String,
    },
    /// What takes long is cut.
    Slow {
        /// After so long.
        after: Duration,
        /// How.
        refusal: Refusal,
    },
    /// `Expect: 100-continue` is not handled.
    Expect(Refusal),
    /// A body without a length is refused.
    Chunked(Refusal),
    /// Segments larger than this vanish.
    Segments(u32),
}

/// How something is refused.
#[derive(Clone, Debug, PartialEq)]
pub struct Refusal {
    /// What was seen.
    pub failure: Failure,
    /// The status of the answer.
    pub status: Option<u16>,
    /// The product whose page came.
    pub product: Option<String>,
}

impl Refusal {
    fn of(trial: &Trial) -> Option<Self> {
        let failure = trial.failure()?.clone();
        let back = || trial.received.as_ref().and_then(|received| received.status);
        let status = if trial.failure.is_some() { trial.status } else { back() };
        Some(Self { failure, status, product: trial.product.clone() })
    }
}

/// What breaks uploads in this run, the gravest first.
#[must_use]
pub fn breaks(run: &SendRun) -> Vec<Break> {
    if let Some(largest) = run.segment_bytes {
        return vec![Break::Segments(largest)];
    }
    let kinds: Vec<&Trial> = run.of(Purpose::Kind).collect();
    if kinds.iter().all(|trial| trial.failure.is_some()) {
        let refusal = kinds.first().filter(|trial| trial.is_refused()).and_then(|trial| Refusal::of(trial));
        return refusal.map(Break::Everything).into_iter().collect();
    }
    let mut breaks = Vec::new();
    breaks.extend(run.size.filter(|found| found.refused_bytes.is_some()).map(Break::Size));
    breaks.extend(refused_kinds(run));
    breaks.extend(back(&kinds));
    if !breaks.iter().any(|one| matches!(one, Break::NotReceived { .. } | Break::Changed(_))) {
        let largest = run.of(Purpose::Largest).max_by_key(|trial| trial.shape.bytes);
        breaks.extend(back(largest.as_slice()));
    }
    breaks.extend(slow(run));
    let of = |purpose| run.of(purpose).filter(|trial| trial.is_refused()).find_map(Refusal::of);
    breaks.extend(of(Purpose::Expect).map(Break::Expect));
    breaks.extend(of(Purpose::Chunked).map(Break::Chunked));
    breaks
}

impl SendRun {
    /// Whether media arrive.
    #[must_use]
    pub fn verdict(&self) -> Verdict {
        let found = breaks(self);
        let matters = |one: &Break| !matches!(one, Break::Chunked(_) | Break::Retyped { .. });
        match () {
            () if found.iter().any(|one| matches!(one, Break::Everything(_))) => Verdict::Blocked,
            () if found.iter().any(matters) => Verdict::PartlyBlocked,
            () if self.of(Purpose::Kind).any(Trial::passed) => Verdict::Open,
            () => Verdict::Undetermined,
        }
    }
}

/// Kinds that are refused for the same reason stand together.
fn refused_kinds(run: &SendRun) -> Vec<Break> {
    let refused: Vec<&Trial> = run.of(Purpose::Kind).filter(|trial| trial.is_refused()).collect();
    let mut groups: BTreeMap<Vec<Factor>, (Vec<SampleKind>, Refusal)> = BTreeMap::new();
    // A kind for which there was no time to vary goes with what was found of others like it.
    let known = refused.iter().map(|trial| factors(run, trial.shape.content)).find(|by| !by.is_empty());
    for trial in refused {
        let Some(refusal) = Refusal::of(trial) else { continue };
        let own = factors(run, trial.shape.content);
        let by = if own.is_empty() { known.clone().unwrap_or_default() } else { own };
        groups.entry(by).or_insert_with(|| (Vec::new(), refusal)).0.push(trial.shape.content);
    }
    groups.into_iter().map(|(by, (kinds, refusal))| Break::Kinds { kinds, by, refusal }).collect()
}

/// What is wrong with what came back.
fn back(kinds: &[&Trial]) -> Vec<Break> {
    let arrived: Vec<&&Trial> =
        kinds.iter().filter(|trial| trial.failure.is_none() && trial.received.is_some()).collect();
    let failure = |trial: &Trial| trial.received.as_ref().and_then(|received| received.failure.clone());
    let changed = |failure: &Failure| {
        matches!(failure, Failure::Transfer(TransferFailure::Changed | TransferFailure::Truncated { .. }))
    };
    let of = |wanted: &dyn Fn(&Trial) -> bool| -> Vec<SampleKind> {
        arrived.iter().filter(|trial| wanted(trial)).map(|trial| trial.shape.content).collect()
    };
    let mut breaks = Vec::new();
    let missing = of(&|trial| failure(trial).is_some_and(|failure| !changed(&failure)));
    let first = arrived.iter().find(|trial| missing.contains(&trial.shape.content));
    if let Some((trial, refusal)) = first.and_then(|trial| Some((trial, Refusal::of(trial)?))) {
        breaks.push(Break::NotReceived { kinds: missing.clone(), bytes: trial.shape.bytes, refusal });
    }
    let other = of(&|trial| failure(trial).is_some_and(|failure| changed(&failure)));
    breaks.extend((!other.is_empty()).then_some(Break::Changed(other)));
    let retyped = |trial: &Trial| {
        trial.passed() && trial.received.as_ref().is_some_and(|received| received.is_retyped(trial.shape.declared))
    };
    let kinds = of(&retyped);
    let seen =
        arrived.iter().find(|trial| retyped(trial)).and_then(|trial| trial.received.as_ref()?.content_type.clone());
    breaks.extend(seen.map(|seen| Break::Retyped { kinds, seen }));
    breaks
}

/// A slow upload that fails where the same passes at once.
fn slow(run: &SendRun) -> Option<Break> {
    let trial = run.of(Purpose::Slow).find(|trial| trial.is_refused())?;
    Some(Break::Slow { after: trial.took, refusal: Refusal::of(trial)? })
}

impl Break {
    /// What breaks it, in one word for JSON.
    #[must_use]
    pub fn name(&self) -> &'static str {
        match self {
            Self::Everything(refusal) if refusal.is_of_method() => "method",
            Self::Everything(_) | Self::NotReceived { .. } | Self::Segments(_) => "path",
            Self::Size(_) => "size",
            Self::Kinds { by, .. } if by.contains(&Factor::Content) => "inspection",
            Self::Kinds { .. } | Self::Retyped { .. } => "type",
            Self::Changed(_) => "inspection",
            Self::Slow { .. } => "time",
            Self::Expect(_) | Self::Chunked(_) => "method",
        }
    }
}

impl Refusal {
    /// Whether the method of the request is what is refused.
    #[must_use]
    pub fn is_of_method(&self) -> bool {
        matches!(self.status, Some(405 | 501))
    }

    /// Whether the request lacks a right, or its link has expired.
    #[must_use]
    pub fn is_of_right(&self) -> bool {
        matches!(self.status, Some(401 | 403)) && !self.is_page()
    }

    /// Whether a page that denies access came.
    #[must_use]
    pub fn is_page(&self) -> bool {
        self.failure == Failure::Http(HttpFailure::BlockPage) && !self.is_of_method()
    }

    /// In words, for the end of a sentence.
    #[must_use]
    pub fn words(&self) -> String {
        let by = self.product.as_ref().map_or_else(String::new, |product| format!(" ({product})"));
        match (&self.failure, self.status) {
            (Failure::Http(HttpFailure::BlockPage), Some(status)) => {
                format!("with a page that denies access, status {status}{by}")
            }
            (Failure::Http(HttpFailure::NoAnswer), _) => format!("without an answer{by}"),
            (Failure::Transfer(TransferFailure::Stalled(bytes)), _) => format!("by silence after {bytes} bytes{by}"),
            (Failure::Transfer(TransferFailure::Broken(bytes)), _) => {
                format!("by closing the connection after {bytes} bytes{by}")
            }
            (Failure::Http(HttpFailure::Broken), _) => format!("by closing the connection{by}"),
            (_, Some(status)) => format!("with status {status}{by}"),
            (failure, None) => format!("({failure}){by}"),
        }
    }
}
