//! Results, and the two things that can be asked for.

use std::path::Path;
use std::str::FromStr;
use std::sync::Arc;
use std::time::{Duration, Instant};

use axum::extract::rejection::QueryRejection;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use jiff::Timestamp;
use serde::Deserialize;
use serde_json::json;
use utoipa::IntoParams;

use super::Service;
use super::problem::Problem;
use super::representation::Representation;
use super::schema;
use crate::daemon::{Begun, CommandError, Current};
use crate::prefix::Family;
use crate::ranges::{FeedSnapshot, List};
use crate::report::RangeReport;
use crate::store::history::{self, HistoryError, HistoryReader};
use crate::verdict::Verdict;

/// An answer, or why there is none.
pub(super) type Answer = Result<Response, Problem>;

/// Which ranges are meant; all without it.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct RangesQuery {
    /// With this verdict alone.
    #[param(inline)]
    verdict: Option<schema::VerdictName>,
    /// Of this list alone.
    #[param(inline)]
    list: Option<schema::ListName>,
    /// Of this address family alone.
    #[param(inline)]
    family: Option<schema::FamilyName>,
}

/// What of the history is meant: without anything the newest changes of verdicts.
#[derive(Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, default)]
#[into_params(parameter_in = Query)]
pub(super) struct HistoryQuery {
    /// What is looked for.
    #[param(inline)]
    kind: schema::HistoryKind,
    /// Not before this time, in RFC 3339.
    #[param(format = DateTime)]
    since: Option<String>,
    /// Before this time, in RFC 3339.
    #[param(format = DateTime)]
    until: Option<String>,
    /// A prefix, the name of an endpoint, or a channel.
    #[param(max_length = 256)]
    subject: Option<String>,
    /// What is not well alone, or what is well alone.
    failing: Option<bool>,
    /// `next` of the page before.
    before: Option<i64>,
    /// The most entries.
    #[param(minimum = 1, maximum = 1000)]
    limit: Option<u16>,
}

/// No name of an endpoint or channel is longer.
const LONGEST_SUBJECT: usize = 256;
/// No result can be had sooner: a check of the endpoints takes seconds.
const FIRST_RESULT: Duration = Duration::from_secs(10);
/// A command waits for its turn; who hangs up is forgotten.
const COMMAND_WITHIN: Duration = Duration::from_secs(10);

/// The whole report, schema `egressd.report/1`.
#[utoipa::path(get, path = "/api/v1/report", tag = "results", responses(
    (status = 200, description = "The last report", body = schema::Report),
    (status = 304, description = "What the client has is still the same"),
    (status = 503, description = "There is no result yet", content_type = "application/problem+json", body = Problem),
))]
pub(super) async fn report(State(service): State<Arc<Service>>, headers: HeaderMap) -> Answer {
    let current = current(&service)?;
    Ok(service.report.of(&current).answer(&headers))
}

/// What is said of each listed range.
#[utoipa::path(get, path = "/api/v1/ranges", tag = "results", params(RangesQuery), responses(
    (status = 200, description = "In the order of the list", body = schema::Ranges),
    (status = 304, description = "What the client has is still the same"),
    (status = 400, description = "A parameter is not what it should be", content_type = "application/problem+json", body = Problem),
    (status = 503, description = "There is no result yet", content_type = "application/problem+json", body = Problem),
))]
pub(super) async fn ranges(
    State(service): State<Arc<Service>>,
    query: Result<Query<RangesQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Answer {
    let Query(query) = query.map_err(|rejection| malformed(&rejection))?;
    let current = current(&service)?;
    let ranges: Vec<&RangeReport> = current.report.ranges().iter().filter(|range| query.keeps(range)).collect();
    Ok(Representation::json(&json!({ "finished": current.finished, "ranges": ranges })).answer(&headers))
}

/// What is said of each endpoint over each path, with everything that was seen.
#[utoipa::path(get, path = "/api/v1/endpoints", tag = "results", responses(
    (status = 200, description = "In the order of the configuration", body = schema::Endpoints),
    (status = 304, description = "What the client has is still the same"),
    (status = 503, description = "There is no result yet", content_type = "application/problem+json", body = Problem),
))]
pub(super) async fn endpoints(State(service): State<Arc<Service>>, headers: HeaderMap) -> Answer {
    let current = current(&service)?;
    let endpoints = current.report.endpoints();
    Ok(Representation::json(&json!({ "finished": current.finished, "endpoints": endpoints })).answer(&headers))
}

