//! The endpoints in the report.

use serde::Serialize;

use super::rounded;
use crate::endpoint::{Detail, Direction, EndpointRun, Step, Variant};
use crate::observe::Operation;
use crate::prefix::Family;
use crate::verdict::{EndpointVerdict, Layer, Mechanism, Offender, Verdict};

/// What is said of one endpoint over one path.
#[derive(Clone, Debug, Serialize)]
pub(super) struct EndpointReport {
    pub(super) name: String,
    pub(super) direction: Direction,
    pub(super) url: String,
    pub(super) path: &'static str,
    /// The proxy, by host and port.
    proxy: Option<String>,
    pub(super) verdict: Verdict,
    pub(super) layer: Option<Layer>,
    pub(super) mechanism: Option<Mechanism>,
    pub(super) reason: String,
    pub(super) offender: Option<Offender>,
    observations: Vec<ObservationReport>,
}

#[derive(Clone, Debug, Serialize)]
struct ObservationReport {
    operation: Operation,
    variant: Variant,
    address: Option<String>,
    family: Option<u8>,
    started_seconds: f64,
    seconds: f64,
    failure: Option<String>,
    detail: Detail,
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
