//! Lists for firewalls that fetch them: the same exports as those of the command line, always of the list in force.

use std::collections::BTreeMap;
use std::num::NonZeroUsize;
use std::sync::{Arc, Mutex, PoisonError};

use axum::extract::rejection::QueryRejection;
use axum::extract::{Path, Query, State};
use axum::http::{HeaderMap, StatusCode};
use serde::Deserialize;
use utoipa::IntoParams;

use super::Service;
use super::api::{Answer, malformed, wrong};
use super::problem::Problem;
use super::representation::Representation;
use super::schema;
use crate::daemon::FeedsInForce;
use crate::export::{ExportError, Intent, Overflow, Request, RuleFormat, Selection, is_object_name};
use crate::prefix::Family;
use crate::ranges::{List, Role};

/// What of the list, and how it is written.
#[derive(Clone, Debug, Default, Deserialize, IntoParams)]
#[serde(deny_unknown_fields, rename_all = "kebab-case", default)]
#[into_params(parameter_in = Query)]
pub(super) struct ExportQuery {
    /// One of the two lists; both without it.
    #[param(inline)]
    list: Option<schema::ListName>,
    /// One address family; both without it.
    #[param(inline)]
    family: Option<schema::FamilyName>,
    /// Roles, with commas between them; all without it: `viewer`, `regional-edge`, `origin-facing`, `carrier-cn`.
    #[param(
        pattern = "^(viewer|regional-edge|origin-facing|carrier-cn)(,(viewer|regional-edge|origin-facing|carrier-cn))*$"
    )]
    role: Option<String>,
    /// What the objects on the device are called.
    #[param(pattern = "^[A-Za-z][A-Za-z0-9_-]{0,62}$")]
    name: Option<String>,
    /// Destination TCP ports, with commas between them; 443 without it.
    #[param(pattern = "^[1-9][0-9]{0,3}(,[1-9][0-9]{0,3}){0,15}$")]
    port: Option<String>,
    /// The most entries in one object, in the place of the device's usual limit.
    #[param(value_type = Option<u32>, minimum = 1, maximum = 10_000_000)]
    max_entries: Option<NonZeroUsize>,
    /// What to do with more entries than that.
    #[param(inline)]
    on_overflow: Option<schema::OverflowName>,
    /// The most that `cover` may allow beyond the list, in per cent of its addresses; for that alone.
    #[param(minimum = 0, maximum = 1_000_000)]
    max_extra: Option<f64>,
}

/// What was written for these lists, by what was asked for.
#[derive(Debug, Default)]
pub(super) struct Cache(Mutex<Option<Written>>);

#[derive(Debug)]
struct Written {
    feeds: Arc<FeedsInForce>,
    exports: BTreeMap<String, Arc<Representation>>,
}

/// A site has a few devices; an export of the whole list has 15 to 60 kB.
const MOST_KEPT: usize = 32;

/// The whole list in the syntax of a device, from the list in force; ranges that were removed lately are still in it.
#[utoipa::path(
    get, path = "/export/{format}", tag = "lists", operation_id = "export",
    params(("format" = String, Path, description = "As `egressd export --list-formats` names it", example = "plain"), ExportQuery),
    responses(
        (status = 200, description = "The list, in the format's own type of content",
            content((String = "text/plain; charset=utf-8"), (String = "text/csv; charset=utf-8"), (Object = "application/json"),
                (String = "application/yaml"), (String = "application/xml")),
            headers(("ETag" = String, description = "For `If-None-Match`"))),
        (status = 304, description = "What the client has is still the same"),
        (status = 400, description = "A parameter is not what it should be", content_type = "application/problem+json", body = Problem),
        (status = 404, description = "There is no such format", content_type = "application/problem+json", body = Problem),
        (status = 409, description = "The device cannot hold the list in force so; nothing weaker is written", content_type = "application/problem+json", body = Problem),
    )
)]
pub(super) async fn export(
    State(service): State<Arc<Service>>,
    Path(format): Path<String>,
    query: Result<Query<ExportQuery>, QueryRejection>,
    headers: HeaderMap,
) -> Answer {
    let format = RuleFormat::named(&format).ok_or_else(|| {
        Problem::new(StatusCode::NOT_FOUND, "there is no format of that name")
            .hint(Some("the start page and `egressd export --list-formats` list them"))
    })?;
    let Query(query) = query.map_err(|rejection| malformed(&rejection))?;
    let asked = Asked::new(format, &query)?;
    let feeds = Arc::clone(&service.view.newest().feeds);
    let key = format!("{asked:?}");
    if let Some(known) = service.exports.find(&feeds, &key) {
        return Ok(known.answer(&headers));
    }
    // One at a time, beside the thread that answers everybody else.
    let _one = service.writing.lock().await;
    if let Some(known) = service.exports.find(&feeds, &key) {
        return Ok(known.answer(&headers));
    }
    let lists = Arc::clone(&feeds);
    let written = tokio::task::spawn_blocking(move || asked.write(&lists)).await;
    let written = written.map_err(|_| Problem::new(StatusCode::INTERNAL_SERVER_ERROR, "the export broke"))?;
    let representation = Arc::new(written.map_err(|error| refused(&error))?);
    service.exports.keep(&feeds, key, &representation);
    Ok(representation.answer(&headers))
}

