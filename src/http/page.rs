//! The start page: what is known in a few lines, and where the rest is.

use std::fmt::Write as _;
use std::sync::Arc;

use axum::extract::State;
use axum::response::Html;

use super::Service;
use super::problem::Problem;
use crate::daemon::Snapshot;
use crate::export::RuleFormat;
use crate::report::markup::escaped;
use crate::report::{Format, Style};
use crate::text::counted;
use crate::verdict::Verdict;

/// Links that are always there.
const LINKS: [(&str, &str); 11] = [
    ("/report", "the whole report as a page"),
    ("/metrics", "metrics for Prometheus"),
    ("/api/v1/report", "the whole report"),
    ("/api/v1/ranges", "the ranges; ?verdict=blocked for those"),
    ("/api/v1/endpoints", "the endpoints, with all that was seen"),
    ("/api/v1/diagnoses", "the causes, and what to do"),
    ("/api/v1/history", "what changed, and when"),
    ("/api/v1/feed", "the list in force"),
    ("/api/v1/status", "the schedule"),
    ("/api/v1/openapi.json", "the description of all this"),
    ("/readyz", "whether there are results"),
];

pub(super) async fn start(State(service): State<Arc<Service>>) -> Html<String> {
    Html(page(&service.view.newest()))
}

/// The report as a page, for people.
pub(super) async fn report(State(service): State<Arc<Service>>) -> Result<Html<String>, Problem> {
    Ok(Html(super::api::current(&service)?.report.write(Format::Html, Style::default())))
}

fn page(snapshot: &Snapshot) -> String {
    let mut html = String::from(HEAD);
    for line in summary(snapshot) {
        push(&mut html, format_args!("<p>{}</p>\n", escaped(&line)));
    }
    html.push_str("<h2>Results</h2>\n<ul>\n");
    for (path, title) in LINKS {
        push(&mut html, format_args!("<li><a href=\"{path}\">{path}</a> {}</li>\n", escaped(title)));
    }
    html.push_str("</ul>\n<h2>Lists for devices</h2>\n<ul>\n");
    for format in RuleFormat::ALL {
        let (name, title) = (format.name(), escaped(format.title()));
        push(&mut html, format_args!("<li><a href=\"/export/{name}\">{name}</a> {title}</li>\n"));
    }
    html.push_str("</ul>\n</body>\n</html>\n");
    html
}

const HEAD: &str = "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n<title>egressd</title>\n\
                    <style>body { font: 16px/1.5 sans-serif; max-width: 50em; margin: 2em auto; padding: 0 1em }</style>\n\
                    </head>\n<body>\n<h1>egressd</h1>\n";

/// What matters first.
fn summary(snapshot: &Snapshot) -> Vec<String> {
    let Some(current) = &snapshot.report else {
        return vec!["The first checks are under way.".to_owned()];
    };
    let report = &current.report;
    let blocked = report.ranges().iter().filter(|range| range.verdict.accuses()).count();
    let failing = report.endpoints().iter().filter(|endpoint| endpoint.verdict.accuses()).count();
    let open = report.endpoints().iter().filter(|endpoint| endpoint.verdict == Verdict::Open).count();
    let mut lines = vec![format!(
        "{}: {} blocked of {}, {} failing, {} open, as of {}.",
        report.site(),
        counted(blocked, "range", "ranges"),
        report.ranges().len(),
        counted(failing, "endpoint", "endpoints"),
        open,
        current.finished,
    )];
    lines.extend(report.diagnoses().iter().map(|diagnosis| format!("{}: {}", diagnosis.title, diagnosis.fix)));
    lines.extend(snapshot.paused.map(|pause| format!("Nothing is judged at present: {}.", pause.name())));
    lines
}

fn push(html: &mut String, piece: std::fmt::Arguments<'_>) {
    html.write_fmt(piece).expect("a String takes everything");
}