/// The causes, each with its fix and whose job that is.
#[utoipa::path(get, path = "/api/v1/diagnoses", tag = "results", responses(
    (status = 200, description = "The gravest first", body = schema::Causes),
    (status = 304, description = "What the client has is still the same"),
    (status = 503, description = "There is no result yet", content_type = "application/problem+json", body = Problem),
))]
pub(super) async fn diagnoses(State(service): State<Arc<Service>>, headers: HeaderMap) -> Answer {
    let current = current(&service)?;
    let (diagnoses, limits) = (current.report.diagnoses(), current.report.limits());
    let body = json!({ "finished": current.finished, "diagnoses": diagnoses, "limits": limits });
    Ok(Representation::json(&body).answer(&headers))
}

/// The list in force, and which older ones are at hand.
#[utoipa::path(get, path = "/api/v1/feed", tag = "results", responses(
    (status = 200, description = "The list in force", body = schema::Feed),
    (status = 304, description = "What the client has is still the same"),
))]
pub(super) async fn feed(State(service): State<Arc<Service>>, headers: HeaderMap) -> Response {
    let feeds = Arc::clone(&service.view.newest().feeds);
    let older: Vec<_> = feeds.feeds.older.iter().map(edition).collect();
    let withdrawn: Vec<_> = feeds.withdrawn.iter().map(|missed| missed.range.prefix).collect();
    let body = json!({ "in_force": edition(&feeds.feeds.newest), "withdrawn": withdrawn, "older": older });
    Representation::json(&body).answer(&headers)
}

/// What the daemon is at: its schedule, and what holds it up.
#[utoipa::path(get, path = "/api/v1/status", tag = "results", responses(
    (status = 200, description = "The state", body = schema::Status),
))]
pub(super) async fn status(State(service): State<Arc<Service>>, headers: HeaderMap) -> Response {
    let snapshot = service.view.newest();
    let checks = snapshot.checks.iter().map(|(check, past)| {
        let state = json!({
            "last_success": past.last_success,
            "seconds": past.took.map(|took| took.as_secs_f64()),
            "succeeded": past.succeeded, "failed": past.failed, "late": past.late,
            "next": snapshot.next.get(check),
        });
        (check.name().to_owned(), state)
    });
    let body = json!({
        "version": env!("CARGO_PKG_VERSION"),
        "started": snapshot.started,
        "checks": checks.collect::<serde_json::Map<_, _>>(),
        "paused": snapshot.paused.map(crate::daemon::Pause::name),
        "maintenance": snapshot.maintenance,
        "flapping": snapshot.flapping,
        "reload_error": snapshot.reload_error,
        "trouble": snapshot.trouble,
    });
    Representation::json(&body).answer(&headers)
}

/// What was found earlier, newest first, a page at a time.
#[utoipa::path(get, path = "/api/v1/history", tag = "results", params(HistoryQuery), responses(
    (status = 200, description = "A page", body = schema::Page),
    (status = 304, description = "What the client has is still the same"),
    (status = 400, description = "A parameter is not what it should be", content_type = "application/problem+json", body = Problem),
    (status = 503, description = "No history is kept, or it cannot be read now", content_type = "application/problem+json", body = Problem),
))]
pub(super) async fn history(
    State(service): State<Arc<Service>>,
    query: Result<Query<HistoryQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Answer {
    let Query(query) = query.map_err(|rejection| malformed(&rejection))?;
    let asked = query.asked()?;
    let file = service.history.clone().ok_or_else(|| no_history("no history is kept: `state` is off"))?;
    let _one = service.reading.acquire().await.map_err(|_| no_history("the server is about to end"))?;
    let page = tokio::task::spawn_blocking(move || page(&file, query.kind, &asked)).await;
    let page = page.map_err(|_| no_history("the history cannot be read now"))?;
    Ok(page.map_err(|error| no_history(&error.to_string()))?.answer(&headers))
}

/// Has everything checked now that the configuration names; what is checked cannot be chosen.
#[utoipa::path(post, path = "/api/v1/check", tag = "commands", responses(
    (status = 202, description = "It begins, or one is under way", body = schema::Begun),
    (status = 403, description = "A page of another site asked", content_type = "application/problem+json", body = Problem),
    (status = 429, description = "Two at once, then one every half minute", content_type = "application/problem+json", body = Problem,
        headers(("Retry-After" = u32, description = "Seconds"))),
    (status = 503, description = "The daemon takes no commands now", content_type = "application/problem+json", body = Problem),
))]
pub(super) async fn check(State(service): State<Arc<Service>>) -> Answer {
    service.checks.take(Instant::now()).map_err(|wait| too_many(wait, "checks are politely far between"))?;
    let begun = commanded(service.commands.check()).await?;
    let begun = match begun {
        Begun::Now => "now",
        Begun::Already => "already",
    };
    Ok((StatusCode::ACCEPTED, axum::Json(json!({ "begun": begun }))).into_response())
}

