//! What is known becomes a report, changes become transitions, and both become something to be remembered.

use jiff::Timestamp;
use serde_json::{Value, json};

use super::setup::Setup;
use super::{Changed, Current, Watch};
use crate::endpoint::{EndpointRun, Variant};
use crate::job::{EndpointsSeen, kernel_limits};
use crate::media::send::{Purpose, SendRun, Trial};
use crate::observe::Operation;
use crate::report::{Format, Report, Run, Style};
use crate::store::history::{self, EndpointResult, MediaResult, Phases, SubjectKind};
use crate::verdict::{self, EndpointVerdict, Outline, Subject, Transition, Verdict};

/// The report of everything that is held; none before there is a verdict on everything.
pub(super) fn current(watch: &Watch, media: &[SendRun], setup: &Setup, now: Timestamp) -> Option<Current> {
    if !watch.is_ready(!setup.config.endpoints.is_empty()) {
        return None;
    }
    let (plan, evidence) = watch.ranges()?;
    let feeds = &setup.feeds.feeds;
    let report = Report::judged(
        &Run {
            site: &setup.site,
            started: now,
            plan,
            evidence,
            feed: &feeds.newest,
            held: &feeds.older,
            baseline: None,
            endpoints: watch.runs(),
            context: &watch.context(),
            media,
            limits: kernel_limits().into_iter().collect(),
        },
        &watch.judged(),
    );
    let json = report.write(Format::Json, Style { colour: false, all: false });
    Some(Current { report, json, finished: now })
}

/// A change with its reason, as the report has it.
pub(super) fn transition(changed: &Changed, watch: &Watch, report: Option<&Report>, at: Timestamp) -> Transition {
    // Before the first report the endpoints alone may be known.
    let known = || watch.endpoint_reason(&changed.subject);
    let reason = report.and_then(|report| reason(&changed.subject, report)).or_else(known).unwrap_or_default();
    let change = changed.change;
    Transition {
        at,
        subject: changed.subject.clone(),
        before: change.before,
        after: change.after,
        reason,
        held_back: change.held_back,
    }
}

fn reason(subject: &Subject, report: &Report) -> Option<String> {
    match subject {
        Subject::Range(prefix) => {
            report.ranges().iter().find(|range| range.prefix == *prefix).map(|range| range.reason.clone())
        }
        Subject::Endpoint { name, path } => {
            let endpoint = report.endpoints().iter().find(|endpoint| endpoint.name == *name && endpoint.path == *path);
            endpoint.map(|endpoint| endpoint.reason.clone())
        }
    }
}

/// A transition as the history has it, with what it rests on.
pub(super) fn remembered(transition: &Transition, report: Option<&Report>) -> history::Transition {
    let Transition { at, subject, before, after, .. } = transition;
    let kind = match subject {
        Subject::Range(_) => SubjectKind::Range,
        Subject::Endpoint { .. } => SubjectKind::Endpoint,
    };
    history::Transition {
        at: *at,
        kind,
        subject: subject_name(subject),
        before: before.map(|before| before.verdict.name().to_owned()),
        after: after.verdict.name().to_owned(),
        layer: after.layer.map(|layer| layer.name().to_owned()),
        mechanism: after.mechanism.map(|mechanism| mechanism.name().to_owned()),
        failing: after.verdict.accuses(),
        evidence: report.map_or(Value::Null, |report| evidence(subject, report)),
    }
}

fn evidence(subject: &Subject, report: &Report) -> Value {
    let value = match subject {
        Subject::Range(prefix) => serde_json::to_value(report.ranges().iter().find(|range| range.prefix == *prefix)),
        Subject::Endpoint { name, path } => {
            let of = report.endpoints().iter().find(|endpoint| endpoint.name == *name && endpoint.path == *path);
            serde_json::to_value(of)
        }
    };
    value.expect("a report has no map with keys other than text")
}

fn subject_name(subject: &Subject) -> String {
    match subject {
        Subject::Range(prefix) => prefix.to_string(),
        Subject::Endpoint { name, .. } => name.clone(),
    }
}

