//! The endpoints in the report.

use serde::Serialize;

use super::rounded;
use crate::endpoint::{Detail, Direction, EndpointRun, Step, Variant};
use crate::observe::Operation;
use crate::prefix::Family;
use crate::verdict::{EndpointVerdict, Layer, Mechanism, Offender, Verdict};

/// What is said of one endpoint over one path.
#[derive(Clone, Debug, Serialize)]
pub struct EndpointReport {
    /// Its name.
    pub name: String,
    /// Which way files go.
    pub direction: Direction,
    /// What is asked, without secrets.
    pub url: String,
    /// `direct` or `proxy`.
    pub path: &'static str,
    /// The proxy, by host and port.
    pub proxy: Option<String>,
    /// What is said of it.
    pub verdict: Verdict,
    /// The layer that fails.
    pub layer: Option<Layer>,
    /// How it fails.
    pub mechanism: Option<Mechanism>,
    /// Why this is said.
    pub reason: String,
    /// Who blocks.
    pub offender: Option<Offender>,
    /// What was done, in order.
    pub observations: Vec<ObservationReport>,
}

/// One operation on one address.
#[derive(Clone, Debug, Serialize)]
pub struct ObservationReport {
    /// What was done.
    pub operation: Operation,
    /// How it differs from what a client does.
    pub variant: Variant,
    /// To whom.
    pub address: Option<String>,
    /// 4 or 6.
    pub family: Option<u8>,
    /// When it began, counted from the start of the run.
    pub started_seconds: f64,
    /// How long it took.
    pub seconds: f64,
    /// What is wrong with it.
    pub failure: Option<String>,
    /// What was seen.
    pub detail: Detail,
}

impl EndpointReport {
    pub(super) fn of(run: &EndpointRun, verdict: &EndpointVerdict) -> Self {
        let proxy = match &run.path {
            crate::endpoint::Path::Direct => None,
            crate::endpoint::Path::Proxy(proxy) => Some(proxy.clone()),
        };
        Self {
            name: run.endpoint.name.clone(),
            direction: run.endpoint.direction,
            url: run.endpoint.url.shown().to_owned(),
            path: run.path.name(),
            proxy,
            verdict: verdict.verdict,
            layer: verdict.layer,
            mechanism: verdict.mechanism,
            reason: verdict.reason.clone(),
            offender: run.offender,
            observations: run.steps.iter().map(ObservationReport::of).collect(),
        }
    }
}

impl ObservationReport {
    fn of(step: &Step) -> Self {
        let family = step.address.map(|address| match Family::of(address.ip()) {
            Family::V4 => 4,
            Family::V6 => 6,
        });
        Self {
            operation: step.operation,
            variant: step.variant,
            address: step.address.map(|address| address.to_string()),
            family,
            started_seconds: rounded(step.started),
            seconds: rounded(step.took),
            failure: step.failure.as_ref().map(|failure| failure.name().to_owned()),
            detail: step.detail.clone(),
        }
    }
}
