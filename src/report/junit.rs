//! The report for what reads test results: a case for each range, endpoint and place that media are sent to, so that a pipeline fails by name.
//!
//! The form is the one that the Jenkins `xunit` schema describes and CI servers agree on: `testsuites`, `testsuite`,
//! `testcase` with `failure` or `skipped`. What is undetermined is skipped: a pipeline must not pass or fail on it alone.

use std::fmt::Write as _;

use super::endpoints::EndpointReport;
use super::markup::escaped;
use super::media::MediaReport;
use super::{RangeReport, Report};
use crate::verdict::{Mechanism, Verdict};

pub(super) fn write(report: &Report) -> String {
    let suites = [
        Suite { name: "ranges", cases: report.ranges.iter().map(Case::range).collect() },
        Suite { name: "endpoints", cases: report.endpoints.iter().map(Case::endpoint).collect() },
        Suite { name: "media", cases: report.media.iter().map(Case::media).collect() },
    ];
    let mut page = String::from("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n");
    let total = |count: fn(&Suite) -> usize| suites.iter().map(count).sum::<usize>();
    let _ = writeln!(
        page,
        "<testsuites name=\"egressd {}\" tests=\"{}\" failures=\"{}\" time=\"{:.3}\">",
        escaped(&report.site),
        total(|suite| suite.cases.len()),
        total(Suite::failures),
        report.seconds,
    );
    for suite in suites.iter().filter(|suite| !suite.cases.is_empty()) {
        suite.write(&mut page, report);
    }
    page.push_str("</testsuites>\n");
    page
}

struct Suite {
    name: &'static str,
    cases: Vec<Case>,
}

struct Case {
    class: String,
    name: String,
    verdict: Verdict,
    mechanism: Option<Mechanism>,
    reason: String,
}

impl Suite {
    fn failures(&self) -> usize {
        self.cases.iter().filter(|case| case.verdict.accuses()).count()
    }

    fn skipped(&self) -> usize {
        self.cases.iter().filter(|case| case.is_skipped()).count()
    }

    fn write(&self, page: &mut String, report: &Report) {
        let _ = writeln!(
            page,
            "  <testsuite name=\"{}\" tests=\"{}\" failures=\"{}\" errors=\"0\" skipped=\"{}\" timestamp=\"{}\" time=\"{:.3}\">",
            self.name,
            self.cases.len(),
            self.failures(),
            self.skipped(),
            report.started,
            report.seconds,
        );
        for case in &self.cases {
            case.write(page);
        }
        page.push_str("  </testsuite>\n");
    }
}

impl Case {
    fn range(range: &RangeReport) -> Self {
        Self {
            class: format!("ranges.{}", range.list),
            name: range.prefix.to_string(),
            verdict: range.verdict,
            mechanism: range.mechanism,
            reason: range.reason.clone(),
        }
    }

    fn endpoint(endpoint: &EndpointReport) -> Self {
        Self {
            class: format!("endpoints.{}", endpoint.direction.name()),
            name: format!("{} ({})", endpoint.name, endpoint.path),
            verdict: endpoint.verdict,
            mechanism: endpoint.mechanism,
            reason: endpoint.reason.clone(),
        }
    }

    fn media(media: &MediaReport) -> Self {
        Self {
            class: "media.send".to_owned(),
            name: format!("{} ({})", media.name, media.path),
            verdict: media.verdict,
            mechanism: None,
            reason: media.whole(),
        }
    }

    fn is_skipped(&self) -> bool {
        matches!(self.verdict, Verdict::Undetermined | Verdict::ExpectedSilent)
    }

    fn write(&self, page: &mut String) {
        let (class, name, reason) = (escaped(&self.class), escaped(&self.name), escaped(&self.reason));
        let _ = write!(page, "    <testcase classname=\"{class}\" name=\"{name}\" time=\"0\"");
        if self.verdict.accuses() {
            let kind = self.mechanism.map_or(self.verdict.name(), Mechanism::name);
            let _ = writeln!(page, "><failure type=\"{kind}\" message=\"{reason}\"/></testcase>");
        } else if self.is_skipped() {
            let _ = writeln!(page, "><skipped message=\"{}: {reason}\"/></testcase>", self.verdict.name());
        } else {
            page.push_str("/>\n");
        }
    }
}