/// A change in a line of the journal.
pub(super) fn line(transition: &Transition) -> String {
    let Transition { subject, before, after, reason, .. } = transition;
    let subject = match subject {
        Subject::Range(prefix) => format!("range {prefix}"),
        Subject::Endpoint { name, path } => format!("endpoint {name} ({path})"),
    };
    let before = before.map_or_else(|| "not known".to_owned(), outlined);
    format!("{subject}: {} (before: {before}): {reason}", outlined(*after))
}

fn outlined(outline: Outline) -> String {
    let mut text = outline.verdict.name().to_owned();
    if let Some(mechanism) = outline.mechanism {
        text = format!("{text}, {}", mechanism.name());
    }
    if let Some(layer) = outline.layer {
        text = format!("{text} at {}", layer.name());
    }
    text
}

/// What became of each kind of file that was sent.
pub(super) fn media(runs: &[SendRun], at: Timestamp) -> Vec<MediaResult> {
    let of_run = |run: &SendRun| {
        let result = |trial: &Trial| MediaResult {
            at,
            endpoint: run.target.name.clone(),
            kind: trial.shape.declared.name().to_owned(),
            verdict: if trial.passed() { "passed" } else { "failed" }.to_owned(),
            failing: !trial.passed(),
            seconds: Some(trial.took.as_secs_f64()),
            detail: json!({ "path": run.path.name(), "bytes": trial.shape.bytes, "status": trial.status }),
        };
        run.of(Purpose::Kind).map(result).collect::<Vec<_>>()
    };
    runs.iter().flat_map(of_run).collect()
}

/// What one check found of the endpoints, before anything is confirmed.
pub(super) fn results(seen: &EndpointsSeen, at: Timestamp) -> Vec<EndpointResult> {
    let verdicts = verdict::endpoints(&seen.runs, &seen.context);
    seen.runs.iter().zip(&verdicts).map(|(run, verdict)| result(run, verdict, at)).collect()
}

fn result(run: &EndpointRun, verdict: &EndpointVerdict, at: Timestamp) -> EndpointResult {
    let took = |operation| {
        let plain = |step: &&crate::endpoint::Step| step.operation == operation && step.variant == Variant::Plain;
        run.steps.iter().find(plain).map(|step| step.took.as_secs_f64())
    };
    EndpointResult {
        at,
        endpoint: run.endpoint.name.clone(),
        direction: run.endpoint.direction.name().to_owned(),
        path: run.path.name().to_owned(),
        verdict: verdict.verdict.name().to_owned(),
        layer: verdict.layer.map(|layer| layer.name().to_owned()),
        mechanism: verdict.mechanism.map(|mechanism| mechanism.name().to_owned()),
        reason: Some(verdict.reason.clone()),
        failing: verdict.verdict.accuses(),
        seconds: Phases {
            dns: took(Operation::Resolve),
            connect: took(Operation::Connect),
            tls: took(Operation::TlsHandshake),
            http: took(Operation::HttpRoundTrip),
            transfer: took(Operation::Transfer),
        },
    }
}

/// How things are, in one line for `systemctl status`.
pub(super) fn status(
    watch: &Watch,
    current: Option<&Current>,
    reload_error: Option<&str>,
    trouble: Option<&str>,
) -> String {
    let mut parts = Vec::new();
    match current {
        None => parts.push("no result yet".to_owned()),
        Some(current) => {
            let ranges = |wanted: fn(Verdict) -> bool| {
                current.report.ranges().iter().filter(|range| wanted(range.verdict)).count()
            };
            let endpoints = current.report.endpoints();
            let well = endpoints.iter().filter(|endpoint| endpoint.verdict == Verdict::Open).count();
            parts.push(format!(
                "ranges: {} open, {} blocked; endpoints: {well} of {} open",
                ranges(|verdict| verdict == Verdict::Open),
                ranges(Verdict::accuses),
                endpoints.len()
            ));
        }
    }
    parts.extend(watch.paused().map(|pause| format!("nothing is judged: {}", pause.name())));
    parts.extend(reload_error.map(|error| format!("configuration refused, the old one is in force: {error}")));
    parts.extend(trouble.map(|trouble| format!("not kept: {trouble}")));
    parts.join("; ")
}
