//! An event as the receiver reads it: schema `egressd.event/1`.

use std::sync::Arc;

use serde::Serialize;
use serde_json::json;
use sha2::{Digest, Sha256};

use crate::diagnose::Diagnosis;
use crate::report::Report;
use crate::text::hexadecimal;
use crate::verdict::Transition;

/// Changes that came together, with what is known of their causes, ready to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Event {
    /// The same for every try to deliver it.
    pub id: String,
    /// The JSON document.
    pub body: String,
}

/// A cause in few words; the report has the rest.
#[derive(Serialize)]
struct Found<'a> {
    id: &'static str,
    severity: &'static str,
    owner: &'static str,
    title: &'a str,
    fix: &'a str,
}

impl Event {
    /// More changes than the list has ranges are several events.
    pub const MOST_CHANGES: usize = 500;

    /// Of these changes, at least one; the report is the one that they led to.
    #[must_use]
    pub fn new(changes: &[Arc<Transition>], report: Option<&Report>) -> Self {
        let changes: Vec<&Transition> = changes.iter().map(AsRef::as_ref).collect();
        let written = serde_json::to_vec(&changes).expect("a change holds nothing that JSON cannot");
        let id = hexadecimal(&Sha256::digest(written)[..16]);
        let diagnoses: Vec<Found<'_>> = report.iter().flat_map(|report| report.diagnoses()).map(Found::of).collect();
        let body = json!({
            "schema": "egressd.event/1",
            "id": id,
            "site": report.map(Report::site),
            "at": changes.last().map(|change| change.at.to_string()),
            "changes": changes,
            "diagnoses": diagnoses,
        });
        Self { id, body: body.to_string() }
    }
}

impl<'a> Found<'a> {
    fn of(diagnosis: &'a Diagnosis) -> Self {
        Self {
            id: diagnosis.id.name(),
            severity: diagnosis.severity.name(),
            owner: diagnosis.owner.name(),
            title: &diagnosis.title,
            fix: &diagnosis.fix,
        }
    }
}