/// Has the configuration read again; a wrong one is refused and the old one stays in force.
#[utoipa::path(post, path = "/api/v1/reload", tag = "commands", responses(
    (status = 200, description = "It is in force", body = schema::Reloaded),
    (status = 403, description = "A page of another site asked", content_type = "application/problem+json", body = Problem),
    (status = 422, description = "The configuration is wrong; the old one stays in force", content_type = "application/problem+json", body = Problem),
    (status = 429, description = "Four at once, then one every five seconds", content_type = "application/problem+json", body = Problem,
        headers(("Retry-After" = u32, description = "Seconds"))),
    (status = 503, description = "The daemon takes no commands now", content_type = "application/problem+json", body = Problem),
))]
pub(super) async fn reload(State(service): State<Arc<Service>>) -> Answer {
    service.reloads.take(Instant::now()).map_err(|wait| too_many(wait, "the configuration was read a moment ago"))?;
    commanded(service.commands.reload()).await?;
    Ok(axum::Json(json!({ "reloaded": true })).into_response())
}

impl RangesQuery {
    fn keeps(&self, range: &RangeReport) -> bool {
        self.verdict.is_none_or(|verdict| Verdict::from(verdict) == range.verdict)
            && self.list.is_none_or(|list| List::from(list) == range.list)
            && self.family.is_none_or(|family| Family::from(family) == range.prefix.family())
    }
}

impl HistoryQuery {
    fn asked(&self) -> Result<history::Query, Problem> {
        let limit = usize::from(self.limit.unwrap_or(100));
        if !(1..=history::Query::MOST).contains(&limit) {
            return Err(wrong("limit", "from 1 to 1000"));
        }
        if self.subject.as_ref().is_some_and(|subject| subject.chars().count() > LONGEST_SUBJECT) {
            return Err(wrong("subject", "at most 256 characters"));
        }
        Ok(history::Query {
            since: time("since", self.since.as_deref())?,
            until: time("until", self.until.as_deref())?,
            subject: self.subject.clone(),
            failing: self.failing,
            before: self.before,
            limit,
        })
    }
}

/// What is at hand, or that there is nothing yet.
pub(super) fn current(service: &Service) -> Result<Arc<Current>, Problem> {
    service.view.newest().report.clone().ok_or_else(|| {
        Problem::new(StatusCode::SERVICE_UNAVAILABLE, "the first checks are under way").retry_after(FIRST_RESULT)
    })
}

fn page(file: &Path, kind: schema::HistoryKind, query: &history::Query) -> Result<Representation, HistoryError> {
    use schema::HistoryKind;
    let reader = HistoryReader::open(file)?;
    Ok(match kind {
        HistoryKind::Transitions => Representation::json(&reader.transitions(query)?),
        HistoryKind::Endpoints => Representation::json(&reader.endpoint_results(query)?),
        HistoryKind::Media => Representation::json(&reader.media_results(query)?),
        HistoryKind::Feed => Representation::json(&reader.feed_changes(query)?),
        HistoryKind::Checks => Representation::json(&reader.checks(query)?),
    })
}

async fn commanded<T>(command: impl Future<Output = Result<T, CommandError>>) -> Result<T, Problem> {
    let busy = || Problem::new(StatusCode::SERVICE_UNAVAILABLE, CommandError::Busy.to_string());
    let answered = tokio::time::timeout(COMMAND_WITHIN, command).await.unwrap_or(Err(CommandError::Busy));
    answered.map_err(|error| match error {
        CommandError::Busy => busy().retry_after(COMMAND_WITHIN),
        CommandError::Refused(reason) => Problem::new(StatusCode::UNPROCESSABLE_ENTITY, reason)
            .hint(Some("`egressd config check FILE` says the same before it is installed")),
    })
}

fn edition(feed: &FeedSnapshot) -> serde_json::Value {
    json!({
        "source": feed.source, "name": feed.name, "serial": feed.serial,
        "date": feed.date.map(|date| date.to_string()), "sha256": feed.sha256, "prefixes": feed.ranges.len(),
    })
}

fn time(parameter: &str, text: Option<&str>) -> Result<Option<Timestamp>, Problem> {
    let read = text.map(Timestamp::from_str).transpose();
    read.map_err(|_| wrong(parameter, "a time such as 2026-11-03T00:00:00Z"))
}

pub(super) fn wrong(parameter: &str, expected: &str) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, format!("`{parameter}` is not what it should be: expected {expected}"))
}

pub(super) fn malformed(rejection: &QueryRejection) -> Problem {
    Problem::new(StatusCode::BAD_REQUEST, rejection.body_text())
}

fn no_history(why: &str) -> Problem {
    Problem::new(StatusCode::SERVICE_UNAVAILABLE, why)
}

fn too_many(wait: Duration, why: &str) -> Problem {
    Problem::new(StatusCode::TOO_MANY_REQUESTS, why).retry_after(wait)
}