/// What was asked for, in terms of the exporters.
#[derive(Debug)]
struct Asked {
    format: RuleFormat,
    selection: Selection,
    name: String,
    ports: Vec<u16>,
    max_entries: Option<NonZeroUsize>,
    overflow: Overflow,
}

impl Asked {
    fn new(format: RuleFormat, query: &ExportQuery) -> Result<Self, Problem> {
        let name = query.name.as_deref().unwrap_or("cloudfront");
        if !is_object_name(name) {
            return Err(wrong("name", "at most 63 letters, digits, `-` and `_`, a letter first"));
        }
        Ok(Self {
            format,
            selection: query.selection()?,
            name: name.to_owned(),
            ports: query.ports()?,
            max_entries: query.max_entries,
            overflow: query.overflow()?,
        })
    }

    fn write(&self, feeds: &FeedsInForce) -> Result<Representation, ExportError> {
        let feed = &feeds.feeds.newest;
        let request = Request {
            format: self.format,
            name: &self.name,
            source: &feed.edition(),
            origin: &feed.origin(),
            selected: &self.selection.with_withdrawn(feed, &feeds.withdrawn),
            intent: Intent::Replace,
            ports: &self.ports,
            hosts: &[],
            max_entries: self.max_entries,
            overflow: self.overflow,
        };
        let rules = request.rules()?;
        let mut text = String::new();
        self.format.write(&rules, &mut text).expect("a String takes everything");
        Ok(Representation::new(content_type(self.format), text))
    }
}

impl ExportQuery {
    fn selection(&self) -> Result<Selection, Problem> {
        let role = |name: &str| Role::ALL.into_iter().find(|role| role.name() == name);
        let roles = listed(self.role.as_deref(), role).ok_or_else(|| {
            wrong("role", "of `viewer`, `regional-edge`, `origin-facing` and `carrier-cn`, with commas between them")
        })?;
        Ok(Selection {
            list: self.list.map(List::from),
            family: self.family.map(Family::from),
            roles,
            addresses: Vec::new(),
        })
    }

    fn ports(&self) -> Result<Vec<u16>, Problem> {
        let port = |text: &str| text.parse().ok().filter(|&port: &u16| port > 0);
        let ports = listed(Some(self.port.as_deref().unwrap_or("443")), port).filter(|ports| ports.len() <= MOST_PORTS);
        ports.ok_or_else(|| wrong("port", "at most 16 numbers from 1 to 65535 with commas between them"))
    }

    fn overflow(&self) -> Result<Overflow, Problem> {
        use schema::OverflowName;
        if !self.max_extra.is_none_or(|percent| (0.0..=MOST_PERCENT).contains(&percent)) {
            return Err(wrong("max-extra", "a percentage, at most 1000000"));
        }
        if self.max_entries.is_some_and(|entries| entries.get() > MOST_ENTRIES) {
            return Err(wrong("max-entries", "at most 10000000"));
        }
        Ok(match self.on_overflow {
            None | Some(OverflowName::Fail) => Overflow::Fail,
            Some(OverflowName::Split) => Overflow::Split,
            Some(OverflowName::Cover) => Overflow::Cover { max_extra_percent: self.max_extra },
        })
    }
}

/// Ten thousand times the list.
const MOST_PERCENT: f64 = 1e6;
/// More than any device holds.
const MOST_ENTRIES: usize = 10_000_000;
/// More than any device takes in one service object here.
const MOST_PORTS: usize = 16;

impl Cache {
    fn find(&self, feeds: &Arc<FeedsInForce>, key: &str) -> Option<Arc<Representation>> {
        let known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        known.as_ref().filter(|known| Arc::ptr_eq(&known.feeds, feeds))?.exports.get(key).cloned()
    }

    fn keep(&self, feeds: &Arc<FeedsInForce>, key: String, export: &Arc<Representation>) {
        let mut known = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = || Written { feeds: Arc::clone(feeds), exports: BTreeMap::new() };
        let written = match known.take() {
            Some(written) if Arc::ptr_eq(&written.feeds, feeds) && written.exports.len() < MOST_KEPT => {
                known.insert(written)
            }
            _ => known.insert(fresh()),
        };
        written.exports.insert(key, Arc::clone(export));
    }
}

/// Each part between commas; none where one of them is nothing.
fn listed<T>(text: Option<&str>, read: impl Fn(&str) -> Option<T>) -> Option<Vec<T>> {
    text.map_or_else(|| Some(Vec::new()), |text| text.split(',').map(read).collect())
}

/// The hints name flags, and the parameters have the same names.
fn refused(error: &ExportError) -> Problem {
    Problem::new(StatusCode::CONFLICT, error.to_string()).hint(error.hint())
}

/// Firewalls take text; browsers and programs are told what is more than that.
fn content_type(format: RuleFormat) -> &'static str {
    match format {
        RuleFormat::Csv => "text/csv; charset=utf-8",
        RuleFormat::Json => "application/json",
        RuleFormat::Yaml => "application/yaml",
        RuleFormat::Pfsense | RuleFormat::Opnsense | RuleFormat::Sophos | RuleFormat::Watchguard => "application/xml",
        _ => "text/plain; charset=utf-8",
    }
}
