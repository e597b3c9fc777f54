//! Changes of a verdict, as they are announced and remembered.

use jiff::Timestamp;
use serde::Serialize;

use super::{Layer, Mechanism, Verdict};
use crate::prefix::Prefix;

/// What a verdict is about.
#[derive(Clone, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Subject {
    /// A listed range.
    Range(Prefix),
    /// An endpoint over one path.
    Endpoint {
        /// Its name.
        name: String,
        /// `direct` or `proxy`.
        path: &'static str,
    },
}

/// What a verdict comes to, without the evidence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
pub struct Outline {
    /// The verdict.
    pub verdict: Verdict,
    /// How it fails.
    pub mechanism: Option<Mechanism>,
    /// The layer of an endpoint that fails.
    pub layer: Option<Layer>,
}

/// A change of a verdict that fresh probes have confirmed.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct Transition {
    /// When.
    #[serde(serialize_with = "timestamp")]
    pub at: Timestamp,
    /// Of what.
    pub subject: Subject,
    /// What was said before; none: it was not known.
    pub before: Option<Outline>,
    /// What is said now.
    pub after: Outline,
    /// Why it is said.
    pub reason: String,
    /// Why it is kept from being announced; none: it is announced.
    pub held_back: Option<HeldBack>,
}

/// Why a change is not announced.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum HeldBack {
    /// A maintenance window is open.
    Maintenance,
    /// Nothing was blocked before, and nothing is now.
    Harmless,
}

fn timestamp<S: serde::Serializer>(at: &Timestamp, serializer: S) -> Result<S::Ok, S::Error> {
    serializer.collect_str(at)
}
